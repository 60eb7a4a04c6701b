//! Each output is made by one stage: two that claim the same files would each be checked against the other's.

use crate::error::Error;
use crate::model::pipeline::{Pipeline, Placed, Stage};

/// An output that a stage claims.
struct Claim<'p> {
    /// The pattern from the file's folder, part by part.
    parts: Vec<&'p str>,
    stage: &'p Stage,
    output: &'p str,
    pattern: &'p Placed<String>,
}

/// Looks for outputs that are the same, or that lie in the folder of another. Patterns are compared as texts: whether two
/// different ones match the same file is seen when they are made.
pub(super) fn check(pipeline: &Pipeline, mistakes: &mut Vec<Error>) {
    let claims = pipeline.stages.iter().flat_map(|stage| {
        stage.outputs.iter().map(move |(output, pattern)| Claim {
            parts: parts(stage, pattern),
            stage,
            output,
            pattern,
        })
    });
    let mut claims: Vec<Claim<'_>> = claims.collect();
    // What lies in a folder comes right behind it.
    claims.sort_by(|left, right| left.parts.cmp(&right.parts));
    let mut around: Option<&Claim<'_>> = None;
    for claim in &claims {
        match around {
            Some(outer) if claim.parts.starts_with(&outer.parts) => {
                mistakes.push(error(outer, claim));
            }
            _ => around = Some(claim),
        }
    }
}

fn parts<'p>(stage: &'p Stage, pattern: &'p Placed<String>) -> Vec<&'p str> {
    let directory = stage.directory.as_ref();
    let directory = directory.map_or("", |directory| directory.value.as_str());
    let all = directory.split('/').chain(pattern.value.split('/'));
    let mut parts: Vec<&str> = all.filter(|part| !matches!(*part, "" | ".")).collect();
    // A folder with all that is in it is the folder.
    if parts.len() > 1 && parts.last() == Some(&"**") {
        parts.pop();
    }
    parts
}

fn error(outer: &Claim<'_>, inner: &Claim<'_>) -> Error {
    // The mistake is in what comes later in the file.
    let place = |claim: &Claim<'_>| (claim.pattern.place.line, claim.pattern.place.column);
    let (first, second) = if place(outer) <= place(inner) {
        (outer, inner)
    } else {
        (inner, outer)
    };
    let message = format!(
        "`{}` is claimed twice: by `{}` of `{}` and by `{}` of `{}`",
        second.pattern.value, first.output, first.stage.name, second.output, second.stage.name
    );
    let error = Error::usage(message).at(second.pattern.place.clone());
    if first.stage.base_name == second.stage.base_name && first.stage.name != second.stage.name {
        let key = second.stage.matrix.keys().next();
        let key = key.map_or("…", String::as_str);
        return error.hint(format!(
            "write `${{{{ matrix.{key} }}}}` into it, so that each combination has its own"
        ));
    }
    let at = &first.pattern.place;
    let error = if first.pattern.value == second.pattern.value {
        error
    } else {
        error.cause(format!("the other is `{}`", first.pattern.value))
    };
    error
        .cause(format!("first at {}:{}:{}", at.path, at.line, at.column))
        .hint("let each stage write into a folder of its own")
}
