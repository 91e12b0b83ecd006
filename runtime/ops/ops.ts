/**
 * The op interface: the contract between the compiler, which writes programs over these ops, and the engines, which
 * run them. Tensors are opaque handles; their type carries the literal shape.
 *
 * Shapes read as in the paper: B images, N patches, K kept tokens, D width, H heads, E width of one head. Beside its shape
 * a tensor's type says what the tensor is (roles.ts): X, Y, From and To below are roles.
 */
import type {
  BranchOrGradient,
  ColumnsOf,
  GradientRole,
  LinearGradient,
  NormGradient,
  OperandFor,
  PaddedColumns,
  ProductOf,
  StartOf,
  SumOf,
  TermFor,
  WeightGradient,
} from "./roles";
import type { Copied, Over, Sum, Times } from "./sizes";
import type { AnyTensor, BF16, F32, I32, OperandFormat, Scalar, Shape, Shard, Tensor, U8 } from "./tensors";

export type {
  AnyTensor,
  BF16,
  Dtype,
  F32,
  HostFormat,
  I32,
  OperandFormat,
  Scalar,
  Shape,
  Shard,
  Tensor,
  U8,
} from "./tensors";

type N = number;
/** A role. */
type Is = string;
type Dims = number[];

/** One method per op. `compiler/ops/` documents the formula, shape, gradient and cost of each under the same name. */
export interface Ops {
  // ── Pixels and tokens ───────────────────────────────────────────────────────────────────────────────────────────
  /**
   * Bytes to the numbers that the encoders see: (images / 255 − mean) / std of each channel, in this order of operations
   * and rounded after each, as torchvision's ToTensor and Normalize do.
   */
  normalizePixels<B extends N, C extends N, Y extends N, X extends N>(
    images: U8<[B, C, Y, X]>,
    mean: F32<[C], "pixelMean">,
    std: F32<[C], "pixelStd">,
  ): F32<[B, C, Y, X], "images">;
  /** Cuts images into patches, row-major; values in the order (channel, y, x) of a convolution's weight. */
  patchify<B extends N, C extends N, Y extends N, X extends N, T extends N, V extends N>(
    images: F32<[B, C, Y, X], "images">,
    attrs: { readonly patch: number; readonly tokens: T; readonly values: V },
  ): F32<[B, T, V], "patches">;
  /** out[r, k] = x[r mod B, index[r, k]]: row r of the index belongs to image r mod B. */
  gatherTokens<B extends N, T extends N, D extends N, R extends N, K extends N, X extends Is>(
    x: F32<[B, T, D], X>,
    index: I32<[R, K]>,
  ): F32<[R, K, D], X>;
  /** Gradient of gatherTokens: adds every row back to where it came from. */
  scatterTokens<B extends N, T extends N, D extends N, R extends N, K extends N, X extends Is>(
    gradient: F32<[R, K, D], X>,
    index: I32<[R, K]>,
    attrs: { readonly images: B; readonly tokens: T },
  ): F32<[B, T, D], X>;
  /** out[r, k] = table[index[r, k]]: position embeddings of chosen patches. */
  gatherRows<T extends N, D extends N, R extends N, K extends N, X extends Is>(
    table: F32<[T, D], X>,
    index: I32<[R, K]>,
  ): F32<[R, K, D], X>;
  /** Tokens of a, then tokens of b. `tokens` is the sum of both counts. */
  concatTokens<B extends N, P extends N, Q extends N, D extends N, S extends Sum<P, Q>, X extends Is>(
    a: F32<[B, P, D], X>,
    b: F32<[B, Q, D], X>,
    attrs: { readonly tokens: S },
  ): F32<[B, S, D], X>;
  /** `tokens` consecutive tokens (second axis from the end): the first ones, or the others, which begin at `start`. */
  sliceTokens<R extends Dims, T extends N, S extends Sum<T, N>, D extends N, X extends Is>(
    x: F32<[...R, S, D], X>,
    attrs: { readonly start: 0; readonly tokens: T },
  ): F32<[...R, T, D], X>;
  sliceTokens<R extends Dims, P extends N, T extends N, S extends Sum<P, T>, D extends N, X extends Is>(
    x: F32<[...R, S, D], X>,
    attrs: { readonly start: P; readonly tokens: T },
  ): F32<[...R, T, D], X>;
  /** Gradient of sliceTokens: zeros around x, so that there are `tokens` of them and x begins at `start`. */
  padTokens<R extends Dims, T extends N, S extends Sum<T, N>, D extends N, X extends Is>(
    x: F32<[...R, T, D], X>,
    attrs: { readonly start: 0; readonly tokens: S },
  ): F32<[...R, S, D], X>;
  padTokens<R extends Dims, P extends N, T extends N, S extends Sum<P, T>, D extends N, X extends Is>(
    x: F32<[...R, T, D], X>,
    attrs: { readonly start: P; readonly tokens: S },
  ): F32<[...R, S, D], X>;
  /** `width` consecutive columns (last axis) beginning at `start`: a part of a weight or bias. */
  sliceColumns<R extends Dims, W extends N, P extends N, From extends N, X extends Is>(
    x: F32<[...R, W], X>,
    attrs: { readonly start: From; readonly width: P },
  ): F32<[...R, P], ColumnsOf<X, From, P>>;
  /** Gradient of sliceColumns: zeros around x, so that there are `width` columns and x begins at `start`. */
  padColumns<R extends Dims, P extends N, W extends N, X extends Is>(
    x: F32<[...R, P], X>,
    attrs: { readonly start: StartOf<X, P>; readonly width: W },
  ): F32<[...R, W], PaddedColumns<X>>;
  /** `copies` times the whole batch, one after the other: rows (copy, row). */
  tileBatch<B extends N, R extends Dims, K extends N, O extends Copied<K, B>, X extends Is>(
    x: F32<[B, ...R], X>,
    attrs: { readonly copies: K; readonly rows: O },
  ): F32<[O, ...R], X>;
  /** Gradient of tileBatch: the sum over the copies. */
  sumTiles<B extends N, R extends Dims, K extends N, O extends Copied<K, B>, X extends Is>(
    x: F32<[O, ...R], X>,
    attrs: { readonly copies: K; readonly rows: B },
  ): F32<[B, ...R], X>;
  /**
   * From blocks side by side in the tokens of an image to one row per block: [B, blocks·T, D] → rows (block, copy,
   * image), the order of reference.md §5.
   */
  splitBlocks<
    B extends N,
    M extends N,
    T extends N,
    U extends Copied<M, T>,
    D extends N,
    K extends N,
    R extends Copied<M, Copied<K, B>>,
    X extends Is,
  >(
    x: F32<[B, U, D], X>,
    attrs: { readonly blocks: M; readonly copies: K; readonly rows: R; readonly tokens: T },
  ): F32<[R, T, D], X>;
  /** Gradient of splitBlocks: blocks side by side again, summed over the copies. */
  joinBlocks<R extends N, T extends N, D extends N, B extends N, U extends N, X extends Is>(
    x: F32<[R, T, D], X>,
    attrs: { readonly blocks: number; readonly copies: number; readonly images: B; readonly tokens: U },
  ): F32<[B, U, D], X>;
  /** Mean over the tokens (second axis from the end). */
  meanTokens<B extends N, T extends N, D extends N, X extends Is>(x: F32<[B, T, D], X>): F32<[B, D], X>;
  /** Gradient of meanTokens: the same gradient, divided by the number of tokens, at every token. */
  spreadTokens<B extends N, D extends N, T extends N, X extends Is>(
    gradient: F32<[B, D], X>,
    attrs: { readonly tokens: T },
  ): F32<[B, T, D], `spread ${X}`>;

  // ── Layers ──────────────────────────────────────────────────────────────────────────────────────────────────────
  /** x · weight + bias. The weight is [in, out], the transpose of PyTorch's. */
  linear<Format extends OperandFormat, R extends Dims, I extends N, O extends N, From extends Is, To extends Is>(
    x: Tensor<Format, [...R, I], From>,
    weight: Tensor<Format, [I, O], `${From} -> ${To}`>,
    bias: F32<[O], `+ ${To}`>,
  ): F32<[...R, O], To>;
  /** gradient · weightᵀ */
  linearGradInput<
    Format extends OperandFormat,
    R extends Dims,
    I extends N,
    O extends N,
    From extends Is,
    To extends Is,
  >(
    gradient: Tensor<Format, [...R, O], GradientRole<NoInfer<To>>>,
    weight: Tensor<Format, [I, O], `${From} -> ${To}`>,
  ): F32<[...R, I], LinearGradient<From, To>>;
  /** xᵀ · gradient, summed over all rows. */
  linearGradWeight<
    Format extends OperandFormat,
    R extends Dims,
    I extends N,
    O extends N,
    From extends Is,
    To extends Is,
  >(
    x: Tensor<Format, [...R, I], From>,
    gradient: Tensor<Format, [...R, O], `d ${To}`>,
  ): F32<[I, O], `${From} . d ${To}`>;
  /** Sum over all axes but the last: the gradient of a bias. */
  sumRows<R extends Dims, D extends N, X extends Is>(x: F32<[...R, D], X>): F32<[D], `sum of ${X}`>;
  /** Layer norm over the last axis (biased variance), then gain and bias. */
  layerNorm<R extends Dims, D extends N, From extends Is, To extends Is>(
    x: F32<[...R, D], From>,
    gain: F32<[D], `${From} -> ${To}`>,
    bias: F32<[D], `+ ${To}`>,
    attrs: { readonly eps: number },
  ): F32<[...R, D], To>;
  /** Gradients of layerNorm by x, gain and bias. */
  layerNormGrad<R extends Dims, D extends N, From extends Is, To extends Is>(
    gradient: F32<[...R, D], `d ${To}`>,
    x: F32<[...R, D], From>,
    gain: F32<[D], `${From} -> ${To}`>,
    attrs: { readonly eps: number },
  ): [
    dx: F32<[...R, D], NormGradient<From, To>>,
    dGain: F32<[D], `${From} . d ${To}`>,
    dBias: F32<[D], `sum of d ${To}`>,
  ];
  /** Layer norm without gain and bias: the normalization of targets. */
  normalize<R extends Dims, D extends N, X extends Is>(
    x: F32<[...R, D], X>,
    attrs: { readonly eps: number },
  ): F32<[...R, D], `normalize(${X})`>;
  /** Gradient of normalize. */
  normalizeGrad<R extends Dims, D extends N, X extends Is>(
    gradient: F32<[...R, D], `d normalize(${X})`>,
    x: F32<[...R, D], X>,
    attrs: { readonly eps: number },
  ): F32<[...R, D], `d ${X}`>;
  /** x · ½(1 + erf(x/√2)), the exact form. */
  gelu<S extends Shape, X extends Is>(x: F32<S, X>): F32<S, `gelu(${X})`>;
  /** gradient · gelu'(x) */
  geluGrad<S extends Shape, X extends Is>(gradient: F32<S, `d gelu(${X})`>, x: F32<S, X>): F32<S, `d ${X}`>;

  // ── Attention ───────────────────────────────────────────────────────────────────────────────────────────────────
  /** [B, N, 3·H·E] → query, key, value, each [B, H, N, E]; the last axis is (q|k|v, head, e), as in timm. */
  splitHeads<B extends N, T extends N, D extends N, W extends Times<3, D>, H extends N, E extends Over<D, H>>(
    qkv: F32<[B, T, W], "qkv">,
    attrs: { readonly heads: H; readonly headWidth: E },
  ): [q: F32<[B, H, T, E], "q">, k: F32<[B, H, T, E], "k">, v: F32<[B, H, T, E], "v">];
  /** Gradient of splitHeads. */
  joinHeads<B extends N, H extends N, T extends N, E extends N, W extends N>(
    q: F32<[B, H, T, E], "d q">,
    k: F32<[B, H, T, E], "d k">,
    v: F32<[B, H, T, E], "d v">,
    attrs: { readonly width: W },
  ): F32<[B, T, W], "d qkv">;
  /** [B, H, N, E] → [B, N, H·E]: the heads side by side. */
  mergeHeads<B extends N, H extends N, T extends N, D extends N, E extends Over<D, H>, X extends Is>(
    x: F32<[B, H, T, E], X>,
    attrs: { readonly width: D },
  ): F32<[B, T, D], X>;
  /** Gradient of mergeHeads. */
  unmergeHeads<B extends N, T extends N, D extends N, H extends N, E extends Over<D, H>, X extends Is>(
    x: F32<[B, T, D], X>,
    attrs: { readonly heads: H; readonly headWidth: E },
  ): F32<[B, H, T, E], X>;
  /** scale · a · b, per batch entry; without a scale, a · b. */
  matmul<Format extends OperandFormat, R extends Dims, I extends N, K extends N, O extends N, X extends Is>(
    a: Tensor<Format, [...R, I, K], X>,
    b: Tensor<Format, [...R, K, O], OperandFor<"matmul", X>>,
    attrs?: { readonly scale: number },
  ): F32<[...R, I, O], ProductOf<"matmul", X>>;
  /** scale · a · bᵀ, per batch entry. */
  matmulNT<Format extends OperandFormat, R extends Dims, I extends N, K extends N, O extends N, X extends Is>(
    a: Tensor<Format, [...R, I, K], X>,
    b: Tensor<Format, [...R, O, K], OperandFor<"matmulNT", X>>,
    attrs?: { readonly scale: number },
  ): F32<[...R, I, O], ProductOf<"matmulNT", X>>;
  /** scale · aᵀ · b, per batch entry. */
  matmulTN<Format extends OperandFormat, R extends Dims, I extends N, K extends N, O extends N, X extends Is>(
    a: Tensor<Format, [...R, K, I], X>,
    b: Tensor<Format, [...R, K, O], OperandFor<"matmulTN", X>>,
    attrs?: { readonly scale: number },
  ): F32<[...R, I, O], ProductOf<"matmulTN", X>>;
  /** Softmax over the last axis. */
  softmax<S extends Shape, X extends Is>(x: F32<S, X>): F32<S, `softmax(${X})`>;
  /** y · (gradient − Σ gradient·y), where y is the output of the softmax. */
  softmaxGrad<S extends Shape, X extends Is>(
    gradient: F32<S, `d softmax(${X})`>,
    y: F32<S, `softmax(${X})`>,
  ): F32<S, `d ${X}`>;

  // ── Elementwise ─────────────────────────────────────────────────────────────────────────────────────────────────
  /** a + b */
  add<S extends Shape, X extends Is>(a: F32<S, X>, b: F32<S, X>): F32<S, X>;
  add<S extends Shape, X extends Is, Y extends TermFor<X>>(a: F32<S, X>, b: F32<S, Y>): F32<S, SumOf<X, Y>>;
  /** x + vector at every row (the mask token). */
  addVector<R extends Dims, D extends N, X extends Is, Y extends TermFor<X>>(
    x: F32<[...R, D], X>,
    vector: F32<[D], Y>,
  ): F32<[...R, D], SumOf<X, Y>>;
  /** x + table for every image (the position embeddings of all patches). */
  addTable<B extends N, T extends N, D extends N, X extends Is, Y extends TermFor<X>>(
    x: F32<[B, T, D], X>,
    table: F32<[T, D], Y>,
  ): F32<[B, T, D], SumOf<X, Y>>;
  /** Sum over the first axis: the gradient of addTable by its table. */
  sumBatch<B extends N, T extends N, D extends N, X extends Is>(x: F32<[B, T, D], X>): F32<[T, D], `sum of ${X}`>;
  /** by · x */
  scale<S extends Shape, X extends Is>(x: F32<S, X>, attrs: { readonly by: number }): F32<S, X>;
  /** x · factor, one scalar for all. */
  scaleBy<S extends Shape, X extends Is, Y extends Is>(x: F32<S, X>, factor: Scalar<Y>): F32<S, X>;
  /** x[r] · factor[r]: stochastic depth, one factor per image. */
  scaleRows<B extends N, R extends Dims, X extends BranchOrGradient<Y>, Y extends Is>(
    x: F32<[B, ...R], X>,
    factor: F32<[B], `keep ${Y}`>,
  ): F32<[B, ...R], X>;
  /** The scalar 1: where a backward pass begins. */
  one(): Scalar;

  // ── Number formats ──────────────────────────────────────────────────────────────────────────────────────────────
  /** x rounded to bfloat16, to nearest, ties to even. */
  toBf16<S extends Shape, X extends Is>(x: F32<S, X>): BF16<S, X>;
  /** The same numbers in float32. */
  toF32<S extends Shape, X extends Is>(x: BF16<S, X>): F32<S, X>;

  // ── Loss ────────────────────────────────────────────────────────────────────────────────────────────────────────
  /** Mean over all elements of ½d²/β where |d| < β, |d| − ½β elsewhere; d = prediction − target; without a beta, β = 1. */
  smoothL1<S extends Shape, X extends Is, Y extends Is>(
    prediction: F32<S, X>,
    target: F32<S, Y>,
    attrs?: { readonly beta: number },
  ): Scalar<"loss">;
  /** Gradient of smoothL1 by the prediction: clip(d, −β, β) / (β · count). */
  smoothL1Grad<S extends Shape, X extends Is, Y extends Is>(
    prediction: F32<S, X>,
    target: F32<S, Y>,
    attrs?: { readonly beta: number },
  ): F32<S, `d ${X}`>;
  /** Mean over all elements of d². */
  mse<S extends Shape, X extends Is, Y extends Is>(prediction: F32<S, X>, target: F32<S, Y>): Scalar<"loss">;
  /** Gradient of mse by the prediction: 2d / count. */
  mseGrad<S extends Shape, X extends Is, Y extends Is>(prediction: F32<S, X>, target: F32<S, Y>): F32<S, `d ${X}`>;
  /** Mean over all elements of |d|. */
  l1<S extends Shape, X extends Is, Y extends Is>(prediction: F32<S, X>, target: F32<S, Y>): Scalar<"loss">;
  /** Gradient of l1 by the prediction: the sign of d / count, which is 0 where d is. */
  l1Grad<S extends Shape, X extends Is, Y extends Is>(prediction: F32<S, X>, target: F32<S, Y>): F32<S, `d ${X}`>;
  /**
   * VICReg's variance term of features [rows, D]: weight · (1/D) Σ_d max(0, γ − √(Var_d + eps)), with Var_d over the rows, by
   * rows − 1 (Bardes et al. 2022, equation 1).
   */
  varianceTerm<R extends N, D extends N, X extends Is>(
    x: F32<[R, D], X>,
    attrs: { readonly weight: number; readonly gamma: number; readonly eps: number },
  ): Scalar<"variance">;
  /** Gradient of varianceTerm: −weight / (D (rows − 1)) · (x − mean) / √(Var + eps) where that root is below γ, else 0. */
  varianceTermGrad<R extends N, D extends N, X extends Is>(
    x: F32<[R, D], X>,
    attrs: { readonly weight: number; readonly gamma: number; readonly eps: number },
  ): F32<[R, D], `d ${X} by variance`>;
  /** VICReg's covariance term: weight · (1/D) Σ_{i≠j} Cov_ij² over the rows, by rows − 1 (equations 3 and 4 there). */
  covarianceTerm<R extends N, D extends N, X extends Is>(
    x: F32<[R, D], X>,
    attrs: { readonly weight: number },
  ): Scalar<"covariance">;
  /** Gradient of covarianceTerm: 4 weight / (D (rows − 1)) · (x − mean) · Cov without its diagonal. */
  covarianceTermGrad<R extends N, D extends N, X extends Is>(
    x: F32<[R, D], X>,
    attrs: { readonly weight: number },
  ): F32<[R, D], `d ${X} by covariance`>;

  // ── Update ──────────────────────────────────────────────────────────────────────────────────────────────────────
  /** √(Σ over all tensors and elements of x²) */
  globalNorm(tensors: readonly AnyTensor[]): Scalar<"norm">;
  /** min(1, max / (norm + 1e-6)), PyTorch's clip_grad_norm_. */
  clipFactor(norm: Scalar<"norm">, attrs: { readonly max: number }): Scalar<"clip">;
  /**
   * The mean of x over the devices that share a batch; x itself where there is one. Gradients are means over the images of
   * their device, so this is the mean of means, as the reference has it (reference.md §9). A generated step calls it
   * for all tensors of a tree, one after the other, between backward and update. An engine meets the other devices
   * once for all of them; an engine that begins with the last blocks while the first ones are still differentiated finds
   * its buckets in the order of these calls.
   */
  allReduce<S extends Shape, X extends Is>(x: F32<S, X>): F32<S, X>;
  /** The part of x that this device keeps, `length` numbers of it in C order, filled up with zeros (step/shards.ts). */
  shard<S extends Shape, X extends Is>(x: F32<S, X>, attrs: { readonly length: number }): F32<Shard<S>, X>;
  /** The tensor whose shards the devices hold; `like` has its shape, and its numbers are not read. */
  allGather<S extends Shape, X extends Is, Y extends Is>(shard: F32<Shard<S>, X>, like: F32<S, Y>): F32<S, X>;
  /**
   * One AdamW update (reference.md §7): m' = β1·m + (1−β1)·g, v' = β2·v + (1−β2)·g²,
   * w' = w·decay − stepSize · m' / (√v'·secondMoment + eps), with decay = 1 − lr·wd (left out where `decay` is false),
   * stepSize = lr / (1 − β1ᵗ), secondMoment = 1 / √(1 − β2ᵗ).
   */
  adamw<S extends Shape, X extends Is>(
    weight: F32<S, X>,
    gradient: F32<S, WeightGradient<NoInfer<X>>>,
    m: F32<S, `m ${X}`>,
    v: F32<S, `v ${X}`>,
    stepSize: Scalar<"stepSize">,
    secondMoment: Scalar<"secondMoment">,
    decayFactor: Scalar<"decayFactor">,
    attrs: { readonly beta1: number; readonly beta2: number; readonly eps: number; readonly decay: boolean },
  ): [weight: F32<S, `next ${X}`>, m: F32<S, `next m ${X}`>, v: F32<S, `next v ${X}`>];
  /** keep·target + take·weight, with keep = momentum and take = 1 − momentum (taken in float64, reference.md §5). */
  ema<S extends Shape, X extends Is>(
    target: F32<S, X>,
    weight: F32<S, `next ${X}`>,
    keep: Scalar<"keep">,
    take: Scalar<"take">,
  ): F32<S, `next ${X}`>;
}

export type OpName = keyof Ops;

/** Any tuple of tensors and one record of attributes, the last argument where an op has one. */
type LastAttrs<A extends readonly unknown[]> = A extends readonly [...unknown[], infer L]
  ? L extends AnyTensor | readonly AnyTensor[]
    ? NoAttrs
    : L
  : NoAttrs;
export type NoAttrs = Readonly<Record<never, never>>;

/** The attributes of op K, e.g. `{ eps: number }` for layerNorm. */
export type AttrsOf<K extends OpName> = LastAttrs<Required<Parameters<Ops[K]>>>;
