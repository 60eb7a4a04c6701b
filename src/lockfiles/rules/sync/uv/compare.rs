//! What is declared beside what is recorded: which of both has no counterpart, and whether a version must move.

use crate::lockfiles::marker::Agreement;
use crate::lockfiles::normal::{Normal, Origin};
use crate::lockfiles::requirement::{Specifiers, Version};
use crate::lockfiles::rules::Findings;
use crate::lockfiles::rules::sync::uv::view::{Declared, View};
use crate::model::lockfile::Requirement;
use crate::model::sources::Location;

/// What does not agree.
#[derive(Debug, Default)]
pub struct Compared {
    /// Declared and not recorded.
    pub missing: Vec<Normal>,
    /// Recorded and not declared.
    pub extra: Vec<Normal>,
    /// Where and why that cannot be told.
    pub unknown: Vec<(Location, String)>,
}

impl Compared {
    /// Whether both are known and agree.
    pub fn is_clean(&self) -> bool {
        self.missing.is_empty() && self.extra.is_empty() && self.unknown.is_empty()
    }

    /// Without what is declared of packages that are not locked, unless it takes the place of something recorded: uv keeps
    /// a lock without it.
    #[must_use]
    pub fn of_locked(mut self, view: &View<'_>) -> Self {
        let extra = &self.extra;
        self.missing.retain(|missing| {
            view.has_locked(&missing.name) || extra.iter().any(|extra| extra.name == missing.name)
        });
        self
    }
}

/// Compares both as sets.
pub fn compare(view: &View<'_>, declared: Declared, recorded: &[Requirement<'_>]) -> Compared {
    let recorded: Vec<Normal> = recorded.iter().map(Normal::recorded).collect();
    let mut compared = Compared {
        unknown: declared.unknown,
        ..Compared::default()
    };
    // What cannot be told of one may be the counterpart of another.
    let is_clear = compared.unknown.is_empty();
    for (own, others, missing) in [
        (&declared.known, &recorded, true),
        (&recorded, &declared.known, false),
    ] {
        for one in own {
            let best = others
                .iter()
                .map(|other| agree(view, one, other))
                .min_by_key(|agreement| match agreement {
                    Agreement::Same => 0,
                    Agreement::Unknown => 1,
                    Agreement::Different => 2,
                });
            match best {
                Some(Agreement::Unknown) => {
                    let why = format!("the marker of `{}` cannot be compared", one.shown);
                    compared.unknown.push((one.at, why));
                }
                Some(Agreement::Different) | None if missing => compared.missing.push(one.clone()),
                Some(Agreement::Different) | None if is_clear => compared.extra.push(one.clone()),
                _ => {}
            }
        }
    }
    compared
}

fn agree(view: &View<'_>, one: &Normal, other: &Normal) -> Agreement {
    match (&one.origin, &other.origin) {
        (Origin::Index(one), Origin::Index(other)) if view.tells_apart(one, other) => {
            Agreement::Different
        }
        _ => one.agree(other, &view.pythons),
    }
}

/// Tells what does not agree, on the line of what is declared where there is one.
pub fn tell(
    view: &View<'_>,
    compared: Compared,
    declared_at: Location,
    recorded_at: Location,
    findings: &mut Findings<'_>,
) {
    let mut extra = compared.extra;
    for missing in compared.missing {
        let help = help(view, &missing);
        let found = extra.iter().position(|extra| extra.name == missing.name);
        if let Some(recorded) = found.map(|found| extra.remove(found)) {
            let what = difference(&missing, &recorded);
            findings
                .add(missing.at, what)
                .about(&missing.name)
                .see(recorded.at, "recorded here")
                .help(help);
        } else {
            let message = format!("the lock does not record `{}`", missing.shown);
            findings
                .add(missing.at, message)
                .about(&missing.name)
                .see(recorded_at, "what it records begins here")
                .help(help);
        }
    }
    for recorded in extra {
        let message = format!(
            "the lock records `{}`, which is not declared",
            recorded.shown
        );
        findings
            .add(recorded.at, message)
            .about(&recorded.name)
            .see(declared_at, "what is declared begins here")
            .help(format!(
                "no version must move: `{}`",
                view.facts.lock.format.relock()
            ));
    }
}

fn difference(declared: &Normal, recorded: &Normal) -> String {
    if declared.shown == recorded.shown {
        return format!(
            "`{}` is taken from {} now; the lock records {}",
            declared.shown,
            place(&declared.origin),
            place(&recorded.origin)
        );
    }
    format!(
        "`{}` is declared; the lock records `{}`",
        declared.shown, recorded.shown
    )
}

fn place(origin: &Origin) -> String {
    match origin {
        Origin::Any => "any index".to_owned(),
        Origin::Index(index) => format!("the index `{index}`"),
        Origin::Git(url, ..) => format!("the repository `{url}`"),
        Origin::Url(url, _) => format!("`{url}`"),
        Origin::Archive(path) => format!("the file `{path}`"),
        Origin::Folder(path, install) => {
            format!("the folder `{path}` ({install:?})").to_lowercase()
        }
    }
}

/// What to do, and whether a version must move.
pub fn help(view: &View<'_>, declared: &Normal) -> String {
    let relock = view.facts.lock.format.relock();
    let locked = view.facts.index.named(&declared.name);
    if locked.is_empty() {
        return format!("`{}` must be locked: `{relock}`", declared.name);
    }
    if !matches!(declared.origin, Origin::Any) {
        return format!("its source must be locked: `{relock}`");
    }
    let wanted = declared.specifier.as_deref().map(Specifiers::parse);
    let must_move: Vec<&str> = locked
        .iter()
        .filter_map(|package| package.version.as_ref())
        .map(|version| &*version.value)
        .filter(|version| match (&wanted, Version::parse(version)) {
            (None, _) => false,
            (Some(Some(wanted)), Some(version)) => !wanted.contain(&version),
            _ => true,
        })
        .collect();
    if must_move.is_empty() {
        format!("no version must move: `{relock}`")
    } else {
        format!(
            "`{}` must move from {}: `{relock}`",
            declared.name,
            must_move.join(", ")
        )
    }
}
