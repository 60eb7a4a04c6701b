use super::*;
use crate::lockfiles::{Reading, read};
use crate::model::lockfile::Source;

fn sources(text: &str) -> Sources {
    let mut sources = Sources::default();
    sources
        .add("Pipfile.lock", text.as_bytes().to_vec())
        .unwrap();
    sources
}

fn reading(sources: &Sources) -> Reading<'_> {
    read(
        Format::Pipfile,
        sources.find("Pipfile.lock").unwrap(),
        sources,
    )
}

const LOCK: &str = r#"{
    "_meta": {
        "hash": {
            "sha256": "ab"
        },
        "pipfile-spec": 6,
        "requires": {
            "python_version": "3.11"
        },
        "sources": [
            {
                "name": "main",
                "url": "https://index.example/simple",
                "verify_ssl": true
            }
        ]
    },
    "default": {
        "six": {
            "hashes": [
                "sha256:4721",
                "sha256:ff70"
            ],
            "index": "main",
            "markers": "python_version >= '2.7'",
            "version": "==1.17.0"
        },
        "repo": {
            "git": "https://h.example/r",
            "ref": "0123456789012345678901234567890123456789"
        },
        "here": {
            "editable": true,
            "path": "."
        }
    },
    "develop": {
        "six": {
            "hashes": [
                "sha256:4721",
                "sha256:ff70"
            ],
            "index": "main",
            "markers": "python_version >= '2.7'",
            "version": "==1.17.0"
        },
        "open": {
            "version": "*"
        }
    }
}
"#;

#[test]
fn a_lock_is_read_whole_with_places() {
    let sources = sources(LOCK);
    let reading = reading(&sources);
    assert_eq!(reading.faults, []);
    let lock = reading.lockfile.unwrap();
    let own = lock.pipfile().unwrap();
    assert_eq!(own.sources[0].name, "main");
    assert_eq!(own.requires[0].1.value, "3.11");
    let hash = lock.content_hash.as_ref().unwrap();
    assert_eq!((sources.line(hash.at), sources.text(hash.at)), (4, "ab"));
    let [six, repo, here, open] = lock.packages.as_slice() else {
        panic!("{:?}", lock.packages)
    };
    assert_eq!(six.title(), "six 1.17.0");
    let version = six.version.as_ref().unwrap();
    assert_eq!(
        (sources.line(version.at), sources.text(version.at)),
        (26, "1.17.0")
    );
    assert_eq!(six.hashes[1].digest, "ff70");
    assert_eq!(six.source.value, Source::Registry("main".into()));
    let groups: Vec<&str> = six.groups.iter().map(|group| &*group.value).collect();
    assert_eq!(groups, ["default", "develop"]);
    assert!(matches!(
        &repo.source.value,
        Source::Git {
            commit: Some(_),
            ..
        }
    ));
    assert_eq!(here.source.value, Source::Editable(".".into()));
    assert!(open.version.is_none());
}

#[test]
fn what_is_wrong_is_told_on_its_line() {
    for (from, to, kind, line) in [
        (
            "\"pipfile-spec\": 6",
            "\"pipfile-spec\": 7",
            FaultKind::UnknownVersion,
            6,
        ),
        ("\"sha256\": \"ab\"", "\"x\": 1", FaultKind::Syntax, 2),
        ("\"==1.17.0\"", "3", FaultKind::Syntax, 26),
        ("\"sha256:4721\",", "\"sha256:4721\"", FaultKind::Syntax, 22),
        (
            "\"url\": \"https://index.example/simple\",",
            "",
            FaultKind::Syntax,
            11,
        ),
    ] {
        assert!(LOCK.contains(from), "{from}");
        let sources = sources(&LOCK.replacen(from, to, 1));
        let faults = reading(&sources).faults;
        let found: Vec<_> = faults
            .iter()
            .map(|fault| (fault.kind, sources.line(fault.at)))
            .collect();
        assert_eq!(found, [(kind, line)], "{to}");
    }
    let sources = sources(&LOCK[..LOCK.len() / 2]);
    assert_eq!(reading(&sources).faults[0].kind, FaultKind::Truncated);
}
