//! Why a store did not do what it was asked: each cause with its own message and hint.
//!
//! A fault of a cache fails no job by itself; [`Fault::error`] is for the step that was told to.

mod told;

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
    /// The address of the service, which is none that may be asked.
    BadAddress(String),
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

    /// Whether the run is to end.
    pub fn is_stop(&self) -> bool {
        matches!(self, Self::Stopped(_))
            || matches!(self, Self::Usage(error) if matches!(error.kind, Kind::Interrupted(_)))
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

impl std::error::Error for Fault {}

/// A text of a stranger, in one line and not too long.
pub fn excerpt(text: &str) -> String {
    untrusted::excerpt(text, EXCERPT)
}
