//! The order of findings, and the source that they stand in.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::baseline::{Inventory, Outline};
use crate::linters::position::SourceLines;
use crate::model::diagnostic::Finding;
use crate::model::region::{Point, Region, Span};
use crate::system::files::Workspace;

/// Larger files are not read; their findings keep the lines that the tool named.
const FILE_LIMIT: u64 = 64 << 20;

/// So many findings are shown with their source.
const WITH_EXCERPT: usize = 1_000;

/// Longer lines are not shown.
const EXCERPT_LIMIT: usize = 2_000;

/// Counts what is in a file of the workspace.
pub fn inventory(path: &str, workspace: &Workspace) -> Option<Inventory> {
    let bytes = read(path, workspace)?;
    Some(Outline::new(path, &bytes).inventory())
}

/// Puts findings into their final order: new ones first, then by severity, file, place, tool and rule.
pub fn rank(findings: &mut [Finding]) {
    sort(findings, by_rank);
}

/// Sorts. A finding is large, so places are sorted instead, and then each finding is moved once.
pub fn sort<T>(items: &mut [T], compare: impl Fn(&T, &T) -> Ordering) {
    if items.is_sorted_by(|left, right| compare(left, right).is_le()) {
        return;
    }
    let mut order: Vec<usize> = (0..items.len()).collect();
    order.sort_by(|left, right| match (items.get(*left), items.get(*right)) {
        (Some(left), Some(right)) => compare(left, right),
        (left, right) => left.is_some().cmp(&right.is_some()),
    });
    for start in 0..items.len() {
        let mut target = start;
        // Round the circle of those that stand in each other's place; each is then marked as being in its own.
        while let Some(entry) = order.get_mut(target) {
            let source = std::mem::replace(entry, target);
            if source == start || source == target {
                break;
            }
            items.swap(target, source);
            target = source;
        }
    }
}

fn by_rank(left: &Finding, right: &Finding) -> Ordering {
    let key = |finding: &Finding| {
        (
            finding.new == Some(false),
            std::cmp::Reverse(finding.severity),
        )
    };
    key(left)
        .cmp(&key(right))
        .then_with(|| by_path(left, right))
        .then_with(|| by_place(left, right))
}

/// The order within a file: place, tool, rule, message.
pub fn by_place(left: &Finding, right: &Finding) -> Ordering {
    place_of(left)
        .cmp(&place_of(right))
        .then_with(|| left.tool.cmp(&right.tool))
        .then_with(|| left.rule.cmp(&right.rule))
        .then_with(|| left.message.cmp(&right.message))
}

/// Where it begins: line and column.
pub fn place_of(finding: &Finding) -> Option<(u32, Option<u32>)> {
    let start = finding.span?.start;
    Some((start.line, start.column))
}

/// Gives the first findings, which are those that are shown, the line that they stand on.
pub fn show(findings: &mut [Finding], workspace: &Workspace) {
    let mut by_file: BTreeMap<Arc<str>, Vec<&mut Finding>> = BTreeMap::new();
    for finding in findings.iter_mut().take(WITH_EXCERPT) {
        if let Some(path) = finding.path.clone() {
            by_file.entry(path).or_default().push(finding);
        }
    }
    for (path, group) in by_file {
        let Some(bytes) = read(&path, workspace) else {
            continue;
        };
        let source = SourceLines::new(&bytes);
        for finding in group {
            finding.excerpt = finding
                .span
                .and_then(|span| excerpt(&source, span.start.line));
        }
    }
}

/// Findings of one tool in one file share its path, so that letters are seldom compared.
pub fn by_path(left: &Finding, right: &Finding) -> Ordering {
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

fn excerpt(source: &SourceLines<'_>, line: u32) -> Option<Box<str>> {
    let bytes = source.line(line)?;
    (bytes.len() <= EXCERPT_LIMIT).then(|| String::from_utf8_lossy(bytes).into())
}

/// The lines as the tool named them; columns are worth nothing without the source.
pub fn unverified(region: &Region) -> Option<Span> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::diagnostic::Severity;

    #[test]
    fn findings_are_ranked_and_none_is_lost() {
        // A fixed sequence that looks like chance.
        let mut state = 1_u32;
        let mut next = |below: u32| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 16) % below
        };
        for length in [0, 1, 2, 3, 10, 500] {
            let mut findings: Vec<Finding> = (0..length)
                .map(|number| {
                    let severity = [Severity::Note, Severity::Warning, Severity::Error];
                    Finding {
                        path: Some(format!("{}.py", next(5)).into()),
                        new: [None, Some(true), Some(false)][next(3) as usize],
                        ..Finding::new("ruff", "E1", severity[next(3) as usize], number.to_string())
                    }
                })
                .collect();
            let mut expected = findings.clone();
            expected.sort_by(by_rank);
            rank(&mut findings);
            assert_eq!(findings, expected);
        }
    }
}
