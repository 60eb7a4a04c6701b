//! `health`.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::deploy::keys;
use crate::model::deployment::definition::{Health, Inconclusive, Probe};
use crate::model::web::is_safe;
use crate::pipeline::read::options;
use crate::pipeline::read::reader::{Fields, Reader, shown};
use crate::pipeline::read::tree::Node;

/// What a value of `json` may stand for.
pub const PLACES: [&str; 2] = ["version", "digest"];

/// Reads how one sees that a deployment is well.
pub(super) fn read(reader: &mut Reader<'_>, node: &Node) -> Option<Health> {
    let fields = reader.fields("health", node, keys::HEALTH)?;
    let place = reader.place(node);
    let probe = probe(reader, &fields, node);
    let successes = fields
        .get("successes")
        .and_then(|node| reader.whole("successes", node, 1, 100));
    let mut duration = |name| reader.duration(name, fields.get(name)?);
    let interval = duration("interval").unwrap_or(Duration::from_secs(1));
    let timeout = duration("timeout").unwrap_or(Duration::from_mins(2));
    let try_timeout = duration("try-timeout").unwrap_or(Duration::from_secs(5));
    let inconclusive = fields
        .get("inconclusive")
        .and_then(|node| reader.one_of("inconclusive", node, keys::INCONCLUSIVE));
    Some(Health {
        place,
        probe: probe?,
        successes: successes.unwrap_or(3),
        interval,
        timeout,
        try_timeout,
        inconclusive: match inconclusive {
            Some("rollback") => Inconclusive::Rollback,
            _ => Inconclusive::Stop,
        },
    })
}

fn probe(reader: &mut Reader<'_>, fields: &Fields<'_>, whole: &Node) -> Option<Probe> {
    let mut given = ["http", "tcp", "command"]
        .into_iter()
        .filter_map(|name| fields.entry(name));
    let (Some((key, value)), None) = (given.next(), given.next()) else {
        reader.wrong_at(
            whole,
            "`health` has `http`, `tcp` or `command`, one of them",
        );
        return None;
    };
    if key.text != "http" {
        for name in ["status", "body", "json"] {
            if let Some(node) = fields.get(name) {
                reader.wrong_at(node, format!("`{name}` is for `http`"));
            }
        }
    }
    match key.text.as_str() {
        "tcp" => options::tcp(reader, value).map(Probe::Tcp),
        "command" => reader.program("command", value).map(Probe::Command),
        _ => http(reader, fields, value),
    }
}

fn http(reader: &mut Reader<'_>, fields: &Fields<'_>, node: &Node) -> Option<Probe> {
    let url = options::http(reader, node);
    if let Some(text) = &url
        && !url::Url::parse(text).is_ok_and(|url| is_safe(&url))
    {
        // Told now: once something stands there nobody could ask whether it is well.
        let message = format!(
            "`http`: `{}` is plain `http`, which is for the own machine only",
            shown(text)
        );
        reader.wrong_with(
            node,
            message,
            "name its `https` address, or ask by `command`",
        );
    }
    let mut status = Vec::new();
    for item in fields.get("status").map(Reader::items).unwrap_or_default() {
        let number = reader.whole("status", item, 100, 599);
        status.extend(number.and_then(|number| u16::try_from(number).ok()));
    }
    if status.is_empty() {
        status.push(200);
    }
    let body = fields
        .get("body")
        .and_then(|node| reader.expression("body", node));
    let json = fields
        .get("json")
        .map(|node| json(reader, node))
        .unwrap_or_default();
    Some(Probe::Http {
        url: url?,
        status,
        body: body.map(|placed| placed.value),
        json,
    })
}

fn json(reader: &mut Reader<'_>, node: &Node) -> BTreeMap<String, String> {
    let mut expected = BTreeMap::new();
    for (key, node) in reader.entries("json", node).unwrap_or_default() {
        if !key.text.is_empty() && !key.text.starts_with('/') {
            let message = format!("`{}` is no JSON pointer", shown(&key.text));
            let place = reader.source.place(&key.span);
            let error = crate::error::Error::usage(message).at(place);
            reader.wrong(error.hint(format!("write `\"/{}\"`", shown(&key.text))));
            continue;
        }
        let Some(text) = reader.raw_text(&key.text, node) else {
            continue;
        };
        if let Err(what) = fill(text, |_| Some(String::new())) {
            let message = format!("`{}` is nothing that one can refer to", shown(&what));
            let hint = "there are `${{ version }}` and `${{ digest }}`";
            reader.wrong_with(node, message, hint);
            continue;
        }
        expected.insert(key.text.clone(), text.to_owned());
    }
    expected
}

/// The text with `${{ version }}` and `${{ digest }}` replaced. Fails with what stands for nothing, or has no value.
pub fn fill(text: &str, value: impl Fn(&str) -> Option<String>) -> Result<String, String> {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${{") {
        filled.push_str(before);
        let Some((inside, behind)) = after.split_once("}}") else {
            return Err("${{".to_owned());
        };
        let name = inside.trim();
        let known = PLACES.contains(&name).then(|| value(name)).flatten();
        filled.push_str(&known.ok_or_else(|| format!("${{{{{inside}}}}}"))?);
        rest = behind;
    }
    filled.push_str(rest);
    Ok(filled)
}
