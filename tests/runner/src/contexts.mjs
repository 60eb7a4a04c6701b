// The `github` and `runner` contexts, and the variables that a step gets from them.
// Follows src/Runner.Worker/GitHubContext.cs (the allow-list) and RunnerContext.cs.

import { execFileSync } from "node:child_process";

const GITHUB_ALLOWED = new Set(
  `action_path action_ref action_repository action actor actor_id api_url artifacts artifacts_list base_ref env event_name
   event_path graphql_url head_ref job output path ref_name ref_protected ref_type ref repository repository_id
   repository_owner repository_owner_id retention_days run_attempt run_id run_number server_url sha state step_summary
   triggering_actor workflow workflow_ref workflow_sha workspace`.split(/\s+/),
);

export function contextEnvironment(values) {
  const result = {};
  for (const [name, value] of Object.entries(values.github)) {
    if (!GITHUB_ALLOWED.has(name.toLowerCase())) continue;
    if (typeof value === "string" || typeof value === "boolean") result[`GITHUB_${name.toUpperCase()}`] = String(value);
  }
  for (const [name, value] of Object.entries(values.runner)) result[`RUNNER_${name.toUpperCase()}`] = value;
  return result;
}

/** `overrides` are the `--github k=v` of the command line. What follows from another value is derived from it. */
export function githubContext({ overrides, workspace, event, eventPath, eventName, jobId, workflowName, workflowFile }) {
  const base = {
    token: "",
    job: jobId,
    ref: "refs/heads/main",
    sha: overrides.sha ?? headOf(workspace),
    repository: "octo-org/octo-repo",
    repository_id: "1",
    repository_owner_id: "1",
    repositoryUrl: "git://github.com/octo-org/octo-repo.git",
    run_id: "1",
    run_number: "1",
    run_attempt: "1",
    retention_days: "90",
    actor: "octocat",
    actor_id: "1",
    workflow: workflowName,
    head_ref: "",
    base_ref: "",
    event_name: eventName,
    event,
    event_path: eventPath,
    server_url: "https://github.com",
    api_url: "https://api.github.com",
    graphql_url: "https://api.github.com/graphql",
    ref_protected: false,
    secret_source: "Actions",
    workspace,
    ...overrides,
  };
  const derived = {
    ref_name: base.ref.replace(/^refs\/(heads|tags|pull)\//, ""),
    ref_type: base.ref.startsWith("refs/tags/") ? "tag" : "branch",
    repository_owner: base.repository.split("/")[0],
    triggering_actor: base.actor,
    workflow_ref: `${base.repository}/${workflowFile}@${base.ref}`,
    workflow_sha: base.sha,
  };
  return { ...derived, ...base };
}

export function runnerContext({ temp, toolCache, workspace, debugging }) {
  return {
    os: { linux: "Linux", darwin: "macOS", win32: "Windows" }[process.platform] ?? "Linux",
    arch: { x64: "X64", arm64: "ARM64", ia32: "X86", arm: "ARM" }[process.arch] ?? "X64",
    name: "host-runner",
    environment: "self-hosted",
    tool_cache: toolCache,
    temp,
    workspace,
    ...(debugging ? { debug: "1" } : {}),
  };
}

function headOf(workspace) {
  try {
    return execFileSync("git", ["-c", "safe.directory=*", "rev-parse", "--verify", "HEAD"], {
      cwd: workspace,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  } catch {
    return "0".repeat(40);
  }
}
