//! `isort`.

use std::io::BufRead;

use crate::linters::adapter::{Adapter, Kind, Setting, Targets};
use crate::linters::contract::{Invocation, Judgement, Reading, ToolRun};
use crate::model::diagnostic::RawFinding;

const NAME: &str = "isort";

pub(super) const ADAPTER: Adapter = Adapter {
    name: NAME,
    package: "isort",
    executable: "isort",
    kind: Kind::Formatter,
    targets: Targets::Folder,
    settings: &[Setting::Table("isort", &[])],
    file_settings: &[],
    hooks: &["isort"],
    severities: &[],
    refused: &[],
    environment: &[],
    arguments,
    probe: None,
    read,
    conclude,
    confesses: |_| false,
};

fn arguments(invocation: &Invocation<'_>) -> Vec<String> {
    invocation.path_arguments(false)
}

fn read(_output: &mut dyn BufRead, _sink: &mut dyn FnMut(RawFinding)) -> Reading {
    Reading::default()
}

fn conclude(run: &ToolRun<'_>, _reading: &Reading) -> Judgement {
    run.failed(NAME, "cannot be read yet")
}
