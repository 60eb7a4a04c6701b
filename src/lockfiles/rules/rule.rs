//! What a rule says about itself.

use crate::lockfiles::facts::Facts;
use crate::lockfiles::fault::FaultKind;
use crate::lockfiles::gone::GoneLock;
use crate::lockfiles::policy::Level;
use crate::lockfiles::rules::Findings;
use crate::lockfiles::workflow::WorkflowFacts;

/// How a rule looks.
#[derive(Clone, Copy, Debug)]
pub enum Check {
    /// It tells the faults of this kind that the reader found.
    Fault(FaultKind),
    /// It looks at one lock and what belongs to it.
    Lock(fn(&Facts<'_>, &mut Findings<'_>)),
    /// It looks at a lock that a change takes away.
    Gone(fn(&GoneLock<'_>, &mut Findings<'_>)),
    /// It looks at all workflows and actions of the repository.
    Workflows(fn(&WorkflowFacts<'_>, &mut Findings<'_>)),
}

/// A rule.
#[derive(Debug)]
pub struct Rule {
    /// How inputs, reports and ignores name it, in kebab-case.
    pub id: &'static str,
    /// One line: what it finds. No full stop.
    pub summary: &'static str,
    /// Why that is bad, and what is left out on purpose; Markdown.
    pub why: &'static str,
    /// How much it counts where the project does not say.
    pub level: Level,
    /// How it looks.
    pub check: Check,
    /// A project in which it finds something.
    pub failing: Example,
    /// What to do about it; Markdown.
    pub repair: &'static str,
    /// The same project, repaired: it finds nothing.
    pub repaired: Example,
}

/// A project, as files; a test runs it, the documentation shows it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Example {
    /// Paths and contents. The first is the one that the documentation shows.
    pub files: &'static [(&'static str, &'static str)],
    /// The files that were different before the change; those of `files` that are not named were the same.
    pub base: &'static [(&'static str, &'static str)],
    /// Inputs that are set, with their values.
    pub inputs: &'static [(&'static str, &'static str)],
}

impl Example {
    /// A project of these files, without a base and without inputs.
    pub const fn of(files: &'static [(&'static str, &'static str)]) -> Self {
        Self {
            files,
            base: &[],
            inputs: &[],
        }
    }
}

/// Rules that belong together.
#[derive(Clone, Copy, Debug)]
pub struct Family {
    /// The heading in the documentation.
    pub title: &'static str,
    /// One or two sentences about it.
    pub about: &'static str,
    /// Its rules.
    pub rules: &'static [&'static Rule],
}
