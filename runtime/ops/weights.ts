/** Trees of weights by their types: those that are trained, of the target encoder, their gradients and moments. */
import type { F32, Tensor } from "./ops";
import type { WeightGradient } from "./roles";

declare const OWNER: unique symbol;

interface OwnedBy<Owner extends string> {
  readonly [OWNER]: Owner;
}

/** A tensor of the weights that are trained. */
export type Weight<S extends readonly number[], R extends string> = F32<S, R> & OwnedBy<"weights">;

/** The same tree of the target encoder. */
export type Target<Tree> =
  Tree extends Tensor<"f32", infer S, infer R>
    ? F32<S, R> & OwnedBy<"target">
    : { readonly [K in keyof Tree]: Target<Tree[K]> };

/** The gradients of a tree of weights. */
export type Gradients<Tree> =
  Tree extends Tensor<"f32", infer S, infer R>
    ? F32<S, WeightGradient<R>>
    : { readonly [K in keyof Tree]: Gradients<Tree[K]> };

/** AdamW's moments of a tree of weights: the mean of its gradients, and of their squares. */
export type FirstMoments<Tree> =
  Tree extends Tensor<"f32", infer S, infer R>
    ? F32<S, `m ${R}`>
    : { readonly [K in keyof Tree]: FirstMoments<Tree[K]> };
export type SecondMoments<Tree> =
  Tree extends Tensor<"f32", infer S, infer R>
    ? F32<S, `v ${R}`>
    : { readonly [K in keyof Tree]: SecondMoments<Tree[K]> };

/** A tree after the update. */
export type Next<Tree> =
  Tree extends Tensor<"f32", infer S, infer R> ? F32<S, `next ${R}`> : { readonly [K in keyof Tree]: Next<Tree[K]> };
