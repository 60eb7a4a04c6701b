//! Which findings are kept, decided one by one as they are read: memory holds only what is kept.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use foldhash::fast::RandomState;
use globset::GlobSet;

use crate::model::change::{Change, FileChange};
use crate::model::diagnostic::{Finding, RawFinding, Severity};
use crate::model::fix::Fix;
use crate::model::region::Region;
use crate::steps::gate::ignore::Ignore;
use crate::steps::lint_gate::Scope;
use crate::steps::lint_gate::place;
use crate::steps::lint_gate::settling::Settling;
use crate::steps::lint_gate::severity::{Override, severity};
use crate::system::clock::Date;
use crate::system::files::Workspace;

/// Checkers of whole programs: a change moves their findings in files that it does not touch.
const TYPE_CHECKERS: &[&str] = &["mypy", "pyright", "basedpyright", "ty", "pyrefly"];

/// Why a finding is left out that `exclude` names.
pub const EXCLUDED: &str = "excluded";
/// Why a finding is left out that `ignore` names.
pub const IGNORED: &str = "ignored";

/// What decides about a finding.
#[derive(Debug)]
pub struct Filter {
    /// Which findings count.
    pub scope: Scope,
    /// The change; `None` where there is no base.
    pub change: Option<Change>,
    /// Files that are left out, relative to the working directory.
    pub exclude: GlobSet,
    /// Findings that are ignored for a while.
    pub ignores: Vec<Ignore>,
    /// Severities instead of the tools' own.
    pub severities: Vec<Override>,
    /// Those of the base, where a proposal is judged.
    pub severities_of_base: Option<Vec<Override>>,
    /// Today.
    pub today: Date,
    /// Brings paths home.
    pub workspace: Workspace,
    /// Where globs are written: the working directory.
    pub directory: PathBuf,
    /// Whether what is left out is kept aside, for whoever asks why.
    pub remembers: bool,
    /// Whether all findings are compared with known ones.
    pub compares: bool,
}

/// A finding that is kept, its place still as the tool printed it.
#[derive(Clone, Debug)]
pub struct Kept {
    /// All but the place.
    pub finding: Finding,
    /// The place.
    pub region: Region,
    /// What would mend it.
    pub fix: Option<Box<Fix<Region>>>,
    /// Whether it is compared with known ones.
    pub is_compared: bool,
}

/// Findings by their file: they are settled file by file, and forgotten so.
pub type ByFile = BTreeMap<Option<Arc<str>>, Vec<Kept>>;

/// What one tool or report gave.
#[derive(Debug)]
pub struct Collector {
    filter: Arc<Filter>,
    /// Where the tool ran.
    directory: PathBuf,
    /// What is kept.
    pub kept: Settling,
    /// What is left out and remembered, by reason.
    pub aside: BTreeMap<&'static str, Settling>,
    /// What is left out, by reason.
    pub left_out: BTreeMap<String, u64>,
    /// Findings that name a file.
    named: u64,
    /// Those of them whose file is not in the workspace, and the first such file.
    astray: (u64, Option<String>),
    /// The files that findings named, as they named them.
    subjects: HashMap<String, Arc<Subject>>,
    /// The one that was named last.
    recent: Option<(String, Arc<Subject>)>,
    /// Texts that findings share.
    texts: Texts,
}

/// So many files are remembered; findings come file by file, so that few are asked for twice.
const SUBJECTS: usize = 4_096;

/// A file that findings name, looked up once.
#[derive(Debug, Default)]
struct Subject {
    /// Relative to the workspace; `None` outside of it.
    path: Option<Arc<str>>,
    /// As seen from the working directory, where globs are written.
    local: Option<String>,
    /// Whether it is in the workspace now.
    is_there: bool,
    /// What the change did to it, in the line numbers of the tools.
    change: Option<FileChange>,
}

impl Collector {
    /// An empty one.
    pub fn new(filter: Arc<Filter>, directory: &Path) -> Self {
        Self {
            directory: directory.to_owned(),
            kept: Settling::new(filter.workspace.clone()),
            aside: BTreeMap::new(),
            left_out: BTreeMap::new(),
            named: 0,
            astray: (0, None),
            subjects: HashMap::new(),
            recent: None,
            texts: Texts::default(),
            filter,
        }
    }

    /// Decides about one finding.
    pub fn add(&mut self, tool: &str, raw: RawFinding) {
        let subject = raw.path.as_deref().map(|path| self.subject(path));
        match self
            .filter
            .decide(tool, raw, subject.as_deref(), &mut self.texts)
        {
            (Ok(()), Some(kept)) => self.kept.add(kept),
            (Ok(()), None) => {}
            (Err(reason), kept) => {
                match self.left_out.get_mut(reason) {
                    Some(count) => *count += 1,
                    None => {
                        self.left_out.insert(reason.to_owned(), 1);
                    }
                }
                if let Some(kept) = kept {
                    let workspace = &self.filter.workspace;
                    self.aside
                        .entry(reason)
                        .or_insert_with(|| Settling::new(workspace.clone()))
                        .add(kept);
                }
            }
        }
    }

    /// The first file, where there are findings and not one names a file of the workspace: made elsewhere, with other
    /// paths, so that nobody can say which lines of the change they are about.
    pub fn all_astray(&self) -> Option<&str> {
        let (count, first) = &self.astray;
        first.as_deref().filter(|_| *count == self.named)
    }

    fn subject(&mut self, path: &str) -> Arc<Subject> {
        let subject = if let Some((recent, known)) = &self.recent
            && recent == path
        {
            known.clone()
        } else if let Some(known) = self.subjects.get(path) {
            known.clone()
        } else {
            if self.subjects.len() >= SUBJECTS {
                self.subjects.clear();
            }
            let fresh = Arc::new(self.filter.look_up(path, &self.directory));
            self.subjects.insert(path.to_owned(), fresh.clone());
            fresh
        };
        match &mut self.recent {
            Some((recent, _)) if recent == path => {}
            recent => *recent = Some((path.to_owned(), subject.clone())),
        }
        self.named += 1;
        if !subject.is_there {
            self.astray.0 += 1;
            self.astray.1.get_or_insert_with(|| path.to_owned());
        }
        subject
    }
}

/// So many texts are shared before it is tried anew.
const TEXTS: usize = 65_536;

/// One copy of each text that many findings have.
#[derive(Debug, Default)]
struct Texts {
    known: HashSet<Arc<str>, RandomState>,
    /// The name of a tool, which most findings of a report share.
    tool: Option<Arc<str>>,
}

impl Texts {
    fn share(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.known.get(text) {
            return known.clone();
        }
        if self.known.len() >= TEXTS {
            self.known.clear();
        }
        let fresh: Arc<str> = text.into();
        self.known.insert(fresh.clone());
        fresh
    }

    fn share_tool(&mut self, tool: &str) -> Arc<str> {
        if let Some(known) = self.tool.as_ref().filter(|known| ***known == *tool) {
            return known.clone();
        }
        let shared = self.share(tool);
        self.tool.insert(shared).clone()
    }
}

impl Filter {
    /// One that keeps what this one keeps, but for the scope: for the same project in another folder.
    #[must_use]
    pub fn elsewhere(&self, workspace: Workspace, directory: PathBuf) -> Self {
        Self {
            scope: Scope::Everything,
            change: None,
            exclude: self.exclude.clone(),
            ignores: self.ignores.clone(),
            severities: self.severities.clone(),
            severities_of_base: self.severities_of_base.clone(),
            today: self.today,
            workspace,
            directory,
            remembers: false,
            compares: true,
        }
    }

    /// The file that a tool names.
    fn look_up(&self, path: &str, directory: &Path) -> Subject {
        let Some(path) = self.workspace.relative(path, directory) else {
            return Subject::default();
        };
        let mut change = self
            .change
            .as_ref()
            .and_then(|change| change.files.get(&path))
            .cloned();
        if let Some(file) = change.as_mut().filter(|file| !file.added.is_empty())
            && let Some(content) = place::read(&path, &self.workspace)
        {
            // Tools end lines where git does not.
            file.count_lone_returns(&content);
        }
        Subject {
            local: Some(self.local(&path)),
            is_there: self.workspace.root().join(&path).exists(),
            change,
            path: Some(path.into()),
        }
    }

    /// Whether the finding is kept, else why not; and the finding, unless nobody will ask for it.
    fn decide(
        &self,
        tool: &str,
        raw: RawFinding,
        subject: Option<&Subject>,
        texts: &mut Texts,
    ) -> (std::result::Result<(), &'static str>, Option<Kept>) {
        let path = subject.and_then(|subject| subject.path.clone());
        let new = self.is_new(tool, &raw, subject);
        let fate = self
            .is_wanted(tool, raw.rule.as_deref(), subject)
            .and_then(|()| self.in_scope(tool, path.as_deref(), raw.path.is_some(), new));
        if fate.is_err() && !self.remembers {
            return (fate, None);
        }
        let judged = self.severity(tool, &raw);
        let message = match (&path, &raw.path, raw.region.line) {
            (None, Some(outside), Some(line)) => format!("{outside}:{line}: {}", raw.message),
            (None, Some(outside), None) => format!("{outside}: {}", raw.message),
            _ => raw.message,
        };
        let mut shared = |text: Option<String>| text.map(|text| texts.share(&text));
        let finding = Finding {
            rule: shared(raw.rule),
            path,
            url: shared(raw.url),
            help: shared(raw.help),
            new,
            ..Finding::new(texts.share_tool(tool), "", judged, texts.share(&message))
        };
        let kept = Kept {
            finding,
            region: raw.region,
            fix: raw.fix.map(Box::new),
            is_compared: self.compares || (self.change.is_some() && is_type_checker(tool)),
        };
        (fate, Some(kept))
    }

    /// What the user does not want to see.
    fn is_wanted(
        &self,
        tool: &str,
        rule: Option<&str>,
        subject: Option<&Subject>,
    ) -> std::result::Result<(), &'static str> {
        let path = subject.and_then(|subject| subject.path.as_deref());
        let local = subject.and_then(|subject| subject.local.as_deref());
        // A glob may be written from the working directory, or from the root, as reports show paths.
        let spellings = [local, path];
        let is_excluded = |path: &str| self.exclude.is_match(path);
        if spellings.into_iter().flatten().any(is_excluded) {
            return Err(EXCLUDED);
        }
        let ignored = self
            .ignores
            .iter()
            .filter(|ignore| ignore.until >= self.today)
            .any(|ignore| ignore.covers(tool, rule, &spellings));
        if ignored { Err(IGNORED) } else { Ok(()) }
    }

    /// The severity that counts: on a proposal the worse of what it and its base say.
    fn severity(&self, tool: &str, raw: &RawFinding) -> Severity {
        let of = |list: &[Override]| severity(list, tool, raw.rule.as_deref(), raw.severity);
        let judged = of(&self.severities);
        match &self.severities_of_base {
            Some(list) => judged.max(of(list)),
            None => judged,
        }
    }

    /// Whether the change added or edited a line of the finding; `None` where there is no base.
    fn is_new(&self, tool: &str, raw: &RawFinding, subject: Option<&Subject>) -> Option<bool> {
        self.change.as_ref()?;
        let touched = subject.and_then(|subject| subject.change.as_ref());
        let is_here = subject.is_some_and(|subject| subject.path.is_some());
        Some(match (is_here, raw.region.line) {
            // An import block is one finding from its first line on: any changed line in it is the change's. An error
            // about a whole function belongs to its head.
            (true, Some(line)) => {
                let first = line.get();
                let last = raw
                    .region
                    .last_line()
                    .filter(|_| !is_type_checker(tool))
                    .map_or(first, |last| last.get().max(first));
                touched.is_some_and(|file| file.touches(first, last))
            }
            (true, None) => touched.is_some(),
            // It belongs to no file of ours: nobody can say that the change has nothing to do with it.
            (false, _) => raw.path.is_none(),
        })
    }

    fn in_scope(
        &self,
        tool: &str,
        path: Option<&str>,
        names_a_file: bool,
        new: Option<bool>,
    ) -> std::result::Result<(), &'static str> {
        if self.scope == Scope::Everything || is_type_checker(tool) {
            return Ok(());
        }
        match (path, self.scope) {
            (None, _) if names_a_file => Err("outside the workspace"),
            (Some(_), Scope::ChangedLines) if new == Some(false) => Err("not on a changed line"),
            (Some(path), Scope::ChangedFiles)
                if self
                    .change
                    .as_ref()
                    .is_some_and(|change| !change.has_file(path)) =>
            {
                Err("not in a changed file")
            }
            _ => Ok(()),
        }
    }

    /// A path of the workspace as seen from the working directory, where globs are written.
    fn local(&self, path: &str) -> String {
        let prefix = self
            .directory
            .strip_prefix(self.workspace.root())
            .ok()
            .and_then(|prefix| prefix.to_str())
            .unwrap_or_default();
        path.strip_prefix(prefix)
            .and_then(|rest| rest.strip_prefix('/'))
            .unwrap_or(path)
            .to_owned()
    }
}

fn is_type_checker(tool: &str) -> bool {
    TYPE_CHECKERS.contains(&tool)
}
