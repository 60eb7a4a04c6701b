//! What a compiled requirements file was made from: the command in its header, and where its inputs are.

mod command;
mod words;

pub use crate::lockfiles::compiled::command::{Command, Environments, Tool};

use crate::lockfiles::address::conceal;
use crate::lockfiles::normal::join;
use crate::model::lockfile::{Lockfile, Text};
use crate::model::sources::{Located, Sources};

/// What pip-compile reads where the command names no input: the first that is there.
const DEFAULTS: [&str; 4] = ["requirements.in", "setup.py", "pyproject.toml", "setup.cfg"];

/// The project of a folder.
const PROJECT: &str = "pyproject.toml";

/// What an input is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A list of requirements.
    Requirements,
    /// A `pyproject.toml`.
    Project,
}

/// An input of a compiled file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// From the root of the workspace.
    pub path: String,
    /// What it is.
    pub kind: Kind,
}

/// What a compiled file was made from.
#[derive(Clone, Debug, Default)]
pub struct Recipe {
    /// The command; `None` where the header names one of the project's own.
    pub command: Option<Command>,
    /// The folder in which it ran, from the root of the workspace.
    pub folder: String,
    /// The inputs that are in the workspace.
    pub inputs: Vec<Input>,
    /// The groups of projects: the path of the project, and the name.
    pub groups: Vec<(String, String)>,
    /// The files of constraints.
    pub constraints: Vec<String>,
    /// The files of overrides.
    pub overrides: Vec<String>,
    /// Why some of what it was made from cannot be looked at.
    pub unknown: Vec<String>,
}

impl Recipe {
    /// Every file that is needed, from the root of the workspace.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        let inputs = self.inputs.iter().map(|input| &input.path);
        let groups = self.groups.iter().map(|(path, _)| path);
        let others = self.constraints.iter().chain(&self.overrides);
        inputs.chain(groups).chain(others).map(String::as_str)
    }

    /// The project whose settings the tool reads.
    pub fn settings(&self) -> String {
        join(&self.folder, PROJECT)
    }

    /// The file, from the root of the workspace, that an annotation names: `-r requirements.in`, `-c limits.txt`,
    /// `app (pyproject.toml)`; `None` for a package.
    pub fn asker(&self, via: &str) -> Option<Asker> {
        let file = |path: &str| join(&self.folder, path.trim());
        for (option, is_constraint) in [("-r ", false), ("-c ", true)] {
            if let Some(path) = via.strip_prefix(option) {
                return Some(Asker {
                    path: file(path),
                    is_constraint,
                    group: None,
                });
            }
        }
        let (_, inside) = via.strip_suffix(')')?.split_once('(')?;
        if !is_local(inside) {
            return None;
        }
        let (path, group) = match inside.rsplit_once(':') {
            Some((path, group)) => (path, Some(crate::lockfiles::normalise_name(group))),
            None => (inside, None),
        };
        Some(Asker {
            path: file(path),
            is_constraint: false,
            group,
        })
    }
}

/// What an annotation names in place of a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asker {
    /// The file.
    pub path: String,
    /// Whether it only constrains.
    pub is_constraint: bool,
    /// The group of the project.
    pub group: Option<String>,
}

/// What a lock was made from; `None` where it is none that was compiled. `has` says whether a path from the root of the
/// workspace is a file.
pub fn recipe(
    lock: &Lockfile<'_>,
    sources: &Sources,
    mut has: impl FnMut(&str) -> bool,
) -> Option<Recipe> {
    let requirements = lock.requirements()?;
    let generator = lock.generator.as_ref()?;
    if !matches!(&*generator.value, "pip-compile" | "uv") {
        return None;
    }
    let text = requirements.command.as_ref().map(|text| &*text.value);
    if text.is_some_and(|text| text.starts_with("uv export") || text.starts_with("uv pip freeze")) {
        return None;
    }
    let lock = sources.path(lock.file);
    let command = text.and_then(command::read);
    let mut named = match &command {
        Some(command) => Named::of(command),
        None => Named::by_annotations(&requirements.via),
    };
    let mut recipe = Recipe::default();
    for path in std::mem::take(&mut named.inputs) {
        match unreadable(&path) {
            Some(why) => recipe
                .unknown
                .push(format!("its input `{}` {why}", conceal(&path))),
            None => named.inputs.push(path),
        }
    }
    if named.is_empty() && recipe.unknown.is_empty() {
        named.uses_defaults = command.is_some();
        if command.is_none() {
            recipe.unknown.push(
                "neither the command in its header nor an annotation names what it was made from"
                    .to_owned(),
            );
        }
    }
    let folders = folders(
        lock,
        command
            .as_ref()
            .and_then(|command| command.output.as_deref()),
    );
    recipe.folder = folders.first().cloned().unwrap_or_default();
    recipe.command = command;
    let found = folders.into_iter().find_map(|folder| {
        let inputs = named.in_folder(&folder, &mut has)?;
        Some((folder, inputs))
    });
    let Some((folder, inputs)) = found else {
        let missing = named.all().next().unwrap_or("requirements.in");
        recipe.unknown.push(format!(
            "its input `{}` is not where the header says, or not in the repository",
            conceal(missing)
        ));
        return Some(recipe);
    };
    for path in inputs {
        match unreadable(&path) {
            Some(why) => recipe
                .unknown
                .push(format!("its input `{}` {why}", conceal(&path))),
            None => recipe.inputs.push(Input {
                kind: kind(&path),
                path,
            }),
        }
    }
    let mut others = |paths: Vec<String>| -> Vec<String> {
        let paths = paths.into_iter().map(|path| (join(&folder, &path), path));
        let (there, gone): (Vec<_>, Vec<_>) =
            paths.partition(|(path, other)| is_local(other) && has(path));
        for (_, path) in gone {
            recipe
                .unknown
                .push(format!("`{}` is not in the repository", conceal(&path)));
        }
        there.into_iter().map(|(path, _)| path).collect()
    };
    recipe.constraints = others(named.constraints);
    recipe.overrides = others(named.overrides);
    recipe.groups = named
        .groups
        .into_iter()
        .map(|(path, group)| (join(&folder, &path), group))
        .collect();
    recipe.folder = folder;
    Some(recipe)
}

/// The files that a command, or the annotations, name.
#[derive(Debug, Default)]
struct Named {
    inputs: Vec<String>,
    groups: Vec<(String, String)>,
    constraints: Vec<String>,
    overrides: Vec<String>,
    uses_defaults: bool,
}

impl Named {
    fn of(command: &Command) -> Self {
        let group = |text: &String| match text.rsplit_once(':') {
            Some((path, group)) => (path.to_owned(), crate::lockfiles::normalise_name(group)),
            None => (PROJECT.to_owned(), crate::lockfiles::normalise_name(text)),
        };
        Self {
            inputs: command.inputs.clone(),
            groups: command.groups.iter().map(group).collect(),
            constraints: command.constraints.clone(),
            overrides: command.overrides.clone(),
            uses_defaults: false,
        }
    }

    fn by_annotations(via: &[Vec<Located<Text<'_>>>]) -> Self {
        let mut found = Self::default();
        // The paths as they are written: nothing is above them.
        let nowhere = Recipe::default();
        for asker in via
            .iter()
            .flatten()
            .filter_map(|via| nowhere.asker(&via.value))
        {
            if let Some(group) = asker.group {
                found.groups.push((asker.path, group));
            } else if asker.is_constraint {
                found.constraints.push(asker.path);
            } else {
                found.inputs.push(asker.path);
            }
        }
        for list in [&mut found.inputs, &mut found.constraints] {
            list.sort();
            list.dedup();
        }
        found.groups.sort();
        found.groups.dedup();
        found
    }

    fn is_empty(&self) -> bool {
        self.inputs.is_empty() && self.groups.is_empty()
    }

    /// What must be there for a folder to be the one.
    fn all(&self) -> impl Iterator<Item = &str> {
        let groups = self.groups.iter().map(|(path, _)| path);
        self.inputs.iter().chain(groups).map(String::as_str)
    }

    /// The inputs from the root of the workspace, if the command ran in this folder.
    fn in_folder(&self, folder: &str, has: &mut impl FnMut(&str) -> bool) -> Option<Vec<String>> {
        if self.uses_defaults {
            let mut paths = DEFAULTS.iter().map(|name| join(folder, name));
            return paths.find(|path| has(path)).map(|path| vec![path]);
        }
        if !self.all().all(|path| has(&join(folder, path))) {
            return None;
        }
        Some(self.inputs.iter().map(|path| join(folder, path)).collect())
    }
}

/// Why an input cannot be looked at; `None` where it can.
fn unreadable(path: &str) -> Option<&'static str> {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    match name {
        "-" => Some("is standard input"),
        _ if !is_local(path) => Some("is not in the repository"),
        "setup.py" | "setup.cfg" => Some("is for a build backend to read"),
        PROJECT => None,
        name => match name.rsplit_once('.') {
            Some((_, "py")) => Some("is a script"),
            Some((_, "toml")) => Some("is a lock itself"),
            _ => None,
        },
    }
}

/// Whether a path may be in the workspace.
fn is_local(path: &str) -> bool {
    !path.contains("://")
        && !path.starts_with("file:")
        && !crate::lockfiles::address::is_absolute(path)
}

fn kind(path: &str) -> Kind {
    if path.rsplit('/').next() == Some(PROJECT) {
        Kind::Project
    } else {
        Kind::Requirements
    }
}

/// The folders in which the command may have run, the likeliest first: the one from which the output is the lock, then
/// the folder of the lock and those above it.
fn folders(lock: &str, output: Option<&str>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    if let Some(output) = output.filter(|output| is_local(output)) {
        let output = join("", output);
        let above = lock.strip_suffix(output.as_str());
        found.extend(above.and_then(|above| match above {
            "" => Some(String::new()),
            above => above.strip_suffix('/').map(str::to_owned),
        }));
    }
    let mut rest = lock;
    while let Some((above, _)) = rest.rsplit_once('/') {
        found.push(above.to_owned());
        rest = above;
    }
    found.push(String::new());
    found
}

#[cfg(test)]
mod tests;
