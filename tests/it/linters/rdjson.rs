//! Reports in reviewdog's format, of ruff and odd ones.

use std::io::{BufReader, Cursor};

use lockgate::linters::json_stream::Limits;
use lockgate::linters::position::{SourceLines, locate, locate_fix};
use lockgate::linters::{Judgement, rdjson, sarif};
use lockgate::model::diagnostic::{RawFinding, Severity};
use lockgate::model::fix::Fix;
use lockgate::model::region::{ColumnUnit, Region, Span};

use super::fixtures;

type Read = (Result<rdjson::Summary, String>, Vec<(String, RawFinding)>);

fn read_with(bytes: &[u8], is_document: bool, size: usize) -> Read {
    let limits = Limits {
        window: size,
        ..Limits::default()
    };
    let mut findings = Vec::new();
    let mut sink = |tool: &str, finding| findings.push((tool.to_owned(), finding));
    let input = BufReader::with_capacity(size, Cursor::new(bytes));
    let read = if is_document {
        rdjson::read_document(input, "stem", limits, &mut sink)
    } else {
        rdjson::read_lines(input, "stem", limits, &mut sink)
    };
    (read.map_err(|error| error.to_string()), findings)
}

fn document(text: &str) -> Read {
    read_with(text.as_bytes(), true, 8192)
}

fn lines(text: &str) -> Read {
    read_with(text.as_bytes(), false, 8192)
}

fn fixture(name: &str) -> Vec<u8> {
    let path = fixtures().join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The file, with the edits of a fix.
fn mended(source: &[u8], fix: &Fix<Span>) -> Vec<u8> {
    let lines = SourceLines::new(source);
    let offset = |point: lockgate::model::region::Point| {
        let start = lines.offset(point.line).unwrap_or(source.len());
        start + point.byte.expect("an edit has columns") as usize
    };
    let (mut text, mut done) = (Vec::new(), 0);
    for edit in &fix.edits {
        text.extend_from_slice(&source[done..offset(edit.place.start)]);
        text.extend_from_slice(edit.text.as_bytes());
        done = offset(edit.place.end);
    }
    text.extend_from_slice(&source[done..]);
    text
}

#[test]
fn reports_of_ruff_say_the_same_in_both_formats() {
    let document = read_with(&fixture("rdjson/ruff-0.17.6/stdout"), true, 8192);
    let sarif_bytes = fixture("sarif/ruff-0.17.6/stdout");
    let mut of_sarif = Vec::new();
    let read = sarif::read(Cursor::new(&sarif_bytes), &mut |_, finding| {
        of_sarif.push(finding);
    });
    read.expect("a readable report");
    let summary = document.0.as_ref().expect("a readable report");
    assert_eq!(summary.findings, of_sarif.len() as u64);
    assert!(summary.tools.iter().eq(["ruff"]));
    for ((tool, finding), other) in document.1.iter().zip(&of_sarif) {
        assert_eq!(tool, "ruff");
        assert_eq!(
            (
                &finding.rule,
                &finding.message,
                &finding.path,
                finding.region
            ),
            (&other.rule, &other.message, &other.path, other.region)
        );
        let edits = |finding: &RawFinding| finding.fix.as_ref().map(|fix| fix.edits.clone());
        assert_eq!(edits(finding), edits(other));
        // What ruff calls an error everywhere else is a warning in its rdjson.
        assert_eq!(finding.severity, Severity::Warning);
    }
    assert!(
        document.1.iter().any(|(_, finding)| finding.fix.is_some()),
        "the sample has a fix"
    );
    assert_eq!(document.1[0].1.url, of_sarif[0].url);
}

#[test]
fn ruff_counts_code_points_whatever_the_format_says() {
    let (before, after) = (
        fixture("rdjson/ruff-fix-0.17.6/before"),
        fixture("rdjson/ruff-fix-0.17.6/after"),
    );
    let source = SourceLines::new(&before);
    let report = fixture("rdjson/ruff-fix-0.17.6/stdout");
    let finding = read_with(&report, true, 100).1.remove(0).1;
    assert_eq!(finding.region.unit, ColumnUnit::CodePoint);
    let (span, clamped) = locate(&finding.region, &source);
    let span = span.expect("the line exists");
    let ends = (
        span.start.byte.expect("a column"),
        span.end.byte.expect("a column"),
    );
    assert_eq!(&before[ends.0 as usize..ends.1 as usize], b"None");
    assert!(!clamped);
    let fix = locate_fix(finding.fix.expect("a fix"), &source).expect("it fits");
    assert_eq!(mended(&before, &fix), after, "as ruff itself mends it");

    let report = fixture("sarif/ruff-fix-0.17.6/stdout");
    let mut fixes = Vec::new();
    let read = sarif::read(Cursor::new(&report), &mut |_, finding| {
        fixes.extend(finding.fix);
    });
    read.expect("a readable report");
    let fix = locate_fix(fixes.remove(0), &source).expect("it fits");
    assert_eq!(mended(&before, &fix), after);
}

#[test]
fn a_clean_report_is_clean_and_a_missing_file_is_a_failure() {
    let clean = read_with(&fixture("rdjson/ruff-clean-0.17.6/stdout"), true, 10);
    let summary = clean.0.expect("a readable report");
    let judged = |exit| rdjson::judge_report(exit, &summary);
    assert_eq!(judged(Some(0)), Judgement::Clean { files: None });
    assert_eq!(judged(None), Judgement::Clean { files: None });
    for exit in [1, 2, 127, 137, -1] {
        assert!(
            matches!(judged(Some(exit)), Judgement::Failed { .. }),
            "{exit}"
        );
    }
    assert!(summary.tools.contains("ruff"));

    let missing = read_with(&fixture("rdjson/ruff-missing-0.17.6/stdout"), true, 10);
    let judgement = rdjson::judge_report(None, &missing.0.expect("a readable report"));
    let Judgement::Failed { reason } = judgement else {
        panic!("{judgement:?}")
    };
    assert_eq!(
        reason,
        "ruff: `/w/missing.py`: No such file or directory (os error 2)"
    );
}

#[test]
fn a_diagnostic_is_read_as_proto3_writes_it() {
    let read = lines(concat!(
        r#"{"message":"all","location":{"path":"a.py","range":{"start":{"line":"2","column":3.0},"end":{"line":2,"column":5}}},"severity":"ERROR","source":{"name":"x"},"code":{"value":"E1","url":"https://rules.example"},"originalOutput":"o","related_locations":[{"message":"m","location":{"path":"b.py"}}],"relatedLocations":null,"unknown":[{}]}"#,
        "\n",
        r#"{"message":"numbers","severity":3,"location":{"path":"a.py","range":{"start":{"line":1e1}}},"suggestions":null}"#,
        "\r\n",
        r#"{"message":"unknown","severity":0,"location":null,"code":{"value":""},"source":{"name":""}}"#,
        "\n\n",
        r#"{"message":"no such name","severity":"FATAL"}"#,
        "\n",
        r#"{"message":"","severity":"info"}"#,
    ));
    let summary = read.0.expect("a readable report");
    assert_eq!(summary.findings, 5);
    assert!(summary.tools.iter().eq(["stem", "x"]));
    let (tool, first) = &read.1[0];
    assert_eq!(
        (tool.as_str(), first.rule.as_deref(), first.url.as_deref()),
        ("x", Some("E1"), Some("https://rules.example"))
    );
    let region = first.region;
    assert_eq!(
        (
            region.line.map(u32::from),
            region.column,
            region.end_line.map(u32::from),
            region.end_column,
            region.unit
        ),
        (Some(2), Some(2), Some(2), Some(4), ColumnUnit::Byte)
    );
    let levels: Vec<_> = read
        .1
        .iter()
        .map(|(tool, finding)| (tool.as_str(), finding.severity))
        .collect();
    assert_eq!(
        levels,
        [
            ("x", Severity::Error),
            ("stem", Severity::Note),
            ("stem", Severity::Warning),
            ("stem", Severity::Error),
            ("stem", Severity::Note),
        ]
    );
    assert_eq!(read.1[1].1.region.line.map(u32::from), Some(10));
    assert_eq!(read.1[2].1.rule, None);
    assert_eq!(read.1[2].1.region, Region::FILE);
}

#[test]
fn source_and_severity_of_the_document_stand_for_its_diagnostics() {
    let read = document(
        r#"{"diagnostics":[{"message":"a"},{"message":"b","severity":"INFO","source":{"name":"own"}},{"message":"c","severity":"UNKNOWN_SEVERITY"}],"severity":1,"source":{"name":"all"}}"#,
    );
    let levels: Vec<_> = read
        .1
        .iter()
        .map(|(tool, finding)| (tool.as_str(), finding.severity))
        .collect();
    assert_eq!(
        levels,
        [
            ("all", Severity::Error),
            ("own", Severity::Note),
            ("all", Severity::Error)
        ]
    );
}

#[test]
fn ranges_mean_what_the_format_says() {
    let source = SourceLines::new("1\r\nabc\r\nd😀f\r\n".as_bytes());
    for (range, shown, edited) in [
        // The examples of the format.
        (r#"{"start":{"line":2}}"#, "2-2", "2:0-2:3"),
        (r#"{"start":{"line":2},"end":{"line":2}}"#, "2-2", "2:0-2:3"),
        (r#"{"start":{"line":2},"end":{"line":3}}"#, "2-3", "2:0-3:6"),
        (
            r#"{"start":{"line":2},"end":{"line":3,"column":1}}"#,
            "2:0-2:3",
            "2:0-3:0",
        ),
        (
            r#"{"start":{"line":2,"column":1},"end":{"line":2,"column":4}}"#,
            "2:0-2:3",
            "2:0-2:3",
        ),
        // Bytes of UTF-8; an insertion.
        (
            r#"{"start":{"line":3,"column":6},"end":{"line":3,"column":7}}"#,
            "3:5-3:6",
            "3:5-3:6",
        ),
        (r#"{"start":{"line":3,"column":2}}"#, "3:1-3:1", "3:1-3:1"),
        // In the middle of a character, behind the line, behind the file, backwards.
        (
            r#"{"start":{"line":3,"column":3},"end":{"line":3,"column":7}}"#,
            "3:1-3:6",
            "-",
        ),
        (
            r#"{"start":{"line":2,"column":1},"end":{"line":2,"column":9}}"#,
            "2:0-2:3",
            "-",
        ),
        (r#"{"start":{"line":9}}"#, "-", "-"),
        (
            r#"{"start":{"line":2,"column":3},"end":{"line":1,"column":1}}"#,
            "2:2-2:2",
            "-",
        ),
        (
            r#"{"start":{"line":2147483648,"column":2147483648}}"#,
            "-",
            "-",
        ),
        (r"{}", "-", "-"),
    ] {
        let report = format!(
            r#"{{"message":"m","location":{{"path":"a","range":{range}}},"suggestions":[{{"range":{range},"text":"x"}}]}}"#
        );
        let read = lines(&report);
        let finding = &read.1[0].1;
        let text = |span: Option<Span>| {
            let point = |point: lockgate::model::region::Point| match point.byte {
                Some(byte) => format!("{}:{byte}", point.line),
                None => point.line.to_string(),
            };
            span.map_or("-".to_owned(), |span| {
                format!("{}-{}", point(span.start), point(span.end))
            })
        };
        assert_eq!(text(locate(&finding.region, &source).0), shown, "{range}");
        let fix = finding.fix.clone().and_then(|fix| locate_fix(fix, &source));
        let place = fix.map(|fix| fix.edits[0].place);
        assert_eq!(text(place), edited, "{range}");
    }
}

#[test]
fn several_suggestions_are_alternatives_but_for_ruff() {
    let report = |source: &str| {
        format!(
            r#"{{"source":{{"name":"{source}"}},"message":"m","location":{{"path":"a"}},"suggestions":[{{"range":{{"start":{{"line":1,"column":1}}}},"text":"x"}},{{"range":{{"start":{{"line":1,"column":2}}}},"text":"y"}}]}}"#
        )
    };
    let count = |source: &str| {
        let fix = lines(&report(source)).1.remove(0).1.fix;
        fix.map(|fix| fix.edits.len())
    };
    assert_eq!((count("ruff"), count("eslint")), (Some(2), Some(1)));
}

#[test]
fn reports_that_cannot_be_read_say_where_and_why() {
    let cases = [
        (
            true,
            "",
            "1:1: the report is empty, expected an rdjson object",
        ),
        (true, "[]", "1:1: expected an rdjson object"),
        (
            true,
            "{}",
            "1:1: expected `diagnostics`, or a document that names its `source`",
        ),
        (
            true,
            r#"{"source":{"name":""}}"#,
            "1:1: expected `diagnostics`, or",
        ),
        (
            true,
            r#"{"source":{"name":"x"},"message":"m"}"#,
            "1:1: expected `diagnostics`, or",
        ),
        (
            true,
            "{\"message\":\"m\"}\n{\"message\":\"n\"}\n",
            "2:1: expected the end of the report",
        ),
        (
            true,
            r#"{"diagnostics":{}}"#,
            "1:16: expected an array of diagnostics",
        ),
        (
            true,
            r#"{"diagnostics":[],"diagnostics":[]}"#,
            "1:33: `diagnostics` stands twice",
        ),
        (
            true,
            r#"{"diagnostics":[7]}"#,
            "1:17: expected well-formed rdjson: invalid type",
        ),
        (
            true,
            r#"{"diagnostics":[{"message":"m"}"#,
            "1:32: the report ends too early",
        ),
        (
            true,
            r#"{"diagnostics":[{"location":{"range":{"start":{"line":1.5}}}}]}"#,
            "1:5",
        ),
        (true, "<a/>", "1:1: the report is XML"),
        (
            false,
            "",
            "1:1: the report is empty, expected rdjsonl, one diagnostic a line",
        ),
        (
            false,
            "{\"error\":\"boom\"}\n",
            "1:16: expected well-formed rdjsonl: missing field `message`",
        ),
        (false, " \n\n", "3:1: the report is empty"),
        (false, "[]", "1:1: expected a diagnostic"),
        (false, "ruff failed\n", "1:1: expected a diagnostic"),
        (false, "<a/>", "1:1: the report is XML"),
        (false, "\u{feff}<!DOCTYPE x>", "1:2: the report is XML"),
        (
            false,
            "{\"message\":\"m\"}\n{\"mess",
            "2:7: the report ends too early",
        ),
        (
            false,
            "{\"message\":\"m\"}\nerror: boom\n",
            "2:1: expected well-formed rdjsonl",
        ),
        (
            false,
            r#"{"message":"m"}{"message":"n"}"#,
            "1:16: expected a line break behind a diagnostic",
        ),
        (
            false,
            r#"{"diagnostics":[],"source":{"name":"x"}}"#,
            "1:15: expected well-formed rdjsonl: a document with `diagnostics` where a diagnostic belongs",
        ),
    ];
    for (is_document, text, expected) in cases {
        let (read, _) = read_with(text.as_bytes(), is_document, 64);
        let error = read.expect_err(text);
        assert!(error.starts_with(expected), "{text}: {error}");
    }
}

#[test]
fn an_empty_list_may_be_left_out_by_who_names_himself() {
    for text in [
        r#"{"source":{"name":"x"}}"#,
        r#"{"diagnostics":null,"source":{"name":"x","url":""},"severity":null}"#,
        r#"{"diagnostics":[]}"#,
    ] {
        let summary = document(text).0.expect(text);
        assert_eq!((summary.findings, summary.failures.len()), (0, 0), "{text}");
    }
}

#[test]
fn the_sizes_of_buffers_do_not_show_and_no_cut_is_clean() {
    let report = fixture("rdjson/ruff-0.17.6/stdout");
    let whole = read_with(&report, true, 1 << 20);
    for size in [1, 2, 3, 7, 64, 1000] {
        assert_eq!(read_with(&report, true, size), whole, "{size}");
    }
    for length in 0..report.trim_ascii_end().len() {
        assert!(
            read_with(&report[..length], true, 100).0.is_err(),
            "{length}"
        );
    }
    let line = r#"{"message":"m é","location":{"path":"a"}}"#;
    for length in 0..line.len() {
        assert!(
            read_with(&line.as_bytes()[..length], false, 7).0.is_err(),
            "{length}"
        );
    }
    assert_eq!(lines(line).0.expect("whole").findings, 1);
}
