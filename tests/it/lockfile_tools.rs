//! The tools that make lockfiles for the tests: pinned, hashed, and there.

use std::process::Command;

use crate::support::expect::root;
use crate::support::lock_tools::lock_tool;

/// What an `.in` pins: `poetry`, `1.8.5`.
fn pin(list: &str) -> (String, String) {
    let line = list.lines().find(|line| !line.starts_with('#')).unwrap();
    let (name, version) = line.split_once("==").unwrap();
    let name = name.split('[').next().unwrap();
    (name.to_owned(), version.to_owned())
}

#[test]
fn each_tool_is_the_one_that_its_list_pins() {
    let mut count = 0;
    for entry in std::fs::read_dir(root().join("tests/tools/locks")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        if path.extension().is_some_and(|extension| extension == "txt") {
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(text.contains("--hash=sha256:"), "{name}: no hashes");
            for machine in ["://", "--find-links", "--index"] {
                assert!(!text.contains(machine), "{name}: `{machine}` of a machine");
            }
            continue;
        }
        count += 1;
        let (package, version) = pin(&std::fs::read_to_string(&path).unwrap());
        let script =
            "import importlib.metadata, sys; print(importlib.metadata.version(sys.argv[1]))";
        let output = Command::new(lock_tool(name).join("bin/python"))
            .args(["-c", script, &package])
            .output()
            .unwrap();
        let found = String::from_utf8_lossy(&output.stdout);
        assert_eq!(found.trim(), version, "{name}");
    }
    assert!(count > 0);
}
