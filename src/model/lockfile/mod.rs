//! A lockfile, whatever its format: what it pins, and where each thing stands in the file.
//!
//! Texts are borrowed from the file's bytes, but for the few that are written with escapes. Nothing is interpreted that
//! a rule may have to show as it was written: versions, markers and specifiers are texts.

mod format;
mod name;
mod package;
mod pdm;
mod pipfile;
mod poetry;
mod pylock;
mod requirements;
mod uv;

use std::borrow::Cow;

pub use crate::model::lockfile::format::Format;
pub use crate::model::lockfile::name::{Name, normalise};
pub use crate::model::lockfile::package::{
    Edge, File, FileKind, GitReference, Hash, Package, Requirement, Section, Source,
};
pub use crate::model::lockfile::pdm::{Pdm, PdmTarget};
pub use crate::model::lockfile::pipfile::{Pipfile, PipfileSource};
pub use crate::model::lockfile::poetry::Poetry;
pub use crate::model::lockfile::pylock::{Pylock, PylockKind};
pub use crate::model::lockfile::requirements::{RequirementsFile, RequirementsOption};
pub use crate::model::lockfile::uv::{
    Conflict, GroupPythons, Manifest, PackageMetadata, Scoped, StaticMetadata, Uv, UvOptions,
};
use crate::model::sources::{FileId, Located};

/// A text of the file.
pub type Text<'a> = Cow<'a, str>;

/// A lockfile that was read.
#[derive(Clone, Debug)]
pub struct Lockfile<'a> {
    /// The format.
    pub format: Format,
    /// The file; requirements may include others, to which their places point.
    pub file: FileId,
    /// The version of the format: `1`, `2.1`, `4.5.0`.
    pub version: Option<Located<Text<'a>>>,
    /// What wrote the file, where it says: `Poetry 2.5.1`, `pip-compile`.
    pub generator: Option<Located<Text<'a>>>,
    /// The Pythons that it is for.
    pub requires_python: Option<Located<Text<'a>>>,
    /// The hash of the inputs that it was made from, where the format has one.
    pub content_hash: Option<Hash<'a>>,
    /// The markers of the environments for which it was resolved apart: uv's `resolution-markers`, the `environments`
    /// of PEP 751.
    pub resolution_markers: Vec<Located<Text<'a>>>,
    /// What it pins, in the order of the file. uv has the workspace's own packages here as well.
    pub packages: Vec<Package<'a>>,
    /// What only this format has.
    pub specific: Specific<'a>,
}

/// What only one format has.
#[derive(Clone, Debug)]
pub enum Specific<'a> {
    /// `uv.lock` and script locks.
    Uv(Box<Uv<'a>>),
    /// `poetry.lock`.
    Poetry(Box<Poetry<'a>>),
    /// `pdm.lock`.
    Pdm(Box<Pdm<'a>>),
    /// `Pipfile.lock`.
    Pipfile(Box<Pipfile<'a>>),
    /// `pylock.toml`.
    Pylock(Box<Pylock<'a>>),
    /// `requirements*.txt`.
    Requirements(Box<RequirementsFile<'a>>),
}

impl<'a> Lockfile<'a> {
    /// What only uv has.
    pub fn uv(&self) -> Option<&Uv<'a>> {
        match &self.specific {
            Specific::Uv(uv) => Some(uv),
            _ => None,
        }
    }

    /// What only poetry has.
    pub fn poetry(&self) -> Option<&Poetry<'a>> {
        match &self.specific {
            Specific::Poetry(poetry) => Some(poetry),
            _ => None,
        }
    }

    /// What only pdm has.
    pub fn pdm(&self) -> Option<&Pdm<'a>> {
        match &self.specific {
            Specific::Pdm(pdm) => Some(pdm),
            _ => None,
        }
    }

    /// What only a Pipfile's lock has.
    pub fn pipfile(&self) -> Option<&Pipfile<'a>> {
        match &self.specific {
            Specific::Pipfile(pipfile) => Some(pipfile),
            _ => None,
        }
    }

    /// What only PEP 751 has.
    pub fn pylock(&self) -> Option<&Pylock<'a>> {
        match &self.specific {
            Specific::Pylock(pylock) => Some(pylock),
            _ => None,
        }
    }

    /// What only requirements have.
    pub fn requirements(&self) -> Option<&RequirementsFile<'a>> {
        match &self.specific {
            Specific::Requirements(requirements) => Some(requirements),
            _ => None,
        }
    }

    /// The packages of this [normalised](normalise) name: several where markers choose between versions.
    pub fn named(&self, normal: &str) -> impl Iterator<Item = &Package<'a>> {
        self.packages
            .iter()
            .filter(move |package| package.name.normal == normal)
    }

    /// What it pins of others: all but the workspace's own packages.
    pub fn third_party(&self) -> impl Iterator<Item = &Package<'a>> {
        self.packages.iter().filter(|package| !package.is_local())
    }
}
