//! The baseline file: what is written, what is read, what is refused, and what git makes of two branches.

use std::process::Command;

use lockgate::baseline::{Baseline, Keyed};

use crate::baseline::keys;

const SOURCE: &str = "\
import os

def first():
    a = x + 1
    b = x + 2

class Box:
    def grow(self):
        return x
";

fn of(places: &[&str]) -> Baseline {
    let keys = keys("src/app.py", SOURCE, places);
    baseline(&keys)
}

fn baseline(keys: &[Keyed]) -> Baseline {
    Baseline::default().of(keys
        .iter()
        .map(|key| (key, "Undefined name `x`, see line 12 of /etc/x.py")))
}

fn parse(text: &str) -> Baseline {
    Baseline::parse(text, "baseline").unwrap_or_else(|error| panic!("{}", error.render()))
}

#[test]
fn a_line_says_what_people_review() {
    let rendered = of(&["x + 1", "x + 2"]).render();
    let lines: Vec<&str> = rendered.lines().collect();
    assert_eq!(lines[0], "# lockgate baseline 1");
    assert_eq!(lines.len(), 3);
    let fields: Vec<&str> = lines[1].split('\t').collect();
    assert_eq!(
        (fields[0], fields[1], fields[3]),
        ("src/app.py", "ruff:F821", "1")
    );
    assert_eq!(fields[4], "Undefined name `x`, see line # of …");
    assert_eq!(fields[2].len(), 44, "{}", fields[2]);
}

#[test]
fn what_is_written_is_read_again() {
    let mut keys = keys(
        "src/app.py",
        SOURCE,
        &["x + 1", "x + 2", "return x", "import"],
    );
    keys.extend(keys.clone());
    for (path, tool, rule) in [
        (Some("-"), "ruff", Some("F401")),
        (None, "ty", None),
        (Some("#a b\t%41\u{202e}é.py"), "My: tool%", Some("a:b\n")),
        (Some("<<<<<<< HEAD"), "x", Some("")),
    ] {
        let mut key = keys[0].clone();
        key.path = path.map(Into::into);
        key.tool = tool.into();
        key.rule = rule.map(Into::into);
        keys.push(key);
    }
    let written = baseline(&keys);
    let rendered = written.render();
    let read = parse(&rendered);
    assert_eq!(read.render(), rendered);
    assert_eq!(read.entries.len(), 8);
    assert_eq!(
        read.entries.iter().map(|entry| entry.count).sum::<u32>(),
        12
    );
    assert!(
        rendered
            .bytes()
            .all(|byte| byte == b'\n' || byte == b'\t' || byte >= b' ')
    );
}

#[test]
fn windows_line_breaks_comments_and_order_make_no_difference() {
    let rendered = of(&["x + 1", "x + 2", "return x"]).render();
    let mut lines: Vec<&str> = rendered.lines().skip(1).collect();
    lines.reverse();
    let header = rendered.lines().next().unwrap();
    let other = format!(
        "\u{feff}{header}\r\n# a comment\r\n\r\n{}\r\n{header}\r\n{}",
        lines.join("\r\n"),
        lines[0]
    );
    assert_eq!(parse(&other).render(), rendered);
}

#[test]
fn an_entry_that_is_there_twice_counts_as_often_as_the_larger() {
    let keys = keys("src/app.py", SOURCE, &["x + 1", "x + 1", "x + 1"]);
    let (one, three) = (baseline(&keys[..1]).render(), baseline(&keys).render());
    let both = format!("{one}{three}{one}");
    assert_eq!(parse(&both).render(), three);
}

#[test]
fn what_is_wrong_is_refused_with_its_place_and_what_to_do() {
    let good = of(&["x + 1"]).render();
    let line = good.lines().nth(1).unwrap();
    let fields: Vec<&str> = line.split('\t').collect();
    let with = |index: usize, value: &str| {
        let mut fields = fields.clone();
        fields[index] = value;
        format!("# lockgate baseline 1\n{}\n", fields.join("\t"))
    };
    let key = fields[2];
    for (text, message, place) in [
        (String::new(), "`b` is empty", (1, 1)),
        (
            "hello\n".to_owned(),
            "`b` does not begin with `# lockgate baseline 1`",
            (1, 1),
        ),
        (
            "# lockgate baseline 2\n".to_owned(),
            "`b` is a baseline of version `2`",
            (1, 1),
        ),
        (
            "# lockgate baseline 1\nsrc/app.py\truff:F401\n".to_owned(),
            "`b` has a line without a key",
            (2, 1),
        ),
        (
            "# lockgate baseline 1\nsrc/app.py\n".to_owned(),
            "`b` has a line without a tool",
            (2, 1),
        ),
        (
            with(0, "../x.py"),
            "`b` names `../x.py`, which is no file of the repository",
            (2, 1),
        ),
        (
            with(0, "/etc/passwd"),
            "`b` names `/etc/passwd`, which is no file of the repository",
            (2, 1),
        ),
        (
            with(0, "a//b"),
            "`b` names `a//b`, which is no file of the repository",
            (2, 1),
        ),
        (
            with(0, "a%zz"),
            "`b` names `a%zz`, which is no file of the repository",
            (2, 1),
        ),
        (
            with(0, "a%"),
            "`b` names `a%`, which is no file of the repository",
            (2, 1),
        ),
        (
            with(0, "%FF"),
            "`b` names `%FF`, which is no file of the repository",
            (2, 1),
        ),
        (
            with(0, "a%2F..%2Fb"),
            "`b` names `a%2F..%2Fb`, which is no file of the repository",
            (2, 1),
        ),
        (
            with(0, ""),
            "`b` names ``, which is no file of the repository",
            (2, 1),
        ),
        (
            with(1, ":F401"),
            "`b` has a line that names no tool",
            (2, 12),
        ),
        (with(2, "xyz"), "`b` has `xyz` where a key belongs", (2, 22)),
        (
            with(2, &key[1..]),
            &*format!("`b` has `{}` where a key belongs", &key[1..]),
            (2, 22),
        ),
        (
            with(2, &format!("{key}-00000000")),
            &*format!("`b` has `{key}-00000000` where a key belongs"),
            (2, 22),
        ),
        (with(3, "0"), "`b` has `0` where a count belongs", (2, 67)),
        (with(3, "+1"), "`b` has `+1` where a count belongs", (2, 67)),
        (
            with(3, "99999999999"),
            "`b` has `99999999999` where a count belongs",
            (2, 67),
        ),
        (
            format!("{good}<<<<<<< HEAD\n"),
            "`b` has the marks of a merge conflict",
            (3, 1),
        ),
        (
            format!("{good}=======\n"),
            "`b` has the marks of a merge conflict",
            (3, 1),
        ),
    ] {
        let error = Baseline::parse(&text, "b").unwrap_err();
        assert_eq!(error.message, message);
        let at = error.place.as_ref().unwrap();
        assert_eq!(
            (at.path.as_str(), at.line, at.column),
            ("b", place.0, place.1),
            "{}",
            error.render()
        );
        assert!(error.hint.is_some(), "{}", error.render());
    }
}

#[test]
fn hostile_bytes_never_panic() {
    let good = of(&["x + 1", "x + 2"]).render();
    let mut random = 1_u64;
    for _ in 0..3_000 {
        let mut bytes = good.clone().into_bytes();
        for _ in 0..3 {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let at = usize::try_from(random >> 33).unwrap() % bytes.len();
            bytes[at] = b"\t\n%-:#\xff\0 9"[usize::try_from(random >> 20).unwrap() % 10];
        }
        let _ = Baseline::parse(&String::from_utf8_lossy(&bytes), "b");
    }
}

#[test]
fn an_update_keeps_the_lines_of_what_is_still_there() {
    let before = of(&["x + 1", "x + 2", "return x"]);
    // Other neighbours: the key of the same place would be written anew.
    let source = SOURCE
        .replace("    b = x", "    c = 3\n    b = x")
        .replace("x + 1", "y");
    let keys = keys("src/app.py", &source, &["x + 2", "return x"]);
    let fresh = baseline(&keys).render();
    let after = before
        .of(keys.iter().map(|key| (key, "Undefined name `x`")))
        .render();
    let old = before.render();
    assert!(
        after
            .lines()
            .all(|line| old.lines().any(|known| known == line)),
        "{after}"
    );
    assert_eq!(after.lines().count(), 3);
    assert_ne!(fresh, after);
}

/// Two branches that mend and add different things: git merges the lines, and every finding of the merge is known.
#[test]
fn git_merges_two_branches() {
    let folder = tempfile::tempdir().unwrap();
    let git = |arguments: &[&str]| {
        let output = Command::new("git")
            .args([
                "-c",
                "user.name=x",
                "-c",
                "user.email=x@example.com",
                "-c",
                "init.defaultBranch=main",
            ])
            .args(arguments)
            .current_dir(&folder)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stdout)
        );
    };
    let write = |text: &str| std::fs::write(folder.path().join("baseline"), text).unwrap();
    git(&["init", "--quiet"]);
    std::fs::write(
        folder.path().join(".gitattributes"),
        "baseline merge=union\n",
    )
    .unwrap();
    write(&of(&["x + 1", "return x"]).render());
    git(&["add", "."]);
    git(&["commit", "--quiet", "-m", "base"]);
    git(&["checkout", "--quiet", "-b", "left"]);
    write(&of(&["x + 1", "x + 2", "return x"]).render());
    git(&["commit", "--quiet", "-am", "left"]);
    git(&["checkout", "--quiet", "main"]);
    write(&of(&["import", "return x"]).render());
    git(&["commit", "--quiet", "-am", "right"]);
    git(&["merge", "--quiet", "left", "-m", "merge"]);
    let merged = parse(&std::fs::read_to_string(folder.path().join("baseline")).unwrap());
    let entries = |baseline: &Baseline| -> Vec<String> {
        baseline.render().lines().map(str::to_owned).collect()
    };
    for line in entries(&of(&["x + 2", "import", "return x"])) {
        assert!(entries(&merged).contains(&line), "{line}");
    }
    assert!(merged.entries.iter().all(|entry| entry.count == 1));
}
