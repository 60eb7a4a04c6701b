//! `ruff format`: what each recorded run means.

use super::Expected;
use super::Expected::{Clean, Empty, Failed, Findings};
use super::case;
use lockgate::linters::Tool;
use lockgate::model::fix::Applicability;

/// The exit codes that can be a verdict.
pub(super) const CODES: &[i32] = &[0, 1];

pub(super) const EXPECTED: &[(&str, Expected)] = &[
    ("all-excluded", Clean),
    ("bad-option", Failed("exit code 2")),
    ("clean", Clean),
    ("findings", Findings(1)),
    ("killed", Failed("killed by signal 9")),
    (
        "missing-file",
        Failed("could not format `/w/missing.py`: No such file"),
    ),
    ("no-files", Empty),
    ("notebook", Findings(1)),
    ("probe", Clean),
    ("probe-all-excluded", Empty),
    ("probe-no-files", Empty),
    (
        "syntax-error",
        Failed("could not format `/w/broken.py:1:7`: Expected a parameter"),
    ),
    ("text-clean", Clean),
    ("text-findings", Findings(1)),
    ("text-missing-file", Failed("exit code 2")),
    ("text-no-files", Empty),
    ("text-syntax-error", Failed("exit code 2")),
];

#[test]
fn the_fix_is_the_formatted_text() {
    let fix = case(Tool::RuffFormat, "findings").findings().remove(0).fix;
    let fix = fix.expect("a fix");
    assert_eq!(fix.applicability, Applicability::Safe);
    assert_eq!(&*fix.edits[0].text, "\n\n");
    assert_eq!(case(Tool::RuffFormat, "notebook").findings()[0].fix, None);
}
