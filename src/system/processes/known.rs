//! The children that we started ourselves: any other child was orphaned by one of them.

use std::collections::BTreeSet;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::process::{Child, Command};

static KNOWN: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

/// Whether there ever was one.
static ANY: AtomicBool = AtomicBool::new(false);

fn known() -> MutexGuard<'static, BTreeSet<u32>> {
    // A set is whole whatever happened.
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A child is known for as long as this lives.
#[derive(Debug)]
pub(in crate::system) struct Known(Option<u32>);

impl Drop for Known {
    fn drop(&mut self) {
        if let Some(id) = self.0 {
            known().remove(&id);
        }
    }
}

/// Starts a child. Nobody sees it before it is known.
pub(in crate::system) fn spawn(command: &mut Command) -> io::Result<(Child, Known)> {
    let mut known = known();
    ANY.store(true, Ordering::Relaxed);
    let child = command.spawn()?;
    let id = child.id();
    known.extend(id);
    Ok((child, Known(id)))
}

/// Whether this process ever started one: where it did not, it can have left none.
pub fn has_started_any() -> bool {
    ANY.load(Ordering::Relaxed)
}

/// What of the children is not known.
#[cfg(target_os = "linux")]
pub(super) fn unknown(children: impl FnOnce() -> Vec<u32>) -> Vec<u32> {
    let known = known();
    let mut children = children();
    children.retain(|id| !known.contains(id));
    children
}
