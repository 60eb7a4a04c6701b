//! `cache prune` on caches that the real tools have filled, and what the tools do afterwards.

use std::path::Path;
use std::process::Command;

use crate::support::lockgate::Project;
use crate::support::tools::{network, python, tool};

/// A project that has locked and installed one release of a package after the other, with a cache of its own.
fn project(cache: &Path) -> Project {
    let project = Project::empty().with("UV_CACHE_DIR", &cache.display().to_string());
    for version in ["1.16.0", "1.17.0"] {
        project.write(
            "pyproject.toml",
            format!(
                "[project]\nname = \"app\"\nversion = \"1\"\nrequires-python = \">=3.11\"\ndependencies = [\"six=={version}\"]\n"
            ),
        );
        assert!(uv(&project, cache, &["sync", "--quiet"]));
    }
    project
}

fn uv(project: &Project, cache: &Path, arguments: &[&str]) -> bool {
    Command::new(tool("uv"))
        .args(arguments)
        .arg("--python")
        .arg(python())
        .current_dir(project.path())
        .env_clear()
        .envs(network())
        .env("HOME", project.beside("home"))
        .env("UV_CACHE_DIR", cache)
        .status()
        .expect("uv")
        .success()
}

fn holds(cache: &Path, part: &str) -> bool {
    let mut waiting = vec![cache.to_owned()];
    while let Some(folder) = waiting.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.display().to_string().contains(part) {
                return true;
            }
            if path.is_dir() && !path.is_symlink() {
                waiting.push(path);
            }
        }
    }
    false
}

#[test]
fn what_the_lock_needs_stays_and_uv_installs_from_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let cache = folder.path().join("uv");
    let project = project(&cache);
    assert!(holds(&cache, "six-1.16.0") && holds(&cache, "six-1.17.0"));

    project
        .run(&["cache", "prune", "--dry-run"])
        .expect_code(0)
        .expect_text("would remove");
    assert!(holds(&cache, "six-1.16.0"));
    project
        .run(&["cache", "prune"])
        .expect_code(0)
        .expect_text("in no lock");
    assert!(!holds(&cache, "six-1.16.0"));
    assert!(holds(&cache, "six-1.17.0"));
    std::fs::remove_dir_all(project.path().join(".venv")).expect("removed");
    assert!(uv(
        &project,
        &cache,
        &["sync", "--quiet", "--frozen", "--offline"]
    ));

    project
        .run(&["cache", "prune", "--max-size", "0"])
        .expect_code(0);
    assert!(!holds(&cache, "six-1.17.0"));
    std::fs::remove_dir_all(project.path().join(".venv")).expect("removed");
    assert!(
        uv(&project, &cache, &["sync", "--quiet", "--frozen"]),
        "uv goes on with what is left"
    );
}

#[test]
fn a_cache_that_uv_works_in_is_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let cache = folder.path().join("uv");
    let project = project(&cache);
    let lock = std::fs::File::options()
        .write(true)
        .open(cache.join(".lock"))
        .expect("uv's lock");
    lock.lock_shared().expect("shared, as uv takes it");
    project
        .run(&["cache", "prune"])
        .expect_code(3)
        .expect_text("is in use by uv");
    assert!(holds(&cache, "six-1.16.0"));
}

/// pip keeps no answer of the registries that the tests may ask, so that its cache is made by hand, as pip 26 lays it out.
#[test]
fn the_cache_of_pip_is_cut_to_its_budget() {
    let folder = tempfile::tempdir().expect("a folder");
    let cache = folder.path().join("pip");
    let project = Project::empty().with("PIP_CACHE_DIR", &cache.display().to_string());
    project.write("requirements.txt", "six==1.17.0\n");
    for (file, bytes) in [
        ("http-v2/a/b/c/d/e/abcde1", 100),
        ("http-v2/a/b/c/d/e/abcde1.body", 9_000),
        ("http-v2/f/a/c/e/d/faced2.body", 50),
        ("wheels/1a/2b/3c/4d5e/six-1.17.0-py2.py3-none-any.whl", 700),
        ("wheels/1a/2b/3c/4d5f/six-1.16.0-py2.py3-none-any.whl", 600),
    ] {
        let path = cache.join(file);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, vec![0; bytes]).expect("a file");
    }
    project.run(&["cache", "prune"]).expect_code(0);
    assert!(!holds(&cache, "six-1.16.0") && holds(&cache, "abcde1.body"));
    project
        .run(&["cache", "prune", "--max-size", "1kB"])
        .expect_code(0);
    assert!(
        !holds(&cache, "abcde1") && holds(&cache, "faced2.body") && holds(&cache, "six-1.17.0")
    );
}
