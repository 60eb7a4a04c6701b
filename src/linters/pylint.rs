//! `pylint --output-format=json2`: one document.
//!
//! Contract, as pylint 4.1.4 behaves. The exit code is a mask of the kinds of messages: 1 fatal, 2 error, 4 warning,
//! 8 refactor, 16 convention; `info` has no bit.
//!
//! | exit | output | judgement |
//! |---|---|---|
//! | 0 | no message, statements | clean |
//! | 0 | no message, at most one statement | no file: also where everything is ignored |
//! | the mask, or 0 | messages, `syntax-error` among them | findings; 0 where the project sets `exit-zero` |
//! | bit 1 | `fatal` messages: missing file, crash of a checker | failed |
//! | 2 | `bad-plugin-value`: a plug-in that cannot be loaded, although it looks like a finding | failed |
//! | any | text before the document: a configuration that cannot be parsed, exit code 0 among others | failed |
//! | 2, 32 | text: option, value, no check switched on | failed |
//!
//! The number of modules in the document counts the places of its configuration as well (2 for an empty folder), so
//! that the score is made to count instead: it is the number of statements, or 0 where there are messages. One
//! statement and none are the same there.
//!
//! Columns are 0-based UTF-8 bytes where a node of the syntax tree is meant, the end exclusive; those of the checks on
//! tokens and lines are code points, and some of these are 1-based.

use std::fmt;
use std::io::{BufRead, Read as _};
use std::num::NonZeroU32;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};

use crate::linters::adapter::{Adapter, Kind, Setting, Targets};
use crate::linters::contract::{Invocation, Judgement, Reading, ToolRun, cut};
use crate::linters::document::{self, Array};
use crate::model::diagnostic::{RawFinding, Severity};
use crate::model::region::{ColumnUnit, Region};

const NAME: &str = "pylint";
const RULES: &str = "https://pylint.readthedocs.io/en/stable/user_guide/messages/";
/// Codes from here on belong to plug-ins, whose rules have no page there.
const FIRST_OF_PLUGINS: u8 = 51;

pub(super) const ADAPTER: Adapter = Adapter {
    name: NAME,
    package: "pylint",
    executable: "pylint",
    kind: Kind::Linter,
    targets: Targets::Folder,
    settings: &[
        Setting::Table("pylint", &[]),
        Setting::File("pylintrc"),
        Setting::File("pylintrc.toml"),
        Setting::File(".pylintrc"),
        Setting::File(".pylintrc.toml"),
        ini("setup.cfg", "[pylint*", &[]),
        ini("tox.ini", "[pylint*", &[]),
    ],
    file_settings: &[
        Setting::Table("pylint", FILES),
        Setting::Table("pylint.main", FILES),
        Setting::Table("pylint.MAIN", FILES),
        Setting::Table("pylint.master", FILES),
        Setting::Table("pylint.MASTER", FILES),
        ini("pylintrc", "[*", FILES),
        ini("pylintrc.toml", "[*", FILES),
        ini(".pylintrc", "[*", FILES),
        ini(".pylintrc.toml", "[*", FILES),
        ini("setup.cfg", "[pylint*", FILES),
        ini("tox.ini", "[pylint*", FILES),
    ],
    hooks: &["pylint"],
    severities: &[
        ("errors", Severity::Error),
        (
            "errors of confidence INFERENCE_FAILURE, warnings, conventions, refactorings",
            Severity::Warning,
        ),
        ("information", Severity::Note),
    ],
    refused: REFUSED_ARGUMENTS,
    environment: &[],
    arguments,
    probe: None,
    read,
    conclude,
    confesses: |_| false,
};

/// The settings that name what is checked.
const FILES: &[&str] = &["files"];

const fn ini(file: &'static str, section: &'static str, keys: &'static [&'static str]) -> Setting {
    Setting::Section {
        file,
        section,
        keys,
    }
}

const REFUSED_ARGUMENTS: &[&str] = &[
    "--evaluation",
    "--exit-zero",
    "--fail-under",
    "--from-stdin",
    "--full-documentation",
    "--generate-rcfile",
    "--generate-toml-config",
    "--help",
    "--help-msg",
    "--list-conf-levels",
    "--list-extensions",
    "--list-groups",
    "--list-msgs",
    "--list-msgs-enabled",
    "--long-help",
    "--output",
    "--output-format",
    "--persistent",
    "--recursive",
    "--reports",
    "--version",
    "-f",
    "-h",
    "-r",
];

/// The score counts statements (see above), and one below `fail-under` makes the exit code the mask of messages,
/// whatever the project sets for both.
fn arguments(invocation: &Invocation<'_>) -> Vec<String> {
    let own = [
        "--output-format=json2",
        "--recursive=y",
        "--reports=n",
        "--persistent=n",
        "--evaluation=statement*(fatal+error+warning+refactor+convention==0)",
        "--fail-under=1",
    ];
    let mut arguments = invocation.extra.to_vec();
    arguments.extend(own.map(str::to_owned));
    arguments.extend(invocation.path_arguments(true));
    arguments
}

fn read(output: &mut dyn BufRead, sink: &mut dyn FnMut(RawFinding)) -> Reading {
    let mut state = State {
        sink,
        reading: Reading::default(),
        listed: Counts::default(),
        statistics: None,
    };
    if let Some(text) = text_before_document(output) {
        state.reading.has_output = true;
        state.reading.fault(format!("no document, but `{text}`"));
        return state.reading;
    }
    let mut input = serde_json::Deserializer::from_reader(output);
    let parsed = Document(&mut state)
        .deserialize(&mut input)
        .and_then(|()| input.end());
    let is_complete = parsed.is_ok();
    document::note_end(parsed, &mut state.reading);
    if is_complete {
        state.check();
    }
    state.reading
}

/// What pylint prints first where it cannot read its configuration.
fn text_before_document(output: &mut dyn BufRead) -> Option<String> {
    loop {
        // An error comes again when the document is read.
        let start = output.fill_buf().ok()?;
        let blank = start.len() - start.trim_ascii_start().len();
        match start.get(blank) {
            Some(b'{') => return None,
            Some(_) => break,
            None if start.is_empty() => return None,
            None => output.consume(blank),
        }
    }
    let mut bytes = Vec::new();
    let mut text = output.take(4_000);
    text.read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let words: Vec<&str> = text.split_whitespace().collect();
    Some(cut(&words.join(" ")))
}

fn conclude(run: &ToolRun<'_>, reading: &Reading) -> Judgement {
    let code = match run.code(NAME, reading, VERDICTS) {
        Ok(code) => code,
        Err(failed) => return failed,
    };
    if let Some(stopped) = &reading.stopped {
        return run.failed(NAME, &format!("could not check everything: {stopped}"));
    }
    let mask = reading.code;
    match (code, reading.findings) {
        (0, 0) if reading.files == Some(0) => run.empty(NAME),
        (0, 0) if mask == Some(0) => Judgement::Clean { files: None },
        // With `fail-on`, messages without a bit give 1.
        (_, count @ 1..) if code == 0 || mask == Some(code) || (code == 1 && mask == Some(0)) => {
            Judgement::Findings { count, files: None }
        }
        (_, count) => match (&reading.fault, mask) {
            (Some(fault), _) if run.stderr.trim().is_empty() => {
                run.failed(NAME, &format!("exit code {code}, {fault}"))
            }
            (None, Some(mask)) => run.failed(
                NAME,
                &format!("exit code {code}, where {count} messages give {mask}"),
            ),
            _ => run.failed(NAME, &format!("exit code {code}")),
        },
    }
}

/// The masks without the bit of fatal messages, and what `fail-on` gives.
const VERDICTS: &[i32] = &[0, 1, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30];

/// What is gathered while the document streams past.
struct State<'s> {
    sink: &'s mut dyn FnMut(RawFinding),
    reading: Reading,
    listed: Counts,
    statistics: Option<Statistics>,
}

/// How many messages there are of each kind.
#[derive(Default, Deserialize)]
struct Counts {
    fatal: u64,
    error: u64,
    warning: u64,
    refactor: u64,
    convention: u64,
    info: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Statistics {
    message_type_count: Counts,
    score: f64,
}

impl State<'_> {
    /// Whether the document agrees with itself. Messages about the configuration are listed, but not counted.
    fn check(&mut self) {
        let Some(statistics) = &self.statistics else {
            self.reading.fault("the document has no `statistics`");
            return;
        };
        let counted = &statistics.message_type_count;
        let listed = &self.listed;
        let all_listed = counted.fatal <= listed.fatal
            && counted.error <= listed.error
            && counted.warning <= listed.warning
            && counted.refactor <= listed.refactor
            && counted.convention <= listed.convention
            && counted.info <= listed.info;
        if !all_listed {
            self.reading.fault("more messages are counted than listed");
        }
        let bits = [
            (listed.fatal, 1),
            (listed.error, 2),
            (listed.warning, 4),
            (listed.refactor, 8),
            (listed.convention, 16),
        ];
        let mask = bits.iter().filter(|(count, _)| *count > 0);
        self.reading.code = Some(mask.map(|(_, bit)| bit).sum());
        if statistics.score < 2.0 && self.reading.findings == 0 {
            self.reading.files = Some(0);
        }
    }

    fn take(&mut self, entry: Entry) {
        let count = match entry.kind.as_str() {
            "fatal" => &mut self.listed.fatal,
            "error" => &mut self.listed.error,
            "warning" => &mut self.listed.warning,
            "refactor" => &mut self.listed.refactor,
            "convention" => &mut self.listed.convention,
            "info" => &mut self.listed.info,
            other => {
                let fault = format!("a message of the kind `{}`", cut(other));
                self.reading.fault(fault);
                return;
            }
        };
        *count += 1;
        if entry.is_failure() {
            self.reading.stopped.get_or_insert_with(|| entry.headline());
            return;
        }
        let finding = entry.into_finding();
        self.reading.findings += 1;
        self.reading.errors += u64::from(finding.severity == Severity::Error);
        (self.sink)(finding);
    }
}

/// One message.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    #[serde(rename = "type")]
    kind: String,
    symbol: String,
    message: String,
    message_id: String,
    confidence: String,
    line: Option<i64>,
    column: Option<i64>,
    end_line: Option<i64>,
    end_column: Option<i64>,
    path: String,
}

impl Entry {
    /// Whether pylint says that it could not do its work, rather than that the work found something.
    fn is_failure(&self) -> bool {
        self.kind == "fatal" || self.symbol == "bad-plugin-value"
    }

    /// Path and message in one line.
    fn headline(&self) -> String {
        let words: Vec<&str> = self.message.split_whitespace().collect();
        cut(&format!("`{}`: {}", self.path, words.join(" ")))
    }

    fn into_finding(self) -> RawFinding {
        let is_unsure = self.confidence == "INFERENCE_FAILURE";
        RawFinding {
            severity: match self.kind.as_str() {
                "error" if !is_unsure => Severity::Error,
                "info" => Severity::Note,
                _ => Severity::Warning,
            },
            region: self.region(),
            url: self.url(),
            path: (!is_no_file(&self.path)).then_some(self.path),
            rule: Some(self.symbol),
            message: self.message,
            help: None,
            fix: None,
        }
    }

    /// The page of the rule, if it is one of pylint's own.
    fn url(&self) -> Option<String> {
        let checker: u8 = self.message_id.get(1..3)?.parse().ok()?;
        let kind = match self.kind.as_str() {
            "info" => "information",
            kind => kind,
        };
        let symbol = &self.symbol;
        (checker < FIRST_OF_PLUGINS).then(|| format!("{RULES}{kind}/{symbol}.html"))
    }

    fn region(&self) -> Region {
        let line = |number: i64| u32::try_from(number).ok().and_then(NonZeroU32::new);
        let (base, unit) = columns(&self.message_id);
        let column = |number: i64| u32::try_from(number.checked_sub(base)?).ok();
        Region {
            line: self.line.and_then(line),
            column: self.column.and_then(column),
            end_line: self.end_line.and_then(line),
            end_column: self.end_column.and_then(column),
            unit,
        }
    }
}

/// What a message names as its file where it is about the command line.
fn is_no_file(path: &str) -> bool {
    matches!(path, "Command line" | "Command line or configuration file")
}

/// The first column, and the unit.
fn columns(id: &str) -> (i64, ColumnUnit) {
    match id {
        // `syntax-error` has them from Python, `invalid-character-*` from a count of its own.
        "E0001" | "E2510" | "E2511" | "E2512" | "E2513" | "E2514" | "E2515" => {
            (1, ColumnUnit::CodePoint)
        }
        // trailing-whitespace, unnecessary-semicolon, superfluous-parens, line-too-long, fixme, the escapes in
        // strings, bidirectional-unicode
        "C0303" | "W0301" | "C0325" | "C0301" | "W0511" | "W1401" | "W1402" | "E2501" | "E2502" => {
            (0, ColumnUnit::CodePoint)
        }
        _ => (0, ColumnUnit::Byte),
    }
}

/// The whole document: the list is streamed, the statistics kept, the rest skipped.
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
        formatter.write_str("an object with `messages` and `statistics`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let state = self.0;
        state.reading.has_output = true;
        let mut has_list = false;
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "messages" if !has_list => {
                    has_list = true;
                    // The list has a reading of its own; what it says is kept in the state.
                    let each = |entry: Entry, _: &mut Reading| state.take(entry);
                    map.next_value_seed(Array::new(&mut Reading::default(), each))?;
                }
                "statistics" if state.statistics.is_none() => {
                    state.statistics = Some(map.next_value()?);
                }
                "messages" | "statistics" => {
                    return Err(A::Error::custom(format_args!("two members `{key}`")));
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        if has_list {
            Ok(())
        } else {
            Err(A::Error::missing_field("messages"))
        }
    }
}
