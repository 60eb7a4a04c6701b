//! Whether a lock of uv is stale: generated edits of `pyproject.toml`, judged by us and by the real `uv lock --check`.
//!
//! `LOCKGATE_CAMPAIGN=<n>` makes n times as many.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};

use crate::support::lockgate::Project;
use crate::support::tools::{python, tool};

/// How many edits the suite makes.
const IN_THE_SUITE: usize = 60;

/// Makes small wheels that depend on each other.
const WHEELS: &str = r#"
import os, sys, zipfile
os.makedirs(sys.argv[1])
for name, needs in [("alpha", ["epsilon>=1"]), ("beta", []), ("gamma", []), ("delta", ["gamma"]), ("epsilon", [])]:
    for version in ["1.0", "1.5", "2.0"]:
        info = f"{name}-{version}.dist-info"
        meta = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nProvides-Extra: fast\n"
        meta += "".join(f"Requires-Dist: {need}\n" for need in needs)
        with zipfile.ZipFile(f"{sys.argv[1]}/{name}-{version}-py3-none-any.whl", "w") as wheel:
            wheel.writestr(f"{name}/__init__.py", "")
            wheel.writestr(f"{info}/METADATA", meta)
            wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{info}/RECORD", "")
"#;

const INDEX: &str = r#"
[[tool.uv.index]]
name = "local"
url = "wheels"
format = "flat"
default = true
"#;

const HEAD: &str = "[project]\nname = \"app\"\nversion = \"0.1.0\"\nrequires-python = \">=3.11\"\n";

const LIBRARY: &str = "[project]\nname = \"lib\"\nversion = \"0.3.0\"\nrequires-python = \">=3.11\"\ndependencies = [\"beta>=1.0\"]\n";

/// What stands behind the head and before the index, for each project; all have the library beside them.
const PROJECTS: &[(&str, &str)] = &[
    ("plain", "dependencies = [\"alpha>=1.0\", \"beta\"]\n"),
    (
        "extras",
        "dependencies = [\"alpha[fast]>=1.0\"]\n[project.optional-dependencies]\nweb = [\"beta>=1.0\"]\ncli = [\"gamma\"]\nempty = []\n",
    ),
    (
        "groups",
        "dependencies = [\"alpha>=1.0\"]\n[dependency-groups]\ndev = [{ include-group = \"lint\" }, \"delta\"]\nlint = [\"beta>=1.0\"]\nnone = []\n",
    ),
    (
        "workspace",
        "dependencies = [\"alpha>=1.0\", \"lib\"]\n[tool.uv.workspace]\nmembers = [\"packages/*\"]\n[tool.uv.sources]\nlib = { workspace = true }\n",
    ),
    (
        "sources",
        "dependencies = [\"alpha>=1.0\", \"gamma\"]\n[tool.uv.sources]\ngamma = [{ index = \"local\", marker = \"sys_platform == 'linux'\" }]\n",
    ),
    (
        "markers",
        "dependencies = [\"alpha>=1.0; python_version >= '3.12'\", \"beta>=1.0; platform_system == 'Windows' or os_name == 'posix'\"]\n",
    ),
    (
        "constraints",
        "dependencies = [\"alpha>=1.0\"]\n[tool.uv]\nconstraint-dependencies = [\"epsilon<2\"]\nbuild-constraint-dependencies = [\"beta<2\"]\n",
    ),
    (
        "overrides",
        "dependencies = [\"alpha>=1.0\", \"delta\"]\n[tool.uv]\noverride-dependencies = [\"gamma==1.5\"]\nexclude-dependencies = [\"epsilon\"]\n",
    ),
    (
        "conflicts",
        "dependencies = [\"alpha>=1.0\"]\n[project.optional-dependencies]\nold = [\"beta==1.0\"]\nnew = [\"beta==2.0\"]\n[tool.uv]\nconflicts = [[{ extra = \"old\" }, { extra = \"new\" }]]\n",
    ),
    (
        "options",
        "dependencies = [\"alpha>=1.0\"]\n[tool.uv]\nresolution = \"lowest-direct\"\nexclude-newer = \"2030-01-01T00:00:00Z\"\nenvironments = [\"sys_platform == 'linux'\"]\n",
    ),
    (
        "path",
        "dependencies = [\"alpha>=1.0\", \"lib\"]\n[tool.uv.sources]\nlib = { path = \"packages/lib\", editable = true }\n",
    ),
    (
        "dynamic",
        "dependencies = [\"alpha>=1.0\"]\n[tool.uv]\npackage = false\n",
    ),
];

/// Edits: the file, what is replaced, and by what. Those whose text is not there are not made.
const EDITS: &[(&str, &str, &str)] = &[
    ("pyproject.toml", "alpha>=1.0", "Alpha >= 1.0"),
    ("pyproject.toml", "alpha>=1.0", "alpha>=1.0.0"),
    ("pyproject.toml", "alpha>=1.0", "alpha>=1"),
    ("pyproject.toml", "alpha>=1.0", "alpha>=1.5"),
    ("pyproject.toml", "alpha>=1.0", "alpha>=9"),
    ("pyproject.toml", "alpha>=1.0", "alpha>=1.0,<3"),
    ("pyproject.toml", "alpha>=1.0", "alpha[fast]>=1.0"),
    ("pyproject.toml", "alpha[fast]", "alpha[FAST]"),
    ("pyproject.toml", "[\"alpha", "[\"epsilon\", \"alpha"),
    (
        "pyproject.toml",
        "\"beta\"",
        "\"beta; python_version >= '3.8'\"",
    ),
    (
        "pyproject.toml",
        "\"beta\"",
        "\"beta; python_version >= '3.12'\"",
    ),
    (
        "pyproject.toml",
        "\"beta\"",
        "\"beta; sys_platform == 'win32'\"",
    ),
    ("pyproject.toml", "\"beta>=1.0\"", "\"beta>=1.5\""),
    ("pyproject.toml", ", \"beta\"", ""),
    ("pyproject.toml", ", \"gamma\"", ""),
    ("pyproject.toml", "0.1.0", "0.1.1"),
    ("pyproject.toml", "0.1.0", "0.1"),
    ("pyproject.toml", "\"app\"", "\"App\""),
    ("pyproject.toml", "\"app\"", "\"other\""),
    ("pyproject.toml", ">=3.11", ">=3.11.0"),
    ("pyproject.toml", ">=3.11", ">=3.11,<4"),
    ("pyproject.toml", ">=3.11", ">=3.10"),
    (
        "pyproject.toml",
        "version = \"0.1.0\"",
        "version = \"0.1.0\"\ndescription = \"text\"",
    ),
    ("pyproject.toml", "empty = []", "Empty = []"),
    ("pyproject.toml", "empty = []\n", ""),
    ("pyproject.toml", "cli = ", "tui = "),
    ("pyproject.toml", "none = []\n", ""),
    ("pyproject.toml", "lint = [", "lint = [\"gamma\", "),
    ("pyproject.toml", "\"delta\"]", "]"),
    (
        "pyproject.toml",
        "{ workspace = true }",
        "{ workspace = true, editable = false }",
    ),
    (
        "pyproject.toml",
        "{ workspace = true }",
        "{ path = \"packages/lib\" }",
    ),
    ("pyproject.toml", ", editable = true", ""),
    ("pyproject.toml", "packages/*", "packages/l*"),
    (
        "pyproject.toml",
        "sys_platform == 'linux'",
        "platform_system == 'Linux'",
    ),
    (
        "pyproject.toml",
        "sys_platform == 'linux'",
        "sys_platform == 'darwin'",
    ),
    (
        "pyproject.toml",
        "python_version >= '3.12'",
        "python_full_version >= '3.12'",
    ),
    (
        "pyproject.toml",
        "python_version >= '3.12'",
        "python_version > '3.11'",
    ),
    (
        "pyproject.toml",
        "python_version >= '3.12'",
        "python_version >= '3.13'",
    ),
    (
        "pyproject.toml",
        "platform_system == 'Windows' or os_name == 'posix'",
        "os_name == 'posix' or sys_platform == 'win32'",
    ),
    ("pyproject.toml", "epsilon<2", "Epsilon < 2.0"),
    ("pyproject.toml", "epsilon<2", "epsilon<1.6"),
    ("pyproject.toml", "beta<2", "beta<3"),
    ("pyproject.toml", "gamma==1.5", "gamma==1.5.0"),
    ("pyproject.toml", "gamma==1.5", "gamma==1.0"),
    ("pyproject.toml", "[\"epsilon\"]", "[\"Epsilon\"]"),
    ("pyproject.toml", "[\"epsilon\"]", "[]"),
    (
        "pyproject.toml",
        "{ extra = \"old\" }, { extra = \"new\" }",
        "{ extra = \"new\" }, { extra = \"old\" }",
    ),
    (
        "pyproject.toml",
        "{ extra = \"old\" }",
        "{ package = \"app\", extra = \"old\" }",
    ),
    ("pyproject.toml", "lowest-direct", "highest"),
    (
        "pyproject.toml",
        "2030-01-01T00:00:00Z",
        "2030-01-01T02:00:00+02:00",
    ),
    (
        "pyproject.toml",
        "2030-01-01T00:00:00Z",
        "2031-01-01T00:00:00Z",
    ),
    (
        "pyproject.toml",
        "[[tool.uv.index]]",
        "[build-system]\nrequires = []\n[[tool.uv.index]]",
    ),
    (
        "pyproject.toml",
        "[[tool.uv.index]]",
        "[dependency-groups]\nfresh = []\n[[tool.uv.index]]",
    ),
    (
        "pyproject.toml",
        "[[tool.uv.index]]",
        "[project.optional-dependencies]\nfresh = [\"gamma\"]\n[[tool.uv.index]]",
    ),
    (
        "pyproject.toml",
        "[[tool.uv.index]]",
        "[tool.other]\nkey = 1\n[[tool.uv.index]]",
    ),
    (
        "pyproject.toml",
        "[[tool.uv.index]]",
        "# a comment\n[[tool.uv.index]]",
    ),
    ("pyproject.toml", "package = false", "package = true"),
    ("packages/lib/pyproject.toml", "beta>=1.0", "beta >= 1.0"),
    ("packages/lib/pyproject.toml", "beta>=1.0", "beta>=2.0"),
    ("packages/lib/pyproject.toml", "0.3.0", "0.4.0"),
    ("packages/lib/pyproject.toml", "\"lib\"", "\"library\""),
];

fn uv(folder: &Path, cache: &Path, arguments: &[&str]) -> Output {
    Command::new(tool("uv"))
        .args(arguments)
        .args(["--offline", "--no-progress", "--python"])
        .arg(python())
        .current_dir(folder)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", cache)
        .env("UV_CACHE_DIR", cache)
        .output()
        .unwrap()
}

/// What was found about being in sync, and whether that cannot be told.
fn ours(project: &Project) -> (Vec<String>, bool) {
    let run = project.run(&["lockfile-verify", "--output-format=json", "uv.lock"]);
    let report = run.json();
    let findings = report["findings"].as_array().unwrap();
    let (mut stale, mut unknown) = (Vec::new(), false);
    for finding in findings {
        let rule = finding["rule"].as_str().unwrap();
        if rule == "sync-unverifiable" {
            unknown = true;
        } else if rule.starts_with("sync-") {
            stale.push(format!("{rule}: {}", finding["message"].as_str().unwrap()));
        }
    }
    (stale, unknown)
}

#[test]
#[expect(
    clippy::print_stderr,
    reason = "the figures are the point of a campaign"
)]
fn what_is_stale_is_what_uv_says() {
    let campaign = std::env::var("LOCKGATE_CAMPAIGN").ok();
    let factor: usize = campaign.map_or(1, |factor| factor.parse().unwrap());
    let shared = tempfile::tempdir().unwrap();
    let wheels = shared.path().join("wheels");
    let made = Command::new(python())
        .args(["-c", WHEELS])
        .arg(&wheels)
        .status();
    assert!(made.unwrap().success());
    let mut cases = Vec::new();
    let mut projects = Vec::new();
    for (name, middle) in PROJECTS {
        let project = Project::empty();
        let text = format!("{HEAD}{middle}{INDEX}");
        project.write("packages/lib/pyproject.toml", LIBRARY);
        project.write("pyproject.toml", &text);
        std::fs::create_dir_all(project.path().join("wheels")).unwrap();
        for entry in std::fs::read_dir(&wheels).unwrap().flatten() {
            let target = project.path().join("wheels").join(entry.file_name());
            std::fs::copy(entry.path(), target).unwrap();
        }
        let output = uv(&project.path(), shared.path(), &["lock"]);
        assert!(output.status.success(), "{name}: {output:?}");
        let (stale, unknown) = ours(&project);
        assert!(stale.is_empty() && !unknown, "{name}: {stale:?}");
        let own: Vec<_> = EDITS
            .iter()
            .filter(|(file, from, to)| match *file {
                // No table twice.
                "pyproject.toml" => {
                    let first = to.lines().next().unwrap_or_default();
                    text.contains(from) && !(first.starts_with('[') && text.contains(first))
                }
                _ => text.contains("packages/"),
            })
            .collect();
        // Each alone, then each with another one.
        for (at, edit) in own.iter().enumerate() {
            cases.push((projects.len(), vec![*edit], at));
            let other = own[(at * 7 + 3) % own.len()];
            if other != *edit {
                cases.push((projects.len(), vec![*edit, other], at + 1_000));
            }
        }
        projects.push((name, project, text));
    }
    // Mixed, so that few of them are of all projects.
    cases.sort_by_key(|(project, edits, at)| (at * 31 + project * 17 + edits.len() * 13) % 101);
    let mut figures: BTreeMap<&str, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for (at, edits, _) in cases.iter().take(IN_THE_SUITE * factor) {
        let (name, project, text) = &projects[*at];
        let mut files = BTreeMap::from([
            ("pyproject.toml", text.clone()),
            ("packages/lib/pyproject.toml", LIBRARY.to_owned()),
        ]);
        for (file, from, to) in edits {
            let edited = files[file].replacen(from, to, 1);
            files.insert(file, edited);
        }
        for (file, text) in &files {
            project.write(file, text);
        }
        let code = uv(&project.path(), shared.path(), &["lock", "--check"])
            .status
            .code();
        let (stale, unknown) = ours(project);
        let kind = match (code, stale.is_empty(), unknown) {
            (Some(2), ..) => "left out: uv gives no answer",
            (Some(1), false, _) => "stale",
            (Some(0), true, false) => "fresh",
            (_, true, true) => "cannot be verified statically",
            _ => {
                wrong.push(format!("{name}: {edits:?}: uv {code:?}, we {stale:?}"));
                "wrong"
            }
        };
        *figures.entry(kind).or_default() += 1;
    }
    eprintln!("of {} edits: {figures:#?}", cases.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let count = |kind: &str| figures.get(kind).copied().unwrap_or(0);
    assert!(count("stale") > 0 && count("fresh") > 0);
    let judged = figures.values().sum::<usize>() - count("left out: uv gives no answer");
    assert!(count("cannot be verified statically") * 20 <= judged);
}
