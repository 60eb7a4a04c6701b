//! Attributes and moments as OTLP's JSON has them
//! (<https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>).

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

/// So much of a text is told, characters.
const LONGEST: usize = 1_024;

/// A list of attributes.
#[derive(Debug, Default)]
pub(super) struct Attributes(Vec<Value>);

impl Attributes {
    /// Adds a text, cut where it is very long.
    pub(super) fn text(&mut self, key: &str, value: &str) -> &mut Self {
        let value: String = value.chars().take(LONGEST).collect();
        self.0
            .push(json!({"key": key, "value": {"stringValue": value}}));
        self
    }

    /// Adds a text that may be missing.
    pub(super) fn optional(&mut self, key: &str, value: Option<&str>) -> &mut Self {
        match value {
            Some(value) => self.text(key, value),
            None => self,
        }
    }

    /// Adds a number. OTLP writes those of 64 bits as strings.
    pub(super) fn number(&mut self, key: &str, value: u64) -> &mut Self {
        self.0
            .push(json!({"key": key, "value": {"intValue": value.to_string()}}));
        self
    }

    /// Adds yes or no.
    pub(super) fn flag(&mut self, key: &str, value: bool) -> &mut Self {
        self.0
            .push(json!({"key": key, "value": {"boolValue": value}}));
        self
    }

    /// The list.
    pub(super) fn done(&mut self) -> Value {
        Value::Array(std::mem::take(&mut self.0))
    }
}

/// Nanoseconds since 1970, as a string.
pub(super) fn nanoseconds(started: SystemTime, after: Duration) -> String {
    let since = started
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    let nanoseconds = since.saturating_add(after).as_nanos();
    u64::try_from(nanoseconds).unwrap_or(u64::MAX).to_string()
}
