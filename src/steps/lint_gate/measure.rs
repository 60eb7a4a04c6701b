//! The base and the change: what the findings are measured against.

use std::io::BufReader;

use crate::error::{Error, Kind, Result, count};
use crate::model::base::{Base, Resolution};
use crate::model::change::{Change, FileChange};
use crate::steps::gate::base;
use crate::steps::lint_gate::settings::Settings;
use crate::steps::lint_gate::{NAME, SECRETS, Scope};
use crate::steps::world::World;
use crate::system::diff;
use crate::system::git::Git;

/// The commit to compare with, or why there is none.
pub async fn find_base(settings: &Settings, world: &World, git: &Git) -> Result<Resolution> {
    if settings.scope == Some(Scope::Everything)
        && !world.context.judges_a_proposal()
        && settings.base.is_none()
    {
        return Ok(Resolution::None("not asked for".into()));
    }
    let found = base::resolve(settings.base.as_deref(), SECRETS.first(), world, git).await;
    match found {
        // Everything is judged all the same; only what is new cannot be told. A proposal needs its base all the same:
        // whether it loosens its own policy is seen only there.
        Err(error)
            if error.kind == Kind::NoVerdict
                && settings.scope == Some(Scope::Everything)
                && !world.context.judges_a_proposal() =>
        {
            tracing::warn!(%error, "no base");
            Ok(Resolution::None("could not be found".into()))
        }
        other => other,
    }
}

/// Which findings count, and the change since the base.
pub async fn measure(
    settings: &Settings,
    base: &Resolution,
    world: &World,
    git: &Git,
) -> Result<(Scope, Option<Change>)> {
    match base {
        Resolution::Base(base) => Ok((
            settings.scope.unwrap_or(Scope::ChangedLines),
            Some(read_change(base, git).await?),
        )),
        Resolution::None(why) => match settings.scope {
            None | Some(Scope::Everything) => Ok((Scope::Everything, None)),
            Some(scope) => Err(Error::no_verdict(format!(
                "`scope: {}` needs a base, and {why}",
                scope.name()
            ))
            .hint(if world.context.is_workflow {
                "pass `base: <revision>`, or `scope: everything`"
            } else {
                "pass `--base <revision>`, or `--scope everything`"
            })),
        },
    }
}

/// The difference between the base's tree and the files that the tools see.
async fn read_change(base: &Base, git: &Git) -> Result<Change> {
    let arguments = diff::ARGUMENTS
        .iter()
        .copied()
        .chain([base.sha.as_str(), "--"]);
    let finished = git.run(arguments).await?;
    if !finished.ending.is_success() {
        let last = finished
            .stderr
            .trim_end()
            .lines()
            .last()
            .unwrap_or("no message")
            .to_owned();
        return Err(
            Error::no_verdict(format!("git cannot compare with the base `{}`", base.sha))
                .cause(format!("git diff: {}, {last}", finished.ending)),
        );
    }
    let mut change = diff::parse(&mut BufReader::with_capacity(256 * 1024, finished.stdout))
        .map_err(|error| Error::no_verdict("git's diff could not be read").cause(error))?;
    if base.with_untracked {
        let list = git
            .answer(["ls-files", "--others", "--exclude-standard", "-z"])
            .await?;
        let list = list
            .ok_or_else(|| Error::no_verdict("git cannot list the files that it does not track"))?;
        for path in list.split('\0').filter(|path| !path.is_empty()) {
            change.files.insert(
                path.to_owned(),
                FileChange {
                    renamed_from: None,
                    added: vec![1..=u32::MAX],
                },
            );
        }
    }
    Ok(change)
}

/// Says in one line what is compared with what.
pub fn tell_base(world: &World, base: &Resolution, scope: Scope, size: Option<(usize, u64)>) {
    let line = match (base, size) {
        (Resolution::Base(base), Some((files, lines))) => {
            let lines = if lines >= u64::from(u32::MAX) {
                "whole new files".to_owned()
            } else {
                count(lines, "line")
            };
            format!(
                "base {} ({}): {}, {lines} changed",
                &base.sha[..12],
                base.origin,
                count(files as u64, "file")
            )
        }
        (Resolution::None(why), _) => format!("base none ({why})"),
        (Resolution::Base(base), None) => format!("base {}", base.sha),
    };
    world
        .console
        .note(&format!("{NAME}: {line}; scope {}", scope.name()));
}
