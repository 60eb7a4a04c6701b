// Cancellation: which process gets which signal and when, what still runs, what is left behind.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { composite, printed, runAction, runWorkflow, sh, temporary, write } from "./support.mjs";

function isAlive(pid) {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8")); // a zombie waits for its parent only
  } catch {
    return false;
  }
}

test("SIGINT goes to the entry process alone; `exec` lets a program have it", async () => {
  const program = `exec python3 -c "
import os, signal, time
def stop(number, frame):
    os.write(1, b'got %d\\n' % number)
    os._exit(3)
signal.signal(signal.SIGINT, stop)
os.write(1, b'ready\\n')
time.sleep(60)
"`;
  const started = Date.now();
  const result = await runAction({ steps: sh(program, "id: a") + sh("echo no", "id: b") + sh("echo cleanup", "id: c\nif: always()") + sh("echo asked", "id: d\nif: cancelled()") + sh("echo no", "id: e\nif: failure()"), cancelWhen: /^ready$/ });
  assert.ok(Date.now() - started < 30_000);
  assert.deepEqual([result.conclusion, result.exitCode], ["cancelled", 130]);
  assert.deepEqual(result.steps.map(({ id, outcome }) => `${id} ${outcome}`), [
    "action.a cancelled",
    "action.b skipped",
    "action.c success",
    "action.d success",
    "action.e skipped",
    "action cancelled",
  ]);
  assert.deepEqual(printed(result.log), ["ready", "got 2", "##[error]The operation was canceled.", "cleanup", "asked"]);
});

test("who ignores SIGINT gets SIGTERM after 7.5 s, and who ignores that is killed 2.5 s later", async () => {
  const program = `exec python3 -u -c "
import os, signal, time
start = time.monotonic()
for number in (2, 15):
    signal.signal(number, lambda got, frame: os.write(1, b'got %d %.1f\\n' % (got, time.monotonic() - start)))
os.write(1, b'ready\\n')
while True:
    time.sleep(0.05)
"`;
  const started = Date.now();
  const result = await runAction({ steps: sh(program, "id: a"), cancelWhen: /^ready$/ });
  const elapsed = Date.now() - started;
  const lines = printed(result.log).filter((line) => line.startsWith("got"));
  assert.deepEqual(lines.map((line) => line.split(" ")[1]), ["2", "15"]);
  const [interrupted, terminated] = lines.map((line) => Number(line.split(" ")[2]));
  assert.ok(Math.abs(terminated - interrupted - 7.5) < 1, lines.join());
  assert.ok(elapsed >= 10_000 && elapsed < 30_000, `${elapsed} ms`);
  assert.equal(result.conclusion, "cancelled");
});

test("a program that bash waits for gets no signal, outlives bash, and is ended as an orphan", async () => {
  const result = await runAction({
    steps: "- shell: bash\n  run: |\n    sleep 300 > /dev/null 2>&1 &\n    until grep -q sleep /proc/$!/comm; do :; done\n    echo pid=$!\n    echo ready\n    wait\n",
    cancelWhen: /^ready$/,
  });
  const pid = Number(/^pid=([0-9]+)$/m.exec(result.log)[1]);
  assert.deepEqual(result.orphans, [pid]);
  assert.match(result.log, new RegExp(`Cleaning up orphan processes\nTerminate orphan process: pid \\(${pid}\\) \\(sleep\\)\n$`));
  for (let tries = 0; isAlive(pid) && tries < 100; tries += 1) await new Promise((resolve) => setTimeout(resolve, 100));
  assert.ok(!isAlive(pid));
});

test("an orphan of a successful job is ended too; one that hides its tracking id is not", async () => {
  const result = await runAction({
    steps: sh("sleep 300 >/dev/null 2>&1 &\nenv -u RUNNER_TRACKING_ID sleep 300 >/dev/null 2>&1 &\nwhile grep -q RUNNER_TRACKING_ID /proc/$!/environ; do :; done\necho hidden=$!"),
  });
  const hidden = Number(/^hidden=([0-9]+)$/m.exec(result.log)[1]);
  assert.equal(result.conclusion, "success");
  assert.equal(result.orphans.length, 1);
  assert.ok(isAlive(hidden));
  process.kill(hidden, "SIGKILL");
});

test("a step with always() that is running when the job is cancelled goes on", async () => {
  const result = await runAction({
    steps: sh("echo ready; sleep 0.5; echo finished", "id: a\nif: always()") + sh("echo b", "id: b\nif: ${{ !cancelled() }}"),
    cancelWhen: /^ready$/,
  });
  assert.deepEqual(printed(result.log), ["ready", "finished"]);
  assert.deepEqual([result.conclusion, result.steps[0].outcome, result.steps[1].outcome], ["cancelled", "success", "skipped"]);
});

test("cancelling reaches a step nested two actions deep, and each level cleans up", async () => {
  const root = write(temporary(), {
    ".github/keep": "",
    "action.yml": composite("- id: in\n  uses: $/inner\n" + sh("echo outer cleanup", "if: always()")),
    "inner/action.yml": composite(sh("echo ready; exec sleep 60", "id: x") + sh("echo inner cleanup", "if: cancelled()") + sh("echo no")),
  });
  const result = await runAction({ directory: root, cancelWhen: /^ready$/ });
  assert.deepEqual(printed(result.log), ["ready", "##[error]The operation was canceled.", "inner cleanup", "outer cleanup"]);
  assert.deepEqual(result.steps.find((step) => step.id === "action.in").outcome, "cancelled");
});

test("outputs written before the signal, or while handling it, count", async () => {
  const result = await runAction({
    head: 'outputs:\n  a: {value: "${{ steps.s.outputs.a }}"}\n',
    steps: "- id: s\n  shell: bash\n  run: |\n    trap 'echo a=late >> \"$GITHUB_OUTPUT\"; exit 1' INT\n    echo ready\n    while true; do sleep 0.1; done\n",
    cancelWhen: /^ready$/,
  });
  assert.deepEqual(result.outputs, { a: "late" });
});

test("a job can be cancelled by time, at top level too", async () => {
  const result = await runWorkflow({
    cancelAfterMs: 300,
    workflow: "on: push\njobs:\n  one:\n    runs-on: x\n    steps:\n      - run: exec sleep 60\n      - run: echo no\n      - if: cancelled()\n        run: echo \"${{ job.status }}\"\n",
  });
  assert.deepEqual(printed(result.log), ["##[error]The operation was canceled.", "cancelled"]);
  assert.equal(result.exitCode, 130);
});
