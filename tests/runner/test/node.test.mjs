// JavaScript actions: what they see, and their `post`.

import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";
import { composite, printed, runAction, runWorkflow, sh, temporary, write } from "./support.mjs";

/** A node action that tells what it sees and saves a state; `head` holds inputs, `runs` further keys of `runs`. */
function node(folder, name, { head = "", runs = "", main, post }) {
  const files = { "action.yml": `name: n\ndescription: n\n${head}runs:\n  using: node24\n  main: main.js\n${runs}`, "main.js": main };
  if (post) {
    files["action.yml"] += "  post: post.js\n";
    files["post.js"] = post;
  }
  write(path.join(folder, name), files);
}

const SAVE = 'require("fs").appendFileSync(process.env.GITHUB_STATE, `saved=${process.env.INPUT_NAME}\\n`); console.log("main", process.env.INPUT_NAME);';
const TELL = 'console.log("post", process.env.INPUT_NAME, process.env.STATE_saved);';
const NAME = "inputs:\n  name:\n    default: nobody\n";

test("inputs, runtime tokens and outputs; a script step sees no token", async () => {
  const folder = temporary();
  node(folder, "inner", {
    head: "inputs:\n  some name:\n    default: d\n  cache-dir:\n    default: ''\n",
    main: `const e = process.env;
      console.log([e["INPUT_SOME_NAME"], e["INPUT_CACHE-DIR"], e.ACTIONS_RESULTS_URL, e.ACTIONS_RUNTIME_TOKEN].join("|"));
      console.log(process.cwd() === e.GITHUB_WORKSPACE);
      require("fs").appendFileSync(e.GITHUB_OUTPUT, "seen=yes\\n");`,
  });
  write(folder, {
    "action.yml": composite(
      "- uses: $/inner\n  id: inner\n  with:\n    cache-dir: x y\n" +
        sh('echo "[$ACTIONS_RUNTIME_TOKEN] ${{ steps.inner.outputs.seen }}"'),
    ),
  });
  const runtime = { ACTIONS_RESULTS_URL: "http://127.0.0.1:9/", ACTIONS_RUNTIME_TOKEN: "not-a-real-token" };
  const result = await runAction({ directory: folder, repoRoot: folder, runtime });
  assert.deepEqual(printed(result.log).slice(-3), ["d|x y|http://127.0.0.1:9/|***", "true", "[] yes"]);
});

test("posts run when all steps are done, the last first, each with its own state", async () => {
  const folder = temporary();
  node(folder, "outer/inner", { head: NAME, main: SAVE, post: TELL });
  write(folder, {
    "outer/action.yml": composite(
      "- uses: $/inner\n  with: {name: one}\n- uses: $/inner\n  with: {name: two}\n- uses: $/inner\n  if: false\n",
    ),
  });
  const result = await runWorkflow({
    workflow: `on: push
jobs:
  j:
    runs-on: x
    steps:
      - uses: o/r/outer@v1
      - uses: o/r/inner@v1
        with: {name: three}
      - run: echo main last
`,
    standIns: { "o/r/outer": path.join(folder, "outer"), "o/r/inner": path.join(folder, "outer/inner") },
  });
  assert.deepEqual(printed(result.log), [
    "main one",
    "main two",
    "main three",
    "main last",
    "post three three",
    "post two two",
    "post one one",
  ]);
  const names = result.steps.map(({ name }) => name).filter((name) => name.startsWith("Post "));
  assert.deepEqual(names, ["Post Run o/r/inner@v1", "Post Run $/inner", "Post Run $/inner", "Post Run o/r/outer@v1"]);
});

test("post-if asks for the status of the job, and defaults may too", async () => {
  const folder = temporary();
  const head = "inputs:\n  status:\n    default: ${{ job.status }}\n";
  const tell = (name) => `console.log("${name}", process.env.INPUT_STATUS);`;
  node(folder, "always", { head, main: tell("main"), post: tell("always") });
  node(folder, "success", { head, runs: "  post-if: success()\n", main: tell("main"), post: tell("success") });
  node(folder, "failure", { head, runs: "  post-if: ${{ failure() }}\n", main: tell("main"), post: tell("failure") });
  const outer = (last) => composite("- uses: $/always\n- uses: $/success\n- uses: $/failure\n" + sh(last));
  for (const [last, expected] of [
    ["exit 0", ["success success", "always success"]],
    ["exit 1", ["failure failure", "always failure"]],
  ]) {
    write(folder, { "action.yml": outer(last) });
    const result = await runAction({ directory: folder, repoRoot: folder });
    const lines = printed(result.log).filter((line) => /^(always|success|failure) /.test(line));
    assert.deepEqual(lines, expected);
  }
});

test("an action whose main did not begin has no post; one whose main failed has", async () => {
  const folder = temporary();
  node(folder, "fails", { main: "process.exit(3)", post: 'console.log("post of fails")' });
  node(folder, "never", { main: "", post: 'console.log("post of never")' });
  write(folder, { "action.yml": composite("- uses: $/fails\n- uses: $/never\n") });
  const result = await runAction({ directory: folder, repoRoot: folder });
  assert.equal(result.conclusion, "failure");
  assert.ok(result.log.includes("post of fails"));
  assert.ok(!result.log.includes("post of never"));
});

test("a post that fails fails the job", async () => {
  const folder = temporary();
  node(folder, ".", { main: "", post: "process.exit(1)" });
  const result = await runAction({ directory: folder, repoRoot: folder });
  assert.equal(result.conclusion, "failure");
});

test("`pre` is refused", async () => {
  const folder = temporary();
  node(folder, ".", { runs: "  pre: main.js\n", main: "" });
  const result = await runAction({ directory: folder, repoRoot: folder });
  assert.match(result.log, /runs no `pre`/);
});
