// Runs one half of the cache step in the verified binary, and hands it the tokens of the runtime.
//
// The runner gives these tokens to actions of JavaScript alone. They go to the binary and to nobody else: the install
// script, whatever it calls, and the binary itself start with an environment that has none of them; the binary, which the
// script becomes, reads them from its standard input. Nothing is exported to other steps.
"use strict";

const { spawn } = require("node:child_process");
const path = require("node:path");

const RUNTIME = /^ACTIONS_(RUNTIME|RESULTS|CACHE|ID_TOKEN|ORCHESTRATION)_/;
// What the install script reads, by the input that names it.
const INSTALL = {
  "binary-path": "LOCKGATE_BINARY_PATH",
  "binary-sha256": "LOCKGATE_BINARY_SHA256",
  "download-base": "LOCKGATE_DOWNLOAD_BASE",
};

module.exports = function run(operation) {
  const environment = {};
  const runtime = {};
  for (const [name, value] of Object.entries(process.env)) {
    (RUNTIME.test(name) ? runtime : environment)[name] = value;
  }
  for (const [input, variable] of Object.entries(INSTALL)) {
    environment[variable] = process.env[`INPUT_${input.toUpperCase()}`] || environment[variable] || "";
  }
  environment.LOCKGATE_JOB_STATUS = process.env["INPUT_JOB-STATUS"] || "";
  environment.LOCKGATE_RUNTIME = "stdin";

  const actions = path.resolve(__dirname, "..", "..");
  const [program, ...script] =
    process.platform === "win32"
      ? ["pwsh", "-NoProfile", "-File", path.join(actions, "install.ps1")]
      : ["sh", path.join(actions, "install.sh")];
  const child = spawn(program, [...script, "cache", operation], {
    env: environment,
    stdio: ["pipe", "inherit", "inherit"],
  });
  child.stdin.on("error", () => {}); // it ended before it read: its exit code says why
  child.stdin.end(JSON.stringify(runtime));
  // The runner signals this process alone, and gives it some seconds to end.
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => {
    console.log(`::error title=lockgate::cannot run ${program}: ${error.code}`);
    process.exitCode = 3;
  });
  child.on("close", (code, signal) => {
    if (code !== null) process.exitCode = code;
    else if (signal) process.exitCode = 1;
  });
};
