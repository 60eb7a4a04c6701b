//! Components as a key, and as the ladder of keys to restore from: each the beginning of the one above it, down to what
//! must be the same for a cache to be of any use.
//!
//! The service takes a key of at most 512 characters without a comma and ten keys in all, and finds every key that
//! begins with one of them (`@actions/cache`, `checkKey` and `restoreCache`).

use crate::model::cache_key::Components;
use crate::model::cache_key::segment::{SEPARATOR, joined, named, segment, versioned};

/// How long a key may be, characters.
pub const LIMIT: usize = 512;

/// How many keys the service takes, the key itself among them.
pub const KEYS: usize = 10;

/// Raised when the same components give another key, or a cache of before must not be used.
const SCHEMA: &str = "lockgate@1";

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
            let parts = self.extra.iter().map(|(name, value)| named(name, value));
            fixed.push(joined(parts, room::EXTRA));
        }
        if let Some(image) = &self.image {
            fixed.push(joined([versioned("image", Some(image))], room::IMAGE));
        }
        let caches = self.caches.iter();
        let caches = caches.map(|(name, layout)| versioned(name, layout.as_deref()));
        fixed.push(joined(caches, room::CACHES));
        let version = Some(self.os_version.as_str()).filter(|version| !version.is_empty());
        fixed.push(joined([versioned(&self.os, version)], room::SYSTEM));
        fixed.push(segment(&self.architecture, room::ARCHITECTURE));
        fixed.push(segment(&self.libc, room::LIBC));
        let python = self.python.as_ref();
        let abi = python.map(|python| python.abi.as_str());
        fixed.push(segment(abi.unwrap_or_default(), room::PYTHON));

        let version = python.map(|python| python.version.as_str());
        let mut open = vec![segment(version.unwrap_or_default(), room::PYTHON)];
        if !self.tools.is_empty() {
            let tools = self.tools.iter();
            let tools = tools.map(|(name, version)| versioned(name, Some(version)));
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
        let base = "lockgate@1/uv@wheels-v6.sdists-v9/ubuntu@24.04/x86_64/glibc-2.39/cp312";
        assert_eq!(
            components().key(),
            format!("{base}/3.12.4/uv@0.11.3/{digest}")
        );
        assert_eq!(
            components().restore_keys(),
            [
                format!("{base}/3.12.4/uv@0.11.3/"),
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
                .all(|key| key.starts_with("api~2fv1/lockgate@1/uv@"))
        );
    }

    #[test]
    fn a_machine_without_names_has_a_key_all_the_same() {
        let none = Components::default();
        assert_eq!(none.key(), "lockgate@1/none/none/none/none/none/none/none");
    }

    /// A generator that is the same everywhere (xorshift64*, Vigna 2016).
    struct Dice(u64);

    impl Dice {
        fn below(&mut self, count: usize) -> usize {
            self.0 ^= self.0 >> 12;
            self.0 ^= self.0 << 25;
            self.0 ^= self.0 >> 27;
            let number = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
            usize::try_from(number).unwrap() % count
        }

        fn one(&mut self, of: &[&str]) -> String {
            of[self.below(of.len())].to_owned()
        }

        fn maybe(&mut self, of: &[&str]) -> Option<String> {
            (self.below(3) > 0).then(|| self.one(of))
        }

        fn map(&mut self, of: &[&str]) -> std::collections::BTreeMap<String, String> {
            let count = self.below(4);
            (0..count).map(|_| (self.one(of), self.one(of))).collect()
        }
    }

    /// Values that begin each other, that hold what keys are made of, and that are too long.
    fn values() -> Vec<String> {
        let plain = [
            "",
            "a",
            "ab",
            "a/b",
            "a,b",
            "1",
            "12",
            "1.2",
            "none",
            "lockgate@1",
            "lockgate1",
            "image",
            "uv",
            "=",
            "a=b",
            "~",
            "~2f",
            "a~~b",
            "+",
            "x+y",
            " ",
            "\n",
            "é",
            "\u{202e}",
            "-",
            "--",
            "cp31",
            "cp312",
            "../..",
            "image=a",
        ];
        let mut values: Vec<String> = plain.map(str::to_owned).into();
        values.extend(["x", "/", "é,"].map(|part| part.repeat(300)));
        values.push(format!("{}y", "x".repeat(300)));
        values
    }

    fn random(dice: &mut Dice, values: &[&str]) -> Components {
        let python = |dice: &mut Dice| Python {
            implementation: "cpython".into(),
            version: dice.one(values),
            abi: dice.one(values),
        };
        Components {
            prefix: dice.maybe(values).filter(|prefix| !prefix.is_empty()),
            extra: dice.map(values),
            image: dice.maybe(values),
            caches: {
                let count = dice.below(3);
                (0..count)
                    .map(|_| (dice.one(&values[1..]), dice.maybe(values)))
                    .collect()
            },
            os: dice.one(values),
            os_version: dice.one(values),
            architecture: dice.one(values),
            libc: dice.one(values),
            python: (dice.below(4) > 0).then(|| python(dice)),
            tools: dice.map(values),
            digest: dice.maybe(values),
            suffix: dice.maybe(values),
            ..Components::default()
        }
    }

    /// What no rung may fall back across.
    fn fixed(components: &Components) -> [&str; 5] {
        let abi = components.python.as_ref().map(|python| python.abi.as_str());
        [
            &components.os,
            &components.os_version,
            &components.architecture,
            &components.libc,
            abi.unwrap_or_default(),
        ]
    }

    fn cases() -> usize {
        #[expect(clippy::disallowed_methods, reason = "the size of a campaign")]
        let asked = std::env::var("LOCKGATE_CAMPAIGN").ok();
        asked.and_then(|text| text.parse().ok()).unwrap_or(2_000)
    }

    #[test]
    fn every_key_is_one_that_the_service_takes() {
        let values = values();
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        let mut dice = Dice(7);
        for _ in 0..cases() {
            let components = random(&mut dice, &values);
            let (key, rungs) = (components.key(), components.restore_keys());
            assert!(rungs.len() < KEYS && rungs.len() >= 2, "{rungs:?}");
            let mut above = key.as_str();
            for one in std::iter::once(&key).chain(&rungs) {
                assert!(one.len() <= LIMIT, "{} characters: {one}", one.len());
                let is_plain = |c: char| c.is_ascii_graphic() && c != ',';
                assert!(one.chars().all(is_plain), "{one}");
                assert!(
                    above.starts_with(one.as_str()),
                    "{one} does not begin {above}"
                );
                assert!(
                    one.len() < above.len() || one == &key,
                    "{one} is no shorter than {above}"
                );
                above = one;
            }
            assert_eq!(components.key(), key);
        }
    }

    #[test]
    fn no_rung_begins_the_key_of_another_system_or_abi() {
        let values = values();
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        let mut dice = Dice(11);
        for _ in 0..cases() {
            let one = random(&mut dice, &values);
            // Another one that is the same but for a few components: nothing near is overlooked.
            let other = random(&mut dice, &values);
            let mut near = one.clone();
            match dice.below(9) {
                0 => near.os.clone_from(&other.os),
                1 => near.os_version.clone_from(&other.os_version),
                2 => near.architecture.clone_from(&other.architecture),
                3 => near.libc.clone_from(&other.libc),
                4 => near.python.clone_from(&other.python),
                5 => near.extra.clone_from(&other.extra),
                6 => near.prefix.clone_from(&other.prefix),
                7 => near.caches.clone_from(&other.caches),
                _ => near.image.clone_from(&other.image),
            }
            near.digest = Some("another".into());
            near.suffix.clone_from(&other.suffix);
            for other in [&other, &near] {
                let reached = one
                    .restore_keys()
                    .iter()
                    .any(|rung| other.key().starts_with(rung.as_str()));
                let is_same = fixed(&one) == fixed(other)
                    && one.extra == other.extra
                    && one.caches == other.caches
                    && one.image == other.image
                    && one.prefix == other.prefix;
                assert!(!reached || is_same, "{one:#?}\n{other:#?}");
                assert!(reached || !is_same, "{one:#?}\n{other:#?}");
            }
        }
    }
}
