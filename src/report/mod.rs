//! A report as bytes for people and machines: one file a form. Pure.

pub mod annotations;
pub mod json;
mod layout;
mod memo;
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
    format!("{:016x}", fingerprints.key)
}

/// GitHub's `primaryLocationLineHash`: hexadecimal digits, a colon, the how-many-eth line with this hash.
fn line_hash_of(fingerprints: &Fingerprints) -> Option<String> {
    let (hash, count) = fingerprints.line?;
    Some(format!("{hash:x}:{count}"))
}
