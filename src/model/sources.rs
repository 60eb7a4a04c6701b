//! The files that a run reads, and places in them: offsets of bytes, made into lines and columns only where a place is
//! shown.

/// Which file of [`Sources`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(u32);

/// A range of bytes in a file, a byte order mark counted, the end exclusive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location {
    /// The file.
    pub file: FileId,
    /// The first byte.
    pub start: u32,
    /// The byte behind the last one.
    pub end: u32,
}

impl Location {
    /// The range from this one's start to the end of a later one.
    #[must_use]
    pub fn to(self, last: Self) -> Self {
        Self {
            end: last.end.max(self.end),
            ..self
        }
    }
}

/// A value and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub at: Location,
}

impl<T> Located<T> {
    /// A value at its place.
    pub fn new(value: T, at: Location) -> Self {
        Self { value, at }
    }
}

/// A file as text. What was UTF-16 is UTF-8 here: lines and columns are the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// Relative to the workspace root, with `/`.
    pub path: String,
    /// The content.
    pub bytes: Vec<u8>,
}

/// The files of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources {
    files: Vec<SourceFile>,
}

/// Larger files are not read: offsets have 32 bits.
pub const FILE_LIMIT: usize = u32::MAX as usize;

impl Sources {
    /// Adds a file. The path is relative to the workspace root, with `/`. `None` where the file is larger than
    /// [`FILE_LIMIT`].
    pub fn add(&mut self, path: impl Into<String>, bytes: Vec<u8>) -> Option<FileId> {
        let id = u32::try_from(self.files.len()).ok()?;
        (bytes.len() < FILE_LIMIT).then(|| {
            self.files.push(SourceFile {
                path: path.into(),
                bytes,
            });
            FileId(id)
        })
    }

    /// Gives a file another content, unless that is larger than [`FILE_LIMIT`]. Places in the old content mean nothing
    /// in it.
    pub fn replace(&mut self, id: FileId, bytes: Vec<u8>) {
        let index = usize::try_from(id.0).unwrap_or(usize::MAX);
        if let Some(file) = self.files.get_mut(index)
            && bytes.len() < FILE_LIMIT
        {
            file.bytes = bytes;
        }
    }

    /// A file.
    pub fn get(&self, id: FileId) -> Option<&SourceFile> {
        self.files.get(usize::try_from(id.0).ok()?)
    }

    /// The file at a path.
    pub fn find(&self, path: &str) -> Option<FileId> {
        let index = self.files.iter().position(|file| file.path == path)?;
        u32::try_from(index).ok().map(FileId)
    }

    /// The path of a file; empty where there is none.
    pub fn path(&self, id: FileId) -> &str {
        self.get(id).map_or("", |file| &file.path)
    }

    /// The content of a file; empty where there is none.
    pub fn bytes(&self, id: FileId) -> &[u8] {
        self.get(id).map_or(&[], |file| &file.bytes)
    }

    /// What stands at a place.
    pub fn text(&self, at: Location) -> &str {
        let range = at.start as usize..at.end as usize;
        let bytes = self.bytes(at.file).get(range).unwrap_or_default();
        std::str::from_utf8(bytes).unwrap_or_default()
    }

    /// The line that a place begins on, 1-based. Reads the file up to there.
    pub fn line(&self, at: Location) -> u32 {
        let bytes = self.bytes(at.file);
        let before = bytes.get(..at.start as usize).unwrap_or(bytes);
        let lines = memchr::memchr_iter(b'\n', before).count();
        u32::try_from(lines).map_or(u32::MAX, |lines| lines.saturating_add(1))
    }

    /// All files.
    pub fn iter(&self) -> impl Iterator<Item = (FileId, &SourceFile)> {
        (0..).map(FileId).zip(&self.files)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_line_and_a_text() {
        let mut sources = Sources::default();
        let file = sources.add("a/uv.lock", b"one\ntwo\n".to_vec()).unwrap();
        let at = Location {
            file,
            start: 4,
            end: 7,
        };
        assert_eq!((sources.line(at), sources.text(at)), (2, "two"));
        let behind = Location {
            start: 900,
            end: 901,
            ..at
        };
        assert_eq!((sources.line(behind), sources.text(behind)), (3, ""));
        assert_eq!(sources.find("a/uv.lock"), Some(file));
        assert_eq!(sources.find("uv.lock"), None);
    }
}
