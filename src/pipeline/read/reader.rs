//! What every part of the reader uses: values of the right kind, and mistakes gathered rather than ended at.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::error::{Error, Place, did_you_mean};
use crate::globs::{Base, Patterns};
use crate::model::pipeline::{Placed, Template};
use crate::model::{duration, size};
use crate::pipeline::keys;
use crate::pipeline::read::source::Source;
use crate::pipeline::read::tree::{Key, Node, Value};

/// More mistakes than anybody reads at once are not looked for.
const MOST_MISTAKES: usize = 100;

/// A value of the user's is shown so far, in letters.
const LONGEST_SHOWN: usize = 80;

/// The largest size that can be declared, so that sums stay numbers.
const MOST_BYTES: u64 = 1 << 50;

/// Reads values, and keeps what was wrong.
#[derive(Debug)]
pub(crate) struct Reader<'s> {
    pub(crate) source: &'s Source<'s>,
    /// What is wrong so far.
    pub(crate) mistakes: Vec<Error>,
    /// The combination of a matrix that is being read.
    pub(crate) matrix: BTreeMap<String, String>,
    /// The keys of the matrix that were named.
    pub(crate) named: BTreeSet<String>,
}

/// A table whose keys are known.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields<'n>(&'n [(Key, Node)]);

impl<'n> Fields<'n> {
    pub(crate) fn get(&self, name: &str) -> Option<&'n Node> {
        self.entry(name).map(|(_, node)| node)
    }

    pub(crate) fn entry(&self, name: &str) -> Option<&'n (Key, Node)> {
        self.0.iter().find(|(key, _)| key.text == name)
    }
}

impl<'s> Reader<'s> {
    pub(crate) fn new(source: &'s Source<'s>) -> Self {
        Self {
            source,
            mistakes: Vec::new(),
            matrix: BTreeMap::new(),
            named: BTreeSet::new(),
        }
    }

    /// What was read, or every mistake in the order of the file.
    pub(crate) fn finish<T>(self, read: T) -> Result<T, Vec<Error>> {
        let mut mistakes = self.mistakes;
        if mistakes.is_empty() {
            return Ok(read);
        }
        mistakes.sort_by_key(|error| error.place.as_ref().map(|place| (place.line, place.column)));
        Err(mistakes)
    }

    pub(crate) fn place(&self, node: &Node) -> Place {
        self.source.place(&node.span)
    }

    /// Keeps a mistake.
    pub(crate) fn wrong(&mut self, error: Error) {
        if self.mistakes.len() < MOST_MISTAKES {
            self.mistakes.push(error);
        }
    }

    /// Keeps a mistake at a value.
    pub(crate) fn wrong_at(&mut self, node: &Node, message: impl Into<String>) {
        let place = self.place(node);
        self.wrong(Error::usage(message).at(place));
    }

    /// The same with what to do.
    pub(crate) fn wrong_with(&mut self, node: &Node, message: impl Into<String>, hint: &str) {
        let place = self.place(node);
        self.wrong(Error::usage(message).at(place).hint(hint));
    }

    pub(crate) fn unfit(&mut self, key: &str, node: &Node, expected: &str) {
        let kind = node.kind();
        self.wrong_at(node, format!("`{key}` must be {expected}, and is {kind}"));
    }

    /// The entries of a table with any keys.
    pub(crate) fn entries<'n>(&mut self, key: &str, node: &'n Node) -> Option<&'n [(Key, Node)]> {
        if let Value::Table(entries) = &node.value {
            return Some(entries);
        }
        self.unfit(key, node, "a table");
        None
    }

    /// A table with these keys and no others.
    pub(crate) fn fields<'n>(
        &mut self,
        key: &str,
        node: &'n Node,
        known: &[keys::Key],
    ) -> Option<Fields<'n>> {
        let entries = self.entries(key, node)?;
        for (own, _) in entries {
            if known.iter().any(|key| key.name == own.text) {
                continue;
            }
            let error = Error::usage(format!("unknown key `{}`", shown(&own.text)))
                .at(self.source.place(&own.span));
            let names = || known.iter().map(|key| key.name);
            self.wrong(match did_you_mean(&own.text, names()) {
                Some(close) => error.hint(format!("write `{close}`")),
                None => error.allowed(names()),
            });
        }
        let fields = Fields(entries);
        for required in known.iter().filter(|key| key.is_required) {
            if fields.get(required.name).is_none() {
                self.wrong_at(node, format!("`{key}` needs `{}`", required.name));
            }
        }
        Some(fields)
    }

    /// A text that is not empty, just as it was written.
    pub(crate) fn raw_text<'n>(&mut self, key: &str, node: &'n Node) -> Option<&'n str> {
        match &node.value {
            Value::Text(text) if text.contains('\0') => {
                self.wrong_at(node, format!("`{key}` has a NUL character"));
                None
            }
            Value::Text(text) if !text.trim().is_empty() => Some(text),
            Value::Text(_) => {
                self.wrong_at(node, format!("`{key}` is empty"));
                None
            }
            _ => {
                self.unfit(key, node, "a text");
                None
            }
        }
    }

    /// A text in which the values of the matrix are put in, and which refers to nothing else.
    pub(crate) fn text(&mut self, key: &str, node: &Node) -> Option<String> {
        let text = self.raw_text(key, node)?;
        let template = self.template_of(key, node, text)?;
        self.without_references(key, node, template)
    }

    fn without_references(&mut self, key: &str, node: &Node, template: Template) -> Option<String> {
        if !template.references.is_empty() {
            let message = format!("`{key}` cannot refer to the outputs of a stage");
            let hint = "refer to them in `run = [\"…\"]`, `with` or `env`";
            self.wrong_with(node, message, hint);
            return None;
        }
        Some(template.text)
    }

    pub(crate) fn placed(&mut self, key: &str, node: &Node) -> Option<Placed<String>> {
        let value = self.text(key, node)?;
        let place = self.place(node);
        Some(Placed { value, place })
    }

    /// The items of a list, or a value alone.
    pub(crate) fn items(node: &Node) -> &[Node] {
        match &node.value {
            Value::List(items) => items,
            _ => std::slice::from_ref(node),
        }
    }

    /// One text or a list of them.
    pub(crate) fn texts(&mut self, key: &str, node: &Node) -> Vec<Placed<String>> {
        let items = Self::items(node).iter();
        items.filter_map(|item| self.placed(key, item)).collect()
    }

    /// One text or a list of them, without their places.
    pub(crate) fn words(&mut self, key: &str, node: &Node) -> Vec<String> {
        let texts = self.texts(key, node).into_iter();
        texts.map(|text| text.value).collect()
    }

    /// A program and its arguments, as plain texts.
    pub(crate) fn program(&mut self, key: &str, node: &Node) -> Option<Vec<String>> {
        let Value::List(items) = &node.value else {
            self.unfit(key, node, "a list: a program and its arguments");
            return None;
        };
        self.check_program(key, node, items)?;
        let words = items.iter().map(|item| {
            let template = self.template(key, item)?;
            self.without_references(key, item, template)
        });
        words.collect()
    }

    /// The first word of a program must be one.
    pub(crate) fn check_program(&mut self, key: &str, node: &Node, items: &[Node]) -> Option<()> {
        let first = items.first().map(|item| &item.value);
        if first.is_none_or(|first| matches!(first, Value::Text(text) if text.is_empty())) {
            self.wrong_at(node, format!("`{key}` names no program"));
            return None;
        }
        Some(())
    }

    pub(crate) fn flag(&mut self, key: &str, node: &Node) -> Option<bool> {
        if let Value::Flag(flag) = node.value {
            return Some(flag);
        }
        self.unfit(key, node, "true or false");
        None
    }

    /// A whole number in these bounds.
    pub(crate) fn whole(&mut self, key: &str, node: &Node, least: i64, most: i64) -> Option<u32> {
        let Value::Integer(number) = node.value else {
            self.unfit(key, node, "a whole number");
            return None;
        };
        if (least..=most).contains(&number) {
            return u32::try_from(number).ok();
        }
        let message = format!("`{key}` must be from {least} to {most}, and is {number}");
        self.wrong_at(node, message);
        None
    }

    pub(crate) fn duration(&mut self, key: &str, node: &Node) -> Option<Duration> {
        let text = self.raw_text(key, node)?;
        match duration::parse(text) {
            Ok(duration) => Some(duration),
            Err(what) => {
                self.wrong_at(node, format!("`{key}`: `{}`: {what}", shown(text)));
                None
            }
        }
    }

    /// A number of bytes, as a text with its unit or as a number.
    pub(crate) fn size(&mut self, key: &str, node: &Node) -> Option<u64> {
        let bytes = match node.value {
            Value::Integer(number) => {
                u64::try_from(number).map_err(|_| "it is negative".to_owned())
            }
            _ => size::parse(self.raw_text(key, node)?),
        };
        match bytes {
            Ok(bytes @ 1..=MOST_BYTES) => Some(bytes),
            Ok(_) => {
                self.wrong_at(node, format!("`{key}` must be from 1 byte to 1024 TiB"));
                None
            }
            Err(what) => {
                self.wrong_at(node, format!("`{key}`: {what}"));
                None
            }
        }
    }

    /// One of these words.
    pub(crate) fn one_of<'k>(
        &mut self,
        key: &str,
        node: &Node,
        known: &[&'k str],
    ) -> Option<&'k str> {
        let text = self.raw_text(key, node)?;
        if let Some(word) = known.iter().find(|word| **word == text) {
            return Some(word);
        }
        let error = Error::usage(format!("`{key}` cannot be `{}`", shown(text)))
            .at(self.place(node))
            .allowed(known.iter().copied());
        self.wrong(match did_you_mean(text, known.iter().copied()) {
            Some(close) => error.hint(format!("write `{close}`")),
            None => error,
        });
        None
    }

    /// Patterns of files, each from a folder that is known later.
    pub(crate) fn patterns(&mut self, key: &str, node: &Node) -> Vec<Placed<String>> {
        let items = Self::items(node).iter();
        items.filter_map(|item| self.pattern(key, item)).collect()
    }

    /// One pattern of files.
    pub(crate) fn pattern(&mut self, key: &str, node: &Node) -> Option<Placed<String>> {
        let pattern = self.placed(key, node)?;
        let text = &pattern.value;
        let inner = text.strip_prefix('!').unwrap_or(text);
        let base = Base {
            directory: "/",
            home: None,
        };
        let (what, hint) = if text.contains(['\n', '\r']) {
            ("it has several lines".to_owned(), "write a list")
        } else if text.starts_with('#') {
            (
                "it would be a comment".to_owned(),
                "write `[#]` for the letter at the start",
            )
        } else if inner.starts_with('/') || inner.contains('\\') {
            (
                "it is an absolute path, or has backslashes".to_owned(),
                "write it from the folder of the stage, with `/`",
            )
        } else {
            match Patterns::parse(text, &base) {
                Ok(_) => return Some(pattern),
                Err(fault) => (fault.problem.to_string(), fault.problem.hint()),
            }
        };
        self.wrong_with(node, format!("`{key}`: `{}`: {what}", shown(text)), hint);
        None
    }

    /// A regular expression of the crate `regex`.
    pub(crate) fn expression(&mut self, key: &str, node: &Node) -> Option<Placed<String>> {
        let text = self.raw_text(key, node)?;
        match regex::bytes::Regex::new(text) {
            Ok(_) => Some(Placed {
                value: text.to_owned(),
                place: self.place(node),
            }),
            Err(error) => {
                let error = Error::usage(format!(
                    "`{key}`: `{}` is no regular expression",
                    shown(text)
                ))
                .cause(error.to_string().trim())
                .at(self.place(node));
                self.wrong(error);
                None
            }
        }
    }
}

/// A value of the user's, cut where it is long.
pub(crate) fn shown(text: &str) -> String {
    let mut letters = text.chars();
    let mut start: String = letters.by_ref().take(LONGEST_SHOWN).collect();
    if letters.next().is_some() {
        start.push('…');
    }
    start
}
