//! `--explain`: where a package comes from, who needs it, and all its files.

use std::collections::{HashMap, HashSet, VecDeque};
use std::fmt::Write as _;

use crate::error::{Error, Result, count, did_you_mean};
use crate::lockfiles::facts::Index;
use crate::lockfiles::read;
use crate::model::lockfile::{Edge, File, Lockfile, Package, Section, Source, normalise};
use crate::model::sources::{Location, Sources};
use crate::model::untrusted;
use crate::steps::lockfile_verify::gather::Gathered;

/// So many of those that need it are shown with their way.
const NEEDED_BY: usize = 20;

/// Everything that the locks know of a package.
pub fn explain(name: &str, gathered: &Gathered) -> Result<String> {
    let wanted = normalise(name.trim());
    let sources = &gathered.sources;
    let mut text = String::new();
    let mut known: Vec<String> = Vec::new();
    for lock in &gathered.locks {
        let Ok(file) = lock.file else { continue };
        let reading = read(lock.found.format, file, sources);
        let Some(lockfile) = &reading.lockfile else {
            let path = untrusted::line(&lock.found.path);
            let _ = writeln!(
                text,
                "{path} cannot be read; run without `--explain` to see why\n"
            );
            continue;
        };
        let index = Index::new(lockfile);
        for package in index.named(&wanted) {
            entry(package, lockfile, &index, sources, &mut text);
        }
        known.extend(
            lockfile
                .packages
                .iter()
                .map(|package| package.name.normal.to_string()),
        );
    }
    if known.iter().any(|known| *known == *wanted) {
        return Ok(text);
    }
    let error = Error::usage(format!("`explain`: no lock pins `{name}`"));
    Err(
        match did_you_mean(&wanted, known.iter().map(String::as_str)) {
            Some(close) => error.hint(format!("lockgate lockfile-verify --explain {close}")),
            None => error.hint("write the name of a package, as in the lock"),
        },
    )
}

fn entry(
    package: &Package<'_>,
    lock: &Lockfile<'_>,
    index: &Index<'_>,
    sources: &Sources,
    text: &mut String,
) {
    let line = |text: &mut String, content: String| {
        let _ = writeln!(text, "{}", untrusted::line(&content));
    };
    line(
        text,
        format!("{}  {}", package.title(), place(package.at, sources)),
    );
    line(text, format!("  from: {}", source(&package.source.value)));
    if let Some(python) = &package.requires_python {
        line(text, format!("  for Python: {}", python.value));
    }
    for marker in package.marker.iter().chain(&package.resolution_markers) {
        line(text, format!("  where: {}", marker.value));
    }
    let needed = needed_by(package, lock, index);
    if needed.is_empty() && lock.format.records_edges() {
        line(text, "  needed by: nothing in this lock".to_owned());
    }
    for need in needed.iter().take(NEEDED_BY) {
        let at = place(need.edge.at, sources);
        line(text, format!("  needed by: {}  {at}", need.describe()));
    }
    if let Some(rest @ 1..) = needed.len().checked_sub(NEEDED_BY) {
        line(
            text,
            format!("  needed by: {} more", count(rest as u64, "package")),
        );
    }
    for dependency in &package.dependencies {
        line(
            text,
            format!(
                "  needs: {}{}",
                dependency.name.normal,
                section(&dependency.section)
            ),
        );
    }
    for file in &package.files {
        line(
            text,
            format!("  file: {}  {}", describe(file), place(file.at, sources)),
        );
    }
    for hash in &package.hashes {
        let at = place(hash.at, sources);
        line(
            text,
            format!("  hash: {}:{}  {at}", hash.algorithm, hash.digest),
        );
    }
    text.push('\n');
}

fn place(at: Location, sources: &Sources) -> String {
    format!("({}:{})", sources.path(at.file), sources.line(at))
}

fn source(source: &Source<'_>) -> String {
    let place = match source {
        Source::Unstated => return "the default index".to_owned(),
        Source::Registry(place)
        | Source::Path(place)
        | Source::Directory(place)
        | Source::Editable(place)
        | Source::Virtual(place)
        | Source::Url { url: place, .. } => place.to_string(),
        Source::Git { url, commit, .. } => match commit {
            Some(commit) => format!("{url} at {commit}"),
            None => url.to_string(),
        },
    };
    format!("{} {place}", source.kind())
}

fn describe(file: &File<'_>) -> String {
    let mut text = file.name.to_string();
    if let Some(url) = &file.url {
        let _ = write!(text, "  {}", url.value);
    }
    for hash in &file.hashes {
        let _ = write!(text, "  {}:{}", hash.algorithm, hash.digest);
    }
    if file.hashes.is_empty() {
        text.push_str("  no hash");
    }
    if let Some(size) = file.size {
        let _ = write!(text, "  {}", count(size, "byte"));
    }
    if let Some(time) = &file.upload_time {
        let _ = write!(text, "  uploaded {}", time.value);
    }
    text
}

fn section(section: &Section<'_>) -> String {
    match section {
        Section::Dependencies => String::new(),
        Section::Extra(extra) => format!(" (extra {extra})"),
        Section::Group(group) => format!(" (group {group})"),
    }
}

/// Somebody who needs a package.
struct Need<'a> {
    edge: &'a Edge<'a>,
    /// From what nothing else needs, down to the one that needs it.
    way: Vec<&'a Package<'a>>,
}

impl Need<'_> {
    fn describe(&self) -> String {
        let way: Vec<String> = self.way.iter().map(|package| package.title()).collect();
        format!("{}{}", way.join(" > "), section(&self.edge.section))
    }
}

/// Who needs it directly, each with one shortest way from above.
fn needed_by<'a>(
    package: &Package<'_>,
    lock: &'a Lockfile<'a>,
    index: &Index<'a>,
) -> Vec<Need<'a>> {
    let mut parents: HashMap<Location, Vec<(&'a Package<'a>, &'a Edge<'a>)>> = HashMap::new();
    for parent in &lock.packages {
        for edge in &parent.dependencies {
            for target in index.targets(edge) {
                parents.entry(target.at).or_default().push((parent, edge));
            }
        }
    }
    let direct = parents.get(&package.at).map_or(&[][..], Vec::as_slice);
    let own = direct.iter().filter(|(parent, _)| parent.at != package.at);
    own.take(NEEDED_BY * 10)
        .map(|(parent, edge)| Need {
            edge,
            way: way_to(parent, &parents),
        })
        .collect()
}

/// A shortest way to a package from one that nothing needs; from itself where there is none.
fn way_to<'a>(
    package: &'a Package<'a>,
    parents: &HashMap<Location, Vec<(&'a Package<'a>, &'a Edge<'a>)>>,
) -> Vec<&'a Package<'a>> {
    let mut below: HashMap<Location, &'a Package<'a>> = HashMap::new();
    let mut seen = HashSet::from([package.at]);
    let mut waiting = VecDeque::from([package]);
    while let Some(one) = waiting.pop_front() {
        let above = parents.get(&one.at).map_or(&[][..], Vec::as_slice);
        if above.is_empty() {
            let mut way = vec![one];
            let mut at = one.at;
            while let Some(next) = below.get(&at) {
                way.push(next);
                at = next.at;
            }
            return way;
        }
        for (parent, _) in above {
            if seen.insert(parent.at) {
                below.insert(parent.at, one);
                waiting.push_back(parent);
            }
        }
    }
    vec![package]
}
