//! `yamllint --format parsable`: `path:line:column: [level] message (rule)`, one problem a line.
//!
//! Contract, as yamllint 1.38.0 behaves with `--strict`:
//!
//! | exit | output | judgement |
//! |---|---|---|
//! | 0 | none | clean, once the probe has counted files |
//! | 1 | problems, an error among them, be it of syntax | findings |
//! | 1 | a traceback on standard error: a file that is not UTF-8, a missing `extends` | failed |
//! | 2 | warnings only | findings |
//! | 2 | the usage on standard error: option | failed |
//! | 255 | text on standard error: missing or unreadable file, configuration | failed |
//!
//! Without `--strict` warnings end with 0 like a clean run. A crash ends with 1 like errors, **with the problems of the
//! files before it** printed: standard error tells.
//!
//! A key with a line break in it breaks the line of its problem, which goes on until its rule. Columns are 1-based code
//! points; there is no end. The lines of some rules count U+0085, U+2028 and U+2029 as line breaks, and are off behind
//! one.

use std::io::BufRead;
use std::num::NonZeroU32;

use crate::linters::adapter::{Adapter, Kind, Probe, Setting, Targets};
use crate::linters::contract::{Invocation, Judgement, Reading, ToolRun, cut};
use crate::linters::lines::{self, note_end};
use crate::model::diagnostic::{RawFinding, Severity};
use crate::model::region::{ColumnUnit, Region};

const NAME: &str = "yamllint";
const RULES: &str = "https://yamllint.readthedocs.io/en/stable/rules.html#module-yamllint.rules.";

/// A longer message, in bytes, is no message.
const MAX_MESSAGE: usize = 64 << 10;

pub(super) const ADAPTER: Adapter = Adapter {
    name: NAME,
    package: "yamllint",
    executable: "yamllint",
    kind: Kind::Linter,
    targets: Targets::Folder,
    settings: &[
        Setting::File(".yamllint"),
        Setting::File(".yamllint.yaml"),
        Setting::File(".yamllint.yml"),
    ],
    // `ignore` and `yaml-files` stay in force within a folder that is named.
    file_settings: &[],
    hooks: &["yamllint"],
    severities: &[
        ("rules of level error, and syntax", Severity::Error),
        ("rules of level warning", Severity::Warning),
    ],
    refused: REFUSED_ARGUMENTS,
    environment: ENVIRONMENT,
    arguments,
    probe: Some(Probe::Run {
        arguments: probe_arguments,
        environment: ENVIRONMENT,
        judge: judge_probe,
    }),
    read,
    conclude,
    confesses,
};

/// Python would stop at what its output cannot encode: half a surrogate pair in a key, or anything in another locale.
const ENVIRONMENT: &[(&str, &str)] = &[("PYTHONIOENCODING", "utf-8:backslashreplace")];

const REFUSED_ARGUMENTS: &[&str] = &[
    "--format",
    "--help",
    "--list-files",
    "--no-warnings",
    "--version",
    "-",
    "-f",
    "-h",
    "-v",
];

fn arguments(invocation: &Invocation<'_>) -> Vec<String> {
    command(invocation, &["--format=parsable", "--strict"])
}

fn probe_arguments(invocation: &Invocation<'_>) -> Vec<String> {
    command(invocation, &["--list-files"])
}

fn command(invocation: &Invocation<'_>, own: &[&str]) -> Vec<String> {
    let mut arguments = invocation.extra.to_vec();
    arguments.extend(own.iter().map(|&argument| argument.to_owned()));
    arguments.extend(invocation.path_arguments(false));
    arguments
}

fn read(output: &mut dyn BufRead, sink: &mut dyn FnMut(RawFinding)) -> Reading {
    let mut reading = Reading::default();
    let mut unfinished: Option<String> = None;
    let end = lines::for_each(output, |number, line| {
        reading.has_output = true;
        let line = String::from_utf8_lossy(line);
        let text = match unfinished.take() {
            None => line.into_owned(),
            Some(start) => format!("{start}\n{line}"),
        };
        match Problem::parse(&text) {
            Some(Problem {
                message,
                rule: None,
                ..
            }) if message.len() < MAX_MESSAGE => unfinished = Some(text),
            Some(Problem {
                path,
                region,
                severity,
                message,
                rule: Some(rule),
            }) => {
                reading.findings += 1;
                reading.errors += u64::from(severity == Severity::Error);
                sink(RawFinding {
                    url: (rule != "syntax").then(|| format!("{RULES}{}", rule.replace('-', "_"))),
                    rule: Some(rule.to_owned()),
                    severity,
                    message: message.to_owned(),
                    path: Some(path.to_owned()),
                    region,
                    help: None,
                    fix: None,
                });
            }
            _ => reading.fault(format!(
                "line {number} is no problem: `{}`",
                cut(text.trim())
            )),
        }
    });
    note_end(end, &mut reading);
    if let Some(text) = unfinished {
        reading.fault(format!("cut off in `{}`", cut(&text)));
    }
    reading
}

fn conclude(run: &ToolRun<'_>, reading: &Reading) -> Judgement {
    let code = match run.code(NAME, reading, &[0, 1, 2]) {
        Ok(code) => code,
        Err(failed) => return failed,
    };
    if run.stderr.lines().any(confesses) {
        return run.failed(NAME, &format!("crashed (exit code {code})"));
    }
    match (code, reading.errors) {
        (1, 0) => run.failed(NAME, "exit code 1 without an error"),
        (2, 1..) => run.failed(NAME, "exit code 2 in spite of errors"),
        _ => reading.agree(NAME, run, code, if code == 2 { 2 } else { 1 }),
    }
}

/// Whether a line of standard error says what the exit code does not.
fn confesses(line: &str) -> bool {
    line.starts_with("Traceback (most recent call last)")
}

/// One path a line. The configuration is YAML itself: a project of nothing else has no YAML.
fn judge_probe(run: &ToolRun<'_>, output: &mut dyn BufRead) -> Judgement {
    let mut reading = Reading::default();
    let mut files = 0;
    let end = lines::for_each(output, |_, line| {
        files += u64::from(!line.is_empty() && !line.ends_with(b".yamllint"));
    });
    note_end(end, &mut reading);
    match run.code(NAME, &reading, &[0]) {
        Err(failed) => failed,
        Ok(0) if files > 0 => Judgement::Clean { files: Some(files) },
        Ok(0) => run.empty(NAME),
        Ok(code) => run.failed(NAME, &format!("exit code {code} of `--list-files`")),
    }
}

/// A problem as it is printed.
struct Problem<'a> {
    path: &'a str,
    region: Region,
    severity: Severity,
    message: &'a str,
    /// `None` where the rule is still to come.
    rule: Option<&'a str>,
}

impl<'a> Problem<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let (place, severity, message) = [
            (": [error] ", Severity::Error),
            (": [warning] ", Severity::Warning),
        ]
        .into_iter()
        .filter_map(|(level, severity)| {
            let (place, message) = text.split_once(level)?;
            Some((place, severity, message))
        })
        .min_by_key(|(place, ..)| place.len())?;
        let (place, column) = place.rsplit_once(':')?;
        let (path, line) = place.rsplit_once(':')?;
        let column: u32 = column.parse().ok()?;
        let rule = rule_at_end(message);
        Some(Self {
            path,
            region: Region {
                line: Some(line.parse::<NonZeroU32>().ok()?),
                column: column.checked_sub(1),
                end_line: None,
                end_column: None,
                unit: ColumnUnit::CodePoint,
            },
            severity,
            message: rule.map_or(message, |(message, _)| message),
            rule: rule.map(|(_, rule)| rule),
        })
    }
}

/// Takes ` (rule)` from the end.
fn rule_at_end(message: &str) -> Option<(&str, &str)> {
    let (message, rule) = message.strip_suffix(')')?.rsplit_once(" (")?;
    let is_rule = |byte: u8| byte.is_ascii_lowercase() || byte == b'-';
    (!rule.is_empty() && rule.bytes().all(is_rule)).then_some((message, rule))
}
