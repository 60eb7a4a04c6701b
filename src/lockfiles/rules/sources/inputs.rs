//! Which repositories, archives and folders a `Pipfile`, or the inputs of compiled requirements, ask for.

use std::collections::HashSet;

use crate::lockfiles::facts::Facts;
use crate::lockfiles::normalise_name;
use crate::lockfiles::public_index::is_public;
use crate::lockfiles::rules::sources::other_tools::{is_same, place};
use crate::lockfiles::rules::sync::compiled::View;
use crate::lockfiles::rules::sync::wanted::{self, Answer, is_nameless};
use crate::model::lockfile::{Format, Package, Requirement};

/// Who asks for a package that comes from no index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asker {
    /// A declaration, or what a declaration brings; or other rules say what is wrong.
    Somebody,
    /// No declaration; but a package that no public index has may.
    Perhaps,
    /// Nothing.
    Nobody,
}

/// What the inputs of a lock ask for.
#[derive(Debug)]
pub struct Inputs<'a> {
    /// How it was compiled; `None` for a lock of pipenv.
    view: Option<View<'a>>,
    /// Names that are asked for from somewhere, and those of which nothing is to be said here.
    named: HashSet<String>,
    /// What is asked for from somewhere.
    asked: Vec<Requirement<'a>>,
    /// The names of the packages of the lock that come from no index.
    direct: HashSet<String>,
    /// Whether one of them is asked for, so that it may ask for others.
    has_declared: bool,
    /// How many of them have a place and no name.
    nameless: usize,
    /// Whether an index is used that may have packages which ask for what is none's.
    has_private_index: bool,
    /// Whether the lock says of its packages who asks for them.
    is_annotated: bool,
}

impl<'a> Inputs<'a> {
    /// Those of a lock of pipenv, and of compiled requirements; `None` for others, and where they are not known.
    pub fn of(facts: &Facts<'a>) -> Option<Self> {
        if !matches!(facts.lock.format, Format::Requirements | Format::Pipfile) {
            return None;
        }
        let wants = wanted::of(facts)?;
        let view = View::new(facts);
        // Those of extras that only a setting may choose are among them.
        let all: Vec<&Requirement<'a>> = match &view {
            Some(view) => view.asked.iter().map(|asked| &asked.requirement).collect(),
            None => wants.all.iter().map(|wanted| &wanted.requirement).collect(),
        };
        let sourced = all.into_iter().filter(|one| one.source.is_some());
        let asked: Vec<Requirement<'a>> = sourced.cloned().collect();
        // That these come from elsewhere than they are asked for from is told by another rule.
        let told = wants.all.iter().filter(|wanted| {
            let answer = wants.answer(wanted, facts);
            matches!(answer, Answer::Source(_))
        });
        let told = told.map(|wanted| &wanted.requirement);
        let named = told.chain(&asked).map(|one| one.name.normal.to_string());
        let named: HashSet<String> = named.chain(wants.passed_over.iter().cloned()).collect();
        let locked = facts.lock.packages.iter();
        let direct = locked.filter(|package| place(&package.source.value).is_some());
        let requirements = facts.lock.requirements();
        let mut via = requirements.into_iter().flat_map(|own| &own.via);
        let nameless = direct
            .clone()
            .filter(|package| has_no_name(package))
            .count();
        let direct: HashSet<String> = direct
            .map(|package| package.name.normal.to_string())
            .collect();
        Some(Self {
            has_declared: nameless > 0 || !direct.is_disjoint(&named),
            named,
            nameless,
            direct,
            has_private_index: has_private_index(facts),
            is_annotated: via.any(|via| !via.is_empty()),
            asked,
            view,
        })
    }

    /// Who asks for the package with this number in the lock from where it has it.
    pub fn asker(&self, number: usize, package: &Package<'_>, facts: &Facts<'_>) -> Asker {
        let name = &*package.name.normal;
        if self.named.contains(name) || self.declare_place(package) {
            return Asker::Somebody;
        }
        if let Some(view) = &self.view {
            let requirements = facts.lock.requirements();
            let via = requirements.and_then(|own| own.via.get(number));
            for asker in via.into_iter().flatten() {
                let is_seen = if let Some(file) = view.recipe.asker(&asker.value) {
                    view.whole.contains(&file.path)
                } else {
                    !self.may_ask(&asker.value, package, facts)
                };
                if !is_seen {
                    return Asker::Somebody;
                }
            }
            // Nobody sees whether what cannot be looked at asks for it, and another rule says so.
            if !self.is_annotated && !view.unknown.is_empty() {
                return Asker::Somebody;
            }
        }
        if self.has_private_index || !self.is_annotated && self.has_declared {
            Asker::Perhaps
        } else {
            Asker::Nobody
        }
    }

    /// Whether the package that an annotation names may ask for an address: it is no index's itself, or may be one of those
    /// that have a place and no name.
    fn may_ask(&self, via: &str, package: &Package<'_>, facts: &Facts<'_>) -> bool {
        let asker = normalise_name(via.split('[').next().unwrap_or_default().trim());
        let is_direct = asker != package.name.normal && self.direct.contains(&asker);
        let others = self.nameless - usize::from(self.nameless > 0 && has_no_name(package));
        is_direct || others > 0 && facts.index.named(&asker).is_empty()
    }

    /// Whether a requirement names the place of a package without its name, or the package has only a place itself.
    fn declare_place(&self, package: &Package<'_>) -> bool {
        let Some((locked, is_local)) = place(&package.source.value) else {
            return true;
        };
        let is_local = is_local || is_of_machine(locked);
        let has_name = !has_no_name(package);
        let asked = self.asked.iter();
        let mut asked = asked.filter(|requirement| !has_name || is_nameless(requirement));
        asked.any(|requirement| {
            let source = requirement.source.as_ref();
            source.and_then(|source| place(&source.value)).is_some_and(
                |(asked, is_asked_locally)| {
                    // Which folder has which name is not known.
                    let is_asked_locally = is_asked_locally || is_of_machine(asked);
                    is_local && is_asked_locally || is_same(asked, locked, is_local.then_some(""))
                },
            )
        })
    }
}

fn is_of_machine(place: &str) -> bool {
    place.starts_with("file:")
}

/// Whether an entry has a place in place of a name.
fn has_no_name(package: &Package<'_>) -> bool {
    is_nameless(&package.asked())
}

/// Whether the lock names an index that is not the public one, where packages may ask for addresses.
fn has_private_index(facts: &Facts<'_>) -> bool {
    let sources = facts.lock.pipfile().into_iter();
    let mut sources = sources.flat_map(|pipfile| &pipfile.sources);
    let options = facts.lock.requirements().into_iter();
    let mut options = options.flat_map(|file| &file.options).filter(|option| {
        let names = ["--index-url", "--extra-index-url", "--find-links"];
        names.contains(&option.name)
    });
    sources.any(|source| !is_public(&source.url.value))
        || options.any(|option| !is_public(&option.value))
}

#[cfg(test)]
mod tests {
    use crate::lockfiles::rules::tests::found_in;
    use crate::model::diagnostic::Severity;

    const PLACE: &str = "https://f.example/flask-1.0-py3-none-any.whl";

    /// What is said of a lock beside this input.
    fn found(files: &[(&str, &str)]) -> Vec<(String, Severity)> {
        let all = found_in(files, &[], &[]).into_iter();
        all.filter(|finding| finding.rule.id == "source-not-declared")
            .map(|finding| (finding.package.unwrap_or_default(), finding.severity))
            .collect()
    }

    #[test]
    fn compiled_requirements_come_from_where_their_inputs_and_annotations_say() {
        let evil = "evil @ https://evil.example/evil-1.0-py3-none-any.whl\n";
        let flask = format!("flask @ {PLACE}\n    # via -r requirements.in\n");
        let six = "six==1.17.0\n    # via -r requirements.in\n";
        let both = format!("six\nflask @ {PLACE}\n");
        let plain = "uv pip compile requirements.in";
        let bare = format!("flask @ {PLACE}\nsix==1.17.0\n{evil}");
        let told = |severity| vec![("evil".to_owned(), severity)];
        for (command, input, lock, expected) in [
            (plain, both.clone(), format!("{flask}{six}"), vec![]),
            (
                plain,
                format!("six\n{PLACE}\n"),
                format!("{flask}{six}"),
                vec![],
            ),
            (
                plain,
                both.clone(),
                format!("{evil}    # via six\n{flask}{six}"),
                told(Severity::Error),
            ),
            (
                plain,
                both.clone(),
                format!("{evil}{flask}{six}"),
                told(Severity::Error),
            ),
            (
                plain,
                both.clone(),
                format!("{evil}    # via flask\n{flask}{six}"),
                vec![],
            ),
            (
                plain,
                format!("{both}-e .\n"),
                format!("-e .\n    # via -r requirements.in\n{evil}    # via app\n{flask}{six}"),
                vec![],
            ),
            (
                plain,
                both.clone(),
                format!(
                    "--index-url https://index.example/simple\n{evil}    # via six\n{flask}{six}"
                ),
                told(Severity::Warning),
            ),
            (
                "uv pip compile --no-annotate requirements.in",
                both.clone(),
                bare,
                told(Severity::Warning),
            ),
            (
                "uv pip compile --no-annotate requirements.in",
                "six\n".to_owned(),
                format!("six==1.17.0\n{evil}"),
                told(Severity::Error),
            ),
            // That it is asked for from an index is told by another rule.
            (
                plain,
                "six\nflask\n".to_owned(),
                format!("{flask}{six}"),
                vec![],
            ),
        ] {
            let head = "# This file was autogenerated by uv via the following command:";
            let lock = format!("{head}\n#    {command}\n{lock}");
            let found = found(&[("requirements.txt", &lock), ("requirements.in", &input)]);
            assert_eq!(found, expected, "{input}{lock}");
        }
        // Without a header the file is the declaration.
        let lock = format!("six==1.17.0 --hash=sha256:{}\n{evil}", "0".repeat(64));
        assert_eq!(found(&[("requirements.txt", &lock)]), []);
    }

    #[test]
    fn what_a_pipfile_does_not_name_comes_from_no_address() {
        let lock = |more: &str| {
            format!(
                "{{\"_meta\": {{\"hash\": {{\"sha256\": \"00\"}}, \"pipfile-spec\": 6, \"requires\": {{}}, \"sources\": [{more}]}},\n\"default\": {{\"flask\": {{\"file\": \"{PLACE}\"}}, \"evil\": {{\"file\": \"https://evil.example/evil-1.0-py3-none-any.whl\"}}}}, \"develop\": {{}}}}"
            )
        };
        let declared = format!("flask = {{file = \"{PLACE}\"}}\n");
        let private =
            "{\"name\": \"x\", \"url\": \"https://index.example/simple\", \"verify_ssl\": true}";
        let evil = |severity| ("evil".to_owned(), severity);
        for (pipfile, sources, expected) in [
            // A package of an archive may ask for another one.
            (declared.as_str(), "", vec![evil(Severity::Warning)]),
            (declared.as_str(), private, vec![evil(Severity::Warning)]),
            (
                "evil = {file = \"https://evil.example/evil-1.0-py3-none-any.whl\"}\nflask = {git = \"https://g.example/f\"}\n",
                "",
                vec![],
            ),
        ] {
            let pipfile = format!("[packages]\n{pipfile}");
            let lock = lock(sources);
            let found = found(&[("Pipfile.lock", &lock), ("Pipfile", &pipfile)]);
            assert_eq!(found, expected, "{pipfile}");
        }
        // Two strangers do not vouch for each other.
        assert_eq!(
            found(&[
                ("Pipfile.lock", &lock("")),
                ("Pipfile", "[packages]\nsix = \"*\"\n")
            ]),
            [("flask".to_owned(), Severity::Error), evil(Severity::Error)]
        );
        let only = lock("").replace(&format!("\"flask\": {{\"file\": \"{PLACE}\"}}, "), "");
        let found = found(&[
            ("Pipfile.lock", &only),
            ("Pipfile", "[packages]\nsix = \"*\"\n"),
        ]);
        assert_eq!(found, [evil(Severity::Error)]);
    }
}
