//! A private git server on the loopback address: `git http-backend` behind basic authentication.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

/// Serves until it is dropped.
pub(crate) struct GitServer {
    address: SocketAddr,
    state: Arc<State>,
    listener: Option<JoinHandle<()>>,
}

struct State {
    answer: Answer,
    /// The head of every request.
    heads: Mutex<Vec<String>>,
    stopping: AtomicBool,
}

/// What a server does with requests.
enum Answer {
    /// Shows the repositories of a folder to who brings this token, and looks who else on the machine can see it; to
    /// everybody where the token is empty.
    Private {
        root: PathBuf,
        token: String,
        seen: Mutex<Vec<String>>,
    },
    /// Sends everybody to another server, or only those who bring some credentials.
    Redirect { to: String, asks: bool },
    /// Wants to know who asks, and is content with nobody.
    Ask,
}

impl GitServer {
    /// A server that shows the repositories below `root` to who brings `token`.
    pub(crate) fn private(root: &Path, token: &str) -> Self {
        Self::start(Answer::Private {
            root: root.to_owned(),
            token: token.to_owned(),
            seen: Mutex::default(),
        })
    }

    /// A server that shows the repositories below `root` to everybody.
    pub(crate) fn open(root: &Path) -> Self {
        Self::private(root, "")
    }

    /// A server that redirects to the same path of another; `asks` for credentials before.
    pub(crate) fn redirecting(to: &str, asks: bool) -> Self {
        Self::start(Answer::Redirect {
            to: to.to_owned(),
            asks,
        })
    }

    /// A server that asks for credentials.
    pub(crate) fn asking() -> Self {
        Self::start(Answer::Ask)
    }

    fn start(answer: Answer) -> Self {
        let socket =
            TcpListener::bind("127.0.0.1:0").expect("the loopback address has a free port");
        let address = socket.local_addr().expect("a bound socket has an address");
        let state = Arc::new(State {
            answer,
            heads: Mutex::default(),
            stopping: AtomicBool::new(false),
        });
        let shared = Arc::clone(&state);
        let listener = std::thread::spawn(move || {
            for stream in socket.incoming() {
                if shared.stopping.load(Ordering::SeqCst) {
                    return;
                }
                let (Ok(stream), shared) = (stream, Arc::clone(&shared)) else {
                    continue;
                };
                // A client that hangs up early is the client's affair.
                std::thread::spawn(move || drop(shared.serve(&stream)));
            }
        });
        Self {
            address,
            state,
            listener: Some(listener),
        }
    }

    /// The address, without a slash at the end.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The heads of all requests so far.
    pub(crate) fn heads(&self) -> Vec<String> {
        lock(&self.state.heads).clone()
    }

    /// Processes that had the token in their arguments or their environment while it was used.
    pub(crate) fn processes_with_the_token(&self) -> Vec<String> {
        match &self.state.answer {
            Answer::Private { seen, .. } => lock(seen).clone(),
            Answer::Redirect { .. } | Answer::Ask => Vec::new(),
        }
    }
}

impl Drop for GitServer {
    fn drop(&mut self) {
        self.state.stopping.store(true, Ordering::SeqCst);
        // Wakes the listener, which then sees the flag.
        drop(TcpStream::connect(self.address));
        if let Some(listener) = self.listener.take() {
            drop(listener.join());
        }
    }
}

impl State {
    fn serve(&self, mut stream: &TcpStream) -> std::io::Result<()> {
        let mut reader = BufReader::new(stream.try_clone()?);
        let mut head = String::new();
        while reader.read_line(&mut head)? > 2 {}
        lock(&self.heads).push(head.clone());
        let target = head.split(' ').nth(1).unwrap_or_default().to_owned();
        let refused = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"git\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        match &self.answer {
            Answer::Redirect { to, asks } => {
                if *asks && header(&head, "authorization").is_none() {
                    return stream.write_all(refused.as_bytes());
                }
                let location = format!(
                    "HTTP/1.1 302 Found\r\nLocation: {to}{target}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                );
                stream.write_all(location.as_bytes())
            }
            Answer::Ask => stream.write_all(refused.as_bytes()),
            Answer::Private { root, token, seen } => {
                let expected = format!(
                    "basic {}",
                    base64(format!("x-access-token:{token}").as_bytes())
                );
                if !token.is_empty() {
                    if !header(&head, "authorization")
                        .is_some_and(|value| value.eq_ignore_ascii_case(&expected))
                    {
                        return stream.write_all(refused.as_bytes());
                    }
                    lock(seen).extend(processes_that_show(token));
                }
                let length = header(&head, "content-length").and_then(|length| length.parse().ok());
                let mut body = vec![0; length.unwrap_or(0)];
                reader.read_exact(&mut body)?;
                stream.write_all(&backend(root, &head, &target, &body)?)
            }
        }
    }
}

/// One request through `git http-backend`, a CGI program.
fn backend(root: &Path, head: &str, target: &str, body: &[u8]) -> std::io::Result<Vec<u8>> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut command = Command::new("git");
    command
        .arg("http-backend")
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("REQUEST_METHOD", head.split(' ').next().unwrap_or_default())
        .env("PATH_INFO", path)
        .env("QUERY_STRING", query)
        .env("REMOTE_ADDR", "127.0.0.1")
        .env("REMOTE_USER", "somebody")
        .env("CONTENT_LENGTH", body.len().to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    for (variable, name) in [
        ("CONTENT_TYPE", "content-type"),
        ("HTTP_CONTENT_ENCODING", "content-encoding"),
        ("GIT_PROTOCOL", "git-protocol"),
    ] {
        if let Some(value) = header(head, name) {
            command.env(variable, value);
        }
    }
    let mut child = command.spawn()?;
    let mut stdin = child.stdin.take();
    let output = std::thread::scope(|scope| {
        scope.spawn(move || stdin.as_mut().map(|stdin| stdin.write_all(body)));
        child.wait_with_output()
    })?;
    let end = output
        .stdout
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .unwrap_or(0);
    let (headers, content) = output.stdout.split_at(end);
    let headers = String::from_utf8_lossy(headers);
    let status = header(&format!("\r\n{headers}"), "status")
        .unwrap_or("200 OK")
        .to_owned();
    let mut response = format!(
        "HTTP/1.1 {status}\r\n{headers}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        content.len().saturating_sub(4)
    )
    .into_bytes();
    response.extend_from_slice(content.get(4..).unwrap_or_default());
    Ok(response)
}

/// The value of a header; the first line is no header.
fn header<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    head.lines()
        .skip(1)
        .filter_map(|line| line.split_once(':'))
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim())
}

/// Programs in whose arguments or environment the secret stands right now. The gate itself must have it.
fn processes_that_show(secret: &str) -> Vec<String> {
    let mut found = Vec::new();
    for process in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        for part in ["cmdline", "environ"] {
            let bytes = std::fs::read(process.path().join(part)).unwrap_or_default();
            let program = std::fs::read_to_string(process.path().join("comm")).unwrap_or_default();
            if program.trim_end() != "lockgate" && String::from_utf8_lossy(&bytes).contains(secret)
            {
                found.push(format!("{part} of {}", program.trim_end()));
            }
        }
    }
    found
}

/// Base64 with padding, as basic authentication has it.
pub(crate) fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    bytes
        .chunks(3)
        .flat_map(|chunk| {
            let group = chunk
                .iter()
                .fold(0_usize, |group, byte| group << 8 | usize::from(*byte))
                << (8 * (3 - chunk.len()));
            (0..4).map(move |index| {
                if index > chunk.len() {
                    '='
                } else {
                    char::from(ALPHABET[group >> (18 - 6 * index) & 63])
                }
            })
        })
        .collect()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
