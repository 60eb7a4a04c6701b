//! What is deployed in tests, and who hears of it.

use std::io::Write as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use flate2::Compression;
use flate2::write::GzEncoder;
use lockgate::model::deploy::{Change, Release, ReleaseFile};
use lockgate::model::digest::Sha;
use lockgate::system::environment::Environment;
use lockgate::system::masking::Secret;
use lockgate::system::stop::Stop;
use lockgate::targets::{Access, Progress};
use sha2::{Digest as _, Sha256};

/// Keeps what a target says.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    lines: Mutex<Vec<String>>,
    secrets: Mutex<Vec<Secret>>,
}

impl Heard {
    /// What was said so far.
    pub(crate) fn lines(&self) -> Vec<String> {
        locked(&self.lines).clone()
    }

    /// The values that were to be hidden so far.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let secrets = locked(&self.secrets);
        secrets
            .iter()
            .map(|secret| secret.reveal().to_owned())
            .collect()
    }

    fn say(&self, line: String) {
        locked(&self.lines).push(line);
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Progress for Heard {
    fn sent(&self, what: &str, bytes: u64, total: u64) {
        self.say(format!("sent {what} {bytes}/{total}"));
    }

    fn done(&self, change: &Change) {
        self.say(format!("done {}: {:?}", change.what, change.kind));
    }

    fn retried(&self, what: &str, why: &str) {
        self.say(format!("retried {what}: {why}"));
    }

    fn conceal(&self, secret: &Secret) {
        locked(&self.secrets).push(secret.clone());
    }
}

/// The world of a target.
pub(crate) struct Somewhere {
    pub(crate) environment: Environment,
    pub(crate) heard: Heard,
    stop: Stop,
}

impl Somewhere {
    /// With these variables.
    pub(crate) fn with(variables: &[(&str, &str)]) -> Self {
        Self {
            environment: variables.iter().copied().collect(),
            heard: Heard::default(),
            stop: Stop::never(),
        }
    }

    pub(crate) fn access(&self) -> Access<'_> {
        Access {
            environment: &self.environment,
            stop: &self.stop,
            progress: &self.heard,
        }
    }
}

/// A release of these files, as they are now.
pub(crate) fn release(version: Option<&str>, files: &[&Path]) -> Release {
    let file = |path: &&Path| {
        let content = std::fs::read(path).expect("a file");
        ReleaseFile {
            name: path
                .file_name()
                .expect("a name")
                .to_str()
                .expect("Unicode")
                .to_owned(),
            path: path.to_path_buf(),
            size: content.len() as u64,
            digest: digest(&content),
            executable: false,
        }
    };
    Release {
        version: version.map(str::to_owned),
        files: files.iter().map(file).collect(),
    }
}

pub(crate) fn digest(content: &[u8]) -> Sha {
    Sha256::digest(content).into()
}

/// Core Metadata with every field that packages have today.
pub(crate) const METADATA: &str = "Metadata-Version: 2.4\nName: Acme.App\nVersion: 1.2.0\nDynamic: license-file\nDynamic: classifier\nPlatform: any\nSummary: Notes that keep — été 😀\nDescription-Content-Type: text/markdown; charset=UTF-8; variant=GFM\nKeywords: notes,keep\nAuthor: A. Author\nAuthor-email: \"A. Author\" <author@acme.example>\nMaintainer: M. Maintainer\nMaintainer-email: m@acme.example\nLicense-Expression: MIT OR Apache-2.0\nLicense-File: LICENSE-MIT\nLicense-File: LICENSE-APACHE\nClassifier: Programming Language :: Python :: 3\nClassifier: Topic :: Utilities\nRequires-Dist: idna>=3\nRequires-Dist: rich>=13; extra == \"colour\"\nRequires-Python: >=3.11\nRequires-External: libpng (>=1.5)\nProject-URL: Homepage, https://acme.example/app\nProject-URL: Changes, https://acme.example/changes\nProvides-Extra: colour\nProvides-Dist: acme-notes\nObsoletes-Dist: old-notes\n\n# Notes\n\n```python\nprint(\"été\")\n```\n\n";

/// Writes a wheel of these metadata, with more that makes it another one; its path.
pub(crate) fn wheel(folder: &Path, name: &str, metadata: &str, more: &[u8]) -> std::path::PathBuf {
    let mut parts = name.split('-');
    let (project, version) = (
        parts.next().expect("a name"),
        parts.next().expect("a version"),
    );
    let info = format!("{project}-{version}.dist-info");
    let tags = "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n";
    let mut content = Vec::new();
    let mut archive = rawzip::ZipArchiveWriter::new(&mut content);
    for (member, bytes) in [
        (format!("{project}/__init__.py"), more),
        (format!("{info}/METADATA"), metadata.as_bytes()),
        (format!("{info}/WHEEL"), tags.as_bytes()),
        (format!("{info}/RECORD"), b"".as_slice()),
    ] {
        let (mut entry, config) = archive.new_file(member.as_str()).start().expect("a member");
        let mut writer = config.wrap(&mut entry);
        writer.write_all(bytes).expect("memory");
        let (_, descriptor) = writer.finish().expect("memory");
        entry.finish(descriptor).expect("memory");
    }
    archive.finish().expect("memory");
    let path = folder.join(name);
    std::fs::write(&path, content).expect("a file");
    path
}

/// Writes a source distribution of these metadata; its path.
pub(crate) fn sdist(folder: &Path, name: &str, metadata: &str) -> std::path::PathBuf {
    let stem = name.strip_suffix(".tar.gz").expect("a source distribution");
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    let project = "[project]\nname = \"acme-app\"\n";
    for (member, content) in [("PKG-INFO", metadata), ("pyproject.toml", project)] {
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        let member = format!("{stem}/{member}");
        archive
            .append_data(&mut header, member, content.as_bytes())
            .expect("memory");
    }
    let content = archive
        .into_inner()
        .and_then(GzEncoder::finish)
        .expect("memory");
    let path = folder.join(name);
    std::fs::write(&path, content).expect("a file");
    path
}
