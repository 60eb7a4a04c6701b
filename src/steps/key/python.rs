//! The Python that things are installed for: named by the user, or found in files and names; the interpreter is asked
//! only where these say nothing.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::model::cache_key::Python;
use crate::steps::key::tools::Tools;
use crate::steps::world::World;
use crate::system::python::{Venv, on_path};

/// What an interpreter is asked, without what a project could put in its way.
const QUESTION: &str = "import sys, sysconfig; print(sys.implementation.name, '.'.join(map(str, sys.version_info[:3])), \
                        '.'.join(map(str, sys.implementation.version[:3])), int(bool(sysconfig.get_config_var('Py_GIL_DISABLED'))))";

/// Larger files name no Python, bytes.
const LIMIT: u64 = 64 << 10;

/// The Python; none where there is none.
pub async fn find(
    named: Option<&str>,
    world: &World,
    tools: &mut Tools<'_>,
) -> Result<Option<Python>> {
    if let Some(named) = named {
        let python = Python::parse(named).ok_or_else(|| {
            Error::usage(format!(
                "`python-version`: `{named}` names no minor version of Python"
            ))
            .hint("write a version such as `3.12`, `3.13t` or `pypy3.10`")
        })?;
        return Ok(Some(python));
    }
    // uv's own choice, which setup-uv exports.
    let chosen = world.environment.get("UV_PYTHON").and_then(Python::parse);
    let found = chosen
        .or_else(|| upward(world, |folder| of_venv(&folder.join(".venv"))))
        .or_else(|| upward(world, |folder| of_file(&folder.join(".python-version"))));
    if found.is_some() {
        return Ok(found);
    }
    let program = ["python3", "python"]
        .iter()
        .find_map(|name| on_path(&world.environment, name));
    let Some(program) = program else {
        return Ok(None);
    };
    if let Some(python) = of_program(&program, world) {
        return Ok(Some(python));
    }
    let answer = tools.ask(&program, &["-I", "-c", QUESTION]).await?;
    Ok(answer.as_deref().and_then(of_answer))
}

/// The nearest folder that says something, from the folder that the step works in up.
fn upward(world: &World, find: impl Fn(&Path) -> Option<Python>) -> Option<Python> {
    for folder in world.directory.ancestors() {
        if let Some(found) = find(folder) {
            return Some(found);
        }
        if folder == world.root {
            break;
        }
    }
    None
}

fn text(path: &Path) -> Option<String> {
    let metadata = path.metadata().ok()?;
    if !metadata.is_file() || metadata.len() > LIMIT {
        return None;
    }
    String::from_utf8(std::fs::read(path).ok()?).ok()
}

/// The first line that names a Python (<https://docs.astral.sh/uv/concepts/python-versions/#python-version-files>).
fn of_file(path: &Path) -> Option<Python> {
    let text = text(path)?;
    let mut lines = text.lines().map(str::trim);
    lines.find_map(|line| Python::parse(line).filter(|_| !line.starts_with('#')))
}

/// The Python of an environment, from its `pyvenv.cfg`: `version` of the standard library's, `version_info` of uv's and
/// virtualenv's.
fn of_venv(folder: &Path) -> Option<Python> {
    let venv = Venv::at(folder)?;
    let text = text(&venv.root().join("pyvenv.cfg"))?;
    let value = |name: &str| {
        let mut lines = text.lines().filter_map(|line| line.split_once('='));
        let (_, value) = lines.find(|(key, _)| key.trim() == name)?;
        Some(value.trim().to_ascii_lowercase())
    };
    let version = value("version_info").or_else(|| value("version"))?;
    let numbers: Vec<&str> = version.split('.').take(3).collect();
    let version = numbers.join(".");
    let is_pypy = || {
        let from = value("executable").or_else(|| value("home"));
        from.is_some_and(|from| from.contains("pypy"))
    };
    let implementation = value("implementation")
        .unwrap_or_else(|| if is_pypy() { "pypy" } else { "cpython" }.to_owned());
    let library = format!("lib/python{}t", numbers.get(..2)?.join("."));
    let is_free_threaded = venv.root().join(library).is_dir();
    Python::new(&implementation, &version, is_free_threaded)
}

/// The Python of an interpreter, from the names on the way to it: `/opt/hostedtoolcache/Python/3.12.4/x64/bin/python`,
/// `cpython-3.13.1-linux-x86_64-gnu/bin/python3.13`, `/usr/bin/python3.11`.
fn of_program(program: &Path, world: &World) -> Option<Python> {
    let environment = program.parent()?.parent()?;
    if let Some(python) = of_venv(environment) {
        return Some(python);
    }
    if let Some(python) = of_shim(program, world) {
        return Some(python);
    }
    let real = program.canonicalize().ok()?;
    let file = real.file_name()?.to_str()?;
    let of_name = Python::parse(file);
    let folders: Vec<&str> = real
        .parent()?
        .iter()
        .filter_map(|part| part.to_str())
        .collect();
    let is_free_threaded = folders
        .iter()
        .any(|folder| folder.ends_with("freethreaded"));
    let is_pypy = file.starts_with("pypy")
        || folders
            .iter()
            .any(|folder| folder.eq_ignore_ascii_case("pypy"));
    let of_folder = folders.iter().rev().find_map(|folder| {
        let python = Python::parse(folder)?;
        // A folder of another program's version is none of Python's.
        let is_full = python.version.split('.').count() >= 3;
        if !is_full {
            return None;
        }
        if is_pypy || is_free_threaded {
            let implementation = if is_pypy { "pypy" } else { "cpython" };
            return Python::new(implementation, &python.version, is_free_threaded);
        }
        Some(python)
    });
    match (of_name, of_folder) {
        (Some(name), Some(folder)) if name.abi == folder.abi => Some(folder),
        (Some(name), _) => Some(name),
        (None, found) => found.filter(|_| file.starts_with("python") || is_pypy),
    }
}

/// What pyenv would start: the programs in its folder of shims say nothing.
fn of_shim(program: &Path, world: &World) -> Option<Python> {
    let folder = program.parent()?;
    if folder.file_name()? != "shims" {
        return None;
    }
    let environment = &world.environment;
    let named = environment.get("PYENV_VERSION").map(str::to_owned);
    let root = environment.os("PYENV_ROOT").map(PathBuf::from);
    let root = root.or_else(|| folder.parent().map(Path::to_owned))?;
    let version = named.or_else(|| text(&root.join("version")))?;
    Python::parse(version.split([':', '\n']).next()?)
}

/// `cpython 3.11.7 3.11.7 0`.
fn of_answer(answer: &str) -> Option<Python> {
    let mut words = answer.split_whitespace();
    let (implementation, version, own) = (words.next()?, words.next()?, words.next()?);
    let is_free_threaded = words.next()? == "1";
    if implementation == "pypy" {
        let minor: Vec<&str> = version.split('.').take(2).collect();
        let version = format!("{}-{own}", minor.join("."));
        return Python::new(implementation, &version, is_free_threaded);
    }
    Python::new(implementation, version, is_free_threaded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_environment_says_its_python() {
        for (configuration, library, version, abi) in [
            (
                "home = /usr/bin\nversion = 3.12.3\n",
                "python3.12",
                "3.12.3",
                "cp312",
            ),
            (
                "implementation = CPython\nversion_info = 3.13.1\n",
                "python3.13t",
                "3.13.1",
                "cp313t",
            ),
            (
                "implementation = PyPy\r\nversion_info = 3.10.14.final.0\r\n",
                "pypy3.10",
                "3.10.14",
                "pp310",
            ),
            (
                "executable = /opt/pypy3.10/bin/pypy3.10\nversion = 3.10.14\n",
                "pypy3.10",
                "3.10.14",
                "pp310",
            ),
        ] {
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join("pyvenv.cfg"), configuration).unwrap();
            std::fs::create_dir_all(folder.path().join("lib").join(library)).unwrap();
            let python = of_venv(folder.path()).unwrap();
            assert_eq!(
                (&*python.version, &*python.abi),
                (version, abi),
                "{configuration}"
            );
        }
        let folder = tempfile::tempdir().unwrap();
        for odd in ["version = \n", "version = x.y\n", "home", ""] {
            std::fs::write(folder.path().join("pyvenv.cfg"), odd).unwrap();
            assert_eq!(of_venv(folder.path()), None, "{odd}");
        }
    }

    #[test]
    fn an_interpreter_says_what_it_is() {
        let python = of_answer("cpython 3.13.1 3.13.1 1\n").unwrap();
        assert_eq!((&*python.version, &*python.abi), ("3.13.1", "cp313t"));
        let python = of_answer("pypy 3.10.14 7.3.17 0\n").unwrap();
        assert_eq!((&*python.version, &*python.abi), ("3.10-7.3.17", "pp310"));
        assert_eq!(of_answer("Traceback (most recent call last):"), None);
    }
}
