//! `typos`: what each recorded run means.

use super::Expected;
use super::Expected::{Clean, Empty, Failed, Findings};
use super::{case, locate, locate_exactly, made_with_our_arguments};
use lockgate::linters::Tool;
use lockgate::linters::position::SourceLines;
use lockgate::model::diagnostic::Severity;
use lockgate::model::fix::Applicability;
use lockgate::model::region::Region;

/// The exit codes that can be a verdict.
pub(super) const CODES: &[i32] = &[0, 2];

pub(super) const EXPECTED: &[(&str, Expected)] = &[
    // The probe decides on what is clean here.
    ("all-excluded", Clean),
    ("binary-file", Clean),
    ("clean", Clean),
    ("configured-otherwise", Clean),
    ("no-files", Clean),
    ("bad-configuration", Failed("exit code 78")),
    ("bad-option", Failed("exit code 64")),
    ("byte-order-mark", Findings(1)),
    ("file-name", Findings(1)),
    ("findings", Findings(4)),
    ("killed", Failed("killed by signal 9")),
    ("missing-file", Failed("exit code 64")),
    ("no-correction", Findings(2)),
    ("non-ascii", Findings(1)),
    ("probe", Clean),
    ("probe-binary-file", Empty),
    ("probe-missing-file", Failed("exit code 64")),
    ("probe-no-files", Empty),
    ("several-corrections", Findings(1)),
    ("undecodable-file", Findings(1)),
    ("unknown-setting", Failed("exit code 78")),
    (
        "unreadable-and-findings",
        Failed("could not check `memory.py`: "),
    ),
    ("unreadable-file", Failed("could not check `memory.py`: ")),
];

#[test]
fn the_fixtures_are_ours() {
    made_with_our_arguments(Tool::Typos, &["bad.py", "clean.py"]);
}

#[test]
fn a_typo_is_found_in_its_line_with_its_correction() {
    for (name, file, place) in [
        ("non-ascii", "# éé😀é teh\n", 8),
        ("byte-order-mark", "\u{feff}# teh\n", 3),
    ] {
        let finding = &case(Tool::Typos, name).findings()[0];
        let source = SourceLines::new(file.as_bytes());
        let (span, clamped) = locate(&finding.region, &source);
        let span = span.expect("the line exists");
        assert_eq!((span.start.column, clamped), (Some(place), false), "{name}");
        let fix = finding.fix.as_ref().expect("a fix");
        assert_eq!(fix.applicability, Applicability::Unsafe);
        assert_eq!(&*fix.edits[0].text, "the");
        let exact = locate_exactly(&fix.edits[0].place, &source).expect("it fits");
        let line = source.line(1).expect("the line exists");
        let (start, end) = exact.start.byte.zip(exact.end.byte).expect("columns");
        assert_eq!(&line[start as usize..end as usize], b"teh", "{name}");
    }
}

#[test]
fn words_say_what_is_meant() {
    let first = |name| case(Tool::Typos, name).findings().remove(0);
    let several = first("several-corrections");
    assert_eq!(several.message, "`ba` should be `by`, `be`");
    assert_eq!((several.severity, several.fix), (Severity::Warning, None));
    let disallowed = case(Tool::Typos, "no-correction").findings();
    let disallowed = disallowed.iter().find(|one| one.region != Region::FILE);
    let disallowed = disallowed.expect("a word in the file");
    assert_eq!(disallowed.message, "`foo` is disallowed");
    assert_eq!(disallowed.fix, None);
    let name = first("file-name");
    assert_eq!((name.region, name.fix), (Region::FILE, None));
}
