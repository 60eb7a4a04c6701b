//! What package managers and tools keep, where they keep it, and which versions of them understand it.

use std::path::Path;

use crate::error::Result;
use crate::lockfiles::Format;
use crate::steps::key::locks::Read;
use crate::steps::world::World;
use crate::system::environment::Environment;
use crate::system::files::{Workspace, normalise};

/// Programs that install packages: one of them named decides for all locks.
const MANAGERS: &[&str] = &["uv", "pip", "poetry", "pdm", "pipenv"];

/// Tools that keep a cache.
const TOOLS: &[&str] = &["pre-commit", "mypy", "ruff", "pytest"];

/// Whose caches are kept, in order: the tools that the user names, and where no package manager is among them, those of
/// the locks.
pub fn names(tools: &[String], locks: &[Read]) -> Vec<String> {
    let is_known = |name: &&String| [MANAGERS, TOOLS].concat().contains(&name.as_str());
    let mut names: Vec<String> = tools.iter().filter(is_known).cloned().collect();
    if !names.iter().any(|name| MANAGERS.contains(&name.as_str())) {
        names.extend(locks.iter().map(|lock| manager(lock).to_owned()));
    }
    names.sort();
    names.dedup();
    names
}

/// Who installs a lock: the tool that wrote it.
fn manager(lock: &Read) -> &'static str {
    match lock.format {
        Format::Uv | Format::UvScript => "uv",
        Format::Poetry => "poetry",
        Format::Pdm => "pdm",
        Format::Pipfile => "pipenv",
        Format::Pylock | Format::Requirements => match lock.generator.as_deref() {
            Some("uv") => "uv",
            _ => "pip",
        },
    }
}

/// The releases in which uv's buckets of unpacked wheels and of source distributions changed (`CacheBucket` in uv's
/// `crates/uv-cache/src/lib.rs`, by release), and what they are called since.
const UV_BUCKETS: &[([u32; 3], &str)] = &[
    ([0, 5, 0], "wheels-v3.sdists-v6"),
    ([0, 5, 26], "wheels-v3.sdists-v7"),
    ([0, 6, 0], "wheels-v4.sdists-v8"),
    ([0, 6, 4], "wheels-v5.sdists-v8"),
    ([0, 6, 8], "wheels-v5.sdists-v9"),
    ([0, 10, 0], "wheels-v6.sdists-v9"),
];

/// The first release of uv after those that are known here.
const UV_UNKNOWN: [u32; 3] = [0, 13, 0];

/// The release of pip that changed how it keeps what it downloads (its `NEWS`, 23.3).
const PIP_HTTP_V2: [u32; 3] = [23, 3, 0];

/// The version of the layout in which this version of a program keeps things; none where it has none.
pub fn layout(name: &str, version: &str) -> Option<String> {
    let mut numbers = version.split(['.', '-', '+']).map(str::parse::<u32>);
    let mut number = || numbers.next()?.ok();
    let release = [number()?, number()?, number().unwrap_or_default()];
    match name {
        "uv" => {
            let bucket = UV_BUCKETS.iter().rev().find(|(since, _)| *since <= release);
            match bucket.filter(|_| release < UV_UNKNOWN) {
                Some((_, bucket)) => Some((*bucket).to_owned()),
                // Releases of one line read what the others wrote, but for few.
                None => Some(format!("{}.{}", release[0], release[1])),
            }
        }
        "pip" if release < PIP_HTTP_V2 => Some("http".to_owned()),
        "pip" => Some("http-v2".to_owned()),
        _ => None,
    }
}

/// Whether a program is worth starting to know its layout: it answers at once, and its layouts are many.
pub fn is_worth_asking(name: &str) -> bool {
    name == "uv"
}

/// Whether a program installs packages.
pub fn is_manager(name: &str) -> bool {
    MANAGERS.contains(&name)
}

/// The folders that these programs keep their caches in.
pub fn paths(names: &[String], world: &World) -> Result<Vec<String>> {
    let places = Places::new(world);
    let mut paths = Vec::new();
    for name in names {
        for path in places.of(name)? {
            if !paths.contains(&path) {
                paths.push(path);
            }
        }
    }
    Ok(paths)
}

/// Where things are on this machine.
struct Places<'w> {
    world: &'w World,
    environment: &'w Environment,
    workspace: Workspace,
}

impl<'w> Places<'w> {
    fn new(world: &'w World) -> Self {
        Self {
            world,
            environment: &world.environment,
            workspace: Workspace::new(&world.root),
        }
    }

    fn of(&self, name: &str) -> Result<Vec<String>> {
        Ok(match name {
            "uv" if self.environment.get("UV_NO_CACHE").is_some() => Vec::new(),
            "uv" => vec![self.named("UV_CACHE_DIR").unwrap_or_else(|| self.xdg("uv"))],
            "pip" => vec![
                self.named("PIP_CACHE_DIR")
                    .unwrap_or_else(|| self.user("pip")),
            ],
            "poetry" => {
                let folder = self
                    .named("POETRY_CACHE_DIR")
                    .unwrap_or_else(|| self.user("pypoetry"));
                // Its environments hold the path of their interpreter, and what is no longer asked for.
                vec![format!("{folder}/artifacts"), format!("{folder}/cache")]
            }
            "pdm" => vec![
                self.named("PDM_CACHE_DIR")
                    .unwrap_or_else(|| self.user("pdm")),
            ],
            "pipenv" => {
                let own = self
                    .named("PIPENV_CACHE_DIR")
                    .unwrap_or_else(|| self.user("pipenv"));
                let mut all = vec![own];
                all.extend(self.named("WORKON_HOME"));
                all.extend(self.of("pip")?);
                all
            }
            "pre-commit" => vec![
                self.named("PRE_COMMIT_HOME")
                    .unwrap_or_else(|| self.xdg("pre-commit")),
            ],
            "mypy" => vec![
                self.named("MYPY_CACHE_DIR")
                    .unwrap_or_else(|| self.inside(".mypy_cache")),
            ],
            "ruff" => vec![
                self.named("RUFF_CACHE_DIR")
                    .unwrap_or_else(|| self.inside(".ruff_cache")),
            ],
            "pytest" => vec![self.inside(".pytest_cache")],
            _ => Vec::new(),
        })
    }

    /// A folder that a variable names, relative to the folder that the step works in.
    fn named(&self, variable: &str) -> Option<String> {
        self.environment.get(variable).map(|path| self.inside(path))
    }

    /// A path as the official cache action takes it: relative to the workspace where it is inside, else absolute.
    fn inside(&self, path: &str) -> String {
        let home = path
            .strip_prefix('~')
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        if home {
            return path.to_owned();
        }
        let relative = self.workspace.relative(path, &self.world.directory);
        relative.unwrap_or_else(|| {
            let path = normalise(&self.world.directory.join(path));
            path.display().to_string()
        })
    }

    /// A folder of a program that goes by the XDG specification everywhere but on Windows.
    fn xdg(&self, name: &str) -> String {
        if cfg!(windows) {
            return match name {
                "uv" => "~/AppData/Local/uv/cache".to_owned(),
                name => format!("~/.cache/{name}"),
            };
        }
        match self.environment.get("XDG_CACHE_HOME") {
            Some(folder) if Path::new(folder).is_absolute() => {
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
