//! Requirements: read as pip's own reader reads them, and judged as locks that uv really wrote.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use lockgate::lockfiles::requirement::Specifiers;
use lockgate::lockfiles::requirements_txt::{includes, resolve};
use lockgate::lockfiles::{Format, read};
use lockgate::model::lockfile::{Package, Source};
use lockgate::model::sources::{FileId, Sources};
use serde_json::{Value, json};

use crate::fuzzing::campaign;
use crate::support::lock_tools::lock_tool;
use crate::support::lockgate::{Project, Run};
use crate::support::tools::{environment, network, tool};

/// Reads each file with pip's reader, then each requirement with pip's constructor.
const PIP: &str = r#"
import json, os, sys, logging
logging.disable(logging.CRITICAL)
import pip
from pip._internal.req import req_file, constructors
os.chdir(sys.argv[1])
OPTIONS = ["index_url", "extra_index_urls", "no_index", "find_links", "prefer_binary",
           "require_hashes", "no_require_hashes", "pre", "trusted_hosts"]
def read(name):
    parser = req_file.RequirementsFileParser(None, req_file.get_line_parser(None))
    items, options = [], []
    for line in parser.parse(name, False):
        if line.requirement is None:
            options.extend(o for o in OPTIONS if getattr(line.opts, o, None))
            continue
        if line.constraint:
            continue
        item = {"line": line.lineno, "editable": line.is_editable,
                "hashes": sorted(f"{a}:{d}" for a, ds in (line.opts.hashes or {}).items() for d in ds)}
        if line.is_editable:
            constructors.parse_editable(line.requirement)
        else:
            req = constructors.install_req_from_line(line.requirement)
            item["link"] = bool(req.link)
            item["name"] = req.req.name if req.req else None
            item["extras"] = sorted(req.extras)
            item["marker"] = str(req.markers) if req.markers else None
            if req.req and not req.link:
                item["specifier"] = str(req.req.specifier)
                one = list(req.req.specifier)
                if len(one) == 1 and one[0].operator in ("==", "===") and not one[0].version.endswith(".*"):
                    item["version"] = one[0].version
        items.append(item)
    return {"items": items, "options": len(options)}
out = {"version": pip.__version__, "files": []}
for name in sorted(n for n in os.listdir(".") if n.startswith("case")):
    try:
        out["files"].append(read(name))
    except Exception as error:
        out["files"].append({"error": f"{type(error).__name__}: {error}"})
print(json.dumps(out))
"#;

/// The same numbers in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }

    fn of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.roll(all.len())]
    }
}

const ENTRIES: &[&str] = &[
    "six",
    "six==1.17.0",
    "Jinja2 == 3.1.6",
    "zope.interface==7",
    "a===1.0-weird",
    "flask>=3,<4",
    "b!=1,~=2.0",
    "uvicorn[standard]==0.30",
    "c [x, y]>=1",
    "d==1.*",
    "e (==1.0)",
    "f @ https://h.example/f-1.0.tar.gz",
    "g[x] @ https://h.example/g-1.0-py3-none-any.whl",
    "https://h.example/h-1.0-py3-none-any.whl",
    "https://h.example/i.tar.gz#egg=i",
    "git+https://h.example/j.git@main#egg=j",
    "./k-1.0-py3-none-any.whl",
    "-e .",
    "--editable=git+https://h.example/l.git#egg=l",
    "m==1,",
    "n==1.0 --config-settings=a=b",
    "o-p_q.r==2",
    "===",
    "s=1",
    "t u",
    "v[",
    "é==1",
    "w==",
    "x>1 <2",
    "1==1",
];

const OPTIONS: &[&str] = &[
    "--index-url https://i.example/simple",
    "-i https://i.example",
    "--extra-index-url=https://e.example",
    "--pre",
    "--no-index",
    "-f ./wheels",
    "--find-links=https://f.example",
    "--trusted-host h.example",
    "--require-hashes",
    "--no-require-hashes",
    "--prefer-binary",
    "--only-binary=:all:",
    "--no-binary :none:",
    "--extra https://e.example",
    "--pre --no-index",
    "-r inc.txt",
    "-c con.txt",
    "--requirement 'inc.txt'",
    "--no",
    "--unknown",
    "--pre=1",
    "-r",
    "-x",
    "--hash=sha256:ab",
    "--only-final :all:",
    "--use-feature fast-deps",
    "--find-links 'a b",
    "-finc",
    "--pypi-url=https://p.example",
];

const BEHIND: &[&str] = &[
    "",
    "",
    "",
    "",
    " ; python_version >= '3.9'",
    ";sys_platform == \"linux\"",
    " --hash=sha256:abcd",
    " \\\n    --hash=sha256:ab \\\n    --hash=sha512:cd",
    " --hash sha384:ef",
    " # a comment",
    "  # via x",
    "#none",
    " \\\n  # comment\n  --hash=sha256:ab",
    " --hash=md5:ab",
    " --hash=ab",
    "\t--hash=sha256:ab",
    " --hash=\"sha256:ab\"",
    " \\\n",
    " --index-url https://i.example",
    " --hash=sha256:ab more",
];

const ENDS: &[&str] = &[
    "\n",
    "\n",
    "\n",
    "\n",
    "\r\n",
    "\n\n",
    "\n# comment\n",
    "\x0c",
    "\u{2028}",
    "\n   ",
    "",
];

fn generated(number: u64) -> String {
    let mut dice = Dice(number.wrapping_mul(0x9e37_79b9_7f4a_7c15) + 1);
    let mut text = String::new();
    let (mut has_inc, mut has_con) = (false, false);
    for _ in 0..=dice.roll(4) {
        let line = if dice.roll(4) == 0 {
            dice.of(OPTIONS)
        } else {
            dice.of(ENTRIES)
        };
        // pip reads a file as often as it is included; a lock has it once.
        let (inc, con) = (line.contains("inc.txt"), line.contains("con.txt"));
        if (inc && has_inc) || (con && has_con) {
            continue;
        }
        has_inc |= inc;
        has_con |= con;
        let behind = if line.starts_with('-') {
            ""
        } else {
            dice.of(BEHIND)
        };
        let _ = write!(text, "{line}{behind}{}", dice.of(ENDS));
    }
    text
}

fn load(folder: &Path, name: &str, sources: &mut Sources) -> FileId {
    let text = std::fs::read(folder.join(name)).unwrap();
    let file = sources.add(name, text).unwrap();
    for target in includes(std::str::from_utf8(sources.bytes(file)).unwrap()) {
        let Some(path) = resolve(name, &target) else {
            continue;
        };
        if folder.join(&path).is_file() && sources.find(&path).is_none() {
            load(folder, &path, sources);
        }
    }
    file
}

/// What pip refuses and the reader does not: markers and weak hashes, which others judge, features of one release of
/// pip, and paths that are not on the disk.
const NOT_OURS: &[&str] = &[
    "marker expression",
    "Allowed hash algorithms",
    "Arguments to --hash",
    "invalid choice",
    "is not a valid editable requirement",
    "It looks like a path",
    // `egg=name[extra]`, which earlier releases took.
    "InvalidEggFragment",
];

/// What is different in one file; nothing where we agree with pip.
fn disagreement(theirs: &Value, folder: &Path, name: &str) -> Option<String> {
    let mut sources = Sources::default();
    let file = load(folder, name, &mut sources);
    let reading = read(Format::Requirements, file, &sources);
    let lock = reading.lockfile.unwrap();
    let own = lock.requirements().unwrap();
    let refusals: Vec<&str> = reading
        .faults
        .iter()
        .map(|fault| fault.message.as_str())
        .filter(|message| {
            !message.contains("pip ignores") && !message.contains("pip installs what is left")
        })
        .collect();
    let is_weak = |package: &Package<'_>| {
        package
            .hashes
            .iter()
            .any(|hash| !matches!(&*hash.algorithm, "sha256" | "sha384" | "sha512"))
    };
    if let Some(error) = theirs["error"].as_str() {
        if NOT_OURS.iter().any(|part| error.contains(part)) {
            return None;
        }
        // A weak hash is for its own rule to say, and an included file that is missing for the one about includes.
        let is_told =
            !refusals.is_empty() || lock.packages.iter().any(is_weak) || !own.unread.is_empty();
        return (!is_told).then(|| format!("pip refuses: {error}"));
    }
    if !refusals.is_empty() {
        return Some(format!("pip accepts, we say {refusals:?}"));
    }
    let items = theirs["items"].as_array().unwrap();
    if items.len() != lock.packages.len() {
        return Some(format!(
            "pip has {} requirements, we have {}",
            items.len(),
            lock.packages.len()
        ));
    }
    let text = std::str::from_utf8(sources.bytes(file)).unwrap();
    let has_lines = !text.contains(['\x0c', '\u{2028}']);
    for (item, package) in items.iter().zip(&lock.packages) {
        let mut hashes: Vec<String> = package
            .hashes
            .iter()
            .map(|hash| format!("{}:{}", hash.algorithm, hash.digest))
            .collect();
        hashes.sort();
        let is_editable = item["editable"] == json!(true);
        if !is_editable && item["hashes"] != json!(hashes) {
            return Some(format!("{item} has other hashes than {hashes:?}"));
        }
        if has_lines && item["line"] != json!(sources.line(package.at)) {
            return Some(format!("{item} stands at {}", sources.line(package.at)));
        }
        if is_editable {
            continue;
        }
        let is_link = !matches!(package.source.value, Source::Unstated);
        let marker = package.marker.as_ref().map(|marker| plain(&marker.value));
        let mut extras: Vec<&str> = package.extras.iter().map(|extra| &*extra.value).collect();
        extras.sort_unstable();
        let version = package.version.as_ref().map(|version| &*version.value);
        let differs = item["link"] != json!(is_link)
            || item["name"]
                .as_str()
                .is_some_and(|name| name != package.name.written)
            || item["marker"].as_str().map(plain) != marker
            || item["extras"] != json!(extras)
            || (!is_link && item["version"].as_str().filter(|text| !text.is_empty()) != version);
        if differs {
            return Some(format!("{item} is not {package:?}"));
        }
        let specifier = item["specifier"].as_str().filter(|text| !text.is_empty());
        if let (Some(theirs), None) = (specifier, version) {
            let ours = package
                .specifier
                .as_ref()
                .map_or("", |specifier| &*specifier.value);
            let ours = ours.trim_end_matches(',');
            let agree = Specifiers::parse(theirs)
                .zip(Specifiers::parse(ours))
                .is_some_and(|(theirs, ours)| theirs.agree(&ours));
            // What stands behind `===` need not be a version.
            let parts = |text: &str| -> std::collections::BTreeSet<String> {
                text.split(',').map(|part| part.replace(' ', "")).collect()
            };
            if !agree && parts(theirs) != parts(ours) {
                return Some(format!("{item} is not {ours}"));
            }
        }
    }
    let kinds: std::collections::BTreeSet<&str> =
        own.options.iter().map(|option| option.name).collect();
    let is_empty = theirs["options"] == json!(0);
    let controls = [
        "--only-binary",
        "--no-binary",
        "--only-final",
        "--all-releases",
        "--use-feature",
    ];
    let has_own = kinds.iter().any(|kind| !controls.contains(kind));
    (is_empty == has_own).then(|| format!("options: {kinds:?}, pip has {}", theirs["options"]))
}

/// A marker without what its normal form changes.
fn plain(marker: &str) -> String {
    marker.replace(['\'', '"', ' '], "")
}

#[test]
fn files_are_read_as_pips_own_reader_reads_them() {
    let folder = tempfile::tempdir().unwrap();
    let count = 1_500 * campaign();
    let name = |number: u64| format!("case{number:05}.txt");
    for number in 0..count {
        std::fs::write(folder.path().join(name(number)), generated(number)).unwrap();
    }
    std::fs::write(
        folder.path().join("inc.txt"),
        "included==1\n-i https://i.example\n",
    )
    .unwrap();
    std::fs::write(folder.path().join("con.txt"), "constrained==1\n").unwrap();
    std::fs::write(
        folder.path().join("pyproject.toml"),
        "[project]\nname = 'x'\n",
    )
    .unwrap();
    let output = Command::new(lock_tool("pip").join("bin/python"))
        .args(["-c", PIP])
        .arg(folder.path())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let theirs: Value = serde_json::from_slice(&output.stdout).unwrap();
    let files = theirs["files"].as_array().unwrap();
    assert_eq!(files.len() as u64, count);
    let accepted = files.iter().filter(|file| file["error"].is_null()).count();
    let share = accepted as u64 * 100 / count;
    assert!((27..93).contains(&share), "pip accepts {accepted}");
    let different: Vec<String> = (0..count)
        .zip(files)
        .filter_map(|(number, theirs)| {
            let what = disagreement(theirs, folder.path(), &name(number))?;
            Some(format!("{:?}\n  {what}", generated(number)))
        })
        .collect();
    assert!(
        different.is_empty(),
        "{} of {count} differ from pip {} ({accepted} accepted):\n{}",
        different.len(),
        theirs["version"],
        different[..different.len().min(8)].join("\n")
    );
}

/// Runs uv in a project.
fn uv(project: &Project, arguments: &[&str]) {
    let output = Command::new(tool("uv"))
        .args(arguments)
        .current_dir(project.path())
        .env_clear()
        .envs(network())
        .env("PATH", environment().join("bin"))
        .env("HOME", project.path().parent().unwrap())
        .env("UV_NO_CONFIG", "1")
        .env(
            "UV_CACHE_DIR",
            Path::new(env!("CARGO_TARGET_TMPDIR")).join("uv-cache"),
        )
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

const WISHES: &str = "httpx>=0.28\nsix\n";

/// A project with a list that uv compiled.
fn compiled() -> (Project, String) {
    let project = Project::empty();
    project.write("requirements.in", WISHES);
    uv(
        &project,
        &[
            "pip",
            "compile",
            "--generate-hashes",
            "requirements.in",
            "-o",
            "requirements.txt",
        ],
    );
    let text = std::fs::read_to_string(project.path().join("requirements.txt")).unwrap();
    (project, text)
}

/// Rule and line of each finding.
fn found(run: &Run) -> Vec<(String, u64)> {
    let report = run.json();
    let finding = |finding: &Value| {
        let rule = finding["rule"].as_str().unwrap().to_owned();
        (rule, finding["line"].as_u64().unwrap_or_default())
    };
    report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(finding)
        .collect()
}

#[test]
fn what_uv_compiled_passes_and_each_mutation_is_found_on_its_line() {
    let (project, text) = compiled();
    let run = project.run(&["lockfile-verify", "--output-format=json"]);
    run.expect_code(0);
    assert_eq!(found(&run), []);

    let line_of = |text: &str, part: &str| {
        let before = text.split(part).next().unwrap();
        before.matches('\n').count() as u64 + 1
    };
    let pin = text.lines().find(|line| line.starts_with("six==")).unwrap();
    let open = pin.replace("==", ">=");
    let mutations = [
        ("unpinned", text.replace(pin, &open), "six>="),
        (
            "hashes-off",
            format!("--no-require-hashes\n{text}"),
            "--no-require-hashes",
        ),
        (
            "conflict-marker",
            text.replace(pin, &format!("<<<<<<< HEAD\n{pin}")),
            "<<<<<<<",
        ),
        (
            "syntax",
            text.replace(pin, &format!("{pin}\n    # why")),
            "sha256:",
        ),
        (
            "duplicate-package",
            format!("{text}six==1.16.0 --hash=sha256:{}\n", "0".repeat(64)),
            "six==1.16.0",
        ),
        ("syntax", text.replace(pin, &pin.replace("==", "=")), "six="),
    ];
    for (rule, mutated, part) in mutations {
        assert_ne!(mutated, text, "{rule}");
        project.write("requirements.txt", &mutated);
        let run = project.run(&["lockfile-verify", "--output-format=json"]);
        run.expect_code(1);
        let line = if part == "sha256:" {
            line_of(&mutated, "# why") + 1
        } else {
            line_of(&mutated, part)
        };
        assert!(
            found(&run).contains(&(rule.to_owned(), line)),
            "{rule} {line}: {:?}",
            found(&run)
        );
    }
    // pip installs what is left of such a file, and ends well.
    let half = text.rfind("sha256:").unwrap() + 20;
    for cut in [half, text.find("--hash").unwrap()] {
        project.write("requirements.txt", &text[..cut]);
        let run = project.run(&["lockfile-verify", "--output-format=json"]);
        run.expect_code(1);
        assert!(found(&run).iter().any(|(rule, _)| rule == "truncated"));
    }
}

#[test]
fn wishes_are_told_and_judged_only_by_name() {
    let (project, _) = compiled();
    project.write("requirements-dev.txt", WISHES);
    let run = project.run(&["lockfile-verify"]);
    run.expect_code(0)
        .expect_text("header of a tool (requirements-dev.txt)");
    let run = project.run(&[
        "lockfile-verify",
        "requirements-dev.txt",
        "--output-format=json",
    ]);
    run.expect_code(1);
    assert_eq!(found(&run), [("unpinned".to_owned(), 1)]);

    // The folder says what it is, too.
    for path in ["requirements.txt", "requirements/dev.txt"] {
        let project = Project::empty();
        project.write("notes/dev.txt", WISHES);
        project.write(path, WISHES);
        let told = format!("only requirements that nothing marks as one: `{path}`");
        project
            .run(&["lockfile-verify"])
            .expect_code(3)
            .expect_text(&told);
    }
}

#[test]
fn includes_stay_in_the_workspace_and_end() {
    let project = Project::empty();
    let hash = format!("--hash=sha256:{}", "a".repeat(64));
    project.write(
        "requirements.txt",
        format!("-r deps/base.txt\n-r ../outside.txt\nsix==1.17.0 {hash}\n"),
    );
    project.write("deps/base.txt", "-r ../requirements.txt\nflask\n");
    project.write("../outside.txt", "stranger\n");
    let run = project.run(&["lockfile-verify", "--output-format=json"]);
    run.expect_code(1);
    let report = run.json();
    let findings: Vec<(&str, &str)> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| {
            (
                finding["rule"].as_str().unwrap(),
                finding["path"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        findings,
        [
            ("syntax", "deps/base.txt"),
            ("unpinned", "deps/base.txt"),
            ("include-unread", "requirements.txt"),
        ]
    );
    assert!(!run.stdout.contains("stranger"));
}

#[test]
fn a_list_in_utf_16_is_read_as_pip_reads_it() {
    let project = Project::empty();
    let text = format!("\u{feff}six>=1 --hash=sha256:{}\r\n", "a".repeat(64));
    let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    std::fs::write(project.path().join("requirements.txt"), bytes).unwrap();
    let run = project.run(&["lockfile-verify", "--output-format=json"]);
    run.expect_code(1);
    assert_eq!(found(&run), [("unpinned".to_owned(), 1)]);
}
