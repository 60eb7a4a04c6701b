//! What a lock of uv records of its inputs: `[options]`, `[manifest]`, `conflicts`, `[package.metadata]`.

use crate::lockfiles::document::{Kind, Value};
use crate::lockfiles::fault::{FaultKind, Faults};
use crate::lockfiles::uv_lock::origin;
use crate::lockfiles::values;
use crate::model::lockfile::{
    Conflict, GroupPythons, Manifest, Name, PackageMetadata, Requirement, Scoped, Source,
    StaticMetadata, Text, UvOptions,
};
use crate::model::sources::Located;

/// `conflicts = [[{ package = "a", extra = "x" }, { package = "a", extra = "y" }]]`.
pub fn conflicts<'a>(value: Value<'_, 'a>, faults: &mut Faults) -> Vec<Located<Vec<Conflict<'a>>>> {
    let mut sets = Vec::new();
    for set in values::items(value, faults) {
        let mut items = Vec::new();
        for item in values::items(set, faults) {
            let mut conflict = Conflict {
                package: None,
                extra: None,
                group: None,
            };
            for entry in values::entries(item, faults) {
                let text = values::text(entry, faults).map(|text| text.value);
                match &*entry.key() {
                    "package" => conflict.package = text,
                    "extra" => conflict.extra = text,
                    "group" => conflict.group = text,
                    _ => {}
                }
            }
            items.push(conflict);
        }
        sets.push(Located::new(items, values::at(set, faults)));
    }
    sets
}

/// `[options]`.
pub fn options<'a>(value: Value<'_, 'a>, faults: &mut Faults) -> UvOptions<'a> {
    let mut options = UvOptions::default();
    for entry in values::entries(value, faults) {
        match &*entry.key() {
            "resolution-mode" => options.resolution_mode = values::text(entry, faults),
            "prerelease-mode" => options.prerelease_mode = values::text(entry, faults),
            "fork-strategy" => options.fork_strategy = values::text(entry, faults),
            "exclude-newer" => options.exclude_newer = moment(entry, faults),
            "exclude-newer-span" => options.exclude_newer_span = values::text(entry, faults),
            "exclude-newer-package" => options.exclude_newer_package = by_package(entry, faults),
            "prerelease-package" => options.prerelease_package = by_package(entry, faults),
            _ => {}
        }
    }
    options
}

/// A value for each package: `exclude-newer-package`, `prerelease-package`.
pub fn by_package<'a>(
    value: Value<'_, 'a>,
    faults: &mut Faults,
) -> Vec<(Name<'a>, Located<Text<'a>>)> {
    values::entries(value, faults)
        .filter_map(|package| {
            let name = Name::new(package.key(), values::key_at(package, faults));
            Some((name, moment(package, faults)?))
        })
        .collect()
}

/// A moment as text, date or `false`; in a table, its span counts.
fn moment<'a>(value: Value<'_, 'a>, faults: &mut Faults) -> Option<Located<Text<'a>>> {
    match value.kind() {
        Kind::Table => {
            let inner = value.get("span").or_else(|| value.get("timestamp"))?;
            values::text(inner, faults)
        }
        Kind::Datetime | Kind::Boolean => Some(Located::new(
            Text::Borrowed(value.raw()),
            values::at(value, faults),
        )),
        _ => values::text(value, faults),
    }
}

/// `[manifest]`.
pub fn manifest<'a>(value: Value<'_, 'a>, faults: &mut Faults) -> Manifest<'a> {
    let mut manifest = Manifest::default();
    for entry in values::entries(value, faults) {
        match &*entry.key() {
            "members" => manifest.members = values::names(entry, faults),
            "requirements" => manifest.requirements = requirements(entry, faults),
            "constraints" => manifest.constraints = requirements(entry, faults),
            "overrides" => {
                manifest.overrides = requirements(entry, faults);
                manifest.scoped_overrides = scoped(entry, requirements, faults);
            }
            "excludes" => {
                manifest.excludes = names(entry, faults);
                manifest.scoped_excludes = scoped(entry, names, faults);
            }
            "build-constraints" => manifest.build_constraints = requirements(entry, faults),
            "dependency-groups" => manifest.dependency_groups = groups(entry, faults),
            "group-requires-python" => manifest.group_pythons = group_pythons(entry, faults),
            "dependency-metadata" => {
                manifest.dependency_metadata = all_static_metadata(entry, faults);
            }
            _ => {}
        }
    }
    manifest
}

/// `dependency-metadata`, as uv writes it and as `[tool.uv]` has it.
pub fn all_static_metadata<'a>(
    value: Value<'_, 'a>,
    faults: &mut Faults,
) -> Vec<StaticMetadata<'a>> {
    values::items(value, faults)
        .filter_map(|item| static_metadata(item, faults))
        .collect()
}

fn static_metadata<'a>(value: Value<'_, 'a>, faults: &mut Faults) -> Option<StaticMetadata<'a>> {
    let Some(name) = value.get("name") else {
        let at = values::at(value, faults);
        faults.add(FaultKind::Syntax, at, "this metadata has no `name`");
        return None;
    };
    let mut metadata = StaticMetadata {
        name: values::name(name, faults)?,
        version: None,
        requires_dist: Vec::new(),
        requires_python: None,
        provides_extras: Vec::new(),
    };
    for entry in value.entries() {
        match &*entry.key() {
            "version" => metadata.version = values::text(entry, faults),
            "requires-dist" => metadata.requires_dist = values::texts(entry, faults),
            "requires-python" => metadata.requires_python = values::text(entry, faults),
            "provides-extras" | "provides-extra" => {
                metadata.provides_extras = values::texts(entry, faults);
            }
            _ => {}
        }
    }
    Some(metadata)
}

/// `[package.group-requires-python]`.
pub fn group_pythons<'a>(value: Value<'_, 'a>, faults: &mut Faults) -> GroupPythons<'a> {
    values::entries(value, faults)
        .filter_map(|group| {
            let name = Located::new(group.key(), values::key_at(group, faults));
            Some((name, values::text(group, faults)?))
        })
        .collect()
}

/// `[package.metadata]`.
pub fn package_metadata<'a>(value: Value<'_, 'a>, faults: &mut Faults) -> PackageMetadata<'a> {
    let mut metadata = PackageMetadata::default();
    for entry in values::entries(value, faults) {
        match &*entry.key() {
            "requires-dist" => metadata.requires_dist = requirements(entry, faults),
            "provides-extras" => metadata.provides_extras = values::texts(entry, faults),
            "requires-dev" => metadata.requires_dev = groups(entry, faults),
            _ => {}
        }
    }
    metadata
}

fn groups<'a>(
    value: Value<'_, 'a>,
    faults: &mut Faults,
) -> Vec<(Located<Text<'a>>, Vec<Requirement<'a>>)> {
    values::entries(value, faults)
        .map(|group| {
            let name = Located::new(group.key(), values::key_at(group, faults));
            (name, requirements(group, faults))
        })
        .collect()
}

/// Entries that count for one package, as uv writes them and as `[tool.uv]` has them.
pub fn scoped<'d, 'a, T>(
    value: Value<'d, 'a>,
    list: fn(Value<'d, 'a>, &mut Faults) -> Vec<T>,
    faults: &mut Faults,
) -> Vec<Scoped<'a, T>> {
    let mut found = Vec::new();
    for item in values::items(value, faults).filter(|item| is_scoped(*item)) {
        let name = item.path(&["package", "name"]);
        let Some(package) = name.and_then(|name| values::name(name, faults)) else {
            let at = values::at(item, faults);
            faults.add(
                FaultKind::Syntax,
                at,
                "this names no package: `package = { name = \"…\" }`",
            );
            continue;
        };
        let version = item.path(&["package", "version"]);
        found.push(Scoped {
            package,
            version: version.and_then(|version| values::text(version, faults)),
            dependencies: item
                .get("dependencies")
                .map_or_else(Vec::new, |dependencies| list(dependencies, faults)),
        });
    }
    found
}

/// Whether an entry counts for one package only.
pub fn is_scoped(item: Value<'_, '_>) -> bool {
    item.kind() == Kind::Table && item.get("package").is_some()
}

/// Names, without the entries that count for one package only.
pub fn names<'a>(value: Value<'_, 'a>, faults: &mut Faults) -> Vec<Name<'a>> {
    values::items(value, faults)
        .filter(|item| !is_scoped(*item))
        .filter_map(|item| values::name(item, faults))
        .collect()
}

fn requirements<'a>(value: Value<'_, 'a>, faults: &mut Faults) -> Vec<Requirement<'a>> {
    values::items(value, faults)
        .filter(|item| !is_scoped(*item))
        .filter_map(|item| requirement(item, faults))
        .collect()
}

/// `{ name = "x", extras = ["y"], marker = "…", specifier = ">=1", index = "…" }`.
fn requirement<'a>(value: Value<'_, 'a>, faults: &mut Faults) -> Option<Requirement<'a>> {
    let at = values::at(value, faults);
    let Some(name) = value.get("name") else {
        faults.add(FaultKind::Syntax, at, "this requirement has no `name`");
        return None;
    };
    let mut requirement = Requirement {
        name: values::name(name, faults)?,
        extras: Vec::new(),
        specifier: None,
        marker: None,
        source: None,
        at,
    };
    let mut subdirectory = None;
    for entry in value.entries() {
        match &*entry.key() {
            "extras" => requirement.extras = values::texts(entry, faults),
            "specifier" => requirement.specifier = values::text(entry, faults),
            "marker" => requirement.marker = values::text(entry, faults),
            "subdirectory" => subdirectory = values::text(entry, faults).map(|text| text.value),
            key => {
                if let Some(source) = origin::of_key(key, entry, faults) {
                    requirement.source = Some(Located::new(source, values::at(entry, faults)));
                }
            }
        }
    }
    if let Some(Located {
        value:
            Source::Url {
                subdirectory: its, ..
            }
            | Source::Git {
                subdirectory: its, ..
            },
        ..
    }) = &mut requirement.source
        && subdirectory.is_some()
    {
        *its = subdirectory;
    }
    Some(requirement)
}
