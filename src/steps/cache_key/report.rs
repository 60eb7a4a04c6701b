//! A key as a report: its outputs, and what the summary shows of it.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::model::cache_key::Components;
use crate::model::report::{Report, Table, Verdict};
use crate::steps::cache_key::NAME;
use crate::steps::key::Key;

/// The most that the components may take as an output, bytes. The runner hands outputs on as variables of the
/// environment, of which Linux takes 128 KiB each, and all outputs of a job have 1 MiB.
const ROOM: usize = 96 << 10;

/// The report of a key. `difference` is what is not the same as before, where that was asked for.
pub fn report(key: &Key, difference: Option<Vec<String>>) -> Report {
    let outputs: BTreeMap<String, String> = [
        ("key", key.key.clone()),
        ("restore-keys", key.restore_keys.join("\n")),
        ("paths", key.paths.join("\n")),
        ("hash", key.hash.clone()),
        ("components", key.document().render_within(ROOM)),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect();
    let mut tables = vec![table(
        "key",
        vec!["component", "value"],
        rows(&key.components),
    )];
    let keys = std::iter::once(&key.key).chain(&key.restore_keys);
    let keys = keys.map(|key| vec![key.clone()]).collect();
    tables.push(table(
        "the key, and what to restore from",
        vec!["key"],
        keys,
    ));
    let paths = key.paths.iter().map(|path| vec![path.clone()]).collect();
    tables.push(table("what to keep", vec!["path"], paths));
    if let Some(lines) = difference {
        let lines = lines.into_iter().map(|line| vec![line]).collect();
        tables.push(table("what is not as before", vec!["difference"], lines));
    }
    Report {
        step: NAME,
        verdict: Verdict::Pass,
        headline: Some(key.key.clone()),
        is_report_only: false,
        fail_on: None,
        findings: Vec::new(),
        checks: Vec::new(),
        left_out: Vec::new(),
        facts: vec![("key".to_owned(), key.key.clone())],
        tables,
        max_annotations: 0,
        outputs,
        duration: Duration::ZERO,
    }
}

fn table(title: &str, header: Vec<&'static str>, rows: Vec<Vec<String>>) -> Table {
    Table {
        title: title.to_owned(),
        header,
        rows,
    }
}

/// The components by name, those that are not there left out.
fn rows(components: &Components) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    let mut row = |name: &str, value: &str| {
        if !value.is_empty() {
            rows.push(vec![name.to_owned(), value.to_owned()]);
        }
    };
    let optional = |text: &Option<String>| text.clone().unwrap_or_default();
    row("prefix", &optional(&components.prefix));
    for (name, value) in &components.extra {
        row(name, value);
    }
    row("image", &optional(&components.image));
    for (name, layout) in &components.caches {
        row("cache", format!("{name} {}", optional(layout)).trim_end());
    }
    let system = format!("{} {}", components.os, components.os_version);
    row("operating system", system.trim_end());
    row("architecture", &components.architecture);
    row("C library", &components.libc);
    if let Some(python) = &components.python {
        let text = format!(
            "{} {} ({})",
            python.implementation, python.version, python.abi
        );
        row("Python", &text);
    }
    for (name, version) in &components.tools {
        row(name, version);
    }
    for lock in &components.locks {
        let packages = crate::error::count(lock.packages.len() as u64, "package");
        let digest = lock.digest.get(..16).unwrap_or_default();
        row(&lock.path, &format!("{packages}, {digest}…"));
    }
    for file in &components.files {
        row(&file.path, &format!("{}…", file.digest));
    }
    row("digest", &optional(&components.digest));
    row("suffix", &optional(&components.suffix));
    rows
}
