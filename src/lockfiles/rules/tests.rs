use super::*;
use crate::lockfiles::facts::Before;
use crate::lockfiles::published::Published;
use crate::lockfiles::workflow::{OwnAction, Refs, Remotes, Workflow};
use crate::lockfiles::{Format, declared, format_of, pattern, published, read, workflow};
use crate::model::declared::Declarations;
use crate::model::sources::{Location, Sources};

/// When the examples are judged: 2026-11-22.
const NOW: u64 = 1_795_305_600;

/// The rules that find something in an example.
fn found(example: &Example) -> Vec<Finding> {
    found_in(example.files, example.base, example.inputs)
}

/// The ids of the rules that find something in these files, without a base and without inputs.
pub(super) fn ids(files: &[(&str, &str)]) -> Vec<&'static str> {
    let found = found_in(files, &[], &[]);
    found.iter().map(|finding| finding.rule.id).collect()
}

/// What is found in files with their paths: each lock with the `pyproject.toml` beside it, the other ones as members
/// or folders of its workspace, and the state before where there is one.
pub(super) fn found_in(
    files: &[(&str, &str)],
    base: &[(&str, &str)],
    inputs: &[(&str, &str)],
) -> Vec<Finding> {
    let policy = policy(inputs);
    let sources = sources(files);
    let is_given = |path: &str| base.iter().any(|(other, _)| *other == path);
    let same = files.iter().filter(|(path, _)| !is_given(path));
    let replaced: Vec<_> = base.iter().chain(same).copied().collect();
    let before = (!base.is_empty()).then(|| self::sources(&replaced));
    let published = published(files);
    let mut all = Vec::new();
    for (file, source) in sources.iter() {
        let (folder, name) = source.path.rsplit_once('/').unwrap_or(("", &source.path));
        let Some(format) = format_of(name) else {
            continue;
        };
        let reading = read(format, file, &sources);
        let beside = match folder {
            "" => "pyproject.toml".to_owned(),
            folder => format!("{folder}/pyproject.toml"),
        };
        let declared = declared_at(&sources, format, &source.path, &beside);
        let members: Vec<Declarations<'_>> = sources
            .iter()
            .filter(|(_, other)| other.path.ends_with("/pyproject.toml") && other.path != beside)
            .filter_map(|(file, _)| declared::read(file, &sources).declarations)
            .collect();
        let own = declared.as_ref().map(|declared| declared.file);
        let configuration = declared::configuration::find(&source.path, own, |path| {
            let file = sources.find(path)?;
            Some((file, declared::configuration::counts(file, &sources)))
        });
        let configuration =
            configuration.and_then(|file| declared::configuration::read(file, &sources));
        let reading_before = before.as_ref().and_then(|before| {
            let file = before.find(&source.path)?;
            Some(read(format, file, before))
        });
        let declared_before = before
            .as_ref()
            .and_then(|before| declared_at(before, format, &source.path, &beside));
        let facts = reading.lockfile.as_ref().map(|lock| Facts {
            declared: declared.as_ref(),
            members: &members,
            configuration: configuration.as_ref(),
            workspace: own
                .filter(|_| format == Format::Uv)
                .and_then(|own| declared::workspace::enclosing(own, &sources)),
            now: NOW,
            published: policy.index_check.then_some(&published),
            base: before.as_ref().map(|before| Before {
                sources: before,
                lock: reading_before
                    .as_ref()
                    .and_then(|reading| reading.lockfile.as_ref()),
                declared: declared_before.as_ref(),
            }),
            ..Facts::of_lock(&sources, lock, &policy)
        });
        all.extend(judge(&reading, facts.as_ref(), &policy));
    }
    for (path, _) in base {
        let name = path.rsplit_once('/').map_or(*path, |(_, name)| name);
        if let (Some(format), None) = (format_of(name), sources.find(path)) {
            let beside = path.replace(name, "pyproject.toml");
            let file = sources.find(&beside).unwrap();
            let declared = Location {
                file,
                start: 0,
                end: 0,
            };
            let gone = GoneLock {
                path,
                format,
                declared,
            };
            all.extend(judge_gone(&gone, &policy));
        }
    }
    let workflows = workflows(&sources);
    let workflows_before = before.as_ref().map(self::workflows);
    let remotes = remotes(files);
    let own = [("", "step"), ("actions/lint-gate", "fail-on")];
    let own = own.map(|(folder, input)| OwnAction {
        folder: folder.to_owned(),
        inputs: vec![input.to_owned()],
    });
    let facts = WorkflowFacts {
        before: workflows_before.as_deref(),
        remotes: policy.action_check.then_some(&remotes),
        own: &own,
        ..WorkflowFacts::of(&sources, &workflows)
    };
    all.extend(judge_workflows(&facts, &policy));
    all
}

fn workflows(sources: &Sources) -> Vec<Workflow> {
    let files = sources
        .iter()
        .filter(|(_, file)| workflow::is_workflow(&file.path));
    files
        .map(|(file, _)| workflow::read(file, sources).unwrap())
        .collect()
}

/// What the repositories of actions answer: the files that have the address of one in place of a path.
fn remotes(files: &[(&str, &str)]) -> Remotes {
    let answers = files.iter().filter_map(|(path, text)| {
        let repository = path.strip_prefix("https://github.com/")?;
        Some((repository.to_owned(), Ok(Refs::read(text))))
    });
    Remotes {
        repositories: answers.collect(),
        ..Remotes::default()
    }
}

/// What the indexes answer: the files that have an address in place of a path.
fn published(files: &[(&str, &str)]) -> Published {
    let pages = files.iter().filter(|(path, _)| path.contains("://"));
    Published {
        pages: pages
            .map(|(url, text)| ((*url).to_owned(), published::read(text.as_bytes())))
            .collect(),
    }
}

fn sources(files: &[(&str, &str)]) -> Sources {
    let mut sources = Sources::default();
    let files = files.iter().filter(|(path, _)| !path.contains("://"));
    for (path, text) in files {
        let bytes = text.as_bytes();
        let is_script = path.rsplit_once('.').is_some_and(|(_, end)| end == "py");
        let script = is_script.then(|| declared::script::block(bytes)).flatten();
        sources
            .add(*path, script.unwrap_or_else(|| bytes.to_vec()))
            .unwrap();
    }
    sources
}

/// What declares the inputs of a lock: its script, or the project beside it.
fn declared_at<'a>(
    sources: &'a Sources,
    format: Format,
    lock: &str,
    beside: &str,
) -> Option<Declarations<'a>> {
    if format == Format::UvScript {
        let script = sources.find(lock.strip_suffix(".lock")?)?;
        return declared::read_script(script, sources).declarations;
    }
    declared::read(sources.find(beside)?, sources).declarations
}

/// The policy that some inputs make; a list has one item a line, or commas.
fn policy(inputs: &[(&str, &str)]) -> Policy {
    let mut policy = Policy::default();
    for (input, value) in inputs {
        let list = || value.split([',', '\n']).map(str::to_owned);
        match *input {
            "rules" => policy.levels.extend(value.lines().map(|line| {
                let (id, level) = line.rsplit_once(' ').unwrap();
                (from_id(id).unwrap().id, Level::from_name(level).unwrap())
            })),
            "allowed-indexes" => policy.indexes.extend(list()),
            "allowed-hosts" => policy.hosts.extend(list()),
            "allowed-sources" => policy.sources.extend(
                value
                    .lines()
                    .map(|name| crate::lockfiles::policy::SourceKind::from_name(name).unwrap()),
            ),
            "private-names" => policy
                .private_names
                .extend(list().map(|text| pattern::parse(&text).unwrap())),
            "platforms" => policy.platforms.extend(list()),
            "pythons" => policy.pythons.extend(list()),
            "min-age" => policy.min_age = Some(crate::model::duration::parse(value).unwrap()),
            "action-check" => policy.action_check = value.parse().unwrap(),
            "index-check" => policy.index_check = value.parse().unwrap(),
            "min-age-exceptions" => policy.min_age_exceptions.extend(list()),
            other => panic!("`{other}` is no input that rules take"),
        }
    }
    policy
}

#[test]
fn each_rule_finds_its_failing_example_and_nothing_in_the_repaired_one() {
    for rule in all() {
        let failing = found(&rule.failing);
        let own: Vec<&Finding> = failing
            .iter()
            .filter(|finding| finding.rule.id == rule.id)
            .collect();
        assert!(!own.is_empty(), "{}: {failing:?}", rule.id);
        assert!(
            own.iter().all(|finding| finding.help.is_some()),
            "{}",
            rule.id
        );
        let repaired = found(&rule.repaired);
        assert!(
            repaired.iter().all(|finding| finding.rule.id != rule.id),
            "{}: {repaired:?}",
            rule.id
        );
    }
}

#[test]
fn ids_are_unique_and_kebab_case() {
    let mut ids: Vec<&str> = all().map(|rule| rule.id).collect();
    for id in &ids {
        let is_kebab = |byte: u8| byte.is_ascii_lowercase() || byte == b'-';
        assert!(id.bytes().all(is_kebab), "{id}");
        assert!(from_id(id).is_some());
    }
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count);
}
