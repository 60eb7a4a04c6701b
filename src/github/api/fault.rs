//! Why GitHub did not do what it was asked: each cause with its own message and hint.

use std::fmt;
use std::time::Duration;

use reqwest::header::HeaderMap;
use serde_json::Value;

use crate::error::{Error, list};
use crate::github::api::wire::limit;
use crate::model::untrusted;
use crate::system::http::exchange::{Trouble, is_temporary};

/// Longer texts of strangers are cut in messages.
const EXCERPT: usize = 300;

/// At most so many contexts are named in a message.
const NAMED: usize = 20;

/// Why GitHub did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// An input or a variable is none.
    Usage(Box<Error>),
    /// The token only reads, as in runs for forks and of Dependabot, or where the job's `permissions` do not name it.
    ReadOnly {
        /// What GitHub says.
        message: String,
    },
    /// The token is no good, or a rule forbids it.
    Denied {
        /// The status, 401 or 403.
        status: u16,
        /// What GitHub says.
        message: String,
    },
    /// Too much was asked lately.
    RateLimited {
        /// How long to wait, if GitHub said it.
        after: Option<Duration>,
    },
    /// It is not there, or the token may not see it.
    Missing,
    /// It contradicts something: contexts that are not green, a merge that has conflicts.
    Conflict(Conflict),
    /// In place of a deployment, the default branch was merged into the ref (202).
    Merged {
        /// What GitHub says.
        message: String,
    },
    /// The request is not taken (422).
    Invalid {
        /// What GitHub says.
        message: String,
    },
    /// The server is broken, or answers what is no answer.
    Server {
        /// Its status.
        status: u16,
        /// What it says.
        message: String,
    },
    /// There is no connection: GitHub knows nothing of it.
    Unreached {
        /// What went wrong.
        cause: String,
        /// How often it was tried.
        attempts: u32,
    },
    /// It was sent; the answer did not come.
    Lost {
        /// What went wrong.
        cause: String,
        /// How often it was tried.
        attempts: u32,
    },
    /// An answer that is none.
    Unreadable {
        /// What is wrong with it.
        what: String,
    },
    /// It was not sent, or its answer not taken: nothing that a repetition changes.
    Refused {
        /// Why.
        why: String,
    },
    /// We were told to stop by this signal.
    Stopped(u8),
}

/// What stands against a deployment (409).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// What GitHub says.
    pub message: String,
    /// The contexts that it names, with their states.
    pub contexts: Vec<(String, String)>,
}

impl Conflict {
    /// The contexts that are not green, as `name (state)`.
    pub fn not_green(&self) -> Vec<String> {
        let bad = |(_, state): &&(String, String)| state != "success";
        let told = |(name, state): &(String, String)| format!("`{name}` ({state})");
        self.contexts.iter().filter(bad).map(told).collect()
    }
}

/// What is known of a request that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Nothing was done.
    NotDone,
    /// It may have been done.
    Unknown,
    /// It was answered: sending it again changes nothing.
    Answered,
}

impl Fault {
    /// The fault behind an answer that is no success.
    pub fn of_answer(status: u16, message: &str, errors: &Value, headers: &HeaderMap) -> Self {
        let after = limit(headers);
        let is_limited = after.is_some()
            || headers
                .get("x-ratelimit-remaining")
                .is_some_and(|left| left == "0")
            || message.to_ascii_lowercase().contains("rate limit");
        let message = excerpt(message);
        match status {
            403 | 429 if status == 429 || is_limited => Self::RateLimited { after },
            403 if message.starts_with("Resource not accessible by") => Self::ReadOnly { message },
            401 | 403 => Self::Denied { status, message },
            404 | 410 => Self::Missing,
            409 => Self::Conflict(Conflict {
                message,
                contexts: contexts(errors),
            }),
            400 | 422 => Self::Invalid {
                message: with_details(message, errors),
            },
            _ => Self::Server { status, message },
        }
    }

    /// What stands in an answer 202 to a request for a deployment.
    pub fn merged(body: &[u8]) -> Self {
        let answer: Value = serde_json::from_slice(body).unwrap_or_default();
        let message = answer["message"].as_str().unwrap_or("no message");
        Self::Merged {
            message: excerpt(message),
        }
    }

    /// The fault behind there being no answer, after so many attempts.
    pub fn of_trouble(trouble: Trouble, attempts: u32) -> Self {
        match trouble {
            Trouble::Refused(why) => Self::Refused { why },
            Trouble::Unreached(cause) => Self::Unreached { cause, attempts },
            Trouble::Lost(cause) => Self::Lost { cause, attempts },
            Trouble::Stopped(signal) => Self::Stopped(signal),
        }
    }

    /// What is known of the request.
    pub fn delivery(&self) -> Delivery {
        match self {
            Self::Unreached { .. } | Self::RateLimited { .. } => Delivery::NotDone,
            Self::Lost { .. } | Self::Unreadable { .. } => Delivery::Unknown,
            Self::Server { status, .. } if is_temporary(*status) => Delivery::Unknown,
            _ => Delivery::Answered,
        }
    }

    /// Whether a run goes on without recording, with a warning: the token may not write, whatever is done.
    pub fn is_read_only(&self) -> bool {
        matches!(self, Self::ReadOnly { .. })
    }

    /// How long GitHub asks to wait.
    pub fn after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { after } => *after,
            _ => None,
        }
    }

    /// The error that shows it.
    pub fn error(self) -> Error {
        let (message, hint) = (self.to_string(), self.hint());
        let error = match self {
            Self::Usage(error) => return *error,
            Self::Stopped(signal) => return Error::interrupted(signal),
            Self::Conflict(_) => Error::refused(message),
            Self::ReadOnly { .. } | Self::Denied { .. } | Self::Invalid { .. } => {
                Error::usage(message)
            }
            _ => Error::no_verdict(message),
        };
        match hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::ReadOnly { .. } => {
                "add `deployments: write` to the job's `permissions`; runs for forks and of Dependabot cannot have it"
            }
            Self::Denied { status: 401, .. } => "is the token still valid?",
            Self::Denied { .. } => "look at the rules of the environment and of the organisation",
            Self::Missing => "is the token for this repository, and does it see it?",
            Self::Conflict(conflict) if !conflict.contexts.is_empty() => {
                "wait for these contexts, or name the ones that count"
            }
            Self::Conflict(_) => "merge the branch by hand",
            Self::Merged { .. } => "deploy the new commit of the branch",
            Self::Server {
                status: 301 | 302 | 307 | 308,
                ..
            } => "the repository has another name by now: use that one",
            _ => return None,
        };
        Some(hint.to_owned())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(error) => write!(formatter, "{error}"),
            Self::ReadOnly { message } => {
                write!(formatter, "the token may not record deployments: {message}")
            }
            Self::Denied { status, message } | Self::Server { status, message } => {
                write!(formatter, "GitHub answers {status}: {message}")
            }
            Self::RateLimited { after: Some(after) } => write!(
                formatter,
                "the rate limit of GitHub's API is reached for another {} s",
                after.as_secs()
            ),
            Self::RateLimited { after: None } => {
                formatter.write_str("the rate limit of GitHub's API is reached")
            }
            Self::Missing => formatter.write_str("GitHub knows nothing of what is asked for"),
            Self::Conflict(conflict) => {
                write!(
                    formatter,
                    "GitHub refuses the deployment: {}",
                    conflict.message
                )?;
                let mut bad = conflict.not_green();
                let rest = bad.len().saturating_sub(NAMED);
                bad.truncate(NAMED);
                if rest > 0 {
                    bad.push(format!("{rest} more"));
                }
                if bad.is_empty() {
                    return Ok(());
                }
                write!(formatter, ": {}", list(&bad, "and"))
            }
            Self::Merged { message } => {
                write!(formatter, "GitHub merged in place of deploying: {message}")
            }
            Self::Invalid { message } => {
                write!(formatter, "GitHub does not take the request: {message}")
            }
            Self::Unreached { cause, attempts } | Self::Lost { cause, attempts } => {
                let times = crate::error::count(u64::from(*attempts), "attempt");
                write!(formatter, "GitHub gave no answer in {times}: {cause}")
            }
            Self::Unreadable { what } => {
                write!(formatter, "an answer of GitHub's cannot be read: {what}")
            }
            Self::Refused { why } => write!(formatter, "GitHub is not asked: {why}"),
            Self::Stopped(signal) => write!(formatter, "stopped by signal {signal}"),
        }
    }
}

impl std::error::Error for Fault {}

/// A text of a stranger, in one line and not too long.
pub(crate) fn excerpt(text: &str) -> String {
    untrusted::excerpt(text, EXCERPT)
}

/// The contexts that an answer 409 names.
fn contexts(errors: &Value) -> Vec<(String, String)> {
    let errors = errors.as_array().map(Vec::as_slice).unwrap_or_default();
    let lists = errors
        .iter()
        .filter_map(|error| error["contexts"].as_array());
    let text = |value: &Value| excerpt(value.as_str().unwrap_or("?"));
    lists
        .flatten()
        .map(|one| (text(&one["context"]), text(&one["state"])))
        .collect()
}

/// What is said, with the messages and fields of the single errors.
fn with_details(message: String, errors: &Value) -> String {
    let errors = errors.as_array().map(Vec::as_slice).unwrap_or_default();
    let told = |error: &Value| {
        let part = |name: &str| error[name].as_str();
        let text = match (error.as_str(), part("message"), part("field"), part("code")) {
            (Some(text), ..) | (None, Some(text), ..) => text.to_owned(),
            (None, None, Some(field), code) => {
                format!("`{field}` is {}", code.unwrap_or("invalid"))
            }
            (None, None, None, code) => code?.to_owned(),
        };
        Some(excerpt(&text))
    };
    let details: Vec<String> = errors.iter().filter_map(told).take(NAMED).collect();
    if details.is_empty() {
        return message;
    }
    format!("{message}: {}", details.join("; "))
}
