//! `status`: what stands, as the target and the journal tell it, and what was done.

use crate::deploy::history::{Deployment, Picture};
use crate::error::{Result, count};
use crate::model::diagnostic::{Finding, Severity};
use crate::model::report::{Table, Verdict};
use crate::steps::deploy::engine::{Ended, Session, shown};
use crate::steps::deploy::{Arguments, NAME, definition, known, report};
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
    let asked = report::standing(&session).await;
    let picture = Picture::new(&deployments, asked.clone().unwrap_or_default());
    let name = &environment.name;
    let headline = headline(&picture, name, deployments.len());
    let standing = match (&picture.now, picture.bad) {
        (Some(now), _) => Some(now),
        // What stands there may be half of it.
        (None, Some(_)) => None,
        (None, None) => picture.good,
    };
    let mut report = report::empty(headline, Verdict::Pass);
    report
        .facts
        .push(("journal".to_owned(), book.shown().to_owned()));
    report.findings.extend(asked.err());
    report.findings.extend(report::locked(&session).await);
    if let Some(hint) = known::hint(&session).filter(|_| deployments.is_empty()) {
        let said = "what was done before this job is not in its journal";
        report.findings.push(Finding {
            help: Some(hint.into()),
            ..Finding::new(NAME, "no-journal", Severity::Note, said)
        });
    }
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

fn headline(picture: &Picture<'_>, name: &str, number: usize) -> String {
    let on_record = || format!("{} on record", count(number as u64, "deployment"));
    let good = match picture.good {
        Some(good) => format!("{} was the last that stood well", shown(good)),
        None => "none on record stood well".to_owned(),
    };
    match (&picture.now, picture.bad, picture.good) {
        (now, Some(bad), _) => {
            let release = bad.facts.release.clone().unwrap_or_default();
            let release = shown(&release);
            let ended = match bad.state {
                state if state.is_final() => format!("ended as `{}`", state.name()),
                _ => "has not ended".to_owned(),
            };
            let stands = match now {
                Some(_) => "stands",
                None => "may stand",
            };
            format!("{release} {stands} at `{name}`, whose deployment {ended}; {good}")
        }
        (Some(now), None, _) => format!("{} stands at `{name}`; {}", shown(now), on_record()),
        (None, None, Some(good)) => {
            format!("{} stands at `{name}`; {}", shown(good), on_record())
        }
        (None, None, None) if number == 0 => format!("nothing is on record of `{name}`"),
        (None, None, None) => format!(
            "nothing on record stands well at `{name}`; {} tried",
            count(number as u64, "deployment")
        ),
    }
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
