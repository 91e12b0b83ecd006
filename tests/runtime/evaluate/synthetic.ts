/** Features with known answers. */
import type { Features } from "../../../runtime/evaluate/features";

/** Numbers in −1…1 that look random and are the same in any language: sin(1 + 3r + 7c + r·c) as float32. */
export function waves(images: number, dimension: number): Features {
  const values = new Float32Array(images * dimension);
  for (let r = 0; r < images; r++) {
    for (let c = 0; c < dimension; c++) values[r * dimension + c] = Math.sin(1 + 3 * r + 7 * c + r * c);
  }
  return { images, dimension, values };
}

/** A stream of uniform numbers in 0…1 (mulberry32). */
export function uniforms(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function normals(seed: number): () => number {
  const uniform = uniforms(seed);
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}

/** Unit Gaussians around `distance` along axis k for class k; image r has class r mod classes. */
export function gaussians(what: {
  readonly images: number;
  readonly dimension: number;
  readonly classes: number;
  readonly distance: number;
  readonly seed: number;
}): { readonly features: Features; readonly labels: Int32Array } {
  const { images, dimension, classes, distance } = what;
  const normal = normals(what.seed);
  const labels = new Int32Array(images).map((_, r) => r % classes);
  const values = new Float32Array(images * dimension).map((_, at) => {
    const isAxis = at % dimension === labels[Math.floor(at / dimension)];
    return normal() + (isAxis ? distance : 0);
  });
  return { features: { images, dimension, values }, labels };
}
