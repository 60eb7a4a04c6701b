//! `zizmor`: what each recorded run means.

use super::Expected;
use super::Expected::{Clean, Empty, Failed, Findings};
use super::{case, red_without_output};
use lockgate::linters::Tool;
use lockgate::linters::position::{SourceLines, locate};
use lockgate::model::diagnostic::Severity;

/// The exit codes that can be a verdict.
pub(super) const CODES: &[i32] = &[0, 11, 12, 13, 14];

pub(super) const EXPECTED: &[(&str, Expected)] = &[
    ("all-excluded", Empty),
    ("bad-configuration", Failed("exit code 1")),
    ("bad-option", Failed("exit code 2")),
    ("clean", Clean),
    ("configured-otherwise", Findings(1)),
    ("findings", Findings(3)),
    ("ignored", Findings(1)),
    ("killed", Failed("killed by signal 9")),
    ("medium", Findings(2)),
    ("missing-file", Failed("exit code 1")),
    ("missing-folder", Failed("exit code 1")),
    (
        "no-exit-codes",
        Failed("exit code 0 in spite of 1 findings"),
    ),
    ("no-files", Empty),
    ("non-ascii", Findings(1)),
    ("schema-error", Failed("exit code 1")),
    ("schema-error-in-folder", Failed("exit code 1")),
    ("syntax-error", Failed("exit code 1")),
    ("undecodable-file", Failed("exit code 1")),
    ("unreadable-file", Failed("exit code 1")),
];

#[test]
fn severity_and_confidence_make_the_severity() {
    let findings = case(Tool::Zizmor, "findings").findings();
    let severity = |rule: &str| {
        let found = findings
            .iter()
            .find(|finding| finding.rule.as_deref() == Some(rule));
        found.expect("the rule").severity
    };
    assert_eq!(severity("dangerous-triggers"), Severity::Error);
    assert_eq!(severity("artipacked"), Severity::Warning);
    assert_eq!(severity("unpinned-uses"), Severity::Error);
    let notes = case(Tool::Zizmor, "medium").findings();
    assert!(
        notes
            .iter()
            .all(|finding| finding.severity == Severity::Note),
        "{notes:?}"
    );
}

#[test]
fn a_finding_stands_at_its_primary_location() {
    let findings = case(Tool::Zizmor, "findings").findings();
    let trigger = findings
        .iter()
        .find(|finding| finding.rule.as_deref() == Some("artipacked"))
        .expect("the rule");
    assert_eq!(trigger.path.as_deref(), Some("./.github/workflows/bad.yml"));
    assert_eq!(
        trigger.message,
        "credential persistence through GitHub Actions artifacts: does not set persist-credentials: false"
    );
    assert_eq!(
        trigger.help.as_deref(),
        Some("set persist-credentials: false")
    );
    assert_eq!(
        trigger.url.as_deref(),
        Some("https://docs.zizmor.sh/audits/#artipacked")
    );
    assert_eq!(
        (trigger.region.line.map(u32::from), trigger.region.column),
        (Some(7), Some(8))
    );
}

#[test]
fn columns_are_bytes() {
    let line = "          : \"éé😀é\" ${{ github.event.pull_request.title }}\n";
    let source = format!("{}{line}", "\n".repeat(8));
    let region = case(Tool::Zizmor, "non-ascii").findings()[0].region;
    let (span, clamped) = locate(&region, &SourceLines::new(source.as_bytes()));
    let span = span.expect("the line exists");
    assert!(!clamped);
    let (start, end) = span.start.byte.zip(span.end.byte).expect("both columns");
    assert_eq!(
        &line[start as usize..end as usize],
        "github.event.pull_request.title"
    );
}

#[test]
fn no_output_is_a_failure() {
    red_without_output(Tool::Zizmor);
}
