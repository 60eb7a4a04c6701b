//! Which image is deployed: its digest, as it is given each time, or as a file of the release says it. Never a tag.

use std::io::Read as _;
use std::path::Path;

use serde_json::Value;

use crate::error::{Error, Result};
use crate::model::deployment::definition::{Environment, Target};
use crate::model::untrusted;
use crate::steps::deploy::Arguments;
use crate::steps::deploy::release::Found;
use crate::targets::oci;

/// Larger files hold more than a digest, bytes.
const LIMIT: u64 = 1 << 20;

/// Where the metadata that a build writes has the digest.
const KEY: &str = "containerimage.digest";

/// An image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// As it was given: `sha256:…`, or with the name of its repository before it.
    pub name: String,
    /// `sha256:…`.
    pub digest: String,
}

impl Image {
    fn parse(text: &str) -> Result<Self> {
        let (_, digest) = oci::named(text)?;
        Ok(Self {
            name: text.trim().to_owned(),
            digest: digest.to_owned(),
        })
    }
}

/// The input `digest`. Refused for other targets.
pub fn given(arguments: &Arguments, environment: &Environment) -> Result<Option<Image>> {
    let Some(text) = &arguments.digest else {
        return Ok(None);
    };
    if !matches!(environment.target, Target::Oci(_)) {
        return Err(Error::usage(format!(
            "`digest` is for the target `oci`, and `{}` has another one",
            environment.name
        )));
    }
    Image::parse(text).map(Some)
}

/// Adds to what was found which image it is.
pub fn identify(found: &mut Found, given: Option<Image>) -> Result<()> {
    let file = match &*found.release.files {
        [] => None,
        [file] => Some(file),
        files => {
            return Err(Error::refused(format!(
                "the target `oci` takes one file with the digest of the image, and `artifacts` has {}",
                files.len()
            )));
        }
    };
    let written = file.map(|file| Ok::<_, Error>((read(&file.path, &file.name)?, file)));
    let (image, by) = match (given, written.transpose()?) {
        (Some(given), Some((written, file))) if given.digest != written.digest => {
            return Err(Error::refused(format!(
                "`digest` names `{}`, and `{}` names `{}`",
                given.digest,
                untrusted::line(&file.name),
                written.digest
            )));
        }
        (Some(given), _) => (given, "the input `digest`".to_owned()),
        (None, Some((written, file))) => {
            let name = untrusted::line(&file.name);
            (written, format!("`{name}`, of {}", found.proven_by))
        }
        (None, None) => {
            return Err(Error::usage("nothing says which image is deployed").hint(
                "give its digest with `--digest sha256:…`, or name the file that holds it in `artifacts`",
            ));
        }
    };
    if by.starts_with("the input") {
        // Whoever calls us vouches for it.
        found.unproven.clear();
    }
    found.proven_by = by;
    found.image = Some(image);
    Ok(())
}

/// The image that a file names: a digest alone, or the metadata of a build.
fn read(path: &Path, name: &str) -> Result<Image> {
    let name = untrusted::line(name).into_owned();
    let unreadable = |why: String| {
        Error::refused(format!("`{name}` does not say which image is deployed"))
            .cause(why)
            .hint(format!(
                "it is to hold `sha256:…` alone, or JSON with `{KEY}`, as `docker buildx build --metadata-file` writes it"
            ))
    };
    let mut text = String::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(LIMIT).read_to_string(&mut text))
        .map_err(|error| unreadable(error.to_string()))?;
    let text = text.trim();
    if !text.starts_with('{') {
        return Image::parse(text).map_err(|error| unreadable(error.message));
    }
    let metadata: Value =
        serde_json::from_str(text).map_err(|error| unreadable(error.to_string()))?;
    let digest = metadata.get(KEY).and_then(Value::as_str);
    let digest = digest.ok_or_else(|| unreadable(format!("it has no `{KEY}`")))?;
    Image::parse(digest).map_err(|error| unreadable(error.message))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Image> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("image");
        std::fs::write(&path, text).unwrap();
        super::read(&path, "image")
    }

    #[test]
    fn a_file_names_an_image_by_its_digest_alone() {
        let digest = format!("sha256:{}", "a1".repeat(32));
        for text in [
            format!("{digest}\n"),
            format!("registry.example/acme/app@{digest}"),
            format!("{{\"{KEY}\": \"{digest}\", \"image.name\": \"acme/app:1\"}}"),
        ] {
            assert_eq!(read(&text).unwrap().digest, digest, "{text}");
        }
        for text in [
            "",
            "acme/app:1.2",
            "{\"containerimage.digest\": \"latest\"}",
            "{\"image.name\": \"acme/app:1\"}",
            "{",
        ] {
            let error = read(text).unwrap_err();
            assert!(!error.causes.is_empty(), "{text}");
        }
    }
}
