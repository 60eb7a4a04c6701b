//! Which stages lead to something that is given to others: their results are made on this machine, never taken from a
//! store that others write to.

use crate::model::pipeline::{Action, Pipeline, Reuse, Stage};
use crate::pipeline::graph::Graph;

/// The step that deploys.
const DEPLOY: &str = "deploy";

/// How the variables begin by which a job proves who it is.
const IDENTITY: &str = "ACTIONS_ID_TOKEN_REQUEST_";

/// Marks the stages whose results count only from this machine, and all that they need: what deploys, what has secrets of
/// its own or an identity to deploy with, what asks for it by `cache = "local"`, and with a bundle all that makes
/// something. `takes_part` says which stages run at all.
pub fn made_here(
    pipeline: &Pipeline,
    graph: &Graph,
    takes_part: &[bool],
    with_bundle: bool,
) -> Vec<bool> {
    let stages = pipeline.stages.iter().zip(takes_part);
    let mut marked: Vec<bool> = stages
        .map(|(stage, takes_part)| {
            *takes_part && (gives_away(stage) || with_bundle && !stage.outputs.is_empty())
        })
        .collect();
    graph.reach(&mut marked, Graph::needs_of);
    marked
}

/// Whether a stage may give what it uses to others. A step of ours that does not deploy only looks.
fn gives_away(stage: &Stage) -> bool {
    let is_local = stage.cache == Some(Reuse::Local);
    let has_identity = || stage.env.keys().any(|name| name.starts_with(IDENTITY));
    is_local
        || match &stage.action {
            Action::Step { step, .. } => step.value.split(' ').next() == Some(DEPLOY),
            Action::Shell(_) | Action::Exec(_) => !stage.secrets.is_empty() || has_identity(),
            Action::None => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::read::{Carrier, read};

    fn marked(text: &str, left_out: &[&str], with_bundle: bool) -> Vec<String> {
        let text = format!("[tool.lockgate.pipeline.stages]\n{text}");
        let pipeline = read(
            &text,
            "pyproject.toml",
            Carrier::Toml,
            &["deploy", "lint-gate"],
        )
        .unwrap();
        let graph = Graph::of(&pipeline).unwrap();
        let names = || pipeline.stages.iter().map(|stage| stage.name.clone());
        let takes_part: Vec<bool> = names()
            .map(|name| !left_out.contains(&name.as_str()))
            .collect();
        let marked = made_here(&pipeline, &graph, &takes_part, with_bundle);
        names()
            .zip(marked)
            .filter_map(|(name, is_marked)| is_marked.then_some(name))
            .collect()
    }

    const STAGES: &str = r#"
        lint = { uses = "lint-gate", secrets = { INPUT_TOKEN = { env = "T" } } }
        code = { run = "make", needs = ["lint"] }
        docs = { run = "make docs", outputs = { it = "site" } }
        wheel = { run = "build", needs = ["code"], outputs = { it = "dist" } }
        publish = { run = "publish", needs = ["wheel"], secrets = ["TOKEN"] }
    "#;

    #[test]
    fn what_a_stage_with_secrets_needs_is_made_here() {
        assert_eq!(
            marked(STAGES, &[], false),
            ["lint", "code", "wheel", "publish"]
        );
        assert!(marked(STAGES, &["publish"], false).is_empty());
    }

    #[test]
    fn so_is_what_a_bundle_holds_and_what_is_deployed() {
        assert_eq!(
            marked(STAGES, &["publish"], true),
            ["lint", "code", "docs", "wheel"]
        );
        for last in [
            r#"d = { uses = "deploy", needs = ["a"] }"#,
            r#"d = { run = "x", needs = ["a"], cache = "local" }"#,
            r#"d = { run = "x", needs = ["a"], env = ["ACTIONS_ID_TOKEN_REQUEST_URL"] }"#,
        ] {
            let text = format!("a = \"x\"\nb = \"y\"\n{last}");
            assert_eq!(marked(&text, &[], false), ["a", "d"], "{last}");
        }
    }
}
