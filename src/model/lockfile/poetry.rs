//! What only `poetry.lock` has.

use crate::model::lockfile::Text;
use crate::model::sources::Located;

/// The rest of a `poetry.lock`.
#[derive(Clone, Debug, Default)]
pub struct Poetry<'a> {
    /// `[extras]`: each extra and the packages it brings.
    pub extras: Vec<(Located<Text<'a>>, Vec<Located<Text<'a>>>)>,
    /// Whether the files stand in `[metadata.files]` (lock version 1.x) and not at the packages.
    pub has_metadata_files: bool,
}
