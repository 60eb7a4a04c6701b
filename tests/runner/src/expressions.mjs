// Evaluates GitHub expressions and the scalars, mappings and sequences of a validated file that hold them.
// Follows src/Sdk/DTObjectTemplating/TemplateEvaluator.cs and src/Runner.Worker/Expressions/*.cs; the grammar and the
// coercions themselves come from @actions/expressions.

import { Evaluator, Lexer, Parser, data, isBasicExpression, isMapping, isSequence, truthy } from "./packages.mjs";

const CONTEXTS = ["github", "inputs", "vars", "needs", "strategy", "matrix", "secrets", "steps", "job", "runner", "env"];

const FUNCTIONS = [
  { name: "success", minArgs: 0, maxArgs: 0 },
  { name: "failure", minArgs: 0, maxArgs: 0 },
  { name: "always", minArgs: 0, maxArgs: 0 },
  { name: "cancelled", minArgs: 0, maxArgs: 0 },
  { name: "hashFiles", minArgs: 1, maxArgs: 255 },
];

/**
 * What an expression can see.
 * `values` are plain JavaScript values by context name; `status` answers the status functions;
 * `hashFiles` takes the list of its string arguments.
 */
export class Scope {
  constructor({ values, status = () => "success", cancelled = () => false, hashFiles = () => "" }) {
    this.values = values;
    this.functions = new Map([
      ["success", () => new data.BooleanData(status() === "success")],
      ["failure", () => new data.BooleanData(status() === "failure")],
      ["always", () => new data.BooleanData(true)],
      ["cancelled", () => new data.BooleanData(cancelled())],
      ["hashfiles", (...patterns) => new data.StringData(hashFiles(patterns.map((pattern) => pattern.coerceString())))],
    ]);
  }
}

/** The value of a bare expression (without `${{ }}`), as the expression library's own data. */
export function evaluate(expression, scope) {
  const { tokens } = new Lexer(expression).lex();
  const tree = new Parser(tokens, CONTEXTS, FUNCTIONS).parse();
  const root = { get: (name) => toData(scope.values[name.toLowerCase()], name.toLowerCase() === "env") };
  const functions = new Map([...scope.functions].map(([name, call]) => [name, { call }]));
  return new Evaluator(tree, root, functions).evaluate();
}

/** Whether the condition token of a step holds. */
export function evaluateCondition(token, scope) {
  return truthy(evaluate(token.expression, scope));
}

/** The string value of a scalar token; null and a missing token are the empty string. */
export function evaluateString(token, scope) {
  if (token === undefined || token === null) return "";
  if (!isBasicExpression(token)) return token.toString();
  const value = evaluate(token.expression, scope);
  if (value.kind === data.Kind.Dictionary) throw new Error("A mapping was not expected");
  if (value.kind === data.Kind.Array) throw new Error("A sequence was not expected");
  return value.coerceString();
}

/** The plain JavaScript value of any token. */
export function evaluateValue(token, scope) {
  if (token === undefined || token === null) return null;
  if (isBasicExpression(token)) return fromData(evaluate(token.expression, scope));
  if (isMapping(token)) {
    const result = {};
    for (const { key, value } of token) {
      if (!key.isLiteral && !isBasicExpression(key)) Object.assign(result, evaluateValue(value, scope)); // ${{ insert }}
      else result[evaluateString(key, scope)] = evaluateValue(value, scope);
    }
    return result;
  }
  if (isSequence(token)) return [...token].map((item) => evaluateValue(item, scope));
  return token.value ?? null;
}

/** A mapping token whose values are all strings: `env`, `with`, `outputs`. */
export function evaluateStrings(token, scope) {
  const result = {};
  if (token === undefined || token === null) return result;
  if (isBasicExpression(token)) {
    for (const [key, value] of Object.entries(evaluateValue(token, scope) ?? {})) result[key] = plainString(value);
    return result;
  }
  if (!isMapping(token)) return result;
  for (const { key, value } of token) {
    if (!key.isLiteral && !isBasicExpression(key)) {
      for (const [name, inserted] of Object.entries(evaluateValue(value, scope) ?? {})) result[name] = plainString(inserted);
    } else {
      result[evaluateString(key, scope)] = evaluateString(value, scope);
    }
  }
  return result;
}

/** Contexts of the runner are dictionaries that ignore case; only `env` on Linux does not. */
class CaseSensitiveDictionary extends data.Dictionary {
  constructor(entries) {
    super();
    this.entries = new Map(entries);
  }
  get(key) {
    return this.entries.get(key);
  }
  values() {
    return [...this.entries.values()];
  }
  pairs() {
    return [...this.entries].map(([key, value]) => ({ key, value }));
  }
}

function toData(value, caseSensitive = false) {
  if (value === undefined || value === null) return new data.Null();
  if (typeof value === "string") return new data.StringData(value);
  if (typeof value === "number") return new data.NumberData(value);
  if (typeof value === "boolean") return new data.BooleanData(value);
  if (Array.isArray(value)) return new data.Array(...value.map((item) => toData(item)));
  const entries = Object.entries(value).map(([key, item]) => [key, toData(item)]);
  if (caseSensitive) return new CaseSensitiveDictionary(entries);
  return new data.Dictionary(...entries.map(([key, item]) => ({ key, value: item })));
}

function fromData(value) {
  switch (value.kind) {
    case data.Kind.Null:
      return null;
    case data.Kind.Array:
      return value.values().map(fromData);
    case data.Kind.Dictionary:
      return Object.fromEntries(value.pairs().map((pair) => [pair.key, fromData(pair.value)]));
    default:
      return value.value;
  }
}

function plainString(value) {
  return toData(value).coerceString();
}
