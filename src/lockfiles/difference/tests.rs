use super::*;
use crate::lockfiles::read;
use crate::model::lockfile::{Format, Lockfile};
use crate::model::sources::Sources;

fn package(name: &str, version: &str, source: &str, hash: &str) -> String {
    format!(
        "\n[[package]]\nname = \"{name}\"\nversion = \"{version}\"\nsource = {{ {source} }}\nwheels = [\n    {{ url = \"https://files.example/{name}-{version}-py3-none-any.whl\", hash = \"sha256:{hash}\" }},\n]\n"
    )
}

const INDEX: &str = "registry = \"https://index.example/simple\"";

fn with_both<T>(
    before: &str,
    after: &str,
    look: impl FnOnce(&Lockfile<'_>, &Lockfile<'_>) -> T,
) -> T {
    let mut sources = Sources::default();
    let mut add = |text: &str| {
        let text = format!("version = 1\nrevision = 3\nrequires-python = \">=3.11\"\n{text}");
        sources.add("uv.lock", text.into_bytes()).unwrap()
    };
    let (before, after) = (add(before), add(after));
    let before = read(Format::Uv, before, &sources).lockfile.unwrap();
    let after = read(Format::Uv, after, &sources).lockfile.unwrap();
    look(&before, &after)
}

fn kinds(before: &str, after: &str) -> Vec<(String, String)> {
    with_both(before, after, |before, after| {
        changes(before, after)
            .iter()
            .map(|change| (change.name().to_owned(), change.kind.describe()))
            .collect()
    })
}

#[test]
fn packages_are_paired_by_version_and_the_latest_with_the_latest() {
    let before = ["1.0", "2.0"]
        .map(|version| package("a", version, INDEX, "00"))
        .concat()
        + &package("gone", "1", INDEX, "00");
    let after = ["2.1", "1.0", "3.0"]
        .map(|version| package("a", version, INDEX, "00"))
        .concat()
        + &package("come", "1", INDEX, "00");
    let found = kinds(&before, &after);
    let found: Vec<(&str, &str)> = found
        .iter()
        .map(|(name, kind)| (&**name, &**kind))
        .collect();
    assert_eq!(
        found,
        [
            ("a", "upgraded, minor"),
            ("a", "added"),
            ("come", "added"),
            ("gone", "removed"),
        ]
    );
}

#[test]
fn a_commit_and_a_source_that_moved_are_told_apart() {
    let git = |commit: &str| {
        format!(
            "\n[[package]]\nname = \"a\"\nversion = \"1.0\"\nsource = {{ git = \"https://git.example/a?rev=main#{commit}\" }}\n"
        )
    };
    let (one, two) = ("1".repeat(40), "2".repeat(40));
    assert_eq!(kinds(&git(&one), &git(&two))[0].1, "another commit");
    assert!(kinds(&git(&one), &git(&one)).is_empty());
    let indexed = package("a", "1.0", INDEX, "00");
    assert_eq!(kinds(&indexed, &git(&one))[0].1, "from elsewhere");
    with_both(&indexed, &git(&one), |before, after| {
        assert_eq!(source_changes(before, after).len(), 1);
        assert_eq!(new_origins(before, after).len(), 1);
    });
    // Another spelling of the same index is the same index.
    let slash = package(
        "a",
        "1.0",
        "registry = \"https://index.example/simple/\"",
        "00",
    );
    assert!(kinds(&indexed, &slash).is_empty());
    let mirror = package(
        "a",
        "1.0",
        "registry = \"https://mirror.example/simple\"",
        "00",
    );
    with_both(&indexed, &mirror, |before, after| {
        assert!(source_changes(before, after).is_empty());
        assert_eq!(moved(before, after).len(), 1);
    });
}

#[test]
fn another_spelling_of_the_version_hides_no_hash() {
    let before = package("a", "1.0", INDEX, "00");
    let after =
        package("a", "1.0", INDEX, "01").replace("version = \"1.0\"", "version = \"1.0.0\"");
    with_both(&before, &after, |before, after| {
        let found = hash_changes(before, after);
        assert!(
            matches!(
                found.as_slice(),
                [HashChange {
                    was: Was::Digest(_),
                    ..
                }]
            ),
            "{found:?}"
        );
    });
    for (hash, expected) in [("hash = \"md5:00\"", "Algorithm"), ("size = 1", "Hashed")] {
        let other = before.replace("hash = \"sha256:00\"", hash);
        with_both(&before, &other, |before, after| {
            let found = hash_changes(before, after);
            let was = found.first().map(|change| format!("{:?}", change.was));
            assert!(
                was.is_some_and(|was| was.starts_with(expected)),
                "{found:?}"
            );
        });
    }
    // A file that is only new, and a hash that is only new, are no alarm.
    let bare = before.replace("hash = \"sha256:00\"", "size = 1");
    with_both(&bare, &before, |before, after| {
        assert!(hash_changes(before, after).is_empty());
    });
}

#[test]
fn a_thousand_entries_of_one_name_take_no_time() {
    let many = |offset: u32| -> String {
        (0..1_000)
            .map(|number| package("a", &format!("{}.0", number + offset), INDEX, "00"))
            .collect()
    };
    assert_eq!(kinds(&many(0), &many(1_000)).len(), 1_000);
}
