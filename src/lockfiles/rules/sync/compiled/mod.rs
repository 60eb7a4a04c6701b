//! Compiled requirements: what their inputs ask for, beside what is locked and what the annotations say.

pub mod marker;
mod pins;
mod project;
pub mod via;

use std::collections::{HashMap, HashSet};

use crate::lockfiles::compiled::{Environments, Kind, Recipe, Tool, recipe};
use crate::lockfiles::declared;
use crate::lockfiles::facts::Facts;
use crate::lockfiles::fault::Faults;
use crate::lockfiles::marker::Pythons;
use crate::lockfiles::normalise_name;
use crate::lockfiles::requirements_txt::wishes;
use crate::lockfiles::rules::Findings;
use crate::lockfiles::rules::sync::absent::whole;
use crate::lockfiles::rules::sync::wanted::{Scope, Wanted, Wants, is_nameless, sourced};
use crate::model::diagnostic::Severity;
use crate::model::lockfile::Requirement;
use crate::model::sources::{FileId, Location};

/// What pip-compile leaves out unless it is told not to.
const UNSAFE: [&str; 3] = ["setuptools", "distribute", "pip"];

/// A requirement of an input.
#[derive(Clone, Debug)]
pub struct Asked<'a> {
    /// The requirement.
    pub requirement: Requirement<'a>,
    /// The file in which it stands, from the root of the workspace.
    pub path: String,
    /// Whether it only constrains what others ask for.
    pub is_constraint: bool,
    /// The group of a project.
    pub group: Option<String>,
    /// Whether the command certainly reads it: not what stands in an extra that only a setting may choose.
    pub is_certain: bool,
    /// Whether it stands in an extra of a project.
    pub is_of_extra: bool,
}

/// A compiled file and what it was made from.
#[derive(Debug)]
pub struct View<'a> {
    /// The command, and where its inputs are.
    pub recipe: Recipe,
    /// All that its inputs ask for.
    pub asked: Vec<Asked<'a>>,
    /// The files that were read whole, from the root of the workspace.
    pub whole: Vec<String>,
    /// Why, and where, something cannot be looked at.
    pub unknown: Vec<(Location, String)>,
    /// Names of which nothing can be said.
    passed_over: HashSet<String>,
    /// Where each of the requirements stands, and whether it only constrains there.
    seen: HashSet<(Location, bool)>,
}

impl<'a> View<'a> {
    /// The view of a lock; `None` where it was not compiled.
    pub fn new(facts: &Facts<'a>) -> Option<Self> {
        let sources = facts.sources;
        let recipe = recipe(facts.lock, sources, |path| sources.find(path).is_some())?;
        let head = facts
            .lock
            .generator
            .as_ref()
            .map_or(whole(facts.lock.file), |generator| generator.at);
        let mut view = Self {
            asked: Vec::new(),
            whole: Vec::new(),
            unknown: recipe
                .unknown
                .iter()
                .map(|why| (head, why.clone()))
                .collect(),
            passed_over: HashSet::new(),
            seen: HashSet::new(),
            recipe,
        };
        let find = |path: &str| sources.find(path);
        for input in &view.recipe.inputs.clone() {
            match (find(&input.path), input.kind) {
                (Some(file), Kind::Requirements) => view.list(file, false, facts),
                (Some(file), Kind::Project) => view.project(file, facts),
                (None, _) => {}
            }
        }
        for path in view.recipe.constraints.clone() {
            if let Some(file) = find(&path) {
                view.list(file, true, facts);
            }
        }
        view.groups(facts);
        view.pass_over(facts);
        Some(view)
    }

    /// A list of requirements, or of constraints.
    fn list(&mut self, file: FileId, is_constraint: bool, facts: &Facts<'a>) {
        let mut faults = Faults::new(facts.lock.format, file);
        let found = wishes(file, facts.sources, &mut faults);
        let faults = faults.finish();
        let Some(found) = found else {
            let why = "this cannot be read, so that the lock cannot be compared with it";
            self.unknown.push((whole(file), why.to_owned()));
            return;
        };
        for fault in &faults {
            let why = format!("the lock cannot be compared with this: {}", fault.message);
            self.unknown.push((fault.at, why));
        }
        for unread in &found.unread {
            let why = "the lock cannot be compared with this: the file is not in the repository";
            self.unknown.push((unread.at, why.to_owned()));
        }
        let is_whole = |file: &FileId| faults.iter().all(|fault| fault.at.file != *file);
        let files = std::iter::once(file).chain(found.included);
        let read = files.filter(is_whole);
        self.whole
            .extend(read.map(|file| facts.sources.path(file).to_owned()));
        let packages = found
            .packages
            .into_iter()
            .map(|package| (package, is_constraint));
        let constraints = found.constraints.into_iter().map(|package| (package, true));
        for (package, is_constraint) in packages.chain(constraints) {
            // A file may be an input and be included by another.
            if !self.seen.insert((package.at, is_constraint)) {
                continue;
            }
            self.asked.push(Asked {
                path: facts.sources.path(package.at.file).to_owned(),
                requirement: package.asked(),
                is_constraint,
                group: None,
                is_certain: true,
                is_of_extra: false,
            });
        }
    }

    /// Names that the tool leaves out, or takes from elsewhere.
    fn pass_over(&mut self, facts: &Facts<'a>) {
        let mut names = left_out(facts);
        let is_uv = !self.is_by_pip();
        if !is_uv {
            names.extend(UNSAFE.map(str::to_owned));
        }
        for path in &self.recipe.overrides {
            let Some(file) = facts.sources.find(path) else {
                continue;
            };
            let mut faults = Faults::new(facts.lock.format, file);
            let found = wishes(file, facts.sources, &mut faults);
            let packages = found.map(|found| found.packages).unwrap_or_default();
            names.extend(packages.iter().map(|one| one.name.normal.to_string()));
        }
        let inputs = self.recipe.inputs.iter().map(|input| input.path.clone());
        let projects = inputs.chain([self.recipe.settings()]);
        for file in projects
            .filter_map(|path| facts.sources.find(&path))
            .filter(|_| is_uv)
        {
            let declared = declared::read(file, facts.sources).declarations;
            if let Some(uv) = declared.and_then(|declared| declared.uv) {
                names.extend(uv.overrides.iter().map(|one| one.name.normal.to_string()));
                let excludes = uv
                    .excludes
                    .iter()
                    .map(|exclude| exclude.normal.clone().into_owned());
                names.extend(excludes);
                let sources = uv
                    .sources
                    .iter()
                    .map(|(name, _)| normalise_name(&name.value));
                names.extend(sources);
            }
        }
        self.passed_over = names.into_iter().collect();
    }

    /// The environments that the file is for.
    pub fn scope(&self, facts: &Facts<'_>) -> Scope {
        let command = self.recipe.command.as_ref();
        let named = command.and_then(|command| command.python.as_deref());
        let made_with = facts
            .lock
            .requirements()
            .and_then(|own| own.python.as_ref());
        let python = named.or(made_with.map(|python| &*python.value));
        let is_universal = command.is_some_and(|command| command.environments == Environments::All);
        if !is_universal {
            return Scope::one(python.map(one_python).as_deref());
        }
        let from = python.map(|python| format!(">={python}"));
        Scope {
            is_universal,
            pythons: from
                .and_then(|from| Pythons::parse(&from))
                .unwrap_or_else(|| Scope::one(None).pythons),
            is_open: python.is_none(),
        }
    }

    /// The requirements by the normalised names of what they ask for; those that have only a place under an empty name.
    pub fn by_name(&self) -> HashMap<&str, Vec<&Asked<'a>>> {
        let mut found: HashMap<&str, Vec<&Asked<'a>>> = HashMap::new();
        for asked in &self.asked {
            let requirement = &asked.requirement;
            let name = if is_nameless(requirement) {
                ""
            } else {
                &*requirement.name.normal
            };
            found.entry(name).or_default().push(asked);
        }
        found
    }

    /// Whether pip-compile made the file.
    pub fn is_by_pip(&self) -> bool {
        let command = self.recipe.command.as_ref();
        command.is_some_and(|command| command.tool == Tool::PipCompile)
    }

    /// Whether nothing can be said of a package of this name.
    pub fn passes_over(&self, name: &str) -> bool {
        self.passed_over.contains(name)
    }
}

/// `==3.11.*`, of `3.11` or `3.11.4`.
fn one_python(version: &str) -> String {
    match version.matches('.').count() {
        0 | 1 => format!("=={version}.*"),
        _ => format!("=={version}"),
    }
}

/// What the inputs of a compiled file ask for.
pub fn wants<'a>(facts: &Facts<'a>) -> Option<Wants<'a>> {
    let view = View::new(facts)?;
    let command = view.recipe.command.as_ref();
    let asked = view.asked.iter().filter(|asked| asked.is_certain);
    let all = asked.map(|asked| Wanted {
        requirement: asked.requirement.clone(),
        category: None,
        is_constraint: asked.is_constraint,
    });
    let all: Vec<Wanted<'a>> = all.collect();
    let requirements = all.iter().map(|wanted| &wanted.requirement);
    Some(Wants {
        sourced: sourced(requirements, &facts.lock.packages),
        all,
        scope: view.scope(facts),
        keeps_extras: command.is_some_and(|command| !command.strips_extras),
        passed_over: view.passed_over.clone(),
        most: Severity::Error,
    })
}

/// Tells what of a compiled file cannot be verified.
pub fn unverifiable(facts: &Facts<'_>, findings: &mut Findings<'_>) {
    let Some(view) = View::new(facts) else {
        return;
    };
    for (at, why) in view.unknown {
        let why = if at.file == facts.lock.file {
            format!("this file cannot be verified: {why}")
        } else {
            why
        };
        findings
            .add(at, why)
            .help("compile it anew, and look whether it changes");
    }
}

/// Names that the tool says it left out, in a comment at the end of the file.
fn left_out(facts: &Facts<'_>) -> Vec<String> {
    let text = std::str::from_utf8(facts.sources.bytes(facts.lock.file)).unwrap_or_default();
    let Some((_, list)) = text.split_once("\n# The following packages ") else {
        return Vec::new();
    };
    list.lines()
        .skip(1)
        .filter_map(|line| line.strip_prefix("# "))
        .map(|name| normalise_name(name.trim()))
        .collect()
}
