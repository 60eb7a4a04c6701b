//! The gate of the version: what packages say of themselves, and what the index has already.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tempfile::TempDir;

use crate::lockfile_index::Served;
use crate::support::deployed::{METADATA, sdist, wheel};
use crate::support::http_server::{HttpServer, Told};
use crate::support::lockgate::Project;

/// Metadata of this version.
fn metadata(version: &str) -> String {
    METADATA.replace("Version: 1.2.0", &format!("Version: {version}"))
}

fn names(version: &str) -> [String; 2] {
    [
        format!("acme_app-{version}-py3-none-any.whl"),
        format!("acme_app-{version}.tar.gz"),
    ]
}

/// A project of this version whose files have these metadata.
fn project(target: &str, version: &str, inside: [&str; 2]) -> Project {
    let project = Project::empty();
    define(&project, target, version, "");
    let dist = project.path().join("dist");
    std::fs::create_dir_all(&dist).unwrap();
    let [of_wheel, of_sdist] = names(version);
    wheel(&dist, &of_wheel, &metadata(inside[0]), b"x = 1\n");
    sdist(&dist, &of_sdist, &metadata(inside[1]));
    project
}

fn define(project: &Project, target: &str, version: &str, gates: &str) {
    project.write(
        "pyproject.toml",
        format!(
            "[project]\nname = 'acme-app'\nversion = '{version}'\n[tool.lockgate.deploy.environments.it]\nartifacts = ['dist/*']\ngates = {{ artifact = false, lockfile = false{gates} }}\ntarget = {target}\n"
        ),
    );
}

const LOCAL: &str = "{ local = { directory = 'site' } }";

#[test]
fn what_packages_say_of_themselves_is_what_their_names_say() {
    let same = project(LOCAL, "1.2.0", ["1.2.0", "1.2"]);
    let run = same.run(&["deploy"]);
    run.expect_code(0)
        .expect_text("the metadata in `acme_app-1.2.0-py3-none-any.whl`")
        .expect_text("the metadata in `acme_app-1.2.0.tar.gz`");
    for (inside, told) in [
        (["1.3.0", "1.2.0"], "acme_app-1.2.0-py3-none-any.whl"),
        (["1.2.0", "1.3.0"], "acme_app-1.2.0.tar.gz"),
    ] {
        let project = project(LOCAL, "1.2.0", inside);
        project
            .run(&["deploy"])
            .expect_code(1)
            .expect_text(&format!("`{told}` is no distribution file"))
            .expect_text("its metadata say version `1.3.0`");
        assert!(!project.path().join("site").exists());
        define(&project, LOCAL, "1.2.0", ", version = false");
        project.run(&["deploy"]).expect_code(0);
    }
    // What has the name of a package and is none; an archive may have any content.
    let [of_wheel, of_sdist] = names("1.2.0");
    same.write(&format!("dist/{of_sdist}"), "site");
    same.run(&["deploy"]).expect_code(0);
    same.write(&format!("dist/{of_wheel}"), "wheel");
    same.run(&["deploy"])
        .expect_code(1)
        .expect_text("it is no zip archive");
}

#[test]
fn nothing_older_goes_to_an_index_than_what_it_has() {
    let files = TempDir::new().unwrap();
    let arguments = ["-P", ".", "-a", ".", "--hash-algo", "sha256"];
    let served = Served::pypiserver(files.path(), &arguments);
    let target = format!(
        "{{ pypi = {{ upload = '{}', simple = '{}', anonymous = true }} }}",
        served.index().replace("/simple", "/"),
        served.index()
    );
    let of = |version: &str| project(&target, version, [version, version]);
    // Nobody knows the project yet.
    of("1.10.0").run(&["deploy"]).expect_code(0);
    let older = of("1.9.0");
    for operation in ["plan", "run"] {
        older
            .run(&["deploy", operation])
            .expect_code(1)
            .expect_text("1.9.0 is older than 1.10.0, which the index has");
    }
    of("1.10.0rc1")
        .run(&["deploy"])
        .expect_code(1)
        .expect_text("1.10.0rc1 is older than 1.10.0");
    // Again the same, and newer ones: a pre-release holds up pre-releases only.
    of("1.10.0").run(&["deploy"]).expect_code(0);
    let newer = of("2.0rc2").run(&["deploy"]);
    newer.expect_code(0).expect_text("the index has 1.10.0");
    of("1.10.1").run(&["deploy"]).expect_code(0);
    of("2.0rc1")
        .run(&["deploy"])
        .expect_code(1)
        .expect_text("2.0rc1 is older than 2.0rc2");
    define(&older, &target, "1.9.0", ", downgrade = true");
    older.run(&["deploy"]).expect_code(0);
    let uploaded = std::fs::read_dir(files.path()).unwrap().count();
    assert_eq!(uploaded, 8);
}

#[test]
fn no_file_of_another_project_goes_to_an_index() {
    let index = HttpServer::start(|_| Told::new(404, "nothing"));
    let target = |more: &str| {
        format!(
            "{{ pypi = {{ upload = '{0}/', simple = '{0}/simple', anonymous = true{more} }} }}",
            index.url()
        )
    };
    let project = project(&target(""), "1.2.0", ["1.2.0", "1.2.0"]);
    project.run(&["deploy", "plan"]).expect_code(0);
    let path = project.path().join("pyproject.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    project.write("pyproject.toml", text.replace("'acme-app'", "'notes'"));
    for operation in ["plan", "run"] {
        project
            .run(&["deploy", operation])
            .expect_code(1)
            .expect_text(
                "`acme_app-1.2.0-py3-none-any.whl` is of `acme-app`, and `pyproject.toml` names `notes`",
            )
            .expect_text("`acme_app-1.2.0.tar.gz` is of `acme-app`");
    }
    // Names are compared as indexes do, and the target may say itself which project is meant.
    define(&project, &target(", project = 'Acme.App'"), "1.2.0", "");
    project.run(&["deploy", "plan"]).expect_code(0);
    define(&project, &target(", project = 'notes'"), "1.2.0", "");
    project
        .run(&["deploy", "plan"])
        .expect_code(1)
        .expect_text("and `project` of the target names `notes`");
    // A folder takes anything.
    define(&project, LOCAL, "1.2.0", "");
    project.run(&["deploy", "plan"]).expect_code(0);
}

#[test]
fn an_index_that_does_not_answer_gives_no_verdict() {
    let index = HttpServer::start(|_| Told::new(503, "busy"));
    let target = format!(
        "{{ pypi = {{ upload = '{0}/', simple = '{0}/simple', anonymous = true }} }}",
        index.url()
    );
    let project = project(&target, "1.2.0", ["1.2.0", "1.2.0"]);
    project
        .run(&["deploy"])
        .expect_code(3)
        .expect_text("gave no answer");
}

#[test]
fn what_another_index_has_is_nothing_of_the_one_that_is_published_to() {
    // The other one knows a newer version, and is never asked.
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let public = HttpServer::start(move |_| {
        count.fetch_add(1, Ordering::SeqCst);
        let page = "<a href='/acme_app-9.0.tar.gz'>acme_app-9.0.tar.gz</a>";
        Told::new(200, page).with("Content-Type", "text/html")
    });
    let fallback = format!("{}/simple/", public.url());
    for credential in ["anonymous = true", "token = 'TOKEN_OF_INDEX'"] {
        let files = TempDir::new().unwrap();
        let arguments = ["-P", ".", "-a", ".", "--hash-algo", "sha256"];
        let arguments = [&arguments[..], &["--fallback-url", &fallback]].concat();
        let served = Served::pypiserver_with(files.path(), &arguments);
        let target = format!(
            "{{ pypi = {{ upload = '{}', simple = '{}', {credential} }} }}",
            served.index().replace("/simple", "/"),
            served.index()
        );
        let project = project(&target, "1.2.0", ["1.2.0", "1.2.0"]);
        let project = project.with("TOKEN_OF_INDEX", "pypi-not-real");
        project
            .run(&["deploy"])
            .expect_code(0)
            .expect_text("sends us to another one");
        assert_eq!(std::fs::read_dir(files.path()).unwrap().count(), 2);
        // Now it has it, and answers itself.
        project.run(&["deploy"]).expect_code(0);
    }
    assert_eq!(asked.load(Ordering::SeqCst), 0);
    // Where it has moved to is not known by that.
    let moved = format!("{}/simple/acme-app/", public.url());
    let index = HttpServer::start(move |_| Told::new(301, "").with("Location", moved.clone()));
    let target = format!(
        "{{ pypi = {{ upload = '{0}/', simple = '{0}/simple', anonymous = true }} }}",
        index.url()
    );
    project(&target, "1.2.0", ["1.2.0", "1.2.0"])
        .run(&["deploy"])
        .expect_code(3)
        .expect_text("has moved to another host");
}
