//! The readers of linters' and type checkers' output, on what the real tools print.

mod bandit;
mod basedpyright;
mod black;
mod codespell;
mod flake8;
mod isort;
mod mypy;
mod positions;
mod pylint;
mod pyrefly;
mod pyright;
mod rdjson;
mod ruff;
mod ruff_format;
mod sarif;
mod shellcheck;
mod ty;
mod typos;
mod vulture;
mod yamllint;
mod zizmor;

use std::io::BufRead;
use std::path::{Path, PathBuf};

use lockgate::linters::position::{SourceLines, locate, locate_exactly};
use lockgate::linters::{ExitStatus, Invocation, Judgement, Tool, ToolRun};
use lockgate::model::diagnostic::{RawFinding, Severity};
use lockgate::model::region::{ColumnUnit, Region};

/// A recorded run; see `tests/fixtures/make.sh`.
struct Case {
    tool: Tool,
    name: String,
    command: String,
    stdout: Vec<u8>,
    stderr: String,
    status: ExitStatus,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
    Clean,
    Findings(u64),
    /// The first line of the reason contains this.
    Empty,
    Failed(&'static str),
}
use Expected::{Clean, Empty, Failed, Findings};

/// What each recorded run of a tool means, and the exit codes that can be a verdict.
fn expected(tool: Tool) -> (&'static [(&'static str, Expected)], &'static [i32]) {
    match tool {
        Tool::Ruff => (ruff::EXPECTED, ruff::CODES),
        Tool::RuffFormat => (ruff_format::EXPECTED, ruff_format::CODES),
        Tool::Black => (black::EXPECTED, black::CODES),
        Tool::Isort => (isort::EXPECTED, isort::CODES),
        Tool::Flake8 => (flake8::EXPECTED, flake8::CODES),
        Tool::Pylint => (pylint::EXPECTED, pylint::CODES),
        Tool::Bandit => (bandit::EXPECTED, bandit::CODES),
        Tool::Vulture => (vulture::EXPECTED, vulture::CODES),
        Tool::Mypy => (mypy::EXPECTED, mypy::CODES),
        Tool::Pyright => (pyright::EXPECTED, pyright::CODES),
        Tool::Basedpyright => (basedpyright::EXPECTED, basedpyright::CODES),
        Tool::Ty => (ty::EXPECTED, ty::CODES),
        Tool::Pyrefly => (pyrefly::EXPECTED, pyrefly::CODES),
        Tool::Codespell => (codespell::EXPECTED, codespell::CODES),
        Tool::Typos => (typos::EXPECTED, typos::CODES),
        Tool::Shellcheck => (shellcheck::EXPECTED, shellcheck::CODES),
        Tool::Yamllint => (yamllint::EXPECTED, yamllint::CODES),
        Tool::Zizmor => (zizmor::EXPECTED, zizmor::CODES),
    }
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let recorded = |tool: &Tool| fixtures().join(tool.name()).exists();
    for tool in Tool::ALL.into_iter().filter(recorded) {
        for version in folders(&fixtures().join(tool.name())) {
            for folder in folders(&version) {
                let text = |name: &str| {
                    std::fs::read_to_string(folder.join(name)).expect("a complete fixture")
                };
                let exit = text("exit");
                let status = match exit.trim().split_once(' ') {
                    None => ExitStatus::Code(exit.trim().parse().expect("an exit code")),
                    Some((_, signal)) => ExitStatus::Signal(signal.parse().expect("a signal")),
                };
                cases.push(Case {
                    tool,
                    name: folder
                        .file_name()
                        .expect("a name")
                        .to_string_lossy()
                        .into_owned(),
                    command: text("command"),
                    stdout: std::fs::read(folder.join("stdout")).expect("a complete fixture"),
                    stderr: text("stderr"),
                    status,
                });
            }
        }
    }
    cases
}

fn folders(path: &Path) -> Vec<PathBuf> {
    let entries =
        std::fs::read_dir(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut folders: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    folders.sort();
    folders
}

fn case(tool: Tool, name: &str) -> Case {
    let found = cases()
        .into_iter()
        .find(|case| case.tool == tool && case.name == name);
    found.unwrap_or_else(|| panic!("no fixture {tool:?} {name}"))
}

impl Case {
    fn judge(&self, stdout: impl BufRead) -> (Judgement, Vec<RawFinding>) {
        let run = ToolRun {
            status: self.status,
            stderr: &self.stderr,
        };
        let mut findings = Vec::new();
        let judgement = if self.name.starts_with("probe") {
            self.tool.judge_probe(&run, stdout)
        } else {
            self.tool
                .judge(&run, stdout, &mut |finding| findings.push(finding))
        };
        (judgement, findings)
    }

    fn findings(&self) -> Vec<RawFinding> {
        self.judge(&self.stdout[..]).1
    }
}

/// The run of the case `findings` was made with our environment and arguments.
fn made_with_our_arguments(tool: Tool, paths: &[&str]) {
    let paths: Vec<String> = paths.iter().map(|&path| path.to_owned()).collect();
    let mut words = Vec::new();
    for (name, value) in tool.environment() {
        words.extend(["env".to_owned(), format!("{name}={value}")]);
    }
    words.push(tool.executable().to_owned());
    words.extend(tool.arguments(&Invocation {
        paths: &paths,
        ..Invocation::default()
    }));
    let command = format!("{}\n", words.join(" "));
    assert_eq!(case(tool, "findings").command, command);
}

fn is(judgement: &Judgement, expected: Expected) -> bool {
    match (judgement, expected) {
        (Judgement::Clean { .. }, Clean) | (Judgement::Empty { .. }, Empty) => true,
        (Judgement::Findings { count, .. }, Findings(expected)) => *count == expected,
        (Judgement::Failed { reason }, Failed(text)) => reason
            .lines()
            .next()
            .is_some_and(|line| line.contains(text)),
        _ => false,
    }
}

#[test]
fn every_recorded_run_is_judged_right() {
    let cases = cases();
    let all: usize = Tool::ALL.iter().map(|tool| expected(*tool).0.len()).sum();
    assert_eq!(
        cases.len(),
        all,
        "each fixture has its line here and the other way round"
    );
    for case in &cases {
        let (judgement, findings) = case.judge(&case.stdout[..]);
        let expected = expected(case.tool)
            .0
            .iter()
            .find(|(name, _)| *name == case.name);
        let (_, expected) =
            expected.unwrap_or_else(|| panic!("{:?} {} is not expected", case.tool, case.name));
        assert!(
            is(&judgement, *expected),
            "{:?} {}: {judgement:?}",
            case.tool,
            case.name
        );
        if let Judgement::Findings { count, .. } = judgement {
            assert_eq!(count, findings.len() as u64);
        }
    }
}

#[test]
fn the_fixtures_were_made_with_our_arguments() {
    let written = |tool: Tool, environment: &[(&str, &str)], arguments: &[String]| {
        let mut words = Vec::new();
        for (name, value) in environment {
            words.extend(["env".to_owned(), format!("{name}={value}")]);
        }
        words.push(tool.executable().to_owned());
        words.extend_from_slice(arguments);
        format!("{}\n", words.join(" "))
    };
    for (tool, files) in [
        (Tool::Ruff, "bad.py"),
        (Tool::RuffFormat, "bad.py clean.py"),
        (Tool::Flake8, "bad.py"),
        (Tool::Pylint, "bad.py"),
        (Tool::Bandit, "bad.py"),
        (Tool::Vulture, "bad.py"),
        (Tool::Mypy, "bad.py"),
        (Tool::Pyright, "bad.py"),
        (Tool::Basedpyright, "bad.py"),
        (Tool::Ty, "bad.py"),
        (Tool::Pyrefly, "bad.py"),
        (Tool::Yamllint, "bad.yaml clean.yaml"),
        (Tool::Zizmor, "."),
    ] {
        let paths: Vec<String> = files.split(' ').map(str::to_owned).collect();
        let arguments = tool.arguments(&Invocation {
            paths: &paths,
            ..Invocation::default()
        });
        let command = written(tool, tool.environment(), &arguments);
        assert_eq!(case(tool, "findings").command, command);
    }
    for (tool, paths) in [
        (Tool::Ruff, vec![]),
        (Tool::Yamllint, vec![]),
        (Tool::RuffFormat, vec!["clean.py".to_owned()]),
        (Tool::Vulture, vec!["clean.py".to_owned()]),
    ] {
        let invocation = Invocation {
            paths: &paths,
            ..Invocation::default()
        };
        let arguments = tool.probe_arguments(&invocation).expect("each has a probe");
        let command = written(tool, tool.probe_environment(), &arguments);
        assert_eq!(case(tool, "probe").command, command);
    }
}

#[test]
fn a_run_that_was_killed_or_timed_out_is_never_green() {
    for case in cases() {
        for status in [
            ExitStatus::Signal(15),
            ExitStatus::Signal(9),
            ExitStatus::TimedOut,
        ] {
            let (judgement, _) = Case {
                status,
                ..case_again(&case)
            }
            .judge(&case.stdout[..]);
            assert!(
                matches!(judgement, Judgement::Failed { .. }),
                "{:?} {} {status:?}",
                case.tool,
                case.name
            );
        }
    }
}

#[test]
fn other_exit_codes_are_failures_whatever_was_printed() {
    for case in cases() {
        let codes = [
            -1, 2, 3, 4, 11, 32, 64, 65, 70, 101, 123, 126, 127, 137, 139,
        ];
        let verdicts = expected(case.tool).1;
        for code in codes.into_iter().filter(|code| !verdicts.contains(code)) {
            let status = ExitStatus::Code(code);
            let (judgement, _) = Case {
                status,
                ..case_again(&case)
            }
            .judge(&case.stdout[..]);
            assert!(
                matches!(
                    judgement,
                    Judgement::Failed { .. } | Judgement::Empty { .. }
                ),
                "{:?} {} {code}",
                case.tool,
                case.name
            );
        }
    }
}

#[test]
fn no_output_with_exit_code_1_is_a_failure() {
    for tool in Tool::ALL {
        let run = ToolRun {
            status: ExitStatus::Code(1),
            stderr: "",
        };
        let judgement = tool.judge(&run, &b""[..], &mut |_| {});
        assert!(
            matches!(judgement, Judgement::Failed { .. }),
            "{tool:?} {judgement:?}"
        );
    }
    for tool in [Tool::Mypy, Tool::Pyright] {
        let run = ToolRun {
            status: ExitStatus::Code(0),
            stderr: "",
        };
        let judgement = tool.judge(&run, &b""[..], &mut |_| {});
        assert!(
            matches!(judgement, Judgement::Failed { .. }),
            "{tool:?} {judgement:?}"
        );
    }
}

#[test]
fn output_that_is_cut_off_is_never_green() {
    for case in cases() {
        // What follows the last object or word is no loss: mypy's clean run is a line break, though.
        let is_document = matches!(
            case.tool,
            Tool::Pyright
                | Tool::Pylint
                | Tool::Basedpyright
                | Tool::Ty
                | Tool::Pyrefly
                | Tool::Zizmor
        );
        let whole = if is_document {
            case.stdout.trim_ascii_end().len()
        } else {
            case.stdout.len()
        };
        for length in 0..whole {
            let (judgement, _) = case.judge(&case.stdout[..length]);
            let green = matches!(judgement, Judgement::Clean { .. });
            // A cut between two lines of the probe still counts files that were checked. Where nothing printed is what
            // a clean run prints, the judgement has no count and the probe must follow.
            let counted = case.name == "probe" && case.stdout[..length].contains(&b'\n');
            let forced = length == 0 && judgement == (Judgement::Clean { files: None });
            let forced = forced && case.tool.probe_arguments(&Invocation::default()).is_some();
            assert!(
                !green || counted || forced,
                "{:?} {} cut at {length}: {judgement:?}",
                case.tool,
                case.name
            );
            if matches!(judgement, Judgement::Findings { .. }) {
                assert_eq!(
                    case.stdout[length - 1],
                    b'\n',
                    "{:?} {} cut at {length}",
                    case.tool,
                    case.name
                );
            }
        }
    }
}

#[test]
fn garbled_output_neither_panics_nor_turns_findings_green() {
    let mut random = Random(7);
    for case in cases() {
        if case.stdout.is_empty() {
            continue;
        }
        for _ in 0..200 {
            let mut stdout = case.stdout.clone();
            for _ in 0..=random.below(3) {
                let at = random.below(stdout.len());
                stdout[at] = u8::try_from(random.below(256)).expect("a byte");
            }
            let (judgement, _) = case.judge(&stdout[..]);
            let was_red = case.status != ExitStatus::Code(0);
            assert!(
                !(was_red && matches!(judgement, Judgement::Clean { .. })),
                "{:?} {}",
                case.tool,
                case.name
            );
        }
    }
}

#[test]
fn findings_carry_what_the_tool_said() {
    let ruff = &case(Tool::Ruff, "findings").findings()[0];
    assert_eq!(ruff.rule.as_deref(), Some("F401"));
    assert_eq!(ruff.path.as_deref(), Some("/w/bad.py"));
    assert_eq!(ruff.help.as_deref(), Some("Remove unused import: `os`"));
    assert_eq!(
        ruff.url.as_deref(),
        Some("https://docs.astral.sh/ruff/rules/unused-import")
    );
    assert_eq!(
        (
            ruff.region.line.map(u32::from),
            ruff.region.column,
            ruff.region.end_column
        ),
        (Some(1), Some(7), Some(9))
    );

    let format = &case(Tool::RuffFormat, "findings").findings()[0];
    assert_eq!(format.help.as_deref(), Some("run `ruff format`"));

    let mypy = &case(Tool::Mypy, "findings").findings()[0];
    assert_eq!(mypy.rule.as_deref(), Some("return-value"));
    assert_eq!(
        (mypy.region.column, mypy.region.unit),
        (Some(11), ColumnUnit::AsciiOnly)
    );
    assert_eq!(
        case(Tool::Mypy, "notes").findings()[0].severity,
        Severity::Note
    );
    let stopped = &case(Tool::Mypy, "syntax-error").findings()[0];
    assert_eq!(
        (stopped.severity, stopped.region.line.map(u32::from)),
        (Severity::Error, Some(1))
    );

    let pyright = &case(Tool::Pyright, "warnings").findings()[0];
    assert_eq!(pyright.severity, Severity::Warning);
    assert_eq!(
        (pyright.region.line.map(u32::from), pyright.region.unit),
        (Some(2), ColumnUnit::Utf16)
    );
    assert!(pyright.message.contains('\n'), "{}", pyright.message);
}

#[test]
fn a_finding_in_a_notebook_is_about_the_file() {
    for tool in [Tool::Ruff, Tool::RuffFormat] {
        let finding = &case(tool, "notebook").findings()[0];
        assert_eq!(finding.region, Region::FILE);
        assert!(
            finding.message.contains("(cell 2, line "),
            "{}",
            finding.message
        );
    }
}

#[test]
fn every_tool_finds_the_name_on_a_line_with_accents() {
    let line = "x = (\"éé😀é\", undefined_name)\n";
    let source = SourceLines::new(line.as_bytes());
    for tool in [Tool::Ruff, Tool::Pyright, Tool::Mypy] {
        let findings = case(tool, "non-ascii").findings();
        let (span, clamped) = locate(&findings[0].region, &source);
        let span = span.expect("the line exists");
        assert!(!clamped);
        let found = span
            .start
            .byte
            .zip(span.end.byte)
            .map(|(start, end)| &line[start as usize..end as usize]);
        // mypy's column is wrong on this line.
        assert_eq!(
            found,
            (tool != Tool::Mypy).then_some("undefined_name"),
            "{tool:?}"
        );
        assert_eq!(
            span.start.column,
            (tool != Tool::Mypy).then_some(14),
            "{tool:?}"
        );
    }
}

fn case_again(case: &Case) -> Case {
    Case {
        tool: case.tool,
        name: case.name.clone(),
        command: case.command.clone(),
        stdout: case.stdout.clone(),
        stderr: case.stderr.clone(),
        status: case.status,
    }
}

/// A small generator, so that a failing input can be had again.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or(0) % limit
    }
}

/// What a finding of this rule marks on the line with accents.
fn found_on_line_with_accents(tool: Tool, rule: &str) -> &'static str {
    let line = "x = (\"éé😀é\", undefined_name)\n";
    let findings = case(tool, "non-ascii").findings();
    let finding = findings
        .iter()
        .find(|finding| finding.rule.as_deref() == Some(rule));
    let region = finding.expect("the rule").region;
    let (span, clamped) = locate(&region, &SourceLines::new(line.as_bytes()));
    let span = span.expect("the line exists");
    assert!(!clamped);
    let (start, end) = span.start.byte.zip(span.end.byte).expect("both columns");
    &line[start as usize..end as usize]
}

/// Nothing printed is no verdict of a tool that prints a document.
fn red_without_output(tool: Tool) {
    for code in [0, 1] {
        let run = ToolRun {
            status: ExitStatus::Code(code),
            stderr: "",
        };
        for output in ["", "\n", "null", "{}"] {
            let judgement = tool.judge(&run, output.as_bytes(), &mut |_| {});
            assert!(
                matches!(judgement, Judgement::Failed { .. }),
                "{tool:?} {code} {output:?}: {judgement:?}"
            );
        }
    }
}
