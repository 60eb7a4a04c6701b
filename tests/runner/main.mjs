// A host runner for GitHub Actions, for development only: runs a composite action, or a job of a workflow, on this host
// as actions/runner does, and writes all that came of it as JSON. See README.md.

import { existsSync, writeFileSync } from "node:fs";
import { Job } from "./src/job.mjs";
import { ManifestError } from "./src/manifest.mjs";
import { USAGE, parseOptions } from "./src/options.mjs";
import { UsageError, planAction, planWorkflow } from "./src/plan.mjs";
import { validateFile } from "./src/validate.mjs";

async function main(args) {
  const [command, ...rest] = args;
  if (command === "validate") return validate(rest);
  const plan = { action: planAction, job: planWorkflow }[command];
  if (!plan) throw new UsageError(command ? `unknown command \`${command}\`` : "no command");
  const options = parseOptions(rest);
  if (options.positionals.length !== 1) throw new UsageError(`\`${command}\` takes one path`);
  if (!options.workspace) throw new UsageError("--workspace is missing");

  if (!existsSync(options.workspace)) throw new UsageError(`--workspace: no such directory: ${options.workspace}`);

  const job = new Job(await plan(options.positionals[0], options), options);
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => job.cancel());
  const result = await job.run();
  if (options.result) writeFileSync(options.result, `${JSON.stringify(result, null, 2)}\n`);
  return result.exitCode;
}

async function validate(files) {
  if (files.length === 0) throw new UsageError("`validate` takes at least one file");
  const problems = (await Promise.all(files.map(validateFile))).flat();
  for (const problem of problems) console.log(problem);
  return problems.length === 0 ? 0 : 1;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (error instanceof UsageError) console.error(`error: ${error.message}\n\n${USAGE}`);
  else if (error instanceof ManifestError) console.error(error.message);
  else console.error(`error: ${error.stack}`);
  process.exitCode = error instanceof ManifestError ? 1 : 2;
}
// An orphan of a step may still hold a pipe of ours: the result is written, so leave.
process.exit();
