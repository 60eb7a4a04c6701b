//! Which pages say what an index publishes of a package.

use crate::lockfiles::address::{Address, conceal, same};
use crate::lockfiles::document::{Document, Kind};
use crate::lockfiles::facts::Facts;
use crate::lockfiles::fault::Faults;
use crate::lockfiles::public_index::{SIMPLE_API, is_public};
use crate::lockfiles::rules::is_index_refused;
use crate::model::lockfile::{Format, Package, Source};

/// A page of an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The address of the page.
    pub page: String,
    /// The index, as it may be shown.
    pub index: String,
}

/// Who is asked for a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// These: one of them must publish it.
    Places(Vec<Place>),
    /// Nobody: it comes from no index, or from a folder.
    Nobody,
    /// Nothing says which index; the reason.
    Unknown(String),
}

/// Who is asked for a package.
pub fn asked(package: &Package<'_>, facts: &Facts<'_>) -> Asked {
    let indexes = match &package.source.value {
        Source::Unstated => unstated(facts),
        Source::Registry(index) => named(index, facts),
        _ => return Asked::Nobody,
    };
    let indexes = match indexes {
        Ok(indexes) => indexes,
        Err(why) => return Asked::Unknown(why),
    };
    let mut places = Vec::new();
    for index in indexes {
        let Some(address) = Address::parse(&index).filter(is_web) else {
            continue;
        };
        // A lock must not lead us anywhere.
        if is_index_refused(&index, facts) {
            let shown = conceal(&index);
            return Asked::Unknown(format!(
                "the index `{shown}` is neither declared nor allowed, so it is not asked"
            ));
        }
        if address.host.contains('$') || address.path.contains("${") {
            let shown = conceal(&index);
            return Asked::Unknown(format!("the index `{shown}` is named by a variable"));
        }
        let place = place(&index, package, facts);
        if !places.contains(&place) {
            places.push(place);
        }
    }
    if places.is_empty() {
        return Asked::Nobody;
    }
    Asked::Places(places)
}

fn is_web(address: &Address<'_>) -> bool {
    ["http", "https"]
        .iter()
        .any(|scheme| address.scheme.eq_ignore_ascii_case(scheme))
}

fn place(index: &str, package: &Package<'_>, facts: &Facts<'_>) -> Place {
    let own = facts.policy.index_url.as_deref();
    let index = match own {
        Some(own) if is_public(index) => own,
        _ => index,
    };
    let bare = without_user(index);
    let page = if is_flat(index, facts) {
        bare.clone()
    } else {
        let root = bare.split(['?', '#']).next().unwrap_or_default();
        format!("{}/{}/", root.trim_end_matches('/'), package.name.normal)
    };
    Place { page, index: bare }
}

/// An address without its user: it is no credential that anybody configured here.
fn without_user(index: &str) -> String {
    let user = Address::parse(index).and_then(|address| address.user);
    user.map_or_else(
        || index.to_owned(),
        |user| index.replacen(&format!("{user}@"), "", 1),
    )
}

/// Whether a project of uv declares the index as a flat list of files.
fn is_flat(index: &str, facts: &Facts<'_>) -> bool {
    let own = facts.declared.into_iter();
    own.chain(facts.members)
        .filter_map(|declared| declared.uv.as_ref())
        .flat_map(|uv| &uv.indexes)
        .any(|declared| declared.is_flat && same(&declared.url.value, index))
}

/// The index of this name or address.
fn named(index: &str, facts: &Facts<'_>) -> Result<Vec<String>, String> {
    let Some(pipfile) = facts.lock.pipfile() else {
        return Ok(vec![index.to_owned()]);
    };
    let mut sources = pipfile.sources.iter();
    match sources.find(|source| source.name == index) {
        Some(source) => Ok(vec![source.url.value.to_string()]),
        None => Err(format!("`_meta.sources` has no index `{index}`")),
    }
}

/// The indexes of a package whose entry names none.
fn unstated(facts: &Facts<'_>) -> Result<Vec<String>, String> {
    let default = || vec![SIMPLE_API.to_owned()];
    if let Some(pipfile) = facts.lock.pipfile() {
        let sources: Vec<String> = pipfile
            .sources
            .iter()
            .map(|source| source.url.value.to_string())
            .collect();
        return Ok(if sources.is_empty() {
            default()
        } else {
            sources
        });
    }
    if let Some(requirements) = facts.lock.requirements() {
        return of_options(
            requirements
                .options
                .iter()
                .map(|option| (option.name, &*option.value)),
        );
    }
    if facts.lock.format == Format::Pdm {
        return Ok(of_pdm(facts).unwrap_or_else(default));
    }
    Ok(default())
}

/// The indexes that the options of requirements name, as pip reads them: the last `--index-url` counts.
fn of_options<'o>(
    options: impl Iterator<Item = (&'static str, &'o str)>,
) -> Result<Vec<String>, String> {
    let mut first = SIMPLE_API.to_owned();
    let mut more = Vec::new();
    for (name, value) in options {
        match name {
            "--index-url" => value.clone_into(&mut first),
            "--extra-index-url" => more.push(value.to_owned()),
            "--no-index" | "--find-links" => {
                return Err(format!(
                    "`{name}` names files that are on no index; `index-check` cannot look there"
                ));
            }
            _ => {}
        }
    }
    more.insert(0, first);
    Ok(more)
}

/// The indexes that a project of PDM declares, the public one among them unless it is replaced; `None` where it declares
/// none. A list of files (`find_links`) is asked as an index, and does not answer.
fn of_pdm(facts: &Facts<'_>) -> Option<Vec<String>> {
    let file = facts.declared?.file;
    let mut faults = Faults::new(Format::Pdm, file);
    let document = Document::read(facts.sources.bytes(file), &mut faults)?;
    let sources = document.root().path(&["tool", "pdm", "source"])?;
    let tables = sources.entries().filter(|one| one.kind() == Kind::Table);
    let text = |table: crate::lockfiles::document::Value<'_, '_>, key: &str| {
        Some(table.get(key)?.as_str()?.into_owned())
    };
    let mut has_public = false;
    let mut indexes = Vec::new();
    for table in tables {
        has_public |= text(table, "name").as_deref() == Some("pypi");
        indexes.extend(text(table, "url"));
    }
    if !has_public {
        indexes.push(SIMPLE_API.to_owned());
    }
    Some(indexes)
}
