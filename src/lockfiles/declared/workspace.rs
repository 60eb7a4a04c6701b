//! Which folders belong to a workspace of uv (<https://docs.astral.sh/uv/concepts/projects/workspaces/>).

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use crate::lockfiles::{declared, normal};
use crate::model::declared::{Declarations, UvSourceKind, UvWorkspace};
use crate::model::lockfile::{FileKind, Source, Text};
use crate::model::sources::{FileId, Located, Sources};

/// The globs of a workspace.
#[derive(Clone, Debug)]
pub struct Members {
    members: GlobSet,
    exclude: GlobSet,
}

impl Members {
    /// Reads the globs. What is no glob matches nothing.
    pub fn new(workspace: &UvWorkspace<'_>) -> Self {
        Self {
            members: globs(&workspace.members),
            exclude: globs(&workspace.exclude),
        }
    }

    /// Whether a folder is a member, by its path from the root of the workspace.
    pub fn has(&self, folder: &str) -> bool {
        self.members.is_match(folder) && !self.exclude.is_match(folder)
    }
}

fn globs(patterns: &[Located<Text<'_>>]) -> GlobSet {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        let glob = GlobBuilder::new(&normal::clean(&pattern.value))
            .literal_separator(true)
            .build();
        if let Ok(glob) = glob {
            set.add(glob);
        }
    }
    set.build().unwrap_or_default()
}

/// The nearest `pyproject.toml` above a project, by the project's own path: `inspect` says which file is at a path. uv looks
/// no further up than to it.
pub fn nearest_above(
    project: &str,
    mut inspect: impl FnMut(&str) -> Option<FileId>,
) -> Option<FileId> {
    let above = |path: &str| path.rsplit_once('/').map(|(folder, _)| folder.to_owned());
    let mut folder = above(project)?;
    loop {
        folder = match above(&folder) {
            Some(folder) => folder,
            None if folder.is_empty() => return None,
            None => String::new(),
        };
        let found = inspect(&normal::join(&folder, "pyproject.toml"));
        if found.is_some() {
            return found;
        }
    }
}

/// The `pyproject.toml` of the workspace that a project is a member of without being its root; `None` where it is its own
/// root, or not all of that is among `sources`.
pub fn enclosing(project: FileId, sources: &Sources) -> Option<FileId> {
    let root = nearest_above(sources.path(project), |path| sources.find(path))?;
    let own = declared::read(project, sources).declarations?;
    let is_root = own.project.is_none()
        || own.uv.as_ref().is_some_and(|uv| {
            let managed = uv.managed.as_ref().is_none_or(|managed| managed.value);
            uv.workspace.is_some() || !managed
        });
    let workspace = declared::read(root, sources).declarations?.uv?.workspace?;
    let folder = |file| {
        let path = sources.path(file).rsplit_once('/');
        path.map_or("", |(folder, _)| folder)
    };
    let path = normal::relative(folder(project), folder(root));
    (!is_root && Members::new(&workspace.value).has(&path)).then_some(root)
}

/// The folders that `[tool.uv.sources]` names, relative to the file's own.
pub fn folders<'d>(declared: &'d Declarations<'_>) -> impl Iterator<Item = &'d str> {
    let sources = declared.uv.iter().flat_map(|uv| &uv.sources);
    sources
        .flat_map(|(_, sources)| sources)
        .filter_map(|source| match &source.source {
            UvSourceKind::Other(Source::Path(path))
                if FileKind::of_name(path) == FileKind::Other =>
            {
                Some(&**path)
            }
            _ => None,
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::sources::Location;

    #[test]
    fn the_nearest_project_above_says_whether_one_is_a_member() {
        let workspace =
            "[tool.uv.workspace]\nmembers = ['libs/*', 'one']\nexclude = ['libs/old']\n";
        let project = "[project]\nname = 'a'\n";
        let unmanaged = "[project]\nname = 'a'\n[tool.uv]\nmanaged = false\n";
        let own_root = "[project]\nname = 'a'\n[tool.uv.workspace]\n";
        let found = |files: &[(&str, &str)]| {
            let mut sources = Sources::default();
            for (folder, text) in files {
                let path = normal::join(folder, "pyproject.toml");
                sources.add(path, text.as_bytes().to_vec()).unwrap();
            }
            let project = sources.iter().next().unwrap().0;
            enclosing(project, &sources).map(|file| sources.path(file).to_owned())
        };
        let top = Some("pyproject.toml");
        for (files, expected) in [
            (vec![("libs/a", project), ("", workspace)], top),
            (vec![("one", project), ("", workspace)], top),
            (
                vec![("x/one", project), ("x", workspace), ("", "")],
                Some("x/pyproject.toml"),
            ),
            (vec![("libs/old", project), ("", workspace)], None),
            (vec![("other", project), ("", workspace)], None),
            (
                vec![("libs/a", project), ("libs", ""), ("", workspace)],
                None,
            ),
            (vec![("libs/a", unmanaged), ("", workspace)], None),
            (vec![("libs/a", own_root), ("", workspace)], None),
            (vec![("libs/a", "[tool.ruff]"), ("", workspace)], None),
            (vec![("libs/a", project), ("", project)], None),
            (vec![("", workspace)], None),
        ] {
            assert_eq!(found(&files).as_deref(), expected, "{files:?}");
        }
    }

    #[test]
    fn members_are_what_the_globs_name_and_do_not_exclude() {
        let list = |texts: &[&'static str]| {
            let located = |text: &&'static str| Located::new((*text).into(), Location::default());
            texts.iter().map(located).collect()
        };
        let members = Members::new(&UvWorkspace {
            members: list(&["packages/*/", "./tools/**", "[", "one"]),
            exclude: list(&["packages/old"]),
        });
        for (folder, is_member) in [
            ("packages/a", true),
            ("packages/a/b", false),
            ("packages/old", false),
            ("tools/x/y", true),
            ("one", true),
            ("other", false),
        ] {
            assert_eq!(members.has(folder), is_member, "{folder}");
        }
    }
}
