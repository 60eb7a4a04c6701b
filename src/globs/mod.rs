//! Patterns of files as the runner's `hashFiles()` reads them. Pure.
