//! Values of the expected type, read from a document; where there is another, a fault says so and the value is missing.

use std::ops::Range;

use crate::lockfiles::document::{Kind, Value};
use crate::lockfiles::fault::{FaultKind, Faults};
use crate::model::lockfile::{Name, Text};
use crate::model::sources::{Located, Location};

/// Where a value stands.
pub fn at(value: Value<'_, '_>, faults: &Faults) -> Location {
    faults.at(value.range())
}

/// Where the key of a value stands; the value itself for items of lists.
pub fn key_at(value: Value<'_, '_>, faults: &Faults) -> Location {
    let key = value.key_range();
    faults.at(if key.is_empty() { value.range() } else { key })
}

/// Notes that a value has the wrong type.
pub fn wrong(value: Value<'_, '_>, expected: &str, faults: &mut Faults) {
    let key = value.key();
    let what = if key.is_empty() {
        "an item".to_owned()
    } else {
        format!("`{key}`")
    };
    let message = format!("{what} must be {expected}, and is {}", value.kind().name());
    let at = at(value, faults);
    faults.add(FaultKind::Syntax, at, message);
}

/// A text; its place is that of the value with its quotes.
pub fn text<'a>(value: Value<'_, 'a>, faults: &mut Faults) -> Option<Located<Text<'a>>> {
    let Some(text) = value.as_str() else {
        wrong(value, "a text", faults);
        return None;
    };
    Some(Located::new(text, at(value, faults)))
}

/// A name.
pub fn name<'a>(value: Value<'_, 'a>, faults: &mut Faults) -> Option<Name<'a>> {
    text(value, faults).map(|text| Name::new(text.value, text.at))
}

/// A whole number that is not negative.
pub fn number(value: Value<'_, '_>, faults: &mut Faults) -> Option<Located<u64>> {
    let found = value
        .as_integer()
        .and_then(|number| u64::try_from(number).ok());
    let Some(number) = found else {
        wrong(value, "a whole number", faults);
        return None;
    };
    Some(Located::new(number, at(value, faults)))
}

/// True or false.
pub fn boolean(value: Value<'_, '_>, faults: &mut Faults) -> Option<bool> {
    let found = value.as_bool();
    if found.is_none() {
        wrong(value, "true or false", faults);
    }
    found
}

/// A list of texts.
pub fn texts<'a>(value: Value<'_, 'a>, faults: &mut Faults) -> Vec<Located<Text<'a>>> {
    read_items(value, faults, text)
}

/// A list of names.
pub fn names<'a>(value: Value<'_, 'a>, faults: &mut Faults) -> Vec<Name<'a>> {
    read_items(value, faults, name)
}

/// What the items of a list are read as; those that cannot be read are left out. Takes no more memory than that.
pub fn read_items<'d, 'a, T>(
    value: Value<'d, 'a>,
    faults: &mut Faults,
    read: impl Fn(Value<'d, 'a>, &mut Faults) -> Option<T>,
) -> Vec<T> {
    let mut all = Vec::with_capacity(value.entries().count());
    all.extend(items(value, faults).filter_map(|item| read(item, faults)));
    all
}

/// The items of a list.
pub fn items<'d, 'a>(
    value: Value<'d, 'a>,
    faults: &mut Faults,
) -> impl Iterator<Item = Value<'d, 'a>> + use<'d, 'a> {
    let is_list = value.kind() == Kind::Array;
    if !is_list {
        wrong(value, "a list", faults);
    }
    is_list.then(|| value.entries()).into_iter().flatten()
}

/// The entries of a table.
pub fn entries<'d, 'a>(
    value: Value<'d, 'a>,
    faults: &mut Faults,
) -> impl Iterator<Item = Value<'d, 'a>> + use<'d, 'a> {
    let is_table = value.kind() == Kind::Table;
    if !is_table {
        wrong(value, "a table", faults);
    }
    is_table.then(|| value.entries()).into_iter().flatten()
}

/// The part of a text that stands at these bytes of it, as a place in the file. The whole text where it is written with
/// escapes, so that offsets do not agree.
pub fn part_at(value: Value<'_, '_>, text: &str, part: Range<usize>, faults: &Faults) -> Location {
    let inner = value.inner_range();
    if inner.len() != text.len() {
        return faults.at(value.range());
    }
    faults.at(inner.start + part.start..inner.start + part.end)
}

/// The last part of a URL or path, as the name of a file: percent signs decoded, query and fragment left out.
pub fn file_name<'a>(url: &Text<'a>) -> Text<'a> {
    let name = |url: &str| -> Range<usize> {
        let url = url.as_bytes();
        let end = memchr::memchr2(b'?', b'#', url).unwrap_or(url.len());
        let path = url.get(..end).unwrap_or(url);
        let start = memchr::memrchr2(b'/', b'\\', path).map_or(0, |slash| slash + 1);
        start..end
    };
    match url {
        Text::Borrowed(url) => percent_decode(url.get(name(url)).unwrap_or_default()),
        Text::Owned(url) => {
            let name = url.get(name(url)).unwrap_or_default();
            Text::Owned(percent_decode(name).into_owned())
        }
    }
}

/// A text of a URL with its percent signs decoded; as it is where that gives no UTF-8.
pub fn percent_decode(text: &str) -> Text<'_> {
    if memchr::memchr(b'%', text.as_bytes()).is_none() {
        return Text::Borrowed(text);
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let digit = |at: usize| char::from(*behind.get(at)?).to_digit(16);
        let byte = (*first == b'%')
            .then(|| u8::try_from(digit(0)? * 16 + digit(1)?).ok())
            .flatten();
        decoded.push(byte.unwrap_or(*first));
        rest = behind
            .get(if byte.is_some() { 2 } else { 0 }..)
            .unwrap_or_default();
    }
    String::from_utf8(decoded).map_or(Text::Borrowed(text), Text::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_come_from_urls_and_paths() {
        for (url, expected) in [
            ("https://files.example/a/b/x-1.0.tar.gz", "x-1.0.tar.gz"),
            (
                "https://h.example/torch-2%2Bcpu-cp311.whl#sha256=00",
                "torch-2+cpu-cp311.whl",
            ),
            (
                "../wheels/x-1.0-py3-none-any.whl?x=/y",
                "x-1.0-py3-none-any.whl",
            ),
            ("x%zz%e9", "x%zz%e9"),
            ("", ""),
        ] {
            assert_eq!(file_name(&Text::Borrowed(url)), expected);
        }
    }
}
