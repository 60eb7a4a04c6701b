//! The graph as a drawing: Mermaid (<https://mermaid.js.org/syntax/flowchart.html>), or DOT
//! (<https://graphviz.org/doc/info/lang.html>). Names are those of strangers: nothing of them is syntax.

use std::fmt::Write as _;

use crate::model::pipeline::{Pipeline, Stage};
use crate::pipeline::graph::Graph;

/// A flow chart for GitHub, which draws it in Markdown.
pub fn mermaid(pipeline: &Pipeline, graph: &Graph) -> String {
    let mut text = "flowchart LR\n".to_owned();
    for (number, stage) in pipeline.stages.iter().enumerate() {
        let (open, close) = match kind(stage) {
            Kind::Work => ("[", "]"),
            Kind::Service => ("([", "])"),
            Kind::CleanUp => ("[/", "/]"),
            Kind::Name => ("((", "))"),
        };
        let name = for_mermaid(&stage.name);
        let _ = writeln!(text, "  s{number}{open}\"{name}\"{close}");
    }
    for_each_edge(graph, |from, to| {
        let _ = writeln!(text, "  s{from} --> s{to}");
    });
    text
}

/// A graph for Graphviz.
pub fn dot(pipeline: &Pipeline, graph: &Graph) -> String {
    let mut text = "digraph pipeline {\n  rankdir=LR;\n".to_owned();
    for (number, stage) in pipeline.stages.iter().enumerate() {
        let shape = match kind(stage) {
            Kind::Work => "box",
            Kind::Service => "oval",
            Kind::CleanUp => "parallelogram",
            Kind::Name => "circle",
        };
        let name = for_dot(&stage.name);
        let _ = writeln!(text, "  s{number} [label=\"{name}\", shape={shape}];");
    }
    for_each_edge(graph, |from, to| {
        let _ = writeln!(text, "  s{from} -> s{to};");
    });
    text.push_str("}\n");
    text
}

enum Kind {
    Work,
    Service,
    CleanUp,
    Name,
}

fn kind(stage: &Stage) -> Kind {
    match stage {
        _ if stage.service.is_some() => Kind::Service,
        _ if stage.always => Kind::CleanUp,
        _ if stage.action == crate::model::pipeline::Action::None => Kind::Name,
        _ => Kind::Work,
    }
}

/// Edges lead from what is needed to what needs it.
fn for_each_edge(graph: &Graph, mut draw: impl FnMut(usize, usize)) {
    for (stage, needs) in graph.needs.iter().enumerate() {
        for need in needs {
            draw(*need, stage);
        }
    }
}

/// Everything but letters, digits and a few signs as the code of an entity.
fn for_mermaid(name: &str) -> String {
    let mut escaped = String::with_capacity(name.len());
    for letter in name.chars() {
        if letter.is_alphanumeric() || " .,-_()".contains(letter) {
            escaped.push(letter);
        } else {
            let _ = write!(escaped, "#{};", u32::from(letter));
        }
    }
    escaped
}

/// Graphviz reads escapes and entities in what stands in quotes.
fn for_dot(name: &str) -> String {
    let mut escaped = String::with_capacity(name.len());
    for letter in name.chars() {
        match letter {
            '"' => escaped.push_str("\\\""),
            '\\' => escaped.push_str("\\\\"),
            '&' => escaped.push_str("&amp;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::read::{Carrier, read};

    #[test]
    fn names_of_strangers_are_no_syntax() {
        let text = r#"
[tool.lockgate.pipeline.stages]
'a"] --> x; click s0 "javascript:1" %%' = 'x'
'prüfen <b>`&amp; {{x' = { run = 'x', needs = ['a"] --> x; click s0 "javascript:1" %%'], service = { ready = { tcp = 'h:1' } } }
end = { needs = ['prüfen <b>`&amp; {{x'] }
"#;
        let pipeline = read(text, "f", Carrier::Toml, &[]).unwrap();
        let graph = Graph::of(&pipeline).unwrap();
        assert_eq!(
            mermaid(&pipeline, &graph),
            "flowchart LR\n  s0[\"a#34;#93; --#62; x#59; click s0 #34;javascript#58;1#34; #37;#37;\"]\n  s1([\"prüfen #60;b#62;#96;#38;amp#59; #123;#123;x\"])\n  s2((\"end\"))\n  s0 --> s1\n  s1 --> s2\n"
        );
        assert_eq!(
            dot(&pipeline, &graph),
            "digraph pipeline {\n  rankdir=LR;\n  s0 [label=\"a\\\"] --> x; click s0 \\\"javascript:1\\\" %%\", shape=box];\n  s1 [label=\"prüfen <b>`&amp;amp; {{x\", shape=oval];\n  s2 [label=\"end\", shape=circle];\n  s0 -> s1;\n  s1 -> s2;\n}\n"
        );
    }
}
