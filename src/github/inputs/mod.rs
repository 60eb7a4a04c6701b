//! The inputs of a step: command line, environment, configuration file, default; in this order.
//!
//! Every source is turned into the same arguments and read by the same parser, so an input means the same wherever
//! it was written; only the wording of an error differs.

mod reword;
mod trimmed;

pub use reword::reword;
pub use trimmed::Trimmed;

use std::collections::BTreeMap;
use std::ffi::OsString;

use clap::{ArgAction, ArgMatches, Command, FromArgMatches};

use crate::error::{Error, Place, Result, did_you_mean};
use crate::system::config::{self, Table};
use crate::system::environment::Environment;

/// An input that is a secret: it comes from the environment alone.
#[derive(Clone, Copy, Debug)]
pub struct SecretInput {
    /// Its kebab-case name.
    pub name: &'static str,
    /// What it is for.
    pub help: &'static str,
    /// What the composite action passes where the workflow does not say.
    pub default: &'static str,
}

/// Where an input was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// In a variable of this name.
    Variable(String),
    /// In the configuration file.
    File(Place),
}

/// The arguments that one source amounts to, ready for the step's parser.
#[derive(Clone, Debug, Default)]
pub struct Layer {
    /// Options first, then `--` and positional arguments.
    pub arguments: Vec<OsString>,
    /// By input: where it stands.
    pub sources: BTreeMap<String, Source>,
}

/// The heading of flags that are for people at a terminal: they are no inputs, and neither the environment nor the
/// configuration file knows them.
pub const COMMAND_LINE_ONLY: &str = "At a terminal";

/// The inputs of a step by name, positional arguments included.
pub fn names(command: &Command) -> impl Iterator<Item = (&str, &clap::Arg)> {
    let at_terminal = |argument: &clap::Arg| argument.get_help_heading() == Some(COMMAND_LINE_ONLY);
    let inputs = command
        .get_arguments()
        .filter(move |argument| !at_terminal(argument));
    inputs.filter_map(|argument| {
        if argument.is_positional() {
            return Some((argument.get_id().as_str(), argument));
        }
        argument
            .get_long()
            .filter(|long| *long != "help" && *long != "version")
            .map(|long| (long, argument))
    })
}

/// Whether the input takes several values.
pub fn is_list(argument: &clap::Arg) -> bool {
    matches!(argument.get_action(), ArgAction::Append)
}

/// What the environment says: `INPUT_FAIL_ON`, as our composites map it, or `INPUT_FAIL-ON`, as the runner does for
/// other kinds of action. Empty is not given. A list is one item a line.
pub fn from_environment(command: &Command, environment: &Environment) -> Layer {
    let given = names(command).filter_map(|(name, argument)| {
        let (variable, value) = variable(environment, name)?;
        let items: Vec<String> = if is_list(argument) {
            value
                .lines()
                .map(str::trim)
                .filter(|line| !line.is_empty())
                .map(str::to_owned)
                .collect()
        } else {
            vec![value.trim().to_owned()]
        };
        (!items.iter().all(String::is_empty)).then_some((
            name,
            argument,
            items,
            Source::Variable(variable),
        ))
    });
    layer(given)
}

/// The value of an input in the environment, and the name of its variable.
pub fn variable(environment: &Environment, input: &str) -> Option<(String, String)> {
    let upper = input.to_uppercase();
    [
        format!("INPUT_{}", upper.replace('-', "_")),
        format!("INPUT_{upper}"),
    ]
    .into_iter()
    .find_map(|name| {
        environment
            .get(&name)
            .map(|value| (name.clone(), value.to_owned()))
    })
}

/// What the step's table in the configuration file says. Unknown keys are errors.
pub fn from_file(command: &Command, table: &Table, secrets: &[SecretInput]) -> Result<Layer> {
    let known: BTreeMap<&str, &clap::Arg> = names(command).collect();
    let mut given = Vec::new();
    for (key, value) in table {
        let place = value.place.clone();
        if secrets.iter().any(|secret| secret.name == key) {
            return Err(
                Error::usage(format!("`{key}` is a secret and does not belong in a file"))
                    .at(place)
                    .hint(format!("pass it as `{key}:` in the workflow")),
            );
        }
        let Some((name, argument)) = known.get_key_value(key.as_str()) else {
            let error = Error::usage(format!("unknown key `{key}`")).at(place);
            let names = || {
                let nested = config::nested(command.get_name()).iter();
                known.keys().chain(nested).copied()
            };
            return Err(match did_you_mean(key, names()) {
                Some(close) => error.hint(format!("write `{close}`")),
                None => error.allowed(names()),
            });
        };
        if value.is_list && !is_list(argument) {
            return Err(Error::usage(format!("`{key}` takes one value, not a list")).at(place));
        }
        given.push((*name, *argument, value.items.clone(), Source::File(place)));
    }
    Ok(layer(given))
}

/// Reads one layer by the step's own parser.
pub fn parse(definition: &Command, layer: &Layer, secrets: &[SecretInput]) -> Result<ArgMatches> {
    let arguments = std::iter::once(OsString::from(definition.get_name()))
        .chain(layer.arguments.iter().cloned());
    definition
        .clone()
        .try_get_matches_from(arguments)
        .map_err(|error| reword(&error, layer, secrets))
}

/// The arguments from all layers, the weakest first: what a later layer has replaces what an earlier one had.
pub fn merge<A: FromArgMatches>(layers: &[&ArgMatches]) -> Result<A> {
    let unfit =
        |error: clap::Error| Error::bug("parsed arguments do not fit their type").cause(error);
    let mut layers = layers.iter();
    let weakest = layers
        .next()
        .ok_or_else(|| Error::bug("no layer of arguments"))?;
    let mut arguments = A::from_arg_matches(weakest).map_err(unfit)?;
    for layer in layers {
        arguments.update_from_arg_matches(layer).map_err(unfit)?;
    }
    Ok(arguments)
}

fn layer<'c>(
    given: impl IntoIterator<Item = (&'c str, &'c clap::Arg, Vec<String>, Source)>,
) -> Layer {
    let mut layer = Layer::default();
    let mut positional = Vec::new();
    for (name, argument, items, source) in given {
        for item in items {
            if argument.is_positional() {
                positional.push(item.into());
            } else {
                layer.arguments.push(format!("--{name}={item}").into());
            }
        }
        layer.sources.insert(name.to_owned(), source);
    }
    if !positional.is_empty() {
        layer.arguments.push("--".into());
        layer.arguments.append(&mut positional);
    }
    layer
}

/// A boolean as GitHub Actions spells it (the core schema of YAML 1.2).
pub fn boolean(text: &str) -> std::result::Result<bool, String> {
    match text {
        "true" | "True" | "TRUE" => Ok(true),
        "false" | "False" | "FALSE" => Ok(false),
        _ => Err("expected true or false".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command() -> Command {
        Command::new("step")
            .arg(clap::Arg::new("fail-on").long("fail-on"))
            .arg(
                clap::Arg::new("tools")
                    .long("tools")
                    .action(ArgAction::Append),
            )
            .arg(
                clap::Arg::new("paths")
                    .action(ArgAction::Append)
                    .num_args(0..),
            )
    }

    #[test]
    fn variables_become_arguments_and_empty_ones_do_not() {
        let environment: Environment = [
            ("INPUT_FAIL-ON", "warning"),
            ("INPUT_TOOLS", "ruff\n\n  mypy  \n"),
            ("INPUT_PATHS", "-src\n"),
            ("INPUT_FOREIGN", "x"),
            ("INPUT_SCOPE", ""),
        ]
        .into_iter()
        .collect();
        let layer = from_environment(&command(), &environment);
        assert_eq!(
            layer.arguments,
            [
                "--fail-on=warning",
                "--tools=ruff",
                "--tools=mypy",
                "--",
                "-src"
            ]
        );
        assert_eq!(
            layer.sources["fail-on"],
            Source::Variable("INPUT_FAIL-ON".into())
        );
    }

    /// The items of a list that is split at commas, and the layers that say so.
    #[test]
    fn blanks_around_a_comma_are_no_part_of_an_item() {
        let command = || {
            Command::new("step").arg(
                clap::Arg::new("tools")
                    .long("tools")
                    .action(ArgAction::Append)
                    .value_delimiter(',')
                    .value_parser(Trimmed(clap::builder::PossibleValuesParser::new([
                        "ruff", "mypy", "ty",
                    ]))),
            )
        };
        let items = |layer: &Layer| -> Result<Vec<String>> {
            let matches = parse(&command(), layer, &[])?;
            Ok(matches
                .get_many("tools")
                .map(|items| items.cloned().collect())
                .unwrap_or_default())
        };
        for text in ["ruff, mypy\nty", " ruff ,mypy , ty ", "ruff\t,\tmypy,ty"] {
            let environment: Environment = [("INPUT_TOOLS", text)].into_iter().collect();
            let layer = from_environment(&command(), &environment);
            assert_eq!(items(&layer).unwrap(), ["ruff", "mypy", "ty"], "{text}");
            let typed = Layer {
                arguments: text
                    .lines()
                    .map(|line| format!("--tools={line}").into())
                    .collect(),
                ..Layer::default()
            };
            assert_eq!(items(&typed).unwrap(), ["ruff", "mypy", "ty"], "{text}");
        }
        let environment: Environment = [("INPUT_TOOLS", "ruff, , mypy")].into_iter().collect();
        let error = items(&from_environment(&command(), &environment)).unwrap_err();
        assert_eq!(error.message, "`tools` needs a value");
        let environment: Environment = [("INPUT_TOOLS", "ruff, mypi")].into_iter().collect();
        let error = items(&from_environment(&command(), &environment)).unwrap_err();
        assert_eq!(error.message, "invalid value `mypi` for `tools`");
    }

    #[test]
    fn booleans_are_spelled_as_in_workflows() {
        for text in ["true", "True", "TRUE"] {
            assert_eq!(boolean(text), Ok(true));
        }
        for text in ["yes", "1", "tRUE", "on", ""] {
            assert!(boolean(text).is_err(), "{text}");
        }
    }
}
