//! `cache-key`: the key of a cache, from the outside.

use std::path::Path;
use std::process::Command;

use lockgate::lockfiles::Format;
use serde_json::Value;

use crate::support::lock_tools::lock_tool;
use crate::support::lockgate::{Project, Run};
use crate::support::small_locks::small_locks;
use crate::support::tools::{network, runner, tool};

/// A project with the small lock of a format, for a Python that is named.
fn project(format: Format) -> Project {
    let lock = small_locks()
        .iter()
        .find(|lock| lock.format == format)
        .expect("a lock");
    let project = Project::empty().with("UV_PYTHON", "3.12.4");
    project.write(lock.name, &lock.lock);
    project
}

#[track_caller]
fn outputs(run: &Run) -> Value {
    run.expect_code(0);
    run.json()["outputs"].clone()
}

fn key(project: &Project, arguments: &[&str]) -> Value {
    let arguments = [&["cache-key", "--output-format=json"], arguments].concat();
    outputs(&project.run(&arguments))
}

fn components(outputs: &Value) -> Value {
    let text = outputs["components"].as_str().expect("a document");
    serde_json::from_str::<Value>(text).expect("JSON")["components"].clone()
}

#[test]
fn a_key_says_what_it_is_made_from() {
    for (format, cache) in [
        (Format::Uv, "uv"),
        (Format::Requirements, "uv"),
        (Format::Pylock, "pip"),
        (Format::Poetry, "poetry"),
        (Format::Pdm, "pdm"),
        (Format::Pipfile, "pipenv"),
    ] {
        let project = project(format);
        let outputs = key(&project, &[]);
        let components = components(&outputs);
        assert!(components["caches"].get(cache).is_some(), "{components}");
        assert_eq!(components["python"]["abi"], "cp312");
        assert_eq!(components["locks"][0]["format"], format.name());
        let packages = components["locks"][0]["packages"].as_array().unwrap();
        assert!(
            packages.iter().any(|package| package[0] == "six"),
            "{packages:?}"
        );
        let (key, hash) = (
            outputs["key"].as_str().unwrap(),
            outputs["hash"].as_str().unwrap(),
        );
        assert!(key.ends_with(hash) && hash.len() == 64, "{key}");
        for rung in outputs["restore-keys"].as_str().unwrap().lines() {
            assert!(key.starts_with(rung) && rung.contains("/cp312/"), "{rung}");
        }
    }
}

#[test]
fn the_project_s_own_version_and_line_ends_keep_the_key() {
    let project = project(Format::Uv);
    let before = key(&project, &[]);
    let lock = std::fs::read_to_string(project.path().join("uv.lock")).unwrap();
    project.write(
        "uv.lock",
        lock.replace("0.1.0", "3.0.0").replace('\n', "\r\n"),
    );
    assert_eq!(key(&project, &[])["key"], before["key"]);
    project.write("uv.lock", lock.replace("1.17.0", "1.16.0"));
    assert_ne!(key(&project, &[])["key"], before["key"]);
}

#[test]
fn a_difference_is_told_in_at_most_ten_lines_down_to_the_packages() {
    let project = project(Format::Uv);
    project
        .run(&["cache-key", "--components-file=before.json"])
        .expect_code(0);
    let explain = |arguments: &[&str]| {
        let base = ["cache-key", "--explain", "--previous=before.json"];
        let run = project.run(&[&base, arguments].concat());
        run.expect_code(0);
        run.stdout
    };
    assert_eq!(explain(&[]), "nothing differs: the key is the same\n");

    let lock = std::fs::read_to_string(project.path().join("uv.lock")).unwrap();
    project.write("uv.lock", lock.replace("1.17.0", "1.16.0"));
    assert_eq!(
        explain(&["--python-version=3.13t", "--extra=cuda=12"]),
        "python-version: `3.12.4` → `3.13`\nabi: `cp312` → `cp313t`\nextra cuda: none → `12`\nuv.lock: six 1.17.0 → 1.16.0\n"
    );
    let (before, _) = lock.split_once("[[package]]").unwrap();
    let package = |number: usize| {
        let source = "source = { registry = \"https://index.example/simple\" }";
        format!("[[package]]\nname = \"p{number}\"\nversion = \"1\"\n{source}\n")
    };
    let many: Vec<String> = (0..50).map(package).collect();
    let many = many.concat();
    project.write("uv.lock", format!("{before}{many}"));
    let text = explain(&[]);
    assert_eq!(text.lines().count(), 10, "{text}");
    assert!(text.contains("and 4"), "{text}");

    let run = project.run(&[
        "cache-key",
        "--explain",
        "--previous=before.json",
        "--output-format=json",
    ]);
    let tables = run.expect_code(0).json()["tables"].clone();
    let told = tables.as_array().unwrap().iter();
    let mut told = told.filter(|table| table["title"] == "what is not as before");
    let rows = told.next().unwrap()["rows"].as_array().unwrap().clone();
    let lines: Vec<&str> = rows.iter().map(|row| row[0].as_str().unwrap()).collect();
    assert_eq!(lines.join("\n") + "\n", text);

    project.write("before.json", "{}");
    let run = project.run(&["cache-key", "--previous=before.json"]);
    run.expect_code(2)
        .expect_text("`previous`: `before.json` cannot be read");
    project
        .run(&["cache-key", "--explain"])
        .expect_code(2)
        .expect_text("--explain --previous <file>");
}

#[test]
fn nothing_to_make_a_key_from_is_an_error_unless_it_is_allowed() {
    let project = Project::empty().with("UV_PYTHON", "3.12");
    project
        .run(&["cache-key"])
        .expect_code(2)
        .expect_text("there is no lockfile in")
        .expect_text("allow-empty: true");
    let outputs = key(&project, &["--allow-empty"]);
    assert_eq!(outputs["hash"], "");
    assert!(
        outputs["key"]
            .as_str()
            .unwrap()
            .ends_with("/cp312/3.12/none")
    );
    for (argument, message) in [
        (
            "--lockfiles=missing/uv.lock",
            "`lockfiles`: no file matches `missing/uv.lock`",
        ),
        (
            "--files=**/*.nothing",
            "`files`: no file matches `**/*.nothing`",
        ),
        ("--files=../x", "`files`: `../x` is no pattern"),
    ] {
        let run = project.run(&["cache-key", argument]);
        run.expect_code(2).expect_text(message);
    }
    assert_eq!(
        key(&project, &["--files=nothing", "--allow-empty"])["hash"],
        ""
    );
    project.write("notes.md", "no lock\n");
    project
        .run(&["cache-key", "--lockfiles=*.md"])
        .expect_code(2)
        .expect_text("is no lockfile by its name");
}

/// What the runner's `hashFiles()` gives for these patterns.
fn hash_files(project: &Project, patterns: &[&str]) -> String {
    let module = runner().join("src/hash-files.mjs");
    let code = format!(
        "import({}).then((m) => console.log(m.hashFiles(process.cwd(), {})))",
        Value::from(module.display().to_string()),
        Value::from(patterns)
    );
    said(project, Path::new("node"), &["-e", &code], &[])
}

#[test]
fn files_count_by_every_byte() {
    let project = project(Format::Uv);
    project
        .write("a.cfg", "one\n")
        .write("b/c.cfg", "two\n")
        .write(".pre-commit-config.yaml", "repos: []\n");
    let own = key(&project, &[]);
    // Files alone: no lock is looked for.
    let outputs = key(&project, &["--files=**/*.cfg"]);
    let components = components(&outputs);
    assert_eq!(components.get("locks"), None);
    assert_eq!(components["files"][1]["path"], "b/c.cfg");
    assert_eq!(outputs["hash"], hash_files(&project, &["**/*.cfg"]));
    // Both count where both are named.
    let both = ["--files=a.cfg", "--lockfiles=**/uv.lock"];
    let with = key(&project, &both);
    assert!(with["hash"] != own["hash"]);
    project
        .run(&[
            "cache-key",
            "--components-file=before.json",
            both[0],
            both[1],
        ])
        .expect_code(0);
    project.write("a.cfg", "one\r\n");
    assert_ne!(key(&project, &both)["hash"], with["hash"]);
    let run = project.run(&[
        "cache-key",
        both[0],
        both[1],
        "--explain",
        "--previous=before.json",
    ]);
    assert_eq!(run.expect_code(0).stdout, "a.cfg: other content\n");
    // Locks too, if they are to: then the line ends matter, and what cannot be read as a lock does not.
    let raw = key(&project, &["--semantic=false"]);
    assert_eq!(raw["hash"], hash_files(&project, &["uv.lock"]));
    let named = [
        "--semantic=false",
        "--files=**/*.cfg",
        "--lockfiles=**/uv.lock",
    ];
    let patterns = ["**/uv.lock", "**/*.cfg"];
    assert_eq!(
        key(&project, &named)["hash"],
        hash_files(&project, &patterns)
    );
    let lock = std::fs::read_to_string(project.path().join("uv.lock")).unwrap();
    project.write("uv.lock", lock.replace('\n', "\r\n"));
    assert_eq!(key(&project, &[])["hash"], own["hash"]);
    assert_ne!(key(&project, &["--semantic=false"])["hash"], raw["hash"]);
    project.write("uv.lock", "no lock at all");
    assert_eq!(key(&project, &["--semantic=false"])["paths"], "~/.cache/uv");
}

#[test]
fn a_lock_that_cannot_be_read_is_an_error_with_its_place() {
    let project = project(Format::Uv);
    let lock = std::fs::read_to_string(project.path().join("uv.lock")).unwrap();
    project.write("uv.lock", format!("{lock}\n<<<<<<< HEAD\n"));
    let line = lock.lines().count() + 2;
    project
        .run(&["cache-key"])
        .expect_code(2)
        .expect_text("`uv.lock` cannot be read as a lockfile")
        .expect_text(&format!("uv.lock:{line}:1"));
    project.write(
        "requirements.txt",
        "six==1.17.0\n-r https://index.example/more.txt\n",
    );
    project
        .run(&["cache-key", "--lockfiles=requirements.txt"])
        .expect_code(2)
        .expect_text("requirements.txt:2:")
        .expect_text("which cannot be read");
    project.write("requirements.txt", "-r ../../outside.txt\n");
    std::fs::write(project.beside("outside").join("x"), "").unwrap();
    project
        .run(&["cache-key", "--lockfiles=requirements.txt"])
        .expect_code(2);
}

/// What they pin need not be named by the requirements.
#[test]
fn constraints_count_and_so_do_included_files() {
    let project = Project::empty().with("UV_PYTHON", "3.12");
    project
        .write(
            "requirements.txt",
            "-r base/more.txt\n-c constraints.txt\nrequests\n",
        )
        .write("base/more.txt", "attrs==25.1.0\n")
        .write("constraints.txt", "urllib3==2.0.0\nrequests==2.32.0 # x\n");
    let before = key(&project, &["--components-file=before.json"]);
    project.write(
        "constraints.txt",
        "# by hand\nrequests==2.32.0\nurllib3==2.0.0\n",
    );
    assert_eq!(key(&project, &[])["key"], before["key"]);
    project
        .write("constraints.txt", "urllib3==2.1.0\nrequests==2.32.0\n")
        .write("base/more.txt", "attrs==25.2.0\n");
    let run = project.run(&["cache-key", "--explain", "--previous=before.json"]);
    let told = "requirements.txt: attrs 25.1.0 → 25.2.0\nrequirements.txt: urllib3 2.0.0 → 2.1.0\n";
    assert_eq!(run.expect_code(0).stdout, told);
}

#[test]
fn a_lock_that_is_a_link_out_of_the_workspace_is_refused() {
    let project = Project::empty().with("UV_PYTHON", "3.12");
    let outside = project.beside("outside").join("secret");
    std::fs::write(&outside, "password = hunter2\n").expect("a file");
    std::os::unix::fs::symlink(&outside, project.path().join("uv.lock")).expect("a link");
    for arguments in [
        &["cache-key"][..],
        &["cache-key", "--lockfiles=uv.lock"],
        &["cache-key", "--lockfiles=*.lock"],
    ] {
        let run = project.run(arguments);
        run.expect_code(2).expect_text("leads out of the workspace");
        assert!(!run.text().contains("hunter2"), "{}", run.text());
    }
}

#[test]
fn hostile_values_are_escaped_or_refused() {
    let project = project(Format::Uv);
    let arguments = [
        "--prefix=a,b/\u{1b}[31m",
        "--suffix=::error::x",
        "--extra=x=<b>,|",
    ];
    let outputs = key(&project, &arguments);
    let key = outputs["key"].as_str().unwrap();
    assert!(
        key.starts_with("a~2cb~2f~1b~5b31m/lockgate@1/x=~3cb~3e~2c~7c/"),
        "{key}"
    );
    assert!(key.ends_with("/~3a~3aerror~3a~3ax"), "{key}");
    let long = format!("--prefix={}", "é".repeat(5_000));
    let outputs = self::key(&project, &[&long]);
    assert!(outputs["key"].as_str().unwrap().len() <= 512);
    for (argument, text) in [
        ("--extra=x", "`extra`: `x` has no `=`"),
        ("--tools=--version", "is no name of a program"),
        (
            "--tools=no-such-tool",
            "neither in a lock nor to be found on PATH",
        ),
        ("--python-version=latest", "names no minor version"),
    ] {
        project
            .run(&["cache-key", argument])
            .expect_code(2)
            .expect_text(text);
    }
}

#[test]
fn the_paths_of_a_home_are_those_that_uv_names() {
    let project = project(Format::Uv);
    let said = said(&project, &tool("uv"), &["cache", "dir"], &[]);
    let outputs = key(&project, &[]);
    let home = project.beside("home").display().to_string();
    assert_eq!(
        outputs["paths"].as_str().unwrap().replacen('~', &home, 1),
        said
    );
}

#[test]
fn where_uv_keeps_its_cache_is_read_from_all_its_files_as_uv_reads_them() {
    let project = project(Format::Uv);
    let home = project.beside("home");
    let (xdg, machine) = (project.beside("xdg"), project.beside("machine"));
    let write = |path: &Path, name: &str| {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, format!("cache-dir = \"{name}\"\n")).unwrap();
    };
    let (of_xdg, of_machine) = (xdg.display().to_string(), machine.display().to_string());
    let named = project.beside("named").join("any.toml");
    let by_name = named.display().to_string();
    let expect = |variables: &[(&str, &str)], expected: &str| {
        let said = said(&project, &tool("uv"), &["cache", "dir"], variables);
        let ours = project.command(&[
            "cache-key",
            "--python-version",
            "3.12",
            "--output-format",
            "json",
        ]);
        let mut ours = ours;
        let output = ours.envs(variables.iter().copied()).output().unwrap();
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        let path = document["outputs"]["paths"].as_str().unwrap().to_owned();
        let path = match path.strip_prefix("~") {
            Some(rest) => format!("{}{rest}", home.display()),
            None => project.path().join(&path).display().to_string(),
        };
        let real = |path: &str| lockgate::system::files::normalise(&project.path().join(path));
        assert_eq!(real(&path), real(&said), "{variables:?}");
        assert!(said.ends_with(expected), "{variables:?}: {said}");
    };
    expect(&[], ".cache/uv");
    expect(&[("UV_CACHE_DIR", "relative/./x")], "relative/./x");
    expect(&[("UV_CACHE_DIR", "../beside")], "beside");
    write(&machine.join("uv/uv.toml"), "/srv/of-machine");
    let machine = ("XDG_CONFIG_DIRS", of_machine.as_str());
    expect(&[machine], "of-machine");
    write(&home.join(".config/uv/uv.toml"), "/srv/of-user");
    expect(&[machine], "of-user");
    write(&xdg.join("uv/uv.toml"), "of-xdg");
    expect(&[machine, ("XDG_CONFIG_HOME", &of_xdg)], "of-xdg");
    write(&project.path().join("uv.toml"), "of-project");
    expect(&[machine], "of-project");
    write(&named, "/srv/named");
    expect(&[machine, ("UV_CONFIG_FILE", &by_name)], "named");
    expect(&[machine, ("UV_NO_CONFIG", "1")], ".cache/uv");
    expect(&[machine, ("UV_NO_CONFIG", "0")], "of-project");
    expect(&[machine, ("UV_NO_CACHE", "0")], "of-project");
    expect(&[machine, ("UV_NO_CACHE", "false")], "of-project");
    expect(
        &[("UV_CONFIG_FILE", &by_name), ("UV_CACHE_DIR", "said")],
        "said",
    );
}

/// What a tool says of its own cache, in the project's folder.
fn said(
    project: &Project,
    program: &Path,
    arguments: &[&str],
    variables: &[(&str, &str)],
) -> String {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(project.path())
        .env_clear()
        .envs(network())
        .env("PATH", std::env::var("PATH").unwrap())
        .env("HOME", project.beside("home"))
        .env("PDM_CHECK_UPDATE", "0")
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn the_paths_are_those_that_the_tools_name() {
    let programs = [
        ("uv", tool("uv"), "cache dir", Format::Uv, "UV_CACHE_DIR"),
        (
            "pip",
            lock_tool("pip").join("bin/pip"),
            "cache dir",
            Format::Requirements,
            "PIP_CACHE_DIR",
        ),
        (
            "poetry",
            lock_tool("poetry-2").join("bin/poetry"),
            "config cache-dir",
            Format::Poetry,
            "POETRY_CACHE_DIR",
        ),
        (
            "pdm",
            lock_tool("pdm-2").join("bin/pdm"),
            "config cache_dir",
            Format::Pdm,
            "PDM_CACHE_DIR",
        ),
    ];
    for (name, program, arguments, format, variable) in programs {
        let arguments: Vec<&str> = arguments.split(' ').collect();
        let xdg = Project::empty().beside("xdg").display().to_string();
        for variables in [
            &[("XDG_CACHE_HOME", xdg.as_str())][..],
            &[(variable, "/srv/a-cache"), ("XDG_CACHE_HOME", &xdg)],
        ] {
            let mut project = project(format);
            let said = said(&project, &program, &arguments, variables);
            for (name, value) in variables {
                project = project.with(name, value);
            }
            // `pip` alone by the requirements' own word would be uv, which made them.
            let tools = format!("--tools={name}");
            let project = project.with_path_first(program.parent().unwrap());
            let outputs = key(&project, &[&tools]);
            let home = project.beside("home").display().to_string();
            let ours: Vec<String> = outputs["paths"]
                .as_str()
                .unwrap()
                .lines()
                .map(|path| path.replacen('~', &home, 1))
                .collect();
            let is_it = |path: &String| path.strip_prefix(&said).is_some();
            // The home of the tool was another project's.
            assert!(
                ours.iter().all(is_it),
                "{name} {variables:?}: {said} is not in {ours:?}"
            );
        }
    }
}

#[test]
fn caches_of_tools_are_where_their_configuration_says() {
    let project = project(Format::Uv);
    project.git(&["init", "--quiet"]);
    project
        .write(
            "pyproject.toml",
            "[tool.uv]\ncache-dir = \"./kept\"\n[tool.ruff]\ncache-dir = \"r\"\n[tool.mypy]\nstrict = true\n",
        )
        .write("api/a.py", "x = 1\n");
    let versions = ["--extra=a=1", "--tools=uv,ruff,mypy"];
    let project = project.with_path_first(tool("ruff").parent().unwrap());
    let of = |arguments: &[&str]| {
        let outputs = key(&project, &[&versions, arguments].concat());
        outputs["paths"].as_str().unwrap().replace('\n', " ")
    };
    assert_eq!(of(&[]), ".mypy_cache r kept");
    // From a folder within, as the real tools do.
    assert_eq!(of(&["-C", "api"]), "api/.mypy_cache r api/kept");
    let api = project.path().join("api");
    for (program, arguments) in [("ruff", &["check", "a.py"][..]), ("mypy", &["a.py"])] {
        let status = Command::new(tool(program))
            .args(arguments)
            .current_dir(&api)
            .env("HOME", project.beside("home"))
            .output()
            .unwrap();
        assert!(status.status.success(), "{status:?}");
    }
    assert!(project.path().join("r").is_dir() && api.join(".mypy_cache").is_dir());
    // The versions are those of the tools themselves.
    let outputs = key(&project, &versions);
    for name in ["uv", "ruff", "mypy"] {
        let said = said(&project, &tool(name), &["--version"], &[]);
        let version = components(&outputs)["tools"][name]
            .as_str()
            .unwrap()
            .to_owned();
        assert!(said.contains(&version), "{name} {version}: {said}");
    }
}

#[test]
fn the_python_is_found_where_a_project_keeps_it() {
    let lock = &small_locks()[0];
    let project = Project::empty();
    project.write(lock.name, &lock.lock);
    let python = |project: &Project, arguments: &[&str]| {
        components(&key(project, arguments))["python"].clone()
    };
    // PATH: what the interpreter says of itself.
    let question = "import platform; print(platform.python_version())";
    let said = said(&project, Path::new("python3"), &["-c", question], &[]);
    let found = python(&project, &[]);
    let version = found["version"].as_str().unwrap();
    assert!(said.starts_with(version), "{said}: {found}");
    project.write(".python-version", "# ours\n3.11.9\n");
    assert_eq!(python(&project, &[])["version"], "3.11.9");
    let output = Command::new(tool("uv"))
        .args([
            "venv",
            "--quiet",
            "--no-project",
            "--no-config",
            "--python",
            "python3",
            ".venv",
        ])
        .current_dir(project.path())
        .env("UV_CACHE_DIR", project.beside("uv"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let own = project.path().join(".venv/bin/python");
    let said = self::said(&project, &own, &["-c", question], &[]);
    assert_eq!(python(&project, &[])["version"], said);
    assert_eq!(
        python(&project, &["--python-version=pypy3.10"])["abi"],
        "pp310"
    );
}

#[test]
fn the_summary_shows_the_key_and_text_of_strangers_as_text() {
    let project = project(Format::Uv).in_workflow("push", &serde_json::json!({}));
    project
        .run(&["cache-key", "--extra=x=<script>|`"])
        .expect_code(0);
    let summary = project.temp_file("summary");
    assert!(summary.contains("### ✅ cache-key: passed"), "{summary}");
    assert!(summary.contains("&lt;script&gt;&#124;&#96;"), "{summary}");
    assert!(summary.contains("2 packages"), "{summary}");
    assert!(!summary.contains("<script>"), "{summary}");
    let output = project.temp_file("output");
    assert!(
        output.contains("restore-keys<<") && output.contains("\n~/.cache/uv\n"),
        "{output}"
    );
}
