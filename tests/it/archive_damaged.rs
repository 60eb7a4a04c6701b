//! Archives that are cut off, damaged, or something else: found each time, with nothing put in place.

use std::fs;
use std::io::{Cursor, Read};
use std::path::PathBuf;

use lockgate::archive::{Fault, Limits, PackOptions, Progress, Sources, Verified, list, pack};
use lockgate::system::stop::Stop;

use crate::archive_hostile::{restore, surroundings};
use crate::support::archives::{compressed, file, head, sh, tree};

#[test]
fn archives_that_end_early_or_late_are_told_so() {
    let (top, workspace) = surroundings();
    let good = compressed(&[file("d/x", "x")]);
    let tar = zstd::decode_all(good.as_slice()).unwrap();
    let gzip = |bytes: &[u8]| {
        let mut encoder = flate2::read::GzEncoder::new(bytes, flate2::Compression::fast());
        let mut out = Vec::new();
        encoder.read_to_end(&mut out).unwrap();
        out
    };
    let zipped = gzip(&tar);
    for (what, archive, expected) in [
        ("nothing", Vec::new(), "truncated"),
        ("two bytes", b"\x28\xb5".to_vec(), "truncated"),
        (
            "text",
            b"<html>not found</html>".to_vec(),
            "neither zstd nor gzip",
        ),
        (
            "no end",
            zstd::encode_all(&tar[..1024], 1).unwrap(),
            "truncated",
        ),
        (
            "half an end",
            zstd::encode_all(&tar[..1536], 1).unwrap(),
            "truncated",
        ),
        (
            "half a block",
            zstd::encode_all(&tar[..1000], 1).unwrap(),
            "truncated",
        ),
        (
            "garbage behind",
            [&good[..], b"garbage"].concat(),
            "no zstd frame",
        ),
        (
            "frame behind",
            [&good[..], &good[..]].concat(),
            "follows the end",
        ),
        (
            "gzip cut off",
            zipped[..zipped.len() - 9].to_vec(),
            "truncated",
        ),
        (
            "gzip damaged",
            [&zipped[..zipped.len() - 8], &[0; 8]].concat(),
            "corrupt",
        ),
        (
            "gzip with garbage",
            [&zipped[..], b"garbage and more of it"].concat(),
            "corrupt",
        ),
        (
            "gzip bomb",
            gzip(&[head(b'0', b"d/x", 60 << 20, b""), vec![0; 60 << 20]].concat()),
            "times its size",
        ),
    ] {
        let message = restore(&archive, &workspace).expect_err(what).to_string();
        assert!(message.contains(expected), "{what}: {message}");
        assert!(!workspace.join("d/x").exists(), "{what}");
    }
    assert_eq!(restore(&zipped, &workspace).unwrap().files, 1);
    assert_eq!(tree(top.path()).len(), 12);
}

fn saved() -> (tempfile::TempDir, PathBuf, Vec<u8>) {
    let (top, workspace) = surroundings();
    sh(
        &workspace,
        "rm d/out d/leak; ln -s old d/link; ln d/old d/hard; head -c 30000 /dev/urandom > d/random; seq 1000 > d/text",
    );
    let paths = [PathBuf::from("d")];
    let sources = Sources {
        workspace: &workspace,
        paths: &paths,
        excluded: &[],
        confinement: None,
    };
    let mut archive = Vec::new();
    pack(
        &sources,
        &mut archive,
        &PackOptions::default(),
        &Progress::new(Stop::never()),
    )
    .unwrap();
    (top, workspace, archive)
}

#[test]
fn an_archive_cut_off_anywhere_is_never_taken_for_whole() {
    let (top, workspace, archive) = saved();
    let before = tree(top.path()).len();
    fs::remove_file(workspace.join("d/text")).unwrap();
    let lengths = (0..archive.len())
        .filter(|length| length % 97 == 0 || *length < 40 || length + 400 > archive.len());
    for length in lengths {
        let fault = restore(&archive[..length], &workspace).unwrap_err();
        assert!(
            matches!(fault, Fault::Truncated { .. }),
            "{length}: {fault}"
        );
        assert!(
            list(
                Cursor::new(&archive[..length]),
                Limits::default(),
                &Progress::new(Stop::never())
            )
            .is_err()
                || length > archive.len() - 500
        );
    }
    assert_eq!(tree(top.path()).len(), before - 1);
    restore(&archive, &workspace).unwrap();
    assert_eq!(tree(top.path()).len(), before);
}

#[test]
fn any_flipped_bit_is_found_or_means_nothing() {
    let (_top, workspace, archive) = saved();
    let whole = tree(&workspace.join("d"));
    let step = (archive.len() * 8 / 400).max(1) | 1;
    let mut found = 0;
    for bit in (0..archive.len() * 8).step_by(step) {
        let mut flipped = archive.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        match restore(&flipped, &workspace) {
            Ok(_) => assert_eq!(tree(&workspace.join("d")), whole, "{bit}"),
            Err(_) => found += 1,
        }
        assert!(workspace.join("d/text").exists());
    }
    assert!(found > 350, "{found}");
}

#[test]
fn the_inventory_finds_content_that_changed_behind_the_checksums() {
    let (_top, workspace, archive) = saved();
    let mark = archive
        .windows(8)
        .position(|bytes| bytes == b"LOCKGINV")
        .unwrap()
        - 8;
    let inventory = &archive[mark..];
    let tar = zstd::decode_all(&archive[..mark]).unwrap();
    let again = |tar: &[u8]| [zstd::encode_all(tar, 1).unwrap(), inventory.to_vec()].concat();
    assert_eq!(
        restore(&again(&tar), &workspace).unwrap().verified,
        Verified::Inventory
    );
    let text = tar
        .windows(12)
        .position(|bytes| bytes == b"998\n999\n1000")
        .unwrap();
    let mut changed = tar.clone();
    changed[text] ^= 1;
    let message = restore(&again(&changed), &workspace)
        .unwrap_err()
        .to_string();
    assert_eq!(
        message,
        "the archive is corrupt at its entry `d/text`: the content does not match its digest"
    );
    assert!(
        fs::read_to_string(workspace.join("d/text"))
            .unwrap()
            .ends_with("998\n999\n1000\n")
    );
    // The link leads elsewhere, the checksum of its header holds.
    let target = tar.windows(4).rposition(|bytes| bytes == b"old\0").unwrap();
    let header = (target / 512) * 512;
    let mut changed = tar.clone();
    changed[target..target + 3].copy_from_slice(b"dlo");
    assert_eq!(
        changed[header..header + 512]
            .iter()
            .map(|byte| u32::from(*byte))
            .sum::<u32>(),
        tar[header..header + 512]
            .iter()
            .map(|byte| u32::from(*byte))
            .sum::<u32>()
    );
    let message = restore(&again(&changed), &workspace)
        .unwrap_err()
        .to_string();
    assert!(message.contains("do not match the inventory"), "{message}");
    let without = zstd::encode_all(tar.as_slice(), 1).unwrap();
    assert!(matches!(
        restore(&without, &workspace),
        Err(Fault::Truncated { .. })
    ));
}
