//! The pages for those who come from another tool: what they show is valid, and the new way finds what the old one
//! found. Old and new are taken from the pages themselves, and both run.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;
use serde_yaml::Value as Yaml;

use crate::support::expect::{files_below, root};
use crate::support::host_runner::{HostRun, HostRunner, PullRequest, binary, binary_sha256};
use crate::support::lockgate::{Project, Run};
use crate::support::repository::write_program;
use crate::support::tools;

const RUFF_ACTION: &str = "from-ruff-action";
const REVIEWDOG: &str = "from-reviewdog";
const PRE_COMMIT: &str = "from-pre-commit";
const SUPER_LINTER: &str = "from-super-linter";
const PAGES: [&str; 4] = [RUFF_ACTION, REVIEWDOG, PRE_COMMIT, SUPER_LINTER];

const LINT_GATE: &str = "actions/lint-gate";
/// What stands on the pages where a commit of a release belongs.
const PLACEHOLDER: &str = "<sha of a release>";
/// What a page calls the workflow that is to be replaced.
const OLD: &str = "old";

/// A fenced block of YAML, and the name that `<!-- workflow: NAME -->` gives it.
struct Block {
    page: String,
    line: usize,
    name: Option<String>,
    text: String,
}

impl Block {
    fn place(&self) -> String {
        format!("{}:{}", self.page, self.line)
    }

    fn yaml(&self) -> Yaml {
        serde_yaml::from_str(&self.text)
            .unwrap_or_else(|error| panic!("{}: {error}\n{}", self.place(), self.text))
    }
}

fn page(name: &str) -> String {
    std::fs::read_to_string(root().join("docs/migrating").join(format!("{name}.md"))).unwrap()
}

/// The blocks of YAML of a page, with a commit for the placeholder.
fn blocks(page: &str, text: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut name = None;
    let mut lines = text.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        if line == "```yaml" {
            let text: Vec<&str> = lines
                .by_ref()
                .map(|(_, line)| line)
                .take_while(|line| *line != "```")
                .collect();
            found.push(Block {
                page: page.to_owned(),
                line: index + 1,
                name: name.take(),
                text: (text.join("\n") + "\n").replace(PLACEHOLDER, &"0".repeat(40)),
            });
        } else {
            name = line
                .strip_prefix("<!-- workflow: ")
                .and_then(|rest| rest.strip_suffix(" -->"))
                .map(str::to_owned);
        }
    }
    found
}

fn workflows() -> Vec<Block> {
    let all = PAGES.iter().flat_map(|name| blocks(name, &page(name)));
    all.filter(|block| block.name.is_some()).collect()
}

fn workflow(page_name: &str, name: &str) -> Block {
    let mut all = blocks(page_name, &page(page_name)).into_iter();
    all.find(|block| block.name.as_deref() == Some(name))
        .unwrap_or_else(|| panic!("no workflow `{name}` in {page_name}"))
}

/// All steps of a workflow.
fn steps(workflow: &Block) -> Vec<Yaml> {
    let document = workflow.yaml();
    let jobs = document["jobs"].as_mapping().expect("jobs");
    jobs.values()
        .flat_map(|job| job["steps"].as_sequence().expect("steps"))
        .cloned()
        .collect()
}

/// The steps of a workflow that use this action.
fn steps_of(workflow: &Block, action: &str) -> Vec<Yaml> {
    let uses = |step: &Yaml| {
        step["uses"]
            .as_str()
            .is_some_and(|uses| uses.split('@').next() == Some(action))
    };
    let found: Vec<Yaml> = steps(workflow).into_iter().filter(uses).collect();
    assert!(!found.is_empty(), "{}: no `{action}`", workflow.place());
    found
}

/// What our step of a workflow says.
fn with(workflow: &Block) -> Vec<(String, String)> {
    let steps = steps_of(workflow, "lockgate/lockgate/actions/lint-gate");
    let with = steps[0]["with"].as_mapping().expect("with");
    let text = |value: &Yaml| value.as_str().expect("text").to_owned();
    with.iter()
        .map(|(name, value)| (text(name), text(value)))
        .collect()
}

#[test]
fn every_block_of_yaml_on_the_pages_is_yaml() {
    let mut seen = 0;
    for path in files_below("docs") {
        // The examples of the rules are run by the rules themselves, and need no mark.
        if path.extension().is_none_or(|extension| extension != "md")
            || path.ends_with("lockfile-verify-rules.md")
        {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        for block in blocks(&path.display().to_string(), &text) {
            let document = block.yaml();
            let is_workflow = document["jobs"].is_mapping();
            assert!(
                !is_workflow || block.name.is_some(),
                "{}: a workflow has its mark",
                block.place()
            );
            seen += 1;
        }
    }
    assert!(seen >= 12, "only {seen} blocks were seen");
}

/// The workflows of all pages as files of a repository; the names of those that are ours, then of the others.
fn written(project: &Project) -> (Vec<String>, Vec<String>) {
    let (mut ours, mut old) = (Vec::new(), Vec::new());
    for block in workflows() {
        let name = block.name.as_deref().unwrap();
        let path = format!(
            ".github/workflows/{}-{}.yml",
            block.page,
            name.replace(' ', "-")
        );
        // A commit without its version is an audit of its own.
        let text = block.text.replace(
            &format!("lint-gate@{}", "0".repeat(40)),
            &format!("lint-gate@{} # v1.0.0", "0".repeat(40)),
        );
        project.write(&path, text);
        if name == OLD { &mut old } else { &mut ours }.push(path);
    }
    assert!(ours.len() >= 6 && old.len() == 4, "{ours:?} {old:?}");
    (ours, old)
}

fn in_folder(project: &Project, program: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(project.path())
        .output()
        .expect("a tool");
    (
        output.status.code().unwrap_or(-1),
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

#[test]
fn every_workflow_on_the_pages_is_valid_for_github() {
    let project = Project::empty();
    let (ours, old) = written(&project);
    let files: Vec<&str> = ours.iter().chain(&old).map(String::as_str).collect();
    let mut schema = vec!["--builtin-schema", "vendor.github-workflows"];
    schema.extend(&files);
    let (code, stdout, stderr) = in_folder(&project, &tools::tool("check-jsonschema"), &schema);
    assert_eq!(code, 0, "{stdout}{stderr}");
    let runner = tools::runner().join("main.mjs").display().to_string();
    let mut parser = vec![&*runner, "validate"];
    parser.extend(&files);
    let (code, stdout, stderr) = in_folder(&project, Path::new("node"), &parser);
    assert_eq!((code, &*stdout), (0, ""), "{stdout}{stderr}");
}

#[test]
fn zizmor_finds_nothing_in_the_new_workflows_and_something_in_the_old_ones() {
    let project = Project::empty();
    let (ours, old) = written(&project);
    let audit = |file: &str| {
        let arguments = [
            "--offline",
            "--persona=auditor",
            "--no-progress",
            "--format=json",
            file,
        ];
        let (code, stdout, stderr) = in_folder(&project, &tools::tool("zizmor"), &arguments);
        let findings: Vec<Value> =
            serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}: {stderr}"));
        assert_eq!(code == 0, findings.is_empty(), "{file}: {code}");
        let idents = findings.iter().map(|one| one["ident"].to_string());
        idents.collect::<BTreeSet<String>>()
    };
    for file in &ours {
        assert_eq!(audit(file), BTreeSet::new(), "{file}");
    }
    for file in &old {
        assert!(!audit(file).is_empty(), "{file}: as its project shows it");
    }
}

#[test]
fn actions_on_the_pages_are_those_that_our_own_workflows_use() {
    let lines = |text: &str| -> Vec<String> {
        text.lines()
            .filter_map(|line| line.trim().trim_start_matches("- ").strip_prefix("uses: "))
            .map(str::to_owned)
            .collect()
    };
    let own: Vec<String> = [".github/workflows/ci.yml", ".github/workflows/release.yml"]
        .iter()
        .flat_map(|file| lines(&std::fs::read_to_string(root().join(file)).unwrap()))
        .collect();
    let mut compared = 0;
    for name in PAGES {
        for line in lines(&page(name)) {
            let action = line.split('@').next().unwrap();
            let same: Vec<&String> = own
                .iter()
                .filter(|one| one.split('@').next() == Some(action))
                .collect();
            assert!(same.is_empty() || same.contains(&&line), "{name}: {line}");
            compared += usize::from(!same.is_empty());
        }
    }
    assert!(compared >= 10, "only {compared}");
}

/// The inputs of the action, as its file has them.
fn inputs() -> BTreeSet<String> {
    let text = std::fs::read_to_string(root().join(LINT_GATE).join("action.yml")).unwrap();
    let action: Yaml = serde_yaml::from_str(&text).unwrap();
    let inputs = action["inputs"].as_mapping().unwrap();
    inputs
        .keys()
        .map(|name| name.as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn what_the_pages_name_as_ours_exists() {
    let inputs = inputs();
    let not_ours = ["contents", "checks", "pull-requests", "statuses", "bandit"];
    let mut named = 0;
    for name in PAGES {
        for line in page(name).lines() {
            let Some((_, ours)) = line
                .strip_prefix("| ")
                .and_then(|line| line.split_once(" | "))
            else {
                continue;
            };
            for code in ours.split('`').skip(1).step_by(2) {
                let Some((input, _)) = code.split_once(':') else {
                    continue;
                };
                if input.contains(' ') || not_ours.contains(&input) {
                    continue;
                }
                assert!(inputs.contains(input), "{name}: `{code}` in {line}");
                named += 1;
            }
        }
        for block in workflows().iter().filter(|block| block.page == name) {
            if block.text.contains("lockgate/lockgate") {
                for (input, _) in with(block) {
                    assert!(inputs.contains(&input), "{}: `{input}`", block.place());
                }
            }
        }
    }
    assert!(named >= 30, "only {named}");
}

#[test]
fn every_hook_that_the_page_lists_is_one_that_auto_knows() {
    let text = page(PRE_COMMIT);
    let rows = text.lines().filter(|line| line.starts_with("| `id: "));
    let mut listed = BTreeSet::new();
    for row in rows {
        let first = row.split('|').nth(1).unwrap();
        for code in first.split('`').skip(1).step_by(2) {
            listed.insert(code.strip_prefix("id: ").unwrap_or(code).to_owned());
        }
    }
    let known: BTreeSet<String> = lockgate::linters::Tool::ALL
        .iter()
        .flat_map(|tool| tool.hooks())
        .map(|hook| (*hook).to_owned())
        .collect();
    let unknown: Vec<&String> = listed.difference(&known).collect();
    assert!(unknown.is_empty(), "{unknown:?} of {known:?}");
    for tool in lockgate::linters::Tool::ALL {
        assert!(
            tool.hooks().iter().any(|hook| listed.contains(*hook)),
            "no hook of {} is on the page",
            tool.name()
        );
    }
}

/// `tool path:line rule`.
type Findings = BTreeSet<String>;

fn finding(tool: &str, path: &str, line: &Value, rule: &str) -> String {
    format!("{tool} {}:{line} {rule}", path.trim_start_matches("./"))
}

/// The findings of a report of ours, without what the gate says itself.
fn findings(report: &Value) -> Findings {
    let all = report["findings"].as_array().expect("findings");
    let text = |one: &Value, name: &str| one[name].as_str().unwrap_or("-").to_owned();
    all.iter()
        .filter(|one| one["tool"] != "lockgate")
        .map(|one| {
            finding(
                &text(one, "tool"),
                &text(one, "path"),
                &one["line"],
                &text(one, "rule"),
            )
        })
        .collect()
}

/// What the old way says: runs a program of the tests' tools in the folder.
fn old_way(folder: &Path, words: &[&str]) -> (i32, String) {
    let (program, arguments) = words.split_first().expect("a command");
    let output = Command::new(tools::tool(program))
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("a tool");
    (
        output.status.code().unwrap_or(-1),
        String::from_utf8_lossy(&output.stdout).into_owned(),
    )
}

/// `ruff check` with these arguments.
fn ruff_check(folder: &Path, arguments: &[&str]) -> Findings {
    let mut words = vec!["ruff"];
    words.extend(arguments);
    words.push("--output-format=json");
    let (_, json) = old_way(folder, &words);
    let all: Vec<Value> = serde_json::from_str(&json).expect("JSON of ruff");
    let folder = folder.canonicalize().unwrap();
    all.iter()
        .map(|one| {
            let path = Path::new(one["filename"].as_str().unwrap());
            let path = path.strip_prefix(&folder).unwrap().to_str().unwrap();
            finding(
                "ruff",
                path,
                &one["location"]["row"],
                one["code"].as_str().unwrap(),
            )
        })
        .collect()
}

/// `ruff format --check` with these arguments: the files that it would change.
fn ruff_format(folder: &Path, arguments: &[&str]) -> BTreeSet<String> {
    let mut words = vec!["ruff"];
    words.extend(arguments);
    let (_, text) = old_way(folder, &words);
    text.lines()
        .filter_map(|line| line.strip_prefix("--- "))
        .map(|path| path.trim_start_matches("./").to_owned())
        .collect()
}

/// The lines of mypy's text, or of a compiler's: `path:line: error: message  [rule]`.
fn mypy(text: &str) -> Findings {
    text.lines()
        .filter_map(|line| {
            let (path, rest) = line.split_once(':')?;
            let (number, rest) = rest.split_once(": error: ")?;
            let rule = rest.rsplit_once('[')?.1.trim_end_matches(']');
            let number: u64 = number.parse().ok()?;
            Some(finding("mypy", path, &number.into(), rule))
        })
        .collect()
}

fn of_tool(findings: &Findings, tool: &str) -> Findings {
    findings
        .iter()
        .filter(|one| one.split(' ').next() == Some(tool))
        .cloned()
        .collect()
}

/// The files of the findings of a tool.
fn files_of(findings: &Findings, tool: &str) -> BTreeSet<String> {
    of_tool(findings, tool)
        .iter()
        .map(|one| {
            let place = one.split(' ').nth(1).unwrap();
            place.rsplit_once(':').unwrap().0.to_owned()
        })
        .collect()
}

/// How many jobs have run: each has a workspace of its own.
static JOBS: AtomicUsize = AtomicUsize::new(0);

/// Runs the job of a workflow of ours on a pull request, as it stands on the page: behind its `uses` is the action
/// under test, which gets the binary under test and the tools of PATH besides.
fn job(workflow: &Block, request: &PullRequest, programs: Option<&Path>) -> HostRun {
    let folder = request.beside("workflow");
    let file = folder.join("lint.yml");
    std::fs::write(&file, &workflow.text).unwrap();
    let names: Vec<String> = with(workflow).into_iter().map(|(name, _)| name).collect();
    let (mut declared, mut passed) = (String::new(), String::new());
    for name in &names {
        let _ = writeln!(declared, "  {name}:\n    description: passed on");
        let _ = writeln!(passed, "        {name}: ${{{{ inputs.{name} }}}}");
    }
    let stand_in = folder.join("lint-gate");
    std::fs::create_dir_all(&stand_in).unwrap();
    std::fs::write(
        stand_in.join("action.yml"),
        format!(
            "name: stand-in\ndescription: the action under test\ninputs:\n{declared}runs:\n  using: composite\n  steps:\n    - id: gate\n      uses: lockgate/under-test/actions/lint-gate@main\n      with:\n        tool-source: path\n        binary-path: ${{{{ env.BINARY_PATH }}}}\n        binary-sha256: ${{{{ env.BINARY_SHA256 }}}}\n{passed}"
        ),
    )
    .unwrap();
    let number = JOBS.fetch_add(1, Ordering::Relaxed);
    let workspace = request.checkout(&format!("workspace-{number}"));
    let mut runner = HostRunner::job(&file, "lint", &workspace)
        .stand_in("actions/checkout", "skip")
        .stand_in("lockgate/lockgate/actions/lint-gate", stand_in)
        .stand_in(
            "lockgate/under-test/actions/lint-gate",
            root().join(LINT_GATE),
        )
        .env("BINARY_PATH", binary())
        .env("BINARY_SHA256", binary_sha256())
        .path_first(&tools::environment().join("bin"));
    if let Some(programs) = programs {
        runner = runner.path_first(programs);
    }
    request.of_run(runner).run()
}

/// The outputs of the gate, wherever in the job it stands.
fn gate_outputs(run: &HostRun) -> &Value {
    let steps = run.get("steps").as_array().expect("steps");
    let mut gates = steps
        .iter()
        .map(|step| &step["outputs"])
        .filter(|outputs| outputs["verdict"].is_string());
    gates
        .next_back()
        .unwrap_or_else(|| panic!("no step with a verdict:\n{}", run.log()))
}

fn gate_report(run: &HostRun) -> Value {
    let path = gate_outputs(run)["report"].as_str().expect("a path");
    let text = std::fs::read_to_string(path)
        .unwrap_or_else(|error| panic!("{path}: {error}\n{}", run.log()));
    serde_json::from_str(&text).expect("JSON")
}

/// A repository with one commit of these files.
fn server(files: &[(&str, &str)]) -> Project {
    let project = Project::empty();
    for (path, content) in files {
        project.write(path, content);
    }
    project.git(&["init", "--quiet", "--initial-branch=main"]);
    project.commit("first");
    project
}

/// A pull request that writes these files into a repository with those.
fn proposal(before: &[(&str, &str)], change: &[(&'static str, &'static str)]) -> PullRequest {
    let change = change.to_vec();
    PullRequest::of(
        server(before),
        |main| {
            main.append("CHANGES.md", "- something else\n");
        },
        move |branch| {
            for (path, content) in change {
                branch.write(path, content);
            }
        },
    )
}

fn text(value: &Yaml) -> String {
    match value {
        Yaml::Bool(value) => value.to_string(),
        other => other.as_str().expect("text").to_owned(),
    }
}

const UGLY: &str =
    "def port(values: list[int] = []) -> int:\n    import os\n    return values[0]\n";
const TIDY: &str = "def host() -> str:\n    return \"\"\n";

#[test]
fn ruff_action_and_the_gate_find_the_same() {
    let request = proposal(
        &[
            ("src/app.py", UGLY),
            ("src/fine.py", TIDY),
            ("other/app.py", UGLY),
        ],
        &[(
            "src/sub/new.py",
            "import sys\nx = 1\ndef f(): raise ValueError\n",
        )],
    );
    let workspace = request.checkout("old");
    let (mut checked, mut formatted) = (None, None);
    for step in steps_of(&workflow(RUFF_ACTION, OLD), "astral-sh/ruff-action") {
        // As the action does: `ruff`, the words of `args`, the words of `src`.
        let (args, src) = (text(&step["with"]["args"]), text(&step["with"]["src"]));
        let words: Vec<&str> = args
            .split_whitespace()
            .chain(src.split_whitespace())
            .collect();
        match words[0] {
            "check" => checked = Some(ruff_check(&workspace, &words)),
            _ => formatted = Some(ruff_format(&workspace, &words)),
        }
    }
    let (checked, formatted) = (checked.unwrap(), formatted.unwrap());
    assert!(
        checked.len() == 3 && formatted.len() == 2,
        "{checked:?} {formatted:?}"
    );

    let run = job(&workflow(RUFF_ACTION, "new"), &request, None);
    run.expect("failure");
    let found = findings(&gate_report(&run));
    assert_eq!(of_tool(&found, "ruff"), checked);
    assert_eq!(files_of(&found, "ruff-format"), formatted);
}

#[test]
fn where_ruff_finds_no_file_the_old_step_is_green_and_the_gate_is_not() {
    let request = proposal(&[("src/README.md", "")], &[("src/notes.txt", "")]);
    let (code, _) = old_way(&request.checkout("old"), &["ruff", "check", "src"]);
    assert_eq!(code, 0);
    let run = job(&workflow(RUFF_ACTION, "new"), &request, None);
    run.expect("failure");
    let report = gate_report(&run);
    assert_eq!(report["verdict"], "no-verdict");
    let reason = report["checks"][0]["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("checked no file"), "{report:#}");
}

/// The left sides of the pipes into reviewdog, and its flags.
fn pipes() -> Vec<(String, String)> {
    let all = steps(&workflow(REVIEWDOG, OLD));
    let script = all
        .iter()
        .filter_map(|step| step["run"].as_str())
        .find(|script| script.contains("| reviewdog"))
        .expect("the pipes");
    let pipes = script.lines().filter_map(|line| line.split_once(" | "));
    pipes
        .map(|(left, right)| (left.to_owned(), right.to_owned()))
        .collect()
}

/// Runs the left side of a pipe, as the shell of the step would.
fn left_side(folder: &Path, command: &str) -> (i32, String) {
    let path = format!(
        "{}:{}",
        tools::environment().join("bin").display(),
        std::env::var("PATH").unwrap()
    );
    let output = Command::new("sh")
        .args(["-c", command])
        .current_dir(folder)
        .env("PATH", path)
        .output()
        .expect("a shell");
    (
        output.status.code().unwrap_or(-1),
        String::from_utf8_lossy(&output.stdout).into_owned(),
    )
}

const SERVICE: &str = "import os\n\n\ndef port(text: str) -> int:\n    return text\n";
const SCRIPT: &str = "#!/bin/sh\necho $1\n";

/// A service with old faults of ruff, mypy and shellcheck, and a change that adds one of each.
fn service() -> PullRequest {
    proposal(
        &[
            ("src/app.py", SERVICE),
            ("src/old.py", "import re\n"),
            ("scripts/run.sh", SCRIPT),
        ],
        &[
            (
                "src/app.py",
                "import os\n\n\ndef port(text: str) -> int:\n    return text\n\n\ndef host(port: int) -> str:\n    import sys\n\n    return port\n",
            ),
            ("scripts/run.sh", "#!/bin/sh\necho $1\necho $2\n"),
        ],
    )
}

#[test]
fn what_reviewdog_would_keep_the_gate_keeps() {
    let request = service();
    let workspace = request.checkout("old");
    let pipes = pipes();
    let of = |format: &str| {
        let pipe = pipes.iter().find(|(_, flags)| flags.contains(format));
        pipe.unwrap_or_else(|| panic!("no pipe with {format}"))
    };
    let (_, rdjson) = left_side(&workspace, &of("-f=rdjson").0);
    let rdjson: Value = serde_json::from_str(&rdjson).expect("rdjson");
    let all: Findings = rdjson["diagnostics"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            let path = one["location"]["path"].as_str().unwrap();
            let path = path.strip_prefix(workspace.canonicalize().unwrap().to_str().unwrap());
            let line = &one["location"]["range"]["start"]["line"];
            let rule = one["code"]["value"].as_str().unwrap();
            finding("ruff", path.unwrap().trim_start_matches('/'), line, rule)
        })
        .collect();
    assert_eq!(
        all.iter().map(String::as_str).collect::<Vec<_>>(),
        [
            "ruff src/app.py:1 F401",
            "ruff src/app.py:9 F401",
            "ruff src/old.py:1 F401"
        ]
    );
    let (_, old_mypy) = left_side(&workspace, &of("-f=mypy").0);
    let old_mypy = mypy(&old_mypy);
    assert_eq!(
        old_mypy.iter().map(String::as_str).collect::<Vec<_>>(),
        [
            "mypy src/app.py:11 return-value",
            "mypy src/app.py:5 return-value"
        ]
    );
    let (code, diff) = left_side(&workspace, &of("-f=diff").0);
    assert!(code == 1 && diff.contains("+echo \"$2\""), "{diff}");

    // Added lines, as `-filter-mode=added` keeps them; of mypy what the base has not.
    let run = job(&workflow(REVIEWDOG, "new"), &request, None);
    run.expect("failure");
    let report = gate_report(&run);
    assert_eq!(
        findings(&report),
        Findings::from([
            "ruff src/app.py:9 F401".to_owned(),
            "mypy src/app.py:11 return-value".to_owned(),
            "shellcheck scripts/run.sh:3 SC2086".to_owned(),
        ])
    );
    let reasons: Vec<&str> = report["left-out"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["reason"].as_str().unwrap())
        .collect();
    assert!(reasons.contains(&"on the base already"), "{reasons:?}");
}

/// The gate on a report alone.
fn gate(project: &Project, arguments: &[&str]) -> Run {
    let mut all = vec!["lint-gate", "--output-format=json"];
    all.extend(arguments);
    project.run(&all)
}

#[test]
fn what_was_piped_into_reviewdog_is_read_as_a_report() {
    let project = server(&[
        ("src/app.py", UGLY),
        ("src/naïve.py", "x = ('é', 1)\nimport os\n"),
    ]);
    let expected = ruff_check(&project.path(), &["check", "src"]);
    assert!(expected.len() >= 3, "{expected:?}");
    let write = |name: &str, format: &str| {
        let words = ["ruff", "check", "src", "--output-format", format];
        let (code, text) = old_way(&project.path(), &words);
        project.write(name, &text);
        (code, text)
    };
    write("ruff.sarif", "sarif");
    let (code, rdjson) = write("ruff.rdjson", "rdjson");
    // As a converter does that prints one diagnostic a line.
    let document: Value = serde_json::from_str(&rdjson).unwrap();
    let mut lines = String::new();
    for one in document["diagnostics"].as_array().unwrap() {
        let mut one = one.clone();
        one["source"] = document["source"].clone();
        let _ = writeln!(lines, "{one}");
    }
    project.write("ruff.rdjsonl", lines);
    for format in ["sarif", "rdjson", "rdjsonl"] {
        let report = format!("--reports=ruff.{format}={format}:{code}");
        // Ruff's rdjson calls all of it a warning, its SARIF an error.
        let run = gate(
            &project,
            &[&report, "--scope=everything", "--fail-on=warning"],
        );
        run.expect_code(1);
        assert_eq!(findings(&run.json()), expected, "{format}");
        let error = gate(&project, &[&report, "--scope=everything"]);
        error.expect_code(i32::from(format == "sarif"));
    }
}

#[test]
fn a_diff_that_was_piped_into_reviewdog_is_read_as_a_report() {
    // As action-suggester makes it: a fixer runs, and `git diff` says what it changed.
    let project = server(&[("src/app.py", UGLY), ("src/fine.py", TIDY)]);
    let before = project.git(&["rev-parse", "HEAD"]);
    old_way(&project.path(), &["ruff", "format", "src"]);
    let diff = project.git(&["diff"]) + "\n";
    project.git(&["checkout", "--quiet", &before, "--", "src"]);
    project.write("suggester.diff", &diff);
    // As formatters print it themselves, without `a/` and `b/`.
    let (code, text) = old_way(&project.path(), &["black", "--quiet", "--diff", "src"]);
    project.write("black.diff", &text);
    assert_eq!(code, 0);
    for name in ["suggester", "black"] {
        let report = format!("--reports={name}.diff=diff");
        let run = gate(&project, &[&report, "--scope=everything", "--fail-on=note"]);
        run.expect_code(1);
        let found = findings(&run.json());
        assert_eq!(
            files_of(&found, name),
            BTreeSet::from(["src/app.py".to_owned()]),
            "{found:?}"
        );
    }
    project.write("nothing.diff", "");
    gate(
        &project,
        &["--reports=nothing.diff=diff", "--scope=everything"],
    )
    .expect_code(0);
}

#[test]
fn each_filter_mode_of_reviewdog_has_its_scope() {
    let project = server(&[
        ("touched.py", "import os\n\n\ndef f() -> None:\n    pass\n"),
        ("untouched.py", "import os\n"),
    ]);
    project.append("touched.py", "\n\nimport re\n");
    let (code, text) = old_way(
        &project.path(),
        &["ruff", "check", "--select=F", "--output-format=sarif"],
    );
    project.write("ruff.sarif", &text);
    let report = format!("--reports=ruff.sarif=sarif:{code}");
    let page = page(REVIEWDOG);
    for (mode, scope, expected) in [
        ("added", "changed-lines", &["ruff touched.py:8 F401"][..]),
        (
            "file",
            "changed-files",
            &["ruff touched.py:1 F401", "ruff touched.py:8 F401"],
        ),
        (
            "nofilter",
            "everything",
            &[
                "ruff touched.py:1 F401",
                "ruff touched.py:8 F401",
                "ruff untouched.py:1 F401",
            ],
        ),
    ] {
        let row = page
            .lines()
            .find(|line| line.contains(&format!("`-filter-mode={mode}`")));
        assert!(
            row.unwrap().contains(&format!("`scope: {scope}`")),
            "{row:?}"
        );
        let scope = format!("--scope={scope}");
        let run = gate(&project, &[&report, &scope, "--base=HEAD"]);
        run.expect_code(1);
        let found = findings(&run.json());
        assert_eq!(
            found.iter().map(String::as_str).collect::<Vec<_>>(),
            expected,
            "{mode}"
        );
    }
}

#[test]
fn each_fail_level_of_reviewdog_has_its_fail_on() {
    let page = page(REVIEWDOG);
    let severities = ["note", "warning", "error"];
    // reviewdog fails from the level on; its `info` is SARIF's `note`.
    for (level, fail_on, least) in [
        ("none", "never", 3),
        ("any", "note", 0),
        ("warning", "warning", 1),
        ("error", "error", 2),
    ] {
        let row = page
            .lines()
            .find(|line| line.starts_with(&format!("| `-fail-level={level}`")));
        assert!(
            row.unwrap().contains(&format!("`fail-on: {fail_on}`")),
            "{row:?}"
        );
        for (rank, severity) in severities.iter().enumerate() {
            let project = Project::empty();
            project.write("Dockerfile", "FROM python\n").write(
                "hadolint.sarif",
                HADOLINT.replace("\"warning\"", &format!("\"{severity}\"")),
            );
            let fail_on = format!("--fail-on={fail_on}");
            let run = gate(
                &project,
                &[
                    "--reports=hadolint.sarif=sarif:1",
                    "--scope=everything",
                    &fail_on,
                ],
            );
            run.expect_code(i32::from(rank >= least));
        }
    }
}

/// A report in the shape of hadolint's.
const HADOLINT: &str = r#"{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "hadolint"}}, "results": [
  {"ruleId": "DL3006", "level": "warning", "message": {"text": "Always tag the version of an image explicitly"},
   "locations": [{"physicalLocation": {"artifactLocation": {"uri": "Dockerfile"}, "region": {"startLine": 1}}}]}]}]}"#;

#[test]
fn the_report_of_another_linter_comes_in_with_its_exit_code() {
    let request = proposal(
        &[("src/app.py", TIDY)],
        &[("Dockerfile", "FROM python\n"), ("src/more.py", TIDY)],
    );
    let programs = request.beside("programs");
    let workflow = workflow(REVIEWDOG, "reports");
    let hadolint = |script: &str| {
        write_program(&programs.join("hadolint"), &format!("#!/bin/sh\n{script}"));
        job(&workflow, &request, Some(&programs))
    };
    let run = hadolint(&format!("cat <<'END'\n{HADOLINT}\nEND\nexit 1\n"));
    run.expect("failure");
    assert_eq!(gate_outputs(&run)["verdict"], "fail");
    assert_eq!(
        findings(&gate_report(&run)),
        Findings::from(["hadolint Dockerfile:1 DL3006".to_owned()])
    );
    // A linter that crashes in a pipe is green; here it is no verdict.
    for crash in ["exit 127\n", "echo '{' && exit 0\n", "kill -9 $$\n"] {
        let run = hadolint(crash);
        run.expect("failure");
        let report = gate_report(&run);
        assert_eq!(report["verdict"], "no-verdict", "{crash}");
        let failed = |check: &&Value| check["reason"].is_string();
        let checks = report["checks"].as_array().unwrap();
        let names: Vec<&Value> = checks
            .iter()
            .filter(failed)
            .map(|check| &check["name"])
            .collect();
        assert_eq!(names, ["hadolint.sarif"], "{crash}: {report:#}");
    }
}

/// The hooks of the page's configuration that are tools of ours, as local hooks that run the same command without a
/// repository to clone: `entry` and `types_or` are those of the hooks' own repositories.
fn local_hooks(configuration: &Yaml) -> String {
    let mut hooks = Vec::new();
    let repositories = configuration["repos"].as_sequence().unwrap();
    for hook in repositories
        .iter()
        .flat_map(|repository| repository["hooks"].as_sequence().unwrap())
    {
        let id = hook["id"].as_str().unwrap();
        let entry = match id {
            "ruff-check" => "ruff check --force-exclude --output-format=concise",
            "ruff-format" => "ruff format --force-exclude",
            "mypy" => "mypy",
            _ => continue,
        };
        let mut hook = hook.as_mapping().unwrap().clone();
        hook.remove("additional_dependencies");
        for (name, value) in [("name", id), ("entry", entry), ("language", "system")] {
            hook.insert(name.into(), value.into());
        }
        hook.insert(
            "types_or".into(),
            vec![Yaml::from("python"), "pyi".into()].into(),
        );
        hook.insert("require_serial".into(), true.into());
        hook.insert("verbose".into(), true.into());
        hooks.push(Yaml::Mapping(hook));
    }
    assert_eq!(hooks.len(), 3);
    let local: Yaml = serde_yaml::from_str("repos: [{repo: local, hooks: []}]").unwrap();
    let mut local = local;
    local["repos"][0]["hooks"] = Yaml::Sequence(hooks);
    serde_yaml::to_string(&local).unwrap()
}

/// Runs pre-commit in a repository, with a home of its own.
fn pre_commit(folder: &Path, home: &Path, skip: &str) -> (i32, String) {
    let path = format!(
        "{}:{}",
        tools::environment().join("bin").display(),
        std::env::var("PATH").unwrap()
    );
    let output = Command::new(tools::tool("pre-commit"))
        .args(["run", "--all-files", "--color=never"])
        .current_dir(folder)
        .env("PATH", path)
        .env("PRE_COMMIT_HOME", home)
        .env("SKIP", skip)
        .output()
        .expect("pre-commit");
    (
        output.status.code().unwrap_or(-1),
        String::from_utf8_lossy(&output.stdout).into_owned(),
    )
}

#[test]
fn pre_commit_and_the_gate_find_the_same() {
    let blocks = blocks(PRE_COMMIT, &page(PRE_COMMIT));
    let configuration = blocks
        .iter()
        .find(|block| block.text.contains("ruff-pre-commit"))
        .expect("the configuration");
    let text = configuration.text.clone();
    let typed = "def port(text: str) -> int:\n    return text\n\n\ndef untyped(x):\n    return x\n";
    let request = PullRequest::of(
        server(&[
            ("src/app.py", UGLY),
            ("src/typed.py", typed),
            ("migrations/one.py", "import os\nx = [ 1 ]\n"),
            ("tools/make.py", "import os\n\n\ny: int = \"\"\n"),
            (".pre-commit-config.yaml", &text),
        ]),
        |main| {
            main.append("CHANGES.md", "- something else\n");
        },
        |branch| {
            branch.write("src/fine.py", TIDY);
        },
    );
    // The gate, by the page's workflow: `auto` takes the tools of the hooks.
    let run = job(&workflow(PRE_COMMIT, "new"), &request, None);
    run.expect("failure");
    let report = gate_report(&run);
    let names: Vec<&str> = report["checks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|check| check["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["ruff", "ruff-format", "mypy"]);
    let found = findings(&report);

    // pre-commit itself, on the same tree.
    let workspace = request.checkout("old");
    let home = request.beside("pre-commit-home");
    let local = local_hooks(&configuration.yaml());
    std::fs::write(workspace.join(".pre-commit-config.yaml"), local).unwrap();
    let git = |arguments: &[&str]| {
        let output = Command::new("git")
            .args(arguments)
            .current_dir(&workspace)
            .output()
            .unwrap();
        assert!(output.status.success(), "{arguments:?}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    git(&["add", "--all"]);
    let (code, printed) = pre_commit(&workspace, &home, "");
    assert_eq!(code, 1, "{printed}");
    let ruff: Findings = printed
        .lines()
        .filter_map(|line| {
            let (place, message) = line.split_once(": ")?;
            let mut parts = place.split(':');
            let (path, number) = (parts.next()?, parts.next()?);
            parts.next()?.parse::<u64>().ok()?;
            let number: u64 = number.parse().ok()?;
            let rule = message.split(' ').next()?;
            Some(finding("ruff", path, &number.into(), rule))
        })
        .collect();
    assert!(ruff.len() >= 2, "{printed}");
    assert_eq!(of_tool(&found, "ruff"), ruff, "{printed}");
    assert_eq!(of_tool(&found, "mypy"), mypy(&printed), "{printed}");
    assert!(of_tool(&found, "mypy").len() >= 2, "{found:?}");
    let edited: BTreeSet<String> = git(&["diff", "--name-only"])
        .lines()
        .map(str::to_owned)
        .collect();
    assert_eq!(files_of(&found, "ruff-format"), edited, "{printed}");

    // What the page skips in CI is what the gate took over, and pre-commit skips it.
    let remaining = workflow(PRE_COMMIT, "remaining hooks");
    let step = &steps_of(&remaining, "pre-commit/action")[0];
    let skip = step["env"]["SKIP"].as_str().unwrap();
    let (code, printed) = pre_commit(&workspace, &home, skip);
    assert_eq!(code, 0, "{printed}");
    assert_eq!(printed.matches("Skipped").count(), 3, "{printed}");
}

#[test]
fn super_linter_and_the_gate_find_the_same() {
    let page_text = page(SUPER_LINTER);
    let toml = page_text
        .split("<!-- example: file .github/linters/.ruff.toml -->\n```toml\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next())
        .expect("the configuration");
    let long = format!("x = \"{}\"\n", "x".repeat(100));
    let app = format!("import os\n{long}\n\ndef port(text: str) -> int:\n    return text\n");
    let request = PullRequest::of(
        server(&[
            (".github/linters/.ruff.toml", toml),
            (
                ".github/linters/.mypy.ini",
                "[mypy]\nignore_missing_imports = True\n",
            ),
            ("app/models.py", &app),
            ("app/untouched.py", "import re\nz=1\n"),
            ("app/migrations/one.py", "import re\n"),
        ]),
        |main| {
            main.append("CHANGES.md", "- something else\n");
        },
        |branch| {
            branch.append("app/models.py", "\n\ndef host() -> str:\n    return 1\n");
            branch.append("app/migrations/one.py", "z=1\n");
            branch.write("app/new.py", "import sys\nimport nowhere\ny=1\n");
        },
    );
    // As super-linter builds its list: what differs from the default branch, less what the expression excludes.
    let step = &steps_of(&workflow(SUPER_LINTER, OLD), "super-linter/super-linter")[0];
    let variable = |name: &str| text(&step["env"][name]);
    assert_eq!(variable("VALIDATE_ALL_CODEBASE"), "false");
    let workspace = request.checkout("old");
    let changed = format!(
        "git fetch --quiet --depth=1 origin {base} && git diff --name-only --diff-filter=d {base} HEAD -- '*.py' | grep -vE '{}'",
        variable("FILTER_REGEX_EXCLUDE"),
        base = request.base
    );
    let (_, list) = left_side(&workspace, &changed);
    let files: Vec<&str> = list.lines().collect();
    assert_eq!(files, ["app/models.py", "app/new.py"]);
    let run_on = |command: &[&'static str]| {
        let mut words: Vec<&str> = command.to_vec();
        words.extend(&files);
        words.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let (mut checked, mut formatted, mut typed) = (None, None, None);
    for (name, value) in step["env"].as_mapping().unwrap() {
        let name = name.as_str().unwrap();
        if !name.starts_with("VALIDATE_PYTHON") || text(value) != "true" {
            continue;
        }
        // The commands of its lib/functions/linterCommands.sh.
        match name {
            "VALIDATE_PYTHON_RUFF" => {
                let words = run_on(&["check", "--config", ".github/linters/.ruff.toml"]);
                let words: Vec<&str> = words.iter().map(String::as_str).collect();
                checked = Some(ruff_check(&workspace, &words));
            }
            "VALIDATE_PYTHON_RUFF_FORMAT" => {
                let words = run_on(&[
                    "format",
                    "--config",
                    ".github/linters/.ruff.toml",
                    "--check",
                    "--diff",
                ]);
                let words: Vec<&str> = words.iter().map(String::as_str).collect();
                formatted = Some(ruff_format(&workspace, &words));
            }
            "VALIDATE_PYTHON_MYPY" => {
                let words = run_on(&["mypy", "--config-file", ".github/linters/.mypy.ini"]);
                let words: Vec<&str> = words.iter().map(String::as_str).collect();
                typed = Some(mypy(&old_way(&workspace, &words).1));
            }
            other => panic!("`{other}` is not known here"),
        }
    }
    let (checked, formatted, typed) = (checked.unwrap(), formatted.unwrap(), typed.unwrap());
    assert!(
        checked.len() >= 3 && !formatted.is_empty(),
        "{checked:?} {formatted:?}"
    );

    let run = job(&workflow(SUPER_LINTER, "new"), &request, None);
    run.expect("failure");
    let report = gate_report(&run);
    let found = findings(&report);
    assert_eq!(of_tool(&found, "ruff"), checked);
    assert_eq!(files_of(&found, "ruff-format"), formatted);
    // The page says where they part: of a type checker what the base has already is left out.
    let new: Findings = ["mypy app/models.py:10 return-value".to_owned()].into();
    let old: Findings = ["mypy app/models.py:6 return-value".to_owned()].into();
    assert_eq!(typed, new.union(&old).cloned().collect::<Findings>());
    assert_eq!(of_tool(&found, "mypy"), new);
}
