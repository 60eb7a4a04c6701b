//! What an archive must have in common with who asks for it, besides the key: `version` of the cache service.

use sha2::{Digest, Sha256};

use crate::system::files::hex;

/// How an archive is compressed, as the official client names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// zstd, as the official client does wherever the program is there. Its other name, `zstd`, is never used.
    Zstd,
    /// gzip, as it does elsewhere.
    Gzip,
}

impl Compression {
    /// Those that an archive may have, the likely one first.
    pub const ALL: [Self; 2] = [Self::Zstd, Self::Gzip];

    fn name(self) -> &'static str {
        match self {
            Self::Zstd => "zstd-without-long",
            Self::Gzip => "gzip",
        }
    }
}

/// The version that the official client computes for these lines of `path`, as they were written: SHA-256 in
/// hexadecimal (`getCacheVersion` in `@actions/cache` 6.3.0).
pub fn version(paths: &[String], compression: Compression) -> String {
    let mut parts: Vec<&str> = paths.iter().map(String::as_str).collect();
    parts.push(compression.name());
    if cfg!(windows) {
        parts.push("windows-only");
    }
    parts.push("1.0");
    hex(&Sha256::digest(parts.join("|")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(not(windows))]
    fn it_is_what_the_official_client_sends() {
        assert_eq!(
            version(&["d".to_owned()], Compression::Zstd),
            "27f8be18ef5e1caed930dca7d1eee52027a00251f123574ae008fb5bc130f5ca"
        );
        assert_ne!(
            version(&["d".to_owned()], Compression::Gzip),
            version(&["d".to_owned()], Compression::Zstd)
        );
    }
}
