//! Projects of one `pyproject.toml` and a library beside it.

/// The folder that all packages come from.
pub(super) const INDEX: &str = r#"
[[tool.uv.index]]
name = "local"
url = "wheels"
format = "flat"
default = true
"#;

/// What each project begins with.
pub(super) const HEAD: &str =
    "[project]\nname = \"app\"\nversion = \"0.1.0\"\nrequires-python = \">=3.11\"\n";

/// The library beside each.
pub(super) const LIBRARY: &str = "[project]\nname = \"lib\"\nversion = \"0.3.0\"\nrequires-python = \">=3.11\"\ndependencies = [\"beta>=1.0\"]\n";

/// What stands behind the head and before the index, for each project; all have the library beside them.
pub(super) const PROJECTS: &[(&str, &str)] = &[
    ("plain", "dependencies = [\"alpha>=1.0\", \"beta\"]\n"),
    (
        "extras",
        "dependencies = [\"alpha[fast]>=1.0\"]\n[project.optional-dependencies]\nweb = [\"beta>=1.0\"]\ncli = [\"gamma\"]\nempty = []\n",
    ),
    (
        "groups",
        "dependencies = [\"alpha>=1.0\"]\n[dependency-groups]\ndev = [{ include-group = \"lint\" }, \"delta\"]\nlint = [\"beta>=1.0\"]\nnone = []\n",
    ),
    (
        "workspace",
        "dependencies = [\"alpha>=1.0\", \"lib\"]\n[tool.uv.workspace]\nmembers = [\"packages/*\"]\n[tool.uv.sources]\nlib = { workspace = true }\n",
    ),
    (
        "sources",
        "dependencies = [\"alpha>=1.0\", \"gamma\"]\n[tool.uv.sources]\ngamma = [{ index = \"local\", marker = \"sys_platform == 'linux'\" }]\n",
    ),
    (
        "markers",
        "dependencies = [\"alpha>=1.0; python_version >= '3.12'\", \"beta>=1.0; platform_system == 'Windows' or os_name == 'posix'\"]\n",
    ),
    (
        "constraints",
        "dependencies = [\"alpha>=1.0\"]\n[tool.uv]\nconstraint-dependencies = [\"epsilon<2\"]\nbuild-constraint-dependencies = [\"beta<2\"]\n",
    ),
    (
        "overrides",
        "dependencies = [\"alpha>=1.0\", \"delta\"]\n[tool.uv]\noverride-dependencies = [\"gamma==1.5\"]\nexclude-dependencies = [\"epsilon\"]\n",
    ),
    (
        "conflicts",
        "dependencies = [\"alpha>=1.0\"]\n[project.optional-dependencies]\nold = [\"beta==1.0\"]\nnew = [\"beta==2.0\"]\n[tool.uv]\nconflicts = [[{ extra = \"old\" }, { extra = \"new\" }]]\n",
    ),
    (
        "options",
        "dependencies = [\"alpha>=1.0\"]\n[tool.uv]\nresolution = \"lowest-direct\"\nexclude-newer = \"2030-01-01T00:00:00Z\"\nenvironments = [\"sys_platform == 'linux'\"]\n",
    ),
    (
        "path",
        "dependencies = [\"alpha>=1.0\", \"lib\"]\n[tool.uv.sources]\nlib = { path = \"packages/lib\", editable = true }\n",
    ),
    (
        "dynamic",
        "dependencies = [\"alpha>=1.0\"]\n[tool.uv]\npackage = false\n",
    ),
];
