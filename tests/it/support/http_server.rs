//! A server on the loopback address whose answers a test decides: one thread a connection, one request each.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

/// A request, whole.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: String,
    /// With what stands behind `?`.
    pub(crate) path: String,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Asked {
    pub(crate) fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        let pairs = self.headers.iter();
        pairs.map(|(name, value)| (name.as_str(), value.as_str()))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let own = headers.find(|(own, _)| own.eq_ignore_ascii_case(name));
        own.map(|(_, value)| value.as_str())
    }
}

/// An answer; without a status, the connection ends without one.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    status: Option<u16>,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Told {
    pub(crate) fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status: Some(status),
            headers: Vec::new(),
            body: body.into(),
        }
    }

    pub(crate) fn body(&self) -> &[u8] {
        &self.body
    }

    pub(crate) fn nothing() -> Self {
        Self {
            status: None,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

/// Serves until it is dropped.
pub(crate) struct HttpServer {
    address: SocketAddr,
    stopping: Arc<AtomicBool>,
    listener: Option<JoinHandle<()>>,
}

impl HttpServer {
    pub(crate) fn start(answer: impl Fn(&Asked) -> Told + Send + Sync + 'static) -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = socket.local_addr().expect("an address");
        let stopping = Arc::new(AtomicBool::new(false));
        let (ending, answer) = (Arc::clone(&stopping), Arc::new(answer));
        let listener = std::thread::spawn(move || {
            for stream in socket.incoming() {
                if ending.load(Ordering::SeqCst) {
                    return;
                }
                let (Ok(stream), answer) = (stream, Arc::clone(&answer)) else {
                    continue;
                };
                // A client that hangs up early is the client's affair: the test looks at what the client made of it.
                std::thread::spawn(move || drop(serve(stream, &*answer)));
            }
        });
        Self {
            address,
            stopping,
            listener: Some(listener),
        }
    }

    /// Its address, without a slash at the end.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::SeqCst);
        // Wakes the listener, which then sees the flag.
        drop(TcpStream::connect(self.address));
        if let Some(listener) = self.listener.take() {
            drop(listener.join());
        }
    }
}

fn serve(stream: TcpStream, answer: &dyn Fn(&Asked) -> Told) -> std::io::Result<()> {
    let mut writer = stream.try_clone()?;
    let Some(asked) = read(&mut BufReader::new(stream))? else {
        return Ok(());
    };
    let told = answer(&asked);
    let Some(status) = told.status else {
        return Ok(());
    };
    write!(writer, "HTTP/1.1 {status} Told\r\nConnection: close\r\n")?;
    for (name, value) in &told.headers {
        write!(writer, "{name}: {value}\r\n")?;
    }
    let is_told = |(name, _): &(String, String)| name.eq_ignore_ascii_case("content-length");
    if !told.headers.iter().any(is_told) {
        write!(writer, "Content-Length: {}\r\n", told.body.len())?;
    }
    writer.write_all(b"\r\n")?;
    if asked.method != "HEAD" {
        writer.write_all(&told.body)?;
    }
    writer.flush()
}

fn read(reader: &mut impl BufRead) -> std::io::Result<Option<Asked>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split(' ').map(str::to_owned);
    let (method, path) = (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    );
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
    let mut asked = Asked {
        method,
        path,
        headers,
        body: Vec::new(),
    };
    if let Some(length) = asked.header("content-length") {
        let length: u64 = length.parse().map_err(std::io::Error::other)?;
        let read = reader.take(length).read_to_end(&mut asked.body)?;
        if read as u64 != length {
            return Err(std::io::Error::other("the client went away"));
        }
    } else if asked.header("transfer-encoding").is_some() {
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let size = u64::from_str_radix(line.trim(), 16).map_err(std::io::Error::other)?;
            reader.take(size).read_to_end(&mut asked.body)?;
            reader.read_line(&mut String::new())?;
            if size == 0 {
                break;
            }
        }
    }
    Ok(Some(asked))
}
