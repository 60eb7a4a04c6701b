//! `deploy` as people run it: gates, targets, health, rollback, the journal.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};

use lockgate::system::files::sha256;
use serde_json::Value;

use crate::support::deployed::{self, METADATA};
use crate::support::fake_index::FakeIndex;
use crate::support::lockgate::{BINARY, Project, Run};
use crate::support::peers;

/// A project that deploys `dist/*.txt` to the folder `site`, with these lines in its environment.
fn project(lines: &str) -> Project {
    let project = Project::empty();
    define(&project, lines);
    project.write("dist/a.txt", "one");
    project
}

fn define(project: &Project, lines: &str) {
    project.write(
        "pyproject.toml",
        format!(
            "[tool.lockgate.deploy.environments.site]\ntarget = {{ local = {{ directory = 'site', keep = 3 }} }}\nartifacts = ['dist/*.txt']\n{lines}\n"
        ),
    );
}

/// No proof, but a lock.
static LOCKED: LazyLock<String> = LazyLock::new(|| PLAIN.replace(", lockfile = false", ""));

/// Neither proof nor lock, and a health that looks into what stands.
const PLAIN: &str = "gates = { artifact = false, lockfile = false }\nhealth = { command = ['grep', '-q', 'one\\|two\\|three', 'site/current/a.txt'], successes = 1, interval = '10ms', timeout = '3s' }";

fn deploy(project: &Project, arguments: &[&str]) -> (Run, Value) {
    let mut all = vec!["deploy"];
    all.extend(arguments);
    all.push("--output-format=json");
    let run = project.run(&all);
    let report = run.json();
    (run, report)
}

fn output<'r>(report: &'r Value, name: &str) -> &'r str {
    report["outputs"][name].as_str().unwrap_or_default()
}

fn standing(project: &Project) -> String {
    std::fs::read_to_string(project.path().join("site/current/a.txt")).unwrap_or_default()
}

fn journal(project: &Project) -> std::path::PathBuf {
    project.path().join(".lockgate/deploy/site.jsonl")
}

/// The states in the journal, in order.
fn states(project: &Project) -> Vec<String> {
    let text = std::fs::read_to_string(journal(project)).unwrap_or_default();
    text.lines()
        .map(|line| {
            let entry: Value = serde_json::from_str(line).expect("an entry");
            entry["event"].as_str().unwrap().to_owned()
        })
        .collect()
}

#[test]
fn a_deployment_goes_through_its_states_and_back() {
    let project = project(PLAIN);
    let (run, report) = deploy(&project, &["plan"]);
    run.expect_code(0);
    assert!(!project.path().join("site").exists() && !journal(&project).exists());
    assert_eq!(report["tables"][0]["rows"][0][0], "create");

    let (run, report) = deploy(&project, &[]);
    run.expect_code(0);
    assert_eq!(
        (output(&report, "state"), standing(&project).as_str()),
        ("success", "one")
    );
    assert_eq!(
        states(&project),
        [
            "planned",
            "gated",
            "locked",
            "created",
            "in-progress",
            "target-applied",
            "healthy",
            "success"
        ]
    );
    let ignored = std::fs::read_to_string(project.path().join(".lockgate/.gitignore"));
    assert_eq!(ignored.unwrap(), "*\n");
    let first = report["outputs"].clone();
    project.write("dist/a.txt", "two");
    let (run, report) = deploy(&project, &["run"]);
    run.expect_code(0);
    assert_eq!(standing(&project), "two");
    assert!(!output(&report, "previous").is_empty());

    let (run, report) = deploy(&project, &["rollback"]);
    run.expect_code(0);
    assert_eq!(
        (output(&report, "state"), standing(&project).as_str()),
        ("success", "one")
    );
    let (_, report) = deploy(&project, &["status"]);
    assert_eq!(output(&report, "digest"), first["digest"]);
    assert_eq!(report["tables"][0]["rows"].as_array().unwrap().len(), 3);
    let digest = first["digest"].as_str().unwrap();
    let (run, _) = deploy(&project, &["rollback", "--to", digest]);
    run.expect_code(0);
    project
        .run(&["deploy", "rollback", "--to", "nothing"])
        .expect_code(1)
        .expect_text("nothing that stood well is called `nothing`");
}

#[test]
fn what_is_not_well_is_replaced_by_what_stood_before() {
    let project = project(PLAIN);
    deploy(&project, &[]).0.expect_code(0);
    project.write("dist/a.txt", "broken");
    for round in 1..=4 {
        let (run, report) = deploy(&project, &[]);
        run.expect_code(1);
        if round <= 3 {
            assert_eq!(output(&report, "state"), "rolled-back");
            assert_eq!(standing(&project), "one");
        } else {
            // Three times a day nobody needs to look; more often somebody does.
            assert_eq!(output(&report, "state"), "failure");
            run.expect_text("3 times in 24 hours");
            assert_eq!(standing(&project), "broken");
        }
    }
    // What failed stands: one sees it, and goes back to what stood well.
    let (_, report) = deploy(&project, &["status"]);
    assert_eq!(output(&report, "digest"), sha256(&b"broken"[..]).unwrap());
    project
        .run(&["deploy", "status"])
        .expect_text("stands at `site`, whose deployment ended as `failure`")
        .expect_text("was the last that stood well");
    deploy(&project, &["rollback"]).0.expect_code(0);
    assert_eq!(standing(&project), "one");
    project.write("dist/a.txt", "three");
    deploy(&project, &[]).0.expect_code(0);
    assert_eq!(standing(&project), "three");
}

#[test]
fn the_first_deployment_has_nothing_to_go_back_to() {
    let project = project(PLAIN);
    project.write("dist/a.txt", "broken");
    let (run, report) = deploy(&project, &[]);
    run.expect_code(1)
        .expect_text("nothing is on record that stood there before");
    assert_eq!(output(&report, "state"), "failure");
    let project = self::project(&format!("{PLAIN}\nrollback = 'never'"));
    deploy(&project, &[]).0.expect_code(0);
    project.write("dist/a.txt", "broken");
    assert_eq!(output(&deploy(&project, &[]).1, "state"), "failure");
    assert_eq!(standing(&project), "broken");
    // It was the first that is not well, and nobody put anything back.
    deploy(&project, &["rollback"]).0.expect_code(0);
    assert_eq!(standing(&project), "one");
}

#[test]
fn who_cannot_be_asked_is_neither_well_nor_unwell() {
    let health = |more: &str| {
        format!(
            "gates = {{ artifact = false, lockfile = false }}\nhealth = {{ command = ['no-such-program'], successes = 1, interval = '10ms', timeout = '200ms'{more} }}"
        )
    };
    let project = project(&health(""));
    let (run, report) = deploy(&project, &[]);
    run.expect_code(3).expect_text("nobody knows whether");
    assert_eq!(output(&report, "state"), "failure");
    assert_eq!(standing(&project), "one");
}

#[test]
fn what_no_target_takes_is_on_record_as_refused() {
    let project = Project::empty();
    project.write("dist/notes-1.0-py3-none-any.whl", "no archive");
    project.write(
        "pyproject.toml",
        "[tool.lockgate.deploy.environments.site]\ntarget = { pypi = { upload = 'http://127.0.0.1:1/', anonymous = true } }\nartifacts = ['dist/*']\n",
    );
    let (run, report) = deploy(&project, &[]);
    run.expect_code(1)
        .expect_text("is no zip archive that can be read");
    assert_eq!(report["verdict"], "fail");
    assert_eq!(output(&report, "state"), "refused");
    assert_eq!(states(&project), ["planned", "refused"]);
}

#[test]
fn gates_say_why_they_say_no() {
    let wheel = "notes-1.1-py3-none-any.whl";
    let project = Project::empty();
    let define = |version: &str, lines: &str| {
        project.write(
            "pyproject.toml",
            format!(
                "[project]\nname = 'notes'\nversion = '{version}'\n[tool.lockgate.deploy.environments.site]\ntarget = {{ local = {{ directory = 'site' }} }}\nartifacts = ['dist/*']\n{lines}\n"
            ),
        );
    };
    let dist = project.path().join("dist");
    std::fs::create_dir_all(&dist).unwrap();
    let metadata = "Metadata-Version: 2.4\nName: notes\nVersion: 1.1\n";
    deployed::wheel(&dist, wheel, metadata, b"x = 1\n");
    define("1.0", "");
    let run = project.run(&["deploy"]);
    run.expect_code(1)
        .expect_text("`pyproject.toml` names the version 1.0")
        .expect_text("not proven: nothing says that `notes-1.1-py3-none-any.whl` was tested");
    assert!(!project.path().join("site").exists());
    define("1.1", "gates = { artifact = false, lockfile = false }");
    let (run, report) = deploy(&project, &[]);
    run.expect_code(0);
    assert_eq!(output(&report, "version"), "1.1");
    // Older ones and pre-releases.
    std::fs::remove_file(project.path().join("dist").join(wheel)).unwrap();
    project.write("dist/notes-1.0rc1.tar.gz", "sdist");
    define(
        "1.0rc1",
        "gates = { artifact = false, lockfile = false }\nproduction = true",
    );
    project
        .run(&["deploy"])
        .expect_code(1)
        .expect_text("1.0rc1 is a pre-release")
        .expect_text("`prereleases = true`")
        .expect_text("1.0rc1 is older than 1.1")
        .expect_text("`gates = { downgrade = true }`");
    define(
        "1.0rc1",
        "gates = { artifact = false, lockfile = false, downgrade = true }",
    );
    project.run(&["deploy"]).expect_code(0);
    project
        .run(&["deploy", "--release-version=2.0"])
        .expect_code(1)
        .expect_text("`release-version` names the version 2.0");
    define(
        "1.0rc1",
        "gates = { artifact = false, lockfile = false, downgrade = true, contexts = true }",
    );
    project
        .run(&["deploy"])
        .expect_code(3)
        .expect_text("contexts: no GitHub is here");
}

#[test]
fn a_lock_that_does_not_hold_what_it_claims_stops_a_deployment() {
    let project = project(&LOCKED);
    project.write("uv.lock", "this is no lock\n");
    let run = project.run(&["deploy"]);
    assert_ne!(run.code, 0);
    run.expect_text("lockfile");
    assert!(!project.path().join("site").exists());
    define(&project, PLAIN);
    project.run(&["deploy"]).expect_code(0);
}

#[test]
fn a_lock_that_is_not_there_is_no_yes() {
    let project = project(&LOCKED);
    for operation in ["plan", "run"] {
        project
            .run(&["deploy", operation])
            .expect_code(3)
            .expect_text("lockfile: there is no lockfile")
            .expect_text("gates = { lockfile = false }");
    }
    assert!(!project.path().join("site").exists());
}

#[test]
fn findings_on_a_lock_count_however_the_project_takes_them() {
    let project = project("");
    let define = |policy: &str| {
        project.write(
            "pyproject.toml",
            format!(
                "[project]\nname = 'notes'\nversion = '1.0'\nrequires-python = '>=3.11'\ndependencies = ['acme', 'other']\n[tool.lockgate.deploy.environments.site]\ntarget = {{ local = {{ directory = 'site' }} }}\nartifacts = ['dist/*.txt']\n{}\n[tool.lockgate.lockfile-verify]\n{policy}\n",
                *LOCKED
            ),
        );
    };
    // The project wants `other`, and the lock knows nothing of it.
    project.write(
        "uv.lock",
        "version = 1\nrevision = 3\nrequires-python = \">=3.11\"\n\n[[package]]\nname = \"acme\"\nversion = \"1.0\"\nsource = { registry = \"https://index.example/simple\" }\nwheels = [\n    { url = \"https://index.example/acme-1.0-py3-none-any.whl\" },\n]\n\n[[package]]\nname = \"notes\"\nversion = \"1.0\"\nsource = { virtual = \".\" }\ndependencies = [\n    { name = \"acme\" },\n]\n\n[package.metadata]\nrequires-dist = [{ name = \"acme\" }]\n",
    );
    for policy in ["mode = 'report'", "fail-on = 'never'"] {
        define(policy);
        project.run(&["lockfile-verify"]).expect_code(0);
        project
            .run(&["deploy"])
            .expect_code(1)
            .expect_text("lockfile: lockfile-verify says no")
            .expect_text("the lock does not record `other` (sync-requirements)");
    }
    assert!(!project.path().join("site").exists());
}

#[test]
fn only_bytes_that_were_tested_are_deployed() {
    let definition = |deploys: &str| {
        format!(
            "[tool.lockgate.pipeline.stages.build]\nrun = \"mkdir -p dist && printf one > dist/a.txt\"\noutputs = {{ text = \"dist/a.txt\" }}\n[tool.lockgate.pipeline.stages.deploy]\nneeds = [\"build\"]\nuses = \"deploy\"\n[tool.lockgate.deploy.environments.site]\ntarget = {{ local = {{ directory = \"site\" }} }}\nartifacts = [{deploys}]\ngates = {{ lockfile = false }}\n"
        )
    };
    let project = Project::empty();
    let cache = project.beside("cache").display().to_string();
    let project = project.with("LOCKGATE_CACHE_DIR", &cache);
    for deploys in ["\"dist/*\"", "\"${{ stages.build.outputs.text }}\""] {
        project.write("pyproject.toml", definition(deploys));
        project.run(&["pipeline"]).expect_code(0);
        assert_eq!(standing(&project), "one");
    }
    // A file that no stage made.
    project.write("dist/b.txt", "stranger");
    project.write("pyproject.toml", definition("\"dist/*\""));
    project
        .run(&["pipeline"])
        .expect_code(1)
        .expect_text("no stage has made `dist/b.txt`");
    std::fs::remove_file(project.path().join("dist/b.txt")).unwrap();

    // Another job gets a bundle, and its digest from the job that tested it.
    let bundle = project.beside("bundle").join("b");
    let bundle = bundle.display().to_string();
    let run = project.run(&[
        "pipeline",
        "--only=build",
        "--bundle",
        &bundle,
        "--output-format=json",
    ]);
    run.expect_code(0);
    let report = run.json();
    let digest = output(&report, "bundle-digest").to_owned();
    project.write("dist/a.txt", "changed after the test");
    project
        .run(&["deploy"])
        .expect_code(1)
        .expect_text("not proven");
    let run = project.run(&["deploy", "--bundle", &bundle]);
    run.expect_code(1)
        .expect_text("nobody says that it is the one that was tested");
    // The file of the project vouches for nothing, and takes nobody's lock.
    let plain = std::fs::read_to_string(project.path().join("pyproject.toml")).unwrap();
    for line in [
        format!("bundle-digest = '{digest}'"),
        "break-lock = true".to_owned(),
    ] {
        let name = line.split(' ').next().unwrap();
        project.write(
            "pyproject.toml",
            plain.replace(
                "[tool.lockgate.deploy.",
                &format!("[tool.lockgate.deploy]\n{line}\n[tool.lockgate.deploy."),
            ),
        );
        project
            .run(&["deploy", "--bundle", &bundle])
            .expect_code(2)
            .expect_text(&format!("`{name}` is given for each deployment"));
    }
    project.write("pyproject.toml", plain);
    let argument = format!("--bundle-digest={digest}");
    project
        .run(&["deploy", "--bundle", &bundle, &argument])
        .expect_code(0);
    assert_eq!(standing(&project), "one");
    let wrong = format!("--bundle-digest={}", "0".repeat(64));
    project
        .run(&["deploy", "--bundle", &bundle, &wrong])
        .expect_code(1);
    std::fs::write(Path::new(&bundle).join("files/dist/a.txt"), "tampered").unwrap();
    project
        .run(&["deploy", "--bundle", &bundle, &argument])
        .expect_code(1)
        .expect_text("has changed");
}

#[test]
fn nobody_outside_of_a_pipeline_can_say_what_was_tested() {
    let project = project("");
    let manifest = project.beside("forged").join("manifest.json");
    std::fs::write(
        &manifest,
        "{\"schema\":\"lockgate.manifest/1\",\"artifacts\":[]}",
    )
    .unwrap();
    let manifest = manifest.display().to_string();
    let project = project
        .with("LOCKGATE_MANIFEST", &manifest)
        .with("LOCKGATE_MANIFEST_DIGEST", &"0".repeat(64));
    project
        .run(&["deploy"])
        .expect_code(1)
        .expect_text("not proven");
}

/// A server on loopback that answers each connection by this.
fn server(answer: impl Fn(usize, &mut dyn Write) + Send + 'static) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    std::thread::spawn(move || {
        let answer = Mutex::new(answer);
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            let number = counted.fetch_add(1, Ordering::SeqCst);
            (answer.lock().unwrap())(number, &mut stream);
        }
    });
    (format!("http://{address}/health"), count)
}

fn answer(out: &mut dyn Write, head: &str, body: &str) {
    let _ = write!(
        out,
        "HTTP/1.1 {head}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
}

fn asks(url: &str, more: &str) -> String {
    format!(
        "gates = {{ artifact = false, lockfile = false }}\nhealth = {{ http = '{url}', interval = '10ms', timeout = '3s', try-timeout = '500ms', successes = 2{more} }}"
    )
}

#[test]
fn the_answer_must_name_the_version_that_was_deployed() {
    let (url, count) = server(|number, out| {
        // The old release answers for a while.
        let version = if number < 3 { "0.9" } else { "1.0" };
        answer(
            out,
            "200 OK",
            &format!("{{\"version\":\"{version}\",\"ok\":true}}"),
        );
    });
    let project = project(&asks(
        &url,
        ", json = { '/version' = '${{ version }}', '/ok' = 'true' }, body = 'version'",
    ));
    let (run, report) = deploy(&project, &["--release-version=1.0"]);
    run.expect_code(0);
    assert_eq!(output(&report, "state"), "success");
    assert_eq!(count.load(Ordering::SeqCst), 5);
    project
        .run(&["deploy", "--release-version=2.0"])
        .expect_code(1)
        .expect_text("the answer has `1.0` at `/version`, and `2.0` was expected");
}

#[test]
fn answers_that_never_end_or_lead_in_circles_are_not_waited_for() {
    type Answer = fn(usize, &mut dyn Write);
    let hostile: [(Answer, &str, &str); 5] = [
        (
            |_, out| {
                let _ = out.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
                while out.write_all(&[b'x'; 8192]).is_ok() {}
            },
            ", body = 'never'",
            "more than 1048576 bytes",
        ),
        (
            |_, out| answer(out, "302 Found\r\nLocation: /health", ""),
            "",
            "the status 302",
        ),
        (
            |_, _| std::thread::sleep(std::time::Duration::from_mins(1)),
            "",
            "",
        ),
        (
            |_, out| answer(out, "200 OK", "<html>"),
            ", json = { '/a' = 'b' }",
            "no JSON",
        ),
        (|_, out| answer(out, "500 Oh", ""), "", "the status 500"),
    ];
    for (kind, more, expected) in hostile {
        let (url, _) = server(kind);
        let project = project(&asks(&url, more));
        let run = project.run(&["deploy"]);
        run.expect_code(1)
            .expect_text("is not well")
            .expect_text(expected);
    }
}

#[test]
fn a_command_of_the_project_deploys_and_goes_back() {
    let project = Project::empty()
        .with("TOKEN_OF_US", "s3cr3t-value")
        .with("STRANGE", "unseen");
    project.write("dist/a.txt", "one");
    project.write(
        "pyproject.toml",
        r#"
[tool.lockgate.deploy.environments.shell]
artifacts = ["dist/*.txt"]
gates = { artifact = false, lockfile = false }
health = { command = ["grep", "-q", "one", "standing"], successes = 1, interval = "10ms", timeout = "1s" }
[tool.lockgate.deploy.environments.shell.target.shell]
run = 'cp "$LOCKGATE_DEPLOY_FILES" standing; echo "with $TOKEN and ${STRANGE:-nothing}"; echo "$LOCKGATE_DEPLOY_PREVIOUS" > before'
rollback = 'echo "$LOCKGATE_DEPLOY_TO" > standing'
current = ["cat", "standing"]
secrets = { TOKEN = { env = "TOKEN_OF_US" } }
"#,
    );
    project.write("standing", "nothing yet\n");
    let (run, report) = deploy(&project, &[]);
    run.expect_code(0);
    assert_eq!(output(&report, "previous"), "nothing yet");
    assert!(!run.text().contains("s3cr3t-value"), "{}", run.text());
    run.expect_text("with *** and nothing");
    project.write("dist/a.txt", "two");
    let (run, report) = deploy(&project, &[]);
    run.expect_code(1);
    assert_eq!(output(&report, "state"), "rolled-back");
    let standing = std::fs::read_to_string(project.path().join("standing")).unwrap();
    assert_eq!(standing, "one\n");
    let project = project.with("TOKEN_OF_US", "");
    project
        .run(&["deploy"])
        .expect_code(2)
        .expect_text("the secret `TOKEN` is missing: `TOKEN_OF_US` is not set");
}

#[test]
fn a_package_is_published_once_and_never_changed() {
    const WHEEL: &str = "acme_app-1.2.0-py3-none-any.whl";
    let index = FakeIndex::start();
    let project = Project::empty().with("TOKEN_OF_INDEX", "pypi-not-real");
    let (upload, simple) = (index.upload(), index.simple());
    project.write(
        "pyproject.toml",
        format!(
            "[tool.lockgate.deploy.environments.index]\nartifacts = ['dist/*']\ngates = {{ artifact = false, lockfile = false }}\ntarget = {{ pypi = {{ upload = '{upload}', simple = '{simple}', project = 'acme-app', token = 'TOKEN_OF_INDEX' }} }}\n"
        ),
    );
    let dist = project.path().join("dist");
    std::fs::create_dir_all(&dist).unwrap();
    deployed::wheel(&dist, WHEEL, METADATA, b"x = 1\n");
    let (run, report) = deploy(&project, &[]);
    run.expect_code(0);
    assert_eq!((output(&report, "version"), index.uploads()), ("1.2.0", 1));
    assert!(!run.text().contains("pypi-not-real"), "{}", run.text());
    let (run, report) = deploy(&project, &[]);
    run.expect_code(0);
    assert_eq!(report["tables"][0]["rows"][0][0], "keep");
    deployed::wheel(&dist, WHEEL, METADATA, b"x = 2\n");
    let (run, report) = deploy(&project, &[]);
    run.expect_code(1).expect_text("target: ");
    assert_eq!((output(&report, "state"), index.uploads()), ("refused", 1));
    project
        .run(&["deploy", "rollback"])
        .expect_code(1)
        .expect_text("cannot go back");
}

#[test]
fn a_bucket_has_the_release_and_gets_the_one_before_back() {
    let project = Project::empty();
    let broken = sha256(&b"broken"[..]).unwrap();
    // The files of a release that is not well stay in the bucket; nothing points to them.
    let health = format!(
        "import json, sys; sys.exit('{broken}' in json.load(open('store/env/models/current.json'))['digest'])"
    );
    project.write(
        "pyproject.toml",
        format!(
            "[tool.lockgate.deploy.environments.models]\nartifacts = ['dist/*']\ngates = {{ artifact = false, lockfile = false }}\ntarget = {{ object-store = {{ address = 'store' }} }}\nhealth = {{ command = ['python3', '-c', \"{health}\"], successes = 1, timeout = '3s', interval = '10ms' }}\n"
        ),
    );
    let current = || {
        let pointer = project.path().join("store/env/models/current.json");
        std::fs::read_to_string(pointer).unwrap()
    };
    project.write("dist/model.bin", "one");
    let (run, first) = deploy(&project, &[]);
    run.expect_code(0);
    let digest = output(&first, "digest");
    assert!(current().contains(digest), "{}", current());
    let (run, again) = deploy(&project, &[]);
    run.expect_code(0);
    assert_eq!(output(&again, "digest"), digest);
    project.write("dist/model.bin", "broken");
    let (run, report) = deploy(&project, &[]);
    run.expect_code(1);
    assert_eq!(output(&report, "state"), "rolled-back");
    let pointer: Value = serde_json::from_str(&current()).unwrap();
    let now = pointer["digest"].as_str().unwrap();
    assert!(digest.ends_with(now) || now.ends_with(digest), "{pointer}");
}

#[test]
fn a_journal_that_was_changed_stops_everything_and_one_that_was_cut_goes_on() {
    let project = project(PLAIN);
    deploy(&project, &[]).0.expect_code(0);
    let path = journal(&project);
    let bytes = std::fs::read(&path).unwrap();
    // A line that was not written to its end.
    std::fs::write(&path, &bytes[..bytes.len() - 7]).unwrap();
    let (run, report) = deploy(&project, &["status"]);
    run.expect_code(0);
    assert_eq!(output(&report, "state"), "healthy");
    let (run, _) = deploy(&project, &[]);
    run.expect_code(0);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("\"recovered\":"), "{text}");
    assert!(states(&project).contains(&"cancelled".to_owned()), "{text}");
    // A line that somebody changed.
    let changed = text.replacen("\"gated\"", "\"gatec\"", 1);
    std::fs::write(&path, &changed).unwrap();
    for operation in ["run", "status", "rollback", "finalize", "sweep"] {
        project
            .run(&["deploy", operation])
            .expect_code(3)
            .expect_text("line 2 of the journal");
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap(), changed);
    // A pipe that nobody writes to.
    std::fs::remove_file(&path).unwrap();
    let made = std::process::Command::new("mkfifo").arg(&path).status();
    assert!(made.unwrap().success());
    project
        .run(&["deploy", "status"])
        .expect_code(3)
        .expect_text("it is no regular file");
}

#[test]
fn of_two_deployments_at_once_one_waits_or_is_refused() {
    let lines = "gates = { artifact = false, lockfile = false }\nhealth = { command = ['sleep', '1'], successes = 1 }";
    let project = project(lines);
    let start = || {
        Command::new(BINARY)
            .args(["deploy", "--output-format=json"])
            .current_dir(project.path())
            .env_clear()
            .env("PATH", std::env::var("PATH").unwrap())
            .output()
            .unwrap()
    };
    let codes: Vec<Option<i32>> = std::thread::scope(|scope| {
        let both = [scope.spawn(start), scope.spawn(start)];
        both.map(|one| one.join().unwrap().status.code()).to_vec()
    });
    let mut codes = codes;
    codes.sort_unstable();
    assert_eq!(codes, [Some(0), Some(1)], "{:?}", states(&project));
    let states = states(&project);
    let count = |name: &str| states.iter().filter(|state| *state == name).count();
    assert_eq!(
        (count("success"), count("refused"), count("planned")),
        (1, 1, 2)
    );
    // One that is told to wait gets its turn.
    define(&project, &format!("{lines}\nlock = {{ wait = '1m' }}"));
    let codes = std::thread::scope(|scope| {
        let both = [scope.spawn(start), scope.spawn(start)];
        both.map(|one| one.join().unwrap().status.code())
    });
    assert_eq!(codes, [Some(0), Some(0)]);
}

#[test]
fn a_mistake_in_the_definition_is_told_with_its_place() {
    let project = project("rolback = 'never'");
    project
        .run(&["deploy"])
        .expect_code(2)
        .expect_text("pyproject.toml:4:1")
        .expect_text("write `rollback`");
    let project = Project::empty();
    project
        .run(&["deploy"])
        .expect_code(2)
        .expect_text("nothing here says where to deploy to");
    let project = self::project(PLAIN);
    project
        .run(&["deploy", "--environment=sit"])
        .expect_code(2)
        .expect_text("write `site`");
    project
        .run(&["deploy", "--bundle-digest=abc"])
        .expect_code(2)
        .expect_text("is no SHA-256");
}

#[test]
fn a_stage_deploys_with_the_credentials_of_a_cloud_as_secrets() {
    peers::make_bucket("shipped");
    let project = Project::empty().with("AWS_SECRET_ACCESS_KEY", "not-real-secret");
    let endpoint = peers::moto();
    project.write(
        "pyproject.toml",
        format!(
            r#"
            [tool.lockgate.deploy.environments.models]
            artifacts = ["model.bin"]
            gates = {{ artifact = false, lockfile = false }}
            target = {{ object-store = {{ address = "s3://shipped/models" }} }}

            [tool.lockgate.pipeline.stages.ship]
            uses = "deploy"
            secrets = ["AWS_SECRET_ACCESS_KEY"]
            env = {{ AWS_ACCESS_KEY_ID = "not-real-id", AWS_ENDPOINT_URL = "{endpoint}" }}
            "#
        ),
    );
    project.write("model.bin", "weights");
    let run = project.run(&["pipeline"]);
    run.expect_code(0).expect_text("1 passed");
    let status = project.run(&["deploy", "status"]);
    status.expect_text("stands at `models`");
    assert!(!format!("{}{}", run.stdout, run.stderr).contains("not-real-secret"));
}
