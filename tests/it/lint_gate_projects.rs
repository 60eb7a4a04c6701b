//! Which tools run, of which projects: `tools: auto`, `projects`, what is said of single tools.

use crate::support::lockgate::{Project, Run};
use crate::support::tools::environment;

fn project(files: &[(&str, &str)]) -> Project {
    let project = Project::empty().with_path_first(&environment().join("bin"));
    for (path, content) in files {
        project.write(path, content);
    }
    project.git(&["init", "--quiet", "--initial-branch=main"]);
    project.commit("first");
    project
}

fn gate(project: &Project, arguments: &[&str]) -> Run {
    let mut all = vec![
        "lint-gate",
        "--tool-source",
        "path",
        "--scope",
        "everything",
        "--output-format",
        "json",
    ];
    all.extend(arguments);
    project.run(&all)
}

fn strings(run: &Run, list: &str, key: &str) -> Vec<String> {
    let report = run.json();
    report[list]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one[key].as_str().unwrap_or("-").to_owned())
        .collect()
}

/// The line of `--list-tools` about this tool, its words joined by one space.
fn listed(run: &Run, tool: &str) -> String {
    let line = run
        .stdout
        .lines()
        .find(|line| line.split(' ').next() == Some(tool));
    let line = line.unwrap_or_else(|| panic!("no {tool} in\n{}\n{}", run.stdout, run.stderr));
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

const PYPROJECT: &str =
    "[project]\nname = \"app\"\nversion = \"0\"\n\n[tool.mypy]\nstrict = true\n";

#[test]
fn auto_runs_what_the_project_configures_and_says_why() {
    let project = project(&[
        ("pyproject.toml", PYPROJECT),
        ("app.py", "import os\n\nx: int = \"\"\n"),
        (".flake8", "[flake8]\nmax-line-length = 100\n"),
        (
            ".pre-commit-config.yaml",
            "repos:\n- repo: https://github.example/x\n  rev: v1\n  hooks: [{id: ruff-check}, {id: hadolint}]\n",
        ),
        ("package.json", "{\"devDependencies\": {\"eslint\": \"9\"}}"),
    ]);
    let run = gate(&project, &["--tools", "auto"]);
    run.expect_code(1);
    assert_eq!(strings(&run, "checks", "name"), ["ruff", "flake8", "mypy"]);
    let list = project.run(&[
        "lint-gate",
        "--list-tools",
        "--tools",
        "auto",
        "--tool-source",
        "path",
    ]);
    list.expect_code(0);
    assert_eq!(
        listed(&list, "mypy"),
        "mypy runs `[tool.mypy]` in `pyproject.toml`; it is on PATH"
    );
    assert_eq!(
        listed(&list, "ruff"),
        "ruff runs hook `ruff-check` in `.pre-commit-config.yaml`; it is on PATH"
    );
    assert_eq!(
        listed(&list, "black"),
        "black - nothing configures or pins it"
    );
    assert_eq!(
        listed(&list, "zizmor"),
        "zizmor - there is nothing that it looks at"
    );
    assert!(listed(&list, "eslint").starts_with("eslint report `package.json`: write its SARIF"));
    assert!(listed(&list, "hadolint").starts_with("hadolint report hook `hadolint`"));
}

#[test]
fn auto_misses_a_configured_tool_that_is_not_there_out_loud() {
    let project = project(&[
        ("pyproject.toml", PYPROJECT),
        ("app.py", "x = 1\n"),
        ("ruff.toml", ""),
    ]);
    // A PATH with git and ruff, but without mypy.
    let tools = project.beside("tools");
    std::fs::copy(environment().join("bin/ruff"), tools.join("ruff")).unwrap();
    let project = project.with("PATH", &format!("{}:/usr/bin:/bin", tools.display()));
    let run = gate(&project, &["--tools", "auto"]);
    run.expect_code(0);
    assert_eq!(strings(&run, "findings", "rule"), ["tool-missing"]);
    assert_eq!(strings(&run, "findings", "severity"), ["warning"]);
    assert_eq!(
        strings(&run, "findings", "message"),
        [
            "mypy did not run: `[tool.mypy]` in `pyproject.toml`, but it is neither in the lockfile nor on PATH"
        ]
    );
    gate(&project, &["--tools", "auto", "--fail-on", "warning"]).expect_code(1);
}

#[test]
fn auto_without_any_tool_is_the_users_mistake() {
    let project = project(&[("app.py", "x = 1\n")]);
    gate(&project, &["--tools", "auto"])
        .expect_code(2)
        .expect_text("`tools: auto` finds no tool that the project configures or pins");
}

#[test]
fn projects_run_in_their_own_folders_with_their_own_configuration() {
    let project = project(&[
        (
            "services/api/pyproject.toml",
            "[tool.ruff.lint]\nselect = [\"F\"]\n",
        ),
        ("services/api/app.py", "import os\nx = 1 ;\n"),
        (
            "services/jobs/pyproject.toml",
            "[tool.ruff.lint]\nselect = [\"E\"]\n",
        ),
        ("services/jobs/app.py", "import os\nx = 1 ;\n"),
        ("other/app.py", "import os\n"),
    ]);
    let run = gate(&project, &["--tools", "ruff", "--projects", "services/*"]);
    run.expect_code(1);
    assert_eq!(
        strings(&run, "checks", "project"),
        ["services/api", "services/jobs"]
    );
    let mut found: Vec<String> = strings(&run, "findings", "path")
        .into_iter()
        .zip(strings(&run, "findings", "rule"))
        .map(|(path, rule)| format!("{path} {rule}"))
        .collect();
    found.sort();
    assert_eq!(
        found,
        ["services/api/app.py F401", "services/jobs/app.py E703"]
    );
    // Human text names the project.
    let text = project.run(&[
        "lint-gate",
        "--tools",
        "ruff",
        "--tool-source",
        "path",
        "--scope",
        "everything",
        "--projects",
        "services/api",
    ]);
    text.expect_text("ruff in services/api");
}

#[test]
fn a_project_that_is_not_there_is_named() {
    let project = project(&[("services/api/pyproject.toml", "")]);
    gate(&project, &["--tools", "ruff", "--projects", "services/apo"])
        .expect_code(2)
        .expect_text("`projects`: there is no folder `services/apo`")
        .expect_text("write `services/api`");
}

#[test]
fn arguments_paths_and_limits_of_one_tool() {
    let project = project(&[
        ("src/app.py", "import os\nx = 1 ;\n"),
        ("tests/test_app.py", "import os\n"),
    ]);
    let run = gate(
        &project,
        &[
            "--tools",
            "ruff",
            "--tool-arguments",
            "ruff: --select E",
            "--tool-paths",
            "ruff: src",
        ],
    );
    run.expect_code(1);
    assert_eq!(strings(&run, "findings", "rule"), ["E703"]);
    gate(
        &project,
        &["--tools", "ruff", "--tool-timeout", "ruff: 1ms"],
    )
    .expect_code(3)
    .expect_text("its time was up");
    gate(
        &project,
        &["--tools", "ruff", "--tool-arguments", "ruff: --exit-zero"],
    )
    .expect_code(2)
    .expect_text("`--exit-zero` would change what Lockgate reads");
}

#[test]
fn severities_can_be_overridden_and_decide() {
    let project = project(&[("app.py", "import os\nx = 1 ;\n")]);
    let run = gate(
        &project,
        &[
            "--tools",
            "ruff",
            "--severity",
            "ruff note",
            "--severity",
            "ruff:F4* warning",
        ],
    );
    run.expect_code(0);
    assert_eq!(strings(&run, "findings", "severity"), ["warning", "note"]);
    gate(&project, &["--tools", "ruff", "--severity", "ruff fatal"])
        .expect_code(2)
        .expect_text("`severity`: `ruff fatal`");
}

#[test]
fn shellcheck_gets_every_script_of_the_repository() {
    let project = project(&[
        ("run.sh", "#!/bin/sh\necho $1\n"),
        ("bin/tool", "#!/usr/bin/env bash\necho $1\n"),
        ("bin/other", "#!/usr/bin/env python3\nprint(1)\n"),
        ("notes.md", "# sh\n"),
    ]);
    let run = gate(&project, &["--tools", "shellcheck", "--fail-on", "note"]);
    run.expect_code(1);
    assert_eq!(strings(&run, "findings", "path"), ["bin/tool", "run.sh"]);
    let none = self::project(&[("app.py", "x = 1\n")]);
    gate(&none, &["--tools", "shellcheck"])
        .expect_code(3)
        .expect_text("there is no shell script to check");
    gate(&none, &["--tools", "shellcheck", "--allow-empty"]).expect_code(0);
}

#[test]
fn shellcheck_gets_the_scripts_of_the_folders_that_are_named() {
    let files = [
        ("run.sh", "#!/bin/sh\necho $1\n"),
        ("bin/tool", "#!/usr/bin/env bash\necho $1\n"),
        ("bin/deep/more.sh", "#!/bin/sh\necho $1\n"),
        ("bin/other", "#!/usr/bin/env python3\nprint(1)\n"),
        ("docs/notes.md", "# sh\n"),
        ("named", "# shellcheck shell=sh\necho $1\n"),
    ];
    let repository = project(&files);
    let plain = Project::empty().with_path_first(&environment().join("bin"));
    for (path, content) in files {
        plain.write(path, content);
    }
    plain
        .write("node_modules/x/install.sh", "#!/bin/sh\necho $1\n")
        .write("venv/pyvenv.cfg", "")
        .write("venv/bin/x.sh", "#!/bin/sh\necho $1\n");
    for project in [&repository, &plain] {
        let found = |arguments: &[&str]| {
            let mut all = vec!["--tools", "shellcheck", "--fail-on", "note"];
            all.extend(arguments);
            let run = gate(project, &all);
            run.expect_code(1);
            strings(&run, "findings", "path")
        };
        let below = ["bin/deep/more.sh", "bin/tool"];
        assert_eq!(found(&["bin"]), below);
        assert_eq!(found(&["./bin/", "bin", "./bin/tool", "docs"]), below);
        assert_eq!(found(&["--tool-paths", "shellcheck: bin"]), below);
        assert_eq!(found(&["named", "bin/deep"]), ["bin/deep/more.sh", "named"]);
        let everywhere = ["bin/deep/more.sh", "bin/tool", "run.sh"];
        assert_eq!(found(&["."]), everywhere);
        assert_eq!(found(&[]), everywhere);
        gate(project, &["--tools", "shellcheck", "docs"])
            .expect_code(3)
            .expect_text("there is no shell script to check");
        gate(project, &["--tools", "shellcheck", "bin", "missing"])
            .expect_code(3)
            .expect_text("`missing` does not exist");
    }
}

#[test]
fn codespell_without_a_file_to_check_is_no_verdict() {
    let project = project(&[("docs/.keep", "recieve\n"), ("src/app.py", "x = 1\n")]);
    std::fs::create_dir_all(project.path().join("empty")).unwrap();
    let run = |arguments: &[&str]| {
        let mut all = vec!["--tools", "codespell"];
        all.extend(arguments);
        gate(&project, &all)
    };
    for nothing in ["empty", "docs"] {
        run(&[nothing])
            .expect_code(3)
            .expect_text("codespell: there is no file to check");
        run(&[nothing, "--allow-empty"]).expect_code(0);
    }
    run(&["src"]).expect_code(0);
    run(&["empty", "src/app.py"]).expect_code(0);
    run(&[]).expect_code(0);
    // What it is told to look at, it does look at.
    let hidden = ["docs", "--tool-arguments", "codespell: --check-hidden"];
    run(&hidden).expect_text("recieve ==> receive");
    project.write("docs/.keep", "receive\n");
    run(&hidden).expect_code(0);
    project.write(".codespellrc", "[codespell]\ncheck-hidden =\n");
    run(&["docs"]).expect_code(0);
}

#[test]
fn an_argument_is_refused_in_any_spelling() {
    let project = project(&[("app.py", "teh = 1\n")]);
    for argument in [
        "typos: -vw",
        "codespell: -dw",
        "codespell: --write",
        "flake8: --exit-z",
        "ruff: -ox.txt",
    ] {
        gate(&project, &["--tool-arguments", argument])
            .expect_code(2)
            .expect_text("would change what Lockgate reads");
    }
}

#[test]
fn a_project_that_no_tool_looks_at_is_not_green() {
    let project = project(&[
        ("a/pyproject.toml", "[tool.ruff]\n"),
        ("a/app.py", "x = 1\n"),
        ("b/pyproject.toml", ""),
        ("b/app.py", "x = 1\n"),
    ]);
    gate(&project, &["--tools", "auto", "--projects", "*"])
        .expect_code(2)
        .expect_text("project `b`");
}
