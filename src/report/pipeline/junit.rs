//! The run as JUnit XML, as Maven's Surefire and nextest write it: a stage is a test case, an attempt that failed before
//! one that passed is a `flakyFailure`, one that failed after the first a `rerunFailure`.

use std::io::{self, Write};
use std::time::{Duration, SystemTime};

use chrono::{DateTime, FixedOffset};
use quick_junit::{
    NonSuccessKind, Report, TestCase, TestCaseStatus, TestRerun, TestSuite, XmlString,
};

use crate::model::pipeline::{Attempt, Outcome, RunRecord, StageRecord};
use crate::report::pipeline::{moment, words};

/// So much of the end of a log is written of one stage, bytes.
const TAIL: usize = 64 * 1024;

/// Writes the document. What XML cannot hold, control characters first of all, is left out of texts.
pub fn render(record: &RunRecord, out: &mut dyn Write) -> io::Result<()> {
    let mut suite = TestSuite::new(xml(&record.name));
    suite.set_time(record.duration);
    suite.timestamp = moment(record.started, Duration::ZERO);
    suite.add_property((XmlString::new("run-id"), xml(&record.run_id)));
    if let Some(url) = &record.url {
        suite.add_property((XmlString::new("url"), xml(url)));
    }
    suite.add_test_cases(record.stages.iter().map(|stage| case(record, stage)));
    suite.add_test_cases(record.missing().map(|name| {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
        status.set_message("planned, and nothing is known of it");
        let mut case = TestCase::new(xml(name), status);
        case.set_classname(xml(&record.name));
        case
    }));
    let mut report = Report::new("lockgate pipeline");
    report.set_time(record.duration);
    report.timestamp = suite.timestamp;
    report.add_test_suite(suite);
    report.serialize(out).map_err(io::Error::other)
}

fn moment(started: SystemTime, after: Duration) -> Option<DateTime<FixedOffset>> {
    Some(moment::since(started, after)?.fixed_offset())
}

/// A text as XML 1.0 can hold it: control characters are left out by the writer, and here the two that are no
/// characters at all (<https://www.w3.org/TR/xml/#charsets>).
fn xml(text: &str) -> XmlString {
    XmlString::new(text.replace(['\u{fffe}', '\u{ffff}'], ""))
}

fn case(record: &RunRecord, stage: &StageRecord) -> TestCase {
    let mut case = TestCase::new(xml(&stage.name), status(record, stage));
    case.set_classname(xml(&record.name));
    case.set_time(stage.duration);
    case.timestamp = stage.began.and_then(|began| moment(record.started, began));
    for artifact in &stage.artifacts {
        let digest = crate::model::digest::hex(&artifact.digest);
        case.add_property((
            xml(&format!("artifact {}", artifact.output)),
            xml(&format!("{} sha256:{digest}", artifact.path)),
        ));
    }
    for survivor in &stage.survivors {
        case.add_property((
            xml(&format!("survivor {}", survivor.pid)),
            xml(&format!("{} ({})", survivor.command, survivor.ended_by)),
        ));
    }
    if stage.outcome.is_problem() && !stage.tail.is_empty() {
        case.set_system_out(xml(words::tail(&stage.tail, TAIL).0));
    }
    case
}

fn status(record: &RunRecord, stage: &StageRecord) -> TestCaseStatus {
    let reason = stage.outcome.reason().unwrap_or_default();
    let kind = match &stage.outcome {
        Outcome::Passed => {
            let mut status = TestCaseStatus::success();
            if let TestCaseStatus::Success { flaky_runs } = &mut status
                && let Some((_, failed)) = stage.attempts.split_last()
            {
                flaky_runs.extend(failed.iter().map(|attempt| rerun(record, stage, attempt)));
            }
            return status;
        }
        // Who reads it would count it: that a failure is allowed has no other word here.
        _ if stage.allow_failure && stage.outcome.is_problem() => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(xml(&format!("{}: {reason}", words::ending(stage))));
            return status;
        }
        Outcome::Skipped(_) | Outcome::Cancelled(_) => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(xml(&words::outcome(stage)));
            return status;
        }
        Outcome::Failed(_) | Outcome::TimedOut(_) => NonSuccessKind::Failure,
        Outcome::NoVerdict(_) => NonSuccessKind::Error,
    };
    let mut status = TestCaseStatus::non_success(kind);
    status.set_type(stage.outcome.name());
    status.set_message(xml(&reason));
    if let Some((_, later)) = stage.attempts.split_first() {
        status.add_reruns(later.iter().map(|attempt| rerun(record, stage, attempt)));
    }
    status
}

fn rerun(record: &RunRecord, stage: &StageRecord, attempt: &Attempt) -> TestRerun {
    let kind = match &stage.outcome {
        Outcome::NoVerdict(_) => NonSuccessKind::Error,
        _ => NonSuccessKind::Failure,
    };
    let mut rerun = TestRerun::new(kind);
    rerun.set_type("failed").set_message(xml(&attempt.ending));
    rerun.set_time(attempt.duration);
    rerun.timestamp = moment(record.started, attempt.began);
    if !attempt.tail.is_empty() {
        rerun.set_system_out(xml(words::tail(&attempt.tail, TAIL).0));
    }
    rerun
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::pipeline::tests::{attempt, everything, run, stage};

    fn rendered(record: &RunRecord) -> String {
        let mut out = Vec::new();
        render(record, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn stages_are_test_cases_and_attempts_are_reruns() {
        let mut record = everything();
        record.stages[2].attempts.push(attempt(3_000, 100, false));
        let text = rendered(&record);
        for expected in [
            r#"<testsuite name="shop" tests="9" skipped="3" errors="1" failures="1""#,
            r#"timestamp="2026-11-23T04:00:00.250+00:00""#,
            r#"<property name="run-id" value="42.1.build"/>"#,
            "<flakyFailure ",
            r#"<failure message="exit code 1" type="failed""#,
            "<rerunFailure ",
            r#"<skipped message="timed out (allowed): longer than 1.0 s"/>"#,
            r#"<error message="planned, and nothing is known of it""#,
            "src/a.py:1: unused import",
        ] {
            assert!(text.contains(expected), "{expected}\n{text}");
        }
    }

    #[test]
    fn what_xml_cannot_hold_is_left_out() {
        let mut record = run(vec![stage("a", &[], 0, 1)]);
        record.stages[0].outcome = Outcome::Failed(String::new());
        record.stages[0].tail = "x".into();
        record.map_text(|_| {
            "a\0b\x1b[31m]]>\u{fffe}\u{ffff}<&\"'\x0b\u{85}é"
                .to_owned()
                .into()
        });
        let text = rendered(&record);
        assert!(
            !text.contains(['\0', '\x1b', '\u{fffe}', '\u{ffff}', '\x0b']),
            "{text}"
        );
        assert!(text.contains("ab]]&gt;&lt;&amp;"), "{text}");
    }
}
