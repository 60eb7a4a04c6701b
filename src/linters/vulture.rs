//! `vulture`: a line of text for each finding, `a.py:1: unused import 'os' (90% confidence)`.
//!
//! Contract, as vulture 2.16 behaves:
//!
//! | exit | output | judgement |
//! |---|---|---|
//! | 0 | none | clean, once the probe has counted files |
//! | 3 | findings | findings |
//! | 3 | findings, and a line on standard error: a file that cannot be parsed or read | failed |
//! | 1 | text on standard error: such a file, a missing path, a crash | failed |
//! | 2 | text on standard error: option, configuration | failed |
//!
//! What a file uses is not dead in another, so that without one file the findings of all others mean little.
//!
//! Three settings of a project change the output and cannot be switched off: `sort_by_size` adds the number of lines,
//! `make_whitelist` writes findings as Python, without their confidence, and `verbose` writes what is going on between
//! them. All three are read.
//!
//! Only a verbose run says which files it looks at, and it prints every syntax tree as well. The probe is such a run,
//! and takes three times the processor time of one without (72 files of CPython's library: 2.4 s and 0.7 s, 25 MB).

use std::io::BufRead;
use std::num::NonZeroU32;

use crate::linters::adapter::{Adapter, Kind, Probe, Setting, Targets};
use crate::linters::contract::{Invocation, Judgement, Reading, ToolRun, cut};
use crate::linters::lines::{self, note_end};
use crate::model::diagnostic::{RawFinding, Severity};
use crate::model::region::Region;

const NAME: &str = "vulture";

/// The rule of all that is not about a name.
const UNREACHABLE: &str = "unreachable-code";

pub(super) const ADAPTER: Adapter = Adapter {
    name: NAME,
    package: "vulture",
    executable: "vulture",
    kind: Kind::Linter,
    targets: Targets::Folder,
    settings: &[Setting::Table("vulture", &[])],
    file_settings: &[Setting::Table("vulture", &["paths"])],
    hooks: &["vulture"],
    severities: &[
        ("unreachable code at 100 %", Severity::Error),
        ("everything else", Severity::Warning),
    ],
    refused: REFUSED_ARGUMENTS,
    environment: ENVIRONMENT,
    arguments,
    probe: Some(Probe::Run {
        arguments: probe_arguments,
        environment: ENVIRONMENT,
        judge: judge_probe,
    }),
    read,
    conclude,
    confesses,
};

const REFUSED_ARGUMENTS: &[&str] = &[
    "--help",
    "--make-whitelist",
    "--sort-by-size",
    "--verbose",
    "--version",
    "-h",
    "-v",
];

/// A path that is not UTF-8 would end the run.
const ENVIRONMENT: &[(&str, &str)] = &[("PYTHONIOENCODING", "utf-8:surrogateescape")];

fn arguments(invocation: &Invocation<'_>) -> Vec<String> {
    let mut arguments = invocation.extra.to_vec();
    arguments.extend(invocation.path_arguments(true));
    arguments
}

fn probe_arguments(invocation: &Invocation<'_>) -> Vec<String> {
    let mut probe = invocation.extra.to_vec();
    probe.push("--verbose".to_owned());
    probe.extend(invocation.path_arguments(true));
    probe
}

fn read(output: &mut dyn BufRead, sink: &mut dyn FnMut(RawFinding)) -> Reading {
    let mut reading = Reading::default();
    let mut is_verbose = false;
    let mut is_inside = false;
    let end = lines::for_each(output, |number, line| {
        reading.has_output = true;
        let text = String::from_utf8_lossy(line);
        is_verbose |= number == 1 && text.starts_with("Reading configuration from ");
        // A verbose run prints the source as well, which may look like a finding.
        let item = if is_verbose && is_tree(&text) {
            None
        } else {
            Item::parse(&text)
        };
        match item {
            Some(item) => {
                let finding = item.into_finding();
                reading.findings += 1;
                reading.errors += u64::from(finding.severity == Severity::Error);
                sink(finding);
            }
            None if !is_verbose => {
                reading.fault(format!("line {number} is no finding: `{}`", cut(&text)));
            }
            None if text.starts_with(SCANNING) => {
                reading.files = Some(reading.files.unwrap_or(0) + 1);
                is_inside = true;
            }
            // The last node of a file is its root.
            None => is_inside &= !text.starts_with("1 Module("),
        }
    });
    note_end(end, &mut reading);
    if is_verbose {
        reading.files.get_or_insert(0);
    }
    if is_inside {
        reading.fault("cut off within a file");
    }
    reading
}

fn conclude(run: &ToolRun<'_>, reading: &Reading) -> Judgement {
    let code = match run.code(NAME, reading, &[0, 3]) {
        Ok(code) => code,
        Err(failed) => return failed,
    };
    if matches!(code, 0 | 1 | 3) && run.stderr.lines().any(confesses) {
        return run.failed(NAME, "could not check every file");
    }
    if code == 0 && reading.findings == 0 && reading.files == Some(0) {
        return run.empty(NAME);
    }
    reading.agree(NAME, run, code, 3)
}

/// Whether a line of standard error says that a file was left out: findings in others hide that exit code.
fn confesses(line: &str) -> bool {
    let is_source = line.starts_with("  ");
    let is_syntax_error = || {
        place(line.match_indices(": ").map(|(at, _)| at), line).is_some_and(|(_, _, message)| {
            let name = message.split(':').next().unwrap_or_default();
            !name.ends_with("Warning")
        })
    };
    line.starts_with("Error: Could not read file ")
        || line.contains(": invalid source code \"")
        || line.contains(".py:None: ")
        || (!is_source && is_syntax_error())
}

/// How a verbose run begins a file.
const SCANNING: &str = "Scanning: ";

fn judge_probe(run: &ToolRun<'_>, output: &mut dyn BufRead) -> Judgement {
    let mut reading = Reading::default();
    let mut files = 0;
    let end = lines::for_each(output, |_, line| {
        files += u64::from(line.starts_with(SCANNING.as_bytes()));
    });
    note_end(end, &mut reading);
    match run.code(NAME, &reading, &[0]) {
        Err(failed) => failed,
        Ok(0) if files > 0 => Judgement::Clean { files: Some(files) },
        Ok(0) => run.empty(NAME),
        Ok(code) => run.failed(NAME, &format!("exit code {code} of `--verbose`")),
    }
}

/// Whether this is a node of a syntax tree as a verbose run prints it, `2 Return() return a`.
fn is_tree(line: &str) -> bool {
    line.split_once(' ').is_some_and(|(number, node)| {
        let name = node.split('(').next().unwrap_or_default();
        name.len() < node.len()
            && !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_alphabetic())
            && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// One finding, as it is printed.
#[derive(Debug, PartialEq, Eq)]
struct Item<'a> {
    path: &'a str,
    line: u32,
    message: String,
    /// In percent.
    confidence: Option<u32>,
}

impl<'a> Item<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        Self::parse_report(text).or_else(|| Self::parse_whitelist(text))
    }

    /// `a.py:1: unused import 'os' (90% confidence, 1 line)`, the end with `sort_by_size` alone.
    fn parse_report(text: &'a str) -> Option<Self> {
        let (path, line, rest) = place(text.rmatch_indices(": ").map(|(at, _)| at), text)?;
        let (message, sureness) = rest.strip_suffix(')')?.rsplit_once(" (")?;
        let (confidence, size) = sureness.split_once("% confidence")?;
        let is_size = size.is_empty()
            || size
                .strip_prefix(", ")
                .and_then(|size| size.split_once(' '))
                .is_some_and(|(_, unit)| matches!(unit, "line" | "lines"));
        is_size.then_some(Self {
            path,
            line,
            message: message.to_owned(),
            confidence: Some(confidence.parse().ok()?),
        })
    }

    /// `os  # unused import (a.py:1)`, `# unreachable code after 'return' (a.py:6)`.
    fn parse_whitelist(text: &'a str) -> Option<Self> {
        let (what, rest) = match text.split_once("  # unused ") {
            Some((name, rest)) => (Some(name), rest),
            None => (None, text.strip_prefix("# ")?),
        };
        let (message, place) = rest.strip_suffix(')')?.split_once(" (")?;
        let (path, line) = place.rsplit_once(':')?;
        Some(Self {
            path,
            line: line.parse().ok()?,
            message: match what {
                Some(name) => {
                    let name = name.strip_prefix("_.").unwrap_or(name);
                    format!("unused {message} '{name}'")
                }
                None => message.to_owned(),
            },
            confidence: None,
        })
    }

    /// `unused-import`, or `unreachable-code` for all that is not about a name.
    fn rule(&self) -> String {
        let kind = self
            .message
            .strip_prefix("unused ")
            .and_then(|rest| rest.split_once(' '));
        match kind {
            Some((kind, _)) => format!("unused-{kind}"),
            None => UNREACHABLE.to_owned(),
        }
    }

    fn into_finding(self) -> RawFinding {
        let rule = self.rule();
        RawFinding {
            // A name may be there for its caller: an argument that a protocol asks for is sure to be unused, and right.
            severity: match self.confidence {
                Some(100..) if rule == UNREACHABLE => Severity::Error,
                _ => Severity::Warning,
            },
            rule: Some(rule),
            message: match self.confidence {
                Some(confidence) => format!("{} ({confidence}% confidence)", self.message),
                None => self.message,
            },
            path: Some(self.path.to_owned()),
            region: Region {
                line: NonZeroU32::new(self.line),
                ..Region::FILE
            },
            url: None,
            help: None,
            fix: None,
        }
    }
}

/// Path, line and message of `path:line: message`, at the first of these `: ` that follows a number.
fn place(mut ends: impl Iterator<Item = usize>, text: &str) -> Option<(&str, u32, &str)> {
    ends.find_map(|at| {
        let (path, line) = text.get(..at)?.rsplit_once(':')?;
        let message = text.get(at + 2..)?;
        (!path.is_empty()).then_some((path, line.parse().ok()?, message))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_from_its_end() {
        for (text, path, line, message, confidence) in [
            (
                "a.py:1: unused import 'os' (90% confidence)",
                "a.py",
                1,
                "unused import 'os'",
                Some(90),
            ),
            (
                "a.py:4: unused function 'g' (60% confidence, 3 lines)",
                "a.py",
                4,
                "unused function 'g'",
                Some(60),
            ),
            (
                "a:2: b (90% confidence).py:7: unsatisfiable 'if' condition (100% confidence)",
                "a:2: b (90% confidence).py",
                7,
                "unsatisfiable 'if' condition",
                Some(100),
            ),
            (
                "os  # unused import (a (b).py:1)",
                "a (b).py",
                1,
                "unused import 'os'",
                None,
            ),
            (
                "_.size  # unused attribute (a.py:2)",
                "a.py",
                2,
                "unused attribute 'size'",
                None,
            ),
            (
                "# unreachable code after 'return' (a.py:6)",
                "a.py",
                6,
                "unreachable code after 'return'",
                None,
            ),
        ] {
            let item = Item {
                path,
                line,
                message: message.to_owned(),
                confidence,
            };
            assert_eq!(Item::parse(text), Some(item), "{text}");
        }
        for other in [
            "",
            "Scanning: /a.py",
            "define import \"os\"",
            "a.py: unused import 'os' (90% confidence)",
            "a.py:1: unused import 'os' (90% sure)",
            "a.py:1: unused import 'os' (90% confidence, many)",
            "a.py:99999999999: unused import 'os' (90% confidence)",
        ] {
            assert_eq!(Item::parse(other), None, "{other}");
        }
    }

    #[test]
    fn warnings_of_python_are_no_confession() {
        for confession in [
            "broken.py:1: invalid syntax at \"def f(:\"",
            "nul.py:None: source code string cannot contain null bytes",
            "nul.py: invalid source code \"source code string cannot contain null bytes\"",
            "Error: Could not read file /w/latin.py - ",
        ] {
            assert!(confesses(confession), "{confession}");
        }
        for other in [
            "/w/a.py:1: SyntaxWarning: invalid escape sequence '\\d'",
            "  x[1:2]: 3",
            "  x = a:1: b",
            "Try to change the encoding to UTF-8.",
            "",
        ] {
            assert!(!confesses(other), "{other}");
        }
    }

    #[test]
    fn a_tree_is_no_finding() {
        assert!(is_tree(
            "1 Module(body=[]) # a.py:1: unused import 'os' (90% confidence)"
        ));
        assert!(!is_tree("1 a.py:1: unused import 'os' (90% confidence)"));
        assert!(!is_tree("a.py:1: unused function 'g' (60% confidence)"));
    }
}
