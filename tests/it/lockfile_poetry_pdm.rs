//! Locks that Poetry and PDM make here: untouched ones are quiet, and what was done to the others is found on its line,
//! whatever the tools themselves say of it.

use std::path::Path;
use std::process::{Command, Output};

use lockgate::lockfiles::public_index::SIMPLE_API;
use serde_json::{Value, json};

use crate::support::lock_tools::lock_tool;
use crate::support::lockgate::Project;

/// The index that locks are made from, by its simple API.
pub(crate) fn index() -> String {
    let own = ["UV_DEFAULT_INDEX", "PIP_INDEX_URL"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok());
    own.unwrap_or_else(|| SIMPLE_API.to_owned())
}

/// Runs a tool in a folder, apart from the user's own configuration.
pub(crate) fn run(name: &str, program: &str, arguments: &[&str], folder: &Path) -> Output {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("lock-tools-cache");
    Command::new(lock_tool(name).join("bin").join(program))
        .args(arguments)
        .current_dir(folder)
        .env("POETRY_CACHE_DIR", cache.join(name))
        .env("POETRY_VIRTUALENVS_CREATE", "false")
        .env("POETRY_NO_INTERACTION", "1")
        .env("PDM_CACHE_DIR", cache.join(name))
        .env("PDM_CHECK_UPDATE", "0")
        .env("PDM_USE_VENV", "0")
        .env("PDM_IGNORE_SAVED_PYTHON", "1")
        .env("NO_COLOR", "1")
        .output()
        .unwrap()
}

pub(crate) fn make(name: &str, program: &str, project: &Project) {
    let output = run(name, program, &["lock"], &project.path());
    assert!(
        output.status.success(),
        "{name}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

pub(crate) fn read(project: &Project, path: &str) -> String {
    std::fs::read_to_string(project.path().join(path)).unwrap()
}

/// What is found: rule, path and the text of the line.
pub(crate) fn findings(project: &Project) -> Vec<(String, String, String)> {
    let run = project.run(&["lockfile-verify", "--output-format=json"]);
    let report = run.json();
    let all = report["findings"].as_array().unwrap();
    all.iter()
        .map(|finding| {
            let path = finding["path"].as_str().unwrap();
            let line = finding["line"].as_u64().unwrap();
            let text = String::from_utf8_lossy(&std::fs::read(project.path().join(path)).unwrap())
                .lines()
                .nth(usize::try_from(line).unwrap() - 1)
                .unwrap_or_default()
                .to_owned();
            let rule = finding["rule"].as_str().unwrap();
            (rule.to_owned(), path.to_owned(), text)
        })
        .collect()
}

/// A mutation: what it is, the file, how it is made, the rule that must find it, the start of its line, and what the
/// tool's own check exits with where it is asked.
struct Mutation {
    what: &'static str,
    file: &'static str,
    make: fn(&str) -> String,
    found: Option<(&'static str, &'static str)>,
    tool: Option<i32>,
}

const fn mutation(
    what: &'static str,
    file: &'static str,
    make: fn(&str) -> String,
    found: Option<(&'static str, &'static str)>,
    tool: Option<i32>,
) -> Mutation {
    Mutation {
        what,
        file,
        make,
        found,
        tool,
    }
}

/// Makes each mutation in turn, and takes it back.
fn check(project: &Project, mutations: &[Mutation], check: impl Fn() -> Option<i32>) {
    assert_eq!(findings(project), [], "an untouched lock");
    assert_eq!(check(), Some(0), "the tool's own word on it");
    for mutation in mutations {
        let before = read(project, mutation.file);
        let after = (mutation.make)(&before);
        assert_ne!(before, after, "{}", mutation.what);
        project.write(mutation.file, &after);
        let found = findings(project);
        match mutation.found {
            None => assert_eq!(found, [], "{}", mutation.what),
            Some((rule, line)) => assert!(
                found
                    .iter()
                    .any(|(own, _, text)| own == rule && text.starts_with(line)),
                "{}: {found:?}",
                mutation.what
            ),
        }
        if mutation.tool.is_some() {
            assert_eq!(check(), mutation.tool, "{}: the tool", mutation.what);
        }
        project.write(mutation.file, before);
    }
}

/// The entry of a package, from its `[[package]]` to the next one or the end of the list.
fn entry<'t>(lock: &'t str, name: &str) -> &'t str {
    let start = lock
        .find(&format!("[[package]]\nname = \"{name}\""))
        .unwrap();
    let rest = &lock[start..];
    let end = ["\n[[package]]", "\n[extras]", "\n[metadata]"]
        .iter()
        .filter_map(|next| rest.find(next))
        .min();
    &rest[..end.unwrap_or(rest.len())]
}

fn without_hashes(lock: &str) -> String {
    let mut text = lock.to_owned();
    while let Some(start) = text.find(", hash = ") {
        let end = start + text[start..].find('}').unwrap();
        text.replace_range(start..end, "");
    }
    text
}

fn cut(lock: &str) -> String {
    let middle = lock.find("files = [").unwrap() + 20;
    lock[..middle].to_owned()
}

fn conflict(lock: &str) -> String {
    lock.replacen(
        "[metadata]",
        "<<<<<<< HEAD\n[metadata]\n=======\n>>>>>>> x",
        1,
    )
}

const POETRY: &[Mutation] = &[
    mutation(
        "a specifier bump",
        "pyproject.toml",
        |text| text.replace("six>=1.16", "six>=1.17"),
        Some(("poetry-content-hash", "content-hash")),
        None,
    ),
    mutation(
        "a blank",
        "pyproject.toml",
        |text| text.replace("six>=1.16", "six >= 1.16"),
        Some(("poetry-content-hash", "content-hash")),
        Some(1),
    ),
    mutation(
        "another order",
        "pyproject.toml",
        |text| text.replace("\"six>=1.16\", \"idna\"", "\"idna\", \"six>=1.16\""),
        Some(("poetry-content-hash", "content-hash")),
        None,
    ),
    mutation(
        "the project's own version",
        "pyproject.toml",
        |text| text.replace("0.1.0", "0.2.0"),
        None,
        None,
    ),
    mutation(
        "another content hash",
        "poetry.lock",
        |text| text.replace("content-hash = \"", "content-hash = \"0"),
        Some(("poetry-content-hash", "content-hash")),
        None,
    ),
    mutation(
        "no hashes",
        "poetry.lock",
        without_hashes,
        Some(("hash-missing", "    {file")),
        None,
    ),
    mutation(
        "a package dropped",
        "poetry.lock",
        |text| text.replace(entry(text, "six"), ""),
        Some(("requirement-not-locked", "dependencies")),
        None,
    ),
    mutation(
        "no packages",
        "poetry.lock",
        |text| {
            let end = text.find("[extras]").unwrap();
            format!("package = []\n{}", &text[end..])
        },
        Some(("requirement-not-locked", "dependencies")),
        Some(0),
    ),
    mutation(
        "a package twice",
        "poetry.lock",
        |text| {
            text.replace(
                entry(text, "six"),
                &entry(text, "six").repeat(2).replace("]\n[[", "]\n\n[["),
            )
        },
        Some(("duplicate-package", "name = \"six\"")),
        None,
    ),
    mutation(
        "CRLF",
        "poetry.lock",
        |text| text.replace('\n', "\r\n"),
        None,
        None,
    ),
    mutation(
        "a byte order mark",
        "poetry.lock",
        |text| format!("\u{feff}{text}"),
        Some(("syntax", "\u{feff}#")),
        Some(1),
    ),
    mutation(
        "truncated",
        "poetry.lock",
        cut,
        Some(("truncated", "")),
        None,
    ),
    mutation(
        "a merge conflict",
        "poetry.lock",
        conflict,
        Some(("conflict-marker", "<<<<<<<")),
        None,
    ),
];

#[test]
fn locks_of_poetry() {
    let project = Project::empty();
    project.write(
        "pyproject.toml",
        format!(
            "[project]\nname = \"app\"\nversion = \"0.1.0\"\nrequires-python = \">=3.11\"\n\
             dependencies = [\"six>=1.16\", \"idna\"]\n[project.optional-dependencies]\nall = [\"certifi\"]\n\
             [dependency-groups]\ndev = [\"iniconfig\"]\n[tool.poetry]\npackage-mode = false\n\
             [[tool.poetry.source]]\nname = \"simple\"\nurl = \"{}\"\n",
            index()
        ),
    );
    make("poetry-2", "poetry", &project);
    check(&project, POETRY, || {
        run("poetry-2", "poetry", &["check", "--lock"], &project.path())
            .status
            .code()
    });
}

#[test]
fn locks_of_poetry_1_count_as_its_own() {
    let project = Project::empty();
    project.write(
        "pyproject.toml",
        format!(
            "[tool.poetry]\nname = \"app\"\nversion = \"0.1.0\"\ndescription = \"\"\nauthors = []\npackage-mode = false\n\
             [tool.poetry.dependencies]\npython = \"^3.11\"\nsix = \"^1.16\"\n\
             [tool.poetry.group.dev.dependencies]\niniconfig = {{version = \"*\"}}\n\
             [[tool.poetry.source]]\nname = \"simple\"\nurl = \"{}\"\npriority = \"primary\"\n",
            index()
        ),
    );
    make("poetry-1.8", "poetry", &project);
    assert_eq!(findings(&project), []);
    let lock = read(&project, "poetry.lock");
    project.write("poetry.lock", lock.replace(entry(&lock, "iniconfig"), ""));
    let found = findings(&project);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].0, "requirement-not-locked");
    assert!(found[0].2.starts_with("iniconfig"), "{found:?}");
}

const PDM: &[Mutation] = &[
    mutation(
        "a specifier bump",
        "pyproject.toml",
        |text| text.replace("six>=1.16", "six>=1.17"),
        Some(("pdm-content-hash", "content_hash")),
        None,
    ),
    mutation(
        "a blank",
        "pyproject.toml",
        |text| text.replace("six>=1.16", "six >= 1.16"),
        Some(("pdm-content-hash", "content_hash")),
        Some(1),
    ),
    mutation(
        "a member's requirement",
        "lib/pyproject.toml",
        |text| text.replace("idna", "idna>=2"),
        Some(("pdm-content-hash", "content_hash")),
        Some(1),
    ),
    mutation(
        "the project's own version",
        "pyproject.toml",
        |text| text.replace("0.1.0", "0.2.0"),
        None,
        None,
    ),
    mutation(
        "no hashes",
        "pdm.lock",
        without_hashes,
        Some(("hash-missing", "    {file")),
        None,
    ),
    mutation(
        "no packages",
        "pdm.lock",
        |text| text[..text.find("[[package]]").unwrap()].to_owned(),
        Some(("requirement-not-locked", "dependencies")),
        Some(0),
    ),
    mutation(
        "a package twice",
        "pdm.lock",
        |text| format!("{text}\n{}", entry(text, "idna")),
        Some(("duplicate-package", "name = \"idna\"")),
        None,
    ),
    mutation(
        "a byte order mark",
        "pdm.lock",
        |text| format!("\u{feff}{text}"),
        Some(("syntax", "\u{feff}#")),
        None,
    ),
    mutation("truncated", "pdm.lock", cut, Some(("truncated", "")), None),
    mutation(
        "a merge conflict",
        "pdm.lock",
        conflict,
        Some(("conflict-marker", "<<<<<<<")),
        None,
    ),
];

#[test]
fn locks_of_pdm_and_its_workspaces() {
    let project = Project::empty();
    let source = format!(
        "[[tool.pdm.source]]\nname = \"pypi\"\nurl = \"{}\"\n",
        index()
    );
    project
        .write(
            "pyproject.toml",
            format!(
                "[project]\nname = \"app\"\nversion = \"0.1.0\"\nrequires-python = \">=3.11\"\n\
                 dependencies = [\"six>=1.16\"]\n[dependency-groups]\ndev = [\"iniconfig\"]\n\
                 [tool.pdm]\ndistribution = false\n[tool.pdm.workspace]\nmembers = [\"l*\"]\n{source}"
            ),
        )
        .write(
            "lib/pyproject.toml",
            "[project]\nname = \"lib\"\nversion = \"0.1.0\"\nrequires-python = \">=3.11\"\n\
             dependencies = [\"idna\"]\n[build-system]\nrequires = [\"pdm-backend\"]\n\
             build-backend = \"pdm.backend\"\n",
        );
    make("pdm-2", "pdm", &project);
    check(&project, PDM, || {
        run("pdm-2", "pdm", &["lock", "--check"], &project.path())
            .status
            .code()
    });
    let report = project
        .run(&["lockfile-verify", "--output-format=json"])
        .json();
    assert_eq!(report["outputs"]["verdict"], json!("pass"));
    assert_ne!(report["outputs"]["packages"], Value::Null);
}
