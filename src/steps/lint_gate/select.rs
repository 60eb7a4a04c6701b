//! Which tools run, and why: decided from what a project's files say. Pure.

use crate::error::Error;
use crate::linters::Tool;
use crate::steps::lint_gate::settings::Tools;

/// What is known of one tool in one project.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// Where the project configures it, for people.
    pub configured: Option<String>,
    /// Where the project names it: a hook, a workflow, a dependency of package.json.
    pub named: Option<String>,
    /// The version that the lock pins.
    pub pinned: Option<String>,
    /// Whether the project itself asks for that pin.
    pub declared: bool,
    /// Whether it is on PATH.
    pub on_path: bool,
    /// What it would look at; `None` where there is nothing.
    pub subject: Option<String>,
}

/// A tool, and whether it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Which.
    pub tool: Tool,
    /// Whether it runs.
    pub taken: bool,
    /// Why, in one line.
    pub why: String,
    /// Whether the project wants it although it cannot run.
    pub missing: bool,
}

/// The choices for all tools, in their order.
pub fn select(tools: &Tools, evidence: &[(Tool, Evidence)], lock: Option<&str>) -> Vec<Choice> {
    let of = |tool: Tool| {
        evidence
            .iter()
            .find(|(one, _)| *one == tool)
            .map(|(_, evidence)| evidence.clone())
            .unwrap_or_default()
    };
    let lock = lock.unwrap_or("the lockfile");
    Tool::ALL
        .into_iter()
        .map(|tool| {
            let known = of(tool);
            match tools {
                Tools::Named(named) if named.contains(&tool) => choice(tool, true, "named"),
                Tools::Named(_) => choice(tool, false, "not named"),
                Tools::Pinned
                    if tool == Tool::RuffFormat && known.declared && of(Tool::Black).declared =>
                {
                    choice(tool, false, "black formats this project")
                }
                Tools::Pinned if known.declared => choice(tool, true, &format!("{lock} pins it")),
                Tools::Pinned if known.pinned.is_some() => choice(
                    tool,
                    false,
                    &format!("{lock} pins it only for another package"),
                ),
                Tools::Pinned => choice(tool, false, &format!("not in {lock}")),
                Tools::Auto(besides) if besides.contains(&tool) => choice(tool, true, "named"),
                Tools::Auto(_) if tool == Tool::RuffFormat => {
                    ruff_format(&known, &of(Tool::Black), lock)
                }
                Tools::Auto(_) => auto(tool, &known, lock),
            }
        })
        .collect()
}

fn choice(tool: Tool, taken: bool, why: &str) -> Choice {
    Choice {
        tool,
        taken,
        why: why.to_owned(),
        missing: false,
    }
}

fn auto(tool: Tool, known: &Evidence, lock: &str) -> Choice {
    let wanted = known.configured.as_ref().or(known.named.as_ref());
    let pinned = || format!("{lock} pins it");
    let is_here = known.pinned.is_some() || known.on_path;
    if known.subject.is_none() {
        return choice(tool, false, "there is nothing that it looks at");
    }
    match wanted {
        Some(place) if is_here => {
            let from = match &known.pinned {
                Some(version) => format!("{lock} pins {version}"),
                None => "it is on PATH".to_owned(),
            };
            choice(tool, true, &format!("{place}; {from}"))
        }
        Some(place) => Choice {
            missing: true,
            ..choice(
                tool,
                false,
                &format!("{place}, but it is neither in {lock} nor on PATH"),
            )
        },
        None if known.declared => choice(tool, true, &pinned()),
        None if known.pinned.is_some() => choice(
            tool,
            false,
            &format!("{lock} pins it only for another package, and nothing configures it"),
        ),
        None => choice(tool, false, "nothing configures or pins it"),
    }
}

/// Ruff brings its formatter along: it is taken where the project says so, or where nothing else formats.
fn ruff_format(known: &Evidence, black: &Evidence, lock: &str) -> Choice {
    let tool = Tool::RuffFormat;
    if known.configured.is_some() || known.named.is_some() {
        return auto(tool, known, lock);
    }
    if !known.declared {
        return choice(tool, false, "nothing configures or pins it");
    }
    if black.declared || black.configured.is_some() || black.named.is_some() {
        return choice(tool, false, "black formats this project");
    }
    choice(
        tool,
        true,
        &format!("{lock} pins ruff, and nothing else formats this project"),
    )
}

/// The error where no tool runs.
pub fn nothing(tools: &Tools, lock: Option<&str>) -> Error {
    let what = match (tools, lock) {
        (Tools::Auto(_), _) => {
            "`tools: auto` finds no tool that the project configures or pins".to_owned()
        }
        (_, None) => "no tool is named, and there is no lockfile that pins one".to_owned(),
        (_, Some(lock)) => format!("no tool is named, and `{lock}` pins none"),
    };
    Error::usage(what)
        .allowed(Tool::ALL.map(Tool::name))
        .hint("uv add --dev ruff mypy")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evidence(change: impl FnOnce(&mut Evidence)) -> Evidence {
        let mut evidence = Evidence {
            subject: Some("files".into()),
            ..Evidence::default()
        };
        change(&mut evidence);
        evidence
    }

    fn pinned(evidence: &mut Evidence) {
        evidence.pinned = Some("1.0".into());
        evidence.declared = true;
    }

    fn auto(evidence: &[(Tool, Evidence)]) -> Vec<Tool> {
        let tools = Tools::Auto(vec![]);
        let choices = select(&tools, evidence, Some("uv.lock"));
        choices
            .iter()
            .filter(|choice| choice.taken)
            .map(|choice| choice.tool)
            .collect()
    }

    #[test]
    fn what_is_only_somebody_elses_dependency_does_not_run() {
        let of_pylint = evidence(|known| known.pinned = Some("9.0".into()));
        let own = evidence(pinned);
        let facts = [(Tool::Isort, of_pylint), (Tool::Pylint, own)];
        assert_eq!(auto(&facts), [Tool::Pylint]);
        let choices = select(&Tools::Pinned, &facts, Some("uv.lock"));
        assert!(
            choices
                .iter()
                .all(|choice| choice.taken == (choice.tool == Tool::Pylint))
        );
    }

    #[test]
    fn a_configured_tool_runs_where_it_is_and_is_missed_where_it_is_not() {
        let configured = |here: bool| {
            evidence(|known| {
                known.configured = Some("`[tool.mypy]` in `pyproject.toml`".into());
                known.on_path = here;
            })
        };
        assert_eq!(auto(&[(Tool::Mypy, configured(true))]), [Tool::Mypy]);
        let choices = select(
            &Tools::Auto(vec![]),
            &[(Tool::Mypy, configured(false))],
            None,
        );
        let mypy = choices
            .iter()
            .find(|choice| choice.tool == Tool::Mypy)
            .unwrap();
        assert!(mypy.missing && !mypy.taken, "{mypy:?}");
        assert_eq!(
            mypy.why,
            "`[tool.mypy]` in `pyproject.toml`, but it is neither in the lockfile nor on PATH"
        );
    }

    #[test]
    fn ruff_formats_only_where_nothing_else_does() {
        let ruff = || (Tool::RuffFormat, evidence(pinned));
        assert_eq!(auto(&[ruff()]), [Tool::RuffFormat]);
        assert_eq!(
            auto(&[ruff(), (Tool::Black, evidence(pinned))]),
            [Tool::Black]
        );
        let configured = evidence(|known| {
            pinned(known);
            known.configured = Some("`[tool.ruff]`".into());
        });
        assert_eq!(
            auto(&[
                (Tool::RuffFormat, configured),
                (Tool::Black, evidence(pinned))
            ]),
            [Tool::RuffFormat, Tool::Black]
        );
    }
}
