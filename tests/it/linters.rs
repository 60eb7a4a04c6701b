//! The readers of linters' and type checkers' output, on what the real tools print.

use std::io::{BufRead, BufReader, Cursor};
use std::path::{Path, PathBuf};

use lockgate::linters::position::{SourceLines, locate};
use lockgate::linters::{ExitStatus, Invocation, Judgement, Tool, ToolRun, sarif};
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

const EXPECTED: &[(Tool, &str, Expected)] = &[
    (Tool::Ruff, "bad-configuration", Failed("exit code 2")),
    (Tool::Ruff, "bad-option", Failed("exit code 2")),
    (Tool::Ruff, "clean", Clean),
    (Tool::Ruff, "configured-to-fix", Findings(2)),
    (
        Tool::Ruff,
        "exit-zero",
        Failed("exit code 0 in spite of 2 findings"),
    ),
    (Tool::Ruff, "findings", Findings(2)),
    (Tool::Ruff, "killed", Failed("killed by signal 9 (SIGKILL")),
    (
        Tool::Ruff,
        "missing-file",
        Failed("could not check `/w/missing.py:1:1`: No such file"),
    ),
    (
        Tool::Ruff,
        "missing-file-not-selected",
        Failed("could not check `/w/missing.py:1:1`: No such file"),
    ),
    (
        Tool::Ruff,
        "missing-file-without-e902",
        Failed("could not check a file"),
    ),
    (Tool::Ruff, "no-files", Empty),
    (Tool::Ruff, "non-ascii", Findings(1)),
    (Tool::Ruff, "notebook", Findings(2)),
    // Only the probe can tell.
    (Tool::Ruff, "only-pyproject", Clean),
    (Tool::Ruff, "probe", Clean),
    (Tool::Ruff, "probe-no-files", Empty),
    (Tool::Ruff, "probe-only-pyproject", Empty),
    (
        Tool::Ruff,
        "silent",
        Failed("exit code 1 without a finding"),
    ),
    (Tool::Ruff, "syntax-error", Findings(2)),
    (Tool::Ruff, "undecodable-file", Findings(1)),
    (Tool::RuffFormat, "all-excluded", Clean),
    (Tool::RuffFormat, "bad-option", Failed("exit code 2")),
    (Tool::RuffFormat, "clean", Clean),
    (Tool::RuffFormat, "findings", Findings(1)),
    (Tool::RuffFormat, "killed", Failed("killed by signal 9")),
    (
        Tool::RuffFormat,
        "missing-file",
        Failed("could not format `/w/missing.py`: No such file"),
    ),
    (Tool::RuffFormat, "no-files", Empty),
    (Tool::RuffFormat, "notebook", Findings(1)),
    (Tool::RuffFormat, "probe", Clean),
    (Tool::RuffFormat, "probe-all-excluded", Empty),
    (Tool::RuffFormat, "probe-no-files", Empty),
    (
        Tool::RuffFormat,
        "syntax-error",
        Failed("could not format `/w/broken.py:1:7`: Expected a parameter"),
    ),
    (Tool::RuffFormat, "text-clean", Clean),
    (Tool::RuffFormat, "text-findings", Findings(1)),
    (Tool::RuffFormat, "text-missing-file", Failed("exit code 2")),
    (Tool::RuffFormat, "text-no-files", Empty),
    (Tool::RuffFormat, "text-syntax-error", Failed("exit code 2")),
    (
        Tool::Mypy,
        "bad-configuration",
        Failed("could not read its configuration"),
    ),
    (Tool::Mypy, "bad-option", Failed("exit code 2")),
    (Tool::Mypy, "bad-plugin", Failed("exit code 2")),
    (
        Tool::Mypy,
        "bad-value",
        Failed("could not read its configuration"),
    ),
    (Tool::Mypy, "clean", Clean),
    (Tool::Mypy, "configured-otherwise", Findings(3)),
    (Tool::Mypy, "findings", Findings(3)),
    (Tool::Mypy, "killed", Failed("killed by signal 9")),
    (Tool::Mypy, "missing-file", Failed("exit code 2")),
    (Tool::Mypy, "no-files", Empty),
    (Tool::Mypy, "no-files-named", Failed("exit code 2")),
    (Tool::Mypy, "non-ascii", Findings(1)),
    (Tool::Mypy, "notes", Findings(1)),
    (
        Tool::Mypy,
        "syntax-error",
        Failed("stopped at a syntax error and checked nothing else, `/w/broken.py:1`"),
    ),
    (Tool::Pyright, "all-excluded", Empty),
    (Tool::Pyright, "bad-configuration", Failed("exit code 3")),
    (Tool::Pyright, "bad-option", Failed("exit code 4")),
    (Tool::Pyright, "clean", Clean),
    (Tool::Pyright, "findings", Findings(3)),
    (Tool::Pyright, "killed", Failed("killed by signal 9")),
    (Tool::Pyright, "missing-file", Failed("exit code 4")),
    (
        Tool::Pyright,
        "missing-include",
        Failed("a path of its configuration does not exist"),
    ),
    (Tool::Pyright, "no-files", Empty),
    (
        Tool::Pyright,
        "no-node",
        Failed("unreadable output (exit code 1)"),
    ),
    (Tool::Pyright, "non-ascii", Findings(1)),
    (Tool::Pyright, "syntax-error", Findings(7)),
    (Tool::Pyright, "warnings", Findings(1)),
    (Tool::Pyright, "warnings-fail", Findings(1)),
];

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for tool in Tool::ALL {
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
    assert_eq!(
        cases.len(),
        EXPECTED.len(),
        "each fixture has its line here and the other way round"
    );
    for case in &cases {
        let (judgement, findings) = case.judge(&case.stdout[..]);
        let expected = EXPECTED
            .iter()
            .find(|(tool, name, _)| *tool == case.tool && *name == case.name);
        let (_, _, expected) =
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
        (Tool::Mypy, "bad.py"),
        (Tool::Pyright, "bad.py"),
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
        (Tool::RuffFormat, vec!["clean.py".to_owned()]),
    ] {
        let invocation = Invocation {
            paths: &paths,
            ..Invocation::default()
        };
        let arguments = tool
            .probe_arguments(&invocation)
            .expect("both have a probe");
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
        for code in [-1, 2, 3, 4, 70, 101, 126, 127, 137, 139] {
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
        let whole = if case.tool == Tool::Pyright {
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

type Read = (Result<sarif::Summary, String>, Vec<(String, RawFinding)>);

fn read_sarif(bytes: &[u8], buffer: usize, limits: sarif::Limits) -> Read {
    let mut findings = Vec::new();
    let input = BufReader::with_capacity(buffer, Cursor::new(bytes));
    let read = sarif::read_with(input, limits, &mut |tool, finding| {
        findings.push((tool.to_owned(), finding));
    });
    (read.map_err(|error| error.to_string()), findings)
}

fn report(name: &str) -> Vec<u8> {
    let path = fixtures().join("sarif").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn odd(name: &str) -> Read {
    read_sarif(
        &report(&format!("odd/{name}.sarif")),
        8192,
        sarif::Limits::default(),
    )
}

fn messages(read: &Read) -> Vec<String> {
    read.1
        .iter()
        .map(|(_, finding)| finding.message.clone())
        .collect()
}

fn run(read: &Read) -> &sarif::RunSummary {
    &read.0.as_ref().expect("a readable report").runs[0]
}

#[test]
fn reports_of_real_tools_are_read() {
    let ruff = read_sarif(
        &report("ruff-0.17.6/stdout"),
        8192,
        sarif::Limits::default(),
    );
    assert_eq!(
        (
            run(&ruff).tool.as_str(),
            run(&ruff).version.as_deref(),
            run(&ruff).findings
        ),
        ("ruff", Some("0.17.6"), 6)
    );
    let first = &ruff.1[0].1;
    assert_eq!(
        (first.rule.as_deref(), first.path.as_deref()),
        (Some("F401"), Some("/w/bad.py"))
    );
    assert_eq!(
        first.url.as_deref(),
        Some("https://docs.astral.sh/ruff/rules/unused-import")
    );
    assert!(
        ruff.1
            .iter()
            .filter(|(_, finding)| finding.path.as_deref() == Some("/w/book.ipynb"))
            .all(|(_, finding)| finding.region.line.is_none())
    );

    let zizmor = read_sarif(
        &report("zizmor-1.32.0/stdout"),
        8192,
        sarif::Limits::default(),
    );
    assert_eq!(run(&zizmor).tool, "zizmor");
    assert_eq!(
        zizmor.1[0].1.path.as_deref(),
        Some(".github/workflows/a.yml")
    );
    let summary = zizmor.0.as_ref().expect("a readable report");
    assert!(
        matches!(
            sarif::judge_report(Some(0), summary),
            Judgement::Findings { .. }
        ),
        "zizmor exits with 0"
    );
}

#[test]
fn levels_come_from_the_result_the_rule_or_the_standard() {
    let read = odd("absent-level");
    let levels: Vec<_> = read
        .1
        .iter()
        .map(|(_, finding)| (finding.message.as_str(), finding.severity))
        .collect();
    assert_eq!(
        levels,
        [
            ("default error", Severity::Error),
            ("default note", Severity::Note),
            ("no default", Severity::Warning),
            ("own level", Severity::Note)
        ]
    );
    assert_eq!(run(&read).not_failing, 2);
    assert_eq!(read.1[0].1.url.as_deref(), Some("https://rules.example/E"));
}

#[test]
fn what_is_no_open_problem_is_counted_only() {
    let kinds = odd("kinds");
    assert_eq!(
        (messages(&kinds), run(&kinds).not_failing),
        (vec!["fail".to_owned()], 5)
    );
    let suppressions = odd("suppressions");
    assert_eq!(
        messages(&suppressions),
        [
            "rejected",
            "under review",
            "no suppression",
            "null suppression"
        ]
    );
    assert_eq!(run(&suppressions).suppressed, 2);
    let states = odd("baseline-states");
    assert_eq!(
        (messages(&states).join(" "), run(&states).unchanged),
        ("new updated".to_owned(), 2)
    );
}

#[test]
fn rules_are_found_wherever_they_stand() {
    let read = odd("rule-in-extension");
    let rules: Vec<_> = read
        .1
        .iter()
        .map(|(_, finding)| (finding.rule.as_deref(), finding.url.as_deref()))
        .collect();
    let (plugin, driver) = (
        Some("https://rules.example/EXT1"),
        Some("https://rules.example/D1"),
    );
    assert_eq!(
        rules,
        [
            (Some("EXT1"), plugin),
            (Some("EXT1"), plugin),
            (Some("EXT1"), plugin),
            (Some("D1"), driver),
            (Some("D1"), driver),
            (Some("D1"), driver),
            (Some("D1/sub/part"), driver)
        ]
    );
}

#[test]
fn messages_are_looked_up_and_filled_in() {
    assert_eq!(
        messages(&odd("message-ids")),
        [
            "`x` is used 2 times",
            "shared é",
            "what M checks",
            "text of {braces} {7}",
            "{0} stays",
            "**only** Markdown",
            "no message"
        ]
    );
}

#[test]
fn places_are_paths() {
    let read = odd("uri-bases");
    let paths: Vec<_> = read
        .1
        .iter()
        .map(|(_, finding)| finding.path.as_deref())
        .collect();
    let expected = [
        Some("/w/src/a b.py"),
        Some("c.py"),
        Some("/v/d.py"),
        None,
        Some("/w/one.py"),
        None,
        Some("g.py"),
    ];
    assert_eq!(paths, expected);
    assert_eq!(
        read.1[3].1.message,
        "elsewhere (in https://host.example/e.py)"
    );
}

#[test]
fn regions_are_shifted_to_ours() {
    let read = odd("regions");
    let region = |message: &str| {
        let (_, finding) = read
            .1
            .iter()
            .find(|(_, finding)| finding.message == message)
            .expect("a finding");
        let region = finding.region;
        (
            region.line.map(u32::from),
            region.column,
            region.end_line.map(u32::from),
            region.end_column,
        )
    };
    assert_eq!(region("no region"), (None, None, None, None));
    assert_eq!(region("line zero").0, None);
    assert_eq!(region("line only"), (Some(4), None, None, None));
    assert_eq!(region("end only"), (Some(4), Some(0), Some(4), Some(2)));
    assert_eq!(region("negative").0, None);
    assert_eq!(region("huge").0, Some(u32::MAX));
    assert_eq!(region("offsets").0, None);
    assert_eq!(region("all"), (Some(2), Some(2), Some(4), Some(4)));
    let source = SourceLines::new(b"one\n");
    for (_, finding) in &read.1 {
        locate(&finding.region, &source);
    }
}

#[test]
fn each_run_has_its_own_columns_and_name() {
    let read = odd("column-kinds");
    let units: Vec<_> = read
        .1
        .iter()
        .map(|(tool, finding)| (tool.as_str(), finding.region.unit))
        .collect();
    assert_eq!(
        units,
        [
            ("odd", ColumnUnit::Utf16),
            ("second", ColumnUnit::CodePoint),
            ("odd", ColumnUnit::CodePoint)
        ]
    );
    assert_eq!(
        read.0.expect("a readable report").runs[1]
            .version
            .as_deref(),
        Some("1.2.3")
    );
}

#[test]
fn a_tool_that_says_it_failed_has_failed() {
    for (name, failure) in [
        ("failed-invocation", "its run was not successful: SIGSEGV"),
        ("notification-of-error", "could not parse a.py"),
        ("null-results", "the run has no `results`"),
        ("no-results", "the run has no `results`"),
        ("ruff-e902", "`/w/gone.py`: No such file"),
    ] {
        let read = odd(name);
        assert!(
            run(&read).failures[0].contains(failure),
            "{name}: {:?}",
            run(&read)
        );
        let judgement = sarif::judge_report(Some(0), read.0.as_ref().expect("a readable report"));
        assert!(matches!(judgement, Judgement::Failed { .. }), "{name}");
    }
}

#[test]
fn reports_that_cannot_be_read_say_where_and_why() {
    for (name, expected) in [
        (
            "empty",
            "1:1: the report is empty, expected a SARIF 2.1.0 object",
        ),
        (
            "blank",
            "3:1: the report is empty, expected a SARIF 2.1.0 object",
        ),
        ("not-json", "1:1: expected a SARIF object"),
        ("array", "1:1: expected a SARIF object"),
        ("not-sarif", "1:1: `version` is missing, expected `2.1.0`"),
        ("no-version", "1:1: `version` is missing, expected `2.1.0`"),
        (
            "wrong-version",
            "2:13: SARIF version `2.0.0` is not known, expected `2.1.0`",
        ),
        (
            "no-runs",
            "1:1: the report has no run, expected at least one in `runs`",
        ),
        (
            "null-runs",
            "1:1: the report has no run, expected at least one in `runs`",
        ),
        ("no-tool", "1:31: expected a run with `tool`"),
        ("results-object", "1:80: expected an array of results"),
        (
            "duplicate-results",
            "1:95: `results` stands twice in one object",
        ),
        ("trailing-text", "2:1: expected the end of the report"),
        ("two-documents", "1:111: expected the end of the report"),
        ("utf16", "1:1: the report is UTF-16, expected UTF-8"),
        ("nul-byte", "1:22: expected the name of a member"),
        (
            "bad-result",
            "5:24: expected well-formed SARIF: invalid type: integer `7`, expected a string",
        ),
        (
            "invalid-utf8",
            "1:103: expected well-formed SARIF: invalid unicode code point",
        ),
    ] {
        let (read, _) = odd(name);
        assert_eq!(read.map(|_| ()), Err(expected.to_owned()), "{name}");
    }
}

#[test]
fn odd_spellings_are_read() {
    assert_eq!(messages(&odd("byte-order-mark")), ["é"]);
    assert_eq!(messages(&odd("escaped-names")), ["\"\\ é 😀"]);
    assert_eq!(
        messages(&odd("invalid-utf8-elsewhere")),
        ["é"],
        "what is skipped is not decoded"
    );
}

#[test]
fn the_sizes_of_buffers_do_not_show() {
    for name in [
        "ruff-0.17.6/stdout",
        "zizmor-1.32.0/stdout",
        "odd/escaped-names.sarif",
        "odd/column-kinds.sarif",
    ] {
        let bytes = report(name);
        let whole = read_sarif(&bytes, 1 << 20, sarif::Limits::default());
        assert!(whole.0.is_ok() && !whole.1.is_empty(), "{name}");
        for size in [1, 2, 3, 5, 7, 64, 100, 1000, 4096] {
            let limits = sarif::Limits {
                window: size,
                ..sarif::Limits::default()
            };
            assert_eq!(read_sarif(&bytes, size, limits), whole, "{name} {size}");
        }
    }
}

#[test]
fn streaming_finds_what_a_whole_parse_finds() {
    for name in ["ruff-0.17.6/stdout", "zizmor-1.32.0/stdout"] {
        let bytes = report(name);
        let whole: serde_json::Value = serde_json::from_slice(&bytes).expect("a real report");
        let results = whole["runs"][0]["results"].as_array().expect("results");
        let streamed = read_sarif(&bytes, 64, sarif::Limits::default()).1;
        assert_eq!(results.len(), streamed.len(), "{name}");
        for (result, (_, finding)) in results.iter().zip(&streamed) {
            assert_eq!(result["ruleId"].as_str(), finding.rule.as_deref());
            assert_eq!(
                result["message"]["text"].as_str(),
                Some(finding.message.as_str())
            );
            assert_eq!(result["level"].as_str(), Some(finding.severity.name()));
        }
    }
}

#[test]
fn a_report_that_is_cut_off_is_an_error() {
    for name in [
        "ruff-0.17.6/stdout",
        "zizmor-1.32.0/stdout",
        "odd/column-kinds.sarif",
        "odd/message-ids.sarif",
    ] {
        let bytes = report(name);
        let whole = bytes.trim_ascii_end();
        let step = whole.len() / 700 + 1;
        for length in (0..whole.len())
            .step_by(step)
            .chain(whole.len().saturating_sub(200)..whole.len())
        {
            let (read, _) = read_sarif(&whole[..length], 512, sarif::Limits::default());
            assert!(read.is_err(), "{name} cut at {length}");
        }
    }
}

#[test]
fn garbled_reports_do_not_panic() {
    let mut random = Random(11);
    for folder in [fixtures().join("sarif/odd")] {
        for path in folders(&folder) {
            let bytes = std::fs::read(&path).expect("a fixture");
            for _ in 0..100 {
                let mut bytes = bytes.clone();
                for _ in 0..=random.below(4) {
                    if !bytes.is_empty() {
                        let at = random.below(bytes.len());
                        bytes[at] = b"\"\\{}[],:0-\x00\xffn "[random.below(14)];
                    }
                }
                let _ = read_sarif(
                    &bytes,
                    16,
                    sarif::Limits {
                        window: 16,
                        ..sarif::Limits::default()
                    },
                );
            }
        }
    }
}

#[test]
fn nesting_and_size_have_limits() {
    let deep = |depth: usize| {
        let nested = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        format!(
            r#"{{"version": "2.1.0", "properties": {nested}, "runs": [{{"tool": {{"driver": {{"name": "x"}}}}, "results": [{{"message": {{"text": "m"}}, "properties": {nested}}}]}}]}}"#
        )
    };
    assert!(
        read_sarif(deep(100).as_bytes(), 64, sarif::Limits::default())
            .0
            .is_ok()
    );
    let (read, _) = read_sarif(deep(100_000).as_bytes(), 64, sarif::Limits::default());
    assert!(read.expect_err("too deep").contains("128 deep"));

    let runs = vec!["{}"; 1_001].join(",");
    let many = format!(r#"{{"version": "2.1.0", "runs": [{runs}]}}"#);
    let (read, _) = read_sarif(many.as_bytes(), 64, sarif::Limits::default());
    assert!(read.expect_err("too many").contains("at most 1000 runs"));

    let long = format!(
        r#"{{"version": "2.1.0", "runs": [{{"tool": {{"driver": {{"name": "x"}}}}, "results": [{{"message": {{"text": "{}"}}}}]}}]}}"#,
        "x".repeat(5000)
    );
    let limits = sarif::Limits {
        window: 64,
        part: 1000,
    };
    let (read, _) = read_sarif(long.as_bytes(), 64, limits);
    assert_eq!(
        read,
        Err("1:79: a result is longer than 1000 bytes".to_owned())
    );
}
