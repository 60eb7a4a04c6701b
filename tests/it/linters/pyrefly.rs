//! `pyrefly`: what each recorded run means.

use super::Expected;
use super::Expected::{Clean, Empty, Failed, Findings};
use super::{case, found_on_line_with_accents, red_without_output};
use lockgate::linters::Tool;
use lockgate::model::diagnostic::Severity;
use lockgate::model::region::Region;

/// The exit codes that can be a verdict.
pub(super) const CODES: &[i32] = &[0, 1];

pub(super) const EXPECTED: &[(&str, Expected)] = &[
    ("all-excluded", Empty),
    ("bad-configuration", Failed("exit code 1")),
    (
        "bad-interpreter",
        Failed("could not ask the interpreter of its configuration"),
    ),
    ("bad-option", Failed("exit code 2")),
    ("baseline", Clean),
    ("broken-link", Failed("exit code 1")),
    ("clean", Clean),
    ("configured-otherwise", Findings(3)),
    ("findings", Findings(1)),
    ("killed", Failed("killed by signal 9")),
    ("missing-file", Failed("exit code 1")),
    // It says nothing of the one that is missing.
    ("missing-file-of-several", Findings(1)),
    ("no-files", Empty),
    ("non-ascii", Findings(1)),
    ("syntax-error", Findings(3)),
    ("undecodable-file", Findings(1)),
    (
        "unreadable-file",
        Failed("could not check `unreadable.py:1`: Failed to load"),
    ),
    ("warnings", Findings(1)),
];

#[test]
fn findings_carry_what_pyrefly_says() {
    let finding = &case(Tool::Pyrefly, "findings").findings()[0];
    assert_eq!(finding.rule.as_deref(), Some("unknown-name"));
    assert_eq!(finding.severity, Severity::Error);
    assert_eq!(finding.message, "Could not find name `undefined`");
    assert_eq!(
        finding.url.as_deref(),
        Some("https://pyrefly.org/en/docs/error-kinds/#unknown-name")
    );
    let warning = &case(Tool::Pyrefly, "warnings").findings()[0];
    assert_eq!(warning.severity, Severity::Warning);
}

#[test]
fn a_file_that_is_not_utf_8_is_a_finding_about_the_file() {
    let finding = &case(Tool::Pyrefly, "undecodable-file").findings()[0];
    assert_eq!(finding.region, Region::FILE);
}

#[test]
fn columns_are_code_points() {
    assert_eq!(
        found_on_line_with_accents(Tool::Pyrefly, "unknown-name"),
        "undefined_name"
    );
}

#[test]
fn no_output_is_a_failure() {
    red_without_output(Tool::Pyrefly);
}
