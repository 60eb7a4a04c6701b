// The state of one running step, top-level or nested in a composite: contexts, result, outputs, issues, log.
// Follows src/Runner.Worker/ExecutionContext.cs and StepsContext.cs.

import { IssueRecord, MAX_MESSAGE_LENGTH } from "./annotations.mjs";
import { Scope } from "./expressions.mjs";
import { hashFiles } from "./hash-files.mjs";

const SEVERITY = { success: 0, failure: 2, cancelled: 3, skipped: 4 };

/** TaskResultUtil.MergeTaskResults: the worse of two, and what is cancelled or skipped stays so. */
export function mergeResults(current, coming) {
  if (current === undefined) return coming;
  if (SEVERITY[current] > SEVERITY.failure) return current;
  return SEVERITY[coming] >= SEVERITY[current] ? coming : current;
}

export class Execution {
  /** `scope` is the place in the `steps` context ("" for the job), `contextName` the id or a generated one ("__..."). */
  constructor({ job, scope, contextName, parent, stepNumber }) {
    this.job = job;
    this.scope = scope;
    this.contextName = contextName;
    this.parent = parent;
    this.isEmbedded = parent !== undefined;
    this.isPost = parent?.isPost ?? false;
    this.values = { ...job.values, env: {} };
    if (this.isEmbedded) this.values.github = { ...job.values.github };
    this.overrides = new Set(parent?.overrides); // names that the `env:` of this step or of an outer one has set
    this.record = parent?.record ?? new IssueRecord(stepNumber);
    this.collected = parent?.collected ?? [];
    this.echo = job.debugging;
    this.state = {};
    this.outputs = {};
    this.summary = "";
    this.result = undefined;
    this.outcome = undefined;
    this.commandResult = undefined;
    this.exitCode = null;
    this.controller = new AbortController();
    if (parent?.deadline !== undefined) this.setDeadline(parent.deadline);
  }

  get qualifiedName() {
    return this.scope ? `${this.scope}.${this.contextName}` : this.contextName;
  }

  /** Nested main steps ask for the status of their composite, top-level and post steps for that of the job. */
  get expressionScope() {
    return new Scope({
      values: this.values,
      status: () => (this.isEmbedded && !this.isPost ? this.values.github.action_status : this.values.job.status) ?? "success",
      cancelled: () => this.values.job.status === "cancelled",
      hashFiles: (patterns) => hashFiles(this.values.github.workspace, patterns),
    });
  }

  setDeadline(deadline) {
    this.deadline = deadline;
    this.timer = setTimeout(() => this.controller.abort(), Math.max(0, deadline - Date.now()));
    this.timer.unref();
  }

  output(line) {
    this.job.log.write(line);
  }

  debug(message) {
    if (!this.job.debugging) return;
    for (const line of message.split(/\r?\n/)) this.job.log.write(`##[debug]${line}`);
  }

  error(message) {
    this.addIssue({ level: "error", message, properties: new Map() });
  }

  warning(message) {
    this.addIssue({ level: "warning", message, properties: new Map() });
  }

  /** Masks, then cuts, the message; the properties are not masked. */
  addIssue(issue) {
    issue.message = this.job.masker.mask(issue.message).slice(0, MAX_MESSAGE_LENGTH);
    if (this.isEmbedded) this.collected.push(issue);
    else this.record.add(issue);
    if (issue.message !== "") this.job.log.write(`##[${issue.level}]${issue.message}`);
  }

  setOutput(name, value) {
    if (name === "") throw new Error("Value cannot be null. (Parameter 'name')");
    setIgnoringCase(this.outputs, name, value);
    if (!isGenerated(this.contextName)) setIgnoringCase(this.stepsEntry().outputs, name, value);
  }

  setEnv(name, value) {
    if (name === "") throw new Error("Value cannot be null. (Parameter 'name')");
    this.job.environment[name] = value;
    this.job.exported[name] = value;
    this.values.env[name] = value;
  }

  addSummary(text) {
    this.summary += text;
    this.job.summaries.push(text);
  }

  /** Makes outcome and conclusion visible in the `steps` context. */
  updateStepsContext() {
    if (isGenerated(this.contextName)) return;
    const entry = this.stepsEntry();
    entry.outcome = this.outcome ?? this.result ?? "success";
    entry.conclusion = this.result ?? "success";
  }

  /** The end of a top-level step: the issues of its nested steps come after its own. */
  complete() {
    clearTimeout(this.timer);
    this.result ??= "success";
    if (!this.isEmbedded) this.collected.forEach((issue) => this.record.add(issue));
    this.updateStepsContext();
  }

  stepsEntry() {
    const steps = this.job.stepsOf(this.scope);
    return (steps[this.contextName] ??= { outputs: {} });
  }
}

/** Contexts ignore the case of names: a later `FOO` overwrites `foo`. */
export function setIgnoringCase(object, name, value) {
  const existing = Object.keys(object).find((key) => key.toLowerCase() === name.toLowerCase());
  object[existing ?? name] = value;
}

function isGenerated(contextName) {
  return contextName === "" || contextName.startsWith("__");
}
