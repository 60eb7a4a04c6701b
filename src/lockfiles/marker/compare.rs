//! Whether two markers mean the same.

use std::collections::{BTreeMap, BTreeSet};

use crate::lockfiles::marker::python::cells;
use crate::lockfiles::marker::{Flag, Marker, Pythons, Range};

/// So many environments are looked at.
const LIMIT: usize = 1 << 14;

/// Whether two markers mean the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Agreement {
    /// In every environment.
    Same,
    /// There is an environment in which they differ.
    Different,
    /// Neither can be proved.
    Unknown,
}

/// Everything that markers ask for.
#[derive(Debug, Default)]
struct Axes<'m> {
    ranges: Vec<&'m Range>,
    texts: BTreeMap<&'static str, BTreeSet<&'m str>>,
    flags: BTreeSet<&'m Flag>,
}

/// One kind of environment.
#[derive(Debug)]
struct Environment<'m> {
    python: &'m Range,
    texts: Vec<(&'static str, Option<&'m str>)>,
    flags: Vec<(&'m Flag, bool)>,
}

/// Compares two markers in the environments with these Pythons.
pub fn agree(left: &Marker, right: &Marker, pythons: &Pythons) -> Agreement {
    if left == right {
        return Agreement::Same;
    }
    let mut axes = Axes::default();
    collect(left, &mut axes);
    collect(right, &mut axes);
    let lists = pythons.lists.iter().flatten();
    let cells: Vec<Range> = cells(axes.ranges.iter().copied().chain(lists))
        .into_iter()
        .filter(|cell| pythons.has(cell))
        .collect();
    let sizes = axes.texts.values().map(|values| values.len() + 1);
    let mut count = sizes.fold(cells.len(), usize::saturating_mul);
    for _ in &axes.flags {
        count = count.saturating_mul(2);
    }
    if count > LIMIT {
        return Agreement::Unknown;
    }
    let is_certain = axes.flags.iter().all(|flag| flag.is_free);
    for number in 0..count {
        let Some(environment) = environment(number, &cells, &axes) else {
            continue;
        };
        if is_possible(&environment) && holds(left, &environment) != holds(right, &environment) {
            return if is_certain {
                Agreement::Different
            } else {
                Agreement::Unknown
            };
        }
    }
    Agreement::Same
}

fn collect<'m>(marker: &'m Marker, axes: &mut Axes<'m>) {
    match marker {
        Marker::All(parts) | Marker::Any(parts) => {
            for part in parts {
                collect(part, axes);
            }
        }
        Marker::Not(inner) => collect(inner, axes),
        Marker::Python(ranges) => axes.ranges.extend(ranges),
        Marker::Is(variable, text) => {
            axes.texts.entry(variable).or_default().insert(text);
        }
        Marker::Flag(flag) => {
            axes.flags.insert(flag);
        }
    }
}

/// The environment of a number, each axis a digit of it.
fn environment<'m>(
    mut number: usize,
    cells: &'m [Range],
    axes: &Axes<'m>,
) -> Option<Environment<'m>> {
    let mut digit = |size: usize| {
        let digit = number.checked_rem(size)?;
        number /= size;
        Some(digit)
    };
    let python = cells.get(digit(cells.len())?)?;
    let texts = axes
        .texts
        .iter()
        .map(|(variable, values)| {
            // One more than there are: a text that nobody names.
            let value = values.iter().nth(digit(values.len() + 1)?).copied();
            Some((*variable, value))
        })
        .collect::<Option<_>>()?;
    let flags = axes
        .flags
        .iter()
        .map(|flag| Some((*flag, digit(2)? == 1)))
        .collect::<Option<_>>()?;
    Some(Environment {
        python,
        texts,
        flags,
    })
}

/// Windows is `nt`, and nothing else is.
fn is_possible(environment: &Environment<'_>) -> bool {
    let text = |name| {
        let found = environment.texts.iter().find(|(own, _)| *own == name);
        found.and_then(|(_, value)| *value)
    };
    match (text("os_name"), text("sys_platform")) {
        (Some("nt"), Some(platform)) => platform == "win32",
        (Some("posix"), Some(platform)) => platform != "win32",
        _ => true,
    }
}

fn holds(marker: &Marker, environment: &Environment<'_>) -> bool {
    match marker {
        Marker::All(parts) => parts.iter().all(|part| holds(part, environment)),
        Marker::Any(parts) => parts.iter().any(|part| holds(part, environment)),
        Marker::Not(inner) => !holds(inner, environment),
        Marker::Python(ranges) => ranges.iter().any(|range| range.has(environment.python)),
        Marker::Is(variable, text) => environment
            .texts
            .iter()
            .any(|(own, value)| own == variable && *value == Some(text.as_str())),
        Marker::Flag(flag) => environment
            .flags
            .iter()
            .any(|(own, is_on)| *own == flag && *is_on),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compared(left: &str, right: &str, pythons: &str) -> Agreement {
        let marker = |text: &str| match text {
            "" => Marker::TRUE,
            text => Marker::parse(text).unwrap_or_else(|| panic!("{text}")),
        };
        agree(
            &marker(left),
            &marker(right),
            &Pythons::parse(pythons).unwrap(),
        )
    }

    #[test]
    fn markers_that_mean_the_same_agree_however_they_are_written() {
        for (left, right, pythons) in [
            (
                "python_version >= '3.12'",
                "python_full_version>='3.12'",
                "",
            ),
            (
                "python_version > '3.11'",
                "python_full_version >= '3.12'",
                "",
            ),
            (
                "python_version == '3.11'",
                "python_full_version == '3.11.*'",
                "",
            ),
            (
                "python_version <= '3.11.4'",
                "python_full_version < '3.12'",
                "",
            ),
            ("python_version >= '3.8'", "", ">=3.11"),
            ("python_version < '3.8'", "python_version < '0'", ">=3.11"),
            (
                "python_version in '3.11 3.12'",
                "python_full_version >= '3.11'",
                ">=3.11,<3.13",
            ),
            ("'3.12' <= python_version", "python_version >= '3.12'", ""),
            (
                "platform_system == 'Windows'",
                "sys_platform == 'win32'",
                "",
            ),
            (
                "sys_platform == 'a' or (sys_platform != 'a' and os_name == 'b')",
                "os_name == 'b' or sys_platform == 'a'",
                "",
            ),
            (
                "os_name == 'nt' and sys_platform == 'linux'",
                "os_name == 'x' and os_name == 'y'",
                "",
            ),
            ("extra == 'A_b'", "extra == 'a-b'", ""),
            (
                "'x' not in platform_release",
                "'x' not in platform_release",
                "",
            ),
            (
                "python_version ~= '3.11'",
                "python_version >= '3.11' and python_version < '4'",
                "",
            ),
        ] {
            assert_eq!(
                compared(left, right, pythons),
                Agreement::Same,
                "{left}, {right}"
            );
        }
    }

    #[test]
    fn markers_that_differ_somewhere_differ_or_cannot_be_compared() {
        for (left, right, expected) in [
            ("python_version >= '3.12'", "", Agreement::Different),
            (
                "python_version > '3.12'",
                "python_full_version > '3.12'",
                Agreement::Different,
            ),
            ("extra == 'a'", "extra == 'b'", Agreement::Different),
            (
                "sys_platform == 'win32'",
                "os_name == 'nt'",
                Agreement::Different,
            ),
            (
                "platform_release >= '5'",
                "platform_release > '5'",
                Agreement::Unknown,
            ),
        ] {
            assert_eq!(compared(left, right, ">=3.11"), expected, "{left}, {right}");
        }
        let many = |name: &str| -> String {
            let parts: Vec<String> = (0..40)
                .map(|n| format!("(extra == '{name}{n}' and extra == 'b{n}')"))
                .collect();
            parts.join(" or ")
        };
        assert_eq!(compared(&many("a"), &many("c"), ""), Agreement::Unknown);
    }

    #[test]
    fn what_is_no_marker_or_too_deep_is_refused() {
        let deep = format!("{}os_name == 'a'{}", "(".repeat(1000), ")".repeat(1000));
        let long = "os_name == 'a' and ".repeat(1000) + "os_name == 'a'";
        for text in [
            "",
            "os_name",
            "os_name ==",
            "os_name == 'a",
            "os_name == 'a' or",
            "a == 'b'",
            "'a' == 'b'",
            "os_name == 'a')",
            "(os_name == 'a'",
            "python_version ~= '3'",
            "é == 'a'",
            "os_name not 'a'",
            "python_version >= 'x'",
            &deep,
            &long,
        ] {
            assert_eq!(Marker::parse(text), None, "{text}");
        }
    }

    #[test]
    fn sets_of_pythons_are_compared_as_sets() {
        let pythons = |text| Pythons::parse(text).unwrap();
        assert!(pythons(">=3.11, <4").is_same(&pythons("<4.0,>=3.11.0")));
        assert!(
            pythons(">=3.9")
                .and(pythons(">=3.11"))
                .is_same(&pythons(">=3.11"))
        );
        assert!(!pythons(">=3.11").is_same(&pythons(">3.11")));
        assert!(Pythons::parse("3.11").is_none() && Pythons::parse(">=a").is_none());
    }
}
