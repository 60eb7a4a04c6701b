//! Reads the JSON report of a step that another one ran: what of its findings an annotation shows, and its answer.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;

use crate::model::diagnostic::{Finding, Severity};
use crate::model::region::{Point, Span};

/// What another step said.
#[derive(Clone, Debug)]
pub struct Nested {
    /// Its exit code.
    pub exit_code: u8,
    /// Its findings, ranked; without fixes, fingerprints and what other tools say of the same lines.
    pub findings: Vec<Finding>,
    /// Why checks of it failed, each with the check's name.
    pub failures: Vec<(String, String)>,
    /// Its outputs.
    pub outputs: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Document<'d> {
    exit_code: u8,
    #[serde(borrow)]
    findings: Vec<FindingDocument<'d>>,
    #[serde(borrow, default)]
    checks: Vec<CheckDocument<'d>>,
    outputs: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct FindingDocument<'d> {
    #[serde(borrow)]
    rule: Option<Cow<'d, str>>,
    #[serde(borrow)]
    tool: Cow<'d, str>,
    #[serde(borrow)]
    severity: Cow<'d, str>,
    #[serde(borrow)]
    message: Cow<'d, str>,
    #[serde(borrow)]
    path: Option<Cow<'d, str>>,
    line: Option<u32>,
    column: Option<u32>,
    end_line: Option<u32>,
    end_column: Option<u32>,
    new: Option<bool>,
    #[serde(borrow)]
    url: Option<Cow<'d, str>>,
    #[serde(borrow)]
    help: Option<Cow<'d, str>>,
}

#[derive(Deserialize)]
struct CheckDocument<'d> {
    #[serde(borrow)]
    name: Cow<'d, str>,
    reason: Option<String>,
}

/// Reads a report. Says what is wrong with one that is none.
pub fn nested(bytes: &[u8]) -> Result<Nested, String> {
    let document: Document =
        serde_json::from_slice(bytes).map_err(|error| format!("it is no report: {error}"))?;
    let checks = document.checks.into_iter();
    let failures = checks.filter_map(|check| Some((check.name.into_owned(), check.reason?)));
    Ok(Nested {
        exit_code: document.exit_code,
        failures: failures.collect(),
        findings: document.findings.into_iter().map(finding).collect(),
        outputs: document.outputs,
    })
}

fn finding(document: FindingDocument<'_>) -> Finding {
    let shared = |text: Option<Cow<'_, str>>| text.map(|text| Arc::from(&*text));
    let point = |line: Option<u32>, column| {
        line.map(|line| Point {
            line,
            column,
            byte: None,
        })
    };
    let start = point(document.line, document.column);
    let end = point(document.end_line, document.end_column);
    Finding {
        tool: Arc::from(&*document.tool),
        rule: shared(document.rule),
        // An unknown one is taken seriously.
        severity: Severity::from_name(&document.severity).unwrap_or(Severity::Error),
        message: Arc::from(&*document.message),
        path: shared(document.path),
        span: start.map(|start| Span {
            start,
            end: end.unwrap_or(start),
        }),
        subject: None,
        url: shared(document.url),
        help: shared(document.help),
        new: document.new,
        excerpt: None,
        fix: None,
        also: Vec::new(),
        fingerprints: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_step_writes_is_read() {
        let written = br#"{"schema": "lockgate.lint-gate/1", "version": "0", "verdict": "fail", "exit-code": 1,
            "findings": [{"tool": "mypy", "rule": "arg-type", "severity": "warning", "message": "a \"b\"",
            "path": "src/a.py", "line": 3, "column": 5, "end-line": 3, "end-column": 9, "new": true},
            {"tool": "lockgate", "severity": "error", "message": "x"}],
            "checks": [{"name": "pyright", "origin": "PATH", "status": "failed", "findings": 0,
            "reason": "crashed", "duration-ms": 1}],
            "outputs": {"verdict": "fail"}, "left-out": [], "duration-ms": 7}"#;
        let nested = nested(written).unwrap();
        assert_eq!(nested.exit_code, 1);
        assert_eq!(
            nested.failures,
            [("pyright".to_owned(), "crashed".to_owned())]
        );
        assert_eq!(nested.outputs["verdict"], "fail");
        let [first, second] = &*nested.findings else {
            panic!("two")
        };
        assert_eq!(
            (&*first.message, first.severity),
            ("a \"b\"", Severity::Warning)
        );
        assert_eq!(first.span.unwrap().end.column, Some(9));
        assert_eq!((second.span, second.severity), (None, Severity::Error));
    }

    #[test]
    fn what_is_no_report_says_so() {
        assert!(nested(b"{").unwrap_err().starts_with("it is no report"));
        assert!(nested(b"{}").is_err());
    }
}
