//! `hash-files`: the digests of the runner, taken from the official implementation.

use std::path::Path;

use lockgate::error::{Kind, Result};
use lockgate::system::hash_files::{Digest, digest, read_patterns};
use serde_json::json;
use tempfile::TempDir;

use crate::support::lockgate::Project;

/// A workspace with a folder beside it.
pub(crate) struct Tree(TempDir);

impl Tree {
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        std::fs::create_dir(folder.path().join("workspace")).expect("a folder");
        Self(folder)
    }

    pub(crate) fn workspace(&self) -> std::path::PathBuf {
        let path = self.0.path().join("workspace");
        path.canonicalize().expect("a workspace")
    }

    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.workspace().join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, content).expect("a file");
    }

    pub(crate) fn link(&self, path: &str, target: impl AsRef<Path>) {
        let path = self.workspace().join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::os::unix::fs::symlink(target, path).expect("a link");
    }

    pub(crate) fn digest(&self, patterns: &str, follow: bool) -> Result<Digest> {
        let workspace = self.workspace();
        let patterns = read_patterns("patterns", patterns, &workspace, None)?;
        digest(&patterns, &workspace, follow)
    }
}

/// The tree that the digests below were made of, by the official package.
pub(crate) fn odd_tree() -> Tree {
    let tree = Tree::new();
    let big = "x".repeat(200_000);
    for (path, content) in [
        ("uv.lock", "version = 1\n"),
        ("a/uv.lock", "version = 1\r\n"),
        ("B/uv.lock", "B\n"),
        ("a/b/uv.lock", "ab\n"),
        (".hidden/uv.lock", "hid\n"),
        ("node_modules/x/uv.lock", "nm\n"),
        ("pyproject.toml", "[project]\n"),
        ("requirements.txt", "a==1\n"),
        ("requirements-dev.txt", "b==1\n"),
        ("src/UV.LOCK", "UP\n"),
        ("\u{e9}t\u{e9}/uv.lock", "\u{e9}\n"),
        ("e\u{301}/uv.lock", "nfd\n"),
        ("empty/uv.lock", ""),
        ("z[1]/uv.lock", "br\n"),
        ("sp ace/uv.lock", "sp\n"),
        ("dir/only/file.txt", "f\n"),
        ("big.lock", &big),
        ("../outside/uv.lock", "OUT\n"),
        ("../outside/d/uv.lock", "OUTD\n"),
    ] {
        tree.write(path, content);
    }
    for (path, target) in [
        ("dir/link.lock", "../uv.lock"),
        ("dir/out.lock", "../../outside/uv.lock"),
        ("dir/dlink", "../../outside/d"),
    ] {
        tree.link(path, target);
    }
    tree
}

#[test]
fn digests_are_those_of_the_runner() {
    let tree = odd_tree();
    for (patterns, follow, expected) in [
        (
            "**/uv.lock",
            false,
            "931749768c75121692cc5319649474cba9c2489e2ad272aef623dd79c8924099",
        ),
        (
            "**/uv.lock",
            true,
            "98c0f5002f79cefcb6d67420e5a84496b60cdc8237d185968f3ac248877c9909",
        ),
        (
            "**/uv.lock\n!**/node_modules/**",
            false,
            "3a27f36c812baa6b32d05ee66d4244d04bae61d4b884603d5b8d94ae70996ff4",
        ),
        (
            "**/uv.lock\n!a/**\na/b/uv.lock",
            false,
            "a0f29337c679ee7fce9eb27a0b687acb0cd009f0b058ca6935a5c1f379257413",
        ),
        (
            "uv.lock",
            false,
            "9e876fc4f9af99beac85971da4c9ad27eaa4917a185349b5eb3834d5f16d2426",
        ),
        (
            "./uv.lock",
            false,
            "9e876fc4f9af99beac85971da4c9ad27eaa4917a185349b5eb3834d5f16d2426",
        ),
        (
            "# comment\n  uv.lock  \n",
            false,
            "9e876fc4f9af99beac85971da4c9ad27eaa4917a185349b5eb3834d5f16d2426",
        ),
        (
            "pyproject.toml\nuv.lock",
            false,
            "a2d93b27976cb086b35ee42bbd0ccf3b854fa63c02da549a7f19fa614273ba01",
        ),
        (
            "uv.lock\npyproject.toml",
            false,
            "51f1adde10a964f2f046594b799f979be8823df6db1f804f549c97f22c38fcb9",
        ),
        (
            "**/requirements*.txt",
            false,
            "1a3b5eb2ce79f5f1395285e4751286408183e3211fadfbf6c4a4cd66d3ac5833",
        ),
        (
            "dir",
            false,
            "b2b4f0cfaa3960178ed2e8049cb3634c81f36b80b8ad52a2b66ad57b1be04ae6",
        ),
        (
            "dir/**",
            true,
            "85ede35b73bc4c2cbaa90c0e3390601be204abe0f73fe81f6426a0e5c2f11e67",
        ),
        (
            "**/*.LOCK",
            false,
            "6dbee41e226af6ee76c81159fdddf99759080163fada6278c0648e15769632de",
        ),
        (
            "\u{e9}t\u{e9}/uv.lock",
            false,
            "9b456e9a5f4cccbe1b3ea4fab29e487a640dbebc2bdf41e5d1a72143ba13f5eb",
        ),
        ("z[1]/uv.lock", false, ""),
        (
            "z[[]1]/uv.lock",
            false,
            "294a55ffd51d0483b21044b1a99e9d41c3fa92df36675cfe0dcf9d033d971d84",
        ),
        ("{uv.lock,pyproject.toml}", false, ""),
        ("nope/**", false, ""),
        ("!uv.lock", false, ""),
        (
            "big.lock",
            false,
            "39dd7513195baad354b86b34abdc6bc44c617caf4b68418655ae4375432a12ae",
        ),
        (
            "empty/uv.lock",
            false,
            "5df6e0e2761359d30a8275058e299fcc0381534545f55cf43e41983f5d4c9456",
        ),
        (
            "**",
            false,
            "f1a1b3c01eb38fe1e8452d8cc2891ef9d9c69ffb8976e69f9c0b4d1eeb8bc56a",
        ),
    ] {
        let digest = tree.digest(patterns, follow).expect("a digest");
        assert_eq!(
            digest.hex.as_deref().unwrap_or_default(),
            expected,
            "{patterns}"
        );
    }
}

#[test]
fn parent_folders_in_a_pattern_are_refused_with_its_line() {
    let tree = odd_tree();
    for pattern in ["../outside/uv.lock", "a/../uv.lock", "[.]./uv.lock"] {
        let text = format!("uv.lock\n{pattern}");
        let error = tree.digest(&text, false).expect_err("a refusal");
        assert_eq!(error.kind, Kind::Usage);
        assert_eq!(
            error.message,
            format!("`patterns`: `{pattern}` is no pattern")
        );
        assert!(error.causes[0].starts_with("line 2: "), "{error:?}");
    }
}

#[test]
fn a_broken_link_is_an_error_unless_links_are_followed() {
    let tree = odd_tree();
    tree.link("dir/broken.lock", "nowhere");
    let error = tree.digest("dir/*.lock", false).expect_err("a refusal");
    assert_eq!(error.kind, Kind::Usage);
    assert!(
        error.message.ends_with("dir/broken.lock` leads nowhere"),
        "{error:?}"
    );
    let followed = tree.digest("dir/*.lock", true).expect("a digest");
    assert_eq!(
        followed.hex.as_deref(),
        Some("eac48a21ec09cb93406ec80117ddc9849907fcd0d08fe222209f14b05977302e")
    );
}

#[test]
fn patterns_without_a_file_of_their_own_are_named() {
    let tree = odd_tree();
    let unmatched = |patterns| {
        tree.digest(patterns, false)
            .expect("a digest")
            .found
            .unmatched
    };
    assert_eq!(unmatched("**/uv.lock\nnope/**\n!a/**\n./dir"), ["nope/**"]);
    // What others take away was matched all the same.
    assert_eq!(unmatched("uv.lock\n!uv.lock"), Vec::<String>::new());
    assert_eq!(unmatched("empty\nz[1]/*"), ["z[1]/*"]);
}

const ONE_LOCK: &str = "9e876fc4f9af99beac85971da4c9ad27eaa4917a185349b5eb3834d5f16d2426";

fn with_lock() -> Project {
    let project = Project::empty();
    project.write("uv.lock", "version = 1\n");
    project
}

#[test]
fn the_digest_alone_is_printed() {
    let run = with_lock().run(&["hash-files", "uv.lock"]);
    run.expect_code(0);
    assert_eq!(
        (run.stdout.as_str(), run.stderr.as_str()),
        (&*format!("{ONE_LOCK}\n"), "")
    );
}

#[test]
fn json_holds_the_files_in_order() {
    let project = with_lock();
    project.write("B/uv.lock", "B\n").write("a/uv.lock", "a\n");
    let run = project.run(&[
        "hash-files",
        "**/uv.lock",
        "!a/**",
        "--output-format",
        "json",
    ]);
    let report = run.expect_code(0).json();
    assert_eq!(report["files"], json!(["B/uv.lock", "uv.lock"]));
    assert_eq!(report["outputs"]["hash"], report["digest"]);
    let schema = std::fs::read_to_string(
        crate::support::expect::root().join("docs/schemas/report.schema.json"),
    );
    let schema = serde_json::from_str(&schema.expect("the schema")).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    assert!(validator.is_valid(&report), "{report:#}");
}

#[test]
fn in_a_workflow_the_digest_is_an_output() {
    let project = with_lock().in_workflow("push", &json!({}));
    let project = project.with("INPUT_PATTERNS", "# the lock\nuv.lock\n");
    project.run(&["hash-files"]).expect_code(0);
    let output = project.temp_file("output");
    assert!(
        output.starts_with("hash<<") && output.contains(ONE_LOCK),
        "{output}"
    );
}

#[test]
fn a_pattern_that_matches_nothing_is_an_error_that_names_it() {
    let project = with_lock();
    let run = project.run(&["hash-files", "uv.lock", "z[1]/*", "nope"]);
    run.expect_code(2)
        .expect_text("error: `patterns`: `z[1]/*` matches no file")
        .expect_text("nor does `nope`")
        .expect_text("`[[]` for a bracket");
    assert_eq!(run.stdout, "");
    let run = project.run(&["hash-files", "uv.lock", "nope", "--allow-empty"]);
    assert_eq!(run.expect_code(0).stdout, format!("{ONE_LOCK}\n"));
    let run = project.run(&["hash-files", "nope", "--allow-empty"]);
    assert_eq!(run.expect_code(0).stdout, "\n");
    project
        .run(&["hash-files", "uv.lock", "!**"])
        .expect_code(2)
        .expect_text("all files that the patterns match are taken away again");
}

#[test]
fn nothing_to_look_for_and_findings_that_nobody_has_are_refused() {
    let project = with_lock();
    project
        .run(&["hash-files"])
        .expect_code(2)
        .expect_text("`patterns` needs a value");
    project
        .run(&["hash-files", "uv.lock", "--output-format", "sarif"])
        .expect_code(2)
        .expect_text("no findings that SARIF could hold");
    project
        .run(&["hash-files", "a/../uv.lock"])
        .expect_code(2)
        .expect_text("`patterns`: `a/../uv.lock` is no pattern");
}

#[test]
fn links_to_folders_are_followed_on_request() {
    let project = with_lock();
    std::os::unix::fs::symlink(".", project.path().join("again")).expect("a link");
    project.run(&["hash-files", "again/*.lock"]).expect_code(2);
    let run = project.run(&["hash-files", "again/*.lock", "--follow-symbolic-links"]);
    assert_eq!(run.expect_code(0).stdout, format!("{ONE_LOCK}\n"));
}

#[test]
fn what_has_no_end_is_no_verdict_and_the_empty_device_is_empty() {
    let project = Project::empty();
    std::os::unix::fs::symlink("/dev/null", project.path().join("masked")).expect("a link");
    project.write("empty", "");
    let null = project.run(&["hash-files", "masked"]).stdout;
    assert_eq!(null, project.run(&["hash-files", "empty"]).stdout);
    std::os::unix::fs::symlink("/dev/zero", project.path().join("zero")).expect("a link");
    let made = std::process::Command::new("mkfifo")
        .arg(project.path().join("pipe"))
        .status();
    assert!(made.expect("mkfifo").success());
    for name in ["zero", "pipe"] {
        let run = project.run(&["hash-files", name]);
        run.expect_code(3).expect_text("cannot be read");
        assert_eq!(run.stdout, "");
    }
}

#[test]
fn a_name_that_is_not_utf_8_fails_as_in_the_runner_or_is_passed_over_with_links() {
    use std::os::unix::ffi::OsStrExt as _;
    let project = with_lock();
    let odd = project.path().join(std::ffi::OsStr::from_bytes(b"a\xff"));
    std::fs::write(odd, "x").expect("a file");
    project
        .run(&["hash-files", "**"])
        .expect_code(2)
        .expect_text("has a name that is not UTF-8");
    let run = project.run(&["hash-files", "**", "--follow-symbolic-links"]);
    assert_eq!(run.expect_code(0).stdout, format!("{ONE_LOCK}\n"));
    // Nobody asked for it.
    project.run(&["hash-files", "uv.*"]).expect_code(0);
}
