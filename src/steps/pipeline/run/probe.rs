//! Whether a service is ready.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use tokio::sync::watch;

use crate::error::{Error, Result};
use crate::model::duration;
use crate::model::pipeline::{Placed, Probe, Service};
use crate::steps::probing::{self, Answer, Get, Question};
use crate::system::environment::Environment;
use crate::system::http::Http;
use crate::system::stop::Stop;

/// The pause after the first question, and the longest one: it doubles.
const PAUSES: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(500));

/// How long one question may take.
const QUESTION: Duration = Duration::from_secs(5);

/// What asking needs.
#[derive(Debug)]
pub struct Asker<'a> {
    /// What the service's stage sees.
    pub environment: &'a Environment,
    /// Where it runs.
    pub directory: &'a Path,
    /// Whether a line of its output has matched the pattern.
    pub seen: watch::Receiver<bool>,
    /// Whether to end.
    pub stop: Stop,
}

impl Asker<'_> {
    /// Waits until the service is ready; fails when that takes too long.
    pub async fn wait(mut self, service: &Service) -> Result<()> {
        let limit = service.ready_timeout;
        match tokio::time::timeout(limit, self.ask(&service.ready)).await {
            Ok(ready) => ready,
            Err(_) => Err(Error::refused(format!(
                "it was not ready after {}",
                duration::show(limit)
            ))
            .at(service.ready.place.clone())
            .hint("look at what it printed, or give it more time with `ready-timeout`")),
        }
    }

    async fn ask(&mut self, probe: &Placed<Probe>) -> Result<()> {
        let question = match &probe.value {
            Probe::Output(_) => {
                // Fails where the service has ended, which is told elsewhere.
                let _ = self.seen.wait_for(|seen| *seen).await;
                return Ok(());
            }
            Probe::Tcp(address) => Question::Tcp(address.clone()),
            Probe::Command(command) => Question::Command(command.clone()),
            Probe::Http(address) => Question::Http(Box::new(Get {
                http: Http::new(self.environment, Vec::new(), self.stop.clone())?,
                url: probing::url(&Placed {
                    value: address,
                    place: probe.place.clone(),
                })?,
                statuses: vec![200..=299],
                body: None,
                json: BTreeMap::new(),
            })),
        };
        let asker = probing::Asker {
            environment: self.environment,
            directory: self.directory,
            stop: self.stop.clone(),
            limit: QUESTION,
        };
        let mut pause = PAUSES.0;
        while asker.ask(&question).await != Answer::Good {
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSES.1);
        }
        Ok(())
    }
}
