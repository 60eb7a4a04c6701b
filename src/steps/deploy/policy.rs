//! Policy cannot be loosened by what it judges: where a proposal's own definition of an environment asks for less than the base's,
//! the base's counts. An environment that the base does not have is judged as if it had no `gates` of its own.

use crate::deploy::read::{self, read};
use crate::error::{Kind, Result};
use crate::model::base::Resolution;
use crate::model::deployment::definition::{Contexts, Environment, Health, OnCancel, Rollback};
use crate::model::diagnostic::{Finding, Severity};
use crate::steps::definition::Text;
use crate::steps::deploy::{NAME, SECRETS};
use crate::steps::gate::{Loosened, base, without_added};
use crate::steps::world::World;
use crate::system::git::Git;
use crate::system::stop::Stop;

/// What of an environment may not be looser than on the base.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a gate of its own")]
struct Policy {
    version: bool,
    downgrade: bool,
    artifact: bool,
    lockfile: bool,
    contexts: Contexts,
    prereleases: bool,
    breakers: Vec<String>,
    health: Option<Health>,
    rollback: Rollback,
    on_cancel: OnCancel,
}

impl Policy {
    fn of(environment: &Environment) -> Self {
        let gates = &environment.gates;
        Self {
            version: gates.version,
            downgrade: gates.downgrade,
            artifact: gates.artifact,
            lockfile: gates.lockfile,
            contexts: gates.contexts.clone(),
            prereleases: environment.prereleases,
            breakers: environment.lock.breakers.clone(),
            health: environment.health.clone(),
            rollback: environment.rollback,
            on_cancel: environment.on_cancel,
        }
    }

    /// That of an environment which says nothing.
    fn usual(environment: &Environment) -> Self {
        let gates = read::usual_gates();
        Self {
            version: gates.version,
            downgrade: gates.downgrade,
            artifact: gates.artifact,
            lockfile: gates.lockfile,
            contexts: gates.contexts,
            prereleases: !environment.production,
            breakers: Vec::new(),
            health: None,
            rollback: environment.rollback,
            on_cancel: environment.on_cancel,
        }
    }
}

/// The environment that counts, and in what the proposal's own is looser.
pub async fn judged(
    environment: &Environment,
    world: &World,
    stop: Stop,
) -> Result<(Environment, Vec<Loosened>)> {
    if !world.context.judges_a_proposal() {
        return Ok((environment.clone(), Vec::new()));
    }
    let git = Git::new(&world.directory, &world.environment, stop);
    let root = base::git_root(&git, world).await?;
    let git = git.at(&root);
    let Resolution::Base(known) = base::resolve(None, SECRETS.first(), world, &git).await? else {
        return Ok(strictest(environment.clone(), &Policy::usual(environment)));
    };
    // One that cannot be read is repaired by a proposal that can: the defaults judge that.
    let before = match base::configuration(world, &git, &known.sha, &root).await {
        Ok(config) => Text::in_config(&config, world)
            .filter(|_| config.defines(NAME))
            .and_then(|text| read(text.text, &text.file, text.carrier).ok())
            .and_then(|all| all.into_iter().find(|one| one.name == environment.name)),
        Err(error) if error.kind == Kind::Usage => None,
        Err(error) => return Err(error),
    };
    let policy = before
        .as_ref()
        .map_or_else(|| Policy::usual(environment), Policy::of);
    Ok(strictest(environment.clone(), &policy))
}

/// `head`, with everything in which it is looser than `base` taken from `base`; and what that was.
fn strictest(mut head: Environment, base: &Policy) -> (Environment, Vec<Loosened>) {
    let mut loosened = Vec::new();
    let mut note = |input, what: String| loosened.push(Loosened { input, what });
    let gates = &mut head.gates;
    for (input, now, before) in [
        ("gates.version", &mut gates.version, base.version),
        ("gates.artifact", &mut gates.artifact, base.artifact),
        ("gates.lockfile", &mut gates.lockfile, base.lockfile),
    ] {
        if before && !*now {
            note(input, "false instead of true".to_owned());
            *now = true;
        }
    }
    for (input, now, before) in [
        ("gates.downgrade", &mut gates.downgrade, base.downgrade),
        ("prereleases", &mut head.prereleases, base.prereleases),
    ] {
        if *now && !before {
            note(input, "true instead of false".to_owned());
            *now = false;
        }
    }
    contexts(&mut gates.contexts, &base.contexts, &mut note);
    without_added(
        "lock.break",
        &mut head.lock.breakers,
        |who| base.breakers.contains(who),
        Clone::clone,
        &mut note,
    );
    aftermath(&mut head, base, &mut note);
    (head, loosened)
}

/// What looks after a deployment: it may be another, but not none.
fn aftermath(head: &mut Environment, base: &Policy, note: &mut impl FnMut(&'static str, String)) {
    if let (None, Some(before)) = (&head.health, &base.health) {
        note("health", "none".to_owned());
        head.health = Some(before.clone());
    }
    if (head.rollback, base.rollback) == (Rollback::Never, Rollback::Automatic) {
        note("rollback", "never instead of automatic".to_owned());
        head.rollback = base.rollback;
    }
    if (head.on_cancel, base.on_cancel) == (OnCancel::Keep, OnCancel::Rollback) {
        note("on-cancel", "keep instead of rollback".to_owned());
        head.on_cancel = base.on_cancel;
    }
}

fn contexts(head: &mut Contexts, base: &Contexts, note: &mut impl FnMut(&'static str, String)) {
    const INPUT: &str = "gates.contexts";
    match (&mut *head, base) {
        (_, Contexts::Off) | (Contexts::All, Contexts::All) => {}
        (Contexts::Off | Contexts::Named(_), Contexts::All) => {
            note(INPUT, "fewer than all".to_owned());
            *head = Contexts::All;
        }
        (Contexts::Named(now), Contexts::Named(before)) => {
            let missing = before.iter().filter(|name| !now.contains(name));
            let missing: Vec<String> = missing.cloned().collect();
            if !missing.is_empty() {
                note(INPUT, format!("without {}", missing.join(", ")));
                now.extend(missing);
            }
        }
        // All that there are may be fewer than those with these names.
        (Contexts::Off | Contexts::All, Contexts::Named(before)) => {
            note(INPUT, format!("without {}", before.join(", ")));
            *head = base.clone();
        }
    }
}

/// What a person should know of it.
pub fn notice(loosened: &Loosened) -> Finding {
    let message = format!(
        "`{}` is looser here than on the base ({}): the base's counts",
        loosened.input, loosened.what
    );
    Finding::new(NAME, "policy-changed", Severity::Note, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::read::Carrier;

    fn environment(lines: &str) -> Environment {
        let text = format!(
            "[tool.lockgate.deploy.environments.site]\ntarget = {{ local = {{ directory = 'site' }} }}\nartifacts = ['a']\n{lines}\n"
        );
        let all = read(&text, "pyproject.toml", Carrier::Toml);
        all.unwrap().remove(0)
    }

    #[test]
    fn everything_that_loosens_is_taken_from_the_base() {
        let base = environment(
            "production = true\ngates = { contexts = ['test', 'lint'] }\nlock = { break = ['ada'] }\non-cancel = 'rollback'\nhealth = { tcp = '127.0.0.1:80' }",
        );
        let head = environment(
            "production = true\nprereleases = true\nrollback = 'never'\ngates = { version = false, artifact = false, lockfile = false, downgrade = true, contexts = ['lint', 'docs'] }\nlock = { break = ['ada', 'eve'] }",
        );
        let (judged, loosened) = strictest(head, &Policy::of(&base));
        let inputs: Vec<&str> = loosened.iter().map(|one| one.input).collect();
        let expected = [
            "gates.version",
            "gates.artifact",
            "gates.lockfile",
            "gates.downgrade",
            "prereleases",
            "gates.contexts",
            "lock.break",
            "health",
            "rollback",
            "on-cancel",
        ];
        assert_eq!(inputs, expected);
        let names = ["lint", "docs", "test"].map(str::to_owned).to_vec();
        assert_eq!(judged.gates.contexts, Contexts::Named(names));
        let strict = Policy {
            contexts: judged.gates.contexts.clone(),
            ..Policy::of(&base)
        };
        assert_eq!(Policy::of(&judged), strict);
        // None on the base: what stands for an environment that says nothing.
        let new = environment("gates = { artifact = false }\nlock = { break = ['eve'] }");
        let (judged, loosened) = strictest(new.clone(), &Policy::usual(&new));
        assert!(judged.gates.artifact && judged.lock.breakers.is_empty());
        assert_eq!(loosened.len(), 2);
    }

    #[test]
    fn a_stricter_proposal_judges_itself() {
        let base = environment("gates = { artifact = false, downgrade = true }");
        let head = environment("production = true\ngates = { contexts = true }");
        let (judged, loosened) = strictest(head.clone(), &Policy::of(&base));
        assert_eq!((judged, loosened), (head, Vec::new()));
        for (now, before, counts) in [
            (Contexts::Off, Contexts::All, Contexts::All),
            (Contexts::All, Contexts::Off, Contexts::All),
            (
                Contexts::All,
                Contexts::Named(vec!["a".into()]),
                Contexts::Named(vec!["a".into()]),
            ),
        ] {
            let mut head = now;
            contexts(&mut head, &before, &mut |_, _| {});
            assert_eq!(head, counts);
        }
    }
}
