//! Where programs keep their caches, as they say themselves: by variables, by their configuration, by the custom of the
//! system.

use std::path::{Path, PathBuf};

use crate::steps::key::configuration::{Said, in_file, nearest};
use crate::steps::world::World;
use crate::system::environment::Environment;
use crate::system::files::{Workspace, normalise};

/// Tells uv to keep no cache.
pub const UV_NO_CACHE: &str = "UV_NO_CACHE";

/// The folders that these programs keep their caches in, each once.
pub fn paths(names: &[String], world: &World) -> Vec<String> {
    let places = Places {
        world,
        environment: &world.environment,
        workspace: Workspace::new(&world.root),
    };
    let mut paths = Vec::new();
    for path in names.iter().flat_map(|name| places.of(name)) {
        if !paths.contains(&path) {
            paths.push(path);
        }
    }
    paths
}

/// Where things are on this machine.
struct Places<'w> {
    world: &'w World,
    environment: &'w Environment,
    workspace: Workspace,
}

/// Where a tool is configured: file, table and key.
type Keys = &'static [(&'static str, &'static [&'static str], &'static str)];

const UV: Keys = &[
    ("uv.toml", &[], "cache-dir"),
    ("pyproject.toml", &["tool", "uv"], "cache-dir"),
];
const POETRY: Keys = &[("poetry.toml", &[], "cache-dir")];
const PDM: Keys = &[("pdm.toml", &[], "cache_dir")];
const RUFF: Keys = &[
    (".ruff.toml", &[], "cache-dir"),
    ("ruff.toml", &[], "cache-dir"),
    ("pyproject.toml", &["tool", "ruff"], "cache-dir"),
];
const MYPY: Keys = &[
    ("mypy.ini", &["mypy"], "cache_dir"),
    (".mypy.ini", &["mypy"], "cache_dir"),
    ("pyproject.toml", &["tool", "mypy"], "cache_dir"),
    ("setup.cfg", &["mypy"], "cache_dir"),
];
const PYTEST: Keys = &[
    ("pytest.ini", &["pytest"], "cache_dir"),
    (".pytest.ini", &["pytest"], "cache_dir"),
    (
        "pyproject.toml",
        &["tool", "pytest", "ini_options"],
        "cache_dir",
    ),
    ("tox.ini", &["pytest"], "cache_dir"),
    ("setup.cfg", &["tool:pytest"], "cache_dir"),
];

impl Places<'_> {
    fn of(&self, name: &str) -> Vec<String> {
        let here = &self.world.directory;
        match name {
            "uv" if self.environment.switches_on(UV_NO_CACHE) => Vec::new(),
            "uv" => vec![
                self.named("UV_CACHE_DIR")
                    .or_else(|| self.configured_for_uv())
                    .unwrap_or_else(|| self.xdg("uv")),
            ],
            "pip" => vec![
                self.named("PIP_CACHE_DIR")
                    .unwrap_or_else(|| self.user("pip")),
            ],
            "poetry" => {
                let folder = self
                    .named("POETRY_CACHE_DIR")
                    .or_else(|| self.of_project(POETRY))
                    .unwrap_or_else(|| self.user("pypoetry"));
                // Its environments name their interpreter by its path, and keep what is no longer asked for.
                vec![format!("{folder}/artifacts"), format!("{folder}/cache")]
            }
            "pdm" => vec![
                self.named("PDM_CACHE_DIR")
                    .or_else(|| self.of_project(PDM))
                    .unwrap_or_else(|| self.user("pdm")),
            ],
            "pipenv" => {
                let mut all = vec![
                    self.named("PIPENV_CACHE_DIR")
                        .unwrap_or_else(|| self.user("pipenv")),
                ];
                all.extend(self.named("WORKON_HOME"));
                // What it downloads, pip keeps.
                all.extend(self.of("pip"));
                all
            }
            "pre-commit" => vec![
                self.named("PRE_COMMIT_HOME")
                    .unwrap_or_else(|| self.xdg("pre-commit")),
            ],
            "mypy" => vec![
                self.named("MYPY_CACHE_DIR")
                    .or_else(|| self.of_project(MYPY))
                    .unwrap_or_else(|| self.inside(".mypy_cache", here)),
            ],
            "ruff" => vec![
                self.named("RUFF_CACHE_DIR")
                    .unwrap_or_else(|| self.beside(RUFF, ".ruff_cache")),
            ],
            "pytest" => vec![self.beside(PYTEST, ".pytest_cache")],
            _ => Vec::new(),
        }
    }

    fn said(&self, keys: Keys) -> Option<Said> {
        nearest(&self.world.directory, &self.world.root, keys)
    }

    /// What the project's configuration says, relative to the folder that the step works in.
    fn of_project(&self, keys: Keys) -> Option<String> {
        let path = self.inside(&self.said(keys)?.value?, &self.world.directory);
        self.unless_a_proposals(path)
    }

    /// A folder that the project's own files name; none where a proposal's lead out of the workspace, to what it must neither
    /// read nor write.
    fn unless_a_proposals(&self, path: String) -> Option<String> {
        let leads_out = path.starts_with(['/', '~']) || Path::new(&path).is_absolute();
        (!leads_out || !self.world.context.may_hold_a_proposal()).then_some(path)
    }

    /// What uv's configuration says: of the file that is named, else of the project, else of the user, else of the machine
    /// (<https://docs.astral.sh/uv/concepts/configuration-files/>). uv takes a relative folder from where it works.
    fn configured_for_uv(&self) -> Option<String> {
        const OF_FILE: Keys = &[("uv.toml", &[], "cache-dir")];
        let here = &self.world.directory;
        if let Some(file) = self.environment.os("UV_CONFIG_FILE") {
            let path = in_file(&here.join(file), "cache-dir")?;
            return Some(self.inside(&path, here));
        }
        if self.environment.switches_on("UV_NO_CONFIG") {
            return None;
        }
        let of_folder = |folder: PathBuf| {
            let said = nearest(&folder, &folder, OF_FILE)?;
            Some(self.inside(&said.value?, here))
        };
        let home = || Some(Path::new(self.environment.os("HOME")?).join(".config"));
        let of_user = self.environment.os("XDG_CONFIG_HOME").map(PathBuf::from);
        let of_machine = self
            .environment
            .get("XDG_CONFIG_DIRS")
            .unwrap_or("/etc/xdg");
        let of_machine = of_machine
            .split(':')
            .map(|folder| Path::new(folder).join("uv"))
            .chain([PathBuf::from("/etc/uv")]);
        self.of_project(UV)
            .or_else(|| of_folder(of_user.or_else(home)?.join("uv")))
            .or_else(|| of_machine.into_iter().find_map(of_folder))
    }

    /// The folder that a tool keeps beside its configuration.
    fn beside(&self, keys: Keys, usual: &str) -> String {
        match self.said(keys) {
            Some(said) => {
                let named = said.value.map(|path| self.inside(&path, &said.folder));
                let named = named.and_then(|path| self.unless_a_proposals(path));
                named.unwrap_or_else(|| self.inside(usual, &said.folder))
            }
            None => self.inside(usual, &self.world.directory),
        }
    }

    /// A folder that a variable names, relative to the folder that the step works in.
    fn named(&self, variable: &str) -> Option<String> {
        let path = self.environment.get(variable)?;
        Some(self.inside(path, &self.world.directory))
    }

    /// A path as the official cache action takes it: relative to the workspace where it is inside, else absolute.
    fn inside(&self, path: &str, folder: &Path) -> String {
        let rest = path.strip_prefix('~');
        if rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) {
            return path.to_owned();
        }
        let relative = self.workspace.relative(path, folder);
        relative.unwrap_or_else(|| normalise(&folder.join(path)).display().to_string())
    }

    /// A folder of a program that goes by the XDG specification, but on Windows.
    fn xdg(&self, name: &str) -> String {
        if cfg!(windows) && name == "uv" {
            return "~/AppData/Local/uv/cache".to_owned();
        }
        match self.environment.get("XDG_CACHE_HOME") {
            Some(folder) if Path::new(folder).is_absolute() => {
                let folder = self.inside(folder, &self.world.directory);
                format!("{}/{name}", folder.trim_end_matches('/'))
            }
            _ => format!("~/.cache/{name}"),
        }
    }

    /// A folder of a program that goes by the custom of each system.
    fn user(&self, name: &str) -> String {
        match std::env::consts::OS {
            "macos" => format!("~/Library/Caches/{name}"),
            "windows" if name == "pip" => "~/AppData/Local/pip/Cache".to_owned(),
            "windows" => format!("~/AppData/Local/{name}/{name}/Cache"),
            _ => self.xdg(name),
        }
    }
}
