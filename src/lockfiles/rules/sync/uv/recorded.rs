//! Where things stand in a lock of uv, and how its projects are installed.

use std::borrow::Cow;

use crate::lockfiles::normal::Install;
use crate::lockfiles::normalise_name;
use crate::lockfiles::rules::sync::uv::lower::is_virtual;
use crate::lockfiles::rules::sync::uv::view::{Tree, View};
use crate::model::declared::UvSourceKind;
use crate::model::lockfile::{Package, PackageMetadata};
use crate::model::sources::Location;

/// What the lock recorded of a project; `None` where that, or what is declared, cannot be known from the files.
pub fn recorded<'f>(
    tree: &Tree<'_>,
    package: &'f Package<'f>,
) -> Option<Cow<'f, PackageMetadata<'f>>> {
    if is_computed(tree) {
        return None;
    }
    groups_recorded(package)
}

/// The same where only its groups are of interest, which are always declared.
pub fn groups_recorded<'f>(package: &'f Package<'f>) -> Option<Cow<'f, PackageMetadata<'f>>> {
    match &package.metadata {
        Some(metadata) => Some(Cow::Borrowed(metadata)),
        // A project that requires nothing has none.
        None if package.dependencies.is_empty() => Some(Cow::Owned(PackageMetadata::default())),
        None => None,
    }
}

/// Whether a build backend computes what a project requires.
pub fn is_computed(tree: &Tree<'_>) -> bool {
    tree.project().is_none_or(|project| {
        project.is_dynamic("dependencies") || project.is_dynamic("optional-dependencies")
    })
}

/// The head of the lock.
pub fn start(view: &View<'_>) -> Location {
    let version = view.facts.lock.version.as_ref();
    version.map_or_else(Location::default, |version| version.at)
}

/// Where the workspace is declared.
pub fn top(view: &View<'_>) -> Location {
    let start = Location {
        file: view.root.file,
        start: 0,
        end: 0,
    };
    view.projects.first().map_or(start, Tree::at)
}

/// How a member of the workspace is installed.
pub fn install(view: &View<'_>, tree: &Tree<'_>, name: &str) -> Install {
    let sources = view
        .projects
        .iter()
        .filter(|tree| tree.is_member)
        .filter_map(Tree::settings)
        .flat_map(|settings| &settings.sources);
    let asked: Vec<Option<bool>> = sources
        .filter(|(own, _)| normalise_name(&own.value) == name)
        .flat_map(|(_, sources)| sources)
        .filter(|source| source.source == UvSourceKind::Workspace(true))
        .map(|source| source.editable.map(|editable| editable.value))
        .collect();
    if is_virtual(tree, asked.is_empty()) {
        return Install::Virtual;
    }
    match asked.into_iter().flatten().next() {
        Some(false) => Install::Package,
        _ => Install::Editable,
    }
}

/// The way of installation in words.
pub fn say(install: Install) -> &'static str {
    match install {
        Install::Editable => "installed in place",
        Install::Package => "installed as a package",
        Install::Virtual => "not installed itself",
    }
}
