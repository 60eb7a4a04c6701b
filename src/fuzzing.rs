//! One function a family of formats: reads any bytes as that format, and states what must hold whatever they are. The
//! tests drive them with mutations of the fixtures, `fuzz/` with libFuzzer. They panic where something does not hold.

use std::io::{BufReader, Cursor};
use std::num::NonZeroU32;
use std::path::Path;
use std::time::Duration;

#[cfg(unix)]
use crate::archive;
use crate::globs::{self, Base, Match, Patterns};
use crate::linters::json_stream::Limits;
use crate::linters::position::{SourceLines, locate, locate_exactly, locate_fix};
use crate::linters::{ExitStatus, Judgement, Tool, ToolRun, rdjson, sarif};
use crate::lockfiles::environment::{Asked, pins, requirements};
use crate::lockfiles::facts::{Before, Facts};
use crate::lockfiles::policy::{Level, Policy};
use crate::lockfiles::semantic::semantic;
use crate::lockfiles::workflow::{self, Refs, Remotes, WorkflowFacts};
use crate::lockfiles::{self, published, rules};
use crate::model::cache_key::{Components, Document, LIMIT, Python, explain};
use crate::model::diagnostic::RawFinding;
use crate::model::fix::{Applicability, Edit, Fix};
use crate::model::lockfile::Source;
use crate::model::region::{ColumnUnit, Point, Region, Span};
use crate::model::sources::{FileId, Sources};
use crate::packages::Package;
use crate::packages::metadata::Metadata;
use crate::pipeline::draw;
use crate::pipeline::graph::Graph;
use crate::pipeline::plan::plan;
use crate::pipeline::read::{Carrier, read as read_pipeline};
use crate::pipeline::schedule::{Durations, Limits as PipelineLimits};
use crate::pipeline::selection::{Facts as PipelineFacts, Request, select};
#[cfg(unix)]
use crate::system::stop::Stop;
use crate::system::{config, diff};

/// A source that places are settled against: all that is odd about lines, in few bytes.
const SOURCE: &[u8] =
    b"\xef\xbb\xbfx = 'e'\r\n\xc3\xa9\xf0\x9f\x98\x80 = 1\ry\n\xff\xe2\x82 z\n\nlast";

/// What native adapters print; the first byte is the exit code.
///
/// # Panics
/// Where a run that ended badly has a verdict, or a verdict and the findings disagree.
pub fn fuzz_tools(data: &[u8]) {
    let (code, output) = data
        .split_first()
        .map_or((0, data), |(code, rest)| (i32::from(*code), rest));
    let stderr = String::from_utf8_lossy(output.get(..200).unwrap_or(output));
    let source = SourceLines::new(SOURCE);
    for tool in Tool::ALL {
        let mut found = 0;
        let reading = tool.read(output, &mut |finding| {
            found += 1;
            check_finding(finding, &source);
        });
        let slowly = tool.read(BufReader::with_capacity(7, output), &mut |_| {});
        assert_eq!(reading, slowly, "{tool:?}: the size of the buffer shows");
        let statuses = [
            ExitStatus::Code(code % 4),
            ExitStatus::Code(code),
            ExitStatus::Code(-1),
        ];
        let endings = [ExitStatus::Signal(9), ExitStatus::TimedOut];
        for status in statuses.into_iter().chain(endings) {
            for stderr in ["", &stderr] {
                let run = ToolRun { status, stderr };
                let judgement = tool.conclude(&run, &reading);
                match &judgement {
                    Judgement::Clean { .. } => {
                        assert_eq!(found, 0, "{tool:?}: clean in spite of findings");
                    }
                    Judgement::Findings { count, .. } => assert_eq!(*count, found, "{tool:?}"),
                    Judgement::Empty { .. } | Judgement::Failed { .. } => continue,
                }
                assert!(
                    !endings.contains(&status) && status != ExitStatus::Code(-1),
                    "{tool:?}: {status:?} has a verdict"
                );
                assert!(
                    reading.fault.is_none(),
                    "{tool:?}: a verdict on unreadable output"
                );
            }
        }
        let run = ToolRun {
            status: ExitStatus::Code(code % 4),
            stderr: &stderr,
        };
        let _ = tool.judge_probe(&run, output);
        let _ = tool.confesses(&stderr);
    }
}

/// SARIF.
///
/// # Panics
/// Where buffers show, counts disagree, or a report without its last bracket can be read.
pub fn fuzz_sarif(data: &[u8]) {
    fuzz_report(data, &|input, limits, sink| {
        let summary = sarif::read_with(input, limits, sink).ok()?;
        let found: u64 = summary.runs.iter().map(|run| run.findings).sum();
        Some((found, sarif::judge_report(Some(0), &summary)))
    });
}

/// rdjson and rdjsonl.
///
/// # Panics
/// As [`fuzz_sarif`].
pub fn fuzz_rdjson(data: &[u8]) {
    fuzz_report(data, &|input, limits, sink| {
        let summary = rdjson::read_document(input, "tool", limits, sink).ok()?;
        Some((summary.findings, rdjson::judge_report(Some(0), &summary)))
    });
    fuzz_report(data, &|input, limits, sink| {
        let summary = rdjson::read_lines(input, "tool", limits, sink).ok()?;
        Some((summary.findings, rdjson::judge_report(Some(0), &summary)))
    });
}

type Sink<'s> = &'s mut dyn FnMut(&str, RawFinding);
type ReadReport<'r> =
    &'r dyn Fn(BufReader<Cursor<&[u8]>>, Limits, Sink<'_>) -> Option<(u64, Judgement)>;

fn fuzz_report(data: &[u8], read: ReadReport<'_>) {
    let source = SourceLines::new(SOURCE);
    let read = |data: &[u8], size: usize| {
        let limits = Limits {
            window: size,
            part: 1 << 20,
        };
        let mut sunk = 0_u64;
        let told = read(
            BufReader::with_capacity(size, Cursor::new(data)),
            limits,
            &mut |_, finding| {
                sunk += 1;
                check_finding(finding, &source);
            },
        );
        if let Some((found, judgement)) = &told {
            assert_eq!(*found, sunk, "findings and their number disagree");
            match judgement {
                Judgement::Clean { .. } => assert_eq!(sunk, 0, "clean in spite of findings"),
                Judgement::Findings { count, .. } => assert_eq!(*count, sunk),
                Judgement::Empty { .. } | Judgement::Failed { .. } => {}
            }
        }
        (told, sunk)
    };
    let whole = read(data, 1 << 16);
    assert_eq!(whole, read(data, 5), "the size of the buffer shows");
    let text = data.trim_ascii_end();
    if let (Some(_), Some((_, cut))) = (&whole.0, text.split_last()) {
        assert_eq!(
            read(cut, 1 << 16).0,
            None,
            "a report that is cut off can be read"
        );
    }
}

/// Archives. The first byte says whether the rest is one, or a tar stream that is made one with checksums that hold.
///
/// # Panics
/// Where something outside of the declared path changes, a refused archive leaves something, the size of reads shows, or
/// an archive unpacks that cannot be listed.
#[cfg(unix)]
pub fn fuzz_archive(data: &[u8]) {
    let Some((kind, rest)) = data.split_first() else {
        return;
    };
    let archive = if kind % 4 == 0 {
        rest.to_vec()
    } else {
        sealed(rest)
    };
    let limits = archive::Limits {
        entries: 500,
        bytes: 8 << 20,
        ratio: 1_000,
        any_ratio: 8 << 20,
    };
    let _ = archive::note::in_beginning(data);
    let progress = || archive::Progress::new(Stop::never());
    let listed = archive::list(archive.as_slice(), limits, &progress()).ok();
    let slowly = BufReader::with_capacity(3, archive.as_slice());
    let slowly = archive::list(slowly, limits, &progress()).ok();
    assert_eq!(listed, slowly, "the size of reads shows");
    let top = tempfile::tempdir().expect("a folder");
    let path = |name: &str| top.path().join(name);
    for folder in ["w/d", "outside"] {
        std::fs::create_dir_all(path(folder)).expect("a folder");
    }
    for file in ["w/d/old", "secret"] {
        std::fs::write(path(file), "old").expect("a file");
    }
    for (link, target) in [("w/d/out", "../../outside"), ("w/d/leak", "../../secret")] {
        std::os::unix::fs::symlink(target, path(link)).expect("a link");
    }
    let declared = [std::path::PathBuf::from("d")];
    let confinement = archive::Confinement::new(&path("w"), declared).limited(limits);
    let unpacked = archive::unpack(archive.as_slice(), &confinement, &progress());
    let names = |folder: &str| {
        let entries = std::fs::read_dir(path(folder)).expect("a folder").flatten();
        let mut names: Vec<_> = entries.map(|entry| entry.file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(
        names("."),
        ["outside", "secret", "w"],
        "something is beside"
    );
    assert!(names("outside").is_empty(), "something went through a link");
    let read = |file: &str| std::fs::read(path(file)).expect("a file");
    assert_eq!(read("secret"), b"old", "something went through a link");
    if unpacked.is_ok() {
        assert!(listed.is_some(), "unpacked, and cannot be listed");
        // The declared path itself may be another kind of thing now.
        assert!(names("w").iter().all(|name| name == "d"));
    } else {
        assert_eq!(names("w"), ["d"]);
        assert_eq!(
            names("w/d"),
            ["leak", "old", "out"],
            "a refused archive left something"
        );
        assert_eq!(read("w/d/old"), b"old");
    }
}

/// A tar stream as an archive, the checksum of each header made good.
#[cfg(unix)]
fn sealed(tar: &[u8]) -> Vec<u8> {
    let mut tar = tar.to_vec();
    for block in tar.as_chunks_mut::<512>().0 {
        let mut header = tar::Header::new_old();
        header.as_mut_bytes().copy_from_slice(block);
        if header.as_ustar().is_some() || header.as_gnu().is_some() {
            header.set_cksum();
            block.copy_from_slice(header.as_bytes());
        }
    }
    zstd::encode_all(tar.as_slice(), 1).unwrap_or_default()
}

/// `git diff`.
///
/// # Panics
/// Where a line that is cut off can be read, or ranges of lines are backwards.
pub fn fuzz_diff(data: &[u8]) {
    let Ok(change) = diff::parse(&mut &data[..]) else {
        return;
    };
    assert!(
        data.is_empty() || data.ends_with(b"\n"),
        "a diff that is cut off can be read"
    );
    for file in change.files.values() {
        for range in &file.added {
            assert!(range.start() <= range.end(), "{range:?}");
        }
    }
    let _ = change.line_count();
}

/// Places: the first bytes are a region and an edit, the rest is the file.
///
/// # Panics
/// Where a span is not in the file, or edits are not in order.
pub fn fuzz_position(data: &[u8]) {
    let mut data = data;
    let mut number = || {
        let Some((&[kind, value], rest)) = data.split_first_chunk::<2>() else {
            return 0;
        };
        data = rest;
        match kind % 8 {
            0 => u32::from(value) << 24,
            1 => u32::MAX - u32::from(value),
            2 => 256 + u32::from(value),
            _ => u32::from(value % 24),
        }
    };
    let numbers: [u32; 12] = std::array::from_fn(|_| number());
    let source = SourceLines::new(data);
    for unit in [
        ColumnUnit::CodePoint,
        ColumnUnit::Utf16,
        ColumnUnit::Byte,
        ColumnUnit::AsciiOnly,
        ColumnUnit::CodePointOffset,
        ColumnUnit::Utf16Offset,
        ColumnUnit::ByteOffset,
    ] {
        let edits = numbers.chunks_exact(4).filter_map(|four| match *four {
            [line, column, end_line, end_column] => Some(Region {
                line: NonZeroU32::new(line),
                column: Some(column),
                end_line: NonZeroU32::new(end_line),
                end_column: Some(end_column),
                unit,
            }),
            _ => None,
        });
        let edits: Vec<_> = edits
            .map(|place| Edit {
                place,
                text: "x".into(),
            })
            .collect();
        for edit in &edits {
            let place = edit.place;
            for region in [
                place,
                Region {
                    column: None,
                    ..place
                },
                Region {
                    end_column: None,
                    ..place
                },
                Region {
                    end_line: None,
                    end_column: None,
                    ..place
                },
            ] {
                if let (Some(span), _) = locate(&region, &source) {
                    check_span(&span, &source, false);
                }
                let _ = region.last_line();
            }
        }
        let fix = Fix {
            message: None,
            applicability: Applicability::Unsafe,
            edits,
        };
        check_fix(fix, &source);
    }
}

/// Lockfiles.
///
/// # Panics
/// Where a finding stands nowhere, or what is written for pip is read as something else.
pub fn fuzz_lockfile(data: &[u8]) {
    fuzz_model(data);
    fuzz_environment(data);
}

/// The hashed requirements of a lock are as many pins with hashes, and nothing else.
fn fuzz_environment(data: &[u8]) {
    let mut sources = Sources::default();
    let Some(file) = sources.add("lock", data.to_vec()) else {
        return;
    };
    let names = || ["dev", "main", "cli"].map(str::to_owned).into();
    let asked = Asked {
        extras: names(),
        groups: names(),
    };
    for format in lockfiles::Format::ALL {
        let mut reading = lockfiles::read(format, file, &sources);
        let Some(lock) = &mut reading.lockfile else {
            continue;
        };
        let digest = semantic(lock, &[], "lock");
        lock.packages.reverse();
        assert_eq!(semantic(lock, &[], "lock"), digest);
        lock.packages.reverse();
        let versions = pins(lock).versions_of("six");
        assert!(versions.iter().all(|version| !version.is_empty()));
        let Ok(list) = requirements(lock, &asked) else {
            continue;
        };
        let mut written = Sources::default();
        let Some(file) = written.add("requirements.txt", list.text.clone().into_bytes()) else {
            continue;
        };
        let reading = lockfiles::read(lockfiles::Format::Requirements, file, &written);
        let packages = reading.lockfile.iter().flat_map(|lock| &lock.packages);
        let pinned = packages.filter(|package| {
            let is_url = matches!(package.source.value, Source::Url { .. });
            let is_for_others = format == lockfiles::Format::Pipfile && package.marker.is_some();
            is_for_others || !package.hashes.is_empty() && (is_url || package.version.is_some())
        });
        let is_whole = reading.faults.is_empty() && pinned.count() == list.count;
        assert!(is_whole, "{}\n{:?}", list.text, reading.faults);
    }
}

/// Behind it stands what declares the lock.
pub const DECLARED: &[u8] = b"\n# ---- declared by ----\n";

/// The readers of the model, and every rule on what they read: the lock in front of [`DECLARED`], the declarations behind
/// it, and a base whose lock ends early.
fn fuzz_model(data: &[u8]) {
    let (lock, declared) = match memchr::memmem::find(data, DECLARED) {
        Some(at) => (
            data.get(..at).unwrap_or_default(),
            data.get(at + DECLARED.len()..).unwrap_or_default(),
        ),
        None => (data, &b""[..]),
    };
    let cut = lock.get(..lock.len() / 2).unwrap_or_default();
    let policy = Policy {
        levels: rules::all().map(|rule| (rule.id, Level::Warning)).collect(),
        platforms: vec!["linux-x86_64".to_owned()],
        pythons: vec!["3.12".to_owned()],
        min_age: Some(Duration::from_hours(24)),
        ..Policy::default()
    };
    for format in lockfiles::Format::ALL {
        let (Some(now), Some(before)) = (fuzz_files(lock, declared), fuzz_files(cut, declared))
        else {
            return;
        };
        let ((sources, file, project), (old, old_file, old_project)) = (&now, &before);
        let reading = lockfiles::read(format, *file, sources);
        assert!(reading.lockfile.is_some() || !reading.faults.is_empty());
        let reading_before = lockfiles::read(format, *old_file, old);
        let read_declared = |file, sources| match format {
            lockfiles::Format::UvScript => lockfiles::declared::read_script(file, sources),
            _ => lockfiles::declared::read(file, sources),
        };
        let declared = read_declared(*project, sources).declarations;
        let declared_before = read_declared(*old_project, old).declarations;
        let facts = reading.lockfile.as_ref().map(|lock| Facts {
            declared: declared.as_ref(),
            base: Some(Before {
                sources: old,
                lock: reading_before.lockfile.as_ref(),
                declared: declared_before.as_ref(),
            }),
            ..Facts::of_lock(sources, lock, &policy)
        });
        for finding in rules::judge(&reading, facts.as_ref(), &policy) {
            let (start, end) = (finding.at.start as usize, finding.at.end as usize);
            let length = sources.bytes(finding.at.file).len();
            assert!(start <= end && start <= length, "{finding:?}");
        }
    }
}

/// A lock, and what declares it under every name that declarations have.
fn fuzz_files(lock: &[u8], declared: &[u8]) -> Option<(Sources, FileId, FileId)> {
    let mut sources = Sources::default();
    let file = sources.add("lock", lock.to_vec())?;
    let project = sources.add("pyproject.toml", declared.to_vec())?;
    for name in ["Pipfile", "requirements.in", "lib/pyproject.toml"] {
        sources.add(name, declared.to_vec())?;
    }
    Some((sources, file, project))
}

/// What indexes and repositories of actions answer, and the workflows that use those.
///
/// # Panics
/// Where a page in HTML is one without a file, or a finding stands outside of its workflow.
pub fn fuzz_answers(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(page) = published::read(data) {
        let is_json = text.trim_start_matches('\u{feff}').trim_start();
        assert!(is_json.starts_with('{') || !page.files.is_empty());
    }
    let refs = Refs::read(&text);
    let mut sources = Sources::default();
    let Some(file) = sources.add(".github/workflows/ci.yml", data.to_vec()) else {
        return;
    };
    let Ok(workflow) = workflow::read(file, &sources) else {
        return;
    };
    let pins = workflow.used.iter().filter_map(|used| used.pin());
    let repositories = pins.map(|(remote, _)| {
        let name = remote.repository.to_ascii_lowercase();
        (name, Ok(refs.clone()))
    });
    let remotes = Remotes {
        repositories: repositories.collect(),
        ..Remotes::default()
    };
    let workflows = [workflow];
    let facts = WorkflowFacts {
        before: Some(&workflows),
        remotes: Some(&remotes),
        ..WorkflowFacts::of(&sources, &workflows)
    };
    for finding in rules::judge_workflows(&facts, &Policy::default()) {
        let (start, end) = (finding.at.start as usize, finding.at.end as usize);
        assert!(start <= end && end <= data.len(), "{finding:?}");
    }
}

/// The configuration file, in each of its formats.
///
/// # Panics
/// Where a value stands nowhere.
pub fn fuzz_configuration(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let root = Path::new("/w");
    for name in config::NAMES {
        let read = config::load_from(root, root, &["lint-gate"], &|path| {
            Ok(path.ends_with(name).then(|| text.clone().into_owned()))
        });
        match read {
            Ok(config) => {
                for value in config.steps.values().flat_map(|table| table.values()) {
                    assert!(value.place.line > 0 && value.place.column > 0, "{value:?}");
                }
            }
            Err(error) => assert!(!error.render().is_empty()),
        }
    }
    fuzz_key(data, &text);
}

/// The definition of a pipeline, in each of its carriers: a mistake stands somewhere, and what is none can be planned.
///
/// # Panics
/// Where a refused definition has no mistake, a mistake no text, or a plan leaves a stage out of its list.
pub fn fuzz_pipeline(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for carrier in [Carrier::Toml, Carrier::Yaml] {
        let read = read_pipeline(&text, "f", carrier, &["lint-gate"]);
        let checked = read.and_then(|pipeline| Ok((Graph::of(&pipeline)?, pipeline)));
        let (graph, pipeline) = match checked {
            Ok(checked) => checked,
            Err(mistakes) => {
                assert!(!mistakes.is_empty());
                for mistake in mistakes {
                    assert!(!mistake.render().is_empty());
                }
                continue;
            }
        };
        let facts = PipelineFacts {
            changed: Some(vec!["src/a".to_owned()]),
            ..PipelineFacts::default()
        };
        let choices = select(&pipeline, &graph, &Request::default(), &facts).unwrap_or_default();
        let limits = PipelineLimits {
            cores: 2,
            memory: Some(1 << 30),
            keep_going: false,
        };
        let plan = plan(&pipeline, &graph, &choices, &Durations::new(), limits);
        assert_eq!(plan.stages.len(), pipeline.stages.len());
        let drawings = [
            draw::mermaid(&pipeline, &graph),
            draw::dot(&pipeline, &graph),
        ];
        assert!(drawings.iter().all(|drawing| drawing.ends_with('\n')));
    }
}

/// Keys of any values are such as the service takes, and documents of components say in a few lines what differs.
fn fuzz_key(data: &[u8], text: &str) {
    let value = || Some(text.to_owned());
    let components = Components {
        prefix: value(),
        suffix: value(),
        extra: [(text.to_owned(), text.to_owned())].into(),
        os: text.to_owned(),
        python: Python::parse(text),
        ..Components::default()
    };
    for key in components
        .restore_keys()
        .into_iter()
        .chain([components.key()])
    {
        let is_taken = key.len() <= LIMIT && key.bytes().all(|byte| byte.is_ascii_graphic());
        assert!(is_taken && !key.contains(','), "{key}");
    }
    if let Ok(document) = Document::parse(data) {
        assert!(explain(&document.components, &components, 10).len() <= 10);
    }
}

fn check_finding(finding: RawFinding, source: &SourceLines<'_>) {
    if let (Some(span), _) = locate(&finding.region, source) {
        check_span(&span, source, false);
    }
    if let Some(fix) = finding.fix {
        assert!(!fix.edits.is_empty(), "a fix that changes nothing");
        check_fix(fix, source);
    }
}

fn check_fix(fix: Fix<Region>, source: &SourceLines<'_>) {
    for edit in &fix.edits {
        if let Some(span) = locate_exactly(&edit.place, source) {
            check_span(&span, source, true);
        }
    }
    let count = fix.edits.len();
    let Some(fix) = locate_fix(fix, source) else {
        return;
    };
    assert_eq!(fix.edits.len(), count, "half of a fix");
    for pair in fix.edits.windows(2) {
        if let [left, right] = pair {
            assert!(
                left.place.end <= right.place.start,
                "edits are not in order"
            );
        }
    }
}

/// A span is in the file, and its columns are those of its bytes.
fn check_span(span: &Span, source: &SourceLines<'_>, is_edit: bool) {
    assert!(span.start <= span.end, "{span:?} is backwards");
    for point in [span.start, span.end] {
        check_point(point, source, is_edit);
    }
}

fn check_point(point: Point, source: &SourceLines<'_>, is_edit: bool) {
    assert_eq!(point.byte.is_some(), point.column.is_some(), "{point:?}");
    assert!(point.byte.is_some() || !is_edit, "an edit without a column");
    let Some(line) = source.line(point.line) else {
        // An edit may take the last line break away.
        let is_end = is_edit && point.line == source.count() + 1 && point.byte == Some(0);
        assert!(is_end, "{point:?} is not in the file");
        return;
    };
    let Some(byte) = point.byte else {
        return;
    };
    let before = line.get(..byte as usize);
    let column = before.map(|before| {
        let characters = before
            .utf8_chunks()
            .map(|chunk| chunk.valid().chars().count() + chunk.invalid().len());
        characters.sum::<usize>() + 1
    });
    assert_eq!(
        column,
        point.column.map(|column| column as usize),
        "{point:?} is not in its line"
    );
}

/// Patterns of files, one a line; each line is a path as well.
///
/// # Panics
/// Where what takes everything away leaves something, what adds everything does not, or something matches that no walk
/// would come upon.
pub fn fuzz_globs(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let base = Base {
        directory: "/w/[a] *\\",
        home: Some("/h"),
    };
    let read = |text: &str| Patterns::parse(text, &base);
    let Ok(patterns) = read(&text) else {
        return;
    };
    let rest =
        |line: &str| read(&format!("{text}\n{line}")).expect("one that can be read is added");
    let (none, all) = (rest("!/**"), rest("/**"));
    let roots = patterns.search_roots();
    assert_eq!(roots.is_empty(), !patterns.adds(), "{roots:?}");
    for line in text.lines().take(20) {
        let path = format!("/w/[a] *\\/{line}");
        let parts = globs::parts(&path);
        if parts.iter().any(|part| matches!(*part, "." | "..")) {
            continue;
        }
        let matched = patterns.matches(&parts);
        assert!(!matched.file || matched.folder, "{path}");
        assert_eq!(none.matches(&parts), Match::NONE, "{path}");
        assert_eq!(all.matches(&parts), Match::ALL, "{path}");
        assert!(patterns.adds() || matched == Match::NONE, "{path}");
        if matched.file {
            let mut added = patterns.added();
            assert!(
                added.any(|(number, _)| patterns.one_matches(number, &parts)),
                "{path}"
            );
            let above = parts.split_last().map_or(&parts[..], |(_, above)| above);
            let is_root = roots.iter().any(|root| globs::parts(root) == parts);
            assert!(is_root || patterns.may_match_below(above), "{path}");
        }
    }
}

/// Distribution files: the first byte says whether it is read as a wheel or as a source distribution.
///
/// # Panics
/// Where what is read has another name or version than its file, or a reason shows what is no text.
pub fn fuzz_packages(data: &[u8]) {
    let Some((first, content)) = data.split_first() else {
        return;
    };
    let _ = Metadata::parse(content);
    let name = ["acme_app-1.2.0-py3-none-any.whl", "acme_app-1.2.0.tar.gz"][usize::from(first % 2)];
    match Package::read(name, Cursor::new(content)) {
        Ok(package) => {
            assert_eq!(package.normal_name(), "acme-app");
            assert!(package.version().is_some());
        }
        Err(error) => {
            let text = error.render();
            assert!(text.len() < 4096, "{text}");
            assert!(
                !text
                    .chars()
                    .any(|sign| sign.is_control() && !matches!(sign, '\n' | '\t')),
                "{text:?}"
            );
        }
    }
}

/// Reads any bytes.
pub type Check = fn(&[u8]);

/// The functions by name.
pub const FAMILIES: &[(&str, Check)] = &[
    ("tools", fuzz_tools),
    ("sarif", fuzz_sarif),
    ("rdjson", fuzz_rdjson),
    ("diff", fuzz_diff),
    ("position", fuzz_position),
    ("lockfile", fuzz_lockfile),
    ("answers", fuzz_answers),
    ("configuration", fuzz_configuration),
    ("pipeline", fuzz_pipeline),
    #[cfg(unix)]
    ("archive", fuzz_archive),
    ("globs", fuzz_globs),
    ("packages", fuzz_packages),
];
