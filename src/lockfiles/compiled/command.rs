//! The command of `pip-compile` and `uv pip compile`, as far as it decides what is in the file.

use crate::lockfiles::compiled::words::words;

/// What compiles requirements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    /// `pip-compile`.
    PipCompile,
    /// `uv pip compile`.
    Uv,
}

/// Where what is compiled can be installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Environments {
    /// On one platform, with one Python.
    One,
    /// On all of them: `--universal`.
    All,
}

/// A command that was read. Paths are as they are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// What compiles.
    pub tool: Tool,
    /// The inputs.
    pub inputs: Vec<String>,
    /// `--constraint`.
    pub constraints: Vec<String>,
    /// `--override`.
    pub overrides: Vec<String>,
    /// `--extra`.
    pub extras: Vec<String>,
    /// `--all-extras`.
    pub has_all_extras: bool,
    /// `--group`.
    pub groups: Vec<String>,
    /// `--output-file`.
    pub output: Option<String>,
    /// `--python-version`, or `--python` where that is a version.
    pub python: Option<String>,
    /// What it compiles for.
    pub environments: Environments,
    /// Whether the file names packages without their extras.
    pub strips_extras: bool,
    /// Whether a list of requirements to build something is among the inputs, or in place of them.
    pub has_build_requirements: bool,
}

/// Options of uv that take a value. Those that repeat a meaning are one word apart: `--constraints`, `--constraint`.
const UV_VALUED: &[&str] = &[
    "--constraints",
    "--constraint",
    "--overrides",
    "--override",
    "--excludes",
    "--exclude",
    "--build-constraints",
    "--build-constraint",
    "--extra",
    "--group",
    "--cert",
    "--output-file",
    "--format",
    "--annotation-style",
    "--custom-compile-command",
    "--no-binary",
    "--only-binary",
    "--python-platform",
    "--no-emit-package",
    "--unsafe-package",
    "--torch-backend",
    "--index",
    "--default-index",
    "--index-url",
    "--extra-index-url",
    "--find-links",
    "--index-strategy",
    "--keyring-provider",
    "--upgrade-package",
    "--upgrade-group",
    "--resolution",
    "--prerelease",
    "--prerelease-package",
    "--fork-strategy",
    "--exclude-newer",
    "--exclude-newer-package",
    "--no-sources-package",
    "--config-setting",
    "--config-settings",
    "--config-settings-package",
    "--no-build-isolation-package",
    "--no-build-package",
    "--link-mode",
    "--cache-dir",
    "--refresh-package",
    "--python",
    "--python-version",
    "--color",
    "--allow-insecure-host",
    "--trusted-host",
    "--directory",
    "--project",
    "--config-file",
];

/// Short options of uv that take a value, and what they mean.
const UV_SHORT: &[(char, &str)] = &[
    ('c', "--constraint"),
    ('b', "--build-constraint"),
    ('o', "--output-file"),
    ('i', "--index-url"),
    ('f', "--find-links"),
    ('P', "--upgrade-package"),
    ('C', "--config-setting"),
    ('p', "--python"),
];

/// Options of pip-compile that take a value; it writes them with `=`.
const PIP_VALUED: &[&str] = &[
    "--extra",
    "--group",
    "--find-links",
    "--index-url",
    "--extra-index-url",
    "--cert",
    "--client-cert",
    "--trusted-host",
    "--uploaded-prior-to",
    "--annotation-style",
    "--upgrade-package",
    "--output-file",
    "--newline",
    "--max-rounds",
    "--cache-dir",
    "--pip-args",
    "--resolver",
    "--unsafe-package",
    "--config",
    "--constraint",
    "--build-deps-for",
];

/// Short options of pip-compile that take a value, and what they mean.
const PIP_SHORT: &[(char, &str)] = &[
    ('c', "--constraint"),
    ('o', "--output-file"),
    ('i', "--index-url"),
    ('f', "--find-links"),
    ('P', "--upgrade-package"),
];

/// Reads a command; `None` where it is another one.
pub fn read(text: &str) -> Option<Command> {
    let words = words(text)?;
    let mut words = words.into_iter();
    let (tool, valued, short) = match words.next()?.as_str() {
        "pip-compile" => (Tool::PipCompile, PIP_VALUED, PIP_SHORT),
        "uv" => {
            let is_compile = words.next()? == "pip" && words.next()? == "compile";
            if !is_compile {
                return None;
            }
            (Tool::Uv, UV_VALUED, UV_SHORT)
        }
        _ => return None,
    };
    let mut command = Command {
        tool,
        inputs: Vec::new(),
        constraints: Vec::new(),
        overrides: Vec::new(),
        extras: Vec::new(),
        has_all_extras: false,
        groups: Vec::new(),
        output: None,
        python: None,
        environments: Environments::One,
        strips_extras: tool == Tool::Uv,
        has_build_requirements: false,
    };
    while let Some(word) = words.next() {
        if word == "--" {
            command.inputs.extend(words.by_ref());
        } else if word.starts_with("--") {
            let (name, value) = match word.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None if valued.contains(&word.as_str()) => (word.as_str(), words.next()),
                None => (word.as_str(), None),
            };
            command.note(name, value);
        } else if let Some(letters) = word.strip_prefix('-').filter(|letters| !letters.is_empty()) {
            let first = letters.chars().next()?;
            let known = short.iter().find(|(letter, _)| *letter == first);
            if let Some((_, name)) = known {
                let rest = letters.get(first.len_utf8()..).unwrap_or_default();
                let rest = rest.strip_prefix('=').unwrap_or(rest);
                let value = match rest {
                    "" => words.next(),
                    rest => Some(rest.to_owned()),
                };
                command.note(name, value);
            }
        } else {
            command.inputs.push(word);
        }
    }
    Some(command)
}

impl Command {
    fn note(&mut self, option: &str, value: Option<String>) {
        match (option, value) {
            ("--constraint" | "--constraints", Some(path)) => self.constraints.push(path),
            ("--override" | "--overrides", Some(path)) => self.overrides.push(path),
            ("--extra", Some(extra)) => self.extras.push(extra),
            ("--group", Some(group)) => self.groups.push(group),
            ("--output-file", Some(path)) => self.output = Some(path),
            ("--python-version", Some(python)) => self.python = Some(python),
            ("--python", Some(python)) => {
                let is_version = python.starts_with(|first: char| first.is_ascii_digit())
                    && !python.contains(['/', '\\', '<', '>', '=', '@']);
                if is_version && self.python.is_none() {
                    self.python = Some(python);
                }
            }
            ("--all-extras", _) => self.has_all_extras = true,
            ("--universal", _) => self.environments = Environments::All,
            ("--strip-extras", _) => self.strips_extras = true,
            ("--no-strip-extras", _) => self.strips_extras = false,
            ("--build-deps-for" | "--all-build-deps" | "--only-build-deps", _) => {
                self.has_build_requirements = true;
            }
            _ => {}
        }
    }
}
