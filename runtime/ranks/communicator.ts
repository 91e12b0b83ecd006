/**
 * What the trainer knows of the other ranks. All ranks call the same collective functions in the same order, with arrays
 * of the same lengths; a call that only some of them make never ends, and the watch (watch/watch.ts) then ends the run.
 */
export interface Communicator {
  /** From 0. */
  readonly rank: number;
  readonly size: number;
  readonly host: string;
  /**
   * Replaces the numbers of every array by their mean over all ranks. It is added up in the order of ranks in float64 and
   * rounded once, so it has the same bits on every rank, in every run, and with every MPI and placement of the ranks.
   */
  allReduceMean(buckets: readonly Float32Array[]): Promise<void>;
  /** Every rank gives its block of the array (blockOf) and gets those of the others. */
  allGatherBlocks(values: Float32Array): Promise<void>;
  /** What each rank gave, by rank; lengths may differ. For small things: sums of a log line, results of an evaluation. */
  allGather(bytes: Uint8Array): Promise<readonly Uint8Array[]>;
  /** What rank 0 gave; the argument of the others is not looked at. */
  broadcast(bytes: Uint8Array): Promise<Uint8Array>;
  /** Returns when all ranks have called it. */
  barrier(): Promise<void>;
  /** Throws R199 on every rank where they do not all give the same value, e.g. of "experiment" or "number of ranks". */
  agree(what: string, value: string): Promise<void>;
  /**
   * Ends all ranks, also those that wait for this one, and this process with the exit code. The others print the reason, a
   * sentence; this rank has printed it before.
   */
  abort(reason: string, exitCode: number): Promise<never>;
  /** To be called by all ranks when the run is over, before the process ends. */
  close(): Promise<void>;
}

/** The part of an array of `length` numbers that belongs to one rank: equal parts, the last ones shorter or empty. */
export function blockOf(
  length: number,
  { rank, size }: { readonly rank: number; readonly size: number },
): { readonly start: number; readonly end: number } {
  const longest = Math.ceil(length / size);
  return { start: Math.min(rank * longest, length), end: Math.min((rank + 1) * longest, length) };
}
