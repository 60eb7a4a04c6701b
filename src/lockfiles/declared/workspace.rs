//! Which folders belong to a workspace of uv (<https://docs.astral.sh/uv/concepts/projects/workspaces/>).

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use crate::lockfiles::normal;
use crate::model::declared::{Declarations, UvSourceKind, UvWorkspace};
use crate::model::lockfile::{FileKind, Source, Text};
use crate::model::sources::Located;

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
