//! One deployment from its plan to its end: every state is on record before what it stands for is done.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::deploy::history::{self, Deployment};
use crate::error::{Error, Kind, Result};
use crate::github::deployments::{Deployment as Record, State as Told};
use crate::model::deploy::{Applied, Change, Standing};
use crate::model::deployment::definition::{Environment, Inconclusive, Lock, Rollback};
use crate::model::deployment::{Facts, Run, Stand, State};
use crate::model::digest::{hex, sha};
use crate::model::report::{Report, Verdict};
use crate::steps::deploy::book::{self, Book};
use crate::steps::deploy::gates::Gate;
use crate::steps::deploy::health::{Doctor, Outcome};
use crate::steps::deploy::lock::{self, Held, Holder};
use crate::steps::deploy::progress::Told as Teller;
use crate::steps::deploy::record::{self, About, Recorder};
use crate::steps::deploy::{Arguments, known, target};
use crate::steps::gate::Loosened;
use crate::steps::world::World;
use crate::system::processes::identity;
use crate::system::stop::Stop;
use crate::targets::{Access, Target};

/// What an operation came to.
#[derive(Debug)]
pub struct Ended {
    /// What is told.
    pub report: Report,
    /// The signal that stopped it.
    pub stopped_by: Option<u8>,
}

/// A deployment that is being done.
pub struct Session<'s> {
    /// What was asked for.
    pub arguments: &'s Arguments,
    /// The world.
    pub world: &'s World,
    /// Where it goes.
    pub environment: &'s Environment,
    /// The folder of the definition.
    pub folder: PathBuf,
    /// The place.
    pub target: Target,
    /// The journal.
    pub book: Book,
    /// The id of the deployment.
    pub id: String,
    /// Whether to end.
    pub stop: Stop,
    /// Hears how far it is.
    pub told: Teller<'s>,
    /// What the gates said.
    pub gates: Vec<Gate>,
    /// What is done, or would be.
    pub changes: Vec<Change>,
    /// What went wrong, the first first.
    pub problems: Vec<Error>,
    /// What is deployed, and where it stands when it does.
    pub release: Stand,
    /// What stood before.
    pub previous: Option<Stand>,
    /// Where people find it.
    pub url: Option<String>,
    /// Names and digests of the files.
    pub files: Vec<(String, String)>,
    /// GitHub's record.
    pub recorder: Recorder,
    /// In what a proposal's own policy is looser than the one that counts.
    pub loosened: Vec<Loosened>,
    recorded: Option<Record>,
    lock_folder: PathBuf,
    held: Option<Held>,
}

impl<'s> Session<'s> {
    /// A new deployment to the environment.
    pub fn open(
        arguments: &'s Arguments,
        world: &'s World,
        environment: &'s Environment,
        folder: &Path,
        stop: Stop,
    ) -> Result<Self> {
        let journals = book::folder(arguments, world, folder);
        let target = target::of(environment, folder);
        let lock_folder = target.lock_folder().unwrap_or_else(|| journals.clone());
        Ok(Self {
            arguments,
            world,
            environment,
            folder: folder.to_owned(),
            book: Book::open(&journals, &environment.name)?,
            id: id(world)?,
            stop,
            told: Teller::new(&world.console),
            gates: Vec::new(),
            changes: Vec::new(),
            problems: Vec::new(),
            release: Stand::default(),
            previous: None,
            url: environment.url.clone(),
            target,
            files: Vec::new(),
            recorder: Recorder::new(world)?,
            loosened: Vec::new(),
            recorded: None,
            lock_folder,
            held: None,
        })
    }

    /// What the target gets of the world.
    pub fn access(&self) -> Access<'_> {
        Access {
            environment: &self.world.environment,
            stop: &self.stop,
            progress: &self.told,
        }
    }

    /// Where the lock of the environment is.
    pub fn lock_place(&self) -> lock::Place {
        if let Some(store) = self.target.lock_store() {
            return lock::Place::Store(Box::new(store.clone()));
        }
        let name = format!("{}.lock", self.environment.name);
        lock::Place::File(self.lock_folder.join(name))
    }

    /// Gives the environment back to others.
    pub async fn unlock(&mut self) {
        if let Some(held) = self.held.take() {
            held.give_back(&self.access()).await;
        }
    }

    /// Enters a state.
    pub fn enter(&mut self, state: State, facts: Facts) -> Result<()> {
        self.book.write(&self.id, state, facts)?;
        tracing::debug!(deployment = self.id, state = state.name(), "entered");
        Ok(())
    }

    /// Where it is.
    pub fn state(&self) -> Option<State> {
        let mut entries = self.book.entries().iter().rev();
        let own = entries.find(|entry| entry.deployment == self.id);
        own.map(|entry| entry.event)
    }

    /// Its lines so far, taken together.
    pub fn journaled(&self) -> Option<Deployment> {
        let entries = self.book.entries().iter();
        history::deployments(entries.filter(|entry| entry.deployment == self.id)).pop()
    }

    /// Enters the first state.
    pub fn plan(&mut self, task: &str) -> Result<()> {
        let facts = Facts {
            task: Some(task.to_owned()),
            environment: Some(self.environment.name.clone()),
            release: Some(self.release.clone()),
            owner: Some(identity::own()),
            run: Some(workflow_run(self.world)),
            ..Facts::default()
        };
        self.enter(State::Planned, facts)
    }

    /// Takes the environment for this deployment alone.
    pub async fn lock(&mut self) -> Result<()> {
        let lock = &self.environment.lock;
        let wants = self.arguments.break_lock.unwrap_or_default();
        let may =
            !self.world.context.is_workflow || lock.breakers.contains(&self.world.context.actor);
        if wants && !may {
            return Err(Error::refused(format!(
                "`{}` may not take the environment from who has it",
                self.world.context.actor
            ))
            .hint("name who may in `lock = { break = [\"…\"] }`"));
        }
        self.take(&lock.clone(), wants).await?;
        self.enter(State::Locked, Facts::default())
    }

    async fn take(&mut self, lock: &Lock, may_break: bool) -> Result<()> {
        let holder = Holder::new(&self.id, workflow_run(self.world), lock.limit);
        let place = self.lock_place();
        let (held, other) = lock::take(place, holder, lock, may_break, &self.access()).await?;
        if let Some(other) = other {
            self.told.note(&format!(
                "  the environment was taken from {}",
                other.shown()
            ));
        }
        self.held = Some(held);
        Ok(())
    }

    /// Fails where somebody else has the environment by now.
    async fn unless_taken(&self) -> Result<()> {
        match &self.held {
            Some(held) => held.check(&self.access()).await,
            None => Ok(()),
        }
    }

    /// Lets `work` change the target, asks for its health, and goes back where it is not well.
    pub async fn bring(&mut self, work: Work<'_>) -> Result<()> {
        self.enter(State::Created, Facts::default())?;
        let task = match work {
            Work::Apply(_) => "deploy",
            Work::Back(_) => "rollback",
        };
        self.record(task).await?;
        self.previous = self.target.current(&self.access()).await?.map(stand);
        self.unless_stopped()?;
        self.unless_taken().await?;
        self.enter(
            State::InProgress,
            Facts {
                to: self.previous.clone(),
                record: self.recorded.as_ref().map(|recorded| recorded.id),
                ..Facts::default()
            },
        )?;
        self.tell(Told::InProgress, "").await?;
        self.unless_taken().await?;
        let done = match work {
            Work::Apply(release) => self.target.apply(release, &self.access()).await,
            Work::Back(to) => self.target.back(to, &self.access()).await,
        };
        let Applied {
            now,
            url,
            sent,
            changes,
            ..
        } = done?;
        self.changes = changes;
        self.release.reference = Some(now.reference);
        if self.url.is_none() {
            self.url = url;
        }
        self.enter(
            State::TargetApplied,
            Facts {
                release: Some(self.release.clone()),
                url: self.url.clone(),
                sent: Some(sent),
                ..Facts::default()
            },
        )?;
        self.unless_stopped()?;
        match self.healthy(&self.release.clone()).await? {
            Outcome::Healthy(_) => {}
            Outcome::Unhealthy(why) => {
                return Err(Error::refused(format!(
                    "what was deployed is not well: {why}"
                )));
            }
            Outcome::Inconclusive(why) => {
                return Err(Error::no_verdict(format!(
                    "nobody knows whether what was deployed is well: {why}"
                )));
            }
        }
        // What stands there by now may be theirs, whatever is well.
        self.unless_taken().await?;
        self.enter(State::Healthy, Facts::default())?;
        self.enter(State::Success, Facts::default())
    }

    /// Records it on GitHub too, where there is one.
    async fn record(&mut self, task: &str) -> Result<()> {
        let run = workflow_run(self.world);
        let about = About {
            environment: self.environment,
            task,
            run: &run,
            release: &self.release,
            files: self.files.clone(),
        };
        self.recorded = self.recorder.create(&about, &self.stop).await?;
        if let Some(why) = self.recorder.warning() {
            self.told.note(&format!("  not recorded on GitHub: {why}"));
        }
        self.tell(Told::Queued, "").await
    }

    async fn tell(&self, state: Told, words: &str) -> Result<()> {
        let Some(recorded) = &self.recorded else {
            return Ok(());
        };
        let url = self.url.as_deref();
        let tell = self
            .recorder
            .tell(recorded.id, state, words, url, &self.stop);
        tell.await
    }

    /// Tells GitHub how it ended, and that what stood before stands no longer.
    pub async fn settle(&mut self) {
        let (Some(state), Some(journaled)) = (self.state(), self.journaled()) else {
            return;
        };
        let words = match self.problems.first() {
            Some(problem) => format!("{}: {}", state.name(), problem.message),
            None => state.name().to_owned(),
        };
        let words = self.world.console.masker().mask(&words).into_owned();
        let told = record::told(state, journaled.has_effects);
        if let Err(error) = self.tell(told, &words).await {
            self.problems.push(error.hint("lockgate deploy finalize"));
        }
        if let (State::Success, Some(recorded)) = (state, &self.recorded)
            && let Some(why) = self.recorder.replace(recorded, &self.stop).await
        {
            self.told.note(&format!(
                "  older deployments could not be ended on GitHub: {why}"
            ));
        }
    }

    fn unless_stopped(&self) -> Result<()> {
        match self.stop.signal() {
            Some(signal) => Err(Error::interrupted(signal)),
            None => Ok(()),
        }
    }

    async fn healthy(&self, stand: &Stand) -> Result<Outcome> {
        let Some(health) = &self.environment.health else {
            return Ok(Outcome::Healthy(0));
        };
        let doctor = Doctor {
            health,
            environment: &self.world.environment,
            directory: &self.folder,
            stop: self.stop.clone(),
            told: &self.told,
        };
        doctor.ask(stand).await
    }

    /// Ends a deployment that did not come to stand.
    pub async fn fail(&mut self, error: Error) -> Result<()> {
        let Some(state) = self.state().filter(|state| !state.is_final()) else {
            // Not even its plan is on record, or its end is.
            return Err(error);
        };
        let has_effects = self.journaled().is_some_and(|own| own.has_effects);
        let is_refusal = matches!(state, State::Planned | State::Gated)
            && matches!(error.kind, Kind::Refused | Kind::Usage);
        let next = match error.kind {
            Kind::Interrupted(_) => State::Cancelled,
            _ if is_refusal => State::Refused,
            _ => State::Failure,
        };
        let facts = Facts {
            why: Some(
                self.world
                    .console
                    .masker()
                    .mask(&error.message)
                    .into_owned(),
            ),
            ..Facts::default()
        };
        let written = self.enter(next, facts);
        let is_unclear = error.kind == Kind::NoVerdict && state == State::TargetApplied;
        self.problems.push(error);
        written?;
        let goes_back = !is_unclear || self.inconclusive_goes_back();
        if next == State::Failure && has_effects && goes_back {
            self.go_back().await?;
        }
        Ok(())
    }

    fn inconclusive_goes_back(&self) -> bool {
        let health = self.environment.health.as_ref();
        health.is_some_and(|health| health.inconclusive == Inconclusive::Rollback)
    }

    /// Puts back what stood before, where that is wanted and possible.
    async fn go_back(&mut self) -> Result<()> {
        if self.environment.rollback == Rollback::Never || !self.target.can_go_back() {
            return Ok(());
        }
        if self.journaled().is_some_and(|own| own.is_rollback()) {
            return Ok(());
        }
        let now = self.target.current(&self.access()).await;
        let now = now.ok().flatten().map(|now| now.reference);
        let before = self
            .previous
            .as_ref()
            .and_then(|stand| stand.reference.clone());
        if now.is_some() && now == before {
            self.told
                .note("  nothing was changed, so nothing is put back");
            return Ok(());
        }
        let moment = self.book.entries().last().map(|entry| entry.time.clone());
        let moment = moment.unwrap_or_default();
        let of_the_day = history::rollbacks_of_the_day(self.book.entries(), &moment);
        // The journal may know of this machine, or of this job, alone.
        let of_all = self.held.as_ref().map_or(0, Held::rolled_back);
        let of_the_day = of_the_day.max(of_all);
        if of_the_day >= history::MOST_ROLLBACKS {
            self.problems.push(
                Error::refused(format!(
                    "nothing is put back: the environment was rolled back {of_the_day} times in 24 hours"
                ))
                .hint("look what is wrong, then `lockgate deploy rollback`"),
            );
            return Ok(());
        }
        let deployments = self.book.deployments();
        let good = history::last_good(&deployments, Some(&self.id)).cloned();
        let good = if good.is_some() {
            good
        } else {
            let before = self.recorded.as_ref().map(|recorded| recorded.id);
            let name = &self.environment.name;
            let known = self.recorder.last_good(name, before, &self.stop).await;
            let known = match known {
                Some(known) => {
                    let access = self.access();
                    let named = known::named(known.clone(), &self.target, &access);
                    Some(named.await.unwrap_or(known))
                }
                None => None,
            };
            // The target knows better what its own name for it is.
            let same = self.previous.clone();
            same.filter(|same| {
                known
                    .as_ref()
                    .is_none_or(|known| known.digest == same.digest)
            })
            .or(known)
        };
        let Some(to) = good.or_else(|| self.previous.clone()) else {
            self.problems.push(Error::refused(
                "nothing is put back: nothing is on record that stood there before",
            ));
            return Ok(());
        };
        self.back_to(to).await
    }

    /// Puts this back, and asks for its health. Nothing is done where somebody else has the environment, or what stands there is
    /// theirs.
    pub async fn back_to(&mut self, to: Stand) -> Result<()> {
        let is_taken_for_this = self.held.is_none();
        let may = if is_taken_for_this {
            let lock = Lock {
                wait: Duration::ZERO,
                ..self.environment.lock.clone()
            };
            self.take(&lock, false).await
        } else {
            self.unless_taken().await
        };
        let may = match may {
            Ok(()) => self.unless_theirs().await,
            Err(error) => Err(error),
        };
        let may = match may {
            Ok(()) => self.note_rollback().await,
            Err(error) => Err(error),
        };
        let done = match may {
            Ok(()) => self.put_back(to).await,
            Err(error) => {
                self.problems.push(error.cause("so nothing is put back"));
                Ok(())
            }
        };
        if is_taken_for_this {
            self.unlock().await;
        }
        done
    }

    /// Fails where something else stands there than what this deployment made stand, as far as that can be told.
    async fn unless_theirs(&self) -> Result<()> {
        let own = self.journaled().and_then(|own| own.facts.release);
        let Some(own) = own.filter(|own| own.reference.is_some()) else {
            return Ok(());
        };
        let Some(now) = self.target.current(&self.access()).await?.map(stand) else {
            return Ok(());
        };
        let is_own =
            now.reference == own.reference || now.digest.is_some() && now.digest == own.digest;
        if is_own {
            return Ok(());
        }
        Err(Error::refused(format!(
            "{} stands there by now, which is not of this deployment",
            shown(&now)
        ))
        .hint("look at who deploys there besides"))
    }

    /// Notes where the lock is that the environment is rolled back by itself: the limit holds for whoever deploys there.
    async fn note_rollback(&mut self) -> Result<()> {
        let Some(mut held) = self.held.take() else {
            return Ok(());
        };
        let noted = held.note_rollback(&self.access()).await;
        self.held = Some(held);
        noted
    }

    async fn put_back(&mut self, to: Stand) -> Result<()> {
        self.enter(
            State::RollingBack,
            Facts {
                to: Some(to.clone()),
                ..Facts::default()
            },
        )?;
        self.told.note(&format!("  going back to {}", shown(&to)));
        let done = match self.target.back(&standing(&to), &self.access()).await {
            Ok(applied) => {
                self.changes.extend(applied.changes);
                self.healthy(&to).await
            }
            Err(error) => Err(error),
        };
        let failure = match done {
            Ok(Outcome::Healthy(_)) => None,
            Ok(Outcome::Unhealthy(why) | Outcome::Inconclusive(why)) => Some(Error::no_verdict(
                format!("what was put back is not well either: {why}"),
            )),
            Err(error) => Some(error),
        };
        let Some(failure) = failure else {
            self.enter(State::RolledBack, Facts::default())?;
            return self.record_rollback(&to).await;
        };
        let why = self
            .world
            .console
            .masker()
            .mask(&failure.message)
            .into_owned();
        self.problems.push(failure);
        self.enter(
            State::RollbackFailed,
            Facts {
                why: Some(why),
                ..Facts::default()
            },
        )
    }

    /// What was put back is a deployment of its own on GitHub.
    async fn record_rollback(&mut self, to: &Stand) -> Result<()> {
        let deployments = self.book.deployments();
        let of = deployments.iter().rev().find(|one| {
            one.state == State::Success
                && one
                    .facts
                    .release
                    .as_ref()
                    .is_some_and(|it| it.digest == to.digest)
        });
        let mut run = workflow_run(self.world);
        let sha = of
            .and_then(|of| of.facts.run.as_ref())
            .map(|run| run.sha.clone());
        run.sha = sha.filter(|sha| !sha.is_empty()).unwrap_or(run.sha);
        let about = About {
            environment: self.environment,
            task: "rollback",
            run: &run,
            release: to,
            files: Vec::new(),
        };
        let (stop, url) = (&self.stop, self.url.as_deref());
        let Some(record) = self.recorder.create(&about, stop).await? else {
            return Ok(());
        };
        let words = format!("rolled back from {}", shown(&self.release));
        let tell = self
            .recorder
            .tell(record.id, Told::Success, &words, url, stop);
        tell.await?;
        if let Some(why) = self.recorder.replace(&record, &self.stop).await {
            self.told.note(&format!(
                "  older deployments could not be ended on GitHub: {why}"
            ));
        }
        Ok(())
    }

    /// The verdict of where it ended.
    pub fn verdict(&self) -> Verdict {
        let is_unclear = self
            .problems
            .iter()
            .any(|problem| !matches!(problem.kind, Kind::Refused | Kind::Usage));
        match self.state() {
            Some(State::Success) => Verdict::Pass,
            Some(State::RolledBack | State::Refused | State::Failure) if !is_unclear => {
                Verdict::Fail
            }
            Some(State::RolledBack) => Verdict::Fail,
            _ => Verdict::NoVerdict,
        }
    }
}

/// What changes the target.
#[derive(Debug)]
pub enum Work<'w> {
    /// This release.
    Apply(&'w crate::model::deploy::Release),
    /// What stood there before.
    Back(&'w Standing),
}

/// An id of this deployment alone.
fn id(world: &World) -> Result<String> {
    let mut random = [0; 6];
    getrandom::fill(&mut random)
        .map_err(|error| Error::no_verdict("the system gives no random numbers").cause(error))?;
    let random = hex(&random);
    let context = &world.context;
    Ok(if context.run_id.is_empty() {
        random
    } else {
        format!("{}-{}-{random}", context.run_id, context.run_attempt)
    })
}

/// The run of the workflow that we are part of.
pub fn workflow_run(world: &World) -> Run {
    let context = &world.context;
    Run {
        id: context.run_id.clone(),
        attempt: context.run_attempt.clone(),
        job: context.job.clone(),
        actor: context.actor.clone(),
        sha: context.sha.clone(),
    }
}

/// What stands, for the journal.
pub fn stand(standing: Standing) -> Stand {
    Stand {
        version: standing.version,
        digest: standing.digest.map(|digest| hex(&digest)),
        reference: Some(standing.reference),
    }
}

/// What stands, for a target.
pub fn standing(stand: &Stand) -> Standing {
    Standing {
        version: stand.version.clone(),
        digest: stand.digest.as_deref().and_then(sha),
        reference: stand.reference.clone().unwrap_or_default(),
    }
}

/// What stands, for people.
pub fn shown(stand: &Stand) -> String {
    let name = stand
        .version
        .as_ref()
        .or(stand.reference.as_ref())
        .or(stand.digest.as_ref());
    name.map_or_else(
        || "something without a name".to_owned(),
        |name| format!("`{name}`"),
    )
}
