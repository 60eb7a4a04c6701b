//! What is known of the last run in a folder: which stages passed, and how long each takes. A help, never a condition:
//! what cannot be read is as if it had never been.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::digest::hex;
use crate::model::pipeline::manifest::Source;
use crate::model::pipeline::{Outcome, RunRecord, SkipReason};
use crate::pipeline::schedule::Durations;
use crate::steps::world::World;
use crate::system::files::{sha256, write_atomically};

/// Larger files are none of ours, bytes.
const LIMIT: u64 = 16 << 20;

/// What is kept of a stage.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Known {
    /// Whether it passed in the last run that came to it.
    passed: bool,
    /// How long it takes: the mean of the last time and of what was known before.
    duration_us: u64,
    /// Each thing that it depended on in the last run in which that was known, with its digest.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    components: Components,
    /// What it made in the last run in which it did, by output.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    outputs: BTreeMap<String, Output>,
}

/// What a stage made.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Output {
    /// SHA-256 of it.
    pub sha256: String,
    /// Whether it, or something that it was made from, comes from a store that others write to.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shared: bool,
}

/// Each thing that a stage depended on, with its digest.
pub type Components = BTreeMap<String, String>;

/// So many runs' logs are kept.
const RUNS: usize = 10;

/// What is known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Last {
    stages: BTreeMap<String, Known>,
}

impl Last {
    /// What is known of runs of the definition in this folder.
    pub fn read(world: &World, folder: &Path) -> Self {
        let Some(path) = path(world, folder) else {
            return Self::default();
        };
        let is_small = path
            .metadata()
            .is_ok_and(|metadata| metadata.len() <= LIMIT);
        let bytes = is_small.then(|| std::fs::read(&path).ok()).flatten();
        let read = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        read.unwrap_or_default()
    }

    /// Keeps what a run has shown, in the place of what was known of its stages. `components` are by the stage's name.
    pub fn write(
        mut self,
        run: &RunRecord,
        components: BTreeMap<String, Components>,
        world: &World,
        folder: &Path,
    ) -> io::Result<()> {
        self.learn(run);
        for (name, components) in components {
            if let Some(known) = self.stages.get_mut(&name) {
                known.components = components;
            }
        }
        let Some(path) = path(world, folder) else {
            return Ok(());
        };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        write_atomically(&path, &serde_json::to_vec(&self)?)
    }

    /// How long stages take.
    pub fn durations(&self) -> Durations {
        let known = self
            .stages
            .iter()
            .filter(|(_, known)| known.duration_us > 0);
        known
            .map(|(name, known)| (name.clone(), Duration::from_micros(known.duration_us)))
            .collect()
    }

    /// What a stage depended on, if that is known.
    pub fn components(&self, stage: &str) -> Option<&Components> {
        let known = self.stages.get(stage)?;
        Some(&known.components).filter(|components| !components.is_empty())
    }

    /// What a stage made, if that is known.
    pub fn output(&self, stage: &str, output: &str) -> Option<&Output> {
        self.stages.get(stage)?.outputs.get(output)
    }

    /// A folder for the logs of a run; those of runs long ago are removed.
    pub fn logs(world: &World, folder: &Path, run_id: &str) -> io::Result<PathBuf> {
        let file =
            path(world, folder).ok_or_else(|| io::Error::other("there is no folder for it"))?;
        let logs = file.with_file_name("logs");
        let own = logs.join(run_id);
        std::fs::create_dir_all(&own)?;
        let mut runs: Vec<_> = std::fs::read_dir(&logs)?
            .flatten()
            .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
            .collect();
        runs.sort();
        let old = runs.len().saturating_sub(RUNS);
        for (_, path) in runs.into_iter().take(old).filter(|(_, path)| *path != own) {
            // Another run may be at it.
            let _ = std::fs::remove_dir_all(path);
        }
        Ok(own)
    }

    /// The stages that passed.
    pub fn passed(&self) -> BTreeSet<String> {
        let passed = self.stages.iter().filter(|(_, known)| known.passed);
        passed.map(|(name, _)| name.clone()).collect()
    }

    /// Whether anything is known.
    pub fn is_empty(&self) -> bool {
        self.stages.is_empty()
    }

    fn learn(&mut self, run: &RunRecord) {
        let here: BTreeSet<&str> = run.stages.iter().map(|stage| stage.name.as_str()).collect();
        self.stages.retain(|name, _| here.contains(name.as_str()));
        for stage in &run.stages {
            let known = self.stages.entry(stage.name.clone()).or_default();
            if !stage.artifacts.is_empty() {
                let outputs = stage.artifacts.iter().map(|artifact| {
                    let output = Output {
                        sha256: hex(&artifact.digest),
                        shared: artifact.source == Source::Shared,
                    };
                    (artifact.output.clone(), output)
                });
                known.outputs = outputs.collect();
            }
            match &stage.outcome {
                // It takes no part in this run, and stays what it was.
                Outcome::Skipped(SkipReason::NotSelected) => {}
                Outcome::Skipped(SkipReason::Unchanged) => known.passed = true,
                Outcome::Passed => {
                    let now = u64::try_from(stage.duration.as_micros()).unwrap_or(u64::MAX);
                    known.passed = true;
                    known.duration_us = match known.duration_us {
                        0 => now.max(1),
                        before => before.midpoint(now).max(1),
                    };
                }
                _ => known.passed = false,
            }
        }
    }
}

/// The file of the definition in this folder.
fn path(world: &World, folder: &Path) -> Option<PathBuf> {
    let name = folder.to_string_lossy();
    let digest = sha256(name.as_bytes()).ok()?;
    let folder = world.cache_folder().ok()?;
    Some(folder.join("pipeline").join(digest).join("last.json"))
}
