//! What `${{ stages.<stage>.outputs.<output> }}` stands for: paths of files that were verified.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::model::pipeline::manifest::Artifact;
use crate::model::pipeline::{Placed, Reference, Template};

/// The artifacts of the stages that have passed, by stage and output.
pub type Made = BTreeMap<(String, String), Arc<Artifact>>;

/// Puts outputs into texts for a stage that runs in `directory`.
#[derive(Clone, Copy, Debug)]
pub struct Values<'v> {
    /// What was made.
    pub made: &'v Made,
    /// What paths of artifacts are relative to.
    pub root: &'v Path,
    /// Where the stage runs; paths are put in relative to it.
    pub directory: &'v Path,
}

impl Values<'_> {
    /// The arguments that one argument stands for: where it is one reference alone, one for each file.
    pub fn arguments(&self, argument: &Placed<Template>) -> Result<Vec<String>> {
        let template = &argument.value;
        if let [reference] = &*template.references
            && reference.range == (0..template.text.len())
        {
            return self
                .paths(reference)
                .ok_or_else(|| missing(argument, reference));
        }
        Ok(vec![self.text(argument)?])
    }

    /// The text, in which a reference stands for one path.
    pub fn text(&self, text: &Placed<Template>) -> Result<String> {
        let one = |reference: &Reference| {
            let mut paths = self.paths(reference)?;
            let path = paths.pop()?;
            paths.is_empty().then_some(path)
        };
        text.value.expand(one).map_err(|reference| {
            let files = self.paths(reference).map_or(0, |paths| paths.len());
            if files == 0 {
                return missing(text, reference);
            }
            Error::refused(format!(
                "output `{}` of `{}` is {files} files, and one is needed here",
                reference.output, reference.stage
            ))
            .at(text.place.clone())
            .hint("let the reference be an argument of its own, or promise a folder")
        })
    }

    fn paths(&self, reference: &Reference) -> Option<Vec<String>> {
        let key = (reference.stage.clone(), reference.output.clone());
        let paths = self.made.get(&key)?.paths().into_iter();
        Some(
            paths
                .map(|path| relative(&self.root.join(path), self.directory))
                .collect(),
        )
    }
}

fn missing<T>(placed: &Placed<T>, reference: &Reference) -> Error {
    Error::refused(format!(
        "`{}` has made no output `{}`",
        reference.stage, reference.output
    ))
    .at(placed.place.clone())
}

/// A path as one sees it from a folder; both absolute.
fn relative(path: &Path, from: &Path) -> String {
    let mut steps = path.components().peekable();
    let mut folders = from.components().peekable();
    while steps.peek().is_some() && steps.peek() == folders.peek() {
        steps.next();
        folders.next();
    }
    let up = folders.map(|_| Component::ParentDir);
    let path: PathBuf = up.chain(steps).collect();
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Place;
    use crate::model::pipeline::manifest::{Content, Entry, Kind, Source};

    fn made(paths: &[&str]) -> Made {
        let entries = paths.iter().map(|path| Entry {
            path: (*path).to_owned(),
            content: Content::File {
                size: 1,
                digest: [0; 32],
                executable: false,
            },
        });
        let artifact = Artifact {
            stage: "build".to_owned(),
            output: "wheel".to_owned(),
            kind: Kind::Files,
            entries: entries.collect(),
            source: Source::Run,
        };
        Made::from([(("build".to_owned(), "wheel".to_owned()), Arc::new(artifact))])
    }

    fn text(before: &str) -> Placed<Template> {
        let reference = "${{ stages.build.outputs.wheel }}";
        Placed {
            value: Template {
                text: format!("{before}{reference}"),
                references: vec![Reference {
                    range: before.len()..before.len() + reference.len(),
                    stage: "build".to_owned(),
                    output: "wheel".to_owned(),
                }],
            },
            place: Place::in_text("pyproject.toml", "", 0..0),
        }
    }

    #[test]
    fn a_reference_is_the_path_as_the_consumer_sees_it() {
        let made = made(&["dist/a.whl"]);
        let values = |directory| Values {
            made: &made,
            root: Path::new("/w"),
            directory: Path::new(directory),
        };
        assert_eq!(values("/w").text(&text("x=")).unwrap(), "x=dist/a.whl");
        assert_eq!(values("/w/dist").text(&text("")).unwrap(), "a.whl");
        assert_eq!(
            values("/w/service/api").text(&text("")).unwrap(),
            "../../dist/a.whl"
        );
    }

    #[test]
    fn several_files_are_several_arguments_and_no_text() {
        let made = made(&["dist/a.whl", "dist/b.whl"]);
        let values = Values {
            made: &made,
            root: Path::new("/w"),
            directory: Path::new("/w"),
        };
        assert_eq!(
            values.arguments(&text("")).unwrap(),
            ["dist/a.whl", "dist/b.whl"]
        );
        let error = values.arguments(&text("--wheel=")).unwrap_err();
        assert!(error.message.contains("is 2 files"), "{}", error.message);
    }
}
