//! One package as a digest, whatever the order in which its entry says things.

use std::borrow::Cow;
use std::collections::HashSet;

use crate::lockfiles::semantic::short;
use crate::model::cache_key::Pinned;
use crate::model::digest::{Pieces, Sha};
use crate::model::lockfile::{
    Edge, File, GitReference, Hash, Package, Requirement, Section, Source, Text, normalise,
};
use crate::model::sources::Located;

/// The digest of an entry, and the beginnings of those of its parts. `own` are the names of the project's own packages.
pub fn digest(package: &Package<'_>, own: &HashSet<&str>) -> (Pinned, Sha) {
    let source = source(&package.source.value);
    let hashes = files(package);
    let rest = rest(package, own);
    let version = package.version.as_ref().or(package.specifier.as_ref());
    let version = version.map(|version| version.value.as_ref());
    let mut whole = Pieces::default();
    whole
        .add(&*package.name.normal)
        .add_optional(version)
        .add(source)
        .add(hashes)
        .add(rest);
    let pinned = Pinned {
        name: package.name.normal.clone().into_owned(),
        version: version.unwrap_or_default().to_owned(),
        source: short(&source),
        hashes: short(&hashes),
        rest: short(&rest),
    };
    (pinned, whole.finish())
}

/// The digest of where something comes from.
pub fn source(source: &Source<'_>) -> Sha {
    let mut pieces = Pieces::default();
    pieces.add(source.kind());
    match source {
        Source::Unstated => {}
        Source::Registry(index) => {
            pieces.add(without_user(index).trim_end_matches('/'));
        }
        Source::Url { url, subdirectory } => {
            pieces.add(without_user(url).as_ref());
            pieces.add_optional(subdirectory.as_deref());
        }
        Source::Git {
            url,
            reference,
            commit,
            subdirectory,
        } => {
            pieces.add(without_user(url).as_ref());
            let reference = reference.as_ref().map(|reference| match reference {
                GitReference::Tag(name) => ("tag", name),
                GitReference::Branch(name) => ("branch", name),
                GitReference::Revision(name) => ("revision", name),
            });
            pieces.add_optional(reference.map(|(kind, _)| kind));
            pieces.add_optional(reference.map(|(_, name)| name.as_bytes()));
            pieces.add_optional(commit.as_deref());
            pieces.add_optional(subdirectory.as_deref());
        }
        Source::Path(path)
        | Source::Directory(path)
        | Source::Editable(path)
        | Source::Virtual(path) => {
            pieces.add(path.as_ref());
        }
    }
    pieces.finish()
}

/// Who asks for something is no part of what it is.
pub fn without_user(url: &str) -> Cow<'_, str> {
    if memchr::memchr(b'@', url.as_bytes()).is_none() {
        return Cow::Borrowed(url);
    }
    let Some((scheme, rest)) = url.split_once("://") else {
        return Cow::Borrowed(url);
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(end).unwrap_or((rest, ""));
    match authority.rsplit_once('@') {
        Some((_, host)) => Cow::Owned(format!("{scheme}://{host}{path}")),
        None => Cow::Borrowed(url),
    }
}

/// The files and the hashes, each in an order of its own; neither sizes nor times.
fn files(package: &Package<'_>) -> Sha {
    let files = package.files.iter();
    let mut files: Vec<(&File<'_>, Option<Cow<'_, str>>)> =
        files.map(|file| (file, address(file))).collect();
    files.sort_unstable_by(|(left, left_address), (right, right_address)| {
        let names = left.name.cmp(&right.name);
        names
            .then_with(|| left_address.cmp(right_address))
            .then_with(|| digests(&left.hashes).cmp(&digests(&right.hashes)))
    });
    let mut pieces = Pieces::default();
    pieces.add_count(files.len());
    for (file, address) in files {
        pieces.add_optional(address.as_deref());
        // Where the address ends with it, it says nothing more.
        let named = address.is_some_and(|url| url.ends_with(&*file.name));
        pieces.add(if named { "" } else { &*file.name });
        add_hashes(&file.hashes, &mut pieces);
    }
    add_hashes(&package.hashes, &mut pieces);
    pieces.finish()
}

/// The address without what is different each time that it is asked for: users and signatures.
fn address<'f>(file: &'f File<'_>) -> Option<Cow<'f, str>> {
    let url = file.url.as_ref()?.value.as_ref();
    let end = if file.hashes.is_empty() {
        url.len()
    } else {
        memchr::memchr2(b'?', b'#', url.as_bytes()).unwrap_or(url.len())
    };
    Some(without_user(url.get(..end).unwrap_or(url)))
}

fn digests(hashes: &[Hash<'_>]) -> Vec<(String, String)> {
    let mut all: Vec<_> = hashes
        .iter()
        .map(|hash| {
            (
                hash.algorithm.to_ascii_lowercase(),
                hash.digest.to_ascii_lowercase(),
            )
        })
        .collect();
    all.sort_unstable();
    all.dedup();
    all
}

fn add_hashes(hashes: &[Hash<'_>], pieces: &mut Pieces) {
    // Without an early end, which would look at the letters one by one.
    let is_lower = |text: &str| {
        !text
            .bytes()
            .fold(false, |found, byte| found | byte.is_ascii_uppercase())
    };
    if let [hash] = hashes
        && is_lower(&hash.algorithm)
        && is_lower(&hash.digest)
    {
        // As nearly all are.
        pieces.add_count(1);
        pieces
            .add(hash.algorithm.as_ref())
            .add(hash.digest.as_ref());
        return;
    }
    let all = digests(hashes);
    pieces.add_count(all.len());
    for (algorithm, digest) in all {
        pieces.add(algorithm).add(digest);
    }
}

/// Where it is installed, for whom, and what it brings.
fn rest(package: &Package<'_>, own: &HashSet<&str>) -> Sha {
    let mut pieces = Pieces::default();
    pieces.add_optional(optional_marker(package.marker.as_ref()));
    pieces.add_optional(
        package
            .requires_python
            .as_ref()
            .map(|text| text.value.as_ref()),
    );
    pieces.add([u8::from(package.is_optional)]);
    let names = |texts: &[Located<Text<'_>>]| {
        let names = texts.iter();
        sorted(names.map(|text| normalise(&text.value).into_owned().into_bytes()))
    };
    pieces.add_list(names(&package.extras).iter());
    pieces.add_list(names(&package.groups).iter());
    let markers = package.group_markers.iter().map(|(group, marker)| {
        let mut pieces = Pieces::default();
        pieces.add(group.as_ref()).add(self::marker(&marker.value));
        pieces.finish().to_vec()
    });
    pieces.add_list(sorted(markers).iter());
    let forks = package.resolution_markers.iter();
    let forks = forks.map(|text| marker(&text.value).into_bytes());
    pieces.add_list(sorted(forks).iter());
    let edges = package
        .dependencies
        .iter()
        .map(|one| edge(one, own).to_vec());
    pieces.add_list(sorted(edges).iter());
    pieces.finish()
}

/// What is needed, where, and with what.
pub fn edge(edge: &Edge<'_>, own: &HashSet<&str>) -> Sha {
    let mut pieces = Pieces::default();
    match &edge.section {
        Section::Dependencies => pieces.add(""),
        Section::Extra(extra) => pieces.add("extra").add(extra.as_ref()),
        Section::Group(group) => pieces.add("group").add(group.as_ref()),
    };
    pieces.add(&*edge.name.normal);
    let is_own = own.contains(&*edge.name.normal);
    // The version of the project's own packages is nobody's.
    let text = |text: &Option<Located<Text<'_>>>| {
        let text = text.as_ref().filter(|_| !is_own)?;
        Some(text.value.as_ref().to_owned())
    };
    pieces.add_optional(text(&edge.version));
    pieces.add_optional(text(&edge.specifier));
    pieces.add_optional(edge.source.as_ref().map(|text| source(&text.value)));
    add_wish(&edge.extras, edge.marker.as_ref(), &mut pieces);
    pieces.add([u8::from(edge.is_optional)]);
    pieces.finish()
}

/// A requirement that the lock records: the versions that would have done are not what was chosen.
pub fn requirement(requirement: &Requirement<'_>) -> Sha {
    let mut pieces = Pieces::default();
    pieces.add(&*requirement.name.normal);
    pieces.add_optional(requirement.source.as_ref().map(|text| source(&text.value)));
    add_wish(
        &requirement.extras,
        requirement.marker.as_ref(),
        &mut pieces,
    );
    pieces.finish()
}

fn add_wish(extras: &[Located<Text<'_>>], marker: Option<&Located<Text<'_>>>, pieces: &mut Pieces) {
    let extras = extras.iter();
    let extras = sorted(extras.map(|text| normalise(&text.value).into_owned().into_bytes()));
    pieces.add_list(extras.iter());
    pieces.add_optional(optional_marker(marker));
}

fn optional_marker(marker: Option<&Located<Text<'_>>>) -> Option<String> {
    marker.map(|text| self::marker(&text.value))
}

/// A marker whatever its blanks and quotes: `python_version<'3.11'` is `python_version < "3.11"`.
fn marker(text: &str) -> String {
    let mut normal = String::with_capacity(text.len());
    let mut quote = None;
    let mut was_word = false;
    for character in text.chars() {
        match (character, quote) {
            ('"' | '\'', None) => {
                quote = Some(character);
                if normal.ends_with(' ') {
                    normal.pop();
                }
                normal.push('"');
                was_word = false;
            }
            (close, Some(open)) if close == open => {
                quote = None;
                normal.push('"');
            }
            (inner, Some(_)) => normal.push(inner),
            (blank, None) if blank.is_whitespace() => {
                // Between two words one blank is needed, elsewhere none.
                if was_word {
                    normal.push(' ');
                }
                was_word = false;
            }
            (other, None) => {
                let is_word = other.is_alphanumeric() || other == '_';
                if !is_word && normal.ends_with(' ') {
                    normal.pop();
                }
                normal.push(other);
                was_word = is_word;
            }
        }
    }
    let end = normal.trim_end().len();
    normal.truncate(end);
    normal
}

/// In an order of its own, each once.
pub fn sorted(items: impl Iterator<Item = Vec<u8>>) -> Vec<Vec<u8>> {
    let mut items: Vec<Vec<u8>> = items.collect();
    items.sort_unstable();
    items.dedup();
    items
}
