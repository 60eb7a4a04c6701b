//! Mutations of real inputs through the functions of `lockgate::fuzzing`.
//!
//! `LOCKGATE_CAMPAIGN=<n>` makes n times as many. A failure says its seed and keeps its input;
//! `LOCKGATE_FUZZ_SEED=<seed>` runs that one again.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use lockgate::fuzzing::{DECLARED, FAMILIES};
use lockgate::lockfiles::{format_of, rules};

use crate::archive_hostile::hostile;
use crate::support::archives::{compressed, file, hard_link, head, pax, speaking, symlink};
use crate::support::deployed::{METADATA, sdist, wheel};
use crate::support::expect::{files_below, root};

/// Inputs of each family in a run of the suite.
const RUNS: u64 = 150;

/// Longer inputs find nothing that shorter ones do not.
const LONGEST: usize = 16 << 10;

/// What means something to one format or another.
const TOKENS: &[&str] = &[
    "\"",
    "\\",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "null",
    "true",
    "-1",
    "0",
    "1e9",
    "99999999999999999999",
    "\n",
    "\r",
    "\r\n",
    "\u{feff}",
    "é",
    "😀",
    "\\ud800",
    "\0",
    "@@ -1,2 +3,4 @@\n",
    "diff --git a/x b/x\n",
    "+++ b/x\n",
    "--- a/x\n",
    "\t",
    " ",
    "{0}",
    "%41",
    "file://",
    "..",
    "<",
    "==",
    "[[package]]\n",
    "'",
    "&a",
    "*a",
    "? ",
    "- ",
];

/// How the campaign is scaled.
pub(crate) fn campaign() -> u64 {
    std::env::var("LOCKGATE_CAMPAIGN")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(1)
}

/// SplitMix64: the same inputs from the same seed, everywhere.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % (limit.max(1) as u64)).expect("below a usize")
    }

    fn range(&mut self, length: usize) -> std::ops::Range<usize> {
        let start = self.below(length + 1);
        let longest = (length - start).min(200);
        start..start + self.below(longest + 1)
    }
}

/// The real inputs of a family.
fn seeds(family: &str) -> Vec<Vec<u8>> {
    let fixtures = |folder: &str, names: &[&str]| {
        let wanted = |path: &PathBuf| {
            let name = path.file_name().and_then(|name| name.to_str());
            let is_sarif = path
                .extension()
                .is_some_and(|extension| extension == "sarif");
            names.iter().any(|wanted| name == Some(wanted))
                || (is_sarif && names.contains(&"*.sarif"))
        };
        let paths = files_below(&format!("tests/fixtures/{folder}"));
        read(paths.into_iter().filter(wanted))
    };
    let mut seeds = match family {
        "tools" => {
            let folders = std::fs::read_dir(root().join("tests/fixtures")).expect("fixtures").flatten();
            let mut folders: Vec<String> = folders
                .filter_map(|entry| entry.file_name().into_string().ok())
                .filter(|name| !["make", "make.sh", "positions", "rdjson", "sarif"].contains(&name.as_str()))
                .collect();
            folders.sort();
            let outputs = folders.iter().flat_map(|folder| fixtures(folder, &["stdout"]));
            outputs
                .enumerate()
                .map(|(index, output)| [&[u8::from(index % 2 == 0)][..], &output].concat())
                .collect()
        }
        "sarif" => fixtures("sarif", &["stdout", "*.sarif"]),
        "rdjson" => {
            let mut seeds = fixtures("rdjson", &["stdout"]);
            seeds.push(b"{\"message\":\"m\",\"location\":{\"path\":\"a.py\",\"range\":{\"start\":{\"line\":2,\"column\":1},\"end\":{\"line\":3}}},\"severity\":\"ERROR\",\"source\":{\"name\":\"x\"},\"code\":{\"value\":\"E\"},\"suggestions\":[{\"range\":{\"start\":{\"line\":1}},\"text\":\"t\"}]}\n{\"message\":\"n\",\"severity\":2}\n".to_vec());
            seeds
        }
        "diff" => vec![
            b"diff --git a/x.sql b/x.sql\nindex 1..2 100644\n--- a/x.sql\n+++ b/x.sql\n@@ -3 +3,2 @@ f\n--- old comment\n+++ b/evil\n+x\n".to_vec(),
            b"diff --git \"a/na\\303\\257ve.py\" \"b/na\\303\\257ve.py\"\nold mode 100644\nnew mode 100755\ndiff --git a/with space.py b/with space.py\nindex 1..2\n--- a/with space.py\t\n+++ b/with space.py\t\n@@ -0,0 +1 @@\n+x\n\\ No newline at end of file\n".to_vec(),
            b"diff --git a/old b/new\nsimilarity index 100%\nrename from old\nrename to new\ndiff --git a/gone b/gone\ndeleted file mode 100644\nindex 1..0\n--- a/gone\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-a\n-b\ndiff --git a/pic b/pic\nindex 1..2 100644\nBinary files a/pic and b/pic differ\n".to_vec(),
        ],
        // Each file with places that are in it or nearly so.
        "position" => read(files_below("tests/fixtures/positions/files").into_iter())
            .into_iter()
            .enumerate()
            .flat_map(|(index, file)| {
                let mut random = Random(index as u64);
                let mut place = move || {
                    let mut number = |limit| [3, u8::try_from(random.below(limit)).expect("small")];
                    [number(5), number(20), number(6), number(24)].concat()
                };
                let seed = move |_| [place(), place(), place(), file.clone()].concat();
                (0..20).map(seed).collect::<Vec<_>>()
            })
            .collect(),
        "lockfile" => {
            let names = ["examples/notes/uv.lock", "tests/tools/requirements.txt"];
            let mut seeds = read(names.into_iter().map(|name| root().join(name)));
            // Locks of every format that a rule has an example of, with what declares them.
            let examples = rules::all().flat_map(|rule| [&rule.failing, &rule.repaired]);
            seeds.extend(examples.map(|example| {
                let part = |is_lock: bool| {
                    let mut files = example.files.iter();
                    let found = files.find(|(path, _)| format_of(path).is_some() == is_lock);
                    found.map_or(&b""[..], |(_, text)| text.as_bytes())
                };
                [part(true), DECLARED, part(false)].concat()
            }));
            seeds
        }
        "answers" => vec![
            br#"{"meta": {"api-version": "1.1"}, "name": "six", "files": [{"filename": "six-1.17.0.tar.gz", "url": "https://files.example/six-1.17.0.tar.gz", "hashes": {"sha256": "00"}, "yanked": "why"}]}"#.to_vec(),
            b"<!DOCTYPE html><meta name=\"pypi:repository-version\" content=\"1.0\"><!-- x --><a href=\"../six-1.17.0.tar.gz#sha256=00&amp;x\" data-yanked='&#60;'>six</a>".to_vec(),
            b"1111111111111111111111111111111111111111\trefs/heads/main\n2222222222222222222222222222222222222222\trefs/tags/v1.0.0\n3333333333333333333333333333333333333333\trefs/tags/v1.0.0^{}\n".to_vec(),
            b"jobs:\n  a:\n    steps:\n      - uses: a/b/c@1111111111111111111111111111111111111111 # v1.0.0\n        with: {x: y}\n      - &s\n        uses: ./a\n      - *s\n# \n# 2222222222222222222222222222222222222222\trefs/tags/v1.0.0\n".to_vec(),
        ],
        "globs" => vec![
            b"**/uv.lock\n!**/node_modules/**\na/*/b?/[a-c]\n".to_vec(),
            b"a/**/b/**/c\n# x\n./[[:alpha:]][!x-z]*\n~/x\n\\[a\\]/\\|*\n".to_vec(),
            "/w/[[]a] [*]\\\\/a/**\n\u{e9}[\u{1f600}-z]/\n! !x[]-a]/***/?.*\n".into(),
        ],
        "configuration" => {
            let mut seeds = read(std::iter::once(root().join("examples/notes/pyproject.toml")));
            seeds.push(b"required-version: '>=0.1'\nlint-gate:\n  fail-on: warning\n  tools: [ruff, mypy]\n  allow-empty: true\n".to_vec());
            seeds.push(b"[tool.lockgate]\nrequired-version = \">=0.1\"\n[tool.lockgate.lint-gate]\nfail-on = \"warning\"\ntools = [\"ruff\", \"mypy\"]\nallow-empty = true\n".to_vec());
            seeds
        }
        "pipeline" => vec![
            b"[tool.lockgate.pipeline]\nenv = ['CI', { A = 1 }]\n[tool.lockgate.pipeline.stages]\nlint = 'ruff check .'\nbuild = { run = ['uv', 'build'], outputs = { wheel = 'dist/*.whl' }, inputs = ['src/**'], cpu = 2, memory = '1GB' }\ntest = { run = ['pytest', '${{ matrix.py }}', '${{ stages.build.outputs.wheel }}'], needs = ['build', 'lint'], matrix = { py = ['3.12', '3.13'] }, retry = { max = 2, on-exit = [75] } }\napi = { run = 'x', service = { ready = { tcp = 'h:1' } } }\nend = { run = 'x', needs = ['api', 'test'], if = { result = 'failure', changed = 'src' } }\n".to_vec(),
            b"pipeline:\n  secrets: {T: {command: [pass, show]}}\n  stages:\n    lint: {uses: lint-gate, with: {tools: [ruff]}}\n    a: &a\n      run: [x, 1, true]\n      secrets: [T]\n      venv: {groups: [dev]}\n    clean: {run: x, needs: [a, lint], always: true}\n".to_vec(),
        ],
        "archive" => {
            let cases = hostile().into_iter().map(|(_, parts, _)| parts.concat());
            let mut seeds: Vec<Vec<u8>> = cases
                .filter(|tar| tar.len() < LONGEST / 2)
                .map(|tar| [&[1][..], &tar, &[0; 1024]].concat())
                .collect();
            let parts = [
                pax(&[("path", "d/long"), ("mtime", "1.5")]),
                file("d/x", "content"),
                symlink("d/l", "x"),
                hard_link("d/h", "d/x"),
                head(b'5', b"d/f", 0, b""),
                speaking(b'L', b"d/f/y\0"),
                file("d/y", "y"),
            ];
            seeds.push([&[1][..], &parts.concat(), &[0; 1024]].concat());
            seeds.push([&[0][..], &compressed(&parts)].concat());
            seeds
        }
        "packages" => {
            let folder = tempfile::tempdir().expect("a folder");
            let wheel = wheel(folder.path(), "acme_app-1.2.0-py3-none-any.whl", METADATA, b"x");
            let sdist = sdist(folder.path(), "acme_app-1.2.0.tar.gz", METADATA);
            let [wheel, sdist] = [wheel, sdist].map(|path| std::fs::read(path).expect("a file"));
            vec![
                [&[0][..], &wheel].concat(),
                [&[1][..], &sdist].concat(),
                [&[0][..], METADATA.as_bytes()].concat(),
            ]
        }
        other => panic!("`{other}` has no inputs"),
    };
    assert!(seeds.len() > 1, "{family} has no inputs");
    for seed in &mut seeds {
        seed.truncate(LONGEST);
    }
    seeds
}

fn read(paths: impl Iterator<Item = PathBuf>) -> Vec<Vec<u8>> {
    paths
        .map(|path| {
            std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        })
        .collect()
}

fn mutated(seeds: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut input = seeds[random.below(seeds.len())].clone();
    for _ in 0..random.below(6) {
        let range = random.range(input.len());
        match random.below(8) {
            0 => input.truncate(range.start),
            1 => {
                input.drain(range);
            }
            2 => {
                let copy = input[range.clone()].to_vec();
                input.splice(range.end..range.end, copy);
            }
            3 => {
                let other = &seeds[random.below(seeds.len())];
                let part = other[random.range(other.len())].to_vec();
                input.splice(range, part);
            }
            4 | 5 => {
                let token = TOKENS[random.below(TOKENS.len())];
                input.splice(range.start..range.start, token.bytes());
            }
            6 => {
                let token = TOKENS[random.below(TOKENS.len())];
                input.splice(range, token.bytes());
            }
            _ => {
                if let Some(byte) = input.get_mut(range.start) {
                    *byte = u8::try_from(random.below(256)).expect("a byte");
                }
            }
        }
    }
    input
}

fn run(family: &str) {
    let (_, check) = FAMILIES
        .iter()
        .find(|(name, _)| *name == family)
        .expect("a family");
    let seeds = seeds(family);
    let only = std::env::var("LOCKGATE_FUZZ_SEED")
        .ok()
        .and_then(|text| text.parse::<u64>().ok());
    let runs = only.map_or(0..RUNS * campaign(), |seed| seed..seed + 1);
    for seed in runs {
        let mut random = Random(seed);
        let input = mutated(&seeds, &mut random);
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| check(&input))) {
            let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("fuzz-{family}-{seed}"));
            std::fs::write(&kept, &input).expect("the input is kept");
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
            panic!(
                "{family}: LOCKGATE_FUZZ_SEED={seed}, kept in {}: {}\n{}",
                kept.display(),
                text.unwrap_or("a panic"),
                input.escape_ascii()
            );
        }
    }
}

#[test]
fn outputs_of_tools() {
    run("tools");
}

#[test]
fn sarif() {
    run("sarif");
}

#[test]
fn rdjson() {
    run("rdjson");
}

#[test]
fn diffs() {
    run("diff");
}

#[test]
fn positions() {
    run("position");
}

#[test]
fn lockfiles() {
    run("lockfile");
}

#[test]
fn answers() {
    run("answers");
}

#[test]
fn configurations() {
    run("configuration");
}

#[test]
fn pipelines() {
    run("pipeline");
}

#[test]
fn archives() {
    run("archive");
}

#[test]
fn patterns_of_files() {
    run("globs");
}

#[test]
fn distribution_files() {
    run("packages");
}

#[test]
fn every_family_is_driven_here_and_by_libfuzzer() {
    let text = std::fs::read_to_string(root().join("tests/it/fuzzing.rs")).expect("this file");
    for (family, _) in FAMILIES {
        assert!(
            text.contains(&format!("    run(\"{family}\");")),
            "{family}"
        );
        let target = root().join(format!("fuzz/fuzz_targets/{family}.rs"));
        let target = std::fs::read_to_string(&target).expect("a target");
        assert!(target.contains(&format!("fuzz_{family}(data)")), "{family}");
    }
}
