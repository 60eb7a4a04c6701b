//! Text that may name an output of another stage: `${{ stages.build.outputs.wheel }}`.

use std::ops::Range;

/// One `${{ stages.<stage>.outputs.<output> }}` in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Its bytes in the text, braces and all.
    pub range: Range<usize>,
    /// The stage that is named.
    pub stage: String,
    /// The output that is named.
    pub output: String,
}

/// A text and what it refers to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Template {
    /// The text as it was written.
    pub text: String,
    /// What it refers to, in the order of the text; ranges do not overlap.
    pub references: Vec<Reference>,
}

impl Template {
    /// The text with each reference replaced by what `value` gives for it. Fails with the first reference that has none.
    pub fn expand<'r>(
        &'r self,
        mut value: impl FnMut(&'r Reference) -> Option<String>,
    ) -> Result<String, &'r Reference> {
        let mut expanded = String::with_capacity(self.text.len());
        let mut from = 0;
        for reference in &self.references {
            expanded.push_str(self.text.get(from..reference.range.start).unwrap_or(""));
            expanded.push_str(&value(reference).ok_or(reference)?);
            from = reference.range.end;
        }
        expanded.push_str(self.text.get(from..).unwrap_or(""));
        Ok(expanded)
    }
}
