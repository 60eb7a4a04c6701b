// `hashFiles()`: SHA-256 over the binary SHA-256 of every matching file below the workspace.
// Follows src/Misc/expressionFunc/hashFiles/src/hashFiles.ts and src/Runner.Worker/Expressions/HashFilesFunction.cs:
// a child process, since the walk is asynchronous and an expression is not.

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import path from "node:path";
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

async function child() {
  const glob = await import("@actions/glob");
  const workspace = process.cwd();
  const globber = await glob.create(process.env.PATTERNS, { followSymbolicLinks: process.env.FOLLOW === "true" });
  const total = createHash("sha256");
  let count = 0;
  for await (const file of globber.globGenerator()) {
    if (!file.startsWith(workspace + path.sep) || statSync(file).isDirectory()) continue;
    total.update(createHash("sha256").update(readFileSync(file)).digest());
    count += 1;
  }
  // The glob library prints `::debug::` lines; the digest is the last line.
  return count === 0 ? "" : total.digest("hex");
}

if (process.argv[1] === SELF) {
  const lines = [];
  const write = process.stdout.write;
  process.stdout.write = (text) => lines.push(text) > 0;
  const digest = await child();
  process.stdout.write = write;
  process.stdout.write(digest);
}
