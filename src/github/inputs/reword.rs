//! What the argument parser says, in our words and in those of whoever wrote the input.

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::error::Error;
use crate::github::inputs::{Layer, SecretInput, Source};

/// An error of the parser as one of ours. `layer` tells where each input was written, if not on the command line.
pub fn reword(error: &clap::Error, layer: &Layer, secrets: &[SecretInput]) -> Error {
    let argument = text(error, ContextKind::InvalidArg);
    let input = argument.as_deref().map(input_name).unwrap_or_default();
    let value = text(error, ContextKind::InvalidValue).unwrap_or_default();
    let shown = match layer.sources.get(&input) {
        Some(_) => format!("`{input}`"),
        None => format!("`{}`", argument.as_deref().map_or("?", bare)),
    };
    let reworded = match error.kind() {
        ErrorKind::InvalidValue if value.is_empty() => {
            Error::usage(format!("{shown} needs a value"))
        }
        ErrorKind::InvalidValue => Error::usage(format!("invalid value `{value}` for {shown}")),
        ErrorKind::ValueValidation => {
            let cause = std::error::Error::source(error)
                .map(ToString::to_string)
                .unwrap_or_default();
            Error::usage(format!("invalid value `{value}` for {shown}: {cause}"))
        }
        ErrorKind::UnknownArgument => unknown(&argument.unwrap_or_default(), secrets),
        ErrorKind::InvalidSubcommand => {
            let name = text(error, ContextKind::InvalidSubcommand).unwrap_or_default();
            Error::usage(format!("there is no step `{name}`"))
        }
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            Error::usage("no step is named").hint("lockgate --help")
        }
        ErrorKind::ArgumentConflict => Error::usage(format!("{shown} is given more than once")),
        _ => Error::usage(
            error
                .to_string()
                .lines()
                .next()
                .unwrap_or_default()
                .trim_start_matches("error: "),
        ),
    };
    let reworded = with_choices(error, reworded);
    match layer.sources.get(&input) {
        Some(Source::File(place)) => reworded.at(place.clone()),
        Some(Source::Variable(name)) => {
            reworded.cause(format!("from the environment variable {name}"))
        }
        None => reworded,
    }
}

fn with_choices(error: &clap::Error, mut reworded: Error) -> Error {
    for kind in [ContextKind::ValidValue, ContextKind::ValidSubcommand] {
        if let Some(ContextValue::Strings(values)) = error.get(kind) {
            reworded = reworded.allowed(values.clone());
        }
    }
    let suggested = [
        ContextKind::SuggestedArg,
        ContextKind::SuggestedValue,
        ContextKind::SuggestedSubcommand,
    ]
    .into_iter()
    .find_map(|kind| match error.get(kind)? {
        ContextValue::String(text) => Some(text.clone()),
        ContextValue::Strings(texts) => texts.first().cloned(),
        _ => None,
    });
    match suggested {
        Some(text) if reworded.hint.is_none() => reworded.hint(format!("write `{text}`")),
        _ => reworded,
    }
}

fn unknown(argument: &str, secrets: &[SecretInput]) -> Error {
    let error = Error::usage(format!("unknown option `{argument}`"));
    let name = input_name(argument);
    if secrets.iter().any(|secret| secret.name == name) {
        let variable = format!("INPUT_{}", name.to_uppercase().replace('-', "_"));
        return error
            .cause("a secret on the command line shows in process lists")
            .hint(format!("export {variable}"));
    }
    error
}

/// `--fail-on <LEVEL>` → `--fail-on`; `--allow-empty[=<BOOL>]` → `--allow-empty`; `[PATHS]...` stays.
fn bare(argument: &str) -> &str {
    let end = argument
        .char_indices()
        .find(|(at, character)| matches!(character, ' ' | '=') || (*character == '[' && *at > 0));
    end.map_or(argument, |(at, _)| &argument[..at])
}

/// `--fail-on <LEVEL>` → `fail-on`; `[PATHS]...` → `paths`.
fn input_name(argument: &str) -> String {
    let word = bare(argument);
    match word.strip_prefix("--") {
        Some(long) => long.to_owned(),
        None => word.trim_matches(['[', ']', '<', '>', '.']).to_lowercase(),
    }
}

fn text(error: &clap::Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text.clone()),
        ContextValue::Strings(texts) => texts.first().cloned(),
        _ => None,
    }
}
