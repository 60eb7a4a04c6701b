//! Policy cannot be loosened by what it judges: where a proposal's own file is looser than the base's, the base counts.

use crate::lockfiles::policy::Policy;
use crate::lockfiles::rules;
use crate::steps::gate::{Loosened, without_added};
use crate::steps::lockfile_verify::settings::Settings;

/// `head`, with everything in which it is looser than `base` taken from `base`; and what that was.
pub fn strictest(mut head: Settings, base: &Settings) -> (Settings, Vec<Loosened>) {
    let mut loosened = Vec::new();
    let mut note = |input, what: String| loosened.push(Loosened { input, what });
    head.threshold.tighten(&base.threshold, &mut note);
    levels(&mut head.policy, &base.policy, &mut note);
    limits(&mut head.policy, &base.policy, &mut note);
    if head.base != base.base {
        let named = head.base.clone();
        note("base", named.unwrap_or_else(|| "the default".into()));
        head.base.clone_from(&base.base);
    }
    if head.paths != base.paths {
        note("paths", head.paths.join(", "));
        head.paths.clone_from(&base.paths);
    }
    if base.strict && !head.strict {
        note("strict", "false instead of true".into());
        head.strict = true;
    }
    if head.allow_empty && !base.allow_empty {
        note("allow-empty", "true instead of false".into());
        head.allow_empty = false;
    }
    without_added(
        "exclude",
        &mut head.exclude,
        |glob| base.exclude.contains(glob),
        Clone::clone,
        &mut note,
    );
    without_added(
        "ignore",
        &mut head.ignores,
        |ignore| base.ignores.iter().any(|before| before.text == ignore.text),
        |ignore| ignore.text.clone(),
        &mut note,
    );
    (head, loosened)
}

fn levels(head: &mut Policy, base: &Policy, note: &mut impl FnMut(&'static str, String)) {
    for rule in rules::all() {
        let (now, before) = (rules::level(rule, head), rules::level(rule, base));
        if now < before {
            note(
                "rules",
                format!("{} {} instead of {}", rule.id, now.name(), before.name()),
            );
            head.levels.insert(rule.id, before);
        }
    }
}

/// Lists that allow may not grow, lists that ask may not shrink. An empty list of indexes stands for what is declared,
/// which is the strictest.
fn limits(head: &mut Policy, base: &Policy, note: &mut impl FnMut(&'static str, String)) {
    for (input, now, before) in [
        ("allowed-indexes", &mut head.indexes, &base.indexes),
        ("allowed-hosts", &mut head.hosts, &base.hosts),
        (
            "min-age-exceptions",
            &mut head.min_age_exceptions,
            &base.min_age_exceptions,
        ),
    ] {
        without_added(input, now, |item| before.contains(item), Clone::clone, note);
    }
    without_added(
        "allowed-sources",
        &mut head.sources,
        |kind| base.sources.contains(kind),
        |kind| kind.name().to_owned(),
        note,
    );
    for (input, now, before) in [
        (
            "private-names",
            &mut head.private_names,
            &base.private_names,
        ),
        ("platforms", &mut head.platforms, &base.platforms),
        ("pythons", &mut head.pythons, &base.pythons),
    ] {
        let missing: Vec<String> = before
            .iter()
            .filter(|item| !now.contains(item))
            .cloned()
            .collect();
        if !missing.is_empty() {
            note(input, format!("without {}", missing.join(", ")));
            now.extend(missing);
        }
    }
    for (input, now, before) in [
        ("index-check", &mut head.index_check, base.index_check),
        ("action-check", &mut head.action_check, base.action_check),
    ] {
        if before && !*now {
            note(input, "false instead of true".into());
            *now = true;
        }
    }
    // Another mirror may publish whatever a proposal wants.
    if head.index_url != base.index_url {
        let named = head.index_url.clone();
        note("index-url", named.unwrap_or_else(|| "the default".into()));
        head.index_url.clone_from(&base.index_url);
    }
    if head.min_age < base.min_age {
        note("min-age", "shorter".into());
        head.min_age = base.min_age;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::steps::lockfile_verify::Arguments;

    #[test]
    fn what_the_base_asks_of_the_network_is_asked_and_where_it_asks() {
        let settings = |arguments: Arguments| Settings::new(&arguments).unwrap();
        let base = settings(Arguments {
            index_check: Some(true),
            action_check: Some(true),
            ..Arguments::default()
        });
        let head = settings(Arguments {
            index_url: Some("https://mirror.example/simple".to_owned()),
            ..Arguments::default()
        });
        let (strictest, loosened) = strictest(head.clone(), &base);
        assert_eq!(strictest.policy, base.policy);
        let inputs: Vec<&str> = loosened.iter().map(|one| one.input).collect();
        assert_eq!(inputs, ["index-check", "action-check", "index-url"]);
        // A proposal may ask for more.
        let (strictest, loosened) = super::strictest(base.clone(), &settings(Arguments::default()));
        assert_eq!((strictest.policy, loosened), (base.policy, Vec::new()));
    }
}
