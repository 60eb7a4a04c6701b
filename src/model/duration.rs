//! The one grammar of durations: `90s`, `10m`, `1h30m`, `500ms`.

use std::time::Duration;

/// Reads a duration; says what is wrong with one that is none.
pub fn parse(text: &str) -> Result<Duration, String> {
    let wrong = || "expected a duration such as `90s`, `10m` or `1h30m`".to_owned();
    let mut rest = text.trim();
    let mut total = Duration::ZERO;
    if rest.is_empty() {
        return Err(wrong());
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let number: u32 = rest[..digits].parse().map_err(|_| wrong())?;
        rest = &rest[digits..];
        let letters = rest
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(rest.len());
        let unit = match &rest[..letters] {
            "ms" => Duration::from_millis(1),
            "s" => Duration::from_secs(1),
            "m" => Duration::from_mins(1),
            "h" => Duration::from_hours(1),
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
        assert_eq!(parse("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(show(Duration::from_millis(3_420)), "3.4 s");
        for text in [
            "",
            "10",
            "m",
            "1d",
            "-1s",
            "0s",
            "99999999999h",
            "1 h",
            "１s",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
