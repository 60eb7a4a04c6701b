//! Gathers the facts: the policy that counts, the locks, what projects declare, and the same on the base.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::error::{Error, Result, count};
use crate::lockfiles::declared::configuration;
use crate::lockfiles::declared::workspace::{self, Members};
use crate::lockfiles::{Format, declared, normal, requirements_txt};
use crate::model::base::Resolution;
use crate::model::sources::{FileId, Sources};
use crate::steps::Step;
use crate::steps::gate::Loosened;
use crate::steps::gate::base::{self, git_root};
use crate::steps::gate::globs::globs;
use crate::steps::lockfile_verify::discover::{Found, discover};
use crate::steps::lockfile_verify::gone::{self, Gone, Scope};
use crate::steps::lockfile_verify::settings::Settings;
use crate::steps::lockfile_verify::{Arguments, NAME, SECRETS, inputs, pdm_members, policy};
use crate::steps::read::{LIMIT, add, decode, read, too_large};
use crate::steps::walk::{files, is_foreign};
use crate::steps::world::World;
use crate::system::clock::Date;
use crate::system::files::Workspace;
use crate::system::git::Git;
use crate::system::stop::Stop;

/// What was found out.
#[derive(Debug)]
pub struct Gathered {
    /// The root that paths are relative to.
    pub root: PathBuf,
    /// Today.
    pub today: Date,
    /// Seconds since 1970.
    pub now: u64,
    /// The files of the change: locks and what declares them.
    pub sources: Sources,
    /// The same files on the base; `None` where there is no base.
    pub before: Option<Sources>,
    /// The locks.
    pub locks: Vec<Lock>,
    /// Requirements that nothing marks as a lock, by their paths: lists of wishes, which are not judged.
    pub wishes: Vec<String>,
    /// Locks of the base that are no longer there, though what they lock is.
    pub gone: Vec<Gone>,
    /// The base, or why there is none.
    pub base: Resolution,
    /// Where the proposal's own policy is looser than the base's.
    pub loosened: Vec<Loosened>,
    /// The configuration file, relative to the workspace.
    pub config_path: Option<String>,
}

/// A lock that is verified.
#[derive(Debug)]
pub struct Lock {
    /// What and where it is.
    pub found: Found,
    /// Its content, or why it cannot be read.
    pub file: std::result::Result<FileId, String>,
    /// The `pyproject.toml` beside it, or the script that it is for.
    pub declared: Option<FileId>,
    /// Where uv takes its options from, if that is another file.
    pub configuration: Option<FileId>,
    /// Those of the members of its workspace, and of the folders that `[tool.uv.sources]` names.
    pub members: Vec<FileId>,
    /// The `pyproject.toml` of the workspace whose lock uv reads in place of this one.
    pub workspace: Option<FileId>,
    /// Where it was on the base, if it was renamed.
    pub was: Option<String>,
    /// The other files that it is made from: the `Pipfile`, what requirements include.
    pub inputs: Vec<FileId>,
}

/// Gathers, and returns the settings that hold.
pub async fn gather(
    arguments: &Arguments,
    world: &World,
    stop: Stop,
) -> Result<(Settings, Gathered)> {
    let mut settings = Settings::new(arguments)?;
    let git = Git::new(&world.directory, &world.environment, stop);
    let root = git_root(&git, world).await?;
    let workspace = Workspace::new(&root);
    let git = git.at(&root);
    let (base, loosened) = find_base(&mut settings, world, &git, &root).await?;
    let exclude = globs("exclude", &settings.exclude)?;
    let found = discover(
        &settings.paths,
        &world.directory,
        &workspace,
        &exclude,
        &git,
    )
    .await?;
    if found.is_empty() && !settings.allow_empty {
        return Err(nothing_to_verify(&world.directory));
    }
    world.console.note(&format!(
        "{NAME}: {}, {}",
        count(found.len() as u64, "lockfile"),
        match &base {
            Resolution::Base(base) => format!(
                "base {} ({})",
                base.sha.get(..12).unwrap_or(&base.sha),
                base.origin
            ),
            Resolution::None(why) => format!("base none ({why})"),
        }
    ));
    let mut sources = Sources::default();
    let mut locks: Vec<Lock> = found
        .into_iter()
        .map(|found| read_lock(found, &workspace, &mut sources))
        .collect();
    let wishes: Vec<String> = locks
        .extract_if(.., |lock| is_wish(lock, &sources))
        .map(|lock| lock.found.path)
        .collect();
    if locks.is_empty() && !settings.allow_empty {
        return Err(only_wishes(&wishes));
    }
    for lock in &mut locks {
        if let Ok(file) = lock.file {
            lock.inputs = inputs::gather(lock.found.format, file, &workspace, &mut sources);
        }
    }
    let (before, gone) = match &base {
        Resolution::Base(base) => {
            let mut before = read_before(&sources, &base.sha, &git).await?;
            let scope = Scope {
                paths: &settings.paths,
                directory: &world.directory,
                workspace: &workspace,
                exclude: &exclude,
            };
            let gone = gone::find(
                scope,
                &mut locks,
                &mut sources,
                &mut before,
                &base.sha,
                &git,
            )
            .await?;
            (Some(before), gone)
        }
        Resolution::None(_) => (None, Vec::new()),
    };
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let gathered = Gathered {
        root: root.clone(),
        today: Date::today(),
        now: since.unwrap_or(Duration::ZERO).as_secs(),
        sources,
        before,
        locks,
        wishes,
        gone,
        base,
        loosened,
        config_path: world
            .config
            .path
            .as_deref()
            .and_then(|path| workspace.relative(path.to_str()?, &root)),
    };
    Ok((settings, gathered))
}

/// The base, with the settings made as strict as there. A proposal needs its base: whether it loosens its own policy is
/// seen only there. Everywhere else a base that cannot be found is only missed.
async fn find_base(
    settings: &mut Settings,
    world: &World,
    git: &Git,
    root: &Path,
) -> Result<(Resolution, Vec<Loosened>)> {
    let token = SECRETS.first();
    if !world.context.judges_a_proposal() {
        let found = base::resolve(settings.base.as_deref(), token, world, git).await;
        return match found {
            Err(error)
                if error.kind == crate::error::Kind::NoVerdict && settings.base.is_none() =>
            {
                tracing::warn!(%error, "no base");
                Ok((Resolution::None("could not be found".into()), Vec::new()))
            }
            found => Ok((found?, Vec::new())),
        };
    }
    // A proposal's own file must not choose the commit whose policy judges it.
    let given: Arguments = base::given(Step::LockfileVerify, world)?;
    let found = base::resolve(given.base.as_deref(), token, world, git).await?;
    let Resolution::Base(known) = &found else {
        return Ok((found, Vec::new()));
    };
    let before = base::settings(
        Step::LockfileVerify,
        world,
        git,
        &known.sha,
        root,
        Settings::new,
    )
    .await?;
    let (strictest, loosened) = policy::strictest(settings.clone(), &before);
    *settings = strictest;
    let found = if settings.base == given.base {
        found
    } else {
        base::resolve(settings.base.as_deref(), token, world, git).await?
    };
    Ok((found, loosened))
}

fn nothing_to_verify(directory: &Path) -> Error {
    Error::no_verdict(format!("there is no lockfile in `{}`", directory.display())).hint(
        "lock the project (`uv lock`), name the file, or pass `allow-empty: true` if that is right",
    )
}

fn only_wishes(wishes: &[String]) -> Error {
    let first = wishes.first().map_or("", String::as_str);
    Error::no_verdict(format!(
        "there is no lockfile, only requirements that nothing marks as one: `{first}`"
    ))
    .hint("compile it (`uv pip compile --generate-hashes`), name it in `paths`, or pass `allow-empty: true` if that is right")
}

/// Whether it is a list of requirements without a hash and without the header of a tool, and the user did not name it.
fn is_wish(lock: &Lock, sources: &Sources) -> bool {
    let text = lock
        .file
        .as_ref()
        .ok()
        .and_then(|file| std::str::from_utf8(sources.bytes(*file)).ok());
    lock.found.format == Format::Requirements
        && !lock.found.is_named
        && text.is_some_and(|text| !requirements_txt::is_lock(text))
}

fn read_lock(found: Found, workspace: &Workspace, sources: &mut Sources) -> Lock {
    let root = workspace.root();
    let decoded = |bytes| match found.format {
        Format::Requirements => decode(bytes),
        _ => bytes,
    };
    let file = found
        .confined(workspace)
        .and_then(|()| read(&found.file))
        .and_then(|bytes| add(sources, &found.path, decoded(bytes)).ok_or_else(too_large));
    let declared = if found.format == Format::UvScript {
        let path = found.path.strip_suffix(".lock").unwrap_or(&found.path);
        let read_block = || declared::script::block(&read(&root.join(path)).ok()?);
        sources
            .find(path)
            .or_else(|| add(sources, path, read_block()?))
    } else {
        read_project(folder_of(&found.path), root, sources)
    };
    let members = declared
        .filter(|_| found.format == Format::Uv)
        .map_or_else(Vec::new, |file| members(file, root, sources));
    let enclosing = declared
        .filter(|_| found.format == Format::Uv)
        .and_then(|project| {
            let path = sources.path(project).to_owned();
            workspace::nearest_above(&path, |path| inputs::read_beside(path, workspace, sources))?;
            workspace::enclosing(project, sources)
        });
    if let (Format::Pdm, Some(project)) = (found.format, declared) {
        pdm_members::add(project, root, sources, |path| read(path).ok());
    }
    let configuration = matches!(found.format, Format::Uv | Format::UvScript | Format::Pylock)
        .then(|| read_configuration(&found.path, declared, workspace, sources))
        .flatten();
    Lock {
        found,
        file,
        declared,
        configuration,
        members,
        workspace: enclosing,
        was: None,
        inputs: Vec::new(),
    }
}

/// The file that uv takes the options of a lock from, if that is not the project's own.
fn read_configuration(
    lock: &str,
    own: Option<FileId>,
    workspace: &Workspace,
    sources: &mut Sources,
) -> Option<FileId> {
    configuration::find(lock, own, |path| {
        let file = sources.find(path).or_else(|| {
            let file = workspace.confined(path)?;
            add(sources, path, read(&file).ok()?)
        })?;
        Some((file, configuration::counts(file, sources)))
    })
}

/// The `pyproject.toml` of a folder, by its path from the root.
fn read_project(folder: &str, root: &Path, sources: &mut Sources) -> Option<FileId> {
    let path = normal::join(folder, "pyproject.toml");
    inputs::read_beside(&path, &Workspace::new(root), sources)
}

/// Members of a workspace, and the folders that any of them names as sources.
fn members(project: FileId, root: &Path, sources: &mut Sources) -> Vec<FileId> {
    let own = folder_of(sources.path(project)).to_owned();
    let globs = declared::read(project, sources)
        .declarations
        .and_then(|declared| declared.uv?.workspace)
        .map(|workspace| Members::new(&workspace.value));
    let mut found = vec![project];
    if let Some(globs) = globs {
        let top = root.join(&own);
        let passed = |path: &Path| !is_foreign(path);
        let mut folders: Vec<String> = files(&top, passed)
            .filter(|file| {
                file.file_name()
                    .is_some_and(|name| name == "pyproject.toml")
            })
            .filter_map(|file| {
                let folder = file.parent()?.strip_prefix(&top).ok()?;
                let folder = normal::clean(folder.to_str()?);
                globs.has(&folder).then_some(folder)
            })
            .collect();
        folders.sort();
        for folder in folders {
            note(&normal::join(&own, &folder), root, sources, &mut found);
            // Those between it and the root: uv looks no further up than to them.
            let above = folder
                .match_indices('/')
                .filter_map(|(at, _)| folder.get(..at));
            for above in above {
                note(&normal::join(&own, above), root, sources, &mut found);
            }
        }
    }
    let mut next = 0;
    while let Some(file) = found.get(next).copied() {
        next += 1;
        let folder = folder_of(sources.path(file)).to_owned();
        let named: Vec<String> = declared::read(file, sources)
            .declarations
            .iter()
            .flat_map(|declared| workspace::folders(declared).map(str::to_owned))
            .collect();
        for path in named {
            note(&normal::join(&folder, &path), root, sources, &mut found);
        }
    }
    found.retain(|file| *file != project);
    found
}

fn note(folder: &str, root: &Path, sources: &mut Sources, found: &mut Vec<FileId>) {
    let project = read_project(folder, root, sources);
    found.extend(project.filter(|project| !found.contains(project)));
}

pub fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The files of the base with the same paths.
async fn read_before(sources: &Sources, sha: &str, git: &Git) -> Result<Sources> {
    let mut before = Sources::default();
    let paths: Vec<&str> = sources.iter().map(|(_, file)| &*file.path).collect();
    let contents = git.blobs(sha, &paths, LIMIT).await?;
    for (path, bytes) in paths.into_iter().zip(contents) {
        if let Some(bytes) = bytes {
            let is_toml = [".toml", ".lock"].iter().any(|end| path.ends_with(end));
            before.add(path, if is_toml { bytes } else { decode(bytes) });
        }
    }
    Ok(before)
}
