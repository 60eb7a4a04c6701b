//! `ruff format --check --output-format json-lines`: one object for every file that is not formatted.
//!
//! Contract, as ruff 0.17.6 behaves: 0 and nothing printed is clean, once the probe has counted files; 1 with
//! `unformatted` is findings; 2 is a failure: a file with a syntax error (`invalid-syntax`, also a finding), a file
//! that is missing or unreadable (`io`), a bad option or configuration (text on standard error).

use std::io::BufRead;

use crate::linters::contract::{Judgement, Reading, ToolRun};
use crate::linters::lines;
use crate::linters::ruff;
use crate::linters::tool::Invocation;
use crate::model::diagnostic::{RawFinding, Severity};

const NAME: &str = "ruff-format";

pub(super) const REFUSED_ARGUMENTS: &[&str] = &[
    "--diff",
    "--exit-non-zero-on-format",
    "--help",
    "--output-format",
    "--silent",
    "--stdin-filename",
    "-",
    "-h",
    "-s",
];

pub(super) fn arguments(invocation: &Invocation<'_>) -> Vec<String> {
    let own = ["--check", "--output-format=json-lines", "--color=never"];
    ruff::command("format", invocation, &own)
}

/// `ruff check --show-files` would also list what `format.exclude` leaves out, so the formatter itself is asked: its
/// text form ends with counts. The second run reads ruff's cache.
pub(super) fn probe_arguments(invocation: &Invocation<'_>) -> Vec<String> {
    let own = ["--check", "--output-format=concise", "--color=never"];
    ruff::command("format", invocation, &own)
}

pub(super) fn read(output: impl BufRead, sink: &mut dyn FnMut(RawFinding)) -> Reading {
    ruff::read_lines(output, |line, reading| {
        let is_syntax_error = line.code() == Some("invalid-syntax");
        if is_syntax_error || line.is_failure() {
            reading.stopped.get_or_insert_with(|| line.headline());
        }
        if line.is_failure() {
            return;
        }
        let is_unformatted = line.code() == Some("unformatted");
        let mut finding = line.into_finding();
        if is_unformatted && finding.help.is_none() {
            finding.help = Some("run `ruff format`".to_owned());
        }
        reading.findings += 1;
        reading.errors += u64::from(finding.severity == Severity::Error);
        sink(finding);
    })
}

pub(super) fn conclude(run: &ToolRun<'_>, reading: &Reading) -> Judgement {
    let code = match run.code(NAME, reading) {
        Ok(code) => code,
        Err(failed) => return failed,
    };
    if let Some(stopped) = &reading.stopped {
        return run.failed(NAME, &format!("could not format {stopped}"));
    }
    if code == 0
        && let Some(warning) = ruff::blind_spot(run.stderr)
    {
        return run.failed(NAME, warning);
    }
    reading.agree(NAME, run, code)
}

/// The last line counts: `1 file would be reformatted, 2 files already formatted`. With no file there is none.
pub(super) fn judge_probe(run: &ToolRun<'_>, output: impl BufRead) -> Judgement {
    let mut reading = Reading::default();
    let mut last = String::new();
    let end = lines::for_each(output, |_, line| {
        if !line.is_empty() {
            last = String::from_utf8_lossy(line).into_owned();
        }
    });
    ruff::note_end(end, &mut reading);
    match run.code(NAME, &reading) {
        Err(failed) => failed,
        Ok(0 | 1) => match counted(&last) {
            Some(files @ 1..) => Judgement::Clean { files: Some(files) },
            _ => run.failed(NAME, "checked no file"),
        },
        Ok(code) => run.failed(
            NAME,
            &format!("exit code {code} when asked for the number of files"),
        ),
    }
}

/// The sum of the numbers of files in a summary line.
fn counted(summary: &str) -> Option<u64> {
    summary
        .split(", ")
        .map(|part| {
            let (count, rest) = part.split_once(' ')?;
            let known = matches!(
                rest,
                "file already formatted"
                    | "files already formatted"
                    | "file would be reformatted"
                    | "files would be reformatted"
            );
            known.then_some(count.parse::<u64>().ok()?)
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_is_counted() {
        assert_eq!(counted("1 file already formatted"), Some(1));
        assert_eq!(
            counted("1 file would be reformatted, 20 files already formatted"),
            Some(21)
        );
        assert_eq!(
            counted("bad.py:6:1: unformatted: File would be reformatted"),
            None
        );
        assert_eq!(counted(""), None);
    }
}
