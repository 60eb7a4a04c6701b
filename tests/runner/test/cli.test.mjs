// The command line: exit codes, the result file, cancelling by signal.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { FIXTURES, RUNNER, cli, composite, readJson, sh, temporary, write } from "./support.mjs";

const PROJECT = path.join(FIXTURES, "project");

function action(steps, head) {
  return write(temporary(), { "action.yml": composite(steps, head) });
}

test("action: result file and exit code 0", () => {
  const workspace = temporary();
  const out = path.join(temporary(), "out.json");
  const event = path.join(write(temporary(), { "event.json": '{"number": 5}' }), "event.json");
  const { status, stdout } = cli([
    "action", path.join(PROJECT, "outer"), "--workspace", workspace, "--repo-root", PROJECT, "--stand-ins", path.join(PROJECT, "stand-ins.json"),
    "--input", "greeting=a=b", "--event-name", "pull_request", "--event", event, "--result", out,
  ]);
  assert.equal(status, 0, stdout);
  const result = readJson(out);
  assert.deepEqual(Object.keys(result), ["conclusion", "exitCode", "outputs", "env", "path", "state", "steps", "log", "annotations", "droppedAnnotations", "summaries", "masks", "orphans", "unsupported"]);
  assert.deepEqual(result.outputs, { chain: "a=b from outer!, middle" });
  assert.equal(result.log, stdout);
});

test("action: exit code 1 on failure, nothing printed with --quiet", () => {
  const { status, stdout } = cli(["action", action(sh("exit 9")), "--workspace", temporary(), "--quiet"]);
  assert.deepEqual([status, stdout], [1, ""]);
});

test("job: env, secrets, github values, matrix", () => {
  const workspace = write(temporary(), { "local/action.yml": composite(sh("true")), "sub/x": "" });
  const { status, stdout } = cli([
    "job", path.join(PROJECT, "workflow.yml"), "--job", "test", "--workspace", workspace, "--stand-ins", path.join(PROJECT, "stand-ins.json"),
    "--secret", "TOKEN=hunter2", "--matrix", "python=3.12", "--github", "sha=abc", "--env", "LEVEL=outside",
  ]);
  assert.equal(status, 0, stdout);
  assert.match(stdout, /python 3\.12 .* secret \*\*\* /);
});

test("cancelling by --cancel-when and by a signal to the runner gives 130", async () => {
  const steps = sh("echo ready; exec sleep 60");
  assert.equal(cli(["action", action(steps), "--workspace", temporary(), "--cancel-when", "^rea", "--quiet"]).status, 130);

  const child = spawn(process.execPath, [path.join(RUNNER, "main.mjs"), "action", action(steps), "--workspace", temporary()], { stdio: ["ignore", "pipe", "inherit"] });
  child.stdout.on("data", (text) => /^ready$/m.test(text) && child.kill("SIGTERM"));
  assert.equal(await new Promise((resolve) => child.on("exit", resolve)), 130);
});

test("--temp keeps what a step leaves in RUNNER_TEMP", () => {
  const temp = temporary();
  cli(["action", action(sh('echo x > "$RUNNER_TEMP/report.json"')), "--workspace", temporary(), "--temp", temp]);
  assert.ok(existsSync(path.join(temp, "_temp", "report.json")));
});

test("validate: one line a problem, exit code 1; nothing and 0 for good files", () => {
  const bad = path.join(action("- run: echo ${{ secrets.X }}\n"), "action.yml");
  const { status, stdout } = cli(["validate", bad, path.join(PROJECT, "workflow.yml")]);
  assert.equal(status, 1);
  assert.equal(stdout, `${bad}:6:7: Required property is missing: shell\n${bad}:6:17: Unrecognized named-value: 'secrets'\n`);
  assert.deepEqual(cli(["validate", path.join(PROJECT, "workflow.yml")]), { status: 0, stdout: "", stderr: "" });
});

test("an action file that is not valid is printed with its places, exit code 1", () => {
  const { status, stdout, stderr } = cli(["action", action("- run: x\n"), "--workspace", temporary()]);
  assert.equal(status, 1);
  assert.match(stdout + stderr, /action\.yml:6:7: Required property is missing: shell/);
});

for (const [title, args, message] of [
  ["no command", [], /no command/],
  ["an unknown command", ["fly"], /unknown command `fly`/],
  ["no workspace", ["action", "x"], /--workspace is missing/],
  ["an unknown option", ["action", "x", "--oops"], /--oops/],
  ["a pair without a value", ["action", "x", "--workspace", ".", "--input", "a"], /expected K=V, found `a`/],
  ["an event file that is not there", ["action", "x", "--workspace", ".", "--event", "gone.json"], /gone\.json/],
  ["an action that is not there", ["action", "x", "--workspace", "."], /no action\.yml or action\.yaml in x/],
  ["a workflow that is not there", ["job", "x.yml", "--workspace", "."], /no such file: x\.yml/],
  ["no file to validate", ["validate"], /at least one file/],
  ["a workspace that is not there", ["action", "x", "--workspace", "gone"], /--workspace: no such directory: gone/],
]) {
  test(`usage: ${title} gives 2`, () => {
    const { status, stderr } = cli(args);
    assert.equal(status, 2);
    assert.match(stderr, message);
  });
}
