//! What is new in a lock beside what its index publishes: real indexes on the loopback address, and what goes wrong on
//! the way.

use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::lockfile_change::{wheel_line, with_other_hash};
use crate::support::lock_tools::lock_tool;
use crate::support::lockgate::{Project, Run};
use crate::support::release_server::{Answer, ReleaseServer};
use crate::support::tools::{network, once, python, run as install, tool};

/// A server in a process of its own, ended when it is dropped.
pub(crate) struct Served {
    child: Child,
    port: u16,
}

impl Served {
    /// Starts a server that listens on the port that stands for `PORT` in its arguments.
    fn start(command: &mut Command, arguments: &[&str]) -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = socket.local_addr().expect("an address").port();
        drop(socket);
        let arguments = arguments
            .iter()
            .map(|argument| argument.replace("PORT", &port.to_string()));
        let child = command
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a server");
        let mut served = Self { child, port };
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let ended = served.child.try_wait().expect("a child");
            assert!(ended.is_none(), "the server ended: {ended:?}");
            assert!(started.elapsed() < Duration::from_mins(1), "no server");
            std::thread::sleep(Duration::from_millis(50));
        }
        served
    }

    /// pypiserver, which shows the files of a folder.
    pub(crate) fn pypiserver(files: &Path, more: &[&str]) -> Self {
        let mut arguments = vec!["--disable-fallback"];
        arguments.extend(more);
        Self::pypiserver_with(files, &arguments)
    }

    /// The same with these arguments alone: what it has not got it sends people elsewhere for.
    pub(crate) fn pypiserver_with(files: &Path, more: &[&str]) -> Self {
        let mut command = Command::new(lock_tool("pypiserver").join("bin/pypi-server"));
        let mut arguments = vec!["run", "-p", "PORT", "-i", "127.0.0.1"];
        arguments.extend(more);
        arguments.push(files.to_str().expect("Unicode"));
        Self::start(&mut command, &arguments)
    }

    /// Python's own server, which shows a folder as it is.
    fn folder(folder: &Path) -> Self {
        let mut command = Command::new(python());
        command.current_dir(folder);
        let arguments = ["-m", "http.server", "--bind", "127.0.0.1", "PORT"];
        Self::start(&mut command, &arguments)
    }

    pub(crate) fn index(&self) -> String {
        format!("http://127.0.0.1:{}/simple", self.port)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The files of six in two versions, fetched once.
pub(crate) fn files() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("index-files");
    once(&folder.join(".fetched"), b"six 1.16.0 1.17.0", || {
        for pin in ["six==1.16.0", "six==1.17.0"] {
            let mut fetch = Command::new(lock_tool("pip").join("bin/python"));
            fetch
                .args(["-m", "pip", "download", "--quiet", "--no-deps", pin, "-d"])
                .arg(&folder);
            install(&mut fetch, "a Python package index");
        }
    });
    folder
}

fn pyproject(index: &str) -> String {
    format!(
        "[project]\nname = \"service\"\nversion = \"0.1.0\"\nrequires-python = \">=3.11\"\ndependencies = [\"six==1.17.0\"]\n\n[[tool.uv.index]]\nname = \"own\"\nurl = \"{index}\"\ndefault = true\n"
    )
}

fn uv(project: &Project, arguments: &[&str]) {
    let output = Command::new(tool("uv"))
        .args(arguments)
        .arg("--quiet")
        .current_dir(project.path())
        .env_clear()
        .env("PATH", std::env::var_os("PATH").expect("a PATH"))
        .env("HOME", project.beside("uv-home"))
        .output()
        .expect("uv");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {error}");
}

/// A project with a lock that uv made from this index.
fn locked(index: &str) -> (Project, String) {
    let project = project();
    project.write("pyproject.toml", pyproject(index));
    uv(&project, &["lock"]);
    let lock = std::fs::read_to_string(project.path().join("uv.lock")).expect("a lock");
    (project, lock)
}

/// An empty project that keeps its answers for itself.
fn project() -> Project {
    let project = Project::empty();
    let cache = project.beside("cache").display().to_string();
    project.with("LOCKGATE_CACHE_DIR", &cache)
}

fn check(project: &Project, more: &[&str]) -> Run {
    let mut arguments = vec!["lockfile-verify", "--index-check", "--output-format=json"];
    arguments.extend(more);
    project.run(&arguments)
}

fn found(run: &Run) -> Vec<(String, u64)> {
    let report = run.json();
    let findings = report["findings"].as_array().expect("findings").iter();
    findings
        .map(|finding| {
            let rule = finding["rule"].as_str().unwrap_or_default().to_owned();
            (rule, finding["line"].as_u64().unwrap_or_default())
        })
        .collect()
}

#[track_caller]
fn expect_failed(run: &Run, reason: &str) {
    run.expect_code(3);
    let checks = run.json()["checks"].to_string();
    assert!(checks.contains(reason), "no `{reason}` in {checks}");
}

#[test]
fn a_lock_is_compared_with_a_real_index() {
    let served = Served::pypiserver(&files(), &[]);
    let (project, lock) = locked(&served.index());
    let run = check(&project, &[]);
    run.expect_code(0);
    assert_eq!(found(&run), []);
    run.expect_text("asking the index for 1 project");

    let (line, _) = wheel_line(&lock);
    let line = line as u64;
    let other = with_other_hash(&lock);
    project.write("uv.lock", &other);
    project.run(&["lockfile-verify"]).expect_code(0);
    let run = check(&project, &[]);
    run.expect_code(1);
    assert_eq!(found(&run), [("hash-not-published".to_owned(), line)]);
    let ignore = "--ignore=lockgate:hash-not-published:six until 2999-01-01: known";
    check(&project, &[ignore]).expect_code(0);

    // A version and a project that only the lock knows.
    let made_up = lock.replace("1.17.0", "1.99.0");
    project.write("uv.lock", &made_up);
    let rules = found(&check(&project, &[]));
    assert!(
        rules.contains(&("file-not-published".to_owned(), line)),
        "{rules:?}"
    );
    let made_up = lock
        .replace("\"six\"", "\"sixx\"")
        .replace("six-1", "sixx-1");
    project.write("uv.lock", made_up);
    let run = check(&project, &["--rules=file-not-published error"]);
    let rules = found(&run);
    assert!(
        rules.iter().any(|(rule, _)| rule == "file-not-published"),
        "{rules:?}"
    );

    // Requirements name no files: one of the version's must have the hash.
    let requirements = project_of_requirements(&served.index());
    check(&requirements, &[]).expect_code(0);
    let text = std::fs::read_to_string(requirements.path().join("requirements.txt"))
        .expect("requirements");
    let digest = text.split("sha256:").nth(1).expect("a hash");
    requirements.write(
        "requirements.txt",
        text.replace(&digest[..64], &"0".repeat(64)),
    );
    let run = check(&requirements, &[]);
    run.expect_code(1);
    assert_eq!(found(&run)[0].0, "hash-not-published");
}

fn project_of_requirements(index: &str) -> Project {
    let project = project();
    project.write("requirements.in", "six==1.17.0\n");
    uv(
        &project,
        &[
            "pip",
            "compile",
            "--generate-hashes",
            "--emit-index-url",
            "--index-url",
            index,
            "requirements.in",
            "-o",
            "requirements.txt",
        ],
    );
    project
}

#[test]
fn only_what_is_new_is_asked_for_and_an_index_that_sleeps_is_no_verdict() {
    let served = Served::pypiserver(&files(), &[]);
    let (project, lock) = locked(&served.index());
    project.git(&["init", "--quiet", "--initial-branch=main"]);
    project.commit("the base");
    drop(served);
    // What the base has needs nobody.
    let run = check(&project, &["--base=HEAD"]);
    run.expect_code(0);
    assert!(!run.text().contains("asking the index"), "{}", run.text());
    project.write("uv.lock", with_other_hash(&lock));
    expect_failed(
        &check(&project, &["--base=HEAD"]),
        "no answer in 4 attempts",
    );
}

#[test]
fn a_folder_of_answers_in_json_tells_what_was_withdrawn() {
    let served = Served::pypiserver(&files(), &[]);
    let (project, lock) = locked(&served.index());
    let (line, text) = wheel_line(&lock);
    let digest = text.split("sha256:").nth(1).expect("a hash");
    let folder = TempDir::new().expect("a folder");
    let page = folder.path().join("simple/six");
    std::fs::create_dir_all(&page).expect("a folder");
    let answer = |hashes: Value| {
        serde_json::json!({"meta": {"api-version": "1.3"}, "name": "six", "files": [{
            "filename": "six-1.17.0-py2.py3-none-any.whl",
            "url": "six-1.17.0-py2.py3-none-any.whl",
            "hashes": hashes,
            "yanked": "it eats\u{1b}[31m files",
        }]})
    };
    let write = |answer: Value| {
        std::fs::write(page.join("index.html"), answer.to_string()).expect("a page");
    };
    write(answer(serde_json::json!({"sha256": &digest[..64]})));
    let plain = Served::folder(folder.path());
    let moved = |text: &str| text.replace(&served.index(), &plain.index());
    project.write("uv.lock", moved(&lock));
    project.write("pyproject.toml", pyproject(&plain.index()));
    let run = check(&project, &["--rules=host-not-allowed off"]);
    run.expect_code(0);
    let version = lock.lines().position(|line| line == "version = \"1.17.0\"");
    let version = version.expect("a version") as u64 + 1;
    assert_eq!(found(&run), [("yanked".to_owned(), version)]);
    assert!(!run.stdout.contains("\\u001b[31m"), "{}", run.stdout);
    // An index without the hash cannot say yes.
    write(answer(serde_json::json!({"md5": "00"})));
    let run = check(&project, &["--rules=host-not-allowed off"]);
    for part in [
        "no sha256 hash of `six-1.17.0-py2.py3-none-any.whl`, only md5: ",
        "let it publish such, or leave this lock out of a run with `index-check`",
    ] {
        expect_failed(&run, part);
    }
    write(answer(serde_json::json!({})));
    let run = check(&project, &["--rules=host-not-allowed off"]);
    expect_failed(
        &run,
        "no sha256 hash of `six-1.17.0-py2.py3-none-any.whl`, and no other: ",
    );
    assert!(line > 0);
}

#[test]
fn a_private_index_is_asked_with_its_own_credentials_and_nobody_else_gets_them() {
    let folder = TempDir::new().expect("a folder");
    let passwords = folder.path().join("passwords");
    // The password as passlib keeps it: `{SHA}` and the digest in base64.
    std::fs::write(&passwords, "me:{SHA}/tL5ndamkhAY8tBwgx8ZgygnEGU=\n").expect("a file");
    let passwords = passwords.display().to_string();
    let open = Served::pypiserver(&files(), &[]);
    let (project, lock) = locked(&open.index());
    let private = Served::pypiserver(&files(), &["-P", &passwords, "-a", "list,download"]);
    let address = format!("127.0.0.1:{}", private.port);
    let to_private = |text: &str| text.replace(&open.index(), &private.index());
    project.write("uv.lock", to_private(&lock));
    project.write("pyproject.toml", pyproject(&private.index()));
    let rules = "--rules=host-not-allowed off";
    expect_failed(&check(&project, &[rules]), "answers 401");
    let wrong = format!("http://me:no-secret@{address}");
    let project = project.with("INPUT_INDEX_CREDENTIALS", &wrong);
    let run = check(&project, &[rules]);
    expect_failed(&run, "may not see this");
    assert!(!run.text().contains("no-secret"), "{}", run.text());
    let right = format!("http://me:{}@{address}", "not-real-either");
    let project = project.with("INPUT_INDEX_CREDENTIALS", &right);
    let run = check(&project, &[rules]);
    run.expect_code(0);
    assert!(!run.text().contains("not-real-either"), "{}", run.text());
    // Answers to a credential are not kept.
    assert!(!project.beside("cache").join("pages").exists());

    // A server that sends them elsewhere is not followed.
    let thief = ReleaseServer::start();
    let server = ReleaseServer::start();
    let to = format!("{}/simple/six/", thief.origin("127.0.0.1"));
    server.script("/simple/six/", [Answer::Redirect(to)]);
    let index = format!("{}/simple", server.origin("127.0.0.1"));
    project.write("uv.lock", lock.replace(&open.index(), &index));
    project.write("pyproject.toml", pyproject(&index));
    let right = index.replace("http://", "http://me:not-real-either@");
    let project = project.with("INPUT_INDEX_CREDENTIALS", &right);
    expect_failed(&check(&project, &[rules]), "somebody else's");
    assert!(thief.heads().is_empty());
}

#[test]
fn an_index_that_fails_is_asked_again_and_its_answers_are_never_guessed() {
    let real = Served::pypiserver(&files(), &[]);
    let (project, lock) = locked(&real.index());
    let page = |version: &str| {
        let mut stream = TcpStream::connect(("127.0.0.1", real.port)).expect("the index");
        let ask = "GET /simple/six/ HTTP/1.0\r\nAccept: text/html\r\n\r\n";
        stream.write_all(ask.as_bytes()).expect("a question");
        let mut text = String::new();
        std::io::Read::read_to_string(&mut stream, &mut text).expect("an answer");
        let (_, body) = text.split_once("\r\n\r\n").expect("a body");
        body.replace("1.17.0", version).into_bytes()
    };
    let server = ReleaseServer::start();
    let index = format!("{}/simple", server.origin("127.0.0.1"));
    project.write("uv.lock", lock.replace(&real.index(), &index));
    project.write("pyproject.toml", pyproject(&index));
    let rules = "--rules=host-not-allowed off";
    let cases: [(&[Answer], i32); 5] = [
        (
            &[
                Answer::Truncated(page("1.17.0")),
                Answer::Status(503),
                Answer::Bytes(page("1.17.0")),
            ],
            0,
        ),
        (&[Answer::Truncated(page("1.17.0"))], 3),
        (&[Answer::Bytes(b"<html>sign in</html>".to_vec())], 3),
        (&[Answer::Status(418)], 3),
        (&[Answer::Bytes(page("1.18.0"))], 1),
    ];
    for (answers, code) in cases {
        server.script("/simple/six/", answers.to_vec());
        let run = check(&project, &[rules]);
        run.expect_code(code);
    }
    // An index that nobody declared is not asked, and that is no yes.
    let before = server.paths().len();
    project.write("pyproject.toml", pyproject(&real.index()));
    expect_failed(&check(&project, &[rules]), "neither declared nor allowed");
    assert_eq!(server.paths().len(), before);
}

#[test]
fn a_mirror_stands_for_the_public_index() {
    let project = project();
    let example = crate::support::expect::root().join("examples/notes");
    for name in ["pyproject.toml", "uv.lock"] {
        let text = std::fs::read_to_string(example.join(name)).expect("the example");
        project.write(name, text);
    }
    let mirror = network().find(|(name, _)| ["PIP_INDEX_URL", "UV_DEFAULT_INDEX"].contains(name));
    let mirror = mirror.map(|(_, url)| format!("--index-url={}", url.display()));
    let run = check(&project, mirror.as_deref().as_slice());
    run.expect_code(0);
    assert!(
        found(&run).iter().all(|(rule, _)| rule == "yanked"),
        "{:?}",
        found(&run)
    );
    let nobody = ReleaseServer::start();
    let to = format!("--index-url={}/simple", nobody.origin("127.0.0.1"));
    let run = check(&project, &[&to]);
    run.expect_code(1);
    assert!(
        found(&run)
            .iter()
            .all(|(rule, _)| rule == "file-not-published")
    );
    assert!(!nobody.paths().is_empty());
}

/// The file that declares the index, its content, the tool that makes the lock of it, and its arguments.
type Maker = (&'static str, String, &'static str, &'static [&'static str]);

/// How other tools make a lock from this index. pipenv, which takes as long as all of them, is left out: how its locks are
/// compared is a test of the reader's.
fn makers(index: &str) -> [(&'static str, Maker); 3] {
    let project = "[project]\nname = \"service\"\nversion = \"0.1.0\"\nrequires-python = \">=3.11\"\ndependencies = [\"six==1.17.0\"]\n";
    let poetry = format!(
        "{project}\n[[tool.poetry.source]]\nname = \"own\"\nurl = \"{index}\"\npriority = \"primary\"\n"
    );
    let pdm = format!(
        "{project}\n[[tool.pdm.source]]\nname = \"pypi\"\nurl = \"{index}\"\nverify_ssl = false\n"
    );
    let pylock = pyproject(index);
    [
        (
            "poetry.lock",
            ("pyproject.toml", poetry, "poetry-2/bin/poetry", &["lock"]),
        ),
        (
            "pdm.lock",
            ("pyproject.toml", pdm, "pdm-2/bin/pdm", &["lock"]),
        ),
        (
            "pylock.toml",
            (
                "pyproject.toml",
                pylock,
                "",
                &[
                    "export",
                    "--format=pylock.toml",
                    "-o=pylock.toml",
                    "--frozen",
                ],
            ),
        ),
    ]
}

/// Makes the lock by its tool.
fn make(project: &Project, (file, content, program, arguments): &Maker) {
    project.write(file, content);
    let Some((environment, program)) = program.split_once('/') else {
        uv(project, &["lock"]);
        uv(project, arguments);
        return std::fs::remove_file(project.path().join("uv.lock")).expect("only the export");
    };
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("lock-tools-cache");
    let mut command = Command::new(lock_tool(environment).join(program));
    command
        .args(*arguments)
        .current_dir(project.path())
        .env_clear()
        .env("PATH", std::env::var_os("PATH").expect("a PATH"))
        .env("HOME", project.beside("tool-home"))
        .env("POETRY_CACHE_DIR", cache.join("poetry-2"))
        .env("POETRY_VIRTUALENVS_CREATE", "false")
        .env("PDM_CACHE_DIR", cache.join("pdm-2"))
        .env("PDM_USE_VENV", "0")
        .env("PDM_IGNORE_SAVED_PYTHON", "1")
        .env("PDM_CHECK_UPDATE", "0")
        .env("LANG", "C.UTF-8")
        .env("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring");
    install(&mut command, "the tool itself");
}

#[test]
fn locks_of_other_tools_are_compared_with_their_index() {
    let served = Served::pypiserver(&files(), &[]);
    let compare = |(lock, maker): &(&str, Maker)| {
        let project = project();
        make(&project, maker);
        let run = check(&project, &[]);
        run.expect_code(0);
        run.expect_text("asking the index for 1 project");
        assert_eq!(found(&run), [], "{lock}");
        let text = std::fs::read_to_string(project.path().join(lock)).expect("a lock");
        let at = ["sha256:", "sha256 = \""]
            .into_iter()
            .find_map(|before| Some(text.rfind(before)? + before.len()));
        let at = at.expect("a hash");
        let digest = &text[at..at + 64];
        let line = text[..at].matches('\n').count() as u64 + 1;
        project.write(lock, text.replace(digest, &"0".repeat(64)));
        let run = check(&project, &[]);
        run.expect_code(1);
        assert_eq!(
            found(&run),
            [("hash-not-published".to_owned(), line)],
            "{lock}"
        );
    };
    let makers = makers(&served.index());
    std::thread::scope(|scope| {
        for one in &makers {
            scope.spawn(|| compare(one));
        }
    });
}
