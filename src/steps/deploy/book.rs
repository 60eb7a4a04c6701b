//! The journal of one environment on disk: a line is whole and on the disk before anything that it stands for is done.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::deploy::history::{self, Deployment};
use crate::deploy::journal::Journal;
use crate::error::{Error, Result};
use crate::model::deployment::{Entry, Facts, State};
use crate::steps::deploy::Arguments;
use crate::steps::world::World;
use crate::system::clock;

/// Larger journals are none, bytes.
const LIMIT: u64 = 256 << 20;

/// What lies beside the definition and belongs into no commit.
const OWN: &str = ".lockgate";

/// A journal and where it lies.
#[derive(Debug)]
pub struct Book {
    path: PathBuf,
    shown: String,
    journal: Journal,
}

/// The folder of the journals: as it is named, for the job in a workflow, else beside the definition.
pub fn folder(arguments: &Arguments, world: &World, beside: &Path) -> PathBuf {
    if let Some(named) = &arguments.journal {
        return world.directory.join(named);
    }
    match &world.context.runner_temp {
        Some(temp) => temp.join("lockgate").join("deploy"),
        None => beside.join(OWN).join("deploy"),
    }
}

impl Book {
    /// The journal of an environment, read as far as it was written. Nothing is made or repaired.
    pub fn open(folder: &Path, environment: &str) -> Result<Self> {
        let path = file_of(folder, environment);
        let shown = path.display().to_string();
        let bytes = bytes_of(&path, &shown)?;
        Ok(Self {
            journal: Journal::read(&bytes, &shown)?,
            path,
            shown,
        })
    }

    /// What can still be told of the deployments in a journal that is not as it was written.
    pub fn remains(folder: &Path, environment: &str) -> Result<Vec<Deployment>> {
        let path = file_of(folder, environment);
        let bytes = bytes_of(&path, &path.display().to_string())?;
        Ok(history::deployments(&Journal::remains(&bytes)))
    }

    /// Where it lies, for people.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// Its lines.
    pub fn entries(&self) -> &[Entry] {
        &self.journal.entries
    }

    /// What its lines amount to.
    pub fn deployments(&self) -> Vec<Deployment> {
        history::deployments(self.entries())
    }

    /// Writes that a deployment enters a state. When this returns, the line is on the disk where the
    /// [state](State::is_brought_to_disk) asks for it.
    pub fn write(&mut self, deployment: &str, event: State, mut facts: Facts) -> Result<()> {
        let failed = |error| fault(&self.shown, "written", error);
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder).map_err(failed)?;
            keep_out_of_commits(folder).map_err(failed)?;
        }
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let mut file = open_file(&mut options, &self.path).map_err(failed)?;
        // Others write their lines between ours, never into them.
        file.lock().map_err(failed)?;
        let length = file.metadata().map_err(failed)?.len();
        if length != self.journal.length {
            let mut bytes = Vec::new();
            let read = (&file).take(LIMIT + 1).read_to_end(&mut bytes);
            read.map_err(failed)?;
            self.journal = Journal::read(&bytes, &self.shown)?;
        }
        if self.journal.torn > 0 {
            facts.recovered = Some(self.journal.torn);
            file.set_len(self.journal.length).map_err(failed)?;
            self.journal.torn = 0;
        }
        let line = self.journal.line(Entry {
            seq: 0,
            time: clock::rfc3339(clock::milliseconds()),
            previous: String::new(),
            deployment: deployment.to_owned(),
            event,
            facts,
        })?;
        let written = file
            .seek(SeekFrom::Start(self.journal.length))
            .and_then(|_| file.write_all(&line.bytes))
            .and_then(|()| {
                if event.is_brought_to_disk() {
                    file.sync_data()
                } else {
                    Ok(())
                }
            });
        if let Err(error) = written {
            // Half a line is none, also where nothing more can be written.
            let _ = file.set_len(self.journal.length);
            return Err(fault(&self.shown, "written", error));
        }
        self.journal.accept(line);
        Ok(())
    }
}

fn fault(path: &str, what: &str, error: io::Error) -> Error {
    Error::no_verdict(format!("the journal `{path}` cannot be {what}"))
        .cause(error)
        .hint("nothing is done that is not on record; name another folder with `--journal`")
}

fn file_of(folder: &Path, environment: &str) -> PathBuf {
    folder.join(format!("{environment}.jsonl"))
}

/// What is written; nothing where there is no journal yet.
fn bytes_of(path: &Path, shown: &str) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    match open_file(OpenOptions::new().read(true), path) {
        Ok(file) => {
            let length = file.metadata().map_or(0, |metadata| metadata.len());
            bytes.reserve(usize::try_from(length.min(LIMIT)).unwrap_or(0) + 1);
            let read = file.take(LIMIT + 1).read_to_end(&mut bytes);
            read.map_err(|error| fault(shown, "read", error))?;
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(fault(shown, "read", error)),
    }
    if bytes.len() as u64 > LIMIT {
        return Err(Error::no_verdict(format!(
            "the journal `{shown}` has more than {LIMIT} bytes"
        )));
    }
    Ok(bytes)
}

/// Opens a regular file, and waits for nobody at the other end of a pipe.
fn open_file(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;

        options.custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
    }
    let file = options.open(path)?;
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::other("it is no regular file"))
    }
}

/// A folder of ours that is beside the definition says itself that it is no part of the project.
fn keep_out_of_commits(folder: &Path) -> io::Result<()> {
    let own = folder
        .ancestors()
        .take(2)
        .find(|folder| folder.ends_with(OWN));
    let Some(own) = own else {
        return Ok(());
    };
    match OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(own.join(".gitignore"))
    {
        Ok(mut file) => file.write_all(b"*\n"),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}
