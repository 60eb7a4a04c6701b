//! `ruff`: what each recorded run means.

use super::Expected;
use super::Expected::{Clean, Empty, Failed, Findings};

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
    ("silent", Failed("exit code 1 without a finding")),
    ("syntax-error", Findings(2)),
    ("undecodable-file", Findings(1)),
];
