//! Repositories as a server has them, checkouts as `actions/checkout` makes them, and the gate run over both.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::lockgate::{BINARY, Run};

/// What stands at a path of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// As git writes it: `100644`, `100755` or `120000`.
    pub(crate) mode: &'static str,
    pub(crate) content: Vec<u8>,
}

impl Entry {
    pub(crate) fn file(content: impl Into<Vec<u8>>) -> Self {
        Self {
            mode: "100644",
            content: content.into(),
        }
    }
}

/// All files of a commit by path.
pub(crate) type Tree = BTreeMap<String, Entry>;

/// Text files by path.
pub(crate) fn tree<const N: usize>(files: [(&str, &str); N]) -> Tree {
    files
        .into_iter()
        .map(|(path, text)| (path.to_owned(), Entry::file(text)))
        .collect()
}

/// Lines `from..=to` of a file in which no two lines are equal.
pub(crate) fn lines(name: &str, numbers: impl IntoIterator<Item = u32>) -> String {
    let lines: Vec<String> = numbers
        .into_iter()
        .map(|number| format!("{name} {number}\n"))
        .collect();
    lines.concat()
}

/// The place of a finding.
pub(crate) type Place = (String, u32);

/// Places in one file.
pub(crate) fn places(path: &str, lines: impl IntoIterator<Item = u32>) -> BTreeSet<Place> {
    lines
        .into_iter()
        .map(|line| (path.to_owned(), line))
        .collect()
}

/// A server's repository, a workspace, a home and the folder of the job, all in one temporary folder.
pub(crate) struct Scene {
    folder: TempDir,
}

impl Scene {
    /// A server with an empty repository, and a workspace that does not exist yet.
    pub(crate) fn new() -> Self {
        let scene = Self {
            folder: TempDir::new().expect("a temporary folder"),
        };
        for folder in [scene.home(), scene.temp(), scene.origin()] {
            std::fs::create_dir_all(folder).expect("a folder");
        }
        scene.git(
            &scene.origin(),
            [
                "init",
                "--quiet",
                "--bare",
                "--template=",
                "--initial-branch=main",
            ],
        );
        // As GitHub's servers do: any commit that they still have is given by its SHA.
        scene.git(
            &scene.origin(),
            ["config", "uploadpack.allowAnySHA1InWant", "true"],
        );
        scene
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    pub(crate) fn temp(&self) -> PathBuf {
        self.folder.path().join("temp")
    }

    pub(crate) fn origin(&self) -> PathBuf {
        self.folder.path().join("origin.git")
    }

    pub(crate) fn workspace(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    /// Runs git undisturbed by whatever configuration a test left in the home.
    pub(crate) fn try_git<S: AsRef<OsStr>>(
        &self,
        directory: &Path,
        arguments: impl IntoIterator<Item = S>,
        input: &[u8],
    ) -> Output {
        let mut command = Command::new("git");
        command
            .args(arguments)
            .current_dir(directory)
            .env_clear()
            .env("PATH", path_of_the_tests())
            .env("HOME", self.home())
            .envs([
                ("GIT_CONFIG_NOSYSTEM", "1"),
                ("GIT_CONFIG_GLOBAL", "/dev/null"),
                ("GIT_TERMINAL_PROMPT", "0"),
                ("GIT_AUTHOR_NAME", "Test"),
                ("GIT_AUTHOR_EMAIL", "test@lockgate.example"),
                ("GIT_COMMITTER_NAME", "Test"),
                ("GIT_COMMITTER_EMAIL", "test@lockgate.example"),
                ("GIT_AUTHOR_DATE", "1700000000 +0000"),
                ("GIT_COMMITTER_DATE", "1700000000 +0000"),
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("git");
        let mut stdin = child.stdin.take().expect("a pipe");
        std::thread::scope(|scope| {
            // Git may end without having read everything.
            scope.spawn(move || drop(stdin.write_all(input)));
            child.wait_with_output().expect("git's output")
        })
    }

    /// Runs git, which must succeed; returns what it printed.
    #[track_caller]
    pub(crate) fn git<S: AsRef<OsStr>>(
        &self,
        directory: &Path,
        arguments: impl IntoIterator<Item = S>,
    ) -> String {
        let arguments: Vec<OsString> = arguments
            .into_iter()
            .map(|argument| argument.as_ref().to_owned())
            .collect();
        let output = self.try_git(directory, &arguments, b"");
        assert!(
            output.status.success(),
            "git {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout)
            .trim_end()
            .to_owned()
    }

    /// Commits whole trees on a branch of the server, one after the other; returns the SHA of the last.
    pub(crate) fn commit(&self, branch: &str, parent: Option<&str>, trees: &[Tree]) -> String {
        let mut stream = Vec::new();
        for (index, tree) in trees.iter().enumerate() {
            stream.extend_from_slice(
                format!(
                    "commit refs/heads/{branch}\ncommitter Test <test@lockgate.example> 17000000{index:02} +0000\ndata 0\n"
                )
                .as_bytes(),
            );
            if index == 0
                && let Some(parent) = parent
            {
                stream.extend_from_slice(format!("from {parent}\n").as_bytes());
            }
            stream.extend_from_slice(b"deleteall\n");
            for (path, entry) in tree {
                stream.extend_from_slice(
                    format!("M {} inline {}\n", entry.mode, quoted(path)).as_bytes(),
                );
                stream.extend_from_slice(format!("data {}\n", entry.content.len()).as_bytes());
                stream.extend_from_slice(&entry.content);
                stream.push(b'\n');
            }
        }
        // Where the branch is to begin anew, it must not be there.
        let name = format!("refs/heads/{branch}");
        if parent.is_none() {
            self.git(&self.origin(), ["update-ref", "-d", &name]);
        }
        let output = self.try_git(
            &self.origin(),
            ["fast-import", "--quiet", "--force"],
            &stream,
        );
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        self.git(&self.origin(), ["rev-parse", &name])
    }

    /// Merges as GitHub does, without a work tree. `None` where there are conflicts.
    pub(crate) fn merge(&self, first: &str, second: &str) -> Option<String> {
        let merged = self.try_git(
            &self.origin(),
            ["merge-tree", "--write-tree", first, second],
            b"",
        );
        if !merged.status.success() {
            return None;
        }
        let tree = String::from_utf8(merged.stdout).expect("a SHA");
        let arguments = [
            "commit-tree",
            tree.trim_end(),
            "-p",
            first,
            "-p",
            second,
            "-m",
            "merge",
        ];
        Some(self.git(&self.origin(), arguments))
    }

    /// Sets a ref of the server.
    pub(crate) fn set_ref(&self, name: &str, sha: &str) {
        self.git(&self.origin(), ["update-ref", name, sha]);
    }

    /// Opens pull request 1: sets its two refs and returns the merge commit.
    pub(crate) fn pull_request(&self, base: &str, head: &str) -> String {
        let merge = self.merge(base, head).expect("a merge without conflicts");
        self.set_ref("refs/pull/1/head", head);
        self.set_ref("refs/pull/1/merge", &merge);
        merge
    }

    /// Checks a ref of the server out into `folder`, with the commands of `actions/checkout`.
    pub(crate) fn checkout(&self, folder: &Path, git_ref: &str, depth: Option<u32>) {
        std::fs::create_dir_all(folder).expect("a workspace");
        self.git(
            folder,
            ["init", "--quiet", "--template=", "--initial-branch=main"],
        );
        let origin = format!("file://{}", self.origin().display());
        self.git(folder, ["remote", "add", "origin", &origin]);
        self.git(folder, ["config", "--local", "gc.auto", "0"]);
        self.fetch_and_switch(folder, git_ref, depth, &[]);
    }

    /// The second half of a checkout: `options` stand before the word `fetch`.
    pub(crate) fn fetch_and_switch(
        &self,
        folder: &Path,
        git_ref: &str,
        depth: Option<u32>,
        options: &[&str],
    ) {
        let sha = self.git(&self.origin(), ["rev-parse", git_ref]);
        let (tracking, branch) = match git_ref.strip_prefix("refs/heads/") {
            Some(branch) => (format!("refs/remotes/origin/{branch}"), Some(branch)),
            None => (git_ref.replacen("refs/", "refs/remotes/", 1), None),
        };
        let mut fetch: Vec<String> = options.iter().map(|option| (*option).to_owned()).collect();
        fetch.extend(
            [
                "-c",
                "protocol.version=2",
                "fetch",
                "--quiet",
                "--no-tags",
                "--prune",
                "--no-recurse-submodules",
            ]
            .map(str::to_owned),
        );
        fetch.extend(depth.map(|depth| format!("--depth={depth}")));
        fetch.push("origin".to_owned());
        if depth.is_none() {
            fetch.push("+refs/heads/*:refs/remotes/origin/*".to_owned());
        }
        if depth.is_some() || branch.is_none() {
            fetch.push(format!("+{sha}:{tracking}"));
        }
        self.git(folder, &fetch);
        match branch {
            Some(branch) => self.git(
                folder,
                ["checkout", "--quiet", "--force", "-B", branch, &tracking],
            ),
            None => self.git(folder, ["checkout", "--quiet", "--force", &tracking]),
        };
    }

    /// The gate over the workspace, as a laptop would run it.
    pub(crate) fn gate(&self) -> Gate<'_> {
        let environment = [
            ("PATH".into(), path_of_the_tests()),
            ("HOME".into(), self.home().into_os_string()),
        ];
        Gate {
            scene: self,
            directory: self.workspace(),
            environment: environment.into_iter().collect(),
            arguments: Vec::new(),
            findings: BTreeSet::new(),
        }
    }
}

/// A run of the gate that is being prepared.
pub(crate) struct Gate<'s> {
    scene: &'s Scene,
    directory: PathBuf,
    environment: BTreeMap<OsString, OsString>,
    arguments: Vec<String>,
    findings: BTreeSet<Place>,
}

impl Gate<'_> {
    /// In a run of this event.
    pub(crate) fn on(self, event: &str, payload: &Value) -> Self {
        let temp = self.scene.temp();
        let file = temp.join("event.json");
        std::fs::write(&file, payload.to_string()).expect("an event");
        let workspace = self.scene.workspace();
        self.with("GITHUB_ACTIONS", "true")
            .with("CI", "true")
            .with("GITHUB_EVENT_NAME", event)
            .with("GITHUB_EVENT_PATH", file)
            .with("GITHUB_WORKSPACE", workspace)
            .with("GITHUB_REPOSITORY", "owner/name")
            .with("GITHUB_SERVER_URL", "https://github.example")
            .with("GITHUB_OUTPUT", temp.join("output"))
            .with("GITHUB_STEP_SUMMARY", temp.join("summary"))
            .with("RUNNER_TEMP", temp)
    }

    /// In a run of pull request 1.
    pub(crate) fn on_pull_request(self, base: &str, head: &str) -> Self {
        let payload = json!({"number": 1, "pull_request": {"head": {"sha": head}, "base": {"sha": base, "ref": "main"}}});
        self.on("pull_request", &payload)
    }

    /// Sets a variable of the environment.
    pub(crate) fn with(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.environment.insert(name.into(), value.into());
        self
    }

    /// Puts a folder in front of PATH.
    pub(crate) fn with_path_first(self, folder: &Path) -> Self {
        let mut path = folder.as_os_str().to_owned();
        path.push(":");
        path.push(&self.environment[OsStr::new("PATH")]);
        self.with("PATH", path)
    }

    /// Starts in this folder.
    pub(crate) fn at(mut self, directory: &Path) -> Self {
        directory.clone_into(&mut self.directory);
        self
    }

    /// Adds an argument.
    pub(crate) fn argument(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// The linter finds something in these places.
    pub(crate) fn finding(mut self, places: impl IntoIterator<Item = Place>) -> Self {
        self.findings.extend(places);
        self
    }

    /// Runs it to its end.
    pub(crate) fn run(self) -> Outcome {
        let report = self.scene.path().join("probe.sarif");
        let out = self.scene.path().join("out.json");
        drop(std::fs::remove_file(&out));
        std::fs::write(&report, sarif(&self.findings)).expect("a report");
        let output = Command::new(BINARY)
            .arg("lint-gate")
            .arg(format!("--reports={}=sarif", report.display()))
            .arg(format!("--report-file={}", out.display()))
            .args(&self.arguments)
            .current_dir(&self.directory)
            .env_clear()
            .envs(&self.environment)
            .stdin(Stdio::null())
            .output()
            .expect("the binary");
        let report = std::fs::read(&out)
            .ok()
            .map(|bytes| serde_json::from_slice(&bytes).expect("a JSON report"));
        Outcome {
            run: Run {
                code: output.status.code().unwrap_or(-1),
                stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
                stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            },
            report,
        }
    }
}

/// What a run of the gate said.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) run: Run,
    /// The JSON report; `None` where the run ended without one.
    pub(crate) report: Option<Value>,
}

impl Outcome {
    /// Where the findings are that count.
    pub(crate) fn kept(&self) -> BTreeSet<Place> {
        let findings = self.report.as_ref().map(|report| &report["findings"]);
        let findings = findings.and_then(Value::as_array).into_iter().flatten();
        findings
            .map(|finding| {
                let line = finding["line"].as_u64().unwrap_or(0);
                (
                    finding["path"].as_str().unwrap_or_default().to_owned(),
                    u32::try_from(line).expect("a line number"),
                )
            })
            .collect()
    }

    /// The findings that count must be these, and the verdict must follow.
    #[track_caller]
    pub(crate) fn expect_kept(&self, expected: &BTreeSet<Place>) -> &Self {
        self.run.expect_code(i32::from(!expected.is_empty()));
        assert_eq!(&self.kept(), expected, "{}", self.run.text());
        self
    }

    /// The log must say this of the base.
    #[track_caller]
    pub(crate) fn expect_base(&self, line: &str) -> &Self {
        self.run.expect_text(&format!("lint-gate: base {line}"));
        self
    }

    /// There must be no verdict, with this message and this hint.
    #[track_caller]
    pub(crate) fn expect_no_verdict(&self, message: &str, hint: &str) -> &Self {
        self.run
            .expect_code(3)
            .expect_text(&format!("error: {message}"))
            .expect_text(&format!("hint: {hint}"));
        assert_eq!(self.report, None, "nothing was judged");
        self
    }
}

/// A program for a folder of PATH.
pub(crate) fn write_program(path: &Path, script: &str) {
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    std::fs::write(path, script).expect("a program");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).expect("permissions");
}

/// The git of this machine.
pub(crate) fn real_git() -> PathBuf {
    std::env::split_paths(&path_of_the_tests())
        .map(|folder| folder.join("git"))
        .find(|path| path.is_file())
        .expect("git is on PATH")
}

fn path_of_the_tests() -> OsString {
    std::env::var_os("PATH").expect("a PATH")
}

/// A report with one error in each place.
fn sarif(places: &BTreeSet<Place>) -> String {
    let results: Vec<Value> = places
        .iter()
        .map(|(path, line)| {
            let location = json!({"physicalLocation": {"artifactLocation": {"uri": encoded(path)}, "region": {"startLine": line}}});
            json!({"ruleId": "P1", "level": "error", "message": {"text": "x"}, "locations": [location]})
        })
        .collect();
    let run = json!({"tool": {"driver": {"name": "probe"}}, "results": results});
    json!({"version": "2.1.0", "runs": [run]}).to_string()
}

/// A path as a relative URI.
fn encoded(path: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._~/-".contains(&byte);
    path.bytes()
        .map(|byte| {
            if is_plain(byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

/// A path as `git fast-import` reads it.
fn quoted(path: &str) -> String {
    let inner: String = path
        .bytes()
        .map(|byte| match byte {
            b'"' | b'\\' => format!("\\{}", char::from(byte)),
            b' '..=b'~' => char::from(byte).to_string(),
            _ => format!("\\{byte:03o}"),
        })
        .collect();
    format!("\"{inner}\"")
}
