//! Lines of a stream of bytes, each when it is complete, and none of them longer than memory should hold.

/// How much of a line is shown, bytes; the rest of a longer one is left out.
const LONGEST: usize = 64 * 1024;

/// The line that is being written.
#[derive(Debug, Default)]
pub(super) struct Lines {
    line: Vec<u8>,
}

impl Lines {
    /// Takes more, and shows each line that it completes, without its line break.
    pub(super) fn split(&mut self, bytes: &[u8], on_line: &mut (impl FnMut(&str) + ?Sized)) {
        let mut from = 0;
        for end in memchr::memchr_iter(b'\n', bytes) {
            let line = bytes.get(from..end).unwrap_or_default();
            from = end + 1;
            if self.line.is_empty() && line.len() <= LONGEST {
                show(line, on_line);
            } else {
                self.keep(line);
                show(&self.line, on_line);
                self.line.clear();
            }
        }
        self.keep(bytes.get(from..).unwrap_or_default());
    }

    /// Shows what is left.
    pub(super) fn finish(&mut self, on_line: &mut (impl FnMut(&str) + ?Sized)) {
        if !self.line.is_empty() {
            on_line(&String::from_utf8_lossy(&self.line));
            self.line.clear();
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = LONGEST.saturating_sub(self.line.len());
        self.line
            .extend_from_slice(bytes.get(..bytes.len().min(room)).unwrap_or_default());
    }
}

fn show(line: &[u8], on_line: &mut (impl FnMut(&str) + ?Sized)) {
    on_line(String::from_utf8_lossy(line).trim_end_matches(['\r', '\n']));
}
