//! What a run says beside its results: the tool, its rules, the bases of its URIs, whether it worked.

use std::collections::HashMap;
use std::io::{BufRead, Read, Seek, SeekFrom};
use std::ops::Range;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::error::{ErrorKind, Fault};
use super::skim::RunLayout;
use super::uri::{Bases, Location};
use crate::linters::contract::cut;
use crate::model::diagnostic::Severity;
use crate::model::region::ColumnUnit;

/// More failures than these are not told.
pub(super) const MAX_FAILURES: usize = 10;

/// A run without its results.
#[derive(Debug)]
pub(super) struct Run {
    /// The driver's name.
    pub(super) name: String,
    pub(super) version: Option<String>,
    pub(super) unit: ColumnUnit,
    pub(super) bases: Bases,
    /// `artifacts`, by index.
    pub(super) artifacts: Vec<Location>,
    pub(super) failures: Vec<String>,
    driver: Component,
    extensions: Vec<Component>,
}

/// The driver or an extension.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Component {
    name: Option<String>,
    version: Option<String>,
    semantic_version: Option<String>,
    rules: Option<Vec<Rule>>,
    global_message_strings: Option<HashMap<String, Multiformat>>,
    #[serde(skip)]
    by_id: HashMap<String, usize>,
}

/// A `reportingDescriptor`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Rule {
    pub(super) id: Option<String>,
    pub(super) help_uri: Option<String>,
    pub(super) short_description: Option<Multiformat>,
    default_configuration: Option<Configuration>,
    message_strings: Option<HashMap<String, Multiformat>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Multiformat {
    pub(super) text: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Configuration {
    level: Option<String>,
}

#[derive(Deserialize)]
struct Tool {
    driver: Component,
    extensions: Option<Vec<Component>>,
}

#[derive(Deserialize)]
struct Artifact {
    location: Option<Location>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    execution_successful: Option<bool>,
    exit_code_description: Option<String>,
    exit_signal_name: Option<String>,
    process_start_failure_message: Option<String>,
    tool_execution_notifications: Option<Vec<Notification>>,
    tool_configuration_notifications: Option<Vec<Notification>>,
}

#[derive(Deserialize)]
struct Notification {
    level: Option<String>,
    message: Option<Multiformat>,
}

/// How a result refers to its rule.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Reference<'a> {
    pub(super) id: Option<&'a str>,
    pub(super) index: Option<usize>,
    /// Of the extension; the driver without it.
    pub(super) component_index: Option<usize>,
    pub(super) component_name: Option<&'a str>,
}

impl Run {
    /// Reads the parts that the first pass found, none longer than the limit in bytes.
    pub(super) fn read<R: BufRead + Seek>(
        input: &mut R,
        layout: &RunLayout,
        limit: usize,
    ) -> Result<Self, Fault> {
        let Some(tool) = part::<R, Tool>(input, layout.tool.as_ref(), "`tool`", limit)? else {
            return Err(Fault::expected("a run with `tool`", layout.start));
        };
        let kind: Option<String> = part(input, layout.column_kind.as_ref(), "`columnKind`", limit)?;
        let bases: Option<Bases> =
            part(input, layout.bases.as_ref(), "`originalUriBaseIds`", limit)?;
        let invocations: Option<Vec<Invocation>> =
            part(input, layout.invocations.as_ref(), "`invocations`", limit)?;
        let artifacts: Option<Vec<Artifact>> =
            part(input, layout.artifacts.as_ref(), "`artifacts`", limit)?;
        let mut driver = tool.driver;
        driver.index();
        let mut extensions = tool.extensions.unwrap_or_default();
        extensions.iter_mut().for_each(Component::index);
        let mut failures = invocations
            .unwrap_or_default()
            .iter()
            .flat_map(Invocation::failures)
            .collect::<Vec<_>>();
        if layout.results.is_none() {
            failures.push("the run has no `results`: it was not finished".to_owned());
        }
        failures.truncate(MAX_FAILURES);
        Ok(Self {
            name: driver.name.clone().unwrap_or_else(|| "sarif".to_owned()),
            version: driver
                .version
                .clone()
                .or_else(|| driver.semantic_version.clone()),
            unit: match kind.as_deref() {
                Some("utf16CodeUnits") => ColumnUnit::Utf16,
                _ => ColumnUnit::CodePoint,
            },
            bases: bases.unwrap_or_default(),
            artifacts: artifacts
                .unwrap_or_default()
                .into_iter()
                .map(|artifact| artifact.location.unwrap_or_default())
                .collect(),
            failures,
            driver,
            extensions,
        })
    }

    /// The rule of a result. Without a component the driver is asked first, then every extension for the id alone.
    pub(super) fn rule(&self, reference: Reference<'_>) -> Option<&Rule> {
        let named = match (reference.component_index, reference.component_name) {
            (Some(index), _) => self.extensions.get(index),
            (None, Some(name)) => self
                .extensions
                .iter()
                .find(|extension| extension.name.as_deref() == Some(name)),
            (None, None) => None,
        };
        let component = named.unwrap_or(&self.driver);
        let by_index = reference
            .index
            .and_then(|index| component.rules.as_deref()?.get(index));
        by_index.or_else(|| {
            let id = reference.id?;
            component.rule(id).or_else(|| {
                self.extensions
                    .iter()
                    .find_map(|extension| extension.rule(id))
            })
        })
    }

    /// The message with that id: of the rule, or of a component.
    pub(super) fn message<'r>(&'r self, rule: Option<&'r Rule>, id: &str) -> Option<&'r str> {
        let of_rule = rule.and_then(|rule| rule.message_strings.as_ref()?.get(id));
        let of_component = || {
            let mut components = std::iter::once(&self.driver).chain(&self.extensions);
            components.find_map(|component| component.global_message_strings.as_ref()?.get(id))
        };
        of_rule.or_else(of_component)?.text.as_deref()
    }
}

impl Component {
    fn index(&mut self) {
        for (index, rule) in self.rules.iter().flatten().enumerate() {
            if let Some(id) = &rule.id {
                self.by_id.entry(id.clone()).or_insert(index);
            }
        }
    }

    /// By id. A result may add parts to the id of its rule: `CA1000/1`.
    fn rule(&self, id: &str) -> Option<&Rule> {
        let mut id = id;
        loop {
            if let Some(&index) = self.by_id.get(id) {
                return self.rules.as_deref()?.get(index);
            }
            id = id.rsplit_once('/')?.0;
        }
    }
}

/// The severity of a result; `None` for level `none`. A level that is not in the standard is taken for the worst.
pub(super) fn severity(level: Option<&str>, rule: Option<&Rule>) -> Option<Severity> {
    let of_rule = || rule?.default_configuration.as_ref()?.level.as_deref();
    match level.or_else(of_rule) {
        None | Some("warning") => Some(Severity::Warning),
        Some("note") => Some(Severity::Note),
        Some("none") => None,
        Some(_) => Some(Severity::Error),
    }
}

impl Invocation {
    fn failures(&self) -> Vec<String> {
        let notifications = self
            .tool_execution_notifications
            .iter()
            .chain(&self.tool_configuration_notifications);
        let mut failures: Vec<String> = notifications
            .flatten()
            .filter(|notification| notification.level.as_deref() == Some("error"))
            .map(|notification| {
                let text = notification
                    .message
                    .as_ref()
                    .and_then(|message| message.text.as_deref());
                cut(text.unwrap_or("an error without a message"))
            })
            .take(MAX_FAILURES)
            .collect();
        if self.execution_successful == Some(false) {
            let cause = self
                .process_start_failure_message
                .as_ref()
                .or(self.exit_signal_name.as_ref())
                .or(self.exit_code_description.as_ref());
            let cause = cause.map_or_else(String::new, |cause| format!(": {}", cut(cause)));
            failures.push(format!("its run was not successful{cause}"));
        }
        failures
    }
}

fn part<R: BufRead + Seek, T: DeserializeOwned>(
    input: &mut R,
    range: Option<&Range<u64>>,
    name: &'static str,
    limit: usize,
) -> Result<Option<T>, Fault> {
    let Some(range) = range else {
        return Ok(None);
    };
    let length = range.end - range.start;
    if length > limit as u64 {
        return Err(Fault::new(
            ErrorKind::TooLong { part: name, limit },
            range.start,
        ));
    }
    input.seek(SeekFrom::Start(range.start))?;
    let mut bytes = Vec::new();
    input.by_ref().take(length).read_to_end(&mut bytes)?;
    serde_json::from_slice(&bytes)
        .map(Some)
        .map_err(|error| Fault::json(&error, &bytes, range.start))
}
