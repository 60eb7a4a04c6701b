//! Processes of stages: what they started ends with them, however it hides, and nothing that they print is lost.

use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use lockgate::system::environment::Environment;
use lockgate::system::masking::{Masker, Secret};
use lockgate::system::processes::{
    Channel, Ended, Ending, Fate, Log, Process, Reason, Supervisor, TRACKING, halting,
};
use lockgate::system::stop::Stop;

/// Memory that a log writes to.
#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<u8>>>);

impl Memory {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn environment() -> Environment {
    [("PATH", std::env::var_os("PATH").unwrap())]
        .into_iter()
        .collect()
}

fn shell(script: &str) -> Process {
    Process::new("a stage", "/bin/sh", std::env::temp_dir(), environment())
        .arguments(["-c", script])
        .grace(Duration::from_millis(300))
}

/// A name for a run that no other has.
fn fresh() -> String {
    let folder = tempfile::tempdir().unwrap();
    folder
        .path()
        .file_name()
        .unwrap()
        .to_str()
        .unwrap()
        .to_owned()
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

fn run(process: Process) -> (Ended, String) {
    let memory = Memory::default();
    let supervisor = Supervisor::new(&fresh(), &Environment::default(), &Masker::default());
    let (_halter, mut halt) = halting(Stop::never());
    let ended = block_on(process.run(&supervisor, Log::new(memory.clone()), &mut halt)).unwrap();
    (ended, memory.text())
}

#[test]
fn both_outputs_go_into_one_log() {
    let (ended, text) = run(shell(
        "echo one; sleep 0.3; echo two >&2; sleep 0.3; printf three",
    ));
    assert_eq!(ended.ending, Ending::Exited(0));
    assert_eq!(text, "one\ntwo\nthree");
    assert!(ended.strays.is_empty());
}
