//! The one writer of standard output and standard error: masks, makes text of strangers harmless, and keeps
//! workflow commands apart from text.

use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};

use crate::github::commands::Command;
use crate::github::context::Context;
use crate::github::log_lines::LogLines;
use crate::model::untrusted;
use crate::system::blocks::Blocks;
use crate::system::environment::Environment;
use crate::system::logging;
use crate::system::masking::{Masker, Secret};

/// How a step shows its report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum OutputFormat {
    /// Text for people; in a workflow also annotations.
    #[default]
    Human,
    /// The JSON report and nothing else on standard output.
    Json,
    /// The findings as SARIF 2.1.0 and nothing else on standard output.
    Sarif,
    /// Workflow commands only.
    Github,
}

impl OutputFormat {
    /// Whether standard output holds one document and nothing else.
    pub fn is_document(self) -> bool {
        matches!(self, Self::Json | Self::Sarif)
    }
}

/// The doors to the outside of one process.
#[derive(Clone, Debug)]
pub struct Console {
    masker: Masker,
    is_workflow: bool,
    /// Whether workflow commands are wanted.
    commands: bool,
    format: OutputFormat,
    color: bool,
}

impl Console {
    /// The doors for one format of output.
    pub fn new(
        environment: &Environment,
        masker: Masker,
        context: &Context,
        format: OutputFormat,
    ) -> Self {
        let color = format == OutputFormat::Human && wants_color(environment, context.is_workflow);
        // Who runs a nested step prints what it says, and would print its secrets with it.
        let is_workflow = context.is_workflow && !context.is_nested;
        Self {
            masker,
            is_workflow,
            commands: is_workflow || (format == OutputFormat::Github && !context.is_nested),
            format,
            color,
        }
    }

    /// What goes to standard output.
    pub fn format(&self) -> OutputFormat {
        self.format
    }

    /// Whether workflow commands go anywhere.
    pub fn takes_commands(&self) -> bool {
        self.commands
    }

    /// Whether text may carry colour.
    pub fn color(&self) -> bool {
        self.color
    }

    /// The registry of secrets.
    pub fn masker(&self) -> &Masker {
        &self.masker
    }

    /// Human text, line by line as `render` writes it. Every line is made harmless; colour that we added stays.
    pub fn text_by(&self, render: impl FnOnce(&mut dyn Write) -> io::Result<()>) {
        put_by(
            self.stream(),
            |text| {
                let masked = self.masker.mask(text);
                Cow::Owned(if self.color {
                    keep_color(&masked)
                } else {
                    untrusted::lines(&masked)
                })
            },
            render,
        );
    }

    /// A log with its title, each line harmless and none without an end: folded away, where a workflow folds, or open
    /// below the title. Memory holds a block, however long the log is.
    pub fn log_by(
        &self,
        title: &str,
        is_folded: bool,
        render: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) {
        let folds = is_folded && self.commands;
        if folds {
            self.command(&Command::group(title));
        } else {
            self.text_by(|out| writeln!(out, "{title}"));
        }
        self.text_by(|out| {
            let mut lines = LogLines::new(out);
            let rendered = render(&mut lines);
            lines.finish().and(rendered)
        });
        if folds {
            self.command(&Command::end_group());
        }
    }

    /// Progress and errors, on standard error.
    pub fn note(&self, text: &str) {
        if logging::is_json() {
            tracing::info!("{text}");
            return;
        }
        let masked = self.masker.mask(text);
        put(&mut io::stderr().lock(), &untrusted::lines(&masked));
    }

    /// Columns and lines of the terminal.
    pub fn terminal_size(&self) -> (usize, usize) {
        terminal_size().unwrap_or((80, 24))
    }

    /// Draws lines where `drawn` lines stand on the terminal; the cursor stays below them.
    pub fn redraw(&self, drawn: usize, lines: &[String]) {
        if !self.is_watched() {
            return;
        }
        let mut text = String::new();
        if drawn > 0 {
            text = format!("\x1b[{drawn}A\r");
        }
        text.push_str("\x1b[J");
        for line in lines {
            text.push_str(&untrusted::line(&self.masker.mask(line)));
            text.push('\n');
        }
        let mut out = io::stderr().lock();
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }

    /// Whether somebody looks on while we work.
    pub fn is_watched(&self) -> bool {
        !self.is_workflow && !logging::is_json() && io::stderr().is_terminal()
    }

    /// One line on the terminal that the next one replaces; an empty one leaves nothing behind.
    pub fn live(&self, text: &str) {
        if self.is_watched() {
            let masked = self.masker.mask(text);
            let mut out = io::stderr().lock();
            let _ = write!(out, "\r\x1b[2K{}", untrusted::line(&masked));
            let _ = out.flush();
        }
    }

    /// Starts a foldable group of lines on standard error, in a workflow.
    pub fn open_group(&self, title: &str) {
        self.log_command(&Command::group(title));
    }

    /// Ends the group.
    pub fn close_group(&self) {
        self.log_command(&Command::end_group());
    }

    /// A command among the lines of standard error, where its place between them matters.
    fn log_command(&self, command: &Command) {
        if self.commands && !logging::is_json() {
            put(
                &mut io::stderr().lock(),
                &self.masker.mask(&command.render()),
            );
        }
    }

    /// A workflow command; nothing outside a workflow.
    pub fn command(&self, command: &Command) {
        if self.commands {
            let rendered = command.render();
            self.write(&self.masker.mask(&rendered));
        }
    }

    /// Registers a secret before its first use, with us and with the runner.
    pub fn hide(&self, secret: &Secret) {
        for value in self.masker.register(secret) {
            if self.is_workflow {
                // The one line that holds the value: the runner swallows it.
                self.write(&Command::add_mask(value.reveal()).render());
            }
        }
    }

    /// The one document that standard output holds.
    pub fn document(&self, document: &str) {
        put(&mut io::stdout().lock(), &self.masker.mask(document));
    }

    /// The same, as `render` writes it.
    pub fn document_by(&self, render: impl FnOnce(&mut dyn Write) -> io::Result<()>) {
        let out = Box::new(io::stdout().lock());
        put_by(out, |text| self.masker.mask(text), render);
    }

    fn write(&self, text: &str) {
        put(&mut *self.stream(), text);
    }

    fn stream(&self) -> Box<dyn Write> {
        if self.format.is_document() {
            Box::new(io::stderr().lock())
        } else {
            Box::new(io::stdout().lock())
        }
    }
}

#[cfg(unix)]
fn terminal_size() -> Option<(usize, usize)> {
    let size = rustix::termios::tcgetwinsize(io::stderr()).ok()?;
    let size = (usize::from(size.ws_col), usize::from(size.ws_row));
    (size.0 > 0 && size.1 > 0).then_some(size)
}

#[cfg(not(unix))]
fn terminal_size() -> Option<(usize, usize)> {
    None
}

/// A reader that has gone (`| head`) is no reason to fail.
fn put(writer: &mut dyn Write, text: &str) {
    let _ = writer.write_all(text.as_bytes());
    if !text.ends_with('\n') {
        let _ = writer.write_all(b"\n");
    }
    let _ = writer.flush();
}

/// What is left is of no use to a reader that has gone, so nothing more is made.
fn put_by(
    out: Box<dyn Write>,
    change: impl for<'t> Fn(&'t str) -> Cow<'t, str>,
    render: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) {
    let mut blocks = Blocks::new(out, change);
    let _ = render(&mut blocks).and_then(|()| blocks.finish().map(drop));
}

/// <https://no-color.org>, <https://force-color.org>, <https://bixense.com/clicolors>; else only on a terminal.
fn wants_color(environment: &Environment, is_workflow: bool) -> bool {
    if environment.get("NO_COLOR").is_some() {
        return false;
    }
    let forced = |name: &str| environment.get(name).is_some_and(|value| value != "0");
    if forced("FORCE_COLOR") || forced("CLICOLOR_FORCE") {
        return true;
    }
    !is_workflow && environment.get("TERM") != Some("dumb") && io::stdout().is_terminal()
}

/// Makes lines harmless but for the colour sequences (`ESC [ … m`) of our own renderers. What they wrap was made
/// harmless before it reached them.
fn keep_color(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    for (index, line) in text.split('\n').enumerate() {
        if index > 0 {
            kept.push('\n');
        }
        let mut rest = line;
        while let Some(at) = rest.find("\x1b[") {
            kept.push_str(&untrusted::line(&rest[..at]));
            let tail = &rest[at + 2..];
            let length = tail
                .find(|c: char| !c.is_ascii_digit() && c != ';')
                .unwrap_or(tail.len());
            if tail[length..].starts_with('m') {
                kept.push_str(&rest[at..=(at + 2 + length)]);
                rest = &tail[length + 1..];
            } else {
                kept.push('␛');
                rest = &rest[at + 1..];
            }
        }
        kept.push_str(&untrusted::line(rest));
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_colour_survives() {
        assert_eq!(
            keep_color("\x1b[1;31mx\x1b[0m \x1b[2J\x1b]0;t\x07"),
            "\x1b[1;31mx\x1b[0m ␛[2J␛]0;t␇"
        );
    }

    #[test]
    fn colour_follows_the_conventions() {
        let environment = |pairs: &[(&str, &str)]| pairs.iter().copied().collect::<Environment>();
        assert!(wants_color(&environment(&[("FORCE_COLOR", "1")]), true));
        assert!(!wants_color(
            &environment(&[("FORCE_COLOR", "1"), ("NO_COLOR", "1")]),
            false
        ));
        assert!(!wants_color(&environment(&[("CLICOLOR_FORCE", "0")]), true));
    }
}
