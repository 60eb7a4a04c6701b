// What surrounds a step, top-level or nested alike: its condition, its name, its `continue-on-error`.
// Follows the parts that StepsRunner.cs and CompositeActionHandler.cs share, and ApplyContinueOnError in ExecutionContext.cs.

import { evaluate, evaluateCondition, evaluateString } from "./expressions.mjs";
import { data, isBasicExpression } from "./packages.mjs";

/** Asked again when the job is cancelled: whether a running step goes on. */
export function stillHolds(execution, step) {
  try {
    return evaluateCondition(step.if, execution.expressionScope);
  } catch (error) {
    execution.error(error.message);
    return false;
  }
}

/** A failed step with a true `continue-on-error` keeps the failure as its outcome only. */
export function applyContinueOnError(execution, token) {
  if (execution.result !== "failure") return;
  let proceed = false;
  try {
    proceed = token !== undefined && evaluateBoolean(token, execution.expressionScope);
  } catch (error) {
    execution.error("The step failed and an error occurred when attempting to determine whether to continue on error.");
    execution.error(error.message);
  }
  if (proceed) {
    execution.outcome = "failure";
    execution.result = "success";
  }
  execution.updateStepsContext();
}

function evaluateBoolean(token, scope) {
  if (!isBasicExpression(token)) return token.toString() === "true";
  const value = evaluate(token.expression, scope);
  if (value.kind !== data.Kind.Boolean) throw new Error(`Unexpected value '${value.coerceString()}'`);
  return value.value;
}

/** What the log and the result call the step. */
export function displayName(step, scope) {
  if (step.post) return `Post ${step.post.name}`;
  try {
    if (step.name) return evaluateString(step.name, scope).trim();
    if (step.run) return `Run ${evaluateString(step.run, scope).trim().split(/\r?\n/, 1)[0]}`;
  } catch {
    // The expression needs something that is not there yet: the raw text will do.
    return (step.name ?? step.run).toString();
  }
  return `Run ${step.uses ?? step.directory}`;
}
