use std::fmt::Write as _;

use super::*;
use crate::pipeline::read::{Carrier, read};

fn of(stages: &str) -> Result<Graph, Vec<Error>> {
    let text = format!("[tool.lockgate.pipeline.stages]\n{stages}");
    let pipeline = read(&text, "pyproject.toml", Carrier::Toml, &["lint-gate"]);
    Graph::of(&pipeline.expect("a definition that can be read"))
}

#[track_caller]
fn mistakes(stages: &str) -> Vec<String> {
    let errors = of(stages).expect_err("a mistake");
    errors.iter().map(Error::render).collect()
}

#[test]
fn a_cycle_is_shown_whole_with_the_places_of_its_needs() {
    let found = mistakes(
        "x = { run = 'x', needs = ['b'] }\na = { run = 'x', needs = ['b'] }\nb = { run = 'x', needs = ['c'] }\nc = { run = 'x', needs = ['x2', 'a'] }\nx2 = 'x'\n",
    );
    assert_eq!(
        found,
        [
            "error: stages need each other: `a` -> `b` -> `c` -> `a`\n --> pyproject.toml:3:27\n  |\n3 | a = { run = 'x', needs = ['b'] }\n  |                           ^^^\n  cause: `b` needs `c` at pyproject.toml:4:27\n  cause: `c` needs `a` at pyproject.toml:5:33\n\nhint: take one of these needs out"
        ]
    );
    let found = mistakes("a = { run = 'x', needs = ['a'] }\n");
    assert!(
        found[0].starts_with("error: stages need each other: `a` -> `a`\n"),
        "{}",
        found[0]
    );
    let long = (0..3_000).fold(String::new(), |mut text, at| {
        let _ = writeln!(
            text,
            "s{at} = {{ run = 'x', needs = ['s{}'] }}",
            (at + 1) % 3_000
        );
        text
    });
    let found = mistakes(&long);
    assert!(
        found[0].contains("`s19` -> … (2980 more) … -> `s0`"),
        "{}",
        found[0]
    );
}

#[test]
fn an_unknown_need_is_suggested() {
    let found = mistakes("build = 'x'\nc = { run = 'x', needs = ['buidl', 'zzz'] }\n");
    assert!(
        found[0].contains("`c` needs `buidl`, and there is no such stage"),
        "{}",
        found[0]
    );
    assert!(found[0].contains("hint: write `build`"), "{}", found[0]);
    assert_eq!(found.len(), 2);
    assert!(!found[1].contains("hint"), "{}", found[1]);
}

#[test]
fn references_name_what_is_there_and_was_waited_for() {
    let build = "build = { run = 'x', outputs = { wheel = 'dist/*.whl' } }\nmid = { needs = ['build'] }\nm = { run = ['${{ matrix.a }}'], matrix = { a = [1, 2] }, outputs = { o = 'o/${{ matrix.a }}' } }\n";
    let with = |stage: &str| format!("{build}s = {{ {stage} }}\n");
    for fine in [
        "run = ['x', '${{ stages.build.outputs.wheel }}'], needs = ['build']",
        "run = ['x', '${{ stages.build.outputs.wheel }}'], needs = ['mid']",
        "run = 'x', env = { W = '${{ stages.build.outputs.wheel }}' }, needs = ['mid']",
        "uses = 'lint-gate', with = { paths = ['${{ stages.build.outputs.wheel }}'] }, needs = ['mid']",
        "run = ['${{ stages.m (2).outputs.o }}'], needs = ['m']",
    ] {
        assert!(of(&with(fine)).is_ok(), "{fine}: {:?}", of(&with(fine)));
    }
    for (stage, part) in [
        (
            "run = ['${{ stages.build.outputs.wheel }}']",
            "add `build` to its `needs`",
        ),
        (
            "run = ['${{ stages.build.outputs.wheels }}'], needs = ['build']",
            "write `wheel`",
        ),
        (
            "run = ['${{ stages.mid.outputs.wheel }}'], needs = ['mid']",
            "declare it in that stage",
        ),
        (
            "run = ['${{ stages.buidl.outputs.wheel }}'], needs = ['build']",
            "write `${{ stages.build.outputs.wheel }}`",
        ),
        (
            "run = ['${{ stages.m.outputs.o }}'], needs = ['m']",
            "`${{ stages.m (1).outputs.o }}`",
        ),
        (
            "run = ['${{ stages.s.outputs.o }}'], outputs = { o = 'o' }",
            "what it makes itself",
        ),
    ] {
        let found = mistakes(&with(stage));
        assert!(found[0].contains(part), "{stage}: {}", found[0]);
        assert!(found[0].contains("pyproject.toml:5:"), "{}", found[0]);
    }
    let found = mistakes(
        "a = { run = ['${{ stages.b.outputs.o }}'] }\nb = { run = 'x', needs = ['a'], outputs = { o = 'o' } }\n",
    );
    assert!(
        found[0].contains("it cannot: `b` waits for `a`"),
        "{}",
        found[0]
    );
}

#[test]
fn an_output_is_claimed_once() {
    for (stages, part) in [
        (
            "a = { run = 'x', outputs = { o = 'dist/x' } }\nb = { run = 'x', outputs = { p = './dist//x' } }",
            "by `o` of `a` and by `p` of `b`",
        ),
        (
            "a = { run = 'x', outputs = { o = 'dist' } }\nb = { run = 'x', outputs = { p = 'dist/*.whl' } }",
            "the other is `dist`",
        ),
        (
            "a = { run = 'x', outputs = { o = 'p/dist/**' } }\nb = { run = 'x', directory = 'p', outputs = { p = 'dist/a' } }",
            "claimed twice",
        ),
        (
            "a = { run = 'x', outputs = { o = 'd', p = 'd' } }",
            "by `o` of `a` and by `p` of `a`",
        ),
        (
            "a = { run = ['${{ matrix.v }}'], matrix = { v = [1, 2] }, outputs = { o = 'd' } }",
            "write `${{ matrix.v }}` into it",
        ),
    ] {
        let found = mistakes(stages);
        assert!(found[0].contains(part), "{stages}: {}", found[0]);
    }
    assert!(of("a = { run = 'x', outputs = { o = 'dist/a', p = 'dist-b', q = 'dist/ab' } }\nb = { run = 'x', directory = 'q', outputs = { p = 'dist/a' } }\n").is_ok());
}

#[test]
fn what_contradicts_itself_is_refused() {
    let service = "service = { ready = { tcp = 'localhost:1' } }";
    for (stage, part) in [
        ("description = 'x'".to_owned(), "does nothing"),
        (
            "needs = ['z'], outputs = { o = 'o' }".to_owned(),
            "promises what only a program can do",
        ),
        (format!("run = 'x', {service}"), "no stage needs"),
        ("run = 'x', always = true".to_owned(), "it would run first"),
        (
            "run = 'x', needs = ['z'], always = true, if = { result = 'failure' }".to_owned(),
            "keep one of them",
        ),
        (
            "run = 'x', if = { result = 'failure' }".to_owned(),
            "name the stages in `needs`",
        ),
        (
            "run = 'x', cache = true, secrets = ['A']".to_owned(),
            "never left out",
        ),
        (
            "run = 'x', env = ['A'], secrets = ['A']".to_owned(),
            "in `env` and in `secrets`",
        ),
        (
            "uses = 'lint-gate', secrets = ['A']".to_owned(),
            "does not use the secret `A`",
        ),
        (
            "needs = ['z'], secrets = ['A']".to_owned(),
            "does not use the secret `A`",
        ),
    ] {
        let found = mistakes(&format!("z = 'x'\na = {{ {stage} }}\n"));
        assert!(found[0].contains(part), "{stage}: {}", found[0]);
    }
    for fine in [
        "uses = 'lint-gate', secrets = ['A'], with = { install-env = ['A'] }",
        "uses = 'lint-gate', secrets = { INPUT_TOKEN = { env = 'GH_TOKEN' } }",
        "run = 'x', secrets = ['A']",
    ] {
        assert!(of(&format!("a = {{ {fine} }}\n")).is_ok(), "{fine}");
    }
    let text = "[tool.lockgate.pipeline]\nsecrets = ['A', 'B']\nstages.a = { run = 'x', secrets = ['A'] }\n";
    let pipeline = read(text, "pyproject.toml", Carrier::Toml, &[]).unwrap();
    let found = Graph::of(&pipeline).unwrap_err();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].message, "no stage uses the secret `B`");
}

#[test]
fn the_order_has_every_stage_behind_its_needs() {
    let graph = of(
        "a = { run = 'x', needs = ['c', 'b', 'c'] }\nb = { run = 'x', needs = ['c'] }\nc = 'x'\n",
    )
    .unwrap();
    assert_eq!(graph.needs, [vec![2, 1], vec![2], vec![]]);
    assert_eq!(graph.dependents, [vec![], vec![0], vec![0, 1]]);
    assert_eq!(graph.order, [2, 1, 0]);
}
