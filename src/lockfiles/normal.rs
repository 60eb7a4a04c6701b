//! Requirements in the form in which uv compares them: names normalised, specifiers as a set, markers by what they mean,
//! sources without credentials, paths relative to the lock.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::lockfiles::marker::{Agreement, Marker, Pythons, agree};
use crate::lockfiles::normalise_name;
use crate::lockfiles::requirement::Specifiers;
use crate::lockfiles::values;
use crate::model::lockfile::{FileKind, GitReference, Requirement, Source};
use crate::model::sources::Location;

/// Where a requirement is taken from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Any index.
    Any,
    /// This index.
    Index(String),
    /// A repository, what is asked for of it, and the folder in it.
    Git(String, Option<(&'static str, String)>, Option<String>),
    /// An archive at a URL, and the folder in it.
    Url(String, Option<String>),
    /// An archive on this machine.
    Archive(String),
    /// A folder, and how it is installed.
    Folder(String, Install),
}

/// How a folder is installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Install {
    /// In place.
    Editable,
    /// As a package.
    Package,
    /// Not at all, only what it needs.
    Virtual,
}

/// A requirement in the normal form.
#[derive(Clone, Debug)]
pub struct Normal {
    /// The normalised name.
    pub name: String,
    /// The normalised extras.
    pub extras: BTreeSet<String>,
    /// As written; none for any version.
    pub specifier: Option<String>,
    /// Where it counts; `None` where the marker cannot be read.
    pub marker: Option<Marker>,
    /// From where.
    pub origin: Origin,
    /// The whole of it, for people.
    pub shown: String,
    /// Where it stands.
    pub at: Location,
}

impl Normal {
    /// The normal form of a requirement with its own marker, from an origin.
    pub fn new(requirement: &Requirement<'_>, origin: Origin) -> Self {
        let marker = match &requirement.marker {
            Some(marker) => Marker::parse(&marker.value),
            None => Some(Marker::TRUE),
        };
        let is_versioned = matches!(origin, Origin::Any | Origin::Index(_));
        Self {
            name: requirement.name.normal.clone().into_owned(),
            extras: requirement
                .extras
                .iter()
                .map(|extra| normalise_name(&extra.value))
                .collect(),
            specifier: requirement
                .specifier
                .as_ref()
                .filter(|_| is_versioned)
                .map(|specifier| specifier.value.clone().into_owned()),
            marker,
            origin,
            shown: show(requirement),
            at: requirement.at,
        }
    }

    /// A requirement that a lock recorded.
    pub fn recorded(requirement: &Requirement<'_>) -> Self {
        let origin = requirement
            .source
            .as_ref()
            .map_or(Origin::Any, |source| of_source(&source.value));
        Self::new(requirement, origin)
    }

    /// The same, only where this holds too.
    #[must_use]
    pub fn only(mut self, marker: Marker) -> Self {
        self.marker = self.marker.map(|own| own.and(marker));
        self
    }

    /// Whether it is the same requirement on these Pythons.
    pub fn agree(&self, other: &Self, pythons: &Pythons) -> Agreement {
        let is_same = self.name == other.name
            && self.extras == other.extras
            && same_origin(&self.origin, &other.origin)
            && same_specifiers(self.specifier.as_deref(), other.specifier.as_deref());
        if !is_same {
            return Agreement::Different;
        }
        match (&self.marker, &other.marker) {
            (Some(own), Some(other)) => agree(own, other, pythons),
            _ => Agreement::Unknown,
        }
    }
}

fn same_origin(left: &Origin, right: &Origin) -> bool {
    match (left, right) {
        (Origin::Index(left), Origin::Index(right)) => same_index(left, right),
        _ => left == right,
    }
}

fn same_specifiers(left: Option<&str>, right: Option<&str>) -> bool {
    let read = |text: Option<&str>| Specifiers::parse(text.unwrap_or_default());
    match (read(left), read(right)) {
        (Some(left), Some(right)) => left.is_same(&right),
        _ => left == right,
    }
}

/// `name[extra]>=1; marker`.
fn show(requirement: &Requirement<'_>) -> String {
    let mut shown = requirement.name.normal.clone().into_owned();
    if !requirement.extras.is_empty() {
        let extras: Vec<&str> = requirement
            .extras
            .iter()
            .map(|extra| &*extra.value)
            .collect();
        shown = format!("{shown}[{}]", extras.join(","));
    }
    if let Some(specifier) = &requirement.specifier {
        shown.push_str(&specifier.value);
    }
    if let Some(marker) = &requirement.marker {
        shown = format!("{shown}; {}", marker.value);
    }
    shown
}

/// The origin that a source of a lock is.
pub fn of_source(source: &Source<'_>) -> Origin {
    match source {
        Source::Unstated => Origin::Any,
        Source::Registry(url) => Origin::Index(index(url)),
        Source::Url { url, subdirectory } => Origin::Url(
            anonymous(plain(url)),
            subdirectory.as_deref().map(str::to_owned),
        ),
        Source::Git {
            url,
            reference,
            subdirectory,
            ..
        } => Origin::Git(
            anonymous(plain(url)),
            reference.as_ref().map(asked),
            subdirectory.as_deref().map(str::to_owned),
        ),
        Source::Path(path) => Origin::Archive(clean(path)),
        Source::Directory(path) => Origin::Folder(clean(path), Install::Package),
        Source::Editable(path) => Origin::Folder(clean(path), Install::Editable),
        Source::Virtual(path) => Origin::Folder(clean(path), Install::Virtual),
    }
}

fn asked(reference: &GitReference<'_>) -> (&'static str, String) {
    match reference {
        GitReference::Tag(tag) => ("tag", tag.clone().into_owned()),
        GitReference::Branch(branch) => ("branch", branch.clone().into_owned()),
        GitReference::Revision(revision) => ("rev", revision.clone().into_owned()),
    }
}

/// A URL without user and password.
fn anonymous(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let end = rest.find('/').unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(end).unwrap_or((rest, ""));
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    format!("{scheme}://{host}{path}")
}

/// A URL without its fragment.
fn plain(url: &str) -> &str {
    url.split_once('#').map_or(url, |(url, _)| url)
}

/// The address of an index without user and password.
pub fn index(url: &str) -> String {
    if !is_url(url) {
        return clean(url);
    }
    let plain = anonymous(url);
    let start = plain.find("://").map_or(0, |at| at + 3);
    let end = plain.get(start..).and_then(|rest| rest.find('/'));
    let (host, path) = plain
        .split_at_checked(end.map_or(plain.len(), |end| start + end))
        .unwrap_or((&plain, ""));
    format!("{}{path}", host.to_ascii_lowercase())
}

/// Whether a text is a URL and no path.
pub fn is_url(text: &str) -> bool {
    text.contains("://")
}

/// Whether two indexes are the same, with a slash at the end or without. uv records a declared folder as an absolute
/// `file:` URL.
pub fn same_index(left: &str, right: &str) -> bool {
    let is_behind = |url: &str, path: &str| {
        let folder = path.trim_start_matches("../");
        url.starts_with("file://") && !is_url(path) && url.ends_with(&format!("/{folder}"))
    };
    left.trim_end_matches('/') == right.trim_end_matches('/')
        || is_behind(left, right)
        || is_behind(right, left)
}

/// Whether two indexes are URLs of which one ends with a slash.
pub fn differ_in_slash(left: &str, right: &str) -> bool {
    is_url(left) && is_url(right) && left.ends_with('/') != right.ends_with('/')
}

/// A path without `.`, `..` where it can go, doubled slashes and a slash at its end; `.` for the folder itself.
pub fn clean(path: &str) -> String {
    let path: Cow<'_, str> = if path.contains('\\') {
        Cow::Owned(path.replace('\\', "/"))
    } else {
        Cow::Borrowed(path)
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    match (path.starts_with('/'), joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    }
}

/// A path that is written in a folder, from where the folder's own path begins.
pub fn join(folder: &str, path: &str) -> String {
    if path.starts_with('/') || folder.is_empty() {
        return clean(path);
    }
    clean(&format!("{folder}/{path}"))
}

/// The path of a folder relative to another one; both from the same root.
pub fn relative(folder: &str, from: &str) -> String {
    let parts = |path: &str| -> Vec<String> {
        let path = clean(path);
        let parts = path.split('/').filter(|part| *part != ".");
        parts.map(str::to_owned).collect()
    };
    let (folder, from) = (parts(folder), parts(from));
    let shared = folder
        .iter()
        .zip(&from)
        .take_while(|(left, right)| left == right)
        .count();
    let mut path = vec![".."; from.len() - shared];
    path.extend(folder.iter().skip(shared).map(String::as_str));
    clean(&path.join("/"))
}

/// The origin of an address in a requirement: `name @ git+https://…`. `None` for what cannot be known from the text.
pub fn of_address(address: &str) -> Option<Origin> {
    let (url, fragment) = address.split_once('#').unwrap_or((address, ""));
    let subdirectory = fragment
        .split('&')
        .find_map(|pair| pair.strip_prefix("subdirectory="))
        .map(str::to_owned);
    if let Some(repository) = url.strip_prefix("git+") {
        let slash = repository.rfind('/').unwrap_or(0);
        let (start, last) = repository.split_at_checked(slash)?;
        let (name, revision) = match last.split_once('@') {
            Some((name, revision)) => (name, Some(("rev", revision.to_owned()))),
            None => (last, None),
        };
        return Some(Origin::Git(
            anonymous(&format!("{start}{name}")),
            revision,
            subdirectory,
        ));
    }
    if let Some(path) = url
        .strip_prefix("file://")
        .filter(|path| path.starts_with('/'))
    {
        let path = values::percent_decode(path);
        if path.contains("${") || path.contains('\0') {
            return None;
        }
        return Some(match FileKind::of_name(path.rsplit('/').next()?) {
            FileKind::Other => Origin::Folder(clean(&path), Install::Package),
            _ => Origin::Archive(clean(&path)),
        });
    }
    let is_remote = url.starts_with("https://") || url.starts_with("http://");
    (is_remote && !url.contains('@')).then(|| Origin::Url(url.to_owned(), subdirectory))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cleaned_and_made_relative() {
        for (path, expected) in [
            (".", "."),
            ("./a//b/", "a/b"),
            ("a/../b", "b"),
            ("../../a", "../../a"),
            ("/a/./b", "/a/b"),
            ("a\\b", "a/b"),
        ] {
            assert_eq!(clean(path), expected);
        }
        assert_eq!(join("packages/a", "../b"), "packages/b");
        assert_eq!(join("", "./b"), "b");
        assert_eq!(relative("x/packages/a", "x"), "packages/a");
        assert_eq!(relative("x", "x"), ".");
        assert_eq!(relative("", "x"), "..");
    }

    #[test]
    fn indexes_and_addresses_are_compared_without_what_does_not_count() {
        assert_eq!(
            index("HTTPS://me:pass@Host.example/simple/"),
            "https://host.example/simple/"
        );
        assert!(same_index("https://h.example/a", "https://h.example/a/"));
        assert!(same_index("file:///home/me/app/wheels", "wheels"));
        assert!(same_index("file:///home/me/wheels", "../wheels"));
        assert!(!same_index("file:///home/me/wheels", "other"));
        assert_eq!(
            of_address("git+https://h.example/x@v1#subdirectory=py"),
            Some(Origin::Git(
                "https://h.example/x".into(),
                Some(("rev", "v1".into())),
                Some("py".into())
            ))
        );
        assert_eq!(
            of_address("file:///a/b%20c/x-1.0-py3-none-any.whl"),
            Some(Origin::Archive("/a/b c/x-1.0-py3-none-any.whl".into()))
        );
        assert_eq!(
            of_address("file:///a/./x"),
            Some(Origin::Folder("/a/x".into(), Install::Package))
        );
        assert_eq!(of_address("file:///${PROJECT_ROOT}/x"), None);
        assert_eq!(of_address("file:relative/x"), None);
    }
}
