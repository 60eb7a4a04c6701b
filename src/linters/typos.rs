//! `typos --format=json`: one object a line.
//!
//! Contract, as typos 1.52.0 behaves:
//!
//! | exit | output | judgement |
//! |---|---|---|
//! | 0 | none, or a `binary_file` that was passed over | clean, once the probe has counted files |
//! | 2 | `typo` | findings |
//! | 1 | `error`: a file that cannot be read, be there findings or not | failed |
//! | 64 | text on standard error: an option, a path that does not exist | failed |
//! | 78 | text on standard error: the configuration | failed |
//!
//! Offsets are 0-based bytes of the line, a byte order mark among them. A typo in the name of a file has no line. A
//! word may be part of a name in code, so that no correction is safe.

use std::io::BufRead;
use std::num::NonZeroU32;

use serde::Deserialize;

use crate::linters::adapter::{Adapter, Kind, Probe, Setting, Targets};
use crate::linters::contract::{Invocation, Judgement, Reading, ToolRun, cut};
use crate::linters::lines::{self, no_object, note_end};
use crate::linters::text::Text;
use crate::model::diagnostic::{RawFinding, Severity};
use crate::model::fix::{Applicability, Edit, Fix};
use crate::model::region::{ColumnUnit, Region};

const NAME: &str = "typos";

pub(super) const ADAPTER: Adapter = Adapter {
    name: NAME,
    package: "typos",
    executable: "typos",
    kind: Kind::Linter,
    targets: Targets::Folder,
    settings: &[
        Setting::File("typos.toml"),
        Setting::File("_typos.toml"),
        Setting::File(".typos.toml"),
        Setting::Table("typos", &[]),
    ],
    file_settings: &[],
    hooks: &["typos", "typos-src", "typos-docker"],
    severities: &[("typos", Severity::Warning)],
    refused: REFUSED_ARGUMENTS,
    environment: &[],
    arguments,
    probe: Some(Probe::Run {
        arguments: probe_arguments,
        environment: &[],
        judge: judge_probe,
    }),
    read,
    conclude,
    confesses: |_| false,
};

const REFUSED_ARGUMENTS: &[&str] = &[
    "--diff",
    "--dump-config",
    "--file-list",
    "--file-types",
    "--files",
    "--format",
    "--help",
    "--highlight-identifiers",
    "--highlight-words",
    "--identifiers",
    "--type-list",
    "--version",
    "--words",
    "--write-changes",
    "-",
    "-V",
    "-h",
    "-w",
];

fn arguments(invocation: &Invocation<'_>) -> Vec<String> {
    command(invocation, &["--format=json"])
}

fn probe_arguments(invocation: &Invocation<'_>) -> Vec<String> {
    command(invocation, &["--format=json", "--files"])
}

fn command(invocation: &Invocation<'_>, own: &[&str]) -> Vec<String> {
    let mut arguments = invocation.extra.to_vec();
    arguments.extend(own.iter().map(|&argument| argument.to_owned()));
    arguments.extend(invocation.path_arguments(false));
    arguments
}

fn read(output: &mut dyn BufRead, sink: &mut dyn FnMut(RawFinding)) -> Reading {
    let mut reading = Reading::default();
    let end = each(output, &mut reading, |line, reading| match line {
        Line::Typo(typo) => {
            reading.findings += 1;
            sink(typo.into_finding());
        }
        Line::Error { path, msg } => {
            let path = path.as_ref().map_or("", Text::as_str);
            reading
                .stopped
                .get_or_insert_with(|| cut(&format!("`{path}`: {}", msg.as_str())));
        }
        Line::BinaryFile | Line::File => {}
    });
    note_end(end, &mut reading);
    reading
}

fn each(
    output: &mut dyn BufRead,
    reading: &mut Reading,
    mut line: impl FnMut(Line<'_>, &mut Reading),
) -> std::io::Result<lines::End> {
    lines::for_each(output, |number, text| {
        reading.has_output = true;
        match serde_json::from_slice::<Line<'_>>(text) {
            Ok(parsed) => line(parsed, reading),
            Err(error) => reading.fault(no_object(number, text, &error)),
        }
    })
}

fn conclude(run: &ToolRun<'_>, reading: &Reading) -> Judgement {
    let code = match run.code(NAME, reading, &[0, 2]) {
        Ok(code) => code,
        Err(failed) => return failed,
    };
    if let Some(stopped) = &reading.stopped {
        return run.failed(NAME, &format!("could not check {stopped}"));
    }
    reading.agree(NAME, run, code, 2)
}

/// One line a file; binary ones are named too, and not looked into.
fn judge_probe(run: &ToolRun<'_>, output: &mut dyn BufRead) -> Judgement {
    let mut reading = Reading::default();
    let mut files = 0_u64;
    let end = each(output, &mut reading, |line, reading| match line {
        Line::File => files += 1,
        Line::BinaryFile => {}
        Line::Typo(_) | Line::Error { .. } => reading.fault("not a list of files"),
    });
    note_end(end, &mut reading);
    match run.code(NAME, &reading, &[0]) {
        Err(failed) => failed,
        Ok(0) if files > 0 => Judgement::Clean { files: Some(files) },
        Ok(0) => run.empty(NAME),
        Ok(code) => run.failed(NAME, &format!("exit code {code} of `--files`")),
    }
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Line<'a> {
    #[serde(borrow)]
    Typo(Typo<'a>),
    Error {
        #[serde(borrow)]
        path: Option<Text<'a>>,
        #[serde(borrow)]
        msg: Text<'a>,
    },
    BinaryFile,
    File,
}

#[derive(Deserialize)]
struct Typo<'a> {
    #[serde(borrow)]
    path: Text<'a>,
    line_num: Option<u32>,
    byte_offset: u32,
    #[serde(borrow, rename = "typo")]
    word: Text<'a>,
    /// `null` for a word that is not allowed.
    #[serde(borrow)]
    corrections: Option<Vec<Text<'a>>>,
}

impl<'a> Typo<'a> {
    fn corrections(&self) -> &[Text<'a>] {
        self.corrections.as_deref().unwrap_or_default()
    }

    fn into_finding(self) -> RawFinding {
        let region = self.region();
        let fix = match self.corrections() {
            [correction] if region != Region::FILE => Some(Fix {
                message: None,
                applicability: Applicability::Unsafe,
                edits: vec![Edit {
                    place: region,
                    text: correction.as_str().into(),
                }],
            }),
            _ => None,
        };
        RawFinding {
            rule: Some("typo".to_owned()),
            severity: Severity::Warning,
            message: self.message(),
            path: Some(self.path.into_string()),
            region,
            url: None,
            help: None,
            fix,
        }
    }

    /// As typos words it for people.
    fn message(&self) -> String {
        let word = self.word.as_str();
        let corrections: Vec<String> = self
            .corrections()
            .iter()
            .map(|correction| format!("`{}`", correction.as_str()))
            .collect();
        if corrections.is_empty() {
            format!("`{word}` is disallowed")
        } else {
            format!("`{word}` should be {}", corrections.join(", "))
        }
    }

    fn region(&self) -> Region {
        let Some(line) = self.line_num.and_then(NonZeroU32::new) else {
            return Region::FILE;
        };
        let length = u32::try_from(self.word.as_str().len()).unwrap_or(u32::MAX);
        Region {
            line: Some(line),
            column: Some(self.byte_offset),
            end_line: Some(line),
            end_column: Some(self.byte_offset.saturating_add(length)),
            unit: ColumnUnit::ByteWithMark,
        }
    }
}
