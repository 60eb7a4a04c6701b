//! The machine as programs see it: the operating system, its C library, the architecture. Read from files; nothing is
//! run.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

/// The operating system and what programs are built against.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    /// `ubuntu`, `alpine`, `macos`, `windows`.
    pub os: String,
    /// `24.04`; empty where it has none.
    pub os_version: String,
    /// `x86_64`, `aarch64`.
    pub architecture: String,
    /// `glibc-2.39`, `musl-1.2.5`; empty where programs do not choose between several.
    pub libc: String,
}

/// Larger files are no C library, bytes.
const LIBC_LIMIT: u64 = 32 << 20;

/// What is read of a library at once, bytes.
const PIECE: usize = 64 << 10;

/// The longest line in which a library says its version, bytes.
const LINE: usize = 1 << 10;

/// Larger files do not describe a system, bytes.
const TEXT_LIMIT: u64 = 1 << 20;

impl Machine {
    /// The machine whose files are below `root`, which is `/`.
    pub fn read(root: &Path) -> Self {
        let architecture = std::env::consts::ARCH.to_owned();
        let (os, os_version) = match std::env::consts::OS {
            "linux" => linux(root),
            "macos" => ("macos".to_owned(), macos(root)),
            other => (other.to_owned(), String::new()),
        };
        let libc = match std::env::consts::OS {
            "linux" => libc(root, &architecture),
            _ => String::new(),
        };
        Self {
            os,
            os_version,
            architecture,
            libc,
        }
    }
}

fn text(path: &Path) -> Option<String> {
    let length = path.metadata().ok()?.len();
    if length > TEXT_LIMIT {
        return None;
    }
    let bytes = std::fs::read(path).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// `ID` and `VERSION_ID` (<https://www.freedesktop.org/software/systemd/man/latest/os-release.html>).
fn linux(root: &Path) -> (String, String) {
    let text = ["etc/os-release", "usr/lib/os-release"]
        .iter()
        .find_map(|path| text(&root.join(path)))
        .unwrap_or_default();
    let value = |name: &str| {
        let mut lines = text.lines();
        let value = lines.find_map(|line| line.trim().strip_prefix(name)?.strip_prefix('='))?;
        let value = value.trim().trim_matches(['"', '\'']);
        (!value.is_empty()).then(|| value.to_owned())
    };
    // A system that is always the newest has no version, and some name the day of their build.
    let version = value("VERSION_ID").or_else(|| value("BUILD_ID"));
    (
        value("ID").unwrap_or_else(|| "linux".to_owned()),
        version.unwrap_or_default(),
    )
}

/// The major version: what is built for one works with all its updates.
fn macos(root: &Path) -> String {
    let path = root.join("System/Library/CoreServices/SystemVersion.plist");
    let text = text(&path).unwrap_or_default();
    let version = text.split_once("<key>ProductVersion</key>");
    let version = version.and_then(|(_, rest)| rest.split_once("<string>"));
    let version = version.and_then(|(_, rest)| rest.split_once("</string>"));
    let version = version
        .map(|(version, _)| version.trim())
        .unwrap_or_default();
    version.split('.').next().unwrap_or_default().to_owned()
}

/// The C library and its version. Where both are installed, glibc is the system's own: musl is what its tools for
/// building bring.
fn libc(root: &Path, architecture: &str) -> String {
    let folders = [
        format!("lib/{architecture}-linux-gnu"),
        "lib64".to_owned(),
        format!("usr/lib/{architecture}-linux-gnu"),
        "usr/lib64".to_owned(),
        "lib".to_owned(),
        "usr/lib".to_owned(),
    ];
    let glibc = folders
        .iter()
        .find_map(|folder| glibc(&root.join(folder).join("libc.so.6")));
    let musl = || {
        musl(
            &root
                .join("lib")
                .join(format!("ld-musl-{architecture}.so.1")),
        )
    };
    glibc.or_else(musl).unwrap_or_else(|| "unknown".to_owned())
}

fn library(path: &Path) -> Option<(File, u64)> {
    let metadata = path.metadata().ok()?;
    (metadata.is_file() && metadata.len() <= LIBC_LIMIT)
        .then(|| Some((File::open(path).ok()?, metadata.len())))
        .flatten()
}

/// `GNU C Library (…) stable release version 2.39.` stands in the library: it is what the library prints when it is run.
/// Its texts are behind its code, so that it is read from the end, piece by piece: the whole is two megabytes.
fn glibc(path: &Path) -> Option<String> {
    let (mut file, length) = library(path)?;
    let mut buffer = vec![0; PIECE + LINE];
    let mut end = usize::try_from(length).ok()?;
    while end > 0 {
        let start = end.saturating_sub(PIECE);
        file.seek(SeekFrom::Start(start as u64)).ok()?;
        // What stands behind the piece may be the rest of a line that begins in it.
        let read = fill(&mut file, &mut buffer).ok()?;
        if let Some(version) = glibc_version(buffer.get(..read)?) {
            return Some(format!("glibc-{version}"));
        }
        end = start;
    }
    None
}

/// Reads until the buffer is full or the file at its end; how much it was.
fn fill(file: &mut File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(free) = buffer.get_mut(filled..).filter(|free| !free.is_empty()) {
        match file.read(free) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

fn glibc_version(bytes: &[u8]) -> Option<String> {
    memchr::memmem::find_iter(bytes, b"GNU C Library").find_map(|start| {
        let line = bytes.get(start..)?;
        let line = line.get(..memchr::memchr2(b'\n', 0, line)?)?;
        let line = std::str::from_utf8(line).ok()?;
        let (_, version) = line.split_once("release version ")?;
        let end = version
            .find(|c: char| !(c.is_ascii_digit() || c == '.'))
            .unwrap_or(version.len());
        let version = version.get(..end)?.trim_end_matches('.');
        (!version.is_empty()).then(|| version.to_owned())
    })
}

/// musl prints its version from a text of its own; without it the name must do.
fn musl(path: &Path) -> Option<String> {
    let (mut file, _) = library(path)?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).ok()?;
    Some(match musl_version(&bytes) {
        Some(version) => format!("musl-{version}"),
        None => "musl".to_owned(),
    })
}

/// The one text of three numbers between two zeros, `1.2.5`.
fn musl_version(bytes: &[u8]) -> Option<String> {
    let is_version = |text: &&[u8]| {
        let mut parts = text.split(|byte| *byte == b'.');
        let mut number = || {
            let part = parts.next()?;
            (!part.is_empty() && part.len() < 4 && part.iter().all(u8::is_ascii_digit))
                .then_some(())
        };
        number()
            .and_then(|()| number())
            .and_then(|()| number())
            .is_some()
            && parts.next().is_none()
    };
    let mut found = bytes
        .split(|byte| *byte == 0)
        .filter(|text| (5..=11).contains(&text.len()))
        .filter(is_version);
    let version = found.next()?;
    let is_only = found.next().is_none();
    is_only.then(|| String::from_utf8_lossy(version).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn below(files: &[(&str, &[u8])]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, content) in files {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        root
    }

    #[test]
    fn systems_are_told_by_their_files() {
        for (release, id, version) in [
            ("ID=ubuntu\nVERSION_ID=\"24.04\"\n", "ubuntu", "24.04"),
            (
                "NAME='x'\r\nID='alpine'\r\nVERSION_ID=3.20.3\r\n",
                "alpine",
                "3.20.3",
            ),
            ("ID=arch\nBUILD_ID=rolling\n", "arch", "rolling"),
            ("ID_LIKE=debian\n", "linux", ""),
            ("", "linux", ""),
        ] {
            let root = below(&[("usr/lib/os-release", release.as_bytes())]);
            assert_eq!(linux(root.path()), (id.to_owned(), version.to_owned()));
        }
        let plist = b"<dict><key>ProductVersion</key>\n <string>14.7.1</string></dict>";
        let root = below(&[("System/Library/CoreServices/SystemVersion.plist", plist)]);
        assert_eq!(macos(root.path()), "14");
    }

    #[test]
    fn the_c_library_says_its_version_itself() {
        let glibc = b"\x7fELF\0GNU C Library (Ubuntu GLIBC 2.39-0ubuntu8.4) stable release version 2.39.\nCopyright\0";
        let musl = b"\x7fELF\0/lib\x001.2.5\0musl libc (x86_64)\nVersion %s\n\0";
        let root = below(&[
            ("usr/lib64/libc.so.6", glibc),
            ("lib/ld-musl-x86_64.so.1", musl),
        ]);
        assert_eq!(libc(root.path(), "x86_64"), "glibc-2.39");
        let root = below(&[("lib/ld-musl-x86_64.so.1", musl)]);
        assert_eq!(libc(root.path(), "x86_64"), "musl-1.2.5");
        let root = below(&[("lib/ld-musl-x86_64.so.1", b"\x001.2.5\x002.0.0\0")]);
        assert_eq!(libc(root.path(), "x86_64"), "musl");
        let long = |before: usize, behind: usize| {
            let mut library = vec![b'x'; before];
            library.extend(b"GNU C Library without it\0");
            library.extend(glibc);
            library.resize(library.len() + behind, b'y');
            library
        };
        for (before, behind) in [
            (0, 3 * PIECE),
            (3 * PIECE, 0),
            (PIECE, PIECE - glibc.len() / 2),
            (9 * PIECE / 2, 5 * PIECE / 2),
            (0, PIECE - 1),
        ] {
            let root = below(&[("lib64/libc.so.6", &long(before, behind))]);
            assert_eq!(
                libc(root.path(), "x86_64"),
                "glibc-2.39",
                "{before} {behind}"
            );
        }
        let root = below(&[("lib64/libc.so.6", b"no library")]);
        assert_eq!(libc(root.path(), "x86_64"), "unknown");
    }
}
