//! Whether a service is ready.

use std::path::Path;
use std::time::Duration;

use reqwest::Method;
use tokio::net::TcpStream;
use tokio::sync::watch;
use url::Url;

use crate::error::{Error, Result};
use crate::model::duration;
use crate::model::pipeline::{Placed, Probe, Service};
use crate::system::environment::Environment;
use crate::system::http::Http;
use crate::system::http::exchange::Call;
use crate::system::process::Child;
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
        if let Probe::Output(_) = probe.value {
            // Fails where the service has ended, which is told elsewhere.
            let _ = self.seen.wait_for(|seen| *seen).await;
            return Ok(());
        }
        let http = match &probe.value {
            Probe::Http(address) => {
                let url = Url::parse(address).map_err(|error| {
                    Error::usage(format!("`{address}` is no URL"))
                        .at(probe.place.clone())
                        .cause(error)
                })?;
                let http = Http::new(self.environment, Vec::new(), self.stop.clone())?;
                Some((http, Call::new(Method::GET, url)))
            }
            _ => None,
        };
        let mut pause = PAUSES.0;
        loop {
            let question = async {
                match (&probe.value, &http) {
                    (Probe::Tcp(address), _) => TcpStream::connect(address).await.is_ok(),
                    (Probe::Command(command), _) => self.succeeds(command).await,
                    (_, Some((http, call))) => http
                        .open(call)
                        .await
                        .is_ok_and(|reply| (200..300).contains(&reply.status())),
                    _ => false,
                }
            };
            if tokio::time::timeout(QUESTION, question).await == Ok(true) {
                return Ok(());
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSES.1);
        }
    }

    async fn succeeds(&self, command: &[String]) -> bool {
        let Some((program, arguments)) = command.split_first() else {
            return false;
        };
        let child = Child::new(program, self.directory, self.environment.clone())
            .arguments(arguments.iter().map(String::as_str))
            .time_limit(QUESTION);
        let finished = child.run(&mut self.stop.clone(), &mut |_| {}).await;
        finished.is_ok_and(|finished| finished.ending.is_success())
    }
}
