/** The few helpers that generated steps use around their ops: loops over blocks, and one op for every tensor of a tree. */
import * as shards from "../step/shards";
import type { AnyTensor, F32, Shape, Shard } from "./ops";
import type { WeightGradient } from "./roles";
import { leavesOf } from "./tree";
import type { FirstMoments, Gradients, Next, SecondMoments } from "./weights";

/** Block number i; negative from the end. */
export function blockAt<Block>(blocks: readonly Block[], i: number): Block {
  const block = blocks.at(i);
  if (block === undefined) throw new Error(`internal: there is no block ${i} of ${blocks.length}`);
  return block;
}

/** One list of blocks and of lists of blocks, in the order in which they are given. */
export function inOrder<Block extends object>(...parts: readonly (Block | readonly Block[])[]): readonly Block[] {
  const none: readonly Block[] = [];
  return none.concat(...parts);
}

/** Blocks with what their forward pass kept, the last block first. */
export function backwards<Block, Kept>(blocks: readonly Block[], kept: readonly Kept[]): (readonly [Block, Kept])[] {
  if (blocks.length !== kept.length) throw new Error(`internal: ${blocks.length} blocks, but ${kept.length} were run`);
  return kept.map((acts, i): readonly [Block, Kept] => [blockAt(blocks, i), acts]).reverse();
}

const isTensor = (value: unknown): value is F32<Shape> =>
  typeof value === "object" && value !== null && "dtype" in value;

/** Every tensor of a tree, in the order of its record. */
export function leaves(tree: unknown): readonly AnyTensor[] {
  return leavesOf(tree, isTensor).map(([, tensor]) => tensor);
}

type Visit = (tensors: readonly F32<Shape>[], path: string) => unknown;

/** Walks trees of one form together; the results lie at the places of the tensors. */
function walk(trees: readonly unknown[], visit: Visit, path: string): unknown {
  const [first] = trees;
  if (isTensor(first)) {
    const tensors = trees.filter(isTensor);
    if (tensors.length !== trees.length) throw new Error(`internal: the trees differ at ${path}`);
    return visit(tensors, path);
  }
  if (typeof first !== "object" || first === null) throw new Error(`internal: no tensor at ${path}`);
  const childOf = (tree: unknown, name: string): unknown =>
    typeof tree === "object" && tree !== null ? Reflect.get(tree, name) : undefined;
  const entries = Object.keys(first).map((name): [string, unknown] => [
    name,
    walk(
      trees.map((tree) => childOf(tree, name)),
      visit,
      path === "" ? name : `${path}.${name}`,
    ),
  ]);
  return Array.isArray(first) ? entries.map(([, value]) => value) : Object.fromEntries(entries);
}

/** One op for every tensor of a tree; `path` is where it lies, e.g. `encoder.blocks.0.norm1.weight`. */
export function mapAll<Tree>(
  tree: Tree,
  op: <S extends Shape, X extends string>(tensor: F32<S, X>, path: string) => F32<S, X>,
): Tree {
  // the walk keeps the form of the tree, and op keeps every shape
  return walk([tree], ([tensor], path) => (tensor === undefined ? undefined : op(tensor, path)), "") as Tree;
}

/** One op for every pair of tensors of two trees of the same form. */
export function zipAll<Tree>(
  a: Tree,
  b: Tree,
  op: <S extends Shape, X extends string>(a: F32<S, X>, b: F32<S, X>, path: string) => F32<S, X>,
): Tree {
  // as above
  return walk([a, b], ([x, y], path) => (x === undefined || y === undefined ? undefined : op(x, y, path)), "") as Tree;
}

/** One op for every tensor of a tree and that of the updated weights which it follows. */
export function followAll<Tree>(
  tree: Tree,
  weights: Next<Tree>,
  op: <S extends Shape, X extends string>(a: F32<S, X>, b: F32<S, `next ${X}`>, path: string) => F32<S, `next ${X}`>,
): Next<Tree> {
  // The walk knows no roles: two tensors that lie at one place are a weight and what became of it.
  const follow = op as (a: F32<Shape>, b: F32<Shape>, path: string) => F32<Shape>;
  return walk(
    [tree, weights],
    ([x, y], path) => (x === undefined || y === undefined ? undefined : follow(x, y, path)),
    "",
  ) as Next<Tree>;
}

/** A tree of what one device keeps of each tensor of another. */
export type Shards<Tree> =
  Tree extends F32<infer S, infer R>
    ? F32<Shard<S>, R>
    : Tree extends readonly (infer Item)[]
      ? readonly Shards<Item>[]
      : { readonly [Name in keyof Tree]: Shards<Tree[Name]> };

/** Numbers of the shard that each of so many devices keeps of a tensor. */
export function shardLength({ shape }: AnyTensor, devices: number): number {
  return shards.shardLength(
    shape.reduce((product, size) => product * size, 1),
    devices,
  );
}

/** The shard of this device, for every tensor of a tree. */
export function shardAll<Tree>(
  tree: Tree,
  op: <S extends Shape, X extends string>(tensor: F32<S, X>, path: string) => F32<Shard<S>, X>,
): Shards<Tree> {
  // as in mapAll
  return walk([tree], ([tensor], path) => (tensor === undefined ? undefined : op(tensor, path)), "") as Shards<Tree>;
}

/** The whole tensor for every shard of the updated weights; `like` has their shapes. */
export function gatherAll<Tree>(
  tree: Next<Shards<Tree>>,
  like: Tree,
  op: <S extends Shape, X extends string>(
    shard: F32<Shard<S>, `next ${X}`>,
    like: F32<S, X>,
    path: string,
  ) => F32<S, `next ${X}`>,
): Next<Tree> {
  // The walk knows no roles: a shard and a tensor that lie at one place are of one weight.
  const gather = op as unknown as (shard: F32<Shard<Shape>>, like: F32<Shape>, path: string) => F32<Shape>;
  const gathered = (tensors: readonly F32<Shape>[], path: string): unknown => {
    const [shard, whole] = tensors;
    // a walk over a tree and its shards meets both of one tensor
    return shard === undefined || whole === undefined
      ? undefined
      : gather(shard as unknown as F32<Shard<Shape>>, whole, path);
  };
  return walk([tree, like], gathered, "") as Next<Tree>; // as in mapAll
}

/** The tensor at a path of a tree, e.g. `encoder.blocks.0.norm1.weight`. */
export function leafAt(tree: unknown, path: string): AnyTensor {
  const found = path.split(".").reduce<unknown>((node, name) => {
    return typeof node === "object" && node !== null ? Reflect.get(node, name) : undefined;
  }, tree);
  if (!isTensor(found)) throw new Error(`internal: no tensor at ${path}`);
  return found;
}

/** Weights with their AdamW moments: three trees of one form. */
export interface Moments<Tree> {
  readonly weights: Tree;
  readonly m: FirstMoments<Tree>;
  readonly v: SecondMoments<Tree>;
}

/** The same after the update. */
export interface NextMoments<Tree> {
  readonly weights: Next<Tree>;
  readonly m: Next<FirstMoments<Tree>>;
  readonly v: Next<SecondMoments<Tree>>;
}

/** AdamW for every weight: three trees and the gradients go in, three trees come out. */
export function updateAll<Tree>(
  { weights, m, v }: Moments<Tree>,
  gradients: Gradients<Tree>,
  op: <S extends Shape, X extends string>(
    weight: F32<S, X>,
    gradient: F32<S, WeightGradient<X>>,
    m: F32<S, `m ${X}`>,
    v: F32<S, `v ${X}`>,
    path: string,
  ) => readonly [weight: F32<S, `next ${X}`>, m: F32<S, `next m ${X}`>, v: F32<S, `next v ${X}`>],
): NextMoments<Tree> {
  // The walk knows no roles: what goes in at a place of each tree comes out there.
  const update = op as (...tensors: [F32<Shape>, F32<Shape>, F32<Shape>, F32<Shape>, string]) => readonly F32<Shape>[];
  const moved = [new Map<unknown, F32<Shape>>(), new Map<unknown, F32<Shape>>(), new Map<unknown, F32<Shape>>()];
  walk(
    [weights, gradients, m, v],
    ([weight, gradient, first, second], path) => {
      if (weight === undefined || gradient === undefined || first === undefined || second === undefined)
        return undefined;
      const next = update(weight, gradient, first, second, path);
      [weight, first, second].forEach((from, i) => {
        const to = next[i];
        if (to !== undefined) moved[i]?.set(from, to);
      });
      return undefined;
    },
    "",
  );
  const next = (i: number, tree: unknown): unknown => walk([tree], ([tensor]) => moved[i]?.get(tensor), "");
  return { weights: next(0, weights), m: next(1, m), v: next(2, v) } as NextMoments<Tree>; // as above
}
