//! The grammar of markers.

use crate::lockfiles::marker::{Flag, Marker, python};

/// Longer markers are not looked at.
pub(super) const LENGTH: usize = 4_096;

/// Deeper parentheses are not looked at.
pub(super) const DEPTH: usize = 32;

/// The variables, with the older names for them.
const VARIABLES: &[(&str, &str)] = &[
    ("os_name", "os_name"),
    ("os.name", "os_name"),
    ("sys_platform", "sys_platform"),
    ("sys.platform", "sys_platform"),
    ("platform_machine", "platform_machine"),
    ("platform.machine", "platform_machine"),
    (
        "platform_python_implementation",
        "platform_python_implementation",
    ),
    (
        "platform.python_implementation",
        "platform_python_implementation",
    ),
    ("python_implementation", "platform_python_implementation"),
    ("platform_release", "platform_release"),
    ("platform_system", "platform_system"),
    ("platform_version", "platform_version"),
    ("platform.version", "platform_version"),
    ("implementation_name", "implementation_name"),
    ("implementation_version", "implementation_version"),
    ("python_version", "python_version"),
    ("python_full_version", "python_full_version"),
    ("extra", "extra"),
    ("extras", "extras"),
    ("dependency_groups", "dependency_groups"),
];

/// Systems whose `platform_system` and `sys_platform` are one and the same question, which uv asks by the latter.
const SYSTEMS: &[(&str, &str)] = &[
    ("Windows", "win32"),
    ("Linux", "linux"),
    ("Darwin", "darwin"),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'t> {
    Open,
    Close,
    Word(&'t str),
    Text(&'t str),
    Operator(&'t str),
}

/// Reads a marker.
pub fn parse(text: &str) -> Option<Marker> {
    if text.len() > LENGTH {
        return None;
    }
    let tokens = tokens(text)?;
    let mut rest = tokens.as_slice();
    let marker = any(&mut rest, 0)?;
    rest.is_empty().then_some(marker)
}

pub(super) fn tokens(text: &str) -> Option<Vec<Token<'_>>> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '(' => {
                tokens.push(Token::Open);
                1
            }
            ')' => {
                tokens.push(Token::Close);
                1
            }
            '\'' | '"' => {
                let inner = rest.get(1..)?;
                let end = inner.find(first)?;
                tokens.push(Token::Text(inner.get(..end)?));
                end + 2
            }
            '<' | '>' | '=' | '!' | '~' => {
                let is_part = |c: char| matches!(c, '<' | '>' | '=' | '!' | '~');
                let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
                tokens.push(Token::Operator(rest.get(..end)?));
                end
            }
            _ => {
                let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
                let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
                if end == 0 {
                    return None;
                }
                tokens.push(Token::Word(rest.get(..end)?));
                end
            }
        };
        rest = rest.get(length..)?.trim_start();
    }
    Some(tokens)
}

pub(super) fn take<'t>(rest: &mut &[Token<'t>]) -> Option<Token<'t>> {
    let (first, behind) = rest.split_first()?;
    *rest = behind;
    Some(*first)
}

fn any(rest: &mut &[Token<'_>], depth: usize) -> Option<Marker> {
    let mut parts = vec![all(rest, depth)?];
    while rest.first() == Some(&Token::Word("or")) {
        take(rest)?;
        parts.push(all(rest, depth)?);
    }
    Some(Marker::Any(parts))
}

fn all(rest: &mut &[Token<'_>], depth: usize) -> Option<Marker> {
    let mut parts = vec![one(rest, depth)?];
    while rest.first() == Some(&Token::Word("and")) {
        take(rest)?;
        parts.push(one(rest, depth)?);
    }
    Some(Marker::All(parts))
}

fn one(rest: &mut &[Token<'_>], depth: usize) -> Option<Marker> {
    if rest.first() == Some(&Token::Open) {
        if depth >= DEPTH {
            return None;
        }
        take(rest)?;
        let inner = any(rest, depth + 1)?;
        return (take(rest)? == Token::Close).then_some(inner);
    }
    let left = take(rest)?;
    let operator = match take(rest)? {
        Token::Operator(operator) => operator,
        Token::Word("in") => "in",
        Token::Word("not") => (take(rest)? == Token::Word("in")).then_some("not in")?,
        _ => return None,
    };
    match (left, take(rest)?) {
        (Token::Word(name), Token::Text(text)) => comparison(variable(name)?, operator, text),
        (Token::Text(text), Token::Word(name)) => {
            let variable = variable(name)?;
            match operator {
                "in" | "not in" => Some(contained(variable, operator, text)),
                "<" => comparison(variable, ">", text),
                "<=" => comparison(variable, ">=", text),
                ">" => comparison(variable, "<", text),
                ">=" => comparison(variable, "<=", text),
                "==" | "!=" => comparison(variable, operator, text),
                _ => None,
            }
        }
        _ => None,
    }
}

pub(super) fn variable(name: &str) -> Option<&'static str> {
    let found = VARIABLES.iter().find(|(known, _)| *known == name)?;
    Some(found.1)
}

/// `variable operator 'text'`.
fn comparison(variable: &'static str, operator: &str, text: &str) -> Option<Marker> {
    let unless = |is: bool, marker: Marker| if is { marker.negated() } else { marker };
    let is_not = operator == "!=";
    match (variable, operator) {
        ("python_version", "not in") => Some(Marker::Python(python::short("in", text)?).negated()),
        ("python_version", _) => python::short(operator, text).map(Marker::Python),
        ("python_full_version", "in" | "not in") => {
            let parts = text.split([' ', ',']).filter(|part| !part.is_empty());
            let ranges: Vec<_> = parts
                .map(|part| python::full("==", part))
                .collect::<Option<_>>()?;
            let marker = Marker::Python(ranges.into_iter().flatten().collect());
            Some(unless(operator == "not in", marker))
        }
        ("python_full_version", _) => python::full(operator, text).map(Marker::Python),
        ("extra", "==" | "!=") => Some(unless(is_not, Marker::extra(text))),
        ("implementation_version", _) | (_, "<" | ">" | "<=" | ">=" | "~=" | "in" | "not in") => {
            let positive = operator.strip_prefix("not ").unwrap_or(operator);
            let flag = Marker::Flag(Flag {
                text: format!("{variable} {positive} '{text}'"),
                is_free: false,
            });
            Some(unless(positive != operator, flag))
        }
        ("platform_system", "==" | "===" | "!=") => {
            let known = SYSTEMS.iter().find(|(system, _)| *system == text);
            let marker = match known {
                Some((_, platform)) => Marker::Is("sys_platform", (*platform).to_owned()),
                None => Marker::Is(variable, text.to_owned()),
            };
            Some(unless(is_not, marker))
        }
        (_, "==" | "===" | "!=") => Some(unless(is_not, Marker::Is(variable, text.to_owned()))),
        _ => None,
    }
}

/// `'text' in variable`.
fn contained(variable: &'static str, operator: &str, text: &str) -> Marker {
    let is_set = matches!(variable, "extras" | "dependency_groups");
    let marker = Marker::Flag(Flag {
        text: format!("'{text}' in {variable}"),
        is_free: is_set,
    });
    if operator == "not in" {
        marker.negated()
    } else {
        marker
    }
}
