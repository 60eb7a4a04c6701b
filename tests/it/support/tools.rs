//! The real tools that tests run, installed once from pinned, hashed lists.

use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::support::expect::root;

/// A program of the pinned Python tools: `ruff`, `zizmor`, `uv`, …
pub(crate) fn tool(name: &str) -> PathBuf {
    let program = environment().join("bin").join(name);
    assert!(
        program.is_file(),
        "`{name}` is not in tests/tools/requirements.txt"
    );
    program
}

/// The Python that has the pinned tools.
pub(crate) fn python() -> PathBuf {
    environment().join("bin/python")
}

/// The folder with the host runner, its packages installed.
pub(crate) fn runner() -> PathBuf {
    static READY: OnceLock<()> = OnceLock::new();
    let folder = root().join("tests/runner");
    READY.get_or_init(|| {
        once(
            &folder.join("node_modules/.installed"),
            &std::fs::read(folder.join("package-lock.json")).expect("a lock"),
            || {
                run(
                    Command::new("npm")
                        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
                        .current_dir(&folder),
                    "Node 20 with npm",
                );
            },
        );
    });
    folder
}

/// The environment with the tools of `tests/tools/requirements.txt`.
pub(crate) fn environment() -> &'static Path {
    static READY: OnceLock<PathBuf> = OnceLock::new();
    READY.get_or_init(|| {
        let list = root().join("tests/tools/requirements.txt");
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("tools");
        once(
            &folder.join(".installed"),
            &std::fs::read(&list).expect("a list of tools"),
            || {
                let _ = std::fs::remove_dir_all(&folder);
                run(
                    Command::new("python3").args(["-m", "venv"]).arg(&folder),
                    "Python 3.11 or newer with venv",
                );
                let mut install = Command::new(folder.join("bin/python"));
                install
                    .args([
                        "-m",
                        "pip",
                        "install",
                        "--quiet",
                        "--disable-pip-version-check",
                        "--require-hashes",
                        "-r",
                    ])
                    .arg(&list);
                run(&mut install, "a Python package index");
            },
        );
        folder
    })
}

/// Runs `make` unless `stamp` says that it ran for the same list; one process at a time.
pub(crate) fn once(stamp: &Path, list: &[u8], make: impl FnOnce()) {
    let guard = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!(
        "{}.lock",
        stamp
            .parent()
            .and_then(Path::file_name)
            .expect("a folder")
            .display()
    ));
    std::fs::create_dir_all(env!("CARGO_TARGET_TMPDIR")).expect("a folder for tools");
    let guard = File::create(guard).expect("a lock file");
    guard.lock().expect("the lock");
    if std::fs::read(stamp).is_ok_and(|installed| installed == list) {
        return;
    }
    make();
    std::fs::write(stamp, list).expect("the stamp");
}

pub(crate) fn run(command: &mut Command, needs: &str) {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("the tests need {needs}: {command:?}: {error}"));
    assert!(
        output.status.success(),
        "the tests need {needs}: {command:?}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// The way out of the network, for the installers that a job runs.
const NETWORK: &[&str] = &[
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "PIP_CERT",
    "PIP_DEFAULT_TIMEOUT",
    "PIP_INDEX_URL",
    "REQUESTS_CA_BUNDLE",
    "UV_DEFAULT_INDEX",
];

/// The way to the package registries, as this machine has it.
pub(crate) fn network() -> impl Iterator<Item = (&'static str, OsString)> {
    NETWORK
        .iter()
        .filter_map(|name| Some((*name, std::env::var_os(name)?)))
}
