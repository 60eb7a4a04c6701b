//! What a key is made from is kept beside the cache, so that a restore by another key can say why it is another one; and the
//! official client sees nothing of it.

use lockgate::archive::note;
use serde_json::json;

use crate::support::archives::{compressed, file};
use crate::support::cache_runs::{TOKEN, files, put, told, with_service};
use crate::support::lockgate::{Project, Run};
use crate::support::peers::{CacheService, cache_service, official_client};

const WHY: &str = "why the key is another one than that of what is restored";

fn lock(version: &str) -> String {
    format!(
        "version = 1\nrevision = 3\nrequires-python = \">=3.12\"\n\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\nsource = {{ virtual = \".\" }}\ndependencies = [{{ name = \"six\" }}]\n\n[[package]]\nname = \"six\"\nversion = \"{version}\"\nsource = {{ registry = \"https://index.example/simple\" }}\nwheels = [{{ url = \"https://files.example/six-{version}-py2.py3-none-any.whl\", hash = \"sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274\", size = 11050 }}]\n"
    )
}

fn cache(project: &Project, operation: &str, python: &str, more: &[&str]) -> Run {
    let own = [
        "cache",
        operation,
        "--paths",
        "d",
        "--python-version",
        python,
        "--output-format",
        "json",
    ];
    project.run(&[&own[..], more].concat())
}

/// The lines that say why, as a person sees them.
fn why(project: &Project, python: &str, more: &[&str]) -> Vec<String> {
    let own = [
        "cache",
        "restore",
        "--paths",
        "d",
        "--python-version",
        python,
    ];
    let run = project.run(&[&own[..], more].concat());
    run.expect_code(0);
    let mut lines = run.stdout.lines().skip_while(|line| line.trim() != WHY);
    lines.next();
    let rows = lines.take_while(|line| line.starts_with("    "));
    rows.map(|line| line.trim().to_owned()).collect()
}

fn project(service: &CacheService) -> Project {
    let project = with_service(Project::empty(), service, "push");
    project
        .write("uv.lock", lock("1.17.0"))
        .write("d/deep/x", "x\n");
    project
}

#[test]
fn a_partial_hit_says_why_and_the_official_client_sees_nothing_of_it() {
    let service = cache_service();
    let project = project(&service);
    let before = files(&project.path().join("d"));
    let saved = cache(&project, "save", "3.12.4", &[]);
    assert_eq!(told(&saved).0, "saved", "{}", saved.text());
    let key = saved.json()["outputs"]["key"].as_str().unwrap().to_owned();

    let theirs = Project::empty();
    let environment = service.environment(TOKEN);
    let (found, log) = official_client("restore", &key, &theirs.path(), &environment, &["d"]);
    assert_eq!(found, key.as_str(), "{log}");
    let names = |files: std::collections::BTreeMap<std::path::PathBuf, String>| {
        files.into_keys().collect::<Vec<_>>()
    };
    assert_eq!(
        names(files(&theirs.path().join("d"))),
        names(before.clone())
    );

    assert_eq!(told(&cache(&project, "restore", "3.12.4", &[])).0, "hit");
    assert!(why(&project, "3.12.4", &[]).is_empty());
    project.write("uv.lock", lock("1.16.0"));
    let expected = [
        "python-version: `3.12.4` → `3.12.5`",
        "uv.lock: six 1.17.0 → 1.16.0",
    ];
    service.seen();
    let seen = cache(&project, "restore", "3.12.5", &["--lookup-only"]);
    assert_eq!(told(&seen).0, "partial", "{}", seen.text());
    let ranges = service
        .seen()
        .0
        .iter()
        .filter(|request| request["method"] == "GET")
        .count();
    assert_eq!(ranges, 1, "one range has it");
    assert_eq!(why(&project, "3.12.5", &["--lookup-only"]), expected);
    std::fs::remove_dir_all(project.path().join("d")).unwrap();
    assert_eq!(why(&project, "3.12.5", &[]), expected);
    let restored = cache(&project, "restore", "3.12.5", &[]);
    assert_eq!(told(&restored).0, "partial");
    assert_eq!(files(&project.path().join("d")), before);
    assert!(project.temp_file("summary").contains("six 1.17.0 → 1.16.0"));
    // A store without ranges gives no less.
    service.fail(&json!([{"at": "GET", "kind": "whole"}]));
    assert_eq!(why(&project, "3.12.5", &["--lookup-only"]), expected);
    // Where it cannot be had, nothing is missed.
    service.fail(&json!([{"at": "GET", "kind": "status", "status": 403, "times": 9}]));
    let without = cache(&project, "restore", "3.12.5", &["--lookup-only"]);
    without.expect_code(0);
    assert_eq!(told(&without), ("partial".into(), String::new()));
    assert!(why(&project, "3.12.5", &["--lookup-only"]).is_empty());
}

#[test]
fn what_the_end_of_the_job_saves_says_what_its_key_was_made_from() {
    let service = cache_service();
    let project = project(&service);
    let state = project.beside("temp").join("state");
    let project = project.with("GITHUB_STATE", &state.display().to_string());
    assert_eq!(told(&cache(&project, "restore", "3.12.4", &[])).0, "miss");
    let text = std::fs::read_to_string(&state).unwrap();
    let value = text.lines().nth(1).unwrap();
    // The job may change its lock: the key was made from what it was.
    project.write("uv.lock", lock("1.15.0"));
    let project = project.with("STATE_lockgate-cache", value);
    assert_eq!(
        told(&project.run(&["cache", "save", "--output-format", "json"])).0,
        "saved"
    );
    project.write("uv.lock", lock("1.16.0"));
    let partial = cache(&project, "restore", "3.12.4", &[]);
    assert_eq!(told(&partial).0, "partial", "{}", partial.text());
    let expected = ["uv.lock: six 1.17.0 → 1.16.0"];
    assert_eq!(why(&project, "3.12.4", &[]), expected);
}

#[test]
fn what_strangers_write_there_is_tamed_or_passed_over() {
    let project = Project::empty();
    project.write("uv.lock", lock("1.17.0"));
    let store = project.beside("store");
    let with = ["--store".to_owned(), store.display().to_string()];
    let with: Vec<&str> = with.iter().map(String::as_str).collect();
    let document = cache(&project, "save", "3.12.4", &with);
    assert_eq!(told(&document).0, "empty");
    let key = document.json()["outputs"]["key"]
        .as_str()
        .unwrap()
        .to_owned();
    let other = key.replace("3.12.4", "3.12.3");
    let evil = "\n::set-env name=X::\u{1b}[2J<b>`\u{202e}";
    let packages: Vec<_> = (0..500)
        .map(|number| json!([format!("{number}{evil}"), "1", "s", "h", "r"]))
        .collect();
    let lock = json!({"path": "uv.lock", "format": "uv", "digest": "0", "asked": "a", "packages": packages});
    let text = |key: &str| {
        let components = json!({
            "caches": {}, "os": evil, "os-version": "1", "architecture": "x", "libc": "", "python": null,
            "tools": {}, "digest": "0", "suffix": null, "prefix": null, "image": null, "extra": {},
            "locks": [lock], "files": [],
        });
        json!({"schema": "lockgate.cache-key.components/1", "key": key, "components": components})
            .to_string()
    };
    let archive = |note: Vec<u8>| [note, compressed(&[file("d/x", "x")])].concat();
    let lookup = |python: &str| {
        let run = cache(
            &project,
            "restore",
            python,
            &[&with[..], &["--lookup-only"]].concat(),
        );
        run.expect_code(0);
        run
    };
    put(
        &store,
        &other,
        &["d"],
        archive(note::to_frame(&text(&other)).unwrap()),
    );
    let run = lookup("3.12.5");
    assert_eq!(told(&run).0, "partial", "{}", run.text());
    assert_eq!(why(&project, "3.12.5", &with).len(), 10, "{}", run.text());
    let human = project.run(&[
        "cache",
        "restore",
        "--paths",
        "d",
        "--python-version",
        "3.12.5",
        with[0],
        with[1],
    ]);
    assert!(
        !human.text().contains('\u{1b}') && !human.text().contains("\n::"),
        "{}",
        human.text()
    );
    assert!(human.text().contains(WHY));
    // One that is of another key, damaged, or no document, says nothing.
    for (number, note) in [
        note::to_frame(&text("another")).unwrap(),
        note::to_frame("[]").unwrap(),
        note::to_frame("").unwrap(),
        {
            let mut frame = note::to_frame(&text(&other)).unwrap();
            let middle = frame.len() / 2;
            frame[middle] ^= 1;
            frame
        },
    ]
    .into_iter()
    .enumerate()
    {
        let other = key
            .replace("3.12.4", &format!("3.13.{number}"))
            .replace("cp312", "cp313");
        put(&store, &other, &["d"], archive(note));
        let run = lookup("3.13.9");
        assert_eq!(told(&run).0, "partial", "{}", run.text());
        let run = cache(&project, "restore", "3.13.9", &with);
        assert_eq!(told(&run).0, "partial", "{}", run.text());
        assert!(why(&project, "3.13.9", &with).is_empty(), "{number}");
    }
}
