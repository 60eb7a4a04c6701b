#!/usr/bin/env python3
"""The work of `lockgate lint-gate --reports …` as a Python script would do it: the yardstick of the benchmarks.

It reads the report (or what ruff prints), drops what is no finding, brings paths home, keeps what is on changed lines or
not in a baseline, looks the columns up in the source, sorts, writes a JSON report and prints the findings. It checks none of its inputs.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from bisect import bisect_left
from collections import Counter
from pathlib import Path
from urllib.parse import unquote, urlparse

VERSION = "0.1.0"
RANK = {"error": 0, "warning": 1, "note": 2}
WITH_EXCERPT = 1000


def main() -> int:
    parser = argparse.ArgumentParser(prog="baseline")
    parser.add_argument("--version", action="version", version=VERSION)
    parser.add_argument("--reports", default="")
    parser.add_argument("--scope", default="changed-lines")
    parser.add_argument("--base")
    parser.add_argument("--diff-flags", default="diff --unified=0")
    parser.add_argument("--report-file")
    parser.add_argument("--baseline", help="a file of mypy-baseline's kind")
    parser.add_argument("--run", nargs=argparse.REMAINDER, help="a command that prints ruff's `json-lines`")
    arguments = parser.parse_args()

    root = Path.cwd()
    change = changed_lines(arguments.base, arguments.diff_flags.split()) if arguments.base else None
    findings = list(read(arguments, root))
    total = len(findings)
    took = 0.0
    if arguments.baseline:
        started = time.perf_counter()
        findings = unknown(findings, Path(arguments.baseline).read_text())
        took = time.perf_counter() - started
    if change is not None:
        for finding in findings:
            finding["new"] = is_changed(change.get(finding["path"]), finding["line"])
        if arguments.scope == "changed-lines":
            findings = [finding for finding in findings if finding["new"]]
    findings.sort(key=lambda one: (RANK[one["severity"]], one["path"], one["line"], one["column"] or 0, one["rule"]))
    place(findings, root)

    fails = any(finding["severity"] == "error" for finding in findings)
    document = {
        "verdict": "fail" if fails else "pass",
        "findings": [{name: value for name, value in one.items() if name != "excerpt"} for one in findings],
        "left-out": [{"reason": "known" if arguments.baseline else "not on a changed line", "count": total - len(findings)}],
        "outputs": {"findings": str(len(findings))},
        "matching-ms": took * 1e3,
    }
    if arguments.report_file:
        Path(arguments.report_file).write_text(json.dumps(document, indent=2))
    sys.stdout.write("".join(map(shown, findings)))
    return 1 if fails else 0


def read(arguments: argparse.Namespace, root: Path):
    if arguments.run:
        with subprocess.Popen(arguments.run, stdout=subprocess.PIPE) as ruff:
            assert ruff.stdout is not None
            for line in ruff.stdout:
                yield finding_of_ruff(json.loads(line), root)
        if ruff.returncode not in (0, 1):
            sys.exit(3)
        return
    path, _, format = arguments.reports.rpartition("=")
    if format == "rdjsonl":
        with open(path, "rb") as lines:
            for line in lines:
                yield finding_of_reviewdog(json.loads(line), root)
        return
    for run in json.loads(Path(path).read_bytes())["runs"]:
        yield from findings_of(run, root)


def finding_of_ruff(line: dict, root: Path) -> dict:
    return {
        "tool": "ruff",
        "rule": line["code"] or "",
        "severity": line.get("severity", "error"),
        "message": line["message"],
        "path": home(line["filename"], root),
        "line": line["location"]["row"],
        "column": line["location"]["column"],
        "end-line": line["end_location"]["row"],
        "end-column": line["end_location"]["column"],
        "url": line["url"],
        "new": None,
    }


def finding_of_reviewdog(line: dict, root: Path) -> dict:
    start = line["location"]["range"]["start"]
    return {
        "tool": line["source"]["name"],
        "rule": line["code"]["value"],
        "severity": line["severity"].lower(),
        "message": line["message"],
        "path": home(line["location"]["path"], root),
        "line": start["line"],
        "column": start["column"],
        "end-line": None,
        "end-column": None,
        "url": None,
        "new": None,
    }


def unknown(findings: list[dict], baseline: str) -> list[dict]:
    """What is not in the baseline: lines without their numbers, each as often as it is there."""
    known = Counter(baseline.splitlines())
    fresh = []
    for finding in findings:
        line = f"{finding['path']}:0: {finding['severity']}: {finding['message']}  [{finding['rule']}]"
        if known[line] > 0:
            known[line] -= 1
        else:
            fresh.append(finding)
    return fresh


def findings_of(run: dict, root: Path):
    driver = run["tool"]["driver"]
    rules = {rule["id"]: rule for rule in driver.get("rules", [])}
    for result in run["results"]:
        if result.get("kind", "fail") != "fail" or result.get("suppressions"):
            continue
        rule = rules.get(result.get("ruleId"), {})
        level = result.get("level") or rule.get("defaultConfiguration", {}).get("level", "warning")
        if level == "none":
            continue
        physical = result["locations"][0]["physicalLocation"]
        region = physical.get("region", {})
        yield {
            "tool": driver["name"],
            "rule": result.get("ruleId") or "",
            "severity": level,
            "message": result["message"]["text"],
            "path": home(physical["artifactLocation"]["uri"], root),
            "line": region.get("startLine", 0),
            "column": region.get("startColumn"),
            "end-line": region.get("endLine"),
            "end-column": region.get("endColumn"),
            "url": rule.get("helpUri"),
            "new": None,
        }


def home(uri: str, root: Path) -> str:
    path = unquote(urlparse(uri).path) if uri.startswith("file:") else unquote(uri)
    return os.path.relpath(os.path.join(root, path), root)


def changed_lines(base: str, flags: list[str]) -> dict[str, list[tuple[int, int]]]:
    command = ["git", *flags, base, "--"]
    change: dict[str, list[tuple[int, int]]] = {}
    ranges: list[tuple[int, int]] = []
    skip = 0
    with subprocess.Popen(command, stdout=subprocess.PIPE) as git:
        assert git.stdout is not None
        for line in git.stdout:
            if skip:
                skip -= not line.startswith(b"\\")
            elif line.startswith(b"+++ b/"):
                ranges = change.setdefault(line[6:].rstrip(b"\t\n").decode(), [])
            elif line.startswith(b"@@ "):
                _, removed, added, *_ = line.split(b" ")
                start, count = numbers(added)
                skip = numbers(removed)[1] + count
                if count:
                    ranges.append((start, start + count - 1))
    if git.returncode:
        sys.exit(3)
    return change


def numbers(side: bytes) -> tuple[int, int]:
    start, _, count = side[1:].partition(b",")
    return int(start), int(count or b"1")


def is_changed(ranges: list[tuple[int, int]] | None, line: int) -> bool:
    if not ranges:
        return False
    index = bisect_left(ranges, line, key=lambda one: one[1])
    return index < len(ranges) and ranges[index][0] <= line


def place(findings: list[dict], root: Path) -> None:
    """Checks the columns against the source, and keeps the line for the first findings."""
    sources: dict[str, list[str]] = {}
    for index, finding in enumerate(findings):
        lines = sources.get(finding["path"])
        if lines is None:
            try:
                text = (root / finding["path"]).read_text(encoding="utf-8", errors="replace")
            except OSError:
                text = ""
            lines = sources[finding["path"]] = text.split("\n")
        if finding["line"] > len(lines):
            continue
        line = lines[finding["line"] - 1]
        if finding["column"] and finding["column"] > len(line) + 1:
            finding["column"] = None
        if finding["end-line"] == finding["line"] and finding["end-column"]:
            finding["end-column"] = min(finding["end-column"], len(line) + 1)
        if index < WITH_EXCERPT:
            finding["excerpt"] = line


def shown(finding: dict) -> str:
    head = f"{finding['severity']}[{finding['tool']}:{finding['rule']}]: {finding['message']}\n"
    place = f" --> {finding['path']}:{finding['line']}:{finding['column']}\n"
    excerpt = finding.get("excerpt")
    if excerpt is None:
        return head + place + "\n"
    return f"{head}{place}  | {excerpt}\n  | {' ' * ((finding['column'] or 1) - 1)}^\n\n"


if __name__ == "__main__":
    sys.exit(main())
