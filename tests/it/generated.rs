//! `action.yml` files, tables, schemas and pages are what the code says.

use std::fmt::Write as _;

use lockgate::deploy;
use lockgate::error::exit;
use lockgate::github::inputs;
use lockgate::linters::{Kind, Setting, Tool};
use lockgate::lockfiles::policy::Level;
use lockgate::lockfiles::rules;
use lockgate::pipeline::keys::Key;
use lockgate::pipeline::schema;
use lockgate::steps::{INSTALL_INPUTS, Packaging, Step};
use serde_json::{Value, json};

use crate::support::expect;
use crate::support::lockgate::Project;

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
    let steps = steps_of("", "", &environment, posix, windows);
    format!("runs:\n  using: composite\n  steps:\n{steps}")
}

/// One step for each kind of system; `prefix` is of their ids, `when` of their conditions.
fn steps_of(prefix: &str, when: &str, environment: &str, posix: &str, windows: &str) -> String {
    format!(
        "    - id: {prefix}posix\n      if: {when}runner.os != 'Windows'\n      shell: sh\n      env:\n{environment}      run: {posix}\n    - id: {prefix}windows\n      if: {when}runner.os == 'Windows'\n      shell: pwsh\n      env:\n{environment}      run: {windows}\n"
    )
}

/// The scripts that start a step.
fn scripts(words: &str) -> (String, String) {
    (
        format!("exec sh \"$GITHUB_ACTION_PATH/../install.sh\" {words}"),
        quoted(&format!(
            "& \"$env:GITHUB_ACTION_PATH/../install.ps1\" {words}; exit $LASTEXITCODE"
        )),
    )
}

/// The head of a step's action: name, description, inputs.
fn head(step: Step, inputs: &[Input]) -> String {
    let about = step
        .command()
        .get_about()
        .map(ToString::to_string)
        .unwrap_or_default();
    format!(
        "{HEADER}name: {}\ndescription: {}\nauthor: Lockgate\n{}",
        quoted(&format!("Lockgate {}", step.name())),
        quoted(&about),
        inputs_yaml(inputs)
    )
}

/// The outputs of an action; `value` makes the expression of one from its name.
fn outputs_yaml(step: Step, value: impl Fn(&str) -> String) -> String {
    let outputs = step.outputs().iter();
    outputs.fold("outputs:\n".to_owned(), |mut yaml, output| {
        let _ = write!(
            yaml,
            "  {}:\n    description: {}\n",
            output.name,
            quoted(output.help)
        );
        let value = value(output.name);
        if !value.is_empty() {
            let _ = writeln!(yaml, "    value: ${{{{ {value} }}}}");
        }
        yaml
    })
}

fn step_action(step: Step) -> String {
    match step.packaging() {
        Packaging::Composite => run_action(step),
        Packaging::Node | Packaging::NodeWithPost => nesting_action(step),
        Packaging::None => unreachable!("it has no action"),
    }
}

/// The composite around the action of JavaScript: that of the same repository at the same commit.
fn nesting_action(step: Step) -> String {
    let mut all = step_inputs(step);
    all.extend(install_inputs());
    let mut yaml = head(step, &all);
    yaml.push_str(&outputs_yaml(step, |name| {
        format!("steps.node.outputs.{name}")
    }));
    let _ = write!(
        yaml,
        "runs:\n  using: composite\n  steps:\n    - id: node\n      uses: $/actions/{}/node\n      with:\n",
        step.name()
    );
    for input in &all {
        let _ = writeln!(yaml, "        {0}: ${{{{ inputs.{0} }}}}", input.name);
    }
    yaml
}

/// The action of JavaScript, which servers without `$/` name by itself.
fn node_action(step: Step) -> String {
    let mut all = step_inputs(step);
    all.extend(install_inputs());
    let has_post = step.packaging() == Packaging::NodeWithPost;
    if has_post {
        // Evaluated anew for `post`, where it is the status of the job at its end.
        all.push(Input {
            name: "job-status".to_owned(),
            help:
                "Leave it: the status of the job, which decides at its end whether anything is saved"
                    .to_owned(),
            default: "${{ job.status }}".to_owned(),
            variable: String::new(),
        });
    }
    let mut yaml = head(step, &all);
    yaml.push_str(&outputs_yaml(step, |_| String::new()));
    yaml.push_str("runs:\n  using: node24\n  main: main.js\n");
    if has_post {
        yaml.push_str("  post: post.js\n  post-if: always()\n");
    }
    yaml
}

/// Inputs of `deploy` that its second step does not get: `finalize` goes back to nothing that is named, and what the first
/// step reported stays.
const OF_THE_FIRST_ALONE: &[&str] = &["to", "report-file", "sarif-file"];

fn run_action(step: Step) -> String {
    let mut all = step_inputs(step);
    all.extend(install_inputs());
    let mut yaml = head(step, &all);
    yaml.push_str(&outputs_yaml(step, |name| {
        format!("steps.posix.outputs.{name} || steps.windows.outputs.{name}")
    }));
    let (posix, windows) = scripts(step.name());
    yaml.push_str(&steps_yaml(&all, &posix, &windows));
    if step == Step::Deploy {
        // Whatever became of the step before: also where the job was cancelled.
        let (posix, windows) = scripts("deploy finalize");
        all.retain(|input| !OF_THE_FIRST_ALONE.contains(&input.name.as_str()));
        let environment = environment_yaml(&all);
        yaml.push_str(&steps_of(
            "finalize-",
            "always() && ",
            &environment,
            &posix,
            &windows,
        ));
    }
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
    let names: Vec<&str> = all.iter().map(|input| input.name.as_str()).collect();
    assert_eq!(names, lockgate::steps::ROOT_INPUTS);
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

/// The steps that have an action.
fn with_action() -> impl Iterator<Item = Step> {
    Step::ALL.into_iter().filter(|step| step.has_action())
}

#[test]
fn composite_actions_are_what_the_code_says() {
    expect::file("action.yml", &root_action());
    for step in with_action() {
        expect::file(
            &format!("actions/{}/action.yml", step.name()),
            &step_action(step),
        );
        if matches!(step.packaging(), Packaging::Node | Packaging::NodeWithPost) {
            expect::file(
                &format!("actions/{}/node/action.yml", step.name()),
                &node_action(step),
            );
        }
    }
}

#[test]
fn input_and_output_tables_are_what_the_code_says() {
    for step in Step::ALL {
        let mut table = "| input | what |\n|---|---|\n".to_owned();
        let install = install_inputs().filter(|_| step.has_action());
        for input in step_inputs(step).into_iter().chain(install) {
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
        .chain(with_action().map(|step| format!("actions/{}/action.yml", step.name())))
    {
        let text = std::fs::read_to_string(expect::root().join(&path)).unwrap();
        let action: serde_json::Value =
            serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"));
        let inputs = action["inputs"].as_object().unwrap();
        for step in action["runs"]["steps"].as_array().unwrap() {
            let mapped = step.get("env").unwrap_or(&step["with"]);
            let mapped = mapped.as_object().unwrap().len();
            let id = step["id"].as_str().unwrap_or_default();
            let left_out = if id.starts_with("finalize-") {
                OF_THE_FIRST_ALONE.len()
            } else {
                0
            };
            assert_eq!(mapped + left_out, inputs.len(), "{path}");
            let script = step.get("run").map_or("", |run| run.as_str().unwrap());
            assert!(!script.contains("${{"), "{path}");
        }
    }
}

/// The names of all tools as alternatives of a pattern.
fn tool_alternatives() -> String {
    Tool::ALL.map(Tool::name).join("|")
}

const DURATION: &str = "([0-9]+(ms|s|m|h))+";
const DATE: &str = "[0-9]{4}-[0-9]{2}-[0-9]{2}";

/// What one value may be in a file: by its allowed values, else by what the help calls it.
fn value_schema(step: Step, name: &str, argument: &clap::Arg) -> Value {
    let allowed: Vec<String> = argument
        .get_possible_values()
        .iter()
        .map(|value| value.get_name().to_owned())
        .collect();
    if !allowed.is_empty() {
        let listed = json!({"type": "string", "enum": allowed});
        return match argument.get_value_delimiter() {
            Some(delimiter) => {
                let one = allowed.join("|");
                let several = format!(r"^\s*({one})(\s*{delimiter}\s*({one}))+\s*$");
                json!({"anyOf": [listed, {"type": "string", "pattern": several}]})
            }
            None => listed,
        };
    }
    let called = argument
        .get_value_names()
        .and_then(|names| names.first())
        .map(ToString::to_string)
        .unwrap_or_default();
    let tools = tool_alternatives();
    let pattern = match (name, called.as_str()) {
        (_, "BOOL") => return json!({"type": "boolean"}),
        (_, "NUMBER") => {
            let accepted: Vec<u32> = (0..=1_000)
                .filter(|number| {
                    let arguments = [step.name().to_owned(), format!("--{name}={number}")];
                    step.command().try_get_matches_from(arguments).is_ok()
                })
                .collect();
            return json!({"type": "integer", "minimum": accepted.first(), "maximum": accepted.last()});
        }
        ("tool-arguments" | "tool-paths", _) => format!(r"^\s*({tools})\s*:\s*\S"),
        ("tool-timeout", _) => format!(r"^\s*({tools})\s*:\s*{DURATION}\s*$"),
        ("severity", _) => r"^\s*[^:\s][^:]*(:\S+)?\s+(note|warning|error)\s*$".to_owned(),
        ("rules", _) => format!(
            r"^\s*({})\s+({})\s*$",
            rule_alternatives(),
            level_alternatives()
        ),
        ("ignore", _) => format!(r"^.*\S until {DATE}: .*\S"),
        ("reports", _) => "^.+=(sarif|rdjson|rdjsonl|diff)(:-?[0-9]+)?$".to_owned(),
        (_, "DURATION") => format!("^{DURATION}$"),
        (_, "DATE") => format!("^{DATE}$"),
        _ => return json!({"type": "string", "minLength": 1}),
    };
    json!({"type": "string", "pattern": pattern})
}

fn rule_alternatives() -> String {
    let ids: Vec<&str> = rules::all().map(|rule| rule.id).collect();
    ids.join("|")
}

fn level_alternatives() -> String {
    Level::ALL.map(Level::name).join("|")
}

fn input_schema(step: Step, name: &str, argument: &clap::Arg) -> Value {
    let one = value_schema(step, name, argument);
    let mut schema = if inputs::is_list(argument) {
        json!({"anyOf": [{"type": "array", "items": one}, one]})
    } else {
        one
    };
    let help = argument.get_help().map(ToString::to_string);
    schema["description"] = json!(help.unwrap_or_default());
    schema
}

fn step_schema(step: Step) -> Value {
    let command = step.command();
    let mut properties: serde_json::Map<String, Value> = inputs::names(&command)
        .map(|(name, argument)| (name.to_owned(), input_schema(step, name, argument)))
        .collect();
    if step == Step::Pipeline {
        properties.extend(schema::properties(&used_by_stages()));
    }
    if step == Step::Deploy {
        properties.extend(deploy::properties());
    }
    json!({
        "type": "object",
        "description": command.get_about().map(ToString::to_string),
        "properties": properties,
        "additionalProperties": false,
    })
}

/// The steps that a stage may use.
fn used_by_stages() -> Vec<&'static str> {
    let names = Step::names().into_iter();
    names
        .filter(|name| *name != Step::Pipeline.name())
        .collect()
}

/// What `[tool.lockgate]` of a `pyproject.toml` and a `lockgate.yaml` hold.
fn config_schema() -> Value {
    let mut properties = serde_json::Map::new();
    properties.insert(
        "required-version".to_owned(),
        json!({
            "type": "string",
            "minLength": 1,
            "description": "Versions of Lockgate that may run, such as `>=0.1, <0.3`",
        }),
    );
    for step in Step::ALL {
        properties.insert(step.name().to_owned(), step_schema(step));
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Configuration of Lockgate",
        "description": "`[tool.lockgate]` of a `pyproject.toml`, or a `lockgate.yaml`",
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    })
}

/// A whole `pyproject.toml` of which only our table is described, for editors that take one schema a file.
fn pyproject_schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "pyproject.toml with the configuration of Lockgate",
        "type": "object",
        "properties": {"tool": {"type": "object", "properties": {"lockgate": config_schema()}}},
    })
}

fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

#[test]
fn configuration_schemas_are_what_the_code_says() {
    expect::file("docs/schemas/config.schema.json", &pretty(&config_schema()));
    expect::file(
        "docs/schemas/pyproject.schema.json",
        &pretty(&pyproject_schema()),
    );
}

#[test]
fn the_example_fits_the_configuration_schema() {
    let text = std::fs::read_to_string(expect::root().join("examples/notes/pyproject.toml"));
    let document: Value = toml::from_str(&text.unwrap()).unwrap();
    assert!(document["tool"]["lockgate"]["lint-gate"].is_object());
    let validator = jsonschema::validator_for(&pyproject_schema()).unwrap();
    assert!(validator.is_valid(&document));
}

/// The schema and the program say the same of a configuration.
#[test]
fn the_configuration_schema_agrees_with_the_program() {
    let validator = jsonschema::validator_for(&config_schema()).unwrap();
    for (is_right, table) in [
        (
            true,
            "tools: [ruff, mypy]\nfail-on: warning\nallow-empty: true",
        ),
        (true, "tools: auto"),
        (true, "tools: 'ruff,mypy'"),
        (true, "tools: [' ruff , mypy ']"),
        (true, "tools: 'ruff, mypy'\ninstall-env: 'A, B'"),
        (true, "timeout: 1h30m\nreport-until: '2027-01-31'"),
        (true, "max-annotations: 0"),
        (true, "severity: [bandit:B101 note, 'vulture warning']"),
        (
            true,
            "tool-timeout: ['mypy: 20m']\ntool-arguments: ['mypy: --strict']",
        ),
        (
            true,
            "ignore: ['ruff:F401 a/** until 2027-01-31: moves out']",
        ),
        (true, "reports: ['a=b.sarif=sarif:1']"),
        (true, "exclude: build/**"),
        (false, "tools: [rufff]"),
        (false, "tools: 'ruff,mypi'"),
        (false, "tool: [ruff]"),
        (false, "fail-on: errors"),
        (false, "fail-on: [error]"),
        (false, "allow-empty: 'perhaps'"),
        (false, "timeout: 10 minutes"),
        (false, "timeout: ten"),
        (false, "report-until: tomorrow"),
        (false, "max-annotations: 11"),
        (false, "tool-timeout: ['eslint: 5m']"),
        (false, "tool-arguments: [--strict]"),
        (false, "severity: ['bandit:B101 harmless']"),
        (false, "ignore: ['ruff:F401: for ever']"),
        (false, "reports: [a.xml=junit]"),
        (false, "token: secret"),
        (false, "explain: ruff"),
    ] {
        let indented = table.replace('\n', "\n  ");
        let text = format!("lint-gate:\n  {indented}\n");
        let document: Value = serde_yaml::from_str(&text).unwrap();
        assert_eq!(
            validator.is_valid(&document),
            is_right,
            "the schema: {text}"
        );
        let project = Project::empty();
        project.write("lockgate.yaml", &text);
        let run = project.run(&["lint-gate", "--tools=ruff", "--tool-source=path"]);
        let key = table.split(':').next().unwrap();
        let is_refused = run.code == 2 && run.stderr.contains(&format!("`{key}`"));
        assert_eq!(!is_refused, is_right, "the program: {text}\n{}", run.stderr);
    }
}

/// An example as a block of the documentation.
fn example_block(example: &rules::Example) -> String {
    let block = |before: &str, (path, text): &(&str, &str)| {
        let language = match path.rsplit('.').next() {
            Some("lock" | "toml") => "toml",
            Some("yml" | "yaml") => "yaml",
            _ => "text",
        };
        let end = if text.ends_with('\n') { "" } else { "\n" };
        format!("{before}`{path}`:\n\n```{language}\n{text}{end}```\n")
    };
    let files = example.files.iter().map(|file| block("", file));
    let base = example.base.iter().map(|file| block("On the base, ", file));
    let inputs = example
        .inputs
        .iter()
        .map(|(input, value)| format!("With `{input}: {value}`.\n"));
    files
        .chain(base)
        .chain(inputs)
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn the_page_of_rules_is_what_the_code_says() {
    let mut page = "# Rules of lockfile-verify\n\n<!-- Generated from the code: change that and run `UPDATE_EXPECT=1 cargo test`. -->\n\nLevels are changed with the input `rules`: `hash-missing warning`, `duplicate-package off`.\n\n| rule | level | what it finds |\n|---|---|---|\n".to_owned();
    for rule in rules::all() {
        let _ = writeln!(
            page,
            "| [`{0}`](#{0}) | {1} | {2} |",
            rule.id,
            rule.level.name(),
            rule.summary
        );
    }
    for family in rules::FAMILIES
        .iter()
        .filter(|family| !family.rules.is_empty())
    {
        let _ = write!(page, "\n## {}\n\n{}\n", family.title, family.about);
        for rule in family.rules {
            let _ = write!(
                page,
                "\n### {}\n\n{}. Level: {}.\n\n{}\n\nIt finds something here, {}\nRepair: {}\n\n",
                rule.id,
                rule.summary,
                rule.level.name(),
                rule.why,
                example_block(&rule.failing),
                rule.repair
            );
            let _ = write!(page, "Repaired, {}", example_block(&rule.repaired));
        }
    }
    expect::file("docs/lockfile-verify-rules.md", &page);
}

fn setting(setting: &Setting) -> String {
    let with_keys = |what: String, keys: &[&str]| {
        if keys.is_empty() {
            return what;
        }
        let keys: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
        format!("{what} with {}", keys.join(" or "))
    };
    match setting {
        Setting::File(name) => format!("`{name}`"),
        Setting::Glob(glob) => format!("`{glob}`"),
        Setting::Table(name, keys) => with_keys(format!("`[tool.{name}]`"), keys),
        Setting::Section {
            file,
            section,
            keys,
        } => with_keys(format!("`{section}` of `{file}`"), keys),
    }
}

fn cell(items: impl IntoIterator<Item = String>) -> String {
    let items: Vec<String> = items.into_iter().collect();
    items.join("<br>").replace('|', "\\|")
}

#[test]
fn the_references_of_definitions_are_what_the_code_says() {
    expect::part("docs/pipeline.md", "definition", &reference(schema::TABLES));
    expect::part("docs/deploy.md", "definition", &reference(deploy::TABLES));
}

/// Tables of keys for people.
fn reference(tables: &[(&str, &[Key])]) -> String {
    let mut text = String::new();
    for (title, keys) in tables {
        let _ = write!(
            text,
            "\n**{title}**\n\n| key | value | what |\n|---|---|---|\n"
        );
        for key in *keys {
            let required = if key.is_required { ", required" } else { "" };
            let _ = writeln!(
                text,
                "| `{}` | {}{required} | {} |",
                key.name,
                schema::words(key.shape),
                key.help.replace('|', "\\|")
            );
        }
    }
    text.push('\n');
    text
}

#[test]
fn the_table_of_tools_is_what_the_code_says() {
    let mut tools = "| tool | package | looks for | `auto` runs it where there is | hooks |\n|---|---|---|---|---|\n".to_owned();
    let mut severities = "| tool | what | severity |\n|---|---|---|\n".to_owned();
    for tool in Tool::ALL {
        let kind = match tool.kind() {
            Kind::Linter => "mistakes",
            Kind::Formatter => "layout",
            Kind::TypeChecker => "contradictions of types",
        };
        let settings = cell(tool.settings().iter().map(setting));
        let hooks = cell(tool.hooks().iter().map(|hook| format!("`{hook}`")));
        let _ = writeln!(
            tools,
            "| `{}` | `{}` | {kind} | {settings} | {hooks} |",
            tool.name(),
            tool.package()
        );
        for (what, severity) in tool.severities() {
            let _ = writeln!(
                severities,
                "| `{}` | {} | {} |",
                tool.name(),
                what.replace('|', "\\|"),
                severity.name()
            );
        }
    }
    expect::part("docs/lint-gate-tools.md", "tools", &tools);
    expect::part("docs/lint-gate-tools.md", "severities", &severities);
}
