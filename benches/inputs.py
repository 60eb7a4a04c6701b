"""What the benchmarks read: made once from this machine's Python and from pinned tools, kept below `target/bench`."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlparse

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "tests" / "tools" / "requirements.txt"

MEGABYTE = 1_000_000
#: The report, and how far from it the one that ruff writes may be.
REPORT_SIZE = 51 * MEGABYTE
REPORT_SLACK = 0.02
LARGE_SIZE = 570 * MEGABYTE

#: The tree of the baseline: each file has classes with methods, each method statements with a finding.
BASELINE_FILES, BASELINE_CLASSES, BASELINE_METHODS, BASELINE_STATEMENTS = 500, 5, 8, 5
BASELINE_FINDINGS = BASELINE_FILES * BASELINE_CLASSES * BASELINE_METHODS * BASELINE_STATEMENTS

CHANGED_FILES = 400
CHANGED_LINES_PER_FILE = 250
#: Lines of the library that the change of the second measurement touches.
FEW_LINES = 20

EMPTY_REPORT = {
    "version": "2.1.0",
    "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
    "runs": [{"tool": {"driver": {"name": "ruff", "rules": []}}, "results": []}],
}


@dataclass(frozen=True)
class Library:
    """A git repository of CPython's own library, with one file changed, and ruff's report on it."""

    folder: Path
    report: Path


def say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


def call(*command: str | Path, directory: Path = ROOT, **options) -> str:
    """Standard output of a command that must succeed."""
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=directory, capture_output=True, text=True, check=False, **options)
    if done.returncode:
        sys.exit(f"error: `{' '.join(words)}` ended with exit code {done.returncode}\n{done.stderr.strip()}")
    return done.stdout


def git(folder: Path, *arguments: str) -> str:
    plain = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    who = ["-c", "user.name=bench", "-c", "user.email=bench@localhost", "-c", "gc.auto=0"]
    return call("git", *who, *arguments, directory=folder, env=os.environ | plain)


def tools(cache: Path) -> Path:
    """The folder of programs of an environment that holds what `tests/tools/requirements.txt` pins, by hash."""
    return environment(cache, REQUIREMENTS)


def environment(cache: Path, requirements: Path) -> Path:
    """The folder of programs of an environment that holds what a file of requirements pins, by hash."""
    key = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()[:16]
    venv = cache / f"venv-{key}"
    if not (venv / "complete").exists():
        say(f"installing {requirements.relative_to(ROOT)}")
        shutil.rmtree(venv, ignore_errors=True)
        call(sys.executable, "-m", "venv", venv)
        install = ["-m", "pip", "install", "--quiet", "--require-hashes", "--only-binary", ":all:"]
        call(venv / "bin" / "python", *install, "-r", requirements)
        (venv / "complete").touch()
    return venv / "bin"


def empty_report(cache: Path) -> Path:
    folder = cache / "empty"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "empty.sarif"
    path.write_text(json.dumps(EMPTY_REPORT))
    return path


def library(cache: Path) -> Library:
    """So much of CPython's own library that ruff, with all its rules, writes a report of 51 MB."""
    folder = cache / "library"
    made = Library(folder, folder / "ruff.sarif")
    if is_made(folder):
        return made
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    files = library_files()
    ruff = tools(cache) / "ruff"
    say("ruff reads CPython's library")
    fitting(folder, made.report, ruff, files)
    commit_all(folder)
    change_few_lines(folder, made.report)
    settle(folder)
    return made


def library_files() -> list[Path]:
    source = Path(sysconfig.get_paths()["stdlib"])
    skipped = {"__pycache__", "site-packages"}
    files = [path.relative_to(source) for path in source.rglob("*.py")]
    files = sorted(path for path in files if not skipped & set(path.parts))
    if not files:
        sys.exit(f"error: `{source}` holds no Python files\n\nhint: use a Python with its library as files")
    return files


def fitting(folder: Path, report: Path, ruff: Path, files: list[Path]) -> None:
    """Adds files, or takes them away, until the report has its size. A report is about 18 times its sources."""
    source = Path(sysconfig.get_paths()["stdlib"])
    sizes = [(source / path).stat().st_size for path in files]
    wanted = REPORT_SIZE / 18
    for _ in range(12):
        shutil.rmtree(folder / "lib", ignore_errors=True)
        total = 0
        for path, size in zip(files, sizes):
            if total + size > wanted:
                continue
            total += size
            (folder / "lib" / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / path, folder / "lib" / path)
        options = ["--isolated", "--no-cache", "--exit-zero", "--quiet", "--select=ALL", "--output-format=sarif"]
        call(ruff, "check", *options, f"--output-file={report}", "lib", directory=folder)
        size = report.stat().st_size
        if abs(size - REPORT_SIZE) <= REPORT_SLACK * REPORT_SIZE or total + min(sizes) > sum(sizes):
            return
        wanted = total * REPORT_SIZE / size
    say(f"the report has {report.stat().st_size / MEGABYTE:.1f} MB, and no other size could be had")


def change_few_lines(folder: Path, report: Path) -> None:
    """Edits lines that have findings, so that few are kept. Line numbers stay as the report has them."""
    # In a process of its own: a large parent would count as memory of the children.
    script = (
        "import collections, json, sys\n"
        "results = json.load(open(sys.argv[1]))['runs'][0]['results']\n"
        "lines = collections.defaultdict(set)\n"
        "for result in results:\n"
        "    place = result['locations'][0]['physicalLocation']\n"
        "    lines[place['artifactLocation']['uri']].add(place['region']['startLine'])\n"
        "print(json.dumps(max(lines.items(), key=lambda one: len(one[1])), default=sorted))\n"
    )
    uri, numbers = json.loads(call(sys.executable, "-c", script, report))
    path = Path(unquote(urlparse(uri).path))
    path = path if path.is_absolute() else folder / path
    lines = path.read_bytes().split(b"\n")
    for number in numbers[:: max(1, len(numbers) // FEW_LINES)][:FEW_LINES]:
        lines[number - 1] += b"  # edited"
    path.write_bytes(b"\n".join(lines))


def large_report(cache: Path, small: Library) -> Path:
    """The same results again and again, up to 570 MB."""
    path = small.folder / "large.sarif"
    if not path.exists():
        say("writing the report of 570 MB")
        # In a process of its own: a large parent would count as memory of the children.
        script = (
            "import json, sys\n"
            "report = json.load(open(sys.argv[1])); run = report['runs'][0]\n"
            "results = json.dumps(run.pop('results'), indent=1).encode()[1:-1].strip()\n"
            "run['results'] = []\n"
            "head, tail = json.dumps(report).encode().rsplit(b'[]', 1)\n"
            "with open(sys.argv[2] + '.part', 'wb') as out:\n"
            "    out.write(head + b'[')\n"
            "    for index in range(max(1, round(int(sys.argv[3]) / len(results)))):\n"
            "        out.write(b',\\n' * bool(index) + results)\n"
            "    out.write(b']' + tail)\n"
        )
        call(sys.executable, "-c", script, small.report, path, str(LARGE_SIZE))
        path.with_name(path.name + ".part").rename(path)
    return path


def whole_library(cache: Path) -> Path:
    """A repository of all of CPython's own library, for ruff with all its rules."""
    folder = cache / "whole"
    if is_made(folder):
        return folder
    say("copying CPython's library")
    shutil.rmtree(folder, ignore_errors=True)
    source = Path(sysconfig.get_paths()["stdlib"])
    for path in library_files():
        (folder / "lib" / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / path, folder / "lib" / path)
    (folder / "ruff.toml").write_text('preview = true\nlint.select = ["ALL"]\n')
    commit_all(folder)
    settle(folder)
    return folder


@dataclass(frozen=True)
class Accepted:
    """A git repository of generated Python, a report on it, and another one on the same code with all lines moved."""

    folder: Path
    report: Path
    #: In the format of mypy-baseline, made from the report.
    plain: Path
    #: In Lockgate's format; Lockgate writes it.
    own: Path


def accepted(cache: Path, moved: bool) -> Accepted:
    """100,000 findings of a type checker. Moved: the code begins three lines later, and every tenth class is upside down."""
    folder = cache / ("moved" if moved else "accepted")
    made = Accepted(folder, folder / "mypy.rdjsonl", folder / "mypy-baseline.txt", folder / "lockgate-baseline.txt")
    if is_made(folder):
        return made
    say(f"generating {BASELINE_FILES} files with {BASELINE_FINDINGS:,} findings{', moved' if moved else ''}")
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "shop").mkdir(parents=True)
    with made.report.open("w") as report, made.plain.open("w") as plain:
        for file in range(BASELINE_FILES):
            path = f"shop/{AREAS[file % len(AREAS)]}_{file}.py"
            lines, found = module(file, moved)
            (folder / path).write_text("\n".join(lines) + "\n")
            for line, column, rule, message in found:
                place = {"path": path, "range": {"start": {"line": line, "column": column}}}
                source = {"name": "mypy", "url": "https://mypy-lang.org"}
                one = {"message": message, "location": place, "severity": "ERROR", "source": source, "code": {"value": rule}}
                report.write(json.dumps(one) + "\n")
                # Lines are 0: mypy-baseline leaves them out, so that code may move.
                plain.write(f"{path}:0: error: {message}  [{rule}]\n")
    commit_all(folder)
    settle(folder)
    return made


AREAS = ["orders", "customers", "invoices", "stock", "payments", "carts", "shipments", "refunds"]
NOUNS = ["total", "address", "amount", "country", "discount", "balance", "label", "quantity", "currency", "weight"]
#: A statement, where its finding begins, its rule and its message; {0} is a name and {1} a number.
STATEMENTS = [
    ('{0}_{1}: int = row.get("{0}", "{1}")', "row.get", "assignment", 'Incompatible types in assignment (expression has type "str", variable "{0}_{1}" has type "int")'),
    ('self.{0}_{1} = self.load(row, {1}).{0}', "self.load", "union-attr", 'Item "None" of "Row | None" has no attribute "{0}" (case {1})'),
    ('self.check({1}, {0}=row["{0}"])', '{0}=', "arg-type", 'Argument "{0}" to "check" of "Base" has incompatible type "str"; expected "int" (case {1})'),
    ('if row["{0}"].is_{0}_{1}():', 'row["{0}"]', "attr-defined", '"str" has no attribute "is_{0}_{1}"'),
    ('for {0}, value in self.rows[{1}:]:', '{0}, value', "misc", '"Row" object is not iterable (slice from {1} into "{0}")'),
]


def module(file: int, moved: bool) -> tuple[list[str], list[tuple[int, int, str, str]]]:
    """The lines of one file, and its findings in the order of lines."""
    lines = ["# Copyright the shop.", "# All rights reserved.", ""] if moved else []
    found = []
    lines += ['"""What the shop knows of its rows."""', "", "from shop.base import Base, Row", ""]
    number = file * BASELINE_FINDINGS // BASELINE_FILES
    for kind in range(BASELINE_CLASSES):
        lines += ["", f"class {AREAS[file % len(AREAS)].title()}{kind}(Base):", f'    """Rows of kind {kind}."""']
        order = list(range(BASELINE_METHODS))
        if moved and (file * BASELINE_CLASSES + kind) % 10 == 0:
            order.reverse()
        for method in order:
            lines += ["", f"    def {NOUNS[method % len(NOUNS)]}_of_{kind}(self, row: Row) -> None:"]
            start = number + (kind * BASELINE_METHODS + method) * BASELINE_STATEMENTS
            for index in range(start, start + BASELINE_STATEMENTS):
                text, begin, rule, message = STATEMENTS[index % len(STATEMENTS)]
                name = NOUNS[index // 7 % len(NOUNS)]
                line = "        " + text.format(name, index)
                lines.append(line)
                found.append((len(lines), line.index(begin.format(name, index)) + 1, rule, message.format(name, index)))
                if line.endswith(":"):
                    lines.append(f"            self.count += {index % 9 + 1}")
    return lines, found


def changed_repository(cache: Path) -> Path:
    """A repository in which 100,000 lines in 400 files of CPython's own library are edited."""
    folder = cache / "changed"
    if is_made(folder):
        return folder
    say("editing 100,000 lines in 400 files")
    shutil.rmtree(folder, ignore_errors=True)
    source = Path(sysconfig.get_paths()["stdlib"])
    long_enough = (path for path in library_files() if (source / path).read_bytes().count(b"\n") >= 2 * CHANGED_LINES_PER_FILE)
    files = list(itertools.islice(long_enough, CHANGED_FILES))
    for path in files:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / path, folder / path)
    (folder / "empty.sarif").write_text(json.dumps(EMPTY_REPORT))
    commit_all(folder)
    for path in files:
        (folder / path).write_bytes(edited((folder / path).read_bytes()))
    git(folder, "commit", "--quiet", "--all", "--message=after")
    settle(folder)
    return folder


def edited(text: bytes) -> bytes:
    """The text with 250 lines edited, in blocks of one to five lines all over it."""
    lines = text.split(b"\n")
    blocks = [1 + index % 5 for index in range(CHANGED_LINES_PER_FILE)]
    count = next(count for count in range(len(blocks)) if sum(blocks[:count]) >= CHANGED_LINES_PER_FILE)
    step = (len(lines) - 1) / count
    for index, block in enumerate(blocks[:count]):
        start = int(index * step)
        # A block never meets the next one: the text has at least twice as many lines as are edited.
        for number in range(start, start + block):
            lines[number] += b"  # edited"
    return b"\n".join(lines)


def commit_all(folder: Path) -> None:
    git(folder, "init", "--quiet", "--initial-branch=main")
    (folder / ".gitignore").write_text("*.sarif\n*.json\n*.jsonl\n*.rdjsonl\n*-baseline.txt\n/complete\n")
    git(folder, "add", "--all", "--force", "--", ".", ":!*.sarif", ":!*.rdjsonl", ":!*-baseline.txt", ":!kept-*.json")
    git(folder, "commit", "--quiet", "--message=before")


def settle(folder: Path) -> None:
    """Makes git's index know all files, so that no run has to look into unchanged ones again."""
    # Files as young as the index are looked into each time.
    time.sleep(1.1)
    git(folder, "status")
    (folder / "complete").write_text(edition())


def is_made(folder: Path) -> bool:
    marker = folder / "complete"
    return marker.exists() and marker.read_text() == edition()


def edition() -> str:
    """Changes with the way inputs are made, with the Python that they come from, and with the pinned tools."""
    parts = [Path(__file__).read_bytes(), sys.version.encode(), REQUIREMENTS.read_bytes()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def diff_flags() -> list[str]:
    """The arguments of Lockgate's own `git diff`, from the place where they are written."""
    source = (ROOT / "src" / "system" / "diff.rs").read_text()
    found = re.search(r"pub const ARGUMENTS: &\[&str\] = &\[(.*?)\];", source, re.DOTALL)
    flags = re.findall(r'"([^"]+)"', found[1]) if found else []
    if flags[:1] != ["diff"]:
        sys.exit("error: `src/system/diff.rs` has no `ARGUMENTS` that start with `diff`: teach benches/inputs.py the new place")
    return flags
