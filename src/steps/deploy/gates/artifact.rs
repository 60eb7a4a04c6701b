//! `artifact`: the bytes are those that were tested.

use crate::error::count;
use crate::steps::deploy::gates::{Looked, Said};

/// What it says.
pub fn ask(looked: &Looked<'_>) -> Said {
    let found = looked.found;
    if !looked.environment.gates.artifact {
        return Said::Off;
    }
    if let Some(image) = found.image.as_ref().filter(|_| found.unproven.is_empty()) {
        return Said::Yes(format!("{}: {}", image.digest, found.proven_by));
    }
    let files = found.release.files.len();
    if files == 0 {
        return Said::Yes("there are no files".to_owned());
    }
    if found.unproven.is_empty() {
        let files = count(files as u64, "file");
        return Said::Yes(format!("{files}: {}", found.proven_by));
    }
    let reasons = found.unproven.iter();
    Said::No(
        reasons.map(|reason| format!("not proven: {reason}")).collect(),
        Some("deploy by a stage of the pipeline that made them, or from a bundle with `bundle` and `bundle-digest`; `gates = { artifact = false }` does without proof".to_owned()),
    )
}
