//! From an archive's bytes to those of its tar stream: zstd in any number of frames, or gzip.

use std::io::{BufRead, BufReader, Read};

use bytes::Bytes;
use flate2::bufread::MultiGzDecoder;
use zstd::stream::raw::{Decoder, InBuffer, Operation, OutBuffer};

use super::confinement::Limits;
use super::fault::Fault;
use super::inventory::{self, Inventory};
use super::note;
use super::progress::Progress;

/// Bytes read at once.
const READ: usize = 128 * 1024;

/// Bytes unpacked at once: what one chunk holds.
const CHUNK: usize = 512 * 1024;

const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZSTD: u32 = zstd::zstd_safe::MAGICNUMBER;

/// See the module. Keeps to the limits on bytes and ratio.
pub(super) struct Decompressor<'p, R> {
    format: Format<'p, R>,
    limits: Limits,
    unpacked: u64,
    passed: Passed,
    progress: &'p Progress,
}

/// What the frames say that hold no content.
#[derive(Debug, Default)]
pub(super) struct Passed {
    pub(super) inventory: Option<Inventory>,
    pub(super) note: Option<String>,
}

enum Format<'p, R> {
    Zstd {
        input: BufReader<Counted<'p, R>>,
        decoder: Decoder<'static>,
        in_frame: bool,
    },
    Gzip(Box<MultiGzDecoder<BufReader<Counted<'p, R>>>>),
}

impl<'p, R: Read> Decompressor<'p, R> {
    /// Looks at the first bytes. An archive of neither kind is corrupt.
    pub(super) fn new(input: R, limits: Limits, progress: &'p Progress) -> Result<Self, Fault> {
        let mut input = BufReader::with_capacity(READ, Counted(input, progress));
        let start = input.fill_buf().map_err(input_fault)?;
        let format = if start.is_empty() {
            return Err(Fault::Truncated { at: 0 });
        } else if start.starts_with(&GZIP) {
            Format::Gzip(Box::new(MultiGzDecoder::new(input)))
        } else {
            Format::Zstd {
                input,
                decoder: Decoder::new().map_err(Fault::Input)?,
                in_frame: false,
            }
        };
        Ok(Self {
            format,
            limits,
            unpacked: 0,
            passed: Passed::default(),
            progress,
        })
    }

    /// What stood between the frames of content.
    pub(super) fn into_passed(self) -> Passed {
        self.passed
    }

    /// The next bytes of the tar stream, `None` at the end of the archive.
    pub(super) fn next_chunk(&mut self) -> Result<Option<Bytes>, Fault> {
        self.progress.check()?;
        let mut chunk = Vec::with_capacity(CHUNK);
        match &mut self.format {
            Format::Gzip(decoder) => {
                let read = decoder.take(CHUNK as u64).read_to_end(&mut chunk);
                read.map_err(|error| {
                    let at = self.unpacked + chunk.len() as u64;
                    content_fault(error, at)
                })?;
            }
            Format::Zstd {
                input,
                decoder,
                in_frame,
            } => {
                while chunk.len() < CHUNK {
                    if !*in_frame {
                        let at = self.unpacked + chunk.len() as u64;
                        match next_frame(input, decoder, at)? {
                            Frame::End => break,
                            Frame::Data => *in_frame = true,
                            Frame::Passed(found) => {
                                let passed = &mut self.passed;
                                passed.inventory = passed.inventory.take().or(found.inventory);
                                // It stands in front or nowhere.
                                passed.note = passed.note.take().or(found.note.filter(|_| at == 0));
                                continue;
                            }
                        }
                    }
                    run(input, decoder, in_frame, &mut chunk, self.unpacked)?;
                }
            }
        }
        if chunk.is_empty() {
            return Ok(None);
        }
        self.unpacked += chunk.len() as u64;
        self.progress.add_unpacked_bytes(chunk.len());
        let read = self.progress.archive_bytes();
        self.limits.check_bytes(self.unpacked, read)?;
        Ok(Some(chunk.into()))
    }
}

enum Frame {
    Data,
    Passed(Passed),
    End,
}

/// What stands between two frames of content. The decoder gets a magic number of its own already consumed.
fn next_frame(
    input: &mut impl BufRead,
    decoder: &mut Decoder<'static>,
    at: u64,
) -> Result<Frame, Fault> {
    if input.fill_buf().map_err(input_fault)?.is_empty() {
        return Ok(Frame::End);
    }
    // It may lie across two reads.
    let magic = word(input, at)?;
    if magic == ZSTD {
        let mut nothing = [0; 1];
        decoder
            .run_on_buffers(&magic.to_le_bytes(), &mut nothing)
            .map_err(|error| Fault::corrupt(place(at), error.to_string()))?;
        return Ok(Frame::Data);
    }
    if !inventory::is_skippable(magic) {
        let why = if at == 0 {
            "it is neither zstd nor gzip"
        } else {
            "what follows is no zstd frame"
        };
        return Err(Fault::corrupt(place(at), why));
    }
    let length = word(input, at)?;
    let mut content = input.take(u64::from(length));
    let mut body = Vec::new();
    (&mut content)
        .take(inventory::LARGEST as u64)
        .read_to_end(&mut body)
        .map_err(input_fault)?;
    std::io::copy(&mut content, &mut std::io::sink()).map_err(input_fault)?;
    if content.limit() > 0 {
        return Err(Fault::Truncated { at });
    }
    Ok(Frame::Passed(Passed {
        note: note::in_body(&body),
        inventory: Inventory::read(&body)?,
    }))
}

fn word(input: &mut impl Read, at: u64) -> Result<u32, Fault> {
    let mut bytes = [0; 4];
    input
        .read_exact(&mut bytes)
        .map_err(|error| content_fault(error, at))?;
    Ok(u32::from_le_bytes(bytes))
}

fn place(at: u64) -> String {
    format!("unpacked byte {at}")
}

fn run(
    input: &mut impl BufRead,
    decoder: &mut Decoder<'static>,
    in_frame: &mut bool,
    chunk: &mut Vec<u8>,
    before: u64,
) -> Result<(), Fault> {
    let at = before + chunk.len() as u64;
    let bytes = input.fill_buf().map_err(input_fault)?;
    let is_end = bytes.is_empty();
    let mut source = InBuffer::around(bytes);
    let start = chunk.len();
    let mut target = OutBuffer::around_pos(chunk, start);
    let left = decoder
        .run(&mut source, &mut target)
        .map_err(|error| Fault::corrupt(place(at), error.to_string()))?;
    let (used, written) = (source.pos(), target.pos() - start);
    input.consume(used);
    *in_frame = left != 0;
    // The decoder may still hold what it had no place for.
    if is_end && *in_frame && written == 0 {
        return Err(Fault::Truncated { at });
    }
    Ok(())
}

/// Counts what is read, and keeps a source that is interrupted apart from one that fails.
struct Counted<'p, R>(R, &'p Progress);

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.0.read(buffer).map_err(Source::wrap)?;
        self.1.add_archive_bytes(read);
        Ok(read)
    }
}

/// An error of the source, so that it is not taken for one of the content.
#[derive(Debug)]
struct Source(std::io::Error);

impl Source {
    fn wrap(error: std::io::Error) -> std::io::Error {
        if error.kind() == std::io::ErrorKind::Interrupted {
            return error;
        }
        std::io::Error::new(error.kind(), Self(error))
    }
}

impl std::fmt::Display for Source {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(formatter)
    }
}

impl std::error::Error for Source {}

fn input_fault(error: std::io::Error) -> Fault {
    match error.downcast::<Source>() {
        Ok(Source(error)) | Err(error) => Fault::Input(error),
    }
}

fn content_fault(error: std::io::Error, at: u64) -> Fault {
    match error.downcast::<Source>() {
        Ok(Source(error)) => Fault::Input(error),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Fault::Truncated { at },
        Err(error) => Fault::corrupt(place(at), error.to_string()),
    }
}
