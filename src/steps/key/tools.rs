//! The versions of tools: from the locks, from where a program stands, from what is installed beside it; the program is
//! asked only where these say nothing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use crate::error::{Error, Result};
use crate::steps::key::caches;
use crate::steps::key::locks::Read;
use crate::steps::world::World;
use crate::system::process::{Child, Ending};
use crate::system::python::{installed_version, on_path};
use crate::system::stop::Stop;

/// How long a program may take to say its version. Some start an interpreter, on machines that are busy.
const TIME_LIMIT: Duration = Duration::from_mins(1);

/// Longer answers are no version, bytes.
const ANSWER: u64 = 64 << 10;

/// Finds versions, and remembers nothing but how.
#[derive(Debug)]
pub struct Tools<'w> {
    world: &'w World,
    stop: Stop,
}

/// What uv's installer leaves.
#[derive(Deserialize)]
struct Receipt {
    install_prefix: PathBuf,
    version: String,
}

impl<'w> Tools<'w> {
    /// For one run.
    pub fn new(world: &'w World, stop: Stop) -> Self {
        Self { world, stop }
    }

    /// The versions of these tools, by name. One that is nowhere is an error.
    pub async fn versions(
        &mut self,
        names: &[String],
        locks: &[Read],
    ) -> Result<BTreeMap<String, String>> {
        let mut versions = BTreeMap::new();
        for name in names {
            // A project may depend on its package manager and be installed by another release of it.
            let locked = locked(name, locks).filter(|_| !caches::is_manager(name));
            let version = match locked {
                Some(version) => Some(version),
                None => self.version(name, true).await?,
            };
            let version = version.ok_or_else(|| {
                Error::usage(format!(
                    "`tools`: the version of `{name}` is neither in a lock nor to be found on PATH"
                ))
                .hint(format!("install `{name}` before this step, or write its version as `extra: {name}=<version>`"))
            })?;
            versions.insert(name.clone(), version);
        }
        Ok(versions)
    }

    /// The version of the layout in which a program keeps its cache; none where nothing says it.
    pub async fn layout(
        &mut self,
        name: &str,
        known: &BTreeMap<String, String>,
    ) -> Result<Option<String>> {
        let version = match known.get(name) {
            Some(version) => Some(version.clone()),
            None => self.version(name, caches::is_worth_asking(name)).await?,
        };
        Ok(version.and_then(|version| caches::layout(name, &version)))
    }

    /// The version of the program that PATH names; it is started only where `may_ask`.
    async fn version(&mut self, name: &str, may_ask: bool) -> Result<Option<String>> {
        let Some(program) = on_path(&self.world.environment, name) else {
            return Ok(None);
        };
        if let Some(version) = self.version_beside(name, &program) {
            return Ok(Some(version));
        }
        if !may_ask {
            return Ok(None);
        }
        let answer = self.ask(&program, &["--version"]).await?;
        Ok(answer.as_deref().and_then(version_in))
    }

    fn version_beside(&self, name: &str, program: &Path) -> Option<String> {
        let real = program.canonicalize().ok()?;
        let prefix = |program: &Path| Some(program.parent()?.parent()?.to_owned());
        let installed = |program: &Path| installed_version(&prefix(program)?, name);
        version_in_path(name, &real)
            .or_else(|| installed(program))
            .or_else(|| installed(&real))
            .or_else(|| (name == "uv").then(|| self.receipt(&real))?)
    }

    /// uv's installer writes down what it installed where.
    fn receipt(&self, program: &Path) -> Option<String> {
        let environment = &self.world.environment;
        let configuration = environment.os("XDG_CONFIG_HOME").map(PathBuf::from);
        let home = || {
            environment
                .os("HOME")
                .map(|home| Path::new(home).join(".config"))
        };
        let path = configuration.or_else(home)?.join("uv/uv-receipt.json");
        let receipt: Receipt = serde_json::from_slice(&std::fs::read(path).ok()?).ok()?;
        let folder = program.parent()?;
        let is_its =
            receipt.install_prefix == folder || receipt.install_prefix.join("bin") == folder;
        version_in(&receipt.version).filter(|_| is_its)
    }

    /// What a program says; none where it fails.
    pub async fn ask(&mut self, program: &Path, arguments: &[&str]) -> Result<Option<String>> {
        let child = Child::new(
            program,
            &self.world.directory,
            self.world.environment.base(),
        )
        .arguments(arguments.iter().copied())
        .time_limit(TIME_LIMIT);
        let mut finished = match child.run(&mut self.stop, &mut |_| {}).await {
            Ok(finished) => finished,
            Err(error) => {
                tracing::warn!("`{}` cannot be started: {error}", program.display());
                return Ok(None);
            }
        };
        if let Ending::Stopped(signal) = finished.ending {
            return Err(Error::interrupted(signal));
        }
        let answer = finished.read_stdout(ANSWER).ok();
        let answer = answer.filter(|_| finished.ending.is_success());
        Ok(answer.map(|answer| String::from_utf8_lossy(&answer).into_owned()))
    }
}

/// The version that the locks pin; none where they have several.
fn locked(name: &str, locks: &[Read]) -> Option<String> {
    let mut versions: Vec<&str> = locks
        .iter()
        .flat_map(|lock| &lock.digest)
        .flat_map(|lock| &lock.packages)
        .filter(|package| package.name == name)
        .map(|package| package.version.as_str())
        .collect();
    versions.dedup();
    match versions.as_slice() {
        [version] if version.starts_with(|c: char| c.is_ascii_digit()) => {
            Some((*version).to_owned())
        }
        _ => None,
    }
}

/// The version in a path below a folder of the tool's name: `uv/0.11.4/x86_64/uv`, `Cellar/uv/0.11.4/bin/uv`.
fn version_in_path(name: &str, program: &Path) -> Option<String> {
    let parts: Vec<&str> = program.iter().filter_map(|part| part.to_str()).collect();
    let pairs = parts.windows(2).rev();
    let mut pairs = pairs.filter_map(|pair| match pair {
        [folder, version] if folder.eq_ignore_ascii_case(name) => Some(*version),
        _ => None,
    });
    let is_version = |text: &&str| {
        let parts = text.split('.');
        text.contains('.')
            && parts
                .into_iter()
                .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
    };
    pairs.find(is_version).map(str::to_owned)
}

/// The first word of an answer that is a version: `uv 0.13.9 (…)`, `Poetry (version 2.5.1)`.
fn version_in(answer: &str) -> Option<String> {
    let mut words = answer.lines().next()?.split([' ', ',', '(', ')', '\t']);
    let is_version =
        |word: &&str| word.starts_with(|c: char| c.is_ascii_digit()) && word.contains('.');
    words.find(is_version).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_programs_hold_their_version() {
        for (answer, version) in [
            ("uv 0.13.9 (x86_64-unknown-linux-gnu)\n", "0.13.9"),
            (
                "pip 24.0 from /usr/lib/python3/dist-packages/pip (python 3.11)\n",
                "24.0",
            ),
            ("Poetry (version 1.8.5)\n", "1.8.5"),
            ("PDM, version 2.29.3\n", "2.29.3"),
            ("mypy 2.4.1 (compiled: yes)\n", "2.4.1"),
        ] {
            assert_eq!(version_in(answer).as_deref(), Some(version), "{answer}");
        }
        for odd in ["", "\n1.0", "usage: x [-h]", "version 7"] {
            assert_eq!(version_in(odd), None, "{odd}");
        }
    }

    #[test]
    fn a_path_may_hold_the_version() {
        let of = |path: &str| version_in_path("uv", Path::new(path));
        assert_eq!(
            of("/opt/hostedtoolcache/uv/0.11.4/x86_64/uv").as_deref(),
            Some("0.11.4")
        );
        assert_eq!(
            of("/opt/homebrew/Cellar/uv/0.11.4/bin/uv").as_deref(),
            Some("0.11.4")
        );
        assert_eq!(of("/opt/hostedtoolcache/Python/3.12.4/x64/bin/uv"), None);
        assert_eq!(of("/opt/uv/latest/uv"), None);
    }
}
