//! `bandit`: what each recorded run means.

use lockgate::linters::position::{SourceLines, locate};
use lockgate::linters::{Invocation, Tool};
use lockgate::model::diagnostic::Severity;
use lockgate::model::region::Region;

use super::Expected::{Clean, Empty, Failed, Findings};
use super::{Expected, case};

/// The exit codes that can be a verdict.
pub(super) const CODES: &[i32] = &[0, 1];

pub(super) const EXPECTED: &[(&str, Expected)] = &[
    ("all-excluded", Empty),
    ("all-suppressed", Clean),
    ("bad-configuration", Failed("exit code 2")),
    ("bad-ini", Failed("could not read a `.bandit`")),
    ("bad-option", Failed("exit code 2")),
    ("clean", Clean),
    ("configured", Findings(6)),
    ("configured-otherwise", Findings(7)),
    (
        "configured-to-write",
        Failed("unreadable output (exit code 1)"),
    ),
    (
        "crash-in-a-file",
        Failed("could not check `./deep.py`: exception while scanning file"),
    ),
    ("exit-zero", Failed("exit code 0 in spite of 7 findings")),
    ("findings", Findings(7)),
    ("killed", Failed("killed by signal 9")),
    (
        "missing-file",
        Failed("could not check `./missing.py`: No such file or directory"),
    ),
    (
        "missing-file-and-findings",
        Failed("could not check `./missing.py`: No such file or directory"),
    ),
    ("no-checks", Failed("exit code 2")),
    ("no-files", Empty),
    ("non-ascii", Findings(1)),
    ("syntax-error", Findings(1)),
    ("syntax-error-and-findings", Findings(8)),
    ("two-configurations", Failed("exit code 2")),
    ("undecodable-file", Findings(1)),
];

#[test]
fn severity_and_confidence_make_one_severity() {
    let findings = case(Tool::Bandit, "findings").findings();
    let told: Vec<_> = findings
        .iter()
        .map(|finding| (finding.rule.as_deref().expect("a test"), finding.severity))
        .collect();
    assert_eq!(
        told,
        [
            ("B404", Severity::Note),
            ("B602", Severity::Error),
            ("B101", Severity::Note),
            ("B105", Severity::Note),
            ("B602", Severity::Error),
            ("B608", Severity::Warning),
            ("B307", Severity::Warning),
        ]
    );
    assert_eq!(
        findings[6].url.as_deref(),
        Some("https://bandit.readthedocs.io/en/1.9.4/blacklists/blacklist_calls.html#b307-eval")
    );
}

#[test]
fn a_column_of_another_line_is_left_out() {
    let findings = case(Tool::Bandit, "findings").findings();
    let shell = &findings[1].region;
    assert_eq!(
        (shell.line.map(u32::from), shell.column, shell.end_column),
        (Some(5), None, None)
    );
    let assertion = &findings[2].region;
    assert_eq!(
        (
            assertion.line.map(u32::from),
            assertion.column,
            assertion.end_column
        ),
        (Some(7), Some(0), Some(11))
    );
}

#[test]
fn columns_are_bytes() {
    let line = "x = (\"éé😀é\", eval(\"1\"))\n";
    let finding = &case(Tool::Bandit, "non-ascii").findings()[0];
    let (span, clamped) = locate(&finding.region, &SourceLines::new(line.as_bytes()));
    let span = span.expect("the line exists");
    let found = span
        .start
        .byte
        .zip(span.end.byte)
        .map(|(start, end)| &line[start as usize..end as usize]);
    assert_eq!((found, clamped), (Some("eval(\"1\")"), false));
}

#[test]
fn a_file_that_cannot_be_parsed_is_a_finding() {
    for name in ["syntax-error", "undecodable-file"] {
        let finding = &case(Tool::Bandit, name).findings()[0];
        assert_eq!(finding.rule.as_deref(), Some("syntax-error"));
        assert_eq!(finding.severity, Severity::Error);
        assert_eq!(finding.region, Region::FILE);
    }
}

#[test]
fn the_table_of_a_project_is_handed_over_before_what_the_user_says() {
    let extra = ["-c".to_owned(), "other.yaml".to_owned()];
    let arguments = Tool::Bandit.arguments(&Invocation {
        extra: &extra,
        configured_files: true,
        ..Invocation::default()
    });
    assert_eq!(
        arguments[..3],
        ["--configfile=pyproject.toml", "-c", "other.yaml"]
    );
    let configured = Invocation {
        configured_files: true,
        ..Invocation::default()
    };
    let command = format!("bandit {}\n", Tool::Bandit.arguments(&configured).join(" "));
    assert_eq!(case(Tool::Bandit, "configured").command, command);
}
