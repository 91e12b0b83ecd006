/** A weight of a file: its shape, and its numbers when they are asked for. */
export interface StoredWeight {
  readonly shape: readonly number[];
  readonly read: () => Promise<Float32Array>;
}
