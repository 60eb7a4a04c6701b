//! Edits of a project whose lock Poetry or PDM made: what is said to be cosmetic moves no version when the tool writes the
//! lock anew, and what is said to move does.
//!
//! `LOCKGATE_CAMPAIGN=1` makes all edits, the suite a few.

use std::collections::BTreeMap;

use crate::lockfile_poetry_pdm::{findings, read, run};
use crate::support::lock_tools::index;
use crate::support::lockgate::Project;

/// What is said of an edit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    /// Every requirement is locked as it is declared.
    Cosmetic,
    /// A package is asked for by nothing any more.
    Unasked(&'static str),
    /// The pin of this one does not satisfy, or it has none: the rule that says so.
    Moves(&'static str, &'static str),
}

/// An edit: what is replaced by what, what is said of it, and what is said of the entry that changed.
struct Edit {
    from: &'static str,
    to: &'static str,
    said: Said,
    entry: &'static str,
    /// Whether the suite makes it.
    is_ordinary: bool,
}

const fn edit(
    from: &'static str,
    to: &'static str,
    said: Said,
    entry: &'static str,
    is_ordinary: bool,
) -> Edit {
    Edit {
        from,
        to,
        said,
        entry,
        is_ordinary,
    }
}

const EDITS: &[Edit] = &[
    edit(
        "six==1.16.0",
        "six>=1.16",
        Said::Cosmetic,
        "`six>=1.16` was `six==1.16.0`",
        true,
    ),
    edit(
        "six==1.16.0",
        "six == 1.16.0",
        Said::Cosmetic,
        "`six == 1.16.0` was `six==1.16.0`",
        false,
    ),
    edit(
        "\"six==1.16.0\", \"idna<3.5\"",
        "\"idna<3.5\", \"six==1.16.0\"",
        Said::Cosmetic,
        ", only in the order of its entries",
        false,
    ),
    edit(
        "idna<3.5",
        "idna ; sys_platform == 'win32'",
        Said::Cosmetic,
        "`idna ; sys_platform == 'win32'` was `idna<3.5`",
        false,
    ),
    edit(
        "six==1.16.0",
        "six>=1.17",
        Said::Moves("six", "requirement-not-satisfied"),
        "`six>=1.17` was `six==1.16.0`",
        true,
    ),
    edit(
        "idna<3.5",
        "idna>=3.5; python_version >= '3.11'",
        Said::Moves("idna", "requirement-not-satisfied"),
        "`idna>=3.5; python_version >= '3.11'` was `idna<3.5`",
        false,
    ),
    edit(
        "idna<3.5",
        "idna<3.5\", \"pytz",
        Said::Moves("pytz", "requirement-not-locked"),
        "`pytz` is new in `project.dependencies`",
        false,
    ),
    edit(
        "idna<3.5",
        "idna<3.5\", \"colorama ; sys_platform == 'win32'",
        Said::Moves("colorama", "requirement-not-locked"),
        "`colorama ; sys_platform == 'win32'` is new in `project.dependencies`",
        false,
    ),
    edit(
        ", \"idna<3.5\"",
        "",
        Said::Unasked("idna"),
        "; `idna<3.5` went away since",
        true,
    ),
    edit(
        "dev = [\"iniconfig\"]",
        "dev = [\"iniconfig>=1\"]",
        Said::Cosmetic,
        "`iniconfig>=1` was `iniconfig`",
        false,
    ),
];

/// Names and versions that a lock pins.
fn pins(lock: &str) -> BTreeMap<String, String> {
    let value = |line: &str, key: &str| {
        let quoted = line.strip_prefix(key)?.strip_prefix(" = \"")?;
        Some(quoted.strip_suffix('"')?.to_owned())
    };
    let mut lines = lock.lines();
    let mut found = BTreeMap::new();
    while let Some(line) = lines.next() {
        if let Some(name) = value(line, "name") {
            let version = lines.next().and_then(|line| value(line, "version"));
            found.insert(name, version.unwrap());
        }
    }
    found
}

/// Makes each edit, asks us, then lets the tool write the lock anew, and compares.
fn agree(tool: (&str, &str), lock: &str, declared: &str, hash: &str, relock: &[&str]) {
    let is_campaign = std::env::var_os("LOCKGATE_CAMPAIGN").is_some();
    let write = |project: &Project| {
        let output = run(tool.0, tool.1, relock, &project.path());
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{error}");
    };
    let project = Project::empty();
    project.git(&["init", "--quiet", "--initial-branch=main"]);
    project.write("pyproject.toml", declared);
    write(&project);
    project.commit("the base");
    let before = read(&project, lock);
    assert_eq!(findings(&project), []);
    for edit in EDITS.iter().filter(|edit| edit.is_ordinary || is_campaign) {
        let what = edit.to;
        let edited = declared.replace(edit.from, edit.to);
        assert_ne!(edited, declared, "{what}");
        project.write("pyproject.toml", &edited);
        project.write(lock, &before);
        let mut found = findings(&project);
        // The lock is the base's on purpose, and what nothing asks for any more is an orphan as well.
        found.retain(|(rule, ..)| !["lock-unchanged", "orphan-package"].contains(&&**rule));
        assert!(found.iter().any(|(rule, ..)| rule == hash), "{what}");
        let told = project.run(&["lockfile-verify", "--base=HEAD"]);
        told.expect_code(1).expect_text(edit.entry);
        let rules: Vec<&str> = found.iter().map(|(rule, ..)| rule.as_str()).collect();
        match edit.said {
            Said::Cosmetic => {
                told.expect_text("the drift is cosmetic")
                    .expect_text("no version moves");
                assert_eq!(rules, [hash], "{what}");
            }
            Said::Unasked(name) => {
                told.expect_text(&format!("nothing asks for `{name}` any more"))
                    .expect_text("no version moves");
                assert_eq!(rules, [hash], "{what}");
            }
            Said::Moves(name, rule) => {
                told.expect_text(&format!("`{name}` must be locked anew"));
                let at = found.iter().find(|(own, ..)| own == rule);
                let (_, path, line) = at.unwrap_or_else(|| panic!("{what}: {found:?}"));
                assert_eq!(path, "pyproject.toml", "{what}");
                assert!(line.contains(name), "{what}: {line}");
            }
        }
        write(&project);
        let (mut old, new) = (pins(&before), pins(&read(&project, lock)));
        match edit.said {
            Said::Cosmetic => assert_eq!(old, new, "{what}"),
            Said::Unasked(name) => {
                assert!(old.remove(name).is_some(), "{what}");
                assert_eq!(old, new, "{what}");
            }
            Said::Moves(name, _) => {
                assert_ne!(old.remove(name), new.get(name).cloned(), "{what}");
            }
        }
        assert_eq!(findings(&project), [], "{what}: written anew");
    }
}

/// What both tools are given.
fn declared(rest: &str) -> String {
    format!(
        "[project]\nname = \"app\"\nversion = \"0.1.0\"\nrequires-python = \">=3.11\"\n\
         dependencies = [\"six==1.16.0\", \"idna<3.5\"]\n[dependency-groups]\ndev = [\"iniconfig\"]\n{rest}"
    )
}

#[test]
fn poetry_moves_what_is_said_to_move() {
    let declared = declared(&format!(
        "[tool.poetry]\npackage-mode = false\n[[tool.poetry.source]]\nname = \"simple\"\nurl = \"{}\"\n",
        index()
    ));
    agree(
        ("poetry-2", "poetry"),
        "poetry.lock",
        &declared,
        "poetry-content-hash",
        &["lock"],
    );
}

#[test]
fn pdm_moves_what_is_said_to_move() {
    let declared = declared(&format!(
        "[tool.pdm]\ndistribution = false\n[[tool.pdm.source]]\nname = \"pypi\"\nurl = \"{}\"\n",
        index()
    ));
    agree(
        ("pdm-2", "pdm"),
        "pdm.lock",
        &declared,
        "pdm-content-hash",
        &["lock", "--update-reuse"],
    );
}

/// Edits beside `lock_inputs`: what is replaced by what, and what PDM and we say of it.
const INPUTS: &[(&str, &str, i32, &[&str])] = &[
    ("0.1.0", "0.2.0", 0, &[]),
    ("six==1.16.0", "six>=1.16", 0, &[]),
    (
        "\"six==1.16.0\", \"idna<3.5\"",
        "\"idna<3.5\", \"six==1.16.0\"",
        0,
        &[],
    ),
    (
        "six==1.16.0",
        "six>=1.17",
        1,
        &["pdm-content-hash", "requirement-not-satisfied"],
    ),
    (
        "six==1.16.0",
        "six==1.16.0 ; os_name == 'nt'",
        1,
        &["pdm-content-hash"],
    ),
    ("colorama ;", "colorama[x] ;", 1, &["pdm-content-hash"]),
    (
        "sys_platform == 'win32'",
        "sys_platform  ==  \\\"win32\\\"",
        0,
        &[],
    ),
    ("\"iniconfig\"", "", 1, &["pdm-content-hash"]),
    ("dev = ", "test = ", 1, &["pdm-content-hash"]),
    (">=3.11", ">=3.12", 1, &["pdm-content-hash"]),
    (">=3.11", " >= 3.11", 0, &[]),
    (
        "name = \"pypi\"",
        "name = \"other\"",
        1,
        &["pdm-content-hash"],
    ),
    (
        "lock_inputs = true",
        "lock_inputs = true\nallow-prereleases = true",
        1,
        &["pdm-content-hash"],
    ),
];

#[test]
fn lock_inputs_of_pdm_are_compared_as_pdm_compares_them() {
    let declared = declared(&format!(
        "[tool.pdm]\ndistribution = false\n[tool.pdm.resolution]\nlock_inputs = true\n\
         [[tool.pdm.source]]\nname = \"pypi\"\nurl = \"{}\"\n",
        index()
    ));
    let declared = declared.replace(
        "\"idna<3.5\"",
        "\"idna<3.5\", \"colorama ; sys_platform == 'win32' and python_version >= '3.11'\"",
    );
    let project = Project::empty();
    let pdm = |arguments: &[&str]| {
        run("pdm-2", "pdm", arguments, &project.path())
            .status
            .code()
    };
    project.write("pyproject.toml", &declared);
    assert_eq!(pdm(&["lock"]), Some(0));
    assert!(read(&project, "pdm.lock").contains("[metadata.lock_inputs.project]"));
    assert_eq!(findings(&project), []);
    for (from, to, code, rules) in INPUTS {
        let edited = declared.replace(from, to);
        assert_ne!(edited, declared, "{to}");
        project.write("pyproject.toml", edited);
        let mut found: Vec<String> = findings(&project).into_iter().map(|one| one.0).collect();
        // What nothing asks for any more is an orphan as well.
        found.retain(|rule| rule != "orphan-package");
        found.sort();
        assert_eq!(found, *rules, "{to}");
        assert_eq!(pdm(&["lock", "--check"]), Some(*code), "{to}: PDM");
    }
}

/// Edits of a workspace beside `lock_inputs`: the file, what is replaced by what, and what PDM and we say of it.
const WORKSPACE_INPUTS: &[(&str, &str, &str, i32, &[&str])] = &[
    ("libs/a/pyproject.toml", "six>=1.15", "six>=1.14", 0, &[]),
    (
        "libs/a/pyproject.toml",
        "six>=1.15",
        "idna",
        1,
        &["pdm-content-hash", "requirement-not-locked"],
    ),
    (
        "libs/a/pyproject.toml",
        "six>=1.15",
        "six>=9",
        1,
        &["pdm-content-hash", "requirement-not-satisfied"],
    ),
    (
        "libs/a/pyproject.toml",
        "0.1.0",
        "0.1.1",
        1,
        &["pdm-content-hash"],
    ),
    (
        "libs/a/pyproject.toml",
        "[\"pdm-backend\"]",
        "[\"pdm-backend>=2\"]",
        1,
        &["pdm-content-hash"],
    ),
    (
        "libs/a/pyproject.toml",
        "name = \"Lib_A\"",
        "name = \"other\"",
        1,
        &["pdm-content-hash"],
    ),
    (
        "libs/b/pyproject.toml",
        "distribution = false",
        "distribution = true",
        1,
        &["pdm-content-hash"],
    ),
    (
        "libs/b/pyproject.toml",
        "x = [",
        "y = [",
        1,
        &["pdm-content-hash"],
    ),
    (
        "libs/b/pyproject.toml",
        ">=3.11",
        ">=3.12",
        1,
        &["pdm-content-hash"],
    ),
    (
        "pyproject.toml",
        "members = [\"libs/*\"]",
        "members = [\"libs/a\"]",
        1,
        &["pdm-content-hash"],
    ),
    (
        "pyproject.toml",
        "dependencies = [",
        "dependencies = [\"lib-a\", ",
        1,
        &["pdm-content-hash"],
    ),
    ("pyproject.toml", "six==1.16.0", "six>=1.16", 0, &[]),
];

#[test]
fn lock_inputs_of_workspaces_are_compared_as_pdm_compares_them() {
    let root = format!(
        "[project]\nname = \"top\"\nversion = \"0.1.0\"\nrequires-python = \">=3.11\"\ndependencies = [\"six==1.16.0\"]\n\
         [tool.pdm]\ndistribution = false\n[tool.pdm.resolution]\nlock_inputs = true\n\
         [tool.pdm.workspace]\nmembers = [\"libs/*\"]\n[[tool.pdm.source]]\nname = \"pypi\"\nurl = \"{}\"\n",
        index()
    );
    let first = "[project]\nname = \"Lib_A\"\nversion = \"0.1.0\"\nrequires-python = \">=3.11\"\ndependencies = [\"six>=1.15\"]\n\
                 [build-system]\nrequires = [\"pdm-backend\"]\nbuild-backend = \"pdm.backend\"\n";
    let second = "[project]\nname = \"b\"\nversion = \"1.0\"\nrequires-python = \">=3.11\"\n\
                  [project.optional-dependencies]\nx = [\"charset_normalizer ; os_name == 'nt'\"]\n[tool.pdm]\ndistribution = false\n";
    let files = [
        ("pyproject.toml", root.as_str()),
        ("libs/a/pyproject.toml", first),
        ("libs/b/pyproject.toml", second),
    ];
    let mut different: Vec<String> = Vec::new();
    for backend in ["", "hatchling"] {
        let project = Project::empty();
        let pdm = |arguments: &[&str]| {
            let output = run("pdm-2", "pdm", arguments, &project.path());
            output.status.code()
        };
        let write = |path: &str, text: &str| {
            let end = format!(
                "[build-system]\nrequires = [\"{backend}\"]\nbuild-backend = \"{backend}.build\"\n"
            );
            let is_root = path == "pyproject.toml" && !backend.is_empty();
            let text = if is_root {
                format!("{text}{end}")
            } else {
                text.to_owned()
            };
            project.write(path, text);
        };
        for (path, text) in files {
            write(path, text);
        }
        assert_eq!(pdm(&["lock"]), Some(0));
        assert!(read(&project, "pdm.lock").contains("[metadata.lock_inputs.workspace.\"libs/a\"]"));
        assert_eq!(findings(&project), []);
        let edits = if backend.is_empty() {
            WORKSPACE_INPUTS
        } else {
            &[]
        };
        for (path, from, to, code, rules) in edits {
            let (_, text) = files.iter().find(|file| file.0 == *path).unwrap();
            let edited = text.replace(from, to);
            assert_ne!(edited, *text, "{to}");
            write(path, &edited);
            let mut found: Vec<String> = findings(&project).into_iter().map(|one| one.0).collect();
            found.retain(|rule| rule != "orphan-package");
            found.sort();
            let theirs = pdm(&["lock", "--check"]);
            if found != *rules || theirs != Some(*code) {
                different.push(format!(
                    "{path}: {to}: {found:?}, and PDM ends with {theirs:?}"
                ));
            }
            write(path, text);
        }
    }
    assert!(different.is_empty(), "{different:#?}");

    // A member that a group names by its place is implied no more, and only PDM itself reads such a line.
    let project = Project::empty();
    for (path, text) in files {
        project.write(path, text);
    }
    let named = "[tool.pdm.dev-dependencies]\ndev = [\"-e file:///${PROJECT_ROOT}/libs/a#egg=Lib_A\"]\n[tool.pdm.resolution]";
    project.write(
        "pyproject.toml",
        root.replace("[tool.pdm.resolution]", named),
    );
    assert!(
        run("pdm-2", "pdm", &["lock"], &project.path())
            .status
            .success()
    );
    let found: Vec<String> = findings(&project).into_iter().map(|one| one.0).collect();
    assert_eq!(found, ["sync-unverifiable"]);
}
