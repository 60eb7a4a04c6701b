//! How programs write a value: each form that is looked for besides the value itself.
//!
//! The runner's own list is in `ValueEncoders.cs` of <https://github.com/actions/runner>; all of it is here, and what it
//! misses: base64 with something behind the value, url-safe or broken into lines, hexadecimal, percent encodings of other
//! libraries, shells, Python, JSON with `\u`, HTML with numbers.

mod binary;
mod html;
mod json;
mod percent;
mod python;
mod shell;

use std::collections::BTreeSet;

/// A form of a secret: what to look for.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Form {
    pub bytes: Vec<u8>,
    pub shape: Shape,
}

/// How a form appears in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Shape {
    /// As it is.
    Exact,
    /// Maybe broken into lines.
    Lines,
    /// The same, and the character on either side may hold some bits of the value.
    Base64,
}

impl Form {
    pub(super) fn exact(text: impl Into<Vec<u8>>) -> Self {
        Self {
            bytes: text.into(),
            shape: Shape::Exact,
        }
    }

    /// Whether the encoder that makes it breaks it into lines.
    pub(super) fn may_be_broken(&self) -> bool {
        self.shape != Shape::Exact
    }
}

/// Names and sizes only: the form shows the secret.
impl std::fmt::Debug for Form {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{:?} of {} bytes", self.shape, self.bytes.len())
    }
}

/// Every form of a value, the value itself among them.
pub(super) fn of(value: &str) -> BTreeSet<Form> {
    let mut forms: BTreeSet<Form> = binary::base64(value.as_bytes()).collect();
    forms.extend(binary::hexadecimal(value.as_bytes()));
    let texts = std::iter::once(value.to_owned())
        .chain(json::forms(value))
        .chain(percent::forms(value))
        .chain(html::forms(value))
        .chain(shell::forms(value))
        .chain(python::forms(value));
    forms.extend(texts.map(Form::exact));
    forms
}

/// Rewrites a text character by character; where nothing is pushed, the character stays.
fn escaped(value: &str, mut escape: impl FnMut(char, &mut String)) -> String {
    let mut text = String::with_capacity(value.len() + value.len() / 4);
    for character in value.chars() {
        let before = text.len();
        escape(character, &mut text);
        if text.len() == before {
            text.push(character);
        }
    }
    text
}
