//! By what a finding is known again, whatever happened to the lines around it.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;

use crate::baseline::hash::{self, Hash};
use crate::baseline::message;
use crate::baseline::outline::{Outline, Site};
use crate::model::diagnostic::{Finding, Fingerprints};

/// A finding, as it is compared with those of another tree.
///
/// The path is a hint only: files are renamed, and code moves between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keyed {
    /// The tool.
    pub tool: Arc<str>,
    /// Its rule.
    pub rule: Option<Arc<str>>,
    /// The file.
    pub path: Option<Arc<str>>,
    /// The message without places.
    pub message: u32,
    /// What it stands in.
    pub site: Site,
    /// Where it begins in its line, to compare with baselines of other programs.
    pub column: Option<Column>,
}

/// A column in the units that baselines of other programs use; both 0-based.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// In code points: pyrefly.
    pub code_points: u32,
    /// In UTF-16 units: basedpyright.
    pub utf16: u32,
}

/// What is hashed of a finding besides its tool and its rule: what it says, and what it stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Essence {
    /// The message without places.
    pub message: u32,
    /// What it stands in.
    pub site: Site,
}

/// The key of a finding, with the outline of its file where that could be read.
pub fn key(finding: &Finding, outline: Option<&Outline<'_>>) -> Keyed {
    let essence = Keyer::default().essence(finding, outline);
    essence.keyed(finding, outline)
}

/// So many messages are known by their hash.
const MESSAGES: usize = 4_096;

/// Makes keys. Findings that share a message share the work.
#[derive(Debug, Default)]
pub struct Keyer {
    /// By address: each message is held, so that no other one can stand there.
    messages: HashMap<usize, (Arc<str>, u32), RandomState>,
}

impl Keyer {
    /// What a finding is about, with the outline of its file where that could be read.
    pub fn essence(&mut self, finding: &Finding, outline: Option<&Outline<'_>>) -> Essence {
        let located = outline.zip(finding.span);
        Essence {
            message: self.message(&finding.message),
            site: located.map_or_else(Site::default, |(outline, span)| outline.at(span.start)),
        }
    }

    fn message(&mut self, message: &Arc<str>) -> u32 {
        if self.messages.len() >= MESSAGES {
            self.messages.clear();
        }
        let known = self.messages.entry(message.as_ptr().addr());
        known
            .or_insert_with(|| (Arc::clone(message), message_hash(message)))
            .1
    }
}

/// The hash of a message without places.
pub(super) fn message_hash(message: &str) -> u32 {
    hash::of(message::normalise(message::first_line(message)).as_bytes())
}

impl Essence {
    /// The key of the finding that it is of.
    pub fn keyed(self, finding: &Finding, outline: Option<&Outline<'_>>) -> Keyed {
        let located = outline.zip(finding.span);
        Keyed {
            tool: Arc::clone(&finding.tool),
            rule: finding.rule.clone(),
            path: finding.path.clone(),
            message: self.message,
            site: self.site,
            column: located.and_then(|(outline, span)| {
                let point = span.start;
                let line = outline.lines().line(point.line)?;
                let before = line.get(..usize::try_from(point.byte?).ok()?)?;
                let text = String::from_utf8_lossy(before);
                Some(Column {
                    code_points: point.column?.checked_sub(1)?,
                    utf16: u32::try_from(text.encode_utf16().count()).ok()?,
                })
            }),
        }
    }

    /// The fingerprints of the first finding of its like in its file. `line` is GitHub's hash of its line.
    pub fn fingerprints(
        self,
        tool: &str,
        rule: Option<&str>,
        line: Option<(u64, u32)>,
    ) -> Fingerprints {
        let mut hash = Hash::default();
        hash.add(tool.as_bytes()).end();
        hash.add(rule.unwrap_or_default().as_bytes()).end();
        let site = [self.site.text, self.site.part, self.site.scope];
        for part in [self.message].into_iter().chain(site) {
            hash.add(&part.to_be_bytes());
        }
        hash.add(&[0; 4]);
        Fingerprints {
            line,
            key: hash.finish_long(),
        }
    }
}

/// Tells findings of one file apart that have the same fingerprint: the second, the third and so on get another one.
#[derive(Debug, Default)]
pub struct Repeats(HashMap<u64, u32, RandomState>);

impl Repeats {
    /// Takes the findings of a file in the order of their places.
    pub fn tell_apart(&mut self, fingerprints: &mut Fingerprints) {
        let met = self.0.entry(fingerprints.key).or_default();
        if *met > 0 {
            let mut hash = Hash::default();
            hash.add(&fingerprints.key.to_be_bytes())
                .add(&met.to_be_bytes());
            fingerprints.key = hash.finish_long();
        }
        *met = met.saturating_add(1);
    }
}
