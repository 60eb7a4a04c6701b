//! The journal as bytes: one JSON object a line, each with a hash of itself and that of the line before.
//!
//! What was not written to its end is no line yet. Any other byte that is not as it was written is found, and its line named.
//! A chain of hashes does not tell whether whole lines are missing at its end: only a copy elsewhere does.

use sha2::{Digest as _, Sha256};

use crate::error::{Error, Result};
use crate::model::deployment::journal::Entry;
use crate::model::deployment::state::State;
use crate::model::digest::hex;
use std::collections::BTreeMap;

/// What stands for the hash of the line before the first.
const NONE: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Between the content of a line and its hash.
const SEAL: &str = ",\"hash\":\"";

/// Digits of a hash, and what ends a line behind them.
const HASH: usize = 64;
const END: &str = "\"}";

/// A journal that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Journal {
    /// Its lines.
    pub entries: Vec<Entry>,
    /// Up to where its bytes are lines.
    pub length: u64,
    /// Bytes behind that: of a line that was not written to its end.
    pub torn: u64,
    /// The hash of the last line.
    last: String,
    states: BTreeMap<String, State>,
}

impl Default for Journal {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            length: 0,
            torn: 0,
            last: NONE.to_owned(),
            states: BTreeMap::new(),
        }
    }
}

impl Journal {
    /// Reads the journal that messages call `path`. Fails with the line that is not as it was written.
    pub fn read(bytes: &[u8], path: &str) -> Result<Self> {
        let mut journal = Self::default();
        let mut rest = bytes;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            let (line, behind) = rest.split_at(end);
            journal.take(line).map_err(|what| {
                let number = journal.entries.len() + 1;
                Error::no_verdict(format!(
                    "line {number} of the journal `{path}` is not as it was written: {what}"
                ))
                .hint("compare it with the copy that the report holds; move it away to begin a new one")
            })?;
            rest = behind.get(1..).unwrap_or_default();
        }
        journal.torn = rest.len() as u64;
        Ok(journal)
    }

    /// The entries of those lines that are as they were written, each by itself, of a journal that cannot be read whole.
    pub fn remains(bytes: &[u8]) -> Vec<Entry> {
        let lines = bytes.split(|byte| *byte == b'\n');
        let entries = lines.filter_map(|line| {
            let (content, hash) = opened(std::str::from_utf8(line).ok()?)?;
            let is_sound = digest(content) == hash;
            serde_json::from_str(&format!("{content}}}"))
                .ok()
                .filter(|_| is_sound)
        });
        entries.collect()
    }

    fn take(&mut self, line: &[u8]) -> std::result::Result<(), String> {
        let text = std::str::from_utf8(line).map_err(|_| "it is not UTF-8".to_owned())?;
        let (content, hash) = opened(text).ok_or("it has no hash")?;
        if digest(content) != hash {
            return Err("its hash is not that of its content".to_owned());
        }
        let entry: Entry = serde_json::from_str(&format!("{content}}}"))
            .map_err(|error| format!("it is no entry: {error}"))?;
        if entry.previous != self.last {
            return Err("it does not follow the line before".to_owned());
        }
        if entry.seq != self.entries.len() as u64 + 1 {
            return Err(format!("its number is {}", entry.seq));
        }
        self.may_enter(&entry.deployment, entry.event)?;
        self.states.insert(entry.deployment.clone(), entry.event);
        hash.clone_into(&mut self.last);
        self.length += line.len() as u64 + 1;
        self.entries.push(entry);
        Ok(())
    }

    /// The state of a deployment, if it has any.
    pub fn state(&self, deployment: &str) -> Option<State> {
        self.states.get(deployment).copied()
    }

    fn may_enter(&self, deployment: &str, next: State) -> std::result::Result<(), String> {
        let now = self.state(deployment);
        let may = now.map_or(next == State::Planned, |now| now.may_become(next));
        if may {
            return Ok(());
        }
        let now = now.map_or("nothing", State::name);
        Err(format!("after `{now}` there is no `{}`", next.name()))
    }

    /// The next line, which is this entry; its number and chain are set here. The journal has it when it is
    /// [taken](Journal::accept).
    pub fn line(&self, mut entry: Entry) -> Result<Line> {
        entry.seq = self.entries.len() as u64 + 1;
        entry.previous.clone_from(&self.last);
        self.may_enter(&entry.deployment, entry.event)
            .map_err(|what| Error::bug(format!("the journal: {what}")))?;
        let unwritable = |error| Error::bug("a line of the journal cannot be made").cause(error);
        let whole = serde_json::to_string(&entry).map_err(unwritable)?;
        let content = whole.strip_suffix('}').unwrap_or(&whole);
        let hash = digest(content);
        let bytes = format!("{content}{SEAL}{hash}{END}\n").into_bytes();
        Ok(Line { bytes, entry, hash })
    }

    /// The line has been written.
    pub fn accept(&mut self, line: Line) {
        let Line { bytes, entry, hash } = line;
        self.states.insert(entry.deployment.clone(), entry.event);
        self.length += bytes.len() as u64;
        self.last = hash;
        self.entries.push(entry);
    }
}

/// A line that is to be written.
#[derive(Debug)]
pub struct Line {
    /// Its bytes, the line break at its end among them.
    pub bytes: Vec<u8>,
    entry: Entry,
    hash: String,
}

/// The content of a line, without its last bracket, and its hash.
fn opened(line: &str) -> Option<(&str, &str)> {
    let line = line.strip_suffix(END)?;
    let at = line.len().checked_sub(HASH)?;
    let (content, hash) = line.split_at_checked(at)?;
    let content = content.strip_suffix(SEAL)?;
    hash.bytes()
        .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        .then_some((content, hash))
}

fn digest(content: &str) -> String {
    hex(&Sha256::digest(content.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::deployment::journal::{Facts, Stand};

    fn entry(deployment: &str, event: State) -> Entry {
        Entry {
            seq: 0,
            time: "2026-11-23T04:00:00.000Z".into(),
            previous: String::new(),
            deployment: deployment.into(),
            event,
            facts: Facts {
                release: Some(Stand {
                    version: Some("1.0 \"é\"".into()),
                    ..Stand::default()
                }),
                ..Facts::default()
            },
        }
    }

    fn append(journal: &mut Journal, entry: Entry) -> Result<Vec<u8>> {
        let line = journal.line(entry)?;
        let bytes = line.bytes.clone();
        journal.accept(line);
        Ok(bytes)
    }

    fn written() -> Vec<u8> {
        let mut journal = Journal::default();
        let mut bytes = Vec::new();
        for (deployment, event) in [
            ("a", State::Planned),
            ("a", State::Gated),
            ("b", State::Planned),
            ("b", State::Refused),
            ("a", State::Failure),
        ] {
            bytes.extend(append(&mut journal, entry(deployment, event)).unwrap());
        }
        assert_eq!(Journal::read(&bytes, "j").unwrap(), journal);
        bytes
    }

    #[test]
    fn what_was_not_written_to_its_end_is_no_line() {
        let bytes = written();
        for cut in 0..bytes.len() {
            let whole = Journal::read(&bytes[..cut], "j").unwrap();
            assert_eq!(whole.length + whole.torn, cut as u64);
            let lines = memchr::memchr_iter(b'\n', &bytes[..cut]).count();
            assert_eq!(whole.entries.len(), lines);
        }
    }

    #[test]
    fn any_byte_that_is_another_is_found_and_its_line_named() {
        let bytes = written();
        for at in 0..bytes.len() {
            let number = 1 + memchr::memchr_iter(b'\n', &bytes[..at]).count();
            for other in [bytes[at] ^ 1, b'x', b'"'] {
                // A last line that lost its end is one that was not written to its end.
                if other == bytes[at] || at + 1 == bytes.len() {
                    continue;
                }
                let mut changed = bytes.clone();
                changed[at] = other;
                let error = Journal::read(&changed, "j").unwrap_err();
                let named = format!("line {number} of the journal `j`");
                assert!(error.message.contains(&named), "{at} {}", error.message);
            }
        }
    }

    #[test]
    fn lines_that_are_missing_doubled_or_in_another_order_are_found() {
        let bytes = written();
        let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
        for order in [vec![1, 2], vec![0, 0], vec![0, 2, 1], vec![0, 2]] {
            let text: Vec<u8> = order.iter().flat_map(|at| lines[*at]).copied().collect();
            assert!(Journal::read(&text, "j").is_err(), "{order:?}");
        }
    }

    #[test]
    fn a_state_that_cannot_follow_is_refused_when_it_is_written_and_when_it_is_read() {
        let mut journal = Journal::default();
        assert!(journal.line(entry("a", State::Gated)).is_err());
        let mut bytes = append(&mut journal, entry("a", State::Planned)).unwrap();
        assert!(journal.line(entry("a", State::Success)).is_err());
        // A line with a right hash, made by somebody else.
        let forged = {
            let mut entry = entry("a", State::Success);
            entry.seq = 2;
            entry.previous.clone_from(&journal.last);
            let whole = serde_json::to_string(&entry).unwrap();
            let content = whole.strip_suffix('}').unwrap();
            format!("{content}{SEAL}{}{END}\n", digest(content))
        };
        bytes.extend(forged.into_bytes());
        let error = Journal::read(&bytes, "j").unwrap_err();
        assert!(error.message.contains("no `success`"), "{}", error.message);
    }
}
