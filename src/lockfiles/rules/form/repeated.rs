//! An entry that stands in a lock for the second time, to the last byte: how to take it away.

use crate::lockfiles::facts::Facts;
use crate::model::lockfile::{Format, Package};
use crate::model::sources::Location;

/// The bytes to remove, so that only the first of two entries stays; `None` where they are not the same text, or are
/// not written so that it is certain where they end.
pub fn removal(first: &Package<'_>, second: &Package<'_>, facts: &Facts<'_>) -> Option<Location> {
    if first.at.file != second.at.file {
        return None;
    }
    let text = std::str::from_utf8(facts.sources.bytes(second.at.file)).ok()?;
    let extent = |package: &Package<'_>| match facts.lock.format {
        Format::Requirements => lines_of(package, text),
        _ => table_of(package, facts, text),
    };
    let ((start, end), (other, other_end)) = (extent(second)?, extent(first)?);
    let is_same = text.get(start..end)?.trim_end() == text.get(other..other_end)?.trim_end();
    if !is_same || other >= start {
        return None;
    }
    // At the end of the file the blank line before goes with it, and the line break at the end stays.
    let (start, end) = match text.get(end..)? {
        "" => (text.get(..start)?.trim_end().len(), text.trim_end().len()),
        _ => (start, end),
    };
    Some(Location {
        start: u32::try_from(start).ok()?,
        end: u32::try_from(end).ok()?,
        ..second.at
    })
}

/// From `[[package]]` to the next entry or the next table that is none of it.
fn table_of(package: &Package<'_>, facts: &Facts<'_>, text: &str) -> Option<(usize, usize)> {
    let start = usize::try_from(package.at.start).ok()?;
    let rest = text.get(start..)?;
    let name = rest.strip_prefix("[[")?.split_once("]]")?.0;
    let is_line_start = text.get(..start)?.chars().next_back();
    if is_line_start.is_some_and(|before| before != '\n' && before != '\u{feff}') {
        return None;
    }
    let all = &facts.lock.packages;
    let next = all.partition_point(|other| other.at <= package.at);
    let limit = all
        .get(next)
        .filter(|next| next.at.file == package.at.file)
        .map_or(text.len(), |next| next.at.start as usize);
    let mut end = start;
    for line in text.get(start..limit)?.split_inclusive('\n') {
        let header = line.trim_start_matches('[');
        let is_own = end == start || header.starts_with(&format!("{name}."));
        if header.len() < line.len() && !is_own {
            break;
        }
        end += line.len();
    }
    Some((start, end))
}

/// The lines of a requirement, with the comments that are indented below it.
fn lines_of(package: &Package<'_>, text: &str) -> Option<(usize, usize)> {
    let places = package.hashes.iter().map(|hash| hash.at);
    let last = places.map(|at| at.end).fold(package.at.end, u32::max);
    let (first, last) = (package.at.start as usize, last as usize);
    let start = text.get(..first)?.rfind('\n').map_or(0, |at| at + 1);
    let mut end = last + text.get(last..)?.find('\n').map_or(0, |at| at + 1);
    let is_whole = end > last && !text.get(last..end)?.contains('\\');
    if !is_whole {
        return None;
    }
    for line in text.get(end..)?.split_inclusive('\n') {
        let is_comment = line.trim_start().starts_with('#') && line.starts_with([' ', '\t']);
        if !is_comment {
            break;
        }
        end += line.len();
    }
    Some((start, end))
}

#[cfg(test)]
mod tests {
    use crate::lockfiles::facts::Facts;
    use crate::lockfiles::fixes::apply;
    use crate::lockfiles::policy::Policy;
    use crate::lockfiles::rules::judge;
    use crate::lockfiles::{Format, read};
    use crate::model::sources::Sources;

    /// What is left after the edits of `duplicate-package`; `None` where it offers none.
    #[track_caller]
    fn mended(format: Format, text: &str) -> Option<String> {
        let mut sources = Sources::default();
        let file = sources.add("lock", text.as_bytes().to_vec()).unwrap();
        let reading = read(format, file, &sources);
        let policy = Policy::default();
        let facts = Facts::of_lock(&sources, reading.lockfile.as_ref().unwrap(), &policy);
        let found = judge(&reading, Some(&facts), &policy);
        let finding = found
            .iter()
            .find(|one| one.rule.id == "duplicate-package")
            .unwrap_or_else(|| panic!("{text}: nothing found"));
        let edits: Vec<_> = finding.edits.iter().collect();
        let bytes = (!edits.is_empty()).then(|| apply(text.as_bytes(), &edits))?;
        Some(String::from_utf8(bytes).unwrap())
    }

    const SIX: &str = "[[package]]\nname = \"six\"\nversion = \"1.17.0\"\nsource = { registry = \"https://index.example/simple\" }\n\n[package.optional-dependencies]\nx = []\n";

    #[test]
    fn the_second_of_two_entries_goes() {
        let head = "version = 1\nrevision = 3\nrequires-python = \">=3.11\"\n\n";
        let other = SIX.replace("six", "tqdm");
        for whole in [
            format!("{head}{SIX}"),
            format!("{head}{SIX}\n{other}"),
            format!("{head}{SIX}\n[manifest]\nmembers = []\n"),
        ] {
            let twice = whole.replacen(SIX, &format!("{SIX}\n{SIX}"), 1);
            assert_eq!(mended(Format::Uv, &twice), Some(whole.clone()));
            let returns = twice.replace('\n', "\r\n");
            assert_eq!(
                mended(Format::Uv, &returns),
                Some(whole.replace('\n', "\r\n"))
            );
        }
        let different = SIX.replace("x = []", "y = []");
        assert_eq!(
            mended(Format::Uv, &format!("{head}{SIX}\n{different}")),
            None
        );
    }

    #[test]
    fn a_requirement_goes_with_its_hashes_and_comments() {
        let six = "six==1.17.0 \\\n    --hash=sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274\n    # via app\n";
        let head = "# made by a tool\n";
        assert_eq!(
            mended(Format::Requirements, &format!("{head}{six}{six}")),
            Some(format!("{head}{six}"))
        );
        let twice = format!("{head}{six}{six}# the end\n");
        assert_eq!(
            mended(Format::Requirements, &twice),
            Some(format!("{head}{six}# the end\n"))
        );
        let other = six.replace("app", "other");
        assert_eq!(
            mended(Format::Requirements, &format!("{head}{six}{other}")),
            None
        );
    }
}
