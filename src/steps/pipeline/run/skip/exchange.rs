//! A result on its way between this machine's store and a shared one: the document and the objects that it names, under
//! the names that they have in the store.

use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::model::digest::Sha;
use crate::steps::artifacts::sha;
use crate::steps::pipeline::run::skip::store::{Document, Store, objects, read_limited};
use crate::system::files::write_atomically;

/// What the folders begin with in which results arrive.
pub(super) const ARRIVING: &str = "arriving-";

/// The folders of a packet, in the store and in the archive.
pub const FOLDERS: [&str; 2] = ["results", "objects"];

/// What of the store makes one result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// The files, in the store.
    pub files: Vec<PathBuf>,
    /// Their bytes.
    pub size: u64,
}

impl Store {
    /// The folder of the store.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// All that belongs to the result of a key; nothing where none is kept.
    pub fn packet(&self, key: &Sha) -> io::Result<Option<Packet>> {
        let document = self.result(key);
        let bytes = match read_limited(&document) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            bytes => bytes?,
        };
        let contents =
            objects(&bytes).ok_or_else(|| io::Error::other("the result is unreadable"))?;
        let mut files = vec![document];
        let names = contents.into_iter().map(|(name, _)| name);
        files.extend(names.filter_map(|name| Some(self.object(&sha(&name)?))));
        files.sort();
        files.dedup();
        let mut size = 0;
        for file in &files {
            size += file.metadata()?.len();
        }
        Ok(Some(Packet { files, size }))
    }

    /// A folder in which a packet can be unpacked.
    pub fn arrival(&self) -> io::Result<TempDir> {
        std::fs::create_dir_all(&self.folder)?;
        let mut folder = tempfile::Builder::new();
        folder.prefix(ARRIVING).tempdir_in(&self.folder)
    }

    /// Takes in the packet of a key that was unpacked in `folder`: each object only with the bytes that its name says, and
    /// the document last. From then on it is a result like any other, but known to come from a store that others write to.
    pub fn take_in(&self, folder: &Path, key: &Sha) -> io::Result<()> {
        let arrived = Self::new(folder.to_owned());
        let bytes = read_limited(&arrived.result(key))?;
        let unreadable = || io::Error::other("what was saved there is no result");
        let mut document: Document = serde_json::from_slice(&bytes).map_err(|_| unreadable())?;
        for (name, _) in objects(&bytes).ok_or_else(unreadable)? {
            let digest = sha(&name).ok_or_else(unreadable)?;
            let object = arrived.object(&digest);
            if !object.symlink_metadata()?.is_file() {
                return Err(unreadable());
            }
            self.keep(&object, Some(&digest))?;
        }
        document.shared = true;
        write_atomically(&self.result(key), &serde_json::to_vec(&document)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Place;
    use crate::model::pipeline::manifest::Source;
    use crate::steps::artifacts::{Known, Promise, collect};
    use crate::steps::pipeline::run::skip::Made;
    use crate::system::files::Workspace;
    use std::collections::BTreeMap;
    use std::time::Duration;

    fn copy(from: &Store, files: &[PathBuf], to: &Path) {
        for file in files {
            let target = to.join(file.strip_prefix(from.folder()).unwrap());
            std::fs::create_dir_all(target.parent().unwrap()).unwrap();
            std::fs::copy(file, target).unwrap();
        }
    }

    #[test]
    fn what_arrives_is_verified_and_known_to_be_of_others() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("project");
        std::fs::create_dir_all(&root).unwrap();
        std::fs::write(root.join("out"), "made").unwrap();
        std::fs::write(folder.path().join("log"), "said").unwrap();
        let (workspace, known) = (Workspace::new(&root), Known::default());
        let place = Place::in_text("pyproject.toml", "", 0..0);
        let promise = Promise {
            stage: "build",
            output: "it",
            pattern: "out",
            place: &place,
            directory: &root,
        };
        let artifact = collect(&promise, &workspace, &known).unwrap();
        let (here, there) = (
            Store::new(folder.path().join("here")),
            Store::new(folder.path().join("there")),
        );
        let key = [5; 32];
        assert_eq!(here.packet(&key).unwrap(), None);
        here.put(
            &key,
            &Made {
                artifacts: &[artifact],
                log: &folder.path().join("log"),
                duration: Duration::from_secs(1),
                components: &BTreeMap::new(),
                is_shared: false,
            },
            &workspace,
        )
        .unwrap();
        assert_eq!(here.get(&key).unwrap().source, Source::Local);
        let packet = here.packet(&key).unwrap().unwrap();
        assert_eq!(packet.files.len(), 3);

        let damaged = there.arrival().unwrap();
        copy(&here, &packet.files, damaged.path());
        let object = packet
            .files
            .iter()
            .find(|file| file.starts_with(here.folder().join("objects")));
        let object = object.unwrap().strip_prefix(here.folder()).unwrap();
        std::fs::write(damaged.path().join(object), "evil").unwrap();
        assert!(there.take_in(damaged.path(), &key).is_err());
        assert!(there.get(&key).is_none());

        let whole = there.arrival().unwrap();
        copy(&here, &packet.files, whole.path());
        assert!(there.take_in(whole.path(), &[6; 32]).is_err());
        there.take_in(whole.path(), &key).unwrap();
        let saved = there.get(&key).unwrap();
        assert_eq!(saved.source, Source::Shared);
        assert_eq!(saved.artifacts[0].source, Source::Shared);
        std::fs::remove_file(root.join("out")).unwrap();
        there
            .restore(&saved, &workspace, &known, &folder.path().join("log2"))
            .unwrap();
        assert_eq!(std::fs::read_to_string(root.join("out")).unwrap(), "made");
    }
}
