//! A pipeline's definition, read and judged: what depends on what, what may run, and in which order. Pure.

pub mod keys;
pub mod read;
