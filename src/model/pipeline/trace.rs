//! The ids of a run's trace: known before anything starts, so that each stage can be told whose child it is.
//!
//! `TRACEPARENT` as in W3C Trace Context (<https://www.w3.org/TR/trace-context/>), carried by the environment as
//! OpenTelemetry describes.

use std::fmt;

use crate::model::digest::{Pieces, hex};

/// The id of a trace, never zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TraceId([u8; 16]);

impl TraceId {
    /// One of random bytes.
    pub fn random(bytes: [u8; 16]) -> Self {
        Self(if bytes == [0; 16] { [1; 16] } else { bytes })
    }

    /// The same for the same parts: jobs that know the same parts join one trace without telling each other.
    pub fn of(parts: &[&str]) -> Self {
        let mut pieces = Pieces::default();
        pieces.add("lockgate trace").add_list(parts.iter());
        Self::random(first(&pieces.finish()))
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// The id of a span, never zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SpanId([u8; 8]);

impl SpanId {
    fn of(trace: TraceId, parts: &[&str]) -> Self {
        let mut pieces = Pieces::default();
        pieces.add("lockgate span").add(trace.0);
        pieces.add_list(parts.iter());
        let bytes = first(&pieces.finish());
        Self(if bytes == [0; 8] { [1; 8] } else { bytes })
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// The first bytes of a digest.
fn first<const N: usize>(digest: &[u8; 32]) -> [u8; N] {
    let mut bytes = [0; N];
    bytes
        .iter_mut()
        .zip(digest)
        .for_each(|(byte, digest)| *byte = *digest);
    bytes
}

impl fmt::Display for TraceId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&hex(&self.0))
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&hex(&self.0))
    }
}

/// The trace of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// The id of the whole trace, which may have more runs in it.
    pub id: TraceId,
    /// The span that the run is part of, where somebody told.
    pub parent: Option<SpanId>,
    /// `TRACESTATE` as it came, for those who come after us.
    pub state: Option<String>,
    /// Whether the one before us wants the trace to be kept.
    pub is_sampled: bool,
    /// What tells this run from the others of the trace.
    run: String,
}

impl Trace {
    /// The trace of the run `run_id` that nobody is before.
    pub fn new(id: TraceId, run_id: impl Into<String>) -> Self {
        Self {
            id,
            parent: None,
            state: None,
            is_sampled: true,
            run: run_id.into(),
        }
    }

    /// The trace that an incoming `TRACEPARENT` and `TRACESTATE` name; `None` where the first is none.
    pub fn continued(parent: &str, state: Option<&str>, run_id: impl Into<String>) -> Option<Self> {
        let mut fields = parent.trim().split('-');
        let (version, id) = (fields.next()?, fields.next()?);
        let (span, flags) = (fields.next()?, fields.next()?);
        let version = bytes::<1>(version)?;
        // A later version may have more fields, the first never has.
        if version == [0xff] || (version == [0] && fields.next().is_some()) {
            return None;
        }
        let id = bytes::<16>(id).filter(|id| *id != [0; 16])?;
        let span = bytes::<8>(span).filter(|span| *span != [0; 8])?;
        let [flags] = bytes::<1>(flags)?;
        let is_state = |state: &&str| {
            state.len() <= 512 && state.bytes().all(|byte| matches!(byte, b' '..=b'~'))
        };
        Some(Self {
            id: TraceId(id),
            parent: Some(SpanId(span)),
            state: state.filter(is_state).map(str::to_owned),
            is_sampled: flags & 1 == 1,
            run: run_id.into(),
        })
    }

    /// The span of the run.
    pub fn run(&self) -> SpanId {
        SpanId::of(self.id, &[&self.run])
    }

    /// The span of a stage, by its name.
    pub fn stage(&self, name: &str) -> SpanId {
        SpanId::of(self.id, &[&self.run, name])
    }

    /// The span of an attempt of a stage; the first is 1.
    pub fn attempt(&self, name: &str, number: usize) -> SpanId {
        SpanId::of(self.id, &[&self.run, name, &number.to_string()])
    }

    /// `TRACEPARENT` for what runs inside of the span.
    pub fn parent_of(&self, span: SpanId) -> String {
        format!("00-{}-{span}-0{}", self.id, u8::from(self.is_sampled))
    }

    /// The variables that a stage gets for one of its attempts; the first is 1.
    pub fn variables(&self, name: &str, number: usize) -> Vec<(&'static str, String)> {
        let parent = self.parent_of(self.attempt(name, number));
        let mut variables = vec![("TRACEPARENT", parent)];
        variables.extend(self.state.clone().map(|state| ("TRACESTATE", state)));
        variables
    }
}

/// The bytes that lower-case hexadecimal digits name.
fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if text.len() != 2 * N || !text.bytes().all(is_hex) {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, at) in bytes.iter_mut().zip((0..).step_by(2)) {
        *byte = u8::from_str_radix(text.get(at..at + 2)?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn jobs_that_know_the_same_join_one_trace_with_spans_of_their_own() {
        let parts = ["https://github.example", "o/r", "42", "1"];
        let [one, two] =
            ["42.1.build", "42.1.deploy"].map(|run| Trace::new(TraceId::of(&parts), run));
        assert_eq!(one.id, two.id);
        assert_ne!(one.run(), two.run());
        assert_ne!(one.stage("test"), two.stage("test"));
        assert_ne!(one.stage("test"), one.attempt("test", 1));
        assert_eq!(one.attempt("test", 2), one.clone().attempt("test", 2));
        assert_ne!(TraceId::of(&["o/r4", "2"]), TraceId::of(&["o/r", "42"]));
    }

    #[test]
    fn an_incoming_parent_is_continued() {
        let trace = Trace::continued(PARENT, Some("a=b"), "run").unwrap();
        assert_eq!(trace.id.to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(trace.parent.unwrap().to_string(), "00f067aa0ba902b7");
        let variables = trace.variables("test", 1);
        let span = trace.attempt("test", 1);
        assert_eq!(
            variables,
            [
                ("TRACEPARENT", format!("00-{}-{span}-01", trace.id)),
                ("TRACESTATE", "a=b".to_owned())
            ]
        );
        // What we hand on is read again as what we meant.
        let next = Trace::continued(&variables[0].1, None, "x").unwrap();
        assert_eq!((next.id, next.parent), (trace.id, Some(span)));
        let off = Trace::continued(&PARENT.replace("-01", "-00"), None, "x").unwrap();
        assert!(!off.is_sampled && off.parent_of(off.run()).ends_with("-00"));
    }

    #[test]
    fn what_is_no_parent_is_left_alone() {
        for parent in [
            "",
            "00",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
            "00-4bf92f3577b34da6a3ce929d0e0e473é-00f067aa0ba902b-01",
            "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            assert_eq!(Trace::continued(parent, None, "x"), None, "{parent}");
        }
        let later = format!("{}-more", PARENT.replacen("00", "01", 1));
        assert!(
            Trace::continued(&later, Some("x\ny"), "x")
                .unwrap()
                .state
                .is_none()
        );
    }
}
