//! Results that jobs share: who believes whose, what never comes from there, and that a fault of the store is none of a
//! stage's. Against a folder, S3 and the cache service.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::pipeline_run::files as files_in;
use crate::support::cache_runs::{TOKEN, with_service};
use crate::support::host_runner::{HostRun, HostRunner};
use crate::support::lockgate::{Project, Run};
use crate::support::peers::{CacheService, cache_service, make_bucket, moto};
use crate::support::tools::tool;

/// Stages that leave a line for each time that they ran.
const STAGES: &str = r#"
    [tool.lockgate.pipeline.stages.build]
    run = "mkdir -p dist; cp a.txt dist/a.whl; echo built; echo build >> ran"
    inputs = ["a.txt"]
    outputs = { wheel = "dist/a.whl" }
    [tool.lockgate.pipeline.stages.test]
    run = "test -f dist/a.whl && echo tested && echo test >> ran"
    needs = ["build"]
    cache = true
"#;

/// A project in a job of this event and ref, on a machine that has nothing of earlier jobs.
struct Jobs {
    folder: tempfile::TempDir,
    machines: usize,
}

impl Jobs {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self {
            folder,
            machines: 0,
        }
    }

    fn store(&self) -> String {
        self.folder.path().join("store").display().to_string()
    }

    fn machine(&mut self) -> PathBuf {
        self.machines += 1;
        self.folder
            .path()
            .join(format!("machine-{}", self.machines))
    }

    /// The same project as a job has it: its checkout and nothing else.
    fn job(&mut self, project: Project, event: &str, git_ref: &str) -> Project {
        for made in ["dist", "ran"] {
            let made = project.path().join(made);
            let _ = std::fs::remove_dir_all(&made);
            let _ = std::fs::remove_file(&made);
        }
        let payload = json!({"repository": {"default_branch": "main"}});
        let _ = std::fs::remove_file(project.path().join("../temp/output"));
        let cache = self.machine().display().to_string();
        project
            .in_workflow(event, &payload)
            .with("GITHUB_REF", git_ref)
            .with("GITHUB_REPOSITORY", "octo-org/octo-repo")
            .with("LOCKGATE_CACHE_DIR", &cache)
    }
}

fn project(stages: &str) -> Project {
    let project = Project::empty();
    project
        .write("pyproject.toml", stages)
        .write("a.txt", "first\n");
    project
}

fn run(project: &Project, more: &[&str]) -> Run {
    project.run(&[&["pipeline", "run", "--output-format=json"], more].concat())
}

/// What became of a stage, and where its result comes from.
fn of(run: &Run, name: &str) -> (String, String) {
    let report = run.json();
    let stages = report["stages"].as_array().expect("stages");
    let stage = stages.iter().find(|stage| stage["name"] == name);
    let stage = stage.unwrap_or_else(|| panic!("no `{name}` in {report:#}"));
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (
        text(stage.get("skipped").unwrap_or(&stage["outcome"])),
        text(&stage["restored-from"]),
    )
}

fn passed() -> (String, String) {
    ("passed".to_owned(), String::new())
}

fn from(store: &str) -> (String, String) {
    ("unchanged".to_owned(), store.to_owned())
}

fn ran(project: &Project) -> String {
    std::fs::read_to_string(project.path().join("ran")).unwrap_or_default()
}

#[test]
fn another_machine_takes_what_the_default_branch_made() {
    let mut jobs = Jobs::new();
    let store = jobs.store();
    let store = ["--shared-store", store.as_str()];
    let mut project = jobs.job(project(STAGES), "push", "refs/heads/main");
    let first = run(&project, &store);
    first
        .expect_code(0)
        .expect_text("2 results saved in the shared store");
    assert_eq!(
        (of(&first, "build"), of(&first, "test")),
        (passed(), passed())
    );

    for (event, git_ref) in [
        ("push", "refs/heads/main"),
        ("schedule", "refs/heads/main"),
        ("push", "refs/heads/topic"),
        ("pull_request", "refs/pull/7/merge"),
        ("merge_group", "refs/heads/gh-readonly-queue/main/pr-7-0"),
    ] {
        project = jobs.job(project, event, git_ref);
        let other = run(&project, &store);
        other.expect_code(0);
        assert_eq!(
            (of(&other, "build"), of(&other, "test")),
            (from("shared"), from("shared")),
            "{event} {git_ref}: {}",
            other.text()
        );
        assert_eq!(ran(&project), "");
        let wheel = std::fs::read_to_string(project.path().join("dist/a.whl"));
        assert_eq!(wheel.expect("the wheel"), "first\n");
        let artifact = other.json()["stages"][0]["artifacts"][0].clone();
        assert_eq!(artifact["source"], "shared", "{artifact}");
        // And on the same machine once more, it is still known to be of others.
        let again = run(&project, &[]);
        assert_eq!(of(&again, "build"), from("shared"));
    }
}

#[test]
fn what_a_proposal_saved_is_read_by_itself_alone() {
    let mut jobs = Jobs::new();
    let store = jobs.store();
    let store = ["--shared-store", store.as_str()];
    let mut project = jobs.job(project(STAGES), "pull_request", "refs/pull/7/merge");
    run(&project, &store)
        .expect_code(0)
        .expect_text("2 results saved in the shared store");
    for (event, git_ref, taken) in [
        ("pull_request", "refs/pull/7/merge", true),
        ("pull_request", "refs/pull/8/merge", false),
        ("push", "refs/heads/topic", false),
        ("push", "refs/heads/main", false),
    ] {
        project = jobs.job(project, event, git_ref);
        let other = run(&project, &store);
        let expected = if taken { from("shared") } else { passed() };
        assert_eq!(of(&other, "build"), expected, "{event} {git_ref}");
    }
    for (event, git_ref) in [
        ("release", "refs/tags/v1"),
        ("push", "refs/tags/v1"),
        ("issue_comment", "refs/heads/main"),
    ] {
        project = jobs.job(project, event, git_ref);
        let other = run(&project, &store);
        other
            .expect_code(0)
            .expect_text("the shared store is not used");
        assert_eq!(of(&other, "build"), passed(), "{event}");
    }
}

#[test]
fn what_is_given_to_others_is_made_here() {
    let mut jobs = Jobs::new();
    let store = jobs.store();
    let store = ["--shared-store", store.as_str()];
    let publish = "[tool.lockgate.pipeline.stages.publish]\nrun = \"true\"\nneeds = [\"build\"]\nsecrets = [\"KEY\"]\n";
    let project = jobs.job(project(STAGES), "push", "refs/heads/main");
    run(&project, &store).expect_code(0);

    let project = project.with("KEY", "not-a-real-key");
    project.write("pyproject.toml", format!("{STAGES}{publish}"));
    let project = jobs.job(project, "push", "refs/heads/main");
    let deployed = run(&project, &store);
    deployed.expect_code(0);
    assert_eq!(of(&deployed, "build"), passed(), "{}", deployed.text());
    assert_eq!(of(&deployed, "test"), from("shared"));
    assert_eq!(ran(&project), "build\n");

    // What is on this machine, but of others, is no more to be believed.
    let project = jobs.job(project, "push", "refs/heads/main");
    run(&project, &[&store[..], &["--until", "test"]].concat()).expect_code(0);
    assert_eq!(ran(&project), "");
    let after = run(&project, &store);
    assert_eq!(of(&after, "build"), passed(), "{}", after.text());
    let twice = run(&project, &store);
    assert_eq!(of(&twice, "build"), from("local"));

    project.write("pyproject.toml", STAGES);
    let project = jobs.job(project, "push", "refs/heads/main");
    let bundle = run(&project, &[&store[..], &["--bundle", "bundle"]].concat());
    bundle.expect_code(0);
    assert_eq!(of(&bundle, "build"), passed());
    let manifest = std::fs::read_to_string(project.path().join("bundle/manifest.json"));
    assert!(!manifest.expect("a manifest").contains("shared"));

    let local = STAGES.replace("inputs =", "cache = \"local\"\ninputs =");
    project
        .write("pyproject.toml", local)
        .write("a.txt", "other\n");
    let project = jobs.job(project, "push", "refs/heads/main");
    run(&project, &store).expect_code(0);
    let project = jobs.job(project, "push", "refs/heads/main");
    let again = run(&project, &store);
    assert_eq!(of(&again, "build"), passed());
    assert_eq!(of(&again, "test"), from("shared"));
}

#[test]
fn only_the_workflow_says_where_results_go() {
    let mut jobs = Jobs::new();
    let store = jobs.store();
    let file = format!("[tool.lockgate.pipeline]\nshared-store = \"{store}\"\n{STAGES}");
    let project = jobs.job(project(&file), "push", "refs/heads/main");
    run(&project, &[]).expect_code(0);
    assert!(!Path::new(&store).exists());
    run(&project, &["--shared-store=off"]).expect_code(0);
    let wrong = run(&project, &["--shared-store", "s4://bucket"]);
    wrong.expect_code(2).expect_text("shared-store");
    assert_eq!(files_in(&project.path().join("dist")).len(), 1);
}

#[test]
fn a_damaged_entry_is_as_if_it_were_not_there() {
    let mut jobs = Jobs::new();
    let store = jobs.store();
    let arguments = ["--shared-store", store.as_str()];
    let mut project = jobs.job(project(STAGES), "push", "refs/heads/main");
    run(&project, &arguments).expect_code(0);
    let archives: Vec<PathBuf> = files_in(Path::new(&store))
        .into_iter()
        .filter(|path| path.components().any(|part| part.as_os_str() == "data"))
        .collect();
    assert_eq!(archives.len(), 2);
    for damage in ["cut", "flip", "empty", "other"] {
        let whole: Vec<Vec<u8>> = archives
            .iter()
            .map(|path| std::fs::read(path).unwrap())
            .collect();
        for (path, other) in archives.iter().zip(whole.iter().rev()) {
            let mut bytes = std::fs::read(path).unwrap();
            match damage {
                "cut" => bytes.truncate(bytes.len() / 2),
                "flip" => {
                    let at = bytes.len() / 2;
                    bytes[at] ^= 0x55;
                }
                "empty" => bytes.clear(),
                _ => bytes.clone_from(other),
            }
            std::fs::write(path, bytes).unwrap();
        }
        project = jobs.job(project, "push", "refs/heads/main");
        let other = run(&project, &arguments);
        other.expect_code(0).expect_text("the shared store: ");
        assert_eq!(of(&other, "build"), passed(), "{damage}: {}", other.text());
        assert_eq!(ran(&project), "build\ntest\n", "{damage}");
        for (path, bytes) in archives.iter().zip(whole) {
            std::fs::write(path, bytes).unwrap();
        }
    }
    let job = jobs.job(project, "push", "refs/heads/main");
    assert_eq!(of(&run(&job, &arguments), "build"), from("shared"));
}

#[test]
fn a_service_that_fails_or_says_nothing_costs_a_line() {
    let service = cache_service();
    let mut jobs = Jobs::new();
    let arguments = ["--shared-store=github"];
    let hurried = ["--shared-store=github", "--shared-store-timeout=1s"];
    let patience = |kind: &str| match kind {
        "stall" => &hurried[..],
        _ => &arguments[..],
    };
    let job = |jobs: &mut Jobs, project: Project| {
        let project = jobs.job(project, "push", "refs/heads/main");
        let variables = service.environment(TOKEN).into_iter();
        variables
            .fold(project, |project, (name, value)| project.with(name, &value))
            .with("GITHUB_SERVER_URL", "https://github.com")
    };
    let fault = |at: &str, kind: &str, more: Value| {
        let mut fault = json!({"at": at, "kind": kind, "times": 99});
        let more = more.as_object().unwrap().clone();
        fault.as_object_mut().unwrap().extend(more);
        service.fail(&json!([fault]));
    };
    let mut project = job(&mut jobs, project(STAGES));
    // Nothing can be looked up, and nothing be saved.
    for (at, kind, more) in [
        ("GetCacheEntryDownloadURL", "status", json!({"status": 500})),
        ("GetCacheEntryDownloadURL", "stall", json!({})),
        ("CreateCacheEntry", "answer", json!({"body": "<html>"})),
        ("PUT", "stall", json!({})),
        ("FinalizeCacheEntryUpload", "reset", json!({})),
    ] {
        fault(at, kind, more);
        // What a fault leaves reserved is nobody's for a day.
        project.write("a.txt", format!("{at} {kind}\n"));
        project = job(&mut jobs, project);
        let other = run(&project, patience(kind));
        other.expect_code(0);
        assert_eq!(ran(&project), "build\ntest\n", "{at} {kind}");
        let text = other.text();
        assert!(text.contains("shared"), "{at} {kind}: {text}");
        assert!(!text.contains(TOKEN), "{at} {kind}: {text}");
    }
    service.fail(&json!([]));
    project.write("a.txt", "second\n");
    project = job(&mut jobs, project);
    run(&project, &arguments)
        .expect_code(0)
        .expect_text("2 results saved in the shared store");
    for (kind, more) in [
        ("status", json!({"status": 404})),
        ("stall", json!({})),
        ("flip", json!({})),
    ] {
        fault("GET", kind, more);
        project = job(&mut jobs, project);
        let other = run(&project, patience(kind));
        other.expect_code(0).expect_text("the shared store: ");
        assert_eq!(ran(&project), "build\ntest\n", "GET {kind}");
    }
    service.fail(&json!([]));
    let project = job(&mut jobs, project);
    let other = run(&project, &arguments);
    assert_eq!(of(&other, "test"), from("shared"), "{}", other.text());
}

#[test]
fn a_token_that_may_only_read_saves_nothing_and_s3_is_a_store_like_any_other() {
    let mut jobs = Jobs::new();
    let service = cache_service();
    let plain = with_service(project(STAGES), &service, "push");
    let reading = jobs
        .job(plain, "push", "refs/heads/main")
        .with("GITHUB_SERVER_URL", "https://github.com")
        .with("ACTIONS_CACHE_MODE", "read");
    let run_of = run(&reading, &["--shared-store=github"]);
    run_of.expect_code(0);
    assert!(!run_of.text().contains("saved"), "{}", run_of.text());
    let calls = service.seen().0;
    assert!(
        !calls.iter().any(|call| call.to_string().contains("Create")),
        "{calls:?}"
    );

    make_bucket("pipeline-results");
    let in_s3 = |project: Project| {
        project
            .with("AWS_ENDPOINT_URL", moto())
            .with("AWS_ACCESS_KEY_ID", "not-real-id")
            .with("AWS_SECRET_ACCESS_KEY", "not-real-secret")
            .with("AWS_REGION", "us-east-1")
    };
    let arguments = ["--shared-store=s3://pipeline-results/of/jobs"];
    let first = in_s3(jobs.job(project(STAGES), "push", "refs/heads/main"));
    run(&first, &arguments)
        .expect_code(0)
        .expect_text("2 results saved");
    let other = jobs.job(first, "pull_request", "refs/pull/7/merge");
    let other = run(&other, &arguments);
    assert_eq!(of(&other, "build"), from("shared"), "{}", other.text());
    assert!(!other.text().contains("not-real-secret"));
}

/// Writes what one sees of the processes above: their variables, and what waits on their standard input. The runner
/// itself knows the tokens.
const LOOK: &str = r#"
import os

def read(path):
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            return (file.read(1 << 20) or b"").replace(b"\0", b"")
    except OSError as error:
        return str(error).encode()

with open("seen", "wb") as seen:
    process = os.getpid()
    while process > 1:
        folder = f"/proc/{process}"
        command = open(f"{folder}/cmdline", "rb").read().replace(b"\0", b" ")
        if b"main.mjs" in command:
            break
        environment = read(f"{folder}/environ")
        seen.write(b"%s: %d\n%s\n" % (command, len(environment), environment))
        if process != os.getpid():
            seen.write(read(f"{folder}/fd/0") + b"\n")
        process = int(open(f"{folder}/stat").read().rsplit(")", 1)[1].split()[1])
"#;

/// One job of the action with the tokens of the runtime, on a machine of its own.
fn action(project: &Project, service: &CacheService, cache: &Path, no_cache: &str) -> HostRun {
    let payload = json!({"repository": {"default_branch": "main"}});
    let runner = HostRunner::action("actions/pipeline", &project.path())
        .event("push", &payload)
        .github("ref", "refs/heads/main")
        .github("repository", "octo-org/octo-repo")
        .github("server_url", "https://github.com")
        .input("no-cache", no_cache)
        .env("LOCKGATE_CACHE_DIR", &cache.display().to_string());
    let variables = service.environment(TOKEN).into_iter();
    variables
        .fold(runner, |runner, (name, value)| runner.runtime(name, &value))
        .run()
}

#[test]
fn the_action_shares_results_and_no_stage_sees_its_tokens() {
    let service = cache_service();
    let project = project(&format!(
        "{STAGES}\n[tool.lockgate.pipeline.stages.look]\nrun = [\"python3\", \"look.py\"]\n"
    ));
    project.write("look.py", LOOK);
    let cache = |name: &str| project.beside(name);
    let first = action(&project, &service, &cache("one"), "");
    first.expect("success");
    first.expect_log("2 results saved in the shared store");
    let seen = std::fs::read(project.path().join("seen")).expect("what was seen");
    let seen = String::from_utf8_lossy(&seen).into_owned();
    let of_node = seen.lines().find(|line| line.contains("main.js"));
    assert!(of_node.is_some_and(|line| line.ends_with(": 0")), "{seen}");
    assert!(!seen.contains(TOKEN), "{seen}");
    assert!(!seen.contains("ACTIONS_RUNTIME"), "{seen}");
    assert!(!first.log().contains(TOKEN));

    for made in ["dist/a.whl", "ran"] {
        std::fs::remove_file(project.path().join(made)).expect("removed");
    }
    let second = action(&project, &service, &cache("two"), "");
    second.expect("success");
    let stages = second.report()["stages"].clone();
    assert_eq!(stages[0]["restored-from"], "shared", "{}", second.log());
    assert!(project.path().join("dist/a.whl").exists());
    assert_eq!(ran(&project), "");
    // An input reaches the binary through every shell.
    action(&project, &service, &cache("two"), "true").expect("success");
    assert_eq!(ran(&project), "build\ntest\n");
}

#[test]
fn what_installers_download_is_shared_and_not_where_something_is_given_away() {
    let mut jobs = Jobs::new();
    let store = jobs.store();
    let store = ["--shared-store", store.as_str()];
    let stages = "[project]\nname = \"app\"\nversion = \"1.0\"\nrequires-python = \">=3.11\"\ndependencies = [\"six==1.17.0\"]\n[tool.lockgate.pipeline.stages.imports]\nrun = [\"python\", \"-c\", \"import six; print(six.__version__)\"]\nvenv = true\n";
    let uv = tool("uv");
    let project = project(stages).with_path_first(uv.parent().expect("a folder"));
    let locked = std::process::Command::new(&uv)
        .args(["lock", "--no-config", "--no-python-downloads"])
        .current_dir(project.path())
        .output()
        .expect("uv");
    assert!(locked.status.success(), "{locked:?}");
    // Each job begins with an empty folder at the same place, as runners have it.
    let cache = project.beside("cache");
    let text = cache.display().to_string();
    let mut job = |project: Project| {
        let _ = std::fs::remove_dir_all(&cache);
        jobs.job(project, "push", "refs/heads/main")
            .with("LOCKGATE_CACHE_DIR", &text)
    };
    let project = job(project);
    run(&project, &store).expect_code(0);

    let unreachable = |project: Project| {
        [
            "HTTPS_PROXY",
            "https_proxy",
            "ALL_PROXY",
            "HTTP_PROXY",
            "http_proxy",
        ]
        .into_iter()
        .fold(project, |project, name| {
            project.with(name, "http://127.0.0.1:9")
        })
        .with("NO_PROXY", "")
        .with("no_proxy", "")
    };
    let project = unreachable(job(project));
    let shared = run(&project, &store);
    shared
        .expect_code(0)
        .expect_text("the downloads of its environment come from the shared store");

    project.append("pyproject.toml", "secrets = [\"KEY\"]\n");
    let project = job(project).with("KEY", "not-a-real-key");
    // Without what jobs share, nothing can be installed here.
    let given_away = run(&project, &store);
    given_away.expect_code(3);
    assert!(!given_away.text().contains("come from the shared store"));
}
