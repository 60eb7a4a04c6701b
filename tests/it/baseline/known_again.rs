//! Which findings are known again, case by case.

use std::collections::BTreeMap;
use std::time::Instant;

use lockgate::baseline::{Entry, Essence, Keyed, Matching, Outline, Repeats, Site, matching};

use crate::baseline::keys;

/// A file before or after: its path, its text, and where it has findings.
type File<'a> = (&'a str, &'a str, &'a [&'a str]);

fn keyed(files: &[File<'_>]) -> Vec<Keyed> {
    let keyed = files
        .iter()
        .flat_map(|(path, source, places)| keys(path, source, places));
    keyed.collect()
}

fn run(before: &[File<'_>], after: &[File<'_>], renames: &[(&str, &str)]) -> Matching {
    let entries: Vec<Entry> = keyed(before).into_iter().map(Entry::once).collect();
    let renames = renames
        .iter()
        .map(|(new, old)| ((*new).to_owned(), (*old).to_owned()));
    let renames: BTreeMap<String, String> = renames.collect();
    matching(&entries, &keyed(after), &renames, |path| {
        let (_, source, _) = after.iter().find(|file| file.0 == path)?;
        Some(Outline::new(path, source.as_bytes()).inventory())
    })
}

/// The findings that are new, by their order.
#[track_caller]
fn expect_new(before: &[File<'_>], after: &[File<'_>], renames: &[(&str, &str)], new: &[usize]) {
    let matching = run(before, after, renames);
    let found: Vec<usize> = (0..matching.covered.len())
        .filter(|at| matching.covered[*at].is_none())
        .collect();
    assert_eq!(found, new);
    let covered = matching.covered.iter().flatten().count();
    let stale: u32 = matching.stale.iter().map(|stale| stale.1).sum();
    assert_eq!(covered + stale as usize, keyed(before).len());
}

const ONE: &str =
    "def f():\n    a = 1\n    b = x\n    c = 3\n\n\ndef g():\n    d = 4\n    return d\n";

#[test]
fn lines_above_and_formatting_make_nothing_new() {
    let wrapped = "'''Text.'''\nimport os\n\n\ndef f():\n    a = 1\n    b = (\n        x  # why\n    )\n    c = 3\n";
    expect_new(
        &[("a.py", ONE, &["x"])],
        &[("a.py", wrapped, &["x  "])],
        &[],
        &[],
    );
}

#[test]
fn the_same_mistake_in_another_function_is_new() {
    let swapped = ONE
        .replace("b = x", "b = 2")
        .replace("d = 4", "d = 4\n    b = x");
    expect_new(
        &[("a.py", ONE, &["x"])],
        &[("a.py", &swapped, &["x"])],
        &[],
        &[0],
    );
}

#[test]
fn the_same_mistake_made_once_more_is_new() {
    let twice = ONE.replace("b = x", "b = x\n    b = x");
    expect_new(
        &[("a.py", ONE, &["x"])],
        &[("a.py", &twice, &["x\n    b", "x\n    c"])],
        &[],
        &[1],
    );
}

#[test]
fn what_was_silenced_where_it_stands_covers_nothing_else() {
    // The line is as it was, but no longer wrong: the name is defined now.
    let moved = "x = 0\n".to_owned() + ONE + "\n\ndef h():\n    a = 1\n    b = x\n    c = 3\n";
    let at = moved.rfind("b = x").unwrap();
    let marked = format!("{}b = x{}", &moved[..at], &moved[at + 5..]);
    let place = "x\n    c = 3\n\0";
    let marked = marked.trim_end().to_owned() + "\n\0";
    expect_new(
        &[("a.py", ONE, &["x"])],
        &[("a.py", &marked, &[place])],
        &[],
        &[0],
    );
}

#[test]
fn a_function_that_moves_takes_its_findings_along() {
    let (f, g) = ONE.split_at(ONE.find("def g").unwrap());
    let reordered = format!("{g}\n\n{f}");
    expect_new(
        &[("a.py", ONE, &["x"])],
        &[("a.py", &reordered, &["x"])],
        &[],
        &[],
    );
    expect_new(
        &[("a.py", ONE, &["x"])],
        &[("a.py", g, &[]), ("b.py", f, &["x"])],
        &[],
        &[],
    );
    let renamed = ONE.replace("def f", "def other");
    expect_new(
        &[("a.py", ONE, &["x"])],
        &[("a.py", &renamed, &["x"])],
        &[],
        &[],
    );
    let nested =
        format!("class A:\n    def f(self):\n        a = 1\n        b = x\n        c = 3\n\n\n{g}");
    expect_new(
        &[("a.py", ONE, &["x"])],
        &[("a.py", &nested, &["x"])],
        &[],
        &[],
    );
}

#[test]
fn a_mistake_mended_in_one_file_and_made_in_another_is_new() {
    let mended = ONE.replace("b = x", "b = 2");
    let other = "def h():\n    b = x\n    return b\n";
    expect_new(
        &[("a.py", ONE, &["x"])],
        &[("a.py", &mended, &[]), ("b.py", other, &["x"])],
        &[],
        &[0],
    );
    // At the top of a file there is no function to tell them apart.
    let (left, right) = (
        "import a\nimport x\nimport b\n",
        "import c\nimport x\nimport d\n",
    );
    let (left_mended, right_clean) = ("import a\nimport b\n", "import c\nimport d\n");
    expect_new(
        &[("a.py", left, &["x"]), ("b.py", right_clean, &[])],
        &[("a.py", left_mended, &[]), ("b.py", right, &["x"])],
        &[],
        &[0],
    );
}

#[test]
fn a_renamed_file_is_the_same_file() {
    expect_new(
        &[("a.py", ONE, &["x"])],
        &[("b.py", ONE, &["x"])],
        &[("b.py", "a.py")],
        &[],
    );
    // Two files that swap their names.
    let two = ONE.replace("b = x", "bb = x").replace("def f", "def h");
    let before = [
        ("a.py", ONE, &["x"][..]),
        ("b.py", two.as_str(), &["x"][..]),
    ];
    let after = [
        ("b.py", ONE, &["x"][..]),
        ("a.py", two.as_str(), &["x"][..]),
    ];
    expect_new(&before, &after, &[("b.py", "a.py"), ("a.py", "b.py")], &[]);
    // The baseline was written after the renaming already.
    expect_new(
        &[("b.py", ONE, &["x"])],
        &[("b.py", ONE, &["x"])],
        &[("b.py", "a.py")],
        &[],
    );
}

#[test]
fn another_part_of_a_statement_may_change() {
    let before = "call(\n    one=1,\n    two=x,\n)\n";
    let after = "call(\n    one=1,\n    two=x,\n    three=3,\n)\n";
    expect_new(
        &[("a.py", before, &["x"])],
        &[("a.py", after, &["x"])],
        &[],
        &[],
    );
    let other = "other(\n    one=1,\n    two=x,\n)\n";
    expect_new(
        &[("a.py", before, &["x"])],
        &[("a.py", other, &["x"])],
        &[],
        &[0],
    );
    let imports = "from a import b, x\n";
    let more = "from a import (\n    a,\n    b,\n    x,\n)\n";
    expect_new(
        &[("a.py", imports, &["x"])],
        &[("a.py", more, &["x"])],
        &[],
        &[],
    );
}

#[test]
fn a_function_may_be_renamed_and_indented_at_once_but_not_merged_into_another() {
    let before = "def f():\n    b = x\n    return 1\n\n\ndef g():\n    c = x + 1\n    return 1\n\n\ndef i():\n    return 1\n";
    let places = &["x\n", "x + 1"];
    let after = before
        .replace("def f", "def h")
        .replace("    b = x", "    if c:\n        b = x");
    expect_new(
        &[("a.py", before, places)],
        &[("a.py", &after, places)],
        &[],
        &[],
    );
    // `f` is gone, and `g` was known to be wrong elsewhere only.
    let merged = "def g():\n    c = x + 1\n    b = x\n    return 1\n\n\ndef i():\n    return 1\n";
    expect_new(
        &[("a.py", before, places)],
        &[("a.py", merged, &["x\n", "x + 1"])],
        &[],
        &[0],
    );
}

#[test]
fn a_bare_except_is_known_by_what_it_does() {
    let before = "def f():\n    try:\n        a()\n    except:\n        b()\n";
    let after = "def f():\n    try:\n        a()\n    except OSError:\n        b()\n    try:\n        c()\n    except:\n        d()\n";
    expect_new(
        &[("a.py", before, &["except:"])],
        &[("a.py", after, &["except:"])],
        &[],
        &[0],
    );
    let moved = "def f():\n    c()\n    with d:\n        try:\n            e()\n        except:\n            b()\n";
    expect_new(
        &[("a.py", before, &["except:"])],
        &[("a.py", moved, &["except:"])],
        &[],
        &[],
    );
}

#[test]
fn lines_of_other_files_and_of_long_strings_are_known_by_themselves() {
    let (before, after) = ("a: 1\nb:   x\n", "z: 0\na: 1\nb: x\n");
    expect_new(
        &[("a.yml", before, &["x"])],
        &[("a.yml", after, &["x"])],
        &[],
        &[],
    );
    let before = "'''\nOne.\nTwo x.\n'''\n";
    let after = "'''\nOne.\nMore.\nTwo x.\n'''\n";
    expect_new(
        &[("a.py", before, &["x"])],
        &[("a.py", after, &["x"])],
        &[],
        &[],
    );
    let before = "a = 1  # x\n# x too\n";
    let after = "b = 2\na = 1  # x\nc = 3\n# x too\n";
    expect_new(
        &[("a.py", before, &["x\n", "x too"])],
        &[("a.py", after, &["x\n", "x too"])],
        &[],
        &[],
    );
}

#[test]
fn a_place_that_does_not_exist_is_survived() {
    let mut findings = keyed(&[("a.py", ONE, &["x"])]);
    findings[0].site = Site::default();
    let entries: Vec<Entry> = findings.iter().cloned().map(Entry::once).collect();
    let matching = matching(&entries, &findings, &BTreeMap::new(), |_| None);
    assert_eq!((matching.covered, matching.stale), (vec![Some(0)], vec![]));
}

#[test]
fn fingerprints_tell_like_findings_of_a_file_apart_and_forget_its_name() {
    let twice = ONE.replace("b = x", "b = x\n    b = x");
    let places = &["x\n    b", "x\n    c"];
    let prints = |path: &str| {
        let mut repeats = Repeats::default();
        let keyed = keyed(&[(path, &twice, places)]);
        keyed
            .iter()
            .map(|key| {
                let essence = Essence {
                    message: key.message,
                    site: key.site,
                };
                let mut fingerprints = essence.fingerprints(&key.tool, key.rule.as_deref(), None);
                repeats.tell_apart(&mut fingerprints);
                fingerprints
            })
            .collect::<Vec<_>>()
    };
    let (left, right) = (prints("a.py"), prints("b.py"));
    assert_eq!(left, right);
    assert_ne!(left[0].key, left[1].key);
    // Written down once: it must not change between versions.
    assert_eq!(format!("{:016x}", left[0].key), "01f4c0aca28fd32b");
}

/// A baseline of 100,000 entries in 2,000 files. Release builds take less than 200 ms; see the measurement below.
fn large() -> (Vec<Entry>, Vec<Keyed>) {
    let keyed: Vec<Keyed> = (0_u32..100_000)
        .map(|index| {
            let mut keyed = keyed(&[("a.py", "x\n", &["x"])]).remove(0);
            keyed.path =
                Some(format!("src/package{}/module{}.py", index % 40, index % 2_000).into());
            keyed.rule = Some(format!("R{}", index % 30).into());
            keyed.message = index % 977 + 1;
            keyed.site = Site {
                text: index.wrapping_mul(2_654_435_761) | 1,
                part: index | 1,
                scope: index % 50,
                before: 3,
                after: 4,
            };
            keyed
        })
        .collect();
    (keyed.iter().cloned().map(Entry::once).collect(), keyed)
}

#[test]
fn large_baselines_take_no_time_for_each_pair() {
    let (entries, findings) = large();
    // All known; nothing known, though every other part is alike; and everything the same.
    let mut strangers = findings.clone();
    for finding in &mut strangers {
        finding.site.text ^= 0x5555_0000;
        finding.site.part ^= 0x5555_0000;
    }
    let same: Vec<Keyed> = vec![findings[0].clone(); 100_000];
    let of_same: Vec<Entry> = same.iter().cloned().map(Entry::once).collect();
    for (name, entries, findings, covered) in [
        ("all known", &entries, &findings, 100_000),
        ("none known", &entries, &strangers, 0),
        ("all the same", &of_same, &same, 100_000),
        ("one kind against many", &of_same, &findings, 1),
    ] {
        let started = Instant::now();
        let matching = matching(entries, findings, &BTreeMap::new(), |_| None);
        let took = started.elapsed();
        assert_eq!(matching.covered.iter().flatten().count(), covered, "{name}");
        // Pair by pair this would be minutes.
        assert!(took.as_secs() < 20, "{name}: {took:?}");
    }
}
