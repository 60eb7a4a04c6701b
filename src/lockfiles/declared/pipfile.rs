//! What a `Pipfile` declares (<https://pipenv.pypa.io/en/latest/pipfile.html>), and the hash that pipenv keeps of it.

use std::collections::BTreeMap;

use crate::lockfiles::Format;
use crate::lockfiles::document::{Document, Kind, Value};
use crate::lockfiles::fault::Faults;
use crate::lockfiles::pipfile_lock::entry;
use crate::lockfiles::public_index::PIPFILE_SOURCE;
use crate::lockfiles::python_json::{Json, Separators, sha256_with};
use crate::lockfiles::values;
use crate::model::lockfile::{Package, Text};
use crate::model::sources::{FileId, Located, Location, Sources};

/// Tables that are no category of packages.
const SECTIONS: [&str; 5] = ["source", "requires", "scripts", "pipfile", "pipenv"];

/// Names of categories in the lock; a table of a `Pipfile` that has one of them is passed over.
const LOCKED: [&str; 2] = ["default", "develop"];

/// Keys of an entry that are markers: `sys_platform = "== 'win32'"`.
const MARKERS: [&str; 11] = [
    "os_name",
    "sys_platform",
    "platform_machine",
    "platform_python_implementation",
    "platform_release",
    "platform_system",
    "platform_version",
    "python_version",
    "python_full_version",
    "implementation_name",
    "implementation_version",
];

/// How the names of packages go into the hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling {
    /// Normalised (PEP 503), as pipenv does it now.
    Normal,
    /// As they are written, as it did before.
    Written,
}

impl Spelling {
    /// Both, the newer one first.
    pub const ALL: [Self; 2] = [Self::Normal, Self::Written];
}

/// A `Pipfile` that was read.
#[derive(Debug, Default)]
pub struct Pipfile<'a> {
    /// What it asks for: the category as the lock calls it, and the entry.
    pub packages: Vec<(String, Package<'a>)>,
    /// The URLs of its indexes.
    pub sources: Vec<Located<Text<'a>>>,
    /// `[requires]`.
    pub requires: Vec<(Text<'a>, Located<Text<'a>>)>,
    /// Where `[packages]` stands, or the file where there is none.
    pub at: Location,
    /// The hash in each spelling; `None` where pipenv itself computes none.
    pub hashes: Option<[String; 2]>,
}

/// Reads a `Pipfile`; `None` where it is no TOML.
pub fn read(file: FileId, sources: &Sources) -> Option<Pipfile<'_>> {
    // What is wrong in it is for pipenv to say.
    let mut faults = Faults::new(Format::Pipfile, file);
    let document = Document::read(sources.bytes(file), &mut faults)?;
    let root = document.root();
    let mut found = Pipfile {
        at: faults.at(0..0),
        hashes: hashes(&document),
        ..Pipfile::default()
    };
    for table in root.entries() {
        let key = table.key();
        match &*key {
            "source" => {
                let urls = table.entries().filter_map(|source| source.get("url"));
                found.sources = urls
                    .filter_map(|url| values::text(url, &mut faults))
                    .collect();
            }
            "requires" => {
                for entry in table.entries() {
                    let text = values::text(entry, &mut faults);
                    found.requires.extend(text.map(|text| (entry.key(), text)));
                }
            }
            _ => {
                if let Some(category) = category(&key) {
                    if category == "default" {
                        found.at = values::key_at(table, &faults);
                    }
                    packages(table, category, &mut found.packages, &mut faults);
                }
            }
        }
    }
    Some(found)
}

/// How the lock calls a table of packages; `None` for one that is none.
fn category(table: &str) -> Option<&str> {
    match table {
        "packages" => Some("default"),
        "dev-packages" => Some("develop"),
        "build-system" => None,
        other => (!SECTIONS.contains(&other) && !LOCKED.contains(&other)).then_some(other),
    }
}

fn packages<'a>(
    table: Value<'_, 'a>,
    category: &str,
    found: &mut Vec<(String, Package<'a>)>,
    faults: &mut Faults,
) {
    for value in table.entries() {
        let name = Located::new(category.to_owned().into(), values::key_at(value, faults));
        let mut package = entry::package(value, &name, faults);
        package.marker = marker(value, package.marker.take());
        found.push((category.to_owned(), package));
    }
}

/// The markers of an entry: `markers`, and the keys that are markers themselves.
fn marker<'a>(value: Value<'_, 'a>, own: Option<Located<Text<'a>>>) -> Option<Located<Text<'a>>> {
    let mut parts: Vec<String> = own.iter().map(|own| format!("({})", own.value)).collect();
    let keys = value.entries().filter(|_| value.kind() == Kind::Table);
    for entry in keys {
        let key = entry.key();
        if MARKERS.contains(&&*key)
            && let Some(text) = entry.as_str()
        {
            parts.push(format!("{key} {text}"));
        }
    }
    match (own, parts.as_slice()) {
        (Some(own), [_]) => Some(own),
        (_, []) => None,
        (own, parts) => {
            let at = own.map_or_else(Location::default, |own| own.at);
            Some(Located::new(parts.join(" and ").into(), at))
        }
    }
}

/// The hash in each spelling; `None` where pipenv computes none: a category is no table, a value is a date.
pub fn hashes(document: &Document<'_>) -> Option<[String; 2]> {
    let [normal, written] = Spelling::ALL.map(|spelling| hash(document, spelling));
    Some([normal?, written?])
}

fn hash(document: &Document<'_>, spelling: Spelling) -> Option<String> {
    let root = document.root();
    let mut faults = Faults::new(Format::Pipfile, FileId::default());
    let default = Document::read(PIPFILE_SOURCE.as_bytes(), &mut faults)?;
    let table = || Json::Table(BTreeMap::new());
    let sources = root
        .get("source")
        .or_else(|| default.root().get("source"))?;
    let meta = Json::table([
        ("sources", Json::Toml(sources)),
        ("requires", Json::of(root.get("requires"), table())),
    ]);
    let mut content = BTreeMap::from([
        ("_meta".to_owned(), meta),
        ("default".to_owned(), table()),
        ("develop".to_owned(), table()),
    ]);
    for section in root.entries() {
        let key = section.key();
        let name = match &*key {
            "packages" => "default",
            "dev-packages" => "develop",
            other if SECTIONS.contains(&other) || LOCKED.contains(&other) => continue,
            other => other,
        };
        content.insert(name.to_owned(), names(section, spelling)?);
    }
    sha256_with(&Json::Table(content), Separators::COMPACT)
}

fn names<'d, 'a>(section: Value<'d, 'a>, spelling: Spelling) -> Option<Json<'d, 'a>> {
    let entries = section.entries().map(|entry| {
        let name = match spelling {
            Spelling::Normal => normal(&entry.key()),
            Spelling::Written => entry.key().into_owned(),
        };
        (name, Json::Toml(entry))
    });
    (section.kind() == Kind::Table).then(|| Json::Table(entries.collect()))
}

/// As Python's `lower` and PEP 503 have it: letters of all alphabets become small ones.
fn normal(name: &str) -> String {
    crate::lockfiles::normalise_name(&name.to_lowercase())
}
