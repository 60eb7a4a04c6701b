//! The real tools that make lockfiles, each release in an environment of its own: their requirements exclude each other.

use std::path::{Path, PathBuf};
use std::process::Command;

use lockgate::lockfiles::public_index::SIMPLE_API;

use crate::support::expect::root;
use crate::support::tools::{once, run, tool};

/// The environment of a tool that writes locks, made once from `tests/tools/locks/<name>.txt`: `poetry-1.8`, `pdm-2`.
/// Its programs are in `bin`.
pub(crate) fn lock_tool(name: &str) -> PathBuf {
    let list = root().join("tests/tools/locks").join(format!("{name}.txt"));
    let content = std::fs::read(&list)
        .unwrap_or_else(|error| panic!("no tool `{name}`: {}: {error}", list.display()));
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("lock-tools")
        .join(name);
    once(&folder.join(".installed"), &content, || {
        let _ = std::fs::remove_dir_all(&folder);
        run(
            uv().args(["venv", "--quiet", "--no-project", "--python", "python3"])
                .arg(&folder),
            "Python 3.11 or newer",
        );
        run(
            uv().args(["pip", "install", "--quiet", "--require-hashes", "--python"])
                .arg(folder.join("bin/python"))
                .arg("-r")
                .arg(&list),
            "a Python package index",
        );
    });
    folder
}

/// The index that locks are made from, by its simple API.
pub(crate) fn index() -> String {
    let own = ["UV_DEFAULT_INDEX", "PIP_INDEX_URL"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok());
    own.unwrap_or_else(|| SIMPLE_API.to_owned())
}

/// uv without the user's configuration.
fn uv() -> Command {
    let mut uv = Command::new(tool("uv"));
    uv.env("UV_NO_CONFIG", "1");
    uv
}
