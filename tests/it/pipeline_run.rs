//! `pipeline run` as people run it: contracts, secrets, retries, skips, signals.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::support::lockgate::{Project, Run};

/// A project with this definition and a memory of its own.
fn project(stages: &str) -> Project {
    let project = Project::empty();
    let cache = project.beside("cache").display().to_string();
    let project = project.with("LOCKGATE_CACHE_DIR", &cache);
    project.write(
        "pyproject.toml",
        format!("[tool.lockgate.pipeline]\n{stages}"),
    );
    project
}

fn run(project: &Project) -> Run {
    project.run(&["pipeline"])
}

/// What became of each stage, by the JSON report.
fn outcomes(project: &Project, arguments: &[&str]) -> (i32, Vec<(String, String)>) {
    let mut all = vec!["pipeline", "run", "--output-format=json"];
    all.extend(arguments);
    let run = project.run(&all);
    let report = run.json();
    let stages = report["stages"].as_array().expect("stages").iter();
    let outcomes = stages.map(|stage| {
        let word = |key: &str| stage[key].as_str().unwrap_or_default().to_owned();
        let skipped = word("skipped");
        let outcome = if skipped.is_empty() {
            word("outcome")
        } else {
            skipped
        };
        (word("name"), outcome)
    });
    (run.code, outcomes.collect())
}

fn of<'o>(outcomes: &'o [(String, String)], name: &str) -> &'o str {
    let found = outcomes.iter().find(|(stage, _)| stage == name);
    &found.unwrap_or_else(|| panic!("no stage `{name}`")).1
}

/// The processes whose command line holds a text.
fn processes_with(text: &str) -> Vec<String> {
    let entries = std::fs::read_dir("/proc").expect("/proc").flatten();
    let lines = entries.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    let lines = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " "));
    lines
        .filter(|line| line.contains(text) && !line.contains("lockgate"))
        .collect()
}

#[test]
fn a_consumer_gets_what_was_promised_and_verified() {
    let project = project(
        r#"
        [tool.lockgate.pipeline.stages.build]
        run = "mkdir -p dist && printf wheel > dist/app-1.0.whl"
        outputs = { wheel = "dist/*.whl" }
        [tool.lockgate.pipeline.stages.use]
        needs = ["build"]
        run = ["sha256sum", "${{ stages.build.outputs.wheel }}"]
        [tool.lockgate.pipeline.stages.shell]
        needs = ["build"]
        env = { WHEEL = "${{ stages.build.outputs.wheel }}" }
        run = 'test "$WHEEL" = dist/app-1.0.whl'
        "#,
    );
    run(&project).expect_code(0);
    let report = project
        .run(&["pipeline", "run", "--output-format=json"])
        .json();
    let artifact = &report["stages"][0]["artifacts"][0];
    assert_eq!(artifact["path"], "dist/app-1.0.whl", "{report:#}");
    assert_eq!(artifact["size"], 5);
}

#[test]
fn what_was_promised_and_is_missing_fails_its_stage() {
    let project = project(
        r#"
        [tool.lockgate.pipeline.stages.build]
        run = "true"
        outputs = { wheel = "dist/*.whl" }
        [tool.lockgate.pipeline.stages.use]
        needs = ["build"]
        run = "echo never"
        "#,
    );
    run(&project)
        .expect_code(1)
        .expect_text("output `wheel` of `build`: `dist/*.whl` matches no file")
        .expect_text("pyproject.toml:");
}

#[test]
fn an_output_that_changes_between_stages_is_an_error() {
    let project = project(
        r#"
        [tool.lockgate.pipeline.stages.build]
        run = "printf one > out"
        outputs = { it = "out" }
        [tool.lockgate.pipeline.stages.meddle]
        needs = ["build"]
        run = "printf two > out"
        [tool.lockgate.pipeline.stages.use]
        needs = ["build", "meddle"]
        run = ["cat", "${{ stages.build.outputs.it }}"]
        "#,
    );
    run(&project)
        .expect_code(1)
        .expect_text("output `it` of `build` is no longer what it was: `out` has changed");
}

#[test]
fn a_stage_sees_what_it_declares_and_nothing_else() {
    let project = project(
        r#"
        [tool.lockgate.pipeline.stages.look]
        run = "env > seen"
        env = ["PASSED"]
        "#,
    );
    let project = project
        .with("PASSED", "yes")
        .with("GITHUB_TOKEN", "ghs_none")
        .with("OTHER", "no");
    run(&project).expect_code(0);
    let seen = std::fs::read_to_string(project.path().join("seen")).unwrap();
    assert!(seen.contains("PASSED=yes"), "{seen}");
    assert!(
        !seen.contains("ghs_none") && !seen.contains("OTHER"),
        "{seen}"
    );
    assert!(seen.contains("TRACEPARENT=00-"), "{seen}");
}

#[test]
fn a_secret_is_masked_wherever_it_could_appear() {
    let project = project(
        r#"
        [tool.lockgate.pipeline.stages.leak]
        secrets = ["API_KEY"]
        run = 'echo "$API_KEY"; echo "user:$API_KEY" | base64; printf %s "$API_KEY" | od -An -tx1 | tr -d " \n"; echo; exit 1'
        "#,
    );
    let secret = "s3cr3t-Value-42";
    let project = project.with("API_KEY", secret);
    let junit = project.beside("out").join("junit.xml");
    let ran = project.run(&[
        "pipeline",
        "run",
        "--junit-file",
        &junit.display().to_string(),
    ]);
    ran.expect_code(1).expect_text("***");
    let json = project.run(&["pipeline", "run", "--output-format=json"]);
    let junit = std::fs::read_to_string(junit).unwrap();
    let hex = lockgate::model::digest::hex(secret.as_bytes());
    let mut logs = String::new();
    for file in files(&project.beside("cache")) {
        logs.push_str(&String::from_utf8_lossy(&std::fs::read(file).unwrap()));
    }
    for text in [ran.text(), json.text(), junit, logs] {
        assert!(!text.contains(secret), "{text}");
        assert!(!text.contains(&hex), "{text}");
        assert!(!text.contains("czNjcjN0"), "{text}");
    }
}

pub(crate) fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            if entry.path().is_dir() {
                folders.push(entry.path());
            } else {
                found.push(entry.path());
            }
        }
    }
    found
}

#[test]
fn secrets_that_are_missing_are_told_before_anything_runs() {
    let project = project(
        r#"
        [tool.lockgate.pipeline.stages.first]
        run = "touch ran"
        [tool.lockgate.pipeline.stages.deploy]
        needs = ["first"]
        secrets = ["NO_SUCH_SECRET"]
        run = "true"
        "#,
    );
    run(&project)
        .expect_code(2)
        .expect_text("stage `deploy` needs the secret `NO_SUCH_SECRET`");
    assert!(!project.path().join("ran").exists());
}

#[test]
fn a_failure_ends_what_runs_beside_it_and_says_so() {
    let project = project(
        r#"
        jobs = 4
        [tool.lockgate.pipeline.stages.long]
        run = "sleep 7131"
        [tool.lockgate.pipeline.stages.fails]
        run = "exit 7"
        [tool.lockgate.pipeline.stages.after]
        needs = ["fails"]
        run = "true"
        "#,
    );
    let started = Instant::now();
    let (code, stages) = outcomes(&project, &[]);
    assert_eq!(code, 1);
    assert_eq!(of(&stages, "fails"), "failed");
    assert_eq!(of(&stages, "long"), "cancelled");
    assert_eq!(of(&stages, "after"), "need");
    assert!(started.elapsed() < Duration::from_mins(1));
    assert_eq!(processes_with("sleep 7131"), Vec::<String>::new());
}

#[test]
fn what_takes_too_long_is_ended_and_what_cleans_up_still_runs() {
    let project = project(
        r#"
        [tool.lockgate.pipeline.stages.long]
        run = "sleep 7132"
        timeout = "300ms"
        grace = "1s"
        [tool.lockgate.pipeline.stages.tidy]
        needs = ["long"]
        always = true
        run = "touch tidied"
        "#,
    );
    let (code, stages) = outcomes(&project, &[]);
    assert_eq!((code, of(&stages, "long")), (1, "timed-out"));
    assert_eq!(of(&stages, "tidy"), "passed");
    assert!(project.path().join("tidied").exists());
}

#[test]
fn passed_on_retry_is_flaky_and_never_silent() {
    let project = project(
        r#"
        [tool.lockgate.pipeline.stages.flaky]
        run = "test -f once || { touch once; echo connection reset; exit 75; }"
        retry = { max = 2, on-exit = [75], on-output = "connection reset", base = "1ms", cap = "5ms" }
        [tool.lockgate.pipeline.stages.never]
        run = "echo x >> tries; exit 3"
        retry = { max = 5, on-exit = [75], base = "1ms" }
        allow-failure = true
        "#,
    );
    let ran = project.run(&["pipeline", "run", "--events-file", "events.jsonl"]);
    ran.expect_code(0).expect_text("flaky");
    let events = std::fs::read_to_string(project.path().join("events.jsonl")).unwrap();
    let names: Vec<String> = events
        .lines()
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["event"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(names.first().map(String::as_str), Some("run-started"));
    assert_eq!(names.last().map(String::as_str), Some("run-ended"));
    assert!(names.iter().any(|name| name == "stage-retry"), "{events}");
    let tries = std::fs::read_to_string(project.path().join("tries")).unwrap();
    assert_eq!(tries, "x\n");
}

#[test]
fn the_second_run_skips_and_a_change_runs_what_depends_on_it() {
    let project = project(
        r#"
        [tool.lockgate.pipeline.stages.one]
        run = "cp a.txt one.out; echo one >> log"
        inputs = ["a.txt"]
        outputs = { it = "one.out" }
        [tool.lockgate.pipeline.stages.two]
        run = "cp b.txt two.out; echo two >> log"
        inputs = ["b.txt"]
        outputs = { it = "two.out" }
        [tool.lockgate.pipeline.stages.both]
        needs = ["one", "two"]
        run = ["sh", "-c", "cat $0 $1 > both.out; echo both >> log", "${{ stages.one.outputs.it }}", "${{ stages.two.outputs.it }}"]
        cache = true
        outputs = { it = "both.out" }
        "#,
    );
    project.write("a.txt", "a").write("b.txt", "b");
    let all =
        |outcome: &str| ["one", "two", "both"].map(|name| (name.to_owned(), outcome.to_owned()));
    assert_eq!(outcomes(&project, &[]), (0, all("passed").to_vec()));
    assert_eq!(outcomes(&project, &[]), (0, all("unchanged").to_vec()));
    std::fs::remove_file(project.path().join("both.out")).unwrap();
    assert_eq!(outcomes(&project, &[]), (0, all("unchanged").to_vec()));
    assert_eq!(
        std::fs::read_to_string(project.path().join("both.out")).unwrap(),
        "ab"
    );
    project.write("a.txt", "c");
    let (code, stages) = outcomes(&project, &[]);
    assert_eq!(
        (
            code,
            of(&stages, "one"),
            of(&stages, "two"),
            of(&stages, "both")
        ),
        (0, "passed", "unchanged", "passed")
    );
    assert_eq!(
        outcomes(&project, &["--no-cache"]),
        (0, all("passed").to_vec())
    );
    project.write("b.txt", "d");
    project
        .run(&["pipeline", "run", "--explain-skip"])
        .expect_code(0)
        .expect_text("two: runs: input `b.txt` has changed")
        .expect_text("need `two.it` has changed");
}

/// Random graphs: after any change of an input exactly those stages run again that depend on it.
#[test]
fn exactly_what_depends_on_a_change_runs_again() {
    let cases: u64 = std::env::var("LOCKGATE_CAMPAIGN")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(4);
    for seed in 1..=cases {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut below = move |bound: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            usize::try_from(state % bound as u64).unwrap()
        };
        let count = 3 + below(6);
        let needs: Vec<BTreeSet<usize>> = (0..count)
            .map(|stage| (0..stage).filter(|_| below(3) == 0).collect())
            .collect();
        let mut text = String::new();
        for (stage, needs) in needs.iter().enumerate() {
            let list = needs
                .iter()
                .map(|need| format!("\"s{need}\""))
                .collect::<Vec<_>>()
                .join(", ");
            let parts = needs
                .iter()
                .map(|need| format!("s{need}.out"))
                .collect::<Vec<_>>()
                .join(" ");
            write!(text,
                "[tool.lockgate.pipeline.stages.s{stage}]\nrun = \"cat s{stage}.in {parts} > s{stage}.out\"\nneeds = [{list}]\ninputs = [\"s{stage}.in\"]\noutputs = {{ it = \"s{stage}.out\" }}\n"
            ).expect("memory");
        }
        let project = project(&text);
        for stage in 0..count {
            project.write(&format!("s{stage}.in"), format!("first {stage}\n"));
        }
        let (code, _) = outcomes(&project, &[]);
        assert_eq!(code, 0, "seed {seed}");
        for change in 0..3 {
            let changed = below(count);
            project.write(&format!("s{changed}.in"), format!("change {change}\n"));
            let mut expected = BTreeSet::from([changed]);
            for (stage, needs) in needs.iter().enumerate() {
                if !needs.is_disjoint(&expected) {
                    expected.insert(stage);
                }
            }
            let (code, stages) = outcomes(&project, &[]);
            assert_eq!(code, 0, "seed {seed}");
            for (stage, (_, outcome)) in stages.iter().enumerate() {
                let wanted = if expected.contains(&stage) {
                    "passed"
                } else {
                    "unchanged"
                };
                assert_eq!(
                    outcome, wanted,
                    "seed {seed}, change of {changed}, stage {stage}:\n{text}"
                );
            }
        }
    }
}

/// The guardian of a run, once it is there.
fn guardian_of(id: u32) -> String {
    let started = Instant::now();
    loop {
        let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children"));
        let children = children.unwrap_or_default();
        let mut children = children.split_whitespace();
        let guardian = children.find(|child| {
            let line = std::fs::read_to_string(format!("/proc/{child}/cmdline"));
            line.is_ok_and(|line| line.contains("--guard-run"))
        });
        if let Some(guardian) = guardian {
            return guardian.to_owned();
        }
        assert!(started.elapsed() < Duration::from_mins(1), "no guardian");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Waits until it holds.
#[track_caller]
fn soon(what: &str, condition: impl Fn() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < Duration::from_mins(1), "never: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn what_a_killed_run_leaves_is_ended_by_its_guardian() {
    for (at, signal) in ["KILL", "TERM"].into_iter().enumerate() {
        let number = 91_000 + 10 * (std::process::id() % 1_000) + u32::try_from(at).unwrap();
        // A process without our variable is found by its group.
        let script = format!(
            "{}env -i sleep {number}.4 &\ntouch started\nsleep {number}.5",
            four_children(number)
        );
        let project = project(&format!(
            "grace = \"1s\"\n[tool.lockgate.pipeline.stages.script]\nrun = '''\n{script}\n'''\n"
        ));
        let mut child = project
            .command(&["pipeline"])
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .expect("the binary");
        soon("started", || project.path().join("started").exists());
        let name = format!("sleep {number}.");
        // Its shell names them too.
        soon("all five", || processes_with(&name).len() == 6);
        let guardian = guardian_of(child.id());
        let folder = std::path::PathBuf::from(format!("/proc/{guardian}"));
        for output in ["1", "2"] {
            let target = std::fs::read_link(folder.join("fd").join(output));
            assert_eq!(
                target.unwrap(),
                Path::new("/dev/null"),
                "it holds no output"
            );
        }
        assert_eq!(std::fs::read(folder.join("environ")).unwrap(), b"");
        let id = child.id().to_string();
        let sent = Command::new("kill")
            .args([&format!("-{signal}"), &id])
            .status();
        assert!(sent.unwrap().success());
        child.wait().expect("its end");
        if signal == "TERM" {
            // The end of a run is the end of its guardian.
            assert!(!folder.exists());
        }
        soon("nothing is left", || processes_with(&name).is_empty());
        soon("no guardian", || {
            !folder.join("cmdline").exists() || {
                // One that has ended and that nobody waits for has no command line.
                std::fs::read(folder.join("cmdline")).is_ok_and(|line| line.is_empty())
            }
        });
    }
}

/// The script of which most runners leave processes behind: in the background, deaf to signals, in a session of its own.
fn four_children(number: u32) -> String {
    format!(
        "sleep {number}.1 &\n(trap '' TERM INT HUP; exec sleep {number}.2) &\nsetsid sleep {number}.3 &\n"
    )
}

#[test]
fn nothing_is_left_behind_however_a_run_ends() {
    let cases: u32 = std::env::var("LOCKGATE_CAMPAIGN")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(1);
    for case in 0..cases {
        for (kind, ending) in ["TERM", "INT", "timeout", "fail-fast", "normal"]
            .into_iter()
            .enumerate()
        {
            let number = 81_000
                + u32::try_from(kind).unwrap()
                + 10 * (std::process::id() % 1_000)
                + 10_000 * (case % 3);
            let last = match ending {
                "normal" => "touch started".to_owned(),
                _ => format!("touch started\nsleep {number}.4"),
            };
            let limit = if ending == "timeout" {
                "timeout = \"700ms\"\n"
            } else {
                ""
            };
            let other = if ending == "fail-fast" {
                "[tool.lockgate.pipeline.stages.fails]\nrun = 'while ! test -f started; do sleep 0.05; done; exit 1'\n"
            } else {
                ""
            };
            let project = project(&format!(
                "jobs = 2\ngrace = \"1s\"\n[tool.lockgate.pipeline.stages.script]\n{limit}run = '''\n{}{last}\n'''\n{other}",
                four_children(number)
            ));
            let mut child = project
                .command(&["pipeline"])
                .stdout(std::process::Stdio::null())
                .stderr(std::process::Stdio::null())
                .spawn()
                .expect("the binary");
            let waited = Instant::now();
            while !project.path().join("started").exists() {
                assert!(
                    waited.elapsed() < Duration::from_mins(1),
                    "{ending}: never started"
                );
                std::thread::sleep(Duration::from_millis(20));
            }
            let asked = Instant::now();
            if let "TERM" | "INT" = ending {
                let id = child.id().to_string();
                assert!(
                    Command::new("kill")
                        .args([&format!("-{ending}"), &id])
                        .status()
                        .unwrap()
                        .success()
                );
            }
            let status = child.wait().expect("its end");
            let code = std::os::unix::process::ExitStatusExt::signal(&status)
                .map_or(status.code(), |signal| Some(128 + signal));
            let expected = match ending {
                "TERM" => 143,
                "INT" => 130,
                "timeout" | "fail-fast" => 1,
                _ => 0,
            };
            assert_eq!(code, Some(expected), "{ending}");
            assert_eq!(
                processes_with(&format!("sleep {number}.")),
                Vec::<String>::new(),
                "{ending}"
            );
            // Within the grace and a second, on a machine that has nothing else to do.
            assert!(asked.elapsed() < Duration::from_mins(1), "{ending}");
        }
    }
}

#[test]
fn steps_of_ours_give_their_verdict_and_the_budget_is_spent_once() {
    let project = project(
        r#"
        [tool.lockgate.pipeline.stages.lock]
        uses = "lockfile-verify"
        with = { paths = ["requirements.txt"] }
        "#,
    );
    project.write("requirements.txt", "six==1.17.0\n");
    let project = project.in_workflow("push", &serde_json::json!({}));
    let ran = run(&project);
    ran.expect_code(1);
    let annotations: Vec<&str> = ran
        .stdout
        .lines()
        .filter(|line| line.starts_with("::error "))
        .collect();
    let of_lock = annotations
        .iter()
        .filter(|line| line.contains("file=requirements.txt"))
        .count();
    assert_eq!(of_lock, 1, "{}", ran.stdout);
    assert!(annotations.len() <= 10, "{}", ran.stdout);
    assert!(
        project.temp_file("output").contains("verdict"),
        "{}",
        project.temp_file("output")
    );
    assert!(
        project.temp_file("summary").contains("requirements.txt"),
        "{}",
        project.temp_file("summary")
    );
}

#[test]
fn a_step_that_cannot_look_is_no_verdict_for_the_run() {
    let project = project("[tool.lockgate.pipeline.stages.lock]\nuses = \"lockfile-verify\"\n");
    let (code, stages) = outcomes(&project, &[]);
    assert_eq!((code, of(&stages, "lock")), (3, "no-verdict"));
}

#[test]
fn a_service_is_there_while_it_is_needed_and_gone_afterwards() {
    let project = project(
        r#"
        [tool.lockgate.pipeline.stages.server]
        run = ["python3", "-u", "-m", "http.server", "--bind", "127.0.0.1", "18731"]
        service = { ready = { http = "http://127.0.0.1:18731/" }, ready-timeout = "60s" }
        [tool.lockgate.pipeline.stages.probe]
        needs = ["server"]
        run = ["python3", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:18731/')"]
        "#,
    );
    run(&project).expect_code(0);
    assert_eq!(
        processes_with("http.server --bind 127.0.0.1 18731"),
        Vec::<String>::new()
    );
}

#[test]
fn a_bundle_holds_the_tested_bytes_and_says_its_digest() {
    let project = project(
        r#"
        [tool.lockgate.pipeline.stages.build]
        run = "mkdir -p dist; printf wheel > dist/a.whl"
        outputs = { wheel = "dist/a.whl" }
        "#,
    );
    let run = project.run(&[
        "pipeline",
        "run",
        "--bundle",
        "bundle",
        "--output-format=json",
    ]);
    run.expect_code(0);
    let digest = run.json()["outputs"]["bundle-digest"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(digest.len(), 64);
    let project = project;
    project
        .run(&[
            "pipeline", "bundle", "verify", "bundle", "--digest", &digest,
        ])
        .expect_code(0)
        .expect_text("a.whl");
    project.write("bundle/files/dist/a.whl", "whee1");
    project
        .run(&[
            "pipeline", "bundle", "verify", "bundle", "--digest", &digest,
        ])
        .expect_code(1)
        .expect_text("has changed");
}

#[test]
fn code_of_strangers_does_not_run_where_the_token_may_do_more() {
    let project = project("[tool.lockgate.pipeline.stages.a]\nrun = \"touch ran\"\n").in_workflow(
        "pull_request_target",
        &serde_json::json!({"pull_request": {"head": {}, "base": {}}}),
    );
    run(&project)
        .expect_code(2)
        .expect_text("no code of the project runs");
    assert!(!project.path().join("ran").exists());
}

#[test]
fn what_failed_is_taken_up_again() {
    let project = project(
        r#"
        [tool.lockgate.pipeline.stages.first]
        run = "echo x >> first"
        [tool.lockgate.pipeline.stages.second]
        needs = ["first"]
        run = "test -f ok"
        "#,
    );
    run(&project).expect_code(1);
    project.write("ok", "");
    let (code, stages) = outcomes(&project, &["--resume"]);
    assert_eq!(
        (code, of(&stages, "first"), of(&stages, "second")),
        (0, "not-selected", "passed")
    );
    assert_eq!(
        std::fs::read_to_string(project.path().join("first")).unwrap(),
        "x\n"
    );
}

#[test]
fn floods_and_odd_bytes_hurt_nobody() {
    let project = project(
        r#"
        [tool.lockgate.pipeline.stages.flood]
        run = "head -c 30000000 /dev/zero | tr '\\0' x; printf '\\0\\377\\n'; yes | head -c 5000000"
        [tool.lockgate.pipeline.stages.closes]
        run = "exec >&- 2>&-; sleep 0.2"
        "#,
    );
    run(&project).expect_code(0);
}

#[test]
fn what_takes_no_part_must_be_what_its_last_run_made() {
    let project = project(
        r#"
        [tool.lockgate.pipeline.stages.build]
        run = "printf wheel > out"
        outputs = { it = "out" }
        [tool.lockgate.pipeline.stages.use]
        needs = ["build"]
        run = ["cat", "${{ stages.build.outputs.it }}"]
        "#,
    );
    let only = |name: &str| project.run(&["pipeline", "run", "--only", name]);
    project.write("out", "wheel");
    only("use")
        .expect_code(2)
        .expect_text("`use` relies on the output `it` of `build`")
        .expect_text("--only \"build\"");
    only("build").expect_code(0);
    only("use").expect_code(0);
    project.write("out", "whee1");
    only("use")
        .expect_code(1)
        .expect_text("output `it` of `build` is no longer what its last run made");
    std::fs::remove_file(project.path().join("out")).unwrap();
    only("use").expect_code(1).expect_text("`out` is not there");
    only("build").expect_code(0);
    project
        .run(&["pipeline", "run", "--from", "use"])
        .expect_code(0);
}

#[test]
fn the_cache_in_a_stage_is_told_what_to_do() {
    let project = project(
        r#"
        [tool.lockgate.pipeline.stages.make]
        run = "mkdir -p data && echo made > data/file"
        [tool.lockgate.pipeline.stages.keep]
        uses = "cache save"
        needs = ["make"]
        with = { key = "k-1", paths = ["data"], store = "../store" }
        [tool.lockgate.pipeline.stages.lose]
        needs = ["keep"]
        run = "rm -r data"
        [tool.lockgate.pipeline.stages.back]
        uses = "cache restore"
        needs = ["lose"]
        with = { key = "k-1", paths = ["data"], store = "../store" }
        "#,
    );
    run(&project).expect_code(0);
    let file = std::fs::read_to_string(project.path().join("data/file"));
    assert_eq!(file.unwrap(), "made\n");
    project.write(
        "pyproject.toml",
        "[tool.lockgate.pipeline.stages]\na = { uses = \"cache\" }\n",
    );
    run(&project).expect_code(2).expect_text("cache restore");
}

/// A step of ours learns what the whole run must not show: the credentials of an index, by its own input.
#[test]
fn secrets_that_a_step_learns_are_hidden_in_what_other_stages_print() {
    let project = project(
        r#"
        [tool.lockgate.pipeline.stages.gate]
        uses = "lint-gate"
        with = { install-env = ["INDEX_LOGIN"], allow-empty = true }
        env = ["INDEX_LOGIN"]
        allow-failure = true
        [tool.lockgate.pipeline.stages.shows]
        needs = ["gate"]
        if = { result = ["success", "failure"] }
        env = ["INDEX_LOGIN"]
        run = 'echo "the login is $INDEX_LOGIN"; printf %s "$INDEX_LOGIN" | base64; exit 1'
        "#,
    )
    .with("INDEX_LOGIN", "not-a-real-login-0815");
    let run = run(&project);
    run.expect_code(1).expect_text("the login is ***");
    assert!(!run.text().contains("not-a-real-login"), "{}", run.text());
    let mut logs = String::new();
    for file in files(&project.beside("cache")) {
        logs.push_str(&String::from_utf8_lossy(&std::fs::read(file).unwrap()));
    }
    assert!(!logs.contains("not-a-real-login"), "{logs}");
    assert!(!logs.contains("bm90LWEtcmVhbC1sb2dpbi"), "{logs}");
}
