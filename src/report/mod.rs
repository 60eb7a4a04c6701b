//! A report as bytes for people and machines: one file a form. Pure.

pub mod annotations;
pub mod json;
pub mod sarif;
pub mod summary;
pub mod text;
