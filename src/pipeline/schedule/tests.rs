use std::fmt::Write as _;

use super::*;
use crate::pipeline::read::{Carrier, read};

fn of(stages: &str) -> (Pipeline, Graph) {
    let text = format!("[tool.lockgate.pipeline.stages]\n{stages}");
    let pipeline = read(&text, "f", Carrier::Toml, &[]).unwrap();
    let graph = Graph::of(&pipeline).unwrap();
    (pipeline, graph)
}

fn limits(cores: u32) -> Limits {
    Limits {
        cores,
        memory: None,
        keep_going: false,
    }
}

/// Messages with names in the place of numbers: `+a` starts, `-b` is left out, `!c` is cancelled, `.d` is a service that ends.
fn shown(pipeline: &Pipeline, messages: &[Message]) -> String {
    let name = |stage: &usize| pipeline.stages[*stage].name.as_str();
    let texts = messages.iter().map(|message| match message {
        Message::Start(stage) => format!("+{}", name(stage)),
        Message::Skip(stage, SkipReason::Need(need)) => format!("-{}<{need}", name(stage)),
        Message::Skip(stage, SkipReason::NotReached) => format!("-{}", name(stage)),
        Message::Skip(stage, SkipReason::Condition(_)) => format!("-{}?", name(stage)),
        Message::Skip(stage, reason) => format!("-{} {reason:?}", name(stage)),
        Message::Cancel(stage) => format!("!{}", name(stage)),
        Message::EndService(stage) => format!(".{}", name(stage)),
        Message::Done => "done".to_owned(),
    });
    texts.collect::<Vec<_>>().join(" ")
}

/// Runs a script of `stage=outcome`, `ready stage`, `stop` and `abort`, and shows what each is answered with.
fn script(stages: &str, limits: Limits, steps: &[(&str, &str)]) {
    let (pipeline, graph) = of(stages);
    let durations = Durations::new();
    let mut scheduler = Scheduler::new(&pipeline, &graph, &[], &durations, limits);
    for (step, expected) in steps {
        let number = |name: &str| {
            let mut stages = pipeline.stages.iter();
            stages.position(|stage| stage.name == name).unwrap()
        };
        let messages = match step.split_once(['=', ' ']) {
            Some(("ready", stage)) => scheduler.ready(number(stage)),
            Some((stage, outcome)) => {
                let outcome = match outcome {
                    "ok" => Outcome::Passed,
                    "bad" => Outcome::Failed("exit code 1".into()),
                    _ => Outcome::Cancelled("the run".into()),
                };
                scheduler.finished(number(stage), &outcome)
            }
            None if *step == "stop" => scheduler.stop(),
            None if *step == "abort" => scheduler.abort(),
            None => scheduler.begin(),
        };
        assert_eq!(shown(&pipeline, &messages), *expected, "{step} of {stages}");
    }
}

#[test]
fn a_failure_ends_the_rest_but_what_cleans_up() {
    let stages = "a = 'x'\nb = 'x'\nc = { run = 'x', needs = ['a'] }\nd = { run = 'x', needs = ['b'] }\nclean = { run = 'x', needs = ['c', 'd'], always = true }\nalarm = { run = 'x', needs = ['c', 'd'], if = { result = 'failure' } }\nskipped = { run = 'x', needs = ['c'], if = { result = 'skipped' } }\n";
    script(
        stages,
        limits(2),
        &[
            ("begin", "+a +b"),
            ("a=bad", "!b -c<a +skipped"),
            ("b=cancelled", "-d -alarm? +clean"),
            ("skipped=ok", ""),
            ("clean=ok", "done"),
        ],
    );
    script(
        stages,
        Limits {
            keep_going: true,
            ..limits(2)
        },
        &[
            ("begin", "+a +b"),
            ("a=bad", "-c<a +skipped"),
            ("b=ok", "+d"),
            ("skipped=ok", ""),
            ("d=bad", "+clean +alarm"),
            ("clean=ok", ""),
            ("alarm=ok", "done"),
        ],
    );
    script(
        stages,
        limits(4),
        &[
            ("begin", "+a +b"),
            ("stop", "!a !b"),
            ("a=cancelled", "-c -skipped"),
            ("b=cancelled", "-d -alarm? +clean"),
            ("abort", "!clean"),
            ("clean=cancelled", "done"),
            ("stop", ""),
        ],
    );
}

#[test]
fn what_may_fail_fails_nothing() {
    script(
        "a = { run = 'x', allow-failure = true }\nb = { run = 'x', needs = ['a'] }\nc = { run = 'x', needs = ['a'], if = { result = 'failure' } }\n",
        limits(2),
        &[
            ("begin", "+a"),
            ("a=bad", "+b +c"),
            ("b=ok", ""),
            ("c=ok", "done"),
        ],
    );
}

#[test]
fn a_service_lives_as_long_as_anything_needs_it() {
    let stages = "api = { run = 'x', service = { ready = { tcp = 'h:1' } } }\na = { run = 'x', needs = ['api'] }\nb = { run = 'x', needs = ['a'] }\nc = 'x'\n";
    script(
        stages,
        limits(1),
        &[
            ("begin", "+api"),
            ("ready api", "+a"),
            ("a=ok", "+b"),
            ("b=ok", ".api +c"),
            ("api=ok", ""),
            ("c=ok", "done"),
        ],
    );
    let keep_going = Limits {
        keep_going: true,
        ..limits(2)
    };
    // It does not become ready; it fails while it is used; nothing that needs it is left.
    script(
        stages,
        keep_going,
        &[
            ("begin", "+api +c"),
            ("api=bad", "-a<api -b<a"),
            ("c=ok", "done"),
        ],
    );
    script(
        stages,
        keep_going,
        &[
            ("begin", "+api +c"),
            ("ready api", "+a"),
            ("api=bad", ""),
            ("a=ok", "+b"),
            ("b=ok", ""),
            ("c=ok", "done"),
        ],
    );
    script(
        "x = 'x'\napi = { run = 'x', service = { ready = { tcp = 'h:1' } } }\nlate = { run = 'x', service = { ready = { tcp = 'h:1' } }, needs = ['x'] }\na = { run = 'x', needs = ['api', 'late', 'x'] }\nc = 'x'\n",
        Limits {
            keep_going: true,
            ..limits(3)
        },
        &[
            ("begin", "+x +api +c"),
            ("x=bad", "-late<x"),
            ("ready api", "-a<x .api"),
            ("api=ok", ""),
            ("c=ok", "done"),
        ],
    );
    // What cleans up may need it still.
    script(
        "api = { run = 'x', service = { ready = { tcp = 'h:1' } } }\na = { run = 'x', needs = ['api'] }\nlogs = { run = 'x', needs = ['api', 'a'], always = true }\n",
        limits(2),
        &[
            ("begin", "+api"),
            ("ready api", "+a"),
            ("a=bad", "+logs"),
            ("stop", ""),
            ("logs=ok", ".api"),
            ("api=ok", "done"),
        ],
    );
}

#[test]
fn weights_are_kept_and_what_is_too_large_runs_alone() {
    let memory = Limits {
        memory: Some(100),
        ..limits(4)
    };
    script(
        "a = { run = 'x', cpu = 3 }\nb = { run = 'x', cpu = 2 }\nc = { run = 'x', memory = 80 }\nd = { run = 'x', memory = 30 }\nhuge = { run = 'x', cpu = 99 }\n",
        memory,
        &[
            ("begin", "+a +c"),
            ("a=ok", "+b"),
            ("c=ok", "+d"),
            ("b=ok", ""),
            ("d=ok", "+huge"),
            ("huge=ok", "done"),
        ],
    );
    // What does not fit is not passed over for ever.
    let small: String = (0..20).fold(String::new(), |mut text, at| {
        let _ = writeln!(text, "s{at} = 'x'");
        text
    });
    script(
        &format!(
            "big = {{ run = 'x', cpu = 2 }}\nlast = {{ run = 'x', needs = ['big'] }}\nfirst = {{ run = 'x', needs = ['second'] }}\nsecond = 'x'\n{small}"
        ),
        limits(2),
        &[
            ("begin", "+big"),
            ("big=ok", "+second +last"),
            ("second=ok", "+first"),
            ("last=ok", "+s0"),
        ],
    );
    script(
        &format!(
            "a = 'x'\nb = {{ run = 'x', needs = ['a'] }}\nbig = {{ run = 'x', cpu = 2, needs = ['a2'] }}\na2 = 'x'\n{small}"
        ),
        limits(2),
        &[
            ("begin", "+a +a2"),
            ("a2=ok", "+s0"),
            ("s0=ok", "+s1"),
            ("s1=ok", ""),
            ("a=ok", "+b"),
            ("b=ok", "+big"),
        ],
    );
}

#[test]
fn an_answer_that_nobody_waits_for_changes_nothing() {
    script(
        "a = 'x'\nb = { run = 'x', needs = ['a'] }\n",
        limits(1),
        &[
            ("b=ok", ""),
            ("begin", "+a"),
            ("begin", ""),
            ("b=bad", ""),
            ("ready a", ""),
            ("a=ok", "+b"),
            ("a=bad", ""),
            ("b=ok", "done"),
            ("b=ok", ""),
            ("abort", ""),
        ],
    );
    let (pipeline, graph) = of("a = 'x'\n");
    let mut scheduler = Scheduler::new(
        &pipeline,
        &graph,
        &[Choice::LeftOut],
        &Durations::new(),
        limits(1),
    );
    assert_eq!(shown(&pipeline, &scheduler.begin()), "-a NotSelected done");
    assert!(scheduler.is_done());
    assert!(scheduler.finished(77, &Outcome::Passed).is_empty());
}
