/**
 * Where a generated function meets the other devices. The interpreter does not wait within a function, so it runs one once
 * for every kind of meeting: with what was met so far in its place, to find what the devices meet over next.
 */
import type { Ops } from "../../ops/ops";
import { blockOf } from "../../ranks/communicator";
import type { Reducer } from "../engine";
import { type Dense, dense, sizeOf } from "./tensor";

type Meeting = "allReduce" | "allGather";

/** Ops that devices meet at, or that depend on which device it is. */
export type DeviceOps = Readonly<Record<Meeting | "shard", (inputs: readonly Dense[], length: number) => Dense>>;

const first = ([x = dense([], new Float64Array(1))]: readonly Dense[]): Dense => x;

export async function runMeeting<T>(
  run: (ops: Ops) => T,
  { reducer, opsWith }: { readonly reducer: Reducer; readonly opsWith: (ops: DeviceOps) => Ops },
): Promise<T> {
  const known = new Map<Meeting, readonly Dense[]>();
  for (;;) {
    const left = new Map([...known].map(([meeting, results]) => [meeting, [...results]]));
    const asked: { meeting: Meeting; inputs: readonly Dense[] }[] = [];
    const meet = (meeting: Meeting, inputs: readonly Dense[], until: Dense): Dense => {
      const results = left.get(meeting);
      if (results !== undefined) return results.shift() ?? until;
      asked.push({ meeting, inputs });
      return until;
    };
    const result = run(
      opsWith({
        allReduce: (inputs) => meet("allReduce", inputs, first(inputs)),
        allGather: (inputs) => meet("allGather", inputs, inputs[1] ?? first(inputs)),
        shard: (inputs, length) => shardOf(first(inputs), length, reducer),
      }),
    );
    const [next] = asked;
    if (next === undefined) return result;
    // What comes after the first kind of meeting was computed without its results.
    const now = asked.filter(({ meeting }) => meeting === next.meeting).map(({ inputs }) => inputs);
    known.set(next.meeting, await meetings[next.meeting](now, reducer));
  }
}

const meetings: {
  readonly [M in Meeting]: (asked: readonly (readonly Dense[])[], reducer: Reducer) => Promise<readonly Dense[]>;
} = {
  allReduce: async (asked, reducer) => {
    const buckets = asked.map((inputs) => Float32Array.from(first(inputs).data));
    await reducer.allReduceMean(buckets);
    return buckets.map((mean, i) => dense(first(asked[i] ?? []).shape, Float64Array.from(mean)));
  },
  allGather: async (asked, reducer) => {
    const gathered: Dense[] = [];
    for (const [shard, like] of asked) {
      if (shard === undefined || like === undefined) throw new Error("internal: allGather without its tensors");
      const whole = new Float32Array(sizeOf(like.shape));
      const { start, end } = blockOf(whole.length, reducer);
      whole.set(shard.data.subarray(0, end - start), start);
      await reducer.allGatherBlocks(whole);
      gathered.push(dense(like.shape, Float64Array.from(whole)));
    }
    return gathered;
  },
};

function shardOf({ data }: Dense, length: number, reducer: Reducer): Dense {
  const { start, end } = blockOf(data.length, reducer);
  if (length !== Math.ceil(data.length / reducer.size)) {
    throw new Error(`internal: a shard of ${length} of ${data.length} numbers, on ${reducer.size} devices`);
  }
  const shard = new Float64Array(length);
  shard.set(data.subarray(start, end));
  return dense([length], shard);
}
