//! reviewdog's diagnostic format, as a document (rdjson) or one diagnostic a line (rdjsonl):
//! <https://github.com/reviewdog/reviewdog/tree/master/proto/rdf>.
//!
//! Both are JSON of proto3: an enumeration is a name or a number, a number may be text, `null` is absent, unknown
//! members are passed over. A document is read twice, in memory for one diagnostic, because producers write `source`
//! and `severity` behind the diagnostics that they stand for.
//!
//! Decisions where the format leaves room:
//! - Columns are bytes of UTF-8. Those of ruff are code points, whatever the format says: its source is named `ruff`.
//! - A range without columns covers its lines whole. An edit of such a range leaves the last line break.
//! - ruff's suggestions are the edits of one fix. Those of others are alternatives: the first is taken. The format has no
//!   word for how far they can be trusted, so that they may change what the program does.
//! - proto3 leaves out an empty list. A document without `diagnostics` is one without findings only if it names its
//!   `source` and is not a single diagnostic.
//! - A diagnostic has a `message`: any other object would be one too, and a report of another format a warning.
//! - A severity that is absent or unknown is a warning; a name that is not of the format is taken for the worst.
//! - ruff's `E902` is a file that it could not read: a failure. Its lines in notebooks are lines of no file.

use std::collections::BTreeSet;
use std::fmt;
use std::io::{BufRead, Read, Seek, SeekFrom};
use std::num::NonZeroU32;
use std::ops::Range as Bytes;

use serde::Deserialize;
use serde::de::{Deserializer, Visitor};

use crate::linters::contract::{Judgement, cut};
use crate::linters::json_stream::{
    Error, ErrorKind, Fault, Limits, Skimmer, Window, check_objects, first, once,
};
use crate::linters::reported;
use crate::linters::ruff::NOT_UTF8;
use crate::linters::text::Text;
use crate::model::diagnostic::{RawFinding, Severity};
use crate::model::fix::{Applicability, Edit, Fix};
use crate::model::region::{ColumnUnit, Region};

const DIAGNOSTIC: &str = "a diagnostic";

/// More sources than these are not told, nor more failures.
const MAX_TOLD: usize = 10;

/// What a report says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// The sources of its findings; the first ones.
    pub tools: BTreeSet<String>,
    /// Diagnostics that went to the sink.
    pub findings: u64,
    /// What kept a tool from doing its work. Untrusted text.
    pub failures: Vec<String>,
}

/// Reads a document. Each finding goes to the sink as soon as it is read, with the name of its source, or `tool` where
/// none is named.
///
/// # Errors
/// Input that is no complete document, with line and column. What went to the sink before is true as far as it goes.
pub fn read_document<R: BufRead + Seek>(
    mut input: R,
    tool: &str,
    limits: Limits,
    sink: &mut dyn FnMut(&str, RawFinding),
) -> Result<Summary, Error> {
    document(&mut input, tool, limits, sink).map_err(|fault| fault.locate(&mut input))
}

/// Reads one diagnostic a line; see [`read_document`].
///
/// # Errors
/// Input that is not whole diagnostics, with line and column.
pub fn read_lines<R: BufRead + Seek>(
    mut input: R,
    tool: &str,
    limits: Limits,
    sink: &mut dyn FnMut(&str, RawFinding),
) -> Result<Summary, Error> {
    lines(&mut input, tool, limits, sink).map_err(|fault| fault.locate(&mut input))
}

/// What a report means for the gate; see [`reported::judge`].
pub fn judge_report(exit: Option<i32>, summary: &Summary) -> Judgement {
    let failure = (!summary.failures.is_empty()).then(|| summary.failures.join("\n"));
    reported::judge(exit, summary.findings, 0, failure)
}

fn document<R: BufRead + Seek>(
    input: &mut R,
    tool: &str,
    limits: Limits,
    sink: &mut dyn FnMut(&str, RawFinding),
) -> Result<Summary, Fault> {
    const FORMAT: &str = "rdjson";
    let layout = skim(input, FORMAT)?;
    let source: Option<Owner> = layout
        .source
        .as_ref()
        .map(|range| part(input, range, "`source`", FORMAT, limits.part))
        .transpose()?
        .flatten();
    let severity: Option<Level> = layout
        .severity
        .as_ref()
        .map(|range| part(input, range, "`severity`", FORMAT, limits.part))
        .transpose()?
        .flatten();
    let name = source.and_then(|source| source.name);
    let name = name.filter(|name| !name.is_empty());
    let tool = name.as_deref().unwrap_or(tool);
    let mut summary = Summary::default();
    let Some(range) = layout.diagnostics else {
        if name.is_none() || layout.is_diagnostic {
            return Err(Fault::expected(
                "`diagnostics`, or a document that names its `source`",
                0,
            ));
        }
        summary.tools.insert(cut(tool));
        return Ok(summary);
    };
    let mut reader = Reader {
        tool,
        severity,
        summary,
    };
    input.seek(SeekFrom::Start(range.start))?;
    let diagnostics = input.by_ref().take(range.end - range.start);
    Window::new(diagnostics, range.start, limits, FORMAT, DIAGNOSTIC)
        .for_each(|ahead| reader.read(ahead, sink))?;
    if reader.summary.tools.is_empty() {
        reader.summary.tools.insert(cut(reader.tool));
    }
    Ok(reader.summary)
}

fn lines<R: BufRead + Seek>(
    input: &mut R,
    tool: &str,
    limits: Limits,
    sink: &mut dyn FnMut(&str, RawFinding),
) -> Result<Summary, Fault> {
    const FORMAT: &str = "rdjsonl";
    input.seek(SeekFrom::Start(0))?;
    let mut skimmer = Skimmer {
        input,
        offset: 0,
        format: FORMAT,
    };
    if skimmer.begin("rdjsonl, one diagnostic a line")? != b'{' {
        return Err(Fault::expected(DIAGNOSTIC, skimmer.offset));
    }
    let start = skimmer.offset;
    let mut reader = Reader {
        tool,
        severity: None,
        summary: Summary::default(),
    };
    Window::new(input.by_ref(), start, limits, FORMAT, DIAGNOSTIC)
        .for_each_line(|ahead| reader.read(ahead, sink))?;
    Ok(reader.summary)
}

/// Where the parts of a document are, in bytes; `None` for what is absent or `null`.
#[derive(Default)]
struct Layout {
    source: Option<Bytes<u64>>,
    severity: Option<Bytes<u64>>,
    diagnostics: Option<Bytes<u64>>,
    /// Whether it has members of a diagnostic.
    is_diagnostic: bool,
}

fn skim<R: BufRead + Seek>(input: &mut R, format: &'static str) -> Result<Layout, Fault> {
    input.seek(SeekFrom::Start(0))?;
    let mut skimmer = Skimmer {
        input,
        offset: 0,
        format,
    };
    skimmer.begin("an rdjson object")?;
    let mut layout = Layout::default();
    let (mut source, mut severity, mut diagnostics) = (None, None, None);
    skimmer.object("an rdjson object", |skimmer, name| {
        let start = skimmer.offset;
        let token = skimmer.token()?;
        skimmer.skip()?;
        let (slot, name) = match name {
            b"source" => (&mut source, "source"),
            b"severity" => (&mut severity, "severity"),
            b"diagnostics" => (&mut diagnostics, "diagnostics"),
            b"message" | b"location" | b"code" => {
                layout.is_diagnostic = true;
                return Ok(());
            }
            _ => return Ok(()),
        };
        if name == "diagnostics" && !matches!(token, b'[' | b'n') {
            return Err(Fault::expected("an array of diagnostics", start));
        }
        let range = (token != b'n').then_some(start..skimmer.offset);
        once(slot, Some(range), name, start)
    })?;
    if skimmer.next_token()?.is_some() {
        return Err(Fault::expected("the end of the report", skimmer.offset));
    }
    layout.source = source.flatten();
    layout.severity = severity.flatten();
    layout.diagnostics = diagnostics.flatten();
    Ok(layout)
}

fn part<R: BufRead + Seek, T: serde::de::DeserializeOwned>(
    input: &mut R,
    range: &Bytes<u64>,
    name: &'static str,
    format: &'static str,
    limit: usize,
) -> Result<Option<T>, Fault> {
    let length = range.end - range.start;
    if length > limit as u64 {
        return Err(Fault::new(
            ErrorKind::TooLong { part: name, limit },
            range.start,
        ));
    }
    input.seek(SeekFrom::Start(range.start))?;
    let mut bytes = Vec::new();
    input.by_ref().take(length).read_to_end(&mut bytes)?;
    check_objects(&bytes, name, range.start)?;
    serde_json::from_slice(&bytes).map_err(|error| Fault::json(format, &error, &bytes, range.start))
}

/// What holds for all diagnostics, and what was read.
struct Reader<'t> {
    tool: &'t str,
    severity: Option<Level>,
    summary: Summary,
}

impl Reader<'_> {
    fn read(
        &mut self,
        ahead: &[u8],
        sink: &mut dyn FnMut(&str, RawFinding),
    ) -> Result<Option<usize>, serde_json::Error> {
        let Some((diagnostic, length)) = first::<Diagnostic<'_>>(ahead)? else {
            return Ok(None);
        };
        self.sort(diagnostic, sink);
        Ok(Some(length))
    }

    fn sort(&mut self, mut diagnostic: Diagnostic<'_>, sink: &mut dyn FnMut(&str, RawFinding)) {
        let source = diagnostic.source.take();
        let tool = source.as_ref().and_then(Source::name).unwrap_or(self.tool);
        let is_ruff = tool == "ruff";
        let finding = diagnostic.into_finding(is_ruff, self.severity);
        let told = &mut self.summary;
        if told.tools.len() < MAX_TOLD && !told.tools.contains(tool) {
            told.tools.insert(cut(tool));
        }
        let cannot_read = finding.rule.as_deref() == Some("E902") && finding.message != NOT_UTF8;
        if is_ruff && cannot_read {
            if told.failures.len() < MAX_TOLD {
                let path = finding.path.unwrap_or_default();
                told.failures
                    .push(cut(&format!("ruff: `{path}`: {}", finding.message)));
            }
            return;
        }
        told.findings += 1;
        sink(tool, finding);
    }
}

#[derive(Deserialize)]
struct Diagnostic<'a> {
    #[serde(borrow)]
    message: Text<'a>,
    #[serde(borrow)]
    location: Option<Location<'a>>,
    severity: Option<Level>,
    #[serde(borrow)]
    source: Option<Source<'a>>,
    #[serde(borrow)]
    code: Option<Code<'a>>,
    #[serde(borrow)]
    suggestions: Option<Vec<Suggestion<'a>>>,
    /// That of a document: one was given for the other.
    #[serde(rename = "diagnostics")]
    _diagnostics: Option<Never>,
}

/// A member that must not be there.
enum Never {}

impl<'de> Deserialize<'de> for Never {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(serde::de::Error::custom(
            "a document with `diagnostics` where a diagnostic belongs, is the format `rdjson`?",
        ))
    }
}

#[derive(Deserialize)]
struct Location<'a> {
    #[serde(borrow)]
    path: Option<Text<'a>>,
    range: Option<Range>,
}

#[derive(Clone, Copy, Deserialize)]
struct Range {
    start: Option<Position>,
    end: Option<Position>,
}

#[derive(Clone, Copy, Deserialize)]
struct Position {
    line: Option<Number>,
    column: Option<Number>,
}

#[derive(Deserialize)]
struct Source<'a> {
    #[serde(borrow)]
    name: Option<Text<'a>>,
}

/// The source of a whole document.
#[derive(Deserialize)]
struct Owner {
    name: Option<String>,
}

#[derive(Deserialize)]
struct Code<'a> {
    #[serde(borrow)]
    value: Option<Text<'a>>,
    #[serde(borrow)]
    url: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct Suggestion<'a> {
    range: Option<Range>,
    #[serde(borrow)]
    text: Option<Text<'a>>,
}

impl Source<'_> {
    fn name(&self) -> Option<&str> {
        let name = self.name.as_ref().map(Text::as_str);
        name.filter(|name| !name.is_empty())
    }
}

impl Diagnostic<'_> {
    fn into_finding(self, is_ruff: bool, overall: Option<Level>) -> RawFinding {
        let unit = if is_ruff {
            ColumnUnit::CodePoint
        } else {
            ColumnUnit::Byte
        };
        let not_empty = |text: Text<'_>| Some(text.into_string()).filter(|text| !text.is_empty());
        let level = self.severity.filter(|level| *level != Level::Unknown);
        let (path, range) = self
            .location
            .map_or((None, None), |location| (location.path, location.range));
        let path = path.and_then(not_empty);
        let in_cell = is_ruff
            && path
                .as_deref()
                .is_some_and(|path| path.strip_suffix(".ipynb").is_some());
        let region = range
            .filter(|_| !in_cell)
            .map_or(Region::FILE, |range| range.region(unit));
        let suggestions = self.suggestions.unwrap_or_default();
        let fix = if in_cell || path.is_none() {
            None
        } else {
            fix(suggestions, is_ruff, unit)
        };
        let (rule, url) = self
            .code
            .map_or((None, None), |code| (code.value, code.url));
        RawFinding {
            rule: rule.and_then(not_empty),
            severity: level.or(overall).unwrap_or(Level::Unknown).severity(),
            message: self.message.into_string(),
            path,
            region,
            url: url.and_then(not_empty),
            help: None,
            fix,
        }
    }
}

fn fix(suggestions: Vec<Suggestion<'_>>, is_ruff: bool, unit: ColumnUnit) -> Option<Fix<Region>> {
    let taken = if is_ruff { usize::MAX } else { 1 };
    let edits = suggestions
        .into_iter()
        .take(taken)
        .map(|suggestion| {
            Some(Edit {
                place: suggestion.range?.of_edit(unit)?,
                text: suggestion
                    .text
                    .map(Text::into_string)
                    .unwrap_or_default()
                    .into(),
            })
        })
        .collect::<Option<Vec<_>>>()?;
    (!edits.is_empty()).then_some(Fix {
        message: None,
        applicability: Applicability::Unsafe,
        edits,
    })
}

impl Range {
    fn region(self, unit: ColumnUnit) -> Region {
        let start = self.start.and_then(Position::settle);
        let end = self.end.and_then(Position::settle);
        let Some((line, column)) = start else {
            return Region {
                unit,
                ..Region::FILE
            };
        };
        // One end without its column: the start of the first line, the whole of the last.
        let (end_line, end_column) =
            end.map_or((None, None), |(line, column)| (Some(line), column));
        Region {
            line: Some(line),
            column: column.or(end_column.map(|_| 0)),
            end_line,
            end_column,
            unit,
        }
    }

    /// With both ends: without columns whole lines, without an end an insertion.
    fn of_edit(self, unit: ColumnUnit) -> Option<Region> {
        let (line, column) = self.start?.settle()?;
        let (end_line, end_column) = match self.end {
            Some(end) => end.settle()?,
            None => (line, column),
        };
        Some(Region {
            line: Some(line),
            column: Some(column.unwrap_or(0)),
            end_line: Some(end_line),
            end_column: Some(end_column.unwrap_or(Region::LINE_END)),
            unit,
        })
    }
}

impl Position {
    /// Line, and 0-based column; 0 is proto3's absent.
    fn settle(self) -> Option<(NonZeroU32, Option<u32>)> {
        let number = |number: Option<Number>| NonZeroU32::new(number?.0);
        let column = number(self.column).map(|column| column.get() - 1);
        Some((number(self.line)?, column))
    }
}

/// `int32` as proto3 writes it: a number or text; what is below 0 is absent, and no line or column is larger.
#[derive(Clone, Copy)]
struct Number(u32);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Digits;
        impl Visitor<'_> for Digits {
            type Value = Number;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a whole number")
            }

            fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Number, E> {
                Ok(Number(u32::try_from(number.max(0)).unwrap_or(u32::MAX)))
            }

            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Number, E> {
                Ok(Number(u32::try_from(number).unwrap_or(u32::MAX)))
            }

            fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Number, E> {
                // `1.0` and `1e2` are whole numbers too.
                let text = format!("{number:.0}");
                match text.parse::<i64>() {
                    Ok(whole) if number.fract() == 0.0 => self.visit_i64(whole),
                    _ => Err(E::invalid_value(
                        serde::de::Unexpected::Float(number),
                        &self,
                    )),
                }
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Number, E> {
                match text.parse::<i64>() {
                    Ok(number) => self.visit_i64(number),
                    Err(_) => Err(E::invalid_value(serde::de::Unexpected::Str(text), &self)),
                }
            }
        }
        deserializer.deserialize_any(Digits)
    }
}

/// `Severity`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Unknown,
    Error,
    Warning,
    Info,
}

impl Level {
    fn severity(self) -> Severity {
        match self {
            Self::Error => Severity::Error,
            Self::Unknown | Self::Warning => Severity::Warning,
            Self::Info => Severity::Note,
        }
    }
}

impl<'de> Deserialize<'de> for Level {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Name;
        impl Visitor<'_> for Name {
            type Value = Level;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a severity")
            }

            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Level, E> {
                Ok(match number {
                    0 => Level::Unknown,
                    2 => Level::Warning,
                    3 => Level::Info,
                    _ => Level::Error,
                })
            }

            fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<Level, E> {
                Ok(Level::Error)
            }

            fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Level, E> {
                let is = |wanted: &str| name.eq_ignore_ascii_case(wanted);
                Ok(if is("UNKNOWN_SEVERITY") || is("") {
                    Level::Unknown
                } else if is("WARNING") {
                    Level::Warning
                } else if is("INFO") {
                    Level::Info
                } else {
                    Level::Error
                })
            }
        }
        deserializer.deserialize_any(Name)
    }
}
