/**
 * When a value is needed for the last time. The compiler estimates memory with it (compiler/step/memory.ts); an engine that
 * runs op by op releases tensors by it.
 */

/** What an op reads and makes, in order of execution. */
export interface Uses<V> {
  readonly inputs: readonly V[];
  readonly outputs: readonly V[];
}

export interface Owned<V> {
  /** Values from outside that may be released as soon as nothing reads them any more. */
  readonly given?: Iterable<V>;
  /** Results: never released. */
  readonly kept: Iterable<V>;
}

export interface Releases<V> {
  /** Given values that nothing reads. */
  readonly before: readonly V[];
  /** For every node, what nothing reads after it. */
  readonly after: readonly (readonly V[])[];
}

/** Every value that is made or given, and not kept, is released exactly once: right after its last reader. */
export function releasesOf<V>(nodes: readonly Uses<V>[], { given = [], kept }: Owned<V>): Releases<V> {
  const last = new Map<V, number>();
  for (const value of given) last.set(value, -1);
  nodes.forEach(({ inputs, outputs }, i) => {
    for (const value of outputs) last.set(value, i);
    for (const value of inputs) if (last.has(value)) last.set(value, i);
  });
  for (const value of kept) last.delete(value);
  const before: V[] = [];
  const after = nodes.map((): V[] => []);
  for (const [value, i] of last) (after[i] ?? before).push(value);
  return { before, after };
}

export interface Memory<V> {
  bytesOf(value: V): number;
  /** The value whose memory it shares, where it is a view of one. The memory is free when the last of them is released. */
  viewOf?(value: V): V | undefined;
  /** Bytes of everything given, which are there from the beginning; 0 where they are not counted. */
  readonly atStart?: number;
}

/** Most bytes at any time: an op holds its inputs and its outputs together. */
export function peakBytes<V>(nodes: readonly Uses<V>[], releases: Releases<V>, memory: Memory<V>): number {
  const holders = new Map<V, number>();
  const memoryOf = (value: V): V => {
    const base = memory.viewOf?.(value);
    return base === undefined ? value : memoryOf(base);
  };
  let live = memory.atStart ?? 0;
  let peak = live;
  const release = (value: V): void => {
    const base = memoryOf(value);
    const left = (holders.get(base) ?? 1) - 1;
    holders.set(base, left);
    if (left === 0) live -= memory.bytesOf(base);
  };
  releases.before.forEach(release);
  nodes.forEach(({ outputs }, i) => {
    for (const value of outputs) {
      const base = memoryOf(value);
      if (base === value) live += memory.bytesOf(value);
      holders.set(base, (holders.get(base) ?? (base === value ? 0 : 1)) + 1);
    }
    peak = Math.max(peak, live);
    releases.after[i]?.forEach(release);
  });
  return peak;
}
