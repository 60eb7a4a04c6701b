//! What decides a key, as every step that computes one takes it.

use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use crate::github::inputs::{Trimmed, boolean};

/// What decides a key. All of it may be left out.
#[derive(Clone, Debug, Default, Args)]
pub struct KeyArguments {
    /// Files of which every byte counts, as patterns of `hashFiles()`
    #[arg(long, value_name = "PATTERN")]
    pub files: Vec<String>,

    /// Lockfiles that decide the key, as paths or patterns of `hashFiles()` [default: where no `files` are named, those of the nearest folder that has any, from the working directory up]
    #[arg(long, value_name = "PATTERN")]
    pub lockfiles: Vec<String>,

    /// Whether locks count by what is installed from them; otherwise every byte of them does [default: true]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = boolean)]
    pub semantic: Option<bool>,

    /// Version of Python, such as 3.12, 3.13t or pypy3.10 [default: by .venv, .python-version or PATH]
    #[arg(long, value_name = "VERSION", value_parser = Trimmed(NonEmptyStringValueParser::new()))]
    pub python_version: Option<String>,

    /// Tools whose version enters the key and whose cache is kept, such as uv, pip, poetry, pre-commit, mypy or ruff
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = Trimmed(NonEmptyStringValueParser::new()))]
    pub tools: Vec<String>,

    /// Let the version of the runner's image enter the key [default: false]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = boolean)]
    pub include_image: Option<bool>,

    /// Text in front of the key; other prefixes are never restored from
    #[arg(long, value_name = "TEXT")]
    pub prefix: Option<String>,

    /// Text behind the key, such as the number of the run; other suffixes are restored from
    #[arg(long, value_name = "TEXT")]
    pub suffix: Option<String>,

    /// What else must be the same, as `NAME=VALUE`
    #[arg(long, value_name = "NAME=VALUE")]
    pub extra: Vec<String>,

    /// What to keep under the key [default: the caches of the package managers and tools]
    #[arg(long, value_name = "PATH")]
    pub paths: Vec<String>,

    /// Accept that there is nothing to make a digest from [default: false]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = boolean)]
    pub allow_empty: Option<bool>,
}
