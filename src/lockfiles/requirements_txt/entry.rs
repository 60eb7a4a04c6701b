//! One requirement: a specifier, a URL, a repository, a path; editable or not.
//!
//! pip looks at the disk to tell a path from a name. Here the text alone decides, as pip does for what is not there.

use std::ops::Range;

use crate::lockfiles::requirement::{Specifiers, Version, split};
use crate::lockfiles::requirements_txt::lines::{Line, is_space, trimmed};
use crate::lockfiles::requirements_txt::options::Wrong;
use crate::lockfiles::values;
use crate::model::lockfile::{GitReference, Hash, Name, Package, Source, Text};
use crate::model::sources::Located;

/// Beginnings of addresses of repositories.
const REPOSITORIES: &[&str] = &["git+", "hg+", "svn+", "bzr+"];

/// Endings of archives.
const ARCHIVES: &[&str] = &[
    ".whl",
    ".zip",
    ".tar.gz",
    ".tgz",
    ".tar",
    ".tar.bz2",
    ".tbz",
    ".tar.xz",
    ".txz",
    ".tlz",
    ".tar.lz",
    ".tar.lzma",
];

/// Reads a requirement that is not editable.
pub fn requirement<'a>(line: &Line<'a>, range: Range<usize>) -> Result<Package<'a>, Wrong> {
    let whole = line.text(range.clone());
    let separator = if is_address(whole) { "; " } else { ";" };
    let (end, marker) = match whole.find(separator) {
        Some(at) => {
            let marker = range.start + at + separator.len()..range.end;
            (
                range.start + at,
                Some(trimmed(line.text(0..range.end), marker)),
            )
        }
        None => (range.end, None),
    };
    let head = trimmed(line.text(0..range.end), range.start..end);
    let text = line.text(head.clone());
    let mut package = if is_address(text) {
        address(line, &head, line.at(&range), false)?
    } else if is_path(text) {
        path(line, &head, &range)
    } else {
        named(line, &head, &range)?
    };
    package.marker = marker
        .filter(|marker| !marker.is_empty())
        .map(|marker| line.piece(marker));
    Ok(package)
}

/// Reads what stands behind `-e`.
pub fn editable<'a>(line: &Line<'a>, range: Range<usize>) -> Result<Package<'a>, Wrong> {
    let text = line.text(range.clone());
    if is_address(text) || text.starts_with("git:") {
        return address(line, &range, line.at(&range), true);
    }
    let (folder, extras) = without_extras(line, &range);
    let at = line.at(&range);
    let folder = line.piece(folder);
    let mut package = Package::new(Name::new(folder.value.clone(), folder.at), at);
    package.source = Located::new(Source::Editable(folder.value), folder.at);
    package.extras = extras.into_iter().map(|extra| line.piece(extra)).collect();
    Ok(package)
}

/// `name[extra]==1.0`, `name @ https://…`.
fn named<'a>(
    line: &Line<'a>,
    head: &Range<usize>,
    whole: &Range<usize>,
) -> Result<Package<'a>, Wrong> {
    let text = line.text(head.clone());
    let inside = |part: Range<usize>| head.start + part.start..head.start + part.end;
    let parts = split(text).map_err(|wrong| {
        let at = head.start + wrong.at.min(text.len());
        let is_single =
            text.contains('=') && !text.contains(['<', '>', '~', '!']) && !text.contains("==");
        let hint = if is_single {
            "; did you mean `==`?"
        } else {
            ""
        };
        Wrong {
            at: at..head.end.max(at),
            message: format!("{}{hint}", wrong.message),
        }
    })?;
    let name = line.piece(inside(parts.name));
    let at = line.at(whole);
    let mut package = Package::new(Name::new(name.value, name.at), at);
    package.extras = parts
        .extras
        .into_iter()
        .map(|extra| line.piece(inside(extra)))
        .collect();
    if let Some(url) = parts.url {
        let url = inside(url);
        if line.text(url.clone()).contains(is_space) {
            return Err(Wrong {
                at: url,
                message: "a blank ends an address; behind it only ` ; marker` may stand".to_owned(),
            });
        }
        let mut direct = address(line, &url, at, false)?;
        package.source = direct.source;
        package.hashes.append(&mut direct.hashes);
        package.version = direct.version;
    } else if let Some(specifier) = parts.specifier {
        let range = inside(specifier);
        let text = line.text(range.clone());
        if let Some(version) = pin(text.trim_end_matches(',')) {
            package.version =
                Some(line.piece(range.start + version.start..range.start + version.end));
        } else if Specifiers::parse(text.trim_end_matches(',')).is_some() || is_arbitrary(text) {
            package.specifier = Some(line.piece(range));
        } else {
            return Err(Wrong {
                at: range.clone(),
                message: format!("`{}` is no specifier of versions", line.text(range)),
            });
        }
    }
    Ok(package)
}

/// Whether it ends with `===` and anything without a blank: to pip a comma ends nothing there.
fn is_arbitrary(specifier: &str) -> bool {
    let Some((before, anything)) = specifier.split_once("===") else {
        return false;
    };
    let others = before.trim_end();
    let is_own = match others.strip_suffix(',') {
        Some(others) => Specifiers::parse(others).is_some(),
        None => others.is_empty(),
    };
    is_own && !anything.trim_start().contains(is_space)
}

/// Where the version stands in `==1.0` or `===1.0`; none in anything else.
fn pin(specifier: &str) -> Option<Range<usize>> {
    let is_arbitrary = specifier.starts_with("===");
    let length = if is_arbitrary { 3 } else { 2 };
    let version = specifier
        .starts_with("==")
        .then(|| trimmed(specifier, length..specifier.len()))?;
    let text = specifier.get(version.clone())?;
    let is_one = !text.is_empty() && !text.contains(|c: char| c == ',' || c.is_whitespace());
    (is_one && (is_arbitrary || Version::parse(text).is_some())).then_some(version)
}

/// An archive or a repository by its address.
fn address<'a>(
    line: &Line<'a>,
    range: &Range<usize>,
    at: crate::model::sources::Location,
    is_editable: bool,
) -> Result<Package<'a>, Wrong> {
    let (range, extras) = without_extras(line, range);
    let text = line.text(range.clone()).to_owned();
    let (address, fragment) = text.split_once('#').unwrap_or((&text, ""));
    let base = range.start + address.len() + 1;
    let mut named = None;
    let mut hashes = Vec::new();
    let mut subdirectory = None;
    let mut offset = base;
    for pair in fragment.split('&') {
        if let Some((key, value)) = pair.split_once('=') {
            let start = offset + key.len() + 1;
            let piece = line.piece(start..start + value.len());
            match key {
                "egg" if is_egg(value) => named = Some(piece),
                "egg" => {
                    return Err(Wrong {
                        at: start..start + value.len(),
                        message: format!("`{value}` is no name, with or without extras"),
                    });
                }
                "subdirectory" => subdirectory = Some(piece.value),
                "sha1" | "sha224" | "sha256" | "sha384" | "sha512" | "md5" => hashes.push(Hash {
                    algorithm: line.piece(offset..offset + key.len()).value,
                    digest: piece.value,
                    at: line.at(&(offset..start + value.len())),
                }),
                _ => {}
            }
        }
        offset += pair.len() + 1;
    }
    let place = range.start..range.start + address.len();
    let url = line.piece(place.clone());
    let mut version = None;
    let name = match named {
        // `egg=name[extra]`
        Some(egg) => {
            let end = egg.value.find('[').unwrap_or(egg.value.len());
            Name::new(cut(&egg.value, 0..end), egg.at)
        }
        None => match wheel(&values::file_name(&url.value)) {
            Some((name, of_wheel)) => {
                version = Some(Located::new(Text::Owned(of_wheel), url.at));
                Name::new(Text::Owned(name), url.at)
            }
            None => Name::new(url.value.clone(), url.at),
        },
    };
    let mut package = Package::new(name, at);
    package.version = version;
    package.hashes = hashes;
    package.extras = extras.into_iter().map(|extra| line.piece(extra)).collect();
    let source = source(line, &place, &url.value, subdirectory, is_editable);
    package.source = Located::new(source, url.at);
    Ok(package)
}

/// Whether the text behind `egg=` is a name, with extras or without.
fn is_egg(text: &str) -> bool {
    split(text).is_ok_and(|parts| {
        parts.specifier.is_none() && parts.url.is_none() && parts.marker.is_none()
    })
}

fn source<'a>(
    line: &Line<'a>,
    place: &Range<usize>,
    url: &Text<'a>,
    subdirectory: Option<Text<'a>>,
    is_editable: bool,
) -> Source<'a> {
    if let Some(file) = url.strip_prefix("file:") {
        return if is_editable || !is_archive(file) {
            Source::Directory(url.clone())
        } else {
            Source::Path(url.clone())
        };
    }
    let is_repository = REPOSITORIES.iter().any(|start| url.starts_with(start));
    if !is_repository && !url.starts_with("git:") {
        return Source::Url {
            url: url.clone(),
            subdirectory,
        };
    }
    // `git+https://user@host/x@ref`: the last `@` behind the host.
    let start = url.find('+').map_or(0, |plus| plus + 1);
    let host = url.find("://").map_or(0, |at| at + 3);
    let path = url
        .get(host..)
        .and_then(|rest| rest.find('/'))
        .map_or(url.len(), |slash| host + slash);
    let reference = url
        .get(path..)
        .and_then(|rest| rest.rfind('@'))
        .map(|at| path + at);
    let piece = |range: Range<usize>| {
        line.piece(place.start + range.start..place.start + range.end)
            .value
    };
    let asked = reference.map(|at| piece(at + 1..url.len()));
    let is_commit = |text: &Text<'_>| {
        matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    Source::Git {
        url: piece(start..reference.unwrap_or(url.len())),
        commit: asked.clone().filter(is_commit),
        reference: asked.map(GitReference::Revision),
        subdirectory,
    }
}

/// An archive or a folder on this machine.
fn path<'a>(line: &Line<'a>, head: &Range<usize>, whole: &Range<usize>) -> Package<'a> {
    let (place, extras) = without_extras(line, head);
    let path = line.piece(place);
    let mut version = None;
    // No address: `#` and `%` stand for themselves.
    let file = path.value.rsplit('/').next().unwrap_or_default();
    let name = match wheel(file) {
        Some((name, of_wheel)) => {
            version = Some(Located::new(Text::Owned(of_wheel), path.at));
            Text::Owned(name)
        }
        None => path.value.clone(),
    };
    let mut package = Package::new(Name::new(name, path.at), line.at(whole));
    package.version = version;
    package.extras = extras.into_iter().map(|extra| line.piece(extra)).collect();
    let source = if is_archive(&path.value) {
        Source::Path(path.value)
    } else {
        Source::Directory(path.value)
    };
    package.source = Located::new(source, path.at);
    package
}

/// `./folder[extra,other]`: the folder, and the extras.
fn without_extras(line: &Line<'_>, range: &Range<usize>) -> (Range<usize>, Vec<Range<usize>>) {
    let text = line.text(range.clone());
    let open = text.strip_suffix(']').and_then(|inner| inner.rfind('['));
    let Some(open) = open.filter(|open| *open > 0) else {
        return (range.clone(), Vec::new());
    };
    let mut start = range.start + open + 1;
    let mut extras = Vec::new();
    for extra in line.text(start..range.end - 1).split(',') {
        let place = trimmed(line.text(0..range.end), start..start + extra.len());
        if !place.is_empty() {
            extras.push(place);
        }
        start += extra.len() + 1;
    }
    (range.start..range.start + open, extras)
}

/// Name and version of a wheel by its file name.
fn wheel(file: &str) -> Option<(String, String)> {
    let parts: Vec<&str> = file.strip_suffix(".whl")?.split('-').collect();
    match parts.as_slice() {
        [name, version, _, _, _] | [name, version, _, _, _, _] => {
            Some(((*name).to_owned(), (*version).to_owned()))
        }
        _ => None,
    }
}

/// Whether it begins with a scheme that pip fetches from.
fn is_address(text: &str) -> bool {
    let lower = text
        .get(..10.min(text.len()))
        .unwrap_or_default()
        .to_ascii_lowercase();
    ["http:", "https:", "file:", "ftp:"]
        .iter()
        .chain(REPOSITORIES)
        .any(|start| lower.starts_with(start))
}

fn is_archive(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    ARCHIVES.iter().any(|ending| lower.ends_with(ending))
}

/// Whether a requirement is a path: by a separator, a dot at the start, or the ending of an archive; `name @ …` is none.
fn is_path(text: &str) -> bool {
    let looks = |text: &str| text.contains('/') || text.starts_with('.');
    let is_direct = text
        .split_once('@')
        .is_some_and(|(before, _)| !before.is_empty() && !looks(before));
    let folder = text.split('[').next().unwrap_or_default();
    // A name with a slash behind a blank or a specifier is a mistake, and no folder.
    let is_broken = text.contains('\t')
        || (!text.starts_with(['.', '/']) && text.contains([' ', '=', '<', '>']));
    !is_direct && (is_archive(text) || is_archive(folder) || (looks(text) && !is_broken))
}

fn cut<'a>(text: &Text<'a>, range: Range<usize>) -> Text<'a> {
    match text {
        Text::Borrowed(text) => Text::Borrowed(text.get(range).unwrap_or_default()),
        Text::Owned(text) => Text::Owned(text.get(range).unwrap_or_default().to_owned()),
    }
}
