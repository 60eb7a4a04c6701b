//! The closed list of formats.

/// A format of lockfiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// `uv.lock` (<https://docs.astral.sh/uv/concepts/projects/layout/#the-lockfile>).
    Uv,
    /// `<script>.py.lock`, uv's lock of a script with inline metadata (PEP 723).
    UvScript,
    /// `poetry.lock`, written by Poetry 1 and 2.
    Poetry,
    /// `pdm.lock`.
    Pdm,
    /// `Pipfile.lock`.
    Pipfile,
    /// `pylock.toml`, `pylock.<name>.toml` (PEP 751).
    Pylock,
    /// `requirements*.txt`, as pip reads it.
    Requirements,
}

impl Format {
    /// Every format, in the order of the documentation.
    pub const ALL: [Self; 7] = [
        Self::Uv,
        Self::UvScript,
        Self::Poetry,
        Self::Pdm,
        Self::Pipfile,
        Self::Pylock,
        Self::Requirements,
    ];

    /// The name in messages, reports and inputs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Uv => "uv",
            Self::UvScript => "uv-script",
            Self::Poetry => "poetry",
            Self::Pdm => "pdm",
            Self::Pipfile => "pipenv",
            Self::Pylock => "pylock",
            Self::Requirements => "requirements",
        }
    }

    /// The command that writes such a lock anew without moving a version.
    pub fn relock(self) -> &'static str {
        match self {
            Self::Uv => "uv lock",
            Self::UvScript => "uv lock --script <script>",
            Self::Poetry => "poetry lock",
            Self::Pdm => "pdm lock --update-reuse",
            Self::Pipfile => "pipenv lock",
            Self::Pylock => "uv export --format pylock.toml --output-file pylock.toml",
            Self::Requirements => "uv pip compile --generate-hashes",
        }
    }

    /// Whether it says of each package which index, repository or folder it comes from.
    pub fn records_sources(self) -> bool {
        !matches!(self, Self::Requirements)
    }

    /// Whether it records which package needs which.
    pub fn records_edges(self) -> bool {
        matches!(self, Self::Uv | Self::UvScript | Self::Poetry | Self::Pdm)
    }
}
