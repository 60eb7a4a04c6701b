//! What only `pdm.lock` has.

use crate::model::lockfile::Text;
use crate::model::sources::{Located, Location};

/// The rest of a `pdm.lock`.
#[derive(Clone, Debug, Default)]
pub struct Pdm<'a> {
    /// `metadata.groups`: the groups that it is for.
    pub groups: Vec<Located<Text<'a>>>,
    /// `metadata.strategy`.
    pub strategy: Vec<Located<Text<'a>>>,
    /// `metadata.targets`: the environments that it is for.
    pub targets: Vec<PdmTarget<'a>>,
    /// Where `metadata.lock_inputs` is: it stands in place of the content hash.
    pub lock_inputs: Option<Location>,
}

/// Environments that a `pdm.lock` is for.
#[derive(Clone, Debug)]
pub struct PdmTarget<'a> {
    /// The Pythons.
    pub requires_python: Option<Located<Text<'a>>>,
    /// Whether it is for one platform or implementation only.
    pub is_narrow: bool,
}
