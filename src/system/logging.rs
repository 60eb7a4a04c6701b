//! Logs: `tracing` to standard error, as text for people or as one JSON object a line.

use std::io::{self, Write};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::model::untrusted;
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

/// Starts logging for the process. `filter` is in the grammar of `LOCKGATE_LOG` (`debug`, `lockgate=trace`).
pub fn start(format: LogFormat, filter: &str, masker: &Masker) {
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(Door {
            masker: masker.clone(),
        })
        .with_ansi(false)
        .with_target(false);
    // A second start in one process (tests) keeps the first.
    let _ = match format {
        LogFormat::Text => builder.without_time().compact().try_init_as_default(),
        LogFormat::Json => builder.json().flatten_event(true).try_init_as_default(),
    };
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
