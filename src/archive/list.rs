//! What an archive holds, without unpacking it.

use std::io::Read;

use super::confinement::Limits;
use super::decompress::Decompressor;
use super::entry::Entry;
use super::fault::Fault;
use super::progress::Progress;
use super::reader::Reader;

/// The entries of an archive in its order. Reads all of it, writes nothing, and judges no name.
pub fn list(input: impl Read, limits: Limits, progress: &Progress) -> Result<Vec<Entry>, Fault> {
    let mut decompressor = Decompressor::new(input, limits, progress)?;
    let mut reader = Reader::new(|| decompressor.next_chunk());
    let mut entries = Vec::new();
    while let Some(entry) = reader.next_entry()? {
        entries.push(entry);
        progress.add_entries(1);
        limits.check_entries(entries.len() as u64)?;
    }
    Ok(entries)
}
