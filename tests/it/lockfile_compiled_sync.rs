//! Compiled requirements beside their inputs: after each of many edits, what the real tool would make of the file tells
//! whether it is stale.
//!
//! `LOCKGATE_CAMPAIGN=7` makes 280 edits.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::fuzzing::{Random, campaign};
use crate::support::lock_tools::lock_tool;
use crate::support::lockgate::Project;
use crate::support::tools::{network, tool};

/// So many edits of each kind of project, before the campaign scales them: uv takes a tenth of the time.
const EDITS: [u64; 2] = [36, 4];

/// The rules that say that a file is stale.
const STALE: [&str; 4] = [
    "requirement-not-locked",
    "requirement-not-satisfied",
    "compiled-via",
    "compiled-marker",
];

const LISTS: &[(&str, &str)] = &[
    (
        "requirements.in",
        "-r deps/base.in\n-c limits.txt\nhttpx>=0.27\nclick\n",
    ),
    ("deps/base.in", "six\nattrs>=23\n"),
    ("limits.txt", "idna<4\ncertifi\niniconfig<3\n"),
];

const DECLARED: &[(&str, &str)] = &[
    (
        "pyproject.toml",
        r#"[project]
name = "shop"
version = "0.1.0"
requires-python = ">=3.9"
dependencies = [
    "six",
    "httpx>=0.27",
]

[project.optional-dependencies]
cli = ["click"]
more = ["packaging"]

[dependency-groups]
lint = ["attrs>=23"]

[build-system]
requires = ["flit_core"]
build-backend = "flit_core.buildapi"
"#,
    ),
    ("shop.py", "\"\"\"A shop.\"\"\"\n__version__ = '0.1.0'\n"),
];

/// A project: its files, and what is given to the tool behind the output.
struct Kind {
    is_uv: bool,
    files: &'static [(&'static str, &'static str)],
    arguments: &'static [&'static str],
}

const KINDS: [Kind; 8] = [
    Kind {
        is_uv: true,
        files: LISTS,
        arguments: &["requirements.in"],
    },
    Kind {
        is_uv: true,
        files: LISTS,
        arguments: &["requirements.in", "--universal", "--python-version", "3.9"],
    },
    Kind {
        is_uv: true,
        files: LISTS,
        arguments: &["requirements.in", "--annotation-style=line", "-p", "3.11"],
    },
    Kind {
        is_uv: true,
        files: LISTS,
        arguments: &["deps/base.in", "requirements.in", "--universal"],
    },
    Kind {
        is_uv: true,
        files: DECLARED,
        arguments: &["pyproject.toml", "--extra", "cli", "--group", "lint"],
    },
    Kind {
        is_uv: true,
        files: LISTS,
        arguments: &["requirements.in", "--no-annotate"],
    },
    Kind {
        is_uv: false,
        files: LISTS,
        arguments: &["--no-strip-extras", "requirements.in"],
    },
    Kind {
        is_uv: false,
        files: DECLARED,
        arguments: &["--strip-extras", "--extra=cli", "pyproject.toml"],
    },
];

/// A file, what is replaced in it, and by what.
type Edit = (&'static str, &'static str, &'static str);

/// Edits of a list: what is replaced in which file by what. What is not in the file is passed over.
const EDITS_OF_LISTS: &[Edit] = &[
    ("requirements.in", "click\n", "click\nidna\n"),
    ("requirements.in", "click\n", "click\npackaging\n"),
    ("requirements.in", "click\n", ""),
    ("requirements.in", "click\n", "Click >= 8  # why\n\n"),
    ("requirements.in", "click\n", "click==8.1.7\n"),
    ("requirements.in", "click\n", "click<8.2\n"),
    ("requirements.in", "click\n", "click\nclick>=7\n"),
    (
        "requirements.in",
        "click\n",
        "click ; python_version >= '3.8'\n",
    ),
    (
        "requirements.in",
        "click\n",
        "click ; python_version < '3'\n",
    ),
    (
        "requirements.in",
        "click\n",
        "click ; python_version >= '3.8' and sys_platform != 'atari'\n",
    ),
    (
        "requirements.in",
        "httpx>=0.27\nclick\n",
        "click\nhttpx>=0.27\n",
    ),
    ("requirements.in", "httpx>=0.27", "httpx>=0.20,<1"),
    ("requirements.in", "httpx>=0.27", "httpx<0.27"),
    ("requirements.in", "httpx>=0.27", "httpx[http2]>=0.27"),
    ("requirements.in", "httpx>=0.27\n", ""),
    (
        "requirements.in",
        "httpx>=0.27\n",
        "httpx>=0.27\nh11\ncertifi>=2020\n",
    ),
    ("requirements.in", "-c limits.txt\n", ""),
    ("requirements.in", "-r deps/base.in\n", ""),
    (
        "requirements.in",
        "-r deps/base.in\n",
        "-r deps/base.in\nsix>=1\n",
    ),
    ("requirements.in", "-r deps/base.in", "-r ./deps/base.in"),
    ("deps/base.in", "six\n", ""),
    ("deps/base.in", "six\n", "SIX\n"),
    ("deps/base.in", "six\n", "six<1.17\n"),
    ("deps/base.in", "six\n", "six\npackaging\n"),
    ("deps/base.in", "six\n", "six\n# packaging\n--pre\n"),
    ("deps/base.in", "attrs>=23", "attrs>=22"),
    ("deps/base.in", "attrs>=23", "attrs==23.2.0"),
    (
        "deps/base.in",
        "attrs>=23",
        "attrs>=23 ; sys_platform != 'atari'",
    ),
    ("limits.txt", "idna<4", "idna<3.5"),
    ("limits.txt", "idna<4\n", ""),
    ("limits.txt", "idna<4", "idna>=3"),
    ("limits.txt", "iniconfig<3\n", ""),
    ("limits.txt", "iniconfig<3", "iniconfig<1"),
    ("limits.txt", "iniconfig<3\n", "iniconfig<3\nh11\n"),
    (
        "limits.txt",
        "certifi",
        "certifi>=2020 ; python_version >= '3.8'",
    ),
    ("limits.txt", "certifi", "certifi ; python_version < '3'"),
    ("pyproject.toml", "\"six\"", "\"Six >= 1.0\""),
    ("pyproject.toml", "\"six\"", "\"six<1.17\""),
    ("pyproject.toml", "    \"six\",\n", ""),
    ("pyproject.toml", "\"six\"", "\"six\", \"idna\""),
    ("pyproject.toml", "\"six\"", "\"six\", \"iniconfig\""),
    (
        "pyproject.toml",
        "\"six\"",
        "\"six ; python_version < '3'\"",
    ),
    (
        "pyproject.toml",
        "\"six\"",
        "\"six ; sys_platform != 'atari'\"",
    ),
    ("pyproject.toml", "0.1.0", "0.2.0"),
    ("pyproject.toml", "\"click\"", "\"click\", \"shop[more]\""),
    ("pyproject.toml", "\"click\"", "\"click<8.2\""),
    ("pyproject.toml", "[\"click\"]", "[]"),
    ("pyproject.toml", "\"packaging\"", "\"idna\""),
    ("pyproject.toml", "\"attrs>=23\"", "\"attrs==23.2.0\""),
    ("pyproject.toml", "[\"attrs>=23\"]", "[]"),
    (
        "pyproject.toml",
        "[\"attrs>=23\"]",
        "[\"attrs\", \"iniconfig\"]",
    ),
    (
        "pyproject.toml",
        "lint = [",
        "other = [\"iniconfig\"]\nlint = [{include-group = \"other\"}, ",
    ),
    ("pyproject.toml", ">=3.9", ">=3.8"),
];

const OUTPUT: &str = "requirements.txt";

/// Compiles; what the tool says where it cannot.
fn compile(kind: &Kind, project: &Project, is_offline: bool) -> Result<String, String> {
    let temp = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let mut command = if kind.is_uv {
        let mut command = Command::new(tool("uv"));
        command.args(["pip", "compile", "--quiet", "-o", OUTPUT]);
        command.args(is_offline.then_some("--offline"));
        command
    } else {
        let mut command = Command::new(lock_tool("pip-tools").join("bin/pip-compile"));
        command.args(["--quiet", "--no-config", "--output-file", OUTPUT]);
        command
    };
    let path = format!(
        "{}:{}",
        lock_tool("pip-tools").join("bin").display(),
        std::env::var("PATH").unwrap()
    );
    let output = command
        .args(kind.arguments)
        .current_dir(project.path())
        .env_clear()
        .envs(network())
        .env("PATH", path)
        .env("HOME", project.beside("home"))
        .env("LANG", "C.UTF-8")
        .env("UV_NO_CONFIG", "1")
        .env("UV_CACHE_DIR", temp.join("uv-cache"))
        .env("PIP_CACHE_DIR", temp.join("pip-cache"))
        .output()
        .unwrap();
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    Ok(std::fs::read_to_string(project.path().join(OUTPUT)).unwrap())
}

/// The rules of the findings.
fn rules(project: &Project) -> Vec<String> {
    let run = project.run(&["lockfile-verify", OUTPUT, "--output-format=json"]);
    let report = run.json();
    let findings = report["findings"].as_array().unwrap();
    let rule = |finding: &Value| finding["rule"].as_str().unwrap().to_owned();
    findings.iter().map(rule).collect()
}

/// A project of a kind, with the file that the tool makes of it.
fn compiled(kind: &Kind) -> (Project, String) {
    let project = Project::empty();
    for (path, text) in kind.files {
        project.write(path, text);
    }
    // Whatever an edit needs is in the cache then.
    if kind.is_uv {
        project.write("all.in", "httpx[http2]\npackaging\niniconfig\nflit_core\n");
        let all = Kind {
            arguments: &["all.in"],
            ..*kind
        };
        compile(&all, &project, false).unwrap();
        std::fs::remove_file(project.path().join(OUTPUT)).unwrap();
    }
    let text = compile(kind, &project, false).unwrap_or_else(|error| panic!("{error}"));
    (project, text)
}

/// The pins and their annotations, without the header: it shows options that change nothing.
fn pins(text: &str) -> Vec<&str> {
    text.lines().filter(|line| !line.starts_with('#')).collect()
}

/// What the tool's answer and ours were.
#[derive(Debug, Default)]
struct Counts {
    stale: usize,
    fresh: usize,
    refused: usize,
    blind: usize,
}

#[test]
#[expect(
    clippy::print_stderr,
    reason = "the figures are the point of a campaign"
)]
fn a_file_is_stale_where_compiling_it_anew_would_change_it() {
    let mut random = Random(23);
    let mut counts = Counts::default();
    let mut wrong = Vec::new();
    for is_uv in [true, false] {
        let kinds: Vec<&Kind> = KINDS.iter().filter(|kind| kind.is_uv == is_uv).collect();
        let edits = EDITS[usize::from(!is_uv)] * campaign();
        let each = usize::try_from(edits).unwrap().div_ceil(kinds.len());
        for kind in kinds {
            let (project, text) = compiled(kind);
            let found = rules(&project);
            let is_quiet = found
                .iter()
                .all(|rule| rule != "sync-unverifiable" && !STALE.contains(&rule.as_str()));
            if !is_quiet {
                wrong.push(format!(
                    "untouched: {:?}: {found:?}\n{text}",
                    kind.arguments
                ));
            }
            let own: Vec<&Edit> = EDITS_OF_LISTS
                .iter()
                .filter(|(path, ..)| kind.files.iter().any(|(own, _)| own == path))
                .collect();
            let mut alone = own.clone();
            for _ in 0..each {
                // Each alone, in any order; a campaign goes on with two at once.
                let edits = if alone.is_empty() {
                    let first = own[random.below(own.len())];
                    let others = own
                        .iter()
                        .filter(|(path, from, _)| (*path, *from) != (first.0, first.1));
                    let others: Vec<_> = others.copied().collect();
                    vec![first, others[random.below(others.len())]]
                } else {
                    vec![alone.remove(random.below(alone.len()))]
                };
                for (path, from, to) in &edits {
                    let file = project.path().join(path);
                    let before = std::fs::read_to_string(&file).unwrap();
                    let edited = before.replacen(from, to, 1);
                    assert!(edits.len() > 1 || edited != before, "{from}");
                    project.write(path, &edited);
                }
                project.write(OUTPUT, &text);
                let found = rules(&project);
                let is_stale = found.iter().any(|rule| STALE.contains(&rule.as_str()));
                let theirs = compile(kind, &project, true);
                for (path, before) in kind.files {
                    project.write(path, before);
                }
                let is_blind = edits.iter().any(|(_, from, to)| is_blind(kind, from, to));
                let shown =
                    |what: &str| format!("{what}: {:?} {edits:?}: {found:?}", kind.arguments);
                match theirs {
                    // What is not in the cache is another version than is locked.
                    Err(_) if is_stale => counts.refused += 1,
                    Err(_) if is_blind => counts.blind += 1,
                    Err(error) => wrong.push(shown(&format!("refused, {error}"))),
                    Ok(theirs) if pins(&theirs) == pins(&text) && !is_stale => counts.fresh += 1,
                    Ok(theirs) if pins(&theirs) != pins(&text) && is_stale => counts.stale += 1,
                    // Which packages an extra brings no file here says; which platform it is, neither.
                    Ok(theirs) if pins(&theirs) != pins(&text) && is_blind => {
                        counts.blind += 1;
                    }
                    Ok(theirs) if pins(&theirs) == pins(&text) => wrong.push(shown("false alarm")),
                    Ok(theirs) => wrong.push(shown(&format!("missed\n{theirs}"))),
                }
            }
        }
    }
    eprintln!("{counts:?}, {} wrong", wrong.len());
    assert!(
        wrong.is_empty(),
        "{} wrong, {counts:?}\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(counts.stale > 10 && counts.fresh > 5, "{counts:?}");
}

/// Whether what an edit changes cannot be seen in the files: the extras of packages whose names a file has without them, a
/// package of a file without annotations that is wanted no longer, the marker that pip-compile takes from a constraint, and
/// what uv annotates twice, as it reads it twice.
fn is_blind(kind: &Kind, from: &str, to: &str) -> bool {
    let is_twice = kind.arguments.first() == Some(&"deps/base.in") && from.starts_with("-r ");
    let is_bare = kind.arguments.contains(&"--no-annotate");
    let is_limit = !kind.is_uv && to.starts_with("certifi");
    is_bare || is_limit || is_twice || to.contains("[http2]")
}

#[test]
fn what_cannot_be_compared_is_no_verdict_where_that_is_asked_for() {
    let project = Project::empty();
    let lock = |command: &str| {
        format!(
            "# This file was autogenerated by uv via the following command:\n#    {command}\nsix==1.17.0 \\\n    --hash=sha256:{}\n    # via -r requirements.in\n",
            "a".repeat(64)
        )
    };
    project.write("setup.py", "from setuptools import setup\nsetup()\n");
    project.write("requirements.in", "six\n");
    project.write("../outside.in", "six\n");
    for (command, part) in [
        ("uv pip compile setup.py", "build backend"),
        ("uv pip compile gone.in", "`gone.in`"),
        ("uv pip compile ../outside.in", "`../outside.in`"),
        ("uv pip compile requirements.in -c gone.txt", "`gone.txt`"),
    ] {
        project.write(OUTPUT, lock(command));
        let run = project.run(&["lockfile-verify", "--output-format=json"]);
        run.expect_code(0).expect_text(part);
        assert_eq!(rules(&project), ["sync-unverifiable"], "{command}");
        project.run(&["lockfile-verify", "--strict"]).expect_code(3);
    }
    for command in ["uv pip compile requirements.in", "make lock", "uv export"] {
        project.write(OUTPUT, lock(command));
        project.run(&["lockfile-verify", "--strict"]).expect_code(0);
    }
}

#[test]
fn an_input_that_changed_makes_a_finding_new_though_the_file_is_as_it_was() {
    let project = Project::empty();
    project.write("requirements.in", "six\n");
    project.write(
        OUTPUT,
        format!("# This file was autogenerated by uv via the following command:\n#    uv pip compile requirements.in\nsix==1.17.0 --hash=sha256:{}\n    # via -r requirements.in\n", "a".repeat(64)),
    );
    project.git(&["init", "--quiet", "--initial-branch=main"]);
    let base = project.commit("base");
    project.write("requirements.in", "six>=2\n");
    project.commit("change");
    let run = project.run(&["lockfile-verify", "--output-format=json", "--base", &base]);
    run.expect_code(1);
    let report = run.json();
    let finding = &report["findings"][0];
    assert_eq!(finding["rule"], "requirement-not-satisfied", "{report}");
    assert_eq!(finding["path"], "requirements.in");
    assert_eq!(finding["new"], true);
}

#[test]
fn a_lock_of_pep_751_is_held_to_the_project_beside_it() {
    let project = Project::empty();
    let declared = "[project]\nname = \"shop\"\nversion = \"1\"\nrequires-python = \">=3.11\"\ndependencies = [\"six>=1.16\", \"attrs\"]\n";
    project.write("pyproject.toml", declared);
    let output = Command::new(tool("uv"))
        .args([
            "pip",
            "compile",
            "-q",
            "pyproject.toml",
            "-o",
            "pylock.toml",
        ])
        .current_dir(project.path())
        .env_clear()
        .envs(network())
        .env("PATH", std::env::var("PATH").unwrap())
        .env("HOME", project.beside("home"))
        .env("UV_NO_CONFIG", "1")
        .env(
            "UV_CACHE_DIR",
            Path::new(env!("CARGO_TARGET_TMPDIR")).join("uv-cache"),
        )
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let verify = |expected: &[(&str, &str)]| {
        let run = project.run(&["lockfile-verify", "--output-format=json"]);
        run.expect_code(0);
        let report = run.json();
        let findings: Vec<(&str, &str)> = report["findings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| {
                (
                    one["rule"].as_str().unwrap(),
                    one["severity"].as_str().unwrap(),
                )
            })
            .collect();
        assert_eq!(findings, expected);
    };
    verify(&[]);
    project.write("pyproject.toml", declared.replace(">=1.16", "<1.16"));
    verify(&[("requirement-not-satisfied", "warning")]);
    project.write("pyproject.toml", declared.replace("attrs", "idna"));
    verify(&[("requirement-not-locked", "warning")]);
    // Nothing of it is locked: it is the lock of something else.
    project.write(
        "pyproject.toml",
        declared.replace("attrs", "idna").replace("six", "click"),
    );
    verify(&[]);
}
