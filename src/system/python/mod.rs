//! The provider of Python environments: what the project has, what a lock describes, what is on PATH.
//!
//! A provisioned environment is isolated, complete or absent, and keyed by the lock's digest, the Python, the groups
//! and the platform, so that it is made once. The user's own `.venv` is read, never changed.

mod provision;

pub use provision::Provider;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::system::environment::Environment;

/// A directory laid out as PEP 405 says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Venv {
    root: PathBuf,
}

impl Venv {
    /// The environment at `root`, if one is there.
    pub fn at(root: impl Into<PathBuf>) -> Option<Self> {
        let root = root.into();
        root.join("pyvenv.cfg").is_file().then_some(Self { root })
    }

    /// Where it is.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Its folder of programs.
    pub fn bin(&self) -> PathBuf {
        self.root
            .join(if cfg!(windows) { "Scripts" } else { "bin" })
    }

    /// Its interpreter.
    pub fn python(&self) -> PathBuf {
        self.bin().join(if cfg!(windows) {
            "python.exe"
        } else {
            "python"
        })
    }

    /// A program in it.
    pub fn executable(&self, name: &str) -> Option<PathBuf> {
        let path = self
            .bin()
            .join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
        path.is_file().then_some(path)
    }

    /// The installed version of a distribution, from the name of its metadata folder: nothing is run.
    pub fn version_of(&self, package: &str) -> Option<String> {
        installed_version(&self.root, package)
    }

    /// `environment` as a program of this environment sees it when it is active.
    pub fn activate(&self, environment: &Environment) -> Environment {
        let mut active = environment.clone();
        let path = environment.os("PATH").unwrap_or_default();
        let folders = std::iter::once(self.bin()).chain(std::env::split_paths(path));
        if let Ok(path) = std::env::join_paths(folders) {
            active.set("PATH", path);
        }
        active.set("VIRTUAL_ENV", self.root.as_os_str());
        active
    }
}

/// The version of a distribution that is installed below a prefix, from the name of its metadata folder: nothing is run.
pub fn installed_version(prefix: &Path, package: &str) -> Option<String> {
    let start = format!("{}-", package.replace('-', "_"));
    site_packages(prefix).into_iter().find_map(|folder| {
        std::fs::read_dir(folder).ok()?.flatten().find_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let version = name.strip_suffix(".dist-info")?;
            let same = version.get(..start.len())?.eq_ignore_ascii_case(&start);
            same.then(|| version[start.len()..].to_owned())
        })
    })
}

/// The folders of distributions below a prefix; Debian calls those of its own packages otherwise.
pub fn site_packages(prefix: &Path) -> Vec<PathBuf> {
    if cfg!(windows) {
        return vec![prefix.join("Lib/site-packages")];
    }
    let versions = std::fs::read_dir(prefix.join("lib"))
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.file_name().as_encoded_bytes().starts_with(b"py"));
    versions
        .flat_map(|entry| ["site-packages", "dist-packages"].map(|name| entry.path().join(name)))
        .filter(|path| path.is_dir())
        .collect()
}

/// The first program of this name in the folders of `PATH`. Relative folders do not count: they would make the
/// program depend on the checkout.
pub fn on_path(environment: &Environment, name: &str) -> Option<PathBuf> {
    let path = environment.os("PATH").unwrap_or(OsStr::new(""));
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    std::env::split_paths(path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(&file))
        .find(|path| is_executable(path))
}

fn is_executable(path: &Path) -> bool {
    let Ok(metadata) = path.metadata() else {
        return false;
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        metadata.is_file() && metadata.permissions().mode() & 0o111 != 0
    }
    #[cfg(not(unix))]
    metadata.is_file()
}
