//! What workflows and composite actions use: actions, reusable workflows and images, in any spelling of YAML, each with its
//! place and the comment behind it.

mod remotes;
mod tree;

use std::collections::HashSet;
use std::ops::Range;

pub use crate::lockfiles::workflow::remotes::{Refs, Remotes, Verdict};
use crate::lockfiles::workflow::tree::{NodeId, Tree};
use crate::model::sources::{FileId, Located, Location, Sources};

/// An action, a reusable workflow or an image that is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Used {
    /// As it was written: `actions/checkout@…`, `docker://…`, `node:20`.
    pub text: Located<String>,
    /// What the comment behind it says.
    pub comment: Option<String>,
    /// What it is.
    pub kind: UsedKind,
    /// The inputs that it is given: the keys of `with`.
    pub with: Vec<Located<String>>,
}

/// What is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UsedKind {
    /// The `uses` of a step or a job.
    Action,
    /// The image of a container or a service.
    Image,
}

/// A workflow or a composite action that was read.
#[derive(Clone, Debug)]
pub struct Workflow {
    /// The file.
    pub file: FileId,
    /// What it uses, in the order of the file.
    pub used: Vec<Used>,
    /// The inputs that it takes, where it is an action or a workflow that others may call.
    pub inputs: Option<Vec<String>>,
}

/// An action of ours, and the inputs that it takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnAction {
    /// Its folder in our repository; empty for the one at the root.
    pub folder: String,
    /// The names of its inputs.
    pub inputs: Vec<String>,
}

/// Everything that is known when workflows are judged.
#[derive(Clone, Copy, Debug)]
pub struct WorkflowFacts<'a> {
    /// The files.
    pub sources: &'a Sources,
    /// All workflows and actions of the repository.
    pub workflows: &'a [Workflow],
    /// Those of the base; `None` where there is no base.
    pub before: Option<&'a [Workflow]>,
    /// What the repositories of the actions answered; `None` where they were not asked.
    pub remotes: Option<&'a Remotes>,
    /// The actions of ours.
    pub own: &'a [OwnAction],
}

impl<'a> WorkflowFacts<'a> {
    /// Workflows of which nothing else is known.
    pub fn of(sources: &'a Sources, workflows: &'a [Workflow]) -> Self {
        Self {
            sources,
            workflows,
            before: None,
            remotes: None,
            own: &[],
        }
    }

    /// Everything that is used.
    pub fn used(&self) -> impl Iterator<Item = &'a Used> {
        self.workflows.iter().flat_map(|workflow| &workflow.used)
    }
}

/// The parts of the `uses` of an action that is in a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remote<'t> {
    /// `owner/repository`.
    pub repository: &'t str,
    /// The folder or file in it; empty for its root.
    pub path: &'t str,
    /// What stands behind `@`; none where nothing does.
    pub reference: Option<&'t str>,
}

impl Used {
    /// The parts, where it is an action or reusable workflow of a repository.
    pub fn remote(&self) -> Option<Remote<'_>> {
        let text = self.text.value.trim();
        let is_elsewhere = self.kind == UsedKind::Action
            && !text.starts_with("./")
            && !text.starts_with("$/")
            && !text.contains("://");
        let (path, reference) = match text.split_once('@') {
            Some((path, reference)) => (path, Some(reference)),
            None => (text, None),
        };
        let owner = path.find('/')?;
        let name_end = path
            .get(owner + 1..)?
            .find('/')
            .map_or(path.len(), |end| owner + 1 + end);
        is_elsewhere.then_some(Remote {
            repository: path.get(..name_end)?,
            path: path.get(name_end..)?.trim_matches('/'),
            reference,
        })
    }

    /// The commit of an action of a repository that is pinned to one.
    pub fn pin(&self) -> Option<(Remote<'_>, &str)> {
        let remote = self.remote()?;
        let commit = remote.reference.filter(|reference| is_commit(reference))?;
        Some((remote, commit))
    }

    /// The folder of an action of the same repository: `./` and `$/`.
    pub fn local(&self) -> Option<&str> {
        let text = self.text.value.trim();
        let path = text
            .strip_prefix("./")
            .or_else(|| text.strip_prefix("$/"))?;
        (self.kind == UsedKind::Action).then(|| path.trim_end_matches('/'))
    }

    /// Whether it is a workflow that is called.
    pub fn is_workflow(&self) -> bool {
        let path = self.text.value.split('@').next().unwrap_or_default();
        let path = path.trim().trim_end_matches('/');
        [".yml", ".yaml"].into_iter().any(|end| path.ends_with(end))
    }

    /// The image, where it is one: that of a container, or behind `docker://`.
    pub fn image(&self) -> Option<&str> {
        let text = self.text.value.trim();
        match self.kind {
            UsedKind::Image => Some(text.strip_prefix("docker://").unwrap_or(text)),
            UsedKind::Action => text.strip_prefix("docker://"),
        }
    }

    /// The version that the comment names: `v1.2.3` of `# v1.2.3`, `# tag=v1.2.3`, `# pin@v4` and `# ratchet:a/b@v4`.
    pub fn version(&self) -> Option<&str> {
        let word = self.comment.as_deref()?.split_whitespace().next()?;
        let word = word.rsplit(['@', '=']).next()?;
        let digits = word.strip_prefix(['v', 'V']).unwrap_or(word);
        digits
            .starts_with(|first: char| first.is_ascii_digit())
            .then_some(word)
    }
}

/// Whether two spellings of a version may mean the same commit: `v4` and `4.1.2`, not `v4` and `v41`.
pub fn is_same_version(left: &str, right: &str) -> bool {
    let plain = |version: &'_ str| version.trim_start_matches(['v', 'V']).to_owned();
    let (left, right) = (plain(left), plain(right));
    let (short, long) = if left.len() < right.len() {
        (left, right)
    } else {
        (right, left)
    };
    long.strip_prefix(&short)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Whether a version names one release, and not whatever is the latest of its line.
pub fn is_exact(version: &str) -> bool {
    version.matches('.').count() >= 2
}

/// Whether this is a full-length commit.
pub fn is_commit(reference: &str) -> bool {
    matches!(reference.len(), 40 | 64) && reference.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Whether a file of this path holds a workflow or an action.
pub fn is_workflow(path: &str) -> bool {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let is_yaml = [".yml", ".yaml"].into_iter().any(|end| name.ends_with(end));
    (is_yaml && folder == ".github/workflows") || name == "action.yml" || name == "action.yaml"
}

/// Reads a workflow or an action; says why it cannot.
pub fn read(file: FileId, sources: &Sources) -> Result<Workflow, String> {
    let bytes = sources.bytes(file);
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
    let body = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reader {
        tree: Tree::read(body)?,
        body,
        offset: text.len() - body.len(),
        file,
        seen: HashSet::new(),
        used: Vec::new(),
    };
    reader.document();
    let inputs = reader.inputs();
    let mut used = reader.used;
    used.sort_by_key(|used| used.text.at);
    Ok(Workflow { file, used, inputs })
}

struct Reader<'t> {
    tree: Tree,
    body: &'t str,
    /// The length of the byte order mark.
    offset: usize,
    file: FileId,
    /// What was read already, by way of another alias.
    seen: HashSet<(NodeId, UsedKind)>,
    used: Vec<Used>,
}

impl Reader<'_> {
    fn document(&mut self) {
        let Some(root) = self.tree.root() else { return };
        for job in self.values(self.tree.get(root, "jobs")) {
            let with = self.tree.get(job, "with");
            self.add(self.tree.get(job, "uses"), UsedKind::Action, with);
            self.steps(self.tree.get(job, "steps"));
            self.image(self.tree.get(job, "container"));
            for service in self.values(self.tree.get(job, "services")) {
                self.image(Some(service));
            }
        }
        if let Some(runs) = self.tree.get(root, "runs") {
            self.steps(self.tree.get(runs, "steps"));
            let image = self.tree.get(runs, "image");
            let is_pulled = |id| {
                let text = self.tree.text(id);
                text.is_some_and(|(text, _)| text.starts_with("docker://"))
            };
            self.add(image.filter(|id| is_pulled(*id)), UsedKind::Image, None);
        }
    }

    /// The inputs of an action, or of a workflow that others may call; none where the document is neither.
    fn inputs(&self) -> Option<Vec<String>> {
        let root = self.tree.root()?;
        let declaring = match self.tree.get(root, "runs") {
            Some(_) => root,
            None => self.tree.get(self.tree.get(root, "on")?, "workflow_call")?,
        };
        let names = self.tree.get(declaring, "inputs").into_iter();
        let names = names.flat_map(|inputs| self.tree.pairs(inputs));
        let names = names.filter_map(|(name, _)| Some(self.tree.text(*name)?.0.to_owned()));
        Some(names.collect())
    }

    fn values(&self, table: Option<NodeId>) -> Vec<NodeId> {
        let pairs = table.map_or(&[][..], |table| self.tree.pairs(table));
        pairs.iter().map(|(_, value)| *value).collect()
    }

    fn steps(&mut self, steps: Option<NodeId>) {
        let Some(steps) = steps.filter(|steps| self.seen.insert((*steps, UsedKind::Action))) else {
            return;
        };
        for step in self.tree.items(steps).to_vec() {
            let with = self.tree.get(step, "with");
            self.add(self.tree.get(step, "uses"), UsedKind::Action, with);
        }
    }

    /// An image by its name, or a table with one.
    fn image(&mut self, node: Option<NodeId>) {
        let Some(node) = node else { return };
        let named = self.tree.get(node, "image");
        self.add(named.or(Some(node)), UsedKind::Image, None);
    }

    fn add(&mut self, node: Option<NodeId>, kind: UsedKind, with: Option<NodeId>) {
        let Some(node) = node.filter(|node| self.seen.insert((*node, kind))) else {
            return;
        };
        let Some((text, range)) = self.tree.text(node) else {
            return;
        };
        if text.trim().is_empty() {
            return;
        }
        let used = Used {
            text: Located::new(text.to_owned(), self.at(&range)),
            comment: comment(self.body.get(range.end..).unwrap_or_default()),
            kind,
            with: self.keys(with),
        };
        self.used.push(used);
    }

    /// The keys of a table, each where it stands.
    fn keys(&self, table: Option<NodeId>) -> Vec<Located<String>> {
        let pairs = table.map_or(&[][..], |table| self.tree.pairs(table));
        let keys = pairs.iter().filter_map(|(key, _)| {
            let (text, range) = self.tree.text(*key)?;
            Some(Located::new(text.to_owned(), self.at(&range)))
        });
        keys.collect()
    }

    fn at(&self, range: &Range<usize>) -> Location {
        let offset = |at: usize| u32::try_from(at + self.offset).unwrap_or(u32::MAX);
        Location {
            file: self.file,
            start: offset(range.start),
            end: offset(range.end),
        }
    }
}

/// The comment on the rest of a line, where nothing but the ends of flow collections stands before it.
fn comment(rest: &str) -> Option<String> {
    let line = rest.lines().next()?;
    let (before, comment) = line.split_once('#')?;
    let is_end = |character: char| matches!(character, ' ' | '\t' | '}' | ']' | ',');
    let is_comment = before.ends_with([' ', '\t']) && before.chars().all(is_end);
    is_comment.then(|| comment.trim().to_owned())
}

#[cfg(test)]
mod tests;
