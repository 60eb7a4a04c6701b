//! Where a package of uv comes from: `source = { git = "https://…?rev=main#<commit>" }`.

use crate::lockfiles::document::Value;
use crate::lockfiles::fault::{FaultKind, Faults};
use crate::lockfiles::values;
use crate::model::lockfile::{GitReference, Source, Text};
use crate::model::sources::Located;

/// Reads the value of `source`.
pub fn source<'a>(value: Value<'_, 'a>, faults: &mut Faults) -> Option<Located<Source<'a>>> {
    let at = values::at(value, faults);
    let mut found = None;
    let mut subdirectory = None;
    for entry in values::entries(value, faults) {
        match &*entry.key() {
            "subdirectory" => {
                subdirectory = values::text(entry, faults).map(|text| text.value);
            }
            key => found = of_key(key, entry, faults).or(found),
        }
    }
    if let (
        Some(Source::Url {
            subdirectory: its, ..
        }),
        Some(folder),
    ) = (&mut found, subdirectory)
    {
        *its = Some(folder);
    }
    if found.is_none() {
        faults.add(
            FaultKind::Syntax,
            at,
            "`source` names none of registry, git, url, path, directory, editable and virtual",
        );
    }
    found.map(|source| Located::new(source, at))
}

/// The source that a key and its value name; `None` for keys that name none. `index` is the key of recorded
/// requirements.
pub fn of_key<'a>(key: &str, value: Value<'_, 'a>, faults: &mut Faults) -> Option<Source<'a>> {
    let is_source = matches!(
        key,
        "registry" | "index" | "git" | "url" | "path" | "directory" | "editable" | "virtual"
    );
    if !is_source {
        return None;
    }
    let text = values::text(value, faults)?.value;
    Some(match key {
        "git" => git(text),
        "url" => Source::Url {
            url: text,
            subdirectory: None,
        },
        "path" => Source::Path(text),
        "directory" => Source::Directory(text),
        "editable" => Source::Editable(text),
        "virtual" => Source::Virtual(text),
        _ => Source::Registry(text),
    })
}

/// `https://host/repository?rev=main&subdirectory=a#commit`.
fn git(text: Text<'_>) -> Source<'_> {
    match text {
        Text::Borrowed(text) => git_of(text, |part| values::percent_decode(part)),
        // Written with escapes, which no uv does: taken as it is.
        Text::Owned(url) => Source::Git {
            url: Text::Owned(url),
            reference: None,
            commit: None,
            subdirectory: None,
        },
    }
}

fn git_of<'a>(text: &'a str, decode: impl Fn(&'a str) -> Text<'a>) -> Source<'a> {
    let (address, commit) = match text.split_once('#') {
        Some((address, commit)) => (address, Some(Text::Borrowed(commit))),
        None => (text, None),
    };
    let (url, query) = address.split_once('?').unwrap_or((address, ""));
    let mut reference = None;
    let mut subdirectory = None;
    for pair in query.split('&') {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = decode(value);
        match key {
            "rev" => reference = Some(GitReference::Revision(value)),
            "tag" => reference = Some(GitReference::Tag(value)),
            "branch" => reference = Some(GitReference::Branch(value)),
            "subdirectory" => subdirectory = Some(value),
            _ => {}
        }
    }
    Source::Git {
        url: Text::Borrowed(url),
        reference,
        commit,
        subdirectory,
    }
}
