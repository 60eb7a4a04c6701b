//! `shellcheck`: what each recorded run means.

use super::Expected;
use super::Expected::{Clean, Empty, Failed, Findings};
use super::{case, locate, locate_exactly, made_with_our_arguments};
use lockgate::linters::position::SourceLines;
use lockgate::linters::{Invocation, Tool};
use lockgate::model::diagnostic::Severity;
use lockgate::model::fix::Applicability;

/// The exit codes that can be a verdict.
pub(super) const CODES: &[i32] = &[0, 1];

pub(super) const EXPECTED: &[(&str, Expected)] = &[
    // A project may switch off what it likes.
    ("all-excluded", Clean),
    ("asked-for-silence", Findings(5)),
    (
        "bad-configuration",
        Failed("went on without its configuration"),
    ),
    ("bad-format", Failed("exit code 4")),
    ("bad-option", Failed("exit code 3")),
    ("byte-order-mark", Findings(2)),
    ("carriage-returns", Findings(3)),
    ("clean", Clean),
    ("configured-otherwise", Findings(6)),
    ("findings", Findings(5)),
    ("folder", Failed("exit code 2")),
    ("killed", Failed("killed by signal 9")),
    ("missing-file", Failed("exit code 2")),
    ("no-files", Empty),
    ("non-ascii", Findings(1)),
    ("syntax-error", Findings(3)),
    ("undecodable-file", Findings(1)),
];

#[test]
fn the_fixtures_are_ours() {
    made_with_our_arguments(Tool::Shellcheck, &["bad.sh", "clean.sh"]);
}

#[test]
fn without_scripts_there_is_no_folder() {
    let arguments = Tool::Shellcheck.arguments(&Invocation::default());
    assert_eq!(arguments, ["--format=json1"]);
}

#[test]
fn columns_count_characters_and_tabs_once() {
    for (name, file, line, text) in [
        ("findings", "#!/bin/sh\nx=$1\n\techo $x `ls`\n", 3, "$x"),
        ("non-ascii", "#!/bin/sh\necho \"éé😀é\" $1\n", 2, "$1"),
        ("byte-order-mark", "\u{feff}echo $1\n", 1, "$1"),
    ] {
        let findings = case(Tool::Shellcheck, name).findings();
        let finding = findings
            .iter()
            .find(|finding| finding.rule.as_deref() == Some("SC2086"))
            .expect("an expansion without quotes");
        let source = SourceLines::new(file.as_bytes());
        let (span, clamped) = locate(&finding.region, &source);
        let span = span.expect("the line exists");
        assert_eq!((span.start.line, clamped), (line, false), "{name}");
        let bytes = source.line(line).expect("the line exists");
        let (start, end) = span.start.byte.zip(span.end.byte).expect("columns");
        assert_eq!(
            &bytes[start as usize..end as usize],
            text.as_bytes(),
            "{name}"
        );
        let fix = finding.fix.as_ref().expect("a fix");
        assert_eq!(fix.applicability, Applicability::Unsafe);
        let places: Vec<_> = fix
            .edits
            .iter()
            .map(|edit| locate_exactly(&edit.place, &source).expect("it fits").start)
            .collect();
        assert_eq!(places, [span.start, span.end], "{name}");
    }
}

#[test]
fn levels_become_severities_and_rules_have_a_page() {
    let findings = case(Tool::Shellcheck, "findings").findings();
    let severity = |rule: &str| {
        let found = findings
            .iter()
            .find(|one| one.rule.as_deref() == Some(rule));
        found.map(|one| one.severity)
    };
    assert_eq!(severity("SC2046"), Some(Severity::Warning));
    assert_eq!(severity("SC2086"), Some(Severity::Note));
    assert_eq!(severity("SC2006"), Some(Severity::Note));
    let broken = case(Tool::Shellcheck, "syntax-error").findings();
    let unparsed = broken
        .iter()
        .find(|one| one.rule.as_deref() == Some("SC1072"));
    assert_eq!(unparsed.map(|one| one.severity), Some(Severity::Error));
    assert!(
        findings
            .iter()
            .any(|one| one.url.as_deref() == Some("https://www.shellcheck.net/wiki/SC2086"))
    );
}
