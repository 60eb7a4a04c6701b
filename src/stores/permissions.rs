//! What a job may do with the cache, known before any work: from `ACTIONS_CACHE_MODE` and from what the runner's token says
//! of itself.
//!
//! The token is a JWT whose claim `ac` is a list of scopes in JSON, `[{"Scope": "refs/heads/main", "Permission": 3}]`,
//! where 1 is to read and 2 to write. Only the service can verify it; we read it to save work, and never show it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use crate::system::environment::Environment;
use crate::system::masking::Secret;

const READ: u64 = 1;
const WRITE: u64 = 2;

/// `cache-mode` of the workflow, as the runner passes it on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CacheMode {
    /// No cache.
    None,
    /// Only to read.
    Read,
    /// To read and to write.
    Write,
    /// Only to write.
    WriteOnly,
}

/// A scope: a branch, a tag or a pull request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// Its ref, as in `refs/heads/main`.
    pub name: String,
    /// Whether entries of it can be restored.
    pub may_read: bool,
    /// Whether entries can be saved in it.
    pub may_write: bool,
}

/// What a job may do. What nobody forbids is allowed: the service has the last word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permissions {
    /// Whether entries may be looked up and restored.
    pub may_read: bool,
    /// Whether entries may be saved.
    pub may_write: bool,
    /// `cache-mode`, where the runner tells it.
    pub mode: Option<CacheMode>,
    /// The scopes of the token, in the order in which they are searched; empty where it says nothing.
    pub scopes: Vec<Scope>,
}

#[derive(Deserialize)]
struct Claims {
    ac: Option<String>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(rename = "Scope")]
    scope: String,
    #[serde(rename = "Permission")]
    permission: u64,
}

impl Permissions {
    /// What the runner's variables say.
    pub fn read(environment: &Environment, token: &Secret) -> Self {
        let mode = mode(environment);
        let scopes = scopes(token).unwrap_or_default();
        let of_token = |may: fn(&Scope) -> bool| scopes.is_empty() || scopes.iter().any(may);
        let of_mode = |allowed: &[CacheMode]| mode.is_none_or(|mode| allowed.contains(&mode));
        Self {
            may_read: of_mode(&[CacheMode::Read, CacheMode::Write])
                && of_token(|scope| scope.may_read),
            may_write: of_mode(&[CacheMode::Write, CacheMode::WriteOnly])
                && of_token(|scope| scope.may_write),
            mode,
            scopes,
        }
    }

    /// Everything is allowed, as in a store of one's own.
    pub fn all() -> Self {
        Self {
            may_read: true,
            may_write: true,
            mode: None,
            scopes: Vec::new(),
        }
    }

    /// Where entries are looked for, in order; none where the token says nothing.
    pub fn read_scopes(&self) -> impl Iterator<Item = &str> {
        let readable = self.scopes.iter().filter(|scope| scope.may_read);
        readable.map(|scope| scope.name.as_str())
    }

    /// Where entries are saved: the first scope that can be written.
    pub fn write_scope(&self) -> Option<&str> {
        let scope = self.scopes.iter().find(|scope| scope.may_write)?;
        Some(&scope.name)
    }
}

/// As the official client reads it: trimmed, in any case; what it does not know counts as not given.
fn mode(environment: &Environment) -> Option<CacheMode> {
    let value = environment.get("ACTIONS_CACHE_MODE")?;
    match value.trim().to_ascii_lowercase().as_str() {
        "none" => Some(CacheMode::None),
        "read" => Some(CacheMode::Read),
        "write" => Some(CacheMode::Write),
        "write-only" => Some(CacheMode::WriteOnly),
        _ => None,
    }
}

fn scopes(token: &Secret) -> Option<Vec<Scope>> {
    let payload = token.reveal().split('.').nth(1)?;
    let payload = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    let claims: Claims = serde_json::from_slice(&payload).ok()?;
    let entries: Vec<Entry> = serde_json::from_str(&claims.ac?).ok()?;
    let scopes = entries.into_iter().map(|entry| Scope {
        name: entry.scope,
        may_read: entry.permission & READ != 0,
        may_write: entry.permission & WRITE != 0,
    });
    Some(scopes.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(payload: &str) -> Secret {
        Secret::new(format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(payload)))
    }

    fn permissions(mode: &str, token: &Secret) -> Permissions {
        let environment = [("ACTIONS_CACHE_MODE", mode)].into_iter().collect();
        Permissions::read(&environment, token)
    }

    #[test]
    fn the_mode_decides_and_what_it_does_not_name_is_allowed() {
        let silent = Secret::new("opaque");
        for (mode, read, write) in [
            ("", true, true),
            ("read", true, false),
            (" READ ", true, false),
            ("write", true, true),
            ("write-only", false, true),
            ("none", false, false),
            ("of the future", true, true),
        ] {
            let found = permissions(mode, &silent);
            assert_eq!((found.may_read, found.may_write), (read, write), "{mode}");
        }
    }

    #[test]
    fn the_token_says_which_scopes_are_read_and_written() {
        let token = token(
            r#"{"ac": "[{\"Scope\":\"refs/pull/7/merge\",\"Permission\":3},{\"Scope\":\"refs/heads/main\",\"Permission\":1}]"}"#,
        );
        let found = permissions("", &token);
        assert!(found.may_read && found.may_write);
        assert_eq!(found.write_scope(), Some("refs/pull/7/merge"));
        let read: Vec<_> = found.read_scopes().collect();
        assert_eq!(read, ["refs/pull/7/merge", "refs/heads/main"]);
        assert_eq!(
            found.scopes.get(1).map(|scope| scope.may_write),
            Some(false)
        );
        assert!(!permissions("read", &token).may_write);
    }

    #[test]
    fn a_token_that_may_only_read_forbids_to_save() {
        let token =
            token(r#"{"ac": "[{\"Scope\":\"refs/heads/main\",\"Permission\":1}]", "exp": 1}"#);
        let found = permissions("write", &token);
        assert!(found.may_read && !found.may_write);
        assert_eq!(found.write_scope(), None);
    }

    #[test]
    fn a_token_that_is_no_jwt_forbids_nothing() {
        for text in ["", "x", "a.b", "a.b.c", "..", "a.e30.c", "e30.!!!.x"] {
            assert_eq!(
                permissions("", &Secret::new(text)),
                Permissions::all(),
                "{text}"
            );
        }
        for payload in ["[]", r#"{"ac": 7}"#, r#"{"ac": "{"}"#, r#"{"ac": "[7]"}"#] {
            assert_eq!(permissions("", &token(payload)), Permissions::all());
        }
    }
}
