// Strict validation: what is refused, where, and what is accepted.

import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";
import { validateFile } from "../src/validate.mjs";
import { FIXTURES, composite, temporary, write } from "./support.mjs";

const HEAD = "name: n\ndescription: d\n";
const one = (step) => composite(step);
const job = (steps) => `on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n${steps}`;

const ACTIONS = [
  ["a run step without a shell", one("- run: echo"), ["6:7: Required property is missing: shell"]],
  ["the secrets context", one("- run: echo ${{ secrets.X }}\n  shell: sh"), ["6:17: Unrecognized named-value: 'secrets'"]],
  ["the vars and needs contexts", one("- run: echo ${{ vars.X }} ${{ needs.a }}\n  shell: sh"), ["6:17: Unrecognized named-value: 'vars'", "6:31: Unrecognized named-value: 'needs'"]],
  ["a secret in the middle of a script", one("- shell: sh\n  run: |\n    one\n      ${{ secrets.X }}"), ["9:11: Unrecognized named-value: 'secrets'"]],
  ["timeout-minutes", one("- run: x\n  shell: sh\n  timeout-minutes: 1"), ["8:7: Unexpected value 'timeout-minutes'"]],
  ["background", one("- run: x\n  shell: sh\n  background: true"), ["8:7: Unexpected value 'background'"]],
  ["post", `${HEAD}runs:\n  using: composite\n  post: x.sh\n  steps: []\n`, ["4:3: Required property is missing: main", "6:3: Unexpected value 'steps'"]],
  ["env in an input's default", `${HEAD}inputs:\n  a:\n    default: \${{ env.X }}\nruns:\n  using: composite\n  steps: []\n`, ["5:14: Unrecognized named-value: 'env'"]],
  ["an unknown function", one("- run: x\n  shell: sh\n  if: nope()"), ["8:11: Unrecognized function: 'nope'"]],
  ["a broken expression", one("- run: x\n  shell: sh\n  if: a &&"), undefined],
  ["a reference without a version", one("- uses: owner/repo"), ["6:13: Expected format {org}/{repo}[/path]@ref. Actual 'owner/repo'"]],
  ["the same id twice", one("- id: a\n  run: x\n  shell: sh\n- id: a\n  run: x\n  shell: sh"), ["9:11: The identifier 'a' may not be used more than once within the same scope."]],
  ["an id of the runner's own", one("- id: __a\n  run: x\n  shell: sh"), ["6:11: The identifier '__a' is invalid. IDs starting with '__' are reserved."]],
  ["no description", "name: n\nruns:\n  using: composite\n  steps: []\n", ["1:1: Required property is missing: description"]],
  ["broken YAML", "name: [\n", undefined],
  ["duplicate keys", `${HEAD}name: again\nruns:\n  using: composite\n  steps: []\n`, undefined],
];

for (const [title, text, expected] of ACTIONS) {
  test(`an action with ${title} is refused`, async () => {
    const file = path.join(write(temporary(), { "action.yml": text }), "action.yml");
    const problems = (await validateFile(file)).map((problem) => problem.slice(file.length + 1));
    if (expected) assert.deepEqual(problems, expected);
    else assert.match(problems.join("\n"), /^[0-9]+:[0-9]+: ./);
  });
}

const WORKFLOWS = [
  ["an unknown key", "on: push\njobs:\n  a:\n    runs-on: x\n    oops: 1\n    steps: []\n", /^5:5: Unexpected value 'oops'/],
  ["no runs-on", "on: push\njobs:\n  a:\n    steps: []\n", /Required property is missing: runs-on/],
  ["steps context in the env of a job", "on: push\njobs:\n  a:\n    runs-on: x\n    env: {A: '${{ steps.a }}'}\n    steps: []\n", /Unrecognized named-value: 'steps'/],
  ["an unknown event", "on: pushh\njobs:\n  a:\n    runs-on: x\n    steps: []\n", /Unexpected value 'pushh'/],
  ["needs of a job that is not there", "on: push\njobs:\n  a:\n    needs: b\n    runs-on: x\n    steps: [{run: x}]\n", /b/],
  ["a step of nothing", job("      - name: x\n"), /./],
  ["a reference without a version", job("      - uses: actions/checkout\n"), /Expected format \{org\}\/\{repo\}/],
];

for (const [title, text, expected] of WORKFLOWS) {
  test(`a workflow with ${title} is refused`, async () => {
    const file = path.join(write(temporary(), { ".github/workflows/w.yml": text }), ".github/workflows/w.yml");
    const problems = (await validateFile(file)).map((problem) => problem.slice(file.length + 1));
    assert.match(problems.join("\n"), expected);
  });
}

test("good files have no problems: fixtures, `$/`, `./`, docker, case()", async () => {
  const folder = write(temporary(), {
    "action.yml": composite("- uses: $/x\n- uses: ./y\n- uses: docker://alpine:3\n- uses: a/b/c@v1\n  with: {x: \"${{ case(true, 'a', 'b') }}\"}\n- run: x\n  shell: sh\n  if: always() && hashFiles('x') != ''\n"),
    "w.yaml": job("      - run: echo ${{ secrets.X }}\n        timeout-minutes: 5\n"),
  });
  const project = path.join(FIXTURES, "project");
  const files = [path.join(folder, "action.yml"), path.join(folder, "w.yaml"), ...["outer/action.yml", "middle/action.yml", "lib/inner/action.yml", "workflow.yml"].map((name) => path.join(project, name))];
  for (const file of files) assert.deepEqual(await validateFile(file), []);
});

test("a file of neither kind, or none at all, is a problem", async () => {
  const folder = write(temporary(), { "x.yml": "a: 1\n" });
  assert.match((await validateFile(path.join(folder, "x.yml")))[0], /neither an action/);
  assert.match((await validateFile(path.join(folder, "gone.yml")))[0], /ENOENT/);
});
