//! The hashed requirements that are written from any lock: pip installs from them what the tool that made the lock installs.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use lockgate::lockfiles::environment::{Asked, requirements};
use lockgate::lockfiles::{format_of, read};
use lockgate::model::sources::Sources;

use crate::lockfile_pipfile::pipenv;
use crate::lockfile_poetry_pdm;
use crate::lockfile_uv_mutations::uv;
use crate::support::lock_tools::lock_tool;
use crate::support::lockgate::Project;
use crate::support::tools::{network, python};

/// Markers that hold and do not, an extra of a dependency, an extra, a group, one package for two reasons.
const PROJECT: &str = r#"[project]
name = "app"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = [
    "requests[socks]>=2.31",
    "colorama ; sys_platform == 'win32'",
    "typing-extensions ; python_version >= '3.8'",
]

[project.optional-dependencies]
cli = ["click>=8"]
unused = ["markupsafe"]

[dependency-groups]
dev = ["pytest>=8", "iniconfig"]
other = ["six"]
"#;

const PIPFILE: &str = r#"[packages]
click = ">=8"
colorama = {version = "*", markers = "sys_platform == 'win32'"}

[dev-packages]
iniconfig = ">=2"
"#;

/// The names and versions in an environment.
fn installed(venv: &Path) -> BTreeSet<String> {
    let script = "import importlib.metadata as m; print(*{f'{d.name.lower().replace(\"_\", \"-\")}=={d.version}' for d in m.distributions()})";
    let output = Command::new(venv.join("bin/python"))
        .args(["-I", "-c", script])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let own = ["pip", "app", "setuptools"];
    String::from_utf8_lossy(&output.stdout)
        .split_whitespace()
        .filter(|one| !own.contains(&one.split("==").next().unwrap()))
        .map(str::to_owned)
        .collect()
}

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// What pip installs from the list that is written from a lock.
#[track_caller]
fn by_pip(project: &Project, lock: &str, groups: &[&str], extras: &[&str]) -> BTreeSet<String> {
    let mut sources = Sources::default();
    let file = sources
        .add(lock, std::fs::read(project.path().join(lock)).unwrap())
        .unwrap();
    let reading = read(format_of(lock).unwrap(), file, &sources);
    let asked = Asked {
        groups: names(groups),
        extras: names(extras),
    };
    let list = requirements(reading.lockfile.as_ref().unwrap(), &asked)
        .unwrap_or_else(|refusal| panic!("{lock}: {}", refusal.what));
    let (path, venv) = (
        project.beside("lists").join(lock),
        project.beside(&format!("venv-{lock}-{}", groups.len())),
    );
    std::fs::write(&path, &list.text).unwrap();
    uv(
        &project.path(),
        &[
            "venv",
            "--quiet",
            "--no-project",
            "--python",
            &python().display().to_string(),
            &venv.display().to_string(),
        ],
    );
    // Without `--no-deps`: pip finds nothing that the list lacks.
    let output = Command::new(python())
        .args(["-I", "-m", "pip", "--python"])
        .arg(venv.join("bin/python"))
        .args([
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--require-hashes",
            "-r",
        ])
        .arg(&path)
        .env(
            "PIP_CACHE_DIR",
            Path::new(env!("CARGO_TARGET_TMPDIR")).join("pip-cache"),
        )
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{lock}\n{}\n{}",
        list.text,
        String::from_utf8_lossy(&output.stderr)
    );
    installed(&venv)
}

/// What the tool itself installs into the project's own environment.
fn by_tool(project: &Project, name: &str, program: &str, arguments: &[&str]) -> BTreeSet<String> {
    let venv = project.path().join(".venv");
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("lock-tools-cache");
    let output = Command::new(lock_tool(name).join("bin").join(program))
        .args(arguments)
        .current_dir(project.path())
        .envs(network())
        .env("POETRY_CACHE_DIR", cache.join(name))
        .env("POETRY_VIRTUALENVS_IN_PROJECT", "true")
        .env("POETRY_NO_INTERACTION", "1")
        .env("PDM_CACHE_DIR", cache.join(name))
        .env("PDM_CHECK_UPDATE", "0")
        .env("NO_COLOR", "1")
        .env("PDM_IGNORE_SAVED_PYTHON", "1")
        .env("VIRTUAL_ENV", &venv)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{name}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    installed(&venv)
}

/// A project whose indexes are declared as a tool wants it, with an environment of its own.
fn project(source: &str) -> Project {
    let project = Project::empty();
    let url = crate::support::lock_tools::index();
    let source = match source {
        "" => String::new(),
        table => format!("\n[[{table}]]\nname = \"simple\"\nurl = \"{url}\"\n"),
    };
    project.write("pyproject.toml", format!("{PROJECT}{source}"));
    uv(
        &project.path(),
        &[
            "venv",
            "--quiet",
            "--no-project",
            "--python",
            &python().display().to_string(),
            ".venv",
        ],
    );
    project
}

#[test]
fn pip_installs_what_poetry_installs() {
    let project = project("tool.poetry.source");
    lockfile_poetry_pdm::make("poetry-2", "poetry", &project);
    let install = [
        "install",
        "--no-root",
        "--with=dev",
        "--without=other",
        "--extras=cli",
    ];
    let whole = by_tool(&project, "poetry-2", "poetry", &install);
    assert!(
        whole.iter().any(|one| one.starts_with("pysocks==")),
        "{whole:?}"
    );
    assert_eq!(by_pip(&project, "poetry.lock", &["dev"], &["cli"]), whole);
}

#[test]
fn pip_installs_what_pdm_installs() {
    let project = project("tool.pdm.source");
    by_tool(&project, "pdm-2", "pdm", &["lock", "-G", ":all"]);
    let sync = ["sync", "--clean", "--no-self", "-G", "cli", "-dG", "dev"];
    let whole = by_tool(&project, "pdm-2", "pdm", &sync);
    assert!(
        whole.iter().any(|one| one.starts_with("pysocks==")),
        "{whole:?}"
    );
    assert_eq!(by_pip(&project, "pdm.lock", &["dev"], &["cli"]), whole);
}

#[test]
fn pip_installs_what_uv_installs_from_its_lock_and_its_exports() {
    let project = project("");
    uv(&project.path(), &["lock", "--quiet"]);
    uv(
        &project.path(),
        &[
            "sync",
            "--quiet",
            "--frozen",
            "--no-install-project",
            "--extra",
            "cli",
            "--python",
            ".venv",
        ],
    );
    let whole = installed(&project.path().join(".venv"));
    assert_eq!(by_pip(&project, "uv.lock", &["dev"], &["cli"]), whole);
    // What uv exports for these is the same for everybody.
    let export = [
        "export",
        "--quiet",
        "--frozen",
        "--no-emit-project",
        "--extra=cli",
    ];
    let lock = "pylock.toml";
    uv(
        &project.path(),
        &[&export[..], &["--format", lock, "-o", lock]].concat(),
    );
    assert_eq!(by_pip(&project, lock, &[], &[]), whole);
}

#[test]
fn pip_installs_what_pipenv_installs() {
    let project = Project::empty();
    project.write("Pipfile", PIPFILE);
    pipenv(&project, &["lock"]);
    pipenv(&project, &["sync", "--dev"]);
    let whole = installed(&project.path().join(".venv"));
    assert!(
        whole.iter().any(|one| one.starts_with("iniconfig==")),
        "{whole:?}"
    );
    assert_eq!(by_pip(&project, "Pipfile.lock", &["develop"], &[]), whole);
}
