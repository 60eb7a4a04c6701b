//! Against what a change is measured: every row of `docs/events.md`, and everything that can be in the way.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::support::git_server::{GitServer, base64};
use crate::support::repository::{
    Entry, Gate, Outcome, Place, Scene, Tree, lines, places, real_git, tree, write_program,
};

/// How many lines every `app.py` has.
const LINES: u32 = 30;
const GONE: &str = "1234567890123456789012345678901234567890";

/// What the tests change: `app.py` with numbered lines, in each of which the linter finds something.
fn app(edits: &[(u32, &str)]) -> Tree {
    let text: String = (1..=30)
        .map(|number| {
            let edit = edits.iter().find(|(line, _)| *line == number);
            edit.map_or_else(
                || format!("line {number}\n"),
                |(_, text)| (*text).to_owned(),
            )
        })
        .collect();
    tree([("app.py", &text), ("README.md", "read me\n")])
}

fn everywhere() -> BTreeSet<Place> {
    places("app.py", 1..=LINES)
}

fn here(lines: impl IntoIterator<Item = u32>) -> BTreeSet<Place> {
    places("app.py", lines)
}

fn push(before: &str, git_ref: &str) -> Value {
    json!({"ref": git_ref, "before": before, "repository": {"default_branch": "main"}})
}

impl Gate<'_> {
    fn judge(self) -> Outcome {
        self.finding(everywhere()).run()
    }
}

fn short(sha: &str) -> &str {
    &sha[..12]
}

/// A pull request on line 20 of `app.py`, on a branch that forked before main put a line on top and edited line 5.
struct PullRequest {
    scene: Scene,
    fork: String,
    base: String,
    head: String,
    merge: String,
}

impl PullRequest {
    fn new() -> Self {
        let scene = Scene::new();
        let fork = scene.commit("main", None, &[app(&[(9, "old\n")]), app(&[])]);
        let base = scene.commit(
            "main",
            Some(&fork),
            &[
                app(&[(1, "top\nline 1\n")]),
                app(&[(1, "top\nline 1\n"), (5, "main\n")]),
            ],
        );
        let head = scene.commit(
            "feature",
            Some(&fork),
            &[app(&[(20, "draft\n")]), app(&[(20, "head\n")])],
        );
        let merge = scene.pull_request(&base, &head);
        Self {
            scene,
            fork,
            base,
            head,
            merge,
        }
    }

    fn checked_out(git_ref: &str, depth: Option<u32>) -> Self {
        let request = Self::new();
        request
            .scene
            .checkout(&request.scene.workspace(), git_ref, depth);
        request
    }

    fn gate(&self) -> Gate<'_> {
        self.scene.gate().on_pull_request(&self.base, &self.head)
    }

    fn is_shallow(&self) -> bool {
        self.scene.workspace().join(".git/shallow").exists()
    }

    fn in_workspace(&self, arguments: &[&str]) -> String {
        self.scene.git(&self.scene.workspace(), arguments)
    }

    /// Takes the server away.
    fn without_server(self) -> Self {
        fs::rename(self.scene.origin(), self.scene.path().join("elsewhere")).expect("a folder");
        self
    }
}

// ---- pull requests ----

#[test]
fn a_merge_commit_at_depth_one_is_measured_against_its_first_parent() {
    let request = PullRequest::checked_out("refs/pull/1/merge", Some(1));
    let outcome = request.gate().judge();
    outcome.expect_kept(&here([21]));
    outcome.expect_base(&format!(
        "{} (first parent of the merge commit): 1 file, 1 line changed; scope changed-lines",
        short(&request.base)
    ));
    let outputs = fs::read_to_string(request.scene.temp().join("output")).expect("outputs");
    assert!(outputs.contains(&request.base), "{outputs}");
}

#[test]
fn the_fetch_of_a_base_changes_nothing_that_the_user_sees() {
    let request = PullRequest::checked_out("refs/pull/1/merge", Some(1));
    let state = || {
        let refs = request.in_workspace(&["for-each-ref"]);
        let index = fs::read(request.scene.workspace().join(".git/index")).expect("an index");
        let config =
            fs::read(request.scene.workspace().join(".git/config")).expect("a configuration");
        let head = fs::read(request.scene.workspace().join(".git/HEAD")).expect("a head");
        let fetched = fs::read(request.scene.workspace().join(".git/FETCH_HEAD")).ok();
        (refs, index, config, head, fetched)
    };
    let before = state();
    request.gate().judge().expect_kept(&here([21]));
    assert_eq!(state(), before);
    assert_eq!(request.in_workspace(&["status", "--porcelain"]), "");
}

#[test]
fn a_merge_commit_at_depth_two_needs_no_fetch() {
    let request = PullRequest::checked_out("refs/pull/1/merge", Some(2)).without_server();
    request.gate().judge().expect_kept(&here([21]));
}

#[test]
fn a_merge_commit_in_a_full_clone_stays_a_full_clone() {
    let request = PullRequest::checked_out("refs/pull/1/merge", None);
    request.gate().judge().expect_kept(&here([21]));
    assert!(!request.is_shallow());
    // Nor does it become shallow where the base must be fetched.
    let request = PullRequest::checked_out("refs/heads/main", None);
    let lost = request
        .scene
        .commit("lost", Some(&request.fork), &[app(&[(2, "lost\n")])]);
    let outcome = request
        .scene
        .gate()
        .on("push", &push(&lost, "refs/heads/main"))
        .judge();
    outcome.expect_base(&format!("{} (tip before the push)", short(&lost)));
    assert!(!request.is_shallow());
    assert_eq!(request.in_workspace(&["rev-list", "--count", "HEAD"]), "4");
}

#[test]
fn a_shallow_checkout_of_the_head_is_deepened_to_the_merge_base() {
    for depth in [1, 2] {
        let request = PullRequest::checked_out("refs/pull/1/head", Some(depth));
        let outcome = request.gate().judge();
        outcome.expect_kept(&here([20]));
        outcome.expect_base(&format!(
            "{} (merge base with the base branch)",
            short(&request.fork)
        ));
    }
}

#[test]
fn a_head_far_from_its_merge_base_is_deepened_step_by_step() {
    let scene = Scene::new();
    let fork = scene.commit("main", None, &[app(&[])]);
    let steps: Vec<Tree> = (0..70)
        .map(|step| app(&[(20, format!("step {step}\n").as_str())]))
        .collect();
    let head = scene.commit("feature", Some(&fork), &steps);
    let base = scene.commit("main", Some(&fork), &[app(&[(1, "top\nline 1\n")])]);
    scene.pull_request(&base, &head);
    scene.checkout(&scene.workspace(), "refs/pull/1/head", Some(1));
    let outcome = scene.gate().on_pull_request(&base, &head).judge();
    outcome.expect_kept(&here([20]));
    outcome.expect_base(&format!(
        "{} (merge base with the base branch)",
        short(&fork)
    ));
}

#[test]
fn a_full_checkout_of_the_head_is_measured_against_the_merge_base() {
    let request = PullRequest::checked_out("refs/pull/1/head", None);
    request.gate().judge().expect_kept(&here([20]));
    assert!(!request.is_shallow());
}

#[test]
fn a_head_that_is_a_merge_itself_is_not_taken_for_the_merge_commit() {
    let request = PullRequest::new();
    // Somebody pressed "Update branch": the head has main as its second parent.
    let head = request
        .scene
        .merge(&request.head, &request.base)
        .expect("no conflicts");
    request.scene.pull_request(&request.base, &head);
    for (git_ref, depth) in [
        ("refs/pull/1/head", Some(1)),
        ("refs/pull/1/head", None),
        ("refs/pull/1/merge", Some(1)),
    ] {
        let folder = request.scene.workspace();
        drop(fs::remove_dir_all(&folder));
        request.scene.checkout(&folder, git_ref, depth);
        let outcome = request
            .scene
            .gate()
            .on_pull_request(&request.base, &head)
            .judge();
        outcome.expect_kept(&here([21]));
        outcome.expect_base(short(&request.base));
    }
}

#[test]
fn a_checkout_without_the_pull_request_gives_no_verdict() {
    let payload = |request: &PullRequest| json!({"pull_request": {"head": {"sha": request.head}, "base": {"sha": request.base}}});
    for (git_ref, depth) in [
        ("refs/heads/main", Some(1)),
        ("refs/heads/main", None),
        ("refs/heads/other", None),
    ] {
        let request = PullRequest::new();
        request
            .scene
            .commit("other", Some(&request.fork), &[app(&[(2, "other\n")])]);
        request
            .scene
            .checkout(&request.scene.workspace(), git_ref, depth);
        let tip = request.in_workspace(&["rev-parse", "HEAD"]);
        for event in ["pull_request", "pull_request_target"] {
            let outcome = request.scene.gate().on(event, &payload(&request)).judge();
            outcome.expect_no_verdict(
                &format!(
                    "the checkout is `{tip}`, which does not hold the pull request's head `{}`",
                    request.head
                ),
                "let `actions/checkout` take its default",
            );
        }
    }
}

#[test]
fn a_pull_request_without_any_change_passes() {
    let scene = Scene::new();
    let base = scene.commit("main", None, &[app(&[])]);
    let head = scene.commit("feature", Some(&base), &[app(&[])]);
    scene.pull_request(&base, &head);
    scene.checkout(&scene.workspace(), "refs/pull/1/merge", Some(1));
    let outcome = scene.gate().on_pull_request(&base, &head).judge();
    outcome.expect_kept(&BTreeSet::new());
    outcome.expect_base(&format!(
        "{} (first parent of the merge commit): 0 files, 0 lines changed",
        short(&base)
    ));
}

#[test]
fn a_checkout_below_the_workspace_is_judged_in_its_folder() {
    let request = PullRequest::new();
    let sub = request.scene.workspace().join("sub");
    request.scene.checkout(&sub, "refs/pull/1/merge", Some(1));
    let at_root = request.gate().argument("--working-directory=sub").judge();
    at_root.expect_kept(&here([21]));
    request.gate().at(&sub).judge().expect_kept(&here([21]));
    // The workspace itself is no checkout.
    request.gate().judge().expect_no_verdict(
        "the workspace holds no git checkout",
        "run `actions/checkout` before this step",
    );
}

#[test]
fn a_workspace_behind_a_symbolic_link_is_the_same_workspace() {
    let request = PullRequest::checked_out("refs/pull/1/merge", Some(1));
    let link = request.scene.path().join("link");
    symlink(request.scene.workspace(), &link).expect("a link");
    let gate = || request.gate().with("GITHUB_WORKSPACE", &link);
    gate().at(&link).judge().expect_kept(&here([21]));
    gate()
        .at(&link)
        .argument("--working-directory=.")
        .judge()
        .expect_kept(&here([21]));
    let absolute = format!("--working-directory={}", link.display());
    gate().argument(absolute).judge().expect_kept(&here([21]));
}

// ---- merge groups and pushes ----

#[test]
fn a_merge_group_is_measured_against_the_entry_before_it() {
    let request = PullRequest::new();
    let queue = "refs/heads/gh-readonly-queue/main/pr-2";
    let entry = request.scene.commit(
        "other",
        Some(&request.merge),
        &[app(&[
            (1, "top\nline 1\n"),
            (5, "main\n"),
            (20, "head\n"),
            (25, "next\n"),
        ])],
    );
    request.scene.set_ref(queue, &entry);
    let payload = json!({"merge_group": {"head_sha": entry, "base_sha": request.merge, "base_ref": "refs/heads/main"}});
    for depth in [Some(1), None] {
        drop(fs::remove_dir_all(request.scene.workspace()));
        request
            .scene
            .checkout(&request.scene.workspace(), queue, depth);
        let outcome = request.scene.gate().on("merge_group", &payload).judge();
        outcome.expect_kept(&here([26]));
        outcome.expect_base(&format!(
            "{} (base of the merge group)",
            short(&request.merge)
        ));
    }
}

#[test]
fn a_push_is_measured_against_the_tip_before_it() {
    let scene = Scene::new();
    let before = scene.commit("main", None, &[app(&[])]);
    scene.commit(
        "main",
        Some(&before),
        &[app(&[(3, "one\n")]), app(&[(3, "one\n"), (7, "two\n")])],
    );
    for depth in [Some(1), None] {
        drop(fs::remove_dir_all(scene.workspace()));
        scene.checkout(&scene.workspace(), "refs/heads/main", depth);
        let outcome = scene
            .gate()
            .on("push", &push(&before, "refs/heads/main"))
            .judge();
        outcome.expect_kept(&here([3, 7]));
        outcome.expect_base(&format!(
            "{} (tip before the push): 1 file, 2 lines changed",
            short(&before)
        ));
    }
}

#[test]
fn the_first_push_of_a_branch_is_judged_as_a_whole() {
    let request = PullRequest::checked_out("refs/heads/feature", Some(1));
    let zeros = "0".repeat(40);
    for git_ref in ["refs/heads/feature", "refs/tags/v1"] {
        let outcome = request
            .scene
            .gate()
            .on("push", &push(&zeros, git_ref))
            .judge();
        outcome.expect_kept(&everywhere());
        outcome.expect_base("none (the first push of a branch has no base); scope everything");
    }
}

#[test]
fn a_forced_push_is_measured_against_the_tip_that_the_server_still_has() {
    let request = PullRequest::checked_out("refs/heads/feature", Some(1));
    let before = request
        .scene
        .commit("lost", Some(&request.fork), &[app(&[(2, "lost\n")])]);
    request.scene.git(
        &request.scene.origin(),
        ["update-ref", "-d", "refs/heads/lost"],
    );
    let outcome = request
        .scene
        .gate()
        .on("push", &push(&before, "refs/heads/feature"))
        .judge();
    outcome.expect_kept(&here([2, 20]));
    outcome.expect_base(&format!("{} (tip before the push)", short(&before)));
}

#[test]
fn a_forced_push_whose_tip_is_gone_is_measured_against_the_merge_base_with_the_default_branch() {
    for depth in [Some(1), None] {
        let request = PullRequest::checked_out("refs/heads/feature", depth);
        let outcome = request
            .scene
            .gate()
            .on("push", &push(GONE, "refs/heads/feature"))
            .judge();
        outcome.expect_kept(&here([20]));
        outcome.expect_base(&format!(
            "{} (merge base with the default branch (the commit before the push is gone))",
            short(&request.fork)
        ));
        outcome
            .run
            .expect_text("cannot be had any more (forced push)");
        assert!(depth.is_some() || !request.is_shallow());
    }
}

#[test]
fn a_forced_push_of_the_default_branch_whose_tip_is_gone_gives_no_verdict() {
    let request = PullRequest::checked_out("refs/heads/main", Some(1));
    let outcome = request
        .scene
        .gate()
        .on("push", &push(GONE, "refs/heads/main"))
        .judge();
    outcome.expect_no_verdict(
        &format!("the base commit `{GONE}` is not in this checkout and could not be fetched"),
        "pass `base: <revision>` or `scope: everything`",
    );
}

// ---- events without a base, and bases by hand ----

#[test]
fn events_without_a_change_are_judged_as_a_whole() {
    let request = PullRequest::checked_out("refs/heads/main", Some(1)).without_server();
    for event in [
        "schedule",
        "workflow_dispatch",
        "workflow_run",
        "release",
        "workflow_call",
    ] {
        let outcome = request.scene.gate().on(event, &json!({})).judge();
        outcome.expect_kept(&everywhere());
        outcome.expect_base(&format!("none (`{event}` has no base); scope everything"));
    }
    let narrow = request
        .scene
        .gate()
        .on("schedule", &json!({}))
        .argument("--scope=changed-lines")
        .judge();
    narrow.expect_no_verdict(
        "`scope: changed-lines` needs a base, and `schedule` has no base",
        "pass `base: <revision>`, or `scope: everything`",
    );
}

#[test]
fn a_base_by_hand_wins_over_the_event() {
    let request = PullRequest::checked_out("refs/heads/feature", None);
    let gate = || request.scene.gate().on("workflow_dispatch", &json!({}));
    for base in ["origin/main", request.fork.as_str(), &request.fork[..10]] {
        let outcome = gate().argument(format!("--base={base}")).judge();
        outcome.expect_kept(&here([20]));
        outcome.expect_base(&format!("{} (`base: {base}`)", short(&request.fork)));
    }
    request
        .gate()
        .argument("--base=HEAD~1")
        .judge()
        .expect_kept(&here([20]));
    request
        .gate()
        .argument("--base=HEAD")
        .judge()
        .expect_kept(&BTreeSet::new());
    for wrong in ["nowhere", "HEAD:app.py"] {
        let outcome = gate().argument(format!("--base={wrong}")).judge();
        outcome
            .run
            .expect_code(2)
            .expect_text(&format!("error: `base`: there is no commit `{wrong}` here"));
    }
    let option = gate().argument("--base=--upload-pack=touch x").judge();
    option
        .run
        .expect_code(2)
        .expect_text("error: `--upload-pack=touch x` is no revision");
}

#[test]
fn a_base_by_hand_is_fetched_by_its_sha_where_history_is_cut_off() {
    let request = PullRequest::checked_out("refs/heads/feature", Some(1));
    let gate = || request.scene.gate().on("workflow_dispatch", &json!({}));
    gate()
        .argument(format!("--base={}", request.fork))
        .judge()
        .expect_kept(&here([20]));
    gate()
        .argument(format!("--base={GONE}"))
        .judge()
        .expect_no_verdict(
            &format!("the base commit `{GONE}` is not in this checkout and could not be fetched"),
            "let the step have `token` with `contents: read`, or check out with `fetch-depth: 0`",
        );
}

// ---- no base where there should be one ----

#[test]
fn a_base_that_cannot_be_had_gives_no_verdict() {
    let hint =
        "let the step have `token` with `contents: read`, or check out with `fetch-depth: 0`";
    let missing = |sha: &str| {
        format!("the base commit `{sha}` is not in this checkout and could not be fetched")
    };
    for remote in [false, true] {
        let request = PullRequest::checked_out("refs/pull/1/merge", Some(1)).without_server();
        if !remote {
            request.in_workspace(&["remote", "remove", "origin"]);
        }
        let outcome = request.gate().judge();
        outcome.expect_no_verdict(&missing(&request.base), hint);
        outcome.run.expect_text("cause: git fetch: exit code 128");
        let group = json!({"merge_group": {"base_sha": request.fork}});
        request
            .scene
            .gate()
            .on("merge_group", &group)
            .judge()
            .expect_no_verdict(&missing(&request.fork), hint);
        let pushed = request
            .scene
            .gate()
            .on("push", &push(&request.fork, "refs/heads/feature"))
            .judge();
        pushed.expect_no_verdict(
            "the branch `main` is not in this checkout and could not be fetched",
            hint,
        );
        // Who wants everything judged gets it, but for a proposal: only the base shows whether it loosens its own policy.
        let pushed = request
            .scene
            .gate()
            .on("push", &push(GONE, "refs/heads/main"));
        let all = pushed.argument("--scope=everything").judge();
        all.expect_kept(&everywhere());
        all.expect_base("none (not asked for); scope everything");
        let proposal = request.gate().argument("--scope=everything").judge();
        proposal.expect_no_verdict(&missing(&request.base), hint);
    }
}

#[test]
fn histories_without_a_common_ancestor_give_no_verdict() {
    let scene = Scene::new();
    let base = scene.commit("main", None, &[app(&[])]);
    let head = scene.commit("orphan", None, &[app(&[(20, "head\n")])]);
    scene.set_ref("refs/pull/1/head", &head);
    for depth in [Some(1), None] {
        drop(fs::remove_dir_all(scene.workspace()));
        scene.checkout(&scene.workspace(), "refs/pull/1/head", depth);
        scene
            .gate()
            .on_pull_request(&base, &head)
            .judge()
            .expect_no_verdict(
                &format!(
                    "`{base}` and `{head}` have no common ancestor in the history that is here"
                ),
                "check out with `fetch-depth: 0`, or check out the merge commit",
            );
    }
}

#[test]
fn a_payload_without_its_shas_gives_no_verdict() {
    let request = PullRequest::checked_out("refs/pull/1/merge", Some(1));
    for (event, payload, field) in [
        ("pull_request", json!({}), "pull_request.head.sha"),
        (
            "merge_group",
            json!({"merge_group": {"base_sha": "--upload-pack=x"}}),
            "merge_group.base_sha",
        ),
        ("push", json!({"before": "main"}), "before"),
    ] {
        let outcome = request.scene.gate().on(event, &payload).judge();
        outcome.expect_no_verdict(
            &format!("the `{event}` event has no SHA at `{field}`"),
            "the file that GITHUB_EVENT_PATH names",
        );
    }
    let broken = request
        .gate()
        .with(
            "GITHUB_EVENT_PATH",
            request.scene.path().join("missing.json"),
        )
        .judge();
    broken
        .run
        .expect_code(3)
        .expect_text("error: the event payload");
}

#[test]
fn git_that_is_killed_at_any_call_gives_no_verdict() {
    // Each shape of checkout makes other calls. The last round is the one that is not disturbed.
    for (git_ref, depth) in [
        ("refs/pull/1/merge", 1),
        ("refs/pull/1/head", 1),
        ("refs/pull/1/merge", 2),
    ] {
        let mut calls = 0;
        loop {
            calls += 1;
            let request = PullRequest::checked_out(git_ref, Some(depth));
            let (programs, count) = (
                request.scene.path().join("programs"),
                request.scene.path().join("count"),
            );
            // The call in question prints half of what it should, then dies.
            write_program(
                &programs.join("git"),
                &format!(
                    "#!/bin/sh\necho x >> '{count}'\nif [ $(wc -l < '{count}') = {calls} ]; then\n  '{git}' \"$@\" > '{count}.out'\n  \
                     head -c $(($(wc -c < '{count}.out') / 2)) '{count}.out'\n  kill -9 $$\nfi\nexec '{git}' \"$@\"\n",
                    count = count.display(),
                    git = real_git().display()
                ),
            );
            let outcome = request.gate().with_path_first(&programs).judge();
            let made = fs::read_to_string(&count).expect("calls").lines().count();
            if made < calls {
                outcome.run.expect_code(1);
                break;
            }
            // A fetch may die after its work is done.
            if outcome.run.code != 1
                || outcome.kept() != here([if git_ref.ends_with("merge") { 21 } else { 20 }])
            {
                outcome
                    .run
                    .expect_code(3)
                    .expect_text("killed by signal 9")
                    .expect_text("error: ");
            }
        }
        assert!(calls > 4, "{git_ref}: {calls}");
    }
}

#[test]
fn a_machine_without_git_is_told_so() {
    let request = PullRequest::checked_out("refs/pull/1/merge", Some(1));
    let empty = request.scene.path().join("empty");
    fs::create_dir(&empty).expect("a folder");
    let outcome = request.gate().with("PATH", &empty).judge();
    outcome
        .run
        .expect_code(2)
        .expect_text("error: `git` is not on PATH")
        .expect_text("hint: install git, or pass `scope: everything`");
}

// ---- checkouts of strangers ----

#[test]
fn a_checkout_that_belongs_to_another_user_is_read() {
    // Git's own switch for its tests.
    let request = PullRequest::checked_out("refs/pull/1/merge", Some(2));
    let programs = request.scene.path().join("programs");
    let script = format!(
        "#!/bin/sh\nexport GIT_TEST_ASSUME_DIFFERENT_OWNER=1\nexec '{}' \"$@\"\n",
        real_git().display()
    );
    write_program(&programs.join("git"), &script);
    request
        .gate()
        .with_path_first(&programs)
        .judge()
        .expect_kept(&here([21]));
    let plain = Command::new(programs.join("git"))
        .arg("status")
        .current_dir(request.scene.workspace())
        .env_clear()
        .output();
    assert!(
        !plain.expect("git").status.success(),
        "git itself refuses such a checkout"
    );

    // And the real thing, where the tests may do it.
    let request = PullRequest::checked_out("refs/pull/1/merge", Some(1));
    if fs::metadata(request.scene.workspace())
        .expect("a folder")
        .uid()
        == 0
    {
        give_away(&request.scene.workspace());
        request.gate().judge().expect_kept(&here([21]));
    }
}

fn give_away(path: &Path) {
    std::os::unix::fs::lchown(path, Some(12_345), Some(12_345)).expect("root may do this");
    if path.is_dir() && !path.is_symlink() {
        for entry in fs::read_dir(path).expect("a folder") {
            give_away(&entry.expect("an entry").path());
        }
    }
}

#[test]
fn a_proposal_cannot_hide_its_lines_by_attributes() {
    for attributes in [
        "* -diff\n",
        "*.py binary\n",
        "app.py diff=hidden\n",
        "* -text -diff\n",
    ] {
        let scene = Scene::new();
        let base = scene.commit("main", None, &[app(&[])]);
        let mut proposal = app(&[(20, "head\n")]);
        proposal.insert(".gitattributes".to_owned(), Entry::file(attributes));
        let head = scene.commit("feature", Some(&base), &[proposal]);
        scene.pull_request(&base, &head);
        scene.checkout(&scene.workspace(), "refs/pull/1/merge", Some(1));
        scene.git(&scene.workspace(), ["config", "diff.hidden.binary", "true"]);
        scene.git(
            &scene.workspace(),
            ["config", "diff.hidden.textconv", "true"],
        );
        scene
            .gate()
            .on_pull_request(&base, &head)
            .judge()
            .expect_kept(&here([20]));
    }
}

#[test]
fn a_lone_return_does_not_move_findings_away_from_their_line() {
    let scene = Scene::new();
    let base = scene.commit("main", None, &[app(&[])]);
    // Python, ruff and mypy see a line more from there on; git does not.
    let head = scene.commit(
        "feature",
        Some(&base),
        &[app(&[(2, "line\r2\n"), (20, "head\n")])],
    );
    scene.pull_request(&base, &head);
    scene.checkout(&scene.workspace(), "refs/pull/1/merge", Some(1));
    scene
        .gate()
        .on_pull_request(&base, &head)
        .judge()
        .expect_kept(&here([2, 3, 21]));
}

#[test]
fn names_that_are_no_unicode_do_not_hide_one_another() {
    use std::os::unix::ffi::OsStrExt as _;
    let scene = Scene::new();
    fs::create_dir_all(scene.workspace()).expect("a folder");
    let git = |arguments: &[&str]| scene.git(&scene.workspace(), arguments);
    let write = |name: &[u8], text: &str| {
        fs::write(
            scene.workspace().join(std::ffi::OsStr::from_bytes(name)),
            text,
        )
        .expect("a file");
    };
    git(&["init", "--quiet", "--initial-branch=main"]);
    for name in [b"x\xfe.py", b"x\xff.py"] {
        write(name, &lines("x", 1..=9));
    }
    write(b"app.py", "line 1\n");
    git(&["add", "--all"]);
    git(&["commit", "--quiet", "--message=base"]);
    write(b"x\xfe.py", &format!("{}y\n", lines("x", 1..=8)));
    write(b"x\xff.py", &format!("z\n{}", lines("x", 2..=9)));
    let shown = "x\u{fffd}.py";
    scene
        .gate()
        .finding(places(shown, 1..=9))
        .finding(here([1]))
        .run()
        .expect_kept(&places(shown, [1, 9]));
}

#[test]
fn programs_that_the_configuration_of_a_checkout_names_are_not_run() {
    let request = PullRequest::checked_out("refs/pull/1/merge", Some(1));
    let (workspace, trace) = (
        request.scene.workspace(),
        request.scene.path().join("trace"),
    );
    let spy = request.scene.path().join("spy");
    write_program(
        &spy,
        &format!("#!/bin/sh\necho \"$0 $*\" >> '{}'\n", trace.display()),
    );
    let spy = spy.display().to_string();
    for key in [
        "core.fsmonitor",
        "core.pager",
        "core.editor",
        "core.askPass",
        "diff.external",
        "diff.spy.command",
        "diff.spy.textconv",
        "interactive.diffFilter",
        "sequence.editor",
        "gpg.program",
        "uploadpack.packObjectsHook",
    ] {
        request.in_workspace(&["config", key, &spy]);
    }
    request.in_workspace(&["config", "diff.trustExitCode", "true"]);
    fs::create_dir_all(workspace.join(".git/info")).expect("a folder");
    fs::write(workspace.join(".git/info/attributes"), "* diff=spy\n").expect("a file");
    let elsewhere = request.scene.path().join("hooks");
    for hooks in [workspace.join(".git/hooks"), elsewhere.clone()] {
        for hook in [
            "post-index-change",
            "reference-transaction",
            "post-checkout",
            "pre-auto-gc",
            "post-merge",
            "fsmonitor-watchman",
        ] {
            write_program(
                &hooks.join(hook),
                &format!("#!/bin/sh\necho hook {hook} >> '{}'\n", trace.display()),
            );
        }
    }
    request.gate().judge().expect_kept(&here([21]));
    request.in_workspace(&["config", "core.hooksPath", &elsewhere.display().to_string()]);
    drop(fs::remove_file(&trace));
    request.gate().judge().expect_kept(&here([21]));
    assert_eq!(fs::read_to_string(&trace).unwrap_or_default(), "");
}

#[test]
fn a_remote_that_is_a_command_is_not_run() {
    let request = PullRequest::checked_out("refs/pull/1/merge", Some(1));
    let trace = request.scene.path().join("trace");
    let url = format!("ext::touch {}", trace.display());
    request.in_workspace(&["remote", "set-url", "origin", &url]);
    request
        .gate()
        .judge()
        .expect_no_verdict("the base commit", "let the step have `token`");
    assert!(!trace.exists());
}

// ---- laptops ----

/// A clone of a project with work on a branch: line 20 committed, line 25 staged, line 28 saved, a new file untracked.
fn laptop() -> PullRequest {
    let request = PullRequest::new();
    let folder = request.scene.workspace();
    let origin = format!("file://{}", request.scene.origin().display());
    request
        .scene
        .git(request.scene.path(), ["clone", "--quiet", &origin, "work"]);
    request
        .scene
        .git(&folder, ["checkout", "--quiet", "feature"]);
    let write = |edits: &[(u32, &str)]| {
        fs::write(folder.join("app.py"), &app(edits)["app.py"].content).expect("a file");
    };
    write(&[(20, "head\n"), (25, "staged\n")]);
    request.in_workspace(&["add", "app.py"]);
    write(&[(20, "head\n"), (25, "staged\n"), (28, "saved\n")]);
    fs::write(folder.join("new é.py"), "one\ntwo\n").expect("a file");
    fs::write(folder.join(".gitignore"), "ignored.py\n").expect("a file");
    fs::write(folder.join("ignored.py"), "one\n").expect("a file");
    request
}

fn on_laptop(request: &PullRequest) -> Gate<'_> {
    request
        .scene
        .gate()
        .finding(places("new é.py", 1..=2))
        .finding(places("ignored.py", 1..=1))
}

#[test]
fn a_laptop_judges_what_is_committed_staged_saved_and_new() {
    let request = laptop();
    let mut expected = here([20, 25, 28]);
    expected.extend(places("new é.py", 1..=2));
    let outcome = on_laptop(&request).judge();
    outcome.expect_kept(&expected);
    outcome.expect_base(&format!(
        "{} (merge base with `origin/main`, and what is not committed)",
        short(&request.fork)
    ));
    // Nothing is fetched: the server may be away.
    let request = request.without_server();
    on_laptop(&request).judge().expect_kept(&expected);
    // From a folder below, the same lines count.
    let below = request.scene.workspace().join("below");
    fs::create_dir(&below).expect("a folder");
    let outcome = request
        .scene
        .gate()
        .at(&below)
        .finding(places("../app.py", 1..=30))
        .run();
    outcome.expect_kept(&here([20, 25, 28]));
}

#[test]
fn a_laptop_with_a_detached_head_is_measured_the_same_way() {
    let request = laptop();
    request.in_workspace(&["checkout", "--quiet", "--detach"]);
    on_laptop(&request).judge().expect_base(&format!(
        "{} (merge base with `origin/main`",
        short(&request.fork)
    ));
}

#[test]
fn a_laptop_on_the_default_branch_judges_what_is_not_pushed() {
    let request = PullRequest::new();
    let origin = format!("file://{}", request.scene.origin().display());
    request
        .scene
        .git(request.scene.path(), ["clone", "--quiet", &origin, "work"]);
    let clean = request.scene.gate().judge();
    clean.expect_kept(&BTreeSet::new());
    clean.expect_base(&format!(
        "{} (merge base with `origin/main`",
        short(&request.base)
    ));
    let file = request.scene.workspace().join("app.py");
    let mut text = fs::read_to_string(&file).expect("a file");
    text.push_str("more\n");
    fs::write(&file, text).expect("a file");
    request.in_workspace(&["commit", "--quiet", "--all", "--message=more"]);
    request
        .scene
        .gate()
        .finding(here([31, 32]))
        .judge()
        .expect_kept(&here([32]));
}

#[test]
fn a_laptop_finds_the_default_branch_by_what_is_there() {
    for (branch, names) in [
        ("trunk", "HEAD"),
        ("master", "`master`"),
        ("main", "`main`"),
    ] {
        let scene = Scene::new();
        let folder = scene.workspace();
        fs::create_dir_all(&folder).expect("a folder");
        let git = |arguments: &[&str]| scene.git(&folder, arguments);
        git(&["init", "--quiet", &format!("--initial-branch={branch}")]);
        fs::write(folder.join("app.py"), lines("line", 1..=30)).expect("a file");
        git(&["add", "--all"]);
        git(&["commit", "--quiet", "--message=base"]);
        git(&["checkout", "--quiet", "-b", "feature"]);
        fs::write(folder.join("app.py"), lines("line", 1..=31)).expect("a file");
        git(&["commit", "--quiet", "--all", "--message=work"]);
        let outcome = scene.gate().finding(here([31])).judge();
        // Without a branch that looks like the default one, what is committed cannot be told from what was there.
        outcome.expect_kept(&if branch == "trunk" {
            BTreeSet::new()
        } else {
            here([31])
        });
        outcome
            .run
            .expect_text(names)
            .expect_text("and what is not committed");
    }
}

#[test]
fn a_laptop_without_history_judges_everything() {
    let scene = Scene::new();
    fs::create_dir_all(scene.workspace()).expect("a folder");
    fs::write(scene.workspace().join("app.py"), lines("line", 1..=30)).expect("a file");
    let outcome = scene.gate().judge();
    outcome.expect_kept(&everywhere());
    outcome.expect_base("none (not a git repository); scope everything");
    scene.git(&scene.workspace(), ["init", "--quiet"]);
    let outcome = scene.gate().judge();
    outcome.expect_kept(&everywhere());
    outcome.expect_base("none (the repository has no commit yet); scope everything");
    let narrow = scene.gate().argument("--scope=changed-files").judge();
    narrow.expect_no_verdict(
        "`scope: changed-files` needs a base, and the repository has no commit yet",
        "pass `--base <revision>`, or `--scope everything`",
    );
}

#[test]
fn a_laptop_takes_another_base_by_hand() {
    let request = laptop();
    let mut expected = here([25, 28]);
    expected.extend(places("new é.py", 1..=2));
    on_laptop(&request)
        .argument("--base=HEAD")
        .judge()
        .expect_kept(&expected);
    let wrong = on_laptop(&request).argument("--base=nowhere").judge();
    wrong
        .run
        .expect_code(2)
        .expect_text("error: `base`: there is no commit `nowhere` here");
}

#[test]
fn a_laptop_in_the_midst_of_a_conflict_judges_the_files_as_they_are() {
    let request = laptop();
    request.in_workspace(&["commit", "--quiet", "--all", "--message=mine"]);
    let other = request
        .scene
        .commit("other", Some(&request.fork), &[app(&[(20, "other\n")])]);
    request.in_workspace(&["fetch", "--quiet", "origin", "other"]);
    let merge = request.scene.try_git(
        &request.scene.workspace(),
        ["-c", "merge.conflictStyle=merge", "merge", &other],
        b"",
    );
    assert!(!merge.status.success(), "there must be a conflict");
    let text = fs::read_to_string(request.scene.workspace().join("app.py")).expect("a file");
    let foreign = |line: &str| !line.starts_with("line ");
    let expected = (1..)
        .zip(text.lines())
        .filter(|(_, line)| foreign(line))
        .map(|(number, _)| number);
    let outcome = request.scene.gate().finding(places("app.py", 1..=34)).run();
    outcome.expect_kept(&here(expected));
}

#[test]
fn a_second_work_tree_is_a_checkout_like_any_other() {
    let request = laptop();
    let second = request.scene.path().join("second");
    request.in_workspace(&[
        "worktree",
        "add",
        "--quiet",
        "--detach",
        &second.display().to_string(),
        "origin/feature",
    ]);
    request
        .scene
        .gate()
        .at(&second)
        .judge()
        .expect_kept(&here([20]));
}

// ---- private repositories ----

const TOKEN: &str = "ghs_Zm9yIG5vYm9keSdzIGV5ZXM0";

/// A private repository, checked out at depth 1 by somebody whose token was not kept.
struct Private {
    request: PullRequest,
    server: GitServer,
    programs: PathBuf,
    trace: PathBuf,
}

impl Private {
    fn new() -> Self {
        let request = PullRequest::new();
        let server = GitServer::private(request.scene.path(), TOKEN);
        let folder = request.scene.workspace();
        fs::create_dir_all(&folder).expect("a folder");
        request.in_workspace(&["init", "--quiet"]);
        request.in_workspace(&[
            "remote",
            "add",
            "origin",
            &format!("{}/origin.git", server.url()),
        ]);
        let header = format!(
            "http.extraheader=AUTHORIZATION: basic {}",
            base64(format!("x-access-token:{TOKEN}").as_bytes())
        );
        request
            .scene
            .fetch_and_switch(&folder, "refs/pull/1/merge", Some(1), &["-c", &header]);

        // Every program of git's that is looked up on PATH writes down what it was given.
        let (programs, trace) = (
            request.scene.path().join("programs"),
            request.scene.path().join("trace"),
        );
        for program in ["git", "cat", "sh"] {
            let real = if program == "git" {
                real_git()
            } else {
                Path::new("/bin").join(program)
            };
            write_program(
                &programs.join(program),
                &format!(
                    "#!/bin/sh\n{{ echo {program} \"$@\"; /bin/cat /proc/$$/environ | tr '\\0' '\\n'; }} >> '{}'\nexec '{}' \"$@\"\n",
                    trace.display(),
                    real.display()
                ),
            );
        }
        Self {
            request,
            server,
            programs,
            trace,
        }
    }

    fn gate(&self) -> Gate<'_> {
        self.request
            .gate()
            .with("GITHUB_SERVER_URL", self.server.url())
            .with_path_first(&self.programs)
    }
}

/// Files below a folder that hold the secret, plain or as basic authentication would send it.
fn files_with(secret: &str, folder: &Path) -> Vec<PathBuf> {
    let spelled = [
        secret.to_owned(),
        base64(format!("x-access-token:{secret}").as_bytes()),
    ];
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry"))
    {
        let path = entry.path();
        if entry.file_type().expect("a type").is_dir() {
            found.extend(files_with(secret, &path));
        } else {
            let text = String::from_utf8_lossy(&fs::read(&path).unwrap_or_default()).into_owned();
            if spelled.iter().any(|spelled| text.contains(spelled)) {
                found.push(path);
            }
        }
    }
    found
}

/// The one line that may hold the token is the one by which the runner learns to hide it.
fn expect_hidden(outcome: &Outcome, token: &str) {
    let text = outcome.run.text();
    let lines: Vec<&str> = text.lines().filter(|line| line.contains(token)).collect();
    assert!(
        lines
            .iter()
            .all(|line| *line == format!("::add-mask::{token}")),
        "{lines:?}"
    );
    assert!(!text.contains(&base64(format!("x-access-token:{token}").as_bytes())));
}

#[test]
fn a_private_repository_gives_its_base_to_the_token_and_nobody_else_sees_it() {
    let private = Private::new();
    let outcome = private
        .gate()
        .with("INPUT_TOKEN", TOKEN)
        .with("RUNNER_DEBUG", "1")
        .judge();
    outcome.expect_kept(&here([21]));
    outcome.expect_base(&format!(
        "{} (first parent of the merge commit)",
        short(&private.request.base)
    ));
    expect_hidden(&outcome, TOKEN);
    assert_eq!(
        files_with(TOKEN, private.request.scene.path()),
        Vec::<PathBuf>::new()
    );
    assert_eq!(
        private.server.processes_with_the_token(),
        Vec::<String>::new()
    );
    let trace = fs::read_to_string(&private.trace).expect("a trace");
    assert!(
        trace.contains(" fetch --quiet ") && trace.contains("cat /dev/fd/"),
        "{trace}"
    );
    assert!(!trace.contains("INPUT_"), "{trace}");
}

#[test]
fn the_head_of_a_private_repository_is_deepened_with_the_token() {
    let private = Private::new();
    private
        .request
        .in_workspace(&["update-ref", "--no-deref", "HEAD", "HEAD"]);
    let header = format!(
        "http.extraheader=AUTHORIZATION: basic {}",
        base64(format!("x-access-token:{TOKEN}").as_bytes())
    );
    private.request.scene.fetch_and_switch(
        &private.request.scene.workspace(),
        "refs/pull/1/head",
        Some(1),
        &["-c", &header],
    );
    let outcome = private.gate().with("INPUT_TOKEN", TOKEN).judge();
    outcome.expect_kept(&here([20]));
    outcome.expect_base(&format!(
        "{} (merge base with the base branch)",
        short(&private.request.fork)
    ));
    assert_eq!(
        files_with(TOKEN, private.request.scene.path()),
        Vec::<PathBuf>::new()
    );
    assert_eq!(
        private.server.processes_with_the_token(),
        Vec::<String>::new()
    );
}

#[test]
fn a_private_repository_gives_nothing_without_the_token_or_with_a_wrong_one() {
    let private = Private::new();
    let message = format!(
        "the base commit `{}` is not in this checkout and could not be fetched",
        private.request.base
    );
    let hint =
        "let the step have `token` with `contents: read`, or check out with `fetch-depth: 0`";
    private.gate().judge().expect_no_verdict(&message, hint);
    private
        .gate()
        .with("INPUT_TOKEN", "")
        .judge()
        .expect_no_verdict(&message, hint);
    let wrong = "ghs_wrong-token";
    let outcome = private.gate().with("INPUT_TOKEN", wrong).judge();
    outcome.expect_no_verdict(&message, hint);
    expect_hidden(&outcome, wrong);
    assert_eq!(
        files_with(wrong, private.request.scene.path()),
        Vec::<PathBuf>::new()
    );
}

#[test]
fn the_token_goes_to_no_server_but_its_own() {
    // Another server than that of the workflow, by the remote's URL.
    let private = Private::new();
    let stranger = GitServer::asking();
    let remote = |url: String| {
        private
            .request
            .in_workspace(&["remote", "set-url", "origin", &url])
    };
    let gate = || private.gate().with("INPUT_TOKEN", TOKEN);
    remote(format!("{}/origin.git", stranger.url()));
    gate()
        .judge()
        .expect_no_verdict("the base commit", "let the step have `token`");

    // A URL that looks like the workflow's server.
    let port = stranger
        .url()
        .rsplit(':')
        .next()
        .map(str::to_owned)
        .expect("a port");
    remote(format!(
        "{}@127.0.0.1:{port}/origin.git",
        private.server.url()
    ));
    gate()
        .judge()
        .expect_no_verdict("the base commit", "let the step have `token`");

    // A redirect away from the workflow's server, before and after it has seen the token.
    let basic = base64(format!("x-access-token:{TOKEN}").as_bytes());
    for asks in [false, true] {
        let gateway = GitServer::redirecting(&stranger.url(), asks);
        let before = stranger.heads().len();
        remote(format!("{}/origin.git", gateway.url()));
        let outcome = gate().with("GITHUB_SERVER_URL", gateway.url()).judge();
        outcome.expect_no_verdict("the base commit", "let the step have `token`");
        assert!(stranger.heads().len() > before, "it was redirected");
        assert_eq!(
            gateway.heads().iter().any(|head| head.contains(&basic)),
            asks
        );
    }

    let heads = stranger.heads();
    assert!(heads.len() >= 4, "{heads:?}");
    assert!(
        heads
            .iter()
            .all(|head| !head.contains(&basic) && !head.contains(TOKEN)),
        "{heads:?}"
    );
}
