// A JavaScript action: inputs and the tokens of the runtime in its environment, and the exit code.
// Follows src/Runner.Worker/Handlers/NodeScriptActionHandler.cs.

import { existsSync } from "node:fs";
import path from "node:path";
import { CommandProcessor } from "./commands.mjs";
import { runProcess } from "./process.mjs";
import { childEnvironment } from "./script.mjs";

/** The `using:` that are run here, all by the node that runs this. */
export const NODES = ["node20", "node24"];

/** `script` is the path of the stage's file below the action's folder. */
export async function runNode(execution, action, script, inputs, environment) {
  const { job } = execution;
  const target = path.join(action.directory, script);
  if (!existsSync(target)) throw new Error(`File not found: '${target}'`);
  const env = { ...environment };
  for (const [name, value] of Object.entries(inputs)) env[`INPUT_${name.replaceAll(" ", "_").toUpperCase()}`] = value;
  const commands = new CommandProcessor(execution);
  execution.exitCode = await runProcess({
    file: process.execPath,
    args: [target],
    cwd: execution.values.github.workspace,
    env: { ...childEnvironment(execution, env), ...job.runtime },
    signal: execution.controller.signal,
    onLine(line) {
      commands.line(line);
      job.sawLine(line);
    },
  });
  if (execution.exitCode !== 0) execution.result = "failure";
}
