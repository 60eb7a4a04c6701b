//! Components as a key, and as the ladder of keys to restore from: each the beginning of the one above it, down to what
//! must be the same for a cache to be of any use.
//!
//! The service takes a key of at most 512 characters without a comma and ten keys in all, and finds every key that
//! begins with one of them (`@actions/cache`, `checkKey` and `restoreCache`).

use crate::model::cache_key::Components;
use crate::model::cache_key::segment::{SEPARATOR, escaped, joined, named, segment};

/// How long a key may be, characters.
pub const LIMIT: usize = 512;

/// How many keys the service takes, the key itself among them.
pub const KEYS: usize = 10;

/// Raised when the same components give another key, or a cache of before must not be used.
const SCHEMA: &str = "lockgate1";

/// How long each part may be: with the separators they are shorter than [`LIMIT`] in all.
mod room {
    pub const PREFIX: usize = 48;
    pub const EXTRA: usize = 64;
    pub const IMAGE: usize = 40;
    pub const CACHES: usize = 64;
    pub const SYSTEM: usize = 32;
    pub const ARCHITECTURE: usize = 18;
    pub const LIBC: usize = 20;
    pub const PYTHON: usize = 24;
    pub const TOOLS: usize = 56;
    pub const DIGEST: usize = 64;
    pub const SUFFIX: usize = 40;
}

impl Components {
    /// The key.
    pub fn key(&self) -> String {
        let (fixed, open) = self.segments();
        join(fixed.iter().chain(&open))
    }

    /// The keys to restore from where nothing has the key itself, most specific first. None of them begins a key of
    /// another system, architecture, C library or ABI, or of another `prefix`, `extra` or image.
    pub fn restore_keys(&self) -> Vec<String> {
        let (fixed, open) = self.segments();
        (0..open.len())
            .rev()
            .map(|kept| {
                let mut key = join(fixed.iter().chain(open.iter().take(kept)));
                // Without it `3.1` would begin `3.12`.
                key.push(SEPARATOR);
                key
            })
            .collect()
    }

    /// The parts that must be the same, and those that may differ, the last one first.
    fn segments(&self) -> (Vec<String>, Vec<String>) {
        let mut fixed = Vec::new();
        if let Some(prefix) = &self.prefix {
            fixed.push(segment(prefix, room::PREFIX));
        }
        fixed.push(SCHEMA.to_owned());
        if !self.extra.is_empty() {
            let parts = self
                .extra
                .iter()
                .map(|(name, value)| named(name, value, usize::MAX));
            fixed.push(joined(parts, room::EXTRA));
        }
        if let Some(image) = &self.image {
            fixed.push(named("image", image, room::IMAGE));
        }
        let caches = self.caches.iter().map(|(name, layout)| match layout {
            Some(layout) => format!("{}-{}", escaped(name, false), escaped(layout, false)),
            None => escaped(name, false),
        });
        fixed.push(match joined(caches, room::CACHES) {
            caches if caches.is_empty() => segment("", room::CACHES),
            caches => caches,
        });
        let system = format!("{}-{}", self.os, self.os_version);
        fixed.push(segment(system.trim_end_matches('-'), room::SYSTEM));
        fixed.push(segment(&self.architecture, room::ARCHITECTURE));
        fixed.push(segment(&self.libc, room::LIBC));
        let python = self.python.as_ref();
        let abi = python.map(|python| python.abi.as_str());
        fixed.push(segment(abi.unwrap_or_default(), room::PYTHON));

        let version = python.map(|python| python.version.as_str());
        let mut open = vec![segment(version.unwrap_or_default(), room::PYTHON)];
        if !self.tools.is_empty() {
            let tools = self.tools.iter();
            let tools = tools.map(|(name, version)| {
                format!("{}-{}", escaped(name, false), escaped(version, false))
            });
            open.push(joined(tools, room::TOOLS));
        }
        open.push(segment(
            self.digest.as_deref().unwrap_or_default(),
            room::DIGEST,
        ));
        if let Some(suffix) = &self.suffix {
            open.push(segment(suffix, room::SUFFIX));
        }
        (fixed, open)
    }
}

fn join<'s>(segments: impl Iterator<Item = &'s String>) -> String {
    let mut key = String::new();
    for segment in segments {
        if !key.is_empty() {
            key.push(SEPARATOR);
        }
        key.push_str(segment);
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::cache_key::Python;

    fn components() -> Components {
        Components {
            caches: [("uv".to_owned(), Some("wheels-v6.sdists-v9".to_owned()))].into(),
            os: "ubuntu".into(),
            os_version: "24.04".into(),
            architecture: "x86_64".into(),
            libc: "glibc-2.39".into(),
            python: Python::parse("3.12.4"),
            tools: [("uv".to_owned(), "0.11.3".to_owned())].into(),
            digest: Some("ab".repeat(32)),
            ..Components::default()
        }
    }

    #[test]
    fn a_key_reads_from_what_must_be_the_same_to_what_may_differ() {
        let digest = "ab".repeat(32);
        let base = "lockgate1/uv-wheels-v6.sdists-v9/ubuntu-24.04/x86_64/glibc-2.39/cp312";
        assert_eq!(
            components().key(),
            format!("{base}/3.12.4/uv-0.11.3/{digest}")
        );
        assert_eq!(
            components().restore_keys(),
            [
                format!("{base}/3.12.4/uv-0.11.3/"),
                format!("{base}/3.12.4/"),
                format!("{base}/"),
            ]
        );
    }

    #[test]
    fn a_suffix_is_a_rung_of_its_own_and_a_prefix_is_none() {
        let with = Components {
            suffix: Some("run-7".into()),
            prefix: Some("api/v1".into()),
            ..components()
        };
        let keys = with.restore_keys();
        assert_eq!(keys.len(), 4);
        assert_eq!(format!("{}run-7", keys[0]), with.key());
        assert!(
            keys.iter()
                .all(|key| key.starts_with("api~2fv1/lockgate1/uv-"))
        );
    }

    #[test]
    fn a_machine_without_names_has_a_key_all_the_same() {
        let none = Components::default();
        assert_eq!(none.key(), "lockgate1/none/none/none/none/none/none/none");
    }
}
