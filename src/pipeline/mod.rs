//! A pipeline's definition, read and judged: what depends on what, what may run, and in which order. Pure.

pub mod deployed;
pub mod draw;
pub mod graph;
pub mod keys;
pub mod plan;
pub mod policy;
pub mod read;
pub mod schedule;
pub mod schema;
pub mod selection;
