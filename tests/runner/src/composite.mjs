// Runs the steps of a composite action, one after the other, and maps its outputs.
// Follows src/Runner.Worker/Handlers/CompositeActionHandler.cs.

import { randomUUID } from "node:crypto";
import { Execution, mergeResults } from "./execution.mjs";
import { evaluateCondition, evaluateString, evaluateStrings } from "./expressions.mjs";
import { applyContinueOnError, displayName, stillHolds } from "./outcome.mjs";
import { postSteps } from "./post.mjs";
import { CancelledError } from "./process.mjs";

/** `runAction` is passed in, since a nested `uses:` comes back here. */
export async function runComposite(parent, action, inputs, place, runAction) {
  const { job } = parent;
  const scope = parent.qualifiedName || `__${randomUUID()}`;
  // The posts see what the steps of main have left: their outputs and, by each, its state.
  if (!parent.isPost) parent.post.scope = scope;
  const steps = parent.isPost ? postSteps(parent.post.nested) : action.steps;
  const executions = steps.map((step) => {
    const contextName = step.contextName || `__${randomUUID()}`;
    const execution = new Execution({ job, scope, contextName, parent });
    execution.values.inputs = inputs;
    execution.values.steps = job.stepsOf(parent.post.scope);
    if (step.post) execution.state = step.post.state;
    execution.values.github.action_path = action.directory;
    return { execution, step };
  });

  try {
    for (const { execution, step } of executions) {
      const goOn = await runEmbedded(parent, execution, step, place, runAction);
      if (!goOn) break;
    }
    parent.values.inputs = inputs;
    parent.values.steps = job.stepsOf(scope);
    for (const { id, value } of action.outputs) parent.setOutput(id, evaluateString(value, parent.expressionScope));
  } catch (error) {
    parent.error(error.message);
    parent.result = "failure";
  } finally {
    executions.forEach(({ execution }) => clearTimeout(execution.timer));
  }
}

/** Whether the next step may be looked at: only a condition that cannot be evaluated stops the composite at once. */
async function runEmbedded(parent, execution, step, place, runAction) {
  const { job } = parent;
  const started = Date.now();
  execution.values.github.action_status = parent.result ?? "success";
  prepareEnvironment(parent, execution, step);
  execution.name = displayName(step, execution.expressionScope);

  const stopListening = job.onCancel(() => {
    execution.values.github.action_status = "cancelled";
    if (!stillHolds(execution, step)) execution.controller.abort();
  });
  let conditionHolds = false;
  try {
    conditionHolds = evaluateCondition(step.if, execution.expressionScope);
  } catch (error) {
    stopListening();
    execution.error(error.message);
    setConclusion(execution, "failure");
    parent.result = "failure";
    job.recordStep(execution, step, started);
    return false;
  }
  if (!conditionHolds) {
    stopListening();
    setConclusion(execution, "skipped");
    job.recordStep(execution, step, started);
    return true;
  }

  try {
    await runAction(execution, step, place);
  } catch (error) {
    if (error instanceof CancelledError && !job.cancelled) {
      execution.error("The action has timed out.");
      setConclusion(execution, "failure");
    } else {
      execution.error(error.message);
      setConclusion(execution, error instanceof CancelledError ? "cancelled" : "failure");
    }
  } finally {
    stopListening();
    clearTimeout(execution.timer);
  }
  if (execution.commandResult) setConclusion(execution, mergeResults(execution.result, execution.commandResult));
  applyContinueOnError(execution, step.continueOnError);
  if (execution.result === "failure" || execution.result === "cancelled") {
    parent.result = mergeResults(parent.result, execution.result);
  }
  execution.updateStepsContext();
  job.recordStep(execution, step, started);
  return true;
}

/** The variables of the job, then what the outer steps have set by `env:`, then the step's own `env:`. */
function prepareEnvironment(parent, execution, step) {
  const env = execution.values.env;
  Object.assign(env, parent.job.environment);
  for (const name of parent.overrides) {
    if (name in parent.values.env) env[name] = parent.values.env[name];
  }
  try {
    for (const [name, value] of Object.entries(evaluateStrings(step.env, execution.expressionScope))) {
      env[name] = value;
      execution.overrides.add(name);
    }
  } catch (error) {
    // The runner records the failure and still runs the step.
    execution.error(error.message);
    setConclusion(execution, "failure");
  }
}

function setConclusion(execution, result) {
  execution.result = result;
  execution.updateStepsContext();
}
