//! The wheel of the binary, and the hooks that are made from it.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::support::expect::root;
use crate::support::lockgate::BINARY;
use crate::support::tools;

/// Runs a command to its end, which must be a good one; returns what it printed.
#[track_caller]
fn run(command: &mut Command) -> String {
    let output = command.output().expect("the program");
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.status.success(), "{command:?}\n{text}");
    text
}

/// Gives a build elsewhere the compiled dependencies of this one. Not in place: the wheel's binary is another one, and
/// would take the place of the binary under test.
fn share_dependencies(to: &Path) {
    let from = Path::new(BINARY).parent().expect("a folder");
    for (name, as_link) in [(".fingerprint", false), ("build", false), ("deps", true)] {
        copy(&from.join(name), &to.join(name), as_link);
    }
}

fn copy(from: &Path, to: &Path, as_link: bool) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from)
        .expect("a folder of the build")
        .flatten()
    {
        let name = entry.file_name();
        let text = name.to_string_lossy();
        let is_ours = ["lockgate", "liblockgate", "it-"]
            .iter()
            .any(|ours| text.starts_with(ours));
        let target = to.join(&name);
        if is_ours || target.is_file() {
            continue;
        }
        if entry.path().is_dir() {
            copy(&entry.path(), &target, as_link);
        } else if !as_link || std::fs::hard_link(entry.path(), &target).is_err() {
            let time = entry.metadata().and_then(|metadata| metadata.modified());
            std::fs::copy(entry.path(), &target).expect("a copy");
            // Cargo compares times.
            let file = std::fs::File::open(&target).expect("the copy");
            file.set_modified(time.expect("a time")).expect("the time");
        }
    }
}

/// A clean environment with the wheel of this repository in it, and nothing else.
struct Installed {
    _folder: TempDir,
    programs: PathBuf,
}

fn install() -> Installed {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("wheel");
    share_dependencies(&target.join("debug"));
    let folder = TempDir::new().expect("a temporary folder");
    let wheels = folder.path().join("wheels");
    run(Command::new(tools::tool("maturin"))
        .arg("build")
        .arg("--target-dir")
        .arg(&target)
        .arg("--out")
        .arg(&wheels)
        .current_dir(root()));
    let wheels: Vec<PathBuf> = std::fs::read_dir(&wheels)
        .expect("wheels")
        .flatten()
        .map(|entry| entry.path())
        .collect();
    let [wheel] = wheels.as_slice() else {
        panic!("one wheel was expected: {wheels:?}");
    };
    let name = wheel.file_name().expect("a name").to_string_lossy();
    assert!(
        name.starts_with(concat!(
            "lockgate-",
            env!("CARGO_PKG_VERSION"),
            "-py3-none-"
        )),
        "{name}: for any Python 3"
    );

    let environment = folder.path().join("environment");
    run(Command::new("python3")
        .args(["-m", "venv"])
        .arg(&environment));
    let programs = environment.join("bin");
    run(Command::new(programs.join("python"))
        .args([
            "-I",
            "-m",
            "pip",
            "install",
            "--no-index",
            "--disable-pip-version-check",
            "--quiet",
        ])
        .arg(wheel));
    Installed {
        _folder: folder,
        programs,
    }
}

#[test]
fn the_wheel_installs_into_a_clean_environment_and_serves_the_hooks() {
    let installed = install();
    let version = run(Command::new(installed.programs.join("lockgate")).arg("--version"));
    assert_eq!(
        version,
        concat!("lockgate ", env!("CARGO_PKG_VERSION"), "\n")
    );
    let shown = run(Command::new(installed.programs.join("python")).args([
        "-I",
        "-c",
        "import importlib.metadata as m; d = m.distribution('lockgate'); \
         print(d.metadata['Summary'], d.metadata['License-Expression'], d.requires, sep='|')",
    ]));
    assert_eq!(
        shown.trim_end(),
        concat!(env!("CARGO_PKG_DESCRIPTION"), "|MIT OR Apache-2.0|None")
    );

    let text = std::fs::read_to_string(root().join(".pre-commit-hooks.yaml")).expect("hooks");
    let hooks: serde_yaml::Value = serde_yaml::from_str(&text).expect("YAML");
    let hooks = hooks.as_sequence().expect("a list");
    assert!(!hooks.is_empty());
    for hook in hooks {
        let field = |name: &str| {
            hook[name]
                .as_str()
                .unwrap_or_else(|| panic!("no `{name}` in {hook:?}"))
        };
        assert!(!field("id").is_empty() && !field("name").is_empty());
        assert_eq!(field("language"), "python", "installed as a wheel");
        let mut words = field("entry").split_whitespace();
        let program = installed.programs.join(words.next().expect("a program"));
        let help = run(Command::new(program).args(words).arg("--help"));
        assert!(help.contains("--fail-on"), "{help}");
    }
}
