//! `pipeline`: what is said of a definition before anything runs.

use std::fmt::Write as _;

use lockgate::pipeline::graph::Graph;
use lockgate::pipeline::read::{Carrier, read};
use lockgate::steps::Step;
use serde_json::Value;

use crate::support::expect::root;
use crate::support::lockgate::Project;

const STAGES: &str = "
[tool.lockgate.pipeline]
jobs = 2
keep-going = true

[tool.lockgate.pipeline.stages]
lint = { uses = 'lint-gate', with = { tools = ['ruff', 'mypy'] }, inputs = ['src'] }
docs = { run = 'make docs', if = { changed = 'docs/**' } }

[tool.lockgate.pipeline.stages.test]
run = ['pytest', '${{ matrix.python }}']
matrix = { python = ['3.12', '3.13'] }
inputs = ['src/**', 'tests/**']
needs = ['api']

[tool.lockgate.pipeline.stages.api]
run = 'python -m notes'
service = { ready = { tcp = '127.0.0.1:8000' } }
inputs = ['src/**']

[tool.lockgate.pipeline.stages.release]
run = 'x'
needs = ['test', 'lint']
if = { branch = 'main', event = 'local' }
";

fn project(stages: &str) -> Project {
    let project = Project::empty();
    project.write("pyproject.toml", stages);
    project
}

/// The stages of a plan that run, and of the others why not.
fn planned(project: &Project, arguments: &[&str]) -> (String, String) {
    let all = [&["pipeline", "plan", "--output-format", "json"], arguments].concat();
    let run = project.run(&all);
    run.expect_code(0);
    let plan = run.json();
    let stages = plan["stages"].as_array().expect("stages");
    let name = |stage: &Value| stage["name"].as_str().expect("a name").to_owned();
    let runs = stages
        .iter()
        .filter(|stage| stage["runs"] == true)
        .map(name);
    let others = stages.iter().filter(|stage| stage["runs"] == false);
    let others =
        others.map(|stage| format!("{}: {}", name(stage), stage["why"].as_str().expect("why")));
    (
        runs.collect::<Vec<_>>().join(", "),
        others.collect::<Vec<_>>().join("; "),
    )
}

#[test]
fn check_finds_every_mistake_at_once_in_both_carriers() {
    let toml = project(
        "[tool.lockgate.pipeline.stages]\na = { run = 'x', neds = ['b'] }\nb = { uses = 'lint-gate', with = { tool = 'ruff' } }\nc = { run = 'x', timeout = 'soon' }\n",
    );
    let run = toml.run(&["pipeline", "check"]);
    run.expect_code(2)
        .expect_text("unknown key `neds`\n --> pyproject.toml:2:18")
        .expect_text("hint: write `needs`")
        .expect_text("`timeout`: `soon`");
    let toml = project(
        "[tool.lockgate.pipeline.stages]\na = { run = 'x', needs = ['b'] }\nb = { uses = 'lint-gate', needs = ['a'], with = { tool = 'ruff', token = 'x' } }\n",
    );
    let run = toml.run(&["pipeline", "check"]);
    run.expect_code(2)
        .expect_text("stages need each other: `a` -> `b` -> `a`\n --> pyproject.toml:2:27")
        .expect_text("`lint-gate` has no input `tool`\n --> pyproject.toml:3:")
        .expect_text("hint: write `tools`")
        .expect_text("`token` is a secret and does not stand in `with`");
    // What is deployed does not vouch for itself.
    for (name, value) in [
        ("digest", "'x'"),
        ("bundle-digest", "'x'"),
        ("break-lock", "true"),
    ] {
        let toml = project(&format!(
            "[tool.lockgate.pipeline.stages]\na = {{ uses = 'deploy', with = {{ {name} = {value} }} }}\n"
        ));
        toml.run(&["pipeline", "check"])
            .expect_code(2)
            .expect_text(&format!(
                "`{name}` is given for each deployment, and `with` sets it for all\n --> pyproject.toml:2:"
            ));
    }
    let yaml = Project::empty();
    yaml.write(
        "lockgate.yaml",
        "pipeline:\n  stages:\n    a: {run: x, needs: [buidl]}\n    build: {run: x, cpu: many}\n",
    );
    yaml.run(&["pipeline", "check"])
        .expect_code(2)
        .expect_text("`cpu` must be a whole number, and is a text\n --> lockgate.yaml:4:26");
    yaml.write(
        "lockgate.yaml",
        "pipeline:\n  stages:\n    a: {run: x, needs: [buidl]}\n    build: {run: x}\n",
    );
    yaml.run(&["pipeline", "check"])
        .expect_code(2)
        .expect_text("`a` needs `buidl`, and there is no such stage\n --> lockgate.yaml:3:25")
        .expect_text("hint: write `build`");
}

#[test]
fn check_says_what_it_looked_at_and_where_nothing_is_defined() {
    let run = project(STAGES).run(&["pipeline", "check"]);
    run.expect_code(0);
    assert_eq!(
        run.stdout,
        "pyproject.toml: 6 stages, 5 needs and 0 outputs fit together\n"
    );
    let run = project(STAGES).run(&["pipeline", "check", "--output-format=json"]);
    assert_eq!(run.json()["stages"], 6);
    Project::empty()
        .run(&["pipeline", "check"])
        .expect_code(2)
        .expect_text("nothing here defines a pipeline")
        .expect_text("lockgate pipeline init");
    project("[tool.lockgate.pipeline.stage.a]\nrun = 'x'\n")
        .run(&["pipeline", "check"])
        .expect_code(2)
        .expect_text("hint: write `stages`");
    project(STAGES)
        .run(&["pipeline", "check", "--sarif-file", "x.sarif"])
        .expect_code(2)
        .expect_text("only `pipeline run` has findings");
}

#[test]
fn a_workflow_has_an_annotation_for_each_mistake() {
    let project =
        project("[tool.lockgate.pipeline.stages]\na = { rum = 'x' }\nb = { rum = 'x' }\n")
            .with("GITHUB_ACTIONS", "true");
    let run = project.run(&["pipeline", "check"]);
    run.expect_code(2)
        .expect_text("file=pyproject.toml,line=2")
        .expect_text("file=pyproject.toml,line=3");
    let annotations = run.text().matches("::error ").count();
    assert_eq!(annotations, 2, "{}", run.text());
}

#[test]
fn plan_chooses_by_names_changes_and_conditions() {
    let project = project(STAGES);
    project.write("src/a.py", "").write("docs/a.md", "");
    project.git(&["init", "--quiet", "--initial-branch=main"]);
    project.commit("all");
    let everything = "api, lint, test (3.12), test (3.13), release";
    let (runs, others) = planned(&project, &["--base=HEAD"]);
    assert_eq!(runs, everything);
    assert_eq!(others, "docs: `changed`: no changed file matches `docs/**`");
    project.write("docs/b.md", "");
    let (runs, others) = planned(&project, &["--base=HEAD"]);
    assert_eq!((runs.contains("docs"), others.as_str()), (true, ""));

    let (runs, _) = planned(&project, &["--base=HEAD", "test"]);
    assert_eq!(runs, "api, test (3.12), test (3.13)");
    let (runs, _) = planned(&project, &["--base=HEAD", "--until=test (3.13)"]);
    assert_eq!(runs, "api, test (3.13)");
    let (runs, _) = planned(&project, &["--base=HEAD", "--from=lint"]);
    assert_eq!(runs, "lint, release");
    // Neither `release` nor `docs` declares inputs, so changed files always concern them.
    let (runs, others) = planned(&project, &["--base=HEAD", "--affected"]);
    assert_eq!(runs, "docs, release");
    assert!(others.contains("lint: it was not asked for"), "{others}");
    project.write("tests/x.py", "");
    let (runs, _) = planned(&project, &["--base=HEAD", "--affected"]);
    assert_eq!(runs, "api, docs, test (3.12), test (3.13), release");

    project.git(&["switch", "--quiet", "-c", "dev"]);
    let (_, others) = planned(&project, &["--base=HEAD"]);
    assert_eq!(others, "release: `branch`: `dev` does not match `main`");
    for (arguments, part) in [
        (&["--only=tset"][..], "`only`: there is no stage `tset`"),
        (
            &["--from=a", "--only=b"],
            "leaves nothing to `from` and `until`",
        ),
        (&["--resume"], "no run is known that could be taken up"),
        (&["--base=nowhere"], "`nowhere`"),
        (&["--memory=0"], "`memory`: `0` is no size"),
        (&["--jobs=0"], "`--jobs`"),
        (&["--timeout=soon"], "`timeout`: `soon`"),
    ] {
        let run = project.run(&[&["pipeline", "plan"], arguments].concat());
        run.expect_code(2).expect_text(part);
    }
}

#[test]
fn without_a_repository_everything_counts_as_changed() {
    let (runs, others) = planned(&project(STAGES), &["--jobs=1"]);
    assert_eq!(runs, "api, lint, docs, test (3.12), test (3.13)");
    assert!(
        others.starts_with("release: `branch`: the run is of no branch"),
        "{others}"
    );
}

#[test]
fn graph_draws_in_two_languages() {
    let project = project(
        "[tool.lockgate.pipeline.stages]\n'a \"b\"' = 'x'\nc = { run = 'x', needs = ['a \"b\"'] }\n",
    );
    let run = project.run(&["pipeline", "graph"]);
    assert_eq!(
        run.stdout,
        "flowchart LR\n  s0[\"a #34;b#34;\"]\n  s1[\"c\"]\n  s0 --> s1\n"
    );
    let run = project.run(&["pipeline", "graph", "--format", "dot"]);
    run.expect_code(0)
        .expect_text("s0 [label=\"a \\\"b\\\"\", shape=box];");
}

#[test]
fn init_writes_a_definition_that_fits_and_never_over_another() {
    let base = "[project]\nname = 'x'\nversion = '1'\n\n[build-system]\nrequires = []\n\n[tool.ruff]\n\n[dependency-groups]\ndocs = ['sphinx', 'pytest-xdist']\ntesting = ['pytest>=8']\n";
    let project = project(base);
    project
        .write("uv.lock", "version = 1\n")
        .write("tests/test_x.py", "");
    let run = project.run(&["pipeline", "init"]);
    run.expect_code(0);
    assert_eq!(
        run.stdout,
        "`pyproject.toml` has the stages lock, lint, test and build\n"
    );
    let text = std::fs::read_to_string(project.path().join("pyproject.toml")).expect("the file");
    let own = text
        .strip_prefix(base)
        .expect("what was there stays as it was");
    assert_eq!(
        own,
        "\n[tool.lockgate.pipeline.stages.lock]\nuses = \"lockfile-verify\"\n\n[tool.lockgate.pipeline.stages.lint]\nuses = \"lint-gate\"\n\n[tool.lockgate.pipeline.stages.test]\nrun = [\"python\", \"-m\", \"pytest\"]\ninputs = [\"tests/**\", \"pyproject.toml\", \"uv.lock\"]\nvenv = { groups = [\"testing\"] }\n\n[tool.lockgate.pipeline.stages.build]\nrun = [\"uv\", \"build\", \"--wheel\", \"--out-dir\", \"dist\"]\nneeds = [\"lock\", \"lint\", \"test\"]\noutputs = { wheel = \"dist/*.whl\" }\n"
    );
    project.run(&["pipeline", "check"]).expect_code(0);
    project
        .run(&["pipeline", "init"])
        .expect_code(2)
        .expect_text("`pyproject.toml` defines stages already");
    assert_eq!(
        std::fs::read_to_string(project.path().join("pyproject.toml")).expect("the file"),
        text
    );
}

#[test]
fn init_writes_yaml_where_that_is_asked_for_or_used() {
    let poetry = "[tool.poetry.group.dev.dependencies]\npytest = '^8'\n[build-system]\nrequires = ['poetry-core']\n";
    let project = project(poetry);
    project.write("poetry.lock", "");
    project.run(&["pipeline", "init", "--yaml"]).expect_code(0);
    let text = std::fs::read_to_string(project.path().join("lockgate.yaml")).expect("the file");
    assert_eq!(
        text,
        "pipeline:\n  stages:\n    lock:\n      uses: \"lockfile-verify\"\n    test:\n      run: [\"python\", \"-m\", \"pytest\"]\n      venv: { groups: [\"dev\"] }\n    build:\n      run: [\"poetry\", \"build\", \"--format\", \"wheel\", \"--output\", \"dist\"]\n      needs: [\"lock\", \"test\"]\n      outputs: { wheel: \"dist/*.whl\" }\n"
    );
    project.run(&["pipeline", "check"]).expect_code(0);
    // What is configured goes on where it is.
    project.write("lockgate.yaml", "lint-gate:\r\n  fail-on: warning");
    project.run(&["pipeline", "init"]).expect_code(0);
    let text = std::fs::read_to_string(project.path().join("lockgate.yaml")).expect("the file");
    assert!(
        text.starts_with("lint-gate:\r\n  fail-on: warning\r\n\r\npipeline:\r\n  stages:\r\n"),
        "{text}"
    );
    project.run(&["pipeline", "check"]).expect_code(0);

    let other = Project::empty();
    other.write(
        "pyproject.toml",
        "[tool.lockgate.lint-gate]\nfail-on = 'warning'\n[tool.ruff]\n",
    );
    other
        .run(&["pipeline", "init", "--yaml"])
        .expect_code(2)
        .expect_text("a `lockgate.yaml` beside it is an error");
    let inline = "tool = { ruff = {}, lockgate = { lint-gate = {} } }\n";
    other.write("pyproject.toml", inline);
    other
        .run(&["pipeline", "init"])
        .expect_code(2)
        .expect_text("nothing can be added at its end")
        .expect_text("[tool.lockgate.pipeline.stages.lint]");
    assert_eq!(
        std::fs::read_to_string(other.path().join("pyproject.toml")).expect("the file"),
        inline
    );
    Project::empty()
        .run(&["pipeline", "init"])
        .expect_code(2)
        .expect_text("there is nothing here that a pipeline could run");
}

/// Definitions as YAML, and whether they can be read.
const SAMPLES: &[(bool, &str)] = &[
    (true, "a: x"),
    (true, "a: {run: x}"),
    (true, "a: {run: [x, 1, true, '']}"),
    (true, "'a b.ü (1)': x"),
    (
        true,
        "a: {uses: lint-gate, with: {tools: [ruff], max-annotations: 3, allow-empty: true}}",
    ),
    (
        true,
        "a: {run: x, needs: a, inputs: 'x', outputs: {a-b: c}, env: [A, {B: 1}]}",
    ),
    (
        true,
        "a: {run: x, env: {A: 1.5, B: false}, secrets: {A: {env: B}, C: {command: [x, y]}}}",
    ),
    (
        true,
        "a: {run: x, secrets: [A], timeout: 1h 30m, grace: 500ms, retry: 3}",
    ),
    (
        true,
        "a: {run: x, retry: {max: 2, on-exit: [1, 75], on-output: 'a|b', base: 1s, cap: 2s, budget: 1h}}",
    ),
    (true, "a: {run: x, retry: {max: 2, on-exit: 75}}"),
    (
        true,
        "a: {run: x, if: {changed: a, branch: [b], event: push, result: [failure, success]}}",
    ),
    (
        true,
        "a: {run: ['${{ matrix.b }}'], matrix: {b: [1, '2', true]}, always: true, allow-failure: false}",
    ),
    (
        true,
        "a: {run: x, cpu: 4, memory: 2GiB, cache: true, directory: b/c, description: d}",
    ),
    (true, "a: {run: x, memory: 1.5 gb}"),
    (true, "a: {run: x, memory: 4096}"),
    (true, "a: {run: x, venv: true}"),
    (
        true,
        "a: {run: x, venv: {groups: dev, extras: [x], python: '3.12', project: false}}",
    ),
    (
        true,
        "a: {run: x, service: {ready: {tcp: 'h:1'}, ready-timeout: 5s}}",
    ),
    (true, "a: {run: x, service: {ready: {command: [x]}}}"),
    (false, "{}"),
    (false, "a: 1"),
    (false, "a: [x]"),
    (false, "a: ''"),
    (false, "a: ' '"),
    (false, "-a: x"),
    (false, "a/b: x"),
    (false, "'': x"),
    (false, "a: {run: []}"),
    (false, "a: {run: {b: c}}"),
    (false, "a: {run: [[x]]}"),
    (false, "a: {rum: x}"),
    (false, "a: {run: x, needs: 1}"),
    (false, "a: {run: x, needs: [[b]]}"),
    (false, "a: {run: x, inputs: {b: c}}"),
    (false, "a: {run: x, outputs: [b]}"),
    (false, "a: {run: x, outputs: {'b c': d}}"),
    (false, "a: {run: x, outputs: {b: [c]}}"),
    (false, "a: {run: x, env: [A=1]}"),
    (false, "a: {run: x, env: {A-B: 1}}"),
    (false, "a: {run: x, env: {A: [1]}}"),
    (false, "a: {run: x, env: {A: ~}}"),
    (false, "a: {run: x, secrets: {A: value}}"),
    (false, "a: {run: x, secrets: {A: {}}}"),
    (false, "a: {run: x, secrets: {A: {env: B, command: [c]}}}"),
    (false, "a: {run: x, secrets: [1A]}"),
    (false, "a: {run: x, timeout: 10}"),
    (false, "a: {run: x, timeout: 10 minutes}"),
    (false, "a: {run: x, retry: 0}"),
    (false, "a: {run: x, retry: 21}"),
    (false, "a: {run: x, retry: {base: 1s}}"),
    (false, "a: {run: x, retry: {max: 2, on-exit: [0]}}"),
    (false, "a: {run: x, retry: {max: 2, on-exit: 256}}"),
    (false, "a: {run: x, retry: {max: 2, onexit: 1}}"),
    (false, "a: {run: x, if: push}"),
    (false, "a: {run: x, if: {event: []}}"),
    (false, "a: {run: x, if: {result: []}}"),
    (false, "a: {run: x, if: {result: failed}}"),
    (false, "a: {run: x, if: {refs: main}}"),
    (false, "a: {run: x, always: 'true'}"),
    (false, "a: {run: x, matrix: {}}"),
    (false, "a: {run: x, matrix: {b: c}}"),
    (false, "a: {run: x, matrix: {b: []}}"),
    (false, "a: {run: x, matrix: {b: [1, 1]}}"),
    (false, "a: {run: x, matrix: {b: [1.5]}}"),
    (false, "a: {run: x, matrix: {'b c': [1]}}"),
    (false, "a: {run: x, cpu: 0}"),
    (false, "a: {run: x, cpu: 1.5}"),
    (false, "a: {run: x, cpu: '1'}"),
    (false, "a: {run: x, memory: 2 Gi}"),
    (false, "a: {run: x, memory: 0}"),
    (false, "a: {run: x, venv: uv}"),
    (false, "a: {run: x, venv: {group: dev}}"),
    (false, "a: {run: x, service: true}"),
    (false, "a: {run: x, service: {}}"),
    (false, "a: {run: x, service: {ready: {}}}"),
    (
        false,
        "a: {run: x, service: {ready: {tcp: 'h:1', output: x}}}",
    ),
    (false, "a: {run: x, service: {ready: {udp: 'h:1'}}}"),
    (false, "a: {uses: checkout}"),
    (false, "a: {uses: pipeline}"),
    (false, "a: {uses: lint-gate, with: {a: {b: c}}}"),
    (false, "a: {run: x, cache: 1}"),
    (false, "a: {run: x, directory: [b]}"),
];

#[test]
fn the_schema_and_the_reader_agree() {
    let text = std::fs::read_to_string(root().join("docs/schemas/config.schema.json"))
        .expect("the schema");
    let schema: Value = serde_json::from_str(&text).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let steps: Vec<&str> = Step::names()
        .into_iter()
        .filter(|name| *name != "pipeline")
        .collect();
    for (is_right, stages) in SAMPLES {
        let body = if stages.starts_with('{') {
            format!("pipeline:\n  stages: {stages}\n")
        } else {
            format!("pipeline:\n  stages:\n    {stages}\n")
        };
        let document: Value = serde_yaml::from_str(&body).expect("YAML");
        assert_eq!(
            validator.is_valid(&document),
            *is_right,
            "the schema: {stages}"
        );
        let read = read(&body, "lockgate.yaml", Carrier::Yaml, &steps);
        assert_eq!(read.is_ok(), *is_right, "the reader: {stages}: {read:?}");
    }
    for (is_right, options) in [
        (true, "name: x"),
        (true, "env: [A, {B: c}]"),
        (true, "secrets: {A: {env: B}}"),
        (false, "name: [x]"),
        (false, "env: {A B: c}"),
        (false, "secrets: {A: b}"),
    ] {
        let body = format!("pipeline:\n  {options}\n  stages: {{a: {{run: x, secrets: [A]}}}}\n");
        let document: Value = serde_yaml::from_str(&body).expect("YAML");
        assert_eq!(
            validator.is_valid(&document),
            is_right,
            "the schema: {options}"
        );
        let read = read(&body, "lockgate.yaml", Carrier::Yaml, &steps);
        assert_eq!(read.is_ok(), is_right, "the reader: {options}: {read:?}");
    }
}

#[test]
fn ten_thousand_stages_are_read_checked_and_planned() {
    let mut text = String::new();
    for stage in 0..10_000 {
        let _ = writeln!(
            text,
            "[tool.lockgate.pipeline.stages.s{stage}]\nrun = ['x', '--flag']\ninputs = ['src/{stage}/**']\noutputs = {{ o = 'out/{stage}' }}"
        );
        if stage > 0 {
            let _ = writeln!(text, "needs = ['s{}', 's{}']", stage / 2, stage - 1);
        }
    }
    let pipeline = read(&text, "pyproject.toml", Carrier::Toml, &[]).expect("a definition");
    let graph = Graph::of(&pipeline).expect("no mistakes");
    assert_eq!(graph.order.len(), 10_000);
    let project = project(&text);
    let run = project.run(&["pipeline", "plan", "--output-format=json"]);
    run.expect_code(0);
    let plan = run.json();
    assert_eq!(plan["critical-path"].as_array().map(Vec::len), Some(10_000));
    assert_eq!(plan["duration-ms"], 10_000_000);
}
