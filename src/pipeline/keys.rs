//! Every key of a definition, what it may hold and what it means: the one source of the reader's known keys, of the JSON
//! Schema and of the reference table.

/// What a value may be.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// A text that is not empty.
    Text,
    /// A text, or a list of texts.
    Texts,
    /// A text, or a list of texts that is not empty.
    SomeTexts,
    /// True or false.
    Flag,
    /// A whole number from the first to the second.
    Whole(i64, i64),
    /// A whole number, or a list of them, from the first to the second.
    Wholes(i64, i64),
    /// A duration: `90s`, `10m`, `1h30m`.
    Duration,
    /// A number of bytes: `512MB`, `2GiB`.
    Size,
    /// One of these.
    Word(&'static [&'static str]),
    /// One of these, or a list of them.
    SomeOf(&'static [&'static str]),
    /// The name of a step of ours.
    Step,
    /// A program and its arguments.
    Program,
    /// Values by name: texts, numbers, true or false, or lists of these.
    Values,
    /// Texts by name.
    TextByName,
    /// Lists of values by name.
    Matrix,
    /// Variables: names that are passed through, values by name, or a list of both.
    Variables,
    /// Secrets: names, or sources by name.
    Secrets,
    /// A table with these keys.
    Table(&'static [Key]),
    /// A table with one of these keys.
    OneOf(&'static [Key]),
    /// One of several shapes.
    Either(&'static [Shape]),
    /// Stages by name.
    Stages,
    /// Tables with these keys, by name.
    ByName(&'static [Key]),
    /// Texts by JSON pointer (RFC 6901).
    TextByPointer,
}

/// A key of a table.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// As it is written.
    pub name: &'static str,
    /// What it holds.
    pub shape: Shape,
    /// Whether the table is nothing without it.
    pub is_required: bool,
    /// What it means.
    pub help: &'static str,
}

pub(crate) const fn key(name: &'static str, shape: Shape, help: &'static str) -> Key {
    Key {
        name,
        shape,
        is_required: false,
        help,
    }
}

pub(crate) const fn required(name: &'static str, shape: Shape, help: &'static str) -> Key {
    Key {
        name,
        shape,
        is_required: true,
        help,
    }
}

/// The keys of the whole that are no inputs of the step.
pub const PIPELINE: &[Key] = &[
    key(
        "name",
        Shape::Text,
        "What the run is called in reports and traces",
    ),
    key(
        "env",
        Shape::Variables,
        "Variables of every stage; they refer to no outputs",
    ),
    key(
        "secrets",
        Shape::Secrets,
        "Secrets that stages may name, and where they come from",
    ),
    key("stages", Shape::Stages, "The stages, by name"),
];

/// The keys of a stage. A text in the place of the table is its `run`.
pub const STAGE: &[Key] = &[
    key("description", Shape::Text, "What it is for"),
    key(
        "run",
        Shape::Either(&[Shape::Text, Shape::Program]),
        "A text is a script for the shell; a list is a program and its arguments, without a shell",
    ),
    key(
        "uses",
        Shape::Step,
        "A step of Lockgate, in the place of `run`",
    ),
    key("with", Shape::Values, "The inputs of that step"),
    key(
        "needs",
        Shape::Texts,
        "Stages that must have passed before; a stage with a matrix means all of its combinations",
    ),
    key(
        "inputs",
        Shape::Texts,
        "Patterns of the files that it reads, from its `directory`; `!` in front takes away again",
    ),
    key(
        "outputs",
        Shape::TextByName,
        "What it promises to make: by name, the pattern of the files or the folder, from its `directory`",
    ),
    key(
        "env",
        Shape::Variables,
        "What it sees of the environment besides the base set: names that are passed through, values by name, or a list of both",
    ),
    key(
        "secrets",
        Shape::Secrets,
        "Names of variables that hold secrets, or by name `{ env = \"NAME\" }` or `{ command = [\"…\"] }`",
    ),
    key(
        "timeout",
        Shape::Duration,
        "How long it may take [default: that of the run]",
    ),
    key(
        "grace",
        Shape::Duration,
        "How long it has between SIGTERM and SIGKILL [default: that of the run]",
    ),
    key(
        "retry",
        Shape::Either(&[Shape::Whole(1, MOST_RETRIES), Shape::Table(RETRY)]),
        "How often it is tried again, or a table",
    ),
    key(
        "if",
        Shape::Table(CONDITION),
        "When it runs: every part that is given must hold",
    ),
    key(
        "always",
        Shape::Flag,
        "It runs whatever became of what it needs, also where the run is stopped: for cleaning up",
    ),
    key(
        "allow-failure",
        Shape::Flag,
        "Its failure fails nothing else",
    ),
    key(
        "matrix",
        Shape::Matrix,
        "Lists of values by name: it runs once for each combination, and `${{ matrix.<name> }}` is the value",
    ),
    key(
        "members",
        Shape::Either(&[Shape::Flag, Shape::SomeTexts]),
        "It runs once for each member of the workspace of uv, in its folder, or for those whose folder matches a pattern; `${{ member.name }}` and `${{ member.path }}` name it",
    ),
    key(
        "cpu",
        Shape::Whole(1, MOST_CORES),
        "How many of the cores it takes [default: 1]",
    ),
    key("memory", Shape::Size, "How much memory it takes"),
    key(
        "venv",
        Shape::Either(&[Shape::Flag, Shape::Table(VENV)]),
        "It runs in an isolated environment, made from the lock",
    ),
    key(
        "service",
        Shape::Table(SERVICE),
        "It goes on running while the stages that need it run, and is ended behind them",
    ),
    key(
        "cache",
        Shape::Either(&[Shape::Flag, Shape::Word(&[LOCAL])]),
        "Whether it is skipped where nothing that it depends on has changed; with `local` neither its result nor those of what it needs come from a shared store [default: true where `inputs` are declared, false with `uses`]",
    ),
    key(
        "directory",
        Shape::Text,
        "The folder that it runs in, from that of the file",
    ),
];

/// The keys of `retry`.
pub const RETRY: &[Key] = &[
    required(
        "max",
        Shape::Whole(1, MOST_RETRIES),
        "How often after the first time",
    ),
    key(
        "on-exit",
        Shape::Wholes(1, 255),
        "Exit codes after which it is tried again [default: any]",
    ),
    key(
        "on-output",
        Shape::Text,
        "A regular expression that some line of its output must match",
    ),
    key(
        "base",
        Shape::Duration,
        "The upper bound of the first wait, doubled for each further one [default: 1s]",
    ),
    key(
        "cap",
        Shape::Duration,
        "The upper bound of every wait [default: 30s]",
    ),
    key(
        "budget",
        Shape::Duration,
        "How long all attempts and waits may take together",
    ),
];

/// The keys of `if`.
pub const CONDITION: &[Key] = &[
    key(
        "changed",
        Shape::SomeTexts,
        "Patterns from its `directory`, one of which a changed file matches",
    ),
    key(
        "branch",
        Shape::SomeTexts,
        "Patterns, one of which the branch matches",
    ),
    key(
        "event",
        Shape::SomeTexts,
        "Names, one of which is that of the event (`push`, `pull_request`); `local` outside of a workflow",
    ),
    key(
        "result",
        Shape::SomeOf(RESULTS),
        "What has become of the stages that it needs: one of these must hold for one of them",
    ),
];

/// The keys of `venv`.
pub const VENV: &[Key] = &[
    key("groups", Shape::Texts, "Dependency groups"),
    key("extras", Shape::Texts, "Extras of the project"),
    key(
        "python",
        Shape::Text,
        "The version of Python [default: the project's own]",
    ),
    key(
        "project",
        Shape::Flag,
        "Whether the project itself is installed [default: false]",
    ),
];

/// The keys of `service`.
pub const SERVICE: &[Key] = &[
    required(
        "ready",
        Shape::OneOf(PROBE),
        "How one sees that it is ready; one key",
    ),
    key(
        "ready-timeout",
        Shape::Duration,
        "How long that may take [default: 60s]",
    ),
];

/// The keys of `ready`, of which there is exactly one.
pub const PROBE: &[Key] = &[
    key(
        "tcp",
        Shape::Text,
        "Something listens at this address: `127.0.0.1:8080`",
    ),
    key(
        "http",
        Shape::Text,
        "A GET of this URL is answered with a status of 200 to 299",
    ),
    key("command", Shape::Program, "This program exits with zero"),
    key(
        "output",
        Shape::Text,
        "A line of its output matches this regular expression",
    ),
];

/// The keys of a secret in a table, of which there is exactly one.
pub const SECRET: &[Key] = &[
    key("env", Shape::Text, "The variable of the run's environment"),
    key(
        "command",
        Shape::Program,
        "The program that prints it on its standard output",
    ),
];

/// The value of `cache` for results of this machine alone.
pub const LOCAL: &str = "local";

/// The values of `if.result`.
pub const RESULTS: &[&str] = &["success", "failure", "skipped", "cancelled"];

/// A stage is tried again at most so often.
pub const MOST_RETRIES: i64 = 20;

/// A stage takes at most so many cores.
pub const MOST_CORES: i64 = 4096;

/// Letters of the name of a stage.
pub const LONGEST_NAME: usize = 100;
