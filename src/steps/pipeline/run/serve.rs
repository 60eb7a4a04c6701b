//! The one life of a service.

use tokio::sync::watch;

use crate::error::{Error, Result};
use crate::model::pipeline::{Outcome, Probe, Service, StageRecord};
use crate::steps::pipeline::run::attempts::{compiled, log, remember, tail, unstartable};
use crate::steps::pipeline::run::probe::Asker;
use crate::steps::pipeline::run::shared::Shared;
use crate::steps::pipeline::run::stage::{Ready, Task};
use crate::system::processes::{Process, Reason};

/// Runs a service until nobody needs it.
pub(super) async fn serve(
    shared: &Shared<'_>,
    task: &mut Task<'_>,
    ready: &Ready,
    mut process: Process,
    service: &Service,
    record: &mut StageRecord,
) -> Result<Outcome> {
    let path = shared.log(task.number);
    let pattern = match &service.ready.value {
        Probe::Output(pattern) => Some(compiled(pattern, &service.ready.place)?),
        _ => None,
    };
    for (name, value) in shared.trace.variables(&task.stage.name, 1) {
        process.environment.set(name, value);
    }
    let (seen, matched) = watch::channel(false);
    let log = log(shared, task, &path, 1, pattern, seen)?;
    let asker = Asker {
        environment: &ready.environment,
        directory: &ready.directory,
        seen: matched,
        stop: shared.stop.clone(),
    };
    let mut halt = task.halt.clone();
    let mut running = process
        .serve(&shared.supervisor, log, None)
        .map_err(|error| unstartable(ready, &error))?;
    let readiness = tokio::select! {
        answer = asker.wait(service) => Some(answer),
        ended = running.ended() => {
            let ended = ended.map_err(|error| Error::bug("a service was lost").cause(error))?;
            remember(record, &ended);
            record.tail = tail(&path);
            return Ok(Outcome::Failed(format!("it ended before it was ready: {}", ended.ending)));
        }
        _ = halt.requested() => None,
    };
    if let Some(Ok(())) = readiness {
        record.ready = Some(shared.started.elapsed());
        // Fails where the run is over.
        let _ = task.ready.send(task.number);
        tokio::select! {
            ended = running.ended() => {
                let ended = ended.map_err(|error| Error::bug("a service was lost").cause(error))?;
                remember(record, &ended);
                record.tail = tail(&path);
                return Ok(Outcome::Failed(format!("it ended while others needed it: {}", ended.ending)));
            }
            _ = halt.requested() => {}
        }
    }
    let grace = shared.grace(task.stage);
    let ended = running
        .end(grace)
        .await
        .map_err(|error| Error::bug("a service was lost").cause(error))?;
    remember(record, &ended);
    match (readiness, halt.reason()) {
        (Some(Err(error)), _) => {
            record.tail = tail(&path);
            Err(error)
        }
        (Some(Ok(())), Some(Reason::NotNeeded)) => Ok(Outcome::Passed),
        (_, reason) => {
            let reason = reason.map_or_else(|| "stopped".to_owned(), |reason| reason.to_string());
            Ok(Outcome::Cancelled(reason))
        }
    }
}
