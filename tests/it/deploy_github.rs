//! `deploy` in a workflow: what GitHub shows agrees with the journal, whatever becomes of the job. All that is asked and answered
//! here is held against GitHub's own description.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::github::{GitHub, SHA, TOKEN};
use crate::support::host_runner::signal;
use crate::support::lockgate::{BINARY, Project};

/// A project that deploys `dist/a.txt` by copying it; a content `broken` is not well.
pub(crate) fn project(lines: &str) -> Project {
    let project = Project::empty();
    project.write("dist/a.txt", "one");
    project.write(
        "pyproject.toml",
        format!(
            "[tool.lockgate.deploy.environments.prod]\ntarget = {{ local = {{ directory = 'site' }} }}\nartifacts = ['dist/*.txt']\nproduction = true\nurl = 'https://notes.example'\nhealth = {{ command = ['sh', '-c', 'sleep 0.1; ! grep broken site/current/a.txt'], successes = 2, interval = '10ms', timeout = '2s' }}\ngates = {{ artifact = false, lockfile = false{lines} }}\n"
        ),
    );
    project
}

/// The step in the job of a run.
pub(crate) fn command(project: &Project, github: &GitHub, run: u64, operation: &str) -> Command {
    let temp = project.beside("temp");
    let mut command = Command::new(BINARY);
    command
        .args(["deploy", operation, "--output-format=json"])
        .current_dir(project.path())
        .env_clear()
        .envs([
            ("PATH", std::env::var("PATH").expect("a PATH")),
            ("GITHUB_ACTIONS", "true".to_owned()),
            ("GITHUB_API_URL", github.url()),
            ("GITHUB_SERVER_URL", "https://github.example".to_owned()),
            ("GITHUB_REPOSITORY", "acme/app".to_owned()),
            ("GITHUB_SHA", SHA.to_owned()),
            ("GITHUB_RUN_ID", run.to_string()),
            ("GITHUB_RUN_ATTEMPT", "1".to_owned()),
            ("GITHUB_JOB", "deploy".to_owned()),
            ("GITHUB_ACTOR", "octocat".to_owned()),
            ("GITHUB_EVENT_NAME", "push".to_owned()),
            ("GITHUB_WORKSPACE", project.path().display().to_string()),
            ("RUNNER_TEMP", temp.display().to_string()),
            ("INPUT_TOKEN", TOKEN.to_owned()),
        ]);
    command
}

struct Done {
    code: Option<i32>,
    text: String,
    report: Value,
}

fn deploy(project: &Project, github: &GitHub, run: u64, operation: &str) -> Done {
    let output = command(project, github, run, operation)
        .output()
        .expect("the binary");
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    Done {
        code: output.status.code(),
        report: serde_json::from_str(&out).unwrap_or_default(),
        text: format!("{out}{}", String::from_utf8_lossy(&output.stderr)),
    }
}

fn output<'r>(done: &'r Done, name: &str) -> &'r str {
    done.report["outputs"][name].as_str().unwrap_or_default()
}

/// What was told of each deployment, oldest first: its task and its states, newest first.
fn told(github: &GitHub) -> Vec<(String, Vec<String>)> {
    let all = github.deployments("prod").into_iter();
    all.map(|one| {
        let task = one.deployment["task"].as_str().unwrap_or_default();
        (task.to_owned(), one.states)
    })
    .collect()
}

#[test]
fn what_github_shows_is_what_was_done() {
    let (project, github) = (project(""), GitHub::watched());
    let first = deploy(&project, &github, 1, "run");
    assert_eq!(first.code, Some(0), "{}", first.text);
    let mut lines = first.text.lines();
    // The runner alone is told it, so that it hides it too.
    let shown = lines.find(|line| line.contains(TOKEN) && !line.starts_with("::add-mask::"));
    assert_eq!(shown, None, "{}", first.text);
    let recorded = github.deployments("prod");
    let [one] = &*recorded else {
        panic!("{recorded:?}")
    };
    assert_eq!(one.states, ["success", "in_progress", "queued"]);
    assert_eq!(output(&first, "deployment-id"), one.id.to_string());
    assert_eq!(one.statuses[0]["environment_url"], "https://notes.example");
    assert_eq!(
        one.statuses[0]["log_url"],
        "https://github.example/acme/app/actions/runs/1/attempts/1"
    );
    let payload = &one.deployment["payload"];
    assert_eq!(
        payload["release"]["digest"].as_str(),
        Some(output(&first, "digest"))
    );

    project.write("dist/a.txt", "broken");
    let second = deploy(&project, &github, 2, "run");
    assert_eq!(second.code, Some(1), "{}", second.text);
    assert_eq!(output(&second, "state"), "rolled-back");
    let expected = [
        (
            "deploy",
            vec!["inactive", "success", "in_progress", "queued"],
        ),
        ("deploy", vec!["failure", "in_progress", "queued"]),
        ("rollback", vec!["success"]),
    ];
    let expected = expected.map(|(task, states)| {
        let states = states.into_iter().map(str::to_owned);
        (task.to_owned(), states.collect::<Vec<_>>())
    });
    assert_eq!(told(&github), expected);
}

#[test]
fn a_token_that_only_reads_records_nothing_and_says_so() {
    let (project, github) = (project(""), GitHub::watched());
    github.set(&json!({"access": "read"}));
    let done = deploy(&project, &github, 1, "run");
    assert_eq!(done.code, Some(0), "{}", done.text);
    assert_eq!(done.report["findings"][0]["rule"], "not-recorded");
    assert_eq!(output(&done, "state"), "success");
    assert!(github.deployments("prod").is_empty());
}

#[test]
fn checks_of_the_commit_count_but_for_our_own() {
    let (project, github) = (
        project(", contexts = true, contexts-wait = '50ms'"),
        GitHub::watched(),
    );
    let check = |id: u64, name: &str, status: &str, conclusion: Value| {
        let url = format!("https://github.example/acme/app/actions/runs/2/job/{id}");
        json!({"id": id, "name": name, "status": status, "conclusion": conclusion, "details_url": url})
    };
    let own = check(1, "deploy", "in_progress", Value::Null);
    github.set(&json!({"checks": {SHA: [own, check(2, "test", "completed", json!("failure"))]}}));
    let done = deploy(&project, &github, 1, "run");
    assert_eq!(done.code, Some(1), "{}", done.text);
    assert!(
        done.text.contains("contexts: `test` (failure)"),
        "{}",
        done.text
    );
    let own = check(1, "deploy", "in_progress", Value::Null);
    github.set(&json!({"checks": {SHA: [own, check(2, "test", "completed", json!("success"))]}}));
    let done = deploy(&project, &github, 2, "run");
    assert_eq!(done.code, Some(0), "{}", done.text);
    assert_eq!(github.deployments("prod").len(), 1);
}

fn start(project: &Project, github: &GitHub, run: u64) -> Child {
    command(project, github, run, "run")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary")
}

/// How many moments are tried; more with `LOCKGATE_CAMPAIGN`.
fn cases() -> u32 {
    let number = std::env::var("LOCKGATE_CAMPAIGN").ok();
    number.and_then(|number| number.parse().ok()).unwrap_or(5)
}

/// No deployment is open, and the service says of each what the journal says.
fn expect_closed(project: &Project, github: &GitHub, what: &str) {
    let journal = project.beside("temp").join("lockgate/deploy/prod.jsonl");
    let text = std::fs::read_to_string(journal).unwrap_or_default();
    let entries: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("an entry"))
        .collect();
    for one in github.deployments("prod") {
        let is_final = ["success", "failure", "error", "inactive"].contains(&one.state());
        assert!(is_final, "{what}: {one:?}");
        let run = one.deployment["payload"]["run_id"]
            .as_u64()
            .expect("a run")
            .to_string();
        let last = entries
            .iter()
            .filter(|entry| entry["run"]["id"] == run.as_str())
            .map(|entry| entry["deployment"].clone())
            .next_back();
        let ended = entries
            .iter()
            .rfind(|entry| Some(&entry["deployment"]) == last.as_ref());
        let ended = ended
            .and_then(|entry| entry["event"].as_str())
            .expect("an end");
        let is_success = one.states.iter().any(|state| state == "success");
        assert_eq!(is_success, ended == "success", "{what}: {one:?} {ended}");
    }
}

#[test]
fn a_job_that_is_cancelled_or_killed_leaves_nothing_open() {
    let (project, github) = (project(""), GitHub::watched());
    let began = Instant::now();
    assert_eq!(deploy(&project, &github, 1, "run").code, Some(0));
    let whole = began.elapsed();
    let mut slowest = Duration::ZERO;
    for number in 0..cases() {
        let run = u64::from(number) + 2;
        project.write("dist/a.txt", format!("{number}"));
        let moment = whole.mul_f64((f64::from(number) + 0.5) / f64::from(cases()));
        let mut child = start(&project, &github, run);
        std::thread::sleep(moment);
        if number % 2 == 0 {
            let asked = Instant::now();
            signal("INT", child.id());
            child.wait().expect("an end");
            slowest = slowest.max(asked.elapsed());
        } else {
            child.kill().expect("a kill");
            child.wait().expect("an end");
        }
        let done = deploy(&project, &github, run, "finalize");
        assert_eq!(done.code, Some(0), "{moment:?} {}", done.text);
        expect_closed(&project, &github, &format!("{moment:?}"));
    }
    tell(&format!(
        "{} ends; the slowest after a signal took {slowest:?}",
        cases()
    ));
}

#[expect(clippy::print_stderr, reason = "the figures of a campaign")]
fn tell(figures: &str) {
    eprintln!("{figures}");
}

/// A deployment that GitHub has in progress.
fn open(project: &Project, github: &GitHub, run: u64) -> Child {
    let mut child = start(project, github, run);
    let is_open = |one: &crate::support::github::Recorded| one.state() == "in_progress";
    while !github.deployments("prod").iter().any(is_open) {
        std::thread::sleep(Duration::from_millis(5));
        let end = child.try_wait().expect("a child");
        assert!(end.is_none(), "it was too fast");
    }
    child
}

/// Kills a deployment while GitHub has it in progress.
fn kill_open(project: &Project, github: &GitHub, run: u64) {
    let mut child = open(project, github, run);
    child.kill().expect("a kill");
    child.wait().expect("an end");
}

#[test]
fn a_journal_that_was_changed_keeps_nobody_at_work_and_nothing_open() {
    let (project, github) = (project(""), GitHub::start());
    // Asked for its health until it is too late.
    project.write("dist/a.txt", "broken");
    let mut child = open(&project, &github, 7);
    let journal = project.beside("temp").join("lockgate/deploy/prod.jsonl");
    let text = std::fs::read_to_string(&journal).expect("a journal");
    let changed = text.replacen("\"gated\"", "\"gatec\"", 1);
    std::fs::write(&journal, &changed).expect("a journal");
    let done = deploy(&project, &github, 7, "finalize");
    assert_eq!(done.code, Some(3), "{}", done.text);
    assert!(done.text.contains("line 2 of the journal"), "{}", done.text);
    assert!(child.try_wait().expect("a child").is_some(), "it goes on");
    github.set(
        &json!({"runs": {"7": {"status": "completed", "conclusion": "failure", "run_attempt": 1}}}),
    );
    let done = deploy(&project, &github, 8, "sweep");
    assert_eq!(done.code, Some(3), "{}", done.text);
    assert!(done.text.contains("line 2 of the journal"), "{}", done.text);
    assert_ne!(github.deployments("prod")[0].state(), "in_progress");
}

#[test]
fn what_was_never_begun_is_told_as_nothing_touched() {
    let (project, github) = (project(""), GitHub::start());
    github
        .fail(&json!([{"at": "POST deployments", "kind": "status", "status": 500, "times": 100}]));
    let summary = project.beside("summary").join("summary.md");
    std::fs::write(&summary, "").expect("a summary");
    let status = command(&project, &github, 1, "run")
        .env("GITHUB_STEP_SUMMARY", &summary)
        .stdout(std::process::Stdio::null())
        .status();
    assert_eq!(status.expect("the binary").code(), Some(3));
    let told = std::fs::read_to_string(&summary).expect("a summary");
    assert!(told.contains("nothing was touched"), "{told}");
    assert!(!project.path().join("site/current").exists());
}

#[test]
fn an_end_that_github_may_not_know_is_no_success() {
    let (project, github) = (project(""), GitHub::start());
    kill_open(&project, &github, 7);
    let down = json!({"at": "GET statuses", "kind": "status", "status": 500, "times": 100});
    github.fail(&json!([down]));
    let done = deploy(&project, &github, 7, "finalize");
    assert_eq!(done.code, Some(3), "{}", done.text);
    assert_eq!(done.report["findings"][0]["rule"], "no-verdict");
    assert!(done.text.contains("lockgate deploy sweep"), "{}", done.text);
    assert_eq!(github.deployments("prod")[0].state(), "in_progress");
    let denied = json!({"message": "Resource not accessible by integration"});
    let denied = json!({"at": "GET statuses", "kind": "status", "status": 403, "body": denied});
    github.fail(&json!([denied]));
    let done = deploy(&project, &github, 7, "finalize");
    assert_eq!(done.code, Some(0), "{}", done.text);
    assert_eq!(done.report["findings"][0]["rule"], "not-recorded");
    github.fail(&json!([]));
    let done = deploy(&project, &github, 7, "finalize");
    assert_eq!(done.code, Some(0), "{}", done.text);
    assert_eq!(github.deployments("prod")[0].state(), "failure");
}

#[test]
fn what_a_lost_machine_leaves_is_swept_by_another() {
    let (project, github) = (project(""), GitHub::watched());
    let journal = project.beside("temp").join("lockgate");
    kill_open(&project, &github, 7);
    // The machine has gone with all that it had.
    remove(&journal);
    github.set(&json!({"runs": {"7": {"status": "in_progress", "run_attempt": 1}}}));
    assert_eq!(deploy(&project, &github, 8, "sweep").code, Some(0));
    assert_eq!(github.deployments("prod")[0].state(), "in_progress");
    let denied = json!({"message": "Resource not accessible by integration"});
    let denied = json!({"at": "GET run", "kind": "status", "status": 403, "body": denied});
    github.fail(&json!([denied]));
    let done = deploy(&project, &github, 8, "sweep");
    assert_eq!(done.code, Some(3), "{}", done.text);
    let finding = &done.report["findings"][0];
    assert_eq!(finding["help"], "give the job `permissions: actions: read`");
    assert_eq!(github.deployments("prod")[0].state(), "in_progress");
    github.set(
        &json!({"runs": {"7": {"status": "completed", "conclusion": "failure", "run_attempt": 1}}}),
    );
    let done = deploy(&project, &github, 8, "sweep");
    assert_eq!(done.code, Some(0), "{}", done.text);
    assert_eq!(github.deployments("prod")[0].state(), "error");
}

#[test]
fn whoever_watches_sees_what_contradicts_the_description() {
    let (project, github) = (project(""), GitHub::watched());
    let wrong = json!({"id": 1, "state": "cancelled"});
    github.fail(&json!([{"at": "POST statuses", "kind": "garbage", "body": wrong, "times": 2}]));
    deploy(&project, &github, 1, "run");
    let violations = github.violations();
    assert!(!violations.is_empty());
    assert!(
        violations[0].starts_with("POST /repos/acme/app/deployments/"),
        "{violations:?}"
    );
}

fn remove(folder: &Path) {
    std::fs::remove_dir_all(folder).expect("a folder");
}
