// Issues (`::error`, `::warning`, `::notice` and the runner's own) and what of them becomes an annotation.
// Follows IssueCommandExtension in src/Runner.Worker/ActionCommandManager.cs, AddIssue in ExecutionContext.cs and
// ToAnnotation in src/Sdk/RSWebApi/Contracts/IssueExtensions.cs.

export const MAX_PER_LEVEL = 10;
export const MAX_MESSAGE_LENGTH = 4096;

/** The issues of one top-level step: the nested steps of a composite share it. */
export class IssueRecord {
  constructor(stepNumber) {
    this.stepNumber = stepNumber;
    this.counts = { error: 0, warning: 0, notice: 0 };
    this.issues = [];
    this.dropped = 0;
  }

  add(issue) {
    if (this.counts[issue.level] >= MAX_PER_LEVEL) {
      this.dropped += 1;
      return;
    }
    this.counts[issue.level] += 1;
    this.issues.push(issue);
  }

  annotations() {
    return this.issues.filter((issue) => issue.message.trim() !== "").map((issue) => toAnnotation(issue, this.stepNumber));
  }
}

/** An issue from the properties of a workflow command. A path below the workspace becomes relative. */
export function issueFromCommand(level, properties, message, workspace) {
  const kept = validateLinesAndColumns(new Map(properties));
  const file = kept.get("file");
  if (file) kept.set("file", makeRelative(file, workspace) || file);
  return { level, message, properties: kept };
}

/** Drops what contradicts itself, exactly as the runner does. Keys are lower case. */
export function validateLinesAndColumns(properties) {
  let line = properties.get("line");
  const endLine = properties.get("endline");
  let hasLine = toInt(line) !== undefined;
  const hasEndLine = toInt(endLine) !== undefined;
  let hasColumn = toInt(properties.get("col")) !== undefined;
  const hasEndColumn = toInt(properties.get("endcolumn")) !== undefined;
  const startLineNumber = toInt(line);
  const startColumnNumber = toInt(properties.get("col"));
  const anyColumn = hasColumn || hasEndColumn;
  const dropColumns = () => {
    properties.delete("col");
    properties.delete("endcolumn");
  };

  if (hasEndLine && !hasLine) {
    properties.set("line", endLine);
    line = endLine;
    hasLine = true;
  }
  if (hasEndColumn && !hasColumn) {
    properties.set("col", properties.get("endcolumn"));
    hasColumn = true;
  }
  if (!hasLine && anyColumn) dropColumns();
  if (hasEndLine && line !== endLine && anyColumn) dropColumns();
  // The runner compares the numbers as first read: a start that it has just filled in counts as 0 there.
  if (hasLine && hasEndLine && toInt(endLine) < (startLineNumber ?? 0)) {
    properties.delete("line");
    properties.delete("endline");
  }
  if (hasColumn && hasEndColumn && toInt(properties.get("endcolumn")) < (startColumnNumber ?? 0)) dropColumns();
  return properties;
}

function toAnnotation(issue, step) {
  const number = (key) => toInt(issue.properties.get(key)) ?? null;
  const line = number("line");
  const col = number("col");
  const file = issue.properties.get("file");
  return {
    level: issue.level,
    file: file?.trim() ? file : null,
    line,
    endLine: number("endline") ?? line,
    col,
    endColumn: number("endcolumn") ?? col,
    title: issue.properties.get("title") ?? null,
    message: issue.message,
    step,
  };
}

/** IOUtil.MakeRelative: by text only, so `./x` and `..` stay as they are. */
function makeRelative(file, folder) {
  if (!file.startsWith(folder)) return file;
  if (file.length === folder.length) return "";
  if (folder.endsWith("/")) return file.slice(folder.length);
  return file[folder.length] === "/" ? file.slice(folder.length + 1) : file;
}

/** Int32.TryParse: surrounding white space and a sign are allowed, an overflow is not a number. */
function toInt(text) {
  if (text === undefined || !/^\s*[+-]?[0-9]+\s*$/.test(text)) return undefined;
  const value = Number(text);
  return value >= -(2 ** 31) && value < 2 ** 31 ? value : undefined;
}
