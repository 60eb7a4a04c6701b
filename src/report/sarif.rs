//! The findings as SARIF 2.1.0 (<https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>), one run a tool.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::model::diagnostic::Finding;
use crate::model::report::{Report, Status};

/// The report as one SARIF log.
pub fn render(report: &Report) -> serde_json::Result<String> {
    let mut tools: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    for check in report
        .checks
        .iter()
        .filter(|check| !check.origin.starts_with("report"))
    {
        tools.entry(&check.name).or_default();
    }
    for finding in &report.findings {
        tools.entry(&finding.tool).or_default().push(finding);
    }
    let mut runs: Vec<Value> = tools
        .iter()
        .map(|(tool, findings)| run(tool, findings, report))
        .collect();
    let unread: Vec<&str> = report
        .failures()
        .filter(|(check, _)| check.origin.starts_with("report"))
        .map(|(_, reason)| reason)
        .collect();
    if runs.is_empty() || !unread.is_empty() {
        runs.push(json!({
            "tool": {"driver": {"name": "lockgate", "version": crate::VERSION}},
            "columnKind": "unicodeCodePoints",
            "invocations": [invocation(&unread)],
            "results": [],
        }));
    }
    serde_json::to_string_pretty(&json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": runs,
    }))
}

fn run(tool: &str, findings: &[&Finding], report: &Report) -> Value {
    let check = report.checks.iter().find(|check| check.name == tool);
    let mut driver = Map::from_iter([("name".to_owned(), json!(tool))]);
    if let Some(version) = check.and_then(|check| check.version.as_deref()) {
        driver.insert("version".to_owned(), json!(version));
    }
    let mut rules: BTreeMap<&str, Value> = BTreeMap::new();
    for finding in findings {
        if let Some(rule) = finding.rule.as_deref() {
            let url = finding.url.as_deref().filter(|url| is_web_address(url));
            rules.entry(rule).or_insert_with(|| match url {
                Some(url) => json!({"id": rule, "helpUri": url}),
                None => json!({"id": rule}),
            });
        }
    }
    driver.insert("rules".to_owned(), rules.into_values().collect());
    let failures: Vec<&str> = match check.map(|check| &check.status) {
        Some(Status::Failed(reason)) => vec![reason],
        _ => vec![],
    };
    json!({
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "invocations": [invocation(&failures)],
        "results": findings.iter().map(|finding| result(finding)).collect::<Vec<_>>(),
    })
}

fn invocation(failures: &[&str]) -> Value {
    let notifications: Vec<Value> = failures
        .iter()
        .map(|reason| json!({"level": "error", "message": {"text": reason}}))
        .collect();
    json!({"executionSuccessful": failures.is_empty(), "toolExecutionNotifications": notifications})
}

fn result(finding: &Finding) -> Value {
    let mut result = Map::from_iter([
        ("level".to_owned(), json!(finding.severity.name())),
        ("message".to_owned(), json!({"text": &*finding.message})),
    ]);
    if let Some(rule) = &finding.rule {
        result.insert("ruleId".to_owned(), json!(&**rule));
    }
    if let Some(new) = finding.new {
        result.insert("properties".to_owned(), json!({"new": new}));
    }
    if let Some(path) = &finding.path {
        let mut location =
            Map::from_iter([("artifactLocation".to_owned(), json!({"uri": uri(path)}))]);
        if let Some(span) = finding.span {
            let mut region = Map::from_iter([
                ("startLine".to_owned(), json!(span.start.line)),
                ("endLine".to_owned(), json!(span.end.line)),
            ]);
            if let (Some(start), Some(end)) = (span.start.column, span.end.column) {
                region.insert("startColumn".to_owned(), json!(start));
                region.insert("endColumn".to_owned(), json!(end));
            }
            location.insert("region".to_owned(), Value::Object(region));
        }
        result.insert(
            "locations".to_owned(),
            json!([{"physicalLocation": location}]),
        );
    }
    Value::Object(result)
}

/// Whether this is a URI (RFC 3986) of the web. Reports of others hold all kinds of text there, and one that is no URI
/// would make the whole log invalid.
fn is_web_address(text: &str) -> bool {
    let Some(rest) = ["https://", "http://"]
        .iter()
        .find_map(|scheme| text.strip_prefix(scheme))
    else {
        return false;
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at(end);
    let (host, port) = authority.split_once(':').unwrap_or((authority, ""));
    let is_host = !host.is_empty()
        && host
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte));
    let is_plain =
        |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?#@!$&'()*+,;=%".contains(&byte);
    let is_escaped = |part: &str| part.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2;
    is_host
        && port.bytes().all(|byte| byte.is_ascii_digit())
        && rest.bytes().all(is_plain)
        && rest.matches('#').count() <= 1
        && rest.split('%').skip(1).all(is_escaped)
}

/// A relative path as a URI reference (RFC 3986): everything but unreserved characters and `/` is percent-encoded.
fn uri(path: &str) -> String {
    use std::fmt::Write as _;
    path.bytes()
        .fold(String::with_capacity(path.len()), |mut uri, byte| {
            if byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'.' | b'_' | b'~') {
                uri.push(char::from(byte));
            } else {
                let _ = write!(uri, "%{byte:02X}");
            }
            uri
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::summary::tests::{finding, report};

    #[test]
    fn a_failed_tool_is_a_failed_invocation() {
        let mut report = report(vec![finding("ruff", "F401", "na ïve/a.py", 3, "x")]);
        report.checks[0].status = Status::Failed("crashed".into());
        let log: Value = serde_json::from_str(&render(&report).unwrap()).unwrap();
        let run = &log["runs"][0];
        assert_eq!(run["invocations"][0]["executionSuccessful"], false);
        assert_eq!(
            run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
            "na%20%C3%AFve/a.py"
        );
    }

    #[test]
    fn only_a_web_address_is_the_help_of_a_rule() {
        for fine in [
            "https://docs.astral.sh/ruff/rules/unused-import",
            "http://127.0.0.1:8000/a%20b?c=d#e",
            "https://host",
        ] {
            assert!(is_web_address(fine), "{fine}");
        }
        for wrong in [
            "",
            "javascript:alert(1)",
            "https://",
            "https://a:b/",
            "https://a/ b",
            "https://a/%2",
            "https://a/#b#c",
            "https://a/é",
            "https://u@a/",
            "see https://a/",
        ] {
            assert!(!is_web_address(wrong), "{wrong}");
        }
    }

    #[test]
    fn a_report_without_findings_still_has_its_run() {
        let log: Value = serde_json::from_str(&render(&report(vec![])).unwrap()).unwrap();
        assert_eq!(log["runs"][0]["tool"]["driver"]["name"], "ruff");
        assert_eq!(log["runs"][0]["results"], json!([]));
    }
}
