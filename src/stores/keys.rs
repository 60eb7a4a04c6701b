//! Cache keys as the service takes them: at most 512 characters, no comma, at most ten in one request.

use crate::stores::fault::{Fault, KeyFault, excerpt};

/// The longest key, in UTF-16 units as the official client counts, and so many keys at most.
pub const LONGEST: usize = 512;
/// So many keys at most in one request, the first one included.
pub const MOST: usize = 10;

/// Whether the service would take this key.
pub fn check(key: &str) -> Result<(), Fault> {
    let length = key.encode_utf16().count();
    let why = if key.is_empty() {
        KeyFault::Empty
    } else if length > LONGEST {
        KeyFault::Long(length)
    } else if key.contains(',') {
        KeyFault::Comma
    } else if key.chars().any(char::is_control) {
        KeyFault::Control
    } else {
        return Ok(());
    };
    Err(Fault::InvalidKey {
        key: excerpt(key.get(..80).unwrap_or(key)),
        why,
    })
}

/// Whether the service would take these keys in one request.
pub fn check_all<K: AsRef<str>>(keys: &[K]) -> Result<(), Fault> {
    if keys.is_empty() || keys.len() > MOST {
        let why = match keys.len() {
            0 => KeyFault::Empty,
            count => KeyFault::Many(count),
        };
        return Err(Fault::InvalidKey {
            key: String::new(),
            why,
        });
    }
    keys.iter().try_for_each(|key| check(key.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_short_and_has_no_comma() {
        let longest = "k".repeat(LONGEST);
        let over = "é".repeat(LONGEST + 1);
        let why = |key: &str| match check(key) {
            Ok(()) => None,
            Err(Fault::InvalidKey { why, .. }) => Some(why),
            Err(other) => panic!("{other}"),
        };
        assert_eq!(why("Linux-uv/été 1"), None);
        assert_eq!(why(&longest), None);
        assert_eq!(why(&over), Some(KeyFault::Long(LONGEST + 1)));
        assert_eq!(why("a,b"), Some(KeyFault::Comma));
        assert_eq!(why("a\nb"), Some(KeyFault::Control));
        assert_eq!(why(""), Some(KeyFault::Empty));
        assert!(check_all(&["a"; MOST]).is_ok());
        assert!(check_all(&["a"; MOST + 1]).is_err());
        assert!(check_all::<&str>(&[]).is_err());
    }

    #[test]
    fn the_message_names_the_key_and_what_is_allowed() {
        let fault = check("linux,x86").unwrap_err();
        assert_eq!(fault.to_string(), "the cache key `linux,x86` holds a comma");
        assert!(fault.hint().unwrap().contains("512"));
    }
}
