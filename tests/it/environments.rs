//! Where tools come from: the project's `.venv`, an environment made from the lock, PATH; and what must not happen on
//! the way.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};

use crate::lockfile_poetry_pdm;
use crate::support::expect::root;
use crate::support::lockgate::{Project, Run};
use crate::support::tools;

const SCOPE: &str = "--scope=everything";
/// A file of the example that a type checker is soon done with.
const SMALL: &str = "src/notes/__init__.py";

/// The pinned version of a tool in the list of the tests.
fn pinned(package: &str) -> String {
    let line = requirement(package);
    let version = line.split("==").nth(1).unwrap();
    version.split_whitespace().next().unwrap().to_owned()
}

/// The entry of a package in the list of the tests: name, version and hashes.
fn requirement(package: &str) -> String {
    let list = std::fs::read_to_string(root().join("tests/tools/requirements.txt")).unwrap();
    let start = list.find(&format!("\n{package}==")).expect("pinned") + 1;
    let lines = list[start..].split_inclusive('\n');
    let entry = lines.enumerate();
    entry
        .take_while(|(index, line)| *index == 0 || line.trim_start().starts_with("--hash="))
        .map(|(_, line)| line)
        .collect()
}

/// The way to the package index that this machine has, and downloads that are kept between runs.
fn networked(mut project: Project) -> Project {
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR"));
    for (name, folder) in [("UV_CACHE_DIR", "uv-cache"), ("PIP_CACHE_DIR", "pip-cache")] {
        project = project.with(name, &kept.join(folder).display().to_string());
    }
    for name in [
        "HTTPS_PROXY",
        "https_proxy",
        "NO_PROXY",
        "no_proxy",
        "PIP_CERT",
    ] {
        if let Ok(value) = std::env::var(name) {
            project = project.with(name, &value);
        }
    }
    match std::env::var("SSL_CERT_FILE").or_else(|_| std::env::var("PIP_CERT")) {
        Ok(value) => project.with("SSL_CERT_FILE", &value),
        Err(_) => project,
    }
}

/// The same project with a cache that nobody else uses.
fn alone(project: Project) -> Project {
    let cache = project.beside("cache").display().to_string();
    project.with("LOCKGATE_CACHE_DIR", &cache)
}

/// The example, committed, with the pinned uv on PATH.
fn example() -> Project {
    let project = networked(Project::example());
    let bin = project.beside("bin");
    link(&bin.join("uv"), &tools::tool("uv"));
    project.with_path_first(&bin)
}

/// A project of one file whose lock is this requirements file; no uv.
fn required(requirements: &str) -> Project {
    let project = networked(Project::empty());
    project
        .write("a.py", "x = 1\n")
        .write("requirements.txt", requirements);
    project
}

/// What a machine has without uv and without tools: Python and git.
fn bare(project: Project) -> Project {
    let bin = project.beside("bare");
    let python = tools::python().canonicalize().unwrap();
    link(&bin.join("python3"), &python);
    let path = std::env::var("PATH").unwrap();
    let git = std::env::split_paths(&path).map(|folder| folder.join("git"));
    link(
        &bin.join("git"),
        &git.into_iter().find(|path| path.is_file()).expect("git"),
    );
    for program in ["sh", "env"] {
        link(&bin.join(program), &Path::new("/usr/bin").join(program));
    }
    project.with("PATH", &bin.display().to_string())
}

fn link(from: &Path, to: &Path) {
    std::os::unix::fs::symlink(to, from).unwrap();
}

fn program(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let _ = std::fs::remove_file(path);
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// Puts a uv of ours in front of the real one; `$REAL`, `$STATE` and a log of calls are there.
fn with_uv(project: Project, script: &str) -> Project {
    let (bin, state) = (project.beside("wrapped"), project.beside("state"));
    program(
        &bin.join("uv"),
        &format!(
            "#!/bin/sh\nREAL='{}'\nSTATE='{}'\necho called >> \"$STATE/calls\"\n{script}\n",
            tools::tool("uv").display(),
            state.display()
        ),
    );
    project.with_path_first(&bin)
}

fn state(project: &Project, name: &str) -> String {
    std::fs::read_to_string(project.beside("state").join(name)).unwrap_or_default()
}

fn ruff(project: &Project, extra: &[&str]) -> Run {
    let mut arguments = vec!["lint-gate", "--tools=ruff", SCOPE];
    arguments.extend(extra);
    project.run(&arguments)
}

/// An environment as uv leaves it, but with a ruff of ours that says so and finds nothing.
fn forged_environment(folder: &Path, project: &Project, version: &str) {
    program(
        &folder.join("bin/ruff"),
        &format!(
            "#!/bin/sh\necho \"$0\" >> '{}'\nexit 0\n",
            project.beside("state").join("forged").display()
        ),
    );
    std::fs::write(folder.join("pyvenv.cfg"), "home = /usr/bin\n").unwrap();
    let site = folder.join("lib/python3.11/site-packages");
    std::fs::create_dir_all(site.join(format!("ruff-{version}.dist-info"))).unwrap();
    std::fs::write(
        site.join(format!("ruff-{version}.dist-info/METADATA")),
        "Name: ruff\n",
    )
    .unwrap();
}

/// Every file below a folder with its digest, its length and its permissions.
fn tree(folder: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap().flatten() {
            let (path, kind) = (entry.path(), entry.file_type().unwrap());
            let value = if kind.is_symlink() {
                std::fs::read_link(&path).unwrap().display().to_string()
            } else if kind.is_dir() {
                // Python compiles what it imports from it, whoever starts it.
                if entry.file_name() != "__pycache__" {
                    folders.push(path.clone());
                }
                continue;
            } else {
                let bytes = std::fs::read(&path).unwrap();
                let mode = entry.metadata().unwrap().permissions().mode();
                format!("{mode:o} {:?}", Sha256::digest(bytes))
            };
            found.insert(path, value);
        }
    }
    found
}

/// Makes the project's own environment as its user would.
fn sync(project: &Project) {
    let uv = tools::tool("uv");
    let gate = project.command(&[]);
    let output = Command::new(uv)
        .args(["sync", "--frozen", "--quiet"])
        .current_dir(project.path())
        .env_clear()
        .envs(
            gate.get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn the_projects_own_environment_is_used_where_it_is_the_locked_one() {
    let project = with_uv(example(), "exit 9");
    sync(&project);
    let venv = project.path().join(".venv");
    let before = tree(&venv);
    let run = project.run(&["lint-gate", "--tools=ruff,mypy", SCOPE, SMALL]);
    run.expect_code(0)
        .expect_text(&format!("ruff {} from .venv", pinned("ruff")))
        .expect_text(&format!("mypy {} from .venv", pinned("mypy")));
    assert_eq!(state(&project, "calls"), "", "nothing is installed");
    assert!(tree(&venv) == before, "the user's environment was changed");
}

#[test]
fn an_environment_of_another_version_is_neither_used_nor_changed() {
    let project = example();
    let venv = project.path().join(".venv");
    forged_environment(&venv, &project, "0.0.1");
    let before = tree(&venv);
    ruff(&project, &[])
        .expect_code(0)
        .expect_text(&format!("ruff {} from uv.lock", pinned("ruff")));
    assert!(tree(&venv) == before, "the user's environment was changed");
    assert_eq!(state(&project, "forged"), "");

    // One tool that does not fit sends all to the lock's environment: they must see the same packages.
    std::fs::remove_dir_all(&venv).unwrap();
    forged_environment(&venv, &project, &pinned("ruff"));
    let run = project.run(&["lint-gate", "--tools=ruff,mypy", SCOPE, SMALL]);
    run.expect_code(0)
        .expect_text(&format!("ruff {} from uv.lock", pinned("ruff")))
        .expect_text(&format!("mypy {} from uv.lock", pinned("mypy")));
    assert_eq!(state(&project, "forged"), "");

    // Both spellings of the truth must agree: the version and the program.
    std::fs::remove_file(venv.join("bin/ruff")).unwrap();
    ruff(&project, &[])
        .expect_code(0)
        .expect_text("from uv.lock");
}

/// A name, and what is done to the project.
type Setup = (&'static str, fn(&Project));

#[test]
fn an_environment_that_came_with_the_checkout_is_never_used() {
    let cases: [Setup; 3] = [
        ("a folder", |project| {
            let venv = project.path().join(".venv");
            forged_environment(&venv, project, &pinned("ruff"));
            project.git(&["add", "--force", ".venv"]);
        }),
        ("one file of it", |project| {
            let venv = project.path().join(".venv");
            forged_environment(&venv, project, &pinned("ruff"));
            project.git(&["add", "--force", ".venv/bin/ruff"]);
        }),
        ("a link to another folder", |project| {
            forged_environment(&project.path().join("hidden"), project, &pinned("ruff"));
            link(&project.path().join(".venv"), Path::new("hidden"));
            project.git(&["add", "--force", ".venv", "hidden"]);
        }),
    ];
    for (case, setup) in cases {
        let project = example();
        setup(&project);
        project.git(&["commit", "--quiet", "--message", "an environment"]);
        let run = ruff(&project, &[]);
        assert_eq!(run.code, 0, "{case}\n{}", run.text());
        assert_eq!(state(&project, "forged"), "", "{case}: it ran");
        let origin = format!("ruff {} from uv.lock", pinned("ruff"));
        assert!(run.text().contains(&origin), "{case}\n{}", run.text());
    }
}

#[test]
fn an_environment_is_made_from_uv_lock_once() {
    let project = alone(with_uv(example(), "exec \"$REAL\" \"$@\""));
    let before = tree(&project.path());
    let run = ruff(&project, &[]);
    run.expect_code(0)
        .expect_text("making an environment from uv.lock (")
        .expect_text("environment ready after ")
        .expect_text(&format!("ruff {} from uv.lock", pinned("ruff")));
    assert!(
        !project.path().join(".venv").exists(),
        "the project got an environment"
    );

    let started = Instant::now();
    let again = ruff(&project, &[]);
    let took = started.elapsed();
    again.expect_code(0);
    assert!(
        !again.text().contains("environment"),
        "made again:\n{}",
        again.text()
    );
    assert!(took < Duration::from_secs(2), "{took:?}");
    assert_eq!(state(&project, "calls"), "called\n");
    // ruff and git keep notes of their own.
    let own = |path: &PathBuf| {
        ![".ruff_cache", ".git"]
            .iter()
            .any(|name| path.components().any(|part| part.as_os_str() == *name))
    };
    let after = tree(&project.path());
    let changed: Vec<_> = after
        .iter()
        .filter(|(path, value)| own(path) && before.get(*path) != Some(*value))
        .collect();
    assert!(changed.is_empty(), "{changed:?}");

    // Another lock is another environment.
    let lock = std::fs::read_to_string(project.path().join("uv.lock")).unwrap();
    project.write("uv.lock", format!("# changed\n{lock}"));
    ruff(&project, &[])
        .expect_code(0)
        .expect_text("making an environment from uv.lock");
}

#[test]
fn without_uv_the_pinned_one_is_installed_by_its_hash() {
    let project = alone(bare(networked(Project::example())));
    let run = ruff(&project, &[]);
    run.expect_code(0)
        .expect_text("uv is not on PATH: installing the pinned one")
        .expect_text(&format!("ruff {} from uv.lock", pinned("ruff")));
    let kept: Vec<_> = std::fs::read_dir(project.beside("cache").join("tools"))
        .unwrap()
        .flatten()
        .filter(|entry| {
            entry
                .path()
                .extension()
                .is_some_and(|end| end == "complete")
        })
        .collect();
    assert_eq!(kept.len(), 1);

    // Another lock, the same uv.
    let lock = std::fs::read_to_string(project.path().join("uv.lock")).unwrap();
    project.write("uv.lock", format!("# changed\n{lock}"));
    let again = ruff(&project, &[]);
    again
        .expect_code(0)
        .expect_text("making an environment from uv.lock");
    assert!(
        !again.text().contains("installing the pinned one"),
        "{}",
        again.text()
    );
}

#[test]
fn an_environment_is_made_from_hashed_requirements_by_pip() {
    let project = alone(bare(required(&requirement("ruff"))));
    // Modules of the project must not stand for those of Python while its environment is made.
    for module in [
        "venv",
        "logging",
        "types",
        "pip",
        "ensurepip",
        "sitecustomize",
    ] {
        let note = project.beside("state").join(module);
        project.write(
            &format!("{module}.py"),
            format!("open({:?}, 'w').close()\n", note.display().to_string()),
        );
    }
    ruff(&project, &["--exclude=*"])
        .expect_code(0)
        .expect_text("making an environment from requirements.txt (1 package)")
        .expect_text(&format!("ruff {} from requirements.txt", pinned("ruff")));
    let ran: Vec<_> = std::fs::read_dir(project.beside("state"))
        .unwrap()
        .flatten()
        .collect();
    assert!(ran.is_empty(), "code of the project ran: {ran:?}");
    let again = ruff(&project, &["--exclude=*"]);
    again.expect_code(0);
    assert!(
        !again.text().contains("making an environment"),
        "{}",
        again.text()
    );
}

/// Turns the first digit of every hash of the text into another one.
fn with_wrong_hashes(text: &str) -> String {
    let mut parts = text.split("sha256:");
    let mut wrong = parts.next().unwrap().to_owned();
    for part in parts {
        let other = if part.starts_with('0') { '1' } else { '0' };
        wrong.push_str("sha256:");
        wrong.push(other);
        wrong.push_str(&part[1..]);
    }
    wrong
}

#[test]
fn a_hash_that_does_not_match_is_no_verdict_with_the_installers_last_lines() {
    let project = alone(bare(required(&with_wrong_hashes(&requirement("ruff")))));
    ruff(&project, &[])
        .expect_code(3)
        .expect_text("`pip install --require-hashes` failed on `requirements.txt`: exit code 1")
        .expect_text("DO NOT MATCH THE HASHES")
        .expect_text("hint: ");

    let project = alone(example());
    let lock = std::fs::read_to_string(project.path().join("uv.lock")).unwrap();
    let at = lock.find("name = \"ruff\"\nversion").unwrap();
    let end = at + lock[at..].find("[[package]]").unwrap();
    let wrong = with_wrong_hashes(&lock[at..end]);
    let wrong = format!("{}{wrong}{}", &lock[..at], &lock[end..]);
    project.write("uv.lock", wrong);
    for _ in 0..2 {
        ruff(&project, &[])
            .expect_code(3)
            .expect_text("`uv sync` failed on `uv.lock`: exit code")
            .expect_text("Hash mismatch for `ruff==");
    }
    project.write("uv.lock", lock);
    ruff(&project, &[]).expect_code(0);
}

#[test]
fn two_runs_at_the_same_time_make_an_environment_once() {
    let project = alone(with_uv(example(), "sleep 1\nexec \"$REAL\" \"$@\""));
    let run = || {
        project
            .command(&["lint-gate", "--tools=ruff", SCOPE])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let runs: Vec<_> = (0..3).map(|_| run()).collect();
    let mut makers = 0;
    for run in runs {
        let output = run.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{text}");
        makers += usize::from(text.contains("making an environment"));
    }
    assert_eq!((makers, state(&project, "calls").as_str()), (1, "called\n"));
}

#[test]
fn an_environment_that_was_left_half_made_is_made_anew() {
    // The first uv leaves an environment that looks whole and ends the run that asked for it.
    let project = alone(with_uv(
        example(),
        "if [ \"$(wc -l < \"$STATE/calls\")\" -eq 1 ]; then\n\
            mkdir -p \"$UV_PROJECT_ENVIRONMENT/bin\"\n\
            echo home > \"$UV_PROJECT_ENVIRONMENT/pyvenv.cfg\"\n\
            printf '#!/bin/sh\\nexit 0\\n' > \"$UV_PROJECT_ENVIRONMENT/bin/ruff\"\n\
            chmod +x \"$UV_PROJECT_ENVIRONMENT/bin/ruff\"\n\
            kill -KILL $PPID\nexit 0\nfi\nexec \"$REAL\" \"$@\"",
    ));
    let killed = ruff(&project, &[]);
    assert_eq!(killed.code, -1, "{}", killed.text());
    ruff(&project, &[])
        .expect_code(0)
        .expect_text("making an environment from uv.lock")
        .expect_text(&format!("ruff {} from uv.lock", pinned("ruff")));
    assert_eq!(state(&project, "calls"), "called\ncalled\n");
}

#[test]
fn an_installer_that_fails_or_lies_is_no_verdict() {
    for (case, script, parts) in [
        (
            "a failure",
            "echo 'error: the index is on fire' >&2; exit 2",
            &[
                "`uv sync` failed on `uv.lock`: exit code 2",
                "the index is on fire",
            ][..],
        ),
        ("a crash", "kill -SEGV $$", &["killed by signal 11"]),
        ("nothing made", "exit 0", &["left no environment"]),
        (
            "without the tool",
            "mkdir -p \"$UV_PROJECT_ENVIRONMENT\"; echo x > \"$UV_PROJECT_ENVIRONMENT/pyvenv.cfg\"",
            &["has no `ruff`", "hint: "],
        ),
    ] {
        let project = alone(with_uv(example(), script));
        let run = ruff(&project, &[]);
        assert_eq!(run.code, 3, "{case}\n{}", run.text());
        for part in parts {
            run.expect_text(part);
        }
    }
}

#[test]
fn locks_of_other_tools_make_environments_without_the_tool() {
    for (name, program, lock) in [
        ("poetry-2", "poetry", "poetry.lock"),
        ("pdm-2", "pdm", "pdm.lock"),
    ] {
        let project = alone(bare(networked(Project::empty())));
        project.write("a.py", "x = 1\n").write(
            "pyproject.toml",
            format!(
                "[project]\nname = \"app\"\nversion = \"0.1.0\"\nrequires-python = \">=3.11\"\n\
                 dependencies = [\"six\"]\n[dependency-groups]\nlint = [\"ruff=={}\"]\nother = [\"iniconfig\"]\n\
                 [[tool.{program}.source]]\nname = \"simple\"\nurl = \"{}\"\n",
                pinned("ruff"),
                crate::support::lock_tools::index()
            ),
        );
        lockfile_poetry_pdm::make(name, program, &project);
        ruff(&project, &[])
            .expect_code(0)
            .expect_text(&format!("making an environment from {lock} (2 packages)"))
            .expect_text(&format!("ruff {} from {lock}", pinned("ruff")));
        assert!(!ruff(&project, &[]).text().contains("making an environment"));

        // Without hashes there is nothing to install by.
        let whole = std::fs::read_to_string(project.path().join(lock)).unwrap();
        let start = whole.find("name = \"ruff\"").unwrap();
        let (before, entry) = whole.split_at(start);
        let end = entry.find("\n]\n").unwrap();
        let unhashed = entry[..end].replace("sha256:", "md5:");
        project.write(lock, format!("{before}{unhashed}{}", &entry[end..]));
        ruff(&project, &[])
            .expect_code(2)
            .expect_text(&format!("no environment can be made from `{lock}`: "))
            .expect_text("`ruff` has no hash that pip takes")
            .expect_text("hint: ");
    }
}

/// Files, arguments, and what the message must have.
type Mistake<'a> = (&'a [(&'a str, &'a str)], &'a [&'a str], &'a [&'a str]);

#[test]
fn what_no_environment_can_be_made_from_is_the_users_mistake() {
    let hashed = requirement("ruff");
    let unhashed = format!("ruff=={}\n", pinned("ruff"));
    let none: &[(&str, &str)] = &[];
    let cases: &[Mistake<'_>] = &[
        (
            none,
            &[],
            &[
                "no tool is named, and there is no lockfile that pins one",
                "hint: uv add --dev ruff mypy",
            ],
        ),
        (
            none,
            &["--tools=ruff"],
            &["`ruff` is not on PATH", "hint: uv add --dev ruff"],
        ),
        (
            &[("requirements.txt", &unhashed)],
            &[],
            &["there is no lockfile", "hint: uv add --dev ruff mypy"],
        ),
        (
            &[("requirements.txt", &unhashed)],
            &["--lockfile=requirements.txt"],
            &[
                "`requirements.txt` pins no hashes",
                "hint: write it with `uv export",
            ],
        ),
        (
            &[("requirements.txt", &hashed)],
            &["--lockfile=requirement.txt"],
            &[
                "there is no file `requirement.txt`",
                "hint: write `requirements.txt`",
            ],
        ),
        (
            &[("requirements.txt", &hashed)],
            &["--tools=mypy"],
            &[
                "`mypy` is neither in `requirements.txt` nor on PATH",
                "hint: uv add --dev mypy",
            ],
        ),
        (
            &[("Cargo.lock", "")],
            &["--lockfile=Cargo.lock"],
            &["is no lockfile that environments can be made from"],
        ),
        (
            &[("uv.lock", "version = 1\n[[package]\n")],
            &[],
            &[
                "`uv.lock` cannot be read as a lockfile",
                "uv.lock:2:",
                "hint: ",
            ],
        ),
        (
            &[("uv.lock", "version = 1\n")],
            &[],
            &["no tool is named, and `uv.lock` pins none"],
        ),
        (
            &[
                (
                    "uv.lock",
                    "version = 1\n[[package]]\nname = 'ruff'\nversion = '1'\n",
                ),
                (".python-version", "./bin/python\n"),
            ],
            &[],
            &[
                "`.python-version` names a file",
                "hint: write a version such as",
            ],
        ),
    ];
    for (files, arguments, parts) in cases {
        let project = alone(bare(Project::empty()));
        project.write("a.py", "x = 1\n");
        for (name, text) in *files {
            project.write(name, text);
        }
        let mut all = vec!["lint-gate", SCOPE];
        all.extend(*arguments);
        let run = project.run(&all);
        assert_eq!(run.code, 2, "{files:?} {arguments:?}\n{}", run.text());
        for part in *parts {
            run.expect_text(part);
        }
    }
    let project = Project::empty();
    project.write("uv.lock", b"version = 1\n# caf\xe9\n");
    ruff(&project, &[])
        .expect_code(2)
        .expect_text("`uv.lock` is not UTF-8")
        .expect_text("uv.lock:2:");
}

#[test]
fn a_tool_that_the_lock_does_not_have_comes_from_path() {
    let project = Project::empty();
    let bin = project.beside("bin");
    link(&bin.join("ruff"), &tools::tool("ruff"));
    let project = alone(project.with_path_first(&bin));
    project.write("a.py", "x = 1\n").write(
        "uv.lock",
        "version = 1\n[[package]]\nname = \"other\"\nversion = \"1.0\"\n",
    );
    ruff(&project, &[]).expect_code(0).expect_text("from PATH");
}

#[test]
fn path_is_taken_where_it_was_asked_for_whatever_the_lock_says() {
    let project = with_uv(example(), "exit 9");
    let bin = project.beside("bin");
    link(&bin.join("ruff"), &tools::tool("ruff"));
    let project = alone(project);
    forged_environment(&project.path().join(".venv"), &project, &pinned("ruff"));
    ruff(&project, &["--tool-source=path"])
        .expect_code(0)
        .expect_text("from PATH");
    assert_eq!(state(&project, "calls"), "");
    assert_eq!(state(&project, "forged"), "");
}

#[test]
fn credentials_of_an_index_reach_only_the_installer_and_are_never_shown() {
    // With characters that Markdown and workflow commands escape.
    const PASSWORD: &str = "sekret_of%the:index";
    let project = alone(with_uv(
        example(),
        "/usr/bin/env > \"$STATE/installer\"\necho \"fetching https://user:$UV_INDEX_PRIVATE_PASSWORD@index.example\" >&2\n\
         \"$REAL\" \"$@\" || exit\nrm \"$UV_PROJECT_ENVIRONMENT/bin/ruff\"\n\
         printf '#!/bin/sh\\n/usr/bin/env > %s/tool\\necho \"$*\" >&2; exit 2\\n' \"$STATE\" > \"$UV_PROJECT_ENVIRONMENT/bin/ruff\"\n\
         chmod +x \"$UV_PROJECT_ENVIRONMENT/bin/ruff\"",
    ))
    .with("UV_INDEX_PRIVATE_PASSWORD", PASSWORD)
    .with("INPUT_TOKEN", "sekret-token")
    .with("GITHUB_TOKEN", "sekret-token")
    .with("INPUT_INSTALL_ENV", "UV_INDEX_PRIVATE_PASSWORD");
    let run = ruff(&project, &[]);
    run.expect_code(3)
        .expect_text("fetching https://user:***@index.example");
    assert!(!run.text().contains(PASSWORD), "{}", run.text());
    let (installer, tool) = (state(&project, "installer"), state(&project, "tool"));
    assert!(
        installer.contains(&format!("UV_INDEX_PRIVATE_PASSWORD={PASSWORD}")),
        "{installer}"
    );
    assert!(!installer.contains("sekret-token"), "{installer}");
    assert!(tool.contains("VIRTUAL_ENV="), "{tool}");
    assert!(!tool.contains("sekret") && !tool.contains("UV_"), "{tool}");

    // The installer's last lines are an error's, with their own way out.
    let project = alone(with_uv(
        example(),
        "echo \"401 for https://user:$UV_INDEX_PRIVATE_PASSWORD@index.example\" >&2; exit 2",
    ))
    .with("UV_INDEX_PRIVATE_PASSWORD", PASSWORD)
    .in_workflow("schedule", &serde_json::json!({}));
    let named = ruff(&project, &["--install-env=UV_INDEX_PRIVATE_PASSWORD"]);
    named
        .expect_code(3)
        .expect_text("401 for https://user:***@index.example");
    let shown: String = [named.text(), project.temp_file("summary")]
        .concat()
        .lines()
        // The runner swallows these.
        .filter(|line| !line.starts_with("::add-mask::"))
        .collect();
    let plain = shown
        .replace("%25", "%")
        .replace("%3A", ":")
        .replace("&#95;", "_")
        .replace("&#58;", ":");
    for text in [shown, plain] {
        assert!(!text.contains(PASSWORD), "{text}");
    }
    // Without its name the installer does not get it either.
    ruff(&project, &[])
        .expect_code(3)
        .expect_text("401 for https://user:@index.example");
}

#[test]
fn where_the_token_may_do_more_than_the_author_no_project_code_runs() {
    for event in ["pull_request_target", "workflow_run"] {
        let project = alone(with_uv(example(), "exit 9"));
        forged_environment(&project.path().join(".venv"), &project, &pinned("ruff"));
        let bin = project.beside("bin");
        program(
            &bin.join("mypy"),
            "#!/bin/sh\necho mypy >> ../state/forged\n",
        );
        // Reports alone start nothing, so no tool may be named beside them.
        let text = std::fs::read_to_string(project.path().join("pyproject.toml")).unwrap();
        let tools = "tools = [\"ruff\", \"ruff-format\", \"mypy\", \"pyright\"]\n";
        assert!(text.contains(tools));
        project.write("pyproject.toml", text.replace(tools, ""));
        let base = project.commit("no tools are named");
        project.write(
            "r.sarif",
            "{\"version\":\"2.1.0\",\"runs\":[{\"tool\":{\"driver\":{\"name\":\"x\"}},\"results\":[\
             {\"level\":\"error\",\"message\":{\"text\":\"found elsewhere\"}}]}]}",
        );
        let head = project.commit("a change");
        let project = project.in_workflow(
            event,
            &serde_json::json!({"pull_request": {"base": {"sha": base}, "head": {"sha": head}}}),
        );
        for arguments in [
            &["lint-gate"][..],
            &["lint-gate", SCOPE],
            &["lint-gate", "--tools=mypy", "--tool-source=path"],
            &["lint-gate", "--tools=ruff", "--reports=r.sarif=sarif"],
        ] {
            project
                .run(arguments)
                .expect_code(2)
                .expect_text(&format!("on `{event}`"))
                .expect_text("no code of the project runs")
                .expect_text("hint: run the gate on `pull_request`, read reports");
        }
        let run = project.run(&["lint-gate", "--reports=r.sarif=sarif"]);
        run.expect_code(1).expect_text("found elsewhere");
        assert_eq!(state(&project, "forged"), "", "{event}");
        assert_eq!(state(&project, "calls"), "", "{event}");

        // The workflow can.
        let run = ruff(&project, &["--allow-project-code"]);
        assert!(!run.text().contains("no code of the project runs"));
        assert_ne!(state(&project, "forged"), "", "{event}\n{}", run.text());
    }
}

#[test]
fn a_file_of_the_checkout_cannot_allow_project_code_to_run() {
    for event in ["pull_request_target", "workflow_run"] {
        for more in ["", "base = \"HEAD\"\nscope = \"everything\"\n"] {
            let project = alone(with_uv(example(), "exit 9"));
            forged_environment(&project.path().join(".venv"), &project, &pinned("ruff"));
            let base = project.git(&["rev-parse", "HEAD"]);
            let text = std::fs::read_to_string(project.path().join("pyproject.toml")).unwrap();
            let table = "[tool.lockgate.lint-gate]\n";
            let text = text.replace(table, &format!("{table}allow-project-code = true\n{more}"));
            project.write("pyproject.toml", text);
            let head = project.commit("a change of the policy");
            let project = project.in_workflow(
                event,
                &serde_json::json!({
                    "pull_request": {"base": {"sha": base}, "head": {"sha": head}}
                }),
            );
            project
                .run(&["lint-gate"])
                .expect_code(2)
                .expect_text("no code of the project runs");
            assert_eq!(state(&project, "forged"), "", "{event} {more}");
            assert_eq!(state(&project, "calls"), "", "{event} {more}");
        }
    }
}

#[test]
fn a_proposal_does_not_choose_the_policy_that_judges_it() {
    let project = example();
    let base = project.git(&["rev-parse", "HEAD"]);
    let text = std::fs::read_to_string(project.path().join("pyproject.toml")).unwrap();
    let table = "[tool.lockgate.lint-gate]\n";
    let text = text.replace(
        table,
        &format!("{table}base = \"HEAD\"\nfail-on = \"never\"\n"),
    );
    project.write("pyproject.toml", text);
    project.write("src/notes/worse.py", "import os\n");
    let head = project.commit("a fault, and a policy that lets it pass");
    let project = project.in_workflow(
        "pull_request",
        &serde_json::json!({"pull_request": {"base": {"sha": base}, "head": {"sha": head}}}),
    );
    let run = project.run(&["lint-gate", "--tools=ruff"]);
    run.expect_code(1).expect_text("`os` imported but unused");
}
