//! Real peers of the cache on the loopback address: Azurite, moto's S3, the cache service with faults on demand, the official
//! client. None outlives the tests: each ends with its standard input.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

use crate::support::expect::root;
use crate::support::http_server::{Asked, Told};
use crate::support::lock_tools::lock_tool;
use crate::support::tools::{once, run};

/// Azurite's own account, which it documents.
pub(crate) const AZURE_ACCOUNT: &str = "devstoreaccount1";
/// And its key.
pub(crate) const AZURE_KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// A process that serves until it is dropped.
pub(crate) struct Peer {
    child: Child,
    /// The line with which it said that it serves.
    told: Value,
}

impl Peer {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("the tests need Node 20: {command:?}: {error}"));
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().expect("a pipe"))
            .read_line(&mut line)
            .expect("a line");
        let told = serde_json::from_str(&line)
            .unwrap_or_else(|error| panic!("{command:?} does not serve: {error}: {line}"));
        Self { child, told }
    }

    pub(crate) fn url(&self) -> String {
        self.told["url"].as_str().expect("an address").to_owned()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// The folder of the peers, their packages installed.
pub(crate) fn folder() -> PathBuf {
    static READY: OnceLock<()> = OnceLock::new();
    let folder = root().join("tests/peers");
    READY.get_or_init(|| {
        let lock = std::fs::read(folder.join("package-lock.json")).expect("a lock");
        once(&folder.join("node_modules/.installed"), &lock, || {
            run(
                Command::new("npm")
                    .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
                    .current_dir(&folder),
                "Node 20 with npm",
            );
        });
    });
    folder
}

/// A script of the peers, to be run.
pub(crate) fn node(script: &str) -> Command {
    let mut command = Command::new("node");
    command.arg(folder().join(script));
    command
}

/// The address of Azurite's blob store, started once.
pub(crate) fn azurite() -> &'static str {
    static AZURITE: OnceLock<(Peer, String)> = OnceLock::new();
    let (_, url) = AZURITE.get_or_init(|| {
        let program = folder().join("node_modules/azurite/dist/src/blob/main.js");
        let peer = Peer::start(node("until-closed.mjs").arg("node").arg(program).args([
            "--disableTelemetry",
            "--skipApiVersionCheck",
            "--blobHost",
            "127.0.0.1",
            "--blobPort",
            "0",
            "--inMemoryPersistence",
            "--extentMemoryLimit",
            "4096",
        ]));
        let url = peer.url();
        (peer, url)
    });
    url
}

/// The address of moto's S3, started once.
pub(crate) fn moto() -> &'static str {
    static MOTO: OnceLock<(Peer, String)> = OnceLock::new();
    let (_, url) = MOTO.get_or_init(|| {
        let program = lock_tool("moto").join("bin/moto_server");
        let mut command = node("until-closed.mjs");
        command
            .arg(program)
            .args(["-H", "127.0.0.1", "-p", "0"])
            .env("PYTHONUNBUFFERED", "1");
        let peer = Peer::start(&mut command);
        let url = peer.url();
        (peer, url)
    });
    url
}

/// A collector of OpenTelemetry, which prints what it takes.
pub(crate) struct Collector {
    peer: Peer,
    log: tempfile::TempDir,
}

impl Collector {
    /// Starts one on a port of its own.
    pub(crate) fn start() -> Self {
        let log = tempfile::tempdir().expect("a folder");
        let python = lock_tool("pipeline-reports").join("bin/python");
        let output = Command::new(python)
            .args(["-c", "import rotel; print(rotel.__path__[0])"])
            .output()
            .expect("Python");
        let package = String::from_utf8(output.stdout).expect("a path");
        let agent = Path::new(package.trim()).join("rotel-agent");
        let mut command = node("collector.mjs");
        let peer = Peer::start(command.arg(agent).arg(log.path().join("log")));
        Self { peer, log }
    }

    /// Its address.
    pub(crate) fn url(&self) -> String {
        self.peer.url()
    }

    /// Waits until it has printed this.
    pub(crate) fn shows(&self, text: &str) {
        let started = std::time::Instant::now();
        loop {
            let log = std::fs::read(self.log.path().join("log")).expect("a log");
            let log = String::from_utf8_lossy(&log);
            if log.contains(text) {
                return;
            }
            let is_late = started.elapsed() > std::time::Duration::from_mins(1);
            assert!(!is_late, "`{text}` is not in\n{log}");
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
    }
}

/// A cache service of its own, whose archives are in Azurite.
pub(crate) struct CacheService {
    peer: Peer,
}

/// Starts a cache service.
pub(crate) fn cache_service() -> CacheService {
    let peer = Peer::start(node("cache-service.mjs").args(["--blobs", azurite()]));
    CacheService { peer }
}

/// Starts what can fail in front of another server, such as moto's: faults are placed by the method of a request.
pub(crate) fn in_front_of(server: &str) -> CacheService {
    let peer = Peer::start(node("cache-service.mjs").args(["--plain", "--blobs", server]));
    CacheService { peer }
}

impl CacheService {
    /// Its address.
    pub(crate) fn url(&self) -> String {
        self.peer.url()
    }

    /// What a runner would give to an action that uses it.
    pub(crate) fn environment(&self, token: &str) -> Vec<(&'static str, String)> {
        vec![
            ("ACTIONS_RESULTS_URL", format!("{}/", self.url())),
            ("ACTIONS_RUNTIME_TOKEN", token.to_owned()),
            ("ACTIONS_CACHE_SERVICE_V2", "True".to_owned()),
        ]
    }

    /// Lets these faults happen, in place of those that did not yet. `cache-service.mjs` says which there are.
    pub(crate) fn fail(&self, faults: &Value) {
        self.control("PUT", "/_faults", &faults.to_string());
    }

    /// What was asked since the last look, and the faults that did not happen yet.
    pub(crate) fn seen(&self) -> (Vec<Value>, Vec<Value>) {
        let text = self.control("GET", "/_seen", "");
        let answer: Value = serde_json::from_str(&text).expect("JSON");
        let list = |name: &str| answer[name].as_array().expect("a list").clone();
        (list("seen"), list("faults"))
    }

    /// Adds complete entries without archives: a list of `key`, `version` and perhaps `scope`.
    pub(crate) fn fill(&self, entries: &Value) {
        self.control("PUT", "/_fill", &entries.to_string());
    }

    fn control(&self, method: &str, path: &str, body: &str) -> String {
        ask(method, &format!("{}{path}", self.url()), body)
    }
}

/// A request without credentials to a peer; what it answers.
pub(crate) fn ask(method: &str, url: &str, body: &str) -> String {
    let (host, path) = url
        .trim_start_matches("http://")
        .split_once('/')
        .expect("a path");
    let mut stream = TcpStream::connect(host).expect("the peer");
    write!(
        stream,
        "{method} /{path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
    .expect("the peer");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("the peer");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let (_, content) = answer.split_once("\r\n\r\n").expect("an answer");
    content.to_owned()
}

/// A request to a peer with these headers; the status and the whole answer.
pub(crate) fn ask_as(
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> (u16, String) {
    let (host, path) = url
        .trim_start_matches("http://")
        .split_once('/')
        .expect("a path");
    let mut stream = TcpStream::connect(host).expect("the peer");
    let headers = headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"));
    write!(
        stream,
        "{method} /{path} HTTP/1.1\r\nHost: {host}\r\n{}Content-Length: {}\r\nConnection: close\r\n\r\n",
        headers.collect::<String>(),
        body.len()
    )
    .expect("the peer");
    stream.write_all(body).expect("the peer");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("the peer");
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    (status.expect("a status"), answer)
}

/// Makes a bucket of moto's S3, which asks nobody for credentials.
pub(crate) fn make_bucket(name: &str) {
    ask("PUT", &format!("{}/{name}", moto()), "");
}

/// Makes a container of Azurite's.
pub(crate) fn make_container(name: &str) {
    run(
        node("make-container.mjs").args([azurite(), name]),
        "the packages of tests/peers",
    );
}

/// What the official client returns, and what it prints: it saves or restores these paths of a workspace.
pub(crate) fn official_client(
    action: &str,
    keys: &str,
    workspace: &Path,
    environment: &[(&'static str, String)],
    paths: &[&str],
) -> (Value, String) {
    let temporary = workspace.join("../runner-temp");
    std::fs::create_dir_all(&temporary).expect("a folder");
    let output = node("official.mjs")
        .args([action, keys])
        .args(paths)
        .current_dir(workspace)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("GITHUB_WORKSPACE", workspace)
        .env("RUNNER_TEMP", temporary)
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .output()
        .expect("Node 20");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let last = text.lines().last().unwrap_or_default();
    let answer: Value = serde_json::from_str(last).unwrap_or_else(|error| {
        let log = String::from_utf8_lossy(&output.stderr);
        panic!("the official client: {error}: {text}\n{log}")
    });
    (answer["result"].clone(), text)
}

/// Asks a server what was asked of us, and hands on its answer: what may stand in front of moto.
pub(crate) fn pass_on(server: &str, asked: &Asked) -> Told {
    let host = server.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host).expect("the peer");
    let mut head = format!(
        "{} {} HTTP/1.1\r\nConnection: close\r\n",
        asked.method, asked.path
    );
    for (name, value) in asked.headers() {
        let is_ours = ["connection", "content-length", "transfer-encoding"]
            .iter()
            .any(|own| name.eq_ignore_ascii_case(own));
        if !is_ours {
            head.extend([name, ": ", value, "\r\n"]);
        }
    }
    let length = asked.body.len();
    write!(stream, "{head}Content-Length: {length}\r\n\r\n").expect("the peer");
    stream.write_all(&asked.body).expect("the peer");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("the peer");
    let end = memchr::memmem::find(&answer, b"\r\n\r\n").expect("a head");
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let mut lines = head.lines();
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1)?.parse().ok());
    let told = Told::new(status.expect("a status"), &answer[end + 4..]);
    lines
        .filter_map(|line| line.split_once(": "))
        .filter(|(name, _)| !name.eq_ignore_ascii_case("connection"))
        .fold(told, |told, (name, value)| told.with(name, value))
}

/// How many uploads in parts somebody began in a bucket of moto's, and neither ended nor took back.
pub(crate) fn uploads_in(bucket: &str) -> usize {
    let list = ask("GET", &format!("{}/{bucket}?uploads", moto()), "");
    list.matches("<UploadId>").count()
}
