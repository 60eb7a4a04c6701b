//! The event log: what happens, as it happens.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::time::SystemTime;

use crate::error::{Error, Result};
use crate::model::pipeline::{StageRecord, Trace};
use crate::report::pipeline::events::{Event, line};
use crate::system::masking::Masker;

/// Where events go; nowhere, if nobody asked.
#[derive(Debug)]
pub struct Events {
    file: Option<File>,
    trace: Trace,
    masker: Masker,
}

impl Events {
    /// Events go to the file at `path`, which is written anew.
    pub fn new(path: Option<&Path>, trace: Trace, masker: Masker) -> Result<Self> {
        let create = |path: &Path| {
            File::create(path).map_err(|error| {
                Error::usage(format!(
                    "`events-file`: `{}` cannot be written",
                    path.display()
                ))
                .cause(error)
            })
        };
        Ok(Self {
            file: path.map(create).transpose()?,
            trace,
            masker,
        })
    }

    /// Writes one event. A log that cannot be written on ends there, and the run goes on.
    pub fn tell(&mut self, event: Event<'_>) {
        let Some(file) = &mut self.file else { return };
        let line = line(event, SystemTime::now(), &self.trace);
        if write(file, &self.masker.mask(line.trim_end())).is_err() {
            self.file = None;
        }
    }

    /// What a stage that ended has done.
    pub fn ended(&mut self, record: &StageRecord) {
        if self.file.is_none() {
            return;
        }
        let stage = &record.name;
        for (number, attempt) in (1..).zip(&record.attempts) {
            self.tell(Event::AttemptEnded {
                stage,
                number,
                attempt,
            });
        }
        for artifact in &record.artifacts {
            self.tell(Event::Artifact { stage, artifact });
        }
        for survivor in &record.survivors {
            self.tell(Event::Survivor { stage, survivor });
        }
        self.tell(Event::StageEnded(record));
    }
}

fn write(file: &mut File, line: &str) -> io::Result<()> {
    file.write_all(format!("{line}\n").as_bytes())
}
