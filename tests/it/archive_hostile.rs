//! Archives that want out or lie: refused, with nothing changed around them. Odd ones that are honest unpack to
//! the tree that GNU tar makes of them.

use std::fs;
use std::io::Cursor;
use std::os::unix::fs::symlink as make_symlink;
use std::path::{Path, PathBuf};

use lockgate::archive::{Confinement, Fault, Limits, Progress, Unpacked, unpack};
use lockgate::system::stop::Stop;

use crate::support::archives::{
    changed_head, compressed, content, file, hard_link, head, pax, records_of, sh, speaking,
    symlink, tree,
};

pub(crate) fn restore(archive: &[u8], workspace: &Path) -> Result<Unpacked, Fault> {
    let limits = Limits {
        entries: 1_000,
        bytes: 64 << 20,
        ratio: 40,
        any_ratio: 40 << 20,
    };
    let declared = [PathBuf::from("d"), PathBuf::from("../e")];
    let confinement = Confinement::new(workspace, declared).limited(limits);
    unpack(
        Cursor::new(archive),
        &confinement,
        &Progress::new(Stop::never()),
    )
}

/// A workspace `w` with a folder `d` that has something in it, links out of it too, and something around it.
pub(crate) fn surroundings() -> (tempfile::TempDir, PathBuf) {
    let top = tempfile::tempdir().unwrap();
    let workspace = top.path().join("w");
    fs::create_dir_all(workspace.join("d/folder")).unwrap();
    fs::create_dir_all(top.path().join("outside")).unwrap();
    fs::write(workspace.join("d/old"), "old").unwrap();
    fs::write(workspace.join("d/folder/inner"), "inner").unwrap();
    fs::write(workspace.join("other"), "other").unwrap();
    fs::write(top.path().join("secret"), "secret").unwrap();
    make_symlink("../../outside", workspace.join("d/out")).unwrap();
    make_symlink("../../secret", workspace.join("d/leak")).unwrap();
    (top, workspace)
}

fn long(length: usize) -> String {
    "n".repeat(length)
}

fn number_field(at: usize, bytes: [u8; 12]) -> impl FnOnce(&mut [u8]) {
    move |block| block[at..at + 12].copy_from_slice(&bytes)
}

/// What is wrong, the entries, and what the message must say.
pub(crate) fn hostile() -> Vec<(&'static str, Vec<Vec<u8>>, &'static str)> {
    let mut negative = [0xff; 12];
    negative[0] = 0xff;
    let mut huge = [0xff; 12];
    huge[0] = 0x80;
    let deep = "d/".repeat(2_100);
    vec![
        ("absolute", vec![file("/d/x", "x")], "absolute"),
        ("beside", vec![file("../evil", "x")], "outside"),
        (
            "down and out",
            vec![file("d/../../evil", "x")],
            "down and up",
        ),
        ("down and in", vec![file("d/../d/x", "x")], "down and up"),
        ("undeclared", vec![file("other", "x")], "outside"),
        ("the workspace", vec![head(b'5', b".", 0, b"")], "outside"),
        ("alike", vec![file("dd/x", "x")], "outside"),
        ("dots only", vec![file("..", "x")], "outside"),
        (
            "above all",
            vec![head(b'5', "../".repeat(30).as_bytes(), 0, b"")],
            "above all",
        ),
        (
            "second is bad",
            vec![file("d/a", "a"), file("e/b", "b")],
            "outside",
        ),
        (
            "through a link out",
            vec![symlink("d/l", "../.."), file("d/l/evil", "x")],
            "link",
        ),
        (
            "through a link in",
            vec![symlink("d/l", "folder"), file("d/l/x", "x")],
            "link",
        ),
        (
            "through a link as a folder",
            vec![symlink("d/l", "folder"), head(b'5', b"d/l/x", 0, b"")],
            "link",
        ),
        (
            "link to a folder outside",
            vec![symlink("d/l", "/etc")],
            "link out",
        ),
        (
            "link to nothing outside",
            vec![symlink("d/l", "../nope")],
            "link out",
        ),
        (
            "link to a folder beside",
            vec![symlink("d/l", "../../outside")],
            "link out",
        ),
        (
            "chain of links",
            vec![symlink("d/a", "b/outside"), symlink("d/b", "../..")],
            "link out",
        ),
        (
            "up through links",
            vec![symlink("d/s", "."), symlink("d/l", "s/s/s/../../..")],
            "link out",
        ),
        (
            "through a link on disk",
            vec![symlink("d/l", "out")],
            "link out",
        ),
        (
            "link to a file outside",
            vec![symlink("d/l", "../../secret")],
            "link out",
        ),
        (
            "link in the place of a file",
            vec![symlink("d/old", "../../outside")],
            "link out",
        ),
        (
            "file for a folder on disk beside another",
            vec![file("d/a", "x"), file("d/old", "x"), file("d/folder", "x")],
            "d/folder` is a folder",
        ),
        (
            "hard link out",
            vec![hard_link("d/h", "../secret")],
            "hard link out",
        ),
        (
            "hard link to absolute",
            vec![hard_link("d/h", "/etc/passwd")],
            "hard link out",
        ),
        (
            "hard link to what was there",
            vec![hard_link("d/h", "d/old")],
            "no file of the archive",
        ),
        (
            "hard link through a link on disk",
            vec![hard_link("d/h", "d/out/x")],
            "no file of the archive",
        ),
        (
            "hard link to a link that leads out from there",
            vec![
                symlink("d/deep/l", "../../other"),
                hard_link("d/h", "d/deep/l"),
            ],
            "link out",
        ),
        (
            "hard link through a link",
            vec![symlink("d/l", "folder"), hard_link("d/h", "d/l/inner")],
            "no file of the archive",
        ),
        (
            "hard link to a folder",
            vec![head(b'5', b"d/f", 0, b""), hard_link("d/h", "d/f")],
            "no file of the archive",
        ),
        (
            "hard link with content",
            vec![
                file("d/a", "a"),
                head(b'1', b"d/h", 1, b"d/a"),
                content(b"x"),
            ],
            "has content",
        ),
        (
            "character device",
            vec![head(b'3', b"d/x", 0, b"")],
            "device",
        ),
        ("block device", vec![head(b'4', b"d/x", 0, b"")], "device"),
        ("named pipe", vec![head(b'6', b"d/x", 0, b"")], "named pipe"),
        ("GNU sparse", vec![head(b'S', b"d/x", 0, b"")], "sparse"),
        (
            "PAX sparse",
            vec![pax(&[("GNU.sparse.major", "1")]), file("d/x", "x")],
            "sparse",
        ),
        (
            "unknown kind",
            vec![head(b'Z', b"d/x", 0, b"")],
            "not known",
        ),
        (
            "multi-volume",
            vec![head(b'M', b"d/x", 0, b"")],
            "not known",
        ),
        (
            "PAX size and header size",
            vec![pax(&[("size", "1024")]), file("d/x", "x")],
            "disagree",
        ),
        (
            "PAX size hides entries",
            vec![
                pax(&[("size", "512")]),
                head(b'0', b"d/x", 0, b""),
                file("../evil", ""),
            ],
            "disagree",
        ),
        (
            "PAX size far too large",
            vec![pax(&[("size", "99999999999999")]), file("d/x", "x")],
            "truncated",
        ),
        (
            "PAX size is negative",
            vec![pax(&[("size", "-1")]), file("d/x", "x")],
            "no number",
        ),
        (
            "PAX names differ",
            vec![pax(&[("path", "d/a"), ("path", "../b")]), file("d/x", "x")],
            "contradict",
        ),
        (
            "PAX name leads out",
            vec![pax(&[("path", "../evil")]), file("d/x", "x")],
            "outside",
        ),
        (
            "PAX link leads out",
            vec![pax(&[("linkpath", "/etc")]), symlink("d/x", "old")],
            "link out",
        ),
        (
            "PAX name with NUL",
            vec![pax(&[("path", "d/x\0/../..")]), file("d/x", "x")],
            "NUL",
        ),
        (
            "PAX name is empty",
            vec![pax(&[("path", "")]), file("d/x", "x")],
            "empty",
        ),
        (
            "two PAX headers",
            vec![
                pax(&[("path", "d/a")]),
                pax(&[("path", "d/b")]),
                file("d/x", "x"),
            ],
            "two PAX headers",
        ),
        (
            "PAX and GNU name",
            vec![
                pax(&[("path", "d/a")]),
                speaking(b'L', b"d/b\0"),
                file("d/x", "x"),
            ],
            "two long names",
        ),
        (
            "two GNU names",
            vec![
                speaking(b'L', b"d/a\0"),
                speaking(b'L', b"d/b\0"),
                file("d/x", "x"),
            ],
            "two long names",
        ),
        (
            "PAX record too long",
            vec![speaking(b'x', b"99 path=d/a\n"), file("d/x", "x")],
            "malformed",
        ),
        (
            "PAX record without end",
            vec![speaking(b'x', b"10 path=d/a"), file("d/x", "x")],
            "malformed",
        ),
        (
            "PAX time is none",
            vec![pax(&[("mtime", "soon")]), file("d/x", "x")],
            "time",
        ),
        (
            "PAX header at the end",
            vec![pax(&[("path", "d/a")])],
            "no entry",
        ),
        (
            "PAX header without end",
            vec![head(b'x', b"p", 1 << 40, b"")],
            "bytes",
        ),
        (
            "global name",
            vec![
                speaking(b'g', &records_of(&[("path", "../evil")])),
                file("d/x", "x"),
            ],
            "every entry",
        ),
        (
            "global size",
            vec![
                speaking(b'g', &records_of(&[("size", "0")])),
                file("d/x", "x"),
            ],
            "every entry",
        ),
        (
            "negative size",
            vec![changed_head(
                b'0',
                b"d/x",
                0,
                b"",
                number_field(124, negative),
            )],
            "size",
        ),
        (
            "huge size",
            vec![changed_head(b'0', b"d/x", 0, b"", number_field(124, huge))],
            "size",
        ),
        (
            "size of letters",
            vec![changed_head(
                b'0',
                b"d/x",
                0,
                b"",
                number_field(124, *b"00000000xyz\0"),
            )],
            "size",
        ),
        (
            "mode of letters",
            vec![changed_head(b'0', b"d/x", 0, b"", |block| {
                block[100..108].copy_from_slice(b"rwxr-x-\0");
            })],
            "mode",
        ),
        (
            "name too long",
            vec![
                speaking(b'L', format!("{deep}x\0").as_bytes()),
                file("d/x", "x"),
            ],
            "longer",
        ),
        (
            "part of a name too long",
            vec![
                speaking(b'L', format!("d/{}\0", long(300)).as_bytes()),
                file("d/x", "x"),
            ],
            "longer",
        ),
        (
            "long name of a million bytes",
            vec![speaking(b'L', &vec![b'n'; 1 << 20]), file("d/x", "x")],
            "bytes",
        ),
        (
            "folder with content",
            vec![head(b'5', b"d/f", 512, b""), content(b"x")],
            "has content",
        ),
        (
            "link with content",
            vec![head(b'2', b"d/f", 512, b"old"), content(b"x")],
            "has content",
        ),
        (
            "link to nowhere at all",
            vec![symlink("d/l", "")],
            "leads nowhere",
        ),
        ("no name", vec![file("", "x")], "no name"),
        (
            "file for a full folder",
            vec![file("d/f/x", "x"), file("d/f", "x")],
            "in its place",
        ),
        (
            "below a file",
            vec![file("d/f", "x"), file("d/f/x", "x")],
            "is refused",
        ),
        (
            "file for a folder on disk",
            vec![file("d/folder", "x")],
            "d/folder` is a folder",
        ),
        (
            "bad checksum",
            vec![[&head(b'0', b"d/x", 0, b"")[..511], b"!"].concat()],
            "checksum",
        ),
        (
            "something after the end",
            vec![vec![0; 1024], file("d/x", "x")],
            "follows the end",
        ),
        (
            "too many entries",
            vec![file("d/x", "x").repeat(1_001)],
            "more than 1000 entries",
        ),
        (
            "far more than its size",
            vec![head(b'0', b"d/x", 60 << 20, b""), vec![0; 60 << 20]],
            "times its size",
        ),
    ]
}

#[test]
fn hostile_archives_are_refused_and_change_nothing() {
    let (top, workspace) = surroundings();
    let before = tree(top.path());
    let cases = hostile();
    assert!(cases.len() >= 60);
    let mut wrong = Vec::new();
    for (what, parts, expected) in cases {
        let told = restore(&compressed(&parts), &workspace);
        let message = told.map_or_else(|fault| fault.to_string(), |_| "let in".to_owned());
        if !message.contains(expected) {
            wrong.push(format!("{what}: {message}"));
        }
        // Making and removing what is hidden changes the time of folders, and nothing else.
        let after = tree(top.path());
        let changed = after
            .iter()
            .any(|(path, about)| before.get(path) != Some(about) && !about.starts_with("folder"));
        if changed || after.len() != before.len() {
            wrong.push(format!("{what}: something changed"));
        }
    }
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn odd_archives_unpack_as_gnu_tar_unpacks_them() {
    let old =
        |name: &[u8], kind: u8| changed_head(kind, name, 0, b"", |block| block[257..265].fill(0));
    let name = format!("d/{}/{}", long(120), long(150));
    for (what, parts) in [
        (
            "dots and slashes",
            vec![file("./d//x/./y", "y"), file("d/a/", "")],
        ),
        (
            "no folders",
            vec![file("d/a/b/c", "c"), file("../e/f/g", "g")],
        ),
        (
            "a name twice",
            vec![file("d/x", "first"), file("d/x", "second")],
        ),
        (
            "a folder twice",
            vec![
                head(b'5', b"d/f/", 0, b""),
                file("d/f/x", "x"),
                head(b'5', b"d/f", 0, b""),
            ],
        ),
        (
            "folders after files",
            vec![
                file("d/f/x", "x"),
                head(b'5', b"d/f/", 0, b""),
                head(b'5', b"d/", 0, b""),
            ],
        ),
        (
            "a link, then a file",
            vec![symlink("d/x", "y"), file("d/x", "x")],
        ),
        (
            "a file, then a link",
            vec![file("d/x", "x"), symlink("d/x", "y")],
        ),
        (
            "a link, then a folder",
            vec![
                symlink("d/x", "y"),
                head(b'5', b"d/x/", 0, b""),
                file("d/x/z", "z"),
            ],
        ),
        (
            "an empty folder, then a file",
            vec![head(b'5', b"d/x", 0, b""), file("d/x", "x")],
        ),
        ("before ustar", vec![old(b"d/f/", 0), old(b"d/f/x", 0)]),
        ("contiguous", vec![head(b'7', b"d/x", 0, b"")]),
        (
            "GNU names",
            vec![
                speaking(b'L', format!("{name}\0").as_bytes()),
                file("d/x", "x"),
                speaking(b'K', format!("{name}\0").as_bytes()),
                symlink("d/l", "x"),
            ],
        ),
        (
            "PAX names",
            vec![
                pax(&[("path", &name)]),
                file("d/x", "x"),
                pax(&[("linkpath", &name)]),
                hard_link("d/h", "x"),
            ],
        ),
        (
            "PAX twice the same",
            vec![pax(&[("path", "d/y"), ("path", "d/y")]), file("d/x", "x")],
        ),
        (
            "PAX size as in the header",
            vec![pax(&[("size", "1")]), file("d/x", "x")],
        ),
        (
            "PAX times",
            vec![
                pax(&[("mtime", "-1.25")]),
                file("d/x", "x"),
                pax(&[("mtime", "1.9999999999")]),
                file("d/y", "y"),
            ],
        ),
        (
            "PAX of others",
            vec![
                pax(&[
                    ("SCHILY.dev", "1"),
                    ("comment", "x"),
                    ("LIBARCHIVE.creationtime", "1"),
                    ("atime", "1.5"),
                ]),
                file("d/x", "x"),
            ],
        ),
        (
            "global comment",
            vec![
                speaking(b'g', &records_of(&[("comment", "0123")])),
                file("d/x", "x"),
            ],
        ),
        (
            "hard links in a row",
            vec![
                file("d/a", "a"),
                hard_link("d/b", "d/a"),
                hard_link("d/c", "./d/b"),
            ],
        ),
        (
            "a hard link, and its file again",
            vec![file("d/a", "1"), hard_link("d/b", "d/a"), file("d/a", "2")],
        ),
        (
            "loops",
            vec![
                symlink("d/a", "b"),
                symlink("d/b", "a"),
                symlink("d/c", "c"),
            ],
        ),
        (
            "links within",
            vec![
                symlink("d/a", "../../e/x"),
                symlink("d/b", "nothing"),
                head(b'5', b"../e", 0, b""),
            ],
        ),
        ("a link to a program", vec![symlink("d/python", "/bin/sh")]),
        (
            "closed",
            vec![
                changed_head(b'5', b"d/f", 0, b"", |block| {
                    block[100..108].copy_from_slice(b"0000500\0");
                }),
                file("d/f/x", "x"),
            ],
        ),
        ("nothing", vec![]),
    ] {
        let top = tempfile::tempdir().unwrap();
        let (ours, theirs) = (top.path().join("ours/w"), top.path().join("theirs/w"));
        fs::create_dir_all(&ours).unwrap();
        fs::create_dir_all(&theirs).unwrap();
        let archive = compressed(&parts);
        fs::write(top.path().join("cache.tzst"), &archive).unwrap();
        restore(&archive, &ours).unwrap_or_else(|fault| panic!("{what}: {fault}"));
        sh(
            &theirs,
            "umask 022; tar -xf ../../cache.tzst -P -C . --use-compress-program unzstd 2>../../stderr",
        );
        let plain = |top: &Path| {
            let found = tree(&top.join(".."));
            // Folders that have no entry have the time of the extraction, and links theirs.
            found
                .into_iter()
                .map(|(path, about)| match about.split_once(' ') {
                    Some(("folder", _)) if !about.contains(" 1000000000.") => {
                        (path, "folder".to_owned())
                    }
                    Some(("link", _)) => (path, about.rsplit_once(' ').unwrap().0.to_owned()),
                    _ => (path, about),
                })
                .collect::<Vec<_>>()
        };
        assert_eq!(plain(&ours), plain(&theirs), "{what}");
    }
}

#[test]
fn a_link_on_disk_is_replaced_and_never_followed() {
    let (top, workspace) = surroundings();
    let parts = [
        file("d/out/x", "new"),
        file("d/leak", "new"),
        file("d/old", "new"),
    ];
    restore(&compressed(&parts), &workspace).unwrap();
    assert_eq!(fs::read_dir(top.path().join("outside")).unwrap().count(), 0);
    assert_eq!(
        fs::read_to_string(top.path().join("secret")).unwrap(),
        "secret"
    );
    for path in ["d/out/x", "d/leak", "d/old"] {
        assert_eq!(fs::read_to_string(workspace.join(path)).unwrap(), "new");
        assert!(!workspace.join(path).is_symlink());
    }
    assert_eq!(
        fs::read_to_string(workspace.join("d/folder/inner")).unwrap(),
        "inner"
    );
}

#[test]
fn a_declared_path_may_be_reached_over_a_link_of_the_user() {
    let (top, workspace) = surroundings();
    make_symlink("outside", top.path().join("e")).unwrap();
    restore(&compressed(&[file("../e/x", "x")]), &workspace).unwrap();
    assert_eq!(
        fs::read_to_string(top.path().join("outside/x")).unwrap(),
        "x"
    );
}

#[test]
fn what_leads_out_is_refused_also_behind_a_link_of_the_user() {
    let (top, workspace) = surroundings();
    make_symlink("outside", top.path().join("way")).unwrap();
    fs::create_dir(top.path().join("outside/uv")).unwrap();
    let confinement = Confinement::new(&workspace, [PathBuf::from("../way/uv")]);
    for (target, is_let_in) in [("../../w", false), ("/etc", false), ("inner/x", true)] {
        fs::write(top.path().join("outside/uv/esc"), "old").unwrap();
        let archive = compressed(&[symlink("../way/uv/esc", target)]);
        let told = unpack(
            Cursor::new(archive),
            &confinement,
            &Progress::new(Stop::never()),
        );
        assert_eq!(told.is_ok(), is_let_in, "{target}: {told:?}");
        assert_eq!(
            top.path().join("outside/uv/esc").is_symlink(),
            is_let_in,
            "{target}"
        );
        let _ = fs::remove_file(top.path().join("outside/uv/esc"));
    }
}

#[test]
fn a_symbolic_link_may_have_two_names() {
    let (_top, workspace) = surroundings();
    let parts = [symlink("d/l", "old"), hard_link("d/h", "d/l")];
    restore(&compressed(&parts), &workspace).unwrap();
    for path in ["d/l", "d/h"] {
        assert_eq!(
            fs::read_link(workspace.join(path)).unwrap(),
            Path::new("old")
        );
    }
}

#[test]
fn setuid_and_the_like_are_stripped() {
    let (_top, workspace) = surroundings();
    let head = changed_head(b'0', b"d/x", 0, b"", |block| {
        block[100..108].copy_from_slice(b"0007755\0");
    });
    assert_eq!(
        restore(&compressed(&[head]), &workspace).unwrap().stripped,
        1
    );
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &workspace.join("d/x").metadata().unwrap().permissions(),
    );
    assert_eq!(mode & 0o7777, 0o755);
}
