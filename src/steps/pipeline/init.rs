//! `init`: writes a first definition for the project that is here, and never over another.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use toml::Value;

use crate::error::{Error, Result, exit};
use crate::linters::{Setting, Tool};
use crate::pipeline::graph::Graph;
use crate::pipeline::read::{Carrier, read};
use crate::steps::Step;
use crate::steps::definition::carrier_of;
use crate::steps::pipeline::definition::usable_steps;
use crate::steps::pipeline::{Arguments, no_sarif};
use crate::steps::world::World;
use crate::system::files::rewrite;

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

/// Writes a definition.
pub fn init(arguments: &Arguments, world: &World) -> Result<u8> {
    no_sarif(arguments, world)?;
    let found = Found::of(&world.directory);
    let stages = found.stages();
    if stages.is_empty() {
        return Err(Error::usage("there is nothing here that a pipeline could run: no lock, no linter, no tests")
            .hint("write a stage by hand: `[tool.lockgate.pipeline.stages.test]` with `run = [\"pytest\"]`"));
    }
    let target = target(arguments.yaml, world)?;
    let before = match std::fs::read_to_string(&target) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => {
            return Err(
                Error::usage(format!("`{}` cannot be read", target.display())).cause(error),
            );
        }
    };
    let carrier = carrier_of(&target);
    let name = target
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let own = render(&stages, carrier);
    let text = joined(before.as_deref().unwrap_or_default(), &own);
    let read = read(&text, &name, carrier, &usable_steps());
    let fits = read.is_ok_and(|pipeline| Graph::of(&pipeline).is_ok());
    if !fits {
        return Err(Error::usage(format!(
            "`{name}` is written so that nothing can be added at its end"
        ))
        .hint(format!("add this by hand:\n{own}")));
    }
    write(&target, &text, before.is_some())?;
    let names: Vec<&str> = stages.iter().map(|stage| stage.name).collect();
    let line = format!(
        "`{name}` has the stages {}\n",
        crate::error::list(&names, "and")
    );
    world.console.text_by(|out| out.write_all(line.as_bytes()));
    Ok(exit::PASS)
}

/// The file that gets the definition.
fn target(yaml: bool, world: &World) -> Result<PathBuf> {
    let project = world.directory.join("pyproject.toml");
    let own = world.directory.join("lockgate.yaml");
    if let Some(path) = &world.config.path {
        let shown = path
            .strip_prefix(&world.root)
            .unwrap_or(path)
            .display()
            .to_string();
        if world.config.defines(Step::Pipeline.name()) {
            return Err(Error::usage(format!("`{shown}` defines stages already"))
                .hint("lockgate pipeline check"));
        }
        if yaml && carrier_of(path) == Carrier::Toml && path.parent() == Some(&world.directory) {
            return Err(Error::usage(format!(
                "`{shown}` configures Lockgate, and a `lockgate.yaml` beside it is an error"
            ))
            .hint("lockgate pipeline init"));
        }
        if path.parent() == Some(&world.directory) {
            return Ok(path.clone());
        }
    }
    Ok(if yaml || !project.is_file() {
        own
    } else {
        project
    })
}

/// A file that is there keeps what is in it; one that is not is not put over one that came meanwhile.
fn write(path: &Path, text: &str, is_there: bool) -> Result<()> {
    let unwritable =
        |error| Error::usage(format!("`{}` cannot be written", path.display())).cause(error);
    if is_there {
        return rewrite(path, text.as_bytes()).map_err(unwritable);
    }
    let mut file = std::fs::File::create_new(path).map_err(unwritable)?;
    std::io::Write::write_all(&mut file, text.as_bytes()).map_err(unwritable)
}

/// The file with the definition behind what it has.
fn joined(before: &str, own: &str) -> String {
    let mut text = before.to_owned();
    if !text.is_empty() {
        if !text.ends_with('\n') {
            text.push('\n');
        }
        text.push('\n');
    }
    text.push_str(own);
    if before.contains("\r\n") {
        text = text.replace("\r\n", "\n").replace('\n', "\r\n");
    }
    text
}

/// What there is in a project.
struct Found {
    lock: Option<(&'static str, Option<Manager>)>,
    has_linters: bool,
    has_tests: bool,
    /// The dependency group that brings pytest.
    group: Option<String>,
    /// Folders of code and tests.
    folders: Vec<&'static str>,
    is_package: bool,
}

/// One stage to be written.
struct New {
    name: &'static str,
    /// Keys, and values as both TOML and YAML take them.
    entries: Vec<(&'static str, Entry)>,
}

/// A value of a stage.
enum Entry {
    Text(&'static str),
    List(Vec<String>),
    Table(Vec<(&'static str, Entry)>),
    Flag(bool),
}

impl Found {
    fn of(directory: &Path) -> Self {
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

    fn stages(&self) -> Vec<New> {
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

fn strings(words: &[&str]) -> Entry {
    Entry::List(words.iter().map(|word| (*word).to_owned()).collect())
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

/// The stages as text.
fn render(stages: &[New], carrier: Carrier) -> String {
    let mut text = String::new();
    if carrier == Carrier::Yaml {
        text.push_str("pipeline:\n  stages:\n");
    }
    for (number, stage) in stages.iter().enumerate() {
        let _ = match carrier {
            Carrier::Toml => {
                if number > 0 {
                    text.push('\n');
                }
                writeln!(text, "[tool.lockgate.pipeline.stages.{}]", stage.name)
            }
            Carrier::Yaml => writeln!(text, "    {}:", stage.name),
        };
        for (key, entry) in &stage.entries {
            let _ = match carrier {
                Carrier::Toml => writeln!(text, "{key} = {}", value(entry, " = ")),
                Carrier::Yaml => writeln!(text, "      {key}: {}", value(entry, ": ")),
            };
        }
    }
    text
}

/// A value in one line, which is the same in TOML and YAML but for what stands behind a key. Texts are as in JSON.
fn value(entry: &Entry, between: &str) -> String {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    match entry {
        Entry::Text(text) => quoted(text),
        Entry::Flag(flag) => flag.to_string(),
        Entry::List(items) => {
            let items: Vec<String> = items.iter().map(|item| quoted(item)).collect();
            format!("[{}]", items.join(", "))
        }
        Entry::Table(entries) => {
            let entries = entries.iter();
            let entries: Vec<String> = entries
                .map(|(key, entry)| format!("{key}{between}{}", value(entry, between)))
                .collect();
            format!("{{ {} }}", entries.join(", "))
        }
    }
}
