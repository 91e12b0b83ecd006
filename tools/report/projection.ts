/** Features in two or three dimensions: principal components, and UMAP. */
import { UMAP } from "umap-js";
import { randomAt } from "../../runtime/random/random";

/** Rows [count, width] of one array. */
export interface Rows {
  readonly values: Float32Array;
  readonly count: number;
  readonly width: number;
}

const sweeps = 60;

/**
 * Coordinates [count, components] along the directions of largest variance, by subspace iteration with a fixed start: a library's
 * full decomposition of a wide encoder's features would take a minute for the few directions that a picture shows. The sign
 * of a direction is that its largest weight is positive, so that the same features give the same picture.
 */
export function principalCoordinates(
  { values, count, width }: Rows,
  components: number,
): readonly (readonly number[])[] {
  const centred = new Float64Array(values);
  for (let d = 0; d < width; d++) {
    let mean = 0;
    for (let i = 0; i < count; i++) mean += (values[i * width + d] ?? 0) / count;
    for (let i = 0; i < count; i++) centred[i * width + d] = (values[i * width + d] ?? 0) - mean;
  }
  const covariance = new Float64Array(width * width);
  for (let i = 0; i < count; i++) {
    const row = centred.subarray(i * width, (i + 1) * width);
    for (let a = 0; a < width; a++) {
      const left = row[a] ?? 0;
      for (let b = 0; b <= a; b++) covariance[a * width + b] = (covariance[a * width + b] ?? 0) + left * (row[b] ?? 0);
    }
  }
  for (let a = 0; a < width; a++)
    for (let b = 0; b < a; b++) covariance[b * width + a] = covariance[a * width + b] ?? 0;
  const random = randomAt({ seed: 0, purpose: "report.components" });
  const kept = Math.min(components, width);
  const basis = Array.from({ length: kept }, () => Float64Array.from({ length: width }, () => random.normal()));
  orthonormal(basis);
  for (let sweep = 0; sweep < sweeps; sweep++) {
    for (const direction of basis) direction.set(times(covariance, direction));
    orthonormal(basis);
  }
  const directions = basis.map((direction) => {
    const largest = direction.reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most), 0);
    return largest < 0 ? direction.map((value) => -value) : direction;
  });
  return Array.from({ length: count }, (_, i) =>
    directions.map((direction) => dot(centred.subarray(i * width, (i + 1) * width), direction)),
  );
}

function times(matrix: Float64Array, vector: Float64Array): Float64Array {
  const width = vector.length;
  return Float64Array.from({ length: width }, (_, a) => dot(matrix.subarray(a * width, (a + 1) * width), vector));
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (const [i, value] of a.entries()) sum += value * (b[i] ?? 0);
  return sum;
}

/** Gram–Schmidt, twice, in place. A direction without length becomes zero: there is no more variance. */
function orthonormal(basis: Float64Array[]): void {
  for (const [k, direction] of basis.entries()) {
    for (const other of [...basis.slice(0, k), ...basis.slice(0, k)]) {
      const along = dot(direction, other);
      for (const [i, value] of other.entries()) direction[i] = (direction[i] ?? 0) - along * value;
    }
    const length = Math.sqrt(dot(direction, direction));
    for (const [i, value] of direction.entries()) direction[i] = length < 1e-12 ? 0 : value / length;
  }
}

const fewestForUmap = 16;

/** A place in the plane for every row, by cosine distance; the same for the same rows. */
export function planeOf(rows: Rows): { readonly method: string; readonly places: readonly (readonly number[])[] } {
  const { values, count, width } = rows;
  if (count < fewestForUmap) return { method: "principal components", places: principalCoordinates(rows, 2) };
  const random = randomAt({ seed: 0, purpose: "report.umap" });
  const unit = Array.from({ length: count }, (_, i) => {
    const row = values.subarray(i * width, (i + 1) * width);
    const length = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0)) || 1;
    return Array.from(row, (value) => value / length);
  });
  const umap = new UMAP({ random: () => random.uniform(), nNeighbors: Math.min(15, count - 1), minDist: 0.3 });
  return { method: "UMAP", places: umap.fit(unit) };
}

export interface Neighbour {
  readonly index: number;
  readonly cosine: number;
}

/** The `most` other rows nearest to row `of` by cosine, the nearest first. */
export function neighboursOf({ values, count, width }: Rows, of: number, most: number): readonly Neighbour[] {
  const row = (i: number): Float64Array => Float64Array.from(values.subarray(i * width, (i + 1) * width));
  const own = row(of);
  const ownLength = Math.sqrt(dot(own, own));
  return Array.from({ length: count }, (_, index) => {
    const other = row(index);
    return { index, cosine: dot(own, other) / (ownLength * Math.sqrt(dot(other, other)) || 1) };
  })
    .filter(({ index }) => index !== of)
    .sort((a, b) => b.cosine - a.cosine)
    .slice(0, most);
}
