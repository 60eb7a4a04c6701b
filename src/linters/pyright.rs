//! `pyright --outputjson`: one document.
//!
//! Contract, as pyright 1.1.414 behaves: 0 is clean or only warnings, 1 is errors (with `--warnings` also warnings);
//! 2 is a crash, 3 a configuration that cannot be parsed (**with a complete document of a run without it**), 4 bad
//! options and missing files. The document counts files and errors: no file, or a count that differs from the list,
//! is a failure. A directory of `include` that does not exist is told by standard error alone.
//!
//! Lines and columns are 0-based, columns in UTF-16 code units, the end exclusive.

use std::fmt;
use std::io::BufRead;
use std::num::NonZeroU32;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::linters::adapter::{Adapter, Kind, Setting, Targets};
use crate::linters::contract::{Invocation, Judgement, Reading, ToolRun};
use crate::model::diagnostic::{RawFinding, Severity};
use crate::model::region::{ColumnUnit, Region};

const NAME: &str = "pyright";
const RULES: &str = "https://github.com/microsoft/pyright/blob/main/docs/configuration.md#";

pub(super) const ADAPTER: Adapter = Adapter {
    name: NAME,
    package: "pyright",
    executable: "pyright",
    kind: Kind::TypeChecker,
    targets: Targets::Folder,
    settings: &[
        Setting::Table("pyright", &[]),
        Setting::File("pyrightconfig.json"),
    ],
    file_settings: &[
        Setting::Table("pyright", &["include"]),
        Setting::File("pyrightconfig.json"),
    ],
    hooks: &["pyright"],
    severities: &[
        ("errors", Severity::Error),
        ("warnings", Severity::Warning),
        ("information", Severity::Note),
    ],
    refused: REFUSED_ARGUMENTS,
    environment: &[],
    arguments,
    probe: None,
    read,
    conclude,
    confesses,
};

const REFUSED_ARGUMENTS: &[&str] = &[
    "--createstub",
    "--dependencies",
    "--help",
    "--outputjson",
    "--stats",
    "--verbose",
    "--verifytypes",
    "--version",
    "--watch",
    "-",
    "-h",
    "-w",
];

pub(super) fn arguments(invocation: &Invocation<'_>) -> Vec<String> {
    let mut arguments = invocation.extra.to_vec();
    arguments.push("--outputjson".to_owned());
    if let Some(python) = invocation.python {
        arguments.extend(["--pythonpath".to_owned(), python.to_owned()]);
    }
    arguments.extend(invocation.path_arguments(true));
    arguments
}

pub(super) fn read(output: &mut dyn BufRead, sink: &mut dyn FnMut(RawFinding)) -> Reading {
    let mut state = State {
        sink,
        reading: Reading::default(),
        warnings: 0,
        summary: None,
    };
    let mut input = serde_json::Deserializer::from_reader(output);
    let parsed = Document(&mut state)
        .deserialize(&mut input)
        .and_then(|()| input.end());
    let State {
        mut reading,
        summary,
        warnings,
        ..
    } = state;
    match parsed {
        Err(error) if error.is_eof() && !reading.has_output => {
            reading.fault("no complete JSON document");
        }
        Err(error) if error.is_eof() => reading.fault(format!("cut off: {error}")),
        Err(error) => reading.fault(format!("not the expected JSON document: {error}")),
        Ok(()) => match summary {
            None => reading.fault("the document has no `summary`"),
            Some(summary) => {
                reading.files = Some(summary.files_analyzed);
                if summary.error_count != reading.errors || summary.warning_count < warnings {
                    reading.fault(format!(
                        "{} errors and {warnings} warnings are listed, but {} and {} counted",
                        reading.errors, summary.error_count, summary.warning_count
                    ));
                }
            }
        },
    }
    reading
}

pub(super) fn conclude(run: &ToolRun<'_>, reading: &Reading) -> Judgement {
    let code = match run.code(NAME, reading, &[0, 1]) {
        Ok(code) => code,
        Err(failed) => return failed,
    };
    if !matches!(code, 0 | 1) {
        return run.failed(NAME, &format!("exit code {code}"));
    }
    if reading.files == Some(0) {
        return run.empty(NAME);
    }
    if run.stderr.lines().any(confesses) {
        return run.failed(NAME, "a path of its configuration does not exist");
    }
    match reading {
        // Warnings and information do not change the exit code.
        Reading {
            findings: count @ 1..,
            errors: 0,
            files,
            ..
        } => Judgement::Findings {
            count: *count,
            files: *files,
        },
        _ => reading.agree(NAME, run, code, 1),
    }
}

/// Whether a line of standard error says what the exit code does not.
pub(super) fn confesses(line: &str) -> bool {
    line.starts_with("File or directory ") && line.ends_with(" does not exist.")
}

/// What is gathered while the document streams past.
struct State<'s> {
    sink: &'s mut dyn FnMut(RawFinding),
    reading: Reading,
    warnings: u64,
    summary: Option<Summary>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    files_analyzed: u64,
    error_count: u64,
    warning_count: u64,
}

#[derive(Deserialize)]
struct Diagnostic {
    file: Option<String>,
    severity: String,
    message: String,
    range: Option<Range>,
    rule: Option<String>,
}

#[derive(Deserialize)]
struct Range {
    start: Position,
    end: Position,
}

#[derive(Deserialize)]
struct Position {
    line: u32,
    character: u32,
}

impl Diagnostic {
    fn into_finding(self) -> RawFinding {
        RawFinding {
            fix: None,
            severity: match self.severity.as_str() {
                "information" => Severity::Note,
                "warning" => Severity::Warning,
                _ => Severity::Error,
            },
            message: self.message,
            path: self.file,
            region: self.range.map_or(Region::FILE, |range| Region {
                line: NonZeroU32::new(range.start.line.saturating_add(1)),
                column: Some(range.start.character),
                end_line: NonZeroU32::new(range.end.line.saturating_add(1)),
                end_column: Some(range.end.character),
                unit: ColumnUnit::Utf16,
            }),
            url: self.rule.as_ref().map(|rule| format!("{RULES}{rule}")),
            rule: self.rule,
            help: None,
        }
    }
}

/// The whole document: the list is streamed, the summary kept, the rest skipped.
struct Document<'d, 's>(&'d mut State<'s>);

impl<'de> DeserializeSeed<'de> for Document<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Document<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object with `generalDiagnostics` and `summary`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        self.0.reading.has_output = true;
        let mut has_list = false;
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "generalDiagnostics" if !has_list => {
                    has_list = true;
                    map.next_value_seed(List(self.0))?;
                }
                "summary" if self.0.summary.is_none() => self.0.summary = Some(map.next_value()?),
                "generalDiagnostics" | "summary" => {
                    return Err(serde::de::Error::custom(format_args!(
                        "two members `{key}`"
                    )));
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        if has_list {
            Ok(())
        } else {
            Err(serde::de::Error::missing_field("generalDiagnostics"))
        }
    }
}

struct List<'d, 's>(&'d mut State<'s>);

impl<'de> DeserializeSeed<'de> for List<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for List<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an array of diagnostics")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(diagnostic) = list.next_element::<Diagnostic>()? {
            let finding = diagnostic.into_finding();
            self.0.reading.findings += 1;
            match finding.severity {
                Severity::Error => self.0.reading.errors += 1,
                Severity::Warning => self.0.warnings += 1,
                Severity::Note => {}
            }
            (self.0.sink)(finding);
        }
        Ok(())
    }
}
