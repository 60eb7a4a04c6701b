//! A report as bytes for people and machines: one file a form. Pure.

pub mod annotations;
pub mod json;
mod layout;
mod memo;
pub mod pipeline;
pub mod read;
pub mod sarif;
pub mod summary;
pub mod text;

use crate::model::diagnostic::{Finding, Fingerprints, Source};

/// `pylint:W0611`, or the tool alone.
fn name_of(source: &Source) -> String {
    match &source.rule {
        Some(rule) => format!("{}:{rule}", source.tool),
        None => source.tool.to_string(),
    }
}

/// `ruff F401 = pylint W0611`: who says it, and who says the same.
fn sources(finding: &Finding) -> String {
    let mut text = finding.tool.to_string();
    if let Some(rule) = &finding.rule {
        text.extend([" ", rule]);
    }
    for source in &finding.also {
        text.extend([" = ", &source.tool]);
        if let Some(rule) = &source.rule {
            text.extend([" ", rule]);
        }
    }
    text
}

/// Our own fingerprint, 16 hexadecimal digits.
fn key_of(fingerprints: &Fingerprints) -> String {
    hexadecimal(fingerprints.key)
}

/// GitHub's `primaryLocationLineHash`: hexadecimal digits, a colon, the how-many-eth line with this hash.
fn line_hash_of(fingerprints: &Fingerprints) -> Option<String> {
    let (hash, count) = fingerprints.line?;
    let digits = hexadecimal(hash);
    let leading = digits.bytes().take(15).take_while(|digit| *digit == b'0');
    let mut text = digits.split_at(leading.count()).1.to_owned();
    text.push(':');
    text.push_str(&count.to_string());
    Some(text)
}

/// All 16 digits, without the detours of `format!`: each of half a million findings has two such numbers.
fn hexadecimal(number: u64) -> String {
    let digit = |nibble: u8| nibble + if nibble < 10 { b'0' } else { b'a' - 10 };
    let bytes = number.to_be_bytes().into_iter();
    let digits: Vec<u8> = bytes
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)])
        .collect();
    // They are ASCII.
    String::from_utf8(digits).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_are_written_as_format_would() {
        for number in [0, 1, 0xf, 0x10, 0xff, 0x1234_5678_9abc_def0, u64::MAX] {
            let fingerprints = Fingerprints {
                key: number,
                line: Some((number, 3)),
            };
            assert_eq!(key_of(&fingerprints), format!("{number:016x}"));
            assert_eq!(line_hash_of(&fingerprints), Some(format!("{number:x}:3")));
        }
    }
}
