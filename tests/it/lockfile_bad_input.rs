//! Locks of every format, made by their tools, and then broken in every way: never a panic, never a secret, always a place
//! and what to do.

use std::panic::{AssertUnwindSafe, catch_unwind};

use lockgate::lockfiles::facts::Facts;
use lockgate::lockfiles::policy::Policy;
use lockgate::lockfiles::rules::Finding;
use lockgate::lockfiles::{Format, declared, read, rules};
use lockgate::model::sources::Sources;

use crate::fuzzing::campaign;
use crate::support::lockgate::Project;
use crate::support::small_locks::{SmallLock, small_locks};

/// What is found in a lock beside what declares it. Each finding has its place in a file, and what to do.
fn judged(small: &SmallLock, lock: &[u8], what: &str) -> Vec<Finding> {
    let judge = || {
        let mut sources = Sources::default();
        let file = sources.add(small.name, lock.to_vec()).unwrap();
        let (name, text) = &small.declared;
        let project = sources.add(*name, text.clone().into_bytes()).unwrap();
        let declared = (*name == "pyproject.toml")
            .then(|| declared::read(project, &sources).declarations)
            .flatten();
        let reading = read(small.format, file, &sources);
        let policy = Policy::default();
        let facts = reading.lockfile.as_ref().map(|lock| Facts {
            declared: declared.as_ref(),
            ..Facts::of_lock(&sources, lock, &policy)
        });
        assert!(reading.lockfile.is_some() || !reading.faults.is_empty());
        let found = rules::judge(&reading, facts.as_ref(), &policy);
        for finding in &found {
            let length = sources.bytes(finding.at.file).len();
            let (start, end) = (finding.at.start as usize, finding.at.end as usize);
            assert!(start <= end && end <= length, "{finding:?}");
            assert!(finding.help.as_ref().is_some_and(|help| !help.is_empty()));
        }
        found
    };
    catch_unwind(AssertUnwindSafe(judge))
        .unwrap_or_else(|_| panic!("{:?}, {what}: see above", small.format))
}

/// Whether what is left of a lock is a lock of its own, in which nothing shows that there was more. `None` where the
/// comment that names its tool is cut, so that it may be anybody's.
fn is_whole(small: &SmallLock, cut: &str) -> Option<bool> {
    let rest = &small.lock[cut.len()..];
    let is_line = cut.ends_with('\n') || rest.starts_with('\n') || rest.is_empty();
    let last = cut.trim_end().rsplit('\n').next().unwrap_or_default();
    // An entry may have no wheels, and the last one too.
    let is_entry = last.starts_with("sdist = {") || last.starts_with("wheels = [{");
    Some(match small.format {
        // What needs the missing entry shows that it is missing.
        Format::Uv | Format::UvScript => {
            rest.trim().is_empty() || is_line && is_entry && !rest.contains("[[package]]")
        }
        Format::Poetry | Format::Pdm | Format::Pipfile => rest.trim().is_empty(),
        // Each entry stands for itself.
        Format::Pylock => is_line && is_entry,
        Format::Requirements => {
            if cut.lines().count() < 3 {
                return None;
            }
            cut.ends_with('\n') && !cut.ends_with("\\\n")
        }
    })
}

#[test]
fn a_lock_that_is_cut_anywhere_is_told_as_cut() {
    for small in small_locks() {
        let step = if campaign() > 1 { 1 } else { 3 };
        for end in (0..=small.lock.len()).rev().step_by(step) {
            let Some(cut) = small.lock.get(..end) else {
                continue;
            };
            let found = judged(small, cut.as_bytes(), &format!("cut at {end}"));
            let is_whole = is_whole(small, cut).unwrap_or(found.is_empty());
            assert_eq!(
                found.is_empty(),
                is_whole,
                "{} is cut at {end}: {found:?}\n{cut}",
                small.name
            );
        }
    }
}

/// Texts that stand for values of every kind.
fn absurd() -> Vec<String> {
    let deep = |sign: &str| sign.repeat(10_000);
    vec![
        "1".to_owned(),
        "[]".to_owned(),
        "{}".to_owned(),
        "true".to_owned(),
        "\"\"".to_owned(),
        format!("\"{}\"", "9".repeat(5_000)),
        "\"1!99999999999999999999999.0.post99999999999999999999\"".to_owned(),
        "\"1..2\"".to_owned(),
        format!("\"{}python_version > '3'{}\"", deep("("), deep(")")),
        format!("\"{}\"", ["os_name == 'x'"; 3_000].join(" or ")),
        "\"\\u0000\\u0007\\u001b[31m\\u202e\"".to_owned(),
        "\"https://user:hunter2secret@host.example/x-1.tar.gz#sha256=00\"".to_owned(),
        "\"../../../etc/passwd\"".to_owned(),
        deep("["),
        deep("{"),
        deep("{a="),
    ]
}

#[test]
fn values_of_other_types_and_absurd_ones_are_read_or_refused() {
    for small in small_locks() {
        // Every value in quotes, but the files' own, which are all alike.
        let quoted: Vec<(usize, usize)> = small
            .lock
            .match_indices('"')
            .map(|(at, _)| at)
            .collect::<Vec<_>>()
            .chunks_exact(2)
            .map(|pair| (pair[0], pair[1] + 1))
            .collect();
        let step = if campaign() > 1 {
            1
        } else {
            1 + quoted.len() / 12
        };
        for (start, end) in quoted.into_iter().step_by(step) {
            for value in absurd() {
                let text = [&small.lock[..start], &value, &small.lock[end..]].concat();
                judged(small, text.as_bytes(), &value[..value.len().min(40)]);
            }
        }
        if small.format == Format::Requirements {
            for value in absurd() {
                let value = value.trim_matches('"');
                for line in [
                    format!("{value}==1.0\n"),
                    format!("a=={value}\n"),
                    format!("a==1.0 ; {value}\n"),
                    format!("a==1.0 --hash=sha256:{value}\n"),
                    format!("-r {value}\n"),
                    format!("--index-url {value}\n"),
                ] {
                    judged(small, line.as_bytes(), &line[..line.len().min(40)]);
                }
            }
        }
    }
}

#[test]
fn other_encodings_line_ends_and_doubled_lines_are_told_or_harmless() {
    for small in small_locks() {
        let lock = &small.lock;
        let utf_16 = |mark: &[u8]| -> Vec<u8> {
            let units = lock.encode_utf16().flat_map(u16::to_le_bytes);
            mark.iter().copied().chain(units).collect()
        };
        let middle = lock.len() / 2;
        let split =
            |part: &[u8]| [&lock.as_bytes()[..middle], part, &lock.as_bytes()[middle..]].concat();
        let is_text = small.format == Format::Requirements;
        for (what, bytes, is_told) in [
            ("nothing", Vec::new(), !is_text),
            ("UTF-16", utf_16(b"\xff\xfe"), true),
            ("UTF-16 without a mark", utf_16(b""), true),
            ("a NUL", split(b"\0"), true),
            ("no UTF-8", split(b"\xe9\xff"), true),
            ("CRLF", lock.replace('\n', "\r\n").into_bytes(), false),
            (
                "deep",
                [
                    lock.as_bytes(),
                    "\nx = ".as_bytes(),
                    "[".repeat(10_000).as_bytes(),
                ]
                .concat(),
                true,
            ),
        ] {
            let found = judged(small, &bytes, what);
            assert_eq!(
                !found.is_empty(),
                is_told,
                "{:?}, {what}: {found:?}",
                small.format
            );
        }
        judged(small, format!("\u{feff}{lock}").as_bytes(), "a mark");
        let mut told = 0;
        for (index, _) in lock.lines().enumerate() {
            let doubled: Vec<&str> = lock
                .lines()
                .enumerate()
                .flat_map(|(own, line)| [line; 2].into_iter().take(1 + usize::from(own == index)))
                .collect();
            told += usize::from(
                !judged(small, doubled.join("\n").as_bytes(), "a line twice").is_empty(),
            );
        }
        assert!(told > 5, "{:?}: {told}", small.format);
    }
}

#[test]
fn secrets_and_control_characters_are_never_printed() {
    for small in small_locks() {
        let project = Project::empty();
        project.write(small.declared.0, &small.declared.1);
        let name = small
            .lock
            .replacen("\"six\"", "\"s\\u001b[31mix\\u0007\"", 1);
        let url = small
            .lock
            .replacen("https://", "https://user:hunter2secret@", 3);
        let raw = small.lock.replacen("six", "s\u{1b}[31mi\u{7}x", 1);
        for text in [name, url, raw] {
            project.write(small.name, &text);
            for format in ["human", "json", "sarif", "github"] {
                let run = project.run(&[
                    "lockfile-verify",
                    "--allow-empty",
                    &format!("--output-format={format}"),
                ]);
                assert!(matches!(run.code, 0 | 1 | 3), "{}", run.text());
                let text = run.text();
                for hidden in ["hunter2secret", "\u{1b}", "\u{7}"] {
                    assert!(
                        !text.contains(hidden),
                        "{:?} {format}: {text}",
                        small.format
                    );
                }
            }
        }
    }
}

#[test]
fn a_huge_lock_is_judged_or_refused_and_never_a_crash() {
    let size = if campaign() > 1 { 200 << 20 } else { 1 << 20 };
    for small in small_locks() {
        let project = Project::empty();
        project.write(small.declared.0, &small.declared.1);
        let lock = match small.format {
            Format::Pipfile => {
                let (head, tail) = small.lock.split_once("\"develop\": {").unwrap();
                let entry = |number: usize| format!("\"p{number}\": {{\"version\": \"==1.0\"}},");
                let many = filled(size, entry);
                let tail = tail.trim_start_matches('}');
                format!("{head}\"develop\": {{{many}\"last\": {{\"version\": \"==1.0\"}}}}{tail}")
            }
            Format::Requirements => {
                filled(size, |number| format!("p{number}==1.0\n")) + &small.lock
            }
            _ => {
                let table = if small.format == Format::Pylock {
                    "packages"
                } else {
                    "package"
                };
                let entry = |number: usize| {
                    format!("\n[[{table}]]\nname = \"p{number}\"\nversion = \"1.0\"\n")
                };
                format!("{}\n{}", small.lock, filled(size, entry))
            }
        };
        project.write(small.name, lock);
        let run = project.run(&["lockfile-verify"]);
        assert!(
            matches!(run.code, 1 | 3),
            "{:?}: {}",
            small.format,
            run.code
        );
    }
}

/// So many bytes of entries, each with its number.
fn filled(size: usize, entry: impl Fn(usize) -> String) -> String {
    let mut text = String::with_capacity(size + 100);
    for number in 0.. {
        text.push_str(&entry(number));
        if text.len() >= size {
            break;
        }
    }
    text
}
