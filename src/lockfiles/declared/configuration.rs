//! Where uv takes its options from (<https://docs.astral.sh/uv/concepts/configuration-files/>): the `uv.toml` of a folder, else
//! the `[tool.uv]` of its `pyproject.toml`, else those of the folder above. One file counts, and no other one.
//!
//! Only options that have nothing to do with one project are taken from there: indexes, how to resolve, how old a file must
//! be, `dependency-metadata`. Sources, constraints, overrides and the workspace are always the project's own.

use crate::lockfiles::Format;
use crate::lockfiles::declared::{self, uv};
use crate::lockfiles::document::Document;
use crate::lockfiles::fault::Faults;
use crate::model::declared::Declarations;
use crate::model::sources::{FileId, Sources};

/// The file that has options and nothing else.
const NAME: &str = "uv.toml";

/// The first place of a lock where `inspect` finds a file that counts: it says which file is at a path, and whether that
/// counts. `None` where that is `own`, the project's own.
pub fn find(
    lock: &str,
    own: Option<FileId>,
    mut inspect: impl FnMut(&str) -> Option<(FileId, bool)>,
) -> Option<FileId> {
    let mut folder = lock;
    while let Some(slash) = folder.rfind('/').or((!folder.is_empty()).then_some(0)) {
        folder = folder.get(..slash).unwrap_or_default();
        let separator = if folder.is_empty() { "" } else { "/" };
        for name in [NAME, "pyproject.toml"] {
            if let Some((file, true)) = inspect(&format!("{folder}{separator}{name}")) {
                return Some(file).filter(|file| Some(*file) != own);
            }
        }
    }
    None
}

/// Whether a file counts: it is a `uv.toml`, or has a `[tool.uv]`.
pub fn counts(file: FileId, sources: &Sources) -> bool {
    is_whole_file(file, sources)
        || declared::read(file, sources)
            .declarations
            .is_some_and(|declared| declared.uv.is_some())
}

/// Reads the options.
pub fn read(file: FileId, sources: &Sources) -> Option<Declarations<'_>> {
    if !is_whole_file(file, sources) {
        // What is wrong elsewhere in it is no matter to the options.
        let found = declared::read(file, sources).declarations?;
        return Some(Declarations {
            is_whole: true,
            ..found
        });
    }
    let mut faults = Faults::new(Format::Uv, file);
    let document = Document::read(sources.bytes(file), &mut faults);
    let settings = document.map(|document| uv::settings(document.root(), &mut faults));
    Some(Declarations {
        file,
        is_whole: faults.is_empty(),
        project: None,
        groups: Vec::new(),
        build_requires: None,
        uv: settings.map(Box::new),
        poetry: None,
        pdm: None,
    })
}

fn is_whole_file(file: FileId, sources: &Sources) -> bool {
    sources.path(file).rsplit('/').next() == Some(NAME)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &str)], lock: &str, own: &str) -> Option<String> {
        let mut sources = Sources::default();
        for (path, text) in files {
            sources.add(*path, text.as_bytes().to_vec()).unwrap();
        }
        let inspect = |path: &str| {
            let file = sources.find(path)?;
            Some((file, counts(file, &sources)))
        };
        let file = find(lock, sources.find(own), inspect)?;
        Some(sources.path(file).to_owned())
    }

    #[test]
    fn the_nearest_file_with_options_counts_and_uv_toml_before_the_project() {
        let (with, without) = ("[tool.uv]\n", "[project]\nname = 'a'\n");
        let own = "a/b/pyproject.toml";
        for (files, expected) in [
            (vec![(own, with), ("uv.toml", "")], None),
            (vec![(own, with), ("a/b/uv.toml", "")], Some("a/b/uv.toml")),
            (vec![(own, without), ("a/uv.toml", "")], Some("a/uv.toml")),
            (
                vec![
                    (own, without),
                    ("a/pyproject.toml", without),
                    ("pyproject.toml", with),
                ],
                Some("pyproject.toml"),
            ),
            (vec![(own, without)], None),
        ] {
            assert_eq!(found(&files, "a/b/uv.lock", own).as_deref(), expected);
        }
        assert_eq!(
            found(&[("pyproject.toml", with)], "s.py.lock", "s.py").as_deref(),
            Some("pyproject.toml")
        );
    }

    #[test]
    fn the_options_of_a_uv_toml_stand_at_its_top() {
        let mut sources = Sources::default();
        let text = "resolution = 'lowest'\nindex-url = 'https://x.example/simple'\n";
        let file = sources.add("uv.toml", text.into()).unwrap();
        let found = read(file, &sources).unwrap();
        assert!(found.is_whole && found.project.is_none());
        let uv = found.uv.unwrap();
        assert_eq!(uv.option("resolution").unwrap().value, "lowest");
        assert!(uv.indexes[0].is_default);

        let file = sources.add("b/uv.toml", "resolution =".into()).unwrap();
        let broken = read(file, &sources).unwrap();
        assert!(!broken.is_whole && broken.uv.is_none());
    }
}
