//! What the arguments mean: typed, with defaults, checked.

use clap::builder::PossibleValuesParser;

use crate::error::{Error, Result, did_you_mean};
use crate::github::inputs::Trimmed;
use crate::lockfiles::address::{self, Address};
use crate::lockfiles::policy::{Level, Policy, SourceKind};
use crate::lockfiles::target::{Platform, Python};
use crate::lockfiles::{pattern, rules};
use crate::model::duration;
use crate::steps::gate::Threshold;
use crate::steps::gate::ignore::Ignore;
use crate::steps::lockfile_verify::Arguments;

/// The arguments of one run, in the step's own terms.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Lockfiles and folders; none for the working directory.
    pub paths: Vec<String>,
    /// What the rules take.
    pub policy: Policy,
    /// When findings mean no.
    pub threshold: Threshold,
    /// The base that the user named.
    pub base: Option<String>,
    /// Globs of locks that are left out.
    pub exclude: Vec<String>,
    /// Findings that are ignored.
    pub ignores: Vec<Ignore>,
    /// Whether what cannot be verified means no verdict.
    pub strict: bool,
    /// Most annotations of each level.
    pub max_annotations: usize,
    /// Whether no lock is fine.
    pub allow_empty: bool,
}

impl Settings {
    /// Reads the arguments.
    pub fn new(arguments: &Arguments) -> Result<Self> {
        let min_age = arguments
            .min_age
            .as_deref()
            .map(|text| {
                duration::parse(text)
                    .map_err(|what| Error::usage(format!("`min-age`: `{text}`: {what}")))
            })
            .transpose()?;
        Ok(Self {
            paths: arguments.paths.clone(),
            policy: Policy {
                levels: arguments
                    .rules
                    .iter()
                    .map(|text| level(text))
                    .collect::<Result<_>>()?,
                indexes: all(&arguments.allowed_indexes, |text| {
                    index("allowed-indexes", text)
                })?,
                hosts: all(&arguments.allowed_hosts, host)?,
                sources: arguments
                    .allowed_sources
                    .iter()
                    .filter_map(|name| SourceKind::from_name(name))
                    .collect(),
                private_names: all(&arguments.private_names, |text| name("private-names", text))?,
                platforms: all(&arguments.platforms, platform)?,
                pythons: all(&arguments.pythons, python)?,
                min_age,
                min_age_exceptions: all(&arguments.min_age_exceptions, |text| {
                    name("min-age-exceptions", text)
                })?,
                action_check: arguments.action_check.unwrap_or(false),
                index_check: arguments.index_check.unwrap_or(false),
                index_url: arguments.index_url.as_deref().map(index_url).transpose()?,
            },
            threshold: Threshold::new(
                arguments.fail_on,
                arguments.mode,
                arguments.report_until.as_deref(),
            )?,
            base: arguments.base.clone(),
            exclude: arguments.exclude.clone(),
            ignores: arguments
                .ignore
                .iter()
                .map(|text| Ignore::parse(text))
                .collect::<Result<_>>()?,
            strict: arguments.strict.unwrap_or(false),
            max_annotations: usize::from(arguments.max_annotations.unwrap_or(10)),
            allow_empty: arguments.allow_empty.unwrap_or(false),
        })
    }
}

/// The values of `allowed-sources`.
pub fn source_kinds() -> Trimmed<PossibleValuesParser> {
    Trimmed(PossibleValuesParser::new(
        SourceKind::ALL.map(SourceKind::name),
    ))
}

fn all<T>(texts: &[String], read: impl Fn(&str) -> Result<T>) -> Result<Vec<T>> {
    texts.iter().map(|text| read(text)).collect()
}

/// The index of `index-url`.
fn index_url(text: &str) -> Result<String> {
    let index = index("index-url", text)?;
    match Address::parse(&index) {
        Some(address) if !address.is_plain() => Ok(index),
        Some(_) => Err(Error::usage(format!("`index-url`: `{index}` is not safe"))
            .hint("write an address that begins with `https://`")),
        None => Err(Error::usage(format!("`index-url`: `{index}` is no URL"))
            .hint("write it as in `https://mirror.example/simple`")),
    }
}

/// An index of `allowed-indexes`: a URL, or a folder by its relative path.
fn index(input: &str, text: &str) -> Result<String> {
    let wrong = |what: &str| {
        let shown = address::conceal(text);
        Error::usage(format!("`{input}`: `{shown}` {what}"))
    };
    match Address::parse(text) {
        Some(address) if address.user.is_some() => Err(wrong("names a user")
            .hint("write it without user and password: they play no part in the comparison")),
        None if text.contains("://") => Err(wrong("is a URL without a host")),
        // `index.example/simple`: a folder is given with a dot in front.
        None if !text.starts_with('.')
            && text.split('/').next().unwrap_or_default().contains('.') =>
        {
            Err(wrong("is no URL").hint(format!(
                "write `https://{text}`, or `./{text}` for a folder"
            )))
        }
        Some(_) | None => Ok(text.to_owned()),
    }
}

/// A host of `allowed-hosts`.
fn host(text: &str) -> Result<String> {
    let wrong = |what: &str| {
        let shown = address::conceal(text);
        Error::usage(format!("`allowed-hosts`: `{shown}` {what}"))
    };
    if let Some(address) = Address::parse(text) {
        return Err(wrong("is a URL").hint(format!("write `{}`", address.host)));
    }
    let is_known = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
    if text.is_empty() || !text.bytes().all(is_known) {
        return Err(wrong("is no name of a host").hint("write it as in `files.example`"));
    }
    if let Some((name, port)) = text.split_once(':')
        && !port.contains(':')
    {
        return Err(wrong("names a port").hint(format!("write `{name}`: every port is meant")));
    }
    Ok(text.to_ascii_lowercase())
}

/// A platform of `platforms`.
fn platform(text: &str) -> Result<String> {
    if Platform::parse(text).is_some() {
        return Ok(text.to_owned());
    }
    let names: Vec<String> = Platform::names().collect();
    // The same processor has another name on each system.
    let usual = text.to_ascii_lowercase();
    let (system, machine) = usual.rsplit_once('-').unwrap_or((&usual, ""));
    let machine = match (system, machine) {
        ("macos", "aarch64") => "arm64",
        ("windows", "x86_64") => "amd64",
        ("linux" | "musllinux", "arm64") => "aarch64",
        ("linux" | "musllinux" | "macos", "amd64") => "x86_64",
        (_, machine) => machine,
    };
    let usual = format!("{system}-{machine}");
    let error = Error::usage(format!(
        "`platforms`: `{text}` is no platform that is known"
    ));
    Err(
        match did_you_mean(&usual, names.iter().map(String::as_str)) {
            Some(close) => error.hint(format!("write `{close}`")),
            None => error
                .hint("a version can stand behind the system, as in `manylinux_2_28-x86_64`")
                .allowed(names),
        },
    )
}

/// A Python of `pythons`.
fn python(text: &str) -> Result<String> {
    if Python::parse(text).is_some() {
        return Ok(text.to_owned());
    }
    let error = Error::usage(format!(
        "`pythons`: `{text}` is no minor version of Python 3"
    ));
    let minor = text.splitn(3, '.').take(2).collect::<Vec<_>>().join(".");
    Err(match Python::parse(&minor) {
        Some(_) => error.hint(format!(
            "write `{minor}`: its patch releases take the same files"
        )),
        None => {
            error.hint("write it as in `3.12`, or `3.14t` for the build without the global lock")
        }
    })
}

/// A pattern for names of packages.
fn name(input: &str, text: &str) -> Result<String> {
    pattern::parse(text).map_err(|what| {
        Error::usage(format!("`{input}`: `{text}` {what}"))
            .hint("write a name, or a pattern such as `acme-*`")
    })
}

/// `RULE LEVEL`.
fn level(text: &str) -> Result<(&'static str, Level)> {
    let wrong = |what: &str| Error::usage(format!("`rules`: `{text}` {what}"));
    let (id, level) = text.trim().rsplit_once(' ').ok_or_else(|| {
        wrong("names no level")
            .allowed(Level::ALL.map(Level::name))
            .hint("write `hash-missing warning`")
    })?;
    let level = Level::from_name(level).ok_or_else(|| {
        wrong(&format!("has `{level}` where a level belongs")).allowed(Level::ALL.map(Level::name))
    })?;
    let id = id.trim();
    let rule = rules::from_id(id).ok_or_else(|| {
        let error = wrong(&format!("names `{id}`, which is no rule"));
        match did_you_mean(id, rules::all().map(|rule| rule.id)) {
            Some(close) => error.hint(format!("write `{close} {}`", level.name())),
            None => error.hint("docs/lockfile-verify-rules.md lists them"),
        }
    })?;
    Ok((rule.id, level))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indexes_hosts_and_names_are_read_strictly() {
        let secret = index_url("https://me:not-real@index.example/simple").unwrap_err();
        assert!(!secret.message.contains("not-real") && secret.message.contains("names a user"));
        for (error, message, hint) in [
            (
                index("allowed-indexes", "index.example/simple").unwrap_err(),
                "`allowed-indexes`: `index.example/simple` is no URL",
                "https://index.example/simple",
            ),
            (
                host("https://files.example/x").unwrap_err(),
                "`allowed-hosts`: `https://files.example/x` is a URL",
                "write `files.example`",
            ),
            (
                host("files.example:443").unwrap_err(),
                "names a port",
                "write `files.example`",
            ),
            (
                host("files example").unwrap_err(),
                "`files example`",
                "files.example",
            ),
            (
                name("private-names", "acme core").unwrap_err(),
                "`private-names`: `acme core` has ` `",
                "acme-*",
            ),
        ] {
            assert!(error.message.contains(message), "{}", error.message);
            assert!(error.hint.as_ref().unwrap().contains(hint), "{error:?}");
        }
        for (error, hint) in [
            (
                platform("linux-arm64").unwrap_err(),
                "write `linux-aarch64`",
            ),
            (
                platform("macos-aarch64").unwrap_err(),
                "write `macos-arm64`",
            ),
            (
                platform("Windows-x86_64").unwrap_err(),
                "write `windows-amd64`",
            ),
            (platform("?").unwrap_err(), "manylinux_2_28-x86_64"),
            (python("3.12.4").unwrap_err(), "write `3.12`"),
            (python("py312").unwrap_err(), "`3.12`"),
        ] {
            assert!(error.hint.as_ref().unwrap().contains(hint), "{error:?}");
        }
        assert_eq!(platform("macos_14-arm64").unwrap(), "macos_14-arm64");
        assert_eq!(index("allowed-indexes", "../wheels").unwrap(), "../wheels");
        assert!(index_url("http://127.0.0.1:8080/simple").is_ok());
        for text in ["http://index.example/simple", "../wheels"] {
            let error = index_url(text).unwrap_err();
            assert!(error.message.contains(&format!("`index-url`: `{text}`")));
        }
        assert_eq!(host("Files.example").unwrap(), "files.example");
        assert_eq!(name("private-names", "Acme_*").unwrap(), "acme-*");
    }

    #[test]
    fn levels_name_a_rule_that_exists() {
        assert_eq!(
            level(" hash-missing  off ").unwrap(),
            ("hash-missing", Level::Off)
        );
        for (text, hint) in [
            ("hash-missing", "write `hash-missing warning`"),
            ("hash-mising off", "write `hash-missing off`"),
        ] {
            let error = level(text).unwrap_err();
            assert!(error.message.contains(text), "{}", error.message);
            assert_eq!(error.hint.as_deref(), Some(hint));
        }
        assert!(
            level("hash-missing fatal")
                .unwrap_err()
                .message
                .contains("`fatal`")
        );
    }
}
