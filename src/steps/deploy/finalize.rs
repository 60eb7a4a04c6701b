//! `finalize` and `sweep`: no deployment stays open whose process has gone, and none goes on whose job was cancelled.

use std::time::Duration;

use crate::deploy::history::{self, Deployment};
use crate::error::{Error, Kind, Result, count};
use crate::model::deployment::definition::OnCancel;
use crate::model::deployment::{Facts, Owner, State};
use crate::model::report::Verdict;
use crate::steps::deploy::book::{self, Book};
use crate::steps::deploy::engine::{Ended, Session, workflow_run};
use crate::steps::deploy::record::{self, About, Recorder};
use crate::steps::deploy::{Arguments, definition, report};
use crate::steps::world::World;
use crate::system::processes::{Supervisor, halting, identity};
use crate::system::stop::Stop;

/// How long a deployment that is still at it has to write its end.
const GRACE: Duration = Duration::from_secs(4);

/// How long what it has started has to end.
const STRAYS: Duration = Duration::from_secs(1);

/// Closes every open deployment whose process has gone, or which `is_over` says is. The ids of those.
pub fn heal(book: &mut Book, is_over: impl Fn(&Deployment) -> bool) -> Result<Vec<String>> {
    let open = book.deployments().into_iter();
    let open: Vec<Deployment> = open
        .filter(|deployment| !deployment.state.is_final())
        .filter(|deployment| {
            let owner = deployment.facts.owner.as_ref();
            let is_gone =
                owner.is_none_or(|owner| identity::is_of_here(owner) && !identity::lives(owner));
            is_gone || is_over(deployment)
        })
        .collect();
    for deployment in &open {
        let (next, why) = if deployment.state == State::RollingBack {
            (
                State::RollbackFailed,
                "its process ended while it went back",
            )
        } else {
            (State::Cancelled, "its process ended without a word")
        };
        let facts = Facts {
            why: Some(why.to_owned()),
            ..Facts::default()
        };
        book.write(&deployment.id, next, facts)?;
    }
    Ok(open.into_iter().map(|deployment| deployment.id).collect())
}

/// Brings what this run of the workflow left to its end.
pub async fn finalize(arguments: &Arguments, world: &World, stop: Stop) -> Result<Ended> {
    let definition = definition::load(world)?;
    let journals = book::folder(arguments, world, &definition.folder);
    let own = workflow_run(world);
    let (mut closed, mut went_back, mut told) = (Vec::new(), 0, 0);
    let (mut findings, mut unknown) = (Vec::new(), None);
    let mut unreadable = Vec::new();
    for environment in &definition.environments {
        if arguments
            .environment
            .as_ref()
            .is_some_and(|name| *name != environment.name)
        {
            continue;
        }
        let (found, broken) = match Book::open(&journals, &environment.name) {
            Ok(book) => (book.deployments(), None),
            // What it started is ended all the same.
            Err(error) => {
                let found = Book::remains(&journals, &environment.name);
                (found.unwrap_or_default(), Some(error))
            }
        };
        let mine = |deployment: &Deployment| {
            let run = deployment.facts.run.clone().unwrap_or_default();
            (run.id, run.attempt, run.job) == (own.id.clone(), own.attempt.clone(), own.job.clone())
        };
        // On a laptop somebody may be at it in another window.
        let ours = found.into_iter();
        let ours = ours.filter(|deployment| world.context.is_workflow && mine(deployment));
        for deployment in ours {
            let Some(owner) = deployment.facts.owner else {
                continue;
            };
            // Also where its end is on record: it may have been killed before all had ended that it started.
            end(&owner, world, &stop).await?;
        }
        if let Some(error) = broken {
            unreadable.push(error);
            continue;
        }
        let mut session = Session::open(
            arguments,
            world,
            environment,
            &definition.folder,
            stop.clone(),
        )?;
        closed.extend(heal(&mut session.book, |_| false)?);
        let last = session.book.deployments().pop();
        let cancelled =
            last.filter(|last| last.state == State::Cancelled && last.has_effects && mine(last));
        if let Some(last) = cancelled
            && environment.on_cancel == OnCancel::Rollback
            && session.target.can_go_back()
        {
            let deployments = session.book.deployments();
            let good = history::last_good(&deployments, Some(&last.id)).cloned();
            if let Some(to) = good.or(last.facts.to) {
                session.id = last.id;
                session.back_to(to).await?;
                went_back += 1;
            }
        }
        let was_recorded = session.recorder.warning().is_none();
        let ours = session.book.deployments().into_iter();
        for deployment in ours.filter(|deployment| mine(deployment)) {
            // Where GitHub gives no answer nothing more is asked of it; what is left here is closed all the same.
            if unknown.is_some() {
                break;
            }
            match tell(&mut session, &deployment).await {
                Ok(was_open) => told += usize::from(was_open),
                Err(error) if error.kind == Kind::NoVerdict => unknown = Some(error),
                Err(error) => return Err(error),
            }
        }
        if was_recorded && findings.is_empty() {
            findings.extend(report::not_recorded(&session.recorder));
        }
        if let Some(problem) = session.problems.into_iter().next() {
            return Err(problem);
        }
    }
    let mut headline = match closed.len() {
        0 => "nothing was left open".to_owned(),
        some => format!("closed {}", count(some as u64, "deployment")),
    };
    if went_back > 0 {
        headline.push_str(", and put back what stood before");
    }
    if told > 0 {
        headline = format!("{headline}; told GitHub of {}", count(told as u64, "end"));
    }
    let verdict = if unknown.is_some() || !unreadable.is_empty() {
        Verdict::NoVerdict
    } else {
        Verdict::Pass
    };
    findings.extend(unreadable.iter().map(report::finding));
    if !unreadable.is_empty() {
        headline.push_str("; not every journal can be read");
    }
    if let Some(error) = unknown {
        headline.push_str("; what GitHub shows is not known");
        findings.push(report::finding(&error.hint(
            "`lockgate deploy sweep` tells GitHub later, when this run is over",
        )));
    }
    let mut report = report::empty(headline, verdict);
    report.findings = findings;
    Ok(Ended {
        report,
        stopped_by: None,
    })
}

/// Tells GitHub how a deployment ended, where it has it open. Whether it had.
async fn tell(session: &mut Session<'_>, deployment: &Deployment) -> Result<bool> {
    let facts = &deployment.facts;
    let was_created = deployment
        .timeline
        .iter()
        .any(|(state, _)| *state == State::Created);
    let id = match facts.record {
        Some(id) => Some(id),
        // It may have ended before it knew the answer.
        None if was_created => {
            let (run, release) = (facts.run.clone(), facts.release.clone());
            let about = About {
                environment: session.environment,
                task: facts.task.as_deref().unwrap_or("deploy"),
                run: &run.unwrap_or_default(),
                release: &release.unwrap_or_default(),
                files: Vec::new(),
            };
            session.recorder.find(&about).await?
        }
        None => None,
    };
    let Some(id) = id else {
        return Ok(false);
    };
    if !session.recorder.is_open(id).await? {
        return Ok(false);
    }
    let state = record::told(deployment.state, deployment.has_effects);
    let words = facts
        .why
        .as_deref()
        .unwrap_or_else(|| deployment.state.name());
    let url = facts.url.as_deref();
    session
        .recorder
        .tell(id, state, words, url, &session.stop)
        .await?;
    Ok(true)
}

/// Ends a deployment that is still at it, with all that it started.
async fn end(owner: &Owner, world: &World, stop: &Stop) -> Result<()> {
    if !identity::is_of_here(owner) || owner.pid == std::process::id() {
        return Ok(());
    }
    let is_gone = identity::end(owner, GRACE).await;
    let mark = identity::mark(owner);
    let supervisor = Supervisor::new(&mark, &world.environment, world.console.masker());
    let (_halter, halt) = halting(stop.clone());
    supervisor.sweep(STRAYS, &halt).await;
    if is_gone {
        return Ok(());
    }
    Err(Error::no_verdict(format!(
        "process {}, which still deploys, cannot be ended",
        owner.pid
    )))
}

/// Closes what nobody works on any more, in every environment; and on GitHub what a dead runner left open, and transient
/// environments whose pull request is closed.
pub async fn sweep(arguments: &Arguments, world: &World) -> Result<Ended> {
    let definition = definition::load(world)?;
    let journals = book::folder(arguments, world, &definition.folder);
    let recorder = Recorder::new(world)?;
    let is_closed = world.context.event["action"] == "closed";
    let (mut closed, mut unknown) = (0, Vec::new());
    for environment in &definition.environments {
        let name = &environment.name;
        if arguments
            .environment
            .as_ref()
            .is_some_and(|wanted| wanted != name)
        {
            continue;
        }
        // What GitHub has open is swept whether the journal can be read or not, and other environments are looked at too.
        let healed = Book::open(&journals, name).and_then(|mut book| heal(&mut book, |_| false));
        match healed {
            Ok(healed) => closed += healed.len(),
            Err(error) => unknown.push(error),
        }
        match recorder.sweep(name).await {
            Ok((ended, unseen)) => {
                closed += ended;
                unknown.extend(unseen);
            }
            Err(error) if error.kind == Kind::NoVerdict => unknown.push(error),
            Err(error) => return Err(error),
        }
        if environment.transient && is_closed {
            closed += recorder.end_transient(name).await?;
        }
    }
    let mut headline = match closed {
        0 if unknown.is_empty() => "nothing was left open".to_owned(),
        some => format!("closed {}", count(some as u64, "deployment")),
    };
    let mut verdict = Verdict::Pass;
    if !unknown.is_empty() {
        headline.push_str("; not all could be seen");
        verdict = Verdict::NoVerdict;
    }
    let mut report = report::empty(headline, verdict);
    report.findings = unknown.iter().map(report::finding).collect();
    report.findings.extend(report::not_recorded(&recorder));
    Ok(Ended {
        report,
        stopped_by: None,
    })
}
