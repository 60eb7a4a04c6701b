//! Platforms: the tags of wheels in a lock that uv makes here, as `packaging` judges them.

use std::process::Command;

use lockgate::lockfiles::target::{Platform, Python, Target};
use serde_json::json;

use crate::support::lockgate::Project;
use crate::support::tools::{network, python, tool};

/// Prints a line for each wheel and target: whether `packaging` would install it.
const JUDGE: &str = r#"
import re, sys
from packaging import tags, utils, _manylinux
_manylinux._get_glibc_version = lambda: (2, 28)
_manylinux._have_compatible_abi = lambda *_: True
names = sorted(set(re.findall(r'/([^/"]+\.whl)"', open(sys.argv[1]).read())))
platforms = {
    "manylinux_2_28-x86_64": [*_manylinux.platform_tags(["x86_64"]), "linux_x86_64"],
    "manylinux_2_28-aarch64": [*_manylinux.platform_tags(["aarch64"]), "linux_aarch64"],
    "musllinux_1_2-x86_64": ["musllinux_1_2_x86_64", "musllinux_1_1_x86_64", "musllinux_1_0_x86_64", "linux_x86_64"],
    "macos_14-arm64": list(tags.mac_platforms((14, 0), "arm64")),
    "macos_13-x86_64": list(tags.mac_platforms((13, 0), "x86_64")),
    "windows-amd64": ["win_amd64"],
    "windows-x86": ["win32"],
}
for platform, own in platforms.items():
    for minor, end in [(11, ""), (12, ""), (13, "t"), (14, "")]:
        name = f"cp3{minor}"
        known = set(tags.cpython_tags((3, minor), [name + end], own))
        known |= set(tags.compatible_tags((3, minor), name, own))
        for wheel in names:
            takes = not known.isdisjoint(utils.parse_wheel_filename(wheel)[3])
            print(platform, f"3.{minor}{end}", wheel, int(takes))
"#;

#[test]
fn wheels_serve_what_packaging_says_and_what_is_missing_is_found() {
    let project = Project::empty();
    project.write(
        "pyproject.toml",
        "[project]\nname = \"app\"\nversion = \"0.1.0\"\nrequires-python = \">=3.11\"\ndependencies = [\"numpy\", \"cryptography\", \"docopt\", \"ruff\", \"pywin32; sys_platform == 'win32'\"]\n",
    );
    let output = Command::new(tool("uv"))
        .args(["lock", "--quiet"])
        .current_dir(project.path())
        .env_clear()
        .envs(network())
        .env("PATH", std::env::var("PATH").unwrap())
        .env("HOME", project.beside("home"))
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    let lock = project.path().join("uv.lock");
    let output = Command::new(python())
        .args(["-c", JUDGE])
        .arg(&lock)
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    let answers = String::from_utf8(output.stdout).unwrap();
    assert!(answers.lines().count() > 2_000);
    for line in answers.lines() {
        let parts: Vec<&str> = line.split(' ').collect();
        let target = Target {
            platform: Platform::parse(parts[0]).unwrap(),
            python: Python::parse(parts[1]).unwrap(),
        };
        assert_eq!(target.takes(parts[2]), parts[3] == "1", "{line}");
    }

    let quiet = [
        "lockfile-verify",
        "--platforms=linux-x86_64,macos-arm64",
        "--pythons=3.12",
    ];
    project.run(&quiet).expect_code(0);
    let lock = std::fs::read_to_string(&lock).unwrap();
    let everywhere = lock.replace(", marker = \"sys_platform == 'win32'\" }", " }");
    assert_ne!(lock, everywhere);
    project.write("uv.lock", everywhere);
    let run = project.run(&[&quiet[..], &["--output-format=json"]].concat());
    let report = run.expect_code(1).json();
    let mut findings = report["findings"].as_array().unwrap().iter();
    let found = findings
        .find(|finding| finding["rule"] == json!("no-file-for-platform"))
        .unwrap();
    let message = found["message"].as_str().unwrap();
    assert!(message.starts_with("`pywin32 ") && message.contains("`macos-arm64`"));

    project.write("uv.lock", &lock);
    let found = |arguments: &[&str]| -> Vec<String> {
        let base = ["lockfile-verify", "--output-format=json"];
        let report = project.run(&[&base[..], arguments].concat()).json();
        let findings = report["findings"].as_array().unwrap().iter();
        findings
            .map(|finding| {
                let message = finding["message"].as_str().unwrap();
                let name = message.split([' ', '`']).find(|word| !word.is_empty());
                format!("{} {}", finding["rule"].as_str().unwrap(), name.unwrap())
            })
            .collect()
    };
    assert_eq!(
        found(&["--rules=sdist-only warning"]),
        ["sdist-only docopt"]
    );
    assert_eq!(
        found(&["--rules=wheel-only warning"]),
        ["wheel-only pywin32"]
    );
    assert_eq!(found(&["--pythons=3.11,3.14t"]), [""; 0]);
    assert_eq!(found(&["--pythons=3.10"]), ["python-excluded the"]);
    assert_eq!(found(&["--rules=fact-missing warning"]), [""; 0]);
    let line = lock.lines().find(|line| line.contains("/docopt-")).unwrap();
    let (head, tail) = line.split_once(", size = ").unwrap();
    let (_, tail) = tail.split_once(',').unwrap();
    project.write("uv.lock", lock.replace(line, &format!("{head},{tail}")));
    assert_eq!(
        found(&["--rules=fact-missing warning"]),
        ["fact-missing docopt-0.6.2.tar.gz"]
    );
}
