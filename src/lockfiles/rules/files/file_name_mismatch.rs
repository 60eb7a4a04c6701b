//! Files that belong to another package or version than the entry they stand in.

use crate::error::count;
use crate::lockfiles::facts::Facts;
use crate::lockfiles::filename::{WheelName, is_name, is_version, sdist_stem, sdist_version};
use crate::lockfiles::policy::Level;
use crate::lockfiles::requirement::Version;
use crate::lockfiles::rules::{Check, Example, Findings, Rule};
use crate::lockfiles::values::file_name;
use crate::model::lockfile::{File, FileKind, Package, Source};
use crate::model::sources::Location;

/// The rule.
pub const RULE: Rule = Rule {
    id: "file-name-mismatch",
    summary: "A file is that of another package or version",
    why: "What is installed is the file, whatever the entry calls it. `uv lock --check` accepts a wheel of another project \
          under a trusted name.\n\n\
          Names are compared as installers do: `Flask_SQLAlchemy-2.5-py3-none-any.whl` is a file of `flask-sqlalchemy` \
          2.5.0. A file may have a local version, `2.5+cpu`, where the package has none. Archives that the project names \
          by their URL may be called anything, unless they are wheels.",
    level: Level::Error,
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
    { url = "https://files.example/sixx-1.17.0-py2.py3-none-any.whl", hash = "sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274", size = 11050 },
]
"#,
    )]),
    repair: "Take the entry from git as it was, or remove it and write the lock anew; and find out who wrote that line.",
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

/// What the name of a file says about its package.
enum Said<'a> {
    /// It is one of its files.
    Fits,
    /// It is no name that a file of an index has.
    Nameless,
    /// It is a file of another package.
    Package,
    /// It is a file of another version.
    Version(&'a str),
    /// The address leads to a file of another name.
    Address,
}

fn check(facts: &Facts<'_>, findings: &mut Findings<'_>) {
    for package in facts.lock.third_party() {
        check_package(facts, package, findings);
    }
}

fn check_package(facts: &Facts<'_>, package: &Package<'_>, findings: &mut Findings<'_>) {
    let is_indexed = matches!(package.source.value, Source::Unstated | Source::Registry(_));
    if !is_indexed && !matches!(package.source.value, Source::Url { .. } | Source::Path(_)) {
        return;
    }
    let mut wrong = package.files.iter().filter_map(|file| {
        let said = judge(file, package, is_indexed);
        (!matches!(said, Said::Fits)).then_some((file, said))
    });
    let Some((first, said)) = wrong.next() else {
        return;
    };
    let more = wrong.count();
    let (title, name) = (package.title(), &first.name);
    let mut at = name_at(first, facts);
    let mut message = match said {
        Said::Fits => return,
        Said::Nameless => format!("`{name}` is no name of a wheel or source distribution"),
        Said::Package => format!("`{name}` is no file of `{}`", package.name.normal),
        Said::Address => format!("the address of `{name}` leads to a file of another name"),
        Said::Version(version) => match &package.version {
            // Where all files agree against the entry, it is the entry that was changed.
            Some(own) if more + 1 == package.files.len() => {
                at = own.at;
                format!("`{title}` has files of version `{version}`")
            }
            _ => format!("`{name}` is no file of `{title}`, but of version `{version}`"),
        },
    };
    if more > 0 && at != package.version.as_ref().map_or(at, |version| version.at) {
        let files = count(more as u64, "more file");
        message = format!("{message}; {files} of this entry are wrong as well");
    }
    let finding = findings.add(at, message);
    finding.about(&package.name.normal).help(format!(
        "take the entry from git as it was, or remove it and run `{}`",
        facts.lock.format.relock()
    ));
    if at == name_at(first, facts) {
        finding.see(package.name.at, "the entry it stands in");
    } else {
        finding.see(name_at(first, facts), "the first of its files");
    }
}

fn judge<'f>(file: &'f File<'_>, package: &Package<'_>, is_indexed: bool) -> Said<'f> {
    let normal = &package.name.normal;
    let version = match file.kind {
        FileKind::Wheel => match WheelName::parse(&file.name) {
            Some(wheel) if is_name(wheel.distribution, normal) => wheel.version,
            Some(_) => return Said::Package,
            None => return Said::Nameless,
        },
        FileKind::Sdist if is_indexed => match sdist_stem(&file.name) {
            Some(stem) => match sdist_version(stem, normal) {
                Some(version) => version,
                None => return Said::Package,
            },
            None => return Said::Nameless,
        },
        FileKind::Sdist | FileKind::Other => return Said::Fits,
    };
    if let Some(own) = &package.version
        && !is_version(version, &own.value)
        // What is no version is for another rule.
        && Version::parse(&own.value).is_some()
    {
        return Said::Version(version);
    }
    let addressed = file.url.as_ref().map(|url| file_name(&url.value));
    let is_file = |name: &str| WheelName::parse(name).is_some() || sdist_stem(name).is_some();
    match addressed {
        Some(name) if name != file.name && is_file(&name) => Said::Address,
        _ => Said::Fits,
    }
}

/// Where the name of a file stands: the last part of its address.
fn name_at(file: &File<'_>, facts: &Facts<'_>) -> Location {
    let Some(url) = &file.url else {
        return file.at;
    };
    let text = facts.sources.text(url.at);
    let end = text.find(['?', '#']).unwrap_or(text.len());
    let start = text.get(..end).and_then(|path| path.rfind('/'));
    let offset = |at: usize| u32::try_from(at).unwrap_or_default();
    match start {
        Some(slash) => Location {
            start: url.at.start + offset(slash + 1),
            end: url.at.start
                + offset(
                    text.get(..end)
                        .unwrap_or_default()
                        .trim_end_matches(['"', '\''])
                        .len(),
                ),
            ..url.at
        },
        None => url.at,
    }
}
