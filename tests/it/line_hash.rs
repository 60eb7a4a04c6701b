//! `primaryLocationLineHash`, as codeql-action computes it.

use lockgate::linters::line_hash::{LineHashes, render};
use serde::Deserialize;

/// What codeql-action's own code says of an input; see `tests/fixtures/line-hash/make.mjs`.
#[derive(Deserialize)]
struct Vector {
    name: String,
    /// In hexadecimal digits.
    input: String,
    hashes: Vec<String>,
}

fn hashes(bytes: &[u8]) -> Vec<String> {
    let hashes = LineHashes::new(bytes);
    let lines = 1..=u32::try_from(hashes.count()).unwrap();
    lines.map(|line| render(hashes.of(line).unwrap())).collect()
}

#[test]
fn agrees_with_what_codeql_action_prints() {
    let text = include_str!("../fixtures/line-hash/vectors.json");
    let vectors: Vec<Vector> = serde_json::from_str(text).unwrap();
    assert!(vectors.len() > 30);
    for vector in vectors {
        let digits = vector.input.as_bytes().chunks(2);
        let bytes: Vec<u8> = digits
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect();
        assert_eq!(hashes(&bytes), vector.hashes, "{}", vector.name);
    }
}

/// The inputs and hashes of codeql-action's `src/fingerprints.test.ts`.
#[test]
fn agrees_with_the_tests_of_codeql_action() {
    let greetings = [
        "e9496ae3ebfced30:1",
        "fb7c023a8b9ccb3f:1",
        "ce8ba1a563dcdaca:1",
        "e20e36e16fcb0cc8:1",
        "b3edc88f2938467e:1",
        "c8e28b0b4002a3a0:1",
        "c129715d7a2bc9a3:1",
    ];
    let repeated = "Lorem ipsum dolor sit amet.\n".repeat(10);
    let cases: [(&str, &[&str]); 9] = [
        ("", &["c129715d7a2bc9a3:1"]),
        (
            " a\nb\n  \t\tc\n d",
            &[
                "271789c17abda88f:1",
                "54703d4cd895b18:1",
                "180aee12dab6264:1",
                "a23a3dc5e078b07b:1",
            ],
        ),
        (
            " hello; \t\nworld!!!\n\n\n  \t\tGreetings\n End",
            &[
                "8b7cf3e952e7aeb2:1",
                "b1ae1287ec4718d9:1",
                "bff680108adb0fcc:1",
                "c6805c5e1288b612:1",
                "b86d3392aea1be30:1",
                "e6ceba753e1a442:1",
            ],
        ),
        (
            " hello; \t\nworld!!!\n\n\n  \t\tGreetings\n End\n",
            &greetings,
        ),
        (
            " hello; \t\nworld!!!\r\r\r  \t\tGreetings\r End\r",
            &greetings,
        ),
        (
            " hello; \t\r\nworld!!!\r\n\r\n\r\n  \t\tGreetings\r\n End\r\n",
            &greetings,
        ),
        (
            " hello; \t\nworld!!!\r\n\n\r  \t\tGreetings\r End\r\n",
            &greetings,
        ),
        (
            &repeated,
            &[
                "a7f2ff13bc495cf2:1",
                "a7f2ff13bc495cf2:2",
                "a7f2ff13bc495cf2:3",
                "a7f2ff13bc495cf2:4",
                "a7f2ff13bc495cf2:5",
                "a7f2ff13bc495cf2:6",
                "a7f2ff1481e87703:1",
                "a9cf91f7bbf1862b:1",
                "55ec222b86bcae53:1",
                "cc97dc7b1d7d8f7b:1",
                "c129715d7a2bc9a3:1",
            ],
        ),
        (
            "x = 2\nx = 1\nprint(x)\nx = 3\nprint(x)\nx = 4\nprint(x)\n",
            &[
                "e54938cc54b302f1:1",
                "bb609acbe9138d60:1",
                "1131fd5871777f34:1",
                "5c482a0f8b35ea28:1",
                "54517377da7028d2:1",
                "2c644846cb18d53e:1",
                "f1b89f20de0d133:1",
                "c129715d7a2bc9a3:1",
            ],
        ),
    ];
    for (input, expected) in cases {
        assert_eq!(hashes(input.as_bytes()), expected, "{input:?}");
    }
}

#[test]
fn a_line_that_does_not_exist_has_no_hash() {
    let hashes = LineHashes::new(b"a\nb\n");
    assert_eq!((hashes.of(0), hashes.of(4)), (None, None));
    assert!(hashes.of(3).is_some());
}

#[test]
fn long_lines_and_large_files_are_read_in_pieces() {
    // Longer than the buffer of the reader, in lines and in one line: the blanks must make no difference.
    for (dense, wide) in [
        ("ab\n".repeat(30_000), "a b \n".repeat(30_000)),
        ("ab".repeat(30_000), "a b\t".repeat(30_000)),
        ("ä😀".repeat(30_000), "ä \t😀".repeat(30_000)),
    ] {
        assert_eq!(hashes(dense.as_bytes()), hashes(wide.as_bytes()));
    }
}
