//! Secrets: a type that does not show itself, and the registry through which all text goes that we print or write.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, RwLock};

/// What stands where a secret stood, as the runner writes it.
const MASK: &str = "***";

/// Shorter values mask words of prose; the runner would mask them all the same, we refuse to register them.
const SHORTEST: usize = 4;

/// A value that shows itself in no log, error or trace.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps the value.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value itself, for the one call that needs it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(MASK)
    }
}

/// The registry of values that must not appear. Cheap to clone; all clones share one registry.
#[derive(Clone, Debug, Default)]
pub struct Masker {
    values: Arc<RwLock<Vec<Secret>>>,
}

impl Masker {
    /// Registers a secret and each of its lines, before the first use of the value.
    /// Returns what was registered, for the `::add-mask::` commands.
    pub fn register(&self, secret: &Secret) -> Vec<Secret> {
        let lines = secret.reveal().lines().map(str::trim);
        let fresh: Vec<Secret> = std::iter::once(secret.reveal().trim())
            .chain(lines)
            .filter(|value| value.len() >= SHORTEST)
            .map(Secret::new)
            .collect();
        if let Ok(mut values) = self.values.write() {
            for value in &fresh {
                if !values.contains(value) {
                    values.push(value.clone());
                }
            }
            // The longest first, so that a secret that holds another one leaves no rest.
            values.sort_by_key(|value| std::cmp::Reverse(value.reveal().len()));
        }
        fresh
    }

    /// Whether nothing is registered.
    pub fn is_empty(&self) -> bool {
        self.values.read().is_ok_and(|values| values.is_empty())
    }

    /// The text without any registered value.
    pub fn mask<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let Ok(values) = self.values.read() else {
            return Cow::Borrowed(MASK);
        };
        let mut masked = Cow::Borrowed(text);
        for value in values.iter() {
            if masked.contains(value.reveal()) {
                masked = Cow::Owned(masked.replace(value.reveal(), MASK));
            }
        }
        masked
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_a_secret_and_each_of_its_lines() {
        let masker = Masker::default();
        masker.register(&Secret::new("first-line\nsecond-line\n}\n"));
        assert_eq!(masker.mask("a second-line b } first-line"), "a *** b } ***");
    }

    #[test]
    fn a_secret_inside_another_leaves_no_rest() {
        let masker = Masker::default();
        masker.register(&Secret::new("abcd"));
        masker.register(&Secret::new("abcdefgh"));
        assert_eq!(masker.mask("xabcdefghx abcd"), "x***x ***");
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", Secret::new("token")), "***");
        let masker = Masker::default();
        masker.register(&Secret::new("token-value"));
        assert!(!format!("{masker:?}").contains("token-value"));
    }
}
