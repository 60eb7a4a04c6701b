//! What tells two keys apart: which components, and below the digest which packages and files.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::cache_key::{Components, Lock, Pinned};

/// One thing that is not the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The component, `python-version`, or the path of a lock or a file.
    pub component: String,
    /// What is not the same, for people.
    pub what: String,
}

impl Change {
    fn new(component: impl Into<String>, what: impl Into<String>) -> Self {
        Self {
            component: component.into(),
            what: what.into(),
        }
    }

    /// On one line.
    pub fn line(&self) -> String {
        format!("{}: {}", self.component, self.what)
    }
}

/// In at most `most` lines what is not the same: components first, then packages and files, then how many more.
pub fn explain(before: &Components, after: &Components, most: usize) -> Vec<String> {
    let changes = differences(before, after);
    if changes.is_empty() {
        return vec!["nothing differs: the key is the same".to_owned()];
    }
    let mut lines: Vec<String> = changes.iter().map(Change::line).collect();
    if lines.len() > most {
        let shown = most.saturating_sub(1);
        let more = lines.len() - shown;
        lines.truncate(shown);
        lines.push(format!("and {more} more differences"));
    }
    lines
}

/// Everything that is not the same.
pub fn differences(before: &Components, after: &Components) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut text = |name: &str, before: &str, after: &str| {
        if before != after {
            changes.push(Change::new(name, moved(before, after)));
        }
    };
    let optional = |text: &Option<String>| text.clone().unwrap_or_default();
    text(
        "prefix",
        &optional(&before.prefix),
        &optional(&after.prefix),
    );
    text("image", &optional(&before.image), &optional(&after.image));
    text("os", &before.os, &after.os);
    text("os-version", &before.os_version, &after.os_version);
    text("architecture", &before.architecture, &after.architecture);
    text("libc", &before.libc, &after.libc);
    let python = |components: &Components| match &components.python {
        Some(python) => [
            python.implementation.clone(),
            python.version.clone(),
            python.abi.clone(),
        ],
        None => Default::default(),
    };
    let names = ["python-implementation", "python-version", "abi"];
    for (name, (before, after)) in names
        .into_iter()
        .zip(python(before).iter().zip(&python(after)))
    {
        text(name, before, after);
    }
    text(
        "suffix",
        &optional(&before.suffix),
        &optional(&after.suffix),
    );
    maps("extra", &before.extra, &after.extra, &mut changes);
    let caches = |components: &Components| {
        let caches = components.caches.iter();
        caches
            .map(|(name, layout)| {
                (
                    name.clone(),
                    layout.clone().unwrap_or_else(|| "any".to_owned()),
                )
            })
            .collect()
    };
    maps("cache", &caches(before), &caches(after), &mut changes);
    maps("tool", &before.tools, &after.tools, &mut changes);
    if before.digest != after.digest {
        let known = changes.len();
        locks(before, after, &mut changes);
        files(before, after, &mut changes);
        if changes.len() == known {
            changes.push(Change::new(
                "digest",
                "another one, and the lists that say why are not there",
            ));
        }
    }
    changes
}

fn moved(before: &str, after: &str) -> String {
    let shown = |text: &str| match text {
        "" => "none".to_owned(),
        text => format!("`{text}`"),
    };
    format!("{} → {}", shown(before), shown(after))
}

fn maps(
    kind: &str,
    before: &BTreeMap<String, String>,
    after: &BTreeMap<String, String>,
    changes: &mut Vec<Change>,
) {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for name in names {
        let value = |map: &BTreeMap<String, String>| map.get(name).cloned().unwrap_or_default();
        let (before, after) = (value(before), value(after));
        if before != after {
            changes.push(Change::new(
                format!("{kind} {name}"),
                moved(&before, &after),
            ));
        }
    }
}

fn locks(before: &Components, after: &Components, changes: &mut Vec<Change>) {
    let of = |components: &Components, path: &str| -> Option<Lock> {
        let mut locks = components.locks.iter();
        locks.find(|lock| lock.path == path).cloned()
    };
    let all = before.locks.iter().chain(&after.locks);
    let paths: BTreeSet<&str> = all.map(|lock| lock.path.as_str()).collect();
    for path in paths {
        match (of(before, path), of(after, path)) {
            (Some(before), Some(after)) if before.digest != after.digest => {
                lock(&before, &after, changes);
            }
            (Some(_), None) => changes.push(Change::new(path, "the lock is gone")),
            (None, Some(_)) => changes.push(Change::new(path, "a lock that was not there")),
            _ => {}
        }
    }
}

fn lock(before: &Lock, after: &Lock, changes: &mut Vec<Change>) {
    let known = changes.len();
    if before.format != after.format {
        changes.push(Change::new(
            &after.path,
            format!("its format, {}", moved(&before.format, &after.format)),
        ));
    }
    if before.asked != after.asked {
        changes.push(Change::new(
            &after.path,
            "what the project asks for: its dependencies, groups, extras or indexes",
        ));
    }
    if before.packages.is_empty() != after.packages.is_empty() && changes.len() == known {
        changes.push(Change::new(
            &after.path,
            "the packages; the list of one side is not there",
        ));
        return;
    }
    let names: BTreeSet<&str> = before
        .packages
        .iter()
        .chain(&after.packages)
        .map(|package| package.name.as_str())
        .collect();
    for name in names {
        // What is the same on both sides says nothing.
        let only = |own: &Lock, other: &Lock| -> Vec<Pinned> {
            let own = own.packages.iter();
            own.filter(|package| package.name == name && !other.packages.contains(package))
                .cloned()
                .collect()
        };
        let (gone, come) = (only(before, after), only(after, before));
        if let Some(what) = package(name, &gone, &come) {
            changes.push(Change::new(&after.path, what));
        }
    }
    if changes.len() == known {
        changes.push(Change::new(&after.path, "how its packages are listed"));
    }
}

/// What is not the same of the entries of one name.
fn package(name: &str, gone: &[Pinned], come: &[Pinned]) -> Option<String> {
    let versions = |entries: &[Pinned]| {
        let versions: BTreeSet<&str> = entries.iter().map(|entry| entry.version.as_str()).collect();
        versions.into_iter().collect::<Vec<_>>().join(" and ")
    };
    let (old, new) = (versions(gone), versions(come));
    Some(match (gone, come) {
        ([], []) => return None,
        ([], _) => format!("{name} {new} is new"),
        (_, []) => format!("{name} {old} is gone"),
        (_, _) if old != new => format!("{name} {old} → {new}"),
        (gone, come) => {
            let differs = |of: fn(&Pinned) -> &String| {
                let values = |entries: &'_ [Pinned]| -> BTreeSet<String> {
                    entries.iter().map(|entry| of(entry).clone()).collect()
                };
                values(gone) != values(come)
            };
            let mut parts = Vec::new();
            if differs(|entry| &entry.hashes) {
                parts.push("files or hashes");
            }
            if differs(|entry| &entry.source) {
                parts.push("source");
            }
            if differs(|entry| &entry.rest) || parts.is_empty() {
                parts.push("markers, extras or dependencies");
            }
            format!("{name} {new}: other {}", parts.join(", other "))
        }
    })
}

fn files(before: &Components, after: &Components, changes: &mut Vec<Change>) {
    let of = |components: &Components| -> BTreeMap<String, String> {
        let files = components.files.iter();
        files
            .map(|file| (file.path.clone(), file.digest.clone()))
            .collect()
    };
    let (before, after) = (of(before), of(after));
    let paths: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for path in paths {
        let what = match (before.get(path), after.get(path)) {
            (Some(before), Some(after)) if before != after => "other content",
            (Some(_), None) => "the file is gone",
            (None, Some(_)) => "a file that was not there",
            _ => continue,
        };
        changes.push(Change::new(path, what));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::cache_key::{File, Python};

    fn pinned(name: &str, version: &str, source: &str, hashes: &str, rest: &str) -> Pinned {
        let text = str::to_owned;
        (
            text(name),
            text(version),
            text(source),
            text(hashes),
            text(rest),
        )
            .into()
    }

    fn with(packages: Vec<Pinned>, digest: &str) -> Components {
        Components {
            digest: Some(digest.to_owned()),
            locks: vec![Lock {
                path: "uv.lock".into(),
                format: "uv".into(),
                digest: digest.into(),
                asked: "a".into(),
                packages,
            }],
            ..Components::default()
        }
    }

    #[test]
    fn packages_are_told_by_what_is_not_the_same() {
        let before = with(
            vec![
                pinned("attrs", "1", "s", "h", "r"),
                pinned("idna", "3", "s", "h", "r"),
                pinned("numpy", "1", "s", "h", "r"),
                pinned("numpy", "2", "s", "h", "r"),
                pinned("six", "1", "s", "h", "r"),
                pinned("urllib3", "2", "s", "h", "r"),
            ],
            "1",
        );
        let after = with(
            vec![
                pinned("attrs", "1", "s", "h2", "r"),
                pinned("idna", "3", "s2", "h", "r2"),
                pinned("numpy", "1", "s", "h", "r"),
                pinned("numpy", "3", "s", "h", "r"),
                pinned("tqdm", "4", "s", "h", "r"),
                pinned("urllib3", "2", "s", "h", "r"),
            ],
            "2",
        );
        assert_eq!(
            explain(&before, &after, 10),
            [
                "uv.lock: attrs 1: other files or hashes",
                "uv.lock: idna 3: other source, other markers, extras or dependencies",
                "uv.lock: numpy 2 → 3",
                "uv.lock: six 1 is gone",
                "uv.lock: tqdm 4 is new",
            ]
        );
        assert_eq!(explain(&before, &after, 3).len(), 3);
        assert_eq!(explain(&before, &after, 3)[2], "and 3 more differences");
        assert_eq!(
            explain(&before, &before, 10),
            ["nothing differs: the key is the same"]
        );
    }

    #[test]
    fn components_are_told_before_packages() {
        let before = with(vec![], "1");
        let after = Components {
            python: Python::parse("3.13"),
            libc: "musl-1.2.5".into(),
            tools: [("uv".to_owned(), "0.12.0".to_owned())].into(),
            files: vec![File {
                path: "a.cfg".into(),
                digest: "d".into(),
            }],
            ..with(vec![], "1")
        };
        let after = Components {
            digest: Some("3".into()),
            ..after
        };
        assert_eq!(
            explain(&before, &after, 10),
            [
                "libc: none → `musl-1.2.5`",
                "python-implementation: none → `cpython`",
                "python-version: none → `3.13`",
                "abi: none → `cp313`",
                "tool uv: none → `0.12.0`",
                "a.cfg: a file that was not there",
            ]
        );
    }
}
