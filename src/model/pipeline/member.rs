//! A member of a workspace, as stages may be given for each of them.

/// A project of a workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The normalised name of the package.
    pub name: String,
    /// Its folder, from that of the definition, with `/`; empty where it is the same.
    pub path: String,
    /// The folders of the members that it depends on, directly or over others.
    pub depends: Vec<String>,
}

impl Member {
    /// Whether a file, from the folder of the definition, is in the folder of a member.
    pub fn holds(path: &str, file: &str) -> bool {
        let below = file.strip_prefix(path);
        path.is_empty() || below.is_some_and(|below| below.starts_with('/'))
    }
}
