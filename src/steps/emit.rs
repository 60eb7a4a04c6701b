//! Emits a report, once, from the outermost process: text, documents, annotations, summary, outputs.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;

use crate::error::{Error, Result, count};
use crate::github::commands::{Command, Level};
use crate::github::console::OutputFormat;
use crate::github::files::{self, SUMMARY_LIMIT};
use crate::model::diagnostic::Severity;
use crate::model::report::{Report, Status};
use crate::report::annotations::{self, Annotation};
use crate::report::{json, sarif, summary, text};
use crate::steps::world::{Common, World};
use crate::system::clock::Date;
use crate::system::files::{hex, write_atomically};
use crate::system::masking::Masker;

/// For how many days the suggested entries of `ignore` hold.
const IGNORE_DAYS: u32 = 90;

/// Emits everything; returns the exit code.
pub fn emit(report: &Report, common: &Common, world: &World) -> Result<u8> {
    let until = Date::in_days(IGNORE_DAYS).to_string();
    let console = &world.console;
    let report = &masked(report, console.masker());
    let report_file = report_file(report, common, world)?;
    let mut outputs = report.outputs.clone();
    outputs.insert("verdict".to_owned(), report.verdict.name().to_owned());
    outputs.insert(
        "report".to_owned(),
        report_file
            .as_ref()
            .map(|path| path.display().to_string())
            .unwrap_or_default(),
    );
    let broken =
        |error: serde_json::Error| Error::bug("the report cannot be written as JSON").cause(error);
    let masker = console.masker();
    let is_document_wanted = report_file.is_some() || console.format() == OutputFormat::Json;
    let document = if is_document_wanted {
        json::render(report, &outputs, &until).map_err(broken)?
    } else {
        String::new()
    };

    if let Some(path) = &report_file {
        write(path, &masker.mask(&document))?;
    }
    if let Some(path) = &common.sarif_file {
        write(
            &world.directory.join(path),
            &masker.mask(&sarif::render(report).map_err(broken)?),
        )?;
    }
    // Matchers that other actions registered would turn our own lines into annotations, at our expense.
    console.command(&Command::remove_matcher("python"));
    match console.format() {
        OutputFormat::Human => console.text(&text::render(report, console.color(), &until)),
        OutputFormat::Json => console.document(&document),
        OutputFormat::Sarif => console.document(&sarif::render(report).map_err(broken)?),
        OutputFormat::Github => {}
    }
    annotate(report, world, &until);
    summarise(report, common, world)?;
    if let Some(path) = &world.context.output_file {
        for (name, value) in &outputs {
            files::append_value(path, name, &masker.mask(value)).map_err(|error| {
                Error::no_verdict("the step's outputs cannot be written").cause(error)
            })?;
        }
    }
    Ok(report.exit_code())
}

/// The report without any secret. The doors mask as well, but what was escaped for JSON, Markdown or a workflow command
/// is no longer the value that they know: `ghs_…` is `ghs&#95;…` in the summary, and shows as `ghs_…`.
fn masked<'r>(report: &'r Report, masker: &Masker) -> Cow<'r, Report> {
    if masker.is_empty() {
        return Cow::Borrowed(report);
    }
    let hide_own = |text: &mut String| {
        if let Cow::Owned(masked) = masker.mask(text) {
            *text = masked;
        }
    };
    let hide = |text: &mut Arc<str>| {
        if let Cow::Owned(masked) = masker.mask(text) {
            *text = masked.into();
        }
    };
    let hide_box = |text: &mut Box<str>| {
        if let Cow::Owned(masked) = masker.mask(text) {
            *text = masked.into();
        }
    };
    let mut report = report.clone();
    for finding in &mut report.findings {
        hide(&mut finding.tool);
        hide(&mut finding.message);
        for text in [
            &mut finding.rule,
            &mut finding.path,
            &mut finding.url,
            &mut finding.help,
        ]
        .into_iter()
        .flatten()
        {
            hide(text);
        }
        for source in &mut finding.also {
            hide(&mut source.tool);
            if let Some(rule) = &mut source.rule {
                hide(rule);
            }
        }
        if let Some(fix) = &mut finding.fix {
            if let Some(message) = &mut fix.message {
                hide_box(message);
            }
            for edit in &mut fix.edits {
                hide_box(&mut edit.text);
            }
        }
        if let Some(excerpt) = &mut finding.excerpt
            && let Cow::Owned(masked) = masker.mask(excerpt)
        {
            *excerpt = masked.into();
            // The caret would stand under other characters.
            if let Some(span) = &mut finding.span {
                (span.start.byte, span.end.byte) = (None, None);
            }
        }
    }
    for check in &mut report.checks {
        hide_own(&mut check.name);
        hide_own(&mut check.origin);
        if let Status::Failed(reason) = &mut check.status {
            hide_own(reason);
        }
    }
    Cow::Owned(report)
}

/// Where the JSON report goes: where the user says, else in a workflow a file of its own below `RUNNER_TEMP`.
fn report_file(report: &Report, common: &Common, world: &World) -> Result<Option<PathBuf>> {
    if let Some(path) = &common.report_file {
        return Ok(Some(world.directory.join(path)));
    }
    let Some(temp) = &world.context.runner_temp else {
        return Ok(None);
    };
    let mut random = [0; 8];
    getrandom::fill(&mut random)
        .map_err(|error| Error::no_verdict("the system gives no random numbers").cause(error))?;
    Ok(Some(temp.join("lockgate").join(format!(
        "{}-{}.json",
        report.step,
        hex(&random)
    ))))
}

fn write(path: &std::path::Path, content: &str) -> Result<()> {
    write_atomically(path, content.as_bytes()).map_err(|error| {
        Error::no_verdict(format!("`{}` cannot be written", path.display())).cause(error)
    })
}

fn annotate(report: &Report, world: &World, until: &str) {
    if !world.console.takes_commands() {
        return;
    }
    let (annotations, left_out) = annotations::annotations(report, until);
    for annotation in &annotations {
        world.console.command(&command(annotation));
    }
    if left_out > 0 && world.context.is_workflow {
        world.console.note(&format!(
            "{}: {} without an annotation (GitHub shows ten of each level); all are in the summary and the report",
            report.step,
            count(left_out, "finding")
        ));
    }
}

fn command(annotation: &Annotation) -> Command {
    let level = match annotation.severity {
        Severity::Error => Level::Error,
        Severity::Warning => Level::Warning,
        Severity::Note => Level::Notice,
    };
    let mut command = Command::annotation(level, &annotation.title, &annotation.message);
    let path = annotation.path.as_deref().unwrap_or_default();
    command.property("file", path);
    if let Some((line, end_line)) = annotation.lines {
        command.property("line", line.to_string());
        command.property("endLine", end_line.to_string());
    }
    if let Some((column, end_column)) = annotation.columns {
        command.property("col", column.to_string());
        command.property("endColumn", end_column.to_string());
    }
    command
}

fn summarise(report: &Report, common: &Common, world: &World) -> Result<()> {
    let mask = |text: &str| world.console.masker().mask(text).into_owned();
    if let Some(path) = &common.summary_file {
        return write(
            &world.directory.join(path),
            &mask(&summary::render(report, SUMMARY_LIMIT)),
        );
    }
    let Some(path) = &world.context.summary_file else {
        return Ok(());
    };
    // Other steps of the same composite write their own files; one file is one step's.
    let markdown = mask(&summary::render(report, SUMMARY_LIMIT - 1_024));
    match files::append_summary(path, &markdown) {
        Ok(true) => {}
        Ok(false) => world
            .console
            .note("the job summary is full; the report has everything"),
        Err(error) => world
            .console
            .note(&format!("the job summary cannot be written: {error}")),
    }
    Ok(())
}
