//! Distribution files of Python packages, read as an index reads them: wheels
//! (<https://packaging.python.org/en/latest/specifications/binary-distribution-format/>) and source distributions
//! (<https://packaging.python.org/en/latest/specifications/source-distribution-format/>).
//!
//! What is read may have been made by anybody: memory is bounded whatever a file claims, and nothing is written anywhere.

pub mod metadata;
mod path;
mod sdist;
mod wheel;

use std::io::{Read, Seek};

use crate::error::{Error, Result};
use crate::lockfiles::filename::{WheelName, is_name, sdist_version};
use crate::lockfiles::normalise_name;
use crate::lockfiles::requirement::Version;
use crate::model::untrusted;
use crate::packages::metadata::Metadata;

/// The longest metadata that is read, bytes.
const LONGEST_METADATA: u64 = 8 << 20;

/// What a distribution file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A wheel.
    Wheel,
    /// A source distribution, `.tar.gz`.
    Sdist,
}

/// A distribution file with what it says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// The name of the file.
    pub file: String,
    /// What it is.
    pub kind: Kind,
    /// The Python tags of a wheel, joined by dots; `source` for a source distribution.
    pub python: String,
    /// Its Core Metadata.
    pub metadata: Metadata,
}

impl Package {
    /// Reads a distribution file of this name. Refused where it is none, or where name, version and metadata disagree.
    pub fn read(file: &str, content: impl Read + Seek) -> Result<Self> {
        Self::find(file, content, true).and_then(|found| {
            found.ok_or_else(|| Error::bug("a distribution file is refused without a reason"))
        })
    }

    /// Reads a distribution file of this name. With `is_strict` it must be one; else nothing is found in an archive that has the
    /// name of a source distribution and no metadata, as others pack what they like.
    pub fn find(file: &str, content: impl Read + Seek, is_strict: bool) -> Result<Option<Self>> {
        let refused = |why: String| {
            Error::refused(format!(
                "`{}` is no distribution file that can be published: {}",
                untrusted::excerpt(file, 200),
                untrusted::line(&why)
            ))
        };
        if file.contains(['/', '\\']) || file.chars().any(char::is_control) {
            return Err(refused("its name is no plain file name".to_owned()));
        }
        let (kind, python) = match WheelName::parse(file) {
            Some(name) => (Kind::Wheel, name.python.to_owned()),
            None if file.ends_with(".tar.gz") => (Kind::Sdist, "source".to_owned()),
            None => {
                let why = "it is neither a wheel (`name-version-python-abi-platform.whl`) nor a source distribution (`name-version.tar.gz`)";
                return Err(refused(why.to_owned()));
            }
        };
        let bytes = match kind {
            Kind::Wheel => wheel::metadata(content),
            Kind::Sdist => sdist::metadata(content),
        };
        let bytes = match bytes {
            Ok(bytes) => bytes,
            Err(_) if kind == Kind::Sdist && !is_strict => return Ok(None),
            Err(why) => return Err(refused(why)),
        };
        let metadata = Metadata::parse(&bytes).map_err(refused)?;
        agree(file, &metadata).map_err(refused)?;
        Ok(Some(Self {
            file: file.to_owned(),
            kind,
            python,
            metadata,
        }))
    }

    /// The name of the project, normalised.
    pub fn normal_name(&self) -> String {
        normalise_name(self.metadata.name())
    }

    /// The version; metadata with none that is of PEP 440 is not read.
    pub fn version(&self) -> Option<Version> {
        Version::parse(self.metadata.version())
    }
}

/// Whether the name of the file is what the metadata says.
fn agree(file: &str, metadata: &Metadata) -> std::result::Result<(), String> {
    let normal = normalise_name(metadata.name());
    let version = if let Some(wheel) = WheelName::parse(file) {
        let is_own = is_name(wheel.distribution, &normal);
        is_own.then(|| wheel.version.replace('_', "-"))
    } else {
        let stem = file.strip_suffix(".tar.gz").unwrap_or(file);
        sdist_version(stem, &normal).map(str::to_owned)
    };
    let Some(version) = version else {
        return Err(format!(
            "its metadata are those of `{}`",
            untrusted::excerpt(metadata.name(), 200)
        ));
    };
    let own = Version::parse(metadata.version()).ok_or_else(|| {
        format!(
            "the version `{}` of its metadata is none of PEP 440",
            untrusted::excerpt(metadata.version(), 200)
        )
    })?;
    if Version::parse(&version) != Some(own) {
        return Err(format!(
            "its metadata say version `{}`",
            untrusted::excerpt(metadata.version(), 200)
        ));
    }
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests;
