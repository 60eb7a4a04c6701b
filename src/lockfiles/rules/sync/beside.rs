//! The project beside a lock.

use crate::lockfiles::document::{Document, Value};
use crate::lockfiles::facts::Facts;
use crate::lockfiles::fault::Faults;
use crate::model::sources::{FileId, Location};

/// A `pyproject.toml` that was read.
pub struct Project<'a> {
    /// The file.
    pub file: FileId,
    /// Its folder, empty or with `/` at the end.
    pub folder: &'a str,
    /// Its content.
    pub document: Document<'a>,
}

impl<'a> Project<'a> {
    /// The one beside the lock; `None` where there is none, or none that can be read.
    pub fn of(facts: &Facts<'a>) -> Option<Self> {
        let lock = facts.sources.path(facts.lock.file);
        let end = lock.rfind('/').map_or(0, |slash| slash + 1);
        let folder = lock.get(..end)?;
        let file = facts.sources.find(&format!("{folder}pyproject.toml"))?;
        let document = read(file, facts)?;
        Some(Self {
            file,
            folder,
            document,
        })
    }

    /// Where the key of a value stands.
    pub fn key_at(&self, value: Value<'_, '_>) -> Location {
        let key = value.key_range();
        let range = if key.is_empty() { value.range() } else { key };
        let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Location {
            file: self.file,
            start: offset(range.start),
            end: offset(range.end),
        }
    }
}

/// A document of any file; `None` where it is none.
pub fn read<'a>(file: FileId, facts: &Facts<'a>) -> Option<Document<'a>> {
    // What is wrong in a pyproject.toml is for its own tools to say.
    let mut faults = Faults::new(facts.lock.format, file);
    Document::read(facts.sources.bytes(file), &mut faults)
}
