use std::fmt::Write as _;

use super::*;
use crate::model::pipeline::{Action, SecretSource, Variable};

const STEPS: &[&str] = &["lint-gate", "lockfile-verify"];

fn toml_of(stages: &str) -> Result<Pipeline, Vec<Error>> {
    let text = format!("[tool.lockgate.pipeline.stages]\n{stages}");
    read(&text, "pyproject.toml", Carrier::Toml, STEPS)
}

fn messages(result: Result<Pipeline, Vec<Error>>) -> Vec<String> {
    let errors = result.expect_err("a mistake");
    errors.iter().map(Error::render).collect()
}

const WHOLE_TOML: &str = r#"
[tool.lockgate.pipeline]
name = "notes"
jobs = 4
env = ["CI", { PYTHONHASHSEED = 0 }]
secrets = { TOKEN = { command = ["pass", "show"] } }

[tool.lockgate.pipeline.stages]
lint = "ruff check ."
all = { needs = ["lint", "test"] }

[tool.lockgate.pipeline.stages.test]
description = "runs the tests"
run = ["pytest", "-q", "--wheel=${{ stages.build.outputs.wheel }}", "${{ matrix.python }}"]
needs = ["build"]
inputs = ["src/**", "!src/gen"]
outputs = { report = "out/${{ matrix.python }}.xml" }
env = { PY = "py${{ matrix.python }}", DEBUG = true }
secrets = ["TOKEN", "OTHER"]
timeout = "10m"
grace = "5s"
retry = { max = 3, on-exit = [75], on-output = "Connection(Reset|Refused)", base = "2s" }
if = { changed = "src/**", branch = ["main", "release/*"], event = "push", result = "success" }
allow-failure = true
matrix = { python = ["3.12", "3.13"] }
cpu = 2
memory = "2GiB"
venv = { groups = ["dev"], python = "${{ matrix.python }}", project = false }
cache = false
directory = "packages/api"

[tool.lockgate.pipeline.stages.build]
uses = "lint-gate"
with = { tools = ["ruff", "mypy"], max-annotations = 3 }
outputs.wheel = "dist/*.whl"

[tool.lockgate.pipeline.stages.api]
run = "python -m notes"
service = { ready = { http = "http://127.0.0.1:8080/health" }, ready-timeout = "5s" }
secrets = { KEY = { env = "API_KEY" } }
retry = 2
"#;

const WHOLE_YAML: &str = r"
pipeline:
  name: notes
  jobs: 4
  env: [CI, {PYTHONHASHSEED: 0}]
  secrets: {TOKEN: {command: [pass, show]}}
  stages:
    lint: ruff check .
    all: {needs: [lint, test]}
    test:
      description: runs the tests
      run: [pytest, -q, '--wheel=${{ stages.build.outputs.wheel }}', '${{ matrix.python }}']
      needs: [build]
      inputs: ['src/**', '!src/gen']
      outputs: {report: 'out/${{ matrix.python }}.xml'}
      env: {PY: 'py${{ matrix.python }}', DEBUG: true}
      secrets: [TOKEN, OTHER]
      timeout: 10m
      grace: 5s
      retry: {max: 3, on-exit: [75], on-output: Connection(Reset|Refused), base: 2s}
      if: {changed: src/**, branch: [main, release/*], event: push, result: success}
      allow-failure: true
      matrix: {python: ['3.12', '3.13']}
      cpu: 2
      memory: 2GiB
      venv: {groups: [dev], python: '${{ matrix.python }}', project: false}
      cache: false
      directory: packages/api
    build:
      uses: lint-gate
      with: {tools: [ruff, mypy], max-annotations: 3}
      outputs: {wheel: dist/*.whl}
    api:
      run: python -m notes
      service: {ready: {http: 'http://127.0.0.1:8080/health'}, ready-timeout: 5s}
      secrets: {KEY: {env: API_KEY}}
      retry: 2
";

/// The pipeline as text, without what says where things stand.
fn without_places(pipeline: &Pipeline) -> String {
    let text = format!("{pipeline:#?}");
    let mut kept = String::new();
    let mut depth = None;
    for line in text.lines() {
        let indent = line.len() - line.trim_start().len();
        match depth {
            Some(outer) if indent > outer => {}
            Some(_) => depth = None,
            None if line.trim_start().starts_with("place: Place {") => depth = Some(indent),
            None => kept.extend([line, "\n"]),
        }
    }
    kept
}

#[test]
fn both_carriers_say_the_same() {
    let toml = read(WHOLE_TOML, "pyproject.toml", Carrier::Toml, STEPS).unwrap();
    let yaml = read(WHOLE_YAML, "lockgate.yaml", Carrier::Yaml, STEPS).unwrap();
    assert_eq!(without_places(&toml), without_places(&yaml));

    let names: Vec<&str> = toml
        .stages
        .iter()
        .map(|stage| stage.name.as_str())
        .collect();
    assert_eq!(
        names,
        ["lint", "all", "test (3.12)", "test (3.13)", "build", "api"]
    );
    let all: Vec<&str> = toml.stages[1]
        .needs
        .iter()
        .map(|need| need.value.as_str())
        .collect();
    assert_eq!(all, ["lint", "test (3.12)", "test (3.13)"]);
    let test = &toml.stages[3];
    assert_eq!(test.base_name, "test");
    assert_eq!(test.outputs["report"].value, "out/3.13.xml");
    assert_eq!(test.venv.as_ref().unwrap().python.as_deref(), Some("3.13"));
    assert_eq!((test.cpu, test.memory), (2, 2 << 30));
    let Action::Exec(words) = &test.action else {
        panic!("{test:?}")
    };
    assert_eq!(words[2].value.references[0].output, "wheel");
    assert_eq!(words[3].value.text, "3.13");
    assert_eq!((words[0].place.line, words[0].place.column), (14, 8));
    assert_eq!(
        test.secrets["TOKEN"].source,
        SecretSource::Command(vec!["pass".into(), "show".into()])
    );
    assert_eq!(
        test.secrets["OTHER"].source,
        SecretSource::Environment("OTHER".into())
    );
    assert_eq!(toml.options.env["CI"].value, Variable::Passed);
    assert_eq!(toml.options.name.as_deref(), Some("notes"));
}

#[test]
fn every_mistake_of_a_file_is_found_at_once_and_in_order() {
    let found = messages(toml_of(
        "a = { rum = 'x' }\nb = { run = 'x', timeout = 'soon', cpu = 0 }\nc = { run = 3 }\n'-d' = 'x'\ne = { run = 'x', needs = 1, if = { evnt = 'push' } }\n",
    ));
    let starts: Vec<&str> = found
        .iter()
        .map(|text| text.split('\n').next().unwrap_or_default())
        .collect();
    assert_eq!(
        starts,
        [
            "error: unknown key `rum`",
            "error: `timeout`: `soon`: expected a duration such as `90s`, `1h30m` or `7d`",
            "error: `cpu` must be from 1 to 4096, and is 0",
            "error: `run` must be a text, and is a whole number",
            "error: `-d` cannot be the name of a stage: it starts with `-`, as options do",
            "error: `needs` must be a text, and is a whole number",
            "error: unknown key `evnt`",
        ]
    );
    assert_eq!(
        found[0],
        "error: unknown key `rum`\n --> pyproject.toml:2:7\n  |\n2 | a = { rum = 'x' }\n  |       ^^^\n\nhint: write `run`"
    );
}

#[test]
fn a_reference_in_a_script_is_refused_with_the_variable_to_declare() {
    let found = messages(toml_of(
        "a = { run = 'twine upload ${{ stages.build.outputs.wheel }}' }\n",
    ));
    assert!(
        found[0].contains("would be read as a script"),
        "{}",
        found[0]
    );
    assert!(
        found[0].ends_with("hint: declare `env = { WHEEL = \"${{ stages.build.outputs.wheel }}\" }` and write `\"$WHEEL\"` in the script"),
        "{}",
        found[0]
    );
    for (stage, part) in [
        (
            "run = 'echo ${{ github.ref_name }}'",
            "`env = [\"REF_NAME\"]`",
        ),
        (
            "run = ['echo', '${{ github.ref }}']",
            "there is `${{ stages.<stage>.outputs.<output> }}`",
        ),
        (
            "run = ['echo', '${{ matrix.x }}']",
            "the stage has no matrix",
        ),
        ("run = ['echo', '${{ matrix.x']", "is not closed"),
        (
            "run = 'x', directory = '${{ stages.a.outputs.b }}'",
            "cannot refer to the outputs",
        ),
        (
            "run = ['x', '${{ matrix.y }}'], matrix = { x = [1] }",
            "the stage has `matrix.x`",
        ),
    ] {
        let found = messages(toml_of(&format!("a = {{ {stage} }}\n")));
        assert!(found[0].contains(part), "{stage}: {}", found[0]);
    }
}

#[test]
fn what_cannot_be_meant_is_refused() {
    for (stage, part) in [
        ("run = ''", "`run` is empty"),
        ("run = []", "`run` names no program"),
        ("run = ['']", "`run` names no program"),
        ("run = 'x', uses = 'lint-gate'", "not both"),
        (
            "run = 'x', with = { a = 1 }",
            "`with` is for a stage with `uses`",
        ),
        ("uses = 'lint-gat'", "write `lint-gate`"),
        ("uses = 'actions/checkout'", "actions of others"),
        ("run = 'x', outputs = { 'a b' = 'x' }", "name of an output"),
        ("run = 'x', outputs = { a = '../x' }", "`.` and `..`"),
        ("run = 'x', outputs = { a = '/x' }", "absolute"),
        ("run = 'x', outputs = { a = '!x' }", "takes nothing away"),
        ("run = 'x', outputs = { a = './' }", "the whole folder"),
        ("run = 'x', inputs = ['#x']", "a comment"),
        ("run = 'x', directory = 'a/../..'", "below that of the file"),
        ("run = 'x', env = ['A=1']", "write `env = { A = \"1\" }`"),
        ("run = 'x', env = ['A', 'A']", "declared twice"),
        ("run = 'x', env = { LD_PRELOAD = 'x' }", "run another"),
        (
            "run = 'x', secrets = { A = 'hunter2' }",
            "does not stand in a file",
        ),
        ("run = 'x', secrets = { A = {} }", "one of them"),
        (
            "run = 'x', retry = { max = 2, base = '1m', cap = '1s' }",
            "shorter than `base`",
        ),
        ("run = 'x', retry = { base = '1m' }", "`retry` needs `max`"),
        (
            "run = 'x', retry = { max = 1, on-output = '(' }",
            "no regular expression",
        ),
        ("run = 'x', retry = 21", "from 1 to 20"),
        ("run = 'x', memory = '0'", "from 1 byte"),
        ("run = 'x', memory = -1", "negative"),
        ("run = 'x', if = { result = 'sucess' }", "write `success`"),
        ("run = 'x', if = { branch = [] }", "nothing fulfils"),
        ("run = 'x', matrix = {}", "`matrix` is empty"),
        (
            "run = 'x', matrix = { a = [1, 2] }",
            "nothing in the stage names `matrix.a`",
        ),
        (
            "run = 'x', matrix = { python = [3.10] }",
            "write it in quotes: `\"3.10\"`",
        ),
        ("run = 'x', matrix = { python = ['a', 'a'] }", "here twice"),
        ("run = 'x', matrix = { python = [] }", "not run at all"),
        ("run = 'x', service = {}", "`service` needs `ready`"),
        (
            "run = 'x', service = { ready = { tcp = '8080' } }",
            "not an address",
        ),
        (
            "run = 'x', service = { ready = { http = 'localhost' } }",
            "not a URL",
        ),
        (
            "run = 'x', service = { ready = { http = 'http://u:p@h/' } }",
            "a password",
        ),
        (
            "run = 'x', service = { ready = { tcp = 'a:1', output = 'x' } }",
            "one of them",
        ),
        ("run = 'x', venv = 1", "`venv` must be a table"),
        ("run = \"a\\u0000b\"", "NUL"),
    ] {
        let found = messages(toml_of(&format!("a = {{ {stage} }}\n")));
        assert!(found[0].contains(part), "{stage}: {}", found[0]);
        assert!(
            found[0].contains("pyproject.toml:2:"),
            "{stage}: {}",
            found[0]
        );
        assert!(
            !found[0].contains("hunter2") && !found[0].contains("u:p"),
            "{}",
            found[0]
        );
    }
    for text in [
        "",
        "[tool.lockgate]\n",
        "[tool.lockgate.pipeline]\n",
        "[tool.lockgate.pipeline.stages]\n",
    ] {
        let found = messages(read(text, "pyproject.toml", Carrier::Toml, STEPS));
        assert!(found[0].contains("defines no stages"), "{}", found[0]);
    }
}

fn lines(count: usize, line: impl Fn(usize) -> String) -> String {
    let lines: Vec<String> = (0..count).map(line).collect();
    lines.join("\n") + "\n"
}

#[test]
fn a_hostile_document_is_a_mistake_and_no_more() {
    let mut laughs = "pipeline:\n  x: &a [1, 2, 3, 4, 5, 6, 7, 8, 9, 0]\n".to_owned();
    for (one, next) in ('a'..='h').zip('b'..='i') {
        let many = format!("*{one}, ").repeat(9);
        let _ = writeln!(laughs, "  y{next}: &{next} [{many}*{one}]");
    }
    let deep = format!("pipeline: {}", "[".repeat(5_000));
    let itself = "pipeline: &a {stages: *a}".to_owned();
    let product = lines(8, |key| format!("k{key} = [1, 2, 3, 4, 5]"));
    for text in [
        &laughs,
        &deep,
        &itself,
        &"pipeline: {stages: {a: x, a: y}}".to_owned(),
        &"pipeline: {stages: {[a]: x}}".to_owned(),
    ] {
        assert!(!messages(read(text, "lockgate.yaml", Carrier::Yaml, STEPS)).is_empty());
    }
    let found = messages(toml_of(&format!(
        "a.run = 'x'\n[tool.lockgate.pipeline.stages.a.matrix]\n{product}"
    )));
    assert!(
        found[0].contains("more than 256 combinations"),
        "{}",
        found[0]
    );
    let several = lines(20_000, |stage| format!("s{stage} = {{ x = 1 }}"));
    assert_eq!(messages(toml_of(&several)).len(), 100);
}
