// Starts the entry process of a step, reads both of its outputs by line, and cancels it.
// Follows src/Runner.Sdk/ProcessInvoker.cs: SIGINT to the entry process only, 7.5 s later SIGTERM, 2.5 s later SIGKILL.
// On Linux and macOS that last kill, too, is of the entry process alone (NixKillProcessTree): what it leaves behind is
// ended at the end of the job, see orphans.mjs.

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import os from "node:os";
import { StringDecoder } from "node:string_decoder";

export const INTERRUPT_GRACE_MS = 7500;
export const TERMINATE_GRACE_MS = 2500;
/** How long an output that outlives the entry process (held by a background process) is still read. */
export const OUTPUT_GRACE_MS = 5000;

/** Thrown when the step was cancelled or timed out. */
export class CancelledError extends Error {
  constructor() {
    super("The operation was canceled.");
  }
}

/**
 * Runs a program to its end and gives its exit code (128 + n when signal n ended it).
 * `onLine` gets each line of both outputs; an error that it throws ends the call and leaves the program running.
 */
export function runProcess({ file, args, cwd, env, onLine, signal }) {
  if (!existsSync(cwd)) {
    throw startError(file, cwd, "No such file or directory");
  }
  return new Promise((resolve, reject) => {
    const child = start(file, args, cwd, env);
    let exitCode;
    let openOutputs = 2;
    let finished = false;
    const timers = [];

    child.stdin.on("error", () => {});
    child.stdin.end();

    const finish = (settle) => {
      if (finished) return;
      finished = true;
      timers.forEach(clearTimeout);
      signal.removeEventListener("abort", cancel);
      for (const stream of [child.stdout, child.stderr]) {
        stream.removeAllListeners("data");
        stream.resume(); // a background process can go on writing, nobody listens
        stream.unref?.();
      }
      child.unref();
      settle();
    };
    const exited = () => finish(() => (signal.aborted ? reject(new CancelledError()) : resolve(exitCode)));

    const cancel = () => {
      child.kill("SIGINT");
      timers.push(
        setTimeout(() => {
          child.kill("SIGTERM");
          timers.push(setTimeout(() => child.kill("SIGKILL"), TERMINATE_GRACE_MS));
        }, INTERRUPT_GRACE_MS),
      );
    };

    for (const stream of [child.stdout, child.stderr]) {
      const lines = new LineSplitter((line) => {
        if (finished) return;
        try {
          onLine(line);
        } catch (error) {
          finish(() => reject(error));
        }
      });
      stream.on("data", (bytes) => lines.write(bytes));
      stream.on("error", () => {});
      stream.on("close", () => {
        lines.end();
        openOutputs -= 1;
        if (openOutputs === 0 && exitCode !== undefined) exited();
      });
    }
    child.on("error", (error) => finish(() => reject(startError(file, cwd, error.message))));
    child.on("exit", (code, signalName) => {
      if (finished) return;
      exitCode = code ?? 128 + os.constants.signals[signalName];
      if (openOutputs === 0) exited();
      else timers.push(setTimeout(exited, OUTPUT_GRACE_MS));
    });

    signal.addEventListener("abort", cancel);
    if (signal.aborted) cancel();
  });
}

function start(file, args, cwd, env) {
  try {
    return spawn(file, args, { cwd, env, stdio: ["pipe", "pipe", "pipe"] });
  } catch (error) {
    throw startError(file, cwd, error.code === "E2BIG" ? "Argument list too long" : error.message);
  }
}

function startError(file, cwd, reason) {
  return new Error(`An error occurred trying to start process '${file}' with working directory '${cwd}'. ${reason}`);
}

/** Lines as StreamReader.ReadLine sees them: CR, LF and CRLF all end one. */
export class LineSplitter {
  #decoder = new StringDecoder("utf8");
  #rest = "";
  #onLine;

  constructor(onLine) {
    this.#onLine = onLine;
  }

  write(bytes) {
    const text = this.#rest + this.#decoder.write(bytes);
    const lines = text.split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop(); // may end in a CR whose LF is still to come
    lines.forEach(this.#onLine);
  }

  end() {
    const text = this.#rest + this.#decoder.end();
    this.#rest = "";
    if (text !== "") this.#onLine(text.replace(/\r$/, ""));
  }
}

/** Splits a command line as .NET does: blanks separate, double quotes hold together, a backslash only escapes quotes. */
export function splitArguments(text) {
  const result = [];
  let current;
  let quoted = false;
  for (let index = 0; index < text.length; index += 1) {
    let backslashes = 0;
    while (text[index] === "\\") {
      backslashes += 1;
      index += 1;
    }
    const character = text[index];
    if (backslashes > 0) {
      const beforeQuote = character === '"';
      current = (current ?? "") + "\\".repeat(beforeQuote ? Math.floor(backslashes / 2) : backslashes);
      if (beforeQuote && backslashes % 2 === 1) {
        current += '"';
        continue;
      }
    }
    if (character === undefined) break;
    if (character === '"') {
      current ??= "";
      if (quoted && text[index + 1] === '"') {
        current += '"';
        index += 1;
      } else {
        quoted = !quoted;
      }
    } else if ((character === " " || character === "\t") && !quoted) {
      if (current !== undefined) result.push(current);
      current = undefined;
    } else {
      current = (current ?? "") + character;
    }
  }
  if (current !== undefined) result.push(current);
  return result;
}
