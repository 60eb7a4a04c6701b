//! Secrets that a step of ours learns while another one runs it, on their way to that one, which shows what all stages
//! print: texts of JSON, one a line, over an anonymous pipe that is the step's standard input. No file and no variable
//! ever holds them.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};

use super::Secret;
use crate::system::environment::Environment;

/// Says that what is learned is told over the standard input.
pub const VARIABLE: &str = "LOCKGATE_SECRETS";

/// Where the pipe is.
pub const STANDARD_INPUT: &str = "stdin";

/// More than this is not learned, bytes: secrets are short.
const LIMIT: u64 = 1 << 20;

/// The way to whoever runs us, where there is one.
pub fn outward(environment: &Environment) -> Option<File> {
    if environment.get(VARIABLE) != Some(STANDARD_INPUT) {
        return None;
    }
    own_input()
}

#[cfg(unix)]
fn own_input() -> Option<File> {
    use std::os::fd::AsFd;
    let input = std::io::stdin().as_fd().try_clone_to_owned().ok()?;
    Some(File::from(input))
}

#[cfg(not(unix))]
fn own_input() -> Option<File> {
    None
}

/// Tells one. Whoever does not listen any more shows nothing any more either.
pub(super) fn tell(to: &mut File, secret: &Secret) {
    let mut line = serde_json::Value::from(secret.reveal()).to_string();
    line.push('\n');
    let _ = to.write_all(line.as_bytes());
}

/// Takes what a step tells until it ends.
pub fn listen(from: impl Read, mut learn: impl FnMut(Secret)) {
    let mut from = BufReader::new(from);
    let mut line = String::new();
    let mut lines = (&mut from).take(LIMIT);
    while let Ok(1..) = lines.read_line(&mut line) {
        if let Ok(text) = serde_json::from_str::<String>(&line) {
            learn(Secret::new(text));
        }
        line.clear();
    }
    // Nobody is to wait for room in the pipe.
    let _ = std::io::copy(&mut from, &mut std::io::sink());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_learned_and_nothing_else() {
        let mut file = tempfile::tempfile().unwrap();
        tell(&mut file, &Secret::new("first\nsecond\""));
        file.write_all(b"no JSON\n[1]\n").unwrap();
        tell(&mut file, &Secret::new("third"));
        std::io::Seek::rewind(&mut file).unwrap();
        let mut learned = Vec::new();
        listen(file, |secret| learned.push(secret.reveal().to_owned()));
        assert_eq!(learned, ["first\nsecond\"", "third"]);
    }

    #[test]
    fn a_flood_is_taken_and_not_kept() {
        let flood = std::io::repeat(b'x').take(3 * LIMIT);
        listen(flood, |_| panic!("no line"));
    }
}
