//! What the definition of a proposal makes looser than that of the base has it, and what it wants to know that the base
//! keeps from it.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::pipeline::{
    Action, Matrix, NeedResult, Options, Pipeline, Placed, Probe, Reuse, SecretSource, Stage,
    Template, Variable, Venv,
};

/// What a proposal changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// What is looser, in words.
    pub loosened: Vec<String>,
    /// Secrets that the base gives to no stage with the same command, by the stage's name and the variable. Among them
    /// variables that are passed under the name of a secret.
    pub ungiven: BTreeSet<(String, String)>,
}

/// Compares the definition of a proposal with that of the base; without one, all secrets are new.
pub fn changes(base: Option<&Pipeline>, head: &Pipeline) -> Changes {
    let loosened = base.map_or_else(Vec::new, |base| loosened(base, head));
    Changes {
        loosened,
        ungiven: ungiven(base, head),
    }
}

fn loosened(base: &Pipeline, head: &Pipeline) -> Vec<String> {
    let now: BTreeMap<&str, &Stage> = head.stages.iter().map(|one| (&*one.name, one)).collect();
    let bases: BTreeSet<&str> = head.stages.iter().map(|one| &*one.base_name).collect();
    let mut found = Vec::new();
    let mut told = BTreeSet::new();
    for was in &base.stages {
        // Of a matrix that is gone one line is enough.
        let (name, is_whole) = (&*was.name, !bases.contains(&*was.base_name));
        match now.get(name) {
            Some(stage) => compare(was, stage, &mut found),
            None if !is_whole => found.push(format!("`{name}` is gone")),
            None if told.insert(&*was.base_name) => {
                found.push(format!("`{}` is gone", was.base_name));
            }
            None => {}
        }
    }
    let passed: BTreeSet<&str> = passed(base).map(|(_, name)| name).collect();
    let secret = secrets(Some(base), head);
    for (stage, name) in self::passed(head) {
        // Those of secrets are kept from it.
        if !passed.contains(name) && !secret.contains(name) {
            found.push(match stage {
                Some(stage) => format!("`{stage}` sees `{name}` of the job"),
                None => format!("every stage sees `{name}` of the job"),
            });
        }
    }
    found
}

/// The variables that are passed to stages as they are; to all of them where none is named.
fn passed(pipeline: &Pipeline) -> impl Iterator<Item = (Option<&str>, &str)> {
    let stages = pipeline.stages.iter();
    let of_stages = stages.flat_map(|stage| stage.env.iter().map(|one| (Some(&*stage.name), one)));
    let of_all = pipeline.options.env.iter().map(|one| (None, one));
    let all = of_all.chain(of_stages);
    all.filter(|(_, (_, placed))| placed.value == Variable::Passed)
        .map(|(stage, (name, _))| (stage, &**name))
}

fn compare(was: &Stage, stage: &Stage, found: &mut Vec<String>) {
    let name = &stage.name;
    if stage.allow_failure && !was.allow_failure {
        found.push(format!("`{name}` may fail"));
    }
    if is_conditional(stage) && conditions(stage) != conditions(was) {
        found.push(format!("`{name}` has another `if`"));
    }
    if reuse(stage) > reuse(was) {
        found.push(format!("`{name}` may be left out (`cache`)"));
    }
    let Action::Step { step, with } = &was.action else {
        return;
    };
    let Action::Step {
        step: step_now,
        with: with_now,
    } = &stage.action
    else {
        found.push(format!("`{name}` no longer uses `{}`", step.value));
        return;
    };
    if step.value != step_now.value {
        found.push(format!("`{name}` no longer uses `{}`", step.value));
        return;
    }
    let inputs: BTreeSet<&String> = with.keys().chain(with_now.keys()).collect();
    let value = |values: Option<&Placed<Vec<Template>>>| values.map(|placed| placed.value.clone());
    for input in inputs {
        if value(with.get(input)) != value(with_now.get(input)) {
            found.push(format!("`with.{input}` of `{name}` is another"));
        }
    }
    if variables(&was.env) != variables(&stage.env) {
        found.push(format!("`env` of `{name}` is another"));
    }
}

fn values(list: &[Placed<String>]) -> Vec<&str> {
    list.iter().map(|placed| &*placed.value).collect()
}

fn conditions(stage: &Stage) -> (Vec<&str>, Vec<&str>, Vec<&str>, &[NeedResult]) {
    let condition = &stage.condition;
    (
        values(&condition.changed),
        values(&condition.branch),
        values(&condition.event),
        &condition.result,
    )
}

fn is_conditional(stage: &Stage) -> bool {
    let (changed, branch, event, _) = conditions(stage);
    let is_open = changed.is_empty() && branch.is_empty() && event.is_empty();
    !(is_open && stage.condition.result.is_empty())
}

/// How far the result of a stage may come from; what stages of their own accord do among them.
fn reuse(stage: &Stage) -> u8 {
    let is_step = matches!(stage.action, Action::Step { .. });
    match stage.cache {
        Some(Reuse::Never) => 0,
        None if is_step || stage.inputs.is_empty() => 0,
        Some(Reuse::Local) => 1,
        None | Some(Reuse::Anywhere) => 2,
    }
}

fn variables(given: &BTreeMap<String, Placed<Variable>>) -> BTreeMap<&str, Option<&str>> {
    let given = given.iter().map(|(name, placed)| {
        let text = match &placed.value {
            Variable::Set(template) => Some(&*template.text),
            Variable::Passed => None,
        };
        (&**name, text)
    });
    given.collect()
}

/// Who gets a secret: what is started, where, with which variables, and when. The name of the stage says nothing.
#[derive(PartialEq, Eq)]
struct Receiver<'s> {
    action: Vec<Vec<&'s str>>,
    directory: Option<&'s str>,
    variables: BTreeMap<&'s str, Option<&'s str>>,
    matrix: &'s Matrix,
    venv: Option<&'s Venv>,
    probe: Option<&'s Probe>,
    events: Vec<&'s str>,
    branches: Vec<&'s str>,
}

impl<'s> Receiver<'s> {
    fn of(options: &'s Options, stage: &'s Stage) -> Self {
        let action = match &stage.action {
            Action::None => Vec::new(),
            Action::Shell(script) => vec![vec!["sh"], vec![&*script.value]],
            Action::Exec(words) => {
                let words = words.iter().map(|word| &*word.value.text);
                vec![vec!["exec"], words.collect()]
            }
            Action::Step { step, with } => {
                let inputs = with.iter().map(|(name, items)| {
                    let items = items.value.iter().map(|item| &*item.text);
                    std::iter::once(&**name).chain(items).collect()
                });
                let step = [vec!["uses"], vec![&*step.value]];
                step.into_iter().chain(inputs).collect()
            }
        };
        let mut seen = variables(&options.env);
        seen.extend(variables(&stage.env));
        Self {
            action,
            directory: stage.directory.as_ref().map(|placed| &*placed.value),
            variables: seen,
            matrix: &stage.matrix,
            venv: stage.venv.as_ref(),
            probe: stage.service.as_ref().map(|service| &service.ready.value),
            events: values(&stage.condition.event),
            branches: values(&stage.condition.branch),
        }
    }
}

/// The variables in which the run finds secrets.
fn sources(pipeline: &Pipeline) -> impl Iterator<Item = &str> {
    let stages = pipeline.stages.iter().flat_map(|stage| &stage.secrets);
    let all = pipeline.options.secrets.iter().chain(stages);
    all.filter_map(|(_, secret)| match &secret.source {
        SecretSource::Environment(variable) => Some(&**variable),
        SecretSource::Command(_) => None,
    })
}

/// The same of both definitions.
fn secrets<'p>(base: Option<&'p Pipeline>, head: &'p Pipeline) -> BTreeSet<&'p str> {
    let all = base.into_iter().chain([head]);
    all.flat_map(sources).collect()
}

fn ungiven(base: Option<&Pipeline>, head: &Pipeline) -> BTreeSet<(String, String)> {
    let secret = secrets(base, head);
    let receivers: Vec<(Receiver<'_>, &Stage)> = base
        .into_iter()
        .flat_map(|base| {
            let stages = base.stages.iter();
            stages.map(|stage| (Receiver::of(&base.options, stage), stage))
        })
        .collect();
    let mut ungiven = BTreeSet::new();
    for stage in &head.stages {
        let passed = head.options.env.iter().chain(&stage.env);
        let passed: Vec<&String> = passed
            .filter(|(name, placed)| {
                placed.value == Variable::Passed && secret.contains(name.as_str())
            })
            .map(|(name, _)| name)
            .collect();
        if stage.secrets.is_empty() && passed.is_empty() {
            continue;
        }
        let receiver = Receiver::of(&head.options, stage);
        let same = receivers.iter().filter(|(one, _)| *one == receiver);
        let same: Vec<&Stage> = same.map(|(_, was)| *was).collect();
        let is_given = |name: &String, source: &SecretSource| {
            let mut given = same.iter().filter_map(|was| was.secrets.get(name));
            given.any(|given| given.source == *source)
        };
        let secrets = stage.secrets.iter();
        let secrets = secrets.filter(|(name, secret)| !is_given(name, &secret.source));
        ungiven.extend(secrets.map(|(name, _)| (stage.name.clone(), name.clone())));
        // Its variables are those of a receiver on the base: it passes the same.
        if same.is_empty() {
            ungiven.extend(
                passed
                    .iter()
                    .map(|name| (stage.name.clone(), (*name).clone())),
            );
        }
    }
    ungiven
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::read::{Carrier, read_with};

    fn read(text: &str) -> Pipeline {
        let steps = ["lint-gate", "lockfile-verify"];
        let text = text
            .replace("[[", "[tool.lockgate.pipeline.stages.")
            .replace("]]", "]");
        let text = format!("[tool.lockgate.pipeline]\nname = \"x\"\n{text}");
        read_with(&text, "pyproject.toml", Carrier::Toml, &steps, &[]).unwrap()
    }

    fn found(base: &str, head: &str) -> Vec<String> {
        changes(Some(&read(base)), &read(head)).loosened
    }

    fn held(base: &str, head: &str) -> Vec<(String, String)> {
        let base = (!base.is_empty()).then(|| read(base));
        let changes = changes(base.as_ref(), &read(head));
        changes.ungiven.into_iter().collect()
    }

    const GATES: &str = r#"
        [[lint]]
        uses = "lint-gate"
        with = { fail-on = "warning" }
        [[test]]
        run = "pytest"
        matrix = { python = ["3.12", "3.13"] }
        env = { VERSION = "${{ matrix.python }}" }
    "#;

    #[test]
    fn what_is_the_same_or_stricter_is_nothing() {
        assert_eq!(found(GATES, GATES), Vec::<String>::new());
        let more = format!("\n\n{GATES}\n[[types]]\nuses = \"lockfile-verify\"\n");
        assert_eq!(found(GATES, &more), Vec::<String>::new());
        let lax = GATES.replace(
            "\"pytest\"",
            "\"pytest\"\nallow-failure = true\nif = { event = [\"push\"] }",
        );
        assert_eq!(found(&lax, GATES), Vec::<String>::new());
    }

    #[test]
    fn each_way_to_loosen_a_gate_is_told() {
        let edit = |from: &str, to: &str| found(GATES, &GATES.replace(from, to));
        assert_eq!(edit("[[test]]", "[[tests]]"), ["`test` is gone"]);
        assert_eq!(edit(", \"3.13\"", ""), ["`test (3.13)` is gone"]);
        assert_eq!(
            edit("\"warning\"", "\"error\""),
            ["`with.fail-on` of `lint` is another"]
        );
        assert_eq!(
            edit(
                "fail-on = \"warning\"",
                "fail-on = \"warning\", mode = \"report\""
            ),
            ["`with.mode` of `lint` is another"]
        );
        let step = "uses = \"lint-gate\"";
        assert_eq!(
            edit(step, &format!("{step}\nallow-failure = true\ncache = true")),
            ["`lint` may fail", "`lint` may be left out (`cache`)"]
        );
        assert_eq!(
            edit(
                step,
                &format!(
                    "{step}\nif = {{ event = [\"push\"] }}\nenv = {{ INPUT_MODE = \"report\" }}"
                )
            ),
            ["`lint` has another `if`", "`env` of `lint` is another"]
        );
        assert_eq!(
            edit(
                "uses = \"lint-gate\"\n        with = { fail-on = \"warning\" }",
                "run = \"true\""
            ),
            ["`lint` no longer uses `lint-gate`"]
        );
    }

    #[test]
    fn what_is_passed_to_no_stage_of_the_base_is_told() {
        let more = "\n[[new]]\nrun = \"env\"\nenv = [\"CI\", \"CLOUD_KEY\"]\n";
        let base = format!("{GATES}\n[[old]]\nrun = \"a\"\nenv = [\"CI\"]\n");
        assert_eq!(
            found(&base, &format!("{base}{more}")),
            ["`new` sees `CLOUD_KEY` of the job"]
        );
    }

    const SECRET: &str = r#"
        [[publish]]
        run = "publish dist"
        secrets = ["TOKEN"]
    "#;

    fn one(stage: &str, name: &str) -> Vec<(String, String)> {
        vec![(stage.to_owned(), name.to_owned())]
    }

    #[test]
    fn a_secret_goes_where_the_base_gives_it() {
        assert_eq!(held(SECRET, SECRET), []);
        // Neither the name of the stage nor where it stands matters.
        assert_eq!(
            held(
                SECRET,
                &SECRET.replace("[[publish]]", "[[a]]\nrun = \"a\"\n[[release]]")
            ),
            []
        );
        assert_eq!(held("", SECRET), one("publish", "TOKEN"));
    }

    #[test]
    fn a_secret_does_not_go_where_the_proposal_wants_it() {
        let edit = |from: &str, to: &str| held(SECRET, &SECRET.replace(from, to));
        let publish = one("publish", "TOKEN");
        assert_eq!(edit("publish dist", "env"), publish);
        assert_eq!(edit("\"publish dist\"", "[\"publish\", \"dist\"]"), publish);
        let run = "run = \"publish dist\"";
        for more in [
            "env = { PATH = \"bin\" }",
            "directory = \"evil\"",
            "venv = true",
            "matrix = { mode = [\"evil\"] }",
        ] {
            assert_eq!(edit(run, &format!("{run}\n{more}")).len(), 1, "{more}");
        }
        assert_eq!(
            edit(
                "[\"TOKEN\"]",
                "{ TOKEN = { command = [\"sh\", \"-c\", \"env >&2\"] } }"
            ),
            publish
        );
        assert_eq!(
            edit("[\"TOKEN\"]", "{ TOKEN = { env = \"OTHER\" } }"),
            publish
        );
        // A condition that kept the secret from proposals.
        let kept = SECRET.replace(run, &format!("{run}\nif = {{ event = [\"push\"] }}"));
        assert_eq!(held(&kept, SECRET), publish);
    }

    #[test]
    fn a_secret_is_not_passed_as_a_variable_either() {
        let steal = format!("{SECRET}\n[[steal]]\nrun = \"env\"\nenv = [\"TOKEN\", \"CI\"]\n");
        assert_eq!(held(SECRET, &steal), one("steal", "TOKEN"));
        // One that the base passes is passed.
        assert_eq!(held(&steal, &steal), []);
        // The definition of the base alone calls it a secret.
        let steal = "[[steal]]\nrun = \"env\"\nenv = [\"TOKEN\"]\n";
        assert_eq!(held(SECRET, steal), one("steal", "TOKEN"));
    }
}
