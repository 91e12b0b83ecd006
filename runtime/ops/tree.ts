/**
 * Trees of named tensors: the weights, moments and batches that a generated step takes and gives. A path joins the
 * names with dots, e.g. `encoder.blocks.3.attn.qkv.weight`.
 */

/** Nested readonly records and lists with leaves of type Leaf. */
export type Tree<Leaf> = Leaf | { readonly [name: string]: Tree<Leaf> } | readonly Tree<Leaf>[];

/** Leaves with their paths, in the order in which the tree was written. */
export function leavesOf<Leaf extends object>(
  tree: unknown,
  isLeaf: (value: object) => value is Leaf,
  path = "",
): [path: string, leaf: Leaf][] {
  if (typeof tree !== "object" || tree === null) throw new Error(`internal: ${path || "the tree"} is not a tensor`);
  if (isLeaf(tree)) return [[path, tree]];
  return Object.entries(tree).flatMap(([name, child]) =>
    leavesOf(child, isLeaf, path === "" ? name : `${path}.${name}`),
  );
}

/** The tree whose leaves lie at these paths; a node whose names are 0, 1, 2, … becomes a list. */
export function treeOf<Leaf>(leaves: Iterable<readonly [path: string, leaf: Leaf]>): Tree<Leaf> {
  interface Branch {
    readonly children: Map<string, Branch | { readonly leaf: Leaf }>;
  }
  const root: Branch = { children: new Map() };
  for (const [path, leaf] of leaves) {
    const names = path.split(".");
    const last = names.pop();
    if (last === undefined) throw new Error("internal: an empty path");
    let branch = root;
    for (const name of names) {
      let next = branch.children.get(name);
      if (next === undefined) {
        next = { children: new Map() };
        branch.children.set(name, next);
      }
      if (!("children" in next)) throw new Error(`internal: ${path} lies below a tensor`);
      branch = next;
    }
    branch.children.set(last, { leaf });
  }
  const build = (branch: Branch): Tree<Leaf> => {
    const entries = [...branch.children].map(([name, child]): [string, Tree<Leaf>] => [
      name,
      "leaf" in child ? child.leaf : build(child),
    ]);
    const isList = entries.length > 0 && entries.every(([name], i) => name === String(i));
    return isList ? entries.map(([, child]) => child) : Object.fromEntries(entries);
  };
  return build(root);
}
