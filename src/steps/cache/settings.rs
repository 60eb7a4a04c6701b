//! What the arguments mean: typed, with defaults, checked.

use std::time::Duration;

use crate::error::{Error, Result};
use crate::model::{duration, size};
use crate::steps::cache::Arguments;
use crate::steps::cache::policy::SavePolicy;
use crate::steps::key;

/// How long a restore may take where nobody says.
const RESTORE: Duration = Duration::from_mins(5);

/// How long a server may say nothing where nobody says.
const STALL: Duration = Duration::from_secs(10);

/// What fails the step. By itself nothing does: a cache is a help.
#[derive(Clone, Copy, Debug)]
pub struct Strictness {
    /// Whether a miss fails.
    pub fail_on_miss: bool,
    /// Whether a fault gives no verdict.
    pub required: bool,
}

/// The arguments of one run, in the step's own terms.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The key that the user named.
    pub key: Option<String>,
    /// The restore keys that the user named.
    pub restore_keys: Vec<String>,
    /// The paths that the user named, as they were written.
    pub paths: Vec<String>,
    /// How a key is computed.
    pub computed: key::Settings,
    /// The store that the user named.
    pub store: Option<String>,
    /// When the end of the job saves.
    pub save: SavePolicy,
    /// Whether nothing is restored.
    pub lookup_only: bool,
    /// What fails the step.
    pub strictness: Strictness,
    /// How long a restore may take.
    pub restore_timeout: Duration,
    /// How long a server may say nothing.
    pub stall: Duration,
    /// The level of zstd; `None` for what suits.
    pub level: Option<u8>,
    /// Most bytes that a package manager's cache keeps.
    pub max_size: Option<u64>,
    /// Whether nothing is removed.
    pub dry_run: bool,
}

impl Settings {
    /// Reads the arguments.
    pub fn new(arguments: &Arguments) -> Result<Self> {
        let span = |name: &str, text: &Option<String>, usual: Duration| match text {
            None => Ok(usual),
            Some(text) => duration::parse(text)
                .map_err(|what| Error::usage(format!("`{name}`: `{text}`: {what}"))),
        };
        let max_size = arguments
            .max_size
            .as_deref()
            .map(|text| {
                size::parse(text)
                    .map_err(|what| Error::usage(format!("`max-size`: `{text}`: {what}")))
            })
            .transpose()?;
        Ok(Self {
            key: arguments.cache_key.clone(),
            restore_keys: arguments.restore_keys.clone(),
            paths: arguments.key.paths.clone(),
            computed: key::Settings::new(&arguments.key)?,
            store: arguments.store.clone(),
            save: arguments.save.unwrap_or_default(),
            lookup_only: arguments.lookup_only.unwrap_or(false),
            strictness: Strictness {
                fail_on_miss: arguments.fail_on_cache_miss.unwrap_or(false),
                required: arguments.required.unwrap_or(false),
            },
            restore_timeout: span("restore-timeout", &arguments.restore_timeout, RESTORE)?,
            stall: span("stall-timeout", &arguments.stall_timeout, STALL)?,
            level: arguments.compression_level,
            max_size,
            dry_run: arguments.dry_run,
        })
    }
}
