//! A Python: implementation, version and ABI, as far as a text says them.

use serde::{Deserialize, Serialize};

/// A Python.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Python {
    /// `cpython`, `pypy`, `graalpy`.
    pub implementation: String,
    /// As much as is known: `3.12`, `3.12.4`, `3.10-7.3.17`.
    pub version: String,
    /// The tag of what is built for it, `cp312`, `cp313t`, `pp310`
    /// (<https://packaging.python.org/en/latest/specifications/platform-compatibility-tags/>).
    pub abi: String,
}

impl Python {
    /// A Python of this version, from its parts.
    pub fn new(implementation: &str, version: &str, is_free_threaded: bool) -> Option<Self> {
        let (tag, implementation) = match implementation {
            "" | "cpython" | "python" | "cp" => ("cp", "cpython"),
            "pypy" | "pp" => ("pp", "pypy"),
            "graalpy" | "graalvm" => ("graalpy", "graalpy"),
            _ => return None,
        };
        let mut parts = version.split(['.', '-', '+']);
        let mut number = || {
            let part = parts.next()?;
            let is_number = !part.is_empty() && part.len() < 6;
            (is_number && part.bytes().all(|byte| byte.is_ascii_digit())).then_some(part)
        };
        let (major, minor) = (number()?, number()?);
        let threads = if is_free_threaded { "t" } else { "" };
        Some(Self {
            implementation: implementation.to_owned(),
            version: version.to_owned(),
            abi: format!("{tag}{major}{minor}{threads}"),
        })
    }

    /// Reads what people and tools write: `3.12`, `3.13.1t`, `3.14+freethreaded`, `cp312`, `pypy3.10-v7.3.17`,
    /// `cpython-3.12.4-linux-x86_64-gnu`, `python3.12`. `None` where no minor version is named: `3`, `3.x`, `>=3.10`.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_lowercase();
        let start = text.find(|c: char| c.is_ascii_digit())?;
        let (name, rest) = text.split_at_checked(start)?;
        let name = name.trim_end_matches(['-', '@']);
        if matches!(name, "cp" | "pp") {
            let is_free_threaded = rest.ends_with('t');
            let digits = rest.trim_end_matches('t');
            let (major, minor) = digits.split_at_checked(1)?;
            return Self::new(name, &format!("{major}.{minor}"), is_free_threaded);
        }
        let numbers = rest
            .find(|c: char| !(c.is_ascii_digit() || c == '.'))
            .unwrap_or(rest.len());
        let (version, behind) = rest.split_at_checked(numbers)?;
        let behind_version = behind.trim_start_matches(['a', 'b', 'r', 'c', '.']);
        let (is_free_threaded, behind) = match behind.strip_prefix('t') {
            Some(behind) => (true, behind),
            None => (behind.starts_with("+freethreaded"), behind),
        };
        // `3.12.x` is any 3.12, and `3.15.0a1` a version of its own.
        let mut version = version.to_owned();
        if behind == "x" || behind == "-dev" || behind == ".x" {
            version.truncate(version.trim_end_matches('.').len());
        } else if name == "pypy"
            && let Some(own) = behind.strip_prefix('-')
        {
            let own = own.trim_start_matches('v');
            let end = own
                .find(|c: char| !(c.is_ascii_digit() || c == '.'))
                .unwrap_or(own.len());
            let own = own.get(..end).unwrap_or_default();
            if !own.is_empty() {
                version = format!("{version}-{own}");
            }
        } else if behind.starts_with(['a', 'b', 'r']) && behind_version.len() < behind.len() {
            let end = behind
                .find(|c: char| !c.is_ascii_alphanumeric())
                .unwrap_or(behind.len());
            version.push_str(behind.get(..end).unwrap_or_default());
        } else if !(behind.is_empty() || behind.starts_with(['-', '+'])) {
            return None;
        }
        if version.ends_with('.') {
            return None;
        }
        Self::new(name, &version, is_free_threaded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_and_tools_write_is_read() {
        for (text, implementation, version, abi) in [
            ("3.12", "cpython", "3.12", "cp312"),
            (" 3.12.4\n", "cpython", "3.12.4", "cp312"),
            ("3.12.x", "cpython", "3.12", "cp312"),
            ("3.14-dev", "cpython", "3.14", "cp314"),
            ("3.15.0a1", "cpython", "3.15.0a1", "cp315"),
            ("3.13t", "cpython", "3.13", "cp313t"),
            ("3.13.1t", "cpython", "3.13.1", "cp313t"),
            ("3.14+freethreaded", "cpython", "3.14", "cp314t"),
            ("cp312", "cpython", "3.12", "cp312"),
            ("cp313t", "cpython", "3.13", "cp313t"),
            ("pp310", "pypy", "3.10", "pp310"),
            ("python3.11", "cpython", "3.11", "cp311"),
            ("cpython@3.12.1", "cpython", "3.12.1", "cp312"),
            (
                "cpython-3.12.4-linux-x86_64-gnu",
                "cpython",
                "3.12.4",
                "cp312",
            ),
            (
                "cpython-3.14.0+freethreaded-linux-x86_64-gnu",
                "cpython",
                "3.14.0",
                "cp314t",
            ),
            ("pypy3.10", "pypy", "3.10", "pp310"),
            ("pypy3.10-v7.3.17", "pypy", "3.10-7.3.17", "pp310"),
            ("graalpy-24.1.0", "graalpy", "24.1.0", "graalpy241"),
        ] {
            let python = Python::parse(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(
                (&*python.implementation, &*python.version, &*python.abi),
                (implementation, version, abi),
                "{text}"
            );
        }
    }

    #[test]
    fn what_names_no_minor_version_is_none() {
        for text in [
            "",
            "3",
            "3.x",
            ">=3.10",
            "system",
            "my-env",
            "jython2.7",
            "3.",
            "3.1234567",
            "cp3",
            "cpé",
            "3.12é",
        ] {
            assert_eq!(Python::parse(text), None, "{text}");
        }
    }
}
