//! What the definition of a proposal may not decide alone: which stages get secrets; and that what it loosens is told.

use serde_json::json;

use crate::support::lockgate::{Project, Run};

const BASE: &str = r#"
[tool.lockgate.pipeline.stages.test]
run = "echo tested"
[tool.lockgate.pipeline.stages.publish]
run = 'echo "publish:${UPLOAD:+has it}"'
secrets = { UPLOAD = { env = "UPLOAD_TOKEN" } }
"#;

const VALUE: &str = "s3cr3t-of-the-index-0123456789";

/// A proposal that changes the definition of the base, in a job that has the secret.
fn proposal(event: &str, base: &str, head: &str) -> Project {
    let project = Project::empty();
    let cache = project.beside("cache").display().to_string();
    let project = project
        .with("LOCKGATE_CACHE_DIR", &cache)
        .with("UPLOAD_TOKEN", VALUE);
    project.git(&["init", "--quiet", "--initial-branch=main"]);
    project.write("pyproject.toml", base);
    let base = project.commit("the base");
    project.write("pyproject.toml", head);
    let head = project.commit("the proposal");
    let payload = match event {
        "merge_group" => json!({"merge_group": {"base_sha": base, "head_sha": head}}),
        _ => json!({"pull_request": {"head": {"sha": head}, "base": {"sha": base}}}),
    };
    project.in_workflow(event, &payload)
}

fn run(project: &Project, more: &[&str]) -> Run {
    project.run(&[&["pipeline", "run", "--output-format=json"], more].concat())
}

/// What the run says of the definition; nothing where it says nothing.
fn policy(run: &Run) -> String {
    let report = run.json();
    let findings = report["findings"].as_array().expect("findings").iter();
    let mut policy = findings.filter(|finding| finding["rule"] == "policy-changed");
    let message = policy.next().map(|finding| {
        assert_eq!(finding["severity"], "warning");
        finding["message"].as_str().expect("a message").to_owned()
    });
    assert!(policy.next().is_none(), "one line: {report:#}");
    message.unwrap_or_default()
}

/// What stages wrote into a file of the project.
fn written(project: &Project, name: &str) -> String {
    std::fs::read_to_string(project.path().join(name)).unwrap_or_default()
}

#[test]
fn a_proposal_that_loosens_nothing_is_told_nothing_and_has_its_secrets() {
    let head = BASE.replace("echo tested", "echo tested more");
    for event in ["pull_request", "merge_group"] {
        let project = proposal(event, BASE, &head);
        let run = run(&project, &[]);
        run.expect_code(0).expect_text("publish:has it");
        assert_eq!(policy(&run), "", "{event}");
    }
}

#[test]
fn what_is_looser_is_told_in_report_summary_and_as_a_warning() {
    let head = BASE.replace("stages.test]", "stages.publish2]");
    let head = head.replace("secrets =", "allow-failure = true\nsecrets =");
    for event in ["pull_request", "merge_group"] {
        let project = proposal(event, BASE, &head);
        let run = run(&project, &[]);
        run.expect_code(0).expect_text("::warning");
        let policy = policy(&run);
        for part in ["`test` is gone", "`publish` may fail"] {
            assert!(policy.contains(part), "{part}: {policy}");
        }
        let summary = project.temp_file("summary");
        assert!(summary.contains("policy-changed"), "{summary}");
    }
    // A branch that was pushed to judges nobody's proposal.
    let pushed = proposal("push", BASE, &head).in_workflow("push", &json!({}));
    assert_eq!(policy(&run(&pushed, &[])), "");
}

#[test]
fn a_file_that_leaves_gates_out_of_the_run_is_told() {
    let head = format!("[tool.lockgate.pipeline]\nonly = [\"publish\"]\n{BASE}");
    let project = proposal("pull_request", BASE, &head);
    let first = run(&project, &[]);
    assert!(
        policy(&first).contains("`only` of the run is another"),
        "{}",
        first.text()
    );
    // The workflow may choose.
    let project = proposal("pull_request", BASE, BASE);
    assert_eq!(policy(&run(&project, &["--only=publish"])), "");
}

/// Ways to get at a secret that the base gives to another command.
const THEFTS: &[&str] = &[
    "run = 'printf %s \"$UPLOAD\" > stolen'\nsecrets = { UPLOAD = { env = \"UPLOAD_TOKEN\" } }",
    "run = 'printf %s \"$UPLOAD_TOKEN\" > stolen'\nenv = [\"UPLOAD_TOKEN\"]",
    "run = 'true'\nsecrets = { X = { command = [\"sh\", \"-c\", \"printf %s $UPLOAD_TOKEN > stolen; echo 12345678\"] } }",
    "run = 'printf %s \"$UPLOAD\" > stolen'\nenv = { A = \"1\" }\nsecrets = { UPLOAD = { command = [\"printenv\", \"UPLOAD_TOKEN\"] } }",
];

#[test]
fn a_secret_goes_to_no_command_that_the_base_does_not_give_it_to() {
    for theft in THEFTS {
        let head = format!("{BASE}\n[tool.lockgate.pipeline.stages.steal]\n{theft}\n");
        let project = proposal("pull_request", BASE, &head);
        let first = run(&project, &[]);
        first.expect_code(0).expect_text("publish:has it");
        assert!(!written(&project, "stolen").contains(VALUE), "{theft}");
        let policy = policy(&first);
        assert!(
            policy.contains("`steal` does not get `"),
            "{theft}: {policy}"
        );
        // Only the workflow can allow it, not the file.
        let own = format!("[tool.lockgate.pipeline]\nallow-new-secrets = true\n{head}");
        let project = proposal("pull_request", BASE, &own);
        run(&project, &[]);
        assert!(!written(&project, "stolen").contains(VALUE), "{theft}");
        run(&project, &["--allow-new-secrets"]).expect_code(0);
        assert_eq!(written(&project, "stolen"), VALUE, "{theft}");
    }
    // Of the same command with another environment around it nothing is the same.
    let head = format!("[tool.lockgate.pipeline]\nenv = {{ PYTHONPATH = \"evil\" }}\n{BASE}");
    let run = run(&proposal("pull_request", BASE, &head), &[]);
    assert!(
        policy(&run).contains("`publish` does not get `UPLOAD`"),
        "{}",
        run.text()
    );
}

#[test]
fn without_a_base_that_can_be_read_nobody_gets_a_secret() {
    let project = proposal("pull_request", BASE, BASE);
    let unknown =
        json!({"pull_request": {"head": {"sha": "1".repeat(40)}, "base": {"sha": "2".repeat(40)}}});
    let project = project.in_workflow("pull_request", &unknown);
    let first = run(&project, &[]);
    first.expect_code(0);
    let told = policy(&first);
    assert!(told.contains("the base cannot be read"), "{told}");
    assert!(told.contains("`publish` does not get `UPLOAD`"), "{told}");
    assert!(!first.text().contains("publish:has it"), "{}", first.text());
    // A base without a definition gives none, and one that is broken neither.
    for base in ["", "[tool.lockgate.pipeline.stages.publish]\nrun = 3\n"] {
        let run = run(&proposal("pull_request", base, BASE), &[]);
        assert!(
            policy(&run).contains("`publish` does not get `UPLOAD`"),
            "{}",
            run.text()
        );
    }
}
