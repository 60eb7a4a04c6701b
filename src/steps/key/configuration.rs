//! What configuration files of tools say of their caches. A file that cannot be read says nothing: its tool will tell.

use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

/// Larger files are no configuration, bytes.
const LIMIT: u64 = 4 << 20;

/// What a file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// The folder of the file.
    pub folder: PathBuf,
    /// The value of the key; none where the file has only the table.
    pub value: Option<String>,
}

/// The nearest file, from `directory` up to `root`, that has one of these tables: `(file, table, key)`, the table empty
/// for the file as a whole. Files are looked for in this order in each folder.
pub fn nearest(directory: &Path, root: &Path, places: &[(&str, &[&str], &str)]) -> Option<Said> {
    for folder in directory.ancestors() {
        let said = places.iter().find_map(|(file, table, key)| {
            let text = text(&folder.join(file))?;
            let is_toml = Path::new(file).extension().is_some_and(|end| end == "toml");
            let value = if is_toml {
                in_toml(&text, table, key)
            } else {
                in_ini(&text, table.first()?, key)
            };
            value.map(|value| Said {
                folder: folder.to_owned(),
                value: Some(value).filter(|value| !value.is_empty()),
            })
        });
        if said.is_some() || folder == root {
            return said;
        }
    }
    None
}

/// What a TOML file of any name says at its top.
pub fn in_file(path: &Path, key: &str) -> Option<String> {
    in_toml(&text(path)?, &[], key).filter(|value| !value.is_empty())
}

fn text(path: &Path) -> Option<String> {
    let metadata = path.metadata().ok()?;
    if !metadata.is_file() || metadata.len() > LIMIT {
        return None;
    }
    String::from_utf8(std::fs::read(path).ok()?).ok()
}

/// The value; empty where the table is there and the key is not.
fn in_toml(text: &str, table: &[&str], key: &str) -> Option<String> {
    // To parse a large file for what is not in it takes longer than all the rest.
    let is_named = table.iter().all(|name| text.contains(name));
    if !is_named {
        return None;
    }
    let document = DeTable::parse(text).ok()?;
    let mut inner = document.get_ref();
    for name in table {
        inner = inner.get(*name)?.get_ref().as_table()?;
    }
    let value = inner.get(key).map(|value| match value.get_ref() {
        DeValue::String(text) => Some(text.clone().into_owned()),
        _ => None,
    });
    Some(value.flatten().unwrap_or_default())
}

/// The same of an INI file: `[section]`, `key = value` or `key: value`.
fn in_ini(text: &str, section: &str, key: &str) -> Option<String> {
    let mut is_inside = false;
    let mut is_there = false;
    for line in text.lines() {
        let trimmed = line.trim();
        if let Some(name) = trimmed.strip_prefix('[') {
            is_inside = name.strip_suffix(']').map(str::trim) == Some(section);
            is_there |= is_inside;
            continue;
        }
        // Lines that go on with a value are indented.
        let is_entry = is_inside && !line.starts_with([' ', '\t', '#', ';']);
        if let Some((name, value)) = trimmed.split_once(['=', ':']).filter(|_| is_entry)
            && name.trim() == key
        {
            return Some(value.trim().to_owned());
        }
    }
    is_there.then(String::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_file_with_the_table_counts() {
        let root = tempfile::tempdir().unwrap();
        let inner = root.path().join("a/b");
        std::fs::create_dir_all(&inner).unwrap();
        let places: &[(&str, &[&str], &str)] = &[
            ("ruff.toml", &[], "cache-dir"),
            ("pyproject.toml", &["tool", "ruff"], "cache-dir"),
        ];
        let find = || nearest(&inner, root.path(), places);
        assert_eq!(find(), None);
        let write = |path: &str, text: &str| std::fs::write(root.path().join(path), text).unwrap();
        write("pyproject.toml", "[tool.ruff]\ncache-dir = \"x\"\n");
        write("a/pyproject.toml", "[project]\nname = \"ruff-tool\"\n");
        let said = find().unwrap();
        assert_eq!(
            (said.folder, said.value.as_deref()),
            (root.path().to_owned(), Some("x"))
        );
        write("a/pyproject.toml", "[tool.ruff.lint]\nselect = []\n");
        assert_eq!(find().unwrap().value, None);
        write("a/ruff.toml", "cache-dir = \"y\"\n");
        assert_eq!(find().unwrap().value.as_deref(), Some("y"));
        write("a/ruff.toml", "cache-dir = [\n");
        assert_eq!(find().unwrap().value, None);
    }

    #[test]
    fn an_ini_file_has_sections() {
        let text =
            "[other]\ncache_dir = no\n[mypy]\n# cache_dir = no\n  cache_dir = no\ncache_dir: yes\n";
        assert_eq!(in_ini(text, "mypy", "cache_dir"), Some("yes".into()));
        assert_eq!(in_ini(text, "mypy", "strict"), Some(String::new()));
        assert_eq!(in_ini(text, "pytest", "cache_dir"), None);
    }
}
