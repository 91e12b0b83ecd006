/**
 * What each value of a graph is, as runtime/ops/roles.ts names it: the types of ops say it of every line of a generated
 * function, this of the values that its head must declare. Where the two differ, the generated file does not type-check.
 */
import type { OpName } from "../../runtime/ops/ops";
import { branches, products, sharers, sumOfTerm, sums } from "../../runtime/ops/roles";
import type { Differentiated } from "../autodiff/gradients";
import { type Graph, type Node, parametersOf, type Value } from "../ir/graph";
import { nameOf } from "../ir/number";

export type Roles = ReadonlyMap<Value, string>;

type Table = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** The role of a value's gradient. */
export const gradientRole = (role: string): string =>
  `d ${(sumOfTerm as Readonly<Record<string, string>>)[role] ?? role}`;

/** What a layer's weight makes: `qkv` of `norm1 -> qkv`. */
const madeBy = (weight: string): string => weight.split(" -> ")[1] ?? weight;
const takenBy = (weight: string): string => weight.split(" -> ")[0] ?? weight;

type Rule = (roles: readonly string[], node: Node) => readonly string[];

const first: Rule = ([x = ""], { outputs }) => outputs.map(() => x);
const pairOf =
  (table: Table): Rule =>
  ([a = "", b = ""]) => [table[a]?.[b] ?? a];
const wrapped =
  (name: string): Rule =>
  ([x = ""]) => [`${name}(${x})`];
const unwrapped: Rule = ([, x = ""]) => [`d ${x}`];
const made: Rule = ([, weight = ""]) => [madeBy(weight)];
const sumOver: Rule = ([x = ""]) => [`sum of ${x}`];
const lossGradient: Rule = ([prediction = ""]) => [`d ${prediction}`];

/** Where the columns of query, key and value begin. */
const partAt = ({ attrs: { start, width } }: Node): string => {
  if (start === 0) return "q";
  return start !== undefined &&
    width !== undefined &&
    typeof start !== "boolean" &&
    typeof width !== "boolean" &&
    nameOf(start) === nameOf(width)
    ? "k"
    : "v";
};

/** Ops that are not here hand on the role of their first input. */
const rules: { readonly [K in OpName]?: Rule } = {
  normalizePixels: () => ["images"],
  patchify: () => ["patches"],
  linear: made,
  layerNorm: made,
  linearGradInput: ([, weight = ""]) => [
    `${(sharers as readonly string[]).includes(madeBy(weight)) ? "part of " : ""}d ${takenBy(weight)}`,
  ],
  spreadTokens: ([gradient = ""]) => [`spread ${gradient}`],
  linearGradWeight: ([x = "", gradient = ""]) => [`${x} . ${gradient}`],
  sumRows: sumOver,
  sumBatch: sumOver,
  layerNormGrad: ([gradient = "", x = "", gain = ""]) => [
    (branches as readonly string[]).includes(madeBy(gain)) ? `part of d ${x}` : `d ${x}`,
    `${x} . ${gradient}`,
    `sum of ${gradient}`,
  ],
  normalize: wrapped("normalize"),
  normalizeGrad: unwrapped,
  gelu: wrapped("gelu"),
  geluGrad: unwrapped,
  softmax: wrapped("softmax"),
  softmaxGrad: ([, y = ""]) => [`d ${y.slice("softmax(".length, -1)}`],
  splitHeads: () => ["q", "k", "v"],
  joinHeads: () => ["d qkv"],
  sliceColumns: ([x = ""], node) => [x.replace(/qkv$/, partAt(node))],
  padColumns: ([x = ""]) => [x.replace(/d [qkv]$/, "d qkv")],
  matmul: pairOf(products.matmul),
  matmulNT: pairOf(products.matmulNT),
  matmulTN: pairOf(products.matmulTN),
  add: pairOf(sums),
  addVector: pairOf(sums),
  addTable: pairOf(sums),
  smoothL1: () => ["loss"],
  mse: () => ["loss"],
  l1: () => ["loss"],
  varianceTerm: () => ["variance"],
  covarianceTerm: () => ["covariance"],
  varianceTermGrad: ([features = ""]) => [`d ${features} by variance`],
  covarianceTermGrad: ([features = ""]) => [`d ${features} by covariance`],
  smoothL1Grad: lossGradient,
  mseGrad: lossGradient,
  l1Grad: lossGradient,
};

/** Of every value of a graph; `given` are those of inputs that another graph has made. */
export function rolesOf(graph: Graph, given: Roles = new Map()): Roles {
  const roles = new Map(given);
  for (const value of [...graph.inputs, ...parametersOf(graph)]) {
    const role = roles.get(value) ?? value.role;
    if (role === undefined) throw new Error(`internal: ${graph.name}: nothing says what ${value.name} is`);
    roles.set(value, role);
  }
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((value) => roles.get(value) ?? "");
    const outputs = (rules[node.op] ?? first)(inputs, node);
    node.outputs.forEach((value, i) => {
      roles.set(value, outputs[i] ?? "");
    });
  }
  return roles;
}

/** Of a graph and of its gradients. */
export function rolesOfBoth({ forward, backward, outputGradient }: Differentiated): Roles {
  const roles = new Map(rolesOf(forward));
  const [output] = forward.outputs;
  if (outputGradient !== undefined) roles.set(outputGradient, gradientRole((output && roles.get(output)) ?? ""));
  return rolesOf(backward, roles);
}

/** Of the only output of a graph. */
export function outputRole(graph: Graph): string {
  const [output] = graph.outputs;
  return (output && rolesOf(graph).get(output)) ?? "";
}
