// Runs small actions and workflows written inside a test, in this process, and gives their result.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { after } from "node:test";
import { Job } from "../src/job.mjs";
import { planAction, planWorkflow } from "../src/plan.mjs";

export const RUNNER = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
export const FIXTURES = path.join(RUNNER, "test", "fixtures");

/** A folder that is gone after the tests of the file. */
export function temporary() {
  const folder = mkdtempSync(path.join(os.tmpdir(), "host-runner-test-"));
  after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function write(folder, files) {
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  return folder;
}

/** The text of an action.yml: `head` holds inputs and outputs, `steps` the YAML list, both without indentation. */
export function composite(steps, head = "") {
  return `name: test\ndescription: test\n${head}runs:\n  using: composite\n  steps:\n${indent(steps, 4)}`;
}

/** Runs an action: `steps` and `head` as above, or `directory`. Further keys are options of the runner. */
export async function runAction({ steps, head, directory, files = {}, ...options }) {
  const workspace = options.workspace ?? write(temporary(), files);
  const folder = directory ?? write(temporary(), { "action.yml": composite(steps, head) });
  return run(planAction(folder, { workspace, ...options }), { workspace, ...options });
}

/** Runs a job of a workflow given as text. */
export async function runWorkflow({ workflow, files = {}, ...options }) {
  const workspace = write(temporary(), { ".github/workflows/test.yml": workflow, ...files });
  const plan = await planWorkflow(path.join(workspace, ".github/workflows/test.yml"), { workspace, ...options });
  return run(plan, { workspace, ...options });
}

async function run(plan, options) {
  const job = new Job(plan, options);
  options.started?.(job);
  const result = await job.run();
  return { ...result, workspace: options.workspace };
}

/** One step with the shell `sh`. */
export function sh(script, extra = "") {
  return `- shell: sh\n${indent(extra, 2)}  run: |\n${indent(script, 4)}`;
}

export function indent(text, width) {
  return text === "" ? "" : `${text.replace(/\n$/, "").replace(/^(?=.)/gm, " ".repeat(width))}\n`;
}

/** The lines that steps have printed: without groups, script echo and the runner's own last lines. */
export function printed(log) {
  const lines = [];
  let inGroup = false;
  for (const line of log.split("\n")) {
    if (line.startsWith("##[group]Run ")) inGroup = true;
    else if (inGroup && line === "##[endgroup]") inGroup = false;
    else if (!inGroup && line !== "" && line !== "Cleaning up orphan processes") lines.push(line);
  }
  return lines;
}

/** The command line, in its own process. */
export function cli(args, options = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [path.join(RUNNER, "main.mjs"), ...args], {
    encoding: "utf8",
    ...options,
  });
  return { status, stdout, stderr };
}

export function readJson(file) {
  return JSON.parse(readFileSync(file, "utf8"));
}
