// A `run:` step: the shell line, the script file, the environment, the exit code.
// Follows src/Runner.Worker/Handlers/ScriptHandler.cs, ScriptHandlerHelpers.cs and src/Runner.Sdk/Util/WhichUtil.cs.

import { randomUUID } from "node:crypto";
import { accessSync, constants, existsSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { CommandProcessor } from "./commands.mjs";
import { contextEnvironment } from "./contexts.mjs";
import { runProcess, splitArguments } from "./process.mjs";

const ARGUMENTS = {
  bash: "--noprofile --norc -e -o pipefail {0}",
  sh: "-e {0}",
  python: "{0}",
  pwsh: "-command \". '{0}'\"",
  powershell: "-command \". '{0}'\"",
};
const EXTENSIONS = { bash: ".sh", sh: ".sh", python: ".py", pwsh: ".ps1", powershell: ".ps1" };

/** `inputs` holds `script`, and `shell` and `workingDirectory` where the step has them, all evaluated. */
export async function runScript(execution, inputs, environment) {
  const { job } = execution;
  const defaults = execution.scope === "" ? job.defaultsRun : {}; // a composite ignores the defaults of the job
  const shell = inputs.shell || defaults.shell || "";
  const { command, file, format } = resolveShell(shell, job);

  printDetails(execution, inputs.script, file, format, environment);

  const workspace = execution.values.github.workspace;
  const cwd = path.resolve(workspace, inputs.workingDirectory ?? defaults["working-directory"] ?? "");
  if (!format.includes("{0}")) {
    throw new Error(
      "Invalid shell option. Shell must be a valid built-in (bash, sh, cmd, powershell, pwsh) or a format string containing '{0}'",
    );
  }
  const script = path.join(job.temp, `${randomUUID()}${EXTENSIONS[command.toLowerCase()] ?? ""}`);
  writeFileSync(script, fixUp(command, inputs.script));

  const commands = new CommandProcessor(execution);
  execution.exitCode = await runProcess({
    file,
    args: splitArguments(formatArguments(format, script.replaceAll('"', '\\"'))),
    cwd,
    env: childEnvironment(execution, environment),
    signal: execution.controller.signal,
    onLine(line) {
      commands.line(line);
      job.sawLine(line);
    },
  });
  if (execution.exitCode !== 0) {
    execution.error(`Process completed with exit code ${execution.exitCode}.`);
    execution.result = "failure";
  }
}

function resolveShell(shell, job) {
  if (shell === "") {
    const file = which("bash", job) ?? which("sh", job);
    if (!file) throw new Error("sh: command not found");
    return { command: "sh", file, format: ARGUMENTS.sh };
  }
  const space = shell.indexOf(" ");
  const command = space < 0 ? shell : shell.slice(0, space);
  const format = space < 0 ? "" : shell.slice(space + 1).trimStart();
  const file = which(command, job);
  if (!file) throw new Error(`${command}: command not found`);
  return { command, file, format: format || ARGUMENTS[command.toLowerCase()] || "" };
}

/** Looks in what earlier steps put on PATH, then in PATH of the runner itself; an `env:` PATH does not count. */
function which(command, job) {
  if (path.isAbsolute(command) && existsSync(command)) return command;
  for (const folder of [...job.path, ...(job.hostEnvironment.PATH ?? "").split(":")]) {
    const file = path.join(folder, command);
    if (folder && isExecutable(file)) return file;
  }
  return undefined;
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/** string.Format with the script as its one argument. */
function formatArguments(format, script) {
  return format.replace(/\{\{|\}\}|\{0\}|[{}]/g, (match) => {
    if (match === "{0}") return script;
    if (match === "{{") return "{";
    if (match === "}}") return "}";
    throw new Error("Input string was not in a correct format.");
  });
}

function fixUp(command, script) {
  if (command !== "pwsh" && command !== "powershell") return script;
  return `$ErrorActionPreference = 'stop'\n${script}\nif ((Test-Path -LiteralPath variable:\\LASTEXITCODE)) { exit $LASTEXITCODE }`;
}

/** The environment of the runner, then the step's, then PATH, then the contexts: the later wins. */
export function childEnvironment(execution, environment) {
  const { job } = execution;
  const result = { ...job.hostEnvironment, RUNNER_TRACKING_ID: job.trackingId, ...environment };
  if (job.path.length > 0) {
    const original = environment.PATH ?? job.hostEnvironment.PATH ?? "";
    result.PATH = [...job.path, original].filter((part) => part !== "").join(":");
  }
  Object.assign(result, contextEnvironment(execution.values));
  if (job.idToken) {
    result.ACTIONS_ID_TOKEN_REQUEST_URL = job.idToken.url;
    result.ACTIONS_ID_TOKEN_REQUEST_TOKEN = job.idToken.token;
  }
  result.GITHUB_ACTIONS = "true";
  result.CI ??= "true";
  return result;
}

function printDetails(execution, script, file, format, environment) {
  const trimmed = script.replace(/^[ \t\r\n]+/, "");
  execution.output(`##[group]Run ${trimmed.split(/[\r\n]/, 1)[0]}`);
  for (const line of script.replaceAll("\r\n", "\n").replace(/\n+$/, "").split("\n")) {
    execution.output(`\u001b[36;1m${line}\u001b[0m`);
  }
  execution.output(`shell: ${file} ${format}`);
  printEnvironment(execution, environment);
  execution.output("##[endgroup]");
}

export function printEnvironment(execution, environment) {
  if (Object.keys(environment).length === 0) return;
  execution.output("env:");
  for (const [name, value] of Object.entries(environment)) execution.output(`  ${name}: ${value}`);
}
