use super::*;
use crate::lockfiles::{Reading, read};
use crate::model::lockfile::{FileKind, GitReference, Section, Source};
use crate::model::sources::Location;

fn sources(text: &str) -> Sources {
    let mut sources = Sources::default();
    sources.add("uv.lock", text.as_bytes().to_vec()).unwrap();
    sources
}

fn reading(sources: &Sources) -> Reading<'_> {
    read(Format::Uv, sources.find("uv.lock").unwrap(), sources)
}

fn show(sources: &Sources, at: Location) -> (u32, &str) {
    (sources.line(at), sources.text(at))
}

const LOCK: &str = r#"version = 1
revision = 3
requires-python = ">=3.11"
resolution-markers = [
    "python_full_version >= '3.12'",
    "python_full_version < '3.12'",
]
conflicts = [[
    { package = "app", extra = "cpu" },
    { package = "app", group = "gpu" },
]]

[options]
exclude-newer = "0001-01-01T00:00:00Z"
exclude-newer-span = "P3W"

[options.exclude-newer-package]
django = "2026-08-04T15:05:00Z"

[manifest]
members = ["app", "lib"]
constraints = [{ name = "urllib3", specifier = "<3" }]

[[package]]
name = "app"
version = "0.1.0"
source = { editable = "." }
dependencies = [
    { name = "requests", extra = ["socks"], marker = "sys_platform == 'linux'" },
]

[package.optional-dependencies]
cpu = [
    { name = "torch", version = "2.0", source = { registry = "https://t.example/cpu" } },
]

[package.dev-dependencies]
dev = [
    { name = "ruff" },
]

[package.metadata]
requires-dist = [
    { name = "requests", extras = ["socks"], marker = "sys_platform == 'linux'", specifier = ">=2" },
    { name = "torch", marker = "extra == 'cpu'", index = "https://t.example/cpu" },
]
provides-extras = ["cpu"]

[package.metadata.requires-dev]
dev = [{ name = "ruff", specifier = ">=0.1" }]

[[package]]
name = "requests"
version = "2.32.0"
source = { registry = "https://index.example/simple" }
sdist = { url = "https://f.example/requests-2.32.0.tar.gz", hash = "sha256:aa", size = 12, upload-time = "2026-01-01T00:00:00Z" }
wheels = [
    { url = "https://f.example/requests-2.32.0-py3-none-any.whl", hash = "sha256:bb" },
]

[[package]]
name = "tool"
version = "1.0"
source = { git = "https://g.example/tool?tag=v1&subdirectory=py%2Fx#0123456789abcdef0123456789abcdef01234567" }
"#;

#[test]
fn everything_that_uv_writes_is_read_with_its_place() {
    let sources = sources(LOCK);
    let reading = reading(&sources);
    assert_eq!(reading.faults, []);
    let lock = reading.lockfile.unwrap();
    let uv = lock.uv().unwrap();
    assert_eq!(uv.revision.unwrap().value, 3);
    assert_eq!(lock.resolution_markers.len(), 2);
    assert_eq!(uv.conflicts[0].value[1].group.as_deref(), Some("gpu"));
    assert_eq!(uv.options.exclude_newer_span.as_ref().unwrap().value, "P3W");
    assert_eq!(uv.options.exclude_newer_package[0].0.normal, "django");
    let manifest = &uv.manifest.as_ref().unwrap().value;
    assert_eq!(manifest.members[1].normal, "lib");
    let constraint = &manifest.constraints[0];
    assert_eq!(constraint.specifier.as_ref().unwrap().value, "<3");

    let [app, requests, tool] = &lock.packages[..] else {
        panic!("{:?}", lock.packages);
    };
    assert!(app.is_local() && !requests.is_local());
    let sections: Vec<_> = app
        .dependencies
        .iter()
        .map(|edge| (edge.section.clone(), &*edge.name.normal))
        .collect();
    assert_eq!(
        sections,
        [
            (Section::Dependencies, "requests"),
            (Section::Extra("cpu".into()), "torch"),
            (Section::Group("dev".into()), "ruff"),
        ]
    );
    assert_eq!(app.dependencies[0].extras[0].value, "socks");
    let metadata = app.metadata.as_ref().unwrap();
    assert_eq!(
        metadata.requires_dist[1].source.as_ref().unwrap().value,
        Source::Registry("https://t.example/cpu".into())
    );
    assert_eq!(metadata.requires_dev[0].0.value, "dev");

    let [sdist, wheel] = &requests.files[..] else {
        panic!("{:?}", requests.files);
    };
    assert_eq!((sdist.kind, sdist.size), (FileKind::Sdist, Some(12)));
    assert_eq!(wheel.name, "requests-2.32.0-py3-none-any.whl");
    assert_eq!(show(&sources, wheel.hashes[0].at), (58, "sha256:bb"));
    assert_eq!(show(&sources, requests.at), (52, "[[package]]"));
    assert_eq!(show(&sources, requests.name.at), (53, "\"requests\""));
    assert_eq!(
        tool.source.value,
        Source::Git {
            url: "https://g.example/tool".into(),
            reference: Some(GitReference::Tag("v1".into())),
            commit: Some("0123456789abcdef0123456789abcdef01234567".into()),
            subdirectory: Some("py/x".into()),
        }
    );
}

#[test]
fn what_cannot_be_read_is_a_fault_at_its_place() {
    for (text, line, kind, message) in [
        ("", 1, FaultKind::Syntax, "names no `version`"),
        ("version = 2\n", 1, FaultKind::UnknownVersion, "version 2"),
        (
            "version = 1\nrevision = 99\n",
            2,
            FaultKind::UnknownRevision,
            "revision 99",
        ),
        (
            "version = '1'\n",
            1,
            FaultKind::Syntax,
            "`version` must be a whole number, and is a text",
        ),
        (
            "version = 1\n[[package]]\nname = 3\n",
            3,
            FaultKind::Syntax,
            "`name` must be a text",
        ),
        (
            "version = 1\n[[package]]\nversion = \"1\"\n",
            2,
            FaultKind::Syntax,
            "no `name`",
        ),
        (
            "version = 1\npackage = [3]\n",
            2,
            FaultKind::Syntax,
            "must be a table",
        ),
        (
            "version = 1\n[[package]]\nname = \"a\"\n",
            3,
            FaultKind::Syntax,
            "names no `source`",
        ),
        (
            "version = 1\n[[package]]\nname = \"a",
            3,
            FaultKind::Truncated,
            "ends in the middle",
        ),
        (
            "version = 1\nx = \n",
            2,
            FaultKind::Syntax,
            "not valid TOML",
        ),
        (
            "version = 1\nversion = 1\n",
            2,
            FaultKind::Syntax,
            "duplicate key",
        ),
        (
            "version = 1\n\u{0}\n",
            2,
            FaultKind::Syntax,
            "not valid TOML",
        ),
        (
            "version = 1\n<<<<<<< HEAD\n=======\n>>>>>>> main\n",
            2,
            FaultKind::ConflictMarker,
            "merge conflict",
        ),
    ] {
        let sources = sources(text);
        let reading = reading(&sources);
        let fault = reading.faults.first().unwrap_or_else(|| panic!("{text}"));
        assert_eq!(
            (fault.kind, sources.line(fault.at)),
            (kind, line),
            "{fault:?}"
        );
        assert!(fault.message.contains(message), "{fault:?}");
        assert!(!fault.help.is_empty());
    }
}

#[test]
fn line_ends_marks_and_depth_are_no_danger() {
    for text in [LOCK.replace('\n', "\r\n"), format!("\u{feff}{LOCK}")] {
        let sources = sources(&text);
        let reading = reading(&sources);
        assert_eq!(reading.faults, []);
        assert_eq!(reading.lockfile.unwrap().packages.len(), 3);
    }
    for deep in ["[", "{a=", "{a.b=["] {
        let sources = sources(&format!("version = 1\nx = {}", deep.repeat(10_000)));
        assert!(!reading(&sources).faults.is_empty());
    }
    let mut sources = Sources::default();
    let utf16: Vec<u8> = LOCK.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let file = sources
        .add("uv.lock", [&[0xff, 0xfe][..], &utf16].concat())
        .unwrap();
    let reading = read(Format::Uv, file, &sources);
    assert!(reading.lockfile.is_none() && reading.faults[0].message.contains("UTF-16"));
}

#[test]
fn a_lock_that_is_cut_anywhere_is_read_or_refused() {
    for end in 0..LOCK.len() {
        let sources = sources(&LOCK[..end]);
        let reading = reading(&sources);
        assert!(
            reading.lockfile.is_some() || !reading.faults.is_empty(),
            "cut at {end}"
        );
    }
}

/// Written by uv itself.
#[test]
fn a_real_lock_is_read_whole_and_every_edge_leads_somewhere() {
    let sources = sources(include_str!("../../../examples/notes/uv.lock"));
    let reading = reading(&sources);
    assert_eq!(reading.faults, []);
    let lock = reading.lockfile.unwrap();
    let index = crate::lockfiles::facts::Index::new(&lock);
    assert!(lock.third_party().count() > 10);
    assert_eq!(
        lock.packages
            .iter()
            .filter(|package| package.is_local())
            .count(),
        1
    );
    for package in &lock.packages {
        for edge in &package.dependencies {
            assert!(index.targets(edge).next().is_some(), "{edge:?}");
        }
        let is_hashed = package.files.iter().all(|file| file.hashes.len() == 1);
        assert!(is_hashed && (package.is_local() || !package.files.is_empty()));
    }
    assert!(lock.uv().unwrap().unknown.is_empty());
}
