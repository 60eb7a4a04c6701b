//! Commands of the project's own: one deploys, one goes back, one says what stands there. They see the base set of variables,
//! what is declared for them, and what they are to do in `LOCKGATE_DEPLOY_…`; nothing that they start outlives them.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::error::{Error, Place, Result};
use crate::model::deploy::{Applied, Change, ChangeKind, Release, Standing};
use crate::model::digest::hex;
use crate::system::environment::Environment;
use crate::system::masking::{Masker, Secret};
use crate::system::processes::{
    Channel, Ended, Ending, Log, Process, Supervisor, halting, identity,
};
use crate::targets::Access;

/// The longest that a command has to end where the whole run is to: within three seconds GitHub knows how it ended.
const CANCEL_GRACE: Duration = Duration::from_secs(1);

/// The longest name of what stands there, bytes.
const LONGEST_REFERENCE: usize = 4 << 10;

/// The end of the output that an error shows, lines.
const SHOWN: usize = 20;

/// Commands of the project's own.
#[derive(Clone, Debug)]
pub struct Shell {
    /// What deploys: a program and its arguments.
    pub run: Vec<String>,
    /// What goes back.
    pub rollback: Option<Vec<String>>,
    /// What prints a name of what stands there, on one line.
    pub current: Option<Vec<String>>,
    /// Where they run, absolute.
    pub directory: PathBuf,
    /// How long each may take.
    pub timeout: Duration,
    /// How long each has between SIGTERM and SIGKILL.
    pub grace: Duration,
    /// Variables with their values; those without are passed through.
    pub variables: BTreeMap<String, Option<String>>,
    /// Secrets: the variable that they see, that of our environment, and where it was declared.
    pub secrets: BTreeMap<String, (String, Place)>,
}

impl Shell {
    /// For people.
    pub fn describe(&self) -> String {
        format!("the command `{}`", shown(&self.run))
    }

    /// What a deployment would do.
    pub fn plan(&self, release: &Release, access: &Access<'_>) -> Result<Vec<Change>> {
        self.environment(access)?;
        let files = release.files.iter().map(|file| Change {
            what: file.name.clone(),
            kind: ChangeKind::Create,
            detail: format!("sha256 {}", hex(&file.digest)),
        });
        let run = Change {
            what: shown(&self.run),
            kind: ChangeKind::Replace,
            detail: "whatever the command does".to_owned(),
        };
        Ok(files.chain([run]).collect())
    }

    /// What the command `current` prints.
    pub async fn current(&self, access: &Access<'_>) -> Result<Option<Standing>> {
        let Some(current) = &self.current else {
            return Ok(None);
        };
        let environment = self.environment(access)?;
        let printed = self.start("current", current, environment, access).await?;
        let reference = printed.iter().map(|line| line.trim());
        let reference = reference.into_iter().find(|line| !line.is_empty());
        Ok(reference.map(|reference| Standing {
            reference: reference.chars().take(LONGEST_REFERENCE).collect(),
            ..Standing::default()
        }))
    }

    /// Runs the command that deploys.
    pub async fn apply(&self, release: &Release, access: &Access<'_>) -> Result<Applied> {
        let previous = self.current(access).await?;
        let mut environment = self.environment(access)?;
        let digest = release.digest();
        let paths = release.files.iter().map(|file| file.path.display());
        let paths: Vec<String> = paths.map(|path| path.to_string()).collect();
        for (name, value) in [
            ("VERSION", release.version.clone().unwrap_or_default()),
            ("DIGEST", hex(&digest)),
            ("FILES", paths.join("\n")),
            (
                "PREVIOUS",
                previous
                    .as_ref()
                    .map(|standing| standing.reference.clone())
                    .unwrap_or_default(),
            ),
        ] {
            environment.set(format!("LOCKGATE_DEPLOY_{name}"), value);
        }
        self.start("run", &self.run, environment, access).await?;
        let now = self.current(access).await?;
        let reference = now.map_or_else(|| hex(&digest), |now| now.reference);
        Ok(Applied {
            now: Standing {
                version: release.version.clone(),
                digest: Some(digest),
                reference,
            },
            previous,
            changes: vec![self.done(&self.run, access)],
            ..Applied::default()
        })
    }

    /// Runs the command that goes back.
    pub async fn back(&self, to: &Standing, access: &Access<'_>) -> Result<Applied> {
        let Some(rollback) = &self.rollback else {
            return Err(Error::refused("no command is there that goes back")
                .hint("name one with `rollback` beside `run`"));
        };
        let mut environment = self.environment(access)?;
        for (name, value) in [
            ("TO", to.reference.clone()),
            ("TO_VERSION", to.version.clone().unwrap_or_default()),
            (
                "TO_DIGEST",
                to.digest.map(|digest| hex(&digest)).unwrap_or_default(),
            ),
        ] {
            environment.set(format!("LOCKGATE_DEPLOY_{name}"), value);
        }
        self.start("rollback", rollback, environment, access)
            .await?;
        Ok(Applied {
            now: to.clone(),
            changes: vec![self.done(rollback, access)],
            ..Applied::default()
        })
    }

    fn done(&self, command: &[String], access: &Access<'_>) -> Change {
        let change = Change {
            what: shown(command),
            kind: ChangeKind::Replace,
            detail: format!("in `{}`", self.directory.display()),
        };
        access.progress.done(&change);
        change
    }

    /// What the commands see. Secrets are masked from here on.
    fn environment(&self, access: &Access<'_>) -> Result<Environment> {
        let mut environment = access.environment.base();
        for (name, value) in &self.variables {
            let value = value.as_deref().or_else(|| access.environment.get(name));
            if let Some(value) = value {
                environment.set(name, value);
            }
        }
        for (name, (source, place)) in &self.secrets {
            let value = access.environment.get(source).ok_or_else(|| {
                Error::usage(format!(
                    "the secret `{name}` is missing: `{source}` is not set"
                ))
                .at(place.clone())
                .hint("export it; on pull requests from forks no secret is set")
            })?;
            access.progress.conceal(&Secret::new(value));
            environment.set(name, value);
        }
        Ok(environment)
    }

    /// Runs a command to its end and that of all that it started; what it printed on standard output.
    async fn start(
        &self,
        what: &str,
        command: &[String],
        environment: Environment,
        access: &Access<'_>,
    ) -> Result<Vec<String>> {
        let (name, arguments) = command
            .split_first()
            .ok_or_else(|| Error::usage(format!("`{what}` names no program")))?;
        let program = if name.contains('/') {
            self.directory.join(name)
        } else {
            crate::system::python::on_path(&environment, name).ok_or_else(|| {
                Error::refused(format!("there is no program `{name}` on the PATH"))
            })?
        };
        let run = identity::mark(&identity::own());
        let supervisor = Supervisor::new(&run, access.environment, &self.masker(access));
        let (_halter, halt) = halting(access.stop.clone());
        let mut halt = halt.cancelled_within(CANCEL_GRACE);
        let (sender, mut lines) = mpsc::unbounded_channel();
        let log = Log::new(io::sink()).on_line(move |channel, line| {
            // Fails where nobody hears any more.
            let _ = sender.send((channel, line.to_owned()));
        });
        let process = Process::new(what, program, &self.directory, environment)
            .arguments(arguments.iter().map(String::as_str))
            .time_limit(self.timeout)
            .grace(self.grace);
        let mut printed = Printed::default();
        let ended = {
            let running = process.run(&supervisor, log, &mut halt);
            tokio::pin!(running);
            loop {
                tokio::select! {
                    ended = &mut running => break ended,
                    Some((channel, line)) = lines.recv() => printed.take(channel, line, access),
                }
            }
        };
        while let Ok((channel, line)) = lines.try_recv() {
            printed.take(channel, line, access);
        }
        let ended = ended.map_err(|error| {
            Error::refused(format!("`{}` could not be started", shown(command))).cause(error)
        })?;
        judge(what, command, &ended, &printed, access)?;
        Ok(printed.out)
    }

    /// What masks the output before anybody hears of it.
    fn masker(&self, access: &Access<'_>) -> Masker {
        let masker = Masker::default();
        for (source, _) in self.secrets.values() {
            if let Some(value) = access.environment.get(source) {
                masker.register(&Secret::new(value));
            }
        }
        masker
    }
}

/// Whether a command passed.
fn judge(
    what: &str,
    command: &[String],
    ended: &Ended,
    printed: &Printed,
    access: &Access<'_>,
) -> Result<()> {
    match ended.ending {
        Ending::Exited(0) => Ok(()),
        Ending::Stopped(_) => Err(Error::interrupted(access.stop.signal().unwrap_or(15))),
        ending => {
            let mut error = Error::refused(format!(
                "the command `{what}` of the target did not pass: {ending}"
            ))
            .cause(format!("it was `{}`", shown(command)));
            for line in &printed.last {
                error = error.cause(line);
            }
            Err(error)
        }
    }
}

/// What a command has printed.
#[derive(Debug, Default)]
struct Printed {
    /// The first lines of its standard output.
    out: Vec<String>,
    /// The last lines of both outputs.
    last: std::collections::VecDeque<String>,
}

impl Printed {
    fn take(&mut self, channel: Channel, line: String, access: &Access<'_>) {
        access.progress.said(&line);
        if channel == Channel::Out && self.out.len() < SHOWN {
            self.out.push(line.clone());
        }
        self.last.push_back(line);
        if self.last.len() > SHOWN {
            self.last.pop_front();
        }
    }
}

/// A command for people.
fn shown(command: &[String]) -> String {
    let mut words: String = command.join(" ").chars().take(80).collect();
    if let Some(end) = words.find('\n') {
        words.truncate(end);
        words.push('…');
    }
    words
}
