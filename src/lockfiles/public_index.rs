//! Python's public index: the one place where its addresses stand.

/// Hosts of the index itself.
const INDEX_HOSTS: [&str; 4] = [
    "pypi.org",
    "www.pypi.org",
    "pypi.python.org",
    "upload.pypi.org",
];

/// Its simple API.
pub const SIMPLE_API: &str = "https://pypi.org/simple/";

/// Where files are uploaded to it.
pub const UPLOAD_API: &str = "https://upload.pypi.org/legacy/";

/// The same of its instance for tests.
pub const TEST_UPLOAD_API: &str = "https://test.pypi.org/legacy/";

/// The simple API of its instance for tests.
pub const TEST_SIMPLE_API: &str = "https://test.pypi.org/simple/";

/// The host of its files.
pub const FILE_HOST: &str = "files.pythonhosted.org";

/// Other indexes that are widely used, and a host besides their own that serves their files.
pub const FILE_HOSTS: [(&str, &str); 1] = [("download.pytorch.org", "download-r2.pytorch.org")];

/// What pipenv takes for the sources of a `Pipfile` that names none.
pub const PIPFILE_SOURCE: &str = r#"[[source]]
name = "pypi"
url = "https://pypi.org/simple"
verify_ssl = true
"#;

/// A lock in which it serves a name that the documentation calls private.
pub const EXAMPLE_PRIVATE_NAME: &str = r#"version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "acme-core"
version = "99.0"
source = { registry = "https://pypi.org/simple" }
wheels = [
    { url = "https://files.pythonhosted.org/packages/acme_core-99.0-py3-none-any.whl", hash = "sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274", size = 11050 },
]
"#;

/// Whether a host serves the public index or its files.
pub fn is_public_host(host: &str) -> bool {
    let hosts = INDEX_HOSTS.iter().chain([&FILE_HOST]);
    hosts.into_iter().any(|own| host.eq_ignore_ascii_case(own))
}

/// Whether a host is known to serve the files of another index, by that index's host.
pub fn is_file_host(index: &str, host: &str) -> bool {
    FILE_HOSTS
        .iter()
        .any(|(own, files)| index.eq_ignore_ascii_case(own) && host.eq_ignore_ascii_case(files))
}

/// Whether a host is known to serve an index, or its files.
pub fn is_known_host(host: &str) -> bool {
    let others = FILE_HOSTS.iter().flat_map(|(own, files)| [own, files]);
    let mut others = others.map(|other| host.eq_ignore_ascii_case(other));
    is_public_host(host) || others.any(|is_one| is_one)
}

/// Whether an index is known to have hashes for a part of its packages only.
pub fn has_hashes_of_some(url: &str) -> bool {
    let is_own = |own: &str| host(url).is_some_and(|host| host.eq_ignore_ascii_case(own));
    FILE_HOSTS.iter().any(|(own, _)| is_own(own))
}

/// Whether a URL is that of the public index.
pub fn is_public(url: &str) -> bool {
    host(url).is_some_and(|host| INDEX_HOSTS.iter().any(|own| host.eq_ignore_ascii_case(own)))
}

/// The simple API of the public index, or of its instance for tests, by the address for uploads.
pub fn simple_api_of(upload: &str) -> Option<&'static str> {
    let upload = upload.trim().trim_end_matches('/');
    [(UPLOAD_API, SIMPLE_API), (TEST_UPLOAD_API, TEST_SIMPLE_API)]
        .into_iter()
        .find(|(own, _)| own.trim_end_matches('/').eq_ignore_ascii_case(upload))
        .map(|(_, simple)| simple)
}

/// The page for people of a release of the public index, or of its instance for tests, by the address for uploads.
pub fn release_page(upload: &str, name: &str, version: &str) -> Option<String> {
    let simple = simple_api_of(upload)?.trim_end_matches("simple/");
    Some(format!("{simple}project/{name}/{version}/"))
}

/// The host of a URL, without user and port; `None` for what is no URL with a host.
pub fn host(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let authority = rest.get(..end)?;
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    let host = match host.strip_prefix('[') {
        Some(inner) => inner.split_once(']').map_or(inner, |(address, _)| address),
        None => host.split_once(':').map_or(host, |(host, _)| host),
    };
    (!host.is_empty()).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_told_apart() {
        for (url, expected) in [
            ("https://pypi.org/simple", Some("pypi.org")),
            (
                "https://user:secret@index.example:8443/simple/",
                Some("index.example"),
            ),
            ("https://pypi.org@evil.example/simple", Some("evil.example")),
            ("https://[::1]:8080/x", Some("::1")),
            ("../wheels", None),
            ("file:///srv/wheels", None),
        ] {
            assert_eq!(host(url), expected, "{url}");
        }
        assert!(is_public("https://PyPI.org/simple/"));
        assert!(!is_public("https://pypi.org.evil.example/simple/"));
    }
}
