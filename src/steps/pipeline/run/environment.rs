//! What a stage sees: the base set and what it declares, nothing else.

use std::collections::BTreeMap;

use crate::error::Result;
use crate::model::pipeline::{Action, Options, Placed, Stage, Variable};
use crate::steps::pipeline::run::values::Values;
use crate::system::environment::Environment;

/// The variables of a stage.
#[derive(Clone, Debug)]
pub struct Variables {
    /// All that it sees, but for secrets and what marks its processes.
    pub environment: Environment,
    /// Those that it declares: they belong to its key.
    pub declared: BTreeMap<String, Option<String>>,
}

/// The variables of a stage, from those of the run. A variable of the stage overrides one of the whole pipeline.
pub fn variables(
    run: &Environment,
    options: &Options,
    stage: &Stage,
    values: &Values<'_>,
) -> Result<Variables> {
    let mut environment = match stage.action {
        Action::Step { .. } => run.for_step(),
        Action::Shell(_) | Action::Exec(_) | Action::None => run.base(),
    };
    let mut declared = BTreeMap::new();
    for (name, variable) in options.env.iter().chain(&stage.env) {
        let value = match &variable.value {
            Variable::Passed => run.get(name).map(str::to_owned),
            Variable::Set(template) => {
                let placed = Placed {
                    value: template.clone(),
                    place: variable.place.clone(),
                };
                Some(values.text(&placed)?)
            }
        };
        if let Some(value) = &value {
            environment.set(name, value);
        }
        declared.insert(name.clone(), value);
    }
    Ok(Variables {
        environment,
        declared,
    })
}
