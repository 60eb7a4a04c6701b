//! A lock beside which nothing is that it could be compared with.

use crate::lockfiles::declared::beside;
use crate::lockfiles::facts::Facts;
use crate::model::lockfile::Format;
use crate::model::sources::{FileId, Location};

/// What to say of it.
pub struct Told {
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: &'static str,
}

/// Where nothing can be compared because the file that the lock is made from is missing or cannot be read, and what to
/// say of that; `None` where it can be.
pub fn told(facts: &Facts<'_>) -> Option<(Location, Told)> {
    let (format, lock) = (facts.lock.format, facts.lock.file);
    let path = beside(format, facts.sources.path(lock))?;
    let found = facts.sources.find(&path);
    if let Some(file) = found {
        // What a Pipfile declares is not among the declarations.
        let is_read = format == Format::Pipfile || facts.declared.is_some();
        return (!is_read).then(|| {
            let message =
                "this cannot be read, so that nothing is compared with the lock beside it";
            let told = Told {
                message: message.to_owned(),
                help: "repair it: the tool of the lock says where it is wrong",
            };
            (whole(file), told)
        });
    }
    let at = facts
        .lock
        .version
        .as_ref()
        .map_or(whole(lock), |version| version.at);
    let message = match format {
        Format::UvScript => format!(
            "there is no `{path}` with metadata of a script that this lock could be compared with"
        ),
        _ => format!("there is no `{path}` that this lock could be compared with"),
    };
    let help = match format {
        Format::UvScript => "commit the script with its `# /// script` block, or remove the lock",
        _ => "commit that file too, or remove the lock",
    };
    Some((at, Told { message, help }))
}

/// A file, not any part of it.
pub fn whole(file: FileId) -> Location {
    Location {
        file,
        start: 0,
        end: 0,
    }
}
