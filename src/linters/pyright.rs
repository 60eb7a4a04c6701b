//! `pyright --outputjson`: one document.
//!
//! Contract, as pyright 1.1.414 behaves: 0 is clean or only warnings, 1 is errors (with `--warnings` also warnings);
//! 2 is a crash, 3 a configuration that cannot be parsed (**with a complete document of a run without it**), 4 bad
//! options and missing files. The document counts files and errors: no file, or a count that differs from the list,
//! is a failure. A directory of `include` that does not exist is told by standard error alone, a file that cannot be
//! read by an error without rule and place.
//!
//! Lines and columns are 0-based, columns in UTF-16 code units, the end exclusive.

use std::fmt;
use std::io::BufRead;
use std::num::NonZeroU32;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

use crate::linters::adapter::{Adapter, Kind, Setting, Targets};
use crate::linters::contract::{Invocation, Judgement, Reading, ToolRun, cut};
use crate::linters::document::{self, Array};
use crate::model::diagnostic::{RawFinding, Severity};
use crate::model::region::{ColumnUnit, Region};

const NAME: &str = "pyright";
const RULES: &str = "https://github.com/microsoft/pyright/blob/main/docs/configuration.md#";
/// What it says of a file that it found and could not read.
const UNREADABLE: &str = "Source file could not be read";

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

fn arguments(invocation: &Invocation<'_>) -> Vec<String> {
    command(invocation, &["--outputjson"])
}

/// The interpreter goes last but for the paths, and not beside the user's own: neither may stand twice.
pub(super) fn command(invocation: &Invocation<'_>, own: &[&str]) -> Vec<String> {
    let mut arguments = invocation.extra.to_vec();
    arguments.extend(own.iter().map(|&argument| argument.to_owned()));
    if let Some(python) = invocation.python
        && !has_option(invocation.extra, "--pythonpath")
    {
        arguments.extend(["--pythonpath".to_owned(), python.to_owned()]);
    }
    arguments.extend(invocation.path_arguments(true));
    arguments
}

/// Whether the user gives this option, with its value behind it or in it.
pub(super) fn has_option(extra: &[String], option: &str) -> bool {
    extra.iter().any(|argument| {
        let name = argument
            .split_once('=')
            .map_or(&**argument, |(name, _)| name);
        name == option
    })
}

fn read(output: &mut dyn BufRead, sink: &mut dyn FnMut(RawFinding)) -> Reading {
    read_document(output, RULES, sink)
}

/// Reads the document, whose rules are explained at this address.
pub(super) fn read_document(
    output: &mut dyn BufRead,
    rules: &'static str,
    sink: &mut dyn FnMut(RawFinding),
) -> Reading {
    let mut state = State {
        sink,
        rules,
        reading: Reading::default(),
        warnings: 0,
        summary: None,
    };
    let mut input = serde_json::Deserializer::from_reader(output);
    let parsed = Document(&mut state)
        .deserialize(&mut input)
        .and_then(|()| input.end());
    let is_complete = parsed.is_ok();
    let State {
        mut reading,
        summary,
        warnings,
        ..
    } = state;
    document::note_end(parsed, &mut reading);
    match summary {
        _ if !is_complete => {}
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
    }
    reading
}

fn conclude(run: &ToolRun<'_>, reading: &Reading) -> Judgement {
    let confession = run.stderr.lines().any(confesses);
    let confession = confession.then_some("a path of its configuration does not exist");
    conclude_document(NAME, run, reading, confession)
}

/// The judgement of pyright and of what descends from it. The confession is what standard error says and the exit code
/// does not.
pub(super) fn conclude_document(
    name: &str,
    run: &ToolRun<'_>,
    reading: &Reading,
    confession: Option<&str>,
) -> Judgement {
    let code = match run.code(name, reading, &[0, 1]) {
        Ok(code) => code,
        Err(failed) => return failed,
    };
    if !matches!(code, 0 | 1) {
        return run.failed(name, &format!("exit code {code}"));
    }
    if let Some(confession) = confession {
        return run.failed(name, confession);
    }
    if let Some(stopped) = &reading.stopped {
        return run.failed(name, &format!("could not check {stopped}"));
    }
    if reading.files == Some(0) {
        return run.empty(name);
    }
    match reading {
        // Warnings and information do not change the exit code, but where the project wants them to.
        Reading {
            findings: count @ 1..,
            errors: 0,
            files,
            ..
        } => Judgement::Findings {
            count: *count,
            files: *files,
        },
        _ => reading.agree(name, run, code, 1),
    }
}

/// Whether a line of standard error says what the exit code does not.
fn confesses(line: &str) -> bool {
    line.starts_with("File or directory ") && line.ends_with(" does not exist.")
}

/// What is gathered while the document streams past.
struct State<'s> {
    sink: &'s mut dyn FnMut(RawFinding),
    rules: &'static str,
    reading: Reading,
    warnings: u64,
    summary: Option<Summary>,
}

impl State<'_> {
    /// The list, streamed.
    fn read_list<'de, A: MapAccess<'de>>(&mut self, map: &mut A) -> Result<(), A::Error> {
        let Self {
            sink,
            rules,
            reading,
            warnings,
            ..
        } = self;
        let each = |diagnostic: Diagnostic, reading: &mut Reading| {
            if diagnostic.is_failure() {
                let path = diagnostic.file.as_deref().unwrap_or("a file");
                reading
                    .stopped
                    .get_or_insert_with(|| cut(&format!("`{path}`: {UNREADABLE}")));
            }
            let finding = diagnostic.into_finding(rules);
            reading.findings += 1;
            match finding.severity {
                Severity::Error => reading.errors += 1,
                Severity::Warning => *warnings += 1,
                Severity::Note => {}
            }
            sink(finding);
        };
        map.next_value_seed(Array::new(reading, each))
    }
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
    /// Whether the file could not be read: a diagnostic like any other but for its want of a rule and a place.
    fn is_failure(&self) -> bool {
        self.rule.is_none() && self.range.is_none() && self.message == UNREADABLE
    }

    fn into_finding(self, rules: &str) -> RawFinding {
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
            url: self.rule.as_ref().map(|rule| format!("{rules}{rule}")),
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
                    self.0.read_list(&mut map)?;
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
