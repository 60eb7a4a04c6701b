//! A run goes out, once: text, documents, annotations, summary, outputs.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use crate::error::Result;
use crate::github::console::OutputFormat;
use crate::model::diagnostic::Finding;
use crate::model::pipeline::{RunRecord, Trace};
use crate::model::report::{Check, Report, Status};
use crate::report::annotations::{self, BUDGET};
use crate::report::pipeline::{findings, json, junit, summary, text, verdict};
use crate::report::read::Nested;
use crate::report::sarif;
use crate::steps::emit;
use crate::steps::pipeline::NAME;
use crate::steps::world::{Common, World};
use crate::system::clock::Date;

/// What goes out.
#[derive(Debug)]
pub struct Emission<'e> {
    /// What the run did. Nothing secret is in it any more.
    pub record: &'e RunRecord,
    /// Its trace.
    pub trace: &'e Trace,
    /// What steps of ours said that stages used, in the order of the stages, with the stage's name.
    pub nested: Vec<(String, Nested)>,
    /// The summaries that they wrote, with the stage's name.
    pub summaries: Vec<(String, PathBuf)>,
    /// The step's outputs, but for `verdict` and `report`.
    pub outputs: BTreeMap<String, String>,
    /// Where JUnit XML goes.
    pub junit_file: Option<PathBuf>,
}

/// Emits everything; returns the exit code.
pub fn emit(emission: Emission<'_>, common: &Common, world: &World) -> Result<u8> {
    let record = emission.record;
    let console = &world.console;
    let masker = console.masker();
    let (answer, exit_code) = verdict::judge(record);
    let report_file = emit::report_file(NAME, common, world)?;
    let mut outputs = emission.outputs;
    outputs.insert("verdict".to_owned(), answer.name().to_owned());
    let path = report_file.as_ref().map(|path| path.display().to_string());
    outputs.insert("report".to_owned(), path.unwrap_or_default());
    let document =
        |out: &mut dyn std::io::Write| json::render(record, Some(emission.trace), &outputs, out);
    let report = report(record, emission.nested);
    if let Some(path) = &report_file {
        emit::write(path, masker, document)?;
    }
    if let Some(path) = &common.sarif_file {
        emit::write(&world.directory.join(path), masker, |out| {
            sarif::render(&report, out)
        })?;
    }
    if let Some(path) = &emission.junit_file {
        emit::write(&world.directory.join(path), masker, |out| {
            junit::render(record, out)
        })?;
    }
    match console.format() {
        OutputFormat::Human => console.text_by(|out| text::render(record, console.color(), out)),
        OutputFormat::Json => console.document_by(document),
        OutputFormat::Sarif => console.document_by(|out| sarif::render(&report, out)),
        OutputFormat::Github => {}
    }
    if console.takes_commands() {
        let (annotations, without) = annotations::annotations(&report, &Date::today().to_string());
        emit::annotate(&annotations, without, &report, world);
    }
    emit::write_summary(common, world, |limit| {
        let mut markdown = summary::render(record, limit);
        append(&mut markdown, &emission.summaries, limit);
        markdown
    })?;
    emit::write_outputs(&outputs, world)?;
    Ok(exit_code)
}

/// What the steps of ours wrote stands below, as far as there is room.
fn append(markdown: &mut String, summaries: &[(String, PathBuf)], limit: usize) {
    for (_, path) in summaries {
        let Ok(text) = std::fs::read_to_string(path) else {
            continue;
        };
        if markdown.len() + text.len() + 2 <= limit {
            let _ = write!(markdown, "\n{text}");
        }
    }
}

/// The findings of the run and of the steps of ours in it, as one report: they share one budget of annotations.
fn report(record: &RunRecord, nested: Vec<(String, Nested)>) -> Report {
    let mut report = findings::report(record, BUDGET);
    for (stage, nested) in nested {
        report.findings.extend(nested.findings);
        let failures = nested.failures.into_iter().map(|(name, reason)| Check {
            name,
            project: None,
            version: None,
            origin: stage.clone(),
            status: Status::Failed(reason),
            files: None,
            duration: std::time::Duration::ZERO,
        });
        report.checks.extend(failures);
    }
    // Stable: of equals, what the run itself has to say comes first.
    let rank = |finding: &Finding| (finding.severity, finding.new == Some(true));
    report
        .findings
        .sort_by_key(|finding| std::cmp::Reverse(rank(finding)));
    report
}
