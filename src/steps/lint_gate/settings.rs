//! What the arguments mean: typed, with defaults, checked.

use std::time::Duration;

use crate::error::{Error, Result};
use crate::linters::Tool;
use crate::model::duration;
use crate::steps::gate::Threshold;
use crate::steps::gate::ignore::Ignore;
use crate::steps::lint_gate::explain::Query;
use crate::steps::lint_gate::per_tool::PerTool;
use crate::steps::lint_gate::severity::Override;
use crate::steps::lint_gate::{Arguments, Scope, ToolSource};

/// The value of `tools` that stands for what the project configures or pins.
pub const AUTO: &str = "auto";

/// The format of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportFormat {
    /// SARIF 2.1.0.
    Sarif,
    /// Reviewdog's diagnostic format, one document.
    Rdjson,
    /// Reviewdog's diagnostic format, one diagnostic a line.
    Rdjsonl,
    /// A unified diff of what should be changed.
    Diff,
}

impl ReportFormat {
    const ALL: [Self; 4] = [Self::Sarif, Self::Rdjson, Self::Rdjsonl, Self::Diff];

    /// The name in `reports`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sarif => "sarif",
            Self::Rdjson => "rdjson",
            Self::Rdjsonl => "rdjsonl",
            Self::Diff => "diff",
        }
    }
}

/// Which tools run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Tools {
    /// Those that the lock pins.
    #[default]
    Pinned,
    /// Those that the project configures or pins, and these besides.
    Auto(Vec<Tool>),
    /// These.
    Named(Vec<Tool>),
}

/// A report made elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportInput {
    /// How it is written.
    pub format: ReportFormat,
    /// The file, as it was written.
    pub path: String,
    /// The exit code of the tool that wrote it, where known.
    pub exit_code: Option<i32>,
}

/// Whose baseline is taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportFormat {
    /// Of `mypy-baseline`.
    MypyBaseline,
    /// Of basedpyright.
    Basedpyright,
    /// Of pyrefly.
    Pyrefly,
}

impl ImportFormat {
    const ALL: [Self; 3] = [Self::MypyBaseline, Self::Basedpyright, Self::Pyrefly];

    /// The name in `import-baseline`.
    pub fn name(self) -> &'static str {
        match self {
            Self::MypyBaseline => "mypy-baseline",
            Self::Basedpyright => "basedpyright",
            Self::Pyrefly => "pyrefly",
        }
    }
}

/// A baseline of another tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportInput {
    /// How it is written.
    pub format: ImportFormat,
    /// The file, as it was written.
    pub path: String,
}

/// The arguments of one run, in the step's own terms.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is an input of its own")]
pub struct Settings {
    /// Files and folders to check.
    pub paths: Vec<String>,
    /// Folders or globs of projects; none for the working directory.
    pub projects: Vec<String>,
    /// Tools to run.
    pub tools: Tools,
    /// What is said of single tools.
    pub per_tool: PerTool,
    /// Severities instead of the tools' own.
    pub severities: Vec<Override>,
    /// Those of the base, where a proposal is judged: a finding gets the worse of both.
    pub severities_of_base: Option<Vec<Override>>,
    /// Where tools come from.
    pub tool_source: ToolSource,
    /// The lock that the user named.
    pub lockfile: Option<String>,
    /// Variables for the installer.
    pub install_env: Vec<String>,
    /// Reports to read.
    pub reports: Vec<ReportInput>,
    /// Which findings count; `None` for the default by event.
    pub scope: Option<Scope>,
    /// The base that the user named.
    pub base: Option<String>,
    /// When findings mean no.
    pub threshold: Threshold,
    /// Globs of files that are left out.
    pub exclude: Vec<String>,
    /// Findings that are ignored.
    pub ignores: Vec<Ignore>,
    /// The baseline file, as it was written.
    pub baseline: Option<String>,
    /// Whether entries of the baseline that are no more fail the step.
    pub baseline_strict: bool,
    /// Most annotations of each level.
    pub max_annotations: usize,
    /// Whether all findings become the baseline.
    pub update_baseline: bool,
    /// Baselines of other tools that are taken over.
    pub imports: Vec<ImportInput>,
    /// The findings whose fate is asked for.
    pub explain: Option<Query>,
    /// Whether nothing to check is fine.
    pub allow_empty: bool,
    /// Whether project code runs on privileged events.
    pub allow_project_code: bool,
    /// The time limit of each tool.
    pub timeout: Duration,
}

impl Settings {
    /// Reads the arguments.
    pub fn new(arguments: &Arguments) -> Result<Self> {
        let mut tools: Vec<Tool> = Vec::new();
        for tool in arguments
            .tools
            .iter()
            .filter_map(|name| Tool::from_name(name))
        {
            if !tools.contains(&tool) {
                tools.push(tool);
            }
        }
        let reports = arguments
            .reports
            .iter()
            .map(|text| report_input(text))
            .collect::<Result<Vec<_>>>()?;
        let timeout = match &arguments.timeout {
            Some(text) => duration::parse(text)
                .map_err(|what| Error::usage(format!("`timeout`: `{text}`: {what}")))?,
            None => Duration::from_mins(10),
        };
        Ok(Self {
            paths: arguments.paths.clone(),
            projects: arguments.projects.clone(),
            // Reports alone run nothing.
            tools: if arguments.tools.iter().any(|name| name == AUTO) {
                Tools::Auto(tools)
            } else if tools.is_empty() && reports.is_empty() {
                Tools::Pinned
            } else {
                Tools::Named(tools)
            },
            per_tool: PerTool::new(
                &arguments.tool_arguments,
                &arguments.tool_paths,
                &arguments.tool_timeout,
            )?,
            severities: arguments
                .severity
                .iter()
                .map(|text| Override::parse(text))
                .collect::<Result<_>>()?,
            severities_of_base: None,
            tool_source: arguments.tool_source.unwrap_or_default(),
            lockfile: arguments.lockfile.clone(),
            install_env: arguments.install_env.clone(),
            reports,
            // A baseline is one of everything.
            scope: if arguments.update_baseline {
                Some(Scope::Everything)
            } else {
                arguments.scope
            },
            base: arguments.base.clone(),
            threshold: Threshold::new(
                arguments.fail_on,
                arguments.mode,
                arguments.report_until.as_deref(),
            )?,
            exclude: arguments.exclude.clone(),
            ignores: arguments
                .ignore
                .iter()
                .map(|text| Ignore::parse(text))
                .collect::<Result<_>>()?,
            baseline: arguments.baseline.clone(),
            baseline_strict: arguments.baseline_strict.unwrap_or(false),
            max_annotations: usize::from(arguments.max_annotations.unwrap_or(10)),
            update_baseline: arguments.update_baseline,
            imports: arguments
                .import_baseline
                .iter()
                .map(|text| import_input(text))
                .collect::<Result<_>>()?,
            explain: arguments.explain.as_deref().map(Query::parse).transpose()?,
            allow_empty: arguments.allow_empty.unwrap_or(false),
            allow_project_code: arguments.allow_project_code.unwrap_or(false),
            timeout,
        })
    }
}

/// `path=format` or `path=format:EXIT`. The path may hold `=`.
fn report_input(text: &str) -> Result<ReportInput> {
    let wrong = |what: &str| {
        Error::usage(format!("`reports`: `{text}` {what}"))
            .hint("write `build/report.sarif=sarif` or `build/report.sarif=sarif:1`")
    };
    let (path, format) = text
        .rsplit_once('=')
        .ok_or_else(|| wrong("names no format"))?;
    let (format, exit_code) = match format.split_once(':') {
        Some((format, code)) => {
            let code = code
                .parse()
                .map_err(|_| wrong(&format!("has `{code}` where an exit code belongs")))?;
            (format, Some(code))
        }
        None => (format, None),
    };
    let format = ReportFormat::ALL
        .into_iter()
        .find(|known| known.name() == format)
        .ok_or_else(|| {
            wrong(&format!("names the format `{format}`"))
                .allowed(ReportFormat::ALL.map(ReportFormat::name))
        })?;
    if path.is_empty() {
        return Err(wrong("names no file"));
    }
    Ok(ReportInput {
        format,
        path: path.to_owned(),
        exit_code,
    })
}

/// `FILE=FORMAT`.
fn import_input(text: &str) -> Result<ImportInput> {
    let wrong = |what: &str| {
        Error::usage(format!("`import-baseline`: `{text}` {what}"))
            .allowed(ImportFormat::ALL.map(ImportFormat::name))
            .hint("write `mypy-baseline.txt=mypy-baseline`")
    };
    let (path, format) = text
        .rsplit_once('=')
        .filter(|(path, _)| !path.is_empty())
        .ok_or_else(|| wrong("names no file or no format"))?;
    let format = ImportFormat::ALL
        .into_iter()
        .find(|known| known.name() == format)
        .ok_or_else(|| wrong(&format!("names the format `{format}`")))?;
    Ok(ImportInput {
        format,
        path: path.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::steps::gate::Mode;
    use crate::system::clock::Date;

    #[test]
    fn reports_name_file_format_and_exit_code() {
        let input = report_input("a=b/c.sarif=sarif:2").unwrap();
        assert_eq!(
            input,
            ReportInput {
                format: ReportFormat::Sarif,
                path: "a=b/c.sarif".into(),
                exit_code: Some(2)
            }
        );
        for text in ["x", "x=json", "x=sarif:", "x=sarif:one", "=sarif"] {
            assert!(report_input(text).unwrap_err().message.contains(text));
        }
    }

    #[test]
    fn reports_alone_run_no_tool() {
        let arguments = Arguments {
            reports: vec!["x=sarif".into()],
            ..Arguments::default()
        };
        assert_eq!(
            Settings::new(&arguments).unwrap().tools,
            Tools::Named(vec![])
        );
        assert_eq!(
            Settings::new(&Arguments::default()).unwrap().tools,
            Tools::Pinned
        );
    }

    #[test]
    fn a_report_mode_ends_on_its_day() {
        let arguments = Arguments {
            mode: Some(Mode::Report),
            report_until: Some("2026-12-31".into()),
            ..Arguments::default()
        };
        let settings = Settings::new(&arguments).unwrap();
        assert!(
            settings
                .threshold
                .is_report_only(Date::parse("2026-12-31").unwrap())
        );
        assert!(
            !settings
                .threshold
                .is_report_only(Date::parse("2027-01-01").unwrap())
        );
    }
}
