//! `basedpyright --outputjson`: pyright's document, after a blank line.
//!
//! Contract, as basedpyright 1.40.2 behaves; where it differs from [`pyright`](super::pyright):
//!
//! - 1 is errors, and with the default mode `recommended` (`failOnWarnings`) also warnings alone.
//! - With `--outputjson` **a configuration that it cannot parse or understand ends with 0** and the document of a run
//!   without it. In its text form the same is exit code 3. Standard error tells, and it is judged as a failure here.
//! - It has a baseline, `.basedpyright/baseline.json` or `baselineFile`, whose findings it leaves out of document and
//!   count. That stays in force: it is the project's own statement, like a comment that ignores a rule. Where findings
//!   of the baseline are gone it **edits the file**, or says so on standard output in front of the document:
//!   `--baselinemode=lock` prevents both. A baseline that it cannot parse counts as a broken configuration.

use std::io::BufRead;

use crate::linters::adapter::{Adapter, Kind, Setting, Targets};
use crate::linters::contract::{Invocation, Judgement, Reading, ToolRun};
use crate::linters::pyright;
use crate::model::diagnostic::{RawFinding, Severity};

const NAME: &str = "basedpyright";
const RULES: &str = "https://docs.basedpyright.com/latest/configuration/config-files/#";

pub(super) const ADAPTER: Adapter = Adapter {
    name: NAME,
    package: "basedpyright",
    executable: "basedpyright",
    kind: Kind::TypeChecker,
    targets: Targets::Folder,
    settings: &[Setting::Table("basedpyright", &[])],
    file_settings: &[
        Setting::Table("basedpyright", &["include"]),
        Setting::Table("pyright", &["include"]),
        Setting::File("pyrightconfig.json"),
    ],
    hooks: &["basedpyright"],
    severities: &[
        ("errors", Severity::Error),
        ("warnings", Severity::Warning),
        ("information", Severity::Note),
    ],
    refused: REFUSED_ARGUMENTS,
    environment: &[],
    arguments,
    probe: None,
    read,
    conclude,
    confesses,
};

const REFUSED_ARGUMENTS: &[&str] = &[
    "--baselinemode",
    "--createstub",
    "--dependencies",
    "--gitlabcodequality",
    "--help",
    "--outputjson",
    "--stats",
    "--verbose",
    "--verifytypes",
    "--version",
    "--watch",
    "--writebaseline",
    "-",
    "-h",
    "-w",
];

fn arguments(invocation: &Invocation<'_>) -> Vec<String> {
    pyright::command(invocation, &["--outputjson", "--baselinemode=lock"])
}

fn read(output: &mut dyn BufRead, sink: &mut dyn FnMut(RawFinding)) -> Reading {
    pyright::read_document(output, RULES, sink)
}

fn conclude(run: &ToolRun<'_>, reading: &Reading) -> Judgement {
    let confession = run.stderr.lines().any(confesses);
    let confession = confession.then_some("its configuration is broken, and it went on without it");
    pyright::conclude_document(NAME, run, reading, confession)
}

/// `Config file "…" could not be parsed.`, `Config "strict" entry must contain an array.`, `Config contains
/// unrecognized setting "…".`, and paths of the configuration that are not there.
fn confesses(line: &str) -> bool {
    line.starts_with("Config ")
        || line.starts_with("failed to parse baseline file")
        || (line.starts_with("File or directory ") && line.ends_with(" does not exist."))
        || line.ends_with(" is not a valid directory.")
}
