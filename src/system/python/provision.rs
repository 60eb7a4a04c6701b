//! Makes the environment that a lock describes, once.

use std::ffi::OsString;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::error::{Error, Result, count};
use crate::model::duration;
use crate::model::environment::{Installer, Recipe};
use crate::system::environment::Environment;
use crate::system::files::{hex, sha256};
use crate::system::process::{Child, Ending, Finished};
use crate::system::python::{Venv, on_path};
use crate::system::stop::Stop;

/// The uv that is installed where the machine has none, by hash.
const UV_REQUIREMENTS: &str = include_str!("uv-requirements.txt");

/// Raised when the way environments are made changes, so that old ones are not taken for new ones.
const LAYOUT: &str = "1";

/// How long an installation may take.
const TIME_LIMIT: Duration = Duration::from_mins(30);

/// Makes and finds environments below one folder.
#[derive(Clone, Debug)]
pub struct Provider {
    cache: PathBuf,
    environment: Environment,
    installer: Environment,
    stop: Stop,
}

impl Provider {
    /// A provider that keeps its environments in `cache`. The installers see `declared` of the environment besides
    /// proxies and certificates; nothing else does.
    pub fn new(cache: PathBuf, environment: &Environment, declared: &[String], stop: Stop) -> Self {
        Self {
            cache,
            environment: environment.base(),
            installer: environment.for_installer(declared),
            stop,
        }
    }

    /// The environment of this recipe for the project in `directory`; made now if it is not there.
    /// `say` hears what happens, a line at a time.
    pub async fn provide(
        &self,
        recipe: &Recipe,
        directory: &Path,
        say: &mut (dyn FnMut(&str) + Send),
    ) -> Result<Venv> {
        let root = self
            .cache
            .join("environments")
            .join(self.key(recipe, directory));
        self.once(
            &root,
            async |provider, say| provider.install(recipe, directory, &root, say).await,
            say,
        )
        .await
    }

    /// The key: layout, lock, installer with groups, platform, and the Python that would be chosen. The Python is
    /// told by the file it is and by `.python-version`; starting it to ask would take longer than a linter runs.
    fn key(&self, recipe: &Recipe, directory: &Path) -> String {
        let name = interpreter(recipe.python.as_deref());
        let python =
            on_path(&self.environment, &name).map(|path| path.canonicalize().unwrap_or(path));
        let wanted = std::fs::read_to_string(directory.join(".python-version")).unwrap_or_default();
        let parts = format!(
            "{LAYOUT}\n{}\n{:?}\n{} {}\n{python:?}\n{:?}\n{}\n",
            recipe.digest,
            recipe.installer,
            std::env::consts::OS,
            std::env::consts::ARCH,
            recipe.python,
            wanted.trim(),
        );
        let digest = sha256(parts.as_bytes()).unwrap_or_else(|_| hex(recipe.digest.as_bytes()));
        digest[..24].to_owned()
    }

    /// Runs `make` for the environment at `root` unless it is complete, one process at a time.
    async fn once(
        &self,
        root: &Path,
        make: impl AsyncFn(&Self, &mut (dyn FnMut(&str) + Send)) -> Result<()>,
        say: &mut (dyn FnMut(&str) + Send),
    ) -> Result<Venv> {
        let marker = root.with_extension("complete");
        let ready = || marker.is_file().then(|| Venv::at(root)).flatten();
        if let Some(venv) = ready() {
            return Ok(venv);
        }
        let folder = root.parent().unwrap_or(root);
        std::fs::create_dir_all(folder).map_err(|error| unwritable(folder, &error))?;
        let lock = File::create(root.with_extension("lock"))
            .map_err(|error| unwritable(folder, &error))?;
        self.wait_for(&lock, folder).await?;
        if let Some(venv) = ready() {
            return Ok(venv);
        }
        // What an earlier run left unfinished is of no use.
        let _ = std::fs::remove_dir_all(root);
        make(self, say).await?;
        let venv = Venv::at(root).ok_or_else(|| {
            Error::no_verdict(format!(
                "the installer left no environment at `{}`",
                root.display()
            ))
        })?;
        std::fs::write(&marker, "").map_err(|error| unwritable(folder, &error))?;
        Ok(venv)
    }

    async fn wait_for(&self, lock: &File, folder: &Path) -> Result<()> {
        let mut stop = self.stop.clone();
        loop {
            match lock.try_lock() {
                Ok(()) => return Ok(()),
                Err(TryLockError::Error(error)) => return Err(unwritable(folder, &error)),
                Err(TryLockError::WouldBlock) => tokio::select! {
                    () = tokio::time::sleep(Duration::from_millis(100)) => {}
                    signal = stop.requested() => return Err(Error::interrupted(signal)),
                },
            }
        }
    }

    async fn install(
        &self,
        recipe: &Recipe,
        directory: &Path,
        root: &Path,
        say: &mut (dyn FnMut(&str) + Send),
    ) -> Result<()> {
        let lock = recipe
            .lock
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let started = Instant::now();
        say(&format!(
            "making an environment from {lock} ({})",
            count(recipe.packages as u64, "package")
        ));
        match &recipe.installer {
            Installer::Uv {
                groups,
                extras,
                project,
            } => {
                refuse_own_interpreter(directory)?;
                let uv = self.uv(say).await?;
                let mut arguments: Vec<OsString> = ["sync", "--frozen", "--no-progress"]
                    .map(OsString::from)
                    .to_vec();
                if project.is_none() {
                    arguments.push("--no-install-local".into());
                }
                arguments.push("--project".into());
                arguments.push(directory.into());
                let python = recipe.python.iter();
                arguments.extend(python.map(|version| format!("--python={version}").into()));
                arguments.extend(groups.iter().map(|group| format!("--group={group}").into()));
                arguments.extend(extras.iter().map(|extra| format!("--extra={extra}").into()));
                let mut environment = self.installer.clone();
                environment.set("UV_PROJECT_ENVIRONMENT", root);
                let child = Child::new(uv, directory, environment).arguments(arguments);
                self.run(child, "uv sync", &lock, say).await?;
            }
            Installer::Pip => {
                let list = List::new(&recipe.lock, &lock, recipe);
                self.pip_install(root, &list, &[], directory, say).await?;
            }
            Installer::List(text) => {
                let path = root.with_extension("txt");
                std::fs::write(&path, text).map_err(|error| unwritable(&path, &error))?;
                let list = List::new(&path, &lock, recipe);
                self.pip_install(root, &list, &["--no-deps"], directory, say)
                    .await?;
            }
        }
        say(&format!(
            "environment ready after {}",
            duration::show(started.elapsed())
        ));
        Ok(())
    }

    /// uv on PATH, or the pinned one in an environment of its own.
    async fn uv(&self, say: &mut (dyn FnMut(&str) + Send)) -> Result<PathBuf> {
        if let Some(uv) = on_path(&self.environment, "uv") {
            return Ok(uv);
        }
        let digest = sha256(UV_REQUIREMENTS.as_bytes()).unwrap_or_default();
        let root = self
            .cache
            .join("tools")
            .join(format!("uv-{}", digest.get(..16).unwrap_or("pinned")));
        let make = async |provider: &Self, say: &mut (dyn FnMut(&str) + Send)| {
            say("uv is not on PATH: installing the pinned one");
            let list = root.with_extension("txt");
            std::fs::write(&list, UV_REQUIREMENTS).map_err(|error| unwritable(&list, &error))?;
            let name = list.file_name().unwrap_or_default().to_string_lossy();
            let list = List {
                path: &list,
                name: &name,
                python: None,
            };
            provider
                .pip_install(&root, &list, &[], &provider.cache, say)
                .await
        };
        let venv = self.once(&root, make, say).await?;
        venv.executable("uv")
            .ok_or_else(|| Error::no_verdict("the pinned uv has no program"))
    }

    /// Installs a hashed list into a fresh environment.
    async fn pip_install(
        &self,
        root: &Path,
        list: &List<'_>,
        options: &[&str],
        directory: &Path,
        say: &mut (dyn FnMut(&str) + Send),
    ) -> Result<()> {
        let wanted = interpreter(list.python);
        let python = on_path(&self.environment, &wanted)
            .or_else(|| on_path(&self.environment, "python").filter(|_| list.python.is_none()))
            .ok_or_else(|| {
                let message = format!("there is no `{wanted}` on PATH to make an environment with");
                Error::usage(message)
                    .hint("install Python 3.11 or newer, or add `actions/setup-python` to the job")
            })?;
        // `-I`: a `venv.py` or `logging.py` of the project must not stand for the library's.
        let arguments: [OsString; 4] = ["-I".into(), "-m".into(), "venv".into(), root.into()];
        let child = Child::new(python, directory, self.installer.clone()).arguments(arguments);
        self.run(child, "python3 -m venv", list.name, say).await?;
        let venv = Venv::at(root)
            .ok_or_else(|| Error::no_verdict("`python3 -m venv` made no environment"))?;
        let mut arguments: Vec<OsString> = [
            "-I",
            "-m",
            "pip",
            "install",
            "--require-hashes",
            "--disable-pip-version-check",
            "--no-input",
            "--progress-bar=off",
            "--quiet",
        ]
        .map(OsString::from)
        .to_vec();
        arguments.extend(options.iter().map(OsString::from));
        arguments.extend(["-r".into(), list.path.into()]);
        let child =
            Child::new(venv.python(), directory, self.installer.clone()).arguments(arguments);
        self.run(child, "pip install --require-hashes", list.name, say)
            .await?;
        Ok(())
    }

    async fn run(
        &self,
        child: Child,
        what: &str,
        lock: &str,
        say: &mut (dyn FnMut(&str) + Send),
    ) -> Result<Finished> {
        let mut stop = self.stop.clone();
        let mut repeat = |line: &str| {
            if !line.trim().is_empty() {
                say(&format!("│ {line}"));
            }
        };
        let started = child
            .time_limit(TIME_LIMIT)
            .run(&mut stop, &mut repeat)
            .await;
        let finished = started.map_err(|error| {
            Error::no_verdict(format!("`{what}` could not be started")).cause(error)
        })?;
        match finished.ending {
            Ending::Exited(0) => Ok(finished),
            Ending::Stopped(signal) => Err(Error::interrupted(signal)),
            ending => {
                let tail: Vec<&str> = finished.stderr.trim_end().lines().rev().take(12).collect();
                let tail: Vec<&str> = tail.into_iter().rev().collect();
                Err(Error::no_verdict(format!("`{what}` failed on `{lock}`: {ending}"))
                    .cause(if tail.is_empty() { "no message".to_owned() } else { tail.join("\n") })
                    .hint("a private index needs its credentials by name: `install-env: UV_INDEX_PRIVATE_PASSWORD`"))
            }
        }
    }
}

/// A list of hashed requirements.
struct List<'l> {
    path: &'l Path,
    /// What people call it.
    name: &'l str,
    /// The version of Python that it is for.
    python: Option<&'l str>,
}

impl<'l> List<'l> {
    fn new(path: &'l Path, name: &'l str, recipe: &'l Recipe) -> Self {
        Self {
            path,
            name,
            python: recipe.python.as_deref(),
        }
    }
}

/// The interpreter of a version, as it is called on PATH.
fn interpreter(version: Option<&str>) -> String {
    format!("python{}", version.unwrap_or("3"))
}

/// uv starts whatever `.python-version` names. A file that the project brings along would see the installer's
/// credentials; a version or a name on PATH is looked up where the project has no say.
fn refuse_own_interpreter(directory: &Path) -> Result<()> {
    for folder in directory.ancestors() {
        for name in [".python-version", ".python-versions"] {
            let text = std::fs::read_to_string(folder.join(name)).unwrap_or_default();
            let request = text
                .lines()
                .map(str::trim)
                .find(|line| !line.starts_with('#') && line.contains(['/', '\\']));
            if let Some(request) = request {
                return Err(Error::usage(format!(
                    "`{name}` names a file, `{request}`: environments are made with a Python that the project does not bring along"
                ))
                .hint("write a version such as `3.12`"));
            }
        }
    }
    Ok(())
}

fn unwritable(path: &Path, error: &std::io::Error) -> Error {
    Error::no_verdict(format!("`{}` cannot be written", path.display()))
        .cause(error)
        .hint("set LOCKGATE_CACHE_DIR to a folder that can")
}
