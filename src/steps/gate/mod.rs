//! What gates have in common: when findings mean no, what is ignored, and the policy of the base.

pub mod base;
pub mod globs;
pub mod ignore;

use crate::error::{Error, Result};
use crate::model::diagnostic::Severity;
use crate::system::clock::Date;

/// From which severity on a finding means no; the looser, the later.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum FailOn {
    /// Any finding.
    Note,
    /// Warnings and errors.
    Warning,
    /// Errors.
    #[default]
    Error,
    /// None.
    Never,
}

impl FailOn {
    /// The threshold; `None` for never.
    pub fn threshold(self) -> Option<Severity> {
        match self {
            Self::Note => Some(Severity::Note),
            Self::Warning => Some(Severity::Warning),
            Self::Error => Some(Severity::Error),
            Self::Never => None,
        }
    }
}

/// Whether findings fail the step; the looser, the later.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Mode {
    /// They do.
    #[default]
    Enforce,
    /// They are reported only.
    Report,
}

/// One thing in which a proposal's policy is looser than the base's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loosened {
    /// The input.
    pub input: &'static str,
    /// What the proposal says and the base does not.
    pub what: String,
}

/// What decides whether findings mean no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Threshold {
    /// From which severity on a finding means no.
    pub fail_on: FailOn,
    /// Whether findings fail the step.
    pub mode: Mode,
    /// Until when `mode: report` holds.
    pub report_until: Option<Date>,
}

impl Threshold {
    /// From the inputs `fail-on`, `mode` and `report-until`.
    pub fn new(
        fail_on: Option<FailOn>,
        mode: Option<Mode>,
        report_until: Option<&str>,
    ) -> Result<Self> {
        Ok(Self {
            fail_on: fail_on.unwrap_or_default(),
            mode: mode.unwrap_or_default(),
            report_until: report_until.map(self::report_until).transpose()?,
        })
    }

    /// Whether findings are only reported today.
    pub fn is_report_only(&self, today: Date) -> bool {
        self.mode == Mode::Report && self.report_until.is_none_or(|until| today <= until)
    }

    /// Takes over from the base what is stricter there.
    pub fn tighten(&mut self, base: &Self, note: &mut impl FnMut(&'static str, String)) {
        if self.fail_on > base.fail_on {
            note(
                "fail-on",
                format!("{:?} instead of {:?}", self.fail_on, base.fail_on).to_lowercase(),
            );
            self.fail_on = base.fail_on;
        }
        if self.mode > base.mode {
            note("mode", "report instead of enforce".into());
            self.mode = base.mode;
            self.report_until = base.report_until;
        } else if let (true, Some(end)) = (self.mode == base.mode, base.report_until)
            && self.report_until.is_none_or(|until| until > end)
        {
            note("report-until", format!("later than {end}"));
            self.report_until = Some(end);
        }
    }
}

/// The input `report-until`.
fn report_until(text: &str) -> Result<Date> {
    Date::parse(text).ok_or_else(|| {
        Error::usage(format!("`report-until`: `{text}` is no date"))
            .hint(format!("write a day such as `{}`", Date::in_days(30)))
    })
}

/// Takes out what the base's list does not have: items that loosen.
pub fn without_added<T>(
    input: &'static str,
    items: &mut Vec<T>,
    is_known: impl Fn(&T) -> bool,
    shown: impl Fn(&T) -> String,
    note: &mut impl FnMut(&'static str, String),
) {
    let (known, added): (Vec<T>, Vec<T>) = items.drain(..).partition(is_known);
    *items = known;
    if !added.is_empty() {
        let added: Vec<String> = added.iter().map(shown).collect();
        note(input, added.join(", "));
    }
}
