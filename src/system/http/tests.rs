use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use tempfile::TempDir;

use super::*;

/// Gives these answers, one a connection, and hangs up after each; keeps what was asked.
struct Server {
    url: String,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn start(answers: &[&str]) -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", socket.local_addr().unwrap());
        let heads = Arc::new(Mutex::new(Vec::new()));
        let answers: Vec<String> = answers
            .iter()
            .map(|answer| answer.replace("SELF", &url))
            .collect();
        let seen = Arc::clone(&heads);
        std::thread::spawn(move || {
            for (stream, answer) in socket.incoming().zip(answers) {
                let mut stream: TcpStream = stream.unwrap();
                let mut head = vec![0; 4096];
                let size = stream.read(&mut head).unwrap();
                let head = String::from_utf8_lossy(head.get(..size).unwrap()).into_owned();
                seen.lock().unwrap().push(head);
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        Self { url, heads }
    }

    fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

fn http(logins: Vec<Login>) -> Http {
    Http::new(&Environment::default(), logins, Stop::never()).unwrap()
}

fn request(url: &str) -> Request<'_> {
    Request {
        url,
        accept: "text/html",
        etag: None,
    }
}

const OK: &str =
    "HTTP/1.1 200 OK\r\nETag: \"one\"\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello";
const CUT: &str = "HTTP/1.1 200 OK\r\nContent-Length: 50\r\nConnection: close\r\n\r\nhel";
const BUSY: &str =
    "HTTP/1.1 503 Busy\r\nRetry-After: 0\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

#[tokio::test]
async fn what_is_cut_off_or_busy_is_asked_again_but_not_for_ever() {
    let server = Server::start(&[CUT, BUSY, OK]);
    let answer = http(Vec::new()).get(request(&server.url)).await.unwrap();
    assert_eq!(answer.body, b"hello");
    assert_eq!(server.heads().len(), 3);
    let server = Server::start(&[CUT, BUSY, CUT, BUSY, OK]);
    let error = http(Vec::new())
        .get(request(&server.url))
        .await
        .unwrap_err();
    assert!(
        error.message.contains("no answer in 4 attempts"),
        "{error:?}"
    );
    assert_eq!(server.heads().len(), 4);
}

#[tokio::test]
async fn what_no_repetition_helps_is_asked_once() {
    let server =
        Server::start(&["HTTP/1.1 403 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"]);
    let error = http(Vec::new())
        .get(request(&server.url))
        .await
        .unwrap_err();
    assert!(error.message.contains("answers 403"), "{error:?}");
    let error = http(Vec::new())
        .get(request("http://me:not-real@index.example/x?not-real"))
        .await
        .unwrap_err();
    assert_eq!(
        error.message,
        "`http://index.example/x` is not asked: it is no `https` address"
    );
}

#[tokio::test]
async fn a_credential_goes_to_its_origin_and_follows_nobody_elsewhere() {
    let elsewhere = Server::start(&[OK]);
    let moved = format!(
        "HTTP/1.1 302 Found\r\nLocation: {}/x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        elsewhere.url
    );
    let within = "HTTP/1.1 302 Found\r\nLocation: SELF/there/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let server = Server::start(&[within, OK, &moved, &moved]);
    let login = |server: &Server| {
        let line = server.url.replace("http://", "http://me:not-real@");
        Login::parse(&line, "x").unwrap()
    };
    let own = http(vec![login(&server)]);
    let answer = own.get(request(&server.url)).await.unwrap();
    assert!(answer.is_private);
    let expected = "authorization: Basic bWU6bm90LXJlYWw=";
    for head in server.heads() {
        assert!(
            head.to_lowercase().contains(&expected.to_lowercase()),
            "{head}"
        );
    }
    let error = own.get(request(&server.url)).await.unwrap_err();
    assert!(error.message.contains("somebody else's"), "{error:?}");
    assert!(elsewhere.heads().is_empty());
    // Without one it may, and one for elsewhere does not come along.
    let others = http(vec![login(&elsewhere)]);
    others.get(request(&server.url)).await.unwrap();
    let heads = elsewhere.heads().concat().to_lowercase();
    assert!(
        !heads.is_empty() && !heads.contains("authorization"),
        "{heads}"
    );
    assert_eq!(format!("{own:?}").matches("not-real").count(), 0);
}

#[tokio::test]
async fn an_answer_is_kept_by_its_mark_and_a_spoilt_file_is_no_answer() {
    let same = "HTTP/1.1 304 Same\r\nConnection: close\r\n\r\n";
    let server = Server::start(&[OK, same, OK]);
    let folder = TempDir::new().unwrap();
    let cache = Cache::new(folder.path().join("pages"));
    let http = http(Vec::new());
    for _ in 0..2 {
        let answer = cache.get(&http, &server.url, "text/html").await.unwrap();
        assert_eq!(
            (answer.status, answer.body.as_slice()),
            (200, &b"hello"[..])
        );
    }
    let file = std::fs::read_dir(folder.path().join("pages"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap();
    let mut content = std::fs::read(file.path()).unwrap();
    content.pop();
    std::fs::write(file.path(), content).unwrap();
    cache.get(&http, &server.url, "text/html").await.unwrap();
    let heads = server.heads();
    let asks = |head: &String| head.to_lowercase().contains("if-none-match: \"one\"");
    assert_eq!(
        heads.iter().map(asks).collect::<Vec<_>>(),
        [false, true, false]
    );
}
