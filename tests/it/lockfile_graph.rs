//! The graph in locks of Poetry and PDM, made by these tools and then edited.

use lockgate::lockfiles::Format;

use crate::support::lockgate::Project;
use crate::support::small_locks::small_locks;

/// The entry of a package, from its `[[package]]` to the next table of that depth.
fn entry<'l>(lock: &'l str, name: &str) -> &'l str {
    let head = format!("[[package]]\nname = \"{name}\"\n");
    let start = lock.find(&head).unwrap();
    let rest = &lock[start + head.len()..];
    let end = ["\n[[package]]", "\n[metadata]"]
        .iter()
        .filter_map(|next| rest.find(next))
        .min();
    &lock[start..start + head.len() + end.map_or(rest.len(), |end| end + 1)]
}

#[test]
fn entries_that_are_missing_or_that_nothing_needs_are_found_where_the_tools_are_blind() {
    let is_loose = |format| matches!(format, Format::Poetry | Format::Pdm);
    for small in small_locks().iter().filter(|small| is_loose(small.format)) {
        let project = Project::empty();
        project.write(small.declared.0, &small.declared.1);
        let found = |lock: &str| -> Vec<(String, String)> {
            project.write(small.name, lock);
            let report = project
                .run(&["lockfile-verify", "--output-format=json"])
                .json();
            let findings = report["findings"].as_array().unwrap().iter();
            findings
                .map(|finding| {
                    let line = finding["line"].as_u64().unwrap();
                    let line = lock.lines().nth(usize::try_from(line).unwrap() - 1);
                    let rule = finding["rule"].as_str().unwrap().to_owned();
                    (rule, line.unwrap_or_default().trim().to_owned())
                })
                .collect()
        };
        let lock = &small.lock;
        assert_eq!(found(lock), []);
        let (six, needs) = (entry(lock, "six"), entry(lock, "python-dateutil"));
        let edge = needs
            .lines()
            .map(str::trim)
            .find(|line| line.starts_with("six") || line.starts_with("\"six"))
            .unwrap();
        let stranger = six
            .replace("\"six\"", "\"stranger\"")
            .replace("six-", "stranger-");
        let name = |name: &str| format!("name = \"{name}\"");
        for (what, text, rule, line) in [
            (
                "dropped",
                lock.replace(six, ""),
                "dangling-edge",
                edge.to_owned(),
            ),
            (
                "another version",
                lock.replace(six, &six.replace("1.17.0", "0.0.1")),
                "dangling-edge",
                edge.to_owned(),
            ),
            (
                "edge dropped",
                lock.replace(edge, ""),
                "orphan-package",
                name("six"),
            ),
            (
                "a stranger",
                lock.replace(six, &format!("{six}\n{stranger}")),
                "orphan-package",
                name("stranger"),
            ),
        ] {
            assert_ne!(text, *lock, "{what}");
            let found = found(&text);
            let expected = (rule.to_owned(), line);
            assert!(
                found.contains(&expected),
                "{} {what}: {found:?}",
                small.name
            );
        }
    }
}
