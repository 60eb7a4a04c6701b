//! Hashed requirements (<https://pip.pypa.io/en/stable/topics/secure-installs/>): what environments need of them.

use crate::lockfiles::normalise_name;

/// Whether the file pins with hashes: pip's hash-checking mode is on as soon as one requirement has one.
pub fn has_hashes(text: &str) -> bool {
    logical_lines(text).any(|line| line.contains("--hash="))
}

/// How many packages it pins.
pub fn len(text: &str) -> usize {
    logical_lines(text)
        .filter(|line| pinned(line).is_some())
        .count()
}

/// The pinned versions: several where markers choose between them.
pub fn versions_of(text: &str, package: &str) -> Vec<String> {
    let wanted = normalise_name(package);
    let pins = logical_lines(text).filter_map(|line| pinned(&line));
    pins.filter(|(name, _)| *name == wanted)
        .map(|(_, version)| version)
        .collect()
}

/// `name[extra]==version ; marker --hash=…` → name and version.
fn pinned(line: &str) -> Option<(String, String)> {
    let (name, rest) = line.split_once("==")?;
    let name = name.split('[').next()?.trim();
    let is_name = !name.is_empty()
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    let version = rest.trim_start_matches('=').trim_start();
    let end = version
        .find(|c: char| c.is_whitespace() || c == ';')
        .unwrap_or(version.len());
    (is_name && end > 0).then(|| (normalise_name(name), version[..end].to_owned()))
}

/// Lines with their continuations joined, comments removed.
fn logical_lines(text: &str) -> impl Iterator<Item = String> {
    let mut lines = text.lines();
    std::iter::from_fn(move || {
        let mut logical = String::new();
        loop {
            let Some(line) = lines.next() else {
                return (!logical.is_empty()).then_some(logical);
            };
            let line = if line.starts_with('#') {
                ""
            } else {
                line.split(" #").next().unwrap_or_default()
            };
            if let Some(part) = line.strip_suffix('\\') {
                logical.push_str(part);
            } else {
                logical.push_str(line);
                return Some(logical);
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_uv_export_writes() {
        let text = "# made by a tool\nmypy-extensions==1.1.0 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n    # via mypy\nMypy[x]==2.4.1 ; python_version >= '3.11' --hash=sha256:cc\n";
        assert!(has_hashes(text));
        assert_eq!(len(text), 2);
        assert_eq!(versions_of(text, "mypy_extensions"), ["1.1.0"]);
        assert_eq!(versions_of(text, "mypy"), ["2.4.1"]);
        assert!(versions_of(text, "ruff").is_empty());
    }
}
