//! What the service's words mean, as the official client reads them.

use reqwest::Url;

use crate::stores::fault::{Access, Fault, excerpt};

/// What a message of the service means, where it is known.
pub fn of_message(message: &str, access: Access) -> Option<Fault> {
    let lower = message.to_lowercase();
    let message = excerpt(message);
    if lower.contains("insufficient usage") {
        return Some(Fault::Quota { message });
    }
    if lower.contains("cache write denied") || lower.contains("cache read denied") {
        return Some(Fault::Denied { access, message });
    }
    None
}

/// Whether the key was asked for; the service does not look at case everywhere.
pub fn starts_with(found: &str, asked: &str) -> bool {
    found.starts_with(asked) || found.to_lowercase().starts_with(&asked.to_lowercase())
}

/// Whether a server is neither github.com nor of its data-residency hosts, as `isGhes()` of the official client decides.
pub fn is_enterprise(server: &str) -> bool {
    let host = Url::parse(server.trim())
        .ok()
        .and_then(|url| Some(url.host_str()?.to_ascii_lowercase()));
    host.is_some_and(|host| {
        let is_known = host == "github.com"
            || [".ghe.com", ".localhost"]
                .iter()
                .any(|end| host.ends_with(end));
        !is_known
    })
}
