//! Deployments as GitHub shows them, where there is a GitHub and a token that may record them. Without, the journal alone
//! knows of them: on a laptop silently, in a workflow with a warning.

use std::time::Duration;

use crate::error::{Error, Result};
use crate::github::api::{Client, Fault};
use crate::github::deployments::{
    self, Contexts as Found, Deployment, End, Own, Payload, State as Told, Verdict, Wanted,
};
use crate::model::deployment::definition::{Contexts, Environment};
use crate::model::deployment::{Run, Stand, State};
use crate::steps::deploy::SECRETS;
use crate::steps::deploy::gates::Said;
use crate::steps::world::World;
use crate::system::clock;
use crate::system::http::Http;
use crate::system::http::retry::Policy;
use crate::system::stop::Stop;

/// So many deployments of an environment are looked through.
const DEPTH: usize = 300;

/// So many deployments that succeeded are looked at for what stood before.
const MOST_GOOD: usize = 20;

/// When the end is told at the latest where the job is cancelled, after the signal.
const TOLD_WITHIN: Duration = Duration::from_millis(2_800);

/// How long telling it may take at most,
const LAST_WORDS: Duration = Duration::from_secs(2);

/// and how long it has however late it is.
const LEAST_WORDS: Duration = Duration::from_millis(500);

/// How long an answer is still waited for that was asked for before the signal.
const LATE_ANSWER: Duration = Duration::from_millis(700);

/// How often it is asked whether checks are over.
const INTERVAL: Duration = Duration::from_secs(10);

/// The record.
#[derive(Debug)]
pub struct Recorder {
    client: Option<Client>,
    /// Why nothing is recorded, where that needs to be said.
    warning: Option<String>,
    log_url: Option<String>,
}

/// What is recorded.
#[derive(Debug)]
pub struct About<'a> {
    /// Where it goes.
    pub environment: &'a Environment,
    /// `deploy` or `rollback`.
    pub task: &'a str,
    /// The commit and the job.
    pub run: &'a Run,
    /// What is deployed.
    pub release: &'a Stand,
    /// Its files: names and digests.
    pub files: Vec<(String, String)>,
}

impl About<'_> {
    fn wanted(&self) -> Wanted {
        let number = |text: &str| text.parse().unwrap_or_default();
        let name = super::engine::shown(self.release);
        Wanted {
            sha: self.run.sha.clone(),
            environment: self.environment.name.clone(),
            task: self.task.to_owned(),
            description: match self.task {
                "rollback" => format!("back to {name}"),
                _ => name,
            },
            is_transient: self.environment.transient,
            is_production: Some(self.environment.production),
            payload: Payload {
                run_id: number(&self.run.id),
                run_attempt: number(&self.run.attempt),
                job: self.run.job.clone(),
                artifacts: self.files.iter().cloned().collect(),
                previous: None,
                started: clock::rfc3339(clock::milliseconds()),
                release: Some(Stand {
                    reference: None,
                    ..self.release.clone()
                }),
            },
        }
    }
}

impl Recorder {
    /// The record of the repository that the workflow runs for.
    pub fn new(world: &World) -> Result<Self> {
        let context = &world.context;
        let none = |warning: Option<&str>| Self {
            client: None,
            warning: warning.map(str::to_owned),
            log_url: None,
        };
        if !context.is_workflow || context.repository.is_empty() {
            return Ok(none(None));
        }
        let Some(token) = SECRETS.first().and_then(|input| world.secret(input)) else {
            return Ok(none(Some("no `token` is given")));
        };
        world.console.hide(&token);
        // The end is told also where the job is cancelled.
        let http = Http::new(&world.environment, Vec::new(), Stop::never())?;
        let masker = world.console.masker();
        let client = Client::new(&world.environment, &token, http, masker);
        let url = format!(
            "{}/{}/actions/runs/{}/attempts/{}",
            context.server_url, context.repository, context.run_id, context.run_attempt
        );
        Ok(Self {
            client: Some(client.map_err(Fault::error)?),
            warning: deployments::read_only(context).map(|why| why.to_string()),
            log_url: url.starts_with("https://").then_some(url),
        })
    }

    /// Why nothing is recorded, where it would be.
    pub fn warning(&self) -> Option<&str> {
        self.warning.as_deref().filter(|_| self.client.is_none())
    }

    /// Records a deployment, once. Nothing where it cannot be.
    pub async fn create(&mut self, about: &About<'_>, stop: &Stop) -> Result<Option<Deployment>> {
        let Some(client) = self.client.clone() else {
            return Ok(None);
        };
        let wanted = about.wanted();
        let creating = deployments::create(&client, &wanted);
        tokio::pin!(creating);
        let mut stop = stop.clone();
        let created = tokio::select! {
            created = &mut creating => created,
            signal = stop.requested() => {
                // It may be made by now: who knows of it can end it.
                match tokio::time::timeout(LATE_ANSWER, &mut creating).await {
                    Ok(created) => created,
                    Err(_) => return Err(Error::interrupted(signal)),
                }
            }
        };
        match created {
            Ok(created) => Ok(Some(created.deployment)),
            Err(fault) if fault.is_read_only() => {
                self.warning = Some(self.warning.take().unwrap_or_else(|| fault.to_string()));
                self.client = None;
                Ok(None)
            }
            Err(fault) => Err(fault.error().cause("the deployment cannot be recorded")),
        }
    }

    /// Tells how a deployment goes.
    pub async fn tell(
        &self,
        id: u64,
        state: Told,
        words: &str,
        url: Option<&str>,
        stop: &Stop,
    ) -> Result<()> {
        let Some(client) = &self.client else {
            return Ok(());
        };
        let told = deployments::Told {
            log_url: self.log_url.clone(),
            environment_url: url
                .filter(|url| url.starts_with("https://"))
                .map(str::to_owned),
            ..deployments::Told::new(state, words)
        };
        let lost = |cause: String| {
            Error::no_verdict("GitHub was not told how the deployment goes").cause(cause)
        };
        if stop.signal().is_none() {
            let telling = deployments::set_status(client, id, &told);
            tokio::pin!(telling);
            let mut stop = stop.clone();
            let answer = tokio::select! {
                answer = &mut telling => Some(answer),
                signal = stop.requested() => {
                    // On its way it would come after the end that is told next.
                    let answer = tokio::time::timeout(LATE_ANSWER, &mut telling).await.ok();
                    if answer.is_none() && !told.state.is_final() {
                        return Err(Error::interrupted(signal));
                    }
                    answer
                }
            };
            if let Some(answer) = answer {
                return answer.map_err(|fault| lost(fault.to_string()));
            }
        }
        let passed = stop.since().unwrap_or_default();
        let words = TOLD_WITHIN.saturating_sub(passed);
        let words = words.clamp(LEAST_WORDS, LAST_WORDS);
        let client = client.clone().with_patience(words / 2).with_policy(Policy {
            attempts: 3,
            budget: words,
            pause: Duration::from_millis(100),
        });
        let telling = deployments::set_status(&client, id, &told);
        match tokio::time::timeout(words, telling).await {
            Ok(told) => told.map_err(|fault| lost(fault.to_string())),
            Err(_) => Err(lost(
                "it gave no answer in the time that was left".to_owned(),
            )),
        }
    }

    /// Ends what stood before on record; what is wrong with that is told and fails nothing.
    pub async fn replace(&self, current: &Deployment, stop: &Stop) -> Option<String> {
        let client = self.client.as_ref()?;
        let mut stop = stop.clone();
        tokio::select! {
            ended = deployments::deactivate_older(client, current, DEPTH) => {
                ended.err().map(|fault| fault.to_string())
            }
            _ = stop.requested() => Some("the run was stopped".to_owned()),
        }
    }

    /// What was good the last time, where the journal does not know.
    pub async fn last_good(
        &self,
        environment: &str,
        before: Option<u64>,
        stop: &Stop,
    ) -> Option<Stand> {
        let client = self.client.as_ref()?;
        let mut stop = stop.clone();
        let good = tokio::select! {
            good = deployments::last_good(client, environment, before, DEPTH) => good,
            _ = stop.requested() => return None,
        };
        good.ok().flatten()?.payload.release
    }

    /// What stood well before the release with the digest `now`: the newest of what succeeded before it did; the newest of all
    /// where it did not.
    pub async fn stood(
        &self,
        environment: &str,
        now: Option<&str>,
        stop: &Stop,
    ) -> Result<Option<Stand>> {
        let Some(client) = &self.client else {
            return Ok(None);
        };
        let mut stop = stop.clone();
        let looking = async {
            let (mut before, mut newest, mut is_past) = (None, None, false);
            for _ in 0..MOST_GOOD {
                let good = deployments::last_good(client, environment, before, DEPTH).await?;
                let Some(good) = good else { break };
                before = Some(good.deployment.id);
                let Some(release) = good.payload.release else {
                    continue;
                };
                let is_now = now.is_some() && release.digest.as_deref() == now;
                if !is_now && (is_past || now.is_none()) {
                    return Ok(Some(release));
                }
                is_past |= is_now;
                newest = newest.or(Some(release).filter(|_| !is_now));
            }
            Ok(newest.filter(|_| !is_past))
        };
        let looked: std::result::Result<_, Fault> = tokio::select! {
            looked = looking => looked,
            signal = stop.requested() => return Err(Error::interrupted(signal)),
        };
        match looked {
            Err(fault) if fault.is_read_only() => Ok(None),
            looked => looked.map_err(Fault::error),
        }
    }

    /// The id of a deployment that was recorded, but not in the journal.
    pub async fn find(&mut self, about: &About<'_>) -> Result<Option<u64>> {
        let Some(client) = &self.client else {
            return Ok(None);
        };
        let found = deployments::find(client, &about.wanted()).await;
        Ok(self.seen(found)?.flatten().map(|found| found.id))
    }

    /// Whether nobody told yet how a deployment ended.
    pub async fn is_open(&mut self, id: u64) -> Result<bool> {
        let Some(client) = &self.client else {
            return Ok(false);
        };
        let statuses = deployments::statuses(client, id).await;
        let statuses = self.seen(statuses)?;
        Ok(statuses.is_some_and(|statuses| {
            statuses
                .first()
                .is_none_or(|status| !status.state.is_final())
        }))
    }

    /// What GitHub answered; nothing where there is nothing, or where the token may not see it, which is a warning.
    fn seen<T>(&mut self, answer: std::result::Result<T, Fault>) -> Result<Option<T>> {
        match answer {
            Ok(answer) => Ok(Some(answer)),
            Err(Fault::Missing) => Ok(None),
            Err(fault) if fault.is_read_only() => {
                self.warning = Some(self.warning.take().unwrap_or_else(|| fault.to_string()));
                self.client = None;
                Ok(None)
            }
            Err(Fault::Stopped(signal)) => Err(Error::interrupted(signal)),
            Err(fault) => Err(Error::no_verdict(
                "whether GitHub has the deployment open cannot be told",
            )
            .cause(fault)),
        }
    }

    /// Ends what is open on record and whose run is over; how many there were, and what could not be seen.
    pub async fn sweep(&self, environment: &str) -> Result<(usize, Vec<Error>)> {
        let Some(client) = &self.client else {
            return Ok((0, Vec::new()));
        };
        let swept = deployments::sweep(client, Some(environment), DEPTH).await;
        let swept = swept.map_err(Fault::error)?;
        let unknown = swept.unknown.into_iter();
        let mut unknown: Vec<Error> = unknown.map(|(id, fault)| unseen(id, fault)).collect();
        if swept.end == End::RateLimit {
            let message = format!(
                "not all deployments to `{environment}` were looked at: little is left of the rate limit"
            );
            unknown.push(Error::no_verdict(message).hint("run it again within the hour"));
        }
        Ok((swept.stale.len(), unknown))
    }

    /// Ends a transient environment on record; how many deployments that were.
    pub async fn end_transient(&self, environment: &str) -> Result<usize> {
        let Some(client) = &self.client else {
            return Ok(0);
        };
        let why = "what it was for is closed";
        let ended = deployments::end_transient(client, environment, why, DEPTH).await;
        Ok(ended.map_err(Fault::error)?.deployments.len())
    }

    /// Whether the checks of the commit have passed.
    pub async fn contexts(
        &self,
        world: &World,
        environment: &Environment,
        stop: &Stop,
    ) -> Result<Said> {
        let wanted: &[String] = match &environment.gates.contexts {
            Contexts::Off => return Ok(Said::Off),
            Contexts::All => &[],
            Contexts::Named(names) => names,
        };
        let Some(client) = &self.client else {
            let why = "no GitHub is here to ask for the checks of the commit";
            return Ok(Said::Unknown(why.to_owned(), None));
        };
        let asking = ask(client, world, wanted, environment.gates.contexts_wait);
        let mut stop = stop.clone();
        let found = tokio::select! {
            found = asking => found,
            signal = stop.requested() => return Err(Error::interrupted(signal)),
        };
        Ok(match found {
            Err(fault) => Said::Unknown(fault.to_string(), None),
            Ok(found) => match found.verdict() {
                Verdict::Passed => {
                    let number = found.contexts.len() as u64;
                    Said::Yes(format!("{} passed", crate::error::count(number, "check")))
                }
                Verdict::Nothing => Said::Unknown("the commit has no check".to_owned(), None),
                Verdict::Pending | Verdict::Failed => Said::No(
                    found.not_green(),
                    Some(
                        "wait for these checks, or name those that count in `gates.contexts`"
                            .to_owned(),
                    ),
                ),
            },
        })
    }
}

async fn ask(
    client: &Client,
    world: &World,
    wanted: &[String],
    patience: Duration,
) -> std::result::Result<Found, Fault> {
    let context = &world.context;
    let run_id = context.run_id.parse().unwrap_or_default();
    let attempt = context.run_attempt.parse().unwrap_or(1);
    // Needs a permission of its own; without, the job's id is what our check run is known by.
    let own = deployments::own_job(client, run_id, attempt, &context.runner_name).await;
    let own = own.ok().flatten();
    let own = Own {
        run_id,
        job: context.job.clone(),
        names: own.iter().map(|(name, _)| name.clone()).collect(),
        check_run: own.map(|(_, check_run)| check_run),
    };
    let interval = INTERVAL.min(patience / 4);
    deployments::wait_for_contexts(client, &context.sha, wanted, &own, patience, interval).await
}

/// An open deployment whose run cannot be seen.
fn unseen(id: u64, fault: Fault) -> Error {
    let error = Error::no_verdict(format!(
        "deployment {id} is open, and whether its run goes on cannot be told"
    ));
    let hint = "give the job `permissions: actions: read`";
    match fault {
        Fault::ReadOnly { message } => error
            .cause(format!("GitHub answers 403: {message}"))
            .hint(hint),
        Fault::Denied { .. } => error.cause(fault).hint(hint),
        _ => error.cause(fault).hint("run it again"),
    }
}

/// How GitHub calls the state that a deployment ended in. Never inactive once something may have changed.
pub fn told(state: State, has_effects: bool) -> Told {
    match state {
        State::Success => Told::Success,
        State::Cancelled if !has_effects => Told::Inactive,
        State::RollbackFailed => Told::Error,
        _ => Told::Failure,
    }
}
