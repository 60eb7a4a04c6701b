//! What can go wrong with an archive, each in words of its own.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::model::untrusted;

/// Why an archive could not be packed, listed or unpacked. Names from archives are shown tamed and shortened.
#[derive(Debug)]
pub enum Fault {
    /// Bytes that cannot be right: a checksum, a digest or a structure does not hold.
    Corrupt {
        /// Where: an entry, or a byte of the unpacked stream.
        at: String,
        /// What does not hold.
        why: String,
    },
    /// The archive ends before its end.
    Truncated {
        /// So many bytes were unpacked until then.
        at: u64,
    },
    /// An entry that is not let in: nothing of the archive was put in place.
    Refused {
        /// Its name.
        entry: String,
        /// What it would have done.
        why: String,
    },
    /// A folder is where the archive has something else: nothing of the archive was put in place.
    InTheWay {
        /// The folder.
        path: PathBuf,
    },
    /// More than the limits allow: entries, bytes, or bytes out of few.
    TooLarge {
        /// Which limit.
        why: String,
    },
    /// No space is left.
    DiskFull {
        /// Where.
        path: PathBuf,
    },
    /// The system does not let us.
    Denied {
        /// Where.
        path: PathBuf,
    },
    /// Anything else about a file.
    Disk {
        /// Where.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// The archive could not be read from where it comes from.
    Input(io::Error),
    /// The archive could not be written to where it goes.
    Output(io::Error),
    /// We were told to stop.
    Stopped,
}

impl Fault {
    /// What the system says about a path.
    pub(super) fn disk(path: &Path, error: io::Error) -> Self {
        let path = path.to_owned();
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { path },
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                Self::Denied { path }
            }
            _ => Self::Disk { path, error },
        }
    }

    pub(super) fn refused(entry: &[u8], why: impl Into<String>) -> Self {
        Self::Refused {
            entry: shown(entry),
            why: why.into(),
        }
    }

    pub(super) fn corrupt(at: impl Into<String>, why: impl Into<String>) -> Self {
        Self::Corrupt {
            at: at.into(),
            why: why.into(),
        }
    }

    /// The line that says what to do, where there is something to do.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Corrupt { .. } | Self::Truncated { .. } => {
                Some("delete the entry, or save under another key".to_owned())
            }
            Self::Refused { .. } => Some(
                "delete the entry, and find out which job saved it: an honest archive stays within its declared paths"
                    .to_owned(),
            ),
            Self::InTheWay { path } => Some(format!("move `{}` away", tame(path))),
            Self::TooLarge { .. } => Some(
                "cache less: a line of `paths` that begins with `!` leaves out what is that large, or hardly holds anything"
                    .to_owned(),
            ),
            Self::DiskFull { path } => {
                Some(format!("free space on the disk of `{}`", tame(path)))
            }
            Self::Denied { path } => Some(format!(
                "let the user of this job read and write `{}`",
                tame(path)
            )),
            Self::Disk { .. } | Self::Input(_) | Self::Output(_) | Self::Stopped => None,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Corrupt { at, why } => write!(formatter, "the archive is corrupt at {at}: {why}"),
            Self::Truncated { at } => write!(
                formatter,
                "the archive is truncated: it ends after {at} unpacked bytes"
            ),
            Self::Refused { entry, why } => {
                write!(formatter, "the archive's entry `{entry}` is refused: {why}")
            }
            Self::InTheWay { path } => write!(
                formatter,
                "`{}` is a folder, and the archive has something else there",
                tame(path)
            ),
            Self::TooLarge { why } => write!(formatter, "the archive is too large: {why}"),
            Self::DiskFull { path } => write!(formatter, "no space is left at `{}`", tame(path)),
            Self::Denied { path } => {
                write!(formatter, "no permission for `{}`", tame(path))
            }
            Self::Disk { path, error } => write!(formatter, "`{}`: {error}", tame(path)),
            Self::Input(error) => write!(formatter, "the archive cannot be read: {error}"),
            Self::Output(error) => write!(formatter, "the archive cannot be written: {error}"),
            Self::Stopped => formatter.write_str("stopped before the end of the archive"),
        }
    }
}

impl std::error::Error for Fault {}

/// The longest name that a message shows, code points.
const SHOWN: usize = 200;

/// A name from an archive for people: tamed, and its beginning where it is long.
pub(super) fn shown(name: &[u8]) -> String {
    let text = String::from_utf8_lossy(name.get(..4 * SHOWN).unwrap_or(name));
    let text = untrusted::line(&text);
    if text.chars().count() <= SHOWN {
        return text.into_owned();
    }
    let short: String = text.chars().take(SHOWN).collect();
    format!("{short}…")
}

fn tame(path: &Path) -> String {
    shown(path.as_os_str().as_encoded_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_strangers_are_tamed_and_shortened() {
        let fault = Fault::refused(b"::set-env name=x\x1b[2J\xff", "it is absolute");
        let text = fault.to_string();
        assert!(!text.contains('\x1b'), "{text}");
        assert!(!text.contains("`::set-env"), "{text}");
        assert!(shown(&[b'x'; 10_000]).len() < 300);
    }

    #[test]
    fn what_the_system_says_has_its_kind() {
        let path = Path::new("x");
        assert!(matches!(
            Fault::disk(path, io::ErrorKind::StorageFull.into()),
            Fault::DiskFull { .. }
        ));
        assert!(matches!(
            Fault::disk(path, io::ErrorKind::PermissionDenied.into()),
            Fault::Denied { .. }
        ));
        assert!(matches!(
            Fault::disk(path, io::ErrorKind::NotFound.into()),
            Fault::Disk { .. }
        ));
    }
}
