//! `yamllint`: what each recorded run means.

use super::Expected;
use super::Expected::{Clean, Empty, Failed, Findings};
use super::case;
use lockgate::linters::position::{SourceLines, locate};
use lockgate::linters::{ExitStatus, Judgement, Tool, ToolRun};
use lockgate::model::diagnostic::{RawFinding, Severity};

/// The exit codes that can be a verdict.
pub(super) const CODES: &[i32] = &[0, 1, 2];

pub(super) const EXPECTED: &[(&str, Expected)] = &[
    // The probe follows.
    ("all-excluded", Clean),
    ("bad-configuration", Failed("exit code 255")),
    ("bad-option", Failed("exit code 2 without a finding")),
    ("clean", Clean),
    ("configured-otherwise", Findings(3)),
    ("findings", Findings(5)),
    ("killed", Failed("killed by signal 9")),
    ("line-separator", Findings(1)),
    ("missing-extends", Failed("crashed (exit code 1)")),
    ("missing-file", Failed("exit code 255")),
    // The probe follows.
    ("no-files", Clean),
    ("non-ascii", Findings(1)),
    ("odd-keys", Findings(2)),
    ("probe", Clean),
    ("probe-all-excluded", Empty),
    ("probe-no-files", Empty),
    ("syntax-error", Findings(8)),
    ("undecodable-file", Failed("crashed (exit code 1)")),
    ("unreadable-file", Failed("exit code 255")),
    ("warnings", Findings(2)),
];

fn finding(name: &str, rule: &str) -> RawFinding {
    let findings = case(Tool::Yamllint, name).findings();
    let found = findings
        .into_iter()
        .find(|finding| finding.rule.as_deref() == Some(rule));
    found.unwrap_or_else(|| panic!("no {rule} in {name}"))
}

#[test]
fn severities_are_the_levels_of_the_project() {
    assert_eq!(
        finding("findings", "key-duplicates").severity,
        Severity::Error
    );
    assert_eq!(
        finding("configured-otherwise", "key-duplicates").severity,
        Severity::Warning
    );
}

#[test]
fn the_rule_stands_apart_from_the_message() {
    let problem = finding("findings", "key-duplicates");
    assert_eq!(problem.message, "duplication of key \"a\" in mapping");
    assert_eq!(problem.path.as_deref(), Some("bad.yaml"));
    assert_eq!(
        problem.url.as_deref(),
        Some(
            "https://yamllint.readthedocs.io/en/stable/rules.html#module-yamllint.rules.key_duplicates"
        )
    );
    assert_eq!(finding("syntax-error", "syntax").url, None);
}

#[test]
fn a_line_break_in_a_key_is_part_of_the_message() {
    let findings = case(Tool::Yamllint, "odd-keys").findings();
    assert_eq!(
        findings[0].message,
        "duplication of key \"a\nb\" in mapping"
    );
    assert_eq!(
        findings[1].message,
        "duplication of key \"\\ud800\" in mapping"
    );
}

#[test]
fn columns_are_code_points() {
    let source = "---\nx: [\"éé😀é\",undefined_name]\n";
    let problem = finding("non-ascii", "commas");
    let (span, clamped) = locate(&problem.region, &SourceLines::new(source.as_bytes()));
    assert!(!clamped);
    let start = span.expect("the line exists").start;
    assert_eq!(start.column, Some(12));
    let line = source.lines().nth(1).expect("two lines");
    assert!(line[start.byte.expect("a column") as usize..].starts_with("undefined_name"));
}

#[test]
fn exit_code_and_levels_must_agree() {
    let judge = |name: &str, code: i32| {
        let case = case(Tool::Yamllint, name);
        let run = ToolRun {
            status: ExitStatus::Code(code),
            stderr: "",
        };
        Tool::Yamllint.judge(&run, &case.stdout[..], &mut |_| {})
    };
    for (name, code) in [
        ("warnings", 0),
        ("warnings", 1),
        ("findings", 0),
        ("findings", 2),
        ("clean", 2),
    ] {
        assert!(
            matches!(judge(name, code), Judgement::Failed { .. }),
            "{name} {code}"
        );
    }
}
