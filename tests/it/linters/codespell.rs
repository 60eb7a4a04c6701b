//! `codespell`: what each recorded run means.

use super::Expected;
use super::Expected::{Clean, Failed, Findings};
use super::{case, made_with_our_arguments};
use lockgate::linters::Tool;
use lockgate::model::diagnostic::Severity;
use lockgate::model::region::Region;

/// The exit codes that can be a verdict.
pub(super) const CODES: &[i32] = &[0, 65];

pub(super) const EXPECTED: &[(&str, Expected)] = &[
    // Nothing tells these four from a run that read its files.
    ("all-excluded", Clean),
    ("binary-file", Clean),
    ("missing-file", Clean),
    ("no-files", Clean),
    ("arrow-in-a-name", Findings(1)),
    ("bad-configuration", Failed("exit code 78")),
    ("bad-option", Failed("exit code 2")),
    ("bad-toml", Failed("exit code 1")),
    ("clean", Clean),
    ("configured-otherwise", Findings(6)),
    (
        "configured-to-write",
        Failed("`write-changes` in its configuration"),
    ),
    (
        "configured-to-write-with-regex",
        Failed("`write-changes` in its configuration"),
    ),
    ("findings", Findings(5)),
    ("killed", Failed("killed by signal 9")),
    ("missing-dictionary", Failed("exit code 64")),
    ("non-ascii", Findings(1)),
    ("undecodable-file", Findings(1)),
    ("unknown-setting", Failed("exit code 2")),
];

#[test]
fn the_fixtures_are_ours() {
    made_with_our_arguments(Tool::Codespell, &["bad.py", "clean.py"]);
}

#[test]
fn a_misspelling_has_a_line_and_no_column() {
    let findings = case(Tool::Codespell, "findings").findings();
    let several = findings
        .iter()
        .find(|finding| finding.message == "thre ==> three, there, their, the");
    let several = several.expect("a word with two corrections");
    assert_eq!(several.severity, Severity::Warning);
    assert_eq!(several.path.as_deref(), Some("bad.py"));
    assert_eq!(
        (several.region.line.map(u32::from), several.region.column),
        (Some(1), None)
    );
    let named = &case(Tool::Codespell, "configured-otherwise").findings()[0];
    assert_eq!(named.region, Region::FILE);
    assert_eq!(named.path.as_deref(), Some("teh.py"));
    let odd = &case(Tool::Codespell, "arrow-in-a-name").findings()[0];
    assert_eq!(odd.path.as_deref(), Some("a: b ==> c.py"));
}
