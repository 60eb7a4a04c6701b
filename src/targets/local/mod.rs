//! A folder of the machine: one folder a version below `versions/`, and the link `current` to the one that stands.
//!
//! A version is copied beside, checked byte for byte and moved into its place whole; then a new link is renamed over the old
//! one, so that whoever follows `current` finds the old version or the new one and never neither. What lockgate made is on
//! record below `.lockgate/`; nothing else is removed or replaced.

mod layout;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use crate::error::{Error, Result};
use crate::model::deploy::{Applied, Change, ChangeKind, Known, Release, Standing};
use crate::model::digest::hex;
use crate::model::size;
use crate::targets::Access;
use layout::{Layout, Record};

/// The link to the version that stands.
const CURRENT: &str = "current";

/// A folder of versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Local {
    /// The folder, absolute.
    pub directory: PathBuf,
    /// How many versions stay, the one that stands among them; at least two, so that one can go back.
    pub keep: usize,
}

impl Local {
    /// For people.
    pub fn describe(&self) -> String {
        format!("the folder `{}`", self.directory.display())
    }

    /// The folder in which locks are kept.
    pub fn lock_folder(&self) -> PathBuf {
        self.directory.join(layout::OWN)
    }

    /// What a deployment would do.
    pub async fn plan(&self, release: &Release, access: &Access<'_>) -> Result<Vec<Change>> {
        check_names(release)?;
        let layout = Layout::new(&self.directory);
        let standing = layout.standing()?;
        let known = layout.find(release, access.stop).await?;
        let mut changes: Vec<Change> = release
            .files
            .iter()
            .map(|file| Change {
                what: file.name.clone(),
                kind: match known {
                    Some(_) => ChangeKind::Keep,
                    None => ChangeKind::Create,
                },
                detail: format!("{}, sha256 {}", size::show(file.size), hex(&file.digest)),
            })
            .collect();
        let name = known.unwrap_or_else(|| layout.free_name(release));
        changes.push(pointed(standing.as_ref(), &name));
        for old in layout.too_many(self.keep, &[Some(&name), reference(standing.as_ref())])? {
            changes.push(removed(&old));
        }
        Ok(changes)
    }

    /// What stands there.
    pub fn current(&self, _access: &Access<'_>) -> Result<Option<Standing>> {
        Layout::new(&self.directory).standing()
    }

    /// What it can go back to.
    pub fn known(&self) -> Result<Known> {
        let layout = Layout::new(&self.directory);
        let now = layout.standing()?;
        let mut known = Known::default();
        if let Some(now) = reference(now.as_ref()) {
            for name in layout.stood(now) {
                known.stood.extend(standing(&layout, name)?);
            }
        }
        for name in layout.newest()? {
            known.kept.extend(standing(&layout, name)?);
        }
        Ok(known)
    }

    /// Makes the release stand there.
    pub async fn apply(&self, release: &Release, access: &Access<'_>) -> Result<Applied> {
        check_names(release)?;
        let layout = Layout::new(&self.directory);
        layout.make()?;
        let _alone = layout.alone()?;
        layout.tidy();
        let previous = layout.standing()?;
        let mut applied = Applied {
            previous: previous.clone(),
            ..Applied::default()
        };
        let known = layout.find(release, access.stop).await?;
        let is_known = known.is_some();
        let name = if let Some(name) = known {
            name
        } else {
            let name = layout.free_name(release);
            layout.copy(&name, release, access).await?;
            applied.sent = release.size();
            name
        };
        for file in &release.files {
            let change = Change {
                what: file.name.clone(),
                kind: if is_known {
                    ChangeKind::Keep
                } else {
                    ChangeKind::Create
                },
                detail: size::show(file.size),
            };
            access.progress.done(&change);
            applied.changes.push(change);
        }
        self.point(&layout, &name, false, access, &mut applied)?;
        applied.now.digest = Some(release.digest());
        applied.now.version.clone_from(&release.version);
        Ok(applied)
    }

    /// Makes a version stand again that is still there.
    pub async fn back(&self, to: &Standing, access: &Access<'_>) -> Result<Applied> {
        let layout = Layout::new(&self.directory);
        let gone = |why: &str| {
            Error::refused(format!(
                "{} has no version `{}` to go back to",
                self.describe(),
                to.reference
            ))
            .cause(why)
            .hint("deploy the older release again, and let `keep` be larger")
        };
        let name = match to.digest.filter(|_| to.reference.is_empty()) {
            Some(digest) => layout.named(&digest)?,
            None => Some(to.reference.clone()),
        };
        let name = name.ok_or_else(|| gone("none has its bytes"))?;
        let record = layout
            .record(&name)?
            .ok_or_else(|| gone("it is not on record"))?;
        layout.make()?;
        let _alone = layout.alone()?;
        if !layout.is_whole(&name, &record, access.stop).await? {
            return Err(gone("its files are no longer what they were"));
        }
        let mut applied = Applied {
            previous: layout.standing().unwrap_or_default(),
            ..Applied::default()
        };
        self.point(&layout, &name, true, access, &mut applied)?;
        applied.now.digest = Some(record.digest());
        applied.now.version = record.version;
        Ok(applied)
    }

    fn point(
        &self,
        layout: &Layout,
        name: &str,
        is_back: bool,
        access: &Access<'_>,
        applied: &mut Applied,
    ) -> Result<()> {
        if access.stop.signal().is_some() {
            return Err(Error::interrupted(access.stop.signal().unwrap_or_default()));
        }
        let change = pointed(applied.previous.as_ref(), name);
        layout.remember(name, reference(applied.previous.as_ref()), is_back)?;
        layout.point(name)?;
        access.progress.done(&change);
        applied.changes.push(change);
        applied.now = Standing {
            reference: name.to_owned(),
            ..Standing::default()
        };
        let stays = [Some(name), reference(applied.previous.as_ref())];
        for old in layout.too_many(self.keep, &stays)? {
            let change = removed(&old);
            layout.remove(&old)?;
            access.progress.done(&change);
            applied.changes.push(change);
        }
        Ok(())
    }
}

/// A version that is on record.
fn standing(layout: &Layout, name: String) -> Result<Option<Standing>> {
    Ok(layout.record(&name)?.map(|record| Standing {
        digest: Some(record.digest()),
        version: record.version,
        reference: name,
    }))
}

fn reference(standing: Option<&Standing>) -> Option<&str> {
    standing.map(|standing| standing.reference.as_str())
}

fn pointed(standing: Option<&Standing>, name: &str) -> Change {
    let (kind, detail) = match reference(standing) {
        None => (ChangeKind::Create, format!("to `{name}`")),
        Some(before) if before == name => (ChangeKind::Keep, format!("at `{name}`")),
        Some(before) => (ChangeKind::Replace, format!("from `{before}` to `{name}`")),
    };
    Change {
        what: CURRENT.to_owned(),
        kind,
        detail,
    }
}

fn removed(name: &str) -> Change {
    Change {
        what: name.to_owned(),
        kind: ChangeKind::Remove,
        detail: "more than `keep`".to_owned(),
    }
}

/// A release of no files, or with names that lead elsewhere, is none.
fn check_names(release: &Release) -> Result<()> {
    if release.files.is_empty() {
        return Err(Error::refused("the release has no file"));
    }
    let mut known = std::collections::BTreeSet::new();
    for file in &release.files {
        let name = &file.name;
        let is_plain = |part: &str| !matches!(part, "" | "." | "..") && part.len() <= 255;
        let has_odd = name.contains(|c: char| c == '\\' || c.is_control());
        if has_odd || !name.split('/').all(is_plain) {
            return Err(Error::refused(format!(
                "`{name}` is no name for a file of a release"
            )));
        }
        if !known.insert(name.as_str()) {
            return Err(Error::refused(format!("two files are called `{name}`")));
        }
    }
    for name in &known {
        let mut above = *name;
        while let Some((folder, _)) = above.rsplit_once('/') {
            if known.contains(folder) {
                return Err(Error::refused(format!(
                    "`{name}` is below `{folder}`, which is a file"
                )));
            }
            above = folder;
        }
    }
    Ok(())
}

impl Record {
    /// The digest of the release that it is of.
    fn digest(&self) -> crate::model::digest::Sha {
        Release {
            version: None,
            files: self.files.iter().filter_map(layout::File::known).collect(),
        }
        .digest()
    }
}
