/** Graphs as TypeScript functions: one op per line, the shape in a column at the end. */
import type { Differentiated } from "../autodiff/gradients";
import type { Graph, Group, Node, Value } from "../ir/graph";
import { type Dim, type Num, shapeText } from "../ir/number";
import type { Code, Uses } from "./code";
import { type Branch, docComment, fields, indent, type Layout, listed, record } from "./layout";
import { capital, comment } from "./names";
import type { Numbers } from "./numbers";
import { type Roles, rolesOf, rolesOfBoth } from "./roles";
import {
  attrText,
  groupCode,
  lengthsType,
  madeParameters,
  neededLengths,
  tensorType,
  typeArguments,
  typeParameters,
  varyingAxes,
} from "./types";

/** Widest code before the column of shapes; a longer op stands on two lines. */
const COLUMN_LIMIT = 98;

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

/** The shape, after a number format that is not the usual one. */
const noteOf = ({ dtype, shape }: Value): string => `${dtype === "f32" ? "" : `${dtype} `}${shapeText(shape)}`;

export function opLines(node: Node, numbers: Numbers): readonly Line[] {
  const attrs = Object.entries(node.attrs)
    .filter(([name, value]) => !((name === "scale" || name === "beta") && value === 1))
    .map(([name, value]) => `${name}: ${attrText(value, numbers)}`);
  const args = [...node.inputs.map(({ name }) => name), ...(attrs.length === 0 ? [] : [`{ ${attrs.join(", ")} }`])];
  const names = node.outputs.map((value) => value.name);
  const left = names.length === 1 ? names.join("") : `[${names.join(", ")}]`;
  const shapes = [...new Set(node.outputs.map(noteOf))];
  const call = `o.${node.op}(${args.join(", ")});`;
  const note = shapes.join(" ");
  const code = `const ${left} = ${call}`;
  return code.length <= COLUMN_LIMIT
    ? [{ code, note }]
    : [
        { code: `const ${left} =`, note: "" },
        { code: `  ${call}`, note },
      ];
}

/** Gradients of a group as a record of the group's own type. */
function recordOf(group: Group, codeOf: (weight: Value) => string): Layout {
  const root: Branch = { kind: "branch", entries: new Map() };
  for (const weight of group.parameters) {
    const path = weight.parameter?.path ?? "";
    if (path === "") return codeOf(weight);
    const names = path.split(".");
    const last = names.pop() ?? "";
    let branch = root;
    for (const name of names) {
      const known = branch.entries.get(name);
      const next: Branch = typeof known === "object" ? known : { kind: "branch", entries: new Map() };
      branch.entries.set(name, next);
      branch = next;
    }
    branch.entries.set(last, codeOf(weight));
  }
  return root;
}

/** The name of the record that a forward function keeps for its backward function. */
export const actsName = (graph: Graph): string => `${capital(graph.name)}Acts`;

/** What a forward function returns besides its output: everything that its backward function reads. */
export function keptValues({ forward, saved }: Differentiated): readonly Value[] {
  return [...new Set([...saved, ...forward.outputs])];
}

/** The weights that the target encoder's functions are handed are its own. */
export type WeightsOf = "weights" | "target";

const groupOwned = (group: Group, of: WeightsOf): string =>
  of === "target" ? `Target<${groupCode(group.type)}>` : groupCode(group.type);

function signature(graph: Graph, of: WeightsOf, inputs: readonly string[]): readonly string[] {
  const lengths = neededLengths(graph);
  return [
    "o: Ops",
    ...(lengths.length === 0 ? [] : [`l: ${lengthsType(lengths)}`]),
    ...graph.groups.map((group) => `${group.name}: ${groupOwned(group, of)}`),
    ...inputs,
  ];
}

/** `export function name<…>(…): Type`, one parameter a line where it would be too long. */
function head(name: string, typeParameterList: string, parameters: readonly string[], returns: string): string {
  return listed(`export function ${name}${typeParameterList}(`, parameters, `): ${returns}`, "");
}

function shapesNote(graph: Graph): string {
  const inputs = graph.inputs.map((value) => `${value.name} ${shapeText(value.shape)}`).join(", ");
  return `${inputs} → ${graph.outputs.map((value) => shapeText(value.shape)).join(", ")}`;
}

/** Type parameters: every varying axis of inputs and outputs, and those handed as numbers in `l`. */
function generics(graph: Graph, values: readonly Value[] = [...graph.inputs, ...graph.outputs]): string {
  const asShape: Value = { name: "l", dtype: "f32", shape: neededLengths(graph) };
  return madeParameters(varyingAxes([...values, asShape]));
}

const typeOf = (value: Value, roles: Roles): string => tensorType(value, roles.get(value) ?? "");

const parameterOf =
  (roles: Roles) =>
  (value: Value): string =>
    `${value.name}: ${typeOf(value, roles)}`;

/** A documented function whose body is one op a line and what it returns. */
function functionText(parts: {
  readonly doc: string;
  readonly head: string;
  /** Lines before the first op. */
  readonly before?: readonly string[];
  readonly nodes: readonly Node[];
  /** The last statement. */
  readonly returns: string;
  readonly numbers: Numbers;
}): string {
  return [
    docComment(comment(parts.doc)),
    `${parts.head} {`,
    indent([
      ...(parts.before ?? []),
      aligned(parts.nodes.flatMap((node) => opLines(node, parts.numbers))),
      parts.returns,
    ]),
    "}",
  ].join("\n");
}

/** Without what it costs: that moves with every number of tokens, and stands in report.md. */
const docOf = (graph: Graph): string => `${graph.doc} ${shapesNote(graph)}.`;

const isFixed = (num: Num | boolean): num is Dim => typeof num === "object" && num.kind === "dim" && !num.varies;

/** The axes of these numbers that are the same in all programs. */
const fixedAxes = (nums: readonly (Num | boolean)[]): readonly string[] => nums.filter(isFixed).map(({ name }) => name);

/** What a function on these graphs uses of the file that declares sizes and parameters. */
function usesOf(graphs: readonly Graph[]): Uses {
  const typed = graphs.flatMap((graph) => [...graph.inputs, ...graph.outputs].flatMap(({ shape }) => shape));
  const groups = graphs.flatMap((graph) => graph.groups.map(({ type }) => type));
  return {
    types: [
      ...fixedAxes([...typed, ...groups.flatMap(({ axes }) => axes)]),
      ...groups.map(({ name }) => name).filter((name) => name !== "F32"),
    ],
    values: fixedAxes(graphs.flatMap(({ nodes }) => nodes.flatMap(({ attrs }) => Object.values(attrs)))),
    helpers: [],
  };
}

/** What a function returns: its output, or a list of several. */
const listOf = (codes: readonly string[]): string => (codes.length === 1 ? codes.join("") : `[${codes.join(", ")}]`);

/** A function without a backward pass: its outputs are all it returns. `of`: the tree that its weights are of. */
export function inferenceFunction(graph: Graph, numbers: Numbers, of: WeightsOf = "target"): Code {
  const { outputs } = graph;
  if (outputs.length === 0) throw new Error(`internal: ${graph.name} gives nothing`);
  const roles = rolesOf(graph);
  const parameters = signature(graph, of, graph.inputs.map(parameterOf(roles)));
  const text = functionText({
    doc: docOf(graph),
    head: head(graph.name, generics(graph), parameters, listOf(outputs.map((output) => typeOf(output, roles)))),
    nodes: graph.nodes,
    returns: `return ${listOf(outputs.map(({ name }) => name))};`,
    numbers,
  });
  return { text, uses: usesOf([graph]) };
}

/** The record of what a forward function keeps. */
export function actsInterface(parts: Differentiated): string {
  const kept = keptValues(parts);
  const roles = rolesOf(parts.forward);
  return [
    `/** What ${parts.forward.name} keeps for its backward pass. */`,
    `export interface ${actsName(parts.forward)}${typeParameters(varyingAxes(kept))} {`,
    indent(kept.map((value) => `readonly ${value.name}: ${typeOf(value, roles)};`)),
    "}",
  ].join("\n");
}

export function forwardFunction(parts: Differentiated, numbers: Numbers): string {
  const { forward: graph } = parts;
  const kept = keptValues(parts);
  const returns = `${actsName(graph)}${typeArguments(varyingAxes(kept))}`;
  const parameters = signature(graph, "weights", graph.inputs.map(parameterOf(rolesOf(graph))));
  return functionText({
    doc: docOf(graph),
    head: head(graph.name, generics(graph), parameters, returns),
    nodes: graph.nodes,
    returns: listed(
      "return { ",
      kept.map((value) => value.name),
      " };",
      "",
    ),
    numbers,
  });
}

/** The name of a group's gradient in what a backward function returns. */
export const groupGradient = (group: Group): string => `d${capital(group.name)}`;

export function backwardFunction(parts: Differentiated, numbers: Numbers): string {
  const { forward, backward, saved, outputGradient, inputGradient, weightGradients } = parts;
  const roles = rolesOfBoth(parts);
  const kept = keptValues(parts);
  const gradientOf = (weight: Value): string => {
    const gradient = weightGradients.get(weight);
    if (gradient === undefined) throw new Error(`internal: ${forward.name}: no gradient for ${weight.name}`);
    return gradient.name;
  };
  const returned: readonly { readonly name: string; readonly code: Layout; readonly type: string }[] = [
    ...(inputGradient === undefined
      ? []
      : [{ name: "dInput", code: inputGradient.name, type: typeOf(inputGradient, roles) }]),
    ...forward.groups.map((group) => ({
      name: groupGradient(group),
      code: recordOf(group, gradientOf),
      type: `Gradients<${groupCode(group.type)}>`,
    })),
  ];
  const args = [
    ...(saved.length === 0 ? [] : [`a: ${actsName(forward)}${typeArguments(varyingAxes(kept))}`]),
    ...(outputGradient === undefined ? [] : [parameterOf(roles)(outputGradient)]),
  ];
  const axes = generics(backward, [...kept, ...(outputGradient === undefined ? [] : [outputGradient])]);
  const returnType = fields(returned.map(({ name, type }) => `readonly ${name}: ${type}`));
  return functionText({
    doc: `Gradients of ${forward.name}.`,
    head: head(backward.name, axes, signature(backward, "weights", args), returnType),
    // Taken apart, so that what is not read shows, and what need not be read is not at hand.
    before:
      saved.length === 0
        ? []
        : [
            listed(
              "const { ",
              saved.map(({ name }) => name),
              " } = a;",
              "",
            ),
          ],
    nodes: backward.nodes,
    returns: `return ${record({ kind: "branch", entries: new Map(returned.map(({ name, code }) => [name, code])) }, "", 9)};`,
    numbers,
  });
}

/** The gradient of the loss by the predictions: nothing is kept, both inputs are at hand. */
export function lossGradientFunction(parts: Differentiated, numbers: Numbers): Code {
  const { forward, backward, inputGradient } = parts;
  if (inputGradient === undefined) throw new Error("internal: the loss has no gradient");
  const roles = rolesOfBoth(parts);
  const text = functionText({
    doc: `The gradient of ${forward.name} by its first input.`,
    head: head(
      backward.name,
      generics(forward),
      signature(backward, "weights", forward.inputs.map(parameterOf(roles))),
      typeOf(inputGradient, roles),
    ),
    nodes: backward.nodes,
    returns: `return ${inputGradient.name};`,
    numbers,
  });
  return { text, uses: usesOf([forward, backward]) };
}
