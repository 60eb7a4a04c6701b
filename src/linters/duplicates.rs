//! What several tools say of the same place, said once.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};

use crate::linters::equivalents::{Meaning, meaning};
use crate::model::diagnostic::{Finding, Source};
use crate::model::region::Span;

/// In a larger group, only findings that begin at the same column are compared.
const GROUP: usize = 48;

/// Merges findings of different tools that say the same of the same line, and counts those that are no longer there of
/// their own. Two findings of one tool stay two.
///
/// Where a tool says it once of a line and so do the others, it is the same, unless their places are apart and their
/// messages name different things: flake8 puts an unused import at the start of the line, and vulture has no columns.
/// Where a tool says it twice, the places decide, then what the messages name, and then, if all say it equally often,
/// the order.
///
/// What is left is the finding with the best fix and the best place, with the worst severity; the others stand in
/// [`Finding::also`].
pub fn merge(findings: Vec<Finding>) -> (Vec<Finding>, u64) {
    let mut groups: HashMap<(&str, u32, Meaning<'_>), Vec<usize>> = HashMap::new();
    for (index, finding) in findings.iter().enumerate() {
        if let (Some(path), Some(line), Some(meaning)) =
            (finding.path.as_deref(), finding.line(), meaning(finding))
        {
            let group = groups.entry((path, line, meaning)).or_default();
            group.push(index);
        }
    }
    // For each finding that goes into another one, which.
    let mut into: HashMap<usize, usize> = HashMap::new();
    for group in groups.into_values() {
        let first = group.first().and_then(|first| findings.get(*first));
        let has_others = group.iter().any(|index| {
            findings.get(*index).map(|finding| &finding.tool) != first.map(|first| &first.tool)
        });
        if !has_others {
            continue;
        }
        for cluster in clusters(&findings, &group) {
            let best = cluster.iter().copied().max_by_key(|index| {
                let rank = findings.get(*index).map(rank);
                (rank, Reverse(*index))
            });
            if let Some(best) = best {
                let others = cluster.iter().filter(|index| **index != best);
                into.extend(others.map(|index| (*index, best)));
            }
        }
    }
    if into.is_empty() {
        return (findings, 0);
    }
    let merged = into.len() as u64;
    let mut kept: Vec<Option<Finding>> = findings.into_iter().map(Some).collect();
    let mut pairs: Vec<(usize, usize)> = into.into_iter().collect();
    pairs.sort_unstable();
    for (from, to) in pairs {
        let other = kept.get_mut(from).and_then(Option::take);
        if let (Some(other), Some(Some(finding))) = (other, kept.get_mut(to)) {
            absorb(finding, other);
        }
    }
    for finding in kept
        .iter_mut()
        .flatten()
        .filter(|finding| !finding.also.is_empty())
    {
        finding.also.sort();
        finding.also.dedup();
    }
    (kept.into_iter().flatten().collect(), merged)
}

/// What speaks for a finding as the one that is left: its fix, then how narrow its place is, then what it has to say.
fn rank(finding: &Finding) -> impl Ord + use<> {
    let extent = finding.span.filter(|_| is_exact(finding)).map(|span| {
        let columns = if span.start.line == span.end.line {
            span.end.column.zip(span.start.column)
        } else {
            None
        };
        // A single column is what mypy says where it does not know the end.
        let columns = columns
            .map(|(end, start)| end.saturating_sub(start))
            .filter(|columns| *columns > 1)
            .unwrap_or(u32::MAX);
        Reverse((span.end.line.saturating_sub(span.start.line), columns))
    });
    (
        finding.fix.as_ref().map(|fix| fix.applicability),
        extent,
        finding.span.is_some_and(|span| span.start.column.is_some()),
        finding.url.is_some(),
        finding.help.is_some(),
    )
}

/// Whether it names an extent, not only where something begins.
fn is_exact(finding: &Finding) -> bool {
    let has_extent = |span: Span| span.start.column.is_some() && span.start < span.end;
    finding.span.is_some_and(has_extent)
}

fn absorb(finding: &mut Finding, other: Finding) {
    finding.severity = finding.severity.max(other.severity);
    finding.new = match (finding.new, other.new) {
        (Some(left), Some(right)) => Some(left || right),
        (known, other) => known.or(other),
    };
    if !is_exact(finding) && is_exact(&other) {
        finding.span = other.span;
    }
    finding.url = finding.url.take().or(other.url);
    finding.help = finding.help.take().or(other.help);
    finding.excerpt = finding.excerpt.take().or(other.excerpt);
    finding.fix = finding.fix.take().or(other.fix);
    finding.also.push(Source {
        tool: other.tool,
        rule: other.rule,
    });
    finding.also.extend(other.also);
}

/// The findings of a group that are one, each time at most one of each tool.
fn clusters(findings: &[Finding], group: &[usize]) -> Vec<Vec<usize>> {
    let mut by_tool: HashMap<&str, Vec<usize>> = HashMap::new();
    for index in group {
        if let Some(finding) = findings.get(*index) {
            by_tool.entry(&finding.tool).or_default().push(*index);
        }
    }
    let mut tools: Vec<(&str, Vec<usize>)> = by_tool.into_iter().collect();
    if group.len() > GROUP {
        return by_column(findings, tools);
    }
    // The tool that says it most often and most exactly first: its findings are what the others join.
    tools.sort_by_key(|(tool, indices)| {
        let exact = indices.iter().filter_map(|index| findings.get(*index));
        let exact = exact.filter(|finding| is_exact(finding)).count();
        (Reverse((indices.len(), exact)), *tool)
    });
    let mut clusters: Vec<Vec<usize>> = Vec::new();
    for (_, indices) in tools {
        let known = clusters.len();
        let mut pairs: Vec<(u8, usize, usize)> = Vec::new();
        for (order, index) in indices.iter().enumerate() {
            for (at, cluster) in clusters.iter().enumerate() {
                let is_only = indices.len() == known && order == at;
                if let Some(score) = cluster
                    .iter()
                    .map(|other| likeness(findings, *index, *other, is_only))
                    .min()
                    .flatten()
                {
                    pairs.push((score, order, at));
                }
            }
        }
        pairs.sort_by_key(|(score, order, at)| (Reverse(*score), *order, *at));
        let (mut placed, mut taken) = (BTreeSet::new(), BTreeSet::new());
        for (_, order, at) in pairs {
            if !placed.contains(&order) && !taken.contains(&at) {
                placed.insert(order);
                taken.insert(at);
                if let (Some(cluster), Some(index)) = (clusters.get_mut(at), indices.get(order)) {
                    cluster.push(*index);
                }
            }
        }
        let left = indices
            .iter()
            .enumerate()
            .filter(|(order, _)| !placed.contains(order));
        clusters.extend(left.map(|(_, index)| vec![*index]));
    }
    clusters
}

/// How much two findings are alike; `None` if they are not the same. `is_only`: nothing else is left to join.
fn likeness(findings: &[Finding], left: usize, right: usize, is_only: bool) -> Option<u8> {
    let (left, right) = (findings.get(left)?, findings.get(right)?);
    let (left_span, right_span) = (left.span?, right.span?);
    let has_columns = left_span.start.column.is_some() && right_span.start.column.is_some();
    if has_columns && left_span.start == right_span.start && is_exact(left) && is_exact(right) {
        return Some(4);
    }
    let both_exact = is_exact(left) && is_exact(right);
    if both_exact && left_span.start < right_span.end && right_span.start < left_span.end {
        return Some(3);
    }
    match share_a_name(&left.message, &right.message) {
        Some(true) => Some(2),
        Some(false) if both_exact => None,
        // Neither places nor names tell them apart.
        _ if is_only && !both_exact => Some(1),
        _ => None,
    }
}

/// Whether the messages name the same thing, quoted in one of them at least; `None` if neither quotes anything.
fn share_a_name(left: &str, right: &str) -> Option<bool> {
    let quoted = |message: &str| -> Vec<String> {
        let pieces = message.split(['`', '\'', '"']);
        let quoted = pieces.skip(1).step_by(2).filter(|piece| !piece.is_empty());
        quoted.map(str::to_owned).collect()
    };
    let names = |message: &str, name: &str| {
        let is_part = |character: char| character.is_alphanumeric() || character == '_';
        message.match_indices(name).any(|(at, found)| {
            let before = message.get(..at).and_then(|text| text.chars().next_back());
            let behind = message
                .get(at + found.len()..)
                .and_then(|text| text.chars().next());
            !before.is_some_and(is_part) && !behind.is_some_and(is_part)
        })
    };
    let (of_left, of_right) = (quoted(left), quoted(right));
    if of_left.is_empty() && of_right.is_empty() {
        return None;
    }
    let shared = of_left.iter().any(|name| names(right, name))
        || of_right.iter().any(|name| names(left, name));
    Some(shared)
}

/// The clusters of a line on which too much is wrong to compare it all.
fn by_column(findings: &[Finding], tools: Vec<(&str, Vec<usize>)>) -> Vec<Vec<usize>> {
    let mut clusters: HashMap<(u32, usize), Vec<usize>> = HashMap::new();
    for (_, indices) in tools {
        let mut met: HashMap<u32, usize> = HashMap::new();
        for index in indices {
            let span = findings.get(index).and_then(|finding| finding.span);
            if let Some(column) = span.and_then(|span| span.start.column) {
                let times = met.entry(column).or_default();
                clusters.entry((column, *times)).or_default().push(index);
                *times += 1;
            }
        }
    }
    clusters.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::diagnostic::Severity;
    use crate::model::fix::{Applicability, Fix};
    use crate::model::region::Point;

    fn finding(id: &str, message: &str, columns: Option<(u32, u32)>) -> Finding {
        let (tool, rule) = id.split_once(':').expect("a rule");
        let point = |column: Option<u32>| Point {
            line: 3,
            byte: column.map(|column| column - 1),
            column,
        };
        let mut finding = Finding::new(tool, rule, Severity::Warning, message);
        finding.path = Some("a.py".into());
        finding.span = Some(Span {
            start: point(columns.map(|columns| columns.0)),
            end: point(columns.map(|columns| columns.1)),
        });
        finding
    }

    fn shown(findings: Vec<Finding>) -> Vec<String> {
        let (mut left, _) = merge(findings);
        left.sort_by_key(|finding| (finding.line(), finding.span, finding.id()));
        let also = |finding: &Finding| -> String {
            let names = finding.also.iter().map(|source| &*source.tool);
            names.collect::<Vec<_>>().join(" ")
        };
        left.iter()
            .map(|finding| {
                format!("{} {}", finding.id(), also(finding))
                    .trim_end()
                    .to_owned()
            })
            .collect()
    }

    #[test]
    fn what_is_left_is_the_best_of_all() {
        let mut flake8 = finding("flake8:F401", "'os' imported but unused", Some((1, 1)));
        flake8.severity = Severity::Error;
        let mut ruff = finding("ruff:F401", "`os` imported but unused", Some((8, 10)));
        ruff.fix = Some(Box::new(Fix {
            message: None,
            applicability: Applicability::Safe,
            edits: Vec::new(),
        }));
        let vulture = finding("vulture:unused-import", "unused import 'os'", None);
        for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
            let all = [flake8.clone(), ruff.clone(), vulture.clone()];
            let (left, merged) = merge(order.map(|index| all[index].clone()).into());
            assert_eq!((left.len(), merged), (1, 2));
            let one = &left[0];
            assert_eq!(
                (one.id(), one.severity),
                ("ruff:F401".to_owned(), Severity::Error)
            );
            assert_eq!(one.span.unwrap().start.column, Some(8));
            let also: Vec<_> = one.also.iter().map(|source| &*source.tool).collect();
            assert_eq!(also, ["flake8", "vulture"]);
        }
    }

    #[test]
    fn names_tell_findings_of_one_line_apart() {
        let findings = vec![
            finding("ruff:F401", "`os` imported but unused", Some((8, 10))),
            finding("ruff:F401", "`sys` imported but unused", Some((12, 15))),
            finding("pylint:unused-import", "Unused import sys", Some((1, 1))),
            finding("vulture:unused-import", "unused import 'os'", None),
        ];
        assert_eq!(shown(findings), ["ruff:F401 vulture", "ruff:F401 pylint"]);
    }

    #[test]
    fn two_findings_of_one_tool_stay_two() {
        let findings = vec![
            finding(
                "ruff:E701",
                "Multiple statements on one line (colon)",
                Some((5, 6)),
            ),
            finding(
                "ruff:E702",
                "Multiple statements on one line (semicolon)",
                Some((9, 10)),
            ),
            finding(
                "ruff:E702",
                "Multiple statements on one line (semicolon)",
                Some((19, 20)),
            ),
        ];
        assert_eq!(merge(findings).1, 0);
    }

    #[test]
    fn different_places_with_different_names_are_different() {
        let findings = vec![
            finding("ruff:F821", "Undefined name `left`", Some((5, 9))),
            finding(
                "mypy:name-defined",
                "Name \"right\" is not defined",
                Some((12, 17)),
            ),
        ];
        assert_eq!(merge(findings).1, 0);
    }

    #[test]
    fn other_lines_files_and_meanings_are_different() {
        let one = finding("ruff:F401", "`os` imported but unused", Some((8, 10)));
        let mut other_file = finding("flake8:F401", "'os' imported but unused", Some((8, 8)));
        other_file.path = Some("b.py".into());
        let other_rule = finding("flake8:F811", "redefinition of unused 'os'", Some((8, 8)));
        let mut nowhere = finding("pylint:unused-import", "Unused import os", None);
        nowhere.span = None;
        let unknown = finding("other:F401", "`os` imported but unused", Some((8, 10)));
        let findings = vec![one, other_file, other_rule, nowhere, unknown];
        assert_eq!(merge(findings.clone()), (findings, 0));
    }

    #[test]
    fn codes_of_ruff_are_those_of_flake8_and_bandit() {
        for (left, right) in [
            ("ruff:S101", "bandit:B101"),
            ("ruff:B006", "flake8:B006"),
            ("ruff:PLW0127", "pylint:self-assigning-variable"),
            ("ruff:PLW0127", "pylint:W0127"),
            ("ruff:D103", "flake8:D103"),
        ] {
            let findings = vec![
                finding(left, "x", Some((1, 4))),
                finding(right, "y", Some((1, 4))),
            ];
            assert_eq!(merge(findings).1, 1, "{left} {right}");
        }
        let findings = vec![
            finding("ruff:B101", "x", Some((1, 4))),
            finding("bandit:B101", "y", Some((1, 4))),
        ];
        assert_eq!(merge(findings).1, 0);
    }

    #[test]
    fn a_line_full_of_findings_takes_no_longer() {
        let count = 20_000;
        let findings: Vec<Finding> = (0..count)
            .flat_map(|index| {
                let columns = Some((index + 1, index + 2));
                [
                    finding("ruff:F821", "Undefined name `x`", columns),
                    finding(
                        "pyright:reportUndefinedVariable",
                        "\"x\" is not defined",
                        columns,
                    ),
                ]
            })
            .collect();
        let started = std::time::Instant::now();
        assert_eq!(merge(findings).1, u64::from(count));
        assert!(started.elapsed().as_secs() < 5);
    }
}
