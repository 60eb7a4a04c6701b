//! Addresses in what `uv pip compile` and `pip-compile` make, and in a lock of pipenv: those that inputs ask for, those that a
//! package of an address brings, and those that somebody wrote into the lock.

use std::path::{Path, PathBuf};
use std::process::Command;

use lockgate::lockfiles::Format;
use serde_json::{Value, json};

use crate::support::lock_tools::lock_tool;
use crate::support::lockgate::Project;
use crate::support::small_locks::small_locks;
use crate::support::tools::{python, tool};

/// `alpha` asks for `beta` at its place, `gamma` for nothing.
const WHEELS: &str = r#"
import sys, zipfile
folder = sys.argv[1]
for name, needs in [("alpha", f"beta @ file://{folder}/beta-1.0-py3-none-any.whl"), ("beta", None), ("gamma", None)]:
    info = f"{name}-1.0.dist-info"
    meta = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
    meta += f"Requires-Dist: {needs}\n" if needs else ""
    with zipfile.ZipFile(f"{folder}/{name}-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{name}/__init__.py", "")
        wheel.writestr(f"{info}/METADATA", meta)
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
"#;

const EVIL: &str = "evil @ https://evil.example/evil-1.0-py3-none-any.whl\n";

fn run(project: &Project, program: &Path, arguments: &[&str]) {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(project.path())
        .env_clear()
        .env("PATH", std::env::var("PATH").unwrap())
        .env("HOME", project.beside("home"))
        .env("PIP_DISABLE_PIP_VERSION_CHECK", "1")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {text}", program.display());
}

/// What is said of addresses that nothing asks for: the package and how bad it is.
fn told(project: &Project) -> Vec<(String, String)> {
    let report = project
        .run(&["lockfile-verify", "--output-format=json"])
        .json();
    let findings = report["findings"].as_array().unwrap().iter();
    let own = findings.filter(|one| one["rule"] == json!("source-not-declared"));
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    own.map(|one| (text(&one["message"]), text(&one["severity"])))
        .map(|(message, severity)| {
            let package = message.split(['`', ' ']).nth(1).unwrap_or_default();
            (package.to_owned(), severity)
        })
        .collect()
}

fn evil(severity: &str) -> Vec<(String, String)> {
    vec![("evil".to_owned(), severity.to_owned())]
}

#[test]
fn addresses_in_compiled_requirements_are_those_of_the_inputs_and_of_what_they_bring() {
    let project = Project::empty();
    let wheels = project.beside("wheels");
    std::fs::create_dir_all(&wheels).unwrap();
    run(
        &project,
        &python(),
        &["-c", WHEELS, wheels.to_str().unwrap()],
    );
    let wheels = wheels.to_str().unwrap();
    project.write(
        "requirements.in",
        format!("gamma\nalpha @ file://{wheels}/alpha-1.0-py3-none-any.whl\n"),
    );
    let find = format!("--find-links={wheels}");
    let of_uv: [&str; 6] = [
        "pip",
        "compile",
        "--quiet",
        "--offline",
        "--no-index",
        &find,
    ];
    let of_pip: [&str; 4] = ["--quiet", "--no-index", "--no-emit-find-links", &find];
    let uv: PathBuf = tool("uv");
    let pip_compile = lock_tool("pip-tools").join("bin/pip-compile");
    let python = python();
    let with_python = ["--python", python.to_str().unwrap()];
    let end = ["--output-file=requirements.txt", "requirements.in"];
    for (program, arguments) in [
        (&uv, [&of_uv[..], &with_python, &end].concat()),
        (
            &uv,
            [&of_uv[..], &with_python, &["--no-annotate"], &end].concat(),
        ),
        (&pip_compile, [&of_pip[..], &end].concat()),
    ] {
        let _ = std::fs::remove_file(project.path().join("requirements.txt"));
        run(&project, program, &arguments);
        let lock = std::fs::read_to_string(project.path().join("requirements.txt")).unwrap();
        assert!(lock.contains("\nbeta @ file://"), "{lock}");
        let is_annotated = !arguments.contains(&"--no-annotate");
        if is_annotated {
            assert_eq!(told(&project), [], "{lock}");
        }
        let asked = lock.lines().filter(|line| line.starts_with("beta"));
        assert_eq!(asked.count(), 1);

        // Without annotations nobody sees that `alpha` asks for `beta`, nor that it does not ask for another.
        let (more, severity) = if is_annotated {
            ("    # via gamma\n", "error")
        } else {
            ("", "warning")
        };
        project.write("requirements.txt", format!("{lock}{EVIL}{more}"));
        let found = told(&project);
        let of_evil: Vec<_> = found.iter().filter(|one| one.0 == "evil").collect();
        assert_eq!(of_evil, evil(severity).iter().collect::<Vec<_>>(), "{lock}");
        assert_eq!(found.len(), if is_annotated { 1 } else { 2 }, "{found:?}");
    }
}

#[test]
fn addresses_in_a_lock_of_pipenv_are_those_of_its_pipfile() {
    let project = Project::empty();
    let mut locks = small_locks().iter();
    let small = locks.find(|small| small.format == Format::Pipfile).unwrap();
    let (name, declared) = &small.declared;
    project.write(name, declared);
    project.write(small.name, &small.lock);
    assert_eq!(told(&project), []);
    let entry = "\"evil\": {\"file\": \"https://evil.example/evil-1.0-py3-none-any.whl\"},";
    let head = "\"default\": {";
    assert!(small.lock.contains(head));
    let edited = small.lock.replacen(head, &format!("{head}{entry}"), 1);
    project.write(small.name, &edited);
    assert_eq!(told(&project), evil("error"));
    project.write(
        name,
        format!("{declared}evil = {{file = \"https://evil.example/evil-1.0-py3-none-any.whl\"}}\n"),
    );
    assert_eq!(told(&project), []);
}
