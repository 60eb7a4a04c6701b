//! Locks of public projects give no finding but those that were looked at and are true. The projects are the sdists of
//! `tests/corpus/projects.txt`: some ship their lock, of others a real tool makes one from their `pyproject.toml`.
//!
//! The suite takes the first few that ship theirs; `LOCKGATE_CAMPAIGN` takes all. Those with a lock that a tool makes need
//! a package index, and what they give may change with it.

use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::expect::root;
use crate::support::lock_tools::{index, lock_tool};
use crate::support::lockgate::Project;
use crate::support::tools::{once, python, run, tool};

/// Whose lock it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lock {
    /// That of the project itself.
    Own,
    /// `uv lock`.
    Uv,
    /// `uv pip compile`, with all extras.
    Compiled,
    /// `poetry lock` of this environment.
    Poetry(&'static str),
    /// `pdm lock`.
    Pdm,
}

use Lock::{Compiled, Own, Pdm, Poetry, Uv};

/// So many are looked at in the suite.
const IN_THE_SUITE: usize = 8;

/// The projects, those that ship small locks first.
const PROJECTS: &[(&str, Lock)] = &[
    ("pytest-asyncio", Own),
    ("langchain-text-splitters", Own),
    ("pydantic-settings", Own),
    ("polyfactory", Own),
    ("a2a-sdk", Own),
    ("cattrs", Own),
    ("trio", Own),
    ("aiobotocore", Own),
    ("copier", Own),
    ("svcs", Own),
    ("langgraph", Own),
    ("langchain-core", Own),
    ("advanced-alchemy", Own),
    ("anthropic", Own),
    ("openai", Own),
    ("starlette", Own),
    ("outlines", Own),
    ("mcp", Own),
    ("openai-agents", Own),
    ("aiohttp", Own),
    ("mirascope", Own),
    ("commitizen", Uv),
    ("groq", Uv),
    ("nonebot2", Uv),
    ("strawberry-graphql", Uv),
    ("ibis-framework", Uv),
    ("dlt", Compiled),
    ("fastapi", Compiled),
    ("httpx", Compiled),
    ("litestar", Compiled),
    ("python-telegram-bot", Compiled),
    ("sqlmodel", Compiled),
    ("stamina", Compiled),
    ("typer", Compiled),
    ("uvicorn", Compiled),
    ("tomlkit", Poetry("poetry-2.2")),
    ("bleak-retry-connector", Poetry("poetry-2")),
    ("cleo", Poetry("poetry-2")),
    ("pendulum", Poetry("poetry-2")),
    ("questionary", Poetry("poetry-2")),
    ("rich", Poetry("poetry-2")),
    ("tortoise-orm", Poetry("poetry-2")),
    ("zeroconf", Poetry("poetry-2")),
    ("marko", Pdm),
    ("unearth", Pdm),
];

/// What is found and true: the project, the rule, how often, and why.
const TRUE: &[(&str, &str, usize, &str)] = &[
    (
        "trio",
        "hash-missing",
        2,
        "its requirements are compiled without hashes",
    ),
    (
        "aiohttp",
        "hash-missing",
        15,
        "its requirements are compiled without hashes",
    ),
    (
        "aiohttp",
        "requirement-not-locked",
        1,
        "its constraints were compiled before `sphinx-issues` was asked for",
    ),
    (
        "copier",
        "sync-unverifiable",
        2,
        "`python_version < '<3.10'` is no marker that can be compared",
    ),
    (
        "mcp",
        "sync-unverifiable",
        1,
        "hatchling computes its dependencies",
    ),
    (
        "openai",
        "sync-unverifiable",
        1,
        "the folder that a script takes it from is not looked up",
    ),
    (
        "langchain-core",
        "sync-unverifiable",
        2,
        "its neighbours in the repository are not in the sdist",
    ),
    (
        "langchain-text-splitters",
        "sync-unverifiable",
        1,
        "its neighbour in the repository is not in the sdist",
    ),
    (
        "langgraph",
        "sync-unverifiable",
        6,
        "its neighbours in the repository are not in the sdist",
    ),
];

/// Backends that projects name. pip asks one for the metadata of what it downloads; these answer from `PKG-INFO`, so that
/// nothing of a project is run.
const BACKENDS: &[&str] = &[
    "flit_core.buildapi",
    "hatchling.build",
    "maturin",
    "pdm.backend",
    "poetry.core.masonry.api",
    "poetry.masonry.api",
    "setuptools.build_meta",
    "uv_build",
];

const BACKEND: &str = r#"
import os

def prepare_metadata_for_build_wheel(folder, config_settings=None):
    fields = {}
    with open("PKG-INFO", encoding="utf-8") as file:
        for line in file:
            name, _, value = line.rstrip("\n").partition(": ")
            fields.setdefault(name, value)
    name, version = fields["Name"], fields["Version"]
    folder = os.path.join(folder, name.replace("-", "_").replace(".", "_") + "-" + version + ".dist-info")
    os.makedirs(folder)
    with open(os.path.join(folder, "METADATA"), "w", encoding="utf-8") as file:
        file.write(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    return os.path.basename(folder)
"#;

/// Takes what declares and locks out of an sdist, and nothing else.
const UNPACK: &str = r#"
import os, sys, tarfile

def is_wanted(path, names):
    name = path.rsplit("/", 1)[-1]
    return (
        name in ("pyproject.toml", "uv.toml", "uv.lock", "poetry.lock", "pdm.lock", "Pipfile", "Pipfile.lock")
        or name.endswith(".py.lock")
        or path + ".lock" in names
        or name.startswith("pylock.")
        or name.endswith((".txt", ".in"))
    )

archive = tarfile.open(sys.argv[1])
members = {member.name.partition("/")[2]: member for member in archive if member.isfile()}
for path, member in members.items():
    if is_wanted(path, members) and ".." not in path.split("/") and not path.startswith("/"):
        target = os.path.join(sys.argv[2], path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "wb") as file:
            file.write(archive.extractfile(member).read())
"#;

/// The line of a project in the list: name, version and hash, as pip reads it.
fn pin(name: &str) -> String {
    let path = root().join("tests/corpus/projects.txt");
    let list = std::fs::read_to_string(path).unwrap();
    let line = list
        .lines()
        .find(|line| line.split("==").next() == Some(name));
    line.unwrap_or_else(|| panic!("`{name}` is not in tests/corpus/projects.txt"))
        .to_owned()
}

/// The sdist of a project, downloaded once by pip, which checks its hash.
fn sdist(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("corpus")
        .join(name);
    let pin = pin(name);
    once(&folder.join(".downloaded"), pin.as_bytes(), || {
        let _ = std::fs::remove_dir_all(&folder);
        let backends = tempfile::tempdir().unwrap();
        for backend in BACKENDS {
            let file = backends
                .path()
                .join(format!("{}.py", backend.replace('.', "/")));
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, BACKEND).unwrap();
        }
        std::fs::create_dir_all(&folder).unwrap();
        let list = folder.join("list.txt");
        std::fs::write(&list, &pin).unwrap();
        run(
            Command::new(lock_tool("pip").join("bin/python"))
                .args(["-m", "pip", "download", "--quiet", "--no-deps"])
                .args(["--no-binary", ":all:", "--no-build-isolation"])
                .args(["--require-hashes", "--dest"])
                .arg(&folder)
                .arg("-r")
                .arg(&list)
                .env("PYTHONPATH", backends.path()),
            "a Python package index",
        );
    });
    let mut files = std::fs::read_dir(&folder).unwrap().flatten();
    let file = files.find(|file| file.path().extension().is_some_and(|end| end == "gz"));
    file.unwrap().path()
}

/// The project with its lock.
fn workspace(name: &str, lock: Lock) -> Project {
    let project = Project::empty();
    run(
        Command::new(python())
            .args(["-c", UNPACK])
            .arg(sdist(name))
            .arg(project.path()),
        "Python",
    );
    let made = |mut command: Command| {
        // The lock that is made is the only one.
        let _ = std::fs::remove_file(project.path().join("uv.lock"));
        let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("lock-tools-cache");
        command
            .current_dir(project.path())
            .env("POETRY_CACHE_DIR", cache.join("poetry"))
            .env("POETRY_VIRTUALENVS_CREATE", "false")
            .env("POETRY_NO_INTERACTION", "1")
            .env("PDM_CACHE_DIR", cache.join("pdm"))
            .env("PDM_CHECK_UPDATE", "0")
            .env("PDM_USE_VENV", "0")
            .env("PDM_IGNORE_SAVED_PYTHON", "1")
            .env(
                "UV_CACHE_DIR",
                Path::new(env!("CARGO_TARGET_TMPDIR")).join("uv-cache"),
            );
        run(&mut command, "a Python package index");
    };
    let command = |program: PathBuf, arguments: &[&str]| {
        let mut command = Command::new(program);
        command.args(arguments);
        command
    };
    match lock {
        Own => {}
        Uv => made(command(tool("uv"), &["lock", "--quiet"])),
        Compiled => made(command(
            tool("uv"),
            &[
                "pip",
                "compile",
                "--quiet",
                "--universal",
                "--generate-hashes",
                "--all-extras",
                "pyproject.toml",
                "--output-file",
                "requirements.txt",
            ],
        )),
        Poetry(version) => {
            // Poetry asks an index that is not declared for more than every mirror has.
            let path = project.path().join("pyproject.toml");
            let text = std::fs::read_to_string(&path).unwrap();
            let source = format!(
                "\n[[tool.poetry.source]]\nname = \"simple\"\nurl = \"{}\"\n",
                index()
            );
            std::fs::write(path, text + &source).unwrap();
            made(command(lock_tool(version).join("bin/poetry"), &["lock"]));
        }
        Pdm => made(command(lock_tool("pdm-2").join("bin/pdm"), &["lock"])),
    }
    project
}

/// The projects that ship their own lock.
pub(crate) fn shipped() -> impl Iterator<Item = (&'static str, Project)> {
    let own = PROJECTS.iter().filter(|(_, lock)| *lock == Own);
    own.map(|(name, lock)| (*name, workspace(name, *lock)))
}

/// The findings that are not in the list of those that are true, and what of the list was not found.
fn differences(name: &str, report: &Value) -> Vec<String> {
    let findings = report["findings"].as_array().unwrap();
    let known = || TRUE.iter().filter(|(project, ..)| *project == name);
    let mut different: Vec<String> = findings
        .iter()
        .filter(|finding| !known().any(|(_, rule, ..)| finding["rule"] == **rule))
        .map(|finding| {
            let part = |key: &str| finding[key].to_string();
            format!(
                "{name}: {} {}:{} {}",
                part("rule"),
                part("path"),
                part("line"),
                part("message")
            )
        })
        .collect();
    for (_, rule, count, why) in known() {
        let found = findings.iter().filter(|finding| finding["rule"] == **rule);
        let found = found.count();
        if found != *count {
            different.push(format!(
                "{name}: {found} of {rule} instead of {count}: {why}"
            ));
        }
    }
    different
}

#[test]
#[expect(
    clippy::print_stderr,
    reason = "the figures are the point of a campaign"
)]
fn locks_of_public_projects_give_no_false_alarm() {
    let all = std::env::var_os("LOCKGATE_CAMPAIGN").is_some();
    let most = if all { PROJECTS.len() } else { IN_THE_SUITE };
    let (mut locks, mut packages) = (0, 0);
    let mut different = Vec::new();
    for (name, lock) in PROJECTS.iter().take(most) {
        if all {
            eprintln!("{name}: {lock:?}");
        }
        // One lock that no tool makes hides no finding in the others.
        let Ok(project) = catch_unwind(|| workspace(name, *lock)) else {
            different.push(format!("{name}: no lock was made, see above"));
            continue;
        };
        let arguments = ["lockfile-verify", "--output-format=json"];
        let report = project.run(&arguments).json();
        let output =
            |name: &str| -> usize { report["outputs"][name].as_str().unwrap().parse().unwrap() };
        assert!(output("packages") > 0, "{name}: nothing was looked at");
        locks += output("lockfiles");
        packages += output("packages");
        different.extend(differences(name, &report));
    }
    eprintln!("{most} projects, {locks} locks, {packages} packages");
    assert!(different.is_empty(), "{}", different.join("\n"));
}
