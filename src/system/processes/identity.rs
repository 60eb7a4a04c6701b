//! A process on record: found again later, and ended if it still is the very one. Elsewhere than on Linux nobody is found.

use std::time::Duration;

use crate::model::deployment::Owner;

/// How often it is looked whether a process has gone.
const POLL: Duration = Duration::from_millis(10);

/// How long a process that was killed has to be gone.
const GONE: Duration = Duration::from_secs(1);

/// The name by which the programs that this process starts can be found after its death: the run of a
/// [`Supervisor`](super::Supervisor).
pub fn mark(owner: &Owner) -> String {
    format!("deploy-{}-{}", owner.pid, owner.started)
}

/// This process.
pub fn own() -> Owner {
    let pid = std::process::id();
    Owner {
        pid,
        ..seen(pid).unwrap_or_default()
    }
}

/// Whether the process lives.
pub fn lives(owner: &Owner) -> bool {
    seen(owner.pid).is_some_and(|now| now == *owner)
}

/// Whether it is of this machine, since it was last started.
pub fn is_of_here(owner: &Owner) -> bool {
    owner.boot == boot()
}

/// Ends the process: asks, waits for `grace`, kills. Whether it is gone.
pub async fn end(owner: &Owner, grace: Duration) -> bool {
    for (is_hard, patience) in [(false, grace), (true, GONE)] {
        if !lives(owner) {
            return true;
        }
        signal(owner, is_hard);
        let gone = async {
            while lives(owner) {
                tokio::time::sleep(POLL).await;
            }
        };
        if tokio::time::timeout(patience, gone).await.is_ok() {
            return true;
        }
    }
    !lives(owner)
}

#[cfg(target_os = "linux")]
fn seen(pid: u32) -> Option<Owner> {
    let line = super::table::line(pid).filter(|line| !line.is_zombie)?;
    let program = std::fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    Some(Owner {
        pid,
        started: line.started,
        boot: boot(),
        program: program.trim_end().to_owned(),
    })
}

#[cfg(target_os = "linux")]
fn boot() -> String {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id");
    boot.unwrap_or_default().trim().to_owned()
}

#[cfg(target_os = "linux")]
fn signal(owner: &Owner, is_hard: bool) {
    use rustix::process::Signal;
    let line = super::table::line(owner.pid).filter(|line| line.started == owner.started);
    if let Some(line) = line {
        let signal = if is_hard { Signal::KILL } else { Signal::TERM };
        super::table::send(&line, signal);
    }
}

#[cfg(not(target_os = "linux"))]
fn seen(_pid: u32) -> Option<Owner> {
    None
}

#[cfg(not(target_os = "linux"))]
fn boot() -> String {
    String::new()
}

#[cfg(not(target_os = "linux"))]
fn signal(_owner: &Owner, _is_hard: bool) {}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn only_the_very_process_is_known_again() {
        let own = own();
        assert!(lives(&own) && is_of_here(&own));
        let mut other = own.clone();
        other.started += 1;
        assert!(!lives(&other));
        let mut elsewhere = own;
        elsewhere.boot = "another".into();
        assert!(!lives(&elsewhere) && !is_of_here(&elsewhere));
    }
}
