//! A run of a pipeline, for people and programs.
