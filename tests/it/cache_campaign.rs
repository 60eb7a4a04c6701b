//! Whole runs of `cache` among faults of all kinds in any order, and signals at any moment: what is found afterwards is what was
//! saved, or nothing; what stood on disk is as it was, or as it was saved.
//!
//! `LOCKGATE_CAMPAIGN=<n>` makes n cases.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::fuzzing::Random;
use crate::support::cache_runs::{
    arguments, expect_quiet, files, stages, told, with_service, write_old,
};
use crate::support::lockgate::{Project, Run};
use crate::support::peers::{self, CacheService, cache_service};

/// Cases in a run of the suite.
const CASES: u64 = 32;

/// Runs at once, each with a store of its own.
const WORKERS: usize = 8;

/// At most so many faults wait for a run.
const FAULTS: usize = 4;

type Files = BTreeMap<PathBuf, String>;

/// Where caches are kept, with what can fail in front.
struct Store {
    name: &'static str,
    peer: Option<CacheService>,
    address: Option<String>,
    /// The folder that is one.
    _folder: tempfile::TempDir,
}

impl Store {
    fn new(number: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (name, peer, address) = match number % 8 {
            6 => {
                let address = folder.path().display().to_string();
                ("folder", None, Some(address))
            }
            2 | 5 | 7 => {
                let bucket = format!("campaign-{number}");
                peers::make_bucket(&bucket);
                let peer = peers::in_front_of(peers::moto());
                ("s3", Some(peer), Some(format!("s3://{bucket}/x")))
            }
            _ => ("service", Some(cache_service()), None),
        };
        Self {
            name,
            peer,
            address,
            _folder: folder,
        }
    }

    fn project(&self) -> Project {
        let project = Project::empty();
        match (self.name, &self.peer) {
            ("service", Some(peer)) => with_service(project, peer, "push"),
            ("s3", Some(peer)) => project
                .with("AWS_ACCESS_KEY_ID", "not-real-id")
                .with("AWS_SECRET_ACCESS_KEY", "not-real-secret")
                .with("AWS_ENDPOINT_URL", &peer.url()),
            _ => project,
        }
    }

    fn fail(&self, faults: &[Value]) {
        if let Some(peer) = &self.peer {
            peer.fail(&json!(faults));
        }
    }

    /// Where a fault may happen, and of which kinds.
    fn places(&self, operation: &str) -> &'static [&'static str] {
        match (self.name, operation) {
            ("service", "save") => &[
                "GetCacheEntryDownloadURL",
                "CreateCacheEntry",
                "FinalizeCacheEntryUpload",
                "PUT",
            ],
            ("service", _) => &["GetCacheEntryDownloadURL", "GET"],
            ("s3", "save") => &["PUT", "GET", "HEAD", "POST"],
            ("s3", _) => &["GET", "HEAD"],
            _ => &[],
        }
    }
}

fn fault(random: &mut Random, places: &[&str], can_stall: bool) -> Value {
    let at = places[random.below(places.len())];
    let times = if random.below(3) == 0 { 99 } else { 1 };
    let statuses = [400, 403, 404, 408, 409, 413, 429, 500, 502, 503, 504, 507];
    let mut fault = match random.below(10) {
        0..5 => {
            let after = one(random, &[0, 0, 1, 9_999]);
            json!({"kind": "status", "status": statuses[random.below(statuses.len())], "retryAfter": after})
        }
        5 => json!({"kind": "reset"}),
        6 => json!({"kind": "lost"}),
        7 => json!({"kind": one(random, &["cut", "short", "long"])}),
        8 => json!({"kind": "flip", "where": one(random, &[0.0, 0.1, 0.5, 0.9, 0.999])}),
        _ if can_stall && random.below(6) == 0 => {
            json!({"kind": one(random, &["stall", "stall-within"])})
        }
        _ => {
            json!({"kind": "answer", "body": {"ok": false, "message": one(random, &["", "cache write denied: no", "insufficient usage"])}})
        }
    };
    let is_stall = fault["kind"].as_str().unwrap().starts_with("stall");
    fault["at"] = at.into();
    // A stall costs its whole time.
    fault["times"] = if is_stall { 1 } else { times }.into();
    fault["after"] = one(random, &[0, 0, 1, 2]).into();
    fault
}

/// One of them.
fn one<T: Copy>(random: &mut Random, of: &[T]) -> T {
    of[random.below(of.len())]
}

/// A tree that nobody has seen before, in place of the one that is there.
fn grow(random: &mut Random, project: &Project) {
    let folder = project.path().join("d");
    let _ = std::fs::remove_dir_all(&folder);
    let large = random.below(16) == 0;
    for number in 0..=random.below(30) {
        let size = match number {
            0 if large => 9 << 20,
            _ => one(random, &[0, 1, 511, 5_000, 120_000]),
        };
        let word = random.next().to_le_bytes();
        let mut bytes: Vec<u8> = Vec::with_capacity(size + 8);
        while bytes.len() < size {
            bytes.extend(if large {
                random.next().to_le_bytes()
            } else {
                word
            });
        }
        bytes.truncate(size);
        project.write(
            &format!("d/{}f{number}", ["", "a/", "a/b/"][number % 3]),
            bytes,
        );
    }
    std::os::unix::fs::symlink("f0", folder.join("link")).unwrap();
}

/// A run that may be told to stop, or killed, at any moment.
fn run(project: &Project, arguments: &[String], signal: Option<(Signal, Duration)>) -> Run {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut command = project.command(&arguments);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    if let Some((signal, after)) = signal {
        std::thread::sleep(after);
        send(&child, signal);
    }
    let output = child.wait_with_output().unwrap();
    Run {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

fn send(child: &Child, signal: Signal) {
    let id = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    // It may have ended, and is not waited for yet.
    let _ = kill_process(id, signal);
}

/// What happened in all cases, by kind.
type Counts = Mutex<BTreeMap<String, u64>>;

struct Worker<'c> {
    random: Random,
    store: Store,
    project: Project,
    other: Project,
    saved: BTreeMap<String, Files>,
    keys: u64,
    counts: &'c Counts,
}

impl<'c> Worker<'c> {
    fn new(number: u64, counts: &'c Counts) -> Self {
        let store = Store::new(number);
        Self {
            random: Random(0xcafe + number),
            project: store.project(),
            other: store.project(),
            store,
            saved: BTreeMap::new(),
            keys: 0,
            counts,
        }
    }

    fn arguments(&self, operation: &str, key: &str, more: &[&str]) -> Vec<String> {
        let mut all = arguments(operation, key, more);
        if let Some(address) = &self.store.address {
            all.extend(["--store".to_owned(), address.clone()]);
        }
        all
    }

    fn signal(&mut self) -> Option<(Signal, Duration)> {
        let signals = [Signal::INT, Signal::TERM, Signal::KILL];
        let signal = signals[self.random.below(3)];
        let after = Duration::from_micros(self.random.next() % 120_000);
        (self.random.below(3) == 0).then_some((signal, after))
    }

    fn case(&mut self) {
        let is_save = self.saved.is_empty() || self.random.below(2) == 0;
        let operation = if is_save { "save" } else { "restore" };
        let places = self.store.places(operation);
        let count = if places.is_empty() {
            0
        } else {
            self.random.below(FAULTS + 1)
        };
        let can_stall = self.store.name == "service";
        let faults: Vec<Value> = (0..count)
            .map(|_| fault(&mut self.random, places, can_stall))
            .collect();
        let signal = self.signal();
        let what = format!(
            "{operation}, {}, {signal:?}: {}",
            self.store.name,
            json!(faults)
        );
        if is_save {
            self.save(&faults, signal, &what);
        } else {
            self.restore(&faults, signal, &what);
        }
    }

    /// What is told: an end by the signal that was sent, or an outcome and what is said of it.
    fn outcome(
        &self,
        run: &Run,
        operation: &str,
        signal: Option<Signal>,
        is_faulty: bool,
        what: &str,
    ) -> Option<String> {
        expect_quiet(&self.project, run);
        let count = |name: String| *self.counts.lock().unwrap().entry(name).or_default() += 1;
        if let Some(signal) = signal.filter(|_| run.code != 0) {
            let ends = [-1, 128 + signal.as_raw()];
            assert!(
                ends.contains(&run.code),
                "{what}: {}\n{}",
                run.code,
                run.text()
            );
            count(format!("{operation} ended by {signal:?}"));
            return None;
        }
        assert_eq!(run.code, 0, "{what}: {}", run.text());
        let (outcome, rule) = told(run);
        let known: &[&str] = match &*outcome {
            "unavailable" if operation == "save" => &[
                "rate-limited",
                "server",
                "network",
                "invalid-answer",
                "missing",
                "quota",
                "changed",
                "conflict",
            ],
            "unavailable" => &[
                "rate-limited",
                "server",
                "network",
                "invalid-answer",
                "missing",
                "quota",
                "changed",
                "conflict",
                "corrupt",
                "truncated",
                "refused",
            ],
            "denied" => &["denied"],
            "exists" => &["", "exists"],
            "saved" | "hit" | "miss" => &[""],
            _ => &[],
        };
        assert!(
            known.contains(&&*rule),
            "{what}: {outcome} {rule}: {}",
            run.text()
        );
        assert!(
            is_faulty || !matches!(&*outcome, "unavailable" | "denied"),
            "{what}: {}",
            run.text()
        );
        count(
            format!("{operation} {outcome} {rule}")
                .trim_end()
                .to_owned(),
        );
        Some(outcome)
    }

    fn save(&mut self, faults: &[Value], signal: Option<(Signal, Duration)>, what: &str) {
        grow(&mut self.random, &self.project);
        let before = files(&self.project.path().join("d"));
        let known = self
            .saved
            .keys()
            .nth(self.random.below(self.saved.len()))
            .cloned();
        let known = known.filter(|_| self.random.below(6) == 0);
        self.keys += 1;
        let key = known.unwrap_or_else(|| format!("k-{}-", self.keys));
        let arguments = self.arguments("save", &key, &["--stall-timeout", "3s"]);
        self.store.fail(faults);
        let run = run(&self.project, &arguments, signal);
        self.store.fail(&[]);
        let outcome = self.outcome(
            &run,
            "save",
            signal.map(|(signal, _)| signal),
            !faults.is_empty(),
            what,
        );
        assert_eq!(files(&self.project.path().join("d")), before, "{what}");
        // What everybody finds under the key is what was saved first, or nothing.
        let found = self.found(&key);
        let expected = self.saved.get(&key).unwrap_or(&before);
        match (&found, outcome.as_deref()) {
            (Some(found), _) => assert_eq!(found, expected, "{what}: {}", run.text()),
            (None, outcome) => {
                assert_ne!(outcome, Some("saved"), "{what}");
                assert!(!self.saved.contains_key(&key), "{what}");
            }
        }
        if let Some(found) = found {
            self.saved.insert(key, found);
        }
    }

    /// What a job finds under the key that begins with nothing.
    fn found(&self, key: &str) -> Option<Files> {
        let folder = self.other.path().join("d");
        let _ = std::fs::remove_dir_all(&folder);
        let run = run(&self.other, &self.arguments("restore", key, &[]), None);
        run.expect_code(0);
        let (outcome, _) = told(&run);
        assert!(matches!(&*outcome, "hit" | "miss"), "{}", run.text());
        (outcome == "hit").then(|| files(&folder))
    }

    fn restore(&mut self, faults: &[Value], signal: Option<(Signal, Duration)>, what: &str) {
        let number = self.random.below(self.saved.len());
        let (key, saved) = self.saved.iter().nth(number).unwrap();
        let (key, saved) = (key.clone(), saved.clone());
        let folder = self.project.path().join("d");
        match self.random.below(3) {
            0 => drop(std::fs::remove_dir_all(&folder)),
            1 => {
                let _ = std::fs::remove_dir_all(&folder);
                write_old(&self.project);
            }
            // What an earlier case left.
            _ => {}
        }
        let before = files(&folder);
        let mut after = before.clone();
        after.extend(saved);
        let arguments = self.arguments("restore", &key, &["--stall-timeout", "3s"]);
        self.store.fail(faults);
        let run_of_it = run(&self.project, &arguments, signal);
        self.store.fail(&[]);
        let signal = signal.map(|(signal, _)| signal);
        let outcome = self.outcome(&run_of_it, "restore", signal, !faults.is_empty(), what);
        let found = files(&folder);
        match outcome.as_deref() {
            Some("hit") => assert_eq!(found, after, "{what}"),
            Some(_) => assert_eq!(found, before, "{what}"),
            // Told to stop, it is done or it is not; killed, each file is.
            None if signal != Some(Signal::KILL) => {
                assert!(found == before || found == after, "{what}");
            }
            None => {
                for (path, about) in &found {
                    assert!(
                        before.get(path) == Some(about) || after.get(path) == Some(about),
                        "{what}: {}",
                        path.display()
                    );
                }
                let known: BTreeSet<&PathBuf> = found.keys().collect();
                assert!(before.keys().all(|path| known.contains(path)), "{what}");
                let again = run(&self.project, &arguments, None);
                assert_eq!(told(&again).0, "hit", "{what}: {}", again.text());
                assert_eq!(files(&folder), after, "{what}");
            }
        }
        let left = stages(&self.project.path());
        assert!(left.is_empty(), "{what}: {left:?}");
    }
}

#[test]
fn whatever_fails_in_whatever_order_what_is_found_is_what_was_saved_or_nothing() {
    let cases = std::env::var("LOCKGATE_CAMPAIGN")
        .ok()
        .and_then(|cases| cases.parse().ok())
        .unwrap_or(CASES);
    let counts = Counts::default();
    // Most of the time is spent in pauses between attempts.
    std::thread::scope(|scope| {
        for number in 0..WORKERS as u64 {
            let counts = &counts;
            scope.spawn(move || {
                let mut worker = Worker::new(number, counts);
                // Each has its share: some stores are faster than others.
                for _ in (number..cases).step_by(WORKERS) {
                    worker.case();
                }
            });
        }
    });
    let counts = counts.into_inner().unwrap();
    tell(&counts);
    assert!(counts.keys().any(|what| what.starts_with("save saved")));
    assert!(counts.keys().any(|what| what.starts_with("restore hit")));
}

#[expect(clippy::print_stderr, reason = "the figures of a campaign")]
fn tell(counts: &BTreeMap<String, u64>) {
    for (what, count) in counts {
        eprintln!("{count:6} {what}");
    }
}
