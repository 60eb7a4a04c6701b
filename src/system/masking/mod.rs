//! Secrets: a type that does not show itself, and the registry through which all text goes that we print or write.
//!
//! A secret is looked for as it is and as programs write it: [`encodings`] lists the forms, [`matcher`] finds all of
//! them at once, [`stream`] does so in text that comes in pieces.

pub mod channel;
mod encodings;
mod matcher;
mod stream;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::fs::File;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use encodings::Form;
use matcher::Matcher;
pub use stream::MaskingStream;

/// What stands where a secret stood, as the runner writes it.
const MASK: &str = "***";

/// Shorter values mask words of prose; the runner would mask them all the same, we refuse to register them. Bytes.
const SHORTEST: usize = 4;

/// From this length on a value is masked in all its encodings; a shorter one only as it is. Bytes.
const ENCODED_FROM: usize = 8;

/// A shorter encoded form is not looked for: it would mask words. Bytes.
const SHORTEST_FORM: usize = 6;

/// A shorter encoded form is not given to the runner, which drops each output of a job that holds one. Bytes.
const SHORTEST_FOR_RUNNER: usize = 8;

/// Values that stand in every log and hide nothing.
const WORDS: &[&str] = &["true", "false", "null", "none"];

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

    /// The value without white space around it, and each of its lines, as far as they can be masked.
    fn parts(&self) -> impl Iterator<Item = &str> {
        let whole = self.0.trim();
        std::iter::once(whole)
            .chain(
                whole
                    .lines()
                    .map(str::trim)
                    .filter(move |line| *line != whole),
            )
            .filter(|part| is_maskable(part).is_ok())
    }

    /// The encoded forms of the value that the runner does not look for by itself, for `::add-mask::` commands: those of
    /// one line and of at least eight bytes, because the runner empties each output of a job in which a mask appears.
    pub fn forms_for_runner(&self) -> Vec<Secret> {
        let whole = self.0.trim();
        if whole.len() < ENCODED_FROM {
            return Vec::new();
        }
        let forms: BTreeSet<String> = encodings::of(whole)
            .into_iter()
            .filter(|form| form.bytes.len() >= SHORTEST_FOR_RUNNER)
            .filter_map(|form| String::from_utf8(form.bytes).ok())
            .filter(|form| form != whole && !form.contains(['\r', '\n']))
            .collect();
        forms.into_iter().map(Secret).collect()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(MASK)
    }
}

/// Why a value cannot be masked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It has fewer than four bytes.
    TooShort,
    /// It is a word such as `true`.
    CommonWord,
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort => write!(formatter, "it has fewer than {SHORTEST} bytes"),
            Self::CommonWord => write!(formatter, "it is one of {}", WORDS.join(", ")),
        }
    }
}

fn is_maskable(value: &str) -> Result<(), Refusal> {
    if value.len() < SHORTEST {
        return Err(Refusal::TooShort);
    }
    if WORDS.iter().any(|word| word.eq_ignore_ascii_case(value)) {
        return Err(Refusal::CommonWord);
    }
    Ok(())
}

/// The registry of values that must not appear. Cheap to clone; all clones share one registry.
#[derive(Clone, Default)]
pub struct Masker {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    /// Grows with each value: whoever has an older matcher asks for a new one.
    generation: AtomicU64,
    registry: Mutex<Registry>,
}

#[derive(Default)]
struct Registry {
    forms: BTreeSet<Form>,
    /// Who else is to know what is registered.
    told: Option<File>,
    /// Made when it is asked for: many values are registered before the first text comes.
    matcher: Option<Arc<Matcher>>,
}

impl Masker {
    /// Registers a secret and each of its lines, before the first use of the value.
    /// Returns what was registered, for the `::add-mask::` commands: nothing where the value [cannot be
    /// masked](Masker::try_register).
    pub fn register(&self, secret: &Secret) -> Vec<Secret> {
        let parts: Vec<&str> = secret.parts().collect();
        let mut forms = BTreeSet::new();
        for part in &parts {
            if part.len() >= ENCODED_FROM {
                let long = |form: &Form| form.bytes.len() >= SHORTEST_FORM;
                forms.extend(encodings::of(part).into_iter().filter(long));
            } else {
                forms.insert(Form::exact(*part));
            }
        }
        let mut registry = self.shared.registry();
        let before = registry.forms.len();
        registry.forms.append(&mut forms);
        if registry.forms.len() != before {
            registry.matcher = None;
            if let Some(told) = &mut registry.told {
                channel::tell(told, secret);
            }
            self.shared.generation.fetch_add(1, Ordering::Release);
        }
        parts.into_iter().map(Secret::new).collect()
    }

    /// The same; tells why, where the value as a whole cannot be masked.
    pub fn try_register(&self, secret: &Secret) -> Result<Vec<Secret>, Refusal> {
        is_maskable(secret.reveal().trim())?;
        Ok(self.register(secret))
    }

    /// Tells whoever runs us what is registered from now on.
    pub fn tell(&self, to: File) {
        self.shared.registry().told = Some(to);
    }

    /// Whether nothing is registered.
    pub fn is_empty(&self) -> bool {
        self.generation() == 0
    }

    /// The text without any registered value.
    pub fn mask<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if self.is_empty() {
            return Cow::Borrowed(text);
        }
        let hits = self.matcher().whole(text.as_bytes());
        if hits.is_empty() {
            return Cow::Borrowed(text);
        }
        let mut masked = String::with_capacity(text.len());
        let mut at = 0;
        for hit in hits {
            // A hit ends where a form ends, and a form is text. If that were wrong, too much is hidden.
            masked.push_str(text.get(at..hit.start).unwrap_or_default());
            masked.push_str(MASK);
            at = hit.end;
        }
        masked.push_str(text.get(at..).unwrap_or_default());
        Cow::Owned(masked)
    }

    fn generation(&self) -> u64 {
        self.shared.generation.load(Ordering::Acquire)
    }

    fn matcher(&self) -> Arc<Matcher> {
        let mut registry = self.shared.registry();
        if let Some(matcher) = &registry.matcher {
            return matcher.clone();
        }
        let matcher = Arc::new(Matcher::new(registry.forms.iter().cloned()));
        registry.matcher = Some(matcher.clone());
        matcher
    }
}

impl Shared {
    fn registry(&self) -> MutexGuard<'_, Registry> {
        // A set and what was made of it are whole whatever happened.
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Masker {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Masker").field(&MASK).finish()
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
    fn secrets_that_overlap_or_touch_become_one_mask() {
        let masker = Masker::default();
        masker.register(&Secret::new("abcd"));
        masker.register(&Secret::new("cdef"));
        assert_eq!(masker.mask("xabcdefx abcdabcd abcdcdef"), "x***x *** ***");
    }

    #[test]
    fn values_that_hide_nothing_are_refused() {
        let masker = Masker::default();
        let refusal = |value: &str| masker.try_register(&Secret::new(value)).unwrap_err();
        assert_eq!(refusal(""), Refusal::TooShort);
        assert_eq!(refusal(" abc\n"), Refusal::TooShort);
        assert_eq!(refusal("True"), Refusal::CommonWord);
        assert!(masker.is_empty());
        assert_eq!(masker.mask("abc true"), "abc true");
        assert_eq!(refusal("1").to_string(), "it has fewer than 4 bytes");
    }

    #[test]
    fn a_short_secret_is_masked_as_it_is_and_in_no_other_form() {
        let masker = Masker::default();
        masker.try_register(&Secret::new("pa ss'7")).unwrap();
        assert_eq!(
            masker.mask("pa ss'7 pa%20ss%277 cGEgc3MnNw"),
            "*** pa%20ss%277 cGEgc3MnNw"
        );
    }

    #[test]
    fn the_runner_gets_long_forms_of_one_line_only() {
        let forms = Secret::new("pa\"ss word").forms_for_runner();
        let forms: Vec<&str> = forms.iter().map(Secret::reveal).collect();
        for wanted in [
            "cGEic3Mgd29yZ",
            "706122737320776f7264",
            "pa%22ss%20word",
            "pa%22ss+word",
        ] {
            assert!(
                forms.iter().any(|form| form.contains(wanted)),
                "{wanted}: {forms:?}"
            );
        }
        assert!(
            forms
                .iter()
                .all(|form| form.len() >= 8 && !form.contains('\n'))
        );
        assert!(!forms.contains(&"pa\"ss word"));
        assert!(Secret::new("short-7").forms_for_runner().is_empty());
        let lines = Secret::new("first line\nsecond line").forms_for_runner();
        assert!(!lines.is_empty() && lines.iter().all(|form| !form.reveal().contains('\n')));
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", Secret::new("token")), "***");
        let masker = Masker::default();
        masker.register(&Secret::new("token-value"));
        assert!(!format!("{masker:?}").contains("token-value"));
    }
}
