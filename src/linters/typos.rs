//! `typos`.

use std::io::BufRead;

use crate::linters::adapter::{Adapter, Kind, Setting, Targets};
use crate::linters::contract::{Invocation, Judgement, Reading, ToolRun};
use crate::model::diagnostic::RawFinding;

const NAME: &str = "typos";

pub(super) const ADAPTER: Adapter = Adapter {
    name: NAME,
    package: "typos",
    executable: "typos",
    kind: Kind::Linter,
    targets: Targets::Folder,
    settings: &[Setting::Table("typos", &[])],
    file_settings: &[],
    hooks: &["typos"],
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
