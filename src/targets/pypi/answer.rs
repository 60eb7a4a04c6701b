//! What an index says to an upload, in words that help.

use serde::Deserialize;

use crate::stores::fault::excerpt;
use crate::system::http::exchange::Reply;

/// The answer in JSON of the public index.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Said {
    message: String,
    code: String,
}

/// Texts of the public index, and what to do about each.
const HINTS: &[(&str, &str)] = &[
    (
        "previously used by a file that has since been deleted",
        "a name is never taken twice, not even after it was deleted: make a new version",
    ),
    (
        "older than 14 days",
        "publish all files of a release at once; for a new file now, make a new version (or a post release)",
    ),
    (
        "Only one sdist",
        "the release has a source distribution under another name already",
    ),
    (
        "too large",
        "ask the index for a higher limit, or publish less",
    ),
    (
        "Non-user identities cannot create new projects",
        "the pending publisher on the index names another project: its name must be that of the package",
    ),
    (
        "isn't allowed to upload to project",
        "the token is for another project, or its user is no maintainer of this one",
    ),
    (
        "does not match a digest",
        "the bytes were changed on the way; run it again",
    ),
];

/// What the index says, in one line; an HTML page says nothing that helps.
pub(super) fn said(reply: &Reply) -> String {
    if is_html(reply) {
        return "the answer is an HTML page".to_owned();
    }
    if let Ok(said) = serde_json::from_slice::<Said>(&reply.body) {
        // The code is the status with the reason; the message says of most things that they are malformed.
        let reason = said.code.split_once(' ').map(|(_, reason)| reason);
        let text = reason.unwrap_or(&said.message);
        if !text.is_empty() {
            return excerpt(text);
        }
    }
    excerpt(&String::from_utf8_lossy(&reply.body))
}

/// What to do about what it says.
pub(super) fn hint(said: &str) -> Option<&'static str> {
    let known = HINTS.iter().find(|(text, _)| said.contains(text));
    known.map(|(_, hint)| *hint)
}

/// Whether the answer is a page for people.
pub(super) fn is_html(reply: &Reply) -> bool {
    let content = reply.body.trim_ascii_start();
    let starts = |text: &[u8]| {
        content
            .get(..text.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(text))
    };
    starts(b"<!doctype html") || starts(b"<html")
}
