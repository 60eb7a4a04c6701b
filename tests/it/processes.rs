//! Child processes: what they see, how they are drained, and that none of them outlives the run.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use lockgate::system::environment::Environment;
use lockgate::system::process::{Child, Ending, Finished};
use lockgate::system::stop::Stop;
use rustix::process::{Pid, Signal, kill_process};

use crate::support::lockgate::{BINARY, Project};
use crate::support::tools;

// The library's own interface.

fn shell(script: &str) -> Child {
    let environment: Environment = std::env::var_os("PATH")
        .map(|path| ("PATH", path))
        .into_iter()
        .collect();
    Child::new("/bin/sh", std::env::temp_dir(), environment).arguments(["-c", script])
}

fn run(child: Child) -> Finished {
    run_with(child, &mut |_| {})
}

fn run_with(child: Child, on_line: &mut (dyn FnMut(&str) + Send)) -> Finished {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(child.run(&mut Stop::never(), on_line))
        .expect("the shell starts")
}

fn stdout(finished: &mut Finished) -> String {
    String::from_utf8(finished.read_stdout(1 << 20).unwrap()).unwrap()
}

/// Whether a process runs; one that ended and was not yet waited for does not.
fn is_running(id: &str) -> bool {
    std::fs::read_to_string(format!("/proc/{}/stat", id.trim())).is_ok_and(|stat| {
        !stat
            .rsplit(") ")
            .next()
            .unwrap_or_default()
            .starts_with('Z')
    })
}

/// The condition must hold soon.
#[track_caller]
fn soon(what: &str, condition: impl Fn() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < Duration::from_secs(20), "never: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn both_outputs_are_drained_together() {
    let script = "i=0; while [ $i -lt 160 ]; do head -c 65536 /dev/zero; \
        head -c 65535 /dev/zero | tr '\\0' e >&2; echo >&2; i=$((i + 1)); done";
    let (mut lines, mut longest) = (0, 0);
    let finished = run_with(shell(script), &mut |line| {
        lines += 1;
        longest = longest.max(line.len());
    });
    assert_eq!(finished.ending, Ending::Exited(0));
    assert_eq!(finished.stdout.metadata().unwrap().len(), 160 * 65536);
    assert_eq!((lines, longest), (160, 65535));
    assert_eq!(finished.stderr.len(), 64 * 1024);
}

#[test]
fn lines_of_standard_error_come_one_by_one_and_never_too_long() {
    let mut lines = Vec::new();
    let script =
        "printf 'one\\r\\n\\ntwo\\377\\nlast' >&2; head -c 300000 /dev/zero | tr '\\0' x >&2";
    let finished = run_with(shell(script), &mut |line| lines.push(line.to_owned()));
    assert_eq!(lines[..3], ["one", "", "two\u{fffd}"]);
    assert_eq!(lines.len(), 4);
    assert!(lines[3].starts_with("lastxxx") && lines[3].len() == 64 * 1024);
    assert_eq!(finished.stderr.len(), 64 * 1024);
}

#[test]
fn a_child_has_its_own_group_no_input_and_only_the_environment_it_was_given() {
    let mut finished = run(shell(
        "echo $$; cut -d' ' -f5 /proc/$$/stat; wc -c; pwd; /usr/bin/env",
    ));
    let text = stdout(&mut finished);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], lines[1], "it leads its group");
    assert_eq!(lines[2].trim(), "0", "nothing to read");
    assert_eq!(
        Path::new(lines[3]).canonicalize().unwrap(),
        std::env::temp_dir().canonicalize().unwrap()
    );
    // The shell adds the folder and the program by itself.
    let names: BTreeSet<&str> = lines[4..]
        .iter()
        .filter_map(|line| line.split_once('='))
        .map(|(name, _)| name)
        .collect();
    assert!(names.is_subset(&BTreeSet::from(["PATH", "PWD", "OLDPWD", "SHLVL", "_"])));
}

#[test]
fn the_ending_is_told_exactly() {
    for (script, ending) in [
        ("exit 0", Ending::Exited(0)),
        ("exit 77", Ending::Exited(77)),
        ("kill -KILL $$", Ending::Signalled(9)),
        ("kill -SEGV $$", Ending::Signalled(11)),
        ("kill -TERM $$", Ending::Signalled(15)),
    ] {
        assert_eq!(run(shell(script)).ending, ending, "{script}");
    }
    let missing = Child::new("/nowhere/program", "/", Environment::default());
    let outcome = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(missing.run(&mut Stop::never(), &mut |_| {}));
    assert_eq!(outcome.unwrap_err().kind(), std::io::ErrorKind::NotFound);
}

#[test]
fn a_child_over_its_time_may_say_its_last_words() {
    let script = "trap 'echo bye; exit 5' TERM; echo hello; while :; do sleep 0.05; done";
    let mut finished = run(shell(script).time_limit(Duration::from_millis(300)));
    assert_eq!(finished.ending, Ending::TimedOut);
    assert_eq!(stdout(&mut finished), "hello\nbye\n");
    assert!(
        finished.duration < Duration::from_secs(2),
        "{:?}",
        finished.duration
    );
}

#[test]
fn a_child_that_does_not_want_to_end_is_killed_with_its_group() {
    let mut child = shell(
        "trap '' TERM INT HUP; (trap '' TERM; sleep 321) & echo $!; echo $$; while :; do sleep 0.05; done",
    )
    .time_limit(Duration::from_millis(300));
    child.grace = Duration::from_millis(300);
    let mut finished = run(child);
    assert_eq!(finished.ending, Ending::TimedOut);
    assert!(
        finished.duration < Duration::from_secs(2),
        "{:?}",
        finished.duration
    );
    for id in stdout(&mut finished).lines() {
        soon("the group has ended", || !is_running(id));
    }
}

#[test]
fn the_whole_group_has_its_grace_where_the_leader_ends_first() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("cleaned");
    let script = format!(
        "(trap 'sleep 0.3; echo done > {}; exit' TERM; echo ready >&2; while :; do sleep 0.05; done) & wait",
        file.display()
    );
    let finished = run(shell(&script).time_limit(Duration::from_millis(500)));
    assert_eq!(finished.ending, Ending::TimedOut);
    assert!(finished.stderr.starts_with("ready"), "{}", finished.stderr);
    assert_eq!(
        std::fs::read_to_string(&file).unwrap_or_default(),
        "done\n",
        "the grandchild was killed while it cleaned up"
    );
}

#[test]
fn what_a_child_leaves_in_the_background_ends_with_it() {
    let mut finished = run(shell("sleep 321 & echo $!; exit 3"));
    assert_eq!(finished.ending, Ending::Exited(3));
    assert!(
        finished.duration < Duration::from_secs(2),
        "{:?}",
        finished.duration
    );
    let id = stdout(&mut finished);
    soon("the sleeper has ended", || !is_running(&id));
}

#[test]
fn a_daemon_that_keeps_the_pipes_open_does_not_hang_the_run() {
    // It leaves the group, so that nobody may end it but this test.
    let folder = tempfile::TempDir::new().unwrap();
    let note = folder.path().join("daemon");
    let script = format!(
        "echo words; setsid sh -c 'echo $$ > {0}; exec sleep 21' & while [ ! -s {0} ]; do sleep 0.01; done",
        note.display()
    );
    let mut finished = run(shell(&script));
    let id = std::fs::read_to_string(&note).unwrap();
    let goes_on = is_running(&id);
    kill(&id, Signal::KILL);
    assert!(goes_on);
    assert_eq!(finished.ending, Ending::Exited(0));
    assert_eq!(stdout(&mut finished), "words\n");
    assert!(
        finished.duration < Duration::from_secs(4),
        "{:?}",
        finished.duration
    );
}

#[test]
fn output_over_the_limit_ends_the_child() {
    let mut child = shell("echo $$ >&2; yes");
    child.output_limit = 1 << 20;
    let finished = run(child);
    assert_eq!(finished.ending, Ending::Flooded);
    assert!(finished.stdout.metadata().unwrap().len() <= 1 << 20);
    soon("the shell has ended", || !is_running(&finished.stderr));
}

#[test]
fn a_child_that_fills_the_disk_itself_is_ended_as_well() {
    let mut child = shell("echo $$ >&2; yes").writing_to_file();
    child.output_limit = 1 << 20;
    let finished = run(child);
    assert_eq!(finished.ending, Ending::Flooded);
    soon("the shell has ended", || !is_running(&finished.stderr));
}

fn kill(id: &str, signal: Signal) {
    let id = Pid::from_raw(id.trim().parse().unwrap()).unwrap();
    // It may have ended by itself.
    let _ = kill_process(id, signal);
}

// The binary.

/// A project with a program of each name, made of this shell script; `$STATE` is a folder.
fn scripted(names: &[&str], script: &str) -> Project {
    let project = Project::empty();
    let (bin, state) = (project.beside("bin"), project.beside("state"));
    for name in names {
        let path = bin.join(name);
        let text = format!("#!/bin/sh\nSTATE='{}'\n{script}\n", state.display());
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    project.write("a.py", "x: int = 1\n");
    project.with_path_first(&bin)
}

const GATE: [&str; 4] = [
    "lint-gate",
    "--tool-source=path",
    "--scope=everything",
    "--tools=ruff,ruff-format,mypy,pyright",
];

fn spawn(project: &Project, arguments: &[&str]) -> std::process::Child {
    project
        .command(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Every process of the project: its folder is in their PATH.
fn processes_of(project: &Project) -> Vec<String> {
    let marker = project.beside("bin").display().to_string();
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()))
        .filter(|id| {
            std::fs::read(format!("/proc/{id}/environ"))
                .is_ok_and(|text| String::from_utf8_lossy(&text).contains(&marker))
                && is_running(id)
        })
        .collect()
}

/// Signals the run once `ready` holds; it must end within a second with `code` and leave nothing behind.
#[track_caller]
fn expect_end_within_a_second(
    project: &Project,
    arguments: &[&str],
    signals: &[Signal],
    code: i32,
    ready: impl Fn() -> bool,
) {
    let mut child = spawn(project, arguments);
    soon("the run is ready", || {
        ready() || child_has_ended(child.id())
    });
    let started = Instant::now();
    for signal in signals {
        kill(&child.id().to_string(), *signal);
    }
    let status = child.wait().unwrap();
    let took = started.elapsed();
    let mut text = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    assert_eq!(status.code(), Some(code), "{status:?}\n{text}");
    assert!(took < Duration::from_secs(1), "{took:?}\n{text}");
    soon("no process is left", || processes_of(project).is_empty());
}

fn child_has_ended(id: u32) -> bool {
    !is_running(&id.to_string())
}

/// Starts a child of its own that does not end, and does not end either.
const STUBBORN: &str = "trap '' TERM INT HUP\n(trap '' TERM INT HUP; while :; do sleep 0.1; done) &\n\
    echo $$ >> \"$STATE/started\"\nwhile :; do sleep 0.1; done";

fn lines_in(project: &Project, name: &str) -> usize {
    std::fs::read_to_string(project.beside("state").join(name))
        .unwrap_or_default()
        .lines()
        .count()
}

#[test]
fn a_signal_ends_the_run_within_a_second_and_leaves_no_process() {
    for (signals, code) in [
        (&[Signal::INT][..], 130),
        (&[Signal::TERM], 143),
        // The runner sends the second if the first was not enough; the first one counts.
        (&[Signal::INT, Signal::INT, Signal::TERM], 130),
    ] {
        for script in [STUBBORN, "echo $$ >> \"$STATE/started\"; exec sleep 321"] {
            let project = scripted(&["ruff", "mypy", "pyright"], script);
            expect_end_within_a_second(&project, &GATE, signals, code, || {
                lines_in(&project, "started") == 4
            });
        }
    }
}

#[test]
fn a_signal_ends_the_run_although_a_daemon_holds_the_pipes() {
    let project = scripted(
        &["ruff"],
        &format!("setsid sleep 21 &\necho $! > \"$STATE/daemon\"\n{STUBBORN}"),
    );
    let mut child = spawn(&project, &["lint-gate", GATE[1], GATE[2], "--tools=ruff"]);
    soon("the tool runs", || lines_in(&project, "started") == 1);
    let started = Instant::now();
    kill(&child.id().to_string(), Signal::TERM);
    let status = child.wait().unwrap();
    let took = started.elapsed();
    let daemon = std::fs::read_to_string(project.beside("state").join("daemon")).unwrap();
    kill(&daemon, Signal::KILL);
    assert_eq!(status.code(), Some(143));
    assert!(took < Duration::from_secs(1), "{took:?}");
}

#[test]
fn a_signal_ends_the_run_while_a_large_output_is_read() {
    // The tool has ended; only its output keeps us busy.
    let finding =
        r#"{"code":"F401","filename":"a.py","location":{"row":1,"column":1},"message":"x"}"#;
    let project = scripted(
        &["ruff"],
        &format!("yes '{finding}' | head -n 3000000\necho $$ > \"$STATE/started\"\nexit 1"),
    );
    let arguments = ["lint-gate", GATE[1], GATE[2], "--tools=ruff", "--exclude=*"];
    expect_end_within_a_second(&project, &arguments, &[Signal::INT], 130, || {
        std::thread::sleep(Duration::from_millis(100));
        lines_in(&project, "started") == 1
    });
}

#[test]
fn a_signal_ends_the_run_while_a_large_report_is_read() {
    let result = r#"{"message":{"text":"x"},"locations":[]},"#;
    let mut report =
        String::from(r#"{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"x"}},"results":["#);
    report.push_str(&result.repeat(2_000_000));
    report.push_str(r#"{"message":{"text":"x"}}]}]}"#);
    let project = scripted(&[], "");
    project.write("r.sarif", report);
    let arguments = ["lint-gate", GATE[2], "--reports=r.sarif=sarif"];
    let started = Instant::now();
    expect_end_within_a_second(&project, &arguments, &[Signal::INT], 130, || {
        started.elapsed() > Duration::from_millis(150)
    });
}

#[test]
fn a_signal_ends_the_run_while_an_environment_is_made() {
    let project = scripted(&["uv"], STUBBORN);
    let cache = project.beside("cache").display().to_string();
    let project = project.with("LOCKGATE_CACHE_DIR", &cache);
    project
        .write(
            "uv.lock",
            "version = 1\n[[package]]\nname = \"ruff\"\nversion = \"1\"\n",
        )
        .write("pyproject.toml", "");
    for signal in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let before = lines_in(&project, "started");
        expect_end_within_a_second(
            &project,
            &["lint-gate", GATE[2]],
            &[signal.0],
            signal.1,
            || lines_in(&project, "started") > before,
        );
    }
}

#[test]
fn in_a_workflow_the_end_of_the_parent_ends_the_run_and_its_tools() {
    for is_workflow in [true, false] {
        let mut project = scripted(&["ruff", "mypy", "pyright"], STUBBORN);
        if is_workflow {
            project = project.with("GITHUB_ACTIONS", "true");
        }
        let gate = project.command(&GATE);
        let mut parent = Command::new("/bin/sh")
            .args(["-c", "\"$0\" \"$@\" & echo $! > \"$RUN\"; wait", BINARY])
            .args(GATE)
            .current_dir(project.path())
            .env_clear()
            .envs(
                gate.get_envs()
                    .filter_map(|(name, value)| Some((name, value?))),
            )
            .env("RUN", project.beside("state").join("run"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        soon("the tools run", || lines_in(&project, "started") == 4);
        kill(&parent.id().to_string(), Signal::KILL);
        parent.wait().unwrap();
        let started = Instant::now();
        if is_workflow {
            soon("everything has ended", || processes_of(&project).is_empty());
            let took = started.elapsed();
            assert!(took < Duration::from_millis(1_500), "{took:?}");
        } else {
            // On a laptop a closed terminal or a finished script is no reason.
            std::thread::sleep(Duration::from_millis(700));
            let run = std::fs::read_to_string(project.beside("state").join("run")).unwrap();
            assert!(is_running(&run));
            kill(&run, Signal::TERM);
            soon("everything has ended", || processes_of(&project).is_empty());
        }
    }
}

#[test]
fn output_is_kept_on_disk_and_not_in_memory() {
    let project = scripted(
        &["ruff"],
        "i=0; while [ $i -lt 300 ]; do head -c 1000000 /dev/zero | tr '\\0' x; echo; i=$((i + 1)); done\nexit 1",
    );
    let arguments = [
        "lint-gate",
        GATE[1],
        GATE[2],
        "--tools=ruff",
        "--output-format=json",
    ];
    let mut child = spawn(&project, &arguments);
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .unwrap_or_default();
        let kilobytes: u64 = line
            .trim()
            .trim_end_matches(" kB")
            .parse()
            .unwrap_or_default();
        peak = peak.max(kilobytes);
        std::thread::sleep(Duration::from_millis(2));
    }
    assert_eq!(child.wait().unwrap().code(), Some(3));
    assert!(
        (1..60_000).contains(&peak),
        "{peak} kB for 300 MB of output"
    );
}

/// The user that tests run as instead of the superuser, who may read everything.
const NOBODY: u32 = 65534;

#[test]
fn a_tool_of_the_same_user_cannot_read_our_environment() {
    let project = scripted(
        &["ruff"],
        "tr '\\0' '\\n' < /proc/$PPID/environ > \"$STATE/stolen\" 2> \"$STATE/why\"\n\
         tr '\\0' '\\n' < /proc/$PPID/mem > \"$STATE/memory\" 2>/dev/null\n\
         sleep 5 & sleep 0.1; tr '\\0' '\\n' < /proc/$!/environ > \"$STATE/sibling\"\nexit 0",
    );
    let (bin, state) = (project.beside("bin"), project.beside("state"));
    let copy = bin.join("lockgate");
    std::fs::copy(BINARY, &copy).unwrap();
    let folder = state.parent().unwrap();
    for (path, mode) in [(folder, 0o755), (&state, 0o777), (&copy, 0o755)] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }
    let mut command = Command::new(&copy);
    command
        .args(["lint-gate", GATE[1], GATE[2], "--tools=ruff"])
        .current_dir(project.path())
        .env_clear()
        .envs(
            project
                .command(&[])
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .env("INPUT_TOKEN", "sekret-token-value");
    if rustix::process::geteuid().is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    let output = command.output().unwrap();
    let read = |name: &str| std::fs::read_to_string(state.join(name)).unwrap_or_default();
    assert!(
        read("sibling").contains("PATH="),
        "the tool could look at no process at all: {}\n{}",
        read("why"),
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(read("stolen"), "", "our environment was read");
    assert_eq!(read("memory"), "", "our memory was read");
}

/// What tools may see besides what we set ourselves.
const SEEN: &[&str] = &[
    "PATH",
    "HOME",
    "USER",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "TZ",
    "RUNNER_TRACKING_ID",
    // Of the tools' own making.
    "MYPY_CONFIG_FILE_DIR",
    "VIRTUAL_ENV",
    "RUFF_OUTPUT_FORMAT",
    "PWD",
    "OLDPWD",
    "SHLVL",
    "_",
    "LC_CTYPE",
    "LINES",
    "COLUMNS",
];

/// What a step has in its environment and no tool may see.
const SECRET: &[&str] = &[
    "GITHUB_TOKEN",
    "GH_TOKEN",
    "INPUT_TOKEN",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
    "ACTIONS_ID_TOKEN_REQUEST_URL",
    "ACTIONS_RUNTIME_TOKEN",
    "ACTIONS_RESULTS_URL",
    "UV_INDEX_PRIVATE_PASSWORD",
    "UV_PUBLISH_TOKEN",
    "PIP_INDEX_URL",
    "HTTPS_PROXY",
    "https_proxy",
    "TWINE_PASSWORD",
    "SSH_AUTH_SOCK",
    "GIT_ASKPASS",
    "NETRC",
    "MY_APPLICATION_PASSWORD",
    "LC_SECRET",
];

fn with_secrets(mut project: Project) -> Project {
    for name in SECRET {
        let value = format!("sekret-{}", name.to_lowercase());
        project = project.with(name, &value);
    }
    project
        .with("INPUT_INSTALL_ENV", "UV_INDEX_PRIVATE_PASSWORD")
        .with("LANG", "C.UTF-8")
        .with("RUNNER_TRACKING_ID", "github_1")
}

#[track_caller]
fn expect_no_secret(environment: &str, whose: &str) {
    let names: BTreeSet<&str> = environment
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, _)| name)
        .collect();
    assert!(names.contains("PATH"), "{whose}: {environment}");
    assert!(
        names.contains("RUNNER_TRACKING_ID"),
        "{whose}: {environment}"
    );
    let unexpected: Vec<&&str> = names
        .iter()
        .filter(|name| !SEEN.contains(name) && **name != "LC_SECRET")
        .collect();
    assert!(unexpected.is_empty(), "{whose} sees {unexpected:?}");
    for name in SECRET.iter().filter(|name| **name != "LC_SECRET") {
        let value = format!("sekret-{}", name.to_lowercase());
        assert!(
            !environment.contains(&value),
            "{whose} sees the value of {name}"
        );
    }
}

#[test]
fn no_tool_sees_a_secret_of_the_step() {
    let project = scripted(
        &["ruff", "mypy", "pyright"],
        "/usr/bin/env > \"$STATE/${0##*/}\"; exit 0",
    );
    let project = with_secrets(project);
    project.run(&GATE).expect_code(3);
    for tool in ["ruff", "mypy", "pyright"] {
        let seen = std::fs::read_to_string(project.beside("state").join(tool)).unwrap();
        expect_no_secret(&seen, tool);
    }
}

#[test]
fn a_plug_in_of_mypy_sees_no_secret_of_the_step() {
    let project = with_secrets(Project::empty().with_path_first(&tools::environment().join("bin")));
    let seen = project.beside("state").join("seen");
    project
        .write("a.py", "x: int = 1\n")
        .write("mypy.ini", "[mypy]\nplugins = curious.py\n")
        .write(
            "curious.py",
            format!(
                "import os\n\nfrom mypy.plugin import Plugin\n\n\ndef plugin(version):\n    with open({:?}, 'w') as file:\n        for name, value in os.environ.items():\n            print(f'{{name}}={{value}}', file=file)\n    return Plugin\n",
                seen.display().to_string()
            ),
        );
    project
        .run(&["lint-gate", GATE[1], GATE[2], "--tools=mypy", "a.py"])
        .expect_code(0);
    expect_no_secret(&std::fs::read_to_string(seen).unwrap(), "a plug-in");
}

/// As GitHub makes them, with a character that Markdown has a meaning for.
const TOKEN: &str = "ghs_0123456789abcdefghijklmnopqrstuvwxyz";
/// With what JSON, workflow commands and their properties escape.
const PASSWORD: &str = "pa\"ss%word:x,y<z>";

/// What a reader of the text would see, whatever it was escaped for.
fn unescaped(text: &str) -> String {
    let mut plain = text
        .replace("\\\"", "\"")
        .replace("%3A", ":")
        .replace("%2C", ",")
        .replace("%22", "\"")
        .replace("%25", "%")
        .replace("&quot;", "\"")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&");
    for code in 32..127_u8 {
        plain = plain.replace(&format!("&#{code};"), &char::from(code).to_string());
    }
    plain
}

#[test]
fn no_secret_appears_in_any_output_however_it_is_escaped() {
    for is_workflow in [false, true] {
        for format in ["human", "json", "sarif", "github"] {
            let mut project = Project::empty()
                .with_path_first(&tools::environment().join("bin"))
                .with("INPUT_TOKEN", TOKEN)
                .with("UV_INDEX_PRIVATE_PASSWORD", PASSWORD)
                .with("INPUT_INSTALL_ENV", "UV_INDEX_PRIVATE_PASSWORD")
                .with("LOCKGATE_LOG", "trace");
            if is_workflow {
                project = project.in_workflow("schedule", &serde_json::json!({}));
            }
            project
                .write("a.py", format!("import {TOKEN}\n\nimport os  # {PASSWORD}\n"))
                .write(&format!("{TOKEN}.py"), "import os\n")
                .write(
                    "r.sarif",
                    serde_json::json!({"version": "2.1.0", "runs": [{
                        "tool": {"driver": {"name": "x"}},
                        "results": [
                            {"message": {"text": format!("found {PASSWORD} here")}, "level": "error", "ruleId": PASSWORD},
                            {"message": {"text": TOKEN}, "level": "error",
                             "locations": [{"physicalLocation": {"artifactLocation": {"uri": "a.py"}, "region": {"startLine": 1}}}]},
                        ],
                    }]})
                    .to_string(),
                )
                .write("failed.sarif", format!("{{\"version\": {}}}", serde_json::json!(PASSWORD)));
            let format_argument = format!("--output-format={format}");
            let mut arguments = vec![
                "lint-gate",
                GATE[1],
                GATE[2],
                "--tools=ruff",
                "--reports=r.sarif=sarif",
                "--reports=failed.sarif=sarif",
                "--report-file=../state/report.json",
                "--sarif-file=../state/report.sarif",
            ];
            arguments.push(&format_argument);
            if !is_workflow {
                arguments.push("--summary-file=../state/summary.md");
            }
            project.beside("state");
            let run = project.run(&arguments);
            run.expect_code(3);
            assert!(run.text().contains("***"), "{}", run.text());
            let mut outputs = vec![
                ("standard output", run.stdout.clone()),
                ("standard error", run.stderr.clone()),
                ("outputs", project.temp_file("output")),
                ("job summary", project.temp_file("summary")),
            ];
            for name in ["report.json", "report.sarif", "summary.md"] {
                let path = project.beside("state").join(name);
                outputs.push((name, std::fs::read_to_string(path).unwrap_or_default()));
            }
            for (name, text) in outputs {
                let text: String = text
                    .lines()
                    // The runner swallows these.
                    .filter(|line| !line.starts_with("::add-mask::"))
                    .collect::<Vec<_>>()
                    .join("\n");
                for secret in [TOKEN, PASSWORD] {
                    assert!(
                        !text.contains(secret) && !unescaped(&text).contains(secret),
                        "{format}, workflow {is_workflow}: `{secret}` is in {name}:\n{text}"
                    );
                }
            }
        }
    }
}
