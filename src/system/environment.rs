//! The environment, read once and passed down; and what of it a child may see.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

/// The variables a child gets whatever it is: where programs, homes and temporary files are, and the language.
/// Everything else must be declared. None of these holds a secret.
const BASE: &[&str] = &[
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LANGUAGE",
    "TZ",
    "TMPDIR",
    "TEMP",
    "TMP",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_RUNTIME_DIR",
    "SYSTEMROOT",
    "SYSTEMDRIVE",
    "WINDIR",
    "COMSPEC",
    "PATHEXT",
    "APPDATA",
    "LOCALAPPDATA",
    "USERPROFILE",
    "PROGRAMDATA",
    "PROGRAMFILES",
    "NUMBER_OF_PROCESSORS",
    "PROCESSOR_ARCHITECTURE",
    "RUNNER_TRACKING_ID",
];

/// What an installer needs besides: the way out of the network. May hold a proxy's password, so tools never get it.
const INSTALLER: &[&str] = &[
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "PIP_CERT",
    "PIP_DEFAULT_TIMEOUT",
    "CURL_CA_BUNDLE",
    "UV_SYSTEM_CERTS",
    "UV_NATIVE_TLS",
    "UV_CACHE_DIR",
    "PIP_CACHE_DIR",
    "UV_PYTHON_INSTALL_DIR",
    "PYENV_ROOT",
];

/// The doors of the outermost process to the runner.
const OUTERMOST: &[&str] = &[
    "GITHUB_OUTPUT",
    "GITHUB_ENV",
    "GITHUB_PATH",
    "GITHUB_STATE",
    "GITHUB_STEP_SUMMARY",
    "LOCKGATE_RUNTIME",
    "LOCKGATE_SECRETS",
];

/// A set of environment variables. The process's own is read once, in `main`.
#[derive(Clone, Default)]
pub struct Environment {
    variables: BTreeMap<OsString, OsString>,
}

impl Environment {
    /// The process's own environment. Only `main` calls it.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the environment"
    )]
    pub fn of_this_process() -> Self {
        Self {
            variables: std::env::vars_os().collect(),
        }
    }

    /// The variable's value; `None` where it is unset, empty or no Unicode.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.os(name).and_then(OsStr::to_str)
    }

    /// The variable's value as the system has it; `None` where it is unset or empty.
    pub fn os(&self, name: &str) -> Option<&OsStr> {
        self.variables
            .get(OsStr::new(name))
            .map(OsString::as_os_str)
            .filter(|value| !value.is_empty())
    }

    /// Whether the variable switches something on, as the command lines of Rust read one: not with `0`, `false`, `no` or `off`.
    pub fn switches_on(&self, name: &str) -> bool {
        const ON: [&str; 6] = ["1", "true", "t", "yes", "y", "on"];
        let is_on = |value: &str| ON.iter().any(|on| value.eq_ignore_ascii_case(on));
        self.get(name).is_some_and(is_on)
    }

    /// Sets a variable.
    pub fn set(&mut self, name: impl Into<OsString>, value: impl Into<OsString>) {
        self.variables.insert(name.into(), value.into());
    }

    /// Every variable.
    pub fn iter(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        self.variables
            .iter()
            .map(|(name, value)| (name.as_os_str(), value.as_os_str()))
    }

    /// What every child starts from.
    #[must_use]
    pub fn base(&self) -> Self {
        self.only(|name| BASE.contains(&name) || name.starts_with("LC_"))
    }

    /// What an installer starts from: the base, proxies and certificates, and the variables in `declared`.
    #[must_use]
    pub fn for_installer(&self, declared: &[String]) -> Self {
        self.only(|name| {
            BASE.contains(&name)
                || name.starts_with("LC_")
                || INSTALLER.contains(&name)
                || declared.iter().any(|wanted| wanted == name)
        })
    }

    /// What a step of ours starts from that another one runs: what an installer sees, and the facts of the workflow
    /// run. No token, and no door to what only the outermost process writes.
    #[must_use]
    pub fn for_step(&self) -> Self {
        let is_fact = |name: &str| {
            ["GITHUB_", "RUNNER_", "LOCKGATE_"]
                .iter()
                .any(|start| name.starts_with(start))
                && !OUTERMOST.contains(&name)
                && !name.ends_with("_TOKEN")
        };
        self.only(|name| {
            BASE.contains(&name)
                || name.starts_with("LC_")
                || INSTALLER.contains(&name)
                || name == "CI"
                || is_fact(name)
        })
    }

    fn only(&self, keep: impl Fn(&str) -> bool) -> Self {
        let variables = self
            .variables
            .iter()
            .filter(|(name, _)| name.to_str().is_some_and(&keep))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        Self { variables }
    }
}

impl<N: Into<OsString>, V: Into<OsString>> FromIterator<(N, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        Self {
            variables: pairs
                .into_iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        }
    }
}

/// Names only: a value may be a secret.
impl std::fmt::Debug for Environment {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_set()
            .entries(self.variables.keys())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_gets_no_variable_that_nobody_declared() {
        let all: Environment = [
            ("PATH", "/bin"),
            ("GITHUB_TOKEN", "s"),
            ("AWS_SECRET", "s"),
            ("LC_ALL", "C"),
            ("IDX", "s"),
        ]
        .into_iter()
        .collect();
        assert_eq!(format!("{:?}", all.base()), r#"{"LC_ALL", "PATH"}"#);
        assert_eq!(
            format!("{:?}", all.for_installer(&["IDX".into()])),
            r#"{"IDX", "LC_ALL", "PATH"}"#
        );
    }

    #[test]
    fn a_switch_is_on_where_it_says_so() {
        let is_on = |value: &str| {
            let environment: Environment = [("A", value)].into_iter().collect();
            environment.switches_on("A")
        };
        for value in ["1", "true", "TRUE", "Yes", "y", "t", "on"] {
            assert!(is_on(value), "{value}");
        }
        for value in ["0", "false", "No", "n", "f", "OFF", "", "2", "what"] {
            assert!(!is_on(value), "{value}");
        }
        assert!(!Environment::default().switches_on("A"));
    }

    #[test]
    fn empty_is_not_given_and_debug_hides_values() {
        let all: Environment = [("A", ""), ("B", "hidden")].into_iter().collect();
        assert_eq!(all.get("A"), None);
        assert!(!format!("{all:?}").contains("hidden"));
    }
}
