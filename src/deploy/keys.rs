//! Every key of an environment, what it may hold and what it means: the one source of the reader's known keys, of the JSON
//! Schema and of the reference table.

use crate::pipeline::keys::{Key, Shape, key, required};

/// The keys of the whole that are no inputs of the step.
pub const DEPLOY: &[Key] = &[key(
    "environments",
    Shape::ByName(ENVIRONMENT),
    "Where one can deploy to, by name",
)];

/// The keys of an environment.
pub const ENVIRONMENT: &[Key] = &[
    required("target", Shape::OneOf(TARGET), "Where it goes; one key"),
    key(
        "artifacts",
        Shape::SomeTexts,
        "What is deployed: patterns of files from the folder of this file, or `${{ stages.<stage>.outputs.<output> }}`; only the targets `shell` and `oci` can do without; for `oci` one file with the digest of the image",
    ),
    key(
        "gates",
        Shape::Table(GATES),
        "What must hold before anything is touched",
    ),
    key(
        "health",
        Shape::Table(HEALTH),
        "How one sees that what was deployed is well; without it nobody asks",
    ),
    key(
        "rollback",
        Shape::Word(ROLLBACK),
        "What follows where it is not: `automatic` puts back what stood before, once in a run and three times in 24 hours [default: automatic]",
    ),
    key(
        "on-cancel",
        Shape::Word(ON_CANCEL),
        "What `finalize` does with a deployment that was stopped when something may have changed [default: keep]",
    ),
    key(
        "lock",
        Shape::Table(LOCK),
        "How long one deployment has the environment for itself",
    ),
    key("url", Shape::Text, "Where people find what is deployed"),
    key(
        "production",
        Shape::Flag,
        "Whether people rely on it [default: true where it is called `production`]",
    ),
    key(
        "transient",
        Shape::Flag,
        "Whether it is ended with what it is for, such as a pull request [default: false]",
    ),
    key(
        "prereleases",
        Shape::Flag,
        "Whether versions such as `1.0rc1` or `1.0.dev3` may go there [default: true unless `production`]",
    ),
];

/// The keys of `target`, of which there is exactly one.
pub const TARGET: &[Key] = &[
    key(
        "local",
        Shape::Table(LOCAL),
        "A folder with one folder a version, and the link `current`",
    ),
    key(
        "shell",
        Shape::Table(SHELL),
        "Commands of the project's own",
    ),
    key(
        "pypi",
        Shape::Table(PYPI),
        "A package index; what it has cannot be taken back",
    ),
    key(
        "object-store",
        Shape::Table(OBJECT_STORE),
        "A bucket of S3, Google or Azure, or a folder: files by their content, and one object that says which release the environment has",
    ),
    key(
        "oci",
        Shape::Table(OCI),
        "Tags of a container registry, which are set to an image by its digest",
    ),
];

/// The keys of `target.local`.
pub const LOCAL: &[Key] = &[
    required(
        "directory",
        Shape::Text,
        "The folder, from that of this file, or absolute",
    ),
    key(
        "keep",
        Shape::Whole(2, 1000),
        "How many versions stay, the one that stands among them [default: 5]",
    ),
];

/// The keys of `target.shell`.
pub const SHELL: &[Key] = &[
    required("run", COMMAND, "What deploys"),
    key(
        "rollback",
        COMMAND,
        "What puts back what stood before; without it nobody can",
    ),
    key(
        "current",
        COMMAND,
        "Prints what stands there: a name that `rollback` gets back",
    ),
    key(
        "timeout",
        Shape::Duration,
        "How long each may take [default: 10m]",
    ),
    key(
        "grace",
        Shape::Duration,
        "How long each has between SIGTERM and SIGKILL, two seconds at most where the job is cancelled [default: 5s]",
    ),
    key(
        "env",
        Shape::Variables,
        "What they see besides the base set: names that are passed through, values by name, or a list of both",
    ),
    key(
        "secrets",
        Shape::Secrets,
        "Names of variables that hold secrets, or by name `{ env = \"NAME\" }`",
    ),
];

/// The keys of `target.object-store`.
pub const OBJECT_STORE: &[Key] = &[
    required(
        "address",
        Shape::Text,
        "`s3://bucket/prefix`, `gs://bucket/prefix`, `az://container/prefix`, or a folder; credentials and endpoints come from the variables that the clouds' own tools read",
    ),
    key(
        "role",
        Shape::Text,
        "A role of AWS that is taken with the identity of the job: `arn:aws:iam::<account>:role/<name>`",
    ),
];

/// The keys of `target.oci`.
pub const OCI: &[Key] = &[
    required(
        "image",
        Shape::Text,
        "The repository of the image, with its registry and without a tag: `registry.example/acme/app`; over `https`, but for `http://127.0.0.1:5000/acme/app` on the own machine",
    ),
    key(
        "tags",
        Shape::SomeTexts,
        "The tags that are set to the image; the first one says what the environment has [default: the name of the environment]",
    ),
    key(
        "token-hosts",
        Shape::Texts,
        "Other hosts that may give tokens for the registry: they get its credentials",
    ),
    key(
        "user",
        Shape::Text,
        "The variable that holds the user [default: `LOCKGATE_REGISTRY_USER`]",
    ),
    key(
        "password",
        Shape::Text,
        "The variable that holds the password or token [default: `LOCKGATE_REGISTRY_PASSWORD`]",
    ),
];

/// The keys of `target.pypi`.
pub const PYPI: &[Key] = &[
    key(
        "upload",
        Shape::Text,
        "The address for uploads [default: that of the public index]",
    ),
    key(
        "simple",
        Shape::Text,
        "The simple API of the same index, which says what is there [default: that of the public index]",
    ),
    key(
        "project",
        Shape::Text,
        "The name of the project, for what stands there now [default: nobody asks]",
    ),
    key(
        "token",
        Shape::Text,
        "The variable that holds a token or password [default: the identity of the job, by trusted publishing]",
    ),
    key(
        "user",
        Shape::Text,
        "Whose password that is [default: `__token__`]",
    ),
    key(
        "anonymous",
        Shape::Flag,
        "The index asks for no credential [default: false]",
    ),
];

/// A script for the shell, or a program and its arguments.
const COMMAND: Shape = Shape::Either(&[Shape::Text, Shape::Program]);

/// The keys of `gates`.
pub const GATES: &[Key] = &[
    key(
        "version",
        Shape::Flag,
        "Tag, `pyproject.toml`, and names and metadata of wheels and sdists say the same version [default: true]",
    ),
    key(
        "downgrade",
        Shape::Flag,
        "Whether an older version than the last one, or than the newest one on the index, may be deployed [default: false]",
    ),
    key(
        "artifact",
        Shape::Flag,
        "The bytes are those that the same run of the pipeline made, or those of a bundle whose digest is given [default: true]",
    ),
    key(
        "lockfile",
        Shape::Flag,
        "`lockfile-verify` passes, now and here [default: true]",
    ),
    key(
        "contexts",
        Shape::Either(&[Shape::Flag, Shape::SomeTexts]),
        "Checks of the commit that must have passed, by name; `true` for all but our own job [default: false]",
    ),
    key(
        "contexts-wait",
        Shape::Duration,
        "How long to wait for checks that are not over [default: 5m]",
    ),
];

/// The keys of `health`.
pub const HEALTH: &[Key] = &[
    key(
        "http",
        Shape::Text,
        "A GET of this URL, `https` but for the own machine; redirects are answers like others",
    ),
    key(
        "tcp",
        Shape::Text,
        "Something listens at this address: `127.0.0.1:8080`",
    ),
    key("command", Shape::Program, "This program exits with zero"),
    key(
        "status",
        Shape::Wholes(100, 599),
        "With `http`: the statuses that are good [default: 200]",
    ),
    key(
        "body",
        Shape::Text,
        "With `http`: a regular expression that the content matches",
    ),
    key(
        "json",
        Shape::TextByPointer,
        "With `http`: what the content, as JSON, has at each pointer: `{ \"/version\" = \"${{ version }}\" }`; there is `${{ digest }}` too",
    ),
    key(
        "successes",
        Shape::Whole(1, 100),
        "So many good answers in a row [default: 3]",
    ),
    key(
        "interval",
        Shape::Duration,
        "The pause between two questions, give or take a quarter [default: 1s]",
    ),
    key(
        "timeout",
        Shape::Duration,
        "How long all of it may take [default: 2m]",
    ),
    key(
        "try-timeout",
        Shape::Duration,
        "How long one question may take [default: 5s]",
    ),
    key(
        "inconclusive",
        Shape::Word(INCONCLUSIVE),
        "What follows where nobody could ask: `stop` leaves it to you, `rollback` takes it for unwell [default: stop]",
    ),
];

/// The keys of `lock`.
pub const LOCK: &[Key] = &[
    key(
        "wait",
        Shape::Duration,
        "How long to wait for who has it [default: not at all]",
    ),
    key(
        "limit",
        Shape::Duration,
        "After so long it is nobody's any more [default: 1h]",
    ),
    key(
        "break",
        Shape::Texts,
        "Who may take it away with `break-lock` in a workflow; on a laptop anybody may",
    ),
];

/// The values of `rollback`.
pub const ROLLBACK: &[&str] = &["automatic", "never"];

/// The values of `on-cancel`.
pub const ON_CANCEL: &[&str] = &["keep", "rollback"];

/// The values of `health.inconclusive`.
pub const INCONCLUSIVE: &[&str] = &["stop", "rollback"];
