//! `members`: a stage for each member of the workspace.

use crate::globs::{Base, Patterns, parts};
use crate::model::pipeline::{Member, Placed};
use crate::pipeline::read::matrix::{Combination, MOST};
use crate::pipeline::read::reader::{Reader, shown};
use crate::pipeline::read::tree::{Node, Value};

/// What `${{ member.name }}` is called among the values of a combination: no key of a matrix has a dot.
const NAME: &str = "member.name";

/// The same of `${{ member.path }}`.
const PATH: &str = "member.path";

/// Whom a stage is for.
#[derive(Clone, Debug)]
pub(super) enum Meant {
    /// No member.
    Nobody,
    /// Each of these.
    Members(Vec<Member>),
    /// That cannot be told: the value is wrong.
    Unknown,
}

/// The members that are meant.
pub(super) fn read(reader: &mut Reader<'_>, node: &Node, members: &[Member]) -> Meant {
    match node.value {
        Value::Flag(false) => return Meant::Nobody,
        Value::Flag(true) | Value::Text(_) | Value::List(_) => {}
        _ => {
            reader.unfit("members", node, "true, or patterns of folders");
            return Meant::Unknown;
        }
    }
    if members.is_empty() {
        let message =
            "`members`: there is no `uv.lock` beside the file that names members of a workspace";
        reader.wrong_with(node, message, "write it with `uv lock`");
        return Meant::Unknown;
    }
    if matches!(node.value, Value::Flag(true)) {
        return Meant::Members(members.to_vec());
    }
    let patterns = reader.patterns("members", node);
    let lines: Vec<&str> = patterns.iter().map(|pattern| &*pattern.value).collect();
    let base = Base {
        directory: "/",
        home: None,
    };
    // One that is none was told.
    let Ok(matcher) = Patterns::parse(&lines.join("\n"), &base) else {
        return Meant::Unknown;
    };
    let is_meant = |member: &&Member| {
        let path = format!("/{}", member.path);
        matcher.matches(&parts(&path)).folder
    };
    let chosen: Vec<Member> = members.iter().filter(is_meant).cloned().collect();
    if chosen.is_empty() {
        let known: Vec<String> = members.iter().map(|member| member.path.clone()).collect();
        let shown_patterns: Vec<String> = lines
            .iter()
            .map(|line| format!("`{}`", shown(line)))
            .collect();
        let place = reader.place(node);
        let message = format!(
            "`members`: no folder of a member matches {}",
            shown_patterns.join(", ")
        );
        reader.wrong(crate::error::Error::usage(message).at(place).allowed(known));
        return Meant::Unknown;
    }
    Meant::Members(chosen)
}

/// Each combination for each member.
pub(super) fn times(
    reader: &mut Reader<'_>,
    node: &Node,
    members: &[Member],
    combinations: &[Combination],
) -> Option<Vec<Combination>> {
    if members.len() * combinations.len() > MOST {
        let message = format!("the stage would run more than {MOST} times");
        reader.wrong_at(node, message);
        return None;
    }
    let all = members.iter().flat_map(|member| {
        combinations.iter().map(|combination| {
            let mut combination = combination.clone();
            combination.label = if combination.label.is_empty() {
                member.name.clone()
            } else {
                format!("{}, {}", member.name, combination.label)
            };
            let values = &mut combination.values;
            values.insert(NAME.to_owned(), member.name.clone());
            let path = if member.path.is_empty() {
                "."
            } else {
                &member.path
            };
            values.insert(PATH.to_owned(), path.to_owned());
            combination.member = Some(member.clone());
            combination
        })
    });
    Some(all.collect())
}

/// The folder of a stage for a member, in which its own `directory` is.
pub(super) fn directory(
    reader: &Reader<'_>,
    node: &Node,
    member: &Member,
    own: Option<Placed<String>>,
) -> Option<Placed<String>> {
    let place = own.as_ref().map(|own| own.place.clone());
    let parts = [Some(member.path.clone()), own.map(|own| own.value)];
    let parts: Vec<String> = parts
        .into_iter()
        .flatten()
        .filter(|part| !part.is_empty())
        .collect();
    (!parts.is_empty()).then(|| Placed {
        value: parts.join("/"),
        place: place.unwrap_or_else(|| reader.place(node)),
    })
}
