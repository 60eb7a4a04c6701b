//! The judgement: from settings and what was verified to a report.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

use crate::error::count;
use crate::lockfiles::difference::Jump;
use crate::lockfiles::gone::GoneLock;
use crate::lockfiles::published::Published;
use crate::lockfiles::rules::{self, UNVERIFIABLE};
use crate::model::base::Resolution;
use crate::model::diagnostic::{Finding, Severity};
use crate::model::report::{Check, LeftOut, Report, Status, Table, Verdict};
use crate::model::sources::Location;
use crate::steps::gate::ignore::Ignore;
use crate::steps::lockfile_verify::NAME;
use crate::steps::lockfile_verify::gather::{Gathered, Lock};
use crate::steps::lockfile_verify::place::settle;
use crate::steps::lockfile_verify::settings::Settings;
use crate::steps::lockfile_verify::verify::Verified;
use crate::steps::lockfile_verify::workflows::Judged;
use crate::system::clock::Date;

/// The tool that our own findings are of.
const TOOL: &str = "lockgate";

/// Decides.
pub fn judge(
    settings: &Settings,
    gathered: &Gathered,
    verified: Vec<Verified>,
    published: Option<&Published>,
    workflows: Option<Judged>,
) -> Report {
    let changed: Option<bool> = verified
        .iter()
        .filter_map(|one| one.is_changed)
        .chain((!gathered.gone.is_empty()).then_some(true))
        .reduce(|left, right| left || right);
    let packages: u64 = verified.iter().map(|one| one.packages).sum();
    let (moves, tables) = moves(gathered, &verified);
    let mut findings = own_findings(settings, gathered);
    let mut checks = Vec::new();
    let (gone, mut ignored) = judge_gone(settings, gathered);
    findings.extend(gone);
    for (lock, one) in gathered.locks.iter().zip(verified) {
        let (check, kept, without) = judge_lock(settings, gathered, lock, one);
        checks.push(check);
        findings.extend(kept);
        ignored += without;
    }
    let lockfiles = checks.len();
    if let Some(judged) = workflows {
        let total = judged.findings.len();
        let kept = judged.findings.into_iter();
        let before = findings.len();
        findings.extend(kept.filter(|finding| is_kept(finding, settings, gathered)));
        ignored += (total - (findings.len() - before)) as u64;
        checks.push(judged.check);
    }
    rank(&mut findings);

    let is_report_only = settings.threshold.is_report_only(gathered.today);
    let fail_on = settings.threshold.fail_on.threshold();
    let counts = |finding: &Finding| fail_on.is_some_and(|threshold| finding.severity >= threshold);
    let failed = |check: &Check| matches!(check.status, Status::Failed(_));
    let verdict = if (lockfiles == 0 && !settings.allow_empty) || checks.iter().any(failed) {
        Verdict::NoVerdict
    } else if findings.iter().any(counts) {
        Verdict::Fail
    } else {
        Verdict::Pass
    };
    let errors = findings
        .iter()
        .filter(|finding| finding.severity == Severity::Error)
        .count();
    let outputs = [
        ("lockfiles", lockfiles.to_string()),
        ("packages", packages.to_string()),
        ("findings", findings.len().to_string()),
        ("errors", errors.to_string()),
        (
            "changed",
            changed.map_or(String::new(), |changed| changed.to_string()),
        ),
    ];
    Report {
        step: NAME,
        verdict,
        headline: None,
        is_report_only,
        fail_on,
        findings,
        checks,
        left_out: left_out(ignored, gathered),
        facts: shown(settings, gathered, packages, published, is_report_only),
        max_annotations: settings.max_annotations,
        tables,
        outputs: outputs
            .into_iter()
            .chain(moves)
            .map(|(name, value)| (name.to_owned(), value))
            .collect::<BTreeMap<_, _>>(),
        duration: Duration::ZERO,
    }
}

/// What is not told, and what is not judged.
fn left_out(ignored: u64, gathered: &Gathered) -> Vec<LeftOut> {
    let wishes = gathered.wishes.len();
    let few: Vec<&str> = gathered.wishes.iter().take(3).map(String::as_str).collect();
    let more = if wishes > few.len() { ", …" } else { "" };
    let told = format!(
        "requirements with neither hashes nor the header of a tool ({}{more}); name them in `paths` to judge them",
        few.join(", ")
    );
    [("ignored".to_owned(), ignored), (told, wishes as u64)]
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(reason, count)| LeftOut { reason, count })
        .collect()
}

/// The outputs for rules that merge by themselves, and a table for each lock that changed. Where one lock cannot be
/// compared, nothing is said: an empty output is no permission.
fn moves(gathered: &Gathered, verified: &[Verified]) -> ([(&'static str, String); 3], Vec<Table>) {
    let compared: Option<Vec<_>> = verified.iter().map(|one| one.compared.as_ref()).collect();
    let has_base = gathered.before.is_some();
    let outputs = match compared.filter(|_| has_base) {
        Some(all) => {
            let jump = all.iter().filter_map(|one| one.max_jump).max();
            let sources: u64 = all.iter().map(|one| one.new_sources).sum();
            let alarms: u64 = all.iter().map(|one| one.alarms).sum();
            let alarms = alarms + gathered.gone.len() as u64;
            let jump = jump.map_or("none", Jump::name).to_owned();
            (jump, sources.to_string(), alarms.to_string())
        }
        None => Default::default(),
    };
    let tables = gathered
        .locks
        .iter()
        .zip(verified)
        .filter_map(|(lock, one)| {
            let rows = one.compared.as_ref()?.rows.clone();
            (!rows.is_empty()).then(|| Table {
                title: format!(
                    "{}{}: {} changed",
                    lock.found.path,
                    match &lock.was {
                        Some(was) => format!(" (was {was})"),
                        None => String::new(),
                    },
                    count(rows.len() as u64, "package")
                ),
                header: ["package", "base", "now", "change"].to_vec(),
                rows,
            })
        });
    let outputs = [
        ("max-jump", outputs.0),
        ("new-sources", outputs.1),
        ("alarms", outputs.2),
    ];
    (outputs, tables.collect())
}

/// The locks that the change takes away: what is kept of the findings, and how many are ignored.
fn judge_gone(settings: &Settings, gathered: &Gathered) -> (Vec<Finding>, u64) {
    let found = gathered.gone.iter().flat_map(|gone| {
        let declared = Location {
            file: gone.declared,
            start: 0,
            end: 0,
        };
        let lock = GoneLock {
            path: &gone.path,
            format: gone.format,
            declared,
        };
        rules::judge_gone(&lock, &settings.policy)
    });
    let found = found.map(|finding| (finding, Some(true))).collect();
    let mut found = settle(found, &gathered.sources);
    let total = found.len();
    found.retain(|finding| is_kept(finding, settings, gathered));
    let ignored = (total - found.len()) as u64;
    (found, ignored)
}

/// One lock: how it went, what is kept of its findings, and how many are ignored.
fn judge_lock(
    settings: &Settings,
    gathered: &Gathered,
    lock: &Lock,
    verified: Verified,
) -> (Check, Vec<Finding>, u64) {
    let found = settle(verified.findings, &gathered.sources);
    let total = found.len() as u64;
    let unverifiable = found
        .iter()
        .find(|finding| finding.rule.as_deref() == Some(UNVERIFIABLE));
    let status = match &lock.file {
        Err(reason) => Status::Failed(format!("it cannot be read: {reason}")),
        // Somebody turned the rule off that would say why.
        Ok(_) if !verified.is_read && found.is_empty() => {
            Status::Failed("it cannot be read, and the rule that says why is off".to_owned())
        }
        Ok(_) => match unverifiable.filter(|_| settings.strict) {
            _ if verified.unseen.is_some() => Status::Failed(format!(
                "what is new in it cannot be compared with its index: {}",
                verified.unseen.unwrap_or_default()
            )),
            Some(finding) => Status::Failed(finding.message.to_string()),
            None if total == 0 => Status::Clean,
            None => Status::Findings(total),
        },
    };
    let kept: Vec<Finding> = found
        .into_iter()
        .filter(|finding| is_kept(finding, settings, gathered))
        .collect();
    let without = total - kept.len() as u64;
    let check = Check {
        name: lock.found.path.clone(),
        project: None,
        version: verified.version,
        origin: lock.found.format.name().to_owned(),
        status,
        files: None,
        duration: verified.duration,
    };
    (check, kept, without)
}

fn is_kept(finding: &Finding, settings: &Settings, gathered: &Gathered) -> bool {
    let (rule, package) = (finding.rule.as_deref(), finding.subject.as_deref());
    let path = finding.path.as_deref();
    !is_ignored(rule, package, path, settings, gathered.today)
}

/// Whether the user ignores what a rule says of a package in a file.
pub fn is_ignored(
    rule: Option<&str>,
    package: Option<&str>,
    path: Option<&str>,
    settings: &Settings,
    today: Date,
) -> bool {
    settings
        .ignores
        .iter()
        .filter(|ignore| ignore.until >= today)
        .any(|ignore| names(ignore, rule, package, path))
}

/// Whether an ignore, run out or not, covers a finding.
pub fn covers(ignore: &Ignore, finding: &Finding) -> bool {
    let (rule, package) = (finding.rule.as_deref(), finding.subject.as_deref());
    names(ignore, rule, package, finding.path.as_deref())
}

fn names(ignore: &Ignore, rule: Option<&str>, package: Option<&str>, path: Option<&str>) -> bool {
    let with_package = package
        .zip(rule)
        .map(|(package, rule)| format!("{rule}:{package}"));
    ignore.covers(TOOL, rule, &[path]) || ignore.covers(TOOL, with_package.as_deref(), &[path])
}

fn rank(findings: &mut [Finding]) {
    findings.sort_by(|left, right| {
        let key = |finding: &Finding| (finding.new == Some(false), Reverse(finding.severity));
        let place = |finding: &Finding| finding.span.map(|span| span.start);
        key(left)
            .cmp(&key(right))
            .then_with(|| left.path.cmp(&right.path))
            .then_with(|| place(left).cmp(&place(right)))
            .then_with(|| left.rule.cmp(&right.rule))
            .then_with(|| left.message.cmp(&right.message))
    });
}

fn shown(
    settings: &Settings,
    gathered: &Gathered,
    packages: u64,
    published: Option<&Published>,
    is_report_only: bool,
) -> Vec<(String, String)> {
    let base = match &gathered.base {
        Resolution::Base(base) => format!(
            "{} ({})",
            base.sha.get(..12).unwrap_or(&base.sha),
            base.origin
        ),
        Resolution::None(why) => format!("none: {why}; what changed is not judged"),
    };
    let mut shown = vec![
        ("packages".to_owned(), packages.to_string()),
        ("base".to_owned(), base),
    ];
    if let Some(published) = published {
        let asked = count(published.pages.len() as u64, "project");
        shown.push(("index".to_owned(), format!("asked for {asked}")));
    }
    let renamed = gathered.locks.iter().filter_map(|lock| {
        let was = lock.was.as_ref()?;
        Some(format!("{was} is {} now", lock.found.path))
    });
    let renamed: Vec<String> = renamed.collect();
    if !renamed.is_empty() {
        shown.push(("renamed".to_owned(), renamed.join(", ")));
    }
    if is_report_only {
        let until = settings.threshold.report_until;
        let until = until.map_or(String::new(), |until| format!(" until {until}"));
        shown.push(("mode".to_owned(), format!("report only{until}")));
    }
    shown
}

/// What the gate itself has to say: policy that was loosened, ignores that ran out.
fn own_findings(settings: &Settings, gathered: &Gathered) -> Vec<Finding> {
    let own = |rule: &str, message: String| Finding {
        path: gathered.config_path.as_deref().map(Into::into),
        ..Finding::new(TOOL, rule, Severity::Note, message)
    };
    let loosened = gathered.loosened.iter().map(|one| {
        own(
            "policy-changed",
            format!(
                "`{}` is looser here than on the base ({}): the base's counts",
                one.input, one.what
            ),
        )
    });
    let expired = settings
        .ignores
        .iter()
        .filter(|ignore| ignore.until < gathered.today)
        .map(|ignore| {
            own(
                "ignore-expired",
                format!(
                    "`{}` ran out on {} and ignores nothing",
                    ignore.text, ignore.until
                ),
            )
        });
    loosened.chain(expired).collect()
}
