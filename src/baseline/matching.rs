//! Which findings are known already.
//!
//! Entries and findings are paired off in tiers, the surest first, and no entry covers more findings than it counts:
//!
//! 1. the same file, statement, class or function: it only moved within it, or its line was indented or wrapped anew;
//! 2. the same file and statement, in another class or function: if it went there with its neighbours, or its class or
//!    function went elsewhere or is called otherwise now;
//! 3. the same file, class or function, and the same part of a statement that was edited in another part;
//! 4. another file: as 1 and 2, if its function is no longer in the old file, or its neighbours came with it;
//! 5. what is left of a function, or of a file that is gone, from where others went the same way in the tiers before;
//! 6. entries of other programs' baselines, by what these hold.
//!
//! A file that was renamed is the same file. From the second tier on, an entry covers nothing as long as its own
//! statement stands where it stood: then the finding was mended or silenced there, and one like it elsewhere is new.
//! What could as well be an old finding mended and a new one made is new.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::hash::Hash;

use crate::baseline::key::Keyed;
use crate::baseline::outline::{Inventory, Site};

/// A finding that is known already, so many times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The finding.
    pub keyed: Keyed,
    /// How often.
    pub count: u32,
    /// What is known of its place.
    pub known: Known,
    /// The message, for people.
    pub message: Box<str>,
}

/// What an entry knows of the place of its finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// All that [`Keyed`] holds.
    Site,
    /// What the baseline of another program holds.
    Foreign {
        /// Whether the message has to agree.
        message: bool,
        /// The column that has to agree.
        column: Option<ForeignColumn>,
        /// Whether it may be about what is no finding of ours, so that it is never out of date.
        optional: bool,
    },
}

/// A 0-based column of another program's baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForeignColumn {
    /// In code points.
    CodePoints(u32),
    /// In UTF-16 units.
    Utf16(u32),
}

impl Entry {
    /// A finding of another tree, to compare this tree's with.
    pub fn once(keyed: Keyed) -> Self {
        Self {
            keyed,
            count: 1,
            known: Known::Site,
            message: "".into(),
        }
    }
}

/// How entries and findings pair off.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matching {
    /// For each finding, the entry that covers it.
    pub covered: Vec<Option<usize>>,
    /// The entries that count more than they cover, and by how much: what they stand for was mended.
    pub stale: Vec<(usize, u32)>,
}

/// So many entries are tried for a finding in the tiers where the key alone does not decide.
const TRIED: usize = 32;

/// Pairs off entries and findings. `renames` leads from the files of this tree to what they were called when the
/// entries were written, where that differs; `inventory` counts what is in a file of this tree, and is asked once for
/// each file that a decision needs. It has none for a file that is gone.
pub fn matching(
    entries: &[Entry],
    findings: &[Keyed],
    renames: &BTreeMap<String, String>,
    mut inventory: impl FnMut(&str) -> Option<Inventory>,
) -> Matching {
    let mut pairing = Pairing::new(entries, findings, renames);
    pairing.same_statement();
    if pairing.is_open() {
        pairing.count_what_stayed(&mut inventory);
        pairing.same_file();
        pairing.other_file();
        pairing.followers();
        pairing.foreign();
    }
    pairing.finish()
}

/// Names as numbers, so that texts are compared once.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Id {
    rule: u32,
    file: u32,
}

struct Pairing<'a> {
    entries: &'a [Entry],
    findings: &'a [Keyed],
    /// From what files were called to what they are called.
    called_now: HashMap<&'a str, &'a str>,
    inventories: HashMap<&'a str, Inventory>,
    /// The classes and functions that have entries, in their files.
    known_scopes: HashSet<(Option<&'a str>, u32)>,
    entry_ids: Vec<Id>,
    /// With the name that the file had when the entries were written.
    finding_ids: Vec<Id>,
    /// With the name that it has; as `finding_ids` where there is no other.
    literal_ids: Vec<Id>,
    /// The entries and the findings that can still pair off, in their order.
    open_entries: Vec<usize>,
    open_findings: Vec<usize>,
    /// How many more findings each entry counts.
    left: Vec<u32>,
    /// How many more it may cover.
    usable: Vec<u32>,
    covered: Vec<Option<usize>>,
}

impl<'a> Pairing<'a> {
    fn new(
        entries: &'a [Entry],
        findings: &'a [Keyed],
        renames: &'a BTreeMap<String, String>,
    ) -> Self {
        let (mut rules, mut files) = (HashMap::new(), HashMap::new());
        let mut id = |keyed: &'a Keyed, file: Option<&'a str>| Id {
            rule: number(&mut rules, (&*keyed.tool, keyed.rule.as_deref())),
            file: number(&mut files, file),
        };
        let entry_ids = entries
            .iter()
            .map(|entry| id(&entry.keyed, entry.keyed.path.as_deref()))
            .collect();
        let former = |path: &'a str| renames.get(path).map_or(path, String::as_str);
        let mut finding_ids = Vec::with_capacity(findings.len());
        let mut literal_ids = Vec::with_capacity(findings.len());
        for finding in findings {
            let path = finding.path.as_deref();
            finding_ids.push(id(finding, path.map(former)));
            literal_ids.push(id(finding, path));
        }
        let mut called_now = HashMap::new();
        for (new, old) in renames {
            let name = called_now.entry(old.as_str()).or_insert(new.as_str());
            *name = (*name).min(new.as_str());
        }
        let left: Vec<u32> = entries.iter().map(|entry| entry.count).collect();
        Self {
            entries,
            findings,
            called_now,
            inventories: HashMap::new(),
            known_scopes: HashSet::new(),
            entry_ids,
            finding_ids,
            literal_ids,
            open_entries: (0..entries.len()).collect(),
            open_findings: (0..findings.len()).collect(),
            usable: left.clone(),
            left,
            covered: vec![None; findings.len()],
        }
    }

    /// Whether there is anything left to pair off.
    fn is_open(&self) -> bool {
        let is_new = |index: &usize| self.covered.get(*index).is_some_and(Option::is_none);
        let is_left = |index: &usize| self.left.get(*index).is_some_and(|left| *left > 0);
        self.open_findings.iter().any(is_new) && self.open_entries.iter().any(is_left)
    }

    /// One tier: entries and findings with the same key pair off in their order, where `admits` says so.
    fn tier<K: Hash + Eq>(
        &mut self,
        of_entry: impl Fn(Id, &'a Entry) -> Option<K>,
        of_finding: impl Fn(Id, &'a Keyed) -> Option<K>,
        admits: impl Fn(&Self, &'a Keyed, &'a Keyed) -> bool,
    ) {
        let mut waiting: HashMap<K, VecDeque<usize>> = HashMap::new();
        for &index in &self.open_entries {
            let entry = self.entries.get(index).zip(self.entry_ids.get(index));
            if self.usable.get(index).is_some_and(|usable| *usable > 0)
                && let Some(key) = entry.and_then(|(entry, id)| of_entry(*id, entry))
            {
                waiting.entry(key).or_default().push_back(index);
            }
        }
        if waiting.is_empty() {
            return;
        }
        for &index in &self.open_findings {
            let finding = self.findings.get(index).zip(self.finding_ids.get(index));
            let Some((finding, id)) = finding else {
                continue;
            };
            if self.covered.get(index).is_none_or(Option::is_some) {
                continue;
            }
            let Some(queue) = of_finding(*id, finding).and_then(|key| waiting.get_mut(&key)) else {
                continue;
            };
            let fits = |at: &usize| {
                let entry = self.entries.get(*at);
                entry.is_some_and(|entry| admits(self, &entry.keyed, finding))
            };
            let Some(place) = queue.iter().take(TRIED).position(fits) else {
                continue;
            };
            let Some(&at) = queue.get(place) else {
                continue;
            };
            if let Some(covered) = self.covered.get_mut(index) {
                *covered = Some(at);
            }
            for counts in [&mut self.left, &mut self.usable] {
                if let Some(count) = counts.get_mut(at) {
                    *count = count.saturating_sub(1);
                }
            }
            if self.usable.get(at).is_none_or(|usable| *usable == 0) {
                queue.remove(place);
            }
        }
    }

    /// The tiers of one file, by its old name and then by its own: entries may have been written since.
    fn by_both_names(&mut self, tiers: impl Fn(&mut Self)) {
        tiers(self);
        if self.finding_ids != self.literal_ids {
            std::mem::swap(&mut self.finding_ids, &mut self.literal_ids);
            tiers(self);
            std::mem::swap(&mut self.finding_ids, &mut self.literal_ids);
        }
    }

    fn same_statement(&mut self) {
        self.by_both_names(|pairing| {
            let key = |id: Id, keyed: &Keyed| (id, keyed.message, keyed.site);
            pairing.tier(own(key), |id, finding| Some(key(id, finding)), always);
        });
        self.set_strangers_aside();
        self.by_both_names(|pairing| {
            let key = |id: Id, keyed: &Keyed| {
                let Site {
                    text, part, scope, ..
                } = keyed.site;
                (id, keyed.message, text, part, scope)
            };
            pairing.tier(own(key), |id, finding| Some(key(id, finding)), always);
            let key = |id: Id, keyed: &Keyed| {
                let Site { text, scope, .. } = keyed.site;
                (id, keyed.message, text, scope)
            };
            pairing.tier(own(key), |id, finding| Some(key(id, finding)), always);
        });
    }

    /// Leaves out what pairs off in no tier: what has neither its statement nor its part of one on the other side.
    fn set_strangers_aside(&mut self) {
        let mut statements = HashSet::new();
        let mut parts = HashSet::new();
        let is_foreign = |entry: &Entry| entry.known != Known::Site;
        let has_foreign = self.entries.iter().any(is_foreign);
        self.open_findings.retain(|index| {
            let is_open = self.covered.get(*index).is_some_and(Option::is_none);
            if let (true, Some(finding), Some(id)) = (
                is_open,
                self.findings.get(*index),
                self.finding_ids.get(*index),
            ) {
                statements.insert((id.rule, finding.message, finding.site.text));
                parts.insert((id.rule, finding.message, finding.site.part));
            }
            is_open
        });
        let (mut known_statements, mut known_parts) = (HashSet::new(), HashSet::new());
        self.open_entries.retain(|index| {
            let entry = self.entries.get(*index).zip(self.entry_ids.get(*index));
            let Some((entry, id)) = entry.filter(|_| self.left.get(*index) > Some(&0)) else {
                return false;
            };
            let keyed = &entry.keyed;
            let statement = (id.rule, keyed.message, keyed.site.text);
            let part = (id.rule, keyed.message, keyed.site.part);
            let is_like = statements.contains(&statement) || parts.contains(&part);
            if is_like {
                known_statements.insert(statement);
                known_parts.insert(part);
            }
            is_like || is_foreign(entry)
        });
        self.open_findings.retain(|index| {
            let finding = self.findings.get(*index).zip(self.finding_ids.get(*index));
            finding.is_some_and(|(finding, id)| {
                has_foreign
                    || known_statements.contains(&(id.rule, finding.message, finding.site.text))
                    || known_parts.contains(&(id.rule, finding.message, finding.site.part))
            })
        });
    }

    /// Takes out of what entries may cover from here on what still stands where it stood.
    fn count_what_stayed(&mut self, inventory: &mut impl FnMut(&str) -> Option<Inventory>) {
        let mut still_found: HashMap<_, u32> = HashMap::new();
        let ids = self.finding_ids.iter().zip(&self.literal_ids);
        for (finding, (id, literal)) in self.findings.iter().zip(ids) {
            let Site { text, scope, .. } = finding.site;
            let mut count = |id| {
                let found = still_found.entry((id, finding.message, text, scope));
                *found.or_default() += 1;
            };
            count(*id);
            if literal != id {
                count(*literal);
            }
        }
        for &index in &self.open_entries {
            let Some(entry) = self.entries.get(index) else {
                continue;
            };
            if self.left.get(index).is_none_or(|left| *left == 0) || entry.known != Known::Site {
                continue;
            }
            let Some(home) = self.home(&entry.keyed) else {
                continue;
            };
            if !self.inventories.contains_key(home) {
                let counted = inventory(home).unwrap_or_default();
                self.inventories.insert(home, counted);
            }
            let Site { text, scope, .. } = entry.keyed.site;
            let standing = self
                .inventories
                .get(home)
                .map_or(0, |home| home.statements(scope, text));
            let found = self
                .entry_ids
                .get(index)
                .and_then(|id| still_found.get(&(*id, entry.keyed.message, text, scope)))
                .copied()
                .unwrap_or(0);
            if let Some(usable) = self.usable.get_mut(index) {
                *usable = match text {
                    0 => 0,
                    _ => usable.saturating_sub(standing.saturating_sub(found)),
                };
            }
        }
        let own = self.entries.iter().map(|entry| &entry.keyed);
        self.known_scopes
            .extend(own.map(|keyed| (keyed.path.as_deref(), keyed.site.scope)));
        let is_usable = |index: &usize| self.usable.get(*index).is_some_and(|usable| *usable > 0);
        if !self.open_entries.iter().any(is_usable) {
            return;
        }
        for &index in &self.open_findings {
            let path = self.findings.get(index).and_then(|it| it.path.as_deref());
            if let (Some(None), Some(path)) = (self.covered.get(index), path)
                && !self.inventories.contains_key(path)
            {
                let counted = inventory(path).unwrap_or_default();
                self.inventories.insert(path, counted);
            }
        }
    }

    /// What the file of an entry is called now.
    fn home(&self, entry: &'a Keyed) -> Option<&'a str> {
        let path = entry.path.as_deref()?;
        Some(self.called_now.get(path).copied().unwrap_or(path))
    }

    fn same_file(&mut self) {
        self.by_both_names(|pairing| {
            let key = |id: Id, keyed: &Keyed| (id, keyed.message, keyed.site.text);
            pairing.tier(
                own(key),
                |id, finding| Some(key(id, finding)),
                |pairing, entry, finding| {
                    pairing.nests_anew(entry, finding)
                        || pairing.has_neighbours(entry, finding)
                        || pairing.is_renamed(entry, finding)
                },
            );
            let key =
                |id: Id, keyed: &Keyed| (id, keyed.message, keyed.site.part, keyed.site.scope);
            pairing.tier(
                own(key),
                |id, finding| Some(key(id, finding)),
                |_, entry, _| entry.site.part != 0,
            );
        });
    }

    fn other_file(&mut self) {
        let key = |id: Id, keyed: &Keyed| {
            let Site { text, scope, .. } = keyed.site;
            (id.rule, keyed.message, text, scope)
        };
        self.tier(
            own(key),
            |id, finding| Some(key(id, finding)),
            |pairing, entry, finding| {
                pairing.lost_scope(entry) || pairing.has_neighbours(entry, finding)
            },
        );
        let key = |id: Id, keyed: &Keyed| (id.rule, keyed.message, keyed.site.text);
        self.tier(
            own(key),
            |id, finding| Some(key(id, finding)),
            |pairing, entry, finding| {
                pairing.nests_anew(entry, finding) || pairing.has_neighbours(entry, finding)
            },
        );
    }

    /// What is left goes where the rest of its function went, or of its file if that is gone.
    fn followers(&mut self) {
        let mut functions: Votes<(u32, u32)> = HashMap::new();
        let mut files: Votes<u32> = HashMap::new();
        for (index, covered) in self.covered.iter().enumerate() {
            let Some(at) = *covered else { continue };
            let (Some(entry), Some(from)) = (self.entries.get(at), self.entry_ids.get(at)) else {
                continue;
            };
            let (Some(finding), Some(to)) = (self.findings.get(index), self.literal_ids.get(index))
            else {
                continue;
            };
            let (old, new) = (entry.keyed.site.scope, finding.site.scope);
            if self.lost_scope(&entry.keyed) {
                vote(&mut functions, (from.file, old), (to.file, new));
            }
            if from.file != to.file && self.is_gone(&entry.keyed) {
                vote(&mut files, from.file, to.file);
            }
        }
        let functions = elected(functions, 1);
        let files = elected(files, 2);
        std::mem::swap(&mut self.finding_ids, &mut self.literal_ids);
        let of_finding = |id: Id, finding: &Keyed| {
            let Site { text, scope, .. } = finding.site;
            Some((id, finding.message, text, scope))
        };
        let went = |id: Id, entry: &Entry, to: Option<(u32, u32)>| {
            let (file, scope) = to.filter(|_| entry.known == Known::Site)?;
            let id = Id { file, ..id };
            Some((id, entry.keyed.message, entry.keyed.site.text, scope))
        };
        self.tier(
            |id, entry| {
                let from = (id.file, entry.keyed.site.scope);
                went(id, entry, functions.get(&from).copied())
            },
            of_finding,
            always,
        );
        self.tier(
            |id, entry| {
                let file = files.get(&id.file);
                went(id, entry, file.map(|file| (*file, entry.keyed.site.scope)))
            },
            of_finding,
            always,
        );
        std::mem::swap(&mut self.finding_ids, &mut self.literal_ids);
    }

    /// Whether the file of an entry has nothing in it, as one that is no longer there.
    fn is_gone(&self, entry: &'a Keyed) -> bool {
        let home = self.home(entry).and_then(|home| self.inventories.get(home));
        home.is_some_and(Inventory::is_empty)
    }

    /// Whether the class or function of an entry is no longer in its file.
    fn lost_scope(&self, entry: &'a Keyed) -> bool {
        let home = self.home(entry).and_then(|home| self.inventories.get(home));
        entry.site.scope != 0 && home.is_some_and(|home| !home.has_scope(entry.site.scope))
    }

    /// Whether a class or function went, as it is called, into or out of another one.
    fn nests_anew(&self, entry: &'a Keyed, finding: &'a Keyed) -> bool {
        let name = |keyed: &Keyed| keyed.site.scope & 0xffff;
        name(entry) == name(finding) && self.lost_scope(entry)
    }

    /// Whether a function is gone, name and all, and one that no entry knows has the statement beside one of its former
    /// neighbours: it was renamed, and edited or indented around the statement.
    fn is_renamed(&self, entry: &'a Keyed, finding: &'a Keyed) -> bool {
        let (old, new) = (entry.site, finding.site);
        let home = self.home(entry).and_then(|home| self.inventories.get(home));
        let is_beside = (old.before != 0 && old.before == new.before)
            || (old.after != 0 && old.after == new.after);
        is_beside
            && new.scope != 0
            && self.lost_scope(entry)
            && home.is_some_and(|home| !home.has_name(old.scope))
            && !self
                .known_scopes
                .contains(&(entry.path.as_deref(), new.scope))
    }

    /// Whether a statement went with its neighbours: with one that stands in the file once and never stood elsewhere, or
    /// with both if its class or function is gone or one of them is.
    fn has_neighbours(&self, entry: &'a Keyed, finding: &'a Keyed) -> bool {
        let Some((home, path)) = self.home(entry).zip(finding.path.as_deref()) else {
            return false;
        };
        let count = |path: &str, half| {
            let inventory = self.inventories.get(path);
            inventory.map_or(0, |inventory| inventory.neighbours(half))
        };
        let is_gone = |half| home != path && count(home, half) == 0;
        let (old, new) = (entry.site, finding.site);
        let before = old.before != 0 && old.before == new.before;
        let after = old.after != 0 && old.after == new.after;
        let is_alone =
            |same: bool, half| same && count(path, half) == 1 && (home == path || is_gone(half));
        let both = before && after;
        is_alone(before, old.before)
            || is_alone(after, old.after)
            || (both && (self.lost_scope(entry) || is_gone(old.before) || is_gone(old.after)))
    }

    fn foreign(&mut self) {
        let unit = |column: Option<ForeignColumn>| match column {
            None => 0_u8,
            Some(ForeignColumn::CodePoints(_)) => 1,
            Some(ForeignColumn::Utf16(_)) => 2,
        };
        for (with_message, with_unit) in [
            (true, 1),
            (true, 2),
            (true, 0),
            (false, 1),
            (false, 2),
            (false, 0),
        ] {
            // A finding whose column nobody knows is not asked for it.
            for has_column in [true, false] {
                self.by_both_names(|pairing| {
                    pairing.tier(
                        |id, entry| match entry.known {
                            Known::Foreign {
                                message, column, ..
                            } if message == with_message && unit(column) == with_unit => {
                                let number = match column {
                                    Some(
                                        ForeignColumn::CodePoints(number)
                                        | ForeignColumn::Utf16(number),
                                    ) if has_column => number,
                                    _ => 0,
                                };
                                Some((id, if message { entry.keyed.message } else { 0 }, number))
                            }
                            _ => None,
                        },
                        |id, finding| {
                            let number = match (finding.column, with_unit) {
                                (_, 0) => 0,
                                (Some(column), 1) if has_column => column.code_points,
                                (Some(column), _) if has_column => column.utf16,
                                (None, _) if !has_column => 0,
                                _ => return None,
                            };
                            Some((id, if with_message { finding.message } else { 0 }, number))
                        },
                        always,
                    );
                });
            }
        }
    }

    fn finish(self) -> Matching {
        let is_optional = |index: usize| {
            let entry = self.entries.get(index);
            entry.is_some_and(|entry| matches!(entry.known, Known::Foreign { optional: true, .. }))
        };
        let left = self.left.iter().copied().enumerate();
        Matching {
            stale: left
                .filter(|(index, left)| *left > 0 && !is_optional(*index))
                .collect(),
            covered: self.covered,
        }
    }
}

/// How often each place was where things went from each other.
type Votes<P> = HashMap<P, HashMap<P, u32>>;

fn vote<P: Hash + Eq>(votes: &mut Votes<P>, from: P, to: P) {
    *votes.entry(from).or_default().entry(to).or_default() += 1;
}

/// Where most went, if enough did.
fn elected<P: Hash + Eq + Ord + Copy>(votes: Votes<P>, least: u32) -> HashMap<P, P> {
    let elected = votes.into_iter().filter_map(|(from, votes)| {
        let best = votes.into_iter().max_by_key(|(to, votes)| (*votes, *to))?;
        (best.1 >= least).then_some((from, best.0))
    });
    elected.collect()
}

fn always(_: &Pairing<'_>, _: &Keyed, _: &Keyed) -> bool {
    true
}

/// The key of entries that know all of their place.
fn own<'a, K>(key: impl Fn(Id, &Keyed) -> K) -> impl Fn(Id, &'a Entry) -> Option<K> {
    move |id, entry| (entry.known == Known::Site).then(|| key(id, &entry.keyed))
}

fn number<T: Hash + Eq>(numbers: &mut HashMap<T, u32>, text: T) -> u32 {
    let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
    *numbers.entry(text).or_insert(next)
}
