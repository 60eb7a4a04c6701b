//! What a difference between two hashes means: which entries changed, which pins must move, or that none must.

use std::collections::{BTreeMap, BTreeSet};

use crate::lockfiles::address::conceal;
use crate::lockfiles::document::{Document, Kind, Value};
use crate::lockfiles::facts::Facts;
use crate::lockfiles::marker::Pythons;
use crate::lockfiles::normalise_name;
use crate::lockfiles::requirement::{Constraint, split};
use crate::lockfiles::rules::Finding;
use crate::lockfiles::rules::sync::beside::{Project, read};
use crate::lockfiles::rules::sync::direct::{Direct, Pin, declared, pin, pythons, relock};
use crate::model::lockfile::{Package, Source};
use crate::model::sources::Location;

/// So many entries are shown.
const SHOWN: usize = 5;

/// Completes what is said of a lock whose hash is another one: what a change did to the entries of these tables, where
/// the base's project is the recorded one, and whether a version must move.
pub fn tell(
    facts: &Facts<'_>,
    project: &Project<'_>,
    tables: &[&[&str]],
    is_recorded: impl Fn(&Document<'_>) -> bool,
    finding: &mut Finding,
) {
    let before = facts.base.and_then(|base| {
        let file = base.sources.find(facts.sources.path(project.file))?;
        let facts = Facts {
            sources: base.sources,
            ..facts.clone()
        };
        read(file, &facts).filter(|before| is_recorded(before))
    });
    if let Some(before) = &before {
        changes(project, before, tables, finding);
    } else {
        let root = project.document.root();
        let first = tables.iter().find_map(|keys| root.path(keys));
        if let Some(first) = first.or_else(|| root.get("project")) {
            finding.see(project.key_at(first), "declared here");
        }
    }
    let asked = declared(project, facts).unwrap_or_default();
    let relock = relock(facts);
    let fate = fate(facts, project, &asked);
    match fate {
        Fate::Moves(names) => {
            let names = quoted(names.iter().map(String::as_str));
            finding.help(format!("{names} must be locked anew: `{relock}`"))
        }
        Fate::Stays(unasked, false) if unasked.is_empty() => {
            finding.help(format!("no version must move: `{relock}`"))
        }
        Fate::Stays(unasked, _) if unasked.is_empty() => finding
            .add("; the drift is cosmetic, every requirement is locked as it is declared")
            .help(format!("no version moves: `{relock}`")),
        Fate::Stays(unasked, _) => {
            let names = quoted(unasked.iter().map(String::as_str));
            finding
                .add(format!("; nothing asks for {names} any more"))
                .help(format!("no version moves, and what is not needed goes: `{relock}`"))
        }
        Fate::Unknown => finding.help(format!(
            "write the lock anew: `{relock}`; no version moves that still satisfies what is declared"
        )),
    };
}

/// The first of some texts, and how many more there are.
fn quoted<'t>(texts: impl ExactSizeIterator<Item = &'t str>) -> String {
    let more = texts.len().saturating_sub(SHOWN);
    let shown: Vec<String> = texts
        .take(SHOWN)
        .map(|text| format!("`{}`", conceal(text)))
        .collect();
    match more {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// What has to happen to the pins.
enum Fate {
    /// These have none, or one that does not satisfy.
    Moves(BTreeSet<String>),
    /// All satisfy; these are asked for by nothing. Whether the Pythons are the same, not fewer.
    Stays(BTreeSet<String>, bool),
    /// That cannot be told.
    Unknown,
}

fn fate(facts: &Facts<'_>, project: &Project<'_>, asked: &[Direct]) -> Fate {
    let pythons = pythons(facts);
    let pins: Vec<(&Direct, Pin<'_>)> = asked
        .iter()
        .map(|direct| (direct, pin(direct, facts, pythons.as_ref())))
        .collect();
    let moves: BTreeSet<String> = pins
        .iter()
        .filter(|(_, pin)| matches!(pin, Pin::Missing | Pin::Unfit(_)))
        .map(|(direct, _)| direct.name.normal.clone().into_owned())
        .collect();
    if !moves.is_empty() {
        return Fate::Moves(moves);
    }
    let is_settled =
        |(direct, pin): &(&Direct, Pin<'_>)| matches!(pin, Pin::Fits) && has_extras(direct, facts);
    let declared = declared_pythons(project).zip(pythons.as_ref());
    let Some((declared, locked)) = declared.filter(|(declared, locked)| locked.covers(declared))
    else {
        return Fate::Unknown;
    };
    if asked.is_empty() || !pins.iter().all(is_settled) || !is_resolved_alike(facts, project) {
        return Fate::Unknown;
    }
    let needed: BTreeSet<&str> = asked.iter().map(|direct| &*direct.name.normal).collect();
    let edges = facts.lock.packages.iter().flat_map(|package| {
        let own = &*package.name.normal;
        let edges = package.dependencies.iter();
        edges
            .map(|edge| &*edge.name.normal)
            .filter(move |name| *name != own)
    });
    let reached: BTreeSet<&str> = edges.collect();
    let unasked = facts
        .lock
        .third_party()
        .map(|package| &*package.name.normal);
    let unasked = unasked.filter(|name| !needed.contains(name) && !reached.contains(name));
    let unasked = unasked.map(str::to_owned).collect();
    Fate::Stays(unasked, declared.is_same(locked))
}

/// The Pythons that a project is for.
fn declared_pythons(project: &Project<'_>) -> Option<Pythons> {
    let root = project.document.root();
    let text = |keys: &[&str]| root.path(keys).and_then(Value::as_str);
    let declared = text(&["project", "requires-python"])
        .or_else(|| text(&["tool", "poetry", "dependencies", "python"]))?;
    Constraint::poetry(&declared)?.pythons()
}

/// Whether the lock shows that it has what the extras of a requirement bring.
fn has_extras(direct: &Direct, facts: &Facts<'_>) -> bool {
    let locked = facts.index.named(&direct.name.normal);
    direct.extras.iter().all(|extra| {
        let extra = normalise_name(extra);
        // PDM has an entry of its own, Poetry the dependencies of the extras that were asked for.
        let is_own = |package: &&Package<'_>| {
            package
                .extras
                .iter()
                .any(|own| normalise_name(&own.value) == extra)
        };
        let is_edge = |package: &&Package<'_>| {
            let asks = |marker: &str| {
                let spellings = [
                    format!("extra == \"{extra}\""),
                    format!("extra == '{extra}'"),
                ];
                spellings.iter().any(|text| marker.contains(text))
            };
            let mut edges = package.dependencies.iter();
            edges.any(|edge| {
                edge.marker
                    .as_ref()
                    .is_some_and(|marker| asks(&marker.value))
            })
        };
        locked
            .iter()
            .any(|package| is_own(package) || is_edge(package))
    })
}

/// Whether what else has a say is as the lock has it: the indexes, and no settings of the resolution.
fn is_resolved_alike(facts: &Facts<'_>, project: &Project<'_>) -> bool {
    let root = project.document.root();
    if root.path(&["tool", "pdm", "resolution"]).is_some() {
        return false;
    }
    let sources = root.path(&["tool", "poetry", "source"]);
    let urls: BTreeSet<String> = sources
        .into_iter()
        .flat_map(Value::entries)
        .filter_map(|source| source.get("url")?.as_str())
        .map(|url| url.trim_end_matches('/').to_owned())
        .collect();
    facts
        .lock
        .packages
        .iter()
        .all(|package| match &package.source.value {
            Source::Registry(url) => urls.contains(url.trim_end_matches('/')),
            Source::Unstated => true,
            // A change of what else it may come from is not seen here.
            _ => false,
        })
}

/// An entry of a table: where it belongs, what it is, and its place.
struct Entry {
    table: String,
    text: String,
    at: Location,
}

/// Says which entries changed.
fn changes(
    project: &Project<'_>,
    before: &Document<'_>,
    tables: &[&[&str]],
    finding: &mut Finding,
) {
    let place = |value: Value<'_, '_>| project.key_at(value);
    let (mut now, mut old) = (Vec::new(), Vec::new());
    for keys in tables {
        let table = keys.join(".");
        if let Some(value) = project.document.root().path(keys) {
            collect(value, &table, &place, &mut now);
        }
        if let Some(value) = before.root().path(keys) {
            collect(value, &table, &place, &mut old);
        }
    }
    // The same entry as often on both sides is no change.
    let mut counts: BTreeMap<(String, String), i64> = BTreeMap::new();
    for (entries, one) in [(&now, 1), (&old, -1)] {
        for entry in entries {
            let key = (entry.table.clone(), entry.text.clone());
            *counts.entry(key).or_default() += one;
        }
    }
    let differs = |entry: &Entry, sign: i64| {
        let key = (entry.table.clone(), entry.text.clone());
        counts.get(&key).is_some_and(|count| count * sign > 0)
    };
    now.retain(|entry| differs(entry, 1));
    old.retain(|entry| differs(entry, -1));
    if now.is_empty() && old.is_empty() {
        finding.add(", only in the order of its entries");
        return;
    }
    let mut shown = 0;
    for entry in now {
        let name = subject(&entry.text);
        let was = old
            .iter()
            .position(|other| other.table == entry.table && subject(&other.text) == name)
            .map(|found| old.remove(found));
        shown += 1;
        if shown > SHOWN {
            continue;
        }
        match was {
            Some(was) => finding.see(
                entry.at,
                format!("`{}` was `{}`", conceal(&entry.text), conceal(&was.text)),
            ),
            None => finding.see(
                entry.at,
                format!("`{}` is new in `{}`", conceal(&entry.text), entry.table),
            ),
        };
    }
    if !old.is_empty() {
        let gone = quoted(old.iter().map(|entry| entry.text.as_str()));
        finding.add(format!("; {gone} went away since"));
    }
}

/// The name of a requirement, or of a key, that an entry is about.
fn subject(text: &str) -> String {
    let name = split(text).ok().and_then(|split| text.get(split.name));
    let key = text.split_once(" = ").map(|(key, _)| key);
    normalise_name(key.or(name).unwrap_or_default())
}

/// All texts in a value, each with the table that it stands in. A table in braces is one text.
fn collect(
    value: Value<'_, '_>,
    table: &str,
    place: &impl Fn(Value<'_, '_>) -> Location,
    found: &mut Vec<Entry>,
) {
    let is_inline = value.raw().starts_with('{');
    if value.kind() == Kind::Array {
        for item in value.entries() {
            collect(item, table, place, found);
        }
    } else if value.kind() == Kind::Table && !is_inline {
        for entry in value.entries() {
            if entry.kind() == Kind::Array {
                collect(entry, &format!("{table}.{}", entry.key()), place, found);
            } else {
                collect(entry, table, place, found);
            }
        }
    } else {
        let (key, text) = (value.key(), value.as_str());
        let text = text.unwrap_or_else(|| value.raw().into());
        found.push(Entry {
            table: table.to_owned(),
            text: if key.is_empty() {
                text.into_owned()
            } else {
                format!("{key} = {text}")
            },
            at: place(value),
        });
    }
}
