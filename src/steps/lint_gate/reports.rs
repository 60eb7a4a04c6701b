//! Reads reports made elsewhere.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use crate::linters::json_stream::Limits;
use crate::linters::{Judgement, Tool, rdjson, reported, sarif, unified_diff};
use crate::model::report::{Check, Status};
use crate::steps::lint_gate::Scope;
use crate::steps::lint_gate::filter::{Collector, Filter};
use crate::steps::lint_gate::settings::{ReportFormat, ReportInput};

/// What a report says of its findings, whatever its format.
struct Told {
    /// Who wrote it.
    tools: Vec<String>,
    /// Results that are no findings, by reason.
    left_out: Vec<(&'static str, u64)>,
    judgement: Judgement,
}

/// Reads one report. What cannot be read is a check that failed, with the reason.
pub fn read(input: &ReportInput, directory: &Path, filter: &Arc<Filter>) -> (Check, Collector) {
    let started = Instant::now();
    let mut collector = Collector::new(filter.clone(), directory);
    let mut check = Check {
        name: input.path.clone(),
        project: None,
        version: None,
        origin: "report".to_owned(),
        status: Status::Clean,
        files: None,
        duration: started.elapsed(),
    };
    let told = open(&directory.join(&input.path), input.format)
        .and_then(|file| tell(input, file, &mut collector));
    check.status = match told {
        Err(reason) => Status::Failed(reason),
        Ok(told) => {
            check.origin = format!("report of {}", told.tools.join(", "));
            for (reason, count) in told.left_out.into_iter().filter(|(_, count)| *count > 0) {
                *collector.left_out.entry(reason.to_owned()).or_default() += count;
            }
            let astray = collector
                .all_astray()
                .filter(|_| filter.scope != Scope::Everything);
            match told.judgement {
                Judgement::Findings { .. } if let Some(first) = astray => Status::Failed(format!(
                    "no file that the report names is in the workspace; the first is `{first}`"
                )),
                Judgement::Clean { .. } => Status::Clean,
                Judgement::Findings { count, .. } => Status::Findings(count),
                Judgement::Empty { reason } | Judgement::Failed { reason } => {
                    Status::Failed(reason)
                }
            }
        }
    };
    check.duration = started.elapsed();
    (check, collector)
}

/// Reads the findings in the report's own format.
fn tell(input: &ReportInput, file: File, collector: &mut Collector) -> Result<Told, String> {
    let reader = BufReader::with_capacity(256 * 1024, file);
    let stem = file_stem(&input.path);
    let mut sink = |tool: &str, finding| collector.add(&tool_name(tool), finding);
    let unreadable = |error| format!("{}:{error}", input.path);
    let limits = Limits::default();
    match input.format {
        ReportFormat::Sarif => {
            let summary = sarif::read_with(reader, limits, &mut sink).map_err(unreadable)?;
            let total =
                |count: fn(&sarif::RunSummary) -> u64| summary.runs.iter().map(count).sum::<u64>();
            Ok(Told {
                tools: summary
                    .runs
                    .iter()
                    .map(|run| tool_name(&run.tool))
                    .collect(),
                left_out: vec![
                    ("suppressed in the report", total(|run| run.suppressed)),
                    ("unchanged in the report", total(|run| run.unchanged)),
                    (
                        "no problem by its kind or level",
                        total(|run| run.not_failing),
                    ),
                ],
                judgement: sarif::judge_report(input.exit_code, &summary),
            })
        }
        ReportFormat::Rdjson | ReportFormat::Rdjsonl => {
            let summary = if input.format == ReportFormat::Rdjson {
                rdjson::read_document(reader, stem, limits, &mut sink)
            } else {
                rdjson::read_lines(reader, stem, limits, &mut sink)
            };
            let summary = summary.map_err(unreadable)?;
            Ok(Told {
                tools: summary.tools.iter().map(|tool| tool_name(tool)).collect(),
                left_out: Vec::new(),
                judgement: rdjson::judge_report(input.exit_code, &summary),
            })
        }
        ReportFormat::Diff => {
            let mut sink = |finding| sink(stem, finding);
            let found = unified_diff::read_report(reader, stem, &mut sink)
                .map_err(|error| format!("{}: {error}", input.path))?;
            Ok(Told {
                tools: vec![tool_name(stem)],
                left_out: Vec::new(),
                judgement: reported::judge_diff(input.exit_code, found),
            })
        }
    }
}

/// What a report without a name for its tool is called after.
fn file_stem(path: &str) -> &str {
    let stem = Path::new(path).file_stem().and_then(|stem| stem.to_str());
    stem.unwrap_or(path)
}

fn open(path: &Path, format: ReportFormat) -> Result<File, String> {
    let unreadable = |error: std::io::Error| format!("the report cannot be read: {error}");
    // Before it is opened: opening a pipe that nobody writes to waits for ever.
    let metadata = path.metadata().map_err(unreadable)?;
    if !metadata.is_file() {
        return Err("the report is no file".into());
    }
    let file = File::open(path).map_err(unreadable)?;
    // Nothing to change is an empty diff.
    if metadata.len() == 0 && format != ReportFormat::Diff {
        return Err(
            "the report is empty (0 bytes): the tool that should have written it did not".into(),
        );
    }
    Ok(file)
}

/// The name under which a driver's findings are ignored and merged: as we call the tool ourselves.
fn tool_name(driver: &str) -> String {
    let lower = driver.to_lowercase();
    match Tool::from_name(&lower) {
        Some(tool) => tool.name().to_owned(),
        None => driver.to_owned(),
    }
}
