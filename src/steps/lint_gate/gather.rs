//! Gathers the facts: the base, the change, what the tools and reports say.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::baseline::Keyed;
use crate::error::{Error, Result};
use crate::model::base::Resolution;
use crate::model::change::Change;
use crate::model::diagnostic::{Finding, Severity};
use crate::model::report::Check;
use crate::steps::Step;
use crate::steps::gate::Loosened;
use crate::steps::gate::base::{self, git_root};
use crate::steps::gate::globs::globs;
use crate::steps::lint_gate::compare::Comparison;
use crate::steps::lint_gate::filter::{Collector, Filter};
use crate::steps::lint_gate::measure::{find_base, measure, tell_base};
use crate::steps::lint_gate::policy;
use crate::steps::lint_gate::provide::{Chosen, Shed};
use crate::steps::lint_gate::settings::{Settings, Tools};
use crate::steps::lint_gate::sift::{self, Aside, Known, Sifted, Wanted};
use crate::steps::lint_gate::tools::Bench;
use crate::steps::lint_gate::{Arguments, NAME, Scope, accepted, list, place, projects, reports};
use crate::steps::world::World;
use crate::system::clock::Date;
use crate::system::files::Workspace;
use crate::system::git::Git;
use crate::system::stop::Stop;

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
    /// What the gate itself has to say about this run.
    pub remarks: Vec<Finding>,
    /// What is left out, by reason.
    pub left_out: BTreeMap<String, u64>,
    /// What became of the findings that are left out, where that is asked for.
    pub aside: Vec<Aside>,
    /// The keys and messages of all findings, for a new baseline.
    pub keys: Vec<(Keyed, Arc<str>)>,
    /// The root of the workspace.
    pub root: PathBuf,
    /// Where the proposal's own policy is looser than the base's.
    pub loosened: Vec<Loosened>,
    /// The configuration file, relative to the workspace.
    pub config_path: Option<String>,
}

/// Gathers, and returns the settings that hold.
pub async fn gather(arguments: &Arguments, world: &World, stop: Stop) -> Result<(Settings, Facts)> {
    let today = Date::today();
    let mut settings = Settings::new(arguments)?;
    let git = Git::new(&world.directory, &world.environment, stop.clone());
    let root = git_root(&git, world).await?;
    let workspace = Workspace::new(&root);
    let git = git.at(&root);

    let mut loosened = Vec::new();
    let mut sought = settings.clone();
    if world.context.judges_a_proposal() {
        // A proposal's own file must not choose the commit whose policy judges it.
        sought.base = policy::given(world)?.base;
    }
    let mut base = find_base(&sought, world, &git).await?;
    if world.context.judges_a_proposal()
        && let Resolution::Base(known) = &base
    {
        let before = base::settings(
            Step::LintGate,
            world,
            &git,
            &known.sha,
            &root,
            Settings::new,
        )
        .await?;
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
    let renames = change.as_ref().map(renames).unwrap_or_default();
    let accepted = accepted::load(&settings, world, &git, &base, &root).await?;
    let wanted = Wanted {
        aside: settings.explain.is_some(),
        keys: settings.update_baseline,
    };

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
        remembers: accepted.is_some() || wanted.aside || wanted.keys,
        compares: accepted.is_some() || wanted.keys,
    });
    let mut results = read_reports(&settings, world, &filter, &stop).await?;
    let mut remarks = Vec::new();
    let mut on_base = Vec::new();
    if settings.tools != Tools::Named(Vec::new()) {
        let shed = Shed::new(&settings, world, &git, &root, &stop)?;
        shed.require_permission()?;
        let chosen = choose(&settings, &shed, world).await?;
        remarks.extend(chosen.iter().flat_map(missing));
        world.console.open_group(&format!("{NAME}: tools"));
        let mut jobs = Vec::new();
        for one in &chosen {
            match shed.locate(one).await {
                Ok(located) => jobs.extend(located),
                Err(error) => {
                    world.console.close_group();
                    return Err(error);
                }
            }
        }
        world.console.close_group();
        let bench = Bench {
            environment: world.environment.base(),
            paths: settings.paths.clone(),
            filter: filter.clone(),
            timeout: settings.timeout,
            per_tool: settings.per_tool.clone(),
            allow_empty: settings.allow_empty,
            console: world.console.clone(),
            stop: stop.clone(),
        };
        let comparison = match &base {
            Resolution::Base(base) if scope != Scope::Everything => Some(Comparison {
                shed: &shed,
                bench: &bench,
                git: &git,
                sha: &base.sha,
                root: &root,
                cache: world.cache_folder()?,
            }),
            _ => None,
        };
        let comparing = async {
            match &comparison {
                Some(comparison) => comparison.run(&jobs, &chosen).await,
                None => Ok(Vec::new()),
            }
        };
        let (ran, compared) = tokio::join!(bench.run_all(jobs.clone()), comparing);
        results.extend(ran?);
        on_base = compared?;
    }

    let mut left_out: BTreeMap<String, u64> = BTreeMap::new();
    for (_, collector) in &results {
        for (reason, count) in &collector.left_out {
            *left_out.entry(reason.clone()).or_default() += count;
        }
    }
    let known = Known {
        on_base,
        baseline: accepted,
        renames,
    };
    let (checks, sifted) = sift_aside(results, known, wanted, workspace.clone(), &stop).await?;
    left_out.extend(sifted.left_out);
    remarks.extend(sifted.remarks);
    let facts = Facts {
        today,
        scope,
        base,
        change_size,
        checks,
        findings: sifted.findings,
        remarks,
        left_out,
        aside: sifted.aside,
        keys: sifted.keys,
        root: root.clone(),
        loosened,
        config_path: world
            .config
            .path
            .as_deref()
            .map(|path| place::shown(path, &workspace)),
    };
    Ok((settings, facts))
}

/// Sifts on a thread of its own, so that many findings do not keep us from stopping.
async fn sift_aside(
    results: Vec<(Check, Collector)>,
    known: Known,
    wanted: Wanted,
    workspace: Workspace,
    stop: &Stop,
) -> Result<(Vec<Check>, Sifted)> {
    let sifting = tokio::task::spawn_blocking(move || {
        let (checks, collectors): (Vec<Check>, Vec<Collector>) = results.into_iter().unzip();
        let results = checks.iter().zip(collectors).collect();
        let sifted = sift::sift(results, &known, wanted, &workspace);
        (checks, sifted)
    });
    let mut stop = stop.clone();
    tokio::select! {
        sifted = sifting => sifted.map_err(|error| Error::bug("sifting the findings failed").cause(error)),
        signal = stop.requested() => Err(Error::interrupted(signal)),
    }
}

/// The tools of each project as text, for `--list-tools`.
pub async fn tools(arguments: &Arguments, world: &World, stop: Stop) -> Result<String> {
    let settings = Settings::new(arguments)?;
    let git = Git::new(&world.directory, &world.environment, stop.clone());
    let root = git_root(&git, world).await?;
    let git = git.at(&root);
    let shed = Shed::new(&settings, world, &git, &root, &stop)?;
    let mut weighed = Vec::new();
    for project in projects::find(&settings.projects, &world.directory)? {
        weighed.push(shed.weigh(&project).await?);
    }
    Ok(list::render(&weighed))
}

/// The tools of each project; with `auto` it is told why.
async fn choose(settings: &Settings, shed: &Shed<'_>, world: &World) -> Result<Vec<Chosen>> {
    let mut all = Vec::new();
    for project in projects::find(&settings.projects, &world.directory)? {
        let chosen = shed.choose(&project).await?;
        if matches!(settings.tools, Tools::Auto(_)) {
            world.console.open_group(&format!("{NAME}: auto"));
            for line in list::render(std::slice::from_ref(&chosen)).lines() {
                world.console.note(&format!("{NAME}: auto: {line}"));
            }
            world.console.close_group();
        }
        all.push(chosen);
    }
    Ok(all)
}

/// A warning for each tool that a project wants and does not have: nobody looked with it.
fn missing(chosen: &Chosen) -> Vec<Finding> {
    chosen
        .choices
        .iter()
        .filter(|choice| choice.missing)
        .map(|choice| {
            let tool = choice.tool;
            Finding {
                help: Some(format!("uv add --dev {}", tool.package()).into()),
                ..Finding::new(
                    "lockgate",
                    "tool-missing",
                    Severity::Warning,
                    format!("{} did not run: {}", tool.name(), choice.why),
                )
            }
        })
        .collect()
}

/// The path on the base of each file that was renamed.
fn renames(change: &Change) -> BTreeMap<String, String> {
    change
        .files
        .iter()
        .filter_map(|(path, file)| Some((path.clone(), file.renamed_from.clone()?)))
        .collect()
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
