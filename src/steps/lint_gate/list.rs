//! `--list-tools`: which tools run here, and why.

use std::fmt::Write as _;

use crate::steps::lint_gate::provide::Chosen;

/// The choices of all projects as text.
pub fn render(projects: &[Chosen]) -> String {
    let mut text = String::new();
    for chosen in projects {
        if let Some(name) = &chosen.project.name {
            let _ = writeln!(text, "{name}");
        }
        for choice in &chosen.choices {
            let mark = match (choice.taken, choice.missing) {
                (true, _) => "runs",
                (false, true) => "missing",
                (false, false) => "-",
            };
            let version = chosen
                .lock
                .as_ref()
                .and_then(|lock| lock.versions_of(choice.tool.package()).into_iter().next())
                .unwrap_or_default();
            let _ = writeln!(
                text,
                "{:<13} {mark:<8} {version:<12} {}",
                choice.tool.name(),
                choice.why
            );
        }
        for foreign in &chosen.foreign {
            let _ = writeln!(
                text,
                "{:<13} {:<8} {:<12} {}: {}",
                foreign.name, "report", "", foreign.place, foreign.advice
            );
        }
    }
    text
}
