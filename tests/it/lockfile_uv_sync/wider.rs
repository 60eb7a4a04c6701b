//! Projects of several files, each with edits of its own: what is computed, repositories and URLs, scripts, options that stand
//! elsewhere.
//!
//! `{head}` and `{index}` stand for what all projects have, `{server}` for a server of this machine, `{repository}` for a
//! repository on it.

/// A project.
pub(super) struct Wider {
    /// Its name.
    pub(super) name: &'static str,
    /// Its files; the last one is the script, if the lock is one of a script.
    pub(super) files: &'static [(&'static str, &'static str)],
    /// Edits: the file, what is replaced, and by what; where nothing is, the text is added to the file.
    pub(super) edits: &'static [(&'static str, &'static str, &'static str)],
}

impl Wider {
    /// The script that is locked, if one is.
    pub(super) fn script(&self) -> Option<&'static str> {
        let (path, _) = self.files.last()?;
        path.ends_with("tool.py").then_some(*path)
    }
}

const PROJECT: &str = "pyproject.toml";

/// The projects.
pub(super) const WIDER: &[Wider] = &[
    Wider {
        name: "pythons of groups",
        files: &[(
            PROJECT,
            "{head}dependencies = [\"alpha>=1.0\"]\n[dependency-groups]\ndev = [{ include-group = \"lint\" }, \"delta\"]\nlint = [\"beta>=1.0\"]\nnone = []\n[tool.uv.dependency-groups]\nlint = { requires-python = \">=3.12\" }\ndev = { requires-python = \">=3.13\" }\nnone = { requires-python = \">=3.14\" }\n{index}",
        )],
        edits: &[
            (PROJECT, "\">=3.12\"", "\">=3.12.0\""),
            (PROJECT, "\">=3.12\"", "\">=3.14\""),
            (PROJECT, "\">=3.12\"", "\">=3.13\""),
            (PROJECT, "lint = { requires-python = \">=3.12\" }\n", ""),
            (PROJECT, "\">=3.14\"", "\">=3.14,<4\""),
            (PROJECT, "none = { requires-python = \">=3.14\" }\n", ""),
            (PROJECT, "{ include-group = \"lint\" }, ", ""),
        ],
    },
    Wider {
        name: "pythons of groups beside no project",
        files: &[(
            PROJECT,
            "[dependency-groups]\ndev = [\"beta>=1.0\"]\n[tool.uv.dependency-groups]\ndev = { requires-python = \">=3.12\" }\n{index}",
        )],
        edits: &[
            (PROJECT, "\">=3.12\"", "\">=3.13\""),
            (PROJECT, "beta>=1.0", "beta>=1.5"),
            (PROJECT, "beta>=1.0", "Beta >= 1.0"),
        ],
    },
    Wider {
        name: "conflicts through includes",
        files: &[(
            PROJECT,
            "{head}dependencies = [\"alpha>=1.0\"]\n[dependency-groups]\na = [\"beta==1.0\"]\nb = [\"beta==2.0\"]\nover-a = [{ include-group = \"a\" }, \"gamma\"]\nover-b = [{ include-group = \"b\" }]\nabove = [{ include-group = \"over-a\" }]\n[tool.uv]\nconflicts = [[{ group = \"a\" }, { group = \"b\" }]]\n{index}",
        )],
        edits: &[
            (PROJECT, "[{ include-group = \"b\" }]", "[]"),
            (PROJECT, "above = ", "beyond = "),
            (
                PROJECT,
                "[{ include-group = \"over-a\" }]",
                "[{ include-group = \"over-b\" }]",
            ),
            (
                PROJECT,
                "{ group = \"b\" }]]",
                "{ group = \"b\" }], [{ group = \"over-a\" }, { group = \"b\" }]]",
            ),
            (
                PROJECT,
                "{ group = \"b\" }]]",
                "{ group = \"b\" }, { group = \"over-a\" }]]",
            ),
        ],
    },
    Wider {
        name: "scoped",
        files: &[(
            PROJECT,
            "{head}dependencies = [\"alpha>=1.0\", \"beta\"]\n[tool.uv]\noverride-dependencies = [{ package = { name = \"alpha\", version = \"2.0\" }, dependencies = [\"epsilon==1.5\"] }, \"beta==1.0\"]\nexclude-dependencies = [{ package = { name = \"delta\" }, dependencies = [\"gamma\"] }]\nprerelease-package = { alpha = \"allow\" }\n{index}",
        )],
        edits: &[
            (PROJECT, "epsilon==1.5", "epsilon==1.0"),
            (PROJECT, "epsilon==1.5", "Epsilon == 1.5.0"),
            (PROJECT, "version = \"2.0\"", "version = \"2.0.0\""),
            (PROJECT, "version = \"2.0\"", "version = \"1.0\""),
            (PROJECT, ", \"beta==1.0\"]", "]"),
            (PROJECT, "name = \"delta\"", "name = \"alpha\""),
            (PROJECT, "\"gamma\"", "\"Gamma\""),
            (PROJECT, "\"allow\"", "\"disallow\""),
            (PROJECT, "prerelease-package = { alpha = \"allow\" }\n", ""),
            (
                PROJECT,
                "\"beta==1.0\"]",
                "\"beta==1.0\", { package = { name = \"delta\" }, dependencies = [\"gamma<9\"] }]",
            ),
            (PROJECT, "\"beta==1.0\"]", "\"beta==1.0\", \"gamma<9\"]"),
        ],
    },
    Wider {
        name: "additions",
        files: &[(
            PROJECT,
            "{head}dependencies = [\"alpha>=1.0\"]\n[tool.uv]\nprerelease = \"if-necessary-or-explicit\"\n{index}",
        )],
        edits: &[
            (
                PROJECT,
                "[tool.uv]\n",
                "[tool.uv]\nconstraint-dependencies = [\"gamma<9\"]\n",
            ),
            (
                PROJECT,
                "[tool.uv]\n",
                "[tool.uv]\nconstraint-dependencies = [\"epsilon<9\"]\n",
            ),
            (
                PROJECT,
                "[tool.uv]\n",
                "[tool.uv]\noverride-dependencies = [\"gamma<9\"]\n",
            ),
            (
                PROJECT,
                "[tool.uv]\n",
                "[tool.uv]\noverride-dependencies = [\"epsilon<9\"]\n",
            ),
            (
                PROJECT,
                "[tool.uv]\n",
                "[tool.uv]\nexclude-dependencies = [\"gamma\"]\n",
            ),
            (
                PROJECT,
                "[tool.uv]\n",
                "[tool.uv]\nexclude-dependencies = [\"epsilon\"]\n",
            ),
            (
                PROJECT,
                "[tool.uv]\n",
                "[tool.uv]\nbuild-constraint-dependencies = [\"gamma\"]\n",
            ),
            (
                PROJECT,
                "[tool.uv]\n",
                "[tool.uv]\ndependency-metadata = [{ name = \"gamma\", version = \"1.0\" }]\n",
            ),
            (
                PROJECT,
                "[tool.uv]\n",
                "[tool.uv]\ndependency-metadata = [{ name = \"alpha\", version = \"2.0\" }]\n",
            ),
            (
                PROJECT,
                "[tool.uv]\n",
                "[tool.uv]\nexclude-newer-package = { gamma = \"2030-01-01T00:00:00Z\" }\n",
            ),
            (
                PROJECT,
                "[tool.uv]\n",
                "[tool.uv]\nexclude-newer-package = { alpha = \"2030-01-01T00:00:00Z\" }\n",
            ),
            (
                PROJECT,
                "[tool.uv]\n",
                "[tool.uv]\nexclude-newer-package = { alpha = false }\n",
            ),
            (PROJECT, "[tool.uv]\n", "[tool.uv]\nexclude-newer = false\n"),
            (
                PROJECT,
                "[tool.uv]\n",
                "[tool.uv]\nprerelease-package = { gamma = \"allow\" }\n",
            ),
            (PROJECT, "if-necessary-or-explicit", "if-necessary"),
            (PROJECT, "if-necessary-or-explicit", "explicit"),
            (PROJECT, "[tool.uv]\n", "[tool.uv]\nenvironments = []\n"),
            (
                PROJECT,
                "[tool.uv]\n",
                "[tool.uv]\nenvironments = \"sys_platform == 'linux'\"\n",
            ),
            ("uv.toml", "", "resolution = \"lowest\"\n"),
            ("uv.toml", "", "resolution = \"highest\"\n"),
            ("uv.lock", "revision = 5", "revision = 99"),
        ],
    },
    Wider {
        name: "environments",
        files: &[(
            PROJECT,
            "{head}dependencies = [\"alpha>=1.0\"]\n[tool.uv]\nenvironments = [\"sys_platform == 'linux'\", \"sys_platform == 'darwin'\"]\nrequired-environments = [\"sys_platform == 'linux' and platform_machine == 'x86_64'\", \"sys_platform == 'darwin' and platform_machine == 'arm64'\"]\n{index}",
        )],
        edits: &[
            (
                PROJECT,
                "[\"sys_platform == 'linux'\", \"sys_platform == 'darwin'\"]",
                "[\"sys_platform == 'darwin'\", \"sys_platform == 'linux'\"]",
            ),
            (
                PROJECT,
                "\"sys_platform == 'linux'\"",
                "\"platform_system == 'Linux'\"",
            ),
            (
                PROJECT,
                "\"sys_platform == 'linux'\"",
                "\"sys_platform == 'linux' and python_version >= '3.8'\"",
            ),
            (PROJECT, ", \"sys_platform == 'darwin'\"]", "]"),
            (PROJECT, "'x86_64'", "'aarch64'"),
            (
                "uv.lock",
                "    \"sys_platform == 'linux'\",\n",
                "    \"python_full_version >= '3.13' and sys_platform == 'linux'\",\n",
            ),
        ],
    },
    Wider {
        name: "forks",
        files: &[(
            PROJECT,
            "{head}dependencies = [\"alpha>=2.0 ; python_version >= '3.13'\", \"alpha<1.5 ; python_version < '3.13'\", \"beta\"]\n[tool.uv.sources]\nbeta = { path = \"wheels/beta-1.5-py3-none-any.whl\" }\n{index}",
        )],
        edits: &[
            ("uv.lock", "    \"python_full_version >= '3.13'\",\n", ""),
            ("uv.lock", "    \"python_full_version < '3.13'\",\n", ""),
            (
                "uv.lock",
                "    \"python_full_version >= '3.13'\",\n",
                "    \"python_full_version >= '3.14'\",\n",
            ),
            (
                "uv.lock",
                "    \"python_full_version >= '3.13'\",\n",
                "    \"python_full_version >= '3.12'\",\n",
            ),
            (
                "uv.lock",
                "name = \"beta\"\nversion = \"1.5\"\n",
                "name = \"beta\"\n",
            ),
            (
                PROJECT,
                "python_version >= '3.13'",
                "python_version >= '3.12'",
            ),
            (
                PROJECT,
                "python_version >= '3.13'",
                "python_version > '3.12'",
            ),
            (PROJECT, "beta-1.5", "beta-2.0"),
            (PROJECT, "\"wheels/beta", "\"./wheels/beta"),
        ],
    },
    Wider {
        name: "uv.toml",
        files: &[
            (
                PROJECT,
                "{head}dependencies = [\"alpha>=1.0\"]\n[tool.uv]\nresolution = \"highest\"\nconstraint-dependencies = [\"epsilon<2\"]\n",
            ),
            (
                "uv.toml",
                "resolution = \"lowest-direct\"\nprerelease = \"allow\"\nexclude-newer = \"2030-01-01T00:00:00Z\"\ndependency-metadata = [{ name = \"beta\", version = \"1.0\" }]\n[[index]]\nname = \"local\"\nurl = \"wheels\"\nformat = \"flat\"\ndefault = true\n",
            ),
        ],
        edits: &[
            ("uv.toml", "lowest-direct", "highest"),
            ("uv.toml", "lowest-direct", "lowest"),
            ("uv.toml", "\"allow\"", "\"disallow\""),
            ("uv.toml", "2030", "2031"),
            ("uv.toml", "2030", "2020"),
            ("uv.toml", "exclude-newer = \"2030-01-01T00:00:00Z\"\n", ""),
            ("uv.toml", "\"wheels\"", "\"./wheels/\""),
            ("uv.toml", "\"wheels\"", "\"packages\""),
            ("uv.toml", "version = \"1.0\"", "version = \"2.0\""),
            ("uv.toml", "resolution =", "# a comment\nresolution ="),
            (
                "uv.toml",
                "resolution =",
                "constraint-dependencies = [\"epsilon<1\"]\nresolution =",
            ),
            (PROJECT, "\"highest\"", "\"lowest\""),
            (PROJECT, "epsilon<2", "epsilon<3"),
            (
                PROJECT,
                "[tool.uv]\n",
                "[tool.uv]\nprerelease = \"disallow\"\n",
            ),
        ],
    },
    Wider {
        name: "options from above",
        files: &[
            (
                PROJECT,
                "[project]\nname = \"top\"\nversion = \"1.0\"\n[tool.uv]\nresolution = \"lowest\"\n{index}",
            ),
            (
                "sub/pyproject.toml",
                "{head}dependencies = [\"alpha>=1.0\"]\n",
            ),
        ],
        edits: &[
            (PROJECT, "lowest", "highest"),
            (PROJECT, "\"wheels\"", "\"./wheels\""),
            (
                PROJECT,
                "[tool.uv]\n",
                "[tool.uv]\nconstraint-dependencies = [\"epsilon<2\"]\n",
            ),
            ("sub/pyproject.toml", "alpha>=1.0", "alpha>=1.5"),
            ("sub/pyproject.toml", "", "[tool.uv]\npackage = false\n"),
            ("sub/uv.toml", "", "resolution = \"lowest\"\n"),
            ("sub/uv.toml", "", "resolution = \"highest\"\n"),
        ],
    },
    Wider {
        name: "a member inside of another one",
        files: &[
            (
                PROJECT,
                "{head}dependencies = [\"alpha>=1.0\"]\n[build-system]\nrequires = []\nbuild-backend = \"none\"\n[tool.uv.workspace]\nmembers = [\"examples\", \"examples/*\"]\n[tool.uv.sources]\napp = { workspace = true }\nbeta = { path = \"wheels/beta-1.5-py3-none-any.whl\" }\n{index}",
            ),
            (
                "examples/pyproject.toml",
                "[project]\nname = \"examples\"\nversion = \"1.0\"\nrequires-python = \">=3.11\"\ndependencies = [\"app\", \"beta\"]\n",
            ),
            (
                "examples/one/pyproject.toml",
                "[project]\nname = \"one\"\nversion = \"1.0\"\nrequires-python = \">=3.11\"\ndependencies = [\"beta\"]\n",
            ),
        ],
        edits: &[
            ("examples/pyproject.toml", "\"beta\"", "\"beta>=1.0\""),
            ("examples/one/pyproject.toml", "\"beta\"", "\"beta>=1.0\""),
            ("examples/one/pyproject.toml", "\"beta\"", "\"app\""),
            (
                "examples/one/pyproject.toml",
                "dependencies",
                "description = \"text\"\ndependencies",
            ),
            (PROJECT, "app = { workspace = true }\n", ""),
        ],
    },
    Wider {
        name: "folders that ask for each other",
        files: &[
            (
                "sub/pyproject.toml",
                "{head}dependencies = [\"alpha>=1.0\", \"other\"]\n[build-system]\nrequires = []\nbuild-backend = \"none\"\n[tool.uv.sources]\nother = { path = \"../other\", editable = true }\n[[tool.uv.index]]\nname = \"local\"\nurl = \"../sub/../wheels\"\nformat = \"flat\"\ndefault = true\n",
            ),
            (
                "other/pyproject.toml",
                "[project]\nname = \"other\"\nversion = \"1.0\"\nrequires-python = \">=3.11\"\n[build-system]\nrequires = []\nbuild-backend = \"none\"\n[dependency-groups]\ndev = [\"app\"]\n[project.optional-dependencies]\nback = [\"app\"]\n[tool.uv.sources]\napp = { path = \"../sub\", editable = true }\n",
            ),
        ],
        edits: &[
            ("other/pyproject.toml", "\"../sub\"", "\"../other/../sub/\""),
            (
                "other/pyproject.toml",
                "\"../sub\", editable = true",
                "\"../sub\"",
            ),
            ("other/pyproject.toml", "[\"app\"]", "[\"app>=0.1\"]"),
            ("other/pyproject.toml", "back = ", "forth = "),
            ("sub/pyproject.toml", "\"../other\"", "\"../sub/../other\""),
            ("sub/pyproject.toml", "../sub/../wheels", "../wheels"),
            ("sub/pyproject.toml", "0.1.0", "0.1.1"),
        ],
    },
    Wider {
        name: "what no platform takes",
        files: &[(
            PROJECT,
            "{head}dependencies = [\"alpha>=1.0\", \"native\", \"delta\"]\n[tool.uv]\noverride-dependencies = [\"native ; sys_platform == 'never'\", \"gamma ; sys_platform == 'never'\"]\n{index}",
        )],
        edits: &[
            (PROJECT, "'never'", "'linux'"),
            (PROJECT, "\"native\", ", ""),
            (PROJECT, "\"native\", ", "\"native>=1.5\", "),
            (PROJECT, ", \"gamma ; sys_platform == 'never'\"]", "]"),
        ],
    },
    Wider {
        name: "metadata",
        files: &[(
            PROJECT,
            "{head}dependencies = [\"alpha>=1.0\", \"delta\"]\n[[tool.uv.dependency-metadata]]\nname = \"alpha\"\nversion = \"2.0\"\nrequires-dist = [\"gamma>=1.0\", \"beta ; extra == 'fast'\"]\nprovides-extra = [\"fast\"]\n{index}",
        )],
        edits: &[
            (PROJECT, "gamma>=1.0", "gamma>=1.5"),
            (PROJECT, "gamma>=1.0", "Gamma >= 1.0"),
            (PROJECT, "version = \"2.0\"", "version = \"2.0.0\""),
            (
                PROJECT,
                "provides-extra = [\"fast\"]",
                "provides-extra = []",
            ),
            (
                PROJECT,
                "requires-dist",
                "requires-python = \">=3.8\"\nrequires-dist",
            ),
        ],
    },
    Wider {
        name: "second index",
        files: &[(
            PROJECT,
            "{head}dependencies = [\"alpha>=1.0\", \"gamma\"]\n[tool.uv.sources]\ngamma = { index = \"other\" }\n{index}[[tool.uv.index]]\nname = \"other\"\nurl = \"{server}/simple\"\nexplicit = true\n",
        )],
        edits: &[
            (PROJECT, "gamma = { index = \"other\" }\n", ""),
            (PROJECT, "index = \"other\"", "index = \"local\""),
            (PROJECT, "{server}/simple", "{server}/simple/"),
            (
                PROJECT,
                "index = \"other\" }",
                "index = \"other\", marker = \"sys_platform == 'linux'\" }",
            ),
            (PROJECT, "explicit = true\n", ""),
            (PROJECT, "name = \"other\"", "name = \"else\""),
            (PROJECT, "{server}/simple", "http://127.0.0.1:1/simple"),
            (PROJECT, "\"gamma\"]", "\"gamma>=1.5\"]"),
        ],
    },
    Wider {
        name: "urls",
        files: &[(
            PROJECT,
            "{head}dependencies = [\"alpha>=1.0\", \"beta @ {server}/simple/beta/beta-1.5-py3-none-any.whl\", \"gamma\"]\n[tool.uv.sources]\ngamma = { url = \"{server}/simple/gamma/gamma-1.5-py3-none-any.whl\" }\n{index}",
        )],
        edits: &[
            (PROJECT, "beta-1.5", "beta-2.0"),
            (PROJECT, "gamma-1.5", "gamma-2.0"),
            (PROJECT, "gamma = { url", "Gamma = { url"),
            (PROJECT, "\"gamma\"]", "\"gamma>=9\"]"),
            (
                PROJECT,
                "\"gamma\"]",
                "\"gamma ; sys_platform == 'linux'\"]",
            ),
            (PROJECT, "\"beta @ ", "\"Beta@"),
            (
                PROJECT,
                " @ {server}/simple/beta/beta-1.5-py3-none-any.whl",
                "",
            ),
        ],
    },
    Wider {
        name: "repositories",
        files: &[(
            PROJECT,
            "{head}dependencies = [\"alpha>=1.0\", \"remote\"]\n[tool.uv.sources]\nremote = { git = \"{repository}\", tag = \"v1\" }\n{index}",
        )],
        edits: &[
            (PROJECT, "tag = \"v1\"", "tag = \"v2\""),
            (PROJECT, "tag = \"v1\"", "branch = \"main\""),
            (PROJECT, ", tag = \"v1\"", ""),
            (PROJECT, "tag = \"v1\"", "rev = \"v1\""),
            (
                PROJECT,
                "tag = \"v1\"",
                "tag = \"v1\", subdirectory = \"sub\"",
            ),
            (PROJECT, "\"remote\"]", "\"remote>=0.1\"]"),
            (PROJECT, "\"remote\"]", "\"Remote\"]"),
            (PROJECT, "\"remote\"]", "\"remote @ git+{repository}@v1\"]"),
            (
                PROJECT,
                "tag = \"v1\" }",
                "tag = \"v1\", marker = \"sys_platform == 'linux'\" }",
            ),
        ],
    },
    Wider {
        name: "dynamic version of setuptools",
        files: &[
            ("version.txt", "1.0\n"),
            (
                PROJECT,
                "[project]\nname = \"app\"\nrequires-python = \">=3.11\"\ndynamic = [\"version\"]\ndependencies = [\"alpha>=1.0\", \"app[web]\"]\n[project.optional-dependencies]\nweb = [\"beta>=1.0\"]\nall = [\"app[web]\", \"gamma\"]\n[build-system]\nrequires = [\"setuptools\"]\nbuild-backend = \"setuptools.build_meta\"\n[tool.setuptools]\npy-modules = []\n[tool.setuptools.dynamic]\nversion = { file = \"version.txt\" }\n[tool.uv]\nno-build-isolation = true\n{index}",
            ),
        ],
        edits: &[
            ("version.txt", "1.0", "2.0"),
            (PROJECT, "dynamic = [\"version\"]", "version = \"1.0\""),
            (
                PROJECT,
                "dynamic = [\"version\"]",
                "dynamic = [\"version\", \"readme\"]",
            ),
            (
                PROJECT,
                "\"app[web]\", \"gamma\"",
                "\"beta>=1.0\", \"gamma\"",
            ),
            (PROJECT, "\"beta>=1.0\"]", "\"beta>=1.5\"]"),
            (PROJECT, ", \"app[web]\"]", "]"),
        ],
    },
    Wider {
        name: "version of hatch-vcs",
        files: &[
            ("app/__init__.py", ""),
            (
                PROJECT,
                "[project]\nname = \"app\"\nrequires-python = \">=3.11\"\ndynamic = [\"version\"]\ndependencies = [\"alpha>=1.0\"]\n[project.optional-dependencies]\nweb = [\"beta>=1.0\"]\nall = [\"app[web]\", \"gamma ; python_version >= '3.12'\"]\n[build-system]\nrequires = [\"hatchling\", \"hatch-vcs\"]\nbuild-backend = \"hatchling.build\"\n[tool.hatch.version]\nsource = \"vcs\"\n[tool.uv]\nno-build-isolation = true\n{index}",
            ),
        ],
        edits: &[
            ("app/__init__.py", "", "NAME = 1\n"),
            (PROJECT, "dynamic = [\"version\"]", "version = \"1.0\""),
            (PROJECT, "\"app[web]\", ", "\"beta>=1.0\", "),
            (PROJECT, "\"beta>=1.0\"]", "\"beta>=1.5\"]"),
            (PROJECT, "'3.12'", "'3.13'"),
            (PROJECT, "web = ", "net = "),
        ],
    },
    Wider {
        name: "dynamic dependencies of setuptools",
        files: &[
            ("deps.txt", "alpha>=1.0\n"),
            (
                PROJECT,
                "{head}dynamic = [\"dependencies\"]\n[dependency-groups]\ndev = [\"beta\"]\n[build-system]\nrequires = [\"setuptools\"]\nbuild-backend = \"setuptools.build_meta\"\n[tool.setuptools]\npy-modules = []\n[tool.setuptools.dynamic]\ndependencies = { file = \"deps.txt\" }\n[tool.uv]\nno-build-isolation = true\n{index}",
            ),
        ],
        edits: &[
            ("deps.txt", "alpha>=1.0", "alpha>=1.5"),
            (PROJECT, "0.1.0", "0.1.1"),
            (PROJECT, "dev = [\"beta\"]", "dev = [\"beta\", \"gamma\"]"),
        ],
    },
    Wider {
        name: "script",
        files: &[(
            "tool.py",
            "# /// script\n# requires-python = \">=3.11\"\n# dependencies = [\"alpha>=1.0\", \"beta\"]\n# [[tool.uv.index]]\n# name = \"local\"\n# url = \"wheels\"\n# format = \"flat\"\n# default = true\n# ///\nprint(1)\n",
        )],
        edits: &[
            ("tool.py", "alpha>=1.0", "alpha>=1.5"),
            ("tool.py", "alpha>=1.0", "Alpha >= 1.0"),
            ("tool.py", ", \"beta\"]", "]"),
            ("tool.py", "\"beta\"]", "\"beta\", \"gamma\"]"),
            (
                "tool.py",
                "\"beta\"]",
                "\"beta ; python_version >= '3.8'\"]",
            ),
            ("tool.py", ">=3.11", ">=3.10"),
            ("tool.py", ">=3.11", ">=3.11.0"),
            (
                "tool.py",
                "# [[tool",
                "# [tool.uv]\n# resolution = \"lowest\"\n# [[tool",
            ),
            (
                "tool.py",
                "# [[tool",
                "# [tool.uv]\n# constraint-dependencies = [\"epsilon<9\"]\n# [[tool",
            ),
            (
                "tool.py",
                "# [[tool",
                "# [tool.uv]\n# constraint-dependencies = [\"gamma<9\"]\n# [[tool",
            ),
            (
                "tool.py",
                "# [[tool",
                "# [tool.uv]\n# override-dependencies = [\"epsilon<9\"]\n# [[tool",
            ),
            (
                "tool.py",
                "# [[tool",
                "# [tool.uv]\n# exclude-dependencies = [\"epsilon\"]\n# [[tool",
            ),
            (
                "tool.py",
                "# [[tool",
                "# [tool.uv]\n# exclude-newer = \"2030-01-01T00:00:00Z\"\n# [[tool",
            ),
            (
                "tool.py",
                "# [[tool",
                "# [tool.uv.sources]\n# beta = { index = \"local\" }\n# [[tool",
            ),
            (
                "tool.py",
                "# [[tool",
                "# [tool.uv.sources]\n# beta = { path = \"wheels/beta-1.5-py3-none-any.whl\" }\n# [[tool",
            ),
            ("tool.py", "\"wheels\"", "\"./wheels\""),
            ("tool.py", "print(1)", "print(2)"),
            (
                PROJECT,
                "",
                "[project]\nname = \"app\"\nversion = \"1.0\"\n[tool.uv]\nresolution = \"lowest\"\n",
            ),
            (
                PROJECT,
                "",
                "[project]\nname = \"app\"\nversion = \"1.0\"\ndependencies = [\"zeta\"]\n",
            ),
            ("uv.toml", "", "resolution = \"lowest\"\n"),
        ],
    },
    Wider {
        name: "script beside a project",
        files: &[
            (
                PROJECT,
                "{head}dependencies = []\n[tool.uv]\nresolution = \"lowest\"\nenvironments = [\"sys_platform == 'linux'\"]\nconstraint-dependencies = [\"epsilon<2\"]\n{index}",
            ),
            (
                "tool.py",
                "# /// script\n# requires-python = \">=3.11\"\n# dependencies = [\"alpha>=1.0\"]\n# [tool.uv]\n# exclude-newer = \"2030-01-01T00:00:00Z\"\n# ///\n",
            ),
        ],
        edits: &[
            (PROJECT, "lowest", "highest"),
            (PROJECT, "epsilon<2", "epsilon<1"),
            (PROJECT, "'linux'", "'darwin'"),
            (
                "tool.py",
                "# [tool.uv]\n",
                "# [tool.uv]\n# resolution = \"highest\"\n",
            ),
            (
                "tool.py",
                "# [tool.uv]\n",
                "# [tool.uv]\n# resolution = \"lowest\"\n",
            ),
            ("tool.py", "alpha>=1.0", "alpha>=1.5"),
        ],
    },
];
