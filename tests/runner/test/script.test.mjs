// Run steps: the shell line, the environment, the directory, the exit code.

import assert from "node:assert/strict";
import { test } from "node:test";
import { splitArguments } from "../src/process.mjs";
import { printed, runAction, sh } from "./support.mjs";

const run = (shell, script, extra = "") => `- shell: ${JSON.stringify(shell)}\n${extra}  run: ${JSON.stringify(script)}\n`;

const SHELLS = [
  ["bash stops at the first error", "bash", "false\necho no", 1, []],
  ["bash fails in a pipe", "bash", "false | true", 1, []],
  ["bash reads no start-up files", "bash", "shopt -q login_shell || echo plain", 0, ["plain"]],
  ["sh stops at the first error", "sh", "false\necho no", 1, []],
  ["sh does not fail in a pipe", "sh", "false | true; echo $0 | grep -c '\\.sh$'", 0, ["1"]],
  ["python", "python", "print(6 * 7)", 0, ["42"]],
  ["a custom line", "bash -u {0}", "echo $NOPE", 1, undefined],
  ["a custom line with env", "/usr/bin/env -u HOME /bin/sh -eu {0}", 'echo "[${HOME-unset}]"', 0, ["[unset]"]],
  ["a custom line with double quotes", 'sh -c "sh {0}; echo \\"end\\""', "echo script", 0, ["script", "end"]],
  ["braces are doubled", "sh -c \"echo {{1}} $0\" {0}", "x", 0, undefined],
  ["the exit code of the script", "bash", "exit 42", 42, []],
  ["a script ended by a signal", "sh", "kill -9 $$", 137, []],
];

for (const [title, shell, script, code, output] of SHELLS) {
  test(`shell: ${title}`, async () => {
    const result = await runAction({ steps: run(shell, script) });
    assert.equal(result.steps[0].exitCode, code, result.log);
    if (output) assert.deepEqual(printed(result.log).filter((line) => !line.startsWith("##[error]")), output);
    const errors = code === 0 ? [] : [`Process completed with exit code ${code}.`];
    assert.deepEqual(result.annotations.map((annotation) => annotation.message), errors);
  });
}

for (const [shell, message] of [
  ["bash -e", /^Invalid shell option\./],
  ["perl", /^Invalid shell option\.|not found/],
  ["no-such-shell {0}", /^no-such-shell: command not found$/],
  ["sh {0} {1}", /^Input string was not in a correct format\.$/],
]) {
  test(`shell: refuses ${shell}`, async () => {
    const result = await runAction({ steps: run(shell, "true") });
    assert.equal(result.conclusion, "failure");
    assert.match(result.annotations[0].message, message);
  });
}

const ARGUMENTS = [
  ["a  b\tc", ["a", "b", "c"]],
  ['-c "a b" c', ["-c", "a b", "c"]],
  ["-c 'a b'", ["-c", "'a", "b'"]],
  ['"a\\"b" c\\d \\\\"e f"', ['a"b', "c\\d", "\\e f"]],
  ['""', [""]],
  ['"a""b"', ['a"b']],
];
for (const [text, expected] of ARGUMENTS) {
  test(`arguments: ${text}`, () => assert.deepEqual(splitArguments(text), expected));
}

test("the environment is exactly what the rules give", async () => {
  process.env.HOST_RUNNER_LEAK = "leak";
  const result = await runAction({ env: { FROM_JOB: "1" }, steps: sh("env | cut -d= -f1 | sort | tr '\\n' ' '") });
  const host = ["PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TZ"].filter((name) => process.env[name] !== undefined);
  const github = "ACTION ACTIONS ACTION_PATH ACTION_REF ACTION_REPOSITORY ACTOR ACTOR_ID API_URL BASE_REF ENV EVENT_NAME EVENT_PATH GRAPHQL_URL HEAD_REF JOB OUTPUT PATH REF REF_NAME REF_PROTECTED REF_TYPE REPOSITORY REPOSITORY_ID REPOSITORY_OWNER REPOSITORY_OWNER_ID RETENTION_DAYS RUN_ATTEMPT RUN_ID RUN_NUMBER SERVER_URL SHA STATE STEP_SUMMARY TRIGGERING_ACTOR WORKFLOW WORKFLOW_REF WORKFLOW_SHA WORKSPACE".split(" ").map((name) => `GITHUB_${name}`);
  const runner = "ARCH ENVIRONMENT NAME OS TEMP TOOL_CACHE TRACKING_ID WORKSPACE".split(" ").map((name) => `RUNNER_${name}`);
  const expected = [...host, ...github, ...runner, "CI", "FROM_JOB", "PWD"].sort();
  const found = printed(result.log)[0].trim().split(" ").filter((name) => !["_", "SHLVL", "OLDPWD"].includes(name)).sort();
  assert.deepEqual(found, expected);
});

test("a host variable comes through only when named; CI can be replaced, GITHUB_ACTIONS cannot", async () => {
  process.env.HOST_RUNNER_PASS = "passed";
  const result = await runAction({
    passEnv: ["HOST_RUNNER_PASS"],
    env: { CI: "mine", GITHUB_ACTIONS: "mine" },
    steps: sh('echo "$HOST_RUNNER_PASS $CI $GITHUB_ACTIONS"'),
  });
  assert.deepEqual(printed(result.log), ["passed mine true"]);
});

test("an identity token is offered only with the permission; runtime tokens never", async () => {
  const steps = sh('echo "[${ACTIONS_ID_TOKEN_REQUEST_URL-unset}][${ACTIONS_ID_TOKEN_REQUEST_TOKEN-unset}][${ACTIONS_RUNTIME_TOKEN-unset}]"');
  assert.deepEqual(printed((await runAction({ steps })).log), ["[unset][unset][unset]"]);
  const granted = await runAction({ steps, permissions: ["id-token=write"], idTokenUrl: "http://127.0.0.1:1/x" });
  assert.deepEqual(printed(granted.log), ["[http://127.0.0.1:1/x][***][unset]"]);
});

test("GITHUB_ACTION_REF and _REPOSITORY are set and empty in a run step", async () => {
  const result = await runAction({ steps: sh('echo "[$GITHUB_ACTION_REF][${GITHUB_ACTION_REF+set}][$GITHUB_ACTION_REPOSITORY]"') });
  assert.deepEqual(printed(result.log), ["[][set][]"]);
});

test("standard input is closed", async () => {
  const result = await runAction({ steps: sh("cat; echo done") });
  assert.deepEqual(printed(result.log), ["done"]);
});

test("a working directory that is not there fails the step", async () => {
  const result = await runAction({ steps: sh("true", "working-directory: nope") });
  assert.match(result.annotations[0].message, /^An error occurred trying to start process '.*' with working directory '.*\/nope'\. No such file or directory$/);
});

test("a variable too long for the system fails the next step", async () => {
  const result = await runAction({
    steps: sh("{ printf A=; head -c 200000 /dev/zero | tr '\\0' x; echo; } >> \"$GITHUB_ENV\"") + sh("true"),
  });
  assert.equal(result.conclusion, "failure");
  assert.match(result.annotations[0].message, /^An error occurred trying to start process .* Argument list too long$/);
});

test("the event's payload is a file and a context", async () => {
  const result = await runAction({
    event: { number: 7 },
    steps: sh("echo ${{ github.event.number }}; cat $GITHUB_EVENT_PATH | tr -d ' \\n'; echo"),
  });
  assert.deepEqual(printed(result.log), ["7", '{"number":7}']);
});

test("the log shows script, shell and env of a step, masked", async () => {
  const result = await runAction({ secrets: { S: "hunter2" }, steps: sh("echo hi", "env: {V: hunter2}") });
  assert.match(result.log, /##\[group\]Run echo hi\n\u001b\[36;1mecho hi\u001b\[0m\nshell: \S+\/sh -e \{0\}\nenv:\n  V: \*\*\*\n##\[endgroup\]\nhi\n/);
});

test("an output held open by a background process delays the end by five seconds at most", async () => {
  const started = Date.now();
  const result = await runAction({ steps: sh("sleep 30 &\necho done") });
  const elapsed = Date.now() - started;
  assert.ok(elapsed >= 5000 && elapsed < 25_000, `${elapsed} ms`);
  assert.equal(result.conclusion, "success");
  assert.equal(result.orphans.length, 1);
});
