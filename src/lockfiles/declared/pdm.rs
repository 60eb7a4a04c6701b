//! The hash of what PDM locks (`content_hash`), and the members of its workspaces.

use std::collections::BTreeMap;

use crate::lockfiles::document::{Document, Kind, Value};
use crate::lockfiles::python_json::{Json, digest, sha256};
use crate::lockfiles::requirement::Version;

/// The releases that compute the hash in the same way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// 2.20 and newer: the standard groups with those of `[tool.pdm]`, and `[tool.pdm.resolution]`.
    Groups,
    /// 2.16 to 2.19: the groups of `[tool.pdm]` as they are named.
    Resolution,
    /// Older: the same, and of the resolution only its overrides.
    Overrides,
}

impl Form {
    /// Those that may have made a lock of a version of the format, the newest first.
    pub fn of(lock_version: &str) -> impl Iterator<Item = Self> {
        let version = Version::parse(lock_version);
        let until = move |last: &str| version.is_some() && version <= Version::parse(last);
        [
            (Self::Groups, true),
            (Self::Resolution, until("4.5.0")),
            (Self::Overrides, until("4.4.1")),
        ]
        .into_iter()
        .filter_map(|(form, may)| may.then_some(form))
    }
}

/// The hash of one `pyproject.toml`; `None` where it cannot be computed without PDM: the project is declared in the way
/// of another tool, or a value has another type.
pub fn content_hash(document: &Document<'_>, form: Form) -> Option<String> {
    let root = document.root();
    // PDM converts what flit and poetry declare.
    let project = root
        .get("project")
        .filter(|project| project.kind() == Kind::Table)?;
    let settings = root.path(&["tool", "pdm"]);
    let setting = |key| settings.and_then(|settings| settings.get(key));
    let (list, table) = (|| Json::List(Vec::new()), || Json::Table(BTreeMap::new()));
    let own = setting("dev-dependencies");
    let groups = match form {
        Form::Groups => Json::Table(groups(root.get("dependency-groups"), own)?),
        Form::Resolution | Form::Overrides => Json::of(own, table()),
    };
    let resolution = setting("resolution");
    let resolution = if form == Form::Overrides {
        let overrides = resolution.and_then(|resolution| resolution.get("overrides"));
        let overrides = overrides.or_else(|| setting("overrides"));
        ("overrides", Json::of(overrides, table()))
    } else {
        ("resolution", Json::of(resolution, table()))
    };
    sha256(&Json::table([
        ("sources", Json::of(setting("source"), list())),
        (
            "dependencies",
            Json::of(project.get("dependencies"), list()),
        ),
        ("dev-dependencies", groups),
        (
            "optional-dependencies",
            Json::of(project.get("optional-dependencies"), table()),
        ),
        (
            "requires-python",
            Json::of(project.get("requires-python"), Json::Text("")),
        ),
        resolution,
    ]))
}

/// The hash of a workspace: that of its root, and of each member by its path.
pub fn workspace_hash<'m>(
    root: &Document<'_>,
    members: impl IntoIterator<Item = (&'m str, Option<Document<'m>>)>,
) -> Option<String> {
    let mut bytes = content_hash(root, Form::Groups)?.into_bytes();
    let mut sorted = BTreeMap::new();
    for (path, member) in members {
        sorted.insert(path, content_hash(&member?, Form::Groups)?);
    }
    for (path, hash) in sorted {
        for part in [path, &hash] {
            bytes.push(0);
            bytes.extend(part.as_bytes());
        }
    }
    Some(digest(&bytes))
}

/// The groups by their normal names. A name in both tables, or twice in one, is left to PDM.
fn groups<'d, 'a>(
    standard: Option<Value<'d, 'a>>,
    own: Option<Value<'d, 'a>>,
) -> Option<BTreeMap<String, Json<'d, 'a>>> {
    let mut groups = BTreeMap::new();
    for table in [standard, own].into_iter().flatten() {
        if table.kind() != Kind::Table {
            return None;
        }
        for group in table.entries() {
            let is_new = groups
                .insert(normalise_group(&group.key()), Json::Toml(group))
                .is_none();
            if !is_new {
                return None;
            }
        }
    }
    Some(groups)
}

/// As PDM does it, which is not quite PEP 503: whatever is no letter and no digit becomes a dash.
pub fn normalise_group(name: &str) -> String {
    dashed(name).to_ascii_lowercase()
}

/// The same with the letters as they are, which is how PDM records the names of requirements.
pub fn dashed(name: &str) -> String {
    let mut normal = String::with_capacity(name.len());
    for character in name.chars() {
        if character.is_ascii_alphanumeric() {
            normal.push(character);
        } else if !normal.ends_with('-') {
            normal.push('-');
        }
    }
    normal
}

/// Whether a project asks for `lock_inputs` in place of a content hash.
pub fn wants_lock_inputs(document: &Document<'_>) -> bool {
    document
        .root()
        .path(&["tool", "pdm", "resolution", "lock_inputs"])
        .and_then(Value::as_bool)
        == Some(true)
}

/// The members that a workspace names: paths and patterns, each relative to its root, without `./` and `/` at the ends.
/// `None` where the project is no workspace.
pub fn members(document: &Document<'_>) -> Option<Vec<String>> {
    let workspace = document.root().path(&["tool", "pdm", "workspace"])?;
    workspace.entries().next()?;
    let members = workspace.get("members").into_iter();
    let paths = members
        .flat_map(Value::entries)
        .filter_map(Value::as_str)
        .map(|path| {
            path.trim_start_matches("./")
                .trim_end_matches('/')
                .to_owned()
        })
        .collect();
    Some(paths)
}

/// Whether one of the members that a workspace names is this folder.
pub fn is_member(members: &[String], folder: &str) -> bool {
    members.iter().any(|member| {
        if !member.contains(['*', '?', '[']) {
            return member == folder;
        }
        globset::GlobBuilder::new(member)
            .literal_separator(true)
            .build()
            .is_ok_and(|glob| glob.compile_matcher().is_match(folder))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_paths_and_patterns() {
        let members = ["lib".to_owned(), "packages/*".into()];
        for (folder, is) in [
            ("lib", true),
            ("lib/inner", false),
            ("packages/a", true),
            ("packages/a/b", false),
            ("", false),
        ] {
            assert_eq!(is_member(&members, folder), is, "{folder}");
        }
    }

    #[test]
    fn groups_are_named_as_pdm_names_them() {
        assert_eq!(normalise_group("Dev__Tools.x"), "dev-tools-x");
    }
}
