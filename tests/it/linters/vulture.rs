//! `vulture`: what each recorded run means.

use lockgate::linters::{Judgement, Tool};
use lockgate::model::diagnostic::Severity;

use super::Expected::{Clean, Empty, Failed, Findings};
use super::{Expected, case};

/// The exit codes that can be a verdict.
pub(super) const CODES: &[i32] = &[0, 3];

pub(super) const EXPECTED: &[(&str, Expected)] = &[
    // The probe tells what is excluded and what is not there.
    ("all-excluded", Clean),
    ("bad-configuration", Failed("exit code 1")),
    ("bad-option", Failed("exit code 2")),
    ("bad-value", Failed("exit code 1")),
    ("clean", Clean),
    ("configured-otherwise", Findings(6)),
    ("configured-verbose", Clean),
    ("configured-verbose-no-files", Empty),
    ("configured-whitelist", Findings(6)),
    ("findings", Findings(6)),
    ("killed", Failed("killed by signal 9")),
    ("missing-file", Failed("exit code 1")),
    ("no-files", Clean),
    ("non-ascii", Findings(1)),
    ("null-byte", Failed("could not check every file")),
    ("probe", Clean),
    ("probe-all-excluded", Empty),
    ("probe-no-files", Empty),
    ("syntax-error", Failed("could not check every file")),
    (
        "syntax-error-and-findings",
        Failed("could not check every file"),
    ),
    ("undecodable-file", Failed("could not check every file")),
    ("unknown-setting", Failed("exit code 2")),
];

fn told(name: &str) -> Vec<(String, u32, Severity)> {
    let findings = case(Tool::Vulture, name).findings();
    let told = findings.into_iter().map(|finding| {
        assert_eq!(finding.path.as_deref(), Some("bad.py"));
        let line = finding.region.line.map_or(0, u32::from);
        (finding.rule.expect("a rule"), line, finding.severity)
    });
    let mut told: Vec<_> = told.collect();
    told.sort();
    told
}

#[test]
fn only_code_that_cannot_run_is_an_error() {
    let expected = |unreachable: Severity| {
        [
            ("unreachable-code", 6, unreachable),
            ("unused-class", 9, Severity::Warning),
            ("unused-function", 4, Severity::Warning),
            ("unused-import", 1, Severity::Warning),
            ("unused-variable", 4, Severity::Warning),
            ("unused-variable", 10, Severity::Warning),
        ]
        .map(|(rule, line, severity)| (rule.to_owned(), line, severity))
    };
    assert_eq!(told("findings"), expected(Severity::Error));
    assert_eq!(told("configured-otherwise"), expected(Severity::Error));
    // A whitelist has no confidence.
    assert_eq!(told("configured-whitelist"), expected(Severity::Warning));
}

#[test]
fn a_run_that_counts_needs_no_probe() {
    let run = case(Tool::Vulture, "configured-verbose");
    let (judgement, _) = run.judge(&run.stdout[..]);
    assert_eq!(judgement, Judgement::Clean { files: Some(1) });
}

#[test]
fn names_may_be_of_any_script() {
    let findings = case(Tool::Vulture, "non-ascii").findings();
    assert_eq!(findings[0].path.as_deref(), Some("accents.py"));
    assert_eq!(findings[0].region.line.map(u32::from), Some(1));
}
