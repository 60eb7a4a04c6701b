use super::*;
use crate::lockfiles::{format_of, read};
use crate::model::sources::Sources;

/// The rules that find something in an example.
fn found(example: &Example) -> Vec<Finding> {
    let policy = Policy::default();
    let mut sources = Sources::default();
    for (path, text) in example.files {
        sources.add(*path, text.as_bytes().to_vec()).unwrap();
    }
    let mut all = Vec::new();
    for (file, source) in sources.iter() {
        let name = source.path.rsplit('/').next().unwrap_or_default();
        let Some(format) = format_of(name) else {
            continue;
        };
        let reading = read(format, file, &sources);
        let facts = reading
            .lockfile
            .as_ref()
            .map(|lock| Facts::of_lock(&sources, lock, &policy));
        all.extend(judge(&reading, facts.as_ref(), &policy));
    }
    all
}

#[test]
fn each_rule_finds_its_failing_example_and_nothing_in_the_repaired_one() {
    for rule in all() {
        let failing = found(&rule.failing);
        let own: Vec<&Finding> = failing
            .iter()
            .filter(|finding| finding.rule.id == rule.id)
            .collect();
        assert!(!own.is_empty(), "{}: {failing:?}", rule.id);
        assert!(
            own.iter().all(|finding| finding.help.is_some()),
            "{}",
            rule.id
        );
        let repaired = found(&rule.repaired);
        assert!(
            repaired.iter().all(|finding| finding.rule.id != rule.id),
            "{}: {repaired:?}",
            rule.id
        );
    }
}

#[test]
fn ids_are_unique_and_kebab_case() {
    let mut ids: Vec<&str> = all().map(|rule| rule.id).collect();
    for id in &ids {
        let is_kebab = |byte: u8| byte.is_ascii_lowercase() || byte == b'-';
        assert!(id.bytes().all(is_kebab), "{id}");
        assert!(from_id(id).is_some());
    }
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count);
}
