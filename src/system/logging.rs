//! Logs: `tracing` to standard error, as text for people or as one JSON object a line.

use std::io::{self, Write};
use std::sync::OnceLock;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::model::untrusted;
use crate::system::environment::Environment;
use crate::system::files::hex;
use crate::system::masking::Masker;

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// The format that was started, for what people are told besides: it must not stand between JSON lines as plain text.
static STARTED: OnceLock<LogFormat> = OnceLock::new();

/// Whether everything on standard error is one JSON object a line.
pub fn is_json() -> bool {
    STARTED.get() == Some(&LogFormat::Json)
}

/// Starts logging for the process. The level is that of `LOCKGATE_LOG` (`debug`, `lockgate=trace`), else `debug` where
/// the user asked the runner for it, else what people or machines want to read.
///
/// Every JSON line has the step and a trace id (W3C Trace Context): that of `TRACEPARENT`, or one of its own.
pub fn start(
    format: LogFormat,
    is_debug: bool,
    step: &'static str,
    environment: &Environment,
    masker: &Masker,
) {
    let usual = match (is_debug, format) {
        (true, _) => "debug",
        (false, LogFormat::Text) => "warn",
        (false, LogFormat::Json) => "info",
    };
    let wanted = environment.get("LOCKGATE_LOG").unwrap_or(usual);
    let filter = EnvFilter::try_new(wanted).unwrap_or_else(|_| EnvFilter::new(usual));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(Door {
            masker: masker.clone(),
        })
        .with_ansi(false)
        .with_target(false);
    // A second start in one process (tests) keeps the first.
    let started = match format {
        LogFormat::Text => builder.without_time().compact().try_init_as_default(),
        LogFormat::Json => {
            let builder = builder.json().flatten_event(true).with_span_list(false);
            builder.try_init_as_default()
        }
    };
    if started.is_ok() && STARTED.set(format).is_ok() && format == LogFormat::Json {
        // The span of the whole process: it is never left.
        let span = tracing::info_span!("run", step, trace_id = trace_id(environment));
        std::mem::forget(span.entered());
    }
}

/// The trace that we are part of, or a new one: 16 bytes in hexadecimal.
fn trace_id(environment: &Environment) -> String {
    let parent = environment
        .get("TRACEPARENT")
        .and_then(|parent| parent.split('-').nth(1));
    let is_id = |id: &&str| id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    if let Some(id) = parent.filter(is_id) {
        return id.to_owned();
    }
    let mut random = [0; 16];
    // Without random numbers the trace is the invalid one of the specification, all zeros.
    let _ = getrandom::fill(&mut random);
    hex(&random)
}

trait TryInit {
    fn try_init_as_default(self) -> Result<(), ()>;
}

impl<N, E, W> TryInit for tracing_subscriber::fmt::SubscriberBuilder<N, E, EnvFilter, W>
where
    tracing_subscriber::fmt::SubscriberBuilder<N, E, EnvFilter, W>: Into<tracing::Dispatch>,
{
    fn try_init_as_default(self) -> Result<(), ()> {
        tracing::dispatcher::set_global_default(self.into()).map_err(|_| ())
    }
}

/// Standard error behind the masker and the sanitiser: a log line holds text of strangers.
struct Door {
    masker: Masker,
}

impl<'a> MakeWriter<'a> for Door {
    type Writer = DoorWriter<'a>;

    fn make_writer(&'a self) -> Self::Writer {
        DoorWriter {
            masker: &self.masker,
        }
    }
}

struct DoorWriter<'a> {
    masker: &'a Masker,
}

impl Write for DoorWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        let text = self.masker.mask(text.trim_end_matches('\n'));
        let line = untrusted::line(&text);
        io::stderr().write_all(format!("{line}\n").as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
