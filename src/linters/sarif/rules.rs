//! What a run says beside its results: the tool, its rules, the bases of its URIs, whether it worked.

use std::collections::HashMap;
use std::io::{BufRead, Read, Seek, SeekFrom};
use std::ops::Range;

use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::FORMAT;
use super::skim::RunLayout;
use super::uri::{Bases, Location};
use crate::linters::contract::cut;
use crate::linters::json_stream::{ErrorKind, Fault, check_objects};
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
    /// The driver, then the extensions.
    components: Vec<Component>,
    /// Of each invocation: the levels that it gives to rules.
    overrides: Vec<HashMap<RuleKey, String>>,
}

/// A component, and a rule of it.
pub(super) type RuleKey = (usize, usize);

/// The driver or an extension.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Component {
    name: Option<String>,
    guid: Option<String>,
    version: Option<String>,
    semantic_version: Option<String>,
    rules: Option<Vec<Rule>>,
    global_message_strings: Option<HashMap<String, Multiformat>>,
    #[serde(skip)]
    by_id: HashMap<String, usize>,
    #[serde(skip)]
    by_guid: HashMap<String, usize>,
}

/// A `reportingDescriptor`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Rule {
    pub(super) id: Option<String>,
    guid: Option<String>,
    pub(super) help_uri: Option<String>,
    short_description: Option<Multiformat>,
    full_description: Option<Multiformat>,
    default_configuration: Option<Configuration>,
    message_strings: Option<HashMap<String, Multiformat>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Multiformat {
    text: Option<String>,
    markdown: Option<String>,
}

impl Multiformat {
    /// The plain text, or the Markdown where that is all.
    fn words(&self) -> Option<&str> {
        self.text.as_deref().or(self.markdown.as_deref())
    }
}

impl Rule {
    /// What it checks.
    pub(super) fn description(&self) -> Option<&str> {
        [&self.short_description, &self.full_description]
            .into_iter()
            .flatten()
            .find_map(Multiformat::words)
    }
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
    rule_configuration_overrides: Option<Vec<Override>>,
}

#[derive(Deserialize)]
struct Override {
    descriptor: Option<Descriptor>,
    configuration: Option<Configuration>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    id: Option<String>,
    guid: Option<String>,
    index: Option<i64>,
    tool_component: Option<ComponentName>,
}

#[derive(Deserialize)]
struct ComponentName {
    name: Option<String>,
    guid: Option<String>,
    index: Option<i64>,
}

#[derive(Deserialize)]
struct External {
    results: Option<Vec<IgnoredAny>>,
}

#[derive(Deserialize)]
struct Notification {
    level: Option<String>,
    message: Option<Multiformat>,
    exception: Option<Exception>,
}

#[derive(Deserialize)]
struct Exception {
    message: Option<String>,
}

/// How a result refers to its rule.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Reference<'a> {
    pub(super) id: Option<&'a str>,
    pub(super) guid: Option<&'a str>,
    pub(super) index: Option<usize>,
    /// Of the extension; the driver without any of these.
    pub(super) component_index: Option<usize>,
    pub(super) component_guid: Option<&'a str>,
    pub(super) component_name: Option<&'a str>,
}

/// -1 is the standard's way to say nothing.
pub(super) fn index(index: Option<i64>) -> Option<usize> {
    index.and_then(|index| usize::try_from(index).ok())
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
        let external: Option<External> = part(
            input,
            layout.external.as_ref(),
            "`externalPropertyFileReferences`",
            limit,
        )?;
        let mut components = vec![tool.driver];
        components.extend(tool.extensions.unwrap_or_default());
        components.iter_mut().for_each(Component::index);
        let invocations = invocations.unwrap_or_default();
        let mut failures = invocations
            .iter()
            .flat_map(Invocation::failures)
            .collect::<Vec<_>>();
        if external
            .and_then(|external| external.results)
            .is_some_and(|results| !results.is_empty())
        {
            failures.push("results of the run stand in other files, which are not read".to_owned());
        }
        if layout.results.is_none() {
            failures.push("the run has no `results`: it was not finished".to_owned());
        }
        failures.truncate(MAX_FAILURES);
        let driver = components.first();
        let name = driver.and_then(|driver| driver.name.clone());
        let version = driver.and_then(|driver| {
            let semantic = || driver.semantic_version.clone();
            driver.version.clone().or_else(semantic)
        });
        let mut run = Self {
            name: name.unwrap_or_else(|| "sarif".to_owned()),
            version,
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
            components,
            overrides: Vec::new(),
        };
        run.overrides = invocations
            .into_iter()
            .map(|invocation| run.levels_of(invocation))
            .collect();
        Ok(run)
    }

    fn levels_of(&self, invocation: Invocation) -> HashMap<RuleKey, String> {
        let overrides = invocation.rule_configuration_overrides.unwrap_or_default();
        let levels = overrides.into_iter().filter_map(|one| {
            let key = self.find(one.descriptor.as_ref()?.reference())?;
            Some((key, one.configuration?.level?))
        });
        levels.collect()
    }

    /// The rule of a result. Without a component the driver is asked first, then every extension for guid and id.
    pub(super) fn find(&self, reference: Reference<'_>) -> Option<RuleKey> {
        let is_named = |component: &Component| {
            let guid = reference
                .component_guid
                .zip(component.guid.as_deref())
                .is_some_and(|(wanted, guid)| wanted.eq_ignore_ascii_case(guid));
            let by_name = reference.component_guid.is_none() && reference.component_name.is_some();
            guid || (by_name && reference.component_name == component.name.as_deref())
        };
        let named = match reference.component_index {
            Some(index) => index.checked_add(1),
            None if reference
                .component_guid
                .or(reference.component_name)
                .is_none() =>
            {
                Some(0)
            }
            None => self.components.iter().position(is_named),
        };
        let of_named = || {
            let at = named?;
            let rules = self.components.get(at)?.rules.as_deref()?;
            let index = reference.index.filter(|&index| index < rules.len())?;
            Some((at, index))
        };
        let by = |find: &dyn Fn(&Component) -> Option<usize>| {
            let all = 0..self.components.len();
            named
                .into_iter()
                .chain(all)
                .find_map(|at| Some((at, find(self.components.get(at)?)?)))
        };
        let by_guid = || {
            let guid = reference.guid?.to_ascii_lowercase();
            by(&|component| component.by_guid.get(&guid).copied())
        };
        let by_id = || {
            let id = reference.id?;
            by(&|component| component.rule(id))
        };
        of_named().or_else(by_guid).or_else(by_id)
    }

    /// The rule that was found.
    pub(super) fn rule(&self, (component, rule): RuleKey) -> Option<&Rule> {
        self.components.get(component)?.rules.as_deref()?.get(rule)
    }

    /// The level that the invocation gives to a rule. Without an index it is the only one.
    pub(super) fn level_of(&self, key: RuleKey, invocation: Option<usize>) -> Option<&str> {
        let only = self.overrides.len() == 1;
        let levels = self.overrides.get(invocation.or(only.then_some(0))?)?;
        levels.get(&key).map(String::as_str)
    }

    /// The message with that id: of the rule, of its component, or of another one.
    pub(super) fn message(&self, key: Option<RuleKey>, id: &str) -> Option<&str> {
        let rule = key.and_then(|key| self.rule(key));
        let of_rule = rule.and_then(|rule| rule.message_strings.as_ref()?.get(id)?.words());
        let own = key.and_then(|(component, _)| self.components.get(component));
        of_rule.or_else(|| {
            own.into_iter()
                .chain(&self.components)
                .find_map(|component| component.global_message_strings.as_ref()?.get(id)?.words())
        })
    }
}

impl Descriptor {
    fn reference(&self) -> Reference<'_> {
        let component = self.tool_component.as_ref();
        Reference {
            id: self.id.as_deref(),
            guid: self.guid.as_deref(),
            index: index(self.index),
            component_index: index(component.and_then(|component| component.index)),
            component_guid: component.and_then(|component| component.guid.as_deref()),
            component_name: component.and_then(|component| component.name.as_deref()),
        }
    }
}

impl Component {
    fn index(&mut self) {
        for (index, rule) in self.rules.iter().flatten().enumerate() {
            if let Some(id) = &rule.id {
                self.by_id.entry(id.clone()).or_insert(index);
            }
            if let Some(guid) = &rule.guid {
                let guid = guid.to_ascii_lowercase();
                self.by_guid.entry(guid).or_insert(index);
            }
        }
    }

    /// By id. A result may add parts to the id of its rule: `CA1000/1`.
    fn rule(&self, id: &str) -> Option<usize> {
        let mut id = id;
        loop {
            if let Some(&index) = self.by_id.get(id) {
                return Some(index);
            }
            id = id.rsplit_once('/')?.0;
        }
    }
}

impl Rule {
    /// The level of its results where nothing else is said.
    pub(super) fn default_level(&self) -> Option<&str> {
        self.default_configuration.as_ref()?.level.as_deref()
    }
}

/// The severity of a level; `None` for `none`. A level that is not in the standard is taken for the worst.
pub(super) fn severity(level: Option<&str>) -> Option<Severity> {
    match level {
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
                let text = notification.message.as_ref().and_then(Multiformat::words);
                let exception = || notification.exception.as_ref()?.message.as_deref();
                cut(text
                    .or_else(exception)
                    .unwrap_or("an error without a message"))
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
    check_objects(&bytes, name, range.start)?;
    serde_json::from_slice(&bytes)
        .map(Some)
        .map_err(|error| Fault::json(FORMAT, &error, &bytes, range.start))
}
