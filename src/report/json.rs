//! The JSON report, `docs/schemas/report.schema.json`.

use std::collections::BTreeMap;
use std::io;
use std::rc::Rc;
use std::sync::Arc;

use serde::{Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};

use crate::model::diagnostic::Finding;
use crate::model::fix::{Edit, Fix};
use crate::model::region::Span;
use crate::model::report::{Report, Status, Table};
use crate::report::memo::Memo;
use crate::report::{key_of, layout, line_hash_of, name_of};

/// So many findings are best made into JSON at a time.
pub const PIECE: usize = 256;

/// What one of them takes, bytes, more or less.
const FINDING: usize = 640;

/// The version of the shape, behind the step's name.
pub(in crate::report) const SHAPE: u32 = 1;

/// The report of any step.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(
    test,
    derive(schemars::JsonSchema),
    schemars(title = "Report of a Lockgate step")
)]
struct Document<'r> {
    /// `lockgate.<step>/<version of the shape>`.
    schema: String,
    /// The version of Lockgate that wrote it.
    version: &'static str,
    /// `pass`, `fail` or `no-verdict`.
    verdict: &'static str,
    /// The exit code of the process.
    exit_code: u8,
    /// What was found, ranked.
    findings: Vec<FindingDocument<'r>>,
    /// What was done, and what failed.
    checks: Vec<CheckDocument<'r>>,
    /// The step's outputs.
    outputs: BTreeMap<&'r str, &'r str>,
    /// Tables of the step's own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, schemars(default))]
    tables: Vec<TableDocument<'r>>,
    /// Findings that are not listed, by reason.
    left_out: Vec<LeftOutDocument<'r>>,
    /// Milliseconds.
    duration_ms: u64,
}

/// What findings share, as JSON already.
#[derive(Default)]
struct Texts<'r> {
    shared: Memo<'r, 1, Box<RawValue>>,
    ignores: Memo<'r, 4, Box<RawValue>>,
}

impl<'r> Texts<'r> {
    fn shared(&mut self, text: &'r Arc<str>) -> Quoted {
        Quoted(self.shared.get([Some(text)], || quoted(text)))
    }

    fn ignore(&mut self, finding: &'r Finding, until: Option<&str>) -> Option<Quoted> {
        let until = until?;
        let texts = [
            Some(&finding.tool),
            finding.rule.as_ref(),
            finding.subject.as_ref(),
            finding.path.as_ref(),
        ];
        let make = || quoted(&finding.ignore_entry(until));
        Some(Quoted(self.ignores.get(texts, make)))
    }
}

fn quoted(text: &str) -> Box<RawValue> {
    // A text is never refused.
    to_raw_value(text).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

/// A string that was escaped once for all findings that have it.
struct Quoted(Rc<Box<RawValue>>);

impl Serialize for Quoted {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

#[cfg(test)]
impl schemars::JsonSchema for Quoted {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        String::schema_name()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        String::json_schema(generator)
    }

    fn inline_schema() -> bool {
        String::inline_schema()
    }
}

/// One finding. Lines and columns are 1-based, columns count Unicode code points, the end is exclusive.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(in crate::report) struct FindingDocument<'r> {
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<Quoted>,
    tool: Quoted,
    /// `error`, `warning` or `note`.
    severity: &'static str,
    message: &'r str,
    /// Relative to the workspace root, with `/`.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<Quoted>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_column: Option<u32>,
    /// Whether the change brought it; absent where there is no base.
    #[serde(skip_serializing_if = "Option::is_none")]
    new: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<Quoted>,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<Quoted>,
    /// Other tools that say the same of the same line, as `tool:rule`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, schemars(default))]
    also: Vec<String>,
    /// By what it is known again in another run, wherever it has moved: 16 hexadecimal digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    fingerprint: Option<String>,
    /// GitHub's `primaryLocationLineHash`.
    #[serde(skip_serializing_if = "Option::is_none")]
    line_hash: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<FixDocument<'r>>,
    /// The entry of `ignore` that would leave it out.
    #[serde(skip_serializing_if = "Option::is_none")]
    ignore: Option<Quoted>,
}

/// What would mend a finding: all edits or none.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct FixDocument<'r> {
    /// `safe`, `unsafe` (it may change what the program does) or `display` (it only shows what is meant).
    applicability: &'static str,
    /// What it does, in the tool's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'r str>,
    edits: Vec<EditDocument<'r>>,
}

/// One replacement, in the file of the finding.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct EditDocument<'r> {
    line: u32,
    column: u32,
    end_line: u32,
    end_column: u32,
    /// What stands there instead; empty where text is deleted.
    text: &'r str,
}

/// A tool or report.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct CheckDocument<'r> {
    name: &'r str,
    /// The project that it looked at, where there are several.
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'r str>,
    /// Where it comes from.
    origin: &'r str,
    /// `clean`, `findings` or `failed`.
    status: &'static str,
    /// Findings before anything was left out.
    findings: u64,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'r str>,
    /// Files that it looked at, where it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    files: Option<u64>,
    /// Milliseconds.
    duration_ms: u64,
}

/// A table of the step's own.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct TableDocument<'r> {
    title: &'r str,
    header: &'r [&'static str],
    rows: &'r [Vec<String>],
}

impl<'r> TableDocument<'r> {
    fn of(table: &'r Table) -> Self {
        Self {
            title: &table.title,
            header: &table.header,
            rows: &table.rows,
        }
    }
}

/// Findings that are not listed.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(in crate::report) struct LeftOutDocument<'r> {
    reason: &'r str,
    count: u64,
}

/// What stands in front of the findings and behind them. `outputs` are all outputs.
pub fn around(
    report: &Report,
    outputs: &BTreeMap<String, String>,
) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let document = Document {
        schema: format!("lockgate.{}/{SHAPE}", report.step),
        version: crate::VERSION,
        verdict: report.verdict.name(),
        exit_code: report.exit_code(),
        findings: Vec::new(),
        checks: report.checks.iter().map(check_document).collect(),
        outputs: outputs
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect(),
        tables: report.tables.iter().map(TableDocument::of).collect(),
        left_out: report
            .left_out
            .iter()
            .map(|one| LeftOutDocument {
                reason: &one.reason,
                count: one.count,
            })
            .collect(),
        duration_ms: milliseconds(report.duration),
    };
    layout::around(&document, 2, "findings")
}

/// Makes any piece of the report's findings into what stands there for them, one a line: there may be half a million, so
/// that nobody holds all of it. `ignore_until` is the day for the entries of `ignore`.
pub fn lines<'r>(
    report: &'r Report,
    ignore_until: &str,
) -> impl FnMut(&'r [Finding]) -> io::Result<Vec<u8>> {
    let mut texts = Texts::default();
    let ignore_until = report.ignore_until(ignore_until).map(str::to_owned);
    let (first, last) = (report.findings.first(), report.findings.last());
    let is = |finding: &Finding, other: Option<&Finding>| {
        other.is_some_and(|other| std::ptr::eq(finding, other))
    };
    move |findings| {
        let mut written = Vec::with_capacity(findings.len() * FINDING);
        for finding in findings {
            let is_first = is(finding, first);
            let separator: &[u8] = if is_first { b"\n    " } else { b",\n    " };
            written.extend_from_slice(separator);
            let document = finding_document(finding, ignore_until.as_deref(), &mut texts);
            serde_json::to_writer(&mut written, &document)?;
            if is(finding, last) {
                written.extend_from_slice(b"\n  ");
            }
        }
        Ok(written)
    }
}

/// The documents of a few findings that nobody can ignore.
pub(in crate::report) fn finding_documents(findings: &[Finding]) -> Vec<FindingDocument<'_>> {
    let mut texts = Texts::default();
    findings
        .iter()
        .map(|finding| finding_document(finding, None, &mut texts))
        .collect()
}

fn finding_document<'r>(
    finding: &'r Finding,
    ignore_until: Option<&str>,
    texts: &mut Texts<'r>,
) -> FindingDocument<'r> {
    let mut shared = |text: &'r Option<Arc<str>>| text.as_ref().map(|text| texts.shared(text));
    FindingDocument {
        rule: shared(&finding.rule),
        severity: finding.severity.name(),
        message: &finding.message,
        path: shared(&finding.path),
        line: finding.span.map(|span| span.start.line),
        column: finding.span.and_then(|span| span.start.column),
        end_line: finding.span.map(|span| span.end.line),
        end_column: finding.span.and_then(|span| span.end.column),
        new: finding.new,
        url: shared(&finding.url),
        help: shared(&finding.help),
        also: finding.also.iter().map(name_of).collect(),
        fingerprint: finding.fingerprints.as_ref().map(key_of),
        line_hash: finding.fingerprints.as_ref().and_then(line_hash_of),
        fix: finding.fix.as_deref().and_then(fix_document),
        tool: texts.shared(&finding.tool),
        ignore: texts.ignore(finding, ignore_until),
    }
}

fn fix_document(fix: &Fix<Span>) -> Option<FixDocument<'_>> {
    Some(FixDocument {
        applicability: fix.applicability.name(),
        message: fix.message.as_deref(),
        edits: fix.edits.iter().map(edit_document).collect::<Option<_>>()?,
    })
}

fn edit_document(edit: &Edit<Span>) -> Option<EditDocument<'_>> {
    let (start, end) = (edit.place.start, edit.place.end);
    Some(EditDocument {
        line: start.line,
        column: start.column?,
        end_line: end.line,
        end_column: end.column?,
        text: &edit.text,
    })
}

fn check_document(check: &crate::model::report::Check) -> CheckDocument<'_> {
    let (findings, reason) = match &check.status {
        Status::Clean => (0, None),
        Status::Findings(count) => (*count, None),
        Status::Failed(reason) => (0, Some(reason.as_str())),
    };
    CheckDocument {
        name: &check.name,
        project: check.project.as_deref(),
        version: check.version.as_deref(),
        origin: &check.origin,
        status: check.status.name(),
        findings,
        reason,
        files: check.files,
        duration_ms: milliseconds(check.duration),
    }
}

fn milliseconds(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::report::summary::tests::{everything, finding, report};

    fn rendered(report: &Report) -> String {
        let (mut text, tail) = around(report, &BTreeMap::new()).unwrap();
        let mut make = lines(report, "2027-01-01");
        for piece in report.findings.chunks(PIECE) {
            text.extend(make(piece).unwrap());
        }
        text.extend(tail);
        String::from_utf8(text).unwrap()
    }

    /// The file of this name below `docs/schemas` must hold this schema.
    pub(crate) fn published(name: &str, schema: &schemars::Schema) {
        let schema = serde_json::to_string_pretty(schema).unwrap() + "\n";
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/schemas");
        let path = format!("{folder}/{name}.schema.json");
        if UPDATE_EXPECT.is_some() {
            std::fs::create_dir_all(folder).unwrap();
            std::fs::write(&path, &schema).unwrap();
        }
        assert_eq!(
            std::fs::read_to_string(&path).unwrap_or_default(),
            schema,
            "run `UPDATE_EXPECT=1 cargo test`"
        );
    }

    #[test]
    fn the_published_schema_is_that_of_the_code() {
        published("report", &schemars::schema_for!(Document<'static>));
    }

    /// Read when the test is compiled or run: `UPDATE_EXPECT=1 cargo test` rewrites generated files.
    static UPDATE_EXPECT: std::sync::LazyLock<Option<()>> = std::sync::LazyLock::new(|| {
        let environment = crate::system::environment::Environment::of_this_process();
        environment.get("UPDATE_EXPECT").map(|_| ())
    });

    #[test]
    fn a_report_fits_its_schema() {
        let schema = serde_json::to_value(schemars::schema_for!(Document<'static>)).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        let findings = vec![finding("ruff", "F401", "a.py", 3, "x"), everything()];
        let text = rendered(&report(findings));
        let document: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert!(validator.is_valid(&document), "{document:#}");
        assert_eq!(document["schema"], "lockgate.lint-gate/1");
        assert_eq!(
            document["findings"][0]["ignore"],
            "ruff:F401 a.py until 2027-01-01: <reason>"
        );
        let full = &document["findings"][1];
        assert_eq!(full["also"], serde_json::json!(["pylint:W0611", "vulture"]));
        assert_eq!(full["fingerprint"], "00000000000000ff");
        assert_eq!(full["line-hash"], "a1:2");
        assert_eq!(
            full["fix"],
            serde_json::json!({"applicability": "unsafe", "message": "Remove it", "edits": [
                {"line": 3, "column": 1, "end-line": 4, "end-column": 1, "text": ""}]})
        );
    }

    #[test]
    fn every_finding_is_there_in_its_order_however_many_there_are() {
        for length in [0, 1, 2, PIECE, PIECE + 1, 5 * PIECE + 7] {
            let numbered = |number: usize| Finding {
                message: number.to_string().into(),
                ..everything()
            };
            let report = report((0..length).map(numbered).collect());
            let text = rendered(&report);
            let document: serde_json::Value = serde_json::from_str(&text).unwrap();
            let findings = document["findings"].as_array().unwrap();
            let messages = findings.iter().map(|one| one["message"].as_str().unwrap());
            assert!(messages.eq((0..length).map(|number| number.to_string())));
            // One a line.
            let lines = text
                .lines()
                .filter(|line| line.starts_with("    {\"rule\""));
            assert_eq!(lines.count(), length);
            assert!(text.contains("\"findings\": []") == (length == 0));
        }
    }
}
