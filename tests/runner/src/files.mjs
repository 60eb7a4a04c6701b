// File commands: GITHUB_OUTPUT, GITHUB_ENV, GITHUB_PATH, GITHUB_STATE and GITHUB_STEP_SUMMARY.
// Follows src/Runner.Worker/FileCommandManager.cs.

import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";

export const SUMMARY_LIMIT = 1024 * 1024;

// In the order in which the runner reads them after a step.
const COMMANDS = [
  { name: "path", prefix: "add_path_", read: readPath },
  { name: "env", prefix: "set_env_", read: readEnv },
  { name: "step_summary", prefix: "step_summary_", read: readSummary },
  { name: "state", prefix: "save_state_", read: readState },
  { name: "output", prefix: "set_output_", read: readOutput },
];

export class CommandFiles {
  #files;

  /** Makes the fresh empty files of one step and puts their paths into its `github` context. */
  constructor(execution) {
    const folder = path.join(execution.job.temp, "_runner_file_commands");
    mkdirSync(folder, { recursive: true });
    const suffix = randomUUID();
    this.#files = COMMANDS.map((command) => ({ ...command, file: path.join(folder, command.prefix + suffix) }));
    for (const { name, file } of this.#files) {
      writeFileSync(file, "");
      execution.values.github[name] = file;
    }
  }

  /** Reads what the step wrote; a bad file fails the step, the other files still count. */
  process(execution) {
    for (const { name, file, read } of this.#files) {
      try {
        if (existsSync(file)) read(execution, file);
      } catch (error) {
        execution.error(`Unable to process file command '${name}' successfully.`);
        execution.error(error.message);
        execution.commandResult = "failure";
      }
      rmSync(file, { force: true, recursive: true });
    }
  }
}

/** The pairs of an OUTPUT, ENV or STATE file. The pairs before a broken line are given before it throws. */
export function* parsePairs(text) {
  const reader = new LineReader(text);
  for (let line = reader.next(); line !== undefined; line = reader.next()) {
    if (line === "") continue;
    const equals = line.indexOf("=");
    const heredoc = line.indexOf("<<");
    if (equals >= 0 && (heredoc < 0 || equals < heredoc)) {
      yield [line.slice(0, equals), line.slice(equals + 1)];
    } else if (heredoc >= 0) {
      const name = line.slice(0, heredoc);
      const delimiter = line.slice(heredoc + 2);
      if (name === "" || delimiter === "") {
        throw new Error(`Invalid format '${line}'. Name must not be empty and delimiter must not be empty`);
      }
      yield [name, readHeredoc(reader, text, delimiter)];
    } else {
      throw new Error(`Invalid format '${line}'`);
    }
  }
}

function readHeredoc(reader, text, delimiter) {
  const start = reader.index;
  let end = start;
  for (let line = reader.next(); line !== delimiter; line = reader.next()) {
    if (line === undefined) throw new Error(`Invalid value. Matching delimiter not found '${delimiter}'`);
    if (!reader.hadNewline) throw new Error("Invalid value. EOF marker missing new line.");
    end = reader.index - 1;
  }
  return end > start ? text.slice(start, end) : "";
}

/** Lines end at LF only: a CR stays part of the value. */
class LineReader {
  constructor(text) {
    this.text = text;
    this.index = 0;
    this.hadNewline = false;
  }

  next() {
    if (this.index >= this.text.length) {
      this.hadNewline = false;
      return undefined;
    }
    const start = this.index;
    const end = this.text.indexOf("\n", start);
    this.hadNewline = end >= 0;
    this.index = end < 0 ? this.text.length : end + 1;
    return this.text.slice(start, end < 0 ? undefined : end);
  }
}

function readText(file) {
  return readFileSync(file, "utf8").replace(/^\uFEFF/, "");
}

function readPath(execution, file) {
  for (const line of readText(file).split(/\r\n|\n|\r/)) {
    if (line !== "") execution.job.prependPath(line);
  }
}

function readEnv(execution, file) {
  for (const [name, value] of parsePairs(readText(file))) {
    if (name.toUpperCase() === "NODE_OPTIONS") {
      execution.error("Can't store NODE_OPTIONS output parameter using '$GITHUB_ENV' command.");
    } else {
      execution.setEnv(name, value);
    }
  }
}

function readState(execution, file) {
  for (const [name, value] of parsePairs(readText(file))) execution.state[name] = value;
}

function readOutput(execution, file) {
  for (const [name, value] of parsePairs(readText(file))) execution.setOutput(name, value);
}

function readSummary(execution, file) {
  const size = statSync(file).size;
  if (size === 0) return;
  if (size > SUMMARY_LIMIT) {
    execution.error(
      `$GITHUB_STEP_SUMMARY upload aborted, supports content up to a size of ${SUMMARY_LIMIT / 1024}k, got ${Math.floor(size / 1024)}k. For more information see: https://docs.github.com/actions/using-workflows/workflow-commands-for-github-actions#adding-a-markdown-summary`,
    );
    return;
  }
  const lines = readText(file).split(/\r\n|\n|\r/);
  if (lines.at(-1) === "") lines.pop();
  execution.addSummary(lines.map((line) => `${execution.job.masker.mask(line)}\n`).join(""));
}
