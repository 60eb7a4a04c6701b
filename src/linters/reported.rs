//! What a report made elsewhere means, with the exit code of the tool that wrote it where the user knows it.

use crate::linters::contract::Judgement;

/// Judges a report that could be read to its end.
///
/// Findings count whatever the exit code: `zizmor --format sarif` returns 0 with findings. Nothing to report with an
/// exit code other than 0 is a failure, unless the report holds results that were left out and the code is 1. What the
/// report itself calls a failure is one.
pub fn judge(exit: Option<i32>, found: u64, left_out: u64, failure: Option<String>) -> Judgement {
    let failed = |reason: String| Judgement::Failed { reason };
    if let Some(reason) = failure {
        return failed(reason);
    }
    match exit {
        // Shells say 126 and 127 for a command that did not start, 128 + n for one that signal n ended.
        Some(code) if !(0..126).contains(&code) => failed(format!(
            "the tool ended with exit code {code}, which is not its own"
        )),
        _ if found > 0 => Judgement::Findings {
            count: found,
            files: None,
        },
        None | Some(0) => Judgement::Clean { files: None },
        Some(1) if left_out > 0 => Judgement::Clean { files: None },
        Some(code) => failed(format!("exit code {code} with an empty report")),
    }
}

/// Judges a unified diff of what should be changed. Its tools return 0 or 1 for one; any other code says that they did
/// not get to the end of their files (black returns 123).
pub fn judge_diff(exit: Option<i32>, found: u64) -> Judgement {
    match exit {
        None | Some(0 | 1) => judge(exit, found, 0, None),
        Some(code) => Judgement::Failed {
            reason: format!("the tool ended with exit code {code}: the diff may be incomplete"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diff_of_a_tool_that_failed_is_no_verdict() {
        assert_eq!(judge_diff(None, 0), Judgement::Clean { files: None });
        assert_eq!(judge_diff(Some(0), 0), Judgement::Clean { files: None });
        for (exit, found) in [(1, 0), (2, 3), (123, 3), (123, 0), (-1, 1)] {
            let judgement = judge_diff(Some(exit), found);
            assert!(matches!(judgement, Judgement::Failed { .. }), "{exit}");
        }
        for exit in [None, Some(0), Some(1)] {
            assert!(matches!(judge_diff(exit, 2), Judgement::Findings { .. }));
        }
    }
}
