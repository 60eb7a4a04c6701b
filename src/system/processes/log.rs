//! Where the output of a process goes: masked, into one file, as it comes; and line by line to whoever looks on.

use std::io::{self, Write};

use crate::system::lines::Lines;
use crate::system::masking::{Masker, MaskingStream};

/// Which of its outputs a process wrote to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

type OnLine = Box<dyn FnMut(Channel, &str) + Send>;

/// One sink for both outputs, in the order in which they arrive.
pub struct Log {
    out: Box<dyn Write + Send>,
    limit: u64,
    on_line: Option<OnLine>,
    logged: Logged,
}

/// What a log took.
#[derive(Debug, Default)]
pub struct Logged {
    /// How much the process wrote, after masking, bytes.
    pub bytes: u64,
    /// Whether the log has less than that, because it may not be longer.
    pub is_cut: bool,
    /// Why the log could not be written on, from some place on. The process went on without.
    pub failure: Option<io::Error>,
}

impl Log {
    /// A log that goes there, unbuffered: what was written is not lost with us.
    pub fn new(out: impl Write + Send + 'static) -> Self {
        Self {
            out: Box::new(out),
            limit: u64::MAX,
            on_line: None,
            logged: Logged::default(),
        }
    }

    /// Keeps at most so many bytes, and a note that says so.
    #[must_use]
    pub fn limit(mut self, bytes: u64) -> Self {
        self.limit = bytes;
        self
    }

    /// Shows each line when it is complete, without its line break, at most 64 KiB of it.
    #[must_use]
    pub fn on_line(mut self, on_line: impl FnMut(Channel, &str) + Send + 'static) -> Self {
        self.on_line = Some(Box::new(on_line));
        self
    }

    fn write(&mut self, bytes: &[u8]) {
        let room = self.limit.saturating_sub(self.logged.bytes);
        self.logged.bytes += bytes.len() as u64;
        if self.logged.is_cut || self.logged.failure.is_some() {
            return;
        }
        let kept = usize::try_from(room).map_or(bytes.len(), |room| room.min(bytes.len()));
        let mut written = self.out.write_all(bytes.get(..kept).unwrap_or_default());
        if kept < bytes.len() {
            self.logged.is_cut = true;
            let note = format!(
                "\n[the log ends here: it may not be longer than {} bytes]\n",
                self.limit
            );
            written = written.and_then(|()| self.out.write_all(note.as_bytes()));
        }
        self.logged.failure = written.err();
    }

    pub(super) fn into_logged(mut self) -> Logged {
        let flushed = self.out.flush();
        self.logged.failure = self.logged.failure.take().or(flushed.err());
        self.logged
    }
}

impl std::fmt::Debug for Log {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Log")
            .field("limit", &self.limit)
            .field("logged", &self.logged)
            .finish_non_exhaustive()
    }
}

/// The way of one output into the log.
pub(super) struct Inlet {
    channel: Channel,
    stream: MaskingStream,
    lines: Lines,
    masked: Vec<u8>,
}

impl Inlet {
    pub(super) fn new(channel: Channel, masker: &Masker) -> Self {
        Self {
            channel,
            stream: MaskingStream::new(masker),
            lines: Lines::default(),
            masked: Vec::new(),
        }
    }

    /// Takes what was read.
    pub(super) fn push(&mut self, bytes: &[u8], log: &mut Log) {
        // Memory takes everything.
        let _ = self.stream.push(bytes, &mut self.masked);
        self.pass(log);
    }

    /// Nothing came for a while.
    pub(super) fn rest(&mut self, log: &mut Log) {
        let _ = self.stream.flush_idle(&mut self.masked);
        self.pass(log);
    }

    /// Nothing comes any more.
    pub(super) fn finish(&mut self, log: &mut Log) {
        let _ = self.stream.finish(&mut self.masked);
        self.pass(log);
        if let Some(on_line) = &mut log.on_line {
            self.lines
                .finish(&mut |line: &str| on_line(self.channel, line));
        }
    }

    /// Whether something is held back that may be a secret.
    pub(super) fn is_waiting(&self) -> bool {
        self.stream.held() > 0
    }

    fn pass(&mut self, log: &mut Log) {
        if self.masked.is_empty() {
            return;
        }
        log.write(&self.masked);
        if let Some(on_line) = &mut log.on_line {
            self.lines
                .split(&self.masked, &mut |line: &str| on_line(self.channel, line));
        }
        self.masked.clear();
    }
}
