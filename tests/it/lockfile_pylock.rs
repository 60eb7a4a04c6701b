//! `pylock.toml`: read as the library reads it that installers use, and as real tools write it.

use std::path::Path;
use std::process::Command;

use lockgate::lockfiles::facts::Facts;
use lockgate::lockfiles::policy::Policy;
use lockgate::lockfiles::{FaultKind, Format, read, rules};
use lockgate::model::sources::Sources;
use serde_json::Value;

use crate::support::lock_tools::lock_tool;
use crate::support::lockgate::Project;
use crate::support::tools::{environment, network, python, tool};

/// What `packaging` says of each file: empty where it accepts it.
const PACKAGING: &str = r#"
import json, os, sys, tomllib, logging
logging.disable(logging.CRITICAL)
from packaging.pylock import Pylock
out = []
os.chdir(sys.argv[1])
for name in sorted(os.listdir(".")):
    with open(name, "rb") as file:
        document = tomllib.load(file)
    try:
        Pylock.from_dict(document)
        out.append("")
    except Exception as error:
        out.append(f"{type(error).__name__}: {error}")
print(json.dumps(out))
"#;

const LOCK: &str = r#"lock-version = "1.0"
environments = ["sys_platform == 'linux'"]
requires-python = ">=3.11"
extras = ["speed"]
dependency-groups = ["dev"]
default-groups = ["dev"]
created-by = "hand"

[[packages]]
name = "six"
version = "1.17.0"
marker = "python_version >= '3'"
index = "https://index.example/simple"
dependencies = [{ name = "repo" }]
attestation-identities = [{ kind = "GitHub", repository = "x/y" }]
sdist = { url = "https://files.example/six-1.17.0.tar.gz", size = 3, upload-time = 2024-12-04T17:35:26Z, hashes = { sha256 = "ab" } }
wheels = [{ name = "six-1.17.0-py3-none-any.whl", path = "./six.whl", hashes = { sha512 = "cd" } }]

[[packages]]
name = "repo"
vcs = { type = "git", url = "https://h.example/r", requested-revision = "main", commit-id = "0123" }

[[packages]]
name = "here"
directory = { path = ".", editable = true }

[[packages]]
name = "archive"
archive = { url = "https://h.example/a.zip", hashes = { sha256 = "ef" } }

[tool.hand]
x = 1
"#;

/// What is changed; some of it is fine.
const CHANGES: &[(&str, &str)] = &[
    ("lock-version = \"1.0\"", "lock-version = \"1\""),
    ("lock-version = \"1.0\"", "lock-version = \"1.7\""),
    ("lock-version = \"1.0\"", "lock-version = \"2.0\""),
    ("lock-version = \"1.0\"", "lock-version = \"one\""),
    ("lock-version = \"1.0\"", "lock-version = 1"),
    ("lock-version = \"1.0\"\n", ""),
    ("created-by = \"hand\"\n", ""),
    ("created-by = \"hand\"", "created-by = []"),
    (
        "environments = [\"sys_platform == 'linux'\"]",
        "environments = \"linux\"",
    ),
    (
        "environments = [\"sys_platform == 'linux'\"]",
        "environments = [1]",
    ),
    ("\">=3.11\"", "\"\""),
    ("\">=3.11\"", "\"3.11 or so\""),
    ("\">=3.11\"", "\">=3.11,<4,!=3.12.*\""),
    ("extras = [\"speed\"]", "extras = [\"Speed_up\"]"),
    ("extras = [\"speed\"]", "extras = []"),
    (
        "dependency-groups = [\"dev\"]",
        "dependency-groups = [\"Dev\"]",
    ),
    ("default-groups = [\"dev\"]", "default-groups = 1"),
    ("name = \"six\"\n", ""),
    ("name = \"six\"", "name = \"Six\""),
    ("name = \"repo\"\n", "name = 1\n"),
    ("version = \"1.17.0\"", "version = 1.17"),
    ("version = \"1.17.0\"", "version = \"1.17.x\""),
    ("version = \"1.17.0\"\n", ""),
    ("marker = \"python_version >= '3'\"", "marker = true"),
    (
        "dependencies = [{ name = \"repo\" }]",
        "dependencies = [\"repo\"]",
    ),
    ("dependencies = [{ name = \"repo\" }]", "dependencies = []"),
    ("kind = \"GitHub\", ", ""),
    ("kind = \"GitHub\"", "kind = 3"),
    ("url = \"https://files.example/six-1.17.0.tar.gz\", ", ""),
    ("size = 3", "size = \"3\""),
    ("size = 3, ", ""),
    (
        "upload-time = 2024-12-04T17:35:26Z",
        "upload-time = \"2024-12-04\"",
    ),
    ("hashes = { sha256 = \"ab\" }", "hashes = {}"),
    ("hashes = { sha256 = \"ab\" }", "hashes = { sha256 = 1 }"),
    ("hashes = { sha512 = \"cd\" }", "x = 1"),
    ("path = \"./six.whl\"", "path = \"\""),
    ("wheels = [{", "wheels = [3, {"),
    ("type = \"git\", ", ""),
    (", commit-id = \"0123\"", ""),
    ("url = \"https://h.example/r\"", "path = \"../r\""),
    ("url = \"https://h.example/r\", ", ""),
    ("editable = true", "editable = \"yes\""),
    (
        "directory = { path = \".\", editable = true }",
        "directory = { editable = true }",
    ),
    ("directory = { path = \".\", editable = true }", ""),
    (
        "directory = {",
        "archive = { path = \"x.zip\", hashes = { sha256 = \"ab\" } }\ndirectory = {",
    ),
    (
        "archive = {",
        "wheels = [{ path = \"archive-1-py3-none-any.whl\", hashes = { sha256 = \"ab\" } }]\narchive = {",
    ),
    ("archive = {", "wheels = []\narchive = {"),
    ("archive = {", "vcs = 3\narchive = {"),
    ("[tool.hand]\nx = 1", "unknown = 3"),
    ("[tool.hand]\nx = 1", ""),
];

/// Whether we refuse it: a fault that counts as an error, or a file without a hash.
fn refusal(text: &str) -> Option<String> {
    let mut sources = Sources::default();
    let file = sources
        .add("pylock.toml", text.as_bytes().to_vec())
        .unwrap();
    let reading = read(Format::Pylock, file, &sources);
    let fault = reading
        .faults
        .iter()
        .find(|fault| fault.kind != FaultKind::UnknownRevision);
    if let Some(fault) = fault {
        return Some(fault.message.clone());
    }
    let policy = Policy::default();
    let facts = reading
        .lockfile
        .as_ref()
        .map(|lock| Facts::of_lock(&sources, lock, &policy));
    let findings = rules::judge(&reading, facts.as_ref(), &policy);
    let finding = findings
        .iter()
        .find(|finding| finding.rule.id == "hash-missing")?;
    Some(finding.message.clone())
}

#[test]
fn locks_are_refused_where_the_library_of_installers_refuses_them() {
    let folder = tempfile::tempdir().unwrap();
    let mut texts = vec![LOCK.to_owned()];
    for (number, (from, to)) in CHANGES.iter().enumerate() {
        assert!(LOCK.contains(from), "{from}");
        let one = LOCK.replacen(from, to, 1);
        // Each alone, and with another.
        let (other, instead) = CHANGES[(number * 7 + 3) % CHANGES.len()];
        texts.push(one.replacen(other, instead, 1));
        texts.push(one);
    }
    for (number, text) in texts.iter().enumerate() {
        std::fs::write(folder.path().join(format!("{number:04}.toml")), text).unwrap();
    }
    let output = Command::new(python())
        .args(["-c", PACKAGING])
        .arg(folder.path())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let theirs: Vec<String> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(theirs.len(), texts.len());
    let refused = theirs.iter().filter(|error| !error.is_empty()).count();
    assert!(refused > 40 && refused < theirs.len() - 10, "{refused}");
    let different: Vec<String> = texts
        .iter()
        .zip(&theirs)
        .filter_map(|(text, theirs)| {
            let ours = refusal(text);
            (ours.is_some() == theirs.is_empty())
                .then(|| format!("{theirs:?} against {ours:?}:\n{text}"))
        })
        .collect();
    assert!(
        different.is_empty(),
        "{} of {}:\n{}",
        different.len(),
        texts.len(),
        different[..different.len().min(4)].join("\n---\n")
    );
}

#[test]
fn what_uv_and_pip_write_passes() {
    let project = Project::empty();
    project.write(
        "pyproject.toml",
        "[project]\nname = \"app\"\nversion = \"1\"\nrequires-python = \">=3.11\"\ndependencies = [\"httpx\", \"six\"]\n",
    );
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let run = |program: &Path, arguments: &[&str]| {
        let output = Command::new(program)
            .args(arguments)
            .current_dir(project.path())
            .env_clear()
            .envs(network())
            .env("PATH", environment().join("bin"))
            .env("HOME", project.path().parent().unwrap())
            .env("UV_NO_CONFIG", "1")
            .env("UV_PYTHON", python())
            .env("UV_PYTHON_DOWNLOADS", "never")
            .env("UV_CACHE_DIR", cache.join("uv-cache"))
            .env("PIP_CACHE_DIR", cache.join("pip-cache"))
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    };
    let export = [
        "export",
        "--quiet",
        "--no-emit-project",
        "--format",
        "pylock.toml",
        "-o",
        "pylock.toml",
    ];
    run(&tool("uv"), &export);
    std::fs::remove_file(project.path().join("uv.lock")).unwrap();
    run(
        &lock_tool("pip").join("bin/python"),
        &[
            "-m",
            "pip",
            "lock",
            "--quiet",
            "six",
            "-o",
            "pylock.pip.toml",
        ],
    );
    let run = project.run(&["lockfile-verify", "--output-format=json"]);
    run.expect_code(0);
    let report: Value = run.json();
    assert_eq!(
        report["findings"],
        Value::Array(Vec::new()),
        "{}",
        run.stdout
    );
    assert_eq!(report["checks"].as_array().unwrap().len(), 2);
}
