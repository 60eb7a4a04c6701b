//! What the lines of a journal amount to: the deployments of an environment, and which one to go back to.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta};

use crate::model::deployment::journal::{Entry, Facts, Stand};
use crate::model::deployment::state::State;

/// How often an environment is rolled back by itself in a day: more often nobody has looked.
pub const MOST_ROLLBACKS: usize = 3;

/// One deployment, as its lines tell it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deployment {
    /// Its id.
    pub id: String,
    /// Where it is.
    pub state: State,
    /// Whether something may have changed at the target.
    pub has_effects: bool,
    /// The newest of each fact.
    pub facts: Facts,
    /// When it entered each state.
    pub timeline: Vec<(State, String)>,
}

impl Deployment {
    /// Whether somebody asked for a rollback.
    pub fn is_rollback(&self) -> bool {
        self.facts.task.as_deref() == Some("rollback")
    }
}

/// The deployments in the order in which they began.
pub fn deployments<'e>(entries: impl IntoIterator<Item = &'e Entry>) -> Vec<Deployment> {
    let mut all: Vec<Deployment> = Vec::new();
    let mut places = HashMap::new();
    for entry in entries {
        let at = *places.entry(entry.deployment.as_str()).or_insert_with(|| {
            all.push(Deployment {
                id: entry.deployment.clone(),
                state: entry.event,
                has_effects: false,
                facts: Facts::default(),
                timeline: Vec::new(),
            });
            all.len() - 1
        });
        let Some(deployment) = all.get_mut(at) else {
            continue;
        };
        deployment.state = entry.event;
        deployment.has_effects |= entry.event.has_effects();
        deployment.timeline.push((entry.event, entry.time.clone()));
        merge(&mut deployment.facts, &entry.facts);
    }
    all
}

fn merge(known: &mut Facts, newer: &Facts) {
    fn take<T: Clone>(known: &mut Option<T>, newer: Option<&T>) {
        if let Some(newer) = newer {
            *known = Some(newer.clone());
        }
    }
    take(&mut known.task, newer.task.as_ref());
    take(&mut known.environment, newer.environment.as_ref());
    take(&mut known.release, newer.release.as_ref());
    take(&mut known.to, newer.to.as_ref());
    take(&mut known.url, newer.url.as_ref());
    take(&mut known.why, newer.why.as_ref());
    take(&mut known.owner, newer.owner.as_ref());
    take(&mut known.run, newer.run.as_ref());
    take(&mut known.record, newer.record.as_ref());
    take(&mut known.sent, newer.sent.as_ref());
}

/// What stands, as far as the journal knows: the release of the newest deployment that ended well.
pub fn last_good<'d>(deployments: &'d [Deployment], except: Option<&str>) -> Option<&'d Stand> {
    let good = deployments.iter().rev().filter(|deployment| {
        deployment.state == State::Success && Some(deployment.id.as_str()) != except
    });
    let mut stands = good.filter_map(|deployment| deployment.facts.release.as_ref());
    stands.find(|stand| stand.reference.is_some())
}

/// What stood well before what stands: of another reference.
pub fn before<'d>(deployments: &'d [Deployment], standing: &Stand) -> Option<&'d Stand> {
    let mut good = deployments
        .iter()
        .rev()
        .filter(|deployment| deployment.state == State::Success && !deployment.is_rollback())
        .filter_map(|deployment| deployment.facts.release.as_ref())
        .filter(|stand| stand.reference.is_some())
        .skip_while(|stand| stand.reference != standing.reference);
    good.find(|stand| stand.reference != standing.reference)
}

/// What stands at an environment, by what its target says and what its journal knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture<'d> {
    /// What the target says; nothing where it cannot tell.
    pub now: Option<Stand>,
    /// The newest that stood well.
    pub good: Option<&'d Stand>,
    /// The deployment of what stands, or may stand, that did not end well.
    pub bad: Option<&'d Deployment>,
}

impl<'d> Picture<'d> {
    /// Of these deployments, and what the target says.
    pub fn new(deployments: &'d [Deployment], now: Option<Stand>) -> Self {
        let good = last_good(deployments, None);
        let mut changing = deployments.iter().rev().filter(|one| one.has_effects);
        let bad = match &now {
            Some(now) if good.is_some_and(|good| is_same(good, now)) => None,
            Some(now) => changing.find(|one| {
                let release = one.facts.release.as_ref();
                one.state != State::Success && release.is_some_and(|it| is_same(it, now))
            }),
            None => changing
                .next()
                .filter(|last| !matches!(last.state, State::Success | State::RolledBack)),
        };
        Self { now, good, bad }
    }

    /// Whether something else stands, or may stand, than what stood well the last time.
    pub fn is_other(&self) -> bool {
        match (&self.now, self.good) {
            (Some(now), Some(good)) => !is_same(now, good),
            (Some(_), None) => true,
            (None, _) => self.bad.is_some(),
        }
    }

    /// What stood well before what stands.
    pub fn before(&self, deployments: &'d [Deployment]) -> Option<&'d Stand> {
        if self.is_other() {
            return self.good;
        }
        before(deployments, self.good?)
    }
}

/// Whether both are the same: by the target's own name where both have one, else by the bytes.
pub fn is_same(one: &Stand, other: &Stand) -> bool {
    if one.reference.is_some() && other.reference.is_some() {
        return one.reference == other.reference;
    }
    one.digest.is_some() && one.digest == other.digest
}

/// How many rollbacks began by themselves in the 24 hours before `now` (RFC 3339).
pub fn rollbacks_of_the_day(entries: &[Entry], now: &str) -> usize {
    let Ok(now) = DateTime::parse_from_rfc3339(now) else {
        return 0;
    };
    let day = TimeDelta::hours(24);
    let is_of_the_day = |entry: &&Entry| {
        let time = DateTime::parse_from_rfc3339(&entry.time);
        time.is_ok_and(|time| now.signed_duration_since(time) < day)
    };
    entries
        .iter()
        .filter(|entry| entry.event == State::RollingBack)
        .filter(is_of_the_day)
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(deployments: &[(&str, State, &str)]) -> Vec<Entry> {
        let mut entries = Vec::new();
        for (number, (id, last, reference)) in deployments.iter().enumerate() {
            for event in [State::Planned, State::InProgress, *last] {
                entries.push(Entry {
                    seq: 0,
                    time: format!("2026-11-23T0{number}:00:00.000Z"),
                    previous: String::new(),
                    deployment: (*id).into(),
                    event,
                    facts: Facts {
                        release: Some(Stand {
                            reference: Some((*reference).into()),
                            ..Stand::default()
                        }),
                        ..Facts::default()
                    },
                });
            }
        }
        entries
    }

    #[test]
    fn the_last_good_one_is_the_newest_that_ended_well() {
        let entries = lines(&[
            ("1", State::Success, "a"),
            ("2", State::Success, "b"),
            ("3", State::RolledBack, "c"),
            ("4", State::Cancelled, "d"),
        ]);
        let all = deployments(&entries);
        let reference = |stand: Option<&Stand>| stand.and_then(|stand| stand.reference.clone());
        let good = last_good(&all, None);
        assert_eq!(reference(good).as_deref(), Some("b"));
        assert_eq!(reference(last_good(&all, Some("2"))).as_deref(), Some("a"));
        let before = before(&all, good.unwrap());
        assert_eq!(reference(before).as_deref(), Some("a"));
        assert!(all[3].has_effects && all[3].timeline.len() == 3);
    }

    #[test]
    fn what_stands_is_what_the_target_says_or_what_was_tried_last() {
        let entries = lines(&[
            ("1", State::Success, "a"),
            ("2", State::Success, "b"),
            ("3", State::Failure, "c"),
        ]);
        let all = deployments(&entries);
        let seen = |count: usize, now: Option<&str>| {
            let now = now.map(|reference| Stand {
                reference: Some(reference.to_owned()),
                ..Stand::default()
            });
            let picture = Picture::new(&all[..count], now);
            let before = picture.before(&all[..count]);
            (
                picture.bad.map(|bad| bad.id.clone()),
                before.and_then(|stand| stand.reference.clone()),
            )
        };
        let told = |bad: Option<&str>, before: Option<&str>| {
            (bad.map(str::to_owned), before.map(str::to_owned))
        };
        assert_eq!(seen(2, None), told(None, Some("a")));
        assert_eq!(seen(2, Some("b")), told(None, Some("a")));
        // What failed may stand, and where the target says so, does.
        assert_eq!(seen(3, None), told(Some("3"), Some("b")));
        assert_eq!(seen(3, Some("c")), told(Some("3"), Some("b")));
        // It was never made to stand.
        assert_eq!(seen(3, Some("b")), told(None, Some("a")));
        // Somebody else did something.
        assert_eq!(seen(3, Some("x")), told(None, Some("b")));
        assert_eq!(seen(1, None), told(None, None));
    }

    #[test]
    fn rollbacks_are_counted_for_a_day() {
        let entries = lines(&[
            ("1", State::RollingBack, "a"),
            ("2", State::RollingBack, "b"),
            ("3", State::Success, "c"),
        ]);
        let count = |now| rollbacks_of_the_day(&entries, now);
        assert_eq!(count("2026-11-23T09:00:00Z"), 2);
        assert_eq!(count("2026-11-24T00:30:00Z"), 1);
        assert_eq!(count("2026-11-25T00:30:00Z"), 0);
    }
}
