//! The Python project that a step works on: its lock, its own environment, and where a tool of it comes from.

use std::path::{Path, PathBuf};

use crate::error::{Error, Place, Result, did_you_mean};
use crate::lockfiles::address::conceal;
use crate::lockfiles::environment::{Asked, Pins, asked_for, is_complete, pins, requirements};
use crate::lockfiles::members::members as members_of;
use crate::lockfiles::{Format, format_of, read};
use crate::model::environment::{Installer, Recipe};
use crate::model::lockfile::Lockfile;
use crate::model::pipeline::Member;
use crate::model::sources::{FileId, Location, Sources};
use crate::system::environment::Environment;
use crate::system::files::sha256;
use crate::system::git::Git;
use crate::system::python::{Provider, Venv, on_path};

/// Names that are looked for in each folder from the project upward, best first.
const LOCKS: &[&str] = &[
    "uv.lock",
    "requirements-dev.txt",
    "dev-requirements.txt",
    "requirements.txt",
    "poetry.lock",
    "pdm.lock",
    "Pipfile.lock",
    "pylock.toml",
];

/// A lock that was read.
#[derive(Clone, Debug)]
pub struct Lock {
    /// Where it is.
    pub path: PathBuf,
    /// Its name as the user knows it, relative to the workspace.
    pub name: String,
    format: Format,
    sources: Sources,
    file: FileId,
    pins: Pins,
    /// Whether it says by itself what is installed where.
    is_complete: bool,
    digest: String,
}

/// The members of the workspace whose lock is in this folder; none where there is no `uv.lock`.
pub fn members(folder: &Path, root: &Path) -> Result<Vec<Member>> {
    let lock = Lock::read(&folder.join("uv.lock"), root)?;
    Ok(lock.map(|lock| lock.members()).unwrap_or_default())
}

impl Lock {
    /// The lock that the user named, or the nearest one from `directory` up to `root` that environments can be made
    /// from: requirements count only with hashes, and locks of Poetry 1.x do not count.
    pub fn find(directory: &Path, root: &Path, named: Option<&str>) -> Result<Option<Self>> {
        if let Some(named) = named {
            let path = directory.join(named);
            let lock = Self::read(&path, root)?.ok_or_else(|| missing(named, directory))?;
            if !lock.pins.has_hashes && lock.format == Format::Requirements {
                return Err(Error::usage(format!("`lockfile`: `{named}` pins no hashes"))
                    .hint("write it with `uv export --format requirements-txt --output-file requirements.txt`"));
            }
            return Ok(Some(lock));
        }
        for folder in directory.ancestors() {
            for name in LOCKS {
                let found = Self::read(&folder.join(name), root)?;
                if let Some(lock) = found.filter(Self::is_usable) {
                    return Ok(Some(lock));
                }
            }
            if folder == root {
                break;
            }
        }
        Ok(None)
    }

    fn is_usable(&self) -> bool {
        // uv is the one that installs its own locks.
        self.format == Format::Uv || (self.pins.has_hashes && self.is_complete)
    }

    fn read(path: &Path, root: &Path) -> Result<Option<Self>> {
        let name = path
            .strip_prefix(root)
            .unwrap_or(path)
            .display()
            .to_string();
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::usage(format!("`{name}` cannot be read")).cause(error)),
        };
        let digest = sha256(bytes.as_slice())
            .map_err(|error| Error::bug("a digest in memory failed").cause(error))?;
        if let Err(error) = std::str::from_utf8(&bytes) {
            let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let line = memchr::memchr_iter(b'\n', valid).count() + 1;
            return Err(Error::usage(format!("`{name}` is not UTF-8")).at(Place {
                path: name,
                line,
                column: 1,
                excerpt: None,
                width: 1,
            }));
        }
        let format = path
            .file_name()
            .and_then(|file| file.to_str())
            .and_then(format_of_named)
            .ok_or_else(|| {
                Error::usage(format!(
                    "`lockfile`: `{name}` is no lockfile that environments can be made from"
                ))
                .allowed([
                    "uv.lock",
                    "poetry.lock",
                    "pdm.lock",
                    "Pipfile.lock",
                    "pylock.toml",
                    "requirements*.txt with hashes",
                ])
            })?;
        let mut sources = Sources::default();
        let file = sources
            .add(name.clone(), bytes)
            .ok_or_else(|| Error::usage(format!("`{name}` is too large")))?;
        let reading = read(format, file, &sources);
        let Some(lock) = &reading.lockfile else {
            let error = Error::usage(format!("`{name}` cannot be read as a lockfile"));
            let error = match reading.faults.first() {
                Some(fault) => error
                    .cause(fault.message.clone())
                    .at(place(&sources, fault.at)),
                None => error,
            };
            return Err(error.hint(format!("write it anew with `{}`", format.relock())));
        };
        let (pins, is_complete) = (pins(lock), is_complete(lock));
        Ok(Some(Self {
            path: path.to_owned(),
            name,
            format,
            file,
            pins,
            is_complete,
            digest,
            sources,
        }))
    }

    /// The members of the workspace that it is of (uv).
    fn members(&self) -> Vec<Member> {
        let reading = read(self.format, self.file, &self.sources);
        reading
            .lockfile
            .as_ref()
            .map(members_of)
            .unwrap_or_default()
    }

    /// The pinned versions of a package; none where the lock does not have it.
    pub fn versions_of(&self, package: &str) -> Vec<String> {
        self.pins.versions_of(package)
    }

    /// Whether the project itself asks for the package: not only something that it asks for does.
    pub fn declares(&self, package: &str) -> bool {
        self.pins.declares(package)
    }

    /// SHA-256 of its bytes.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// How to make the environment that holds these packages.
    pub fn recipe(&self, packages: &[&str]) -> Result<Recipe> {
        let lock = self.lockfile()?;
        self.recipe_of(&lock, asked_for(&lock, packages))
    }

    /// How to make the environment of these dependency groups and extras.
    pub fn recipe_for(&self, asked: Asked) -> Result<Recipe> {
        self.recipe_of(&self.lockfile()?, asked)
    }

    fn lockfile(&self) -> Result<Lockfile<'_>> {
        read(self.format, self.file, &self.sources)
            .lockfile
            .ok_or_else(|| Error::bug("a lock that was read cannot be read"))
    }

    fn recipe_of(&self, lock: &Lockfile<'_>, asked: Asked) -> Result<Recipe> {
        let (installer, packages) = match self.format {
            Format::Requirements => (Installer::Pip, self.pins.count),
            Format::Uv => {
                let (groups, extras) = (asked.groups, asked.extras);
                let installer = Installer::Uv {
                    groups,
                    extras,
                    project: None,
                };
                (installer, self.pins.count)
            }
            _ => {
                let list = requirements(lock, &asked).map_err(|refusal| {
                    let message = format!(
                        "no environment can be made from `{}`: it {}",
                        self.name, refusal.what
                    );
                    Error::usage(message)
                        .at(place(&self.sources, refusal.at))
                        .hint("make `.venv` before, or take the tools from PATH with `tool-source: path`")
                })?;
                (Installer::List(list.text), list.count)
            }
        };
        Ok(Recipe {
            lock: self.path.clone(),
            digest: self.digest.clone(),
            installer,
            python: None,
            packages,
        })
    }
}

/// The format of a file that a user may name: any text can hold requirements.
fn format_of_named(name: &str) -> Option<Format> {
    let is_text = name.to_ascii_lowercase().ends_with(".txt");
    format_of(name).or_else(|| is_text.then_some(Format::Requirements))
}

/// A place in a lock, its line shown without the users of addresses.
pub fn place(sources: &Sources, at: Location) -> Place {
    let text = String::from_utf8_lossy(sources.bytes(at.file));
    let range = at.start as usize..at.end as usize;
    let place = Place::in_text(sources.path(at.file), &text, range);
    Place {
        excerpt: place.excerpt.map(|line| conceal(&line).into_owned()),
        ..place
    }
}

fn missing(named: &str, directory: &Path) -> Error {
    let error = Error::usage(format!(
        "`lockfile`: there is no file `{named}` in `{}`",
        directory.display()
    ));
    let there: Vec<String> = std::fs::read_dir(directory)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    match did_you_mean(named, there.iter().map(String::as_str)) {
        Some(close) => error.hint(format!("write `{close}`")),
        None => error,
    }
}

/// A tool that can be started.
#[derive(Clone, Debug)]
pub struct Located {
    /// The program.
    pub program: PathBuf,
    /// Its version, where known without starting it.
    pub version: Option<String>,
    /// Where it comes from, for people: `.venv`, `uv.lock`, `PATH`.
    pub origin: String,
    /// The environment it belongs to.
    pub venv: Option<Venv>,
}

/// Where the tools of a project are looked for.
#[derive(Debug)]
pub struct Toolbox<'a> {
    /// The project's folder.
    pub directory: &'a Path,
    /// Its lock.
    pub lock: Option<&'a Lock>,
    /// The user wants what is on PATH.
    pub only_path: bool,
    /// The environment of this process, for PATH.
    pub environment: &'a Environment,
    /// Makes environments.
    pub provider: &'a Provider,
    /// Knows what is tracked.
    pub git: &'a Git,
}

impl Toolbox<'_> {
    /// Finds each `(package, executable)`, in order: the project's `.venv` where its version is the locked one, the
    /// lock's own environment, PATH where the lock does not have the tool.
    pub async fn locate(
        &self,
        tools: &[(&str, &str)],
        say: &mut (dyn FnMut(&str) + Send),
    ) -> Result<Vec<Located>> {
        let lock = self.lock.filter(|_| !self.only_path);
        let versions = |package: &str| {
            lock.map(|lock| lock.versions_of(package))
                .unwrap_or_default()
        };
        let pinned: Vec<Vec<String>> = tools.iter().map(|(package, _)| versions(package)).collect();
        let own = self.own_environment(&pinned).await?;
        // Two tools of one project see the same packages: one that does not fit sends all to the lock's environment.
        let fits = |venv: &Venv| {
            tools
                .iter()
                .zip(&pinned)
                .all(|((package, executable), versions)| {
                    let has_it = || {
                        venv.version_of(package)
                            .is_some_and(|version| versions.contains(&version))
                    };
                    versions.is_empty() || (has_it() && venv.executable(executable).is_some())
                })
        };
        let own = own.filter(fits);
        let mut provisioned = None;
        let mut located = Vec::new();
        for ((package, executable), versions) in tools.iter().zip(&pinned) {
            if versions.is_empty() {
                located.push(self.on_path(package, executable)?);
                continue;
            }
            let (venv, origin) = match &own {
                Some(venv) => (venv.clone(), ".venv".to_owned()),
                None => (
                    self.provisioned(&mut provisioned, tools, &pinned, say)
                        .await?,
                    self.lock_name(),
                ),
            };
            let program = venv.executable(executable).ok_or_else(|| {
                Error::no_verdict(format!(
                    "the environment made from `{}` has no `{executable}`",
                    self.lock_name()
                ))
                .hint(format!(
                    "put `{package}` into a dependency group: `uv add --dev {package}`"
                ))
            })?;
            located.push(Located {
                program,
                version: venv.version_of(package),
                origin,
                venv: Some(venv),
            });
        }
        Ok(located)
    }

    /// The project's own environment, unless it came with the checkout: whoever wrote the change wrote that one too.
    async fn own_environment(&self, pinned: &[Vec<String>]) -> Result<Option<Venv>> {
        if pinned.iter().all(Vec::is_empty) {
            return Ok(None);
        }
        // uv keeps the environment of a workspace beside its lock.
        let folder = self
            .lock
            .and_then(|lock| lock.path.parent())
            .unwrap_or(self.directory);
        let Some(venv) = Venv::at(folder.join(".venv")) else {
            return Ok(None);
        };
        if self.git.at(folder).tracks(Path::new(".venv")).await? {
            tracing::warn!("`.venv` is tracked by git and not used");
            return Ok(None);
        }
        Ok(Some(venv))
    }

    async fn provisioned(
        &self,
        made: &mut Option<Venv>,
        tools: &[(&str, &str)],
        pinned: &[Vec<String>],
        say: &mut (dyn FnMut(&str) + Send),
    ) -> Result<Venv> {
        if let Some(venv) = made {
            return Ok(venv.clone());
        }
        let lock = self
            .lock
            .ok_or_else(|| Error::bug("a pinned version without a lock"))?;
        let packages: Vec<&str> = tools
            .iter()
            .zip(pinned)
            .filter(|(_, versions)| !versions.is_empty())
            .map(|((package, _), _)| *package)
            .collect();
        let venv = self
            .provider
            .provide(&lock.recipe(&packages)?, self.directory, say)
            .await?;
        *made = Some(venv.clone());
        Ok(venv)
    }

    fn on_path(&self, package: &str, executable: &str) -> Result<Located> {
        let program = on_path(self.environment, executable).ok_or_else(|| {
            let place = match self.lock {
                Some(lock) if !self.only_path => {
                    format!("`{package}` is neither in `{}` nor on PATH", lock.name)
                }
                _ => format!("`{package}` is not on PATH"),
            };
            Error::usage(place).hint(format!("uv add --dev {package}"))
        })?;
        let venv = program.parent().and_then(Path::parent).and_then(Venv::at);
        let version = venv.as_ref().and_then(|venv| venv.version_of(package));
        Ok(Located {
            program,
            version,
            origin: "PATH".to_owned(),
            venv,
        })
    }

    fn lock_name(&self) -> String {
        self.lock.map(|lock| lock.name.clone()).unwrap_or_default()
    }
}
