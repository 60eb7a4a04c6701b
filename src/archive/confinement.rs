//! Where an extraction may write, and how much.

use std::path::{Path, PathBuf};

use super::fault::Fault;
use crate::system::files::normalise;

/// The folders and files that an archive may put in place, and nothing else. The way to each of them, links included, is
/// the caller's; below them no link is followed.
#[derive(Clone, Debug)]
pub struct Confinement {
    workspace: PathBuf,
    roots: Vec<PathBuf>,
    limits: Limits,
}

/// How much an archive may hold.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Entries.
    pub entries: u64,
    /// Bytes of the unpacked stream.
    pub bytes: u64,
    /// Where these are more than `any_ratio`: so many times its own size.
    pub ratio: u64,
    /// Bytes of the unpacked stream that the smallest archive may hold: files that are nearly empty are honest.
    pub any_ratio: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            entries: 2_000_000,
            bytes: 128 << 30,
            ratio: 1_000,
            any_ratio: 8 << 30,
        }
    }
}

impl Limits {
    pub(super) fn check_entries(&self, entries: u64) -> Result<(), Fault> {
        if entries > self.entries {
            let why = format!("it has more than {} entries", self.entries);
            return Err(Fault::TooLarge { why });
        }
        Ok(())
    }

    /// Whether an archive may unpack to so many bytes, of which so many of its own were read.
    pub(super) fn check_bytes(&self, unpacked: u64, archive: u64) -> Result<(), Fault> {
        if unpacked > self.bytes {
            let why = format!("it unpacks to more than {} bytes", self.bytes);
            return Err(Fault::TooLarge { why });
        }
        if unpacked > self.any_ratio && unpacked / archive.max(1) > self.ratio {
            let why = format!("it unpacks to more than {} times its size", self.ratio);
            return Err(Fault::TooLarge { why });
        }
        Ok(())
    }
}

/// A place below a root.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Place {
    /// Which of the roots.
    pub(super) root: usize,
    /// The way from there, parts joined by `/`; empty for the root itself.
    pub(super) below: Vec<u8>,
}

impl Confinement {
    /// Names in archives are relative to `workspace`, which is absolute. `declared` are the paths that were saved, absolute or
    /// relative to it: folders or files; for a pattern, the folder that its literal beginning names.
    pub fn new(workspace: &Path, declared: impl IntoIterator<Item = PathBuf>) -> Self {
        let workspace = normalise(workspace);
        let mut roots: Vec<PathBuf> = declared
            .into_iter()
            .map(|path| normalise(&workspace.join(path)))
            .collect();
        roots.sort();
        // Sorted, a folder stands before all that is below it.
        let mut outermost: Vec<PathBuf> = Vec::new();
        for root in roots {
            if !outermost.iter().any(|outer| root.starts_with(outer)) {
                outermost.push(root);
            }
        }
        Self {
            workspace,
            roots: outermost,
            limits: Limits::default(),
        }
    }

    /// With other limits.
    #[must_use]
    pub fn limited(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The limits.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// The outermost of the declared paths, absolute.
    pub fn roots(&self) -> &[PathBuf] {
        &self.roots
    }

    /// The absolute path that an entry's name means, by its letters. No honest archive has an absolute name: the official client
    /// makes all relative to the workspace.
    #[cfg(unix)]
    pub(super) fn absolute(&self, name: &[u8]) -> Result<PathBuf, Fault> {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt;

        let refused = |why: &str| Fault::refused(name, why);
        if name.starts_with(b"/") {
            return Err(refused("its name is absolute"));
        }
        if name.contains(&0) {
            return Err(refused("its name holds NUL"));
        }
        let mut path = self.workspace.clone();
        let mut is_below = false;
        for part in name.split(|byte| *byte == b'/') {
            match part {
                b"" | b"." => {}
                b".." if is_below => return Err(refused("its name goes down and up again")),
                b".." => {
                    if !path.pop() {
                        return Err(refused("its name leads above all folders"));
                    }
                }
                part => {
                    path.push(OsStr::from_bytes(part));
                    is_below = true;
                }
            }
        }
        Ok(path)
    }

    /// Where an entry goes, if it may go there.
    #[cfg(unix)]
    pub(super) fn place(&self, name: &[u8]) -> Result<Place, Fault> {
        use std::os::unix::ffi::OsStrExt;

        let path = self.absolute(name)?;
        self.roots
            .iter()
            .enumerate()
            .find_map(|(root, base)| {
                let below = path.strip_prefix(base).ok()?;
                let below = below.as_os_str().as_bytes().to_vec();
                Some(Place { root, below })
            })
            .ok_or_else(|| Fault::refused(name, "it lies outside of the declared paths"))
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn confinement() -> Confinement {
        let declared = ["d", "../../../.cache/uv", "d/inner", "/opt/tools"];
        Confinement::new(Path::new("/home/u/work/r/r"), declared.map(PathBuf::from))
    }

    #[test]
    fn only_what_is_below_a_declared_path_has_a_place() {
        for (name, expected) in [
            ("d", Some((1, ""))),
            ("./d/", Some((1, ""))),
            ("d//x/./y", Some((1, "x/y"))),
            ("d/inner/x", Some((1, "inner/x"))),
            ("../../../.cache/uv/a", Some((0, "a"))),
            ("../../../../.cache/uv/a", None),
            ("../../../../../opt/tools/bin", Some((2, "bin"))),
            ("../../../../../../opt/tools", None),
            ("../r/d/x", Some((1, "x"))),
            ("dd", None),
            (".", None),
            ("", None),
            ("/opt/tools/bin", None),
            ("d/../d/x", None),
            ("d/..", None),
            ("..", None),
            ("d\0/x", None),
        ] {
            let place = confinement().place(name.as_bytes()).ok();
            let place = place.map(|place| (place.root, String::from_utf8(place.below).unwrap()));
            let place = place.as_ref().map(|(root, below)| (*root, below.as_str()));
            assert_eq!(place, expected, "{name:?}");
        }
    }

    #[test]
    fn a_declared_path_below_another_is_no_root_of_its_own() {
        let roots: Vec<_> = confinement().roots().to_vec();
        assert_eq!(roots.len(), 3, "{roots:?}");
    }

    #[test]
    fn nearly_empty_files_are_honest_up_to_some_gib() {
        let limits = Limits::default();
        assert!(limits.check_bytes(1_200 << 20, 45_000).is_ok());
        assert!(limits.check_bytes(8 << 30, 1).is_ok());
        assert!(limits.check_bytes(9 << 30, 1 << 20).is_err());
        assert!(limits.check_bytes(9 << 30, 100 << 20).is_ok());
        assert!(limits.check_bytes(129 << 30, 128 << 30).is_err());
    }
}
