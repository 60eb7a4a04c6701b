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

/// Whether the project itself asks for the package, as far as the comments of `uv pip compile`, `uv export` and
/// pip-compile tell: one that only other pins ask for (`# via pylint`) is theirs.
pub fn declares(text: &str, package: &str) -> bool {
    let wanted = normalise_name(package);
    let mut names: Vec<String> = Vec::new();
    let mut askers: Vec<&str> = Vec::new();
    let mut is_wanted = false;
    let mut is_pinned = false;
    for line in text.lines() {
        if !line.starts_with([' ', '\t', '#'])
            && let Some((name, _)) = pinned(line)
        {
            is_wanted = name == wanted;
            is_pinned |= is_wanted;
            names.push(name);
        }
        let comment = line.split_once('#').map(|(_, comment)| comment.trim());
        if is_wanted && let Some(comment) = comment {
            let asker = comment.strip_prefix("via").unwrap_or(comment).trim();
            if !asker.is_empty() {
                askers.extend(asker.split(',').map(str::trim));
            }
        }
    }
    let is_pin = |asker: &&str| names.contains(&normalise_name(asker));
    is_pinned && (askers.is_empty() || !askers.iter().all(is_pin))
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

    #[test]
    fn what_only_other_pins_ask_for_is_not_the_projects() {
        let text = "isort==9.0.2 \\\n    --hash=sha256:aa\n    # via pylint\nmypy==2.4.1 \\\n    --hash=sha256:bb\n    # via\n    #   -r dev.in\n    #   pylint\npylint==4.1.4 --hash=sha256:cc\n    # via app\nruff==0.17.6 --hash=sha256:dd\n";
        for (package, declared) in [
            ("isort", false),
            ("mypy", true),
            ("pylint", true),
            ("ruff", true),
            ("black", false),
        ] {
            assert_eq!(declares(text, package), declared, "{package}");
        }
    }
}
