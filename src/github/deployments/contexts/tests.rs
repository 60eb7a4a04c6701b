use super::judge::*;
use super::*;

fn run(id: u64, name: &str, status: &str, conclusion: Option<&str>) -> CheckRun {
    CheckRun {
        id,
        name: name.to_owned(),
        status: status.to_owned(),
        conclusion: conclusion.map(str::to_owned),
        details_url: Some(format!(
            "https://github.example/acme/app/actions/runs/7/job/{id}"
        )),
    }
}

fn status(context: &str, state: &str) -> CommitStatus {
    CommitStatus {
        context: context.to_owned(),
        state: state.to_owned(),
        target_url: None,
    }
}

fn own(job: &str) -> Own {
    Own {
        run_id: 7,
        job: job.to_owned(),
        ..Own::default()
    }
}

fn names(contexts: &Contexts) -> Vec<&str> {
    contexts
        .contexts
        .iter()
        .map(|one| one.name.as_str())
        .collect()
}

#[test]
fn each_end_of_a_check_is_green_red_or_not_there_yet() {
    use ContextState::{Failed, Passed, Pending};
    for (status, conclusion, expected) in [
        ("completed", Some("success"), Passed),
        ("completed", Some("neutral"), Passed),
        ("completed", Some("skipped"), Passed),
        ("completed", Some("failure"), Failed),
        ("completed", Some("cancelled"), Failed),
        ("completed", Some("timed_out"), Failed),
        ("completed", Some("action_required"), Failed),
        ("completed", Some("stale"), Failed),
        ("completed", Some("startup_failure"), Failed),
        ("completed", Some("of the future"), Failed),
        ("completed", None, Failed),
        ("queued", None, Pending),
        ("in_progress", Some("success"), Pending),
        ("waiting", None, Pending),
    ] {
        let found = of_run(run(1, "x", status, conclusion)).state;
        assert_eq!(found, expected, "{status} {conclusion:?}");
    }
    for (state, expected) in [
        ("success", Passed),
        ("pending", Pending),
        ("failure", Failed),
        ("error", Failed),
        ("of the future", Failed),
    ] {
        assert_eq!(of_status(status("x", state)).state, expected, "{state}");
    }
}

#[test]
fn one_red_fails_one_open_waits_and_nothing_is_not_green() {
    let verdict = |runs, statuses| judge(runs, statuses, &[], &own("deploy")).verdict();
    let green = || run(1, "test", "completed", Some("success"));
    let open = || run(2, "lint", "queued", None);
    assert_eq!(verdict(vec![green()], vec![]), Verdict::Passed);
    assert_eq!(verdict(vec![green(), open()], vec![]), Verdict::Pending);
    let red = status("ci", "error");
    assert_eq!(verdict(vec![open()], vec![red]), Verdict::Failed);
    assert_eq!(verdict(vec![], vec![]), Verdict::Nothing);
    let alone = run(3, "deploy", "in_progress", None);
    assert_eq!(verdict(vec![alone], vec![]), Verdict::Nothing);
}

#[test]
fn the_own_job_is_left_out_under_each_of_its_names() {
    let open = |id, name| run(id, name, "in_progress", None);
    for name in [
        "deploy",
        "deploy (eu, 1)",
        "release / deploy",
        "a / b / deploy (eu)",
    ] {
        let found = judge(vec![open(1, name)], vec![], &[], &own("deploy"));
        assert_eq!(found.own, [name]);
    }
    for name in ["deploy-docs", "Deploy", "pre deploy", "deploy / test"] {
        let found = judge(vec![open(1, name)], vec![], &[], &own("deploy"));
        assert_eq!(names(&found), [name]);
    }
    // That of another run counts: a workflow of the same shape.
    let mut other = open(1, "deploy");
    other.details_url = Some("https://github.example/acme/app/actions/runs/77/job/1".into());
    assert_eq!(
        names(&judge(vec![other], vec![], &[], &own("deploy"))),
        ["deploy"]
    );
    // Its number tells it from its brothers in the matrix; names that were given count too.
    let exact = Own {
        check_run: Some(2),
        names: vec!["Ship it".to_owned(), "ours".to_owned()],
        ..own("deploy")
    };
    let runs = vec![
        open(1, "deploy (eu)"),
        open(2, "deploy (us)"),
        open(3, "Ship it"),
    ];
    let found = judge(runs, vec![status("ours", "pending")], &[], &exact);
    assert_eq!(names(&found), ["deploy (eu)"]);
    assert_eq!(found.own, ["deploy (us)", "Ship it", "ours"]);
}

#[test]
fn what_is_named_and_not_there_is_waited_for() {
    let wanted = ["test".to_owned(), "build".to_owned(), "deploy".to_owned()];
    let runs = vec![
        run(1, "test", "completed", Some("success")),
        run(2, "lint", "completed", Some("failure")),
        run(3, "deploy", "in_progress", None),
    ];
    let found = judge(runs, vec![], &wanted, &own("deploy"));
    assert_eq!(found.verdict(), Verdict::Pending);
    assert_eq!(found.not_green(), ["`build` (not there)"]);
}

#[test]
fn names_of_strangers_are_harmless_in_messages() {
    let found = judge(
        vec![run(1, "a\n::error::x", "completed", Some("failure"))],
        vec![],
        &[],
        &Own::default(),
    );
    assert_eq!(found.not_green(), ["`a␊::error::x` (failure)"]);
}
