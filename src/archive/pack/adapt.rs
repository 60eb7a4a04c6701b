//! The level of compression that suits the pace at which the archive is taken.

use std::time::Duration;

use super::{Effort, Level};

/// What the official client uses, and a good beginning.
const START: i32 = 3;
const LEAST: i32 = 1;
/// Beyond it, time grows much and size hardly shrinks.
const GREATEST: i32 = 6;

/// So many frames are looked at before the level moves by one.
const FRAMES: u32 = 6;

/// See the module.
#[derive(Debug)]
pub(super) struct Adapt {
    level: i32,
    is_fixed: bool,
    frames: u32,
    all: Pace,
}

/// How a frame came about.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pace {
    /// So long it was waited for.
    pub(super) waited: Duration,
    /// So long it took to write it.
    pub(super) written: Duration,
    /// What it took to compress it.
    pub(super) effort: Effort,
}

impl Adapt {
    pub(super) fn new(level: Level) -> Self {
        let (level, is_fixed) = match level {
            Level::Fixed(level) => (level, true),
            Level::Adaptive => (START, false),
        };
        Self {
            level,
            is_fixed,
            frames: 0,
            all: Pace::default(),
        }
    }

    pub(super) fn level(&self) -> i32 {
        self.level
    }

    /// A frame was waited for and then written.
    pub(super) fn took(&mut self, frame: &Pace) {
        if self.is_fixed {
            return;
        }
        self.frames += 1;
        let all = &mut self.all;
        all.waited += frame.waited;
        all.written += frame.written;
        all.effort.wall += frame.effort.wall;
        all.effort.processor += frame.effort.processor;
        if self.frames < FRAMES {
            return;
        }
        // Where others want the processors, more work for them makes nothing faster: those may be the ones that take it.
        let is_idle = 10 * all.effort.processor > 9 * all.effort.wall;
        if all.written > 3 * all.waited && is_idle {
            self.level = (self.level + 1).min(GREATEST);
        } else if all.waited > 3 * all.written {
            self.level = (self.level - 1).max(LEAST);
        }
        self.frames = 0;
        self.all = Pace::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Duration = Duration::from_millis(1);
    const LONG: Duration = Duration::from_millis(10);

    fn after(adapt: &mut Adapt, waited: Duration, written: Duration, processor: Duration) -> i32 {
        for _ in 0..100 {
            adapt.took(&Pace {
                waited,
                written,
                effort: Effort {
                    wall: LONG,
                    processor,
                },
            });
        }
        adapt.level()
    }

    #[test]
    fn a_slow_taker_gets_smaller_frames_and_a_fast_one_sooner_ones() {
        let mut adapt = Adapt::new(Level::Adaptive);
        assert_eq!(after(&mut adapt, SHORT, LONG, LONG), GREATEST);
        assert_eq!(after(&mut adapt, LONG, SHORT, LONG), LEAST);
        assert_eq!(after(&mut adapt, LONG, LONG, LONG), LEAST);
    }

    #[test]
    fn a_busy_machine_is_not_made_busier() {
        let mut adapt = Adapt::new(Level::Adaptive);
        assert_eq!(after(&mut adapt, SHORT, LONG, LONG / 2), START);
        assert_eq!(after(&mut adapt, LONG, SHORT, LONG / 2), LEAST);
    }

    #[test]
    fn a_fixed_level_stays() {
        let mut adapt = Adapt::new(Level::Fixed(5));
        assert_eq!(after(&mut adapt, SHORT, LONG, LONG), 5);
    }
}
