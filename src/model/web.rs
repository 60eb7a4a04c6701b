//! Addresses of the web.

use url::{Host, Url};

/// Whether nobody on the way can read or change what is sent: TLS, or the own machine.
pub fn is_safe(url: &Url) -> bool {
    match url.scheme() {
        "https" => url.host().is_some(),
        "http" => is_loopback(url),
        _ => false,
    }
}

/// Whether this machine itself is asked.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_the_own_machine_only() {
        for (url, expected) in [
            ("https://index.example/simple/", true),
            ("http://127.0.0.1:8080/simple/", true),
            ("http://[::1]/", true),
            ("http://localhost/", true),
            ("http://LOCALHOST:1/", true),
            ("http://index.example/", false),
            ("http://127.0.0.1.evil.example/", false),
            ("http://localhost.evil.example/", false),
            ("ftp://127.0.0.1/", false),
            ("file:///etc/passwd", false),
        ] {
            assert_eq!(is_safe(&Url::parse(url).unwrap()), expected, "{url}");
        }
    }
}
