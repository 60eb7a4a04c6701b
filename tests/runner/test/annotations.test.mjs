// Which issues become annotations, and with which place.

import assert from "node:assert/strict";
import { test } from "node:test";
import { validateLinesAndColumns } from "../src/annotations.mjs";
import { composite, runAction, sh, temporary, write } from "./support.mjs";

const PLACES = [
  ["line and column", { line: "3", col: "4" }, { line: "3", col: "4" }],
  ["end line alone becomes the line, and is then behind it", { endline: "5" }, { line: "5", endline: "5" }],
  ["end column alone becomes the column", { line: "1", endcolumn: "9" }, { line: "1", col: "9", endcolumn: "9" }],
  ["column without a line is dropped", { col: "4", endcolumn: "5" }, {}],
  ["columns over two lines are dropped", { line: "1", endline: "2", col: "3", endcolumn: "4" }, { line: "1", endline: "2" }],
  ["columns on one line stay", { line: "2", endline: "2", col: "3", endcolumn: "4" }, { line: "2", endline: "2", col: "3", endcolumn: "4" }],
  ["lines that go back are dropped, with the columns", { line: "5", endline: "2", col: "1" }, {}],
  ["columns that go back are dropped", { line: "5", col: "9", endcolumn: "2" }, { line: "5" }],
  ["what is no number stays as text", { line: "x" }, { line: "x" }],
];

for (const [title, given, expected] of PLACES) {
  test(`place: ${title}`, () => {
    assert.deepEqual(Object.fromEntries(validateLinesAndColumns(new Map(Object.entries(given)))), expected);
  });
}

test("an annotation carries its place and title; paths below the workspace become relative", async () => {
  const result = await runAction({
    steps: sh('echo "::error file=$GITHUB_WORKSPACE/src/a.py,line=2,endLine=2,col=3,endColumn=7,title=T1::one"\necho "::warning file=src/b.py,line=9::two"\necho "::notice::three"\necho "::error file=${GITHUB_WORKSPACE}x/c.py::four"'),
  });
  const place = { step: 2 };
  assert.deepEqual(result.annotations, [
    { level: "error", file: "src/a.py", line: 2, endLine: 2, col: 3, endColumn: 7, title: "T1", message: "one", ...place },
    { level: "warning", file: "src/b.py", line: 9, endLine: 9, col: null, endColumn: null, title: null, message: "two", ...place },
    { level: "notice", file: null, line: null, endLine: null, col: null, endColumn: null, title: null, message: "three", ...place },
    { level: "error", file: `${result.workspace}x/c.py`, line: null, endLine: null, col: null, endColumn: null, title: null, message: "four", ...place },
  ]);
});

test("ten of each level for a whole composite, nested actions included", async () => {
  const many = (level) => sh(`for i in $(seq 1 8); do echo "::${level}::${level} $i"; done`);
  const root = write(temporary(), {
    ".github/keep": "",
    "action.yml": composite(`${many("error")}- uses: $/inner\n${many("notice")}`),
    "inner/action.yml": composite(many("error") + many("warning")),
  });
  const result = await runAction({ directory: root });
  const messages = (level) => result.annotations.filter((annotation) => annotation.level === level).map(({ message }) => message);
  assert.deepEqual(messages("error"), ["1", "2", "3", "4", "5", "6", "7", "8", "1", "2"].map((n) => `error ${n}`));
  assert.equal(messages("warning").length, 8);
  assert.equal(messages("notice").length, 8);
  assert.equal(result.droppedAnnotations, 6);
  assert.equal(result.log.match(/^##\[error\]/gm).length, 16, "the log has them all");
});

test("the runner's own error about the exit code needs a place among the ten", async () => {
  const result = await runAction({ steps: sh("for i in $(seq 1 10); do echo ::error::$i; done; exit 3") });
  assert.equal(result.annotations.length, 10);
  assert.equal(result.droppedAnnotations, 1);
  assert.match(result.log, /^##\[error\]Process completed with exit code 3\.$/m);
});

test("a message is cut at 4,096 UTF-16 units, after masking", async () => {
  const result = await runAction({
    secrets: { S: "abcdefghij" },
    steps: sh(`printf '::error::abcdefghij'; head -c 5000 /dev/zero | tr '\\0' x; echo`),
  });
  assert.equal(result.annotations[0].message.length, 4096);
  assert.ok(result.annotations[0].message.startsWith("***xxx"));
});

test("a blank message makes no annotation", async () => {
  const result = await runAction({ steps: sh("echo '::error file=a.py,line=1::'\necho '::error::  '") });
  assert.deepEqual(result.annotations, []);
});
