//! The second pass: results to findings.

use std::io::{BufRead, Read, Seek, SeekFrom};
use std::num::NonZeroU32;

use super::error::Fault;
use super::rules::{MAX_FAILURES, Reference, Rule, Run, severity};
use super::shapes::{ArtifactLocation, PhysicalLocation, RegionObject, ResultObject, Suppression};
use super::skim::RunLayout;
use super::uri::{Place, resolve};
use super::window::Window;
use super::{Limits, RunSummary};
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
        Window::new(results, range.start, limits.window, limits.part)
            .for_each(|result| result.sort(run, &mut summary, sink))?;
    }
    Ok(summary)
}

impl ResultObject<'_> {
    /// Counts the result, and passes it on if it is a finding.
    fn sort(self, run: &Run, summary: &mut RunSummary, sink: &mut dyn FnMut(&str, RawFinding)) {
        let rule = run.rule(self.reference());
        let is_failure = self
            .kind
            .as_ref()
            .is_none_or(|kind| kind.as_str() == "fail");
        let severity = severity(self.level.as_ref().map(Text::as_str), rule).filter(|_| is_failure);
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
                message: self.message(run, rule),
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
            if let Some(place) = self.locations.and_then(|locations| locations.0) {
                place.settle(run, &mut finding);
            }
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
        // -1 is the standard's way to say nothing.
        let index = |index: Option<i64>| index.and_then(|index| usize::try_from(index).ok());
        Reference {
            id: self
                .rule_id
                .as_ref()
                .or(rule.and_then(|rule| rule.id.as_ref()))
                .map(Text::as_str),
            index: index(rule.and_then(|rule| rule.index)).or(index(self.rule_index)),
            component_index: index(component.and_then(|component| component.index)),
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

    fn message(&self, run: &Run, rule: Option<&Rule>) -> String {
        let message = self.message.as_ref();
        let by_id = || run.message(rule, message?.id.as_ref()?.as_str());
        let described = || rule?.short_description.as_ref()?.text.as_deref();
        let text = message
            .and_then(|message| message.text.as_ref())
            .map(Text::as_str)
            .or_else(by_id)
            .or_else(|| message?.markdown.as_ref().map(Text::as_str))
            .or_else(described)
            .unwrap_or("no message");
        match message.and_then(|message| message.arguments.as_deref()) {
            Some(arguments) if !arguments.is_empty() => substitute(text, arguments),
            _ => text.to_owned(),
        }
    }
}

/// `{0}` is the first argument, `{{` and `}}` are braces; anything else stays as it is.
fn substitute(text: &str, arguments: &[Text<'_>]) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        result.push_str(&rest[..at]);
        let brace = &rest[at..=at];
        rest = &rest[at + 1..];
        if let Some(behind) = rest.strip_prefix(brace) {
            result.push_str(brace);
            rest = behind;
            continue;
        }
        let argument = rest
            .split_once('}')
            .filter(|_| brace == "{")
            .and_then(|(index, behind)| {
                Some((arguments.get(index.parse::<usize>().ok()?)?, behind))
            });
        match argument {
            Some((argument, behind)) => {
                result.push_str(argument.as_str());
                rest = behind;
            }
            None => result.push_str(brace),
        }
    }
    result.push_str(rest);
    result
}

impl PhysicalLocation<'_> {
    fn settle(self, run: &Run, finding: &mut RawFinding) {
        if let Some(artifact) = &self.artifact_location {
            match artifact.place(run) {
                Some(Place::Path(path)) => finding.path = Some(path),
                Some(Place::Elsewhere(uri)) => {
                    finding.message = format!("{} (in {uri})", finding.message);
                    return;
                }
                None => {}
            }
        }
        let is_notebook = finding
            .path
            .as_deref()
            .is_some_and(|path| path.strip_suffix(".ipynb").is_some());
        if run.name == "ruff" && is_notebook {
            return;
        }
        if let Some(region) = &self.region {
            finding.region = region.normal(run.unit);
        }
    }
}

impl ArtifactLocation<'_> {
    fn place(&self, run: &Run) -> Option<Place> {
        if let Some(uri) = &self.uri {
            return Some(resolve(
                uri.as_str(),
                self.uri_base_id.as_ref().map(Text::as_str),
                &run.bases,
            ));
        }
        let artifact = run.artifacts.get(usize::try_from(self.index?).ok()?)?;
        Some(resolve(
            artifact.uri.as_deref()?,
            artifact.uri_base_id.as_deref(),
            &run.bases,
        ))
    }
}

impl RegionObject {
    /// Lines below 1 are unknown; a start without a column is the first, an end without one is the line's end.
    fn normal(&self, unit: ColumnUnit) -> Region {
        let line = |number: Option<i64>| {
            NonZeroU32::new(u32::try_from(number?.max(0)).unwrap_or(u32::MAX))
        };
        let column = |number: Option<i64>| {
            Some(u32::try_from(number?.saturating_sub(1).max(0)).unwrap_or(u32::MAX - 1))
        };
        let end_column = column(self.end_column);
        let start_column = column(self.start_column).or(end_column.map(|_| 0));
        let start_line = line(self.start_line);
        Region {
            line: start_line,
            column: start_column,
            end_line: line(self.end_line).or(start_line.filter(|_| end_column.is_some())),
            end_column,
            unit,
        }
    }
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
}
