// Expressions in every place where a composite may have them.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync, symlinkSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { Scope, evaluate } from "../src/expressions.mjs";
import { printed, runAction, sh, temporary, write } from "./support.mjs";

const VALUES = {
  github: { sha: "abc", event: { number: 7, labels: [{ name: "a" }, { name: "b" }] }, actor: "Octo" },
  inputs: { "dashed-name": "x", empty: "", flag: "false" },
  env: { Path: "upper", path: "lower" },
  steps: { one: { outputs: { value: "1" }, outcome: "failure" } },
  matrix: null,
};

const CASES = [
  ["github.SHA", "abc"],
  ["github['sha']", "abc"],
  ["inputs.dashed-name", "x"],
  ["github.nothing.at.all", ""],
  ["matrix.python", ""],
  ["env.Path", "upper"],
  ["env.path", "lower"],
  ["env.PATH", ""],
  ["github.event.labels.*.name", "Array"],
  ["join(github.event.labels.*.name, '-')", "a-b"],
  ["toJSON(github.event.labels)", '[\n  {\n    "name": "a"\n  },\n  {\n    "name": "b"\n  }\n]'],
  ["fromJSON('[1,2]')[1]", "2"],
  ["github.actor == 'OCTO'", "true"],
  ["inputs.flag && 'truthy: a text that is not empty'", "truthy: a text that is not empty"],
  ["inputs.empty || 'default'", "default"],
  ["1 == '1'", "true"],
  ["'x' == 0", "false"],
  ["'' == 0", "true"],
  ["null == 0", "true"],
  ["github.event.number > 6.5", "true"],
  ["contains('Hello', 'ell')", "true"],
  ["contains(fromJSON('[\"a\"]'), 'A')", "true"],
  ["startsWith('Hello', 'HE') && endsWith('x.py', '.PY')", "true"],
  ["format('{0} {{0}} {1}', 'a', 1)", "a {0} 1"],
  ["case(false, 'a', true, 'b', 'c')", "b"],
  ["'it''s Bob''s'", "it's Bob's"],
  ["!steps.one.outputs.value", "false"],
  ["success()", "true"],
  ["failure() || cancelled()", "false"],
  ["always()", "true"],
];

for (const [expression, expected] of CASES) {
  test(`evaluates ${expression}`, () => {
    const value = evaluate(expression, new Scope({ values: VALUES }));
    const text = typeof value.coerceString === "function" ? value.coerceString() : String(value);
    assert.equal(text, expected);
  });
}

test("run, env, shell and working-directory are evaluated, outputs too", async () => {
  const result = await runAction({
    files: { "sub/dir/x.txt": "" },
    inputs: { where: "sub" },
    head: "inputs:\n  where: {description: d}\noutputs:\n  all:\n    value: \"${{ steps.a.outputs.x }}-${{ inputs.where }}-${{ github.event_name }}\"\n",
    eventName: "pull_request",
    steps:
      "- id: a\n  shell: ${{ format('{0}', 'bash') }}\n  working-directory: ${{ inputs.where }}/dir\n  env:\n    WHERE: ${{ inputs.where }}\n    LATE: ${{ env.WHERE }}\n" +
      '  run: |\n    echo "${{ runner.os }} $WHERE [$LATE] ${PWD##*/}"\n    echo "x=${{ github.job }}" >> "$GITHUB_OUTPUT"\n',
  });
  assert.deepEqual(printed(result.log), ["Linux sub [] dir"]);
  assert.equal(result.outputs.all, "job-sub-pull_request");
});

test("an omitted input is set and empty; a default may be an expression; empty stays empty", async () => {
  const result = await runAction({
    github: { sha: "feed" },
    inputs: { given: "" },
    head: "inputs:\n  plain: {description: d, required: true}\n  given: {description: d, default: not used}\n  sha: {description: d, default: '${{ github.sha }}'}\n  number: {description: d, default: 1.10}\n  flag: {description: d, default: true}\n",
    steps: sh('echo "[$PLAIN][${PLAIN+set}][$GIVEN][$SHA][$NUMBER][$FLAG]"\nenv | grep ^INPUT_ || echo none', "env:\n  PLAIN: ${{ inputs.plain }}\n  GIVEN: ${{ inputs.given }}\n  SHA: ${{ inputs.sha }}\n  NUMBER: ${{ inputs.number }}\n  FLAG: ${{ inputs.flag }}"),
  });
  assert.deepEqual(printed(result.log), ["[][set][][feed][1.1][true]", "none"]);
  assert.equal(result.conclusion, "success", "`required` is not enforced");
});

test("an unknown input warns, a deprecated one too", async () => {
  const result = await runAction({
    inputs: { Known: "1", other: "2" },
    head: "inputs:\n  known: {description: d, deprecationMessage: use better}\n  better: {description: d}\n",
    steps: sh('echo "[$K]"', "env: {K: '${{ inputs.known }}'}"),
  });
  assert.deepEqual(result.annotations.map(({ level, message }) => [level, message]), [
    ["warning", "Input 'Known' has been deprecated with message: use better"],
    ["warning", "Unexpected input(s) 'other', valid inputs are ['known', 'better']"],
  ]);
  assert.deepEqual(printed(result.log).slice(-1), ["[1]"]);
});

test("the token comes by the github context only, and is masked", async () => {
  const result = await runAction({
    github: { token: "ghs_secret" },
    steps: sh('echo "[$T][${GITHUB_TOKEN-unset}]"', "env: {T: '${{ github.token }}'}"),
  });
  assert.deepEqual(printed(result.log), ["[***][unset]"]);
});

test("hashFiles hashes the digests of matching files, in the order of the walk", async () => {
  const files = { "b.txt": "b", "a/a.txt": "a", "a/skip.txt": "s", "other.md": "m" };
  const result = await runAction({
    files,
    steps: sh("echo ${{ hashFiles('**/*.txt', '!**/skip.txt') }}\necho [${{ hashFiles('none') }}]\necho ${{ hashFiles('other.md') == hashFiles('*.md') }}"),
  });
  const digest = (text) => createHash("sha256").update(text).digest();
  const expected = [["b", "a"], ["a", "b"]].map((order) => createHash("sha256").update(Buffer.concat(order.map(digest))).digest("hex"));
  const [found, none, equal] = printed(result.log);
  assert.ok(expected.includes(found), found);
  assert.deepEqual([none, equal], ["[]", "true"]);
});

test("hashFiles follows links only when asked, refuses other options, ignores what is outside", async () => {
  const workspace = write(temporary(), { "real/x.txt": "x" });
  const outside = write(temporary(), { "secret.txt": "s" });
  mkdirSync(path.join(workspace, "links"));
  symlinkSync(path.join(workspace, "real"), path.join(workspace, "links", "dir"));
  const result = await runAction({
    workspace,
    steps: sh(`echo "[\${{ hashFiles('links/**/x.txt') }}][\${{ hashFiles('--follow-symbolic-links', 'links/**/x.txt') == hashFiles('real/x.txt') }}][\${{ hashFiles('${outside}/*.txt') }}]"`) + sh("echo ${{ hashFiles('--other', 'x') }}"),
  });
  assert.equal(printed(result.log)[0], "[][true][]");
  assert.match(result.annotations[0].message, /^Invalid glob option --other/);
});

test("an expression that fails at run time fails its step", async () => {
  const result = await runAction({ steps: sh("echo ${{ fromJSON('{') }}") + sh("echo second", "if: failure()") });
  assert.equal(result.conclusion, "failure");
  assert.deepEqual(printed(result.log).slice(-1), ["second"]);
});

test("a mapping where a text is wanted fails the step", async () => {
  const result = await runAction({ steps: sh("echo ${{ fromJSON('{}') }}", "env: {A: \"${{ fromJSON('{}') }}\"}") });
  assert.equal(result.conclusion, "failure");
  assert.match(result.annotations[0].message, /A mapping was not expected/);
});

test("a script of several lines keeps its text around an expression", async () => {
  const script = "import sys\nif True:\n    print('it''s', \"{x}\", '${{ github.event_name }}')\nprint('a' 'b')\n";
  const result = await runAction({ steps: `- shell: python\n  run: |\n${script.replace(/^/gm, "    ")}\n` });
  assert.deepEqual(printed(result.log), ["its {x} push", "ab"]);
});

test("folded and double-quoted scalars have their YAML value around an expression", async () => {
  const steps = '- shell: sh\n  env:\n    FOLDED: >-\n      one\n      ${{ github.event_name }}\n    QUOTED: "tab\\t${{ github.event_name }}\n      next"\n  run: printf "[%s]" "$FOLDED" "$QUOTED"\n';
  assert.deepEqual(printed((await runAction({ steps })).log), ["[one push][tab\tpush next]"]);
});
