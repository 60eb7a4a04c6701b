//! The runtime's address and token. Only actions of JavaScript get them; ours hands them over on standard input, so that
//! they stand in the environment of no process but its own.

use std::collections::BTreeMap;
use std::io::Read;

use crate::error::{Error, Result};
use crate::system::environment::Environment;

/// Says that the variables below come on standard input, as one JSON object.
pub const HANDED_OVER: &str = "LOCKGATE_RUNTIME";

/// What the runner gives to actions of JavaScript and the cache service needs (`NodeScriptActionHandler.cs`).
const NAMES: [&str; 5] = [
    "ACTIONS_RUNTIME_TOKEN",
    "ACTIONS_RESULTS_URL",
    "ACTIONS_CACHE_URL",
    "ACTIONS_CACHE_SERVICE_V2",
    "ACTIONS_CACHE_MODE",
];

/// Longer answers are none of ours: a token has a few kilobytes.
const LIMIT: u64 = 256 << 10;

/// The environment with what was handed over.
pub fn environment(environment: &Environment, stdin: impl Read) -> Result<Environment> {
    let mut all = environment.clone();
    match environment.get(HANDED_OVER) {
        None => return Ok(all),
        Some("stdin") => {}
        Some(other) => {
            return Err(
                Error::usage(format!("`{HANDED_OVER}`: `{other}` is unknown"))
                    .allowed(["stdin"])
                    .hint(format!(
                        "leave {HANDED_OVER} to the actions `cache` and `pipeline`"
                    )),
            );
        }
    }
    // What is wrong with it is not shown: it may hold the token.
    let broken = || Error::no_verdict("the tokens of the runtime did not come on standard input");
    let mut text = String::new();
    stdin
        .take(LIMIT)
        .read_to_string(&mut text)
        .map_err(|_| broken())?;
    let mut given: BTreeMap<String, String> = serde_json::from_str(&text).map_err(|_| broken())?;
    for name in NAMES {
        if let Some(value) = given.remove(name) {
            all.set(name, value);
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_variables_come_on_standard_input_and_no_others() {
        let mut outer = Environment::default();
        let text = br#"{"ACTIONS_RUNTIME_TOKEN": "not-real", "LD_PRELOAD": "x", "ACTIONS_CACHE_MODE": "read"}"#;
        let untouched = environment(&outer, &text[..]).unwrap();
        assert_eq!(untouched.get("ACTIONS_RUNTIME_TOKEN"), None);
        outer.set(HANDED_OVER, "stdin");
        let inner = environment(&outer, &text[..]).unwrap();
        assert_eq!(inner.get("ACTIONS_RUNTIME_TOKEN"), Some("not-real"));
        assert_eq!(inner.get("ACTIONS_CACHE_MODE"), Some("read"));
        assert_eq!(inner.get("LD_PRELOAD"), None);
    }

    #[test]
    fn what_is_broken_is_not_shown() {
        let mut outer = Environment::default();
        outer.set(HANDED_OVER, "stdin");
        for text in [
            "",
            "not-real",
            "{\"ACTIONS_RUNTIME_TOKEN\": \"not-real\"",
            "[\"not-real\"]",
        ] {
            let error = environment(&outer, text.as_bytes()).unwrap_err();
            assert!(!error.render().contains("not-real"), "{}", error.render());
        }
    }
}
