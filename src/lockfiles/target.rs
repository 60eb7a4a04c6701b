//! What must be served: a platform with a Python, its wheels and its markers.

use crate::lockfiles::requirement::{Specifiers, Version};

/// A kind of system, with the newest version of it that counts; none for any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    /// Linux with glibc 2.x.
    Glibc(Option<u32>),
    /// Linux with musl 1.x.
    Musl(Option<u32>),
    /// macOS, by its major version from 11 on.
    Macos(Option<u32>),
    /// Windows.
    Windows,
}

/// A platform: `linux-x86_64`, `manylinux_2_28-aarch64`, `musllinux_1_2-x86_64`, `macos_14-arm64`, `windows-amd64`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Platform {
    /// The system.
    pub system: System,
    /// The processor, as wheels spell it.
    pub machine: &'static str,
}

/// The processors of Linux, as wheels spell them.
const LINUX: &[&str] = &[
    "x86_64",
    "aarch64",
    "i686",
    "armv7l",
    "ppc64le",
    "s390x",
    "riscv64",
    "loongarch64",
];

/// The processors of macOS.
const MACOS: &[&str] = &["arm64", "x86_64"];

/// The processors of Windows.
const WINDOWS: &[&str] = &["amd64", "arm64", "x86"];

impl Platform {
    /// Every platform without a version.
    pub fn names() -> impl Iterator<Item = String> {
        [
            ("linux", LINUX),
            ("musllinux", LINUX),
            ("macos", MACOS),
            ("windows", WINDOWS),
        ]
        .into_iter()
        .flat_map(|(system, machines)| {
            machines
                .iter()
                .map(move |machine| format!("{system}-{machine}"))
        })
    }

    /// Reads a platform; `None` for what is none.
    pub fn parse(text: &str) -> Option<Self> {
        let (system, machine) = text.split_once('-')?;
        let (name, version) = match system.split_once('_') {
            Some((name, version)) => (name, Some(version)),
            None => (system, None),
        };
        let minor = |major: &str| match version {
            None => Some(None),
            Some(version) => {
                let minor = version.strip_prefix(major)?.strip_prefix('_')?;
                number(minor).map(Some)
            }
        };
        let (system, machines) = match name {
            "linux" if version.is_none() => (System::Glibc(None), LINUX),
            "manylinux" if version.is_some() => (System::Glibc(minor("2")?), LINUX),
            "musllinux" => (System::Musl(minor("1")?), LINUX),
            "macos" => {
                let version = match version {
                    Some(version) => Some(number(version).filter(|major| *major >= 11)?),
                    None => None,
                };
                (System::Macos(version), MACOS)
            }
            "windows" if version.is_none() => (System::Windows, WINDOWS),
            _ => return None,
        };
        let machine = machines.iter().find(|own| **own == machine)?;
        Some(Self { system, machine })
    }

    /// Whether a wheel with this platform tag can be installed there.
    pub fn takes(&self, tag: &str) -> bool {
        let behind = |start: &str| tag.strip_prefix(start);
        let is_own_linux = || behind("linux_") == Some(self.machine);
        let is_below = |minor: u32, most: Option<u32>| most.is_none_or(|most| minor <= most);
        match self.system {
            System::Glibc(most) => {
                let is_old = matches!(self.machine, "x86_64" | "i686");
                let found = [
                    "manylinux_",
                    "manylinux1_",
                    "manylinux2010_",
                    "manylinux2014_",
                ]
                .iter()
                .zip([None, Some(5), Some(12), Some(17)])
                .find_map(|(start, minor)| Some((behind(start)?, minor)));
                let found = match found {
                    Some((rest, None)) => versioned(rest),
                    Some((machine, Some(minor))) => Some((2, minor, machine)),
                    None => return is_own_linux(),
                };
                found.is_some_and(|(major, minor, machine)| {
                    let least = if is_old { 5 } else { 17 };
                    major == 2 && minor >= least && is_below(minor, most) && machine == self.machine
                })
            }
            System::Musl(most) => match behind("musllinux_") {
                Some(rest) => versioned(rest).is_some_and(|(major, minor, machine)| {
                    major == 1 && is_below(minor, most) && machine == self.machine
                }),
                None => is_own_linux(),
            },
            System::Macos(most) => {
                let found = behind("macosx_").and_then(versioned);
                found.is_some_and(|(major, minor, format)| {
                    let is_intel = self.machine == "x86_64";
                    let is_both = format == "universal2";
                    match major {
                        10 => {
                            let is_intel_format = matches!(
                                format,
                                "x86_64" | "intel" | "fat64" | "fat32" | "universal"
                            );
                            (4..=16).contains(&minor) && (is_both || (is_intel && is_intel_format))
                        }
                        11.. => {
                            let is_intel_format =
                                matches!(format, "intel" | "fat64" | "fat32" | "universal");
                            minor == 0
                                && is_below(major, most)
                                && (is_both
                                    || format == self.machine
                                    || (is_intel && is_intel_format))
                        }
                        _ => false,
                    }
                })
            }
            System::Windows => match self.machine {
                "x86" => tag == "win32",
                machine => behind("win_") == Some(machine),
            },
        }
    }
}

/// `2_28_x86_64`: two numbers, and what follows.
fn versioned(text: &str) -> Option<(u32, u32, &str)> {
    let (major, rest) = text.split_once('_')?;
    let (minor, rest) = rest.split_once('_')?;
    Some((number(major)?, number(minor)?, rest))
}

fn number(text: &str) -> Option<u32> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

/// A minor version of CPython 3: `3.12`, `3.14t` without the global lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Python {
    /// The 12 of 3.12.
    pub minor: u32,
    /// Whether it is the build without the global lock.
    pub is_free_threaded: bool,
}

impl Python {
    /// Reads a Python; `None` for what is none.
    pub fn parse(text: &str) -> Option<Self> {
        let minor = text.strip_prefix("3.")?;
        let (digits, is_free_threaded) = match minor.strip_suffix('t') {
            Some(digits) => (digits, true),
            None => (minor, false),
        };
        let minor = number(digits).filter(|minor| *minor < 100)?;
        Some(Self {
            minor,
            is_free_threaded,
        })
    }

    /// Whether specifiers take it: all (true), some (`None`) or none (false) of its patch releases.
    pub fn is_in(self, specifiers: &Specifiers) -> Option<bool> {
        let contain = |patch: u32| {
            let version = Version::parse(&format!("3.{}.{patch}", self.minor))?;
            Some(specifiers.contain(&version))
        };
        let (first, last) = (contain(0)?, contain(9_999)?);
        // `== 3.12.4` takes one in the middle.
        let has_patch = !first && !last && (1..50).any(|patch| contain(patch) == Some(true));
        (first == last && !has_patch).then_some(first)
    }

    /// Whether it takes wheels with this interpreter tag and this ABI tag. `is_any` says that the platform tag is `any`.
    fn takes(self, interpreter: &str, abi: &str, is_any: bool) -> bool {
        let minor_of = |start: &str| number(interpreter.strip_prefix(start)?);
        if let Some(minor) = minor_of("cp3") {
            let is_own = minor == self.minor;
            let suffix = if self.is_free_threaded { "t" } else { "" };
            return match abi {
                "none" => is_own,
                "abi3" => !is_any && !self.is_free_threaded && (2..=self.minor).contains(&minor),
                abi => !is_any && is_own && abi == format!("cp3{minor}{suffix}"),
            };
        }
        let is_version =
            interpreter == "py3" || minor_of("py3").is_some_and(|minor| minor <= self.minor);
        abi == "none" && is_version
    }
}

/// A platform and a Python.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The platform.
    pub platform: Platform,
    /// The Python.
    pub python: Python,
}

impl Target {
    /// Whether a wheel of this file name can be installed.
    pub fn takes(&self, wheel: &str) -> bool {
        let Some(stem) = wheel.strip_suffix(".whl") else {
            return false;
        };
        let mut parts = stem.rsplit('-');
        let (Some(platforms), Some(abis), Some(interpreters)) =
            (parts.next(), parts.next(), parts.next())
        else {
            return false;
        };
        platforms.split('.').any(|platform| {
            let is_any = platform == "any";
            (is_any || self.platform.takes(platform))
                && abis.split('.').any(|abi| {
                    interpreters
                        .split('.')
                        .any(|interpreter| self.python.takes(interpreter, abi, is_any))
                })
        })
    }

    /// The value of a marker's variable; `None` where it is not known.
    pub fn variable(&self, name: &str) -> Option<&'static str> {
        let (sys, system, os) = match self.platform.system {
            System::Glibc(_) | System::Musl(_) => ("linux", "Linux", "posix"),
            System::Macos(_) => ("darwin", "Darwin", "posix"),
            System::Windows => ("win32", "Windows", "nt"),
        };
        let machine = match (self.platform.system, self.platform.machine) {
            (System::Windows, "amd64") => "AMD64",
            (System::Windows, "arm64") => "ARM64",
            (_, machine) => machine,
        };
        Some(match name {
            "sys_platform" | "sys.platform" => sys,
            "platform_system" => system,
            "os_name" | "os.name" => os,
            "platform_machine" | "platform.machine" => machine,
            "platform_python_implementation"
            | "platform.python_implementation"
            | "python_implementation" => "CPython",
            "implementation_name" => "cpython",
            _ => return None,
        })
    }

    /// Whether specifiers take this Python: all, some or none of its patch releases.
    pub fn python_is(&self, specifiers: &Specifiers) -> Option<bool> {
        self.python.is_in(specifiers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn platforms_and_pythons_are_read_strictly() {
        for name in Platform::names() {
            assert!(Platform::parse(&name).is_some(), "{name}");
        }
        for text in [
            "",
            "linux",
            "linux-arm64",
            "linux_2-x86_64",
            "manylinux-x86_64",
            "manylinux_2-x86_64",
            "manylinux_3_1-x86_64",
            "macos_10-x86_64",
            "macos-aarch64",
            "windows_11-amd64",
            "Linux-x86_64",
            "linux-x86_64 ",
        ] {
            assert_eq!(Platform::parse(text), None, "{text}");
        }
        for (text, expected) in [
            ("3.12", Some((12, false))),
            ("3.14t", Some((14, true))),
            ("3", None),
            ("3.12.1", None),
            ("2.7", None),
            ("3.t", None),
            ("3.１", None),
        ] {
            let found = Python::parse(text);
            assert_eq!(
                found.map(|python| (python.minor, python.is_free_threaded)),
                expected
            );
        }
    }
}
