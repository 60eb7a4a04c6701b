use super::*;
use crate::model::declared::UvSourceKind;
use crate::model::lockfile::{GitReference, Source};

const PROJECT: &str = r#"[project]
name = "App"
version = "0.1.0"
requires-python = ">=3.11"
dynamic = ["readme"]
dependencies = [
    "SQLAlchemy >= 2.0",
    "torch[cuda]>=2; sys_platform == 'linux'",
]

[project.optional-dependencies]
web = ["flask"]

[dependency-groups]
dev = [{ include-group = "lint" }, "pytest"]
lint = ["ruff>=0.1"]

[tool.uv]
resolution = "lowest"
constraint-dependencies = ["urllib3<3"]
conflicts = [[{ extra = "a" }, { extra = "b" }]]
exclude-newer = 2026-01-01T00:00:00Z
extra-index-url = ["https://x.example/simple"]

[tool.uv.workspace]
members = ["packages/*"]

[tool.uv.sources]
lib = { workspace = true }
torch = [
    { index = "cpu", marker = "sys_platform == 'darwin'" },
    { git = "https://g.example/torch", tag = "v2", subdirectory = "py" },
]

[[tool.uv.index]]
name = "cpu"
url = "https://cpu.example/whl"
explicit = true
"#;

#[test]
fn a_project_is_read_with_its_places() {
    let mut sources = Sources::default();
    let file = sources
        .add("pyproject.toml", PROJECT.as_bytes().to_vec())
        .unwrap();
    let reading = read(file, &sources);
    assert_eq!(reading.faults, []);
    let declared = reading.declarations.unwrap();
    let project = declared.project.unwrap();
    assert_eq!(project.name.as_ref().unwrap().value, "App");
    assert!(project.is_dynamic("readme") && !project.is_dynamic("version"));
    let [alchemy, torch] = &project.dependencies[..] else {
        panic!("{:?}", project.dependencies);
    };
    let specifier = alchemy.specifier.as_ref().unwrap();
    assert_eq!(
        (sources.line(specifier.at), sources.text(specifier.at)),
        (7, ">= 2.0")
    );
    assert_eq!(
        (&*alchemy.name.normal, &*torch.extras[0].value),
        ("sqlalchemy", "cuda")
    );
    assert_eq!(project.extras[0].0.value, "web");
    assert!(
        matches!(&declared.groups[0].items[0], GroupItem::Include(name) if name.value == "lint")
    );

    let uv = declared.uv.unwrap();
    assert_eq!(uv.option("resolution").unwrap().value, "lowest");
    assert_eq!(
        uv.option("exclude-newer").unwrap().value,
        "2026-01-01T00:00:00Z"
    );
    assert_eq!(uv.constraints[0].name.normal, "urllib3");
    assert_eq!(uv.conflicts[0].value.len(), 2);
    assert_eq!(uv.workspace.unwrap().value.members[0].value, "packages/*");
    assert_eq!(uv.indexes.len(), 2);
    assert!(uv.indexes.iter().any(|index| index.is_explicit));
    assert_eq!(uv.sources[0].1[0].source, UvSourceKind::Workspace(true));
    assert_eq!(
        uv.sources[1].1[1].source,
        UvSourceKind::Other(Source::Git {
            url: "https://g.example/torch".into(),
            reference: Some(GitReference::Tag("v2".into())),
            commit: None,
            subdirectory: Some("py".into()),
        })
    );
}

#[test]
fn what_is_no_requirement_is_a_fault_at_its_byte() {
    let mut sources = Sources::default();
    let text = "[project]\ndependencies = [\"ok\", \"not ok\"]\n";
    let file = sources
        .add("pyproject.toml", text.as_bytes().to_vec())
        .unwrap();
    let reading = read(file, &sources);
    let [fault] = &reading.faults[..] else {
        panic!("{:?}", reading.faults);
    };
    assert_eq!(sources.text(fault.at), "ok");
    assert_eq!(fault.at.start, 37);
    assert_eq!(
        reading
            .declarations
            .unwrap()
            .project
            .unwrap()
            .dependencies
            .len(),
        1
    );
}
