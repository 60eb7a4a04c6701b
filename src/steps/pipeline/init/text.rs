//! Stages as the text of a definition.

use std::fmt::Write as _;

use crate::pipeline::read::Carrier;

/// One stage to be written.
pub(super) struct New {
    /// Its name.
    pub(super) name: &'static str,
    /// Keys, and values as both TOML and YAML take them.
    pub(super) entries: Vec<(&'static str, Entry)>,
}

/// A value of a stage.
pub(super) enum Entry {
    Text(&'static str),
    List(Vec<String>),
    Table(Vec<(&'static str, Entry)>),
    Flag(bool),
}

/// A list of these words.
pub(super) fn strings(words: &[&str]) -> Entry {
    Entry::List(words.iter().map(|word| (*word).to_owned()).collect())
}

/// The stages as text.
pub(super) fn render(stages: &[New], carrier: Carrier) -> String {
    let mut text = String::new();
    if carrier == Carrier::Yaml {
        text.push_str("pipeline:\n  stages:\n");
    }
    for (number, stage) in stages.iter().enumerate() {
        let _ = match carrier {
            Carrier::Toml => {
                if number > 0 {
                    text.push('\n');
                }
                writeln!(text, "[tool.lockgate.pipeline.stages.{}]", stage.name)
            }
            Carrier::Yaml => writeln!(text, "    {}:", stage.name),
        };
        for (key, entry) in &stage.entries {
            let _ = match carrier {
                Carrier::Toml => writeln!(text, "{key} = {}", value(entry, " = ")),
                Carrier::Yaml => writeln!(text, "      {key}: {}", value(entry, ": ")),
            };
        }
    }
    text
}

/// A value in one line, which is the same in TOML and YAML but for what stands behind a key. Texts are as in JSON.
fn value(entry: &Entry, between: &str) -> String {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    match entry {
        Entry::Text(text) => quoted(text),
        Entry::Flag(flag) => flag.to_string(),
        Entry::List(items) => {
            let items: Vec<String> = items.iter().map(|item| quoted(item)).collect();
            format!("[{}]", items.join(", "))
        }
        Entry::Table(entries) => {
            let entries = entries.iter();
            let entries: Vec<String> = entries
                .map(|(key, entry)| format!("{key}{between}{}", value(entry, between)))
                .collect();
            format!("{{ {} }}", entries.join(", "))
        }
    }
}

/// The file with the definition behind what it has.
pub(super) fn joined(before: &str, own: &str) -> String {
    let mut text = before.to_owned();
    if !text.is_empty() {
        if !text.ends_with('\n') {
            text.push('\n');
        }
        text.push('\n');
    }
    text.push_str(own);
    if before.contains("\r\n") {
        text = text.replace("\r\n", "\n").replace('\n', "\r\n");
    }
    text
}
