//! `version`: everything that names a version names the same one, what packages say of themselves too; and none goes to an index
//! that has a newer one.

use std::fs::File;
use std::path::Path;

use toml::de::DeTable;

use crate::deploy::version::{self, Named, Rules};
use crate::error::{Error, Kind, Result};
use crate::lockfiles::requirement::Version;
use crate::model::untrusted;
use crate::packages::Package;
use crate::steps::deploy::gates::{Looked, Said};
use crate::targets::Target;

/// What it says, and the version that all agree on.
pub async fn ask(looked: &Looked<'_>) -> Result<(Said, Option<String>)> {
    let named = named(looked);
    let gates = &looked.environment.gates;
    let mut rules = Rules {
        last: looked.last.as_ref().map_or(None, |last| last.as_deref()),
        published: None,
        downgrade: gates.downgrade,
        prereleases: looked.environment.prereleases,
    };
    if !gates.version {
        // Whoever is first: the user's own word, then the tag.
        let first = named.first().map(|named| named.version.clone());
        let judged = version::judge(&named, rules);
        return Ok((Said::Off, judged.ok().flatten().or(first)));
    }
    let inside = inside(looked, expected(looked)).await?;
    if !inside.strange.is_empty() {
        let hint = "name the files of this project alone, or say which one is meant with `project` in `target = { pypi = { … } }`";
        return Ok((Said::No(inside.strange, Some(hint.to_owned())), None));
    }
    let mut all = named;
    all.extend(inside.named);
    let judged = version::judge(&all, rules);
    if let (Ok(Some(version)), Err(why), false) = (&judged, &looked.last, gates.downgrade) {
        let hint = "wait until GitHub answers; `gates = { downgrade = true }` does without";
        return Ok((
            Said::Unknown(why.clone(), Some(hint.to_owned())),
            Some(version.clone()),
        ));
    }
    let mut published = None;
    if let (Ok(Some(version)), Some(name), Target::Pypi(pypi), false) =
        (&judged, &inside.name, looked.target, gates.downgrade)
        && inside.wrong.is_empty()
    {
        let is_final = Version::parse(version).is_some_and(|version| !version.is_pre());
        published = match pypi.newest(name, is_final, &looked.access).await {
            Ok(newest) => newest,
            Err(error) if error.kind == Kind::NoVerdict => {
                let why = error
                    .causes
                    .first()
                    .map_or(String::new(), |why| format!(": {why}"));
                let hint = "wait until the index answers; `gates = { downgrade = true }` does without its newest version";
                return Ok((
                    Said::Unknown(
                        format!(
                            "whether the index has a newer version cannot be told: {}{why}",
                            error.message
                        ),
                        Some(hint.to_owned()),
                    ),
                    Some(version.clone()),
                ));
            }
            Err(error) => return Err(error),
        };
    }
    rules.published = published.as_deref();
    let judged = version::judge(&all, rules).and_then(|version| {
        if inside.wrong.is_empty() {
            Ok(version)
        } else {
            Err(Vec::new())
        }
    });
    Ok(match judged {
        Ok(Some(version)) => {
            let by: Vec<&str> = all.iter().map(|named| named.by.as_str()).collect();
            let mut told = format!("{version}: {}", by.join(", "));
            if let Some(published) = published {
                told.push_str("; the index has ");
                told.push_str(&untrusted::excerpt(&published, 100));
            }
            (Said::Yes(told), Some(version))
        }
        Ok(None) if matches!(looked.target, Target::Pypi(_)) => {
            let hint = "name the wheels and source distributions that a build backend made";
            let why = "nothing names a version, and an index takes nothing without one";
            (Said::No(vec![why.to_owned()], Some(hint.to_owned())), None)
        }
        Ok(None) => (Said::Yes("nothing names a version".to_owned()), None),
        Err(objections) => {
            let mut hints: Vec<&str> = objections.iter().map(|one| one.hint).collect();
            if !inside.wrong.is_empty() {
                hints.push(version::MAKE_THEM_THE_SAME);
            }
            hints.dedup();
            let mut reasons: Vec<String> = objections.into_iter().map(|one| one.why).collect();
            reasons.extend(inside.wrong);
            (Said::No(reasons, Some(hints.join("; "))), None)
        }
    })
}

/// What wheels and source distributions say of themselves.
#[derive(Debug, Default)]
struct Inside {
    /// The name of the project, normalised.
    name: Option<String>,
    named: Vec<Named>,
    /// Why a file is not what its name says.
    wrong: Vec<String>,
    /// Files of another project than is meant.
    strange: Vec<String>,
}

/// The name that packages for an index must have, and who says so.
fn expected(looked: &Looked<'_>) -> Option<Expected> {
    let Target::Pypi(pypi) = looked.target else {
        return None;
    };
    let (name, by) = match &pypi.project {
        Some(name) => (name.clone(), "`project` of the target"),
        None => (project(looked.folder).0?, "`pyproject.toml`"),
    };
    Some(Expected {
        normal: version::normalised(&name),
        by: format!("{by} names `{}`", untrusted::excerpt(&name, 100)),
    })
}

/// The project that is meant.
struct Expected {
    normal: String,
    by: String,
}

/// Reads them on a thread of its own.
async fn inside(looked: &Looked<'_>, expected: Option<Expected>) -> Result<Inside> {
    let files = looked.found.release.files.clone();
    let is_index = matches!(looked.target, Target::Pypi(_));
    let work = tokio::task::spawn_blocking(move || {
        let mut inside = Inside::default();
        for file in files {
            let name = file.name.rsplit('/').next().unwrap_or_default();
            if version::of_file(name).is_none()
                || Path::new(name)
                    .extension()
                    .is_some_and(|kind| kind == "zip")
            {
                continue;
            }
            let read = match File::open(&file.path) {
                Ok(content) => Package::find(name, content, is_index),
                Err(error) => Err(Error::refused(format!("`{name}` cannot be read")).cause(error)),
            };
            match read {
                Ok(Some(package)) => {
                    inside.named.push(Named {
                        by: format!("the metadata in `{name}`"),
                        version: package.metadata.version().to_owned(),
                    });
                    let own = package.normal_name();
                    if let Some(expected) = expected.as_ref().filter(|it| it.normal != own) {
                        inside.strange.push(format!(
                            "`{name}` is of `{}`, and {}",
                            untrusted::excerpt(&own, 100),
                            expected.by
                        ));
                    }
                    inside.name.get_or_insert(own);
                }
                Ok(None) => {}
                Err(error) => inside.wrong.push(error.message),
            }
        }
        inside
    });
    let mut stop = looked.stop.clone();
    tokio::select! {
        inside = work => inside.map_err(|error| Error::bug("files could not be read").cause(error)),
        signal = stop.requested() => Err(Error::interrupted(signal)),
    }
}

/// Everything that names a version.
fn named(looked: &Looked<'_>) -> Vec<Named> {
    let mut all = Vec::new();
    let mut add = |by: String, version: String| all.push(Named { by, version });
    let project = project(looked.folder);
    if let Some(version) = &looked.arguments.release_version {
        add("`release-version`".to_owned(), version.clone());
    }
    let context = &looked.world.context;
    if context.ref_type == "tag"
        && let Some(version) = version::of_tag(&context.ref_name, project.0.as_deref())
    {
        add(format!("the tag `{}`", context.ref_name), version);
    }
    if let Some(version) = project.1 {
        add("`pyproject.toml`".to_owned(), version);
    }
    for file in &looked.found.release.files {
        if let Some((_, version)) = version::of_file(&file.name) {
            add(format!("`{}`", file.name), version);
        }
    }
    all
}

/// Name and version of the project in a folder, as far as its `pyproject.toml` says them itself.
fn project(folder: &Path) -> (Option<String>, Option<String>) {
    let text = std::fs::read_to_string(folder.join("pyproject.toml")).unwrap_or_default();
    let Ok(document) = DeTable::parse(&text) else {
        return (None, None);
    };
    let project = document.get_ref().get("project");
    let value = |name: &str| {
        let value = project?.get_ref().get(name)?;
        Some(value.get_ref().as_str()?.to_owned())
    };
    (value("name"), value("version"))
}
