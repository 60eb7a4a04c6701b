//! Workflow commands, as the runner parses them (actions/runner `ActionCommand.cs`, toolkit `command.ts`).

use std::fmt::Write as _;

use crate::model::untrusted;

/// The runner cuts an annotation's message here, in UTF-16 code units, without saying so.
pub const MESSAGE_LIMIT: usize = 4_096;

/// Longer titles are refused by the API that stores annotations.
const TITLE_LIMIT: usize = 255;

/// A command for the runner.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Command {
    name: &'static str,
    properties: Vec<(&'static str, String)>,
    data: String,
}

/// How loud an annotation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// `::notice`
    Notice,
    /// `::warning`
    Warning,
    /// `::error`
    Error,
}

impl Level {
    /// The command's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Notice => "notice",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl Command {
    /// Starts a foldable group of log lines.
    pub fn group(title: &str) -> Self {
        Self {
            name: "group",
            data: title.to_owned(),
            ..Self::default()
        }
    }

    /// Ends the group; groups do not nest.
    pub fn end_group() -> Self {
        Self {
            name: "endgroup",
            ..Self::default()
        }
    }

    /// Hides a value in everything that comes later.
    pub fn add_mask(value: &str) -> Self {
        Self {
            name: "add-mask",
            data: value.to_owned(),
            ..Self::default()
        }
    }

    /// Removes the matcher of this owner, so that lines which look like its pattern take nothing of our budget.
    pub fn remove_matcher(owner: &str) -> Self {
        Self {
            name: "remove-matcher",
            properties: vec![("owner", owner.to_owned())],
            ..Self::default()
        }
    }

    /// An annotation. Empty properties are left out; text of strangers is made harmless also for terminals and logs that
    /// show the command as it is.
    pub fn annotation(level: Level, title: &str, message: &str) -> Self {
        let mut command = Self {
            name: level.name(),
            data: cut(&untrusted::lines(message), MESSAGE_LIMIT),
            ..Self::default()
        };
        command.property("title", cut(title, TITLE_LIMIT));
        command
    }

    /// Adds a property, unless it is empty.
    pub fn property(&mut self, name: &'static str, value: impl Into<String>) {
        let value = value.into();
        if !value.is_empty() {
            self.properties
                .push((name, untrusted::line(&value).into_owned()));
        }
    }

    /// The line that the runner reads, without its line break.
    pub fn render(&self) -> String {
        let mut text = format!("::{}", self.name);
        for (index, (name, value)) in self.properties.iter().enumerate() {
            let separator = if index == 0 { ' ' } else { ',' };
            let _ = write!(text, "{separator}{name}={}", escape_property(value));
        }
        text.push_str("::");
        text.push_str(&escape_data(&self.data));
        text
    }
}

/// `%`, CR and LF, percent first.
fn escape_data(value: &str) -> String {
    value
        .replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// Data's rules, and `:` and `,`.
fn escape_property(value: &str) -> String {
    escape_data(value).replace(':', "%3A").replace(',', "%2C")
}

/// At most `limit` UTF-16 code units, with `…` where something was cut.
pub fn cut(text: &str, limit: usize) -> String {
    let mut units = 0;
    for (at, character) in text.char_indices() {
        units += character.len_utf16();
        if units > limit {
            // Room for the mark itself.
            let end = text[..at]
                .char_indices()
                .next_back()
                .map_or(0, |(before, _)| before);
            return format!("{}…", &text[..end]);
        }
    }
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_as_the_toolkit_does() {
        assert_eq!(escape_data("100% of\r\n::x"), "100%25 of%0D%0A::x");
        assert_eq!(escape_property("a:b,c%\n"), "a%3Ab%2Cc%25%0A");
        let mut command = Command::annotation(Level::Error, "a:b", "100%\nx");
        command.property("file", "we,ird:%name.py");
        command.property("line", "");
        assert_eq!(
            command.render(),
            "::error title=a%3Ab,file=we%2Cird%3A%25name.py::100%25%0Ax"
        );
    }

    #[test]
    fn text_of_strangers_is_harmless_also_where_a_command_is_only_shown() {
        let mut command = Command::annotation(Level::Error, "##[error]\x1b", "a\n::error::x");
        command.property("file", "::a\r.py");
        assert_eq!(
            command.render(),
            "::error title=##\u{200b}[error]␛,file=\u{200b}%3A%3Aa␍.py::a%0A\u{200b}::error::x"
        );
    }

    #[test]
    fn commands_without_properties_have_no_space() {
        assert_eq!(Command::end_group().render(), "::endgroup::");
        assert_eq!(Command::add_mask("a%\nb").render(), "::add-mask::a%25%0Ab");
        assert_eq!(
            Command::remove_matcher("python").render(),
            "::remove-matcher owner=python::"
        );
    }

    #[test]
    fn messages_are_cut_in_utf16_units_between_characters() {
        let text = "😀".repeat(3_000);
        let short = cut(&text, MESSAGE_LIMIT);
        assert!(short.encode_utf16().count() <= MESSAGE_LIMIT);
        assert!(short.ends_with("😀…"));
        assert_eq!(cut("abc", 3), "abc");
    }
}
