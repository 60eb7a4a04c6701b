//! The judgement: pure, from settings and facts to a report.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::model::base::Resolution;
use crate::model::diagnostic::{Finding, Severity};
use crate::model::report::{Check, LeftOut, Report, Status, Verdict};
use crate::steps::lint_gate::NAME;
use crate::steps::lint_gate::gather::Facts;
use crate::steps::lint_gate::settings::Settings;

/// Decides.
pub fn judge(settings: &Settings, facts: Facts) -> Report {
    let is_report_only = settings.threshold.is_report_only(facts.today);
    let fail_on = settings.threshold.fail_on.threshold();
    let own = own_findings(settings, &facts);
    let mut findings = facts.findings;
    findings.splice(0..0, own.into_iter().chain(facts.remarks));
    let counts = |finding: &Finding| fail_on.is_some_and(|threshold| finding.severity >= threshold);
    let failed = |check: &Check| matches!(check.status, Status::Failed(_));
    let verdict = if facts.checks.is_empty() || facts.checks.iter().any(failed) {
        Verdict::NoVerdict
    } else if findings.iter().any(counts) {
        Verdict::Fail
    } else {
        Verdict::Pass
    };
    let number = |count: usize| count.to_string();
    let outputs = BTreeMap::from([
        ("findings".to_owned(), number(findings.len())),
        (
            "new-findings".to_owned(),
            number(
                findings
                    .iter()
                    .filter(|finding| finding.new == Some(true))
                    .count(),
            ),
        ),
        (
            "errors".to_owned(),
            number(
                findings
                    .iter()
                    .filter(|finding| finding.severity == Severity::Error)
                    .count(),
            ),
        ),
        (
            "base".to_owned(),
            match &facts.base {
                Resolution::Base(base) => base.sha.clone(),
                Resolution::None(_) => String::new(),
            },
        ),
    ]);
    let mut shown = vec![("scope".to_owned(), facts.scope.name().to_owned())];
    shown.push((
        "base".to_owned(),
        match &facts.base {
            Resolution::Base(base) => {
                format!("{} ({})", &base.sha[..base.sha.len().min(12)], base.origin)
            }
            Resolution::None(why) => format!("none: {why}"),
        },
    ));
    if let Some((files, _)) = facts.change_size {
        shown.push(("changed files".to_owned(), files.to_string()));
    }
    if is_report_only {
        let until = settings
            .threshold
            .report_until
            .map(|until| format!(" until {until}"))
            .unwrap_or_default();
        shown.push(("mode".to_owned(), format!("report only{until}")));
    }
    Report {
        step: NAME,
        verdict,
        headline: None,
        is_report_only,
        fail_on,
        findings,
        checks: facts.checks,
        left_out: facts
            .left_out
            .into_iter()
            .map(|(reason, count)| LeftOut { reason, count })
            .collect(),
        facts: shown,
        tables: Vec::new(),
        max_annotations: settings.max_annotations,
        outputs,
        duration: Duration::ZERO,
    }
}

/// What the gate itself has to say: policy that was loosened, ignores that ran out.
fn own_findings(settings: &Settings, facts: &Facts) -> Vec<Finding> {
    let own = |rule: &str, message: String| Finding {
        path: facts.config_path.as_deref().map(Into::into),
        ..Finding::new("lockgate", rule, Severity::Note, message)
    };
    let loosened = facts.loosened.iter().map(|one| {
        own(
            "policy-changed",
            format!(
                "`{}` is looser here than on the base ({}): the base's counts",
                one.input, one.what
            ),
        )
    });
    let expired = settings
        .ignores
        .iter()
        .filter(|ignore| ignore.until < facts.today)
        .map(|ignore| {
            own(
                "ignore-expired",
                format!(
                    "`{}` ran out on {} and ignores nothing",
                    ignore.text, ignore.until
                ),
            )
        });
    loosened.chain(expired).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::base::Base;
    use crate::steps::lint_gate::{Arguments, FailOn, Mode, Scope};
    use crate::system::clock::Date;

    fn facts(status: Status, severities: &[Severity]) -> Facts {
        let finding = |severity: &Severity| Finding {
            path: Some("a.py".into()),
            new: Some(true),
            ..Finding::new("ruff", "F401", *severity, "unused")
        };
        Facts {
            today: Date::parse("2026-11-22").unwrap(),
            scope: Scope::ChangedLines,
            base: Resolution::Base(Base {
                sha: "a".repeat(40),
                origin: "test".into(),
                with_untracked: false,
            }),
            change_size: Some((1, 1)),
            checks: vec![Check {
                name: "ruff".into(),
                project: None,
                version: None,
                origin: "PATH".into(),
                status,
                files: Some(1),
                duration: Duration::ZERO,
            }],
            findings: severities.iter().map(finding).collect(),
            remarks: vec![],
            aside: vec![],
            keys: vec![],
            root: std::path::PathBuf::new(),
            left_out: BTreeMap::new(),
            loosened: vec![],
            config_path: None,
        }
    }

    fn settings(change: impl FnOnce(&mut Arguments)) -> Settings {
        let mut arguments = Arguments::default();
        change(&mut arguments);
        Settings::new(&arguments).unwrap()
    }

    #[test]
    fn the_threshold_decides() {
        for (fail_on, severity, verdict) in [
            (FailOn::Error, Severity::Warning, Verdict::Pass),
            (FailOn::Error, Severity::Error, Verdict::Fail),
            (FailOn::Warning, Severity::Warning, Verdict::Fail),
            (FailOn::Note, Severity::Note, Verdict::Fail),
            (FailOn::Never, Severity::Error, Verdict::Pass),
        ] {
            let settings = settings(|arguments| arguments.fail_on = Some(fail_on));
            let report = judge(&settings, facts(Status::Findings(1), &[severity]));
            assert_eq!(report.verdict, verdict, "{fail_on:?} {severity:?}");
        }
    }

    #[test]
    fn a_failed_check_is_never_green_nor_red() {
        for findings in [&[][..], &[Severity::Error]] {
            for mode in [Mode::Enforce, Mode::Report] {
                let settings = settings(|arguments| arguments.mode = Some(mode));
                let report = judge(&settings, facts(Status::Failed("crash".into()), findings));
                assert_eq!(
                    (report.verdict, report.exit_code()),
                    (Verdict::NoVerdict, 3)
                );
            }
        }
    }

    #[test]
    fn no_check_at_all_is_no_verdict() {
        let mut facts = facts(Status::Clean, &[]);
        facts.checks.clear();
        assert_eq!(judge(&settings(|_| {}), facts).verdict, Verdict::NoVerdict);
    }

    #[test]
    fn report_mode_says_fail_and_exits_0_until_its_day() {
        let report = |until: &str| {
            let settings = settings(|arguments| {
                arguments.mode = Some(Mode::Report);
                arguments.report_until = Some(until.into());
            });
            judge(&settings, facts(Status::Findings(1), &[Severity::Error]))
        };
        assert_eq!(
            (
                report("2026-11-22").verdict,
                report("2026-11-22").exit_code()
            ),
            (Verdict::Fail, 0)
        );
        assert_eq!(report("2026-11-21").exit_code(), 1);
    }

    #[test]
    fn loosened_policy_and_expired_ignores_are_told() {
        let settings =
            settings(|arguments| arguments.ignore = vec!["ruff until 2026-11-21: old".into()]);
        let mut facts = facts(Status::Clean, &[]);
        facts.loosened = vec![crate::steps::gate::Loosened {
            input: "fail-on",
            what: "never instead of error".into(),
        }];
        let rules: Vec<_> = judge(&settings, facts)
            .findings
            .into_iter()
            .filter_map(|finding| finding.rule)
            .collect();
        assert_eq!(rules, ["policy-changed".into(), "ignore-expired".into()]);
    }
}
