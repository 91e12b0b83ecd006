/**
 * The trees that a generated step keeps and is handed, by their names: told here once. The compiler declares them with
 * these types (compiler/model/trees.ts) and writes them into trees.ts of a trainer; the trainer fills them.
 */
import type { TensorSpec } from "../engines/engine";
import type { F32, I32, Shape, U8 } from "../ops/ops";
import type { Sum, Times } from "../ops/sizes";

/** Which part of the tree of parameters a tree has: all of it, or what lies below `encoder`. */
export type ParameterPart = "all" | "encoder";

export interface StateTree {
  readonly part: ParameterPart;
  /** What it holds before the first step: drawn weights, or zeros. */
  readonly start: "weights" | "zeros";
  /** Whether a device keeps its shard of each tensor where the experiment shards its optimizer (shards.ts). */
  readonly ofOptimizer?: true;
}

/** What lives from step to step. */
export type StateName = "weights" | "m" | "v" | "target" | "gradients";

export const stateTrees: { readonly [K in StateName]: StateTree } = {
  weights: { part: "all", start: "weights" },
  m: { part: "all", start: "zeros", ofOptimizer: true },
  v: { part: "all", start: "zeros", ofOptimizer: true },
  target: { part: "encoder", start: "weights" },
  gradients: { part: "all", start: "zeros" },
};

/** In the order of the store. */
export const stateNames = Object.keys(stateTrees) as readonly StateName[]; // the keys of a total table

/** What differs from micro-batch to micro-batch, for any objective; each has its own leaves beside these. */
export interface BatchTree<Leaf> {
  /** [B, 3, H, W], bytes that the step normalizes; numbers that are normalized already where a recorded run is followed. */
  readonly images: Leaf;
  /** A factor for each row of the encoder that is trained, for every block, where the experiment has stochastic depth. */
  readonly dropPath?: readonly { readonly attn: Leaf; readonly mlp: Leaf }[];
}

/** Scalars of one optimizer step: see `adamw` and `ema` in runtime/ops/ops.ts. */
export interface ScheduleTree<Leaf> {
  /** lr / (1 − β1ᵗ) */
  readonly stepSize: Leaf;
  /** 1 / √(1 − β2ᵗ) */
  readonly secondMoment: Leaf;
  /** 1 − lr · weight decay */
  readonly decayFactor: Leaf;
  /** Momentum of the target encoder, where there is one. */
  readonly keep?: Leaf;
  /** 1 − momentum. */
  readonly take?: Leaf;
}

/** What is the same at every step. */
export interface ConstantsTree<Leaf> {
  /** [N, D] */
  readonly positions: Leaf;
  /** [3] each: of the channels of pixels from 0 to 1, where the step is given bytes. */
  readonly pixelMean?: Leaf;
  readonly pixelStd?: Leaf;
}

/** Everything that a function may be handed at a call. */
export interface InputTrees<Leaf> {
  readonly batch: BatchTree<Leaf>;
  readonly schedule: ScheduleTree<Leaf>;
  readonly constants: ConstantsTree<Leaf>;
}

export type InputName = keyof InputTrees<unknown>;

type Size = number | string;

/** A float32 tensor; a length that differs from program to program is given by its name. */
export const f32 = <const S extends readonly Size[]>(...shape: S): { readonly dtype: "f32"; readonly shape: S } => ({
  dtype: "f32",
  shape,
});

/** An int32 tensor. */
export const i32 = <const S extends readonly Size[]>(...shape: S): { readonly dtype: "i32"; readonly shape: S } => ({
  dtype: "i32",
  shape,
});

/** A tensor of bytes. */
export const u8 = <const S extends readonly Size[]>(...shape: S): { readonly dtype: "u8"; readonly shape: S } => ({
  dtype: "u8",
  shape,
});

/** A float32 tensor that is the same at every call. */
export const constant = <const S extends readonly Size[]>(
  ...shape: S
): { readonly dtype: "f32"; readonly shape: S; readonly constant: true } => ({ ...f32(...shape), constant: true });

/** The same tree for every block. */
export const blocks = <Tree>(depth: number, tree: Tree): readonly Tree[] => Array.from({ length: depth }, () => tree);

/** A length that differs from program to program is `number` in the type of a step, and a name in its description. */
type Described<S extends Shape> = { readonly [I in keyof S]: Varies<S[I]> extends true ? string : S[I] };

/** Also of a length that is made of others: `Sum<number, number>`. */
type Varies<Length extends number> = number extends Length
  ? true
  : Length extends Sum<infer A, infer B>
    ? Varies<A> extends true
      ? true
      : Varies<B>
    : Length extends Times<number, infer B>
      ? Varies<B>
      : false;

/** The description of a tree of tensors: what trees.ts says must be what the types of step.ts say. */
export type SpecsOf<Tree> =
  Tree extends F32<infer S, infer _Role>
    ? TensorSpec & { readonly dtype: "f32"; readonly shape: Described<S> }
    : Tree extends I32<infer S>
      ? TensorSpec & { readonly dtype: "i32"; readonly shape: Described<S> }
      : Tree extends U8<infer S>
        ? TensorSpec & { readonly dtype: "u8"; readonly shape: Described<S> }
        : Tree extends readonly (infer Item)[]
          ? readonly SpecsOf<Item>[]
          : { readonly [Name in keyof Tree]: SpecsOf<Tree[Name]> };
