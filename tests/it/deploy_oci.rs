//! `deploy` to a container registry as people run it: a real one, and images that are named by their digests alone.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lockgate::targets::oci::{PASSWORD_VARIABLE, USER_VARIABLE};
use serde_json::Value;

use crate::support::lockgate::{Project, Run};
use crate::support::peers::ask_as;
use crate::support::registry::{PASSWORD, RegistryServer, USER};
use crate::targets_oci::{OCI, push};

fn define(project: &Project, url: &str, lines: &str) {
    project.write(
        "pyproject.toml",
        format!(
            "[tool.lockgate.deploy.environments.production]\ntarget = {{ oci = {{ image = '{url}/acme/app', tags = ['production', 'latest'], user = 'WHO', password = 'PASSWORD_OF_WHO' }} }}\nhealth = {{ command = ['test', '!', '-e', 'broken'], successes = 1, interval = '10ms', timeout = '1s' }}\n{lines}\n"
        ),
    );
}

fn project() -> Project {
    Project::empty()
        .with("WHO", USER)
        .with("PASSWORD_OF_WHO", PASSWORD)
        .with(USER_VARIABLE, USER)
        .with(PASSWORD_VARIABLE, PASSWORD)
}

fn deploy(project: &Project, arguments: &[&str]) -> (Run, Value) {
    let mut all = vec!["deploy"];
    all.extend(arguments);
    all.push("--output-format=json");
    let run = project.run(&all);
    let report = run.json();
    (run, report)
}

fn output<'r>(report: &'r Value, name: &str) -> &'r str {
    report["outputs"][name].as_str().unwrap_or_default()
}

/// What a tag of the registry is set to.
fn tagged(url: &str, tag: &str) -> Option<String> {
    let who = format!("Basic {}", STANDARD.encode(format!("{USER}:{PASSWORD}")));
    let headers = [("Authorization", who.as_str()), ("Accept", OCI)];
    let (status, text) = ask_as(
        "GET",
        &format!("{url}/v2/acme/app/manifests/{tag}"),
        &headers,
        b"",
    );
    let digest = text
        .split("\r\n")
        .find_map(|line| line.strip_prefix("Docker-Content-Digest: "));
    (status == 200).then(|| digest.expect("a digest").to_owned())
}

#[test]
fn tags_are_set_to_an_image_that_is_named_by_its_digest_and_go_back() {
    let Some(registry) = RegistryServer::start(true) else {
        return;
    };
    let url = registry.url();
    let [one, two] = ["one", "two"].map(|content| push(&url, OCI, content));
    let project = project();
    let both = |digest: Option<&str>| {
        for tag in ["production", "latest"] {
            assert_eq!(tagged(&url, tag).as_deref(), digest, "{tag}");
        }
    };
    define(&project, &url, "gates = { lockfile = false }");
    project
        .run(&["deploy"])
        .expect_code(2)
        .expect_text("nothing says which image is deployed");
    for tag in ["production", "acme/app:1.2"] {
        project
            .run(&["deploy", "--digest", tag])
            .expect_code(2)
            .expect_text("is not named by its digest");
    }
    let (run, report) = deploy(&project, &["plan", "--digest", &one]);
    run.expect_code(0);
    assert_eq!(report["tables"][0]["rows"][0][1], "tag production");
    both(None);

    let (run, report) = deploy(&project, &["--digest", &one]);
    run.expect_code(0);
    assert_eq!(format!("sha256:{}", output(&report, "digest")), one);
    assert!(!run.text().contains(PASSWORD), "{}", run.text());
    both(Some(&one));
    // What is not well goes back, with both tags.
    project.write("broken", "");
    let (run, report) = deploy(&project, &["--digest", &two]);
    run.expect_code(3);
    assert_eq!(output(&report, "state"), "rollback-failed");
    both(Some(&one));
    std::fs::remove_file(project.path().join("broken")).unwrap();

    let named = format!("{}/acme/app@{two}", url.trim_start_matches("http://"));
    let (run, report) = deploy(&project, &["--digest", &named]);
    run.expect_code(0);
    assert_eq!(output(&report, "previous"), one);
    both(Some(&two));
    let (run, _) = deploy(&project, &["rollback"]);
    run.expect_code(0);
    both(Some(&one));
    let (run, report) = deploy(&project, &["status"]);
    run.expect_code(0);
    assert_eq!(format!("sha256:{}", output(&report, "digest")), one);
    // An image that the registry does not have.
    let gone = format!("sha256:{}", "e".repeat(64));
    project
        .run(&["deploy", "--digest", &gone])
        .expect_code(1)
        .expect_text("has no image");
    both(Some(&one));
}

#[test]
fn an_image_that_is_well_at_its_second_try_stands_after_the_first_went_back() {
    let Some(registry) = RegistryServer::start(true) else {
        return;
    };
    let url = registry.url();
    let [one, two] = ["one", "two"].map(|content| push(&url, OCI, content));
    let project = project();
    // Well as long as the tag is not the second image: asked of the registry itself.
    let who = STANDARD.encode(format!("{USER}:{PASSWORD}"));
    let health = format!(
        "import sys, urllib.request as u; r = u.Request('{url}/v2/acme/app/manifests/production', headers={{'Authorization': 'Basic {who}', 'Accept': '{OCI}'}}); sys.exit(u.urlopen(r).headers['Docker-Content-Digest'] == '{two}')"
    );
    project.write(
        "pyproject.toml",
        format!(
            "[tool.lockgate.deploy.environments.production]\ntarget = {{ oci = {{ image = '{url}/acme/app', user = 'WHO', password = 'PASSWORD_OF_WHO' }} }}\ngates = {{ lockfile = false }}\nhealth = {{ command = ['python3', '-c', \"{health}\"], successes = 1, interval = '10ms', timeout = '3s' }}\n"
        ),
    );
    deploy(&project, &["--digest", &one]).0.expect_code(0);
    let (run, report) = deploy(&project, &["--digest", &two]);
    run.expect_code(1);
    assert_eq!(output(&report, "state"), "rolled-back");
    assert_eq!(tagged(&url, "production"), Some(one));
}

#[test]
fn a_file_that_a_stage_made_names_the_image() {
    let Some(registry) = RegistryServer::start(true) else {
        return;
    };
    let url = registry.url();
    let [one, two] = ["one", "two"].map(|content| push(&url, OCI, content));
    let project = project();
    let metadata = |digest: &str| {
        project.write(
            "metadata.json",
            format!("{{\"containerimage.digest\": \"{digest}\"}}"),
        );
    };
    metadata(&one);
    let lines = "artifacts = ['metadata.json']\ngates = { lockfile = false }";
    define(&project, &url, lines);
    project
        .run(&["deploy"])
        .expect_code(1)
        .expect_text("not proven: nothing says that `metadata.json` was tested");
    project
        .run(&["deploy", "--digest", &two])
        .expect_code(1)
        .expect_text("and `metadata.json` names");
    assert_eq!(tagged(&url, "production"), None);
    // Whoever names the image vouches for it.
    deploy(&project, &["--digest", &one]).0.expect_code(0);
    assert_eq!(tagged(&url, "production"), Some(one));
    // A stage of the same run.
    metadata("latest");
    let stages = format!(
        "artifacts = ['${{{{ stages.build.outputs.image }}}}']\ngates = {{ lockfile = false }}\n[tool.lockgate.pipeline.stages.build]\nrun = \"echo '{two}' > built\"\noutputs = {{ image = 'built' }}\n[tool.lockgate.pipeline.stages.deploy]\nneeds = ['build']\nuses = 'deploy'\n"
    );
    define(&project, &url, &stages);
    // A pipeline passes on what is called as usual.
    let text = std::fs::read_to_string(project.path().join("pyproject.toml")).unwrap();
    let text = text.replace(", user = 'WHO', password = 'PASSWORD_OF_WHO'", "");
    project.write("pyproject.toml", text);
    let cache = project.beside("cache").display().to_string();
    let project = project.with("LOCKGATE_CACHE_DIR", &cache);
    project.run(&["pipeline"]).expect_code(0);
    assert_eq!(tagged(&url, "production"), Some(two));
}

#[test]
fn what_no_deployment_should_take_is_told_before_anybody_is_asked() {
    let project = project();
    let own = format!("sha256:{}", "a".repeat(64));
    let url = "https://registry.example";
    define(
        &project,
        url,
        &format!("[tool.lockgate.deploy]\ndigest = '{own}'"),
    );
    project
        .run(&["deploy"])
        .expect_code(2)
        .expect_text("`digest` is given for each deployment");
    for (image, fault) in [
        ("registry.example/acme/app:1", "has a tag"),
        ("acme/app", "names no registry"),
        ("registry.example", "names no registry"),
        ("ftp://registry.example/acme/app", "is no image"),
    ] {
        define(&project, url, "");
        let text = std::fs::read_to_string(project.path().join("pyproject.toml")).unwrap();
        let text = text.replace("https://registry.example/acme/app", image);
        project.write("pyproject.toml", text);
        project
            .run(&["deploy", "--digest", &own])
            .expect_code(2)
            .expect_text(fault);
    }
    project.write(
        "pyproject.toml",
        "[tool.lockgate.deploy.environments.site]\ntarget = { local = { directory = 'site' } }\nartifacts = ['a']\n",
    );
    project
        .run(&["deploy", "--digest", &own])
        .expect_code(2)
        .expect_text("`digest` is for the target `oci`");
}
