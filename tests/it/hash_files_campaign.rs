//! Random trees and patterns, against the official implementation: `@actions/glob` in one Node process.
//!
//! `LOCKGATE_CAMPAIGN=<n>` makes n times as many. A failure says its seed; `LOCKGATE_FUZZ_SEED=<seed>` runs that tree again.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use lockgate::system::hash_files::{digest, read_patterns};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::fuzzing::{Random, campaign};
use crate::support::tools::runner;

/// Trees in a run of the suite, and the cases of each.
const TREES: u64 = 15;
const CASES: usize = 20;

/// Names of files and folders that mean something to one pattern or another.
const NAMES: &[&str] = &[
    "a",
    "b",
    "c",
    "A",
    "ab",
    "abc",
    "a.b",
    "a.lock",
    "uv.lock",
    "UV.LOCK",
    ".a",
    ".hidden",
    "..a",
    "...",
    "[a]",
    "a]",
    "a[b",
    "[",
    "]",
    "*",
    "a*",
    "?",
    "!x",
    "#c",
    "a b",
    "\u{e9}",
    "e\u{301}",
    "\u{1f600}",
    "\u{1f600}x",
    "\\",
    "a\\b",
    "{a,b}",
    "+(a)",
    "@(a)",
    "a|b",
    "|",
    "a-b",
    "-",
    "^",
    "~",
    "$",
    "a\nb",
    "\u{2028}",
    "\u{fffd}",
    "1",
    "9z",
    "a,b",
    "_",
    "**",
];

/// What patterns are made of, besides the names.
const PIECES: &[&str] = &[
    "*",
    "**",
    "?",
    "***",
    "??",
    "*.lock",
    "*.*",
    ".*",
    "*.",
    "?.lock",
    "[a-c]",
    "[!a]",
    "[^a]",
    "[]a]",
    "[!]a]",
    "[a-]",
    "[-a]",
    "[c-a]",
    "[a",
    "[]",
    "[[]",
    "[]]",
    "[\\]]",
    "[\\^a]",
    "[\\^-z]",
    "[a\\-z]",
    "[[:alpha:]]",
    "[[:upper:]a]",
    "[[:punct:]]*",
    "[^[:digit:]]",
    "[[:graph:]]",
    "[![:print:]b]",
    "[[:space:]]",
    "[[:xdigit:]]",
    "[[:ascii:]x]",
    "[[:word:]-",
    "[a-[:alpha:]]",
    "[[:alpha:]]-b",
    "[\u{1f600}]",
    "[\u{1f600}a]",
    "[a-\u{1f600}]",
    "[[:alpha:]\u{1f600}-\u{1f64f}]",
    "[\u{1f600}-a]",
    "\\*",
    "\\?",
    "\\[",
    "\\a",
    "\\\\",
    "\\|",
    "\\|a",
    "\\!",
    "\\.",
    "\\",
    "+(a|b)",
    "@(a)",
    "!(a)",
    "?(a)",
    "*(a|b)",
    "{a,b}",
    "(",
    ")",
    "|",
    "!",
    "#",
    "~",
    " ",
    ".",
    "-",
    ",",
    "^",
    "$",
    "a*b",
    "*a*",
    "a?",
    "*\\*",
    "?\\a",
    "*\u{e9}",
    "[\u{e9}\u{1f600}]",
    "\u{a0}",
    "\u{feff}",
];

struct Campaign {
    root: PathBuf,
    workspace: PathBuf,
    /// Paths from the workspace, of files, folders and links.
    paths: Vec<String>,
}

fn pick<'l>(random: &mut Random, list: &[&'l str]) -> &'l str {
    list[random.below(list.len())]
}

impl Campaign {
    /// A tree in a fresh folder: what cannot be made is left out.
    fn plant(folder: &Path, random: &mut Random) -> Self {
        // One folder deeper, so that no link leads to what others have beside it.
        let root = folder.canonicalize().expect("a folder").join("in");
        let called = ["workspace", "w[1] x", "w*?", "w\\[", "\u{e9}w"];
        let workspace = root.join(pick(random, &called));
        let home = root.join("home");
        for folder in [&workspace, &home, &root.join("beside")] {
            std::fs::create_dir_all(folder).expect("a folder");
        }
        let mut folders = vec![String::new()];
        let mut paths = Vec::new();
        for number in 0..8 + random.below(24) {
            let parent = folders[random.below(folders.len())].clone();
            let name = pick(random, NAMES);
            let path = if parent.is_empty() {
                name.to_owned()
            } else {
                format!("{parent}/{name}")
            };
            let place = workspace.join(&path);
            if place.symlink_metadata().is_ok() {
                continue;
            }
            match random.below(10) {
                0..=3 if path.matches('/').count() < 4 => {
                    std::fs::create_dir(&place).expect("a folder");
                    folders.push(path.clone());
                }
                4 if random.below(2) == 0 => {
                    let near = pick(random, NAMES);
                    let targets = [".", "..", "../beside", "nowhere", "../..", near];
                    let target = match random.below(9) {
                        number if number < targets.len() => PathBuf::from(targets[number]),
                        6 => root.join("beside/b"),
                        7 => workspace.join(&folders[random.below(folders.len())]),
                        _ => PathBuf::from(name),
                    };
                    std::os::unix::fs::symlink(target, &place).expect("a link");
                }
                _ => std::fs::write(&place, format!("{number} {path}")).expect("a file"),
            }
            paths.push(path);
        }
        for path in ["beside/b", "beside/uv.lock", "home/a", "home/.a"] {
            std::fs::write(root.join(path), path).expect("a file");
        }
        if random.below(20) == 0 {
            let name = std::ffi::OsStr::from_bytes(b"a\xff");
            std::fs::write(workspace.join(name), "not UTF-8").expect("a file");
        }
        Self {
            root,
            workspace,
            paths,
        }
    }

    fn patterns(&self, random: &mut Random) -> String {
        let lines = 1 + random.below(2) * random.below(4);
        let lines: Vec<String> = (0..lines).map(|_| self.pattern(random)).collect();
        lines.join("\n")
    }

    fn pattern(&self, random: &mut Random) -> String {
        let path = if self.paths.is_empty() || random.below(6) == 0 {
            let parts = 1 + random.below(4);
            let parts: Vec<&str> = (0..parts).map(|_| pick(random, PIECES)).collect();
            parts.join("/")
        } else {
            self.paths[random.below(self.paths.len())].clone()
        };
        let mut parts: Vec<String> = path.split('/').map(|part| changed(part, random)).collect();
        if random.below(3) == 0 {
            parts.insert(random.below(parts.len() + 1), "**".to_owned());
        }
        if random.below(8) == 0 {
            parts.pop();
        }
        let mut pattern = parts.join("/");
        if random.below(8) == 0 {
            pattern.push('/');
        }
        let prefix = match random.below(24) {
            0 => "./",
            1 => ".//",
            2 => "~/",
            3 => "../",
            4 => "\\./",
            5 => "#",
            _ => "",
        };
        pattern.insert_str(0, prefix);
        if random.below(12) == 0 {
            let start = if random.below(4) == 0 {
                self.root.join("beside")
            } else {
                self.workspace.clone()
            };
            let start = start.display().to_string();
            // As it is, its brackets are classes; a user would escape them.
            let start = if random.below(2) == 0 {
                start
                    .replace('\\', "\\\\")
                    .replace('[', "[[]")
                    .replace('*', "[*]")
            } else {
                start
            };
            pattern = format!("{start}/{pattern}");
        }
        let negations = ["!", "! ", "!!", " !"];
        if random.below(4) == 0 {
            pattern.insert_str(0, pick(random, &negations));
        }
        if random.below(10) == 0 {
            pattern = format!(" \t{pattern}\u{a0} ");
        }
        // Nobody's test walks the whole machine.
        let shown: &str =
            pattern.trim_start_matches(|c: char| c == '!' || c.is_whitespace() || c == '\u{feff}');
        let own = format!("{}/", self.root.display());
        let is_own = pattern_prefix(shown) == pattern_prefix(&own)
            && shown.contains(own.trim_end_matches('/'));
        if shown.starts_with('/') && !is_own {
            return "**/a".to_owned();
        }
        pattern
    }
}

/// The first two parts of a path.
fn pattern_prefix(path: &str) -> Vec<&str> {
    path.split('/').take(3).collect()
}

/// A part of a path, more or less as a pattern.
fn changed(part: &str, random: &mut Random) -> String {
    let mut letters: Vec<String> = part.chars().map(String::from).collect();
    match random.below(12) {
        0 | 1 | 9..=11 => {}
        2 => return pick(random, PIECES).to_owned(),
        3 => {
            let at = random.below(letters.len());
            let letter = &letters[at];
            letters[at] = match random.below(6) {
                0 => "?".to_owned(),
                1 => format!("[{letter}]"),
                2 => format!("[!{letter}x]"),
                3 => format!("\\{letter}"),
                4 => format!("[a-{letter}]"),
                _ => "*".to_owned(),
            };
        }
        4 => letters.insert(
            random.below(letters.len() + 1),
            pick(random, PIECES).to_owned(),
        ),
        5 => {
            letters.truncate(random.below(letters.len() + 1));
            letters.push("*".to_owned());
        }
        6 => {
            let from = random.below(letters.len() + 1);
            letters.splice(..from, ["*".to_owned()]);
        }
        7 => {
            return format!("{}{}", pick(random, PIECES), pick(random, PIECES));
        }
        _ => {
            // Letter for letter, as one who wants no wildcard writes it.
            for letter in &mut letters {
                if "[]*?\\".contains(letter.as_str()) && letter != "]" {
                    *letter = if letter == "\\" {
                        "\\\\".to_owned()
                    } else {
                        format!("[{letter}]")
                    };
                }
            }
        }
    }
    letters.concat()
}

/// The official implementation.
struct Official {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Official {
    fn start() -> Self {
        let mut process = Command::new("node")
            .arg(runner().join("src/hash-files.mjs"))
            .arg("--cases")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Node");
        let input = process.stdin.take().expect("an input");
        let output = BufReader::new(process.stdout.take().expect("an output"));
        Self {
            process,
            input,
            output,
        }
    }

    fn answer(&mut self, case: &Value) -> Value {
        writeln!(self.input, "{case}").expect("Node reads");
        let mut line = String::new();
        self.output.read_line(&mut line).expect("Node answers");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: `{line}` to {case}"))
    }
}

impl Drop for Official {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn random_trees_and_patterns_have_the_digest_of_the_official_implementation() {
    let only = std::env::var("LOCKGATE_FUZZ_SEED").ok();
    let only = only.and_then(|text| text.parse::<u64>().ok());
    let seeds = only.map_or(0..TREES * campaign(), |seed| seed..seed + 1);
    let mut official = Official::start();
    let (mut digests, mut empty, mut errors, mut wrong) = (0, 0, 0, String::new());
    for seed in seeds {
        let mut random = Random(seed);
        let folder = TempDir::new().expect("a temporary folder");
        let tree = Campaign::plant(folder.path(), &mut random);
        let home = tree.root.join("home").display().to_string();
        for _ in 0..CASES {
            let patterns = tree.patterns(&mut random);
            let follow = random.below(2) == 0;
            let said = official.answer(&json!({
                "workspace": tree.workspace, "home": home, "patterns": patterns, "follow": follow,
            }));
            let ours = read_patterns("patterns", &patterns, &tree.workspace, Some(&home))
                .and_then(|patterns| digest(&patterns, &tree.workspace, follow));
            match &ours {
                Ok(digest) if digest.hex.is_some() => digests += 1,
                Ok(_) => empty += 1,
                Err(_) => errors += 1,
            }
            let same = match &ours {
                Ok(digest) => said["digest"] == digest.hex.as_deref().unwrap_or_default(),
                Err(_) => said["error"].is_string(),
            };
            if !same && wrong.len() < 4_000 {
                let _ = writeln!(
                    wrong,
                    "LOCKGATE_FUZZ_SEED={seed} follow {follow} patterns {patterns:?}\n  workspace {:?}\n  official {said}\n  ours {ours:?}",
                    tree.workspace
                );
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{digests} digests, {empty} empty, {errors} errors\n{wrong}"
    );
    // Many cases must mean something, or this test would prove little.
    assert!(
        only.is_some() || digests * 5 > digests + empty + errors,
        "{digests} digests, {empty} empty, {errors} errors"
    );
}
