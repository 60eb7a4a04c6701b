//! What a stage depends on, as one digest and as a list that can be explained.

use std::collections::BTreeMap;

use crate::model::digest::{Pieces, Sha, hex};
use crate::model::pipeline::manifest::Entry;
use crate::model::pipeline::{Action, Stage};

/// Raised when the same dependencies could mean another result.
const SCHEMA: &str = "1";

/// How many differences are told.
const TOLD: usize = 10;

/// All that a stage depends on besides what its definition says.
#[derive(Clone, Debug, Default)]
pub struct Dependencies {
    /// The arguments of its command, or the inputs of its step, with the outputs of other stages put in.
    pub arguments: Vec<String>,
    /// The variables that it declares, with their values as it sees them; none where one is passed and not set.
    pub variables: BTreeMap<String, Option<String>>,
    /// The files that it reads.
    pub inputs: Vec<Entry>,
    /// The programs that its command names, by name, with the digest of what they are.
    pub programs: BTreeMap<String, Sha>,
    /// The key of its isolated environment, where it has one.
    pub environment: Option<String>,
    /// What it needs: `build.wheel` for each output of a stage, or the stage's own key where it promises none.
    pub needs: BTreeMap<String, Sha>,
    /// System and architecture.
    pub platform: String,
}

/// The key of a stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageKey {
    /// The digest of all components.
    pub digest: Sha,
    /// Each thing that it depends on, in words, with its digest in hexadecimal.
    pub components: BTreeMap<String, String>,
}

impl StageKey {
    /// The key of a stage with these dependencies.
    pub fn of(stage: &Stage, dependencies: &Dependencies) -> Self {
        let mut components = BTreeMap::new();
        let mut add = |name: String, digest: Sha| {
            components.insert(name, hex(&digest));
        };
        add("command".to_owned(), command(stage, dependencies));
        add("definition".to_owned(), definition(stage));
        add("platform".to_owned(), of(&[&dependencies.platform]));
        for (name, value) in &dependencies.variables {
            let mut pieces = Pieces::default();
            pieces.add_optional(value.as_ref());
            add(format!("variable `{name}`"), pieces.finish());
        }
        for entry in &dependencies.inputs {
            let mut pieces = Pieces::default();
            entry.add_to(&mut pieces);
            add(format!("input `{}`", entry.path), pieces.finish());
        }
        for (name, digest) in &dependencies.programs {
            add(format!("program `{name}`"), *digest);
        }
        if let Some(environment) = &dependencies.environment {
            add("environment".to_owned(), of(&[environment]));
        }
        for (name, digest) in &dependencies.needs {
            add(format!("need `{name}`"), *digest);
        }
        let mut all = Pieces::default();
        all.add(SCHEMA).add(&stage.name);
        for (name, digest) in &components {
            all.add(name).add(digest);
        }
        Self {
            digest: all.finish(),
            components,
        }
    }

    /// In at most eleven lines, what differs from an earlier key.
    pub fn difference(&self, earlier: &BTreeMap<String, String>) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        for (name, digest) in &self.components {
            match earlier.get(name) {
                None => lines.push(format!("{name} is new")),
                Some(before) if before != digest => lines.push(format!("{name} has changed")),
                Some(_) => {}
            }
        }
        let gone = earlier
            .keys()
            .filter(|name| !self.components.contains_key(*name));
        lines.extend(gone.map(|name| format!("{name} is gone")));
        let more = lines.len().saturating_sub(TOLD);
        if more > 0 {
            lines.truncate(TOLD);
            lines.push(format!("and {more} more"));
        }
        lines
    }
}

fn of(pieces: &[&str]) -> Sha {
    let mut all = Pieces::default();
    all.add_list(pieces.iter());
    all.finish()
}

fn command(stage: &Stage, dependencies: &Dependencies) -> Sha {
    let mut pieces = Pieces::default();
    match &stage.action {
        Action::Shell(script) => pieces.add("shell").add(&script.value),
        Action::Exec(_) => pieces.add("exec").add_list(dependencies.arguments.iter()),
        Action::Step { step, .. } => pieces
            .add("step")
            .add(crate::VERSION)
            .add(&step.value)
            .add_list(dependencies.arguments.iter()),
        Action::None => pieces.add("none"),
    };
    pieces.finish()
}

/// What of the definition decides what a result is: what is promised, and where it runs. How long it may take and how
/// often it is tried does not.
fn definition(stage: &Stage) -> Sha {
    let mut pieces = Pieces::default();
    for (name, pattern) in &stage.outputs {
        pieces.add(name).add(&pattern.value);
    }
    let directory = stage.directory.as_ref().map(|placed| &placed.value);
    pieces.add("directory").add_optional(directory);
    for (key, value) in &stage.matrix {
        pieces.add(key).add(value);
    }
    pieces.finish()
}
