//! Lockfiles: one file a format, from bytes to the [model](crate::model::lockfile); what projects declare; and the rules
//! that judge both. Pure.

pub mod address;
pub mod applies;
pub mod compiled;
pub mod declared;
pub mod difference;
pub mod document;
pub mod entries;
pub mod environment;
pub mod facts;
pub mod fault;
pub mod filename;
pub mod fixes;
pub mod gone;
pub mod marker;
pub mod members;
pub mod normal;
pub mod pattern;
pub mod pdm_lock;
pub mod pipfile_lock;
pub mod poetry_lock;
pub mod policy;
pub mod public_index;
pub mod published;
pub mod pylock;
pub mod python_json;
pub mod requirement;
pub mod requirements_txt;
pub mod rules;
pub mod semantic;
pub mod target;
pub mod time;
pub mod uv_lock;
pub mod values;
pub mod workflow;

use crate::lockfiles::fault::Faults;
pub use crate::lockfiles::fault::{Fault, FaultKind};
pub use crate::model::lockfile::Format;
use crate::model::lockfile::{Lockfile, normalise};
use crate::model::sources::{FileId, Sources};

/// What reading a file gave: the lockfile as far as it can be read, and what is wrong with it.
///
/// Without a lockfile there is at least one fault.
#[derive(Clone, Debug, Default)]
pub struct Reading<'a> {
    /// The lock; `None` where its text cannot be read at all. Entries that cannot be read are left out of it.
    pub lockfile: Option<Lockfile<'a>>,
    /// What is wrong, each with its place and what to do.
    pub faults: Vec<Fault>,
}

/// Reads the lockfile `file` of `sources`. Never panics, whatever the bytes are.
pub fn read(format: Format, file: FileId, sources: &Sources) -> Reading<'_> {
    let mut faults = Faults::new(format, file);
    let lockfile = match format {
        Format::Uv | Format::UvScript => uv_lock::read(format, file, sources, &mut faults),
        Format::Poetry => poetry_lock::read(file, sources, &mut faults),
        Format::Pdm => pdm_lock::read(file, sources, &mut faults),
        Format::Pipfile => pipfile_lock::read(file, sources, &mut faults),
        Format::Pylock => pylock::read(file, sources, &mut faults),
        Format::Requirements => requirements_txt::read(file, sources, &mut faults),
    };
    Reading {
        lockfile,
        faults: faults.finish(),
    }
}

/// The format of a file with this name, in any folder; `None` for what is no lock. Whether a `.txt` really holds
/// requirements is for its reader to say.
pub fn format_of(name: &str) -> Option<Format> {
    let requirements = |name: &str| {
        let stem = name.strip_suffix(".txt")?;
        let is_named = |part: &str| matches!(part, "requirements" | "requirement" | "reqs");
        stem.split(['-', '_', '.']).any(is_named).then_some(())
    };
    match name {
        "uv.lock" => Some(Format::Uv),
        "poetry.lock" => Some(Format::Poetry),
        "pdm.lock" => Some(Format::Pdm),
        "Pipfile.lock" => Some(Format::Pipfile),
        "pylock.toml" => Some(Format::Pylock),
        name if name.ends_with(".py.lock") => Some(Format::UvScript),
        name if is_named_pylock(name) => Some(Format::Pylock),
        name => requirements(&name.to_ascii_lowercase()).map(|()| Format::Requirements),
    }
}

/// `pylock.<name>.toml`, the name without a dot.
fn is_named_pylock(name: &str) -> bool {
    let inner = name
        .strip_prefix("pylock.")
        .and_then(|rest| rest.strip_suffix(".toml"));
    inner.is_some_and(|inner| !inner.is_empty() && !inner.contains('.'))
}

/// A distribution's name as PEP 503 normalises it.
pub fn normalise_name(name: &str) -> String {
    normalise(name).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_tell_the_format() {
        for (name, format) in [
            ("uv.lock", Some(Format::Uv)),
            ("tool.py.lock", Some(Format::UvScript)),
            ("poetry.lock", Some(Format::Poetry)),
            ("pdm.lock", Some(Format::Pdm)),
            ("Pipfile.lock", Some(Format::Pipfile)),
            ("pylock.toml", Some(Format::Pylock)),
            ("pylock.dev.toml", Some(Format::Pylock)),
            ("pylock.a.b.toml", None),
            ("pylock..toml", None),
            ("requirements.txt", Some(Format::Requirements)),
            ("requirements-dev.txt", Some(Format::Requirements)),
            ("dev_Requirements.txt", Some(Format::Requirements)),
            ("LICENSE.txt", None),
            ("requirements.in", None),
            ("Cargo.lock", None),
        ] {
            assert_eq!(format_of(name), format, "{name}");
        }
    }
}
