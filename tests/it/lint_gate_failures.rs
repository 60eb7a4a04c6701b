//! Every way in which a tool, a report or a configuration can fail, end to end with the real tools: no verdict, or the
//! user's own mistake; never green.

use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::expect::root;
use crate::support::lockgate::{BINARY, Project, Run};
use crate::support::tools;

const TOOLS: [&str; 4] = ["ruff", "ruff-format", "mypy", "pyright"];

/// Something for every tool to complain about, and for all of them to parse.
const BAD: &str = "import os\nimport re\n\n\ndef f(a: int) -> str:\n    return a+1\n\n\ndef g() -> int:\n    return f( 1 )\n";
/// Nothing to complain about.
const GOOD: &str = "def f(a: int) -> int:\n    return a + 1\n";

fn executable(tool: &str) -> &str {
    tool.strip_suffix("-format").unwrap_or(tool)
}

/// A project whose PATH begins with the real tools.
fn real() -> Project {
    Project::empty().with_path_first(&tools::environment().join("bin"))
}

/// A project in which the program of the tool is a shell script; `$REAL` is the real one, `$STATE` a folder.
fn shimmed(tool: &str, script: &str) -> Project {
    let project = Project::empty();
    shim(&project, tool, script);
    let bin = project.beside("bin");
    project.with_path_first(&bin)
}

fn shim(project: &Project, tool: &str, script: &str) {
    program(
        &project.beside("bin").join(executable(tool)),
        format!(
            "#!/bin/sh\nREAL='{}'\nSTATE='{}'\n{script}\n",
            tools::tool(executable(tool)).display(),
            project.beside("state").display()
        ),
    );
}

fn program(path: &Path, text: impl AsRef<[u8]>) {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

fn gate(project: &Project, tool: &str, extra: &[&str]) -> Run {
    let mut arguments = vec!["lint-gate", "--tools", tool, "--tool-source", "path"];
    arguments.extend(["--scope", "everything", "--output-format", "json"]);
    arguments.extend(extra);
    project.run(&arguments)
}

fn with_report(project: &Project, report: &str) -> Run {
    let report = format!("--reports={report}");
    project.run(&[
        "lint-gate",
        &report,
        "--scope=everything",
        "--output-format=json",
    ])
}

/// The run must be without a verdict because of its one check, whose reason has all these parts.
#[track_caller]
fn expect_no_verdict(run: &Run, case: &str, parts: &[&str]) -> String {
    assert_eq!(run.code, 3, "{case}\n{}", run.text());
    let report = run.json();
    assert_eq!(report["verdict"], "no-verdict", "{case}\n{report:#}");
    assert_eq!(report["exit-code"], 3, "{case}\n{report:#}");
    assert_eq!(
        report["outputs"]["verdict"], "no-verdict",
        "{case}\n{report:#}"
    );
    let check = &report["checks"][0];
    assert_eq!(check["status"], "failed", "{case}\n{report:#}");
    let reason = check["reason"].as_str().unwrap_or_default().to_owned();
    for part in parts {
        assert!(
            reason.contains(part),
            "{case}: no `{part}` in the reason: {reason}"
        );
    }
    reason
}

/// The run must be red with at least one finding.
#[track_caller]
fn expect_findings(run: &Run, case: &str) -> Value {
    assert_eq!(run.code, 1, "{case}\n{}", run.text());
    let report = run.json();
    assert_eq!(report["verdict"], "fail", "{case}\n{report:#}");
    assert!(
        !report["findings"].as_array().unwrap().is_empty(),
        "{case}\n{report:#}"
    );
    report
}

/// The run must be the user's mistake, told with all these parts.
#[track_caller]
fn expect_usage(run: &Run, case: &str, parts: &[&str]) {
    assert_eq!(run.code, 2, "{case}\n{}", run.text());
    for part in parts {
        assert!(
            run.text().contains(part),
            "{case}: no `{part}` in\n{}",
            run.text()
        );
    }
}

#[test]
fn the_real_tools_are_green_and_red_before_anything_is_broken() {
    for tool in TOOLS {
        let project = real();
        project.write("a.py", GOOD);
        let run = gate(&project, tool, &[]);
        assert_eq!(
            (run.code, &run.json()["verdict"]),
            (0, &Value::from("pass")),
            "{tool}"
        );
        project.write("a.py", BAD);
        expect_findings(&gate(&project, tool, &[]), tool);
    }
}

#[test]
fn a_syntax_error_is_a_finding_or_no_verdict_but_never_green() {
    let project = real();
    project
        .write("broken.py", "def f(:\n")
        .write("good.py", GOOD);
    for tool in ["ruff", "pyright"] {
        expect_findings(&gate(&project, tool, &[]), tool);
    }
    for tool in ["ruff-format", "mypy"] {
        expect_no_verdict(&gate(&project, tool, &[]), tool, &[tool, "broken.py"]);
    }
    // A threshold that lets findings pass does not let a failure pass.
    expect_no_verdict(
        &gate(&project, "mypy", &["--fail-on=never", "--mode=report"]),
        "mypy, report only",
        &["syntax error"],
    );
}

#[test]
fn a_missing_file_is_no_verdict_in_every_tool() {
    for tool in TOOLS {
        let project = real();
        project.write("good.py", GOOD);
        for paths in [&["missing.py"][..], &["good.py", "missing.py"]] {
            expect_no_verdict(
                &gate(&project, tool, paths),
                &format!("{tool} {paths:?}"),
                &[tool],
            );
        }
    }
}

#[test]
fn a_broken_configuration_of_a_tool_is_no_verdict() {
    let broken_json = "{ \"include\": [\"src\" \n";
    let cases: &[(&str, &str, &str, &str)] = &[
        ("ruff", "ruff.toml", "line-length = \"long\"\n", "ruff.toml"),
        ("ruff", "ruff.toml", "lint.selct = [\"E\"]\n", "selct"),
        ("ruff", "ruff.toml", "[lint\n", "ruff.toml"),
        ("ruff", "ruff.toml", "lint.select = [\"NOPE1\"]\n", "NOPE1"),
        (
            "ruff",
            "pyproject.toml",
            "[tool.ruff]\ntarget-version = \"py1\"\n",
            "py1",
        ),
        (
            "ruff",
            "ruff.toml",
            "extend = \"nowhere.toml\"\n",
            "nowhere.toml",
        ),
        (
            "ruff-format",
            "ruff.toml",
            "line-length = \"long\"\n",
            "ruff.toml",
        ),
        (
            "ruff-format",
            "pyproject.toml",
            "[tool.ruff.format]\nquote-style = \"odd\"\n",
            "odd",
        ),
        ("mypy", "mypy.ini", "strict = true\n", "mypy.ini"),
        (
            "mypy",
            "mypy.ini",
            "[mypy]\npython_version = 9.9\n",
            "python_version",
        ),
        ("mypy", "mypy.ini", "[mypy]\nplugins = nowhere\n", "nowhere"),
        (
            "mypy",
            "pyproject.toml",
            "[tool.mypy]\nstrict = \"maybe\"\n",
            "strict",
        ),
        (
            "mypy",
            "setup.cfg",
            "[mypy]\nwarn_unused_ignores = perhaps\n",
            "perhaps",
        ),
        ("pyright", "pyrightconfig.json", broken_json, "exit code 3"),
        (
            "pyright",
            "pyrightconfig.json",
            "{ \"include\": [\"nowhere\"] }",
            "",
        ),
        (
            "pyright",
            "pyrightconfig.json",
            "{ \"include\": [\"good.py\", \"nowhere\"] }",
            "does not exist",
        ),
    ];
    for (tool, file, text, part) in cases {
        let project = real();
        project.write("good.py", GOOD).write(file, text);
        let case = format!("{tool}, {file}: {text}");
        let reason = expect_no_verdict(&gate(&project, tool, &[]), &case, &[tool, part]);
        assert!(
            reason.lines().count() > 1,
            "{case}: without the tool's own words: {reason}"
        );
    }
}

#[test]
fn a_plug_in_that_prints_or_ends_mypy_is_no_verdict() {
    for (body, part) in [
        ("print('hello from a plug-in')", "hello from a plug-in"),
        ("print('{}')", "not the expected JSON object"),
        (
            "import os; os._exit(0)",
            "exit code 0 without the empty line",
        ),
        (
            "import sys; sys.exit(0)",
            "exit code 0 without the empty line",
        ),
        ("import os; os._exit(1)", "exit code 1 without a finding"),
        ("raise RuntimeError('broken plug-in')", "INTERNAL ERROR"),
        (
            "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)",
            "SIGSEGV",
        ),
    ] {
        let project = real();
        project
            .write("good.py", GOOD)
            .write("mypy.ini", "[mypy]\nplugins = noisy.py\n")
            .write(
                "noisy.py",
                format!(
                    "from mypy.plugin import Plugin\n\n\ndef plugin(version):\n    {body}\n    return Plugin\n"
                ),
            );
        expect_no_verdict(
            &gate(&project, "mypy", &["good.py"]),
            body,
            &["mypy: ", part],
        );
    }
}

#[test]
fn nothing_to_check_is_no_verdict_unless_it_was_allowed() {
    type Setup = fn(&Project);
    let cases: &[(&str, &str, Setup)] = &[
        ("ruff", "empty", |_| {}),
        ("ruff-format", "empty", |_| {}),
        ("mypy", "empty", |_| {}),
        ("pyright", "empty", |_| {}),
        ("ruff", "excluded", |project| {
            project
                .write("a.py", BAD)
                .write("ruff.toml", "exclude = [\"*.py\"]\n");
        }),
        ("ruff", "only settings", |project| {
            project.write("pyproject.toml", "[tool.ruff]\n");
        }),
        ("ruff-format", "excluded", |project| {
            project
                .write("a.py", BAD)
                .write("ruff.toml", "format.exclude = [\"*.py\"]\n");
        }),
        ("mypy", "excluded", |project| {
            project
                .write("a.py", BAD)
                .write("mypy.ini", "[mypy]\nexclude = .*\n");
        }),
        ("pyright", "excluded", |project| {
            project
                .write("a.py", BAD)
                .write("pyrightconfig.json", "{ \"exclude\": [\"**\"] }");
        }),
    ];
    for (tool, case, setup) in cases {
        let project = real();
        setup(&project);
        let case = format!("{tool}, {case}");
        expect_no_verdict(
            &gate(&project, tool, &[]),
            &case,
            &[&format!("{tool}: checked no file")],
        );
        let allowed = gate(&project, tool, &["--allow-empty"]);
        assert_eq!(allowed.code, 0, "{case}\n{}", allowed.text());
    }
}

#[test]
fn a_tool_killed_in_the_middle_is_no_verdict() {
    for tool in TOOLS {
        for (signal, name) in [
            ("KILL", "signal 9 (SIGKILL"),
            ("SEGV", "signal 11 (SIGSEGV"),
            ("ABRT", "signal 6 (SIGABRT"),
            ("TERM", "signal 15"),
        ] {
            let script =
                format!("echo last words >&2\n\"$REAL\" \"$@\" &\nsleep 0.05\nkill -{signal} $$");
            let project = shimmed(tool, &script);
            project.write("a.py", BAD);
            expect_no_verdict(
                &gate(&project, tool, &[]),
                &format!("{tool} {signal}"),
                &[&format!("{tool}: killed by {name}"), "last words"],
            );
        }
    }
}

/// A shell function that answers as the real tool does, which it asks only once.
const RECORDED: &str = r#"real() {
    if [ ! -f "$STATE/output" ]; then
        "$REAL" "$@" > "$STATE/output"; echo $? > "$STATE/code"
    fi
    cat "$STATE/output"; return "$(cat "$STATE/code")"
}
"#;

#[test]
fn answers_at_odds_with_themselves_are_no_verdict() {
    let cases = [
        ("empty, exit 0", "exit 0"),
        ("empty, exit 1", "exit 1"),
        (
            "empty, exit 1, with words",
            "echo something happened >&2; exit 1",
        ),
        ("exit 0 with findings", "real \"$@\"; exit 0"),
        (
            "exit code of no contract",
            "real \"$@\" >/dev/null; exit 77",
        ),
        (
            "exit code of no contract, with findings",
            "real \"$@\"; exit 77",
        ),
        ("a line before", "echo Loading...; real \"$@\""),
        (
            "a line after",
            "real \"$@\"; code=$?; echo Done.; exit $code",
        ),
        ("bytes before", "printf '\\377\\000\\n'; real \"$@\""),
        (
            "half a line after",
            "real \"$@\"; code=$?; printf '{\"file'; exit $code",
        ),
        ("the output twice", "real \"$@\"; real \"$@\"; exit 0"),
        ("another JSON", "echo '{}'; exit 1"),
        ("a list", "echo '[]'; exit 1"),
        ("null", "echo null; exit 0"),
        ("text", "echo 'a.py:1: error: x'; exit 1"),
        (
            "deep",
            "head -c 200000 /dev/zero | tr '\\0' '['; echo; exit 1",
        ),
        (
            "a line without end",
            "head -c 40000000 /dev/zero | tr '\\0' 'x'; exit 1",
        ),
        ("no interpreter", "exec /nowhere/python \"$@\""),
        ("closed output", "exec >&-; \"$REAL\" --version; exit 1"),
    ];
    for tool in TOOLS {
        let project = shimmed(tool, "");
        project.write("a.py", BAD);
        for (case, script) in cases {
            shim(&project, tool, &format!("{RECORDED}{script}"));
            let run = gate(&project, tool, &[]);
            expect_no_verdict(&run, &format!("{tool}, {case}"), &[&format!("{tool}: ")]);
        }
    }
}

#[test]
fn output_cut_at_any_byte_is_no_verdict_unless_the_cut_does_not_show() {
    let script = "if [ ! -f \"$STATE/output\" ]; then\n\
        \"$REAL\" \"$@\" > \"$STATE/output\"; echo $? > \"$STATE/code\"\nfi\n\
        head -c \"$(cat \"$STATE/bytes\")\" \"$STATE/output\"\n\
        exit \"$(cat \"$STATE/code\")\"";
    for tool in TOOLS {
        for (content, code) in [(BAD, 1), (GOOD, 0)] {
            let project = shimmed(tool, script);
            project.write("a.py", content);
            let state = project.beside("state");
            let cut_to = |bytes: usize| {
                std::fs::write(state.join("bytes"), bytes.to_string()).unwrap();
                gate(&project, tool, &[])
            };
            let whole = cut_to(10_000_000);
            if !tool.starts_with("ruff") || code == 1 {
                assert_eq!(whole.code, code, "{tool}\n{}", whole.text());
            }
            let output = std::fs::read(state.join("output")).unwrap();
            let length = output.len();
            let ends_of_lines = output
                .iter()
                .enumerate()
                .filter(|(_, byte)| **byte == b'\n')
                .map(|(at, _)| at + 1);
            let mut cuts: Vec<usize> = (0..12).map(|part| length * part / 12).collect();
            cuts.extend([1, 2, length.saturating_sub(2), length.saturating_sub(1)]);
            cuts.extend(ends_of_lines.take(3));
            cuts.retain(|cut| *cut < length);
            cuts.sort_unstable();
            cuts.dedup();
            for cut in cuts {
                let rest = &output[cut..];
                let shows = match tool {
                    // A document is whole without its last line break.
                    "pyright" => !rest.trim_ascii().is_empty(),
                    // Formats of lines are as good after each line: the exit code still says that there are findings.
                    _ => cut == 0 || output[cut - 1] != b'\n',
                };
                let run = cut_to(cut);
                let case = format!("{tool}, exit code {code}, {cut} of {length} bytes");
                if shows {
                    expect_no_verdict(&run, &case, &[&format!("{tool}: ")]);
                } else {
                    assert_eq!(run.code, code, "{case}\n{}", run.text());
                }
            }
        }
    }
}

#[test]
fn a_tool_over_its_time_is_ended_with_all_its_children() {
    for tool in TOOLS {
        let project = shimmed(
            tool,
            "trap '' TERM INT\n(trap '' TERM; echo $$ > \"$STATE/leader\"; exec sleep 321) &\n\
             echo $! > \"$STATE/child\"\necho about to hang >&2\nwhile :; do sleep 1; done",
        );
        project.write("a.py", BAD);
        let started = Instant::now();
        let run = gate(&project, tool, &["--timeout=1s"]);
        expect_no_verdict(
            &run,
            tool,
            &[
                &format!("{tool}: ended because its time was up"),
                "about to hang",
            ],
        );
        let took = started.elapsed();
        assert!(
            (Duration::from_secs(1)..Duration::from_secs(5)).contains(&took),
            "{took:?}"
        );
        for file in ["leader", "child"] {
            let id = std::fs::read_to_string(project.beside("state").join(file)).unwrap();
            assert!(!is_running(id.trim()), "{tool}: the {file} {id} goes on");
        }
    }
}

/// Whether a process runs; one that ended and was not yet waited for does not.
fn is_running(id: &str) -> bool {
    std::fs::read_to_string(format!("/proc/{id}/stat")).is_ok_and(|stat| {
        !stat
            .rsplit(") ")
            .next()
            .unwrap_or_default()
            .starts_with('Z')
    })
}

#[test]
fn a_tool_that_is_nowhere_is_the_users_mistake_with_the_command_that_repairs_it() {
    for tool in TOOLS {
        let package = executable(tool);
        let hint = format!("hint: uv add --dev {package}");
        let project = Project::empty();
        let bin = project.beside("bin");
        let project = project.with("PATH", &bin.display().to_string());
        project.write("a.py", GOOD);
        let parts = [hint.as_str(), "is not on PATH"];
        expect_usage(&gate(&project, tool, &[]), tool, &parts);

        // No program: it must not be executed, and no shell must be asked to.
        std::fs::write(bin.join(package), "#!/bin/sh\nexit 0\n").unwrap();
        expect_usage(&gate(&project, tool, &[]), "not executable", &parts);
        std::fs::remove_file(bin.join(package)).unwrap();
        std::fs::create_dir(bin.join(package)).unwrap();
        expect_usage(&gate(&project, tool, &[]), "a folder", &parts);

        // A relative folder of PATH would take the program from the checkout.
        let relative = project.with("PATH", ".:bin:");
        program(&relative.path().join(package), "#!/bin/sh\nexit 0\n");
        expect_usage(&gate(&relative, tool, &[]), "relative PATH", &parts);
    }
}

#[test]
fn a_program_that_cannot_be_run_is_no_verdict() {
    for tool in TOOLS {
        for (case, content) in [
            ("no interpreter", &b"#!/nowhere/python\n"[..]),
            ("another machine's", b"\x7fELF\x02\x01\x01garbage"),
            ("empty", b""),
        ] {
            let project = Project::empty();
            let bin = project.beside("bin");
            program(&bin.join(executable(tool)), content);
            let project = project.with_path_first(&bin);
            project.write("a.py", GOOD);
            let case = format!("{tool}, {case}");
            expect_no_verdict(&gate(&project, tool, &[]), &case, &[&format!("{tool}: ")]);
        }
    }
}

#[test]
fn a_flood_on_standard_error_hides_no_finding() {
    for (tool, bytes) in [
        ("ruff", 200_000_000),
        ("ruff-format", 20_000_000),
        ("mypy", 20_000_000),
        ("pyright", 20_000_000),
    ] {
        let script = format!("yes 'noise of a tool' | head -c {bytes} >&2\nexec \"$REAL\" \"$@\"");
        let project = shimmed(tool, &script);
        project.write("a.py", BAD);
        expect_findings(&gate(&project, tool, &[]), tool);
    }
}

#[test]
fn a_flood_on_standard_error_hides_no_failure() {
    let noise = "yes 'noise of a tool' | head -c 400000 >&2";
    for (tool, confession) in [
        // ruff goes on without a file that it cannot read, and says so only here.
        ("ruff", "warning: Failed to lint x.py: Permission denied"),
        (
            "ruff-format",
            "warning: Encountered error: Permission denied",
        ),
        // mypy goes on with its defaults, pyright without the folder.
        (
            "mypy",
            "pyproject.toml: [mypy]: strict: Not a boolean: maybe",
        ),
        (
            "pyright",
            "File or directory \"/x/nowhere\" does not exist.",
        ),
    ] {
        let project = shimmed(tool, "");
        project.write("a.py", GOOD);
        for (case, script) in [
            ("before", format!("{noise}\necho '{confession}' >&2")),
            ("after", format!("echo '{confession}' >&2\n{noise}")),
            ("both", format!("{noise}\necho '{confession}' >&2\n{noise}")),
        ] {
            let script = format!("{RECORDED}{script}\nreal \"$@\"");
            shim(&project, tool, &script);
            let case = format!("{tool}, noise {case}");
            let reason =
                expect_no_verdict(&gate(&project, tool, &[]), &case, &[&format!("{tool}: ")]);
            assert!(!reason.contains("checked no file"), "{case}: {reason}");
        }
    }
}

/// mypy reads a configuration that it cannot use first, goes on with its defaults, and talks as much as that same
/// configuration asks for.
#[test]
fn a_talkative_mypy_does_not_hide_its_broken_configuration() {
    let project = real();
    project.write("mypy.ini", "[mypy]\npython_version = 9.9\nverbosity = 2\n");
    for number in 0..300 {
        project.write(
            &format!("module_{number}.py"),
            format!("x: int = {number}\n"),
        );
    }
    expect_no_verdict(
        &gate(&project, "mypy", &[]),
        "mypy",
        &["mypy: could not read its configuration"],
    );
}

#[test]
fn findings_without_end_are_stopped_by_the_time_limit() {
    for (tool, flood) in [
        ("ruff", "yes \"$(head -n 1 \"$STATE/output\")\""),
        ("ruff-format", "yes \"$(head -n 1 \"$STATE/output\")\""),
        ("mypy", "yes \"$(head -n 1 \"$STATE/output\")\""),
        (
            "pyright",
            "printf '{\"generalDiagnostics\":['; yes '{\"file\":\"/a.py\",\"severity\":\"error\",\"message\":\"x\"},'",
        ),
    ] {
        let project = shimmed(
            tool,
            &format!("\"$REAL\" \"$@\" > \"$STATE/output\"\n{flood}"),
        );
        project.write("a.py", BAD);
        let started = Instant::now();
        let run = gate(&project, tool, &["--timeout=2s"]);
        expect_no_verdict(&run, tool, &[&format!("{tool}: ")]);
        assert!(
            started.elapsed() < Duration::from_secs(30),
            "{tool}: {:?}",
            started.elapsed()
        );
    }
}

#[test]
fn one_failed_tool_among_good_ones_is_no_verdict() {
    let project = shimmed("mypy", "exit 1").with_path_first(&tools::environment().join("bin"));
    // The real ones come first: only the order of PATH decides.
    project.write("a.py", GOOD);
    let all = ["--tools=ruff-format,mypy"];
    assert_eq!(gate(&project, "ruff", &all).code, 0);

    let bin = project.beside("bin");
    let project = project.with_path_first(&bin);
    for content in [GOOD, BAD] {
        project.write("a.py", content);
        let run = gate(&project, "ruff", &all);
        run.expect_code(3);
        let report = run.json();
        assert_eq!(report["verdict"], "no-verdict");
        let failed: Vec<&Value> = report["checks"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|check| check["status"] == "failed")
            .collect();
        assert_eq!(failed.len(), 1, "{report:#}");
        assert_eq!(failed[0]["name"], "mypy");
    }
}

#[test]
fn people_are_told_which_tool_failed_its_last_lines_and_where_to_read_on() {
    let project = shimmed(
        "mypy",
        "echo 'first line\nlast line of the crash' >&2; exit 2",
    );
    project.write("a.py", GOOD);
    let run = project.run(&[
        "lint-gate",
        "--tools=mypy",
        "--tool-source=path",
        "--scope=everything",
    ]);
    run.expect_code(3)
        .expect_text("error: mypy gave no verdict")
        .expect_text("mypy: exit code 2\n  first line\n  last line of the crash")
        .expect_text("see: https://")
        .expect_text("lint-gate: no verdict");
}

// Reports.

/// A report that ruff wrote.
fn sarif() -> Vec<u8> {
    std::fs::read(root().join("tests/fixtures/sarif/ruff-0.17.6/stdout")).unwrap()
}

#[test]
fn a_report_that_cannot_be_read_is_no_verdict_with_its_place() {
    let deep = format!("{{\"version\":\"2.1.0\",\"x\":{}", "[".repeat(100_000));
    let result = "{\"version\":\"2.1.0\",\"runs\":[{\"tool\":{\"driver\":{\"name\":\"x\"}},\"results\":[\n{\"message\":{\"text\":\"";
    let mut not_utf8 = result.as_bytes().to_vec();
    not_utf8.extend_from_slice(b"\xff\xfe\"}}]}]}");
    let cases: Vec<(&str, Vec<u8>, &[&str])> = vec![
        ("zero bytes", vec![], &["0 bytes"]),
        ("blank", b" \n\n".to_vec(), &["is empty", "expected"]),
        (
            "not JSON",
            b"ruff: command not found\n".to_vec(),
            &["r.sarif:1:1: expected"],
        ),
        ("a list", b"[]".to_vec(), &["r.sarif:1:1: expected"]),
        ("text", b"\"x\"".to_vec(), &["r.sarif:1:1: expected"]),
        (
            "a wrong version",
            b"{\n  \"version\": \"1.0.0\",\n  \"runs\": []\n}".to_vec(),
            &["r.sarif:", "`1.0.0`", "expected `2.1.0`"],
        ),
        (
            "no version",
            b"{\"runs\": []}".to_vec(),
            &["r.sarif:1:", "`version` is missing"],
        ),
        (
            "no run",
            b"{\"version\":\"2.1.0\",\"runs\": []}".to_vec(),
            &["r.sarif:1:", "no run"],
        ),
        ("deep", deep.into_bytes(), &["r.sarif:1:", "128 deep"]),
        ("not UTF-8", not_utf8, &["r.sarif:2:", "expected"]),
        (
            "UTF-16",
            b"\xff\xfe{\0}\0".to_vec(),
            &["r.sarif:1:1: the report is UTF-16, expected UTF-8"],
        ),
        (
            "unfinished",
            b"{\"version\":\"2.1.0\",\"runs\":[{\"tool\":{\"driver\":{\"name\":\"x\"}}}]}".to_vec(),
            &["x: "],
        ),
        (
            "failed",
            b"{\"version\":\"2.1.0\",\"runs\":[{\"tool\":{\"driver\":{\"name\":\"x\"}},\"results\":[],\
              \"invocations\":[{\"executionSuccessful\":false,\"exitCodeDescription\":\"out of memory\"}]}]}"
                .to_vec(),
            &["x: ", "out of memory"],
        ),
        (
            "two documents",
            [sarif(), sarif()].concat(),
            &["r.sarif:", "expected"],
        ),
    ];
    for (case, content, parts) in cases {
        let project = Project::empty();
        project.write("r.sarif", content);
        expect_no_verdict(&with_report(&project, "r.sarif=sarif"), case, parts);
    }
}

#[test]
fn a_report_that_is_no_file_is_no_verdict() {
    let project = Project::empty();
    expect_no_verdict(
        &with_report(&project, "r.sarif=sarif"),
        "missing",
        &["cannot be read", "No such file"],
    );
    std::fs::create_dir(project.path().join("r.sarif")).unwrap();
    expect_no_verdict(
        &with_report(&project, "r.sarif=sarif"),
        "a folder",
        &["is no file"],
    );
    let dangling = project.path().join("dangling");
    std::os::unix::fs::symlink("nowhere", dangling).unwrap();
    expect_no_verdict(
        &with_report(&project, "dangling=sarif"),
        "a dangling link",
        &["No such file"],
    );
    let _socket = std::os::unix::net::UnixListener::bind(project.path().join("socket")).unwrap();
    expect_no_verdict(
        &with_report(&project, "socket=sarif"),
        "a socket",
        &["is no file"],
    );
    // Opening a pipe that nobody writes to would wait for ever.
    let pipe = project.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    expect_no_verdict(
        &with_report(&project, "pipe=sarif"),
        "a pipe",
        &["is no file"],
    );
    expect_no_verdict(
        &with_report(&project, "/dev/null=sarif"),
        "a device",
        &["is no file"],
    );

    let locked = project.path().join("locked.sarif");
    std::fs::write(&locked, sarif()).unwrap();
    std::fs::set_permissions(&locked, std::fs::Permissions::from_mode(0o000)).unwrap();
    expect_no_verdict(
        &as_nobody(
            &project,
            &[
                "lint-gate",
                "--reports=locked.sarif=sarif",
                "--scope=everything",
                "--output-format=json",
            ],
        ),
        "unreadable",
        &["cannot be read: Permission denied"],
    );
}

/// Runs the binary as somebody whom permissions concern: they do not concern the superuser.
fn as_nobody(project: &Project, arguments: &[&str]) -> Run {
    const NOBODY: u32 = 65_534;
    let copy = project.beside("bin").join("lockgate");
    std::fs::copy(BINARY, &copy).unwrap();
    let folder = project.path().parent().unwrap().to_owned();
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).unwrap();
    let given = project.command(arguments);
    let mut command = std::process::Command::new(&copy);
    command
        .args(given.get_args())
        .current_dir(project.path())
        .env_clear()
        .envs(
            given
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        );
    if rustix::process::geteuid().is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    let output = command.output().unwrap();
    Run {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

#[test]
fn a_report_cut_anywhere_is_no_verdict_with_its_place() {
    let whole = sarif();
    let project = Project::empty();
    for part in 1..=20 {
        let cut = whole.trim_ascii_end().len() * part / 21;
        project.write("r.sarif", &whole[..cut]);
        let run = with_report(&project, "r.sarif=sarif");
        let reason = expect_no_verdict(&run, &format!("{cut} bytes"), &["ends too early"]);
        let place: Vec<&str> = reason.splitn(4, ':').collect();
        let line = whole[..cut].split(|byte| *byte == b'\n').count();
        assert_eq!(place[0], "r.sarif", "{reason}");
        assert_eq!(place[1], line.to_string(), "{reason}");
        assert!(place[2].parse::<u32>().is_ok(), "{reason}");
    }
}

#[test]
fn an_empty_report_counts_only_if_its_tool_succeeded() {
    let project = Project::empty();
    project.write(
        "r.sarif",
        "{\"version\":\"2.1.0\",\"runs\":[{\"tool\":{\"driver\":{\"name\":\"x\"}},\"results\":[]}]}",
    );
    for report in ["r.sarif=sarif", "r.sarif=sarif:0"] {
        assert_eq!(with_report(&project, report).code, 0, "{report}");
    }
    for code in [1, 2, 126, 127, 137, 255] {
        let run = with_report(&project, &format!("r.sarif=sarif:{code}"));
        expect_no_verdict(&run, &code.to_string(), &["exit code", &code.to_string()]);
    }
    // One good report does not make up for a bad one.
    let run = project.run(&[
        "lint-gate",
        "--reports=r.sarif=sarif",
        "--reports=missing.sarif=sarif",
        "--scope=everything",
    ]);
    run.expect_code(3)
        .expect_text("error: missing.sarif gave no verdict");
}

#[test]
fn a_report_that_is_named_wrongly_is_the_users_mistake() {
    for (report, part) in [
        ("r.sarif", "names no format"),
        ("r.sarif=json", "allowed: sarif"),
        ("r.sarif=sarif:x", "where an exit code belongs"),
        ("=sarif", "names no file"),
    ] {
        expect_usage(
            &with_report(&Project::empty(), report),
            report,
            &[part, "`reports`"],
        );
    }
}

// Configuration.

/// A file, its content, the place of the error and what the message must have besides.
type Configuration = (
    &'static str,
    &'static str,
    &'static str,
    &'static [&'static str],
);

const CONFIGURATIONS: &[Configuration] = &[
    (
        "pyproject.toml",
        "[tool.lockgate.lint-gate]\nfail-onn = \"error\"\n",
        "pyproject.toml:2:1",
        &["unknown key `fail-onn`", "hint: write `fail-on`"],
    ),
    (
        "lockgate.yaml",
        "# ours\nlint-gate:\n  fail-onn: error\n",
        "lockgate.yaml:3:",
        &["unknown key `fail-onn`", "hint: write `fail-on`"],
    ),
    (
        "pyproject.toml",
        "[tool.lockgate]\n[tool.lockgate.lint-gat]\nx = 1\n",
        "pyproject.toml:2:",
        &["unknown key `lint-gat`", "hint: write `lint-gate`"],
    ),
    (
        "lockgate.yaml",
        "lint-gat:\n  x: 1\n",
        "lockgate.yaml:",
        &["unknown key `lint-gat`", "hint: write `lint-gate`"],
    ),
    (
        "lockgate.yml",
        "something-else: 1\n",
        "lockgate.yml:",
        &["unknown key `something-else`", "lint-gate"],
    ),
    (
        "pyproject.toml",
        "[tool.lockgate.lint-gate]\nfail-on = \"erorr\"\n",
        "pyproject.toml:2:11",
        &["`erorr`", "`fail-on`", "hint: write `error`"],
    ),
    (
        "lockgate.yaml",
        "lint-gate:\n  scope: changed\n",
        "lockgate.yaml:2:",
        &["`changed`", "`scope`", "allowed: changed-lines"],
    ),
    (
        "pyproject.toml",
        "[tool.lockgate.lint-gate]\ntools = [\"ruf\"]\n",
        "pyproject.toml:2:",
        &["`ruf`", "`tools`", "ruff"],
    ),
    (
        "pyproject.toml",
        "[tool.lockgate.lint-gate]\nfail-on = [\"error\"]\n",
        "pyproject.toml:2:",
        &["`fail-on` takes one value, not a list"],
    ),
    (
        "lockgate.yaml",
        "lint-gate:\n  fail-on: [error]\n",
        "lockgate.yaml:2:",
        &["`fail-on` takes one value, not a list"],
    ),
    (
        "pyproject.toml",
        "[tool.lockgate.lint-gate]\nallow-empty = \"perhaps\"\n",
        "pyproject.toml:2:",
        &["`allow-empty`", "expected true or false"],
    ),
    (
        "pyproject.toml",
        "[tool.lockgate.lint-gate]\ntimeout = 1.5\n",
        "pyproject.toml:2:",
        &["`timeout` must be"],
    ),
    (
        "pyproject.toml",
        "[tool.lockgate.lint-gate]\npaths = { a = 1 }\n",
        "pyproject.toml:2:",
        &["`paths` must be"],
    ),
    (
        "pyproject.toml",
        "[tool.lockgate.lint-gate]\npaths = [[\"a\"]]\n",
        "pyproject.toml:2:",
        &["`paths` must be"],
    ),
    (
        "pyproject.toml",
        "[tool]\nlockgate = 1\n",
        "pyproject.toml:2:",
        &["`tool.lockgate` must be a table"],
    ),
    (
        "pyproject.toml",
        "[tool.lockgate]\nlint-gate = \"x\"\n",
        "pyproject.toml:2:",
        &["`lint-gate` must be a table"],
    ),
    (
        "lockgate.yaml",
        "lint-gate:\n  timeout: 1.5\n",
        "lockgate.yaml:2:",
        &["expected text, a whole number"],
    ),
    (
        "lockgate.yaml",
        "lint-gate:\n  paths: {a: 1}\n",
        "lockgate.yaml:2:",
        &["expected text, a whole number"],
    ),
    (
        "lockgate.yaml",
        "lint-gate: text\n",
        "lockgate.yaml:1:",
        &[],
    ),
    ("lockgate.yaml", "[]\n", "lockgate.yaml:1:", &[]),
    (
        "lockgate.yaml",
        "lint-gate:\n  fail-on: error\n  fail-on: never\n",
        "lockgate.yaml:3:",
        &["fail-on"],
    ),
    (
        "lockgate.yaml",
        "lint-gate:\n\t fail-on: error\n",
        "lockgate.yaml:2:",
        &[],
    ),
    (
        "lockgate.yaml",
        "lint-gate:\n  paths: [a,\n",
        "lockgate.yaml:",
        &[],
    ),
    (
        "pyproject.toml",
        "[tool.lockgate.lint-gate\n",
        "pyproject.toml:1:",
        &["is not valid TOML"],
    ),
    (
        "pyproject.toml",
        "[tool.lockgate.lint-gate]\nfail-on = 'error'\nfail-on = 'never'\n",
        "pyproject.toml:3:",
        &["is not valid TOML"],
    ),
    (
        "pyproject.toml",
        "[tool.lockgate.lint-gate]\ntoken = \"x\"\n",
        "pyproject.toml:2:",
        &["`token` is a secret"],
    ),
    (
        "pyproject.toml",
        "[tool.lockgate]\nrequired-version = \">=99\"\n",
        "pyproject.toml:2:",
        &["requires `>=99`"],
    ),
    (
        "pyproject.toml",
        "[tool.lockgate]\nrequired-version = \"new\"\n",
        "pyproject.toml:2:",
        &["is no version requirement"],
    ),
    (
        "pyproject.toml",
        "[tool.lockgate.lint-gate]\ntimeout = \"soon\"\n",
        "",
        &["`timeout`", "`soon`"],
    ),
    (
        "pyproject.toml",
        "[tool.lockgate.lint-gate]\nreport-until = 2026-13-01\n",
        "pyproject.toml:2:",
        &[],
    ),
    (
        "pyproject.toml",
        "[tool.lockgate.lint-gate]\nexclude = [\"a[\"]\n",
        "",
        &["`exclude`", "`a[`", "is no glob"],
    ),
    (
        "pyproject.toml",
        "[tool.lockgate.lint-gate]\nignore = [\"ruff\"]\n",
        "",
        &["`ignore`", "`ruff`"],
    ),
];

#[test]
fn a_configuration_that_cannot_be_used_says_where_and_what_to_write() {
    for (file, content, place, parts) in CONFIGURATIONS {
        let project = Project::empty();
        project.write("r.sarif", sarif()).write(file, content);
        let run = with_report(&project, "r.sarif=sarif");
        let mut all = vec![*place, "error: "];
        all.extend(*parts);
        expect_usage(&run, &format!("{file}: {content}"), &all);
    }
}

#[test]
fn two_configurations_are_one_too_many() {
    let project = Project::empty();
    project
        .write("pyproject.toml", "[tool.lockgate.lint-gate]\n")
        .write("lockgate.yaml", "lint-gate: {}\n");
    expect_usage(
        &with_report(&project, "r.sarif=sarif"),
        "both",
        &["pyproject.toml", "lockgate.yaml", "hint: keep one of them"],
    );
}

#[test]
fn a_configuration_that_is_not_utf_8_says_where() {
    let content = b"[tool.lockgate.lint-gate]\n# caf\xe9\nfail-on = 'error'\n";
    for file in ["pyproject.toml", "lockgate.yaml"] {
        let project = Project::empty();
        project.write(file, content);
        let run = with_report(&project, "r.sarif=sarif");
        expect_usage(&run, file, &["is not UTF-8", &format!("{file}:2:6")]);
        assert!(
            !run.text().contains(&project.path().display().to_string()),
            "{}",
            run.text()
        );
    }
    let project = Project::empty();
    std::fs::create_dir(project.path().join("lockgate.yaml")).unwrap();
    expect_usage(
        &with_report(&project, "r.sarif=sarif"),
        "a folder",
        &["`lockgate.yaml` cannot be read"],
    );
}

/// Text that would do something if it were printed as it is.
const HOSTILE: [&str; 5] = [
    "::error file=a.py::x",
    "##[add-mask]x",
    "\u{1b}[2J\u{1b}]0;owned\u{7}",
    "\r::stop-commands::x",
    "</code><img src=x>|`\u{202e}",
];

/// Nothing printed may be a command, a control character or markup.
#[track_caller]
fn expect_tame(text: &str, case: &str) {
    assert!(!text.contains("##["), "{case}: {text}");
    assert!(
        !text.contains(['\u{1b}', '\r', '\u{7}', '\u{202e}']),
        "{case}: {text:?}"
    );
    for line in text.lines() {
        let trimmed = line.trim_start();
        let ours = ["::error file=a.py,", "::error title=", "::remove-matcher "];
        assert!(
            !trimmed.starts_with("::") || ours.iter().any(|own| trimmed.starts_with(own)),
            "{case}: {line}"
        );
    }
}

#[test]
fn hostile_keys_and_values_of_a_configuration_only_appear() {
    for text in HOSTILE {
        let quoted = Value::from(text)
            .to_string()
            .replace('\u{7}', "\\u0007")
            .replace('\u{1b}', "\\u001b");
        for content in [
            format!("[tool.lockgate.lint-gate]\n{quoted} = 1\n"),
            format!("[tool.lockgate.lint-gate]\nfail-on = {quoted}\n"),
            format!("[tool.lockgate]\n{quoted} = 1\n"),
            format!("[tool.lockgate]\nrequired-version = {quoted}\n"),
            format!("[tool.lockgate.lint-gate]\nreports = [{quoted}]\n"),
        ] {
            let project = Project::empty();
            project.write("pyproject.toml", &content);
            for project in [project, Project::empty().with("GITHUB_ACTIONS", "true")] {
                project.write("pyproject.toml", &content);
                let run = project.run(&["lint-gate", "--scope=everything"]);
                assert_eq!(run.code, 2, "{content}\n{}", run.text());
                let tame = run.stderr.replace("::error title=", "");
                expect_tame(&tame, &content);
                let mut lines = run.stdout.lines();
                assert!(
                    lines.all(|line| line.starts_with("::error title=lockgate")
                        || line.starts_with("::error file=pyproject.toml,")),
                    "{content}: {}",
                    run.stdout
                );
            }
        }
    }
}

#[test]
fn hostile_file_names_only_appear() {
    for (index, text) in HOSTILE.into_iter().enumerate() {
        let name = format!("{}.py", text.replace('/', "_"));
        let project = real();
        project.write(&name, BAD);
        // mypy refuses such names. pyright takes its time: one of them is enough.
        let tools = ["ruff", "ruff-format", "pyright"];
        for tool in &tools[..if index == 0 { 3 } else { 2 }] {
            let run = project.run(&[
                "lint-gate",
                "--tool-source=path",
                "--scope=everything",
                "--tools",
                tool,
            ]);
            let case = format!("{tool}: {name:?}");
            assert_eq!(run.code, 1, "{case}\n{}", run.text());
            expect_tame(&run.text(), &case);
            if *tool == "ruff" {
                let report = expect_findings(&gate(&project, tool, &[]), &case);
                assert_eq!(report["findings"][0]["path"], name, "{case}");
            }
        }
    }
}

#[test]
fn hostile_last_words_of_a_tool_only_appear() {
    let mut script = String::new();
    for text in HOSTILE {
        let octal = text.bytes().fold(String::new(), |mut octal, byte| {
            let _ = write!(octal, "\\{byte:03o}");
            octal
        });
        let _ = writeln!(script, "printf '{octal}\\n' >&2");
    }
    script.push_str("exit 2");
    let project = shimmed("ruff", &script);
    project.write("a.py", GOOD);
    let run = project.run(&[
        "lint-gate",
        "--tools=ruff",
        "--tool-source=path",
        "--scope=everything",
    ]);
    run.expect_code(3).expect_text("file=a.py::x");
    expect_tame(&run.text(), "last words");
}
