//! One stage, or with a matrix all of its combinations.

use std::collections::BTreeMap;

use crate::error::Error;
use crate::model::pipeline::{Action, Condition, Member, Placed, Reuse, Stage, StageSecret};
use crate::pipeline::keys::{self, LOCAL, MOST_CORES};
use crate::pipeline::read::matrix::{self, Combination};
use crate::pipeline::read::members::Meant;
use crate::pipeline::read::names::{fault_of_stage, is_word};
use crate::pipeline::read::reader::{Fields, Reader, shown};
use crate::pipeline::read::tree::{Key, Node, Value};
use crate::pipeline::read::{action, members, options, variables};

/// What stages share.
#[derive(Debug)]
pub(super) struct Shared<'p> {
    /// The names of our steps.
    pub(super) steps: &'p [&'p str],
    /// The members of the workspace.
    pub(super) members: &'p [Member],
    /// The secrets that the pipeline declares.
    pub(super) secrets: &'p BTreeMap<String, StageSecret>,
}

/// Reads the stages of one entry.
pub(super) fn read(
    reader: &mut Reader<'_>,
    key: &Key,
    node: &Node,
    shared: &Shared<'_>,
) -> Vec<Stage> {
    let place = reader.source.place(&key.span);
    if let Some(fault) = fault_of_stage(&key.text) {
        let message = format!(
            "`{}` cannot be the name of a stage: {fault}",
            shown(&key.text)
        );
        reader.wrong(Error::usage(message).at(place));
        return Vec::new();
    }
    let bare = Stage {
        name: key.text.clone(),
        base_name: key.text.clone(),
        place,
        description: None,
        action: Action::None,
        needs: Vec::new(),
        inputs: Vec::new(),
        outputs: BTreeMap::new(),
        env: BTreeMap::new(),
        secrets: BTreeMap::new(),
        timeout: None,
        grace: None,
        retry: None,
        condition: Condition::default(),
        always: false,
        allow_failure: false,
        matrix: BTreeMap::new(),
        cpu: 1,
        memory: 0,
        venv: None,
        service: None,
        cache: None,
        directory: None,
        member: None,
    };
    if matches!(node.value, Value::Text(_)) {
        let action = action::script(reader, "run", node).unwrap_or(Action::None);
        return vec![Stage { action, ..bare }];
    }
    if matches!(node.value, Value::List(_)) {
        let hint = "write `run = [\"…\"]` in the table of the stage";
        reader.wrong_with(node, "a stage is a table, or a text for the shell", hint);
        return Vec::new();
    }
    let Some(fields) = reader.fields(&key.text, node, keys::STAGE) else {
        return Vec::new();
    };
    let matrix = fields.get("matrix");
    let members = match fields.get("members") {
        None => None,
        Some(node) => match members::read(reader, node, shared.members) {
            Meant::Unknown => return Vec::new(),
            Meant::Nobody => None,
            Meant::Members(members) => Some((node, members)),
        },
    };
    if matrix.is_none() && members.is_none() {
        return vec![one(reader, &fields, bare, shared)];
    }
    let combinations = match matrix {
        None => vec![Combination::default()],
        Some(node) => match matrix::read(reader, node) {
            None => return Vec::new(),
            Some(combinations) => combinations,
        },
    };
    let combinations = match members {
        None => combinations,
        Some((node, members)) => match members::times(reader, node, &members, &combinations) {
            None => return Vec::new(),
            Some(combinations) => combinations,
        },
    };
    let before = reader.mistakes.len();
    reader.named.clear();
    let mut stages = Vec::with_capacity(combinations.len());
    for combination in combinations {
        stages.push(combined(reader, &fields, &bare, combination, shared));
        if reader.mistakes.len() > before {
            // What is wrong with one is wrong with all.
            break;
        }
    }
    reader.matrix.clear();
    if let Some(node) = matrix.filter(|_| reader.mistakes.len() == before) {
        check_use(reader, node);
    }
    stages
}

fn combined(
    reader: &mut Reader<'_>,
    fields: &Fields<'_>,
    bare: &Stage,
    combination: Combination,
    shared: &Shared<'_>,
) -> Stage {
    reader.matrix.clone_from(&combination.values);
    let named = Stage {
        name: format!("{} ({})", bare.base_name, combination.label),
        matrix: combination.values,
        member: combination.member,
        ..bare.clone()
    };
    if let Some(fault) = fault_of_stage(&named.name) {
        let message = format!(
            "`{}` cannot be the name of a stage: {fault}",
            shown(&named.name)
        );
        let error = Error::usage(message).at(bare.place.clone());
        reader.wrong(error.hint("shorten the values of the matrix"));
    }
    one(reader, fields, named, shared)
}

/// A part of a matrix that nothing names runs the same stage again and again.
fn check_use(reader: &mut Reader<'_>, node: &Node) {
    let Value::Table(entries) = &node.value else {
        return;
    };
    for (key, values) in entries {
        let is_several = matches!(&values.value, Value::List(items) if items.len() > 1);
        if is_several && !reader.named.contains(&key.text) {
            let message = format!("nothing in the stage names `matrix.{}`", key.text);
            let place = reader.source.place(&key.span);
            let hint = format!(
                "write `${{{{ matrix.{} }}}}` in `run = [\"…\"]`, `env`, `with` or `venv`",
                key.text
            );
            reader.wrong(Error::usage(message).at(place).hint(hint));
        }
    }
}

/// Reads one combination of a stage, or the stage itself.
fn one(reader: &mut Reader<'_>, fields: &Fields<'_>, bare: Stage, shared: &Shared<'_>) -> Stage {
    let mut stage = bare;
    stage.action = action::read(reader, fields, shared.steps);
    let get = |name| fields.get(name);
    if let Some(node) = get("description") {
        stage.description = reader.text("description", node);
    }
    if let Some(node) = get("needs") {
        stage.needs = reader.texts("needs", node);
    }
    if let Some(node) = get("inputs") {
        stage.inputs = reader.patterns("inputs", node);
    }
    if let Some(node) = get("outputs") {
        stage.outputs = outputs(reader, node);
    }
    if let Some(node) = get("env") {
        stage.env = variables::env(reader, node);
    }
    if let Some(node) = get("secrets") {
        stage.secrets = variables::secrets(reader, node, shared.secrets);
    }
    stage.timeout = get("timeout").and_then(|node| reader.duration("timeout", node));
    stage.grace = get("grace").and_then(|node| reader.duration("grace", node));
    stage.retry = get("retry").and_then(|node| options::retry(reader, node));
    if let Some(node) = get("if") {
        stage.condition = options::condition(reader, node);
    }
    let mut flag = |key| reader.flag(key, fields.get(key)?);
    stage.always = flag("always").unwrap_or(false);
    stage.allow_failure = flag("allow-failure").unwrap_or(false);
    stage.cache = get("cache").and_then(|node| reuse(reader, node));
    let cpu = get("cpu").and_then(|node| reader.whole("cpu", node, 1, MOST_CORES));
    stage.cpu = cpu.unwrap_or(1);
    let memory = get("memory").and_then(|node| reader.size("memory", node));
    stage.memory = memory.unwrap_or(0);
    stage.venv = get("venv").and_then(|node| options::venv(reader, node));
    stage.service = get("service").and_then(|node| options::service(reader, node));
    stage.directory = get("directory").and_then(|node| directory(reader, node));
    if let (Some(member), Some(node)) = (&stage.member, get("members")) {
        stage.directory = members::directory(reader, node, member, stage.directory);
    }
    stage
}

/// `cache`: true, false, or `local`.
fn reuse(reader: &mut Reader<'_>, node: &Node) -> Option<Reuse> {
    match &node.value {
        Value::Flag(true) => Some(Reuse::Anywhere),
        Value::Flag(false) => Some(Reuse::Never),
        Value::Text(_) => {
            reader.one_of("cache", node, &[LOCAL])?;
            Some(Reuse::Local)
        }
        _ => {
            reader.unfit("cache", node, "true, false or `local`");
            None
        }
    }
}

/// `outputs`: each a pattern from the stage's folder, and not the folder itself.
fn outputs(reader: &mut Reader<'_>, node: &Node) -> BTreeMap<String, Placed<String>> {
    let mut outputs = BTreeMap::new();
    for (key, node) in reader.entries("outputs", node).unwrap_or_default() {
        if !is_word(&key.text) {
            let message = format!("`{}` cannot be the name of an output", shown(&key.text));
            let error = Error::usage(message).at(reader.source.place(&key.span));
            reader.wrong(
                error.hint("letters, digits, `_` and `-`, and a letter or `_` at the start"),
            );
            continue;
        }
        let Some(pattern) = reader.pattern(&key.text, node) else {
            continue;
        };
        if pattern.value.starts_with('!') {
            reader.wrong_at(node, "an output names what is made, and takes nothing away");
        } else if matches!(pattern.value.trim_end_matches('/'), "." | "" | "*" | "**") {
            let hint = "let the stage write into a folder of its own";
            reader.wrong_with(node, "an output cannot be the whole folder", hint);
        } else {
            outputs.insert(key.text.clone(), pattern);
        }
    }
    outputs
}

/// `directory`: a folder below that of the file.
fn directory(reader: &mut Reader<'_>, node: &Node) -> Option<Placed<String>> {
    let directory = reader.placed("directory", node)?;
    let path = &directory.value;
    let leads_out = path.split('/').any(|part| part == "..");
    if path.starts_with(['/', '~'])
        || path.contains('\\')
        || path.chars().any(char::is_control)
        || leads_out
    {
        let message = format!(
            "`directory`: `{}` is not a folder below that of the file",
            shown(path)
        );
        reader.wrong_with(
            node,
            message,
            "write `packages/api`, with `/` and without `..`",
        );
        return None;
    }
    Some(directory)
}
