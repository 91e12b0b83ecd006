/**
 * The op interface: the contract between the compiler, which writes programs over these ops, and the engines, which
 * run them. Tensors are opaque handles; their type carries the literal shape.
 *
 * Shapes read as in the paper: B images, N patches, K kept tokens, D width, H heads, E width of one head.
 */

declare const SHAPE: unique symbol;
declare const FORMAT: unique symbol;

export type Shape = readonly number[];
/**
 * Number formats. bf16 is bfloat16: the exponent of float32 with 8 bits of significand, the operands of products. u8 are
 * bytes, the pixels of images as they are decoded.
 */
export type Dtype = "f32" | "bf16" | "i32" | "u8";

/** Of what crosses between host and engine: bfloat16 lives and dies within a generated function. */
export type HostFormat = Exclude<Dtype, "bf16">;

/** What every tensor handle has at run time. A negative size is a length that is known only when the step runs. */
export interface AnyTensor {
  readonly dtype: Dtype;
  readonly shape: Shape;
}

/**
 * A tensor of number format T and shape S. The brands are functions on purpose: they make both invariant. With plain
 * properties TypeScript would infer `192 | 768` for a shared axis, or either format for a product of both, and accept it.
 */
export interface Tensor<T extends Dtype, S extends Shape> extends AnyTensor {
  readonly dtype: T;
  readonly [SHAPE]: (shape: S) => S;
  readonly [FORMAT]: (dtype: T) => T;
}

/** A float32 tensor of shape S. */
export type F32<S extends Shape> = Tensor<"f32", S>;

/** A bfloat16 tensor of shape S: what a product of `precision: "bf16"` takes. */
export type BF16<S extends Shape> = Tensor<"bf16", S>;

/** An int32 tensor of shape S: indices of patches. */
export type I32<S extends Shape> = Tensor<"i32", S>;

/** Bytes of shape S: pixels, 0 to 255. */
export type U8<S extends Shape> = Tensor<"u8", S>;

/** What a product takes, one format for both of its operands; its sums and its result are float32 in either. */
export type OperandFormat = "f32" | "bf16";

export type Scalar = F32<[]>;

declare const WHOLE: unique symbol;

/** The shape of the part that one device keeps of a tensor of shape S: one axis (runtime/step/shards.ts). */
export type Shard<S extends Shape> = readonly [length: number] & { readonly [WHOLE]?: (shape: S) => S };
type N = number;
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
    mean: F32<[C]>,
    std: F32<[C]>,
  ): F32<[B, C, Y, X]>;
  /** Cuts images into patches, row-major; values in the order (channel, y, x) of a convolution's weight. */
  patchify<B extends N, C extends N, Y extends N, X extends N, T extends N, V extends N>(
    images: F32<[B, C, Y, X]>,
    attrs: { readonly patch: number; readonly tokens: T; readonly values: V },
  ): F32<[B, T, V]>;
  /** out[r, k] = x[r mod B, index[r, k]]: row r of the index belongs to image r mod B. */
  gatherTokens<B extends N, T extends N, D extends N, R extends N, K extends N>(
    x: F32<[B, T, D]>,
    index: I32<[R, K]>,
  ): F32<[R, K, D]>;
  /** Gradient of gatherTokens: adds every row back to where it came from. */
  scatterTokens<B extends N, T extends N, D extends N, R extends N, K extends N>(
    gradient: F32<[R, K, D]>,
    index: I32<[R, K]>,
    attrs: { readonly images: B; readonly tokens: T },
  ): F32<[B, T, D]>;
  /** out[r, k] = table[index[r, k]]: position embeddings of chosen patches. */
  gatherRows<T extends N, D extends N, R extends N, K extends N>(
    table: F32<[T, D]>,
    index: I32<[R, K]>,
  ): F32<[R, K, D]>;
  /** Tokens of a, then tokens of b. `tokens` is the sum of both counts. */
  concatTokens<B extends N, P extends N, Q extends N, D extends N, S extends N>(
    a: F32<[B, P, D]>,
    b: F32<[B, Q, D]>,
    attrs: { readonly tokens: S },
  ): F32<[B, S, D]>;
  /** `tokens` consecutive tokens (second axis from the end) beginning at `start`. */
  sliceTokens<R extends Dims, S extends N, D extends N, T extends N>(
    x: F32<[...R, S, D]>,
    attrs: { readonly start: number; readonly tokens: T },
  ): F32<[...R, T, D]>;
  /** Gradient of sliceTokens: zeros around x, so that there are `tokens` of them and x begins at `start`. */
  padTokens<R extends Dims, T extends N, D extends N, S extends N>(
    x: F32<[...R, T, D]>,
    attrs: { readonly start: number; readonly tokens: S },
  ): F32<[...R, S, D]>;
  /** `width` consecutive columns (last axis) beginning at `start`: a part of a weight or bias. */
  sliceColumns<R extends Dims, W extends N, P extends N>(
    x: F32<[...R, W]>,
    attrs: { readonly start: number; readonly width: P },
  ): F32<[...R, P]>;
  /** Gradient of sliceColumns: zeros around x, so that there are `width` columns and x begins at `start`. */
  padColumns<R extends Dims, P extends N, W extends N>(
    x: F32<[...R, P]>,
    attrs: { readonly start: number; readonly width: W },
  ): F32<[...R, W]>;
  /** `copies` times the whole batch, one after the other: rows (copy, row). */
  tileBatch<B extends N, R extends Dims, O extends N>(
    x: F32<[B, ...R]>,
    attrs: { readonly copies: number; readonly rows: O },
  ): F32<[O, ...R]>;
  /** Gradient of tileBatch: the sum over the copies. */
  sumTiles<O extends N, R extends Dims, B extends N>(
    x: F32<[O, ...R]>,
    attrs: { readonly copies: number; readonly rows: B },
  ): F32<[B, ...R]>;
  /**
   * From blocks side by side in the tokens of an image to one row per block: [B, blocks·T, D] → rows (block, copy,
   * image), the order of reference.md §5.
   */
  splitBlocks<B extends N, U extends N, D extends N, R extends N, T extends N>(
    x: F32<[B, U, D]>,
    attrs: { readonly blocks: number; readonly copies: number; readonly rows: R; readonly tokens: T },
  ): F32<[R, T, D]>;
  /** Gradient of splitBlocks: blocks side by side again, summed over the copies. */
  joinBlocks<R extends N, T extends N, D extends N, B extends N, U extends N>(
    x: F32<[R, T, D]>,
    attrs: { readonly blocks: number; readonly copies: number; readonly images: B; readonly tokens: U },
  ): F32<[B, U, D]>;
  /** Mean over the tokens (second axis from the end). */
  meanTokens<B extends N, T extends N, D extends N>(x: F32<[B, T, D]>): F32<[B, D]>;
  /** Gradient of meanTokens: the same gradient, divided by the number of tokens, at every token. */
  spreadTokens<B extends N, D extends N, T extends N>(
    gradient: F32<[B, D]>,
    attrs: { readonly tokens: T },
  ): F32<[B, T, D]>;

  // ── Layers ──────────────────────────────────────────────────────────────────────────────────────────────────────
  /** x · weight + bias. The weight is [in, out], the transpose of PyTorch's. */
  linear<Format extends OperandFormat, R extends Dims, I extends N, O extends N>(
    x: Tensor<Format, [...R, I]>,
    weight: Tensor<Format, [I, O]>,
    bias: F32<[O]>,
  ): F32<[...R, O]>;
  /** gradient · weightᵀ */
  linearGradInput<Format extends OperandFormat, R extends Dims, I extends N, O extends N>(
    gradient: Tensor<Format, [...R, O]>,
    weight: Tensor<Format, [I, O]>,
  ): F32<[...R, I]>;
  /** xᵀ · gradient, summed over all rows. */
  linearGradWeight<Format extends OperandFormat, R extends Dims, I extends N, O extends N>(
    x: Tensor<Format, [...R, I]>,
    gradient: Tensor<Format, [...R, O]>,
  ): F32<[I, O]>;
  /** Sum over all axes but the last: the gradient of a bias. */
  sumRows<R extends Dims, D extends N>(x: F32<[...R, D]>): F32<[D]>;
  /** Layer norm over the last axis (biased variance), then gain and bias. */
  layerNorm<R extends Dims, D extends N>(
    x: F32<[...R, D]>,
    gain: F32<[D]>,
    bias: F32<[D]>,
    attrs: { readonly eps: number },
  ): F32<[...R, D]>;
  /** Gradients of layerNorm by x, gain and bias. */
  layerNormGrad<R extends Dims, D extends N>(
    gradient: F32<[...R, D]>,
    x: F32<[...R, D]>,
    gain: F32<[D]>,
    attrs: { readonly eps: number },
  ): [dx: F32<[...R, D]>, dGain: F32<[D]>, dBias: F32<[D]>];
  /** Layer norm without gain and bias: the normalization of targets. */
  normalize<R extends Dims, D extends N>(x: F32<[...R, D]>, attrs: { readonly eps: number }): F32<[...R, D]>;
  /** Gradient of normalize. */
  normalizeGrad<R extends Dims, D extends N>(
    gradient: F32<[...R, D]>,
    x: F32<[...R, D]>,
    attrs: { readonly eps: number },
  ): F32<[...R, D]>;
  /** x · ½(1 + erf(x/√2)), the exact form. */
  gelu<S extends Shape>(x: F32<S>): F32<S>;
  /** gradient · gelu'(x) */
  geluGrad<S extends Shape>(gradient: F32<S>, x: F32<S>): F32<S>;

  // ── Attention ───────────────────────────────────────────────────────────────────────────────────────────────────
  /** [B, N, 3·H·E] → query, key, value, each [B, H, N, E]; the last axis is (q|k|v, head, e), as in timm. */
  splitHeads<B extends N, T extends N, W extends N, H extends N, E extends N>(
    qkv: F32<[B, T, W]>,
    attrs: { readonly heads: H; readonly headWidth: E },
  ): [q: F32<[B, H, T, E]>, k: F32<[B, H, T, E]>, v: F32<[B, H, T, E]>];
  /** Gradient of splitHeads. */
  joinHeads<B extends N, H extends N, T extends N, E extends N, W extends N>(
    q: F32<[B, H, T, E]>,
    k: F32<[B, H, T, E]>,
    v: F32<[B, H, T, E]>,
    attrs: { readonly width: W },
  ): F32<[B, T, W]>;
  /** [B, H, N, E] → [B, N, H·E]: the heads side by side. */
  mergeHeads<B extends N, H extends N, T extends N, E extends N, D extends N>(
    x: F32<[B, H, T, E]>,
    attrs: { readonly width: D },
  ): F32<[B, T, D]>;
  /** Gradient of mergeHeads. */
  unmergeHeads<B extends N, T extends N, D extends N, H extends N, E extends N>(
    x: F32<[B, T, D]>,
    attrs: { readonly heads: H; readonly headWidth: E },
  ): F32<[B, H, T, E]>;
  /** scale · a · b, per batch entry. */
  matmul<Format extends OperandFormat, R extends Dims, I extends N, K extends N, O extends N>(
    a: Tensor<Format, [...R, I, K]>,
    b: Tensor<Format, [...R, K, O]>,
    attrs: { readonly scale: number },
  ): F32<[...R, I, O]>;
  /** scale · a · bᵀ, per batch entry. */
  matmulNT<Format extends OperandFormat, R extends Dims, I extends N, K extends N, O extends N>(
    a: Tensor<Format, [...R, I, K]>,
    b: Tensor<Format, [...R, O, K]>,
    attrs: { readonly scale: number },
  ): F32<[...R, I, O]>;
  /** scale · aᵀ · b, per batch entry. */
  matmulTN<Format extends OperandFormat, R extends Dims, I extends N, K extends N, O extends N>(
    a: Tensor<Format, [...R, K, I]>,
    b: Tensor<Format, [...R, K, O]>,
    attrs: { readonly scale: number },
  ): F32<[...R, I, O]>;
  /** Softmax over the last axis. */
  softmax<S extends Shape>(x: F32<S>): F32<S>;
  /** y · (gradient − Σ gradient·y), where y is the output of the softmax. */
  softmaxGrad<S extends Shape>(gradient: F32<S>, y: F32<S>): F32<S>;

  // ── Elementwise ─────────────────────────────────────────────────────────────────────────────────────────────────
  /** a + b */
  add<S extends Shape>(a: F32<S>, b: F32<S>): F32<S>;
  /** x + vector at every row (the mask token). */
  addVector<R extends Dims, D extends N>(x: F32<[...R, D]>, vector: F32<[D]>): F32<[...R, D]>;
  /** x + table for every image (the position embeddings of all patches). */
  addTable<B extends N, T extends N, D extends N>(x: F32<[B, T, D]>, table: F32<[T, D]>): F32<[B, T, D]>;
  /** Sum over the first axis: the gradient of addTable by its table. */
  sumBatch<B extends N, T extends N, D extends N>(x: F32<[B, T, D]>): F32<[T, D]>;
  /** by · x */
  scale<S extends Shape>(x: F32<S>, attrs: { readonly by: number }): F32<S>;
  /** x · factor, one scalar for all. */
  scaleBy<S extends Shape>(x: F32<S>, factor: Scalar): F32<S>;
  /** x[r] · factor[r]: stochastic depth, one factor per image. */
  scaleRows<B extends N, R extends Dims>(x: F32<[B, ...R]>, factor: F32<[B]>): F32<[B, ...R]>;
  /** The scalar 1: where a backward pass begins. */
  one(): Scalar;

  // ── Number formats ──────────────────────────────────────────────────────────────────────────────────────────────
  /** x rounded to bfloat16, to nearest, ties to even. */
  toBf16<S extends Shape>(x: F32<S>): BF16<S>;
  /** The same numbers in float32. */
  toF32<S extends Shape>(x: BF16<S>): F32<S>;

  // ── Loss ────────────────────────────────────────────────────────────────────────────────────────────────────────
  /** Mean over all elements of ½d² where |d| < 1, |d| − ½ elsewhere; d = prediction − target. */
  smoothL1<S extends Shape>(prediction: F32<S>, target: F32<S>): Scalar;
  /** Gradient of smoothL1 by the prediction: clip(d, −1, 1) / count. */
  smoothL1Grad<S extends Shape>(prediction: F32<S>, target: F32<S>): F32<S>;
  /** Mean over all elements of d². */
  mse<S extends Shape>(prediction: F32<S>, target: F32<S>): Scalar;
  /** Gradient of mse by the prediction: 2d / count. */
  mseGrad<S extends Shape>(prediction: F32<S>, target: F32<S>): F32<S>;

  // ── Update ──────────────────────────────────────────────────────────────────────────────────────────────────────
  /** √(Σ over all tensors and elements of x²) */
  globalNorm(tensors: readonly AnyTensor[]): Scalar;
  /** min(1, max / (norm + 1e-6)), PyTorch's clip_grad_norm_. */
  clipFactor(norm: Scalar, attrs: { readonly max: number }): Scalar;
  /**
   * The mean of x over the devices that share a batch; x itself where there is one. Gradients are means over the images of
   * their device, so this is the mean of means, as the reference has it (reference.md §9). A generated step calls it
   * for all tensors of a tree, one after the other, between backward and update. An engine meets the other devices
   * once for all of them; an engine that begins with the last blocks while the first ones are still differentiated finds
   * its buckets in the order of these calls.
   */
  allReduce<S extends Shape>(x: F32<S>): F32<S>;
  /** The part of x that this device keeps, `length` numbers of it in C order, filled up with zeros (step/shards.ts). */
  shard<S extends Shape>(x: F32<S>, attrs: { readonly length: number }): F32<Shard<S>>;
  /** The tensor whose shards the devices hold; `like` has its shape, and its numbers are not read. */
  allGather<S extends Shape>(shard: F32<Shard<S>>, like: F32<S>): F32<S>;
  /**
   * One AdamW update (reference.md §7): m' = β1·m + (1−β1)·g, v' = β2·v + (1−β2)·g²,
   * w' = w·decay − stepSize · m' / (√v'·secondMoment + eps), with decay = 1 − lr·wd (left out where `decay` is false),
   * stepSize = lr / (1 − β1ᵗ), secondMoment = 1 / √(1 − β2ᵗ).
   */
  adamw<S extends Shape>(
    weight: F32<S>,
    gradient: F32<S>,
    m: F32<S>,
    v: F32<S>,
    stepSize: Scalar,
    secondMoment: Scalar,
    decayFactor: Scalar,
    attrs: { readonly beta1: number; readonly beta2: number; readonly eps: number; readonly decay: boolean },
  ): [weight: F32<S>, m: F32<S>, v: F32<S>];
  /** keep·target + take·weight, with keep = momentum and take = 1 − momentum (taken in float64, reference.md §5). */
  ema<S extends Shape>(target: F32<S>, weight: F32<S>, keep: Scalar, take: Scalar): F32<S>;
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
export type AttrsOf<K extends OpName> = LastAttrs<Parameters<Ops[K]>>;
