//! Baselines of other programs: mypy-baseline, basedpyright and pyrefly. What they know becomes entries; the first
//! update writes these as our own.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::baseline::file::is_inside;
use crate::baseline::key::{Keyed, message_hash};
use crate::baseline::matching::{Entry, ForeignColumn, Known};
use crate::baseline::outline::Site;
use crate::error::{Error, Place, Result};
use crate::model::untrusted;

/// The programs whose baselines are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Foreign {
    /// `mypy-baseline.txt`: mypy's own lines, their numbers zero.
    MypyBaseline,
    /// `.basedpyright/baseline.json`: rules and columns in UTF-16 units, without messages.
    Basedpyright,
    /// What `pyrefly check --baseline` reads: rules, columns in code points, and messages.
    Pyrefly,
}

impl Foreign {
    /// The program whose baseline has this content, if it is one of theirs.
    pub fn of_text(text: &str) -> Option<Self> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text).trim_start();
        if text.starts_with('{') {
            let key = text.get(1..)?.trim_start();
            return match key {
                _ if key.starts_with("\"files\"") => Some(Self::Basedpyright),
                _ if key.starts_with("\"errors\"") => Some(Self::Pyrefly),
                _ => None,
            };
        }
        mypy_line(text.lines().next()?).map(|_| Self::MypyBaseline)
    }

    /// Reads the content of the file of that name. `folder` is where the program ran, relative to the workspace root,
    /// empty for the root itself: its paths are relative to it.
    pub fn parse(self, text: &str, name: &str, folder: &str) -> Result<Vec<Entry>> {
        let body = text.strip_prefix('\u{feff}').unwrap_or(text);
        let into = |known: Vec<Knows<'_>>| {
            known
                .into_iter()
                .map(|knows| knows.into_entry(folder))
                .collect::<std::result::Result<Vec<_>, _>>()
                .map_err(|path| {
                    Error::usage(format!(
                        "`{name}` names `{}`, which is no file of the repository",
                        untrusted::line(&path)
                    ))
                    .at(Place::in_text(
                        name,
                        text,
                        text.find(&path).map_or(0..0, |at| at..at + path.len()),
                    ))
                    .hint("write the baseline anew from within the repository")
                })
        };
        let wrong = |error: &serde_json::Error| {
            let line = text
                .split_inclusive('\n')
                .take(error.line().saturating_sub(1));
            let start = line.map(str::len).sum::<usize>();
            let at = start + error.column().saturating_sub(1);
            Error::usage(format!("`{name}` cannot be read"))
                .at(Place::in_text(name, text, at..at + 1))
                .cause(error)
                .hint("write the baseline anew with the program that made it")
        };
        let entries = match self {
            Self::MypyBaseline => into(mypy_lines(body, text, name)?)?,
            Self::Basedpyright => {
                let file: BasedpyrightFile =
                    serde_json::from_str(body).map_err(|error| wrong(&error))?;
                into(file.knows())?
            }
            Self::Pyrefly => {
                let file: PyreflyFile =
                    serde_json::from_str(body).map_err(|error| wrong(&error))?;
                into(file.knows())?
            }
        };
        Ok(counted(entries))
    }
}

/// One line of a foreign baseline.
struct Knows<'a> {
    tool: &'static str,
    rule: Option<&'a str>,
    path: &'a str,
    message: Option<&'a str>,
    column: Option<ForeignColumn>,
    optional: bool,
}

impl Knows<'_> {
    /// The entry, or the path that leads nowhere.
    fn into_entry(self, folder: &str) -> std::result::Result<Entry, String> {
        let inside = self.path.replace('\\', "/");
        let mut inside = inside.as_str();
        while let Some(rest) = inside.strip_prefix("./") {
            inside = rest;
        }
        let path = match folder.trim_matches('/') {
            "" | "." => inside.to_owned(),
            folder => format!("{folder}/{inside}"),
        };
        if !is_inside(&path) {
            return Err(self.path.to_owned());
        }
        Ok(Entry {
            keyed: Keyed {
                tool: self.tool.into(),
                rule: self.rule.map(Into::into),
                path: Some(path.into()),
                message: self.message.map_or(0, message_hash),
                site: Site::default(),
                column: None,
            },
            count: 1,
            known: Known::Foreign {
                message: self.message.is_some(),
                column: self.column,
                optional: self.optional,
            },
            message: self.message.unwrap_or_default().into(),
        })
    }
}

/// Equal entries as one.
fn counted(entries: Vec<Entry>) -> Vec<Entry> {
    let mut counted: BTreeMap<_, Entry> = BTreeMap::new();
    for entry in entries {
        let column = match entry.known {
            Known::Foreign {
                column: Some(ForeignColumn::CodePoints(number)),
                ..
            } => (1, number),
            Known::Foreign {
                column: Some(ForeignColumn::Utf16(number)),
                ..
            } => (2, number),
            _ => (0, 0),
        };
        let key = (
            entry.keyed.path.clone(),
            entry.keyed.rule.clone(),
            entry.keyed.message,
            column,
        );
        counted
            .entry(key)
            .and_modify(|known| known.count = known.count.saturating_add(1))
            .or_insert(entry);
    }
    counted.into_values().collect()
}

fn mypy_lines<'a>(body: &'a str, text: &str, name: &str) -> Result<Vec<Knows<'a>>> {
    let mut at = text.len() - body.len();
    let mut known = Vec::new();
    for line in body.split_inclusive('\n') {
        let content = line.trim_end();
        if !content.is_empty() {
            known.push(mypy_line(content).ok_or_else(|| {
                Error::usage(format!("`{name}` has a line that is no finding of mypy"))
                    .at(Place::in_text(name, text, at..at + content.len()))
                    .hint("a line is `src/app.py:0: error: Message  [code]`; write the file anew with `mypy | mypy-baseline sync`")
            })?);
        }
        at += line.len();
    }
    Ok(known)
}

/// `bad.py:0: error: Message  [code]`. Notes have no code: where mypy prints JSON, those that say more about an error
/// are part of it, and all others have the code `misc`.
fn mypy_line(line: &str) -> Option<Knows<'_>> {
    let kinds = [": error: ", ": warning: ", ": note: "];
    let (at, kind) = kinds
        .iter()
        .filter_map(|kind| Some((line.find(kind)?, *kind)))
        .min()?;
    let (place, message) = (line.get(..at)?, line.get(at + kind.len()..)?);
    let (path, number) = place.rsplit_once(':')?;
    number.parse::<u32>().ok()?;
    // Columns are kept with `--show-column-numbers`, lines where the configuration says so.
    let path = match path.rsplit_once(':') {
        Some((path, number)) if number.parse::<u32>().is_ok() => path,
        _ => path,
    };
    let (message, rule) = match message.rsplit_once("  [") {
        Some((message, code)) if code.ends_with(']') => (message, code.strip_suffix(']')),
        _ => (message, None),
    };
    let is_note = kind == ": note: ";
    Some(Knows {
        tool: "mypy",
        rule: rule.or(is_note.then_some("misc")),
        path,
        message: Some(message),
        column: None,
        optional: is_note,
    })
}

#[derive(Deserialize)]
struct BasedpyrightFile {
    files: BTreeMap<String, Vec<BasedpyrightEntry>>,
}

#[derive(Deserialize)]
struct BasedpyrightEntry {
    /// Absent for syntax errors and `reveal_type`.
    code: Option<String>,
    range: BasedpyrightRange,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BasedpyrightRange {
    start_column: u32,
}

impl BasedpyrightFile {
    fn knows(&self) -> Vec<Knows<'_>> {
        let mut known = Vec::new();
        for (path, entries) in &self.files {
            for entry in entries {
                known.push(Knows {
                    tool: "basedpyright",
                    rule: entry.code.as_deref(),
                    path,
                    message: None,
                    column: Some(ForeignColumn::Utf16(entry.range.start_column)),
                    optional: false,
                });
            }
        }
        known
    }
}

#[derive(Deserialize)]
struct PyreflyFile {
    errors: Vec<PyreflyEntry>,
}

#[derive(Deserialize)]
struct PyreflyEntry {
    path: String,
    column: u32,
    name: String,
    concise_description: String,
}

impl PyreflyFile {
    fn knows(&self) -> Vec<Knows<'_>> {
        let known = self.errors.iter().map(|entry| Knows {
            tool: "pyrefly",
            rule: Some(&entry.name),
            path: &entry.path,
            message: Some(&entry.concise_description),
            column: entry.column.checked_sub(1).map(ForeignColumn::CodePoints),
            optional: false,
        });
        known.collect()
    }
}
