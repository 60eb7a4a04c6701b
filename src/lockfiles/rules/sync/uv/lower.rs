//! From a declared requirement to those that uv records: `[tool.uv.sources]` says where each comes from, and a source
//! with a marker divides it.

use crate::lockfiles::marker::{Agreement, Marker, Pythons, agree};
use crate::lockfiles::normal::{self, Install, Normal, Origin};
use crate::lockfiles::normalise_name;
use crate::lockfiles::rules::sync::uv::view::{Tree, View};
use crate::model::declared::{Declarations, UvSource, UvSourceKind};
use crate::model::lockfile::{FileKind, Requirement, Source};

/// Where a requirement is declared.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'t, 'f> {
    /// The project.
    pub tree: &'t Tree<'f>,
    /// The extra.
    pub extra: Option<&'t str>,
    /// The group.
    pub group: Option<&'t str>,
}

impl<'t, 'f> Scope<'t, 'f> {
    /// Neither extra nor group.
    pub fn new(tree: &'t Tree<'f>) -> Self {
        Self {
            tree,
            extra: None,
            group: None,
        }
    }
}

/// The requirements that uv records for a declared one; or why that cannot be known.
pub fn lower(
    view: &View<'_>,
    scope: &Scope<'_, '_>,
    requirement: &Requirement<'_>,
) -> Result<Vec<Normal>, String> {
    let Some((sources, from)) = sources(view, scope.tree, &requirement.name.normal) else {
        let origin = match requirement.source.as_ref().map(|source| &source.value) {
            Some(Source::Url { url, .. }) => normal::of_address(url).ok_or_else(|| {
                format!(
                    "where `{}` leads depends on this machine",
                    requirement.name.written
                )
            })?,
            _ => Origin::Any,
        };
        return Ok(vec![Normal::new(requirement, origin)]);
    };
    let counts = |source: &&UvSource<'_>| {
        let is_for = |named: Option<&str>, own: Option<&str>| {
            named.is_none_or(|named| own == Some(normalise_name(named).as_str()))
        };
        let extra = source.extra.as_ref().map(|extra| &*extra.value);
        let group = source.group.as_ref().map(|group| &*group.value);
        is_for(extra, scope.extra) && is_for(group, scope.group)
    };
    let mut lowered = Vec::new();
    let mut covered = Vec::new();
    for source in sources.iter().filter(counts) {
        let marker = match &source.marker {
            Some(marker) => Marker::parse(&marker.value)
                .ok_or_else(|| format!("the marker `{}` cannot be compared", marker.value))?,
            None => Marker::TRUE,
        };
        let origin = origin(view, scope.tree, from, &requirement.name.normal, source)?;
        lowered.push(Normal::new(requirement, origin).only(marker.clone()));
        covered.push(marker);
    }
    // Where no source counts, it is taken from any index.
    let rest = Marker::Any(covered).negated();
    lowered.push(Normal::new(requirement, Origin::Any).only(rest));
    lowered.retain(|one| {
        let everywhere = Pythons::default();
        one.marker
            .as_ref()
            .is_none_or(|marker| agree(marker, &Marker::FALSE, &everywhere) != Agreement::Same)
    });
    Ok(lowered)
}

/// The sources of a name and the file that has them: the project's own, else those of the workspace. uv does not see the
/// workspace from a member that lies in the folder of another one.
fn sources<'f>(
    view: &View<'f>,
    tree: &Tree<'f>,
    name: &str,
) -> Option<(&'f [UvSource<'f>], &'f Declarations<'f>)> {
    let of = |declared: &'f Declarations<'f>| {
        let sources = &declared.uv.as_deref()?.sources;
        let found = sources
            .iter()
            .find(|(own, _)| normalise_name(&own.value) == name)?;
        Some((found.1.as_slice(), declared))
    };
    let is_below = || tree.is_member && !view.is_enclosed(tree);
    of(tree.declared).or_else(|| is_below().then(|| of(view.root)).flatten())
}

fn origin(
    view: &View<'_>,
    tree: &Tree<'_>,
    from: &Declarations<'_>,
    name: &str,
    source: &UvSource<'_>,
) -> Result<Origin, String> {
    let is_editable = source.editable.map(|editable| editable.value);
    let own = Tree {
        declared: from,
        is_member: true,
    };
    match &source.source {
        UvSourceKind::Workspace(_) => {
            let member = view.members().find(|(_, member)| member == name);
            let Some((member, _)) = member else {
                return Err(format!(
                    "`{name}` is no member of the workspace that can be read"
                ));
            };
            let install = match (is_virtual(member, false), is_editable) {
                (true, _) => Install::Virtual,
                (false, Some(false)) => Install::Package,
                (false, _) => Install::Editable,
            };
            Ok(Origin::Folder(view.path(member), install))
        }
        UvSourceKind::Other(Source::Registry(index)) => {
            let indexes = [tree.declared, from, view.root]
                .into_iter()
                .filter_map(|declared| Some((declared, declared.uv.as_deref()?)))
                .flat_map(|(declared, uv)| uv.indexes.iter().map(move |index| (declared, index)));
            let found = indexes
                .into_iter()
                .find(|(_, known)| known.name.as_ref().is_some_and(|name| name.value == *index));
            let (declared, found) = found.ok_or_else(|| format!("no index is called `{index}`"))?;
            let url = &found.url.value;
            if normal::is_url(url) {
                return Ok(Origin::Index(normal::index(url)));
            }
            let tree = Tree {
                declared,
                is_member: true,
            };
            Ok(Origin::Index(view.path_of(&tree, url)))
        }
        UvSourceKind::Other(Source::Path(path)) => {
            let path = view.path_of(&own, path);
            if FileKind::of_name(path.rsplit('/').next().unwrap_or_default()) != FileKind::Other {
                return Ok(Origin::Archive(path));
            }
            let known = view.projects.iter().find(|tree| view.path(tree) == path);
            let is_package = source.package.map(|package| package.value);
            let is_virtual = is_package.map_or_else(
                || known.is_some_and(|known| is_virtual(known, false)),
                |is_package| !is_package,
            );
            let install = match (is_editable, is_virtual) {
                (Some(true), _) => Install::Editable,
                (_, true) => Install::Virtual,
                (_, false) => Install::Package,
            };
            Ok(Origin::Folder(path, install))
        }
        UvSourceKind::Other(other) => Ok(normal::of_source(other)),
    }
}

/// Whether a project is not installed itself. uv wants a build system of those that nothing asks for.
pub fn is_virtual(tree: &Tree<'_>, needs_build_system: bool) -> bool {
    let package = tree.settings().and_then(|settings| settings.package);
    match package {
        Some(package) => !package.value,
        None => needs_build_system && tree.declared.build_requires.is_none(),
    }
}

#[cfg(test)]
mod tests {
    use crate::lockfiles::rules::tests::ids;

    const ROOT: &str = r#"[project]
name = "app"
version = "1.0"
requires-python = ">=3.11"

[build-system]
requires = []

[tool.uv.workspace]
members = ["examples", "examples/*"]

[tool.uv.sources]
app = { workspace = true }
"#;

    const LOCK: &str = r#"version = 1
revision = 3
requires-python = ">=3.11"

[manifest]
members = [
    "app",
    "inner",
    "outer",
]

[[package]]
name = "app"
version = "1.0"
source = { editable = "." }

[[package]]
name = "inner"
version = "1.0"
source = { editable = "examples/inner" }
dependencies = [
    { name = "app" },
]

[package.metadata]
requires-dist = [{ name = "app" }]

[[package]]
name = "outer"
version = "1.0"
source = { editable = "examples" }
dependencies = [
    { name = "app" },
]

[package.metadata]
requires-dist = [{ name = "app", editable = "." }]
"#;

    fn found(lock: &str) -> Vec<&'static str> {
        let member = |name: &str| {
            format!(
                "[project]\nname = \"{name}\"\nversion = \"1.0\"\nrequires-python = \">=3.11\"\ndependencies = [\"app\"]\n[build-system]\nrequires = []\n"
            )
        };
        ids(&[
            ("pyproject.toml", ROOT),
            ("examples/pyproject.toml", &member("outer")),
            ("examples/inner/pyproject.toml", &member("inner")),
            ("uv.lock", lock),
        ])
    }

    #[test]
    fn sources_of_the_root_do_not_reach_below_another_project() {
        assert_eq!(found(LOCK), [""; 0]);
        let everywhere = LOCK.replace(
            "{ name = \"app\" }]",
            "{ name = \"app\", editable = \".\" }]",
        );
        assert_eq!(found(&everywhere), ["sync-requirements"]);
    }
}
