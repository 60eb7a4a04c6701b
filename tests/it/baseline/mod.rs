//! Findings that are known again in another tree, and the file that holds them.

mod file;
mod foreign;
mod formatters;
mod known_again;
mod refactorings;

use lockgate::baseline::{Keyed, Outline, key};
use lockgate::model::diagnostic::{Finding, Severity};
use lockgate::model::region::{Point, Span};

/// A finding where `at` begins.
fn finding(path: &str, source: &str, at: &str) -> Finding {
    let (before, _) = source
        .split_once(at)
        .unwrap_or_else(|| panic!("no {at} in {source}"));
    let line = u32::try_from(before.matches('\n').count()).unwrap() + 1;
    let column = before.len() - before.rfind('\n').map_or(0, |at| at + 1);
    let column = u32::try_from(column).unwrap();
    let point = Point {
        line,
        byte: Some(column),
        column: Some(column + 1),
    };
    let mut finding = Finding::new("ruff", "F821", Severity::Error, "Undefined name `x`");
    finding.path = Some(path.into());
    finding.span = Some(Span {
        start: point,
        end: point,
    });
    finding
}

/// The keys of findings in a file, one at each place.
fn keys(path: &str, source: &str, places: &[&str]) -> Vec<Keyed> {
    let outline = Outline::new(path, source.as_bytes());
    let places = places.iter();
    places
        .map(|at| key(&finding(path, source, at), Some(&outline)))
        .collect()
}
