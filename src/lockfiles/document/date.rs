//! Dates with a time and an offset (<https://www.rfc-editor.org/rfc/rfc3339>), which tools write into `pylock.toml` for
//! each file.

/// More digits behind the second than anybody writes.
const DIGITS: usize = 9;

/// How long the date is that a text begins with; `None` where it begins with none, or one that is unusual: without an
/// offset, or in a leap second.
pub fn length(text: &[u8]) -> Option<usize> {
    let number = |at: usize, digits: usize| {
        let digits = text.get(at..at + digits)?;
        digits.iter().try_fold(0_u32, |sum, byte| {
            byte.is_ascii_digit()
                .then(|| sum * 10 + u32::from(byte - b'0'))
        })
    };
    let is = |at: usize, signs: &[u8]| text.get(at).is_some_and(|byte| signs.contains(byte));
    let is_below = |at: usize, limit: u32| number(at, 2).is_some_and(|number| number < limit);
    let (year, month, day) = (number(0, 4)?, number(5, 2)?, number(8, 2)?);
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28 + u32::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    let is_date = is(4, b"-") && is(7, b"-") && (1..=days).contains(&day);
    let is_time = is(13, b":") && is(16, b":");
    let is_moment = is_below(11, 24) && is_below(14, 60) && is_below(17, 60);
    if !(is_date && is(10, b"T ") && is_time && is_moment) {
        return None;
    }
    let mut end = 19;
    if is(end, b".") {
        let digits = text.get(end + 1..)?.iter();
        let digits = digits.take_while(|byte| byte.is_ascii_digit()).count();
        if digits == 0 || digits > DIGITS {
            return None;
        }
        end += 1 + digits;
    }
    if is(end, b"Z") {
        return Some(end + 1);
    }
    let is_offset = is(end, b"+-") && is_below(end + 1, 24) && is(end + 3, b":");
    (is_offset && is_below(end + 4, 60)).then_some(end + 6)
}
