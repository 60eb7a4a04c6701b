//! The first pass: where in the input the parts of each run are.

use std::io::{BufRead, Seek, SeekFrom};
use std::ops::Range;

use super::FORMAT;
use crate::linters::json_stream::{ErrorKind, Fault, Skimmer, once};

/// GitHub takes 20 from one report.
const MAX_RUNS: usize = 1_000;

/// Where the parts of one run are, in bytes; `None` for what is absent or `null`.
#[derive(Debug, Default)]
pub(super) struct RunLayout {
    pub(super) tool: Option<Range<u64>>,
    pub(super) results: Option<Range<u64>>,
    pub(super) bases: Option<Range<u64>>,
    pub(super) column_kind: Option<Range<u64>>,
    pub(super) invocations: Option<Range<u64>>,
    pub(super) artifacts: Option<Range<u64>>,
    pub(super) external: Option<Range<u64>>,
    /// Where the run itself starts.
    pub(super) start: u64,
}

/// Finds the runs of a report.
pub(super) fn skim<R: BufRead + Seek>(input: &mut R) -> Result<Vec<RunLayout>, Fault> {
    input.seek(SeekFrom::Start(0))?;
    let mut skimmer = Skimmer {
        input,
        offset: 0,
        format: FORMAT,
    };
    skimmer.begin("a SARIF 2.1.0 object")?;
    let mut version = None;
    let mut runs = None;
    skimmer.object("a SARIF object", |skimmer, name| match name {
        b"version" => {
            let (range, text) = skimmer.text()?;
            once(&mut version, Some((range, text)), "version", skimmer.offset)
        }
        b"runs" => {
            let found = skimmer.runs()?;
            once(&mut runs, found, "runs", skimmer.offset)
        }
        b"inlineExternalProperties" => skimmer.no_inline_properties(),
        _ => skimmer.skip(),
    })?;
    if skimmer.next_token()?.is_some() {
        return Err(Fault::expected("the end of the report", skimmer.offset));
    }
    match version {
        Some((_, text)) if text == b"2.1.0" => {}
        Some((start, text)) => {
            let found = String::from_utf8_lossy(&text).into_owned();
            return Err(Fault::new(ErrorKind::Version(Some(found)), start));
        }
        None => return Err(Fault::new(ErrorKind::Version(None), 0)),
    }
    runs.filter(|runs| !runs.is_empty())
        .ok_or(Fault::new(ErrorKind::NoRuns, 0))
}

impl<R: BufRead> Skimmer<'_, R> {
    fn runs(&mut self) -> Result<Option<Vec<RunLayout>>, Fault> {
        if self.token()? == b'n' {
            return self.skip().map(|()| None);
        }
        self.expect(b'[', "an array of runs")?;
        let mut runs = Vec::new();
        if self.token()? == b']' {
            self.consume(1);
            return Ok(Some(runs));
        }
        loop {
            self.token()?;
            if runs.len() == MAX_RUNS {
                return Err(Fault::expected(
                    format!("at most {MAX_RUNS} runs"),
                    self.offset,
                ));
            }
            runs.push(self.run()?);
            match self.token()? {
                b',' => self.consume(1),
                b']' => break self.consume(1),
                _ => return Err(Fault::expected("`,` or `]`", self.offset)),
            }
        }
        Ok(Some(runs))
    }

    /// Results may hide there, which nobody does: refused rather than passed over.
    fn no_inline_properties(&mut self) -> Result<(), Fault> {
        if self.token()? == b'n' {
            return self.skip();
        }
        self.expect(b'[', "an array of external properties")?;
        self.expect(
            b']',
            "no `inlineExternalProperties`, whose results are not read",
        )
    }

    fn run(&mut self) -> Result<RunLayout, Fault> {
        let mut run = RunLayout {
            start: self.offset,
            ..RunLayout::default()
        };
        self.object("a run", |skimmer, name| {
            let start = skimmer.offset;
            let first = skimmer.token()?;
            skimmer.skip()?;
            let (slot, name) = match name {
                b"tool" => (&mut run.tool, "tool"),
                b"results" => (&mut run.results, "results"),
                b"originalUriBaseIds" => (&mut run.bases, "originalUriBaseIds"),
                b"columnKind" => (&mut run.column_kind, "columnKind"),
                b"invocations" => (&mut run.invocations, "invocations"),
                b"artifacts" => (&mut run.artifacts, "artifacts"),
                b"externalPropertyFileReferences" => {
                    (&mut run.external, "externalPropertyFileReferences")
                }
                _ => return Ok(()),
            };
            if name == "results" && !matches!(first, b'[' | b'n') {
                return Err(Fault::expected("an array of results", start));
            }
            let range = (first != b'n').then_some(start..skimmer.offset);
            once(slot, range, name, start)
        })?;
        Ok(run)
    }
}
