//! `requires-dist` where a build backend may have written it: some resolve the extras that a project requires of itself,
//! `all = ["app[web,cli]"]`, as hatchling does, and others do not. Where the version is computed uv takes both forms.

use std::collections::HashMap;

use crate::lockfiles::marker::{Agreement, Marker, agree};
use crate::lockfiles::normal::{Normal, Origin};
use crate::lockfiles::normalise_name;
use crate::lockfiles::rules::sync::uv::compare::{Compared, compare};
use crate::lockfiles::rules::sync::uv::lower::Scope;
use crate::lockfiles::rules::sync::uv::view::{Declared, Tree, View};
use crate::model::declared::Project;
use crate::model::lockfile::{Package, Requirement};

/// More requirements than this are not resolved: extras that name each other make many of few.
const MOST: usize = 4_000;

/// What is declared beside what the lock recorded, in the form that agrees.
pub fn compare_requires_dist(
    view: &View<'_>,
    tree: &Tree<'_>,
    package: &Package<'_>,
    recorded: &[Requirement<'_>],
) -> Compared {
    let compared = compare(view, view.requires_dist(tree), recorded);
    if package.version.is_some() || compared.is_clean() {
        return compared;
    }
    let Some((flat, own)) = flat(view, tree) else {
        return compared;
    };
    // What is said of the project's own version or source: uv keeps it, hatchling does not.
    let kept = Declared {
        known: [flat.known.clone(), own].concat(),
        unknown: flat.unknown.clone(),
    };
    [flat, kept]
        .into_iter()
        .map(|flat| compare(view, flat, recorded))
        .find(Compared::is_clean)
        .unwrap_or(compared)
}

/// What a project requires, its requirements of itself replaced by what they stand for, and those of them that name a
/// version or a source; `None` where they make too many.
fn flat(view: &View<'_>, tree: &Tree<'_>) -> Option<(Declared, Vec<Normal>)> {
    let (project, name) = (tree.project()?, tree.name()?);
    let mut found = (Declared::default(), Vec::new());
    let extras = project
        .extras
        .iter()
        .map(|(extra, _)| Some(normalise_name(&extra.value)));
    for start in [None].into_iter().chain(extras) {
        let marker = start.as_deref().map_or(Marker::TRUE, Marker::extra);
        resolve(view, tree, &name, (start, marker), &mut found)?;
    }
    Some(found)
}

/// What an extra stands for, or the project without one.
fn resolve(
    view: &View<'_>,
    tree: &Tree<'_>,
    name: &str,
    start: (Option<String>, Marker),
    (found, selves): &mut (Declared, Vec<Normal>),
) -> Option<()> {
    let project = tree.project()?;
    let mut seen: HashMap<Option<String>, Marker> = HashMap::new();
    let mut next = vec![start];
    while let Some((extra, marker)) = next.pop() {
        match seen.get(&extra) {
            Some(known) if agree(known, &marker, &view.pythons) == Agreement::Same => continue,
            // Reached in two ways that do not hold alike: rare, and not worth a second form.
            Some(_) => return None,
            None => seen.insert(extra.clone(), marker.clone()),
        };
        let scope = Scope {
            extra: extra.as_deref(),
            ..Scope::new(tree)
        };
        for requirement in requirements(project, extra.as_deref()) {
            let mut own = Declared::default();
            view.add(requirement, &scope, &marker, &mut own);
            if requirement.name.normal == name {
                for mut one in own.known.drain(..) {
                    let extras = std::mem::take(&mut one.extras);
                    let marker = one.marker.clone()?;
                    next.extend(
                        extras
                            .into_iter()
                            .map(|extra| (Some(extra), marker.clone())),
                    );
                    if one.specifier.is_some() || one.origin != Origin::Any {
                        selves.push(one);
                    }
                }
            }
            found.known.extend(own.known);
            found.unknown.extend(own.unknown);
            if found.known.len() + selves.len() > MOST {
                return None;
            }
        }
    }
    Some(())
}

/// The requirements of an extra, or those of the project without one.
fn requirements<'p>(project: &'p Project<'p>, extra: Option<&str>) -> &'p [Requirement<'p>] {
    let Some(extra) = extra else {
        return &project.dependencies;
    };
    project
        .extras
        .iter()
        .find(|(own, _)| normalise_name(&own.value) == extra)
        .map_or(&[], |(_, requirements)| requirements)
}

#[cfg(test)]
mod tests {
    use crate::lockfiles::rules::tests::ids;

    const LOCK: &str = r#"version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "app"
VERSIONsource = { editable = "." }

[package.optional-dependencies]
all = [{ name = "six" }]
web = [{ name = "six" }]

[package.metadata]
requires-dist = [
    { name = "six", marker = "extra == 'all'", specifier = ">=1.16" },
    { name = "six", marker = "extra == 'web'", specifier = ">=1.16" },
]
provides-extras = ["web", "all"]

[[package]]
name = "six"
version = "1.17.0"
source = { registry = "https://index.example/simple" }
"#;

    const PROJECT: &str = r#"[project]
name = "app"
HEADrequires-python = ">=3.11"

[project.optional-dependencies]
web = ["six>=1.16"]
all = ["app[ALL]"]

[build-system]
requires = ["hatchling"]
"#;

    fn is_stale(is_dynamic: bool, all: &str) -> bool {
        let (head, version) = if is_dynamic {
            ("dynamic = [\"version\"]\n", "")
        } else {
            ("version = \"1.0\"\n", "version = \"1.0\"\n")
        };
        let project = PROJECT.replace("HEAD", head).replace("ALL", all);
        let lock = LOCK.replace("VERSION", version);
        let found = ids(&[("pyproject.toml", &project), ("uv.lock", &lock)]);
        assert!(!found.contains(&"sync-unverifiable"), "{found:?}");
        found.contains(&"sync-requirements")
    }

    #[test]
    fn extras_that_a_backend_resolved_agree_where_the_version_is_computed() {
        assert!(!is_stale(true, "web"));
        assert!(!is_stale(true, "WEB"));
        assert!(
            !is_stale(true, "all,web"),
            "extras that name each other end"
        );
    }

    #[test]
    fn what_agrees_in_neither_form_is_stale() {
        assert!(is_stale(true, "none"));
        assert!(is_stale(false, "web"));
    }
}
