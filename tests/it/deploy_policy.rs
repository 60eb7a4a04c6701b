//! What a proposal says of the gates that judge it: where it asks for less than the base, the base counts.

use serde_json::json;

use crate::support::lockgate::Project;

fn define(project: &Project, name: &str, lines: &str) {
    project.write(
        "pyproject.toml",
        format!(
            "[tool.lockgate.deploy.environments.{name}]\ntarget = {{ local = {{ directory = 'site' }} }}\nartifacts = ['dist/*.txt']\n{lines}\n"
        ),
    );
}

/// A project with this on its base, and that in a proposal which is queued to be merged.
fn proposal(before: &str, name: &str, now: &str) -> Project {
    let project = Project::empty();
    project.git(&["init", "--quiet", "--initial-branch=main"]);
    define(&project, "site", before);
    project.write("dist/a.txt", "one");
    let base = project.commit("base");
    define(&project, name, now);
    let head = project.commit("head");
    let payload =
        json!({"merge_group": {"head_sha": head, "base_sha": base, "base_ref": "refs/heads/main"}});
    project
        .in_workflow("merge_group", &payload)
        .with("GITHUB_SHA", &head)
        .with("GITHUB_ACTOR", "eve")
}

const LOOSE: &str = "gates = { artifact = false, lockfile = false }";

#[test]
fn a_proposal_cannot_turn_off_the_gate_that_refuses_it() {
    let project = proposal("gates = { lockfile = false }", "site", LOOSE);
    for operation in ["plan", "run"] {
        let run = project.run(&["deploy", operation]);
        run.expect_code(1)
            .expect_text("not proven: nothing says that `a.txt` was tested")
            .expect_text("`gates.artifact` is looser here than on the base (false instead of true)")
            .expect_text("policy-changed");
        assert!(!run.text().contains("gates.lockfile"), "{}", run.text());
    }
    assert!(!project.path().join("site").exists());
    // What the base lets pass, passes.
    let project = proposal(LOOSE, "site", LOOSE);
    let run = project.run(&["deploy"]);
    run.expect_code(0);
    assert!(!run.text().contains("policy-changed"), "{}", run.text());
}

#[test]
fn another_name_is_no_way_around_the_base() {
    let project = proposal(LOOSE, "site2", LOOSE);
    project
        .run(&["deploy"])
        .expect_code(1)
        .expect_text("`gates.artifact` is looser")
        .expect_text("`gates.lockfile` is looser");
}

#[test]
fn nobody_makes_himself_one_who_may_take_an_environment() {
    let breaks = |who: &str| format!("{LOOSE}\nlock = {{ break = [{who}] }}");
    let project = proposal(&breaks("'ada'"), "site", &breaks("'ada', 'eve'"));
    project
        .run(&["deploy", "--break-lock"])
        .expect_code(1)
        .expect_text("`eve` may not take the environment")
        .expect_text("`lock.break` is looser here than on the base (eve)");
    let project = proposal(&breaks("'eve'"), "site", &breaks("'eve'"));
    project.run(&["deploy", "--break-lock"]).expect_code(0);
}

#[test]
fn without_its_base_a_proposal_gets_no_verdict() {
    let project = proposal(LOOSE, "site", LOOSE);
    let payload = json!({"merge_group": {"head_sha": "a".repeat(40), "base_sha": "b".repeat(40), "base_ref": "refs/heads/main"}});
    let project = project.in_workflow("merge_group", &payload);
    project.run(&["deploy"]).expect_code(3);
    assert!(!project.path().join("site").exists());
}
