//! `--update-ignores`: what is found is ignored for a reason until a day, in the file as its owner wrote it.

use crate::support::lockgate::{Project, Run};

/// Two packages, one of them without a hash; an index that nothing declares is in the default.
fn lock(package: &str) -> String {
    format!(
        "version = 1\nrevision = 3\nrequires-python = \">=3.11\"\n\n[[package]]\nname = \"{package}\"\nversion = \"1.17.0\"\nsource = {{ registry = \"https://index.example/simple\" }}\nsdist = {{ url = \"https://files.example/{package}-1.17.0.tar.gz\", size = 34031 }}\nwheels = [\n    {{ url = \"https://files.example/{package}-1.17.0-py3-none-any.whl\", hash = \"sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274\", size = 11050 }},\n]\n"
    )
}

const CONFIG: &str = r#"# ours
[project]
name = "app"   # the name

[tool.lockgate.lockfile-verify]
# why these
rules = ["source-not-declared off", "sync-unverifiable off"]
ignore = [
    "lockgate:hash-weak:old until 2020-01-01: long ago", # ran out
    # the mirror
    "lockgate:hash-missing:gone until 2999-01-01: nothing has it",
]
strict = false # not yet
"#;

fn update(project: &Project, more: &[&str]) -> Run {
    let mut arguments = vec![
        "lockfile-verify",
        "--update-ignores",
        "--reason=our mirror: no hashes",
        "--until=2999-12-31",
    ];
    arguments.extend(more);
    project.run(&arguments)
}

fn read(project: &Project, file: &str) -> String {
    std::fs::read_to_string(project.path().join(file)).unwrap()
}

#[test]
fn what_is_found_is_ignored_and_what_is_over_goes() {
    let project = Project::empty();
    project.write("pyproject.toml", CONFIG);
    project.write("a/uv.lock", lock("six"));
    project.run(&["lockfile-verify"]).expect_code(1);
    let run = update(&project, &[]);
    run.expect_code(0)
        .expect_text("written to `pyproject.toml`; 1 ran out and 1 covered nothing");
    let text = read(&project, "pyproject.toml");
    let entry =
        "    \"lockgate:hash-missing:six a/uv.lock until 2999-12-31: our mirror: no hashes\",\n";
    assert!(text.contains(entry), "{text}");
    for kept in [
        "# ours\n",
        "name = \"app\"   # the name\n",
        "# why these\nrules = [\"source-not-declared off\"",
        "strict = false # not yet\n",
    ] {
        assert!(text.contains(kept), "{kept}\n{text}");
    }
    assert!(
        !text.contains("hash-weak:old") && !text.contains("hash-missing:gone"),
        "{text}"
    );
    project.run(&["lockfile-verify"]).expect_code(0);

    // Once more there is nothing to do.
    update(&project, &[])
        .expect_code(0)
        .expect_text("the ignores are up to date");
    assert_eq!(read(&project, "pyproject.toml"), text);

    // A run that looks at a part takes nothing out.
    project.write("b/uv.lock", lock("tqdm"));
    update(&project, &["b"]).expect_code(0);
    let both = read(&project, "pyproject.toml");
    assert!(
        both.contains(entry) && both.contains("hash-missing:tqdm b/uv.lock"),
        "{both}"
    );
    project.run(&["lockfile-verify"]).expect_code(0);

    // What was mended needs no ignore.
    std::fs::remove_file(project.path().join("b/uv.lock")).unwrap();
    update(&project, &[]).expect_code(0);
    assert_eq!(read(&project, "pyproject.toml"), text);
}

#[test]
fn the_file_is_the_one_that_configures() {
    let project = Project::empty();
    project.write("uv.lock", lock("six"));
    project.write("lockgate.yaml", "# ours\nlockfile-verify:\n  # all of it\n  fail-on: warning # strict\nlint-gate:\n  tools: [ruff]\n");
    update(&project, &[])
        .expect_code(0)
        .expect_text("written to `lockgate.yaml`");
    let text = read(&project, "lockgate.yaml");
    assert!(
        text.starts_with("# ours\nlockfile-verify:\n  ignore:\n    - 'lockgate:"),
        "{text}"
    );
    assert!(
        text.ends_with("  # all of it\n  fail-on: warning # strict\nlint-gate:\n  tools: [ruff]\n"),
        "{text}"
    );
    project.run(&["lockfile-verify"]).expect_code(0);

    // A list in one line is left to its owner.
    let flow = "lockfile-verify: {fail-on: warning}\n";
    project.write("lockgate.yaml", flow);
    update(&project, &[])
        .expect_code(2)
        .expect_text("`lockgate.yaml` is written so that `ignore` cannot be changed")
        .expect_text("hint: ");
    assert_eq!(read(&project, "lockgate.yaml"), flow);

    // Where there is none it is made.
    std::fs::remove_file(project.path().join("lockgate.yaml")).unwrap();
    update(&project, &[]).expect_code(0);
    project.run(&["lockfile-verify"]).expect_code(0);
    assert!(read(&project, "lockgate.yaml").starts_with("lockfile-verify:\n  ignore:\n"));
}

#[test]
fn a_reason_and_a_day_are_needed_and_nothing_is_ignored_unseen() {
    let project = Project::empty();
    project.write("pyproject.toml", CONFIG);
    project.write("uv.lock", lock("six"));
    for (arguments, message) in [
        (&["--update-ignores"][..], "needs `--reason`"),
        (
            &["--update-ignores", "--reason= ", "--until=2999-01-01"],
            "--reason",
        ),
        (&["--update-ignores", "--reason=x"], "needs `--until`"),
        (
            &["--update-ignores", "--reason=x", "--until=soon"],
            "`--until`: `soon` is no date",
        ),
        (
            &["--update-ignores", "--reason=x", "--until=2020-01-01"],
            "`--until`: `2020-01-01` is over",
        ),
        (
            &["--update-ignores", "--reason=x\ny", "--until=2999-01-01"],
            "one line",
        ),
        (
            &[
                "--update-ignores",
                "--reason=x",
                "--until=2999-01-01",
                "--fix",
            ],
            "excludes `--fix`",
        ),
        (
            &[
                "--update-ignores",
                "--reason=x",
                "--until=2999-01-01",
                "--ignore=lockgate until 2999-01-01: all",
            ],
            "another list is given",
        ),
        (&["--reason=x"], "`--reason` goes with `--update-ignores`"),
    ] {
        let mut all = vec!["lockfile-verify"];
        all.extend(arguments);
        project.run(&all).expect_code(2).expect_text(message);
    }
    // What could not be looked at gives no verdict, and no ignores either.
    std::fs::write(
        project.path().join("pyproject.toml"),
        CONFIG.replace("\"sync-unverifiable off\"", "\"conflict-marker off\""),
    )
    .unwrap();
    project.write("uv.lock", "version = 1\n<<<<<<< HEAD\n");
    let before = read(&project, "pyproject.toml");
    update(&project, &[]).expect_code(3);
    assert_eq!(read(&project, "pyproject.toml"), before);
}
