use super::*;
use crate::lockfiles::Format;
use crate::model::sources::Sources;

fn faults() -> Faults {
    let mut sources = Sources::default();
    let file = sources.add("x", Vec::new()).unwrap();
    Faults::new(Format::Uv, file)
}

/// Everything in a document, with the places of values that stand in one piece.
fn dump(value: Value<'_, '_>, depth: usize, out: &mut Vec<String>) {
    let text = match value.kind() {
        Kind::String => value.as_str().unwrap().into_owned(),
        Kind::Table | Kind::Array => String::new(),
        _ => value.raw().to_owned(),
    };
    out.push(format!(
        "{depth} {:?} {:?} {text:?} {:?} {:?}",
        value.key(),
        value.kind(),
        value.key_range(),
        value.range()
    ));
    for entry in value.entries() {
        dump(entry, depth + 1, out);
    }
}

fn dumped(document: &Document<'_>) -> Vec<String> {
    let mut out = Vec::new();
    for entry in document.root().entries() {
        dump(entry, 0, &mut out);
    }
    out
}

const TEXTS: &[&str] = &[
    "",
    "a = 1\nb = \"x\"\nc = 'y'\nd = true\ne = [1, 2,\n  3, # three\n]\nf = { g = 1, h.i = 2 }\n",
    "[a]\nx = 1\n[a.b.c]\ny = 2\n[a.b]\nz = 3\n",
    "[[p]]\nn = 1\n[p.m]\nk = 2\n[[p]]\nn = 2\n[p.m.o]\nk = 3\n[[p.q]]\nr = 1\n[[p.q]]\nr = 2\n",
    "a.b = 1\na.c = 2\n[d]\ne.f.g = 1\ne.f.h = 2\n",
    "\"quoted key\" = 1\n'other.key' = 2\n\"\" = 3\n",
    "s = \"a\\\"b\\\\c\\n\\t\\u00e9\\U0001F600\"\n",
    "x = -5\ny = +7\nz = 0\n# comment \u{e9}\n",
    "\u{feff}a = 1\r\nb = 2\r\n",
    "a = []\nb = {}\nc = [[1], [{ d = 2 }]]\n",
    "[ a . b ]\nx . y = 1\n",
    "a = 1979-05-27T07:32:00Z\nb = [2024-02-29 23:59:59.123456789+05:30, 2000-02-29T00:00:00.1-00:00]\nc = { d = 2023-12-31T00:00:00Z }\n",
];

/// What only the crate reads.
const UNUSUAL: &[&str] = &[
    "a = 1.5\n",
    "a = 1979-05-27T07:32:00\n",
    "a = 1979-05-27\n",
    "a = 07:32:00\n",
    "a = 1979-05-27t07:32:00z\n",
    "a = 1979-05-27T07:32:00.1234567890123Z\n",
    "a = \"\"\"x\ny\"\"\"\n",
    "a = 0xff\nb = 1_000\n",
    "\"k\\u0065y\" = 1\n",
    "a = { b = 1,\n c = 2 }\n",
    "a = '''x'''\n",
    "a = 99999999999999999999\n",
    "[a.b.c]\nz = 1\n[a]\nb.t = 1\n",
];

const WRONG: &[&str] = &[
    "a = 1\na = 2\n",
    "a = 1\n[a]\n",
    "[a]\n[a]\n",
    "a = {}\n[a.b]\n",
    "a = {}\na.b = 1\n",
    "a = [1]\n[[a]]\n",
    "[a]\nb.c = 1\n[a.b]\n",
    "[a.b]\nc = 1\n[a]\nb.d = 2\n",
    "[[a]]\n[a]\n",
    "a = {b = 1, b = 2}\n",
    "a = 01\n",
    "a = \"x\n\"\n",
    "a = \"\\q\"\n",
    "a = \"\\ud800\"\n",
    "a = tru\n",
    "a = truex\n",
    "a = 1 2\n",
    "a = [1 2]\n",
    "a\n",
    "= 1\n",
    "a = 1\rb = 2\n",
    "a = 1 # \u{1}\n",
    "a = 1 # x\ry\n",
    "a = \"\u{1}\"\n",
    "a = '\u{7f}'\n",
    "a = 'x\n'\n",
    "a = \"x\r\n\"\n",
    "\"a\n\" = 1\n",
    "a.b = 1\na.b.c = 2\n",
    "[a\n",
    "[]\n",
    "a = 2023-02-29T00:00:00Z\n",
    "a = 1900-02-29T00:00:00Z\n",
    "a = 2023-00-10T00:00:00Z\n",
    "a = 2023-01-32T00:00:00Z\n",
    "a = 2023-01-01T24:00:00Z\n",
    "a = 2023-01-01T00:00:00.Z\n",
    "a = 2023-01-01T00:00:00+1:00\n",
    "a = 2023-01-01T00:00:00ZZ\n",
];

#[test]
fn both_readers_say_the_same() {
    for text in TEXTS {
        let plain = plain::read(text).unwrap_or_else(|| panic!("{text}"));
        let whole = whole::read(text, &mut faults()).unwrap();
        let mut left = dumped(&plain);
        let mut right = dumped(&whole);
        // A table may be named before it is opened: its place in the order is another.
        left.sort();
        right.sort();
        assert_eq!(left, right, "{text}");
    }
    for text in UNUSUAL {
        assert!(plain::read(text).is_none(), "{text}");
        assert!(
            Document::read(text.as_bytes(), &mut faults()).is_some(),
            "{text}"
        );
    }
    for text in WRONG {
        let mut faults = faults();
        assert!(plain::read(text).is_none(), "{text}");
        assert!(
            Document::read(text.as_bytes(), &mut faults).is_none(),
            "{text}"
        );
        assert!(!faults.is_empty(), "{text}");
    }
}

/// Mutations of valid texts: what the fast reader accepts, the crate accepts, and reads so.
#[test]
fn the_fast_reader_accepts_nothing_that_the_other_refuses() {
    let mut state = 7_u32;
    let mut next = |below: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as usize % below.max(1)
    };
    let pieces = [
        "a",
        "=",
        ".",
        "[",
        "]",
        "{",
        "}",
        ",",
        "\n",
        "\"",
        "'",
        "1",
        "#",
        " ",
        "\\",
        "[[",
        "]]",
        "\r",
        "true",
        "-",
        "b = 2\n",
        "[a]\n",
        "[[p]]\n",
        "a.b",
        ":",
        "Z",
        "2024-02-29T23:59:59+05:30",
    ];
    let mut accepted = 0;
    for _ in 0..20_000 {
        let mut text = TEXTS[next(TEXTS.len())].to_owned();
        for _ in 0..=next(3) {
            let mut at = next(text.len() + 1);
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            match next(3) {
                0 => text.insert_str(at, pieces[next(pieces.len())]),
                1 => text.truncate(at),
                _ if at < text.len() => {
                    text.remove(at);
                }
                _ => {}
            }
        }
        let Some(plain) = plain::read(&text) else {
            continue;
        };
        accepted += 1;
        let whole = whole::read(&text, &mut faults()).unwrap_or_else(|| panic!("{text:?}"));
        let (mut left, mut right) = (dumped(&plain), dumped(&whole));
        left.sort();
        right.sort();
        assert_eq!(left, right, "{text:?}");
    }
    assert!(accepted > 1_000, "{accepted}");
}
