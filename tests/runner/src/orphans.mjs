// Ends, at the end of a job, every process that still carries the job's RUNNER_TRACKING_ID in its environment.
// Follows "Cleaning up orphan processes" in src/Runner.Worker/JobExtension.cs. A process whose environment cannot be read
// (another user, or not dumpable) is not found, here as there.

import { readdirSync, readFileSync } from "node:fs";

export function endOrphans(trackingId, output) {
  const ended = [];
  for (const pid of readdirSync("/proc").filter((name) => /^[0-9]+$/.test(name))) {
    if (Number(pid) === process.pid || !carries(pid, trackingId)) continue;
    output(`Terminate orphan process: pid (${pid}) (${nameOf(pid)})`);
    try {
      process.kill(Number(pid), "SIGKILL");
      ended.push(Number(pid));
    } catch {
      // It ended by itself between the look and the kill.
    }
  }
  return ended;
}

function carries(pid, trackingId) {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8").split("\0").includes(`RUNNER_TRACKING_ID=${trackingId}`);
  } catch {
    return false;
  }
}

function nameOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/comm`, "utf8").trim();
  } catch {
    return "unknown";
  }
}
