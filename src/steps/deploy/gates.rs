//! The gates: what must hold before anything is touched. Each says why it said no.

use std::path::Path;
use std::time::{Duration, Instant};

use toml::de::DeTable;

use crate::deploy::version::{self, Named, Rules};
use crate::error::{Error, Result, exit};
use crate::github::context::NESTED;
use crate::model::deployment::definition::Environment;
use crate::model::report::{Check, Status};
use crate::steps::deploy::Arguments;
use crate::steps::deploy::record::Recorder;
use crate::steps::deploy::release::Found;
use crate::steps::world::World;
use crate::system::process::{Child, Ending};
use crate::system::stop::Stop;

/// How long `lockfile-verify` may take.
const VERIFYING: Duration = Duration::from_mins(10);

/// What a gate said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// Yes; what it looked at.
    Yes(String),
    /// No; every reason, and what to do.
    No(Vec<String>, Option<String>),
    /// It could not look; why.
    Unknown(String),
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
            Said::Unknown(why) => ("gate".to_owned(), Status::Failed(why.clone())),
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
    /// The version that stands.
    pub last: Option<&'l str>,
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
        let (said, version) = self.version();
        let mut add = |name, said, started: Instant| {
            gates.push(Gate {
                name,
                said,
                duration: started.elapsed(),
            });
        };
        add("version", said, started);
        add("artifact", self.artifact(), Instant::now());
        let started = Instant::now();
        add("lockfile", self.lockfile().await?, started);
        let started = Instant::now();
        let said = self
            .recorder
            .contexts(self.world, self.environment, self.stop)
            .await?;
        add("contexts", said, started);
        Ok((gates, version))
    }

    /// Everything that names a version.
    fn named(&self) -> Vec<Named> {
        let mut all = Vec::new();
        let mut add = |by: String, version: String| all.push(Named { by, version });
        let project = project(self.folder);
        if let Some(version) = &self.arguments.release_version {
            add("`release-version`".to_owned(), version.clone());
        }
        let context = &self.world.context;
        if context.ref_type == "tag"
            && let Some(version) = version::of_tag(&context.ref_name, project.0.as_deref())
        {
            add(format!("the tag `{}`", context.ref_name), version);
        }
        if let Some(version) = project.1 {
            add("`pyproject.toml`".to_owned(), version);
        }
        for file in &self.found.release.files {
            if let Some((_, version)) = version::of_file(&file.name) {
                add(format!("`{}`", file.name), version);
            }
        }
        all
    }

    fn version(&self) -> (Said, Option<String>) {
        let named = self.named();
        let rules = Rules {
            last: self.last,
            downgrade: self.environment.gates.downgrade,
            prereleases: self.environment.prereleases,
        };
        let judged = version::judge(&named, rules);
        if !self.environment.gates.version {
            // Whoever is first: the user's own word, then the tag.
            let first = named.first().map(|named| named.version.clone());
            return (Said::Off, judged.ok().flatten().or(first));
        }
        match judged {
            Ok(Some(version)) => {
                let by: Vec<&str> = named.iter().map(|named| named.by.as_str()).collect();
                (
                    Said::Yes(format!("{version}: {}", by.join(", "))),
                    Some(version),
                )
            }
            Ok(None) => (Said::Yes("nothing names a version".to_owned()), None),
            Err(reasons) => {
                let hint =
                    "make them the same, or turn the gate off with `gates = { version = false }`";
                (Said::No(reasons, Some(hint.to_owned())), None)
            }
        }
    }

    fn artifact(&self) -> Said {
        if !self.environment.gates.artifact {
            return Said::Off;
        }
        let files = self.found.release.files.len();
        if files == 0 {
            return Said::Yes("there are no files".to_owned());
        }
        if self.found.unproven.is_empty() {
            let files = crate::error::count(files as u64, "file");
            return Said::Yes(format!("{files}: {}", self.found.proven_by));
        }
        let reasons = self.found.unproven.iter();
        Said::No(
            reasons.map(|reason| format!("not proven: {reason}")).collect(),
            Some("deploy by a stage of the pipeline that made them, or from a bundle with `bundle` and `bundle-digest`; `gates = { artifact = false }` does without proof".to_owned()),
        )
    }

    /// Asks `lockfile-verify` itself, now.
    async fn lockfile(&self) -> Result<Said> {
        if !self.environment.gates.lockfile {
            return Ok(Said::Off);
        }
        let own = std::env::current_exe()
            .map_err(|error| Error::no_verdict("our own program cannot be found").cause(error))?;
        let temp = tempfile::tempdir()
            .map_err(|error| Error::no_verdict("there is no room for a report").cause(error))?;
        let mut environment = self.world.environment.for_step();
        environment.set(NESTED, "1");
        let child = Child::new(own, self.folder, environment)
            .arguments([
                "lockfile-verify".to_owned(),
                "--allow-empty=true".to_owned(),
                format!(
                    "--report-file={}",
                    temp.path().join("report.json").display()
                ),
                format!(
                    "--summary-file={}",
                    temp.path().join("summary.md").display()
                ),
            ])
            .time_limit(VERIFYING);
        let mut finished = child
            .run(&mut self.stop.clone(), &mut |_| {})
            .await
            .map_err(|error| Error::no_verdict("lockfile-verify cannot be started").cause(error))?;
        let said = |finished: &mut crate::system::process::Finished| {
            let out = finished.read_stdout(1 << 20).unwrap_or_default();
            let out = String::from_utf8_lossy(&out).into_owned();
            let lines = out.lines().chain(finished.stderr.lines());
            let lines: Vec<String> = lines
                .map(str::trim)
                .filter(|line| line.starts_with("error"))
                .take(5)
                .map(str::to_owned)
                .collect();
            lines
        };
        Ok(match finished.ending {
            Ending::Exited(0) => Said::Yes("lockfile-verify passes".to_owned()),
            Ending::Exited(code) if code == i32::from(exit::FAIL) => {
                let mut reasons = vec!["lockfile-verify says no".to_owned()];
                reasons.extend(said(&mut finished));
                Said::No(reasons, Some("lockgate lockfile-verify".to_owned()))
            }
            Ending::Stopped(signal) => return Err(Error::interrupted(signal)),
            ending => {
                let said = said(&mut finished).join("; ");
                Said::Unknown(format!("lockfile-verify gave no verdict: {ending} {said}"))
            }
        })
    }
}

/// Name and version of the project in a folder, as far as its `pyproject.toml` says them itself.
fn project(folder: &Path) -> (Option<String>, Option<String>) {
    let text = std::fs::read_to_string(folder.join("pyproject.toml")).unwrap_or_default();
    let Ok(document) = DeTable::parse(&text) else {
        return (None, None);
    };
    let project = document.get_ref().get("project");
    let value = |name: &str| {
        let value = project?.get_ref().get(name)?;
        Some(value.get_ref().as_str()?.to_owned())
    };
    (value("name"), value("version"))
}
