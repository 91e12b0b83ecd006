/**
 * The collective functions of a communicator over MPI. The mean is not MPI_Allreduce's: its order of adding depends on
 * the library, on the size of the message and on where the ranks run. Here the parts of a rank's block are exchanged,
 * added up in the order of ranks, and the blocks are gathered; over the network that is what a ring all-reduce sends.
 */
import { blockOf, type Communicator } from "../communicator";
import { meanOfRows } from "../mean";
import type { MpiCalls } from "./calls";

/** Floats that are exchanged at a time, over all ranks: 16 MB keep memory small and the event loop free. */
const PIECE = 2 ** 22;

interface Place {
  readonly rank: number;
  readonly size: number;
}

export type Collectives = Pick<
  Communicator,
  "allReduceMean" | "reduceScatterMean" | "allGatherBlocks" | "allGather" | "broadcast" | "barrier"
>;

export function collectivesOf(calls: MpiCalls, place: Place): Collectives {
  const reduceScatterMean = meanScatterer(calls, place);
  const allGatherBlocks = blockGatherer(calls, place);
  const { byte, world } = calls.abi;
  return oneAtATime({
    reduceScatterMean,
    allGatherBlocks,
    allReduceMean: async (buckets) => {
      for (const bucket of buckets) {
        await reduceScatterMean(bucket);
        await allGatherBlocks(bucket);
      }
    },
    allGather: async (bytes) => {
      const lengths = new Int32Array(place.size);
      await calls.inTurn("Allgather", Int32Array.of(bytes.length), 4, byte, lengths, 4, byte, world);
      const starts = startsOf(lengths);
      const all = new Uint8Array(lengths.reduce((sum, length) => sum + length, 0) || 1);
      await calls.inTurn("Allgatherv", nonEmpty(bytes), bytes.length, byte, all, lengths, starts, byte, world);
      return [...lengths].map((length, rank) => all.slice(starts[rank], (starts[rank] ?? 0) + length));
    },
    broadcast: async (bytes) => {
      const length = Int32Array.of(bytes.length);
      await calls.inTurn("Bcast", length, 4, byte, 0, world);
      const sent = place.rank === 0 ? bytes.slice() : new Uint8Array(length[0] ?? 0);
      await calls.inTurn("Bcast", nonEmpty(sent), sent.length, byte, 0, world);
      return sent;
    },
    barrier: () => calls.inTurn("Barrier", world),
  });
}

/** A collective call consists of several of MPI, and those of two must not mix; they have the order of their beginnings. */
function oneAtATime(of: Collectives): Collectives {
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(call: () => Promise<T>): Promise<T> => {
    const turn = last.then(call);
    last = turn.catch(() => {});
    return turn;
  };
  return {
    allReduceMean: (buckets) => inTurn(() => of.allReduceMean(buckets)),
    reduceScatterMean: (values) => inTurn(() => of.reduceScatterMean(values)),
    allGatherBlocks: (values) => inTurn(() => of.allGatherBlocks(values)),
    allGather: (bytes) => inTurn(() => of.allGather(bytes)),
    broadcast: (bytes) => inTurn(() => of.broadcast(bytes)),
    barrier: () => inTurn(() => of.barrier()),
  };
}

function meanScatterer(calls: MpiCalls, place: Place): (values: Float32Array) => Promise<void> {
  const { rank, size } = place;
  const { float, world } = calls.abi;
  // Made at the first use and kept: every step reduces the same buckets.
  let received = new Float32Array(0);
  return async (values) => {
    const blocks = blocksOf(values.length, size);
    const longest = blocks[0]?.length ?? 0;
    const piece = Math.min(longest, Math.max(1, Math.floor(PIECE / size)));
    if (received.length < piece * size) received = new Float32Array(piece * size);
    for (let from = 0; from < longest; from += piece) {
      const lengthOf = (block: { readonly length: number }): number =>
        Math.max(0, Math.min(piece, block.length - from));
      const sent = Int32Array.from(blocks, lengthOf);
      const sentFrom = Int32Array.from(blocks, ({ start, length }) => start + Math.min(from, length));
      const mine = sent[rank] ?? 0;
      const got = new Int32Array(size).fill(mine);
      const gotFrom = startsOf(got);
      await calls.inTurn("Alltoallv", values, sent, sentFrom, float, received, got, gotFrom, float, world);
      const into = sentFrom[rank] ?? 0;
      meanOfRows(received.subarray(0, mine * size), values.subarray(into, into + mine), size);
    }
  };
}

function blockGatherer(calls: MpiCalls, { size }: Place): (values: Float32Array) => Promise<void> {
  const { float, world, inPlace } = calls.abi;
  return async (values) => {
    if (values.length === 0) return;
    const blocks = blocksOf(values.length, size);
    const lengths = Int32Array.from(blocks, ({ length }) => length);
    const starts = Int32Array.from(blocks, ({ start }) => start);
    await calls.inTurn("Allgatherv", inPlace, 0, float, values, lengths, starts, float, world);
  };
}

function blocksOf(length: number, size: number): readonly { readonly start: number; readonly length: number }[] {
  // MPI counts with int.
  if (length >= 2 ** 31) throw new Error(`internal: a bucket of ${length} numbers; divide it`);
  return Array.from({ length: size }, (_, rank) => {
    const { start, end } = blockOf(length, { rank, size });
    return { start, length: end - start };
  });
}

function startsOf(lengths: Int32Array): Int32Array {
  let start = 0;
  return lengths.map((length) => {
    start += length;
    return start - length;
  });
}

/** An array without elements may have no address. */
function nonEmpty(bytes: Uint8Array): Uint8Array {
  return bytes.length === 0 ? new Uint8Array(1) : bytes;
}
