//! `${{ … }}` in a text, taken apart.

use std::ops::Range;

/// What opens a reference, as in a workflow.
pub(crate) const OPEN: &str = "${{";
const CLOSE: &str = "}}";

/// What a part of a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part<'t> {
    /// It stands for itself.
    Plain,
    /// `${{ matrix.<key> }}`; with its whole name, `${{ member.<key> }}`.
    Matrix(&'t str),
    /// `${{ stages.<stage>.outputs.<output> }}`.
    Output { stage: &'t str, output: &'t str },
    /// Something else in the signs of a reference; what is between them.
    Unknown(&'t str),
    /// The opening signs without the closing ones.
    Open,
}

/// The parts of a text, in order: together they are the whole of it.
pub(crate) fn parts(text: &str) -> Vec<(Range<usize>, Part<'_>)> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(offset) = text.get(from..).and_then(|rest| rest.find(OPEN)) {
        let start = from + offset;
        if start > from {
            found.push((from..start, Part::Plain));
        }
        let inside = start + OPEN.len();
        let Some(length) = text.get(inside..).and_then(|rest| rest.find(CLOSE)) else {
            found.push((start..text.len(), Part::Open));
            return found;
        };
        let end = inside + length + CLOSE.len();
        let expression = text.get(inside..inside + length).unwrap_or_default().trim();
        found.push((start..end, part(expression)));
        from = end;
    }
    if from < text.len() {
        found.push((from..text.len(), Part::Plain));
    }
    found
}

fn part(expression: &str) -> Part<'_> {
    if let Some(key) = expression.strip_prefix("matrix.") {
        return Part::Matrix(key);
    }
    if expression.starts_with("member.") {
        return Part::Matrix(expression);
    }
    // The name of a stage may have dots; that of an output has none.
    let output = expression
        .strip_prefix("stages.")
        .and_then(|rest| rest.rsplit_once(".outputs."));
    match output {
        Some((stage, output)) => Part::Output { stage, output },
        None => Part::Unknown(expression),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_the_sum_of_its_parts() {
        for (text, expected) in [
            ("", vec![]),
            ("plain $x {{ y }}", vec![Part::Plain]),
            (
                "a${{ stages.b c.d.outputs.wheel }}e${{matrix.python}}",
                vec![
                    Part::Plain,
                    Part::Output {
                        stage: "b c.d",
                        output: "wheel",
                    },
                    Part::Plain,
                    Part::Matrix("python"),
                ],
            ),
            ("${{ github.ref }}", vec![Part::Unknown("github.ref")]),
            ("é${{ ", vec![Part::Plain, Part::Open]),
        ] {
            let found = parts(text);
            let kinds: Vec<Part<'_>> = found.iter().map(|(_, part)| *part).collect();
            assert_eq!(kinds, expected, "{text}");
            let whole: String = found
                .iter()
                .map(|(range, _)| &text[range.clone()])
                .collect();
            assert_eq!(whole, text);
        }
    }
}
