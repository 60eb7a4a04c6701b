// The one door to GitHub's own packages: registers the JSON hook, then re-exports the few names that the runner uses.

import { register } from "node:module";

register("./json-loader.mjs", import.meta.url);

const expressions = await import("@actions/expressions");
export const { Lexer, Parser, Evaluator, data } = expressions;
export const { truthy } = await import("@actions/expressions/result");

const parser = await import("@actions/workflow-parser");
export const { parseWorkflow, convertWorkflowTemplate, NoOperationTraceWriter } = parser;
export const { isBasicExpression, isMapping, isSequence, isString } = parser;

export const { parseAction, convertActionTemplate } = await import("@actions/workflow-parser/actions/index");
export const { convertToIfCondition } = await import("@actions/workflow-parser/model/converter/if-condition");
export const { IdBuilder } = await import("@actions/workflow-parser/model/converter/id-builder");

// Two faults of version 0.3.61, mended here because a script would otherwise run with other text than GitHub gives it.

// 1. The lexer unescapes only the first `''` of a string literal.
const addToken = Lexer.prototype.addToken;
Lexer.prototype.addToken = function (type, value) {
  const text = typeof value === "string" ? this.input.slice(this.start + 1, this.offset - 1).replaceAll("''", "'") : value;
  addToken.call(this, type, text);
};

// 2. A scalar of several lines that holds an expression keeps its YAML source (indentation, folding, escapes) as its value.
const { YamlObjectReader } = await import("@actions/workflow-parser/workflows/yaml-object-reader");
const getLiteralToken = YamlObjectReader.getLiteralToken;

/** Parses with the values of scalars as YAML defines them; positions inside a scalar are then wrong. */
export function withScalarValues(parse) {
  YamlObjectReader.getLiteralToken = (...args) => {
    const token = getLiteralToken(...args);
    if (isString(token)) token.source = undefined;
    return token;
  };
  try {
    return parse();
  } finally {
    YamlObjectReader.getLiteralToken = getLiteralToken;
  }
}
