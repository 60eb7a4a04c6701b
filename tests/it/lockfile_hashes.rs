//! Content hashes are byte for byte those of each release of Poetry and PDM, which compute them beside us.
//!
//! `LOCKGATE_CAMPAIGN=5` compares 40 projects with each tool.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use lockgate::lockfiles::Format;
use lockgate::lockfiles::declared::{pdm, poetry};
use lockgate::lockfiles::document::Document;
use lockgate::lockfiles::fault::Faults;
use lockgate::model::sources::FileId;
use tempfile::TempDir;

use crate::fuzzing::{Random, campaign};
use crate::support::lock_tools::lock_tool;

/// So many projects, before the campaign scales them.
const PROJECTS: u64 = 8;

const POETRY: &str = "
import json, pathlib, sys
from poetry.factory import Factory
hashes = {}
for folder in sys.argv[1:]:
    hashes[folder] = Factory().create_poetry(pathlib.Path(folder)).locker._content_hash
print(json.dumps(hashes))
";

const PDM: &str = "
import json, sys
from pdm.core import Core
core = Core()
print(json.dumps({folder: core.create_project(folder).pyproject_content_hash() for folder in sys.argv[1:]}))
";

/// What a release computes for each folder.
fn hashes(tool: &str, script: &str, folders: &[PathBuf]) -> BTreeMap<PathBuf, String> {
    let home = TempDir::new().unwrap();
    let output = Command::new(lock_tool(tool).join("bin/python"))
        .args(["-c", script])
        .args(folders)
        .env("HOME", home.path())
        .env("PDM_CHECK_UPDATE", "0")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{tool}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

fn write(folder: &Path, text: &str) -> PathBuf {
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(folder.join("pyproject.toml"), text).unwrap();
    folder.to_owned()
}

fn with_document<T>(folder: &Path, check: impl FnOnce(&Document<'_>) -> T) -> T {
    let bytes = std::fs::read(folder.join("pyproject.toml")).unwrap();
    let mut faults = Faults::new(Format::Poetry, FileId::default());
    let document = Document::read(&bytes, &mut faults);
    check(&document.unwrap_or_else(|| panic!("{:?}", faults.finish())))
}

/// Some of these, in any order.
fn some<'t>(random: &mut Random, from: &[&'t str]) -> Vec<&'t str> {
    let mut left = from.to_vec();
    let mut chosen = Vec::new();
    for _ in 0..random.below(from.len() + 1) {
        chosen.push(left.remove(random.below(left.len())));
    }
    chosen
}

/// Names, as people write them; each once, so that no two make one package.
const REQUIREMENTS: [&str; 8] = [
    "\"six\"",
    "'requests[socks] >= 2.31, <3'",
    "\"SQLAlchemy>=2.0\"",
    "\"rich ; platform_machine != 'caf\u{e9}\u{1f600}'\"",
    "'colorama; sys_platform == \"win32\"'",
    "\"zope.interface ~= 6.0 ; python_version < '3.13'\"",
    "\"attrs\\u003e=23\"",
    "\"\"\"idna>=2\"\"\"",
];

const TABLE: [&str; 8] = [
    "six = \"*\"\n",
    "requests = {version = \"^2.31\", extras = [\"socks\"]}\n",
    "SQLAlchemy = '>=2.0,<3'\n",
    "rich = {version = \"*\", markers = \"platform_machine != 'caf\u{e9}\u{1f600}'\"}\n",
    "colorama.version = \"^0.4\"\ncolorama.platform = \"win32\"\n",
    "\"zope.interface\" = [{version = \"<6\", python = \"<3.12\"}, {version = \">=6\", python = \">=3.12\"}]\n",
    "attrs = {version = \"*\", optional = true, allow-prereleases = false}\n",
    "idna = { git = \"https://g.example/idna.git\", tag = \"v1\" }\n",
];

fn list(random: &mut Random) -> String {
    let items = some(random, &REQUIREMENTS);
    match random.below(2) {
        0 => format!("[{}]", items.join(", ")),
        _ => format!("[\n    {}\n]", items.join(" , # why\n    ")),
    }
}

/// `[project]`, without its name where that is somewhere else.
fn project(random: &mut Random, index: u64) -> String {
    let mut text = format!("[project]\nname = \"app-{index}\"\nversion = \"0.{index}\"\n");
    if random.below(4) > 0 {
        text.push_str("requires-python = \">=3.9 , <4\"\n");
    }
    if random.below(4) > 0 {
        let _ = writeln!(text, "dependencies = {}", list(random));
    }
    if random.below(2) > 0 {
        text.push_str("[project.optional-dependencies]\n");
        for extra in some(random, &["cli", "all-of-it", "x1"]) {
            let _ = writeln!(text, "{extra} = {}", list(random));
        }
    }
    text
}

fn groups(random: &mut Random) -> String {
    let mut text = String::from("[dependency-groups]\n");
    for group in some(random, &["dev", "Docs_Site", "\"type.check\""]) {
        let _ = writeln!(text, "{group} = {}", list(random));
    }
    if random.below(3) == 0 {
        text.push_str("base = [\"pytest\"]\nall = [{include-group = \"base\"}, 'coverage']\n");
    }
    text
}

fn poetry_source(random: &mut Random) -> &'static str {
    [
        "",
        "[[tool.poetry.source]]\nname = \"Gr\u{f6}\u{df}e \\\"x\\\" \u{1f600}\"\nurl = \"https://i.example/simple/\"\npriority = \"supplemental\"\n",
        "[[tool.poetry.source]]\nurl = 'https://i.example/s'\nname = 'one'\npriority = 'explicit'\n[[tool.poetry.source]]\nname = \"two\"\nurl = \"https://j.example/s\"\npriority = \"supplemental\"\n",
    ][random.below(3)]
}

/// A project of Poetry: `[tool.poetry]` alone, or completing `[project]`.
fn poetry_project(random: &mut Random, index: u64) -> String {
    let is_legacy = index.is_multiple_of(2);
    let mut text = String::new();
    if !is_legacy {
        text.push_str(&project(random, index));
        if random.below(3) > 0 {
            text.push_str(&groups(random));
        }
    }
    let _ = write!(
        text,
        "[tool.poetry]\nname = \"app-{index}\"\nversion = \"0.{index}\"\ndescription = \"\"\nauthors = []\n"
    );
    if is_legacy {
        if random.below(2) == 0 {
            text.push_str("extras = {cli = [\"attrs\"], none = []}\n");
        }
        text.push_str("[tool.poetry.dependencies]\npython = \"^3.9\"\n");
        text.push_str(&some(random, &TABLE).concat());
        if random.below(2) == 0 {
            text.push_str("[tool.poetry.dev-dependencies]\nblack = \"*\"\n");
        }
    }
    if random.below(2) == 0 {
        text.push_str(
            "[tool.poetry.group.lint]\noptional = true\n[tool.poetry.group.lint.dependencies]\n",
        );
        text.push_str(&some(random, &TABLE).concat());
        text.push_str("ruff = \"^0.1\"\n");
    }
    text.push_str(poetry_source(random));
    if random.below(4) == 0 {
        text = text.replace('\n', "\r\n");
    }
    text
}

fn pdm_project(random: &mut Random, index: u64, more: &str) -> String {
    let mut text = project(random, index);
    if random.below(3) > 0 {
        text.push_str(&groups(random));
    }
    text.push_str(more);
    if random.below(2) == 0 {
        let _ = write!(
            text,
            "[tool.pdm.dev-dependencies]\n\"Own.Group\" = {}\n",
            list(random)
        );
    }
    text.push_str(
        [
            "",
            "[[tool.pdm.source]]\nname = \"Gr\u{f6}\u{df}e\"\nurl = \"https://u:${PW}@i.example/s\"\nverify_ssl = false\n",
            "[[tool.pdm.source]]\nurl = 'https://i.example/s'\nname = 'pypi'\ninclude_packages = [\"b\", \"a*\"]\nweight = 1.50\nlevel = 0xff\ntiny = 1e-7\n",
        ][random.below(3)],
    );
    text.push_str(
        [
            "",
            "[tool.pdm.resolution]\nrespect-source-order = true\nexcludes = []\n",
            "[tool.pdm.resolution]\noverrides = {six = \"1.17\", \"zope.interface\" = '>=6'}\nallow-prereleases = false\n",
        ][random.below(3)],
    );
    text
}

#[test]
fn poetrys_hashes_are_those_of_each_release() {
    let root = TempDir::new().unwrap();
    let mut random = Random(4);
    let mut folders = Vec::new();
    for index in 0..PROJECTS * campaign() {
        let text = poetry_project(&mut random, index);
        folders.push(write(&root.path().join(index.to_string()), &text));
    }
    for (tool, form) in [
        ("poetry-1.8", poetry::Form::Legacy),
        ("poetry-2.0", poetry::Form::Project),
        ("poetry-2.2", poetry::Form::Project),
        ("poetry-2", poetry::Form::Groups),
    ] {
        let theirs = hashes(tool, POETRY, &folders);
        assert_eq!(theirs.len(), folders.len());
        for (folder, their) in theirs {
            let own = with_document(&folder, |document| poetry::content_hash(document, form));
            let text = std::fs::read_to_string(folder.join("pyproject.toml")).unwrap();
            assert_eq!(own, Some(their), "{tool}:\n{text}");
        }
    }
}

#[test]
fn pdms_hashes_are_those_of_pdm_with_workspaces() {
    let root = TempDir::new().unwrap();
    let mut random = Random(7);
    let mut folders = Vec::new();
    for index in 0..PROJECTS * campaign() {
        let folder = root.path().join(index.to_string());
        let workspace = [
            "",
            "",
            "[tool.pdm.workspace]\nmembers = [\"lib\", \"./packages/*\", \"missing\"]\n",
            "[tool.pdm.workspace]\nmembers = []\n",
        ][random.below(4)];
        for member in [
            "lib",
            "packages/b",
            "packages/a-\u{e9}",
            "packages/a/deeper",
        ] {
            write(&folder.join(member), &pdm_project(&mut random, index, ""));
        }
        folders.push(write(&folder, &pdm_project(&mut random, index, workspace)));
    }
    let theirs = hashes("pdm-2", PDM, &folders);
    assert_eq!(theirs.len(), folders.len());
    let mut workspaces = 0;
    for (folder, their) in theirs {
        let own = with_document(&folder, |document| {
            let Some(named) = pdm::members(document) else {
                return pdm::content_hash(document, pdm::Form::Groups);
            };
            workspaces += 1;
            let all = [
                "packages/b",
                "lib",
                "packages/a-\u{e9}",
                "packages/a/deeper",
                "missing",
            ];
            let members: Vec<(&str, Vec<u8>)> = all
                .into_iter()
                .filter(|member| pdm::is_member(&named, member))
                .filter_map(|member| {
                    let file = folder.join(member).join("pyproject.toml");
                    Some((member, std::fs::read(file).ok()?))
                })
                .collect();
            let read =
                |bytes| Document::read(bytes, &mut Faults::new(Format::Pdm, FileId::default()));
            pdm::workspace_hash(
                document,
                members.iter().map(|(path, bytes)| (*path, read(bytes))),
            )
        });
        let text = std::fs::read_to_string(folder.join("pyproject.toml")).unwrap();
        assert_eq!(own, Some(their), "{text}");
    }
    assert!(workspaces > 0, "no project is a workspace");
}
