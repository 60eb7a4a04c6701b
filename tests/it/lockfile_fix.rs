//! `--fix`: locks of real tools, spoilt as merges and edits spoil them, come back to the last byte, and the tool that
//! made them agrees. `LOCKGATE_CAMPAIGN=<n>` spoils n times as many.

use std::path::Path;

use serde_json::json;

use crate::lockfile_poetry_pdm;
use crate::lockfile_uv_mutations::uv;
use crate::support::lockgate::Project;

const PROJECT: &str = r#"[project]
name = "shop"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = ["six>=1.16", "click>=8", "iniconfig>=2"]

[tool.uv]
package = false
"#;

/// Numbers that look random, the same in each run.
struct Numbers(u64);

impl Numbers {
    /// One below `limit`.
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }
}

fn rounds(few: usize) -> usize {
    let campaign = std::env::var("LOCKGATE_CAMPAIGN").ok();
    few * campaign.map_or(1, |times| times.parse().expect("a number"))
}

/// The lock with one thing spoilt: a hash algorithm in another spelling, a file or an entry twice.
fn spoil(lock: &str, numbers: &mut Numbers) -> String {
    let mut lines: Vec<&str> = lock.split_inclusive('\n').collect();
    let at = |part: &str| -> Vec<usize> {
        let has = |(index, line): (usize, &&str)| line.contains(part).then_some(index);
        lines.iter().enumerate().filter_map(has).collect()
    };
    let hashed = at("sha256:");
    let entries = at("[[package]]");
    match numbers.below(3) {
        0 => {
            let line = hashed[numbers.below(hashed.len())];
            let spelling = ["SHA256:", "sha-256:", "Sha_256:"][numbers.below(3)];
            let spelt = lines[line].replace("sha256:", spelling);
            lines[line] = &spelt;
            return lines.concat();
        }
        1 if lock.contains("    { url = ") || lock.contains("    {file = ") => {
            let is_file = |line: &&usize| lines[**line].starts_with("    {");
            let files: Vec<&usize> = hashed.iter().filter(is_file).collect();
            let line = *files[numbers.below(files.len())];
            lines.insert(line, lines[line]);
        }
        _ if entries.is_empty() => {
            // A requirement, with its hashes and comments.
            let heads: Vec<usize> = (0..lines.len())
                .filter(|line| lines[*line].contains("=="))
                .collect();
            let start = heads[numbers.below(heads.len())];
            let is_more = |line: &&&str| line.starts_with(' ');
            let more = lines[start + 1..].iter().take_while(is_more).count();
            let entry: Vec<&str> = lines[start..=start + more].to_vec();
            lines.splice(start..start, entry);
        }
        _ => {
            let which = numbers.below(entries.len());
            let start = entries[which];
            let is_end =
                |line: &&str| matches!(*line, "[[package]]\n" | "[metadata]\n" | "[extras]\n");
            let rest = lines[start + 1..].iter().position(is_end);
            let end = rest.map_or(lines.len(), |length| start + 1 + length);
            let mut entry: Vec<&str> = lines[start..end].to_vec();
            if rest.is_none() {
                entry.push("\n");
            }
            lines.splice(start..start, entry);
        }
    }
    lines.concat()
}

/// Spoils the lock of a project again and again; each time it is what it was afterwards.
#[track_caller]
fn comes_back(project: &Project, path: &str, times: usize, agrees: impl Fn()) {
    let whole = std::fs::read_to_string(project.path().join(path)).unwrap();
    project.run(&["lockfile-verify"]).expect_code(0);
    let mut numbers = Numbers(7);
    for round in 0..rounds(times) {
        let mut spoilt = whole.clone();
        for _ in 0..=numbers.below(3) {
            spoilt = spoil(&spoilt, &mut numbers);
        }
        assert_ne!(spoilt, whole, "{round}");
        project.write(path, &spoilt);
        let run = project.run(&["lockfile-verify", "--fix"]);
        let mended = std::fs::read_to_string(project.path().join(path)).unwrap();
        assert_eq!(mended, whole, "{round}\n{}", run.text());
        run.expect_code(0)
            .expect_text(&format!("--- a/{path}\n+++ b/{path}\n@@ "))
            .expect_text(" in 1 file");
        agrees();
    }
}

#[test]
fn a_lock_of_uv_comes_back_and_uv_agrees() {
    let project = Project::empty();
    project.write("pyproject.toml", PROJECT);
    uv(&project.path(), &["lock"]);
    comes_back(&project, "uv.lock", 6, || {
        uv(&project.path(), &["lock", "--check", "--offline"]);
    });

    // Another version of the project, spelt in another way.
    project.write("pyproject.toml", PROJECT.replace("0.1.0", "1.0-RC.1"));
    let found = project.run(&["lockfile-verify"]);
    found
        .expect_code(1)
        .expect_text("error[lockgate:sync-version]");
    project
        .run(&["lockfile-verify", "--fix"])
        .expect_code(0)
        .expect_text("+version = \"1.0rc1\"");
    uv(&project.path(), &["lock", "--check", "--offline"]);
    let mended = std::fs::read(project.path().join("uv.lock")).unwrap();
    uv(&project.path(), &["lock", "--offline"]);
    assert_eq!(
        std::fs::read(project.path().join("uv.lock")).unwrap(),
        mended
    );

    // Nothing is left to do, and nothing is written.
    let run = project.run(&["lockfile-verify", "--fix"]);
    run.expect_code(0)
        .expect_text("nothing here can be mended without resolving");
    // A new dependency needs a resolution, which is not for us.
    project.write(
        "pyproject.toml",
        PROJECT
            .replace("\"six>=1.16\", ", "")
            .replace("0.1.0", "2.0"),
    );
    project
        .run(&["lockfile-verify", "--fix"])
        .expect_code(1)
        .expect_text("+version = \"2.0\"");
}

#[test]
fn requirements_come_back() {
    let project = Project::empty();
    project.write("requirements.in", "six>=1.16\nclick>=8\n");
    uv(
        &project.path(),
        &[
            "pip",
            "compile",
            "--quiet",
            "--generate-hashes",
            "requirements.in",
            "-o",
            "requirements.txt",
        ],
    );
    comes_back(&project, "requirements.txt", 4, || ());
}

#[test]
fn locks_of_poetry_and_pdm_come_back() {
    for (name, program, lock) in [
        ("poetry-2", "poetry", "poetry.lock"),
        ("pdm-2", "pdm", "pdm.lock"),
    ] {
        let project = Project::empty();
        let source = format!(
            "[[tool.{program}.source]]\nname = \"simple\"\nurl = \"{}\"\n",
            crate::support::lock_tools::index()
        );
        project.write(
            "pyproject.toml",
            PROJECT.replace("[tool.uv]\npackage = false\n", &source),
        );
        lockfile_poetry_pdm::make(name, program, &project);
        comes_back(&project, lock, 3, || ());
    }
}

/// A lock with a misspelt algorithm and a file that is there twice, and the same lock mended.
fn spoilt() -> (String, String) {
    let wheel = "    { url = \"https://files.example/six-1.17.0-py2.py3-none-any.whl\", hash = \"sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274\", size = 11050 },\n";
    let whole = format!(
        "version = 1\nrevision = 3\nrequires-python = \">=3.11\"\n\n[[package]]\nname = \"six\"\nversion = \"1.17.0\"\nsource = {{ registry = \"https://index.example/simple\" }}\nwheels = [\n{wheel}]\n"
    );
    let misspelt = wheel.replace("sha256", "SHA256");
    (whole.replace(wheel, &format!("{wheel}{misspelt}")), whole)
}

fn read(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap()
}

#[test]
fn what_is_mended_shows_what_else_can_be_and_reports_say_how() {
    let (spoilt, whole) = spoilt();
    let project = Project::empty();
    project.write(
        "pyproject.toml",
        "[tool.uv]\nindex-url = \"https://index.example/simple\"\n",
    );
    project.write("uv.lock", &spoilt);
    let file = project.path().join("uv.lock");

    // Without the flag nothing is written, and the report has the edit.
    let report = project
        .run(&["lockfile-verify", "--output-format=sarif"])
        .json();
    let results = report["runs"][0]["results"].as_array().unwrap();
    let fixes = &results
        .iter()
        .find(|one| one["ruleId"] == "hash-malformed")
        .unwrap()["fixes"];
    let change = &fixes[0]["artifactChanges"][0];
    assert_eq!(
        change["replacements"][0]["insertedContent"]["text"],
        json!("sha256")
    );
    assert_eq!(read(&file), spoilt);

    // What is ignored stays.
    let ignored = "--ignore=lockgate:hash-malformed until 2999-01-01: a test";
    project.run(&["lockfile-verify", "--fix", ignored]);
    assert_eq!(read(&file), spoilt);

    // The lines are the same only once the spelling is mended.
    let run = project.run(&["lockfile-verify", "--fix", "--output-format=json"]);
    assert_eq!(read(&file), whole);
    assert!(
        run.stderr
            .contains("lockfile-verify: 2 safe edits in 1 file"),
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains("--- a/uv.lock"), "{}", run.stderr);
    let rules: Vec<_> = run.json()["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["rule"].clone())
        .collect();
    assert!(
        !rules.contains(&json!("hash-malformed")) && !rules.contains(&json!("duplicate-file")),
        "{rules:?}"
    );

    project
        .run(&["lockfile-verify", "--fix", "--explain=six"])
        .expect_code(2)
        .expect_text("`--fix` and `--explain` exclude each other");
}

#[test]
#[cfg(unix)]
fn a_file_that_cannot_be_edited_byte_by_byte_stays_as_it_is() {
    use std::os::unix::fs::PermissionsExt;
    let requirement = "six==1.17.0 --hash=SHA256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274\n";
    let wide: Vec<u8> = [0xff, 0xfe]
        .into_iter()
        .chain(requirement.bytes().flat_map(|byte| [byte, 0]))
        .collect();
    let project = Project::empty();
    project.write("requirements.txt", &wide);
    let run = project.run(&["lockfile-verify", "--fix"]);
    run.expect_code(3)
        .expect_text("`requirements.txt` is not written in UTF-8; nothing was written");
    let file = project.path().join("requirements.txt");
    assert_eq!(std::fs::read(&file).unwrap(), wide);

    // Permissions stay.
    project.write("requirements.txt", requirement);
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o664)).unwrap();
    project.run(&["lockfile-verify", "--fix"]).expect_code(0);
    assert_eq!(read(&file), requirement.replace("SHA256", "sha256"));
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o664);

    // A link inside of the workspace stays one.
    project.write("locks/requirements-a.txt", requirement);
    std::fs::remove_file(&file).unwrap();
    std::os::unix::fs::symlink("locks/requirements-a.txt", &file).unwrap();
    project.run(&["lockfile-verify", "--fix"]).expect_code(0);
    assert!(file.is_symlink());
    assert!(read(&file).contains("--hash=sha256:"));
}
