//! The components as a document, for outputs, for what is stored beside a cache, and for a later comparison.

use serde::{Deserialize, Serialize};

use crate::model::cache_key::Components;

/// The shape of the document.
const SCHEMA: &str = "lockgate.cache-key.components/1";

/// The document: the key and what it was made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Document {
    /// The shape of the document.
    pub schema: String,
    /// The key.
    pub key: String,
    /// What it was made from.
    pub components: Components,
}

impl Document {
    /// The document of these components.
    pub fn new(components: Components) -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            key: components.key(),
            components,
        }
    }

    /// The document as JSON on one line.
    pub fn render(&self) -> String {
        // Texts and maps of texts are never refused.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The same in at most `room` bytes of JSON: without the lists of packages and files where they are too long.
    #[must_use]
    pub fn within(mut self, room: usize) -> Self {
        if self.render().len() <= room {
            return self;
        }
        for lock in &mut self.components.locks {
            lock.packages.clear();
        }
        if self.render().len() <= room {
            return self;
        }
        self.components.files.clear();
        self.components.locks.clear();
        self
    }

    /// The document as JSON in at most `room` bytes, as [`Self::within`] shortens it.
    pub fn render_within(self, room: usize) -> String {
        self.within(room).render()
    }

    /// Reads a document; fails with a reason.
    pub fn parse(text: &[u8]) -> Result<Self, String> {
        let document: Self = serde_json::from_slice(text).map_err(|error| error.to_string())?;
        if document.schema == SCHEMA {
            Ok(document)
        } else {
            Err(format!("its `schema` is not `{SCHEMA}`"))
        }
    }
}
