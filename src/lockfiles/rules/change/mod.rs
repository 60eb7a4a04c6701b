//! Change: what a change does to the lock, seen against its base.

mod downgrade;
mod files_exchanged;
mod hash_changed;
mod lock_deleted;
mod lock_maintenance;
mod lock_unchanged;
mod major_jump;
mod new_source;
mod source_changed;
mod source_moved;

use crate::error::count;
use crate::lockfiles::difference::{Change, Kind};
use crate::lockfiles::facts::Facts;
use crate::lockfiles::rules::{Family, Findings};
use crate::model::declared::{Declarations, UvSourceKind};
use crate::model::lockfile::{Format, Lockfile, Source};

/// The family.
pub const FAMILY: Family = Family {
    title: "Change",
    about: "What a change does to the lock, seen against its base. Without a base these rules are left out, and the \
            report says so.",
    rules: &[
        &hash_changed::RULE,
        &files_exchanged::RULE,
        &source_changed::RULE,
        &new_source::RULE,
        &source_moved::RULE,
        &downgrade::RULE,
        &major_jump::RULE,
        &lock_maintenance::RULE,
        &lock_unchanged::RULE,
        &lock_deleted::RULE,
    ],
};

/// So many packages are named one by one.
const FEW: usize = 20;

/// The lock before the change; none where there is no base, or no lock there that can be read.
fn before<'a>(facts: &Facts<'a>) -> Option<&'a Lockfile<'a>> {
    facts.base?.lock
}

/// Tells of the packages that moved to another version, as far as `is_meant` says so.
fn moves(
    changes: Vec<Change<'_>>,
    is_meant: impl Fn(Kind) -> bool,
    verb: &str,
    help: &str,
    most: usize,
    findings: &mut Findings<'_>,
) {
    let meant: Vec<Change<'_>> = changes
        .into_iter()
        .filter(|change| is_meant(change.kind))
        .collect();
    for (index, change) in meant.iter().take(most).enumerate() {
        let (Some(before), Some(after)) = (change.before, change.after) else {
            continue;
        };
        let more = match meant.len().saturating_sub(most) {
            more if more > 0 && index + 1 == most => {
                format!("; so do {} more", count(more as u64, "package"))
            }
            _ => String::new(),
        };
        let version = |package: &crate::model::lockfile::Package<'_>| {
            let version = package.version.as_ref();
            version.map_or_else(
                || "no version".to_owned(),
                |version| version.value.to_string(),
            )
        };
        let at = after
            .version
            .as_ref()
            .map_or(after.name.at, |version| version.at);
        let message = format!(
            "`{}` {verb} from {} to {} ({}){more}",
            after.name.normal,
            version(before),
            version(after),
            change.kind.describe()
        );
        findings
            .add(at, message)
            .about(&after.name.normal)
            .help(help);
    }
}

/// Whether `pyproject.toml` is what it was; none where one of both is not there.
fn is_same_declaration(facts: &Facts<'_>) -> Option<bool> {
    let base = facts.base?;
    let (before, now) = (base.declared?, facts.declared?);
    Some(base.sources.bytes(before.file) == facts.sources.bytes(now.file))
}

/// Whether the project declares another source for a package than on the base, as far as that can be seen.
fn is_declared_otherwise(facts: &Facts<'_>, name: &str) -> bool {
    let Some(base) = facts.base else { return false };
    let (Some(before), Some(now)) = (base.declared, facts.declared) else {
        return false;
    };
    if is_same_declaration(facts) == Some(true) {
        return false;
    }
    // Where poetry and pdm declare sources is for them to say; what changed may be one.
    !matches!(facts.lock.format, Format::Uv | Format::UvScript)
        || declared_sources(before, name) != declared_sources(now, name)
}

/// Everything that says where a package comes from.
fn declared_sources(declared: &Declarations<'_>, name: &str) -> Vec<String> {
    let uv = declared.uv.iter();
    let mut found: Vec<String> = uv
        .flat_map(|uv| {
            let own = uv
                .sources
                .iter()
                .filter(|(key, _)| crate::model::lockfile::normalise(&key.value) == name)
                .flat_map(|(_, sources)| sources)
                .map(|source| kind_text(&source.source));
            let indexes = uv.indexes.iter().map(|index| index.url.value.to_string());
            own.chain(indexes).collect::<Vec<_>>()
        })
        .collect();
    let project = declared.project.iter();
    found.extend(
        project
            .flat_map(|project| &project.dependencies)
            .filter(|requirement| requirement.name.normal == name)
            .filter_map(|requirement| requirement.source.as_ref())
            .map(|source| source_text(&source.value)),
    );
    found
}

fn kind_text(kind: &UvSourceKind<'_>) -> String {
    match kind {
        UvSourceKind::Workspace(is_member) => format!("workspace {is_member}"),
        UvSourceKind::Other(source) => source_text(source),
    }
}

fn source_text(source: &Source<'_>) -> String {
    format!("{source:?}")
}
