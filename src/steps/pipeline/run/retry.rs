//! Whether a stage is tried again, and when.

use std::time::Duration;

use crate::model::pipeline::Retry;
use crate::system::processes::Ending;

/// Whether another attempt may help.
pub(super) fn is_worth_it(retry: &Retry, attempt: usize, ending: Ending, matched: bool) -> bool {
    let has_more = u32::try_from(attempt).is_ok_and(|attempt| attempt <= retry.max);
    let is_named = match ending {
        Ending::Exited(code) => retry.on_exit.is_empty() || retry.on_exit.contains(&code),
        Ending::Signalled(_) | Ending::TimedOut => retry.on_exit.is_empty(),
        Ending::Stopped(_) => return false,
    };
    has_more && is_named && (retry.on_output.is_none() || matched)
}

/// How long to wait: anything up to a bound that doubles (full jitter). Nothing where the budget would be spent.
pub(super) fn pause(retry: &Retry, attempt: usize, spent: Duration) -> Option<Duration> {
    let exponent = u32::try_from(attempt - 1).unwrap_or(u32::MAX).min(30);
    let bound = retry.base.saturating_mul(1 << exponent).min(retry.cap);
    let mut random = [0; 4];
    // Without random numbers the bound itself is waited for.
    let part = match getrandom::fill(&mut random) {
        Ok(()) => f64::from(u32::from_le_bytes(random)) / f64::from(u32::MAX),
        Err(_) => 1.0,
    };
    let pause = bound.mul_f64(part);
    let fits = retry.budget.is_none_or(|budget| spent + pause < budget);
    fits.then_some(pause)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Place;
    use crate::model::pipeline::Placed;
    use crate::system::processes::Reason;

    fn retry() -> Retry {
        Retry {
            max: 2,
            on_exit: vec![75],
            on_output: None,
            base: Duration::from_secs(1),
            cap: Duration::from_secs(3),
            budget: Some(Duration::from_mins(1)),
        }
    }

    #[test]
    fn only_what_was_named_is_tried_again() {
        let retry = retry();
        assert!(is_worth_it(&retry, 1, Ending::Exited(75), false));
        assert!(is_worth_it(&retry, 2, Ending::Exited(75), false));
        assert!(!is_worth_it(&retry, 3, Ending::Exited(75), false));
        assert!(!is_worth_it(&retry, 1, Ending::Exited(1), false));
        assert!(!is_worth_it(&retry, 1, Ending::TimedOut, false));
        assert!(!is_worth_it(
            &retry,
            1,
            Ending::Stopped(Reason::OtherFailed),
            false
        ));
        let by_output = Retry {
            on_exit: Vec::new(),
            on_output: Some(Placed {
                value: "reset".to_owned(),
                place: Place::in_text("pyproject.toml", "", 0..0),
            }),
            ..retry
        };
        assert!(!is_worth_it(&by_output, 1, Ending::Exited(1), false));
        assert!(is_worth_it(&by_output, 1, Ending::Exited(1), true));
        assert!(is_worth_it(&by_output, 1, Ending::TimedOut, true));
    }

    #[test]
    fn waits_stay_below_a_bound_that_doubles_and_within_the_budget() {
        let retry = retry();
        for _ in 0..100 {
            assert!(pause(&retry, 1, Duration::ZERO).unwrap() <= Duration::from_secs(1));
            assert!(pause(&retry, 9, Duration::ZERO).unwrap() <= Duration::from_secs(3));
        }
        assert_eq!(pause(&retry, 1, Duration::from_mins(1)), None);
    }
}
