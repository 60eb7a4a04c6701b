//! What is known already: findings known again after lines, files and functions moved, and the file that holds them.
//! Pure.

mod file;
mod hash;
mod import;
mod key;
mod matching;
mod message;
mod outline;
mod python;

pub use file::Baseline;
pub use import::Foreign;
pub use key::{Column, Essence, Keyed, Keyer, Repeats, key};
pub use matching::{Entry, ForeignColumn, Known, Matching, matching};
pub use outline::{Inventory, Outline, Site};
