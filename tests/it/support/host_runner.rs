//! Runs an action, or a job of a workflow, through the host runner of `tests/runner/`.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use serde_json::{Map, Value, json};
use tempfile::TempDir;

use crate::support::expect::root;
use crate::support::lockgate::{BINARY, Project};
use crate::support::tools;
use crate::support::tools::{network, once};

/// The path of the binary under test without what only debuggers read, which is most of it: every action copies it and
/// computes its digest. Where there is no `strip`, the binary as it is.
pub(crate) fn binary() -> &'static str {
    static PATH: OnceLock<String> = OnceLock::new();
    PATH.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("stripped");
        let slim = folder.join("lockgate");
        let about = std::fs::metadata(BINARY).expect("the binary");
        let made_of = format!("{} {:?}", about.len(), about.modified().expect("a time"));
        std::fs::create_dir_all(&folder).expect("a folder");
        once(&folder.join(".made"), made_of.as_bytes(), || {
            let new = folder.join("new");
            let strip = Command::new("strip")
                .arg("-o")
                .arg(&new)
                .arg(BINARY)
                .status();
            if !strip.is_ok_and(|status| status.success()) {
                std::fs::copy(BINARY, &new).expect("a copy");
            }
            std::fs::rename(&new, &slim).expect("the binary");
        });
        slim.to_str().expect("Unicode").to_owned()
    })
}

/// The digest of [`binary`], as `binary-sha256` wants it.
pub(crate) fn binary_sha256() -> &'static str {
    static DIGEST: OnceLock<String> = OnceLock::new();
    DIGEST.get_or_init(|| sha256(&std::fs::read(binary()).expect("the binary")))
}

/// SHA-256 in hexadecimal digits.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    let mut text = String::new();
    for byte in sha2::Sha256::digest(bytes) {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// One run to be, in a workspace.
pub(crate) struct HostRunner {
    folder: TempDir,
    arguments: Vec<OsString>,
    path: String,
    stand_ins: Map<String, Value>,
}

impl HostRunner {
    /// An action of this repository, as the only step. It runs the binary under test.
    pub(crate) fn action(relative: &str, workspace: &Path) -> Self {
        Self::new(
            "action",
            if relative.is_empty() {
                root().to_owned()
            } else {
                root().join(relative)
            },
            workspace,
        )
        .input("binary-path", binary())
        .input("binary-sha256", binary_sha256())
    }

    /// A job of a workflow.
    pub(crate) fn job(workflow: &Path, name: &str, workspace: &Path) -> Self {
        Self::new("job", workflow.to_owned(), workspace).option("--job", name)
    }

    fn new(command: &str, subject: PathBuf, workspace: &Path) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let runner = Self {
            arguments: vec![
                tools::runner().join("main.mjs").into(),
                command.into(),
                subject.into(),
            ],
            path: std::env::var("PATH").expect("a PATH"),
            stand_ins: Map::new(),
            folder,
        };
        let (temp, tool_cache) = (runner.file("runner"), runner.file("tool-cache"));
        let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache");
        network()
            .fold(runner, |runner, (name, _)| {
                runner.option("--pass-env", name)
            })
            .option("--workspace", workspace)
            .option("--temp", temp)
            .option("--tool-cache", tool_cache)
            // No test asks GitHub for anything.
            .github("server_url", "http://127.0.0.1:9")
            // Environments made from the same lock are shared by all tests.
            .env("LOCKGATE_CACHE_DIR", &cache.display().to_string())
    }

    fn option(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.arguments.push(name.into());
        self.arguments.push(value.into());
        self
    }

    fn pair(self, option: &str, name: &str, value: &str) -> Self {
        self.option(option, format!("{name}={value}"))
    }

    /// An input of the action. A second value for the same name wins.
    pub(crate) fn input(self, name: &str, value: &str) -> Self {
        self.pair("--input", name, value)
    }

    /// A variable of the job.
    pub(crate) fn env(self, name: &str, value: &str) -> Self {
        self.pair("--env", name, value)
    }

    /// A variable that actions of JavaScript alone get.
    pub(crate) fn runtime(self, name: &str, value: &str) -> Self {
        self.pair("--runtime", name, value)
    }

    /// A value of the `github` context.
    pub(crate) fn github(self, name: &str, value: &str) -> Self {
        self.pair("--github", name, value)
    }

    /// The event and its payload.
    pub(crate) fn event(self, name: &str, payload: &Value) -> Self {
        let file = self.file("event.json");
        std::fs::write(&file, payload.to_string()).expect("an event");
        self.option("--event-name", name).option("--event", file)
    }

    /// Cancels the job when a step prints a line that fits.
    pub(crate) fn cancel_when(self, pattern: &str) -> Self {
        self.option("--cancel-when", pattern)
    }

    /// What stands for a third-party `uses:`: a folder, or `skip`.
    pub(crate) fn stand_in(mut self, uses: &str, folder: impl AsRef<Path>) -> Self {
        let folder = folder.as_ref().display().to_string();
        self.stand_ins.insert(uses.to_owned(), folder.into());
        self
    }

    /// Puts a folder in front of PATH.
    pub(crate) fn path_first(mut self, folder: &Path) -> Self {
        self.path = format!("{}:{}", folder.display(), self.path);
        self
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Starts the job; [`Running::wait`] ends it.
    pub(crate) fn start(mut self) -> Running {
        let stand_ins = self.file("stand-ins.json");
        std::fs::write(
            &stand_ins,
            Value::Object(self.stand_ins.clone()).to_string(),
        )
        .expect("a table");
        let home = self.file("home");
        std::fs::create_dir_all(&home).expect("a home");
        let result = self.file("result.json");
        let arguments = std::mem::take(&mut self.arguments);
        let log = |name: &str| std::fs::File::create(self.file(name)).expect("a log");
        let child = Command::new("node")
            .args(arguments)
            .arg("--stand-ins")
            .arg(stand_ins)
            .arg("--result")
            .arg(&result)
            .arg("--quiet")
            .env_clear()
            .env("PATH", &self.path)
            .env("HOME", &home)
            .env("TMPDIR", self.folder.path())
            .envs(network())
            .stdin(Stdio::null())
            .stdout(log("stdout"))
            .stderr(log("stderr"))
            .spawn()
            .expect("Node");
        Running {
            child,
            runner: self,
        }
    }

    /// Runs the job to its end.
    pub(crate) fn run(self) -> HostRun {
        self.start().wait()
    }
}

/// A job that runs.
pub(crate) struct Running {
    child: Child,
    runner: HostRunner,
}

impl Running {
    /// Waits until it has started a step: before it hears signals it is ended by them as any program.
    pub(crate) fn until_it_hears(&self) {
        let id = self.child.id();
        let path = format!("/proc/{id}/task/{id}/children");
        while std::fs::read_to_string(&path)
            .expect("the host runner")
            .is_empty()
        {
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
    }

    /// The user cancels the job.
    pub(crate) fn cancel(&self) {
        assert!(signal("INT", self.child.id()), "the host runner has ended");
    }

    /// The machine is lost: nothing of the runner goes on.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("a kill");
        self.child.wait().expect("an end");
    }

    /// The end of the job, and what came of it.
    #[track_caller]
    pub(crate) fn wait(mut self) -> HostRun {
        let status = self.child.wait().expect("the host runner");
        let read = |name: &str| std::fs::read_to_string(self.runner.file(name)).unwrap_or_default();
        let result = serde_json::from_str(&read("result.json")).unwrap_or_else(|error| {
            panic!("{error}: {status}\n{}\n{}", read("stdout"), read("stderr"))
        });
        HostRun {
            result,
            code: status.code().unwrap_or(-1),
            _folder: self.runner.folder,
        }
    }
}

/// Sends a signal; whether there was a process to get it.
pub(crate) fn signal(name: &str, process: u32) -> bool {
    Command::new("kill")
        .arg(format!("-{name}"))
        .arg(process.to_string())
        .stderr(Stdio::null())
        .status()
        .expect("kill")
        .success()
}

/// What came of a job. Its temporary files live as long.
pub(crate) struct HostRun {
    result: Value,
    pub(crate) code: i32,
    _folder: TempDir,
}

impl HostRun {
    /// A part of the result, by name.
    pub(crate) fn get(&self, name: &str) -> &Value {
        &self.result[name]
    }

    /// The masked log.
    pub(crate) fn log(&self) -> &str {
        self.result["log"].as_str().expect("a log")
    }

    /// The summaries of all steps.
    pub(crate) fn summary(&self) -> String {
        let summaries = self.result["summaries"].as_array().expect("a list");
        summaries
            .iter()
            .map(|one| one.as_str().expect("text"))
            .collect()
    }

    /// An output of the action.
    #[track_caller]
    pub(crate) fn output(&self, name: &str) -> &str {
        self.result["outputs"][name]
            .as_str()
            .unwrap_or_else(|| panic!("no output `{name}`: {}", self.result["outputs"]))
    }

    /// The JSON report that the output `report` names.
    pub(crate) fn report(&self) -> Value {
        let path = self.output("report");
        let text = std::fs::read_to_string(path)
            .unwrap_or_else(|error| panic!("the report `{path}`: {error}"));
        serde_json::from_str(&text).expect("JSON")
    }

    /// The annotations that steps have made, without the runner's own word on a failed step.
    pub(crate) fn annotations(&self) -> Vec<&Value> {
        let all = self.result["annotations"].as_array().expect("a list");
        all.iter().filter(|one| !is_runners_own(one)).collect()
    }

    /// A step by its name in the result: composites before the id, `_` for a step without one.
    #[track_caller]
    pub(crate) fn step(&self, id: &str) -> &Value {
        let steps = self.result["steps"].as_array().expect("a list");
        steps
            .iter()
            .find(|step| step["id"] == id)
            .unwrap_or_else(|| {
                let known: Vec<&Value> = steps.iter().map(|step| &step["id"]).collect();
                panic!("no step `{id}` in {known:?}")
            })
    }

    /// The job must have ended so: `success`, `failure`, `cancelled`.
    #[track_caller]
    pub(crate) fn expect(&self, conclusion: &str) -> &Self {
        let code = match conclusion {
            "success" => 0,
            "cancelled" => 130,
            _ => 1,
        };
        assert_eq!(self.result["conclusion"], conclusion, "{}", self.log());
        assert_eq!(self.code, code, "{}", self.log());
        self
    }

    /// The log must have this.
    #[track_caller]
    pub(crate) fn expect_log(&self, part: &str) -> &Self {
        assert!(self.log().contains(part), "no `{part}` in\n{}", self.log());
        self
    }

    /// The entry process of the step must have ended with this code.
    #[track_caller]
    pub(crate) fn expect_step_code(&self, step: &str, code: i32) -> &Self {
        assert_eq!(self.step(step)["exitCode"], code, "{}", self.log());
        self
    }
}

fn is_runners_own(annotation: &Value) -> bool {
    annotation["file"].is_null()
        && annotation["title"].is_null()
        && annotation["message"]
            .as_str()
            .is_some_and(|text| text.starts_with("Process completed with exit code "))
}

/// A pull request on a server of its own: `main` has gone on since the branch began.
pub(crate) struct PullRequest {
    server: Project,
    /// The merge commit that GitHub makes.
    pub(crate) merge: String,
    /// Its first parent: what is compared with.
    pub(crate) base: String,
    /// The tip of the branch.
    pub(crate) head: String,
    fork_point: String,
}

impl PullRequest {
    /// From a repository with one commit: `ahead` edits main afterwards, `change` is the proposal.
    pub(crate) fn of(
        server: Project,
        ahead: impl FnOnce(&Project),
        change: impl FnOnce(&Project),
    ) -> Self {
        let fork_point = server.git(&["rev-parse", "HEAD"]);
        server.git(&["checkout", "--quiet", "-b", "proposal"]);
        change(&server);
        let head = server.commit("the proposal");
        server.git(&["checkout", "--quiet", "main"]);
        ahead(&server);
        let base = server.commit("meanwhile on main");
        server.git(&["checkout", "--quiet", "--detach", "main"]);
        server.git(&["merge", "--quiet", "--no-ff", "--message", "merge", &head]);
        let merge = server.git(&["rev-parse", "HEAD"]);
        server.git(&["update-ref", "refs/pull/1/merge", &merge]);
        server.git(&["checkout", "--quiet", "main"]);
        Self {
            server,
            merge,
            base,
            head,
            fork_point,
        }
    }

    /// Where it can be fetched from.
    pub(crate) fn url(&self) -> String {
        format!("file://{}", self.server.path().display())
    }

    /// A folder that lives as long as the server.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.server.beside(name)
    }

    /// What `actions/checkout` leaves by default: the merge commit at depth 1, no credentials.
    pub(crate) fn checkout(&self, name: &str) -> PathBuf {
        let folder = self.server.beside(name);
        let at = folder.display().to_string();
        let merge = format!("+{}:refs/remotes/pull/1/merge", self.merge);
        self.server.git(&["init", "--quiet", &at]);
        self.server
            .git(&["-C", &at, "remote", "add", "origin", &self.url()]);
        self.server.git(&[
            "-C",
            &at,
            "fetch",
            "--quiet",
            "--no-tags",
            "--depth=1",
            "origin",
            &merge,
        ]);
        self.server.git(&[
            "-C",
            &at,
            "checkout",
            "--quiet",
            "--force",
            "refs/remotes/pull/1/merge",
        ]);
        folder
    }

    /// The payload of the event. As on GitHub, `base.sha` is where main was when the request was opened.
    pub(crate) fn payload(&self) -> Value {
        json!({
            "action": "synchronize",
            "number": 1,
            "pull_request": {
                "number": 1,
                "head": {"sha": self.head, "ref": "proposal"},
                "base": {"sha": self.fork_point, "ref": "main"},
            },
            "repository": {"default_branch": "main", "full_name": "octo-org/octo-repo"},
        })
    }

    /// Lets a run be one of this pull request.
    pub(crate) fn of_run(&self, runner: HostRunner) -> HostRunner {
        runner
            .event("pull_request", &self.payload())
            .github("sha", &self.merge)
            .github("ref", "refs/pull/1/merge")
            .github("base_ref", "main")
            .github("head_ref", "proposal")
    }
}
