//! `lockfile`: the locks are verified again, now and here. `lockfile-verify` is asked in a process of its own, and its JSON report
//! is what counts: an answer that was only to be reported is a no here.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;

use crate::error::{Error, Result, count};
use crate::github::context::NESTED;
use crate::model::untrusted;
use crate::steps::deploy::gates::{Looked, Said};
use crate::system::process::{Child, Ending, Finished};

/// How long `lockfile-verify` may take.
const VERIFYING: Duration = Duration::from_mins(10);

/// So many findings are told one by one.
const MOST: usize = 5;

/// Larger reports are none, bytes.
const LIMIT: u64 = 256 << 20;

/// What to do where there is nothing to verify.
const NOTHING: &str =
    "lock the dependencies, or turn the gate off with `gates = { lockfile = false }`";

/// What counts of a report of `lockfile-verify`.
#[derive(Debug, Deserialize)]
struct Told {
    verdict: String,
    #[serde(default)]
    findings: Vec<Finding>,
    #[serde(default)]
    outputs: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
struct Finding {
    rule: Option<String>,
    severity: String,
    message: String,
    path: Option<String>,
    line: Option<u64>,
}

/// What it says.
pub async fn ask(looked: &Looked<'_>) -> Result<Said> {
    if !looked.environment.gates.lockfile {
        return Ok(Said::Off);
    }
    let own = std::env::current_exe()
        .map_err(|error| Error::no_verdict("our own program cannot be found").cause(error))?;
    let temp = tempfile::tempdir()
        .map_err(|error| Error::no_verdict("there is no room for a report").cause(error))?;
    let report = temp.path().join("report.json");
    let mut environment = looked.world.environment.for_step();
    environment.set(NESTED, "1");
    let child = Child::new(own, looked.folder, environment)
        .arguments([
            "lockfile-verify".to_owned(),
            // Whether there is one is judged here, and whether what was found counts too.
            "--allow-empty=true".to_owned(),
            "--mode=enforce".to_owned(),
            format!("--report-file={}", report.display()),
            format!(
                "--summary-file={}",
                temp.path().join("summary.md").display()
            ),
        ])
        .time_limit(VERIFYING);
    let mut finished = child
        .run(&mut looked.stop.clone(), &mut |_| {})
        .await
        .map_err(|error| Error::no_verdict("lockfile-verify cannot be started").cause(error))?;
    if let Ending::Stopped(signal) = finished.ending {
        return Err(Error::interrupted(signal));
    }
    Ok(match read(&report) {
        Some(told) if matches!(finished.ending, Ending::Exited(_)) => judge(&told),
        _ => unknown(&errors(&mut finished), &finished.ending.to_string()),
    })
}

/// The report, where there is one that can be read.
fn read(path: &Path) -> Option<Told> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).ok()?;
    file.take(LIMIT).read_to_end(&mut bytes).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// What a report means here.
fn judge(told: &Told) -> Said {
    let number = |name: &str| told.outputs.get(name).and_then(|text| text.parse().ok());
    let is_fail = told.verdict == "fail";
    // What a project lets pass is no less wrong.
    let is_wrong = |finding: &&Finding| is_fail || finding.severity == "error";
    let wrong: Vec<&Finding> = told.findings.iter().filter(is_wrong).collect();
    if !wrong.is_empty() || is_fail {
        let mut reasons = vec!["lockfile-verify says no".to_owned()];
        reasons.extend(wrong.iter().take(MOST).map(|finding| finding.shown()));
        if let Some(more @ 1..) = wrong.len().checked_sub(MOST) {
            reasons.push(format!("and {}", count(more as u64, "finding more")));
        }
        return Said::No(reasons, Some("lockgate lockfile-verify".to_owned()));
    }
    match (&*told.verdict, number("lockfiles")) {
        ("pass", Some(0)) => {
            Said::Unknown("there is no lockfile".to_owned(), Some(NOTHING.to_owned()))
        }
        ("pass", Some(lockfiles)) => {
            let packages: u64 = number("packages").unwrap_or_default();
            Said::Yes(format!(
                "lockfile-verify passes: {}, {}",
                count(lockfiles, "lockfile"),
                count(packages, "package")
            ))
        }
        _ => unknown(&[], "its report has no answer"),
    }
}

impl Finding {
    fn shown(&self) -> String {
        let message = untrusted::excerpt(self.message.lines().next().unwrap_or_default(), 300);
        let place = match (&self.path, self.line) {
            (Some(path), Some(line)) => format!("{path}:{line}: "),
            (Some(path), None) => format!("{path}: "),
            _ => String::new(),
        };
        let rule = self.rule.as_deref().unwrap_or("no rule");
        untrusted::line(&format!("{place}{message} ({rule})")).into_owned()
    }
}

/// No answer; what it said on its way out.
fn unknown(errors: &[String], how: &str) -> Said {
    let said = errors.join("; ");
    Said::Unknown(
        format!("lockfile-verify gave no verdict: {how} {said}")
            .trim_end()
            .to_owned(),
        Some("lockgate lockfile-verify".to_owned()),
    )
}

/// The errors that it printed.
fn errors(finished: &mut Finished) -> Vec<String> {
    let out = finished.read_stdout(1 << 20).unwrap_or_default();
    let out = String::from_utf8_lossy(&out).into_owned();
    let lines = out.lines().chain(finished.stderr.lines());
    let errors = lines
        .map(str::trim)
        .filter(|line| line.starts_with("error"));
    errors.take(MOST).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(text: &str) -> Said {
        super::judge(&serde_json::from_str(text).unwrap())
    }

    #[test]
    fn only_a_lock_that_was_looked_at_is_a_yes() {
        let report = |verdict: &str, severity: &str, lockfiles: u64| {
            judge(&format!(
                r#"{{"verdict":"{verdict}","findings":[{{"rule":"hash-missing","severity":"{severity}","message":"no hash","path":"uv.lock","line":3}}],"outputs":{{"lockfiles":"{lockfiles}","packages":"2"}}}}"#
            ))
        };
        let yes = "lockfile-verify passes: 1 lockfile, 2 packages";
        assert_eq!(report("pass", "warning", 1), Said::Yes(yes.to_owned()));
        for (verdict, severity) in [("fail", "warning"), ("pass", "error"), ("fail", "error")] {
            let Said::No(reasons, _) = report(verdict, severity, 1) else {
                panic!("{verdict} {severity}");
            };
            let finding = "uv.lock:3: no hash (hash-missing)";
            assert_eq!(reasons, ["lockfile-verify says no", finding]);
        }
        for (verdict, lockfiles) in [("pass", 0), ("no-verdict", 1), ("well", 1)] {
            let said = report(verdict, "note", lockfiles);
            assert!(matches!(said, Said::Unknown(..)), "{said:?}");
        }
        let nothing = judge(r#"{"verdict":"pass"}"#);
        assert!(matches!(nothing, Said::Unknown(..)), "{nothing:?}");
    }
}
