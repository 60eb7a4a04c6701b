//! `isort --check-only --diff --verbose --atomic`: unified diffs between lines of talk.
//!
//! Contract, as isort 9.0.2 behaves with these options:
//!
//! | exit | output | judgement |
//! |---|---|---|
//! | 0 | `SUCCESS: <file> …` for each file | clean |
//! | 0 | no such line: no file, or all are skipped, or `only_modified` hides them | empty |
//! | 0 | `Broken 1 paths`: a path does not exist, next to one that does | failed |
//! | 0 | a warning on standard error: not decodable or not readable, next to a file that is | failed |
//! | 0 | a warning on standard error: the configuration cannot be read | failed, although isort goes on |
//! | 1 | diffs | findings |
//! | 1 | none: only a missing path, a syntax error, bad configuration, crash | failed |
//! | 2 | usage on standard error | failed |
//!
//! Without `--verbose` the count of files and the warning about a file that cannot be decoded would be missing, without
//! `--atomic` a file with a syntax error would be green. isort stops at the first of those.
//!
//! What the diff cannot tell: isort takes form feeds, U+2028 and their like for line breaks and leaves out the note on a
//! missing line break at the end of a file, so that lines run into each other. Such a hunk becomes a finding on the
//! lines of its header, without a fix. As the numbers of lines may be shifted by what stands above a hunk, only a fix at
//! the start of a file is safe. If the last file of all ends without a line break, the output looks cut off, and is a
//! failure. One hole is left: with `quiet` in the configuration, isort does not mention a path that does not exist next
//! to one that does.

use std::io::BufRead;

use memchr::memmem;

use crate::linters::adapter::{Adapter, Kind, Setting, Targets};
use crate::linters::contract::{Invocation, Judgement, Reading, ToolRun, cut};
use crate::linters::lines::{self, note_end, without_return};
use crate::linters::unified_diff::{self, Hunk, Taken, Words};
use crate::model::diagnostic::{RawFinding, Severity};
use crate::model::fix::Applicability;

const NAME: &str = "isort";

const WORDS: Words<'_> = Words {
    rule: "unsorted-imports",
    message: "Imports are incorrectly sorted and/or formatted.",
    help: Some("run `isort`"),
};

pub(super) const ADAPTER: Adapter = Adapter {
    name: NAME,
    package: "isort",
    executable: "isort",
    kind: Kind::Formatter,
    targets: Targets::Folder,
    settings: &[
        Setting::Table("isort", &[]),
        Setting::File(".isort.cfg"),
        Setting::Section {
            file: "setup.cfg",
            section: "[isort]",
            keys: &[],
        },
        Setting::Section {
            file: "setup.cfg",
            section: "[tool:isort]",
            keys: &[],
        },
        Setting::Section {
            file: "tox.ini",
            section: "[isort]",
            keys: &[],
        },
        Setting::Section {
            file: "tox.ini",
            section: "[tool:isort]",
            keys: &[],
        },
    ],
    file_settings: &[],
    hooks: &["isort"],
    severities: &[("imports that would be sorted", Severity::Error)],
    refused: REFUSED_ARGUMENTS,
    environment: ENVIRONMENT,
    arguments,
    probe: None,
    read,
    conclude,
    confesses,
};

const REFUSED_ARGUMENTS: &[&str] = &[
    "--color",
    "--filename",
    "--format-error",
    "--format-success",
    "--help",
    "--interactive",
    // Processes that share one output tear its lines apart.
    "--jobs",
    "--om",
    "--only-modified",
    "--overwrite-in-place",
    "--quiet",
    "--show-config",
    "--show-files",
    "--stdout",
    "--version",
    "--version-number",
    "--vn",
    "-",
    "-V",
    "-d",
    "-h",
    "-j",
    "-q",
];

/// What cannot be read is told by a warning alone.
const ENVIRONMENT: &[(&str, &str)] = &[("PYTHONWARNINGS", "default")];

/// The formats are the defaults: a configured one would hide what is counted.
fn arguments(invocation: &Invocation<'_>) -> Vec<String> {
    let own = [
        "--check-only",
        "--diff",
        "--verbose",
        "--atomic",
        "--format-success={success}: {message}",
        "--format-error={error}: {message}",
    ];
    let mut arguments = invocation.extra.to_vec();
    arguments.extend(own.iter().map(|&argument| argument.to_owned()));
    arguments.extend(invocation.path_arguments(false));
    arguments
}

fn read(output: &mut dyn BufRead, sink: &mut dyn FnMut(RawFinding)) -> Reading {
    let mut reader = Reader {
        sink,
        reading: Reading::default(),
        checked: 0,
        file: None,
        old: None,
        hunk: None,
    };
    let end = lines::for_each_with_return(output, |number, line| {
        reader.reading.has_output = true;
        reader.line(number, line);
    });
    if let (Ok(lines::End::Cut(line)), Some(_)) = (&end, &reader.hunk) {
        reader.reading.fault(format!(
            "cut off in line {line}, unless the last file has no line break at its end: add one"
        ));
    }
    note_end(end, &mut reader.reading);
    reader.end_file();
    let mut reading = reader.reading;
    reading.files = Some(reader.checked);
    reading
}

struct Reader<'s> {
    sink: &'s mut dyn FnMut(RawFinding),
    reading: Reading,
    /// Files that were looked at.
    checked: u64,
    /// The file whose diff is being read, and its findings so far.
    file: Option<(String, u64)>,
    /// The old name, until the new one comes.
    old: Option<Vec<u8>>,
    hunk: Option<Hunk>,
}

impl Reader<'_> {
    fn line(&mut self, number: u64, line: &[u8]) {
        let text = without_return(line);
        // No line of Python begins like that, so that a hunk with lines missing cannot swallow the next file.
        if let Some(start) = header(text) {
            self.end_file();
            self.old = text.get(start + 4..).map(<[u8]>::to_vec);
            return;
        }
        if let Some(old) = self.old.take() {
            let new = text.strip_prefix(b"+++ ").map(unified_diff::side);
            let path = new.and_then(|new| unified_diff::path(&unified_diff::side(&old), &new));
            match path {
                Some(path) => {
                    self.checked += 1;
                    self.file = Some((path, 0));
                }
                None => self.misfit(number, text),
            }
            return;
        }
        if let Some(hunk) = &mut self.hunk {
            if hunk.take(line) == Taken::Yes {
                return;
            }
            self.end_hunk();
        }
        if text.starts_with(b"@@ -") {
            match (Hunk::from_header(text), &self.file) {
                (Some(hunk), Some(_)) => self.hunk = Some(hunk),
                _ => self.misfit(number, text),
            }
            return;
        }
        // The rest is talk.
        if text.starts_with(b"SUCCESS: ") && text.ends_with(b" Everything Looks Good!") {
            self.checked += 1;
        } else if text.starts_with(b"Broken ") && text.ends_with(b" paths") {
            self.reading
                .stopped
                .get_or_insert_with(|| "a path that does not exist".to_owned());
        } else if text.starts_with(b"\x1b[") {
            self.reading
                .fault("its output is coloured: remove `color_output` from its configuration");
        }
    }

    fn misfit(&mut self, number: u64, line: &[u8]) {
        let text = String::from_utf8_lossy(line.get(..line.len().min(4_000)).unwrap_or(line));
        self.reading.fault(format!(
            "line {number} fits no diff: `{}`",
            cut(text.trim_end())
        ));
    }

    fn end_hunk(&mut self) {
        let (Some(hunk), Some((path, findings))) = (self.hunk.take(), &mut self.file) else {
            return;
        };
        *findings += 1;
        let is_at_start = hunk.first_line() <= 1;
        let mut finding = WORDS.finding(path, hunk.finish());
        if let Some(fix) = &mut finding.fix
            && !is_at_start
        {
            fix.applicability = Applicability::Unsafe;
        }
        self.reading.findings += 1;
        self.reading.errors += 1;
        (self.sink)(finding);
    }

    fn end_file(&mut self) {
        self.end_hunk();
        if self.old.take().is_some() || self.file.take().is_some_and(|(_, findings)| findings == 0)
        {
            self.reading.fault("a file without its diff");
        }
    }
}

/// Where `--- <file>:before<tab>` begins in a line: at its start, or behind a last line that had no line break.
fn header(line: &[u8]) -> Option<usize> {
    let before = line.get(..memmem::rfind(line, b":before\t")?)?;
    if before.starts_with(b"--- ") {
        Some(0)
    } else {
        memmem::rfind(before, b"--- /")
    }
}

fn conclude(run: &ToolRun<'_>, reading: &Reading) -> Judgement {
    let code = match run.code(NAME, reading, &[0, 1]) {
        Ok(code) => code,
        Err(failed) => return failed,
    };
    if !matches!(code, 0 | 1) {
        return run.failed(NAME, &format!("exit code {code}"));
    }
    if let Some(stopped) = &reading.stopped {
        return run.failed(NAME, &format!("could not check {stopped}"));
    }
    if run.stderr.lines().any(is_blind) {
        return run.failed(NAME, "could not check a file");
    }
    if run.stderr.lines().any(is_broken_configuration) {
        return run.failed(
            NAME,
            "could not read its configuration and went on with its defaults",
        );
    }
    if code == 0 && reading.findings == 0 && reading.files == Some(0) {
        return run.empty(NAME);
    }
    let named = run
        .stderr
        .lines()
        .filter(|line| line.starts_with("ERROR: ") && line.ends_with(WORDS.message))
        .count() as u64;
    if named > reading.findings {
        return run.failed(
            NAME,
            &format!(
                "{named} files are named, but the diff has {}",
                reading.findings
            ),
        );
    }
    reading.agree(NAME, run, code, 1)
}

/// Whether a line of standard error says what the exit code does not.
fn confesses(line: &str) -> bool {
    is_blind(line) || is_broken_configuration(line)
}

fn is_blind(line: &str) -> bool {
    let is_warning = [
        "UserWarning: Encoding not supported for ",
        "UserWarning: Unable to parse file ",
        " was broken path, make sure it exists correctly",
    ]
    .iter()
    .any(|text| line.contains(text));
    is_warning
        || line.starts_with(
            "ERROR: isort was told to sort imports within code that contains syntax errors",
        )
        || line.starts_with("ERROR: Unrecoverable exception thrown when parsing")
}

fn is_broken_configuration(line: &str) -> bool {
    line.contains("UserWarning: Failed to pull configuration information from ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(output: &[u8]) -> (Reading, Vec<RawFinding>) {
        let mut findings = Vec::new();
        let reading = read(&mut &output[..], &mut |finding| findings.push(finding));
        (reading, findings)
    }

    #[test]
    fn a_hunk_with_lines_missing_does_not_swallow_the_next_file() {
        let output = b"--- /w/a.py:before\t1\n+++ /w/a.py:after\t1\n@@ -3,4 +3,4 @@\n+import os\n import sys\n-import os--- /w/b.py:before\t1\n+++ /w/b.py:after\t1\n@@ -1,2 +1,2 @@\n+import os\n import sys\n-import os\nSUCCESS: /w/c.py Everything Looks Good!\n";
        let (reading, findings) = findings(output);
        assert_eq!((reading.fault, reading.files), (None, Some(3)));
        let [a, b] = &findings[..] else {
            panic!("two findings")
        };
        assert_eq!((a.path.as_deref(), &a.fix), (Some("/w/a.py"), &None));
        assert_eq!(a.region.line.map(u32::from), Some(3));
        assert_eq!(a.region.end_line.map(u32::from), Some(6));
        assert_eq!(b.path.as_deref(), Some("/w/b.py"));
        assert!(b.fix.is_some());
    }

    #[test]
    fn only_a_fix_at_the_start_of_a_file_is_safe() {
        let hunk = |line: u32| {
            let output = format!(
                "--- /w/a.py:before\t1\n+++ /w/a.py:after\t1\n@@ -{line},2 +{line},2 @@\n+import os\n import sys\n-import os\n"
            );
            findings(output.as_bytes())
                .1
                .remove(0)
                .fix
                .map(|fix| fix.applicability)
        };
        assert_eq!(hunk(1), Some(Applicability::Safe));
        assert_eq!(hunk(5), Some(Applicability::Unsafe));
    }

    #[test]
    fn a_file_without_its_diff_is_a_fault() {
        for output in [
            &b"--- /w/a.py:before\t1\n"[..],
            b"--- /w/a.py:before\t1\n+++ /w/a.py:after\t1\n",
            b"--- /w/a.py:before\t1\n@@ -1 +1 @@\n",
            b"@@ -1 +1 @@\n-a\n+b\n",
        ] {
            assert!(findings(output).0.fault.is_some());
        }
    }
}
