//! Generated refactorings, judged by real tools: what was known stays known, and what is new is new.
//!
//! A case is a file of Python with 50 findings of ruff, mypy and pyright, and a second file beside it. Its findings go
//! through the baseline file. Then it is refactored, formatted anew by a real formatter, and one thing is made wrong that
//! was not: a new statement, or an old one that is taken out of its function and written in another. The findings of the
//! tools on that must be known, but for those on what was made wrong.
//!
//! `LOCKGATE_CAMPAIGN=10 cargo test --test it refactorings` runs ten times as many; `LOCKGATE_CAMPAIGN_SEED=N` begins with
//! another seed.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use lockgate::baseline::{Baseline, Keyed, Outline, key, matching};
use lockgate::linters::Tool;
use lockgate::linters::position::{SourceLines, locate};
use lockgate::model::diagnostic::{Finding, RawFinding};

use crate::support::tools::tool;

/// How many cases the suite runs; a campaign runs them so many times over, each time others.
const IN_THE_SUITE: usize = 50;

/// So many findings the file has at least.
const FINDINGS: usize = 50;

#[test]
#[expect(
    clippy::print_stderr,
    reason = "the figures are the point of a campaign"
)]
fn refactorings_make_no_finding_new_and_hide_none() {
    let number = |name: &str| -> Option<u64> {
        let text = std::env::var(name).ok()?;
        Some(text.parse().expect("a number"))
    };
    let factor = usize::try_from(number("LOCKGATE_CAMPAIGN").unwrap_or(1)).unwrap();
    let first = number("LOCKGATE_CAMPAIGN_SEED").unwrap_or(0);
    let mut failures = Vec::new();
    let mut figures = BTreeMap::new();
    for batch in 0..factor {
        let seeds: Vec<u64> = (0..IN_THE_SUITE as u64)
            .map(|index| first + (batch * IN_THE_SUITE) as u64 + index)
            .collect();
        run(&seeds, &mut failures, &mut figures);
    }
    eprintln!("{figures:#?}");
    assert!(
        failures.is_empty(),
        "{} of {} cases:\n{}",
        failures.len(),
        factor * IN_THE_SUITE,
        failures.join("\n")
    );
    assert!(figures["findings of a case, at least"] >= FINDINGS);
}

/// The cases of some seeds: each tool runs twice, over the files of all of them.
fn run(seeds: &[u64], failures: &mut Vec<String>, figures: &mut BTreeMap<&'static str, usize>) {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().canonicalize().unwrap();
    let (base, head) = (folder.join("base"), folder.join("head"));
    let mut cases = Vec::new();
    for &seed in seeds {
        let case = Case::generate(seed);
        case.before.write(&base, &case.folder);
        case.after.write(&head, &case.folder);
        cases.push(case);
    }
    for style in STYLES {
        let folders = cases.iter().filter(|case| case.style == *style);
        let folders: Vec<PathBuf> = folders.map(|case| head.join(&case.folder)).collect();
        style.apply(&folders);
    }
    let (before, after) = (findings(&base), findings(&head));
    for case in &cases {
        *figures.entry("cases").or_default() += 1;
        for step in &case.steps {
            *figures.entry(step).or_default() += 1;
        }
        if let Err(what) = case.judge(&base, &head, &before, &after, figures) {
            failures.push(format!(
                "seed {}: {:?}, {:?}: {what}",
                case.seed, case.steps, case.style
            ));
        }
    }
}

/// A formatter and its line length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    AsWritten,
    Ruff(&'static str),
    Black(&'static str),
}

const STYLES: &[Style] = &[
    Style::AsWritten,
    Style::Ruff("44"),
    Style::Ruff("120"),
    Style::Black("60"),
];

impl Style {
    fn apply(self, folders: &[PathBuf]) {
        let mut command = match self {
            Self::AsWritten => return,
            Self::Ruff(length) => {
                let mut command = Command::new(tool("ruff"));
                command.args([
                    "format",
                    "--quiet",
                    "--isolated",
                    "--no-cache",
                    "--line-length",
                    length,
                ]);
                command
            }
            Self::Black(length) => {
                let mut command = Command::new(tool("black"));
                command.args(["--quiet", "--line-length", length, "--config", "/dev/null"]);
                command
            }
        };
        if !folders.is_empty() {
            let status = command.args(folders).status().unwrap();
            assert!(status.success(), "{command:?}: {status}");
        }
    }
}

/// What the tools say of each folder of cases, each file's findings in the order of their places.
fn findings(root: &Path) -> HashMap<String, Vec<Finding>> {
    let run = |name: &str, arguments: &[&str]| {
        let mut command = Command::new(tool(name));
        command
            .args(arguments)
            .arg(".")
            .current_dir(root)
            .stdin(Stdio::null());
        (command.output().unwrap().stdout, name.to_owned())
    };
    let outputs = std::thread::scope(|scope| {
        let ruff = scope.spawn(|| run("ruff", RUFF));
        let mypy = scope.spawn(|| run("mypy", MYPY));
        let pyright = scope.spawn(|| run("pyright", &["--outputjson"]));
        [ruff, mypy, pyright].map(|run| run.join().unwrap())
    });
    let mut raw: Vec<(Tool, RawFinding)> = Vec::new();
    for (output, name) in outputs {
        let tool = Tool::from_name(&name).unwrap();
        let reading = tool.read(&output[..], &mut |finding| raw.push((tool, finding)));
        assert!(reading.findings > 0, "{name} found nothing");
    }
    let mut sources: HashMap<String, Vec<u8>> = HashMap::new();
    let mut by_folder: HashMap<String, Vec<Finding>> = HashMap::new();
    for (tool, raw) in raw {
        let path = PathBuf::from(raw.path.as_deref().unwrap());
        let path = root.join(path);
        let path = path
            .strip_prefix(root)
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        let source = sources
            .entry(path.clone())
            .or_insert_with(|| std::fs::read(root.join(&path)).unwrap());
        let mut finding = Finding::new(tool.name(), "", raw.severity, raw.message);
        finding.rule = raw.rule.map(Into::into);
        finding.span = locate(&raw.region, &SourceLines::new(source)).0;
        finding.path = Some(path.as_str().into());
        let folder = path.split('/').next().unwrap().to_owned();
        by_folder.entry(folder).or_default().push(finding);
    }
    for findings in by_folder.values_mut() {
        findings.sort_by(|left, right| {
            (&left.path, left.span, &left.tool, &left.rule).cmp(&(
                &right.path,
                right.span,
                &right.tool,
                &right.rule,
            ))
        });
    }
    by_folder
}

const RUFF: &[&str] = &[
    "check",
    "--isolated",
    "--no-cache",
    "--output-format=json-lines",
    "--select=E4,E7,E9,F,B,C4,UP",
];

const MYPY: &[&str] = &[
    "--output=json",
    "--strict",
    "--config-file=",
    "--cache-dir=/dev/null",
    "--explicit-package-bases",
    "--namespace-packages",
];

/// Something that can stand in a function. The number makes it unlike all others, unless it is to be like them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Statement {
    kind: Kind,
    number: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Clean,
    Undefined,
    None,
    Assignment,
    Except,
    Argument,
    Lambda,
    Tuple,
    Is,
    Format,
    Attribute,
    Long,
    Comprehension,
}

const WRONG: &[Kind] = &[
    Kind::Undefined,
    Kind::None,
    Kind::Assignment,
    Kind::Except,
    Kind::Argument,
    Kind::Lambda,
    Kind::Tuple,
    Kind::Is,
    Kind::Format,
    Kind::Attribute,
    Kind::Long,
    Kind::Comprehension,
];

impl Statement {
    fn lines(self) -> Vec<String> {
        let n = self.number;
        let text = match self.kind {
            Kind::Clean => format!("record(compute({n}, 'clean'))"),
            Kind::Undefined => format!("u{n} = compute(undefined_{n}, {n})"),
            Kind::None => format!("if compute({n}) == None:\n    record({n})"),
            Kind::Assignment => format!("v{n}: int = 'text {n}'"),
            Kind::Except => format!("try:\n    record({n})\nexcept:\n    record(-{n})"),
            Kind::Argument => {
                format!("record(area('wide {n}', {n}), 'and a second argument', {n})")
            }
            Kind::Lambda => format!("f{n} = lambda value: value + {n}"),
            Kind::Tuple => format!("assert (compute({n}), 'always true {n}')"),
            Kind::Is => format!("record(compute({n}) is {n})"),
            Kind::Format => format!("record(len(f'plain text {n}'))"),
            Kind::Attribute => format!("record('text {n}'.missing_{n})"),
            Kind::Long => format!(
                "w{n} = combine(first=undefined_{n}, second='some longer text {n}', third=[1, 2, {n}, None])"
            ),
            Kind::Comprehension => {
                format!("record(list([value for value in range({n})]), dict(), {n})")
            }
        };
        text.lines().map(str::to_owned).collect()
    }
}

#[derive(Clone, Debug)]
enum Item {
    Statement(Statement),
    Block(&'static str, Vec<Item>),
    Comment(u32),
}

impl Item {
    fn render(&self, indent: usize, text: &mut String) {
        let margin = " ".repeat(indent);
        match self {
            Self::Statement(statement) => {
                for line in statement.lines() {
                    writeln!(text, "{margin}{line}").unwrap();
                }
            }
            Self::Block(header, items) => {
                writeln!(text, "{margin}{header}").unwrap();
                for item in items {
                    item.render(indent + 4, text);
                }
            }
            Self::Comment(number) => writeln!(text, "{margin}# Remark {number}.").unwrap(),
        }
    }

    fn statements<'a>(&'a self, found: &mut Vec<&'a Statement>) {
        match self {
            Self::Statement(statement) => found.push(statement),
            Self::Block(_, items) => items.iter().for_each(|item| item.statements(found)),
            Self::Comment(_) => {}
        }
    }

    /// Puts another statement in the place of this one, wherever it is.
    fn replace(&mut self, old: Statement, new: Statement) {
        match self {
            Self::Statement(statement) if *statement == old => *statement = new,
            Self::Block(_, items) => items.iter_mut().for_each(|item| item.replace(old, new)),
            _ => {}
        }
    }
}

#[derive(Clone, Debug)]
struct Function {
    name: String,
    items: Vec<Item>,
    /// Whether lines were inserted.
    is_edited: bool,
}

impl Function {
    fn render(&self, indent: usize, in_class: bool, text: &mut String) {
        let margin = " ".repeat(indent);
        if in_class {
            writeln!(text, "{margin}@staticmethod").unwrap();
        }
        writeln!(text, "{margin}def {}() -> int:", self.name).unwrap();
        for item in &self.items {
            item.render(indent + 4, text);
        }
        writeln!(text, "{margin}    return 1\n\n").unwrap();
    }

    /// A function that is renamed *and* edited right beside its finding could as well be another one: what is left in it
    /// is new then. So nothing is changed in one.
    fn is_renamed(&self) -> bool {
        self.name.starts_with("renamed")
    }

    fn statements(&self) -> Vec<Statement> {
        let mut found = Vec::new();
        self.items
            .iter()
            .for_each(|item| item.statements(&mut found));
        found.into_iter().copied().collect()
    }
}

#[derive(Clone, Debug)]
enum Top {
    Function(Function),
    Class(String, Vec<Function>),
}

#[derive(Clone, Debug)]
struct File {
    name: String,
    imports: Vec<String>,
    tops: Vec<Top>,
    items: Vec<Item>,
}

impl File {
    fn render(&self) -> String {
        let mut text = String::from("from contextlib import nullcontext\n");
        for import in &self.imports {
            writeln!(text, "{import}").unwrap();
        }
        text.push_str(PRELUDE);
        for top in &self.tops {
            match top {
                Top::Function(function) => function.render(0, false, &mut text),
                Top::Class(name, methods) => {
                    writeln!(text, "class {name}:").unwrap();
                    for method in methods {
                        method.render(4, true, &mut text);
                    }
                }
            }
        }
        for item in &self.items {
            item.render(0, &mut text);
        }
        text
    }

    fn functions(&mut self) -> Vec<&mut Function> {
        let mut functions = Vec::new();
        for top in &mut self.tops {
            match top {
                Top::Function(function) => functions.push(function),
                Top::Class(_, methods) => functions.extend(methods),
            }
        }
        functions
    }
}

/// What all files have, right and in use.
const PRELUDE: &str = "

def compute(value: object, other: object = None) -> int:
    return len(repr((value, other)))


def record(*values: object) -> None:
    with nullcontext():
        repr(values)


def area(width: int, height: int) -> int:
    return width * height


def combine(*, first: object, second: str, third: list[int]) -> str:
    return repr((first, second, third))


";

#[derive(Clone, Debug)]
struct Project {
    files: Vec<File>,
}

impl Project {
    fn write(&self, root: &Path, folder: &str) {
        std::fs::create_dir_all(root.join(folder)).unwrap();
        for file in &self.files {
            std::fs::write(root.join(folder).join(&file.name), file.render()).unwrap();
        }
    }
}

struct Case {
    seed: u64,
    folder: String,
    before: Project,
    after: Project,
    style: Style,
    steps: Vec<&'static str>,
    /// From new names to old ones.
    renames: BTreeMap<String, String>,
    /// The function in which something is wrong that was not, and the number of that.
    wrong: Vec<(String, u32)>,
}

impl Case {
    fn generate(seed: u64) -> Self {
        let mut random = Random(seed);
        let folder = format!("case{seed}");
        let before = generate(&mut random);
        let mut case = Self {
            seed,
            folder,
            after: before.clone(),
            before,
            style: STYLES[random.below(STYLES.len())],
            steps: Vec::new(),
            renames: BTreeMap::new(),
            wrong: Vec::new(),
        };
        // The first seeds take each refactoring alone, all others some of them.
        let count = match usize::try_from(seed) {
            Ok(seed) if seed < 3 * REFACTORINGS.len() => 1,
            _ => 1 + random.below(4),
        };
        for index in 0..count {
            let pick = match usize::try_from(seed) {
                Ok(seed) if index == 0 => seed % REFACTORINGS.len(),
                _ => random.below(REFACTORINGS.len()),
            };
            let (name, refactoring) = REFACTORINGS[pick];
            case.steps.push(name);
            refactoring(&mut case, &mut random);
        }
        case.make_something_wrong(&mut random);
        case
    }

    fn make_something_wrong(&mut self, random: &mut Random) {
        let file = random.below(self.after.files.len());
        let kind = random.pick(WRONG);
        let mut functions = self.after.files[file].functions();
        functions.retain(|function| !function.is_renamed());
        let to = random.below(functions.len());
        let Some(function) = functions.get_mut(to) else {
            return;
        };
        let at = random.below(function.items.len() + 1);
        let statement = Statement {
            kind,
            number: 90_001,
        };
        function.items.insert(at, Item::Statement(statement));
        self.wrong.push((function.name.clone(), statement.number));
        if random.chance(60) {
            self.steps.push("an old one swapped for its like");
            self.swap(random);
        } else {
            self.steps.push("a new one only");
        }
    }

    /// Mends a finding in one function and makes the same mistake in another.
    fn swap(&mut self, random: &mut Random) {
        let mut wrong: Vec<(usize, String, Statement)> = Vec::new();
        for (index, file) in self.after.files.iter_mut().enumerate() {
            let functions = file.functions().into_iter();
            for function in functions.filter(|function| !function.is_renamed()) {
                let statements = function.statements().into_iter();
                let statements = statements
                    .filter(|statement| statement.kind != Kind::Clean && statement.number < 90_000);
                wrong.extend(statements.map(|statement| (index, function.name.clone(), statement)));
            }
        }
        let (from_file, from, statement) = wrong[random.below(wrong.len())].clone();
        let mended = Statement {
            kind: Kind::Clean,
            number: 91_001,
        };
        for function in self.after.files[from_file].functions() {
            if function.name == from {
                function
                    .items
                    .iter_mut()
                    .for_each(|item| item.replace(statement, mended));
            }
        }
        let file = random.below(self.after.files.len());
        let mut functions = self.after.files[file].functions();
        functions.retain(|function| {
            function.name != from
                && !function.is_renamed()
                && !function.statements().contains(&statement)
        });
        let to = random.below(functions.len());
        let Some(function) = functions.get_mut(to) else {
            return;
        };
        let at = random.below(function.items.len() + 1);
        function.items.insert(at, Item::Statement(statement));
        self.wrong.push((function.name.clone(), statement.number));
    }

    fn judge(
        &self,
        base: &Path,
        head: &Path,
        before: &HashMap<String, Vec<Finding>>,
        after: &HashMap<String, Vec<Finding>>,
        figures: &mut BTreeMap<&'static str, usize>,
    ) -> Result<(), String> {
        let before = &before[&self.folder];
        let after = &after[&self.folder];
        let main = format!("{}/orders.py", self.folder);
        let in_main = before
            .iter()
            .filter(|finding| finding.path.as_deref() == Some(&main));
        let least = figures
            .entry("findings of a case, at least")
            .or_insert(usize::MAX);
        *least = in_main.count().min(*least);
        let known = keys(base, before);
        let baseline = Baseline::default().of(known
            .iter()
            .zip(before.iter().map(|finding| &*finding.message)));
        let rendered = baseline.render();
        let baseline = Baseline::parse(&rendered, "baseline").map_err(|error| error.render())?;
        if baseline.render() != rendered {
            return Err("the file is not what was read".to_owned());
        }
        let matching = matching(
            &baseline.entries,
            &keys(head, after),
            &self.renames,
            |path| {
                let bytes = std::fs::read(head.join(path)).ok()?;
                Some(Outline::new(path, &bytes).inventory())
            },
        );
        let covered = matching.covered.iter();
        let new: BTreeSet<String> = covered
            .zip(after)
            .filter(|(entry, _)| entry.is_none())
            .map(|(_, finding)| shown(finding))
            .collect();
        let mut wrong = BTreeSet::new();
        for (function, number) in &self.wrong {
            let of_one: Vec<String> = self.places(head, function, *number, after);
            if of_one.is_empty() {
                return Err(format!("nothing found wrong with {number} in {function}"));
            }
            wrong.extend(of_one);
        }
        *figures.entry("findings compared").or_default() += after.len();
        *figures.entry("findings that are new").or_default() += wrong.len();
        if new == wrong {
            return Ok(());
        }
        let mut text = String::new();
        for finding in new.difference(&wrong) {
            write!(text, "\n  new, but known: {finding}").unwrap();
        }
        for finding in wrong.difference(&new) {
            write!(text, "\n  known, but new: {finding}").unwrap();
        }
        Err(text)
    }

    /// The findings on the statement of that number in that function.
    fn places(
        &self,
        head: &Path,
        function: &str,
        number: u32,
        findings: &[Finding],
    ) -> Vec<String> {
        let mut places = Vec::new();
        for file in &self.after.files {
            let path = format!("{}/{}", self.folder, file.name);
            let text = std::fs::read_to_string(head.join(&path)).unwrap();
            let Some((first, last)) = lines_of(&text, function, number) else {
                continue;
            };
            let here = findings.iter().filter(|finding| {
                let line = finding.line().unwrap_or(0);
                finding.path.as_deref() == Some(&path) && (first..=last).contains(&line)
            });
            places.extend(here.map(shown));
        }
        places
    }
}

/// The first and the last line of what has the number in it, in the function: as brackets hold lines together.
fn lines_of(text: &str, function: &str, number: u32) -> Option<(u32, u32)> {
    let header = format!("def {function}(");
    let number = number.to_string();
    let (mut inside, mut depth, mut start) = (None, 0_i32, 0);
    let mut found: Option<(u32, u32)> = None;
    let mut has_number = false;
    for (line, content) in (1..).zip(text.lines()) {
        let indent = content.len() - content.trim_start().len();
        if content.trim_start().starts_with(&header) {
            inside = Some(indent);
            continue;
        }
        let Some(outer) = inside else {
            continue;
        };
        if depth == 0 {
            if !content.trim().is_empty() && indent <= outer {
                break;
            }
            start = line;
            has_number = false;
        }
        has_number |= content.contains(&number);
        for byte in content.bytes() {
            depth += match byte {
                b'(' | b'[' | b'{' => 1,
                b')' | b']' | b'}' => -1,
                _ => 0,
            };
        }
        if depth == 0 && has_number {
            found = Some((found.map_or(start, |found| found.0), line));
        }
    }
    found
}

fn shown(finding: &Finding) -> String {
    format!(
        "{} {}: {}",
        finding.place().unwrap_or_default(),
        finding.id(),
        finding.message
    )
}

fn keys(root: &Path, findings: &[Finding]) -> Vec<Keyed> {
    let paths: BTreeSet<&str> = findings
        .iter()
        .filter_map(|finding| finding.path.as_deref())
        .collect();
    let mut keys = Vec::new();
    for path in paths {
        let bytes = std::fs::read(root.join(path)).unwrap();
        let outline = Outline::new(path, &bytes);
        let of_file = findings
            .iter()
            .filter(|finding| finding.path.as_deref() == Some(path));
        keys.extend(of_file.map(|finding| key(finding, Some(&outline))));
    }
    keys
}

fn generate(random: &mut Random) -> Project {
    let mut numbers = 10_000..;
    let mut next = || numbers.next().unwrap();
    let mut wrong: Vec<Kind> = WRONG.to_vec();
    while wrong.len() < 22 {
        wrong.push(random.pick(WRONG));
    }
    random.shuffle(&mut wrong);
    let mut function = |name: String, kinds: &[Kind], common: bool, random: &mut Random| {
        let mut items: Vec<Item> = kinds
            .iter()
            .flat_map(|kind| [(*kind, 100), (Kind::Clean, 60)])
            .filter(|(_, percent)| random.chance(*percent))
            .map(|(kind, _)| {
                Item::Statement(Statement {
                    kind,
                    number: next(),
                })
            })
            .collect();
        if common {
            let like = Statement {
                kind: Kind::Undefined,
                number: 80_001,
            };
            items.push(Item::Statement(like));
            items.push(Item::Statement(Statement {
                kind: Kind::Clean,
                number: next(),
            }));
        }
        Function {
            name,
            items,
            is_edited: false,
        }
    };
    let mut tops = Vec::new();
    let mut kinds = wrong.chunks(3);
    for index in 0..6 {
        let kinds = kinds.next().unwrap_or_default();
        tops.push(if index % 3 == 2 {
            let (left, right) = kinds.split_at(kinds.len() / 2);
            Top::Class(
                format!("Class{index}"),
                vec![
                    function(format!("method_{index}"), left, false, random),
                    function(format!("other_{index}"), right, index == 2, random),
                ],
            )
        } else {
            Top::Function(function(
                format!("function_{index}"),
                kinds,
                index < 2,
                random,
            ))
        });
    }
    let helpers = vec![
        Top::Function(function(
            "helper_0".to_owned(),
            &[Kind::Undefined, Kind::Lambda],
            true,
            random,
        )),
        Top::Function(function(
            "helper_1".to_owned(),
            &[Kind::Long, Kind::Clean],
            false,
            random,
        )),
    ];
    let items = kinds.flatten().map(|kind| {
        Item::Statement(Statement {
            kind: *kind,
            number: next(),
        })
    });
    let items = items.collect();
    Project {
        files: vec![
            File {
                name: "orders.py".to_owned(),
                imports: vec![
                    "import os".to_owned(),
                    "from json import dumps, loads".to_owned(),
                ],
                tops,
                items,
            },
            File {
                name: "helpers.py".to_owned(),
                imports: vec!["import os".to_owned()],
                tops: helpers,
                items: Vec::new(),
            },
        ],
    }
}

type Refactoring = fn(&mut Case, &mut Random);

const REFACTORINGS: &[(&str, Refactoring)] = &[
    ("the file renamed", rename_file),
    ("the file renamed behind git's back", rename_file_unseen),
    ("functions reordered", reorder),
    ("a function moved to another place", move_within),
    ("a function moved to the other file", move_across),
    ("statements indented into a block", indent),
    ("a function moved into a class", into_class),
    ("a function renamed", rename_function),
    ("a class renamed", rename_class),
    ("lines inserted", insert_lines),
    ("only wrapped anew", |_, _| {}),
];

fn rename_file(case: &mut Case, random: &mut Random) {
    let old = std::mem::replace(
        &mut case.after.files[0].name,
        format!("billing{}.py", random.below(90)),
    );
    let path = |name: &str| format!("{}/{name}", case.folder);
    let original = case
        .renames
        .remove(&path(&old))
        .unwrap_or_else(|| path(&old));
    let is_known = original == path("orders.py");
    if is_known {
        case.renames
            .insert(path(&case.after.files[0].name), original);
    }
}

fn rename_file_unseen(case: &mut Case, random: &mut Random) {
    case.after.files[0].name = format!("moved{}.py", random.below(90));
    case.renames.clear();
}

fn reorder(case: &mut Case, random: &mut Random) {
    let file = random.below(2);
    random.shuffle(&mut case.after.files[file].tops);
}

fn move_within(case: &mut Case, random: &mut Random) {
    let tops = &mut case.after.files[0].tops;
    let top = tops.remove(random.below(tops.len()));
    tops.insert(random.below(tops.len() + 1), top);
}

fn move_across(case: &mut Case, random: &mut Random) {
    let from = random.below(2);
    if case.after.files[from].tops.len() > 1 {
        let at = random.below(case.after.files[from].tops.len());
        let top = case.after.files[from].tops.remove(at);
        let tops = &mut case.after.files[1 - from].tops;
        tops.insert(random.below(tops.len() + 1), top);
    }
}

fn indent(case: &mut Case, random: &mut Random) {
    let mut functions = case.after.files[0].functions();
    let at = random.below(functions.len());
    let items = &mut functions[at].items;
    if !items.is_empty() {
        let first = random.below(items.len());
        let last = random.between(first, items.len() - 1);
        let inner: Vec<Item> = items.drain(first..=last).collect();
        let header = random.pick(&[
            "with nullcontext():",
            "for _ in range(2):",
            "if compute(1):",
        ]);
        if inner.iter().any(|item| !matches!(item, Item::Comment(_))) {
            items.insert(first, Item::Block(header, inner));
        } else {
            items.splice(first..first, inner);
        }
    }
}

fn into_class(case: &mut Case, random: &mut Random) {
    let tops = &mut case.after.files[0].tops;
    let place = tops.iter().position(|top| matches!(top, Top::Function(_)));
    if let Some(Top::Function(function)) = place.map(|place| tops.remove(place)) {
        let class = tops.iter_mut().find_map(|top| match top {
            Top::Class(_, methods) if random.chance(50) => Some(methods),
            _ => None,
        });
        match class {
            Some(methods) => methods.push(function),
            None => tops.push(Top::Class(
                format!("Holder{}", random.below(900)),
                vec![function],
            )),
        }
    }
}

fn rename_function(case: &mut Case, random: &mut Random) {
    let mut functions = case.after.files[0].functions();
    functions.retain(|function| !function.is_edited);
    let at = random.below(functions.len());
    if let Some(function) = functions.get_mut(at) {
        function.name = format!("renamed_{}", random.below(900_000));
    }
}

fn rename_class(case: &mut Case, random: &mut Random) {
    let classes = case.after.files[0].tops.iter_mut();
    let names = classes.filter_map(|top| match top {
        Top::Class(name, _) => Some(name),
        Top::Function(_) => None,
    });
    if let Some(name) = names.last() {
        *name = format!("Renamed{}", random.below(900));
    }
}

fn insert_lines(case: &mut Case, random: &mut Random) {
    for file in &mut case.after.files {
        for function in file.functions() {
            if function.is_renamed() {
                continue;
            }
            function.is_edited = true;
            let at = random.below(function.items.len() + 1);
            let number = 70_000 + u32::try_from(random.below(9_000)).unwrap();
            let item = if random.chance(50) {
                Item::Comment(number)
            } else {
                Item::Statement(Statement {
                    kind: Kind::Clean,
                    number,
                })
            };
            function.items.insert(at, item);
        }
    }
}

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(limit.max(1)).unwrap()).unwrap()
    }

    fn between(&mut self, low: usize, high: usize) -> usize {
        low + self.below(high - low + 1)
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}
