// The work of `lockgate lint-gate --reports …` as a Node action bundled into one file would do it: the yardstick of
// the benchmarks. It does what baseline.py does, and checks none of its inputs.

import { spawn, spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const VERSION = "0.1.0";
const RANK = { error: 0, warning: 1, note: 2 };
const WITH_EXCERPT = 1000;

async function main() {
  const own = process.argv.slice(2);
  const at = own.indexOf("--run");
  const command = at < 0 ? [] : own.splice(at).slice(1);
  const { values } = parseArgs({
    args: own,
    options: {
      version: { type: "boolean" },
      reports: { type: "string", default: "" },
      scope: { type: "string", default: "changed-lines" },
      base: { type: "string" },
      "diff-flags": { type: "string", default: "diff --unified=0" },
      "report-file": { type: "string" },
      baseline: { type: "string" },
    },
  });
  if (values.version) {
    process.stdout.write(`baseline ${VERSION}\n`);
    return 0;
  }
  const root = process.cwd();
  const change = values.base ? changedLines(values.base, values["diff-flags"].split(" ")) : undefined;
  let findings = command.length ? await readRuff(command, root) : readReport(values.reports, root);
  const total = findings.length;
  let took = 0;
  if (values.baseline) {
    const started = performance.now();
    findings = unknown(findings, readFileSync(values.baseline, "utf8"));
    took = performance.now() - started;
  }
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
    "left-out": [{ reason: values.baseline ? "known" : "not on a changed line", count: total - findings.length }],
    outputs: { findings: String(findings.length) },
    "matching-ms": took,
  };
  if (values["report-file"]) writeFileSync(values["report-file"], JSON.stringify(document, null, 2));
  process.stdout.write(findings.map(shown).join(""));
  return fails ? 1 : 0;
}

function readReport(report, root) {
  const [, path, format] = /^(.*)=(\w+)$/.exec(report);
  const text = readFileSync(path, "utf8");
  if (format === "rdjsonl") return lines(text).map((line) => findingOfReviewdog(JSON.parse(line), root));
  return JSON.parse(text).runs.flatMap((run) => findingsOf(run, root));
}

// A line at a time, while ruff prints.
async function readRuff([program, ...words], root) {
  const ruff = spawn(program, words, { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise((resolve) => ruff.on("close", resolve));
  const findings = [];
  let rest = "";
  ruff.stdout.setEncoding("utf8");
  for await (const chunk of ruff.stdout) {
    const parts = (rest + chunk).split("\n");
    rest = parts.pop();
    for (const line of parts) findings.push(findingOfRuff(JSON.parse(line), root));
  }
  if ((await ended) > 1) process.exit(3);
  return findings;
}

function lines(text) {
  return text.split("\n").filter((line) => line);
}

function findingOfRuff(line, root) {
  return {
    tool: "ruff",
    rule: line.code ?? "",
    severity: line.severity ?? "error",
    message: line.message,
    path: relative(root, line.filename),
    line: line.location.row,
    column: line.location.column,
    "end-line": line.end_location.row,
    "end-column": line.end_location.column,
    url: line.url,
    new: undefined,
  };
}

function findingOfReviewdog(line, root) {
  const { start } = line.location.range;
  return {
    tool: line.source.name,
    rule: line.code.value,
    severity: line.severity.toLowerCase(),
    message: line.message,
    path: relative(root, join(root, line.location.path)),
    line: start.line,
    column: start.column,
    new: undefined,
  };
}

// What is not in the baseline: lines without their numbers, each as often as it is there.
function unknown(findings, baseline) {
  const known = new Map();
  for (const line of lines(baseline)) known.set(line, (known.get(line) ?? 0) + 1);
  return findings.filter((finding) => {
    const line = `${finding.path}:0: ${finding.severity}: ${finding.message}  [${finding.rule}]`;
    const left = known.get(line) ?? 0;
    if (left > 0) known.set(line, left - 1);
    return left === 0;
  });
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

process.exitCode = await main();
