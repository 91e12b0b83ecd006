/**
 * The state of a run as checkpoints have it: every tensor whole, however many ranks keep a shard of it. So a checkpoint does
 * not depend on them, and a run goes on with another number of ranks, or with an optimizer that is sharded or is not.
 */
import type { StateStore } from "../engines/engine";
import type { TrainerProgram } from "../experiment";
import { blockOf, type Communicator } from "../ranks/communicator";
import { shardLength, shardsOf } from "../step/shards";
import { stateTrees } from "../step/trees";
import { elements, stateSpecs } from "./state";

export interface WholeState {
  /** Whether ranks hold shards of it: all of them have to read it, in one order. */
  isSharded(path: string): boolean;
  read(path: string): Promise<Float32Array>;
  write(path: string, values: Float32Array): Promise<void>;
}

export function wholeState(
  { experiment, parameters, state }: Pick<TrainerProgram, "experiment" | "parameters" | "state">,
  store: StateStore,
  ranks: Pick<Communicator, "rank" | "size" | "allGatherBlocks">,
): WholeState {
  const sharded = shardsOf(experiment) > 1 ? state.filter((name) => stateTrees[name].ofOptimizer) : [];
  const sizes = new Map([...stateSpecs(parameters, sharded)].map(([path, spec]) => [path, elements(spec)]));
  return {
    isSharded: (path) => sizes.has(path),
    read: async (path) => {
      const size = sizes.get(path);
      const own = await store.read(path);
      if (size === undefined) return own;
      const whole = new Float32Array(size);
      const { start, end } = blockOf(size, ranks);
      whole.set(own.subarray(0, end - start), start);
      await ranks.allGatherBlocks(whole);
      return whole;
    },
    write: async (path, values) => {
      if (!sizes.has(path)) return store.write(path, values);
      const { start, end } = blockOf(values.length, ranks);
      const own = new Float32Array(shardLength(values.length, ranks.size));
      own.set(values.subarray(start, end));
      await store.write(path, own);
    },
  };
}
