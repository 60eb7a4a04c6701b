//! `Pipfile.lock` beside its `Pipfile`: the hash is byte for byte that of pipenv, and what the hash cannot show is found.
//!
//! `LOCKGATE_CAMPAIGN=5` compares 100 files.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::Command;

use lockgate::lockfiles::Format;
use lockgate::lockfiles::declared::pipfile::hashes;
use lockgate::lockfiles::document::Document;
use lockgate::lockfiles::fault::Faults;
use lockgate::model::sources::FileId;
use serde_json::Value;
use tempfile::TempDir;

use crate::fuzzing::{Random, campaign};
use crate::support::lock_tools::lock_tool;
use crate::support::lockgate::{Project, Run};

/// So many files, before the campaign scales them.
const FILES: u64 = 40;

/// The hash of each `Pipfile` as pipenv computes it now, and as it did before names were normalised.
const PIPENV: &str = r#"
import json, os, sys
from pipenv.project import Project
from pipenv.vendor import plette
hashes = {}
for folder in sys.argv[1:]:
    os.environ["PIPENV_PIPFILE"] = os.path.join(folder, "Pipfile")
    project = Project(chdir=False)
    with open(project.pipfile.location) as file:
        written = plette.Pipfile.load(file).get_hash().value
    hashes[folder] = [project.pipfile.calculate_hash(), written]
print(json.dumps(hashes))
"#;

const PACKAGES: [&str; 14] = [
    "six = \"*\"\n",
    "SQLAlchemy = '>=2.0,<3'\n",
    "\"Zope.Interface\" = { version = \"~=6.0\", index = \"main\" }\n",
    "requests = {extras = [\"socks\", \"use_chardet\"], version = \">=2.31\"}\n",
    "colorama = {version = \"*\", sys_platform = \"== 'win32'\", markers = \"python_version < '3.13'\"}\n",
    "\"my__pkg.-x\" = {git = \"https://g.example/x.git\", ref = \"caf\u{e9}\", editable = true}\n",
    "\"\u{c4}rger_\u{1f600}\" = \"*\"\n",
    "local = {path = \"./local\", editable = false}\n",
    "wheel-file = {file = \"https://f.example/w-1.0-py3-none-any.whl\"}\n",
    "rich = \"\"\"==13.*\"\"\"\n",
    "attrs.version = \">=23\"\nattrs.markers = 'os_name == \"nt\"'\n",
    "numbers = {version = \"*\", subdirectory = 'a/\"b', skip_resolver = false}\n",
    "\"tab\\there\" = \"\\u003e=1\"\n",
    "list-of = {version = \"*\", hashes = [\"sha256:00\", \"sha256:01\"], skip_resolver = true}\n",
];

const SOURCES: [&str; 5] = [
    "",
    "[[source]]\nurl = \"https://i.example/simple\"\nverify_ssl = true\nname = \"main\"\n\n",
    "[[source]]\nname = 'a'\nurl = 'https://${USER}:${PW}@i.example/s'\nverify_ssl = false\n\n[[source]]\nurl = \"https://j.example/s\"\nverify_ssl = true\nname = \"Gr\u{f6}\u{df}e\"\n\n",
    "[[source]]\nurl = \"https://i.example/simple\"\nverify_ssl = false\nname = \"x/y\"\n\n",
    "source = [{url = \"https://i.example/simple\", verify_ssl = true, name = \"inline\"}]\n\n",
];

const ENDS: [&str; 6] = [
    "",
    "[requires]\npython_version = \"3.11\"\n",
    "[requires]\npython_full_version = '3.11.4'\n\n[scripts]\ntest = \"pytest\"\n",
    "[pipenv]\nallow_prereleases = true\n\n[requires]\n",
    "[pipfile]\nx = 1\n\n[pipenv]\nsort_pipfile = false\n",
    "[default]\nsix = \"*\"\n",
];

/// A `Pipfile` with tables in any order, each at most once.
fn pipfile(random: &mut Random) -> String {
    let mut text = SOURCES[random.below(SOURCES.len())].to_owned();
    let tables = ["packages", "dev-packages", "docs", "\"Type.Checks\""];
    let first = random.below(tables.len());
    for number in 0..random.below(tables.len() + 1) {
        let table = tables[(first + number) % tables.len()];
        let _ = writeln!(text, "[{table}]");
        let mut left = PACKAGES.to_vec();
        for _ in 0..random.below(6) {
            text.push_str(left.remove(random.below(left.len())));
        }
        text.push('\n');
    }
    text.push_str(ENDS[random.below(ENDS.len())]);
    if random.below(5) == 0 {
        text = text.replace('\n', "\r\n");
    }
    text
}

#[test]
fn pipenvs_hashes_are_those_of_both_spellings() {
    let root = TempDir::new().unwrap();
    let mut random = Random(11);
    let mut folders: Vec<PathBuf> = Vec::new();
    for index in 0..FILES * campaign() {
        let folder = root.path().join(index.to_string());
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("Pipfile"), pipfile(&mut random)).unwrap();
        folders.push(folder);
    }
    let output = Command::new(lock_tool("pipenv").join("bin/python"))
        .args(["-c", PIPENV])
        .args(&folders)
        .env("HOME", root.path())
        .env("PIPENV_IGNORE_VIRTUALENVS", "1")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let theirs: BTreeMap<PathBuf, [String; 2]> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(theirs.len(), folders.len());
    let mut spellings = 0;
    for (folder, theirs) in theirs {
        let bytes = std::fs::read(folder.join("Pipfile")).unwrap();
        let mut faults = Faults::new(Format::Pipfile, FileId::default());
        let document = Document::read(&bytes, &mut faults).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        assert_eq!(hashes(&document), Some(theirs.clone()), "{text}");
        spellings += u64::from(theirs[0] != theirs[1]);
    }
    assert!(spellings > 5, "only {spellings} files have two hashes");
}

const PIPFILE: &str = r#"[[source]]
url = "https://index.example/simple"
verify_ssl = true
name = "main"

[packages]
SQLAlchemy = ">=2.0"
httpx = {extras = ["http2"], version = "*"}
colorama = {version = "*", sys_platform = "== 'win32'"}

[dev-packages]
six = "==1.17.0"

[requires]
python_version = "3.11"
"#;

const LOCK: &str = r#"{
    "_meta": {
        "hash": {
            "sha256": "HASH"
        },
        "pipfile-spec": 6,
        "requires": {
            "python_version": "3.11"
        },
        "sources": [
            {
                "name": "main",
                "url": "https://index.example/simple",
                "verify_ssl": true
            }
        ]
    },
    "default": {
        "httpx": {
            "extras": [
                "http2"
            ],
            "hashes": [
                "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
            ],
            "version": "==0.28.1"
        },
        "sqlalchemy": {
            "hashes": [
                "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
            ],
            "version": "==2.0.30"
        }
    },
    "develop": {
        "six": {
            "hashes": [
                "sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"
            ],
            "version": "==1.17.0"
        }
    }
}
"#;

/// A file, a rule, and a part of the file that it is found at.
type Told = (&'static str, &'static str, &'static str);

const STALE: Told = ("Pipfile.lock", "pipfile-hash", "\"sha256\": \"");

/// File, rule and line of each finding.
fn found(run: &Run) -> Vec<(String, String, u64)> {
    let finding = |finding: &Value| {
        let text = |key: &str| finding[key].as_str().unwrap().to_owned();
        (
            text("path"),
            text("rule"),
            finding["line"].as_u64().unwrap_or_default(),
        )
    };
    let report = run.json();
    let findings = report["findings"].as_array().unwrap();
    findings.iter().map(finding).collect()
}

/// The lock with the hash of a `Pipfile`.
fn fresh(pipfile: &str) -> String {
    let mut faults = Faults::new(Format::Pipfile, FileId::default());
    let document = Document::read(pipfile.as_bytes(), &mut faults).unwrap();
    LOCK.replace("HASH", &hashes(&document).unwrap()[0])
}

/// Whether pipenv itself takes the lock for fresh.
fn is_fresh(project: &Project) -> bool {
    let tools = lock_tool("pipenv").join("bin");
    let output = Command::new(tools.join("pipenv"))
        .arg("verify")
        .current_dir(project.path())
        .env_clear()
        .env("PATH", &tools)
        .env("HOME", project.beside("home"))
        .env("LANG", "C.UTF-8")
        .env("PIPENV_IGNORE_VIRTUALENVS", "1")
        .env("PIPENV_PYTHON", tools.join("python"))
        .env("PIPENV_VENV_IN_PROJECT", "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let said = said + &String::from_utf8_lossy(&output.stderr);
    let is_fresh = said.contains("up-to-date");
    assert!(is_fresh || said.contains("out-of-date"), "{said}");
    is_fresh
}

#[test]
fn what_pipenv_calls_stale_is_stale_and_what_it_does_not_see_is_found_on_its_line() {
    let project = Project::empty();
    let line = |text: &str, part: &str| {
        let (before, _) = text.split_once(part).unwrap_or_else(|| panic!("{part}"));
        before.matches('\n').count() as u64 + 1
    };
    // What is changed in the Pipfile or in the lock, and which rules say so at which part of which file.
    let pipfiles: &[(&str, &str, bool, &[Told])] = &[
        ("SQLAlchemy", "sqlalchemy", true, &[]),
        ("\">=2.0\"", "\">= 2.0\"", false, &[STALE]),
        (
            "\">=2.0\"",
            "\">=2.0.40\"",
            false,
            &[
                STALE,
                ("Pipfile", "requirement-not-satisfied", "SQLAlchemy"),
            ],
        ),
        (
            "[\"http2\"]",
            "[\"http2\", \"socks\"]",
            false,
            &[STALE, ("Pipfile", "requirement-not-satisfied", "httpx")],
        ),
        (
            "six = \"==1.17.0\"",
            "six = \"==1.17.0\"\nidna = \"*\"",
            false,
            &[STALE, ("Pipfile", "requirement-not-locked", "idna")],
        ),
        ("\"3.11\"", "\"3.12\"", false, &[STALE]),
        ("https://index", "https://other", false, &[STALE]),
    ];
    for (from, to, is_seen_fresh, told) in pipfiles {
        let (pipfile, lock) = (PIPFILE.replacen(from, to, 1), fresh(PIPFILE));
        assert_ne!(pipfile, PIPFILE);
        project
            .write("Pipfile", &pipfile)
            .write("Pipfile.lock", &lock);
        assert_eq!(is_fresh(&project), *is_seen_fresh, "{to}");
        let run = project.run(&["lockfile-verify", "--output-format=json"]);
        let expected: Vec<_> = told
            .iter()
            .map(|(file, rule, part)| {
                let text = if *file == "Pipfile" { &pipfile } else { &lock };
                ((*file).to_owned(), (*rule).to_owned(), line(text, part))
            })
            .collect();
        let mut found = found(&run);
        found.sort_by_key(|(_, rule, _)| rule.clone());
        assert_eq!(found, expected, "{to}");
        run.expect_code(i32::from(!is_seen_fresh));
    }
    // pipenv looks at its hash only, and takes all of these for fresh.
    let locks: &[(&str, &str, &str, &str, &str)] = &[
        (
            "==2.0.30",
            "==1.4.0",
            "Pipfile",
            "requirement-not-satisfied",
            "SQLAlchemy",
        ),
        (
            "\"sqlalchemy\"",
            "\"sqlalchemie\"",
            "Pipfile",
            "requirement-not-locked",
            "SQLAlchemy",
        ),
        (
            "//index",
            "//lndex",
            "Pipfile.lock",
            "pipfile-meta",
            "lndex",
        ),
        (
            "\"3.11\"",
            "\"3.9\"",
            "Pipfile.lock",
            "pipfile-meta",
            "\"3.9\"",
        ),
        (
            "\"http2\"",
            "\"http3\"",
            "Pipfile",
            "requirement-not-satisfied",
            "httpx",
        ),
        (
            "\"version\": \"==1.17.0\"",
            "\"version\": \"==1.17.0\", \"file\": \"https://evil.example/six-1.17.0-py3-none-any.whl\"",
            "Pipfile",
            "requirement-not-satisfied",
            "six",
        ),
    ];
    project.write("Pipfile", PIPFILE);
    for (from, to, file, rule, part) in locks {
        let lock = fresh(PIPFILE).replacen(from, to, 1);
        project.write("Pipfile.lock", &lock);
        let run = project.run(&["lockfile-verify", "--output-format=json"]);
        run.expect_code(1);
        let text = if *file == "Pipfile" { PIPFILE } else { &lock };
        let expected = ((*file).to_owned(), (*rule).to_owned(), line(text, part));
        let found = found(&run);
        assert!(found.contains(&expected), "{to}: {found:?}");
    }
    assert!(is_fresh(&project));
}

#[test]
fn a_pipfile_that_cannot_be_compared_is_no_verdict_where_that_is_asked_for() {
    let project = Project::empty();
    for pipfile in ["[packages\n", "[packages]\nsix = 2026-01-01\n"] {
        project
            .write("Pipfile", pipfile)
            .write("Pipfile.lock", fresh(PIPFILE));
        let run = project.run(&["lockfile-verify", "--output-format=json"]);
        let expected = ("Pipfile".to_owned(), "sync-unverifiable".to_owned());
        let found = found(&run).into_iter();
        assert!(
            found
                .map(|(file, rule, _)| (file, rule))
                .any(|one| one == expected)
        );
        project.run(&["lockfile-verify", "--strict"]).expect_code(3);
    }
}
