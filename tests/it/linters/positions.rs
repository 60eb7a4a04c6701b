//! Places: what real tools print for lines that they count differently, and what hostile reports ask for.

use std::io::Cursor;
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use lockgate::linters::json_stream::Limits;
use lockgate::linters::position::{SourceLines, locate};
use lockgate::linters::{Tool, rdjson, sarif};
use lockgate::model::diagnostic::RawFinding;
use lockgate::model::region::{ColumnUnit, Region};

use super::fixtures;
use crate::fuzzing::campaign;

const NAME: &str = "undefined_name";

/// What a tool said of the files in `positions/files`.
fn findings(tool: &str) -> Vec<RawFinding> {
    let path = fixtures().join("positions").join(tool).join("stdout");
    let output = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut findings = Vec::new();
    let mut sink = |_: &str, finding| findings.push(finding);
    match tool {
        "ruff" | "ty" => {
            sarif::read(Cursor::new(&output), &mut sink).expect("SARIF");
        }
        "ruff-rdjson" => {
            let input = Cursor::new(&output);
            rdjson::read_document(input, "", Limits::default(), &mut sink).expect("rdjson");
        }
        "pyright" => {
            Tool::Pyright.read(&output[..], &mut |finding| sink("", finding));
        }
        _ => {
            Tool::Mypy.read(&output[..], &mut |finding| sink("", finding));
        }
    }
    findings.retain(|finding| finding.message.contains(NAME));
    findings
}

#[test]
fn every_tool_finds_the_name_on_odd_lines() {
    for tool in ["ruff", "ruff-rdjson", "ty", "pyright", "mypy"] {
        let mut seen = 0;
        for finding in findings(tool) {
            let path = finding.path.as_deref().expect("a path");
            let name = path.rsplit('/').next().expect("a name");
            let bytes =
                std::fs::read(fixtures().join("positions/files").join(name)).expect("a file");
            let source = SourceLines::new(&bytes);
            let (span, clamped) = locate(&finding.region, &source);
            let span = span.unwrap_or_else(|| panic!("{tool} {name}"));
            assert!(!clamped, "{tool} {name}");
            assert_eq!(span.start.line, span.end.line, "{tool} {name}");
            let line = source.line(span.start.line).expect("the line exists");
            let text =
                span.start.byte.zip(span.end.byte).map(|(start, end)| {
                    String::from_utf8_lossy(&line[start as usize..end as usize])
                });
            // mypy's columns are wrong on lines that are not ASCII: left out there, and never wrong.
            if tool == "mypy" && (!line.is_ascii() || name == "bom.py") {
                assert_eq!(text, None, "{name}");
            } else {
                assert_eq!(text.as_deref(), Some(NAME), "{tool} {name}");
            }
            seen += 1;
        }
        assert_eq!(seen, 10, "{tool}");
    }
}

#[test]
fn a_million_findings_on_one_line_take_no_time() {
    // At n = 50 it is a million findings on ten megabytes.
    let scale = usize::try_from(campaign().min(50)).expect("a small number");
    let (count, length) = (20_000 * scale, 200_000 * scale);
    let ascii = vec![b'x'; length];
    let wide = "é😀abcd, ".repeat(length / 13 + 1);
    // What is not UTF-8 to the end of the line must not be looked for each time.
    let broken: Vec<u8> = b"ab\xff\xe2\x82 "
        .iter()
        .copied()
        .cycle()
        .take(length)
        .collect();
    for line in [&ascii[..], wide.as_bytes(), &broken] {
        let text = [b"y = 1\n", line, b"\nz = 2\n"].concat();
        let source = SourceLines::new(&text);
        let started = Instant::now();
        for unit in [ColumnUnit::CodePoint, ColumnUnit::Utf16, ColumnUnit::Byte] {
            let mut before = 0;
            for index in 0..count {
                let column = u32::try_from(index * (length / 2) / count).expect("a column");
                let region = Region {
                    line: NonZeroU32::new(2),
                    column: Some(column),
                    end_line: NonZeroU32::new(2),
                    end_column: Some(column + 1),
                    unit,
                };
                let (span, clamped) = locate(&region, &source);
                let start = span.and_then(|span| span.start.byte).expect("a column");
                assert!(!clamped && start >= before, "{unit:?} {column}");
                before = start;
            }
        }
        // Read anew each time, the smallest of these would be tens of gigabytes.
        let elapsed = started.elapsed();
        let limit = Duration::from_secs(30 * scale as u64);
        assert!(elapsed < limit, "{elapsed:?}");
    }
}

#[test]
fn marks_and_offsets_agree_with_counting() {
    let text = "\u{feff}é😀abc\r\n\n".repeat(300);
    let long = text.replace(['\r', '\n'], "|");
    for text in [&text, &long] {
        let source = SourceLines::new(text.as_bytes());
        let (mut line, mut column) = (1, 1);
        let (mut code_points, mut utf16, mut bytes) = (0, 0, 3);
        for character in text.chars().skip(1) {
            let is_break = matches!(character, '\r' | '\n');
            for (unit, offset) in [
                (ColumnUnit::CodePointOffset, code_points),
                (ColumnUnit::Utf16Offset, utf16),
                (ColumnUnit::ByteOffset, bytes),
            ] {
                let region = Region {
                    column: u32::try_from(offset).ok(),
                    unit,
                    ..Region::FILE
                };
                let start = locate(&region, &source).0.expect("in the file").start;
                if !is_break {
                    assert_eq!(
                        (start.line, start.column),
                        (line, Some(column)),
                        "{unit:?} {offset}"
                    );
                }
            }
            code_points += 1;
            utf16 += character.len_utf16();
            bytes += character.len_utf8();
            column += 1;
            if character == '\n' {
                (line, column) = (line + 1, 1);
            }
        }
    }
}
