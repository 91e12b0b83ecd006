/**
 * What a tensor is, beside its shape: the second half of its type. A role is the name that the value has in a generated
 * step, so that `linear(x, …)` where the layer's weight is `"norm1 -> qkv"` is an error that says which of both is meant.
 * Types alone: nothing of it is left at run time. The tables serve the types of ops.ts and the compiler, which writes
 * roles into the heads of functions (compiler/emit/roles.ts).
 *
 *   "norm1"             a value
 *   "norm1 -> qkv"      the weight that makes the second of the first; "+ qkv" its bias
 *   "d norm1"           the gradient of a value; "part of d x": what only one of its readers gives
 *   "norm1 . d qkv"     the gradient of a weight; "sum of d qkv" that of a bias
 *   "m …" "v …" "next …"  AdamW's moments, and what an update leaves behind (weights.ts)
 */

/** A sum of two values of different roles: what may be added to what, and what comes of it. */
export const sums = {
  embedded: { positions: "x" },
  positions: { "+ x": "x" },
  embeddedContext: { positions: "x" },
  x: { projected: "afterAttention" },
  afterAttention: { mlp: "x" },
  // targets of several blocks
  "normalize(x)": { "normalize(x)": "normalize(x)" },
  // a residual: the gradient of what went on, and that of the branch
  "d x": { "part of d afterAttention": "d afterAttention" },
  "d afterAttention": { "part of d x": "d x" },
  "part of d x": { "d afterAttention": "d x" },
  // the context's features, which two read: the predictor, and a regularizer the mean over their tokens
  "part of d encoded": { "spread d encoded": "d encoded" },
  // a regularizer's terms, and its place in the loss
  variance: { covariance: "regularizer" },
  "d encoded by covariance": { "d encoded by variance": "d encoded" },
  loss: { regularizer: "loss" },
} as const;

/** Attention's products, forward and backward, by their operands. */
export const products = {
  matmul: { "softmax(scores)": { v: "mixed" }, "d scores": { k: "d q" } },
  matmulNT: { q: { k: "scores" }, "d mixed": { v: "d softmax(scores)" } },
  matmulTN: { "softmax(scores)": { "d mixed": "d v" }, "d scores": { q: "d k" } },
} as const;

/** A term has the gradient of its sum. */
export const sumOfTerm = { embedded: "x", embeddedContext: "x", projected: "afterAttention", mlp: "x" } as const;

/** Layers whose input also goes past them: what they give is one part of its gradient. */
export const branches = ["norm1", "norm2"] as const;

/** Linear layers whose input others read as well: what they give is one part of its gradient. */
export const sharers = ["embeddedContext"] as const;

type Sums = typeof sums;
/** What may be added to a value of role A. */
export type TermFor<A extends string> = string extends A
  ? string
  : A extends keyof Sums
    ? Extract<keyof Sums[A], string>
    : never;
export type SumOf<A extends string, B extends string> = string extends A
  ? string
  : A extends keyof Sums
    ? B extends keyof Sums[A]
      ? Extract<Sums[A][B], string>
      : never
    : never;

export type Product = keyof typeof products;
/** The second operand that goes with the first. */
export type OperandFor<P extends Product, A extends string> = string extends A
  ? string
  : A extends keyof (typeof products)[P]
    ? Extract<keyof (typeof products)[P][A], string>
    : never;
/** A product whose first operand is A: it goes with one other only. */
export type ProductOf<P extends Product, A extends string> = string extends A
  ? string
  : A extends keyof (typeof products)[P]
    ? Extract<(typeof products)[P][A][keyof (typeof products)[P][A]], string>
    : never;

export type GradientRole<R extends string> = string extends R
  ? string
  : R extends keyof typeof sumOfTerm
    ? `d ${(typeof sumOfTerm)[R]}`
    : `d ${R}`;

/** What the factors of stochastic depth for a branch may scale. */
export type BranchOrGradient<R extends string> = R | GradientRole<R>;

/** The gradient of a norm's input. */
export type NormGradient<From extends string, To extends string> = To extends (typeof branches)[number]
  ? `part of d ${From}`
  : `d ${From}`;

/** The gradient of a linear layer's input. */
export type LinearGradient<From extends string, To extends string> = To extends (typeof sharers)[number]
  ? `part of d ${From}`
  : `d ${From}`;

/** The role of the bias of a layer whose weight is `"norm1 -> qkv"`. */
export type BiasOf<R extends string> = R extends `${string} -> ${infer To}` ? `+ ${To}` : string;

/** The gradient of a weight or bias. */
export type WeightGradient<R extends string> = string extends R
  ? string
  : R extends `+ ${infer To}`
    ? `sum of ${GradientRole<To>}`
    : R extends `${infer From} -> ${infer To}`
      ? `${From} . ${GradientRole<To>}`
      : never;

/** Columns of the weight or bias of query, key and value, by where they begin. */
export type ColumnsOf<R extends string, Start extends number, Width extends number> = R extends `${infer Of}qkv`
  ? `${Of}${Start extends 0 ? "q" : Start extends Width ? "k" : "v"}`
  : R;
/** Gradients of such columns, with zeros around them. */
export type PaddedColumns<R extends string> = R extends `${infer Of}d ${"q" | "k" | "v"}` ? `${Of}d qkv` : R;
/** Where the columns of a gradient begin; those of the value at twice the width, which is no literal. */
export type StartOf<R extends string, Width extends number> = R extends `${string}d q`
  ? 0
  : R extends `${string}d k`
    ? Width
    : number;
