use super::*;
use crate::lockfiles::{Reading, read};
use crate::model::lockfile::{FileKind, PylockKind, Source};

fn sources(text: &str) -> Sources {
    let mut sources = Sources::default();
    sources
        .add("pylock.toml", text.as_bytes().to_vec())
        .unwrap();
    sources
}

fn reading(sources: &Sources) -> Reading<'_> {
    read(
        Format::Pylock,
        sources.find("pylock.toml").unwrap(),
        sources,
    )
}

fn faults(text: &str) -> Vec<(FaultKind, u32)> {
    let sources = sources(text);
    let told = |fault: crate::lockfiles::Fault| (fault.kind, sources.line(fault.at));
    reading(&sources).faults.into_iter().map(told).collect()
}

const LOCK: &str = r#"lock-version = "1.0"
environments = ["sys_platform == 'linux'"]
requires-python = ">=3.11"
extras = ["speed"]
dependency-groups = ["dev"]
default-groups = ["dev"]
created-by = "pdm"

[[packages]]
name = "six"
version = "1.17.0"
marker = "python_version >= '3'"
index = "https://index.example/simple"
dependencies = [{ name = "other" }]
sdist = { url = "https://files.example/six-1.17.0.tar.gz", size = 3, upload-time = 2024-12-04T17:35:26Z, hashes = { sha256 = "ab" } }
wheels = [{ name = "six-1.17.0-py3-none-any.whl", path = "./six.whl", hashes = { sha512 = "cd" } }]

[[packages]]
name = "repo"
vcs = { type = "git", url = "https://h.example/r", requested-revision = "main", commit-id = "0123" }

[[packages]]
name = "here"
directory = { path = ".", editable = true }

[[packages]]
name = "archive"
archive = { url = "https://h.example/a.zip", hashes = { sha256 = "ef" } }

[tool.pdm.hashes]
sha256 = "0a"
"#;

#[test]
fn every_kind_is_read() {
    let sources = sources(LOCK);
    let reading = reading(&sources);
    assert_eq!(reading.faults, []);
    let lock = reading.lockfile.unwrap();
    assert_eq!(lock.generator.as_ref().unwrap().value, "pdm");
    assert_eq!(
        lock.pylock().unwrap().pdm_hash.as_ref().unwrap().value,
        "0a"
    );
    let kinds: Vec<_> = lock
        .packages
        .iter()
        .filter_map(|package| package.pylock)
        .collect();
    assert_eq!(
        kinds,
        [
            PylockKind::Distribution,
            PylockKind::Vcs,
            PylockKind::Directory,
            PylockKind::Archive
        ]
    );
    let six = &lock.packages[0];
    assert_eq!(
        six.source.value,
        Source::Registry("https://index.example/simple".into())
    );
    assert_eq!(six.files[0].kind, FileKind::Sdist);
    assert_eq!(
        six.files[0].upload_time.as_ref().unwrap().value,
        "2024-12-04T17:35:26Z"
    );
    assert!(six.files[1].is_path && six.files[1].name == "six-1.17.0-py3-none-any.whl");
    assert_eq!(six.files[1].hashes[0].algorithm, "sha512");
    assert_eq!(sources.text(six.files[1].hashes[0].at), "cd");
    assert_eq!(six.dependencies[0].name.normal, "other");
    assert_eq!(lock.packages[2].source.value, Source::Editable(".".into()));
    assert!(matches!(&lock.packages[3].source.value, Source::Url { .. }));
}

#[test]
fn each_broken_rule_of_the_specification_is_told_on_its_line() {
    for (from, to, kind, line) in [
        (
            "lock-version = \"1.0\"",
            "lock-version = \"2.0\"",
            FaultKind::UnknownVersion,
            1,
        ),
        (
            "lock-version = \"1.0\"",
            "lock-version = \"1.1\"",
            FaultKind::UnknownRevision,
            1,
        ),
        (
            "lock-version = \"1.0\"",
            "lock-version = 1",
            FaultKind::Syntax,
            1,
        ),
        ("lock-version = \"1.0\"", "x = 1", FaultKind::Syntax, 1),
        ("created-by = \"pdm\"", "", FaultKind::Syntax, 1),
        ("\">=3.11\"", "\"3.11 or so\"", FaultKind::Syntax, 3),
        ("[\"speed\"]", "[\"Speed_Up\"]", FaultKind::Syntax, 4),
        ("\"six\"", "\"Six\"", FaultKind::Syntax, 10),
        ("name = \"six\"\n", "", FaultKind::Syntax, 9),
        ("\"1.17.0\"", "\"one\"", FaultKind::Syntax, 11),
        ("2024-12-04T17:35:26Z", "\"2024\"", FaultKind::Syntax, 15),
        ("path = \"./six.whl\", ", "", FaultKind::Syntax, 16),
        ("size = 3", "size = \"3\"", FaultKind::Syntax, 15),
        ("type = \"git\", ", "", FaultKind::Syntax, 20),
        (", commit-id = \"0123\"", "", FaultKind::Syntax, 20),
        (
            "directory = { path = \".\", editable = true }",
            "",
            FaultKind::Syntax,
            23,
        ),
        ("path = \".\", ", "", FaultKind::Syntax, 24),
        (
            "editable = true }",
            "editable = true }\nvcs = { type = \"git\", path = \"x\", commit-id = \"0\" }",
            FaultKind::Syntax,
            25,
        ),
    ] {
        assert!(LOCK.contains(from), "{from}");
        let found = faults(&LOCK.replacen(from, to, 1));
        assert_eq!(found, [(kind, line)], "{to}");
    }
}
