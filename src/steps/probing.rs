//! One question to something that runs: whether it listens, what it answers, whether a program says that it is well.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::Path;
use std::time::Duration;

use regex::bytes::Regex;
use reqwest::Method;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::timeout;
use url::Url;

use crate::error::{Error, Result};
use crate::model::pipeline::Placed;
use crate::system::environment::Environment;
use crate::system::http::Http;
use crate::system::http::exchange::{Call, Trouble};
use crate::system::process::{Child, Ending};
use crate::system::stop::Stop;

/// How long a program has between SIGTERM and SIGKILL that gave no answer in time.
const GRACE: Duration = Duration::from_millis(500);

/// A longer content is not looked at, bytes.
const LONGEST: u64 = 1 << 20;

/// Letters of what was answered that a message shows.
const SHOWN: usize = 80;

/// What is asked.
#[derive(Clone, Debug)]
pub enum Question {
    /// Whether something listens at this address.
    Tcp(String),
    /// Whether a GET is answered as it should be.
    Http(Box<Get>),
    /// Whether this program exits with zero.
    Command(Vec<String>),
}

/// A GET and the answer that it should have. Nobody is followed elsewhere: a redirect is an answer like another.
#[derive(Clone, Debug)]
pub struct Get {
    /// The client.
    pub http: Http,
    /// The URL.
    pub url: Url,
    /// The statuses that are good.
    pub statuses: Vec<RangeInclusive<u16>>,
    /// What the content matches.
    pub body: Option<Regex>,
    /// What the content, read as JSON, has at each pointer.
    pub json: BTreeMap<String, String>,
}

/// What came of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// As it should be.
    Good,
    /// Not so; why.
    Bad(String),
    /// It could not be asked: it says nothing about what runs; why.
    Unknown(String),
}

/// What asking needs.
#[derive(Clone, Debug)]
pub struct Asker<'a> {
    /// What a program sees.
    pub environment: &'a Environment,
    /// Where it runs.
    pub directory: &'a Path,
    /// Whether to end.
    pub stop: Stop,
    /// How long one question may take.
    pub limit: Duration,
}

/// The address of a probe.
pub fn url(address: &Placed<&str>) -> Result<Url> {
    Url::parse(address.value).map_err(|error| {
        Error::usage(format!("`{}` is no URL", address.value))
            .at(address.place.clone())
            .cause(error)
    })
}

impl Asker<'_> {
    /// Asks once.
    pub async fn ask(&self, question: &Question) -> Answer {
        let answer = match question {
            Question::Tcp(address) => timeout(self.limit, self.connect(address)).await,
            Question::Http(get) => timeout(self.limit, self.get(get)).await,
            // A program ends by its own limit: given up from here, it would leave what it has started.
            Question::Command(command) => return self.run(command).await,
        };
        answer.unwrap_or_else(|_| self.too_late())
    }

    fn too_late(&self) -> Answer {
        let limit = crate::model::duration::show(self.limit);
        Answer::Bad(format!("there was no answer within {limit}"))
    }

    async fn connect(&self, address: &str) -> Answer {
        let mut stop = self.stop.clone();
        tokio::select! {
            connected = TcpStream::connect(address) => match connected {
                Ok(_) => Answer::Good,
                Err(error) => Answer::Bad(format!("nothing listens at `{address}`: {error}")),
            },
            _ = stop.requested() => Answer::Unknown("we were stopped".to_owned()),
        }
    }

    async fn get(&self, get: &Get) -> Answer {
        let mut call = Call::new(Method::GET, get.url.clone());
        call.silence = self.limit;
        call.limit = LONGEST;
        let mut incoming = match get.http.open(&call).await {
            Ok(incoming) => incoming,
            Err(Trouble::Refused(why)) => return Answer::Unknown(why),
            Err(Trouble::Stopped(_)) => return Answer::Unknown("we were stopped".to_owned()),
            Err(Trouble::Unreached(why) | Trouble::Lost(why)) => return Answer::Bad(why),
        };
        let status = incoming.status();
        if !get.statuses.iter().any(|good| good.contains(&status)) {
            return Answer::Bad(format!("the answer has the status {status}"));
        }
        if get.body.is_none() && get.json.is_empty() {
            return Answer::Good;
        }
        let mut body = Vec::new();
        loop {
            match incoming.chunk().await {
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => break,
                Err(Trouble::Stopped(_)) => return Answer::Unknown("we were stopped".to_owned()),
                Err(trouble) => return Answer::Bad(format!("the answer was cut off: {trouble:?}")),
            }
            if body.len() as u64 > LONGEST {
                return Answer::Bad(format!("the answer has more than {LONGEST} bytes"));
            }
        }
        judge(get, &body)
    }

    async fn run(&self, command: &[String]) -> Answer {
        let Some((program, arguments)) = command.split_first() else {
            return Answer::Unknown("the command names no program".to_owned());
        };
        let mut child = Child::new(program, self.directory, self.environment.clone())
            .arguments(arguments.iter().map(String::as_str))
            .time_limit(self.limit);
        child.grace = GRACE;
        match child.run(&mut self.stop.clone(), &mut |_| {}).await {
            Err(error) => Answer::Unknown(format!("`{program}` could not be started: {error}")),
            Ok(finished) => match finished.ending {
                Ending::Exited(0) => Answer::Good,
                Ending::TimedOut => self.too_late(),
                Ending::Stopped(_) => Answer::Unknown("we were stopped".to_owned()),
                ending => {
                    let last = finished.stderr.lines().next_back().unwrap_or_default();
                    Answer::Bad(format!("`{program}`: {ending} {}", cut(last)))
                }
            },
        }
    }
}

/// Whether a content is what it should be.
fn judge(get: &Get, body: &[u8]) -> Answer {
    if let Some(pattern) = &get.body
        && !pattern.is_match(body)
    {
        return Answer::Bad(format!("the answer does not match `{pattern}`"));
    }
    if get.json.is_empty() {
        return Answer::Good;
    }
    let document: Value = match serde_json::from_slice(body) {
        Ok(document) => document,
        Err(error) => return Answer::Bad(format!("the answer is no JSON: {error}")),
    };
    for (pointer, expected) in &get.json {
        let Some(found) = document.pointer(pointer) else {
            return Answer::Bad(format!("the answer has nothing at `{pointer}`"));
        };
        let found = match found {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        if found != *expected {
            let found = cut(&found);
            return Answer::Bad(format!(
                "the answer has `{found}` at `{pointer}`, and `{expected}` was expected"
            ));
        }
    }
    Answer::Good
}

fn cut(text: &str) -> String {
    text.chars().take(SHOWN).collect()
}
