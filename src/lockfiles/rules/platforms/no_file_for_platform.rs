//! Packages that cannot be installed on a platform that the project serves.

use std::collections::HashSet;

use crate::error::list;
use crate::lockfiles::applies::can_apply;
use crate::lockfiles::facts::Facts;
use crate::lockfiles::policy::Level;
use crate::lockfiles::rules::platforms::supported::Supported;
use crate::lockfiles::rules::{Check, Example, Findings, Rule};
use crate::lockfiles::target::{Platform, Python, Target};
use crate::model::lockfile::{FileKind, Package, Text};
use crate::model::sources::Located;

/// The rule.
pub const RULE: Rule = Rule {
    id: "no-file-for-platform",
    summary: "A platform that must be served finds no wheel and no sdist",
    why: "Nobody notices until that machine installs. `platforms` and `pythons` say what must be served: without `platforms` \
          nothing is looked at, without `pythons` it is the oldest that the lock is for. Names of platforms can have a \
          version: `manylinux_2_28-x86_64` takes wheels for glibc 2.28 and older, `musllinux_1_2-aarch64`, `macos_14-arm64`; \
          without one every version counts.\n\n\
          A package counts only where a way leads to it whose markers can be true there, with every extra and group. A \
          source distribution serves every platform. Tags are those of CPython, `abi3`, `universal2` and `any` included.",
    level: Level::Error,
    check: Check::Lock(check),
    failing: Example {
        files: &[(
            "uv.lock",
            r#"version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "app"
version = "0.1.0"
source = { virtual = "." }
dependencies = [
    { name = "fast" },
]

[[package]]
name = "fast"
version = "1.0"
source = { registry = "https://index.example/simple" }
wheels = [
    { url = "https://index.example/fast-1.0-cp311-abi3-manylinux_2_28_x86_64.whl", hash = "sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274", size = 11050 },
]
"#,
        )],
        base: &[],
        inputs: &[
            ("platforms", "linux-x86_64,macos-arm64"),
            ("pythons", "3.12"),
        ],
    },
    repair: "Take a release that has wheels for it, or say that the package is not needed there \
             (`fast; sys_platform == 'linux'`), and write the lock anew. `required-environments` makes uv look for it.",
    repaired: Example {
        files: &[(
            "uv.lock",
            r#"version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "app"
version = "0.1.0"
source = { virtual = "." }
dependencies = [
    { name = "fast", marker = "sys_platform == 'linux'" },
]

[[package]]
name = "fast"
version = "1.0"
source = { registry = "https://index.example/simple" }
wheels = [
    { url = "https://index.example/fast-1.0-cp311-abi3-manylinux_2_28_x86_64.whl", hash = "sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274", size = 11050 },
]
"#,
        )],
        base: &[],
        inputs: &[
            ("platforms", "linux-x86_64,macos-arm64"),
            ("pythons", "3.12"),
        ],
    },
};

fn check(facts: &Facts<'_>, findings: &mut Findings<'_>) {
    let targets = targets(facts);
    let mut missing: Vec<(&Package<'_>, Vec<String>)> = Vec::new();
    for (name, target) in &targets {
        for package in needed(facts, target) {
            let is_served = package.files.is_empty()
                || package
                    .files
                    .iter()
                    .any(|file| file.kind != FileKind::Wheel || target.takes(&file.name));
            if is_served {
                continue;
            }
            match missing
                .iter_mut()
                .find(|(known, _)| std::ptr::eq(*known, package))
            {
                Some((_, names)) => names.push(name.clone()),
                None => missing.push((package, vec![name.clone()])),
            }
        }
    }
    for (package, names) in missing {
        findings
            .add(
                package.name.at,
                format!("`{}` has no file for {}", package.title(), list(&names, "and")),
            )
            .about(&package.name.normal)
            .help("take a release that has wheels for it, or exclude it there with a marker, and write the lock anew");
    }
}

/// What must be served, with its name for people. The Pythons that the lock is not for are left out; `python-excluded` tells them.
fn targets(facts: &Facts<'_>) -> Vec<(String, Target)> {
    let supported = Supported::of(facts);
    let is_for = |target: &Target| {
        let supported = supported.as_ref();
        supported.is_none_or(|supported| supported.takes(target.python))
    };
    let platforms: Vec<(&String, Platform)> = facts
        .policy
        .platforms
        .iter()
        .filter_map(|text| Some((text, Platform::parse(text)?)))
        .collect();
    let of = |text: &str, python: Python| -> Vec<(String, Target)> {
        let named = platforms.iter().map(|(platform, parsed)| {
            let target = Target {
                platform: parsed.clone(),
                python,
            };
            (format!("Python {text} on `{platform}`"), target)
        });
        named.filter(|(_, target)| is_for(target)).collect()
    };
    if facts.policy.pythons.is_empty() {
        // The oldest that the lock is for.
        let first = (0..100).find_map(|minor| {
            let python = Python {
                minor,
                is_free_threaded: false,
            };
            let found = of(&format!("3.{minor}"), python);
            (supported.is_some() && !found.is_empty()).then_some(found)
        });
        return first.unwrap_or_default();
    }
    let pythons = facts.policy.pythons.iter();
    pythons
        .filter_map(|text| Some(of(text, Python::parse(text)?)))
        .flatten()
        .collect()
}

/// The packages that a target can need.
fn needed<'a>(facts: &Facts<'a>, target: &Target) -> Vec<&'a Package<'a>> {
    let is_here = |package: &&Package<'_>| {
        let forks = &package.resolution_markers;
        applies(package.marker.as_ref(), target)
            && (forks.is_empty() || forks.iter().any(|fork| can_apply(&fork.value, target)))
    };
    let Some(uv) = facts.lock.uv() else {
        return facts.lock.packages.iter().filter(is_here).collect();
    };
    let manifest = uv.manifest.as_ref().map(|manifest| &manifest.value);
    let asked = manifest.into_iter().flat_map(|manifest| {
        let groups = manifest.dependency_groups.iter().flat_map(|(_, list)| list);
        manifest.requirements.iter().chain(groups)
    });
    let mut found: Vec<&Package<'_>> = facts
        .lock
        .packages
        .iter()
        .filter(|package| package.is_local())
        .chain(
            asked
                .filter(|requirement| applies(requirement.marker.as_ref(), target))
                .flat_map(|requirement| facts.index.named(&requirement.name.normal))
                .copied(),
        )
        .filter(is_here)
        .collect();
    let mut known: HashSet<*const Package<'_>> = HashSet::new();
    found.retain(|package| known.insert(std::ptr::from_ref(*package)));
    let mut next = 0;
    while let Some(package) = found.get(next).copied() {
        next += 1;
        for edge in &package.dependencies {
            if !applies(edge.marker.as_ref(), target) {
                continue;
            }
            for to in facts.index.targets(edge).filter(is_here) {
                if known.insert(std::ptr::from_ref(to)) {
                    found.push(to);
                }
            }
        }
    }
    found
}

fn applies(marker: Option<&Located<Text<'_>>>, target: &Target) -> bool {
    marker.is_none_or(|marker| can_apply(&marker.value, target))
}
