//! What `[tool.lockgate.pipeline]` says, once it was read and checked.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::error::Place;
use crate::model::pipeline::member::Member;
use crate::model::pipeline::template::{Reference, Template};

/// A value and where it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub place: Place,
}

/// A whole pipeline, its matrices expanded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pipeline {
    /// Options of the whole run.
    pub options: Options,
    /// The stages, in the order of the file; a stage with a matrix stands here once for each of its combinations.
    pub stages: Vec<Stage>,
}

/// Options of the whole run; each can be given on the command line too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// `name`: what the run is called in traces and reports.
    pub name: Option<String>,
    /// `jobs`: how many cores the stages share; the machine's where none is given.
    pub jobs: Option<u32>,
    /// `memory`: how many bytes the stages share; without a limit where none is given.
    pub memory: Option<u64>,
    /// `keep-going`: whether stages that do not depend on a failed one still start.
    pub keep_going: bool,
    /// `grace`: how long a stage has between SIGTERM and SIGKILL, where it does not say itself.
    pub grace: Option<Duration>,
    /// `timeout`: how long a stage may take, where it does not say itself.
    pub timeout: Option<Duration>,
    /// `env`: what every stage sees besides its own. It refers to nothing.
    pub env: BTreeMap<String, Placed<Variable>>,
    /// `secrets`: where those come from that stages name.
    pub secrets: BTreeMap<String, StageSecret>,
}

/// What a stage does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// `run = "…"`: a script for the shell. It refers to nothing: what it needs reaches it by variables.
    Shell(Placed<String>),
    /// `run = ["…", …]`: a program and its arguments, without a shell. Never empty.
    Exec(Vec<Placed<Template>>),
    /// `uses = "…"` with `with`: a step of ours and its inputs. A list stands as its items.
    Step {
        /// The step's name, one that exists.
        step: Placed<String>,
        /// Its inputs by name.
        with: BTreeMap<String, Placed<Vec<Template>>>,
    },
    /// Nothing of its own: a name for what it needs.
    None,
}

/// One stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// Its name, with the combination of its matrix: `test`, `test (3.12, lowest)`.
    pub name: String,
    /// The name in the file: `test`.
    pub base_name: String,
    /// Where the name stands.
    pub place: Place,
    /// `description`.
    pub description: Option<String>,
    /// What it does.
    pub action: Action,
    /// `needs`: names of stages as in [`Stage::name`], a need of a stage with a matrix being all of its combinations.
    pub needs: Vec<Placed<String>>,
    /// `inputs`: patterns of the files that it reads, relative to its directory.
    pub inputs: Vec<Placed<String>>,
    /// `outputs`: by name, the pattern of the file or files, or the folder, that it promises to make.
    pub outputs: BTreeMap<String, Placed<String>>,
    /// `env`: what it sees besides the base set. A name alone (`env = ["CI"]`) passes the variable through.
    pub env: BTreeMap<String, Placed<Variable>>,
    /// `secrets`, by the variable's name.
    pub secrets: BTreeMap<String, StageSecret>,
    /// `timeout`.
    pub timeout: Option<Duration>,
    /// `grace`.
    pub grace: Option<Duration>,
    /// `retry`.
    pub retry: Option<Retry>,
    /// `if`.
    pub condition: Condition,
    /// `always`: it runs whatever became of what it needs, also when the run was cancelled.
    pub always: bool,
    /// `allow-failure`: its failure fails nothing else.
    pub allow_failure: bool,
    /// The combination of its matrix, by key; empty without one.
    pub matrix: Matrix,
    /// `cpu`: how many of the cores it takes, at least 1.
    pub cpu: u32,
    /// `memory`: how many bytes it takes.
    pub memory: u64,
    /// `venv`: the isolated environment that it runs in.
    pub venv: Option<Venv>,
    /// `service`: it keeps running while others do, and is ready when its probe says so.
    pub service: Option<Service>,
    /// `cache`: whether it may be skipped where nothing that it depends on has changed. `None`: where it declares its inputs and is no step of ours.
    pub cache: Option<Reuse>,
    /// `directory`: where it runs, relative to the file's folder; of a stage for a member, below the member's.
    pub directory: Option<Placed<String>>,
    /// `members`: the member of the workspace that it is for.
    pub member: Option<Member>,
}

impl Stage {
    /// What its command, inputs and variables refer to.
    pub fn references(&self) -> impl Iterator<Item = &Reference> {
        let command: Vec<&Template> = match &self.action {
            Action::Exec(arguments) => arguments.iter().map(|one| &one.value).collect(),
            Action::Step { with, .. } => with.values().flat_map(|items| &items.value).collect(),
            Action::Shell(_) | Action::None => Vec::new(),
        };
        let variables = self
            .env
            .values()
            .filter_map(|variable| match &variable.value {
                Variable::Set(template) => Some(template),
                Variable::Passed => None,
            });
        let templates = command.into_iter().chain(variables);
        templates.flat_map(|template| &template.references)
    }
}

/// From where the result of a stage may be taken, in the place of running it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reuse {
    /// `false`: from nowhere, it runs each time.
    Never,
    /// `"local"`: from this machine alone, with all that it needs.
    Local,
    /// `true`: also from a shared store, where the run has one.
    Anywhere,
}

impl Reuse {
    /// Whether it may be skipped at all.
    pub fn is_wanted(self) -> bool {
        self != Self::Never
    }
}

/// The values of one combination of a matrix, by key.
pub type Matrix = BTreeMap<String, String>;

/// A variable of a stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Variable {
    /// This value.
    Set(Template),
    /// What the environment of the run has, if it has it.
    Passed,
}

/// Where a secret comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSource {
    /// A variable of the run's environment.
    Environment(String),
    /// What this program prints, without the line's end.
    Command(Vec<String>),
}

/// A secret of a stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageSecret {
    /// Where it comes from.
    pub source: SecretSource,
    /// Where it was declared.
    pub place: Place,
}

/// When and how often a stage is tried again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retry {
    /// `max`: how often after the first time.
    pub max: u32,
    /// `on-exit`: the exit codes after which it is tried again; any where the list is empty.
    pub on_exit: Vec<i32>,
    /// `on-output`: a regular expression that some line of its output must match, where given.
    pub on_output: Option<Placed<String>>,
    /// `base`: the upper bound of the first wait.
    pub base: Duration,
    /// `cap`: the upper bound of all waits.
    pub cap: Duration,
    /// `budget`: how long all attempts and waits may take together, where given.
    pub budget: Option<Duration>,
}

/// When a stage runs: every part that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Condition {
    /// `changed`: patterns, one of which a changed file matches.
    pub changed: Vec<Placed<String>>,
    /// `branch`: patterns, one of which the branch matches.
    pub branch: Vec<Placed<String>>,
    /// `event`: names, one of which is the event's (`push`, `pull_request`, `local` outside of Actions).
    pub event: Vec<Placed<String>>,
    /// `result`: what has become of the stages that it needs, one of which holds for one of them.
    pub result: Vec<NeedResult>,
}

/// What became of a needed stage, as `if.result` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NeedResult {
    /// It passed.
    Success,
    /// It failed, or could not tell.
    Failure,
    /// It was skipped.
    Skipped,
    /// It was cancelled.
    Cancelled,
}

/// The isolated environment of a stage, from the frozen lock.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Venv {
    /// `groups`: dependency groups.
    pub groups: Vec<String>,
    /// `extras`: extras of the project.
    pub extras: Vec<String>,
    /// `python`: a version, where the project's own is not meant.
    pub python: Option<String>,
    /// `project`: whether the project itself is installed.
    pub project: bool,
}

/// A long-running process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// `ready`: how one sees that it is ready.
    pub ready: Placed<Probe>,
    /// `ready-timeout`: how long that may take.
    pub ready_timeout: Duration,
}

/// How one sees that a service is ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Probe {
    /// `tcp = "127.0.0.1:8080"`: something listens there.
    Tcp(String),
    /// `http = "http://127.0.0.1:8080/health"`: it answers with a status of 200 to 299.
    Http(String),
    /// `command = ["…"]`: it exits with zero.
    Command(Vec<String>),
    /// `output = "…"`: a line of its output matches this regular expression.
    Output(String),
}
