//! `ruff format --check`: as `json-lines` one object for every file that is not formatted; before ruff 0.16 a line of
//! text for each, and a count at the end.
//!
//! Contract, as ruff 0.17.6 behaves: 0 and nothing printed is clean, once the probe has counted files; 1 with
//! `unformatted` is findings; 2 is a failure: a file with a syntax error (`invalid-syntax`, also a finding), a file
//! that is missing or unreadable (`io`), a bad option or configuration (text on standard error).

use std::io::BufRead;

use crate::linters::adapter::{Adapter, Kind, Probe, Setting, Targets};
use crate::linters::contract::{Invocation, Judgement, Reading, ToolRun};
use crate::linters::lines::{self, no_object, note_end};
use crate::linters::ruff::{self, Line};
use crate::model::diagnostic::{RawFinding, Severity};
use crate::model::region::Region;

const NAME: &str = "ruff-format";
const UNFORMATTED: &str = "unformatted";
const HELP: &str = "run `ruff format`";

pub(super) const ADAPTER: Adapter = Adapter {
    name: NAME,
    package: "ruff",
    executable: "ruff",
    kind: Kind::Formatter,
    targets: Targets::Folder,
    settings: &[Setting::Table("ruff", &["format"])],
    file_settings: &[],
    hooks: &["ruff-format"],
    severities: &[("a file that is not formatted", Severity::Error)],
    refused: REFUSED_ARGUMENTS,
    environment: ENVIRONMENT,
    arguments,
    probe: Some(Probe::Run {
        arguments: probe_arguments,
        environment: PROBE_ENVIRONMENT,
        judge: judge_probe,
    }),
    read,
    conclude,
    confesses: ruff::confesses,
};

const REFUSED_ARGUMENTS: &[&str] = &[
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

/// Releases before 0.16 have no `--output-format` here, or only in preview: the variable says the same to the others.
const ENVIRONMENT: &[(&str, &str)] = &[("RUFF_OUTPUT_FORMAT", "json-lines")];
/// See [`probe_arguments`].
const PROBE_ENVIRONMENT: &[(&str, &str)] = &[("RUFF_OUTPUT_FORMAT", "concise")];

pub(super) fn arguments(invocation: &Invocation<'_>) -> Vec<String> {
    ruff::command("format", invocation, &["--check"])
}

/// `ruff check --show-files` would also list what `format.exclude` leaves out, so the formatter itself is asked: its
/// text form ends with counts. The second run reads ruff's cache.
pub(super) fn probe_arguments(invocation: &Invocation<'_>) -> Vec<String> {
    arguments(invocation)
}

pub(super) fn read(output: &mut dyn BufRead, sink: &mut dyn FnMut(RawFinding)) -> Reading {
    let mut reading = Reading::default();
    let mut unformatted = 0_u64;
    let end = lines::for_each(output, |number, line| {
        reading.has_output = true;
        if let Some(path) = line.strip_prefix(b"Would reformat: ") {
            unformatted += 1;
            reading.findings += 1;
            reading.errors += 1;
            sink(unformatted_file(&String::from_utf8_lossy(path)));
        } else if let Some(files) = std::str::from_utf8(line).ok().and_then(counted) {
            reading.files = Some(files);
        } else {
            match serde_json::from_slice::<Line<'_>>(line) {
                Ok(line) => read_line(line, &mut reading, sink),
                Err(error) => reading.fault(no_object(number, line, &error)),
            }
        }
    });
    note_end(end, &mut reading);
    if unformatted > reading.files.unwrap_or(0) {
        reading.fault("cut off before the number of files");
    }
    reading
}

fn read_line(line: Line<'_>, reading: &mut Reading, sink: &mut dyn FnMut(RawFinding)) {
    if line.code() == Some("invalid-syntax") || line.is_failure() {
        reading.stopped.get_or_insert_with(|| line.headline());
    }
    if line.is_failure() {
        return;
    }
    let is_unformatted = line.code() == Some(UNFORMATTED);
    let mut finding = line.into_finding();
    if is_unformatted && finding.help.is_none() {
        finding.help = Some(HELP.to_owned());
    }
    reading.findings += 1;
    reading.errors += u64::from(finding.severity == Severity::Error);
    sink(finding);
}

/// What the text form knows of a file.
fn unformatted_file(path: &str) -> RawFinding {
    RawFinding {
        fix: None,
        rule: Some(UNFORMATTED.to_owned()),
        severity: Severity::Error,
        message: "File would be reformatted".to_owned(),
        path: Some(path.to_owned()),
        region: Region::FILE,
        url: None,
        help: Some(HELP.to_owned()),
    }
}

pub(super) fn conclude(run: &ToolRun<'_>, reading: &Reading) -> Judgement {
    let code = match run.code(NAME, reading, &[0, 1]) {
        Ok(code) => code,
        Err(failed) => return failed,
    };
    if let Some(stopped) = &reading.stopped {
        return run.failed(NAME, &format!("could not format {stopped}"));
    }
    if code == 0
        && let Some(blind) = ruff::blind_spot(NAME, run)
    {
        return blind;
    }
    reading.agree(NAME, run, code, 1)
}

/// The last line counts: `1 file would be reformatted, 2 files already formatted`. With no file there is none.
pub(super) fn judge_probe(run: &ToolRun<'_>, output: &mut dyn BufRead) -> Judgement {
    let mut reading = Reading::default();
    let mut last = String::new();
    let end = lines::for_each(output, |_, line| {
        if !line.is_empty() {
            last = String::from_utf8_lossy(line).into_owned();
        }
    });
    note_end(end, &mut reading);
    match run.code(NAME, &reading, &[0, 1]) {
        Err(failed) => failed,
        Ok(0 | 1) => match counted(&last) {
            Some(files @ 1..) => Judgement::Clean { files: Some(files) },
            _ => run.empty(NAME),
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
