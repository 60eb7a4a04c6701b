//! From what a rule found, at offsets of bytes, to a finding with line, column, excerpt and fingerprint.

use std::sync::Arc;

use crate::baseline::{Keyer, Repeats};
use crate::linters::line_hash::LineHashes;
use crate::linters::position::{SourceLines, locate, locate_fix};
use crate::lockfiles::address::conceal;
use crate::lockfiles::rules::{self, Related};
use crate::model::diagnostic::Finding;
use crate::model::fix::{Applicability, Edit, Fix};
use crate::model::region::{ColumnUnit, Region};
use crate::model::sources::{FileId, Location, Sources};

/// The page of the rules.
const PAGE: &str = "https://github.com/lockgate/lockgate/blob/main/docs/lockfile-verify-rules.md";

/// Longer lines are not shown.
const EXCERPT_LIMIT: usize = 2_000;

/// Settles what was found in one lock, and in what declares it, with whether it is new.
pub fn settle(found: Vec<(rules::Finding, Option<bool>)>, sources: &Sources) -> Vec<Finding> {
    let mut by_file: Vec<(FileId, Vec<Found>)> = Vec::new();
    for finding in found {
        match by_file
            .iter_mut()
            .find(|(file, _)| *file == finding.0.at.file)
        {
            Some((_, group)) => group.push(finding),
            None => by_file.push((finding.0.at.file, vec![finding])),
        }
    }
    by_file
        .into_iter()
        .flat_map(|(file, group)| settle_file(file, group, sources))
        .collect()
}

type Found = (rules::Finding, Option<bool>);

fn settle_file(file: FileId, group: Vec<Found>, sources: &Sources) -> Vec<Finding> {
    let bytes = sources.bytes(file);
    let lines = SourceLines::new(bytes);
    let hashes = LineHashes::new(bytes);
    let path: Arc<str> = sources.path(file).into();
    let mut settled: Vec<Finding> = group
        .into_iter()
        .map(|(finding, new)| Finding {
            new,
            ..settle_one(finding, &path, &lines, sources)
        })
        .collect();
    // The rules give them in the order of the file.
    let (mut keyer, mut repeats) = (Keyer::default(), Repeats::default());
    for finding in &mut settled {
        let line_hash = finding.line().and_then(|line| hashes.of(line));
        let essence = keyer.essence(finding, None);
        let mut fingerprints =
            essence.fingerprints(&finding.tool, finding.rule.as_deref(), line_hash);
        repeats.tell_apart(&mut fingerprints);
        finding.fingerprints = Some(fingerprints);
    }
    settled
}

fn settle_one(
    found: rules::Finding,
    path: &Arc<str>,
    lines: &SourceLines<'_>,
    sources: &Sources,
) -> Finding {
    let (span, _) = locate(&region(found.at), lines);
    let excerpt = span
        .and_then(|span| lines.line(span.start.line))
        .filter(|line| line.len() <= EXCERPT_LIMIT)
        .map(|line| conceal(&String::from_utf8_lossy(line)).into());
    let edits = found.edits.iter().map(|edit| Edit {
        place: region(edit.at),
        text: edit.text.as_str().into(),
    });
    // A fix in reports is one of the finding's own file.
    let is_own = |edit: &rules::Edit| edit.at.file == found.at.file;
    let fix = (!found.edits.is_empty() && found.edits.iter().all(is_own))
        .then(|| Fix {
            message: None,
            applicability: Applicability::Safe,
            edits: edits.collect(),
        })
        .and_then(|fix| locate_fix(fix, lines));
    Finding {
        path: Some(path.clone()),
        span,
        subject: found.package.as_deref().map(Into::into),
        url: Some(format!("{PAGE}#{}", found.rule.id).into()),
        help: help(found.help, &found.related, sources).map(Into::into),
        excerpt,
        fix: fix.map(Box::new),
        ..Finding::new("lockgate", found.rule.id, found.severity, found.message)
    }
}

/// What to do, and the other lines that belong to it.
fn help(help: Option<String>, related: &[Related], sources: &Sources) -> Option<String> {
    let places = related.iter().map(|related| {
        let (path, line) = (sources.path(related.at.file), sources.line(related.at));
        format!("{path}:{line}: {}", related.what)
    });
    let parts: Vec<String> = places.chain(help).collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

fn region(at: Location) -> Region {
    Region {
        line: None,
        column: Some(at.start),
        end_line: None,
        end_column: Some(at.end),
        unit: ColumnUnit::ByteOffset,
    }
}
