// Reads action.yml and workflow files through GitHub's own parser, strictly, and picks from the validated tokens what a
// run needs. (The package's own conversion drops `shell`, `with` and `working-directory` of composite steps.)
// Follows src/Runner.Worker/ActionManifestManager.cs and src/Sdk/DTPipelines/.../PipelineTemplateConverter.cs.

import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import {
  IdBuilder,
  NoOperationTraceWriter,
  convertActionTemplate,
  convertToIfCondition,
  convertWorkflowTemplate,
  isMapping,
  isSequence,
  isString,
  parseAction,
  parseWorkflow,
  withScalarValues,
} from "./packages.mjs";

export const MANIFESTS = ["action.yml", "action.yaml"];
export const ON_SUCCESS = { expression: "success()" };

/** Thrown with every problem of a file, each `{line, column, message}`. */
export class ManifestError extends Error {
  constructor(file, problems) {
    super(problems.map(({ line, column, message }) => `${file}:${line}:${column}: ${message}`).join("\n"));
    this.problems = problems;
  }
}

/** The action.yml (or action.yaml) of a folder, or an error that names the folder. */
export function findManifest(directory) {
  const file = MANIFESTS.map((name) => path.join(directory, name)).find(existsSync);
  if (!file) {
    throw new Error(
      `Can't find 'action.yml', 'action.yaml' or 'Dockerfile' under '${directory}'. Did you forget to run actions/checkout before running your local action?`,
    );
  }
  return file;
}

/** Reads twice: once for problems with their true positions, once for the values. */
export function readAction(file) {
  const source = { name: file, content: readFileSync(file, "utf8") };
  throwProblems(file, convertAction(parseAction(source, new NoOperationTraceWriter())).context);
  const { template, runs, steps } = convertAction(withScalarValues(() => parseAction(source, new NoOperationTraceWriter())));
  return {
    directory: path.dirname(file),
    using: runs.find("using").toString(),
    pre: runs.find("pre")?.toString(),
    main: runs.find("main")?.toString(),
    post: runs.find("post")?.toString(),
    postIf: condition(runs.find("post-if")),
    inputs: template.inputs ?? [], // {id, default, deprecationMessage}
    outputs: template.outputs ?? [], // {id, value}
    steps,
  };
}

/** `post-if` is an expression as it stands: no `success() &&` is put before it. */
function condition(token) {
  return token && { expression: token.toString().replace(/^\s*\$\{\{|\}\}\s*$/g, "") };
}

function convertAction({ value, context }) {
  const template = value && convertActionTemplate(context, value);
  const runs = value && isMapping(value) ? value.find("runs") : undefined;
  const steps = runs && isMapping(runs) ? readSteps(runs.find("steps"), context) : [];
  return { template, runs, steps, context };
}

export async function readWorkflow(file) {
  const source = { name: file, content: readFileSync(file, "utf8") };
  throwProblems(file, (await convertWorkflow(parseWorkflow(source, new NoOperationTraceWriter()))).context);
  const { root, jobs } = await convertWorkflow(withScalarValues(() => parseWorkflow(source, new NoOperationTraceWriter())));
  return { name: root.find("name")?.toString() ?? "", root, jobs };
}

async function convertWorkflow({ value: root, context }) {
  const jobs = new Map();
  const template = root && (await convertWorkflowTemplate(context, root));
  if (!template?.jobs) return { root, jobs, context };
  for (const { key, value: token } of root.find("jobs")) {
    const converted = template.jobs.find((job) => job.id.value === key.toString());
    const steps = readSteps(token.find("steps"), context);
    // Ids that the author left out are generated for the whole job at once: `__run`, `__run_2`, `__owner_repo`.
    steps.forEach((step, index) => (step.contextName = converted?.steps?.[index]?.id ?? step.contextName));
    const needs = (converted?.needs ?? []).map(String);
    jobs.set(key.toString(), { id: key.toString(), token, steps, needs, if: converted?.if });
  }
  return { root, jobs, context };
}

function readSteps(sequence, context) {
  if (!sequence || !isSequence(sequence)) return [];
  const ids = new IdBuilder();
  return [...sequence].filter(isMapping).map((token) => {
    const id = token.find("id");
    if (id) {
      const problem = ids.tryAddKnownId(id.toString());
      if (problem) context.error(id, problem);
    }
    const uses = token.find("uses");
    if (uses && isString(uses)) checkUses(uses, context);
    const condition = token.find("if");
    return {
      id: id?.toString() ?? "",
      contextName: id?.toString() ?? "",
      name: token.find("name"),
      if: (condition && convertToIfCondition(context, condition)) ?? ON_SUCCESS,
      run: token.find("run"),
      shell: token.find("shell"),
      workingDirectory: token.find("working-directory"),
      uses: uses?.toString(),
      with: token.find("with"),
      env: token.find("env"),
      continueOnError: token.find("continue-on-error"),
      timeoutMinutes: token.find("timeout-minutes"),
    };
  });
}

/** PipelineTemplateConverter.ConvertToStep: the forms of a reference. */
function checkUses(token, context) {
  const uses = token.value;
  if (/^(docker:\/\/|\.\/|\.\\|\$\/)/.test(uses)) return;
  if (!/^[^/@]+\/[^/@]+(\/[^@]+)?@.+$/.test(uses)) {
    context.error(token, `Expected format {org}/{repo}[/path]@ref. Actual '${uses}'`);
  }
}

function throwProblems(file, context) {
  const errors = context.errors.getErrors();
  if (errors.length === 0) return;
  const problems = new Map();
  for (const { range, rawMessage: message } of errors) {
    const { line, column } = range?.start ?? { line: 1, column: 1 };
    problems.set(JSON.stringify([line, column, message]), { line, column, message }); // some are found twice
  }
  throw new ManifestError(file, [...problems.values()].sort((a, b) => a.line - b.line || a.column - b.column));
}
