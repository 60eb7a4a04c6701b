//! Results that jobs share, through the stores of `cache`. A fault of them costs a line and never a stage: it is as if
//! nothing were there.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::error::{Result, count};
use crate::github::runtime;
use crate::model::digest::{Pieces, Sha};
use crate::model::size;
use crate::steps::Step;
use crate::steps::gate::base;
use crate::steps::pipeline::run::skip::Store;
use crate::steps::pipeline::run::skip::exchange::FOLDERS;
use crate::steps::pipeline::run::skip::trust::Trust;
use crate::steps::pipeline::{Arguments, NAME};
use crate::steps::world::World;
use crate::stores::bucket::Opening;
use crate::stores::cache::{Cache, GITHUB};
use crate::stores::fault::{Absence, Fault};
use crate::stores::transfer::Options;
use crate::system::environment::Environment;
use crate::system::http::Http;
use crate::system::http::retry::Policy;
use crate::system::machine::Machine;
use crate::system::masking::Secret;
use crate::system::stop::Stop;

/// The value of `shared-store` that wants none.
const OFF: &str = "off";

/// Raised when a packet is laid out in another way.
const SCHEMA: &str = "1";

/// After so many faults in a row nobody is asked any more.
const MOST_FAULTS: u32 = 2;

/// A larger result stays on its machine, bytes: others have to fetch it.
pub(super) const LARGEST: u64 = 1 << 30;

/// So many results are sent at once.
const AT_ONCE: usize = 4;

/// The shared store of a run.
#[derive(Debug)]
pub struct Remote {
    pub(super) cache: Cache,
    pub(super) trust: Trust,
    /// What besides its key a result depends on between machines.
    machine: Sha,
    pub(super) limit: Duration,
    pub(super) stop: Stop,
    faults: AtomicU32,
    made: Mutex<Vec<Sha>>,
}

/// What came of a question.
#[derive(Debug, PartialEq, Eq)]
pub enum Fetched {
    /// The result is in the local store now.
    Here,
    /// There is none.
    Nothing,
    /// Something went wrong; what, for people.
    Failed(String),
}

impl Remote {
    /// The store that the run has, if any. Fails only where the user names one that is none.
    pub fn open(world: &World, limit: Duration, stop: Stop) -> Result<Option<Self>> {
        // What the configuration file says counts for nothing: a proposal would decide where bytes go.
        let given: Arguments = base::given(Step::Pipeline, world)?;
        let environment = match runtime::environment(&world.environment, std::io::stdin()) {
            Ok(environment) => environment,
            Err(error) => {
                world.console.note(&format!("{NAME}: {}", error.message));
                world.environment.clone()
            }
        };
        let is_asked_for = given.shared_store.is_some();
        let in_action = world.environment.os(runtime::HANDED_OVER).is_some();
        let name = match given.shared_store {
            Some(name) if name == OFF => return Ok(None),
            Some(name) => name,
            None if in_action => GITHUB.to_owned(),
            None => return Ok(None),
        };
        let without = |why: &str| {
            let line = format!("the shared store is not used: {why}");
            if is_asked_for {
                world.console.note(&format!("{NAME}: {line}"));
            } else {
                tracing::debug!("{line}");
            }
            Ok(None)
        };
        let trust = match Trust::of(&world.context) {
            Ok(trust) => trust,
            Err(why) => return without(&why),
        };
        let masker = world.console.masker();
        let conceal = |secret: &Secret| {
            masker.register(secret);
        };
        let opening = opening(world, &environment, &conceal, limit, stop.clone())?;
        let cache = match Cache::open(&name, &opening, masker)? {
            Ok(cache) => cache,
            Err(Fault::Unavailable(Absence::Off)) => return Ok(None),
            Err(fault) => return without(&fault.to_string()),
        };
        Ok(Some(Self {
            cache,
            trust,
            machine: machine(world),
            limit,
            stop,
            faults: AtomicU32::new(0),
            made: Mutex::default(),
        }))
    }

    /// A result was made here that others may want.
    pub fn made(&self, key: &Sha) {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.push(*key);
    }

    /// The digest that a result has among machines.
    fn digest(&self, key: &Sha) -> Sha {
        let mut pieces = Pieces::default();
        pieces.add(SCHEMA).add(key).add(self.machine);
        pieces.finish()
    }

    fn is_given_up(&self) -> bool {
        self.faults.load(Ordering::Relaxed) >= MOST_FAULTS
    }

    fn worked(&self) {
        self.faults.store(0, Ordering::Relaxed);
    }

    fn failed(&self, why: &str) -> Fetched {
        self.faults.fetch_add(1, Ordering::Relaxed);
        let end = if self.is_given_up() {
            "; it is not asked any more"
        } else {
            ""
        };
        Fetched::Failed(format!("the shared store: {why}{end}"))
    }

    /// Takes the result of a key into the local store, if there is one that may be believed.
    pub async fn fetch(&self, key: &Sha, store: &Store) -> Fetched {
        let fetching = async {
            let disk = |error: std::io::Error| error.to_string();
            let arrival = store.arrival().map_err(disk)?;
            let folders = FOLDERS.map(|folder| arrival.path().join(folder));
            let digest = self.digest(key);
            let taking = Box::pin(self.take(&digest, arrival.path(), folders.to_vec()));
            if !taking.await? {
                return Ok(false);
            }
            let (store, key) = (store.clone(), *key);
            let taking = move || store.take_in(arrival.path(), &key);
            let taken = tokio::task::spawn_blocking(taking).await;
            taken.map_err(|error| error.to_string())?.map_err(disk)?;
            Ok(true)
        };
        self.unless_given_up(fetching).await
    }

    /// Unpacks a folder that was saved by [`Remote::save_folder`].
    pub async fn fetch_folder(&self, key: &Sha, folder: &Path) -> Fetched {
        let workspace = folder.parent().unwrap_or(folder);
        let digest = self.digest(key);
        let taking = self.take(&digest, workspace, vec![folder.to_owned()]);
        self.unless_given_up(Box::pin(taking)).await
    }

    async fn unless_given_up(
        &self,
        fetching: impl Future<Output = std::result::Result<bool, String>>,
    ) -> Fetched {
        if self.is_given_up() || !self.cache.permissions().may_read {
            return Fetched::Nothing;
        }
        match fetching.await {
            Ok(is_here) => {
                self.worked();
                if is_here {
                    Fetched::Here
                } else {
                    Fetched::Nothing
                }
            }
            Err(why) => self.failed(&why),
        }
    }

    pub(super) fn options(&self) -> Options {
        let usual = Options::default();
        Options {
            stall: usual.stall.min(self.limit),
            ..usual
        }
    }

    /// Sends what this run made. Nobody waits longer than the limit, and what goes wrong is told in a line.
    pub async fn save(&self, store: &Store, world: &World) {
        use futures_util::stream::{self, StreamExt as _};
        use std::cell::{Cell, RefCell};

        let made = {
            let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *made)
        };
        if made.is_empty() || self.is_given_up() || !self.cache.permissions().may_write {
            return;
        }
        let (sent, bytes, told) = (Cell::new(0), Cell::new(0), RefCell::new(Vec::new()));
        let (sent_to, bytes_to, told_to) = (&sent, &bytes, &told);
        let all = stream::iter(made).for_each_concurrent(AT_ONCE, |key| async move {
            if self.is_given_up() {
                return;
            }
            match self.send(&key, store).await {
                Ok(None) => self.worked(),
                Ok(Some(size)) => {
                    self.worked();
                    sent_to.set(sent_to.get() + 1);
                    bytes_to.set(bytes_to.get() + size);
                }
                Err(why) => {
                    self.failed(&why);
                    told_to.borrow_mut().push(why);
                }
            }
        });
        let is_in_time = tokio::time::timeout(self.limit, all).await.is_ok();
        let mut told = told.take();
        if !is_in_time {
            told.push(format!("not all was sent in {} s", self.limit.as_secs()));
        }
        told.dedup();
        for why in told.iter().take(MOST_FAULTS as usize) {
            let line = format!("{NAME}: a result is not shared: {why}");
            world.console.note(&line);
        }
        if sent.get() > 0 {
            let results = count(sent.get(), "result");
            let size = size::show(bytes.get());
            let line = format!("{NAME}: {results} saved in the shared store ({size})");
            world.console.note(&line);
        }
    }

    /// Sends one result; how many bytes it were, or nothing where there is nothing to send.
    async fn send(&self, key: &Sha, store: &Store) -> std::result::Result<Option<u64>, String> {
        let packet = store.packet(key).map_err(|error| error.to_string())?;
        match packet.filter(|packet| packet.size <= LARGEST) {
            Some(packet) => {
                self.give(&self.digest(key), store.folder(), packet.files)
                    .await
            }
            None => Ok(None),
        }
    }

    /// Saves a whole folder, unless it is too large or somebody has done so.
    pub async fn save_folder(&self, key: &Sha, folder: &Path) -> std::result::Result<(), String> {
        if self.is_given_up() || !self.cache.permissions().may_write || size_of(folder) > LARGEST {
            return Ok(());
        }
        let workspace = folder.parent().unwrap_or(folder);
        let digest = self.digest(key);
        let giving = self.give(&digest, workspace, vec![folder.to_owned()]);
        match tokio::time::timeout(self.limit, giving).await {
            Ok(given) => given.map(drop),
            Err(_) => Err(format!("not all was sent in {} s", self.limit.as_secs())),
        }
    }
}

/// Bytes of all files in a folder; what cannot be read has none.
fn size_of(folder: &Path) -> u64 {
    let mut size = 0;
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.metadata() {
                Ok(metadata) if metadata.is_dir() => folders.push(entry.path()),
                Ok(metadata) => size += metadata.len(),
                Err(_) => {}
            }
        }
    }
    size
}

fn opening<'o>(
    world: &'o World,
    environment: &'o Environment,
    conceal: &'o dyn Fn(&Secret),
    limit: Duration,
    stop: Stop,
) -> Result<Opening<'o>> {
    let stall = Options::default().stall.min(limit);
    Ok(Opening {
        input: "shared-store",
        directory: &world.directory,
        environment,
        renewable: None,
        http: Http::new(environment, Vec::new(), stop)?,
        conceal,
        policy: Policy::default(),
        silence: stall,
        stall,
    })
}

/// What results depend on that their keys do not name, since it is the same for all runs of a machine: the system, the
/// folder of the project, whose name compilers and test runners write into what they make.
fn machine(world: &World) -> Sha {
    let machine = Machine::read(Path::new("/"));
    let mut pieces = Pieces::default();
    pieces
        .add(&machine.os)
        .add(&machine.os_version)
        .add(&machine.architecture)
        .add(&machine.libc)
        .add(world.root.as_os_str().as_encoded_bytes());
    pieces.finish()
}
