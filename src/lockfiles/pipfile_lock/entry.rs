//! One package of a category.

use crate::lockfiles::document::Value;
use crate::lockfiles::fault::Faults;
use crate::lockfiles::values;
use crate::model::lockfile::{GitReference, Hash, Name, Package, Source, Text};
use crate::model::sources::Located;

/// Schemes of repositories.
const REPOSITORIES: &[&str] = &["git", "hg", "svn", "bzr"];

/// Reads `"six": {"hashes": ["sha256:…"], "index": "pypi", "markers": "…", "version": "==1.17.0"}`.
pub fn package<'a>(
    value: Value<'_, 'a>,
    category: &Located<Text<'a>>,
    faults: &mut Faults,
) -> Package<'a> {
    let name = Name::new(value.key(), values::key_at(value, faults));
    let at = values::key_at(value, faults);
    let mut package = Package::new(name, at);
    package.groups.push(category.clone());
    let (mut index, mut repository, mut reference) = (None, None, None);
    let (mut path, mut file, mut subdirectory) = (None, None, None);
    let mut is_editable = false;
    if value.as_str().is_none() {
        for entry in values::entries(value, faults) {
            match &*entry.key() {
                "version" => version(entry, &mut package, faults),
                "hashes" => {
                    for item in values::items(entry, faults) {
                        package.hashes.extend(hash(item, faults));
                    }
                }
                "index" => index = values::text(entry, faults),
                "markers" => package.marker = values::text(entry, faults),
                "extras" => package.extras = values::texts(entry, faults),
                "editable" => is_editable = values::boolean(entry, faults).unwrap_or_default(),
                "path" => path = values::text(entry, faults),
                "file" => file = values::text(entry, faults),
                "ref" => reference = values::text(entry, faults),
                "subdirectory" => subdirectory = values::text(entry, faults),
                key if REPOSITORIES.contains(&key) => repository = values::text(entry, faults),
                _ => {}
            }
        }
    } else {
        // The short form: `"six": "==1.17.0"`.
        version(value, &mut package, faults);
    }
    let subdirectory = subdirectory.map(|text| text.value);
    let source = if let Some(url) = repository {
        let reference = reference.map(|reference| reference.value);
        let is_commit = |text: &Text<'_>| {
            matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
        };
        let source = Source::Git {
            url: url.value,
            commit: reference.clone().filter(is_commit),
            reference: reference.map(GitReference::Revision),
            subdirectory,
        };
        Some(Located::new(source, url.at))
    } else if let Some(path) = path {
        let source = if is_editable {
            Source::Editable(path.value)
        } else {
            Source::Directory(path.value)
        };
        Some(Located::new(source, path.at))
    } else if let Some(file) = file {
        let source = if file.value.contains("://") {
            Source::Url {
                url: file.value,
                subdirectory,
            }
        } else {
            Source::Path(file.value)
        };
        Some(Located::new(source, file.at))
    } else {
        index.map(|index| Located::new(Source::Registry(index.value), index.at))
    };
    if let Some(source) = source {
        package.source = source;
    }
    package
}

/// `"==1.17.0"` is a pin; anything else leaves the version open.
fn version<'a>(value: Value<'_, 'a>, package: &mut Package<'a>, faults: &mut Faults) {
    let Some(text) = values::text(value, faults) else {
        return;
    };
    let start = if text.value.starts_with("===") { 3 } else { 2 };
    let rest = text.value.get(start..).unwrap_or_default();
    let is_pin = text.value.starts_with("==")
        && !rest.is_empty()
        && !rest.contains(|c: char| c == ',' || c == '*' || c.is_whitespace());
    if !is_pin {
        package.specifier = Some(text);
        return;
    }
    let at = values::part_at(value, &text.value, start..text.value.len(), faults);
    package.version = Some(Located::new(tail(text.value, start), at));
}

/// `"sha256:…"`.
fn hash<'a>(value: Value<'_, 'a>, faults: &mut Faults) -> Option<Hash<'a>> {
    let text = values::text(value, faults)?.value;
    let at = values::part_at(value, &text, 0..text.len(), faults);
    let colon = text.find(':');
    let algorithm = match (&text, colon) {
        (_, None) => Text::Borrowed(""),
        (Text::Borrowed(text), Some(colon)) => {
            Text::Borrowed(text.get(..colon).unwrap_or_default())
        }
        (Text::Owned(text), Some(colon)) => text.get(..colon).unwrap_or_default().to_owned().into(),
    };
    Some(Hash {
        algorithm,
        digest: tail(text, colon.map_or(0, |colon| colon + 1)),
        at,
    })
}

fn tail(text: Text<'_>, start: usize) -> Text<'_> {
    match text {
        Text::Borrowed(text) => Text::Borrowed(text.get(start..).unwrap_or_default()),
        Text::Owned(text) => Text::Owned(text.get(start..).unwrap_or_default().to_owned()),
    }
}
