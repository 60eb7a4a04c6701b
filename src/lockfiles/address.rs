//! Addresses in lockfiles: what they mean for who serves a file, and how they are shown without their secrets.

use std::borrow::Cow;

/// The parts of a URL with a host, as they are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address<'a> {
    /// `https`, `git+ssh`.
    pub scheme: &'a str,
    /// What stands before `@`: a user, or a user and a password.
    pub user: Option<&'a str>,
    /// The host; the address alone where it is IPv6.
    pub host: &'a str,
    /// The port.
    pub port: Option<&'a str>,
    /// The path, without query and fragment.
    pub path: &'a str,
}

impl<'a> Address<'a> {
    /// The parts of a URL; `None` for what is none, or has no host.
    pub fn parse(text: &'a str) -> Option<Self> {
        let text = text.trim();
        let is_scheme = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
        let end = text.bytes().position(|byte| !is_scheme(byte))?;
        let (scheme, rest) = text.split_at_checked(end)?;
        let rest = rest.strip_prefix("://").filter(|_| !scheme.is_empty())?;
        // Locks have thousands of them, and each several rules look at.
        let end = memchr::memchr3(b'/', b'?', b'#', rest.as_bytes()).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at_checked(end)?;
        let end = memchr::memchr2(b'?', b'#', rest.as_bytes()).unwrap_or(rest.len());
        let path = rest.get(..end)?;
        let (user, host) = match authority.rsplit_once('@') {
            Some((user, host)) => (Some(user), host),
            None => (None, authority),
        };
        let (host, port) = match host.strip_prefix('[') {
            Some(inner) => {
                let (host, rest) = inner.split_once(']')?;
                (host, rest.strip_prefix(':'))
            }
            None => match host.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (host, None),
            },
        };
        (!host.is_empty()).then_some(Self {
            scheme,
            user,
            host,
            port: port.filter(|port| !port.is_empty()),
            path,
        })
    }

    /// Whether what is fetched can be read and changed on its way. Not so on the own machine.
    pub fn is_plain(&self) -> bool {
        let scheme = self
            .scheme
            .rsplit_once('+')
            .map_or(self.scheme, |(_, last)| last);
        let is_plain = ["http", "git", "ftp"]
            .iter()
            .any(|plain| scheme.eq_ignore_ascii_case(plain));
        let is_number = |byte: u8| byte.is_ascii_digit() || byte == b'.';
        let is_own = matches!(self.host, "localhost" | "::1")
            || (self.host.starts_with("127.") && self.host.bytes().all(is_number));
        is_plain && !is_own
    }

    /// Whether it holds a secret: a password, or a user that is a token. Names of variables are none.
    pub fn has_secret(&self) -> bool {
        let is_variable = |text: &str| text.starts_with("${") && text.ends_with('}');
        match self.user {
            None => false,
            Some(user) => match user.split_once(':') {
                Some((_, password)) => !password.is_empty() && !is_variable(password),
                // Tokens are long and have digits; names of users that stand for a token are words.
                None => {
                    user.len() >= 20
                        && user.bytes().any(|byte| byte.is_ascii_digit())
                        && !is_variable(user)
                }
            },
        }
    }

    /// What two spellings of the same place have in common: without user, usual port, last slash and the `.git` of a
    /// repository.
    fn normal(&self) -> (String, String, Option<&str>, &str) {
        let scheme = self.scheme.to_ascii_lowercase();
        let scheme = scheme.strip_prefix("git+").unwrap_or(&scheme).to_owned();
        let usual = match &*scheme {
            "https" => Some("443"),
            "http" => Some("80"),
            "ssh" => Some("22"),
            _ => None,
        };
        let path = self.path.trim_end_matches('/');
        (
            scheme,
            self.host.to_ascii_lowercase(),
            self.port.filter(|port| Some(*port) != usual),
            path.strip_suffix(".git").unwrap_or(path),
        )
    }
}

/// Whether two addresses or paths name the same place.
pub fn same(left: &str, right: &str) -> bool {
    match (Address::parse(left), Address::parse(right)) {
        (Some(left), Some(right)) => left.normal() == right.normal(),
        (None, None) => same_path(left, right),
        _ => false,
    }
}

/// Whether two relative paths name the same place, as far as their texts show it.
fn same_path(left: &str, right: &str) -> bool {
    let parts = |text: &str| -> Vec<String> {
        text.trim_start_matches("file://")
            .split(['/', '\\'])
            .filter(|part| !matches!(*part, "" | "."))
            .map(str::to_owned)
            .collect()
    };
    parts(left) == parts(right)
}

/// Whether a path, or a `file:` URL, names a place of one machine only.
pub fn is_absolute(text: &str) -> bool {
    let text = text.trim();
    let has_drive = matches!(
        text.as_bytes(),
        [letter, b':', b'/' | b'\\', ..] if letter.is_ascii_alphabetic()
    );
    let is_file = text
        .get(..5)
        .is_some_and(|start| start.eq_ignore_ascii_case("file:"));
    // `file:../wheels` and `file:///${PROJECT_ROOT}/wheels` go with the project.
    let is_file = is_file && text.get(5..).is_some_and(|path| path.starts_with('/'));
    (has_drive || is_file || text.starts_with(['/', '\\', '~'])) && !text.contains("${")
}

/// A text with the user of each URL in it replaced, sign by sign, so that places in it stay where they are.
pub fn conceal(text: &str) -> Cow<'_, str> {
    if !text.contains("://") || !text.contains('@') {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("://").map(|at| at + 3) {
        let (before, behind) = rest.split_at(start);
        shown.push_str(before);
        let end = behind
            .find(|sign: char| matches!(sign, '/' | '?' | '#' | '"' | '\'') || sign.is_whitespace())
            .unwrap_or(behind.len());
        let (authority, behind) = behind.split_at(end);
        match authority.rsplit_once('@') {
            Some((user, host)) => {
                shown.extend(user.chars().map(|_| '*'));
                shown.push('@');
                shown.push_str(host);
            }
            None => shown.push_str(authority),
        }
        rest = behind;
    }
    shown.push_str(rest);
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_told_apart() {
        let parse = |text| Address::parse(text).unwrap();
        let full = parse("https://me:pw@index.example:8443/simple/?a#b");
        assert_eq!(
            (full.user, full.host, full.port, full.path),
            (Some("me:pw"), "index.example", Some("8443"), "/simple/")
        );
        assert_eq!(parse("http://[::1]:8080/x").host, "::1");
        assert_eq!(parse("https://a.example\\@b.example/x").host, "b.example");
        for text in [
            "",
            "../wheels",
            "file:///srv",
            "https:/a/b",
            "://a",
            "é://a",
            "a b://c.example",
            "a:b://c.example",
            "http://[::1",
        ] {
            assert_eq!(Address::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_same_place_is_known_in_each_spelling() {
        for (left, right, is_same) in [
            (
                "https://index.example/simple",
                "HTTPS://Index.example:443/simple/",
                true,
            ),
            (
                "https://u@index.example/simple",
                "https://index.example/simple",
                true,
            ),
            (
                "git+https://g.example/a.git",
                "https://g.example/a?rev=b#c",
                true,
            ),
            ("https://index.example/a", "https://index.example/b", false),
            ("https://a.example/", "http://a.example/", false),
            ("./libs/a/", "libs/a", true),
            ("libs/a", "../libs/a", false),
        ] {
            assert_eq!(same(left, right), is_same, "{left} {right}");
        }
    }

    #[test]
    fn secrets_are_seen_and_never_shown() {
        for (text, has_secret, shown) in [
            ("https://a.example/x@1", false, "https://a.example/x@1"),
            (
                "x \"https://me:pé@a.example/x\"",
                true,
                "x \"https://*****@a.example/x\"",
            ),
            ("ssh://git@a.example/x", false, "ssh://***@a.example/x"),
            (
                "https://ghp_0123456789abcdef@a.example",
                true,
                "https://********************@a.example",
            ),
            (
                "https://me:${TOKEN}@a.example",
                false,
                "https://***********@a.example",
            ),
        ] {
            let url = text.trim_matches(['x', ' ', '"']);
            let url = url.split('"').next().unwrap();
            let found = Address::parse(url).is_some_and(|address| address.has_secret());
            assert_eq!(found, has_secret, "{text}");
            assert_eq!(conceal(text), shown);
        }
    }

    #[test]
    fn what_can_be_read_on_its_way_and_what_is_on_one_machine_only() {
        let is_plain = |text| Address::parse(text).unwrap().is_plain();
        assert!(is_plain("HTTP://a.example/") && is_plain("git://a.example/x"));
        assert!(is_plain("git+http://a.example/x") && !is_plain("git+https://a.example/x"));
        assert!(!is_plain("http://127.0.0.1:3141/root") && is_plain("http://127.example/"));
        for (text, expected) in [
            ("/home/me/wheels", true),
            ("C:\\wheels", true),
            ("file:///srv/wheels", true),
            ("file:../wheels", false),
            ("../wheels", false),
            ("wheels", false),
            ("c:x", false),
            ("", false),
        ] {
            assert_eq!(is_absolute(text), expected, "{text}");
        }
    }
}
