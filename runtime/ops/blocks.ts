/** The few helpers that generated steps use around their ops: loops over blocks, and one op for every tensor of a tree. */
import * as shards from "../step/shards";
import type { AnyTensor, F32, Shape, Shard } from "./ops";
import { leavesOf } from "./tree";

/** Block number i; negative from the end. */
export function blockAt<Block>(blocks: readonly Block[], i: number): Block {
  const block = blocks.at(i);
  if (block === undefined) throw new Error(`internal: there is no block ${i} of ${blocks.length}`);
  return block;
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
export function mapAll<Tree>(tree: Tree, op: <S extends Shape>(tensor: F32<S>, path: string) => F32<S>): Tree {
  // the walk keeps the form of the tree, and op keeps every shape
  return walk([tree], ([tensor], path) => (tensor === undefined ? undefined : op(tensor, path)), "") as Tree;
}

/** One op for every pair of tensors of two trees of the same form. */
export function zipAll<Tree>(
  a: Tree,
  b: Tree,
  op: <S extends Shape>(a: F32<S>, b: F32<S>, path: string) => F32<S>,
): Tree {
  // as above
  return walk([a, b], ([x, y], path) => (x === undefined || y === undefined ? undefined : op(x, y, path)), "") as Tree;
}

/** A tree of what one device keeps of each tensor of another. */
export type Shards<Tree> =
  Tree extends F32<infer S>
    ? F32<Shard<S>>
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
  op: <S extends Shape>(tensor: F32<S>, path: string) => F32<Shard<S>>,
): Shards<Tree> {
  // as in mapAll
  return walk([tree], ([tensor], path) => (tensor === undefined ? undefined : op(tensor, path)), "") as Shards<Tree>;
}

/** The whole tensor for every shard; `like` has their shapes. */
export function gatherAll<Tree>(
  tree: Shards<Tree>,
  like: Tree,
  op: <S extends Shape>(shard: F32<Shard<S>>, like: F32<S>, path: string) => F32<S>,
): Tree {
  const gathered = (tensors: readonly F32<Shape>[], path: string): unknown => {
    const [shard, whole] = tensors;
    // a walk over a tree and its shards meets both of one tensor
    return shard === undefined || whole === undefined
      ? undefined
      : op(shard as unknown as F32<Shard<Shape>>, whole, path);
  };
  return walk([tree, like], gathered, "") as Tree; // as in mapAll
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
  readonly m: Tree;
  readonly v: Tree;
}

/** AdamW for every weight: three trees and the gradients go in, three trees come out. */
export function updateAll<Tree>(
  { weights, m, v }: Moments<Tree>,
  gradients: Tree,
  op: <S extends Shape>(
    weight: F32<S>,
    gradient: F32<S>,
    m: F32<S>,
    v: F32<S>,
    path: string,
  ) => readonly [weight: F32<S>, m: F32<S>, v: F32<S>],
): Moments<Tree> {
  const moved: Record<"weights" | "m" | "v", Map<unknown, F32<Shape>>> = {
    weights: new Map(),
    m: new Map(),
    v: new Map(),
  };
  walk(
    [weights, gradients, m, v],
    ([weight, gradient, first, second], path) => {
      if (weight === undefined || gradient === undefined || first === undefined || second === undefined)
        return undefined;
      const [nextWeight, nextM, nextV] = op(weight, gradient, first, second, path);
      moved.weights.set(weight, nextWeight);
      moved.m.set(first, nextM);
      moved.v.set(second, nextV);
      return undefined;
    },
    "",
  );
  const next = (tree: Tree, by: ReadonlyMap<unknown, F32<Shape>>): Tree =>
    walk([tree], ([tensor]) => by.get(tensor), "") as Tree; // as above
  return { weights: next(weights, moved.weights), m: next(m, moved.m), v: next(v, moved.v) };
}
