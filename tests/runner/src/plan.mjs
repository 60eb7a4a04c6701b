// Turns what the command line names into the plan of one job: an action alone, or one job of a workflow file.
// The expansion of a matrix follows the published rules of `strategy.matrix`; the server does it, not the runner.

import { existsSync } from "node:fs";
import path from "node:path";
import { githubContext } from "./contexts.mjs";
import { Scope, evaluateCondition, evaluateValue } from "./expressions.mjs";
import { MANIFESTS, ON_SUCCESS, readWorkflow } from "./manifest.mjs";
import { isMapping, isString } from "./packages.mjs";

/** Thrown for what the host runner cannot do, or was asked wrongly: usage, not a failed job. */
export class UsageError extends Error {}

/** The action as the only step, with the id `action`, as `uses: owner/repo/path@sha` of a workflow. */
export function planAction(directory, options) {
  const folder = path.resolve(directory);
  if (!MANIFESTS.some((name) => existsSync(path.join(folder, name)))) {
    throw new UsageError(`no ${MANIFESTS.join(" or ")} in ${directory}`);
  }
  const permissions = new Set(options.permissions ?? []);
  return {
    id: "job",
    workflowName: "host runner",
    workflowFile: ".github/workflows/host-runner.yml",
    steps: [{ id: "action", contextName: "action", if: ON_SUCCESS, directory: folder, withValues: options.inputs ?? {} }],
    env: [],
    defaultsRun: [],
    actionOutputs: true,
    values: {},
    repositoryRoot: path.resolve(options.repoRoot ?? findRepository(folder)),
    idToken: permissions.has("id-token=write") ? idToken(options) : undefined,
  };
}

export async function planWorkflow(file, options) {
  if (!existsSync(file)) throw new UsageError(`no such file: ${file}`);
  const workflow = await readWorkflow(file);
  const job = chooseJob(workflow, options.job);
  const get = (name) => job.token.find(name);
  for (const name of ["container", "services"]) {
    if (get(name)) throw new UsageError(`job \`${job.id}\` has \`${name}\`: the host runner does not run containers`);
  }
  if (get("uses")) throw new UsageError(`job \`${job.id}\` calls a reusable workflow: run the job of that file instead`);

  const workspace = path.resolve(options.workspace);
  const values = {
    github: githubContext({
      overrides: options.github ?? {},
      workspace,
      event: options.event ?? {},
      eventPath: "",
      eventName: options.eventName ?? "push",
      jobId: job.id,
      workflowName: workflow.name,
      workflowFile: file,
    }),
    inputs: options.inputs ?? {},
    vars: options.vars ?? {},
    needs: options.needs ?? Object.fromEntries(job.needs.map((name) => [name, { result: "success", outputs: {} }])),
  };
  const status = () => (Object.values(values.needs).some((need) => need.result !== "success") ? "failure" : "success");
  const scope = new Scope({ values, status });
  const matrix = chooseCombination(get("strategy"), scope, options.matrix ?? {});
  const defaultsRun = [workflow.root.find("defaults"), get("defaults")].map((token) => token?.find("run")).filter(Boolean);
  return {
    id: job.id,
    workflowName: workflow.name || path.basename(file),
    workflowFile: `.github/workflows/${path.basename(file)}`,
    steps: job.steps,
    env: [workflow.root.find("env"), get("env")].filter(Boolean),
    defaultsRun,
    outputs: get("outputs"),
    values: { ...values, matrix, strategy: { "fail-fast": true, "job-index": 0, "job-total": 1, "max-parallel": 1 } },
    repositoryRoot: path.resolve(options.repoRoot ?? findRepository(path.dirname(path.resolve(file)))),
    idToken: grantsIdToken(get("permissions") ?? workflow.root.find("permissions")) ? idToken(options) : undefined,
    skipped: !evaluateCondition(job.if ?? ON_SUCCESS, scope),
  };
}

function chooseJob(workflow, wanted) {
  const names = [...workflow.jobs.keys()];
  if (wanted === undefined && names.length > 1) {
    throw new UsageError(`the workflow has several jobs: choose one with --job (${names.join(", ")})`);
  }
  const job = workflow.jobs.get(wanted ?? names[0]);
  if (!job) throw new UsageError(`no job \`${wanted}\` in the workflow: it has ${names.join(", ")}`);
  return job;
}

/** All combinations of a matrix, in the order of GitHub. */
export function expandMatrix({ include = [], exclude = [], ...vectors }) {
  let combinations = Object.keys(vectors).length === 0 ? [] : [{}];
  for (const [key, list] of Object.entries(vectors)) {
    combinations = combinations.flatMap((combination) => list.map((value) => ({ ...combination, [key]: value })));
  }
  const matches = (combination, filter) => Object.entries(filter).every(([key, value]) => same(combination[key], value));
  combinations = combinations.filter((combination) => !exclude.some((filter) => matches(combination, filter)));
  const originals = combinations.map((combination) => ({ ...combination }));
  for (const extra of include) {
    let used = false;
    originals.forEach((original, index) => {
      if (Object.entries(extra).some(([key, value]) => key in original && !same(original[key], value))) return;
      Object.assign(combinations[index], extra);
      used = true;
    });
    if (!used) combinations.push({ ...extra });
  }
  return combinations;
}

function chooseCombination(strategy, scope, wanted) {
  const token = strategy?.find("matrix");
  if (!token) return null;
  const combinations = expandMatrix(evaluateValue(token, scope));
  const wishes = Object.entries(wanted);
  const found = combinations.find((combination) => wishes.every(([key, value]) => String(combination[key]) === value));
  if (found) return found;
  throw new UsageError(`no combination of the matrix has ${JSON.stringify(wanted)}: it has ${JSON.stringify(combinations)}`);
}

function same(a, b) {
  return JSON.stringify(a) === JSON.stringify(b);
}

function grantsIdToken(permissions) {
  if (!permissions) return false;
  if (isString(permissions)) return permissions.value === "write-all";
  return isMapping(permissions) && permissions.find("id-token")?.toString() === "write";
}

/** The port is closed unless the test says where its own token service listens. */
function idToken(options) {
  return { url: options.idTokenUrl ?? "http://127.0.0.1:9/token?api-version=2.0", token: options.idToken ?? "host-runner-id-token" };
}

/** The nearest folder upward that is a repository; the folder itself if none is. */
function findRepository(start) {
  for (let folder = start; ; folder = path.dirname(folder)) {
    if (existsSync(path.join(folder, ".git")) || existsSync(path.join(folder, ".github"))) return folder;
    if (path.dirname(folder) === folder) return start;
  }
}
