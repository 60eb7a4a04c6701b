//! The metadata inside of a script (<https://packaging.python.org/en/latest/specifications/inline-script-metadata/>).

/// The metadata of a script as TOML, every byte where it stands in the script and all else blank, so that places are
/// those of the script. `None` where the script has none, or more than one.
pub fn block(script: &[u8]) -> Option<Vec<u8>> {
    let mut found = Vec::with_capacity(script.len());
    let mut state = State::Before;
    for line in script.split_inclusive(|byte| *byte == b'\n') {
        let text = line.trim_ascii_end();
        let is_comment = text == b"#" || text.starts_with(b"# ");
        let mut shown = false;
        if text == b"# /// script" && state != State::Inside {
            if state == State::Behind {
                return None;
            }
            state = State::Inside;
        } else if state == State::Inside {
            if text == b"# ///" || !is_comment {
                state = State::Behind;
            } else {
                shown = true;
            }
        }
        found.extend(line.iter().enumerate().map(|(at, byte)| match byte {
            b'\n' | b'\r' => *byte,
            byte if shown && at > 0 => *byte,
            _ => b' ',
        }));
    }
    (state != State::Before).then_some(found)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Before,
    Inside,
    Behind,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_metadata_stands_where_it_stood() {
        let script = "#!/usr/bin/env python\n# /// script\n# dependencies = [\n#   \"six\",\n# ]\n# ///\nprint(1)\n";
        let found = String::from_utf8(block(script.as_bytes()).unwrap()).unwrap();
        assert_eq!(found.find("\"six\""), script.find("\"six\""));
        assert_eq!(found.len(), script.len());
        assert_eq!(
            found.split_whitespace().collect::<Vec<_>>().join(" "),
            "dependencies = [ \"six\", ]"
        );
    }

    #[test]
    fn no_metadata_and_two_are_none() {
        assert_eq!(block(b"print(1)\n"), None);
        assert_eq!(block(b"# /// script\n# ///\n# /// script\n# ///\n"), None);
        assert_eq!(block(b""), None);
    }
}
