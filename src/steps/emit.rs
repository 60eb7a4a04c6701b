//! Emits a report, once, from the outermost process: text, documents, annotations, summary, outputs.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
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
use crate::system::ahead::in_order;
use crate::system::blocks::Blocks;
use crate::system::clock::Date;
use crate::system::files::{hex, write_atomically_by};
use crate::system::masking::Masker;

/// For how many days the suggested entries of `ignore` hold.
const IGNORE_DAYS: u32 = 90;

/// Emits everything; returns the exit code.
pub fn emit(mut report: Report, common: &Common, world: &World) -> Result<u8> {
    let until = Date::in_days(IGNORE_DAYS).to_string();
    let console = &world.console;
    let masker = console.masker();
    mask(&mut report, masker);
    // The process ends with it: to give back the memory of half a million findings, one by one, would help nobody.
    let report = &*std::mem::ManuallyDrop::new(report);
    let report_file = report_file(report.step, common, world)?;
    let mut outputs = report.outputs.clone();
    outputs.insert("verdict".to_owned(), report.verdict.name().to_owned());
    outputs.insert(
        "report".to_owned(),
        report_file
            .as_ref()
            .map(|path| path.display().to_string())
            .unwrap_or_default(),
    );
    // Matchers that other actions registered would turn our own lines into annotations, at our expense.
    console.command(&Command::remove_matcher("python"));
    // Files beside standard output: each takes its time where there are half a million findings.
    std::thread::scope(|scope| {
        let json_file = report_file.as_ref().map(|path| {
            scope.spawn(|| {
                write(path, masker, |out| {
                    write_json(report, &outputs, &until, out)
                })
            })
        });
        let sarif_file = common.sarif_file.as_ref().map(|path| {
            scope.spawn(move || {
                write(&world.directory.join(path), masker, |out| {
                    sarif::render(report, out)
                })
            })
        });
        match console.format() {
            OutputFormat::Human => {
                console.text_by(|out| text::render(report, console.color(), &until, out));
            }
            OutputFormat::Json => {
                console.document_by(|out| write_json(report, &outputs, &until, out));
            }
            OutputFormat::Sarif => console.document_by(|out| sarif::render(report, out)),
            OutputFormat::Github => {}
        }
        let mut files = [json_file, sarif_file].into_iter().flatten();
        files.try_for_each(|file| {
            file.join()
                .unwrap_or_else(|_| Err(Error::bug("a report could not be written")))
        })
    })?;
    let (annotations, without) = if console.takes_commands() {
        annotations::annotations(report, &until)
    } else {
        // Nobody would see them.
        (Vec::new(), 0)
    };
    annotate(&annotations, without, report, world);
    summarise(report, without, common, world)?;
    write_outputs(&outputs, world)?;
    Ok(report.exit_code())
}

/// Writes a step's outputs for later steps.
pub fn write_outputs(outputs: &BTreeMap<String, String>, world: &World) -> Result<()> {
    let Some(path) = &world.context.output_file else {
        return Ok(());
    };
    let masker = world.console.masker();
    for (name, value) in outputs {
        files::append_value(path, name, &masker.mask(value)).map_err(|error| {
            Error::no_verdict("the step's outputs cannot be written").cause(error)
        })?;
    }
    Ok(())
}

/// Writes the JSON report, by several threads where there is much of it.
fn write_json(
    report: &Report,
    outputs: &BTreeMap<String, String>,
    ignore_until: &str,
    out: &mut dyn Write,
) -> io::Result<()> {
    let (head, tail) = json::around(report, outputs)?;
    out.write_all(&head)?;
    let maker = || json::lines(report, ignore_until);
    in_order(&report.findings, json::PIECE, maker, |lines| {
        out.write_all(&lines?)
    })?;
    out.write_all(&tail)
}

/// Hides every secret in the report. The doors mask as well, but what was escaped for JSON, Markdown or a workflow
/// command is no longer the value that they know: `ghs_…` is `ghs&#95;…` in the summary, and shows as `ghs_…`.
fn mask(report: &mut Report, masker: &Masker) {
    if masker.is_empty() {
        return;
    }
    let hide_own = |text: &mut String| {
        if let Cow::Owned(masked) = masker.mask(text) {
            *text = masked;
        }
    };
    let is_secret = |text: &str| matches!(masker.mask(text), Cow::Owned(_));
    let hide = |text: &mut Arc<str>| {
        if let Cow::Owned(masked) = masker.mask(text) {
            *text = masked.into();
        }
    };
    for finding in &mut report.findings {
        hide(&mut finding.tool);
        hide(&mut finding.message);
        for text in [
            &mut finding.rule,
            &mut finding.path,
            &mut finding.subject,
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
        // Part of a fix would write the mask into the file.
        finding.fix.take_if(|fix| {
            fix.message.as_deref().is_some_and(is_secret)
                || fix.edits.iter().any(|edit| is_secret(&edit.text))
        });
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
    for table in &mut report.tables {
        hide_own(&mut table.title);
        table.rows.iter_mut().flatten().for_each(hide_own);
    }
    for (_, value) in &mut report.facts {
        hide_own(value);
    }
}

/// Where the JSON report of a step goes: where the user says, else in a workflow a file of its own below `RUNNER_TEMP`.
pub fn report_file(step: &str, common: &Common, world: &World) -> Result<Option<PathBuf>> {
    if let Some(path) = &common.report_file {
        return Ok(Some(world.directory.join(path)));
    }
    let Some(temp) = &world.context.runner_temp else {
        return Ok(None);
    };
    let mut random = [0; 8];
    getrandom::fill(&mut random)
        .map_err(|error| Error::no_verdict("the system gives no random numbers").cause(error))?;
    Ok(Some(
        temp.join("lockgate")
            .join(format!("{step}-{}.json", hex(&random))),
    ))
}

/// Writes a document into a file, masked on the way.
pub fn write(
    path: &Path,
    masker: &Masker,
    render: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<()> {
    write_atomically_by(path, |file| {
        if masker.is_empty() {
            let mut out = BufWriter::new(file);
            render(&mut out)?;
            return out.flush();
        }
        let mut blocks = Blocks::new(file, |text| masker.mask(text));
        render(&mut blocks)?;
        blocks.finish().map(drop)
    })
    .map_err(|error| {
        Error::no_verdict(format!("`{}` cannot be written", path.display())).cause(error)
    })
}

/// Shows annotations, and says how many findings have none.
pub fn annotate(annotations: &[Annotation], without: u64, report: &Report, world: &World) {
    for annotation in annotations {
        world.console.command(&command(annotation));
    }
    if without > 0 && world.context.is_workflow {
        world.console.note(&format!(
            "{}: {} without an annotation ({}); all are in the summary and the report",
            report.step,
            count(without, "finding"),
            annotations::limit(report)
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

fn summarise(report: &Report, without: u64, common: &Common, world: &World) -> Result<()> {
    write_summary(common, world, |limit| {
        summary::render(report, without, limit)
    })
}

/// Writes the summary where the user says, else to the job's: `render` makes Markdown of at most so many bytes.
pub fn write_summary(
    common: &Common,
    world: &World,
    render: impl Fn(usize) -> String,
) -> Result<()> {
    let masker = world.console.masker();
    let markdown = |limit| masker.mask(&render(limit)).into_owned();
    if let Some(path) = &common.summary_file {
        let markdown = markdown(SUMMARY_LIMIT);
        return write(&world.directory.join(path), masker, |out| {
            out.write_all(markdown.as_bytes())
        });
    }
    let Some(path) = &world.context.summary_file else {
        return Ok(());
    };
    // Other steps of the same composite write their own files; one file is one step's.
    match files::append_summary(path, &markdown(SUMMARY_LIMIT - 1_024)) {
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
