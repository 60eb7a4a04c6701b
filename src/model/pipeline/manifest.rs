//! What stages made, as their consumers may rely on it: the manifest of a pipeline's artifacts.

use crate::model::digest::{Pieces, Sha};

/// One output of one stage as it was made. What it promises: these files with these bytes, and no others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// The stage that made it.
    pub stage: String,
    /// The name of the output.
    pub output: String,
    /// What it is.
    pub kind: Kind,
    /// Its files and links, by path.
    pub entries: Vec<Entry>,
    /// Where it comes from.
    pub source: Source,
}

/// Where a result comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Source {
    /// This run made it.
    #[default]
    Run,
    /// An earlier run on this machine made it.
    Local,
    /// It, or something that it was made from, comes from a store that others write to. Nothing of this kind is deployed.
    Shared,
}

impl Source {
    /// The name in manifests and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Local => "local",
            Self::Shared => "shared",
        }
    }
}

/// What an output is, by how it was declared and what was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The file or files that a name or pattern matched.
    Files,
    /// A folder with all that is in it; its path, relative to the root, with `/`.
    Folder(String),
}

/// A file or link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its path, relative to the root, with `/`.
    pub path: String,
    /// What is there.
    pub content: Content,
}

/// What is at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A file.
    File {
        /// Its bytes.
        size: u64,
        /// SHA-256 of them.
        digest: Sha,
        /// Whether its owner may execute it.
        executable: bool,
    },
    /// A symbolic link, which leads to something inside of the root.
    Link {
        /// What it says.
        target: String,
    },
}

impl Artifact {
    /// The paths that a consumer names: the folder, or each file.
    pub fn paths(&self) -> Vec<&str> {
        match &self.kind {
            Kind::Folder(path) => vec![path],
            Kind::Files => self.entries.iter().map(|entry| &*entry.path).collect(),
        }
    }

    /// Bytes of all files.
    pub fn size(&self) -> u64 {
        let sizes = self.entries.iter().map(|entry| match entry.content {
            Content::File { size, .. } => size,
            Content::Link { .. } => 0,
        });
        sizes.sum()
    }

    /// One digest: that of the file where it is one, else that of the list of all entries.
    pub fn digest(&self) -> Sha {
        if let (Kind::Files, [entry]) = (&self.kind, &*self.entries)
            && let Content::File { digest, .. } = entry.content
        {
            return digest;
        }
        let mut pieces = Pieces::default();
        for entry in &self.entries {
            entry.add_to(&mut pieces);
        }
        pieces.finish()
    }
}

impl Entry {
    /// Adds everything that distinguishes this entry from others.
    pub fn add_to(&self, pieces: &mut Pieces) {
        pieces.add(&self.path);
        match &self.content {
            Content::File {
                digest, executable, ..
            } => pieces.add("file").add(digest).add([u8::from(*executable)]),
            Content::Link { target } => pieces.add("link").add(target),
        };
    }
}
