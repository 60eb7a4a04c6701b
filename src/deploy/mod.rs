//! Environments of a deployment, read and judged: their definition, the journal, and what versions say. Pure.

pub mod history;
pub mod journal;
pub mod keys;
pub mod read;
pub mod version;

use serde_json::{Map, Value};

use crate::pipeline::keys::Key;
use crate::pipeline::schema;

/// The keys beside the inputs of the step, each with its JSON Schema.
pub fn properties() -> Map<String, Value> {
    schema::table(keys::DEPLOY, &[])
}

/// Every table of keys, with what it is called.
pub const TABLES: &[(&str, &[Key])] = &[
    ("An environment", keys::ENVIRONMENT),
    ("`target`: one of", keys::TARGET),
    ("`target.local`", keys::LOCAL),
    ("`target.shell`", keys::SHELL),
    ("`target.pypi`", keys::PYPI),
    ("`target.object-store`", keys::OBJECT_STORE),
    ("`target.oci`", keys::OCI),
    ("`gates`", keys::GATES),
    (
        "`health`: one of `http`, `tcp` and `command`, and",
        keys::HEALTH,
    ),
    ("`lock`", keys::LOCK),
];
