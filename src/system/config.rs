//! The configuration file: `[tool.lockgate]` of the nearest `pyproject.toml`, or the nearest `lockgate.yaml`.
//!
//! Values are read without knowing what they mean: a key, its value or values as text, and where each stands. What
//! the inputs are called and what they accept is known in one place only, the arguments of each step.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::error::{Error, Place, Result, did_you_mean};

/// The keys beside the steps' own tables.
const GENERAL: &[&str] = &["required-version"];

/// Keys of a step's table that hold more than values. They are read by the step itself, from [`Config::text`].
const NESTED: &[(&str, &[&str])] = &[
    ("pipeline", &["name", "env", "secrets", "stages"]),
    ("deploy", &["environments"]),
];

/// The nested keys of a step.
pub fn nested(step: &str) -> &'static [&'static str] {
    let found = NESTED.iter().find(|(name, _)| *name == step);
    found.map_or(&[], |(_, keys)| keys)
}

/// Larger files are no configuration, bytes.
const LIMIT: u64 = 4 << 20;

/// One value of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    /// One text, or the items of a list.
    pub items: Vec<String>,
    /// Whether it was written as a list.
    pub is_list: bool,
    /// Where it stands.
    pub place: Place,
}

/// A step's table: its keys and values.
pub type Table = BTreeMap<String, Value>;

/// The whole of what concerns us in one file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// The file, if there is one.
    pub path: Option<PathBuf>,
    /// Its text, where a step has a nested key in it.
    pub text: Option<String>,
    /// By step.
    pub steps: BTreeMap<String, Table>,
    /// The steps whose table has a nested key.
    pub nested: BTreeSet<String>,
    /// `required-version`, a requirement in the grammar of semver.
    pub required_version: Option<Value>,
}

impl Config {
    fn with_text(mut self, text: String) -> Self {
        self.text = (!self.nested.is_empty()).then_some(text);
        self
    }

    /// Whether the step's table has a nested key.
    pub fn defines(&self, step: &str) -> bool {
        self.nested.contains(step)
    }
}

/// The names that a configuration may have, in each folder.
pub const NAMES: [&str; 3] = ["pyproject.toml", "lockgate.yaml", "lockgate.yml"];

/// Finds the nearest configuration from `directory` upward, never above `root`, in the files of this machine.
pub fn load(directory: &Path, root: &Path, steps: &[&str]) -> Result<Config> {
    load_from(directory, root, steps, &|path| read(path, root))
}

/// The same, with the files that `read` knows: the tree of another commit, say.
pub fn load_from(
    directory: &Path,
    root: &Path,
    steps: &[&str],
    read: &impl Fn(&Path) -> Result<Option<String>>,
) -> Result<Config> {
    for folder in directory.ancestors() {
        let [project, long, short] = NAMES.map(|name| folder.join(name));
        let table = match read(&project)? {
            Some(text) => parse_toml(&text, &shown(&project, root), steps)?
                .map(|config| config.with_text(text)),
            None => None,
        };
        let own = match read(&long)? {
            Some(text) => Some((long, text)),
            None => read(&short)?.map(|text| (short, text)),
        };
        match (table, own) {
            (Some(_), Some((own, _))) => {
                return Err(Error::usage(format!(
                    "both `[tool.lockgate]` in `{}` and `{}` configure this project",
                    shown(&project, root),
                    shown(&own, root)
                ))
                .hint("keep one of them"));
            }
            (Some(config), None) => {
                return Ok(Config {
                    path: Some(project),
                    ..config
                });
            }
            (None, Some((own, text))) => {
                let config = parse_yaml(&text, &shown(&own, root), steps)?.with_text(text);
                return Ok(Config {
                    path: Some(own),
                    ..config
                });
            }
            (None, None) => {}
        }
        if folder == root {
            break;
        }
    }
    Ok(Config::default())
}

fn read(path: &Path, root: &Path) -> Result<Option<String>> {
    let name = shown(path, root);
    let length = std::fs::metadata(path).map_or(0, |metadata| metadata.len());
    if length > LIMIT {
        return Err(Error::usage(format!("`{name}` has {length} bytes"))
            .cause(format!("a configuration file may have {LIMIT}")));
    }
    match std::fs::read(path) {
        Ok(bytes) => match String::from_utf8(bytes) {
            Ok(text) => Ok(Some(text)),
            Err(error) => Err(not_utf8(&name, &error)),
        },
        Err(error)
            if matches!(
                error.kind(),
                std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory
            ) =>
        {
            Ok(None)
        }
        Err(error) => Err(Error::usage(format!("`{name}` cannot be read")).cause(error)),
    }
}

fn not_utf8(name: &str, error: &std::string::FromUtf8Error) -> Error {
    let end = error.utf8_error().valid_up_to();
    let before = String::from_utf8_lossy(&error.as_bytes()[..end]);
    Error::usage(format!("`{name}` is not UTF-8"))
        .at(Place {
            excerpt: None,
            ..Place::in_text(name, &before, end..end)
        })
        .hint("save it as UTF-8")
}

fn shown(path: &Path, root: &Path) -> String {
    path.strip_prefix(root)
        .unwrap_or(path)
        .display()
        .to_string()
}

fn parse_toml(text: &str, path: &str, steps: &[&str]) -> Result<Option<Config>> {
    let place = |span: Range<usize>| Place::in_text(path, text, span);
    let document = DeTable::parse(text).map_err(|error| {
        let message = format!("`{path}` is not valid TOML: {}", error.message());
        let failure = Error::usage(message);
        match error.span() {
            Some(span) => failure.at(place(span)),
            None => failure,
        }
    })?;
    let ours = document
        .get_ref()
        .get("tool")
        .and_then(|tool| tool.get_ref().get("lockgate"));
    let Some(ours) = ours else { return Ok(None) };
    let mut config = Config::default();
    let table = toml_table(ours, "tool.lockgate", &place)?;
    for (key, value) in table {
        let name: &str = key.get_ref();
        if GENERAL.contains(&name) {
            config.required_version = Some(toml_value(name, value, &place)?);
        } else if steps.contains(&name) {
            let mut entries = Table::new();
            for (key, value) in toml_table(value, name, &place)? {
                if nested(name).contains(&key.get_ref().as_ref()) {
                    config.nested.insert(name.to_owned());
                    continue;
                }
                if value.get_ref().is_table() && !nested(name).is_empty() {
                    return Err(unknown_key(key.get_ref(), place(key.span()), nested(name)));
                }
                entries.insert(
                    key.get_ref().to_string(),
                    toml_value(key.get_ref(), value, &place)?,
                );
            }
            config.steps.insert(name.to_owned(), entries);
        } else {
            return Err(unknown_key(name, place(key.span()), &known(steps)));
        }
    }
    Ok(Some(config))
}

fn toml_table<'t, 'i>(
    value: &'t Spanned<DeValue<'i>>,
    name: &str,
    place: &impl Fn(Range<usize>) -> Place,
) -> Result<&'t DeTable<'i>> {
    value
        .get_ref()
        .as_table()
        .ok_or_else(|| Error::usage(format!("`{name}` must be a table")).at(place(value.span())))
}

fn toml_value(
    name: &str,
    value: &Spanned<DeValue<'_>>,
    place: &impl Fn(Range<usize>) -> Place,
) -> Result<Value> {
    let scalar = |value: &Spanned<DeValue<'_>>| match value.get_ref() {
        DeValue::String(text) => Ok(text.to_string()),
        DeValue::Boolean(flag) => Ok(flag.to_string()),
        DeValue::Integer(number) => Ok(number.to_string()),
        DeValue::Datetime(date) => Ok(date.to_string()),
        _ => Err(Error::usage(format!(
            "`{name}` must be text, a number, true or false, or a list of texts"
        ))
        .at(place(value.span()))),
    };
    let (items, is_list) = match value.get_ref() {
        DeValue::Array(items) => (items.iter().map(scalar).collect::<Result<_>>()?, true),
        _ => (vec![scalar(value)?], false),
    };
    Ok(Value {
        items,
        is_list,
        place: place(value.span()),
    })
}

/// The shapes that a value in YAML may have.
#[derive(Deserialize)]
#[serde(untagged, expecting = "expected text, a whole number, true or false")]
enum Scalar {
    Flag(bool),
    Number(i64),
    Text(String),
}

impl std::fmt::Display for Scalar {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Flag(flag) => write!(formatter, "{flag}"),
            Self::Number(number) => write!(formatter, "{number}"),
            Self::Text(text) => formatter.write_str(text),
        }
    }
}

#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "expected text, a whole number, true or false, or a list of these"
)]
enum Node {
    List(Vec<Scalar>),
    Scalar(Scalar),
}

type Located<T> = serde_saphyr::Spanned<T>;

/// The document, read key by key: buffering it would lose where the values stand.
#[derive(Default)]
struct Document {
    required_version: Option<Located<String>>,
    steps: BTreeMap<String, BTreeMap<String, Located<Node>>>,
    nested: BTreeSet<String>,
    unknown: Option<(String, serde_saphyr::Location)>,
}

struct DocumentSeed<'s>(&'s [&'s str]);

impl<'de> DeserializeSeed<'de> for DocumentSeed<'_> {
    type Value = Document;

    fn deserialize<D: serde::Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> std::result::Result<Document, D::Error> {
        deserializer.deserialize_map(self)
    }
}

/// The table of a step, with its nested keys.
struct StepSeed(&'static [&'static str]);

#[derive(Default)]
struct StepTable {
    entries: BTreeMap<String, Located<Node>>,
    has_nested: bool,
}

impl<'de> DeserializeSeed<'de> for StepSeed {
    type Value = StepTable;

    fn deserialize<D: serde::Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> std::result::Result<StepTable, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for StepSeed {
    type Value = StepTable;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a mapping of inputs")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<StepTable, A::Error> {
        let mut table = StepTable::default();
        while let Some(key) = map.next_key::<String>()? {
            if self.0.contains(&key.as_str()) {
                let _: IgnoredAny = map.next_value()?;
                table.has_nested = true;
            } else {
                table.entries.insert(key, map.next_value()?);
            }
        }
        Ok(table)
    }
}

impl<'de> Visitor<'de> for DocumentSeed<'_> {
    type Value = Document;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a mapping of steps")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Document, A::Error> {
        let mut document = Document::default();
        while let Some(key) = map.next_key::<String>()? {
            if GENERAL.contains(&key.as_str()) {
                document.required_version = Some(map.next_value()?);
            } else if self.0.contains(&key.as_str()) {
                let table = map.next_value_seed(StepSeed(nested(&key)))?;
                if table.has_nested {
                    document.nested.insert(key.clone());
                }
                document.steps.insert(key, table.entries);
            } else {
                let value: Located<IgnoredAny> = map.next_value()?;
                document.unknown.get_or_insert((key, value.referenced));
            }
        }
        Ok(document)
    }
}

fn parse_yaml(text: &str, path: &str, steps: &[&str]) -> Result<Config> {
    let place_of = |location: serde_saphyr::Location| {
        let line = usize::try_from(location.line()).unwrap_or(1).max(1);
        let column = usize::try_from(location.column()).unwrap_or(1).max(1);
        let excerpt = text
            .lines()
            .nth(line - 1)
            .filter(|line| line.len() < 400)
            .map(str::to_owned);
        Place {
            path: path.to_owned(),
            line,
            column,
            excerpt,
            width: 1,
        }
    };
    if text
        .lines()
        .all(|line| line.trim().is_empty() || line.starts_with('#'))
    {
        return Ok(Config::default());
    }
    let seed = DocumentSeed(steps);
    let read = serde_saphyr::with_deserializer_from_str(text, |deserializer| {
        seed.deserialize(deserializer)
    });
    let document = read.map_err(|error| {
        let whole = error.without_snippet().to_string();
        let failure = Error::usage(format!(
            "`{path}` cannot be used: {}",
            whole.lines().next().unwrap_or_default()
        ));
        match error.location() {
            Some(location) => failure.at(place_of(location)),
            None => failure,
        }
    })?;
    if let Some((key, location)) = document.unknown {
        return Err(unknown_key(&key, place_of(location), &known(steps)));
    }
    let required_version = document.required_version.map(|version| Value {
        place: place_of(version.referenced),
        items: vec![version.value],
        is_list: false,
    });
    let value = |node: Located<Node>| {
        let (items, is_list) = match node.value {
            Node::List(items) => (items.iter().map(ToString::to_string).collect(), true),
            Node::Scalar(scalar) => (vec![scalar.to_string()], false),
        };
        Value {
            items,
            is_list,
            place: place_of(node.referenced),
        }
    };
    let table = |table: BTreeMap<String, Located<Node>>| {
        table
            .into_iter()
            .map(|(key, node)| (key, value(node)))
            .collect()
    };
    let steps = document
        .steps
        .into_iter()
        .map(|(step, entries)| (step, table(entries)))
        .collect();
    Ok(Config {
        steps,
        nested: document.nested,
        required_version,
        ..Config::default()
    })
}

/// The keys of the whole.
fn known<'k>(steps: &[&'k str]) -> Vec<&'k str> {
    steps.iter().chain(GENERAL).copied().collect()
}

fn unknown_key(name: &str, place: Place, known: &[&str]) -> Error {
    let error = Error::usage(format!("unknown key `{name}`")).at(place);
    match did_you_mean(name, known.iter().copied()) {
        Some(close) => error.hint(format!("write `{close}`")),
        None => error.allowed(known.iter().copied()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEPS: &[&str] = &["lint-gate"];

    fn parse(name: &str, text: &str, steps: &[&str]) -> Result<Option<Config>> {
        if name == "pyproject.toml" {
            parse_toml(text, name, steps)
        } else {
            parse_yaml(text, name, steps).map(Some)
        }
    }

    #[test]
    fn reads_the_same_from_both_formats() {
        let toml = "[tool.lockgate]\nrequired-version = \">=0.1\"\n[tool.lockgate.lint-gate]\nfail-on = \"warning\"\ntools = [\"ruff\", \"mypy\"]\nallow-empty = true\n";
        let yaml = "required-version: '>=0.1'\nlint-gate:\n  fail-on: warning\n  tools: [ruff, mypy]\n  allow-empty: true\n";
        let toml = parse("pyproject.toml", toml, STEPS).unwrap().unwrap();
        let yaml = parse("lockgate.yaml", yaml, STEPS).unwrap().unwrap();
        let plain = |config: &Config| {
            config.steps["lint-gate"]
                .iter()
                .map(|(key, value)| format!("{key}={:?}", value.items))
                .collect::<Vec<_>>()
        };
        assert_eq!(plain(&toml), plain(&yaml));
        assert_eq!(yaml.steps["lint-gate"]["tools"].place.line, 4);
        assert_eq!(yaml.required_version.unwrap().items, [">=0.1"]);
    }

    #[test]
    fn nested_keys_are_left_to_their_step() {
        let toml =
            "[tool.lockgate.pipeline]\njobs = 2\n[tool.lockgate.pipeline.stages.a]\nrun = ['x']\n";
        let yaml = "pipeline:\n  jobs: 2\n  stages:\n    a: {run: [x]}\n";
        for (name, text) in [("pyproject.toml", toml), ("lockgate.yaml", yaml)] {
            let root = Path::new("/w");
            let config = load_from(root, root, &["pipeline"], &|path| {
                Ok(path.ends_with(name).then(|| text.to_owned()))
            });
            let config = config.unwrap();
            assert_eq!(config.steps["pipeline"]["jobs"].items, ["2"]);
            assert_eq!(config.steps["pipeline"].len(), 1);
            assert!(config.defines("pipeline"));
            assert_eq!(config.text.as_deref(), Some(text));
        }
    }

    #[test]
    fn an_unknown_key_is_an_error_with_a_suggestion() {
        for (name, text) in [
            (
                "pyproject.toml",
                "[tool.lockgate]\n\n[tool.lockgate.lint-gat]\nx = 1\n",
            ),
            ("lockgate.yaml", "lint-gat:\n  x: 1\n"),
        ] {
            let error = parse(name, text, STEPS).unwrap_err();
            assert_eq!(error.hint.as_deref(), Some("write `lint-gate`"));
            assert!(error.place.is_some());
        }
    }

    #[test]
    fn broken_files_are_errors_with_a_place() {
        for (name, text) in [
            ("pyproject.toml", "[tool.lockgate\nx"),
            ("lockgate.yaml", "lint-gate:\n  a: [1,\n b"),
        ] {
            let error = parse(name, text, STEPS).unwrap_err();
            assert!(error.place.is_some(), "{}", error.render());
        }
    }

    #[test]
    fn another_project_is_none_of_ours() {
        assert_eq!(
            parse("pyproject.toml", "[tool.ruff]\n", STEPS).unwrap(),
            None
        );
    }
}
