//! `cache prune` on caches that the real tools have filled, and what the tools do afterwards.

use std::path::Path;
use std::process::Command;

use crate::lockfile_index::{Served, files};
use crate::support::cache_runs::told;
use crate::support::lock_tools::lock_tool;
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
fn where_no_lock_says_what_is_needed_nothing_is_removed() {
    let folder = tempfile::tempdir().expect("a folder");
    let cache = folder.path().join("uv");
    let bin = tool("uv").parent().expect("a folder").to_owned();
    let path = std::env::var("PATH").expect("a PATH");
    let project = project(&cache).with("PATH", &format!("{}:{path}", bin.display()));
    let save = [
        "cache",
        "save",
        "--files=pyproject.toml",
        "--max-size=2GB",
        "--output-format=json",
    ];
    let of_key = ["--key=k", "--paths", &cache.display().to_string()].map(str::to_owned);
    let of_key: Vec<&str> = of_key.iter().map(String::as_str).collect();
    for (store, more) in [("../one", &["--tools=uv"][..]), ("../two", &of_key)] {
        let run = project.run(&[&save[..], &["--store", store], more].concat());
        run.expect_code(0);
        assert_eq!(
            told(&run),
            ("saved".into(), "prune".into()),
            "{}",
            run.text()
        );
        run.expect_text("no lock says what of the caches is needed");
        assert!(holds(&cache, "six-1.16.0") && holds(&cache, "six-1.17.0"));
    }
    project
        .run(&["cache", "prune", "--tools=uv", "--files=pyproject.toml"])
        .expect_code(2)
        .expect_text("no lock says what of the caches is needed");
    project.write("uv.lock", "version = [\n");
    project
        .run(&["cache", "prune", "--semantic=false"])
        .expect_code(2)
        .expect_text("`uv.lock` cannot be read as a lockfile");
    assert!(holds(&cache, "six-1.16.0") && holds(&cache, "six-1.17.0"));
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

/// A source distribution that needs nothing to be built, as no index has it.
fn sdist(folder: &Path, version: &str) {
    const BACKEND: &str = r#"
import zipfile

def build_wheel(directory, config_settings=None, metadata_directory=None):
    name = f"tiny-{VERSION}-py3-none-any.whl"
    info = f"tiny-{VERSION}.dist-info"
    with zipfile.ZipFile(f"{directory}/{name}", "w") as wheel:
        wheel.writestr("tiny.py", f"VERSION = {VERSION!r}\n")
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: tiny\nVersion: {VERSION}\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", f"tiny.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
    return name
"#;
    let file =
        std::fs::File::create(folder.join(format!("tiny-{version}.tar.gz"))).expect("a file");
    let mut archive = tar::Builder::new(flate2::write::GzEncoder::new(
        file,
        flate2::Compression::fast(),
    ));
    let project =
        "[build-system]\nrequires = []\nbuild-backend = \"backend\"\nbackend-path = [\".\"]\n";
    let metadata = format!("Metadata-Version: 2.1\nName: tiny\nVersion: {version}\n");
    let backend = format!("VERSION = \"{version}\"\n{BACKEND}");
    for (name, content) in [
        ("pyproject.toml", project),
        ("backend.py", &backend),
        ("PKG-INFO", &metadata),
    ] {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        let path = format!("tiny-{version}/{name}");
        archive
            .append_data(&mut header, path, content.as_bytes())
            .expect("an entry");
    }
    archive
        .into_inner()
        .and_then(flate2::write::GzEncoder::finish)
        .expect("an archive");
}

/// The wheels of six in two releases and the source of a tiny one, as an index that lets clients keep them.
fn index(folder: &Path) -> Served {
    for entry in std::fs::read_dir(files()).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|end| end == "whl") {
            std::fs::copy(&path, folder.join(path.file_name().expect("a name"))).expect("a copy");
        }
    }
    sdist(folder, "1.0");
    sdist(folder, "2.0");
    Served::pypiserver(folder, &["--cache-control", "86400"])
}

#[test]
fn of_the_cache_of_pip_stays_what_was_built_and_fits_and_pip_installs_from_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let cache = folder.path().join("pip");
    std::fs::create_dir(folder.path().join("files")).expect("a folder");
    let served = index(&folder.path().join("files"));
    let host = served.index().replace("http://", "").replace("/simple", "");
    let install = |pins: &[&str]| {
        let output = Command::new(lock_tool("pip").join("bin/pip"))
            .args(["install", "--no-deps", "--upgrade", "--target"])
            .arg(folder.path().join("target"))
            .args(["--index-url", &served.index(), "--trusted-host", &host])
            .args(pins)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").expect("a PATH"))
            .env("HOME", folder.path())
            .env("PIP_DISABLE_PIP_VERSION_CHECK", "1")
            .env("PIP_CACHE_DIR", &cache)
            .output()
            .expect("pip");
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(output.status.success(), "{text}");
        text
    };
    install(&["six==1.16.0", "tiny==1.0"]);
    install(&["six==1.17.0", "tiny==2.0"]);
    assert!(holds(&cache, "tiny-1.0-") && holds(&cache, "tiny-2.0-"));
    assert_eq!(downloads(&cache), 4);
    let project = Project::empty().with("PIP_CACHE_DIR", &cache.display().to_string());
    project.write("requirements.txt", "six==1.17.0\ntiny==2.0\n");
    project
        .run(&["cache", "prune", "--tools=pip", "--dry-run"])
        .expect_code(0);
    assert!(holds(&cache, "tiny-1.0-"));
    let prune = ["cache", "prune", "--extra=pip=1"];
    project.run(&prune).expect_code(0).expect_text("in no lock");
    assert!(!holds(&cache, "tiny-1.0-") && holds(&cache, "tiny-2.0-"));
    assert_eq!(
        downloads(&cache),
        4,
        "nothing says of which package a download is"
    );
    let text = install(&["six==1.17.0", "tiny==2.0"]);
    assert!(
        text.contains("Using cached six-1.17.0") && text.contains("Using cached tiny-2.0"),
        "{text}"
    );
    // What was built is worth more than what can be downloaded again.
    project
        .run(&[&prune[..], &["--max-size", "2kB"]].concat())
        .expect_code(0);
    assert!(holds(&cache, "tiny-2.0-"));
    assert!(downloads(&cache) < 4);
    let text = install(&["six==1.17.0", "tiny==2.0"]);
    assert!(
        text.contains("Downloading six") && text.contains("Using cached tiny-2.0"),
        "{text}"
    );
}

/// Answers that pip keeps, by their contents.
fn downloads(cache: &Path) -> usize {
    let mut count = 0;
    let mut waiting = vec![cache.join("http-v2")];
    while let Some(folder) = waiting.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            count += usize::from(path.extension().is_some_and(|end| end == "body"));
            if path.is_dir() {
                waiting.push(path);
            }
        }
    }
    count
}

#[test]
fn of_the_cache_of_poetry_stays_what_the_lock_needs_and_poetry_installs_from_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let cache = folder.path().join("poetry");
    std::fs::create_dir(folder.path().join("files")).expect("a folder");
    let served = index(&folder.path().join("files"));
    let project = Project::empty().with("POETRY_CACHE_DIR", &cache.display().to_string());
    let poetry = |arguments: &[&str]| {
        let bin = lock_tool("poetry-2").join("bin");
        let path = std::env::var("PATH").expect("a PATH");
        let output = Command::new(bin.join("poetry"))
            .args(arguments)
            .arg("--no-interaction")
            .current_dir(project.path())
            .env_clear()
            .env("PATH", format!("{}:{path}", bin.display()))
            .env("HOME", project.beside("home"))
            .env("LANG", "C.UTF-8")
            .env("POETRY_CACHE_DIR", &cache)
            .env("POETRY_VIRTUALENVS_IN_PROJECT", "true")
            .output()
            .expect("poetry");
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(output.status.success(), "{arguments:?}: {text}");
    };
    project.write(
        "pyproject.toml",
        format!(
            "[project]\nname = \"app\"\nversion = \"1\"\nrequires-python = \">=3.11,<4\"\n\n[tool.poetry]\npackage-mode = false\n\n[[tool.poetry.source]]\nname = \"own\"\nurl = \"{}/\"\npriority = \"primary\"\n",
            served.index()
        ),
    );
    poetry(&["add", "six==1.16.0"]);
    poetry(&["add", "six==1.17.0"]);
    assert!(holds(&cache, "six-1.16.0") && holds(&cache, "six-1.17.0"));
    let prune = ["cache", "prune", "--python-version=3.12"];
    project
        .run(&[&prune[..], &["--dry-run"]].concat())
        .expect_code(0)
        .expect_text("would remove");
    assert!(holds(&cache, "six-1.16.0"));
    project.run(&prune).expect_code(0).expect_text("in no lock");
    assert!(!holds(&cache, "six-1.16.0") && holds(&cache, "six-1.17.0"));
    std::fs::remove_dir_all(project.path().join(".venv")).expect("removed");
    poetry(&["install"]);
    project
        .run(&[&prune[..], &["--max-size", "0"]].concat())
        .expect_code(0);
    assert!(!holds(&cache, "six-1.17.0"));
    std::fs::remove_dir_all(project.path().join(".venv")).expect("removed");
    poetry(&["install"]);
}
