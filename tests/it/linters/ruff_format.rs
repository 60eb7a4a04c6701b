//! `ruff format`: what each recorded run means.

use super::Expected;
use super::Expected::{Clean, Empty, Failed, Findings};

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
