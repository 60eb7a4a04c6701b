//! Which tools a project configures, and where it says so.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::linters::{Setting, Tool};
use crate::steps::gate::globs::glob;

/// The files of a project in which tools are configured.
#[derive(Debug)]
pub struct ProjectFiles {
    /// The project's folder, then the root of the repository where that is another: the nearer counts.
    folders: Vec<Folder>,
    /// The identifiers of the hooks of `.pre-commit-config.yaml`.
    hooks: Vec<String>,
    /// What `package.json` depends on.
    packages: Vec<String>,
    /// The workflows, by name.
    workflows: Vec<(String, String)>,
}

#[derive(Debug)]
struct Folder {
    path: PathBuf,
    project: toml::Table,
}

/// A linter that is not run here: its report can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Foreign {
    /// Its name.
    pub name: &'static str,
    /// Where the project has it.
    pub place: String,
    /// How to get its report.
    pub advice: &'static str,
}

/// Workflows beyond this size are no workflows.
const WORKFLOW_LIMIT: u64 = 1 << 20;

impl ProjectFiles {
    /// Those of the project in `directory`, in the repository at `root`. What cannot be read configures nothing: its
    /// own tool will say so.
    pub fn of(directory: &Path, root: &Path) -> Self {
        let mut folders = vec![Folder::at(directory)];
        if root != directory {
            folders.push(Folder::at(root));
        }
        let first = |name: &str| {
            folders
                .iter()
                .find_map(|folder| std::fs::read_to_string(folder.path.join(name)).ok())
        };
        Self {
            hooks: first(".pre-commit-config.yaml")
                .map(|text| hooks(&text))
                .unwrap_or_default(),
            packages: first("package.json")
                .map(|text| packages(&text))
                .unwrap_or_default(),
            workflows: workflows(root),
            folders,
        }
    }

    /// Whether the project's configuration says which files this tool checks, so that naming `.` would override it.
    pub fn configures_files(&self, tool: Tool) -> bool {
        self.configures_any(tool.file_settings())
    }

    /// Whether the project's own folder has one of these settings.
    pub fn configures_any(&self, settings: &[Setting]) -> bool {
        self.folders
            .first()
            .is_some_and(|folder| settings.iter().any(|setting| folder.has(setting).is_some()))
    }

    /// Where the project configures the tool.
    pub fn configured(&self, tool: Tool) -> Option<String> {
        self.folders.iter().find_map(|folder| {
            tool.settings()
                .iter()
                .filter(|setting| !matches!(setting, Setting::Glob(_)))
                .find_map(|setting| folder.has(setting))
        })
    }

    /// Where the project names the tool without configuring it.
    pub fn named(&self, tool: Tool) -> Option<String> {
        if let Some(hook) = self
            .hooks
            .iter()
            .find(|hook| tool.hooks().contains(&&***hook))
        {
            return Some(format!("hook `{hook}` in `.pre-commit-config.yaml`"));
        }
        if self.packages.iter().any(|package| package == tool.name()) {
            return Some("`package.json`".to_owned());
        }
        let words: Vec<&str> = match tool {
            Tool::RuffFormat => vec!["ruff", "format"],
            _ => vec![tool.executable()],
        };
        self.workflows
            .iter()
            .find(|(_, text)| runs(text, &words))
            .map(|(name, _)| format!("`{name}`"))
    }

    /// What the tool would look at, for tools that do not look at Python code; `None` where there is none of it.
    pub fn subject(&self, tool: Tool) -> Option<String> {
        let mut globs = tool.settings().iter().filter_map(|setting| match setting {
            Setting::Glob(pattern) => Some(*pattern),
            _ => None,
        });
        let Some(first) = globs.next() else {
            return Some("the folder".to_owned());
        };
        std::iter::once(first)
            .chain(globs)
            .find(|pattern| self.folders.iter().any(|folder| folder.matches(pattern)))
            .map(|pattern| format!("`{pattern}`"))
    }

    /// The linters that the project has and that are not run here.
    pub fn foreign(&self) -> Vec<Foreign> {
        let file = |names: &[&str]| {
            self.folders.iter().find_map(|folder| {
                let name = names.iter().find(|name| folder.path.join(name).is_file())?;
                Some(format!("`{name}`"))
            })
        };
        let package = |name: &str| {
            self.packages
                .iter()
                .any(|package| package == name)
                .then(|| "`package.json`".to_owned())
        };
        let hook = |name: &str| {
            self.hooks
                .iter()
                .any(|hook| hook == name)
                .then(|| format!("hook `{name}` in `.pre-commit-config.yaml`"))
        };
        let eslint = [
            "eslint.config.js",
            "eslint.config.mjs",
            "eslint.config.cjs",
            "eslint.config.ts",
            ".eslintrc.json",
            ".eslintrc.js",
            ".eslintrc.cjs",
            ".eslintrc.yml",
        ];
        [
            (
                "eslint",
                file(&eslint).or_else(|| package("eslint")),
                "write its SARIF with `@microsoft/eslint-formatter-sarif` and give it to `reports`",
            ),
            (
                "clippy",
                file(&["Cargo.toml"]),
                "write its SARIF with `clippy-sarif` and give it to `reports`",
            ),
            (
                "hadolint",
                file(&[".hadolint.yaml", ".hadolint.yml"]).or_else(|| hook("hadolint")),
                "write its SARIF with `hadolint --format sarif` and give it to `reports`",
            ),
        ]
        .into_iter()
        .filter_map(|(name, place, advice)| {
            Some(Foreign {
                name,
                place: place?,
                advice,
            })
        })
        .collect()
    }

    /// What the project's files say of the tool, as one text: another text is another configuration.
    pub fn configuration(&self, tool: Tool) -> String {
        let mut text = String::new();
        for folder in &self.folders {
            for setting in tool.settings() {
                text.push_str(&folder.content(setting).unwrap_or_default());
                text.push('\0');
            }
        }
        text
    }
}

impl Folder {
    fn at(path: &Path) -> Self {
        let project = std::fs::read_to_string(path.join("pyproject.toml"))
            .ok()
            .and_then(|text| toml::from_str(&text).ok())
            .unwrap_or_default();
        Self {
            path: path.to_owned(),
            project,
        }
    }

    /// The table `[tool.<name>]`; a dot leads into a table of it.
    fn table(&self, name: &str) -> Option<&toml::Value> {
        let tools = self.project.get("tool")?;
        name.split('.')
            .try_fold(tools, |table, part| table.get(part))
    }

    /// Where the folder has this setting, for people.
    fn has(&self, setting: &Setting) -> Option<String> {
        match *setting {
            Setting::File(name) => self.path.join(name).is_file().then(|| format!("`{name}`")),
            Setting::Table(name, keys) => {
                let table = self.table(name)?.as_table()?;
                let has = keys.is_empty() || keys.iter().any(|key| table.contains_key(*key));
                has.then(|| format!("`[tool.{name}]` in `pyproject.toml`"))
            }
            Setting::Section {
                file,
                section,
                keys,
            } => {
                let text = std::fs::read_to_string(self.path.join(file)).ok()?;
                section_has(&text, section, keys).then(|| format!("`{section}` in `{file}`"))
            }
            Setting::Glob(pattern) => self.matches(pattern).then(|| format!("`{pattern}`")),
        }
    }

    /// What the setting says.
    fn content(&self, setting: &Setting) -> Option<String> {
        match *setting {
            Setting::Table(name, _) => serde_json::to_string(self.table(name)?).ok(),
            Setting::File(file) | Setting::Section { file, .. } => {
                std::fs::read_to_string(self.path.join(file)).ok()
            }
            Setting::Glob(_) => None,
        }
    }

    /// Whether there is a file of this pattern: folders, then a name with `*`.
    fn matches(&self, pattern: &str) -> bool {
        let (folder, name) = pattern.rsplit_once('/').unwrap_or((".", pattern));
        let Ok(glob) = glob("auto", name) else {
            return false;
        };
        let entries = std::fs::read_dir(self.path.join(folder));
        entries
            .into_iter()
            .flatten()
            .flatten()
            .any(|entry| glob.is_match(entry.file_name()))
    }
}

/// The identifiers of all hooks; none where the file is not one of pre-commit's.
fn hooks(text: &str) -> Vec<String> {
    #[derive(Deserialize)]
    struct Configuration {
        #[serde(default)]
        repos: Vec<Repository>,
    }
    #[derive(Deserialize)]
    struct Repository {
        #[serde(default)]
        hooks: Vec<Hook>,
    }
    #[derive(Deserialize)]
    struct Hook {
        id: String,
    }
    let read = serde_saphyr::from_str::<Configuration>(text);
    let repositories = read.map(|read| read.repos).unwrap_or_default();
    repositories
        .into_iter()
        .flat_map(|repository| repository.hooks)
        .map(|hook| hook.id)
        .collect()
}

/// The names of what a `package.json` depends on.
fn packages(text: &str) -> Vec<String> {
    let Ok(package) = serde_json::from_str::<serde_json::Value>(text) else {
        return Vec::new();
    };
    ["dependencies", "devDependencies"]
        .iter()
        .filter_map(|table| package.get(table)?.as_object())
        .flat_map(|table| table.keys().cloned())
        .collect()
}

fn workflows(root: &Path) -> Vec<(String, String)> {
    let folder = root.join(".github/workflows");
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<(String, String)> = entries
        .filter(|entry| {
            entry
                .metadata()
                .is_ok_and(|metadata| metadata.is_file() && metadata.len() <= WORKFLOW_LIMIT)
        })
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let is_workflow = [".yml", ".yaml"].iter().any(|end| name.ends_with(end));
            let text = std::fs::read_to_string(entry.path()).ok()?;
            is_workflow.then(|| (format!(".github/workflows/{name}"), text))
        })
        .collect();
    found.sort();
    found
}

/// Whether a line that is no comment has these words behind each other.
fn runs(text: &str, words: &[&str]) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | '@');
    text.lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .any(|line| {
            let all: Vec<&str> = line
                .split(|c: char| !is_word(c))
                .filter(|word| !word.is_empty())
                .collect();
            all.windows(words.len()).any(|window| window == words)
        })
}

/// Whether a section of an INI file is there and has one of these keys.
fn section_has(ini: &str, section: &str, keys: &[&str]) -> bool {
    let is_it = |line: &str| match section.strip_suffix('*') {
        Some(start) => line.starts_with(start),
        None => line == section,
    };
    let mut inside = false;
    ini.lines().any(|line| {
        if line.starts_with('[') {
            inside = is_it(line.trim_end());
            return inside && keys.is_empty();
        }
        let key = line.split(['=', ':']).next().unwrap_or_default();
        inside && keys.contains(&key.trim_end())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_tools_own_section_configures_it() {
        let ini = "[options]\npackages = find:\n[mypy]\nstrict = true\n";
        assert!(!section_has(ini, "[mypy]", &["packages"]));
        assert!(section_has("[mypy]\nfiles=src\n", "[mypy]", &["files"]));
        assert!(section_has("[pylint.main]\nx=1\n", "[pylint*", &[]));
        assert!(!section_has("[options]\nx=1\n", "[pylint*", &[]));
    }

    #[test]
    fn hooks_packages_and_workflows_name_tools() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write(
            ".pre-commit-config.yaml",
            "repos:\n- repo: https://example.com/x\n  rev: v1\n  hooks:\n  - id: codespell\n    args: [-q]\n",
        );
        write(
            "services/api/package.json",
            r#"{"devDependencies": {"basedpyright": "1", "eslint": "9"}}"#,
        );
        write(
            ".github/workflows/ci.yml",
            "jobs:\n  a:\n    steps:\n    # flake8 later\n    - run: uv run ruff format --check && mypy-x\n",
        );
        write(
            "services/api/pyproject.toml",
            "[tool.mypy]\nfiles = ['x']\n",
        );
        write("Cargo.toml", "");
        let files = ProjectFiles::of(&folder.path().join("services/api"), folder.path());
        assert!(files.named(Tool::Codespell).unwrap().contains("hook"));
        assert_eq!(
            files.named(Tool::Basedpyright).as_deref(),
            Some("`package.json`")
        );
        assert_eq!(
            files.named(Tool::RuffFormat).as_deref(),
            Some("`.github/workflows/ci.yml`")
        );
        assert!(files.named(Tool::Ruff).is_some());
        assert_eq!(files.named(Tool::Flake8), None);
        assert_eq!(files.named(Tool::Mypy), None);
        assert!(files.configures_files(Tool::Mypy));
        assert!(files.configured(Tool::Mypy).is_some());
        let foreign: Vec<_> = files.foreign().iter().map(|one| one.name).collect();
        assert_eq!(foreign, ["eslint", "clippy"]);
        assert_ne!(
            files.configuration(Tool::Mypy),
            files.configuration(Tool::Ruff)
        );
    }

    #[test]
    fn a_dot_leads_into_a_table_of_a_table() {
        let project = "[tool.pylint.main]\nfiles = [\"src\"]\n[tool.pylint.format]\nx = 1\n";
        let files = Folder {
            path: PathBuf::new(),
            project: toml::from_str(project).unwrap(),
        };
        assert!(files.has(&Setting::Table("pylint", &[])).is_some());
        assert!(files.has(&Setting::Table("pylint", &["files"])).is_none());
        assert!(
            files
                .has(&Setting::Table("pylint.main", &["files"]))
                .is_some()
        );
        assert!(
            files
                .has(&Setting::Table("pylint.format", &["files"]))
                .is_none()
        );
        assert!(
            files
                .has(&Setting::Table("pylint.main.files", &[]))
                .is_none()
        );
    }
}
