//! Settles where findings stand and what they are known by: file by file, and while their tool still prints.
//!
//! Tools print file by file. As soon as one is through with a file, that file is settled on a thread beside the one
//! that reads. What comes later about a file that is settled already waits until the end.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use crate::baseline::{Keyed, Keyer, Outline, Repeats};
use crate::linters::line_hash::LineHashes;
use crate::linters::position::{locate, locate_fix};
use crate::model::diagnostic::Finding;
use crate::steps::lint_gate::filter::{ByFile, Kept};
use crate::steps::lint_gate::place;
use crate::system::files::Workspace;

/// Fewer findings are not worth a thread.
const FEW: usize = 2_000;

/// So many files may wait to be settled; then the tool waits, so that memory does not hold everything twice.
const WAITING: usize = 64;

/// A finding whose place is settled.
#[derive(Clone, Debug)]
pub struct Settled {
    /// The finding.
    pub finding: Finding,
    /// By what it is known again, where it is compared with others.
    pub key: Option<Box<Keyed>>,
    /// Why it is left out; a finding that is kept has none.
    pub why: Option<&'static str>,
}

/// Findings on their way to be settled.
#[derive(Debug)]
pub struct Settling {
    workspace: Workspace,
    /// Of the file that is being told about, or of none.
    open: Vec<Kept>,
    /// Files that were handed over.
    handed: HashSet<Arc<str>>,
    /// What waits until the end.
    rest: ByFile,
    /// How much was closed.
    closed: usize,
    worker: Option<Worker>,
}

/// What is settled, all in one place: half a million findings are not held twice.
#[derive(Debug, Default)]
struct Heap {
    all: Vec<Settled>,
    /// Where those of a file stand.
    files: HashMap<Option<Arc<str>>, Vec<Range<usize>>>,
}

#[derive(Debug)]
struct Worker {
    sender: SyncSender<Vec<Kept>>,
    thread: JoinHandle<Heap>,
}

impl Worker {
    /// `None` where the system gives no thread: then everything waits until the end.
    fn start(workspace: Workspace) -> Option<Self> {
        let (sender, groups) = sync_channel(WAITING);
        let thread = std::thread::Builder::new()
            .name("settling".to_owned())
            .spawn(move || work(&groups, &workspace))
            .ok()?;
        Some(Self { sender, thread })
    }
}

fn work(groups: &Receiver<Vec<Kept>>, workspace: &Workspace) -> Heap {
    let mut heap = Heap::default();
    let mut settler = Settler::new(workspace);
    for group in groups {
        settler.settle(group, &mut heap);
    }
    heap
}

impl Settling {
    /// None yet.
    pub fn new(workspace: Workspace) -> Self {
        Self {
            workspace,
            open: Vec::new(),
            handed: HashSet::new(),
            rest: ByFile::new(),
            closed: 0,
            worker: None,
        }
    }

    /// Takes one.
    pub fn add(&mut self, kept: Kept) {
        let is_same = self
            .open
            .last()
            .is_some_and(|last| place::by_path(&last.finding, &kept.finding).is_eq());
        if !is_same {
            self.close();
        }
        self.open.push(kept);
    }

    /// Hands over what is known of a file, unless there is little in all or the file was handed over before.
    fn close(&mut self) {
        let group = std::mem::take(&mut self.open);
        let Some(first) = group.first() else { return };
        let path = first.finding.path.clone();
        self.closed += group.len();
        if self.worker.is_none() && self.closed >= FEW {
            self.worker = Worker::start(self.workspace.clone());
            if self.worker.is_some() {
                // In front of what follows: what is settled in its final order need not be moved in the end.
                for (path, group) in std::mem::take(&mut self.rest) {
                    self.hand_over(path, group);
                }
            }
        }
        self.hand_over(path, group);
    }

    /// To the worker, if there is one and it has nothing of this file yet.
    fn hand_over(&mut self, path: Option<Arc<str>>, group: Vec<Kept>) {
        if let Some(worker) = &self.worker
            && let Some(path) = &path
            && self.handed.insert(Arc::clone(path))
        {
            // A thread that is gone has panicked, which is told at the end.
            let _ = worker.sender.send(group);
            return;
        }
        self.rest.entry(path).or_default().extend(group);
    }

    /// Settles what is left, and returns all: a file's findings in the order of its lines.
    pub fn finish(mut self) -> Vec<Settled> {
        self.close();
        let mut heap = match self.worker {
            None => Heap::default(),
            Some(Worker { sender, thread }) => {
                drop(sender);
                thread
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            }
        };
        let mut settler = Settler::new(&self.workspace);
        for group in self.rest.into_values() {
            settler.settle(group, &mut heap);
        }
        for ranges in heap.files.into_values() {
            tell_apart(ranges, &mut heap.all);
        }
        heap.all
    }
}

/// Gives each finding of a file a fingerprint of its own.
fn tell_apart(ranges: Vec<Range<usize>>, all: &mut [Settled]) {
    let is_in_order = ranges.len() < 2;
    let mut places: Vec<usize> = ranges.into_iter().flatten().collect();
    if !is_in_order {
        places.sort_by_key(|index| {
            all.get(*index)
                .and_then(|settled| place::place_of(&settled.finding))
        });
    }
    let mut repeats = Repeats::default();
    for index in places {
        let fingerprints = all
            .get_mut(index)
            .and_then(|settled| settled.finding.fingerprints.as_mut());
        if let Some(fingerprints) = fingerprints {
            repeats.tell_apart(fingerprints);
        }
    }
}

/// Settles the findings of one file after the other.
struct Settler<'w> {
    workspace: &'w Workspace,
    keyer: Keyer,
}

impl<'w> Settler<'w> {
    fn new(workspace: &'w Workspace) -> Self {
        Self {
            workspace,
            keyer: Keyer::default(),
        }
    }

    /// Settles findings of one file.
    fn settle(&mut self, mut group: Vec<Kept>, heap: &mut Heap) {
        let Some(first) = group.first() else { return };
        let path = first.finding.path.clone();
        let bytes = path
            .as_deref()
            .and_then(|path| place::read(path, self.workspace));
        let file = bytes.as_deref().map(|bytes| {
            let outline = Outline::new(path.as_deref().unwrap_or_default(), bytes);
            (outline, LineHashes::new(bytes))
        });
        // In the order of the lines, so that what is known of the last statement serves for the next finding.
        place::sort(&mut group, |left, right| {
            let place = |kept: &Kept| (kept.region.line, kept.region.column);
            place(left).cmp(&place(right))
        });
        let first = heap.all.len();
        for kept in group {
            let Kept {
                mut finding,
                region,
                fix,
                is_compared,
            } = kept;
            let mut line_hash = None;
            match &file {
                Some((outline, hashes)) => {
                    let source = outline.lines();
                    finding.span = locate(&region, source).0;
                    finding.fix = fix.and_then(|fix| locate_fix(*fix, source)).map(Box::new);
                    line_hash = finding.line().and_then(|line| hashes.of(line));
                }
                None if finding.path.is_some() => finding.span = place::unverified(&region),
                None => {}
            }
            let outline = file.as_ref().map(|(outline, _)| outline);
            let essence = self.keyer.essence(&finding, outline);
            finding.fingerprints =
                Some(essence.fingerprints(&finding.tool, finding.rule.as_deref(), line_hash));
            let key = is_compared.then(|| Box::new(essence.keyed(&finding, outline)));
            let why = None;
            heap.all.push(Settled { finding, key, why });
        }
        if let Some(settled) = heap.all.get_mut(first..) {
            // In their final order as far as it is known, so that in the end little is moved.
            place::sort(settled, |left, right| {
                place::by_place(&left.finding, &right.finding)
            });
        }
        let range = first..heap.all.len();
        heap.files.entry(path).or_default().push(range);
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;
    use std::num::NonZeroU32;

    use super::*;
    use crate::model::diagnostic::Severity;
    use crate::model::region::{ColumnUnit, Region};

    const FILES: u32 = 40;
    const LINES: u32 = 100;

    /// Each line of each file has one finding, and half of the lines are the same.
    fn kept(file: u32, line: u32) -> Kept {
        Kept {
            finding: Finding {
                path: Some(format!("{file}.py").into()),
                ..Finding::new("ruff", "E1", Severity::Error, "wrong")
            },
            region: Region {
                line: NonZeroU32::new(line),
                column: Some(0),
                end_line: None,
                end_column: None,
                unit: ColumnUnit::CodePoint,
            },
            fix: None,
            is_compared: true,
        }
    }

    fn settled(workspace: &Workspace, order: impl Iterator<Item = (u32, u32)>) -> Vec<Finding> {
        let mut settling = Settling::new(workspace.clone());
        order.for_each(|(file, line)| settling.add(kept(file, line)));
        let settled = settling.finish();
        assert!(settled.iter().all(|settled| settled.key.is_some()));
        let mut findings: Vec<Finding> = settled.into_iter().map(|one| one.finding).collect();
        place::rank(&mut findings);
        findings
    }

    #[test]
    fn whatever_the_order_each_is_settled_once_and_known_by_its_own_fingerprint() {
        let folder = tempfile::tempdir().unwrap();
        let mut text = String::new();
        for line in 0..LINES / 2 {
            writeln!(text, "same()\nline_{line}()").unwrap();
        }
        for file in 0..FILES {
            std::fs::write(folder.path().join(format!("{file}.py")), &text).unwrap();
        }
        let workspace = Workspace::new(folder.path());
        let by_file = || (0..FILES).flat_map(|file| (1..=LINES).map(move |line| (file, line)));
        let plain = settled(&workspace, by_file());
        assert_eq!(plain.len(), (FILES * LINES) as usize);
        let mut prints: Vec<_> = plain
            .iter()
            .map(|finding| (&finding.path, finding.fingerprints.map(|prints| prints.key)))
            .collect();
        prints.sort();
        prints.dedup();
        assert_eq!(prints.len(), plain.len());

        let by_line = (1..=LINES).flat_map(|line| (0..FILES).map(move |file| (file, line)));
        assert!(settled(&workspace, by_line) == plain);
        // The second half of each file comes when its first half has been settled long since.
        let half = LINES / 2;
        let in_halves = by_file()
            .filter(|(_, line)| *line > half)
            .chain(by_file().filter(|(_, line)| *line <= half));
        assert!(settled(&workspace, in_halves) == plain);
    }
}
