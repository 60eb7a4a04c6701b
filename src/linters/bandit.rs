//! `bandit --format=json`: one document.
//!
//! Contract, as bandit 1.9.4 behaves:
//!
//! | exit | output | judgement |
//! |---|---|---|
//! | 0 | nothing listed, files in `metrics` | clean |
//! | 0 | nothing listed, no file | no file: also where everything is excluded |
//! | 0, 1 | `errors`: a syntax error, be it one of the encoding | findings: a fact about the file |
//! | 0, 1 | any other of `errors`: a file that is missing or unreadable, a crash of a check | failed |
//! | 0, 1 | the warning on standard error that a `.bandit` cannot be read | failed |
//! | 1 | `results` | findings |
//! | 1 | text on standard error: a crash | failed |
//! | 2 | text on standard error: option, configuration, no check left | failed |
//!
//! bandit itself looks for a `.bandit` below the folders that it is given, but reads `[tool.bandit]` of `pyproject.toml`
//! only where it is told to: here it is. (A `.bandit` is an INI file. Whoever keeps the YAML configuration in a file of
//! that name gets the warning above, and must give it another name.)
//!
//! Columns are 0-based UTF-8 bytes, the end exclusive. The first belongs to the first line of the range, which is not
//! always the line that is named; the line of the second is known only where the range has one line.

use std::fmt;
use std::io::BufRead;
use std::num::NonZeroU32;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};

use crate::linters::adapter::{Adapter, Kind, Setting, Targets};
use crate::linters::contract::{Invocation, Judgement, Reading, ToolRun, cut};
use crate::linters::document::{self, Array};
use crate::model::diagnostic::{RawFinding, Severity};
use crate::model::region::{ColumnUnit, Region};

const NAME: &str = "bandit";
/// What it says of a file that is no Python, in its encoding or its grammar.
const SYNTAX_ERROR: &str = "syntax error while parsing AST from file";

pub(super) const ADAPTER: Adapter = Adapter {
    name: NAME,
    package: "bandit",
    executable: "bandit",
    kind: Kind::Linter,
    targets: Targets::Folder,
    settings: &[
        Setting::Table("bandit", &[]),
        Setting::File(".bandit"),
        Setting::File("bandit.yaml"),
        Setting::File("bandit.yml"),
    ],
    // What it says about files, `exclude_dirs`, is in force with any path.
    file_settings: &[Setting::Table("bandit", &[])],
    hooks: &["bandit"],
    severities: &[
        ("severity HIGH with confidence HIGH", Severity::Error),
        ("a file that cannot be parsed", Severity::Error),
        ("severity LOW", Severity::Note),
        ("everything else", Severity::Warning),
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
    "--debug",
    "--exit-zero",
    "--format",
    "--help",
    "--msg-template",
    "--output",
    "--verbose",
    "--version",
    "-",
    "-d",
    "-f",
    "-h",
    "-o",
    "-v",
];

/// The project's table comes first, so that a configuration that the user names wins; see the head of this file.
fn arguments(invocation: &Invocation<'_>) -> Vec<String> {
    let mut arguments = Vec::new();
    if invocation.configured_files {
        arguments.push("--configfile=pyproject.toml".to_owned());
    }
    arguments.extend_from_slice(invocation.extra);
    let own = ["--recursive", "--format=json", "--number=1", "--quiet"];
    arguments.extend(own.map(str::to_owned));
    let paths = invocation.path_arguments(true);
    if paths.is_empty() {
        // The table names no files, and bandit does not take none as all.
        arguments.push("./".to_owned());
    }
    arguments.extend(paths);
    arguments
}

fn read(output: &mut dyn BufRead, sink: &mut dyn FnMut(RawFinding)) -> Reading {
    let mut state = State {
        sink,
        reading: Reading::default(),
        results: 0,
        seen: Seen::default(),
    };
    let mut input = serde_json::Deserializer::from_reader(output);
    let parsed = Document(&mut state)
        .deserialize(&mut input)
        .and_then(|()| input.end());
    let mut reading = state.reading;
    reading.code = parsed.is_ok().then_some(i32::from(state.results > 0));
    document::note_end(parsed, &mut reading);
    reading
}

fn conclude(run: &ToolRun<'_>, reading: &Reading) -> Judgement {
    let code = match run.code(NAME, reading, &[0, 1]) {
        Ok(code) => code,
        Err(failed) => return failed,
    };
    if let Some(stopped) = &reading.stopped {
        return run.failed(NAME, &format!("could not check {stopped}"));
    }
    if matches!(code, 0 | 1) && run.stderr.lines().any(confesses) {
        return run.failed(
            NAME,
            "could not read a `.bandit` and went on without it; it must be an INI file",
        );
    }
    if code == 0 && reading.findings == 0 && reading.files == Some(0) {
        return run.empty(NAME);
    }
    match reading.findings {
        // A file that cannot be parsed does not change the exit code.
        count @ 1.. if code == 0 && reading.code == Some(0) => Judgement::Findings {
            count,
            files: reading.files,
        },
        1.. if code == 1 && reading.code == Some(0) => {
            run.failed(NAME, "exit code 1 without a result")
        }
        _ => reading.agree(NAME, run, code, 1),
    }
}

/// Whether a line of standard error says what the exit code does not.
fn confesses(line: &str) -> bool {
    line.contains("WARNING\tUnable to parse config file ")
}

/// What is gathered while the document streams past.
struct State<'s> {
    sink: &'s mut dyn FnMut(RawFinding),
    reading: Reading,
    results: u64,
    seen: Seen,
}

/// Which members came already.
#[derive(Default)]
struct Seen {
    errors: bool,
    results: bool,
    metrics: bool,
}

impl State<'_> {
    fn pass(&mut self, finding: RawFinding) {
        self.reading.findings += 1;
        self.reading.errors += u64::from(finding.severity == Severity::Error);
        (self.sink)(finding);
    }

    fn take_error(&mut self, error: Skipped) {
        if error.reason == SYNTAX_ERROR {
            self.pass(error.into_finding());
        } else {
            self.reading
                .stopped
                .get_or_insert_with(|| cut(&format!("`{}`: {}", error.filename, error.reason)));
        }
    }
}

/// A file that was left out.
#[derive(Deserialize)]
struct Skipped {
    filename: String,
    reason: String,
}

impl Skipped {
    fn into_finding(self) -> RawFinding {
        RawFinding {
            // The name is ours: without one, an ignore would be of all that bandit finds in the file.
            rule: Some("syntax-error".to_owned()),
            severity: Severity::Error,
            message: self.reason,
            path: Some(self.filename),
            region: Region::FILE,
            url: None,
            help: Some("bandit did not check this file: mend or exclude it".to_owned()),
            fix: None,
        }
    }
}

#[derive(Deserialize)]
struct Issue {
    filename: String,
    test_id: String,
    #[serde(rename = "issue_severity")]
    severity: String,
    #[serde(rename = "issue_confidence")]
    confidence: String,
    #[serde(rename = "issue_text")]
    text: String,
    line_number: Option<i64>,
    #[serde(default)]
    line_range: Vec<i64>,
    col_offset: Option<i64>,
    end_col_offset: Option<i64>,
    more_info: Option<String>,
}

impl Issue {
    fn into_finding(self) -> RawFinding {
        RawFinding {
            severity: self.severity(),
            region: self.region(),
            rule: Some(self.test_id),
            message: self.text,
            path: Some(self.filename),
            url: self.more_info,
            help: None,
            fix: None,
        }
    }

    fn severity(&self) -> Severity {
        match (self.severity.as_str(), self.confidence.as_str()) {
            ("HIGH", "HIGH") => Severity::Error,
            ("LOW", _) => Severity::Note,
            _ => Severity::Warning,
        }
    }

    fn region(&self) -> Region {
        let line = |number: i64| u32::try_from(number).ok().and_then(NonZeroU32::new);
        let column = |number: i64| u32::try_from(number).ok();
        let begins = self.line_range.first() == self.line_number.as_ref();
        let is_one_line = begins && self.line_range.len() == 1;
        let (column, end_column) = (
            self.col_offset.filter(|_| begins).and_then(column),
            self.end_col_offset.filter(|_| is_one_line).and_then(column),
        );
        let line = self.line_number.and_then(line);
        Region {
            line,
            column,
            end_line: line.filter(|_| end_column.is_some()),
            end_column,
            unit: ColumnUnit::Byte,
        }
    }
}

/// The whole document: the lists are streamed, the files counted, the rest skipped.
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
        formatter.write_str("an object with `errors`, `metrics` and `results`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let state = self.0;
        state.reading.has_output = true;
        // The lists have readings of their own; what they say is kept in the state.
        let mut unused = Reading::default();
        while let Some(key) = map.next_key::<String>()? {
            let twice = match key.as_str() {
                "errors" => std::mem::replace(&mut state.seen.errors, true),
                "results" => std::mem::replace(&mut state.seen.results, true),
                "metrics" => std::mem::replace(&mut state.seen.metrics, true),
                _ => false,
            };
            if twice {
                return Err(A::Error::custom(format_args!("two members `{key}`")));
            }
            match key.as_str() {
                "errors" => {
                    let each = |error: Skipped, _: &mut Reading| state.take_error(error);
                    map.next_value_seed(Array::new(&mut unused, each))?;
                }
                "results" => {
                    let each = |issue: Issue, _: &mut Reading| {
                        state.results += 1;
                        state.pass(issue.into_finding());
                    };
                    map.next_value_seed(Array::new(&mut unused, each))?;
                }
                "metrics" => state.reading.files = Some(map.next_value_seed(Metrics)?),
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        let Seen {
            errors,
            results,
            metrics,
        } = state.seen;
        for (has, member) in [
            (errors, "errors"),
            (results, "results"),
            (metrics, "metrics"),
        ] {
            if !has {
                return Err(A::Error::missing_field(member));
            }
        }
        Ok(())
    }
}

/// An object with a member for each file and one for the totals; its value is the number of files.
struct Metrics;

impl<'de> DeserializeSeed<'de> for Metrics {
    type Value = u64;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<u64, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Metrics {
    type Value = u64;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object with numbers for each file")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<u64, A::Error> {
        let mut files = 0;
        while let Some(key) = map.next_key::<String>()? {
            map.next_value::<IgnoredAny>()?;
            files += u64::from(key != "_totals");
        }
        Ok(files)
    }
}
