//! What is written for pip, by format; and what is refused.

use super::*;
use crate::lockfiles::{Format, read};
use crate::model::sources::Sources;

const HASH: &str = "4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274";

fn asked(groups: &[&str], extras: &[&str]) -> Asked {
    let all = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Asked {
        groups: all(groups),
        extras: all(extras),
    }
}

/// The list without its hashes, or why there is none.
fn list(format: Format, text: &str, asked: &Asked) -> Result<Vec<String>, String> {
    let mut sources = Sources::default();
    let file = sources
        .add("lock", text.replace("HASH", HASH).into_bytes())
        .unwrap();
    let reading = read(format, file, &sources);
    let lock = reading.lockfile.expect("a lock");
    let list = requirements(&lock, asked).map_err(|refusal| refusal.what)?;
    let hash = format!(" \\\n    --hash=sha256:{HASH}");
    let lines: Vec<String> = list
        .text
        .replace(&hash, "")
        .lines()
        .map(str::to_owned)
        .collect();
    let is_pin = |line: &&String| !line.starts_with("--");
    assert_eq!(lines.iter().filter(is_pin).count(), list.count);
    let is_bare = |line: &&String| {
        let head = line.split(" ; ").next().unwrap_or_default();
        is_pin(line) && !head.contains("==") && !head.contains(" @ ")
    };
    let bare = lines.iter().filter(is_bare).count();
    assert!(list.text.matches("--hash=").count() + bare >= list.count);
    Ok(lines)
}

/// What brings a package in.
fn brings(format: Format, text: &str, package: &str) -> Asked {
    let mut sources = Sources::default();
    let file = sources.add("lock", text.as_bytes().to_vec()).unwrap();
    asked_for(&read(format, file, &sources).lockfile.unwrap(), &[package])
}

const UV: &str = r#"version = 1
revision = 3
requires-python = ">=3.11"
[[package]]
name = "app"
version = "0.1.0"
source = { editable = "." }
dependencies = [{ name = "click" }, { name = "lib" }]
[package.dev-dependencies]
dev = [{ name = "pytest", extra = ["fast"], marker = "sys_platform != 'win32'" }]
lint = [{ name = "ruff" }]
[package.optional-dependencies]
cpu = [{ name = "torch", version = "1.0", source = { registry = "https://cpu.example/simple" }, marker = "extra == 'extra-3-app-cpu'" }]
types = [{ name = "ruff" }]
[[package]]
name = "lib"
version = "0.1.0"
source = { directory = "lib" }
dependencies = [{ name = "colorama" }]
[[package]]
name = "click"
version = "8.1"
source = { registry = "https://pypi.example/simple" }
dependencies = [{ name = "colorama", marker = "sys_platform == 'win32'" }]
wheels = [{ url = "https://f.example/click-8.1-py3-none-any.whl", hash = "sha256:HASH" }]
[[package]]
name = "colorama"
version = "0.4"
source = { registry = "https://pypi.example/simple" }
wheels = [{ url = "https://f.example/colorama-0.4-py3-none-any.whl", hash = "sha256:HASH" }]
[[package]]
name = "pytest"
version = "8.0"
source = { registry = "https://pypi.example/simple" }
dependencies = [{ name = "six", marker = "python_full_version < '3.12'" }]
wheels = [{ url = "https://f.example/pytest-8.0-py3-none-any.whl", hash = "sha256:HASH" }]
[package.optional-dependencies]
fast = [{ name = "six", marker = "python_full_version >= '3.12'" }, { name = "pytest" }]
[[package]]
name = "six"
version = "1.17"
source = { registry = "https://pypi.example/simple" }
wheels = [{ url = "https://f.example/six-1.17-py3-none-any.whl", hash = "sha256:HASH" }]
[[package]]
name = "ruff"
version = "0.1"
source = { registry = "https://pypi.example/simple" }
wheels = [{ url = "https://f.example/ruff-0.1-py3-none-any.whl", hash = "sha256:HASH" }]
[[package]]
name = "torch"
version = "1.0"
source = { registry = "https://cpu.example/simple" }
wheels = [{ url = "https://f.example/torch-1.0-py3-none-any.whl", hash = "sha256:HASH" }]
"#;

#[test]
fn a_lock_of_uv_is_followed_from_its_projects() {
    let index = "--extra-index-url https://pypi.example/simple";
    assert_eq!(
        list(Format::Uv, UV, &asked(&[], &[])).unwrap(),
        [index, "click==8.1", "colorama==0.4"]
    );
    assert_eq!(
        list(Format::Uv, UV, &asked(&["dev"], &["cpu"])).unwrap(),
        [
            "--extra-index-url https://cpu.example/simple",
            index,
            "click==8.1",
            "colorama==0.4",
            "pytest==8.0 ; sys_platform != 'win32'",
            "six==1.17 ; sys_platform != 'win32'",
            "torch==1.0",
        ]
    );
    assert_eq!(brings(Format::Uv, UV, "Ruff"), asked(&["lint"], &[]));
    assert_eq!(brings(Format::Uv, UV, "torch"), asked(&[], &["cpu"]));
    assert_eq!(brings(Format::Uv, UV, "click"), Asked::default());
}

const POETRY: &str = r#"[[package]]
name = "click"
version = "8.1"
optional = false
python-versions = ">=3.7"
groups = ["main", "dev"]
markers = { main = "sys_platform == 'win32'" }
files = [{ file = "click-8.1-py3-none-any.whl", hash = "sha256:HASH" }]
[package.dependencies]
six = "*"
[[package]]
name = "six"
version = "1.17"
optional = true
python-versions = ">=3.7"
groups = ["main"]
markers = "extra == 'cli'"
files = [{ file = "six-1.17-py3-none-any.whl", hash = "sha256:HASH" }]
[extras]
cli = ["six (>=1)"]
[metadata]
lock-version = "2.1"
python-versions = ">=3.11"
content-hash = "00"
"#;

#[test]
fn locks_of_poetry_say_it_by_group() {
    let of = |groups: &[&str], extras: &[&str]| {
        list(Format::Poetry, POETRY, &asked(groups, extras)).unwrap()
    };
    assert_eq!(of(&[], &[]), ["click==8.1 ; sys_platform == 'win32'"]);
    assert_eq!(of(&["dev"], &["cli"]), ["click==8.1", "six==1.17"]);
    assert_eq!(brings(Format::Poetry, POETRY, "click"), Asked::default());
    let brought = brings(Format::Poetry, POETRY, "six");
    assert_eq!(brought, asked(&[], &["cli"]));
    let dev = POETRY.replace("\"main\", \"dev\"", "\"dev\"");
    assert_eq!(brings(Format::Poetry, &dev, "click"), asked(&["dev"], &[]));
    let old = POETRY.replace("\"2.1\"", "\"2.0\"");
    let refused = list(Format::Poetry, &old, &Asked::default()).unwrap_err();
    assert!(refused.contains("does not say what is installed where"));
}

#[test]
fn pdm_pipenv_pylock_and_requirements_say_it_each_in_its_way() {
    let pdm = r#"[metadata]
groups = ["default", "dev"]
strategy = ["inherit_metadata"]
lock_version = "4.5.0"
content_hash = "sha256:HASH"
[[package]]
name = "six"
version = "1.17"
groups = ["default"]
marker = "python_version < \"3.12\""
files = [{ file = "six-1.17-py3-none-any.whl", hash = "sha256:HASH" }]
[[package]]
name = "ruff"
version = "0.1"
extras = ["x"]
groups = ["dev"]
files = [{ file = "ruff-0.1-py3-none-any.whl", hash = "sha256:HASH" }]
[[package]]
name = "ruff"
version = "0.1"
groups = ["dev"]
files = [{ file = "ruff-0.1-py3-none-any.whl", hash = "sha256:HASH" }]
"#;
    let six = "six==1.17 ; python_version < '3.12'";
    assert_eq!(list(Format::Pdm, pdm, &Asked::default()).unwrap(), [six]);
    assert_eq!(
        list(Format::Pdm, pdm, &asked(&["dev"], &[])).unwrap(),
        ["ruff==0.1", six]
    );
    assert_eq!(brings(Format::Pdm, pdm, "ruff"), asked(&["dev"], &[]));
    assert!(
        list(
            Format::Pdm,
            &pdm.replace("inherit_metadata", "x"),
            &Asked::default()
        )
        .is_err()
    );

    let pipfile = r#"{"_meta": {"hash": {"sha256": "HASH"}, "pipfile-spec": 6, "requires": {},
        "sources": [{"name": "own", "url": "https://own.example/simple", "verify_ssl": true}]},
        "default": {"six": {"version": "==1.17", "hashes": ["sha256:HASH"], "index": "own", "markers": "os_name == 'posix'"}},
        "develop": {"pywin32": {"markers": "sys_platform == 'win32'", "version": "*"}, "ruff": {"version": "==0.1", "hashes": ["sha256:HASH"]}}}"#;
    assert_eq!(
        list(Format::Pipfile, pipfile, &asked(&["develop"], &[])).unwrap(),
        [
            "--extra-index-url https://own.example/simple",
            "pywin32 ; sys_platform == 'win32'",
            "ruff==0.1",
            "six==1.17 ; os_name == 'posix'"
        ]
    );
    assert_eq!(
        brings(Format::Pipfile, pipfile, "ruff"),
        asked(&["develop"], &[])
    );

    let pylock = r#"lock-version = "1.0"
created-by = "x"
extras = ["cli"]
dependency-groups = ["dev"]
[[packages]]
name = "six"
version = "1.17"
marker = "'cli' in extras"
wheels = [{ url = "https://f.example/six-1.17-py3-none-any.whl", hashes = { sha256 = "HASH" } }]
[[packages]]
name = "ruff"
marker = "'dev' in dependency_groups"
archive = { url = "https://f.example/ruff-0.1.tar.gz", hashes = { sha256 = "HASH" } }
"#;
    assert!(
        list(Format::Pylock, pylock, &Asked::default())
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        list(Format::Pylock, pylock, &asked(&["dev"], &["cli"])).unwrap(),
        ["ruff @ https://f.example/ruff-0.1.tar.gz", "six==1.17"]
    );
    assert_eq!(brings(Format::Pylock, pylock, "ruff"), asked(&["dev"], &[]));
    assert_eq!(brings(Format::Pylock, pylock, "six"), asked(&[], &["cli"]));

    let text = "six==1.17 ; os_name == 'nt' --hash=sha256:HASH\n";
    assert_eq!(
        list(Format::Requirements, text, &Asked::default()).unwrap(),
        ["six==1.17 ; os_name == 'nt'"]
    );
}

#[test]
fn what_has_no_hash_or_would_be_read_otherwise_is_refused() {
    let whole = r#"version = 1
revision = 3
requires-python = ">=3.11"
[[package]]
name = "app"
version = "0.1.0"
source = { virtual = "." }
dependencies = [{ name = "six" }]
[[package]]
name = "six"
version = "1.17"
source = { registry = "https://index.example/simple" }
wheels = [{ url = "https://f.example/six-1.17-py3-none-any.whl", hash = "sha256:HASH" }]
"#;
    assert!(list(Format::Uv, whole, &Asked::default()).is_ok());
    for (from, to, why) in [
        (
            ", hash = \"sha256:HASH\"",
            "",
            "`six` has no hash that pip takes",
        ),
        ("sha256:HASH", "md5:00", "`six` has no hash that pip takes"),
        (
            "registry = \"https://index.example/simple\"",
            "git = \"https://g.example/six#00\"",
            "comes from a repository",
        ),
        (
            "registry = \"https://index.example/simple\"",
            "path = \"six.whl\"",
            "is a file on the machine",
        ),
        (
            "registry = \"https://index.example/simple\"",
            "url = \"https://x.example/${TOKEN}/six.whl\"",
            "pip would read otherwise",
        ),
        (
            "\"1.17\"",
            "\"1.17 --index-url=https://x.example\"",
            "no version",
        ),
        (
            "{ name = \"six\" }",
            "{ name = \"six\", marker = \"os_name == 'x --hash=sha256:00'\" }",
            "marker",
        ),
    ] {
        assert!(whole.contains(from));
        let refused = list(Format::Uv, &whole.replace(from, to), &Asked::default()).unwrap_err();
        assert!(refused.contains(why), "{to}: {refused}");
    }
    // An index that would get the environment's secrets is left out.
    let secret = whole.replace(
        "https://index.example/simple",
        "https://${TOKEN}@index.example/simple",
    );
    assert_eq!(
        list(Format::Uv, &secret, &Asked::default()).unwrap(),
        ["six==1.17"]
    );
}

#[test]
fn pins_are_known_by_name_and_by_who_asks() {
    let of = |format, text: &str| {
        let mut sources = Sources::default();
        let file = sources
            .add("lock", text.replace("HASH", HASH).into_bytes())
            .unwrap();
        pins(&read(format, file, &sources).lockfile.unwrap())
    };
    let uv = of(Format::Uv, UV);
    assert_eq!(uv.versions_of("Ruff"), ["0.1"]);
    assert!(uv.declares("ruff") && uv.declares("colorama") && !uv.declares("six"));
    assert_eq!((uv.count, uv.has_hashes), (6, true));
    let poetry = of(Format::Poetry, POETRY);
    assert!(poetry.declares("click") && !poetry.declares("six") && !poetry.declares("other"));
    let text = "isort==9.0.2 \\\n    --hash=sha256:HASH\n    # via pylint\nmypy==2.4.1 \\\n    --hash=sha256:HASH\n    # via\n    #   -r dev.in\n    #   pylint\npylint==4.1.4 --hash=sha256:HASH\n    # via app\nruff==0.17.6 --hash=sha256:HASH\n";
    let requirements = of(Format::Requirements, text);
    for (package, declared) in [
        ("isort", false),
        ("mypy", true),
        ("pylint", true),
        ("ruff", true),
        ("black", false),
    ] {
        assert_eq!(requirements.declares(package), declared, "{package}");
    }
    assert_eq!(requirements.versions_of("mypy"), ["2.4.1"]);
    assert!(!of(Format::Requirements, "six==1.17\n").has_hashes);
}
