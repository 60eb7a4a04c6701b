//! SARIF reports, of real tools and odd ones.

use std::io::{BufReader, Cursor};

use lockgate::linters::position::{SourceLines, locate};
use lockgate::linters::{Judgement, sarif};
use lockgate::model::diagnostic::{RawFinding, Severity};
use lockgate::model::region::ColumnUnit;

use super::{Random, fixtures, folders};

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
