//! The gates: what must hold before anything is touched, one a file. Each says why it said no.

mod artifact;
mod lockfile;
mod version;

use std::path::Path;
use std::time::{Duration, Instant};

use crate::error::Result;
use crate::model::deployment::definition::Environment;
use crate::model::report::{Check, Status};
use crate::steps::deploy::Arguments;
use crate::steps::deploy::record::Recorder;
use crate::steps::deploy::release::Found;
use crate::steps::world::World;
use crate::system::stop::Stop;
use crate::targets::{Access, Target};

/// What a gate said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// Yes; what it looked at.
    Yes(String),
    /// No; every reason, and what to do.
    No(Vec<String>, Option<String>),
    /// It could not look; why, and what to do.
    Unknown(String, Option<String>),
    /// Nobody asked it.
    Off,
}

/// A gate and what it said.
#[derive(Clone, Debug)]
pub struct Gate {
    /// Its name.
    pub name: &'static str,
    /// What it said.
    pub said: Said,
    /// How long it took.
    pub duration: Duration,
}

impl Gate {
    /// As a check of the report.
    pub fn check(&self) -> Check {
        let (origin, status) = match &self.said {
            Said::Yes(what) => (what.clone(), Status::Clean),
            Said::No(reasons, _) => ("gate".to_owned(), Status::Findings(reasons.len() as u64)),
            Said::Unknown(why, _) => ("gate".to_owned(), Status::Failed(why.clone())),
            Said::Off => ("off".to_owned(), Status::Clean),
        };
        Check {
            name: self.name.to_owned(),
            project: None,
            version: None,
            origin,
            status,
            files: None,
            duration: self.duration,
        }
    }
}

/// What the gates look at.
#[derive(Debug)]
pub struct Looked<'l> {
    /// What was asked for.
    pub arguments: &'l Arguments,
    /// The world.
    pub world: &'l World,
    /// The environment.
    pub environment: &'l Environment,
    /// The folder of the definition.
    pub folder: &'l Path,
    /// What is to be deployed.
    pub found: &'l Found,
    /// Where it goes.
    pub target: &'l Target,
    /// What that gets of the world.
    pub access: Access<'l>,
    /// The version that stood well the last time; or why that cannot be told.
    pub last: std::result::Result<Option<String>, String>,
    /// The record that knows the checks of the commit.
    pub recorder: &'l Recorder,
    /// Whether to end.
    pub stop: &'l Stop,
}

impl Looked<'_> {
    /// Asks every gate; the version that all agree on.
    pub async fn ask(&self) -> Result<(Vec<Gate>, Option<String>)> {
        let mut gates = Vec::new();
        let started = Instant::now();
        let (said, version) = version::ask(self).await?;
        let mut add = |name, said, started: Instant| {
            gates.push(Gate {
                name,
                said,
                duration: started.elapsed(),
            });
        };
        add("version", said, started);
        add("artifact", artifact::ask(self), Instant::now());
        let started = Instant::now();
        add("lockfile", lockfile::ask(self).await?, started);
        let started = Instant::now();
        let said = self
            .recorder
            .contexts(self.world, self.environment, self.stop)
            .await?;
        add("contexts", said, started);
        Ok((gates, version))
    }
}
