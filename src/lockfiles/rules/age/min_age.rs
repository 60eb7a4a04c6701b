//! Files that are younger than the team wants.

use crate::error::{count, list};
use crate::lockfiles::facts::Facts;
use crate::lockfiles::policy::Level;
use crate::lockfiles::rules::{Check, Example, Findings, Rule};
use crate::lockfiles::{pattern, time};
use crate::model::diagnostic::Severity;
use crate::model::lockfile::{File, Package, Source};

/// The rule.
pub const RULE: Rule = Rule {
    id: "min-age",
    summary: "A file has not been on its index for long enough",
    why: "Most malicious releases are found and removed within days. `min-age` asks for that patience, and the lock's own \
          times of upload prove it, whoever wrote the lock; a fix that cannot wait goes into `min-age-exceptions`. A file \
          that was added to an old release counts too. Without `min-age` nothing is looked at.\n\n\
          Where a lock has no times of upload (poetry, pdm, pipenv and requirements never do, some indexes serve none) a \
          warning says so once.",
    level: Level::Error,
    check: Check::Lock(check),
    failing: Example {
        files: &[(
            "uv.lock",
            r#"version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "six"
version = "1.17.0"
source = { registry = "https://index.example/simple" }
wheels = [
    { url = "https://index.example/six-1.17.0-py2.py3-none-any.whl", hash = "sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274", size = 11050, upload-time = "2026-11-20T11:00:00Z" },
]
"#,
        )],
        base: &[],
        inputs: &[("min-age", "7d")],
    },
    repair: "Lock the release before it (`exclude-newer = \"7 days\"` makes uv do so), wait, or name the package in \
             `min-age-exceptions`.",
    repaired: Example {
        files: &[(
            "uv.lock",
            r#"version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "six"
version = "1.17.0"
source = { registry = "https://index.example/simple" }
wheels = [
    { url = "https://index.example/six-1.17.0-py2.py3-none-any.whl", hash = "sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274", size = 11050, upload-time = "2024-12-04T17:35:26Z" },
]
"#,
        )],
        base: &[],
        inputs: &[("min-age", "7d")],
    },
};

fn check(facts: &Facts<'_>, findings: &mut Findings<'_>) {
    let Some(least) = facts.policy.min_age else {
        return;
    };
    let least = i64::try_from(least.as_secs()).unwrap_or(i64::MAX);
    let now = i64::try_from(facts.now).unwrap_or(i64::MAX);
    let mut unknown: Vec<&Package<'_>> = Vec::new();
    for package in &facts.lock.packages {
        let name = &*package.name.normal;
        let is_of_index = matches!(package.source.value, Source::Unstated | Source::Registry(_));
        if !is_of_index || pattern::any(&facts.policy.min_age_exceptions, name).is_some() {
            continue;
        }
        let youngest = package
            .files
            .iter()
            .filter_map(|file| Some((uploaded(file)?, file)))
            .max_by_key(|(at, _)| *at);
        let Some((at, file)) = youngest else {
            unknown.push(package);
            continue;
        };
        if package.files.iter().any(|file| uploaded(file).is_none()) {
            unknown.push(package);
        }
        let age = now.saturating_sub(at);
        if age >= least {
            continue;
        }
        let message = if age < 0 {
            format!("a file of `{}` was uploaded in the future", package.title())
        } else {
            format!(
                "`{}` has been on its index for {}, and `min-age` asks for {}",
                package.title(),
                show(age),
                show(least)
            )
        };
        let place = file.upload_time.as_ref().map_or(file.at, |time| time.at);
        findings
            .add(place, message)
            .about(name)
            .help("lock an older release, wait, or name it in `min-age-exceptions`");
    }
    if let Some(first) = unknown.first() {
        let names: Vec<_> = unknown
            .iter()
            .take(3)
            .map(|package| format!("`{}`", package.name.normal))
            .collect();
        let packages = count(unknown.len() as u64, "package");
        findings
            .add(
                first.name.at,
                format!(
                    "the age of {packages} cannot be verified: the lock has no time of upload for {}",
                    list(&names, "or")
                ),
            )
            .at_most(Severity::Warning)
            .help("use a format and an index that have them, or name the packages in `min-age-exceptions`");
    }
}

/// When a file was uploaded; `None` where the lock does not say.
fn uploaded(file: &File<'_>) -> Option<i64> {
    time::moment(&file.upload_time.as_ref()?.value)
}

/// Seconds for people, in the largest unit that fits.
fn show(seconds: i64) -> String {
    let unit = |length: i64, noun: &str| count(u64::try_from(seconds / length).unwrap_or(0), noun);
    match seconds {
        86_400.. => unit(86_400, "day"),
        3_600.. => unit(3_600, "hour"),
        60.. => unit(60, "minute"),
        _ => unit(1, "second"),
    }
}
