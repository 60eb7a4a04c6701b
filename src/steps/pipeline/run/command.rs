//! What is started for a stage.

use std::path::PathBuf;

use crate::error::{Error, Result};
use crate::github::context::NESTED;
use crate::model::pipeline::{Action, Stage};
use crate::steps::pipeline::run::values::Values;
use crate::system::environment::Environment;
use crate::system::python::on_path;

/// Letters that mean something to a shell; a script without any of them is one command, which needs none.
const SYNTAX: &[char] = &[
    '\n', '\r', '"', '\'', '\\', '$', '`', '|', '&', ';', '<', '>', '(', ')', '*', '?', '[', ']',
    '{', '}', '~', '#', '=', '!', '%', '^',
];

/// Words that a shell knows itself.
const BUILT_IN: &[&str] = &[
    ".", ":", "alias", "bg", "break", "case", "cd", "command", "continue", "do", "done", "elif",
    "else", "esac", "eval", "exec", "exit", "export", "fg", "fi", "for", "getopts", "hash", "if",
    "jobs", "kill", "local", "read", "readonly", "return", "set", "shift", "source", "test",
    "then", "times", "trap", "type", "ulimit", "umask", "unalias", "unset", "until", "wait",
    "while",
];

/// A program and what it is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The program: a path.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Variables besides those of the stage: the inputs of a step of ours.
    pub inputs: Vec<(String, String)>,
    /// All texts in which outputs of other stages were put in; they belong to the stage's key.
    pub texts: Vec<String>,
}

/// What is started for a stage; nothing for one that only gathers others. `report` is where a step of ours writes what
/// it found.
pub fn command(
    stage: &Stage,
    values: &Values<'_>,
    environment: &Environment,
    report: &std::path::Path,
) -> Result<Option<Command>> {
    let mut texts = Vec::new();
    let (words, inputs) = match &stage.action {
        Action::None => return Ok(None),
        Action::Shell(script) => (shell(&script.value), Vec::new()),
        Action::Exec(arguments) => {
            for argument in arguments {
                texts.extend(values.arguments(argument)?);
            }
            (texts.clone(), Vec::new())
        }
        Action::Step { step, with } => {
            let mut inputs = vec![(NESTED.to_owned(), "1".to_owned())];
            for (name, items) in with {
                let mut lines = Vec::new();
                for item in &items.value {
                    let placed = crate::model::pipeline::Placed {
                        value: item.clone(),
                        place: items.place.clone(),
                    };
                    lines.extend(values.arguments(&placed)?);
                }
                let value = lines.join("\n");
                texts.push(format!("{name}={value}"));
                inputs.push((
                    format!("INPUT_{}", name.to_uppercase().replace('-', "_")),
                    value,
                ));
            }
            let mut words = vec![own_program()?];
            // The step, and its operation where it has one.
            words.extend(step.value.split(' ').map(str::to_owned));
            words.extend([
                "--output-format=human".to_owned(),
                format!("--report-file={}", report.display()),
                format!("--summary-file={}", report.with_extension("md").display()),
            ]);
            (words, inputs)
        }
    };
    let (name, arguments) = words
        .split_first()
        .ok_or_else(|| Error::usage(format!("stage `{}` has no command", stage.name)))?;
    let program = if name.contains('/') {
        values.directory.join(name)
    } else {
        on_path(environment, name).ok_or_else(|| {
            Error::refused(format!(
                "there is no program `{name}` on the PATH of the stage"
            ))
            .at(stage.place.clone())
            .hint("install it before, or give the stage a `venv` whose lock has it")
        })?
    };
    Ok(Some(Command {
        program,
        arguments: arguments.to_vec(),
        inputs,
        texts,
    }))
}

/// A script as words: by the shell, which stops at the first command that fails, or by itself where it is one plain
/// command.
fn shell(script: &str) -> Vec<String> {
    let words: Vec<&str> = script
        .split([' ', '\t'])
        .filter(|word| !word.is_empty())
        .collect();
    match words.first() {
        Some(first) if !script.trim().contains(SYNTAX) && !BUILT_IN.contains(first) => {
            words.into_iter().map(str::to_owned).collect()
        }
        _ => ["sh", "-e", "-c", script].map(str::to_owned).to_vec(),
    }
}

/// The program that we are.
pub fn own_program() -> Result<String> {
    let own = std::env::current_exe()
        .map_err(|error| Error::no_verdict("our own program cannot be found").cause(error))?;
    own.into_os_string().into_string().map_err(|own| {
        Error::usage(format!(
            "the path of lockgate, `{}`, is not UTF-8",
            own.display()
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_command_needs_no_shell() {
        assert_eq!(shell("  pytest -q tests "), ["pytest", "-q", "tests"]);
        for script in [
            "cd src",
            "a && b",
            "echo $HOME",
            "A=1 b",
            "ls *.py",
            "echo 'x y'",
            "a\nb",
            "",
        ] {
            assert_eq!(
                shell(script).first().map(String::as_str),
                Some("sh"),
                "{script}"
            );
        }
    }
}
