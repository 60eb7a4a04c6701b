//! The graph in locks of Poetry and PDM, made by these tools and then edited.

use std::path::Path;
use std::process::Command;

use lockgate::lockfiles::Format;

use crate::support::lock_tools::lock_tool;
use crate::support::lockgate::Project;
use crate::support::small_locks::small_locks;
use crate::support::tools::network;

/// The entry of a package, from its `[[package]]` to the next table of that depth.
fn entry<'l>(lock: &'l str, name: &str) -> &'l str {
    let head = format!("[[package]]\nname = \"{name}\"\n");
    let start = lock.find(&head).unwrap();
    let rest = &lock[start + head.len()..];
    let end = ["\n[[package]]", "\n[metadata]"]
        .iter()
        .filter_map(|next| rest.find(next))
        .min();
    &lock[start..start + head.len() + end.map_or(rest.len(), |end| end + 1)]
}

#[test]
fn entries_that_are_missing_or_that_nothing_needs_are_found_where_the_tools_are_blind() {
    let is_loose = |format| matches!(format, Format::Poetry | Format::Pdm);
    for small in small_locks().iter().filter(|small| is_loose(small.format)) {
        let project = Project::empty();
        project.write(small.declared.0, &small.declared.1);
        let found = |lock: &str| -> Vec<(String, String)> {
            project.write(small.name, lock);
            let report = project
                .run(&["lockfile-verify", "--output-format=json"])
                .json();
            let findings = report["findings"].as_array().unwrap().iter();
            findings
                .map(|finding| {
                    let line = finding["line"].as_u64().unwrap();
                    let line = lock.lines().nth(usize::try_from(line).unwrap() - 1);
                    let rule = finding["rule"].as_str().unwrap().to_owned();
                    (rule, line.unwrap_or_default().trim().to_owned())
                })
                .collect()
        };
        let lock = &small.lock;
        assert_eq!(found(lock), []);
        let (six, needs) = (entry(lock, "six"), entry(lock, "python-dateutil"));
        let edge = needs
            .lines()
            .map(str::trim)
            .find(|line| line.starts_with("six") || line.starts_with("\"six"))
            .unwrap();
        let stranger = six
            .replace("\"six\"", "\"stranger\"")
            .replace("six-", "stranger-");
        let name = |name: &str| format!("name = \"{name}\"");
        for (what, text, rule, line) in [
            (
                "dropped",
                lock.replace(six, ""),
                "dangling-edge",
                edge.to_owned(),
            ),
            (
                "another version",
                lock.replace(six, &six.replace("1.17.0", "0.0.1")),
                "dangling-edge",
                edge.to_owned(),
            ),
            (
                "edge dropped",
                lock.replace(edge, ""),
                "orphan-package",
                name("six"),
            ),
            (
                "a stranger",
                lock.replace(six, &format!("{six}\n{stranger}")),
                "orphan-package",
                name("stranger"),
            ),
        ] {
            assert_ne!(text, *lock, "{what}");
            let found = found(&text);
            let expected = (rule.to_owned(), line);
            assert!(
                found.contains(&expected),
                "{} {what}: {found:?}",
                small.name
            );
        }
    }
}

/// Lets PDM lock a project by PEP 751.
fn lock_by_pdm(project: &Project) -> String {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("small-locks-cache");
    let output = Command::new(lock_tool("pdm-2").join("bin/pdm"))
        .arg("lock")
        .current_dir(project.path())
        .env_clear()
        .envs(network())
        .env("PATH", std::env::var("PATH").unwrap())
        .env("HOME", project.beside("home"))
        .env("PDM_LOCK_FORMAT", "pylock")
        .env("PDM_CACHE_DIR", cache.join("pdm"))
        .env("PDM_CHECK_UPDATE", "0")
        .env("PDM_USE_VENV", "0")
        .env("PDM_IGNORE_SAVED_PYTHON", "1")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    std::fs::read_to_string(project.path().join("pylock.toml")).unwrap()
}

#[test]
fn what_pdm_writes_by_pep_751_has_a_graph_as_far_as_it_says_so() {
    let project = Project::empty();
    let declared = "[project]\nname = \"app\"\nversion = \"1\"\nrequires-python = \">=3.11\"\ndependencies = [\"python-dateutil==2.9.0.post0\"]\n\n[dependency-groups]\ndev = [\"idna==3.10\"]\n\n[tool.pdm]\ndistribution = false\n";
    project.write("pyproject.toml", declared);
    let lock = lock_by_pdm(&project);
    let found = |lock: &str| -> Vec<String> {
        project.write("pylock.toml", lock);
        let report = project
            .run(&["lockfile-verify", "--output-format=json"])
            .json();
        let findings = report["findings"].as_array().unwrap().iter();
        findings
            .map(|finding| {
                let line = finding["line"].as_u64().unwrap();
                let line = lock.lines().nth(usize::try_from(line).unwrap() - 1);
                let rule = finding["rule"].as_str().unwrap();
                format!("{rule} {}", line.unwrap_or_default().trim())
            })
            .collect()
    };
    assert_eq!(found(&lock), [""; 0]);
    let start = lock.find("[[packages]]\nname = \"six\"").unwrap();
    let end = start + lock[start..].find("\n[tool.pdm]").unwrap();
    let six = &lock[start..end];
    let dropped = lock.replace(six, "");
    assert_eq!(found(&dropped), ["dangling-edge \"six>=1.5\","]);
    let stranger = six
        .replace("\"six\"", "\"stranger\"")
        .replace("six-", "stranger-");
    let more = lock.replace(six, &format!("{stranger}\n{six}"));
    assert_eq!(found(&more), ["orphan-package name = \"stranger\""]);
    // What an extra brings is not in such a lock, so that it may be this one.
    project.write(
        "pyproject.toml",
        declared.replace("python-dateutil==", "python-dateutil[more]=="),
    );
    assert_eq!(found(&more), [""; 0]);
}
