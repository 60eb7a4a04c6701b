//! Why a store did not do what it was asked: each cause with its own message and hint.
//!
//! A fault of a cache fails no job by itself; [`Fault::error`] is for the step that was told to.

use std::fmt;
use std::time::Duration;

use crate::error::{Error, Kind};
use crate::model::untrusted;
use crate::system::http::exchange::{Outcome, Reply, Trouble};

/// Longer texts of strangers are cut in messages.
const EXCERPT: usize = 300;

/// What was to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// To look up or to restore.
    Read,
    /// To save or to delete.
    Write,
}

/// What is wrong with a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyFault {
    /// It is empty.
    Empty,
    /// So many characters, more than 512.
    Long(usize),
    /// It holds a comma.
    Comma,
    /// It holds a control character.
    Control,
    /// So many keys, more than ten.
    Many(usize),
}

/// Why there is nothing to talk to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Absence {
    /// A variable of the runner is not there, as outside of an action.
    NoVariable(&'static str),
    /// The server is an enterprise server: it has no such service.
    EnterpriseServer(String),
    /// The address of the service is none that may be asked.
    BadAddress,
    /// The token cannot be sent.
    BadToken,
    /// `cache-mode: none`.
    Off,
}

/// Why a store did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The entry is there already, or reserved.
    Exists {
        /// Its key.
        key: String,
        /// Whether it may be our own: the answer to an earlier attempt was lost.
        may_be_own: bool,
    },
    /// A policy or a credential forbids it.
    Denied {
        /// What was forbidden.
        access: Access,
        /// What the service says.
        message: String,
    },
    /// Too much was asked lately.
    RateLimited {
        /// How long the service asks to wait, longer than we may.
        after: Option<Duration>,
        /// How often it was tried.
        attempts: u32,
    },
    /// There is no room, or no money for more.
    Quota {
        /// What the service says.
        message: String,
    },
    /// The server is broken, or does not take the request.
    Server {
        /// Its status.
        status: u16,
        /// What it says.
        message: String,
        /// How often it was tried.
        attempts: u32,
    },
    /// The network gave no answer.
    Network {
        /// What went wrong last.
        cause: String,
        /// How often it was tried.
        attempts: u32,
    },
    /// An answer that is none.
    InvalidAnswer {
        /// What is wrong with it.
        what: String,
    },
    /// A key that no service takes.
    InvalidKey {
        /// The key, shortened.
        key: String,
        /// What is wrong with it.
        why: KeyFault,
    },
    /// There is nothing to talk to.
    Unavailable(Absence),
    /// What is asked for is not there, or no longer.
    Missing {
        /// What.
        what: String,
    },
    /// It became another one while it was read, or its size is not the one that was told.
    Changed {
        /// What differs.
        what: String,
    },
    /// Somebody else was faster: the object is not the one that was to be replaced, or exists.
    Conflict {
        /// The name of the object.
        name: String,
    },
    /// It took longer than it may.
    TooSlow {
        /// The limit.
        limit: Duration,
        /// How many bytes came in that time.
        bytes: u64,
    },
    /// The name of a store or of an object is none.
    Usage(Box<Error>),
    /// The file system did not do it.
    Disk {
        /// The path.
        path: String,
        /// What it says.
        cause: String,
    },
    /// Whoever takes the bytes, or gives them, went away.
    Hung,
    /// We were told to stop by this signal.
    Stopped(u8),
}

impl Fault {
    /// One word for outputs and statistics.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Exists { .. } => "exists",
            Self::Denied { .. } => "denied",
            Self::RateLimited { .. } => "rate-limited",
            Self::Quota { .. } => "quota",
            Self::Server { .. } => "server",
            Self::Network { .. } => "network",
            Self::InvalidAnswer { .. } => "invalid-answer",
            Self::InvalidKey { .. } => "invalid-key",
            Self::Unavailable(_) => "unavailable",
            Self::Missing { .. } => "missing",
            Self::Changed { .. } => "changed",
            Self::Conflict { .. } => "conflict",
            Self::TooSlow { .. } => "too-slow",
            Self::Usage(_) => "usage",
            Self::Disk { .. } => "disk",
            Self::Hung => "ended",
            Self::Stopped(_) => "stopped",
        }
    }

    /// Whether nothing is wrong that anybody should repair: a notice is enough.
    pub fn is_expected(&self) -> bool {
        matches!(self, Self::Exists { .. } | Self::Denied { .. })
    }

    /// The error that shows it.
    pub fn error(self) -> Error {
        let message = self.to_string();
        let hint = self.hint();
        let error = match self {
            Self::Usage(error) => return *error,
            Self::Stopped(signal) => return Error::interrupted(signal),
            Self::InvalidKey { .. } => Error::usage(message),
            _ => Error::no_verdict(message),
        };
        match hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Exists {
                may_be_own: true, ..
            } => {
                "an answer of the service was lost: it frees a key that nobody completes by itself, usually within a day; until then take another key"
            }
            Self::Exists { .. } => {
                "entries never change: a key that names what is in it needs no second save"
            }
            Self::Denied {
                access: Access::Write,
                ..
            } => {
                "runs of untrusted events may only read; look at `cache-mode` of the workflow and at the event that started it"
            }
            Self::Denied {
                access: Access::Read,
                ..
            } => "look at `cache-mode` of the workflow, or at the rights of the credentials",
            Self::RateLimited { .. } => {
                "fewer jobs at once, or fewer entries, stay below the limit"
            }
            Self::Quota { .. } => {
                "delete entries that nobody needs (`lockgate cache list`, `lockgate cache delete`), or raise the limit in the settings of the repository"
            }
            Self::Server {
                status: 401 | 403, ..
            } => "the credentials, or the signed address, are not or no longer valid",
            Self::Server { .. } | Self::Network { .. } | Self::TooSlow { .. } => {
                "the job goes on without the cache; where it happens again, look at the status page of the service and at proxies"
            }
            Self::InvalidAnswer { .. } => {
                "is ACTIONS_RESULTS_URL, or the endpoint, the address of such a service?"
            }
            Self::InvalidKey { .. } => {
                "a key has at most 512 characters and no comma; at most 10 keys are asked for at once"
            }
            Self::Unavailable(Absence::EnterpriseServer(_)) => {
                "use `lockgate cache-key` with the `actions/cache` of your server, or name another store: a folder, `s3://`, `gs://` or `az://`"
            }
            Self::Unavailable(Absence::Off) => {
                "write `cache-mode: read` or `write` in the workflow, or leave it out"
            }
            Self::Unavailable(_) => {
                "a `run:` step never gets the runner's cache token: use the action `actions/cache` of Lockgate, or name another store: a folder, `s3://`, `gs://` or `az://`"
            }
            Self::Missing { .. } => "it may have been deleted in the meantime",
            Self::Changed { .. } => "nothing of it is used; delete the entry if it happens again",
            Self::Conflict { .. } => "read it again, and decide anew",
            Self::Usage(error) => return error.hint.clone(),
            Self::Disk { .. } | Self::Hung | Self::Stopped(_) => return None,
        };
        Some(hint.to_owned())
    }

    /// The fault behind the last attempt, where it gave no answer.
    pub fn of_trouble(trouble: Trouble, attempts: u32) -> Self {
        match trouble {
            Trouble::Refused(what) => Self::InvalidAnswer { what },
            Trouble::Unreached(cause) | Trouble::Lost(cause) => Self::Network { cause, attempts },
            Trouble::Stopped(signal) => Self::Stopped(signal),
        }
    }

    /// The fault behind an answer that is no success, where nothing is known but HTTP.
    pub fn of_reply(reply: &Reply, access: Access, attempts: u32) -> Self {
        let message = excerpt(&String::from_utf8_lossy(&reply.body));
        Self::of_status(reply.status, message, access, attempts, reply.retry_after())
    }

    /// The same, from its parts.
    pub fn of_status(
        status: u16,
        message: String,
        access: Access,
        attempts: u32,
        after: Option<Duration>,
    ) -> Self {
        match status {
            401 | 403 => Self::Denied { access, message },
            404 | 410 => Self::Missing {
                what: "what is asked for".to_owned(),
            },
            429 => Self::RateLimited { after, attempts },
            507 => Self::Quota { message },
            200..=399 => Self::InvalidAnswer {
                what: format!("the status {status} is no answer to this"),
            },
            _ => Self::Server {
                status,
                message,
                attempts,
            },
        }
    }

    /// The same fault, after so many attempts.
    #[must_use]
    pub fn after(mut self, made: u32) -> Self {
        if let Self::RateLimited { attempts, .. }
        | Self::Server { attempts, .. }
        | Self::Network { attempts, .. } = &mut self
        {
            *attempts = made;
        }
        self
    }

    /// The last answer, or the fault behind there being none.
    pub fn answered(outcome: Outcome) -> Result<(Reply, u32, bool), Self> {
        match outcome.last {
            Ok(reply) => Ok((reply, outcome.attempts, outcome.lost_before)),
            Err(trouble) => Err(Self::of_trouble(trouble, outcome.attempts)),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let times = |attempts: u32| crate::error::count(u64::from(attempts), "attempt");
        match self {
            Self::Exists {
                key,
                may_be_own: false,
            } => {
                write!(
                    formatter,
                    "an entry with the key `{key}` exists already, or another job is saving it"
                )
            }
            Self::Exists {
                key,
                may_be_own: true,
            } => {
                write!(
                    formatter,
                    "the key `{key}` is reserved, perhaps by ourselves a moment ago"
                )
            }
            Self::Denied { access, message } => {
                let verb = match access {
                    Access::Read => "read",
                    Access::Write => "written",
                };
                write!(formatter, "this job may not have the store {verb}")?;
                told(formatter, message)
            }
            Self::RateLimited { after, attempts } => {
                write!(
                    formatter,
                    "too many requests: refused in {}",
                    times(*attempts)
                )?;
                match after {
                    Some(after) => {
                        write!(formatter, ", to be asked again in {} s", after.as_secs())
                    }
                    None => Ok(()),
                }
            }
            Self::Quota { message } => {
                formatter.write_str("the store is full, or its budget is spent")?;
                told(formatter, message)
            }
            Self::Server {
                status,
                message,
                attempts,
            } => {
                write!(
                    formatter,
                    "the store answers {status} in {}",
                    times(*attempts)
                )?;
                told(formatter, message)
            }
            Self::Network { cause, attempts } => {
                write!(
                    formatter,
                    "the store gave no answer in {}: {cause}",
                    times(*attempts)
                )
            }
            Self::InvalidAnswer { what } => write!(formatter, "the store's answer is none: {what}"),
            Self::InvalidKey { key, why } => match why {
                KeyFault::Empty => formatter.write_str("a cache key is empty"),
                KeyFault::Long(length) => write!(
                    formatter,
                    "the cache key `{key}` has {length} characters, more than 512"
                ),
                KeyFault::Comma => write!(formatter, "the cache key `{key}` holds a comma"),
                KeyFault::Control => {
                    write!(formatter, "the cache key `{key}` holds a control character")
                }
                KeyFault::Many(count) => write!(formatter, "{count} cache keys are more than 10"),
            },
            Self::Unavailable(absence) => match absence {
                Absence::NoVariable(name) => write!(
                    formatter,
                    "there is no cache service here: `{name}` is not set"
                ),
                Absence::EnterpriseServer(url) => write!(
                    formatter,
                    "`{url}` is an enterprise server, which has no cache service of version 2"
                ),
                Absence::BadAddress => {
                    formatter.write_str("`ACTIONS_RESULTS_URL` is no `https` address")
                }
                Absence::BadToken => formatter
                    .write_str("`ACTIONS_RUNTIME_TOKEN` holds characters that no header takes"),
                Absence::Off => {
                    formatter.write_str("`cache-mode: none` switches the cache off for this job")
                }
            },
            Self::Missing { what } => write!(formatter, "{what} is not there"),
            Self::Changed { what } => write!(
                formatter,
                "what was read is not what was to be read: {what}"
            ),
            Self::Conflict { name } => {
                write!(formatter, "somebody else wrote `{name}` in the meantime")
            }
            Self::TooSlow { limit, bytes } => {
                write!(
                    formatter,
                    "it took longer than {} s: {bytes} bytes came",
                    limit.as_secs()
                )
            }
            Self::Usage(error) => formatter.write_str(&error.message),
            Self::Disk { path, cause } => write!(formatter, "`{path}`: {cause}"),
            Self::Hung => formatter.write_str("the other end of the bytes went away"),
            Self::Stopped(signal) => write!(formatter, "stopped by signal {signal}"),
        }
    }
}

impl std::error::Error for Fault {}

/// A signal stops; everything else is told.
impl Fault {
    /// Whether the run is to end.
    pub fn is_stop(&self) -> bool {
        matches!(self, Self::Stopped(_))
            || matches!(self, Self::Usage(error) if matches!(error.kind, Kind::Interrupted(_)))
    }
}

/// A text of a stranger, in one line and not too long.
pub fn excerpt(text: &str) -> String {
    let text = text.trim();
    let short: String = text.chars().take(EXCERPT).collect();
    let dots = if short.len() < text.len() { " …" } else { "" };
    format!("{}{dots}", untrusted::line(&short))
}

fn told(formatter: &mut fmt::Formatter<'_>, message: &str) -> fmt::Result {
    if message.is_empty() {
        return Ok(());
    }
    write!(formatter, ": {message}")
}
