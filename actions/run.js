// Runs a step in the verified binary, and hands it the tokens of the runner.
//
// The runner gives these tokens to actions of JavaScript alone. They go to the binary and to nobody else: the install
// script, whatever it calls, and the binary itself start with an environment that has none of them; the binary, which the
// script becomes, reads them from its standard input. Nothing is exported to other steps.
"use strict";

const { spawn } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");

const RUNTIME = /^ACTIONS_(RUNTIME|RESULTS|CACHE|ID_TOKEN|ORCHESTRATION)_/;
// What the install script reads, by the input that names it.
const INSTALL = {
  "binary-path": "LOCKGATE_BINARY_PATH",
  "binary-sha256": "LOCKGATE_BINARY_SHA256",
  "download-base": "LOCKGATE_DOWNLOAD_BASE",
};
// Steps that run code of the project while this process waits for them.
const RUNS_CODE = ["pipeline"];

// Linux shows every process of the same user the environment that a process was started with, whatever becomes of its
// variables: the memory itself must be overwritten (proc_pid_stat(5), fields 50 and 51). Whether nothing is left.
function forgetEnvironment() {
  if (process.platform !== "linux") return false;
  try {
    const stat = fs.readFileSync("/proc/self/stat", "latin1");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" "); // from the third on
    const [start, end] = [Number(fields[47]), Number(fields[48])];
    const memory = fs.openSync("/proc/self/mem", "r+");
    fs.writeSync(memory, Buffer.alloc(end - start), 0, end - start, start);
    fs.closeSync(memory);
    return fs.readFileSync("/proc/self/environ").every((byte) => byte === 0);
  } catch {
    return false;
  }
}

module.exports = function run(step, ...operation) {
  const environment = {};
  const runtime = {};
  for (const [name, value] of Object.entries(process.env)) {
    (RUNTIME.test(name) ? runtime : environment)[name] = value;
  }
  // dash, the `sh` of Debian and Ubuntu, drops variables with a hyphen in their name: the binary takes both spellings.
  for (const name of Object.keys(environment).filter((name) => /^INPUT_.*-/.test(name))) {
    const value = environment[name];
    delete environment[name];
    if (value) environment[name.replaceAll("-", "_")] = value;
  }
  for (const [input, variable] of Object.entries(INSTALL)) {
    environment[variable] = process.env[`INPUT_${input.toUpperCase()}`] || environment[variable] || "";
  }
  environment.LOCKGATE_JOB_STATUS = process.env["INPUT_JOB-STATUS"] || "";
  environment.LOCKGATE_RUNTIME = "stdin";
  const isForgotten = forgetEnvironment();
  const handedOver = isForgotten || !RUNS_CODE.includes(step) ? runtime : {};

  const actions = __dirname;
  const [program, ...script] =
    process.platform === "win32"
      ? ["pwsh", "-NoProfile", "-File", path.join(actions, "install.ps1")]
      : ["sh", path.join(actions, "install.sh")];
  const child = spawn(program, [...script, step, ...operation], {
    env: environment,
    stdio: ["pipe", "inherit", "inherit"],
  });
  child.stdin.on("error", () => {}); // it ended before it read: its exit code says why
  child.stdin.end(JSON.stringify(handedOver));
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
