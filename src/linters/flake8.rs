//! `flake8` with a format of our own: `'F401' 1 8 './a.py' "'os' imported but unused"`, where the texts are Python's own
//! literals, so that neither a path nor a message can break a line or forge one.
//!
//! `--benchmark` and `--count` end the output with the number of files and the number of findings:
//!
//! ```text
//! 0.047      seconds elapsed
//! 2          total files processed
//! 3
//! ```
//!
//! Contract, as flake8 7.5.0 behaves:
//!
//! | exit | output | judgement |
//! |---|---|---|
//! | 0 | no finding, files, `0` | clean |
//! | 0 | no file | no file: also where everything is excluded |
//! | 1 | as many findings as counted, `E999` (a syntax error) among them | findings |
//! | 1 | `E902` on line 0: a file that is missing or cannot be read | failed, although it looks like a finding |
//! | 1 | text, or another number: plug-in, configuration, `quiet` | failed |
//! | 2 | text on standard error: option | failed |
//!
//! A file that is not UTF-8 is read as Latin-1 without a word. A project that ignores the very code `E902` wants to hear
//! nothing of files that cannot be read; `E9` does not go that far, because we select `E902`.
//!
//! Columns are 1-based, with two units in one report: pyflakes and mccabe count UTF-8 bytes, pycodestyle code points.
//! Those of `E999` are code points and one too high. Plug-ins may do either.

use std::io::BufRead;
use std::num::NonZeroU32;

use crate::linters::adapter::{Adapter, Kind, Setting, Targets};
use crate::linters::contract::{Invocation, Judgement, Reading, ToolRun, cut};
use crate::linters::lines::{self, note_end};
use crate::model::diagnostic::{RawFinding, Severity};
use crate::model::region::{ColumnUnit, Region};

const NAME: &str = "flake8";
const OWN_RULES: &str = "https://flake8.pycqa.org/en/latest/user/error-codes.html";
const STYLE_RULES: &str = "https://pycodestyle.pycqa.org/en/latest/intro.html#error-codes";

pub(super) const ADAPTER: Adapter = Adapter {
    name: NAME,
    package: "flake8",
    executable: "flake8",
    kind: Kind::Linter,
    targets: Targets::Folder,
    settings: &[
        Setting::File(".flake8"),
        Setting::Section {
            file: "setup.cfg",
            section: "[flake8*",
            keys: &[],
        },
        Setting::Section {
            file: "tox.ini",
            section: "[flake8*",
            keys: &[],
        },
    ],
    file_settings: &[],
    hooks: &["flake8"],
    severities: &[
        ("rules `F` (pyflakes) and `E9`", Severity::Error),
        ("all other rules", Severity::Warning),
    ],
    refused: REFUSED_ARGUMENTS,
    environment: &[],
    arguments,
    probe: None,
    read,
    conclude,
    confesses: |_| false,
};

const REFUSED_ARGUMENTS: &[&str] = &[
    "--benchmark",
    "--bug-report",
    "--color",
    "--count",
    "--exit-zero",
    "--format",
    "--help",
    "--output-file",
    "--quiet",
    "--show-source",
    "--statistics",
    "--stdin-display-name",
    "--tee",
    "--verbose",
    "--version",
    "-",
    "-h",
    "-q",
    "-qq",
    "-v",
    "-vv",
];

/// An `output-file` of the project is switched off, and so is `show-source`; `statistics` and `quiet` cannot be.
/// Without `E902`, which a narrow `select` drops, flake8 passes over a file that it cannot read.
fn arguments(invocation: &Invocation<'_>) -> Vec<String> {
    let own = [
        "--format=%(code)a %(row)d %(col)d %(path)a %(text)a",
        "--color=never",
        "--output-file=",
        "--no-show-source",
        "--extend-select=E902,E999",
        "--benchmark",
        "--count",
    ];
    let mut arguments = invocation.extra.to_vec();
    arguments.extend(own.map(str::to_owned));
    arguments.extend(invocation.path_arguments(false));
    arguments
}

fn read(output: &mut dyn BufRead, sink: &mut dyn FnMut(RawFinding)) -> Reading {
    let mut reading = Reading::default();
    // What was counted includes what could not be read.
    let mut listed = 0_u64;
    let mut counted = None;
    let end = lines::for_each(output, |number, line| {
        reading.has_output = true;
        let text = String::from_utf8_lossy(line);
        let line = match Line::parse(&text) {
            Some(line) if counted.is_none() => line,
            _ => {
                reading.fault(format!("line {number} is not expected: `{}`", cut(&text)));
                return;
            }
        };
        match line {
            Line::Violation(violation) => {
                listed += 1;
                if violation.is_failure() {
                    reading.stopped.get_or_insert_with(|| violation.headline());
                } else {
                    let finding = violation.into_finding();
                    reading.findings += 1;
                    reading.errors += u64::from(finding.severity == Severity::Error);
                    sink(finding);
                }
            }
            Line::Files(files) => reading.files = Some(files),
            Line::Count(count) => counted = Some(count),
            Line::Statistic => {}
        }
    });
    note_end(end, &mut reading);
    match counted {
        Some(counted) if counted == listed => {}
        Some(counted) => reading.fault(format!(
            "{counted} findings are counted, but {listed} listed: `quiet` must not be set"
        )),
        None => reading.fault("cut off before the number of findings"),
    }
    if reading.files.is_none() {
        reading.fault("no number of files");
    }
    reading
}

fn conclude(run: &ToolRun<'_>, reading: &Reading) -> Judgement {
    let code = match run.code(NAME, reading, &[0, 1]) {
        Ok(code) => code,
        Err(failed) => return failed,
    };
    if let Some(stopped) = &reading.stopped {
        return run.failed(NAME, &format!("could not check {stopped}"));
    }
    if code == 0 && reading.findings == 0 && reading.files == Some(0) {
        return run.empty(NAME);
    }
    reading.agree(NAME, run, code, 1)
}

/// A line of the output.
#[derive(Debug, PartialEq, Eq)]
enum Line {
    Violation(Violation),
    /// How many files were looked at.
    Files(u64),
    /// How many findings there are.
    Count(u64),
    /// Any other number: seconds, tokens, findings of one rule.
    Statistic,
}

impl Line {
    fn parse(line: &str) -> Option<Self> {
        if line.starts_with(['\'', '"']) {
            return Violation::parse(line).map(Self::Violation);
        }
        if !line.starts_with(|first: char| first.is_ascii_digit()) {
            return None;
        }
        Some(match line.split_once(' ') {
            None => Self::Count(line.parse().ok()?),
            Some((number, name)) if name.trim_start() == "total files processed" => {
                Self::Files(number.parse().ok()?)
            }
            Some(_) => Self::Statistic,
        })
    }
}

/// One finding, as it is printed.
#[derive(Debug, PartialEq, Eq)]
struct Violation {
    code: String,
    row: i64,
    column: i64,
    path: String,
    text: String,
}

impl Violation {
    fn parse(line: &str) -> Option<Self> {
        let (code, rest) = literal(line)?;
        let (row, rest) = rest.strip_prefix(' ')?.split_once(' ')?;
        let (column, rest) = rest.split_once(' ')?;
        let (path, rest) = literal(rest)?;
        let (text, rest) = literal(rest.strip_prefix(' ')?)?;
        rest.is_empty().then_some(Self {
            code,
            row: row.parse().ok()?,
            column: column.parse().ok()?,
            path,
            text,
        })
    }

    /// Whether flake8 says that it could not read a file. On a line of its own, the code is about the file.
    fn is_failure(&self) -> bool {
        self.code == "E902" && self.row == 0
    }

    fn headline(&self) -> String {
        cut(&format!("`{}`: {}", self.path, self.text))
    }

    fn into_finding(self) -> RawFinding {
        let is_error = self.code.starts_with('F') || self.code.starts_with("E9");
        RawFinding {
            severity: if is_error {
                Severity::Error
            } else {
                Severity::Warning
            },
            region: self.region(),
            url: self.url().map(str::to_owned),
            rule: Some(self.code),
            message: self.text,
            path: Some(self.path),
            help: None,
            fix: None,
        }
    }

    fn region(&self) -> Region {
        let (base, unit) = match (self.code.as_str(), self.source()) {
            ("E999", _) => (2, ColumnUnit::CodePoint),
            (_, Source::Tree) => (1, ColumnUnit::Byte),
            (_, Source::Text) => (1, ColumnUnit::CodePoint),
            (_, Source::PlugIn) => (1, ColumnUnit::AsciiOnly),
        };
        let line = u32::try_from(self.row).ok().and_then(NonZeroU32::new);
        Region {
            line,
            column: line.and(u32::try_from(self.column.checked_sub(base).unwrap_or(-1)).ok()),
            end_line: None,
            end_column: None,
            unit,
        }
    }

    fn url(&self) -> Option<&'static str> {
        match (self.code.as_str(), self.source()) {
            ("E902" | "E999", _) | (_, Source::Tree) => Some(OWN_RULES),
            (_, Source::Text) => Some(STYLE_RULES),
            (_, Source::PlugIn) => None,
        }
    }

    /// Who found it: `F401` and `C901`, `E501` and `W605`, or a plug-in.
    fn source(&self) -> Source {
        let mut bytes = self.code.bytes();
        let first = bytes.next();
        let is_own = bytes.len() == 3 && bytes.all(|byte| byte.is_ascii_digit());
        match first {
            Some(b'F') if is_own => Source::Tree,
            Some(b'C') if self.code == "C901" => Source::Tree,
            Some(b'E' | b'W') if is_own => Source::Text,
            _ => Source::PlugIn,
        }
    }
}

/// What a rule looks at, which decides about the unit of its columns.
#[derive(Clone, Copy)]
enum Source {
    /// The syntax tree: pyflakes, mccabe.
    Tree,
    /// Lines and tokens: pycodestyle.
    Text,
    /// Nobody knows.
    PlugIn,
}

/// The text of a literal as Python's `ascii` writes it, and what follows it. A lone surrogate stands for a byte of a
/// path that is not UTF-8.
fn literal(line: &str) -> Option<(String, &str)> {
    let quote = line.chars().next().filter(|quote| "'\"".contains(*quote))?;
    let mut bytes = Vec::new();
    let mut rest = line.get(1..)?.char_indices();
    while let Some((at, character)) = rest.next() {
        if character == quote {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            return Some((text, line.get(at + 2..)?));
        }
        let character = if character == '\\' {
            let digits = match rest.next()?.1 {
                'n' => Ok('\n'),
                'r' => Ok('\r'),
                't' => Ok('\t'),
                plain @ ('\\' | '\'' | '"') => Ok(plain),
                'x' => Err(2),
                'u' => Err(4),
                'U' => Err(8),
                _ => return None,
            };
            match digits {
                Ok(character) => character,
                Err(digits) => {
                    let mut code = 0;
                    for _ in 0..digits {
                        code = code * 16 + rest.next()?.1.to_digit(16)?;
                    }
                    match (char::from_u32(code), code) {
                        (Some(character), _) => character,
                        (None, 0xdc80..=0xdcff) => {
                            bytes.push(u8::try_from(code - 0xdc00).ok()?);
                            continue;
                        }
                        (None, _) => char::REPLACEMENT_CHARACTER,
                    }
                }
            }
        } else {
            character
        };
        bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_is_read_as_python_means_it() {
        for (written, meant) in [
            ("'a'", "a"),
            ("'odd\\ndir/a\\'b\".py'", "odd\ndir/a'b\".py"),
            ("\"'os' imported\"", "'os' imported"),
            ("'\\xe9\\u2028\\U0001f600\\\\n'", "é\u{2028}😀\\n"),
            ("'\\udcc3\\udca9 \\udcff \\ud800'", "é \u{fffd} \u{fffd}"),
        ] {
            let (text, rest) = literal(&format!("{written} 1")).map_or_else(
                || panic!("{written}"),
                |(text, rest)| (text, rest.to_owned()),
            );
            assert_eq!((text.as_str(), rest.as_str()), (meant, " 1"), "{written}");
        }
        for broken in ["", "a", "'a", "'\\", "'\\q'", "'\\x1'"] {
            assert_eq!(literal(broken).filter(|(_, rest)| rest.is_empty()), None);
        }
    }

    #[test]
    fn lines_are_told_apart() {
        assert_eq!(
            Line::parse("12         total files processed"),
            Some(Line::Files(12))
        );
        assert_eq!(
            Line::parse("12345678901 total files processed"),
            Some(Line::Files(12_345_678_901))
        );
        assert_eq!(Line::parse("3"), Some(Line::Count(3)));
        assert_eq!(
            Line::parse("1.23e+02   seconds elapsed"),
            Some(Line::Statistic)
        );
        assert_eq!(
            Line::parse("1     F401 'os' imported"),
            Some(Line::Statistic)
        );
        for other in [
            "",
            "bad.py",
            "'F401' 1 1 'bad.py'",
            "'F401' x 1 'a' 'b'",
            "3.5",
            "-1",
        ] {
            assert_eq!(Line::parse(other), None, "{other}");
        }
    }
}
