//! What PDM records of a project in place of a hash (`lock_inputs`), beside what the project declares.
//!
//! It has the requirements of each group without their specifiers: these may change as long as the pins satisfy them.

use std::collections::{BTreeMap, BTreeSet};

use crate::lockfiles::declared::pdm::{dashed, normalise_group};
use crate::lockfiles::document::{Document, Kind, Value};
use crate::lockfiles::marker::{Agreement, Marker, Pythons, agree};
use crate::lockfiles::normalise_name;
use crate::lockfiles::python_json::digest;
use crate::lockfiles::requirement::split;
use crate::lockfiles::rules::sync::beside::Project;
use crate::lockfiles::rules::sync::pdm::workspace::{self, Implied};

/// How both compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Inputs {
    /// They are the same.
    Same,
    /// That cannot be told, and why.
    Unknown(&'static str),
    /// They are not, and what is another.
    Other(&'static str),
}

/// Compares what a lock records with a project and the members of its workspace.
pub fn compare(recorded: Value<'_, '_>, project: &Document<'_>, members: &[Project<'_>]) -> Inputs {
    let Some(own) = recorded.get("project") else {
        return Inputs::Unknown("its `lock_inputs` have no `project`");
    };
    let Some(implied) = workspace::implied(project, members) else {
        let why = "its build backend names members of the workspace by places of one machine";
        return Inputs::Unknown(why);
    };
    let of_members = workspace::compare(recorded.get("workspace"), project, members);
    of_members.max(one(own, project, &implied))
}

/// Compares what is recorded of one project, besides its package. `implied` is what it requires without saying so.
pub(super) fn one(recorded: Value<'_, '_>, project: &Document<'_>, implied: &[Implied]) -> Inputs {
    let known = [
        "groups",
        "package",
        "requires-python",
        "resolution",
        "sources",
    ];
    if !recorded
        .entries()
        .all(|entry| known.contains(&&*entry.key()))
    {
        let why = "its `lock_inputs` are of folders or archives of the machine that made it";
        return Inputs::Unknown(why);
    }
    let root = project.root();
    let is = |same: bool, what| {
        if same {
            Inputs::Same
        } else {
            Inputs::Other(what)
        }
    };
    let settings = |key| root.path(&["tool", "pdm", key]);
    [
        is(
            same_tables(
                settings("resolution"),
                recorded.get("resolution"),
                &["lock_inputs"],
            ),
            "`[tool.pdm.resolution]` is another one than this lock was made with",
        ),
        is(
            same_sources(settings("source"), recorded.get("sources")),
            "`[[tool.pdm.source]]` are others than this lock was made with",
        ),
        pythons(
            root.path(&["project", "requires-python"]),
            recorded.get("requires-python"),
        ),
        groups(project, recorded.get("groups"), implied),
    ]
    .into_iter()
    .max()
    .unwrap_or(Inputs::Same)
}

fn pythons(declared: Option<Value<'_, '_>>, recorded: Option<Value<'_, '_>>) -> Inputs {
    let text = |value: Option<Value<'_, '_>>| {
        let text = value.and_then(Value::as_str).unwrap_or_default();
        text.replace(char::is_whitespace, "")
    };
    let (declared, recorded) = (text(declared), text(recorded));
    let parts = |text: &str| text.split(',').map(str::to_owned).collect::<BTreeSet<_>>();
    if parts(&declared) == parts(&recorded) {
        return Inputs::Same;
    }
    match (Pythons::parse(&declared), Pythons::parse(&recorded)) {
        (Some(declared), Some(recorded)) if !declared.is_same(&recorded) => {
            Inputs::Other("`requires-python` is another one than this lock was made for")
        }
        _ => Inputs::Unknown("`requires-python` is spelt in another way than in the lock"),
    }
}

/// Tables, but for some keys of the declared one.
pub(super) fn same_tables(
    declared: Option<Value<'_, '_>>,
    recorded: Option<Value<'_, '_>>,
    without: &[&str],
) -> bool {
    let recorded: Vec<_> = recorded.into_iter().flat_map(Value::entries).collect();
    let declared: Vec<_> = declared
        .into_iter()
        .flat_map(Value::entries)
        .filter(|entry| !without.contains(&&*entry.key()))
        .collect();
    declared.len() == recorded.len()
        && declared.iter().all(|own| {
            let mut others = recorded.iter();
            others.any(|other| own.key() == other.key() && same(*own, *other))
        })
}

/// Values; texts with an address in them are recorded as hashes.
fn same(declared: Value<'_, '_>, recorded: Value<'_, '_>) -> bool {
    match declared.kind() {
        kind if kind != recorded.kind() => false,
        Kind::Table => same_tables(Some(declared), Some(recorded), &[]),
        Kind::Array => {
            let own: Vec<_> = declared.entries().collect();
            let others: Vec<_> = recorded.entries().collect();
            let mut pairs = own.iter().zip(&others);
            own.len() == others.len() && pairs.all(|(own, other)| same(*own, *other))
        }
        Kind::String => recorded.as_str().is_some_and(|recorded| {
            declared
                .as_str()
                .is_some_and(|declared| recorded == sanitised(&declared))
        }),
        _ => declared.raw() == recorded.raw(),
    }
}

fn sanitised(text: &str) -> String {
    if text.contains("://") {
        fingerprint(text)
    } else {
        text.to_owned()
    }
}

fn fingerprint(text: &str) -> String {
    format!("sha256:{}", digest(text.as_bytes()))
}

/// Indexes, without who logs in there.
fn same_sources(declared: Option<Value<'_, '_>>, recorded: Option<Value<'_, '_>>) -> bool {
    let list = |value: Option<Value<'_, '_>>, is_declared: bool| -> Vec<BTreeMap<String, String>> {
        let sources = value.into_iter().flat_map(Value::entries);
        sources
            .map(|source| {
                let entries = source
                    .entries()
                    .filter(|entry| !matches!(&*entry.key(), "username" | "password"));
                entries
                    .map(|entry| (entry.key().into_owned(), shown(entry, is_declared)))
                    .collect()
            })
            .collect()
    };
    list(declared, true) == list(recorded, false)
}

/// A value of an index as one text; lists of packages in order.
fn shown(value: Value<'_, '_>, is_declared: bool) -> String {
    match value.as_str() {
        Some(text) if is_declared && value.key() == "url" => fingerprint(&text),
        Some(text) if is_declared => sanitised(&text),
        Some(text) => text.into_owned(),
        None if value.kind() == Kind::Array => {
            let mut items: Vec<String> = value
                .entries()
                .map(|item| shown(item, is_declared))
                .collect();
            items.sort();
            items.join("\n")
        }
        None => value.raw().to_owned(),
    }
}

/// A requirement without its specifier.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    name: String,
    extras: BTreeSet<String>,
    marker: String,
}

impl Line {
    /// `None` for what is no plain requirement of an index.
    fn parse(text: &str) -> Option<Self> {
        let split = split(text).ok().filter(|split| split.url.is_none())?;
        let part = |range| text.get(range).unwrap_or_default();
        Some(Self {
            name: dashed(part(split.name)),
            extras: split
                .extras
                .into_iter()
                .map(|extra| part(extra).to_owned())
                .collect(),
            marker: split.marker.map_or("", part).to_owned(),
        })
    }

    /// The marker without what is a matter of taste.
    fn plain_marker(&self) -> String {
        let plain = self.marker.replace('"', "'");
        plain.replace(char::is_whitespace, "")
    }

    fn is_same(&self, other: &Self) -> bool {
        self.name == other.name
            && self.extras == other.extras
            && self.plain_marker() == other.plain_marker()
    }

    /// Whether they differ in more than in how they are written.
    fn differs(&self, other: &Self) -> bool {
        let markers = || {
            let marker = |text: &str| match text {
                "" => Some(Marker::TRUE),
                text => Marker::parse(text),
            };
            let (own, other) = (marker(&self.marker)?, marker(&other.marker)?);
            Some(agree(&own, &other, &Pythons::default()) == Agreement::Different)
        };
        self.extras != other.extras || markers() == Some(true)
    }
}

fn groups(project: &Document<'_>, recorded: Option<Value<'_, '_>>, implied: &[Implied]) -> Inputs {
    const OTHER: Inputs =
        Inputs::Other("the groups have other requirements than this lock was made from");
    const UNKNOWN: Inputs = Inputs::Unknown(
        "a group has more than plain requirements, or spells one in another way than the lock",
    );
    let root = project.root();
    let mut declared: BTreeMap<String, Option<Vec<Line>>> = BTreeMap::new();
    let name = root.path(&["project", "name"]).and_then(Value::as_str);
    let own = name.map(|name| normalise_name(&name));
    let lines = |group: Value<'_, '_>| {
        let lines = group.entries().map(|item| Line::parse(&item.as_str()?));
        let lines: Vec<Line> = lines.collect::<Option<_>>()?;
        // It takes over its own extras.
        let is_own = |line: &Line| Some(normalise_name(&line.name)) == own;
        (!lines.iter().any(is_own)).then_some(lines)
    };
    let main = root.path(&["project", "dependencies"]);
    declared.insert("default".to_owned(), main.map_or(Some(Vec::new()), lines));
    for keys in [
        &["project", "optional-dependencies"][..],
        &["dependency-groups"],
        &["tool", "pdm", "dev-dependencies"],
    ] {
        for group in root.path(keys).into_iter().flat_map(Value::entries) {
            let is_new = declared
                .insert(normalise_group(&group.key()), lines(group))
                .is_none();
            if !is_new {
                return UNKNOWN;
            }
        }
    }
    let recorded: BTreeMap<String, Value<'_, '_>> = recorded
        .into_iter()
        .flat_map(Value::entries)
        .map(|group| (group.key().into_owned(), group))
        .collect();
    if !declared.keys().eq(recorded.keys()) {
        return OTHER;
    }
    // A member that a group asks for itself is not implied.
    let is_asked = |implied: &Implied| {
        let mut lines = declared.values().flatten().flatten();
        lines.any(|line| line.extras.is_empty() && normalise_name(&line.name) == implied.name)
    };
    let default = recorded.get("default").copied();
    let is_recorded = |implied: &Implied| {
        let mut items = default.into_iter().flat_map(Value::entries);
        items.any(|item| item.as_str().is_some_and(|text| text == implied.line))
    };
    // What cannot be read may be a member by its place.
    let is_known = declared.values().all(Option::is_some);
    if is_known && implied.iter().any(|one| is_asked(one) == is_recorded(one)) {
        return OTHER;
    }
    let is_implied = |text: &str| implied.iter().any(|one| one.line == text);
    let mut worst = Inputs::Same;
    for (lines, group) in declared.values().cloned().zip(recorded.into_values()) {
        let recorded = group.entries().filter_map(|item| match item.as_str() {
            Some(text) if is_implied(&text) => None,
            text => Some(text.and_then(|text| Line::parse(&text))),
        });
        let recorded: Option<Vec<Line>> = recorded.collect();
        let (Some(mut lines), Some(mut recorded)) = (lines, recorded) else {
            worst = worst.max(UNKNOWN);
            continue;
        };
        lines.retain(|line| {
            let same = recorded.iter().position(|other| line.is_same(other));
            same.map(|at| recorded.remove(at)).is_none()
        });
        for line in lines {
            let name = normalise_name(&line.name);
            let found = recorded
                .iter()
                .position(|other| normalise_name(&other.name) == name);
            let Some(other) = found.map(|at| recorded.remove(at)) else {
                return OTHER;
            };
            if line.differs(&other) {
                return OTHER;
            }
            worst = worst.max(UNKNOWN);
        }
        if !recorded.is_empty() {
            return OTHER;
        }
    }
    worst
}
