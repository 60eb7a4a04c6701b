//! Moments of a run as documents write them.

use std::time::{Duration, SystemTime};

use chrono::{DateTime, SecondsFormat, Utc};

/// So long after the beginning; `None` where no calendar reaches.
pub(super) fn since(started: SystemTime, since: Duration) -> Option<DateTime<Utc>> {
    let moment = started.checked_add(since)?;
    let since = moment.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    DateTime::from_timestamp(i64::try_from(since.as_secs()).ok()?, since.subsec_nanos())
}

/// RFC 3339 with milliseconds, UTC.
pub(super) fn rfc3339(started: SystemTime, after: Duration) -> String {
    since(started, after)
        .map(|moment| moment.to_rfc3339_opts(SecondsFormat::Millis, true))
        .unwrap_or_default()
}

/// Whole milliseconds.
pub(super) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::pipeline::tests::{ms, run};

    #[test]
    fn moments_have_milliseconds_and_never_overflow() {
        let started = run(vec![]).started;
        assert_eq!(rfc3339(started, ms(1_500)), "2026-11-23T04:00:01.750Z");
        assert_eq!(rfc3339(started, Duration::MAX), "");
        assert_eq!(rfc3339(started, Duration::from_secs(u64::MAX / 4)), "");
        assert_eq!(milliseconds(Duration::MAX), u64::MAX);
    }
}
