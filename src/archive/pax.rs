//! PAX records (POSIX.1-2024, `pax`, extended header): `<length> <key>=<value>\n`.

use super::entry::Time;

/// What records say about the next entry. What is `None` was not said.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Records {
    pub(super) path: Option<Vec<u8>>,
    pub(super) link: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    pub(super) mtime: Option<Time>,
    pub(super) comment: Option<Vec<u8>>,
}

/// Reads records strictly: two readers that understand one archive differently are how files are smuggled.
pub(super) fn parse(mut rest: &[u8]) -> Result<Records, &'static str> {
    let mut records = Records::default();
    while !rest.is_empty() {
        let (key, value, behind) = record(rest).ok_or("a PAX record is malformed")?;
        rest = behind;
        match key {
            b"path" => once(&mut records.path, text(value)?)?,
            b"linkpath" => once(&mut records.link, text(value)?)?,
            b"size" => once(
                &mut records.size,
                number(value).ok_or("a PAX size is no number")?,
            )?,
            b"mtime" => once(
                &mut records.mtime,
                parse_time(value).ok_or("a PAX time is no time")?,
            )?,
            b"comment" => once(&mut records.comment, value.to_vec())?,
            _ if key.starts_with(b"GNU.sparse.") => return Err("it is stored as a sparse file"),
            _ => {}
        }
    }
    Ok(records)
}

fn record(rest: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let space = rest.iter().take(12).position(|byte| *byte == b' ')?;
    let length = usize::try_from(number(rest.get(..space)?)?).ok()?;
    let whole = rest.get(..length)?;
    let body = whole.get(space + 1..)?.strip_suffix(b"\n")?;
    let equals = body.iter().position(|byte| *byte == b'=')?;
    let (key, value) = (body.get(..equals)?, body.get(equals + 1..)?);
    (!key.is_empty()).then_some((key, value, rest.get(length..)?))
}

fn once<T: PartialEq>(place: &mut Option<T>, value: T) -> Result<(), &'static str> {
    if place.as_ref().is_some_and(|earlier| *earlier != value) {
        return Err("PAX records contradict each other");
    }
    *place = Some(value);
    Ok(())
}

fn text(value: &[u8]) -> Result<Vec<u8>, &'static str> {
    if value.is_empty() || value.contains(&0) {
        return Err("a PAX name is empty or holds NUL");
    }
    Ok(value.to_vec())
}

fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// `-1.5` is half a second before the second before 1970.
fn parse_time(value: &[u8]) -> Option<Time> {
    let (negative, value) = match value.strip_prefix(b"-") {
        Some(rest) => (true, rest),
        None => (false, value),
    };
    let mut parts = value.splitn(2, |byte| *byte == b'.');
    let seconds = i64::try_from(number(parts.next()?)?).ok()?;
    let mut nanoseconds = 0;
    if let Some(fraction) = parts.next() {
        if !fraction.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let digits = fraction.iter().copied().chain(std::iter::repeat(b'0'));
        nanoseconds = digits
            .take(9)
            .fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'));
    }
    Some(match (negative, nanoseconds) {
        (false, _) => Time {
            seconds,
            nanoseconds,
        },
        (true, 0) => Time {
            seconds: -seconds,
            nanoseconds,
        },
        (true, _) => Time {
            seconds: -seconds - 1,
            nanoseconds: 1_000_000_000 - nanoseconds,
        },
    })
}

/// A time as records have it: no more digits than needed.
pub(super) fn format_time(time: Time) -> String {
    let (sign, seconds, nanoseconds) = match (time.seconds < 0, time.nanoseconds) {
        (false, _) | (true, 0) => ("", time.seconds, time.nanoseconds),
        (true, above) => (
            if time.seconds == -1 { "-" } else { "" },
            time.seconds + 1,
            1_000_000_000_u32.saturating_sub(above),
        ),
    };
    if nanoseconds == 0 {
        return format!("{sign}{seconds}");
    }
    let fraction = format!("{nanoseconds:09}");
    format!("{sign}{seconds}.{}", fraction.trim_end_matches('0'))
}

/// Adds a record.
pub(super) fn push(out: &mut Vec<u8>, key: &str, value: &[u8]) {
    // The length counts its own digits.
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    out.extend(format!("{length} {key}=").into_bytes());
    out.extend_from_slice(value);
    out.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_say_their_length_with_its_own_digits() {
        for length in [0, 1, 86, 87, 88, 89, 90, 985, 986, 987, 9_984, 9_985] {
            let value = vec![b'x'; length + 1];
            let mut bytes = Vec::new();
            push(&mut bytes, "path", &value);
            push(&mut bytes, "size", b"7");
            let records = parse(&bytes).unwrap();
            assert_eq!((records.path, records.size), (Some(value), Some(7)));
        }
    }

    #[test]
    fn times_before_1970_and_below_a_second_come_back() {
        for (seconds, nanoseconds, text) in [
            (0, 0, "0"),
            (1, 500_000_000, "1.5"),
            (-1, 0, "-1"),
            (-1, 500_000_000, "-0.5"),
            (-2, 500_000_000, "-1.5"),
            (-2, 999_999_999, "-1.000000001"),
            (1 << 40, 1, "1099511627776.000000001"),
        ] {
            let time = Time {
                seconds,
                nanoseconds,
            };
            assert_eq!(format_time(time), text);
            assert_eq!(parse_time(text.as_bytes()), Some(time), "{text}");
        }
    }

    #[test]
    fn what_is_no_record_is_refused() {
        for bytes in [
            "5 a=",
            "9 path=x",
            "11 path=x\n",
            "8 path=x\n",
            "x path=x\n",
            " path=x\n",
            "99999999999999999999 path=x\n",
            "-9 path=x\n",
            "10 path=x\n10 path=y\n",
            "8 path=\n",
            "11 path=x\0\n",
            "9 size=-\n",
            "11 size=0x\n",
            "10 mtime=\n",
            "12 mtime=1e\n",
            "22 GNU.sparse.major=1\n",
            "3 \n",
            "5 =x\n",
        ] {
            assert!(parse(bytes.as_bytes()).is_err(), "{bytes:?}");
        }
    }
}
