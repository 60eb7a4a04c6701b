//! Reads reports made elsewhere.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use crate::linters::{Judgement, sarif};
use crate::model::report::{Check, Status};
use crate::steps::lint_gate::Scope;
use crate::steps::lint_gate::filter::{Collector, Filter};
use crate::steps::lint_gate::settings::ReportInput;

/// Reads one report. What cannot be read is a check that failed, with the reason.
pub fn read(input: &ReportInput, directory: &Path, filter: &Arc<Filter>) -> (Check, Collector) {
    let started = Instant::now();
    let mut collector = Collector::new(filter.clone());
    let mut check = Check {
        name: input.path.clone(),
        version: None,
        origin: "report".to_owned(),
        status: Status::Clean,
        files: None,
        duration: started.elapsed(),
    };
    check.status = match open(&directory.join(&input.path)) {
        Err(reason) => Status::Failed(reason),
        Ok(file) => {
            let reader = BufReader::with_capacity(256 * 1024, file);
            match sarif::read(reader, &mut |tool, finding| {
                collector.add(&tool_name(tool), finding);
            }) {
                Err(error) => Status::Failed(format!("{}:{error}", input.path)),
                Ok(summary) => {
                    let names: Vec<String> = summary
                        .runs
                        .iter()
                        .map(|run| tool_name(&run.tool))
                        .collect();
                    check.origin = format!("report of {}", names.join(", "));
                    for run in &summary.runs {
                        for (reason, count) in [
                            ("suppressed in the report", run.suppressed),
                            ("unchanged in the report", run.unchanged),
                            ("no problem by its kind or level", run.not_failing),
                        ] {
                            if count > 0 {
                                *collector.left_out.entry(reason.to_owned()).or_default() += count;
                            }
                        }
                    }
                    let astray = collector
                        .all_astray()
                        .filter(|_| filter.scope != Scope::Everything);
                    match sarif::judge_report(input.exit_code, &summary) {
                        Judgement::Findings { .. } if let Some(first) = astray => {
                            Status::Failed(format!(
                                "no file that the report names is in the workspace; the first is `{first}`"
                            ))
                        }
                        Judgement::Clean { .. } => Status::Clean,
                        Judgement::Findings { count, .. } => Status::Findings(count),
                        Judgement::Empty { reason } | Judgement::Failed { reason } => {
                            Status::Failed(reason)
                        }
                    }
                }
            }
        }
    };
    check.duration = started.elapsed();
    (check, collector)
}

fn open(path: &Path) -> Result<File, String> {
    let unreadable = |error: std::io::Error| format!("the report cannot be read: {error}");
    // Before it is opened: opening a pipe that nobody writes to waits for ever.
    let metadata = path.metadata().map_err(unreadable)?;
    if !metadata.is_file() {
        return Err("the report is no file".into());
    }
    let file = File::open(path).map_err(unreadable)?;
    if metadata.len() == 0 {
        return Err(
            "the report is empty (0 bytes): the tool that should have written it did not".into(),
        );
    }
    Ok(file)
}

/// The name under which a driver's findings are ignored and merged: as we call the tool ourselves.
fn tool_name(driver: &str) -> String {
    let lower = driver.to_lowercase();
    match lower.as_str() {
        "ruff" | "mypy" | "pyright" | "basedpyright" => lower,
        _ => driver.to_owned(),
    }
}
