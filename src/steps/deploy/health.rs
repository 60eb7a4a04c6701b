//! Whether what was deployed is well: asked again and again until it was well so many times in a row, or the time is over.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use regex::bytes::Regex;

use crate::deploy::read::health::fill;
use crate::error::{Error, Result};
use crate::model::deployment::Stand;
use crate::model::deployment::definition::{Health, Probe};
use crate::model::duration;
use crate::model::pipeline::Placed;
use crate::steps::deploy::progress::Told;
use crate::steps::probing::{self, Answer, Asker, Get, Question};
use crate::system::environment::Environment;
use crate::system::http::Http;
use crate::system::masking::Masker;
use crate::system::processes::{Supervisor, identity};
use crate::system::stop::Stop;

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is well; so many questions it took.
    Healthy(u32),
    /// It is not; why.
    Unhealthy(String),
    /// Nobody could ask; why.
    Inconclusive(String),
}

/// What asking needs.
#[derive(Debug)]
pub struct Doctor<'d> {
    /// What is asked.
    pub health: &'d Health,
    /// Our environment.
    pub environment: &'d Environment,
    /// Where programs run.
    pub directory: &'d Path,
    /// Whether to end.
    pub stop: Stop,
    /// Hears of answers.
    pub told: &'d Told<'d>,
}

impl Doctor<'_> {
    /// Asks for what should stand.
    pub async fn ask(&self, stand: &Stand) -> Result<Outcome> {
        let question = self.question(stand)?;
        let run = identity::mark(&identity::own());
        // Only marks: whoever closes the deployment ends what is left.
        let visible = Supervisor::new(&run, self.environment, &Masker::default())
            .marked("health", self.environment.base());
        let health = self.health;
        let started = Instant::now();
        let (mut row, mut tries, mut bad, mut unknown) = (0, 0, None, None);
        let mut last = None;
        let mut stop = self.stop.clone();
        loop {
            let left = health.timeout.saturating_sub(started.elapsed());
            if left.is_zero() {
                break;
            }
            let asker = Asker {
                environment: &visible,
                directory: self.directory,
                stop: self.stop.clone(),
                limit: health.try_timeout.min(left),
            };
            // Each question hears of signals itself, and ends what it has begun.
            let answer = asker.ask(&question).await;
            if let Some(signal) = stop.signal() {
                return Err(Error::interrupted(signal));
            }
            tries += 1;
            if last.as_ref() != Some(&answer) {
                self.tell(&answer);
                last = Some(answer.clone());
            }
            match answer {
                Answer::Good => row += 1,
                Answer::Bad(why) => (row, bad) = (0, Some(why)),
                Answer::Unknown(why) => (row, unknown) = (0, Some(why)),
            }
            if row >= health.successes {
                return Ok(Outcome::Healthy(tries));
            }
            let pause = jittered(health.interval);
            let left = health.timeout.saturating_sub(started.elapsed());
            tokio::select! {
                () = tokio::time::sleep(pause.min(left)) => {}
                signal = stop.requested() => return Err(Error::interrupted(signal)),
            }
        }
        let limit = duration::show(health.timeout);
        Ok(match (bad, unknown) {
            (None, Some(why)) => Outcome::Inconclusive(why),
            (Some(why), _) => Outcome::Unhealthy(format!("{why} (asked for {limit})")),
            (None, None) => Outcome::Unhealthy(format!(
                "{} good answers in a row were wanted, and there were {row} within {limit}",
                health.successes
            )),
        })
    }

    fn tell(&self, answer: &Answer) {
        self.told.note(&match answer {
            Answer::Good => "  health: well".to_owned(),
            Answer::Bad(why) => format!("  health: not well: {why}"),
            Answer::Unknown(why) => format!("  health: nobody knows: {why}"),
        });
    }

    fn question(&self, stand: &Stand) -> Result<Question> {
        Ok(match &self.health.probe {
            Probe::Tcp(address) => Question::Tcp(address.clone()),
            Probe::Command(command) => Question::Command(command.clone()),
            Probe::Http {
                url,
                status,
                body,
                json,
            } => {
                let place = self.health.place.clone();
                let body = body.as_deref().map(Regex::new).transpose();
                Question::Http(Box::new(Get {
                    http: Http::new(self.environment, Vec::new(), self.stop.clone())?,
                    url: probing::url(&Placed { value: url, place })?,
                    statuses: status.iter().map(|status| *status..=*status).collect(),
                    body: body.map_err(|error| {
                        Error::usage("`body` is no regular expression")
                            .at(self.health.place.clone())
                            .cause(error)
                    })?,
                    json: self.expected(json, stand)?,
                }))
            }
        })
    }

    fn expected(
        &self,
        json: &BTreeMap<String, String>,
        stand: &Stand,
    ) -> Result<BTreeMap<String, String>> {
        let value = |name: &str| match name {
            "version" => stand.version.clone(),
            _ => stand.digest.clone(),
        };
        let mut expected = BTreeMap::new();
        for (pointer, text) in json {
            let filled = fill(text, value).map_err(|what| {
                Error::usage(format!("`{what}` has no value: nothing names it"))
                    .at(self.health.place.clone())
                    .hint("deploy a wheel, or give the version with `release-version`")
            })?;
            expected.insert(pointer.clone(), filled);
        }
        Ok(expected)
    }
}

/// Three quarters to five quarters of it: not everybody asks at the same moment.
fn jittered(interval: Duration) -> Duration {
    let random = getrandom::u32().unwrap_or(u32::MAX / 2);
    interval.mul_f64(0.75 + 0.5 * f64::from(random) / f64::from(u32::MAX))
}
