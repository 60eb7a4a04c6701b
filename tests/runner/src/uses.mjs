// Where a `uses:` leads: `./path` in the workspace, `$/path` in the repository of the file that says it, anything else
// through the table of local stand-ins. Follows LoadAction, PrepareActionsRecursiveAsync and
// ResolveSelfRepositoryReferences in src/Runner.Worker/ActionManager.cs.

import path from "node:path";
import { findManifest, readAction } from "./manifest.mjs";
import { NODES } from "./node.mjs";

/** Composites below the steps of the workflow (Constants.CompositeActionsMaxDepth). */
export const MAX_DEPTH = 9;
/** `./` actions are loaded only when they run, so the runner never counts them; here a loop must end. */
const MAX_LOCAL_NESTING = 50;

/**
 * The action behind a step: `{action, root, repository, ref}`, or `{skip: true}` for a stand-in of "skip".
 * `root` is the repository in which the step stands. `repository` and `ref` are empty for `./` actions.
 */
export function resolveUses(step, root, job) {
  if (step.directory) return load(step.directory, root, job, true); // the action under test
  const uses = step.uses;
  if (/^\.[/\\]/.test(uses)) return load(path.join(job.values.github.workspace, uses), job.repositoryRoot, job, false);
  if (uses.startsWith("$/")) return load(path.join(root, uses.slice(2)), root, job, true);
  if (uses.startsWith("docker://")) throw new Error(`the host runner does not run containers: uses: ${uses}`);

  const [name, ref] = uses.split("@");
  const [owner, repository, ...inside] = name.split("/");
  const whole = job.standIns[`${owner}/${repository}`]; // a repository stands for all that is in it
  if (inside.length > 0 && whole && whole !== "skip") {
    return { ...load(path.join(whole, ...inside), whole, job, true), repository: `${owner}/${repository}`, ref };
  }
  const standIn = job.standIns[uses] ?? job.standIns[name];
  if (standIn === undefined) {
    throw new Error(`no stand-in for \`uses: ${uses}\`: name a local directory, or "skip", in the file given by --stand-ins`);
  }
  if (standIn === "skip") return { skip: true };
  return { ...load(standIn, standIn, job, true), repository: `${owner}/${repository}`, ref };
}

function load(directory, root, job, isRemote) {
  const action = readAction(findManifest(path.resolve(directory)));
  if (action.using !== "composite" && !NODES.includes(action.using)) {
    throw new Error(`the host runner runs composite and node actions only: ${action.directory} has \`using: ${action.using}\``);
  }
  if (action.pre) throw new Error(`the host runner runs no \`pre\`: ${action.directory}`);
  const { repository, sha } = job.values.github;
  return { action, root, repository: isRemote ? repository : "", ref: isRemote ? sha : "" };
}

/** Before any step runs: every reference that is not `./` must resolve, and composites must not nest too deep. */
export function prepareUses(steps, root, job, depth = 0) {
  if (depth > MAX_DEPTH) throw new Error(`Composite action depth exceeded max depth ${MAX_DEPTH}`);
  for (const step of steps) {
    if (!step.directory && (!step.uses || /^\.[/\\]/.test(step.uses))) continue;
    const resolved = resolveUses(step, root, job);
    if (!resolved.skip) prepareUses(resolved.action.steps, resolved.root, job, depth + 1);
  }
}

export function guardLocalNesting(nesting) {
  if (nesting > MAX_LOCAL_NESTING) throw new Error("a `./` action calls itself without end (the real runner would not stop here)");
}
