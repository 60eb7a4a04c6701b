// Strict validation of action and workflow files, as the `validate` command prints it.
// The schema and the contexts come from @actions/workflow-parser; what only the runner enforces is in manifest.mjs.

import { readFileSync } from "node:fs";
import path from "node:path";
import { ManifestError, readAction, readWorkflow } from "./manifest.mjs";

/** The problems of one file, each as `file:line:col: message`. */
export async function validateFile(file) {
  try {
    if (kindOf(file) === "action") readAction(file);
    else await readWorkflow(file);
    return [];
  } catch (error) {
    if (error instanceof ManifestError) return error.message.split("\n");
    return [`${file}:1:1: ${error.message}`];
  }
}

/** By name, then by place, then by what the file holds at top level. */
function kindOf(file) {
  const name = path.basename(file);
  if (name === "action.yml" || name === "action.yaml") return "action";
  if (path.resolve(file).includes(`${path.sep}.github${path.sep}workflows${path.sep}`)) return "workflow";
  const text = readFileSync(file, "utf8");
  if (/^jobs\s*:/m.test(text)) return "workflow";
  if (/^runs\s*:/m.test(text)) return "action";
  throw new Error("neither an action (`runs:`) nor a workflow (`jobs:`)");
}
