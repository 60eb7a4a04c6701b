//! The second pass: results to findings.

use std::io::{BufRead, Read, Seek, SeekFrom};
use std::num::NonZeroU32;

use super::rules::{MAX_FAILURES, Reference, RuleKey, Run, index, severity};
use super::shapes::{ArtifactLocation, PhysicalLocation, RegionObject, ResultObject, Suppression};
use super::skim::RunLayout;
use super::uri::{Place, resolve};
use super::{FORMAT, Limits, RunSummary, fixes};
use crate::linters::json_stream::{Fault, Window, first};
use crate::linters::ruff::NOT_UTF8;
use crate::linters::text::Text;
use crate::model::diagnostic::RawFinding;
use crate::model::region::{ColumnUnit, Region};

/// Reads the results of one run.
pub(super) fn read<R: BufRead + Seek>(
    input: &mut R,
    layout: &RunLayout,
    run: &Run,
    limits: Limits,
    sink: &mut dyn FnMut(&str, RawFinding),
) -> Result<RunSummary, Fault> {
    let mut summary = RunSummary {
        tool: run.name.clone(),
        version: run.version.clone(),
        failures: run.failures.clone(),
        ..RunSummary::default()
    };
    if let Some(range) = &layout.results {
        input.seek(SeekFrom::Start(range.start))?;
        let results = input.by_ref().take(range.end - range.start);
        Window::new(results, range.start, limits, FORMAT, "a result").for_each(|ahead| {
            let Some((result, length)) = first::<ResultObject<'_>>(ahead)? else {
                return Ok(None);
            };
            result.sort(run, &mut summary, sink);
            Ok(Some(length))
        })?;
    }
    Ok(summary)
}

impl ResultObject<'_> {
    /// Counts the result, and passes it on if it is a finding.
    fn sort(self, run: &Run, summary: &mut RunSummary, sink: &mut dyn FnMut(&str, RawFinding)) {
        let key = run.find(self.reference());
        let rule = key.and_then(|key| run.rule(key));
        let is_failure = self
            .kind
            .as_ref()
            .is_none_or(|kind| kind.as_str() == "fail");
        let level = self
            .level
            .as_ref()
            .map(Text::as_str)
            .or_else(|| {
                let provenance = self.provenance.as_ref();
                let invocation = provenance.and_then(|provenance| provenance.invocation_index);
                run.level_of(key?, index(invocation))
            })
            .or_else(|| rule?.default_level());
        let severity = severity(level).filter(|_| is_failure);
        if self.is_suppressed() {
            summary.suppressed += 1;
        } else if matches!(
            self.baseline_state.as_ref().map(Text::as_str),
            Some("unchanged" | "absent")
        ) {
            summary.unchanged += 1;
        } else if let Some(severity) = severity {
            let mut finding = RawFinding {
                fix: None,
                rule: None,
                severity,
                message: self.message(run, key),
                path: None,
                region: Region {
                    unit: run.unit,
                    ..Region::FILE
                },
                url: rule.and_then(|rule| rule.help_uri.clone()),
                help: None,
            };
            let id = self.rule_id.or(self.rule.and_then(|rule| rule.id));
            finding.rule = id
                .map(Text::into_string)
                .or_else(|| rule.and_then(|rule| rule.id.clone()));
            match self.locations.and_then(|locations| locations.0) {
                Some(place) => place.settle(run, &mut finding),
                None => {
                    if let Some(target) = self.analysis_target {
                        target.settle(run, &mut finding);
                    }
                }
            }
            fixes::attach(self.fixes.unwrap_or_default(), run, &mut finding);
            if run.name == "ruff"
                && finding.rule.as_deref() == Some("E902")
                && finding.message != NOT_UTF8
            {
                if summary.failures.len() < MAX_FAILURES {
                    summary.failures.push(format!(
                        "`{}`: {}",
                        finding.path.unwrap_or_default(),
                        finding.message
                    ));
                }
                return;
            }
            summary.findings += 1;
            sink(&run.name, finding);
        } else {
            summary.not_failing += 1;
        }
    }

    fn reference(&self) -> Reference<'_> {
        let rule = self.rule.as_ref();
        let component = rule.and_then(|rule| rule.tool_component.as_ref());
        Reference {
            id: self
                .rule_id
                .as_ref()
                .or(rule.and_then(|rule| rule.id.as_ref()))
                .map(Text::as_str),
            guid: rule.and_then(|rule| rule.guid.as_ref()).map(Text::as_str),
            index: index(rule.and_then(|rule| rule.index)).or(index(self.rule_index)),
            component_index: index(component.and_then(|component| component.index)),
            component_guid: component
                .and_then(|component| component.guid.as_ref())
                .map(Text::as_str),
            component_name: component
                .and_then(|component| component.name.as_ref())
                .map(Text::as_str),
        }
    }

    /// One suppression that is not accepted keeps the result alive; without a status it is accepted.
    fn is_suppressed(&self) -> bool {
        self.suppressions.as_ref().is_some_and(|suppressions| {
            let accepted = |suppression: &Suppression<'_>| {
                suppression
                    .status
                    .as_ref()
                    .is_none_or(|status| status.as_str() == "accepted")
            };
            !suppressions.is_empty() && suppressions.iter().all(accepted)
        })
    }

    fn message(&self, run: &Run, key: Option<RuleKey>) -> String {
        let message = self.message.as_ref();
        let by_id = || run.message(key, message?.id.as_ref()?.as_str());
        let described = || run.rule(key?)?.description();
        let text = message
            .and_then(|message| message.text.as_ref())
            .map(Text::as_str)
            .or_else(by_id)
            .or_else(|| message?.markdown.as_ref().map(Text::as_str))
            .or_else(described)
            .unwrap_or("no message");
        match message.and_then(|message| message.arguments.as_deref()) {
            Some(arguments) if !arguments.is_empty() => substitute(text, arguments),
            _ => {
                let mut message = String::new();
                push(&mut message, text);
                message
            }
        }
    }
}

/// Longer messages are cut, in bytes: an argument may be long and stand in a text a million times.
const MAX_MESSAGE: usize = 64 << 10;

/// Appends as much of a text as there is room for.
fn push(message: &mut String, text: &str) {
    let room = MAX_MESSAGE.saturating_sub(message.len());
    message.push_str(&text[..text.floor_char_boundary(room)]);
}

/// `{0}` is the first argument, `{{` and `}}` are braces; anything else stays as it is.
fn substitute(text: &str, arguments: &[Text<'_>]) -> String {
    let mut result = String::with_capacity(text.len().min(MAX_MESSAGE));
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}'])
        && result.len() < MAX_MESSAGE
    {
        push(&mut result, &rest[..at]);
        let brace = &rest[at..=at];
        rest = &rest[at + 1..];
        if let Some(behind) = rest.strip_prefix(brace) {
            push(&mut result, brace);
            rest = behind;
            continue;
        }
        let argument = (brace == "{").then(|| argument(rest, arguments)).flatten();
        match argument {
            Some((argument, behind)) => {
                push(&mut result, argument);
                rest = behind;
            }
            None => push(&mut result, brace),
        }
    }
    push(&mut result, rest);
    result
}

/// The argument of the placeholder whose opening brace stands in front of the text, and what follows it.
fn argument<'t>(text: &'t str, arguments: &'t [Text<'_>]) -> Option<(&'t str, &'t str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let behind = text[digits..].strip_prefix('}')?;
    let argument = arguments.get(text[..digits].parse::<usize>().ok()?)?;
    Some((argument.as_str(), behind))
}

impl PhysicalLocation<'_> {
    fn settle(self, run: &Run, finding: &mut RawFinding) {
        if let Some(artifact) = self.artifact_location
            && !artifact.settle(run, finding)
        {
            return;
        }
        if let Some(region) = &self.region
            && !is_in_cell(run, finding)
        {
            finding.region = region.normal(run.unit);
        }
    }
}

/// Whether lines are those of a cell: ruff does not say of which one.
pub(super) fn is_in_cell(run: &Run, finding: &RawFinding) -> bool {
    let path = finding.path.as_deref();
    run.name == "ruff" && path.is_some_and(|path| path.strip_suffix(".ipynb").is_some())
}

impl ArtifactLocation<'_> {
    /// `false` where the URI names no file.
    fn settle(&self, run: &Run, finding: &mut RawFinding) -> bool {
        match self.place(run) {
            Some(Place::Path(path)) => finding.path = Some(path),
            Some(Place::Elsewhere(uri)) => {
                finding.message = format!("{} (in {uri})", finding.message);
                return false;
            }
            None => {}
        }
        true
    }

    pub(super) fn place(&self, run: &Run) -> Option<Place> {
        if let Some(uri) = &self.uri {
            return Some(resolve(
                uri.as_str(),
                self.uri_base_id.as_ref().map(Text::as_str),
                &run.bases,
            ));
        }
        let artifact = run.artifacts.get(index(self.index)?)?;
        Some(resolve(
            artifact.uri.as_deref()?,
            artifact.uri_base_id.as_deref(),
            &run.bases,
        ))
    }
}

impl RegionObject {
    /// Lines below 1 are unknown; a start without a column is the first, an end without one is the line's end. Without
    /// lines the offsets count.
    fn normal(&self, unit: ColumnUnit) -> Region {
        let end_column = column(self.end_column);
        let start_column = column(self.start_column).or(end_column.map(|_| 0));
        let Some(start_line) = line(self.start_line) else {
            return self.offsets(unit).unwrap_or(Region {
                unit,
                ..Region::FILE
            });
        };
        Region {
            line: Some(start_line),
            column: start_column,
            end_line: line(self.end_line).or(end_column.map(|_| start_line)),
            end_column,
            unit,
        }
    }

    /// The place of an edit, with both ends: without columns whole lines, the last line break excepted.
    pub(super) fn of_edit(&self, unit: ColumnUnit) -> Option<Region> {
        let Some(start_line) = line(self.start_line) else {
            return self.offsets(unit);
        };
        Some(Region {
            line: Some(start_line),
            column: column(self.start_column).or(Some(0)),
            end_line: line(self.end_line).or(Some(start_line)),
            end_column: column(self.end_column).or(Some(Region::LINE_END)),
            unit,
        })
    }

    fn offsets(&self, unit: ColumnUnit) -> Option<Region> {
        let by = |offset: Option<i64>, length: Option<i64>, unit: ColumnUnit| {
            let start = u32::try_from(offset?).ok()?;
            let end = start.saturating_add(u32::try_from(length.unwrap_or(0).max(0)).ok()?);
            Some(Region {
                column: Some(start),
                end_column: Some(end),
                unit,
                ..Region::FILE
            })
        };
        let characters = match unit {
            ColumnUnit::Utf16 => ColumnUnit::Utf16Offset,
            _ => ColumnUnit::CodePointOffset,
        };
        by(self.char_offset, self.char_length, characters)
            .or_else(|| by(self.byte_offset, self.byte_length, ColumnUnit::ByteOffset))
    }
}

fn line(number: Option<i64>) -> Option<NonZeroU32> {
    NonZeroU32::new(u32::try_from(number?.max(0)).unwrap_or(u32::MAX))
}

fn column(number: Option<i64>) -> Option<u32> {
    let number = number?.saturating_sub(1).max(0);
    Some(
        u32::try_from(number).map_or(Region::LINE_END - 1, |number| {
            number.min(Region::LINE_END - 1)
        }),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_replace_their_placeholders() {
        let arguments = [Text("a".into()), Text("{1}".into())];
        for (text, expected) in [
            ("{0} and {1}", "a and {1}"),
            ("{{0}} {2} {x} { } {", "{0} {2} {x} { } {"),
            ("}} é{0}é }", "} éaé }"),
        ] {
            assert_eq!(substitute(text, &arguments), expected);
        }
    }

    #[test]
    fn a_message_does_not_grow_without_end() {
        let arguments = [Text("é".repeat(1 << 16).into())];
        let message = substitute(&"{0}".repeat(1 << 18), &arguments);
        assert!((MAX_MESSAGE - 1..=MAX_MESSAGE).contains(&message.len()));
        // Without a closing brace nothing is searched twice.
        assert_eq!(
            substitute(&"{".repeat(1 << 20), &arguments).len(),
            MAX_MESSAGE
        );
    }
}
