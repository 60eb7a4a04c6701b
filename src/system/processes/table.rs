//! The table of processes as Linux shows it in `/proc`.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::path::PathBuf;

use rustix::process::{Pid, PidfdFlags, Signal, WaitOptions, pidfd_open, pidfd_send_signal};

/// A line of the table.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub id: u32,
    pub parent: u32,
    pub group: u32,
    pub is_zombie: bool,
    /// When it started, in ticks since the machine did: with the number it names a process for ever.
    pub started: u64,
}

/// What such a file has at most, mostly, bytes.
const FILE: usize = 4096;

fn path(id: u32, name: &str) -> PathBuf {
    PathBuf::from(format!("/proc/{id}/{name}"))
}

/// A file of a process, which has no size that could be asked for.
fn read(id: u32, name: &str) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(FILE);
    File::open(path(id, name))?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Every process that we can see.
pub(super) fn all() -> Vec<Line> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(line)
        .collect()
}

/// The line of one process, while it is there.
pub(super) fn line(id: u32) -> Option<Line> {
    let stat = read(id, "stat").ok()?;
    // The name before the last bracket is whatever the process wants.
    let from = memchr::memrchr(b')', &stat)? + 1;
    let text = std::str::from_utf8(stat.get(from..)?).ok()?;
    let fields: Vec<&str> = text.split_whitespace().collect();
    Some(Line {
        id,
        is_zombie: matches!(*fields.first()?, "Z" | "X"),
        parent: fields.get(1)?.parse().ok()?,
        group: fields.get(2)?.parse().ok()?,
        started: fields.get(19)?.parse().ok()?,
    })
}

/// The value of a variable in the environment that a process was started with; `None` where it is not set or cannot be
/// seen.
pub(super) fn variable(id: u32, name: &str) -> Option<String> {
    let environment = read(id, "environ").ok()?;
    environment
        .split(|byte| *byte == 0)
        .find_map(|pair| pair.strip_prefix(name.as_bytes())?.strip_prefix(b"="))
        .map(|value| String::from_utf8_lossy(value).into_owned())
}

/// Its command line; its name in brackets where it has none.
pub(super) fn command(id: u32) -> String {
    let words = read(id, "cmdline").unwrap_or_default();
    let words = String::from_utf8_lossy(&words);
    let words = words.trim_end_matches('\0').replace('\0', " ");
    if words.is_empty() {
        let name = fs::read_to_string(path(id, "comm")).unwrap_or_default();
        return format!("[{}]", name.trim_end());
    }
    words
}

/// Whether a process has one of these pipes open.
pub(super) fn holds(id: u32, pipes: &[u64]) -> bool {
    let links: Vec<String> = pipes.iter().map(|pipe| format!("pipe:[{pipe}]")).collect();
    fs::read_dir(path(id, "fd"))
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| fs::read_link(entry.path()).ok())
        .any(|target| links.iter().any(|link| target.as_os_str() == link.as_str()))
}

/// Who else holds one of these pipes.
pub(super) fn holders(pipes: &[u64]) -> Vec<Line> {
    let mut lines = all();
    lines.retain(|line| line.id != std::process::id() && !line.is_zombie && holds(line.id, pipes));
    lines
}

/// The number of a pipe.
pub(super) fn pipe(pipe: impl AsFd) -> Option<u64> {
    rustix::fs::fstat(pipe).ok().map(|stat| stat.st_ino)
}

/// Our children, those we adopted among them. They come to the first thread.
pub(super) fn children() -> Vec<u32> {
    let own = std::process::id();
    match fs::read_to_string(format!("/proc/{own}/task/{own}/children")) {
        Ok(text) => text
            .split_whitespace()
            .filter_map(|id| id.parse().ok())
            .collect(),
        // A kernel without that file.
        Err(_) => all()
            .into_iter()
            .filter(|line| line.parent == own)
            .map(|line| line.id)
            .collect(),
    }
}

fn number(id: u32) -> Option<Pid> {
    Pid::from_raw(i32::try_from(id).ok()?)
}

/// Waits for a child that has ended; whether it had.
pub(super) fn reap(id: u32) -> bool {
    number(id).is_some_and(|id| {
        rustix::process::waitpid(Some(id), WaitOptions::NOHANG).is_ok_and(|ended| ended.is_some())
    })
}

/// Sends a signal to the very process that the line is of, and to no other that has its number by now.
pub(super) fn send(line: &Line, signal: Signal) {
    let Some(id) = number(line.id) else { return };
    let is_same = || self::line(line.id).is_some_and(|now| now.started == line.started);
    // It may have ended already, which is what we want.
    match pidfd_open(id, PidfdFlags::empty()) {
        Ok(process) if is_same() => {
            let _ = pidfd_send_signal(process, signal);
        }
        Err(rustix::io::Errno::NOSYS) if is_same() => {
            let _ = rustix::process::kill_process(id, signal);
        }
        _ => {}
    }
}
