//! Compiled requirements, a `Pipfile.lock` and a `pylock.toml` that real tools make here, changed in one place at a time: each change of the
//! list that every format is held to, by its rule on its line, and nothing for the lock as it was made.
//!
//! What has no counterpart:
//!
//! | change | why |
//! |---|---|
//! | URL, name or size of a file; a file of another project | only `pylock.toml` has files, the others hashes of a package |
//! | registry of one package | requirements have options for all; pipenv names its sources; of `pylock.toml` only against a base |
//! | dropped edge, orphan, dropped package that no input asks for | none of the formats has edges as these tools write it |
//! | one digit of a hash, one hash of several deleted | only against a base |
//! | revision, unknown key | `pylock.toml` has a minor version; nobody reads other keys |
//! | specifier raised, dependency added or removed, `requires-python` | are changes of the inputs, for the tests of those |

use std::path::Path;
use std::process::Command;

use lockgate::lockfiles::public_index::SIMPLE_API;
use serde_json::Value;

use crate::support::lock_tools::lock_tool;
use crate::support::lockgate::Project;
use crate::support::tools::{network, tool};

/// A change of the lock.
type Change = fn(&str) -> String;

/// The rule that finds it, at the line of which text: of the lock, of the `input: `, or of the line `after: ` it. None where
/// the change is none.
type Found = Option<(&'static str, &'static str)>;

/// What is changed, how, and what finds it.
type Mutation = (&'static str, Change, Found);

/// Runs a tool in a project.
fn run(project: &Project, program: &Path, arguments: &[&str]) {
    let temp = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let path = format!(
        "{}:{}",
        program.parent().unwrap().display(),
        std::env::var("PATH").unwrap()
    );
    let output = Command::new(program)
        .args(arguments)
        .current_dir(project.path())
        .env_clear()
        .envs(network())
        .env("PATH", path)
        .env("HOME", project.beside("home"))
        .env("LANG", "C.UTF-8")
        .env("UV_NO_CONFIG", "1")
        .env("UV_CACHE_DIR", temp.join("uv-cache"))
        .env("PIPENV_IGNORE_VIRTUALENVS", "1")
        .env("PIPENV_PYTHON", lock_tool("pipenv").join("bin/python"))
        .env("PIPENV_VENV_IN_PROJECT", "1")
        .env("PIPENV_CACHE_DIR", temp.join("pipenv-cache"))
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{error}");
}

/// Rule and line of each finding in one file.
fn found(project: &Project, path: &str) -> Vec<(String, u64)> {
    let run = project.run(&["lockfile-verify", "--output-format=json"]);
    let report = run.json();
    let finding = |finding: &Value| {
        let rule = finding["rule"].as_str().unwrap().to_owned();
        (rule, finding["line"].as_u64().unwrap_or_default())
    };
    let findings = report["findings"].as_array().unwrap().iter();
    findings
        .filter(|finding| finding["path"] == path)
        .map(finding)
        .collect()
}

/// Each mutation by its rule on its line, and nothing for the lock as it is. Findings are in the lock, or in the input.
fn check(project: &Project, lock: &str, input: &str, mutations: &[Mutation]) {
    let text = std::fs::read_to_string(project.path().join(lock)).unwrap();
    let declared = std::fs::read_to_string(project.path().join(input)).unwrap();
    assert_eq!(found(project, lock), []);
    assert_eq!(found(project, input), []);
    for (name, change, found_by) in mutations {
        let mutated = change(&text);
        assert_ne!(mutated, text, "{lock}: {name}");
        project.write(lock, &mutated);
        let Some((rule, part)) = found_by else {
            assert_eq!(found(project, lock), [], "{lock}: {name}");
            continue;
        };
        let (path, part, text) = match part.strip_prefix("input: ") {
            Some(part) => (input, part, &declared),
            None => (lock, *part, &mutated),
        };
        let more = part.matches("after: ").count() as u64;
        let part = part.trim_start_matches("after: ");
        let (before, _) = text
            .split_once(part)
            .unwrap_or_else(|| panic!("{lock}: {name}: no {part}"));
        let line = before.matches('\n').count() as u64 + 1 + more;
        let expected = ((*rule).to_owned(), line);
        let found = found(project, path);
        assert!(
            found.contains(&expected),
            "{lock}: {name}: {expected:?} is not in {found:?}"
        );
    }
    project.write(lock, &text);
}

/// The text with the part of one package replaced, from a mark to an end.
fn replaced(text: &str, mark: &str, end: &str, by: &str) -> String {
    let start = text.find(mark).unwrap();
    let length = text[start..].find(end).unwrap() + end.len();
    format!("{}{by}{}", &text[..start], &text[start + length..])
}

/// The text with the first of a part behind a mark replaced.
fn behind(text: &str, mark: &str, from: &str, to: &str) -> String {
    let (before, rest) = text.split_at(text.find(mark).unwrap());
    format!("{before}{}", rest.replacen(from, to, 1))
}

/// The text with the first digest behind a mark replaced.
fn digest(text: &str, mark: &str, change: fn(&str) -> String) -> String {
    let start = text.find(mark).unwrap();
    let start = start + text[start..].find("sha256").unwrap();
    let start = start + text[start..].find([':', '=']).unwrap();
    let digit = |c: char| c.is_ascii_hexdigit() && !c.is_ascii_uppercase();
    let start = start + text[start..].find(digit).unwrap();
    let end = start + 64;
    format!(
        "{}{}{}",
        &text[..start],
        change(&text[start..end]),
        &text[end..]
    )
}

/// The text with a line in front of that of a mark, or at the start.
fn with_line(text: &str, mark: &str, line: &str) -> String {
    let at = text.find(mark).unwrap();
    let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
    format!("{}{line}\n{}", &text[..start], &text[start..])
}

/// The part of a text in front of a mark and some bytes of it.
fn cut(text: &str, mark: &str, more: usize) -> String {
    text[..text.find(mark).unwrap() + more].to_owned()
}

#[test]
fn compiled_requirements_are_found_changed() {
    let project = Project::empty();
    project.write("requirements.in", "httpx>=0.27\nsix>=1.16\n");
    let uv = tool("uv");
    let lock = "requirements.txt";
    run(
        &project,
        &uv,
        &[
            "pip",
            "compile",
            "-q",
            "--generate-hashes",
            "requirements.in",
            "-o",
            lock,
        ],
    );
    let mutations: &[Mutation] = &[
        (
            "loosened",
            |text| text.replacen("six==", "six>=", 1),
            Some(("unpinned", "six>=")),
        ),
        (
            "another version",
            |text| replaced(text, "six==", " ", "six==1.15.0 "),
            Some(("requirement-not-satisfied", "input: six")),
        ),
        (
            "no version at all",
            |text| replaced(text, "six==", " ", "six==1.x.y "),
            Some(("syntax", "six==1.x.y")),
        ),
        (
            "dropped",
            |text| replaced(text, "six==", "requirements.in\n", ""),
            Some(("requirement-not-locked", "input: six")),
        ),
        (
            "renamed",
            |text| text.replacen("six==", "sixx==", 1),
            Some(("requirement-not-locked", "input: six")),
        ),
        (
            "a stranger",
            |text| {
                format!(
                    "{text}evil==1.0 --hash=sha256:{}  # via -r requirements.in\n",
                    "a".repeat(64)
                )
            },
            Some(("compiled-via", "evil==")),
        ),
        (
            "from a URL",
            |text| {
                replaced(
                    text,
                    "six==",
                    " ",
                    "six @ https://evil.example/six-1.17.0-py3-none-any.whl ",
                )
            },
            Some(("requirement-not-satisfied", "input: six")),
        ),
        (
            "no hash",
            |text| replaced(text, "six==", "    # via", "six==1.17.0\n    # via"),
            Some(("hash-missing", "six==")),
        ),
        (
            "no hash at all",
            |text| {
                let lines = text.lines().filter(|line| !line.contains("--hash"));
                let lines: Vec<&str> = lines.map(|line| line.trim_end_matches(" \\")).collect();
                lines.join("\n") + "\n"
            },
            // One finding for the whole file.
            Some(("hash-missing", "anyio==")),
        ),
        (
            "another algorithm",
            |text| behind(text, "six==", "sha256:", "md5:"),
            Some(("hash-weak", "md5:")),
        ),
        (
            "a short digest",
            |text| digest(text, "six==", |digest| digest[..62].to_owned()),
            Some(("hash-length", "after: six==")),
        ),
        (
            "no digest",
            |text| digest(text, "six==", |digest| format!("{}xy", &digest[..62])),
            Some(("hash-malformed", "after: six==")),
        ),
        (
            "twice",
            |text| format!("{text}six==1.16.0 --hash=sha256:{}\n", "b".repeat(64)),
            Some(("duplicate-package", "six==1.16.0")),
        ),
        (
            "hashes off",
            |text| format!("--no-require-hashes\n{text}"),
            Some(("hashes-off", "--no-require")),
        ),
        (
            "plain http",
            |text| format!("--index-url http://evil.example/simple\n{text}"),
            Some(("plain-http", "--index-url")),
        ),
        (
            "secrets",
            |text| format!("--index-url https://me:pw@i.example/simple\n{text}"),
            Some(("credentials", "--index-url")),
        ),
        (
            "a folder of one machine",
            |text| format!("--find-links /home/me/wheels\n{text}"),
            Some(("absolute-path", "--find-links")),
        ),
        (
            "a merge",
            |text| with_line(text, "six==", "<<<<<<< HEAD"),
            Some(("conflict-marker", "<<<<<<<")),
        ),
        (
            "cut in a line",
            |text| cut(text, "six==", 8),
            Some(("truncated", "six==")),
        ),
        (
            "cut behind a line",
            |text| cut(text, "six==", 14),
            Some(("truncated", "six==")),
        ),
        (
            "no requirement",
            |text| text.replacen("six==", "six=", 1),
            Some(("syntax", "six=")),
        ),
        (
            "other ends of lines",
            |text| text.replace('\n', "\r\n"),
            None,
        ),
        ("a byte order mark", |text| format!("\u{feff}{text}"), None),
    ];
    check(&project, lock, "requirements.in", mutations);
}

#[test]
fn a_lock_of_pipenv_is_found_changed() {
    let project = Project::empty();
    let sources =
        format!("[[source]]\nurl = \"{SIMPLE_API}\"\nverify_ssl = true\nname = \"main\"\n");
    project.write(
        "Pipfile",
        format!("{sources}\n[packages]\nhttpx = \"*\"\nsix = \">=1.16\"\n"),
    );
    run(&project, &lock_tool("pipenv").join("bin/pipenv"), &["lock"]);
    let mutations: &[Mutation] = &[
        (
            "loosened",
            |text| behind(text, "\"six\": {", "\"==", "\">="),
            Some(("unpinned", "\"six\": {")),
        ),
        (
            "another version",
            |text| behind(text, "\"six\": {", "==1.17.0", "==1.15.0"),
            Some(("requirement-not-satisfied", "input: six")),
        ),
        (
            "no version at all",
            |text| behind(text, "\"six\": {", "==1.17.0", "==1.x.y"),
            Some(("version-invalid", "==1.x.y")),
        ),
        (
            "renamed",
            |text| text.replacen("\"six\": {", "\"sixx\": {", 1),
            Some(("requirement-not-locked", "input: six")),
        ),
        (
            "the hash of the Pipfile",
            |text| digest(text, "\"hash\": {", |digest| digest.chars().rev().collect()),
            Some(("pipfile-hash", "\"sha256\": \"")),
        ),
        (
            "a source",
            |text| text.replacen("\"url\": \"", "\"url\": \"https://evil.example/", 1),
            Some(("pipfile-meta", "evil.example")),
        ),
        (
            "plain http",
            |text| text.replacen("\"url\": \"https", "\"url\": \"http", 1),
            Some(("plain-http", "\"url\": \"http")),
        ),
        (
            "from a URL",
            |text| {
                behind(
                    text,
                    "\"six\": {",
                    "{",
                    "{\"file\": \"https://evil.example/six-1.17.0-py3-none-any.whl\",",
                )
            },
            Some(("requirement-not-satisfied", "input: six")),
        ),
        (
            "no hash",
            |text| {
                let at = text.find("\"six\": {").unwrap();
                format!(
                    "{}{}",
                    &text[..at],
                    replaced(&text[at..], "\"hashes\"", "],", "")
                )
            },
            Some(("hash-missing", "\"six\": {")),
        ),
        (
            "no hash at all",
            |text| {
                let mut text = text.to_owned();
                while text.contains("\"hashes\"") {
                    text = replaced(&text, "\"hashes\"", "],", "");
                }
                text
            },
            Some(("hash-missing", "\"anyio\": {")),
        ),
        (
            "no digest",
            |text| digest(text, "\"six\": {", |digest| format!("{}xy", &digest[..62])),
            Some(("hash-malformed", "after: after: \"six\": {")),
        ),
        (
            "another algorithm",
            |text| behind(text, "\"six\": {", "sha256:", "md5:"),
            Some(("hash-weak", "md5:")),
        ),
        (
            "a short digest",
            |text| digest(text, "\"six\": {", |digest| digest[..62].to_owned()),
            Some(("hash-length", "after: after: \"six\": {")),
        ),
        (
            "dropped",
            |text| replaced(text, "\"six\": {", "},", ""),
            Some(("requirement-not-locked", "input: six")),
        ),
        (
            "no packages",
            |text| {
                replaced(
                    text,
                    "\"default\": {",
                    "    },\n    \"develop\"",
                    "\"default\": {},\n    \"develop\"",
                )
            },
            Some(("requirement-not-locked", "input: six")),
        ),
        (
            "twice",
            |text| {
                behind(
                    text,
                    "\"six\": {",
                    "\"six\": {",
                    "\"six\": {\"version\": \"==1.16.0\"},\n\"six\": {",
                )
            },
            Some(("syntax", "after: \"six\": {")),
        ),
        (
            "secrets",
            |text| text.replacen("\"url\": \"https://", "\"url\": \"https://me:pw@", 1),
            Some(("credentials", "me:pw")),
        ),
        ("an empty file", |_| String::new(), Some(("truncated", ""))),
        (
            "a merge",
            |text| with_line(text, "\"six\": {", "<<<<<<< HEAD"),
            Some(("conflict-marker", "<<<<<<<")),
        ),
        (
            "another version of the format",
            |text| text.replacen("\"pipfile-spec\": 6", "\"pipfile-spec\": 7", 1),
            Some(("unknown-version", "\"pipfile-spec\"")),
        ),
        (
            "a wrong type",
            |text| behind(text, "\"six\": {", "\"==1.17.0\"", "3"),
            Some(("syntax", "\"version\": 3")),
        ),
        (
            "cut",
            |text| cut(text, "\"six\": {", 20),
            Some(("truncated", "after: \"six\": {")),
        ),
        (
            "other ends of lines",
            |text| text.replace('\n', "\r\n"),
            None,
        ),
    ];
    check(&project, "Pipfile.lock", "Pipfile", mutations);
}

/// Where the entry of a package of `pylock.toml` begins.
const SIX: &str = "name = \"six\"";

#[test]
fn a_pylock_that_uv_exported_is_found_changed() {
    let project = Project::empty();
    project.write(
        "pyproject.toml",
        "[project]\nname = \"app\"\nversion = \"0.1.0\"\nrequires-python = \">=3.11\"\ndependencies = [\"httpx>=0.27\", \"six>=1.16\"]\n",
    );
    let uv = tool("uv");
    let lock = "pylock.toml";
    run(&project, &uv, &["lock", "-q"]);
    run(
        &project,
        &uv,
        &["export", "-q", "--format", "pylock.toml", "-o", lock],
    );
    std::fs::remove_file(project.path().join("uv.lock")).unwrap();
    let mutations: &[Mutation] = &[
        (
            "one hash deleted",
            |text| {
                let (before, rest) = text.split_at(text.find(SIX).unwrap());
                format!("{before}{}", replaced(rest, ", hashes = {", "}", ""))
            },
            Some(("hash-missing", "after: after: after: name = \"six\"")),
        ),
        (
            "another algorithm",
            |text| behind(text, SIX, "sha256 = ", "md5 = "),
            Some(("hash-weak", "md5 = ")),
        ),
        (
            "all hashes deleted",
            |text| {
                let mut text = text.to_owned();
                while text.contains(", hashes = {") {
                    text = replaced(&text, ", hashes = {", "}", "");
                }
                text
            },
            Some(("hash-missing", "after: after: after: name = \"six\"")),
        ),
        (
            "no digest",
            |text| digest(text, SIX, |digest| format!("{}xy", &digest[..62])),
            Some(("hash-malformed", "after: after: after: name = \"six\"")),
        ),
        (
            "a digit short",
            |text| digest(text, SIX, |digest| digest[1..].to_owned()),
            Some(("hash-length", "after: after: after: name = \"six\"")),
        ),
        (
            "a stranger's host",
            |text| {
                behind(
                    text,
                    SIX,
                    "url = \"https://",
                    "url = \"https://evil.example/",
                )
            },
            Some(("host-not-allowed", "evil.example")),
        ),
        (
            "plain http",
            |text| behind(text, SIX, "url = \"https:", "url = \"http:"),
            Some(("plain-http", "url = \"http:")),
        ),
        (
            "credentials",
            |text| behind(text, SIX, "url = \"https://", "url = \"https://me:secret@"),
            Some(("credentials", "me:secret")),
        ),
        (
            "another version",
            |text| behind(text, SIX, "version = \"1.17.0\"", "version = \"1.16.0\""),
            Some(("file-name-mismatch", "version = \"1.16.0\"")),
        ),
        (
            "no version at all",
            |text| behind(text, SIX, "version = \"1.17.0\"", "version = \"newest\""),
            Some(("version-invalid", "version = \"newest\"")),
        ),
        (
            "a wrong type",
            |text| behind(text, SIX, "version = \"1.17.0\"", "version = 3"),
            Some(("syntax", "version = 3")),
        ),
        (
            "a file of another project",
            |text| behind(text, SIX, "/six-1.17.0-py2", "/evil-1.17.0-py2"),
            Some(("file-name-mismatch", "/evil-1.17.0-py2")),
        ),
        (
            "dropped",
            |text| replaced(text, SIX, "[[packages]]\n", ""),
            Some(("requirement-not-locked", "input: dependencies")),
        ),
        (
            "twice",
            |text| {
                let start = text.find(SIX).unwrap();
                let end = start + text[start..].find("[[packages]]").unwrap();
                let again = text[start..end].replacen("name =", "name  =", 1);
                format!("{text}\n[[packages]]\n{again}")
            },
            Some(("duplicate-package", "name  =")),
        ),
        (
            "from a stranger's URL",
            |text| {
                let hash = "0".repeat(64);
                let entry = "name = \"evil\"\nversion = \"1.0\"\narchive = { url = \"https://evil.example/evil-1.0.tar.gz\"";
                format!("{text}\n[[packages]]\n{entry}, hashes = {{ sha256 = \"{hash}\" }} }}\n")
            },
            Some(("source-not-declared", "evil.example")),
        ),
        (
            "cut in a line",
            |text| cut(text, SIX, 10),
            Some(("truncated", "name = \"si")),
        ),
        (
            "cut between packages",
            |text| {
                let six = text.find(SIX).unwrap();
                text[..text[..six].rfind("[[packages]]").unwrap()].to_owned()
            },
            Some(("requirement-not-locked", "input: dependencies")),
        ),
        ("an empty file", |_| String::new(), Some(("syntax", ""))),
        (
            "a key that is not known",
            |text| text.replacen("created-by", "later = 1\ncreated-by", 1),
            None,
        ),
        (
            "a merge conflict",
            |text| with_line(text, SIX, "<<<<<<< HEAD"),
            Some(("conflict-marker", "<<<<<<<")),
        ),
        (
            "another major version",
            |text| text.replacen("lock-version = \"1.0\"", "lock-version = \"2.0\"", 1),
            Some(("unknown-version", "lock-version")),
        ),
        (
            "a newer minor version",
            |text| text.replacen("lock-version = \"1.0\"", "lock-version = \"1.9\"", 1),
            Some(("unknown-revision", "lock-version")),
        ),
        (
            "other ends of lines",
            |text| text.replace('\n', "\r\n"),
            None,
        ),
        ("a byte order mark", |text| format!("\u{feff}{text}"), None),
    ];
    check(&project, lock, "pyproject.toml", mutations);
}
