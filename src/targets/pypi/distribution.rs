//! The files of a release as packages: read, digested, and one project together.

use std::fs::File;
use std::io::{Read, Seek};
use std::path::PathBuf;

use blake2::Blake2b;
use blake2::digest::consts::U32;
use sha2::{Digest as _, Sha256};

use crate::error::{Error, Result};
use crate::lockfiles::requirement::Version;
use crate::model::deploy::{Release, ReleaseFile};
use crate::model::digest::{Sha, hex};
use crate::model::untrusted;
use crate::packages::{Kind, Package};

/// A file to publish.
#[derive(Clone, Debug)]
pub(super) struct Distribution {
    pub package: Package,
    pub path: PathBuf,
    pub size: u64,
    pub sha256: Sha,
    pub blake2_256: Sha,
}

/// The files of one version of one project, wheels first: an installer that comes in between must not build what is there as
/// a wheel a moment later.
#[derive(Clone, Debug)]
pub(super) struct Project {
    /// Normalised.
    pub name: String,
    pub version: String,
    pub distributions: Vec<Distribution>,
}

impl Project {
    /// Reads all files; refused where they are not those of one version of one project that an index takes.
    pub async fn read(release: &Release) -> Result<Self> {
        let release = release.clone();
        let work = tokio::task::spawn_blocking(move || Self::read_now(&release));
        let outcome = work.await;
        outcome.unwrap_or_else(|error| Err(Error::bug("a file was not read").cause(error)))
    }

    fn read_now(release: &Release) -> Result<Self> {
        let mut distributions = release
            .files
            .iter()
            .map(distribution)
            .collect::<Result<Vec<_>>>()?;
        let Some(first) = distributions.first() else {
            return Err(
                Error::refused("there is nothing to publish: the release has no file")
                    .hint("name the files that were built, as in `dist/*`"),
            );
        };
        let name = first.package.normal_name();
        let version = first.package.metadata.version().to_owned();
        let own = first.package.version();
        let told = first.package.file.clone();
        for other in &distributions {
            if other.package.normal_name() != name || other.package.version() != own {
                return Err(Error::refused(format!(
                    "`{told}` and `{}` are not of one version of one project",
                    other.package.file
                ))
                .hint("publish each version on its own"));
            }
        }
        if own.as_ref().is_some_and(Version::is_local) {
            return Err(Error::refused(format!(
                "`{}` is a local version, which no package index takes",
                untrusted::line(&version)
            ))
            .hint("take out what stands behind `+`"));
        }
        let mut sdists = distributions
            .iter()
            .filter(|distribution| distribution.package.kind == Kind::Sdist);
        if let (Some(one), Some(other)) = (sdists.next(), sdists.next()) {
            return Err(Error::refused(format!(
                "`{}` and `{}` are both source distributions, and a release has one",
                one.package.file, other.package.file
            )));
        }
        if let Some(wanted) = &release.version {
            let wanted_version = Version::parse(wanted);
            if wanted_version != own {
                return Err(Error::refused(format!(
                    "the release is version `{}`, and its files are version `{}`",
                    untrusted::line(wanted),
                    untrusted::line(&version)
                )));
            }
        }
        distributions.sort_by(|left, right| {
            let key = |distribution: &Distribution| {
                (distribution.package.kind, distribution.package.file.clone())
            };
            key(left).cmp(&key(right))
        });
        Ok(Self {
            name,
            version,
            distributions,
        })
    }
}

fn distribution(file: &ReleaseFile) -> Result<Distribution> {
    let unreadable = |error: std::io::Error| {
        Error::no_verdict(format!("`{}` cannot be read", untrusted::line(&file.name))).cause(error)
    };
    let mut content = File::open(&file.path).map_err(unreadable)?;
    let (mut sha256, mut blake2) = (Sha256::new(), Blake2b::<U32>::new());
    let mut buffer = vec![0; 256 << 10];
    let mut size = 0;
    loop {
        let read = content.read(&mut buffer).map_err(unreadable)?;
        if read == 0 {
            break;
        }
        let piece = buffer.get(..read).unwrap_or_default();
        size += read as u64;
        sha256.update(piece);
        blake2.update(piece);
    }
    let sha256: Sha = sha256.finalize().into();
    if sha256 != file.digest || size != file.size {
        return Err(Error::refused(format!(
            "`{}` is not what was to be published: its sha256 is {}, and was {}",
            untrusted::line(&file.name),
            hex(&sha256),
            hex(&file.digest)
        ))
        .hint("nothing may change a file between its test and here"));
    }
    content.rewind().map_err(unreadable)?;
    let name = file.name.rsplit('/').next().unwrap_or_default();
    Ok(Distribution {
        package: Package::read(name, content)?,
        path: file.path.clone(),
        size,
        sha256,
        blake2_256: blake2.finalize().into(),
    })
}
