//! Runs the real binary in a scrubbed environment.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};

use tempfile::TempDir;

use crate::support::expect::root;
use crate::support::tools::network;

/// The binary under test.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_lockgate");

/// Where the example's service listens: as a stage, and as what was deployed.
const EXAMPLE_PORTS: [&str; 2] = ["18099", "18098"];

/// A port that nobody was given before, below those that the system gives away by itself.
fn port_of_its_own() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(18_100);
    loop {
        let port = NEXT.fetch_add(1, Ordering::Relaxed);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// What a run left.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    /// Everything that was printed.
    pub(crate) fn text(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    /// The run must have ended with this code.
    #[track_caller]
    pub(crate) fn expect_code(&self, code: i32) -> &Self {
        assert_eq!(
            self.code, code,
            "stdout:\n{}\nstderr:\n{}",
            self.stdout, self.stderr
        );
        self
    }

    /// Something must have been printed.
    #[track_caller]
    pub(crate) fn expect_text(&self, part: &str) -> &Self {
        assert!(
            self.text().contains(part),
            "no `{part}` in\nstdout:\n{}\nstderr:\n{}",
            self.stdout,
            self.stderr
        );
        self
    }

    /// Standard output as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}:\n{}\n{}", self.stdout, self.stderr))
    }
}

/// A project in a temporary folder, with a home of its own.
pub(crate) struct Project {
    folder: TempDir,
    environment: BTreeMap<String, String>,
}

impl Project {
    /// An empty folder.
    pub(crate) fn empty() -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let project = Self {
            folder,
            environment: BTreeMap::new(),
        };
        std::fs::create_dir_all(project.path()).expect("the project's folder");
        let home = project.beside("home").display().to_string();
        let mut project = project;
        for (name, value) in network() {
            let value = value.into_string().expect("Unicode");
            project = project.with(name, &value);
        }
        project
            .with("PATH", &std::env::var("PATH").expect("a PATH"))
            .with("HOME", &home)
            // Environments made from the same lock are shared by all tests.
            .with_cache(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache"))
    }

    /// A copy of the example service in a repository with one commit. It listens where no other copy does.
    pub(crate) fn example() -> Self {
        let project = Self::empty();
        let example = root().join("examples/notes");
        for file in crate::support::expect::files_below("examples/notes") {
            let target = project
                .path()
                .join(file.strip_prefix(&example).expect("inside the example"));
            std::fs::create_dir_all(target.parent().expect("a folder")).expect("a folder");
            std::fs::copy(&file, target).expect("a copy");
        }
        let settings = project.path().join("pyproject.toml");
        let mut text = std::fs::read_to_string(&settings).expect("its settings");
        for port in EXAMPLE_PORTS {
            assert!(text.contains(port), "the example knows no port {port}");
            text = text.replace(port, &port_of_its_own().to_string());
        }
        std::fs::write(&settings, text).expect("its settings");
        project.git(&["init", "--quiet", "--initial-branch=main"]);
        project.commit("the example");
        project
    }

    fn with_cache(self, cache: &Path) -> Self {
        let cache = cache.display().to_string();
        self.with("LOCKGATE_CACHE_DIR", &cache)
    }

    /// Sets a variable of the environment.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Puts a folder in front of PATH.
    pub(crate) fn with_path_first(self, folder: &Path) -> Self {
        let path = format!("{}:{}", folder.display(), self.environment["PATH"]);
        self.with("PATH", &path)
    }

    /// The project's folder.
    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("project")
    }

    /// A folder beside the project.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        let folder = self.folder.path().join(name);
        std::fs::create_dir_all(&folder).expect("a folder beside the project");
        folder
    }

    /// Writes a file.
    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) -> &Self {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, content).expect("a file");
        self
    }

    /// Appends to a file.
    pub(crate) fn append(&self, path: &str, content: &str) -> &Self {
        let mut text = std::fs::read_to_string(self.path().join(path)).unwrap_or_default();
        text.push_str(content);
        self.write(path, text)
    }

    /// Runs git in the project; it must succeed.
    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        let output = Command::new("git")
            .args([
                "-c",
                "user.name=Test",
                "-c",
                "user.email=test@lockgate.example",
                "-c",
                "commit.gpgsign=false",
            ])
            .args(arguments)
            .current_dir(self.path())
            .env_clear()
            .envs(&self.environment)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .output()
            .expect("git");
        assert!(
            output.status.success(),
            "git {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout)
            .trim_end()
            .to_owned()
    }

    /// Commits everything; returns the SHA.
    pub(crate) fn commit(&self, message: &str) -> String {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// The environment of a workflow run of this event, with fresh files for outputs and summary.
    pub(crate) fn in_workflow(self, event: &str, payload: &serde_json::Value) -> Self {
        let temp = self.beside("temp");
        let file = temp.join("event.json");
        std::fs::write(&file, payload.to_string()).expect("an event");
        let workspace = self.path().display().to_string();
        let (event_path, temp_path) = (file.display().to_string(), temp.display().to_string());
        let (output, summary) = (
            temp.join("output").display().to_string(),
            temp.join("summary").display().to_string(),
        );
        self.with("GITHUB_ACTIONS", "true")
            .with("GITHUB_EVENT_NAME", event)
            .with("GITHUB_EVENT_PATH", &event_path)
            .with("GITHUB_WORKSPACE", &workspace)
            .with("GITHUB_SERVER_URL", "http://127.0.0.1:9")
            .with("GITHUB_OUTPUT", &output)
            .with("GITHUB_STEP_SUMMARY", &summary)
            .with("RUNNER_TEMP", &temp_path)
    }

    /// What the last run in a workflow wrote to this file of `RUNNER_TEMP`.
    pub(crate) fn temp_file(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join("temp").join(name)).unwrap_or_default()
    }

    /// The command, ready to be run in another way.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        command
            .args(arguments)
            .current_dir(self.path())
            .env_clear()
            .envs(&self.environment)
            .stdin(Stdio::null());
        command
    }

    /// Runs the binary to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        let output = self.command(arguments).output().expect("the binary");
        Run {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}
