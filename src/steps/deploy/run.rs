//! `run`: plan, gates, lock, target, health.

use crate::error::{Error, Kind, Result};
use crate::model::deploy::ChangeKind;
use crate::model::deployment::{Facts, Stand, State};
use crate::model::digest::hex;
use crate::steps::deploy::engine::{Ended, Session, Work};
use crate::steps::deploy::finalize::heal;
use crate::steps::deploy::gates::{Gate, Looked, Said};
use crate::steps::deploy::release::{self, Found, Place, Proof};
use crate::steps::deploy::{Arguments, definition, image, known, policy, report};
use crate::steps::world::World;
use crate::system::stop::Stop;
use crate::targets::Target;

/// Deploys.
pub async fn run(arguments: &Arguments, world: &World, stop: Stop) -> Result<Ended> {
    definition::require_permission(world)?;
    let definition = definition::load(world)?;
    let environment = definition.chosen(arguments)?;
    let (environment, loosened) = policy::judged(environment, world, stop.clone()).await?;
    let mut session = Session::open(arguments, world, &environment, &definition.folder, stop)?;
    session.loosened = loosened;
    heal(&mut session.book, |_| false)?;
    let found = match prepare(&mut session).await {
        // What nobody may deploy is on record as refused.
        Err(error) if error.kind != Kind::Refused => return Err(error),
        found => found,
    };
    session.plan("deploy")?;
    let gone = match found {
        Ok(mut found) => go(&mut session, &mut found).await,
        Err(error) => Err(error),
    };
    let ended = match gone {
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

/// Finds what is deployed, and what would change.
async fn prepare(session: &mut Session<'_>) -> Result<Found> {
    let found = gather(session).await?;
    session.release = Stand {
        digest: Some(hex(&found.digest())),
        ..Stand::default()
    };
    session.files = files(&found);
    session.changes = session
        .target
        .plan(&found.release, &session.access())
        .await?;
    Ok(found)
}

async fn go(session: &mut Session<'_>, found: &mut Found) -> Result<()> {
    ask(session, found).await?;
    if let Some(error) = refusal(&session.gates) {
        return Err(error);
    }
    session.enter(
        State::Gated,
        Facts {
            release: Some(session.release.clone()),
            ..Facts::default()
        },
    )?;
    session.lock().await?;
    session.bring(Work::Apply(&found.release)).await
}

/// Names and digests.
fn files(found: &Found) -> Vec<(String, String)> {
    let files = found.release.files.iter();
    let files = files.map(|file| (file.name.clone(), format!("sha256:{}", hex(&file.digest))));
    let image = found.image.iter();
    let image = image.map(|image| ("image".to_owned(), image.digest.clone()));
    files.chain(image).collect()
}

/// Finds what is deployed, on a thread of its own.
pub async fn gather(session: &mut Session<'_>) -> Result<Found> {
    let given = image::given(session.arguments, session.environment)?;
    let place = Place {
        folder: session.folder.clone(),
        root: session.world.root.clone(),
    };
    let proof = Proof::find(session.arguments, session.world)?;
    let environment = session.environment.clone();
    let work = tokio::task::spawn_blocking(move || release::gather(&environment, &place, &proof));
    let mut stop = session.stop.clone();
    let mut found = tokio::select! {
        found = work => found.unwrap_or_else(|_| Err(Error::bug("files could not be read"))),
        signal = stop.requested() => Err(Error::interrupted(signal)),
    }?;
    if let Target::Oci(oci) = &mut session.target {
        image::identify(&mut found, given)?;
        if let Some(image) = &found.image {
            oci.image.clone_from(&image.name);
        }
    }
    Ok(found)
}

/// Asks every gate, and gives the release the version that they agree on.
pub async fn ask(session: &mut Session<'_>, found: &mut Found) -> Result<()> {
    let last = match known::last(session).await {
        Ok(last) => Ok(last),
        Err(error) if error.kind == Kind::NoVerdict => Err(known::untold(&error)),
        Err(error) => return Err(error),
    };
    let looked = Looked {
        arguments: session.arguments,
        world: session.world,
        environment: session.environment,
        folder: &session.folder,
        found,
        target: &session.target,
        access: session.access(),
        last,
        recorder: &session.recorder,
        stop: &session.stop,
    };
    let (mut gates, version) = looked.ask().await?;
    let refused = session
        .changes
        .iter()
        .filter(|change| change.kind == ChangeKind::Refuse);
    let refused: Vec<String> = refused
        .map(|change| format!("`{}`: {}", change.what, change.detail))
        .collect();
    if !refused.is_empty() {
        gates.push(Gate {
            name: "target",
            said: Said::No(refused, None),
            duration: std::time::Duration::ZERO,
        });
    }
    session.gates = gates;
    found.release.version.clone_from(&version);
    session.release.version = version;
    // Now that the version is known.
    session.release.digest = Some(hex(&found.digest()));
    Ok(())
}

/// The gates that said no, as one error; one that could not look weighs more.
pub fn refusal(gates: &[Gate]) -> Option<Error> {
    let (mut said_no, mut unknown) = (Vec::new(), Vec::new());
    let (mut hint, mut hint_of_unknown) = (None, None);
    for gate in gates {
        match &gate.said {
            Said::No(reasons, what) => {
                let reasons = reasons.iter();
                said_no.extend(reasons.map(|reason| format!("{}: {reason}", gate.name)));
                hint = hint.or_else(|| what.clone());
            }
            Said::Unknown(why, what) => {
                unknown.push(format!("{}: {why}", gate.name));
                hint_of_unknown = hint_of_unknown.or_else(|| what.clone());
            }
            Said::Yes(_) | Said::Off => {}
        }
    }
    let error = match (unknown.is_empty(), said_no.is_empty()) {
        (true, true) => return None,
        (false, true) => Error::no_verdict("a gate could not look"),
        _ => Error::refused("the gates say no"),
    };
    let error = said_no.into_iter().chain(unknown).fold(error, Error::cause);
    Some(match hint.or(hint_of_unknown) {
        Some(hint) => error.hint(hint),
        None => error,
    })
}
