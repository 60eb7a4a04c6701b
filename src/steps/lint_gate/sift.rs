//! Sifts what was kept: what was on the base already, what the baseline accepts, what several tools say at once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use crate::baseline::{self, Entry, Keyed, Matching};
use crate::error::count;
use crate::linters::duplicates;
use crate::model::diagnostic::{Finding, Severity};
use crate::model::report::{Check, Status};
use crate::steps::lint_gate::accepted::Accepted;
use crate::steps::lint_gate::compare::OnBase;
use crate::steps::lint_gate::filter::{Collector, EXCLUDED, IGNORED};
use crate::steps::lint_gate::place;
use crate::steps::lint_gate::settling::Settled;
use crate::system::files::Workspace;

/// Why a finding of a type checker is left out.
const ON_BASE: &str = "on the base already";
/// Why a finding is left out that the baseline has.
const IN_BASELINE: &str = "in the baseline";
/// Why a finding is shown as part of another.
const MERGED: &str = "merged with what another tool says";
/// So many entries of the baseline that are no more are told one by one.
const STALE_SHOWN: usize = 20;

/// A finding that is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aside {
    /// The finding.
    pub finding: Finding,
    /// Why.
    pub why: String,
}

/// What findings are compared with.
#[derive(Debug, Default)]
pub struct Known {
    /// What type checkers say of the base.
    pub on_base: Vec<OnBase>,
    /// What is accepted.
    pub baseline: Option<Accepted>,
    /// The path on the base of each file that was renamed.
    pub renames: BTreeMap<String, String>,
}

/// What is left, and what became of the rest.
#[derive(Debug, Default)]
pub struct Sifted {
    /// What is kept, ranked.
    pub findings: Vec<Finding>,
    /// What is not, where somebody will ask.
    pub aside: Vec<Aside>,
    /// What is left out here, by reason.
    pub left_out: BTreeMap<String, u64>,
    /// What the gate itself has to say.
    pub remarks: Vec<Finding>,
    /// The keys of all findings, for a new baseline.
    pub keys: Vec<(Keyed, Arc<str>)>,
}

/// What is wanted besides the findings.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted {
    /// The findings that are left out.
    pub aside: bool,
    /// The keys of all.
    pub keys: bool,
}

/// Sifts the findings of all tools and reports.
pub fn sift(
    results: Vec<(&Check, Collector)>,
    known: &Known,
    wanted: Wanted,
    workspace: &Workspace,
) -> Sifted {
    let mut sifted = Sifted::default();
    let mut items = Vec::new();
    let mut complete = Vec::new();
    for (check, collector) in results {
        if !matches!(check.status, Status::Failed(_)) {
            complete.push(check.name.clone());
        }
        let on_base = known
            .on_base
            .iter()
            .find(|one| one.tool.name() == check.name && one.project == check.project);
        let start = items.len();
        append(&mut items, collector.kept.finish());
        if let (Some(on_base), Some(own)) = (on_base, items.get_mut(start..)) {
            sifted
                .remarks
                .extend(compare(own, on_base, &known.renames, workspace));
        }
        for (why, kept) in collector.aside {
            let mut left_out = kept.finish();
            for item in &mut left_out {
                item.why = Some(why);
            }
            append(&mut items, left_out);
        }
    }
    if wanted.keys {
        let keyed = |item: &Settled| {
            Some((
                Keyed::clone(item.key.as_ref()?),
                item.finding.message.clone(),
            ))
        };
        let wanted = items
            .iter()
            .filter(|item| !matches!(item.why, Some(EXCLUDED | IGNORED)));
        sifted.keys = wanted.filter_map(keyed).collect();
    }
    if let Some(accepted) = &known.baseline {
        let stale = accept(&mut items, accepted, &known.renames, &complete, workspace);
        sifted.remarks.extend(stale);
    }
    // Into the same memory: half a million findings are not held twice.
    sifted.findings = items
        .into_iter()
        .filter_map(|item| {
            let Some(why) = item.why else {
                return Some(item.finding);
            };
            if matches!(why, ON_BASE | IN_BASELINE) {
                *sifted.left_out.entry(why.to_owned()).or_default() += 1;
            }
            if wanted.aside {
                sifted.aside.push(Aside {
                    finding: item.finding,
                    why: why.to_owned(),
                });
            }
            None
        })
        .collect();
    let has_several_tools = sifted
        .findings
        .windows(2)
        .any(|pair| matches!(pair, [left, right] if left.tool != right.tool));
    if has_several_tools {
        let (findings, merged) = duplicates::merge(std::mem::take(&mut sifted.findings));
        sifted.findings = findings;
        if merged > 0 {
            sifted.left_out.insert(MERGED.to_owned(), merged);
        }
    }
    place::rank(&mut sifted.findings);
    place::show(&mut sifted.findings, workspace);
    sifted
}

/// Appends; the first ones stay where they are.
fn append(items: &mut Vec<Settled>, mut more: Vec<Settled>) {
    if items.is_empty() {
        *items = more;
    } else {
        items.append(&mut more);
    }
}

/// Leaves out what the base has as well, unless it stands on a line that the change touched; what it has not is new.
fn compare(
    items: &mut [Settled],
    on_base: &OnBase,
    renames: &BTreeMap<String, String>,
    workspace: &Workspace,
) -> Option<Finding> {
    let tool = on_base.tool.name();
    let before = match &on_base.findings {
        Ok(before) => before,
        Err(why) => {
            return Some(Finding::new(
                "lockgate",
                "base-unchecked",
                Severity::Note,
                format!("{tool} could not look at the base, so that all its findings count: {why}"),
            ));
        }
    };
    let matching = pair(before, items, renames, workspace);
    let mut added = 0_u64;
    for (item, covered) in items.iter_mut().zip(&matching.covered) {
        if covered.is_none() {
            added += 1;
            item.finding.new = Some(true);
        } else if item.finding.new != Some(true) {
            item.why = Some(ON_BASE);
        }
    }
    let removed: u64 = matching.stale.iter().map(|(_, by)| u64::from(*by)).sum();
    let differs = on_base.differs.as_ref()?;
    Some(Finding::new(
        "lockgate",
        "checker-changed",
        Severity::Note,
        format!(
            "{differs}: adds {}, removes {removed}",
            count(added, "finding"),
        ),
    ))
}

fn pair(
    entries: &[Entry],
    items: &[Settled],
    renames: &BTreeMap<String, String>,
    workspace: &Workspace,
) -> Matching {
    let started = Instant::now();
    let keys: Vec<Keyed> = items
        .iter()
        .filter_map(|item| item.key.as_deref().cloned())
        .collect();
    let matching = baseline::matching(entries, &keys, renames, |path| {
        place::inventory(path, workspace)
    });
    tracing::debug!(
        entries = entries.len(),
        findings = keys.len(),
        duration_ms = started.elapsed().as_secs_f64() * 1_000.0,
        "matched"
    );
    matching
}

/// Leaves out what the baseline has; returns what is to be said of entries that are no more.
fn accept(
    items: &mut [Settled],
    accepted: &Accepted,
    renames: &BTreeMap<String, String>,
    complete: &[String],
    workspace: &Workspace,
) -> Vec<Finding> {
    let entries = &accepted.baseline.entries;
    let matching = pair(entries, items, renames, workspace);
    let by_base = accepted
        .of_base
        .as_ref()
        .map(|base| pair(&base.entries, items, renames, workspace).covered);
    let mut refused = 0_u64;
    for (index, (item, covered)) in items.iter_mut().zip(&matching.covered).enumerate() {
        // What is left out for another reason has used up its entry all the same.
        if covered.is_none() || item.why.is_some() {
            continue;
        }
        let is_old = by_base
            .as_ref()
            .is_none_or(|covered| covered.get(index).is_some_and(Option::is_some));
        if is_old {
            item.why = Some(IN_BASELINE);
        } else {
            refused += 1;
        }
    }
    let stale = matching.stale.iter().filter_map(|(index, by)| {
        let entry = entries.get(*index)?;
        let was_checked = complete.iter().any(|tool| **tool == *entry.keyed.tool)
            && accepted.covers(entry.keyed.path.as_deref());
        was_checked.then_some((entry, *by))
    });
    let mut remarks = stale_entries(&stale.collect::<Vec<_>>(), accepted);
    if refused > 0 {
        remarks.push(Finding {
            path: Some(accepted.path.as_str().into()),
            ..Finding::new(
                "lockgate",
                "policy-changed",
                Severity::Note,
                format!(
                    "`baseline` accepts {} more here than on the base: the base's counts",
                    count(refused, "finding")
                ),
            )
        });
    }
    remarks
}

/// One finding for each entry that stands for nothing any more, and one for the rest where there are many.
fn stale_entries(stale: &[(&Entry, u32)], accepted: &Accepted) -> Vec<Finding> {
    let severity = if accepted.is_strict {
        Severity::Error
    } else {
        Severity::Note
    };
    let about = |message: String| Finding {
        path: Some(accepted.path.as_str().into()),
        help: Some("lockgate lint-gate --update-baseline".into()),
        ..Finding::new("lockgate", "baseline-stale", severity, message)
    };
    let total: u64 = stale.iter().map(|(_, by)| u64::from(*by)).sum();
    let mut findings: Vec<Finding> = stale
        .iter()
        .take(STALE_SHOWN)
        .map(|(entry, by)| {
            let keyed = &entry.keyed;
            let rule = keyed.rule.as_deref().map(|rule| format!(":{rule}"));
            let place = keyed.path.as_deref().unwrap_or("no file");
            let times = if *by > 1 {
                format!(" × {by}")
            } else {
                String::new()
            };
            about(format!(
                "{}{}{times} in `{place}` is no more: {}",
                keyed.tool,
                rule.unwrap_or_default(),
                entry.message
            ))
        })
        .collect();
    let shown: u64 = stale
        .iter()
        .take(STALE_SHOWN)
        .map(|(_, by)| u64::from(*by))
        .sum();
    if total > shown {
        findings.push(about(format!(
            "{} more are no more",
            count(total - shown, "entry")
        )));
    }
    findings
}
