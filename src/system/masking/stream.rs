//! Masks text that comes in pieces: a secret that is split over two of them is masked all the same.

use std::io::{self, Write};
use std::sync::Arc;

use super::matcher::{self, Matcher};
use super::{MASK, Masker};

/// So much is looked at at once, bytes: memory holds this and what is held back.
const PIECE: usize = 128 * 1024;

/// See the module. Holds back only what could be the beginning of a form of a secret, and one character before it that
/// base64 could share with it: never more than five times the longest form. [`finish`](MaskingStream::finish) it: what is
/// dropped unfinished loses its end.
pub struct MaskingStream {
    masker: Masker,
    matcher: Arc<Matcher>,
    generation: u64,
    /// What is held back, and behind it what is looked at.
    text: Vec<u8>,
    /// So many bytes at the beginning of `text` are known to be secret.
    secret: usize,
    /// Whether the last that was written is a mask: another secret that follows at once needs none of its own.
    is_masked: bool,
    /// The place in `text` that belongs to the secret before it, if a character of base64 stands there.
    over: Option<usize>,
}

/// How much of what is held back may go.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Until {
    /// All that cannot be part of a secret.
    Safe,
    /// That, and a character that would at most tell four bits.
    Idle,
    /// Everything: the text is complete.
    End,
}

impl MaskingStream {
    /// A stream that knows what is registered, now and later.
    pub fn new(masker: &Masker) -> Self {
        Self {
            masker: masker.clone(),
            matcher: Arc::default(),
            generation: 0,
            text: Vec::new(),
            secret: 0,
            is_masked: false,
            over: None,
        }
    }

    /// Takes the next piece and writes what is safe.
    pub fn push(&mut self, chunk: &[u8], out: &mut (impl Write + ?Sized)) -> io::Result<()> {
        if self.text.is_empty() && self.masker.is_empty() {
            return out.write_all(chunk);
        }
        for piece in chunk.chunks(PIECE) {
            self.text.extend_from_slice(piece);
            self.write(Until::Safe, out)?;
        }
        Ok(())
    }

    /// Nothing came for a while: writes what was held back only for the sake of four bits. What could begin a secret
    /// stays, for the rest may still come.
    pub fn flush_idle(&mut self, out: &mut (impl Write + ?Sized)) -> io::Result<()> {
        self.write(Until::Idle, out)
    }

    /// The text is complete: writes the rest. The stream can then be used for another text.
    pub fn finish(&mut self, out: &mut (impl Write + ?Sized)) -> io::Result<()> {
        self.write(Until::End, out)?;
        (self.is_masked, self.over) = (false, None);
        Ok(())
    }

    /// How many bytes are held back.
    pub fn held(&self) -> usize {
        self.text.len()
    }

    fn write(&mut self, until: Until, out: &mut (impl Write + ?Sized)) -> io::Result<()> {
        if self.text.is_empty() {
            return Ok(());
        }
        let generation = self.masker.generation();
        if generation != self.generation {
            (self.matcher, self.generation) = (self.masker.matcher(), generation);
        }
        let mut found = self.matcher.find(&self.text, until == Until::End);
        if self.secret > 0 {
            found.hits.push(0..self.secret);
        }
        let is_part = |at: &usize| self.text.get(*at).is_some_and(|c| matcher::is_base64(*c));
        let over = self.over.take();
        if let Some(at) = over.filter(is_part) {
            found.hits.push(at..at + 1);
        }
        matcher::merge(&mut found.hits);
        let mut end = found.open;
        let before = end.checked_sub(1).and_then(|at| self.text.get(at));
        if until == Until::Safe && before.is_some_and(|c| matcher::is_base64(*c)) {
            end -= 1;
        }
        let mut at = 0;
        self.secret = self.secret.saturating_sub(end);
        for hit in found.hits.iter().take_while(|hit| hit.start < end) {
            self.plain(at..hit.start, out)?;
            if !self.is_masked {
                out.write_all(MASK.as_bytes())?;
                self.is_masked = true;
            }
            at = hit.end.min(end);
            // The rest of it is held back, as the possible beginning of another.
            self.secret = hit.end - at;
        }
        self.plain(at..end, out)?;
        let length = self.text.len();
        if found.reaches_over && found.hits.last().is_some_and(|hit| hit.start < end) {
            self.over = Some(length - end);
        } else if let Some(at) = over.filter(|at| *at >= end) {
            self.over = Some(at - end);
        }
        self.text.drain(..end);
        Ok(())
    }

    fn plain(
        &mut self,
        range: std::ops::Range<usize>,
        out: &mut (impl Write + ?Sized),
    ) -> io::Result<()> {
        match self.text.get(range) {
            None | Some([]) => Ok(()),
            Some(text) => {
                self.is_masked = false;
                out.write_all(text)
            }
        }
    }
}

impl std::fmt::Debug for MaskingStream {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("MaskingStream")
            .field("held", &self.text.len())
            .finish_non_exhaustive()
    }
}
