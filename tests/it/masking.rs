//! Secrets in text that comes in pieces, written as the real programs write them.

use std::io::Write as _;
use std::process::{Command, Stdio};

use lockgate::system::masking::{Masker, MaskingStream, Secret};

use crate::support::expect::root;

/// How many secrets are tried.
fn campaign(usual: usize) -> usize {
    std::env::var("LOCKGATE_CAMPAIGN")
        .ok()
        .and_then(|count| count.parse().ok())
        .unwrap_or(usual)
}

/// What a program prints that reads `input`; `None` where it is not there.
fn output(program: &str, arguments: &[&str], input: &[u8]) -> Option<String> {
    let child = Command::new(program)
        .args(arguments)
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let mut child = child.ok()?;
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success(), "{program}: {output:?}");
    Some(String::from_utf8(output.stdout).unwrap())
}

fn masker_of(value: &str) -> Masker {
    let masker = Masker::default();
    masker.try_register(&Secret::new(value)).unwrap();
    masker
}

/// The text through a stream, in these pieces.
fn streamed<'t>(masker: &Masker, pieces: impl IntoIterator<Item = &'t [u8]>) -> String {
    let (mut stream, mut out) = (MaskingStream::new(masker), Vec::new());
    for piece in pieces {
        stream.push(piece, &mut out).unwrap();
    }
    stream.finish(&mut out).unwrap();
    assert_eq!(stream.held(), 0);
    String::from_utf8(out).unwrap()
}

/// The text is masked the same wherever it is cut in two.
fn expect_masked_at_every_split(
    masker: &Masker,
    name: &str,
    text: &str,
    expected: &dyn Fn(&str) -> bool,
) {
    let expect = |how: &str, left: &str| {
        assert!(expected(left), "{name}, {how}: `{text}` became `{left}`");
    };
    expect("whole", &masker.mask(text));
    for at in 0..=text.len() {
        let (first, second) = text.as_bytes().split_at(at);
        expect(
            &format!("split at {at}"),
            &streamed(masker, [first, second]),
        );
    }
    expect("byte by byte", &streamed(masker, text.as_bytes().chunks(1)));
}

/// A form in its surroundings is replaced by one mask; a character on either side may go with it.
fn expect_form_masked(masker: &Masker, name: &str, before: &str, form: &str, after: &str) {
    let expected = |masked: &str| {
        masked.split_once("***").is_some_and(|(left, right)| {
            let (first, last) = (
                before.len() - left.len().min(before.len()),
                after.len() - right.len().min(after.len()),
            );
            before.starts_with(left) && after.ends_with(right) && first <= 1 && last <= 1
        })
    };
    expect_masked_at_every_split(masker, name, &format!("{before}{form}{after}"), &expected);
}

/// A form that is broken into lines: no run of so many characters of it is left.
fn expect_lines_masked(masker: &Masker, name: &str, text: &str, form: &str, run: usize) {
    let joined = |text: &str| {
        text.replace(['\r', '\n'], "")
            .replace("\\r", "")
            .replace("\\n", "")
    };
    let form = joined(form);
    let expected = |masked: &str| {
        let left = joined(masked);
        masked.contains("***")
            && (0..=form.len() - run).all(|at| !left.contains(&form[at..at + run]))
    };
    expect_masked_at_every_split(masker, name, text, &expected);
}

#[test]
fn no_form_of_a_secret_is_left_whoever_wrote_it_and_wherever_it_is_split() {
    let count = campaign(3);
    let script = root().join("tests/it/masking/forms.py");
    let json = output(
        "python3",
        &[script.to_str().unwrap(), "20261123", &count.to_string()],
        b"",
    )
    .expect("Python is there");
    let cases: Vec<serde_json::Value> = serde_json::from_str(&json).unwrap();
    assert_eq!(cases.len(), count);
    let values: Vec<&str> = cases
        .iter()
        .map(|case| case["value"].as_str().unwrap())
        .collect();
    let maskers: Vec<Masker> = values.iter().map(|value| masker_of(value)).collect();

    for (case, masker) in cases.iter().zip(&maskers) {
        for form in case["forms"].as_array().unwrap() {
            let [name, before, form, after] = [0, 1, 2, 3].map(|at| form[at].as_str().unwrap());
            if name.contains("lines") {
                expect_lines_masked(masker, name, before, form, 8);
            } else {
                expect_form_masked(masker, name, before, form, after);
            }
        }
    }

    let json = serde_json::to_vec(&values).unwrap();
    let filter =
        "map([@uri, (@html | .), (@sh | .[1:-1]), (@json | .[1:-1]), (@json | @json | .[3:-3])])";
    if let Some(text) = output("jq", &["-c", filter], &json) {
        let forms: Vec<Vec<String>> = serde_json::from_str(&text).unwrap();
        for (forms, masker) in forms.iter().zip(&maskers) {
            for form in forms {
                expect_form_masked(masker, "jq", "(", form, ")");
            }
        }
    }
    let script = root().join("tests/it/masking/forms.js");
    let text = output("node", &[script.to_str().unwrap()], &json).expect("Node is there");
    let all: Vec<std::collections::BTreeMap<String, String>> = serde_json::from_str(&text).unwrap();
    for ((forms, masker), value) in all.iter().zip(&maskers).zip(&values) {
        for (name, form) in forms {
            // There the value itself was changed.
            if !(name == "query" && value.contains(['#', '\n', '\t'])) {
                expect_form_masked(masker, name, "(", form, ")");
            }
        }
    }
    let joined: Vec<u8> = values
        .iter()
        .flat_map(|value| [value.as_bytes(), b"\0"].concat())
        .collect();
    let loops = |body: &str| format!("while IFS= read -r -d '' s; do {body}; done");
    for (name, body) in [
        ("printf %q", loops("printf '%q\\0' \"$s\"")),
        (
            "printf %q in ASCII",
            format!("LC_ALL=C; {}", loops("printf '%q\\0' \"$s\"")),
        ),
        (
            "set -x",
            loops("{ set -x; : \"$s\"; } 2>&1; { set +x; } 2>/dev/null; printf '\\0'"),
        ),
    ] {
        let Some(text) = output("bash", &["-c", &body], &joined) else {
            continue;
        };
        let forms: Vec<&str> = text.split_terminator('\0').collect();
        assert_eq!(forms.len(), count, "{name}");
        for (form, masker) in forms.iter().zip(&maskers) {
            let form = form.trim_start_matches(['+', ' ', ':', '\n']).trim_end();
            let form = form.trim_start_matches('$').trim_matches('\'');
            expect_form_masked(masker, name, "(", form, ")");
        }
    }
    for (number, (value, masker)) in values.iter().zip(&maskers).enumerate() {
        // Programs take their time to start: of many secrets, each has one prefix.
        for before in (0..4).filter(|before| count < 4 || number % 4 == *before) {
            let surrounded = format!("{}{value}{}", &"xyz"[..before], &"\nab"[..before.min(3)]);
            for (program, arguments, run) in [
                ("base64", &["-w", "76"][..], 8),
                ("base64", &["-w", "64"], 8),
                ("xxd", &["-p"], 12),
                ("xxd", &["-p", "-u"], 12),
            ] {
                let Some(text) = output(program, arguments, surrounded.as_bytes()) else {
                    continue;
                };
                let digits = text.replace('\n', "");
                let (per, of) = if run == 8 { (8, 6) } else { (2, 1) };
                let first = (before * per).div_ceil(of);
                let last = (before + value.len()) * per / of;
                for text in [
                    text.clone(),
                    text.replace('\n', "\r\n"),
                    text.replace('\n', "\\n"),
                ] {
                    expect_lines_masked(masker, program, &text, &digits[first..last], run);
                }
            }
        }
    }
}
