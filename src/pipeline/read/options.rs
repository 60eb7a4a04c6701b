//! The tables within a stage: `retry`, `if`, `venv`, `service`.

use std::time::Duration;

use crate::model::pipeline::{Condition, NeedResult, Placed, Probe, Retry, Service, Venv};
use crate::pipeline::keys::{self, MOST_RETRIES};
use crate::pipeline::read::reader::{Reader, shown};
use crate::pipeline::read::tree::{Node, Value};

/// The upper bound of the first wait where nobody says.
const BASE: Duration = Duration::from_secs(1);
/// The upper bound of all waits where nobody says.
const CAP: Duration = Duration::from_secs(30);
/// How long a service may take to be ready where nobody says.
const READY: Duration = Duration::from_mins(1);

/// `retry`: a number, or a table.
pub(crate) fn retry(reader: &mut Reader<'_>, node: &Node) -> Option<Retry> {
    let simple = |max| Retry {
        max,
        on_exit: Vec::new(),
        on_output: None,
        base: BASE,
        cap: CAP,
        budget: None,
    };
    if !matches!(node.value, Value::Table(_)) {
        return reader.whole("retry", node, 1, MOST_RETRIES).map(simple);
    }
    let fields = reader.fields("retry", node, keys::RETRY)?;
    let max = reader.whole("max", fields.get("max")?, 1, MOST_RETRIES)?;
    let mut retry = simple(max);
    for item in fields.get("on-exit").map(Reader::items).unwrap_or_default() {
        let code = reader.whole("on-exit", item, 1, 255);
        retry
            .on_exit
            .extend(code.and_then(|code| i32::try_from(code).ok()));
    }
    let on_output = fields.get("on-output");
    retry.on_output = on_output.and_then(|node| reader.expression("on-output", node));
    let mut duration = |key| reader.duration(key, fields.get(key)?);
    let (base, cap) = (duration("base"), duration("cap"));
    retry.budget = duration("budget");
    retry.base = base.unwrap_or(BASE);
    retry.cap = cap.unwrap_or(CAP.max(retry.base));
    if retry.cap < retry.base {
        let at = fields.get("cap").unwrap_or(node);
        reader.wrong_at(at, "`cap` is shorter than `base`");
    }
    Some(retry)
}

/// `if`.
pub(crate) fn condition(reader: &mut Reader<'_>, node: &Node) -> Condition {
    let Some(fields) = reader.fields("if", node, keys::CONDITION) else {
        return Condition::default();
    };
    let mut condition = Condition::default();
    if let Some(node) = fields.get("changed") {
        condition.changed = reader.patterns("changed", node);
    }
    if let Some(node) = fields.get("branch") {
        condition.branch = reader.patterns("branch", node);
    }
    if let Some(node) = fields.get("event") {
        condition.event = reader.texts("event", node);
    }
    for item in fields.get("result").map(Reader::items).unwrap_or_default() {
        let result = match reader.one_of("result", item, keys::RESULTS) {
            Some("success") => NeedResult::Success,
            Some("failure") => NeedResult::Failure,
            Some("skipped") => NeedResult::Skipped,
            Some("cancelled") => NeedResult::Cancelled,
            _ => continue,
        };
        condition.result.push(result);
    }
    for key in ["changed", "branch", "event", "result"] {
        let node = fields.get(key);
        if let Some(node) =
            node.filter(|node| matches!(&node.value, Value::List(items) if items.is_empty()))
        {
            reader.wrong_at(
                node,
                format!("`{key}` is an empty list, which nothing fulfils"),
            );
        }
    }
    condition
}

/// `venv`: true, or a table.
pub(crate) fn venv(reader: &mut Reader<'_>, node: &Node) -> Option<Venv> {
    let whole = Venv {
        project: false,
        ..Venv::default()
    };
    if let Value::Flag(is_wanted) = node.value {
        return is_wanted.then_some(whole);
    }
    let fields = reader.fields("venv", node, keys::VENV)?;
    let mut words = |key| match fields.get(key) {
        Some(node) => reader.words(key, node),
        None => Vec::new(),
    };
    let (groups, extras) = (words("groups"), words("extras"));
    let python = fields
        .get("python")
        .and_then(|node| reader.text("python", node));
    let project = fields
        .get("project")
        .and_then(|node| reader.flag("project", node));
    Some(Venv {
        groups,
        extras,
        python,
        project: project.unwrap_or(false),
    })
}

/// `service`.
pub(crate) fn service(reader: &mut Reader<'_>, node: &Node) -> Option<Service> {
    let fields = reader.fields("service", node, keys::SERVICE)?;
    let ready_timeout = fields
        .get("ready-timeout")
        .and_then(|node| reader.duration("ready-timeout", node));
    let ready = fields.get("ready")?;
    let value = probe(reader, ready)?;
    let place = reader.place(ready);
    Some(Service {
        ready: Placed { value, place },
        ready_timeout: ready_timeout.unwrap_or(READY),
    })
}

fn probe(reader: &mut Reader<'_>, node: &Node) -> Option<Probe> {
    let fields = reader.fields("ready", node, keys::PROBE)?;
    let mut given = keys::PROBE.iter().filter_map(|key| fields.entry(key.name));
    let (Some((key, value)), None) = (given.next(), given.next()) else {
        reader.wrong_at(
            node,
            "`ready` has `tcp`, `http`, `command` or `output`, one of them",
        );
        return None;
    };
    match key.text.as_str() {
        "tcp" => tcp(reader, value).map(Probe::Tcp),
        "http" => http(reader, value).map(Probe::Http),
        "command" => Some(Probe::Command(reader.program("command", value)?)),
        _ => Some(Probe::Output(reader.expression("output", value)?.value)),
    }
}

/// `tcp`: a host and a port.
pub(crate) fn tcp(reader: &mut Reader<'_>, node: &Node) -> Option<String> {
    let address = reader.text("tcp", node)?;
    let port = address.rsplit_once(':').filter(|(host, port)| {
        let is_port = port.parse::<u16>().is_ok_and(|port| port > 0);
        let is_host = !host.is_empty() && !host.contains(['/', '@', ' ']);
        is_port && is_host
    });
    if port.is_none() {
        let message = format!("`tcp`: `{}` is not an address with a port", shown(&address));
        reader.wrong_with(node, message, "write `127.0.0.1:8080`");
        return None;
    }
    Some(address)
}

/// `http`: a URL that may be asked, without credentials in it.
pub(crate) fn http(reader: &mut Reader<'_>, node: &Node) -> Option<String> {
    web_address(reader, "http", node)
}

/// A URL of the web, without credentials in it.
pub(crate) fn web_address(reader: &mut Reader<'_>, key: &str, node: &Node) -> Option<String> {
    let text = reader.text(key, node)?;
    let url = url::Url::parse(&text).ok();
    let url = url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let Some(url) = url else {
        let message = format!("`{key}`: `{}` is not a URL", shown(&text));
        let example = match key {
            "http" => "write `http://127.0.0.1:8080/health`",
            _ => "write an address like `https://example.com/`",
        };
        reader.wrong_with(node, message, example);
        return None;
    };
    if !url.username().is_empty() || url.password().is_some() {
        let mut place = reader.place(node);
        place.excerpt = None;
        let message = format!("`{key}` has a user or a password in its URL");
        let error = crate::error::Error::usage(message).at(place);
        reader.wrong(error.hint(match key {
            "http" => "probe by `command`, and give it the secret",
            _ => "leave them out: credentials come from the environment of the step",
        }));
        return None;
    }
    Some(text)
}
