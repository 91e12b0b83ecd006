/** Reads the constants of a generated experiment.ts without running it. */
import { Node, SyntaxKind } from "ts-morph";
import type { GeneratedFile } from "../../compiler/emit/code";
import { isObject, type JsonObject, type JsonValue } from "../../compiler/spec/json";
import { parse } from "./declarations";

/** The value of `export const experiment`; null where that is missing or no plain data. */
export function constantsOf(file: GeneratedFile): JsonObject | null {
  const value = plainValue(parse(file).getVariableDeclaration("experiment")?.getInitializer());
  return isObject(value) ? value : null;
}

/** Undefined for whatever is not plain data. */
function plainValue(node: Node | undefined): JsonValue | undefined {
  if (node === undefined) return undefined;
  // `{ … } as const satisfies Experiment`
  if (Node.isSatisfiesExpression(node) || Node.isAsExpression(node)) return plainValue(node.getExpression());
  if (Node.isStringLiteral(node) || Node.isNoSubstitutionTemplateLiteral(node)) return node.getLiteralText();
  // Not its getLiteralValue, which reads 1e-8 as 1.
  if (Node.isNumericLiteral(node)) return Number(node.getText());
  if (Node.isTrueLiteral(node) || Node.isFalseLiteral(node)) return node.getLiteralValue();
  if (Node.isNullLiteral(node)) return null;
  if (Node.isPrefixUnaryExpression(node) && node.getOperatorToken() === SyntaxKind.MinusToken) {
    const value = plainValue(node.getOperand());
    return typeof value === "number" ? -value : undefined;
  }
  if (Node.isArrayLiteralExpression(node)) {
    const items = node.getElements().map(plainValue);
    const known = items.filter((item) => item !== undefined);
    return known.length === items.length ? known : undefined;
  }
  if (!Node.isObjectLiteralExpression(node)) return undefined;
  const entries: [string, JsonValue][] = [];
  for (const property of node.getProperties()) {
    const value = Node.isPropertyAssignment(property) ? plainValue(property.getInitializer()) : undefined;
    if (!Node.isPropertyAssignment(property) || value === undefined) return undefined;
    const name = property.getNameNode();
    entries.push([Node.isStringLiteral(name) ? name.getLiteralText() : name.getText(), value]);
  }
  return Object.fromEntries(entries);
}
