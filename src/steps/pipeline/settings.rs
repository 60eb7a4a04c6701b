//! What the arguments mean: typed, with defaults, checked.

use std::path::PathBuf;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::model::{duration, size};
use crate::pipeline::schedule::Limits;
use crate::steps::pipeline::Arguments;

/// How long a stage may take where nobody says.
pub const TIMEOUT: Duration = Duration::from_hours(1);

/// How long a stage has to end where nobody says: the runner itself gives a job ten seconds in all.
pub const GRACE: Duration = Duration::from_secs(5);

/// How long the shared store may keep a stage waiting where nobody says.
const SHARED_STORE: Duration = Duration::from_mins(1);

/// Which stages were asked for.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// Only these stages.
    pub only: Vec<String>,
    /// Only these and what depends on them.
    pub from: Vec<String>,
    /// Only these and what they need.
    pub until: Vec<String>,
    /// Only what did not pass in the last run.
    pub resume: bool,
    /// Only what changed files concern.
    pub affected: bool,
}

/// The arguments of one run, in the step's own terms.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Which stages were asked for.
    pub asked: Asked,
    /// The revision to compare with.
    pub base: Option<String>,
    /// Cores that the stages share.
    pub jobs: u32,
    /// Bytes that the stages share.
    pub memory: Option<u64>,
    /// Whether stages that do not depend on a failed one still start.
    pub keep_going: bool,
    /// How long a stage may take that does not say itself.
    pub timeout: Duration,
    /// How long a stage has to end that does not say itself.
    pub grace: Duration,
    /// Whether every stage runs, changed or not.
    pub no_cache: bool,
    /// How long the shared store may keep a stage waiting, and the end of the run.
    pub shared_store_timeout: Duration,
    /// Whether every stage's key is explained.
    pub explain_skip: bool,
    /// Where outputs and manifest are written.
    pub bundle: Option<PathBuf>,
    /// Where JUnit XML is written.
    pub junit_file: Option<PathBuf>,
    /// Where events are written.
    pub events_file: Option<PathBuf>,
}

impl Settings {
    /// Reads the arguments.
    pub fn new(arguments: &Arguments) -> Result<Self> {
        let time = |name: &str, text: &Option<String>, default| match text.as_deref() {
            None => Ok(default),
            Some(text) => duration::parse(text)
                .map_err(|what| Error::usage(format!("`{name}`: `{text}`: {what}"))),
        };
        let memory = arguments.memory.as_deref().map(|text| {
            size::parse(text)
                .ok()
                .filter(|bytes| *bytes > 0)
                .ok_or_else(|| {
                    Error::usage(format!("`memory`: `{text}` is no size"))
                        .hint("write a size such as `8GB`")
                })
        });
        let mut only = arguments.only.clone();
        only.extend(arguments.stages.iter().cloned());
        let has_other = !arguments.from.is_empty() || !arguments.until.is_empty();
        if !only.is_empty() && has_other {
            return Err(Error::usage(
                "`only` names all stages of the run, and leaves nothing to `from` and `until`",
            )
            .hint("keep one of them"));
        }
        Ok(Self {
            asked: Asked {
                only,
                from: arguments.from.clone(),
                until: arguments.until.clone(),
                resume: arguments.resume.unwrap_or_default(),
                affected: arguments.affected.unwrap_or_default(),
            },
            base: arguments.base.clone(),
            jobs: arguments.jobs.unwrap_or_else(cores),
            memory: memory.transpose()?,
            keep_going: arguments.keep_going.unwrap_or_default(),
            timeout: time("timeout", &arguments.timeout, TIMEOUT)?,
            grace: time("grace", &arguments.grace, GRACE)?,
            no_cache: arguments.no_cache.unwrap_or_default(),
            shared_store_timeout: time(
                "shared-store-timeout",
                &arguments.shared_store_timeout,
                SHARED_STORE,
            )?,
            explain_skip: arguments.explain_skip.unwrap_or_default(),
            bundle: arguments.bundle.clone(),
            junit_file: arguments.junit_file.clone(),
            events_file: arguments.events_file.clone(),
        })
    }

    /// What the scheduler is to keep to.
    pub fn limits(&self) -> Limits {
        Limits {
            cores: self.jobs,
            memory: self.memory,
            keep_going: self.keep_going,
        }
    }
}

/// The cores that we may use.
fn cores() -> u32 {
    let cores = std::thread::available_parallelism();
    cores.map_or(1, |cores| u32::try_from(cores.get()).unwrap_or(1))
}
