//! Where packages come from: locks that uv makes here, then edited as an attacker would.

use std::process::Command;

use lockgate::lockfiles::Format;
use serde_json::json;

use crate::support::lockgate::Project;
use crate::support::small_locks::{lock_in, small_locks};
use crate::support::tools::{network, tool};

/// A project with a folder of its own beside it, locked by uv from the public index.
fn locked() -> (Project, String) {
    let project = Project::empty();
    project.write(
        "pyproject.toml",
        r#"[project]
name = "app"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = ["six", "idna", "helper"]

[tool.uv.sources]
helper = { path = "./libs/helper", editable = true }
"#,
    );
    project.write(
        "libs/helper/pyproject.toml",
        "[project]\nname = \"helper\"\nversion = \"1.0\"\nrequires-python = \">=3.11\"\n",
    );
    let home = project.beside("home");
    let output = Command::new(tool("uv"))
        .args(["lock", "--quiet"])
        .current_dir(project.path())
        .env_clear()
        .envs(network())
        .env("PATH", std::env::var("PATH").unwrap())
        .env("HOME", home)
        .output()
        .unwrap();

    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let lock = std::fs::read_to_string(project.path().join("uv.lock")).unwrap();
    (project, lock)
}

/// The source of the folder, as uv writes it.
const SOURCE: &str = "source = { editable = \"libs/helper\" }";

fn line_of(text: &str, part: &str) -> usize {
    let start = text
        .find(part)
        .unwrap_or_else(|| panic!("no `{part}` in {text}"));
    text[..start].matches('\n').count() + 1
}

#[test]
fn each_edit_of_an_address_is_found_on_its_line_and_a_lock_of_uv_is_quiet() {
    let (project, lock) = locked();
    let run = project.run(&["lockfile-verify", "--output-format=json"]);
    run.expect_code(0);
    assert_eq!(run.json()["findings"], json!([]));

    // The entry of six: its index, the URL of its sdist.
    let six = lock
        .split("[[package]]")
        .find(|entry| entry.starts_with("\nname = \"six\""))
        .unwrap();
    let between = |text: &str, start: &str, end: &str| -> String {
        let behind = text.split_once(start).unwrap().1;
        behind.split_once(end).unwrap().0.to_owned()
    };
    let index = between(six, "registry = \"", "\"");
    let sdist = between(six, "sdist = { url = \"", "\"");
    let (_, path) = sdist.split_once("://").unwrap();
    let (_, path) = path.split_once('/').unwrap();
    let edited = |from: &str, to: &str| lock.replacen(six, &six.replacen(from, to, 1), 1);
    let stranger = format!("https://files.evil.example/{path}");
    let orphan = "[[package]]\nname = \"evil\"\nversion = \"1.0\"\nsource = { url = \"https://evil.example/evil-1.0.tar.gz\" }\nsdist = { hash = \"sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274\" }\n";
    for (rule, text, marked) in [
        (
            "host-not-allowed",
            edited(&sdist, &stranger),
            "files.evil.example",
        ),
        (
            "plain-http",
            edited(&sdist, &sdist.replacen("https", "http", 1)),
            "\"http://",
        ),
        (
            "index-not-allowed",
            edited(&index, "https://lndex.example/simple"),
            "lndex.example",
        ),
        (
            "credentials",
            edited(&index, &index.replacen("://", "://me:not-real@", 1)),
            "not-real",
        ),
        (
            "absolute-path",
            lock.replacen(SOURCE, &SOURCE.replace("libs", "/home/me/libs"), 1),
            "/home/me",
        ),
        (
            "source-not-declared",
            format!("{lock}\n{orphan}"),
            "https://evil.example",
        ),
        (
            "source-not-declared",
            lock.replacen(SOURCE, &SOURCE.replace("helper", "other"), 1),
            "libs/other",
        ),
        (
            "source-not-declared",
            edited(
                &format!("{{ registry = \"{index}\" }}"),
                "{ git = \"https://g.example/six?rev=main#0123456789abcdef0123456789abcdef01234567\" }",
            ),
            "g.example",
        ),
    ] {
        project.write("uv.lock", &text);
        let run = project.run(&["lockfile-verify", "--output-format=json"]);
        let report = run.json();
        let findings = report["findings"].as_array().unwrap();
        let found = findings
            .iter()
            .find(|finding| finding["rule"] == json!(rule));
        let found = found.unwrap_or_else(|| panic!("no {rule}: {report}"));
        assert_eq!(found["line"], json!(line_of(&text, marked)), "{rule}");
        assert!(!run.text().contains("not-real"), "{}", run.text());
    }

    // One proxy is told for each package where it serves few.
    let host = sdist.split('/').nth(2).unwrap();
    project.write("uv.lock", lock.replace(host, "proxy.example"));
    let report = project
        .run(&["lockfile-verify", "--output-format=json"])
        .json();
    let findings = report["findings"].as_array().unwrap();
    let told = findings
        .iter()
        .map(|finding| &finding["rule"])
        .collect::<Vec<_>>();
    assert_eq!(told, ["host-not-allowed", "host-not-allowed"], "{report}");

    project.write("uv.lock", format!("{lock}\n{orphan}"));
    let allowed = "--allowed-sources=url";
    let run = project.run(&["lockfile-verify", allowed, "--output-format=json"]);
    let report = run.json();
    let findings = report["findings"].as_array().unwrap();
    assert!(
        !findings
            .iter()
            .any(|finding| finding["rule"] == json!("source-not-declared")),
        "{report}"
    );

    project.write("uv.lock", &lock);
    let run = project.run(&["lockfile-verify", "--private-names=Si*"]);
    run.expect_code(1)
        .expect_text("error[lockgate:private-name-public]");
    let run = project.run(&[
        "lockfile-verify",
        "--allowed-indexes=https://index.example/simple",
    ]);
    run.expect_code(1)
        .expect_text("error[lockgate:index-not-allowed]");
}

#[test]
fn inputs_that_are_no_index_host_or_name_are_refused() {
    let project = Project::empty();
    for (input, text) in [
        ("--allowed-indexes=index.example", "https://index.example"),
        (
            "--allowed-hosts=https://files.example/",
            "write `files.example`",
        ),
        ("--private-names=*", "every package"),
        ("--min-age-exceptions=a b", "has ` `"),
    ] {
        let run = project.run(&["lockfile-verify", input]);
        run.expect_code(2).expect_text(text);
    }
}

#[test]
fn a_repository_is_locked_at_a_full_commit() {
    let helper = Project::empty();
    helper.git(&["init", "--quiet", "--initial-branch=main"]);
    helper.write(
        "pyproject.toml",
        "[project]\nname = \"helper\"\nversion = \"1.0\"\nrequires-python = \">=3.11\"\n",
    );
    helper.commit("the helper");
    helper.git(&["tag", "v1"]);
    let project = Project::empty();
    project.write(
        "requirements.in",
        format!("helper @ git+file://{}@v1\n", helper.path().display()),
    );
    let output = Command::new(tool("uv"))
        .args(["pip", "compile", "--quiet", "--offline"])
        .args(["requirements.in", "--output-file=requirements.txt"])
        .current_dir(project.path())
        .env_clear()
        .env("PATH", std::env::var("PATH").unwrap())
        .env("HOME", project.beside("home"))
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    let lock = std::fs::read_to_string(project.path().join("requirements.txt")).unwrap();
    let commit = lock
        .split(|sign: char| !sign.is_ascii_hexdigit())
        .find(|word| word.len() == 40)
        .unwrap();
    let rules = || -> Vec<(String, u64)> {
        let report = project
            .run(&["lockfile-verify", "--output-format=json"])
            .json();
        let findings = report["findings"].as_array().unwrap().iter();
        let own = findings.filter(|finding| finding["rule"] == json!("git-commit"));
        own.map(|finding| {
            let message = finding["message"].as_str().unwrap().to_owned();
            (message, finding["line"].as_u64().unwrap())
        })
        .collect()
    };
    assert_eq!(rules(), []);
    let line = line_of(&lock, "helper @") as u64;
    for moving in ["v1", &commit[..7]] {
        project.write("requirements.txt", lock.replace(commit, moving));
        let expected =
            format!("`helper` comes from a git repository at `{moving}`, which is no full commit");
        assert_eq!(rules(), [(expected, line)]);
    }
}

/// A project of Poetry's or PDM's that asks for a folder and an archive.
fn with_own_sources(format: Format, archive: &str) -> Project {
    let project = Project::empty();
    let (backend, asked) = match format {
        Format::Poetry => (
            "poetry-core",
            format!(
                "[tool.poetry]\npackage-mode = false\n[tool.poetry.dependencies]\n\
                 six = {{ url = \"{archive}\" }}\nhelper = {{ path = \"libs/helper\", develop = true }}\n"
            ),
        ),
        _ => (
            "pdm-backend",
            format!(
                "dependencies = [\"six @ {archive}\", \"helper @ file:///${{PROJECT_ROOT}}/libs/helper\"]\n\
                 [tool.pdm]\ndistribution = false\n"
            ),
        ),
    };
    let head = |name: &str| {
        format!("[project]\nname = \"{name}\"\nversion = \"0.1.0\"\nrequires-python = \">=3.11\"\n")
    };
    let module = backend.replace('-', ".");
    let module = module.replace("poetry.core", "poetry.core.masonry.api");
    project
        .write("pyproject.toml", head("app") + &asked)
        .write(
            "libs/helper/pyproject.toml",
            format!(
                "{}[build-system]\nrequires = [\"{backend}\"]\nbuild-backend = \"{module}\"\n",
                head("helper")
            ),
        )
        .write("libs/helper/helper.py", "");
    project
}

#[test]
fn what_poetry_and_pdm_lock_from_elsewhere_is_asked_for() {
    let mut all = small_locks().iter();
    let uv = all.find(|small| small.format == Format::Uv).unwrap();
    let mut archives = uv.lock.split('"').filter(|text| text.contains("/six-"));
    let archive = archives.find(|text| text.contains("-none-any.")).unwrap();
    for format in [Format::Poetry, Format::Pdm] {
        let project = with_own_sources(format, archive);
        lock_in(&project.path(), format);
        let found = |name: &str| -> Vec<String> {
            let report = project
                .run(&["lockfile-verify", "--output-format=json"])
                .json();
            let findings = report["findings"].as_array().unwrap().iter();
            let own = findings.filter(|finding| finding["rule"] == json!("source-not-declared"));
            own.map(|finding| finding["message"].as_str().unwrap().to_owned())
                .filter(|message| message.contains(name))
                .collect()
        };
        assert_eq!(found(""), [""; 0], "{format:?}");
        let declared = std::fs::read_to_string(project.path().join("pyproject.toml")).unwrap();
        project.write(
            "pyproject.toml",
            declared.replace(archive, "https://files.example/six.whl"),
        );
        assert_eq!(
            found("`six 1.17.0` comes from the URL").len(),
            1,
            "{format:?}"
        );
        project.write(
            "pyproject.toml",
            declared.replace("libs/helper", "libs/other"),
        );
        assert_eq!(
            found("`helper 0.1.0` comes from the").len(),
            1,
            "{format:?}"
        );
    }
}
