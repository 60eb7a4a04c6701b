//! `basedpyright`: what each recorded run means.

use super::Expected;
use super::Expected::{Clean, Empty, Failed, Findings};
use super::{case, found_on_line_with_accents, red_without_output};
use lockgate::linters::{Invocation, Tool};
use lockgate::model::diagnostic::Severity;

/// The exit codes that can be a verdict.
pub(super) const CODES: &[i32] = &[0, 1];

pub(super) const EXPECTED: &[(&str, Expected)] = &[
    ("all-excluded", Empty),
    ("bad-baseline", Failed("its configuration is broken")),
    ("bad-configuration", Failed("its configuration is broken")),
    ("bad-option", Failed("exit code 4")),
    ("bad-value", Failed("its configuration is broken")),
    ("baseline", Clean),
    (
        "baseline-edited",
        Failed("unreadable output (exit code 0): not the expected JSON document"),
    ),
    ("baseline-outdated", Clean),
    ("clean", Clean),
    ("configured-otherwise", Findings(5)),
    ("findings", Findings(5)),
    ("killed", Failed("killed by signal 9")),
    ("missing-file", Failed("exit code 4")),
    ("missing-include", Failed("its configuration is broken")),
    ("no-files", Empty),
    ("non-ascii", Findings(2)),
    ("syntax-error", Findings(7)),
    (
        "unreadable-file",
        Failed("could not check `/w/unreadable.py`: Source file could not be read"),
    ),
    ("warnings", Findings(1)),
    ("warnings-pass", Findings(1)),
];

#[test]
fn the_configured_severity_counts() {
    let rule = |name: &str| {
        let findings = case(Tool::Basedpyright, name).findings();
        let found = findings
            .into_iter()
            .find(|finding| finding.rule.as_deref() == Some("reportReturnType"));
        found.expect("a wrong return type")
    };
    assert_eq!(rule("findings").severity, Severity::Error);
    assert_eq!(rule("configured-otherwise").severity, Severity::Warning);
    assert_eq!(
        rule("findings").url.as_deref(),
        Some("https://docs.basedpyright.com/latest/configuration/config-files/#reportReturnType")
    );
}

#[test]
fn columns_are_utf_16() {
    assert_eq!(
        found_on_line_with_accents(Tool::Basedpyright, "reportUndefinedVariable"),
        "undefined_name"
    );
}

#[test]
fn no_output_is_a_failure() {
    red_without_output(Tool::Basedpyright);
}

#[test]
fn the_interpreter_stands_once() {
    let arguments = |tool: Tool, extra: &[&str]| {
        let extra: Vec<String> = extra.iter().map(|&argument| argument.to_owned()).collect();
        let python = Invocation {
            extra: &extra,
            python: Some("/venv/bin/python"),
            ..Invocation::default()
        };
        tool.arguments(&python).join(" ")
    };
    for (tool, option) in [
        (Tool::Pyright, "--pythonpath"),
        (Tool::Basedpyright, "--pythonpath"),
        (Tool::Ty, "--python"),
        (Tool::Pyrefly, "--python-interpreter-path"),
    ] {
        assert!(
            arguments(tool, &[]).contains("/venv/bin/python"),
            "{tool:?}"
        );
        for own in [&[option, "x"][..], &[&format!("{option}=x")]] {
            let given = arguments(tool, own);
            assert!(!given.contains("/venv/bin/python"), "{given}");
        }
    }
}
