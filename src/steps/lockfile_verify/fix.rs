//! `--fix`: the safe edits that findings offer are made, and the verdict is that of the files as they are then. Nothing
//! is resolved, and what is ignored stays.

use std::path::{Path, PathBuf};

use similar::{Algorithm, TextDiff};

use crate::error::{Error, Result, count};
use crate::github::console::OutputFormat;
use crate::lockfiles::address::conceal;
use crate::lockfiles::fixes::{apply, together};
use crate::lockfiles::published::Published;
use crate::lockfiles::rules::Finding;
use crate::model::sources::{FileId, Sources};
use crate::steps::lockfile_verify::NAME;
use crate::steps::lockfile_verify::gather::Gathered;
use crate::steps::lockfile_verify::judge::is_ignored;
use crate::steps::lockfile_verify::settings::Settings;
use crate::steps::lockfile_verify::verify::{Verified, verify};
use crate::steps::read;
use crate::steps::world::World;
use crate::system::files::{Workspace, rewrite};

/// What was mended may show what else can be; so often is looked again.
const ROUNDS: usize = 8;

/// Verifies, mends what can be mended safely, writes it, tells it as a diff, and gives what is found afterwards.
pub fn fix(
    gathered: &mut Gathered,
    settings: &Settings,
    published: Option<&Published>,
    world: &World,
) -> Result<Vec<Verified>> {
    let before = gathered.sources.clone();
    let mut verified = verify(gathered, settings, published);
    let were_read: Vec<bool> = verified.iter().map(|one| one.is_read).collect();
    let mut mended = 0;
    for _ in 0..ROUNDS {
        let found = verified.iter().flat_map(|one| &one.findings);
        let wanted: Vec<&Finding> = found
            .map(|(finding, _)| finding)
            .filter(|finding| !finding.edits.is_empty() && wants(finding, settings, gathered))
            .collect();
        let edited: Vec<(FileId, Vec<u8>)> = together(wanted.iter().copied())
            .into_iter()
            .map(|(file, edits)| {
                mended += edits.len() as u64;
                (file, apply(gathered.sources.bytes(file), &edits))
            })
            .collect();
        if edited.is_empty() {
            break;
        }
        for (file, bytes) in edited {
            gathered.sources.replace(file, bytes);
        }
        verified = verify(gathered, settings, published);
    }
    let is_spoilt = |(was, one): (&bool, &Verified)| *was && !one.is_read;
    if were_read.iter().zip(&verified).any(is_spoilt) {
        return Err(Error::bug(
            "a lockfile could not be read after its edits; nothing was written",
        ));
    }
    write(&before, gathered, mended, world)?;
    Ok(verified)
}

fn wants(finding: &Finding, settings: &Settings, gathered: &Gathered) -> bool {
    let path = gathered.sources.path(finding.at.file);
    !is_ignored(
        Some(finding.rule.id),
        finding.package.as_deref(),
        Some(path),
        settings,
        gathered.today,
    )
}

/// A file that was mended.
struct Mended<'s> {
    path: &'s str,
    file: PathBuf,
    before: &'s [u8],
    now: &'s [u8],
}

/// Writes each file whole, or none where one of them is no longer what was verified.
fn write(before: &Sources, gathered: &Gathered, edits: u64, world: &World) -> Result<()> {
    let workspace = Workspace::new(&gathered.root);
    let mut mended = Vec::new();
    for (id, now) in gathered.sources.iter() {
        let (path, before) = (now.path.as_str(), before.bytes(id));
        if before == now.bytes {
            continue;
        }
        let file = workspace.confined(path);
        let file = file.ok_or_else(|| refused(path, "is not there any more"))?;
        is_as_verified(path, &file, before)?;
        mended.push(Mended {
            path,
            file,
            before,
            now: &now.bytes,
        });
    }
    for one in &mended {
        rewrite(&one.file, one.now).map_err(|error| {
            Error::no_verdict(format!("`--fix`: `{}` cannot be written", one.path)).cause(error)
        })?;
    }
    tell(&mended, edits, world);
    Ok(())
}

/// Fails where a file on disk is not the one whose edits are known.
fn is_as_verified(path: &str, file: &Path, verified: &[u8]) -> Result<()> {
    let bytes = read::read(file).map_err(|reason| refused(path, "cannot be read").cause(reason))?;
    if bytes == verified {
        return Ok(());
    }
    Err(if read::decode(bytes) == verified {
        refused(path, "is not written in UTF-8").hint("save it as UTF-8, or run without `--fix`")
    } else {
        refused(path, "changed while it was verified").hint("run it again")
    })
}

fn refused(path: &str, why: &str) -> Error {
    Error::no_verdict(format!("`--fix`: `{path}` {why}; nothing was written"))
}

/// The diff: on standard output for people, else beside the document.
fn tell(mended: &[Mended<'_>], edits: u64, world: &World) {
    let diffs: String = mended.iter().map(diff).collect();
    match world.console.format() {
        OutputFormat::Human => world.console.text_by(|out| out.write_all(diffs.as_bytes())),
        _ if diffs.is_empty() => {}
        _ => world.console.note(diffs.trim_end()),
    }
    let files = count(mended.len() as u64, "file");
    let what = match mended {
        [] => "nothing here can be mended without resolving".to_owned(),
        _ => format!("{} in {files}", count(edits, "safe edit")),
    };
    world.console.note(&format!("{NAME}: {what}"));
}

fn diff(one: &Mended<'_>) -> String {
    let (before, now) = (
        String::from_utf8_lossy(one.before),
        String::from_utf8_lossy(one.now),
    );
    let (before, now) = (conceal(&before), conceal(&now));
    let diff = TextDiff::configure()
        .algorithm(Algorithm::Myers)
        .diff_lines(&*before, &*now);
    let (old, new) = (format!("a/{}", one.path), format!("b/{}", one.path));
    diff.unified_diff()
        .context_radius(1)
        .header(&old, &new)
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_verified_is_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("requirements.txt");
        std::fs::write(&file, "six==1.17.0\n").unwrap();
        assert!(is_as_verified("requirements.txt", &file, b"six==1.17.0\n").is_ok());
        let wide: Vec<u8> = [0xff, 0xfe].into_iter().chain(*b"a\0").collect();
        for (on_disk, verified, why) in [
            (
                &b"six==1.16.0\n"[..],
                &b"six==1.17.0\n"[..],
                "changed while",
            ),
            (&wide, b"a", "is not written in UTF-8"),
        ] {
            std::fs::write(&file, on_disk).unwrap();
            let error = is_as_verified("requirements.txt", &file, verified).unwrap_err();
            assert!(error.message.contains(why), "{}", error.message);
            assert!(error.message.contains("`requirements.txt`"));
            assert!(error.hint.is_some());
        }
        std::fs::remove_file(&file).unwrap();
        let error = is_as_verified("requirements.txt", &file, b"").unwrap_err();
        assert!(
            error.message.contains("cannot be read"),
            "{}",
            error.message
        );
    }
}
