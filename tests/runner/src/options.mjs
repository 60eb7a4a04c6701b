// The command line of main.mjs.

import { readFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { UsageError } from "./plan.mjs";

export const USAGE = `usage: node tests/runner/main.mjs action DIR --workspace DIR [options] --result OUT.json
       node tests/runner/main.mjs job WORKFLOW.yml [--job NAME] [--matrix K=V]... --workspace DIR [options] --result OUT.json
       node tests/runner/main.mjs validate FILE...

  --input K=V            an input of the action, or of workflow_dispatch
  --env K=V              a variable of the job, as its \`env:\` would set
  --pass-env NAME        a variable of this host that the steps may see
  --github K=V           a value of the github context (sha, ref, base_ref, token, ...)
  --secret K=V, --var K=V
  --event-name NAME      default push
  --event FILE.json      the event's payload
  --repo-root DIR        what \`$/\` stands for; default the repository of the action or workflow file
  --stand-ins FILE.json  {"owner/repo[/path][@ref]": "local directory" or "skip"}; owner/repo stands for its paths too
  --needs FILE.json      the needs context; default success without outputs
  --permission K=V       for \`action\`: id-token=write
  --id-token-url URL, --id-token TOKEN
  --runtime K=V          a variable that node actions alone get (ACTIONS_RUNTIME_TOKEN, ACTIONS_RESULTS_URL, ...)
  --cancel-when REGEX    cancel the job when a step prints a matching line
  --cancel-after-ms N
  --minute-ms N          the length of a minute of timeout-minutes
  --temp DIR             keep the runner's folders there; default a folder that is removed
  --tool-cache DIR
  --debug                step debug logging
  --quiet                do not print the log

exit codes: 0 success, 1 failure, 130 cancelled, 2 usage`;

const LIST = { type: "string", multiple: true };
const ONE = { type: "string" };
const FLAG = { type: "boolean" };

export function parseOptions(args) {
  let parsed;
  try {
    parsed = parseArgs({
      args,
      allowPositionals: true,
      options: {
        workspace: ONE, "repo-root": ONE, "event-name": ONE, event: ONE, input: LIST, env: LIST, "pass-env": LIST,
        github: LIST, secret: LIST, var: LIST, "stand-ins": ONE, needs: ONE, matrix: LIST, job: ONE, permission: LIST, runtime: LIST,
        "id-token-url": ONE, "id-token": ONE, "cancel-when": ONE, "cancel-after-ms": ONE, "minute-ms": ONE, temp: ONE,
        "tool-cache": ONE, debug: FLAG, quiet: FLAG, result: ONE,
      },
    });
  } catch (error) {
    throw new UsageError(error.message);
  }
  const { values, positionals } = parsed;
  return {
    positionals,
    workspace: values.workspace,
    repoRoot: values["repo-root"],
    eventName: values["event-name"],
    event: values.event && readJson(values.event),
    inputs: pairs(values.input),
    env: pairs(values.env),
    passEnv: values["pass-env"],
    github: pairs(values.github),
    secrets: pairs(values.secret),
    vars: pairs(values.var),
    standIns: values["stand-ins"] && standIns(values["stand-ins"]),
    needs: values.needs && readJson(values.needs),
    matrix: pairs(values.matrix),
    job: values.job,
    permissions: values.permission,
    idTokenUrl: values["id-token-url"],
    idToken: values["id-token"],
    runtime: pairs(values.runtime),
    cancelWhen: values["cancel-when"] === undefined ? undefined : new RegExp(values["cancel-when"]),
    cancelAfterMs: number(values["cancel-after-ms"]),
    minuteMs: number(values["minute-ms"]),
    temp: values.temp && path.resolve(values.temp),
    toolCache: values["tool-cache"] && path.resolve(values["tool-cache"]),
    debug: values.debug,
    echo: values.quiet ? undefined : (line) => process.stdout.write(`${line}\n`),
    result: values.result,
  };
}

function pairs(list = []) {
  return Object.fromEntries(
    list.map((item) => {
      const equals = item.indexOf("=");
      if (equals <= 0) throw new UsageError(`expected K=V, found \`${item}\``);
      return [item.slice(0, equals), item.slice(equals + 1)];
    }),
  );
}

function number(text) {
  if (text === undefined) return undefined;
  if (!/^[0-9]+$/.test(text)) throw new UsageError(`expected a number, found \`${text}\``);
  return Number(text);
}

/** Directories are relative to the file that names them. */
function standIns(file) {
  const entries = Object.entries(readJson(file));
  const resolve = (to) => (to === "skip" ? to : path.resolve(path.dirname(file), to));
  return Object.fromEntries(entries.map(([uses, to]) => [uses, resolve(to)]));
}

function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new UsageError(`${file}: ${error.message}`);
  }
}
