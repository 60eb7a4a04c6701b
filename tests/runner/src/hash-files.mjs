// `hashFiles()`: SHA-256 over the binary SHA-256 of every matching file below the workspace.
// Follows src/Misc/expressionFunc/hashFiles/src/hashFiles.ts and src/Runner.Worker/Expressions/HashFilesFunction.cs:
// a child process, since the walk is asynchronous and an expression is not.

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const SELF = fileURLToPath(import.meta.url);

export function hashFiles(workspace, parameters) {
  let followSymbolicLinks = false;
  const patterns = [...parameters];
  if (patterns[0].startsWith("--")) {
    const option = patterns.shift();
    if (option.toLowerCase() !== "--follow-symbolic-links") {
      throw new Error(`Invalid glob option ${option}, avaliable option: '--follow-symbolic-links'.`);
    }
    followSymbolicLinks = true;
  }
  try {
    return execFileSync(process.execPath, [SELF], {
      cwd: workspace,
      env: { PATTERNS: patterns.join("\n"), FOLLOW: String(followSymbolicLinks), HOME: process.env.HOME ?? "/" },
      encoding: "utf8",
      timeout: 120_000,
      stdio: ["ignore", "pipe", "pipe"],
    }).trim();
  } catch (cause) {
    throw new Error(`hashFiles('${patterns.join(", ")}') failed. Fail to hash files under directory '${workspace}'`, { cause });
  }
}

/** The digest of what the patterns match below the current folder, and how many files that are. */
async function digest(glob, patterns, followSymbolicLinks) {
  const workspace = process.cwd();
  const globber = await glob.create(patterns, { followSymbolicLinks });
  const total = createHash("sha256");
  let count = 0;
  for await (const file of globber.globGenerator()) {
    if (!file.startsWith(workspace + path.sep) || statSync(file).isDirectory()) continue;
    total.update(createHash("sha256").update(readFileSync(file)).digest());
    count += 1;
  }
  return count === 0 ? "" : total.digest("hex");
}

/** Answers one case a line, `{workspace, home, patterns, follow}`, with `{digest}` or `{error}`. */
async function answer(glob, write) {
  for await (const line of createInterface({ input: process.stdin })) {
    const { workspace, home, patterns, follow } = JSON.parse(line);
    process.chdir(workspace);
    process.env.HOME = home;
    const said = await digest(glob, patterns, follow).then(
      (digest) => ({ digest }),
      (error) => ({ error: String(error.message).toWellFormed() }),
    );
    write(`${JSON.stringify(said)}\n`);
  }
}

if (process.argv[1] === SELF) {
  // The glob library prints `::debug::` lines.
  const write = process.stdout.write.bind(process.stdout);
  process.stdout.write = () => true;
  const glob = await import("@actions/glob");
  if (process.argv[2] === "--cases") {
    await answer(glob, write);
  } else {
    write(await digest(glob, process.env.PATTERNS, process.env.FOLLOW === "true"));
  }
}
