//! Whether a lock of uv is stale: generated edits of what a project declares, judged by us and by the real `uv lock --check`.
//!
//! `LOCKGATE_CAMPAIGN=<n>` makes n times as many.

mod edits;
mod projects;
mod wider;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

use crate::support::lock_tools::lock_tool;
use crate::support::lockgate::Project;
use crate::support::tools::{python, tool};
use edits::EDITS;
use projects::{HEAD, INDEX, LIBRARY, PROJECTS};
use wider::WIDER;

/// How many edits the suite makes.
const IN_THE_SUITE: usize = 50;

/// What is true of locks as uv makes them here: the rule, and a part of what it says. Folders and the server publish no
/// hashes, the repository is one of this machine, and a backend computes what one project requires.
const USUAL: [(&str, &str); 7] = [
    ("hash-missing", "`alpha "),
    ("hash-missing", "`beta "),
    ("hash-missing", "`gamma "),
    ("hash-missing", "`delta "),
    ("hash-missing", "`epsilon "),
    ("absolute-path", "is a place of one machine"),
    (
        "sync-unverifiable",
        "a build backend computes what it requires",
    ),
];

/// Makes small wheels that depend on each other.
const WHEELS: &str = r#"
import os, sys, zipfile
os.makedirs(sys.argv[1])
for name, needs in [("alpha", ["epsilon>=1"]), ("beta", []), ("gamma", []), ("delta", ["gamma"]), ("epsilon", []), ("native", [])]:
    platform = "manylinux_2_28_x86_64" if name == "native" else "any"
    for version in ["1.0", "1.5", "2.0"]:
        info = f"{name}-{version}.dist-info"
        meta = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nProvides-Extra: fast\n"
        meta += "".join(f"Requires-Dist: {need}\n" for need in needs)
        with zipfile.ZipFile(f"{sys.argv[1]}/{name}-{version}-py3-none-{platform}.whl", "w") as wheel:
            wheel.writestr(f"{name}/__init__.py", "")
            wheel.writestr(f"{info}/METADATA", meta)
            wheel.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-{platform}\n")
            wheel.writestr(f"{info}/RECORD", "")
"#;

/// A file, what is replaced in it, and by what.
type Edit = (&'static str, &'static str, &'static str);

/// A project whose lock uv made.
struct Locked {
    name: &'static str,
    project: Project,
    files: BTreeMap<&'static str, String>,
    script: Option<&'static str>,
    edits: Vec<Edit>,
}

/// What all projects share: the cache of uv, the wheels, a server that has them, and a repository.
struct Shared {
    folder: tempfile::TempDir,
    server: Child,
    address: String,
    repository: String,
}

impl Drop for Shared {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

impl Shared {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let wheels = folder.path().join("wheels");
        let made = Command::new(python())
            .args(["-c", WHEELS])
            .arg(&wheels)
            .status();
        assert!(made.unwrap().success());
        for entry in std::fs::read_dir(&wheels).unwrap().flatten() {
            let name = entry.file_name().into_string().unwrap();
            let own = folder
                .path()
                .join("simple")
                .join(&name[..name.find('-').unwrap()]);
            std::fs::create_dir_all(&own).unwrap();
            std::fs::copy(entry.path(), own.join(&name)).unwrap();
        }
        let mut server = Command::new(python())
            .args(["-u", "-m", "http.server", "0", "--bind", "127.0.0.1"])
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(server.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let port = line
            .split_whitespace()
            .skip_while(|word| *word != "port")
            .nth(1);
        Self {
            server,
            address: format!("http://127.0.0.1:{}", port.unwrap()),
            repository: repository(&folder.path().join("remote")),
            folder,
        }
    }

    fn fill(&self, text: &str) -> String {
        text.replace("{head}", HEAD)
            .replace("{index}", INDEX)
            .replace("{server}", &self.address)
            .replace("{repository}", &self.repository)
    }

    /// Makes a project and its lock, which must be what uv calls fresh and we find nothing in.
    fn lock(
        &self,
        name: &'static str,
        files: BTreeMap<&'static str, String>,
        script: Option<&'static str>,
        edits: Vec<Edit>,
    ) -> Locked {
        let project = Project::empty();
        project.write("packages/lib/pyproject.toml", LIBRARY);
        for (path, text) in &files {
            project.write(path, text);
        }
        let wheels = self.folder.path().join("wheels");
        std::fs::create_dir_all(project.path().join("wheels")).unwrap();
        for entry in std::fs::read_dir(&wheels).unwrap().flatten() {
            let target = project.path().join("wheels").join(entry.file_name());
            std::fs::copy(entry.path(), target).unwrap();
        }
        // A backend that takes the version from the repository.
        if files.values().any(|text| text.contains("hatch-vcs")) {
            project.git(&["init", "--quiet", "--initial-branch=main"]);
            project.commit("a project");
            project.git(&["tag", "v1.0"]);
        }
        let mut locked = Locked {
            name,
            project,
            files,
            script,
            edits,
        };
        let output = self.uv(&locked, &[]);
        assert!(output.status.success(), "{name}: {output:?}");
        let lock = locked.lock();
        let text = std::fs::read_to_string(locked.project.path().join(&lock)).unwrap();
        if lock == "uv.lock" {
            locked.files.insert("uv.lock", text);
        }
        let found = locked.findings();
        let is_usual = |finding: &&Value| {
            let mut usual = USUAL.iter();
            usual.any(|(rule, part)| {
                finding["rule"] == *rule && finding["message"].as_str().unwrap().contains(part)
            })
        };
        let loud = found.iter().find(|finding| !is_usual(finding));
        assert!(loud.is_none(), "{name}: {loud:?}");
        locked
    }

    fn uv(&self, locked: &Locked, arguments: &[&str]) -> Output {
        let lock = locked.lock();
        let folder = Path::new(&lock).parent().unwrap();
        let cache = self.folder.path();
        let script = locked
            .script
            .into_iter()
            .flat_map(|script| ["--script", script]);
        Command::new(tool("uv"))
            .arg("lock")
            .args(arguments)
            .args(script)
            .args(["--no-progress", "--python"])
            .arg(lock_tool("build-backends").join("bin/python"))
            .current_dir(locked.project.path().join(folder))
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", cache)
            .env("UV_CACHE_DIR", cache.join("cache"))
            .output()
            .unwrap()
    }
}

impl Locked {
    /// The path of the lock.
    fn lock(&self) -> String {
        if let Some(script) = self.script {
            return format!("{script}.lock");
        }
        if self.files.contains_key("sub/pyproject.toml") {
            return "sub/uv.lock".to_owned();
        }
        "uv.lock".to_owned()
    }

    /// Writes all files with these edits; what an edit adds is gone with the next ones.
    fn write(&self, edits: &[Edit], shared: &Shared) {
        let mut files = self.files.clone();
        for (file, ..) in &self.edits {
            let path = self.project.path().join(file);
            if !files.contains_key(file) && path.exists() && *file != "packages/lib/pyproject.toml"
            {
                std::fs::remove_file(path).unwrap();
            }
        }
        files.insert("packages/lib/pyproject.toml", LIBRARY.to_owned());
        for (file, from, to) in edits {
            let (from, to) = (shared.fill(from), shared.fill(to));
            let text = files.entry(file).or_default();
            *text = if from.is_empty() {
                format!("{text}{to}")
            } else {
                text.replacen(&from, &to, 1)
            };
        }
        for (file, text) in &files {
            self.project.write(file, text);
        }
    }

    /// All that is found.
    fn findings(&self) -> Vec<Value> {
        let lock = self.lock();
        let run = self
            .project
            .run(&["lockfile-verify", "--output-format=json", &lock]);
        run.json()["findings"].as_array().unwrap().clone()
    }

    /// What was found about being in sync, and whether that cannot be told.
    fn ours(&self) -> (Vec<String>, bool) {
        let (mut stale, mut unknown) = (Vec::new(), false);
        for finding in self.findings() {
            let rule = finding["rule"].as_str().unwrap();
            if rule == "sync-unverifiable" {
                unknown = true;
            } else if rule.starts_with("sync-") || rule == "version-missing" {
                stale.push(format!("{rule}: {}", finding["message"].as_str().unwrap()));
            } else {
                assert_ne!(rule, "syntax", "{}: {finding}", self.name);
            }
        }
        (stale, unknown)
    }
}

/// A repository with a project in two versions, as a URL.
fn repository(folder: &Path) -> String {
    std::fs::create_dir_all(folder).unwrap();
    let git = |arguments: &[&str]| {
        let output = Command::new("git")
            .args(["-c", "user.name=t", "-c", "user.email=t@example.invalid"])
            .args(arguments)
            .current_dir(folder)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
    };
    git(&["init", "--quiet", "--initial-branch=main"]);
    for (version, tag) in [("0.1.0", "v1"), ("0.2.0", "v2")] {
        let text = format!(
            "[project]\nname = \"remote\"\nversion = \"{version}\"\ndependencies = [\"gamma\"]\n"
        );
        std::fs::write(folder.join("pyproject.toml"), text).unwrap();
        git(&["add", "."]);
        git(&["commit", "--quiet", "-m", version]);
        git(&["tag", tag]);
    }
    format!("file://{}", folder.display())
}

/// The edits that a text has a place for, without a table twice.
fn fitting(text: &str) -> Vec<Edit> {
    let fits = |(file, from, to): &&Edit| match *file {
        "pyproject.toml" => {
            let first = to.lines().next().unwrap_or_default();
            text.contains(from) && !(first.starts_with('[') && text.contains(first))
        }
        _ => text.contains("packages/"),
    };
    EDITS.iter().filter(fits).copied().collect()
}

/// All projects, locked.
fn all(shared: &Shared) -> Vec<Locked> {
    let plain = PROJECTS.iter().map(|(name, middle)| {
        let text = format!("{HEAD}{middle}{INDEX}");
        let edits = fitting(&text);
        shared.lock(
            name,
            BTreeMap::from([("pyproject.toml", text)]),
            None,
            edits,
        )
    });
    let wider = WIDER.iter().map(|wider| {
        let files = wider.files.iter();
        let files = files
            .map(|(path, text)| (*path, shared.fill(text)))
            .collect();
        shared.lock(wider.name, files, wider.script(), wider.edits.to_vec())
    });
    plain.chain(wider).collect()
}

#[test]
#[expect(
    clippy::print_stderr,
    reason = "the figures are the point of a campaign"
)]
fn what_is_stale_is_what_uv_says() {
    let campaign = std::env::var("LOCKGATE_CAMPAIGN").ok();
    let factor: usize = campaign.map_or(1, |factor| factor.parse().unwrap());
    let shared = Shared::new();
    let projects = all(&shared);
    let mut cases = Vec::new();
    for (at, locked) in projects.iter().enumerate() {
        // As it is; then with each edit alone, then with each and another one; in a long campaign with more others.
        cases.push((at, Vec::new(), 0));
        let own = &locked.edits;
        for (number, edit) in own.iter().enumerate() {
            cases.push((at, vec![*edit], number));
            for round in 0..=(factor / 20) {
                let other = own[(number * 7 + 3 + round * 5) % own.len()];
                if other != *edit {
                    cases.push((at, vec![*edit, other], number + 1_000));
                }
            }
        }
    }
    // Mixed, so that few of them are of all projects.
    cases.sort_by_key(|(project, edits, at)| (at * 31 + project * 17 + edits.len() * 13) % 101);
    let mut figures: BTreeMap<&str, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for (at, edits, _) in cases.iter().take(IN_THE_SUITE * factor) {
        let locked = &projects[*at];
        locked.write(edits, &shared);
        let (stale, unknown) = locked.ours();
        let output = shared.uv(locked, &["--check", "--offline"]);
        let code = output.status.code();
        let kind = match (code, stale.is_empty(), unknown) {
            (Some(2), ..) => "left out: uv gives no answer",
            (Some(1), false, _) => "stale",
            (Some(0), true, false) => "fresh",
            (_, true, true) => "cannot be verified statically",
            _ => {
                let name = locked.name;
                let said = String::from_utf8_lossy(&output.stderr);
                let said = said.lines().last().unwrap_or_default();
                wrong.push(format!(
                    "{name}: {edits:?}: uv {code:?} ({said}), we {stale:?}"
                ));
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
