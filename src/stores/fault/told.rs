//! What each fault says, and what to do about it.

use std::fmt;

use crate::model::duration;
use crate::stores::fault::{Absence, Access, Fault, KeyFault};

impl Fault {
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
            Self::Unavailable(Absence::BadAddress(_) | Absence::BadToken) => {
                "the runner sets this variable: does the workflow, or an earlier step, set it to something else?"
            }
            Self::Unavailable(Absence::NoVariable(_)) => {
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
                let what = match access {
                    Access::Read => "read from",
                    Access::Write => "write to",
                };
                write!(formatter, "this job may not {what} the cache or store")?;
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
                Absence::BadAddress(address) => {
                    write!(
                        formatter,
                        "`ACTIONS_RESULTS_URL` is no `https` address: `{address}`"
                    )
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
                    "it took longer than {}: {bytes} bytes came",
                    duration::show(*limit)
                )
            }
            Self::Usage(error) => formatter.write_str(&error.message),
            Self::Disk { path, cause } => write!(formatter, "`{path}`: {cause}"),
            Self::Hung => formatter.write_str("the other end of the bytes went away"),
            Self::Stopped(signal) => write!(formatter, "stopped by signal {signal}"),
        }
    }
}

fn told(formatter: &mut fmt::Formatter<'_>, message: &str) -> fmt::Result {
    if message.is_empty() {
        return Ok(());
    }
    write!(formatter, ": {message}")
}
