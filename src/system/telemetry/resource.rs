//! Who tells: the service, the pipeline, the repository, the machine.

use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use crate::model::pipeline::RunRecord;
use crate::system::environment::Environment;
use crate::system::telemetry::attributes::Attributes;

/// The version of the conventions that names are taken from.
pub(super) const SCHEMA: &str = "https://opentelemetry.io/schemas/1.44.0";

/// Attributes by the environment, later ones winning: the workflow's, those of `OTEL_RESOURCE_ATTRIBUTES`, and
/// `OTEL_SERVICE_NAME`.
pub(super) fn of(environment: &Environment) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = vec![("service.name".into(), "lockgate".into())];
    let variables = [
        ("vcs.ref.head.name", "GITHUB_REF_NAME"),
        ("vcs.ref.head.revision", "GITHUB_SHA"),
        ("vcs.ref.head.type", "GITHUB_REF_TYPE"),
        ("vcs.owner.name", "GITHUB_REPOSITORY_OWNER"),
        ("cicd.worker.name", "RUNNER_NAME"),
    ];
    for (key, variable) in variables {
        set(&mut all, key, environment.get(variable));
    }
    let repository = environment
        .get("GITHUB_SERVER_URL")
        .zip(environment.get("GITHUB_REPOSITORY"));
    let address = repository.map(|(server, repository)| format!("{server}/{repository}"));
    set(&mut all, "vcs.repository.url.full", address.as_deref());
    let name = repository.and_then(|(_, repository)| Some(repository.split_once('/')?.1));
    set(&mut all, "vcs.repository.name", name);
    for pair in environment
        .get("OTEL_RESOURCE_ATTRIBUTES")
        .unwrap_or_default()
        .split(',')
    {
        if let Some((key, value)) = pair.split_once('=') {
            let value = percent_decode_str(value.trim()).decode_utf8_lossy();
            set(&mut all, key.trim(), Some(&value));
        }
    }
    set(
        &mut all,
        "service.name",
        environment.get("OTEL_SERVICE_NAME"),
    );
    all
}

fn set(all: &mut Vec<(String, String)>, key: &str, value: Option<&str>) {
    let Some(value) = value.filter(|_| !key.is_empty()) else {
        return;
    };
    all.retain(|(known, _)| known != key);
    all.push((key.to_owned(), value.to_owned()));
}

/// The resource of a run.
pub(super) fn document(given: &[(String, String)], record: &RunRecord) -> Value {
    let mut attributes = Attributes::default();
    let own = [
        ("service.version", Some(crate::VERSION)),
        ("service.instance.id", Some(&*record.run_id)),
        ("telemetry.sdk.name", Some("lockgate")),
        ("telemetry.sdk.language", Some("rust")),
        ("telemetry.sdk.version", Some(crate::VERSION)),
        ("cicd.pipeline.name", Some(&*record.name)),
        ("cicd.pipeline.run.id", Some(&*record.run_id)),
        ("cicd.pipeline.run.url.full", record.url.as_deref()),
    ];
    for (key, value) in own {
        if !given.iter().any(|(known, _)| known == key) {
            attributes.optional(key, value);
        }
    }
    for (key, value) in given {
        attributes.text(key, value);
    }
    json!({"attributes": attributes.done()})
}

/// Who measured.
pub(super) fn scope() -> Value {
    json!({"name": "lockgate.pipeline", "version": crate::VERSION})
}
