//! `mypy`: what each recorded run means.

use super::Expected;
use super::Expected::{Clean, Empty, Failed, Findings};

/// The exit codes that can be a verdict.
pub(super) const CODES: &[i32] = &[0, 1];

pub(super) const EXPECTED: &[(&str, Expected)] = &[
    (
        "bad-configuration",
        Failed("could not read its configuration"),
    ),
    ("bad-option", Failed("exit code 2")),
    ("bad-plugin", Failed("exit code 2")),
    ("bad-value", Failed("could not read its configuration")),
    ("clean", Clean),
    ("configured-otherwise", Findings(3)),
    ("findings", Findings(3)),
    ("killed", Failed("killed by signal 9")),
    ("missing-file", Failed("exit code 2")),
    ("no-files", Empty),
    ("no-files-named", Failed("exit code 2")),
    ("non-ascii", Findings(1)),
    ("notes", Findings(1)),
    (
        "syntax-error",
        Failed("stopped at a syntax error and checked nothing else, `/w/broken.py:1`"),
    ),
];
