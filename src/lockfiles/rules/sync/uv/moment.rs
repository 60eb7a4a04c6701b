//! Moments and spans, as `exclude-newer` takes them: `2026-01-01T00:00:00Z`, `2026-01-01`, `2 weeks`, `P2W`.

/// A moment, a day or a span.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Moment {
    /// Seconds since 1970.
    At(i64),
    /// Days since 1970; which moment that is depends on the time zone.
    Day(i64),
    /// Weeks, days, hours, minutes, seconds: uv compares the parts, so that 14 days are not 2 weeks.
    Span([i64; 5]),
    /// Anything else: `false`.
    Text(String),
}

/// Whether a lock that was made with what is recorded may be kept with what is declared: the same span, or no earlier
/// moment, since what was found then is found still. `false` is no limit.
pub fn is_same(declared: &str, recorded: &str) -> bool {
    match (read(declared), read(recorded)) {
        (Moment::At(declared), Moment::At(recorded)) => declared >= recorded,
        // The end of the day somewhere on earth.
        (Moment::Day(day), Moment::At(at)) => at - day * 86_400 <= 2 * 86_400 + 43_200,
        (Moment::Text(text), Moment::At(_)) if text == "false" => true,
        (declared, recorded) => declared == recorded,
    }
}

fn read(text: &str) -> Moment {
    let text = text.trim().to_ascii_lowercase();
    at(&text)
        .or_else(|| day(&text).map(Moment::Day))
        .or_else(|| span(&text).map(Moment::Span))
        .unwrap_or(Moment::Text(text))
}

/// `2026-01-01`.
fn day(text: &str) -> Option<i64> {
    let mut parts = text.splitn(3, '-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    if !(0..=9_999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Years that begin in March, so that the day that leaps is the last.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * month + 2) / 5 + day - 1;
    let days = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    Some(era * 146_097 + days - 719_468)
}

/// `2026-01-01t00:00:00z`, with an offset instead of the `z`.
fn at(text: &str) -> Option<Moment> {
    let (date, time) = text.split_once(['t', ' '])?;
    let days = day(date)?;
    let zone = time.find(['z', '+', '-'])?;
    let (time, zone) = time.split_at_checked(zone)?;
    let offset = match zone.split_at_checked(1)? {
        ("z", "") => 0,
        ("+", offset) => clock(offset)?,
        ("-", offset) => -clock(offset)?,
        _ => return None,
    };
    Some(Moment::At(days * 86_400 + clock(time)? - offset))
}

/// `12:30`, `12:30:15.5`; the part of a second does not count.
fn clock(text: &str) -> Option<i64> {
    let whole = text.split_once('.').map_or(text, |(whole, _)| whole);
    let mut seconds = 0;
    for (part, size) in whole.split(':').zip([3_600, 60, 1]) {
        let part: i64 = part.parse().ok()?;
        if !(0..=99).contains(&part) {
            return None;
        }
        seconds += part * size;
    }
    Some(seconds)
}

/// `2 weeks`, `1 day 12 hours`, `p2w`, `pt24h`.
fn span(text: &str) -> Option<[i64; 5]> {
    let is_iso = text.starts_with('p');
    let mut rest = text.strip_prefix('p').unwrap_or(text);
    let mut in_time = false;
    let mut total = [0_i64; 5];
    let mut count = 0;
    loop {
        rest = rest.trim_start_matches([' ', ',']);
        if is_iso && rest.starts_with('t') {
            in_time = true;
            rest = rest.get(1..)?;
        }
        if rest.is_empty() {
            return (count > 0).then_some(total);
        }
        let end = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, behind) = rest.split_at_checked(end)?;
        let number: i64 = number.parse().ok()?;
        let behind = behind.trim_start();
        let end = behind
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(behind.len());
        let end = if is_iso { end.min(1) } else { end };
        let (unit, behind) = behind.split_at_checked(end)?;
        let part: usize = match unit {
            "w" | "wk" | "wks" | "week" | "weeks" => 0,
            "d" | "day" | "days" => 1,
            "h" | "hr" | "hrs" | "hour" | "hours" => 2,
            "m" if is_iso && !in_time => return None,
            "m" | "min" | "mins" | "minute" | "minutes" => 3,
            "s" | "sec" | "secs" | "second" | "seconds" => 4,
            _ => return None,
        };
        let part = total.get_mut(part)?;
        *part = part.checked_add(number)?;
        count += 1;
        rest = behind;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_and_spans_are_compared_by_what_they_mean() {
        for (declared, recorded, expected) in [
            ("2 weeks", "P2W", true),
            ("14 days", "P2W", false),
            ("14 days", "P14D", true),
            ("36h", "PT36H", true),
            ("1 day 12 hours", "P1DT12H", true),
            ("3 weeks", "P2W", false),
            ("2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z", true),
            ("2025-01-01T00:00:00Z", "2026-01-01T00:00:00Z", false),
            ("false", "2026-01-01T00:00:00Z", true),
            ("2 weeks", "2026-01-01T00:00:00Z", false),
            ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", true),
            ("2026-01-01T02:00:00+02:00", "2026-01-01T00:00:00Z", true),
            ("2026-01-01", "2026-01-02T00:00:00Z", true),
            ("2026-02-28", "2026-03-01T00:00:00Z", true),
            ("2026-01-01", "2026-03-01T00:00:00Z", false),
            ("false", "false", true),
            ("99999999999999999999 days", "P2W", false),
            ("", "P2W", false),
            ("9223372036854775807 weeks", "x", false),
        ] {
            assert_eq!(
                is_same(declared, recorded),
                expected,
                "{declared}, {recorded}"
            );
        }
    }
}
