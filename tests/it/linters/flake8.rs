//! `flake8`: what each recorded run means.

use lockgate::linters::Tool;
use lockgate::linters::position::{SourceLines, locate};
use lockgate::model::diagnostic::Severity;

use super::Expected::{Clean, Empty, Failed, Findings};
use super::{Expected, case};

/// The exit codes that can be a verdict.
pub(super) const CODES: &[i32] = &[0, 1];

pub(super) const EXPECTED: &[(&str, Expected)] = &[
    ("all-excluded", Empty),
    ("all-suppressed", Clean),
    (
        "bad-configuration",
        Failed("unreadable output (exit code 1)"),
    ),
    ("bad-option", Failed("exit code 2")),
    ("bad-plugin", Failed("unreadable output (exit code 1)")),
    ("clean", Clean),
    ("configured-otherwise", Findings(3)),
    (
        "configured-quiet",
        Failed("line 1 is not expected: `bad.py`"),
    ),
    (
        "configured-silent",
        Failed("3 findings are counted, but 0 listed: `quiet` must not be set"),
    ),
    ("crash", Failed("unreadable output (exit code 1)")),
    (
        "dangling-link",
        Failed("could not check `./dangling.py`: FileNotFoundError"),
    ),
    ("exit-zero", Failed("exit code 0 in spite of 3 findings")),
    ("findings", Findings(3)),
    ("killed", Failed("killed by signal 9")),
    (
        "missing-file",
        Failed("could not check `missing.py`: FileNotFoundError"),
    ),
    (
        "missing-file-not-selected",
        Failed("could not check `missing.py`: FileNotFoundError"),
    ),
    (
        "missing-plugin",
        Failed("line 1 is not expected: `There was a critical error"),
    ),
    ("no-files", Empty),
    ("non-ascii", Findings(2)),
    ("non-ascii-syntax-error", Findings(1)),
    ("odd-path", Findings(1)),
    ("syntax-error", Findings(1)),
    ("undecodable-file", Clean),
];

#[test]
fn both_units_of_a_report_fit_lines_that_are_not_ascii() {
    let source = "x = (\"éé😀é\", undefined_name)\ny = [\"éé😀é\",1]\n";
    let lines = SourceLines::new(source.as_bytes());
    let findings = case(Tool::Flake8, "non-ascii").findings();
    let rests: Vec<(&str, &str)> = findings
        .iter()
        .map(|finding| {
            let (span, clamped) = locate(&finding.region, &lines);
            assert!(!clamped, "{finding:?}");
            let start = span.expect("the line exists").start;
            let line = source
                .lines()
                .nth(start.line as usize - 1)
                .expect("the line");
            let rule = finding.rule.as_deref().expect("a code");
            (rule, &line[start.byte.expect("a column") as usize..])
        })
        .collect();
    assert_eq!(rests, [("F821", "undefined_name)"), ("E231", ",1]"),]);
}

#[test]
fn a_syntax_error_has_a_column_of_its_own() {
    let source = "\"éé😀é\", def f(:\n";
    let finding = &case(Tool::Flake8, "non-ascii-syntax-error").findings()[0];
    let (span, clamped) = locate(&finding.region, &SourceLines::new(source.as_bytes()));
    let start = span.and_then(|span| span.start.byte).expect("a column") as usize;
    assert_eq!((&source[start..], clamped), ("def f(:\n", false));
    assert_eq!(finding.rule.as_deref(), Some("E999"));
    assert_eq!(finding.severity, Severity::Error);
}

#[test]
fn style_is_a_warning() {
    let findings = case(Tool::Flake8, "findings").findings();
    let told: Vec<_> = findings
        .iter()
        .map(|finding| {
            let url = finding.url.as_deref().expect("all are flake8's own");
            (
                finding.rule.as_deref().expect("a code"),
                finding.severity,
                url,
            )
        })
        .collect();
    let flake8 = "https://flake8.pycqa.org/en/latest/user/error-codes.html";
    let style = "https://pycodestyle.pycqa.org/en/latest/intro.html#error-codes";
    assert_eq!(
        told,
        [
            ("F401", Severity::Error, flake8),
            ("E305", Severity::Warning, style),
            ("F821", Severity::Error, flake8),
        ]
    );
}

#[test]
fn a_path_cannot_break_a_line() {
    let finding = &case(Tool::Flake8, "odd-path").findings()[0];
    assert_eq!(finding.path.as_deref(), Some("odd\ndir/a'b\".py"));
    assert_eq!(finding.message, "'os' imported but unused");
}
