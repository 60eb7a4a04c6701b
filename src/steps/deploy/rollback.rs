//! `rollback`: somebody decides to go back. It is a deployment of its own.

use crate::deploy::history::Picture;
use crate::error::{Error, Result};
use crate::model::deployment::{Facts, Stand, State};
use crate::steps::deploy::engine::{Ended, Session, Work, stand, standing};
use crate::steps::deploy::finalize::heal;
use crate::steps::deploy::{Arguments, definition, known, policy, report};
use crate::steps::world::World;
use crate::system::stop::Stop;

/// Goes back.
pub async fn rollback(arguments: &Arguments, world: &World, stop: Stop) -> Result<Ended> {
    definition::require_permission(world)?;
    let definition = definition::load(world)?;
    let environment = definition.chosen(arguments)?;
    let (environment, loosened) = policy::judged(environment, world, stop.clone()).await?;
    let mut session = Session::open(arguments, world, &environment, &definition.folder, stop)?;
    session.loosened = loosened;
    if !session.target.can_go_back() {
        return Err(Error::refused(format!(
            "{} cannot go back",
            session.target.describe()
        )));
    }
    heal(&mut session.book, |_| false)?;
    session.release = chosen(&session).await?;
    session.plan("rollback")?;
    let ended = match go(&mut session).await {
        Ok(()) => Ok(()),
        Err(error) => session.fail(error).await,
    };
    if ended.is_ok() {
        session.settle().await;
    }
    session.unlock().await;
    ended?;
    Ok(report::ended(&session))
}

async fn go(session: &mut Session<'_>) -> Result<()> {
    // Whoever decides to go back is asked nothing: what stood there has passed its gates.
    session.enter(State::Gated, Facts::default())?;
    session.lock().await?;
    let to = standing(&session.release);
    session.bring(Work::Back(&to)).await
}

/// What to go back to.
async fn chosen(session: &Session<'_>) -> Result<Stand> {
    let deployments = session.book.deployments();
    let nothing = |message: String| {
        let hint = "see `lockgate deploy status`, and name one with `--to`";
        Error::refused(message).hint(known::hint(session).unwrap_or(hint))
    };
    if let Some(wanted) = &session.arguments.to {
        let good = deployments
            .iter()
            .rev()
            .filter(|deployment| deployment.state == State::Success)
            .filter_map(|deployment| deployment.facts.release.clone());
        let mut good = good.filter(|stand| stand.reference.is_some());
        let is_meant = |stand: &Stand| {
            [&stand.reference, &stand.version, &stand.digest]
                .into_iter()
                .any(|name| name.as_ref() == Some(wanted))
        };
        let good = match good.find(is_meant) {
            Some(good) => Some(good),
            None => known::called(session, &deployments, is_meant).await?,
        };
        return good
            .ok_or_else(|| nothing(format!("nothing that stood well is called `{wanted}`")));
    }
    let now = session.target.current(&session.access()).await?.map(stand);
    let picture = Picture::new(&deployments, now);
    let now = picture.now.as_ref();
    let is_known = match now {
        Some(now) => known::is_known(&deployments, now),
        None => !deployments.is_empty(),
    };
    let of_journal = picture.before(&deployments);
    if let Some(before) = of_journal.filter(|_| is_known) {
        return Ok(before.clone());
    }
    // Others have deployed, elsewhere or before this job.
    if let Some(before) = known::before(session, now).await? {
        return Ok(before);
    }
    of_journal
        .cloned()
        .ok_or_else(|| nothing("nothing is on record that stood well before".to_owned()))
}
