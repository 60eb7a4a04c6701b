//! Files that are generated from the code: compared by tests, rewritten by `UPDATE_EXPECT=1 cargo test`.

use std::path::{Path, PathBuf};

/// The root of the repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Whether generated files are rewritten now.
fn updates() -> bool {
    std::env::var_os("UPDATE_EXPECT").is_some()
}

/// The file must have this content.
pub(crate) fn file(relative: &str, expected: &str) {
    let path = root().join(relative);
    let actual = std::fs::read_to_string(&path).unwrap_or_default();
    if updates() && actual != expected {
        std::fs::create_dir_all(path.parent().expect("a file has a folder"))
            .expect("the folder can be made");
        std::fs::write(&path, expected).expect("the file can be written");
        return;
    }
    assert!(
        actual == expected,
        "`{relative}` is not what the code says: run `UPDATE_EXPECT=1 cargo test`\n{}",
        first_difference(&actual, expected)
    );
}

/// The part of the file between `<!-- name -->` and `<!-- /name -->` must be this.
pub(crate) fn part(relative: &str, name: &str, expected: &str) {
    let text = std::fs::read_to_string(root().join(relative)).unwrap_or_default();
    let (open, close) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let start = text
        .find(&open)
        .unwrap_or_else(|| panic!("`{relative}` has no {open}"))
        + open.len();
    let end = start
        + text[start..]
            .find(&close)
            .unwrap_or_else(|| panic!("`{relative}` has no {close}"));
    file(
        relative,
        &format!("{}{expected}{}", &text[..start], &text[end..]),
    );
}

fn first_difference(actual: &str, expected: &str) -> String {
    let mut lines = actual.lines().zip(expected.lines()).enumerate();
    match lines.find(|(_, (left, right))| left != right) {
        Some((at, (left, right))) => {
            format!("line {}:\n  is:     {left}\n  wanted: {right}", at + 1)
        }
        None => format!(
            "lengths differ: {} and {} lines",
            actual.lines().count(),
            expected.lines().count()
        ),
    }
}

/// Every file below a folder, but for what tools leave behind.
pub(crate) fn files_below(relative: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(relative)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            if [
                "node_modules",
                "target",
                ".git",
                "__pycache__",
                ".venv",
                ".mypy_cache",
                ".ruff_cache",
            ]
            .iter()
            .any(|left| name == *left)
            {
                continue;
            }
            if entry.path().is_dir() {
                folders.push(entry.path());
            } else {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    found
}
