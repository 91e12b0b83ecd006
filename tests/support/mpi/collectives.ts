/** Every collective function once, with numbers that depend on the rank; the same for MPI and for ranks in memory. */
import { createHash } from "node:crypto";
import { blockOf, type Communicator } from "../../../runtime/ranks/communicator";

/** Lengths that do not divide, that are shorter than the ranks, empty, and longer than what is exchanged at a time. */
const lengths = [1, 0, 2, 7, 1000, 4_500_001];

export interface CollectivesResult {
  readonly rank: number;
  /** SHA-256 of the means of each length. */
  readonly means: readonly string[];
  /** SHA-256 of the same means, from the blocks of all ranks. */
  readonly gatheredMeans: readonly string[];
  readonly gathered: readonly string[];
  readonly told: string;
}

export async function collectivesResult(ranks: Communicator): Promise<CollectivesResult> {
  const { rank, size } = ranks;
  const means = lengths.map((length) => numbers(rank, length));
  await ranks.allReduceMean(means);
  const gatheredMeans = means.map((values) => values.slice());
  for (const values of gatheredMeans) {
    const { start, end } = blockOf(values.length, { rank, size });
    values.fill(Number.NaN, 0, start).fill(Number.NaN, end);
    await ranks.allGatherBlocks(values);
  }
  const text = new TextEncoder().encode("x".repeat(rank * 3));
  const gathered = (await ranks.allGather(text)).map((bytes) => new TextDecoder().decode(bytes));
  const told = await ranks.broadcast(new TextEncoder().encode(rank === 0 ? "from rank 0" : "from another one"));
  await ranks.broadcast(new Uint8Array(0));
  await ranks.barrier();
  return {
    rank,
    means: means.map(sha),
    gatheredMeans: gatheredMeans.map(sha),
    gathered,
    told: new TextDecoder().decode(told),
  };
}

const scales = Array.from({ length: 9 }, (_, i) => 0.1 * 11 ** (i - 4));

/** Of very different sizes, so that another order of adding would be seen. */
export function numbers(rank: number, length: number): Float32Array {
  const values = new Float32Array(length);
  for (let i = 0; i < length; i++) values[i] = ((i * (rank + 17)) % 1009) * (scales[(i * 7 + rank * 3) % 9] ?? 1);
  return values;
}

function sha(values: Float32Array): string {
  return createHash("sha256")
    .update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
    .digest("hex");
}
