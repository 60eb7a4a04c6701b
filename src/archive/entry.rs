//! An entry of an archive, as pack writes and unpack reads it.

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A folder.
    Directory,
    /// A symbolic link.
    Symlink,
    /// Another name of an earlier file.
    HardLink,
}

/// A time since 1970, with what is below a second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Time {
    /// Whole seconds, rounded down.
    pub seconds: i64,
    /// Nanoseconds above them, less than a thousand million.
    pub nanoseconds: u32,
}

/// An entry without its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name as the archive has it, any bytes but NUL.
    pub name: Vec<u8>,
    /// What it is.
    pub kind: Kind,
    /// Content, bytes. Nothing but files has any.
    pub size: u64,
    /// Permission bits, with setuid, setgid and sticky.
    pub mode: u32,
    /// When the content changed last.
    pub mtime: Time,
    /// Where a link leads: of a symbolic link any text, of a hard link the name of an entry. Empty otherwise.
    pub link: Vec<u8>,
}

impl Entry {
    /// What the inventory's digest of all entries is made of.
    pub(super) fn noted(&self, out: &mut Vec<u8>) {
        out.push(match self.kind {
            Kind::File => 0,
            Kind::Directory => 1,
            Kind::Symlink => 2,
            Kind::HardLink => 3,
        });
        out.extend(self.size.to_le_bytes());
        out.extend(self.mode.to_le_bytes());
        out.extend(self.mtime.seconds.to_le_bytes());
        out.extend(self.mtime.nanoseconds.to_le_bytes());
        for text in [&self.name, &self.link] {
            out.extend((text.len() as u64).to_le_bytes());
            out.extend_from_slice(text);
        }
    }
}
