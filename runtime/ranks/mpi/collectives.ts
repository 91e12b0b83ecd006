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
  "allReduceMean" | "allGatherBlocks" | "allGather" | "broadcast" | "barrier"
>;

export function collectivesOf(calls: MpiCalls, place: Place): Collectives {
  const scatterMeans = meanScatterer(calls, place);
  const allGatherBlocks = blockGatherer(calls, place);
  const { byte, world } = calls.abi;
  return oneAtATime({
    allGatherBlocks,
    allReduceMean: async (buckets) => {
      const gathered: Promise<void>[] = [];
      await scatterMeans(buckets, (bucket) => {
        const gathering = allGatherBlocks(bucket);
        // Where an exchange behind it fails too, that is what is thrown.
        gathering.catch(() => {});
        gathered.push(gathering);
      });
      await Promise.all(gathered);
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
    allGatherBlocks: (values) => inTurn(() => of.allGatherBlocks(values)),
    allGather: (bytes) => inTurn(() => of.allGather(bytes)),
    broadcast: (bytes) => inTurn(() => of.broadcast(bytes)),
    barrier: () => inTurn(() => of.barrier()),
  };
}

/** What is exchanged at a time: a part of every rank's block of a bucket. */
interface Piece {
  readonly bucket: Float32Array;
  readonly from: number;
  readonly length: number;
  readonly isLast: boolean;
}

function piecesOf(bucket: Float32Array, size: number): readonly Piece[] {
  const longest = Math.ceil(bucket.length / size);
  const length = Math.min(longest, Math.max(1, Math.floor(PIECE / size)));
  const count = length === 0 ? 0 : Math.ceil(longest / length);
  return Array.from({ length: count }, (_, i) => ({ bucket, from: i * length, length, isLast: i === count - 1 }));
}

/**
 * The means of this rank's blocks; `done` is called with each bucket as soon as its block is there. While the mean of one
 * piece is taken on this thread, the next one travels on another. Calls of MPI are begun in one order whatever the timing.
 */
function meanScatterer(
  calls: MpiCalls,
  { rank, size }: Place,
): (buckets: readonly Float32Array[], done: (bucket: Float32Array) => void) => Promise<void> {
  const { float, world } = calls.abi;
  // One is filled while the other is added up. Made at the first use and kept: every step reduces the same buckets.
  const received = [new Float32Array(0), new Float32Array(0)];
  const memory = (i: number, length: number): Float32Array => {
    const known = received[i % 2];
    if (known !== undefined && known.length >= length) return known;
    const made = new Float32Array(length);
    received[i % 2] = made;
    return made;
  };
  const exchange = ({ bucket, from, length }: Piece, i: number) => {
    const blocks = blocksOf(bucket.length, size);
    const lengthOf = (block: { readonly length: number }): number => Math.max(0, Math.min(length, block.length - from));
    const sent = Int32Array.from(blocks, lengthOf);
    const sentFrom = Int32Array.from(blocks, ({ start, length: whole }) => start + Math.min(from, whole));
    const mine = sent[rank] ?? 0;
    const got = new Int32Array(size).fill(mine);
    const rows = memory(i, length * size);
    const arrived = calls.inTurn("Alltoallv", bucket, sent, sentFrom, float, rows, got, startsOf(got), float, world);
    const into = sentFrom[rank] ?? 0;
    return {
      arrived,
      takeMean: () => meanOfRows(rows.subarray(0, mine * size), bucket.subarray(into, into + mine), size),
    };
  };
  return async (buckets, done) => {
    const pieces = buckets.flatMap((bucket) => piecesOf(bucket, size));
    const begin = (i: number) => {
      const piece = pieces[i];
      return piece === undefined ? null : { piece, ...exchange(piece, i) };
    };
    let current = begin(0);
    for (let i = 1; current !== null; i++) {
      await current.arrived;
      const next = begin(i);
      next?.arrived.catch(() => {});
      current.takeMean();
      if (current.piece.isLast) done(current.piece.bucket);
      current = next;
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
