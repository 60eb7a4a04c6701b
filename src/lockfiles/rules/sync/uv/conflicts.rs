//! What excludes each other is what the lock was made from.

use crate::lockfiles::facts::Facts;
use crate::lockfiles::policy::Level;
use std::collections::{BTreeMap, BTreeSet};

use crate::lockfiles::normalise_name;
use crate::lockfiles::rules::sync::uv::recorded::{start, top};
use crate::lockfiles::rules::sync::uv::view::{Tree, View};
use crate::lockfiles::rules::{Check, Example, Findings, Rule};
use crate::model::declared::{Group, GroupItem};
use crate::model::lockfile::{Conflict, Text};
use crate::model::sources::Location;

/// The rule.
pub const RULE: Rule = Rule {
    id: "sync-conflicts",
    summary: "The lock was made with other conflicts between extras and groups",
    why: "uv resolves extras and groups apart that exclude each other; a group that includes one of them excludes the others as well. It records `conflicts` and refuses a lock with others.",
    level: Level::Error,
    check: Check::Lock(check),
    failing: Example::of(&[
        (
            "pyproject.toml",
            r#"[project]
name = "app"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = ["six>=1.16"]

[project.optional-dependencies]
a = []
b = []

[tool.uv]
conflicts = [[{ extra = "a" }, { extra = "b" }]]
"#,
        ),
        (
            "uv.lock",
            r#"version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "app"
version = "0.1.0"
source = { virtual = "." }
dependencies = [
    { name = "six" },
]

[package.metadata]
requires-dist = [{ name = "six", specifier = ">=1.16" }]
provides-extras = ["a", "b"]

[[package]]
name = "six"
version = "1.17.0"
source = { registry = "https://index.example/simple" }
"#,
        ),
    ]),
    repair: "Run `uv lock` and commit the lock with the change.",
    repaired: Example::of(&[
        (
            "pyproject.toml",
            r#"[project]
name = "app"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = ["six>=1.16"]

[project.optional-dependencies]
a = []
b = []

[tool.uv]
conflicts = [[{ extra = "a" }, { extra = "b" }]]
"#,
        ),
        (
            "uv.lock",
            r#"version = 1
revision = 3
requires-python = ">=3.11"
conflicts = [[
    { package = "app", extra = "a" },
    { package = "app", extra = "b" },
]]

[[package]]
name = "app"
version = "0.1.0"
source = { virtual = "." }
dependencies = [
    { name = "six" },
]

[package.metadata]
requires-dist = [{ name = "six", specifier = ">=1.16" }]
provides-extras = ["a", "b"]

[[package]]
name = "six"
version = "1.17.0"
source = { registry = "https://index.example/simple" }
"#,
        ),
    ]),
};

/// So many sets are put together.
const LIMIT: usize = 1_000;

fn check(facts: &Facts<'_>, findings: &mut Findings<'_>) {
    let Some(view) = View::new(facts) else {
        return;
    };
    let recorded: Vec<_> = view
        .uv
        .conflicts
        .iter()
        .map(|set| (normal(&set.value, None), set.at))
        .collect();
    let Some(declared) = declared(&view) else {
        return;
    };
    let relock = format!("write the lock anew: `{}`", facts.lock.format.relock());
    let mut is_told = false;
    for (set, at, is_own) in &declared {
        if !recorded.iter().any(|(other, _)| other == set) {
            is_told = true;
            let message = if *is_own {
                "the lock was made without this conflict".to_owned()
            } else {
                format!("the lock was made without the conflict of {}", show(set))
            };
            findings
                .add(*at, message)
                .see(start(&view), "the lock")
                .help(&relock);
        }
    }
    for (set, at) in &recorded {
        if !declared.iter().any(|(other, ..)| other == set) {
            is_told = true;
            findings
                .add(
                    *at,
                    "the lock was made with this conflict, which is not declared",
                )
                .see(top(&view), "the settings")
                .help(&relock);
        }
    }
    // uv keeps the order of those that are declared, project by project.
    let has_conflicts =
        |tree: &&Tree<'_>| tree.settings().is_some_and(|uv| !uv.conflicts.is_empty());
    if is_told || view.projects.iter().filter(has_conflicts).count() != 1 {
        return;
    }
    let own = declared.iter().filter(|(.., is_own)| *is_own);
    let mut pairs = own.zip(&recorded);
    if let Some(((_, at, _), (_, was))) = pairs.find(|((set, ..), (other, _))| set != other) {
        findings
            .add(
                *at,
                "the lock has another conflict in this place: the order counts",
            )
            .see(*was, "the order of the lock")
            .help(relock);
    }
}

/// The members of a conflict in a normal form: project, extra, group.
type Set = BTreeSet<[Option<String>; 3]>;

/// The conflicts that the lock has to have, where each comes from, and whether it stands there itself; `None` where there are
/// too many to be looked at.
pub fn declared(view: &View<'_>) -> Option<Vec<(Set, Location, bool)>> {
    let mut declared: Vec<(Set, Location, bool)> = Vec::new();
    // uv takes none from a script.
    let trees = view.projects.iter().filter(|_| !view.is_script());
    for tree in trees.filter(|tree| tree.is_member) {
        let own = tree.name();
        let sets = tree.settings().map_or(&[][..], |uv| &uv.conflicts);
        declared.extend(
            sets.iter()
                .map(|set| (normal(&set.value, own.as_deref()), set.at, true)),
        );
    }
    let root = view.projects.first().filter(|_| !view.is_script());
    let Some((root, name)) = root.and_then(|root| Some((root, root.name()?))) else {
        return Some(declared);
    };
    // A group that includes another one excludes what that does.
    for (group, including) in including(&root.declared.groups) {
        let item = |group: String| [Some(name.clone()), None, Some(group)];
        let item_of_group = item(group);
        let mut derived = Vec::new();
        for (set, at, _) in declared.iter().filter(|one| one.0.contains(&item_of_group)) {
            for other in &including {
                let mut set = set.clone();
                set.remove(&item_of_group);
                set.insert(item(other.clone()));
                let mut known = declared.iter().chain(&derived);
                if !known.any(|(known, ..)| *known == set) {
                    derived.push((set, *at, false));
                }
                if declared.len() + derived.len() > LIMIT {
                    return None;
                }
            }
        }
        declared.extend(derived);
    }
    Some(declared)
}

/// For each group that others include, directly or not, those others.
fn including(groups: &[Group<'_>]) -> BTreeMap<String, BTreeSet<String>> {
    let mut direct: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for group in groups {
        for item in &group.items {
            if let GroupItem::Include(included) = item {
                let entry = direct.entry(normalise_name(&included.value)).or_default();
                entry.push(normalise_name(&group.name.value));
            }
        }
    }
    direct
        .keys()
        .map(|group| {
            let mut all = BTreeSet::new();
            let mut open = vec![group];
            while let Some(next) = open.pop() {
                for other in direct.get(next).into_iter().flatten() {
                    if all.insert(other.clone()) {
                        open.push(other);
                    }
                }
            }
            (group.clone(), all)
        })
        .collect()
}

fn normal(set: &[Conflict<'_>], own: Option<&str>) -> Set {
    let name = |text: &Option<Text<'_>>| text.as_deref().map(normalise_name);
    set.iter()
        .map(|conflict| {
            let package = name(&conflict.package).or_else(|| own.map(str::to_owned));
            [package, name(&conflict.extra), name(&conflict.group)]
        })
        .collect()
}

/// ``the groups `a` and `b` ``, as far as they have names.
fn show(set: &Set) -> String {
    let names = set.iter().map(|[package, extra, group]| {
        let name = group.as_ref().or(extra.as_ref()).or(package.as_ref());
        format!("`{}`", name.map_or("", String::as_str))
    });
    names.collect::<Vec<_>>().join(" and ")
}
