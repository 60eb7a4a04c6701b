//! What there is in a project, and the stages that fit it.

use std::path::Path;

use toml::Value;

use super::text::{Entry, New, strings};
use crate::linters::{Setting, Tool};
use crate::steps::Step;

/// Locks, and what installs from each.
const LOCKS: [(&str, Option<Manager>); 6] = [
    ("uv.lock", Some(Manager::Uv)),
    ("poetry.lock", Some(Manager::Poetry)),
    ("pdm.lock", None),
    ("Pipfile.lock", None),
    ("pylock.toml", None),
    ("requirements.txt", None),
];

/// What builds a distribution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manager {
    Uv,
    Poetry,
}

/// What there is in a project.
pub(super) struct Found {
    lock: Option<(&'static str, Option<Manager>)>,
    has_linters: bool,
    has_tests: bool,
    /// The dependency group that brings pytest.
    group: Option<String>,
    /// Folders of code and tests.
    folders: Vec<&'static str>,
    is_package: bool,
}

impl Found {
    /// Looks at the project in this folder.
    pub(super) fn of(directory: &Path) -> Self {
        let project: toml::Table = std::fs::read_to_string(directory.join("pyproject.toml"))
            .ok()
            .and_then(|text| toml::from_str(&text).ok())
            .unwrap_or_default();
        let is_there = |name: &str| directory.join(name).is_file();
        let folders = ["src", "tests", "test"].into_iter();
        let folders: Vec<&str> = folders
            .filter(|name| directory.join(name).is_dir())
            .collect();
        let group = group_of_pytest(&project);
        let tool = |name: &str| table(&project, "tool").and_then(|tools| table(tools, name));
        let has_tests = group.is_some()
            || tool("pytest").is_some()
            || is_there("pytest.ini")
            || folders.iter().any(|folder| folder.starts_with("test"));
        let is_unpackaged = tool("uv")
            .and_then(|uv| uv.get("package"))
            .is_some_and(|package| package.as_bool() == Some(false));
        Self {
            lock: LOCKS.into_iter().find(|(name, _)| is_there(name)),
            has_linters: Tool::ALL
                .into_iter()
                .any(|tool| configures(directory, &project, tool)),
            has_tests,
            group,
            folders,
            is_package: project.contains_key("build-system") && !is_unpackaged,
        }
    }

    /// The stages that fit it.
    pub(super) fn stages(&self) -> Vec<New> {
        let mut stages = Vec::new();
        if self.lock.is_some() {
            let uses = Entry::Text(Step::LockfileVerify.name());
            stages.push(New {
                name: "lock",
                entries: vec![("uses", uses)],
            });
        }
        if self.has_linters {
            let uses = Entry::Text(Step::LintGate.name());
            stages.push(New {
                name: "lint",
                entries: vec![("uses", uses)],
            });
        }
        if self.has_tests {
            stages.push(New {
                name: "test",
                entries: self.test(),
            });
        }
        let manager = self.lock.and_then(|(_, manager)| manager);
        if let (true, Some(manager)) = (self.is_package, manager) {
            let words: &[&str] = match manager {
                Manager::Uv => &["uv", "build", "--wheel", "--out-dir", "dist"],
                Manager::Poetry => &["poetry", "build", "--format", "wheel", "--output", "dist"],
            };
            let mut entries = vec![("run", strings(words))];
            let needs: Vec<String> = stages.iter().map(|stage| stage.name.to_owned()).collect();
            if !needs.is_empty() {
                entries.push(("needs", Entry::List(needs)));
            }
            entries.push((
                "outputs",
                Entry::Table(vec![("wheel", Entry::Text("dist/*.whl"))]),
            ));
            stages.push(New {
                name: "build",
                entries,
            });
        }
        stages
    }

    fn test(&self) -> Vec<(&'static str, Entry)> {
        let mut entries = vec![("run", strings(&["python", "-m", "pytest"]))];
        let mut inputs: Vec<String> = self
            .folders
            .iter()
            .map(|folder| format!("{folder}/**"))
            .collect();
        if !inputs.is_empty() {
            inputs.push("pyproject.toml".to_owned());
            inputs.extend(self.lock.map(|(name, _)| name.to_owned()));
            entries.push(("inputs", Entry::List(inputs)));
        }
        let group = self.group.iter().cloned();
        let groups = self
            .group
            .is_some()
            .then(|| ("groups", Entry::List(group.collect())));
        match (self.lock, groups) {
            (None, _) => {}
            (Some(_), Some(groups)) => entries.push(("venv", Entry::Table(vec![groups]))),
            (Some(_), None) => entries.push(("venv", Entry::Flag(true))),
        }
        entries
    }
}

fn table<'t>(table: &'t toml::Table, name: &str) -> Option<&'t toml::Table> {
    table.get(name).and_then(Value::as_table)
}

/// Whether the project configures the tool, by a file or a table of its own.
fn configures(directory: &Path, project: &toml::Table, tool: Tool) -> bool {
    tool.settings().iter().any(|setting| match *setting {
        Setting::File(name) => directory.join(name).is_file(),
        Setting::Table(name, keys) => {
            let mut parts = name.split('.');
            let tools = table(project, "tool");
            let own =
                tools.and_then(|tools| parts.try_fold(tools, |inner, part| table(inner, part)));
            own.is_some_and(|own| keys.is_empty() || keys.iter().any(|key| own.contains_key(*key)))
        }
        Setting::Section { .. } | Setting::Glob(_) => false,
    })
}

/// The dependency group that names pytest, in the standard table or in that of Poetry.
fn group_of_pytest(project: &toml::Table) -> Option<String> {
    let is_pytest = |requirement: &str| {
        let rest = requirement.trim().strip_prefix("pytest");
        rest.is_some_and(|rest| {
            !rest.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'))
        })
    };
    let standard = table(project, "dependency-groups").into_iter().flatten();
    let mut standard = standard.filter(|(_, group)| {
        let items = group.as_array().into_iter().flatten();
        items.filter_map(Value::as_str).any(is_pytest)
    });
    if let Some((name, _)) = standard.next() {
        return Some(name.clone());
    }
    let poetry = table(project, "tool").and_then(|tools| table(tools, "poetry"));
    let groups = poetry.and_then(|poetry| table(poetry, "group"));
    let mut groups = groups.into_iter().flatten().filter(|(_, group)| {
        let own = group.get("dependencies").and_then(Value::as_table);
        own.is_some_and(|own| own.contains_key("pytest"))
    });
    groups.next().map(|(name, _)| name.clone())
}
