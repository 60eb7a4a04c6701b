//! A release server on the loopback address whose answers are scripted: what a mirror, a proxy or an attacker sends.

use std::collections::{HashMap, VecDeque};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

/// One answer to one request.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    Bytes(Vec<u8>),
    /// The first half of the bytes, under a `Content-Length` that promises all of them.
    Truncated(Vec<u8>),
    Status(u16),
    Redirect(String),
    /// The head and one byte of a longer body, then silence until the client hangs up.
    Stall,
}

/// Serves until it is dropped; a path without a script is a 404.
pub(crate) struct ReleaseServer {
    address: SocketAddr,
    state: Arc<State>,
    listener: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct State {
    scripts: Mutex<HashMap<String, VecDeque<Answer>>>,
    heads: Mutex<Vec<String>>,
    stalled: AtomicUsize,
    stopping: AtomicBool,
}

impl ReleaseServer {
    pub(crate) fn start() -> Self {
        let socket =
            TcpListener::bind("127.0.0.1:0").expect("the loopback address has a free port");
        let address = socket.local_addr().expect("a bound socket has an address");
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        let listener = std::thread::spawn(move || {
            for stream in socket.incoming() {
                if shared.stopping.load(Ordering::SeqCst) {
                    return;
                }
                let (Ok(stream), shared) = (stream, Arc::clone(&shared)) else {
                    continue;
                };
                // A client that hangs up early is the client's affair: the test looks at what the client made of it.
                std::thread::spawn(move || drop(shared.serve(stream)));
            }
        });
        Self {
            address,
            state,
            listener: Some(listener),
        }
    }

    /// The address of the server under the given host name, without a slash at the end.
    pub(crate) fn origin(&self, host: &str) -> String {
        format!("http://{host}:{}", self.address.port())
    }

    /// Gives the answers in turn to requests for the path; the last one stays.
    pub(crate) fn script(&self, path: &str, answers: impl IntoIterator<Item = Answer>) {
        lock(&self.state.scripts).insert(path.to_owned(), answers.into_iter().collect());
    }

    /// The heads of all requests so far.
    pub(crate) fn heads(&self) -> Vec<String> {
        lock(&self.state.heads).clone()
    }

    /// The paths of all requests so far.
    pub(crate) fn paths(&self) -> Vec<String> {
        self.heads()
            .iter()
            .map(|head| path_of(head).to_owned())
            .collect()
    }

    /// How many clients wait for the rest of a stalled answer right now.
    pub(crate) fn stalled(&self) -> usize {
        self.state.stalled.load(Ordering::SeqCst)
    }
}

impl Drop for ReleaseServer {
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
    fn serve(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let head = read_head(&mut stream)?;
        let answer = self.next_answer(path_of(&head));
        lock(&self.heads).push(head);
        match answer {
            Answer::Bytes(body) => respond(&mut stream, "200 OK", "", body.len(), &body),
            Answer::Truncated(body) => respond(
                &mut stream,
                "200 OK",
                "",
                body.len(),
                &body[..body.len() / 2],
            ),
            Answer::Status(code) => {
                respond(&mut stream, &format!("{code} Scripted"), "", 5, b"sorry")
            }
            Answer::Redirect(to) => respond(
                &mut stream,
                "302 Found",
                &format!("Location: {to}\r\n"),
                0,
                b"",
            ),
            Answer::Stall => {
                respond(&mut stream, "200 OK", "", 1_000_000, b"x")?;
                self.stalled.fetch_add(1, Ordering::SeqCst);
                let end = stream.read(&mut [0]);
                self.stalled.fetch_sub(1, Ordering::SeqCst);
                end.map(drop)
            }
        }
    }

    fn next_answer(&self, path: &str) -> Answer {
        let mut scripts = lock(&self.scripts);
        match scripts.get_mut(path) {
            Some(script) if script.len() > 1 => script.pop_front(),
            Some(script) => script.front().cloned(),
            None => None,
        }
        .unwrap_or(Answer::Status(404))
    }
}

fn read_head(stream: &mut TcpStream) -> std::io::Result<String> {
    let mut head = Vec::new();
    let mut buffer = [0; 4096];
    while !head.windows(4).any(|window| window == b"\r\n\r\n") {
        match stream.read(&mut buffer)? {
            0 => break,
            count => head.extend_from_slice(&buffer[..count]),
        }
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

fn respond(
    stream: &mut TcpStream,
    status: &str,
    header: &str,
    length: usize,
    body: &[u8],
) -> std::io::Result<()> {
    write!(
        stream,
        "HTTP/1.1 {status}\r\n{header}Content-Length: {length}\r\nConnection: close\r\n\r\n"
    )?;
    stream.write_all(body)?;
    stream.flush()
}

fn path_of(head: &str) -> &str {
    head.split(' ').nth(1).unwrap_or_default()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
