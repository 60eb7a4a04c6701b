//! Findings that are known again in another tree, and the file that holds them.

mod refactorings;
