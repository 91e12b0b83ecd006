/**
 * Tensors as types: opaque handles of the engines, whose type carries the number format, the literal shape and, beside it, what
 * the tensor is (roles.ts).
 */

declare const SHAPE: unique symbol;
declare const FORMAT: unique symbol;
declare const ROLE: unique symbol;

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
 * A tensor of number format T, shape S and role R. The brands are functions on purpose: they make all three invariant.
 * With plain properties TypeScript would infer `192 | 768` for a shared axis, or either format for a product of both, and
 * accept it.
 */
export interface Tensor<T extends Dtype, S extends Shape, R extends string = string> extends AnyTensor {
  readonly dtype: T;
  readonly [SHAPE]: (shape: S) => S;
  readonly [FORMAT]: (dtype: T) => T;
  readonly [ROLE]: (role: R) => R;
}

/** A float32 tensor of shape S; what it is need not be told. */
export type F32<S extends Shape, R extends string = string> = Tensor<"f32", S, R>;

/** A bfloat16 tensor of shape S: what a product of `precision: "bf16"` takes. */
export type BF16<S extends Shape, R extends string = string> = Tensor<"bf16", S, R>;

/** An int32 tensor of shape S: indices of patches. */
export type I32<S extends Shape> = Tensor<"i32", S>;

/** Bytes of shape S: pixels, 0 to 255. */
export type U8<S extends Shape> = Tensor<"u8", S>;

/** What a product takes, one format for both of its operands; its sums and its result are float32 in either. */
export type OperandFormat = "f32" | "bf16";

export type Scalar<R extends string = string> = F32<[], R>;

declare const WHOLE: unique symbol;

/** The shape of the part that one device keeps of a tensor of shape S: one axis (runtime/step/shards.ts). */
export type Shard<S extends Shape> = readonly [length: number] & { readonly [WHOLE]?: (shape: S) => S };
