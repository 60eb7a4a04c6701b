//! The lock of an environment in a bucket: who deploys from elsewhere sees it.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::lockgate::{BINARY, Project};
use crate::support::peers::{self, AZURE_ACCOUNT, AZURE_KEY};

/// One who deploys to this address, from a folder of his own, until he is let go.
fn deployer(address: &str, variables: &[(&str, &str)]) -> Project {
    let project = variables
        .iter()
        .fold(Project::empty(), |project, (name, value)| {
            project.with(name, value)
        });
    project.write(
        "pyproject.toml",
        format!(
            "[tool.lockgate.deploy.environments.models]\nartifacts = ['dist/*']\ngates = {{ artifact = false, lockfile = false }}\nlock = {{ break = ['ada'] }}\ntarget = {{ object-store = {{ address = '{address}' }} }}\nhealth = {{ command = ['sh', '-c', 'touch started; test -e go'], successes = 1, interval = '50ms', timeout = '2m' }}\n"
        ),
    );
    project.write("dist/model.bin", address);
    project
}

/// Who deploys `content` to a folder that others deploy to as well, and asks for its health by this script.
fn neighbour(site: &str, content: &str, health: &str) -> Project {
    let project = Project::empty();
    project.write("health.sh", health);
    project.write(
        "pyproject.toml",
        format!(
            "[tool.lockgate.deploy.environments.e]\nartifacts = ['dist/*']\ngates = {{ artifact = false, lockfile = false }}\ntarget = {{ local = {{ directory = '{site}' }} }}\nhealth = {{ command = ['sh', 'health.sh'], successes = 1, interval = '50ms', try-timeout = '10s', timeout = '10s' }}\n"
        ),
    );
    project.write("dist/a.txt", content);
    project
}

#[test]
fn who_has_lost_the_environment_leaves_what_the_other_deployed() {
    for is_well in [true, false] {
        let place = tempfile::TempDir::new().unwrap();
        let site = place.path().join("site");
        let shown = site.display().to_string();
        let before = neighbour(&shown, "before", "true");
        before.run(&["deploy"]).expect_code(0);
        let winner = neighbour(&shown, "winner", "true");
        // While it asks for its health, somebody takes the environment, deploys, and ends.
        let script = format!(
            "test -e taken || (cd '{}' && '{BINARY}' deploy --break-lock >&2) && touch taken\nexit {}\n",
            winner.path().display(),
            u8::from(!is_well)
        );
        let loser = neighbour(&shown, "loser", &script);
        let run = loser.run(&["deploy"]);
        run.expect_code(1)
            .expect_text("somebody else has taken the environment in the meantime")
            .expect_text("so nothing is put back");
        assert!(loser.path().join("taken").exists());
        let standing = std::fs::read_to_string(site.join("current/a.txt")).unwrap();
        assert_eq!(standing, "winner");
    }
}

fn start(project: &Project) -> Child {
    let mut command = project.command(&["deploy"]);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let started = Instant::now();
    while !project.path().join("started").exists() {
        assert!(child.try_wait().unwrap().is_none(), "it has ended");
        assert!(started.elapsed() < Duration::from_mins(1), "not started");
        std::thread::sleep(Duration::from_millis(20));
    }
    child
}

fn one_at_a_time(address: &str, variables: &[(&str, &str)]) {
    let first = deployer(address, variables);
    let second = deployer(address, variables);
    second.write("go", "");
    let mut running = start(&first);
    second
        .run(&["deploy"])
        .expect_code(1)
        .expect_text("somebody else deploys to the environment");
    for look in ["plan", "status"] {
        let seen = second.run(&["deploy", look]);
        seen.expect_code(0)
            .expect_text("the environment is locked: process ");
    }
    first.write("go", "");
    assert!(running.wait().unwrap().success());
    second.run(&["deploy"]).expect_code(0);

    // Who may take it away: anybody on a laptop, and in a workflow who is named.
    for name in ["go", "started"] {
        std::fs::remove_file(first.path().join(name)).unwrap();
    }
    let mut running = start(&first);
    second
        .run(&["deploy", "--break-lock"])
        .expect_code(0)
        .expect_text("the environment was taken from");
    first.write("go", "");
    running.wait().unwrap();
    for name in ["go", "started"] {
        std::fs::remove_file(first.path().join(name)).unwrap();
    }
    let mut running = start(&first);
    let second = second
        .in_workflow("push", &json!({}))
        .with("GITHUB_ACTOR", "eve");
    second
        .run(&["deploy", "--break-lock"])
        .expect_code(1)
        .expect_text("`eve` may not take the environment");
    let second = second.with("GITHUB_ACTOR", "ada");
    second.run(&["deploy", "--break-lock"]).expect_code(0);
    // One whose process has gone has nothing any more.
    running.kill().unwrap();
    running.wait().unwrap();
    let mut running = start(&first);
    running.kill().unwrap();
    running.wait().unwrap();
    second.run(&["deploy"]).expect_code(0);
}

#[test]
fn in_s3_one_deploys_at_a_time() {
    peers::make_bucket("locks");
    let variables = [
        ("AWS_ACCESS_KEY_ID", "not-real-id"),
        ("AWS_SECRET_ACCESS_KEY", "not-real-secret"),
        ("AWS_ENDPOINT_URL", peers::moto()),
    ];
    one_at_a_time("s3://locks/a", &variables);
}

#[test]
fn in_azure_one_deploys_at_a_time() {
    peers::make_container("locks");
    let endpoint = format!("{}/{AZURE_ACCOUNT}", peers::azurite());
    let variables = [
        ("AZURE_STORAGE_ACCOUNT", AZURE_ACCOUNT),
        ("AZURE_STORAGE_KEY", AZURE_KEY),
        ("AZURE_STORAGE_ENDPOINT", &endpoint),
    ];
    one_at_a_time("az://locks/a", &variables);
}
