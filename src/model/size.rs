//! The one grammar of sizes: `500MB`, `2 GiB`, `4096`.

/// A size that is none: what was expected.
const WRONG: &str = "expected a size such as `500MB`, `2GiB` or `4096` bytes";

/// The units, each with its bytes. Letters count in any case; `K`, `M`, `G` and `T` alone are those of 1000.
const UNITS: [(&str, u64); 14] = [
    ("", 1),
    ("b", 1),
    ("k", 1_000),
    ("kb", 1_000),
    ("kib", 1 << 10),
    ("m", 1_000_000),
    ("mb", 1_000_000),
    ("mib", 1 << 20),
    ("g", 1_000_000_000),
    ("gb", 1_000_000_000),
    ("gib", 1 << 30),
    ("t", 1_000_000_000_000),
    ("tb", 1_000_000_000_000),
    ("tib", 1 << 40),
];

/// Reads a number of bytes; says what is wrong with one that is none.
pub fn parse(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let unit = unit.trim().to_ascii_lowercase();
    let (_, factor) = UNITS
        .into_iter()
        .find(|(name, _)| *name == unit)
        .ok_or(WRONG)?;
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() || part.len() > 3 || (number.contains('.') && part.is_empty()) {
        return Err(WRONG.to_owned());
    }
    let too_large = || "a size of at most 16 million TB was expected".to_owned();
    let whole: u64 = whole.parse().map_err(|_| too_large())?;
    let whole = whole.checked_mul(factor).ok_or_else(too_large)?;
    if part.is_empty() {
        return Ok(whole);
    }
    let digits: u64 = part.parse().map_err(|_| WRONG)?;
    let scale = 10_u64.pow(u32::try_from(part.len()).map_err(|_| WRONG)?);
    let part = u128::from(digits) * u128::from(factor) / u128::from(scale);
    let part = u64::try_from(part).map_err(|_| too_large())?;
    whole.checked_add(part).ok_or_else(too_large)
}

/// A number of bytes for people: `812 B`, `52 MB`, `1.3 GB`; a kB has 1000.
pub fn show(bytes: u64) -> String {
    let mut unit = "B";
    let mut tenths = u128::from(bytes) * 10;
    for next in ["kB", "MB", "GB", "TB"] {
        if tenths < 10_000 {
            break;
        }
        tenths /= 1_000;
        unit = next;
    }
    match (unit, tenths) {
        ("B", _) => format!("{bytes} B"),
        (_, 0..100) => format!("{}.{} {unit}", tenths / 10, tenths % 10),
        _ => format!("{} {unit}", tenths / 10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_shows() {
        for (text, bytes) in [
            ("4096", 4_096),
            ("500MB", 500_000_000),
            (" 2 GiB ", 2 << 30),
            ("1.5g", 1_500_000_000),
            ("0", 0),
            ("0.125KiB", 128),
        ] {
            assert_eq!(parse(text), Ok(bytes), "{text}");
        }
        for text in [
            "",
            "MB",
            "1.MB",
            "-1",
            "1 MX",
            "1.2345GB",
            "1e9",
            "99999999999999999999",
            "99999999999TB",
            "１MB",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
        for (bytes, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1.0 kB"),
            (9_949, "9.9 kB"),
            (52_300_000, "52 MB"),
            (999_999, "999 kB"),
            (1_340_000_000, "1.3 GB"),
            (u64::MAX, "18446744 TB"),
        ] {
            assert_eq!(show(bytes), text);
        }
    }
}
