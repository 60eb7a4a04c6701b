//! The file of findings that are known already: one a line, so that branches merge and people can read what changes.
//!
//! ```text
//! # lockgate baseline 1
//! src/app.py  ruff:F401  9d3c1f02-77aa01c3-5e0b6f60-00000000-1f2e3d4c  1  `os` imported but unused
//! ```
//!
//! The fields are separated by tabs: the file, tool and rule, what the finding is known by (message, statement, part,
//! class or function, neighbours; see `outline`), how often, and the message for people. There are no line numbers and
//! no times. Lines are sorted, but need not be: with `merge=union` in `.gitattributes` git keeps the lines of both
//! branches, and an entry that is there twice counts as often as the larger of the two says. So a merge never knows
//! more than one of its branches did.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt::Write as _;
use std::sync::Arc;

use crate::baseline::key::Keyed;
use crate::baseline::matching::{Entry, Known};
use crate::baseline::message::{self, first_line};
use crate::baseline::outline::Site;
use crate::error::{Error, Place, Result};
use crate::model::untrusted;

/// The first line.
const HEADER: &str = "# lockgate baseline 1";

/// The beginning of the first line, whatever the version.
const ANY_HEADER: &str = "# lockgate baseline ";

/// So much of a message is kept, in characters.
const SHOWN: usize = 100;

/// What stands for "no file" in the first field.
const NO_FILE: &str = "-";

/// Findings that are known already.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline {
    /// In the order of the file, each once.
    pub entries: Vec<Entry>,
}

impl Baseline {
    /// Reads the content of the file of that name.
    pub fn parse(text: &str, name: &str) -> Result<Self> {
        let body = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut reader = Reader {
            text,
            name,
            entries: Vec::new(),
            met: HashMap::new(),
        };
        let mut at = text.len() - body.len();
        let mut has_header = false;
        for line in body.split_inclusive('\n') {
            let content = line.trim_end_matches(['\n', '\r']);
            if !has_header {
                reader.header(content, at)?;
                has_header = true;
            } else if content.starts_with(ANY_HEADER) {
                // Two branches that both began the file.
                reader.header(content, at)?;
            } else if !content.is_empty() && !content.starts_with('#') {
                reader.entry(content, at)?;
            }
            at += line.len();
        }
        if !has_header {
            return Err(reader.wrong(0..0, "is empty").hint(UPDATE));
        }
        Ok(Self {
            entries: reader.entries,
        })
    }

    /// The findings of a run, each with its message, as a baseline. Entries that say the same of the same place stay as
    /// they are, whatever their neighbours became, so that the file changes only where the findings did.
    #[must_use]
    pub fn of<'a>(&self, findings: impl IntoIterator<Item = (&'a Keyed, &'a str)>) -> Self {
        let mut entries: BTreeMap<Identity<'a>, Entry> = BTreeMap::new();
        for (keyed, message) in findings {
            entries
                .entry(identity(keyed))
                .and_modify(|entry| entry.count = entry.count.saturating_add(1))
                .or_insert_with(|| Entry {
                    message: short(&message::normalise(first_line(message))).into(),
                    ..Entry::once(keyed.clone())
                });
        }
        let mut earlier: HashMap<_, VecDeque<&Entry>> = HashMap::new();
        for entry in self
            .entries
            .iter()
            .filter(|entry| entry.known == Known::Site)
        {
            earlier
                .entry(identity(&entry.keyed).place)
                .or_default()
                .push_back(entry);
        }
        // Those with the same neighbours first, so that no entry takes the line of another one.
        let mut open = Vec::new();
        for (identity, entry) in &mut entries {
            let like = earlier.get_mut(&identity.place);
            let same = like.and_then(|like| {
                let at = like
                    .iter()
                    .position(|like| like.keyed.site == entry.keyed.site)?;
                like.remove(at)
            });
            match same {
                Some(earlier) => entry.message.clone_from(&earlier.message),
                None => open.push((identity.place, entry)),
            }
        }
        for (place, entry) in open {
            let like = earlier.get_mut(&place);
            if let Some(earlier) = like.and_then(VecDeque::pop_front) {
                *entry = Entry {
                    count: entry.count,
                    ..earlier.clone()
                };
            }
        }
        let mut entries: Vec<Entry> = entries.into_values().collect();
        entries.sort_by(|left, right| identity(&left.keyed).cmp(&identity(&right.keyed)));
        Self { entries }
    }

    /// The content of the file. Entries of other programs' baselines have no place in it.
    pub fn render(&self) -> String {
        let mut lines: Vec<(Identity<'_>, String)> = self
            .entries
            .iter()
            .filter(|entry| entry.known == Known::Site)
            .map(|entry| (identity(&entry.keyed), line(entry)))
            .collect();
        lines.sort();
        let mut text = format!("{HEADER}\n");
        for (_, line) in lines {
            text.push_str(&line);
            text.push('\n');
        }
        text
    }
}

/// What makes two entries the same, in the order of the file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Identity<'a> {
    place: (Option<&'a str>, &'a str, Option<&'a str>, [u32; 4]),
    neighbours: [u16; 2],
}

fn identity(keyed: &Keyed) -> Identity<'_> {
    let Site {
        text,
        part,
        scope,
        before,
        after,
    } = keyed.site;
    Identity {
        place: (
            keyed.path.as_deref(),
            &keyed.tool,
            keyed.rule.as_deref(),
            [keyed.message, text, part, scope],
        ),
        neighbours: [before, after],
    }
}

fn line(entry: &Entry) -> String {
    let keyed = &entry.keyed;
    let mut line = match &keyed.path {
        None => NO_FILE.to_owned(),
        Some(path) if &**path == NO_FILE => "%2D".to_owned(),
        Some(path) => escape(path, |character| character == '#'),
    };
    line.push('\t');
    line.push_str(&escape(&keyed.tool, |character| character == ':'));
    if let Some(rule) = &keyed.rule {
        line.push(':');
        line.push_str(&escape(rule, |_| false));
    }
    let Site {
        text,
        part,
        scope,
        before,
        after,
    } = keyed.site;
    let _ = write!(
        line,
        "\t{:08x}-{text:08x}-{part:08x}-{scope:08x}-{before:04x}{after:04x}\t{}\t{}",
        keyed.message,
        entry.count,
        short(&entry.message)
    );
    line
}

/// The first line of a message, harmless and not too long.
fn short(message: &str) -> String {
    let harmless = untrusted::line(first_line(message));
    let words: Vec<&str> = harmless.split_whitespace().collect();
    let words = words.join(" ");
    match words.char_indices().nth(SHOWN) {
        Some((end, _)) if !words.ends_with('…') || words.chars().count() > SHOWN + 1 => {
            format!("{}…", words.get(..end).unwrap_or_default())
        }
        _ => words,
    }
}

/// `%` and what would break the line or not be seen, as in URIs; and what else the field cannot hold.
fn escape(text: &str, cannot_hold: impl Fn(char) -> bool) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        let is_hidden = character.is_control()
            || (character.is_whitespace() && character != ' ')
            || matches!(character, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
        if character == '%' || is_hidden || cannot_hold(character) {
            for byte in character.encode_utf8(&mut [0; 4]).bytes() {
                let _ = write!(escaped, "%{byte:02X}");
            }
        } else {
            escaped.push(character);
        }
    }
    escaped
}

fn unescape(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, behind)) = rest.split_first() {
        rest = behind;
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let (digits, behind) = rest.split_at_checked(2)?;
        let digits = std::str::from_utf8(digits).ok()?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = behind;
    }
    String::from_utf8(bytes).ok()
}

const UPDATE: &str = "write the file anew with `lockgate lint-gate --update-baseline`";

/// An entry without its count and its message.
type Whole = (Option<Arc<str>>, Arc<str>, Option<Arc<str>>, u32, Site);

struct Reader<'a> {
    text: &'a str,
    name: &'a str,
    entries: Vec<Entry>,
    /// Where each entry is.
    met: HashMap<Whole, usize>,
}

impl Reader<'_> {
    fn wrong(&self, span: std::ops::Range<usize>, what: &str) -> Error {
        Error::usage(format!("`{}` {what}", self.name))
            .at(Place::in_text(self.name, self.text, span))
    }

    fn header(&self, line: &str, at: usize) -> Result<()> {
        if line == HEADER {
            return Ok(());
        }
        let span = at..at + line.len();
        Err(match line.strip_prefix(ANY_HEADER) {
            Some(version) => self
                .wrong(span, &format!("is a baseline of version `{}`", untrusted::line(version)))
                .hint("use the release of Lockgate that wrote it, or write it anew with `lockgate lint-gate --update-baseline`"),
            None => self
                .wrong(span, &format!("does not begin with `{HEADER}`"))
                .hint(UPDATE),
        })
    }

    fn entry(&mut self, line: &str, at: usize) -> Result<()> {
        if ["<<<<<<<", "=======", ">>>>>>>", "|||||||"]
            .iter()
            .any(|mark| line.starts_with(mark) && !line.contains('\t'))
        {
            return Err(self
                .wrong(at..at + line.len(), "has the marks of a merge conflict")
                .hint(format!("keep the lines of both sides; `{} merge=union` in `.gitattributes` does so from now on", self.name)));
        }
        let mut fields = Fields {
            line,
            at,
            rest: Some(line),
            from: at,
        };
        let mut field = |what: &str| {
            fields.next().ok_or_else(|| {
                self.wrong(
                    fields.at..fields.at + fields.line.len(),
                    &format!("has a line without {what}"),
                )
                .hint("a line is: file, tool:rule, key, count and message, with tabs between them")
            })
        };
        let (path, path_span) = field("a tool")?;
        let (rule, rule_span) = field("a key")?;
        let (key, key_span) = field("a count")?;
        let (count, count_span) = field("a message")?;
        let message = fields.rest.unwrap_or_default();
        let path = match path {
            NO_FILE => None,
            path => Some(
                unescape(path)
                    .filter(|path| is_inside(path))
                    .ok_or_else(|| {
                        self.wrong(path_span, &format!("names `{}`, which is no file of the repository", untrusted::line(path)))
                            .hint("write paths relative to the root of the repository, with `/`, and `%` as `%25`")
                    })?,
            ),
        };
        let (tool, rule) = match rule.split_once(':') {
            Some((tool, rule)) => (unescape(tool), Some(unescape(rule))),
            None => (unescape(rule), None),
        };
        let (Some(tool), rule @ (None | Some(Some(_)))) =
            (tool.filter(|tool| !tool.is_empty()), rule)
        else {
            return Err(self
                .wrong(rule_span, "has a line that names no tool")
                .hint("write `ruff:F401`, or the tool alone for findings without a rule"));
        };
        let Some((message_hash, site)) = site(key) else {
            return Err(self
                .wrong(
                    key_span,
                    &format!("has `{}` where a key belongs", untrusted::line(key)),
                )
                .hint(UPDATE));
        };
        let is_plain = count.bytes().all(|byte| byte.is_ascii_digit());
        let Some(count) = count.parse().ok().filter(|count| *count > 0 && is_plain) else {
            return Err(self
                .wrong(
                    count_span,
                    &format!("has `{}` where a count belongs", untrusted::line(count)),
                )
                .hint("write how often the finding is known, from 1 on"));
        };
        let keyed = Keyed {
            tool: tool.into(),
            rule: rule.flatten().map(Into::into),
            path: path.map(Into::into),
            message: message_hash,
            site,
            column: None,
        };
        let identity = (
            keyed.path.clone(),
            Arc::clone(&keyed.tool),
            keyed.rule.clone(),
            keyed.message,
            site,
        );
        let place = *self.met.entry(identity).or_insert(self.entries.len());
        match self.entries.get_mut(place) {
            Some(earlier) => earlier.count = earlier.count.max(count),
            None => self.entries.push(Entry {
                count,
                message: message.into(),
                ..Entry::once(keyed)
            }),
        }
        Ok(())
    }
}

/// The fields of a line, each with its place in the file.
struct Fields<'a> {
    line: &'a str,
    at: usize,
    rest: Option<&'a str>,
    from: usize,
}

impl<'a> Fields<'a> {
    /// The next field, if another one follows.
    fn next(&mut self) -> Option<(&'a str, std::ops::Range<usize>)> {
        let (field, rest) = self.rest?.split_once('\t')?;
        let span = self.from..self.from + field.len();
        self.rest = Some(rest);
        self.from += field.len() + 1;
        Some((field, span))
    }
}

/// Whether a path names something below the root, in one way only.
pub(super) fn is_inside(path: &str) -> bool {
    let is_plain = |part: &str| !part.is_empty() && part != "." && part != "..";
    path.split('/').all(is_plain) && !path.contains('\0')
}

fn site(key: &str) -> Option<(u32, Site)> {
    let mut parts = key.split('-');
    let mut next = || {
        let part = parts.next()?;
        let is_hash = part.len() == 8 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_hash
            .then(|| u32::from_str_radix(part, 16).ok())
            .flatten()
    };
    let (message, text, part, scope, near) = (next()?, next()?, next()?, next()?, next()?);
    let site = Site {
        text,
        part,
        scope,
        before: u16::try_from(near >> 16).ok()?,
        after: u16::try_from(near & 0xffff).ok()?,
    };
    parts.next().is_none().then_some((message, site))
}
