//! A lock of uv beside what its workspace declares.

use crate::lockfiles::declared::workspace::Members;
use crate::lockfiles::facts::Facts;
use crate::lockfiles::marker::{Marker, Pythons};
use crate::lockfiles::normal::{self, Normal};
use crate::lockfiles::normalise_name;
use crate::lockfiles::rules::sync::uv::flat::Groups;
use crate::lockfiles::rules::sync::uv::lower::{Scope, lower};
use crate::model::declared::{Declarations, Project, UvSettings};
use crate::model::diagnostic::Severity;
use crate::model::lockfile::{Format, Package, Requirement, Text, Uv};
use crate::model::sources::{Located, Location};

/// A lock of uv and the projects that it was made from.
#[derive(Debug)]
pub struct View<'f> {
    /// All that is known.
    pub facts: &'f Facts<'f>,
    /// What only uv has.
    pub uv: &'f Uv<'f>,
    /// The project beside the lock, or the script.
    pub root: &'f Declarations<'f>,
    /// The root, the members and the folders that they name.
    pub projects: Vec<Tree<'f>>,
    /// The Pythons that the lock is for.
    pub pythons: Pythons,
    /// Where options are taken from, in the order in which they count.
    configuration: Vec<&'f Declarations<'f>>,
}

/// A source tree that declares something.
#[derive(Clone, Copy, Debug)]
pub struct Tree<'f> {
    /// What it declares.
    pub declared: &'f Declarations<'f>,
    /// Whether it belongs to the workspace.
    pub is_member: bool,
}

impl<'f> Tree<'f> {
    /// `[project]`.
    pub fn project(&self) -> Option<&'f Project<'f>> {
        self.declared.project.as_ref()
    }

    /// The normalised name.
    pub fn name(&self) -> Option<String> {
        let name = self.project()?.name.as_ref()?;
        Some(normalise_name(&name.value))
    }

    /// `[tool.uv]`.
    pub fn settings(&self) -> Option<&'f UvSettings<'f>> {
        self.declared.uv.as_deref()
    }

    /// Where the project is declared.
    pub fn at(&self) -> Location {
        match self.project() {
            Some(project) => project.name.as_ref().map_or(project.at, |name| name.at),
            None => Location {
                file: self.declared.file,
                start: 0,
                end: 0,
            },
        }
    }
}

/// Requirements that a project declares, in the normal form; and why some cannot be known.
#[derive(Debug, Default)]
pub struct Declared {
    /// Those that are known.
    pub known: Vec<Normal>,
    /// Where something is declared whose recorded form cannot be known from the files, and why.
    pub unknown: Vec<(Location, String)>,
}

impl<'f> View<'f> {
    /// `None` where the lock is none of uv's, or nothing of uv is declared beside it, or not all of that can be read.
    pub fn new(facts: &'f Facts<'f>) -> Option<Self> {
        let uv = facts.lock.uv()?;
        let root = facts.declared?;
        let settings = root.uv.as_deref();
        let is_managed = settings
            .and_then(|settings| settings.managed)
            .is_none_or(|managed| managed.value);
        let mut read = facts.members.iter().chain(facts.configuration);
        let is_whole = root.is_whole && read.all(|declared| declared.is_whole);
        if !is_managed || !is_whole || (root.project.is_none() && settings.is_none()) {
            return None;
        }
        let workspace = settings.and_then(|settings| settings.workspace.as_ref());
        let globs = workspace.map(|workspace| Members::new(&workspace.value));
        let top = folder(facts, facts.lock.file);
        let mut projects = vec![Tree {
            declared: root,
            is_member: true,
        }];
        projects.extend(facts.members.iter().map(|declared| {
            let path = normal::relative(folder(facts, declared.file), top);
            Tree {
                declared,
                is_member: globs.as_ref().is_some_and(|globs| globs.has(&path)),
            }
        }));
        // A member that uv does not manage is none.
        projects.retain(|tree| {
            let managed = tree.settings().and_then(|settings| settings.managed);
            managed.is_none_or(|managed| managed.value)
        });
        // A script is read before what stands beside it; of a project, one file counts.
        let configuration = match (facts.lock.format, facts.configuration) {
            (Format::UvScript, other) => std::iter::once(root).chain(other).collect(),
            (_, other) => vec![other.unwrap_or(root)],
        };
        let pythons = facts.lock.requires_python.as_ref();
        let pythons = pythons.and_then(|pythons| Pythons::parse(&pythons.value));
        Some(Self {
            facts,
            uv,
            root,
            projects,
            pythons: pythons.unwrap_or_default(),
            configuration,
        })
    }

    /// Whether the lock is that of a script.
    pub fn is_script(&self) -> bool {
        self.facts.lock.format == Format::UvScript
    }

    /// The members of the workspace that have a name.
    pub fn members(&self) -> impl Iterator<Item = (&Tree<'f>, String)> {
        self.projects
            .iter()
            .filter(|tree| tree.is_member)
            .filter_map(|tree| Some((tree, tree.name()?)))
    }

    /// The projects of which the lock has a source tree, each with that.
    pub fn locked(&self) -> impl Iterator<Item = (&Tree<'f>, &'f Package<'f>)> {
        self.projects.iter().filter_map(|tree| {
            let name = tree.name()?;
            let path = self.path(tree);
            let named = self.facts.index.named(&name);
            let mut local = named.iter().copied().filter(|package| package.is_local());
            let own = local
                .clone()
                .find(|package| place(package) == Some(path.clone()));
            Some((tree, own.or_else(|| local.next())?))
        })
    }

    /// The path of a project's folder from that of the lock.
    pub fn path(&self, tree: &Tree<'_>) -> String {
        let top = folder(self.facts, self.facts.lock.file);
        normal::relative(folder(self.facts, tree.declared.file), top)
    }

    /// A path that a project names, from the folder of the lock. It may leave that folder and come back by its name.
    pub fn path_of(&self, tree: &Tree<'_>, path: &str) -> String {
        let path = normal::join(folder(self.facts, tree.declared.file), path);
        if path.starts_with('/') {
            return path;
        }
        normal::relative(&path, folder(self.facts, self.facts.lock.file))
    }

    /// Whether another `pyproject.toml` stands between a project and the root of the workspace. uv looks no further up
    /// than there, so that the sources of the root do not count for it, although it is a member.
    pub fn is_enclosed(&self, tree: &Tree<'_>) -> bool {
        let path = self.path(tree);
        self.facts.members.iter().any(|other| {
            let other = normal::relative(
                folder(self.facts, other.file),
                folder(self.facts, self.facts.lock.file),
            );
            let rest = path.strip_prefix(&other);
            rest.is_some_and(|rest| rest.starts_with('/'))
        })
    }

    /// The settings of the workspace.
    pub fn settings(&self) -> Option<&'f UvSettings<'f>> {
        self.root.uv.as_deref()
    }

    /// Where uv takes options from that have nothing to do with one project, each with where it stands.
    pub fn configuration(&self) -> impl Iterator<Item = (Tree<'f>, &'f UvSettings<'f>)> {
        self.configuration.iter().filter_map(|declared| {
            let tree = Tree {
                declared,
                is_member: true,
            };
            Some((tree, tree.settings()?))
        })
    }

    /// A single option.
    pub fn option(&self, key: &str) -> Option<&'f Located<Text<'f>>> {
        self.configuration().find_map(|(_, uv)| uv.option(key))
    }

    /// The worst that a disagreement about an option is: no error where the option stands in a folder above, since the
    /// lock may have been made where that folder was not.
    pub fn worst(&self) -> Severity {
        let top = folder(self.facts, self.facts.lock.file);
        let is_above = |declared: &Declarations<'_>| folder(self.facts, declared.file) != top;
        match self.facts.configuration {
            Some(configuration) if is_above(configuration) => Severity::Warning,
            _ => Severity::Error,
        }
    }

    /// Whether the lock has a package of this normalised name. What is declared of others changes nothing, so that uv
    /// keeps a lock that does not record it.
    pub fn has_locked(&self, name: &str) -> bool {
        !self.facts.index.named(name).is_empty()
    }

    /// Whether uv tells two indexes apart that differ in the slash at their end. Those releases do that write this
    /// revision; what earlier ones do is not all the same.
    pub fn tells_apart(&self, left: &str, right: &str) -> bool {
        self.has_revision(5) && normal::differ_in_slash(left, right)
    }

    /// Whether the revision of the lock has this much.
    pub fn has_revision(&self, least: u64) -> bool {
        self.uv
            .revision
            .is_some_and(|revision| revision.value >= least)
    }

    /// What `requires-dist` has to be.
    pub fn requires_dist(&self, tree: &Tree<'f>) -> Declared {
        let mut found = Declared::default();
        let Some(project) = tree.project() else {
            return found;
        };
        for requirement in &project.dependencies {
            let scope = Scope::new(tree);
            self.add(requirement, &scope, &Marker::TRUE, &mut found);
        }
        for (extra, requirements) in &project.extras {
            let name = normalise_name(&extra.value);
            let scope = Scope {
                extra: Some(&name),
                ..Scope::new(tree)
            };
            for requirement in requirements {
                self.add(requirement, &scope, &Marker::extra(&name), &mut found);
            }
        }
        found
    }

    /// What the groups have to be, by their normalised names.
    pub fn groups(&self, tree: &Tree<'f>) -> Vec<(String, Location, Declared)> {
        let groups = Groups::new(tree.declared);
        let mut all: Vec<_> = groups.all().collect();
        let older = tree.settings().map(|settings| &settings.dev_dependencies);
        if let Some(older) = older.filter(|older| !older.is_empty()) {
            let at = older.first().map_or(tree.at(), |first| first.at);
            if !all.iter().any(|(name, ..)| name == "dev") {
                all.push(("dev".to_owned(), at, Ok(Vec::new())));
            }
            for (_, _, flat) in all.iter_mut().filter(|(name, ..)| name == "dev") {
                let older = older.iter().map(|requirement| (requirement, Marker::TRUE));
                if let Ok(flat) = flat {
                    flat.extend(older);
                }
            }
        }
        all.into_iter()
            .map(|(name, at, requirements)| {
                let mut found = Declared::default();
                let scope = Scope {
                    group: Some(&name),
                    ..Scope::new(tree)
                };
                match requirements {
                    Ok(requirements) => {
                        for (requirement, marker) in requirements {
                            self.add(requirement, &scope, &marker, &mut found);
                        }
                    }
                    Err(why) => found.unknown.push((at, why)),
                }
                (name, at, found)
            })
            .collect()
    }

    /// What a list of `[tool.uv]` has to be.
    pub fn listed(&self, requirements: &[Requirement<'_>]) -> Declared {
        let mut found = Declared::default();
        let tree = Tree {
            declared: self.root,
            is_member: true,
        };
        for requirement in requirements {
            self.add(requirement, &Scope::new(&tree), &Marker::TRUE, &mut found);
        }
        found
    }

    /// Adds what uv records for a requirement, where `marker` holds.
    pub fn add(
        &self,
        requirement: &Requirement<'_>,
        scope: &Scope<'_, '_>,
        marker: &Marker,
        found: &mut Declared,
    ) {
        match lower(self, scope, requirement) {
            Ok(lowered) => found
                .known
                .extend(lowered.into_iter().map(|one| one.only(marker.clone()))),
            Err(why) => found.unknown.push((requirement.at, why)),
        }
    }
}

/// The path of a source tree of the lock.
fn place(package: &Package<'_>) -> Option<String> {
    match normal::of_source(&package.source.value) {
        normal::Origin::Folder(path, _) => Some(path),
        _ => None,
    }
}

/// The folder of a file, from the root of the repository.
fn folder<'f>(facts: &Facts<'f>, file: crate::model::sources::FileId) -> &'f str {
    facts
        .sources
        .path(file)
        .rsplit_once('/')
        .map_or("", |(folder, _)| folder)
}
