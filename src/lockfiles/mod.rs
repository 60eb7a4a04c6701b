//! Lockfiles: one file a format. Text in, pinned packages out; pure.

pub mod requirements;
pub mod uv;

/// The formats from which an environment can be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `uv.lock`.
    Uv,
    /// `requirements*.txt` with hashes.
    Requirements,
}

impl Format {
    /// The format that a file of this name has.
    pub fn of_file(name: &str) -> Option<Self> {
        match name {
            "uv.lock" => Some(Self::Uv),
            name if name.to_ascii_lowercase().ends_with(".txt") => Some(Self::Requirements),
            _ => None,
        }
    }
}

/// The pinned version of a package; `None` where the lock does not have it.
///
/// Fails with a message where the lock cannot be read.
pub fn version_of(format: Format, text: &str, package: &str) -> Result<Option<String>, String> {
    match format {
        Format::Uv => Ok(uv::read(text)?.version_of(package)),
        Format::Requirements => Ok(requirements::version_of(text, package)),
    }
}

/// A distribution's name as PEP 503 normalises it.
pub fn normalise_name(name: &str) -> String {
    let mut normal = String::with_capacity(name.len());
    for character in name.chars() {
        if matches!(character, '-' | '_' | '.') {
            if !normal.ends_with('-') {
                normal.push('-');
            }
        } else {
            normal.push(character.to_ascii_lowercase());
        }
    }
    normal
}
