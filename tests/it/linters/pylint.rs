//! `pylint`: what each recorded run means.

use lockgate::linters::Tool;
use lockgate::linters::position::{SourceLines, locate};
use lockgate::model::diagnostic::Severity;

use super::Expected::{Clean, Empty, Failed, Findings};
use super::{Expected, case};

/// The exit codes that can be a verdict.
pub(super) const CODES: &[i32] = &[0, 1, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30];

pub(super) const EXPECTED: &[(&str, Expected)] = &[
    ("all-excluded", Empty),
    (
        "bad-configuration",
        Failed(
            "no document, but `************* Module /w/.pylintrc .pylintrc:1:0: F0011: error while parsing",
        ),
    ),
    ("bad-option", Failed("exit code 32")),
    (
        "bad-plugin",
        Failed(
            "could not check everything: `Command line or configuration file`: Plugin 'nowhere'",
        ),
    ),
    (
        "bad-pyproject",
        Failed("no document, but `Failed to load 'pyproject.toml'"),
    ),
    ("bad-value", Failed("exit code 32")),
    ("clean", Clean),
    ("configured-exit-zero", Findings(4)),
    ("configured-otherwise", Findings(4)),
    ("configured-stdin", Empty),
    (
        "configured-stdin-folder",
        Failed("unreadable output (exit code 1)"),
    ),
    (
        "crash",
        Failed("`clean.py`: clean.py: Fatal error while checking 'clean.py'"),
    ),
    ("fail-on-information", Findings(1)),
    ("findings", Findings(4)),
    ("killed", Failed("killed by signal 9")),
    (
        "missing-file",
        Failed("`missing.py`: No module named missing.py"),
    ),
    (
        "no-checks",
        Failed("exit code 32, no document, but `No files to lint: exiting.`"),
    ),
    ("no-files", Empty),
    ("no-statement", Empty),
    ("non-ascii", Findings(2)),
    ("non-ascii-syntax-error", Findings(1)),
    ("non-ascii-tokens", Findings(6)),
    ("parallel", Findings(2)),
    ("syntax-error", Findings(1)),
    ("undecodable-file", Findings(1)),
    ("unknown-setting", Findings(1)),
];

#[test]
fn only_errors_that_pylint_is_sure_of_are_errors() {
    let findings = case(Tool::Pylint, "findings").findings();
    let told: Vec<_> = findings
        .iter()
        .map(|finding| {
            (
                finding.rule.as_deref().unwrap_or_default(),
                finding.severity,
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("missing-module-docstring", Severity::Warning),
            ("missing-function-docstring", Severity::Warning),
            ("undefined-variable", Severity::Error),
            ("unused-import", Severity::Warning),
        ]
    );
    let note = &case(Tool::Pylint, "fail-on-information").findings()[0];
    assert_eq!(note.severity, Severity::Note);
}

#[test]
fn a_rule_has_its_page() {
    let urls = |name: &str| {
        let finding = case(Tool::Pylint, name).findings().swap_remove(0);
        finding.url.expect("a rule of pylint's own")
    };
    let pages = "https://pylint.readthedocs.io/en/stable/user_guide/messages";
    assert_eq!(
        urls("syntax-error"),
        format!("{pages}/error/syntax-error.html")
    );
    assert_eq!(
        urls("fail-on-information"),
        format!("{pages}/information/useless-suppression.html")
    );
}

#[test]
fn a_message_about_a_setting_names_its_file() {
    let finding = &case(Tool::Pylint, "unknown-setting").findings()[0];
    assert_eq!(finding.path.as_deref(), Some(".pylintrc"));
    assert_eq!(finding.message, "Unrecognized option found: bogus");
}

#[test]
fn columns_fit_lines_that_are_not_ascii() {
    let find = |name: &str, rule: &str, source: &str| {
        let findings = case(Tool::Pylint, name).findings();
        let finding = findings
            .iter()
            .find(|finding| finding.rule.as_deref() == Some(rule))
            .expect("the rule");
        let lines = SourceLines::new(source.as_bytes());
        let (span, clamped) = locate(&finding.region, &lines);
        assert!(!clamped, "{rule}");
        let span = span.expect("the line exists");
        let line = source
            .lines()
            .nth(span.start.line as usize - 1)
            .expect("the line");
        let start = span.start.byte.expect("a column") as usize;
        let end = span.end.byte.expect("a column") as usize;
        (line[start..].to_owned(), line[start..end].to_owned())
    };
    let accents = "x = (\"éé😀é\", undefined_name)\n";
    let name = find("non-ascii", "undefined-variable", accents).1;
    assert_eq!(name, "undefined_name");
    let broken = find(
        "non-ascii-syntax-error",
        "syntax-error",
        "\"éé😀é\", def f(:\n",
    );
    assert_eq!(broken.0, "def f(:");

    let marks = "\"\"\"Doc.\"\"\"\nX = \"ééé😀\"  # TODO é\nY = \"ééé😀\\d\"\nZ = (\"ééé😀\"); W = 1 \n\
                 C = (\"ééé😀\", \"\u{200b}\", 1)\nD = \"é\", \"\u{202e}\"\n";
    let mark = |rule: &str| find("non-ascii-tokens", rule, marks);
    assert_eq!(mark("fixme").0, " TODO é");
    assert_eq!(mark("anomalous-backslash-in-string").0, "\\d\"");
    assert_eq!(mark("trailing-whitespace").0, " ");
    assert_eq!(mark("multiple-statements").1, "W = 1");
    assert_eq!(mark("invalid-character-zero-width-space").1, "\u{200b}");
    assert_eq!(mark("bidirectional-unicode").1, "D = \"é\", \"\u{202e}\"");
}
