//! Makes the cache of a package manager smaller: what no lock needs goes, and what is worth least until the rest fits.

mod files;
mod plan;
mod tree;
mod used;
mod uv;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

pub use plan::{Plan, Worth};
pub use used::Used;

use crate::error::{Error, Result};
use crate::system::environment::Environment;
use crate::system::files::real;

/// A package manager whose cache we know to take apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manager {
    /// uv.
    Uv,
    /// Poetry.
    Poetry,
    /// pip.
    Pip,
}

impl Manager {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Uv, Self::Poetry, Self::Pip];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Uv => "uv",
            Self::Poetry => "poetry",
            Self::Pip => "pip",
        }
    }

    /// Whose cache a folder is. What only looks like one is nobody's: nothing of a project's own is removed.
    pub fn of_folder(folder: &Path, environment: &Environment) -> Option<Self> {
        let has = |name: &str| folder.join(name).is_dir();
        let is_named = |variable: &str, own: &str| {
            let is_said = environment.os(variable).map(Path::new) == Some(folder);
            let above = folder.parent().map(tree::name).unwrap_or_default();
            let is_usual = tree::name(folder) == own && matches!(&*above, ".cache" | "Caches");
            is_said || is_usual
        };
        let has_bucket = || {
            let is_bucket = |path: &PathBuf| {
                let name = tree::name(path);
                name.starts_with("wheels-v") || name.starts_with("archive-v")
            };
            tree::folders(folder).is_ok_and(|folders| folders.iter().any(is_bucket))
        };
        if folder.join("CACHEDIR.TAG").is_file() && has_bucket() {
            Some(Self::Uv)
        } else if is_named("POETRY_CACHE_DIR", "pypoetry") && has("artifacts") {
            Some(Self::Poetry)
        } else if is_named("PIP_CACHE_DIR", "pip")
            && (has("http-v2") || has("http") || has("wheels"))
        {
            Some(Self::Pip)
        } else {
            None
        }
    }
}

/// The cache of one package manager, and what goes.
#[derive(Debug)]
pub struct Pruning {
    /// Whose it is.
    pub manager: Manager,
    /// Where it is.
    pub root: PathBuf,
    /// What goes and what stays.
    pub plan: Plan,
    /// Held until the end, where its owner has one: nobody works in the cache meanwhile.
    _lock: Option<Lock>,
}

/// Looks through a cache and decides; removes nothing. `budget` is in bytes.
pub fn decide(manager: Manager, root: &Path, used: &Used, budget: Option<u64>) -> Result<Pruning> {
    let lock = (manager == Manager::Uv)
        .then(|| Lock::take(root))
        .transpose()?;
    let real = real(root);
    let parts = match manager {
        Manager::Uv => uv::parts(&real, used),
        Manager::Poetry => files::poetry(&real, used),
        Manager::Pip => files::pip(&real, used),
    };
    let parts = parts.map_err(|error| unreadable(root, &error))?;
    Ok(Pruning {
        manager,
        root: root.to_owned(),
        plan: plan::plan(parts, budget),
        _lock: lock,
    })
}

impl Pruning {
    /// Removes what goes.
    pub fn carry_out(&self) -> Result<()> {
        for part in &self.plan.going {
            for path in &part.paths {
                tree::remove(path).map_err(|error| {
                    Error::no_verdict(format!("`{}` cannot be removed", path.display()))
                        .cause(error)
                })?;
            }
        }
        Ok(())
    }
}

fn unreadable(root: &Path, error: &io::Error) -> Error {
    Error::no_verdict(format!(
        "the cache `{}` cannot be looked through",
        root.display()
    ))
    .cause(error)
}

/// uv's own lock on its cache: whoever prunes takes it alone, whoever works shares it (`Cache::lock` in `uv-cache`).
#[derive(Debug)]
struct Lock {
    _file: File,
}

impl Lock {
    fn take(root: &Path) -> Result<Self> {
        let path = root.join(".lock");
        let open = File::options()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path);
        let file = open.map_err(|error| unreadable(root, &error))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(std::fs::TryLockError::WouldBlock) => Err(Error::no_verdict(format!(
                "the cache `{}` is in use by uv",
                root.display()
            ))
            .hint("prune when no uv runs")),
            Err(std::fs::TryLockError::Error(error)) => Err(unreadable(root, &error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A cache of uv with two wheels, and the links that lead to them.
    #[cfg(unix)]
    fn cache(root: &Path, to: &Path) {
        for (version, id) in [("1.16.0", "OLD"), ("1.17.0", "NEW")] {
            let wheel = root.join("archive-v0").join(id);
            let folder = root.join("wheels-v5/pypi/six");
            std::fs::create_dir_all(&wheel).unwrap();
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(wheel.join("six.py"), "x = 1\n").unwrap();
            let link = folder.join(format!("{version}-py3-none-any"));
            std::os::unix::fs::symlink(to.join("archive-v0").join(id), link).unwrap();
        }
    }

    #[cfg(unix)]
    #[test]
    fn what_is_needed_stays_however_the_cache_and_its_links_are_addressed() {
        let folder = tempfile::tempdir().unwrap();
        let disk = folder.path().join("disk");
        let by_link = folder.path().join("uv");
        std::fs::create_dir(&disk).unwrap();
        std::os::unix::fs::symlink("disk", &by_link).unwrap();
        let used: Used = [("six", "1.17.0")].into_iter().collect();
        for (root, to) in [
            (&disk, &disk),
            (&by_link, &disk),
            (&disk, &by_link),
            (&by_link, &by_link),
        ] {
            cache(&disk, to);
            decide(Manager::Uv, root, &used, None)
                .unwrap()
                .carry_out()
                .unwrap();
            let there = |id: &str| disk.join("archive-v0").join(id).exists();
            assert!(there("NEW") && !there("OLD"), "{root:?} {to:?}");
            std::fs::remove_dir_all(disk.join("wheels-v5")).unwrap();
        }
    }

    #[test]
    fn a_folder_that_only_looks_like_a_cache_is_nobodys() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        for name in ["wheels", "http", "artifacts", "wheels-v1"] {
            std::fs::create_dir(folder.join(name)).unwrap();
        }
        let mut environment = Environment::default();
        assert_eq!(Manager::of_folder(folder, &environment), None);
        environment.set("PIP_CACHE_DIR", folder);
        assert_eq!(Manager::of_folder(folder, &environment), Some(Manager::Pip));
        std::fs::write(folder.join("CACHEDIR.TAG"), "").unwrap();
        assert_eq!(Manager::of_folder(folder, &environment), Some(Manager::Uv));
    }
}
