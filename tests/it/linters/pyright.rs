//! `pyright`: what each recorded run means.

use super::Expected;
use super::Expected::{Clean, Empty, Failed, Findings};

/// The exit codes that can be a verdict.
pub(super) const CODES: &[i32] = &[0, 1];

pub(super) const EXPECTED: &[(&str, Expected)] = &[
    ("all-excluded", Empty),
    ("bad-configuration", Failed("exit code 3")),
    ("bad-option", Failed("exit code 4")),
    ("clean", Clean),
    ("findings", Findings(3)),
    ("killed", Failed("killed by signal 9")),
    ("missing-file", Failed("exit code 4")),
    (
        "missing-include",
        Failed("a path of its configuration does not exist"),
    ),
    ("no-files", Empty),
    ("no-node", Failed("unreadable output (exit code 1)")),
    ("non-ascii", Findings(1)),
    ("syntax-error", Findings(7)),
    (
        "unreadable-file",
        Failed("could not check `/w/unreadable.py`: Source file could not be read"),
    ),
    ("warnings", Findings(1)),
    ("warnings-fail", Findings(1)),
];
