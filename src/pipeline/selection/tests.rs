use super::*;
use crate::pipeline::read::{Carrier, read};

const STAGES: &str = "
[tool.lockgate.pipeline.stages]
lint = { run = 'x', inputs = ['src'] }
build = { run = 'x', inputs = ['src/**', '!src/docs'], outputs = { wheel = 'dist' } }
api = { run = 'x', needs = ['build'], inputs = ['api'], service = { ready = { tcp = 'h:1' } } }
test = { run = ['${{ matrix.py }}'], needs = ['lint', 'build'], matrix = { py = ['3.12', '3.13'] }, inputs = ['tests'], directory = 'pkg/a' }
e2e = { run = 'x', needs = ['api'], inputs = ['e2e'] }
deploy = { run = 'x', needs = ['test', 'e2e'], if = { branch = ['main', 'release/*'], event = 'push' } }
docs = { run = 'x', if = { changed = ['docs/**', '*.md'] } }
";

fn select_by(request: &Request, facts: &Facts) -> Result<String> {
    let pipeline = read(STAGES, "pyproject.toml", Carrier::Toml, &[]).unwrap();
    let graph = Graph::of(&pipeline).unwrap();
    let choices = select(&pipeline, &graph, request, facts)?;
    let running = pipeline.stages.iter().zip(choices);
    let names = running.filter(|(_, choice)| *choice == Choice::Run);
    Ok(names
        .map(|(stage, _)| stage.name.clone())
        .collect::<Vec<_>>()
        .join(" "))
}

fn strings(items: &[&str]) -> Vec<String> {
    items.iter().map(|item| (*item).to_owned()).collect()
}

fn on_main() -> Facts {
    Facts {
        changed: None,
        branch: Some("main".into()),
        event: "push".into(),
    }
}

#[test]
fn the_command_line_chooses_and_services_come_along() {
    let all = "lint build api test (3.12) test (3.13) e2e deploy docs";
    let of = |request: Request| select_by(&request, &on_main()).unwrap();
    let none = Request::default;
    assert_eq!(of(none()), all);
    assert_eq!(
        of(Request {
            only: strings(&["e2e"]),
            ..none()
        }),
        "api e2e"
    );
    assert_eq!(
        of(Request {
            only: strings(&["test"]),
            ..none()
        }),
        "test (3.12) test (3.13)"
    );
    assert_eq!(
        of(Request {
            only: strings(&["test (3.13)"]),
            ..none()
        }),
        "test (3.13)"
    );
    assert_eq!(
        of(Request {
            from: strings(&["test"]),
            ..none()
        }),
        "api test (3.12) test (3.13) deploy".replace("api ", "")
    );
    assert_eq!(
        of(Request {
            until: strings(&["test (3.12)"]),
            ..none()
        }),
        "lint build test (3.12)"
    );
    assert_eq!(
        of(Request {
            from: strings(&["build"]),
            until: strings(&["e2e"]),
            ..none()
        }),
        "build api e2e"
    );
    let error = select_by(
        &Request {
            from: strings(&["biuld"]),
            ..none()
        },
        &on_main(),
    )
    .unwrap_err();
    assert_eq!(error.message, "`from`: there is no stage `biuld`");
    assert_eq!(error.hint.as_deref(), Some("write `build`"));
}

#[test]
fn a_run_is_taken_up_where_it_failed() {
    let passed = ["lint", "build", "api", "test (3.12)", "docs"];
    let request = Request {
        passed: Some(passed.iter().map(|name| (*name).to_owned()).collect()),
        ..Request::default()
    };
    assert_eq!(
        select_by(&request, &on_main()).unwrap(),
        "api test (3.13) e2e deploy"
    );
    let request = Request {
        passed: Some(
            ["test (3.12)", "deploy"]
                .iter()
                .map(|name| (*name).to_owned())
                .collect(),
        ),
        ..Request::default()
    };
    let all = "lint build api test (3.12) test (3.13) e2e deploy docs";
    assert_eq!(select_by(&request, &on_main()).unwrap(), all);
}

#[test]
fn changed_files_concern_stages_and_what_depends_on_them() {
    let by = |files: &[&str]| {
        let facts = Facts {
            changed: Some(strings(files)),
            ..on_main()
        };
        let request = Request {
            affected: true,
            ..Request::default()
        };
        select_by(&request, &facts).unwrap()
    };
    // `deploy` declares no inputs, so it always takes part, and `docs` by its own condition.
    assert_eq!(
        by(&["pkg/a/tests/x.py"]),
        "build test (3.12) test (3.13) deploy"
    );
    assert_eq!(by(&["tests/x.py"]), "deploy");
    assert_eq!(
        by(&["src/docs/a"]),
        "lint build test (3.12) test (3.13) deploy"
    );
    assert_eq!(by(&["README.md", "e2e/x"]), "build api e2e deploy docs");
}

#[test]
fn conditions_are_judged_by_the_facts() {
    let unmet_by = |facts: Facts| {
        let pipeline = read(STAGES, "pyproject.toml", Carrier::Toml, &[]).unwrap();
        let unmet = pipeline.stages.iter().map(|stage| unmet(stage, &facts));
        unmet.flatten().collect::<Vec<_>>()
    };
    let changed = |files: &[&str]| Some(strings(files));
    assert_eq!(unmet_by(on_main()), [""; 0]);
    assert_eq!(
        unmet_by(Facts {
            branch: Some("release/1".into()),
            changed: changed(&["docs/a/b"]),
            ..on_main()
        }),
        [""; 0]
    );
    for (facts, why) in [
        (
            Facts {
                branch: Some("dev".into()),
                ..on_main()
            },
            "`branch`: `dev` does not match `main` or `release/*`",
        ),
        (
            Facts {
                branch: None,
                ..on_main()
            },
            "`branch`: the run is of no branch, and not of `main` or `release/*`",
        ),
        (
            Facts {
                event: "local".into(),
                ..on_main()
            },
            "`event`: `local` is not `push`",
        ),
        (
            Facts {
                changed: changed(&["a/README.md"]),
                ..on_main()
            },
            "`changed`: no changed file matches `docs/**` or `*.md`",
        ),
        (
            Facts {
                changed: changed(&[]),
                ..on_main()
            },
            "`changed`: no changed file matches `docs/**` or `*.md`",
        ),
    ] {
        assert_eq!(unmet_by(facts), [why]);
    }
}
