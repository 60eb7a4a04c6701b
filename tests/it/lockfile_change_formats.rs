//! What a change does to a lock of each format, made by its tool; locks that are deleted, renamed, or links.

use lockgate::lockfiles::Format;
use serde_json::{Value, json};

use crate::support::lockgate::{Project, Run};
use crate::support::small_locks::{SmallLock, small_locks};

fn repository(locks: &[&SmallLock]) -> Project {
    let project = Project::empty();
    project.git(&["init", "--quiet", "--initial-branch=main"]);
    for lock in locks {
        project
            .write(lock.name, &lock.lock)
            .write(lock.declared.0, &lock.declared.1);
    }
    project.commit("the base");
    project
}

fn of(format: Format) -> &'static SmallLock {
    let mut all = small_locks().iter();
    all.find(|lock| lock.format == format).unwrap()
}

fn run(project: &Project, arguments: &[&str]) -> Run {
    let own = ["lockfile-verify", "--base=HEAD", "--output-format=json"];
    project.run(&[&own[..], arguments].concat())
}

/// Rule, path and line of each finding that is new.
fn new(report: &Value) -> Vec<(String, String, usize)> {
    let findings = report["findings"].as_array().unwrap().iter();
    findings
        .filter(|finding| finding["new"] == json!(true))
        .map(|finding| {
            let text = |key: &str| finding[key].as_str().unwrap().to_owned();
            let line = finding["line"].as_u64().unwrap();
            (text("rule"), text("path"), usize::try_from(line).unwrap())
        })
        .collect()
}

/// The entry of six: from its name to the next entry.
fn six(lock: &str) -> &str {
    let start = ["\nname = \"six\"", "\"six\": {", "\nsix=="]
        .iter()
        .find_map(|name| lock.find(name))
        .unwrap();
    let rest = &lock[start + 1..];
    let end = ["\n[[package", "\n        }", "\n    # via", "\n[metadata"]
        .iter()
        .filter_map(|next| rest.find(next))
        .min();
    &lock[start..start + 1 + end.unwrap_or(rest.len())]
}

/// The lock with another text in the entry of six, and the line on which both begin to differ.
fn edited(lock: &str, edit: impl Fn(&str) -> String) -> (String, usize) {
    let entry = six(lock);
    let changed = lock.replacen(entry, &edit(entry), 1);
    assert_ne!(changed, lock, "{entry}");
    let line = lock
        .lines()
        .zip(changed.lines())
        .position(|(before, now)| before != now)
        .unwrap();
    (changed, line + 1)
}

/// Other digits in the hash at the `index`th place.
fn with_other_hash(entry: &str, index: usize) -> String {
    let mut starts = entry.char_indices().map(|(at, _)| at).filter(|at| {
        let digest = entry.get(*at..at + 64);
        let is_digit = |byte: u8| byte.is_ascii_hexdigit();
        digest.is_some_and(|digest| digest.bytes().all(is_digit))
    });
    let at = starts.nth(index).unwrap();
    let digest = &entry[at..at + 64];
    let other: String = digest
        .chars()
        .map(|digit| if digit == '0' { '1' } else { '0' })
        .collect();
    entry.replacen(digest, &other, 1)
}

/// Another place for six, in the words of each format.
fn elsewhere(format: Format, entry: &str) -> String {
    let between = |start: &str, end: char, text: &str| {
        let from = entry.find(start).unwrap() + start.len();
        let to = from + entry[from..].find(end).unwrap();
        format!("{}{text}{}", &entry[..from], &entry[to..])
    };
    let index = "https://mirror.example/simple";
    let archive = "https://files.stranger.example/six-1.17.0-py2.py3-none-any.whl";
    match format {
        Format::Uv => between("registry = \"", '"', index),
        Format::Pylock => between("index = \"", '"', index),
        // It names the index of what the Pipfile asks for only.
        Format::Pipfile => entry.replacen(
            "\"markers\"",
            "\"index\": \"mirror\",\n            \"markers\"",
            1,
        ),
        Format::Requirements => between("six", '\\', &format!(" @ {archive} ")),
        Format::Pdm => entry.replacen("version = ", &format!("url = \"{archive}\"\nversion = "), 1),
        Format::Poetry => format!(
            "{}\n[package.source]\ntype = \"url\"\nurl = \"{archive}\"\n",
            entry.split("\n[package.source]").next().unwrap().trim_end()
        ),
        Format::UvScript => panic!("it is uv's"),
    }
}

#[test]
fn a_change_to_a_lock_of_each_format_is_told_on_its_line() {
    for lock in small_locks() {
        let (format, name) = (lock.format, lock.name);
        let project = repository(&[lock]);
        let after = |text: &str| {
            project.write(name, text);
            run(&project, &[]).json()
        };
        let expect = |report: &Value, rule: &str, line: usize, alarms: &str| {
            let found = new(report);
            let expected = (rule.to_owned(), name.to_owned(), line);
            assert!(found.contains(&expected), "{expected:?}: {found:?}");
            assert_eq!(report["outputs"]["alarms"], json!(alarms), "{format:?}");
        };
        let report = after(&lock.lock);
        assert_eq!(report["outputs"]["changed"], json!("false"));
        let quiet: Vec<_> = report["findings"].as_array().unwrap().iter().collect();
        assert!(quiet.is_empty(), "{format:?}: {quiet:?}");

        // Another hash, the same name.
        let (text, line) = edited(&lock.lock, |entry| with_other_hash(entry, 0));
        expect(&after(&text), "hash-changed", line, "1");

        // An earlier version.
        let (text, line) = edited(&lock.lock, |entry| entry.replace("1.17.0", "1.16.0"));
        let report = after(&text);
        expect(&report, "downgrade", line, "0");
        assert_eq!(report["outputs"]["max-jump"], json!("minor"), "{format:?}");

        // The same files from elsewhere.
        let (text, line) = edited(&lock.lock, |entry| elsewhere(format, entry));
        let report = after(&text);
        let found = new(&report);
        let is_told = |(rule, _, at): &(String, String, usize)| {
            rule == "new-source" && (*at == line || format == Format::Poetry)
        };
        assert!(found.iter().any(is_told), "{format:?} {line}: {found:?}");
        assert_eq!(report["outputs"]["new-sources"], json!("1"), "{format:?}");

        // Files of other names in place of all wheels.
        let is_named = !matches!(format, Format::Pipfile | Format::Requirements);
        if is_named {
            let (text, _) = edited(&lock.lock, |entry| {
                let wheel = entry.find("six-1.17.0-py2.py3").unwrap();
                let sdist = entry.find("six-1.17.0.tar.gz").unwrap();
                let other = entry.replace("six-1.17.0-py2.py3-", "six-1.17.0-py3-");
                with_other_hash(&other, usize::from(wheel > sdist))
            });
            let line = text
                .lines()
                .position(|line| line.contains("0-py3-"))
                .unwrap()
                + 1;
            expect(&after(&text), "files-exchanged", line, "1");
        }
    }
}

#[test]
fn a_lock_that_is_deleted_is_told_and_one_that_is_renamed_is_compared() {
    let (uv, requirements) = (of(Format::Uv), of(Format::Requirements));
    let project = repository(&[requirements]);
    project
        .write("service/uv.lock", &uv.lock)
        .write("service/pyproject.toml", &uv.declared.1);
    project.commit("a service");
    let path = |name: &str| project.path().join(name);
    std::fs::remove_file(path("service/uv.lock")).unwrap();
    let report = run(&project, &[]).expect_code(0).json();
    let deleted = (
        "lock-deleted".to_owned(),
        "service/pyproject.toml".into(),
        1,
    );
    assert_eq!(new(&report), [deleted]);
    assert_eq!(report["outputs"]["alarms"], json!("1"));
    assert_eq!(report["outputs"]["changed"], json!("true"));
    let ignore = "--ignore=lockgate:lock-deleted service/* until 2199-12-31: no longer locked";
    for quiet in ["--rules=lock-deleted off", "--exclude=service/**", ignore] {
        let found = new(&run(&project, &[quiet]).json());
        assert_eq!(found, [], "{quiet}");
    }
    assert_eq!(new(&run(&project, &["requirements.txt"]).json()), []);

    // Another tool took over.
    project.write("service/poetry.lock", &of(Format::Poetry).lock);
    let found = new(&run(&project, &[]).json());
    assert!(found.iter().all(|(rule, ..)| rule != "lock-deleted"));
    std::fs::remove_file(path("service/poetry.lock")).unwrap();

    // Its project is gone as well.
    std::fs::remove_file(path("service/pyproject.toml")).unwrap();
    assert_eq!(new(&run(&project, &[]).json()), []);

    // All is moved, and a hash changes under way.
    let (text, line) = edited(&uv.lock, |entry| with_other_hash(entry, 0));
    project
        .write("app/uv.lock", text)
        .write("app/pyproject.toml", &uv.declared.1);
    let run = |arguments: &[&str]| run(&project, arguments);
    let report = run(&[]).expect_code(1).json();
    let found = new(&report);
    let expected = ("hash-changed".to_owned(), "app/uv.lock".to_owned(), line);
    assert!(found.contains(&expected), "{found:?}");
    assert!(found.iter().all(|(rule, ..)| rule != "lock-deleted"));
    assert_eq!(report["outputs"]["new-sources"], json!("0"));
    let human = project.run(&["lockfile-verify", "--base=HEAD"]);
    human.expect_text("app/uv.lock (was service/uv.lock): 1 package changed");

    // The list goes, and what it was made from stays; the last lock is a lock no more.
    std::fs::remove_file(path("requirements.txt")).unwrap();
    let found = new(&run(&[]).json());
    let deleted = ("lock-deleted".to_owned(), "requirements.in".to_owned(), 1);
    assert!(found.contains(&deleted), "{found:?}");
    std::fs::remove_file(path("app/uv.lock")).unwrap();
    run(&[]).expect_code(3).expect_text("there is no lockfile");
}

#[cfg(unix)]
#[test]
fn a_lock_that_is_a_link_out_of_the_workspace_is_no_verdict() {
    let (uv, requirements) = (of(Format::Uv), of(Format::Requirements));
    let project = repository(&[requirements]);
    project.write("pyproject.toml", &uv.declared.1);
    let outside = project.beside("outside").join("uv.lock");
    std::fs::write(&outside, &uv.lock).unwrap();
    let link = project.path().join("uv.lock");
    for (target, what) in [
        (outside, "leads out of the workspace"),
        ("missing.lock".into(), "leads nowhere"),
    ] {
        std::os::unix::fs::symlink(target, &link).unwrap();
        project
            .run(&["lockfile-verify"])
            .expect_code(3)
            .expect_text("uv.lock")
            .expect_text(what);
        project
            .run(&["lockfile-verify", "--exclude=uv.lock"])
            .expect_code(0);
        std::fs::remove_file(&link).unwrap();
    }
    project.write("locks/uv.lock", &uv.lock);
    std::os::unix::fs::symlink("locks/uv.lock", &link).unwrap();
    let run = project.run(&["lockfile-verify", "--output-format=json"]);
    assert_eq!(run.json()["outputs"]["lockfiles"], json!("3"));
}
