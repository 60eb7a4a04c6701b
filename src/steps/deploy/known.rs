//! What stands and what stood before, where the journal knows nothing of it: it may be that of this job alone. The target is asked
//! then, and GitHub.

use crate::deploy::history::{self, Deployment, is_same};
use crate::error::{Error, Result};
use crate::model::deployment::{Stand, State};
use crate::model::digest::hex;
use crate::steps::deploy::engine::{Session, stand};
use crate::targets::{Access, Target};

/// The version that nothing older may follow: that of what stood well the last time. Where the journal does not know of what
/// stands, the target's word counts, and GitHub's where that tells no versions.
pub async fn last(session: &Session<'_>) -> Result<Option<String>> {
    let deployments = session.book.deployments();
    let good = history::last_good(&deployments, Some(&session.id)).cloned();
    let of_journal = good.clone().and_then(|good| good.version);
    match &session.target {
        Target::Local(_) | Target::ObjectStore(_) => {
            let now = session.target.current(&session.access()).await?.map(stand);
            let strange = now.filter(|now| !is_known(&deployments, now));
            Ok(strange.and_then(|now| now.version).or(of_journal))
        }
        Target::Shell(_) | Target::Oci(_) if good.is_none() && has_gate(session) => {
            let name = &session.environment.name;
            let stood = session.recorder.stood(name, None, &session.stop).await?;
            Ok(stood.and_then(|stood| stood.version))
        }
        Target::Shell(_) | Target::Oci(_) | Target::Pypi(_) => Ok(of_journal),
    }
}

fn has_gate(session: &Session<'_>) -> bool {
    session.environment.gates.version && !session.environment.gates.downgrade
}

/// Whether a deployment on record has brought it there, or tried to.
pub fn is_known(deployments: &[Deployment], stand: &Stand) -> bool {
    let mut changing = deployments.iter().filter(|one| one.has_effects);
    changing.any(|one| {
        let release = one.facts.release.as_ref();
        release.is_some_and(|release| is_same(release, stand))
    })
}

/// What stood before `now`, by the target, else by GitHub.
pub async fn before(session: &Session<'_>, now: Option<&Stand>) -> Result<Option<Stand>> {
    let known = session.target.known(&session.access()).await?;
    if let Some(stood) = known.stood.into_iter().next() {
        return Ok(Some(stand(stood)));
    }
    // Without, nobody could say whether the newest success on GitHub stands or something that failed after it.
    let Some(digest) = now.and_then(|now| now.digest.as_deref()) else {
        return Ok(None);
    };
    let name = &session.environment.name;
    let stood = session
        .recorder
        .stood(name, Some(digest), &session.stop)
        .await?;
    match stood {
        Some(stood) => Ok(Some(
            named(stood, &session.target, &session.access()).await?,
        )),
        None => Ok(None),
    }
}

/// What the target knows by this name, and nothing on record did badly.
pub async fn called(
    session: &Session<'_>,
    deployments: &[Deployment],
    is_meant: impl Fn(&Stand) -> bool,
) -> Result<Option<Stand>> {
    let known = session.target.known(&session.access()).await?;
    let all = known.stood.into_iter().chain(known.kept).map(stand);
    let mut meant = all.filter(is_meant);
    Ok(meant.find(|stand| {
        let mut of_it = deployments.iter().filter(|one| {
            let release = one.facts.release.as_ref();
            one.has_effects && release.is_some_and(|release| is_same(release, stand))
        });
        let is_untried = of_it.clone().next().is_none();
        is_untried || of_it.any(|one| one.state == State::Success)
    }))
}

/// A release that is known by its bytes, with the target's own name for it where there is one.
pub async fn named(release: Stand, target: &Target, access: &Access<'_>) -> Result<Stand> {
    if release.reference.is_some() {
        return Ok(release);
    }
    let reference = match target {
        Target::Oci(_) => release.digest.as_ref().map(|it| format!("sha256:{it}")),
        Target::Local(_) | Target::ObjectStore(_) => {
            let known = target.known(access).await?;
            let mut all = known.stood.into_iter().chain(known.kept);
            let wanted = release.digest.clone();
            all.find(|one| wanted.is_some() && one.digest.map(|it| hex(&it)) == wanted)
                .map(|one| one.reference)
        }
        Target::Shell(_) | Target::Pypi(_) => None,
    };
    Ok(Stand {
        reference,
        ..release
    })
}

/// What to say where nothing is known and the journal is that of this job alone.
pub fn hint(session: &Session<'_>) -> Option<&'static str> {
    let is_of_job = session.world.context.is_workflow && session.arguments.journal.is_none();
    is_of_job.then_some(
        "the journal is that of this job alone; name with `journal` a folder that stays, or name what is meant with `--to`",
    )
}

/// That GitHub could not say what stood.
pub fn untold(error: &Error) -> String {
    let why = error.causes.first();
    let why = why.map_or(String::new(), |why| format!(": {why}"));
    format!(
        "whether an older version stands cannot be told: {}{why}",
        error.message
    )
}
