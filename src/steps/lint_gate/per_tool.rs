//! What the user says of one tool: `mypy: --strict --warn-unreachable`.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::error::{Error, Result, did_you_mean};
use crate::linters::Tool;
use crate::model::duration;

/// What the user says of each tool.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PerTool {
    /// Arguments, before ours.
    pub arguments: BTreeMap<Tool, Vec<String>>,
    /// What it checks instead of the others' paths.
    pub paths: BTreeMap<Tool, Vec<String>>,
    /// How long it may take.
    pub timeouts: BTreeMap<Tool, Duration>,
}

impl PerTool {
    /// Reads the three inputs.
    pub fn new(arguments: &[String], paths: &[String], timeouts: &[String]) -> Result<Self> {
        let mut read = Self::default();
        for text in arguments {
            let (tool, words) = words("tool-arguments", text)?;
            if let Some(refused) = tool.refused_argument(&words) {
                return Err(Error::usage(format!(
                    "`tool-arguments`: `{text}`: `{refused}` would change what Lockgate reads, or what the tool does"
                ))
                .hint("leave it out; Lockgate sets the format of the output itself"));
            }
            read.arguments.entry(tool).or_default().extend(words);
        }
        for text in paths {
            let (tool, words) = words("tool-paths", text)?;
            read.paths.entry(tool).or_default().extend(words);
        }
        for text in timeouts {
            let (tool, value) = split("tool-timeout", text)?;
            let limit = duration::parse(value)
                .map_err(|what| Error::usage(format!("`tool-timeout`: `{text}`: {what}")))?;
            read.timeouts.insert(tool, limit);
        }
        Ok(read)
    }
}

/// The tool of that name, for the input `input`.
pub fn named(input: &str, text: &str, name: &str) -> Result<Tool> {
    Tool::from_name(name).ok_or_else(|| {
        let error = Error::usage(format!("`{input}`: `{text}`: there is no tool `{name}`"));
        match did_you_mean(name, Tool::ALL.map(Tool::name)) {
            Some(close) => error.hint(format!("write `{close}`")),
            None => error.allowed(Tool::ALL.map(Tool::name)),
        }
    })
}

fn split<'t>(input: &str, text: &'t str) -> Result<(Tool, &'t str)> {
    let (name, rest) = text.split_once(':').ok_or_else(|| {
        Error::usage(format!("`{input}`: `{text}` names no tool"))
            .hint(format!("write `mypy: {text}`"))
    })?;
    Ok((named(input, text, name.trim())?, rest.trim()))
}

fn words(input: &str, text: &str) -> Result<(Tool, Vec<String>)> {
    let (tool, rest) = split(input, text)?;
    let words = shlex::split(rest)
        .filter(|words| !words.is_empty())
        .ok_or_else(|| {
            Error::usage(format!(
                "`{input}`: `{text}` is not a list of words as a shell reads them"
            ))
            .hint(format!("write `{}: --first \"second one\"`", tool.name()))
        })?;
    Ok((tool, words))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(text: &str) -> Result<PerTool> {
        PerTool::new(&[text.to_owned()], &[], &[])
    }

    #[test]
    fn words_are_split_as_a_shell_does() {
        let read = arguments("ruff: --select 'E, F' --config=\"a b\"").unwrap();
        assert_eq!(
            read.arguments[&Tool::Ruff],
            ["--select", "E, F", "--config=a b"]
        );
    }

    #[test]
    fn what_names_no_tool_or_voids_the_contract_is_refused() {
        for text in [
            "--strict",
            "mypi: --strict",
            "mypy:",
            "mypy: 'x",
            "ruff: --fix",
        ] {
            let error = arguments(text).unwrap_err();
            assert!(error.message.contains(text), "{}", error.message);
        }
        assert_eq!(
            arguments("mypi: x").unwrap_err().hint.as_deref(),
            Some("write `mypy`")
        );
    }
}
