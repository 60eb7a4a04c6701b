use super::*;
use crate::model::deployment::definition::{Inconclusive, Probe};

fn toml(text: &str) -> Result<Vec<Environment>, Vec<Error>> {
    read(text, "pyproject.toml", Carrier::Toml)
}

const WHOLE: &str = r#"
[tool.lockgate.deploy.environments.staging]
target = { local = { directory = "deployed", keep = 3 } }
artifacts = ["dist/*.whl", "${{ stages.wheel.outputs.wheel }}"]
gates = { lockfile = false, contexts = ["test", "lint"] }
health = { http = "http://127.0.0.1:8080/health", json = { "/version" = "${{ version }}" }, successes = 2, interval = "100ms", inconclusive = "rollback" }
lock = { limit = "10m", break = ["octocat"] }

[tool.lockgate.deploy.environments.production]
target.shell = { run = ["./deploy.sh"], rollback = "./back.sh", env = ["REGION"], secrets = ["DEPLOY_KEY"] }
"#;

#[test]
fn both_formats_say_the_same() {
    let environments = toml(WHOLE).unwrap();
    let [staging, production] = &*environments else {
        panic!("{environments:?}")
    };
    assert!(
        matches!(&staging.target, Target::Local { keep: 3, directory } if directory.value == "deployed")
    );
    assert_eq!(staging.artifacts.len(), 2);
    assert!(matches!(&staging.artifacts[1].value, Source::Output(of) if of.stage == "wheel"));
    assert!(!staging.gates.lockfile && staging.gates.version && staging.gates.artifact);
    assert!(staging.prereleases && !production.prereleases && production.production);
    let health = staging.health.as_ref().unwrap();
    assert_eq!(health.inconclusive, Inconclusive::Rollback);
    assert!(matches!(&health.probe, Probe::Http { status, .. } if status == &[200]));
    assert!(matches!(production.target, Target::Shell(_)));

    let yaml = "deploy:\n  environments:\n    staging:\n      target: {local: {directory: deployed, keep: 3}}\n      artifacts: dist/*.whl\n";
    let environments = read(yaml, "lockgate.yaml", Carrier::Yaml).unwrap();
    assert!(matches!(
        environments[0].target,
        Target::Local { keep: 3, .. }
    ));
}

#[test]
fn every_mistake_is_told_with_its_place() {
    let mistakes = |text: &str| {
        let all = toml(text).unwrap_err();
        assert!(all.iter().all(|error| error.place.is_some()), "{all:?}");
        all.iter().map(Error::render).collect::<Vec<_>>().join("\n")
    };
    let environment = |rest: &str| format!("[tool.lockgate.deploy.environments.e]\n{rest}\n");
    for (text, expected) in [
        ("", "needs `target`"),
        (
            "target = { pypi = { token = 'T', anonymous = true } }\nartifacts = 'x'",
            "leaves nothing",
        ),
        (
            "target = { pypi = { user = 'me' } }\nartifacts = 'x'",
            "is for a password",
        ),
        (
            "target = { pypi = { upload = 'ftp://a' } }\nartifacts = 'x'",
            "is not a URL",
        ),
        ("target = {}", "one of them"),
        ("target = { locl = {} }", "write `local`"),
        ("target = { local = {} }", "needs `directory`"),
        (
            "target = { local = { directory = 'd' } }",
            "nothing says what is deployed",
        ),
        (
            "target = { local = { directory = 'd', keep = 1 } }\nartifacts = 'x'",
            "from 2 to 1000",
        ),
        ("target.shell.run = 'x'\nartifacts = []", "empty list"),
        (
            "target.shell.run = 'x'\nartifacts = 'a${{ stages.a.outputs.b }}'",
            "stands alone",
        ),
        (
            "target.shell.run = 'x'\nartifacts = '/etc/passwd'",
            "absolute path",
        ),
        ("target.shell.run = 'x'\nhealth = {}", "one of them"),
        (
            "target.shell.run = 'x'\nhealth = { tcp = 'a:1', body = 'x' }",
            "is for `http`",
        ),
        (
            "target.shell.run = 'x'\nhealth = { http = 'http://a', json = { version = '1' } }",
            "\"/version\"",
        ),
        (
            "target.shell.run = 'x'\nhealth = { http = 'http://a', json = { '/v' = '${{ vers }}' } }",
            "refer to",
        ),
        (
            "target.shell.run = 'x'\nhealth = { http = 'http://u:p@a' }",
            "password",
        ),
        (
            "target.shell.run = 'x'\nhealth = { http = 'http://notes.example:8080/health' }",
            "`http`: `http://notes.example:8080/health` is plain `http`, which is for the own machine only",
        ),
        (
            "target.shell.run = 'x'\nhealth = { http = 'http://a', body = '(' }",
            "regular expression",
        ),
        (
            "target.shell.run = 'x'\nhealth = { tcp = 'a:1', timeout = '0s' }",
            "longer than nothing",
        ),
        (
            "target.shell.run = 'x ${{ stages.a.outputs.b }}'",
            "read as a script",
        ),
        (
            "target.shell.run = ['${{ stages.a.outputs.b }}']",
            "LOCKGATE_DEPLOY_FILES",
        ),
        (
            "target.shell = { run = 'x', secrets = { A = { command = ['x'] } } }",
            "comes from a variable",
        ),
        (
            "target.shell.run = 'x'\nrollback = 'automatc'",
            "write `automatic`",
        ),
        (
            "target.shell.run = 'x'\nurl = 'javascript:alert(1)'",
            "is not a URL",
        ),
        (
            "target.shell.run = 'x'\ngates = { contexts = [] }",
            "names no check",
        ),
    ] {
        let text = environment(text);
        let told = mistakes(&text);
        assert!(told.contains(expected), "{text}\n{told}");
    }
    let told = mistakes("[tool.lockgate.deploy.environments.'a/b']\ntarget.shell.run = 'x'\n");
    assert!(told.contains("cannot be the name"), "{told}");
    let told = toml("[tool.other]\n").unwrap_err();
    assert!(told[0].hint.is_some());
}

#[test]
fn places_in_expectations_are_filled() {
    let value = |name: &str| (name == "version").then(|| "1.0".to_owned());
    assert_eq!(health::fill("v${{ version }}!", value).unwrap(), "v1.0!");
    assert_eq!(
        health::fill("plain {{ x }}", value).unwrap(),
        "plain {{ x }}"
    );
    assert!(health::fill("${{ digest }}", value).is_err());
    assert!(health::fill("${{ other }}", value).is_err());
    assert!(health::fill("${{ version", value).is_err());
}
