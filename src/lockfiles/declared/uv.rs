//! `[tool.uv]` (<https://docs.astral.sh/uv/reference/settings/>), as far as it changes a lock.

use crate::lockfiles::declared::requirements;
use crate::lockfiles::document::{Kind, Value};
use crate::lockfiles::fault::Faults;
use crate::lockfiles::uv_lock::inputs;
use crate::lockfiles::values;
use crate::model::declared::{UvIndex, UvSettings, UvSource, UvSourceKind, UvWorkspace};
use crate::model::lockfile::{GitReference, Source, Text};
use crate::model::sources::{Located, Location};

/// Reads the table.
pub fn settings<'a>(value: Value<'_, 'a>, faults: &mut Faults) -> UvSettings<'a> {
    let mut settings = UvSettings {
        at: values::at(value, faults),
        ..UvSettings::default()
    };
    for entry in values::entries(value, faults) {
        one(entry, &mut settings, faults);
    }
    settings
}

fn one<'a>(entry: Value<'_, 'a>, settings: &mut UvSettings<'a>, faults: &mut Faults) {
    match &*entry.key() {
        "sources" => {
            settings.sources = values::entries(entry, faults)
                .map(|package| {
                    let name = Located::new(package.key(), values::key_at(package, faults));
                    (name, sources(package, faults))
                })
                .collect();
        }
        "index" => settings
            .indexes
            .extend(values::items(entry, faults).filter_map(|index| one_index(index, faults))),
        key @ ("index-url" | "extra-index-url" | "find-links") => {
            let urls = if entry.kind() == Kind::Array {
                values::texts(entry, faults)
            } else {
                values::text(entry, faults).into_iter().collect()
            };
            let at = values::at(entry, faults);
            settings.indexes.extend(urls.into_iter().map(|url| UvIndex {
                name: None,
                url,
                is_explicit: false,
                is_default: key == "index-url",
                is_flat: key == "find-links",
                at,
            }));
        }
        "workspace" => {
            let list = |key| entry.get(key);
            let workspace = UvWorkspace {
                members: list("members").map_or_else(Vec::new, |list| values::texts(list, faults)),
                exclude: list("exclude").map_or_else(Vec::new, |list| values::texts(list, faults)),
            };
            settings.workspace = Some(Located::new(workspace, values::at(entry, faults)));
        }
        "package" => settings.package = flag(entry, faults),
        "managed" => settings.managed = flag(entry, faults),
        "dev-dependencies" => settings.dev_dependencies = requirements(entry, faults),
        "constraint-dependencies" => settings.constraints = requirements(entry, faults),
        "override-dependencies" => {
            settings.overrides = requirements(entry, faults);
            settings.scoped_overrides = inputs::scoped(entry, requirements, faults);
        }
        "exclude-dependencies" => {
            settings.excludes = inputs::names(entry, faults);
            settings.scoped_excludes = inputs::scoped(entry, inputs::names, faults);
        }
        "build-constraint-dependencies" => settings.build_constraints = requirements(entry, faults),
        "environments" => settings.environments = one_or_more(entry, faults),
        "required-environments" => settings.required_environments = one_or_more(entry, faults),
        "conflicts" => settings.conflicts = inputs::conflicts(entry, faults),
        "dependency-metadata" => {
            settings.dependency_metadata = inputs::all_static_metadata(entry, faults);
        }
        "default-groups" => settings.default_groups = one_or_more(entry, faults),
        "dependency-groups" => {
            for group in values::entries(entry, faults) {
                let python = group.get("requires-python");
                let python = python.and_then(|python| values::text(python, faults));
                let name = Located::new(group.key(), values::key_at(group, faults));
                settings
                    .group_pythons
                    .extend(python.map(|python| (name, python)));
            }
        }
        "exclude-newer-package" => {
            settings.exclude_newer_package = inputs::by_package(entry, faults);
        }
        "prerelease-package" => settings.prerelease_package = inputs::by_package(entry, faults),
        _ if !matches!(entry.kind(), Kind::Array | Kind::Table) => {
            let value = scalar(entry, faults);
            settings.options.push((entry.key(), value));
        }
        _ => {}
    }
}

/// A text, or any other single value as it is written.
fn scalar<'a>(value: Value<'_, 'a>, faults: &Faults) -> Located<Text<'a>> {
    let text = value
        .as_str()
        .unwrap_or_else(|| Text::Borrowed(value.raw()));
    Located::new(text, values::at(value, faults))
}

fn one_or_more<'a>(value: Value<'_, 'a>, faults: &mut Faults) -> Vec<Located<Text<'a>>> {
    if value.kind() == Kind::String {
        return values::text(value, faults).into_iter().collect();
    }
    values::texts(value, faults)
}

fn flag(value: Value<'_, '_>, faults: &mut Faults) -> Option<Located<bool>> {
    let flag = values::boolean(value, faults)?;
    Some(Located::new(flag, values::at(value, faults)))
}

/// One source, or a list of sources that markers choose from.
fn sources<'a>(value: Value<'_, 'a>, faults: &mut Faults) -> Vec<UvSource<'a>> {
    if value.kind() == Kind::Array {
        return values::items(value, faults)
            .filter_map(|item| source(item, faults))
            .collect();
    }
    source(value, faults).into_iter().collect()
}

fn source<'a>(value: Value<'_, 'a>, faults: &mut Faults) -> Option<UvSource<'a>> {
    let at = values::at(value, faults);
    let mut kind = None;
    let (mut marker, mut extra, mut group) = (None, None, None);
    let (mut editable, mut package) = (None, None);
    let (mut reference, mut subdirectory) = (None, None);
    for entry in values::entries(value, faults) {
        let mut text = || values::text(entry, faults);
        match &*entry.key() {
            "workspace" => kind = values::boolean(entry, faults).map(UvSourceKind::Workspace),
            "git" => {
                kind = text().map(|url| {
                    UvSourceKind::Other(Source::Git {
                        url: url.value,
                        reference: None,
                        commit: None,
                        subdirectory: None,
                    })
                });
            }
            "url" => {
                kind = text().map(|url| {
                    UvSourceKind::Other(Source::Url {
                        url: url.value,
                        subdirectory: None,
                    })
                });
            }
            "path" => kind = text().map(|path| UvSourceKind::Other(Source::Path(path.value))),
            "index" => kind = text().map(|name| UvSourceKind::Other(Source::Registry(name.value))),
            "rev" => reference = text().map(|text| GitReference::Revision(text.value)),
            "tag" => reference = text().map(|text| GitReference::Tag(text.value)),
            "branch" => reference = text().map(|text| GitReference::Branch(text.value)),
            "subdirectory" => subdirectory = text().map(|text| text.value),
            "marker" => marker = text(),
            "extra" => extra = text(),
            "group" => group = text(),
            "editable" => editable = flag(entry, faults),
            "package" => package = flag(entry, faults),
            _ => {}
        }
    }
    if let Some(UvSourceKind::Other(source)) = &mut kind {
        complete(source, reference, subdirectory);
    }
    Some(UvSource {
        source: kind?,
        marker,
        extra,
        group,
        editable,
        package,
        at,
    })
}

fn complete<'a>(
    source: &mut Source<'a>,
    asked: Option<GitReference<'a>>,
    folder: Option<Text<'a>>,
) {
    match source {
        Source::Git {
            reference,
            subdirectory,
            ..
        } => (*reference, *subdirectory) = (asked, folder),
        Source::Url { subdirectory, .. } => *subdirectory = folder,
        _ => {}
    }
}

fn one_index<'a>(value: Value<'_, 'a>, faults: &mut Faults) -> Option<UvIndex<'a>> {
    let at: Location = values::at(value, faults);
    let is = |key: &str| value.get(key).and_then(Value::as_bool).unwrap_or(false);
    let (is_explicit, is_default) = (is("explicit"), is("default"));
    let is_flat = value
        .get("format")
        .and_then(Value::as_str)
        .is_some_and(|format| format == "flat");
    let url = value.get("url")?;
    Some(UvIndex {
        name: value
            .get("name")
            .and_then(|name| values::text(name, faults)),
        url: values::text(url, faults)?,
        is_explicit,
        is_default,
        is_flat,
        at,
    })
}
