//! What is deployed: files by patterns, or what stages made; and what proves that these are the bytes that were tested.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::error::{Error, Result};
use crate::github::context::is_nested;
use crate::model::deploy::{Release, ReleaseFile};
use crate::model::deployment::definition::{Environment, Source};
use crate::model::digest::{Sha, hex};
use crate::model::pipeline::Reference;
use crate::model::pipeline::manifest::{Artifact, Content, Kind};
use crate::steps::artifacts::{Bundle, HANDED, Known, Manifest, sha, verify};
use crate::steps::deploy::Arguments;
use crate::steps::deploy::image::Image;
use crate::steps::world::World;
use crate::system::files::{Workspace, normalise};
use crate::system::hash_files;
use crate::targets::oci;

/// Files of one release; who has more packs them.
const MOST: usize = 100_000;

/// Larger manifests are none, bytes.
const LIMIT: u64 = 256 << 20;

/// What says which bytes were tested.
#[derive(Clone, Debug)]
pub enum Proof {
    /// Nothing does.
    None,
    /// The manifest of the pipeline that runs us.
    Manifest(Manifest),
    /// A bundle, and whether its digest came from elsewhere.
    Bundle(Box<Bundle>, bool),
}

impl Proof {
    /// What there is.
    pub fn find(arguments: &Arguments, world: &World) -> Result<Self> {
        let expected = arguments.bundle_digest.as_deref().map(|text| {
            let digits = text.strip_prefix("sha256:").unwrap_or(text);
            sha(digits).ok_or_else(|| {
                Error::usage(format!("`bundle-digest`: `{text}` is no SHA-256"))
                    .hint("take the output `bundle-digest` of the job that ran the pipeline")
            })
        });
        let expected = expected.transpose()?;
        if let Some(folder) = &arguments.bundle {
            let bundle = Bundle::read(&world.directory.join(folder), expected)?;
            return Ok(Self::Bundle(Box::new(bundle), expected.is_some()));
        }
        if expected.is_some() {
            return Err(Error::usage(
                "`bundle-digest` is for a `bundle`, and none is named",
            ));
        }
        let [path, digest] = HANDED.map(|name| world.environment.get(name));
        match (is_nested(&world.environment), path, digest) {
            (true, Some(path), Some(digest)) => handed(Path::new(path), digest).map(Self::Manifest),
            _ => Ok(Self::None),
        }
    }

    fn manifest(&self) -> Option<&Manifest> {
        match self {
            Self::None => None,
            Self::Manifest(manifest) => Some(manifest),
            Self::Bundle(bundle, _) => Some(&bundle.manifest),
        }
    }
}

fn handed(path: &Path, digest: &str) -> Result<Manifest> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(LIMIT).read_to_end(&mut bytes))
        .map_err(|error| {
            Error::no_verdict("the manifest of the pipeline cannot be read").cause(error)
        })?;
    if hex(&Sha256::digest(&bytes)) != digest {
        return Err(Error::refused(
            "the manifest of the pipeline is not the one that it wrote",
        ));
    }
    Manifest::from_json(&bytes)
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// The files.
    pub release: Release,
    /// Why the bytes are not proven, file by file.
    pub unproven: Vec<String>,
    /// What proves the others.
    pub proven_by: String,
    /// The image that is deployed, where it is one.
    pub image: Option<Image>,
}

impl Found {
    /// The digest of what is deployed: that of the image where it is one.
    pub fn digest(&self) -> Sha {
        let image = self.image.as_ref();
        let image = image.and_then(|image| oci::sha(&image.digest));
        image.unwrap_or_else(|| self.release.digest())
    }
}

/// Where to look.
#[derive(Clone, Debug)]
pub struct Place {
    /// The folder of the definition.
    pub folder: PathBuf,
    /// What paths in a manifest are relative to.
    pub root: PathBuf,
}

/// Finds what an environment deploys.
pub fn gather(environment: &Environment, place: &Place, proof: &Proof) -> Result<Found> {
    let (root, folder) = match proof {
        Proof::Bundle(bundle, _) => {
            let inside = place.folder.strip_prefix(&place.root);
            let inside = inside.unwrap_or(Path::new(""));
            (bundle.files.clone(), bundle.files.join(inside))
        }
        _ => (place.root.clone(), place.folder.clone()),
    };
    let gatherer = Gatherer {
        workspace: Workspace::new(&normalise(&root)),
        folder,
        known: Known::default(),
        proof,
        files: BTreeMap::new(),
        unproven: Vec::new(),
    };
    gatherer.all(environment)
}

struct Gatherer<'g> {
    workspace: Workspace,
    folder: PathBuf,
    known: Known,
    proof: &'g Proof,
    files: BTreeMap<String, ReleaseFile>,
    unproven: Vec<String>,
}

impl Gatherer<'_> {
    fn all(mut self, environment: &Environment) -> Result<Found> {
        let mut patterns = Vec::new();
        for source in &environment.artifacts {
            let taken = match &source.value {
                Source::Pattern(pattern) => {
                    patterns.push(pattern.as_str());
                    Ok(())
                }
                Source::Output(reference) => self.output(reference),
            };
            taken.map_err(|error| error.at(source.place.clone()))?;
        }
        if !patterns.is_empty() {
            let place = environment
                .artifacts
                .first()
                .map(|first| first.place.clone());
            self.matched(&patterns)
                .map_err(|error| match (&error.place, place) {
                    (None, Some(place)) => error.at(place),
                    _ => error,
                })?;
        }
        let proven_by = match self.proof {
            Proof::None => {
                for name in self.files.keys() {
                    self.unproven
                        .push(format!("nothing says that `{name}` was tested"));
                }
                String::new()
            }
            Proof::Manifest(_) => "the manifest of this run of the pipeline".to_owned(),
            Proof::Bundle(bundle, is_expected) => {
                let digest = hex(&bundle.digest);
                if !is_expected {
                    self.unproven.push(format!(
                        "the bundle has the digest {digest}, and nobody says that it is the one that was tested"
                    ));
                }
                format!("the bundle {digest}")
            }
        };
        Ok(Found {
            release: Release {
                version: None,
                files: self.files.into_values().collect(),
            },
            unproven: self.unproven,
            proven_by,
            image: None,
        })
    }

    /// What a stage made.
    fn output(&mut self, reference: &Reference) -> Result<()> {
        let (stage, output) = (&reference.stage, &reference.output);
        let Some(manifest) = self.proof.manifest() else {
            return Err(Error::refused(format!(
                "nobody knows what `{stage}` has made as `{output}`: no pipeline runs us, and no bundle is named"
            ))
            .hint("let a stage with `uses = \"deploy\"` need it, or name a bundle with `--bundle` and `--bundle-digest`"));
        };
        let artifact = manifest
            .artifacts
            .iter()
            .find(|artifact| artifact.stage == *stage && artifact.output == *output);
        let artifact = artifact.ok_or_else(|| {
            Error::refused(format!(
                "`{stage}` has made no output `{output}` in this run"
            ))
            .hint(format!(
                "let the stage that deploys have `needs = [\"{stage}\"]`"
            ))
        })?;
        verify(artifact, &self.workspace, &self.known)?;
        self.take(artifact)
    }

    fn take(&mut self, artifact: &Artifact) -> Result<()> {
        for entry in &artifact.entries {
            let Content::File {
                size,
                digest,
                executable,
            } = entry.content
            else {
                return Err(Error::refused(format!(
                    "`{}` is a link, and a release has files only",
                    entry.path
                )));
            };
            let name = match &artifact.kind {
                Kind::Folder(folder) => entry.path.strip_prefix(&format!("{folder}/")),
                Kind::Files => entry.path.rsplit('/').next(),
            };
            self.add(ReleaseFile {
                name: name.unwrap_or(&entry.path).to_owned(),
                path: self.workspace.root().join(&entry.path),
                size,
                digest,
                executable,
            })?;
        }
        Ok(())
    }

    /// What patterns match.
    fn matched(&mut self, patterns: &[&str]) -> Result<()> {
        let text = patterns.join("\n");
        let read = hash_files::read_patterns("artifacts", &text, &self.folder, None)?;
        let found = hash_files::find(&read, self.workspace.root(), false)?;
        if let Some(pattern) = found.unmatched.first() {
            return Err(
                Error::refused(format!("`artifacts`: `{pattern}` matches no file"))
                    .hint("build it before, or mend the pattern"),
            );
        }
        let bases: Vec<PathBuf> = patterns.iter().map(|pattern| self.base(pattern)).collect();
        for path in found.files {
            let unreadable = |error| {
                Error::refused(format!("`{}` cannot be deployed", path.display())).cause(error)
            };
            let content = self.known.file(&path).map_err(unreadable)?;
            let Content::File {
                size,
                digest,
                executable,
            } = content
            else {
                continue;
            };
            let inside = bases.iter().filter_map(|base| path.strip_prefix(base).ok());
            let shortest = inside.min_by_key(|inside| inside.components().count());
            let name = shortest.unwrap_or(&path).to_str().ok_or_else(|| {
                Error::refused(format!("the name of `{}` is not UTF-8", path.display()))
            })?;
            let name = name.to_owned();
            self.prove(&path, &content);
            self.add(ReleaseFile {
                name,
                path: path.clone(),
                size,
                digest,
                executable,
            })?;
        }
        Ok(())
    }

    /// The folder that names of files are relative to: what stands before the first sign of a pattern.
    fn base(&self, pattern: &str) -> PathBuf {
        let mut base = crate::system::files::real(&self.folder);
        let mut parts = pattern.split('/').peekable();
        while let Some(part) = parts.next() {
            let next = base.join(part);
            if part.contains(['*', '?', '[']) || (parts.peek().is_none() && !next.is_dir()) {
                break;
            }
            base = next;
        }
        normalise(&base)
    }

    fn prove(&mut self, path: &Path, content: &Content) {
        let Some(manifest) = self.proof.manifest() else {
            return;
        };
        let path = path.to_string_lossy();
        let inside = self.workspace.relative(&path, self.workspace.root());
        let inside = inside.unwrap_or_else(|| path.into_owned());
        let mut entries = manifest.artifacts.iter().flat_map(|one| &one.entries);
        let entry = entries.find(|entry| entry.path == inside);
        match entry {
            Some(entry) if entry.content == *content => {}
            Some(_) => self.unproven.push(format!(
                "`{inside}` has other bytes than those that were tested"
            )),
            None => self.unproven.push(format!("no stage has made `{inside}`")),
        }
    }

    fn add(&mut self, file: ReleaseFile) -> Result<()> {
        if let Some(other) = self.files.get(&file.name)
            && other.path != file.path
        {
            return Err(Error::usage(format!(
                "`{}` and `{}` would both be `{}`",
                other.path.display(),
                file.path.display(),
                file.name
            )));
        }
        self.files.insert(file.name.clone(), file);
        if self.files.len() > MOST {
            return Err(
                Error::refused(format!("a release has at most {MOST} files"))
                    .hint("pack them into one"),
            );
        }
        Ok(())
    }
}
