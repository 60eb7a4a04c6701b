//! `deploy` in jobs that each have a journal of their own: what stands and what stood is known all the same.

use std::process::Command;

use serde_json::{Value, json};

use crate::deploy_github::command;
use crate::support::github::GitHub;
use crate::support::lockgate::{Project, Run};
use crate::support::registry::{PASSWORD, RegistryServer, USER};
use crate::targets_oci::{OCI, push};

const LOCAL: &str = "{ local = { directory = 'site' } }";
const STORE: &str = "{ object-store = { address = 'store' } }";

/// A project in a workflow, whose versions `0.3.…` are not well.
fn project(target: &str) -> Project {
    let project = Project::empty().in_workflow("push", &json!({}));
    project.write(
        "health.py",
        "import json, os, sys\ntry:\n    now = json.load(open('store/env/e/current.json'))['version']\nexcept OSError:\n    now = os.readlink('site/current')\nsys.exit('0.3.' in now)\n",
    );
    project.write(
        "pyproject.toml",
        format!(
            "[tool.lockgate.deploy.environments.e]\nartifacts = ['dist/*']\ngates = {{ artifact = false, lockfile = false }}\nhealth = {{ command = ['python3', 'health.py'], successes = 1, interval = '10ms', timeout = '1s' }}\ntarget = {target}\n"
        ),
    );
    project
}

/// What a job does whose machine has no memory.
fn job(project: &Project, arguments: &[&str]) -> Run {
    let _ = std::fs::remove_dir_all(project.beside("temp").join("lockgate"));
    let mut all = vec!["deploy"];
    all.extend(arguments);
    project.run(&all)
}

fn release(project: &Project, version: &str) -> Run {
    project.write("dist/a.txt", version);
    job(project, &[&format!("--release-version={version}")])
}

/// The version that stands.
fn standing(project: &Project) -> String {
    let pointer = project.path().join("store/env/e/current.json");
    match std::fs::read_to_string(pointer) {
        Ok(text) => {
            let pointer: Value = serde_json::from_str(&text).unwrap();
            pointer["version"].as_str().unwrap().to_owned()
        }
        Err(_) => std::fs::read_to_string(project.path().join("site/current/a.txt")).unwrap(),
    }
}

#[test]
fn the_target_knows_what_stands_and_what_stood_before() {
    for target in [LOCAL, STORE] {
        let project = project(target);
        release(&project, "0.1.0").expect_code(0);
        release(&project, "0.2.0").expect_code(0);
        job(&project, &["status"])
            .expect_code(0)
            .expect_text("`0.2.0` stands at `e`")
            .expect_text("the journal is that of this job alone");
        for operation in ["plan", "run"] {
            job(&project, &[operation, "--release-version=0.0.1"])
                .expect_code(1)
                .expect_text("0.0.1 is older than 0.2.0, which stands there");
        }
        // What went back did not stand.
        release(&project, "0.3.0").expect_code(1);
        assert_eq!(standing(&project), "0.2.0");
        job(&project, &["rollback"]).expect_code(0);
        assert_eq!(standing(&project), "0.1.0");
        job(&project, &["rollback"])
            .expect_code(1)
            .expect_text("nothing is on record that stood well before")
            .expect_text("name with `journal` a folder that stays");
        release(&project, "0.2.0").expect_code(0);
        release(&project, "0.4.0").expect_code(0);
        job(&project, &["rollback", "--to=0.1.0"]).expect_code(0);
        assert_eq!(standing(&project), "0.1.0");
        job(&project, &["rollback", "--to=0.9.0"])
            .expect_code(1)
            .expect_text("nothing that stood well is called `0.9.0`");
    }
}

#[test]
fn three_rollbacks_a_day_are_three_whoever_made_them() {
    for target in [LOCAL, STORE] {
        let project = project(target);
        release(&project, "0.1.0").expect_code(0);
        release(&project, "0.2.0").expect_code(0);
        for round in 1..=3 {
            release(&project, &format!("0.3.{round}")).expect_code(1);
            assert_eq!(standing(&project), "0.2.0", "{round}");
        }
        release(&project, "0.3.4")
            .expect_code(1)
            .expect_text("3 times in 24 hours");
        assert_eq!(standing(&project), "0.3.4");
        // Somebody looks, and goes back to what stood well.
        job(&project, &["rollback"]).expect_code(0);
        assert_eq!(standing(&project), "0.2.0");
    }
}

/// The same command with the environment of a job that has no memory.
fn job_with(project: &Project, github: &GitHub, run: u64, arguments: &[&str]) -> Run {
    let _ = std::fs::remove_dir_all(project.beside("temp").join("lockgate"));
    let (operation, more) = arguments.split_first().unwrap();
    let mut command: Command = command(project, github, run, operation);
    command
        .args(more)
        .envs([("WHO", USER), ("PASSWORD_OF_WHO", PASSWORD)]);
    let output = command.output().unwrap();
    Run {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

#[test]
fn github_knows_the_version_where_the_target_does_not() {
    let (project, github) = (Project::empty(), GitHub::watched());
    project.write("dist/a.txt", "one");
    project.write(
        "pyproject.toml",
        "[tool.lockgate.deploy.environments.prod]\nartifacts = ['dist/*']\ngates = { artifact = false, lockfile = false }\ntarget = { shell = { run = 'true' } }\n",
    );
    let run = |number, version: &str| {
        let version = format!("--release-version={version}");
        job_with(&project, &github, number, &["run", &version])
    };
    run(1, "1.0").expect_code(0);
    run(2, "0.9")
        .expect_code(1)
        .expect_text("0.9 is older than 1.0, which stands there");
    run(3, "1.1").expect_code(0);
    run(4, "1.0")
        .expect_code(1)
        .expect_text("1.0 is older than 1.1");
}

#[test]
fn github_knows_which_image_stood_before() {
    let Some(registry) = RegistryServer::start(true) else {
        return;
    };
    let (project, github) = (Project::empty(), GitHub::watched());
    let url = registry.url();
    let [one, two] = ["one", "two"].map(|content| push(&url, OCI, content));
    project.write(
        "pyproject.toml",
        format!(
            "[tool.lockgate.deploy.environments.prod]\ngates = {{ lockfile = false }}\ntarget = {{ oci = {{ image = '{url}/acme/app', user = 'WHO', password = 'PASSWORD_OF_WHO' }} }}\n"
        ),
    );
    for (run, image) in [(1, &one), (2, &two)] {
        job_with(&project, &github, run, &["run", "--digest", image]).expect_code(0);
    }
    let back = job_with(&project, &github, 3, &["rollback"]);
    back.expect_code(0);
    assert!(back.text().contains(&one), "{}", back.text());
    job_with(&project, &github, 4, &["status"])
        .expect_code(0)
        .expect_text(&format!(
            "\"digest\": \"{}\"",
            one.trim_start_matches("sha256:")
        ));
    // What stood after it did not stand before.
    job_with(&project, &github, 5, &["rollback"])
        .expect_code(1)
        .expect_text("nothing is on record that stood well before");
}
