//! Safe edits of several findings, put into one text.

use crate::lockfiles::rules::{Edit, Finding};
use crate::model::sources::FileId;

/// The edits of these findings that can be made at once, by file, in the order of the file. All edits of a finding are
/// made, or none; one that stands in the way of an earlier one has to wait for the next round.
pub fn together<'f>(
    findings: impl IntoIterator<Item = &'f Finding>,
) -> Vec<(FileId, Vec<&'f Edit>)> {
    let mut taken: Vec<&Edit> = Vec::new();
    for finding in findings {
        let mut with: Vec<&Edit> = taken.iter().copied().chain(&finding.edits).collect();
        with.sort_by_key(|edit| edit.at);
        // What two findings ask for in the same words is one edit.
        with.dedup();
        let is_apart = |pair: &[&Edit]| match pair {
            [left, right] => {
                left.at.file != right.at.file
                    || (left.at.end <= right.at.start && left.at != right.at)
            }
            _ => true,
        };
        if with.windows(2).all(is_apart) {
            taken = with;
        }
    }
    let mut by_file: Vec<(FileId, Vec<&Edit>)> = Vec::new();
    for edit in taken {
        match by_file.last_mut() {
            Some((file, edits)) if *file == edit.at.file => edits.push(edit),
            _ => by_file.push((edit.at.file, vec![edit])),
        }
    }
    by_file
}

/// The text with its edits made; they stand in the order of the file and do not overlap.
pub fn apply(bytes: &[u8], edits: &[&Edit]) -> Vec<u8> {
    let mut edited = Vec::with_capacity(bytes.len());
    let mut done = 0;
    for edit in edits {
        let (start, end) = (edit.at.start as usize, edit.at.end as usize);
        edited.extend_from_slice(bytes.get(done..start).unwrap_or_default());
        edited.extend_from_slice(edit.text.as_bytes());
        done = end;
    }
    edited.extend_from_slice(bytes.get(done..).unwrap_or_default());
    edited
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lockfiles::rules::{Findings, from_id};
    use crate::model::diagnostic::Severity;
    use crate::model::sources::{Location, Sources};

    #[test]
    fn all_edits_of_a_finding_or_none() {
        let mut sources = Sources::default();
        let file = sources.add("uv.lock", b"0123456789".to_vec()).unwrap();
        let at = |start, end| Location { file, start, end };
        let rule = from_id("hash-malformed").unwrap();
        let mut found = Vec::new();
        let mut findings = Findings::new(rule, Severity::Error, &mut found);
        findings
            .add(at(0, 1), "a")
            .fix(at(2, 4), "x")
            .fix(at(0, 1), "");
        findings
            .add(at(0, 1), "overlaps")
            .fix(at(8, 9), "!")
            .fix(at(3, 5), "y");
        findings.add(at(0, 1), "the same").fix(at(2, 4), "x");
        findings.add(at(0, 1), "beside").fix(at(4, 5), "z");
        let together = together(&found);
        let [(of, edits)] = together.as_slice() else {
            panic!("{together:?}")
        };
        assert_eq!(*of, file);
        assert_eq!(apply(sources.bytes(file), edits), b"1xz56789");
        assert_eq!(super::together([]), []);
    }
}
