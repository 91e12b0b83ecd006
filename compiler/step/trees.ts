/** Trees of tensors, laid out like the parameters, by the names that the generated step gives them. */
import type { EachCall, TreeValue } from "./step";

export const tree = (name: string, each: string): TreeValue => ({ name, each, part: "all" });

/** Trees of the state as functions read them. */
export const state = {
  weights: { ...tree("weights", "w"), state: "weights" },
  m: { ...tree("m", "m"), state: "m" },
  v: { ...tree("v", "v"), state: "v" },
  target: { name: "target", each: "t", part: "encoder", state: "target" },
  gradients: { ...tree("state.gradients", "sum"), state: "gradients" },
  /** The same in the function that begins the sum anew. */
  sums: { ...tree("sums", "sum"), state: "gradients" },
} as const satisfies Readonly<Record<string, TreeValue>>;

/** The first tree that a call gives. */
export function treeOf({ gives: [made] }: EachCall): TreeValue {
  if (made === undefined) throw new Error("internal: a call that gives no tree");
  return made;
}
