//! Which tools a project configures, and where it says so.

use std::path::{Path, PathBuf};

use crate::linters::{Setting, Tool};

/// The files of a project in which tools are configured.
#[derive(Debug)]
pub struct ProjectFiles {
    directory: PathBuf,
    project: toml::Table,
}

impl ProjectFiles {
    /// Those of this folder. What cannot be read configures nothing: its own tool will say so.
    pub fn of(directory: &Path) -> Self {
        let project = std::fs::read_to_string(directory.join("pyproject.toml"))
            .ok()
            .and_then(|text| toml::from_str(&text).ok())
            .unwrap_or_default();
        Self {
            directory: directory.to_owned(),
            project,
        }
    }

    /// Whether the project's configuration says which files this tool checks, so that naming `.` would override it.
    pub fn configures_files(&self, tool: Tool) -> bool {
        tool.file_settings()
            .iter()
            .any(|setting| self.has(setting).is_some())
    }

    /// Where the project has this setting, for people.
    pub fn has(&self, setting: &Setting) -> Option<String> {
        match *setting {
            Setting::File(name) => self
                .directory
                .join(name)
                .is_file()
                .then(|| format!("`{name}`")),
            Setting::Table(name, keys) => {
                let table = self.project.get("tool")?.get(name)?.as_table()?;
                let has = keys.is_empty() || keys.iter().any(|key| table.contains_key(*key));
                has.then(|| format!("`[tool.{name}]` in `pyproject.toml`"))
            }
            Setting::Section {
                file,
                section,
                keys,
            } => {
                let text = std::fs::read_to_string(self.directory.join(file)).ok()?;
                section_has(&text, section, keys).then(|| format!("`{section}` in `{file}`"))
            }
            Setting::Glob(_) => None,
        }
    }
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
}
