//! The shape of the house: who may use whom, what is pure, and that no test file is forgotten.

use std::path::Path;

use crate::support::expect::{files_below, root};

/// Each room, and the rooms that it may use. `error` and the crate's version are everybody's.
const ARROWS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("error", &[]),
    ("linters", &["model"]),
    ("baseline", &["linters", "model"]),
    ("lockfiles", &["model"]),
    ("packages", &["lockfiles", "model"]),
    ("report", &["model"]),
    ("pipeline", &["globs", "model"]),
    ("deploy", &["pipeline", "model"]),
    ("globs", &[]),
    ("system", &["globs", "model"]),
    ("archive", &["system", "model"]),
    ("stores", &["system", "model"]),
    ("github", &["system", "model"]),
    (
        "targets",
        &[
            "archive",
            "stores",
            "github",
            "packages",
            "lockfiles",
            "system",
            "model",
        ],
    ),
    (
        "steps",
        &[
            "targets",
            "archive",
            "stores",
            "github",
            "globs",
            "system",
            "baseline",
            "deploy",
            "linters",
            "lockfiles",
            "packages",
            "pipeline",
            "report",
            "model",
        ],
    ),
    (
        "fuzzing",
        &[
            "archive",
            "globs",
            "linters",
            "lockfiles",
            "packages",
            "pipeline",
            "stores",
            "system",
            "targets",
            "model",
        ],
    ),
    ("cli", &["steps", "report", "github", "system", "model"]),
];

/// Rooms that touch nothing outside of memory.
const PURE: &[&str] = &[
    "model",
    "globs",
    "linters",
    "baseline",
    "lockfiles",
    "packages",
    "pipeline",
    "deploy",
    "report",
];

/// What a pure room must not name.
const IMPURE: &[&str] = &[
    "tokio",
    "reqwest",
    "std::fs",
    "std::env",
    "std::process",
    "std::net",
    "std::thread",
];

fn room(path: &Path) -> String {
    let inside = path.strip_prefix(root().join("src")).unwrap();
    let first = inside
        .components()
        .next()
        .unwrap()
        .as_os_str()
        .to_str()
        .unwrap();
    first.trim_end_matches(".rs").to_owned()
}

/// The code of a file without its inline tests and comments.
fn code(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
    let code = code
        .split("#[cfg(test)]\npub(crate) mod tests")
        .next()
        .unwrap();
    code.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n")
}

fn sources() -> Vec<std::path::PathBuf> {
    files_below("src")
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}

#[test]
fn arrows_point_down_only() {
    for path in sources() {
        let room = room(&path);
        let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == room) else {
            assert!(
                room == "lib" || room == "main",
                "{}: a room that ARROWS does not know",
                path.display()
            );
            continue;
        };
        let code = code(&path);
        for part in code.split("crate::").skip(1) {
            let used: String = part
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect();
            let fine = used == room
                || used == "error"
                || used == "VERSION"
                || allowed.contains(&used.as_str())
                || used.is_empty();
            assert!(fine, "{}: `{room}` must not use `{used}`", path.display());
        }
    }
}

#[test]
fn steps_do_not_know_each_other() {
    let steps: Vec<&str> = lockgate::steps::Step::names().to_vec();
    for path in sources()
        .into_iter()
        .filter(|path| path.starts_with(root().join("src/steps")))
    {
        let inside = path.strip_prefix(root().join("src/steps")).unwrap();
        let own = inside
            .components()
            .next()
            .unwrap()
            .as_os_str()
            .to_str()
            .unwrap()
            .replace('_', "-");
        if !steps.contains(&own.as_str()) {
            continue;
        }
        for step in steps.iter().filter(|step| **step != own) {
            let theirs = format!("steps::{}::", step.replace('-', "_"));
            assert!(!code(&path).contains(&theirs), "{}", path.display());
        }
    }
}

#[test]
fn pure_rooms_touch_nothing_outside_of_memory() {
    for path in sources()
        .into_iter()
        .filter(|path| PURE.contains(&room(path).as_str()))
    {
        for impure in IMPURE {
            assert!(
                !code(&path).contains(impure),
                "{}: `{impure}`",
                path.display()
            );
        }
    }
}

#[test]
fn the_public_index_is_named_nowhere_but_in_its_one_place() {
    let own = root().join("src/lockfiles/public_index.rs");
    for path in sources().into_iter().filter(|path| *path != own) {
        for host in [concat!("pypi", ".org"), concat!("pythonhosted", ".org")] {
            assert!(
                !std::fs::read_to_string(&path).unwrap().contains(host),
                "{}: {host}",
                path.display()
            );
        }
    }
}

#[test]
fn octocrab_is_known_by_one_file() {
    let own = root().join("src/github/api/client.rs");
    assert!(code(&own).contains("octocrab::"));
    for path in sources().into_iter().filter(|path| *path != own) {
        assert!(!code(&path).contains("octocrab"), "{}", path.display());
    }
}

#[test]
fn no_test_file_is_forgotten() {
    let main = std::fs::read_to_string(root().join("tests/it/main.rs")).unwrap();
    for entry in std::fs::read_dir(root().join("tests/it"))
        .unwrap()
        .flatten()
    {
        let name = entry.file_name().into_string().unwrap();
        let module = name.trim_end_matches(".rs");
        if module != "main" {
            assert!(
                main.contains(&format!("mod {module};")),
                "`{name}` is in no module"
            );
        }
    }
}

#[test]
fn there_are_no_symbolic_links_and_no_machine_paths() {
    let output = std::process::Command::new("git")
        .args(["ls-files", "-s", "-z"])
        .current_dir(root())
        .output()
        .unwrap();
    let listing = String::from_utf8_lossy(&output.stdout).into_owned();
    for entry in listing.split('\0').filter(|entry| !entry.is_empty()) {
        assert!(
            !entry.starts_with("120000"),
            "a symbolic link breaks archives of actions: {entry}"
        );
    }
}
