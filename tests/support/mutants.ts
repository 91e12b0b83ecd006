/**
 * Wrong edits of a generated step.ts, made from its text: one mistake each, as a hand or a model makes them. What changes
 * nothing that a run could tell is left out: the terms of a sum and the sides of a loss may change places (`commutes`), one
 * value may have two names (`isSame`), and what is assigned to a name may be assigned again (`ofLine`). Numbers that no type
 * can know, such as an eps or a scale, are left alone.
 */
import { type ArrayBindingPattern, type CallExpression, Node, type SourceFile, SyntaxKind, type Type } from "ts-morph";

export const kinds = [
  "arguments swapped",
  "another weight of the shape",
  "another value of the shape",
  "an earlier value",
  "a size changed",
  "a line dropped",
  "a line twice",
  "results in another order",
  "an attribute changed",
] as const;
export type MutantKind = (typeof kinds)[number];

export interface Mutant {
  readonly kind: MutantKind;
  readonly line: number;
  /** What stood there and what stands there now. */
  readonly from: string;
  readonly to: string;
  /** The place in the text. */
  readonly start: number;
  readonly end: number;
}

/** Ops whose first two arguments may change places. */
const commutes: ReadonlySet<string> = new Set(["add", "smoothL1", "mse", "l1"]);

const at = (node: Node, kind: MutantKind, to: string): Mutant => ({
  kind,
  line: node.getStartLineNumber(),
  from: node.getText(),
  to,
  start: node.getStart(),
  end: node.getEnd(),
});

const isTensor = (shape: string | undefined): shape is string => shape !== undefined && shape !== "";

/** `"f32" (shape: [16, 64, 96]) => …` of a tensor, "" of all else: number format and shape, without the role. */
function tensorOf(type: Type, node: Node): string {
  const shape = type.getProperties().find((property) => property.getName().startsWith("__@SHAPE"));
  const dtype = type.getProperty("dtype");
  if (shape === undefined || dtype === undefined) return "";
  return `${dtype.getTypeAtLocation(node).getText()} ${shape.getTypeAtLocation(node).getText(node)}`;
}

const shapeOf = (node: Node): string => tensorOf(node.getType(), node);

function functionsOf(file: SourceFile) {
  return file.getFunctions().filter((each) => each.getBody() !== undefined);
}

/** A tensor that can be read after a place in a function, by name or below a name. */
interface InScope {
  readonly text: string;
  readonly shape: string;
  readonly after: number;
}

/** Everything in or below a value that is a tensor: `block.attn.qkv.weight`; not what a list holds. */
function leavesBelow(type: Type, node: Node, text: string, depth = 4): readonly Omit<InScope, "after">[] {
  const shape = tensorOf(type, node);
  if (shape !== "") return [{ text, shape }];
  const isRecord = type.isObject() && !type.isArray() && !type.isReadonlyArray() && !type.isTuple();
  if (depth === 0 || !isRecord || type.getCallSignatures().length > 0) return [];
  return type.getProperties().flatMap((property) => {
    const name = property.getName();
    return leavesBelow(property.getTypeAtLocation(node), node, `${text}.${name}`, depth - 1);
  });
}

/** All mutants of one step.ts, in the order of the text. */
export function mutantsOf(file: SourceFile): readonly Mutant[] {
  const found: Mutant[] = [];
  for (const statement of file.getVariableStatements()) {
    const value = statement.getDeclarations()[0]?.getInitializer();
    if (value === undefined) continue;
    const numbers = Node.isNumericLiteral(value) ? [value] : value.getDescendantsOfKind(SyntaxKind.NumericLiteral);
    for (const number of numbers) {
      const size = Number(number.getText());
      found.push(at(number, "a size changed", String(size + 1)), at(number, "a size changed", String(size * 2)));
    }
  }
  for (const fn of functionsOf(file)) {
    const scope: InScope[] = [];
    const body = fn.getBodyOrThrow();
    for (const parameter of fn.getParameters()) {
      if (["o", "l", "a"].includes(parameter.getName()) || !Node.isIdentifier(parameter.getNameNode())) continue;
      const leaves = leavesBelow(parameter.getType(), parameter, parameter.getName());
      scope.push(...leaves.map((leaf) => ({ ...leaf, after: 0 })));
    }
    for (const declaration of body.getDescendantsOfKind(SyntaxKind.VariableDeclaration)) {
      if (declaration.getFirstAncestorByKind(SyntaxKind.ForOfStatement) !== undefined) continue;
      const node = declaration.getNameNode();
      const names = Node.isIdentifier(node) ? [node] : node.getDescendantsOfKind(SyntaxKind.Identifier);
      const leaves = names.flatMap((each) => leavesBelow(each.getType(), each, each.getText()));
      scope.push(...leaves.map((leaf) => ({ ...leaf, after: declaration.getEnd() })));
    }
    for (const call of body.getDescendantsOfKind(SyntaxKind.CallExpression)) found.push(...ofCall(call, scope));
    found.push(...ofReturn(body));
    for (const line of body.getDescendantStatements()) found.push(...ofLine(line));
    for (const pattern of body.getDescendantsOfKind(SyntaxKind.ArrayBindingPattern)) found.push(...ofResults(pattern));
  }
  return found.sort((a, b) => a.start - b.start || a.end - b.end || (a.to < b.to ? -1 : 1));
}

function ofCall(call: CallExpression, scope: readonly InScope[]): readonly Mutant[] {
  const found: Mutant[] = [];
  const callee = call.getExpression().getText();
  const op = callee.startsWith("o.") ? callee.slice(2) : undefined;
  const args = call.getArguments();
  const shapes = args.map(shapeOf);
  // Two neighbours change places, whatever they are.
  args.slice(1).forEach((second, i) => {
    const first = args[i];
    if (first === undefined || !isTensor(shapes[i]) || !isTensor(shapes[i + 1])) return;
    if (first.getText() === second.getText()) return;
    if (op !== undefined && commutes.has(op) && i === 0) return;
    const between = call.getSourceFile().getFullText().slice(first.getEnd(), second.getStart());
    found.push({
      kind: "arguments swapped",
      line: first.getStartLineNumber(),
      from: `${first.getText()}, ${second.getText()}`,
      to: `${second.getText()}${between}${first.getText()}`,
      start: first.getStart(),
      end: second.getEnd(),
    });
  });
  args.forEach((arg, i) => {
    const shape = shapes[i];
    if (!isTensor(shape)) return;
    const others = scope.filter((each) => each.shape === shape && !isSame(each.text, arg.getText()));
    const isWeight = Node.isPropertyAccessExpression(arg);
    for (const other of others) {
      if (other.after > call.getStart()) continue;
      if (isWeight) found.push(at(arg, "another weight of the shape", other.text));
      else {
        const own = scope.find((each) => each.text === arg.getText());
        const earlier = own !== undefined && other.after < own.after;
        found.push(at(arg, earlier ? "an earlier value" : "another value of the shape", other.text));
      }
    }
  });
  for (const arg of args.filter(Node.isObjectLiteralExpression)) {
    for (const property of arg.getProperties().filter(Node.isPropertyAssignment)) {
      const name = property.getName();
      const value = property.getInitializerOrThrow();
      // An eps, a scale, a beta and a patch side are numbers that no shape depends on.
      const to = changedAttribute(name, value.getText());
      if (to !== undefined) found.push(at(value, "an attribute changed", to));
    }
  }
  return found;
}

/** `inputs.batch.images` is `batch.images`: the step takes its arguments apart. */
const isSame = (a: string, b: string): boolean =>
  a.replace(/^(inputs|state)\./, "") === b.replace(/^(inputs|state)\./, "");

/** Attributes that a type can know: lengths, sizes, and how many copies or blocks. */
function changedAttribute(name: string, value: string): string | undefined {
  const others: Readonly<Record<string, string>> = {
    "l.C": "l.T",
    "l.T": "l.C",
    "l.S": "l.T",
    H: "E",
    E: "H",
    PH: "PE",
    PE: "PH",
    D: "P",
    P: "D",
    D3: "D",
    P3: "P",
    N: "B",
    V: "D",
    B: "R",
    R: "B",
  };
  if (["copies", "blocks"].includes(name)) return String(Number(value) + 1);
  if (name === "start") return value === "0" ? "1" : "0";
  return ["tokens", "values", "rows", "heads", "headWidth", "width", "images"].includes(name)
    ? others[value]
    : undefined;
}

/** Values of a returned record that have one shape change places. */
function ofReturn(body: Node): readonly Mutant[] {
  const found: Mutant[] = [];
  for (const statement of body.getDescendantsOfKind(SyntaxKind.ReturnStatement)) {
    const values = statement
      .getDescendantsOfKind(SyntaxKind.PropertyAssignment)
      .flatMap((each) => each.getInitializer() ?? [])
      .filter((each) => Node.isIdentifier(each) && isTensor(shapeOf(each)));
    values.forEach((value, i) => {
      const next = values.slice(i + 1).find((each) => shapeOf(each) === shapeOf(value));
      if (next === undefined) return;
      const text = statement.getSourceFile().getFullText();
      found.push({
        kind: "results in another order",
        line: value.getStartLineNumber(),
        from: `${value.getText()} … ${next.getText()}`,
        to: `${next.getText()}${text.slice(value.getEnd(), next.getStart())}${value.getText()}`,
        start: value.getStart(),
        end: next.getEnd(),
      });
    });
  }
  return found;
}

function ofLine(line: Node): readonly Mutant[] {
  if (Node.isBlock(line) || Node.isForOfStatement(line) || Node.isReturnStatement(line)) return [];
  const text = line.getText();
  // Reading a running value into itself twice is the same value: `x = a.out; x = a.out;`.
  const again = Node.isExpressionStatement(line) && /^\w+ = \w+\.\w+;$/.test(text);
  return [at(line, "a line dropped", ""), ...(again ? [] : [at(line, "a line twice", `${text} ${text}`)])];
}

/** `const [q, k, v] =` as `[k, q, v]`. */
function ofResults(pattern: ArrayBindingPattern): readonly Mutant[] {
  const names = pattern.getElements().map((each) => each.getText());
  return names.slice(1).map((second, i) => {
    const swapped = [...names];
    swapped[i] = second;
    swapped[i + 1] = names[i] ?? "";
    return at(pattern, "results in another order", `[${swapped.join(", ")}]`);
  });
}

/** The text with one mutant in it. */
export const mutated = (text: string, { start, end, to }: Mutant): string =>
  text.slice(0, start) + to + text.slice(end);
