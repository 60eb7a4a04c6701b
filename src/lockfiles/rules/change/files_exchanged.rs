//! The same version with other files.

use crate::error::count;
use crate::lockfiles::difference::{Exchange, exchanges};
use crate::lockfiles::facts::Facts;
use crate::lockfiles::policy::Level;
use crate::lockfiles::rules::change::{FEW, before};
use crate::lockfiles::rules::{Check, Example, Findings, Rule};
use crate::model::diagnostic::Severity;
use crate::model::lockfile::{FileKind, Lockfile};

/// The rule.
pub const RULE: Rule = Rule {
    id: "files-exchanged",
    summary: "All wheels, or the source distribution, of the same version are other files than on the base",
    why: "To swap a file for one of another name changes no hash of any file, so that `hash-changed` has nothing to compare: \
          the new line looks like a file that was uploaded later. But an index adds files to a version, and does not replace \
          all of a kind. A file with a hash that the base has, under whatever name, is none of this.\n\n\
          Where the environments that the lock is for changed as well, and with them the wheels that it lists, it is a \
          warning.",
    level: Level::Error,
    check: Check::Lock(check),
    failing: Example {
        files: &[(
            "uv.lock",
            r#"version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "six"
version = "1.17.0"
source = { registry = "https://index.example/simple" }
wheels = [
    { url = "https://files.example/six-1.17.0-py3-none-any.whl", hash = "sha256:ff70335d468e7eb6ec65b95b99d3a2836546063f63acc5171de367e834932a81", size = 11050 },
]
"#,
        )],
        base: &[(
            "uv.lock",
            r#"version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "six"
version = "1.17.0"
source = { registry = "https://index.example/simple" }
wheels = [
    { url = "https://files.example/six-1.17.0-py2.py3-none-any.whl", hash = "sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274", size = 11050 },
]
"#,
        )],
        inputs: &[],
    },
    repair: "Take the lock of the base and write it anew. If the files are the new ones again, ask the index why, before \
             anybody installs them.",
    repaired: Example {
        files: &[(
            "uv.lock",
            r#"version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "six"
version = "1.17.0"
source = { registry = "https://index.example/simple" }
wheels = [
    { url = "https://files.example/six-1.17.0-py2.py3-none-any.whl", hash = "sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274", size = 11050 },
]
"#,
        )],
        base: &[(
            "uv.lock",
            r#"version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "six"
version = "1.17.0"
source = { registry = "https://index.example/simple" }
wheels = [
    { url = "https://files.example/six-1.17.0-py2.py3-none-any.whl", hash = "sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274", size = 11050 },
]
"#,
        )],
        inputs: &[],
    },
};

fn check(facts: &Facts<'_>, findings: &mut Findings<'_>) {
    let Some(before) = before(facts) else { return };
    let exchanges = exchanges(before, facts.lock);
    let is_for_others = environments(before) != environments(facts.lock);
    let most = if is_for_others {
        Severity::Warning
    } else {
        Severity::Error
    };
    let rest = exchanges.len().saturating_sub(FEW);
    for (index, exchange) in exchanges.iter().take(FEW).enumerate() {
        let more = match rest {
            rest if rest > 0 && index + 1 == FEW => {
                format!("; so have {}", count(rest as u64, "more package"))
            }
            _ => String::new(),
        };
        findings
            .add(
                exchange.file.at,
                format!("{}{more}", message(exchange)),
            )
            .about(&exchange.package.name.normal)
            .at_most(most)
            .help(format!(
                "do not install it before somebody knows why; take the lock of the base and write it anew: `{}`",
                facts.lock.format.relock()
            ));
    }
}

fn message(exchange: &Exchange<'_>) -> String {
    let noun = match exchange.kind {
        FileKind::Wheel => "wheel",
        FileKind::Sdist | FileKind::Other => "source distribution",
    };
    format!(
        "`{}` has {}, `{}`, in place of the {} of the base, `{}`, at the same version",
        exchange.package.title(),
        match exchange.now {
            1 => format!("another {noun}"),
            many => count(many as u64, &format!("other {noun}")),
        },
        exchange.file.name,
        match exchange.before {
            1 => noun.to_owned(),
            many => count(many as u64, noun),
        },
        exchange.was,
    )
}

/// Everything by which a tool chooses the files that it lists.
fn environments<'l>(lock: &'l Lockfile<'_>) -> Vec<&'l str> {
    let own = lock.resolution_markers.iter();
    let uv = lock.uv().into_iter();
    let of_uv = uv.flat_map(|uv| uv.supported_markers.iter().chain(&uv.required_markers));
    let markers = own.chain(of_uv).map(|marker| &*marker.value);
    let python = lock.requires_python.iter().map(|python| &*python.value);
    markers.chain(python).collect()
}
