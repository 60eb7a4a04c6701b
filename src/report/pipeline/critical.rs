//! The critical path of a run: the chain of stages that it could not end before, by what was measured.

use std::time::Duration;

use crate::model::duration;
use crate::model::pipeline::{RunRecord, StageRecord};

/// A share of the run that is worth a word.
const WORTH: u32 = 100;

/// The stages that are tried as what would shorten the run.
const CANDIDATES: usize = 5;

/// Where the time of a run went.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Critical {
    /// The path, first stage first.
    pub path: Vec<Step>,
    /// How long the stages of the path took.
    pub work: Duration,
    /// How long they waited for a free core though all that they need was done.
    pub wait: Duration,
    /// How long all stages took in sum, services left out.
    pub total: Duration,
    /// The part of the run that its path worked, 0 to 1.
    pub share: f64,
    /// The part of the cores' time that stages used, 0 to 1.
    pub efficiency: f64,
    /// The shortest time that cores without end could do it in.
    pub bound: Duration,
    /// What would shorten the run, the most helpful first.
    pub advice: Vec<Advice>,
}

/// One stage of the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its index among the stages of the run.
    pub stage: usize,
    /// How long it waited for a free core.
    pub wait: Duration,
    /// How long it took; of a service, until it was ready.
    pub work: Duration,
}

/// What would shorten a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advice {
    /// More cores: the path waited for one.
    Cores,
    /// A stage that was tried again: so long until its last attempt.
    Retries {
        /// Its index.
        stage: usize,
        /// The time before the last attempt.
        time: Duration,
    },
    /// A stage that is shortened or split: without it the longest chain would be this.
    Stage {
        /// Its index.
        stage: usize,
        /// The longest chain without it.
        without: Duration,
    },
}

/// What is known of a stage once all that it needs is known.
#[derive(Clone, Copy, Default)]
struct Known {
    /// When all that it needs was done.
    ready: Duration,
    /// The stage that it waited for last.
    via: Option<usize>,
    /// When those that need it could go on.
    done: Duration,
    /// The last stage that ran, up to it.
    last: Option<usize>,
}

/// Finds the path and what it says.
pub fn analyse(record: &RunRecord) -> Critical {
    let stages = &record.stages;
    let order = order(stages);
    let known = known(stages, &order);
    let end = |at: &usize| stages.get(*at).and_then(StageRecord::end);
    let last = order
        .iter()
        .copied()
        .filter(|at| stages.get(*at).is_some_and(|stage| !stage.is_service))
        .filter(|at| end(at).is_some())
        .max_by_key(end);
    let mut path = Vec::new();
    let mut next = last;
    // A stage comes behind all that it needs, so that this ends.
    while let Some(at) = next {
        let (Some(stage), Some(facts)) = (stages.get(at), known.get(at)) else {
            break;
        };
        let began = stage.began.unwrap_or_default();
        path.push(Step {
            stage: at,
            wait: began.saturating_sub(facts.ready),
            work: work(stage),
        });
        next = facts.via;
    }
    path.reverse();
    let (work_of_path, wait) = path
        .iter()
        .fold((Duration::ZERO, Duration::ZERO), |sums, step| {
            (
                sums.0.saturating_add(step.work),
                sums.1.saturating_add(step.wait),
            )
        });
    let ran = || {
        stages
            .iter()
            .filter(|stage| stage.began.is_some() && !stage.is_service)
    };
    let busy: f64 = ran()
        .map(|stage| stage.duration.as_secs_f64() * f64::from(stage.cpu))
        .sum();
    let available = record.duration.as_secs_f64() * f64::from(record.jobs.max(1));
    let mut critical = Critical {
        work: work_of_path,
        wait,
        total: ran().fold(Duration::ZERO, |sum, stage| {
            sum.saturating_add(stage.duration)
        }),
        share: part(work_of_path.as_secs_f64(), record.duration.as_secs_f64()),
        efficiency: part(busy, available),
        bound: longest(stages, &order, None),
        path,
        advice: Vec::new(),
    };
    critical.advice = advice(record, &critical, &order);
    critical
}

fn part(of: f64, whole: f64) -> f64 {
    if whole > 0.0 {
        (of / whole).clamp(0.0, 1.0)
    } else {
        0.0
    }
}

/// How long others wait for it at least.
fn work(stage: &StageRecord) -> Duration {
    match (stage.is_service, stage.ready, stage.began) {
        (true, Some(ready), Some(began)) => ready.saturating_sub(began),
        _ => stage.duration,
    }
}

/// The stages, each behind all that it needs; what is part of a circle, which no run has, is left out.
fn order(stages: &[StageRecord]) -> Vec<usize> {
    let mut left = vec![0_usize; stages.len()];
    let mut needed_by = vec![Vec::new(); stages.len()];
    for (at, stage) in stages.iter().enumerate() {
        for need in &stage.needs {
            if let (Some(needed), Some(left)) = (needed_by.get_mut(*need), left.get_mut(at)) {
                needed.push(at);
                *left += 1;
            }
        }
    }
    let mut order: Vec<usize> = (0..stages.len())
        .filter(|at| left.get(*at) == Some(&0))
        .collect();
    let mut next = 0;
    while let Some(at) = order.get(next).copied() {
        next += 1;
        for dependent in needed_by.get(at).into_iter().flatten() {
            if let Some(left) = left.get_mut(*dependent) {
                *left -= 1;
                if *left == 0 {
                    order.push(*dependent);
                }
            }
        }
    }
    order
}

fn known(stages: &[StageRecord], order: &[usize]) -> Vec<Known> {
    let mut known = vec![Known::default(); stages.len()];
    for at in order {
        let Some(stage) = stages.get(*at) else {
            continue;
        };
        let needs = stage.needs.iter().filter_map(|need| known.get(*need));
        let latest = needs
            .max_by_key(|need| need.done)
            .copied()
            .unwrap_or_default();
        let mut facts = Known {
            ready: latest.done,
            via: latest.last,
            ..latest
        };
        if let Some(end) = stage.end() {
            let is_ready = stage.ready.filter(|_| stage.is_service);
            facts.done = is_ready.unwrap_or(end);
            facts.last = Some(*at);
        }
        if let Some(slot) = known.get_mut(*at) {
            *slot = facts;
        }
    }
    known
}

/// The longest chain of work, one stage being as if it took no time.
fn longest(stages: &[StageRecord], order: &[usize], without: Option<usize>) -> Duration {
    let mut done = vec![Duration::ZERO; stages.len()];
    let mut longest = Duration::ZERO;
    for at in order {
        let Some(stage) = stages.get(*at) else {
            continue;
        };
        let needs = stage.needs.iter().filter_map(|need| done.get(*need));
        let ready = needs.max().copied().unwrap_or_default();
        let own = if without == Some(*at) {
            Duration::ZERO
        } else {
            work(stage)
        };
        let end = ready.saturating_add(own);
        longest = longest.max(end);
        if let Some(slot) = done.get_mut(*at) {
            *slot = end;
        }
    }
    longest
}

fn advice(record: &RunRecord, critical: &Critical, order: &[usize]) -> Vec<Advice> {
    let mut advice: Vec<(Duration, Advice)> = Vec::new();
    let is_worth = |time: Duration| time.saturating_mul(WORTH / 5) >= record.duration;
    let saved = record.duration.saturating_sub(critical.bound);
    if is_worth(critical.wait) && is_worth(saved) {
        advice.push((critical.wait.min(saved), Advice::Cores));
    }
    for step in &critical.path {
        let attempts = record.stages.get(step.stage).map(|stage| &*stage.attempts);
        if let Some([first, .., last]) = attempts {
            let time = last.began.saturating_sub(first.began);
            if is_worth(time) {
                advice.push((
                    time,
                    Advice::Retries {
                        stage: step.stage,
                        time,
                    },
                ));
            }
        }
    }
    let mut longest_first = critical.path.clone();
    longest_first.sort_by_key(|step| std::cmp::Reverse(step.work));
    let gains = longest_first.iter().take(CANDIDATES).map(|step| {
        let without = longest(&record.stages, order, Some(step.stage));
        let gain = critical.bound.saturating_sub(without);
        (
            gain,
            Advice::Stage {
                stage: step.stage,
                without,
            },
        )
    });
    let best = gains.max_by_key(|(gain, _)| *gain);
    advice.extend(best.filter(|(gain, _)| is_worth(*gain)));
    advice.sort_by_key(|(gain, _)| std::cmp::Reverse(*gain));
    advice.into_iter().map(|(_, advice)| advice).collect()
}

/// A wait that is worth showing.
pub(super) fn is_shown(wait: Duration, record: &RunRecord) -> bool {
    wait >= Duration::from_millis(10) && wait.saturating_mul(WORTH) >= record.duration
}

/// The path in words, one sentence a line; names of stages stand in it as they are.
pub fn words(record: &RunRecord, critical: &Critical) -> Vec<String> {
    let name = |at: usize| record.stages.get(at).map_or("", |stage| &*stage.name);
    if critical.path.is_empty() {
        return Vec::new();
    }
    let mut words = vec![format!(
        "Critical path: {} ({}, {} % of the run{}).",
        path(record, critical, 12),
        duration::show(critical.work),
        percent(critical.share),
        if is_shown(critical.wait, record) {
            format!(
                ", besides {} of waiting for a free core",
                duration::show(critical.wait)
            )
        } else {
            String::new()
        }
    )];
    let cores = if record.jobs == 1 { "core" } else { "cores" };
    words.push(format!(
        "All stages took {} in sum; {} % of {} {cores} was used.",
        duration::show(critical.total),
        percent(critical.efficiency),
        record.jobs
    ));
    words.extend(critical.advice.iter().map(|advice| match advice {
        Advice::Cores => format!(
            "More cores would help: with enough of them the run could take {}.",
            duration::show(critical.bound)
        ),
        Advice::Retries { stage, time } => format!(
            "`{}` was tried again: {} until its last attempt.",
            name(*stage),
            duration::show(*time)
        ),
        Advice::Stage { stage, without } => format!(
            "What `{}` takes counts most: without it the longest chain would take {}.",
            name(*stage),
            duration::show(*without)
        ),
    }));
    words
}

/// `build → test → package`, at most so many names.
pub(super) fn path(record: &RunRecord, critical: &Critical, most: usize) -> String {
    let name = |step: &Step| {
        record
            .stages
            .get(step.stage)
            .map_or("", |stage| &*stage.name)
    };
    let names: Vec<&str> = critical.path.iter().map(name).collect();
    if names.len() <= most {
        return names.join(" → ");
    }
    let (head, tail) = (names.get(..most / 2), names.get(names.len() - most / 2..));
    let (head, tail) = (head.unwrap_or_default(), tail.unwrap_or_default());
    let left = names.len() - head.len() - tail.len();
    format!(
        "{} → … {left} more … → {}",
        head.join(" → "),
        tail.join(" → ")
    )
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a part of one, clamped"
)]
fn percent(part: f64) -> u8 {
    (part.clamp(0.0, 1.0) * 100.0).round() as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::pipeline::SkipReason;
    use crate::report::pipeline::tests::{everything, ms, run, skipped, stage};

    fn names(record: &RunRecord) -> Vec<(String, u64, u64)> {
        let steps = analyse(record).path;
        let milliseconds = |time: Duration| u64::try_from(time.as_millis()).unwrap();
        steps
            .into_iter()
            .map(|step| {
                let name = record.stages[step.stage].name.clone();
                (name, milliseconds(step.wait), milliseconds(step.work))
            })
            .collect()
    }

    #[test]
    fn the_path_follows_the_needs_that_ended_last_and_shows_waits() {
        // build → {lint, test} → package; one core less than needed: lint waits.
        let record = run(vec![
            stage("build", &[], 0, 100),
            stage("test", &[0], 100, 300),
            stage("lint", &[0], 150, 50),
            stage("package", &[1, 2], 450, 100),
        ]);
        let path = names(&record);
        assert_eq!(
            path,
            [
                ("build".into(), 0, 100),
                ("test".into(), 0, 300),
                ("package".into(), 50, 100)
            ]
        );
        let critical = analyse(&record);
        assert_eq!((critical.work, critical.wait), (ms(500), ms(50)));
        assert_eq!((critical.total, critical.bound), (ms(550), ms(500)));
        assert_eq!(
            (percent(critical.share), percent(critical.efficiency)),
            (91, 50)
        );
    }

    #[test]
    fn a_stage_that_did_not_run_is_looked_through() {
        let record = run(vec![
            stage("build", &[], 0, 100),
            skipped("gate", &[0], SkipReason::Condition("branch".into())),
            stage("test", &[1], 100, 100),
        ]);
        let path = names(&record);
        assert_eq!(path, [("build".into(), 0, 100), ("test".into(), 0, 100)]);
    }

    #[test]
    fn a_service_counts_until_it_is_ready() {
        let mut service = stage("server", &[], 0, 900);
        service.is_service = true;
        service.ready = Some(ms(300));
        let record = run(vec![service, stage("smoke", &[0], 300, 600)]);
        let path = names(&record);
        assert_eq!(path, [("server".into(), 0, 300), ("smoke".into(), 0, 600)]);
        assert_eq!(analyse(&record).total, ms(600));
    }

    #[test]
    fn what_would_shorten_the_run_is_said() {
        let record = run(vec![
            stage("build", &[], 0, 100),
            stage("test", &[0], 100, 900),
            stage("lint", &[0], 100, 200),
        ]);
        assert_eq!(
            analyse(&record).advice,
            [Advice::Stage {
                stage: 1,
                without: ms(300)
            }]
        );
        let wide = run((0..4)
            .map(|at| stage(&format!("s{at}"), &[], at / 2 * 100, 100))
            .collect());
        let critical = analyse(&wide);
        assert_eq!(
            (critical.advice[0], critical.bound),
            (Advice::Cores, ms(100))
        );
        let words = words(&wide, &critical).join("\n");
        assert!(
            words.contains("with enough of them the run could take 100 ms"),
            "{words}"
        );
    }

    #[test]
    fn needs_that_no_run_has_end_all_the_same() {
        let record = run(vec![
            stage("a", &[1, 99], 0, 10),
            stage("b", &[0], 10, 10),
            stage("c", &[2, usize::MAX], 0, 5),
            stage("d", &[], 0, 5),
        ]);
        assert_eq!(names(&record), [("d".into(), 0, 5)]);
        assert!(words(&run(vec![]), &analyse(&run(vec![]))).is_empty());
    }

    #[test]
    fn a_chain_of_ten_thousand_is_found_and_told_shortly() {
        let chain: Vec<_> = (0..10_000)
            .map(|at| {
                let needs: Vec<usize> = (at > 0).then(|| at - 1).into_iter().collect();
                stage(&format!("s{at}"), &needs, at as u64, 1)
            })
            .collect();
        let record = run(chain);
        let critical = analyse(&record);
        assert_eq!(critical.path.len(), 10_000);
        let words = words(&record, &critical);
        assert!(
            words[0].contains("s5 → … 9988 more … → s9994"),
            "{}",
            words[0]
        );
    }

    #[test]
    fn retries_on_the_path_are_named() {
        let record = everything();
        let critical = analyse(&record);
        let path: Vec<_> = names(&record).into_iter().map(|(name, ..)| name).collect();
        assert_eq!(path, ["build", "test (3.12)", "smoke"]);
        let text = words(&record, &critical).join("\n");
        assert!(
            text.contains("`test (3.12)` was tried again: 2.6 s until its last attempt"),
            "{text}"
        );
    }

    /// A run as a scheduler with so many cores makes it of random stages, in an order that is not that of the file.
    fn scheduled(random: &mut impl FnMut(u64) -> u64, cores: usize) -> RunRecord {
        let number = 1 + usize::try_from(random(30)).unwrap();
        // Needs point to later stages of the file: the order of the file is not that of the run.
        let mut stages: Vec<StageRecord> = Vec::new();
        for at in 0..number {
            let needs: Vec<usize> = (at + 1..number).filter(|_| random(6) == 0).collect();
            stages.push(stage(&format!("s{at}"), &needs, 0, 1 + random(500)));
        }
        let mut free = vec![Duration::ZERO; cores];
        for at in (0..number).rev() {
            let ends = stages[at]
                .needs
                .iter()
                .map(|need| stages[*need].end().unwrap());
            let ready = ends.max().unwrap_or_default();
            let core = free.iter_mut().min().unwrap();
            let began = ready.max(*core);
            *core = began + stages[at].duration;
            stages[at].began = Some(began);
        }
        run(stages)
    }

    #[test]
    fn work_and_waits_of_the_path_are_the_whole_run_of_any_graph() {
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        let mut random = move |below: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % below
        };
        for round in 0..500 {
            let is_wide = round % 2 == 0;
            let record = scheduled(&mut random, if is_wide { 64 } else { 2 });
            let critical = analyse(&record);
            assert_eq!(critical.work + critical.wait, record.duration);
            assert!(critical.bound <= record.duration);
            for pair in critical.path.windows(2) {
                assert!(record.stages[pair[1].stage].needs.contains(&pair[0].stage));
            }
            if is_wide {
                assert_eq!(
                    (critical.wait, critical.bound),
                    (Duration::ZERO, record.duration)
                );
            }
        }
    }
}
