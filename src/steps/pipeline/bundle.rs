//! `bundle verify DIR`: another job proves that it has the bytes that were tested.

use crate::error::{Error, Result, exit};
use crate::model::digest::hex;
use crate::model::size;
use crate::model::untrusted::line;
use crate::steps::artifacts::{Bundle, sha};
use crate::steps::pipeline::Arguments;
use crate::steps::world::World;

/// The one thing that is done with a bundle; it is written by a run.
const VERIFY: &str = "verify";

/// Checks each byte of a bundle.
pub fn verify(arguments: &Arguments, world: &World) -> Result<u8> {
    let folder = match &*arguments.stages {
        [action, folder] if action == VERIFY => folder,
        _ => {
            return Err(
                Error::usage("`bundle` is followed by `verify` and a folder")
                    .hint("lockgate pipeline bundle verify DIR --digest SHA256"),
            );
        }
    };
    let expected = arguments.digest.as_deref().map(|text| {
        let digits = text.strip_prefix("sha256:").unwrap_or(text);
        sha(digits).ok_or_else(|| {
            Error::usage(format!("`digest`: `{text}` is no SHA-256"))
                .hint("take the output `bundle-digest` of the job that ran the pipeline")
        })
    });
    let expected = expected.transpose()?;
    let bundle = Bundle::read(&world.directory.join(folder), expected)?;
    world.console.text_by(|out| {
        for artifact in &bundle.manifest.artifacts {
            let paths = artifact.paths().join(", ");
            let (stage, output) = (&artifact.stage, &artifact.output);
            let name = line(&format!("{stage}.{output}: {paths}")).into_owned();
            let size = size::show(artifact.size());
            writeln!(out, "{name} ({size}, sha256 {})", hex(&artifact.digest()))?;
        }
        let digest = hex(&bundle.digest);
        match expected {
            Some(_) => writeln!(out, "the bundle is whole and has the digest {digest}"),
            None => writeln!(out, "the bundle is whole; its digest is {digest}"),
        }
    });
    Ok(exit::PASS)
}
