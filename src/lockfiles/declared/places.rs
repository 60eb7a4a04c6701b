//! Where projects of Poetry and PDM ask for packages, in `pyproject.toml`.

use crate::lockfiles::document::Value;

/// The lists of requirements, and tables of such.
const LISTS: [&[&str]; 4] = [
    &["project", "dependencies"],
    &["project", "optional-dependencies"],
    &["dependency-groups"],
    &["tool", "pdm", "dev-dependencies"],
];

/// The tables whose keys are names.
const TABLES: [&[&str]; 3] = [
    &["tool", "poetry", "dependencies"],
    &["tool", "poetry", "dev-dependencies"],
    &["tool", "pdm", "resolution", "overrides"],
];

/// The lists of requirements, and tables of such lists.
pub fn lists<'d, 'a>(root: Value<'d, 'a>) -> impl Iterator<Item = Value<'d, 'a>> {
    LISTS.iter().filter_map(move |keys| root.path(keys))
}

/// The tables of names with what is asked for of each, those of Poetry's groups among them.
pub fn tables<'d, 'a>(root: Value<'d, 'a>) -> impl Iterator<Item = Value<'d, 'a>> {
    let groups = root.path(&["tool", "poetry", "group"]).into_iter();
    let groups = groups
        .flat_map(Value::entries)
        .filter_map(|group| group.get("dependencies"));
    let tables = TABLES.iter().filter_map(move |keys| root.path(keys));
    tables.chain(groups)
}
