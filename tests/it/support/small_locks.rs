//! A small lock of every format, made by its tool: one package that needs another.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use lockgate::lockfiles::Format;
use lockgate::lockfiles::public_index::SIMPLE_API;
use tempfile::TempDir;

use crate::support::lock_tools::lock_tool;
use crate::support::tools::{network, once, tool};

/// A lock and what it was made from.
pub(crate) struct SmallLock {
    pub(crate) format: Format,
    /// The name of its file.
    pub(crate) name: &'static str,
    pub(crate) lock: String,
    /// The name and the content of the file that declares it.
    pub(crate) declared: (&'static str, String),
}

/// What every one of them locks: the first needs the second.
pub(crate) const PINNED: [(&str, &str); 2] =
    [("python-dateutil", "2.9.0.post0"), ("six", "1.17.0")];

/// One of each format but that of scripts, which is uv's.
pub(crate) fn small_locks() -> &'static [SmallLock] {
    static LOCKS: OnceLock<Vec<SmallLock>> = OnceLock::new();
    LOCKS.get_or_init(|| {
        let requirements = PINNED.map(|(name, version)| format!("\"{name}=={version}\""));
        let project = format!(
            "[project]\nname = \"app\"\nversion = \"0.1.0\"\nrequires-python = \">=3.11\"\ndependencies = [{}]\n",
            requirements[0]
        );
        let index = ["UV_DEFAULT_INDEX", "PIP_INDEX_URL"]
            .into_iter()
            .find_map(|name| std::env::var(name).ok())
            .unwrap_or_else(|| SIMPLE_API.to_owned());
        let poetry = format!(
            "{project}[tool.poetry]\npackage-mode = false\n[[tool.poetry.source]]\nname = \"simple\"\nurl = \"{index}\"\n"
        );
        let pdm = format!(
            "{project}[tool.pdm]\ndistribution = false\n[[tool.pdm.source]]\nname = \"pypi\"\nurl = \"{index}\"\n"
        );
        let [(name, version), _] = PINNED;
        let pipfile = format!(
            "[[source]]\nurl = \"{index}\"\nverify_ssl = true\nname = \"simple\"\n[packages]\n{name} = \"=={version}\"\n"
        );
        let wishes = format!("{name}=={version}\n");
        [
            (Format::Uv, "pyproject.toml", project.clone()),
            (Format::Pylock, "pyproject.toml", project),
            (Format::Requirements, "requirements.in", wishes),
            (Format::Poetry, "pyproject.toml", poetry),
            (Format::Pdm, "pyproject.toml", pdm),
            (Format::Pipfile, "Pipfile", pipfile),
        ]
        .into_iter()
        .map(|(format, input, content)| SmallLock {
            format,
            name: maker(format).0,
            lock: made(format, (input, &content)),
            declared: (input, content),
        })
        .collect()
    })
}

/// The name of a lock, the tool that makes it, and its arguments.
fn maker(format: Format) -> (&'static str, PathBuf, &'static str) {
    let program = |name: &str, program: &str| lock_tool(name).join("bin").join(program);
    match format {
        Format::Uv | Format::UvScript => ("uv.lock", tool("uv"), "lock --quiet"),
        Format::Pylock => (
            "pylock.toml",
            tool("uv"),
            "export --quiet --format=pylock.toml --output-file=pylock.toml --no-emit-project",
        ),
        Format::Requirements => (
            "requirements.txt",
            tool("uv"),
            "pip compile --quiet --generate-hashes --no-strip-extras --output-file=requirements.txt requirements.in",
        ),
        Format::Poetry => ("poetry.lock", program("poetry-2", "poetry"), "lock"),
        Format::Pdm => ("pdm.lock", program("pdm-2", "pdm"), "lock"),
        Format::Pipfile => ("Pipfile.lock", program("pipenv", "pipenv"), "lock"),
    }
}

/// Made once: Python tools take seconds, and the files of a version do not change.
fn made(format: Format, declared: (&str, &str)) -> String {
    let (name, program, arguments) = maker(format);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("small-locks-{name}"));
    std::fs::create_dir_all(&folder).expect("a folder");
    let kept = folder.join(name);
    let list = [&program.display().to_string(), arguments, declared.1].join("\n");
    once(&folder.join(".made"), list.as_bytes(), || {
        let project = TempDir::new().expect("a folder");
        std::fs::write(project.path().join(declared.0), declared.1).expect("a file");
        std::fs::write(&kept, lock_in(project.path(), format)).expect("a file");
    });
    std::fs::read_to_string(kept).expect("a lock")
}

/// Lets the tool of a format lock the project in a folder.
pub(crate) fn lock_in(folder: &Path, format: Format) -> String {
    let (name, program, arguments) = maker(format);
    let bin = program.parent().expect("a folder of programs");
    let path = std::env::var("PATH").expect("a PATH");
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("small-locks-cache");
    std::fs::create_dir_all(cache.join("home")).expect("a folder");
    let output = Command::new(&program)
        .args(arguments.split(' '))
        .current_dir(folder)
        .env_clear()
        .envs(network())
        .env("PATH", format!("{}:{path}", bin.display()))
        .env("HOME", cache.join("home"))
        .env("LANG", "C.UTF-8")
        .env("POETRY_CACHE_DIR", cache.join("poetry"))
        .env("POETRY_VIRTUALENVS_CREATE", "false")
        .env("PDM_CACHE_DIR", cache.join("pdm"))
        .env("PDM_CHECK_UPDATE", "0")
        .env("PDM_USE_VENV", "0")
        .env("PDM_IGNORE_SAVED_PYTHON", "1")
        .env("PIPENV_CACHE_DIR", cache.join("pipenv"))
        .env("PIPENV_IGNORE_VIRTUALENVS", "1")
        .env("PIPENV_PYTHON", bin.join("python"))
        .env("PIPENV_VENV_IN_PROJECT", "1")
        .output()
        .expect("a tool");
    let text = [output.stdout, output.stderr].concat();
    assert!(
        output.status.success(),
        "{name}: {}",
        String::from_utf8_lossy(&text)
    );
    std::fs::read_to_string(folder.join(name)).expect("a lock")
}
