/**
 * After an update in shards the devices bring the weights together. Each graph writes its shards into memory of their own;
 * in groups of a few they travel side by side, and go from there straight into the store, where the next graph reads them.
 */
import { blockOf } from "../../ranks/communicator";
import type { Reducer } from "../engine";
import { ALIGNED_ELEMENTS } from "./buckets";
import type { Piece, Segment } from "./layout";
import type { NamedValue } from "./model";
import { allocate, type OnnxStore } from "./store";

/** What a graph gives of a tensor of the store. */
export interface GivenShard extends NamedValue {
  readonly segment: Segment;
  readonly piece: Piece;
}

export interface Gatherer {
  /** Where a graph writes this shard. */
  find(name: string): Float32Array;
  /** Fills the tensors of the store. */
  meet(): Promise<void>;
}

interface Placed extends GivenShard {
  /** In the memory of all shards of this device. */
  readonly start: number;
  readonly length: number;
}

/** `most` is how many numbers travel at a time, those of all devices together. */
export function gathererOf(
  shards: readonly GivenShard[],
  { store, reducer, most }: { readonly store: OnnxStore; readonly reducer: Reducer; readonly most: number },
): Gatherer {
  const { rank, size } = reducer;
  const groups: Placed[][] = [];
  let end = 0;
  for (const shard of shards) {
    const length = Number(shard.value.dims[0]);
    const placed = { ...shard, start: end, length };
    const group = groups.at(-1);
    const from = group?.[0]?.start ?? 0;
    end = Math.ceil((end + length) / ALIGNED_ELEMENTS) * ALIGNED_ELEMENTS;
    if (group === undefined || (end - from) * size > most) groups.push([placed]);
    else group.push(placed);
  }
  const own = allocate(end);
  const places = new Map(groups.flat().map((shard) => [shard.name, shard]));
  const bounds = groups.map((group, i) => ({
    from: group[0]?.start ?? 0,
    to: groups[i + 1]?.[0]?.start ?? end,
  }));
  const scratch = new Float32Array(size * Math.max(0, ...bounds.map(({ from, to }) => to - from)));
  return {
    find: (name) => {
      const place = places.get(name);
      if (place === undefined) throw new Error(`internal: no shard ${name}`);
      return own.subarray(place.start, place.start + place.length);
    },
    meet: async () => {
      for (const [i, group] of groups.entries()) {
        const { from = 0, to = 0 } = bounds[i] ?? {};
        const width = to - from;
        const rows = scratch.subarray(0, width * size);
        rows.set(own.subarray(from, to), rank * width);
        await reducer.allGatherBlocks(rows);
        for (const { segment, piece, start, length } of group) {
          const tensor = store.buffer(segment).subarray(piece.offset, piece.offset + piece.size);
          for (let of = 0; of < size; of++) {
            const block = blockOf(piece.size, { rank: of, size });
            const row = of * width + start - from;
            tensor.set(rows.subarray(row, row + Math.min(length, block.end - block.start)), block.start);
          }
        }
      }
    },
  };
}
