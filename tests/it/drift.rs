//! The fixtures are what the tools print today: every tool that the registries offer is run again, at its pinned
//! version, and each byte compared. A new version is a new folder, made by `tests/fixtures/make.sh`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use lockgate::linters::Tool;

use crate::support::expect::{files_below, root};
use crate::support::tools::environment;

/// Cases that need another set of tools than the pinned one: they are made by hand, as make.sh says.
const BY_HAND: &[&str] = &["pyright/1.1.414/no-node", "ruff-format/0.15.0"];

/// Cases whose files a tool looks at in parallel and tells of in the order in which it is done with them.
const IN_ANY_ORDER: &[&str] = &["black/26.10.1/syntax-error/stderr"];

/// What two recordings of one file are compared by.
fn comparable(name: &str, bytes: Option<&Vec<u8>>) -> Option<Vec<Vec<u8>>> {
    let mut lines: Vec<Vec<u8>> = bytes?
        .split(|byte| *byte == b'\n')
        .map(<[u8]>::to_vec)
        .collect();
    if IN_ANY_ORDER.contains(&name) {
        lines.sort();
    }
    Some(lines)
}

/// The files of a tool's fixtures, by path below `folder`.
fn files(folder: &Path, tool: &str) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut waiting: Vec<PathBuf> = vec![folder.join(tool)];
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            let entries = std::fs::read_dir(&path).expect("a folder");
            waiting.extend(entries.map(|entry| entry.expect("an entry").path()));
            continue;
        }
        let name = path
            .strip_prefix(folder)
            .expect("inside")
            .display()
            .to_string();
        if BY_HAND.iter().all(|case| !name.starts_with(case)) {
            found.insert(name, std::fs::read(&path).expect("a file"));
        }
    }
    found
}

/// What differs between the fixtures of a tool and what it prints now.
fn drift(tool: &str) -> Vec<String> {
    let made = tempfile::tempdir().expect("a folder");
    let path = format!(
        "{}:{}",
        environment().join("bin").display(),
        std::env::var("PATH").expect("a PATH")
    );
    let output = Command::new("bash")
        .arg(root().join("tests/fixtures/make.sh"))
        .arg(tool)
        .current_dir(made.path())
        .env("FIXTURES", made.path())
        .env("PATH", path)
        .env("HOME", made.path())
        .output()
        .expect("bash");
    if !output.status.success() {
        return vec![format!(
            "{tool}: make.sh failed: {}",
            String::from_utf8_lossy(&output.stderr)
        )];
    }
    let (recorded, now) = (
        files(&root().join("tests/fixtures"), tool),
        files(made.path(), tool),
    );
    let names: std::collections::BTreeSet<&String> = recorded.keys().chain(now.keys()).collect();
    names
        .into_iter()
        .filter(|name| comparable(name, recorded.get(*name)) != comparable(name, now.get(*name)))
        .map(|name| {
            let show = |side: Option<&Vec<u8>>| {
                side.map_or_else(
                    || "(no such file)".to_owned(),
                    |bytes| String::from_utf8_lossy(bytes).into_owned(),
                )
            };
            format!(
                "{name}\n--- recorded\n{}\n--- now\n{}",
                show(recorded.get(name)),
                show(now.get(name))
            )
        })
        .collect()
}

#[test]
fn every_tool_still_prints_what_was_recorded() {
    let waiting = Mutex::new(Tool::ALL.map(Tool::name).to_vec());
    let drifted = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let Some(tool) = waiting.lock().expect("a lock").pop() else {
                        return;
                    };
                    let found = drift(tool);
                    drifted.lock().expect("a lock").extend(found);
                }
            });
        }
    });
    let drifted = drifted.into_inner().expect("a lock");
    assert!(
        drifted.is_empty(),
        "{} files differ:\n{}",
        drifted.len(),
        drifted.join("\n\n")
    );
}

#[test]
fn each_tool_is_recorded_at_the_version_that_is_pinned() {
    let pins = std::fs::read_to_string(root().join("tests/tools/requirements.in")).expect("pins");
    for tool in Tool::ALL {
        let pin = pins
            .lines()
            .find_map(|line| line.strip_prefix(&format!("{}==", tool.package())));
        let pin = pin.unwrap_or_else(|| panic!("{} is not pinned", tool.package()));
        let folder = root().join("tests/fixtures").join(tool.name());
        let versions: Vec<String> = std::fs::read_dir(&folder)
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
            .map(|entry| {
                entry
                    .expect("an entry")
                    .file_name()
                    .into_string()
                    .expect("a name")
            })
            .collect();
        assert!(
            versions
                .iter()
                .any(|version| pin.starts_with(version.as_str())),
            "{}: {pin} is pinned, {versions:?} recorded",
            tool.name()
        );
        assert!(!files_below(&format!("tests/fixtures/{}", tool.name())).is_empty());
    }
}
