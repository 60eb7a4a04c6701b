// Workflow commands in the output of a step: `::name k=v::data` and the legacy `##[name k=v]data`.
// Follows src/Runner.Common/ActionCommand.cs and src/Runner.Worker/ActionCommandManager.cs.

import { issueFromCommand } from "./annotations.mjs";

const DISABLED = (name) =>
  `The \`${name}\` command is disabled. Please upgrade to using Environment Files or opt into unsecure command execution by setting the \`ACTIONS_ALLOW_UNSECURE_COMMANDS\` environment variable to \`true\`. For more information see: https://github.blog/changelog/2020-10-01-github-actions-deprecating-set-env-and-add-path-commands/`;
const DEPRECATED = (name) =>
  `The \`${name}\` command is deprecated and will be disabled soon. Please upgrade to using Environment Files. For more information see: https://github.blog/changelog/2022-10-11-github-actions-deprecating-save-state-and-set-output-commands/`;
const BAD_STOP_TOKEN =
  "You cannot use a endToken that is an empty string, the string 'pause-logging', or another workflow command. For more information see: https://docs.github.com/actions/learn-github-actions/workflow-commands-for-github-actions#example-stopping-and-starting-workflow-commands or opt into insecure command execution by setting the `ACTIONS_ALLOW_UNSECURE_STOPCOMMAND_TOKENS` environment variable to `true`.";

/** `::name k=v,k2=v2::data`, at the start of a line after white space. */
export function parseV2(text, registered) {
  const message = text.replace(/^[\s\u0085]+/, "");
  if (!message.startsWith("::")) return undefined;
  const end = message.indexOf("::", 2);
  if (end < 0) return undefined;
  const [name, properties] = splitInfo(message.slice(2, end));
  if (!registered.has(name.toLowerCase())) return undefined;
  return {
    name,
    properties: parseProperties(properties.trim(), ",", unescapeProperty),
    data: unescapeData(message.slice(end + 2)),
  };
}

/** `##[name k=v;k2=v2]data`, anywhere in a line. Only the first `##[` of the line is looked at. */
export function parseV1(message, registered) {
  const prefix = message.indexOf("##[");
  if (prefix < 0) return undefined;
  const bracket = message.indexOf("]", prefix);
  if (bracket < 0) return undefined;
  const [name, properties] = splitInfo(message.slice(prefix + 3, bracket));
  if (!registered.has(name.toLowerCase())) return undefined;
  return { name, properties: parseProperties(properties, ";", unescapeV1), data: unescapeV1(message.slice(bracket + 1)) };
}

function splitInfo(info) {
  const space = info.indexOf(" ");
  return space < 0 ? [info, ""] : [info.slice(0, space), info.slice(space + 1)];
}

/** Keys ignore case (kept lower case here); a pair without a name or a value is left out. */
function parseProperties(text, separator, unescape) {
  const properties = new Map();
  for (const pair of text.split(separator)) {
    const [, name, value] = /^=*([^=]+)=+([^=].*)$/s.exec(pair) ?? [];
    if (name !== undefined) properties.set(name.toLowerCase(), unescape(value));
  }
  return properties;
}

// The order is the runner's: `%25` last.
const replaceAll = (pairs) => (text) => pairs.reduce((result, [from, to]) => result.replaceAll(from, to), text);
const unescapeData = replaceAll([["%0D", "\r"], ["%0A", "\n"], ["%25", "%"]]);
const unescapeProperty = replaceAll([["%0D", "\r"], ["%0A", "\n"], ["%3A", ":"], ["%2C", ","], ["%25", "%"]]);
const unescapeV1 = replaceAll([["%3B", ";"], ["%0D", "\r"], ["%0A", "\n"], ["%5D", "]"], ["%25", "%"]]);

/** One per step, shared by its standard output and standard error. */
export class CommandProcessor {
  #execution;
  #registered = new Set(["stop-commands", ...Object.keys(COMMANDS)]);
  #stopToken;

  constructor(execution) {
    this.#execution = execution;
  }

  /** Handles one line of output. */
  line(text) {
    const isCandidate = text.includes("##[") || text.includes("::");
    if (isCandidate && this.#tryProcess(text)) return;
    this.#execution.output(text.replace(/##\[(start|end)-action/g, "##[\\$1-action"));
  }

  #tryProcess(text) {
    const command = parseV2(text, this.#registered) ?? parseV1(text, this.#registered);
    if (!command) return false;
    const name = command.name.toLowerCase();
    const execution = this.#execution;

    if (this.#stopToken !== undefined) {
      if (name !== this.#stopToken.toLowerCase()) return false;
      execution.output(text);
      this.#registered.delete(name);
      this.#stopToken = undefined;
      return true;
    }

    if (name === "stop-commands") {
      this.#validateStopToken(command.data); // what it throws ends the step, it is not caught below
      this.#stopToken = command.data;
      this.#registered.add(command.data.toLowerCase());
      if (command.data.length > 6) execution.job.masker.add(command.data);
      execution.output(text);
      return true;
    }

    const { quiet, run } = COMMANDS[name];
    if (execution.echo && !quiet) execution.output(text);
    try {
      run(execution, command);
    } catch (error) {
      execution.error(`Unable to process command '${quiet ? name : text}' successfully.`);
      execution.error(error.message);
      execution.commandResult = "failure";
    }
    return true;
  }

  #validateStopToken(token) {
    const invalid = token === "" || token.toLowerCase() === "pause-logging" || this.#registered.has(token.toLowerCase());
    if (invalid && !isTrue(this.#execution.values.env.ACTIONS_ALLOW_UNSECURE_STOPCOMMAND_TOKENS)) throw new Error(BAD_STOP_TOKEN);
  }
}

const issue = (level) => ({
  quiet: true,
  run: (execution, { properties, data }) =>
    execution.addIssue(issueFromCommand(level, properties, data, execution.values.github.workspace)),
});

const unsupported = (name) => ({
  quiet: false,
  run: (execution, { data }) => execution.job.unsupported.push(`${name} ${data}`.trim()),
});

const COMMANDS = {
  error: issue("error"),
  warning: issue("warning"),
  notice: issue("notice"),
  debug: { quiet: true, run: (execution, { data }) => execution.debug(data) },
  group: { quiet: false, run: (execution, { data }) => execution.output(`##[group]${data}`) },
  endgroup: { quiet: false, run: (execution) => execution.output("##[endgroup]") },
  "add-mask": {
    quiet: true,
    run(execution, { data }) {
      if (data.trim() === "") execution.warning("Can't add secret mask for empty string in ##[add-mask] command.");
      else execution.job.masker.addLines(data);
    },
  },
  echo: {
    quiet: false,
    run(execution, { data }) {
      const value = required(data, "value").trim().toUpperCase();
      if (value !== "ON" && value !== "OFF") {
        throw new Error(`Invalid echo command value. Possible values can be: 'on', 'off'. Current value is: '${data}'.`);
      }
      execution.echo = value === "ON";
    },
  },
  "set-output": {
    quiet: false,
    run(execution, { properties, data }) {
      execution.warning(DEPRECATED("set-output"));
      execution.setOutput(property(properties, "name", "set-output"), data);
    },
  },
  "save-state": {
    quiet: false,
    run(execution, { properties, data }) {
      execution.warning(DEPRECATED("save-state"));
      execution.state[property(properties, "name", "save-state")] = data;
    },
  },
  "set-env": {
    quiet: false,
    run(execution, { properties, data }) {
      requireUnsecure(execution, "set-env");
      const name = property(properties, "name", "set-env");
      if (name.toUpperCase() === "NODE_OPTIONS") {
        execution.error("Can't update NODE_OPTIONS environment variable using ::set-env:: command.");
      } else {
        execution.setEnv(name, data);
      }
    },
  },
  "add-path": {
    quiet: false,
    run(execution, { data }) {
      requireUnsecure(execution, "add-path");
      execution.job.prependPath(required(data, "path"));
    },
  },
  // Problem matchers are out of scope: the result lists them under `unsupported`.
  "add-matcher": unsupported("add-matcher"),
  "remove-matcher": unsupported("remove-matcher"),
};

function requireUnsecure(execution, name) {
  if (!isTrue(execution.values.env.ACTIONS_ALLOW_UNSECURE_COMMANDS)) throw new Error(DISABLED(name));
}

function property(properties, name, command) {
  const value = properties.get(name);
  if (!value) throw new Error(`Required field '${name}' is missing in ##[${command}] command.`);
  return value;
}

function required(value, name) {
  if (!value) throw new Error(`Value cannot be null. (Parameter '${name}')`);
  return value;
}

function isTrue(value) {
  return typeof value === "string" && value.trim().toLowerCase() === "true";
}
