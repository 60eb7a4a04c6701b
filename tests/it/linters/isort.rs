//! `isort`: what each recorded run means.

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
    (
        "bad-configuration",
        Failed("could not read its configuration"),
    ),
    ("bad-option", Failed("exit code 2")),
    ("bad-plugin", Failed("exit code 1 without a finding")),
    ("carriage-returns", Findings(1)),
    ("clean", Clean),
    ("coloured", Failed("exit code 1")),
    ("configured-otherwise", Findings(1)),
    ("findings", Findings(1)),
    ("form-feed", Findings(2)),
    ("killed", Failed("killed by signal 9")),
    (
        "missing-file",
        Failed("could not check a path that does not exist"),
    ),
    ("no-end-of-line", Findings(2)),
    (
        "no-end-of-line-at-the-end",
        Failed("unless the last file has no line break at its end"),
    ),
    ("no-files", Empty),
    ("non-ascii", Findings(1)),
    (
        "only-missing",
        Failed("could not check a path that does not exist"),
    ),
    ("only-modified", Empty),
    ("only-undecodable", Failed("could not check a file")),
    ("open-string", Failed("could not check a file")),
    ("syntax-error", Failed("could not check a file")),
    ("two-files", Findings(2)),
    ("undecodable-file", Failed("could not check a file")),
    ("unknown-setting", Failed("exit code 1 without a finding")),
];

#[test]
fn the_fixtures_are_ours() {
    made_with_our_arguments(Tool::Isort, &["unsorted.py", "clean.py"]);
}

#[test]
fn imports_are_found_on_their_lines_with_a_fix() {
    let finding = &case(Tool::Isort, "non-ascii").findings()[0];
    assert_eq!(finding.path.as_deref(), Some("/w/accents.py"));
    assert_eq!(finding.rule.as_deref(), Some("unsorted-imports"));
    let lines = (finding.region.line, finding.region.end_line);
    assert_eq!(
        (lines.0.map(u32::from), lines.1.map(u32::from)),
        (Some(3), Some(4))
    );
    let fix = finding.fix.as_ref().expect("a fix");
    assert_eq!(fix.applicability, Applicability::Safe);
    let texts: Vec<&str> = fix.edits.iter().map(|edit| &*edit.text).collect();
    assert_eq!(texts, ["import os\n", ""]);
    let source = SourceLines::new("\"\"\"éé😀é\"\"\"\n\nimport sys\nimport os\n".as_bytes());
    for edit in &fix.edits {
        assert!(locate_exactly(&edit.place, &source).is_some());
    }
}

#[test]
fn a_torn_diff_keeps_its_files_apart() {
    let findings = case(Tool::Isort, "form-feed").findings();
    let paths: Vec<_> = findings
        .iter()
        .filter_map(|one| one.path.as_deref())
        .collect();
    assert_eq!(paths, ["/w/feed.py", "/w/unsorted.py"]);
    assert_eq!(findings[0].fix, None);
    assert!(findings[1].fix.is_some());
}
