"""The locks that the benchmarks verify: made once by uv and poetry from one list of dependencies."""

from __future__ import annotations

import json
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import inputs
from inputs import ROOT, call, say

#: A service and the notebooks around it: about 170 packages.
DEPENDENCIES = ["jupyterlab>=4", "fastapi[standard]>=0.110", "sqlalchemy>=2", "boto3>=1.34", "celery[redis]>=5.3"]
DEVELOPMENT = ["mypy>=1.8", "pytest>=8", "ruff>=0.4"]
POETRY = ROOT / "tests" / "tools" / "locks" / "poetry-2.txt"
#: The large lock, in bytes, and how many projects a monorepo has.
LARGE = 5_000_000
PROJECTS = 100


@dataclass(frozen=True)
class Locks:
    """Folders with a project and its lock."""

    uv: Path
    large: Path
    monorepo: Path
    poetry: Path
    #: Where uv keeps what it knows of the packages.
    uv_cache: Path

    def copied(self, folder: Path) -> Locks:
        """The same elsewhere; the cache stays where it is."""
        copies = {name: shutil.copytree(getattr(self, name), folder / name) for name in ("uv", "large", "monorepo", "poetry")}
        return Locks(**copies, uv_cache=self.uv_cache)


def locks(cache: Path) -> Locks:
    folder = cache / "locks"
    made = Locks(folder / "uv", folder / "large", folder / "monorepo", folder / "poetry", folder / "uv-cache")
    marker, edition = folder / "complete", inputs.edition() + Path(__file__).read_text()
    if marker.exists() and marker.read_text() == edition:
        return made
    shutil.rmtree(folder, ignore_errors=True)
    say("locking a project with uv and with poetry")
    for one in (made.uv, made.poetry):
        one.mkdir(parents=True)
        (one / "pyproject.toml").write_text(project(DEPENDENCIES, DEVELOPMENT))
    with (made.poetry / "pyproject.toml").open("a") as declared:
        declared.write(source())
    uv = [inputs.tools(cache) / "uv", "lock", "--no-config", "--cache-dir", made.uv_cache]
    call(*uv, directory=made.uv)
    call(poetry(cache), "lock", "--no-interaction", directory=made.poetry)
    text = (made.uv / "uv.lock").read_text()
    for number in range(PROJECTS):
        one = made.monorepo / f"service-{number}"
        one.mkdir(parents=True)
        shutil.copyfile(made.uv / "pyproject.toml", one / "pyproject.toml")
        (one / "uv.lock").write_text(text)
    made.large.mkdir()
    grow(text, made.large)
    marker.write_text(edition)
    return made


def poetry(cache: Path) -> Path:
    return inputs.environment(cache, POETRY) / "poetry"


def source() -> str:
    """The index by its simple API, which Poetry uses only of an index that is named."""
    known = (ROOT / "src" / "lockfiles" / "public_index.rs").read_text()
    index = os.environ.get("UV_DEFAULT_INDEX") or re.search(r'SIMPLE_API: &str = "(.*)"', known)[1]
    return f'\n[[tool.poetry.source]]\nname = "simple"\nurl = "{index}"\n'


def project(dependencies: list[str], development: list[str]) -> str:
    return (
        '[project]\nname = "service"\nversion = "1.0.0"\nrequires-python = ">=3.11"\n'
        f"dependencies = {json.dumps(dependencies, indent=4)}\n\n[dependency-groups]\ndev = {json.dumps(development)}\n"
    )


def grow(text: str, folder: Path) -> None:
    """A lock of `LARGE` bytes: all packages again and again under other names, which the project asks for as well."""
    head, *packages = re.split(r"(?m)^(?=\[\[package\]\])", text)
    own = next(package for package in packages if 'name = "service"\n' in package)
    others = [package for package in packages if package is not own]
    copies = -(-LARGE // len(text))
    everything, wanted, development = [], list(DEPENDENCIES), list(DEVELOPMENT)
    for copy in range(1, copies):
        suffix = f"-copy{copy}"
        everything += [renamed(package, suffix) for package in others]
        for ours, of in ((wanted, DEPENDENCIES), (development, DEVELOPMENT)):
            ours += [re.sub(r"^[\w-]+", lambda name: name[0] + suffix, one) for one in of]
        own = asked(own, suffix)
    (folder / "uv.lock").write_text(head + own + "".join(others + everything))
    (folder / "pyproject.toml").write_text(project(wanted, development))


def renamed(package: str, suffix: str) -> str:
    name = re.search(r'^name = "(.*)"$', package, re.MULTILINE)[1]
    spelling = re.compile(r"/" + re.sub(r"[-_.]+", "[-_.]", re.escape(name).replace(r"\-", "-")) + r"-(?=[^/]*\")", re.IGNORECASE)
    package = re.sub(r'name = "([^"]*)"', rf'name = "\1{suffix}"', package)
    return spelling.sub(lambda found: found[0][:-1] + suffix.replace("-", "_") + "-", package)


def asked(own: str, suffix: str) -> str:
    """The project's own entry, which asks for the copies too."""
    names = [re.match(r"[\w-]+", one)[0] for one in DEPENDENCIES + DEVELOPMENT]
    lines = []
    for line in own.splitlines(keepends=True):
        lines.append(line)
        asks = re.match(r'    \{ name = "([^"]*)"', line)
        is_wanted = asks and asks[1] in names
        if is_wanted:
            lines.append(line.replace(f'name = "{asks[1]}"', f'name = "{asks[1]}{suffix}"', 1))
    return "".join(lines)
