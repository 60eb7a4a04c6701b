//! The JSON Schema (2020-12) of a definition, and its reference as a table: both from [`crate::pipeline::keys`].

use serde_json::{Map, Value, json};

use crate::pipeline::keys::{self, Key, Shape};

/// A duration, as [`crate::model::duration`] reads it.
const DURATION: &str = r"^\s*([0-9]+\s*(ms|s|m|h|d|day|days|w|week|weeks)\s*)+$";

/// A size, as [`crate::model::size`] reads it.
const SIZE: &str = r"^\s*[0-9]+(\.[0-9]{1,3})?\s*([bB]|[kKmMgGtT]([iI]?[bB])?)?\s*$";

/// A variable, as a shell can name it.
const VARIABLE: &str = "^[A-Za-z_][A-Za-z0-9_]*$";

/// An output or a key of a matrix.
const WORD: &str = "^[A-Za-z_][A-Za-z0-9_-]*$";

/// The name of a stage, as far as a pattern tells.
const STAGE: &str = r"^[^\s\-/\\][^/\\]*$";

/// The keys beside the inputs of the step, each with its schema. `steps` are the names that `uses` may have.
pub fn properties(steps: &[&str]) -> Map<String, Value> {
    table(keys::PIPELINE, steps)
}

/// These keys, each with its schema. `steps` are the names that `uses` may have.
pub fn table(keys: &[Key], steps: &[&str]) -> Map<String, Value> {
    let entries = keys.iter().map(|key| {
        let mut schema = shape(key.shape, steps);
        schema["description"] = json!(key.help);
        (key.name.to_owned(), schema)
    });
    entries.collect()
}

fn object(keys: &[Key], steps: &[&str]) -> Value {
    let required = keys.iter().filter(|key| key.is_required);
    let required: Vec<&str> = required.map(|key| key.name).collect();
    let mut schema = json!({
        "type": "object",
        "properties": table(keys, steps),
        "additionalProperties": false,
    });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

/// A table of which exactly one key is given.
fn one_key(keys: &[Key], steps: &[&str]) -> Value {
    let mut schema = object(keys, steps);
    schema["minProperties"] = json!(1);
    schema["maxProperties"] = json!(1);
    schema
}

fn by_name(pattern: &str, value: &Value) -> Value {
    json!({"type": "object", "propertyNames": {"pattern": pattern}, "additionalProperties": value})
}

fn one_or_list(one: &Value) -> Value {
    json!({"anyOf": [one, {"type": "array", "items": one}]})
}

fn some(one: &Value) -> Value {
    json!({"anyOf": [one, {"type": "array", "items": one, "minItems": 1}]})
}

fn shape(shape: Shape, steps: &[&str]) -> Value {
    let text = json!({"type": "string", "pattern": r"\S"});
    let scalar = json!({"type": ["string", "number", "boolean"]});
    match shape {
        Shape::Text => text,
        Shape::Texts => one_or_list(&text),
        Shape::SomeTexts => some(&text),
        Shape::Flag => json!({"type": "boolean"}),
        Shape::Whole(least, most) => {
            json!({"type": "integer", "minimum": least, "maximum": most})
        }
        Shape::Wholes(least, most) => one_or_list(&self::shape(Shape::Whole(least, most), steps)),
        Shape::Duration => json!({"type": "string", "pattern": DURATION}),
        Shape::Size => json!({"anyOf": [
            {"type": "string", "pattern": SIZE},
            {"type": "integer", "minimum": 1},
        ]}),
        Shape::Word(known) => json!({"type": "string", "enum": known}),
        Shape::SomeOf(known) => some(&json!({"type": "string", "enum": known})),
        Shape::Step => json!({"type": "string", "enum": steps}),
        Shape::Program => json!({"type": "array", "items": scalar, "minItems": 1}),
        Shape::Values => json!({"type": "object", "additionalProperties": one_or_list(&scalar)}),
        Shape::TextByName => by_name(WORD, &text),
        Shape::Matrix => {
            let value = json!({"anyOf": [text, {"type": ["integer", "boolean"]}]});
            let values =
                json!({"type": "array", "items": value, "minItems": 1, "uniqueItems": true});
            let mut schema = by_name(WORD, &values);
            schema["minProperties"] = json!(1);
            schema
        }
        Shape::Variables => {
            let name = json!({"type": "string", "pattern": VARIABLE});
            let values = by_name(VARIABLE, &scalar);
            one_or_list(&json!({"anyOf": [name, values]}))
        }
        Shape::Secrets => {
            let name = json!({"type": "string", "pattern": VARIABLE});
            let sources = by_name(VARIABLE, &one_key(keys::SECRET, steps));
            json!({"anyOf": [name, {"type": "array", "items": name}, sources]})
        }
        Shape::OneOf(known) => one_key(known, steps),
        Shape::Table(known) => object(known, steps),
        Shape::Either(shapes) => {
            let all: Vec<Value> = shapes.iter().map(|one| self::shape(*one, steps)).collect();
            json!({"anyOf": all})
        }
        Shape::ByName(known) => {
            let mut schema = by_name(WORD, &object(known, steps));
            schema["minProperties"] = json!(1);
            schema
        }
        Shape::TextByPointer => {
            let mut schema = by_name("^(/.*)?$", &text);
            schema["minProperties"] = json!(1);
            schema
        }
        Shape::Stages => {
            let stage = json!({"anyOf": [text, object(keys::STAGE, steps)]});
            let mut schema = by_name(STAGE, &stage);
            schema["minProperties"] = json!(1);
            schema["propertyNames"]["maxLength"] = json!(keys::LONGEST_NAME);
            schema
        }
    }
}

/// Every table of keys, with what it is called.
pub const TABLES: &[(&str, &[Key])] = &[
    ("The pipeline", keys::PIPELINE),
    ("A stage", keys::STAGE),
    ("`retry`", keys::RETRY),
    ("`if`", keys::CONDITION),
    ("`venv`", keys::VENV),
    ("`service`", keys::SERVICE),
    ("`ready` of a service: one of", keys::PROBE),
    ("A secret by name: one of", keys::SECRET),
];

/// What a value may be, for people.
pub fn words(shape: Shape) -> String {
    match shape {
        Shape::Text => "text".to_owned(),
        Shape::Texts | Shape::SomeTexts => "text, or list of texts".to_owned(),
        Shape::Flag => "true or false".to_owned(),
        Shape::Whole(least, most) => format!("{least} to {most}"),
        Shape::Wholes(least, most) => format!("{least} to {most}, or a list"),
        Shape::Duration => "duration".to_owned(),
        Shape::Size => "size".to_owned(),
        Shape::Word(known) => known.join(", "),
        Shape::SomeOf(known) => format!("{}, or a list", known.join(", ")),
        Shape::Step => "name of a step".to_owned(),
        Shape::Program => "list: program, arguments".to_owned(),
        Shape::Values => "values by name".to_owned(),
        Shape::TextByName => "texts by name".to_owned(),
        Shape::Matrix => "lists by name".to_owned(),
        Shape::Variables => "names, values by name, or a list of both".to_owned(),
        Shape::Secrets => "names, or sources by name".to_owned(),
        Shape::Table(_) | Shape::OneOf(_) => "table".to_owned(),
        Shape::Either(shapes) => {
            let all: Vec<String> = shapes.iter().map(|one| words(*one)).collect();
            all.join("; or ")
        }
        Shape::Stages => "stages by name".to_owned(),
        Shape::ByName(_) => "tables by name".to_owned(),
        Shape::TextByPointer => "texts by JSON pointer".to_owned(),
    }
}
