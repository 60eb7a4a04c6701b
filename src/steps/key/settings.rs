//! What the arguments mean: typed, with defaults, checked.

use std::collections::BTreeMap;

use crate::error::{Error, Result};
use crate::steps::key::KeyArguments;

/// What decides a key, in its own terms. The default is what no inputs at all mean.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Patterns of files of which every byte counts.
    pub files: Vec<String>,
    /// Locks that the user names; none to have them found.
    pub lockfiles: Vec<String>,
    /// Whether every byte of locks counts, and not only what is installed from them.
    pub every_byte: bool,
    /// The Python that the user names.
    pub python: Option<String>,
    /// Tools whose version enters, each once, in order.
    pub tools: Vec<String>,
    /// Whether the runner's image enters.
    pub include_image: bool,
    /// What stands in front.
    pub prefix: Option<String>,
    /// What stands behind.
    pub suffix: Option<String>,
    /// What else must be the same.
    pub extra: BTreeMap<String, String>,
    /// What to keep; none for what the tools keep.
    pub paths: Vec<String>,
    /// Whether nothing to make a digest from is fine.
    pub allow_empty: bool,
}

impl Settings {
    /// Reads the arguments.
    pub fn new(arguments: &KeyArguments) -> Result<Self> {
        let text = |text: &Option<String>| {
            let text = text.as_deref().map(str::trim);
            text.filter(|text| !text.is_empty()).map(str::to_owned)
        };
        let mut tools: Vec<String> = arguments
            .tools
            .iter()
            .map(|name| tool(name))
            .collect::<Result<_>>()?;
        tools.sort();
        tools.dedup();
        Ok(Self {
            files: arguments.files.clone(),
            lockfiles: arguments.lockfiles.clone(),
            every_byte: arguments.semantic == Some(false),
            python: text(&arguments.python_version),
            tools,
            include_image: arguments.include_image.unwrap_or_default(),
            prefix: text(&arguments.prefix),
            suffix: text(&arguments.suffix),
            extra: extra(&arguments.extra)?,
            paths: arguments.paths.clone(),
            allow_empty: arguments.allow_empty.unwrap_or_default(),
        })
    }
}

/// The name of a program: nothing that is a path or an option.
fn tool(name: &str) -> Result<String> {
    let is_sign = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let is_name = name.bytes().all(is_sign) && !name.starts_with(['-', '.']);
    if is_name {
        return Ok(name.to_owned());
    }
    Err(
        Error::usage(format!("`tools`: `{name}` is no name of a program"))
            .hint("write names such as `uv`, `poetry` or `pre-commit`"),
    )
}

fn extra(lines: &[String]) -> Result<BTreeMap<String, String>> {
    let mut all = BTreeMap::new();
    for line in lines {
        let refused = |what: &str| {
            Error::usage(format!("`extra`: `{line}` {what}")).hint("write `name=value`, one a line")
        };
        let (name, value) = line.split_once('=').ok_or_else(|| refused("has no `=`"))?;
        let (name, value) = (name.trim(), value.trim());
        if name.is_empty() {
            return Err(refused("has no name"));
        }
        if all.insert(name.to_owned(), value.to_owned()).is_some() {
            return Err(refused("names something that is there already"));
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(extra: &[&str], tools: &[&str]) -> KeyArguments {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        KeyArguments {
            extra: texts(extra),
            tools: texts(tools),
            suffix: Some("  ".into()),
            ..KeyArguments::default()
        }
    }

    #[test]
    fn extra_is_names_and_values() {
        let settings =
            Settings::new(&arguments(&["cuda = 12.4", "a==b"], &["uv", "ruff", "uv"])).unwrap();
        let extra: Vec<_> = settings.extra.into_iter().collect();
        assert_eq!(
            extra,
            [("a".into(), "=b".into()), ("cuda".into(), "12.4".into())]
        );
        assert_eq!(
            (settings.tools, settings.suffix),
            (vec!["ruff".into(), "uv".into()], None)
        );
        for wrong in [&["cuda"][..], &["=x"], &["a=1", "a=2"]] {
            assert!(Settings::new(&arguments(wrong, &[])).is_err(), "{wrong:?}");
        }
        for wrong in ["../uv", "--version", "a b", ".x"] {
            assert!(Settings::new(&arguments(&[], &[wrong])).is_err(), "{wrong}");
        }
    }
}
