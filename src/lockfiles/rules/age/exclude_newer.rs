//! Files that are newer than the lock itself allows.

use std::collections::HashMap;

use crate::lockfiles::facts::Facts;
use crate::lockfiles::policy::Level;
use crate::lockfiles::rules::{Check, Example, Findings, Rule};
use crate::lockfiles::time;
use crate::model::lockfile::{Source, UvOptions};

/// The rule.
pub const RULE: Rule = Rule {
    id: "exclude-newer",
    summary: "A file is newer than the limit that the lock was made with",
    why: "uv writes `exclude-newer` into the lock, and takes no file that was uploaded later. If the lock has one, it was \
          brought in by hand or by a merge; `uv lock --check` does not look.\n\n\
          A span, such as `exclude-newer-span = \"P3W\"`, ended when the lock was written: what is younger than the span \
          today was certainly too young then. The date beside a span is a dummy and is not looked at. Limits for single \
          packages count for those.",
    level: Level::Error,
    check: Check::Lock(check),
    failing: Example::of(&[(
        "uv.lock",
        r#"version = 1
revision = 3
requires-python = ">=3.11"

[options]
exclude-newer = "2026-01-01T00:00:00Z"

[[package]]
name = "six"
version = "1.17.0"
source = { registry = "https://index.example/simple" }
wheels = [
    { url = "https://index.example/six-1.17.0-py2.py3-none-any.whl", hash = "sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274", size = 11050, upload-time = "2026-11-20T11:00:00Z" },
]
"#,
    )]),
    repair: "Write the lock anew; if the file is wanted, move the limit, or set one for its package in \
             `exclude-newer-package`.",
    repaired: Example::of(&[(
        "uv.lock",
        r#"version = 1
revision = 3
requires-python = ">=3.11"

[options]
exclude-newer = "2026-01-01T00:00:00Z"

[[package]]
name = "six"
version = "1.17.0"
source = { registry = "https://index.example/simple" }
wheels = [
    { url = "https://index.example/six-1.17.0-py2.py3-none-any.whl", hash = "sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274", size = 11050, upload-time = "2024-12-04T17:35:26Z" },
]
"#,
    )]),
};

/// The last moment at which a file may have been uploaded, and how it is written.
#[derive(Clone, Copy, Debug)]
struct Limit<'a> {
    last: i64,
    text: &'a str,
    at: crate::model::sources::Location,
}

/// Seconds that the upload of one version may take: uv takes a version if its wheel is old enough, and the archive that
/// was uploaded a second later with it.
const UPLOAD: i64 = 3_600;

fn check(facts: &Facts<'_>, findings: &mut Findings<'_>) {
    let Some(uv) = facts.lock.uv() else {
        return;
    };
    let now = i64::try_from(facts.now).unwrap_or(i64::MAX);
    let general = general(&uv.options, now);
    let by_package: HashMap<&str, Option<Limit<'_>>> = uv
        .options
        .exclude_newer_package
        .iter()
        .map(|(name, value)| {
            // `false` is no limit.
            let limit = limit(&value.value, now);
            let limit = limit.map(|last| Limit {
                last,
                text: &value.value,
                at: value.at,
            });
            (&*name.normal, limit)
        })
        .collect();
    if general.is_none() && by_package.is_empty() {
        return;
    }
    for package in &facts.lock.packages {
        if !matches!(package.source.value, Source::Registry(_)) {
            continue;
        }
        let own = by_package.get(&*package.name.normal).copied();
        let Some(limit) = own.unwrap_or(general) else {
            continue;
        };
        let times = || {
            let times = package
                .files
                .iter()
                .filter_map(|file| file.upload_time.as_ref());
            times.filter_map(|time| Some((time::moment(&time.value)?, time)))
        };
        let newest = times().max_by_key(|(moment, _)| *moment);
        let oldest = times().map(|(moment, _)| moment).min();
        let (Some((moment, time)), Some(oldest)) = (newest, oldest) else {
            continue;
        };
        let is_one_upload = oldest <= limit.last && moment.saturating_sub(oldest) <= UPLOAD;
        if moment <= limit.last || is_one_upload {
            continue;
        }
        findings
            .add(
                time.at,
                format!(
                    "a file of `{}` is of {}, and the lock takes none newer than `{}`",
                    package.title(),
                    time::date(&time.value),
                    limit.text
                ),
            )
            .about(&package.name.normal)
            .see(limit.at, "the limit")
            .help("write the lock anew: `uv lock`");
    }
}

/// The limit for all packages; the date beside a span is a dummy.
fn general<'a>(options: &'a UvOptions<'_>, now: i64) -> Option<Limit<'a>> {
    let written = match &options.exclude_newer_span {
        Some(span) => span,
        None => options.exclude_newer.as_ref()?,
    };
    Some(Limit {
        last: limit(&written.value, now)?,
        text: &written.value,
        at: written.at,
    })
}

/// The last moment that a moment or a span allows.
fn limit(text: &str, now: i64) -> Option<i64> {
    time::moment(text).or_else(|| now.checked_sub(time::span(text)?))
}
