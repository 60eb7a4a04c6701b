//! `target`.

use std::time::Duration;

use crate::deploy::keys;
use crate::error::Error;
use crate::model::deployment::definition::{Oci, Pypi, Shell, Target};
use crate::model::pipeline::{Action, SecretSource, Template, Variable};
use crate::pipeline::read::reader::{Fields, Reader, shown};
use crate::pipeline::read::tree::Node;
use crate::pipeline::read::{action, options, variables};

/// How many versions stay where nobody says.
const KEEP: usize = 5;

/// How long a command may take where nobody says.
const TIMEOUT: Duration = Duration::from_mins(10);

/// How long it has to end where nobody says.
const GRACE: Duration = Duration::from_secs(5);

/// Reads the one target of the environment of this name.
pub(super) fn read(reader: &mut Reader<'_>, node: &Node, environment: &str) -> Option<Target> {
    let fields = reader.fields("target", node, keys::TARGET)?;
    let mut given = keys::TARGET.iter().filter_map(|key| fields.entry(key.name));
    let (Some((key, value)), None) = (given.next(), given.next()) else {
        let names: Vec<String> = keys::TARGET
            .iter()
            .map(|key| format!("`{}`", key.name))
            .collect();
        let names = crate::error::list(&names, "or");
        reader.wrong_at(node, format!("`target` has {names}, one of them"));
        return None;
    };
    match key.text.as_str() {
        "local" => local(reader, value),
        "pypi" => pypi(reader, value),
        "object-store" => object_store(reader, value),
        "oci" => oci(reader, value, environment),
        _ => shell(reader, value),
    }
}

fn local(reader: &mut Reader<'_>, node: &Node) -> Option<Target> {
    let fields = reader.fields("local", node, keys::LOCAL)?;
    let keep = fields
        .get("keep")
        .and_then(|node| reader.whole("keep", node, 2, 1000));
    let node = fields.get("directory")?;
    let directory = reader.placed("directory", node)?;
    if directory.value.chars().any(char::is_control) {
        let message = format!("`directory`: `{}` is no folder", shown(&directory.value));
        reader.wrong_at(node, message);
        return None;
    }
    let keep = keep.and_then(|keep| usize::try_from(keep).ok());
    Some(Target::Local {
        directory,
        keep: keep.unwrap_or(KEEP),
    })
}

fn pypi(reader: &mut Reader<'_>, node: &Node) -> Option<Target> {
    let fields = reader.fields("pypi", node, keys::PYPI)?;
    let mut address = |name| options::web_address(reader, name, fields.get(name)?);
    let (upload, simple) = (address("upload"), address("simple"));
    let mut text = |name| reader.text(name, fields.get(name)?);
    let (project, token, user) = (text("project"), text("token"), text("user"));
    let anonymous = fields
        .get("anonymous")
        .and_then(|node| reader.flag("anonymous", node));
    let anonymous = anonymous.unwrap_or(false);
    if let Some(node) = fields.get("token").filter(|_| anonymous) {
        reader.wrong_at(node, "`anonymous` leaves nothing to `token`");
    }
    if let Some(node) = fields.get("user").filter(|_| token.is_none()) {
        reader.wrong_with(
            node,
            "`user` is for a password",
            "name its variable with `token`",
        );
    }
    Some(Target::Pypi(Pypi {
        upload,
        simple,
        project,
        token,
        user,
        anonymous,
    }))
}

fn object_store(reader: &mut Reader<'_>, node: &Node) -> Option<Target> {
    let fields = reader.fields("object-store", node, keys::OBJECT_STORE)?;
    let role = fields
        .get("role")
        .and_then(|node| reader.text("role", node));
    let address = reader.placed("address", fields.get("address")?)?;
    Some(Target::ObjectStore { address, role })
}

fn oci(reader: &mut Reader<'_>, node: &Node, environment: &str) -> Option<Target> {
    let fields = reader.fields("oci", node, keys::OCI)?;
    let mut words = |name| {
        let node = fields.get(name);
        node.map(|node| reader.words(name, node))
    };
    let tags = words("tags").unwrap_or_else(|| vec![environment.to_owned()]);
    let token_hosts = words("token-hosts").unwrap_or_default();
    let mut text = |name| reader.text(name, fields.get(name)?);
    let (user, password) = (text("user"), text("password"));
    if let Some(node) = fields.get("tags").filter(|_| tags.is_empty()) {
        reader.wrong_at(node, "`tags` names no tag");
    }
    let node = fields.get("image")?;
    let image = reader.text("image", node)?;
    let (scheme, name) = image.split_once("://").unwrap_or(("https", &image));
    let (host, repository) = name.split_once('/').unwrap_or((name, ""));
    let fault = if !matches!(scheme, "http" | "https") {
        Some("is no image of a registry")
    } else if name.contains('@') || repository.contains(':') {
        Some("has a tag or a digest, or a user")
    } else if repository.is_empty() || !host.contains(['.', ':']) && host != "localhost" {
        Some("names no registry")
    } else {
        None
    };
    if let Some(fault) = fault {
        let message = format!("`image`: `{}` {fault}", shown(&image));
        let hint = "write `registry.example/acme/app`; `tags` says what is set, and the input `digest` to which image";
        reader.wrong_with(node, message, hint);
        return None;
    }
    Some(Target::Oci(Box::new(Oci {
        registry: format!("{scheme}://{host}"),
        repository: repository.to_owned(),
        tags,
        token_hosts,
        user,
        password,
    })))
}

fn shell(reader: &mut Reader<'_>, node: &Node) -> Option<Target> {
    let fields = reader.fields("shell", node, keys::SHELL)?;
    let run = command(reader, &fields, "run");
    let rollback = command(reader, &fields, "rollback");
    let current = command(reader, &fields, "current");
    let mut duration = |name| reader.duration(name, fields.get(name)?);
    let (timeout, grace) = (duration("timeout"), duration("grace"));
    let env = match fields.get("env") {
        Some(node) => variables::env(reader, node),
        None => std::collections::BTreeMap::new(),
    };
    for (name, variable) in &env {
        if let Variable::Set(template) = &variable.value {
            let place = variable.place.clone();
            refers_to_nothing(reader, name, template, place);
        }
    }
    let secrets = match fields.get("secrets") {
        Some(node) => variables::secrets(reader, node, &std::collections::BTreeMap::new()),
        None => std::collections::BTreeMap::new(),
    };
    for (name, secret) in &secrets {
        if matches!(secret.source, SecretSource::Command(_)) {
            let message = format!("the secret `{name}` of a deployment comes from a variable");
            let error = Error::usage(message).at(secret.place.clone());
            reader.wrong(error.hint(format!("write `{name} = {{ env = \"{name}\" }}`")));
        }
    }
    Some(Target::Shell(Box::new(Shell {
        run: run?,
        rollback,
        current,
        timeout: timeout.unwrap_or(TIMEOUT),
        grace: grace.unwrap_or(GRACE),
        env,
        secrets,
    })))
}

fn command(reader: &mut Reader<'_>, fields: &Fields<'_>, name: &str) -> Option<Action> {
    let action = action::run(reader, name, fields.get(name)?)?;
    if let Action::Exec(words) = &action {
        for word in words {
            refers_to_nothing(reader, name, &word.value, word.place.clone());
        }
    }
    Some(action)
}

/// What is deployed reaches a command by its variables.
fn refers_to_nothing(
    reader: &mut Reader<'_>,
    name: &str,
    template: &Template,
    place: crate::error::Place,
) {
    if template.references.is_empty() {
        return;
    }
    let message = format!("`{name}` cannot refer to the outputs of a stage");
    let error = Error::usage(message).at(place);
    reader.wrong(error.hint("name them in `artifacts`; `LOCKGATE_DEPLOY_FILES` has their paths"));
}
