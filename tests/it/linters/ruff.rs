//! `ruff`: what each recorded run means.

use super::Expected;
use super::Expected::{Clean, Empty, Failed, Findings};
use super::{case, locate_exactly};
use lockgate::linters::Tool;
use lockgate::linters::position::SourceLines;
use lockgate::model::fix::Applicability;

/// The exit codes that can be a verdict.
pub(super) const CODES: &[i32] = &[0, 1];

pub(super) const EXPECTED: &[(&str, Expected)] = &[
    ("bad-configuration", Failed("exit code 2")),
    ("bad-option", Failed("exit code 2")),
    ("clean", Clean),
    ("configured-to-fix", Findings(2)),
    ("exit-zero", Failed("exit code 0 in spite of 2 findings")),
    ("findings", Findings(2)),
    (
        "missing-file",
        Failed("could not check `/w/missing.py:1:1`: No such file"),
    ),
    (
        "missing-file-not-selected",
        Failed("could not check `/w/missing.py:1:1`: No such file"),
    ),
    (
        "missing-file-without-e902",
        Failed("could not check a file"),
    ),
    ("killed", Failed("killed by signal 9 (SIGKILL")),
    ("no-files", Empty),
    ("non-ascii", Findings(1)),
    ("notebook", Findings(2)),
    ("only-pyproject", Clean),
    ("probe", Clean),
    ("probe-no-files", Empty),
    ("probe-only-pyproject", Empty),
    ("several-edits", Findings(1)),
    ("silent", Failed("exit code 1 without a finding")),
    ("syntax-error", Findings(2)),
    ("undecodable-file", Findings(1)),
];

#[test]
fn fixes_carry_their_edits() {
    let file = "import os\n\n\ndef name(number: int) -> str:\n    return number\nx = name(\"a\") + undefined\n";
    let source = SourceLines::new(file.as_bytes());
    let fix = case(Tool::Ruff, "findings").findings().remove(0).fix;
    let fix = fix.expect("an unused import can be removed");
    assert_eq!(fix.applicability, Applicability::Safe);
    assert_eq!(fix.message.as_deref(), Some("Remove unused import: `os`"));
    let [edit] = &fix.edits[..] else {
        panic!("one edit")
    };
    let span = locate_exactly(&edit.place, &source).expect("it fits");
    assert_eq!((span.start.line, span.end.line, &*edit.text), (1, 2, ""));
    let unsafe_one = &case(Tool::Ruff, "several-edits").findings()[0];
    let fix = unsafe_one.fix.as_ref().expect("a fix");
    assert_eq!(fix.applicability, Applicability::Unsafe);
    assert!(fix.edits.len() > 1, "{fix:?}");
    assert!(
        case(Tool::Ruff, "notebook")
            .findings()
            .iter()
            .all(|one| one.fix.is_none())
    );
}
