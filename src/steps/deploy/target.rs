//! The place that an environment names.

use std::path::Path;

use crate::model::deployment::definition::{Environment, Target as Settings};
use crate::model::pipeline::{Action, SecretSource, Variable};
use crate::system::files::normalise;
use crate::system::http::retry::Policy;
use crate::targets::Target;
use crate::targets::local::Local;
use crate::targets::object_store::ObjectStore;
use crate::targets::oci::{self, Oci};
use crate::targets::pypi::{Credential, Pypi, TOKEN_USER};
use crate::targets::shell::Shell;

/// The target of an environment whose definition lies in `folder`.
pub fn of(environment: &Environment, folder: &Path) -> Target {
    match &environment.target {
        Settings::Local { directory, keep } => Target::Local(Local {
            directory: normalise(&folder.join(&directory.value)),
            keep: *keep,
        }),
        Settings::Pypi(pypi) => {
            let credential = match &pypi.token {
                Some(variable) => Credential::Token {
                    user: pypi.user.clone().unwrap_or_else(|| TOKEN_USER.to_owned()),
                    variable: variable.clone(),
                },
                None if pypi.anonymous => Credential::Nobody,
                None => Credential::TrustedPublishing,
            };
            let usual = Pypi::default();
            Target::Pypi(Pypi {
                upload: pypi.upload.clone().unwrap_or_else(|| usual.upload.clone()),
                simple: pypi.simple.clone(),
                credential,
                project: pypi.project.clone(),
                ..usual
            })
        }
        Settings::ObjectStore { address, role } => Target::ObjectStore(Box::new(ObjectStore {
            address: address.value.clone(),
            directory: folder.to_owned(),
            environment: environment.name.clone(),
            role: role.clone(),
            policy: Policy::default(),
        })),
        Settings::Oci(settings) => {
            let variable = |named: &Option<String>, usual: &str| {
                named.clone().unwrap_or_else(|| usual.to_owned())
            };
            Target::Oci(Box::new(Oci {
                registry: settings.registry.clone(),
                repository: settings.repository.clone(),
                tags: settings.tags.clone(),
                // Named anew for each deployment.
                image: String::new(),
                token_hosts: settings.token_hosts.clone(),
                user_variable: variable(&settings.user, oci::USER_VARIABLE),
                password_variable: variable(&settings.password, oci::PASSWORD_VARIABLE),
                policy: Policy::default(),
            }))
        }
        Settings::Shell(shell) => {
            let variables = shell.env.iter().map(|(name, variable)| {
                let value = match &variable.value {
                    Variable::Set(template) => Some(template.text.clone()),
                    Variable::Passed => None,
                };
                (name.clone(), value)
            });
            let secrets = shell.secrets.iter().filter_map(|(name, secret)| {
                let SecretSource::Environment(source) = &secret.source else {
                    return None;
                };
                Some((name.clone(), (source.clone(), secret.place.clone())))
            });
            Target::Shell(Shell {
                run: words(&shell.run),
                rollback: shell.rollback.as_ref().map(words),
                current: shell.current.as_ref().map(words),
                directory: folder.to_owned(),
                timeout: shell.timeout,
                grace: shell.grace,
                variables: variables.collect(),
                secrets: secrets.collect(),
            })
        }
    }
}

/// A program and its arguments; a script is given to the shell, which stops at the first command that fails.
fn words(action: &Action) -> Vec<String> {
    match action {
        Action::Shell(script) => ["sh", "-e", "-c", &script.value]
            .map(str::to_owned)
            .to_vec(),
        Action::Exec(words) => words.iter().map(|word| word.value.text.clone()).collect(),
        Action::Step { .. } | Action::None => Vec::new(),
    }
}
