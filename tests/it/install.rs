//! `actions/install.sh` against a scripted release server, under every shell and with every download tool of this
//! machine; `actions/install.ps1` through a parser.

#![expect(
    clippy::disallowed_methods,
    reason = "these tests start foreign shells and look for them on PATH"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use crate::support::release_server::{Answer, ReleaseServer};

const VERSION: &str = "9.8.7";
/// The stand-in for the binary: shows what reached it and ends with a code of its own.
const PROGRAM: &str = "#!/bin/sh\necho \"pid $$\"\necho \"umask $(umask)\"\necho \"target ${target-}\"\n\
                       for argument; do printf '<%s>\\n' \"$argument\"; done\nexit 7\n";
const INTRUDER: &str = "#!/bin/sh\necho intruder\n";
/// What the script needs besides a shell, something that downloads and something that hashes.
const TOOLS: [&str; 17] = [
    "chmod", "cp", "cut", "date", "env", "gzip", "mkdir", "mktemp", "mv", "printf", "rm", "sed",
    "sleep", "tail", "tar", "tr", "uname",
];
const ARGUMENTS: [&str; 7] = [
    "lint-gate",
    "two words",
    "it's \"quoted\"",
    "*",
    "",
    "--flag=$HOME\\n",
    "a\nb",
];
const DOWNLOADERS: [Downloader; 4] = [
    Downloader::Curl,
    Downloader::GnuWget,
    Downloader::BusyboxWget,
    Downloader::Python,
];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Downloader {
    Curl,
    GnuWget,
    /// With every other tool from busybox too, as on a small image.
    BusyboxWget,
    Python,
}

// ---- where the bytes come from ----

#[test]
fn fetches_the_archive_verifies_it_and_becomes_the_binary() {
    for_each_combination(|shell, downloader| {
        let bench = Bench::new(shell, downloader);
        bench.serve([Answer::Bytes(bench.release.archive.clone())]);
        let child = bench.start(&ARGUMENTS);
        let pid = child.id();
        let run = finish(child);
        run.assert_code(7);
        let mut expected = format!("pid {pid}\numask {}\ntarget kept\n", current_umask());
        for argument in ARGUMENTS {
            writeln!(expected, "<{argument}>").expect("a string takes any text");
        }
        assert_eq!(
            (run.stdout.as_str(), run.stderr.as_str()),
            (expected.as_str(), "")
        );
        assert_eq!(bench.server.paths(), [bench.release.path()]);
        assert!(
            !bench.server.heads()[0].contains("uthorization"),
            "{}",
            bench.server.heads()[0]
        );
        let private = bench.private_directories();
        assert_eq!(private.len(), 1);
        assert_eq!(names_in(&private[0]), ["lockgate"]);
        assert_eq!(mode_of(&private[0]), 0o700);
        assert_eq!(
            fs::read(bench.cached("lockgate")).expect("the cache is filled"),
            PROGRAM.as_bytes()
        );
        assert_eq!(mode_of(&bench.cached("lockgate")), 0o755);
        assert_eq!(names_in(&bench.cached("")), ["lockgate"]);
        assert!(bench.marker().exists());
    });
}

#[test]
fn takes_the_binary_from_the_tool_cache_without_a_request() {
    for_each_shell(|shell| {
        let bench = Bench::new(shell, Downloader::Curl);
        bench.fill_cache(PROGRAM, true);
        bench.run(&[]).assert_code(7);
        assert!(bench.server.paths().is_empty());
    });
}

#[test]
fn fetches_again_and_repairs_a_tool_cache_with_altered_bytes() {
    for_each_shell(|shell| {
        let bench = Bench::new(shell, Downloader::Curl);
        bench.fill_cache(INTRUDER, true);
        bench.serve([Answer::Bytes(bench.release.archive.clone())]);
        let run = bench.run(&[]);
        run.assert_code(7);
        assert!(
            run.stderr
                .starts_with("warning: not the released bytes, fetching them again: `"),
            "{}",
            run.stderr
        );
        assert_eq!(
            fs::read(bench.cached("lockgate")).expect("the cache is filled"),
            PROGRAM.as_bytes()
        );
    });
}

#[test]
fn never_runs_an_altered_tool_cache_when_nothing_can_be_fetched() {
    let bench = Bench::new(Shell::sh(), Downloader::Curl);
    bench.fill_cache(INTRUDER, true);
    let run = bench.run(&[]);
    run.assert_refused(3, "cannot download `");
    assert!(!run.stdout.contains("intruder"));
}

#[test]
fn leaves_a_tool_cache_without_its_marker_alone() {
    let bench = Bench::new(Shell::sh(), Downloader::Curl);
    bench.fill_cache(PROGRAM, false);
    bench.serve([Answer::Bytes(bench.release.archive.clone())]);
    bench.run(&[]).assert_code(7);
    assert_eq!(bench.server.paths().len(), 1);
    assert!(bench.marker().exists());
}

#[test]
fn runs_without_a_tool_cache_and_with_one_that_cannot_be_filled() {
    for_each_shell(|shell| {
        let mut bench = Bench::new(shell, Downloader::Curl);
        bench.serve([Answer::Bytes(bench.release.archive.clone())]);
        let file = bench.path("a file");
        fs::write(&file, "").expect("the test directory is writable");
        bench.set("RUNNER_TOOL_CACHE", file.to_str().expect("a plain path"));
        let run = bench.run(&[]);
        run.assert_code(7);
        assert!(
            run.stderr
                .starts_with("notice: cannot fill the tool cache: `"),
            "{}",
            run.stderr
        );
        bench.set("RUNNER_TOOL_CACHE", "");
        let run = bench.run(&[]);
        run.assert_code(7);
        assert_eq!(run.stderr, "");
    });
}

#[test]
fn takes_a_binary_path_that_has_the_recorded_or_the_given_digest() {
    for_each_shell(|shell| {
        let mut bench = Bench::new(shell, Downloader::Curl);
        let program = bench.write("my binary", PROGRAM);
        bench.set("LOCKGATE_BINARY_PATH", &program);
        bench.run(&[]).assert_code(7);
        let other = format!("{PROGRAM}# built by hand\n");
        let program = bench.write("my other binary", &other);
        bench.set("LOCKGATE_BINARY_PATH", &program);
        bench.set(
            "LOCKGATE_BINARY_SHA256",
            &sha256(other.as_bytes()).to_uppercase(),
        );
        bench.run(&[]).assert_code(7);
        bench.set("LOCKGATE_BINARY_PATH", "my other binary");
        bench.run(&[]).assert_code(7);
        assert!(bench.server.paths().is_empty());
    });
}

#[test]
fn refuses_a_binary_path_with_other_bytes() {
    for_each_shell(|shell| {
        let mut bench = Bench::new(shell, Downloader::Curl);
        let intruder = bench.write("intruder", INTRUDER);
        bench.set("LOCKGATE_BINARY_PATH", &intruder);
        let run = bench.run(&[]);
        run.assert_refused(
            3,
            &format!(
                "`{intruder}` has SHA-256 `{}`, not `{}`\n",
                sha256(INTRUDER.as_bytes()),
                bench.release.digest
            ),
        );
        bench.set("LOCKGATE_BINARY_SHA256", &"0".repeat(64));
        bench
            .run(&[])
            .assert_refused(3, &format!("`{intruder}` has SHA-256 `"));
    });
}

#[test]
fn refuses_a_binary_path_that_nothing_vouches_for() {
    let mut bench = Bench::new(Shell::sh(), Downloader::Curl);
    let program = bench.write("my binary", PROGRAM);
    bench.set("LOCKGATE_BINARY_PATH", &program);
    bench.write("actions/checksums.txt", &format!("# lockgate {VERSION}\n"));
    let run = bench.run(&[]);
    run.assert_refused(
        2,
        &format!(
            "no checksum of `lockgate-{VERSION}-{}` in checksums.txt\n",
            target()
        ),
    );
    assert!(
        run.stderr
            .ends_with("\nhint: pass `binary-path` and `binary-sha256`\n"),
        "{}",
        run.stderr
    );
    bench.set("LOCKGATE_BINARY_SHA256", &sha256(PROGRAM.as_bytes()));
    bench.run(&[]).assert_code(7);
}

#[test]
fn refuses_half_and_wrong_inputs() {
    let mut bench = Bench::new(Shell::sh(), Downloader::Curl);
    bench.set("LOCKGATE_BINARY_SHA256", &"0".repeat(64));
    bench
        .run(&[])
        .assert_refused(2, "`binary-sha256` is given without `binary-path`\n");
    bench.set("LOCKGATE_BINARY_SHA256", "sha256:00");
    bench
        .run(&[])
        .assert_refused(2, "`binary-sha256` is no SHA-256 digest: `sha256:00`\n");
    bench.set("LOCKGATE_BINARY_SHA256", "");
    bench.set("LOCKGATE_BINARY_PATH", "/nowhere/lockgate");
    bench
        .run(&[])
        .assert_refused(2, "`binary-path` is not a file: `/nowhere/lockgate`\n");
    let directory = bench.path("").to_str().expect("a plain path").to_owned();
    bench.set("LOCKGATE_BINARY_PATH", &directory);
    bench
        .run(&[])
        .assert_refused(2, "`binary-path` is not a file: `");
    bench.set("LOCKGATE_BINARY_PATH", "");
    for limit in ["0", "soon", "-1", "1.5", "08", "100000"] {
        bench.set("LOCKGATE_DOWNLOAD_TIMEOUT", limit);
        bench.run(&[]).assert_refused(
            2,
            &format!("`LOCKGATE_DOWNLOAD_TIMEOUT` is not a time: `{limit}`\n"),
        );
    }
    bench.set("RUNNER_TEMP", "relative");
    bench
        .run(&[])
        .assert_refused(2, "not an absolute path: `relative`\n");
    bench.set("RUNNER_TEMP", "/nowhere");
    bench
        .run(&[])
        .assert_refused(3, "cannot make a directory in `/nowhere`\n");
}

#[test]
fn reads_empty_variables_as_not_given() {
    for_each_shell(|shell| {
        let mut bench = Bench::new(shell, Downloader::Curl);
        bench.fill_cache(PROGRAM, true);
        for name in [
            "LOCKGATE_BINARY_PATH",
            "LOCKGATE_BINARY_SHA256",
            "LOCKGATE_DOWNLOAD_BASE",
            "LOCKGATE_DOWNLOAD_TIMEOUT",
        ] {
            bench.set(name, "");
        }
        bench.set("RUNNER_TEMP", "");
        let temporary = bench
            .path("runner temp")
            .to_str()
            .expect("a plain path")
            .to_owned();
        bench.set("TMPDIR", &temporary);
        bench.run(&[]).assert_code(7);
        assert_eq!(bench.private_directories().len(), 1);
    });
}

// ---- what a server may answer ----

#[test]
fn refuses_an_archive_with_other_bytes() {
    for_each_combination(|shell, downloader| {
        let bench = Bench::new(shell, downloader);
        bench.serve([Answer::Bytes(archive(&[member(
            &bench.release.name("lockgate"),
            INTRUDER,
        )]))]);
        bench
            .run(&[])
            .assert_refused(3, &format!("not the released bytes: `{}`\n", bench.url()));
        assert_eq!(
            bench.server.paths().len(),
            1,
            "wrong bytes are not asked for twice"
        );
        assert!(!bench.cached("").exists());
        assert!(bench.private_directories().is_empty());
    });
}

#[test]
fn repeats_a_truncated_download_and_refuses_it_in_the_end() {
    for_each_downloader(|downloader| {
        let mut bench = Bench::new(Shell::sh(), downloader);
        let half = Answer::Truncated(bench.release.archive.clone());
        bench.serve([half.clone(), Answer::Bytes(bench.release.archive.clone())]);
        bench.run(&[]).assert_code(7);
        assert_eq!(bench.server.paths().len(), 2);
        fs::remove_dir_all(bench.path("tool cache")).expect("the cache was filled");
        bench.serve([half]);
        bench.set("LOCKGATE_DOWNLOAD_TIMEOUT", "4");
        let url = bench.url();
        bench.run(&[]).assert_refused(
            3,
            &format!("cannot download `{url}`: the answer broke off (attempt "),
        );
        assert!(bench.server.paths().len() > 3);
    });
}

#[test]
fn does_not_repeat_a_request_for_a_missing_archive() {
    for_each_combination(|shell, downloader| {
        let bench = Bench::new(shell, downloader);
        bench.run(&[]).assert_refused(
            3,
            &format!("cannot download `{}`: HTTP status 404\n", bench.url()),
        );
        assert_eq!(bench.server.paths().len(), 1);
    });
}

#[test]
fn repeats_a_request_after_a_passing_failure() {
    for_each_downloader(|downloader| {
        let bench = Bench::new(Shell::sh(), downloader);
        bench.serve([
            Answer::Status(503),
            Answer::Bytes(bench.release.archive.clone()),
        ]);
        bench.run(&[]).assert_code(7);
        assert_eq!(bench.server.paths().len(), 2);
    });
}

#[test]
fn gives_up_on_a_service_that_stays_down() {
    for_each_downloader(|downloader| {
        for status in [408, 429, 500] {
            let mut bench = Bench::new(Shell::sh(), downloader);
            bench.set("LOCKGATE_DOWNLOAD_TIMEOUT", "4");
            bench.serve([Answer::Status(status)]);
            let run = bench.run(&[]);
            let requests = bench.server.paths().len();
            assert!((2..=3).contains(&requests), "{requests}");
            let url = bench.url();
            run.assert_refused(
                3,
                &format!("cannot download `{url}`: HTTP status {status} (attempt {requests})\n"),
            );
        }
    });
}

#[test]
fn gives_up_on_a_refused_connection() {
    for_each_downloader(|downloader| {
        let mut bench = Bench::new(Shell::sh(), downloader);
        let closed = std::net::TcpListener::bind("127.0.0.1:0")
            .and_then(|socket| socket.local_addr())
            .expect("a free port");
        bench.set("LOCKGATE_DOWNLOAD_BASE", &format!("http://{closed}"));
        bench.set("LOCKGATE_DOWNLOAD_TIMEOUT", "2");
        let run = bench.run(&[]);
        run.assert_refused(3, &format!("cannot download `http://{closed}/v{VERSION}/"));
        assert!(run.stderr.contains("onnect"), "{}", run.stderr);
    });
}

#[test]
fn ends_a_download_that_stalls() {
    for_each_downloader(|downloader| {
        let mut bench = Bench::new(Shell::sh(), downloader);
        bench.set("LOCKGATE_DOWNLOAD_TIMEOUT", "2");
        bench.serve([Answer::Stall]);
        let begin = Instant::now();
        bench
            .run(&[])
            .assert_refused(3, &format!("cannot download `{}`: ", bench.url()));
        assert!(
            begin.elapsed() < Duration::from_secs(20),
            "{:?}",
            begin.elapsed()
        );
    });
}

#[test]
fn follows_redirects_on_this_machine() {
    for_each_combination(|shell, downloader| {
        let bench = Bench::new(shell, downloader);
        bench.serve([Answer::Redirect(format!(
            "{}/second?signature=x",
            bench.server.origin("localhost")
        ))]);
        bench.server.script(
            "/second?signature=x",
            [Answer::Redirect("/third".to_owned())],
        );
        bench
            .server
            .script("/third", [Answer::Bytes(bench.release.archive.clone())]);
        bench.run(&[]).assert_code(7);
        assert_eq!(bench.server.paths().len(), 3);
    });
}

#[test]
fn refuses_redirects_to_plain_http_elsewhere() {
    for_each_combination(|shell, downloader| {
        let bench = Bench::new(shell, downloader);
        // This address reaches the same server and is not one of those that count as this machine.
        let elsewhere = bench.server.origin("0.0.0.0");
        bench.serve([Answer::Redirect(format!(
            "{elsewhere}/there?signature=secret"
        ))]);
        bench.server.script(
            "/there?signature=secret",
            [Answer::Bytes(bench.release.archive.clone())],
        );
        let run = bench.run(&[]);
        run.assert_refused(3, &format!("the release server redirects to `{elsewhere}/there`, which is neither https nor this machine\n"));
        assert!(!run.stderr.contains("secret"), "{}", run.stderr);
        if downloader != Downloader::BusyboxWget {
            assert_eq!(
                bench.server.paths().len(),
                1,
                "the redirect is not even followed"
            );
        }
    });
}

#[test]
fn refuses_redirects_to_other_schemes_and_without_end() {
    for_each_downloader(|downloader| {
        let bench = Bench::new(Shell::sh(), downloader);
        bench.serve([Answer::Redirect("file:///dev/zero".to_owned())]);
        bench.run(&[]).assert_refused(
            3,
            "the release server redirects to `file:///dev/zero`, which is ",
        );
        bench.serve([Answer::Redirect(bench.url())]);
        bench
            .run(&[])
            .assert_refused(3, "the release server redirects more than 5 times\n");
        let requests = bench.server.paths().len();
        // Busybox follows sixteen by itself in each of our six.
        let most = if downloader == Downloader::BusyboxWget {
            120
        } else {
            7
        };
        assert!((7..=most).contains(&requests), "{requests}");
    });
}

#[test]
fn refuses_a_download_base_that_is_neither_https_nor_this_machine() {
    for_each_shell(|shell| {
        let mut bench = Bench::new(shell, Downloader::Curl);
        for base in [
            "http://mirror.example/lockgate",
            "http://localhost.mirror.example",
            "http://127.0.0.1.mirror.example",
            "http://localhost:80@mirror.example",
            "https://user:secret@mirror.example/",
            "http://localhost\\@mirror.example",
            "https://mirror.example/?token=secret",
            "https://mirror.example/a b",
            "https://",
            "file:///tmp",
            "mirror.example",
            "-o/tmp/x",
        ] {
            bench.set("LOCKGATE_DOWNLOAD_BASE", base);
            let run = bench.run(&[]);
            run.assert_refused(2, "`LOCKGATE_DOWNLOAD_BASE` cannot be used\n");
            assert!(!run.stderr.contains("secret"), "{base}");
        }
    });
}

// ---- what an archive may hold ----

#[test]
fn refuses_a_wrong_binary_in_the_right_archive() {
    for_each_userland(|downloader| {
        let mut bench = Bench::new(Shell::sh(), downloader);
        let wrong = archive(&[member(&bench.release.name("lockgate"), INTRUDER)]);
        bench.release_archive(wrong);
        let run = bench.run(&[]);
        run.assert_refused(
            3,
            &format!("not the released bytes: `lockgate` in `{}`\n", bench.url()),
        );
        assert!(!bench.cached("").exists());
    });
}

#[test]
fn takes_one_member_and_leaves_the_rest_of_an_archive_packed() {
    for_each_userland(|downloader| {
        let mut bench = Bench::new(Shell::sh(), downloader);
        let crowded = archive(&[
            member("../evil", INTRUDER),
            member(&bench.release.name("LICENSE"), "words"),
            member(&bench.release.name("lockgate"), PROGRAM),
            member("../../evil", INTRUDER),
        ]);
        bench.release_archive(crowded);
        bench.run(&[]).assert_code(7);
        assert_eq!(names_in(&bench.private_directories()[0]), ["lockgate"]);
        assert_eq!(names_in(&bench.path("runner temp")).len(), 1);
        assert!(!bench.path("evil").exists());
    });
}

#[test]
fn refuses_a_link_in_place_of_the_binary() {
    for_each_userland(|downloader| {
        for kind in [b'1', b'2'] {
            let mut bench = Bench::new(Shell::sh(), downloader);
            // The link points to a file with exactly the released bytes.
            let program = bench.write("released", PROGRAM);
            let link = Member {
                kind,
                link: program,
                ..member(&bench.release.name("lockgate"), "")
            };
            bench.release_archive(archive(&[link]));
            let run = bench.run(&[]);
            assert_eq!(run.code, Some(3), "{}", run.stderr);
            assert!(
                run.stderr
                    .contains("error: not the released bytes: `lockgate` in `"),
                "{}",
                run.stderr
            );
        }
    });
}

#[test]
fn refuses_an_archive_that_is_none() {
    for_each_userland(|downloader| {
        let mut bench = Bench::new(Shell::sh(), downloader);
        bench.release_archive(b"<html>::add-mask::no archive</html>".to_vec());
        let run = bench.run(&[]);
        assert_eq!(run.code, Some(3), "{}", run.stderr);
        assert!(
            run.stderr
                .contains("error: not the released bytes: `lockgate` in `"),
            "{}",
            run.stderr
        );
    });
}

// ---- where it runs ----

#[test]
fn refuses_an_unknown_platform() {
    for_each_shell(|shell| {
        let mut bench = Bench::new(shell, Downloader::Curl);
        bench.fake_uname("Plan9", "mips");
        bench
            .run(&[])
            .assert_refused(2, "no lockgate is released for `Plan9 mips`\n");
        let program = bench.write("my binary", PROGRAM);
        bench.set("LOCKGATE_BINARY_PATH", &program);
        bench.set("LOCKGATE_BINARY_SHA256", &bench.release.digest.clone());
        bench.run(&[]).assert_code(7);
    });
}

#[test]
fn asks_for_the_archive_of_each_platform() {
    for (system, machine, target) in [
        ("Linux", "x86_64", "x86_64-unknown-linux-musl"),
        ("Linux", "aarch64", "aarch64-unknown-linux-musl"),
        ("Darwin", "x86_64", "x86_64-apple-darwin"),
        ("Darwin", "arm64", "aarch64-apple-darwin"),
    ] {
        let mut bench = Bench::new(Shell::sh(), Downloader::Curl);
        bench.fake_uname(system, machine);
        bench.set("RUNNER_OS", "Windows");
        bench.set("RUNNER_ARCH", "X86");
        bench.release.target = target.to_owned();
        bench.release_archive(archive(&[member(&bench.release.name("lockgate"), PROGRAM)]));
        bench.run(&[]).assert_code(7);
    }
}

#[test]
fn hashes_with_whatever_tool_there_is() {
    for hasher in ["sha256sum", "shasum", "openssl", "python3"] {
        let mut bench = Bench::new(Shell::sh(), Downloader::Curl);
        fs::remove_file(bench.path("tools/sha256sum")).expect("the usual tool is linked");
        if !link_tool(&bench.path("tools"), hasher) {
            not_tried(hasher);
            continue;
        }
        link_tool(&bench.path("tools"), "perl");
        bench.fill_cache(PROGRAM, true);
        bench.run(&[]).assert_code(7);
        let intruder = bench.write("intruder", INTRUDER);
        bench.set("LOCKGATE_BINARY_PATH", &intruder);
        bench.run(&[]).assert_refused(
            3,
            &format!("`{intruder}` has SHA-256 `{}`", sha256(INTRUDER.as_bytes())),
        );
    }
}

#[test]
fn says_which_tools_are_missing() {
    let bench = Bench::new(Shell::sh(), Downloader::Curl);
    fs::remove_file(bench.path("tools/curl")).expect("curl is linked");
    bench
        .run(&[])
        .assert_refused(2, "nothing here can download\n");
    bench.fake_tool("wget", "echo GNU Wget2 2.2.0");
    bench.fake_tool("timeout", "exit 1");
    bench
        .run(&[])
        .assert_refused(2, "nothing here can download\n");
    fs::remove_file(bench.path("tools/sha256sum")).expect("sha256sum is linked");
    bench
        .run(&[])
        .assert_refused(2, "nothing here computes SHA-256\n");
}

#[test]
fn puts_a_private_directory_on_the_path() {
    for_each_shell(|shell| {
        let mut bench = Bench::new(shell, Downloader::Curl);
        bench.fill_cache(PROGRAM, true);
        let file = bench.write("path file", "/earlier\n");
        bench.set("GITHUB_PATH", &file);
        let run = bench.run(&["--add-to-path"]);
        run.assert_code(0);
        assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""));
        let directory = bench.private_directories().remove(0);
        let lines = fs::read_to_string(&file).expect("the file is there");
        assert_eq!(lines, format!("/earlier\n{}\n", directory.display()));
        assert_eq!(names_in(&directory), ["lockgate"]);
        let run = bench.run(&["--add-to-path", "lint-gate", "--add-to-path"]);
        run.assert_code(7);
        assert!(
            run.stdout.ends_with("<lint-gate>\n<--add-to-path>\n"),
            "{}",
            run.stdout
        );
        bench.set("GITHUB_PATH", "");
        bench
            .run(&["--add-to-path"])
            .assert_refused(2, "`--add-to-path` needs GITHUB_PATH\n");
        bench.set("GITHUB_PATH", "/nowhere/path");
        let run = bench.run(&["--add-to-path"]);
        assert_eq!(run.code, Some(3), "{}", run.stderr);
        assert!(
            run.stderr.contains("error: cannot write `/nowhere/path`\n"),
            "{}",
            run.stderr
        );
    });
}

#[test]
fn writes_one_escaped_workflow_command_for_an_error() {
    for_each_shell(|shell| {
        let mut bench = Bench::new(shell, Downloader::Curl);
        bench.set("GITHUB_ACTIONS", "true");
        bench.set(
            "LOCKGATE_BINARY_PATH",
            "/x\n::add-mask::a\r%0A ##[error]b\u{1b}[31m\u{9b}é",
        );
        let run = bench.run(&[]);
        assert_eq!(run.code, Some(2));
        assert_eq!(
            run.stderr,
            "error: `binary-path` is not a file: `/x?::add-mask::a?%0A ## [error]b?[31m?é`\n\n\
             hint: give the path of a lockgate binary\n\
             ::error title=lockgate::`binary-path` is not a file: `/x?::add-mask::a?%250A ## [error]b?[31m?é`; \
             hint: give the path of a lockgate binary\n"
        );
    });
}

#[test]
fn stops_at_once_and_cleans_up_when_it_is_told_to() {
    for_each_combination(|shell, downloader| {
        for (signal, code) in [("TERM", 143), ("INT", 130)] {
            if signal == "INT" && ignores_interrupts() {
                not_tried("a process that SIGINT reaches");
                continue;
            }
            let bench = Bench::new(shell.clone(), downloader);
            bench.serve([Answer::Stall]);
            let child = bench.start(&[]);
            let stalled = wait_until(|| bench.server.stalled() == 1);
            assert!(stalled, "the request arrives");
            let told = Instant::now();
            let kill = format!("kill -{signal} {}", child.id());
            let status = Command::new("sh").args(["-c", &kill]).status();
            assert!(status.expect("sh runs").success());
            let run = finish(child);
            assert_eq!(run.code, Some(code), "{}", run.stderr);
            // The download itself would go on for much longer.
            assert!(told.elapsed() < Duration::from_mins(1), "{shell:?}");
            assert!(bench.private_directories().is_empty());
            let ended = wait_until(|| bench.server.stalled() == 0);
            assert!(ended, "{downloader:?} goes on alone");
        }
    });
}

// ---- the files as they are committed ----

#[test]
fn fails_closed_before_the_first_release() {
    let mut bench = Bench::new(Shell::sh(), Downloader::Curl);
    let committed = format!("# lockgate {}\n", env!("CARGO_PKG_VERSION"));
    bench.write("actions/checksums.txt", &committed);
    let run = bench.run(&["--version"]);
    run.assert_refused(
        2,
        &format!(
            "no checksum of `lockgate-{}-{}` in checksums.txt\n",
            env!("CARGO_PKG_VERSION"),
            target()
        ),
    );
    assert!(
        run.stderr
            .ends_with("\nhint: pass `binary-path` and `binary-sha256`\n"),
        "{}",
        run.stderr
    );
    fs::remove_file(bench.path("actions/checksums.txt")).expect("the file is there");
    bench.run(&[]).assert_refused(2, "cannot read `");
    bench.set("LOCKGATE_BINARY_PATH", "nowhere");
    bench.run(&[]).assert_refused(2, "cannot read `");
}

#[test]
fn records_the_version_of_this_package_and_digests_only() {
    let text = fs::read_to_string(actions().join("checksums.txt")).expect("the file is committed");
    let version = env!("CARGO_PKG_VERSION");
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some(format!("# lockgate {version}").as_str()));
    for line in lines {
        let (digest, name) = line.split_once("  ").expect("a digest, two spaces, a name");
        assert!(
            digest.len() == 64
                && digest
                    .bytes()
                    .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')),
            "{line}"
        );
        assert!(name.starts_with(&format!("lockgate-{version}-")), "{line}");
    }
    assert!(text.ends_with('\n'));
}

#[test]
fn the_powershell_script_parses() {
    const PROGRAM: &str = "import sys, tree_sitter, tree_sitter_powershell\n\
        parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_powershell.language()))\n\
        def faults(node):\n\
        \x20   if node.is_error or node.is_missing:\n\
        \x20       yield f'{node.start_point[0] + 1}:{node.start_point[1] + 1}: {node.type}'\n\
        \x20   for child in node.children:\n\
        \x20       yield from faults(child)\n\
        print('\\n'.join(faults(parser.parse(sys.stdin.buffer.read()).root_node)))\n";
    let faults = |script: &[u8]| {
        let mut command = Command::new(crate::support::tools::python());
        output_of(command.args(["-I", "-c", PROGRAM]), script)
    };
    let script = fs::read(actions().join("install.ps1")).expect("the file is committed");
    assert_eq!(String::from_utf8_lossy(&faults(&script)).trim(), "");
    assert_ne!(
        String::from_utf8_lossy(&faults(b"if ($true { }")).trim(),
        "",
        "the parser notices a fault"
    );
}

// ---- the workbench ----

#[derive(Clone, Debug)]
struct Shell(Vec<PathBuf>);

/// A copy of the script with checksums of its own, a PATH of chosen tools, and a server; every path holds a space.
struct Bench {
    root: TempDir,
    shell: Shell,
    server: ReleaseServer,
    release: Release,
    environment: BTreeMap<String, String>,
}

struct Release {
    target: String,
    digest: String,
    archive: Vec<u8>,
}

struct Run {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

struct Member {
    name: String,
    kind: u8,
    link: String,
    body: Vec<u8>,
}

impl Shell {
    fn sh() -> Self {
        Self(vec![find("sh").expect("every Unix has sh")])
    }
}

impl Bench {
    fn new(shell: Shell, downloader: Downloader) -> Self {
        let root = tempfile::Builder::new()
            .prefix("install test ")
            .tempdir()
            .expect("a temporary directory");
        let server = ReleaseServer::start();
        let release = Release {
            target: target(),
            digest: sha256(PROGRAM.as_bytes()),
            archive: Vec::new(),
        };
        let mut bench = Self {
            root,
            shell,
            server,
            release,
            environment: BTreeMap::new(),
        };
        for directory in ["actions", "home", "runner temp", "tools"] {
            fs::create_dir(bench.path(directory)).expect("the test directory is writable");
        }
        fs::copy(
            actions().join("install.sh"),
            bench.path("actions/install.sh"),
        )
        .expect("the script is committed");
        bench.link_tools(downloader);
        // None of this may be used: it would send a password.
        bench.write("home/.netrc", "default login somebody password secret\n");
        bench.write("home/.curlrc", "user = \"somebody:secret\"\n");
        bench.write(
            "home/.wgetrc",
            "user = somebody\npassword = secret\nauth_no_challenge = on\n",
        );
        for (name, value) in [
            ("PATH", "tools"),
            ("HOME", "home"),
            ("RUNNER_TEMP", "runner temp"),
            ("RUNNER_TOOL_CACHE", "tool cache"),
        ] {
            let path = bench.path(value).to_str().expect("a plain path").to_owned();
            bench.set(name, &path);
        }
        bench.set("LOCKGATE_DOWNLOAD_BASE", &bench.server.origin("127.0.0.1"));
        bench.set("LOCKGATE_DOWNLOAD_TIMEOUT", "60");
        bench.set("target", "kept");
        bench.set("CDPATH", "/");
        bench.set("IFS", "/lock");
        let archive = archive(&[member(&bench.release.name("lockgate"), PROGRAM)]);
        bench.record(archive);
        bench
    }

    fn link_tools(&self, downloader: Downloader) {
        let tools = self.path("tools");
        if downloader == Downloader::BusyboxWget {
            let busybox = find("busybox").expect("the caller looked for it");
            for tool in TOOLS.iter().chain(&["sha256sum", "timeout", "wget"]) {
                symlink(&busybox, tools.join(tool)).expect("the test directory is writable");
            }
            return;
        }
        for tool in TOOLS {
            assert!(link_tool(&tools, tool), "`{tool}` is on PATH");
        }
        assert!(
            link_tool(&tools, "sha256sum") || link_tool(&tools, "shasum"),
            "a hash tool is on PATH"
        );
        for tool in match downloader {
            Downloader::Curl => &["curl"][..],
            Downloader::GnuWget => &["wget", "timeout"],
            Downloader::BusyboxWget | Downloader::Python => &["python3"],
        } {
            assert!(link_tool(&tools, tool), "the caller looked for `{tool}`");
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    fn set(&mut self, name: &str, value: &str) {
        self.environment.insert(name.to_owned(), value.to_owned());
    }

    /// Writes a file and says where.
    fn write(&self, name: &str, text: &str) -> String {
        fs::write(self.path(name), text).expect("the test directory is writable");
        self.path(name).to_str().expect("a plain path").to_owned()
    }

    fn fake_tool(&self, name: &str, script: &str) {
        let file = self.path("tools").join(name);
        if file.exists() {
            fs::remove_file(&file).expect("the link is ours");
        }
        fs::write(&file, format!("#!/bin/sh\n{script}\n")).expect("the test directory is writable");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("the file is ours");
    }

    fn fake_uname(&self, system: &str, machine: &str) {
        let script = format!("case $1 in -s) echo {system} ;; -m) echo {machine} ;; esac");
        self.fake_tool("uname", &script);
    }

    /// Puts the archive on record in checksums.txt, beside a release for a platform that nobody has.
    fn record(&mut self, archive: Vec<u8>) {
        let name = format!("lockgate-{VERSION}-{}", self.release.target);
        let text = format!(
            "# lockgate {VERSION}\n{other}  lockgate-{VERSION}-vax-dec-ultrix.tar.gz\n{}  {name}.tar.gz\n{}  {name}/lockgate\n",
            sha256(&archive),
            self.release.digest,
            other = "0".repeat(64),
        );
        self.write("actions/checksums.txt", &text);
        self.release.archive = archive;
    }

    fn release_archive(&mut self, archive: Vec<u8>) {
        self.record(archive);
        self.serve([Answer::Bytes(self.release.archive.clone())]);
    }

    fn serve(&self, answers: impl IntoIterator<Item = Answer>) {
        self.server.script(&self.release.path(), answers);
    }

    fn url(&self) -> String {
        self.server.origin("127.0.0.1") + &self.release.path()
    }

    fn cached(&self, name: &str) -> PathBuf {
        let architecture = if target().starts_with("x86_64") {
            "x64"
        } else {
            "arm64"
        };
        self.path("tool cache/lockgate")
            .join(VERSION)
            .join(architecture)
            .join(name)
    }

    fn marker(&self) -> PathBuf {
        let mut name = self
            .cached("")
            .to_str()
            .expect("a plain path")
            .trim_end_matches('/')
            .to_owned();
        name.push_str(".complete");
        PathBuf::from(name)
    }

    fn fill_cache(&self, program: &str, complete: bool) {
        fs::create_dir_all(self.cached("")).expect("the test directory is writable");
        fs::write(self.cached("lockgate"), program).expect("the test directory is writable");
        fs::set_permissions(self.cached("lockgate"), fs::Permissions::from_mode(0o755))
            .expect("the file is ours");
        if complete {
            fs::write(self.marker(), "").expect("the test directory is writable");
        }
    }

    fn private_directories(&self) -> Vec<PathBuf> {
        let temporary = self.path("runner temp");
        names_in(&temporary)
            .iter()
            .map(|name| temporary.join(name))
            .collect()
    }

    fn start(&self, arguments: &[&str]) -> Child {
        let mut command = Command::new(&self.shell.0[0]);
        command
            .args(&self.shell.0[1..])
            .arg(self.path("actions/inner/../install.sh"))
            .args(arguments);
        fs::create_dir_all(self.path("actions/inner")).expect("the test directory is writable");
        command
            .env_clear()
            .envs(&self.environment)
            .current_dir(self.root.path());
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command.spawn().expect("the shell starts")
    }

    fn run(&self, arguments: &[&str]) -> Run {
        finish(self.start(arguments))
    }
}

impl Release {
    fn name(&self, file: &str) -> String {
        format!("lockgate-{VERSION}-{}/{file}", self.target)
    }

    fn path(&self) -> String {
        format!("/v{VERSION}/lockgate-{VERSION}-{}.tar.gz", self.target)
    }
}

impl Run {
    #[track_caller]
    fn assert_code(&self, code: i32) {
        assert_eq!(
            self.code,
            Some(code),
            "stdout: {}\nstderr: {}",
            self.stdout,
            self.stderr
        );
    }

    /// Nothing ran, and the first thing said after warnings is this error, with a hint.
    #[track_caller]
    fn assert_refused(&self, code: i32, message: &str) {
        self.assert_code(code);
        assert_eq!(self.stdout, "");
        let error = self
            .stderr
            .lines()
            .position(|line| !line.starts_with("warning: "))
            .unwrap_or_default();
        let text: String = self.stderr.split_inclusive('\n').skip(error).collect();
        assert!(
            text.starts_with(&format!("error: {message}")),
            "{}",
            self.stderr
        );
        assert!(text.contains("\n\nhint: "), "{}", self.stderr);
    }
}

fn finish(child: Child) -> Run {
    let output = child.wait_with_output().expect("the shell ends");
    Run {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

fn wait_until(condition: impl Fn() -> bool) -> bool {
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(20) {
        if condition() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    false
}

/// Whether SIGINT is ignored here and so in all children, which a shell cannot undo.
fn ignores_interrupts() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .is_some_and(|mask| mask & 0b10 != 0)
}

fn for_each_shell(check: impl Fn(Shell)) {
    for words in [&["sh"][..], &["dash"], &["bash"], &["busybox", "sh"]] {
        match find(words[0]) {
            Some(program) => check(Shell(
                [program]
                    .into_iter()
                    .chain(words[1..].iter().map(PathBuf::from))
                    .collect(),
            )),
            None => not_tried(words[0]),
        }
    }
}

fn for_each_downloader(check: impl Fn(Downloader) + Sync) {
    // Most of the time goes by in waiting, so the tools are tried side by side.
    std::thread::scope(|scope| {
        for downloader in DOWNLOADERS
            .into_iter()
            .filter(|downloader| available(*downloader))
        {
            let check = &check;
            scope.spawn(move || check(downloader));
        }
    });
}

fn for_each_combination(check: impl Fn(Shell, Downloader) + Sync) {
    for_each_downloader(|downloader| for_each_shell(|shell| check(shell, downloader)));
}

/// With the tools of the system and with those of busybox.
fn for_each_userland(check: impl Fn(Downloader)) {
    for downloader in [Downloader::Curl, Downloader::BusyboxWget] {
        if available(downloader) {
            check(downloader);
        }
    }
}

fn available(downloader: Downloader) -> bool {
    let found = match downloader {
        Downloader::Curl => find("curl").is_some(),
        Downloader::GnuWget => {
            find("timeout").is_some() && find("wget").is_some_and(|wget| is_gnu(&wget))
        }
        Downloader::BusyboxWget => find("busybox").is_some(),
        Downloader::Python => find("python3").is_some(),
    };
    if !found {
        not_tried(&format!("{downloader:?}"));
    }
    found
}

fn is_gnu(wget: &Path) -> bool {
    Command::new(wget)
        .arg("--version")
        .output()
        .is_ok_and(|output| output.stdout.starts_with(b"GNU Wget "))
}

/// A tool is missing here: said on a laptop, a failure in CI.
#[expect(
    clippy::print_stderr,
    reason = "a test that tried less than it promises has to say so"
)]
fn not_tried(what: &str) {
    assert!(
        std::env::var_os("CI").is_none_or(|value| value != "true"),
        "`{what}` is missing, and CI must try it"
    );
    eprintln!("not tried here: `{what}` is missing");
}

fn find(program: &str) -> Option<PathBuf> {
    let directories = std::env::var_os("PATH")?;
    let found = std::env::split_paths(&directories)
        .map(|directory| directory.join(program))
        .find(|file| file.is_file())?;
    if program != "python3" {
        return Some(found);
    }
    // A version manager's wrapper needs more tools than the tests leave it: ask for the interpreter itself.
    let output = Command::new(found)
        .args(["-I", "-c", "import sys; print(sys.executable)"])
        .output()
        .ok()?;
    Some(PathBuf::from(String::from_utf8(output.stdout).ok()?.trim()))
}

fn link_tool(directory: &Path, tool: &str) -> bool {
    find(tool).is_some_and(|program| symlink(program, directory.join(tool)).is_ok())
}

fn actions() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("actions")
}

fn target() -> String {
    let system = if cfg!(target_os = "macos") {
        "apple-darwin"
    } else {
        "unknown-linux-musl"
    };
    format!("{}-{system}", std::env::consts::ARCH)
}

fn current_umask() -> String {
    let output = Command::new("sh")
        .args(["-c", "umask"])
        .output()
        .expect("every Unix has sh");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn names_in(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(directory)
        .expect("the directory is there")
        .map(|entry| {
            entry
                .expect("it can be listed")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    names.sort();
    names
}

fn mode_of(file: &Path) -> u32 {
    fs::metadata(file)
        .expect("the file is there")
        .permissions()
        .mode()
        & 0o777
}

fn sha256(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in Sha256::digest(bytes) {
        write!(text, "{byte:02x}").expect("a string takes any text");
    }
    text
}

fn member(name: &str, body: &str) -> Member {
    Member {
        name: name.to_owned(),
        kind: b'0',
        link: String::new(),
        body: body.as_bytes().to_vec(),
    }
}

/// A gzipped tar archive, written by hand so that it may hold what `tar` would not pack.
fn archive(members: &[Member]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for member in members {
        let mut header = [0_u8; 512];
        let mut put = |offset: usize, text: &str| {
            header[offset..offset + text.len()].copy_from_slice(text.as_bytes());
        };
        put(0, &member.name);
        put(100, "0000755\0");
        put(108, "0000000\0");
        put(116, "0000000\0");
        put(124, &format!("{:011o}\0", member.body.len()));
        put(136, "00000000000\0");
        put(148, "        ");
        put(157, &member.link);
        put(257, "ustar\x0000");
        header[156] = member.kind;
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        bytes.extend_from_slice(&header);
        bytes.extend_from_slice(&member.body);
        bytes.resize(bytes.len().next_multiple_of(512), 0);
    }
    bytes.resize(bytes.len() + 1024, 0);
    output_of(Command::new("gzip").args(["-n", "-c"]), &bytes)
}

/// Small inputs only: they fit into the pipe.
fn output_of(command: &mut Command, input: &[u8]) -> Vec<u8> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the tool starts");
    child
        .stdin
        .take()
        .expect("the input is a pipe")
        .write_all(input)
        .expect("the tool reads");
    let output = child.wait_with_output().expect("the tool ends");
    assert!(output.status.success(), "{command:?}");
    output.stdout
}
