/** Graphs as TypeScript functions: one op per line, the shape in a column at the end. */
import { CodeBlockWriter } from "ts-morph";
import type { Differentiated } from "../autodiff/gradients";
import type { Graph, Group, Node, Value } from "../ir/graph";
import { type Sizes, shapeText } from "../ir/number";
import { flopsText, graphCost } from "../ir/print";
import { capital, comment } from "./names";
import { attrText, lengthsType, neededLengths, tensorType, typeArguments, typeParameters, varyingAxes } from "./types";

const COLUMN_LIMIT = 96;

/** A line of code and what stands in its last column. */
export interface Line {
  readonly code: string;
  readonly note: string;
}

/** Notes in one column, as far to the right as the longest line that is not overlong. */
export function aligned(lines: readonly Line[]): string {
  const lengths = lines
    .filter(({ note, code }) => note !== "" && code.length <= COLUMN_LIMIT)
    .map(({ code }) => code.length);
  const column = Math.max(0, ...lengths);
  return lines.map(({ code, note }) => (note === "" ? code : `${code.padEnd(column)} // ${note}`)).join("\n");
}

/** How values are written in one function: locals by name, what the forward pass kept as `a.name`. */
export type Reference = (value: Value) => string;

const byName: Reference = (value) => value.name;

export function opLine(node: Node, reference: Reference): Line {
  const attrs = Object.entries(node.attrs).map(([name, value]) => `${name}: ${attrText(value)}`);
  const args = [...node.inputs.map(reference), ...(attrs.length === 0 ? [] : [`{ ${attrs.join(", ")} }`])];
  const names = node.outputs.map((value) => value.name);
  const left = names.length === 1 ? names.join("") : `[${names.join(", ")}]`;
  const shapes = [...new Set(node.outputs.map((value) => shapeText(value.shape)))];
  return { code: `const ${left} = o.${node.op}(${args.join(", ")});`, note: shapes.join(" ") };
}

/** Gradients of a group as a record of the group's own type. */
function recordOf(group: Group, valueOf: (weight: Value) => string): string {
  interface Branch {
    readonly entries: Map<string, Branch | string>;
  }
  const root: Branch = { entries: new Map() };
  for (const weight of group.parameters) {
    const path = weight.parameter?.path ?? "";
    if (path === "") return valueOf(weight);
    const names = path.split(".");
    const last = names.pop() ?? "";
    let branch = root;
    for (const name of names) {
      const known = branch.entries.get(name);
      const next: Branch = typeof known === "object" ? known : { entries: new Map() };
      branch.entries.set(name, next);
      branch = next;
    }
    branch.entries.set(last, valueOf(weight));
  }
  const print = (branch: Branch): string =>
    `{ ${[...branch.entries].map(([name, child]) => `${name}: ${typeof child === "string" ? child : print(child)}`).join(", ")} }`;
  return print(root);
}

/** The name of the record that a forward function keeps for its backward function. */
export const actsName = (graph: Graph): string => `${capital(graph.name)}Acts`;

/** What a forward function returns besides its output: everything that its backward function reads. */
export function keptValues({ forward, saved }: Differentiated): readonly Value[] {
  return [...new Set([...saved, ...forward.outputs])];
}

function signature(graph: Graph, inputs: readonly string[]): string {
  const lengths = neededLengths(graph);
  return [
    "o: Ops",
    ...(lengths.length === 0 ? [] : [`l: ${lengthsType(lengths)}`]),
    ...graph.groups.map((group) => `${group.name}: ${group.type}`),
    ...inputs,
  ].join(", ");
}

function shapesNote(graph: Graph): string {
  const inputs = graph.inputs.map((value) => `${value.name} ${shapeText(value.shape)}`).join(", ");
  return `${inputs} → ${graph.outputs.map((value) => shapeText(value.shape)).join(", ")}`;
}

/** Type parameters: every varying axis of inputs and outputs, and those handed as numbers in `l`. */
function generics(graph: Graph, values: readonly Value[] = [...graph.inputs, ...graph.outputs]): string {
  const asShape: Value = { name: "l", dtype: "f32", shape: neededLengths(graph) };
  return typeParameters(varyingAxes([...values, asShape]));
}

/** A function without a backward pass: its output is all it returns. */
export function inferenceFunction(graph: Graph, sizes: Sizes): string {
  const [output] = graph.outputs;
  if (output === undefined) throw new Error(`internal: ${graph.name} gives nothing`);
  const writer = new CodeBlockWriter({ indentNumberOfSpaces: 2 });
  writer.writeLine(`/** ${comment(graph.doc)} ${shapesNote(graph)}. ${flopsText(graphCost(graph, sizes).flops)}. */`);
  writer.write(
    `export function ${graph.name}${generics(graph)}(${signature(
      graph,
      graph.inputs.map((value) => `${value.name}: ${tensorType(value)}`),
    )}): ${tensorType(output)}`,
  );
  writer.block(() => {
    writer.writeLine(aligned(graph.nodes.map((node) => opLine(node, byName))));
    writer.writeLine(`return ${output.name};`);
  });
  return writer.toString();
}

/** The record of what a forward function keeps. */
export function actsInterface(parts: Differentiated): string {
  const kept = keptValues(parts);
  const writer = new CodeBlockWriter({ indentNumberOfSpaces: 2 });
  writer.writeLine(`/** What ${parts.forward.name} keeps for its backward pass. */`);
  writer.write(`export interface ${actsName(parts.forward)}${typeParameters(varyingAxes(kept))}`);
  writer.block(() => {
    for (const value of kept) writer.writeLine(`readonly ${value.name}: ${tensorType(value)};`);
  });
  return writer.toString();
}

export function forwardFunction(parts: Differentiated, sizes: Sizes): string {
  const { forward: graph } = parts;
  const kept = keptValues(parts);
  const writer = new CodeBlockWriter({ indentNumberOfSpaces: 2 });
  writer.writeLine(`/** ${comment(graph.doc)} ${shapesNote(graph)}. ${flopsText(graphCost(graph, sizes).flops)}. */`);
  writer.write(
    `export function ${graph.name}${generics(graph)}(${signature(
      graph,
      graph.inputs.map((value) => `${value.name}: ${tensorType(value)}`),
    )}): ${actsName(graph)}${typeArguments(varyingAxes(kept))}`,
  );
  writer.block(() => {
    writer.writeLine(aligned(graph.nodes.map((node) => opLine(node, byName))));
    writer.writeLine(`return { ${kept.map((value) => value.name).join(", ")} };`);
  });
  return writer.toString();
}

/** The name of a group's gradient in what a backward function returns. */
export const groupGradient = (group: Group): string => `d${capital(group.name)}`;

export function backwardFunction(parts: Differentiated, sizes: Sizes): string {
  const { forward, backward, saved, outputGradient, inputGradient, weightGradients } = parts;
  const isSaved = new Set(saved);
  const reference: Reference = (value) => (isSaved.has(value) ? `a.${value.name}` : value.name);
  const kept = keptValues(parts);
  const returned = [
    ...(inputGradient === undefined
      ? []
      : [{ name: "dInput", code: reference(inputGradient), type: tensorType(inputGradient) }]),
    ...forward.groups.map((group) => ({
      name: groupGradient(group),
      code: recordOf(group, (weight) => {
        const gradient = weightGradients.get(weight);
        if (gradient === undefined) throw new Error(`internal: ${forward.name}: no gradient for ${weight.name}`);
        return reference(gradient);
      }),
      type: group.type,
    })),
  ];
  const args = [
    ...(saved.length === 0 ? [] : [`a: ${actsName(forward)}${typeArguments(varyingAxes(kept))}`]),
    ...(outputGradient === undefined ? [] : [`${outputGradient.name}: ${tensorType(outputGradient)}`]),
  ];
  const axes = generics(backward, [...kept, ...(outputGradient === undefined ? [] : [outputGradient])]);
  const writer = new CodeBlockWriter({ indentNumberOfSpaces: 2 });
  writer.writeLine(`/** Gradients of ${forward.name}. ${flopsText(graphCost(backward, sizes).flops)}. */`);
  writer.write(
    `export function ${backward.name}${axes}(${signature(backward, args)}): { ${returned.map(({ name, type }) => `readonly ${name}: ${type}`).join("; ")} }`,
  );
  writer.block(() => {
    writer.writeLine(aligned(backward.nodes.map((node) => opLine(node, reference))));
    writer.write("return").space();
    writer.inlineBlock(() => {
      for (const { name, code } of returned) writer.writeLine(code === name ? `${name},` : `${name}: ${code},`);
    });
    writer.write(";").newLine();
  });
  return writer.toString();
}

/** The gradient of the loss by the predictions: nothing is kept, both inputs are at hand. */
export function lossGradientFunction(parts: Differentiated, sizes: Sizes): string {
  const { forward, backward, inputGradient } = parts;
  if (inputGradient === undefined) throw new Error("internal: the loss has no gradient");
  const writer = new CodeBlockWriter({ indentNumberOfSpaces: 2 });
  writer.writeLine(
    `/** The gradient of ${forward.name} by its first input. ${flopsText(graphCost(backward, sizes).flops)}. */`,
  );
  writer.write(
    `export function ${backward.name}${generics(forward)}(${signature(
      backward,
      forward.inputs.map((value) => `${value.name}: ${tensorType(value)}`),
    )}): ${tensorType(inputGradient)}`,
  );
  writer.block(() => {
    writer.writeLine(aligned(backward.nodes.map((node) => opLine(node, byName))));
    writer.writeLine(`return ${inputGradient.name};`);
  });
  return writer.toString();
}
