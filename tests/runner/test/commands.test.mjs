// Workflow commands: parsing, unescaping, stop-commands, masks, deprecated and disabled ones.

import assert from "node:assert/strict";
import { test } from "node:test";
import { parseV1, parseV2 } from "../src/commands.mjs";
import { printed, runAction, sh } from "./support.mjs";

const KNOWN = new Set(["error", "warning", "notice", "add-mask", "set-output"]);

const V2 = [
  ["plain", "::error::text", { name: "error", data: "text" }],
  ["white space before it", " \t\u00a0::error::text", { name: "error", data: "text" }],
  ["text before it", "x ::error::text", undefined],
  ["a zero-width space before it", "\u200b::error::text", undefined],
  ["any case of the name", "::ERROR::text", { name: "ERROR", data: "text" }],
  ["an unknown name", "::oops::text", undefined],
  ["no second colons", "::error text", undefined],
  ["properties", "::error file=a.py,line=1::x", { name: "error", data: "x", properties: { file: "a.py", line: "1" } }],
  ["no trimming inside the properties", "::error  file=a.py, line=1::x", { name: "error", data: "x", properties: { file: "a.py", " line": "1" } }],
  ["properties ignore case", "::error FILE=a,endLine=2::x", { name: "error", data: "x", properties: { file: "a", endline: "2" } }],
  ["a property without a value", "::error file=,line=1,col::x", { name: "error", data: "x", properties: { line: "1" } }],
  ["further equal signs", "::error title=a=b==c::x", { name: "error", data: "x", properties: { title: "a=b==c" } }],
  ["equal signs around the first", "::error ==title==a::x", { name: "error", data: "x", properties: { title: "a" } }],
  ["escapes in data", "::error::a%0Ab%0Dc%25d%3Ae", { name: "error", data: "a\nb\rc%d%3Ae" }],
  ["percent is unescaped last", "::error::%250A", { name: "error", data: "%0A" }],
  ["escapes in properties", "::error title=a%3Ab%2Cc%0Ad%25::x", { name: "error", data: "x", properties: { title: "a:b,c\nd%" } }],
  ["colons in data", "::error::a::b", { name: "error", data: "a::b" }],
  ["colons in a property end the head", "::error title=a::b::c", { name: "error", data: "b::c", properties: { title: "a" } }],
];

const V1 = [
  ["at the start", "##[error]text", { name: "error", data: "text" }],
  ["anywhere in the line", "path/##[error]text", { name: "error", data: "text" }],
  ["only the first one", "##[oops] ##[error]text", undefined],
  ["properties with semicolons", "##[error file=a;line=2]x", { name: "error", data: "x", properties: { file: "a", line: "2" } }],
  ["escapes", "##[error title=a%3Bb%5Dc]x%0Ay%3Bz", { name: "error", data: "x\ny;z", properties: { title: "a;b]c" } }],
  ["a zero-width space inside breaks it", "##\u200b[error]text", undefined],
  ["no bracket", "##[error text", undefined],
];

for (const [parse, cases] of [[parseV2, V2], [parseV1, V1]]) {
  for (const [title, line, expected] of cases) {
    test(`${parse.name}: ${title}`, () => {
      const command = parse(line, KNOWN);
      const found = command && { ...command, properties: Object.fromEntries(command.properties) };
      assert.deepEqual(found, expected && { properties: {}, ...expected });
    });
  }
}

test("commands are read from standard output and standard error", async () => {
  const result = await runAction({ steps: sh("echo ::error::out\necho ::warning::err >&2") });
  assert.deepEqual(result.annotations.map(({ level, message }) => [level, message]).sort(), [["error", "out"], ["warning", "err"]]);
  assert.equal(result.conclusion, "success");
});

test("a carriage return starts a line, and so a command", async () => {
  const result = await runAction({ steps: sh(String.raw`printf 'progress\r::error::after\r\nplain\n'`) });
  assert.deepEqual(result.annotations.map((annotation) => annotation.message), ["after"]);
  assert.deepEqual(printed(result.log).sort(), ["##[error]after", "plain", "progress"]);
});

test("output without a final newline is a line too", async () => {
  const result = await runAction({ steps: sh("printf ::notice::end") });
  assert.deepEqual(result.annotations.map((annotation) => annotation.message), ["end"]);
});

test("stop-commands: nothing counts, not even a mask, until the token", async () => {
  const result = await runAction({
    steps: sh("echo ::stop-commands::token-123\necho ::error::no\necho ::add-mask::visible\necho visible\necho '::TOKEN-123::'\necho ::error::yes"),
  });
  assert.deepEqual(result.annotations.map((annotation) => annotation.message), ["yes"]);
  // The token itself is masked, since it is longer than six characters.
  assert.deepEqual(printed(result.log), [
    "::stop-commands::***",
    "::error::no",
    "::add-mask::visible",
    "visible",
    "::TOKEN-123::",
    "##[error]yes",
  ]);
});

test("stop-commands on one stream stops the other, and ends with the step", async () => {
  const result = await runAction({
    steps: sh("echo ::stop-commands::abc\nsleep 0.3\necho ::error::no >&2") + sh("echo ::error::yes"),
  });
  assert.deepEqual(result.annotations.map((annotation) => annotation.message), ["yes"]);
  assert.match(result.log, /^::stop-commands::abc$/m);
});

for (const token of ["", "pause-logging", "error"]) {
  test(`stop-commands refuses the token '${token}' and the step fails`, async () => {
    const result = await runAction({ steps: sh(`echo '::stop-commands::${token}'`) });
    assert.equal(result.conclusion, "failure");
    assert.match(result.annotations[0].message, /^You cannot use a endToken that is an empty string/);
  });
}

test("add-mask: the whole value and each of its lines, from then on", async () => {
  const result = await runAction({
    steps: sh("echo before hunter2\necho '::add-mask::hunter2%0A  second line  %0A'\necho after hunter2\necho 'a second line b'"),
  });
  assert.deepEqual(printed(result.log), ["before hunter2", "after ***", "a *** b"]);
  assert.equal(result.masks, 3);
});

test("add-mask of nothing warns", async () => {
  const result = await runAction({ steps: sh("echo '::add-mask::  '") });
  assert.deepEqual(result.annotations.map(({ level, message }) => [level, message]), [
    ["warning", "Can't add secret mask for empty string in ##[add-mask] command."],
  ]);
});

test("a mask of one character masks everything", async () => {
  const result = await runAction({ steps: sh("echo ::add-mask::e\necho seven eels") });
  assert.equal(printed(result.log)[0], "s***v***n ***ls");
});

test("messages are masked, titles and files are not", async () => {
  const result = await runAction({ steps: sh("echo ::add-mask::s3cret\necho '::error title=s3cret,file=s3cret::my s3cret'") });
  const [{ message, title, file }] = result.annotations;
  assert.deepEqual({ message, title, file }, { message: "my ***", title: "s3cret", file: "s3cret" });
});

test("groups are printed in the form of the log", async () => {
  const result = await runAction({ steps: sh("echo ::group::title\necho in\necho ::endgroup::ignored") });
  assert.match(result.log, /##\[endgroup\]\n##\[group\]title\nin\n##\[endgroup\]\n/);
});

test("set-output and save-state still work and warn", async () => {
  const result = await runAction({
    head: "outputs:\n  o: {value: \"${{ steps.s.outputs.name }}\"}\n",
    steps: sh("echo '::set-output name=name::a%0Ab'\necho '::save-state name=k::v'\necho ::set-output::x", "id: s"),
  });
  assert.equal(result.outputs.o, "a\nb");
  assert.deepEqual(result.state, { k: "v" });
  const messages = result.annotations.map((annotation) => annotation.message);
  assert.equal(messages.filter((message) => /^The `(set-output|save-state)` command is deprecated/.test(message)).length, 3);
  assert.ok(messages.includes("Required field 'name' is missing in ##[set-output] command."));
  assert.equal(result.conclusion, "failure");
});

for (const line of ["::set-env name=A::b", "::add-path::/x", "##[set-env name=A]b"]) {
  test(`${line} is disabled and fails the step`, async () => {
    const result = await runAction({ steps: sh(`echo '${line}'\nexit 0`) + sh("echo \"[${A-unset}]\"", "if: always()") });
    assert.equal(result.conclusion, "failure");
    assert.equal(result.annotations[0].message, `Unable to process command '${line}' successfully.`);
    assert.match(result.annotations[1].message, /^The `(set-env|add-path)` command is disabled\./);
    assert.match(result.log, /^\[unset\]$/m);
  });
}

test("set-env works where the job allows it", async () => {
  const result = await runAction({
    env: { ACTIONS_ALLOW_UNSECURE_COMMANDS: "true" },
    steps: sh("echo '::set-env name=A::b'") + sh('echo "[$A]"'),
  });
  assert.match(result.log, /^\[b\]$/m);
});

test("echo shows the commands that are not quiet", async () => {
  const result = await runAction({ steps: sh("echo ::echo::on\necho '::save-state name=a::b'\necho ::echo::off\necho '::save-state name=c::d'") });
  assert.ok(printed(result.log).includes("::save-state name=a::b"));
  assert.ok(!printed(result.log).includes("::save-state name=c::d"));
});

test("debug lines show only with step debugging", async () => {
  const steps = sh('echo ::debug::detail\necho "[${RUNNER_DEBUG-unset}]"');
  assert.deepEqual(printed((await runAction({ steps })).log), ["[unset]"]);
  const log = (await runAction({ steps, debug: true })).log;
  assert.match(log, /^##\[debug\]detail$/m);
  assert.match(log, /^\[1\]$/m);
});

test("problem matchers are swallowed and reported as unsupported", async () => {
  const result = await runAction({ steps: sh("echo ::add-matcher::m.json") });
  assert.deepEqual(result.unsupported, ["add-matcher m.json"]);
  assert.deepEqual(printed(result.log), []);
});
