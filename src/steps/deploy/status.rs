//! `status`: what stands, and what was done, as the journal tells it.

use crate::deploy::history::{self, Deployment};
use crate::error::{Result, count};
use crate::model::report::{Table, Verdict};
use crate::steps::deploy::engine::{Ended, Session, shown};
use crate::steps::deploy::{Arguments, definition, report};
use crate::steps::world::World;
use crate::system::stop::Stop;

/// So many deployments are shown.
const SHOWN: usize = 50;

/// Shows what is on record.
pub async fn status(arguments: &Arguments, world: &World, stop: Stop) -> Result<Ended> {
    let definition = definition::load(world)?;
    let environment = definition.chosen(arguments)?;
    let session = Session::open(arguments, world, environment, &definition.folder, stop)?;
    let book = &session.book;
    let deployments = book.deployments();
    let standing = history::last_good(&deployments, None);
    let name = &environment.name;
    let headline = match standing {
        Some(stand) => format!(
            "{} stands at `{name}`; {} on record",
            shown(stand),
            count(deployments.len() as u64, "deployment")
        ),
        None if deployments.is_empty() => format!("nothing is on record of `{name}`"),
        None => format!(
            "nothing on record stands well at `{name}`; {} tried",
            count(deployments.len() as u64, "deployment")
        ),
    };
    let mut report = report::empty(headline, Verdict::Pass);
    report
        .facts
        .push(("journal".to_owned(), book.shown().to_owned()));
    report.findings.extend(report::locked(&session).await);
    let rows = deployments.iter().rev().take(SHOWN).map(row);
    report.tables.push(Table {
        title: "deployments".to_owned(),
        header: vec![
            "began",
            "deployment",
            "state",
            "version",
            "reference",
            "why",
        ],
        rows: rows.collect(),
    });
    let last = deployments.last();
    let mut output = |name: &str, value: Option<String>| {
        report
            .outputs
            .insert(name.to_owned(), value.unwrap_or_default());
    };
    output("deployment-id", last.map(|last| last.id.clone()));
    output("state", last.map(|last| last.state.name().to_owned()));
    output("version", standing.and_then(|stand| stand.version.clone()));
    output("digest", standing.and_then(|stand| stand.digest.clone()));
    output("url", last.and_then(|last| last.facts.url.clone()));
    Ok(Ended {
        report,
        stopped_by: None,
    })
}

fn row(deployment: &Deployment) -> Vec<String> {
    let facts = &deployment.facts;
    let release = facts.release.clone().unwrap_or_default();
    let began = deployment.timeline.first().map(|(_, time)| time.clone());
    vec![
        began.unwrap_or_default(),
        deployment.id.clone(),
        deployment.state.name().to_owned(),
        release.version.unwrap_or_default(),
        release.reference.unwrap_or_default(),
        facts.why.clone().unwrap_or_default(),
    ]
}
