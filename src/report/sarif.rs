//! The findings as SARIF 2.1.0 (<https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>), one run a tool,
//! within what GitHub's code scanning takes: it refuses a whole file for one run too many, one result too many or one
//! result without a file.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::{Serialize, Serializer};

use crate::error::count;
use crate::model::diagnostic::{Finding, Fingerprints};
use crate::model::fix::Fix;
use crate::model::region::Span;
use crate::model::report::{Report, Status};
use crate::report::{key_of, layout, line_hash_of, name_of};

/// Runs in a file.
const RUNS: usize = 20;

/// Results in a run, and so also rules. GitHub shows the first 5,000.
const RESULTS: usize = 25_000;

/// Bytes of all results, about. GitHub takes 10 MB of gzip; so many bytes of ruff's findings, with random fingerprints
/// and fixes, are 5.1 MB of it.
const BYTES: usize = 64 << 20;

/// Writes the report as one SARIF log, one result a line.
pub fn render(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let log = Log {
        schema: "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        version: "2.1.0",
        runs: runs(report, BYTES),
    };
    layout::write(&log, 4, out)
}

#[derive(Serialize)]
struct Log<'r> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: Vec<Run<'r>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<'r> {
    tool: Tool<'r>,
    column_kind: &'static str,
    invocations: [Invocation<'r>; 1],
    results: Results<'r>,
}

#[derive(Serialize)]
struct Tool<'r> {
    driver: Driver<'r>,
}

#[derive(Serialize)]
struct Driver<'r> {
    name: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'r str>,
    rules: Vec<Rule<'r>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule<'r> {
    id: &'r str,
    short_description: Text<String>,
    full_description: Text<String>,
    help: Text<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    help_uri: Option<&'r str>,
}

#[derive(Serialize)]
struct Text<T> {
    text: T,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Invocation<'r> {
    execution_successful: bool,
    tool_execution_notifications: Vec<Notification<'r>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Notification<'r> {
    level: &'static str,
    message: Text<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    associated_rule: Option<RuleReference<'r>>,
}

#[derive(Serialize)]
struct RuleReference<'r> {
    id: &'r str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResultObject<'r> {
    #[serde(skip_serializing_if = "Option::is_none")]
    rule_id: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule_index: Option<usize>,
    level: &'static str,
    message: Text<&'r str>,
    locations: [Location<'r>; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    partial_fingerprints: Option<PartialFingerprints>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fixes: Option<[FixObject<'r>; 1]>,
    #[serde(skip_serializing_if = "Properties::is_empty")]
    properties: Properties,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location<'r> {
    physical_location: PhysicalLocation<'r>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation<'r> {
    artifact_location: ArtifactLocation<'r>,
    /// Absent for the file as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<RegionObject>,
}

#[derive(Serialize)]
struct ArtifactLocation<'r> {
    uri: Uri<'r>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RegionObject {
    start_line: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_column: Option<u32>,
    end_line: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_column: Option<u32>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PartialFingerprints {
    #[serde(skip_serializing_if = "Option::is_none")]
    primary_location_line_hash: Option<String>,
    #[serde(rename = "lockgate/v1")]
    own: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FixObject<'r> {
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<Text<&'r str>>,
    artifact_changes: [ArtifactChange<'r>; 1],
    properties: FixProperties,
}

#[derive(Serialize)]
struct FixProperties {
    applicability: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ArtifactChange<'r> {
    artifact_location: ArtifactLocation<'r>,
    replacements: Vec<Replacement<'r>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Replacement<'r> {
    deleted_region: RegionObject,
    inserted_content: Text<&'r str>,
}

/// What SARIF has no place for.
#[derive(Serialize)]
struct Properties {
    #[serde(skip_serializing_if = "Option::is_none")]
    new: Option<bool>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    also: Vec<String>,
}

impl Properties {
    fn is_empty(&self) -> bool {
        self.new.is_none() && self.also.is_empty()
    }
}

/// The results of a run, each made only when it is written.
struct Results<'r> {
    findings: Vec<&'r Finding>,
    /// By rule, its place among the rules.
    rules: BTreeMap<&'r str, usize>,
}

impl Serialize for Results<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.findings.iter().filter_map(|finding| {
            let rule = finding.rule.as_deref();
            result(finding, rule.and_then(|rule| self.rules.get(rule).copied()))
        }))
    }
}

/// What one run holds, before it is a run.
#[derive(Default)]
struct Share<'r> {
    /// The rank of its first finding.
    first: Option<usize>,
    results: Vec<&'r Finding>,
    /// Findings that are about no file.
    placeless: Vec<&'r Finding>,
    left_out: u64,
    failures: Vec<&'r str>,
}

/// The runs, by the name of the tool. `limit` is how large all results may be.
fn runs(report: &Report, limit: usize) -> Vec<Run<'_>> {
    let mut shares: BTreeMap<&str, Share> = BTreeMap::new();
    let mut unread = Vec::new();
    for check in &report.checks {
        let failure = match &check.status {
            Status::Failed(reason) => Some(reason.as_str()),
            _ => None,
        };
        // The tool of a report is named in it; one that could not be read names none.
        if check.origin.starts_with("report") {
            unread.extend(failure);
        } else {
            let share = shares.entry(&check.name).or_default();
            share.failures.extend(failure);
        }
    }
    let mut bytes = 0;
    for (rank, finding) in report.findings.iter().enumerate() {
        let share = shares.entry(&finding.tool).or_default();
        share.first.get_or_insert(rank);
        let taken = share.results.len() + share.placeless.len();
        bytes += size(finding);
        if taken >= RESULTS || bytes > limit {
            share.left_out += 1;
        } else if finding.path.is_some() {
            share.results.push(finding);
        } else {
            share.placeless.push(finding);
        }
    }
    let (failures, dropped) = drop_runs(&mut shares);
    unread.extend(failures);
    let mut runs: Vec<Run> = shares
        .into_iter()
        .map(|(tool, share)| run(tool, share, report))
        .collect();
    if runs.is_empty() || !unread.is_empty() || !dropped.is_empty() {
        let own = Share {
            failures: unread,
            ..Share::default()
        };
        let mut own = run("lockgate", own, report);
        own.tool.driver.version = Some(crate::VERSION);
        let [invocation] = &mut own.invocations;
        invocation.tool_execution_notifications.extend(dropped);
        runs.push(own);
    }
    runs
}

/// About how many bytes the result of a finding has.
fn size(finding: &Finding) -> usize {
    let edits = finding.fix.iter().flat_map(|fix| &fix.edits);
    let path = finding.path.as_deref().map_or(0, str::len);
    500 + finding.message.len()
        + path
        + edits
            .map(|edit| 150 + path + edit.text.len())
            .sum::<usize>()
}

/// Leaves so many runs that our own fits as well: those that failed, then by their best finding. Of the others the
/// failures, and what is lost.
fn drop_runs<'r>(
    shares: &mut BTreeMap<&'r str, Share<'r>>,
) -> (Vec<&'r str>, Vec<Notification<'r>>) {
    if shares.len() < RUNS {
        return (Vec::new(), Vec::new());
    }
    let mut ranked: Vec<(bool, usize, &str)> = shares
        .iter()
        .map(|(tool, share)| {
            let rank = share.first.unwrap_or(usize::MAX);
            (share.failures.is_empty(), rank, *tool)
        })
        .collect();
    ranked.sort_unstable();
    let (mut failures, mut notes) = (Vec::new(), Vec::new());
    for (_, _, tool) in ranked.into_iter().skip(RUNS - 1) {
        let Some(share) = shares.remove(tool) else {
            continue;
        };
        let lost = (share.results.len() + share.placeless.len()) as u64 + share.left_out;
        failures.extend(share.failures);
        notes.push(note(format!(
            "{tool}: {} left out: a file for code scanning may have {RUNS} runs",
            count(lost, "finding")
        )));
    }
    (failures, notes)
}

fn run<'r>(tool: &'r str, share: Share<'r>, report: &'r Report) -> Run<'r> {
    let check = report.checks.iter().find(|check| check.name == tool);
    let mut rules: BTreeMap<&str, Rule> = BTreeMap::new();
    for finding in share.results.iter().chain(&share.placeless) {
        if let Some(id) = finding.rule.as_deref() {
            rules
                .entry(id)
                .or_insert_with(|| rule(tool, id, finding.url.as_deref()));
        }
    }
    let places = rules.keys().copied().zip(0..).collect();
    let mut notifications: Vec<Notification> =
        share.failures.iter().map(|text| failure(text)).collect();
    notifications.extend(share.placeless.iter().map(|finding| Notification {
        level: finding.severity.name(),
        message: Text {
            text: finding.message.to_string(),
        },
        associated_rule: finding.rule.as_deref().map(|id| RuleReference { id }),
    }));
    if share.left_out > 0 {
        notifications.push(note(format!(
            "{} left out, the lowest in rank: code scanning takes {RESULTS} of a run and 10 MB of a file; the JSON report has all",
            count(share.left_out, "finding")
        )));
    }
    Run {
        tool: Tool {
            driver: Driver {
                name: tool,
                version: check.and_then(|check| check.version.as_deref()),
                rules: rules.into_values().collect(),
            },
        },
        column_kind: "unicodeCodePoints",
        invocations: [Invocation {
            execution_successful: share.failures.is_empty(),
            tool_execution_notifications: notifications,
        }],
        results: Results {
            findings: share.results,
            rules: places,
        },
    }
}

fn failure<'r>(reason: &str) -> Notification<'r> {
    Notification {
        level: "error",
        ..note(reason.to_owned())
    }
}

fn note<'r>(text: String) -> Notification<'r> {
    Notification {
        level: "note",
        message: Text { text },
        associated_rule: None,
    }
}

/// What GitHub shows of a rule: its name as a headline, and where more is written. Tools tell no more in their results.
fn rule<'r>(tool: &str, id: &'r str, url: Option<&'r str>) -> Rule<'r> {
    let url = url.filter(|url| is_web_address(url));
    let name = match url.and_then(slug) {
        Some(slug) if slug != id => format!("{tool} {id}: {}", slug.replace('-', " ")),
        _ => format!("{tool} {id}"),
    };
    let help = match url {
        Some(url) => format!("{name}\n\n{url}"),
        None => format!("{name}\n\nThe documentation of {tool} describes the rule."),
    };
    Rule {
        id,
        short_description: Text { text: name.clone() },
        full_description: Text { text: name },
        help: Text { text: help },
        help_uri: url,
    }
}

/// The last part of an address that is words: `unused-import`.
fn slug(url: &str) -> Option<&str> {
    let last = url.trim_end_matches('/').rsplit('/').next()?;
    let is_words = last
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    (is_words && last.contains('-')).then_some(last)
}

fn result(finding: &Finding, rule_index: Option<usize>) -> Option<ResultObject<'_>> {
    let artifact_location = || {
        Some(ArtifactLocation {
            uri: Uri(finding.path.as_deref()?),
        })
    };
    Some(ResultObject {
        rule_id: finding.rule.as_deref(),
        rule_index,
        level: finding.severity.name(),
        message: Text {
            text: &finding.message,
        },
        locations: [Location {
            physical_location: PhysicalLocation {
                artifact_location: artifact_location()?,
                region: finding.span.map(region),
            },
        }],
        partial_fingerprints: finding.fingerprints.as_ref().map(fingerprints),
        fixes: finding
            .fix
            .as_deref()
            .and_then(|fix| Some([fix_object(fix, artifact_location()?)?])),
        properties: Properties {
            new: finding.new,
            also: finding.also.iter().map(name_of).collect(),
        },
    })
}

fn region(span: Span) -> RegionObject {
    let columns = span.start.column.zip(span.end.column);
    RegionObject {
        start_line: span.start.line,
        start_column: columns.map(|(start, _)| start),
        end_line: span.end.line,
        end_column: columns.map(|(_, end)| end),
    }
}

fn fingerprints(fingerprints: &Fingerprints) -> PartialFingerprints {
    PartialFingerprints {
        primary_location_line_hash: line_hash_of(fingerprints),
        own: key_of(fingerprints),
    }
}

/// A fix whose every edit has its columns, or none: half of a fix is none.
fn fix_object<'r>(fix: &'r Fix<Span>, file: ArtifactLocation<'r>) -> Option<FixObject<'r>> {
    let replacements = fix
        .edits
        .iter()
        .map(|edit| {
            let deleted_region = region(edit.place);
            deleted_region.start_column?;
            Some(Replacement {
                deleted_region,
                inserted_content: Text { text: &*edit.text },
            })
        })
        .collect::<Option<Vec<_>>>()
        .filter(|replacements| !replacements.is_empty())?;
    Some(FixObject {
        description: fix.message.as_deref().map(|text| Text { text }),
        artifact_changes: [ArtifactChange {
            artifact_location: file,
            replacements,
        }],
        properties: FixProperties {
            applicability: fix.applicability.name(),
        },
    })
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
struct Uri<'p>(&'p str);

impl Serialize for Uri<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use std::fmt::Write as _;
        let is_plain = |byte: u8| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'.' | b'_' | b'~')
        };
        if self.0.bytes().all(is_plain) {
            return serializer.serialize_str(self.0);
        }
        let mut uri = String::with_capacity(self.0.len() * 2);
        for byte in self.0.bytes() {
            if is_plain(byte) {
                uri.push(char::from(byte));
            } else {
                let _ = write!(uri, "%{byte:02X}");
            }
        }
        serializer.serialize_str(&uri)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::report::Check;
    use crate::report::summary::tests::{everything, finding, report};
    use serde_json::{Value, json};

    fn log(report: &Report) -> Value {
        let mut out = Vec::new();
        render(report, &mut out).unwrap();
        serde_json::from_slice(&out).unwrap()
    }

    #[test]
    fn a_failed_tool_is_a_failed_invocation() {
        let mut report = report(vec![finding("ruff", "F401", "na ïve/a.py", 3, "x")]);
        report.checks[0].status = Status::Failed("crashed".into());
        let run = &log(&report)["runs"][0];
        assert_eq!(run["invocations"][0]["executionSuccessful"], false);
        assert_eq!(
            run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
            "na%20%C3%AFve/a.py"
        );
    }

    #[test]
    fn a_result_has_all_that_is_known() {
        let log = log(&report(vec![everything()]));
        let run = &log["runs"][0];
        assert_eq!(
            run["results"][0],
            json!({
                "ruleId": "F401",
                "ruleIndex": 0,
                "level": "error",
                "message": {"text": "unused import"},
                "locations": [{"physicalLocation": {
                    "artifactLocation": {"uri": "src/a.py"},
                    "region": {"startLine": 3, "startColumn": 1, "endLine": 3, "endColumn": 3},
                }}],
                "partialFingerprints": {
                    "primaryLocationLineHash": "a1:2",
                    "lockgate/v1": "00000000000000ff",
                },
                "fixes": [{
                    "description": {"text": "Remove it"},
                    "artifactChanges": [{
                        "artifactLocation": {"uri": "src/a.py"},
                        "replacements": [{
                            "deletedRegion": {"startLine": 3, "startColumn": 1, "endLine": 4, "endColumn": 1},
                            "insertedContent": {"text": ""},
                        }],
                    }],
                    "properties": {"applicability": "unsafe"},
                }],
                "properties": {"new": true, "also": ["pylint:W0611", "vulture"]},
            })
        );
        let url = "https://docs.astral.sh/ruff/rules/unused-import";
        assert_eq!(
            run["tool"]["driver"]["rules"],
            json!([{
                "id": "F401",
                "shortDescription": {"text": "ruff F401: unused import"},
                "fullDescription": {"text": "ruff F401: unused import"},
                "help": {"text": format!("ruff F401: unused import\n\n{url}")},
                "helpUri": url,
            }])
        );
    }

    #[test]
    fn a_fix_without_columns_is_none() {
        let mut finding = everything();
        if let Some(fix) = &mut finding.fix {
            fix.edits[0].place.end.column = None;
        }
        assert_eq!(
            log(&report(vec![finding]))["runs"][0]["results"][0]["fixes"],
            Value::Null
        );
    }

    #[test]
    fn a_finding_about_no_file_is_a_notification() {
        let mut placeless = finding("mypy", "misc", "a.py", 1, "x");
        (placeless.path, placeless.span) = (None, None);
        let log = log(&report(vec![placeless]));
        let mypy = &log["runs"][0];
        assert_eq!(mypy["results"], json!([]));
        assert_eq!(
            mypy["invocations"][0]["toolExecutionNotifications"],
            json!([{"level": "error", "message": {"text": "x"}, "associatedRule": {"id": "misc"}}])
        );
    }

    #[test]
    fn beyond_the_limits_the_best_stay_and_the_rest_is_counted() {
        let findings = (0..25_010)
            .map(|line| finding("ruff", "F401", "a.py", line + 1, "x"))
            .chain([finding("mypy", "misc", "b.py", 1, "y")])
            .collect();
        let whole = log(&report(findings));
        let [mypy, ruff] = [&whole["runs"][0], &whole["runs"][1]];
        assert_eq!(mypy["results"].as_array().unwrap().len(), 1);
        let results = ruff["results"].as_array().unwrap();
        assert_eq!(results.len(), 25_000);
        let line = |result: &Value| {
            result["locations"][0]["physicalLocation"]["region"]["startLine"].clone()
        };
        assert_eq!(line(&results[24_999]), 25_000);
        let told = &ruff["invocations"][0]["toolExecutionNotifications"][0];
        assert_eq!(told["level"], "note");
        let text = told["message"]["text"].as_str().unwrap();
        assert!(text.starts_with("10 findings left out"), "{text}");

        let small = report(
            (1..=9)
                .map(|line| finding("ruff", "E1", "a.py", line, "x"))
                .collect(),
        );
        let cut = runs(&small, 3 * size(&small.findings[0]));
        assert_eq!(cut[0].results.findings.len(), 3);
        let [invocation] = &cut[0].invocations;
        assert!(
            invocation.tool_execution_notifications[0]
                .message
                .text
                .starts_with("6 findings left out")
        );
    }

    #[test]
    fn a_file_has_no_more_runs_than_are_taken() {
        let mut report = report(
            (0..30)
                .map(|number| finding(&format!("t{number:02}"), "R", "a.py", number + 1, "x"))
                .collect(),
        );
        report.checks.push(Check {
            name: "z".into(),
            status: Status::Failed("crashed".into()),
            ..report.checks[0].clone()
        });
        let log = log(&report);
        let runs = log["runs"].as_array().unwrap();
        assert_eq!(runs.len(), RUNS);
        let names: Vec<&str> = runs
            .iter()
            .map(|run| run["tool"]["driver"]["name"].as_str().unwrap())
            .collect();
        // `ruff` found nothing and goes first, then the lowest ranks; what failed stays.
        assert_eq!(names[17..], ["t17", "z", "lockgate"]);
        assert!(!names.contains(&"ruff"));
        let told = runs[19]["invocations"][0]["toolExecutionNotifications"]
            .as_array()
            .unwrap();
        assert_eq!(told.len(), 32 - 19);
        assert_eq!(runs[19]["invocations"][0]["executionSuccessful"], true);
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
        let log = log(&report(vec![]));
        assert_eq!(log["runs"][0]["tool"]["driver"]["name"], "ruff");
        assert_eq!(log["runs"][0]["results"], json!([]));
    }
}
