//! What is deployed, what stands at a target, and what a deployment would change. Plain data.

use std::path::PathBuf;

use crate::model::digest::{Pieces, Sha};

/// What is deployed: files, told by their bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Release {
    /// Its version as the project writes it (PEP 440 for packages), where it has one.
    pub version: Option<String>,
    /// Its files, by name.
    pub files: Vec<ReleaseFile>,
}

/// A file of a release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseFile {
    /// Its name in the release, with `/`; a file name alone for packages.
    pub name: String,
    /// Where its bytes are on this machine.
    pub path: PathBuf,
    /// Its bytes.
    pub size: u64,
    /// SHA-256 of them.
    pub digest: Sha,
    /// Whether its owner may execute it.
    pub executable: bool,
}

impl Release {
    /// The digest that stands for the whole: that of the file where it is one, else that of names, modes and digests in order.
    pub fn digest(&self) -> Sha {
        if let [file] = &*self.files {
            return file.digest;
        }
        let mut pieces = Pieces::default();
        for file in &self.files {
            pieces
                .add(&file.name)
                .add([u8::from(file.executable)])
                .add(file.digest);
        }
        pieces.finish()
    }

    /// Bytes of all files.
    pub fn size(&self) -> u64 {
        self.files.iter().map(|file| file.size).sum()
    }
}

/// What stands at a target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Its version, where it is known.
    pub version: Option<String>,
    /// The digest of its release, where it is known.
    pub digest: Option<Sha>,
    /// The target's own name of it, enough to go back to it: a folder, the key of an object, `sha256:…` of an image.
    pub reference: String,
}

/// One thing that a deployment would do, or did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What it is about: a file, the pointer `current`, a tag.
    pub what: String,
    /// What happens to it.
    pub kind: ChangeKind,
    /// More in a few words: a size, a digest, why.
    pub detail: String,
}

/// What happens to a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// It is not there yet.
    Create,
    /// It is there with something else, which is replaced.
    Replace,
    /// It is there with the same bytes, and stays.
    Keep,
    /// It is removed, as the target was told to keep only so many.
    Remove,
    /// It is there with other bytes and cannot be replaced: the deployment would be refused.
    Refuse,
}

/// What a target did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// What stands there now.
    pub now: Standing,
    /// What stood there before.
    pub previous: Option<Standing>,
    /// Where people find it.
    pub url: Option<String>,
    /// What was done, file by file.
    pub changes: Vec<Change>,
    /// Bytes that were sent.
    pub sent: u64,
}

/// What a target knows by itself of releases that it can go back to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// What stood there before what stands, newest first, without what was gone back from.
    pub stood: Vec<Standing>,
    /// Whatever else it has kept, newest first.
    pub kept: Vec<Standing>,
}

/// So many that stood before are remembered.
const MOST_EARLIER: usize = 20;

/// What stood before, newest first, once `now` stands in the place of `before`, of which `known` stood before. What is gone back
/// from stood there for nothing.
pub fn earlier<T: Clone + PartialEq>(
    now: &T,
    before: Option<&T>,
    known: &[T],
    is_back: bool,
) -> Vec<T> {
    if is_back {
        let at = known.iter().position(|one| one == now);
        return known
            .get(at.map_or(0, |at| at + 1)..)
            .unwrap_or_default()
            .to_vec();
    }
    let all = before.into_iter().chain(known).filter(|one| *one != now);
    all.take(MOST_EARLIER).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_gone_back_from_did_not_stand() {
        assert_eq!(earlier(&1, None, &[], false), Vec::<u8>::new());
        assert_eq!(earlier(&2, Some(&1), &[], false), [1]);
        assert_eq!(earlier(&3, Some(&2), &[1], false), [2, 1]);
        // 3 was not well.
        assert_eq!(earlier(&2, Some(&3), &[2, 1], true), [1]);
        assert_eq!(earlier(&1, Some(&3), &[2, 1], true), Vec::<u8>::new());
        // To what nobody remembers; and the same again, and one that stood long ago.
        assert_eq!(earlier(&7, Some(&3), &[2, 1], true), [2, 1]);
        assert_eq!(earlier(&3, Some(&3), &[2, 1], false), [2, 1]);
        assert_eq!(earlier(&1, Some(&3), &[2, 1], false), [3, 2]);
    }

    fn file(name: &str, digest: u8) -> ReleaseFile {
        ReleaseFile {
            name: name.into(),
            path: PathBuf::from(name),
            size: 3,
            digest: [digest; 32],
            executable: false,
        }
    }

    #[test]
    fn a_release_is_told_by_names_modes_and_bytes() {
        let of = |files: &[ReleaseFile]| Release {
            version: None,
            files: files.to_vec(),
        };
        assert_eq!(of(&[file("a", 1)]).digest(), [1; 32]);
        let two = of(&[file("a", 1), file("b", 2)]);
        assert_eq!(two.size(), 6);
        let mut executable = file("b", 2);
        executable.executable = true;
        for other in [
            of(&[file("a", 1), file("c", 2)]),
            of(&[file("a", 1), file("b", 3)]),
            of(&[file("a", 1), executable]),
        ] {
            assert_ne!(two.digest(), other.digest());
        }
    }
}
