/** AdamW on whole tensors, or on this device's shard of each. */
import type { EachCall, Section, TreeValue } from "./step";
import { state, tree, treeOf } from "./trees";

/** What AdamW reads and gives: whole tensors, or this device's shard of each, after which the shards of all come together. */
interface Sharding {
  readonly weights: TreeValue;
  readonly gradients: TreeValue;
  /** The code of the weight whose shape says whether it decays. */
  readonly decays: string;
  readonly before: readonly Section[];
  readonly gathered: {
    /** What AdamW gives. */
    readonly from: TreeValue;
    readonly sections: readonly Section[];
    /** The new weights. */
    readonly weights: TreeValue;
  };
}

export function shardingOf(gradients: TreeValue, shards: number): Sharding {
  const from = tree("next.weights", shards === 1 ? "w" : "shard");
  const { weights } = state;
  if (shards === 1) {
    return { weights, gradients, decays: "w", before: [], gathered: { from, sections: [], weights: from } };
  }
  const any = { kind: "each", region: "update", part: "update", scalars: [] } as const;
  const shardOf = (of: TreeValue, name: string): EachCall => ({
    ...any,
    op: "shard",
    trees: [of],
    attrs: [["length", `shardLength(${of.each}, ${shards})`]],
    gives: [{ name, each: of.each, part: "all", shardOf: of }],
  });
  const before = [shardOf(weights, "shards"), shardOf(gradients, "gradientShards")];
  const [own, slopes] = before.map(treeOf);
  if (own === undefined || slopes === undefined) throw new Error("internal: no shards");
  const whole = tree("nextWeights", "w");
  const gather: EachCall = {
    ...any,
    op: "allGather",
    trees: [from, weights],
    attrs: [],
    gives: [whole],
  };
  return {
    weights: own,
    gradients: slopes,
    decays: "leafAt(weights, path)",
    before: [{ title: `One of ${shards} shards of every tensor: what this device updates`, calls: before }],
    gathered: { from, sections: [{ title: "The shards of all devices", calls: [gather] }], weights: whole },
  };
}
