//! What one sees while a pipeline runs: on a terminal what runs now; in a workflow the log of each stage in a group, when
//! it has ended; elsewhere a line for each.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::model::duration;
use crate::model::pipeline::{Pipeline, StageRecord};
use crate::report::pipeline::events::Event;
use crate::report::pipeline::{groups, live};
use crate::steps::pipeline::run::tell::Events;
use crate::steps::world::World;
use crate::system::logging;

/// How often the view on a terminal is drawn anew.
pub const TICK: Duration = Duration::from_millis(100);

/// Of a longer log the beginning and the end are printed, so many bytes of each.
const PRINTED: u64 = 4 << 20;

/// The last line that each running stage wrote, by the stage's number; written from wherever its output is read.
pub type LastLines = Arc<Mutex<BTreeMap<usize, String>>>;

/// A stage that runs.
#[derive(Debug)]
struct Running {
    since: Instant,
    attempt: usize,
}

/// What one sees of a run.
#[derive(Debug)]
pub struct Show<'r> {
    world: &'r World,
    pipeline: &'r Pipeline,
    started: Instant,
    running: BTreeMap<usize, Running>,
    last: LastLines,
    done: usize,
    failed: usize,
    /// How many lines the view on the terminal has now.
    drawn: usize,
    is_live: bool,
    events: Events,
}

impl<'r> Show<'r> {
    /// Nothing to see yet.
    pub fn new(world: &'r World, pipeline: &'r Pipeline, started: Instant, events: Events) -> Self {
        Self {
            world,
            pipeline,
            started,
            running: BTreeMap::new(),
            last: LastLines::default(),
            done: 0,
            failed: 0,
            drawn: 0,
            is_live: world.console.is_watched(),
            events,
        }
    }

    /// Whether somebody looks on.
    pub fn is_live(&self) -> bool {
        self.is_live
    }

    /// Where the last lines of stages are written.
    pub fn last_lines(&self) -> LastLines {
        Arc::clone(&self.last)
    }

    /// The run begins or ends.
    pub fn tell(&mut self, event: Event<'_>) {
        self.events.tell(event);
    }

    /// A stage starts.
    pub fn started(&mut self, number: usize) {
        let running = Running {
            since: Instant::now(),
            attempt: 1,
        };
        self.running.insert(number, running);
        let stage = self.pipeline.stages.get(number);
        let stage = stage.map_or("", |stage| &*stage.name);
        self.events.tell(Event::StageStarted { stage });
    }

    /// A stage is tried again.
    pub fn retried(&mut self, number: usize, attempt: usize, after: Duration, why: &str) {
        if let Some(running) = self.running.get_mut(&number) {
            running.attempt = attempt;
        }
        let stage = self.pipeline.stages.get(number);
        let stage = stage.map_or("", |stage| &*stage.name);
        self.events.tell(Event::StageRetry {
            stage,
            number: attempt,
            pause: after,
        });
        let after = duration::show(after);
        self.said(
            number,
            &format!(
                "attempt {} ended with {why}; the next one in {after}",
                attempt - 1
            ),
        );
    }

    /// Something is told of a stage.
    pub fn said(&mut self, number: usize, text: &str) {
        let name = self
            .pipeline
            .stages
            .get(number)
            .map_or("", |stage| &*stage.name);
        let line = format!("{name}: {text}");
        self.above(|world| world.console.note(&line));
    }

    /// The run is to stop.
    pub fn stopping(&mut self, signal: u8) {
        let text = format!(
            "stopping, by signal {signal}: what runs has its grace; once more ends it at once"
        );
        self.above(|world| world.console.note(&text));
    }

    /// A stage has ended, or will not run.
    pub fn ended(&mut self, number: usize, record: &StageRecord) {
        self.events.ended(record);
        let ran = self.running.remove(&number).is_some();
        if let Ok(mut last) = self.last.lock() {
            last.remove(&number);
        }
        if record.outcome.is_problem() {
            self.failed += 1;
        } else {
            self.done += 1;
        }
        if !ran {
            return;
        }
        let Some(group) = groups::of(record) else {
            return;
        };
        if !self.world.context.is_workflow {
            self.above(|world| world.console.note(&group.title));
            return;
        }
        let log = record.log.as_deref().map(Path::new);
        self.world
            .console
            .log_by(&group.title, group.is_folded, |out| match log {
                Some(log) => print(log, out),
                None => Ok(()),
            });
    }

    /// Draws what runs now.
    pub fn draw(&mut self) {
        if !self.is_live {
            return;
        }
        let last = self
            .last
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let running = self.running.iter().map(|(number, running)| {
            let stage = self.pipeline.stages.get(*number);
            live::Running {
                name: stage.map(|stage| stage.name.clone()).unwrap_or_default(),
                elapsed: running.since.elapsed(),
                attempt: running.attempt,
                is_service: stage.is_some_and(|stage| stage.service.is_some()),
                last_line: last.get(number).cloned().unwrap_or_default(),
            }
        });
        let state = live::State {
            running: running.collect(),
            done: self.done,
            failed: self.failed,
            waiting: self.pipeline.stages.len() - self.done - self.failed - self.running.len(),
            elapsed: self.started.elapsed(),
        };
        let (width, height) = self.world.console.terminal_size();
        let lines = live::frame(&state, width, height.min(20));
        self.world.console.redraw(self.drawn, &lines);
        self.drawn = lines.len();
    }

    /// Takes the view away.
    pub fn clear(&mut self) {
        self.world.console.redraw(self.drawn, &[]);
        self.drawn = 0;
    }

    /// Writes something that stays, above what is drawn.
    fn above(&mut self, write: impl FnOnce(&World)) {
        if self.drawn > 0 {
            self.clear();
        }
        write(self.world);
        if self.is_live && !logging::is_json() {
            self.draw();
        }
    }
}

/// A log, of which the middle is left out where it is long.
fn print(path: &Path, out: &mut dyn Write) -> io::Result<()> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    if length <= 2 * PRINTED {
        return io::copy(&mut file, out).map(drop);
    }
    io::copy(&mut (&file).take(PRINTED), out)?;
    let left_out = length - 2 * PRINTED;
    writeln!(
        out,
        "\n… {left_out} bytes are left out; all are in {} …",
        path.display()
    )?;
    file.seek(SeekFrom::Start(length - PRINTED))?;
    io::copy(&mut file, out).map(drop)
}
