//! What an index has of a project, by its simple API.

use std::time::{Duration, SystemTime};

use crate::error::{Error, Result};
use crate::lockfiles::filename::{WheelName, sdist_stem, sdist_version};
use crate::lockfiles::normalise_name;
pub(super) use crate::lockfiles::published::Page;
use crate::lockfiles::published::{ACCEPT, PublishedFile, read};
use crate::lockfiles::requirement::Version;
use crate::lockfiles::time::moment;
use crate::model::untrusted;
use crate::system::http::{Http, Request};

/// What an index has of a file's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Nothing.
    Nothing,
    /// The same bytes.
    Same,
    /// Other bytes, with this SHA-256.
    Other(String),
    /// A file of which it does not say what is in it.
    Unknown,
}

/// The page of a project as it is now, past all caches.
pub(super) async fn page(http: &Http, simple: &str, name: &str) -> Result<Page> {
    let url = format!("{simple}{}/", normalise_name(name));
    let request = Request {
        url: &url,
        accept: ACCEPT,
        etag: None,
    };
    let answer = http.get_fresh(request).await?;
    let missing = Page {
        is_missing: true,
        ..Page::default()
    };
    match answer.status {
        404 | 410 => return Ok(missing),
        301 | 308 => {
            return Err(Error::no_verdict(format!(
                "what the package index has of `{}` cannot be told",
                untrusted::line(name)
            ))
            .cause(format!(
                "its simple API has moved to another host for good ({})",
                answer.status
            ))
            .hint("name the new address in `simple`"));
        }
        // What it has not got itself it looks for at another index, which is not the one that is published to.
        302 | 303 | 307 => {
            tracing::warn!(
                project = %untrusted::line(name),
                "the package index sends us to another one, so it has nothing of this project itself"
            );
            return Ok(missing);
        }
        _ => {}
    }
    read(&answer.body).map_err(|why| {
        let error = Error::no_verdict(format!(
            "what the package index has of `{}` cannot be told",
            untrusted::line(name)
        ));
        error
            .cause(format!("its answer is no page of the simple API: {why}"))
            .hint("is it the address of the simple API, and are the credentials right? a page for signing in looks so, too")
    })
}

/// What it has under this name; `digest` is the SHA-256 in lower-case hexadecimal.
pub(super) fn find(page: &Page, file: &str, digest: &str) -> Found {
    let mut own = page.files.iter().filter(|own| own.name == file).peekable();
    if own.peek().is_none() {
        return Found::Nothing;
    }
    let mut found = Found::Unknown;
    for theirs in own.filter_map(sha256) {
        if theirs.eq_ignore_ascii_case(digest) {
            return Found::Same;
        }
        let shown: String = theirs.chars().take(64).collect();
        found = Found::Other(untrusted::line(&shown).into_owned());
    }
    found
}

fn sha256(file: &PublishedFile) -> Option<&str> {
    let mut hashes = file.hashes.iter();
    let own = hashes.find(|(algorithm, _)| algorithm.eq_ignore_ascii_case("sha256"));
    own.map(|(_, digest)| digest.as_str())
}

/// The newest version that is not withdrawn: a final one, else one before.
pub(super) fn newest(page: &Page, name: &str) -> Option<String> {
    let newest = versions(page, name)
        .max_by(|(left, _), (right, _)| (!left.is_pre(), left).cmp(&(!right.is_pre(), right)));
    newest.map(|(_, written)| written)
}

/// The newest version that is not withdrawn, whether it is final or not.
pub(super) fn latest(page: &Page, name: &str) -> Option<String> {
    let latest = versions(page, name).max_by(|(left, _), (right, _)| left.cmp(right));
    latest.map(|(_, written)| written)
}

fn versions<'p>(page: &'p Page, name: &'p str) -> impl Iterator<Item = (Version, String)> + 'p {
    let files = page.files.iter().filter(|file| file.yanked.is_none());
    files.filter_map(move |file| {
        let written = version(&file.name, name)?;
        Some((Version::parse(&written)?, written))
    })
}

/// How long ago the first file of this version came, where the index says when.
pub(super) fn age(page: &Page, name: &str, wanted: &str) -> Option<Duration> {
    let wanted = Version::parse(wanted)?;
    let own = page.files.iter().filter(|file| {
        version(&file.name, name).and_then(|version| Version::parse(&version))
            == Some(wanted.clone())
    });
    let first = own
        .filter_map(|file| moment(file.uploaded.as_deref()?))
        .min()?;
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .ok()?;
    now.checked_sub(Duration::from_secs(u64::try_from(first).ok()?))
}

/// The version in the name of a file of this project.
fn version(file: &str, name: &str) -> Option<String> {
    if let Some(wheel) = WheelName::parse(file) {
        return Some(wheel.version.replace('_', "-"));
    }
    sdist_version(sdist_stem(file)?, &normalise_name(name)).map(str::to_owned)
}
