//! Settles where the kept findings stand, by reading the lines of their files, each file once.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use crate::linters::position::{SourceLines, locate, locate_exactly};
use crate::model::diagnostic::Finding;
use crate::model::fix::{Edit, Fix};
use crate::model::region::{Point, Region, Span};
use crate::steps::lint_gate::filter::Kept;
use crate::system::files::Workspace;

/// Larger files are not read; their findings keep the lines that the tool named.
const FILE_LIMIT: u64 = 64 << 20;

/// So many findings are shown with their source.
const WITH_EXCERPT: usize = 1_000;

/// Longer lines are not shown.
const EXCERPT_LIMIT: usize = 2_000;

/// The findings in their final order, each in its place: new ones first, then by severity, file, line, tool and rule.
pub fn settle(mut kept: Vec<Kept>, workspace: &Workspace) -> Vec<Finding> {
    kept.sort_by(|left, right| {
        let key = |kept: &Kept| {
            (
                kept.finding.new == Some(false),
                std::cmp::Reverse(kept.finding.severity),
            )
        };
        let place = |kept: &Kept| (kept.region.line, kept.region.column);
        key(left)
            .cmp(&key(right))
            .then_with(|| by_path(&left.finding, &right.finding))
            .then_with(|| place(left).cmp(&place(right)))
            .then_with(|| {
                (&left.finding.tool, &left.finding.rule)
                    .cmp(&(&right.finding.tool, &right.finding.rule))
            })
    });
    // A file has few runs of findings: one of each severity, new and old.
    let mut by_file: BTreeMap<Option<Arc<str>>, Vec<Range<usize>>> = BTreeMap::new();
    let mut start = 0;
    for run in kept.chunk_by(|left, right| by_path(&left.finding, &right.finding).is_eq()) {
        let end = start + run.len();
        let path = run.first().and_then(|first| first.finding.path.clone());
        by_file.entry(path).or_default().push(start..end);
        start = end;
    }
    for (path, runs) in by_file {
        let bytes = path.as_deref().and_then(|path| read(path, workspace));
        let source = bytes.as_deref().map(SourceLines::new);
        for index in runs.into_iter().flatten() {
            let Some(Kept {
                finding,
                region,
                fix,
            }) = kept.get_mut(index)
            else {
                continue;
            };
            match &source {
                Some(source) => {
                    finding.span = locate(region, source).0;
                    finding.fix = fix.take().and_then(|fix| settle_fix(*fix, source));
                    if index < WITH_EXCERPT {
                        finding.excerpt = finding
                            .span
                            .and_then(|span| excerpt(source, span.start.line));
                    }
                }
                None if finding.path.is_some() => finding.span = unverified(region),
                None => {}
            }
        }
    }
    kept.into_iter().map(|kept| kept.finding).collect()
}

/// Findings of one tool in one file share its path, so that letters are seldom compared.
fn by_path(left: &Finding, right: &Finding) -> Ordering {
    match (&left.path, &right.path) {
        (Some(left), Some(right)) if Arc::ptr_eq(left, right) => Ordering::Equal,
        (left, right) => left.cmp(right),
    }
}

/// The content of a file of the workspace; `None` for what is no file, is too large or cannot be read.
pub fn read(path: &str, workspace: &Workspace) -> Option<Vec<u8>> {
    let file = workspace.confined(path)?;
    let metadata = file.metadata().ok()?;
    (metadata.is_file() && metadata.len() <= FILE_LIMIT)
        .then(|| std::fs::read(&file).ok())
        .flatten()
}

/// The fix, if every edit of it fits the file exactly: half of a fix is none.
fn settle_fix(fix: Fix<Region>, source: &SourceLines<'_>) -> Option<Box<Fix<Span>>> {
    let edits = fix
        .edits
        .into_iter()
        .map(|edit| {
            Some(Edit {
                place: locate_exactly(&edit.place, source)?,
                text: edit.text,
            })
        })
        .collect::<Option<Vec<_>>>()?;
    Some(Box::new(Fix {
        message: fix.message,
        applicability: fix.applicability,
        edits,
    }))
}

fn excerpt(source: &SourceLines<'_>, line: u32) -> Option<Box<str>> {
    let bytes = source.line(line)?;
    (bytes.len() <= EXCERPT_LIMIT).then(|| String::from_utf8_lossy(bytes).into())
}

/// The lines as the tool named them; columns are worth nothing without the source.
fn unverified(region: &Region) -> Option<Span> {
    let line = region.line?.get();
    let end = region.end_line.map_or(line, |end| end.get().max(line));
    let point = |line| Point {
        line,
        byte: None,
        column: None,
    };
    Some(Span {
        start: point(line),
        end: point(end),
    })
}

/// The name of a path for people, relative to the workspace.
pub fn shown(path: &Path, workspace: &Workspace) -> String {
    path.strip_prefix(workspace.root())
        .unwrap_or(path)
        .display()
        .to_string()
}
