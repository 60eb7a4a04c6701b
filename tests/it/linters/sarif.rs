//! SARIF reports, of real tools and odd ones.

use std::io::{BufReader, Cursor};

use lockgate::linters::position::{SourceLines, locate, locate_fix};
use lockgate::linters::{Judgement, sarif};
use lockgate::model::diagnostic::{RawFinding, Severity};
use lockgate::model::fix::Applicability;
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
fn rules_and_components_are_known_by_guid() {
    let read = odd("guids");
    let urls: Vec<_> = read
        .1
        .iter()
        .map(|(_, finding)| {
            finding
                .url
                .as_deref()
                .and_then(|url| url.rsplit('/').next())
        })
        .collect();
    assert_eq!(
        urls,
        [
            Some("D1"),
            Some("second"),
            Some("second"),
            Some("second"),
            Some("first"),
            Some("D1"),
            None,
            Some("D1"),
        ]
    );
}

#[test]
fn an_invocation_may_override_levels() {
    let read = odd("overrides");
    let levels: Vec<_> = read
        .1
        .iter()
        .map(|(_, finding)| (finding.message.as_str(), finding.severity))
        .collect();
    assert_eq!(
        levels,
        [
            ("no invocation", Severity::Note),
            ("overridden", Severity::Error),
            ("own level", Severity::Warning),
            ("other invocation", Severity::Note),
            ("invocation behind the end", Severity::Warning),
        ]
    );
    assert_eq!(run(&read).not_failing, 1);
    let only = odd("override-of-the-only-invocation");
    assert_eq!(only.1[0].1.severity, Severity::Error);
}

#[test]
fn markdown_stands_in_for_text() {
    assert_eq!(
        messages(&odd("markdown-messages")),
        [
            "**x**",
            "plain",
            "of the driver",
            "of the extension",
            "*full*"
        ]
    );
}

#[test]
fn offsets_are_places() {
    // In bytes: é 1-2, 😀 3-6 with the quote before, then the line break and the name.
    for mark in ["", "\u{feff}"] {
        let text = format!("{mark}é😀\r\nname = 1\r\n");
        let source = SourceLines::new(text.as_bytes());
        for name in ["offsets-utf16", "offsets-code-points"] {
            let read = odd(name);
            let found: Vec<_> = read
                .1
                .iter()
                .map(|(_, finding)| {
                    assert_eq!(
                        finding.region.line.is_some(),
                        finding.message == "lines come first"
                    );
                    let (span, clamped) = locate(&finding.region, &source);
                    let ends = span.map(|span| {
                        let at = |point: lockgate::model::region::Point| (point.line, point.column);
                        (at(span.start), at(span.end))
                    });
                    (finding.message.as_str(), ends, clamped)
                })
                .collect();
            let span = |from, to| Some(((from, Some(1)), to));
            assert_eq!(found[0].1, span(2, (2, Some(5))), "{name} {mark:?}");
            assert_eq!(found[2].1, span(1, (1, Some(1))));
            assert_eq!(found[3].1, span(1, (1, Some(3))), "ends with its line");
            assert_eq!((found[4].1, found[4].2), (None, true));
            assert_eq!((found[5].1, found[5].2), (None, false));
            assert_eq!(found[6].1, Some(((2, None), (2, None))));
        }
    }
    // `byteOffset` counts a byte order mark.
    let read = odd("offsets-utf16");
    for (mark, expected) in [("", "ame "), ("\u{feff}", "\nna")] {
        let text = format!("{mark}é😀\r\nname = 1\r\n");
        assert_eq!(
            &text.as_bytes()[9..13],
            expected.as_bytes().get(..4).unwrap_or(b"\r\nna")
        );
        let source = SourceLines::new(text.as_bytes());
        let (span, _) = locate(&read.1[1].1.region, &source);
        let span = span.expect("inside of the file");
        let ends = (
            span.start.line,
            span.start.column,
            span.end.line,
            span.end.column,
        );
        let wanted = if mark.is_empty() {
            (2, Some(2), 2, Some(6))
        } else {
            (1, Some(3), 2, Some(3))
        };
        assert_eq!(ends, wanted);
    }
}

#[test]
fn fixes_are_edits_of_the_finding_s_own_file() {
    let read = odd("fixes");
    let source = SourceLines::new("ab\ncdé\nf\n".as_bytes());
    let mended: Vec<_> = read
        .1
        .iter()
        .map(|(_, finding)| {
            let edits = finding.fix.clone().map(|fix| {
                assert_eq!(fix.applicability, Applicability::Unsafe);
                let fix = locate_fix(fix, &source).expect("it fits the file");
                let ends = |edit: &lockgate::model::fix::Edit<lockgate::model::region::Span>| {
                    let (start, end) = (edit.place.start, edit.place.end);
                    format!(
                        "{}:{}-{}:{} {:?}",
                        start.line,
                        start.byte.expect("exact"),
                        end.line,
                        end.byte.expect("exact"),
                        edit.text
                    )
                };
                fix.edits.iter().map(ends).collect::<Vec<_>>().join(", ")
            });
            (finding.message.as_str(), edits, finding.help.as_deref())
        })
        .collect();
    let edit = |text: &str| Some(text.to_owned());
    assert_eq!(
        mended,
        [
            (
                "two edits",
                edit("1:0-1:2 \"x\", 2:0-3:0 \"\""),
                Some("do it")
            ),
            ("whole line", edit("2:0-2:4 \"x\""), None),
            ("offsets", edit("2:0-2:2 \"x\""), None),
            ("another file", None, Some("rename")),
            ("second alternative", edit("2:0-2:4 \"y\""), Some("first")),
            ("other spelling", edit("2:0-2:4 \"x\""), None),
            ("by index", edit("2:0-2:4 \"x\""), None),
            ("binary", None, None),
            ("no region", None, None),
            ("no edit", None, None),
            ("no file", None, None),
        ]
    );
}

#[test]
fn a_result_without_a_place_is_about_the_file_that_was_analysed() {
    let paths: Vec<_> = odd("analysis-target")
        .1
        .into_iter()
        .map(|(_, finding)| (finding.path, finding.region.line.map(u32::from)))
        .collect();
    let path = |path: &str, line| (Some(path.to_owned()), line);
    assert_eq!(
        paths,
        [
            path("t.py", None),
            path("t.py", None),
            path("a.py", Some(3))
        ]
    );
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
        (
            "external-results",
            "results of the run stand in other files",
        ),
        ("notification-of-exception", "index out of range"),
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
        (
            "xml",
            "1:1: the report is XML, which is not read: let the tool write a SARIF 2.1.0 object",
        ),
        (
            "xml-entities",
            "2:1: the report is XML, which is not read: let the tool write a SARIF 2.1.0 object",
        ),
        (
            "inline-external",
            "14:3: expected no `inlineExternalProperties`, whose results are not read",
        ),
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
    for name in ["no-inline-external", "external-artifacts"] {
        let read = odd(name);
        assert_eq!(run(&read).failures, Vec::<String>::new(), "{name}");
    }
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
