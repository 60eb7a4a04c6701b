//! The environments are read: `[tool.lockgate.deploy.environments]` of a `pyproject.toml`, or `deploy.environments` of a
//! `lockgate.yaml`, by the reader of pipelines: every mistake is told, each with its place.

pub mod health;
mod target;
#[cfg(test)]
mod tests;

use crate::deploy::keys;
use crate::error::Error;
use crate::model::deployment::definition::{
    Contexts, Environment, Gates, Lock, OnCancel, Rollback, Source, Target,
};
use crate::model::pipeline::Placed;
use crate::pipeline::read::Carrier;
use crate::pipeline::read::reader::{Fields, Reader, shown};
use crate::pipeline::read::source::Source as Text;
use crate::pipeline::read::tree::{Key, Node, Value};
use std::time::Duration;

/// Letters of the name of an environment, as GitHub takes them.
const LONGEST_NAME: usize = 100;

/// After so long a lock is nobody's any more, where nobody says.
const LOCK_LIMIT: Duration = Duration::from_hours(1);

/// How long to wait for checks that are not over, where nobody says.
const CONTEXTS_WAIT: Duration = Duration::from_mins(5);

/// Reads the environments in `text`, which messages call `path`. Fails with every mistake that was found.
pub fn read(text: &str, path: &str, carrier: Carrier) -> Result<Vec<Environment>, Vec<Error>> {
    let source = Text::new(path, text);
    let table = crate::pipeline::read::table(&source, carrier, "deploy");
    let table = table.map_err(|error| vec![error])?;
    let nothing = || {
        let error = Error::usage(format!("`{path}` defines no environment to deploy to"));
        error.hint("write `[tool.lockgate.deploy.environments.staging]` with `target = { local = { directory = \"deployed\" } }`")
    };
    let Some(node) = table.as_ref().and_then(|table| table.get("environments")) else {
        return Err(vec![nothing()]);
    };
    let mut reader = Reader::new(&source);
    let entries = reader.entries("environments", node).unwrap_or_default();
    if entries.is_empty() && reader.mistakes.is_empty() {
        let place = reader.place(node);
        reader.wrong(nothing().at(place));
    }
    let environments = entries
        .iter()
        .filter_map(|(key, node)| environment(&mut reader, key, node));
    let environments = environments.collect();
    reader.finish(environments)
}

fn environment(reader: &mut Reader<'_>, key: &Key, node: &Node) -> Option<Environment> {
    let place = reader.source.place(&key.span);
    if let Some(fault) = fault_of_name(&key.text) {
        let name = shown(&key.text);
        let message = format!("`{name}` cannot be the name of an environment: {fault}");
        reader.wrong(Error::usage(message).at(place));
        return None;
    }
    let fields = reader.fields(&key.text, node, keys::ENVIRONMENT)?;
    let target = fields
        .get("target")
        .and_then(|node| target::read(reader, node, &key.text));
    let artifacts = artifacts(reader, &fields, target.as_ref(), node);
    let gates = gates(reader, fields.get("gates"));
    let health = fields
        .get("health")
        .and_then(|node| health::read(reader, node));
    let mut word = |name, known: &[&'static str]| {
        let node = fields.get(name)?;
        reader.one_of(name, node, known)
    };
    let rollback = match word("rollback", keys::ROLLBACK) {
        Some("never") => Rollback::Never,
        _ => Rollback::Automatic,
    };
    let on_cancel = match word("on-cancel", keys::ON_CANCEL) {
        Some("rollback") => OnCancel::Rollback,
        _ => OnCancel::Keep,
    };
    let lock = lock(reader, fields.get("lock"));
    let url = fields
        .get("url")
        .and_then(|node| crate::pipeline::read::options::web_address(reader, "url", node));
    let mut flag = |name| reader.flag(name, fields.get(name)?);
    let production = flag("production").unwrap_or(key.text == "production");
    let transient = flag("transient").unwrap_or(false);
    let prereleases = flag("prereleases").unwrap_or(!production);
    Some(Environment {
        name: key.text.clone(),
        place,
        target: target?,
        artifacts,
        gates,
        health,
        rollback,
        on_cancel,
        lock,
        url,
        production,
        transient,
        prereleases,
    })
}

/// It is the name of a file of ours, and of an environment on GitHub.
fn fault_of_name(name: &str) -> Option<String> {
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if name.len() > LONGEST_NAME {
        return Some(format!("it is longer than {LONGEST_NAME} letters"));
    }
    (!starts || !name.bytes().all(is_word))
        .then(|| "letters, digits, `_` and `-`, and a letter or `_` at the start".to_owned())
}

fn artifacts(
    reader: &mut Reader<'_>,
    fields: &Fields<'_>,
    target: Option<&Target>,
    whole: &Node,
) -> Vec<Placed<Source>> {
    let Some(node) = fields.get("artifacts") else {
        if target.is_some_and(|target| !matches!(target, Target::Shell(_) | Target::Oci(_))) {
            reader.wrong_with(
                whole,
                "nothing says what is deployed",
                "write `artifacts = [\"dist/*.whl\"]`",
            );
        }
        return Vec::new();
    };
    let items = Reader::items(node).iter();
    let sources: Vec<_> = items.filter_map(|item| source(reader, item)).collect();
    if matches!(&node.value, Value::List(items) if items.is_empty()) {
        reader.wrong_at(node, "`artifacts` is an empty list");
    }
    sources
}

fn source(reader: &mut Reader<'_>, node: &Node) -> Option<Placed<Source>> {
    let place = reader.place(node);
    let template = reader.template("artifacts", node)?;
    let value = match &*template.references {
        [] => Source::Pattern(reader.pattern("artifacts", node)?.value),
        [reference] if reference.range == (0..template.text.len()) => {
            Source::Output(reference.clone())
        }
        _ => {
            reader.wrong_with(
                node,
                "an output of a stage stands alone",
                "write `\"${{ stages.<stage>.outputs.<output> }}\"` as an item of the list",
            );
            return None;
        }
    };
    Some(Placed { value, place })
}

/// The gates where nobody says anything of them.
pub fn usual_gates() -> Gates {
    Gates {
        version: true,
        downgrade: false,
        artifact: true,
        lockfile: true,
        contexts: Contexts::Off,
        contexts_wait: CONTEXTS_WAIT,
    }
}

fn gates(reader: &mut Reader<'_>, node: Option<&Node>) -> Gates {
    let mut gates = usual_gates();
    let fields = node.and_then(|node| reader.fields("gates", node, keys::GATES));
    let Some(fields) = fields else {
        return gates;
    };
    for (name, flag) in [
        ("version", &mut gates.version),
        ("downgrade", &mut gates.downgrade),
        ("artifact", &mut gates.artifact),
        ("lockfile", &mut gates.lockfile),
    ] {
        let given = fields.get(name).and_then(|node| reader.flag(name, node));
        *flag = given.unwrap_or(*flag);
    }
    let wait = fields.get("contexts-wait");
    let wait = wait.and_then(|node| reader.duration("contexts-wait", node));
    gates.contexts_wait = wait.unwrap_or(gates.contexts_wait);
    gates.contexts = match fields.get("contexts") {
        None => Contexts::Off,
        Some(node) => match node.value {
            Value::Flag(true) => Contexts::All,
            Value::Flag(false) => Contexts::Off,
            _ => Contexts::Named(reader.words("contexts", node)),
        },
    };
    if let (Contexts::Named(names), Some(node)) = (&gates.contexts, fields.get("contexts"))
        && names.is_empty()
    {
        reader.wrong_at(node, "`contexts` names no check");
    }
    gates
}

fn lock(reader: &mut Reader<'_>, node: Option<&Node>) -> Lock {
    let mut lock = Lock {
        wait: Duration::ZERO,
        limit: LOCK_LIMIT,
        breakers: Vec::new(),
    };
    let fields = node.and_then(|node| reader.fields("lock", node, keys::LOCK));
    let Some(fields) = fields else {
        return lock;
    };
    let mut duration = |name| reader.duration(name, fields.get(name)?);
    lock.wait = duration("wait").unwrap_or(lock.wait);
    lock.limit = duration("limit").unwrap_or(lock.limit);
    if let Some(node) = fields.get("break") {
        lock.breakers = reader.words("break", node);
    }
    lock
}
