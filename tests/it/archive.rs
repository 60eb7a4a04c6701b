//! Archives round trip, and read by GNU tar and zstd, whose archives we read: the command lines are those of the official
//! cache client.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::Cursor;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use lockgate::archive::{
    Confinement, Fault, Kind, Level, Limits, PackOptions, Packed, Progress, Reason, Sources,
    Unpacked, Verified, list, pack, unpack,
};
use lockgate::system::stop::Stop;

use crate::support::archives::{sh, tree};

fn progress() -> Progress {
    Progress::new(Stop::never())
}

fn packed(workspace: &Path, paths: &[&str], options: &PackOptions) -> (Vec<u8>, Packed) {
    let paths: Vec<PathBuf> = paths.iter().map(PathBuf::from).collect();
    let sources = Sources {
        workspace,
        paths: &paths,
        excluded: &[],
        confinement: None,
    };
    let mut archive = Vec::new();
    let packed = pack(&sources, &mut archive, options, &progress()).unwrap();
    assert_eq!(packed.archive_bytes, archive.len() as u64);
    (archive, packed)
}

fn unpacked(archive: &[u8], workspace: &Path, declared: &[&str]) -> Result<Unpacked, Fault> {
    let confinement = Confinement::new(workspace, declared.iter().map(PathBuf::from));
    unpack(Cursor::new(archive), &confinement, &progress())
}

/// A tree with all that is odd: `w` is the workspace, `cache` lies beside it.
fn sample(top: &Path) -> PathBuf {
    let workspace = top.join("a/w");
    let cache = top.join("cache/uv");
    fs::create_dir_all(workspace.join("d/deep/er")).unwrap();
    fs::create_dir_all(cache.join("archive-v0/x")).unwrap();
    fs::write(workspace.join("d/one"), "1\n").unwrap();
    fs::write(workspace.join("d/empty"), "").unwrap();
    fs::write(workspace.join("d/deep/er/script"), "#!/bin/sh\n").unwrap();
    fs::set_permissions(
        workspace.join("d/deep/er/script"),
        fs::Permissions::from_mode(0o751),
    )
    .unwrap();
    fs::hard_link(workspace.join("d/one"), workspace.join("d/two")).unwrap();
    symlink("../d/one", workspace.join("d/link")).unwrap();
    symlink("nowhere", workspace.join("d/broken")).unwrap();
    symlink("loop", workspace.join("d/loop")).unwrap();
    fs::write(
        workspace
            .join("d")
            .join(format!("long-{}", "n".repeat(200))),
        "long",
    )
    .unwrap();
    let odd = OsStr::from_bytes(b"odd\xff\xfe\n");
    fs::write(workspace.join("d").join(odd), "odd").unwrap();
    let large: Vec<u8> = (0..9_500_001_u32)
        .map(|at| at.wrapping_mul(2_654_435_761).to_be_bytes()[1])
        .collect();
    fs::write(cache.join("archive-v0/x/large.so"), large).unwrap();
    fs::hard_link(
        cache.join("archive-v0/x/large.so"),
        cache.join("archive-v0/x/other.so"),
    )
    .unwrap();
    symlink(cache.join("archive-v0"), cache.join("absolute")).unwrap();
    fs::set_permissions(
        cache.join("archive-v0/x"),
        fs::Permissions::from_mode(0o555),
    )
    .unwrap();
    for (path, seconds) in [("d/one", 1_000_000_000), ("d/deep", 1), ("d/empty", -5)] {
        touch(&workspace.join(path), seconds, 123_456_789);
    }
    workspace
}

fn touch(path: &Path, seconds: i64, nanoseconds: u32) {
    let text = format!("@{seconds}.{nanoseconds:09}");
    sh(
        path.parent().unwrap(),
        &format!("touch -h -d '{text}' '{}'", path.display()),
    );
}

const SAVED: &[&str] = &["d", "../../cache/uv"];

#[test]
fn a_tree_comes_back_as_it_was() {
    let top = tempfile::tempdir().unwrap();
    let workspace = sample(top.path());
    let (archive, packed) = packed(&workspace, SAVED, &PackOptions::default());
    assert_eq!(packed.left_out, []);
    let before = tree(&top.path().join("cache"));
    let files = tree(&workspace.join("d"));
    let other = tempfile::tempdir().unwrap();
    let there = other.path().join("a/w");
    fs::create_dir_all(&there).unwrap();
    // A link to an absolute place leads out elsewhere.
    let fault = unpacked(&archive, &there, SAVED).unwrap_err();
    assert!(matches!(fault, Fault::Refused { .. }), "{fault}");
    assert_eq!(tree(other.path()).len(), 3);
    sh(top.path(), "chmod -R u+w cache a; rm -r cache a/w/d");
    for _ in 0..2 {
        let found = unpacked(&archive, &workspace, SAVED).unwrap();
        assert_eq!(found.verified, Verified::Inventory);
        assert_eq!(found.entries, packed.entries);
        assert_eq!(found.content_bytes, packed.content_bytes);
        assert_eq!(tree(&workspace.join("d")), files);
        let after = tree(&top.path().join("cache"));
        assert_eq!(after.get(Path::new("uv")), before.get(Path::new("uv")));
        assert_eq!(
            after.into_iter().skip(1).collect::<Vec<_>>(),
            before.clone().into_iter().skip(1).collect::<Vec<_>>()
        );
    }
}

#[test]
fn what_lies_behind_links_of_the_user_comes_back_and_what_leads_out_is_not_kept() {
    let top = tempfile::tempdir().unwrap();
    sh(
        top.path(),
        "mkdir -p w/d real/archive-v0/x real/wheels && ln -s real home && ln -s real/archive-v0 bucket
         echo x >real/archive-v0/x/f && ln -s ../archive-v0/x real/wheels/six
         ln -s /usr w/d/usr && ln -s ../../nope w/d/nope && ln -s /bin/sh w/d/sh && ln -s inner w/d/in
         mkdir far && ln -s ../far w/.venv",
    );
    let workspace = top.path().join("w");
    let declared = [
        "d",
        ".venv",
        "../home/wheels",
        "../home/archive-v0",
        "../bucket",
    ]
    .map(PathBuf::from);
    let confinement = Confinement::new(&workspace, declared.clone());
    let sources = Sources {
        workspace: &workspace,
        paths: &declared,
        excluded: &[],
        confinement: Some(&confinement),
    };
    let mut archive = Vec::new();
    let packed = pack(&sources, &mut archive, &PackOptions::default(), &progress()).unwrap();
    let mut left_out: Vec<_> = packed.left_out.iter().map(|one| one.path.clone()).collect();
    left_out.sort();
    assert_eq!(
        left_out,
        [".venv", "d/nope", "d/usr"].map(|path| workspace.join(path))
    );
    assert!(
        packed
            .left_out
            .iter()
            .all(|one| one.reason == Reason::LeadsOut)
    );
    sh(top.path(), "rm -r w/d real/*; mkdir real/archive-v0");
    unpack(Cursor::new(&archive), &confinement, &progress()).unwrap();
    for path in ["real/wheels/six/f", "real/archive-v0/x/f", "bucket/x/f"] {
        assert_eq!(
            fs::read_to_string(top.path().join(path)).unwrap(),
            "x\n",
            "{path}"
        );
    }
    assert!(workspace.join("d/sh").is_symlink() && workspace.join("d/in").is_symlink());
    assert!(top.path().join("bucket").is_symlink());
}

#[test]
fn gnu_tar_reads_what_we_pack() {
    let top = tempfile::tempdir().unwrap();
    let workspace = sample(top.path());
    let (archive, _) = packed(
        &workspace,
        SAVED,
        &PackOptions {
            level: Level::Fixed(3),
            ..PackOptions::default()
        },
    );
    let before = tree(top.path())
        .into_iter()
        .filter(|(path, _)| path.starts_with("cache/uv") || path.starts_with("a/w/d"))
        .collect::<BTreeMap<_, _>>();
    sh(top.path(), "chmod -R u+w cache a; rm -r cache/uv a/w/d");
    fs::write(top.path().join("cache.tzst"), &archive).unwrap();
    sh(
        &workspace,
        "umask 0; tar -xf ../../cache.tzst -P -C . --use-compress-program unzstd --warning=no-timestamp 2>../../stderr; test ! -s ../../stderr",
    );
    let after = tree(top.path())
        .into_iter()
        .filter(|(path, _)| path.starts_with("cache/uv") || path.starts_with("a/w/d"))
        .collect::<BTreeMap<_, _>>();
    assert_eq!(before, after);
}

#[test]
fn we_read_what_gnu_tar_packs() {
    let top = tempfile::tempdir().unwrap();
    let workspace = sample(top.path());
    for program in ["zstd -T0", "gzip"] {
        let before = tree(top.path());
        let before = before
            .into_iter()
            .filter(|(path, _)| path.starts_with("cache/uv") || path.starts_with("a/w/d"))
            .collect::<BTreeMap<_, _>>();
        fs::write(top.path().join("manifest.txt"), "d\n../../cache/uv\n").unwrap();
        sh(
            &workspace,
            &format!(
                "tar --posix -cf ../../cache.tar --exclude cache.tar -P -C . --files-from ../../manifest.txt --use-compress-program '{program}'"
            ),
        );
        sh(top.path(), "chmod -R u+w cache a; rm -r cache/uv a/w/d");
        let archive = fs::read(top.path().join("cache.tar")).unwrap();
        let found = unpacked(&archive, &workspace, SAVED).unwrap();
        assert_eq!(found.verified, Verified::Stream);
        let after = tree(top.path())
            .into_iter()
            .filter(|(path, _)| path.starts_with("cache/uv") || path.starts_with("a/w/d"))
            .collect::<BTreeMap<_, _>>();
        assert_eq!(before, after, "{program}");
    }
}

#[test]
fn a_list_tells_what_is_in_it() {
    let top = tempfile::tempdir().unwrap();
    let workspace = sample(top.path());
    let (archive, packed) = packed(&workspace, &["."], &PackOptions::default());
    let entries = list(Cursor::new(&archive), Limits::default(), &progress()).unwrap();
    assert_eq!(entries.len() as u64, packed.entries);
    assert_eq!(entries[0].name, b"./");
    let link = entries
        .iter()
        .find(|entry| entry.name == b"./d/two")
        .unwrap();
    assert_eq!(
        (link.kind, link.link.as_slice()),
        (Kind::HardLink, b"./d/one".as_slice())
    );
}

#[test]
fn what_cannot_be_packed_is_told() {
    let top = tempfile::tempdir().unwrap();
    let workspace = top.path();
    fs::create_dir(workspace.join("d")).unwrap();
    sh(
        workspace,
        "mkfifo d/pipe; echo x > d/x; echo out > d/cache.tzst",
    );
    let paths = [
        PathBuf::from("d"),
        PathBuf::from("d/x"),
        PathBuf::from("gone"),
    ];
    let sources = Sources {
        workspace,
        paths: &paths,
        excluded: &[PathBuf::from("d/cache.tzst")],
        confinement: None,
    };
    let mut archive = Vec::new();
    let packed = pack(&sources, &mut archive, &PackOptions::default(), &progress()).unwrap();
    let told: Vec<_> = packed
        .left_out
        .iter()
        .map(|left| {
            (
                left.path.strip_prefix(workspace).unwrap().to_str().unwrap(),
                left.reason,
            )
        })
        .collect();
    assert_eq!(
        told,
        [("d/pipe", Reason::Special), ("gone", Reason::Vanished)]
    );
    let names: Vec<_> = list(Cursor::new(&archive), Limits::default(), &progress())
        .unwrap()
        .into_iter()
        .map(|entry| String::from_utf8(entry.name).unwrap())
        .collect();
    assert_eq!(names, ["d/", "d/x"]);
}

#[test]
fn what_overlaps_is_packed_once_and_what_is_excluded_not_at_all() {
    let top = tempfile::tempdir().unwrap();
    let workspace = top.path();
    fs::create_dir_all(workspace.join("d/a/b")).unwrap();
    fs::create_dir_all(workspace.join("real")).unwrap();
    for name in [
        "d/a/b/x", "d/a/b/no", "d/a/y", "d/z", "d-e", "real/f", "real/no",
    ] {
        fs::write(workspace.join(name), name).unwrap();
    }
    symlink("../real", workspace.join("d/link")).unwrap();
    let paths = [
        // Below one that is walked, with another between; beside it; and below it, but through a link.
        "d",
        "d/a",
        "d/a/b/x",
        "d/z",
        "d-e",
        "d/link/f",
        "d/link/f",
        "d/link/no",
    ]
    .map(PathBuf::from);
    let excluded = ["d/a/b/no", "d/link/no", "nothing"].map(PathBuf::from);
    let sources = Sources {
        workspace,
        paths: &paths,
        excluded: &excluded,
        confinement: None,
    };
    let mut archive = Vec::new();
    let packed = pack(&sources, &mut archive, &PackOptions::default(), &progress()).unwrap();
    assert_eq!(packed.left_out, []);
    let names: Vec<_> = list(Cursor::new(&archive), Limits::default(), &progress())
        .unwrap()
        .into_iter()
        .map(|entry| String::from_utf8(entry.name).unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "d/", "d/a/", "d/a/b/", "d/a/b/x", "d/a/y", "d/link", "d/z", "d/link/f", "d-e"
        ]
    );
}

#[test]
fn what_would_not_be_unpacked_is_not_packed() {
    let top = tempfile::tempdir().unwrap();
    let workspace = top.path();
    fs::create_dir(workspace.join("d")).unwrap();
    let file = fs::File::create(workspace.join("d/map.mdb")).unwrap();
    file.set_len(48 << 20).unwrap();
    let strict = Limits {
        ratio: 40,
        any_ratio: 16 << 20,
        ..Limits::default()
    };
    let paths = [PathBuf::from("d")];
    let sources = Sources {
        workspace,
        paths: &paths,
        excluded: &[],
        confinement: None,
    };
    let made = |limits| {
        let mut archive = Vec::new();
        let options = PackOptions {
            limits,
            ..PackOptions::default()
        };
        pack(&sources, &mut archive, &options, &progress()).map(|_| archive)
    };
    let fault = made(strict).unwrap_err();
    assert!(matches!(fault, Fault::TooLarge { .. }), "{fault}");
    assert!(fault.hint().unwrap().contains("`paths`"));
    let few = Limits {
        entries: 1,
        ..Limits::default()
    };
    assert!(matches!(made(few), Err(Fault::TooLarge { .. })));
    let archive = made(Limits::default()).unwrap();
    let there = tempfile::tempdir().unwrap();
    let restored = |limits| {
        let confinement = Confinement::new(there.path(), paths.clone()).limited(limits);
        unpack(Cursor::new(&archive), &confinement, &progress())
    };
    assert!(matches!(restored(strict), Err(Fault::TooLarge { .. })));
    let generous = Limits {
        any_ratio: 64 << 20,
        ..strict
    };
    assert_eq!(restored(generous).unwrap().content_bytes, 48 << 20);
    assert!(made(generous).is_ok());
}
