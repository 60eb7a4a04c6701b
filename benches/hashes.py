"""The files whose digest is measured: 20,000 of them in 200 folders, 120 MB, the same on every machine."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import inputs
from inputs import ROOT, call, say

FOLDERS, FILES = 200, 100
#: The least and the most bytes of a file.
SIZES = (2_000, 10_000)
RUNNER = ROOT / "tests" / "runner"


def tree(cache: Path) -> Path:
    folder = cache / "hashes"
    marker, edition = folder / "complete", inputs.edition() + Path(__file__).read_text()
    if marker.exists() and marker.read_text() == edition:
        return folder / "tree"
    shutil.rmtree(folder, ignore_errors=True)
    say(f"writing {FOLDERS * FILES:,} files")
    chance = random.Random(1)
    for number in range(FOLDERS):
        one = folder / "tree" / f"{number // 20:02}" / f"{number % 20:02}"
        one.mkdir(parents=True)
        for file in range(FILES):
            (one / f"file-{file:03}.txt").write_bytes(chance.randbytes(chance.randrange(*SIZES)))
    marker.write_text(edition)
    return folder / "tree"


def floor(cache: Path) -> Path:
    """A program that walks and reads, and nothing more."""
    program = cache / "walk-and-read"
    call("rustc", "--edition", "2024", "-O", "-o", program, ROOT / "benches" / "floor" / "walk_and_read.rs")
    return program


def packages() -> Path:
    """The folder with the official package, in the version that the tests pin."""
    folder = RUNNER / "node_modules"
    if not (folder / "@actions" / "glob").is_dir():
        call("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", directory=RUNNER)
    return folder
