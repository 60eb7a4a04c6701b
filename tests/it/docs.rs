//! The pages are true: their examples run, their links lead somewhere.

use std::path::{Path, PathBuf};

use crate::support::expect::{files_below, root};
use crate::support::lockgate::Project;
use crate::support::tools;

/// One marked block of a page.
#[derive(Debug)]
struct Example {
    line: usize,
    /// `file NAME` or `run CODE`.
    order: String,
    block: String,
}

fn pages() -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = files_below("docs")
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    for name in [
        "README.md",
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "actions/README.md",
        "tests/runner/README.md",
        "examples/notes/README.md",
    ] {
        let path = root().join(name);
        if path.is_file() {
            all.push(path);
        }
    }
    all
}

fn shown(path: &Path) -> String {
    let inside = path.strip_prefix(root()).unwrap_or(path);
    inside.display().to_string()
}

/// The blocks behind `<!-- example: … -->`.
fn examples(page: &Path) -> Vec<Example> {
    let text = std::fs::read_to_string(page).expect("a page");
    let mut found = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        let order = line
            .strip_prefix("<!-- example: ")
            .and_then(|rest| rest.strip_suffix(" -->"));
        let Some(order) = order else { continue };
        let opening = lines.next().map(|(_, line)| line).unwrap_or_default();
        assert!(
            opening.starts_with("```"),
            "{}:{}: a block must follow",
            shown(page),
            index + 1
        );
        let block: Vec<&str> = lines
            .by_ref()
            .map(|(_, line)| line)
            .take_while(|line| *line != "```")
            .collect();
        found.push(Example {
            line: index + 1,
            order: order.to_owned(),
            block: block.join("\n") + "\n",
        });
    }
    found
}

/// The words of a command line; quotes hold together, nothing else is special.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let (mut word, mut quote) = (None::<String>, None);
    for character in line.chars() {
        match (character, quote) {
            ('"' | '\'', None) => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (_, Some(open)) if character == open => quote = None,
            (' ', None) => words.extend(word.take()),
            _ => word.get_or_insert_default().push(character),
        }
    }
    words.extend(word);
    words
}

/// Whether the text is what the page shows: `[..]` is anything in a line, a line `[...]` any lines.
fn is_as_shown(shown: &[&str], text: &[&str]) -> bool {
    match shown {
        [] => text.is_empty(),
        ["[...]", rest @ ..] => (0..=text.len()).any(|skip| is_as_shown(rest, &text[skip..])),
        [line, rest @ ..] => text.split_first().is_some_and(|(first, others)| {
            let parts: Vec<&str> = line.split("[..]").collect();
            line_fits(&parts, first) && is_as_shown(rest, others)
        }),
    }
}

/// Whether the line starts with the first part, ends with the last, and has the others between them in order.
fn line_fits(parts: &[&str], line: &str) -> bool {
    let [first, middle @ .., last] = parts else {
        return parts == [line];
    };
    let Some(mut rest) = line.strip_prefix(first) else {
        return false;
    };
    for part in middle {
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[test]
fn every_example_of_the_pages_runs_as_shown() {
    let mut runs = 0;
    for page in pages() {
        let project = Project::empty().with_path_first(&tools::environment().join("bin"));
        for example in examples(&page) {
            let place = format!("{}:{}", shown(&page), example.line);
            match example.order.split_once(' ') {
                Some(("file", name)) => {
                    project.write(name, &example.block);
                }
                Some(("run", code)) => {
                    let code: i32 = code.parse().expect("an exit code");
                    let (command, expected) = example.block.split_once('\n').expect("lines");
                    let command = command
                        .strip_prefix("$ lockgate ")
                        .unwrap_or_else(|| panic!("{place}: `$ lockgate …` must come first"));
                    let arguments = words(command);
                    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
                    let run = project.run(&arguments);
                    assert_eq!(run.code, code, "{place}\n{}\n{}", run.stdout, run.stderr);
                    let (expected, printed): (Vec<&str>, Vec<&str>) =
                        (expected.lines().collect(), run.stdout.lines().collect());
                    assert!(
                        is_as_shown(&expected, &printed),
                        "{place}: the page shows\n{}\nbut it prints\n{}\n{}",
                        expected.join("\n"),
                        run.stdout,
                        run.stderr
                    );
                    runs += 1;
                }
                _ => panic!("{place}: `{}` is neither `file` nor `run`", example.order),
            }
        }
    }
    assert!(runs >= 5, "only {runs} examples were found");
}

#[test]
fn what_is_shown_is_compared_line_by_line() {
    let is = |shown: &str, text: &str| {
        is_as_shown(
            &shown.lines().collect::<Vec<_>>(),
            &text.lines().collect::<Vec<_>>(),
        )
    };
    assert!(is("a [..] c [..] e", "a b c d e"));
    assert!(is("[...]\nend", "1\n2\nend"));
    assert!(is("[...]", ""));
    assert!(!is("a", "a\nb"));
    assert!(!is("a[..]", "b"));
    assert!(!is("ab[..]bc", "abc"));
    assert_eq!(words("a 'b c' --d=\"e f\" ''"), ["a", "b c", "--d=e f", ""]);
}

/// The anchors that GitHub gives the headings of a page.
fn anchors(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for (heading, _) in prose(text)
        .filter(|(line, _)| line.starts_with('#'))
        .filter_map(|(line, number)| {
            Some((line.trim_start_matches('#').strip_prefix(' ')?, number))
        })
    {
        let anchor: String = heading
            .to_lowercase()
            .chars()
            .filter(|character| character.is_alphanumeric() || " -_".contains(*character))
            .map(|character| if character == ' ' { '-' } else { character })
            .collect();
        let again = found
            .iter()
            .filter(|other| **other == anchor || other.starts_with(&format!("{anchor}-")))
            .count();
        found.push(if again == 0 {
            anchor
        } else {
            format!("{anchor}-{again}")
        });
    }
    found
}

/// The lines outside of fenced blocks, with their numbers.
fn prose(text: &str) -> impl Iterator<Item = (&str, usize)> {
    let mut is_code = false;
    text.lines().zip(1..).filter(move |(line, _)| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    })
}

/// The targets of links and images in a line: `[text](target)`, `src="target"`, `href="target"`.
fn targets(line: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for (open, close) in [("](", ')'), ("src=\"", '"'), ("href=\"", '"')] {
        for part in line.split(open).skip(1) {
            found.extend(part.split(close).next());
        }
    }
    found
}

#[test]
fn every_link_between_files_leads_somewhere() {
    let mut links = 0;
    for page in pages() {
        let text = std::fs::read_to_string(&page).expect("a page");
        for (line, number) in prose(&text) {
            for target in targets(line) {
                if target.contains("://") || target.starts_with("mailto:") {
                    continue;
                }
                let place = format!("{}:{number}", shown(&page));
                let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
                let file = if path.is_empty() {
                    page.clone()
                } else {
                    page.parent().expect("a folder").join(path)
                };
                assert!(file.exists(), "{place}: `{target}` is not there");
                if !anchor.is_empty() {
                    let text = std::fs::read_to_string(&file).expect("a page");
                    let known = anchors(&text);
                    assert!(
                        known.iter().any(|known| known == anchor),
                        "{place}: `{target}` is none of {known:?}"
                    );
                }
                links += 1;
            }
        }
    }
    assert!(links >= 5, "only {links} links were found");
}

#[test]
fn the_page_that_no_verdict_names_exists() {
    let page = lockgate::error::NO_VERDICT_PAGE;
    let (file, anchor) = page.split_once('#').expect("an anchor");
    let file = file
        .strip_prefix("https://github.com/lockgate/lockgate/blob/main/")
        .expect("a page of ours");
    let text = std::fs::read_to_string(root().join(file)).expect("the page");
    assert!(anchors(&text).iter().any(|known| known == anchor), "{page}");
}
