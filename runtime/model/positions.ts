/** The fixed sin-cos position embeddings of patches (reference.md §3). */
import type { CommonExperiment, Experiment } from "../experiment";

export interface PositionSettings {
  /** Width of a token; a multiple of 4. */
  readonly dim: number;
  readonly gridHeight: number;
  readonly gridWidth: number;
  /** Factor on the whole table; 1 in the reference. */
  readonly scale: number;
}

/**
 * The table [patches, dim], row-major over the grid. Row (y, x) holds sin(x·ω), cos(x·ω), sin(y·ω), cos(y·ω), a quarter
 * each, with ω_i = 10000^(−i / (dim/4)). Computed in float64, rounded once.
 */
export function sinCosPositions({ dim, gridHeight, gridWidth, scale }: PositionSettings): Float32Array {
  if (dim % 4 !== 0) throw new Error(`internal: position embeddings need a width that is a multiple of 4, got ${dim}`);
  const quarter = dim / 4;
  const omega = Array.from({ length: quarter }, (_, i) => 1 / 10000 ** (i / quarter));
  const table = new Float32Array(gridHeight * gridWidth * dim);
  for (let y = 0; y < gridHeight; y++) {
    for (let x = 0; x < gridWidth; x++) {
      const row = (y * gridWidth + x) * dim;
      for (const [i, w] of omega.entries()) {
        table[row + i] = scale * Math.sin(x * w);
        table[row + quarter + i] = scale * Math.cos(x * w);
        table[row + 2 * quarter + i] = scale * Math.sin(y * w);
        table[row + 3 * quarter + i] = scale * Math.cos(y * w);
      }
    }
  }
  return table;
}

/** The table of an experiment's grid in this width. */
export function positionsOf(
  { image: { gridHeight, gridWidth }, positionScale }: Pick<Experiment, "image" | "positionScale">,
  dim: number,
): Float32Array {
  return sinCosPositions({ dim, gridHeight, gridWidth, scale: positionScale });
}

/** The leaf `classPosition` where there is a class token: its position, which is zero, for every image. */
export function classPositionOf({
  optimizer,
  encoder,
  classToken,
}: CommonExperiment & { readonly classToken: boolean }): { readonly classPosition?: Float32Array } {
  return classToken ? { classPosition: new Float32Array(optimizer.deviceBatch * encoder.dim) } : {};
}
