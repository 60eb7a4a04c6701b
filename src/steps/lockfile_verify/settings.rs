//! What the arguments mean: typed, with defaults, checked.

use clap::builder::PossibleValuesParser;

use crate::error::{Error, Result, did_you_mean};
use crate::github::inputs::Trimmed;
use crate::lockfiles::policy::{Level, Policy, SourceKind};
use crate::lockfiles::rules;
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
                indexes: arguments.allowed_indexes.clone(),
                hosts: arguments.allowed_hosts.clone(),
                sources: arguments
                    .allowed_sources
                    .iter()
                    .filter_map(|name| SourceKind::from_name(name))
                    .collect(),
                private_names: arguments.private_names.clone(),
                platforms: arguments.platforms.clone(),
                pythons: arguments.pythons.clone(),
                min_age,
                min_age_exceptions: arguments.min_age_exceptions.clone(),
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
