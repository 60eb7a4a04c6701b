//! Archives: tar and zstd as streams, and extraction that stays where it was allowed to write.
