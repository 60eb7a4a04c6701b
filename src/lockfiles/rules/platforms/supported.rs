//! The Pythons that a lock is for.

use crate::lockfiles::facts::Facts;
use crate::lockfiles::requirement::{Specifiers, Version};
use crate::lockfiles::target::Python;

/// The Pythons that a lock is for: those that one of these takes.
#[derive(Debug)]
pub struct Supported(Vec<Specifiers>);

impl Supported {
    /// Those that the lock names; `None` where it names none.
    pub fn of(facts: &Facts<'_>) -> Option<Self> {
        Self::parse(&facts.lock.requires_python.as_ref()?.value)
    }

    /// Reads specifiers (PEP 440), or what Poetry writes: `^3.11`, `~3.11`, `3.11.*`, `*`, parts joined by `||`. `None`
    /// for what is neither.
    fn parse(text: &str) -> Option<Self> {
        let parts = text.split("||");
        parts
            .map(|part| Specifiers::parse(part).or_else(|| Specifiers::parse(&standard(part)?)))
            .collect::<Option<_>>()
            .map(Self)
    }

    /// Whether the lock is for any release of this Python.
    pub fn takes(&self, python: Python) -> bool {
        self.0
            .iter()
            .any(|specifiers| python.is_in(specifiers) != Some(false))
    }
}

/// A constraint of Poetry's as specifiers.
fn standard(constraint: &str) -> Option<String> {
    let joined = constraint.replace(',', " ");
    // `>= 3.11` is one part.
    let mut glued = String::new();
    for word in joined.split_whitespace() {
        let is_open = glued.ends_with(['<', '>', '=', '!', '~', '^']);
        if !glued.is_empty() && !is_open {
            glued.push(' ');
        }
        glued.push_str(word);
    }
    let parts: Option<Vec<String>> = glued.split(' ').map(part).collect();
    Some(parts?.join(","))
}

fn part(part: &str) -> Option<String> {
    let below = |version: &str, kept: usize| {
        let release = Version::parse(version)?.release().to_vec();
        let next = release
            .get(kept.min(release.len()).checked_sub(1)?)?
            .checked_add(1)?;
        let mut upper: Vec<String> = release
            .iter()
            .take(kept.min(release.len()) - 1)
            .map(ToString::to_string)
            .collect();
        upper.push(next.to_string());
        Some(format!(">={version},<{}", upper.join(".")))
    };
    if part == "*" {
        return Some(String::new());
    }
    if let Some(version) = part.strip_prefix('^') {
        return below(version, 1);
    }
    if let Some(version) = part.strip_prefix('~').filter(|rest| !rest.starts_with('=')) {
        return below(version, 2);
    }
    let is_bare = part.starts_with(|first: char| first.is_ascii_digit());
    Some(if is_bare {
        format!("=={part}")
    } else {
        part.to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_say_the_same() {
        for (text, taken) in [
            (">=3.11", "3.11 3.12 3.13"),
            (">=3.11,<3.13", "3.11 3.12"),
            ("^3.12", "3.12 3.13"),
            ("~3.12", "3.12"),
            (">= 3.12 <3.13", "3.12"),
            ("3.11.* || ~3.13", "3.11 3.13"),
            ("*", "3.10 3.11 3.12 3.13"),
            ("==3.12.4", "3.12"),
        ] {
            let supported = Supported::parse(text).unwrap();
            let found: Vec<&str> = ["3.10", "3.11", "3.12", "3.13"]
                .into_iter()
                .filter(|python| supported.takes(Python::parse(python).unwrap()))
                .collect();
            assert_eq!(found.join(" "), taken, "{text}");
        }
        for text in ["^", "~x", "^18446744073709551615", "python", ">=3.11 ||"] {
            let is_read = Supported::parse(text).is_some();
            assert_eq!(is_read, text.ends_with("||"), "{text}");
        }
    }
}
