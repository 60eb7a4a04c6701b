//! A run of a pipeline, for people and programs: one file a form. Pure.

pub mod critical;
mod gantt;
pub mod summary;
pub mod text;
pub mod verdict;
mod words;

#[cfg(test)]
pub(crate) mod tests;
