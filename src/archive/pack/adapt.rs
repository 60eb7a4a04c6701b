//! The level of compression that suits the pace at which the archive is taken.

use std::time::Duration;

use super::Level;

/// What the official client uses, and a good beginning.
const START: i32 = 3;
const LEAST: i32 = 1;
/// Beyond it, time grows much and size hardly shrinks.
const GREATEST: i32 = 9;

/// So many frames are looked at before the level moves by one.
const FRAMES: u32 = 6;

/// See the module.
#[derive(Debug)]
pub(super) struct Adapt {
    level: i32,
    is_fixed: bool,
    frames: u32,
    waited: Duration,
    written: Duration,
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
            waited: Duration::ZERO,
            written: Duration::ZERO,
        }
    }

    pub(super) fn level(&self) -> i32 {
        self.level
    }

    /// A frame was waited for and then written, each for so long.
    pub(super) fn took(&mut self, waited: Duration, written: Duration) {
        if self.is_fixed {
            return;
        }
        self.frames += 1;
        self.waited += waited;
        self.written += written;
        if self.frames < FRAMES {
            return;
        }
        if self.written > 3 * self.waited {
            self.level = (self.level + 1).min(GREATEST);
        } else if self.waited > 3 * self.written {
            self.level = (self.level - 1).max(LEAST);
        }
        *self = Self {
            frames: 0,
            waited: Duration::ZERO,
            written: Duration::ZERO,
            ..*self
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Duration = Duration::from_millis(1);
    const LONG: Duration = Duration::from_millis(10);

    fn after(adapt: &mut Adapt, waited: Duration, written: Duration) -> i32 {
        for _ in 0..100 {
            adapt.took(waited, written);
        }
        adapt.level()
    }

    #[test]
    fn a_slow_taker_gets_smaller_frames_and_a_fast_one_sooner_ones() {
        let mut adapt = Adapt::new(Level::Adaptive);
        assert_eq!(after(&mut adapt, SHORT, LONG), GREATEST);
        assert_eq!(after(&mut adapt, LONG, SHORT), LEAST);
        assert_eq!(after(&mut adapt, LONG, LONG), LEAST);
    }

    #[test]
    fn a_fixed_level_stays() {
        let mut adapt = Adapt::new(Level::Fixed(5));
        assert_eq!(after(&mut adapt, SHORT, LONG), 5);
    }
}
