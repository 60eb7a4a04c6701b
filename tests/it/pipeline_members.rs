//! Stages for each member of a workspace, whose lock uv itself has made; and the output `affected`.

use std::sync::OnceLock;

use serde_json::{Value, json};

use crate::support::lockgate::{Project, Run};
use crate::support::tools::tool;

/// A workspace in which `api` depends on `core`, and `web` on nobody.
fn workspace(stages: &str) -> Project {
    // Stages are none of the lock's: uv makes it once.
    static LOCK: OnceLock<Vec<u8>> = OnceLock::new();
    let project = Project::empty();
    let cache = project.beside("cache").display().to_string();
    let project = project.with("LOCKGATE_CACHE_DIR", &cache);
    project.write(
        "pyproject.toml",
        format!(
            "[tool.uv.workspace]\nmembers = [\"packages/*\"]\n[tool.uv.sources]\ncore = {{ workspace = true }}\n{stages}"
        ),
    );
    for (name, needs) in [("core", ""), ("api", "\"core\""), ("web", "")] {
        project
            .write(
                &format!("packages/{name}/pyproject.toml"),
                format!(
                    "[project]\nname = \"{name}\"\nversion = \"1.0\"\nrequires-python = \">=3.11\"\ndependencies = [{needs}]\n"
                ),
            )
            .write(&format!("packages/{name}/{name}.py"), "x = 1\n");
    }
    project.write(".gitignore", "ran\n");
    let lock = LOCK.get_or_init(|| {
        let output = std::process::Command::new(tool("uv"))
            .args(["lock", "--offline", "--no-config", "--no-python-downloads"])
            .current_dir(project.path())
            .output()
            .expect("uv");
        assert!(output.status.success(), "{output:?}");
        std::fs::read(project.path().join("uv.lock")).expect("a lock")
    });
    project.write("uv.lock", lock);
    project.git(&["init", "--quiet", "--initial-branch=main"]);
    project.commit("the workspace");
    project
}

const STAGES: &str = r#"
    [tool.lockgate.pipeline.stages.build]
    members = ["packages/*", "!packages/web"]
    run = ["sh", "-c", "pwd | sed 's,.*/,,' > built; echo build $0 >> ../../ran", "${{ member.name }}"]
    outputs = { it = "built" }
    [tool.lockgate.pipeline.stages.test]
    members = true
    inputs = ["**/*.py"]
    run = 'echo "test $NAME $AT" >> ../../ran'
    env = { NAME = "${{ member.name }}", AT = "${{ member.path }}" }
"#;

fn ran(project: &Project) -> Vec<String> {
    let path = project.path().join("ran");
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    let _ = std::fs::remove_file(path);
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

fn affected(run: &Run) -> Value {
    let document = run.json();
    let stages = document["stages"].as_array().expect("stages").clone();
    stages
        .into_iter()
        .filter(|stage| stage["runs"] == true)
        .map(|stage| stage["name"].clone())
        .collect()
}

#[test]
fn a_stage_runs_for_each_member_in_its_folder() {
    let project = workspace(STAGES);
    let run = project.run(&["pipeline"]);
    run.expect_code(0);
    assert_eq!(
        ran(&project),
        [
            "build api",
            "build core",
            "test api packages/api",
            "test core packages/core",
            "test web packages/web"
        ]
    );
    let built = std::fs::read_to_string(project.path().join("packages/api/built"));
    assert_eq!(built.expect("what was built"), "api\n");
    // What a member depends on counts for it, and nothing else does.
    project.write("packages/core/core.py", "x = 2\n");
    project
        .run(&["pipeline", "run", "--only", "test"])
        .expect_code(0);
    assert_eq!(
        ran(&project),
        ["test api packages/api", "test core packages/core"]
    );
    project
        .run(&["pipeline", "run", "--only", "test"])
        .expect_code(0);
    assert_eq!(ran(&project), [""; 0]);
}

#[test]
fn changed_files_concern_members_and_those_that_depend_on_them() {
    let project = workspace(STAGES);
    let plan = |arguments: &[&str]| {
        project.run(
            &[
                &["pipeline", "plan", "--affected", "--output-format=json"],
                arguments,
            ]
            .concat(),
        )
    };
    for (file, expected) in [
        ("packages/web/web.py", json!(["test (web)"])),
        (
            "packages/core/core.py",
            json!(["build (api)", "build (core)", "test (api)", "test (core)"]),
        ),
        ("packages/api/notes.txt", json!(["build (api)"])),
        ("README.md", json!(["build (api)", "build (core)"])),
        ("packages/web/notes.txt", json!([])),
    ] {
        let before = project.git(&["rev-parse", "HEAD"]);
        project.append(file, "# changed\n");
        project.commit("a change");
        let run = plan(&["--base", &before]);
        run.expect_code(0);
        assert_eq!(affected(&run), expected, "{file}");
    }
}

#[test]
fn a_workflow_gets_the_affected_stages_for_its_matrix() {
    let project = workspace(STAGES);
    let before = project.git(&["rev-parse", "HEAD"]);
    project.append("packages/web/web.py", "# changed\n");
    project.commit("a change");
    let project = project.in_workflow("push", &json!({"before": before}));
    for arguments in [
        &["pipeline", "plan"][..],
        &["pipeline", "plan", "--affected"],
    ] {
        let _ = std::fs::remove_file(project.path().join("../temp/output"));
        project.run(arguments).expect_code(0);
        let output = project.temp_file("output");
        assert!(
            output.contains("[\"test (web)\"]"),
            "{arguments:?}: {output}"
        );
    }
    let _ = std::fs::remove_file(project.path().join("../temp/output"));
    project
        .run(&["pipeline", "run", "--until", "test (web)"])
        .expect_code(0);
    assert_eq!(ran(&project), ["test web packages/web"]);
    assert!(project.temp_file("output").contains("[\"test (web)\"]"));
    // Nothing is fetched for it: what is not at hand is not told.
    let project = project.in_workflow("push", &json!({"before": "1".repeat(40)}));
    let _ = std::fs::remove_file(project.path().join("../temp/output"));
    project.run(&["pipeline", "plan"]).expect_code(0);
    assert!(!project.temp_file("output").contains("test (web)"));
}

#[test]
fn mistakes_about_members_have_their_place() {
    for (stages, expected) in [
        (
            "a = { run = \"x\", members = [\"apps/*\"] }",
            "no folder of a member matches `apps/*`",
        ),
        (
            "a = { run = \"x\", members = 3 }",
            "`members` must be true, or patterns of folders",
        ),
        (
            "a = { run = [\"x\", \"${{ member.name }}\"] }",
            "write `members = true`",
        ),
        (
            "a = { run = [\"x\", \"${{ member.version }}\"], members = true }",
            "a member has `member.name` and `member.path`",
        ),
    ] {
        let project = workspace(&format!("[tool.lockgate.pipeline.stages]\n{stages}\n"));
        project
            .run(&["pipeline", "check"])
            .expect_code(2)
            .expect_text(expected)
            .expect_text("pyproject.toml:");
    }
    let project = workspace(STAGES);
    std::fs::remove_file(project.path().join("uv.lock")).expect("removed");
    project
        .run(&["pipeline", "check"])
        .expect_code(2)
        .expect_text("there is no `uv.lock`")
        .expect_text("uv lock");
}
