//! Files: digests, atomic writes, and the way from a tool's spelling of a path to one relative to the workspace.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Component, Path, PathBuf};

use sha2::{Digest, Sha256};

pub use crate::model::digest::hex;

/// The SHA-256 of what the reader holds, in lower-case hexadecimal.
pub fn sha256(mut reader: impl Read) -> io::Result<String> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = reader.read(&mut buffer)?;
        if read == 0 {
            return Ok(hex(&hasher.finalize()));
        }
        hasher.update(&buffer[..read]);
    }
}

/// The SHA-256 of a file.
pub fn sha256_of_file(path: &Path) -> io::Result<String> {
    sha256(File::open(path)?)
}

/// Writes a file whole or not at all; makes the folders above it.
pub fn write_atomically(path: &Path, content: &[u8]) -> io::Result<()> {
    write_atomically_by(path, |file| file.write_all(content))
}

/// The same, where the content is written bit by bit; whoever writes small bits buffers them.
pub fn write_atomically_by(
    path: &Path,
    content: impl FnOnce(&mut File) -> io::Result<()>,
) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    content(file.as_file_mut())?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        file.as_file()
            .set_permissions(std::fs::Permissions::from_mode(0o644))?;
    }
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Writes a file of the user's that is there, whole or not at all: its permissions stay, and a link to it stays one.
pub fn rewrite(path: &Path, content: &[u8]) -> io::Result<()> {
    let path = real(path);
    let permissions = path.metadata()?.permissions();
    write_atomically(&path, content)?;
    std::fs::set_permissions(&path, permissions)
}

/// The path without `.` and `..`, by its letters alone.
pub fn normalise(path: &Path) -> PathBuf {
    let mut parts = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir
                if matches!(parts.components().next_back(), Some(Component::Normal(_))) =>
            {
                parts.pop();
            }
            other => parts.push(other),
        }
    }
    parts
}

/// The path without symbolic links, as git and the system print it; the path itself where there is nothing.
pub fn real(path: &Path) -> PathBuf {
    // Windows would answer with `\\?\`, which few programs understand.
    let found = if cfg!(windows) {
        None
    } else {
        path.canonicalize().ok()
    };
    found.unwrap_or_else(|| path.to_owned())
}

/// Brings the paths that tools print home to the workspace.
#[derive(Clone, Debug)]
pub struct Workspace {
    root: PathBuf,
    real_root: PathBuf,
}

impl Workspace {
    /// The workspace at an absolute path.
    pub fn new(root: &Path) -> Self {
        let root = normalise(root);
        // A tool may print the way through a symbolic link, or the real one.
        let real_root = root.canonicalize().unwrap_or_else(|_| root.clone());
        Self { root, real_root }
    }

    /// The root, absolute.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// `path`, as printed by a tool that ran in `directory`, relative to the root with `/`. `None` outside of it.
    pub fn relative(&self, path: &str, directory: &Path) -> Option<String> {
        if let Some(inside) = self.plainly_inside(path) {
            return Some(inside.to_owned());
        }
        let absolute = normalise(&directory.join(path));
        let inside = absolute
            .strip_prefix(&self.root)
            .or_else(|_| absolute.strip_prefix(&self.real_root))
            .map(Path::to_path_buf)
            .ok()
            .or_else(|| {
                // Last resort: the folder may be reached through another link.
                let real = absolute
                    .parent()?
                    .canonicalize()
                    .ok()?
                    .join(absolute.file_name()?);
                real.strip_prefix(&self.real_root)
                    .map(Path::to_path_buf)
                    .ok()
            })?;
        let parts: Option<Vec<&str>> = inside
            .components()
            .map(|part| part.as_os_str().to_str())
            .collect();
        parts
            .map(|parts| parts.join("/"))
            .filter(|path| !path.is_empty())
    }

    /// The rest of a path that is the root with something behind it and has no detour, as nearly all are: letters
    /// decide, and reports have hundreds of thousands.
    fn plainly_inside<'p>(&self, path: &'p str) -> Option<&'p str> {
        let inside = path.strip_prefix(self.root.to_str()?)?.strip_prefix('/')?;
        let is_plain = |part: &str| !matches!(part, "" | "." | "..");
        (!cfg!(windows) && inside.split('/').all(is_plain)).then_some(inside)
    }

    /// Where a relative path stands, if following its links does not lead out of the workspace.
    pub fn confined(&self, relative: &str) -> Option<PathBuf> {
        let real = self.root.join(relative).canonicalize().ok()?;
        real.starts_with(&self.real_root).then_some(real)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_path_comes_home() {
        let workspace = Workspace::new(Path::new("/w/repo"));
        let directory = Path::new("/w/repo/service");
        for (spelled, expected) in [
            ("app.py", Some("service/app.py")),
            ("./app.py", Some("service/app.py")),
            ("../lib/x.py", Some("lib/x.py")),
            ("/w/repo/a/b.py", Some("a/b.py")),
            ("/etc/passwd", None),
            ("../../../etc/passwd", None),
            ("/w/repository/x.py", None),
            ("", Some("service")),
        ] {
            assert_eq!(
                workspace.relative(spelled, directory).as_deref(),
                expected,
                "{spelled}"
            );
        }
    }

    #[test]
    fn a_file_is_written_whole_with_its_folders() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b/c.json");
        write_atomically(&path, b"{}").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"{}");
        assert_eq!(
            sha256_of_file(&path).unwrap(),
            "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
        );
    }
}
