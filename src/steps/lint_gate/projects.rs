//! The projects of a repository: each has its own folder, lock and environment.

use std::path::{Path, PathBuf};

use globset::GlobMatcher;

use crate::error::{Error, Result, did_you_mean};
use crate::steps::gate::globs::glob;
use crate::steps::walk::is_foreign;

/// Files that make a folder a project.
const SIGNS: &[&str] = &[
    "pyproject.toml",
    "setup.cfg",
    "setup.py",
    "uv.lock",
    "requirements.txt",
];

/// Folders are not looked for deeper than this.
const DEPTH: usize = 12;

/// One project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    /// Its folder, absolute.
    pub directory: PathBuf,
    /// Its folder as people know it; `None` where it is the only one.
    pub name: Option<String>,
}

/// The projects that `patterns` name, from `directory`; the directory itself where there is no pattern.
pub fn find(patterns: &[String], directory: &Path) -> Result<Vec<Project>> {
    if patterns.is_empty() {
        return Ok(vec![Project {
            directory: directory.to_owned(),
            name: None,
        }]);
    }
    let mut names: Vec<String> = Vec::new();
    for pattern in patterns {
        let pattern = pattern.trim_start_matches("./").trim_end_matches('/');
        let found = if pattern.contains(['*', '?', '[', '{']) {
            below(directory, &glob("projects", pattern)?)
        } else {
            confined(pattern)?;
            if !directory.join(pattern).is_dir() {
                return Err(missing(pattern, directory));
            }
            vec![pattern.to_owned()]
        };
        if found.is_empty() {
            return Err(Error::usage(format!(
                "`projects`: `{pattern}` matches no folder with a project in `{}`",
                directory.display()
            ))
            .hint(format!("a project has one of {}", SIGNS.join(", "))));
        }
        for name in found {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    Ok(names
        .into_iter()
        .map(|name| Project {
            directory: match name.as_str() {
                "." | "" => directory.to_owned(),
                inside => directory.join(inside),
            },
            name: Some(name),
        })
        .collect())
}

fn confined(folder: &str) -> Result<()> {
    let is_inside = Path::new(folder).components().all(|part| {
        matches!(
            part,
            std::path::Component::Normal(_) | std::path::Component::CurDir
        )
    });
    if is_inside {
        return Ok(());
    }
    Err(
        Error::usage(format!("`projects`: `{folder}` leads out of the folder"))
            .hint("write a folder below it, such as `services/api`"),
    )
}

fn missing(folder: &str, directory: &Path) -> Error {
    let error = Error::usage(format!(
        "`projects`: there is no folder `{folder}` in `{}`",
        directory.display()
    ));
    let parent = directory.join(folder).parent().map(Path::to_path_buf);
    let there: Vec<String> = folders(parent.as_deref().unwrap_or(directory))
        .into_iter()
        .filter_map(|path| Some(path.strip_prefix(directory).ok()?.to_str()?.to_owned()))
        .collect();
    match did_you_mean(folder, there.iter().map(String::as_str)) {
        Some(close) => error.hint(format!("write `{close}`")),
        None => error,
    }
}

/// The projects below a folder whose path matches, sorted.
fn below(directory: &Path, pattern: &GlobMatcher) -> Vec<String> {
    let mut found = Vec::new();
    let mut waiting = vec![(directory.to_owned(), 0)];
    while let Some((folder, depth)) = waiting.pop() {
        for inside in folders(&folder) {
            let Some(name) = inside
                .strip_prefix(directory)
                .ok()
                .and_then(Path::to_str)
                .map(|name| name.replace('\\', "/"))
            else {
                continue;
            };
            if pattern.is_match(&name) && SIGNS.iter().any(|sign| inside.join(sign).is_file()) {
                found.push(name);
            }
            if depth < DEPTH {
                waiting.push((inside, depth + 1));
            }
        }
    }
    found.sort();
    found
}

/// The folders in a folder, without links, hidden ones and those that hold other people's code.
fn folders(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .filter(|entry| {
            let name = entry.file_name();
            !name.as_encoded_bytes().starts_with(b".")
        })
        .map(|entry| entry.path())
        .filter(|path| !is_foreign(path))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repository() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for project in ["services/api", "services/worker", "lib", ".hidden/x"] {
            let project = folder.path().join(project);
            std::fs::create_dir_all(&project).unwrap();
            std::fs::write(project.join("pyproject.toml"), "").unwrap();
        }
        std::fs::create_dir_all(folder.path().join("services/docs")).unwrap();
        std::fs::create_dir_all(folder.path().join("venv/x")).unwrap();
        std::fs::write(folder.path().join("venv/pyvenv.cfg"), "").unwrap();
        std::fs::write(folder.path().join("venv/x/setup.py"), "").unwrap();
        folder
    }

    fn names(patterns: &[&str], folder: &Path) -> Vec<String> {
        let patterns: Vec<String> = patterns.iter().map(|&text| text.to_owned()).collect();
        let found = find(&patterns, folder).unwrap();
        found
            .into_iter()
            .filter_map(|project| project.name)
            .collect()
    }

    #[test]
    fn folders_and_globs_name_projects() {
        let folder = repository();
        let folder = folder.path();
        assert_eq!(find(&[], folder).unwrap()[0].name, None);
        assert_eq!(
            names(&["lib/", "./services/*"], folder),
            ["lib", "services/api", "services/worker"]
        );
        assert_eq!(
            names(&["**"], folder),
            ["lib", "services/api", "services/worker"]
        );
        assert_eq!(names(&["services/docs"], folder), ["services/docs"]);
    }

    #[test]
    fn what_names_nothing_is_an_error_that_says_it() {
        let folder = repository();
        for (pattern, hint) in [
            ("service/api", None),
            ("services/apo", Some("write `services/api`")),
            ("apps/*", Some("a project has one of")),
            ("../x", Some("write a folder below it")),
        ] {
            let error = find(&[pattern.to_owned()], folder.path()).unwrap_err();
            assert!(error.message.contains(pattern), "{}", error.message);
            if let Some(hint) = hint {
                assert!(
                    error.hint.as_deref().unwrap_or_default().contains(hint),
                    "{:?}",
                    error.hint
                );
            }
        }
    }
}
