//! GitHub's `primaryLocationLineHash`, by which code scanning knows an alert again when lines move.
//!
//! As `hash` in [codeql-action's `fingerprints.ts`](https://github.com/github/codeql-action/blob/main/src/fingerprints.ts)
//! computes it: over UTF-16 units without blanks and tabs, every line break one line feed, `0xffff` at the end of the
//! file and zeros behind it, the hash of a line is the polynomial in 37, modulo 2⁶⁴, of the 100 units that begin with
//! the line; and it is counted how often the same hash was met in the file so far. A byte order mark is a unit, and
//! what is not UTF-8 becomes U+FFFD, as Node decodes it.
//!
//! With `p` the polynomial of everything read so far, the hash of a line is `p(end) − 37¹⁰⁰ · p(start)`: no window of
//! units is kept, only the lines that began within the last 100 units.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, Hasher, RandomState};

use memchr::memchr2;

/// How many units make a hash.
const BLOCK: u32 = 100;
const FACTOR: u64 = 37;
/// What the end of the file counts as.
const END_OF_FILE: u16 = u16::MAX;
/// So many units are gathered before they are hashed.
const BUFFER: usize = 16 << 10;

/// The hashes of the lines of one file.
#[derive(Clone, Debug)]
pub struct LineHashes {
    hashes: Vec<(u64, u32)>,
}

impl LineHashes {
    /// Reads the file once.
    pub fn new(bytes: &[u8]) -> Self {
        let mut reader = Reader::default();
        let mut rest = bytes;
        while let Some(end) = memchr2(b'\n', b'\r', rest) {
            let (line, behind) = rest.split_at(end);
            reader.begin_line();
            reader.text(line);
            reader.units.push(b'\n'.into());
            rest = behind
                .strip_prefix(b"\r\n")
                .or_else(|| behind.get(1..))
                .unwrap_or_default();
        }
        reader.begin_line();
        reader.text(rest);
        reader.finish()
    }

    /// The hash of the line of that 1-based number, and the how-many-eth of its like it is, from 1 on. The empty line
    /// behind the last line break has one too.
    pub fn of(&self, line: u32) -> Option<(u64, u32)> {
        let index = usize::try_from(line).ok()?.checked_sub(1)?;
        self.hashes.get(index).copied()
    }

    /// How many lines there are, with the one behind the last line break.
    pub fn count(&self) -> usize {
        self.hashes.len()
    }
}

/// The hash as SARIF holds it: `39fa2ee980eb94b0:1`.
pub fn render((hash, count): (u64, u32)) -> String {
    format!("{hash:x}:{count}")
}

/// What was read so far.
#[derive(Default)]
struct Reader {
    /// Gathered and not hashed yet.
    units: Vec<u16>,
    /// How many were hashed before them.
    hashed: u64,
    polynomial: u64,
    /// Where lines begin that are not hashed yet.
    starts: VecDeque<u64>,
    /// The polynomial before each line whose hash is not known yet, and the position that it is known at.
    open: VecDeque<(u64, u64)>,
    hashes: Vec<u64>,
}

impl Reader {
    fn begin_line(&mut self) {
        self.starts.push_back(self.hashed + self.units.len() as u64);
        if self.units.len() >= BUFFER {
            self.hash();
        }
    }

    /// Gathers the units of a line.
    fn text(&mut self, line: &[u8]) {
        if line.is_ascii() {
            self.ascii(line);
        } else {
            self.other(line);
        }
    }

    /// Without a branch for each byte: a word is too short to foretell its end.
    fn ascii(&mut self, line: &[u8]) {
        let start = self.units.len();
        self.units.extend(line.iter().map(|byte| u16::from(*byte)));
        let units = &mut self.units[start..];
        let mut kept = 0;
        for at in 0..units.len() {
            let unit = units[at];
            units[kept] = unit;
            kept += usize::from(unit != u16::from(b' ') && unit != u16::from(b'\t'));
        }
        self.units.truncate(start + kept);
    }

    fn other(&mut self, line: &[u8]) {
        for chunk in line.utf8_chunks() {
            let units = chunk.valid().encode_utf16();
            let is_kept = |unit: &u16| *unit != u16::from(b' ') && *unit != u16::from(b'\t');
            self.units.extend(units.filter(is_kept));
            if !chunk.invalid().is_empty() {
                self.units
                    .extend_from_slice(char::REPLACEMENT_CHARACTER.encode_utf16(&mut [0; 2]));
            }
        }
    }

    /// Hashes what was gathered, from one place to the next at which a line begins or a hash is complete.
    fn hash(&mut self) {
        let units = std::mem::take(&mut self.units);
        let mut rest = units.as_slice();
        loop {
            while let Some(&(before, _)) = self.open.front().filter(|open| open.1 == self.hashed) {
                let lead = const { FACTOR.wrapping_pow(BLOCK) }.wrapping_mul(before);
                self.hashes.push(self.polynomial.wrapping_sub(lead));
                self.open.pop_front();
            }
            if self.starts.front() == Some(&self.hashed) {
                self.starts.pop_front();
                let due = self.hashed + u64::from(BLOCK);
                self.open.push_back((self.polynomial, due));
            }
            if rest.is_empty() {
                break;
            }
            let due = self.open.front().map_or(u64::MAX, |open| open.1);
            let next = due.min(self.starts.front().copied().unwrap_or(u64::MAX));
            let length = usize::try_from(next - self.hashed).unwrap_or(usize::MAX);
            let (run, behind) = rest.split_at(length.min(rest.len()));
            self.polynomial = polynomial(self.polynomial, run);
            self.hashed += run.len() as u64;
            rest = behind;
        }
        self.units = units;
        self.units.clear();
    }

    fn finish(mut self) -> LineHashes {
        self.units.push(END_OF_FILE);
        self.units.extend([0; BLOCK as usize]);
        self.hash();
        let mut met = HashMap::with_capacity_and_hasher(self.hashes.len(), Seeded::default());
        let number = |hash: u64| {
            let count: &mut u32 = met.entry(hash).or_default();
            *count = count.saturating_add(1);
            (hash, *count)
        };
        LineHashes {
            hashes: self.hashes.into_iter().map(number).collect(),
        }
    }
}

/// The polynomial goes on over these units, four at a time.
fn polynomial(start: u64, units: &[u16]) -> u64 {
    let step = |sum: u64, unit: &u16| sum.wrapping_mul(FACTOR).wrapping_add(u64::from(*unit));
    let mut fours = units.chunks_exact(4);
    let sum = fours.by_ref().fold(start, |sum, four| {
        sum.wrapping_mul(const { FACTOR.pow(4) })
            .wrapping_add(four.iter().fold(0, step))
    });
    fours.remainder().iter().fold(sum, step)
}

/// The keys are hashes already, but whoever writes the file can choose them: a seed keeps the table even.
struct Seeded(u64);

impl Default for Seeded {
    fn default() -> Self {
        Self(RandomState::new().hash_one(0))
    }
}

impl BuildHasher for Seeded {
    type Hasher = Folded;

    fn build_hasher(&self) -> Folded {
        Folded(self.0)
    }
}

struct Folded(u64);

impl Hasher for Folded {
    fn write_u64(&mut self, key: u64) {
        let wide = u128::from(key ^ self.0) * 0x9e37_79b9_7f4a_7c15;
        let [low, high] = [wide & u128::from(u64::MAX), wide >> 64];
        self.0 = u64::try_from(low ^ high).unwrap_or(0);
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
