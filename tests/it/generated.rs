//! `action.yml` files, tables and pages are what the code says.

use std::fmt::Write as _;

use lockgate::error::exit;
use lockgate::github::inputs;
use lockgate::steps::Step;

use crate::support::expect;

/// Inputs of every action that are for the install script, not for the step.
const INSTALL_INPUTS: &[(&str, &str, &str)] = &[
    (
        "binary-path",
        "LOCKGATE_BINARY_PATH",
        "Path of a binary that is already here, for air-gapped and self-built use; its hash must be in checksums.txt or in binary-sha256",
    ),
    (
        "binary-sha256",
        "LOCKGATE_BINARY_SHA256",
        "SHA-256 of the binary at binary-path",
    ),
    (
        "download-base",
        "LOCKGATE_DOWNLOAD_BASE",
        "Base URL of a mirror of the releases [default: the project's own releases]",
    ),
];

const HEADER: &str =
    "# Generated from the code: change that and run `UPDATE_EXPECT=1 cargo test`.\n";

struct Input {
    name: String,
    help: String,
    default: String,
    variable: String,
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn help_of(argument: &clap::Arg) -> String {
    let help = argument
        .get_help()
        .map(ToString::to_string)
        .unwrap_or_default();
    let values: Vec<String> = argument
        .get_possible_values()
        .iter()
        .map(|value| value.get_name().to_owned())
        .collect();
    let mut help = help;
    if !values.is_empty() && !values.iter().any(|value| value == "true") {
        let _ = write!(help, "; one of {}", values.join(", "));
    }
    if inputs::is_list(argument) {
        help.push_str("; one a line");
    }
    help
}

fn step_inputs(step: Step) -> Vec<Input> {
    let command = step.command();
    let mut all: Vec<Input> = inputs::names(&command)
        .map(|(name, argument)| Input {
            name: name.to_owned(),
            help: help_of(argument),
            default: String::new(),
            variable: format!("INPUT_{}", name.to_uppercase().replace('-', "_")),
        })
        .collect();
    all.extend(step.secrets().iter().map(|secret| Input {
        name: secret.name.to_owned(),
        help: secret.help.to_owned(),
        default: secret.default.to_owned(),
        variable: format!("INPUT_{}", secret.name.to_uppercase().replace('-', "_")),
    }));
    all
}

fn install_inputs() -> impl Iterator<Item = Input> {
    INSTALL_INPUTS.iter().map(|(name, variable, help)| Input {
        name: (*name).to_owned(),
        help: (*help).to_owned(),
        default: String::new(),
        variable: (*variable).to_owned(),
    })
}

fn inputs_yaml(inputs: &[Input]) -> String {
    let mut yaml = "inputs:\n".to_owned();
    for input in inputs {
        let _ = write!(
            yaml,
            "  {}:\n    description: {}\n    required: false\n",
            input.name,
            quoted(&input.help)
        );
        if !input.default.is_empty() {
            let _ = writeln!(yaml, "    default: {}", input.default);
        }
    }
    yaml
}

fn environment_yaml(inputs: &[Input]) -> String {
    inputs.iter().fold(String::new(), |mut yaml, input| {
        let _ = writeln!(
            yaml,
            "        {}: ${{{{ inputs.{} }}}}",
            input.variable, input.name
        );
        yaml
    })
}

fn steps_yaml(inputs: &[Input], posix: &str, windows: &str) -> String {
    let environment = environment_yaml(inputs);
    format!(
        "runs:\n  using: composite\n  steps:\n    - id: posix\n      if: runner.os != 'Windows'\n      shell: sh\n      env:\n{environment}      run: {posix}\n    - id: windows\n      if: runner.os == 'Windows'\n      shell: pwsh\n      env:\n{environment}      run: {windows}\n"
    )
}

fn step_action(step: Step) -> String {
    let about = step
        .command()
        .get_about()
        .map(ToString::to_string)
        .unwrap_or_default();
    let mut all = step_inputs(step);
    all.extend(install_inputs());
    let mut yaml = format!(
        "{HEADER}name: {}\ndescription: {}\nauthor: Lockgate\n{}outputs:\n",
        quoted(&format!("Lockgate {}", step.name())),
        quoted(&about),
        inputs_yaml(&all)
    );
    for output in step.outputs() {
        let _ = write!(
            yaml,
            "  {0}:\n    description: {1}\n    value: ${{{{ steps.posix.outputs.{0} || steps.windows.outputs.{0} }}}}\n",
            output.name,
            quoted(output.help)
        );
    }
    yaml.push_str(&steps_yaml(
        &all,
        &format!(
            "exec sh \"$GITHUB_ACTION_PATH/../install.sh\" {}",
            step.name()
        ),
        &quoted(&format!(
            "& \"$env:GITHUB_ACTION_PATH/../install.ps1\" {}; exit $LASTEXITCODE",
            step.name()
        )),
    ));
    yaml
}

fn root_action() -> String {
    let input = |name: &str, variable: &str, help: &str, default: &str| Input {
        name: name.to_owned(),
        help: help.to_owned(),
        default: default.to_owned(),
        variable: variable.to_owned(),
    };
    let steps = Step::names().join(", ");
    let mut all = vec![
        input(
            "step",
            "LOCKGATE_STEP",
            &format!("Step to run after the binary is on PATH; one of {steps} [default: none]"),
            "",
        ),
        input(
            "args",
            "LOCKGATE_ARGS",
            "Arguments of the step; one a line",
            "",
        ),
        input(
            "token",
            "INPUT_TOKEN",
            "Token for the step, `contents: read`",
            "${{ github.token }}",
        ),
    ];
    all.extend(install_inputs());
    let posix = r#"|
        set --
        if [ -n "$LOCKGATE_STEP" ]; then
          set -- "$LOCKGATE_STEP"
          while IFS= read -r argument; do
            [ -z "$argument" ] || set -- "$@" "$argument"
          done <<LINES
        $LOCKGATE_ARGS
        LINES
        fi
        exec sh "$GITHUB_ACTION_PATH/actions/install.sh" --add-to-path "$@""#;
    let windows = r#"|
        $arguments = @()
        if ($env:LOCKGATE_STEP) {
          $arguments += $env:LOCKGATE_STEP
          $arguments += @($env:LOCKGATE_ARGS -split "`r?`n" | Where-Object { $_ })
        }
        & "$env:GITHUB_ACTION_PATH/actions/install.ps1" --add-to-path @arguments
        exit $LASTEXITCODE"#;
    format!(
        "{HEADER}name: Lockgate\ndescription: CI/CD steps for Python projects as one verified binary; puts it on PATH and runs a step\nauthor: Lockgate\nbranding:\n  icon: shield\n  color: green\n{}{}",
        inputs_yaml(&all),
        steps_yaml(&all, posix, windows)
    )
}

#[test]
fn composite_actions_are_what_the_code_says() {
    expect::file("action.yml", &root_action());
    for step in Step::ALL {
        expect::file(
            &format!("actions/{}/action.yml", step.name()),
            &step_action(step),
        );
    }
}

#[test]
fn input_and_output_tables_are_what_the_code_says() {
    for step in Step::ALL {
        let mut table = "| input | what |\n|---|---|\n".to_owned();
        for input in step_inputs(step).into_iter().chain(install_inputs()) {
            let _ = writeln!(
                table,
                "| `{}` | {} |",
                input.name,
                input.help.replace('|', "\\|")
            );
        }
        expect::part(&format!("docs/{}.md", step.name()), "inputs", &table);
        let mut table = "| output | what |\n|---|---|\n".to_owned();
        for output in step.outputs() {
            let _ = writeln!(table, "| `{}` | {} |", output.name, output.help);
        }
        expect::part(&format!("docs/{}.md", step.name()), "outputs", &table);
    }
}

#[test]
fn exit_codes_are_what_the_code_says() {
    let table = exit::TABLE.iter().fold(
        "| code | meaning |\n|---|---|\n".to_owned(),
        |mut table, (code, meaning)| {
            let _ = writeln!(table, "| {code} | {meaning} |");
            table
        },
    );
    expect::part("docs/exit-codes.md", "exit-codes", &table);
}

#[test]
fn every_action_maps_every_input_and_reads_as_yaml() {
    for path in ["action.yml".to_owned()]
        .into_iter()
        .chain(Step::ALL.map(|step| format!("actions/{}/action.yml", step.name())))
    {
        let text = std::fs::read_to_string(expect::root().join(&path)).unwrap();
        let action: serde_json::Value =
            serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"));
        let inputs = action["inputs"].as_object().unwrap();
        for step in action["runs"]["steps"].as_array().unwrap() {
            let mapped = step["env"].as_object().unwrap();
            assert_eq!(mapped.len(), inputs.len(), "{path}");
            assert!(!step["run"].as_str().unwrap().contains("${{"), "{path}");
        }
    }
}
