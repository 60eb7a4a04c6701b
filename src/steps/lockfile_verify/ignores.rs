//! `--update-ignores`: what is found now is ignored until a day, for a reason; what ran out or covers nothing any more goes.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result, count, exit};
use crate::lockfiles::rules;
use crate::model::diagnostic::Finding;
use crate::model::report::{Report, Status};
use crate::steps::Step;
use crate::steps::gate::ignore::Ignore;
use crate::steps::lockfile_verify::judge::covers;
use crate::steps::lockfile_verify::{Arguments, NAME};
use crate::steps::world::World;
use crate::system::clock::Date;
use crate::system::config;
use crate::system::config_edit;
use crate::system::files::{real, rewrite, write_atomically};

/// The input that is written.
const KEY: &str = "ignore";

/// What the new entries say.
#[derive(Clone, Debug)]
pub struct Wanted {
    reason: String,
    until: Date,
}

impl Wanted {
    /// Reads the arguments; `None` where no ignores are to be written.
    pub fn new(arguments: &Arguments, world: &World) -> Result<Option<Self>> {
        let (reason, until) = (arguments.reason.as_deref(), arguments.until.as_deref());
        if !arguments.update_ignores {
            return match reason.map(|_| "--reason").or(until.map(|_| "--until")) {
                Some(flag) => Err(Error::usage(format!(
                    "`{flag}` goes with `--update-ignores`"
                ))),
                None => Ok(None),
            };
        }
        if arguments.fix || arguments.explain.is_some() {
            return Err(Error::usage(
                "`--update-ignores` excludes `--fix` and `--explain`",
            ));
        }
        let in_days = Date::in_days(90);
        let example = format!(
            "lockgate {NAME} --update-ignores --reason 'our mirror gets hashes soon' --until {in_days}"
        );
        let missing = |flag: &str| {
            Error::usage(format!("`--update-ignores` needs `{flag}`")).hint(example.clone())
        };
        let reason = reason.map(str::trim).filter(|reason| !reason.is_empty());
        let reason = reason.ok_or_else(|| missing("--reason"))?;
        if reason.contains(char::is_control) {
            return Err(Error::usage("`--reason` must be one line").hint(example));
        }
        let until = until.ok_or_else(|| missing("--until"))?;
        let date = Date::parse(until.trim()).ok_or_else(|| {
            Error::usage(format!("`--until`: `{until}` is no date")).hint(example.clone())
        })?;
        if date < Date::today() {
            return Err(Error::usage(format!("`--until`: `{until}` is over")).hint(example));
        }
        if arguments.ignore != in_file(KEY, world) {
            return Err(Error::usage(
                "`--update-ignores` writes the file's `ignore`, and another list is given",
            )
            .hint("leave `--ignore` and `INPUT_IGNORE` out"));
        }
        Ok(Some(Self {
            reason: reason.to_owned(),
            until: date,
        }))
    }
}

/// What the configuration file says of an input.
fn in_file(key: &str, world: &World) -> Vec<String> {
    let table = world.config.steps.get(NAME);
    let value = table.and_then(|table| table.get(key));
    value.map_or_else(Vec::new, |value| value.items.clone())
}

/// Writes the ignores for everything in a report that was made without any; `None`, with nothing written, where the run
/// has no verdict: what could not be looked at cannot be ignored.
pub fn update(
    report: &Report,
    wanted: &Wanted,
    arguments: &Arguments,
    world: &World,
) -> Result<Option<u8>> {
    let failed = |status: &Status| matches!(status, Status::Failed(_));
    if report.checks.iter().any(|check| failed(&check.status)) {
        return Ok(None);
    }
    let own = |finding: &&Finding| {
        let rule = finding.rule.as_deref();
        rule.is_some_and(|rule| rules::from_id(rule).is_some())
    };
    let found: Vec<&Finding> = report.findings.iter().filter(own).collect();
    let before = in_file(KEY, world);
    // What a part of the locks does not need, another may.
    let folder = world.config.path.as_deref().and_then(Path::parent);
    let is_whole = arguments.paths == in_file("paths", world)
        && folder.is_none_or(|folder| folder == world.directory);
    let mut kept: Vec<(String, Ignore)> = Vec::new();
    let (mut expired, mut idle) = (0, 0);
    for text in &before {
        let ignore = Ignore::parse(text)?;
        if ignore.until < Date::today() {
            expired += 1;
        } else if is_whole && !found.iter().any(|finding| covers(&ignore, finding)) {
            idle += 1;
        } else {
            kept.push((text.clone(), ignore));
        }
    }
    let mut added: Vec<String> = found
        .iter()
        .filter(|finding| !kept.iter().any(|(_, ignore)| covers(ignore, finding)))
        .map(|finding| {
            let entry = finding.ignore_entry(&wanted.until.to_string());
            entry.replace("<reason>", &wanted.reason)
        })
        .collect();
    added.sort();
    added.dedup();
    // What is written must be read again as it is meant.
    for text in &added {
        Ignore::parse(text)?;
    }
    let added_count = added.len() as u64;
    let after: Vec<String> = kept
        .into_iter()
        .map(|(text, _)| text)
        .chain(added)
        .collect();
    if after == before {
        world
            .console
            .note(&format!("{NAME}: the ignores are up to date"));
        return Ok(Some(exit::PASS));
    }
    let file = write(&before, &after, world)?;
    world.console.note(&format!(
        "{NAME}: {} written to `{}`; {expired} ran out and {idle} covered nothing",
        count(added_count, "ignore"),
        file.strip_prefix(&world.root).unwrap_or(&file).display(),
    ));
    Ok(Some(exit::PASS))
}

/// Writes the list into the configuration file; where there is none, into `pyproject.toml`, or a new `lockgate.yaml`.
fn write(before: &[String], after: &[String], world: &World) -> Result<PathBuf> {
    let [project, own, _] = config::NAMES;
    let file = world.config.path.clone().unwrap_or_else(|| {
        let project = world.directory.join(project);
        if project.is_file() {
            project
        } else {
            world.directory.join(own)
        }
    });
    let shown = file
        .strip_prefix(&world.root)
        .unwrap_or(&file)
        .display()
        .to_string();
    if !real(&file).starts_with(real(&world.root)) {
        return Err(Error::usage(format!(
            "`{shown}` is a link that leads out of the workspace"
        ))
        .hint("change the file that it leads to"));
    }
    let text = match std::fs::read_to_string(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(Error::usage(format!("`{shown}` cannot be read")).cause(error)),
    };
    let is_toml = file
        .extension()
        .is_some_and(|extension| extension == "toml");
    let edited = config_edit::with_list(&text, is_toml, NAME, KEY, before, after)
        .filter(|edited| is_as_meant(edited, &file, after, world));
    let edited = edited.ok_or_else(|| {
        Error::usage(format!("`{shown}` is written so that `{KEY}` cannot be changed without the rest of it"))
            .hint("write `ignore` as a list with one entry a line, or add the entries that the findings end with")
    })?;
    let written = if file.exists() {
        rewrite(&file, edited.as_bytes())
    } else {
        write_atomically(&file, edited.as_bytes())
    };
    written.map_err(|error| Error::usage(format!("`{shown}` cannot be written")).cause(error))?;
    Ok(file)
}

/// Whether an edited file says what it said, but for the list.
fn is_as_meant(edited: &str, file: &Path, after: &[String], world: &World) -> bool {
    let folder = file.parent().unwrap_or(&world.directory);
    let read = config::load_from(folder, folder, &Step::names(), &|path| {
        Ok((path == file).then(|| edited.to_owned()))
    });
    let Ok(read) = read else {
        return false;
    };
    let others = |config: &config::Config| -> Vec<(String, String, Vec<String>)> {
        let entries = config.steps.iter().flat_map(|(step, table)| {
            let of = move |(key, value): (&String, &config::Value)| {
                (step.clone(), key.clone(), value.items.clone())
            };
            table.iter().map(of)
        });
        entries
            .filter(|(step, key, _)| step != NAME || key != KEY)
            .collect()
    };
    let list = read.steps.get(NAME).and_then(|table| table.get(KEY));
    let is_list = list.map_or(after.is_empty(), |list| list.items == after);
    is_list && others(&read) == others(&world.config)
}
