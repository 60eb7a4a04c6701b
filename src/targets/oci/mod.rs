//! Tags of a container registry, which are set to an image by its digest
//! (<https://github.com/opencontainers/distribution-spec/blob/main/spec.md>).
//!
//! Nothing is pulled: the manifest of the image is read, its bytes are checked against the digest, and the very same bytes are
//! put under the tag. A tag is never what an image is taken from: it may be another one by now. Registries have no condition for
//! this: of two that set a tag at once, the last one wins, so that a deployment needs its lock.

mod registry;
mod token;

use bytes::Bytes;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::error::{Error, Result};
use crate::model::deploy::{Applied, Change, ChangeKind, Release, Standing};
use crate::model::digest::{Sha, hex};
use crate::model::untrusted;
use crate::system::http::is_safe_address;
use crate::system::http::retry::Policy;
use crate::targets::Access;
use crate::targets::oci::registry::Registry;

/// The variable with the user, where no other is configured.
pub const USER_VARIABLE: &str = "LOCKGATE_REGISTRY_USER";

/// The variable with the password or token, where no other is configured.
pub const PASSWORD_VARIABLE: &str = "LOCKGATE_REGISTRY_PASSWORD";

/// Manifests and indexes that can be promoted.
const TYPES: &[&str] = &[
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
];

/// A tag in a registry, and the image that it is set to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Oci {
    /// The address of the registry: `https://registry.example`; plain `http` for the own machine only.
    pub registry: String,
    /// The repository: `acme/app`.
    pub repository: String,
    /// The tags that are set, at least one: `production`. The first one stands for the environment.
    pub tags: Vec<String>,
    /// The image, by digest: `sha256:…`, `acme/app@sha256:…` or `registry.example/acme/app@sha256:…`.
    pub image: String,
    /// Other hosts that may give tokens for this registry, which gets the credentials then.
    pub token_hosts: Vec<String>,
    /// The variable with the user; without a value there and in `password_variable`, nobody asks.
    pub user_variable: String,
    /// The variable with the password or token.
    pub password_variable: String,
    /// How often a request is repeated.
    pub policy: Policy,
}

/// A manifest as the registry has it.
struct Manifest {
    kind: String,
    bytes: Bytes,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    schema_version: u32,
    media_type: Option<String>,
}

impl Oci {
    /// Whether the tag would be set, and what it is now. The image must be there.
    pub async fn plan(&self, release: &Release, access: &Access<'_>) -> Result<Vec<Change>> {
        let wanted = self.wanted()?;
        let mut registry = Registry::open(self, "pull", access)?;
        self.manifest(&wanted, &mut registry).await?;
        let mut changes = Vec::new();
        for tag in &self.tags {
            let now = registry.resolve(tag).await?;
            changes.push(change(tag, &wanted, now.as_deref(), release));
        }
        Ok(changes)
    }

    /// The image that the first tag is set to.
    pub async fn current(&self, access: &Access<'_>) -> Result<Option<Standing>> {
        self.check()?;
        let mut registry = Registry::open(self, "pull", access)?;
        let now = match self.tags.first() {
            Some(tag) => registry.resolve(tag).await?,
            None => None,
        };
        Ok(now.map(|digest| standing(&digest, None)))
    }

    /// Sets the tags to the image.
    pub async fn apply(&self, release: &Release, access: &Access<'_>) -> Result<Applied> {
        let wanted = self.wanted()?;
        self.set(&wanted, release, access).await
    }

    /// Sets the tags to an image that the first one was set to before.
    pub async fn back(&self, to: &Standing, access: &Access<'_>) -> Result<Applied> {
        self.check()?;
        let wanted = digest(&to.reference).ok_or_else(|| {
            Error::refused(format!(
                "a tag cannot go back to `{}`, which is no digest",
                untrusted::line(&to.reference)
            ))
        })?;
        let release = Release {
            version: to.version.clone(),
            ..Release::default()
        };
        self.set(wanted, &release, access).await
    }

    /// In a few words.
    pub fn describe(&self) -> String {
        let registry = self
            .registry
            .split_once("://")
            .map_or(&*self.registry, |(_, host)| host);
        let registry = registry.rsplit('@').next().unwrap_or_default();
        let all = format!(
            "{}/{}:{}",
            registry.trim_end_matches('/'),
            self.repository,
            self.tags.join(", ")
        );
        untrusted::line(&all).into_owned()
    }

    async fn set(&self, wanted: &str, release: &Release, access: &Access<'_>) -> Result<Applied> {
        let mut registry = Registry::open(self, "pull,push", access)?;
        let manifest = self.manifest(wanted, &mut registry).await?;
        let mut applied = Applied {
            now: standing(wanted, release.version.as_deref()),
            ..Applied::default()
        };
        // The first one first: by it one sees that something has changed.
        for (index, tag) in self.tags.iter().enumerate() {
            if let Some(signal) = access.stop.signal() {
                return Err(Error::interrupted(signal));
            }
            let before = registry.resolve(tag).await?;
            let change = change(tag, wanted, before.as_deref(), release);
            if change.kind != ChangeKind::Keep {
                point(tag, wanted, &manifest, &mut registry).await?;
                applied.sent += manifest.bytes.len() as u64;
            }
            access.progress.done(&change);
            applied.changes.push(change);
            if index == 0 {
                applied.previous = before.map(|digest| standing(&digest, None));
            }
        }
        Ok(applied)
    }

    /// The manifest of the image, which is what its digest says.
    async fn manifest(&self, wanted: &str, registry: &mut Registry<'_>) -> Result<Manifest> {
        let Some((kind, bytes)) = registry.get(wanted).await? else {
            return Err(Error::refused(format!(
                "`{}` has no image `{wanted}`",
                untrusted::line(&self.repository)
            ))
            .hint("push the image that was tested to this repository first; a deployment does not copy images between repositories"));
        };
        let wrong = |why: String| {
            Error::refused(format!(
                "`{wanted}` is no image that can be promoted: {why}"
            ))
        };
        let own = format!("sha256:{}", hex(&Sha256::digest(&bytes)));
        if own != wanted {
            return Err(wrong(format!(
                "the registry answers with other bytes, `{own}`"
            )));
        }
        let head: Head = serde_json::from_slice(&bytes)
            .map_err(|error| wrong(format!("its manifest cannot be read: {error}")))?;
        // What the bytes say of themselves counts before what the server says of them.
        let kind = head.media_type.unwrap_or(kind);
        let kind = kind.split(';').next().unwrap_or_default().trim().to_owned();
        if head.schema_version != 2 || !TYPES.contains(&kind.as_str()) {
            return Err(wrong(format!(
                "its manifest is of the type `{}`, version {}",
                untrusted::excerpt(&kind, 100),
                head.schema_version
            )));
        }
        Ok(Manifest { kind, bytes })
    }

    /// The digest of the image; a tag is none.
    fn wanted(&self) -> Result<String> {
        self.check()?;
        let shown = untrusted::line(self.image.trim()).into_owned();
        let (name, wanted) = named(&self.image)?;
        let host = self.registry.split_once("://").map_or("", |(_, host)| host);
        let host = host.trim_end_matches('/');
        let in_registry = format!("{host}/{}", self.repository);
        // A tag beside the digest says nothing.
        let name = match name.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => name,
            _ => name,
        };
        if !(name.is_empty() || name == self.repository || name == in_registry) {
            return Err(Error::usage(format!(
                "the image `{shown}` is not in the repository `{}`",
                untrusted::line(&self.repository)
            ))
            .hint("an image is promoted within its repository: push it there, or name that repository"));
        }
        Ok(wanted.to_owned())
    }

    /// Whether registry, repository and tag can be meant.
    fn check(&self) -> Result<()> {
        if !is_safe_address(&self.registry) {
            return Err(Error::usage("the address of the registry is no `https` address")
                .hint("write it as `https://registry.example`; plain `http` is for the own machine only"));
        }
        let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let is_part = |part: &str| {
            let ends = [part.bytes().next(), part.bytes().next_back()];
            ends.into_iter().all(|byte| byte.is_some_and(is_word))
                && part
                    .bytes()
                    .all(|byte| is_word(byte) || b"._-".contains(&byte))
        };
        if self.repository.len() > 255 || !self.repository.split('/').all(is_part) {
            return Err(Error::usage(format!(
                "`{}` is no repository of a registry",
                untrusted::line(&self.repository)
            ))
            .hint("write it in small letters, without the host: `acme/app`"));
        }
        if self.tags.is_empty() {
            return Err(Error::usage("no tag is named that is to be set"));
        }
        self.tags.iter().try_for_each(|tag| check_tag(tag))
    }
}

fn check_tag(tag: &str) -> Result<()> {
    let is_tag = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let starts = tag.starts_with(['.', '-']);
    if tag.is_empty() || tag.len() > 128 || starts || !tag.bytes().all(is_tag) {
        return Err(
            Error::usage(format!("`{}` is no tag", untrusted::line(tag)))
                .hint("a tag has at most 128 letters, digits, `.`, `_` and `-`"),
        );
    }
    Ok(())
}

/// The name and the digest in the name of an image, which has no name where it is a digest alone. Fails where a tag is all that
/// it has.
pub fn named(image: &str) -> Result<(&str, &str)> {
    let image = image.trim();
    let (name, wanted) = image.split_once('@').unwrap_or(("", image));
    match digest(wanted) {
        Some(digest) => Ok((name, digest)),
        None => Err(Error::usage(format!(
            "the image `{}` is not named by its digest",
            untrusted::excerpt(image, 300)
        ))
        .hint("name it as `sha256:…`, which the step that pushed it puts out: a tag may mean another image by now")),
    }
}

/// Keeps the manifest under a tag, and sees that it is there.
async fn point(
    tag: &str,
    wanted: &str,
    manifest: &Manifest,
    registry: &mut Registry<'_>,
) -> Result<()> {
    let told = registry.put(tag, &manifest.kind, &manifest.bytes).await?;
    // Not every registry says what it has now.
    let now = match told {
        Some(told) => Some(told),
        None => registry.resolve(tag).await?,
    };
    if now.as_deref() == Some(wanted) {
        return Ok(());
    }
    let now = now.unwrap_or_else(|| "nothing".to_owned());
    Err(Error::no_verdict(format!(
        "`{}` was set to `{wanted}`, and the registry has `{}` there",
        untrusted::line(tag),
        untrusted::line(&now)
    ))
    .hint("somebody else may set the tag at the same time: look at it before anything else is deployed"))
}

fn change(tag: &str, wanted: &str, now: Option<&str>, release: &Release) -> Change {
    let version = release.version.as_deref();
    let version = version.map_or(String::new(), |version| {
        format!("version {}, ", untrusted::excerpt(version, 100))
    });
    let (kind, detail) = match now {
        None => (ChangeKind::Create, format!("{version}{wanted}")),
        Some(now) if now == wanted => (ChangeKind::Keep, format!("{version}{wanted}")),
        Some(now) => (
            ChangeKind::Replace,
            format!(
                "{version}{wanted}, in place of {}",
                untrusted::excerpt(now, 100)
            ),
        ),
    };
    Change {
        what: format!("tag {}", untrusted::line(tag)),
        kind,
        detail,
    }
}

/// The digest, where it is one of SHA-256.
fn digest(text: &str) -> Option<&str> {
    sha(text).map(|_| text)
}

/// The bytes of `sha256:…`.
pub fn sha(text: &str) -> Option<Sha> {
    crate::model::digest::unhex(text.strip_prefix("sha256:")?)
}

fn standing(digest: &str, version: Option<&str>) -> Standing {
    Standing {
        version: version.map(str::to_owned),
        digest: sha(digest),
        reference: digest.to_owned(),
    }
}
