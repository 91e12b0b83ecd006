/** The records of weights that functions are handed, and the transformer block. Names follow timm. */
import type { GraphBuilder, Group, GroupType, Value, Weights } from "../ir/graph";
import { expression, type Num, sizeOf } from "../ir/number";
import type { NetworkDims } from "./dims";

/** eps of every layer norm of the networks (reference.md §3). */
export const LAYER_NORM_EPS = expression("1e-6", 1e-6);
/** eps of the layer norm of targets (reference.md §5). */
export const TARGET_NORM_EPS = expression("1e-5", 1e-5);

/** A weight of a layer: its shape, and what it is. */
interface WeightOf {
  readonly shape: readonly Num[];
  readonly role: string;
}

/** The weights below a group: `{ "norm1.weight": …, … }`. */
export type LayerWeights = Readonly<Record<string, WeightOf>>;

/**
 * What the layers of a block make of what; the names are those of its values. Code that is generated declares it with the
 * weights (templates/step.ts.hbs), and runtime/ops/roles.ts says what becomes of the values between.
 */
export const blockLayers = {
  norm1: "x -> norm1",
  "attn.qkv": "norm1 -> qkv",
  "attn.proj": "mixed -> projected",
  norm2: "afterAttention -> norm2",
  "mlp.fc1": "norm2 -> hidden",
  "mlp.fc2": "gelu(hidden) -> mlp",
} as const;

/** The same of the layers around the blocks. */
export const layers = {
  patchEmbed: "patches -> embedded",
  encoderNorm: "x -> encoded",
  maskToken: "+ x",
  classToken: "+ x",
  embed: "encoded -> embedded",
  /** The same where others read the encoder's features as well (runtime/ops/roles.ts). */
  embedContext: "encoded -> embeddedContext",
  predictorNorm: "x -> normed",
  proj: "normed -> predictions",
  head: "encoded -> predictions",
} as const;

function layerWeights(prefix: string, weight: readonly Num[], out: Num, role: string): LayerWeights {
  const at = prefix === "" ? "" : `${prefix}.`;
  const [, made = ""] = role.split(" -> ");
  return { [`${at}weight`]: { shape: weight, role }, [`${at}bias`]: { shape: [out], role: `+ ${made}` } };
}

export const linearWeights = (prefix: string, width: Num, out: Num, role: string): LayerWeights =>
  layerWeights(prefix, [width, out], out, role);

export const normWeights = (prefix: string, width: Num, role: string): LayerWeights =>
  layerWeights(prefix, [width], width, role);

export function blockWeights({ width, qkv, hidden }: NetworkDims): LayerWeights {
  const norm = (at: "norm1" | "norm2") => normWeights(at, width, blockLayers[at]);
  const linear = (at: keyof typeof blockLayers, from: Num, to: Num) => linearWeights(at, from, to, blockLayers[at]);
  return {
    ...norm("norm1"),
    ...linear("attn.qkv", width, qkv),
    ...linear("attn.proj", width, width),
    ...norm("norm2"),
    ...linear("mlp.fc1", width, hidden),
    ...linear("mlp.fc2", hidden, width),
  };
}

export function groupOf(name: string, type: GroupType, path: string, weights: LayerWeights): Group {
  return {
    name,
    type,
    path,
    parameters: Object.entries(weights).map(
      ([at, { shape, role }]): Value => ({
        name: at === "" ? name : `${name}.${at}`,
        dtype: "f32",
        shape,
        parameter: { group: name, path: at },
        role,
      }),
    ),
  };
}

/** One linear layer that a function is handed, at this place among the weights. */
export const linearGroup = (name: string, path: string, [width, out]: readonly [Num, Num], role: string): Group =>
  groupOf(name, { name: "Linear", axes: [width, out], role }, path, linearWeights("", width, out, role));

/** One norm. */
export const normGroup = (name: string, path: string, width: Num, role: string): Group =>
  groupOf(name, { name: "Norm", axes: [width], role }, path, normWeights("", width, role));

/** One vector that stands where a token would. */
export const tokenGroup = (name: string, path: string, width: Num, role: string): Group =>
  groupOf(name, { name: "F32", axes: [width], role }, path, { "": { shape: [width], role } });

/** Weights of one layer of a group. */
const weightsOf = (weights: Weights, layer: string): readonly [Value, Value] => [
  weights(`${layer}.weight`),
  weights(`${layer}.bias`),
];

/** Factors of stochastic depth for the two branches of a block, one per row. */
export interface DropPath {
  readonly attn: Value;
  readonly mlp: Value;
}

/**
 * A pre-norm transformer block: x += attention(norm(x)); x += mlp(norm(x)) (reference.md §3). x [rows, tokens, width].
 */
export function block(g: GraphBuilder, weights: Weights, dims: NetworkDims, x: Value, dropPath?: DropPath): Value {
  const { width, heads, headWidth } = dims;
  const scale = expression(`1 / Math.sqrt(${headWidth.name})`, 1 / Math.sqrt(sizeOf(headWidth)));
  const kept = (branch: Value, factor: Value | undefined): Value =>
    factor === undefined ? branch : g.one("scaleRows", [branch, factor], {}, `${branch.name}Kept`);

  const norm1 = g.one("layerNorm", [x, ...weightsOf(weights, "norm1")], { eps: LAYER_NORM_EPS }, "norm1");
  const qkv = g.one("linear", [norm1, ...weightsOf(weights, "attn.qkv")], {}, "qkv");
  const [q, k, v] = g.apply("splitHeads", [qkv], { heads, headWidth }, "q", "k", "v");
  if (q === undefined || k === undefined || v === undefined) throw new Error("internal: splitHeads gives q, k and v");
  const scores = g.one("matmulNT", [q, k], { scale }, "scores");
  const attention = g.one("softmax", [scores], {}, "attention");
  const mixed = g.one("matmul", [attention, v], { scale: 1 }, "mixed");
  const merged = g.one("mergeHeads", [mixed], { width }, "merged");
  const projected = g.one("linear", [merged, ...weightsOf(weights, "attn.proj")], {}, "projected");
  const afterAttention = g.one("add", [x, kept(projected, dropPath?.attn)], {}, "afterAttention");
  const norm2 = g.one("layerNorm", [afterAttention, ...weightsOf(weights, "norm2")], { eps: LAYER_NORM_EPS }, "norm2");
  const hidden = g.one("linear", [norm2, ...weightsOf(weights, "mlp.fc1")], {}, "hidden");
  const activated = g.one("gelu", [hidden], {}, "activated");
  const mlp = g.one("linear", [activated, ...weightsOf(weights, "mlp.fc2")], {}, "mlp");
  return g.one("add", [afterAttention, kept(mlp, dropPath?.mlp)], {}, "out");
}
