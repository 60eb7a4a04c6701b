// A whole job of a workflow: matrix, env, defaults, outputs, conditions, time limits.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { UsageError, expandMatrix } from "../src/plan.mjs";
import { FIXTURES, composite, indent, printed, readJson, runWorkflow, sh } from "./support.mjs";

const PROJECT = path.join(FIXTURES, "project");
const workflow = (steps, { job = "", top = "" } = {}) =>
  `on: push\n${top}jobs:\n  one:\n    runs-on: ubuntu-latest\n${indent(job, 4)}    steps:\n${indent(steps, 6)}`;

test("the fixture's job runs as a whole", async () => {
  const standIns = Object.fromEntries(
    Object.entries(readJson(path.join(PROJECT, "stand-ins.json"))).map(([uses, to]) => [uses, to === "skip" ? to : path.join(PROJECT, to)]),
  );
  const result = await runWorkflow({
    workflow: readFileSync(path.join(PROJECT, "workflow.yml"), "utf8").replace("working-directory: sub", "working-directory: nowhere"),
    files: { "local/action.yml": composite(sh('echo "local level $LEVEL workflow [$FROM_WORKFLOW] in ${PWD##*/}"')) },
    standIns,
    secrets: { TOKEN: "hunter2" },
    matrix: { python: "3.12" },
    github: { sha: "abc" },
  });
  assert.equal(result.conclusion, "success", result.log);
  // The job's defaults replace the workflow's as a whole: the directory of the latter is gone, the shell is bash.
  assert.deepEqual(printed(result.log), [
    "pipefail       \ton",
    `level step python 3.12 extra 'yes-it-is' secret *** in ${path.basename(result.workspace)}`,
    "checked-out",
    "##[error]Process completed with exit code 4.",
    "outcome failure conclusion success",
    "##[warning]Unexpected input(s) 'unknown', valid inputs are ['']",
    `local level job workflow [abc] in ${path.basename(result.workspace)}`,
    "Skipped by the stand-in table: actions/upload-artifact@3333333333333333333333333333333333333333",
    "##[warning]Skip output 'leaked' since it may contain secret.",
  ]);
  assert.deepEqual(result.outputs, { python: "3.12" });
  assert.deepEqual(
    result.steps.map(({ id, outcome, conclusion }) => `${id} ${outcome}/${conclusion}`),
    [
      "__actions_checkout._ success/success",
      "__actions_checkout success/success",
      "show success/success",
      "__run success/success",
      "flaky failure/success",
      "__run_2 success/success",
      "__self._ success/success",
      "__self success/success",
      "__actions_upload-artifact success/success",
    ],
  );
});

test("the first combination of the matrix is taken; a wrong wish is a usage error", async () => {
  const text = workflow(sh("echo ${{ matrix.a }}-${{ matrix.b }}"), { job: "strategy:\n  matrix:\n    a: [1, 2]\n    b: [x, y]" });
  assert.deepEqual(printed((await runWorkflow({ workflow: text })).log), ["1-x"]);
  assert.deepEqual(printed((await runWorkflow({ workflow: text, matrix: { b: "y", a: "2" } })).log), ["2-y"]);
  await assert.rejects(runWorkflow({ workflow: text, matrix: { a: "3" } }), UsageError);
});

test("expands include and exclude as documented", () => {
  const matrix = {
    fruit: ["apple", "pear"],
    animal: ["cat", "dog"],
    include: [{ color: "green" }, { color: "pink", animal: "cat" }, { fruit: "apple", shape: "circle" }, { fruit: "banana" }, { fruit: "banana", animal: "cat" }],
  };
  assert.deepEqual(expandMatrix(matrix), [
    { fruit: "apple", animal: "cat", color: "pink", shape: "circle" },
    { fruit: "apple", animal: "dog", color: "green", shape: "circle" },
    { fruit: "pear", animal: "cat", color: "pink" },
    { fruit: "pear", animal: "dog", color: "green" },
    { fruit: "banana" },
    { fruit: "banana", animal: "cat" },
  ]);
  assert.deepEqual(expandMatrix({ a: [1, 2], b: [1, 2], exclude: [{ a: 1 }] }), [{ a: 2, b: 1 }, { a: 2, b: 2 }]);
  assert.deepEqual(expandMatrix({ include: [{ a: 1 }, { a: 2 }] }), [{ a: 1 }, { a: 2 }]);
});

test("a run step without a shell is `sh -e` in bash's clothes: no pipefail, and bash is the program", async () => {
  const result = await runWorkflow({ workflow: workflow("- run: |\n    false | true\n    echo ${BASH_VERSION:+bash}") });
  assert.deepEqual(printed(result.log), ["bash"]);
  assert.match(result.log, /^shell: \S+\/bash -e \{0\}$/m);
});

test("defaults of the job do not reach composites, its env does", async () => {
  const result = await runWorkflow({
    files: { "local/action.yml": composite(sh('echo "[$A] ${PWD##*/}"')), "sub/x": "" },
    workflow: workflow("- run: echo \"${PWD##*/}\"\n- uses: ./local", { job: "env: {A: 1}\ndefaults:\n  run:\n    working-directory: sub" }),
  });
  assert.deepEqual(printed(result.log), ["sub", `[1] ${path.basename(result.workspace)}`]);
});

test("top-level run steps have no GITHUB_ACTION_PATH; GITHUB_ACTION is the id", async () => {
  const result = await runWorkflow({ workflow: workflow('- run: echo "[${GITHUB_ACTION_PATH-unset}] $GITHUB_ACTION"\n- run: echo "$GITHUB_ACTION"\n- id: x\n  run: echo "$GITHUB_ACTION"') });
  assert.deepEqual(printed(result.log), ["[unset] __run", "__run_2", "x"]);
});

test("a failed step fails the job; always() and failure() still run; job.status says so", async () => {
  const result = await runWorkflow({ workflow: workflow("- run: exit 1\n- run: echo no\n- if: failure()\n  run: echo \"${{ job.status }}\"\n- if: always()\n  run: echo last") });
  assert.equal(result.conclusion, "failure");
  assert.deepEqual(printed(result.log), ["##[error]Process completed with exit code 1.", "failure", "last"]);
});

test("each top-level step has its own ten annotations", async () => {
  const errors = "- run: for i in $(seq 12); do echo ::warning::$i; done\n";
  const result = await runWorkflow({ workflow: workflow(errors + errors) });
  assert.deepEqual(result.annotations.map((annotation) => annotation.step), [...Array(10).fill(2), ...Array(10).fill(3)]);
  assert.equal(result.droppedAnnotations, 4);
});

test("a step with a time limit is ended and fails", async () => {
  const started = Date.now();
  const result = await runWorkflow({
    minuteMs: 300,
    workflow: workflow("- id: slow\n  name: Slow one\n  timeout-minutes: 1\n  shell: bash\n  run: exec sleep 60\n- if: failure()\n  run: echo after"),
  });
  assert.ok(Date.now() - started < 30_000);
  assert.equal(result.conclusion, "failure");
  assert.deepEqual(printed(result.log), ["##[error]The action 'Slow one' has timed out after 1 minutes.", "after"]);
});

test("the time limit of a step holds for its nested steps", async () => {
  const result = await runWorkflow({
    minuteMs: 300,
    files: { "local/action.yml": composite(sh("exec sleep 60", "id: a") + sh("echo next", "id: b")) },
    workflow: workflow("- id: slow\n  timeout-minutes: ${{ fromJSON('1') }}\n  uses: ./local"),
  });
  assert.equal(result.conclusion, "failure");
  assert.deepEqual(result.steps.map(({ id, outcome }) => `${id} ${outcome}`), ["slow.a failure", "slow.b skipped", "slow failure"]);
  assert.equal(result.annotations[0].message, "The action has timed out.");
});

test("a job whose condition is false is skipped", async () => {
  const text = workflow("- run: echo no", { job: "if: github.ref == 'refs/heads/other'" });
  const result = await runWorkflow({ workflow: text });
  assert.deepEqual([result.conclusion, result.exitCode, result.steps.length], ["skipped", 0, 0]);
  assert.equal((await runWorkflow({ workflow: text, github: { ref: "refs/heads/other" } })).conclusion, "success");
});

test("needs: success without outputs unless given", async () => {
  const text = "on: push\njobs:\n  a:\n    runs-on: x\n    steps: [{run: 'true'}]\n  b:\n    needs: a\n    runs-on: x\n    steps:\n      - run: echo \"${{ needs.a.result }} [${{ needs.a.outputs.v }}]\"\n";
  assert.deepEqual(printed((await runWorkflow({ workflow: text, job: "b" })).log), ["success []"]);
  const given = { a: { result: "success", outputs: { v: "1" } } };
  assert.deepEqual(printed((await runWorkflow({ workflow: text, job: "b", needs: given })).log), ["success [1]"]);
  const failed = { a: { result: "failure", outputs: {} } };
  assert.equal((await runWorkflow({ workflow: text, job: "b", needs: failed })).conclusion, "skipped");
  await assert.rejects(runWorkflow({ workflow: text }), /several jobs: choose one with --job \(a, b\)/);
});

test("an identity token needs `id-token: write`", async () => {
  const step = '- run: echo "[${ACTIONS_ID_TOKEN_REQUEST_URL+set}]"';
  assert.deepEqual(printed((await runWorkflow({ workflow: workflow(step) })).log), ["[]"]);
  assert.deepEqual(printed((await runWorkflow({ workflow: workflow(step, { job: "permissions:\n  id-token: write" }) })).log), ["[set]"]);
  assert.deepEqual(printed((await runWorkflow({ workflow: workflow(step, { top: "permissions:\n  id-token: write\n", job: "permissions:\n  contents: read" }) })).log), ["[]"]);
});

for (const [what, job] of [["container", "container: alpine"], ["services", "services:\n  db:\n    image: postgres"]]) {
  test(`refuses a job with ${what}`, async () => {
    await assert.rejects(runWorkflow({ workflow: workflow("- run: x", { job }) }), new RegExp(`has \`${what}\`: the host runner does not run containers`));
  });
}

test("refuses a reusable workflow", async () => {
  await assert.rejects(runWorkflow({ workflow: "on: push\njobs:\n  a:\n    uses: ./.github/workflows/x.yml\n" }), /calls a reusable workflow/);
});
