//! The same file twice in one entry.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::lockfiles::facts::Facts;
use crate::lockfiles::policy::Level;
use crate::lockfiles::rules::{Check, Example, Findings, Rule};
use crate::model::lockfile::{File, Text};
use crate::model::sources::{Location, Sources};

/// The rule.
pub const RULE: Rule = Rule {
    id: "duplicate-file",
    summary: "A file is listed twice in one entry",
    why: "No tool writes a file twice: a merge or an edit did. The line is the same and does no harm; the next one may \
          not be. The same file with another hash is [`file-conflict`](#file-conflict).",
    level: Level::Warning,
    check: Check::Lock(check),
    failing: Example::of(&[(
        "uv.lock",
        r#"version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "six"
version = "1.17.0"
source = { registry = "https://index.example/simple" }
wheels = [
    { url = "https://files.example/six-1.17.0-py2.py3-none-any.whl", hash = "sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274", size = 11050 },
    { url = "https://files.example/six-1.17.0-py2.py3-none-any.whl", hash = "sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274", size = 11050 },
]
"#,
    )]),
    repair: "Remove one of the two lines; `lockgate lockfile-verify --fix` does.",
    repaired: Example::of(&[(
        "uv.lock",
        r#"version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "six"
version = "1.17.0"
source = { registry = "https://index.example/simple" }
wheels = [
    { url = "https://files.example/six-1.17.0-py2.py3-none-any.whl", hash = "sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274", size = 11050 },
]
"#,
    )]),
};

fn check(facts: &Facts<'_>, findings: &mut Findings<'_>) {
    let mut seen: HashMap<(&str, Option<&Text<'_>>), &File<'_>, RandomState> = HashMap::default();
    for package in &facts.lock.packages {
        seen.clear();
        for file in &package.files {
            let url = file.url.as_ref().map(|url| &url.value);
            let Some(before) = seen.insert((&*file.name, url), file) else {
                continue;
            };
            let is_same = digests(before).eq(digests(file));
            if file.name.is_empty() || !is_same {
                continue;
            }
            let finding = findings.add(file.at, format!("`{}` is listed twice", file.name));
            finding
                .about(&package.name.normal)
                .see(before.at, "the first time")
                .help("remove one of the two lines");
            if let Some(line) = whole_line(file.at, facts.sources) {
                finding.fix(line, "");
            }
        }
    }
}

fn digests<'f>(file: &'f File<'_>) -> impl Iterator<Item = (&'f str, &'f str)> {
    file.hashes
        .iter()
        .map(|hash| (&*hash.algorithm, &*hash.digest))
}

/// The line that holds nothing but this item of a list and its comma.
fn whole_line(at: Location, sources: &Sources) -> Option<Location> {
    let bytes = sources.bytes(at.file);
    let (start, end) = (
        usize::try_from(at.start).ok()?,
        usize::try_from(at.end).ok()?,
    );
    let before = bytes.get(..start)?;
    let indent = before.len() - before.trim_ascii_end().len();
    let line = memchr::memrchr(b'\n', before)? + 1;
    let behind = bytes.get(end..)?;
    let length = memchr::memchr(b'\n', behind)? + 1;
    let is_alone = start - line <= indent && behind.get(..length)?.trim_ascii() == b",";
    is_alone.then_some(Location {
        start: u32::try_from(line).ok()?,
        end: u32::try_from(end + length).ok()?,
        ..at
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lockfiles::policy::Policy;
    use crate::lockfiles::rules::judge;
    use crate::lockfiles::{Format, read};

    #[test]
    fn the_edit_removes_the_line_and_nothing_else() {
        let (failing, repaired) = (RULE.failing.files[0].1, RULE.repaired.files[0].1);
        for (text, expected) in [
            (failing.to_owned(), Some(repaired)),
            // Where something else stands on the line there is no edit.
            (failing.replace("},\n    {", "}, {"), None),
        ] {
            let mut sources = Sources::default();
            let file = sources.add("uv.lock", text.clone().into_bytes()).unwrap();
            let reading = read(Format::Uv, file, &sources);
            let policy = Policy::default();
            let facts = Facts::of_lock(&sources, reading.lockfile.as_ref().unwrap(), &policy);
            let found = judge(&reading, Some(&facts), &policy);
            let finding = found.iter().find(|one| one.rule.id == RULE.id).unwrap();
            let edited = finding.edits.first().map(|edit| {
                let (start, end) = (edit.at.start as usize, edit.at.end as usize);
                format!("{}{}{}", &text[..start], edit.text, &text[end..])
            });
            assert_eq!(edited.as_deref(), expected);
        }
    }
}
