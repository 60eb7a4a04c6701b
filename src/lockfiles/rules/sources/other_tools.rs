//! Which repositories, archives and folders a project of Poetry's or PDM's asks for.

use crate::lockfiles::address::{is_absolute, same};
use crate::lockfiles::declared::places;
use crate::lockfiles::document::{Document, Kind, Value};
use crate::lockfiles::facts::Facts;
use crate::lockfiles::fault::Faults;
use crate::lockfiles::requirement::split;
use crate::lockfiles::rules::sources::source_not_declared::{last, without_commit};
use crate::lockfiles::{normal, normalise_name};
use crate::model::lockfile::{Format, Package, Source};

/// Where a project asks for packages from that are no index's.
#[derive(Debug, Default)]
pub struct Asked {
    /// Names, and the address or path of each.
    named: Vec<(String, String)>,
    /// Addresses and paths without a name, which PDM takes: `-e file:///${PROJECT_ROOT}/lib`.
    unnamed: Vec<String>,
    /// Folders of the members of a workspace, from the lock.
    members: Vec<String>,
}

impl Asked {
    /// What the project beside a lock of Poetry's or PDM's asks for; `None` where that is not known.
    pub fn of(facts: &Facts<'_>) -> Option<Self> {
        if !matches!(facts.lock.format, Format::Poetry | Format::Pdm) {
            return None;
        }
        let file = facts.declared?.file;
        let mut faults = Faults::new(facts.lock.format, file);
        let document = Document::read(facts.sources.bytes(file), &mut faults)?;
        let root = document.root();
        let mut asked = Self::default();
        for list in places::lists(root) {
            asked.listed(list);
        }
        for entry in places::tables(root).flat_map(Value::entries) {
            asked.keyed(&normalise_name(&entry.key()), entry);
        }
        if root.path(&["tool", "pdm", "workspace"]).is_some() {
            let folder = |path: &str| path.rsplit_once('/').map(|(folder, _)| folder.to_owned());
            let own = folder(facts.sources.path(file)).unwrap_or_default();
            let others = facts.sources.iter().filter(|(other, _)| *other != file);
            asked.members = others
                .filter_map(|(_, other)| other.path.strip_suffix("/pyproject.toml"))
                .map(|member| normal::relative(member, &own))
                .collect();
        }
        Some(asked)
    }

    /// A list of requirements, or a table of such.
    fn listed(&mut self, list: Value<'_, '_>) {
        for item in list.entries() {
            if item.kind() == Kind::Array {
                self.listed(item);
                continue;
            }
            let Some(text) = item.as_str() else { continue };
            if let Ok(split) = split(&text) {
                let part = |range| text.get(range).unwrap_or_default();
                if let Some(url) = split.url {
                    let name = normalise_name(part(split.name));
                    self.named.push((name, part(url).to_owned()));
                }
            } else {
                let path = text.trim_start_matches("-e").trim();
                let end = path.find(['#', '[']).unwrap_or(path.len());
                let path = path.get(..end).unwrap_or_default();
                self.unnamed.push(path.to_owned());
            }
        }
    }

    /// `{ git = "…" }`, `{ url = "…" }`, `{ path = "…" }`, a list of such, or a URL in PDM's overrides.
    fn keyed(&mut self, name: &str, value: Value<'_, '_>) {
        match value.kind() {
            Kind::Array => value.entries().for_each(|item| self.keyed(name, item)),
            Kind::Table => {
                let places = ["git", "url", "path", "file"];
                let texts = places
                    .into_iter()
                    .filter_map(|key| value.get(key)?.as_str());
                self.named
                    .extend(texts.map(|text| (name.to_owned(), text.into_owned())));
            }
            _ => {
                let text = value.as_str().filter(|text| text.contains("://"));
                self.named
                    .extend(text.map(|text| (name.to_owned(), text.into_owned())));
            }
        }
    }

    /// Whether a package is asked for from where the lock has it: by the project, or by a package that is no index's either
    /// and whose declarations are not here.
    pub fn has(&self, package: &Package<'_>, facts: &Facts<'_>) -> bool {
        let Some((place, is_local)) = place(&package.source.value) else {
            return true;
        };
        let name = &*package.name.normal;
        let file = facts.sources.path(facts.lock.file);
        let (folder, _) = file.rsplit_once('/').unwrap_or_default();
        let named = self.named.iter().filter(|(own, _)| own == name);
        let mut all = named.map(|(_, asked)| asked).chain(&self.unnamed);
        if all.any(|asked| is_same(asked, place, is_local.then_some(folder))) {
            return true;
        }
        if is_local && self.members.contains(&normal::clean(place)) {
            return true;
        }
        let is_index = |other: &Package<'_>| {
            matches!(other.source.value, Source::Unstated | Source::Registry(_))
        };
        let mut others = facts.lock.packages.iter().filter(|other| !is_index(other));
        others.any(|other| {
            let mut needs = other.dependencies.iter();
            other.name.normal != name && needs.any(|edge| edge.name.normal == name)
        })
    }
}

/// The address or path of a source, and whether it is one of this machine; `None` for an index.
pub fn place<'s>(source: &'s Source<'_>) -> Option<(&'s str, bool)> {
    match source {
        Source::Url { url, .. } | Source::Git { url, .. } => Some((url, false)),
        Source::Path(path)
        | Source::Directory(path)
        | Source::Editable(path)
        | Source::Virtual(path) => Some((path, true)),
        Source::Unstated | Source::Registry(_) => None,
    }
}

/// Whether what is asked for is what is locked. The folder that a variable stands for is not known; that of the lock is
/// given for what is on this machine, since `..` stands for a name there.
pub fn is_same(asked: &str, locked: &str, folder: Option<&str>) -> bool {
    if let Some(folder) = folder {
        let is_path = !asked.contains("://") || asked.starts_with("file:");
        let place = |path: &str| {
            if path.contains("://") {
                path.to_owned()
            } else {
                normal::join(folder, path)
            }
        };
        return is_path && last(&place(asked)) == last(&place(locked));
    }
    let plain = |text: &str| {
        let text = without_commit(text);
        let text = text.split('#').next().unwrap_or_default();
        text.strip_prefix("git+").unwrap_or(text).to_owned()
    };
    let is_short = |text: &str| !text.contains("://") && !is_absolute(text);
    let (asked, locked) = (plain(asked), plain(locked));
    same(&asked, &locked) || is_short(&asked) && is_short(&locked) && asked == locked
}

#[cfg(test)]
mod tests {
    use crate::lockfiles::facts::Facts;
    use crate::lockfiles::policy::Policy;
    use crate::lockfiles::rules::judge;
    use crate::lockfiles::{Format, declared, read};
    use crate::model::sources::Sources;

    fn is_told(format: Format, entry: &str, project: &str) -> bool {
        is_told_in("", format, entry, project)
    }

    /// Whether a package from somewhere is told as asked for by nothing; the lock is in this folder.
    fn is_told_in(folder: &str, format: Format, entry: &str, project: &str) -> bool {
        let metadata = "[metadata]\nlock-version = \"2.1\"\nlock_version = \"4.5.0\"\n";
        let head = "[[package]]\nname = \"a\"\nversion = \"1\"\n";
        let lock = format!("{metadata}{head}{entry}");
        let project = format!("[project]\nname = \"app\"\n{project}");
        let mut sources = Sources::default();
        let file = sources
            .add(format!("{folder}lock"), lock.into_bytes())
            .unwrap();
        let project = sources
            .add(format!("{folder}pyproject.toml"), project.into_bytes())
            .unwrap();
        sources.add("libs/a/pyproject.toml", Vec::new()).unwrap();
        let reading = read(format, file, &sources);
        let declared = declared::read(project, &sources).declarations;
        let policy = Policy::default();
        let facts = Facts {
            declared: declared.as_ref(),
            ..Facts::of_lock(&sources, reading.lockfile.as_ref().unwrap(), &policy)
        };
        let found = judge(&reading, Some(&facts), &policy);
        found
            .iter()
            .any(|finding| finding.rule.id == "source-not-declared")
    }

    fn poetry(kind: &str, url: &str) -> String {
        let commit = "resolved_reference = \"b620447b19b1ab0b03e0e4c8d4a5f1b0dd8c7b1e\"\n";
        format!("[package.source]\ntype = \"{kind}\"\nurl = \"{url}\"\n{commit}")
    }

    #[test]
    fn what_poetry_locks_from_elsewhere_is_asked_for_in_one_of_its_ways() {
        let git = poetry("git", "https://git.example/a.git");
        let archive = poetry("url", "https://files.example/a-1.tar.gz");
        let folder = poetry("directory", "libs/a");
        let needed = "[[package]]\nname = \"b\"\nversion = \"1\"\n[package.source]\ntype = \"url\"\nurl = \"https://f.example/b-1.tar.gz\"\n[package.dependencies]\na = \"*\"\n";
        for (entry, project, expected) in [
            (
                git.clone(),
                "[tool.poetry.dependencies]\na = {git = \"https://git.example/a\", tag = \"1\"}\n",
                false,
            ),
            (
                git.clone(),
                "[tool.poetry.group.x.dependencies]\nA = [{git = \"https://git.example/a.git\"}]\n",
                false,
            ),
            (
                git.clone(),
                "dependencies = [\"a @ git+https://git.example/a.git@v1\"]\n",
                false,
            ),
            (git.clone(), "dependencies = [\"a>=1\"]\n", true),
            (
                git.clone(),
                "[tool.poetry.dependencies]\na = {git = \"https://git.stranger.example/a\"}\n",
                true,
            ),
            (
                archive.clone(),
                "[tool.poetry.dependencies]\na = {url = \"https://files.example/a-1.tar.gz\"}\n",
                false,
            ),
            (
                archive.clone(),
                "[tool.poetry.dependencies]\na = \"^1\"\n",
                true,
            ),
            (
                folder.clone(),
                "[tool.poetry.dependencies]\na = {path = \"./libs/a\", develop = true}\n",
                false,
            ),
            (
                folder,
                "dependencies = [\"a @ file:///srv/libs/a\"]\n",
                false,
            ),
            (
                poetry("legacy", "https://index.example/simple"),
                "dependencies = [\"a\"]\n",
                false,
            ),
            // That `b` itself is asked for by nothing is another finding.
            (
                archive + needed,
                "dependencies = [\"b @ https://f.example/b-1.tar.gz\"]\n",
                false,
            ),
        ] {
            assert_eq!(
                is_told(Format::Poetry, &entry, project),
                expected,
                "{entry}\n{project}"
            );
        }
    }

    #[test]
    fn a_path_that_leaves_the_folder_and_comes_back_is_what_it_leads_to() {
        let entry = poetry("directory", "..");
        let told = |path: &str| {
            let project = format!("[tool.poetry.dependencies]\na = {{path = \"{path}\"}}\n");
            is_told_in("libs/a/examples/", Format::Poetry, &entry, &project)
        };
        assert!(!told(".."));
        assert!(!told("../../a"));
        assert!(told("../../b"));
    }

    #[test]
    fn what_pdm_locks_from_elsewhere_is_asked_for_in_one_of_its_ways() {
        for (entry, project, expected) in [
            (
                "url = \"https://files.example/a-1.tar.gz\"\n",
                "dependencies = [\"a @ https://files.example/a-1.tar.gz#sha256=00\"]\n",
                false,
            ),
            (
                "url = \"https://files.stranger.example/a-1.tar.gz\"\n",
                "dependencies = [\"a\"]\n",
                true,
            ),
            (
                "git = \"https://git.example/a.git\"\nrevision = \"b620447b19b1ab0b03e0e4c8d4a5f1b0dd8c7b1e\"\n",
                "[dependency-groups]\nx = [\"a @ git+https://git.example/a.git@main\"]\n",
                false,
            ),
            (
                "editable = true\npath = \"./libs/a\"\n",
                "[tool.pdm.dev-dependencies]\nx = [\"-e file:///${PROJECT_ROOT}/libs/a#egg=a\"]\n",
                false,
            ),
            (
                "path = \"./libs/a\"\n",
                "[tool.pdm.workspace]\nmembers = [\"libs/*\"]\n",
                false,
            ),
            (
                "path = \"./libs/other\"\n",
                "[tool.pdm.workspace]\nmembers = [\"libs/*\"]\n",
                true,
            ),
            (
                "url = \"https://files.example/a-1.tar.gz\"\n",
                "[tool.pdm.resolution.overrides]\na = \"https://files.example/a-1.tar.gz\"\n",
                false,
            ),
        ] {
            assert_eq!(
                is_told(Format::Pdm, entry, project),
                expected,
                "{entry}\n{project}"
            );
        }
    }
}
