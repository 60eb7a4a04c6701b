//! Options in a line: split as a shell would, then read as pip's own reader does, abbreviations included.

use std::ops::Range;

/// An option that pip knows in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// The long name, by which the model has it.
    pub name: &'static str,
    /// Other spellings.
    other: &'static [&'static str],
    takes_value: bool,
    /// Whether it belongs to the requirement on its line.
    pub is_of_requirement: bool,
}

const fn valued(name: &'static str, other: &'static [&'static str]) -> Known {
    Known {
        name,
        other,
        takes_value: true,
        is_of_requirement: false,
    }
}

const fn flag(name: &'static str) -> Known {
    Known {
        name,
        other: &[],
        takes_value: false,
        is_of_requirement: false,
    }
}

/// All of them (pip 26.3).
const KNOWN: &[Known] = &[
    valued("--index-url", &["-i", "--pypi-url"]),
    valued("--extra-index-url", &[]),
    flag("--no-index"),
    valued("--constraint", &["-c"]),
    valued("--requirement", &["-r"]),
    valued("--editable", &["-e"]),
    valued("--find-links", &["-f"]),
    valued("--no-binary", &[]),
    valued("--only-binary", &[]),
    flag("--prefer-binary"),
    flag("--require-hashes"),
    flag("--no-require-hashes"),
    flag("--pre"),
    valued("--all-releases", &[]),
    valued("--only-final", &[]),
    valued("--trusted-host", &[]),
    valued("--use-feature", &[]),
    Known {
        is_of_requirement: true,
        ..valued("--hash", &[])
    },
    Known {
        is_of_requirement: true,
        ..valued("--config-settings", &["-C"])
    },
];

/// A value with its place in the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// Without quotes and escapes.
    pub text: String,
    /// With them.
    pub range: Range<usize>,
}

impl Word {
    /// The part from a byte of the text on.
    fn tail(&self, at: usize) -> Self {
        let is_plain = self.text.len() == self.range.len();
        Self {
            text: self.text.get(at..).unwrap_or_default().to_owned(),
            range: self.range.start + if is_plain { at } else { 0 }..self.range.end,
        }
    }
}

/// An option as it stands in a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// Which.
    pub option: Known,
    /// Its value; empty where it takes none.
    pub value: String,
    /// Where the value stands; the option where there is none.
    pub at: Range<usize>,
}

/// What is wrong with a line, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// Where.
    pub at: Range<usize>,
    /// What.
    pub message: String,
}

/// The options of a line and the words that belong to none, which pip passes over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// In their order.
    pub given: Vec<Given>,
    /// What belongs to no option.
    pub ignored: Vec<Word>,
}

/// Where the options of a line begin: at the first word with a hyphen behind a blank.
pub fn start(body: &str) -> usize {
    let mut at = 0;
    for word in body.split(' ') {
        if word.starts_with('-') {
            return at;
        }
        at += word.len() + 1;
    }
    body.len()
}

/// Reads options; `offset` is where the text stands in its line.
pub fn read(text: &str, offset: usize) -> Result<Options, Wrong> {
    let mut words = words(text, offset)?.into_iter();
    let mut options = Options::default();
    while let Some(word) = words.next() {
        if word.text == "--" {
            options.ignored.extend(words.by_ref());
        } else if word.text.starts_with("--") {
            long(&word, &mut words, &mut options)?;
        } else if word.text.starts_with('-') && word.text.len() > 1 {
            short(&word, &mut words, &mut options)?;
        } else {
            options.ignored.push(word);
        }
    }
    Ok(options)
}

fn long(
    word: &Word,
    words: &mut impl Iterator<Item = Word>,
    options: &mut Options,
) -> Result<(), Wrong> {
    let (name, attached) = match word.text.split_once('=') {
        Some((name, _)) => (name, Some(word.tail(name.len() + 1))),
        None => (word.text.as_str(), None),
    };
    let option = find(name).map_err(|message| Wrong {
        at: word.range.clone(),
        message,
    })?;
    if !option.takes_value && attached.is_some() {
        return Err(Wrong {
            at: word.range.clone(),
            message: format!("`{name}` takes no value"),
        });
    }
    let value = match attached {
        Some(value) => Some(value),
        None if option.takes_value => words.next(),
        None => None,
    };
    push(option, word, name, value, options)
}

fn short(
    word: &Word,
    words: &mut impl Iterator<Item = Word>,
    options: &mut Options,
) -> Result<(), Wrong> {
    // No short option goes without a value, so that nothing can stand between the hyphen and its letter.
    let end = word
        .text
        .char_indices()
        .nth(2)
        .map_or(word.text.len(), |(at, _)| at);
    let name = word.text.get(..end).unwrap_or_default();
    let option = find(name).map_err(|message| Wrong {
        at: word.range.clone(),
        message,
    })?;
    let value = if word.text.len() > end {
        Some(word.tail(end))
    } else {
        words.next()
    };
    push(option, word, name, value, options)
}

fn push(
    option: Known,
    word: &Word,
    name: &str,
    value: Option<Word>,
    options: &mut Options,
) -> Result<(), Wrong> {
    if option.takes_value && value.is_none() {
        return Err(Wrong {
            at: word.range.clone(),
            message: format!("`{name}` needs a value"),
        });
    }
    let (value, at) = match value {
        Some(value) => (value.text, value.range),
        None => (String::new(), word.range.clone()),
    };
    options.given.push(Given { option, value, at });
    Ok(())
}

/// The option of this name; long names may be cut short where only one is meant.
fn find(name: &str) -> Result<Known, String> {
    let spellings = |known: &Known| std::iter::once(known.name).chain(known.other.iter().copied());
    let exact = KNOWN
        .iter()
        .find(|known| spellings(known).any(|spelling| spelling == name));
    if let Some(known) = exact {
        return Ok(*known);
    }
    let possible: Vec<(&str, &Known)> = KNOWN
        .iter()
        .flat_map(|known| spellings(known).map(move |spelling| (spelling, known)))
        .filter(|(spelling, _)| name.starts_with("--") && spelling.starts_with(name))
        .collect();
    match possible.as_slice() {
        [(_, only)] => Ok(**only),
        [] => Err(format!("pip knows no option `{name}` in a file")),
        [(first, _), (second, _), ..] => Err(format!("`{name}` may be `{first}` or `{second}`")),
    }
}

/// Splits as a POSIX shell does: blanks, quotes, backslashes; no comments.
fn words(text: &str, offset: usize) -> Result<Vec<Word>, Wrong> {
    let mut words = Vec::new();
    let mut current: Option<(usize, String)> = None;
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        if matches!(character, ' ' | '\t' | '\r' | '\n') {
            if let Some((start, text)) = current.take() {
                let range = offset + start..offset + at;
                words.push(Word { text, range });
            }
            continue;
        }
        let (_, word) = current.get_or_insert_with(|| (at, String::new()));
        let wrong = |message: &str| Wrong {
            at: offset + at..offset + text.len(),
            message: message.to_owned(),
        };
        match character {
            '\\' => {
                let (_, escaped) = characters
                    .next()
                    .ok_or_else(|| wrong("nothing stands behind this backslash"))?;
                word.push(escaped);
            }
            '\'' | '"' => loop {
                let (_, inner) = characters
                    .next()
                    .ok_or_else(|| wrong("this quotation has no end"))?;
                if inner == character {
                    break;
                }
                if inner == '\\' && character == '"' {
                    let (_, escaped) = characters
                        .next()
                        .ok_or_else(|| wrong("this quotation has no end"))?;
                    if !matches!(escaped, '"' | '\\') {
                        word.push('\\');
                    }
                    word.push(escaped);
                } else {
                    word.push(inner);
                }
            },
            other => word.push(other),
        }
    }
    if let Some((start, word)) = current {
        words.push(Word {
            text: word,
            range: offset + start..offset + text.len(),
        });
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(text: &str) -> Vec<(&'static str, String, String)> {
        let options = read(text, 0).unwrap();
        let shown = |given: Given| (given.option.name, given.value, text[given.at].to_owned());
        options.given.into_iter().map(shown).collect()
    }

    #[test]
    fn all_spellings_of_options_are_read() {
        for (text, name, value, at) in [
            ("--hash=sha256:ab", "--hash", "sha256:ab", "sha256:ab"),
            ("--hash sha256:ab", "--hash", "sha256:ab", "sha256:ab"),
            ("-r base.txt", "--requirement", "base.txt", "base.txt"),
            ("-rbase.txt", "--requirement", "base.txt", "base.txt"),
            (
                "--requirem 'a b.txt'",
                "--requirement",
                "a b.txt",
                "'a b.txt'",
            ),
            (
                "--pypi-url=https://i.example",
                "--index-url",
                "https://i.example",
                "https://i.example",
            ),
            ("--pre", "--pre", "", "--pre"),
            (
                r#"-C "a=\"b\" \c""#,
                "--config-settings",
                r#"a="b" \c"#,
                r#""a=\"b\" \c""#,
            ),
        ] {
            assert_eq!(
                given(text),
                [(name, value.to_owned(), at.to_owned())],
                "{text}"
            );
        }
        assert_eq!(read("--pre x -- -y", 0).unwrap().ignored.len(), 2);
    }

    #[test]
    fn what_pip_refuses_is_refused_at_its_place() {
        for (text, at) in [
            ("--unknown", 0..9),
            ("--pre=1", 0..7),
            ("--no", 0..4),
            ("--pre -r", 6..8),
            ("-x", 0..2),
            ("--hash 'x", 7..9),
            ("--hash x\\", 8..9),
        ] {
            assert_eq!(read(text, 0).unwrap_err().at, at, "{text}");
        }
    }

    #[test]
    fn options_begin_behind_a_blank() {
        assert_eq!(start("a-b==1 --hash=x"), 7);
        assert_eq!(start("a==1;x=='-'"), 11);
        assert_eq!(start("-r x"), 0);
    }
}
