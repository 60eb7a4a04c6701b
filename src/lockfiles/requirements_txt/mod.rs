//! `requirements*.txt`, as pip reads it (<https://pip.pypa.io/en/stable/reference/requirements-file-format/>).
//!
//! Included files are looked up in `sources` by their path relative to the workspace; those that are not there are told
//! in [`RequirementsFile::unread`]. Environment variables stay as they are written. Constraints are no packages: they
//! pin and hash what has their name.

mod comments;
mod entry;
mod lines;
mod options;
#[cfg(test)]
mod tests;

use std::ops::Range;

use crate::lockfiles::fault::{FaultKind, Faults};
use crate::lockfiles::requirements_txt::comments::Comments;
use crate::lockfiles::requirements_txt::lines::{Line, lines};
use crate::lockfiles::requirements_txt::options::{Given, Options, Wrong};
use crate::model::lockfile::{
    Format, Hash, Lockfile, Package, RequirementsFile, RequirementsOption, Source, Specific, Text,
};
use crate::model::sources::{FileId, Located, Location, Sources};

/// Deeper includes are not followed.
const DEPTH: usize = 64;

/// Reads the file `file` of `sources`, and what it includes.
///
/// `None` where it is no text, or a merge left its markers in it; otherwise everything that can be read, with a fault
/// for what cannot.
pub fn read<'a>(file: FileId, sources: &'a Sources, faults: &mut Faults) -> Option<Lockfile<'a>> {
    let mut reader = Reader::new(sources, faults);
    let comments = reader.file(file, false)?;
    if reader.is_conflict {
        return None;
    }
    let (mut packages, constraints) = (reader.packages, reader.constraints);
    constrain(&mut packages, constraints);
    let mut specific = reader.specific;
    specific.command = comments.command;
    specific.python = comments.python;
    Some(Lockfile {
        format: Format::Requirements,
        file,
        version: None,
        generator: comments.generator,
        requires_python: None,
        content_hash: None,
        resolution_markers: Vec::new(),
        packages,
        specific: Specific::Requirements(Box::new(specific)),
    })
}

/// What a list of wishes asks for, the file of each where it stands.
#[derive(Debug)]
pub struct Wishes<'a> {
    /// Its requirements, and those of the files that it includes by `-r`.
    pub packages: Vec<Package<'a>>,
    /// The requirements of the files that it includes by `-c`.
    pub constraints: Vec<Package<'a>>,
    /// The files that were included, each once.
    pub included: Vec<FileId>,
    /// Files that are included and were not given to the reader.
    pub unread: Vec<Located<Text<'a>>>,
}

/// Reads the file `file` of `sources` as a list of wishes, and what it includes. `None` where it is no text.
pub fn wishes<'a>(file: FileId, sources: &'a Sources, faults: &mut Faults) -> Option<Wishes<'a>> {
    let mut reader = Reader::new(sources, faults);
    reader.file(file, false)?;
    Some(Wishes {
        packages: reader.packages,
        constraints: reader.constraints,
        included: reader.specific.included,
        unread: reader.specific.unread,
    })
}

/// Whether a text claims to be a lock: a tool says that it wrote it, or something in it has a hash. Any other is a list
/// of wishes.
pub fn is_lock(text: &str) -> bool {
    let mut comments = Comments::default();
    lines(FileId::default(), text).any(|line| {
        comments.read(&line, None);
        let body = line.text(line.body.clone());
        let start = options::start(body);
        let given = options::read(body.get(start..).unwrap_or_default(), 0);
        let has_hash = given.is_ok_and(|options| {
            options
                .given
                .iter()
                .any(|given| matches!(given.option.name, "--hash" | "--require-hashes"))
        });
        comments.generator.is_some() || has_hash
    })
}

/// The files that a text includes, as it writes them.
pub fn includes(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in lines(FileId::default(), text) {
        let body = line.text(line.body.clone());
        if options::start(body) > 0 {
            continue;
        }
        let Ok(options) = options::read(body, 0) else {
            continue;
        };
        found.extend(included(&options).map(|given| given.value.clone()));
    }
    found
}

/// Where `target`, included by the file at `path`, is: relative to the workspace. `None` where that is outside of it, or
/// at an address.
pub fn resolve(path: &str, target: &str) -> Option<String> {
    let is_address = target.contains("://") || target.starts_with("file:");
    let is_absolute = target.starts_with(['/', '\\']) || target.as_bytes().get(1) == Some(&b':');
    if is_address || is_absolute {
        return None;
    }
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// The option that includes a file: the first `-r`, else the first `-c`. pip passes over all others on the line.
fn included(options: &Options) -> Option<&Given> {
    let first = |name: &str| options.given.iter().find(|given| given.option.name == name);
    first("--requirement").or_else(|| first("--constraint"))
}

struct Reader<'a, 'f> {
    sources: &'a Sources,
    faults: &'f mut Faults,
    packages: Vec<Package<'a>>,
    constraints: Vec<Package<'a>>,
    specific: RequirementsFile<'a>,
    /// The files that are being read, the outermost first.
    stack: Vec<FileId>,
    is_conflict: bool,
}

impl<'a, 'f> Reader<'a, 'f> {
    fn new(sources: &'a Sources, faults: &'f mut Faults) -> Self {
        Self {
            sources,
            faults,
            packages: Vec::new(),
            constraints: Vec::new(),
            specific: RequirementsFile::default(),
            stack: Vec::new(),
            is_conflict: false,
        }
    }

    fn file(&mut self, file: FileId, is_constraint: bool) -> Option<Comments<'a>> {
        let bytes = self.sources.bytes(file);
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                let offset = u32::try_from(error.valid_up_to()).unwrap_or(u32::MAX);
                let at = Location {
                    file,
                    start: offset,
                    end: offset.saturating_add(1),
                };
                self.faults.add_with_help(
                    FaultKind::Syntax,
                    at,
                    "the file is no UTF-8 text; pip guesses the encoding from the machine that it runs on",
                    "save it as UTF-8",
                );
                return None;
            }
        };
        self.stack.push(file);
        let mut comments = Comments::default();
        let before = (self.packages.len(), self.constraints.len());
        for line in lines(file, text) {
            self.line(&line, is_constraint);
            let via = match (is_constraint, self.packages.len() > before.0) {
                (false, true) => self.specific.via.last_mut(),
                _ => None,
            };
            comments.read(&line, via);
        }
        self.note_cut(file, text, &comments);
        self.stack.pop();
        Some(comments)
    }

    fn line(&mut self, line: &Line<'a>, is_constraint: bool) {
        if line.body.is_empty() {
            return;
        }
        let body = line.text(line.body.clone());
        if is_conflict_marker(body) {
            // An included file is judged as its own.
            self.is_conflict |= self.stack.len() == 1;
            self.faults.add_with_help(
                FaultKind::ConflictMarker,
                line.at(&line.body),
                "a merge conflict was committed here",
                "take one side, `git checkout --theirs <file>`, then compile it anew",
            );
            return;
        }
        if line.is_cut {
            self.faults.add_with_help(
                FaultKind::Truncated,
                line.at(&line.body),
                "the file ends in the middle: a backslash promises another line; pip installs what is left",
                "take the file from git again, or compile it anew",
            );
        }
        let start = line.body.start + options::start(body);
        let rest = line.text(start..line.body.end);
        match options::read(rest, start) {
            Err(wrong) => self.refuse(line, &wrong),
            Ok(options) => {
                for word in &options.ignored {
                    self.ignored(line, word.range.clone(), "it belongs to no option");
                }
                let head = lines::trimmed(line.text(0..start), line.body.start..start);
                if !head.is_empty() {
                    self.requirement(line, head, &options, is_constraint);
                } else if let Some(editable) = first(&options, "--editable") {
                    match entry::editable(line, editable.at.clone()) {
                        Ok(package) => self.push(package, is_constraint),
                        Err(wrong) => self.refuse(line, &wrong),
                    }
                } else {
                    self.options(line, &options);
                }
            }
        }
    }

    fn requirement(
        &mut self,
        line: &Line<'a>,
        head: Range<usize>,
        options: &Options,
        is_constraint: bool,
    ) {
        let mut package = match entry::requirement(line, head) {
            Ok(package) => package,
            Err(wrong) => return self.refuse(line, &wrong),
        };
        for given in &options.given {
            if given.option.name == "--hash" {
                package.hashes.push(hash(line, given));
            } else if !given.option.is_of_requirement {
                let why = "it has no effect on the line of a requirement";
                self.ignored(line, given.at.clone(), why);
            }
        }
        self.push(package, is_constraint);
    }

    fn push(&mut self, package: Package<'a>, is_constraint: bool) {
        if is_constraint {
            self.constraints.push(package);
        } else {
            self.packages.push(package);
            self.specific.via.push(Vec::new());
        }
    }

    fn options(&mut self, line: &Line<'a>, options: &Options) {
        if let Some(given) = included(options) {
            // What a constraints file includes by `-r` is required, as pip has it.
            self.include(line, given, given.option.name == "--constraint");
            for other in options.given.iter().filter(|other| other.at != given.at) {
                self.ignored(
                    line,
                    other.at.clone(),
                    "pip includes one file a line, and does nothing else there",
                );
            }
            return;
        }
        for given in &options.given {
            if given.option.is_of_requirement {
                let why = "it stands on a line without a requirement; a comment before it ends the continuation";
                self.ignored(line, given.at.clone(), why);
                continue;
            }
            let located = value(line, given);
            self.specific.options.push(RequirementsOption {
                name: given.option.name,
                value: located.value,
                at: located.at,
            });
        }
    }

    fn include(&mut self, line: &Line<'a>, given: &Given, is_constraint: bool) {
        let target = value(line, given);
        let from = self.sources.path(line.at(&line.body).file);
        let found = resolve(from, &target.value).and_then(|path| self.sources.find(&path));
        let Some(file) = found else {
            self.specific.unread.push(target);
            return;
        };
        if self.stack.contains(&file) {
            let message = format!(
                "`{}` includes itself here; pip refuses that",
                self.sources.path(file)
            );
            self.faults.add_with_help(
                FaultKind::Syntax,
                target.at,
                message,
                "remove the line that closes the circle",
            );
            return;
        }
        if self.stack.len() >= DEPTH {
            self.faults.add_with_help(
                FaultKind::Syntax,
                target.at,
                format!(
                    "files include each other more than {DEPTH} deep here; what follows is not read"
                ),
                "put the lists into fewer files",
            );
            self.specific.unread.push(target);
            return;
        }
        if self.specific.included.contains(&file) {
            return;
        }
        self.specific.included.push(file);
        self.file(file, is_constraint);
    }

    fn refuse(&mut self, line: &Line<'a>, wrong: &Wrong) {
        self.faults.add_with_help(
            FaultKind::Syntax,
            line.at(&wrong.at),
            format!("pip refuses this line: {}", wrong.message),
            "correct the line, or compile the file anew",
        );
    }

    fn ignored(&mut self, line: &Line<'a>, range: Range<usize>, why: &str) {
        let text = line.text(range.clone());
        let shown: String = text.chars().take(80).collect();
        self.faults.add_with_help(
            FaultKind::Syntax,
            line.at(&range),
            format!("pip ignores `{shown}`: {why}"),
            "put it where it counts, or remove it",
        );
    }

    /// A generated file ends with a line break, whatever the tool.
    fn note_cut(&mut self, file: FileId, text: &str, comments: &Comments<'_>) {
        if comments.generator.is_none() || text.ends_with(['\n', '\r']) {
            return;
        }
        let end = u32::try_from(text.len()).unwrap_or(u32::MAX);
        let last = text.lines().last().map_or(0, str::len);
        let at = Location {
            file,
            start: end - u32::try_from(last).unwrap_or(end).min(end),
            end,
        };
        self.faults.add_with_help(
            FaultKind::Truncated,
            at,
            "the file ends in the middle: its tool ends every line; pip installs what is left",
            "take the file from git again, or compile it anew",
        );
    }
}

fn first<'o>(options: &'o Options, name: &str) -> Option<&'o Given> {
    options.given.iter().find(|given| given.option.name == name)
}

/// A value of an option, borrowed where it is written without quotes.
fn value<'a>(line: &Line<'a>, given: &Given) -> Located<Text<'a>> {
    let piece = line.piece(given.at.clone());
    if piece.value == given.value {
        piece
    } else {
        Located::new(Text::Owned(given.value.clone()), piece.at)
    }
}

/// `sha256:…`; without an algorithm where there is no colon.
fn hash<'a>(line: &Line<'a>, given: &Given) -> Hash<'a> {
    let whole = value(line, given);
    let (algorithm, digest) = match whole.value {
        Text::Borrowed(text) => {
            let (algorithm, digest) = text.split_once(':').unwrap_or(("", text));
            (Text::Borrowed(algorithm), Text::Borrowed(digest))
        }
        Text::Owned(text) => {
            let (algorithm, digest) = text.split_once(':').unwrap_or(("", &text));
            (algorithm.to_owned().into(), digest.to_owned().into())
        }
    };
    Hash {
        algorithm,
        digest,
        at: whole.at,
    }
}

fn is_conflict_marker(body: &str) -> bool {
    let is_marked = ["<<<<<<< ", ">>>>>>> ", "||||||| "]
        .iter()
        .any(|marker| body.starts_with(marker));
    is_marked || body == "======="
}

/// Constraints pin and hash the packages of their name, where they hold everywhere.
fn constrain<'a>(packages: &mut [Package<'a>], constraints: Vec<Package<'a>>) {
    for constraint in constraints {
        let is_index = matches!(constraint.source.value, Source::Unstated);
        if !is_index || constraint.marker.is_some() {
            continue;
        }
        for package in packages
            .iter_mut()
            .filter(|package| package.name.normal == constraint.name.normal)
        {
            if package.version.is_none() {
                package.version.clone_from(&constraint.version);
            }
            package.hashes.extend(constraint.hashes.iter().cloned());
        }
    }
}
