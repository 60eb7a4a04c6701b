// Runs one step, `run:` or `uses:`, or the post of one: inputs and defaults, environment, handler, file commands.
// Follows src/Runner.Worker/ActionRunner.cs.

import { runComposite } from "./composite.mjs";
import { evaluateString, evaluateStrings } from "./expressions.mjs";
import { CommandFiles } from "./files.mjs";
import { runNode } from "./node.mjs";
import { registerPost } from "./post.mjs";
import { printEnvironment, runScript } from "./script.mjs";
import { guardLocalNesting, prepareUses, resolveUses } from "./uses.mjs";

/** `place` is `{root, nesting}`: the repository in which the step stands and how deep composites are nested. */
export async function runAction(execution, step, place) {
  const scope = execution.expressionScope;
  const github = execution.values.github;
  const resolved = step.post?.resolved ?? (step.run ? undefined : resolveUses(step, place.root, execution.job));
  if (resolved?.skip) {
    execution.output(`Skipped by the stand-in table: ${step.uses}`);
    return;
  }
  const isLocal = !step.post && !step.directory && /^\.[/\\]/.test(step.uses ?? "");
  if (isLocal) prepareUses(resolved.action.steps, resolved.root, execution.job);
  guardLocalNesting(place.nesting);

  github.action_repository = resolved?.repository ?? "";
  github.action_ref = resolved?.ref ?? "";
  const files = new CommandFiles(execution);

  if (step.run) {
    const inputs = { script: evaluateString(step.run, scope), shell: evaluateString(step.shell, scope) };
    if (step.workingDirectory) inputs.workingDirectory = evaluateString(step.workingDirectory, scope);
    await processingFiles(files, execution, () => runScript(execution, inputs, stepEnvironment(execution)));
    return;
  }

  if (step.post) execution.post = step.post;
  else registerPost(execution, step, resolved, place);
  const given = step.withValues ?? evaluateStrings(step.with, scope);
  const inputs = mergeInputs(execution, resolved.action, given, scope);
  const environment = stepEnvironment(execution);
  printUses(execution, step.uses ?? `$/${step.directory}`, inputs, environment);
  const inner = { root: resolved.root, nesting: place.nesting + 1 };
  const { action } = resolved;
  await processingFiles(files, execution, () =>
    action.using === "composite"
      ? runComposite(execution, action, inputs, inner, runAction)
      : runNode(execution, action, step.post ? action.post : action.main, inputs, environment),
  );
}

async function processingFiles(files, execution, run) {
  try {
    await run();
  } finally {
    files.process(execution);
  }
}

/** Given values first, then defaults; an omitted input without a default is the empty string. */
function mergeInputs(execution, action, given, scope) {
  const declared = new Map(action.inputs.map((input) => [input.id.toLowerCase(), input]));
  const inputs = {};
  for (const [name, value] of Object.entries(given)) {
    const message = declared.get(name.toLowerCase())?.deprecationMessage;
    if (message) execution.warning(`Input '${name}' has been deprecated with message: ${message}`);
    inputs[name] = value;
  }
  const have = new Set(Object.keys(given).map((name) => name.toLowerCase()));
  for (const { id, default: token } of action.inputs) {
    if (!have.has(id.toLowerCase())) inputs[id] = evaluateString(token, scope);
  }
  const unexpected = Object.keys(given).filter((name) => !declared.has(name.toLowerCase()));
  if (unexpected.length > 0) {
    const valid = action.inputs.map((input) => input.id).join("', '");
    execution.warning(`Unexpected input(s) '${unexpected.join("', '")}', valid inputs are ['${valid}']`);
  }
  return inputs;
}

function stepEnvironment(execution) {
  const environment = { ...execution.values.env };
  for (const [name, value] of Object.entries(execution.state)) environment[`STATE_${name}`] = value;
  return environment;
}

function printUses(execution, uses, inputs, environment) {
  execution.output(`##[group]Run ${uses}`);
  const shown = Object.entries(inputs).filter(([, value]) => value !== "");
  if (shown.length > 0) execution.output("with:");
  for (const [name, value] of shown) execution.output(`  ${name}: ${value}`);
  printEnvironment(execution, environment);
  execution.output("##[endgroup]");
}
