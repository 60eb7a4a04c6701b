//! The members of a workspace, and which of them need each other: `uv.lock` has both.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::lockfile::{Lockfile, Source};
use crate::model::pipeline::Member;

/// The members of the workspace that a lock is of, by path. A project alone is the only member of its workspace. None
/// where the lock is not uv's.
pub fn members(lock: &Lockfile<'_>) -> Vec<Member> {
    let Some(uv) = lock.uv() else {
        return Vec::new();
    };
    let manifest = uv.manifest.as_ref().map(|manifest| &manifest.value.members);
    let named: BTreeSet<&str> = manifest
        .into_iter()
        .flatten()
        .map(|name| &*name.normal)
        .collect();
    let mut paths: BTreeMap<&str, String> = BTreeMap::new();
    let mut needs: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for package in &lock.packages {
        let name = &*package.name.normal;
        let (Source::Editable(path) | Source::Virtual(path) | Source::Directory(path)) =
            &package.source.value
        else {
            continue;
        };
        let is_member = named.contains(name) || named.is_empty() && **path == *".";
        let Some(path) = is_member.then(|| inside(path)).flatten() else {
            continue;
        };
        paths.insert(name, path);
        let edges = package.dependencies.iter();
        needs
            .entry(name)
            .or_default()
            .extend(edges.map(|edge| &*edge.name.normal));
    }
    let mut members: Vec<Member> = paths
        .iter()
        .map(|(name, path)| {
            let depends = reached(name, &needs).into_iter();
            let mut depends: Vec<String> = depends
                .filter_map(|other| paths.get(other).cloned())
                .collect();
            depends.sort();
            Member {
                name: (*name).to_owned(),
                path: path.clone(),
                depends,
            }
        })
        .collect();
    members.sort_by(|one, other| one.path.cmp(&other.path));
    members
}

/// A path of the lock without what names nothing; none where it leads out.
fn inside(path: &str) -> Option<String> {
    let parts = path.split(['/', '\\']);
    let parts: Vec<&str> = parts.filter(|part| !matches!(*part, "" | ".")).collect();
    let leads_out = path.starts_with('/') || parts.contains(&"..");
    let is_odd = path.contains([':', '\0']) || path.chars().any(char::is_control);
    (!leads_out && !is_odd).then(|| parts.join("/"))
}

/// All that a member needs of the others.
fn reached<'m>(name: &'m str, needs: &BTreeMap<&'m str, BTreeSet<&'m str>>) -> BTreeSet<&'m str> {
    let mut found = BTreeSet::new();
    let mut open = vec![name];
    while let Some(name) = open.pop() {
        for other in needs.get(name).into_iter().flatten() {
            if needs.contains_key(other) && found.insert(*other) {
                open.push(other);
            }
        }
    }
    found.remove(name);
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lockfiles::{Format, read};
    use crate::model::sources::Sources;

    fn of(text: &str) -> Vec<Member> {
        let mut sources = Sources::default();
        let file = sources.add("uv.lock".to_owned(), text.as_bytes().to_vec());
        let reading = read(Format::Uv, file.unwrap(), &sources);
        members(&reading.lockfile.unwrap())
    }

    #[test]
    fn members_know_whom_they_need_over_others() {
        let package = |name: &str, path: &str, needs: &[&str]| {
            let needs: Vec<String> = needs
                .iter()
                .map(|need| format!("{{ name = \"{need}\" }}"))
                .collect();
            format!(
                "[[package]]\nname = \"{name}\"\nversion = \"1\"\nsource = {{ editable = \"{path}\" }}\ndependencies = [{}]\n",
                needs.join(", ")
            )
        };
        let head = "version = 1\nrevision = 3\nrequires-python = \">=3.12\"\n";
        let all = [
            format!("{head}[manifest]\nmembers = [\"api\", \"core\", \"lib\", \"out\", \"root\"]\n"),
            package("api", "packages/api", &["lib", "six"]),
            package("core", "packages/core", &["lib"]),
            package("lib", "packages/lib", &["core"]),
            package("out", "../out", &[]),
            package("root", ".", &[]),
            "[[package]]\nname = \"six\"\nversion = \"1.17.0\"\nsource = { registry = \"https://index.example/simple\" }\n".to_owned(),
        ];
        let found = of(&all.concat());
        let shown: Vec<(&str, &str, String)> = found
            .iter()
            .map(|member| (&*member.name, &*member.path, member.depends.join(" ")))
            .collect();
        assert_eq!(
            shown,
            [
                ("root", "", String::new()),
                (
                    "api",
                    "packages/api",
                    "packages/core packages/lib".to_owned()
                ),
                ("core", "packages/core", "packages/lib".to_owned()),
                ("lib", "packages/lib", "packages/core".to_owned()),
            ]
        );
        let alone = format!("{head}{}", package("app", ".", &["six"]));
        assert_eq!(of(&alone).len(), 1);
    }

    #[test]
    fn a_file_is_in_the_folder_of_a_member_or_not() {
        assert!(Member::holds("packages/api", "packages/api/x.py"));
        assert!(!Member::holds("packages/api", "packages/api2/x.py"));
        assert!(Member::holds("", "x.py"));
    }
}
