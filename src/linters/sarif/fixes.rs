//! Fixes of a result: replacements to edits.

use super::results::is_in_cell;
use super::rules::Run;
use super::shapes::{ArtifactChange, FixObject, Replacement};
use super::uri::Place;
use crate::linters::text::Text;
use crate::model::diagnostic::RawFinding;
use crate::model::fix::{Applicability, Edit, Fix};
use crate::model::region::Region;

/// Gives the finding the first fix that edits nothing but its own file; several are alternatives.
pub(super) fn attach(fixes: Vec<FixObject<'_>>, run: &Run, finding: &mut RawFinding) {
    if finding.path.is_none() || is_in_cell(run, finding) {
        return;
    }
    for fix in fixes {
        let message = fix
            .description
            .and_then(|description| description.text.or(description.markdown))
            .map(Text::into_string);
        if finding.help.is_none() {
            finding.help.clone_from(&message);
        }
        if let Some(edits) = edits(fix.artifact_changes.unwrap_or_default(), run, finding) {
            finding.fix = Some(Fix {
                message: message.map(String::into_boxed_str),
                applicability: Applicability::Unsafe,
                edits,
            });
            return;
        }
    }
}

fn edits(
    changes: Vec<ArtifactChange<'_>>,
    run: &Run,
    finding: &RawFinding,
) -> Option<Vec<Edit<Region>>> {
    let mut edits = Vec::new();
    for change in changes {
        let place = change.artifact_location?.place(run)?;
        let is_own = matches!(&place, Place::Path(path) if Some(path) == finding.path.as_ref());
        if !is_own {
            return None;
        }
        for replacement in change.replacements.unwrap_or_default() {
            edits.push(replacement.edit(run)?);
        }
    }
    (!edits.is_empty()).then_some(edits)
}

impl Replacement<'_> {
    fn edit(self, run: &Run) -> Option<Edit<Region>> {
        let place = self.deleted_region?.of_edit(run.unit)?;
        let text = match self.inserted_content {
            None => Box::default(),
            // Bytes in base64 are no text.
            Some(content) if content.text.is_none() && content.binary.is_some() => return None,
            Some(content) => content
                .text
                .map(Text::into_string)
                .unwrap_or_default()
                .into(),
        };
        Some(Edit { place, text })
    }
}
