use std::fs;
use std::path::Path;

use super::*;
use crate::model::deploy::ReleaseFile;
use crate::system::environment::Environment;
use crate::system::masking::Secret;
use crate::system::stop::Stop;
use crate::targets::Progress;
use sha2::{Digest as _, Sha256};

#[derive(Debug)]
struct Silent;

impl Progress for Silent {
    fn sent(&self, _what: &str, _bytes: u64, _total: u64) {}
    fn done(&self, _change: &Change) {}
    fn retried(&self, _what: &str, _why: &str) {}
    fn conceal(&self, _secret: &Secret) {}
}

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn root(&self) -> std::path::PathBuf {
        self.folder.path().join("site")
    }

    fn local(&self, keep: usize) -> Local {
        Local {
            directory: self.root(),
            keep,
        }
    }

    fn release(&self, version: &str, files: &[(&str, &str)]) -> Release {
        let files = files.iter().enumerate().map(|(number, (name, content))| {
            let path = self
                .folder
                .path()
                .join(format!("{version}-{number}").replace('/', "_"));
            fs::write(&path, content).unwrap();
            ReleaseFile {
                name: (*name).into(),
                path,
                size: content.len() as u64,
                digest: Sha256::digest(content.as_bytes()).into(),
                executable: false,
            }
        });
        Release {
            version: Some(version.into()),
            files: files.collect(),
        }
    }
}

fn block<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(work)
}

/// What comes of a call with nobody around.
macro_rules! call {
    ($local:expr, $method:ident($($argument:expr),*)) => {{
        let environment = Environment::default();
        let access = Access { environment: &environment, stop: &Stop::never(), progress: &Silent };
        block($local.$method($($argument,)* &access))
    }};
}

fn standing(root: &Path) -> String {
    fs::read_to_string(root.join("current/a.txt")).unwrap()
}

/// The same of what waits for nothing.
macro_rules! now {
    ($local:expr, $method:ident($($argument:expr),*)) => {{
        let environment = Environment::default();
        let access = Access { environment: &environment, stop: &Stop::never(), progress: &Silent };
        $local.$method($($argument,)* &access)
    }};
}

#[test]
fn the_link_leads_to_what_was_deployed_and_back() {
    let place = Place::new();
    let local = place.local(5);
    assert_eq!(now!(local, current()).unwrap(), None);
    let one = place.release("1.0", &[("a.txt", "one"), ("b/c.txt", "c")]);
    let planned = call!(local, plan(&one)).unwrap();
    assert!(
        planned
            .iter()
            .all(|change| change.kind == ChangeKind::Create)
    );
    assert!(!place.root().exists(), "a plan touches nothing");
    let first = call!(local, apply(&one)).unwrap();
    assert_eq!(standing(&place.root()), "one");
    assert_eq!(first.now.digest, Some(one.digest()));
    let two = place.release("2.0", &[("a.txt", "two")]);
    let second = call!(local, apply(&two)).unwrap();
    assert_eq!(standing(&place.root()), "two");
    assert_eq!(
        second.previous.as_ref().map(|it| &it.reference),
        Some(&first.now.reference)
    );
    let back = call!(local, back(&first.now)).unwrap();
    assert_eq!(back.now.version.as_deref(), Some("1.0"));
    assert_eq!(standing(&place.root()), "one");
    assert_eq!(now!(local, current()).unwrap(), Some(first.now.clone()));
    // Who knows the digest alone finds it too.
    let by_digest = Standing {
        digest: Some(two.digest()),
        ..Standing::default()
    };
    assert_eq!(call!(local, back(&by_digest)).unwrap().now, second.now);
    call!(local, back(&first.now)).unwrap();
    // The same bytes again are not copied again.
    let again = call!(local, apply(&two)).unwrap();
    assert_eq!((again.sent, again.now), (0, second.now));
}

#[test]
fn only_so_many_versions_stay_and_nothing_of_others_is_removed() {
    let place = Place::new();
    let local = place.local(3);
    let mut first = None;
    for number in 0..6 {
        let release = place.release(&format!("{number}.0"), &[("a.txt", &number.to_string())]);
        let applied = call!(local, apply(&release)).unwrap();
        first.get_or_insert(applied.now);
        fs::create_dir_all(place.root().join("versions/mine")).unwrap();
        fs::write(place.root().join("notes.txt"), "mine").unwrap();
    }
    let versions = fs::read_dir(place.root().join("versions")).unwrap().count();
    assert_eq!(versions, 3 + 1);
    assert!(place.root().join("notes.txt").exists());
    let error = call!(local, back(&first.unwrap())).unwrap_err();
    assert!(error.message.contains("no version"), "{}", error.message);
    assert_eq!(standing(&place.root()), "5");
}

#[test]
fn what_lockgate_did_not_make_is_not_replaced() {
    let release = |place: &Place| place.release("1.0", &[("a.txt", "one")]);
    let place = Place::new();
    fs::create_dir_all(place.root().join("current")).unwrap();
    let error = call!(place.local(5), apply(&release(&place))).unwrap_err();
    assert!(error.message.contains("is no link"), "{}", error.message);
    let place = Place::new();
    fs::create_dir_all(place.root()).unwrap();
    std::os::unix::fs::symlink("/etc", place.root().join("current")).unwrap();
    let error = call!(place.local(5), apply(&release(&place))).unwrap_err();
    assert!(error.message.contains("did not make"), "{}", error.message);
    assert_eq!(
        fs::read_link(place.root().join("current")).unwrap(),
        Path::new("/etc")
    );
}

#[test]
fn bytes_that_changed_are_neither_deployed_nor_gone_back_to() {
    let place = Place::new();
    let local = place.local(5);
    let one = place.release("1.0", &[("a.txt", "one")]);
    let two = place.release("2.0", &[("a.txt", "two")]);
    let first = call!(local, apply(&one)).unwrap();
    fs::write(&two.files[0].path, "tow").unwrap();
    let error = call!(local, apply(&two)).unwrap_err();
    assert!(error.message.contains("no longer"), "{}", error.message);
    assert_eq!(standing(&place.root()), "one");
    let three = place.release("3.0", &[("a.txt", "three")]);
    call!(local, apply(&three)).unwrap();
    let old = place.root().join("versions").join(&first.now.reference);
    fs::write(old.join("a.txt"), "eno").unwrap();
    assert!(call!(local, back(&first.now)).is_err());
    // The release itself has its place beside what was changed.
    let again = call!(local, apply(&one)).unwrap();
    assert_ne!(again.now.reference, first.now.reference);
    assert_eq!(standing(&place.root()), "one");
}

#[test]
fn hostile_names_go_nowhere() {
    let place = Place::new();
    let local = place.local(5);
    for name in [
        "../x",
        "/etc/passwd",
        "a/../../x",
        "",
        "a//b",
        ".",
        "a\0b",
        "a\\..\\b",
        "a\nb",
    ] {
        let release = place.release("1.0", &[(name, "x")]);
        let error = call!(local, apply(&release)).unwrap_err();
        assert!(
            error.message.contains("no name"),
            "{name:?} {}",
            error.message
        );
    }
    for files in [&[("a", "1"), ("a", "2")], &[("a", "1"), ("a/b", "2")]] {
        assert!(call!(local, apply(&place.release("1.0", files))).is_err());
    }
    assert!(!place.root().exists());
    for version in ["../../x", "a/b", "\u{1b}[1m", "é"] {
        let release = place.release(version, &[("a.txt", version)]);
        let applied = call!(local, apply(&release)).unwrap();
        assert!(!applied.now.reference.contains(['/', '\u{1b}', 'é']));
        assert_eq!(standing(&place.root()), version);
    }
    let elsewhere = Standing {
        reference: "../../etc".into(),
        ..Standing::default()
    };
    assert!(call!(local, back(&elsewhere)).is_err());
}

#[test]
fn who_comes_second_is_told_so() {
    let place = Place::new();
    let local = place.local(5);
    let one = place.release("1.0", &[("a.txt", "one")]);
    call!(local, apply(&one)).unwrap();
    let layout = Layout::new(&place.root());
    let alone = layout.alone().unwrap();
    let error = call!(local, apply(&place.release("2.0", &[("a.txt", "two")]))).unwrap_err();
    assert!(
        error.message.contains("another deployment"),
        "{}",
        error.message
    );
    drop(alone);
    assert_eq!(standing(&place.root()), "one");
}
