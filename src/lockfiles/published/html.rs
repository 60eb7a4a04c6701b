//! The simple API in HTML (PEP 503), and lists of files that a plain server makes of a folder: links, read as installers
//! read them.

use std::borrow::Cow;

use crate::lockfiles::published::PublishedFile;
use crate::lockfiles::published::json::is_known;
use crate::lockfiles::values::file_name;
use crate::model::lockfile::{FileKind, Text};

pub(super) fn read(text: &str) -> Result<Vec<PublishedFile>, String> {
    let mut files = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find('<') {
        rest = rest.get(start + 1..).unwrap_or_default();
        if let Some(comment) = rest.strip_prefix("!--") {
            rest = comment.split_once("-->").map_or("", |(_, behind)| behind);
            continue;
        }
        let end = rest
            .find(|sign: char| !sign.is_ascii_alphanumeric())
            .unwrap_or(rest.len());
        let (name, behind) = rest.split_at(end);
        let (attributes, behind) = attributes(behind);
        let attribute = |wanted: &str| {
            let mut own = attributes.iter();
            let found = own.find(|(name, _)| name.eq_ignore_ascii_case(wanted));
            found.map(|(_, value)| unescape(value))
        };
        if name.eq_ignore_ascii_case("a") {
            files.extend(attribute("href").and_then(|href| file(&href, attribute("data-yanked"))));
        } else if name.eq_ignore_ascii_case("meta")
            && attribute("name").as_deref() == Some("pypi:repository-version")
        {
            is_known(&attribute("content").unwrap_or_default())?;
        }
        rest = behind;
    }
    // A page for signing in, and any other that is no page of an index.
    if files.is_empty() {
        return Err("it names no file of a package".to_owned());
    }
    Ok(files)
}

/// The file that a link leads to; none where it is no distribution.
fn file(href: &str, yanked: Option<Cow<'_, str>>) -> Option<PublishedFile> {
    let name = file_name(&Text::Borrowed(href)).into_owned();
    if FileKind::of_name(&name) == FileKind::Other {
        return None;
    }
    let fragment = href.split_once('#').map_or("", |(_, fragment)| fragment);
    let hashes = fragment
        .split('&')
        .filter_map(|part| part.split_once('='))
        .filter(|(algorithm, _)| *algorithm != "egg" && *algorithm != "subdirectory")
        .map(|(algorithm, digest)| (algorithm.to_owned(), digest.to_owned()));
    Some(PublishedFile {
        name,
        hashes: hashes.collect(),
        yanked: yanked.map(Cow::into_owned),
        uploaded: None,
    })
}

type Attribute<'t> = (&'t str, &'t str);

/// The attributes of a tag from behind its name, and what stands behind the tag.
fn attributes(mut rest: &str) -> (Vec<Attribute<'_>>, &str) {
    let mut found = Vec::new();
    loop {
        rest = rest.trim_start_matches(|sign: char| sign.is_whitespace() || sign == '/');
        let Some(first) = rest.chars().next() else {
            return (found, "");
        };
        if first == '>' {
            return (found, rest.get(1..).unwrap_or_default());
        }
        let is_end = |sign: char| sign.is_whitespace() || matches!(sign, '=' | '>' | '/');
        // A name has one sign at least, so that each round goes on.
        let end = rest
            .char_indices()
            .skip(1)
            .find(|(_, sign)| is_end(*sign))
            .map_or(rest.len(), |(at, _)| at);
        let (name, behind) = rest.split_at(end);
        rest = behind.trim_start();
        let Some(value) = rest.strip_prefix('=') else {
            found.push((name, ""));
            continue;
        };
        let value = value.trim_start();
        let quote = value
            .chars()
            .next()
            .filter(|sign| matches!(sign, '"' | '\''));
        let (value, behind) = if let Some(quote) = quote {
            let inner = value.get(1..).unwrap_or_default();
            inner.split_once(quote).unwrap_or((inner, ""))
        } else {
            let end = value
                .find(|sign: char| sign.is_whitespace() || sign == '>')
                .unwrap_or(value.len());
            value.split_at(end)
        };
        found.push((name, value));
        rest = behind;
    }
}

/// A value without the references to signs that addresses and reasons have.
fn unescape(value: &str) -> Cow<'_, str> {
    if !value.contains('&') {
        return Cow::Borrowed(value);
    }
    let mut plain = String::with_capacity(value.len());
    let mut rest = value;
    while let Some((before, behind)) = rest.split_once('&') {
        plain.push_str(before);
        let known = behind.split_once(';').and_then(|(name, behind)| {
            let sign = match name {
                "amp" => '&',
                "lt" => '<',
                "gt" => '>',
                "quot" => '"',
                "apos" => '\'',
                _ => {
                    let number = name.strip_prefix('#')?;
                    let number = match number.strip_prefix(['x', 'X']) {
                        Some(digits) => u32::from_str_radix(digits, 16).ok()?,
                        None => number.parse().ok()?,
                    };
                    char::from_u32(number)?
                }
            };
            Some((sign, behind))
        });
        let (sign, behind) = known.unwrap_or(('&', behind));
        plain.push(sign);
        rest = behind;
    }
    plain.push_str(rest);
    Cow::Owned(plain)
}
