//! What PDM records of the members of a workspace (`lock_inputs`), beside what they declare.

use crate::lockfiles::declared::pdm;
use crate::lockfiles::document::{Document, Value};
use crate::lockfiles::normalise_name;
use crate::lockfiles::python_json::digest;
use crate::lockfiles::rules::sync::beside::Project;
use crate::lockfiles::rules::sync::pdm::lock_inputs::{Inputs, one, same_tables};

/// What the root of a workspace requires without saying so: a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Implied {
    /// Its normalised name.
    pub name: String,
    /// As it is recorded.
    pub line: String,
}

/// The members that the root requires without saying so: those that are installed. `None` where the build backend of the root
/// names them by places of one machine.
pub fn implied(root: &Document<'_>, members: &[Project<'_>]) -> Option<Vec<Implied>> {
    let backend = root.root().path(&["build-system", "build-backend"]);
    let backend = backend.and_then(Value::as_str);
    let start = match backend.as_deref() {
        None if root.root().get("build-system").is_none() => "file:///${PROJECT_ROOT}/",
        Some("pdm.backend") => "file:///${PROJECT_ROOT}/",
        Some("hatchling.build") => "{root:uri}/",
        _ if members.is_empty() => "",
        _ => return None,
    };
    let installed = members.iter().filter(|member| is_distribution(member));
    installed
        .map(|member| {
            let name = text(member, &["project", "name"]);
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./~".contains(&byte);
            // Other paths are quoted.
            member.folder.bytes().all(is_plain).then(|| {
                let line = format!("-e {start}{}#egg={}", member.folder, pdm::dashed(&name));
                Implied {
                    name: normalise_name(&name),
                    line: format!("url-sha256:{}", digest(line.as_bytes())),
                }
            })
        })
        .collect()
}

/// Compares the members that a lock records with those that are there.
pub fn compare(
    recorded: Option<Value<'_, '_>>,
    root: &Document<'_>,
    members: &[Project<'_>],
) -> Inputs {
    const OTHERS: Inputs =
        Inputs::Other("the workspace has other members than this lock was made for");
    let recorded = || recorded.into_iter().flat_map(Value::entries);
    let named = pdm::members(root).unwrap_or_default();
    let is_read = |name: &String| {
        let own = std::slice::from_ref(name);
        members
            .iter()
            .any(|member| pdm::is_member(own, member.folder))
    };
    let is_pattern = |name: &String| name.contains(['*', '?', '[']);
    // Whether a member that nobody read is there, nobody knows.
    if !named.iter().all(|name| is_read(name) || is_pattern(name)) {
        return Inputs::Unknown("a member of the workspace is not in the repository");
    }
    if recorded().count() != members.len() {
        return OTHERS;
    }
    let mut worst = Inputs::Same;
    for member in members {
        let Some(own) = recorded().find(|own| own.key() == member.folder) else {
            return OTHERS;
        };
        if pdm::members(&member.document).is_some() {
            worst = worst.max(Inputs::Unknown("a member is a workspace itself"));
        }
        worst = worst
            .max(one(own, &member.document, &[]))
            .max(package(own.get("package"), member));
    }
    worst
}

/// Compares what is recorded of a member as a package.
fn package(recorded: Option<Value<'_, '_>>, member: &Project<'_>) -> Inputs {
    let Some(recorded) = recorded else {
        return Inputs::Unknown("its `lock_inputs` have a member without `package`");
    };
    let root = member.document.root();
    let own = |key: &str| {
        let text = recorded.get(key).and_then(Value::as_str);
        text.unwrap_or_default().into_owned()
    };
    let sorted = |list: Option<Value<'_, '_>>| -> Vec<String> {
        let items = list.into_iter().flat_map(Value::entries);
        let mut items: Vec<String> = items
            .filter_map(|item| Some(item.as_str()?.into_owned()))
            .collect();
        items.sort();
        items
    };
    let is_same = own("name") == text(member, &["project", "name"])
        && own("version") == text(member, &["project", "version"])
        && recorded.get("distribution").and_then(Value::as_bool) == Some(is_distribution(member))
        && sorted(recorded.get("dynamic")) == sorted(root.path(&["project", "dynamic"]))
        && same_tables(root.get("build-system"), recorded.get("build-system"), &[]);
    if is_same {
        Inputs::Same
    } else {
        Inputs::Other(
            "a member has another name, version or build system than this lock was made with",
        )
    }
}

/// Whether a project is installed itself.
fn is_distribution(project: &Project<'_>) -> bool {
    if text(project, &["project", "name"]).is_empty() {
        return false;
    }
    let setting = |key| project.document.root().path(&["tool", "pdm", key]);
    match setting("package-type") {
        Some(kind) => kind.as_str().is_some_and(|kind| kind == "library"),
        None => setting("distribution")
            .and_then(Value::as_bool)
            .unwrap_or(true),
    }
}

fn text(project: &Project<'_>, keys: &[&str]) -> String {
    let text = project.document.root().path(keys).and_then(Value::as_str);
    text.unwrap_or_default().into_owned()
}
