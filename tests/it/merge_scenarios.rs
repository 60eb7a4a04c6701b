//! Generated merges, end to end: which findings count must be what the generator knows, not what git's diff says.
//!
//! Every line of every file is unique. So a line of the merge is changed if and only if its bytes, line break
//! included, are not in the first parent's version of the file, followed through the generator's own renames.
//!
//! `LOCKGATE_SCENARIOS=320 cargo test --test it merge_scenarios` runs a campaign; `LOCKGATE_SCENARIO_SEED=N` runs one
//! scenario again.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use serde_json::json;

use crate::support::repository::{Entry, Place, Scene, Tree, write_program};

/// How many scenarios the suite runs.
const IN_THE_SUITE: u64 = 60;

#[test]
#[expect(
    clippy::print_stderr,
    reason = "the figures are the point of a campaign"
)]
fn the_filter_agrees_with_the_ground_truth_in_every_generated_merge() {
    let number = |name: &str| {
        std::env::var(name)
            .ok()
            .map(|text| text.parse().expect("a number"))
    };
    let seeds: Vec<u64> = match number("LOCKGATE_SCENARIO_SEED") {
        Some(seed) => vec![seed],
        None => (0..number("LOCKGATE_SCENARIOS").unwrap_or(IN_THE_SUITE)).collect(),
    };
    let (started, next) = (Instant::now(), AtomicU64::new(0));
    let (figures, failures) = (Mutex::new(Figures::default()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism()
            .map_or(2, usize::from)
            .min(4)
        {
            scope.spawn(|| {
                loop {
                    let index = usize::try_from(next.fetch_add(1, Ordering::Relaxed));
                    let Some(&seed) = index.ok().and_then(|index| seeds.get(index)) else {
                        break;
                    };
                    match std::panic::catch_unwind(|| scenario(seed)) {
                        Ok(Ok(of_one)) => figures.lock().expect("no panic").add(&of_one),
                        Ok(Err(what)) => failures
                            .lock()
                            .expect("no panic")
                            .push(format!("seed {seed}: {what}")),
                        Err(_) => failures
                            .lock()
                            .expect("no panic")
                            .push(format!("seed {seed}: panicked")),
                    }
                }
            });
        }
    });
    let (figures, failures) = (
        figures.into_inner().expect("no panic"),
        failures.into_inner().expect("no panic"),
    );
    eprintln!("{figures:#?}\n{:.1} s", started.elapsed().as_secs_f64());
    assert!(
        failures.is_empty(),
        "{} of {} scenarios disagree:\n{}",
        failures.len(),
        seeds.len(),
        failures.join("\n")
    );
}

/// What was compared.
#[derive(Debug, Default)]
struct Figures {
    scenarios: u64,
    lines: usize,
    changed_lines: usize,
    files: usize,
    /// Scenarios that were thrown away because the sides conflict.
    conflicts: u64,
    /// How often each thing happened.
    events: BTreeMap<&'static str, u64>,
}

impl Figures {
    fn add(&mut self, other: &Self) {
        self.scenarios += other.scenarios;
        self.lines += other.lines;
        self.changed_lines += other.changed_lines;
        self.files += other.files;
        self.conflicts += other.conflicts;
        for (event, count) in &other.events {
            *self.events.entry(event).or_default() += count;
        }
    }

    fn note(&mut self, event: &'static str) {
        *self.events.entry(event).or_default() += 1;
    }
}

/// Generates, merges, checks out, runs the gate and compares.
fn scenario(seed: u64) -> Result<Figures, String> {
    let scene = Scene::new();
    let mut conflicts = 0;
    let (story, told, main, head, merge) = loop {
        let mut random = Random(seed.wrapping_mul(1_000).wrapping_add(conflicts));
        let mut told = Figures::default();
        let story = Story::generate(&mut random, &mut told);
        let fork = scene.commit("main", None, &[story.base.tree()]);
        let main = scene.commit(
            "main",
            Some(&fork),
            &commits(&story.base, &story.main, &mut random),
        );
        let head = scene.commit(
            "feature",
            Some(&fork),
            &commits(&story.base, &story.head, &mut random),
        );
        if let Some(merge) = scene.merge(&main, &head) {
            break (story, told, main, head, merge);
        }
        conflicts += 1;
        if conflicts == 50 {
            return Err("every attempt had conflicts".to_owned());
        }
    };
    let mut figures = Figures {
        scenarios: 1,
        conflicts,
        ..told
    };
    scene.set_ref("refs/pull/1/head", &head);
    scene.set_ref("refs/pull/1/merge", &merge);
    let mut random = Random(!seed);

    // The files of the merge as git wrote them; who they are, the generator knows.
    let merged = files_of(&scene, &merge);
    let mut all: BTreeSet<Place> = BTreeSet::new();
    let mut expected: BTreeSet<Place> = BTreeSet::new();
    for (path, content) in &merged {
        if path == ATTRIBUTES || content.contains(&0) {
            continue;
        }
        let identity = story
            .identity(path)
            .ok_or_else(|| format!("the merge has a file `{path}` that nobody made"))?;
        let before = story
            .main
            .files
            .get(&identity)
            .filter(|file| !file.is_link());
        let old: HashSet<&[u8]> = before
            .map(|file| split(&file.content).collect())
            .unwrap_or_default();
        let mut number = 0;
        for line in split(content) {
            for _ in 0..lines_for_tools(line) {
                number += 1;
                all.insert((path.clone(), number));
                if !old.contains(line) {
                    expected.insert((path.clone(), number));
                }
            }
        }
        figures.files += 1;
    }
    figures.lines = all.len();
    figures.changed_lines = expected.len();

    let workspace = scene.workspace();
    let depth = match seed % 6 {
        1 | 3 => None,
        _ => Some(1),
    };
    let gate = match seed % 6 {
        4 => {
            let queue = "refs/heads/gh-readonly-queue/main/pr-1";
            scene.set_ref(queue, &merge);
            checkout(&scene, queue, depth, &mut random, &mut figures);
            figures.note("run: merge group");
            let payload = json!({"merge_group": {"head_sha": merge, "base_sha": main, "base_ref": "refs/heads/main"}});
            scene.gate().on("merge_group", &payload)
        }
        3 | 5 => {
            scene.set_ref("refs/heads/main", &merge);
            checkout(&scene, "refs/heads/main", depth, &mut random, &mut figures);
            figures.note("run: push");
            let payload = json!({"ref": "refs/heads/main", "before": main, "after": merge, "repository": {"default_branch": "main"}});
            scene.gate().on("push", &payload)
        }
        _ => {
            checkout(
                &scene,
                "refs/pull/1/merge",
                depth,
                &mut random,
                &mut figures,
            );
            figures.note("run: pull request");
            scene.gate().on_pull_request(&main, &head)
        }
    };
    figures.note(if depth.is_none() {
        "checkout: full"
    } else {
        "checkout: depth 1"
    });
    let gate = if random.chance(30) {
        figures.note("hostile: variables of git");
        gate.with("GIT_EXTERNAL_DIFF", "false")
            .with("GIT_DIFF_OPTS", "--unified=9")
            .with("GIT_DIR", scene.home())
            .with("GIT_CONFIG_COUNT", "1")
            .with("GIT_CONFIG_KEY_0", "diff.noprefix")
            .with("GIT_CONFIG_VALUE_0", "true")
    } else {
        gate
    };

    let outcome = gate.finding(all.iter().cloned()).run();
    let wanted = i32::from(!expected.is_empty());
    if outcome.run.code != wanted {
        return Err(format!(
            "exit code {} instead of {wanted}:\n{}",
            outcome.run.code, outcome.run.stderr
        ));
    }
    let kept = outcome.kept();
    if kept != expected {
        let hidden: Vec<_> = expected.difference(&kept).collect();
        let blamed: Vec<_> = kept.difference(&expected).collect();
        return Err(format!(
            "hidden: {hidden:?}\nblamed: {blamed:?}\n{}",
            outcome.run.stderr
        ));
    }
    if depth.is_none() && workspace.join(".git/shallow").exists() {
        return Err("the full clone was made shallow".to_owned());
    }
    Ok(figures)
}

/// The way of one side from the common ancestor to its tip, in one to three commits.
fn commits(from: &Side, to: &Side, random: &mut Random) -> Vec<Tree> {
    let (from, to) = (from.tree(), to.tree());
    let mut way = Vec::new();
    if random.chance(40) {
        // Some files first. The file that a name was taken from must be gone where the name is a folder now.
        let mut between = from.clone();
        for (path, entry) in &to {
            if from.contains_key(path) && random.chance(50) {
                between.insert(path.clone(), entry.clone());
            }
        }
        way.push(between);
    }
    if random.chance(20) {
        way.push(from);
    }
    way.push(to);
    way
}

/// The regular files of a commit, read from the server.
fn files_of(scene: &Scene, commit: &str) -> BTreeMap<String, Vec<u8>> {
    let listed = scene
        .try_git(&scene.origin(), ["ls-tree", "-r", "-z", commit], b"")
        .stdout;
    let listed = String::from_utf8(listed).expect("names in UTF-8");
    let files: Vec<(&str, &str)> = listed
        .split_terminator('\0')
        .filter_map(|entry| entry.split_once('\t'))
        .filter(|(meta, _)| meta.starts_with("100"))
        .map(|(meta, path)| (path, meta.rsplit(' ').next().expect("an object")))
        .collect();
    let wanted: Vec<&str> = files.iter().map(|(_, object)| *object).collect();
    let wanted = wanted.join(
        "
",
    );
    let bytes = scene
        .try_git(&scene.origin(), ["cat-file", "--batch"], wanted.as_bytes())
        .stdout;
    let mut rest = bytes.as_slice();
    let mut contents = BTreeMap::new();
    for (path, _) in files {
        let end = rest
            .iter()
            .position(|byte| *byte == b'\n')
            .expect("a header");
        let header = std::str::from_utf8(&rest[..end]).expect("a header");
        let size: usize = header
            .rsplit(' ')
            .next()
            .and_then(|size| size.parse().ok())
            .expect("a size");
        contents.insert(path.to_owned(), rest[end + 1..end + 1 + size].to_vec());
        rest = &rest[end + 2 + size..];
    }
    contents
}

/// Lines as git counts them, with their line breaks.
fn split(content: &[u8]) -> impl Iterator<Item = &[u8]> {
    content.split_inclusive(|byte| *byte == b'\n')
}

/// How many lines the tools see in one line of git's: a lone return ends a line for them.
fn lines_for_tools(line: &[u8]) -> usize {
    let text = line.strip_suffix(b"\n").unwrap_or(line);
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    text.split(|byte| *byte == b'\r').count()
}

// ---- checkouts with hostile configuration ----

fn checkout(
    scene: &Scene,
    git_ref: &str,
    depth: Option<u32>,
    random: &mut Random,
    figures: &mut Figures,
) {
    scene.checkout(&scene.workspace(), git_ref, depth);
    let programs = scene.path().join("programs");
    let (external, empty) = (programs.join("external"), programs.join("empty"));
    write_program(&external, "#!/bin/sh\necho 'diff --git a/x b/x'\n");
    write_program(&empty, "#!/bin/sh\nexit 0\n");
    let (external, empty) = (external.display().to_string(), empty.display().to_string());
    let order = scene.path().join("order");
    std::fs::write(&order, "*.txt\n*\n").expect("a file");
    let order = order.display().to_string();
    let settings: &[(&'static str, &[(&str, &str)])] = &[
        ("hostile: prefixes", &[("diff.noprefix", "true")]),
        ("hostile: prefixes", &[("diff.mnemonicPrefix", "true")]),
        (
            "hostile: prefixes",
            &[("diff.srcPrefix", "x/"), ("diff.dstPrefix", "y/")],
        ),
        ("hostile: external diff", &[("diff.external", &external)]),
        (
            "hostile: colour",
            &[
                ("color.ui", "always"),
                ("color.diff", "always"),
                ("diff.colorMoved", "zebra"),
            ],
        ),
        ("hostile: order", &[("diff.orderFile", &order)]),
        (
            "hostile: renames off",
            &[("diff.renames", "false"), ("diff.renameLimit", "1")],
        ),
        (
            "hostile: context",
            &[("diff.context", "7"), ("diff.interHunkContext", "30")],
        ),
        (
            "hostile: driver",
            &[
                ("diff.probe.textconv", &empty),
                ("diff.probe.command", &external),
                ("diff.probe.binary", "true"),
            ],
        ),
        ("hostile: names", &[("core.quotePath", "false")]),
        ("hostile: relative", &[("diff.relative", "true")]),
        (
            "hostile: algorithm",
            &[
                ("diff.algorithm", "minimal"),
                ("diff.indentHeuristic", "false"),
            ],
        ),
        (
            "hostile: white space",
            &[
                ("diff.wsErrorHighlight", "all"),
                ("diff.suppressBlankEmpty", "true"),
            ],
        ),
        (
            "hostile: pager",
            &[("core.pager", &empty), ("pager.diff", "true")],
        ),
    ];
    // The way git writes such files, without a process for each pair: some for the user, some for the clone.
    let (mut of_user, mut of_clone) = (String::new(), String::new());
    for (what, pairs) in settings {
        if !random.chance(25) {
            continue;
        }
        figures.note(what);
        for (key, value) in *pairs {
            let (section, name) = key.rsplit_once('.').expect("a section");
            let section = section
                .split_once('.')
                .map_or(section.to_owned(), |(first, second)| {
                    format!("{first} \"{second}\"")
                });
            let text = if random.chance(50) {
                &mut of_user
            } else {
                &mut of_clone
            };
            let _ = writeln!(text, "[{section}]\n\t{name} = \"{value}\"");
        }
    }
    std::fs::write(scene.home().join(".gitconfig"), of_user).expect("a configuration");
    let config = scene.workspace().join(".git/config");
    let known = std::fs::read_to_string(&config).expect("a configuration");
    std::fs::write(config, known + &of_clone).expect("a configuration");
    if random.chance(15) {
        figures.note("hostile: attributes of the user");
        let folder = scene.home().join(".config/git");
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(folder.join("attributes"), "* -diff\n").expect("a file");
    }
    if random.chance(15) {
        figures.note("hostile: attributes of the clone");
        std::fs::create_dir_all(scene.workspace().join(".git/info")).expect("a folder");
        std::fs::write(
            scene.workspace().join(".git/info/attributes"),
            "* diff=probe\n",
        )
        .expect("a file");
    }
    if random.chance(20) {
        figures.note("files touched after the checkout");
        touch(&scene.workspace());
    }
}

/// Gives files another time, so that git cannot rely on its index.
fn touch(folder: &Path) {
    for entry in std::fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry"))
    {
        let kind = entry.file_type().expect("a type");
        if kind.is_dir() && entry.file_name() != ".git" {
            touch(&entry.path());
        } else if kind.is_file() {
            let file = std::fs::File::options()
                .append(true)
                .open(entry.path())
                .expect("a file");
            let time =
                std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_600_000_000);
            file.set_modified(time).expect("a time");
        }
    }
}

// ---- the generator ----

const ATTRIBUTES: &str = ".gitattributes";

/// Names that quoting, prefixes, options and headers could trip over. None is a folder of another.
const NAMES: &[&str] = &[
    "app.py",
    "with space.py",
    " leading space.py",
    "trailing space ",
    "naïve.py",
    "nai\u{308}ve.py",
    "日本/ファイル.py",
    "emoji 🦀 crab.py",
    "quote\".py",
    "\"quoted\".py",
    "single'quote.py",
    "tab\there.py",
    "tab and space \t.py",
    "new\nline.py",
    "return\rhere.py",
    "bell\u{7}.py",
    "back\\slash.py",
    "back\\303\\251slash.py",
    "-leading.py",
    "--help",
    "-- a",
    "b/x",
    "a/x",
    "b/b/x",
    "x b/x",
    "y b/y b/y",
    "+++ b/x",
    "--- a/x",
    "dev/null",
    "diff --git a",
    "@@ -1 +1 @@",
    "*.py",
    "[x].py",
    "?.py",
    ":(exclude)x.py",
    ":colon.py",
    "!bang.py",
    "%41.py",
    "#hash.py",
    "~/home.py",
    "$HOME.py",
    "src/deep/er/module.py",
    "src/deep/er/ü.py",
    "src/__init__.py",
    "UPPER.PY",
    "{a => b}.py",
    "a => b",
    "ends with dot.",
    "...",
    "binary.bin",
];

#[derive(Clone, Debug)]
struct File {
    path: String,
    mode: &'static str,
    content: Vec<u8>,
}

impl File {
    fn is_link(&self) -> bool {
        self.mode == "120000"
    }
}

/// One state of the project: files by who they are, not by name.
#[derive(Clone, Debug, Default)]
struct Side {
    files: BTreeMap<u32, File>,
    attributes: Option<&'static str>,
}

impl Side {
    fn tree(&self) -> Tree {
        let files = self.files.values().map(|file| {
            (
                file.path.clone(),
                Entry {
                    mode: file.mode,
                    content: file.content.clone(),
                },
            )
        });
        let attributes = self
            .attributes
            .map(|text| (ATTRIBUTES.to_owned(), Entry::file(text)));
        files.chain(attributes).collect()
    }
}

/// The common ancestor and the two branches.
struct Story {
    base: Side,
    main: Side,
    head: Side,
}

/// Who may change a file, so that most merges have no conflict.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Owner {
    Main,
    Head,
    /// Each half of the lines has its own side; `true` where the head has the upper half.
    Both(bool),
}

impl Story {
    fn generate(random: &mut Random, figures: &mut Figures) -> Self {
        let mut maker = Maker {
            random,
            tokens: 0,
            names: NAMES.iter().map(|name| (*name).to_owned()).collect(),
            next: 0,
        };
        let mut base = Side::default();
        if maker.random.chance(30) {
            base.attributes = Some(maker.random.pick(&[
                "* diff=probe\n",
                "*.py -diff\n",
                "* -text\n",
                "*.py diff=python\n",
            ]));
            figures.note("attributes in the tree");
        }
        for _ in 0..maker.random.between(4, 9) {
            let file = maker.file(figures);
            base.files.insert(maker.identity(), file);
        }
        let (mut main, mut head) = (base.clone(), base.clone());
        if base.attributes.is_none() && maker.random.chance(10) {
            figures.note("the proposal turns diffs off");
            head.attributes = Some("* -diff\n");
        }
        for identity in base.files.keys() {
            let owner = match maker.random.below(10) {
                0..=1 => Owner::Main,
                2..=4 => Owner::Head,
                _ => Owner::Both(maker.random.chance(50)),
            };
            match owner {
                Owner::Main => maker.rework(&mut main, *identity, figures),
                Owner::Head => maker.rework(&mut head, *identity, figures),
                Owner::Both(upper) => {
                    maker.edit_half(&mut main, *identity, !upper);
                    maker.edit_half(&mut head, *identity, upper);
                    let renamed = maker.random.chance(25);
                    if renamed {
                        let (side, other) = if maker.random.chance(75) {
                            (&mut head, &main)
                        } else {
                            (&mut main, &head)
                        };
                        let other = other.files[identity].content.clone();
                        maker.rename(side, *identity, &other, figures);
                    }
                    figures.note("edited on both sides");
                }
            }
        }
        for side in [&mut main, &mut head] {
            for _ in 0..maker.random.below(3) {
                let file = maker.file(figures);
                side.files.insert(maker.identity(), file);
                figures.note("new file");
            }
        }
        Self { base, main, head }
    }

    /// Who the file at this path of the merge is.
    fn identity(&self, path: &str) -> Option<u32> {
        let at = |side: &Side| {
            side.files
                .iter()
                .find(|(_, file)| file.path == path)
                .map(|(identity, _)| *identity)
        };
        at(&self.head).or_else(|| at(&self.main))
    }
}

struct Maker<'r> {
    random: &'r mut Random,
    tokens: u32,
    names: Vec<String>,
    next: u32,
}

impl Maker<'_> {
    fn identity(&mut self) -> u32 {
        self.next += 1;
        self.next
    }

    /// A name that no other file of the scenario ever has.
    fn name(&mut self) -> String {
        let index = self.random.below(self.names.len());
        self.names.swap_remove(index)
    }

    fn file(&mut self, figures: &mut Figures) -> File {
        let mut file = File {
            path: self.name(),
            mode: "100644",
            content: Vec::new(),
        };
        if self.random.chance(10) {
            file.mode = "100755";
        }
        match self.random.below(20) {
            0 => figures.note("empty file"),
            1 => {
                figures.note("binary file");
                file.content = self.binary();
            }
            2 => {
                figures.note("symbolic link");
                file.mode = "120000";
                file.content = format!("target-{}", self.random.next()).into_bytes();
            }
            kind => {
                let ending: &[u8] = if kind < 7 { b"\r\n" } else { b"\n" };
                if kind < 7 {
                    figures.note("CRLF file");
                }
                let count = if kind == 19 {
                    self.random.between(1, 4)
                } else {
                    self.random.between(16, 60)
                };
                let lines = (0..count).map(|_| self.line(ending)).collect::<Vec<_>>();
                file.content = lines.concat();
                if kind == 7 {
                    figures.note("file with lone returns");
                    file.content = self.with_lone_returns(&file.content);
                }
                if self.random.chance(20) {
                    figures.note("no newline at the end");
                    toggle_last_newline(&mut file.content, ending);
                }
            }
        }
        file
    }

    fn binary(&mut self) -> Vec<u8> {
        let length = self.random.between(20, 400);
        let mut bytes = vec![0];
        bytes.extend((0..length).map(|_| self.random.next().to_le_bytes()[3]));
        bytes
    }

    /// A line that no other file or version has, with what a reader of diffs could take for something else.
    fn line(&mut self, ending: &[u8]) -> Vec<u8> {
        self.tokens += 1;
        let token = format!("{:x}t{}", self.random.next() & 0xffff, self.tokens);
        let mut line = match self.random.below(40) {
            0 => format!("--- a/x{token}"),
            1 => format!("+++ b/y{token}"),
            2 => format!("@@ -1 +1 @@ {token}"),
            3 => format!("-- comment {token}"),
            4 => format!("diff --git a/{token} b/{token}"),
            5 => format!("\\ No newline at end of file {token}"),
            6 => format!("rename to {token}"),
            7 => format!("deleted file mode 100644 {token}"),
            8 => format!("Binary files a/{token} and b/{token} differ"),
            9 => format!("++ b/{token}"),
            10 => format!("\t{token}"),
            11 => format!("{token}  \t "),
            12 => format!("naïve = \"日本 🦀 {token}\""),
            13 => format!("form\u{c}feed {token}"),
            14 => format!("separators \u{2028} \u{85} {token}"),
            15 => format!("long {}", token.repeat(200)),
            16 => format!("::error file=x::{token}"),
            17 => format!("\u{1b}[31m{token}\u{1b}[m"),
            18 => format!("+{token}"),
            19 => format!("-{token}"),
            20 => format!("index 0000000..{token} 100644"),
            21 => format!("@@@ -1 -1 +1 @@@ {token}"),
            22 => token.clone(),
            kind => format!(
                "{}value_{token} = compute({kind}, {token:?})",
                "    ".repeat(kind % 3)
            ),
        }
        .into_bytes();
        if self.random.chance(2) {
            line.extend_from_slice(b" \xff\xfe\xe2\x82");
        }
        line.extend_from_slice(ending);
        line
    }

    fn with_lone_returns(&mut self, content: &[u8]) -> Vec<u8> {
        let mut result = Vec::new();
        for line in split(content) {
            for byte in line {
                result.push(*byte);
                if *byte == b't' && self.random.chance(10) {
                    result.push(b'\r');
                }
            }
        }
        result
    }

    /// Whatever one side alone may do with a file.
    fn rework(&mut self, side: &mut Side, identity: u32, figures: &mut Figures) {
        let file = side.files.get_mut(&identity).expect("a file of the base");
        let ending: &[u8] = if file.content.windows(2).any(|pair| pair == b"\r\n") {
            b"\r\n"
        } else {
            b"\n"
        };
        let is_text = !file.is_link() && !file.content.contains(&0);
        let untouched = file.content.clone();
        match self.random.below(10) {
            0 => {
                figures.note("deletion");
                side.files.remove(&identity);
            }
            1 => {
                figures.note("change of mode");
                if !file.is_link() {
                    file.mode = if file.mode == "100644" {
                        "100755"
                    } else {
                        "100644"
                    };
                }
                if is_text && self.random.chance(50) {
                    self.edit(file, 0..usize::MAX, 3);
                }
            }
            2 if is_text => {
                figures.note("LF to CRLF or back");
                let other: &[u8] = if ending == b"\n" { b"\r\n" } else { b"\n" };
                file.content = with_ending(&file.content, other);
            }
            3 if is_text => {
                figures.note("newline at the end added or removed");
                toggle_last_newline(&mut file.content, ending);
            }
            4 => {
                if file.is_link() {
                    figures.note("link to file");
                    file.mode = "100644";
                    file.content = (0..9)
                        .map(|_| self.line(b"\n"))
                        .collect::<Vec<_>>()
                        .concat();
                } else {
                    figures.note("file to link");
                    file.mode = "120000";
                    file.content = format!("target-{}", self.random.next()).into_bytes();
                }
            }
            5 if is_text => {
                figures.note("emptied, filled or replaced");
                let refill = file.content.is_empty() || self.random.chance(50);
                let count = if refill {
                    self.random.between(1, 30)
                } else {
                    0
                };
                file.content = (0..count)
                    .map(|_| self.line(ending))
                    .collect::<Vec<_>>()
                    .concat();
            }
            6 if !is_text && !file.is_link() => {
                figures.note("binary file changed");
                file.content = self.binary();
            }
            7 if is_text => {
                figures.note("one end of line among others");
                let other: &[u8] = if ending == b"\n" { b"\r\n" } else { b"\n" };
                let lines: Vec<&[u8]> = split(&file.content).collect();
                let chosen = self.random.below(lines.len().max(1));
                let changed = lines.iter().enumerate().map(|(index, line)| {
                    if index == chosen {
                        with_ending(line, other)
                    } else {
                        line.to_vec()
                    }
                });
                file.content = changed.collect::<Vec<_>>().concat();
            }
            _ if is_text => {
                figures.note("edited on one side");
                self.edit(file, 0..usize::MAX, 6);
                if self.random.chance(40) {
                    self.rename(side, identity, &untouched, figures);
                }
            }
            _ => self.rename(side, identity, &untouched, figures),
        }
    }

    /// Renames, where git will see it as a rename: when both sides are done with the file, most of it must be left.
    fn rename(&mut self, side: &mut Side, identity: u32, other: &[u8], figures: &mut Figures) {
        let name = self.name();
        let Some(file) = side.files.get_mut(&identity) else {
            return;
        };
        // Git looks for renames with its own idea of text: a name with `-diff` is compared byte by byte, one without it
        // by lines without their returns, and the two never match in a file with CRLF. Then all of its lines count as
        // new, which hides nothing, but is not the truth.
        let is_python = |name: &str| {
            std::path::Path::new(name)
                .extension()
                .is_some_and(|extension| extension == "py")
        };
        if side.attributes == Some("*.py -diff\n")
            && is_python(&file.path) != is_python(&name)
            && file.content.contains(&b'\r')
        {
            return;
        }
        let of_other: HashSet<&[u8]> = split(other).collect();
        let left: usize = split(&file.content)
            .filter(|line| of_other.contains(line))
            .map(<[u8]>::len)
            .sum();
        if left > 0 && left * 100 >= file.content.len().max(other.len()) * 65 {
            let moved = file.path.contains('/') != name.contains('/');
            figures.note(if moved {
                "rename to another folder"
            } else {
                "rename"
            });
            file.path = name;
        }
    }

    /// Edits the upper or the lower half, with room between both.
    fn edit_half(&mut self, side: &mut Side, identity: u32, upper: bool) {
        let file = side.files.get_mut(&identity).expect("a file of the base");
        if file.is_link() || file.content.contains(&0) {
            return;
        }
        let count = split(&file.content).count();
        if count < 12 {
            return;
        }
        let range = if upper {
            0..count / 2 - 2
        } else {
            count / 2 + 2..usize::MAX
        };
        self.edit(file, range, 3);
    }

    /// Inserts, deletes and replaces lines in this range of line indexes, at most a fifth of the file each time.
    fn edit(&mut self, file: &mut File, range: std::ops::Range<usize>, times: usize) {
        let ending: &[u8] = if file.content.windows(2).any(|pair| pair == b"\r\n") {
            b"\r\n"
        } else {
            b"\n"
        };
        let mut lines: Vec<Vec<u8>> = split(&file.content).map(<[u8]>::to_vec).collect();
        let budget = lines.len() / 5;
        let mut spent = 0;
        let mut end = range.end.min(lines.len());
        for _ in 0..self.random.between(1, times) {
            let start = range.start.min(end);
            // The ends of files are where diffs go wrong.
            let at = match self.random.below(4) {
                0 => start,
                1 => end,
                _ => start + self.random.below(end - start + 1),
            };
            let (removed, added) = match self.random.below(3) {
                0 => (0, self.random.between(1, 4)),
                1 => (self.random.between(1, 3), 0),
                _ => (self.random.between(1, 3), self.random.between(1, 3)),
            };
            let removed = removed.min(end - at);
            if spent + removed + added > budget.max(2) {
                break;
            }
            spent += removed + added;
            let fresh: Vec<Vec<u8>> = (0..added).map(|_| self.line(ending)).collect();
            lines.splice(at..at + removed, fresh);
            // Two edits do not meet: what one wrote, the next does not take back.
            end = at;
        }
        // A last line without a line break that is not the last any more needs one.
        let last = lines.len().saturating_sub(1);
        for line in &mut lines[..last] {
            if !line.ends_with(b"\n") {
                line.extend_from_slice(ending);
            }
        }
        file.content = lines.concat();
    }
}

fn with_ending(content: &[u8], ending: &[u8]) -> Vec<u8> {
    let mut result = Vec::new();
    for line in split(content) {
        let Some(text) = line.strip_suffix(b"\n") else {
            result.extend_from_slice(line);
            continue;
        };
        result.extend_from_slice(text.strip_suffix(b"\r").unwrap_or(text));
        result.extend_from_slice(ending);
    }
    result
}

fn toggle_last_newline(content: &mut Vec<u8>, ending: &[u8]) {
    if content.ends_with(ending) {
        content.truncate(content.len() - ending.len());
    } else if !content.is_empty() && !content.ends_with(b"\n") {
        content.extend_from_slice(ending);
    }
}

/// SplitMix64: small, and the same on every machine.
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
        let limit = u64::try_from(limit.max(1)).expect("a small number");
        usize::try_from(self.next() % limit).expect("a small number")
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
}
