//! Archives: tar and zstd as streams, and extraction that stays where it was allowed to write.
//!
//! An archive is laid out as the official cache client makes it (`tar --posix -P -C <workspace> … | zstdmt`): names relative
//! to the workspace, `..` at their beginning where they lie beside it. It is cut into zstd frames that are compressed
//! independently, which every zstd reader takes as one stream, and ends with an [inventory](inventory) in a skippable
//! frame. A [`note`] may stand in front. There is no async code here: readers, compressors and writers of files are threads, and memory is bounded.

mod confinement;
mod decompress;
mod entry;
mod fault;
mod header;
mod inventory;
#[cfg(unix)]
mod landing;
mod list;
pub mod note;
#[cfg(unix)]
mod pack;
mod pax;
mod progress;
mod reader;
#[cfg(unix)]
mod unpack;

pub use confinement::{Confinement, Limits};
pub use entry::{Entry, Kind, Time};
pub use fault::Fault;
pub use list::list;
#[cfg(unix)]
pub use pack::{LeftOut, Level, PackOptions, Packed, Reason, Sources, pack};
pub use progress::Progress;
#[cfg(unix)]
pub use unpack::{Unpacked, Verified, unpack};

/// A tar block, bytes.
const BLOCK: usize = 512;

/// The longest piece of one file in a frame, bytes. Part of the inventory's first schema: longer files have the digest of
/// the digests of their pieces.
const PIECE: usize = 4 << 20;

/// What the folders begin with in which an extraction keeps its files until all is verified. Never packed.
const STAGE_PREFIX: &str = ".lockgate-restore-";

/// A path from the bytes of an archive.
#[cfg(unix)]
fn os(bytes: &[u8]) -> &std::path::Path {
    use std::os::unix::ffi::OsStrExt;

    std::path::Path::new(std::ffi::OsStr::from_bytes(bytes))
}

/// So many bytes fill `size` up to whole blocks.
fn padding(size: u64) -> usize {
    let over = size % (BLOCK as u64);
    // At most 511.
    usize::try_from((BLOCK as u64 - over) % (BLOCK as u64)).unwrap_or_default()
}
