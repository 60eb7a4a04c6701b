#!/usr/bin/env python3
"""Measures packing and unpacking a folder beside `tar | zstd`, with the command lines of the official cache client.

`benches/archive.py FOLDER` prints a table in Markdown. `cargo build --release --bench archive` makes the program; FOLDER is a cache of
uv, for example. See docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def main() -> int:
    parser = argparse.ArgumentParser(prog="benches/archive.py", description=__doc__)
    parser.add_argument("folder", type=Path, help="the folder to pack")
    parser.add_argument("--program", type=Path, required=True, help="what `cargo build --release --bench archive` made")
    parser.add_argument("--runs", type=int, default=3, help="runs of each [default: 3]")
    options = parser.parse_args()
    folder, program = options.folder.absolute(), str(options.program.absolute())
    found: dict[str, list[tuple[float, float, int, int]]] = {}
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        workspace = Path(scratch) / "w"
        workspace.mkdir()
        there = Path(scratch) / folder.name
        shutil.copytree(folder, there, symlinks=True)
        name = f"../{folder.name}"
        tar = ["tar", "-P", "-C", str(workspace)]
        archives = {way: f"{scratch}/{way}" for way in ("official", "level-3", "adaptive")}
        for _ in range(options.runs):
            packing = {
                "official": [*tar, "--posix", "-cf", archives["official"], "--use-compress-program", "zstdmt", name],
                "level-3": [program, "pack", str(workspace), name, archives["level-3"], "3"],
                "adaptive": [program, "pack", str(workspace), name, archives["adaptive"], "adaptive"],
            }
            for way, command in packing.items():
                measured = run(command)
                found.setdefault(f"pack, {way}", []).append((*measured, os.path.getsize(archives[way])))
            unpacking = {
                "official": [*tar, "-xf", archives["official"], "--use-compress-program", "unzstd"],
                "level-3": [program, "unpack", str(workspace), name, archives["level-3"], "-"],
                "of the official": [program, "unpack", str(workspace), name, archives["official"], "-"],
            }
            for way, command in unpacking.items():
                shutil.rmtree(there)
                os.sync()
                found.setdefault(f"unpack, {way}", []).append((*run(command), 0))
    print("|  | wall, min | wall, median | CPU, min | memory | size |\n| --- | ---: | ---: | ---: | ---: | ---: |")
    for what, runs in found.items():
        walls = [wall for wall, *_ in runs]
        cpu, memory, size = min(run[1] for run in runs), max(run[2] for run in runs), max(run[3] for run in runs)
        shown = f"{size / 1e6:.0f} MB" if size else ""
        print(f"| {what} | {min(walls):.2f} s | {statistics.median(walls):.2f} s | {cpu:.2f} s | {memory / 1024:.0f} MiB | {shown} |")
    return 0


def run(command: list[str]) -> tuple[float, float, int]:
    """Wall and processor seconds, and the highest resident memory of one process, KiB."""
    started = time.monotonic()
    child = subprocess.Popen(command)
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.monotonic() - started
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit(f"error: {command}: {child.returncode}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss


if __name__ == "__main__":
    sys.exit(main())
