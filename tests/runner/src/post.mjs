// What runs when all steps of a job are done: the `post` of JavaScript actions, the last first; that of a composite is
// the posts of its nested actions whose main has begun.
// Follows RegisterPostJobStep in src/Runner.Worker/ExecutionContext.cs, and ActionRunner.cs.

import { randomUUID } from "node:crypto";

const ALWAYS = { expression: "always()" };

/** Remembers the post of an action whose main begins. */
export function registerPost(execution, step, resolved, place) {
  const { action } = resolved;
  if (action.using !== "composite" && !action.post) return;
  const post = {
    // A composite takes part in what its nested actions ask for, so it asks for nothing itself.
    step: { ...step, name: undefined, if: action.postIf ?? ALWAYS, contextName: `__${randomUUID()}` },
    resolved,
    place,
    name: execution.name,
    state: execution.state,
    scope: undefined, // of a composite's steps, as in main
    nested: [],
  };
  post.step.post = post;
  execution.post = post;
  const list = execution.isEmbedded ? execution.parent.post.nested : execution.job.posts;
  list.push(post);
}

/** Those that have anything to run, the last first. */
export function postSteps(posts) {
  const hasAny = ({ resolved, nested }) => resolved.action.using !== "composite" || nested.some(hasAny);
  return posts
    .filter(hasAny)
    .reverse()
    .map(({ step }) => step);
}
