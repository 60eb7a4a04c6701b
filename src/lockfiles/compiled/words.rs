//! The words of a command, as a shell splits it.

/// The words; `None` where a quote has no end.
pub fn words(text: &str) -> Option<Vec<String>> {
    let mut found = Vec::new();
    let mut word: Option<String> = None;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\'' => {
                let inner = word.get_or_insert_default();
                loop {
                    match characters.next()? {
                        '\'' => break,
                        other => inner.push(other),
                    }
                }
            }
            '"' => {
                let inner = word.get_or_insert_default();
                loop {
                    match characters.next()? {
                        '"' => break,
                        '\\' => inner.push(characters.next()?),
                        other => inner.push(other),
                    }
                }
            }
            '\\' => word.get_or_insert_default().push(characters.next()?),
            blank if blank.is_whitespace() => found.extend(word.take()),
            other => word.get_or_insert_default().push(other),
        }
    }
    found.extend(word);
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_as_a_shell_does() {
        for (text, expected) in [
            ("a  b", Some(vec!["a", "b"])),
            (
                "--x='a b'\"c\\\"\" d\\ e ''",
                Some(vec!["--x=a bc\"", "d e", ""]),
            ),
            ("", Some(vec![])),
            ("a 'b", None),
            ("a \"b", None),
            ("a \\", None),
        ] {
            let expected: Option<Vec<String>> =
                expected.map(|words| words.into_iter().map(str::to_owned).collect());
            assert_eq!(words(text), expected, "{text}");
        }
    }
}
