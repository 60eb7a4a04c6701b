//! A run of a pipeline, for people and programs: one file a form. Pure.

pub mod critical;
pub mod events;
pub mod findings;
mod gantt;
pub mod groups;
pub mod json;
pub mod junit;
pub mod live;
mod moment;
pub mod summary;
pub mod text;
pub mod verdict;
mod words;

#[cfg(test)]
pub(crate) mod tests;
