//! The graph of locks that list of each package what it declares, for every platform: those of Poetry and PDM, and what PDM
//! writes by PEP 751. Which entry
//! a dependency means follows from its name, its versions and its marker.

use std::collections::HashSet;

use crate::lockfiles::declared::places;
use crate::lockfiles::document::{Document, Kind, Value};
use crate::lockfiles::facts::Facts;
use crate::lockfiles::fault::Faults;
use crate::lockfiles::marker::{Agreement, Marker, Pythons, agree};
use crate::lockfiles::normalise_name;
use crate::lockfiles::requirement::{Specifiers, Version, split};
use crate::lockfiles::rules::sync::pylock;
use crate::model::lockfile::{Edge, Format, Package, Source};

/// What tools leave out of a lock, or once did: every environment has them.
pub const EVERYWHERE: [&str; 4] = ["setuptools", "pip", "wheel", "distribute"];

/// What is known of such a lock.
#[derive(Debug)]
pub struct Loose {
    /// The Pythons that it is for.
    pythons: Pythons,
    /// What dependencies may ask for in vain.
    left_out: HashSet<String>,
    /// Whether the project is known, so that a dependency on it is known as such.
    has_project: bool,
    /// What the project asks for; `None` where that cannot be known.
    asked: Option<HashSet<String>>,
}

impl Loose {
    /// What is known of a lock; `None` where it is of another format.
    pub fn of(facts: &Facts<'_>) -> Option<Self> {
        let is_declared = facts.lock.pylock().is_some_and(|lock| lock.has_declared);
        if !matches!(facts.lock.format, Format::Poetry | Format::Pdm) && !is_declared {
            return None;
        }
        let python = facts.lock.requires_python.as_ref();
        let pythons = python.and_then(|python| Pythons::parse(&python.value));
        let mut loose = Self {
            pythons: pythons.unwrap_or_default(),
            left_out: EVERYWHERE.map(str::to_owned).into(),
            has_project: false,
            asked: None,
        };
        let declared = facts.declared.map(|declared| declared.file);
        let document = declared.and_then(|file| {
            let mut faults = Faults::new(facts.lock.format, file);
            Document::read(facts.sources.bytes(file), &mut faults)
        });
        if let Some(document) = document {
            loose.read(document.root());
        }
        Some(loose)
    }

    fn read(&mut self, root: Value<'_, '_>) {
        self.has_project = true;
        let text = |keys: &[&str]| root.path(keys)?.as_str();
        let own = [["project", "name"].as_slice(), &["tool", "poetry", "name"]];
        let own = own.into_iter().filter_map(text);
        self.left_out.extend(own.map(|name| normalise_name(&name)));
        let resolution = root.path(&["tool", "pdm", "resolution"]);
        let changed = ["overrides", "excludes"]
            .into_iter()
            .filter_map(|key| resolution?.get(key))
            .flat_map(Value::entries);
        self.left_out.extend(changed.filter_map(|entry| {
            let name = match entry.key() {
                key if key.is_empty() => entry.as_str()?,
                key => key,
            };
            Some(normalise_name(&name))
        }));
        self.asked = asked(root);
    }

    /// Whether a dependency leads to an entry of the lock, or rightly to none.
    pub fn leads(&self, edge: &Edge<'_>, facts: &Facts<'_>) -> bool {
        let has_entry = match facts.index.named(&edge.name.normal) {
            [] => !self.has_project,
            named => {
                let specifiers = edge.specifier.as_ref();
                let specifiers = specifiers.and_then(|text| Specifiers::parse(&text.value));
                specifiers.is_none_or(|specifiers| {
                    named.iter().any(|package| satisfies(package, &specifiers))
                })
            }
        };
        has_entry || !self.is_demanded(edge)
    }

    /// Whether a dependency is needed wherever its package is.
    fn is_demanded(&self, edge: &Edge<'_>) -> bool {
        if edge.is_optional || self.left_out.contains(&*edge.name.normal) {
            return false;
        }
        edge.marker.as_ref().is_none_or(|marker| {
            let marker = Marker::parse(&marker.value);
            marker.is_some_and(|marker| {
                agree(&marker, &Marker::TRUE, &self.pythons) == Agreement::Same
            })
        })
    }

    /// The names that are reached from what the project asks for, whatever markers and extras say. `None` where it is
    /// not known what the project asks for, or what a package brings.
    pub fn reached(&self, facts: &Facts<'_>) -> Option<HashSet<String>> {
        let mut reached = self.asked.clone()?;
        let local = facts.lock.packages.iter().filter(|one| one.is_local());
        reached.extend(local.map(|package| package.name.normal.to_string()));
        let mut todo: Vec<String> = reached.iter().cloned().collect();
        while let Some(name) = todo.pop() {
            for edge in facts
                .index
                .named(&name)
                .iter()
                .flat_map(|one| &one.dependencies)
            {
                if !reached.contains(&*edge.name.normal) {
                    reached.insert(edge.name.normal.to_string());
                    todo.push(edge.name.normal.to_string());
                }
            }
        }
        (facts.lock.pylock().is_none() || is_whole(&reached, facts)).then_some(reached)
    }
}

/// Whether a lock of PEP 751, which says nothing of what extras bring, nor of repositories, archives and folders, leads to
/// everything that it has; and is the project's own.
fn is_whole(reached: &HashSet<String>, facts: &Facts<'_>) -> bool {
    let Some(wants) = pylock::wants(facts) else {
        return false;
    };
    let is_plain = |package: &&Package<'_>| {
        let is_index = matches!(package.source.value, Source::Unstated | Source::Registry(_));
        is_index
            && package
                .dependencies
                .iter()
                .all(|edge| edge.extras.is_empty())
    };
    let packages = facts.lock.packages.iter();
    let mut packages = packages.filter(|package| reached.contains(&*package.name.normal));
    let mut wanted = wants.all.iter();
    wanted.all(|wanted| wanted.requirement.extras.is_empty())
        && packages.all(|package| is_plain(&package))
}

/// Whether an entry has a version that is asked for. One that comes from no index has the version that it has, and a
/// version that is none is told elsewhere.
fn satisfies(package: &Package<'_>, specifiers: &Specifiers) -> bool {
    let is_of_index = matches!(package.source.value, Source::Unstated | Source::Registry(_));
    let Some(version) = package.version.as_ref().filter(|_| is_of_index) else {
        return true;
    };
    // The local part says which build it is.
    let text = version.value.split('+').next().unwrap_or_default();
    Version::parse(text).is_none_or(|version| specifiers.contain(&version))
        || Version::parse(&version.value).is_some_and(|version| specifiers.contain(&version))
}

/// All names that a project asks for, with any marker, extra or group; `None` where some cannot be known.
fn asked(root: Value<'_, '_>) -> Option<HashSet<String>> {
    let dynamic = root.path(&["project", "dynamic"]);
    let mut dynamic = dynamic.into_iter().flat_map(Value::entries);
    let is_computed = |entry: Value<'_, '_>| {
        let key = entry.as_str();
        key.is_some_and(|key| matches!(&*key, "dependencies" | "optional-dependencies"))
    };
    let tables: Vec<_> = places::tables(root).collect();
    // Poetry's own tables complete what `[project]` leaves open.
    if tables.is_empty() && dynamic.any(is_computed) {
        return None;
    }
    let mut names = HashSet::new();
    for list in places::lists(root) {
        listed(list, &mut names)?;
    }
    for entry in tables.into_iter().flat_map(Value::entries) {
        names.insert(normalise_name(&entry.key()));
    }
    (!names.is_empty()).then_some(names)
}

/// The names in a list of requirements, or in a table of such; `None` where one cannot be read: PDM takes paths there.
fn listed(list: Value<'_, '_>, names: &mut HashSet<String>) -> Option<()> {
    for item in list.entries() {
        match item.kind() {
            Kind::Array => listed(item, names)?,
            Kind::String => {
                let text = item.as_str()?;
                let split = split(&text).ok()?;
                names.insert(normalise_name(text.get(split.name)?));
            }
            // `{ include-group = "…" }` names a group.
            _ => {}
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use crate::lockfiles::declared;
    use crate::lockfiles::facts::Facts;
    use crate::lockfiles::policy::Policy;
    use crate::lockfiles::rules::judge;
    use crate::lockfiles::{Format, read};
    use crate::model::sources::Sources;

    /// What the rules of the graph say of a lock and the project beside it.
    fn found(format: Format, lock: &str, project: &str) -> Vec<String> {
        let mut sources = Sources::default();
        let lock = sources.add("lock", lock.into()).unwrap();
        let project = sources.add("pyproject.toml", project.into()).unwrap();
        let reading = read(format, lock, &sources);
        assert!(reading.faults.is_empty(), "{:?}", reading.faults);
        let declared = declared::read(project, &sources).declarations;
        let policy = Policy::default();
        let facts = Facts {
            declared: declared.as_ref(),
            ..Facts::of_lock(&sources, reading.lockfile.as_ref().unwrap(), &policy)
        };
        let all = judge(&reading, Some(&facts), &policy).into_iter();
        all.filter(|finding| matches!(finding.rule.id, "dangling-edge" | "orphan-package"))
            .map(|finding| finding.message)
            .collect()
    }

    const PROJECT: &str = "[project]\nname = \"app\"\ndependencies = [\"a\"]\n";

    fn poetry(dependencies: &str, rest: &str) -> String {
        let entry = |name: &str, version: &str| {
            format!("[[package]]\nname = \"{name}\"\nversion = \"{version}\"\nfiles = []\n")
        };
        let (a, b) = (entry("a", "1.0"), entry("b", "2.5+local"));
        format!(
            "{a}[package.dependencies]\n{dependencies}\n{b}{rest}[metadata]\nlock-version = \"2.1\"\n\
             python-versions = \">=3.11\"\ncontent-hash = \"00\"\n"
        )
    }

    fn pdm(dependencies: &str) -> String {
        format!(
            "[metadata]\nlock_version = \"4.5.0\"\n[[metadata.targets]]\nrequires_python = \">=3.11\"\n\
             [[package]]\nname = \"a\"\nversion = \"1.0\"\ndependencies = [{dependencies}]\n\
             [[package]]\nname = \"b\"\nversion = \"2.5\"\n"
        )
    }

    #[test]
    fn dependencies_lead_to_a_version_that_satisfies_them_wherever_they_count() {
        for (dependencies, expected) in [
            ("b = \">=2,<3\"", ""),
            ("b = \"*\"\nc = {version = \"*\", optional = true}", ""),
            (
                "b = \"*\"\nc = {version = \"*\", markers = \"sys_platform == 'win32'\"}",
                "",
            ),
            (
                "b = \"*\"\nc = {version = \"*\", markers = \"python_version < '3.11'\"}",
                "",
            ),
            ("b = \"*\"\nsetuptools = \"*\"\napp = \"*\"", ""),
            ("b = \"==2.5\"", ""),
            ("b = \"^9\"", ""),
            (
                "b = \">=3\"",
                "`a 1.0` needs `b >=3`, and the lock has it only in another version",
            ),
            (
                "b = \"*\"\nc = \"*\"",
                "`a 1.0` needs `c`, and the lock has no entry for it",
            ),
            (
                "b = \"*\"\nc = {version = \">=1\", markers = \"python_version >= '3.8'\"}",
                "`a 1.0` needs `c >=1`, and the lock has no entry for it",
            ),
            (
                "x = {version = \"*\", optional = true}",
                "nothing in the lock needs `b 2.5+local`",
            ),
        ] {
            let found = found(Format::Poetry, &poetry(dependencies, ""), PROJECT);
            let first = found.first().map_or("", String::as_str);
            assert!(
                first.starts_with(expected) && found.len() == usize::from(!expected.is_empty()),
                "{dependencies}: {found:?}"
            );
        }
        let overridden = format!("{PROJECT}[tool.pdm.resolution.overrides]\nc = \"1\"\n");
        for (dependencies, project, expected) in [
            ("\"b>=2\"", PROJECT, 0),
            ("\"b>=2\", \"c; python_version < '3.9'\"", PROJECT, 0),
            ("\"b>=3\"", PROJECT, 1),
            ("\"b\", \"c\"", PROJECT, 1),
            ("\"b\", \"c\"", &overridden, 0),
        ] {
            let found = found(Format::Pdm, &pdm(dependencies), project);
            assert_eq!(found.len(), expected, "{dependencies}: {found:?}");
        }
    }

    #[test]
    fn ways_begin_at_everything_that_a_project_asks_for_and_nowhere_where_that_is_unknown() {
        let lock = poetry("x = {version = \"*\", optional = true}", "");
        for (project, expected) in [
            (
                "[project]\nname = \"app\"\ndependencies = [\"a\"]\n[dependency-groups]\ndev = [\"B>1; os_name == 'x'\"]\n",
                0,
            ),
            (
                "[project]\nname = \"app\"\noptional-dependencies = { x = [\"a\", \"b\"] }\n",
                0,
            ),
            (
                "[tool.poetry]\nname = \"app\"\n[tool.poetry.dependencies]\na = \"*\"\n[tool.poetry.group.x.dependencies]\nb = \"*\"\n",
                0,
            ),
            ("[tool.poetry.dev-dependencies]\na = \"*\"\n", 1),
            (
                "[project]\nname = \"app\"\ndynamic = [\"dependencies\"]\n",
                0,
            ),
            (
                "[project]\nname = \"app\"\ndependencies = [\"a\"]\n[tool.pdm.dev-dependencies]\nx = [\"-e file:///x#egg=b\"]\n",
                0,
            ),
            ("[project]\nname = \"app\"\n", 0),
        ] {
            let found = found(Format::Poetry, &lock, project);
            assert_eq!(found.len(), expected, "{project}: {found:?}");
        }
    }
}
