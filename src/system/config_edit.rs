//! A list of the configuration file is changed, and nothing else of it: comments, order and spelling stay.

use toml_edit::{Array, DocumentMut, Item, Table, TableLike, Value};

/// The file with the list `key` of the step's table changed from `before` to `after`: items that stay are those of both,
/// in the same order; new ones are at the end. `None` where the file is written so that this cannot be done; whoever
/// writes it reads it first and compares.
pub fn with_list(
    text: &str,
    is_toml: bool,
    step: &str,
    key: &str,
    before: &[String],
    after: &[String],
) -> Option<String> {
    let change = Change {
        step,
        key,
        removed: before.iter().filter(|item| !after.contains(item)).collect(),
        added: after.iter().filter(|item| !before.contains(item)).collect(),
    };
    if is_toml {
        change.toml(text)
    } else {
        change.yaml(text)
    }
}

struct Change<'c> {
    step: &'c str,
    key: &'c str,
    removed: Vec<&'c String>,
    added: Vec<&'c String>,
}

impl Change<'_> {
    fn toml(&self, text: &str) -> Option<String> {
        let mut document: DocumentMut = text.parse().ok()?;
        let mut table: &mut dyn TableLike = document.as_table_mut();
        for name in ["tool", "lockgate", self.step] {
            let is_last = name == self.step;
            table = table
                .entry(name)
                .or_insert_with(|| {
                    let mut made = Table::new();
                    made.set_implicit(!is_last);
                    Item::Table(made)
                })
                .as_table_like_mut()?;
        }
        let item = table
            .entry(self.key)
            .or_insert_with(|| Item::Value(Value::Array(Array::new())));
        if let Some(single) = item.as_str() {
            let mut list = Array::new();
            list.push(single);
            *item = Item::Value(Value::Array(list));
        }
        let list = item.as_array_mut()?;
        list.retain(|value| {
            let text = value.as_str();
            !self
                .removed
                .iter()
                .any(|removed| Some(removed.as_str()) == text)
        });
        for item in &self.added {
            let mut value = Value::from(item.as_str());
            value.decor_mut().set_prefix("\n    ");
            list.push_formatted(value);
        }
        if list.is_empty() {
            table.remove(self.key);
        } else if !self.added.is_empty() {
            if let Some(first) = list.get_mut(0)
                && first
                    .decor()
                    .prefix()
                    .is_none_or(|prefix| prefix.as_str() == Some(""))
            {
                first.decor_mut().set_prefix("\n    ");
            }
            list.set_trailing_comma(true);
            let has_comment = list
                .trailing()
                .as_str()
                .is_some_and(|text| text.contains('#'));
            if !has_comment {
                list.set_trailing("\n");
            }
        }
        Some(document.to_string())
    }

    /// A list in block style, one item a line; what is written otherwise is left alone.
    fn yaml(&self, text: &str) -> Option<String> {
        let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
        let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
        if let Some(last) = lines.last_mut()
            && !last.ends_with('\n')
        {
            last.push_str(end);
        }
        let is_head = |line: &String, name: &str| {
            let rest = line
                .trim_end()
                .strip_prefix(name)
                .and_then(|rest| rest.strip_prefix(':'));
            rest.is_some_and(|rest| {
                rest.trim_start().is_empty() || rest.trim_start().starts_with('#')
            })
        };
        let head = lines.iter().position(|line| is_head(line, self.step));
        let head = head.unwrap_or_else(|| {
            lines.push(format!("{}:{end}", self.step));
            lines.len() - 1
        });
        let inside = lines.iter().skip(head + 1).take_while(|line| {
            line.starts_with([' ', '\t']) || line.trim().is_empty() || line.starts_with('#')
        });
        let section = head + 1 + inside.count();
        let own = |line: &&String| line.starts_with(' ') && !line.trim_start().starts_with('#');
        let first = lines.get(head + 1..section)?.iter().find(own);
        let indent = first.map_or(2, |line| line.len() - line.trim_start().len());
        let blank = " ".repeat(indent);
        let is_key = |line: &String| {
            line.strip_prefix(&blank)
                .is_some_and(|rest| is_head(&rest.to_owned(), self.key))
        };
        let key = lines.get(head + 1..section)?.iter().position(is_key);
        if key.is_none() {
            lines.insert(head + 1, format!("{blank}{}:{end}", self.key));
        }
        let key = head + 1 + key.unwrap_or(0);
        let mut last = key;
        let mut item_indent = None;
        let mut gone = Vec::new();
        let mut left = 0;
        for (index, line) in lines.iter().enumerate().skip(key + 1) {
            let body = line.trim_start();
            if body.trim().is_empty() || body.starts_with('#') {
                continue;
            }
            let depth = line.len() - body.len();
            let Some(item) = body.strip_prefix("- ").filter(|_| depth >= indent) else {
                break;
            };
            item_indent = Some(depth);
            last = index;
            if self
                .removed
                .iter()
                .any(|removed| is_scalar(item.trim(), removed))
            {
                gone.push(index);
            } else {
                left += 1;
            }
        }
        let depth = " ".repeat(item_indent.unwrap_or(indent + 2));
        let added = self.added.iter().map(|item| {
            let quoted = item.replace('\'', "''");
            format!("{depth}- '{quoted}'{end}")
        });
        let added: Vec<String> = added.collect();
        let is_empty = left == 0 && added.is_empty();
        for (offset, line) in added.into_iter().enumerate() {
            lines.insert(last + 1 + offset, line);
        }
        for index in gone.into_iter().rev() {
            lines.remove(index);
        }
        if is_empty {
            lines.remove(key);
        }
        Some(lines.concat())
    }
}

/// Whether a line of YAML holds this text, in one of the usual spellings.
fn is_scalar(written: &str, text: &str) -> bool {
    let single = format!("'{}'", text.replace('\'', "''"));
    let double = format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    [text, &single, &double].iter().any(|spelling| {
        written.strip_prefix(*spelling).is_some_and(|rest| {
            rest.is_empty() || rest.trim_start().starts_with('#') && rest.starts_with(' ')
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(text: &str, is_toml: bool, before: &[&str], after: &[&str]) -> Option<String> {
        let owned = |items: &[&str]| {
            items
                .iter()
                .map(|item| (*item).to_owned())
                .collect::<Vec<_>>()
        };
        with_list(
            text,
            is_toml,
            "lockfile-verify",
            "ignore",
            &owned(before),
            &owned(after),
        )
    }

    #[test]
    fn toml_keeps_its_comments_and_its_order() {
        let text = "# top\n[project]\nname = 'x' # name\n\n[tool.lockgate.lockfile-verify]\n# why\nignore = [\n    \"a\", # of a\n    # of b\n    'b',\n]\nstrict = true # yes\n";
        assert_eq!(
            edit(text, true, &["a", "b"], &["a", "b", "c\"d"]).unwrap(),
            text.replace("    'b',\n", "    'b',\n    'c\"d',\n")
        );
        assert_eq!(
            edit(text, true, &["a", "b"], &["a"])
                .unwrap()
                .matches("name = 'x' # name")
                .count(),
            1
        );
        for (text, before, after, expected) in [
            (
                "",
                &[][..],
                &["a"][..],
                "[tool.lockgate.lockfile-verify]\nignore = [\n    \"a\",\n]\n",
            ),
            (
                "[tool.lockgate.lockfile-verify]\nignore = \"a\"\n",
                &["a"],
                &["a", "b"],
                "[tool.lockgate.lockfile-verify]\nignore = [\n    \"a\",\n    \"b\",\n]\n",
            ),
            (
                "[tool.lockgate]\nlockfile-verify = { strict = true }\n",
                &[],
                &[],
                "[tool.lockgate]\nlockfile-verify = { strict = true }\n",
            ),
            (
                "[tool.lockgate.lockfile-verify]\nignore = [\"a\"]\nstrict = true\n",
                &["a"],
                &[],
                "[tool.lockgate.lockfile-verify]\nstrict = true\n",
            ),
        ] {
            assert_eq!(
                edit(text, true, before, after).as_deref(),
                Some(expected),
                "{text}"
            );
        }
        assert!(edit("[tool", true, &[], &["a"]).is_none());
        assert!(edit("tool = 1", true, &[], &["a"]).is_none());
    }

    #[test]
    fn yaml_keeps_its_comments_and_its_order() {
        for (text, before, after, expected) in [
            (
                "",
                &[][..],
                &["it's"][..],
                "lockfile-verify:\n  ignore:\n    - 'it''s'\n",
            ),
            (
                "# top\nlockfile-verify: # here\n    strict: true\nlint-gate:\n  tools: [ruff]",
                &[],
                &["a"],
                "# top\nlockfile-verify: # here\n    ignore:\n      - 'a'\n    strict: true\nlint-gate:\n  tools: [ruff]\n",
            ),
            (
                "lockfile-verify:\n  ignore:\n    # of a\n    - a # one\n    - \"b\"\n    - 'c'\n  strict: true\n",
                &["a", "b", "c"],
                &["a", "c", "d"],
                "lockfile-verify:\n  ignore:\n    # of a\n    - a # one\n    - 'c'\n    - 'd'\n  strict: true\n",
            ),
            (
                "lockfile-verify:\r\n  ignore:\r\n  - a\r\n  strict: true\r\n",
                &["a"],
                &[],
                "lockfile-verify:\r\n  strict: true\r\n",
            ),
        ] {
            let edited = edit(text, false, before, after);
            assert_eq!(edited.as_deref(), Some(expected), "{text}");
        }
    }
}
