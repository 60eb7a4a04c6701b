//! What the restore tells the save at the end of the job, by the runner's state.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::github::files;
use crate::model::cache_key::Document;
use crate::system::environment::Environment;

/// The name of the state.
const NAME: &str = "lockgate-cache";

/// The variable in which the runner gives it to `post`.
const VARIABLE: &str = "STATE_lockgate-cache";

/// What the restore asked for and found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct State {
    /// The key under which to save.
    pub key: String,
    /// The paths, as they were given or found.
    pub paths: Vec<String>,
    /// The key that was restored, if any.
    pub matched: Option<String>,
    /// The store that was asked, as it was named. What the job makes of the configuration file meanwhile does not count.
    pub store: Option<String>,
    /// What the key was computed from, where it was.
    pub components: Option<Document>,
}

/// The most that the components may take, bytes: the runner hands the state on as a variable of the environment, of which
/// Linux takes 128 KiB.
pub const COMPONENTS: usize = 80 << 10;

impl State {
    /// Tells `post`.
    pub fn write(&self, file: &Path) -> Result<()> {
        let text = serde_json::to_string(self)
            .map_err(|error| Error::bug("a state is no JSON").cause(error))?;
        files::append_value(file, NAME, &text)
            .map_err(|error| Error::no_verdict("the step's state cannot be written").cause(error))
    }

    /// What the restore told; `None` where there was none.
    pub fn read(environment: &Environment) -> Result<Option<Self>> {
        let Some(text) = environment.get(VARIABLE) else {
            return Ok(None);
        };
        serde_json::from_str(text).map(Some).map_err(|error| {
            Error::no_verdict(format!("`{VARIABLE}` is not what the restore has written"))
                .cause(error)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::cache_key::Components;

    #[test]
    fn what_is_told_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("state");
        let state = State {
            key: "k\"\n".into(),
            paths: vec!["a b".into()],
            matched: None,
            store: Some("s3://b".into()),
            components: Some(Document::new(Components::default())),
        };
        state.write(&file).unwrap();
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.starts_with("lockgate-cache<<"), "{text}");
        let value = text.lines().nth(1).unwrap();
        let mut environment = Environment::default();
        assert_eq!(State::read(&environment).unwrap(), None);
        environment.set(VARIABLE, value);
        assert_eq!(State::read(&environment).unwrap(), Some(state));
        environment.set(VARIABLE, "{}");
        assert!(State::read(&environment).is_err());
    }
}
