/** One small sample call for every op: what an engine, a gradient or a shape rule can be tried on. */
import type { AttrsOf, OpName } from "../../runtime/ops/ops";
import { isProduct } from "../../runtime/ops/signatures";

/** A size, or the name of a length of the sample. */
export type SampleSize = number | string;

export interface SampleTensor {
  readonly shape: readonly SampleSize[];
  /** What it holds: normal numbers (default), numbers above zero, indices below `below`, rows that add up to one, or bytes. */
  readonly holds?: "positive" | "probabilities" | "bytes" | { readonly below: number };
  /** Cast to it before the op is called. */
  readonly format?: "bf16";
}

export interface Sample<K extends OpName> {
  readonly tensors: readonly SampleTensor[];
  /** As the op takes them; a name of a length may stand for a number. */
  readonly attrs: { readonly [A in keyof AttrsOf<K>]: AttrsOf<K>[A] extends number ? SampleSize : AttrsOf<K>[A] };
  /** Lengths that an engine may treat as unknown until the step runs. */
  readonly lengths?: Readonly<Record<string, number>>;
}

const normal = (...shape: readonly SampleSize[]): SampleTensor => ({ shape });
const positive = (...shape: readonly SampleSize[]): SampleTensor => ({ shape, holds: "positive" });
const probabilities = (...shape: readonly SampleSize[]): SampleTensor => ({ shape, holds: "probabilities" });
const index = (below: number, ...shape: readonly SampleSize[]): SampleTensor => ({ shape, holds: { below } });
const bytes = (...shape: readonly SampleSize[]): SampleTensor => ({ shape, holds: "bytes" });
const scalar: SampleTensor = normal();
const rounded = (...shape: readonly SampleSize[]): SampleTensor => ({ shape, format: "bf16" });

/** B = 3 images, N = 12 patches, D = 6, H = 2 heads of E = 4; C = 5 context and T = 3 target tokens are lengths. */
const C = { C: 5 };
const T = { T: 3 };

export const opSamples: { readonly [K in OpName]: Sample<K> } = {
  // an odd number of bytes: a device may be given words
  normalizePixels: { tensors: [bytes(3, 3, 5, 7), normal(3), positive(3)], attrs: {} },
  patchify: { tensors: [normal(2, 3, 8, 12)], attrs: { patch: 4, tokens: 6, values: 48 } },
  gatherTokens: { tensors: [normal(3, 12, 6), index(12, 6, "C")], attrs: {}, lengths: C },
  scatterTokens: { tensors: [normal(6, "C", 6), index(12, 6, "C")], attrs: { images: 3, tokens: 12 }, lengths: C },
  gatherRows: { tensors: [normal(12, 6), index(12, 4, "C")], attrs: {}, lengths: C },
  concatTokens: {
    tensors: [normal(3, "C", 6), normal(3, "T", 6)],
    attrs: { tokens: "S" },
    lengths: { C: 5, T: 3, S: 8 },
  },
  sliceTokens: { tensors: [normal(3, "S", 6)], attrs: { start: "C", tokens: "T" }, lengths: { C: 5, T: 3, S: 9 } },
  padTokens: { tensors: [normal(3, "T", 6)], attrs: { start: "C", tokens: "S" }, lengths: { C: 5, T: 3, S: 9 } },
  sliceColumns: { tensors: [normal(3, "C", 12)], attrs: { start: 4, width: 6 }, lengths: C },
  padColumns: { tensors: [normal(3, "C", 6)], attrs: { start: 4, width: 12 }, lengths: C },
  tileBatch: { tensors: [normal(3, "C", 6)], attrs: { copies: 4, rows: 12 }, lengths: C },
  sumTiles: { tensors: [normal(12, "C", 6)], attrs: { copies: 4, rows: 3 }, lengths: C },
  splitBlocks: {
    tensors: [normal(3, "U", 6)],
    attrs: { blocks: 4, copies: 2, rows: 24, tokens: "T" },
    lengths: { T: 3, U: 12 },
  },
  joinBlocks: {
    tensors: [normal(24, "T", 6)],
    attrs: { blocks: 4, copies: 2, images: 3, tokens: "U" },
    lengths: { T: 3, U: 12 },
  },
  meanTokens: { tensors: [normal(3, "C", 6)], attrs: {}, lengths: C },
  spreadTokens: { tensors: [normal(3, 6)], attrs: { tokens: "C" }, lengths: C },

  linear: { tensors: [normal(3, "C", 6), normal(6, 10), normal(10)], attrs: {}, lengths: C },
  linearGradInput: { tensors: [normal(3, "C", 10), normal(6, 10)], attrs: {}, lengths: C },
  linearGradWeight: { tensors: [normal(3, "C", 6), normal(3, "C", 10)], attrs: {}, lengths: C },
  sumRows: { tensors: [normal(3, "C", 6)], attrs: {}, lengths: C },
  layerNorm: { tensors: [normal(3, "C", 6), normal(6), normal(6)], attrs: { eps: 1e-6 }, lengths: C },
  layerNormGrad: { tensors: [normal(3, "C", 6), normal(3, "C", 6), normal(6)], attrs: { eps: 1e-6 }, lengths: C },
  normalize: { tensors: [normal(3, "C", 6)], attrs: { eps: 1e-5 }, lengths: C },
  normalizeGrad: { tensors: [normal(3, "C", 6), normal(3, "C", 6)], attrs: { eps: 1e-5 }, lengths: C },
  gelu: { tensors: [normal(3, "C", 6)], attrs: {}, lengths: C },
  geluGrad: { tensors: [normal(3, "C", 6), normal(3, "C", 6)], attrs: {}, lengths: C },

  splitHeads: { tensors: [normal(3, "C", 24)], attrs: { heads: 2, headWidth: 4 }, lengths: C },
  joinHeads: {
    tensors: [normal(3, 2, "C", 4), normal(3, 2, "C", 4), normal(3, 2, "C", 4)],
    attrs: { width: 24 },
    lengths: C,
  },
  mergeHeads: { tensors: [normal(3, 2, "C", 4)], attrs: { width: 8 }, lengths: C },
  unmergeHeads: { tensors: [normal(3, "C", 8)], attrs: { heads: 2, headWidth: 4 }, lengths: C },
  matmul: { tensors: [normal(3, 2, "C", "T"), normal(3, 2, "T", 4)], attrs: { scale: 0.5 }, lengths: { ...C, ...T } },
  matmulNT: { tensors: [normal(3, 2, "C", 4), normal(3, 2, "T", 4)], attrs: { scale: 0.5 }, lengths: { ...C, ...T } },
  matmulTN: { tensors: [normal(3, 2, "C", "T"), normal(3, 2, "C", 4)], attrs: { scale: 1 }, lengths: { ...C, ...T } },
  softmax: { tensors: [normal(3, 2, "C", "C")], attrs: {}, lengths: C },
  softmaxGrad: { tensors: [normal(3, 2, "C", "C"), probabilities(3, 2, "C", "C")], attrs: {}, lengths: C },

  add: { tensors: [normal(3, "C", 6), normal(3, "C", 6)], attrs: {}, lengths: C },
  addVector: { tensors: [normal(3, "C", 6), normal(6)], attrs: {}, lengths: C },
  addTable: { tensors: [normal(3, "C", 6), normal("C", 6)], attrs: {}, lengths: C },
  sumBatch: { tensors: [normal(3, "C", 6)], attrs: {}, lengths: C },
  scale: { tensors: [normal(3, "C", 6)], attrs: { by: -0.75 }, lengths: C },
  scaleBy: { tensors: [normal(3, "C", 6), scalar], attrs: {}, lengths: C },
  scaleRows: { tensors: [normal(3, "C", 6), normal(3)], attrs: {}, lengths: C },
  one: { tensors: [], attrs: {} },

  toBf16: { tensors: [normal(3, "C", 6)], attrs: {}, lengths: C },
  toF32: { tensors: [rounded(3, "C", 6)], attrs: {}, lengths: C },

  smoothL1: { tensors: [normal(6, "T", 4), normal(6, "T", 4)], attrs: { beta: 0.75 }, lengths: T },
  smoothL1Grad: { tensors: [normal(6, "T", 4), normal(6, "T", 4)], attrs: { beta: 0.75 }, lengths: T },
  mse: { tensors: [normal(6, "T", 4), normal(6, "T", 4)], attrs: {}, lengths: T },
  mseGrad: { tensors: [normal(6, "T", 4), normal(6, "T", 4)], attrs: {}, lengths: T },
  l1: { tensors: [normal(6, "T", 4), normal(6, "T", 4)], attrs: {}, lengths: T },
  l1Grad: { tensors: [normal(6, "T", 4), normal(6, "T", 4)], attrs: {}, lengths: T },
  // some columns deviate by less than gamma, some by more
  varianceTerm: { tensors: [normal(7, 5)], attrs: { weight: 0.75, gamma: 1, eps: 1e-4 } },
  varianceTermGrad: { tensors: [normal(7, 5)], attrs: { weight: 0.75, gamma: 1, eps: 1e-4 } },
  covarianceTerm: { tensors: [normal(7, 5)], attrs: { weight: 0.75 } },
  covarianceTermGrad: { tensors: [normal(7, 5)], attrs: { weight: 0.75 } },

  allReduce: { tensors: [normal(4, 5)], attrs: {} },
  shard: { tensors: [normal(4, 5)], attrs: { length: 20 } },
  allGather: { tensors: [normal(20), normal(4, 5)], attrs: {} },
  globalNorm: { tensors: [normal(4, 5), normal(7), scalar], attrs: {} },
  clipFactor: { tensors: [positive()], attrs: { max: 0.5 } },
  adamw: {
    tensors: [normal(4, 5), normal(4, 5), normal(4, 5), positive(4, 5), positive(), positive(), positive()],
    attrs: { beta1: 0.9, beta2: 0.999, eps: 1e-8, decay: true },
  },
  ema: { tensors: [normal(4, 5), normal(4, 5), scalar, scalar], attrs: {} },
};

const allNames = Object.keys(opSamples) as readonly OpName[];
const casts: readonly OpName[] = ["toBf16", "toF32"];

/** The ops that every engine has: all but the casts. */
export const opNames: readonly OpName[] = allNames.filter((op) => !casts.includes(op));

/** What an engine with bfloat16 has besides: the casts, and every product with operands in bfloat16. */
export const bfloat16Samples: readonly (readonly [op: OpName, sample: Sample<OpName>])[] = allNames
  .filter((op) => casts.includes(op) || isProduct(op))
  .map((op) => {
    const { tensors, ...sample } = opSamples[op];
    return [
      op,
      { ...sample, tensors: tensors.map((each, i) => (isProduct(op) && i < 2 ? { ...each, format: "bf16" } : each)) },
    ];
  });
