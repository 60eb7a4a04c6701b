//! The one grammar of durations: `90s`, `10m`, `1h30m`, `500ms`, `7d`, `7 days`.

use std::time::Duration;

/// Reads a duration; says what is wrong with one that is none.
pub fn parse(text: &str) -> Result<Duration, String> {
    let wrong = || "expected a duration such as `90s`, `1h30m` or `7d`".to_owned();
    let mut rest = text.trim();
    let mut total = Duration::ZERO;
    if rest.is_empty() {
        return Err(wrong());
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let number: u32 = rest[..digits].parse().map_err(|_| wrong())?;
        rest = rest[digits..].trim_start();
        let letters = rest
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(rest.len());
        let unit = match rest[..letters].trim_end() {
            "ms" => Duration::from_millis(1),
            "s" => Duration::from_secs(1),
            "m" => Duration::from_mins(1),
            "h" => Duration::from_hours(1),
            "d" | "day" | "days" => Duration::from_hours(24),
            "w" | "week" | "weeks" => Duration::from_hours(24 * 7),
            _ => return Err(wrong()),
        };
        total = unit
            .checked_mul(number)
            .and_then(|part| total.checked_add(part))
            .ok_or_else(wrong)?;
        rest = &rest[letters..];
    }
    if total.is_zero() {
        return Err("a duration must be longer than nothing".into());
    }
    Ok(total)
}

/// A duration for people: `12 ms`, `3.4 s`, `2 min 5 s`.
pub fn show(duration: Duration) -> String {
    let milliseconds = duration.as_millis();
    match milliseconds {
        0..1_000 => format!("{milliseconds} ms"),
        1_000..60_000 => format!("{:.1} s", duration.as_secs_f64()),
        _ => format!(
            "{} min {} s",
            duration.as_secs() / 60,
            duration.as_secs() % 60
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_shows() {
        assert_eq!(parse("1h30m"), Ok(Duration::from_mins(90)));
        for week in ["7d", "7 days", "1w", "6d24h", " 1 week "] {
            assert_eq!(parse(week), Ok(Duration::from_hours(168)), "{week}");
        }
        assert_eq!(parse("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(show(Duration::from_millis(3_420)), "3.4 s");
        for text in [
            "",
            "10",
            "m",
            "1y",
            "7 months",
            "d7",
            "-1s",
            "0s",
            "99999999999h",
            "１s",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
