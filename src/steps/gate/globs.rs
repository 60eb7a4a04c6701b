//! The one grammar of globs: `*` stays within a folder, `**` crosses them, a folder means all below it.

use globset::{GlobBuilder, GlobMatcher, GlobSet, GlobSetBuilder};

use crate::error::{Error, Result};

/// A glob of the user's, for the input `input`. A folder means all below it.
pub fn glob(input: &str, text: &str) -> Result<GlobMatcher> {
    let pattern = if text.ends_with('/') {
        format!("{text}**")
    } else {
        text.to_owned()
    };
    let built = GlobBuilder::new(pattern.strip_prefix("./").unwrap_or(&pattern))
        .literal_separator(true)
        .backslash_escape(true)
        .build();
    built.map(|glob| glob.compile_matcher()).map_err(|error| {
        Error::usage(format!("`{input}`: `{text}` is no glob: {}", error.kind()))
            .hint("write a glob such as `src/generated/**`")
    })
}

/// Several globs as one; a plain path also means all below it.
pub fn globs(input: &str, texts: &[String]) -> Result<GlobSet> {
    let mut set = GlobSetBuilder::new();
    for text in texts {
        let matcher = glob(input, text)?;
        set.add(matcher.glob().clone());
        if !text.ends_with('/') {
            set.add(glob(input, &format!("{text}/**"))?.glob().clone());
        }
    }
    set.build()
        .map_err(|error| Error::usage(format!("`{input}` cannot be used")).cause(error))
}
