//! Which spellings of an argument mean one that is refused: `--exit-z`, `-oreport.txt`, `-ne`.

use crate::linters::Tool;

/// Whether the argument is one of the refused, in any spelling that the tool's own parser takes for it.
pub(super) fn is_refused(tool: Tool, refused: &[&str], argument: &str) -> bool {
    let name = argument.split_once('=').map_or(argument, |(name, _)| name);
    if refused.contains(&name) {
        return true;
    }
    match name.strip_prefix("--") {
        Some(letters) => {
            // A full name that is the start of a refused one would be no abbreviation; none of these tools has any.
            takes_abbreviations(tool)
                && !letters.is_empty()
                && refused.iter().any(|one| one.starts_with(name))
        }
        None => argument
            .strip_prefix('-')
            .is_some_and(|cluster| holds_refused(tool, refused, cluster)),
    }
}

/// Whether one of these short options is refused. Behind one that takes a value the rest is that value.
fn holds_refused(tool: Tool, refused: &[&str], cluster: &str) -> bool {
    for letter in cluster.chars() {
        if refused.contains(&format!("-{letter}").as_str()) {
            return true;
        }
        if !flags(tool).contains(letter) {
            return false;
        }
    }
    false
}

/// Whether the tool takes the start of a long option for the whole, as `argparse` and `GetOpt` do.
fn takes_abbreviations(tool: Tool) -> bool {
    match tool {
        Tool::Isort
        | Tool::Flake8
        | Tool::Pylint
        | Tool::Bandit
        | Tool::Vulture
        | Tool::Mypy
        | Tool::Codespell
        | Tool::Shellcheck
        | Tool::Yamllint => true,
        Tool::Ruff
        | Tool::RuffFormat
        | Tool::Black
        | Tool::Pyright
        | Tool::Basedpyright
        | Tool::Ty
        | Tool::Pyrefly
        | Tool::Typos
        | Tool::Zizmor => false,
    }
}

/// The tool's short options that take no value and are not refused: another may stand right behind.
fn flags(tool: Tool) -> &'static str {
    match tool {
        Tool::Ruff | Tool::RuffFormat => "nqv",
        Tool::Black => "CSv",
        Tool::Isort => "cenv",
        Tool::Flake8 | Tool::Vulture | Tool::Pyright | Tool::Basedpyright => "",
        Tool::Pylint => "Ev",
        Tool::Bandit => "ilqr",
        Tool::Mypy => "i",
        Tool::Ty => "v",
        Tool::Pyrefly => "av",
        Tool::Codespell => "Hdef",
        Tool::Typos => "qv",
        Tool::Shellcheck => "ax",
        Tool::Yamllint => "s",
        Tool::Zizmor => "opqv",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refuses(tool: Tool, argument: &str) -> bool {
        tool.refused_argument(&[argument.to_owned()]).is_some()
    }

    /// Each was seen to work with the tool itself.
    #[test]
    fn other_spellings_are_refused_as_well() {
        for (tool, argument) in [
            (Tool::Flake8, "--exit-z"),
            (Tool::Pylint, "--exit-z"),
            (Tool::Bandit, "--exit-z"),
            (Tool::Bandit, "--o=x.txt"),
            (Tool::Isort, "--show-fil"),
            (Tool::Vulture, "--verb"),
            (Tool::Mypy, "--versio"),
            (Tool::Codespell, "--write"),
            (Tool::Codespell, "-dw"),
            (Tool::Codespell, "-A1"),
            (Tool::Shellcheck, "--form=gcc"),
            (Tool::Shellcheck, "-xfgcc"),
            (Tool::Yamllint, "-fparsable"),
            (Tool::Yamllint, "-sfparsable"),
            (Tool::Ruff, "-ox.txt"),
            (Tool::Ruff, "-ne"),
            (Tool::Black, "-cx=1"),
            (Tool::Typos, "-vw"),
        ] {
            assert!(refuses(tool, argument), "{tool:?} {argument}");
        }
    }

    #[test]
    fn what_only_looks_alike_is_not_refused() {
        for (tool, argument) in [
            // Values, with letters of refused options.
            (Tool::Pylint, "-dunused-variable"),
            (Tool::Pylint, "-j0"),
            (Tool::Bandit, "-lll"),
            (Tool::Bandit, "-xvendored"),
            (Tool::Mypy, "-pservice"),
            (Tool::Shellcheck, "-eSC1091"),
            (Tool::Shellcheck, "-x"),
            (Tool::Yamllint, "-drelaxed"),
            (Tool::Codespell, "-Lfo,ba"),
            (Tool::Codespell, "--regex=--write"),
            // Whole options, longer than a refused one or beside it.
            (Tool::Flake8, "--exclude=x"),
            (Tool::Flake8, "--extend-exclude=x"),
            (Tool::Mypy, "--no-error-summary-line"),
            (Tool::Mypy, "--no-implicit-optional"),
            // No parser that takes abbreviations: `--error` is an option of its own.
            (Tool::Ty, "--error=all"),
            // Paths and values on their own.
            (Tool::Ruff, "service/-ox"),
            (Tool::Bandit, "medium"),
            (Tool::Isort, "--"),
        ] {
            assert!(!refuses(tool, argument), "{tool:?} {argument}");
        }
    }
}
