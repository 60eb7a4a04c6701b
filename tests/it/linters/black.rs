//! `black`: what each recorded run means.

use super::Expected;
use super::Expected::{Clean, Empty, Failed, Findings};
use super::{case, locate_exactly, made_with_our_arguments};
use lockgate::linters::Tool;
use lockgate::linters::position::SourceLines;
use lockgate::model::fix::Applicability;

/// The exit codes that can be a verdict.
pub(super) const CODES: &[i32] = &[0, 1];

pub(super) const EXPECTED: &[(&str, Expected)] = &[
    ("all-excluded", Empty),
    ("bad-configuration", Failed("exit code 1 without a finding")),
    ("bad-option", Failed("exit code 2")),
    ("carriage-returns", Findings(1)),
    ("clean", Clean),
    ("configured-otherwise", Findings(1)),
    ("findings", Findings(1)),
    ("killed", Failed("killed by signal 9")),
    ("latin-1", Findings(1)),
    ("lone-carriage-returns", Failed("cut off in line 1")),
    ("missing-file", Failed("exit code 2")),
    ("no-end-of-line", Findings(1)),
    ("no-files", Empty),
    ("non-ascii", Findings(1)),
    ("other-version", Failed("exit code 1 without a finding")),
    ("probe", Clean),
    ("probe-no-files", Empty),
    ("quiet-clean", Clean),
    ("syntax-error", Failed("could not format a file")),
    ("two-files", Findings(2)),
    ("undecodable-file", Failed("could not format a file")),
    ("unknown-setting", Findings(1)),
    ("unreadable-file", Failed("could not format a file")),
];

#[test]
fn the_fixtures_are_ours() {
    made_with_our_arguments(Tool::Black, &["bad.py", "clean.py"]);
}

#[test]
fn a_hunk_is_found_on_its_lines_with_a_fix() {
    let finding = &case(Tool::Black, "findings").findings()[0];
    assert_eq!(finding.path.as_deref(), Some("bad.py"));
    assert_eq!(finding.region.line.map(u32::from), Some(6));
    assert_eq!(finding.help.as_deref(), Some("run `black`"));
    let fix = finding.fix.as_ref().expect("a fix");
    assert_eq!(fix.applicability, Applicability::Safe);
    assert_eq!(&*fix.edits[0].text, "\n\n");
}

#[test]
fn fixes_fit_files_of_all_kinds() {
    for (name, file, text) in [
        (
            "non-ascii",
            "x = (\"éé😀é\",undefined_name)\n",
            "x = (\"éé😀é\", undefined_name)\n",
        ),
        ("carriage-returns", "x  = 1\r\ny = 2\r\n", "x = 1\r\n"),
        ("no-end-of-line", "x  = 1", "x = 1\n"),
    ] {
        let finding = &case(Tool::Black, name).findings()[0];
        let edit = &finding.fix.as_ref().expect("a fix").edits[0];
        assert_eq!(&*edit.text, text, "{name}");
        let source = SourceLines::new(file.as_bytes());
        assert!(locate_exactly(&edit.place, &source).is_some(), "{name}");
    }
    // Its text is no UTF-8.
    assert_eq!(case(Tool::Black, "latin-1").findings()[0].fix, None);
}
