//! Errors: what is wrong, where, why, what is allowed, and the one thing that repairs it.
//!
//! The kind decides the exit code; the error owns its hint. That findings were found is not an error.

use std::fmt::{self, Write as _};

/// The exit codes of every step, as `docs/exit-codes.md` documents them.
pub mod exit {
    /// The gate says yes.
    pub const PASS: u8 = 0;
    /// The gate says no.
    pub const FAIL: u8 = 1;
    /// The user's own mistake: an input, a configuration file, a missing prerequisite.
    pub const USAGE: u8 = 2;
    /// The gate could not look: a tool crashed, a report was unreadable, a service stayed down.
    pub const NO_VERDICT: u8 = 3;
    /// A bug of ours.
    pub const BUG: u8 = 70;

    /// Every code with its meaning, for the reference page.
    pub const TABLE: &[(&str, &str)] = &[
        ("0", "pass"),
        ("1", "the gate says no: findings, not verified"),
        ("2", "usage or configuration: the user's own mistake"),
        (
            "3",
            "no verdict: a tool crashed, an answer was truncated or unreadable, nothing was checked",
        ),
        ("70", "a bug of ours"),
        ("128+n", "ended by signal n"),
    ];
}

/// The page that explains every way to end without a verdict.
pub const NO_VERDICT_PAGE: &str =
    "https://github.com/lockgate/lockgate/blob/main/docs/exit-codes.md#no-verdict";

/// Who has to act on an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The user: an input, a configuration, a prerequisite.
    Usage,
    /// Nobody's mistake: what was asked for does not hold, and the answer is no.
    Refused,
    /// The gate could not look.
    NoVerdict,
    /// We were told to stop by this signal.
    Interrupted(u8),
    /// We: this should not have happened.
    Bug,
}

impl Kind {
    /// The process's exit code.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Usage => exit::USAGE,
            Self::Refused => exit::FAIL,
            Self::NoVerdict => exit::NO_VERDICT,
            Self::Interrupted(signal) => 128 + signal,
            Self::Bug => exit::BUG,
        }
    }
}

/// A place in a file of the user's, with the line to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file, as the user would name it.
    pub path: String,
    /// Line, 1-based.
    pub line: usize,
    /// Column, 1-based, in code points.
    pub column: usize,
    /// The line's text, where it is worth showing.
    pub excerpt: Option<String>,
    /// How many code points the caret underlines.
    pub width: usize,
}

impl Place {
    /// The place of the byte range `span` in `text`, the content of `path`.
    pub fn in_text(path: impl Into<String>, text: &str, span: std::ops::Range<usize>) -> Self {
        let start = floor_boundary(text, span.start);
        let end = floor_boundary(text, span.end.max(start));
        let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
        let excerpt = text[line_start..line_end].trim_end_matches('\r');
        let width = text[start..end.min(line_end).max(start)].chars().count();
        Self {
            path: path.into(),
            line: text[..start].matches('\n').count() + 1,
            column: text[line_start..start].chars().count() + 1,
            excerpt: (!excerpt.is_empty() && excerpt.len() < 400).then(|| excerpt.to_owned()),
            width: width.max(1),
        }
    }
}

fn floor_boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// An error as the user sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// Who has to act.
    pub kind: Kind,
    /// One line: what is wrong, the user's own value in backticks.
    pub message: String,
    /// Where, when there is a file.
    pub place: Option<Place>,
    /// The allowed values, when they are few.
    pub allowed: Vec<String>,
    /// Why, outermost first.
    pub causes: Vec<String>,
    /// The command to run or the line to write.
    pub hint: Option<String>,
}

/// The result of anything that can fail in front of the user.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            place: None,
            allowed: Vec::new(),
            causes: Vec::new(),
            hint: None,
        }
    }

    /// The user's own mistake.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    /// What was asked for does not hold.
    pub fn refused(message: impl Into<String>) -> Self {
        Self::new(Kind::Refused, message)
    }

    /// The gate could not look.
    pub fn no_verdict(message: impl Into<String>) -> Self {
        Self::new(Kind::NoVerdict, message)
    }

    /// We were told to stop.
    pub fn interrupted(signal: u8) -> Self {
        Self::new(
            Kind::Interrupted(signal),
            format!("stopped by signal {signal}"),
        )
    }

    /// A bug of ours.
    pub fn bug(message: impl Into<String>) -> Self {
        Self::new(Kind::Bug, message)
    }

    /// Adds a cause, a line of its own.
    #[must_use]
    pub fn cause(mut self, cause: impl fmt::Display) -> Self {
        self.causes.push(cause.to_string());
        self
    }

    /// Says what to do: the command to run or the line to write.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Says where.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// Names the allowed values.
    #[must_use]
    pub fn allowed<S: Into<String>>(mut self, values: impl IntoIterator<Item = S>) -> Self {
        self.allowed = values.into_iter().map(Into::into).collect();
        self
    }

    /// The same error with every text of it changed: to take secrets out before anything is escaped.
    #[must_use]
    pub fn map_text(mut self, change: impl Fn(&str) -> String) -> Self {
        self.message = change(&self.message);
        self.hint = self.hint.as_deref().map(&change);
        if let Some(place) = &mut self.place {
            place.path = change(&place.path);
            place.excerpt = place.excerpt.as_deref().map(&change);
        }
        for text in self.allowed.iter_mut().chain(&mut self.causes) {
            *text = change(text);
        }
        self
    }

    /// The whole message, several lines, without a final line break.
    pub fn render(&self) -> String {
        let mut text = format!("error: {}", self.message);
        if let Some(place) = &self.place {
            let number = place.line.to_string();
            let margin = " ".repeat(number.len());
            let _ = write!(
                text,
                "\n{margin}--> {}:{}:{}",
                place.path, place.line, place.column
            );
            if let Some(excerpt) = &place.excerpt {
                let indent: String = excerpt
                    .chars()
                    .take(place.column - 1)
                    .map(|c| if c == '\t' { '\t' } else { ' ' })
                    .collect();
                let carets = "^".repeat(place.width);
                let _ = write!(
                    text,
                    "\n{margin} |\n{number} | {excerpt}\n{margin} | {indent}{carets}"
                );
            }
        }
        for cause in &self.causes {
            let _ = write!(
                text,
                "\n  cause: {}",
                cause.trim_end().replace('\n', "\n         ")
            );
        }
        if !self.allowed.is_empty() {
            let _ = write!(text, "\n  allowed: {}", list(&self.allowed, "or"));
        }
        if let Some(hint) = &self.hint {
            let _ = write!(text, "\n\nhint: {hint}");
        }
        if self.kind == Kind::NoVerdict {
            let _ = write!(text, "\nsee: {NO_VERDICT_PAGE}");
        }
        text
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// Joins the items as a sentence does: `a, b or c`.
pub fn list<S: AsRef<str>>(items: &[S], last: &str) -> String {
    match items {
        [] => String::new(),
        [one] => one.as_ref().to_owned(),
        [init @ .., end] => {
            let init: Vec<&str> = init.iter().map(AsRef::as_ref).collect();
            format!("{} {last} {}", init.join(", "), end.as_ref())
        }
    }
}

/// `1 file`, `2 files`.
pub fn count(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

/// The candidate most like `word`, if any is close enough to be what was meant.
pub fn did_you_mean<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(word, candidate), candidate))
        .filter(|(score, _)| *score > 0.8)
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_shows_its_line_and_a_caret_under_the_value() {
        let text = "[tool]\r\nfail-on = \"eror\"\r\n";
        let start = text.find("\"eror").unwrap();
        let error = Error::usage("invalid value `eror` for `fail-on`")
            .at(Place::in_text("pyproject.toml", text, start..start + 6))
            .allowed(["error", "warning"])
            .hint("write `fail-on = \"error\"`");
        assert_eq!(
            error.render(),
            "error: invalid value `eror` for `fail-on`\n --> pyproject.toml:2:11\n  |\n2 | fail-on = \"eror\"\n  |           ^^^^^^\n  allowed: error or warning\n\nhint: write `fail-on = \"error\"`"
        );
    }

    #[test]
    fn a_place_survives_spans_outside_the_text() {
        let place = Place::in_text("x", "é", 1..99);
        assert_eq!((place.line, place.column), (1, 1));
    }

    #[test]
    fn an_exit_without_verdict_names_its_page() {
        assert!(Error::no_verdict("x").render().ends_with(NO_VERDICT_PAGE));
    }

    #[test]
    fn suggests_only_what_is_close() {
        assert_eq!(
            did_you_mean("fail-onn", ["fail-on", "scope"]),
            Some("fail-on")
        );
        assert_eq!(did_you_mean("zzz", ["fail-on", "scope"]), None);
    }
}
