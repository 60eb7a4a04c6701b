//! Moments and spans as locks write them: RFC 3339 and ISO 8601.

/// The seconds since 1970 of a moment: `2026-08-03T21:21:18.939Z`, `2026-08-03T21:21:18+02:00`, or the start of a day,
/// `2026-08-03`. `None` for what is none.
pub fn moment(text: &str) -> Option<i64> {
    let text = text.trim();
    let (date, rest) = text.split_at_checked(10)?;
    let days = days(date)?;
    let Some(rest) = rest.strip_prefix(['T', 't', ' ']) else {
        return rest.is_empty().then_some(days * 86_400);
    };
    let (clock, rest) = rest.split_at_checked(8)?;
    let of_day = fields(clock, ':', [2, 2, 2])?;
    let [hour, minute, second] = of_day;
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let rest = match rest.strip_prefix('.') {
        Some(fraction) => {
            let digits = fraction.trim_start_matches(|sign: char| sign.is_ascii_digit());
            (digits.len() < fraction.len()).then_some(digits)?
        }
        None => rest,
    };
    let offset = match rest.as_bytes() {
        [b'Z' | b'z'] => 0,
        [sign @ (b'+' | b'-'), ..] => {
            let [hours, minutes] = fields(rest.get(1..)?, ':', [2, 2])?;
            let seconds = hours * 3_600 + minutes * 60;
            if *sign == b'+' { seconds } else { -seconds }
        }
        _ => return None,
    };
    Some(days * 86_400 + hour * 3_600 + minute * 60 + second - offset)
}

/// The seconds of a span of weeks, days, hours, minutes and seconds: `P3W`, `P1DT12H`. `None` for what is none, and for
/// months and years, which have no fixed length.
pub fn span(text: &str) -> Option<i64> {
    let (days, clock) = match text.trim().strip_prefix('P')?.split_once('T') {
        Some((_, "")) => return None,
        Some((days, clock)) => (days, clock),
        None => (text.trim().strip_prefix('P')?, ""),
    };
    let mut total: Option<i64> = None;
    for (part, units) in [
        (days, &[('W', 604_800), ('D', 86_400)][..]),
        (clock, &[('H', 3_600), ('M', 60), ('S', 1)]),
    ] {
        let mut rest = part;
        for (unit, seconds) in units {
            let Some((number, behind)) = rest.split_once(*unit) else {
                continue;
            };
            let part = self::number(number)?.checked_mul(*seconds)?;
            total = Some(total.unwrap_or(0).checked_add(part)?);
            rest = behind;
        }
        if !rest.is_empty() {
            return None;
        }
    }
    total
}

/// The date of a moment, for messages.
pub fn date(text: &str) -> &str {
    text.get(..10).unwrap_or(text)
}

/// Days since 1970-01-01 of `YYYY-MM-DD`, after Howard Hinnant's `days_from_civil`
/// (<https://howardhinnant.github.io/date_algorithms.html>).
fn days(date: &str) -> Option<i64> {
    let [year, month, day] = fields(date, '-', [4, 2, 2])?;
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i64::from(is_leap),
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=last).contains(&day) {
        return None;
    }
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

/// Numbers of these many digits each, between separators.
fn fields<const N: usize>(text: &str, separator: char, widths: [usize; N]) -> Option<[i64; N]> {
    let mut parts = text.split(separator);
    let mut found = [0; N];
    for (slot, width) in found.iter_mut().zip(widths) {
        let part = parts.next().filter(|part| part.len() == width)?;
        *slot = number(part)?;
    }
    parts.next().is_none().then_some(found)
}

fn number(text: &str) -> Option<i64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_seconds() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2000-02-29", Some(951_782_400)),
            ("2026-11-22T01:00:00.123456+01:00", Some(1_795_305_600)),
            ("2026-11-21 23:30:00-00:30", Some(1_795_305_600)),
            ("0001-01-01T00:00:00Z", Some(-62_135_596_800)),
            ("2026-02-29", None),
            ("2026-11-22T24:00:00Z", None),
            ("2026-11-22T01:00:00", None),
            ("2026-11-22T01:00:00.Z", None),
            ("2026-11-22T01:00:00+1", None),
            ("+026-11-22", None),
            ("２026-11-2", None),
            ("", None),
            ("false", None),
        ] {
            assert_eq!(moment(text), seconds, "{text}");
        }
    }

    #[test]
    fn spans_are_seconds_where_they_have_a_length() {
        for (text, seconds) in [
            ("P3W", Some(1_814_400)),
            ("P1DT12H", Some(129_600)),
            ("PT90M5S", Some(5_405)),
            ("P1M", None),
            ("P1Y", None),
            ("P", None),
            ("PT", None),
            ("PW", None),
            ("P-3W", None),
            ("P1D2W", None),
            ("P99999999999999999999D", None),
            ("3W", None),
        ] {
            assert_eq!(span(text), seconds, "{text}");
        }
    }
}
