//! Finds all forms of all secrets in a text at once, at a speed that does not depend on how many there are.
//!
//! An index of blocks of four bytes: each form has some of its blocks in it, so many that, wherever the form stands, one
//! of them is met when the text is looked at every `step` bytes. A small table of bits answers for nearly all places that
//! no form has this block. Where one has, the form is compared.
//!
//! What this does and a usual automaton for many patterns does not: all occurrences are found, also those that overlap;
//! a form may be broken by the line breaks of its encoder; and it is known what the end of a text could be the
//! beginning of.

use std::collections::HashMap;
use std::ops::Range;

use super::encodings::{Form, Shape};

/// How long a block of the index is, bytes.
const BLOCK: usize = 4;

/// The farthest that the search goes in one step, bytes.
const FARTHEST: usize = 5;

/// The end of a text of which is looked at whether a form could begin there, bytes: two stretches that hold a block
/// each, and a line break. What begins before has been met by then.
const TAIL: usize = 2 * (FARTHEST + BLOCK - 1) + LONGEST_BREAK;

/// The longest line break: `\r\n` as JSON has it.
const LONGEST_BREAK: usize = 4;

/// So many characters at either end of a broken form may stand alone on their line and are then left there: three of
/// base64 are two bytes and a bit.
const STRAY: usize = 3;

/// The forms, and what finds them.
#[derive(Default)]
pub(super) struct Matcher {
    forms: Vec<Form>,
    /// Which forms have a block, and where in the form.
    index: HashMap<u32, Vec<(usize, usize)>, foldhash::fast::FixedState>,
    /// A bit for each value of the hash that some block has.
    bits: Vec<u64>,
    /// How far the hash is shifted to give the place of its bit.
    shift: u32,
    step: usize,
    /// Where a form can begin, sorted by the bytes from there.
    starts: Vec<(usize, usize)>,
    /// The same, of forms that may be broken.
    broken_starts: Vec<(usize, usize)>,
}

/// What was found in a text.
#[derive(Default)]
pub(super) struct Found {
    /// What is secret, in order, neither overlapping nor touching.
    pub hits: Vec<Range<usize>>,
    /// From here on it could be the beginning of a form.
    pub open: usize,
    /// Whether the character after the end of the text belongs to the last hit, if it is one of base64.
    pub reaches_over: bool,
}

enum Comparison {
    Differs,
    Found(Range<usize>),
    /// It begins here, and the text ends before it does.
    Open(usize),
}

impl Matcher {
    pub(super) fn new(forms: impl IntoIterator<Item = Form>) -> Self {
        let forms: Vec<Form> = forms.into_iter().filter(|form| stride(form) > 0).collect();
        let step = forms.iter().map(stride).min().unwrap_or(1);
        let mut matcher = Self {
            step,
            ..Self::default()
        };
        for (number, form) in forms.iter().enumerate() {
            let stretch = step + BLOCK - 1;
            let stretches: &[usize] = if form.may_be_broken() {
                &[0, stretch]
            } else {
                &[0]
            };
            for from in stretches {
                for at in *from..*from + step {
                    if let Some(block) = block(&form.bytes, at) {
                        matcher.index.entry(block).or_default().push((number, at));
                    }
                }
            }
            matcher.starts.push((number, 0));
            if form.may_be_broken() {
                matcher.broken_starts.push((number, 0));
                matcher
                    .starts
                    .extend((1..=stray(form)).map(|from| (number, from)));
            }
        }
        let size = (matcher.index.len() * 64)
            .next_power_of_two()
            .clamp(1 << 12, 1 << 22);
        matcher.shift = 32 - size.trailing_zeros();
        matcher.bits = vec![0; size / 64];
        for block in matcher.index.keys() {
            let place = place(*block, matcher.shift);
            if let Some(word) = matcher.bits.get_mut(place / 64) {
                *word |= 1 << (place % 64);
            }
        }
        for starts in [&mut matcher.starts, &mut matcher.broken_starts] {
            starts.sort_by(|a, b| rest(&forms, *a).cmp(rest(&forms, *b)));
        }
        matcher.forms = forms;
        matcher
    }

    /// What is secret in a text that is complete.
    pub(super) fn whole(&self, text: &[u8]) -> Vec<Range<usize>> {
        self.find(text, true).hits
    }

    /// What is secret in a text, which may go on unless it `is_last`.
    pub(super) fn find(&self, text: &[u8], is_last: bool) -> Found {
        let mut found = Found {
            open: text.len(),
            ..Found::default()
        };
        if self.forms.is_empty() {
            return found;
        }
        for (number, window) in text.windows(BLOCK).step_by(self.step).enumerate() {
            let Some(block) = window.first_chunk().copied().map(u32::from_le_bytes) else {
                break;
            };
            let place = place(block, self.shift);
            if self
                .bits
                .get(place / 64)
                .is_some_and(|word| word >> (place % 64) & 1 == 1)
            {
                self.look(text, number * self.step, block, is_last, &mut found);
            }
        }
        if !is_last {
            for at in text.len().saturating_sub(TAIL)..found.open {
                if text.get(at..).is_some_and(|tail| self.may_begin(tail)) {
                    found.open = at;
                    break;
                }
            }
        }
        merge(&mut found.hits);
        found
    }

    #[cold]
    fn look(&self, text: &[u8], at: usize, block: u32, is_last: bool, found: &mut Found) {
        for &(number, within) in self.index.get(&block).map_or(&[][..], Vec::as_slice) {
            let Some(form) = self.forms.get(number) else {
                continue;
            };
            match compare(form, text, at, within, is_last) {
                Comparison::Differs => {}
                Comparison::Open(start) => found.open = found.open.min(start),
                Comparison::Found(mut hit) => {
                    if form.shape == Shape::Base64 {
                        let is_part = |at: usize| text.get(at).is_some_and(|c| is_base64(*c));
                        hit.start -= usize::from(hit.start > 0 && is_part(hit.start - 1));
                        found.reaches_over |= hit.end == text.len();
                        hit.end += usize::from(is_part(hit.end));
                    }
                    if found.hits.last() != Some(&hit) {
                        found.hits.push(hit);
                    }
                }
            }
        }
    }

    /// Whether a form is longer than `tail` and begins with it.
    fn may_begin(&self, tail: &[u8]) -> bool {
        let longer = |starts: &[(usize, usize)], tail: &[u8], before_break: usize| {
            let from = starts.partition_point(|start| rest(&self.forms, *start) <= tail);
            starts
                .iter()
                .skip(from)
                .take_while(|start| rest(&self.forms, **start).starts_with(tail))
                .any(|(number, _)| {
                    self.forms
                        .get(*number)
                        .is_some_and(|form| stray(form) < before_break)
                })
        };
        if longer(&self.starts, tail, usize::MAX) {
            return true;
        }
        let mut joined = [0; TAIL];
        let (mut length, mut at, mut before_break) = (0, 0, None);
        while let Some(byte) = tail.get(at) {
            let skipped = match break_at(tail, at) {
                Break::None => 0,
                Break::Whole(length) => length,
                Break::Cut => tail.len() - at,
            };
            if skipped > 0 {
                before_break.get_or_insert(length);
                at += skipped;
                continue;
            }
            if let Some(place) = joined.get_mut(length) {
                *place = *byte;
            }
            (length, at) = (length + 1, at + 1);
        }
        match (before_break, joined.get(..length)) {
            (Some(before), Some(joined)) => longer(&self.broken_starts, joined, before),
            _ => false,
        }
    }
}

/// How far the search may go in a step and still meets the form; 0 where it is too short to be met at all.
fn stride(form: &Form) -> usize {
    let stretch = if form.may_be_broken() {
        form.bytes.len() / 2
    } else {
        form.bytes.len()
    };
    stretch.saturating_sub(BLOCK - 1).min(FARTHEST)
}

/// How much of either end of a form may be left on another line.
fn stray(form: &Form) -> usize {
    if form.may_be_broken() {
        (form.bytes.len().saturating_sub(6) / 2).min(STRAY)
    } else {
        0
    }
}

fn block(bytes: &[u8], at: usize) -> Option<u32> {
    bytes
        .get(at..)?
        .first_chunk()
        .copied()
        .map(u32::from_le_bytes)
}

fn place(block: u32, shift: u32) -> usize {
    // Fibonacci hashing; the upper bits are the good ones.
    (block.wrapping_mul(0x9E37_79B1) >> shift) as usize
}

fn rest(forms: &[Form], (number, from): (usize, usize)) -> &[u8] {
    forms
        .get(number)
        .and_then(|form| form.bytes.get(from..))
        .unwrap_or_default()
}

/// Whether the form stands where its block at `within` is the one at `at` of the text.
fn compare(form: &Form, text: &[u8], at: usize, within: usize, is_last: bool) -> Comparison {
    let (stray, may_be_broken) = (stray(form), form.may_be_broken());
    let (mut start, mut index) = (at, within);
    while index > 0 {
        let mut next = start;
        if may_be_broken && index > stray {
            next -= break_before(text, start);
        }
        if next == 0 || text.get(next - 1) != form.bytes.get(index - 1) {
            break;
        }
        (start, index) = (next - 1, index - 1);
    }
    if index > stray {
        return Comparison::Differs;
    }
    let (mut end, mut index) = (at + BLOCK, within + BLOCK);
    while let Some(expected) = form.bytes.get(index) {
        let mut next = end;
        if may_be_broken && index > stray {
            match break_at(text, end) {
                Break::None => {}
                Break::Whole(length) => next += length,
                Break::Cut => next = text.len(),
            }
        }
        match text.get(next) {
            None if !is_last => return Comparison::Open(start),
            Some(byte) if byte == expected => (end, index) = (next + 1, index + 1),
            _ => break,
        }
    }
    if form.bytes.len() - index > stray {
        return Comparison::Differs;
    }
    Comparison::Found(start..end)
}

enum Break {
    None,
    /// A line break of so many bytes.
    Whole(usize),
    /// The text ends within what could be one.
    Cut,
}

/// The line break that begins at a place: as it is, or as JSON has it.
fn break_at(text: &[u8], at: usize) -> Break {
    let rest = text.get(at..).unwrap_or_default();
    if !matches!(rest.first(), Some(b'\n' | b'\r' | b'\\')) {
        return Break::None;
    }
    let breaks: [&[u8]; 4] = [b"\n", b"\r\n", b"\\n", b"\\r\\n"];
    for whole in breaks {
        if rest.starts_with(whole) {
            return Break::Whole(whole.len());
        }
        if whole.starts_with(rest) {
            return Break::Cut;
        }
    }
    Break::None
}

/// How long the line break is that ends before a place.
fn break_before(text: &[u8], at: usize) -> usize {
    let before = text.get(..at).unwrap_or_default();
    let breaks: [&[u8]; 4] = [b"\\r\\n", b"\\n", b"\r\n", b"\n"];
    breaks
        .iter()
        .find(|whole| before.ends_with(whole))
        .map_or(0, |whole| whole.len())
}

/// Whether it is a character of base64, either alphabet.
pub(super) fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_')
}

/// Sorts, and makes one of those that overlap or touch.
pub(super) fn merge(hits: &mut Vec<Range<usize>>) {
    hits.sort_by_key(|hit| hit.start);
    hits.dedup_by(|next, last| {
        let is_one = next.start <= last.end;
        if is_one {
            last.end = last.end.max(next.end);
        }
        is_one
    });
}
