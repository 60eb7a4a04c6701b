//! What happened, as a report.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::archive;
use crate::error::Error;
use crate::model::diagnostic::{Finding, Severity};
use crate::model::report::{Report, Verdict};
use crate::steps::cache::NAME;
use crate::steps::cache::run::Wanted;
use crate::steps::transport::Trouble;
use crate::stores::fault::{Absence, Fault};

/// A report of this step, in which nothing went wrong.
pub fn report(headline: impl Into<String>) -> Report {
    Report {
        step: NAME,
        verdict: Verdict::Pass,
        headline: Some(headline.into()),
        is_report_only: false,
        fail_on: None,
        findings: Vec::new(),
        checks: Vec::new(),
        left_out: Vec::new(),
        facts: Vec::new(),
        tables: Vec::new(),
        max_annotations: 10,
        outputs: BTreeMap::new(),
        duration: Duration::ZERO,
    }
}

/// Something that a person should know.
pub fn notice(
    rule: &str,
    severity: Severity,
    message: impl Into<String>,
    hint: Option<String>,
) -> Finding {
    Finding {
        help: hint.map(Into::into),
        ..Finding::new(NAME, rule, severity, message.into())
    }
}

impl Trouble {
    /// The user's own mistake, which no cache can go on without: a key that no store takes, a store that is none.
    pub fn mistake(&self) -> Option<Error> {
        match self {
            Self::Store(fault @ (Fault::InvalidKey { .. } | Fault::Usage(_))) => {
                Some(fault.clone().error())
            }
            _ => None,
        }
    }

    /// Whether it is nobody's fault: the workflow says that there is to be no cache.
    pub fn is_off(&self) -> bool {
        matches!(self, Self::Store(Fault::Unavailable(Absence::Off)))
    }

    /// The outcome that later steps see.
    pub fn outcome(&self) -> &'static str {
        match self {
            Self::Store(Fault::Denied { .. }) => "denied",
            Self::Store(Fault::Exists { .. }) => "exists",
            off if off.is_off() => "off",
            // Whoever waits no longer goes on as if there were nothing.
            Self::Store(Fault::TooSlow { .. }) => "miss",
            _ => "unavailable",
        }
    }

    /// The notice of it; an error where the cache was required.
    pub fn notice(&self, is_required: bool) -> Finding {
        let (rule, text, hint, is_expected) = match self {
            Self::Store(fault) => (
                fault.name(),
                fault.to_string(),
                fault.hint(),
                fault.is_expected(),
            ),
            Self::Archive(fault) => (archive_rule(fault), fault.to_string(), fault.hint(), false),
        };
        let is_expected = is_expected || self.is_off();
        let severity = match (is_required && !self.is_off(), is_expected) {
            (true, _) => Severity::Error,
            (false, true) => Severity::Note,
            (false, false) => Severity::Warning,
        };
        notice(rule, severity, text, hint)
    }
}

fn archive_rule(fault: &archive::Fault) -> &'static str {
    match fault {
        archive::Fault::Corrupt { .. } => "corrupt",
        archive::Fault::Truncated { .. } => "truncated",
        archive::Fault::Refused { .. } => "refused",
        archive::Fault::TooLarge { .. } => "too-large",
        archive::Fault::DiskFull { .. } => "disk-full",
        archive::Fault::Denied { .. } => "permission",
        archive::Fault::Stopped => "stopped",
        archive::Fault::InTheWay { .. } => "in-the-way",
        archive::Fault::Disk { .. } | archive::Fault::Input(_) | archive::Fault::Output(_) => {
            "disk"
        }
    }
}

/// The outputs that every restore and save has.
pub fn outputs(wanted: &Wanted, outcome: &str, matched: Option<&str>) -> BTreeMap<String, String> {
    let is_hit = matched == Some(wanted.key.as_str());
    [
        ("cache-hit", is_hit.to_string()),
        ("cache-matched-key", matched.unwrap_or_default().to_owned()),
        ("outcome", outcome.to_owned()),
        ("key", wanted.key.clone()),
        ("paths", wanted.paths.join("\n")),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}
