//! Policy cannot be loosened by what it judges: where a proposal's own file is looser than the base's, the base counts.

use crate::error::Result;
use crate::linters::Tool;
use crate::steps::Step;
use crate::steps::gate::{Loosened, base};
use crate::steps::lint_gate::settings::{Settings, Tools};
use crate::steps::lint_gate::{Arguments, Scope};
use crate::steps::world::World;

/// Whether the workflow or the command line says that project code may run. The configuration file cannot: it may be
/// part of what is judged, and here it would get the token.
pub fn allows_project_code(world: &World) -> Result<bool> {
    Ok(given(world)?.allow_project_code.unwrap_or(false))
}

/// What the workflow and the command line say, without any file.
pub fn given(world: &World) -> Result<Arguments> {
    base::given(Step::LintGate, world)
}

/// `head`, with everything in which it is looser than `base` taken from `base`; and what that was.
pub fn strictest(mut head: Settings, base: &Settings) -> (Settings, Vec<Loosened>) {
    let mut loosened = Vec::new();
    let mut note = |input, what: String| loosened.push(Loosened { input, what });

    head.threshold.tighten(&base.threshold, &mut note);
    if let Some(strict) = base.scope
        && head.scope.unwrap_or(Scope::ChangedLines) < strict
    {
        note("scope", format!("less than {}", strict.name()));
        head.scope = Some(strict);
    }
    if head.tool_source > base.tool_source {
        note("tool-source", "path instead of lock".into());
        head.tool_source = base.tool_source;
    }
    if head.lockfile != base.lockfile {
        note(
            "lockfile",
            head.lockfile
                .clone()
                .unwrap_or_else(|| "the default".into()),
        );
        head.lockfile.clone_from(&base.lockfile);
    }
    if head.base != base.base {
        note(
            "base",
            head.base.clone().unwrap_or_else(|| "the default".into()),
        );
        head.base.clone_from(&base.base);
    }
    for (input, now, before) in [
        ("allow-empty", &mut head.allow_empty, base.allow_empty),
        (
            "allow-project-code",
            &mut head.allow_project_code,
            base.allow_project_code,
        ),
    ] {
        if *now && !before {
            note(input, "true instead of false".into());
            *now = false;
        }
    }
    for (input, now, before) in [
        ("exclude", &mut head.exclude, &base.exclude),
        ("install-env", &mut head.install_env, &base.install_env),
    ] {
        let (known, added): (Vec<String>, Vec<String>) =
            now.drain(..).partition(|item| before.contains(item));
        *now = known;
        if !added.is_empty() {
            note(input, added.join(", "));
        }
    }
    let (known, added): (Vec<_>, Vec<_>) = head
        .ignores
        .drain(..)
        .partition(|ignore| base.ignores.iter().any(|before| before.text == ignore.text));
    head.ignores = known;
    for ignore in added {
        note("ignore", ignore.text);
    }
    per_tool(&mut head, base, &mut note);
    severities(&mut head, base, &mut note);
    if head.baseline != base.baseline && head.baseline.is_some() {
        note("baseline", head.baseline.clone().unwrap_or_default());
        head.baseline.clone_from(&base.baseline);
    }
    if base.baseline_strict && !head.baseline_strict {
        note("baseline-strict", "false instead of true".into());
        head.baseline_strict = true;
    }
    if head.projects != base.projects {
        note("projects", head.projects.join(", "));
        head.projects.clone_from(&base.projects);
    }
    narrowed_paths(&mut head, base, &mut note);
    fewer_tools(&mut head, base, &mut note);
    for report in &base.reports {
        if !head.reports.contains(report) {
            note("reports", format!("without {}", report.path));
            head.reports.push(report.clone());
        }
    }
    (head, loosened)
}

fn narrowed_paths(
    head: &mut Settings,
    base: &Settings,
    note: &mut impl FnMut(&'static str, String),
) {
    // No path means all.
    let is_narrower = match (head.paths.is_empty(), base.paths.is_empty()) {
        (true, _) => false,
        (false, true) => true,
        (false, false) => base.paths.iter().any(|path| !head.paths.contains(path)),
    };
    if is_narrower {
        note("paths", head.paths.join(", "));
        if base.paths.is_empty() {
            head.paths.clear();
        } else {
            let missing: Vec<String> = base
                .paths
                .iter()
                .filter(|path| !head.paths.contains(path))
                .cloned()
                .collect();
            head.paths.extend(missing);
        }
    }
}

/// Arguments and paths of one tool can leave things out: what differs from the base is the base's. A time limit decides
/// nothing.
fn per_tool(head: &mut Settings, base: &Settings, note: &mut impl FnMut(&'static str, String)) {
    for (input, now, before) in [
        (
            "tool-arguments",
            &mut head.per_tool.arguments,
            &base.per_tool.arguments,
        ),
        ("tool-paths", &mut head.per_tool.paths, &base.per_tool.paths),
    ] {
        for tool in Tool::ALL {
            if now.get(&tool) == before.get(&tool) {
                continue;
            }
            let shown = now.get(&tool).map(|words| words.join(" "));
            note(
                input,
                format!("{}: {}", tool.name(), shown.as_deref().unwrap_or("none")),
            );
            match before.get(&tool) {
                Some(words) => now.insert(tool, words.clone()),
                None => now.remove(&tool),
            };
        }
    }
}

/// The order of entries decides, so that lists are not compared entry by entry: the stricter of both answers counts.
fn severities(head: &mut Settings, base: &Settings, note: &mut impl FnMut(&'static str, String)) {
    if head.severities != base.severities {
        let texts: Vec<&str> = head.severities.iter().map(|one| &*one.text).collect();
        note(
            "severity",
            format!("[{}]; the stricter of both counts", texts.join(", ")),
        );
    }
    head.severities_of_base = Some(base.severities.clone());
}

fn fewer_tools(head: &mut Settings, base: &Settings, note: &mut impl FnMut(&'static str, String)) {
    let besides = match &base.tools {
        Tools::Pinned => &[][..],
        Tools::Auto(tools) | Tools::Named(tools) => tools,
    };
    match (&mut head.tools, &base.tools) {
        // What a list leaves out of what the base would find cannot be known: the base's way counts.
        (Tools::Named(_), Tools::Pinned) => {
            note("tools", "fewer than the lockfile pins".into());
            head.tools = Tools::Pinned;
        }
        (Tools::Named(_) | Tools::Pinned, Tools::Auto(_)) => {
            note("tools", "fewer than the project configures".into());
            head.tools = base.tools.clone();
        }
        // All that the lock pins: the lock of the proposal, so what the base names comes on top.
        (Tools::Pinned, Tools::Named(before)) if !before.is_empty() => {
            note("tools", "no list".into());
            head.tools = base.tools.clone();
        }
        (Tools::Pinned, Tools::Named(_) | Tools::Pinned) => {}
        (Tools::Named(now), Tools::Named(_)) => {
            for tool in besides {
                if !now.contains(tool) {
                    note("tools", format!("without {}", tool.name()));
                    now.push(*tool);
                }
            }
        }
        // All that is pinned or configured, and what the base names.
        (Tools::Auto(now), _) => {
            let missing = besides.iter().filter(|tool| !now.contains(tool));
            let missing: Vec<Tool> = missing.copied().collect();
            now.extend(missing);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::steps::lint_gate::{FailOn, Mode};

    fn settings(change: impl FnOnce(&mut Arguments)) -> Settings {
        let mut arguments = Arguments {
            tools: vec!["ruff".into(), "mypy".into()],
            ..Arguments::default()
        };
        change(&mut arguments);
        Settings::new(&arguments).unwrap()
    }

    #[test]
    fn everything_that_loosens_is_taken_from_the_base() {
        let base = settings(|_| {});
        let head = settings(|arguments| {
            arguments.fail_on = Some(FailOn::Never);
            arguments.mode = Some(Mode::Report);
            arguments.tools = vec!["ruff".into()];
            arguments.exclude = vec!["**".into()];
            arguments.ignore = vec!["mypy until 2099-01-01: no".into()];
            arguments.paths = vec!["src/fine.py".into()];
            arguments.allow_empty = Some(true);
            arguments.install_env = vec!["DEPLOY_KEY".into()];
            arguments.base = Some("HEAD".into());
        });
        let (judged, loosened) = strictest(head, &base);
        let inputs: Vec<&str> = loosened.iter().map(|one| one.input).collect();
        assert_eq!(
            inputs,
            [
                "fail-on",
                "mode",
                "base",
                "allow-empty",
                "exclude",
                "install-env",
                "ignore",
                "paths",
                "tools"
            ]
        );
        assert_eq!(
            (judged.threshold.fail_on, judged.threshold.mode, judged.base),
            (FailOn::Error, Mode::Enforce, None)
        );
        assert!(
            judged.exclude.is_empty()
                && judged.ignores.is_empty()
                && judged.paths.is_empty()
                && !judged.allow_empty
        );
        assert_eq!(judged.tools, base.tools);
    }

    #[test]
    fn a_stricter_proposal_judges_itself() {
        let base = settings(|arguments| {
            arguments.fail_on = Some(FailOn::Error);
            arguments.exclude = vec!["old".into()];
        });
        let head = settings(|arguments| {
            arguments.fail_on = Some(FailOn::Note);
            arguments.scope = Some(Scope::Everything);
            arguments.tools.push("pyright".into());
        });
        let (judged, loosened) = strictest(head, &base);
        assert_eq!(loosened, []);
        assert_eq!(
            (judged.threshold.fail_on, judged.scope),
            (FailOn::Note, Some(Scope::Everything))
        );
    }
}
