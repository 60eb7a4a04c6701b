//! Pins of workflows beside what the repositories of the actions say: a real git server on the loopback address.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::git_server::GitServer;
use crate::support::lockgate::{Project, Run};

/// A repository as an action's author has it, and what its commits are.
struct Author {
    project: Project,
    /// The commit of the annotated tag `v1.0.0`.
    first: String,
    /// The object of that tag.
    tag: String,
    /// The commit of `v1` and `v1.1.0`.
    second: String,
    /// A commit between `v1.1.0` and the tip.
    between: String,
    /// The tip of `main`.
    tip: String,
    /// A commit that only a proposal has: somebody's fork.
    fork: String,
}

impl Author {
    /// Makes the repository at `acme/tool` below [`Author::root`].
    fn new() -> Self {
        let project = Project::empty();
        project.git(&["init", "--quiet", "--initial-branch=main"]);
        let first = project.commit("one");
        project.git(&["tag", "--annotate", "--message=one", "v1.0.0"]);
        let tag = project.git(&["rev-parse", "v1.0.0"]);
        let second = project.commit("two");
        project.git(&["tag", "v1.1.0"]);
        project.git(&["tag", "v1"]);
        let between = project.commit("two and a half");
        let tip = project.commit("three");
        let fork = project.commit("from a fork");
        project.git(&["update-ref", "refs/pull/1/head", &fork]);
        project.git(&["reset", "--quiet", "--hard", &tip]);
        let author = Self {
            project,
            first,
            tag,
            second,
            between,
            tip,
            fork,
        };
        let target = author.root().join("acme/tool");
        let from = author.project.path().display().to_string();
        let to = target.display().to_string();
        author
            .project
            .git(&["clone", "--quiet", "--mirror", &from, &to]);
        // As GitHub does.
        for key in ["uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant"] {
            author.project.git(&["-C", &to, "config", key, "true"]);
        }
        author
    }

    fn root(&self) -> PathBuf {
        self.project.beside("server")
    }
}

/// A project that knows this server, and keeps what it verified for itself.
fn project(server: &str) -> Project {
    let project = Project::empty();
    let cache = project.beside("cache").display().to_string();
    project
        .with("LOCKGATE_CACHE_DIR", &cache)
        .with("GITHUB_SERVER_URL", server)
}

fn workflow(uses: &[String]) -> String {
    let steps: Vec<String> = uses
        .iter()
        .map(|uses| format!("      - uses: {uses}\n"))
        .collect();
    format!(
        "on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n{}",
        steps.concat()
    )
}

fn check(project: &Project, uses: &[String], more: &[&str]) -> Run {
    project.write(".github/workflows/ci.yml", workflow(uses));
    let mut arguments = vec!["lockfile-verify", "--allow-empty", "--output-format=json"];
    arguments.extend(more);
    project.run(&arguments)
}

const ASK: &[&str] = &["--action-check"];

/// Rule, severity and line of each finding.
fn found(run: &Run) -> Vec<(String, String, u64)> {
    let report = run.json();
    let findings = report["findings"].as_array().expect("findings").iter();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut found: Vec<_> = findings
        .map(|finding| {
            let line = finding["line"].as_u64().unwrap_or_default();
            (text(&finding["rule"]), text(&finding["severity"]), line)
        })
        .collect();
    found.sort_by_key(|one| one.2);
    found
}

#[track_caller]
fn expect_failed(run: &Run, reason: &str) {
    run.expect_code(3);
    let checks = run.json()["checks"].to_string();
    assert!(checks.contains(reason), "no `{reason}` in {checks}");
}

#[test]
fn a_repository_says_what_its_commits_are() {
    let author = Author::new();
    let server = GitServer::open(&author.root());
    let project = project(&server.url());
    let uses: Vec<String> = [
        (&author.first, " # v1.0.0"),
        (&author.second, " # v1"),
        (&author.first, " # v1"),
        (&author.tip, ""),
        (&author.second, " # v1.0.0"),
        (&author.tip, " # v1.1.0"),
        (&author.fork, " # v1.1.0"),
        (&author.fork, ""),
        (&author.tag, " # v1.0.0"),
        (&author.between, ""),
        (&author.between, " # v1"),
        (&author.between, " # v1.1.0"),
        (&author.between, " # v7.0.0"),
    ]
    .map(|(commit, comment)| format!("acme/tool/path@{commit}{comment}"))
    .into();
    let run = check(&project, &uses, ASK);
    run.expect_code(1);
    let error = |line| ("action-commit-wrong".to_owned(), "error".to_owned(), line);
    let warning = |line| {
        (
            "action-commit-unknown".to_owned(),
            "warning".to_owned(),
            line,
        )
    };
    assert_eq!(
        found(&run),
        [
            error(10),
            error(11),
            error(12),
            error(13),
            warning(14),
            error(17),
            warning(18)
        ]
    );
    // The newer protocol, and one question for all pins; another for the history.
    let heads = server.heads();
    let asks: Vec<&String> = heads
        .iter()
        .filter(|head| head.starts_with("GET"))
        .collect();
    assert_eq!(asks.len(), 2, "{heads:?}");
    assert!(
        asks[0].to_lowercase().contains("git-protocol: version=2"),
        "{heads:?}"
    );

    // What was verified is not asked for again, whoever is asleep.
    drop(server);
    check(&project, &uses[..4], ASK).expect_code(0);
    expect_failed(
        &check(&project, &uses[..5], ASK),
        "`acme/tool` cannot be asked",
    );
    // And without being asked to nobody is.
    check(&project, &uses, &[]).expect_code(0);
}

#[test]
fn what_cannot_be_asked_is_no_verdict_and_a_name_leads_nowhere_else() {
    let author = Author::new();
    let server = GitServer::open(&author.root());
    let project = project(&server.url());
    for name in ["acme/none", "acme/..", "-acme/tool", "acme/tool;x"] {
        let uses = [format!("\"{name}@{}\" # v1.0.0", author.first)];
        let reason = format!("`{name}` cannot be asked");
        expect_failed(&check(&project, &uses, ASK), &reason);
    }
    let asked = server.heads().concat();
    assert!(
        asked.contains("/acme/none/") && !asked.contains(".."),
        "{asked}"
    );
    let uses = [format!("acme/tool@{} # v1.0.0", author.first)];
    let plain = project.with("GITHUB_SERVER_URL", "http://git.example");
    check(&plain, &uses, ASK)
        .expect_code(2)
        .expect_text("`GITHUB_SERVER_URL`: `http://git.example` is no `https` address");
}

#[test]
fn a_private_repository_gets_the_token_and_nobody_sees_it() {
    const TOKEN: &str = "ghs_not_a_real_token_0123456789";
    let author = Author::new();
    let server = GitServer::private(&author.root(), TOKEN);
    let project = project(&server.url());
    let uses = [format!("acme/tool@{} # v1.0.0", author.first)];
    expect_failed(&check(&project, &uses, ASK), "cannot be asked");
    let project = project.with("INPUT_TOKEN", TOKEN);
    let run = check(&project, &uses, ASK);
    run.expect_code(0);
    assert!(!run.text().contains(TOKEN));
    assert_eq!(server.processes_with_the_token(), Vec::<String>::new());
    assert!(!is_below(&project.beside("cache"), TOKEN));
}

/// Whether a file below a folder holds a text.
fn is_below(folder: &Path, text: &str) -> bool {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).any(|path| {
        if path.is_dir() {
            return is_below(&path, text);
        }
        std::fs::read(path).is_ok_and(|bytes| String::from_utf8_lossy(&bytes).contains(text))
    })
}

#[test]
fn half_a_change_of_a_pin_is_told_and_what_the_base_has_is_old() {
    let (one, two) = ("1".repeat(40), "2".repeat(40));
    let project = project("");
    project.git(&["init", "--quiet", "--initial-branch=main"]);
    let rules: &[&str] = &[
        "--rules=action-comment error",
        "--rules=action-unpinned error",
        "--base=HEAD",
    ];
    let pins = |first: &str, second: &str| {
        [
            format!("acme/tool@{first}"),
            format!("acme/other@{second}"),
            "acme/old@v1".to_owned(),
        ]
    };
    let before = pins(&format!("{one} # v1.0.0"), &format!("{one} # v2"));
    project.write(".github/workflows/ci.yml", workflow(&before));
    project.commit("the base");
    let news = |run: &Run| -> Vec<(String, u64, bool)> {
        let report = run.json();
        let findings = report["findings"].as_array().expect("findings").iter();
        let mut all: Vec<_> = findings
            .map(|finding| {
                (
                    finding["rule"].as_str().expect("a rule").to_owned(),
                    finding["line"].as_u64().expect("a line"),
                    finding["new"].as_bool().expect("old or new"),
                )
            })
            .collect();
        all.sort_by_key(|one| one.1);
        all
    };
    let unpinned = || ("action-unpinned".to_owned(), 8, false);
    let comment = |line| ("action-comment".to_owned(), line, true);
    // Both halves, and a line of releases that moved on: all as it should be.
    let after = pins(&format!("{two} # v1.1.0"), &format!("{two} # v2"));
    assert_eq!(news(&check(&project, &after, rules)), [unpinned()]);
    // The commit alone, and the comment alone.
    let after = pins(&format!("{two} # v1.0.0"), &format!("{one} # v3"));
    let run = check(&project, &after, rules);
    assert_eq!(news(&run), [comment(6), comment(7), unpinned()]);
    assert!(run.stdout.contains("only the commit was changed"));
    assert!(run.stdout.contains("only the comment was changed"));
}

#[test]
fn a_misspelt_input_of_ours_is_found_without_being_asked_for() {
    let project = project("");
    let step =
        |key: &str, action: &str| format!("{action}\n        with:\n          {key}: warning");
    let ours = "LockGate/lockgate/actions/lint-gate@v1";
    let run = check(&project, &[step("fail-on", ours)], &[]);
    run.expect_code(0);
    assert!(!run.stdout.contains("workflows"), "{}", run.stdout);
    for key in ["Fail-On", "token", "binary-sha256"] {
        check(&project, &[step(key, ours)], &[]).expect_code(0);
    }
    let run = check(&project, &[step("fail-om", ours)], &[]);
    run.expect_code(1).expect_text("write `fail-on`");
    let expected = ("action-input".to_owned(), "error".to_owned(), 8);
    assert_eq!(found(&run), [expected]);
    // What is like nothing may be of another release.
    let run = check(&project, &[step("zzz", ours)], &[]);
    run.expect_code(0);
    assert_eq!(found(&run)[0].1, "warning");
    // Strangers take what they like; a workflow that cannot be read is not ours to judge.
    check(&project, &[step("fail-om", "acme/tool@v1")], &[]).expect_code(0);
    project.write(".github/workflows/broken.yml", "lockgate: {");
    check(&project, &[step("fail-on", ours)], &[]).expect_code(0);
    std::fs::remove_file(project.path().join(".github/workflows/broken.yml")).expect("gone");
    // An action of the repository itself says what it takes.
    project.write(
        "actions/own/action.yml",
        "name: own\ninputs:\n  colour:\n    description: x\nruns:\n  using: composite\n  steps: []\n",
    );
    let local = [step("color", "./actions/own")];
    let run = check(&project, &local, &["--rules=image-unpinned error"]);
    run.expect_code(1).expect_text("write `colour`");
}
