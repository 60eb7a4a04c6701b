//! Requirements that a project declares without a condition: what every lock of it must pin.

use crate::lockfiles::document::{Kind, Value};
use crate::lockfiles::requirement::split;
use crate::lockfiles::rules::sync::beside::Project;
use crate::model::lockfile::Name;
use crate::model::sources::Location;

/// A requirement without a marker.
pub struct Direct<'d> {
    /// What is asked for.
    pub name: Name<'d>,
    /// Where.
    pub at: Location,
}

/// A list of requirements (PEP 508), or a table of such lists. What is no requirement, and what has a marker, is left
/// out.
pub fn listed<'d>(
    lists: Option<Value<'d, '_>>,
    project: &'d Project<'_>,
    found: &mut Vec<Direct<'d>>,
) {
    let Some(lists) = lists else {
        return;
    };
    if lists.kind() == Kind::Table {
        for list in lists.entries() {
            listed(
                Some(list).filter(|list| list.kind() == Kind::Array),
                project,
                found,
            );
        }
        return;
    }
    for item in lists.entries() {
        let Some(text) = item.as_str() else {
            continue;
        };
        let Ok(split) = split(&text) else {
            continue;
        };
        let at = project.key_at(item);
        let name = text.get(split.name).unwrap_or_default();
        if split.marker.is_none() {
            found.push(Direct {
                name: Name::new(name.to_owned().into(), at),
                at,
            });
        }
    }
}

/// The project's own name, normalised: it may ask for itself with extras.
pub fn own_name(project: &Project<'_>) -> Option<String> {
    let root = project.document.root();
    let name = [&["project", "name"][..], &["tool", "poetry", "name"]]
        .into_iter()
        .find_map(|keys| root.path(keys)?.as_str())?;
    Some(crate::lockfiles::normalise_name(&name))
}
