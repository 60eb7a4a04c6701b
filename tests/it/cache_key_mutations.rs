//! Real locks of every format, as their tools made them, edited in one place at a time: what installs nothing else keeps the
//! digest, and any change of a package of others gives another one.
//!
//! `LOCKGATE_CAMPAIGN` is how many values of each lock are changed, spread over it, and takes the locks of public projects
//! besides; the suite changes some.

use lockgate::lockfiles::requirements_txt::is_lock;
use lockgate::lockfiles::semantic::semantic;
use lockgate::lockfiles::{FaultKind, Format, format_of, read};
use lockgate::model::lockfile::{Lockfile, Source};
use lockgate::model::sources::{Location, Sources};
use tempfile::TempDir;

use crate::lockfile_corpus::shipped;
use crate::support::expect::root;
use crate::support::lockgate::Project;
use crate::support::small_locks::{PINNED, lock_in, small_locks};

/// The digest of a lock; none where it cannot be read.
fn digest(format: Format, text: &str) -> Option<String> {
    let mut sources = Sources::default();
    let file = sources.add("lock", text.as_bytes().to_vec())?;
    let reading = read(format, file, &sources);
    let is_fine = reading
        .faults
        .iter()
        .all(|fault| fault.kind == FaultKind::UnknownRevision);
    let lock = reading.lockfile.filter(|_| is_fine)?;
    Some(semantic(&lock, &[], "lock").digest)
}

/// The locks: a small one of each format, and larger ones.
fn locks() -> Vec<(String, Format, String)> {
    let small = small_locks()
        .iter()
        .map(|lock| (lock.name.to_owned(), lock.format, lock.lock.clone()));
    let example = |name: &str, format| {
        let text = std::fs::read_to_string(root().join("examples/notes").join(name)).unwrap();
        (format!("notes/{name}"), format, text)
    };
    let own = small.chain([
        example("uv.lock", Format::Uv),
        example("uv.lock", Format::UvScript),
        example("requirements.txt", Format::Requirements),
    ]);
    let public = cases().is_some().then(|| shipped().flat_map(of_project));
    own.chain(public.into_iter().flatten()).collect()
}

/// The locks that a project ships; of requirements those that pin all they name.
fn of_project((name, project): (&str, Project)) -> Vec<(String, Format, String)> {
    let folder = project.path();
    let files = std::fs::read_dir(&folder).unwrap().flatten();
    let locks = files.filter_map(|file| {
        let lock = file.file_name().into_string().unwrap();
        let format = format_of(&lock)?;
        let text = std::fs::read_to_string(file.path()).ok()?;
        let is_whole = format != Format::Requirements || is_lock(&text) && !text.contains("-r ");
        is_whole.then(|| (format!("{name}/{lock}"), format, text))
    });
    locks.collect()
}

/// Where something of a package of others stands that decides what is installed.
fn places(lock: &Lockfile<'_>) -> Vec<(&'static str, Location)> {
    let mut places = Vec::new();
    for package in lock.third_party() {
        places.push(("name", package.name.at));
        places.extend(package.version.iter().map(|one| ("version", one.at)));
        if package.source.value != Source::Unstated {
            places.push(("source", package.source.at));
        }
        places.extend(package.marker.iter().map(|one| ("marker", one.at)));
        let forks = package.resolution_markers.iter();
        places.extend(forks.map(|one| ("fork", one.at)));
        places.extend(package.extras.iter().map(|one| ("extra", one.at)));
        let hashes = package.files.iter().flat_map(|file| &file.hashes);
        places.extend(hashes.chain(&package.hashes).map(|one| ("hash", one.at)));
        let urls = package.files.iter().filter_map(|file| file.url.as_ref());
        places.extend(urls.map(|one| ("address", one.at)));
        for edge in &package.dependencies {
            places.extend(edge.marker.iter().map(|one| ("marker of a need", one.at)));
            places.extend(edge.extras.iter().map(|one| ("extra of a need", one.at)));
        }
    }
    places
}

/// The text with the last letter or digit before the end of a place exchanged for another one.
fn changed(text: &str, at: Location) -> Option<String> {
    let (start, end) = (at.start as usize, at.end as usize);
    let inner = text.get(start..end)?;
    let offset = inner.rfind(|c: char| c.is_ascii_alphanumeric())?;
    let was = char::from(inner.as_bytes()[offset]);
    let now = match was {
        '9' => '1',
        'f' | 'F' | 'z' | 'Z' => 'b',
        other => char::from(u8::try_from(other).ok()? + 1),
    };
    let at = start + offset;
    Some(format!("{}{now}{}", &text[..at], &text[at + 1..]))
}

/// The size of a campaign.
fn cases() -> Option<usize> {
    std::env::var("LOCKGATE_CAMPAIGN").ok()?.parse().ok()
}

/// What a campaign did.
#[expect(clippy::print_stdout, reason = "the figures of a campaign")]
fn tell(number: usize, what: &str) {
    println!("{number} {what}");
}

#[test]
fn any_change_of_a_package_of_others_is_another_key() {
    let (mut made, mut read_locks) = (0, 0);
    for (name, format, text) in locks() {
        read_locks += 1;
        let own = digest(format, &text).unwrap_or_else(|| panic!("{name} cannot be read"));
        let mut sources = Sources::default();
        let file = sources.add("lock", text.clone().into_bytes()).unwrap();
        let reading = read(format, file, &sources);
        let places = places(reading.lockfile.as_ref().unwrap());
        assert!(places.len() > 4, "{name}: {} places", places.len());
        let step = places.len().div_ceil(cases().unwrap_or(40));
        for (what, at) in places.into_iter().step_by(step) {
            let Some(edited) = changed(&text, at) else {
                panic!("{name}: nothing to change in {what} {at:?}");
            };
            // What cannot be read has no key at all.
            assert_ne!(
                digest(format, &edited).as_ref(),
                Some(&own),
                "{name}: {what} on line {}: {}",
                sources.line(at),
                sources.text(at)
            );
            made += 1;
        }
    }
    tell(read_locks, "locks");
    tell(made, "changes of packages");
}

/// A lock with what stands at one `[[package]]` behind what stands at the next.
fn turned(text: &str, head: &str) -> String {
    let (front, rest) = text.split_at(text.find(head).unwrap());
    // Poetry and PDM have a table of their own behind the packages.
    let end = rest.find("\n[metadata]").map_or(rest.len(), |at| at + 1);
    let (packages, back) = rest.split_at(end);
    let mut packages: Vec<String> = packages
        .split(head)
        .skip(1)
        .map(|package| format!("{head}{}\n", package.trim_end()))
        .collect();
    assert!(packages.len() > 1, "{text}");
    packages.reverse();
    format!("{front}{}{back}", packages.join("\n"))
}

/// The text without each part that starts with a mark and goes on with what `is_part` says.
fn without(text: &str, mark: &str, is_part: fn(char) -> bool) -> String {
    let mut rest = text;
    let mut kept = String::new();
    while let Some((before, behind)) = rest.split_once(mark) {
        kept.push_str(before);
        rest = behind.trim_start_matches(is_part);
    }
    kept.push_str(rest);
    kept
}

/// Lines of lists of files turned round: those of one list stand together.
fn files_turned(text: &str, is_file: fn(&str) -> bool) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    for group in lines.chunk_by_mut(|left, right| is_file(left) && is_file(right)) {
        if group.iter().all(|line| is_file(line)) {
            group.reverse();
        }
    }
    lines.join("\n") + "\n"
}

/// What a tool or an editor may do to a lock without anything else being installed.
fn neutral(format: Format, text: &str) -> Vec<(&'static str, String)> {
    let is_file = |line: &str| {
        line.trim_start().starts_with("{ url") || line.trim_start().starts_with("{file =")
    };
    let mut edits = vec![("line ends", text.replace('\n', "\r\n"))];
    match format {
        Format::Uv | Format::UvScript => edits.extend([
            ("a comment", format!("# by hand\n{text}# the end\n")),
            ("order", turned(text, "[[package]]\n")),
            ("order of files", files_turned(text, is_file)),
            (
                "times",
                without(text, ", upload-time = ", |c| {
                    c.is_ascii_digit() || "\"-:.TZ".contains(c)
                }),
            ),
            ("sizes", without(text, ", size = ", |c| c.is_ascii_digit())),
            (
                "revision",
                without(text, "\nrevision = ", |c| c.is_ascii_digit()),
            ),
            ("indents", text.replace("    { ", "\t{   ")),
            (
                "Pythons",
                text.replacen("requires-python = \">=3", "requires-python = \">3", 1),
            ),
        ]),
        Format::Pylock => edits.extend([
            ("a comment", format!("# by hand\n{text}")),
            ("order", turned(text, "[[packages]]\n")),
            (
                "who made it",
                text.replace("created-by = \"uv\"", "created-by = \"somebody\""),
            ),
        ]),
        Format::Poetry | Format::Pdm => edits.extend([
            ("a comment", format!("# by hand\n{text}")),
            ("order", turned(text, "[[package]]\n")),
            ("order of files", files_turned(text, is_file)),
            ("who made it", text.replace("generated by", "written by")),
            (
                "the hash of the input",
                text.replacen("content-hash = \"", "content-hash = \"00", 1)
                    .replacen("content_hash = \"sha256:", "content_hash = \"sha256:00", 1),
            ),
            (
                "a description",
                text.replace("description = \"", "description = \"x ")
                    .replace("summary = \"", "summary = \"x "),
            ),
        ]),
        Format::Pipfile => {
            let value: serde_json::Value = serde_json::from_str(text).unwrap();
            edits.extend([
                ("indents", value.to_string()),
                (
                    "the hash of the input",
                    text.replacen("\"sha256\": \"", "\"sha256\": \"00", 1),
                ),
                (
                    "order of hashes",
                    files_turned(&text.replace("\"\n", "\",\n"), |line| {
                        line.trim_start().starts_with("\"sha256:")
                    })
                    .replace("\",\n                ]", "\"\n                ]"),
                ),
            ]);
            // Commas were put in above where JSON wants none.
            edits.retain(|(_, text)| serde_json::from_str::<serde_json::Value>(text).is_ok());
        }
        Format::Requirements => {
            let hashed =
                |line: &str| line.trim_start().starts_with("--hash=") && line.ends_with('\\');
            edits.extend([
                ("a comment", format!("# by hand\n{text}\n# the end\n")),
                (
                    "who asks",
                    text.lines()
                        .filter(|line| !line.trim_start().starts_with('#'))
                        .collect::<Vec<_>>()
                        .join("\n")
                        + "\n",
                ),
                ("order of hashes", files_turned(text, hashed)),
                ("indents", text.replace("    --hash", "      --hash")),
            ]);
        }
    }
    edits
}

#[test]
fn what_installs_nothing_else_keeps_the_key() {
    let mut made = 0;
    for (name, format, text) in locks() {
        let own = digest(format, &text);
        assert!(own.is_some(), "{name}");
        let mut others = 0;
        for (what, edited) in neutral(format, &text) {
            others += usize::from(edited != text);
            assert_eq!(digest(format, &edited), own, "{name}: {what}\n{edited}");
        }
        assert!(others >= 3, "{name}: {others} edits");
        made += others;
    }
    tell(made, "edits that install nothing else");
}

/// What the tool itself writes when only the project's own version and its words change, and when a package does.
#[test]
fn a_release_of_the_project_keeps_the_key_and_an_upgrade_does_not() {
    for lock in small_locks() {
        let (file, declared) = &lock.declared;
        let own = digest(lock.format, &lock.lock);
        let relocked = |declared: &str| {
            let folder = TempDir::new().unwrap();
            std::fs::write(folder.path().join(lock.name), &lock.lock).unwrap();
            std::fs::write(folder.path().join(file), declared).unwrap();
            digest(lock.format, &lock_in(folder.path(), lock.format))
        };
        let released = declared.replace(
            "version = \"0.1.0\"",
            "version = \"0.2.0\"\ndescription = \"A service\"",
        );
        // Those of the others take seconds, and are the same to us.
        if matches!(lock.format, Format::Uv | Format::Poetry | Format::Pdm) {
            assert_ne!(&released, declared);
            assert_eq!(relocked(&released), own, "{}", lock.name);
        }
        if matches!(
            lock.format,
            Format::Uv | Format::Pylock | Format::Requirements
        ) {
            let (_, version) = PINNED[0];
            let other = relocked(&declared.replace(version, "2.8.2"));
            assert!(other.is_some() && other != own, "{}", lock.name);
        }
    }
}
