use super::*;
use crate::lockfiles::{Format, read};
use crate::model::sources::Sources;

fn lock(format: Format, text: &str) -> Lock {
    let mut sources = Sources::default();
    let file = sources.add("lock", text.as_bytes().to_vec()).unwrap();
    let reading = read(format, file, &sources);
    assert!(reading.faults.is_empty(), "{:?}", reading.faults);
    semantic(&reading.lockfile.unwrap(), &[], "lock")
}

const UV: &str = r#"version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "app"
version = "0.1.0"
source = { editable = "." }
dependencies = [
    { name = "six" },
    { name = "tqdm", marker = "sys_platform == 'win32'" },
]

[package.dev-dependencies]
dev = [
    { name = "tqdm" },
]

[package.metadata]
requires-dist = [{ name = "six", specifier = ">=1" }]

[[package]]
name = "six"
version = "1.17.0"
source = { registry = "https://index.example/simple" }
sdist = { url = "https://files.example/six-1.17.0.tar.gz", hash = "sha256:aa", size = 1, upload-time = "2024-12-04T17:35:28Z" }
wheels = [
    { url = "https://files.example/six-1.17.0-py2-none-any.whl", hash = "sha256:bb" },
    { url = "https://files.example/six-1.17.0-py3-none-any.whl", hash = "sha256:cc" },
]

[[package]]
name = "tqdm"
version = "4.67.1"
source = { registry = "https://index.example/simple" }
dependencies = [
    { name = "six", marker = "sys_platform == 'win32'" },
]
sdist = { url = "https://files.example/tqdm-4.67.1.tar.gz", hash = "sha256:dd" }
"#;

#[test]
fn what_installs_nothing_else_does_not_count() {
    let own = lock(Format::Uv, UV).digest;
    for (what, text) in [
        ("line ends", UV.replace('\n', "\r\n")),
        ("the own version", UV.replace("0.1.0", "0.2.0")),
        ("a comment", format!("# hello\n{UV}")),
        ("the revision", UV.replace("revision = 3", "revision = 2")),
        ("the Pythons of the project", UV.replace(">=3.11", ">=3.12")),
        (
            "what would have done",
            UV.replace("specifier = \">=1\"", "specifier = \">=1.1\""),
        ),
        (
            "a time",
            UV.replace(", upload-time = \"2024-12-04T17:35:28Z\"", ""),
        ),
        ("a size", UV.replace(", size = 1", ", size = 2")),
        (
            "an empty group",
            UV.replace("dev = [", "docs = []\ndev = ["),
        ),
        ("case of a hash", UV.replace("sha256:aa", "sha256:AA")),
        (
            "who asks",
            UV.replace("https://index", "https://me:secret@index"),
        ),
        ("a signature", UV.replace(".whl\"", ".whl?signature=x\"")),
        (
            "quotes of a marker",
            UV.replace("\"sys_platform == 'win32'\"", "'sys_platform==\"win32\"'"),
        ),
    ] {
        assert_ne!(text, UV, "{what}");
        assert_eq!(lock(Format::Uv, &text).digest, own, "{what}");
    }
}

#[test]
fn order_does_not_count() {
    let own = lock(Format::Uv, UV).digest;
    let (head, tail) = UV.split_at(UV.find("[[package]]\nname = \"six\"").unwrap());
    let (six, tqdm) = tail.split_at(tail.rfind("[[package]]").unwrap());
    assert_eq!(
        lock(Format::Uv, &format!("{head}{tqdm}\n{six}")).digest,
        own
    );
    let mut lines: Vec<&str> = UV.lines().collect();
    let wheel = lines
        .iter()
        .position(|line| line.contains("py2-none"))
        .unwrap();
    lines.swap(wheel, wheel + 1);
    assert_eq!(lock(Format::Uv, &lines.join("\n")).digest, own);
}

#[test]
fn what_is_installed_counts() {
    let own = lock(Format::Uv, UV).digest;
    for (what, text) in [
        ("a version", UV.replace("1.17.0", "1.17.1")),
        ("a name", UV.replace("tqdm", "tqdm2")),
        ("a hash", UV.replace("sha256:cc", "sha256:ce")),
        ("an algorithm", UV.replace("sha256:cc", "sha512:cc")),
        ("an index", UV.replace("index.example", "other.example")),
        (
            "a host of files",
            UV.replacen("files.example", "other.example", 1),
        ),
        (
            "a marker of a package's need",
            UV.replacen(
                "dependencies = [\n    { name = \"six\", marker = \"sys_platform == 'win32'\" }",
                "dependencies = [\n    { name = \"six\" }",
                1,
            ),
        ),
        (
            "a marker of the project's need",
            UV.replace(
                "{ name = \"tqdm\", marker = \"sys_platform == 'win32'\" }",
                "{ name = \"tqdm\" }",
            ),
        ),
        ("a group", UV.replace("dev = [", "test = [")),
        (
            "an extra",
            UV.replace(
                "{ name = \"six\" },\n    { name = \"tqdm\",",
                "{ name = \"six\", extra = [\"x\"] },\n    { name = \"tqdm\",",
            ),
        ),
        (
            "a file that is gone",
            UV.lines()
                .filter(|line| !line.contains("py2-none"))
                .collect::<Vec<_>>()
                .join("\n"),
        ),
    ] {
        assert_ne!(text, UV, "{what}");
        assert_ne!(lock(Format::Uv, &text).digest, own, "{what}");
    }
}

#[test]
fn requirements_count_by_what_pip_reads() {
    let text = "# by hand\n--index-url https://index.example/simple\nsix==1.17.0 ; python_version < '3.13' \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\ntqdm==4.67.1\n";
    let own = lock(Format::Requirements, text).digest;
    for same in [
        "tqdm==4.67.1  # via app\n--index-url https://index.example/simple/\nsix==1.17.0; python_version<\"3.13\" --hash=sha256:bb --hash=sha256:aa\n",
        &text.replace('\n', "\r\n"),
        &text.replace("six==", "Six=="),
    ] {
        let same = same.replace("simple/\n", "simple\n");
        assert_eq!(lock(Format::Requirements, &same).digest, own, "{same}");
    }
    for other in [
        text.replace("1.17.0", "1.16.0"),
        text.replace("sha256:aa", "sha256:ac"),
        text.replace("index.example", "other.example"),
        text.replace("'3.13'", "'3.12'"),
        text.replace("tqdm==", "tqdm[notebook]=="),
        text.replace("tqdm==", "tqdm>="),
    ] {
        assert_ne!(lock(Format::Requirements, &other).digest, own, "{other}");
    }
}
