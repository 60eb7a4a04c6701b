//! The parts of a pattern against the parts of a path. Follows `matchOne` of minimatch 10.

use crate::globs::segment::Segment;

/// Nested deeper than this, `**` gives up, and the pattern does not match.
const DEEPEST: usize = 200;

/// The parts of a pattern, in order.
#[derive(Clone, Debug)]
pub(super) struct Sequence {
    segments: Vec<Segment>,
}

/// Where in a pattern the `**` are: what stands before the first, between them, and behind the last.
struct Split<'s> {
    head: &'s [Segment],
    body: &'s [Segment],
    tail: &'s [Segment],
}

/// Parts between two `**`, and the last place in the path where they may start.
struct Section<'s> {
    segments: &'s [Segment],
    last: Option<usize>,
}

/// How far the search came.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Found {
    Yes,
    /// Not here, perhaps farther on.
    No,
    /// Nowhere.
    Never,
}

impl Sequence {
    /// From the parts of an absolute pattern, the empty one before its first slash included.
    pub(super) fn new(written: Vec<Segment>) -> Self {
        let mut segments: Vec<Segment> = Vec::with_capacity(written.len());
        for segment in written {
            match (segments.last(), &segment) {
                (Some(Segment::Globstar), Segment::Globstar) => {}
                // A home folder may have it; patterns may not.
                (Some(before), Segment::Name(name))
                    if name == ".."
                        && !matches!(before, Segment::Globstar)
                        && !matches!(before, Segment::Name(name) if matches!(name.as_str(), "" | "." | "..")) =>
                {
                    segments.pop();
                }
                _ => segments.push(segment),
            }
        }
        Self { segments }
    }

    /// Whether the path matches; `as_folder` is the path with a slash at its end.
    pub(super) fn matches(&self, path: &[&str], as_folder: bool) -> bool {
        let path = Path {
            parts: path,
            as_folder,
        };
        self.match_all(path, false)
    }

    /// Whether something below the path can match, or the path itself does.
    pub(super) fn may_match_below(&self, path: &[&str]) -> bool {
        // The root.
        if let [""] = path {
            return true;
        }
        let path = Path {
            parts: path,
            as_folder: false,
        };
        self.match_all(path, true)
    }

    fn match_all(&self, path: Path<'_>, partial: bool) -> bool {
        let Some(Split { head, body, tail }) = self.split(partial) else {
            return match_here(path, path.len(), &self.segments, partial, 0);
        };
        if !head.is_empty() && !match_here(path, head.len().min(path.len()), head, partial, 0) {
            return false;
        }
        let start = head.len();
        let mut behind = 0;
        if !tail.is_empty() {
            if tail.len() + start > path.len() {
                return false;
            }
            let at = path.len() - tail.len();
            if match_here(path, path.len(), tail, partial, at) {
                behind = tail.len();
            } else if path.get(path.len() - 1) == Some("") && start + tail.len() != path.len() {
                // `a/**/*` matches `a/b/`.
                if !match_here(path, path.len(), tail, partial, at - 1) {
                    return false;
                }
                behind = tail.len() + 1;
            } else {
                return false;
            }
        }
        if body.is_empty() {
            let end = path.len().saturating_sub(behind);
            let between = start..end.max(start);
            return !between.clone().any(|at| is_dots(path.get(at)))
                && (partial || behind > 0 || !between.is_empty());
        }
        let sections = sections(body, path.len() - behind);
        find(path, &sections, start, partial, 0, behind > 0) == Found::Yes
    }

    fn split(&self, partial: bool) -> Option<Split<'_>> {
        let is_globstar = |segment: &Segment| matches!(segment, Segment::Globstar);
        let first = self.segments.iter().position(is_globstar)?;
        let (head, rest) = self.segments.split_at_checked(first)?;
        let (_, rest) = rest.split_first()?;
        if partial {
            return Some(Split {
                head,
                body: rest,
                tail: &[],
            });
        }
        // Counted from the first `**`; without a second one all that follows is the tail.
        let Some(last) = rest.iter().rposition(is_globstar) else {
            return Some(Split {
                head,
                body: &[],
                tail: rest,
            });
        };
        let (body, tail) = rest.split_at_checked(last)?;
        let (_, tail) = tail.split_first()?;
        Some(Split { head, body, tail })
    }
}

/// A path by its parts, perhaps with an empty one for the slash at its end.
#[derive(Clone, Copy)]
struct Path<'p> {
    parts: &'p [&'p str],
    as_folder: bool,
}

impl<'p> Path<'p> {
    fn len(self) -> usize {
        self.parts.len() + usize::from(self.as_folder || self.is_root())
    }

    /// The root is two empty parts, what is before its slash and what is behind.
    fn is_root(self) -> bool {
        matches!(self.parts, [""])
    }

    fn get(self, at: usize) -> Option<&'p str> {
        match self.parts.get(at) {
            Some(part) => Some(part),
            None => (at < self.len()).then_some(""),
        }
    }
}

/// The sections between the `**` of `body`. The last place of each is what minimatch makes it: with sections of unequal
/// lengths it counts the wrong ones, and so overlooks some paths.
fn sections(body: &[Segment], length: usize) -> Vec<Section<'_>> {
    let pieces: Vec<&[Segment]> = body
        .split(|segment| matches!(segment, Segment::Globstar))
        .collect();
    let mut sums = Vec::with_capacity(pieces.len());
    let mut sum = 0;
    for piece in &pieces {
        sums.push(sum);
        sum += piece.len();
    }
    let placed = pieces.into_iter().zip(sums.into_iter().rev());
    placed
        .map(|(segments, others)| Section {
            segments,
            last: length.checked_sub(others + segments.len()),
        })
        .collect()
}

fn find(
    path: Path<'_>,
    sections: &[Section<'_>],
    start: usize,
    partial: bool,
    depth: usize,
    saw_tail: bool,
) -> Found {
    let Some((section, rest)) = sections.split_first() else {
        let between = start..path.len().max(start);
        let is_something = saw_tail || !between.is_empty();
        let has_dots = between.into_iter().any(|at| is_dots(path.get(at)));
        return if is_something && !has_dots {
            Found::Yes
        } else {
            Found::No
        };
    };
    let length = section.segments.len();
    let mut at = start;
    while section.last.is_some_and(|last| at <= last) {
        let end = (at + length).min(path.len());
        if depth < DEEPEST && match_here(path, end, section.segments, partial, at) {
            let found = find(path, rest, at + length, partial, depth + 1, saw_tail);
            if found != Found::No {
                return found;
            }
        }
        if is_dots(path.get(at)) {
            return Found::No;
        }
        at += 1;
    }
    if partial { Found::Yes } else { Found::Never }
}

/// The parts of the path from `start` to `end` against the segments, of which none is `**`.
fn match_here(
    path: Path<'_>,
    end: usize,
    segments: &[Segment],
    partial: bool,
    start: usize,
) -> bool {
    let mut at = start;
    for segment in segments {
        if at >= end {
            return at == end && partial;
        }
        let Some(part) = path.get(at) else {
            return false;
        };
        if !segment.matches(part) {
            return false;
        }
        at += 1;
    }
    // All segments are through; of the path only the slash at its end may be left.
    at == end || (at + 1 == end && path.get(at) == Some(""))
}

fn is_dots(part: Option<&str>) -> bool {
    matches!(part, Some("." | ".."))
}
