//! Locks that Poetry and PDM make here: untouched ones are quiet, and what was done to the others is found on its line,
//! whatever the tools themselves say of it.
//!
//! With `LOCKGATE_CAMPAIGN=1` the tools' own checks are asked of the edited locks too.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::support::lock_tools::{index, lock_tool};
use crate::support::lockgate::Project;

/// Runs a tool in a folder, apart from the user's own configuration.
pub(crate) fn run(name: &str, program: &str, arguments: &[&str], folder: &Path) -> Output {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("lock-tools-cache");
    Command::new(lock_tool(name).join("bin").join(program))
        .args(arguments)
        .current_dir(folder)
        .env("POETRY_CACHE_DIR", cache.join(name))
        .env("POETRY_VIRTUALENVS_CREATE", "false")
        .env("POETRY_NO_INTERACTION", "1")
        .env("PDM_CACHE_DIR", cache.join(name))
        .env("PDM_CHECK_UPDATE", "0")
        .env("PDM_USE_VENV", "0")
        .env("PDM_IGNORE_SAVED_PYTHON", "1")
        .env("NO_COLOR", "1")
        .output()
        .unwrap()
}

pub(crate) fn make(name: &str, program: &str, project: &Project) {
    let output = run(name, program, &["lock"], &project.path());
    assert!(
        output.status.success(),
        "{name}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

pub(crate) fn read(project: &Project, path: &str) -> String {
    std::fs::read_to_string(project.path().join(path)).unwrap()
}

/// What is found: rule, path and the text of the line.
pub(crate) fn findings(project: &Project) -> Vec<(String, String, String)> {
    let run = project.run(&["lockfile-verify", "--output-format=json"]);
    let report = run.json();
    let all = report["findings"].as_array().unwrap();
    all.iter()
        .map(|finding| {
            let path = finding["path"].as_str().unwrap();
            let line = finding["line"].as_u64().unwrap();
            let text = String::from_utf8_lossy(&std::fs::read(project.path().join(path)).unwrap())
                .lines()
                .nth(usize::try_from(line).unwrap() - 1)
                .unwrap_or_default()
                .to_owned();
            let rule = finding["rule"].as_str().unwrap();
            (rule.to_owned(), path.to_owned(), text)
        })
        .collect()
}

/// What must be found.
#[derive(Clone, Copy)]
enum Found {
    /// Nothing.
    Nothing,
    /// This rule, on a line that begins so.
    Alone(&'static str, &'static str),
    /// The same, and only where there is a base to compare with.
    WithBase(&'static str, &'static str),
}

use Found::{Alone, Nothing, WithBase};

/// A mutation: what it is, the file, how it is made, what must be found, and what the tool's own check exits with where it
/// is asked.
struct Mutation {
    what: &'static str,
    file: &'static str,
    make: fn(&str) -> String,
    found: Found,
    tool: Option<i32>,
}

const fn mutation(
    what: &'static str,
    file: &'static str,
    make: fn(&str) -> String,
    found: Found,
    tool: Option<i32>,
) -> Mutation {
    Mutation {
        what,
        file,
        make,
        found,
        tool,
    }
}

/// Makes each mutation in turn, and takes it back. `lock` is the name of the lock.
fn check(project: &Project, lock: &str, mutations: &[Mutation], check: impl Fn() -> Option<i32>) {
    assert_eq!(findings(project), [], "an untouched lock");
    assert_eq!(check(), Some(0), "the tool's own word on it");
    let is_campaign = std::env::var_os("LOCKGATE_CAMPAIGN").is_some();
    let based = Project::empty();
    based.git(&["init", "--quiet", "--initial-branch=main"]);
    for file in ["pyproject.toml", lock] {
        based.write(file, read(project, file));
    }
    based.commit("the base");
    for mutation in mutations {
        let before = read(project, mutation.file);
        let after = (mutation.make)(&before);
        assert_ne!(before, after, "{}", mutation.what);
        project.write(mutation.file, &after);
        let found = findings(project);
        let has = |found: &[(String, String, String)], rule: &str, line: &str| {
            let mut found = found.iter();
            found.any(|(own, _, text)| own == rule && text.starts_with(line))
        };
        match mutation.found {
            Nothing => assert_eq!(found, [], "{}", mutation.what),
            Alone(rule, line) => assert!(has(&found, rule, line), "{}: {found:?}", mutation.what),
            WithBase(rule, line) => {
                assert!(!has(&found, rule, line), "{}: {found:?}", mutation.what);
                based.write(mutation.file, &after);
                let found = findings(&based);
                assert!(has(&found, rule, line), "{}: {found:?}", mutation.what);
                based.write(mutation.file, &before);
            }
        }
        if mutation.tool.is_some() && (is_campaign || mutation.file == "pyproject.toml") {
            assert_eq!(check(), mutation.tool, "{}: the tool", mutation.what);
        }
        project.write(mutation.file, before);
    }
    // Without the lock there is nothing to look at.
    std::fs::remove_file(project.path().join(lock)).unwrap();
    project.run(&["lockfile-verify"]).expect_code(3);
}

/// The entry of a package, from its `[[package]]` to the next one or the end of the list.
fn entry<'t>(lock: &'t str, name: &str) -> &'t str {
    let start = lock
        .find(&format!("[[package]]\nname = \"{name}\""))
        .unwrap();
    let rest = &lock[start..];
    let end = ["\n[[package]]", "\n[extras]", "\n[metadata]"]
        .iter()
        .filter_map(|next| rest.find(next))
        .min();
    &rest[..end.unwrap_or(rest.len())]
}

/// The lock with one thing in the entry of `six` replaced, once.
fn in_six(lock: &str, from: &str, to: &str) -> String {
    let six = entry(lock, "six");
    lock.replace(six, &six.replacen(from, to, 1))
}

/// The first hash of `six`, its digits changed.
fn other_digits(lock: &str, change: impl Fn(&str) -> String) -> String {
    let six = entry(lock, "six");
    let (before, rest) = six.split_once("hash = \"").unwrap();
    let (hash, after) = rest.split_once('"').unwrap();
    lock.replace(six, &format!("{before}hash = \"{}\"{after}", change(hash)))
}

fn without_hash(lock: &str) -> String {
    let six = entry(lock, "six");
    let start = six.find(", hash = ").unwrap();
    let end = start + six[start..].find('}').unwrap();
    lock.replace(six, &format!("{}{}", &six[..start], &six[end..]))
}

fn without_hashes(lock: &str) -> String {
    let mut text = lock.to_owned();
    while let Some(start) = text.find(", hash = ") {
        let end = start + text[start..].find('}').unwrap();
        text.replace_range(start..end, "");
    }
    text
}

/// The first digit changed to another one.
fn one_digit(hash: &str) -> String {
    let other = if hash.starts_with("sha256:0") {
        "1"
    } else {
        "0"
    };
    format!("sha256:{other}{}", &hash["sha256:0".len()..])
}

/// As long as an MD5 is.
fn weak(hash: &str) -> String {
    format!("md5:{}", &hash["sha256:".len()..][..32])
}

fn cut(lock: &str) -> String {
    let middle = lock.find("files = [").unwrap() + 20;
    lock[..middle].to_owned()
}

fn conflict(lock: &str) -> String {
    lock.replacen(
        "[metadata]",
        "<<<<<<< HEAD\n[metadata]\n=======\n>>>>>>> x",
        1,
    )
}

/// Twice the entry, with an empty line between.
fn doubled(lock: &str) -> String {
    let six = entry(lock, "six");
    lock.replace(six, &format!("{}\n\n{six}", six.trim_end()))
}

/// All mutations in Poetry's own terms. Files have no address in it: in its place that of the index is changed. A dropped
/// edge is the graph's.
const POETRY: &[Mutation] = &[
    mutation(
        "a specifier bump that can be satisfied",
        "pyproject.toml",
        |text| text.replace("six==1.16.0", "six>=1.17"),
        Alone("requirement-not-satisfied", "dependencies"),
        Some(1),
    ),
    mutation(
        "a specifier bump that cannot be satisfied",
        "pyproject.toml",
        |text| text.replace("six==1.16.0", "six>=99"),
        Alone("requirement-not-satisfied", "dependencies"),
        None,
    ),
    mutation(
        "a requirement more",
        "pyproject.toml",
        |text| text.replace("\"six==1.16.0\"", "\"six==1.16.0\", \"pytz\""),
        Alone("requirement-not-locked", "dependencies"),
        None,
    ),
    mutation(
        "a requirement less",
        "pyproject.toml",
        |text| text.replace(", \"requests>=2.31\"", ""),
        Alone("poetry-content-hash", "content-hash"),
        None,
    ),
    mutation(
        "the project's own version",
        "pyproject.toml",
        |text| text.replace("0.1.0", "0.2.0"),
        Nothing,
        None,
    ),
    mutation(
        "another Python",
        "pyproject.toml",
        |text| text.replace(">=3.11", ">=3.99"),
        Alone("sync-requires-python", "requires-python"),
        Some(1),
    ),
    mutation(
        "blanks and case",
        "pyproject.toml",
        |text| text.replace("six==1.16.0", "Six == 1.16.0"),
        Alone("poetry-content-hash", "content-hash"),
        Some(1),
    ),
    mutation(
        "another order",
        "pyproject.toml",
        |text| {
            text.replace(
                "\"six==1.16.0\", \"requests>=2.31\"",
                "\"requests>=2.31\", \"six==1.16.0\"",
            )
        },
        Alone("poetry-content-hash", "content-hash"),
        None,
    ),
    mutation(
        "another content hash",
        "poetry.lock",
        |text| text.replace("content-hash = \"", "content-hash = \"0"),
        Alone("poetry-content-hash", "content-hash"),
        None,
    ),
    mutation(
        "one hash deleted",
        "poetry.lock",
        without_hash,
        Alone("hash-missing", "    {file"),
        None,
    ),
    mutation(
        "all hashes deleted",
        "poetry.lock",
        without_hashes,
        Alone("hash-missing", "    {file"),
        Some(0),
    ),
    mutation(
        "one digit of a hash",
        "poetry.lock",
        |text| other_digits(text, one_digit),
        WithBase("hash-changed", "    {file"),
        Some(0),
    ),
    mutation(
        "a weak hash",
        "poetry.lock",
        |text| other_digits(text, weak),
        Alone("hash-weak", "    {file"),
        None,
    ),
    mutation(
        "a hash one byte short",
        "poetry.lock",
        |text| other_digits(text, |hash| hash[..hash.len() - 2].to_owned()),
        Alone("hash-length", "    {file"),
        None,
    ),
    mutation(
        "an index over http",
        "poetry.lock",
        |text| in_six(text, "url = \"https://", "url = \"http://mirror."),
        Alone("plain-http", "[package.source]"),
        None,
    ),
    mutation(
        "another index",
        "poetry.lock",
        |text| in_six(text, "url = \"https://", "url = \"https://mirror."),
        Alone("index-not-allowed", "[package.source]"),
        Some(0),
    ),
    mutation(
        "another version",
        "poetry.lock",
        |text| in_six(text, "version = \"1.16.0\"", "version = \"1.15.0\""),
        Alone("file-name-mismatch", "version = \"1.15.0\""),
        Some(0),
    ),
    mutation(
        "a version that does not satisfy, with its files",
        "poetry.lock",
        |text| {
            text.replace(
                entry(text, "six"),
                &entry(text, "six").replace("1.16.0", "1.15.0"),
            )
        },
        Alone("requirement-not-satisfied", "dependencies"),
        None,
    ),
    mutation(
        "a wheel of another project",
        "poetry.lock",
        |text| in_six(text, "six-1.16.0-py2", "sax-1.16.0-py2"),
        Alone("file-name-mismatch", "    {file"),
        None,
    ),
    mutation(
        "a package that does not run on these Pythons",
        "poetry.lock",
        |text| in_six(text, ">=2.7", ">=3.12"),
        Alone("package-requires-python", "python-versions"),
        Some(0),
    ),
    mutation(
        "a package dropped",
        "poetry.lock",
        |text| text.replace(entry(text, "six"), ""),
        Alone("requirement-not-locked", "dependencies"),
        Some(0),
    ),
    mutation(
        "a package twice",
        "poetry.lock",
        doubled,
        Alone("duplicate-package", "name = \"six\""),
        None,
    ),
    mutation(
        "no packages",
        "poetry.lock",
        |text| {
            let end = text.find("[extras]").unwrap();
            format!("package = []\n{}", &text[end..])
        },
        Alone("requirement-not-locked", "dependencies"),
        Some(0),
    ),
    mutation(
        "a stranger more, from a URL",
        "poetry.lock",
        |text| {
            text.replacen("[extras]", "[[package]]\nname = \"zz-helper\"\nversion = \"1.0\"\ndescription = \"\"\noptional = false\npython-versions = \"*\"\ngroups = [\"main\"]\nfiles = [\n    {file = \"zz_helper-1.0.tar.gz\", hash = \"sha256:0000000000000000000000000000000000000000000000000000000000000000\"},\n]\n\n[package.source]\ntype = \"url\"\nurl = \"https://files.example/zz_helper-1.0.tar.gz\"\n\n[extras]", 1)
        },
        Alone("source-not-declared", "[package.source]"),
        Some(0),
    ),
    mutation(
        "CRLF",
        "poetry.lock",
        |text| text.replace('\n', "\r\n"),
        Nothing,
        Some(0),
    ),
    mutation(
        "a byte order mark",
        "poetry.lock",
        |text| format!("\u{feff}{text}"),
        Alone("syntax", "\u{feff}#"),
        Some(1),
    ),
    mutation(
        "truncated in a line",
        "poetry.lock",
        cut,
        Alone("truncated", ""),
        None,
    ),
    mutation(
        "truncated at a package",
        "poetry.lock",
        |text| text[..text.find("[[package]]\nname = \"six\"").unwrap()].to_owned(),
        Alone("syntax", "# This"),
        None,
    ),
    mutation(
        "a merge conflict",
        "poetry.lock",
        conflict,
        Alone("conflict-marker", "<<<<<<<"),
        None,
    ),
    mutation(
        "an empty file",
        "poetry.lock",
        |_| String::new(),
        Alone("syntax", ""),
        None,
    ),
    mutation(
        "a later revision of the format",
        "poetry.lock",
        |text| text.replace("lock-version = \"2.1\"", "lock-version = \"2.99\""),
        Alone("unknown-revision", "lock-version"),
        None,
    ),
    mutation(
        "a key that is not known",
        "poetry.lock",
        |text| text.replacen("[metadata]", "[metadata]\nlater = 1", 1),
        Nothing,
        None,
    ),
    mutation(
        "another version of the format",
        "poetry.lock",
        |text| text.replace("lock-version = \"2.1\"", "lock-version = \"9.0\""),
        Alone("unknown-version", "lock-version"),
        None,
    ),
];

#[test]
fn locks_of_poetry() {
    let project = Project::empty();
    project.write(
        "pyproject.toml",
        format!(
            "{PROJECT}[tool.poetry]\npackage-mode = false\n\
             [[tool.poetry.source]]\nname = \"simple\"\nurl = \"{}\"\n",
            index()
        ),
    );
    make("poetry-2", "poetry", &project);
    check(&project, "poetry.lock", POETRY, || {
        run("poetry-2", "poetry", &["check", "--lock"], &project.path())
            .status
            .code()
    });
}

/// What both tools are given.
const PROJECT: &str = "[project]\nname = \"app\"\nversion = \"0.1.0\"\nrequires-python = \">=3.11\"\n\
    dependencies = [\"six==1.16.0\", \"requests>=2.31\"]\n\
    [project.optional-dependencies]\nall = [\"certifi\"]\n[dependency-groups]\ndev = [\"iniconfig\"]\n";

#[test]
fn locks_of_poetry_1_count_as_its_own() {
    let project = Project::empty();
    project.write(
        "pyproject.toml",
        format!(
            "[tool.poetry]\nname = \"app\"\nversion = \"0.1.0\"\ndescription = \"\"\nauthors = []\npackage-mode = false\n\
             [tool.poetry.dependencies]\npython = \"^3.11\"\nsix = \"^1.16\"\n\
             [tool.poetry.group.dev.dependencies]\niniconfig = {{version = \"*\"}}\n\
             [[tool.poetry.source]]\nname = \"simple\"\nurl = \"{}\"\npriority = \"primary\"\n",
            index()
        ),
    );
    make("poetry-1.8", "poetry", &project);
    assert_eq!(findings(&project), []);
    let lock = read(&project, "poetry.lock");
    project.write("poetry.lock", lock.replace(entry(&lock, "iniconfig"), ""));
    let found = findings(&project);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].0, "requirement-not-locked");
    assert!(found[0].2.starts_with("iniconfig"), "{found:?}");
}

/// All mutations in PDM's own terms, in a lock with the addresses of files. The index has none in it: which hosts may serve
/// its files shows only beside a base. A dropped edge is the graph's.
const PDM: &[Mutation] = &[
    mutation(
        "a specifier bump that can be satisfied",
        "pyproject.toml",
        |text| text.replace("six==1.16.0", "six>=1.17"),
        Alone("requirement-not-satisfied", "dependencies"),
        Some(1),
    ),
    mutation(
        "a specifier bump that cannot be satisfied",
        "pyproject.toml",
        |text| text.replace("six==1.16.0", "six>=99"),
        Alone("requirement-not-satisfied", "dependencies"),
        None,
    ),
    mutation(
        "a requirement more",
        "pyproject.toml",
        |text| text.replace("\"six==1.16.0\"", "\"six==1.16.0\", \"pytz\""),
        Alone("requirement-not-locked", "dependencies"),
        None,
    ),
    mutation(
        "a requirement less",
        "pyproject.toml",
        |text| text.replace(", \"requests>=2.31\"", ""),
        Alone("pdm-content-hash", "content_hash"),
        None,
    ),
    mutation(
        "the project's own version",
        "pyproject.toml",
        |text| text.replace("0.1.0", "0.2.0"),
        Nothing,
        None,
    ),
    mutation(
        "another Python",
        "pyproject.toml",
        |text| text.replace(">=3.11", ">=3.99"),
        Alone("pdm-content-hash", "content_hash"),
        Some(1),
    ),
    mutation(
        "blanks and case",
        "pyproject.toml",
        |text| text.replace("six==1.16.0", "Six == 1.16.0"),
        Alone("pdm-content-hash", "content_hash"),
        Some(1),
    ),
    mutation(
        "another order",
        "pyproject.toml",
        |text| {
            text.replace(
                "\"six==1.16.0\", \"requests>=2.31\"",
                "\"requests>=2.31\", \"six==1.16.0\"",
            )
        },
        Alone("pdm-content-hash", "content_hash"),
        None,
    ),
    mutation(
        "another content hash",
        "pdm.lock",
        |text| text.replace("content_hash = \"sha256:", "content_hash = \"sha256:0"),
        Alone("pdm-content-hash", "content_hash"),
        None,
    ),
    mutation(
        "one hash deleted",
        "pdm.lock",
        without_hash,
        Alone("hash-missing", "    {url"),
        None,
    ),
    mutation(
        "all hashes deleted",
        "pdm.lock",
        without_hashes,
        Alone("hash-missing", "    {url"),
        Some(0),
    ),
    mutation(
        "one digit of a hash",
        "pdm.lock",
        |text| other_digits(text, one_digit),
        WithBase("hash-changed", "    {url"),
        Some(0),
    ),
    mutation(
        "a weak hash",
        "pdm.lock",
        |text| other_digits(text, weak),
        Alone("hash-weak", "    {url"),
        None,
    ),
    mutation(
        "a hash one byte short",
        "pdm.lock",
        |text| other_digits(text, |hash| hash[..hash.len() - 2].to_owned()),
        Alone("hash-length", "    {url"),
        None,
    ),
    mutation(
        "a file over http",
        "pdm.lock",
        |text| in_six(text, "url = \"https://", "url = \"http://mirror."),
        Alone("plain-http", "    {url"),
        None,
    ),
    mutation(
        "a file of another host",
        "pdm.lock",
        |text| in_six(text, "url = \"https://", "url = \"https://mirror."),
        WithBase("new-source", "    {url"),
        Some(0),
    ),
    mutation(
        "another version",
        "pdm.lock",
        |text| in_six(text, "version = \"1.16.0\"", "version = \"1.15.0\""),
        Alone("file-name-mismatch", "version = \"1.15.0\""),
        Some(0),
    ),
    mutation(
        "a version that does not satisfy, with its files",
        "pdm.lock",
        |text| {
            text.replace(
                entry(text, "six"),
                &entry(text, "six").replace("1.16.0", "1.15.0"),
            )
        },
        Alone("requirement-not-satisfied", "dependencies"),
        None,
    ),
    mutation(
        "a wheel of another project",
        "pdm.lock",
        |text| in_six(text, "six-1.16.0-py2", "sax-1.16.0-py2"),
        Alone("file-name-mismatch", "    {url"),
        None,
    ),
    mutation(
        "a package that does not run on these Pythons",
        "pdm.lock",
        |text| in_six(text, ">=2.7", ">=3.12"),
        Alone("package-requires-python", "requires_python"),
        Some(0),
    ),
    mutation(
        "a package dropped",
        "pdm.lock",
        |text| text.replace(entry(text, "six"), ""),
        Alone("requirement-not-locked", "dependencies"),
        Some(0),
    ),
    mutation(
        "a package twice",
        "pdm.lock",
        doubled,
        Alone("duplicate-package", "name = \"six\""),
        None,
    ),
    mutation(
        "no packages",
        "pdm.lock",
        |text| text[..text.find("[[package]]").unwrap()].to_owned(),
        Alone("requirement-not-locked", "dependencies"),
        Some(0),
    ),
    mutation(
        "a stranger more, from a URL",
        "pdm.lock",
        |text| {
            format!(
                "{text}{}",
                "\n[[package]]\nname = \"zz-helper\"\nversion = \"1.0\"\nurl = \"https://files.example/zz_helper-1.0.tar.gz\"\ngroups = [\"default\"]\nfiles = [\n    {url = \"https://files.example/zz_helper-1.0.tar.gz\", hash = \"sha256:0000000000000000000000000000000000000000000000000000000000000000\"},\n]\n"
            )
        },
        Alone("source-not-declared", "url = "),
        Some(0),
    ),
    mutation(
        "CRLF",
        "pdm.lock",
        |text| text.replace('\n', "\r\n"),
        Nothing,
        Some(0),
    ),
    mutation(
        "a byte order mark",
        "pdm.lock",
        |text| format!("\u{feff}{text}"),
        Alone("syntax", "\u{feff}#"),
        None,
    ),
    mutation(
        "truncated in a line",
        "pdm.lock",
        cut,
        Alone("truncated", ""),
        None,
    ),
    mutation(
        "truncated at a package",
        "pdm.lock",
        |text| text[..text.find("[[package]]\nname = \"six\"").unwrap()].to_owned(),
        Alone("requirement-not-locked", "dependencies"),
        None,
    ),
    mutation(
        "a merge conflict",
        "pdm.lock",
        conflict,
        Alone("conflict-marker", "<<<<<<<"),
        None,
    ),
    mutation(
        "an empty file",
        "pdm.lock",
        |_| String::new(),
        Alone("syntax", ""),
        None,
    ),
    mutation(
        "a later revision of the format",
        "pdm.lock",
        |text| text.replace("lock_version = \"4.5", "lock_version = \"4.99"),
        Alone("unknown-revision", "lock_version"),
        None,
    ),
    mutation(
        "a key that is not known",
        "pdm.lock",
        |text| text.replacen("[metadata]", "[metadata]\nlater = 1", 1),
        Nothing,
        None,
    ),
    mutation(
        "another version of the format",
        "pdm.lock",
        |text| text.replace("lock_version = \"4.5", "lock_version = \"9.5"),
        Alone("unknown-version", "lock_version"),
        None,
    ),
];

#[test]
fn locks_of_pdm() {
    let project = Project::empty();
    project.write(
        "pyproject.toml",
        format!(
            "{PROJECT}[tool.pdm]\ndistribution = false\n[[tool.pdm.source]]\nname = \"pypi\"\nurl = \"{}\"\n",
            index()
        ),
    );
    let output = run(
        "pdm-2",
        "pdm",
        &["lock", "-S", "static_urls"],
        &project.path(),
    );
    assert!(output.status.success());
    check(&project, "pdm.lock", PDM, || {
        run("pdm-2", "pdm", &["lock", "--check"], &project.path())
            .status
            .code()
    });
}

#[test]
fn workspaces_of_pdm() {
    let project = Project::empty();
    let source = format!(
        "[[tool.pdm.source]]\nname = \"pypi\"\nurl = \"{}\"\n",
        index()
    );
    project
        .write(
            "pyproject.toml",
            format!(
                "[project]\nname = \"app\"\nversion = \"0.1.0\"\nrequires-python = \">=3.11\"\n\
                 dependencies = [\"six>=1.16\", \"lib\"]\n[dependency-groups]\ndev = [\"iniconfig\"]\n\
                 [tool.pdm]\ndistribution = false\n[tool.pdm.workspace]\nmembers = [\"l*\"]\n{source}"
            ),
        )
        .write(
            "lib/pyproject.toml",
            "[project]\nname = \"lib\"\nversion = \"0.1.0\"\nrequires-python = \">=3.11\"\n\
             dependencies = [\"idna\"]\n[build-system]\nrequires = [\"pdm-backend\"]\n\
             build-backend = \"pdm.backend\"\n",
        );
    make("pdm-2", "pdm", &project);
    assert_eq!(findings(&project), [], "{}", read(&project, "pdm.lock"));
    let member = read(&project, "lib/pyproject.toml");
    for (edited, rules) in [
        ("\"idna >= 2\"", &["pdm-content-hash"][..]),
        (
            "\"idna>=99\"",
            &["pdm-content-hash", "requirement-not-satisfied"],
        ),
    ] {
        project.write("lib/pyproject.toml", member.replace("\"idna\"", edited));
        let mut found: Vec<String> = findings(&project).into_iter().map(|one| one.0).collect();
        found.sort();
        assert_eq!(found, rules);
        let tool = run("pdm-2", "pdm", &["lock", "--check"], &project.path());
        assert_eq!(tool.status.code(), Some(1));
    }
    project.write("lib/pyproject.toml", &member);
    let report = project
        .run(&["lockfile-verify", "--output-format=json"])
        .json();
    assert_eq!(report["outputs"]["verdict"], json!("pass"));
    assert_ne!(report["outputs"]["packages"], Value::Null);
}

#[test]
fn locks_of_older_releases_of_pdm_count_as_theirs() {
    let is_campaign = std::env::var_os("LOCKGATE_CAMPAIGN").is_some();
    for (release, version) in [("pdm-2.15", "4.4.1"), ("pdm-2.19", "4.5.0")] {
        let project = Project::empty();
        let declared = format!(
            "[project]\nname = \"app\"\nversion = \"0.1.0\"\nrequires-python = \">=3.11\"\n\
             dependencies = [\"six>=1.16\"]\n[dependency-groups]\nnew = [\"idna\"]\n\
             [tool.pdm]\ndistribution = false\n[tool.pdm.dev-dependencies]\nDev_Tools = [\"iniconfig\"]\n\
             [tool.pdm.resolution.overrides]\ncertifi = \">=2023\"\n\
             [[tool.pdm.source]]\nname = \"pypi\"\nurl = \"{}\"\n",
            index()
        );
        project.write("pyproject.toml", &declared);
        make(release, "pdm", &project);
        let lock = read(&project, "pdm.lock");
        assert!(
            lock.contains(&format!("lock_version = \"{version}\"")),
            "{release}"
        );
        assert_eq!(findings(&project), [], "{release}");
        for (from, to, is_stale) in [
            ("six>=1.16", "six >= 1.16", true),
            ("certifi = \">=2023\"", "certifi = \">=2022\"", true),
            ("Dev_Tools", "dev-tools", true),
            // These releases do not read it.
            ("[\"idna\"]", "[\"idna>=2\"]", false),
        ] {
            project.write("pyproject.toml", declared.replace(from, to));
            if is_campaign {
                let tool = run(release, "pdm", &["lock", "--check"], &project.path());
                let code = Some(i32::from(is_stale));
                assert_eq!(tool.status.code(), code, "{release}: {to}");
            }
            let found = findings(&project);
            let is_found = found.iter().any(|(rule, ..)| rule == "pdm-content-hash");
            assert_eq!(is_found, is_stale, "{release}: {to}: {found:?}");
        }
    }
}
