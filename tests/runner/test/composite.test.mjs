// The order of composite steps: conditions, failures, nesting, references, environments.

import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";
import { FIXTURES, composite, printed, readJson, runAction, sh, temporary, write } from "./support.mjs";

const PROJECT = path.join(FIXTURES, "project");
const outcomes = (result) => result.steps.map(({ id, outcome, conclusion }) => `${id} ${outcome}/${conclusion}`);

test("after a failure only steps that ask for it run", async () => {
  const result = await runAction({
    steps:
      sh("exit 7", "id: fails") +
      sh("echo implicit", "id: implicit\nif: inputs.nothing == ''") +
      sh("echo failure", "id: failure\nif: failure()") +
      sh("echo always", "id: always\nif: ${{ always() }}") +
      sh("echo cancelled", "id: cancelled\nif: cancelled()") +
      sh("echo text", "id: text\nif: steps.fails.outcome == 'failure' && !success()"),
  });
  assert.deepEqual(outcomes(result), [
    "action.fails failure/failure",
    "action.implicit skipped/skipped",
    "action.failure success/success",
    "action.always success/success",
    "action.cancelled skipped/skipped",
    "action.text success/success",
    "action failure/failure",
  ]);
  assert.equal(result.conclusion, "failure");
  assert.equal(result.exitCode, 1);
});

test("continue-on-error keeps the outcome and passes the conclusion", async () => {
  const result = await runAction({
    steps:
      sh("exit 1", "id: a\ncontinue-on-error: true") +
      sh("exit 1", "id: b\ncontinue-on-error: ${{ steps.a.outcome == 'failure' }}") +
      sh('echo "${{ steps.a.outcome }} ${{ steps.a.conclusion }} ${{ steps.b.outcome }} ${{ steps.missing.outcome }}"', "id: c"),
  });
  assert.deepEqual(outcomes(result), ["action.a failure/success", "action.b failure/success", "action.c success/success", "action success/success"]);
  assert.equal(printed(result.log).at(-1), "failure success failure ");
  assert.equal(result.annotations.length, 2, "its error is annotated all the same");
});

test("a condition that cannot be evaluated fails the composite and ends it", async () => {
  const result = await runAction({
    steps: sh("echo one", "id: one\nif: fromJSON('{')") + sh("echo two", "id: two\nif: always()"),
  });
  assert.deepEqual(outcomes(result), ["action.one failure/failure", "action failure/failure"]);
});

test("env that cannot be evaluated fails the step, which still runs", async () => {
  const result = await runAction({ steps: sh('echo "ran [$A]"', "id: a\nenv: {A: \"${{ fromJSON('{') }}\"}") });
  assert.deepEqual(printed(result.log).slice(-1), ["ran []"]);
  assert.equal(result.conclusion, "failure");
});

test("outputs are mapped after a failure too; an output that nobody set is empty", async () => {
  const result = await runAction({
    head: 'outputs:\n  set: {value: "${{ steps.a.outputs.x }}"}\n  unset: {value: "${{ steps.a.outputs.y }}"}\n  fixed: {value: text}\n',
    steps: sh('echo x=1 >> "$GITHUB_OUTPUT"; exit 1', "id: a"),
  });
  assert.deepEqual(result.outputs, { set: "1", unset: "", fixed: "text" });
});

test("`$/` is the repository of the action that says it; a stand-in has its own", async () => {
  const standIns = Object.fromEntries(
    Object.entries(readJson(path.join(PROJECT, "stand-ins.json"))).map(([uses, to]) => [uses, to === "skip" ? to : path.join(PROJECT, to)]),
  );
  const result = await runAction({
    directory: path.join(PROJECT, "outer"),
    repoRoot: PROJECT,
    standIns: { ...standIns, "example/lib/inner": path.join(PROJECT, "lib/inner") },
  });
  // The stand-in is a whole repository here: its `$/helper` lies below its own directory.
  assert.equal(result.conclusion, "success", result.log);
  assert.deepEqual(result.outputs, { chain: "hello from outer!, middle" });
  // `github.action_repository` is that of the top-level action, a known fault of the runner (actions/runner#2473).
  const where = printed(result.log).map((line) => line.replaceAll(PROJECT, "PROJECT"));
  assert.deepEqual(where, [
    "helper path PROJECT/lib/inner/helper, env middle",
    "inner path PROJECT/lib/inner, repository 'octo-org/octo-repo', '', env middle",
    "middle path PROJECT/middle",
    "outer path PROJECT/outer",
  ]);
  assert.deepEqual(result.steps.map((step) => step.id), [
    "action.middle.inner._._",
    "action.middle.inner._",
    "action.middle.inner.say",
    "action.middle.inner",
    "action.middle._",
    "action.middle",
    "action._",
    "action",
  ]);
});

test("`./` is the workspace, also from a nested action", async () => {
  const workspace = write(temporary(), { "local/action.yaml": composite(sh('echo "local [$GITHUB_ACTION_PATH]"')) });
  const root = write(temporary(), { ".github/keep": "", "action.yml": composite("- uses: $/inner\n"), "inner/action.yml": composite("- uses: ./local\n") });
  const result = await runAction({ directory: root, workspace });
  assert.deepEqual(printed(result.log), [`local [${workspace}/local]`]);
});

test("a `./` action that is not there fails its step, with the usual hint", async () => {
  const result = await runAction({ steps: sh("echo first") + "- uses: ./missing\n" });
  assert.deepEqual(printed(result.log).slice(0, 1), ["first"]);
  assert.match(result.annotations[0].message, /Did you forget to run actions\/checkout before running your local action\?$/);
});

test("an unknown `uses:` fails the job before any step", async () => {
  const result = await runAction({ steps: sh("echo first") + "- uses: other/action@v1\n" });
  assert.equal(result.conclusion, "failure");
  assert.deepEqual(result.steps, []);
  assert.match(result.annotations[0].message, /^no stand-in for `uses: other\/action@v1`/);
});

test("a stand-in of `skip` succeeds without doing anything", async () => {
  const result = await runAction({ steps: "- uses: other/action@v1\n", standIns: { "other/action": "skip" } });
  assert.equal(result.conclusion, "success");
});

test("container actions and old nodes are refused", async () => {
  const root = write(temporary(), { ".github/keep": "", "action.yml": composite("- uses: $/js\n"), "js/action.yml": "name: n\ndescription: d\nruns:\n  using: node16\n  main: x.js\n" });
  assert.match((await runAction({ directory: root })).annotations[0].message, /composite and node actions only.*`using: node16`/);
  assert.match((await runAction({ steps: "- uses: docker://alpine\n" })).annotations[0].message, /does not run containers/);
});

function chain(length) {
  const files = { ".github/keep": "" };
  for (let level = 1; level <= length; level += 1) {
    files[`l${level}/action.yml`] = composite(level === length ? sh("echo deepest") : `- uses: $/l${level + 1}\n`);
  }
  return path.join(write(temporary(), files), "l1");
}

test("nine composites may nest, ten may not", async () => {
  assert.deepEqual(printed((await runAction({ directory: chain(9) })).log), ["deepest"]);
  const result = await runAction({ directory: chain(10) });
  assert.equal(result.conclusion, "failure");
  assert.equal(result.annotations[0].message, "Composite action depth exceeded max depth 9");
});

test("a `./` action that calls itself ends with an error", async () => {
  const result = await runAction({ files: { "loop/action.yml": composite("- uses: ./loop\n") }, steps: "- uses: ./loop\n" });
  assert.equal(result.conclusion, "failure");
  assert.match(result.log, /calls itself without end/);
});

test("inputs of an outer action are not seen inside, its env is", async () => {
  const root = write(temporary(), {
    ".github/keep": "",
    "action.yml": composite("- uses: $/inner\n  env: {OUTER: '1', BOTH: outer}\n- shell: sh\n  run: 'echo \"after [$OUTER][$BOTH]\"'\n", "inputs:\n  secretive: {description: d, default: x}\n"),
    "inner/action.yml": composite(sh('echo "[${{ inputs.secretive }}][$OUTER][$BOTH]"', "env: {BOTH: inner}") + sh('echo "[$BOTH]"')),
  });
  assert.deepEqual(printed((await runAction({ directory: root })).log), ["[][1][inner]", "[outer]", "after [][]"]);
});

test("steps of an inner action are not seen outside, only its outputs are", async () => {
  const root = write(temporary(), {
    ".github/keep": "",
    "action.yml": composite("- id: in\n  uses: $/inner\n- shell: sh\n  run: 'echo \"[${{ steps.x.outputs.v }}][${{ steps.in.outputs.v }}]\"'\n"),
    "inner/action.yml": composite(sh('echo v=1 >> "$GITHUB_OUTPUT"', "id: x"), 'outputs:\n  v: {value: "${{ steps.x.outputs.v }}"}\n'),
  });
  assert.deepEqual(printed((await runAction({ directory: root })).log), ["[][1]"]);
});

test("a failure inside a nested action fails its step and skips what follows", async () => {
  const root = write(temporary(), {
    ".github/keep": "",
    "action.yml": composite("- id: in\n  uses: $/inner\n" + sh("echo after", "id: after")),
    "inner/action.yml": composite(sh("exit 2", "id: x") + sh("echo cleanup", "id: y\nif: always()")),
  });
  const result = await runAction({ directory: root });
  assert.deepEqual(outcomes(result), ["action.in.x failure/failure", "action.in.y success/success", "action.in failure/failure", "action.after skipped/skipped", "action failure/failure"]);
});

test("an action file that is not valid fails loudly, with the place", async () => {
  await assert.rejects(async () => {
    const result = await runAction({ steps: "- run: echo\n" });
    throw new Error(result.annotations[0].message);
  }, /action\.yml:6:7: Required property is missing: shell/);
});
