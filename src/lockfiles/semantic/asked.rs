//! What the project asks for of what is locked, as a digest: it decides what of it is installed.

use std::collections::HashSet;

use crate::lockfiles::semantic::package::{edge, requirement, sorted, without_user};
use crate::model::digest::{Pieces, Sha};
use crate::model::lockfile::{Lockfile, Requirement, RequirementsOption, Specific, Text};
use crate::model::sources::Located;

/// Options of requirements that decide what is installed.
const OPTIONS: &[&str] = &[
    "--index-url",
    "--extra-index-url",
    "--find-links",
    "--no-index",
    "--no-binary",
    "--only-binary",
    "--pre",
    "--prefer-binary",
    "--require-hashes",
    "--use-feature",
];

/// The digest of what is asked for: the needs of the project's own packages, groups and extras with something in them,
/// indexes.
pub fn digest(lockfile: &Lockfile<'_>, own: &HashSet<&str>) -> Sha {
    let mut wishes = Vec::new();
    let mut add = |kind: &str, name: &str, what: &[u8]| {
        let mut pieces = Pieces::default();
        pieces.add(kind).add(name).add(what);
        wishes.push(pieces.finish().to_vec());
    };
    for package in lockfile
        .packages
        .iter()
        .filter(|package| package.is_local())
    {
        for one in &package.dependencies {
            add("needs", &package.name.normal, &edge(one, own));
        }
    }
    match &lockfile.specific {
        Specific::Uv(uv) => {
            if let Some(manifest) = &uv.manifest {
                let manifest = &manifest.value;
                let mut list = |group: &str, requirements: &[Requirement<'_>]| {
                    for one in requirements {
                        add("asks for", group, &requirement(one));
                    }
                };
                list("", &manifest.requirements);
                for (group, requirements) in &manifest.dependency_groups {
                    list(&group.value, requirements);
                }
            }
        }
        Specific::Poetry(poetry) => {
            for (extra, packages) in &poetry.extras {
                for package in packages {
                    add("extra", &extra.value, package.value.as_bytes());
                }
            }
        }
        Specific::Pipfile(pipfile) => {
            for source in &pipfile.sources {
                add(
                    "index",
                    &source.name,
                    without_user(&source.url.value).as_bytes(),
                );
            }
        }
        Specific::Pylock(pylock) => {
            let groups: &[Located<Text<'_>>] = &pylock.default_groups;
            for group in groups {
                add("default group", "", group.value.as_bytes());
            }
        }
        Specific::Requirements(requirements) => {
            let decides = |option: &&RequirementsOption<'_>| OPTIONS.contains(&option.name);
            for option in requirements.options.iter().filter(decides) {
                add(
                    "option",
                    option.name,
                    without_user(&option.value).as_bytes(),
                );
            }
        }
        Specific::Pdm(_) => {}
    }
    let mut pieces = Pieces::default();
    pieces.add_list(sorted(wishes.into_iter()).iter());
    pieces.finish()
}
