//! How often a request is repeated, and what is waited for in between.

use std::time::{Duration, Instant};

/// How long a server may say nothing.
pub const SILENCE: Duration = Duration::from_secs(30);

/// How often, and how long in all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The first one included.
    pub attempts: u32,
    /// How long all attempts and pauses of one request may take.
    pub budget: Duration,
    /// The longest pause before the second attempt; it doubles from there.
    pub pause: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            attempts: 4,
            budget: Duration::from_mins(4),
            pause: Duration::from_millis(400),
        }
    }
}

impl Policy {
    /// Starts to count.
    pub fn start(self) -> Attempts {
        Attempts {
            policy: self,
            started: Instant::now(),
            made: 0,
        }
    }
}

/// The attempts at one request so far.
#[derive(Clone, Copy, Debug)]
pub struct Attempts {
    policy: Policy,
    started: Instant,
    made: u32,
}

impl Attempts {
    /// Counts an attempt that gave nothing. The pause before the next one, which a server may have `named`; none where no
    /// attempt is left, or the pause is longer than what is left of the budget.
    pub fn pause(&mut self, named: Option<Duration>) -> Option<Duration> {
        self.made += 1;
        let doubled = 2_u32.saturating_pow(self.made - 1);
        let pause = named.unwrap_or_else(|| jitter(self.policy.pause.saturating_mul(doubled)));
        let is_within = self.started.elapsed().saturating_add(pause) <= self.policy.budget;
        (self.made < self.policy.attempts && is_within).then_some(pause)
    }

    /// How many gave nothing.
    pub fn made(&self) -> u32 {
        self.made
    }
}

/// Any pause up to the longest.
fn jitter(longest: Duration) -> Duration {
    let random = getrandom::u32().unwrap_or(u32::MAX / 2);
    longest.mul_f64(f64::from(random) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_end_by_number_and_by_budget() {
        let policy = Policy {
            attempts: 3,
            budget: Duration::from_hours(1),
            pause: Duration::from_secs(1),
        };
        let mut attempts = policy.start();
        assert!(attempts.pause(None).unwrap() <= Duration::from_secs(1));
        assert!(attempts.pause(None).unwrap() <= Duration::from_secs(2));
        assert_eq!(attempts.pause(None), None);
        assert_eq!(attempts.made(), 3);
        let mut attempts = policy.start();
        let named = Duration::from_mins(30);
        assert_eq!(attempts.pause(Some(named)), Some(named));
        assert_eq!(attempts.pause(Some(Duration::from_hours(2))), None);
    }

    #[test]
    fn a_pause_never_overflows() {
        let policy = Policy {
            attempts: u32::MAX,
            budget: Duration::MAX,
            pause: Duration::from_hours(1),
        };
        let mut attempts = policy.start();
        for _ in 0..100 {
            assert!(attempts.pause(None).is_some());
        }
    }
}
