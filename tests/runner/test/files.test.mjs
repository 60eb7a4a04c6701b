// File commands: GITHUB_OUTPUT, GITHUB_ENV, GITHUB_PATH, GITHUB_STATE, GITHUB_STEP_SUMMARY.

import assert from "node:assert/strict";
import { test } from "node:test";
import { parsePairs } from "../src/files.mjs";
import { printed, runAction, sh } from "./support.mjs";

const GOOD = [
  ["plain pairs", "a=1\nb=\n\nc=x=y\n", [["a", "1"], ["b", ""], ["c", "x=y"]]],
  ["no final newline", "a=1", [["a", "1"]]],
  ["a value that holds a heredoc mark", "a=x<<y", [["a", "x<<y"]]],
  ["names with spaces, and no name at all", " a b =1\n=2\n", [[" a b ", "1"], ["", "2"]]],
  ["a carriage return stays in the value", "a=1\r\n", [["a", "1\r"]]],
  ["a heredoc", "a<<EOF\none\ntwo\nEOF\nb=1", [["a", "one\ntwo"], ["b", "1"]]],
  ["an empty heredoc", "a<<EOF\nEOF\n", [["a", ""]]],
  ["a heredoc of one empty line", "a<<EOF\n\nEOF\n", [["a", ""]]],
  ["a heredoc that ends in empty lines", "a<<EOF\nx\n\n\nEOF", [["a", "x\n\n"]]],
  ["the delimiter only as a whole line", "a<<EOF\n EOF\nEOF \nEOF\n", [["a", " EOF\nEOF "]]],
  ["an equal sign in the delimiter", "a<<E=F\nx\nE=F\n", [["a", "x"]]],
  ["a heredoc value with pairs in it", "a<<E\nb=1\nE\n", [["a", "b=1"]]],
  ["the later pair comes later", "a=1\na=2\n", [["a", "1"], ["a", "2"]]],
];

for (const [title, text, expected] of GOOD) {
  test(`reads ${title}`, () => assert.deepEqual([...parsePairs(text)], expected));
}

const BAD = [
  ["a line without a mark", "a=1\nnonsense\n", /^Invalid format 'nonsense'$/],
  ["a heredoc without an end", "a=1\nb<<EOF\nx\n", /^Invalid value\. Matching delimiter not found 'EOF'$/],
  ["a heredoc whose last line has no newline", "a=1\nb<<EOF\nx", /^Invalid value\. EOF marker missing new line\.$/],
  ["a heredoc without a name", "a=1\n<<EOF\nx\nEOF\n", /^Invalid format '<<EOF'\. Name must not be empty and delimiter must not be empty$/],
  ["a heredoc without a delimiter", "a=1\nb<<\nx\n", /^Invalid format 'b<<'\. Name must not be empty and delimiter must not be empty$/],
];

for (const [title, text, message] of BAD) {
  test(`refuses ${title}, the pairs before it count`, () => {
    const seen = [];
    assert.throws(() => {
      for (const pair of parsePairs(text)) seen.push(pair);
    }, { message });
    assert.deepEqual(seen, [["a", "1"]]);
  });
}

test("a broken output file fails the step after its script", async () => {
  const result = await runAction({
    head: "outputs:\n  ok: {value: \"${{ steps.a.outputs.ok }}\"}\n  o: {value: \"${{ steps.b.outputs.o }}\"}\n",
    steps: sh('echo ok=1 >> "$GITHUB_OUTPUT"\necho broken >> "$GITHUB_OUTPUT"\necho v=1 >> "$GITHUB_ENV"', "id: a") + sh('echo "o=$v" >> "$GITHUB_OUTPUT"', "id: b\nif: always()"),
  });
  assert.equal(result.conclusion, "failure");
  assert.deepEqual(result.annotations.map((annotation) => annotation.message), [
    "Unable to process file command 'output' successfully.",
    "Invalid format 'broken'",
  ]);
  assert.deepEqual(result.outputs, { ok: "1", o: "1" });
});

test("an output without a name fails the step", async () => {
  const result = await runAction({ steps: sh('echo =x >> "$GITHUB_OUTPUT"') });
  assert.equal(result.annotations[0].message, "Unable to process file command 'output' successfully.");
});

test("a failed step's outputs count", async () => {
  const result = await runAction({
    head: "outputs:\n  o: {value: \"${{ steps.a.outputs.O }}\"}\n",
    steps: sh('echo o=1 >> "$GITHUB_OUTPUT"; exit 1', "id: a"),
  });
  assert.equal(result.conclusion, "failure");
  assert.deepEqual(result.outputs, { o: "1" });
});

test("GITHUB_ENV counts from the next step on, and cannot replace GITHUB_ and RUNNER_ variables", async () => {
  const result = await runAction({
    steps:
      sh('{ echo A=1; echo GITHUB_SHA=evil; echo RUNNER_OS=evil; echo "M<<E"; echo x; echo y; echo E; } >> "$GITHUB_ENV"\necho "[$A]"') +
      sh('echo "[$A][$M][$GITHUB_SHA][$RUNNER_OS][$B]"', "env: {B: '${{ env.A }}'}"),
    github: { sha: "good" },
  });
  assert.deepEqual(printed(result.log), ["[]", "[1][x", "y][good][Linux][1]"]);
  assert.deepEqual(result.env, { A: "1", GITHUB_SHA: "evil", RUNNER_OS: "evil", M: "x\ny" });
});

test("GITHUB_ENV refuses NODE_OPTIONS in any case: an error, but the step goes on", async () => {
  const result = await runAction({ steps: sh('{ echo node_options=x; echo A=1; } >> "$GITHUB_ENV"') });
  assert.equal(result.conclusion, "success");
  assert.deepEqual(result.annotations.map((annotation) => annotation.message), [
    "Can't store NODE_OPTIONS output parameter using '$GITHUB_ENV' command.",
  ]);
  assert.deepEqual(result.env, { A: "1" });
});

test("a step's own env wins over GITHUB_ENV", async () => {
  const result = await runAction({ steps: sh('echo A=file >> "$GITHUB_ENV"') + sh('echo "[$A]"', "env: {A: own}") + sh('echo "[$A]"') });
  assert.deepEqual(printed(result.log), ["[own]", "[file]"]);
});

test("GITHUB_PATH: the last is first, a repeated one moves to the front, a shell is found there", async () => {
  const tool = (name) => `mkdir -p ${name}; printf '#!/bin/sh\\necho ${name}\\n' > ${name}/tool; chmod +x ${name}/tool; echo "$PWD/${name}" >> "$GITHUB_PATH"`;
  const result = await runAction({
    steps: sh(tool("one")) + sh(`${tool("two")}\necho >> "$GITHUB_PATH"`) + sh("tool") + sh('echo "$PWD/one" >> "$GITHUB_PATH"') + sh("tool") + "- shell: tool {0}\n  run: x\n",
  });
  assert.deepEqual(printed(result.log), ["two", "one", "one"]);
  assert.deepEqual(result.path.map((folder) => folder.split("/").at(-1)), ["one", "two"]);
});

test("GITHUB_STATE stays with its step", async () => {
  const result = await runAction({ steps: sh('echo k=v >> "$GITHUB_STATE"') + sh('echo "[${STATE_k-unset}]"') });
  assert.deepEqual(result.state, { k: "v" });
  assert.deepEqual(printed(result.log), ["[unset]"]);
});

test("a summary is masked and kept per step", async () => {
  const result = await runAction({
    secrets: { S: "hunter2" },
    steps: sh('printf "# one\\nhunter2" >> "$GITHUB_STEP_SUMMARY"', "id: a") + sh('echo two >> "$GITHUB_STEP_SUMMARY"') + sh("true"),
  });
  assert.deepEqual(result.summaries, ["# one\n***\n", "two\n"]);
  assert.equal(result.steps.find((step) => step.id === "action.a").summary, "# one\n***\n");
});

test("a summary over 1 MiB is dropped as a whole with an error; the step goes on", async () => {
  const write = (size) => sh(`head -c ${size} /dev/zero | tr '\\0' x > "$GITHUB_STEP_SUMMARY"`);
  const result = await runAction({ steps: write(1048576) + write(1048577) });
  assert.equal(result.conclusion, "success");
  assert.equal(result.summaries.length, 1);
  assert.match(result.annotations[0].message, /^\$GITHUB_STEP_SUMMARY upload aborted, supports content up to a size of 1024k, got 1024k\./);
});

test("each step has fresh files; a removed file is not an error", async () => {
  const result = await runAction({
    steps: sh('rm "$GITHUB_OUTPUT" "$GITHUB_ENV" "$GITHUB_PATH" "$GITHUB_STATE" "$GITHUB_STEP_SUMMARY"\nbasename "$GITHUB_OUTPUT"') + sh('basename "$GITHUB_OUTPUT"; wc -c < "$GITHUB_OUTPUT"'),
  });
  assert.equal(result.conclusion, "success");
  const [first, second, size] = printed(result.log);
  assert.match(first, /^set_output_[0-9a-f-]{36}$/);
  assert.notEqual(first, second);
  assert.equal(size.trim(), "0");
});
