//! `codespell --count`: a line for each misspelling, and their number on standard error.
//!
//! Contract, as codespell 2.4.3 behaves:
//!
//! | exit | output | judgement |
//! |---|---|---|
//! | 0 | none, and the number 0 | clean, once a file was seen |
//! | 65 | as many misspellings as are counted | findings |
//! | 0, 65 | `WARNING: Permission denied: …` on standard error | failed |
//! | 64 | a bad regular expression or dictionary, or `write-changes` in the configuration | failed |
//! | 78 | an INI file that cannot be parsed | failed |
//! | 1, 2 | a TOML file that cannot be parsed; an option or setting that it does not know | failed |
//!
//! codespell **passes over** paths that do not exist, files that are neither text nor readable and whatever
//! it is told to skip, all without a word, and it does not tell how many files it read: a run that found no file is
//! clean here, and nothing can be asked that would say more. So whoever runs it makes sure that there is a file at all, not
//! a hidden one unless it is told to look at those.
//!
//! `write-changes` of a configuration, which would mend files instead of reporting them, cannot be switched off. But it
//! excludes `--regex`, which is passed with its own default, so that codespell refuses to run. A project with a `regex`
//! of its own is protected by that one, and keeps it.

use std::io::BufRead;
use std::num::NonZeroU32;

use crate::linters::adapter::{Adapter, Hidden, Kind, Probe, Setting, Targets};
use crate::linters::contract::{Invocation, Judgement, Reading, ToolRun, cut};
use crate::linters::lines::{self, note_end};
use crate::model::diagnostic::{RawFinding, Severity};
use crate::model::region::Region;

const NAME: &str = "codespell";

/// What makes a word, by default.
const REGEX: &str = r"--regex=[\w\-'’]+";

pub(super) const ADAPTER: Adapter = Adapter {
    name: NAME,
    package: "codespell",
    executable: "codespell",
    kind: Kind::Linter,
    targets: Targets::Folder,
    settings: &[
        Setting::Table("codespell", &[]),
        Setting::Section {
            file: "setup.cfg",
            section: "[codespell]",
            keys: &[],
        },
        Setting::Section {
            file: ".codespellrc",
            section: "[codespell]",
            keys: &[],
        },
    ],
    // Not files, but what our own arguments would override just so; no path means `.` to codespell.
    file_settings: &[
        Setting::Table("codespell", &["regex"]),
        Setting::Section {
            file: "setup.cfg",
            section: "[codespell]",
            keys: &["regex"],
        },
        Setting::Section {
            file: ".codespellrc",
            section: "[codespell]",
            keys: &["regex"],
        },
    ],
    hooks: &["codespell"],
    severities: &[("misspellings", Severity::Warning)],
    refused: REFUSED_ARGUMENTS,
    environment: &[],
    arguments,
    probe: Some(Probe::Folder(Hidden {
        arguments: &["-H", "--check-h"],
        settings: &[
            Setting::Table("codespell", &["check-hidden"]),
            Setting::Section {
                file: "setup.cfg",
                section: "[codespell]",
                keys: &["check-hidden"],
            },
            Setting::Section {
                file: ".codespellrc",
                section: "[codespell]",
                keys: &["check-hidden"],
            },
        ],
    })),
    read,
    conclude,
    confesses,
};

const REFUSED_ARGUMENTS: &[&str] = &[
    "--after-context",
    "--before-context",
    "--context",
    "--enable-colors",
    "--help",
    "--interactive",
    "--stdin-single-line",
    "--summary",
    "--version",
    "--write-changes",
    "-",
    "-A",
    "-B",
    "-C",
    "-c",
    "-h",
    "-i",
    "-s",
    "-w",
];

fn arguments(invocation: &Invocation<'_>) -> Vec<String> {
    let mut arguments = invocation.extra.to_vec();
    arguments.extend(["--disable-colors", "--count", "--interactive=0"].map(str::to_owned));
    let is_regex =
        |argument: &String| argument.starts_with("-r") || argument.starts_with("--regex");
    if !invocation.configured_files && !invocation.extra.iter().any(is_regex) {
        arguments.push(REGEX.to_owned());
    }
    arguments.extend(invocation.path_arguments(true));
    arguments
}

fn read(output: &mut dyn BufRead, sink: &mut dyn FnMut(RawFinding)) -> Reading {
    let mut reading = Reading::default();
    let mut is_summary = false;
    let end = lines::for_each(output, |number, line| {
        reading.has_output = true;
        let line = String::from_utf8_lossy(line);
        // A configured `summary` follows all the rest.
        is_summary |= line == "-------8<-------";
        if is_summary || is_aside(&line) {
            return;
        }
        if let Some(finding) = misspelling(&line) {
            reading.findings += 1;
            sink(finding);
        } else {
            reading.fault(format!("line {number} is no misspelling: `{}`", cut(&line)));
        }
    });
    note_end(end, &mut reading);
    reading
}

/// What configured settings add: `quiet-level` the names of configuration files, `context` the lines around.
fn is_aside(line: &str) -> bool {
    line.is_empty()
        || line.starts_with("> ")
        || line.starts_with(": ")
        || line == "Used config files:"
        || line.starts_with("    ")
}

/// `path:18: teh ==> the`; with `check-filenames` also `path: teh ==> the`. A path may hold all of that: the last
/// arrow that fits counts.
fn misspelling(line: &str) -> Option<RawFinding> {
    const ARROW: &str = " ==> ";
    let in_file = line.rmatch_indices(ARROW).find_map(|(at, _)| {
        let (place, word) = line.get(..at)?.rsplit_once(": ")?;
        let (path, number) = place.rsplit_once(':')?;
        Some((path, Some(number.parse::<NonZeroU32>().ok()?), word, at))
    });
    let (path, number, word, at) = in_file.or_else(|| {
        let at = line.rfind(ARROW)?;
        let (path, word) = line.get(..at)?.rsplit_once(": ")?;
        Some((path, None, word, at))
    })?;
    let correction = line.get(at..)?;
    Some(RawFinding {
        rule: Some("misspelling".to_owned()),
        severity: Severity::Warning,
        message: format!("{word}{correction}"),
        path: Some(path.to_owned()),
        region: Region {
            line: number,
            ..Region::FILE
        },
        url: None,
        help: None,
        fix: None,
    })
}

fn conclude(run: &ToolRun<'_>, reading: &Reading) -> Judgement {
    let code = match run.code(NAME, reading, &[0, 65]) {
        Ok(code) => code,
        Err(failed) => return failed,
    };
    if code == 64
        && run
            .stderr
            .contains("--write-changes cannot be used together")
    {
        return run.failed(
            NAME,
            "`write-changes` in its configuration would edit files: leave it to the command line",
        );
    }
    if !matches!(code, 0 | 65) {
        return run.failed(NAME, &format!("exit code {code}"));
    }
    if run.stderr.lines().any(confesses) {
        return run.failed(NAME, "could not read a file, or changed one");
    }
    let count = run
        .stderr
        .lines()
        .rev()
        .find_map(|line| line.trim().parse::<u64>().ok());
    match count {
        None => run.failed(NAME, "ended without the number of misspellings"),
        Some(count) if count != reading.findings => run.failed(
            NAME,
            &format!(
                "{} misspellings are listed, but {count} counted",
                reading.findings
            ),
        ),
        Some(_) => reading.agree(NAME, run, code, 65),
    }
}

/// Whether a line of standard error says what the exit code does not.
fn confesses(line: &str) -> bool {
    [
        "WARNING: Permission denied: ",
        "WARNING: Operation not permitted: ",
        "FIXED: ",
    ]
    .iter()
    .any(|text| line.starts_with(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_from_its_end() {
        for (line, path, number, message) in [
            ("bad.py:18: teh ==> the", "bad.py", Some(18), "teh ==> the"),
            (
                "a: b ==> c.py:1: ba ==> by, be",
                "a: b ==> c.py",
                Some(1),
                "ba ==> by, be",
            ),
            (
                "x:1: teh ==> the/y.py:2: teh ==> the",
                "x:1: teh ==> the/y.py",
                Some(2),
                "teh ==> the",
            ),
            ("d/teh.txt: teh ==> the", "d/teh.txt", None, "teh ==> the"),
            (
                "a.py:3: clas ==> class  | disabled because of name clash",
                "a.py",
                Some(3),
                "clas ==> class  | disabled because of name clash",
            ),
        ] {
            let finding = misspelling(line).expect("a misspelling");
            assert_eq!(finding.path.as_deref(), Some(path));
            assert_eq!(finding.region.line.map(u32::from), number);
            assert_eq!(finding.message, message);
        }
        assert_eq!(misspelling("FIXED: bad.py"), None);
        assert_eq!(misspelling("bad.py:0: teh"), None);
    }

    #[test]
    fn a_regex_of_the_project_or_the_user_stays() {
        let passes = |invocation: &Invocation<'_>| {
            arguments(invocation)
                .iter()
                .any(|argument| argument == REGEX)
        };
        assert!(passes(&Invocation::default()));
        assert!(!passes(&Invocation {
            configured_files: true,
            ..Invocation::default()
        }));
        for own in ["-r", "--regex=x"] {
            assert!(!passes(&Invocation {
                extra: &[own.to_owned()],
                ..Invocation::default()
            }));
        }
    }
}
