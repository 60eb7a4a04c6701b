// Runs the top-level steps of a job and gathers the result.
// Follows src/Runner.Worker/StepsRunner.cs, JobRunner.cs and JobExtension.cs.

import { randomUUID } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { githubContext, runnerContext } from "./contexts.mjs";
import { Execution, mergeResults } from "./execution.mjs";
import { evaluateCondition, evaluateString, evaluateStrings } from "./expressions.mjs";
import { JobLog } from "./log.mjs";
import { SecretMasker } from "./masks.mjs";
import { endOrphans } from "./orphans.mjs";
import { applyContinueOnError, displayName, stillHolds } from "./outcome.mjs";
import { postSteps } from "./post.mjs";
import { CancelledError } from "./process.mjs";
import { runAction } from "./step.mjs";
import { prepareUses } from "./uses.mjs";

const EXIT_CODES = { success: 0, skipped: 0, failure: 1, cancelled: 130 };
/** Of the variables of this host, a step sees these, those named by --pass-env, and nothing else. */
const HOST_VARIABLES = ["PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TZ"];

/**
 * What all steps of a job share. `plan` is `{id, workflowName, workflowFile, steps, env, defaultsRun, outputs, values,
 * repositoryRoot, idToken}`, made by plan.mjs; `options` is the parsed command line.
 */
export class Job {
  #cancelListeners = new Set();

  constructor(plan, options) {
    this.plan = plan;
    this.options = options;
    this.masker = new SecretMasker();
    this.log = new JobLog(this.masker, options.echo);
    this.debugging = options.debug ?? false;
    this.repositoryRoot = plan.repositoryRoot;
    this.standIns = options.standIns ?? {};
    this.hostEnvironment = hostEnvironment(options.passEnv ?? []);
    this.trackingId = `github_${randomUUID()}`;
    this.ownsTemp = !options.temp;
    this.base = options.temp ?? mkdtempSync(path.join(os.tmpdir(), "host-runner-"));
    this.temp = path.join(this.base, "_temp");
    this.environment = {}; // GlobalContext.EnvironmentVariables
    this.exported = {}; // of these, what steps have set
    this.path = []; // first is first in PATH
    this.defaultsRun = {};
    this.cancelled = false;
    this.result = undefined;
    this.scopes = new Map();
    this.steps = [];
    this.records = [];
    this.summaries = [];
    this.unsupported = [];
    this.outputs = {};
    this.orphans = [];
    this.idToken = plan.idToken;
    this.runtime = options.runtime ?? {}; // variables that node actions alone get
    this.posts = []; // of the actions whose main has begun
    this.values = this.#initialValues();
    this.#addMasks();
  }

  #initialValues() {
    const { options, plan } = this;
    const workspace = path.resolve(options.workspace);
    const toolCache = options.toolCache ?? path.join(this.base, "_tool");
    const eventPath = path.join(this.temp, "_github_workflow", "event.json");
    const event = options.event ?? {};
    for (const folder of [path.dirname(eventPath), toolCache]) mkdirSync(folder, { recursive: true });
    writeFileSync(eventPath, JSON.stringify(event, null, 2));
    return {
      github: githubContext({
        overrides: options.github ?? {},
        workspace,
        event,
        eventPath,
        eventName: options.eventName ?? "push",
        jobId: plan.id,
        workflowName: plan.workflowName,
        workflowFile: plan.workflowFile,
      }),
      runner: runnerContext({
        temp: this.temp,
        toolCache,
        workspace: path.dirname(workspace),
        debugging: this.debugging,
      }),
      job: { status: "success" },
      strategy: plan.values.strategy ?? null,
      matrix: plan.values.matrix ?? null,
      needs: plan.values.needs ?? {},
      inputs: plan.values.inputs ?? {},
      vars: options.vars ?? {},
      secrets: { ...(options.secrets ?? {}), github_token: options.github?.token ?? "" },
    };
  }

  #addMasks() {
    for (const secret of Object.values(this.values.secrets)) this.masker.addLines(secret);
    if (this.values.github.token) {
      this.masker.add(Buffer.from(`x-access-token:${this.values.github.token}`).toString("base64"));
    }
    if (this.idToken) this.masker.add(this.idToken.token);
    if (this.runtime.ACTIONS_RUNTIME_TOKEN) this.masker.add(this.runtime.ACTIONS_RUNTIME_TOKEN);
  }

  stepsOf(scope) {
    if (!this.scopes.has(scope)) this.scopes.set(scope, {});
    return this.scopes.get(scope);
  }

  prependPath(folder) {
    this.path = [folder, ...this.path.filter((other) => other !== folder)];
  }

  /** Cancels the job: each running step asks its own condition whether it goes on. */
  cancel() {
    if (this.cancelled || this.ended) return;
    this.cancelled = true;
    this.#markCancelled();
    for (const listener of [...this.#cancelListeners]) listener();
  }

  #markCancelled() {
    this.result = "cancelled";
    this.values.job.status = "cancelled";
  }

  onCancel(listener) {
    if (this.cancelled) {
      this.#markCancelled();
      return () => {};
    }
    this.#cancelListeners.add(listener);
    return () => this.#cancelListeners.delete(listener);
  }

  /** Called with every line that a process of a step has printed. */
  sawLine(line) {
    if (this.options.cancelWhen?.test(line)) this.cancel();
  }

  recordStep(execution, step, started) {
    this.steps.push({
      id: execution.qualifiedName.replace(/__[0-9a-f-]{36}/g, "_"),
      name: this.masker.mask(execution.name ?? ""),
      outcome: execution.outcome ?? execution.result ?? "success",
      conclusion: execution.result ?? "success",
      outputs: execution.outputs,
      exitCode: execution.exitCode,
      summary: execution.summary,
      state: execution.state,
      durationMs: Date.now() - started,
    });
  }

  async run() {
    const { plan, options } = this;
    const { cancelAfterMs } = options;
    const timer = cancelAfterMs === undefined ? undefined : setTimeout(() => this.cancel(), cancelAfterMs);
    const setup = new Execution({ job: this, scope: "", contextName: "", stepNumber: 1 });
    this.records.push(setup.record);
    try {
      if (plan.skipped) this.result = "skipped";
      else if (this.#setUp(setup)) await this.#runSteps();
      if (!plan.skipped) this.#setJobOutputs(setup);
    } finally {
      this.ended = true;
      clearTimeout(timer);
      this.log.write("Cleaning up orphan processes");
      this.orphans = endOrphans(this.trackingId, (line) => this.log.write(line));
      if (this.ownsTemp) rmSync(this.base, { recursive: true, force: true });
    }
    return this.#report();
  }

  /** Job variables, defaults, and every action that is not `./`. */
  #setUp(setup) {
    try {
      const values = { ...this.values, env: this.environment };
      setup.values = values;
      for (const token of this.plan.env) Object.assign(this.environment, evaluateStrings(token, setup.expressionScope));
      Object.assign(this.environment, this.options.env ?? {});
      for (const token of this.plan.defaultsRun) {
        const defaults = evaluateStrings(token, setup.expressionScope); // the job's replace the workflow's as a whole
        this.defaultsRun = Object.fromEntries(Object.entries(defaults).filter(([, value]) => value !== ""));
      }
      prepareUses(this.plan.steps, this.repositoryRoot, this);
      return true;
    } catch (error) {
      setup.error(error.message);
      this.result = "failure";
      this.values.job.status = "failure";
      return false;
    }
  }

  async #runSteps() {
    let number = 1;
    for (const step of this.plan.steps) await this.#runStep(step, (number += 1));
    for (const step of postSteps(this.posts)) await this.#runStep(step, (number += 1));
  }

  async #runStep(step, stepNumber) {
    const started = Date.now();
    const execution = new Execution({ job: this, scope: "", contextName: step.contextName, stepNumber });
    this.records.push(execution.record);
    if (step.post) {
      execution.isPost = true;
      execution.state = step.post.state;
    }
    execution.values.steps = this.stepsOf("");
    execution.values.github.action = step.contextName;
    const finish = (result) => {
      if (result) execution.result = result;
      execution.complete();
      if (execution.result === "failure") {
        this.result = mergeResults(this.result, "failure");
        this.values.job.status = this.result;
      }
      this.recordStep(execution, step, started);
    };

    Object.assign(execution.values.env, this.environment);
    try {
      for (const [name, value] of Object.entries(evaluateStrings(step.env, execution.expressionScope))) {
        execution.values.env[name] = value;
        execution.overrides.add(name);
      }
    } catch (error) {
      execution.error(error.message);
      finish("failure");
      return;
    }
    execution.name = displayName(step, execution.expressionScope);

    const stopListening = this.onCancel(() => {
      if (!stillHolds(execution, step)) execution.controller.abort();
    });
    try {
      if (!evaluateCondition(step.if, execution.expressionScope)) {
        finish("skipped");
        return;
      }
    } catch (error) {
      execution.error(error.message);
      finish("failure");
      return;
    } finally {
      if (execution.result) stopListening();
    }

    await this.#runToEnd(execution, step);
    stopListening();
    if (execution.commandResult) execution.result = mergeResults(execution.result, execution.commandResult);
    applyContinueOnError(execution, step.continueOnError);
    finish();
  }

  async #runToEnd(execution, step) {
    const minutes = timeoutMinutes(execution, step);
    if (minutes > 0) execution.setDeadline(Date.now() + minutes * (this.options.minuteMs ?? 60_000));
    try {
      await runAction(execution, step, step.post?.place ?? { root: this.repositoryRoot, nesting: 0 });
    } catch (error) {
      if (error instanceof CancelledError && !this.cancelled) {
        execution.error(`The action '${execution.name}' has timed out after ${minutes} minutes.`);
        execution.result = "failure";
      } else {
        execution.error(error.message);
        execution.result = error instanceof CancelledError ? "cancelled" : "failure";
      }
    }
  }

  /** An output that is empty, or that a mask would change, does not leave the job. */
  #setJobOutputs(setup) {
    if (this.plan.actionOutputs) {
      this.outputs = this.stepsOf("")[this.plan.steps[0].contextName]?.outputs ?? {};
      return;
    }
    if (!this.plan.outputs) return;
    setup.values = { ...this.values, env: this.environment, steps: this.stepsOf("") };
    try {
      for (const [name, value] of Object.entries(evaluateStrings(this.plan.outputs, setup.expressionScope))) {
        if (value === "") continue;
        if (this.masker.mask(value) !== value) setup.warning(`Skip output '${name}' since it may contain secret.`);
        else this.outputs[name] = value;
      }
    } catch (error) {
      setup.error(error.message);
      this.result = mergeResults(this.result, "failure");
    }
  }

  #report() {
    const conclusion = this.result ?? "success";
    return {
      conclusion,
      exitCode: EXIT_CODES[conclusion],
      outputs: this.outputs,
      env: this.exported,
      path: this.path,
      state: Object.assign({}, ...this.steps.map((step) => step.state)),
      steps: this.steps,
      log: this.log.text,
      annotations: this.records.flatMap((record) => record.annotations()),
      droppedAnnotations: this.records.reduce((sum, record) => sum + record.dropped, 0),
      summaries: this.summaries,
      masks: this.masker.count,
      orphans: this.orphans,
      unsupported: this.unsupported,
    };
  }
}

function timeoutMinutes(execution, step) {
  if (!step.timeoutMinutes) return 0;
  try {
    const minutes = Number(evaluateString(step.timeoutMinutes, execution.expressionScope));
    if (Number.isNaN(minutes)) throw new Error(`Unexpected value '${step.timeoutMinutes}'`);
    return Math.trunc(minutes);
  } catch (error) {
    execution.error("An error occurred when attempting to determine the step timeout.");
    execution.error(error.message);
    return 0;
  }
}

function hostEnvironment(passed) {
  const names = [...HOST_VARIABLES, ...passed].filter((name) => process.env[name] !== undefined);
  return Object.fromEntries(names.map((name) => [name, process.env[name]]));
}

