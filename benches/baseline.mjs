// The work of `lockgate lint-gate --reports …` as a Node action bundled into one file would do it: the yardstick of
// the benchmarks. It does what baseline.py does, and checks none of its inputs.

import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const VERSION = "0.1.0";
const RANK = { error: 0, warning: 1, note: 2 };
const WITH_EXCERPT = 1000;

function main() {
  const { values } = parseArgs({
    options: {
      version: { type: "boolean" },
      reports: { type: "string", default: "" },
      scope: { type: "string", default: "changed-lines" },
      base: { type: "string" },
      "diff-flags": { type: "string", default: "diff --unified=0" },
      "report-file": { type: "string" },
    },
  });
  if (values.version) {
    process.stdout.write(`baseline ${VERSION}\n`);
    return 0;
  }
  const root = process.cwd();
  const change = values.base ? changedLines(values.base, values["diff-flags"].split(" ")) : undefined;
  const report = JSON.parse(readFileSync(values.reports.replace(/=sarif$/, ""), "utf8"));
  let findings = report.runs.flatMap((run) => findingsOf(run, root));
  const total = findings.length;
  if (change) {
    for (const finding of findings) finding.new = isChanged(change.get(finding.path), finding.line);
    if (values.scope === "changed-lines") findings = findings.filter((finding) => finding.new);
  }
  findings.sort(compare);
  place(findings, root);

  const fails = findings.some((finding) => finding.severity === "error");
  const document = {
    verdict: fails ? "fail" : "pass",
    findings: findings.map(({ excerpt, ...rest }) => rest),
    "left-out": [{ reason: "not on a changed line", count: total - findings.length }],
    outputs: { findings: String(findings.length) },
  };
  if (values["report-file"]) writeFileSync(values["report-file"], JSON.stringify(document, null, 2));
  process.stdout.write(findings.map(shown).join(""));
  return fails ? 1 : 0;
}

function findingsOf(run, root) {
  const driver = run.tool.driver;
  const rules = new Map((driver.rules ?? []).map((rule) => [rule.id, rule]));
  const findings = [];
  for (const result of run.results) {
    if ((result.kind ?? "fail") !== "fail" || result.suppressions?.length) continue;
    const rule = rules.get(result.ruleId);
    const level = result.level ?? rule?.defaultConfiguration?.level ?? "warning";
    if (level === "none") continue;
    const { artifactLocation, region = {} } = result.locations[0].physicalLocation;
    findings.push({
      tool: driver.name,
      rule: result.ruleId ?? "",
      severity: level,
      message: result.message.text,
      path: home(artifactLocation.uri, root),
      line: region.startLine ?? 0,
      column: region.startColumn,
      "end-line": region.endLine,
      "end-column": region.endColumn,
      url: rule?.helpUri,
      new: undefined,
    });
  }
  return findings;
}

function home(uri, root) {
  const path = uri.startsWith("file:") ? fileURLToPath(uri) : join(root, decodeURIComponent(uri));
  return relative(root, path);
}

function changedLines(base, flags) {
  const git = spawnSync("git", [...flags, base, "--"], { maxBuffer: 2 ** 30 });
  if (git.status !== 0) process.exit(3);
  const change = new Map();
  let ranges = [];
  let skip = 0;
  for (const line of git.stdout.toString("utf8").split("\n")) {
    if (skip > 0) {
      if (!line.startsWith("\\")) skip -= 1;
    } else if (line.startsWith("+++ b/")) {
      ranges = [];
      change.set(line.slice(6).replace(/\t$/, ""), ranges);
    } else if (line.startsWith("@@ ")) {
      const [, removed, added] = line.split(" ");
      const [start, count] = numbers(added);
      skip = numbers(removed)[1] + count;
      if (count > 0) ranges.push([start, start + count - 1]);
    }
  }
  return change;
}

function numbers(side) {
  const [start, count = "1"] = side.slice(1).split(",");
  return [Number(start), Number(count)];
}

function isChanged(ranges, line) {
  if (!ranges) return false;
  let [low, high] = [0, ranges.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ranges[middle][1] < line) low = middle + 1;
    else high = middle;
  }
  return low < ranges.length && ranges[low][0] <= line;
}

function compare(left, right) {
  const text = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
  return (
    RANK[left.severity] - RANK[right.severity] ||
    text(left.path, right.path) ||
    left.line - right.line ||
    (left.column ?? 0) - (right.column ?? 0) ||
    text(left.rule, right.rule)
  );
}

// Checks the columns against the source, and keeps the line for the first findings.
function place(findings, root) {
  const sources = new Map();
  findings.forEach((finding, index) => {
    let lines = sources.get(finding.path);
    if (!lines) {
      let text = "";
      try {
        text = readFileSync(join(root, finding.path), "utf8");
      } catch {}
      lines = text.split("\n");
      sources.set(finding.path, lines);
    }
    const line = lines[finding.line - 1];
    if (line === undefined) return;
    const length = [...line].length;
    if (finding.column > length + 1) finding.column = undefined;
    if (finding["end-line"] === finding.line && finding["end-column"]) {
      finding["end-column"] = Math.min(finding["end-column"], length + 1);
    }
    if (index < WITH_EXCERPT) finding.excerpt = line;
  });
}

function shown(finding) {
  const head = `${finding.severity}[${finding.tool}:${finding.rule}]: ${finding.message}\n`;
  const where = ` --> ${finding.path}:${finding.line}:${finding.column}\n`;
  if (finding.excerpt === undefined) return `${head}${where}\n`;
  return `${head}${where}  | ${finding.excerpt}\n  | ${" ".repeat((finding.column ?? 1) - 1)}^\n\n`;
}

process.exitCode = main();
