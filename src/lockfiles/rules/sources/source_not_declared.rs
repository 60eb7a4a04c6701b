//! Repositories, archives and folders that nobody asks for.

use crate::lockfiles::address::{conceal, same};
use crate::lockfiles::facts::Facts;
use crate::lockfiles::normal;
use crate::lockfiles::policy::{Level, SourceKind};
use crate::lockfiles::rules::sources::indexes;
use crate::lockfiles::rules::sources::inputs::{Asker, Inputs};
use crate::lockfiles::rules::sources::other_tools::{Asked, place};
use crate::lockfiles::rules::sync::pylock;
use crate::lockfiles::rules::{Check, Example, Findings, Rule};
use crate::model::declared::{Declarations, GroupItem, UvSourceKind};
use crate::model::diagnostic::Severity;
use crate::model::lockfile::{Format, Package, Requirement, Source, normalise};
use crate::model::sources::FileId;

/// The rule.
pub const RULE: Rule = Rule {
    id: "source-not-declared",
    summary: "A package comes from a repository, URL or folder that nothing asks for",
    why: "Such a source bypasses every index, and a single edit of the lock brings it in: `uv lock --check` accepts a package \
          from anybody's URL.\n\n\
          The project itself and the members of its workspace are always allowed. What is needed only by another package \
          that is no index's is judged by what the lock records of that package, since its declarations are not here. \
          `allowed-sources` allows kinds of sources without a declaration. Looked at in locks of uv whose declarations are \
          known, the project beside it and every member of its workspace, and in locks of Poetry and PDM. There what a \
          package needs that is no index's itself is allowed from anywhere, since these locks do not say where it asks for it. \
          In compiled requirements, and in a `Pipfile.lock`, what the inputs or the `Pipfile` do not name is allowed where an \
          annotation says that a package asks for it that is no index's itself. It is a warning where nobody can see that: \
          there are such packages, and no annotations, or there is an index besides the public one, whose packages may ask \
          for addresses. In requirements that nothing compiled the address is the declaration.\n\n\
          In a `pylock.toml` that locks the project beside it, it is a warning, and nothing is said where the lock has folders, \
          or repositories and archives that are asked for.",
    level: Level::Error,
    check: Check::Lock(check),
    failing: Example::of(&[
        (
            "uv.lock",
            r#"version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "app"
version = "0.1.0"
source = { virtual = "." }
dependencies = [
    { name = "six" },
]

[[package]]
name = "six"
version = "1.17.0"
source = { url = "https://files.example/six-1.17.0-py2.py3-none-any.whl" }
wheels = [
    { url = "https://files.example/six-1.17.0-py2.py3-none-any.whl", hash = "sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274", size = 11050 },
]
"#,
        ),
        (
            "pyproject.toml",
            r#"[project]
name = "app"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = ["six"]
"#,
        ),
    ]),
    repair: "Write the lock anew, if nobody wants the source. Otherwise declare it, under `[tool.uv.sources]`.",
    repaired: Example::of(&[
        (
            "pyproject.toml",
            r#"[project]
name = "app"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = ["six"]

[tool.uv.sources]
six = { url = "https://files.example/six-1.17.0-py2.py3-none-any.whl" }
"#,
        ),
        (
            "uv.lock",
            r#"version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "app"
version = "0.1.0"
source = { virtual = "." }
dependencies = [
    { name = "six" },
]

[[package]]
name = "six"
version = "1.17.0"
source = { url = "https://files.example/six-1.17.0-py2.py3-none-any.whl" }
wheels = [
    { url = "https://files.example/six-1.17.0-py2.py3-none-any.whl", hash = "sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274", size = 11050 },
]
"#,
        ),
    ]),
};

fn check(facts: &Facts<'_>, findings: &mut Findings<'_>) {
    let mut packages = facts.lock.packages.iter();
    if packages.all(|package| place(&package.source.value).is_none()) {
        return;
    }
    let asked = Asked::of(facts);
    let inputs = Inputs::of(facts);
    let declarations = indexes::declarations(facts).or_else(|| beside_pylock(facts));
    if asked.is_none() && inputs.is_none() && declarations.is_none() {
        return;
    }
    let declarations = declarations.unwrap_or_default();
    let table = match facts.lock.format {
        Format::Poetry => "with the dependency, in `pyproject.toml`",
        Format::Pdm => "as `name @ URL`, in `pyproject.toml`",
        Format::Pipfile => "in the `Pipfile`",
        Format::Requirements => "as `name @ URL`, in an input",
        _ => "under `[tool.uv.sources]`",
    };
    // A `pylock.toml` does not say what it was made from.
    let most = match facts.lock.format {
        Format::Pylock => Severity::Warning,
        _ => Severity::Error,
    };
    for (number, package) in facts.lock.packages.iter().enumerate() {
        let (kind, what) = match &package.source.value {
            Source::Url { url, .. } => (SourceKind::Url, url),
            Source::Git { url, .. } => (SourceKind::Git, url),
            Source::Path(path) | Source::Directory(path) | Source::Virtual(path) => {
                (SourceKind::Path, path)
            }
            Source::Editable(path) => (SourceKind::Editable, path),
            Source::Unstated | Source::Registry(_) => continue,
        };
        let inputs = inputs.as_ref();
        let said = inputs.map(|inputs| inputs.asker(number, package, facts));
        let is_asked_for = facts.policy.sources.contains(&kind)
            || said == Some(Asker::Somebody)
            || asked
                .as_ref()
                .is_some_and(|asked| asked.has(package, facts))
            || is_own(package, facts, &declarations)
            || declarations
                .iter()
                .any(|declarations| declares(declarations, package))
            || is_recorded(package, facts, &declarations);
        if is_asked_for {
            continue;
        }
        findings
            .add(
                package.source.at,
                format!(
                    "`{}` comes from the {} `{}`, which nothing asks for",
                    package.title(),
                    package.source.value.kind(),
                    conceal(what)
                ),
            )
            .about(&package.name.normal)
            .at_most(if said == Some(Asker::Perhaps) {
                Severity::Warning
            } else {
                most
            })
            .help(format!(
                "write the lock anew, or declare it {table}; `allowed-sources: {}` allows all such",
                kind.name()
            ));
    }
}

/// The project beside a `pylock.toml` that locks it; `None` where what is no index's may be needed by a folder or a
/// repository whose declarations are not here: such a lock has no edges.
fn beside_pylock<'a>(facts: &Facts<'a>) -> Option<Vec<&'a Declarations<'a>>> {
    pylock::wants(facts)?;
    let root = facts.declared?;
    let project = vec![root];
    let is_opaque = |package: &Package<'_>| {
        let is_index = matches!(package.source.value, Source::Unstated | Source::Registry(_));
        !is_index
            && !is_own(package, facts, &project)
            && (package.is_local() || declares(root, package))
    };
    let is_clear = !facts.lock.packages.iter().any(is_opaque);
    is_clear.then_some(project)
}

/// Whether it is the project itself or a member of its workspace, where its `pyproject.toml` stands.
fn is_own(package: &Package<'_>, facts: &Facts<'_>, declarations: &[&Declarations<'_>]) -> bool {
    let (Source::Path(path)
    | Source::Directory(path)
    | Source::Virtual(path)
    | Source::Editable(path)) = &package.source.value
    else {
        return false;
    };
    let name = &*package.name.normal;
    let folder = |file: FileId| {
        let path = facts.sources.path(file);
        path.rsplit_once('/').map_or("", |(folder, _)| folder)
    };
    let place = normal::join(folder(facts.lock.file), path);
    declarations.iter().any(|declarations| {
        let project = declarations.project.as_ref();
        let own = project.and_then(|project| project.name.as_ref());
        own.is_some_and(|own| normalise(&own.value) == name)
            && normal::clean(folder(declarations.file)) == place
    })
}

/// Whether a file asks for this package from this source.
fn declares(declarations: &Declarations<'_>, package: &Package<'_>) -> bool {
    let name = &*package.name.normal;
    let uv = declarations.uv.as_ref();
    let sources = uv.map_or(&[][..], |uv| &uv.sources);
    let is_source = sources
        .iter()
        .filter(|(own, _)| normalise(&own.value) == name)
        .flat_map(|(_, sources)| sources)
        .any(|source| match &source.source {
            UvSourceKind::Workspace(is_member) => *is_member && package.is_local(),
            UvSourceKind::Other(source) => is_same(source, &package.source.value),
        });
    is_source || requirements(declarations).any(|requirement| asks(requirement, package))
}

/// All requirements of a file.
fn requirements<'d>(
    declarations: &'d Declarations<'d>,
) -> impl Iterator<Item = &'d Requirement<'d>> {
    let project = declarations.project.iter();
    let of_project = project.flat_map(|project| {
        let extras = project.extras.iter().flat_map(|(_, list)| list);
        project.dependencies.iter().chain(extras)
    });
    let of_groups = declarations
        .groups
        .iter()
        .flat_map(|group| &group.items)
        .filter_map(|item| match item {
            GroupItem::Requirement(requirement) => Some(&**requirement),
            GroupItem::Include(_) => None,
        });
    let of_uv = declarations.uv.iter().flat_map(|uv| {
        uv.dev_dependencies
            .iter()
            .chain(&uv.constraints)
            .chain(&uv.overrides)
    });
    of_project.chain(of_groups).chain(of_uv)
}

fn asks(requirement: &Requirement<'_>, package: &Package<'_>) -> bool {
    requirement.name.normal == package.name.normal
        && requirement
            .source
            .as_ref()
            .is_some_and(|source| is_same(&source.value, &package.source.value))
}

/// Whether what the lock records of a package whose declarations are not here asks for it.
fn is_recorded(
    package: &Package<'_>,
    facts: &Facts<'_>,
    declarations: &[&Declarations<'_>],
) -> bool {
    let mut others = facts.lock.packages.iter().filter(|other| {
        let is_index = matches!(
            other.source.value,
            Source::Unstated | Source::Registry(_) | Source::Virtual(_)
        );
        !is_index && !is_own(other, facts, declarations)
    });
    others.any(|other| {
        let Some(metadata) = &other.metadata else {
            // Of what cannot change, such as a commit, only the edges are recorded.
            let mut targets = other
                .dependencies
                .iter()
                .flat_map(|edge| facts.index.targets(edge));
            return targets.any(|target| target.at == package.at);
        };
        let groups = metadata.requires_dev.iter().flat_map(|(_, list)| list);
        let mut requirements = metadata.requires_dist.iter().chain(groups);
        requirements.any(|requirement| asks(requirement, package))
    })
}

/// Whether a declared source is the locked one. A requirement with a URL may mean a repository or an archive.
fn is_same(declared: &Source<'_>, locked: &Source<'_>) -> bool {
    fn place<'s>(source: &'s Source<'_>) -> Option<(bool, &'s str)> {
        match source {
            Source::Url { url, .. } | Source::Git { url, .. } => Some((true, url)),
            Source::Path(path)
            | Source::Directory(path)
            | Source::Editable(path)
            | Source::Virtual(path) => Some((false, path)),
            Source::Unstated | Source::Registry(_) => None,
        }
    }
    let (Some((is_url, declared)), Some((is_locked_url, locked))) =
        (place(declared), place(locked))
    else {
        return false;
    };
    match (is_url, is_locked_url) {
        (true, true) => same(without_commit(declared), locked),
        // Paths of members are relative to the member, those of the lock to the lock: the last part must be the same.
        (false, false) => last(declared) == last(locked),
        (true, false) => declared.starts_with("file:") && last(declared) == last(locked),
        (false, true) => false,
    }
}

/// `git+https://host/repository@tag` without the tag.
pub fn without_commit(url: &str) -> &str {
    if !url.starts_with("git+") {
        return url;
    }
    let path = url.find("://").map_or(0, |at| at + 3);
    let slash = url.get(path..).and_then(|rest| rest.find('/'));
    let start = path + slash.unwrap_or(0);
    let at = url.get(start..).and_then(|rest| rest.find('@'));
    at.and_then(|at| url.get(..start + at)).unwrap_or(url)
}

/// The last part of a path that is a name; empty for the folder itself and those above it.
pub fn last(path: &str) -> &str {
    path.rsplit(['/', '\\'])
        .find(|part| !matches!(*part, "" | "."))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use crate::lockfiles::rules::tests::ids;

    const PROJECT: &str = r#"[project]
name = "app"
version = "1.0"
requires-python = ">=3.11"
dependencies = ["tool"]

[tool.uv.sources]
tool = { git = "https://git.example/tool" }
"#;

    const LOCK: &str = r#"version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "app"
version = "1.0"
source = { virtual = "." }
dependencies = [
    { name = "tool" },
]

[package.metadata]
requires-dist = [{ name = "tool", git = "https://git.example/tool" }]

[[package]]
name = "part"
version = "1.0"
source = { git = "https://git.example/part#0123456789012345678901234567890123456789" }

[[package]]
name = "tool"
version = "1.0"
source = { git = "https://git.example/tool#9876543210987654321098765432109876543210" }
dependencies = [
    { name = "part" },
]
"#;

    #[test]
    fn a_repository_may_have_repositories_of_its_own() {
        assert_eq!(
            ids(&[("pyproject.toml", PROJECT), ("uv.lock", LOCK)]),
            [""; 0]
        );
        let orphan = LOCK.replace("dependencies = [\n    { name = \"part\" },\n]\n", "");
        let found = ids(&[("pyproject.toml", PROJECT), ("uv.lock", &orphan)]);
        assert!(found.contains(&"source-not-declared"), "{found:?}");
    }
}
