//! `plan`: what would change, and which gates would pass. Nothing is touched, not even the journal.

use crate::error::Result;
use crate::model::deployment::Stand;
use crate::model::digest::hex;
use crate::model::report::Verdict;
use crate::steps::deploy::engine::{Ended, Session};
use crate::steps::deploy::run::{ask, gather, refusal};
use crate::steps::deploy::{Arguments, definition, policy, report};
use crate::steps::world::World;
use crate::system::stop::Stop;

/// Plans.
pub async fn plan(arguments: &Arguments, world: &World, stop: Stop) -> Result<Ended> {
    definition::require_permission(world)?;
    let definition = definition::load(world)?;
    let environment = definition.chosen(arguments)?;
    let (environment, loosened) = policy::judged(environment, world, stop.clone()).await?;
    let mut session = Session::open(arguments, world, &environment, &definition.folder, stop)?;
    session.loosened = loosened;
    let mut found = gather(&mut session).await?;
    session.release = Stand {
        digest: Some(hex(&found.digest())),
        ..Stand::default()
    };
    session.previous = session
        .target
        .current(&session.access())
        .await?
        .map(crate::steps::deploy::engine::stand);
    ask(&mut session, &mut found).await?;
    session.changes = session
        .target
        .plan(&found.release, &session.access())
        .await?;
    let refusal = refusal(&session.gates);
    let verdict = match &refusal {
        None => Verdict::Pass,
        Some(error) if error.kind == crate::error::Kind::NoVerdict => Verdict::NoVerdict,
        Some(_) => Verdict::Fail,
    };
    session.problems.extend(refusal);
    let mut report = report::planned(&session, verdict);
    report.findings.extend(report::locked(&session).await);
    Ok(Ended {
        report,
        stopped_by: None,
    })
}
