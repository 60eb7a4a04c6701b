//! Whose caches are kept, and which versions of a program understand what another one keeps.

use crate::lockfiles::Format;
use crate::steps::key::locks::Read;

/// Programs that install packages: one of them named decides for all locks.
const MANAGERS: &[&str] = &["uv", "pip", "poetry", "pdm", "pipenv"];

/// Tools that keep a cache.
const TOOLS: &[&str] = &["pre-commit", "mypy", "ruff", "pytest"];

/// Whose caches are kept, in order: the tools that the user names, and where no package manager is among them, those of
/// the locks.
pub fn names(tools: &[String], locks: &[Read]) -> Vec<String> {
    let is_known = |name: &&String| [MANAGERS, TOOLS].concat().contains(&name.as_str());
    let mut names: Vec<String> = tools.iter().filter(is_known).cloned().collect();
    if !names.iter().any(|name| MANAGERS.contains(&name.as_str())) {
        names.extend(locks.iter().map(|lock| manager(lock).to_owned()));
    }
    names.sort();
    names.dedup();
    names
}

/// Who installs a lock: the tool that wrote it.
fn manager(lock: &Read) -> &'static str {
    match lock.format {
        Format::Uv | Format::UvScript => "uv",
        Format::Poetry => "poetry",
        Format::Pdm => "pdm",
        Format::Pipfile => "pipenv",
        Format::Pylock | Format::Requirements => match lock.generator.as_deref() {
            Some("uv") => "uv",
            _ => "pip",
        },
    }
}

/// The releases in which uv's buckets of unpacked wheels and of source distributions changed (`CacheBucket` in uv's
/// `crates/uv-cache/src/lib.rs`, by release), and what they are called since.
const UV_BUCKETS: &[([u32; 3], &str)] = &[
    ([0, 5, 0], "wheels-v3.sdists-v6"),
    ([0, 5, 26], "wheels-v3.sdists-v7"),
    ([0, 6, 0], "wheels-v4.sdists-v8"),
    ([0, 6, 4], "wheels-v5.sdists-v8"),
    ([0, 6, 8], "wheels-v5.sdists-v9"),
    ([0, 10, 0], "wheels-v6.sdists-v9"),
];

/// The first release of uv after those that are known here.
const UV_UNKNOWN: [u32; 3] = [0, 13, 0];

/// The release of pip that changed how it keeps what it downloads (its `NEWS`, 23.3).
const PIP_HTTP_V2: [u32; 3] = [23, 3, 0];

/// The version of the layout in which this version of a program keeps things; none where it has none.
pub fn layout(name: &str, version: &str) -> Option<String> {
    let mut numbers = version.split(['.', '-', '+']).map(str::parse::<u32>);
    let mut number = || numbers.next()?.ok();
    let release = [number()?, number()?, number().unwrap_or_default()];
    match name {
        "uv" => {
            let bucket = UV_BUCKETS.iter().rev().find(|(since, _)| *since <= release);
            match bucket.filter(|_| release < UV_UNKNOWN) {
                Some((_, bucket)) => Some((*bucket).to_owned()),
                // Releases of one line read what the others wrote, but for few.
                None => Some(format!("{}.{}", release[0], release[1])),
            }
        }
        "pip" if release < PIP_HTTP_V2 => Some("http".to_owned()),
        "pip" => Some("http-v2".to_owned()),
        _ => None,
    }
}

/// Whether a program is worth starting to know its layout: it answers at once, and its layouts are many.
pub fn is_worth_asking(name: &str) -> bool {
    name == "uv"
}

/// Whether a program installs packages.
pub fn is_manager(name: &str) -> bool {
    MANAGERS.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_of_one_layout_share_their_cache() {
        for (name, version, expected) in [
            ("uv", "0.6.8", Some("wheels-v5.sdists-v9")),
            ("uv", "0.9.30", Some("wheels-v5.sdists-v9")),
            ("uv", "0.12.5", Some("wheels-v6.sdists-v9")),
            ("uv", "0.13.9", Some("0.13")),
            ("uv", "0.4.30", Some("0.4")),
            ("uv", "odd", None),
            ("pip", "23.2.1", Some("http")),
            ("pip", "23.3", Some("http-v2")),
            ("pip", "26.0", Some("http-v2")),
            ("poetry", "2.5.1", None),
        ] {
            assert_eq!(
                layout(name, version).as_deref(),
                expected,
                "{name} {version}"
            );
        }
    }
}
