//! `ty`: what each recorded run means.

use super::Expected;
use super::Expected::{Clean, Empty, Failed, Findings};
use super::{case, found_on_line_with_accents, red_without_output};
use lockgate::linters::Tool;
use lockgate::model::diagnostic::Severity;

/// The exit codes that can be a verdict.
pub(super) const CODES: &[i32] = &[0, 1];

pub(super) const EXPECTED: &[(&str, Expected)] = &[
    ("all-excluded", Empty),
    ("bad-configuration", Failed("exit code 2")),
    ("bad-option", Failed("exit code 2")),
    ("bad-value", Failed("exit code 2")),
    ("clean", Clean),
    ("configured-files", Clean),
    ("configured-otherwise", Findings(1)),
    ("findings", Findings(3)),
    ("killed", Failed("killed by signal 9")),
    (
        "missing-file",
        Failed("could not check `/w/missing.py`: No such file or directory"),
    ),
    ("no-files", Empty),
    ("non-ascii", Findings(1)),
    ("notes", Findings(1)),
    ("quiet", Failed("unreadable output (exit code 0)")),
    ("syntax-error", Findings(5)),
    (
        "undecodable-file",
        Failed("could not check `latin.py`: Failed to read file"),
    ),
    ("unknown-rule", Findings(1)),
    (
        "unreadable-file",
        Failed("could not check `unreadable.py`: Failed to read file"),
    ),
];

#[test]
fn severities_are_those_of_ty() {
    let severity = |name: &str| case(Tool::Ty, name).findings()[0].severity;
    assert_eq!(severity("findings"), Severity::Error);
    assert_eq!(severity("configured-otherwise"), Severity::Warning);
    assert_eq!(severity("notes"), Severity::Note);
}

#[test]
fn a_finding_says_its_rule_once() {
    let finding = &case(Tool::Ty, "findings").findings()[0];
    assert_eq!(finding.rule.as_deref(), Some("invalid-explicit-return"));
    assert_eq!(
        finding.message,
        "Return type does not match returned value: expected `str`, found `int`"
    );
    assert_eq!(
        finding.url.as_deref(),
        Some("https://ty.dev/rules#invalid-explicit-return")
    );
    assert_eq!(
        (
            finding.region.line.map(u32::from),
            finding.region.column,
            finding.region.end_column
        ),
        (Some(5), Some(11), Some(17))
    );
}

#[test]
fn columns_are_code_points() {
    assert_eq!(
        found_on_line_with_accents(Tool::Ty, "unresolved-reference"),
        "undefined_name"
    );
}

#[test]
fn no_output_is_a_failure() {
    red_without_output(Tool::Ty);
}
