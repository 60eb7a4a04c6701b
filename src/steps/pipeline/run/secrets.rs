//! The secrets of stages: found, hidden, and only then handed on.

use std::collections::BTreeMap;

use crate::error::{Error, Result};
use crate::model::pipeline::{SecretSource, Stage};
use crate::steps::world::World;
use crate::system::masking::Secret;
use crate::system::process::{Child, Ending};
use crate::system::stop::Stop;

/// Larger secrets are files.
const LIMIT: u64 = 64 * 1024;

/// The secrets of one stage, by variable.
pub type Secrets = BTreeMap<String, Secret>;

/// Hides the secrets that come from the environment, before anything is started; says which are missing, all at once.
pub fn hide_all<'s>(stages: impl Iterator<Item = &'s Stage>, world: &World) -> Result<()> {
    let mut missing: Option<Error> = None;
    for stage in stages {
        for (name, secret) in &stage.secrets {
            let SecretSource::Environment(variable) = &secret.source else {
                continue;
            };
            if let Some(value) = world.environment.get(variable) {
                world.console.hide(&Secret::new(value));
                continue;
            }
            let text = format!(
                "stage `{}` needs the secret `{name}`, and `{variable}` is not set",
                stage.name
            );
            missing = Some(match missing {
                None => Error::usage(text).at(secret.place.clone()),
                Some(error) => error.cause(text),
            });
        }
    }
    match missing {
        None => Ok(()),
        Some(error) => Err(error.hint(
            "export it; on pull requests from forks no secret is set: give the stage `if = { event = [\"push\"] }`",
        )),
    }
}

/// The secrets of a stage.
pub async fn of_stage(stage: &Stage, world: &World, stop: &Stop) -> Result<Secrets> {
    let mut secrets = Secrets::new();
    for (name, secret) in &stage.secrets {
        let value = match &secret.source {
            SecretSource::Environment(variable) => world
                .environment
                .get(variable)
                .map(Secret::new)
                .ok_or_else(|| {
                    Error::usage(format!("`{variable}` is not set")).at(secret.place.clone())
                })?,
            SecretSource::Command(command) => {
                let value = printed(command, world, stop)
                    .await
                    .map_err(|error| error.at(secret.place.clone()))?;
                world.console.hide(&value);
                value
            }
        };
        secrets.insert(name.clone(), value);
    }
    Ok(secrets)
}

/// What a program prints, without the line's end. What it says on standard error may hold the secret too, so it is not
/// shown.
async fn printed(command: &[String], world: &World, stop: &Stop) -> Result<Secret> {
    let (program, arguments) = command
        .split_first()
        .ok_or_else(|| Error::usage("the command of a secret is empty"))?;
    let child = Child::new(program, &world.directory, world.environment.clone())
        .arguments(arguments.iter().map(String::as_str));
    let no_secret =
        |cause: String| Error::no_verdict(format!("`{program}` printed no secret")).cause(cause);
    let mut finished = child
        .run(&mut stop.clone(), &mut |_| {})
        .await
        .map_err(|error| no_secret(error.to_string()))?;
    if let Ending::Stopped(signal) = finished.ending {
        return Err(Error::interrupted(signal));
    }
    if !finished.ending.is_success() {
        return Err(no_secret(finished.ending.to_string())
            .hint("run the command by hand to see what it says"));
    }
    let bytes = finished
        .read_stdout(LIMIT)
        .map_err(|error| no_secret(error.to_string()))?;
    let text = String::from_utf8(bytes).map_err(|_| no_secret("it is not UTF-8".to_owned()))?;
    let text = text.trim_end_matches(['\r', '\n']);
    if text.is_empty() {
        return Err(no_secret("it printed nothing".to_owned()));
    }
    Ok(Secret::new(text))
}
