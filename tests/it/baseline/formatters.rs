//! A statement is what formatters leave of it.

use std::path::{Path, PathBuf};
use std::process::Command;

use lockgate::baseline::Outline;

use crate::support::tools::{python, tool};

/// So many files of Python's own library are formatted.
const FILES: usize = 24;

/// Files of the library of the Python that runs the tools, as they come.
fn library() -> Vec<PathBuf> {
    let script = "import sysconfig; print(sysconfig.get_path('stdlib'))";
    let output = Command::new(python())
        .args(["-c", script])
        .output()
        .unwrap();
    let folder = String::from_utf8(output.stdout).unwrap();
    let entries = std::fs::read_dir(folder.trim()).unwrap().flatten();
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "py"))
        .filter(|path| {
            path.metadata()
                .is_ok_and(|metadata| (2_000..80_000).contains(&metadata.len()))
        })
        .collect();
    files.sort();
    files.truncate(FILES);
    assert!(files.len() == FILES, "{} files", files.len());
    files
}

#[test]
fn statements_of_real_files_stay_what_they_are_through_formatters() {
    let files = library();
    for (name, arguments) in [
        (
            "ruff",
            &[
                "format",
                "--quiet",
                "--isolated",
                "--no-cache",
                "--line-length=50",
            ][..],
        ),
        (
            "black",
            &["--quiet", "--line-length=110", "--config=/dev/null"][..],
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        for file in &files {
            std::fs::copy(file, folder.path().join(file.file_name().unwrap())).unwrap();
        }
        let status = Command::new(tool(name))
            .args(arguments)
            .arg(folder.path())
            .status()
            .unwrap();
        assert!(status.success());
        let (mut all, mut kept, mut changed) = (0, 0, 0);
        for file in &files {
            let formatted = folder.path().join(file.file_name().unwrap());
            changed +=
                usize::from(std::fs::read(file).unwrap() != std::fs::read(&formatted).unwrap());
            let (before, after) = (statements(file), statements(&formatted));
            all += before.len();
            let mut rest = after;
            for statement in before {
                if let Some(at) = rest.iter().position(|other| *other == statement) {
                    rest.swap_remove(at);
                    kept += 1;
                }
            }
        }
        assert!(changed > FILES / 2, "{name} changed {changed} files only");
        // What is left are escapes and numbers that a formatter spells anew, and patterns of `match`.
        assert!(
            all > 5_000 && kept * 1_000 >= all * 998,
            "{name}: {kept} of {all}"
        );
    }
}

/// The statements of a file, each with its class or function.
fn statements(path: &Path) -> Vec<(u32, u32)> {
    let bytes = std::fs::read(path).unwrap();
    Outline::new("a.py", &bytes).statements().collect()
}
