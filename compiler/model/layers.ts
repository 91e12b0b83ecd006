/** The records of weights that functions are handed, and the transformer block. Names follow timm. */
import type { GraphBuilder, Group, GroupType, Value, Weights } from "../ir/graph";
import { expression, type Num, sizeOf } from "../ir/number";
import type { NetworkDims } from "./dims";

/** eps of every layer norm of the networks (reference.md §3). */
export const LAYER_NORM_EPS = expression("1e-6", 1e-6);
/** eps of the layer norm of targets (reference.md §5). */
export const TARGET_NORM_EPS = expression("1e-5", 1e-5);

/** The weights below a group, as values: `{ "norm1.weight": [D], … }`. */
export type Shapes = Readonly<Record<string, readonly Num[]>>;

export function linearShapes(prefix: string, width: Num, out: Num): Shapes {
  const at = prefix === "" ? "" : `${prefix}.`;
  return { [`${at}weight`]: [width, out], [`${at}bias`]: [out] };
}

export function normShapes(prefix: string, width: Num): Shapes {
  const at = prefix === "" ? "" : `${prefix}.`;
  return { [`${at}weight`]: [width], [`${at}bias`]: [width] };
}

export function blockShapes({ width, qkv, hidden }: NetworkDims): Shapes {
  return {
    ...normShapes("norm1", width),
    ...linearShapes("attn.qkv", width, qkv),
    ...linearShapes("attn.proj", width, width),
    ...normShapes("norm2", width),
    ...linearShapes("mlp.fc1", width, hidden),
    ...linearShapes("mlp.fc2", hidden, width),
  };
}

export function groupOf(name: string, type: GroupType, path: string, shapes: Shapes): Group {
  return {
    name,
    type,
    path,
    parameters: Object.entries(shapes).map(
      ([at, shape]): Value => ({
        name: at === "" ? name : `${name}.${at}`,
        dtype: "f32",
        shape,
        parameter: { group: name, path: at },
      }),
    ),
  };
}

export const linearType = (width: Num, out: Num): GroupType => ({ name: "Linear", axes: [width, out] });
export const normType = (width: Num): GroupType => ({ name: "Norm", axes: [width] });

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
  const scale = expression(`1 / Math.sqrt(${sizeOf(headWidth)})`, 1 / Math.sqrt(sizeOf(headWidth)));
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
