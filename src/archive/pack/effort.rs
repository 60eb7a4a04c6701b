//! What a piece of work took of a thread, to know whether others want its processor.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// Time that passed, and time on a processor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Effort {
    pub(super) wall: Duration,
    pub(super) processor: Duration,
}

/// Work that has begun.
pub(super) struct Begun {
    wall: Instant,
    processor: Duration,
}

impl Effort {
    pub(super) fn begin() -> Begun {
        Begun {
            wall: Instant::now(),
            processor: of_this_thread(),
        }
    }
}

impl Begun {
    pub(super) fn end(&self) -> Effort {
        Effort {
            wall: self.wall.elapsed(),
            processor: of_this_thread().saturating_sub(self.processor),
        }
    }
}

fn of_this_thread() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = Duration::from_secs(u64::try_from(time.tv_sec).unwrap_or_default());
    seconds + Duration::from_nanos(u64::try_from(time.tv_nsec).unwrap_or_default())
}
