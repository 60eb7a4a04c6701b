//! Texts in which the values of a matrix are put, and which may refer to outputs of stages.

use crate::error::list;
use crate::model::pipeline::{Reference, Template};
use crate::pipeline::read::reader::{Reader, shown};
use crate::pipeline::read::template::{OPEN, Part, parts};
use crate::pipeline::read::tree::{Node, Value};

impl Reader<'_> {
    /// A text that may refer to outputs of stages.
    pub(crate) fn template(&mut self, key: &str, node: &Node) -> Option<Template> {
        match &node.value {
            Value::Text(text) if text.contains('\0') => {
                self.wrong_at(node, format!("`{key}` has a NUL character"));
                None
            }
            Value::Text(text) => self.template_of(key, node, text),
            Value::Integer(number) => Some(plain(number.to_string())),
            Value::Number(number) => Some(plain(number.clone())),
            Value::Flag(flag) => Some(plain(flag.to_string())),
            _ => {
                self.unfit(key, node, "a text, a number, or true or false");
                None
            }
        }
    }

    /// The text with the values of the matrix in it, and what it refers to.
    pub(crate) fn template_of(&mut self, key: &str, node: &Node, text: &str) -> Option<Template> {
        if !text.contains(OPEN) {
            return Some(plain(text.to_owned()));
        }
        let mut template = Template::default();
        for (range, part) in parts(text) {
            let own = text.get(range).unwrap_or_default();
            match part {
                Part::Plain => template.text.push_str(own),
                Part::Matrix(name) => template.text.push_str(&self.matrix_value(node, name)?),
                Part::Output { stage, output } => {
                    let start = template.text.len();
                    template.text.push_str(own);
                    template.references.push(Reference {
                        range: start..template.text.len(),
                        stage: stage.to_owned(),
                        output: output.to_owned(),
                    });
                }
                Part::Unknown(expression) => {
                    let message = format!(
                        "`{key}`: `{}` is nothing that one can refer to",
                        shown(expression)
                    );
                    self.wrong_with(
                        node,
                        message,
                        "there is `${{ stages.<stage>.outputs.<output> }}`, and `${{ matrix.<name> }}` in a stage with a matrix",
                    );
                    return None;
                }
                Part::Open => {
                    self.wrong_at(node, format!("`{key}`: `${{{{` is not closed by `}}}}`"));
                    return None;
                }
            }
        }
        Some(template)
    }

    fn matrix_value(&mut self, node: &Node, name: &str) -> Option<String> {
        if let Some(value) = self.matrix.get(name) {
            self.named.insert(name.to_owned());
            return Some(value.clone());
        }
        if name.starts_with("member.") {
            let hint = if self.matrix.contains_key("member.name") {
                "a member has `member.name` and `member.path`"
            } else {
                "the stage is for no member of a workspace; write `members = true`"
            };
            self.wrong_with(node, format!("`{}` is not there", shown(name)), hint);
            return None;
        }
        let own = |key: &&String| !key.starts_with("member.");
        let known: Vec<&str> = self.matrix.keys().filter(own).map(String::as_str).collect();
        let message = format!("`matrix.{}` is not there", shown(name));
        let hint = if known.is_empty() {
            "the stage has no matrix; write `matrix = { python = [\"3.12\", \"3.13\"] }`".to_owned()
        } else {
            let known: Vec<String> = known.iter().map(|key| format!("`matrix.{key}`")).collect();
            format!("the stage has {}", list(&known, "and"))
        };
        self.wrong_with(node, message, &hint);
        None
    }
}

fn plain(text: String) -> Template {
    Template {
        text,
        references: Vec::new(),
    }
}
