//! By what a finding is known again, whatever happened to the lines around it.

use std::collections::HashMap;
use std::sync::Arc;

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

/// The key of a finding, with the outline of its file where that could be read.
pub fn key(finding: &Finding, outline: Option<&Outline<'_>>) -> Keyed {
    let start = finding.span.map(|span| span.start);
    let located = outline.zip(start);
    Keyed {
        tool: Arc::clone(&finding.tool),
        rule: finding.rule.clone(),
        path: finding.path.clone(),
        message: message_hash(&finding.message),
        site: located.map_or_else(Site::default, |(outline, point)| outline.at(point)),
        column: located.and_then(|(outline, point)| {
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

/// The hash of a message without places.
pub(super) fn message_hash(message: &str) -> u32 {
    hash::of(message::normalise(message::first_line(message)).as_bytes())
}

impl Keyed {
    /// The durable key: of everything but the path, and of the how-many-eth of its like in its file this is.
    fn digest(&self, ordinal: u32) -> u64 {
        let mut hash = Hash::default();
        hash.add(self.tool.as_bytes()).end();
        hash.add(self.rule.as_deref().unwrap_or_default().as_bytes())
            .end();
        for part in [
            self.message,
            self.site.text,
            self.site.part,
            self.site.scope,
            ordinal,
        ] {
            hash.add(&part.to_be_bytes());
        }
        hash.finish_long()
    }
}

/// The fingerprints of findings, in their order; those of one file must come in the order of their places. `line` is
/// GitHub's hash of the line of that number in that file.
pub fn fingerprints(findings: &[(Keyed, Option<(u64, u32)>)]) -> Vec<Fingerprints> {
    let mut met: HashMap<(Option<&str>, u64), u32> = HashMap::new();
    findings
        .iter()
        .map(|(keyed, line)| {
            let first = keyed.digest(0);
            let met = met.entry((keyed.path.as_deref(), first)).or_default();
            let ordinal = *met;
            *met = met.saturating_add(1);
            let key = if ordinal == 0 {
                first
            } else {
                keyed.digest(ordinal)
            };
            Fingerprints { line: *line, key }
        })
        .collect()
}
