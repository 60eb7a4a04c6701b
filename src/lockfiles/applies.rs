//! Whether a marker can be true on a target. What is not known there, extras and patch releases, may be true or false.

use crate::lockfiles::requirement::Specifiers;
use crate::lockfiles::target::Target;

/// Deeper parentheses are not looked into: what they hold may be true or false.
const DEPTH: usize = 64;

/// Whether a marker can be true on a target. One that cannot be read can.
pub fn can_apply(marker: &str, target: &Target) -> bool {
    let mut reader = Reader {
        rest: marker,
        target,
        depth: 0,
    };
    let answer = reader.any();
    let is_whole = reader.rest.trim().is_empty();
    !(is_whole && answer == Some(Some(false)))
}

/// A part of a comparison.
enum Side<'m> {
    Variable(&'m str),
    Text(&'m str),
}

struct Reader<'m, 't> {
    rest: &'m str,
    target: &'t Target,
    depth: usize,
}

/// What a part says: true, false or not known.
type Answer = Option<bool>;

impl<'m> Reader<'m, '_> {
    /// Parts joined by `or`; `None` where it cannot be read.
    fn any(&mut self) -> Option<Answer> {
        let mut answer = self.all()?;
        while self.word("or") {
            let other = self.all()?;
            answer = match (answer, other) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            };
        }
        Some(answer)
    }

    /// Parts joined by `and`.
    fn all(&mut self) -> Option<Answer> {
        let mut answer = self.one()?;
        while self.word("and") {
            let other = self.one()?;
            answer = match (answer, other) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            };
        }
        Some(answer)
    }

    fn one(&mut self) -> Option<Answer> {
        self.rest = self.rest.trim_start();
        if let Some(inside) = self.rest.strip_prefix('(') {
            self.depth += 1;
            if self.depth > DEPTH {
                return None;
            }
            self.rest = inside;
            let answer = self.any()?;
            self.rest = self.rest.trim_start().strip_prefix(')')?;
            self.depth -= 1;
            return Some(answer);
        }
        let left = self.side()?;
        let operator = self.operator()?;
        let right = self.side()?;
        Some(match (left, right) {
            (Side::Variable(name), Side::Text(text)) => self.compare(name, operator, text),
            (Side::Text(text), Side::Variable(name)) => {
                let turned = match operator {
                    "<" => ">",
                    ">" => "<",
                    "<=" => ">=",
                    ">=" => "<=",
                    // `'linux' in sys_platform` asks the other way round.
                    "in" => "contains",
                    "not in" => "does not contain",
                    other => other,
                };
                self.compare(name, turned, text)
            }
            _ => None,
        })
    }

    /// Takes a word, if it comes next.
    fn word(&mut self, word: &str) -> bool {
        let behind = self.rest.trim_start().strip_prefix(word);
        let is_end = |rest: &&str| {
            !rest.starts_with(|sign: char| sign.is_ascii_alphanumeric() || sign == '_')
        };
        match behind.filter(is_end) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn operator(&mut self) -> Option<&'static str> {
        if self.word("in") {
            return Some("in");
        }
        if self.word("not") {
            return self.word("in").then_some("not in");
        }
        self.rest = self.rest.trim_start();
        ["===", "==", "!=", "<=", ">=", "~=", "<", ">"]
            .into_iter()
            .find_map(|operator| {
                self.rest = self.rest.strip_prefix(operator)?;
                Some(operator)
            })
    }

    fn side(&mut self) -> Option<Side<'m>> {
        self.rest = self.rest.trim_start();
        let quote = self.rest.chars().next()?;
        if matches!(quote, '"' | '\'') {
            let (text, rest) = self.rest.get(1..)?.split_once(quote)?;
            self.rest = rest;
            return Some(Side::Text(text));
        }
        let is_end = |sign: char| !(sign.is_ascii_alphanumeric() || matches!(sign, '_' | '.'));
        let end = self.rest.find(is_end).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest;
        (!name.is_empty()).then_some(Side::Variable(name))
    }

    fn compare(&self, name: &str, operator: &str, text: &str) -> Answer {
        if matches!(name, "python_version" | "python_full_version") {
            // `python_version` has no patch release; the texts of these two operators are lists.
            let own = format!("3.{}", self.target.python.minor);
            let is_listed = || text.split([',', ' ', '|']).any(|item| item.trim() == own);
            return match operator {
                "in" if name == "python_version" => Some(is_listed()),
                "not in" if name == "python_version" => Some(!is_listed()),
                "in" | "not in" | "contains" | "does not contain" => None,
                operator if name == "python_version" => {
                    let specifiers = Specifiers::parse(&format!("{operator}{text}"))?;
                    Some(specifiers.contain(&crate::lockfiles::requirement::Version::parse(&own)?))
                }
                operator => {
                    let specifiers = Specifiers::parse(&format!("{operator}{text}"))?;
                    self.target.python_is(&specifiers)
                }
            };
        }
        let own = self.target.variable(name)?;
        match operator {
            "==" | "===" => Some(own == text),
            "!=" => Some(own != text),
            "in" => Some(text.contains(own)),
            "not in" => Some(!text.contains(own)),
            "contains" => Some(own.contains(text)),
            "does not contain" => Some(!own.contains(text)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lockfiles::target::{Platform, Python};

    #[test]
    fn markers_are_ruled_out_only_where_they_are_certainly_false() {
        let target = Target {
            platform: Platform::parse("linux-x86_64").unwrap(),
            python: Python::parse("3.12").unwrap(),
        };
        for (marker, expected) in [
            ("sys_platform == 'linux'", true),
            ("sys_platform == 'win32'", false),
            ("'linux' in sys_platform and os_name != \"nt\"", true),
            ("python_full_version < '3.12'", false),
            ("python_full_version >= '3.12.4'", true),
            ("python_full_version == '3.12.*'", true),
            ("python_full_version == '3.11.*'", false),
            ("python_version in '3.10, 3.11'", false),
            ("python_version > '3.12'", false),
            ("'3.11' > python_version", false),
            (
                "extra == 'extra-3-app-cpu' and sys_platform == 'darwin'",
                false,
            ),
            (
                "extra == 'extra-3-app-cpu' or sys_platform == 'darwin'",
                true,
            ),
            ("(sys_platform == 'darwin' or (os_name == 'nt'))", false),
            (
                "platform_machine != 'x86_64' or implementation_name == 'pypy'",
                false,
            ),
            ("implementation_name != 'PyPy'", true),
            ("platform_release < '5'", true),
            ("", true),
            ("sys_platform ==", true),
            ("sys_platform == 'win32", true),
            ("sys_platform == 'win32' x", true),
            ("sys_platform == 'win32' and", true),
            ("organ == 'x'", true),
            ("é == 'x'", true),
        ] {
            assert_eq!(can_apply(marker, &target), expected, "{marker}");
        }
        assert!(can_apply(&"(".repeat(100_000), &target));
    }
}
