//! How a tree of processes is brought to its end.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use tokio::process::Child;

use super::halt::Halt;
use super::strays::{Fate, Stray};
use super::supervisor::{Claim, Supervisor};
use crate::system::process::Group;

/// How long those that were killed have to be gone: only a process that waits for a device takes longer.
const GONE: Duration = Duration::from_millis(500);

/// How often it is looked whether all are gone: at first, and at most.
const FIRST_LOOK: Duration = Duration::from_millis(2);
const LAST_LOOK: Duration = Duration::from_millis(100);

/// A process, its group, and whatever left it.
pub(super) struct Tree<'s> {
    supervisor: &'s Supervisor,
    group: Option<&'s Group>,
    claim: Claim,
}

/// Those that were seen, by number and start.
type Seen = BTreeMap<(u32, u64), (Stray, bool)>;

impl<'s> Tree<'s> {
    pub(super) fn new(supervisor: &'s Supervisor, group: &'s Group, claim: Claim) -> Self {
        Self {
            supervisor,
            group: Some(group),
            claim,
        }
    }

    /// Everything of the run.
    pub(super) fn of_run(supervisor: &'s Supervisor) -> Self {
        Self {
            supervisor,
            group: None,
            claim: Claim::default(),
        }
    }

    /// Whether a process seems to have left something. Costs a few calls of the system.
    pub(super) fn seems_left(&self) -> bool {
        // Those who have ended are waited for first: until then they count for their group.
        let has_adopted = self.has_adopted();
        has_adopted || self.group_lives()
    }

    fn group_lives(&self) -> bool {
        self.group.is_some_and(Group::is_alive)
    }

    /// Ends all of it: asks, waits for `grace` or the shorter one that `halt` says meanwhile, kills, and looks again until
    /// nothing is there. `leader` is the process itself while it lives. Tells who left the group or had to be killed, and, unless `is_orderly`, who was left in
    /// the group.
    pub(super) async fn end(
        &self,
        mut leader: Option<&mut Child>,
        grace: Duration,
        halt: &Halt,
        is_orderly: bool,
    ) -> Vec<Stray> {
        let mut seen = Seen::new();
        // One for all looks: each change is heard of once.
        let mut halt = halt.clone();
        let asked = Instant::now();
        let mut pause = FIRST_LOOK;
        if !is_orderly {
            // Who is in the group is to be named, and may end at once when asked.
            self.look(&mut seen, Fate::Ended);
        }
        if let Some(group) = self.group {
            group.ask();
        }
        loop {
            if self.look(&mut seen, Fate::Ended) && has_ended(leader.as_deref_mut()) {
                return told(seen, is_orderly);
            }
            let asked = asked.elapsed();
            let left = halt.grace(grace, asked).saturating_sub(asked);
            if left.is_zero() || halt.is_urgent() {
                break;
            }
            wait(leader.as_deref_mut(), pause.min(left), &mut halt).await;
            pause = (pause * 2).min(LAST_LOOK);
        }
        let deadline = Instant::now() + GONE;
        let mut pause = FIRST_LOOK;
        loop {
            let is_over = Instant::now() >= deadline;
            let fate = if is_over { Fate::Remains } else { Fate::Killed };
            // First who is there: the group's signal leaves nobody to be named.
            let is_gone = self.look(&mut seen, fate);
            if is_gone && has_ended(leader.as_deref_mut()) || is_over {
                return told(seen, is_orderly);
            }
            if let Some(group) = self.group {
                group.kill();
            }
            if let Some(leader) = leader.as_deref_mut() {
                let _ = leader.start_kill();
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LAST_LOOK);
        }
    }
}

fn has_ended(leader: Option<&mut Child>) -> bool {
    leader.is_none_or(|leader| !matches!(leader.try_wait(), Ok(None)))
}

/// Waits until the leader ends, but not longer than `pause`, nor when something else is said about its grace.
async fn wait(leader: Option<&mut Child>, pause: Duration, halt: &mut Halt) {
    let ended = async {
        match leader.filter(|leader| leader.id().is_some()) {
            Some(leader) => drop(leader.wait().await),
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = ended => {}
        () = halt.said_more() => {}
        () = tokio::time::sleep(pause) => {}
    }
}

fn told(seen: Seen, is_orderly: bool) -> Vec<Stray> {
    seen.into_values()
        .filter(|(stray, is_in_group)| !is_orderly || !is_in_group || stray.fate != Fate::Ended)
        .map(|(stray, _)| stray)
        .collect()
}

#[cfg(target_os = "linux")]
impl Tree<'_> {
    fn has_adopted(&self) -> bool {
        !self.supervisor.adopted().is_empty()
    }

    /// Looks who is there, and asks or kills those that the group's signal does not reach. Whether there is nobody.
    fn look(&self, seen: &mut Seen, fate: Fate) -> bool {
        use rustix::process::Signal;

        let lines = self.supervisor.claimed(&self.claim);
        for line in &lines {
            let is_in_group = self.claim.group == Some(line.group);
            let mut is_new = false;
            let (stray, _) = seen.entry((line.id, line.started)).or_insert_with(|| {
                is_new = true;
                (self.supervisor.stray(line, fate), is_in_group)
            });
            stray.fate = stray.fate.max(fate);
            if fate != Fate::Ended {
                super::table::send(line, Signal::KILL);
            } else if is_new && !is_in_group {
                super::table::send(line, Signal::TERM);
            }
        }
        lines.is_empty() && !self.group_lives()
    }

    /// Names those who still hold the pipes.
    pub(super) fn holders(&self, strays: &mut Vec<Stray>) {
        for line in super::table::holders(&self.claim.pipes) {
            if !strays.iter().any(|stray| stray.id == line.id) {
                strays.push(self.supervisor.stray(&line, Fate::Remains));
            }
        }
    }
}

#[cfg(target_os = "linux")]
impl Supervisor {
    fn stray(&self, line: &super::table::Line, fate: Fate) -> Stray {
        let command = super::table::command(line.id);
        Stray {
            id: line.id,
            command: super::strays::shortened(&self.masker().mask(&command)),
            fate,
        }
    }
}

/// Elsewhere nobody is seen but the group.
#[cfg(not(target_os = "linux"))]
impl Tree<'_> {
    fn has_adopted(&self) -> bool {
        let _ = (self.supervisor, &self.claim);
        false
    }

    fn look(&self, _seen: &mut Seen, _fate: Fate) -> bool {
        !self.group_lives()
    }

    pub(super) fn holders(&self, _strays: &mut Vec<Stray>) {}
}
