//! Archives when the world does not hold still: files that change while they are packed, a disk that fills up, a source or
//! a taker that fails, a kill at any moment; and trees of all kinds, there and back.
//!
//! `LOCKGATE_CAMPAIGN=<n>` makes n times as many trees and kills.

use std::fs;
use std::io::{self, Cursor, Read, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use lockgate::archive::{
    Confinement, Fault, LeftOut, Limits, PackOptions, Packed, Progress, Reason, Sources, Unpacked,
    list, pack, unpack,
};
use lockgate::system::stop::Stop;

use crate::fuzzing::{Random, campaign};
use crate::support::archives::{sh, tree};

fn progress() -> Progress {
    Progress::new(Stop::never())
}

fn save(workspace: &Path, out: impl Write) -> Result<Packed, Fault> {
    let paths = [PathBuf::from("d")];
    let sources = Sources {
        workspace,
        paths: &paths,
        excluded: &[],
        confinement: None,
    };
    pack(&sources, out, &PackOptions::default(), &progress())
}

fn restore(archive: impl Read + Send, workspace: &Path) -> Result<Unpacked, Fault> {
    let confinement = Confinement::new(workspace, [PathBuf::from("d")]);
    unpack(archive, &confinement, &progress())
}

/// Does something once, when the first frame is written: much is still to be read then.
struct Hooked<F>(Vec<u8>, Option<F>);

impl<F: FnOnce()> Write for Hooked<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(hook) = self.1.take() {
            hook();
        }
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn files_that_change_while_they_are_packed_never_break_the_archive() {
    type Case = (fn(&Path), &'static [(&'static str, Reason)], u64);
    let cases: [Case; 4] = [
        (
            |d| large(d).set_len(5 << 20).unwrap(),
            &[("large", Reason::Shrank)],
            200 << 20,
        ),
        (
            |d| large(d).set_len(300 << 20).unwrap(),
            &[("large", Reason::Grew)],
            200 << 20,
        ),
        (
            |d| fs::remove_file(d.join("large")).unwrap(),
            &[],
            200 << 20,
        ),
        (
            |d| fs::remove_dir_all(d.join("z")).unwrap(),
            &[("z", Reason::Vanished)],
            200 << 20,
        ),
    ];
    for (change, expected, size) in cases {
        let top = tempfile::tempdir().unwrap();
        let folder = top.path().join("d");
        fs::create_dir_all(folder.join("z")).unwrap();
        fs::write(folder.join("z/small"), "small").unwrap();
        fs::File::create(folder.join("large"))
            .unwrap()
            .set_len(200 << 20)
            .unwrap();
        let mut out = Hooked(Vec::new(), Some(|| change(&folder)));
        let packed = save(top.path(), &mut out).unwrap();
        let mut told: Vec<(&str, Reason)> = packed
            .left_out
            .iter()
            .map(|LeftOut { path, reason }| (path.file_name().unwrap().to_str().unwrap(), *reason))
            .filter(|(_, reason)| *reason != Reason::Changed)
            .collect();
        told.dedup();
        assert_eq!(told, expected);
        let entries = list(Cursor::new(&out.0), Limits::default(), &progress()).unwrap();
        let entry = entries
            .iter()
            .find(|entry| entry.name == b"d/large")
            .unwrap();
        assert_eq!(entry.size, size);
    }
}

fn large(folder: &Path) -> fs::File {
    fs::OpenOptions::new()
        .write(true)
        .open(folder.join("large"))
        .unwrap()
}

#[test]
fn a_file_that_cannot_be_read_is_left_out_and_told() {
    let top = tempfile::tempdir().unwrap();
    fs::create_dir_all(top.path().join("d/closed")).unwrap();
    fs::write(top.path().join("d/secret"), "s").unwrap();
    fs::write(top.path().join("d/open"), "o").unwrap();
    for path in ["d/secret", "d/closed"] {
        fs::set_permissions(top.path().join(path), fs::Permissions::from_mode(0o000)).unwrap();
    }
    // Root reads everything.
    let is_root = fs::read(top.path().join("d/secret")).is_ok();
    let mut archive = Vec::new();
    let packed = save(top.path(), &mut archive).unwrap();
    let expected = if is_root { 0 } else { 2 };
    assert_eq!(packed.left_out_count, expected, "{:?}", packed.left_out);
    assert!(
        packed
            .left_out
            .iter()
            .all(|left| left.reason == Reason::Unreadable)
    );
    fs::set_permissions(
        top.path().join("d/closed"),
        fs::Permissions::from_mode(0o755),
    )
    .unwrap();
    restore(archive.as_slice(), top.path()).unwrap();
}

struct Failing(usize);

impl Write for Failing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self
            .0
            .checked_sub(bytes.len())
            .ok_or(io::ErrorKind::ConnectionReset)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::ConnectionReset.into())
    }
}

#[test]
fn a_taker_or_source_that_fails_and_a_stop_end_it() {
    let top = tempfile::tempdir().unwrap();
    fs::create_dir(top.path().join("d")).unwrap();
    for number in 0..30 {
        let file = fs::File::create(top.path().join(format!("d/{number}"))).unwrap();
        file.set_len(5 << 20).unwrap();
    }
    for room in [0, 500, 2_000] {
        let fault = save(top.path(), Failing(room)).unwrap_err();
        assert!(matches!(fault, Fault::Output(_)), "{fault}");
    }
    let mut archive = Vec::new();
    save(top.path(), &mut archive).unwrap();
    for length in [0, 100, archive.len() / 2, archive.len()] {
        let fault = restore(archive[..length].chain(Failing(0)), top.path()).unwrap_err();
        assert!(matches!(fault, Fault::Input(_)), "{fault}");
    }
    let stopped = progress();
    stopped.cancel();
    let confinement = Confinement::new(top.path(), [PathBuf::from("d")]);
    let fault = unpack(archive.as_slice(), &confinement, &stopped).unwrap_err();
    assert!(matches!(fault, Fault::Stopped), "{fault}");
    let paths = [PathBuf::from("d")];
    let sources = Sources {
        workspace: top.path(),
        paths: &paths,
        excluded: &[],
        confinement: None,
    };
    let fault = pack(&sources, io::sink(), &PackOptions::default(), &stopped).unwrap_err();
    assert!(matches!(fault, Fault::Stopped), "{fault}");
    assert_eq!(fs::read_dir(top.path()).unwrap().count(), 1);
}

/// This test program again, for this test alone, in the given shell's surroundings.
fn again(shell: &[&str], script: &str, test: &str, variable: &str, folder: &Path) -> Command {
    let program = std::env::current_exe().unwrap();
    let mut command = Command::new(shell[0]);
    command
        .args(&shell[1..])
        .args(["sh", "-ec", script, "sh"])
        .arg(program)
        .args([
            &format!("archive_failures::{test}"),
            "--exact",
            "--nocapture",
        ])
        .env(variable, folder)
        .current_dir(folder);
    command
}

#[expect(clippy::print_stderr, reason = "what was not tried is told")]
fn not_tried() {
    eprintln!("not tried here: this machine lets nobody mount a small disk");
}

#[test]
fn a_full_disk_is_told_and_leaves_nothing() {
    const VARIABLE: &str = "LOCKGATE_TEST_SMALL_DISK";
    if let Some(folder) = std::env::var_os(VARIABLE) {
        let disk = Path::new(&folder).join("disk");
        fs::create_dir_all(disk.join("w/d")).unwrap();
        fs::write(disk.join("w/d/old"), "old").unwrap();
        let before = tree(&disk.join("w/d"));
        let archive = fs::read(Path::new(&folder).join("archive")).unwrap();
        let fault = restore(archive.as_slice(), &disk.join("w")).unwrap_err();
        assert!(matches!(fault, Fault::DiskFull { .. }), "{fault}");
        assert_eq!(tree(&disk.join("w/d")), before);
        assert_eq!(fs::read_dir(disk.join("w")).unwrap().count(), 1);
        fs::write(Path::new(&folder).join("was-full"), "").unwrap();
        return;
    }
    let top = tempfile::tempdir().unwrap();
    fs::create_dir_all(top.path().join("d")).unwrap();
    fs::create_dir_all(top.path().join("disk")).unwrap();
    for (name, size) in [("a", 100), ("b", 6 << 20), ("c", 300_000)] {
        fs::write(top.path().join("d").join(name), vec![b'x'; size]).unwrap();
    }
    save(
        top.path(),
        fs::File::create(top.path().join("archive")).unwrap(),
    )
    .unwrap();
    let shell = ["unshare", "--map-root-user", "--mount"];
    let allowed = Command::new(shell[0])
        .args(&shell[1..])
        .arg("true")
        .output();
    if !allowed.is_ok_and(|output| output.status.success()) {
        not_tried();
        return;
    }
    let script = "mount -t tmpfs -o size=2m none disk; exec \"$@\"";
    let name = "a_full_disk_is_told_and_leaves_nothing";
    let output = again(&shell, script, name, VARIABLE, top.path())
        .output()
        .unwrap();
    assert!(
        output.status.success() && top.path().join("was-full").exists(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn a_kill_at_any_moment_leaves_every_file_whole() {
    const VARIABLE: &str = "LOCKGATE_TEST_KILLED";
    if let Some(folder) = std::env::var_os(VARIABLE) {
        let folder = Path::new(&folder);
        let archives = ["1", "2"].map(|name| fs::read(folder.join(name)).unwrap());
        fs::write(folder.join("ready"), "").unwrap();
        loop {
            for archive in &archives {
                restore(archive.as_slice(), &folder.join("w")).unwrap();
            }
        }
    }
    let top = tempfile::tempdir().unwrap();
    for version in ["1", "2"] {
        let folder = top.path().join("w/d");
        for number in 0..60 {
            fs::create_dir_all(folder.join(format!("f{}", number % 7))).unwrap();
            let size = if number == 5 { 3 << 20 } else { 40_000 };
            let path = folder.join(format!("f{}/{number}", number % 7));
            fs::write(path, version.repeat(size)).unwrap();
        }
        save(
            &top.path().join("w"),
            fs::File::create(top.path().join(version)).unwrap(),
        )
        .unwrap();
    }
    let mut random = Random(7);
    for _ in 0..8 * campaign() {
        let _ = fs::remove_file(top.path().join("ready"));
        let name = "a_kill_at_any_moment_leaves_every_file_whole";
        let mut child = again(&["env"], "exec \"$@\"", name, VARIABLE, top.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        while !top.path().join("ready").exists() {
            assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
            std::thread::yield_now();
        }
        std::thread::sleep(std::time::Duration::from_micros(
            random.below(150_000) as u64
        ));
        child.kill().unwrap();
        child.wait().unwrap();
        for number in 0..60 {
            let bytes = fs::read(top.path().join(format!("w/d/f{}/{number}", number % 7))).unwrap();
            let size = if number == 5 { 3 << 20 } else { 40_000 };
            assert_eq!(bytes.len(), size);
            assert!(bytes.iter().all(|byte| *byte == bytes[0]), "{number}");
        }
    }
    restore(
        fs::File::open(top.path().join("1")).unwrap(),
        &top.path().join("w"),
    )
    .unwrap();
    let left: Vec<_> = fs::read_dir(top.path().join("w"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(
        left,
        ["d"],
        "what killed extractions left is removed by the next"
    );
}

/// A tree of up to so many things, of all kinds and with odd names.
fn grow(random: &mut Random, folder: &Path, things: usize) {
    let mut folders = vec![folder.to_owned()];
    let mut files: Vec<PathBuf> = Vec::new();
    for number in 0..things {
        let parent = folders[random.below(folders.len())].clone();
        let pad = ["", " ", "\n", "é", "-", "$(x)", "\\"][random.below(7)];
        let path = parent.join(format!(
            "{pad}{number}{}",
            "n".repeat(random.below(8) * random.below(28))
        ));
        match random.below(8) {
            0 | 1 => {
                fs::create_dir(&path).unwrap();
                folders.push(path);
            }
            2 => symlink(["0", "..", "nowhere", "../0/1"][random.below(4)], &path).unwrap(),
            3 if !files.is_empty() => {
                fs::hard_link(&files[random.below(files.len())], &path).unwrap();
            }
            _ => {
                let sizes = [0, 1, 511, 512, 513, 70_000, (1 << 20) + 1, (4 << 20) + 3];
                let size = sizes[random.below(sizes.len().min(5 + number % 9))];
                let byte = u8::try_from(random.below(256)).unwrap();
                fs::write(&path, vec![byte; size]).unwrap();
                let mode = [0o644, 0o755, 0o600, 0o400, 0o640][random.below(5)];
                fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
                files.push(path);
            }
        }
    }
}

#[test]
fn trees_of_all_kinds_come_back_through_us_and_through_gnu_tar() {
    for seed in 0..8 * campaign() {
        let mut random = Random(seed);
        let top = tempfile::tempdir().unwrap();
        let workspace = top.path().join("w");
        fs::create_dir_all(workspace.join("d")).unwrap();
        let things = 1 + random.below(80);
        grow(&mut random, &workspace.join("d"), things);
        // Links that lead above the declared path to a folder are refused: their targets are made harmless.
        sh(&workspace, "find d -maxdepth 1 -type l -delete");
        let before = tree(&workspace.join("d"));
        let mut archive = Vec::new();
        assert_eq!(
            save(&workspace, &mut archive).unwrap().left_out,
            [],
            "{seed}"
        );
        fs::write(top.path().join("ours"), &archive).unwrap();
        sh(
            &workspace,
            "tar --posix -cf ../theirs -P -C . --use-compress-program 'zstd -T0' d",
        );
        fs::remove_dir_all(workspace.join("d")).unwrap();
        restore(archive.as_slice(), &workspace).unwrap_or_else(|fault| panic!("{seed}: {fault}"));
        assert_eq!(tree(&workspace.join("d")), before, "{seed}: ours");
        fs::remove_dir_all(workspace.join("d")).unwrap();
        sh(
            &workspace,
            "umask 0; tar -xf ../ours -P -C . --use-compress-program unzstd",
        );
        assert_eq!(
            tree(&workspace.join("d")),
            before,
            "{seed}: GNU tar of ours"
        );
        fs::remove_dir_all(workspace.join("d")).unwrap();
        let theirs = fs::read(top.path().join("theirs")).unwrap();
        restore(theirs.as_slice(), &workspace).unwrap_or_else(|fault| panic!("{seed}: {fault}"));
        assert_eq!(tree(&workspace.join("d")), before, "{seed}: theirs");
    }
}
