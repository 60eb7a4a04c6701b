//! What making an environment needs of a lock: versions, who asks for them, whether they are hashed.

pub mod requirements;
pub mod uv;

/// The formats from which an environment can be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `uv.lock`.
    Uv,
    /// `requirements*.txt` with hashes.
    Requirements,
}

impl Format {
    /// The format that a file of this name has.
    pub fn of_file(name: &str) -> Option<Self> {
        match name {
            "uv.lock" => Some(Self::Uv),
            name if name.to_ascii_lowercase().ends_with(".txt") => Some(Self::Requirements),
            _ => None,
        }
    }
}

/// A lock that was read.
#[derive(Clone, Debug)]
pub enum Lockfile {
    /// `uv.lock`.
    Uv(uv::UvLock),
    /// The text of requirements.
    Requirements(String),
}

impl Lockfile {
    /// Reads a lock; fails with a message where it cannot be read.
    pub fn parse(format: Format, text: String) -> Result<Self, String> {
        match format {
            Format::Uv => uv::read(&text).map(Self::Uv),
            Format::Requirements => Ok(Self::Requirements(text)),
        }
    }

    /// The pinned versions of a package: several where markers choose between them, none where it is not there.
    pub fn versions_of(&self, package: &str) -> Vec<String> {
        match self {
            Self::Uv(lock) => lock.versions_of(package),
            Self::Requirements(text) => requirements::versions_of(text, package),
        }
    }

    /// Whether the project itself asks for the package: not only something that it asks for does.
    pub fn declares(&self, package: &str) -> bool {
        match self {
            Self::Uv(lock) => lock.declares(package),
            Self::Requirements(text) => requirements::declares(text, package),
        }
    }

    /// Whether it pins by hash, so that environments can be made from it.
    pub fn has_hashes(&self) -> bool {
        match self {
            Self::Uv(_) => true,
            Self::Requirements(text) => requirements::has_hashes(text),
        }
    }
}
