//! `mypy -O json`: one object a line.
//!
//! Contract, as mypy 2.4.1 behaves (1.11 to 2.4 agree):
//!
//! | exit | output | judgement |
//! |---|---|---|
//! | 0 | one empty line | clean |
//! | 1 | findings, be it a single note | findings |
//! | 2 | a `syntax` error | failed, and a finding: nothing else was checked |
//! | 2 | text on standard error: missing file, no file at all, option, plug-in, crash | failed |
//!
//! mypy refuses on its own to check nothing (exit code 2, "There are no .py\[i\] files in directory"), so that no count
//! is needed; with `-O json` it prints none. But it **goes on with its defaults when it cannot read its
//! configuration**, and exits with 0: that is told by standard error alone, and judged as a failure here.
//!
//! Columns are 0-based, the end exclusive, and right only on lines that are all ASCII.

use std::io::BufRead;
use std::num::NonZeroU32;

use serde::Deserialize;

use crate::linters::adapter::{Adapter, Kind, Setting, Targets};
use crate::linters::contract::{Invocation, Judgement, Reading, ToolRun, cut};
use crate::linters::lines::{self, no_object, note_end};
use crate::linters::text::Text;
use crate::model::diagnostic::{RawFinding, Severity};
use crate::model::region::{ColumnUnit, Region};

const NAME: &str = "mypy";
/// The page that `--show-error-code-links` names.
const RULES: &str = "https://mypy.rtfd.io/en/stable/_refs.html#code-";

/// What mypy says before it refuses to check nothing.
const NO_FILES: &str = "There are no .py[i] files in ";

pub(super) const ADAPTER: Adapter = Adapter {
    name: NAME,
    package: "mypy",
    executable: "mypy",
    kind: Kind::TypeChecker,
    targets: Targets::Folder,
    settings: &[
        Setting::Table("mypy", &[]),
        Setting::File("mypy.ini"),
        Setting::File(".mypy.ini"),
        Setting::Section {
            file: "setup.cfg",
            section: "[mypy]",
            keys: &[],
        },
    ],
    file_settings: &[
        Setting::Table("mypy", FILES),
        Setting::Section {
            file: "mypy.ini",
            section: "[mypy]",
            keys: FILES,
        },
        Setting::Section {
            file: ".mypy.ini",
            section: "[mypy]",
            keys: FILES,
        },
        Setting::Section {
            file: "setup.cfg",
            section: "[mypy]",
            keys: FILES,
        },
    ],
    hooks: &["mypy"],
    severities: &[("errors", Severity::Error), ("notes", Severity::Note)],
    refused: REFUSED_ARGUMENTS,
    environment: &[],
    arguments,
    probe: None,
    read,
    conclude,
    confesses,
};

/// The settings that name what is checked.
const FILES: &[&str] = &["files", "packages", "modules"];

const REFUSED_ARGUMENTS: &[&str] = &[
    "--command",
    "--find-occurrences",
    "--help",
    "--install-types",
    "--no-error-summary",
    "--non-interactive",
    "--output",
    "--pdb",
    "--verbose",
    "--version",
    "-O",
    "-V",
    "-c",
    "-h",
    "-v",
];

/// `install_types` would let a check install packages, and `non_interactive` sends the findings to standard error:
/// both are switched off. The summary is switched on because its empty line is what a clean run prints.
pub(super) fn arguments(invocation: &Invocation<'_>) -> Vec<String> {
    let own = [
        "--output=json",
        "--error-summary",
        "--no-pretty",
        "--hide-error-context",
        "--show-error-codes",
        "--show-error-end",
        "--show-absolute-path",
        "--no-color-output",
        "--no-install-types",
        "--interactive",
    ];
    let mut arguments = invocation.extra.to_vec();
    arguments.extend(own.map(str::to_owned));
    arguments.extend(
        invocation
            .python
            .map(|python| format!("--python-executable={python}")),
    );
    arguments.extend(invocation.path_arguments(true));
    arguments
}

pub(super) fn read(output: &mut dyn BufRead, sink: &mut dyn FnMut(RawFinding)) -> Reading {
    let mut reading = Reading::default();
    let end = lines::for_each(output, |number, line| {
        reading.has_output = true;
        if line.is_empty() {
            return;
        }
        match serde_json::from_slice::<Entry<'_>>(line) {
            Ok(entry) => {
                if entry.is_syntax_error() {
                    reading.stopped.get_or_insert_with(|| entry.headline());
                }
                let finding = entry.into_finding();
                reading.findings += 1;
                reading.errors += u64::from(finding.severity == Severity::Error);
                sink(finding);
            }
            Err(error) => reading.fault(no_object(number, line, &error)),
        }
    });
    note_end(end, &mut reading);
    reading
}

pub(super) fn conclude(run: &ToolRun<'_>, reading: &Reading) -> Judgement {
    let code = match run.code(NAME, reading, &[0, 1]) {
        Ok(code) => code,
        Err(failed) => return failed,
    };
    if code == 2
        && let Some(stopped) = &reading.stopped
    {
        return run.failed(
            NAME,
            &format!("stopped at a syntax error and checked nothing else, {stopped}"),
        );
    }
    if code == 2 && run.stderr.starts_with(NO_FILES) {
        return run.empty(NAME);
    }
    if matches!(code, 0 | 1) && run.stderr.lines().any(is_broken_configuration) {
        return run.failed(
            NAME,
            "could not read its configuration and went on with its defaults",
        );
    }
    match (code, reading) {
        (
            0,
            Reading {
                has_output: false, ..
            },
        ) => run.failed(
            NAME,
            "exit code 0 without the empty line that ends a clean run",
        ),
        // Notes alone give 1 today, and 0 in text mode; both are plausible.
        (
            0,
            Reading {
                findings: count @ 1..,
                errors: 0,
                ..
            },
        ) => Judgement::Findings {
            count: *count,
            files: None,
        },
        _ => reading.agree(NAME, run, code, 1),
    }
}

/// Whether a line of standard error says what the exit code does not.
pub(super) fn confesses(line: &str) -> bool {
    is_broken_configuration(line) || line.starts_with(NO_FILES)
}

/// `pyproject.toml: Expected ']' …`, `mypy.ini: [mypy]: python_version: …`: mypy prints these and goes on without what
/// it could not read. An option that it does not know is left to mypy: it may be one of another version.
fn is_broken_configuration(line: &str) -> bool {
    let Some((file, message)) = line.split_once(": ") else {
        return false;
    };
    let is_configuration = [".toml", ".ini", ".cfg"]
        .iter()
        .any(|suffix| file.ends_with(suffix));
    is_configuration
        && !message.contains("Unrecognized option: ")
        && !message.contains("Unrecognized report type: ")
}

/// One error or note.
#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow)]
    file: Text<'a>,
    line: i64,
    column: i64,
    end_line: Option<i64>,
    end_column: Option<i64>,
    #[serde(borrow)]
    message: Text<'a>,
    #[serde(borrow)]
    hint: Option<Text<'a>>,
    #[serde(borrow)]
    code: Option<Text<'a>>,
    #[serde(borrow)]
    severity: Text<'a>,
}

impl Entry<'_> {
    fn is_syntax_error(&self) -> bool {
        self.code
            .as_ref()
            .is_some_and(|code| code.as_str() == "syntax")
    }

    fn headline(&self) -> String {
        cut(&format!(
            "`{}:{}`: {}",
            self.file.as_str(),
            self.line,
            self.message.as_str()
        ))
    }

    fn into_finding(self) -> RawFinding {
        let severity = match self.severity.as_str() {
            "note" => Severity::Note,
            "warning" => Severity::Warning,
            _ => Severity::Error,
        };
        RawFinding {
            severity,
            region: self.region(),
            // A note without a rule of its own gets `misc` from mypy.
            url: self
                .code
                .as_ref()
                .filter(|_| severity != Severity::Note)
                .map(|code| format!("{RULES}{}", code.as_str())),
            rule: self.code.map(Text::into_string),
            message: self.message.into_string(),
            path: Some(self.file.into_string()),
            help: self.hint.map(Text::into_string),
            fix: None,
        }
    }

    /// Lines and columns below their base mean "unknown". Those of syntax errors count from 1, unlike all others, and
    /// only with one of mypy's two parsers: their columns are left out.
    fn region(&self) -> Region {
        let line = |number: i64| u32::try_from(number).ok().and_then(NonZeroU32::new);
        let column = |number: i64| {
            u32::try_from(number)
                .ok()
                .filter(|_| !self.is_syntax_error())
        };
        Region {
            line: line(self.line),
            column: column(self.column),
            end_line: self.end_line.and_then(line),
            end_column: self.end_column.and_then(column),
            unit: ColumnUnit::AsciiOnly,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_configuration_is_told_from_other_messages() {
        for broken in [
            "pyproject.toml: Expected ']' at the end of a table declaration (at line 1, column 11)",
            "pyproject.toml: [mypy]: strict: Not a boolean: maybe",
            "mypy.ini: [mypy]: python_version: Python major version '9' out of range (must be 3)",
            "mypy.ini: Source contains parsing errors: 'mypy.ini'",
            "nope.cfg: No [mypy] section in config file",
        ] {
            assert!(is_broken_configuration(broken), "{broken}");
        }
        for other in [
            "pyproject.toml: [mypy]: Unrecognized option: strct = True",
            "Warning: unused section(s) in mypy.ini: [mypy-x.*]",
            "a.py: error: Cannot read file",
            "",
        ] {
            assert!(!is_broken_configuration(other), "{other}");
        }
    }
}
