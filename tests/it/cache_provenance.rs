//! Where a cache comes from, as the summary says it: which scopes were searched, how large and how old it is.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use crate::support::cache_runs::{cache, told, with_service};
use crate::support::lockgate::{Project, Run};
use crate::support::peers::cache_service;

/// A token of a pull request: it writes to its own scope, and reads the default branch's too.
fn token() -> String {
    let scopes = json!([
        {"Scope": "refs/pull/7/merge", "Permission": 3},
        {"Scope": "refs/heads/main", "Permission": 1},
    ]);
    let claims = json!({"ac": scopes.to_string()}).to_string();
    format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims))
}

/// The run, and what it alone wrote into the summary.
fn summary(project: &Project, operation: &str, key: &str, more: &[&str]) -> (Run, String) {
    let before = project.temp_file("summary");
    let run = cache(project, operation, key, more);
    let after = project.temp_file("summary");
    let new = after.strip_prefix(before.as_str()).unwrap_or(&after);
    (run, new.to_owned())
}

#[track_caller]
fn expect(text: &str, lines: &[&str]) {
    for line in lines {
        assert!(text.contains(line), "`{line}` is not in\n{text}");
    }
}

#[test]
fn scopes_size_and_age_are_told_of_what_the_service_has() {
    let service = cache_service();
    let project = with_service(Project::empty(), &service, "pull_request")
        .with("ACTIONS_RUNTIME_TOKEN", &token());
    project.write("d/f", "content\n");
    let searched = "scopes searched: refs/pull/7/merge, refs/heads/main";

    let (missed, text) = summary(&project, "restore", "k", &[]);
    assert_eq!(told(&missed).0, "miss");
    let nothing = "nothing is saved under `k` in `refs/pull/7/merge` or `refs/heads/main`";
    expect(&text, &[searched]);
    let human = ["cache", "restore", "--key", "k", "--paths", "d"];
    project.run(&human).expect_code(0).expect_text(nothing);

    let (saved, text) = summary(&project, "save", "k", &[]);
    assert_eq!(told(&saved).0, "saved");
    expect(&text, &["scope: refs/pull/7/merge<br>"]);

    for (more, archive) in [(&["--lookup-only"][..], "archive: "), (&[], " for 8 B")] {
        service.seen();
        let (restored, text) = summary(&project, "restore", "k", more);
        assert_eq!(told(&restored).0, "hit", "{}", restored.text());
        expect(&text, &[searched, "saved: ", " ago<br>", archive]);
        let asked = service.seen().0;
        let gets = asked.iter().filter(|asked| asked["method"] == "GET");
        assert_eq!(gets.count(), 1, "one range is enough");
    }

    project.run(&human).expect_text(" ago");
    let lookup = [&human[..], &["--lookup-only"]].concat();
    project
        .run(&lookup)
        .expect_text("there is `k`: ")
        .expect_text(" ago");

    // What the store does not say is not shown, and nothing is made of it.
    service.fail(&json!([{"at": "GET", "kind": "pass", "headers": {"last-modified": "soon"}}]));
    let (restored, text) = summary(&project, "restore", "k", &[]);
    assert_eq!(told(&restored).0, "hit");
    assert!(!text.contains("saved: "), "{text}");
    service.fail(&json!([{"at": "GET", "kind": "status", "status": 403, "times": 9}]));
    let (seen, text) = summary(&project, "restore", "k", &["--lookup-only"]);
    assert_eq!(told(&seen), ("hit".into(), String::new()));
    assert!(!text.contains("archive: "), "{text}");
}
