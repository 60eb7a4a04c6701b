//! Type checkers are compared with what they say of the base: what a change breaks elsewhere counts, old debt does not.

use serde_json::Value;

use crate::support::lockgate::{Project, Run};
use crate::support::tools::{environment, network, tool};

/// A project with the pinned tools on PATH, one commit, and answers about the base kept nowhere but beside it.
fn project(files: &[(&str, &str)]) -> Project {
    let project = Project::empty().with_path_first(&environment().join("bin"));
    let cache = project.beside("cache").display().to_string();
    let project = project.with("LOCKGATE_CACHE_DIR", &cache);
    for (path, content) in files {
        project.write(path, content);
    }
    project.git(&["init", "--quiet", "--initial-branch=main"]);
    project.commit("first");
    project
}

fn gate(project: &Project, arguments: &[&str]) -> Run {
    let mut all = vec!["lint-gate", "--output-format", "json", "--base", "HEAD"];
    all.extend(arguments);
    project.run(&all)
}

/// `path:line rule` of each finding of a tool.
fn places(run: &Run) -> Vec<String> {
    let report = run.json();
    let findings = report["findings"].as_array().unwrap();
    findings
        .iter()
        .filter(|one| one["tool"] != "lockgate")
        .map(|one| {
            format!(
                "{}:{} {}",
                one["path"].as_str().unwrap(),
                one["line"],
                one["tool"].as_str().unwrap()
            )
        })
        .collect()
}

fn remarks(run: &Run) -> Vec<(String, String)> {
    let report = run.json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["tool"] == "lockgate")
        .map(|one| (text(&one["rule"]), text(&one["message"])))
        .collect()
}

fn left_out(run: &Run, reason: &str) -> u64 {
    let report = run.json();
    report["left-out"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["reason"] == reason)
        .map_or(0, |one| one["count"].as_u64().unwrap())
}

const LIBRARY: &str = "def double(number: int) -> int:\n    return number * 2\n";
const USE: &str = "from library import double\n\nprint(double(3))\nold: int = \"debt\"\n";
const BROKEN_LIBRARY: &str = "def double(number: str) -> str:\n    return number * 2\n";

#[test]
fn an_error_that_a_change_causes_elsewhere_counts_and_old_debt_does_not() {
    for checker in ["mypy", "pyright", "basedpyright", "ty", "pyrefly"] {
        let project = project(&[
            ("library.py", LIBRARY),
            ("use.py", USE),
            // Without a configuration pyrefly looks for little.
            ("pyrefly.toml", "preset = \"default\"\n"),
        ]);
        project.write("library.py", BROKEN_LIBRARY);
        let run = gate(&project, &["--tools", checker, "--tool-source", "path"]);
        run.expect_code(1);
        assert_eq!(places(&run), [format!("use.py:3 {checker}")], "{run:?}");
        assert!(left_out(&run, "on the base already") >= 1, "{run:?}");
        assert_eq!(run.json()["findings"][0]["new"], true);
        assert!(remarks(&run).is_empty(), "{run:?}");
    }
}

#[test]
fn a_change_without_a_new_error_passes_whatever_moves() {
    let project = project(&[("library.py", LIBRARY), ("use.py", USE)]);
    project.git(&["mv", "use.py", "main.py"]);
    let text = format!("# A comment.\n\n\n{USE}");
    project.write("main.py", text);
    let run = gate(
        &project,
        &["--tools", "mypy,pyright", "--tool-source", "path"],
    );
    run.expect_code(0);
    assert_eq!(left_out(&run, "on the base already"), 2, "{run:?}");
}

#[test]
fn an_old_error_on_an_edited_line_counts() {
    let project = project(&[("library.py", LIBRARY), ("use.py", USE)]);
    project.write("use.py", USE.replace("\"debt\"", "\"more debt\""));
    let run = gate(&project, &["--tools", "mypy", "--tool-source", "path"]);
    run.expect_code(1);
    assert_eq!(places(&run), ["use.py:4 mypy"]);
}

#[test]
fn a_second_error_of_the_same_kind_is_not_hidden_by_the_first() {
    let project = project(&[("library.py", LIBRARY), ("use.py", USE)]);
    project.append(
        "use.py",
        "\n\ndef other() -> None:\n    old: int = \"debt\"\n    print(old)\n",
    );
    let run = gate(&project, &["--tools", "mypy", "--tool-source", "path"]);
    run.expect_code(1);
    assert_eq!(places(&run), ["use.py:8 mypy"]);
}

#[test]
fn what_the_base_says_is_found_out_once() {
    let project = project(&[("library.py", LIBRARY), ("use.py", USE)]);
    project.write("library.py", BROKEN_LIBRARY);
    let arguments = ["--tools", "mypy", "--tool-source", "path"];
    let first = gate(&project, &arguments);
    first.expect_text("mypy looks at the base as well");
    project.write("library.py", format!("{BROKEN_LIBRARY}# Again.\n"));
    let second = gate(&project, &arguments);
    assert!(
        !second.text().contains("looks at the base"),
        "{}",
        second.text()
    );
    assert_eq!(places(&first), places(&second));
    // Another base, another answer.
    project.commit("broken on purpose");
    project.write("use.py", USE.replace("(3)", "(4)"));
    let third = gate(&project, &arguments);
    third.expect_text("mypy looks at the base as well");
}

#[test]
fn a_base_that_cannot_be_checked_hides_nothing_and_is_told() {
    let project = project(&[("library.py", "def double(\n"), ("use.py", USE)]);
    project.write("library.py", LIBRARY);
    let run = gate(&project, &["--tools", "mypy", "--tool-source", "path"]);
    run.expect_code(1);
    assert_eq!(places(&run), ["use.py:4 mypy"]);
    let remarks = remarks(&run);
    assert_eq!(remarks.len(), 1, "{remarks:?}");
    assert_eq!(remarks[0].0, "base-unchecked");
    assert!(
        remarks[0].1.starts_with(
            "mypy could not look at the base, so that all its findings count: mypy: stopped at a syntax error"
        ),
        "{remarks:?}"
    );
}

#[test]
fn another_configuration_is_one_line_that_counts_both_ways() {
    let project = project(&[
        (
            "pyproject.toml",
            "[tool.mypy]\nwarn_unused_ignores = true\n",
        ),
        (
            "use.py",
            "def f(x):\n    return x\n\n\ny = 1  # type: ignore\nold: int = \"debt\"\n",
        ),
    ]);
    project.write(
        "pyproject.toml",
        "[tool.mypy]\ndisallow_untyped_defs = true\n",
    );
    let run = gate(&project, &["--tools", "mypy", "--tool-source", "path"]);
    run.expect_code(1);
    assert_eq!(places(&run), ["use.py:1 mypy"]);
    assert_eq!(
        remarks(&run),
        [(
            "checker-changed".to_owned(),
            "another configuration of mypy: adds 1 finding, removes 1".to_owned()
        )]
    );
}

#[test]
fn a_folder_that_the_change_adds_is_nothing_on_the_base() {
    let project = project(&[("library.py", LIBRARY)]);
    project.write("tests/test_it.py", "x: int = \"new\"\n");
    project.git(&["add", "--all"]);
    let arguments = ["--tools", "mypy", "--tool-source", "path", "tests"];
    let run = gate(&project, &arguments);
    run.expect_code(1);
    assert_eq!(places(&run), ["tests/test_it.py:1 mypy"]);
    assert!(remarks(&run).is_empty(), "{run:?}");
}

/// A wheel of one typed module.
fn wheel(project: &Project, version: &str, code: &str) {
    let script = r#"
import base64, hashlib, pathlib, sys, zipfile
folder, version, code = sys.argv[1:]
info = f'dep-{version}.dist-info'
files = {
    'dep/__init__.py': code,
    'dep/py.typed': '',
    f'{info}/METADATA': f'Metadata-Version: 2.1\nName: dep\nVersion: {version}\n',
    f'{info}/WHEEL': 'Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n',
}
record = ''.join(
    f'{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()},{len(text.encode())}\n'
    for name, text in files.items()
)
files[f'{info}/RECORD'] = record + f'{info}/RECORD,,\n'
pathlib.Path(folder).mkdir(exist_ok=True)
with zipfile.ZipFile(pathlib.Path(folder) / f'dep-{version}-py3-none-any.whl', 'w') as archive:
    for name, text in files.items():
        archive.writestr(zipfile.ZipInfo(name), text)
"#;
    let output = std::process::Command::new(environment().join("bin/python"))
        .args(["-c", script])
        .arg(project.path().join("wheels"))
        .args([version, code])
        .output()
        .expect("Python");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn lock(project: &Project, version: &str) {
    project.write(
        "pyproject.toml",
        format!(
            "[project]\nname = \"app\"\nversion = \"0.1.0\"\nrequires-python = \">=3.11\"\ndependencies = [\"dep=={version}\"]\n\n[dependency-groups]\ndev = [\"mypy==2.4.1\"]\n\n[tool.uv]\nfind-links = [\"wheels\"]\n\n[tool.mypy]\nfiles = [\"use.py\"]\n"
        ),
    );
    let output = std::process::Command::new(tool("uv"))
        .args(["lock", "--quiet"])
        .current_dir(project.path())
        .env_clear()
        .env("PATH", std::env::var_os("PATH").expect("a PATH"))
        .env("HOME", project.beside("home"))
        .envs(network())
        .output()
        .expect("uv");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn a_dependency_that_breaks_types_is_seen_although_no_line_of_code_changed() {
    let project = Project::empty().with_path_first(&environment().join("bin"));
    wheel(&project, "1.0", "def f() -> int:\n    return 1\n");
    wheel(&project, "2.0", "def f() -> str:\n    return '1'\n");
    project.write(
        "use.py",
        "from dep import f\n\nx: int = f()\nold: int = \"debt\"\n",
    );
    lock(&project, "1.0");
    project.git(&["init", "--quiet", "--initial-branch=main"]);
    project.commit("first");
    lock(&project, "2.0");
    let run = gate(&project, &["--tools", "mypy"]);
    run.expect_code(1);
    assert_eq!(places(&run), ["use.py:3 mypy"], "{run:#?}");
    assert_eq!(left_out(&run, "on the base already"), 1);
    assert_eq!(
        remarks(&run),
        [(
            "checker-changed".to_owned(),
            "other versions of dependencies: adds 1 finding, removes 0".to_owned()
        )]
    );
}
